//! The checks over bytes and JSON, for wasm and other languages: what goes in and comes out is text.
//!
//! Every function answers `{"ok":1,…}` or `{"ok":0,"reason":"…"}`; none panics.

use std::collections::BTreeMap;

use crate::chain::{ChainError, Head, OwnLine, not_after, verify_history};
use crate::hash::{Hash, decode_url, encode_url};
use crate::json::{self, Value};
use crate::line::Place;
use crate::log::Pin;
use crate::note::{NoteKey, Trust};
use crate::proof::TlogProof;
use crate::recipient::{Asked, Recipient, Refusal};
use crate::tree::verify_consistency;

fn answer(reason: Option<&str>, more: Vec<(&'static str, Value)>) -> String {
    let mut all = BTreeMap::from([("ok", Value::Int(u64::from(reason.is_none())))]);
    all.extend(reason.map(|r| ("reason", Value::from(r))));
    all.extend(more);
    json::write(&all.iter().map(|(k, v)| (*k, v)).collect())
}

struct Members(BTreeMap<String, Value>);

impl Members {
    fn read(bytes: &[u8]) -> Option<Self> {
        json::read(bytes).map(Self)
    }
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.text()
    }
    fn int(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.int()
    }
    fn list(&self, name: &str) -> Option<&[String]> {
        match self.0.get(name) {
            None => Some(&[]),
            Some(Value::List(list)) => Some(list),
            Some(_) => None,
        }
    }
    fn hashes(&self, name: &str) -> Option<Vec<Hash>> {
        self.list(name)?
            .iter()
            .map(|h| Hash::from_base64(h))
            .collect()
    }
    fn keys(&self, name: &str) -> Option<Vec<NoteKey>> {
        self.list(name)?
            .iter()
            .map(|k| NoteKey::parse(k).ok())
            .collect()
    }
    /// `log`, `witnesses`, `quorum`.
    fn trust(&self) -> Option<Trust> {
        let log = NoteKey::parse(self.text("log")?).ok()?;
        let witnesses = self.keys("witnesses")?;
        // A witness that is named counts (consent.md §9.3: k ≥ 1).
        let quorum = match self.0.get("quorum") {
            None => witnesses.len().min(1),
            Some(_) => usize::try_from(self.int("quorum")?).ok()?,
        };
        Trust::new(log, witnesses, quorum).ok()
    }
    /// Whether every member is one of these: a slip in a name must not trust more.
    fn only(&self, more: &[&str]) -> Option<()> {
        let known = [
            "log",
            "witnesses",
            "quorum",
            "facilities",
            "pin_size",
            "pin_root",
            "consistency",
        ];
        let all = self.0.keys();
        all.map(String::as_str)
            .all(|k| known.contains(&k) || more.contains(&k))
            .then_some(())
    }
    /// `pin_size`, `pin_root`; `Some(None)` when neither is there, `None` when only half of it is.
    #[expect(clippy::option_option, reason = "absent and wrong are two things")]
    fn pin(&self) -> Option<Option<Pin>> {
        if !self.0.contains_key("pin_size") && !self.0.contains_key("pin_root") {
            return Some(None);
        }
        let size = self.int("pin_size")?;
        let root = Hash::from_base64(self.text("pin_root")?)?;
        Some(Some(Pin { size, root }))
    }
}

fn pinned(pin: Option<Pin>) -> Vec<(&'static str, Value)> {
    pin.map_or_else(Vec::new, |pin| {
        vec![
            ("pin_root", Value::Text(pin.root.base64())),
            ("pin_size", Value::Int(pin.size)),
        ]
    })
}

