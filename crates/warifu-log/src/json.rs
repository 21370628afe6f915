//! The JSON of lines and disclosures: objects of texts, integers and lists of texts, read strictly,
//! written by RFC 8785.

use std::collections::BTreeMap;

use warifu_json::{Kind, Limits, NodeId, ROOT, Tree};

/// Largest integer that every reader keeps exactly: 2⁵³−1.
pub const MAX_INT: u64 = (1 << 53) - 1;

/// A value of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// 0…2⁵³−1
    Int(u64),
    /// A string.
    Text(String),
    /// An array of strings.
    List(Vec<String>),
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

impl From<&[&str]> for Value {
    fn from(texts: &[&str]) -> Self {
        Self::List(texts.iter().map(|t| (*t).to_owned()).collect())
    }
}

/// Reads one object; `None` for anything that is not strict JSON of this shape.
pub(crate) fn read(bytes: &[u8]) -> Option<BTreeMap<String, Value>> {
    let limits = Limits {
        depth: 2,
        nodes: 10_000,
        issues: 1,
    };
    let parsed = warifu_json::parse(bytes, limits, &());
    let tree = &parsed.tree;
    if !parsed.issues.is_empty() || tree.is_empty() || tree.kind(ROOT) != Kind::Object {
        return None;
    }
    tree.children(ROOT)
        .map(|member| Some((tree.key(member).into_owned(), value(tree, member)?)))
        .collect()
}

fn value(tree: &Tree<'_>, node: NodeId) -> Option<Value> {
    Some(match tree.kind(node) {
        Kind::Number => {
            let number = crate::note::decimal(&tree.text(node))?;
            Value::Int((number <= MAX_INT).then_some(number)?)
        }
        Kind::String => Value::Text(tree.text(node).into_owned()),
        Kind::Array => Value::List(
            tree.children(node)
                .map(|c| (tree.kind(c) == Kind::String).then(|| tree.text(c).into_owned()))
                .collect::<Option<_>>()?,
        ),
        _ => return None,
    })
}

/// Writes an object; members in the order of the map, which is that of RFC 8785 for ASCII names.
pub(crate) fn write(members: &BTreeMap<&str, &Value>) -> String {
    let mut out = String::from("{");
    for (i, (name, value)) in members.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        quote(name, &mut out);
        out.push(':');
        match value {
            Value::Int(n) => out.push_str(&n.to_string()),
            Value::Text(t) => quote(t, &mut out),
            Value::List(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    quote(item, &mut out);
                }
                out.push(']');
            }
        }
    }
    out.push('}');
    out
}

/// Writes a string with its quotes (RFC 8785 §3.2.2.2).
pub(crate) fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if c < ' ' => {
                out.push_str("\\u");
                for shift in [12, 8, 4, 0] {
                    let digit = (u32::from(c) >> shift) & 15;
                    out.push(char::from_digit(digit, 16).unwrap_or('0'));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
