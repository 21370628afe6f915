//! Mutation test of the check: one fault at a time is put into clean messages, names and storages, and
//! the check has to say where it is.
//!
//! A finding counts when the original does not have it and when it names the place: the occurrence of
//! the segment, the field, the component where one is meant, or the part of the file's name. Whether a
//! mutant is a fault at all is decided by `oracle`, which shares nothing with the rules.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a test may fail loudly and says aloud what it skips"
)]

#[path = "../common/mod.rs"]
mod common;
mod operators;
mod oracle;
mod sheet;
mod storage;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use operators::{Case, Change, Depth, Mutant, Want};
use sheet::{Sheet, Spot};
use warifu_diag::{Diagnostic, Severity};
use warifu_rules::{Checker, File, Options, Profiles};

/// Most mutants of an operator on files, and on patients.
const MOST: usize = 120;
const MOST_PATIENTS: usize = 60;
/// Fewest mutants of an operator that are faults.
const FEWEST: usize = 40;

/// Misses that are known, each with its reason: operator, label.
const KNOWN: &[(&str, &str, &str)] = &[];

/// What became of the mutants of an operator.
#[derive(Default)]
struct Tally {
    mutants: usize,
    allowed: usize,
    detected: usize,
    missed: BTreeMap<String, usize>,
    /// Codes that named the faults of files.
    codes: BTreeMap<&'static str, usize>,
}

fn checker(strict: bool) -> Checker {
    let profiles = Profiles { nho: false, strict };
    Checker::new(Options {
        profiles,
        preview: false,
    })
}

fn check(checker: &mut Checker, path: &str, bytes: &[u8]) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    checker.check_file(File { path, bytes }, 0, &mut out);
    out
}

/// The first of each label, then the second of each, up to `most`.
fn chosen<M>(all: Vec<M>, label: impl Fn(&M) -> String, most: usize) -> Vec<M> {
    let mut by_label: BTreeMap<String, Vec<M>> = BTreeMap::new();
    for one in all {
        by_label.entry(label(&one)).or_default().push(one);
    }
    let mut queues: Vec<_> = by_label.into_values().map(Vec::into_iter).collect();
    let mut out = Vec::new();
    while out.len() < most {
        let before = out.len();
        for queue in &mut queues {
            if out.len() < most {
                out.extend(queue.next());
            }
        }
        if out.len() == before {
            break;
        }
    }
    out
}

/// Whether a finding names a place.
fn names(
    found: &Diagnostic,
    wanted: &Spot,
    at: usize,
    depth: Depth,
    own: &Sheet,
    bytes: &[u8],
) -> bool {
    let start = found.span.start as usize;
    if depth == Depth::Gap && (start == at || start + 1 == at) && found.span.end > 0 {
        return true;
    }
    let path = match found.path {
        Some(path) => Spot {
            segment: path.segment_name().to_owned(),
            ordinal: path.ordinal,
            field: path.field as usize,
            component: path.component as usize,
            components: 0,
        },
        None if found.span.end > 0 => match own.locate(bytes, start) {
            Some(spot) => spot,
            None => return false,
        },
        None => return false,
    };
    if (&path.segment, path.ordinal) != (&wanted.segment, wanted.ordinal) {
        return false;
    }
    match depth {
        Depth::Gap | Depth::Segment => true,
        Depth::From => path.field >= wanted.field,
        Depth::Field => path.field == wanted.field,
        Depth::Component => {
            // A finding about a whole value of one component names no component.
            let whole = path.component == 0 && wanted.components <= 1;
            path.field == wanted.field && (path.component == wanted.component.max(1) || whole)
        }
    }
}

