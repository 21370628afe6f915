//! Each malformed fixture gets the finding that names its fault, from the conversion and from the
//! check of the same files, and the rest still converts.

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use warifu_map::{Converter, File, Options, Output};

/// What one case (its files as one storage) gives.
struct Found {
    converted: BTreeSet<&'static str>,
    checked: BTreeSet<&'static str>,
    resources: usize,
}

fn found(case: &str) -> Found {
    let files = common::load(&common::fixtures().join("broken").join(case));
    assert!(!files.is_empty(), "{case} has no file");
    let given: Vec<File<'_>> = files
        .iter()
        .map(|f| File {
            path: &f.path,
            bytes: &f.bytes,
        })
        .collect();
    let mut out = Output::new();
    Converter::new(Options {
        institution: Some("1319999999".to_owned()),
        ..Options::default()
    })
    .convert_patient(&given, &mut out);
    let mut findings = Vec::new();
    warifu_rules::Checker::new(warifu_rules::Options::default()).check_patient(
        &files
            .iter()
            .map(|f| warifu_rules::File {
                path: &f.path,
                bytes: &f.bytes,
            })
            .collect::<Vec<_>>(),
        &mut findings,
    );
    Found {
        converted: out.diagnostics.iter().map(|d| d.code.code).collect(),
        checked: findings.iter().map(|d| d.code.code).collect(),
        resources: out.resources.len(),
    }
}

#[test]
fn every_broken_case_is_named() {
    let mut cases: Vec<String> = std::fs::read_dir(common::fixtures().join("broken"))
        .unwrap()
        .map(|e| e.unwrap())
        .filter(|e| e.path().is_dir())
        .map(|e| e.file_name().into_string().unwrap())
        .collect();
    cases.sort();
    assert!(cases.len() >= 15);
    let mut text = String::new();
    for case in &cases {
        let found = found(case);
        // MAP003 says of a sound field that no element takes it: it names no fault.
        let named = found.converted.iter().any(|c| *c != "MAP003");
        assert!(named, "{case}: the conversion does not name the fault");
        assert!(
            !found.checked.is_empty(),
            "{case}: the check does not name it"
        );
        let list =
            |codes: &BTreeSet<&'static str>| codes.iter().copied().collect::<Vec<_>>().join(" ");
        let _ = writeln!(
            text,
            "{case}: {} resources; {} | {}",
            found.resources,
            list(&found.converted),
            list(&found.checked)
        );
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("broken", text));
}
