//! Rules of value sets on definitions made here: laws, filters, imports, hostile input.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use warifu_definitions::{Code, CodeAnswer, Membership, NotChecked, PackageId, Terminology as _};
use warifu_package::{Fallback, File, Library, Limits, Package, compile};
use warifu_terminology::{Extent, Terms};

fn terms(resources: &[Value]) -> Terms {
    let files = resources
        .iter()
        .enumerate()
        .map(|(n, r)| File {
            path: format!("{n:04}.json"),
            bytes: serde_json::to_vec(r).unwrap(),
        })
        .collect();
    let fallback = Fallback {
        name: "t",
        version: "1",
    };
    let compiled = compile(files, fallback, &Limits::PACKAGE).unwrap();
    let package = Package::read(compiled.bytes).unwrap();
    Terms::new(Arc::new(Library::new([(package, true)])))
}

fn code<'a>(system: &'a str, code: &'a str) -> Code<'a> {
    Code {
        system: Some(system),
        version: None,
        code,
        display: None,
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "JSON is written where it is passed"
)]
fn set(url: &str, include: Value, exclude: Value) -> Value {
    json!({"resourceType": "ValueSet", "url": url, "compose": {"include": include, "exclude": exclude}})
}

/// a over b and c, c over d; e stands alone and is also below c by a property.
fn tree() -> Value {
    json!({"resourceType": "CodeSystem", "url": "t", "version": "1", "content": "complete", "caseSensitive": true,
    "concept": [
        {"code": "a", "display": "Alpha", "concept": [
            {"code": "b", "designation": [{"value": "ベータ"}]},
            {"code": "c", "concept": [{"code": "d", "property": [{"code": "status", "valueCode": "retired"}]}]}]},
        {"code": "e", "display": "E", "property": [
            {"code": "parent", "valueCode": "c"}, {"code": "size", "valueInteger": 7}, {"code": "kind", "valueCoding": {"code": "k"}}]}
    ]})
}

fn members(terms: &Terms, url: &str) -> String {
    match terms.extent(url, None, 100) {
        Some(Extent::Listed(codes)) => codes.into_iter().map(|(_, c)| c).collect(),
        other => format!("{other:?}"),
    }
}

#[test]
fn filters() {
    let filter = |property: &str, op: &str, value: &str| json!([{"system": "t", "filter": [{"property": property, "op": op, "value": value}]}]);
    for (property, op, value, expected) in [
        ("concept", "is-a", "c", "cde"),
        ("concept", "is-a", "a", "abcde"),
        ("concept", "is-a", "z", ""),
        ("concept", "descendent-of", "c", "de"),
        ("concept", "is-not-a", "c", "ab"),
        ("concept", "generalizes", "d", "acd"),
        ("code", "=", "b", "b"),
        ("code", "in", "a, e,z", "ae"),
        ("code", "not-in", "a,b", "cde"),
        ("code", "regex", "[ab]", "ab"),
        ("code", "regex", "a|b.", "a"),
        ("display", "regex", "Al.*", "a"),
        ("parent", "=", "c", "de"),
        ("child", "=", "d", "c"),
        ("size", "=", "7", "e"),
        ("kind", "=", "k", "e"),
        ("size", "exists", "true", "e"),
        ("size", "exists", "false", "abcd"),
        ("nothing", "=", "x", ""),
    ] {
        let terms = terms(&[tree(), set("v", filter(property, op, value), json!([]))]);
        assert_eq!(members(&terms, "v"), expected, "{property} {op} {value}");
    }
    for (property, op, value) in [
        ("code", "regex", "["),
        ("code", "near", "a"),
        ("code", "regex", &"a{1000}".repeat(100)),
        ("code", "regex", "(((((a{1000}){1000}){1000}){1000}){1000})"),
    ] {
        let terms = terms(&[tree(), set("v", filter(property, op, value), json!([]))]);
        let answer = terms.member("v", None, code("t", "a"));
        assert!(
            matches!(answer, Membership::NotChecked(NotChecked::Filter { .. })),
            "{op}: {answer:?}"
        );
    }
}

