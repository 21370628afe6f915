//! Targets of the transparency log: proofs, checkpoints, the file of lines.

#![allow(unreachable_pub, reason = "a module of two crates")]

use std::sync::LazyLock;

use warifu_log::recipient::{Asked, Evidence, Recipient};
use warifu_log::{
    Checkpoint, Entry, Hash, Kind, Line, Log, Note, NoteKey, Purpose, Storage, Submission,
    TlogProof, Trust, api, verify_consistency, verify_inclusion,
};
use warifu_log_file::{FileError, FileStorage, Memory};

/// A trusted key whose private half nobody here has: RFC 8032, test 1.
fn trust() -> Option<Trust> {
    let public = Hash::from_url("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")?;
    let key = NoteKey::new("log.example/consent-log", Purpose::Note, &public.0).ok()?;
    Trust::new(key, Vec::new(), 0).ok()
}

/// Proofs, lines, evidence: one spelling each, nothing unsigned is believed.
pub fn log_proof(data: &[u8]) {
    let Some(trust) = trust() else {
        panic!("the key is one")
    };
    if let Some(proof) = TlogProof::parse(data) {
        assert_eq!(
            TlogProof::parse(proof.write().as_bytes()),
            Some(proof.clone())
        );
        assert!(proof.path.len() <= 64);
        assert!(proof.verify(&Hash::ZERO, &trust).is_err());
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(line) = Line::parse(text)
    {
        assert_eq!(line.write(), text);
    }
    if let Ok(evidence) = Evidence::parse(data) {
        assert_eq!(Evidence::parse(evidence.write().as_bytes()), Ok(evidence));
    }
    let asked = Asked {
        rcp: "mi:1312345678".to_owned(),
        sub: "s1.EBESExQVFhcYGRobHB0eHw".to_owned(),
        pur: "TREAT".to_owned(),
        areq: Hash::ZERO,
        at: 0,
    };
    let recipient = Recipient {
        trust,
        facilities: Vec::new(),
        pin: None,
    };
    assert!(recipient.check(data, &asked, 0).is_err());
    let half = data.split_at(data.len() / 2);
    for answer in [
        api::check_disclosure(half.0, half.1, 0),
        api::check_inclusion(half.0, "", half.1),
    ] {
        assert!(answer.contains(r#""ok":0"#));
    }
    let _ = api::check_history(half.0, half.1);
    // Two numbers and hashes: judged without panic, and no path of zeros proves zero.
    if let Some((head, rest)) = data.split_first_chunk::<16>() {
        let numbers = u128::from_be_bytes(*head);
        let old = u64::try_from(numbers >> 64).unwrap_or_default();
        let new = u64::try_from(numbers & u128::from(u64::MAX)).unwrap_or_default();
        let path: Vec<Hash> = rest.as_chunks::<32>().0.iter().map(|c| Hash(*c)).collect();
        let root = Hash([1; 32]);
        let inclusion = verify_inclusion(&Hash::ZERO, old, new, &path, &root);
        let _ = verify_consistency(old, new, &path, &Hash::ZERO, &root);
        assert!(inclusion.is_err());
    }
}

/// Signed notes and checkpoints.
pub fn log_checkpoint(data: &[u8]) {
    if let Ok(note) = Note::parse(data) {
        assert!(note.text().ends_with('\n'));
        if let Some(checkpoint) = Checkpoint::parse(note.text()) {
            assert_eq!(checkpoint.text(), note.text());
        }
    }
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(key) = NoteKey::parse(text) {
            assert_eq!(key.text(), text);
        }
        if let Some(tile) = warifu_log::Tile::parse(text) {
            assert_eq!(tile.path(), text);
        }
    }
    assert!(trust().is_some_and(|trust| trust.verify(data).is_err()));
}

fn written(lines: u64) -> Option<Memory> {
    let disk = Memory::new();
    let storage = FileStorage::open(disk.clone()).ok()?;
    let mut log = Log::open(storage, trust()?, &[]).ok()?;
    for at in 0..lines {
        let members = [("what", "fuzz".into()), ("hash", Hash::ZERO.url().into())];
        let entry = Entry::new(Kind::Policy, at, None, members).ok()?;
        let salt = [u8::try_from(at).ok()?; 16];
        let place_salt = None;
        log.append(vec![Submission {
            entry,
            salt,
            place_salt,
        }])
        .ok()?;
    }
    log.sync().ok()?;
    Some(disk)
}

static ENTRIES: LazyLock<(Vec<u8>, Vec<u8>)> = LazyLock::new(|| {
    let file = |name| {
        written(12)
            .and_then(|disk| disk.file(name))
            .unwrap_or_default()
    };
    (file("entries"), file("mark"))
});

/// The file of lines: any bytes behind the acknowledged lines are cut off or kept whole, or named where
/// they are a line of another place; acknowledged lines are there unchanged, or the store stays shut.
pub fn log_recovery(data: &[u8]) {
    let (entries, mark) = &*ENTRIES;
    assert!(!entries.is_empty());
    // Any tail.
    let disk = Memory::new();
    disk.put("entries", &[entries, data].concat());
    disk.put("mark", mark);
    let files = (disk.file("entries"), disk.file("mark"));
    let seen = FileStorage::inspect(disk.clone()).map(|s| (s.count().ok(), s.recovery()));
    assert_eq!(files, (disk.file("entries"), disk.file("mark")));
    match FileStorage::open(disk.clone()) {
        Ok(store) => {
            let lines = store.count().ok();
            assert!(lines.is_some_and(|n| n >= 12));
            assert!(seen.is_ok_and(|s| s == (lines, store.recovery())));
            assert!(store.read(0, usize::MAX).is_ok_and(|r| r.len() >= 12));
            drop(store);
            let again = FileStorage::open(disk);
            assert!(again.is_ok_and(|s| s.count().ok() == lines && s.recovery().cut_bytes == 0));
        }
        Err(FileError::Damaged { line, .. }) => assert!(line >= 12 && seen.is_err()),
        other => panic!("an unacknowledged tail shuts nothing: {other:?}"),
    }
    // Bytes overwritten, cut or inserted among the acknowledged lines.
    let mut damaged = entries.clone();
    for edit in data.as_chunks::<4>().0.iter().take(16) {
        let [what, high, low, value] = *edit;
        let at = usize::from(u16::from_be_bytes([high, low])) % damaged.len().max(1);
        match what % 3 {
            0 => damaged.insert(at, value),
            1 if at < damaged.len() => {
                damaged.remove(at);
            }
            _ => {
                if let Some(byte) = damaged.get_mut(at) {
                    *byte = value;
                }
            }
        }
    }
    let disk = Memory::new();
    disk.put("entries", &damaged);
    disk.put("mark", mark);
    if FileStorage::open(disk).is_ok() {
        assert!(damaged.starts_with(entries), "a changed line went unseen");
    }
    // Any mark and any file.
    let disk = Memory::new();
    let half = data.split_at(data.len() / 2);
    disk.put("entries", half.0);
    disk.put("mark", half.1);
    let _ = FileStorage::open(disk);
}
