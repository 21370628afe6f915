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
const DOC: &str = include_str!("../../../docs/published-examples.md");

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
