//! The tree against serde_json, and what is reported of broken documents.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use proptest::prelude::*;
use serde_json::Value;
use warifu_json::{Expected, IssueKind, Kind, Limits, NodeId, ROOT, Tree, parse};

fn kinds(text: &[u8]) -> Vec<IssueKind> {
    let parsed = parse(text, Limits::FHIR, &());
    sound(&parsed.tree);
    parsed.issues.into_iter().map(|i| i.kind).collect()
}

/// Spans lie inside their parents and in order, and the links agree.
fn sound(tree: &Tree<'_>) {
    let len = u32::try_from(tree.source().len()).unwrap();
    for id in 0..tree.len() {
        let span = tree.span(id);
        assert!(span.start <= span.end && span.end <= len);
        assert!(tree.after(id) > id && tree.after(id) <= tree.len());
        let mut last = span.start;
        for child in tree.children(id) {
            assert_eq!(tree.parent(child), id);
            let inner = tree.span(child);
            assert!(last <= inner.start && inner.end <= span.end);
            assert!(tree.key_span(child).end <= inner.start);
            last = inner.end;
        }
        let _ = (tree.key(id), tree.text(id), tree.plain(id));
    }
}

fn value(tree: &Tree<'_>, id: NodeId) -> Value {
    match tree.kind(id) {
        Kind::Null => Value::Null,
        Kind::True => Value::Bool(true),
        Kind::False => Value::Bool(false),
        Kind::Number => serde_json::from_str(&tree.text(id)).unwrap(),
        Kind::String => Value::String(tree.text(id).into_owned()),
        Kind::Array => tree.children(id).map(|c| value(tree, c)).collect(),
        Kind::Object => Value::Object(
            tree.children(id)
                .map(|c| (tree.key(c).into_owned(), value(tree, c)))
                .collect(),
        ),
    }
}

#[test]
fn places_of_keys_and_values() {
    let text = r#" {"a": [1.50, "x\ny"], "_b": {}} "#;
    let tree = parse(text.as_bytes(), Limits::FHIR, &()).tree;
    let a = tree.member(ROOT, "a").unwrap();
    assert_eq!(tree.key_span(a), 3..4);
    assert_eq!(tree.span(a), 7..21);
    let items: Vec<_> = tree.children(a).collect();
    assert_eq!(tree.text(items[0]), "1.50");
    assert_eq!(tree.text(items[1]), "x\ny");
    assert_eq!(tree.plain(items[1]), None);
    assert_eq!(tree.index_in_array(items[1]), Some(1));
    let b = tree.member(ROOT, "_b").unwrap();
    assert!(tree.is_twin(b) && !tree.is_twin(a));
    assert_eq!(tree.children(b).count(), 0);
}

