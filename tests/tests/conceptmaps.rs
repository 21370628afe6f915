//! The working group's published maps: each target is covered by a named test or listed as not
//! applicable, for one of three reasons only.
//!
//! `conceptmaps.txt` holds one line a target: `map | source | target | verdict`, where the verdict is
//! `tested: module::tests::name` or `n/a: slip|no-element|superseded: why`.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

fn list() -> Vec<[String; 4]> {
    let text = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("conceptmaps.txt"),
    )
    .unwrap();
    text.lines()
        .filter(|l| !l.trim().is_empty() && !l.starts_with('#'))
        .map(|l| {
            let mut parts = l.splitn(4, '|').map(|p| p.trim().to_owned());
            std::array::from_fn(|_| parts.next().unwrap_or_default())
        })
        .collect()
}

/// Names of all test functions below `crates/` and `tests/`.
fn test_names() -> BTreeSet<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut names = BTreeSet::new();
    for dir in [
        "crates/warifu-map",
        "crates/warifu-terms",
        "crates/warifu-fhir",
        "tests/tests",
    ] {
        for f in common::load(&root.join(dir)) {
            if std::path::Path::new(&f.path)
                .extension()
                .is_some_and(|e| e == "rs")
            {
                let text = String::from_utf8_lossy(&f.bytes);
                for part in text.split("#[test]").skip(1) {
                    if let Some(name) = part.split("fn ").nth(1).and_then(|p| p.split('(').next()) {
                        names.insert(name.trim().to_owned());
                    }
                }
            }
        }
    }
    names
}

#[test]
fn every_verdict_is_a_test_that_exists_or_a_reason_that_counts() {
    let tests = test_names();
    for [map, source, target, verdict] in list() {
        if let Some(test) = verdict.strip_prefix("tested:") {
            let name = test
                .trim()
                .rsplit("::")
                .next()
                .unwrap_or("")
                .split_whitespace()
                .next()
                .unwrap_or("");
            assert!(
                tests.contains(name),
                "{map} {source} {target}: no test {name}"
            );
        } else {
            let reason = verdict
                .strip_prefix("n/a:")
                .unwrap_or_else(|| panic!("{map} {source} {target}: {verdict}"))
                .trim();
            assert!(
                ["slip:", "no-element:", "superseded:"]
                    .iter()
                    .any(|r| reason.starts_with(r)),
                "{map} {source} {target}: {reason}"
            );
        }
    }
}

#[test]
fn every_published_target_has_a_verdict() {
    let Some(shared) = common::shared("every_published_target_has_a_verdict") else {
        return;
    };
    let mut have: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    for [map, source, target, _] in list() {
        let target = if target == "-" || target.is_empty() {
            "None".to_owned()
        } else {
            target
        };
        *have.entry((map, source, target)).or_insert(0) += 1;
    }
    let mut missing = Vec::new();
    let mut targets = 0;
    for f in common::load(&shared.join("reference/jami-conceptmaps")) {
        let map = f
            .path
            .trim_start_matches("ConceptMap-")
            .trim_end_matches(".json")
            .to_owned();
        let v: serde_json::Value = serde_json::from_slice(&f.bytes).unwrap();
        for group in v["group"].as_array().into_iter().flatten() {
            for element in group["element"].as_array().into_iter().flatten() {
                let source = element["code"].as_str().unwrap_or("").to_owned();
                for target in element["target"].as_array().into_iter().flatten() {
                    targets += 1;
                    // The map itself says that there is no target.
                    let Some(target) = target["code"].as_str().map(str::to_owned) else {
                        continue;
                    };
                    let key = (map.clone(), source.clone(), target);
                    match have.get_mut(&key) {
                        Some(n) if *n > 0 => *n -= 1,
                        _ => missing.push(key),
                    }
                }
            }
        }
    }
    assert!(targets >= 431);
    assert!(
        missing.is_empty(),
        "{} targets without a verdict: {missing:#?}",
        missing.len()
    );
}