#[test]
fn regular_expressions_take_linear_time() {
    let long = "a".repeat(50_000);
    let terms = terms(&[
        json!({"resourceType": "CodeSystem", "url": "t", "content": "complete", "concept": [{"code": long}]}),
        set(
            "v",
            json!([{"system": "t", "filter": [{"property": "code", "op": "regex", "value": "(a+)+b"}]}]),
            json!([]),
        ),
    ]);
    assert_eq!(terms.member("v", None, code("t", &long)), Membership::NotIn);
}

#[test]
fn includes_excludes_and_imports() {
    let all = json!([{"system": "t"}]);
    let list = |codes: &[&str]| {
        let codes: Vec<Value> = codes.iter().map(|c| json!({"code": c})).collect();
        json!([{"system": "t", "concept": codes}])
    };
    let terms = terms(&[
        tree(),
        set("all", all.clone(), json!([])),
        set("ab", list(&["a", "b"]), json!([])),
        set("bc", list(&["c", "b"]), json!([])),
        set("not", all, list(&["a", "b"])),
        set("both", json!([{"valueSet": ["ab", "bc"]}]), json!([])),
        set(
            "either",
            json!([{"valueSet": ["ab"]}, {"valueSet": ["bc"]}]),
            json!([]),
        ),
        set(
            "with",
            json!([{"system": "t", "valueSet": ["ab"], "filter": [{"property": "concept", "op": "descendent-of", "value": "a"}]}]),
            json!([]),
        ),
        set(
            "lost",
            json!([{"valueSet": ["nowhere"]}, {"system": "t", "concept": [{"code": "a"}]}]),
            json!([]),
        ),
        set("u", json!([{"system": "unknown"}]), json!([])),
        json!({"resourceType": "ValueSet", "url": "in-use", "compose": {"inactive": false, "include": [{"system": "t"}]}}),
        json!({"resourceType": "ValueSet", "url": "listed", "expansion": {"contains": [{"system": "t", "code": "a", "abstract": true, "contains": [{"system": "t", "code": "b"}]}]}}),
        json!({"resourceType": "ValueSet", "url": "empty"}),
    ]);
    for (url, expected) in [
        ("all", "abcde"),
        ("not", "cde"),
        ("both", "b"),
        ("either", "abc"),
        ("with", "b"),
        ("in-use", "abce"),
        ("listed", "b"),
    ] {
        assert_eq!(members(&terms, url), expected, "{url}");
    }
    let member =
        |url: &str, system: &str, c: &str| terms.member(url, Some(PackageId(1)), code(system, c));
    assert_eq!(member("lost", "t", "a"), Membership::In);
    assert!(matches!(
        member("lost", "t", "b"),
        Membership::NotChecked(_)
    ));
    assert_eq!(
        member("u", "unknown", "a"),
        Membership::NotChecked(NotChecked::SystemNotHeld {
            system: "unknown".into()
        })
    );
    assert_eq!(member("u", "t", "a"), Membership::NotIn);
    assert_eq!(member("nowhere", "t", "a"), Membership::UnknownValueSet);
    assert!(matches!(
        member("empty", "t", "a"),
        Membership::NotChecked(_)
    ));
    // Without a system any system of the set will do.
    let bare = Code {
        system: None,
        ..code("", "c")
    };
    assert_eq!(terms.member("bc", None, bare), Membership::In);
    assert_eq!(terms.member("ab", None, bare), Membership::NotIn);
}

