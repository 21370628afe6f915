//! The pages of `docs/rules` are those of the catalogue.
//!
//! `WARIFU_WRITE_DOCS=1` writes them (`cargo xtask docs` does); otherwise any difference fails.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]

use std::collections::BTreeMap;
use std::path::Path;

use warifu_report::rule::{document, index};

#[test]
fn the_pages_of_rules_are_those_of_the_catalogue() {
    let mut wanted: BTreeMap<String, String> = warifu_rules::entries()
        .map(|e| (format!("{}.md", e.code), document(e)))
        .collect();
    wanted.insert("README.md".to_owned(), index(warifu_rules::entries()));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rules");
    if std::env::var_os("WARIFU_WRITE_DOCS").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        for file in std::fs::read_dir(&folder).unwrap() {
            std::fs::remove_file(file.unwrap().path()).unwrap();
        }
        for (name, text) in &wanted {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    let there: BTreeMap<String, String> = std::fs::read_dir(&folder)
        .expect("docs/rules: run `cargo xtask docs`")
        .map(|f| {
            let path = f.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    let names = |m: &BTreeMap<String, String>| m.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&there), names(&wanted), "run `cargo xtask docs`");
    for (name, text) in &wanted {
        assert!(
            there.get(name) == Some(text),
            "{name} is old: run `cargo xtask docs`"
        );
    }
}

/// The families that `warifu check` reports of SS-MIX2 storages and messages.
const OF_STORAGES: [&str; 4] = ["ENC", "HL7", "NHO", "SSM"];

#[test]
fn the_numbers_of_rules_in_the_documents_are_those_of_the_catalogue() {
    let entries: Vec<_> = warifu_rules::entries().collect();
    let all = entries.len();
    let of_storages = entries
        .iter()
        .filter(|e| OF_STORAGES.iter().any(|f| e.code.starts_with(f)))
        .count();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for name in ["README.md", "CHANGELOG.md"] {
        let text = std::fs::read_to_string(root.join(name)).unwrap();
        for sentence in [format!("{of_storages} rules"), format!("{all} codes")] {
            assert!(text.contains(&sentence), "{name} does not say {sentence:?}");
        }
    }
}
