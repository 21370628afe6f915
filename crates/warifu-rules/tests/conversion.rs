//! The examples on the pages of the conversion's codes (`MAP`, `CLN1xx`–`CLN3xx`), converted.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;

use common::{Owned, files};
use warifu_convert::{Job, JobOptions, OptionValue, To};
use warifu_diag::{Code, Example, catalogue};
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
    ("MAP439", "vital signs: kinds/vital of warifu-map"),
    ("MAP001", "an option, below"),
    ("MAP002", "an option, below"),
    ("MAP014", "65,535 files: tests/tests/hostile.rs"),
    ("MAP016", "an order in two files: imaging of warifu-map"),
    ("MAP021", "two messages of one order: convert of warifu-map"),
    ("MAP022", "two messages of one order: convert of warifu-map"),
    (
        "MAP023",
        "two messages of one moment: convert of warifu-map",
    ),
    ("MAP024", "two messages of one order: convert of warifu-map"),
    ("MAP026", "two messages of a person: convert of warifu-map"),
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

/// Whether a code is of the conversion; those of JP-CLINS are found when that is the output.
fn is_of_conversion(e: Code) -> bool {
    e.code.starts_with("MAP") || is_of_clins(e)
}

fn is_of_clins(e: Code) -> bool {
    e.code.starts_with("CLN") && !e.code.starts_with("CLN4")
}

/// An insurance with all parts of its number: without one no Bundle of JP-CLINS is made.
const INSURED: &str = "IN1|1|06^組合管掌健康保険^JHSD0001|06139998|||||||割符・12345・01||20250401|20270331||||SEL^本人^HL70063";

/// The files of an example; beside those of JP-CLINS the patient and a disease, if they are not among them.
fn files_of(code: Code, example: &Example) -> Vec<Owned> {
    let mut all = files(example);
    if is_of_clins(code) {
        for beside in [
            Example::Lines("ADT-00", INSURED),
            Example::Lines("PPR-01", ""),
        ] {
            for (path, bytes) in files(&beside) {
                let kind = path.split('/').nth(4).unwrap();
                if !all.iter().any(|(p, _)| p.contains(kind)) {
                    all.push((path, bytes));
                }
            }
        }
        // As a storage is walked.
        all.sort();
    }
    all
}

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
fn found(code: Code, example: &Example) -> Vec<String> {
    let mut options = given();
    if is_of_clins(code) {
        options.to = To::Clins;
    }
    if let Example::Options(given) = example {
        options.institution = None;
        let mut words = given.split_whitespace();
        while let (Some(option), Some(value)) = (words.next(), words.next()) {
            let name = match option {
                "--to" => "to",
                "--institution" => "institution",
                "--sent-at" => "sentAt",
                other => unreachable!("{other}"),
            };
            options
                .set(name, OptionValue::Text(value.to_owned()))
                .unwrap();
        }
    }
    let owned = files_of(code, example);
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
    for e in catalogue::all().filter(|e| is_of_conversion(e)) {
        let elsewhere = ELSEWHERE.iter().any(|(code, _)| *code == e.code);
        // Where nothing is wrong and nothing can be done, there is nothing to show beside it.
        let alone = is_of_clins(e) && e.help_en.starts_with("nothing needs to be done");
        if matches!(e.wrong, Example::None) != elsewhere
            || matches!(e.right, Example::None) && !elsewhere && !alone
        {
            bad.push(format!("{}: no example", e.code));
            continue;
        }
        if elsewhere {
            continue;
        }
        let (wrong, right) = (found(e, &e.wrong), found(e, &e.right));
        if !wrong.iter().any(|c| c == e.code) {
            bad.push(format!("{} wrong: {wrong:?}", e.code));
        }
        if !matches!(e.right, Example::None) && right.iter().any(|c| c == e.code) {
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