#[test]
fn case_versions_displays() {
    let terms = terms(&[
        tree(),
        json!({"resourceType": "CodeSystem", "url": "i", "content": "complete", "concept": [{"code": "Ab", "display": "x"}]}),
        json!({"resourceType": "CodeSystem", "url": "f", "content": "fragment", "concept": [{"code": "1"}]}),
        set(
            "v",
            json!([{"system": "i", "concept": [{"code": "Ab"}]}]),
            json!([]),
        ),
    ]);
    let other = |display: Option<&str>| CodeAnswer::Known {
        other_display: display.map(Into::into),
    };
    assert_eq!(terms.code(code("i", "aB")), other(None));
    assert_eq!(terms.member("v", None, code("i", "AB")), Membership::In);
    assert_eq!(terms.code(code("t", "A")), CodeAnswer::UnknownCode);
    assert!(matches!(
        terms.code(code("f", "2")),
        CodeAnswer::NotChecked(_)
    ));
    assert!(matches!(
        terms.code(code("?", "2")),
        CodeAnswer::NotChecked(_)
    ));
    for (c, display, expected) in [
        ("a", "alpha", None),
        ("a", " ALPHA ", None),
        ("a", "Beta", Some("Alpha")),
        ("b", "ベータ", None),
        ("e", "F", Some("E")),
    ] {
        let asked = Code {
            display: Some(display),
            ..code("t", c)
        };
        assert_eq!(terms.code(asked), other(expected), "{c} {display}");
    }
}

#[test]
fn masters_are_known_by_shape_and_never_right() {
    let jlac = "http://medis.or.jp/CodeSystem/master-JLAC10-17digits";
    let terms = terms(&[
        set("v", json!([{"system": jlac}]), json!([])),
        set(
            "l",
            json!([{"system": "http://loinc.org", "filter": [{"property": "parent", "op": "=", "value": "LP1"}]}]),
            json!([]),
        ),
        set(
            "two",
            json!([{"system": jlac, "concept": [{"code": "3A015000002329101"}]}]),
            json!([]),
        ),
    ]);
    let shape = NotChecked::ShapeOnly {
        system: jlac.into(),
    };
    assert_eq!(
        terms.code(code(jlac, "3A015000002329101")),
        CodeAnswer::NotChecked(shape.clone())
    );
    assert_eq!(terms.code(code(jlac, "3A015")), CodeAnswer::UnknownCode);
    assert_eq!(
        terms.member("v", None, code(jlac, "3A015000002329101")),
        Membership::NotChecked(shape)
    );
    assert_eq!(
        terms.member("v", None, code(jlac, "3A015")),
        Membership::NotIn
    );
    assert_eq!(
        terms.member("two", None, code(jlac, "3A015000002329101")),
        Membership::In
    );
    assert_eq!(
        terms.member("two", None, code(jlac, "3A015000002329102")),
        Membership::NotIn
    );
    assert!(matches!(
        terms.member("l", None, code("http://loinc.org", "718-7")),
        Membership::NotChecked(_)
    ));
    // A package that carries some of a master does not make the others wrong.
    let with = self::terms(&[
        json!({"resourceType": "CodeSystem", "url": jlac, "content": "complete", "concept": [{"code": "3A015000002329101"}]}),
    ]);
    assert!(matches!(
        with.code(code(jlac, "3A015000002329101")),
        CodeAnswer::Known { .. }
    ));
    assert!(matches!(
        with.code(code(jlac, "3A015000002329102")),
        CodeAnswer::NotChecked(_)
    ));
    assert_eq!(with.code(code(jlac, "x")), CodeAnswer::UnknownCode);
}

