//! No proof, no data: what a recipient checks before using a disclosure (§9.5, §10.3).

use warifu_consent::json::Value;
use warifu_consent::{PublicKey, SignError, Signer, b64};

use crate::checkpoint::{Checkpoint, NoteKey};
use crate::line::Line;
use crate::proof::verify_inclusion;
use crate::tree::{Hash, leaf_hash};

/// Seconds within which a promised line has to stand in a checkpoint.
const MERGE_DELAY: u64 = 120;
/// Seconds within which a line of a local queue has to be delivered.
const DEFERRED: u64 = 86_400;

/// What shows that the line is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// It is in the tree of this checkpoint.
    Included {
        /// Its place.
        index: u64,
        /// The audit path.
        path: Vec<Hash>,
        /// The signed note.
        note: String,
    },
    /// The log promised to take it; to be checked again after [`Checked::Promised`]'s time.
    Promise {
        /// When it was promised.
        at: u64,
        /// Signature of the log's key.
        signature: [u8; 64],
    },
    /// The log could not be reached: the facility queued it (emergencies and disasters only).
    Deferred {
        /// When it was queued.
        at: u64,
        /// Signature of the facility's key.
        signature: [u8; 64],
    },
}

/// What comes with a disclosure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    /// The `disclose` or `breakglass` line.
    pub line: String,
    /// Salt of its leaf.
    pub salt: [u8; 16],
    /// The proof; absent = none came.
    pub proof: Option<Proof>,
}

/// Why the data must not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Missing {
    /// No line that can be read.
    #[error("no line of the log")]
    Line,
    /// No proof.
    #[error("no proof")]
    Proof,
    /// The line is about another request, recipient, person or purpose.
    #[error("the line is about something else")]
    Other,
    /// The checkpoint is not the log's.
    #[error("the checkpoint is not the log's")]
    Checkpoint,
    /// The line is not in the checkpoint.
    #[error("the line is not in the log")]
    NotIncluded,
    /// The promise is not the log's, or too old.
    #[error("the promise does not hold")]
    Promise,
    /// Queued outside an emergency, not by this facility, or too long ago.
    #[error("a queued line is not accepted here")]
    Deferred,
}

/// What a recipient asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Whose data.
    pub sub: &'a str,
    /// Who asked.
    pub recipient: &'a str,
    /// What for.
    pub purpose: &'a str,
    /// Token hash of the access request.
    pub request: &'a str,
}

/// Who is believed.
#[derive(Debug, Clone, Copy)]
pub struct Trust<'a> {
    /// The log.
    pub log: &'a NoteKey,
    /// Witnesses, and how many of them a checkpoint needs.
    pub witnesses: (&'a [NoteKey], usize),
    /// The facility's own key, for queued lines.
    pub facility: Option<&'a PublicKey>,
}

/// What holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// In the log.
    Included,
    /// Promised: to be checked again from this instant on.
    Promised(u64),
    /// Queued: to be delivered by this instant.
    Deferred(u64),
}

/// Checks a disclosure before its data is used.
///
/// # Errors
/// What is missing; the data must then be thrown away.
pub fn check_disclosure(
    disclosure: &Disclosure,
    asked: Asked<'_>,
    trust: Trust<'_>,
    now: u64,
) -> Result<Checked, Missing> {
    let line = Line::read(disclosure.line.as_bytes()).map_err(|_| Missing::Line)?;
    let kind = line.text_of("kind");
    let same = line.text_of("sub") == asked.sub && line.text_of("rcp") == asked.recipient;
    let about = match kind {
        "disclose" => line.text_of("pur") == asked.purpose && line.text_of("areq") == asked.request,
        "breakglass" => matches!(asked.purpose, "ETREAT" | "DISASTER"),
        _ => false,
    };
    if !same || !about {
        return Err(Missing::Other);
    }
    let leaf = line.leaf(&disclosure.salt);
    match disclosure.proof.as_ref().ok_or(Missing::Proof)? {
        Proof::Included { index, path, note } => {
            let (witnesses, least) = trust.witnesses;
            let checkpoint = Checkpoint::read(note, trust.log, witnesses, least)
                .map_err(|_| Missing::Checkpoint)?;
            verify_inclusion(
                &leaf_hash(&leaf),
                *index,
                checkpoint.size,
                path,
                &checkpoint.root,
            )
            .map_err(|_| Missing::NotIncluded)?;
            Ok(Checked::Included)
        }
        Proof::Promise { at, signature } => {
            let young = *at <= now + 60 && now <= at + MERGE_DELAY;
            let text = promise_text("promise", &leaf, *at);
            if young && trust.log.key.verifies(text.as_bytes(), signature) {
                Ok(Checked::Promised(at + MERGE_DELAY))
            } else {
                Err(Missing::Promise)
            }
        }
        Proof::Deferred { at, signature } => {
            let emergency = matches!(asked.purpose, "ETREAT" | "DISASTER");
            let flagged = line.value.get("deferred").is_some_and(Value::is_true);
            let young = *at <= now + 60 && now <= at + DEFERRED;
            let text = promise_text("deferred", &leaf, *at);
            let signed = trust
                .facility
                .is_some_and(|k| k.verifies(text.as_bytes(), signature));
            if emergency && flagged && young && signed {
                Ok(Checked::Deferred(at + DEFERRED))
            } else {
                Err(Missing::Deferred)
            }
        }
    }
}

fn promise_text(what: &str, leaf: &Hash, at: u64) -> String {
    format!("warifu/{what}/v1\n{at}\n{}\n", b64::encode(leaf))
}