#[test]
fn what_is_wrong_is_reported() {
    use IssueKind as K;
    assert_eq!(kinds(b""), [K::Empty]);
    assert_eq!(kinds(b" \n"), [K::Empty]);
    assert_eq!(kinds(b"\xEF\xBB\xBF{}"), [K::ByteOrderMark]);
    assert_eq!(kinds(b"{} x"), [K::TrailingData]);
    assert_eq!(kinds(b"[1,]"), [K::TrailingComma]);
    assert_eq!(kinds(b"{\"a\":1,}"), [K::TrailingComma]);
    assert_eq!(kinds(b"{\"a\" 1}"), [K::Unexpected(Expected::Colon)]);
    assert_eq!(kinds(b"{a:1}"), [K::Unexpected(Expected::Key)]);
    assert_eq!(kinds(b"[1 2]"), [K::Unexpected(Expected::CommaOrBracket)]);
    assert_eq!(kinds(b"[tru]"), [K::Unexpected(Expected::Value)]);
    assert_eq!(kinds(b"<a/>"), [K::Unexpected(Expected::Value)]);
    assert_eq!(kinds(b"{\"a\":\"b"), [K::EndOfInput]);
    assert_eq!(kinds(b"[1"), [K::EndOfInput]);
    assert_eq!(kinds(b"\"a\tb\""), [K::ControlCharacter]);
    assert_eq!(kinds(br#""\q""#), [K::BadEscape]);
    assert_eq!(kinds(br#""\uD800""#), [K::LoneSurrogate]);
    assert_eq!(kinds(b"\"\xFF\""), [K::InvalidUtf8]);
    for number in ["01", "1.", ".5", "+1", "1e", "-", "1.2.3", "NaN", "0x1"] {
        assert_eq!(kinds(number.as_bytes()), [K::BadNumber], "{number}");
    }
    assert_eq!(
        kinds(br#"{"a":1,"b":2,"\u0061":3}"#),
        [K::DuplicateKey { first: 1 }]
    );
}

#[test]
fn duplicates_in_large_objects() {
    let keys: Vec<String> = (0..100).map(|n| format!("\"k{n}\":{n}")).collect();
    let text = format!("{{{},\"k7\":0}}", keys.join(","));
    assert_eq!(
        kinds(text.as_bytes()),
        [IssueKind::DuplicateKey { first: 8 }]
    );
}

#[test]
fn depth_nodes_and_issues_are_bounded() {
    let deep = "[".repeat(1_000_000);
    assert_eq!(kinds(deep.as_bytes()), [IssueKind::TooDeep]);
    let limits = Limits {
        depth: 2,
        nodes: 3,
        issues: 2,
    };
    let parsed = parse(b"[1,2,3,4]", limits, &());
    assert_eq!(parsed.issues[0].kind, IssueKind::TooLarge);
    assert_eq!(parsed.tree.children(ROOT).count(), 2);
    let parsed = parse(b"\"\x01\x01\x01\x01\"", limits, &());
    assert_eq!((parsed.issues.len(), parsed.further_issues), (2, 2));
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC*".prop_map(Value::from),
        "[\\x00-\\x7f\"\\\\割符𠮷]*".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 30, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..30).prop_map(Value::from),
            prop::collection::vec(("_?[a-z\"\\\\]{0,3}", inner), 0..30)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn reads_what_serde_json_writes(v in json(), pretty: bool) {
        let text = if pretty {
            serde_json::to_vec_pretty(&v).unwrap()
        } else {
            serde_json::to_vec(&v).unwrap()
        };
        let parsed = parse(&text, Limits::FHIR, &());
        prop_assert!(parsed.issues.is_empty(), "{:?}", parsed.issues);
        sound(&parsed.tree);
        // serde_json reads some floats one unit off: both sides read the text.
        let again: Value = serde_json::from_slice(&text).unwrap();
        prop_assert_eq!(value(&parsed.tree, ROOT), again);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
        kinds(&bytes);
    }

    #[test]
    fn clean_exactly_when_serde_json_reads_it(text in "[\\[\\]{},:\"a0-2.eE+\\-\\\\u tn]{0,12}") {
        let clean = kinds(text.as_bytes()).is_empty();
        let other = serde_json::from_str::<Value>(&text);
        // serde_json refuses numbers beyond f64; it takes the last of duplicate keys.
        if !text.contains(['e', 'E']) && other.is_ok() != clean {
            let duplicate = kinds(text.as_bytes())
                .iter()
                .all(|k| matches!(k, IssueKind::DuplicateKey { .. }));
            prop_assert!(other.is_ok() && duplicate, "{text}: {other:?}");
        }
    }
}

#[test]
fn a_member_is_found_however_its_key_is_written() {
    let text = r#"{"ab":1,"\u0061c":2,"a":3,"":4,"割":5}"#;
    let parsed = parse(text.as_bytes(), Limits::FHIR, &());
    let tree = &parsed.tree;
    let of = |key| tree.member(ROOT, key).map(|n| tree.text(n).into_owned());
    for (key, value) in [("ab", "1"), ("ac", "2"), ("a", "3"), ("", "4"), ("割", "5")] {
        assert_eq!(of(key).as_deref(), Some(value), "{key}");
    }
    assert_eq!(of("\\u0061c"), None);
    // Keys that are no UTF-8 are compared as they are shown.
    let broken = parse(b"{\"a\xff\":1,\"b\":2}", Limits::FHIR, &());
    let tree = &broken.tree;
    assert!(tree.member(ROOT, "a\u{fffd}").is_some() && tree.member(ROOT, "b").is_some());
    // Neither an item of an array nor the document has a key.
    assert!(!tree.is_key(ROOT, "b") && tree.is_key(ROOT, ""));
}