/// Runs one operator on the files.
fn on_files(cases: &[Case], operator: &operators::Operator, most: usize) -> Tally {
    let mut all = Vec::new();
    for (i, case) in cases.iter().enumerate() {
        let mut own = Vec::new();
        (operator.run)(case, &mut own);
        all.extend(own.into_iter().map(|m| (i, m)));
    }
    let mut checker = checker(operator.strict);
    let mut tally = Tally::default();
    for (i, mutant) in chosen(all, |(_, m): &(usize, Mutant)| m.label.clone(), most) {
        let case = &cases[i];
        let (path, bytes, edit) = match &mutant.change {
            Change::Path(path) => (path.as_str(), case.bytes.clone(), None),
            Change::Bytes(range, with) => {
                let mut bytes = case.bytes.clone();
                bytes.splice(range.clone(), with.iter().copied());
                (case.path.as_str(), bytes, Some((range.clone(), with.len())))
            }
        };
        tally.mutants += 1;
        if !is_fault(&case.faults, &oracle::faults(path, &bytes), operator.strict) {
            tally.allowed += 1;
            continue;
        }
        let before: BTreeSet<_> = check(&mut checker, &case.path, &case.bytes)
            .into_iter()
            .map(|d| {
                (
                    d.code.code,
                    d.span.start as usize,
                    d.span.end as usize,
                    d.argument,
                )
            })
            .collect();
        let own = Sheet::read(&bytes);
        // A finding of the original, moved by the change.
        let known = |d: &Diagnostic| {
            let (mut start, mut end) = (d.span.start as usize, d.span.end as usize);
            if let Some((range, new)) = &edit
                && start >= range.start + new
                && end > 0
            {
                (start, end) = (start + range.len() - new, end + range.len() - new);
            }
            before.contains(&(d.code.code, start, end, d.argument.clone()))
        };
        let at = |d: &Diagnostic, at: usize, depth: Depth| {
            let spot = own.locate(&bytes, at.min(bytes.len()));
            spot.is_some_and(|spot| names(d, &spot, at, depth, &own, &bytes))
                || (depth == Depth::Gap
                    && d.span.end > 0
                    && (d.span.start as usize).abs_diff(at) <= 1)
        };
        let of_fault = |d: &Diagnostic| {
            let codes = operator.codes;
            codes.is_empty() || codes.iter().any(|c| d.code.code.starts_with(c))
        };
        let all = check(&mut checker, path, &bytes);
        let mut hits = all
            .iter()
            .filter(|d| !known(d) && of_fault(d))
            .filter(|d| match &mutant.want {
                Want::Name(codes) => codes.contains(&d.code.code),
                Want::At(byte, depth) => at(d, *byte, *depth),
                Want::Any(all) => all.iter().any(|(byte, depth)| at(d, *byte, *depth)),
                Want::Missing(byte, name) => {
                    let next = own.segments.iter().position(|s| s.span.start == *byte);
                    let after = next
                        .and_then(|n| own.segments.get(n + 1))
                        .map(|s| s.span.start);
                    d.argument.as_deref() == Some(name)
                        && (at(d, *byte, Depth::Gap)
                            || after.is_some_and(|after| at(d, after, Depth::Gap)))
                }
            })
            .map(|d| d.code.code);
        if let Some(code) = hits.next() {
            *tally.codes.entry(code).or_default() += 1;
            hits.for_each(|code| *tally.codes.entry(code).or_default() += 1);
            tally.detected += 1;
        } else {
            if std::env::var_os("WARIFU_MUTATION").is_some() {
                println!(
                    "MISS {} {} {} want {:?} at {:?}",
                    operator.name,
                    mutant.label,
                    path,
                    mutant.want,
                    match mutant.want {
                        Want::At(at, _) => own.locate(&bytes, at),
                        _ => None,
                    }
                );
                for d in all.iter().filter(|d| !known(d)) {
                    println!(
                        "    {} {:?} {:?} {:?}",
                        d.code.code,
                        d.path.map(|p| p.to_string()),
                        d.span,
                        d.argument
                    );
                }
            }
            *tally.missed.entry(mutant.label).or_default() += 1;
        }
    }
    tally
}

/// Whether a mutant has a fault that its original does not have; fields that SS-MIX2 does not use are
/// one for the profile `strict` only ("ignore, but do not fail"), and so are fields that real data seldom
/// have.
fn is_fault(original: &oracle::Faults, mutant: &oracle::Faults, strict: bool) -> bool {
    mutant.iter().any(|(fault, n)| {
        (strict || !(fault.ends_with("not used") || fault.ends_with("(rare)")))
            && original.get(fault).is_none_or(|had| had < n)
    })
}

fn check_all(checker: &mut Checker, files: &storage::Files) -> Vec<Diagnostic> {
    let given: Vec<File<'_>> = files
        .iter()
        .map(|(path, bytes)| File { path, bytes })
        .collect();
    let mut out = Vec::new();
    checker.check_patient(&given, &mut out);
    out
}

