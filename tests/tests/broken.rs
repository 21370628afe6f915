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
    let given = common::given(&files);
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

/// Both engines look at the order of segments, the conversion at what it depends on, the check at the
/// whole structure: where the conversion complains, the check does not stay silent, and neither
/// complains of what is in order.
#[test]
fn a_moved_segment_that_the_conversion_names_is_named_by_the_check() {
    const OF_STRUCTURE: [&str; 5] = ["HL7112", "HL7115", "HL7116", "HL7117", "HL7118"];
    let files = common::load(&common::fixtures().join("standard_root"));
    let codes = |path: &str, bytes: &[u8]| {
        let mut out = Output::new();
        Converter::new(Options {
            institution: Some("1319999999".to_owned()),
            ..Options::default()
        })
        .convert(File { path, bytes }, 0, &mut out);
        let mut findings = Vec::new();
        warifu_rules::Checker::new(warifu_rules::Options::default())
            .check_patient(&[warifu_rules::File { path, bytes }], &mut findings);
        let converted = out.diagnostics.iter().any(|d| d.code.code == "HL7112");
        let checked = findings.iter().any(|d| OF_STRUCTURE.contains(&d.code.code));
        (converted, checked)
    };
    let (mut moved, mut named, mut both) = (0, 0, 0);
    let mut kinds = BTreeSet::new();
    for file in &files {
        let kind = file.path.rsplit('/').nth(1).unwrap_or_default().to_owned();
        if !file.bytes.starts_with(b"MSH") || !kinds.insert(kind) {
            continue;
        }
        let (converted, checked) = codes(&file.path, &file.bytes);
        assert!(
            !converted || checked,
            "{}: only the conversion names its order",
            file.path
        );
        let lines: Vec<&[u8]> = file.bytes.split_inclusive(|b| *b == b'\r').collect();
        for from in 1..lines.len() {
            for to in 1..lines.len() {
                let mut order = lines.clone();
                let line = order.remove(from);
                order.insert(to, line);
                if order == lines {
                    continue;
                }
                moved += 1;
                let (converted, checked) = codes(&file.path, &order.concat());
                named += usize::from(checked);
                both += usize::from(converted);
                assert!(
                    !converted || checked,
                    "{}: segment {} moved to {}: only the conversion names it",
                    file.path,
                    from + 1,
                    to + 1
                );
            }
        }
    }
    assert!(kinds.len() >= 26, "{} kinds", kinds.len());
    assert!(
        moved > 1000 && both > moved / 10 && named > moved / 4,
        "{moved} moved, {named} named by the check, {both} by the conversion too"
    );
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
