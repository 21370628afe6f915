//! A small annotated JSON tree: every leaf keeps the exact token it had and, with tracing on, the row
//! and the source bytes it came from, wherever it is moved.

use std::borrow::Cow;

use warifu_fhir::Row;

use crate::trace::{Hit, HitSpan};

/// Deepest nesting the reader follows; what this crate writes is far shallower.
const MAX_DEPTH: usize = 64;

/// Where a leaf came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Origin {
    /// The row that wrote it.
    pub(super) row: Option<Row>,
    /// Source bytes; empty for constants.
    pub(super) spans: Vec<HitSpan>,
}

impl Origin {
    /// Adds the sources of another leaf.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.row = self.row.or(other.row);
        for s in other.spans {
            if !self.spans.contains(&s) {
                self.spans.push(s);
            }
        }
        self
    }
}

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// Members in order.
    Object(Vec<(String, Node)>),
    /// Items in order.
    Array(Vec<Node>),
    /// A token as it stands in the file, quotes included.
    Leaf(String, Origin),
}

/// The token of a JSON string.
fn quoted(text: &str) -> String {
    let mut s = String::with_capacity(text.len() + 2);
    s.push('"');
    for c in text.chars() {
        match c {
            '"' => s.push_str("\\\""),
            '\\' => s.push_str("\\\\"),
            '\n' => s.push_str("\\n"),
            '\r' => s.push_str("\\r"),
            '\t' => s.push_str("\\t"),
            c if u32::from(c) < 0x20 => {
                s.push_str("\\u00");
                for n in [u32::from(c) >> 4, u32::from(c) & 15] {
                    s.push(char::from_digit(n, 16).unwrap_or('0'));
                }
            }
            c => s.push(c),
        }
    }
    s.push('"');
    s
}