/// Runs one operator on the patients.
fn on_patients(patients: &[storage::Files], operator: &storage::Operator, most: usize) -> Tally {
    let mut all = Vec::new();
    for (i, files) in patients.iter().enumerate() {
        let mut own = Vec::new();
        (operator.run)(files, &mut own);
        // Of one patient no more than a few, so that memory stays small.
        all.extend(
            chosen(own, |m| m.label.clone(), 12)
                .into_iter()
                .map(|m| (i, m)),
        );
    }
    let mut checker = checker(false);
    let mut tally = Tally::default();
    for (i, mutant) in chosen(
        all,
        |(_, m): &(usize, storage::Mutant)| m.label.clone(),
        most,
    ) {
        tally.mutants += 1;
        // Files that are in both have their faults in both.
        let faults = |files: &storage::Files, other: &storage::Files| {
            let mut all = oracle::patient_faults(files);
            for (path, bytes) in files.iter().filter(|f| !other.contains(f)) {
                for (fault, n) in oracle::faults(path, bytes) {
                    *all.entry(fault).or_default() += n;
                }
            }
            all
        };
        let original = &patients[i];
        let had = faults(original, &mutant.files);
        if !is_fault(&had, &faults(&mutant.files, original), false) {
            tally.allowed += 1;
            continue;
        }
        let key = |files: &storage::Files, d: &Diagnostic| {
            let file = files[d.span.source.0 as usize].0.clone();
            (
                file,
                d.code.code,
                d.path.map(|p| p.to_string()),
                d.argument.clone(),
            )
        };
        let before: BTreeSet<_> = check_all(&mut checker, &patients[i])
            .iter()
            .map(|d| key(&patients[i], d))
            .collect();
        let hit = check_all(&mut checker, &mutant.files)
            .iter()
            .filter(|d| !before.contains(&key(&mutant.files, d)))
            .any(|d| match &mutant.want {
                storage::Want::Files(files, codes) => {
                    codes.contains(&d.code.code) && files.contains(&(d.span.source.0 as usize))
                }
                storage::Want::At(file, at, depth) => {
                    let bytes = &mutant.files[*file].1;
                    let own = Sheet::read(bytes);
                    d.span.source.0 as usize == *file
                        && own
                            .locate(bytes, *at)
                            .is_some_and(|spot| names(d, &spot, *at, *depth, &own, bytes))
                }
            });
        if hit {
            tally.detected += 1;
        } else {
            if std::env::var_os("WARIFU_MUTATION").is_some() {
                println!(
                    "MISS {} {} want {:?}",
                    operator.name, mutant.label, mutant.want
                );
                for d in check_all(&mut checker, &mutant.files)
                    .iter()
                    .filter(|d| !before.contains(&key(&mutant.files, d)))
                {
                    println!(
                        "    {} {:?} {:?} {:?}",
                        d.code.code,
                        d.path.map(|p| p.to_string()),
                        d.span,
                        d.argument
                    );
                }
            }
            *tally.missed.entry(mutant.label).or_default() += 1;
        }
    }
    tally
}

/// Files without an error or a warning, in ISO-2022-JP.
fn clean(patients: &[storage::Files]) -> Vec<Case> {
    let mut checker = checker(false);
    let mut cases = Vec::new();
    for (path, bytes) in patients.iter().flatten() {
        let found = check(&mut checker, path, bytes);
        let good = found.iter().all(|d| d.severity == Severity::Info);
        if good
            && bytes.starts_with(b"MSH|")
            && bytes.ends_with(b"\r")
            && bytes.iter().all(|b| *b < 0x80)
        {
            cases.push(Case::new(path, bytes));
        }
    }
    cases
}

fn by_patient(files: impl Iterator<Item = (String, Vec<u8>)>) -> Vec<storage::Files> {
    let mut all: BTreeMap<String, storage::Files> = BTreeMap::new();
    for (path, bytes) in files {
        let patient = oracle::Path::read(&path)
            .folders
            .get(2)
            .cloned()
            .unwrap_or_default();
        all.entry(patient).or_default().push((path, bytes));
    }
    all.into_values()
        .map(|mut files| {
            files.sort();
            files
        })
        .collect()
}

