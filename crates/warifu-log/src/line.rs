//! A line of the log: canonical JSON, its leaf data, and the members each kind has (§9.1, §9.2).

use warifu_consent::hash::sha256;
use warifu_consent::json::{self, Value};
use warifu_consent::{b64, is_subject};

use crate::tree::Hash;

/// Why a line is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// Not canonical JSON of the profile.
    #[error("not canonical JSON")]
    Form,
    /// Not a kind of the list.
    #[error("unknown kind")]
    Kind,
    /// A member is missing, unknown or of another shape.
    #[error("wrong members")]
    Members,
}

/// Kinds with the members they have beside `v, kind, at` and the chain's.
const KINDS: &[(&str, &[&str])] = &[
    ("key", &["kid", "role", "ial"]),
    ("grant", &["tok"]),
    ("deny", &["tok"]),
    ("revoke", &["tok"]),
    ("objection", &["tok"]),
    ("notice", &["src"]),
    (
        "disclose",
        &["rcp", "role", "pur", "cats", "basis", "grants", "areq"],
    ),
    (
        "refuse",
        &["rcp", "role", "pur", "cats", "basis", "grants", "areq"],
    ),
    ("breakglass", &["rcp", "role", "rsn", "idm"]),
    ("review", &["of", "verdict"]),
    ("disaster", &["tok"]),
    ("release", &["rel", "root"]),
    ("usage", &["rel", "root"]),
    ("decline", &["req"]),
    ("policy", &["what", "hash"]),
    ("watch", &["rule", "rcp"]),
    ("staff-read", &["role", "what"]),
];

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its members.
    pub value: Value,
    text: String,
}

impl Line {
    /// From members: checked and written canonically.
    pub fn new(value: Value) -> Result<Self, LineError> {
        check(&value)?;
        let text = value.write();
        Ok(Self { value, text })
    }

    /// From the bytes of a stored line.
    pub fn read(bytes: &[u8]) -> Result<Self, LineError> {
        let value = json::read(bytes, 4).map_err(|_| LineError::Form)?;
        let line = Self::new(value)?;
        if line.text.as_bytes() == bytes {
            Ok(line)
        } else {
            Err(LineError::Form)
        }
    }

    /// The canonical text, without line feed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Leaf data: `SHA-256(salt ‖ line)`; what the public tree holds.
    pub fn leaf(&self, salt: &[u8; 16]) -> Hash {
        sha256(&[salt, self.text.as_bytes()])
    }

    /// A member of type string; empty if absent.
    pub fn text_of(&self, name: &str) -> &str {
        self.value
            .get(name)
            .and_then(Value::text)
            .unwrap_or_default()
    }

    /// A member of type integer.
    pub fn int(&self, name: &str) -> Option<u64> {
        self.value.get(name).and_then(Value::int)
    }
}

fn check(value: &Value) -> Result<(), LineError> {
    let members = value.members().ok_or(LineError::Form)?;
    let kind = members
        .get("kind")
        .and_then(Value::text)
        .ok_or(LineError::Kind)?;
    let (_, own) = KINDS
        .iter()
        .find(|(k, _)| *k == kind)
        .ok_or(LineError::Kind)?;
    let chain: &[&str] = if members.contains_key("chn") {
        &["chn"]
    } else {
        &["n", "prev"]
    };
    let person = members.contains_key("sub");
    let known = |name: &str| {
        ["v", "kind", "at"].contains(&name)
            || own.contains(&name)
            || name == "sub"
            || person && chain.contains(&name)
            || kind == "breakglass" && name == "deferred"
    };
    let complete = ["v", "kind", "at"]
        .iter()
        .chain(*own)
        .all(|n| members.contains_key(*n))
        && (!person || chain.iter().all(|n| members.contains_key(*n)));
    let hash = |name: &str| {
        members.get(name).is_none_or(|v| {
            v.text()
                .is_some_and(|t| b64::decode_array::<32>(t).is_some())
        })
    };
    let ok = members.keys().all(|k| known(k))
        && complete
        && members.get("v").and_then(Value::int) == Some(1)
        && members.get("at").and_then(Value::int).is_some()
        && members
            .get("sub")
            .is_none_or(|s| s.text().is_some_and(is_subject))
        && members.get("n").is_none_or(|n| n.int().is_some())
        && ["prev", "chn", "tok", "kid", "hash"].into_iter().all(hash);
    if ok { Ok(()) } else { Err(LineError::Members) }
}
