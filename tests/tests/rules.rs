//! The check on the fixtures and on the shared samples.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail loudly and says aloud what it skips"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use warifu_diag::{Diagnostic, Severity};
use warifu_rules::{Checker, File, Options, Profiles};

/// Findings of a storage, patient by patient, with the path of their file.
fn findings(root: &Path, options: Options) -> Vec<(String, Diagnostic)> {
    let files = common::load(root);
    let mut patients: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, f) in files.iter().enumerate() {
        let parts: Vec<&str> = warifu_ssmix2::components(&f.path).collect();
        let key = match warifu_ssmix2::locate(&parts) {
            warifu_ssmix2::Place::Item(item) => item.patient.to_owned(),
            // Notes beside the storage; the broken cases have files that belong nowhere.
            _ if f.path.ends_with("SOURCE.md") => continue,
            _ => f.path.clone(),
        };
        patients.entry(key).or_default().push(i);
    }
    let mut checker = Checker::new(options);
    let mut all = Vec::new();
    for own in patients.values() {
        let given: Vec<File<'_>> = own
            .iter()
            .map(|i| File {
                path: &files[*i].path,
                bytes: &files[*i].bytes,
            })
            .collect();
        let mut out = Vec::new();
        checker.check_patient(&given, &mut out);
        all.extend(out.into_iter().map(|d| {
            let file = own[usize::try_from(d.span.source.0).unwrap()];
            (files[file].path.clone(), d)
        }));
    }
    all
}

fn nho() -> Options {
    Options {
        profiles: Profiles {
            nho: true,
            strict: false,
        },
        preview: false,
    }
}

/// One line a finding: file, code, field path, bytes. No content.
fn listed(found: &[(String, Diagnostic)]) -> String {
    let mut text = String::new();
    let mut file = "";
    for (path, d) in found {
        if path != file {
            file = path;
            let _ = writeln!(text, "{path}");
        }
        let place = d.path.map_or_else(String::new, |p| p.to_string());
        let _ = writeln!(
            text,
            "  {} {} {place} {}..{}",
            d.code.code,
            d.severity.word(),
            d.span.start,
            d.span.end
        );
    }
    text
}

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name.to_owned(), text));
}

#[test]
fn findings_on_the_fixtures() {
    let found = findings(
        &common::fixtures().join("standard_root"),
        Options::default(),
    );
    snapshot("check_fixtures", &listed(&found));
}

#[test]
fn a_content_folder_of_several_files_has_no_error() {
    let found = findings(
        &common::fixtures().join("extended_root"),
        Options::default(),
    );
    let errors: Vec<_> = found
        .iter()
        .filter(|(_, d)| d.severity == warifu_diag::Severity::Error)
        .map(|(path, d)| (path, d.code.code))
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn what_is_no_message_has_no_fix() {
    for bytes in [
        &b"#!/bin/sh\necho hi\n"[..],
        &[0; 1000],
        b"# README\n",
        b"\x89PNG\r\n\x1a\n",
    ] {
        let mut found = Vec::new();
        warifu_rules::Checker::new(Options::default()).check_file(
            warifu_rules::File {
                path: "run.sh",
                bytes,
            },
            0,
            &mut found,
        );
        assert!(found.iter().any(|d| d.code.code == "HL7102"), "{found:?}");
        assert!(found.iter().all(|d| d.fix().is_none()), "{found:?}");
    }
}

#[test]
fn every_broken_case_is_named_by_the_check() {
    let root = common::fixtures().join("broken");
    let mut cases: Vec<_> = std::fs::read_dir(&root)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir())
        .collect();
    cases.sort();
    let mut text = String::new();
    for case in cases {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let codes: BTreeSet<&str> = findings(&case, Options::default())
            .iter()
            .map(|(_, d)| d.code.code)
            .collect();
        let list: Vec<&str> = codes.into_iter().collect();
        let _ = writeln!(text, "{name}: {}", list.join(" "));
    }
    snapshot("check_broken", &text);
}

#[test]
fn findings_on_the_shared_samples() {
    let Some(shared) = common::shared("findings_on_the_shared_samples") else {
        return;
    };
    let mut text = String::new();
    for sample in ["nho-testing-tool", "nho-documents", "synthetic-small"] {
        let found = findings(&shared.join("samples/ssmix2").join(sample), nho());
        if sample == "synthetic-small" {
            // Many files: totals by code, severity and field.
            let mut totals: BTreeMap<String, usize> = BTreeMap::new();
            for (_, d) in &found {
                let place = d
                    .path
                    .map_or_else(String::new, |p| format!("{}-{}", p.segment_name(), p.field));
                let key = format!("{} {} {place}", d.code.code, d.severity.word());
                *totals.entry(key).or_default() += 1;
            }
            let _ = writeln!(text, "{sample}");
            for (key, n) in totals {
                let _ = writeln!(text, "  {n:5} {key}");
            }
        } else {
            let _ = writeln!(text, "{sample}\n{}", listed(&found));
        }
    }
    snapshot("check_samples", &text);
}