/// Checks a disclosure ([`Recipient::check`]).
///
/// `setting`: `{"log","witnesses":[],"quorum"?,"facilities":[],"pin_size"?,"pin_root"?,
/// "rcp","sub","pur","areq","at"}`, keys as `name+id+key`. The answer has `leaf` and
/// `witness_sub`, `pin_size` and `pin_root` when they are to be kept, `due` (and `index`) when the
/// proof is still owed. A setting that is none gives the reason `SETTING`.
pub fn check_disclosure(setting: &[u8], evidence: &[u8], now: u64) -> String {
    let Some((recipient, asked)) = Members::read(setting).and_then(|m| {
        m.only(&["rcp", "sub", "pur", "areq", "at"])?;
        let recipient = Recipient {
            trust: m.trust()?,
            facilities: m.keys("facilities")?,
            pin: m.pin()?,
        };
        let asked = Asked {
            rcp: m.text("rcp")?.to_owned(),
            sub: m.text("sub")?.to_owned(),
            pur: m.text("pur")?.to_owned(),
            areq: Hash::from_url(m.text("areq")?)?,
            at: m.int("at")?,
        };
        Some((recipient, asked))
    }) else {
        return answer(Some("SETTING"), Vec::new());
    };
    match recipient.check(evidence, &asked, now) {
        Err(refusal) => answer(Some(refusal.wire()), Vec::new()),
        Ok(accepted) => {
            let mut more = pinned(accepted.pin);
            more.push(("leaf", Value::Text(accepted.leaf.url())));
            more.push(("witness_sub", Value::Text(accepted.witness_sub.url())));
            if let Some(pending) = accepted.pending {
                more.push(("due", Value::Int(pending.due)));
                more.extend(pending.index.map(|i| ("index", Value::Int(i))));
            }
            answer(None, more)
        }
    }
}

/// Checks one line's way into the log: leaf → root → signed (and cosigned) checkpoint → consistency
/// with the pinned one (consent.md §9.7).
///
/// `setting`: `{"log","witnesses":[],"quorum"?,"pin_size"?,"pin_root"?,"consistency":[]}`; `leaf` is
/// leaf data in base64url, `proof` a tlog-proof. Reasons are those of [`Refusal`] and `SETTING`.
pub fn check_inclusion(setting: &[u8], leaf: &str, proof: &[u8]) -> String {
    let Some((trust, pin, path, leaf)) = Members::read(setting).and_then(|m| {
        m.only(&[])?;
        let (trust, pin) = (m.trust()?, m.pin()?);
        Some((trust, pin, m.hashes("consistency")?, Hash::from_url(leaf)?))
    }) else {
        return answer(Some("SETTING"), Vec::new());
    };
    let verdict = TlogProof::parse(proof)
        .ok_or(Refusal::ProofText)
        .and_then(|proof| {
            let checkpoint = proof.verify(&leaf, &trust)?;
            let (size, root) = (checkpoint.size, checkpoint.root);
            if let Some(pin) = pin {
                let old_first = pin.size <= size;
                let verdict = if old_first {
                    verify_consistency(pin.size, size, &path, &pin.root, &root)
                } else {
                    verify_consistency(size, pin.size, &path, &root, &pin.root)
                };
                verdict.map_err(|_| Refusal::Consistency)?;
            }
            Ok((proof.index, Pin { size, root }))
        });
    match verdict {
        Err(refusal) => answer(Some(refusal.wire()), Vec::new()),
        Ok((index, pin)) => {
            let mut more = pinned(Some(pin));
            more.push(("index", Value::Int(index)));
            answer(None, more)
        }
    }
}

