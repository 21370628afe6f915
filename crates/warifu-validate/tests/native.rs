//! What is written out for speed gives the same as the expressions it stands for.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::collections::BTreeSet;

use warifu_fhirpath::{Bounds, Doc, Engine, Env, Evaluator, Item, Value};
use warifu_json::{Kind, Limits, NONE, parse};
use warifu_r4::{Core, TypeKind, annotate};
use warifu_validate::{CoreOnly, Options, Validator};

/// Invariants that have no expression evaluated by the validator.
const NATIVE: &[&str] = &[
    "ext-1", "dom-2", "dom-3", "dom-4", "dom-5", "dom-6", "ref-1", "bdl-3", "bdl-4", "bdl-7",
];

/// Documents in which each of them holds and is broken.
const DOCUMENTS: &[&str] = &[
    r#"{"resourceType": "Patient"}"#,
    r#"{"resourceType": "Patient", "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>"}}"#,
    r#"{"resourceType": "Patient", "text": {"status": "generated"}}"#,
    r#"{"resourceType": "Patient", "extension": [{"url": "http://a.b"}, {"url": "http://a.b", "valueString": "x"}]}"#,
    r#"{"resourceType": "Patient", "extension": [{"url": "http://a.b", "valueCode": "x", "extension": [{"url": "c", "valueBoolean": false}]}]}"#,
    r#"{"resourceType": "Patient", "extension": [{"url": "http://a.b", "_valueCode": {"extension": [{"url": "http://c.d", "valueBoolean": false}]}}]}"#,
    r##"{"resourceType": "Patient", "contained": [{"resourceType": "Organization", "id": "o"}], "managingOrganization": {"reference": "#o"}}"##,
    r##"{"resourceType": "Patient", "contained": [{"resourceType": "Organization", "id": "o"}], "managingOrganization": {"reference": "#p"}}"##,
    r#"{"resourceType": "Patient", "contained": [{"resourceType": "Organization", "id": "o"}], "managingOrganization": {"reference": "Organization/1"}}"#,
    r##"{"resourceType": "Patient", "contained": [{"resourceType": "Provenance", "id": "p", "target": [{"reference": "#"}]}]}"##,
    r##"{"resourceType": "Patient", "contained": [{"resourceType": "Organization", "id": "o", "partOf": {"reference": "#q"}}, {"resourceType": "Organization", "id": "q"}], "managingOrganization": {"reference": "#o"}}"##,
    r##"{"resourceType": "Patient", "contained": [{"resourceType": "Organization", "id": "o", "contained": [{"resourceType": "Patient", "id": "z"}]}], "managingOrganization": {"reference": "#o"}}"##,
    r##"{"resourceType": "Patient", "contained": [{"resourceType": "Organization", "id": "o", "meta": {"versionId": "1"}}], "managingOrganization": {"reference": "#o"}}"##,
    r##"{"resourceType": "Patient", "contained": [{"resourceType": "Organization", "id": "o", "meta": {"lastUpdated": "2024-01-01T00:00:00Z"}}], "managingOrganization": {"reference": "#o"}}"##,
    r##"{"resourceType": "Patient", "contained": [{"resourceType": "Organization", "id": "o", "meta": {"security": [{"code": "R"}]}}], "managingOrganization": {"reference": "#o"}}"##,
    r#"{"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "urn:uuid:a"}, {"fullUrl": "urn:uuid:a"}]}"#,
    r#"{"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "urn:uuid:a"}, {"fullUrl": "urn:uuid:b"}, {}]}"#,
    r#"{"resourceType": "Bundle", "type": "history", "entry": [{"fullUrl": "urn:uuid:a"}, {"fullUrl": "urn:uuid:a"}]}"#,
    r#"{"resourceType": "Bundle", "type": "history", "entry": [{"fullUrl": "urn:uuid:a", "request": {"method": "GET", "url": "a"}, "response": {"status": "200"}}]}"#,
    r#"{"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "urn:uuid:a", "request": {"method": "GET", "url": "a"}}, {"fullUrl": "urn:uuid:b", "response": {"status": "200"}}]}"#,
    r#"{"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": "a"}}, {"fullUrl": "urn:uuid:b"}]}"#,
    r#"{"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": "a"}}]}"#,
    r#"{"resourceType": "Bundle", "type": "transaction-response", "entry": [{"response": {"status": "200"}}]}"#,
    r#"{"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "http://a/Patient/1", "resource": {"resourceType": "Patient", "id": "1", "meta": {"versionId": "1"}}}, {"fullUrl": "http://a/Patient/1", "resource": {"resourceType": "Patient", "id": "1", "meta": {"versionId": "2"}}}]}"#,
];