#[test]
fn clean_samples_have_no_error() {
    let Some(shared) = common::shared("clean_samples_have_no_error") else {
        return;
    };
    let found = findings(
        &shared.join("samples/ssmix2/synthetic-small"),
        Options::default(),
    );
    let mut errors: Vec<String> = found
        .iter()
        .filter(|(_, d)| d.severity == Severity::Error)
        .map(|(_, d)| format!("{} {:?}", d.code.code, d.path.map(|p| p.to_string())))
        .collect();
    errors.sort();
    errors.dedup();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// What a verdict of the NHO tool needs to find in ours: any of these codes, for a field where one is
/// named.
fn answers(check: &str, detail: &str, found: &[&Diagnostic]) -> bool {
    let unreadable = found.iter().any(|d| d.code.code == "HL7102");
    let named = |d: &&&Diagnostic| {
        let path = d
            .path
            .map_or_else(String::new, |p| format!("{}-{}", p.segment_name(), p.field));
        path == detail || d.argument.as_deref() == Some(detail)
    };
    let has = |codes: &[&str]| found.iter().any(|d| codes.contains(&d.code.code));
    match check {
        "path" => has(&["SSM101", "SSM120", "SSM121", "SSM122", "SSM123", "SSM124"]),
        "jis" => has(&["ENC113", "NHO101"]) || unreadable,
        "caredate" => has(&["SSM107", "SSM150"]) || unreadable,
        "order" => has(&["HL7112", "HL7115", "HL7116", "HL7117"]) || unreadable,
        "required" => found.iter().filter(named).any(|d| d.code.code == "SSM201"),
        "numeric" => {
            let numbers = ["HL7201", "HL7202", "HL7203", "HL7204", "SSM644", "SSM645"];
            found
                .iter()
                .filter(named)
                .any(|d| numbers.contains(&d.code.code))
        }
        other => panic!("unknown check {other}"),
    }
}

#[test]
fn every_verdict_of_the_nho_tool_is_answered() {
    let Some(shared) = common::shared("every_verdict_of_the_nho_tool_is_answered") else {
        return;
    };
    let verdicts = std::fs::read_to_string(shared.join("vectors/nho-verdicts.txt")).unwrap();
    let samples = shared.join("samples/ssmix2");
    let found = findings(&samples.join("nho-testing-tool"), nho());
    let of = |file: &str| -> Vec<&Diagnostic> {
        found
            .iter()
            .filter(|(path, _)| path.ends_with(file))
            .map(|(_, d)| d)
            .collect()
    };
    let (_, by_file) = verdicts
        .split_once("[nho-testing-tool/standard_root]")
        .unwrap();
    let mut file = "";
    let mut missed = Vec::new();
    let mut count = 0;
    for line in by_file.lines() {
        if line.starts_with('[') {
            break;
        }
        if !line.starts_with(' ') {
            file = line.trim();
            continue;
        }
        let Some((check, verdict)) = line.trim().split_once(": ") else {
            continue;
        };
        let Some(detail) = verdict.strip_prefix("NG") else {
            continue;
        };
        if check == "order-strict" || check == "messages" {
            continue;
        }
        let own = of(file);
        let inner = detail.trim_start_matches('(').trim_end_matches(')');
        let details: Vec<String> = match check {
            "required" => inner
                .split(' ')
                .map(|f| f.split('x').next().unwrap().to_owned())
                .collect(),
            // `TQ1-2-0: …` names component 0 of TQ1-2.
            "numeric" => inner
                .split("; ")
                .map(|n| {
                    let place = n.split(':').next().unwrap();
                    place.split('-').take(2).collect::<Vec<_>>().join("-")
                })
                .collect(),
            _ => vec![String::new()],
        };
        for detail in details {
            count += 1;
            if !answers(check, &detail, &own) {
                missed.push(format!("{check} {detail} {file}"));
            }
        }
    }
    assert!(count > 60, "{count} verdicts read");
    assert!(missed.is_empty(), "{count} verdicts; missed: {missed:#?}");
}
