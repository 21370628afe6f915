//! Everything that the conversion writes follows the profiles it claims: JP Core 1.2.0, and JP-CLINS 1.5.3
//! on JP Core 1.1.2.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test may fail loudly, and says aloud what it skips"
)]

mod common;

use warifu_convert::{Job, JobOptions, Per, To};
use warifu_diag::Severity;
use warifu_validate::{Options, Validator};

const ROOTS: &[&str] = &[
    "nho-documents/standard_root",
    "nho-documents/extended_root",
    "nho-testing-tool/standard_root",
    "synthetic-small/standard_root",
];

/// Converts every patient of the fixtures and the shared samples, and validates every piece; the number
/// of pieces.
fn check(test: &str, archives: &[&str], options: &JobOptions) -> usize {
    let Some(shared) = common::shared(test) else {
        return usize::MAX;
    };
    let terms = common::packages::terms(&shared.join("fhir"), archives);
    let validator = Validator::new(&**terms.library(), &terms, Options::default());
    let mut folders = vec![
        common::fixtures().join("standard_root"),
        common::fixtures().join("extended_root"),
    ];
    folders.extend(ROOTS.iter().map(|r| shared.join("samples/ssmix2").join(r)));
    let mut count = 0;
    for folder in folders {
        for (_, files) in common::by_patient(common::load(&folder)) {
            let given = common::given(&files);
            let mut job = Job::new(options.clone()).unwrap();
            let made = job.pieces(&given, true);
            for piece in &made.pieces {
                count += 1;
                let json = made.json.get(piece.range.clone()).unwrap();
                let found = validator.validate(json);
                let unknown = |f: &&warifu_validate::Finding| {
                    // A profile that is not found would make every resource right.
                    f.severity == Severity::Error || f.code.code == "FHR301"
                };
                // Codes and places only: the samples' contents stay where they are.
                let wrong: Vec<_> = found
                    .list
                    .iter()
                    .filter(unknown)
                    .map(|f| (f.code(), &f.location, &f.argument))
                    .collect();
                assert!(wrong.is_empty(), "{}: {wrong:?}", folder.display());
            }
        }
    }
    count
}

fn options(to: To, per: Per) -> JobOptions {
    JobOptions {
        to,
        per,
        institution: Some("1319999999".to_owned()),
        sent_at: Some("2024-01-01T00:00:00+09:00".to_owned()),
        ..JobOptions::default()
    }
}

#[test]
fn what_the_conversion_writes_follows_jp_core() {
    let archives = &[
        "jpfhir.jp.core-1.2.0",
        "jpfhir-terminology.r4-1.4.0-partial",
    ];
    let test = "what_the_conversion_writes_follows_jp_core";
    for to in [To::Bundle, To::Ndjson] {
        let pieces = check(test, archives, &options(to, Per::Patient));
        assert!(pieces > 25, "{pieces} pieces");
    }
}

#[test]
fn what_the_conversion_sends_follows_clins() {
    let archives = &[
        "jp-clins.r4-1.5.3",
        "jp-core.r4-1.1.2-url",
        "jpfhir-terminology.r4-1.4.0-partial",
    ];
    let test = "what_the_conversion_sends_follows_clins";
    let pieces = check(test, archives, &options(To::Clins, Per::Patient));
    assert!(pieces > 20, "{pieces} pieces");
}
