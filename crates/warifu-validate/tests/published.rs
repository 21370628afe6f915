//! Every published example against the packages of its guide.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod common;

use std::collections::BTreeMap;
use std::fmt::Write;

use common::{GUIDES, shared, terms};
use warifu_diag::Severity;
use warifu_package::{Limits, unpack_all};
use warifu_validate::{Options, Validator};

fn files(folder: &std::path::Path, out: &mut Vec<std::path::PathBuf>) {
    let mut list: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    list.sort();
    for path in list {
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|e| e == "json") {
            out.push(path);
        }
    }
}

/// The reviewed table: guide, file and its error codes with how often; files without errors are counted.
const TABLE: &str = include_str!("published.txt");
const HAPI: &str = include_str!("../../../docs/hapi.md");
const DOC: &str = include_str!("../../../docs/published-examples.md");

/// The errors of R4's own definitions: file, code, how often. docs/hapi.md says what each is.
const OWN: &[(&str, &str, usize)] = &[
    ("CodeSystem-dicom-dcim", "FHR203", 14),
    ("ConceptMap-cm-administrative-gender-v3", "FHR104", 1),
    (
        "SearchParameter-DeviceDefinition-classification",
        "FHR241",
        1,
    ),
    (
        "SearchParameter-MedicinalProductPharmaceutical-target-species",
        "FHR241",
        1,
    ),
    ("StructureDefinition-Consent", "FHR015", 2),
    ("StructureDefinition-SubscriptionStatus", "FHR101", 1),
    ("StructureDefinition-catalog", "FHR241", 1),
    (
        "StructureDefinition-familymemberhistory-genetic",
        "FHR241",
        3,
    ),
    ("ValueSet-example-hierarchical", "FHR015", 1),
    ("ValueSet-nhin-purposeofuse", "FHR104", 4),
    ("ValueSet-v2-2.1-0006", "FHR241", 1),
    ("ValueSet-v2-2.3.1-0360", "FHR241", 1),
    ("ValueSet-v2-2.4-0006", "FHR241", 1),
    ("ValueSet-v2-2.4-0391", "FHR241", 1),
    ("ValueSet-v2-2.6-0391", "FHR241", 1),
    ("ValueSet-v2-2.7-0360", "FHR241", 1),
];

#[test]
fn definitions_of_r4_have_the_errors_that_are_explained_and_no_other() {
    let Some(shared) = shared() else {
        println!("skipped: no ../shared");
        return;
    };
    let archive = shared.join("packages/hl7.fhir.r4.core-4.0.1.tgz");
    let all = unpack_all(&std::fs::read(archive).unwrap(), &Limits::PACKAGE).files;
    let terms = terms(&shared, &[]);
    let validator = Validator::new(&**terms.library(), &terms, Options::default());
    let mut found: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut definitions = 0;
    for file in &all {
        let leaf = file.path.rsplit('/').next().unwrap();
        let Some(name) = leaf.strip_suffix(".json").filter(|n| n.contains('-')) else {
            continue;
        };
        definitions += 1;
        for f in validator.validate(&file.bytes).list {
            if f.severity == Severity::Error {
                *found
                    .entry((name.to_owned(), f.code().to_owned()))
                    .or_default() += 1;
            }
        }
    }
    let wanted: BTreeMap<_, _> = OWN
        .iter()
        .map(|(name, code, n)| (((*name).to_owned(), (*code).to_owned()), *n))
        .collect();
    assert_eq!(found, wanted);
    let errors: usize = wanted.values().sum();
    let said = format!(
        "the {},{:03} definitions that R4 publishes finds {errors} errors",
        definitions / 1000,
        definitions % 1000
    );
    assert!(HAPI.contains(&said), "docs/hapi.md does not say: {said}");
    for (name, _, _) in OWN {
        assert!(HAPI.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn published_examples_get_the_reviewed_verdict() {
    let Some(shared) = shared() else {
        println!("skipped: no ../shared");
        return;
    };
    let mut table = String::new();
    let (mut all, mut right) = (0, 0);
    for (guide, archives) in GUIDES {
        let terms = terms(&shared, archives);
        let validator = Validator::new(&**terms.library(), &terms, Options::default());
        let mut paths = Vec::new();
        files(&shared.join("examples").join(guide), &mut paths);
        let mut clean = 0;
        let mut rows = String::new();
        for path in &paths {
            let bytes = std::fs::read(path).unwrap();
            let found = validator.validate(&bytes);
            let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
            for f in found.list.iter().filter(|f| f.severity == Severity::Error) {
                *codes.entry(f.code()).or_default() += 1;
                if std::env::var_os("WARIFU_SHOW").is_some() {
                    println!(
                        "{} {} {} {} {:?}",
                        path.display(),
                        f.code(),
                        f.location,
                        f.argument,
                        f.reasons
                    );
                }
            }
            if codes.is_empty() {
                clean += 1;
                continue;
            }
            let name = path.file_name().unwrap().to_str().unwrap();
            let codes: Vec<_> = codes.iter().map(|(c, n)| format!("{c}×{n}")).collect();
            writeln!(rows, "{name}: {}", codes.join(" ")).unwrap();
        }
        all += paths.len();
        right += clean;
        writeln!(
            table,
            "# {guide}: {} files, {clean} without errors\n{rows}",
            paths.len()
        )
        .unwrap();
    }
    if std::env::var_os("WARIFU_BLESS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/published.txt");
        std::fs::write(path, &table).unwrap();
    }
    assert_eq!(
        table, TABLE,
        "the table is reviewed in docs/published-examples.md"
    );
    let said = format!("{all} files in nine sets; {right} have no error.");
    assert!(DOC.contains(&said), "docs/published-examples.md: {said}");
}
