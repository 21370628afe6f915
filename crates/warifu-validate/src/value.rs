//! Fixed values and patterns: JSON of a definition, compared with nodes of a document.

use warifu_fhirpath::Dec;
use warifu_json::{Kind, Limits, NodeId, ROOT, Tree, parse};

/// A JSON value on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(Box<str>),
    Text(Box<str>),
    List(Vec<Json>),
    Object(Vec<(Box<str>, Json)>),
}

impl Json {
    /// Reads a value; `Null` where it is none.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let tree = parse(bytes, Limits::FHIR, &()).tree;
        Self::of(&tree, ROOT)
    }

    fn of(tree: &Tree<'_>, node: NodeId) -> Self {
        match tree.kind(node) {
            Kind::Null => Self::Null,
            Kind::True => Self::Bool(true),
            Kind::False => Self::Bool(false),
            Kind::Number => Self::Number(tree.text(node).as_ref().into()),
            Kind::String => Self::Text(tree.text(node).as_ref().into()),
            Kind::Array => Self::List(tree.children(node).map(|c| Self::of(tree, c)).collect()),
            Kind::Object => Self::Object(
                tree.children(node)
                    .map(|c| (tree.key(c).as_ref().into(), Self::of(tree, c)))
                    .collect(),
            ),
        }
    }

    /// Value of a member.
    pub(crate) fn member(&self, key: &str) -> Option<&Json> {
        match self {
            Self::Object(members) => members.iter().find(|(k, _)| &**k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    fn leaf(&self, tree: &Tree<'_>, node: NodeId) -> Option<bool> {
        Some(match self {
            Self::Null => tree.kind(node) == Kind::Null,
            Self::Bool(true) => tree.kind(node) == Kind::True,
            Self::Bool(false) => tree.kind(node) == Kind::False,
            Self::Text(text) => tree.is_text(node, text),
            Self::Number(number) => {
                tree.kind(node) == Kind::Number && same_number(number, &tree.text(node))
            }
            Self::List(_) | Self::Object(_) => return None,
        })
    }

    /// Whether a node has exactly this value (`fixed[x]`).
    pub(crate) fn is(&self, tree: &Tree<'_>, node: NodeId) -> bool {
        if let Some(same) = self.leaf(tree, node) {
            return same;
        }
        match self {
            Self::List(items) => {
                let mut nodes = tree.children(node);
                tree.kind(node) == Kind::Array
                    && items
                        .iter()
                        .all(|i| nodes.next().is_some_and(|n| i.is(tree, n)))
                    && nodes.next().is_none()
            }
            Self::Object(members) => {
                tree.kind(node) == Kind::Object
                    && tree.children(node).count() == members.len()
                    && members.iter().all(|(key, value)| {
                        tree.member(node, key).is_some_and(|n| value.is(tree, n))
                    })
            }
            _ => false,
        }
    }

    /// Whether a node contains this value (`pattern[x]`, FHIR R4 §2.27).
    pub(crate) fn is_in(&self, tree: &Tree<'_>, node: NodeId) -> bool {
        if let Some(same) = self.leaf(tree, node) {
            return same;
        }
        match self {
            Self::List(items) => {
                tree.kind(node) == Kind::Array
                    && items
                        .iter()
                        .all(|i| tree.children(node).any(|n| i.is_in(tree, n)))
            }
            Self::Object(members) => members
                .iter()
                .all(|(key, value)| tree.member(node, key).is_some_and(|n| value.is_in(tree, n))),
            _ => false,
        }
    }

    /// How it looks in JSON, cut to 200 characters.
    pub(crate) fn show(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out.chars().take(200).collect()
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Self::Number(n) => out.push_str(n),
            Self::Text(t) => {
                out.push('"');
                out.push_str(t);
                out.push('"');
            }
            Self::List(items) => {
                out.push('[');
                for (n, item) in items.iter().enumerate() {
                    if n > 0 {
                        out.push_str(", ");
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (n, (key, value)) in members.iter().enumerate() {
                    if n > 0 {
                        out.push_str(", ");
                    }
                    out.push_str(key);
                    out.push_str(": ");
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// Decimals of another precision are other values to FHIR, but the definitions at hand mean the number.
fn same_number(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    match (Dec::parse(a), Dec::parse(b)) {
        (Some(a), Some(b)) => a.compare(b).is_eq(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, value: &str, fixed: bool, contained: bool) {
        let json = Json::read(pattern.as_bytes());
        let tree = parse(value.as_bytes(), Limits::FHIR, &()).tree;
        assert_eq!(json.is(&tree, ROOT), fixed, "{pattern} is {value}");
        assert_eq!(json.is_in(&tree, ROOT), contained, "{pattern} in {value}");
    }

    #[test]
    fn patterns_want_a_part_and_fixed_values_the_whole() {
        check(r#""a""#, r#""a""#, true, true);
        check(r#""a""#, r#""b""#, false, false);
        check(r#"{"a": 1}"#, r#"{"a": 1, "b": 2}"#, false, true);
        check(r#"{"a": 1}"#, r#"{"a": 1.0}"#, true, true);
        check(
            r#"{"c": [{"s": "x"}]}"#,
            r#"{"c": [{"s": "y"}, {"s": "x"}]}"#,
            false,
            true,
        );
        check("[1, 2]", "[2, 1]", false, true);
        check("[1]", r#"{"a": 1}"#, false, false);
    }
}
