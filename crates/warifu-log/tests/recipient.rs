//! Each reason of a refusal is reached by its own evidence; what is right is accepted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use warifu_log::recipient::Backing::{Deferred as D, Promise as Pr, Proof as P};
use warifu_log::recipient::{Asked, Evidence, MAX_EVIDENCE, Pending, Recipient, Refusal};
use warifu_log::{
    Appended, ChainError, Deferred, Entry, Hash, Head, Kind, Log, MemoryStorage, Note, NoteError,
    NoteKey, OwnLine, Pin, Promise, Purpose, QueueError, Submission, TlogProof, Trust, TrustError,
    Value, api, cosign, sha256, sign_note, verify_history, verify_queue,
};

const AT: u64 = 1_790_000_000;
const SUB: &str = "s1.EBESExQVFhcYGRobHB0eHw";
const FACILITY: &str = "mi:1312345678";
const ORIGIN: &str = "log.example/consent-log";

fn signer(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

fn key(name: &str, number: u8, purpose: Purpose) -> NoteKey {
    NoteKey::new(name, purpose, &signer(number).verifying_key().to_bytes()).unwrap()
}

fn log_key() -> NoteKey {
    key(ORIGIN, 1, Purpose::Note)
}

fn witness(number: u8) -> NoteKey {
    key(&format!("w{number}.example"), number, Purpose::Cosignature)
}

fn areq() -> Hash {
    sha256(&[b"request"])
}

fn disclose(rcp: &str, sub: &str, pur: &str, at: u64, areq: Hash) -> Submission {
    let list = |items: &[&str]| Value::from(items);
    let members = [
        ("rcp", rcp.into()),
        ("role", "doctor".into()),
        ("pur", list(&[pur])),
        ("cats", list(&["inf.lab", "inf.rx"])),
        ("basis", "GRANT".into()),
        ("grants", list(&[])),
        ("areq", areq.url().into()),
    ];
    Submission {
        entry: Entry::new(Kind::Disclose, at, Some(sub), members).unwrap(),
        salt: [3; 16],
        place_salt: Some([4; 16]),
    }
}

fn grant(number: u8) -> Submission {
    let tok = sha256(&[&[number]]).url();
    Submission {
        entry: Entry::new(Kind::Grant, AT, Some(SUB), [("tok", tok.into())]).unwrap(),
        salt: [number; 16],
        place_salt: None,
    }
}

struct World {
    log: Log<MemoryStorage>,
    recipient: Recipient,
    asked: Asked,
    line: Appended,
    good: Evidence,
}

/// A log of five lines, the last of them the disclosure, pinned by the recipient at two.
fn world() -> World {
    world_of(disclose(FACILITY, SUB, "TREAT", AT, areq()))
}

fn world_of(submission: Submission) -> World {
    let trust = Trust::new(log_key(), vec![witness(2), witness(3)], 1).unwrap();
    let mut log = Log::open(MemoryStorage::default(), trust.clone(), &[]).unwrap();
    let salt = submission.salt;
    log.append(vec![grant(1), grant(2)]).unwrap();
    let pin = Pin {
        size: log.size(),
        root: log.root(),
    };
    log.append(vec![grant(3), grant(4)]).unwrap();
    let line = log.append(vec![submission]).unwrap().remove(0);
    let note = log.publish(&signer(1)).unwrap();
    let note = cosign(&note, &witness(2), &signer(2), AT).unwrap();
    log.cosigned(&note).unwrap();
    let recipient = Recipient {
        trust,
        facilities: vec![key(FACILITY, 5, Purpose::Note)],
        pin: Some(pin),
    };
    let asked = Asked {
        rcp: FACILITY.into(),
        sub: SUB.into(),
        pur: "TREAT".into(),
        areq: areq(),
        at: AT,
    };
    let good = Evidence {
        line: line.line.clone(),
        salt,
        by: P(log.prove(line.index).unwrap().write()),
        consistency: Some(log.consistency(2, 5).unwrap()),
    };
    World {
        log,
        recipient,
        asked,
        line,
        good,
    }
}

impl World {
    fn check(&self, evidence: &Evidence, now: u64) -> Option<Refusal> {
        self.recipient
            .check(evidence.write().as_bytes(), &self.asked, now)
            .err()
    }
    fn proof(&self) -> TlogProof {
        self.log.prove(self.line.index).unwrap()
    }
    /// The evidence with its proof changed.
    fn with_proof(&self, change: impl FnOnce(&mut TlogProof)) -> Evidence {
        let mut proof = self.proof();
        change(&mut proof);
        Evidence {
            by: P(proof.write()),
            ..self.good.clone()
        }
    }
    fn promise(&self, change: impl FnOnce(&mut Promise), key: &NoteKey, by: u8) -> Evidence {
        let mut promise = Promise::new(ORIGIN, self.line.leaf, self.line.index, AT);
        change(&mut promise);
        let note = promise.sign(key, &signer(by)).unwrap();
        Evidence {
            by: Pr(note),
            ..self.good.clone()
        }
    }
    fn deferred(&self, change: impl FnOnce(&mut Deferred), key: &NoteKey, by: u8) -> Evidence {
        let mut deferred = Deferred {
            facility: FACILITY.into(),
            at: AT,
            n: 0,
            prev: Hash::ZERO,
            leaf: self.line.leaf,
        };
        change(&mut deferred);
        let note = deferred.sign(key, &signer(by)).unwrap();
        Evidence {
            by: D(note),
            ..self.good.clone()
        }
    }
}

/// Another character in the middle of the last signature of a note.
fn break_signature(note: &str) -> String {
    let at = note.len() - 30;
    let other = if note.as_bytes()[at] == b'A' {
        "B"
    } else {
        "A"
    };
    format!("{}{other}{}", &note[..at], &note[at + 1..])
}

#[test]
fn every_reason_has_its_evidence() {
    let w = world();
    let mut seen = BTreeSet::new();
    let mut case = |world: &World, expected: Refusal, evidence: &Evidence, now: u64| {
        assert_eq!(world.check(evidence, now), Some(expected));
        seen.insert(expected);
    };
    let good = &w.good;
    let accepted = w
        .recipient
        .check(good.write().as_bytes(), &w.asked, AT)
        .unwrap();
    assert_eq!(accepted.leaf, w.line.leaf);
    assert_eq!(accepted.witness_sub, sha256(&[SUB.as_bytes()]));
    assert_eq!(
        accepted.pin,
        Some(Pin {
            size: 5,
            root: w.log.root()
        })
    );
    assert_eq!(accepted.pending, None);

    // The line.
    let of = |line: &str| Evidence {
        line: line.to_owned(),
        ..good.clone()
    };
    case(&w, Refusal::Line, &of("{}"), AT);
    let first = w.log.history(SUB).unwrap()[0].1.line.clone();
    case(&w, Refusal::LineKind, &of(&first), AT);
    let others = [
        (
            Refusal::LineRecipient,
            disclose("mi:0000000000", SUB, "TREAT", AT, areq()),
        ),
        (
            Refusal::LineSubject,
            disclose(FACILITY, "s1.AAAAAAAAAAAAAAAAAAAAAA", "TREAT", AT, areq()),
        ),
        (
            Refusal::LinePurpose,
            disclose(FACILITY, SUB, "HRESCH", AT, areq()),
        ),
        (
            Refusal::LineRequest,
            disclose(FACILITY, SUB, "TREAT", AT, Hash::ZERO),
        ),
        (
            Refusal::LineTime,
            disclose(FACILITY, SUB, "TREAT", AT - 61, areq()),
        ),
        (
            Refusal::LineTime,
            disclose(FACILITY, SUB, "TREAT", AT + 61, areq()),
        ),
    ];
    for (reason, other) in others {
        let other = world_of(other);
        case(&other, reason, &other.good, AT);
    }

    // The proof.
    let text = |text: &str| Evidence {
        by: P(text.to_owned()),
        ..good.clone()
    };
    case(
        &w,
        Refusal::ProofText,
        &text("c2sp.org/tlog-proof@v2\n"),
        AT,
    );
    case(
        &w,
        Refusal::CheckpointForm,
        &w.with_proof(|p| p.checkpoint.clear()),
        AT,
    );
    case(
        &w,
        Refusal::CheckpointForm,
        &w.with_proof(|p| {
            p.checkpoint = sign_note(&format!("{ORIGIN}\n05\n"), &log_key(), &signer(1)).unwrap();
        }),
        AT,
    );
    let checkpoint = w.proof().checkpoint;
    let body = Note::parse(checkpoint.as_bytes())
        .unwrap()
        .text()
        .to_owned();
    let elsewhere = body.replace(ORIGIN, "other.example/log");
    let other_key = key("other.example/log", 1, Purpose::Note);
    case(
        &w,
        Refusal::Origin,
        &w.with_proof(|p| {
            p.checkpoint = sign_note(&elsewhere, &other_key, &signer(1)).unwrap();
        }),
        AT,
    );
    case(
        &w,
        Refusal::LogUnsigned,
        &w.with_proof(|p| {
            p.checkpoint = sign_note(&body, &key(ORIGIN, 9, Purpose::Note), &signer(9)).unwrap();
        }),
        AT,
    );
    let bare = sign_note(&body, &log_key(), &signer(1)).unwrap();
    case(
        &w,
        Refusal::LogSignature,
        &w.with_proof(|p| p.checkpoint = break_signature(&bare)),
        AT,
    );
    case(
        &w,
        Refusal::WitnessQuorum,
        &w.with_proof(|p| p.checkpoint.clone_from(&bare)),
        AT,
    );
    let stranger = cosign(&bare, &witness(8), &signer(8), AT).unwrap();
    case(
        &w,
        Refusal::WitnessQuorum,
        &w.with_proof(|p| p.checkpoint = stranger),
        AT,
    );
    // A second witness's bad line is no better for the first one's good one.
    let both = cosign(&checkpoint, &witness(3), &signer(3), AT).unwrap();
    case(
        &w,
        Refusal::WitnessSignature,
        &w.with_proof(|p| p.checkpoint = break_signature(&both)),
        AT,
    );
    assert_eq!(w.check(&w.with_proof(|p| p.checkpoint = both), AT), None);
    case(&w, Refusal::ProofRange, &w.with_proof(|p| p.index = 5), AT);
    case(
        &w,
        Refusal::ProofLength,
        &w.with_proof(|p| p.path.push(Hash::ZERO)),
        AT,
    );
    case(
        &w,
        Refusal::ProofRoot,
        &w.with_proof(|p| p.path[0].0[7] ^= 1),
        AT,
    );
    case(
        &w,
        Refusal::ProofRoot,
        &Evidence {
            salt: [9; 16],
            ..good.clone()
        },
        AT,
    );
    case(
        &w,
        Refusal::ConsistencyMissing,
        &Evidence {
            consistency: None,
            ..good.clone()
        },
        AT,
    );
    let mut forked = w.log.consistency(2, 5).unwrap();
    forked[0].0[0] ^= 1;
    case(
        &w,
        Refusal::Consistency,
        &Evidence {
            consistency: Some(forked),
            ..good.clone()
        },
        AT,
    );

    // The promise.
    let promise = |change: &dyn Fn(&mut Promise)| w.promise(change, &log_key(), 1);
    let kept = promise(&|_| ());
    assert_eq!(w.check(&kept, AT), None);
    case(
        &w,
        Refusal::PromiseForm,
        &Evidence {
            by: Pr(bare.clone()),
            ..good.clone()
        },
        AT,
    );
    case(
        &w,
        Refusal::Origin,
        &promise(&|p| p.origin = "other.example/log".into()),
        AT,
    );
    case(
        &w,
        Refusal::LogUnsigned,
        &w.promise(|_| (), &witness_as_note(), 2),
        AT,
    );
    let Pr(note) = &kept.by else { panic!() };
    case(
        &w,
        Refusal::LogSignature,
        &Evidence {
            by: Pr(break_signature(note)),
            ..good.clone()
        },
        AT,
    );
    case(
        &w,
        Refusal::PromiseLine,
        &promise(&|p| p.leaf = Hash::ZERO),
        AT,
    );
    case(&w, Refusal::PromiseLine, &promise(&|p| p.at += 61), AT);
    case(&w, Refusal::PromiseDelay, &promise(&|p| p.by += 1), AT);
    assert_eq!(w.check(&kept, AT + 180), None);
    case(&w, Refusal::PromiseOverdue, &kept, AT + 181);

    // The deferred line.
    let facility = key(FACILITY, 5, Purpose::Note);
    let deferred = |change: &dyn Fn(&mut Deferred)| w.deferred(change, &facility, 5);
    case(&w, Refusal::DeferredPurpose, &deferred(&|_| ()), AT);
    let mut e = world_of(disclose(FACILITY, SUB, "ETREAT", AT, areq()));
    e.asked.pur = "ETREAT".into();
    let deferred = |change: &dyn Fn(&mut Deferred)| e.deferred(change, &facility, 5);
    let right = deferred(&|_| ());
    assert_eq!(e.check(&right, AT + 86_400), None);
    case(
        &e,
        Refusal::DeferredForm,
        &Evidence {
            by: D(bare),
            ..e.good.clone()
        },
        AT,
    );
    case(
        &e,
        Refusal::DeferredUnsigned,
        &deferred(&|d| d.facility = "mi:2".into()),
        AT,
    );
    let stranger = e.deferred(|_| (), &key(FACILITY, 6, Purpose::Note), 6);
    case(&e, Refusal::DeferredUnsigned, &stranger, AT);
    let D(note) = &right.by else { panic!() };
    case(
        &e,
        Refusal::DeferredSignature,
        &Evidence {
            by: D(break_signature(note)),
            ..e.good.clone()
        },
        AT,
    );
    case(
        &e,
        Refusal::DeferredLine,
        &deferred(&|d| d.leaf = Hash::ZERO),
        AT,
    );
    case(&e, Refusal::DeferredLate, &right, AT + 86_401);

    // No evidence, too much of it, none at all.
    let raw = |bytes: &[u8]| w.recipient.check(bytes, &w.asked, AT).unwrap_err();
    for (reason, bytes) in [
        (Refusal::Missing, vec![]),
        (Refusal::Size, vec![b' '; MAX_EVIDENCE + 1]),
        (Refusal::Form, b"{}".to_vec()),
    ] {
        assert_eq!(raw(&bytes), reason);
        seen.insert(reason);
    }
    let extra = good.write().replacen('{', "{\"a\":1,", 1);
    assert_eq!(raw(extra.as_bytes()), Refusal::Form);

    // The promised proof, later.
    let accepted = w
        .recipient
        .check(kept.write().as_bytes(), &w.asked, AT)
        .unwrap();
    let pending = accepted.pending.unwrap();
    assert_eq!((accepted.pin, pending.due), (None, AT + 120));
    let proof = w.proof().write();
    let path = w.log.consistency(2, 5).unwrap();
    let recheck =
        |pending: &Pending, proof, now| w.recipient.recheck(pending, proof, Some(&path), now);
    assert_eq!(
        recheck(&pending, Some(&proof), AT),
        Ok(Some(Pin {
            size: 5,
            root: w.log.root()
        }))
    );
    assert_eq!(recheck(&pending, None, AT + 120), Err(Refusal::Missing));
    assert_eq!(
        recheck(&pending, None, AT + 121),
        Err(Refusal::PromiseOverdue)
    );
    let other = Pending {
        index: Some(3),
        ..pending
    };
    assert_eq!(
        recheck(&other, Some(&proof), AT),
        Err(Refusal::PromiseBroken)
    );
    seen.insert(Refusal::PromiseBroken);

    let all: BTreeSet<Refusal> = Refusal::ALL.iter().copied().collect();
    assert_eq!(seen, all);
    let names: BTreeSet<&str> = Refusal::ALL.iter().map(|r| r.wire()).collect();
    assert_eq!(names.len(), all.len());
}

/// A witness's key, used for a plain note.
fn witness_as_note() -> NoteKey {
    key("w2.example", 2, Purpose::Note)
}

#[test]
fn an_older_checkpoint_than_the_pinned_one_is_no_fault() {
    let mut w = world();
    let evidence = w.good.clone();
    w.log.append(vec![grant(7)]).unwrap();
    w.recipient.pin = Some(Pin {
        size: 6,
        root: w.log.root(),
    });
    let consistency = Some(w.log.consistency(5, 6).unwrap());
    let evidence = Evidence {
        consistency,
        ..evidence
    };
    let accepted = w
        .recipient
        .check(evidence.write().as_bytes(), &w.asked, AT)
        .unwrap();
    assert_eq!(accepted.pin, None);
}

#[test]
fn histories_tell_gaps_forks_and_cut_tails() {
    let w = world();
    let lines: Vec<OwnLine> = w
        .log
        .history(SUB)
        .unwrap()
        .into_iter()
        .map(|(_, l)| l)
        .collect();
    let head = w.log.head(SUB).unwrap();
    assert_eq!((lines.len(), head.n), (5, 4));
    let verify = |lines: &[OwnLine]| verify_history(SUB, lines, Some(head), &[head.head]);
    assert_eq!(verify(&lines), Ok(Some(head)));
    assert_eq!(verify_history(SUB, &[], None, &[]), Ok(None));
    for at in 0..lines.len() {
        let mut dropped = lines.clone();
        dropped.remove(at);
        let n = u64::try_from(at).unwrap();
        let expected = if at == 4 {
            ChainError::Cut { n: 4 }
        } else {
            ChainError::Gap { at, from: n, to: n }
        };
        assert_eq!(verify(&dropped), Err(expected));
        let mut doubled = lines.clone();
        doubled.insert(at, lines[at].clone());
        assert_eq!(verify(&doubled), Err(ChainError::Repeated { at: at + 1 }));
        let mut salted = lines.clone();
        salted[at].salt[0] ^= 1;
        let expected = if at == 4 {
            ChainError::Forked { n: 4 }
        } else {
            ChainError::Broken { at: at + 1 }
        };
        assert_eq!(verify(&salted), Err(expected));
        let mut altered = lines.clone();
        altered[at].line = altered[at].line.replace("\"at\":1", "\"at\":2");
        assert_ne!(altered[at].line, lines[at].line);
        assert_eq!(verify(&altered), Err(expected));
        if at < 4 {
            let mut reordered = lines.clone();
            reordered.swap(at, at + 1);
            let expected = ChainError::Gap { at, from: n, to: n };
            assert_eq!(verify(&reordered), Err(expected));
        }
    }
    let mut closed = lines.clone();
    closed[4].opening = None;
    assert_eq!(verify(&closed), Err(ChainError::Opening { at: 4 }));
    let other = verify_history("s1.AAAAAAAAAAAAAAAAAAAAAA", &lines, None, &[]);
    assert_eq!(other, Err(ChainError::Subject { at: 0 }));
    let unseen = sha256(&[b"unseen"]);
    assert_eq!(
        verify_history(SUB, &lines, None, &[unseen]),
        Err(ChainError::NotShown(unseen))
    );
    let fork = Head { n: 2, head: unseen };
    assert_eq!(
        verify_history(SUB, &lines, Some(fork), &[]),
        Err(ChainError::Forked { n: 2 })
    );
}

#[test]
fn the_same_answers_come_as_json() {
    let w = world();
    let (log, first) = (log_key().text(), witness(2).text());
    let pin = w.recipient.pin.unwrap();
    let (size, root, areq) = (pin.size, pin.root.base64(), areq().url());
    let trust = format!(r#""log":"{log}","witnesses":["{first}"],"quorum":1"#);
    let pinned = format!(r#""pin_size":{size},"pin_root":"{root}""#);
    let setting = format!(
        r#"{{{trust},{pinned},"rcp":"{FACILITY}","sub":"{SUB}","pur":"TREAT","areq":"{areq}","at":{AT}}}"#
    );
    let evidence = w.good.write();
    let check = |setting: &str, evidence: &str| {
        api::check_disclosure(setting.as_bytes(), evidence.as_bytes(), AT)
    };
    let (leaf, root) = (w.line.leaf.url(), w.log.root().base64());
    let sub = sha256(&[SUB.as_bytes()]).url();
    assert_eq!(
        check(&setting, &evidence),
        format!(
            r#"{{"leaf":"{leaf}","ok":1,"pin_root":"{root}","pin_size":5,"witness_sub":"{sub}"}}"#
        )
    );
    assert_eq!(check(&setting, ""), r#"{"ok":0,"reason":"PROOF_MISSING"}"#);
    assert_eq!(check("{}", &evidence), r#"{"ok":0,"reason":"SETTING"}"#);

    let path: Vec<String> = w
        .log
        .consistency(2, 5)
        .unwrap()
        .iter()
        .map(Hash::base64)
        .collect();
    let path = path.join("\",\"");
    let setting = format!(r#"{{{trust},{pinned},"consistency":["{path}"]}}"#);
    let proof = w.proof().write();
    let inclusion = |leaf: &str| api::check_inclusion(setting.as_bytes(), leaf, proof.as_bytes());
    assert_eq!(
        inclusion(&leaf),
        format!(r#"{{"index":4,"ok":1,"pin_root":"{root}","pin_size":5}}"#)
    );
    assert_eq!(inclusion(&sub), r#"{"ok":0,"reason":"PROOF_ROOT"}"#);

    let lines: Vec<String> = w
        .log
        .history(SUB)
        .unwrap()
        .iter()
        .map(|(_, own)| api::write_own_line(own))
        .collect();
    let setting = format!(r#"{{"sub":"{SUB}","pin_n":4,"pin_head":"{leaf}"}}"#);
    let history =
        |lines: &[String]| api::check_history(setting.as_bytes(), lines.join("\n").as_bytes());
    assert_eq!(
        history(&lines),
        format!(r#"{{"head":"{leaf}","n":4,"newest":"pinned","ok":1}}"#)
    );
    // Without a pin of it nothing holds the newest line; a slip in a name is no pin.
    let told = |setting: &str| api::check_history(setting.as_bytes(), lines.join("\n").as_bytes());
    assert_eq!(
        told(&format!(r#"{{"sub":"{SUB}"}}"#)),
        format!(r#"{{"head":"{leaf}","n":4,"newest":"unproven","ok":1}}"#)
    );
    assert_eq!(
        told(&format!(
            r#"{{"sub":"{SUB}","pinn":4,"pin_head":"{leaf}"}}"#
        )),
        r#"{"ok":0,"reason":"SETTING"}"#
    );
    assert_eq!(
        history(&lines[1..]),
        r#"{"at":0,"ok":0,"reason":"HISTORY_GAP"}"#
    );
    assert_eq!(history(&lines[..4]), r#"{"ok":0,"reason":"HISTORY_CUT"}"#);
}

/// The example of C2SP tlog-checkpoint and tlog-cosignature, and its keys' ids.
#[test]
fn notes_are_read_and_refused_as_c2sp_says() {
    let note = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
    let parsed = Note::parse(note.as_bytes()).unwrap();
    let checkpoint = warifu_log::Checkpoint::parse(parsed.text()).unwrap();
    assert_eq!(checkpoint.size, 20_852_163);
    assert_eq!(checkpoint.text(), parsed.text());
    let many = format!("{note}{}", "\u{2014} a AAAAAAA=\n".repeat(64));
    for (text, reason) in [
        (many.as_str(), NoteError::Size),
        (&note.replace("sofa\n", "sofa\r\n"), NoteError::Text),
        ("a\nb\nc\n", NoteError::Unsigned),
        (note.trim_end(), NoteError::Unsigned),
        (&note.replace('\u{2014}', "-"), NoteError::Line),
        (&note.replace("Az3g", "Az3*"), NoteError::Line),
        (&note.replace("sofa Az", "so+fa Az"), NoteError::Line),
    ] {
        assert_eq!(
            Note::parse(text.as_bytes()).unwrap_err(),
            reason,
            "{text:.60}"
        );
    }
    for bad in ["o\n01\n", "o\n-1\n", "\n1\n", "o\n1\nx\n", "o\n1"] {
        assert_eq!(warifu_log::Checkpoint::parse(bad), None);
    }
    let text = log_key().text();
    assert_eq!(NoteKey::parse(&text), Ok(log_key()));
    assert!(NoteKey::parse(&text.replacen('+', "+0", 1)).is_err());
    let weak = NoteKey::new("a", Purpose::Note, &[0; 32]);
    assert_eq!(weak, Err(warifu_log::KeyError::Weak));
    assert_eq!(
        NoteKey::new("a b", Purpose::Note, &[1; 32]),
        Err(warifu_log::KeyError::Name)
    );
    let trust = |w: Vec<NoteKey>, k| Trust::new(log_key(), w, k).err();
    assert_eq!(
        trust(vec![witness(2), witness(2)], 1),
        Some(TrustError::Twice)
    );
    assert_eq!(
        trust(vec![key("w", 1, Purpose::Cosignature)], 1),
        Some(TrustError::Twice)
    );
    assert_eq!(trust(vec![witness(2)], 2), Some(TrustError::Quorum));
    assert_eq!(trust(vec![witness_as_note()], 1), Some(TrustError::Purpose));
}

#[test]
fn a_delivered_queue_is_whole_and_in_time() {
    let facility = key(FACILITY, 5, Purpose::Note);
    let mut prev = Hash::ZERO;
    let notes: Vec<String> = (0..3_u8)
        .map(|n| {
            let leaf = sha256(&[&[n]]);
            let line = Deferred {
                facility: FACILITY.into(),
                at: AT,
                n: n.into(),
                prev,
                leaf,
            };
            prev = leaf;
            line.sign(&facility, &signer(5)).unwrap()
        })
        .collect();
    let bytes: Vec<&[u8]> = notes.iter().map(String::as_bytes).collect();
    let verify = |notes: &[&[u8]], last, now| verify_queue(&facility, last, notes, now);
    assert_eq!(verify(&bytes, None, AT + 86_400).unwrap().len(), 3);
    assert_eq!(
        verify(&bytes[1..], Some((0, sha256(&[&[0]]))), AT)
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        verify(&bytes[1..], None, AT),
        Err(QueueError::Chain { at: 0 })
    );
    assert_eq!(
        verify(&[bytes[0], bytes[2]], None, AT),
        Err(QueueError::Chain { at: 1 })
    );
    assert_eq!(
        verify(&bytes, None, AT + 86_401),
        Err(QueueError::Late { at: 0 })
    );
    let broken = break_signature(&notes[1]);
    let broken = [bytes[0], broken.as_bytes()];
    assert_eq!(
        verify(&broken, None, AT),
        Err(QueueError::Signature { at: 1 })
    );
}