impl Node {
    /// A constant text.
    pub(super) fn text(text: &str) -> Self {
        Self::Leaf(quoted(text), Origin::default())
    }
    /// A text made from other leaves.
    pub(super) fn made(text: &str, from: Origin) -> Self {
        Self::Leaf(quoted(text), from)
    }
    /// An object of members; `None` members are left out.
    pub(super) fn object<const N: usize>(members: [(&str, Option<Self>); N]) -> Self {
        Self::Object(
            members
                .into_iter()
                .filter_map(|(k, v)| v.map(|v| (k.to_owned(), v)))
                .collect(),
        )
    }
    /// `{"coding":[{system, code, display}]}` of constants.
    pub(super) fn coded(system: &str, code: &str, display: &str) -> Self {
        Self::object([(
            "coding",
            Some(Self::Array(vec![Self::coding(system, code, display)])),
        )])
    }
    /// `{system, code, display}` of constants.
    pub(super) fn coding(system: &str, code: &str, display: &str) -> Self {
        let display = (!display.is_empty()).then(|| Self::text(display));
        Self::object([
            ("system", Some(Self::text(system))),
            ("code", Some(Self::text(code))),
            ("display", display),
        ])
    }
    /// Member of an object.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(m) => m.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }
    /// Member of an object, to be changed.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        match self {
            Self::Object(m) => m.iter_mut().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }
    /// Member of a member …
    pub(super) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |n, k| n.get(k))
    }
    /// Text of a member of a member …
    pub(super) fn str_at(&self, path: &[&str]) -> Option<Cow<'_, str>> {
        self.at(path)?.str()
    }
    /// Whether the text at a path is that one.
    pub(super) fn is(&self, path: &[&str], text: &str) -> bool {
        self.str_at(path).is_some_and(|s| s == text)
    }
    /// Items of a member that is an array; nothing otherwise.
    pub(super) fn items(&self, key: &str) -> &[Self] {
        self.get(key).map_or(&[], Self::list)
    }
    /// Items of an array; nothing otherwise.
    pub(super) fn list(&self) -> &[Self] {
        match self {
            Self::Array(a) => a,
            _ => &[],
        }
    }
    /// Text of a leaf.
    pub(super) fn str(&self) -> Option<Cow<'_, str>> {
        let Self::Leaf(raw, _) = self else {
            return None;
        };
        match raw.strip_prefix('"').and_then(|r| r.strip_suffix('"')) {
            Some(plain) if !plain.contains('\\') => Some(Cow::Borrowed(plain)),
            Some(escaped) => Some(Cow::Owned(warifu_json::unescape(escaped))),
            None => Some(Cow::Borrowed(raw)),
        }
    }
    /// Sources of all leaves in it.
    pub(super) fn origin(&self) -> Origin {
        match self {
            Self::Leaf(_, o) => o.clone(),
            Self::Array(a) => a.iter().fold(Origin::default(), |o, n| o.and(n.origin())),
            Self::Object(m) => m
                .iter()
                .fold(Origin::default(), |o, (_, n)| o.and(n.origin())),
        }
    }
    /// Sets a member; an existing one keeps its place.
    pub(super) fn set(&mut self, key: &str, value: Self) {
        if let Self::Object(m) = self {
            match m.iter_mut().find(|(k, _)| k == key) {
                Some((_, v)) => *v = value,
                None => m.push((key.to_owned(), value)),
            }
        }
    }
    /// Takes a member away.
    pub(super) fn remove(&mut self, key: &str) -> Option<Self> {
        match self {
            Self::Object(m) => m.iter().position(|(k, _)| k == key).map(|i| m.remove(i).1),
            _ => None,
        }
    }
    /// Adds an item to the array of a member.
    pub(super) fn push(&mut self, key: &str, value: Self) {
        match self.get_mut(key) {
            Some(Self::Array(a)) => a.push(value),
            _ => self.set(key, Self::Array(vec![value])),
        }
    }
    /// Keeps the items of a member's array that pass; an array left empty goes.
    pub(super) fn retain(&mut self, key: &str, keep: impl FnMut(&Self) -> bool) {
        if let Some(Self::Array(a)) = self.get_mut(key) {
            a.retain(keep);
            if a.is_empty() {
                self.remove(key);
            }
        }
    }
    /// Keeps the members of an object that are named; returns the others' names.
    pub(super) fn keep_only(&mut self, keys: &[&str]) -> Vec<String> {
        let mut gone = Vec::new();
        if let Self::Object(m) = self {
            m.retain(|(k, _)| {
                let keep = keys.contains(&k.as_str());
                if !keep {
                    gone.push(k.clone());
                }
                keep
            });
        }
        gone
    }
    /// Puts the named members first, in that order.
    pub(super) fn lead(&mut self, keys: &[&str]) {
        if let Self::Object(m) = self {
            let place = |k: &String| keys.iter().position(|x| x == k).unwrap_or(keys.len());
            warifu_order::sort_by_key(m, |(k, _)| place(k));
        }
    }
}

/// Reads JSON as this crate writes it; `hits` are its leaves in order (empty without tracing).
/// `None` for anything that is not one JSON value.
pub(super) fn read(json: &[u8], hits: Vec<Hit>) -> Option<Node> {
    let text = std::str::from_utf8(json).ok()?;
    let mut r = Reader {
        rest: text,
        hits: hits.into_iter(),
    };
    let node = r.value(0)?;
    r.rest.is_empty().then_some(node)
}

struct Reader<'j> {
    rest: &'j str,
    hits: std::vec::IntoIter<Hit>,
}

impl<'j> Reader<'j> {
    fn eat(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
    fn token(&mut self) -> Option<&'j str> {
        let bytes = self.rest.as_bytes();
        let end = if bytes.first() == Some(&b'"') {
            let mut i = 1;
            loop {
                match bytes.get(i)? {
                    b'\\' => i += 2,
                    b'"' => break i + 1,
                    _ => i += 1,
                }
            }
        } else {
            bytes
                .iter()
                .position(|b| matches!(b, b',' | b'}' | b']'))
                .unwrap_or(bytes.len())
        };
        let (token, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!token.is_empty()).then_some(token)
    }
    fn value(&mut self, depth: usize) -> Option<Node> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.eat('{') {
            let mut members = Vec::new();
            while !self.eat('}') {
                if !members.is_empty() && !self.eat(',') {
                    return None;
                }
                let key = self
                    .token()?
                    .strip_prefix('"')?
                    .strip_suffix('"')?
                    .to_owned();
                if !self.eat(':') {
                    return None;
                }
                members.push((key, self.value(depth + 1)?));
            }
            return Some(Node::Object(members));
        }
        if self.eat('[') {
            let mut items = Vec::new();
            while !self.eat(']') {
                if !items.is_empty() && !self.eat(',') {
                    return None;
                }
                items.push(self.value(depth + 1)?);
            }
            return Some(Node::Array(items));
        }
        let token = self.token()?;
        let from = self.hits.next().map_or_else(Origin::default, |h| Origin {
            row: h.row,
            spans: h.spans,
        });
        Some(Node::Leaf(token.to_owned(), from))
    }
}