/// Invariants of the list that the engine finds broken: key, first byte of the element.
fn by_engine(source: &str) -> BTreeSet<(&'static str, u32)> {
    let core = Core::builtin();
    let engine = Engine::new(core);
    let tree = parse(source.as_bytes(), Limits::FHIR, core).tree;
    let typed = annotate(core, &tree, None);
    let doc = Doc {
        tree: &tree,
        typed: &typed,
    };
    let programs: Vec<_> = (0..core.invariant_count())
        .map(|n| core.invariant(n))
        .filter(|i| NATIVE.contains(&i.key()))
        .map(|i| {
            // R4 writes `descendants().as(uri)`, which is an error for several values: `ofType` is meant.
            let mut text = i.expression().replace(".as(", ".ofType(");
            if i.key() == "ref-1" {
                // `#` alone is the resource that contains: nothing is left of it to look for.
                text = format!("reference = '#' or ({text})");
            }
            (i, engine.compile(&text, Bounds::DEFAULT).unwrap())
        })
        .collect();
    let mut broken = BTreeSet::new();
    for node in 0..tree.len() {
        let of = typed[usize::try_from(node).unwrap()].of;
        if tree.kind(node) != Kind::Object || of == warifu_r4::TypeId::NONE {
            continue;
        }
        let kind = core.type_(of).kind();
        if kind == TypeKind::Primitive {
            continue;
        }
        let item = |node: u32| Item {
            node,
            twin: NONE,
            of: typed[usize::try_from(node).unwrap()].of,
            doc: 0,
        };
        let mut around = Vec::new();
        let mut at = node;
        while at != NONE {
            let of = typed[usize::try_from(at).unwrap()].of;
            if tree.kind(at) == Kind::Object
                && of != warifu_r4::TypeId::NONE
                && core.type_(of).kind() == TypeKind::Resource
            {
                around.push(at);
                if tree.parent(at) == NONE || tree.key(tree.parent(at)) != "contained" {
                    break;
                }
            }
            at = tree.parent(at);
        }
        for (invariant, program) in &programs {
            if !core
                .type_(of)
                .invariants()
                .any(|i| i.id() == invariant.id())
            {
                continue;
            }
            let mut env = Env::new(doc);
            env.resource = around.first().map(|n| item(*n));
            env.root_resource = around.last().map(|n| item(*n));
            // Nobody asks a contained resource for a narrative.
            if invariant.key() == "dom-6" && around.len() > 1 {
                continue;
            }
            let mut evaluator = Evaluator::new(&engine, env);
            if !evaluator.holds(program, Value::Item(item(node))).unwrap() {
                broken.insert((invariant.key(), tree.span(node).start));
            }
        }
    }
    broken
}

#[test]
fn invariants_written_out_agree_with_their_expressions() {
    let validator = Validator::new(CoreOnly, CoreOnly, Options::default());
    let mut keys = BTreeSet::new();
    for source in DOCUMENTS {
        let wanted = by_engine(source);
        keys.extend(wanted.iter().map(|(key, _)| *key));
        let tree = parse(source.as_bytes(), Limits::FHIR, Core::builtin()).tree;
        // Findings on objects show their key; items of arrays and roots their first byte.
        let place = |start: u32| {
            (0..tree.len())
                .find(|n| {
                    tree.span(*n).start == start || tree.key_span(*n).start == start && start > 0
                })
                .map(|n| tree.span(n).start)
        };
        let found: BTreeSet<(&str, u32)> = validator
            .validate(source.as_bytes())
            .list
            .iter()
            .filter_map(|f| {
                let key = NATIVE.iter().find(|k| Some(**k) == f.key.as_deref())?;
                Some((*key, place(f.span.start)?))
            })
            .collect();
        assert_eq!(found, wanted, "{source}");
    }
    assert_eq!(
        keys.len(),
        NATIVE.len(),
        "each is broken somewhere: {keys:?}"
    );
}

#[test]
fn an_element_without_value_and_children_is_always_found() {
    let validator = Validator::new(CoreOnly, CoreOnly, Options::default());
    for (source, place) in [
        (
            r#"{"resourceType": "Patient", "name": [{}]}"#,
            "Patient.name[0]",
        ),
        (r#"{"resourceType": "Patient", "name": []}"#, "Patient.name"),
        (
            r#"{"resourceType": "Patient", "birthDate": ""}"#,
            "Patient.birthDate",
        ),
        (
            r#"{"resourceType": "Patient", "birthDate": null}"#,
            "Patient.birthDate",
        ),
        (
            r#"{"resourceType": "Patient", "_birthDate": {}}"#,
            "Patient.birthDate",
        ),
        (
            r#"{"resourceType": "Patient", "name": [{"given": [null]}]}"#,
            "Patient.name[0].given[0]",
        ),
    ] {
        let found = validator.validate(source.as_bytes());
        assert!(
            found
                .list
                .iter()
                .any(|f| f.code.code == "FHR008" && f.location == place),
            "{source}: {:?}",
            found.list
        );
    }
}

#[test]
fn what_is_nested_too_deeply_is_said_and_the_rest_is_checked() {
    let validator = Validator::new(CoreOnly, CoreOnly, Options::default());
    for depth in [1_000, 100_000] {
        let json = format!(
            r#"{{"resourceType": "Patient", "gender": "none", "extension": {}[]{}}}"#,
            r#"[{"url": "http://example.org/x", "extension": "#.repeat(depth),
            "}]".repeat(depth),
        );
        let found = validator.validate(json.as_bytes());
        let codes: Vec<&str> = found
            .list
            .iter()
            .map(warifu_validate::Finding::code)
            .collect();
        assert!(codes.contains(&"FHR307"), "{codes:?}");
        assert!(codes.contains(&"FHR101"), "{codes:?}");
    }
}
