//! HL7's FHIRPath suite for R4, by value: order, type and text of each result.
//!
//! Reads `../shared/vectors/fhirpath-r4` and says `skipped` without it. `suite-failures.txt` names the
//! tests that fail, each with its reason; the list must not grow, and what passes must leave it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use warifu_fhirpath::{
    Bounds, Dec, Doc, Engine, Env, Evaluator, Item, Temporal, TemporalKind, Value,
};
use warifu_json::{Limits, ROOT, parse};
use warifu_r4::{Core, annotate};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors/fhirpath-r4")
}

/// Functions that only a terminology server can answer.
const SERVER: &[&str] = &[
    "expand(",
    "lookup(",
    "validateVS(",
    "validateCS(",
    "translate(",
];

fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}

fn same_text(expected: &str, of: &str, actual: &str) -> bool {
    if expected == actual {
        return true;
    }
    if let Some(date) = expected.strip_prefix('@') {
        return date.strip_prefix('T').unwrap_or(date).trim_end_matches('T') == actual;
    }
    // Numbers are equal whatever their digits; a quantity's number too.
    let split = |t: &str| {
        let (n, unit) = t.split_once(' ').unwrap_or((t, ""));
        let digits = Dec::parse(n)?.to_string();
        let digits = match digits.split_once('.') {
            Some(_) => digits
                .trim_end_matches('0')
                .trim_end_matches('.')
                .to_owned(),
            None => digits,
        };
        Some((digits, unit.to_owned()))
    };
    match (split(expected), split(actual)) {
        (Some((a, u)), Some((b, v))) if !matches!(of, "string" | "code" | "id") => a == b && u == v,
        _ => false,
    }
}

/// What is wrong with the result of a test; `None` if nothing is.
fn failure(
    test: roxmltree::Node<'_, '_>,
    engine: &Engine,
    inputs: &BTreeMap<String, Vec<u8>>,
) -> Option<String> {
    let core = Core::builtin();
    let expression = test
        .children()
        .find(|n| n.has_tag_name("expression"))
        .unwrap();
    let text = expression.text().unwrap_or_default();
    let invalid = expression.attribute("invalid");
    let file = test.attribute("inputfile").unwrap_or("patient-example.xml");
    let input = &inputs[Path::new(file).file_stem().unwrap().to_str().unwrap()];
    let tree = parse(input, Limits::FHIR, core).tree;
    let typed = annotate(core, &tree, None);
    let doc = Doc {
        tree: &tree,
        typed: &typed,
    };
    let program = match (engine.compile(text, Bounds::DEFAULT), invalid) {
        (Ok(program), Some("syntax")) => return Some(format!("compiles: {program:?}")),
        (Ok(program), _) => program,
        (Err(_), Some(_)) => return None,
        (Err(e), None) => return Some(e.to_string()),
    };
    let root = Item::root(doc, ROOT);
    let strict = invalid == Some("semantic") || test.attribute("mode") == Some("strict");
    if strict && let Err(e) = engine.check(&program, root.of) {
        return invalid.is_none().then(|| e.to_string());
    }
    let mut env = Env::new(doc);
    env.now = Temporal::parse("2026-11-26T22:15:00.250+09:00", TemporalKind::DateTime);
    let mut evaluator = Evaluator::new(engine, env);
    let result = match evaluator.evaluate(&program, Value::Item(root)) {
        Ok(result) => result.to_vec(),
        Err(e) => return invalid.is_none().then(|| e.to_string()),
    };
    let shown: Vec<(String, String)> = result
        .iter()
        .map(|v| {
            let (space, name) = evaluator.type_of(v);
            // The suite writes types of System as FHIR's primitives.
            let of = match (space, name) {
                ("System", "Quantity") | ("FHIR", _) => name.to_owned(),
                _ => lower_first(name),
            };
            (
                of,
                evaluator.text(v).unwrap_or_else(|| "(complex)".to_owned()),
            )
        })
        .collect();
    if invalid.is_some() {
        return Some(format!("no error: {shown:?}"));
    }
    let outputs: Vec<_> = test
        .children()
        .filter(|n| n.has_tag_name("output"))
        .collect();
    let mut shown = shown;
    if test.attribute("predicate") == Some("true") {
        let truth = match shown.as_slice() {
            [(of, text)] if of == "boolean" => text.clone(),
            [] => "false".to_owned(),
            _ => "true".to_owned(),
        };
        shown = vec![("boolean".to_owned(), truth)];
    }
    let matches = |output: &roxmltree::Node<'_, '_>, (of, text): &(String, String)| {
        output.attribute("type").is_none_or(|t| t == of)
            && same_text(output.text().unwrap_or_default(), of, text)
    };
    let good = outputs.len() == shown.len()
        && if test.attribute("ordered") == Some("false") {
            outputs.iter().all(|o| shown.iter().any(|s| matches(o, s)))
        } else {
            outputs.iter().zip(&shown).all(|(o, s)| matches(o, s))
        };
    let wanted: Vec<_> = outputs
        .iter()
        .map(|o| (o.attribute("type"), o.text()))
        .collect();
    (!good).then(|| format!("{text:?} gives {shown:?} instead of {wanted:?}"))
}

#[test]
fn the_suite_passes_but_for_the_named_failures() {
    let Ok(xml) = std::fs::read_to_string(folder().join("tests-fhir-r4.xml")) else {
        println!("skipped: no {}", folder().display());
        return;
    };
    let known: Vec<&str> = include_str!("suite-failures.txt")
        .lines()
        .filter(|l| !l.starts_with('#') && !l.is_empty())
        .map(|l| l.split(':').next().unwrap())
        .collect();
    let mut inputs = BTreeMap::new();
    for entry in std::fs::read_dir(folder().join("input")).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        inputs.insert(stem, std::fs::read(&path).unwrap());
    }
    let suite = roxmltree::Document::parse(&xml).unwrap();
    let engine = Engine::new(Core::builtin());
    let (mut passed, mut failed, mut skipped) = (0, Vec::new(), Vec::new());
    for test in suite.descendants().filter(|n| n.has_tag_name("test")) {
        let name = test.attribute("name").unwrap();
        let text = test
            .descendants()
            .find_map(|n| n.has_tag_name("expression").then(|| n.text()));
        let text = text.flatten().unwrap_or_default();
        if test.attribute("mode") == Some("tx") || SERVER.iter().any(|f| text.contains(f)) {
            skipped.push(name);
        } else if let Some(why) = failure(test, &engine, &inputs) {
            println!("{name}: {why}");
            failed.push(name);
        } else {
            passed += 1;
        }
    }
    println!(
        "{passed} passed, {} failed, {} not applicable {skipped:?}",
        failed.len(),
        skipped.len()
    );
    assert!(passed + failed.len() + skipped.len() >= 935);
    assert_eq!(
        failed, known,
        "suite-failures.txt names what fails, in the suite's order"
    );
}
