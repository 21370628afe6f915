//! The JSON of tokens, policies and log lines: integers only, no duplicate names, strings in NFC.
//!
//! Written by RFC 8785 (members sorted, no white space); reading does not ask for that order, since
//! the signed bytes rule. Names of members are ASCII here, so bytes and UTF-16 sort alike.

use std::collections::BTreeMap;

use crate::nfc;
use warifu_json::{IssueKind, Kind, Limits, NodeId, ROOT, Tree};

/// Largest integer that every reader keeps exactly: 2⁵³−1.
pub const MAX_INT: u64 = (1 << 53) - 1;

/// Members of an object, sorted.
pub type Members = BTreeMap<String, Value>;

/// A JSON value of the profile (consent.md §2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`; no claim has it.
    Null,
    /// `true`, `false`
    Bool(bool),
    /// 0…2⁵³−1
    Int(u64),
    /// A string.
    Text(String),
    /// An array.
    Array(Vec<Value>),
    /// An object.
    Object(Members),
}

/// Why bytes are not such JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonError {
    /// Not JSON, not UTF-8, a BOM, a number that is no integer in range, a string not in NFC, too deep.
    Form,
    /// A name occurs twice in one object.
    Duplicate,
}

/// Reads bytes strictly; at most `depth` arrays and objects inside each other.
pub fn read(bytes: &[u8], depth: u32) -> Result<Value, JsonError> {
    let limits = Limits {
        depth,
        nodes: 400_000,
        issues: 1,
    };
    let parsed = warifu_json::parse(bytes, limits, &());
    if let Some(issue) = parsed.issues.first() {
        return Err(match issue.kind {
            IssueKind::DuplicateKey { .. } => JsonError::Duplicate,
            _ => JsonError::Form,
        });
    }
    if parsed.tree.is_empty() {
        return Err(JsonError::Form);
    }
    value(&parsed.tree, ROOT)
}

fn value(tree: &Tree<'_>, node: NodeId) -> Result<Value, JsonError> {
    Ok(match tree.kind(node) {
        Kind::Null => Value::Null,
        Kind::True => Value::Bool(true),
        Kind::False => Value::Bool(false),
        Kind::Number => {
            let text = tree.text(node);
            let plain = text.bytes().all(|b| b.is_ascii_digit()) && text.len() <= 16;
            let number = text.parse::<u64>().ok().filter(|n| plain && *n <= MAX_INT);
            Value::Int(number.ok_or(JsonError::Form)?)
        }
        Kind::String => Value::Text(nfc(tree.text(node).into_owned())?),
        Kind::Array => Value::Array(
            tree.children(node)
                .map(|c| value(tree, c))
                .collect::<Result<_, _>>()?,
        ),
        Kind::Object => {
            let mut members = Members::new();
            for child in tree.children(node) {
                let key = nfc(tree.key(child).into_owned())?;
                if members.insert(key, value(tree, child)?).is_some() {
                    return Err(JsonError::Duplicate);
                }
            }
            Value::Object(members)
        }
    })
}

fn nfc(text: String) -> Result<String, JsonError> {
    if text.is_ascii() || nfc::nfc(&text) == text {
        Ok(text)
    } else {
        Err(JsonError::Form)
    }
}

impl Value {
    /// Text of a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(t) => Some(t),
            _ => None,
        }
    }

    /// An integer.
    pub fn int(&self) -> Option<u64> {
        match self {
            Self::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// Items of an array; none for anything else.
    pub fn items(&self) -> &[Self] {
        match self {
            Self::Array(items) => items,
            _ => &[],
        }
    }

    /// Strings of an array of strings.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.items().iter().filter_map(Self::text)
    }

    /// Members of an object.
    pub fn members(&self) -> Option<&Members> {
        match self {
            Self::Object(m) => Some(m),
            _ => None,
        }
    }

    /// A member of an object.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.members()?.get(key)
    }

    /// Whether the value is `true`.
    pub fn is_true(&self) -> bool {
        *self == Self::Bool(true)
    }

    /// The value in RFC 8785 form.
    pub fn write(&self) -> String {
        let mut out = String::new();
        self.write_to(&mut out);
        out
    }

    fn write_to(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Int(n) => out.push_str(&n.to_string()),
            Self::Text(t) => quote(t, out),
            Self::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    item.write_to(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (i, (key, item)) in members.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    quote(key, out);
                    out.push(':');
                    item.write_to(out);
                }
                out.push('}');
            }
        }
    }
}

/// Writes a string with its quotes, by RFC 8785 §3.2.2.2.
pub fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    // What needs no escape, which is nearly all, goes in whole.
    while let Some(at) = rest
        .bytes()
        .position(|b| b < b' ' || b == b'"' || b == b'\\')
    {
        out.push_str(rest.get(..at).unwrap_or_default());
        match rest.as_bytes().get(at).copied().unwrap_or_default() {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            8 => out.push_str("\\b"),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            12 => out.push_str("\\f"),
            b'\r' => out.push_str("\\r"),
            b => {
                out.push_str("\\u00");
                for shift in [4, 0] {
                    let digit = (u32::from(b) >> shift) & 15;
                    out.push(char::from_digit(digit, 16).unwrap_or('0'));
                }
            }
        }
        rest = rest.get(at + 1..).unwrap_or_default();
    }
    out.push_str(rest);
    out.push('"');
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Bool(yes)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::Array(items.into_iter().map(Into::into).collect())
    }
}

impl From<Members> for Value {
    fn from(members: Members) -> Self {
        Self::Object(members)
    }
}

/// An object of these members.
pub fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(
        members
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_sorts_and_escapes_by_rfc_8785() {
        let v = read(
            br#" { "b" : [1, true, null], "a": "\u000f\n\"\u3042" } "#,
            4,
        )
        .unwrap();
        assert_eq!(
            v.write(),
            "{\"a\":\"\\u000f\\n\\\"あ\",\"b\":[1,true,null]}"
        );
    }

    #[test]
    fn what_the_profile_refuses() {
        for bad in [
            "",
            "{",
            "1.0",
            "1e3",
            "-1",
            "01",
            "9007199254740992",
            "\u{feff}1",
            "[[[[[1]]]]]",
            "\"e\u{301}\"",
            "1 2",
            "[1,]",
        ] {
            assert_eq!(read(bad.as_bytes(), 4), Err(JsonError::Form), "{bad}");
        }
        assert_eq!(read(b"\"\xff\"", 4), Err(JsonError::Form));
        assert_eq!(read(br#"{"a":1,"\u0061":2}"#, 4), Err(JsonError::Duplicate));
        assert_eq!(read(b"9007199254740991", 4), Ok(Value::Int(MAX_INT)));
        assert!(read(b"[[[[1]]]]", 4).is_ok());
    }
}