/// The fixtures and a generated storage.
fn own() -> Vec<storage::Files> {
    let fixtures = warifu_synth::fixtures::files()
        .into_iter()
        .filter_map(|(path, bytes)| Some((path.strip_prefix("standard_root/")?.to_owned(), bytes)));
    let plan = warifu_synth::Plan {
        seed: 20_260_401,
        patients: 70,
        messages: 1_700,
    };
    by_patient(fixtures.chain(plan.files()))
}

/// Patients with long histories: several stays.
fn long() -> Vec<storage::Files> {
    by_patient(
        warifu_synth::Plan {
            seed: 20_260_402,
            patients: 60,
            messages: 6_000,
        }
        .files(),
    )
}

/// All operators; the table, and what is below the bar.
fn run(
    patients: &[storage::Files],
    histories: &[storage::Files],
    enough: bool,
) -> (String, Vec<String>) {
    let cases = clean(patients);
    let files = operators::OPERATORS
        .iter()
        .map(|o| (o.name, on_files(&cases, o, MOST)));
    let all = storage::OPERATORS.iter().map(|o| {
        // Stays need histories.
        let patients = if o.name.ends_with("-dropped") {
            histories
        } else {
            patients
        };
        (o.name, on_patients(patients, o, MOST_PATIENTS))
    });
    let mut text = String::from("mutants allowed detected missed operator\n");
    let mut complaints = Vec::new();
    let mut sum = Tally::default();
    for (name, tally) in files.chain(all) {
        let faults = tally.mutants - tally.allowed;
        let missed = faults - tally.detected;
        let _ = writeln!(
            text,
            "{:7} {:7} {:8} {missed:6} {name}",
            tally.mutants, tally.allowed, tally.detected
        );
        if std::env::var_os("WARIFU_MUTATION").is_some() {
            println!("CODES {name} {:?}", tally.codes);
        }
        for (label, n) in &tally.missed {
            let _ = writeln!(text, "        missed {n} × {label}");
            if !KNOWN
                .iter()
                .any(|(o, l, _)| (*o, *l) == (name, label.as_str()))
            {
                complaints.push(format!("{name}: {label} is missed and not listed"));
            }
        }
        if enough && faults < FEWEST {
            complaints.push(format!("{name}: {faults} faults, fewer than {FEWEST}"));
        }
        if enough && tally.allowed * 10 > tally.mutants {
            complaints.push(format!(
                "{name}: {} of {} are allowed",
                tally.allowed, tally.mutants
            ));
        }
        sum.mutants += tally.mutants;
        sum.allowed += tally.allowed;
        sum.detected += tally.detected;
    }
    let faults = sum.mutants - sum.allowed;
    let _ = writeln!(
        text,
        "{:7} {:7} {:8} {:6} all\nfrom {} clean files of {} patients",
        sum.mutants,
        sum.allowed,
        sum.detected,
        faults - sum.detected,
        cases.len(),
        patients.len()
    );
    if enough && faults < 1_000 {
        complaints.push(format!("{faults} mutants, fewer than 1,000"));
    }
    if sum.detected * 100 < faults * 99 {
        complaints.push(format!("{} of {faults} detected, below 99 %", sum.detected));
    }
    (text, complaints)
}

#[test]
fn the_oracle_finds_nothing_in_clean_files() {
    let mut faults: BTreeMap<String, usize> = BTreeMap::new();
    for case in clean(&own()) {
        // Fields that SS-MIX2 does not use are ignored by it.
        for (fault, n) in case
            .faults
            .iter()
            .filter(|(fault, _)| !(fault.ends_with("not used") || fault.ends_with("(rare)")))
        {
            *faults.entry(format!("{} {fault}", case.kind)).or_default() += n;
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn faults_in_own_messages_are_found_where_they_are() {
    let (text, complaints) = run(&own(), &long(), true);
    println!("{text}");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("mutation", text));
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn faults_in_the_shared_samples_are_found_where_they_are() {
    let Some(shared) = common::shared("faults_in_the_shared_samples") else {
        return;
    };
    let root = shared.join("samples/ssmix2/synthetic-small/standard_root");
    let files = common::load(&root).into_iter().map(|f| (f.path, f.bytes));
    let patients = by_patient(files);
    let (text, complaints) = run(&patients, &patients, false);
    println!("{text}");
    assert!(complaints.is_empty(), "{complaints:#?}");
}
