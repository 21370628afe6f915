//! A store that writes a line and dates it otherwise is found: by the whole log, and by the person.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use ed25519_dalek::SigningKey;
use warifu_log::{
    ChainError, Entry, Hash, Kind, Log, MemoryStorage, Misdated, NoteKey, OwnLine, Purpose,
    Submission, TOLERANCE, Trust, api, cosign, not_after, sha256, verify_history,
};

const AT: u64 = 1_790_000_000;
const SUB: &str = "s1.EBESExQVFhcYGRobHB0eHw";
const OTHER: &str = "s1.AAAAAAAAAAAAAAAAAAAAAA";

fn signer(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

fn trust() -> Trust {
    let key = |name: &str, number: u8, purpose| {
        NoteKey::new(name, purpose, &signer(number).verifying_key().to_bytes()).unwrap()
    };
    let witness = key("w.example", 2, Purpose::Cosignature);
    Trust::new(key("log.example/l", 1, Purpose::Note), vec![witness], 0).unwrap()
}

fn grant(sub: &str, at: u64) -> Submission {
    let tok = sha256(&[&at.to_be_bytes()]).url();
    Submission {
        entry: Entry::new(Kind::Grant, at, Some(sub), [("tok", tok.into())]).unwrap(),
        salt: [7; 16],
        place_salt: None,
    }
}

/// A log of such lines, opened anew: what is found is found in the store, not while writing.
fn log(lines: &[(&str, u64)]) -> Log<MemoryStorage> {
    let mut log = Log::open(MemoryStorage::default(), trust(), &[]).unwrap();
    for (sub, at) in lines {
        log.append(vec![grant(sub, *at)]).unwrap();
    }
    log.publish(&signer(1)).unwrap();
    let found = log.misdated(AT);
    let again = Log::open(log.storage().clone(), trust(), &[]).unwrap();
    assert_eq!(again.misdated(AT), found);
    again
}

fn own(log: &Log<MemoryStorage>) -> Vec<OwnLine> {
    let lines = log.history(SUB).unwrap();
    lines.into_iter().map(|(_, line)| line).collect()
}

#[test]
fn a_back_dated_line_is_found_in_the_log_and_in_the_history() {
    let good = log(&[(SUB, AT - 100), (OTHER, AT), (SUB, AT - TOLERANCE)]);
    assert_eq!(good.misdated(AT), None);
    assert!(verify_history(SUB, &own(&good), None, &[]).is_ok());

    // Of one person: the line says it was there before the line that it follows.
    let bad = log(&[(SUB, AT), (SUB, AT - TOLERANCE - 1), (SUB, AT)]);
    let found = bad.misdated(AT).unwrap();
    assert_eq!(found, Misdated::Back { line: 1, by: 61 });
    assert_eq!((found.wire(), found.line()), ("LINE_BACKDATED", 1));
    let lines = own(&bad);
    let verdict = verify_history(SUB, &lines, None, &[]);
    assert_eq!(verdict, Err(ChainError::Backdated { at: 1 }));
    let text: Vec<String> = lines.iter().map(api::write_own_line).collect();
    let setting = format!(r#"{{"sub":"{SUB}"}}"#);
    assert_eq!(
        api::check_history(setting.as_bytes(), text.join("\n").as_bytes()),
        r#"{"at":1,"ok":0,"reason":"HISTORY_BACKDATED"}"#
    );

    // Between persons only the whole log shows it; that a line stands elsewhere in its own chain does not.
    let bad = log(&[(OTHER, AT), (SUB, AT - 3_600)]);
    assert_eq!(
        bad.misdated(AT),
        Some(Misdated::Back { line: 1, by: 3_600 })
    );
    assert!(verify_history(SUB, &own(&bad), None, &[]).is_ok());
}

#[test]
fn a_line_of_tomorrow_is_found_by_the_clock_at_hand_and_by_a_witness() {
    let later = AT + TOLERANCE + 1;
    let mut log = log(&[(SUB, AT), (SUB, later)]);
    let found = log.misdated(AT).unwrap();
    assert_eq!(found, Misdated::Future { line: 1, by: 61 });
    assert_eq!(found.wire(), "LINE_FUTURE");
    assert_eq!(log.misdated(AT + 1), None);
    let lines = own(&log);
    assert_eq!(not_after(&lines, AT), Err(ChainError::Future { at: 1 }));
    assert_eq!(not_after(&lines, AT + 1), Ok(()));
    let text: Vec<String> = lines.iter().map(api::write_own_line).collect();
    let check = |now: &str| {
        let setting = format!(r#"{{"sub":"{SUB}","now":{now}}}"#);
        api::check_history(setting.as_bytes(), text.join("\n").as_bytes())
    };
    assert_eq!(
        check(&AT.to_string()),
        r#"{"at":1,"ok":0,"reason":"HISTORY_FUTURE"}"#
    );
    assert!(check(&later.to_string()).contains(r#""ok":1"#));
    assert_eq!(check("\"soon\""), r#"{"ok":0,"reason":"SETTING"}"#);

    // A day later nobody's clock says so any more; the witness that saw the line in the tree does.
    let (_, note) = log.published().unwrap();
    let note = cosign(note, &witness(), &signer(2), AT).unwrap();
    log.cosigned(&note).unwrap();
    let mut again = Log::open(log.storage().clone(), trust(), &[]).unwrap();
    let found = again.misdated(AT + 86_400).unwrap();
    assert_eq!(found, Misdated::AfterCheckpoint { line: 1, by: 61 });
    assert_eq!(found.wire(), "LINE_AFTER_CHECKPOINT");
    // Lines after that checkpoint are not its.
    again.append(vec![grant(OTHER, AT + 86_000)]).unwrap();
    assert_eq!(again.misdated(AT + 86_400), Some(found));
}

fn witness() -> NoteKey {
    let key = signer(2).verifying_key().to_bytes();
    NoteKey::new("w.example", Purpose::Cosignature, &key).unwrap()
}

#[test]
fn what_came_into_force_stands_in_its_order() {
    let mut log = log(&[(SUB, AT)]);
    let line = |what: &str, hash: Hash| Submission {
        entry: Entry::new(
            Kind::Policy,
            AT,
            None,
            [("what", what.into()), ("hash", hash.url().into())],
        )
        .unwrap(),
        salt: [9; 16],
        place_salt: None,
    };
    let (a, b) = (sha256(&[b"a"]), sha256(&[b"b"]));
    log.append(vec![line("policy", a), line("master", b)])
        .unwrap();
    let again = Log::open(log.storage().clone(), trust(), &[]).unwrap();
    for log in [&log, &again] {
        let all: Vec<(u64, &str, Hash)> = log
            .enacted()
            .iter()
            .map(|e| (e.index, e.what.as_str(), e.hash))
            .collect();
        assert_eq!(all, [(1, "policy", a), (2, "master", b)]);
    }
}
