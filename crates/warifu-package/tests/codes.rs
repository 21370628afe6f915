//! What is wrong with a package has a code of the catalogue, and the examples on its page give it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use warifu_diag::{Code, Example, catalogue, lookup};
use warifu_package::{Fallback, File, Limits, Problem, ProblemKind, compile, unpack};

/// Codes that are found before there are files: told by an archive, a limit, or the command line.
const ELSEWHERE: &[(&str, &str)] = &[
    ("FHR501", "bytes that are no archive, below"),
    ("FHR502", "an archive that is cut, below"),
    ("FHR503", "limits of an archive, below"),
    ("FHR504", "a limit of a file, below"),
    ("FHR505", "a path of an archive, below"),
    ("FHR521", "the command line: tests/package.rs of warifu-cli"),
    ("FHR522", "the command line: tests/package.rs of warifu-cli"),
    ("FHR523", "the command line: tests/package.rs of warifu-cli"),
    ("FHR524", "the command line: tests/package.rs of warifu-cli"),
    ("FHR525", "the command line: tests/package.rs of warifu-cli"),
    ("FHR526", "the command line: tests/package.rs of warifu-cli"),
];

fn codes(problems: &[Problem]) -> Vec<&'static str> {
    problems.iter().map(Problem::code).collect()
}

/// What is wrong with the files of an example.
fn found(code: Code, example: &Example) -> Vec<&'static str> {
    let Example::Files(files) = example else {
        panic!("{}: no files", code.code);
    };
    let files = files.iter().map(|(path, text)| File {
        path: format!("package/{path}"),
        bytes: text.as_bytes().to_vec(),
    });
    let fallback = Fallback {
        name: "local",
        version: "0.0.0",
    };
    let compiled = compile(files.collect(), fallback, &Limits::PACKAGE).unwrap();
    codes(&compiled.problems)
}

#[test]
fn the_bad_package_has_its_code_and_nothing_else_the_good_one_has_none() {
    let mut seen = 0;
    for code in catalogue::package::ALL {
        if ELSEWHERE.iter().any(|(c, _)| *c == code.code) {
            assert_eq!(code.wrong, Example::None, "{}", code.code);
            continue;
        }
        assert_eq!(found(code, &code.wrong), [code.code]);
        assert!(found(code, &code.right).is_empty(), "{}", code.code);
        seen += 1;
    }
    assert_eq!(seen + ELSEWHERE.len(), catalogue::package::ALL.len());
}

#[test]
fn every_problem_has_an_entry() {
    for kind in [
        ProblemKind::NoArchive,
        ProblemKind::CutOff,
        ProblemKind::TooLarge,
        ProblemKind::TooMany,
        ProblemKind::FileTooLarge,
        ProblemKind::OutsidePath,
        ProblemKind::NoManifest,
        ProblemKind::BadJson { at: 0 },
        ProblemKind::NoUrl,
        ProblemKind::Duplicate {
            first: String::new(),
        },
        ProblemKind::DuplicateCode { count: 1 },
        ProblemKind::OtherFhirVersion,
    ] {
        let problem = Problem {
            file: String::new(),
            kind,
        };
        assert!(lookup(problem.code()).is_some(), "{problem:?}");
    }
}

/// A gzipped tar of files of one byte with these paths.
fn archive(paths: &[&str]) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    for path in paths {
        let mut header = tar::Header::new_gnu();
        // Written raw: the builder itself refuses a path that leads out.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_size(1);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, &b"1"[..]).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

#[test]
fn archives_tell_theirs() {
    let limits = Limits::PACKAGE;
    let of = |bytes: &[u8], limits: &Limits| codes(&unpack(bytes, limits).problems);
    let two = archive(&["package/a.json", "package/b.json"]);
    assert!(of(&two, &limits).is_empty());
    assert_eq!(of(b"no archive", &limits), ["FHR501"]);
    // Cut between its files: the first is read.
    let cut = |n: usize| of(&two[..n], &limits) == ["FHR502"];
    assert!((1..two.len()).any(cut));
    let few = Limits {
        entries: 1,
        ..limits
    };
    assert_eq!(of(&two, &few), ["FHR503"]);
    let small = Limits { file: 0, ..limits };
    assert_eq!(of(&two, &small), ["FHR504", "FHR504"]);
    assert_eq!(of(&archive(&["../a.json"]), &limits), ["FHR505"]);
}
