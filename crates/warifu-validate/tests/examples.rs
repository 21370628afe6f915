//! The examples on the pages of FHIR's codes (`FHR`, `JPC`, `CLN4xx`), run by the validator.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;

use std::fmt::Write as _;
use std::sync::Arc;

use common::terms_of;
use warifu_diag::{Code, Example, Profiled, Severity, catalogue};
use warifu_package::Library;
use warifu_terminology::Terms;
use warifu_validate::{Finding, Options, Validator};

/// A code whose example is made, since it would fill a page.
struct Made {
    code: &'static str,
    document: fn(usize) -> String,
    /// A size at which it is found, and one at which it is not.
    sizes: [usize; 2],
}

const MADE: &[Made] = &[
    Made {
        code: "FHR307",
        document: nested,
        sizes: [201, 20],
    },
    Made {
        code: "FHR308",
        document: product,
        sizes: [20_000, 20],
    },
    Made {
        code: "FHR309",
        document: wrong,
        sizes: [10_000, 20],
    },
];

/// Items of an array, separated.
fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(", ")
}

/// An observation of so many codes and so many components: `obs-7` compares each with each.
fn product(count: usize) -> String {
    let coding = |system: &str, n: usize| format!(r#"{{"system": "{system}", "code": "{n}"}}"#);
    let codes = list(count, |n| coding("http://e.x", n));
    let parts = list(count, |n| {
        let code = coding("http://e.y", n);
        format!(r#"{{"code": {{"coding": [{code}]}}, "valueInteger": 1}}"#)
    });
    format!(
        r#"{{"resourceType": "Observation", "status": "final", "valueInteger": 1,
        "code": {{"coding": [{codes}]}}, "component": [{parts}]}}"#
    )
}

