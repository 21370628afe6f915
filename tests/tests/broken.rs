//! Each malformed fixture gets the finding that names its fault, and the rest still converts.

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use warifu_map::{Converter, File, Options, Output};

/// Codes found for one case (its files as one storage).
fn codes(case: &str) -> (BTreeSet<&'static str>, usize) {
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
    (
        out.diagnostics.iter().map(|d| d.code.code).collect(),
        out.resources.len(),
    )
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
        let (codes, resources) = codes(case);
        let list: Vec<&str> = codes.into_iter().collect();
        assert!(!list.is_empty(), "{case}: nothing names the fault");
        let _ = writeln!(text, "{case}: {resources} resources; {}", list.join(" "));
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("broken", text));
}
