//! The page of every rule: whole, and its examples run.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod common;

use common::{ALL, Owned, files, found};
use warifu_diag::{Applicability, Example};
use warifu_rules::{Checker, ELSEWHERE, File, Options, entries, rules};
use warifu_ssmix2::DataKind;

fn is_elsewhere(code: &str) -> bool {
    ELSEWHERE.iter().any(|(c, _)| *c == code)
}

#[test]
fn numbers_and_names_are_unique_in_order_and_well_formed() {
    let all: Vec<_> = entries().collect();
    for (i, e) in all.iter().enumerate() {
        assert!(
            e.code.len() == 6 && e.code[3..].bytes().all(|b| b.is_ascii_digit()),
            "{}",
            e.code
        );
        for other in &all[..i] {
            assert_ne!(e.code, other.code);
            assert_ne!(e.name, other.name, "{} {}", e.code, other.code);
        }
        assert_eq!(e.ja.contains("{}"), e.en.contains("{}"), "{}", e.code);
    }
    assert!(rules().count() >= 220, "{}", rules().count());
}

#[test]
fn every_rule_has_a_page() {
    // Families of other crates, whose examples are not of this checker: the conversion's (MAP, CLN), what a run refuses (CLI) and
    // the FHIR validator's (FHR, JPC).
    let ours = |code: &str| {
        !["MAP", "CLN", "FHR", "JPC", "CLI"]
            .iter()
            .any(|f| code.starts_with(f))
    };
    let mut lacking = Vec::new();
    for e in entries() {
        for text in [e.ja, e.en, e.help_ja, e.help_en, e.standard] {
            assert!(!text.is_empty(), "{}", e.code);
        }
        // Whole sentences, which say more than what is wrong.
        if !e.why_ja.ends_with('。') || !e.why_en.ends_with('.') || e.why_ja.contains(e.ja) {
            lacking.push(e.code);
        }
        if !ours(e.code) {
            continue;
        }
        // What the walk over a storage tells is shown by files, which the test of that crate walks.
        let by_files = matches!(e.wrong, Example::Storage(_));
        if e.has_page() != (by_files || !is_elsewhere(e.code)) {
            lacking.push(e.code);
        }
        // What has no example is listed with its reason.
        if !e.has_page()
            && !include_str!("../../../docs/mutation.md").contains(&format!("| {} |", e.code))
        {
            lacking.push(e.code);
        }
    }
    assert!(lacking.is_empty(), "no whole page: {lacking:?}");
}