/// The log's promise to take a leaf within the merge delay.
pub fn promise(leaf: &Hash, at: u64, log: &dyn Signer) -> Result<Proof, SignError> {
    let signature = log.sign(promise_text("promise", leaf, at).as_bytes())?;
    Ok(Proof::Promise { at, signature })
}

/// A facility's word that it queued a leaf while the log could not be reached.
pub fn defer(leaf: &Hash, at: u64, facility: &dyn Signer) -> Result<Proof, SignError> {
    let signature = facility.sign(promise_text("deferred", leaf, at).as_bytes())?;
    Ok(Proof::Deferred { at, signature })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::START;
    use crate::chain::veil;
    use crate::tree::Tree;
    use warifu_consent::SecretKey;

    const SUB: &str = "s1.EBESExQVFhcYGRobHB0eHw";
    const RCP: &str = "mi:1312345678";

    fn key(n: u8) -> SecretKey {
        SecretKey::from_seed(&mut [n; 32])
    }

    fn disclose() -> String {
        let chn = veil(&[1; 16], 0, START);
        format!(
            r#"{{"areq":"a","at":100,"basis":"GRANT","cats":["inf.rx"],"chn":"{chn}","grants":["g"],"kind":"disclose","pur":"TREAT","rcp":"{RCP}","role":"doctor","sub":"{SUB}","v":1}}"#
        )
    }

    fn asked(purpose: &str) -> Asked<'_> {
        Asked {
            sub: SUB,
            recipient: RCP,
            purpose,
            request: "a",
        }
    }

    #[test]
    fn only_a_disclosure_with_its_proof_is_used() {
        let log = NoteKey {
            name: "c.example.jp/consent-log".into(),
            key: key(1).public(),
        };
        let facility = key(2).public();
        let trust = Trust {
            log: &log,
            witnesses: (&[], 0),
            facility: Some(&facility),
        };
        let line = Line::read(disclose().as_bytes()).unwrap();
        let leaf = line.leaf(&[9; 16]);
        let mut tree = Tree::new();
        tree.push(b"other");
        tree.push(&leaf);
        tree.push(b"more");
        let note = Checkpoint {
            origin: log.name.clone(),
            size: 3,
            root: tree.root(),
        }
        .sign(&key(1))
        .unwrap();
        let with = |proof: Option<Proof>| Disclosure {
            line: disclose(),
            salt: [9; 16],
            proof,
        };
        let check = |d: &Disclosure, p: &str, now: u64| check_disclosure(d, asked(p), trust, now);
        let included = |index| {
            Some(Proof::Included {
                index,
                path: tree.inclusion(1, 3).unwrap(),
                note: note.clone(),
            })
        };

        assert_eq!(
            check(&with(included(1)), "TREAT", 100),
            Ok(Checked::Included)
        );
        assert_eq!(check(&with(None), "TREAT", 100), Err(Missing::Proof));
        assert_eq!(
            check(&with(included(0)), "TREAT", 100),
            Err(Missing::NotIncluded)
        );
        assert_eq!(
            check(&with(included(1)), "CAREMGT", 100),
            Err(Missing::Other)
        );
        let mut other = with(included(1));
        other.salt = [8; 16];
        assert_eq!(check(&other, "TREAT", 100), Err(Missing::NotIncluded));
        other.line = "{}".into();
        assert_eq!(check(&other, "TREAT", 100), Err(Missing::Line));
        let foreign = Checkpoint {
            origin: log.name.clone(),
            size: 3,
            root: tree.root(),
        }
        .sign(&key(3))
        .unwrap();
        let foreign = Proof::Included {
            index: 1,
            path: tree.inclusion(1, 3).unwrap(),
            note: foreign,
        };
        assert_eq!(
            check(&with(Some(foreign)), "TREAT", 100),
            Err(Missing::Checkpoint)
        );

        let promised = with(Some(promise(&leaf, 100, &key(1)).unwrap()));
        assert_eq!(check(&promised, "TREAT", 100), Ok(Checked::Promised(220)));
        assert_eq!(check(&promised, "TREAT", 221), Err(Missing::Promise));
        assert_eq!(
            check(
                &with(Some(promise(&leaf, 100, &key(2)).unwrap())),
                "TREAT",
                100
            ),
            Err(Missing::Promise)
        );
        // A queued line is for emergencies, flagged, and by the facility itself.
        let queued = with(Some(defer(&leaf, 100, &key(2)).unwrap()));
        assert_eq!(check(&queued, "TREAT", 100), Err(Missing::Deferred));
        let chn = veil(&[1; 16], 0, START);
        let text = format!(
            r#"{{"at":100,"chn":"{chn}","deferred":true,"idm":"mynumber","kind":"breakglass","rcp":"{RCP}","role":"doctor","rsn":"life","sub":"{SUB}","v":1}}"#
        );
        let leaf = Line::read(text.as_bytes()).unwrap().leaf(&[9; 16]);
        let mut queued = Disclosure {
            line: text,
            salt: [9; 16],
            proof: Some(defer(&leaf, 100, &key(2)).unwrap()),
        };
        assert_eq!(check(&queued, "ETREAT", 100), Ok(Checked::Deferred(86_500)));
        assert_eq!(check(&queued, "ETREAT", 86_501), Err(Missing::Deferred));
        queued.proof = Some(defer(&leaf, 100, &key(4)).unwrap());
        assert_eq!(check(&queued, "ETREAT", 100), Err(Missing::Deferred));
    }
}