/// Checks a subject's own lines ([`verify_history`]).
///
/// `setting`: `{"sub","pin_n"?,"pin_head"?,"witnessed":[],"now"?}`, hashes in base64url; with `now`
/// (seconds UTC) no line may be dated later. `lines`: one JSON
/// object a line, `{"line","salt","place_salt"?,"n"?,"prev"?}`. The answer has `n` and `head` to
/// pin, or with a reason `at`, the line of the input it is about.
pub fn check_history(setting: &[u8], lines: &[u8]) -> String {
    let Some((setting, pin, witnessed)) = Members::read(setting).and_then(|m| {
        // A slip in a name must not pass for a pin.
        let known = ["now", "pin_head", "pin_n", "sub", "witnessed"];
        if m.0.keys().any(|k| !known.contains(&k.as_str())) {
            return None;
        }
        if m.0.contains_key("now") {
            m.int("now")?;
        }
        let pin = match (m.int("pin_n"), m.text("pin_head")) {
            (None, None) => None,
            (n, head) => Some(Head {
                n: n?,
                head: Hash::from_url(head?)?,
            }),
        };
        m.text("sub")?;
        let witnessed = m.list("witnessed")?;
        let witnessed: Vec<Hash> = witnessed
            .iter()
            .map(|h| Hash::from_url(h))
            .collect::<Option<_>>()?;
        Some((m, pin, witnessed))
    }) else {
        return answer(Some("SETTING"), Vec::new());
    };
    let mut own = Vec::new();
    for (at, line) in lines
        .split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .enumerate()
    {
        let Some(line) = own_line(line) else {
            let at = u64::try_from(at).unwrap_or(u64::MAX);
            return answer(Some("HISTORY_FORM"), vec![("at", Value::Int(at))]);
        };
        own.push(line);
    }
    let sub = setting.text("sub").unwrap_or_default();
    let verdict = verify_history(sub, &own, pin, &witnessed).and_then(|head| {
        if let Some(now) = setting.int("now") {
            not_after(&own, now)?;
        }
        Ok(head)
    });
    match verdict {
        Ok(None) => answer(None, Vec::new()),
        Ok(Some(Head { n, head })) => {
            let head = Value::Text(head.url());
            // Each line holds the one before it; nothing but a pin or a proof holds the newest.
            let pinned = setting.int("pin_n") == Some(n);
            let newest = if pinned { "pinned" } else { "unproven" };
            let newest = Value::Text(newest.to_owned());
            answer(
                None,
                vec![("head", head), ("n", Value::Int(n)), ("newest", newest)],
            )
        }
        Err(error) => {
            let (reason, at) = history_reason(error);
            let at = at.and_then(|at| u64::try_from(at).ok());
            let at = at.map(|at| ("at", Value::Int(at))).into_iter().collect();
            answer(Some(reason), at)
        }
    }
}

fn own_line(bytes: &[u8]) -> Option<OwnLine> {
    let m = Members::read(bytes)?;
    let opening = match m.text("place_salt") {
        None => None,
        Some(salt) => {
            let place = Place {
                n: m.int("n")?,
                prev: Hash::from_url(m.text("prev")?)?,
            };
            Some((decode_url(salt)?, place))
        }
    };
    Some(OwnLine {
        line: m.text("line")?.to_owned(),
        salt: decode_url(m.text("salt")?)?,
        opening,
    })
}

/// The JSON object that [`check_history`] reads for a line.
pub fn write_own_line(own: &OwnLine) -> String {
    let mut all = BTreeMap::from([
        ("line", Value::from(own.line.as_str())),
        ("salt", Value::Text(encode_url(&own.salt))),
    ]);
    if let Some((salt, place)) = &own.opening {
        all.insert("place_salt", Value::Text(encode_url(salt)));
        all.insert("n", Value::Int(place.n));
        all.insert("prev", Value::Text(place.prev.url()));
    }
    json::write(&all.iter().map(|(k, v)| (*k, v)).collect())
}

fn history_reason(error: ChainError) -> (&'static str, Option<usize>) {
    match error {
        ChainError::Line { at, .. } => ("HISTORY_LINE", Some(at)),
        ChainError::Subject { at } => ("HISTORY_SUBJECT", Some(at)),
        ChainError::Opening { at } => ("HISTORY_OPENING", Some(at)),
        ChainError::Gap { at, .. } => ("HISTORY_GAP", Some(at)),
        ChainError::Repeated { at } => ("HISTORY_REPEATED", Some(at)),
        ChainError::Broken { at } => ("HISTORY_BROKEN", Some(at)),
        ChainError::Backdated { at } => ("HISTORY_BACKDATED", Some(at)),
        ChainError::Future { at } => ("HISTORY_FUTURE", Some(at)),
        ChainError::Cut { .. } => ("HISTORY_CUT", None),
        ChainError::Forked { .. } => ("HISTORY_FORKED", None),
        ChainError::NotShown(_) => ("HISTORY_NOT_SHOWN", None),
    }
}