#[test]
fn value_sets_of_core() {
    let terms = terms(&[set(
        "mine",
        json!([{"valueSet": ["http://hl7.org/fhir/ValueSet/administrative-gender"]}]),
        json!([{"system": "http://hl7.org/fhir/administrative-gender", "concept": [{"code": "other"}]}]),
    )]);
    let core = |name: &str| format!("http://hl7.org/fhir/ValueSet/{name}");
    let gender = "http://hl7.org/fhir/administrative-gender";
    assert_eq!(members(&terms, "mine"), "femalemaleunknown");
    for (set, system, c, expected) in [
        (
            "administrative-gender|4.0.1",
            gender,
            "male",
            Membership::In,
        ),
        ("administrative-gender", gender, "Male", Membership::NotIn),
        (
            "ucum-units",
            "http://unitsofmeasure.org",
            "mg/dL",
            Membership::In,
        ),
        (
            "ucum-units",
            "http://unitsofmeasure.org",
            "mg / dL",
            Membership::NotIn,
        ),
        ("all-languages", "urn:ietf:bcp:47", "ja-JP", Membership::In),
        (
            "all-languages",
            "urn:ietf:bcp:47",
            "ja_JP",
            Membership::NotIn,
        ),
        ("mimetypes", "urn:ietf:bcp:13", "text/plain", Membership::In),
        ("mimetypes", "urn:ietf:bcp:13", "text", Membership::NotIn),
        ("currencies", "urn:iso:std:iso:4217", "JPY", Membership::In),
        (
            "currencies",
            "urn:iso:std:iso:4217",
            "YEN",
            Membership::NotIn,
        ),
        ("jurisdiction", "urn:iso:std:iso:3166", "JP", Membership::In),
        (
            "jurisdiction",
            "urn:iso:std:iso:3166",
            "XX",
            Membership::NotIn,
        ),
        (
            "body-site",
            "http://snomed.info/sct",
            "73211008",
            Membership::NotIn,
        ),
    ] {
        assert_eq!(
            terms.member(&core(set), None, code(system, c)),
            expected,
            "{set} {c}"
        );
    }
    assert!(matches!(
        terms.member(
            &core("body-site"),
            None,
            code("http://snomed.info/sct", "73211009")
        ),
        Membership::NotChecked(NotChecked::ShapeOnly { .. })
    ));
    assert!(matches!(
        terms.code(code(gender, "male")),
        CodeAnswer::Known { .. }
    ));
    assert_eq!(terms.code(code(gender, "m")), CodeAnswer::UnknownCode);
}

#[test]
fn every_unit_that_r4_names_is_a_unit() {
    let core = warifu_r4::Core::builtin();
    let set = core
        .value_set("http://hl7.org/fhir/ValueSet/ucum-common")
        .unwrap();
    let wrong: Vec<&str> = set
        .parts()
        .flat_map(warifu_r4::Part::list)
        .filter(|c| !warifu_terminology::is_ucum(c))
        .collect();
    assert_eq!(wrong, Vec::<&str>::new());
}

#[test]
fn imports_that_go_round_or_deep_end() {
    let mut all = vec![
        set(
            "x",
            json!([{"valueSet": ["y"]}, {"system": "t", "concept": [{"code": "a"}]}]),
            json!([]),
        ),
        set("y", json!([{"valueSet": ["x"]}]), json!([])),
        set("self", json!([{"valueSet": ["self"]}]), json!([])),
        tree(),
    ];
    for n in 0..500 {
        let next = format!("deep{}", n + 1);
        // Twice: 2^500 paths.
        all.push(set(
            &format!("deep{n}"),
            json!([{"valueSet": [next.clone()]}, {"valueSet": [next]}]),
            json!([]),
        ));
    }
    let wide: Vec<Value> = (0..20_000).map(|_| json!({"valueSet": ["y"]})).collect();
    all.push(set("wide", json!(wide), json!([])));
    let terms = terms(&all);
    for (url, c, expected) in [
        ("x", "a", true),
        ("y", "a", true),
        ("x", "b", false),
        ("self", "a", false),
        ("deep0", "a", false),
        ("wide", "b", false),
    ] {
        match terms.member(url, None, code("t", c)) {
            Membership::In => assert!(expected, "{url}"),
            Membership::NotChecked(_) => assert!(!expected, "{url}"),
            other => assert_eq!(other, Membership::In, "{url}"),
        }
    }
}

