//! Mutation test of the FHIR validator: one fault at a time is put into the published examples, and the
//! validator has to say where it is.
//!
//! A finding counts when the example does not have it and when it names the element, what it stands in,
//! or the place that the definitions are broken at. Whether a mutant is a fault at all is decided by
//! `oracle`, which reads the definitions by itself.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail loudly and says aloud what it skips"
)]

#[path = "../common/mod.rs"]
mod common;
mod definitions;
mod hapi;
mod operators;
mod oracle;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use definitions::Definitions;
use operators::{Case, Mutant, OPERATORS, Operator};
use warifu_diag::Severity;
use warifu_validate::{Finding, Options, Validator};

/// Most mutants of an operator.
const MOST: usize = 60;
/// Fewest mutants of an operator that are faults.
const FEWEST: usize = 20;

/// Misses that are known, each with its reason: operator, label.
const KNOWN: &[(&str, &str, &str)] = &[];

/// Guides whose examples are changed.
const CHANGED: &[&str] = &["jp-core-1.2.0", "jp-clins-1.5.3", "jp-echeckupreport-1.5.0"];

/// What became of the mutants of an operator.
#[derive(Default)]
struct Tally {
    mutants: usize,
    allowed: usize,
    found: usize,
    missed: BTreeMap<String, usize>,
}

/// What the validator finds wrong: place and code; of warnings only those of references to nothing.
fn complaints(validator: &Validator<'_>, text: &str) -> Vec<Finding> {
    let found = validator.validate(text.as_bytes());
    found
        .list
        .into_iter()
        .filter(|f| f.severity == Severity::Error || matches!(f.code.code, "FHR211" | "FHR213"))
        .collect()
}

/// The first of each label, then the second of each, up to `most`.
fn chosen(all: Vec<(usize, Mutant)>, most: usize) -> Vec<(usize, Mutant)> {
    let mut by_label: BTreeMap<String, Vec<(usize, Mutant)>> = BTreeMap::new();
    for one in all {
        by_label.entry(one.1.label.clone()).or_default().push(one);
    }
    let mut queues: Vec<_> = by_label.into_values().map(Vec::into_iter).collect();
    let mut out = Vec::new();
    loop {
        let before = out.len();
        for queue in &mut queues {
            if out.len() < most {
                out.extend(queue.next());
            }
        }
        if out.len() == before || out.len() == most {
            return out;
        }
    }
}

/// A guide's definitions, twice, and its examples that are clean.
struct Guide {
    name: &'static str,
    archives: &'static [&'static str],
    definitions: Definitions,
    terms: warifu_terminology::Terms,
    cases: Vec<Case>,
}

/// Some guides publish examples that claim a version of a profile that is in no package of theirs, by
/// which nothing is checked: they claim the profile alone here.
fn claim_any_version(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Array(items) => items.iter_mut().for_each(claim_any_version),
        serde_json::Value::Object(members) => {
            let claims = members.get_mut("meta").and_then(|m| m.get_mut("profile"));
            let claims = claims.and_then(serde_json::Value::as_array_mut);
            for claim in claims.into_iter().flatten() {
                if let Some((url, _)) = claim.as_str().and_then(|c| c.split_once('|')) {
                    *claim = url.into();
                }
            }
            members.values_mut().for_each(claim_any_version);
        }
        _ => {}
    }
}

fn guides(shared: &Path) -> Vec<Guide> {
    let packages = shared.join("fhir/packages");
    let mut core = Definitions::default();
    core.add(&packages.join("hl7.fhir.r4.core-4.0.1.tgz"));
    common::packages::GUIDES
        .iter()
        .filter(|(name, _)| CHANGED.contains(name))
        .map(|(name, archives)| {
            let mut definitions = core.clone();
            for archive in *archives {
                definitions.add(&packages.join(format!("{archive}.tgz")));
            }
            let terms = common::packages::terms(&shared.join("fhir"), archives);
            let validator = Validator::new(&**terms.library(), &terms, Options::default());
            let mut cases = Vec::new();
            for file in common::load(&shared.join("fhir/examples").join(name)) {
                if Path::new(&file.path).extension() != Some("json".as_ref()) {
                    continue;
                }
                let mut value: serde_json::Value = serde_json::from_slice(&file.bytes).unwrap();
                claim_any_version(&mut value);
                let text = value.to_string();
                if !complaints(&validator, &text).is_empty() {
                    continue;
                }
                let seen = oracle::see(&definitions, &text);
                assert!(seen.faults.is_empty(), "{}: {:?}", file.path, seen.faults);
                cases.push(Case {
                    name: file.path,
                    value,
                    nodes: seen.nodes,
                });
            }
            drop(validator);
            // Small examples first: Bundles are for what only they have.
            cases.sort_by_key(|c| c.nodes.len());
            Guide {
                name,
                archives,
                definitions,
                terms,
                cases,
            }
        })
        .collect()
}