#[test]
fn wrong_examples_are_found_and_right_ones_are_not() {
    let mut bad = Vec::new();
    for rule in rules().filter(|r| !is_elsewhere(r.entry.code)) {
        let e = rule.entry;
        let codes = |example: &Example| -> Vec<&str> {
            found(ALL, &files(example))
                .iter()
                .map(|d| d.code.code)
                .collect()
        };
        let places = |example: &Example| -> Vec<String> {
            let own = found(ALL, &files(example))
                .into_iter()
                .filter(|d| d.code == e);
            own.map(|d| d.path.map_or_else(String::new, |p| p.to_string()))
                .collect()
        };
        let (wrong, right) = (codes(&e.wrong), codes(&e.right));
        if !wrong.contains(&e.code) {
            bad.push(format!("{} wrong: {wrong:?}", e.code));
        }
        if right.contains(&e.code) {
            bad.push(format!("{} right: {:?}", e.code, places(&e.right)));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn right_examples_have_no_error() {
    let mut bad = Vec::new();
    for rule in rules().filter(|r| !is_elsewhere(r.entry.code)) {
        // Only the line that matters is shown in messages without a storage.
        if matches!(rule.entry.right, Example::Message(_) | Example::Bytes(_)) {
            continue;
        }
        for d in found(Options::default(), &files(&rule.entry.right)) {
            if d.severity == warifu_diag::Severity::Error {
                bad.push(format!(
                    "{}: {} {:?}",
                    rule.entry.code,
                    d.code.code,
                    d.path.map(|p| p.to_string())
                ));
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn the_clean_message_of_every_kind_is_clean() {
    let mut bad = Vec::new();
    for kind in DataKind::ALL {
        let file = files(&Example::Lines(kind.code(), ""));
        let mut out = Vec::new();
        let (path, bytes) = (&file[0].0, &file[0].1);
        Checker::new(Options::default()).check_file(File { path, bytes }, 0, &mut out);
        for d in out {
            bad.push(format!(
                "{} {} {:?} {:?}",
                kind.code(),
                d.code.code,
                d.path.map(|p| p.to_string()),
                d.argument
            ));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

/// Applies the fixes of a rule to a file.
fn mended(code: &str, file: &Owned) -> Vec<u8> {
    let mut edits: Vec<_> = found(ALL, std::slice::from_ref(file))
        .into_iter()
        .filter(|d| d.code.code == code)
        .filter_map(|d| d.extra.and_then(|e| e.fix))
        .flat_map(|fix| fix.edits)
        .collect();
    edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    edits.dedup();
    let mut bytes = file.1.clone();
    for (span, new) in edits {
        let range = usize::try_from(span.start).unwrap()..usize::try_from(span.end).unwrap();
        bytes.splice(range, new);
    }
    bytes
}

#[test]
fn safe_fixes_remove_their_finding_and_nothing_else() {
    let mut seen = 0;
    for rule in rules().filter(|r| r.entry.fixable == Some(Applicability::Safe)) {
        let e = rule.entry;
        let file = files(&e.wrong).pop().unwrap();
        let bytes = mended(e.code, &file);
        assert!(bytes != file.1, "{} has no fix", e.code);
        let after = found(ALL, &[(file.0.clone(), bytes.clone())]);
        let codes: Vec<_> = after.iter().map(|d| d.code.code).collect();
        assert!(!codes.contains(&e.code), "{} stays after its fix", e.code);
        let before = found(ALL, &[file]);
        for d in &after {
            assert!(
                before.iter().any(|b| b.code == d.code),
                "{}: the fix makes {}",
                e.code,
                d.code.code
            );
        }
        seen += 1;
    }
    assert!(seen >= 10, "{seen}");
}

#[test]
fn spans_lie_inside_the_file_and_paths_inside_the_message() {
    for rule in rules() {
        for example in [&rule.entry.wrong, &rule.entry.right] {
            let files = files(example);
            for d in found(ALL, &files) {
                let places = std::iter::once((d.span, d.path))
                    .chain(d.secondary().iter().map(|l| (l.span, l.path)));
                for (span, path) in places {
                    let source = usize::try_from(span.source.0).unwrap();
                    let len = u32::try_from(files[source].1.len()).unwrap();
                    assert!(span.start <= span.end && span.end <= len, "{}", d.code.code);
                    if let Some(path) = path {
                        let at = usize::try_from(span.start).unwrap();
                        let line = files[source].1[..at]
                            .iter()
                            .rposition(|b| matches!(b, b'\r' | b'\n'))
                            .map_or(0, |p| p + 1);
                        let own = &files[source].1[line..];
                        assert!(
                            own.get(..3)
                                .is_some_and(|name| name.eq_ignore_ascii_case(&path.segment))
                                || path.segment == *b"???"
                                || d.code.code == "HL7103"
                                || d.code.code == "HL7105"
                                || d.code.code == "HL7104"
                                || own.starts_with(b"\xef\xbb\xbf")
                                || own.is_empty(),
                            "{} at {path}: {:?}",
                            d.code.code,
                            &own[..own.len().min(8)]
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn profiles_and_previews_are_off_unless_asked_for() {
    for rule in rules().filter(|r| r.entry.profile != warifu_diag::Profile::Ssmix2) {
        let found = found(Options::default(), &files(&rule.entry.wrong));
        assert!(
            found.iter().all(|d| d.code != rule.entry),
            "{}",
            rule.entry.code
        );
    }
}

#[test]
fn a_stream_is_its_messages() {
    let file = files(&Example::Lines("OMP-01", "")).pop().unwrap().1;
    let two = [file.clone(), file].concat();
    let mut out = Vec::new();
    let mut checker = Checker::new(Options::default());
    checker.check_stream(&two, 0, &mut out);
    assert_eq!(
        out.iter().map(|d| d.code.code).collect::<Vec<_>>(),
        Vec::<&str>::new()
    );
    checker.check_file(
        File {
            path: "",
            bytes: &two,
        },
        0,
        &mut out,
    );
    assert_eq!(
        out.iter().map(|d| d.code.code).collect::<Vec<_>>(),
        ["HL7111"]
    );
}