/// A code system of `n` concepts, each below some of those before it.
fn graph() -> impl Strategy<Value = Vec<Vec<usize>>> {
    proptest::collection::vec(proptest::collection::vec(0_usize..12, 0..3), 2..12)
}

fn system_of(graph: &[Vec<usize>]) -> Value {
    let concepts: Vec<Value> = graph
        .iter()
        .enumerate()
        .map(|(n, above)| {
            // Any concept may be above any other, rings included.
            let above: Vec<Value> = above
                .iter()
                .map(|p| json!({"code": "parent", "valueCode": format!("c{}", p % graph.len())}))
                .collect();
            json!({"code": format!("c{n}"), "property": above})
        })
        .collect();
    json!({"resourceType": "CodeSystem", "url": "g", "content": "complete", "caseSensitive": true, "concept": concepts})
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn is_a_is_reflexive_and_transitive(graph in graph()) {
        let n = graph.len();
        let mut all = vec![system_of(&graph)];
        for i in 0..n {
            all.push(set(&format!("isa{i}"), json!([{"system": "g", "filter": [{"property": "concept", "op": "is-a", "value": format!("c{i}")}]}]), json!([])));
        }
        let terms = terms(&all);
        let below = |c: usize, top: usize| {
            terms.member(&format!("isa{top}"), None, code("g", &format!("c{c}"))) == Membership::In
        };
        for a in 0..n {
            prop_assert!(below(a, a));
            for b in 0..n {
                for c in 0..n {
                    if below(a, b) && below(b, c) {
                        prop_assert!(below(a, c), "{a} {b} {c}");
                    }
                }
            }
        }
    }

    #[test]
    fn laws_of_includes_and_excludes(a in proptest::collection::btree_set(0_usize..9, 0..6), b in proptest::collection::btree_set(0_usize..9, 0..6)) {
        let graph = vec![Vec::new(); 9];
        let list = |s: &std::collections::BTreeSet<usize>| {
            let codes: Vec<Value> = s.iter().map(|c| json!({"code": format!("c{c}")})).collect();
            json!([{"system": "g", "concept": codes}])
        };
        let join = |x: Value, y: Value| json!([x.get(0).unwrap(), y.get(0).unwrap()]);
        let terms = terms(&[
            system_of(&graph),
            set("a", list(&a), json!([])),
            set("union", join(list(&a), list(&b)), json!([])),
            set("without", list(&a), list(&b)),
            set("both", json!([{"valueSet": ["a"], "system": "g", "concept": list(&b).get(0).and_then(|r| r.get("concept"))}]), json!([])),
            set("none", list(&a), json!([{"valueSet": ["a"]}])),
            set("again", json!([{"system": "g"}]), json!([{"system": "g", "filter": [{"property": "code", "op": "not-in", "value": a.iter().map(|c| format!("c{c}")).collect::<Vec<_>>().join(",")}]}])),
        ]);
        let has = |url: &str, c: usize| terms.member(url, None, code("g", &format!("c{c}"))) == Membership::In;
        for c in 0..9 {
            let (in_a, in_b) = (a.contains(&c), b.contains(&c));
            prop_assert_eq!(has("union", c), in_a || in_b);
            prop_assert_eq!(has("without", c), in_a && !in_b);
            prop_assert_eq!(has("both", c), in_a && in_b);
            prop_assert!(!has("none", c));
            prop_assert_eq!(has("again", c), in_a);
        }
    }

    #[test]
    fn any_text_is_judged(text in ".{0,40}") {
        let terms = terms(&[]);
        for system in ["http://unitsofmeasure.org", "urn:ietf:bcp:47", "urn:ietf:bcp:13", "urn:iso:std:iso:3166", "http://snomed.info/sct", "http://loinc.org", "urn:iso:std:iso:3166:-2"] {
            let _ = terms.code(code(system, &text));
        }
    }
}