/// What the form of JP-CLINS itself adds: profiles, tags, the Bundle around the resources.
static CONSTANTS: Row = Row {
    table: "JP_CLINS",
    source: "",
    target: "JP_Bundle_CLINS",
    ja: "定数",
};

/// Writes a tree as compact JSON; with `trace` also its leaves.
pub(super) fn write(node: &Node, trace: bool, dst: &mut Vec<u8>, hits: &mut Vec<Hit>) {
    let mut w = Writer {
        trace,
        dst,
        hits,
        pointer: String::new(),
    };
    w.node(node);
}

struct Writer<'w> {
    trace: bool,
    dst: &'w mut Vec<u8>,
    hits: &'w mut Vec<Hit>,
    pointer: String,
}

impl Writer<'_> {
    fn node(&mut self, node: &Node) {
        match node {
            Node::Leaf(raw, from) => {
                self.dst.extend_from_slice(raw.as_bytes());
                if self.trace {
                    // A resource's own type and id come from no table.
                    let own = ["/resourceType", "/id"].contains(&self.pointer.as_str());
                    let made = !own && from.spans.is_empty();
                    self.hits.push(Hit {
                        pointer: self.pointer.clone(),
                        row: from.row.or(made.then_some(CONSTANTS)),
                        spans: from.spans.clone(),
                    });
                }
            }
            Node::Object(members) => {
                self.dst.push(b'{');
                for (i, (key, value)) in members.iter().enumerate() {
                    if i > 0 {
                        self.dst.push(b',');
                    }
                    self.dst.push(b'"');
                    self.dst.extend_from_slice(key.as_bytes());
                    self.dst.extend_from_slice(b"\":");
                    self.step(key, value);
                }
                self.dst.push(b'}');
            }
            Node::Array(items) => {
                self.dst.push(b'[');
                for (i, value) in items.iter().enumerate() {
                    if i > 0 {
                        self.dst.push(b',');
                    }
                    self.step(&i.to_string(), value);
                }
                self.dst.push(b']');
            }
        }
    }
    fn step(&mut self, name: &str, value: &Node) {
        let before = self.pointer.len();
        if self.trace {
            self.pointer.push('/');
            self.pointer.push_str(name);
        }
        self.node(value);
        self.pointer.truncate(before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_survive_unchanged() {
        let json = br#"{"a":"x\"\u0001y","b":[1.50,true,{"c":-0.0e1}],"d":{}}"#;
        let tree = read(json, Vec::new()).unwrap();
        let (mut out, mut hits) = (Vec::new(), Vec::new());
        write(&tree, true, &mut out, &mut hits);
        assert_eq!(out, json);
        let pointers: Vec<&str> = hits.iter().map(|h| h.pointer.as_str()).collect();
        assert_eq!(pointers, ["/a", "/b/0", "/b/1", "/b/2/c"]);
        assert_eq!(tree.str_at(&["a"]).unwrap(), "x\"\u{1}y");
        assert_eq!(quoted("x\"\u{1}y"), r#""x\"\u0001y""#);
    }

    #[test]
    fn what_is_not_one_value_is_refused() {
        for bad in ["", "{", "{\"a\":1", "[1 2]x", "{\"a\"1}", "{}{}", "\"abc"] {
            assert_eq!(read(bad.as_bytes(), Vec::new()), None, "{bad}");
        }
        let deep = "[".repeat(10_000);
        assert_eq!(read(deep.as_bytes(), Vec::new()), None);
    }
}