/// A patient with so many identifiers that have an element of no type.
fn wrong(count: usize) -> String {
    let items = list(count, |_| r#"{"use": "usual", "x": 1}"#.to_owned());
    format!(r#"{{"resourceType": "Patient", "identifier": [{items}]}}"#)
}

/// A patient with extensions nested so many levels deep.
fn nested(levels: usize) -> String {
    let url = r#""url": "http://example.org/fhir/StructureDefinition/Example""#;
    // An extension is an array and an object.
    let depth = levels / 2;
    format!(
        r#"{{"resourceType": "Patient", "extension": [{}{{{url}, "valueBoolean": true}}{}]}}"#,
        format!("{{{url}, \"extension\": [").repeat(depth),
        "]}".repeat(depth),
    )
}

/// Codes that the validator reports; those of packages (`FHR5xx`) are told when one is loaded.
fn codes() -> impl Iterator<Item = Code> {
    catalogue::all().filter(|e| {
        let families = ["FHR", "JPC", "CLN4"];
        families.iter().any(|f| e.code.starts_with(f)) && !e.code.starts_with("FHR5")
    })
}

/// Canonical of the profile of an example: that of the code's family, unless the definition has one.
fn canonical(code: Code) -> &'static str {
    match code.code.get(..3) {
        Some("JPC") => "http://jpfhir.jp/fhir/core/StructureDefinition/Example",
        Some("CLN") => "http://jpfhir.jp/fhir/eCS/StructureDefinition/Example",
        _ => "http://example.org/fhir/StructureDefinition/Example",
    }
}

/// A StructureDefinition or CodeSystem of the members that an example shows.
fn definition(code: Code, example: &Profiled) -> String {
    let members = example.definition;
    if example.kind() == "CodeSystem" {
        return format!(r#"{{"resourceType": "CodeSystem", "status": "active", {members}}}"#);
    }
    let (_, path) = members.split_once("\"path\": \"").unwrap();
    let of = path.split(['.', '"']).next().unwrap();
    let kind = if of == "Extension" {
        "complex-type"
    } else {
        "resource"
    };
    let mut text = format!(
        r#"{{"resourceType": "StructureDefinition", "name": "Example", "status": "active",
        "fhirVersion": "4.0.1", "kind": "{kind}", "abstract": false, "type": "{of}", "derivation": "constraint""#
    );
    for (name, value) in [
        ("url", canonical(code)),
        (
            "baseDefinition",
            &format!("http://hl7.org/fhir/StructureDefinition/{of}"),
        ),
    ] {
        if !members.contains(&format!("\"{name}\": \"http")) {
            let _ = write!(text, r#", "{name}": "{value}""#);
        }
    }
    text + ", " + members + "}"
}

/// Codes and values of a package that has this definition, or of none.
fn terms(definition: Option<String>) -> Terms {
    match definition {
        Some(text) => terms_of(&[&text], &[]),
        None => Terms::new(Arc::new(Library::new(Vec::new()))),
    }
}

/// What is found in an example, and where it says that it is.
fn found(code: Code, example: &Example) -> (&'static str, Vec<Finding>) {
    match *example {
        Example::Json(at, resource) => (at, validate(None, None, resource)),
        Example::Profiled(e) => {
            // What the resource refers to by its url is not imposed.
            let imposed = !e.definition.contains("\"url\": \"http");
            let profile = imposed.then(|| canonical(code));
            (
                e.at,
                validate(Some(definition(code, e)), profile, e.resource),
            )
        }
        other => panic!("{}: {other:?} is no example of FHIR", code.code),
    }
}

fn validate(definition: Option<String>, imposed: Option<&str>, resource: &str) -> Vec<Finding> {
    let terms = terms(definition);
    let options = Options {
        profiles: imposed.into_iter().map(str::to_owned).collect(),
        must_support: true,
        ..Options::default()
    };
    let mut found =
        Validator::new(&**terms.library(), &terms, options).validate(resource.as_bytes());
    // The advice to have a narrative: examples show what they are about and no more.
    found.list.retain(|f| f.code() != "dom-6");
    found.list
}

/// The findings of one that the other has not, as `code at`.
fn beyond(one: &[Finding], other: &[Finding]) -> Vec<String> {
    let name = |f: &Finding| format!("{} {}", f.code.code, f.location);
    let mut known: Vec<String> = other.iter().map(name).collect();
    let mut more = Vec::new();
    for finding in one.iter().map(name) {
        match known.iter().position(|k| *k == finding) {
            Some(at) => {
                known.swap_remove(at);
            }
            None => more.push(finding),
        }
    }
    more
}

fn errors(findings: &[Finding]) -> Vec<String> {
    let errors = findings.iter().filter(|f| f.severity == Severity::Error);
    errors
        .map(|f| format!("{} {}", f.code(), f.location))
        .collect()
}

#[test]
fn the_bad_example_has_its_finding_and_nothing_else_the_good_one_has_none() {
    let mut bad = Vec::new();
    let mut seen = 0;
    for code in codes().filter(|c| MADE.iter().all(|made| made.code != c.code)) {
        if matches!(code.wrong, Example::None) || matches!(code.right, Example::None) {
            bad.push(format!("{}: no example", code.code));
            continue;
        }
        let ((at, wrong), (none, right)) = (found(code, &code.wrong), found(code, &code.right));
        assert_eq!(none, "", "{}", code.code);
        let more = beyond(&wrong, &right);
        if more != [format!("{} {at}", code.code)] {
            bad.push(format!("{} wrong: {more:?}", code.code));
        }
        if right.iter().any(|f| f.code == code) {
            bad.push(format!("{} right: it is found there too", code.code));
        }
        let errors = errors(&right);
        if !errors.is_empty() {
            bad.push(format!("{} right: {errors:?}", code.code));
        }
        seen += 1;
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    assert!(seen >= 80, "{seen}");
}

#[test]
fn what_would_fill_a_page_is_made_and_found_too() {
    for made in MADE {
        let code = codes().find(|c| c.code == made.code).unwrap();
        assert!(matches!(code.wrong, Example::None), "{}", made.code);
        let has = |size: usize| {
            let findings = validate(None, None, &(made.document)(size));
            findings.iter().any(|f| f.code == code)
        };
        assert_eq!(made.sizes.map(has), [true, false], "{}", made.code);
    }
}
