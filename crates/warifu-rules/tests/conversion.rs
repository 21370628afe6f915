//! The examples on the pages of the conversion's codes (`MAP`), converted.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;

use common::files;
use warifu_convert::{Job, JobOptions, OptionValue};
use warifu_diag::{Example, catalogue};
use warifu_map::File;

/// Codes that a message does not give by itself, and what does.
const ELSEWHERE: &[(&str, &str)] = &[
    ("MAP017", "any field: kinds of warifu-map"),
    (
        "MAP311",
        "fields without an element: kinds/medication of warifu-map",
    ),
    (
        "MAP408",
        "a result beside its order: kinds/imaging of warifu-map",
    ),
    (
        "MAP436",
        "files of a document: kinds/document of warifu-map",
    ),
    (
        "MAP437",
        "files of a document: kinds/document of warifu-map",
    ),
    (
        "MAP438",
        "files of a document: kinds/document of warifu-map",
    ),
    ("MAP001", "an option, below"),
    ("MAP002", "an option, below"),
    ("MAP014", "65,535 files: tests/tests/hostile.rs"),
    ("MAP016", "an order in two files: imaging of warifu-map"),
    (
        "MAP431",
        "files of a document: kinds/document of warifu-map",
    ),
    (
        "MAP432",
        "files of a document: kinds/document of warifu-map",
    ),
    (
        "MAP433",
        "files of a document: kinds/document of warifu-map",
    ),
    (
        "MAP434",
        "files of a document: kinds/document of warifu-map",
    ),
    (
        "MAP435",
        "files of a document: kinds/document of warifu-map",
    ),
    (
        "MAP452",
        "files of a document: kinds/document of warifu-map",
    ),
];

/// Everything that a site gives.
fn given() -> JobOptions {
    let mut options = JobOptions {
        institution: Some("1319999999".to_owned()),
        provenance: true,
        ..JobOptions::default()
    };
    options
        .set("idKey", OptionValue::Bytes(vec![7; 32]))
        .unwrap();
    options
}

/// Codes of what is found when the files of an example are converted as those of one patient.
fn found(example: &Example) -> Vec<String> {
    let options = given();
    let owned = files(example);
    let files: Vec<File<'_>> = owned
        .iter()
        .map(|(path, bytes)| File { path, bytes })
        .collect();
    let out = Job::new(options).unwrap().convert_patient(&files);
    out.diagnostics.into_iter().map(|d| d.code).collect()
}

#[test]
fn wrong_examples_are_found_and_right_ones_are_not() {
    let mut bad = Vec::new();
    for e in catalogue::all().filter(|e| e.code.starts_with("MAP")) {
        let elsewhere = ELSEWHERE.iter().any(|(code, _)| *code == e.code);
        if matches!(e.wrong, Example::None) != elsewhere
            || matches!(e.right, Example::None) != elsewhere
        {
            bad.push(format!("{}: no example", e.code));
            continue;
        }
        if elsewhere {
            continue;
        }
        let (wrong, right) = (found(&e.wrong), found(&e.right));
        if !wrong.iter().any(|c| c == e.code) {
            bad.push(format!("{} wrong: {wrong:?}", e.code));
        }
        if right.iter().any(|c| c == e.code) {
            bad.push(format!("{} right: {right:?}", e.code));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn options_tell_what_they_leave_open() {
    let codes = |options: JobOptions| -> Vec<String> {
        let job = Job::new(options).unwrap();
        job.option_findings().into_iter().map(|f| f.code).collect()
    };
    assert_eq!(codes(JobOptions::default()), ["MAP001", "MAP002"]);
    assert_eq!(codes(given()), Vec::<String>::new());
}