fn run(guide: &Guide, validator: &Validator<'_>, operator: &Operator, tally: &mut Tally) {
    let mut all = Vec::new();
    for (n, case) in guide.cases.iter().enumerate() {
        let mut own = Vec::new();
        (operator.run)(case, &guide.definitions, &mut own);
        all.extend(own.into_iter().map(|m| (n, m)));
    }
    for (n, mutant) in chosen(all, MOST / CHANGED.len()) {
        let case = &guide.cases[n];
        let text = mutant.edit.apply(&case.value);
        tally.mutants += 1;
        // The oracle finds nothing in a clean example: every fault is new.
        let new = oracle::see(&guide.definitions, &text).faults;
        if new.is_empty() {
            tally.allowed += 1;
            if std::env::var_os("WARIFU_MUTATION").is_some() {
                println!("ALLOWED {} {} {}", operator.name, mutant.label, case.name);
            }
            continue;
        }
        let places: BTreeSet<&str> = mutant
            .places
            .iter()
            .map(String::as_str)
            .chain(new.keys().map(|f| &*f.place))
            .collect();
        let found = complaints(validator, &text);
        if found.iter().any(|f| places.contains(&*f.location)) {
            tally.found += 1;
            continue;
        }
        if std::env::var_os("WARIFU_MUTATION").is_some() {
            println!(
                "MISS {} {} {} {} want {places:?} by {new:?}",
                operator.name, mutant.label, guide.name, case.name
            );
            for f in &found {
                println!("    {} {} {}", f.code(), f.location, f.argument);
            }
        }
        *tally.missed.entry(mutant.label).or_default() += 1;
    }
}

#[test]
fn faults_in_published_examples_are_found_where_they_are() {
    let Some(shared) = common::shared("faults_in_published_examples") else {
        return;
    };
    let guides = guides(&shared);
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    for guide in &guides {
        let validator = Validator::new(&**guide.terms.library(), &guide.terms, Options::default());
        for operator in OPERATORS {
            run(
                guide,
                &validator,
                operator,
                tallies.entry(operator.name).or_default(),
            );
        }
    }
    let mut text = String::from("mutants allowed   found missed operator\n");
    let mut complaints = Vec::new();
    let mut sum = Tally::default();
    for operator in OPERATORS {
        let tally = &tallies[operator.name];
        let faults = tally.mutants - tally.allowed;
        let _ = writeln!(
            text,
            "{:7} {:7} {:7} {:6} {}",
            tally.mutants,
            tally.allowed,
            tally.found,
            faults - tally.found,
            operator.name
        );
        for (label, n) in &tally.missed {
            let _ = writeln!(text, "        missed {n} × {label}");
            if !KNOWN
                .iter()
                .any(|(o, l, _)| (*o, *l) == (operator.name, label.as_str()))
            {
                complaints.push(format!(
                    "{}: {label} is missed and not listed",
                    operator.name
                ));
            }
        }
        if faults < FEWEST {
            complaints.push(format!(
                "{}: {faults} faults, fewer than {FEWEST}",
                operator.name
            ));
        }
        if tally.allowed * 10 > tally.mutants {
            complaints.push(format!(
                "{}: {} of {} are allowed",
                operator.name, tally.allowed, tally.mutants
            ));
        }
        sum.mutants += tally.mutants;
        sum.allowed += tally.allowed;
        sum.found += tally.found;
    }
    let faults = sum.mutants - sum.allowed;
    let cases: usize = guides.iter().map(|g| g.cases.len()).sum();
    let _ = writeln!(
        text,
        "{:7} {:7} {:7} {:6} all\nfrom {cases} clean examples",
        sum.mutants,
        sum.allowed,
        sum.found,
        faults - sum.found
    );
    if faults < 2_000 {
        complaints.push(format!("{faults} mutants, fewer than 2,000"));
    }
    if sum.found * 100 < faults * 99 {
        complaints.push(format!("{} of {faults} found, below 99 %", sum.found));
    }
    println!("{text}");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("fhir_mutation", text));
    assert!(complaints.is_empty(), "{complaints:#?}");
}
