//! Ten megabytes made to hurt, through the whole conversion, trace off and on.
//!
//! Anything that looks back or ahead without bound, or keeps something for each pair of things, does
//! not finish here or breaks the bounds on what is kept. Nothing is timed.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;

use std::fmt::Write as _;

use warifu_convert::{Job, JobOptions, To};
use warifu_map::{Converter, File, MAX_FINDINGS, MAX_UNUSED, Options, Output, assemble};

const LENGTH: usize = 10_000_000;
/// Most bytes of JSON for each byte of input: a one-letter result becomes a whole Observation.
const GROWTH: usize = 400;

const HEAD: &str = "MSH|^~\\&|HIS|H|GW|H|20260401103000||ORU^R01^ORU_R01|1|P|2.5||||||~ISO IR87||ISO 2022-1994\rPID|1||0000990001^^^^PI||A^B||19500101|M\r";
const PATH: &str = "000/099/0000990001/20260401/OML-11/0000990001_20260401_OML-11_000000260401011_20260401103000500_08_1";

/// `head`, then `piece` again and again, to ten megabytes.
fn fill(head: &str, piece: &[u8]) -> Vec<u8> {
    fill_to(LENGTH, head, piece)
}

fn fill_to(length: usize, head: &str, piece: &[u8]) -> Vec<u8> {
    let mut bytes = head.as_bytes().to_vec();
    let room = length - bytes.len();
    bytes.extend(piece.iter().copied().cycle().take(room));
    bytes
}

fn survives_at(path: &str, bytes: &[u8]) -> usize {
    let length = u32::try_from(bytes.len()).unwrap();
    let mut plain = 0;
    for trace in [false, true] {
        let mut out = Output::new();
        let mut converter = Converter::new(Options {
            institution: Some("1319999999".to_owned()),
            trace,
            ..Options::default()
        });
        converter.convert(File { path, bytes }, 0, &mut out);
        assert!(
            out.json.len() <= GROWTH * LENGTH,
            "{} bytes of JSON",
            out.json.len()
        );
        assert!(
            out.diagnostics.len() + out.events.len() + out.unused.len() + out.used.len()
                <= 4 * LENGTH
        );
        for d in &out.diagnostics {
            assert!(
                d.span.start <= d.span.end && d.span.end <= length,
                "{}",
                d.code.code
            );
        }
        for u in &out.unused {
            assert!(u.start <= u.end && u.end <= length);
        }
        if trace {
            assert_eq!(plain, out.json.len(), "tracing changes the output");
        }
        plain = out.json.len();
        let mut lines = Vec::new();
        assemble::ndjson(&out, &mut lines);
        assert_eq!(lines.len(), out.json.len() + out.resources.len());
    }
    plain
}

fn survives(head: &str, piece: &str) -> usize {
    survives_at(PATH, &fill(head, piece.as_bytes()))
}

fn in_result(piece: &str) -> usize {
    survives(&format!("{HEAD}OBR|1|1|1|A^B^C\rOBX|1|ST|A^B^C||"), piece)
}

#[test]
fn millions_of_field_separators() {
    survives(HEAD, "|");
    in_result("|");
}

#[test]
fn millions_of_components_and_subcomponents() {
    in_result("^");
    in_result("&");
    in_result("a^b&c");
}

#[test]
fn millions_of_repetitions() {
    in_result("~");
    survives(&format!("{HEAD}PID|1||"), "0000990001^^^^PI~");
    survives(&format!("{HEAD}PV1|1|I||||||"), "D1^A^B~");
}

/// Each repetition of a number of the patient may become an identifier: beyond the bound they are named, and
/// what is before it is kept. The bound counts over all messages of a file.
#[test]
fn repetitions_beyond_the_bound_are_named() {
    let one = fill(&format!("{HEAD}PID|1||"), b"1~");
    let piece = format!("{HEAD}NK1|1|{}\r", "A~".repeat(5_000));
    let many = fill("", piece.as_bytes());
    for (path, bytes) in [(PATH, &one), ("", &many)] {
        let mut job = Job::new(JobOptions::default()).unwrap();
        let made = job.convert(path, bytes);
        let bytes_of_json = made.json.len();
        assert!(bytes_of_json < 8_000_000, "{bytes_of_json}");
        let cut: Vec<_> = made
            .diagnostics
            .iter()
            .filter(|f| f.code == "HL7198")
            .collect();
        assert!(!cut.is_empty());
        let last = u64::try_from(bytes.len()).unwrap();
        assert!(
            cut.iter()
                .any(|f| f.severity == "error" && f.primary.span[1] == last)
        );
    }
    // As many as a message has in earnest, and a thousand times more.
    let earnest = format!("{HEAD}PID|1||{}\r", "0000990001^^^^PI~".repeat(50_000));
    let made = Job::new(JobOptions::default())
        .unwrap()
        .convert(PATH, earnest.as_bytes());
    assert!(made.diagnostics.iter().all(|f| f.code != "HL7198"));
}

#[test]
fn one_endless_field() {
    assert!(in_result("x") > 0);
    in_result("\u{3042}");
}

#[test]
fn endless_escapes() {
    in_result("\\");
    in_result("\\E\\");
    in_result("\\X0D0A\\");
    in_result("\\.br\\\\F");
    in_result("\\X");
}

#[test]
fn endless_shifts() {
    in_result("\x1b$B\x1b(B");
    in_result("\x1b$BF~\x1b(B\x1b");
    in_result("\x1b");
}

#[test]
fn endless_file_without_a_message() {
    survives("", "\r");
    survives("", "MSH");
    survives_at("", &fill("", b"\0"));
}

#[test]
fn blanks_that_look_like_the_end() {
    let mut bytes = fill(HEAD, b"\r        \x1c");
    bytes.extend_from_slice(b"x\r");
    survives_at(PATH, &bytes);
}

#[test]
fn millions_of_segments() {
    survives(HEAD, "ZZZ\r");
    survives(HEAD, "NTE|1||x\r");
    survives(HEAD, "AL1|1\r");
    survives(HEAD, "PID|1\r");
}

#[test]
fn hundreds_of_thousands_of_results() {
    survives(
        &format!("{HEAD}OBR|1|1|1|A^B^C\r"),
        "OBX|1|NM|A^B^C||1|g|||||F\r",
    );
}

/// Three megabytes: of each order with its result come forty times as many bytes.
#[test]
fn tens_of_thousands_of_orders() {
    let some = LENGTH * 3 / 10;
    let order = b"ORC|SC|1\rOBR|1|1|1|A^B^C\rOBX|1|NM|A^B^C||1\r";
    survives_at(PATH, &fill_to(some, HEAD, order));
    let head = HEAD.replace("ORU^R01^ORU_R01", "RDE^O11^RDE_O11");
    let path = PATH.replace("OML-11", "OMP-01");
    let drug = b"ORC|NW|1\rRXE||1^A^B|1||g\rTQ1|||1^A^B\rRXR|PO\r";
    survives_at(&path, &fill_to(some, &head, drug));
    // Items of one order that are all different.
    let items: Vec<String> = (0..40_000).map(|i| format!("OBR|1|1||{i}^A^B\r")).collect();
    let items = items.concat();
    let order = format!("{}ORC|NW|1\r{items}", self::head("OML^O33^OML_O33"));
    assert!(survives_at(&PATH.replace("OML-11", "OML-01"), order.as_bytes()) > 0);
}

#[test]
fn hundreds_of_thousands_of_messages_in_one_file() {
    survives("", "MSH|^~\\&|A\rPID|1||1\r\x1c\r");
}

#[test]
fn names_and_problems_without_end() {
    let head = HEAD.replace("ORU^R01^ORU_R01", "ADT^A08^ADT_A01");
    let path = PATH.replace("OML-11", "ADT-00").replace("20260401/", "-/");
    survives_at(&path, &fill(&format!("{head}PID|1||1||"), b"A^B^^^^^L^I~"));
    survives_at(
        &path,
        &fill(
            &head,
            b"NK1|1|A^B\rOBX|1|NM|A^B^C||1\rAL1|1|DA|A^B^C\rIN1|1|06\r",
        ),
    );
    let head = HEAD.replace("ORU^R01^ORU_R01", "PPR^PC1^PPR_PC1");
    survives_at(
        &PATH.replace("OML-11", "PPR-01"),
        &fill(&head, b"PRB|AD|20260401|A^B^C\r"),
    );
}

#[test]
fn documents_nested_without_end() {
    const FOLDER: &str = "000/099/0000990001/20260413/^^^11506-3^経過記録^LN/0000990001_20260413_^^^11506-3^経過記録^LN_260413PN001_20260413183000800_1/main_document.xml";
    for piece in ["<a>", "<a b='1'/>", "<a ", "&amp;", "<!--", " b='1'"] {
        survives_at(
            FOLDER,
            &fill(
                "<?xml version=\"1.0\"?><ClinicalDocument xmlns=\"urn:hl7-org:v3\">",
                piece.as_bytes(),
            ),
        );
    }
    survives_at(FOLDER, &fill("<!DOCTYPE a [<!ENTITY b \"", b"&c;"));
    survives_at(
        &FOLDER.replace(".xml", ".pdf"),
        &fill("%PDF-1.7", b"\0\xff"),
    );
}

/// Every kind of message as one file whose segments behind PID come again and again: groups of
/// orders, results, doses and stays without end. Two megabytes: there are many kinds.
#[test]
fn every_kind_with_endless_groups() {
    let mut kinds = std::collections::BTreeSet::new();
    for f in common::load(&common::fixtures().join("standard_root")) {
        let kind = f.path.split('/').nth(4).unwrap().to_owned();
        let pid = f.bytes.windows(5).position(|w| w == b"\rPID|").unwrap();
        let line = f.bytes[pid + 1..].iter().position(|b| *b == b'\r').unwrap();
        let (head, groups) = f.bytes.split_at(pid + 1 + line + 1);
        if groups.is_empty() || !kinds.insert(kind) {
            continue;
        }
        let mut bytes = head.to_vec();
        bytes.extend(groups.iter().copied().cycle().take(2_000_000));
        assert!(survives_at(&f.path, &bytes) > 0, "{}", f.path);
    }
    assert!(kinds.len() > 20, "the fixtures are there");
}

#[test]
fn one_patient_with_ten_thousand_files() {
    let plan = warifu_synth::Plan {
        seed: 7,
        patients: 1,
        messages: 10_000,
    };
    let files: Vec<(String, Vec<u8>)> = plan.files().collect();
    let given: Vec<File<'_>> = files
        .iter()
        .map(|(path, bytes)| File { path, bytes })
        .collect();
    let mut out = Output::new();
    let options = Options {
        institution: Some("1319999999".to_owned()),
        trace: true,
        ..Options::default()
    };
    Converter::new(options).convert_patient(&given, &mut out);
    assert!(out.resources.len() > 10_000);
}

#[test]
fn files_of_a_patient_beyond_the_bound_are_named() {
    let path = "000/000/0000000001/20260401/OML-11/f";
    let given = vec![File { path, bytes: b"" }; warifu_map::MAX_MESSAGES + 2];
    let mut out = Output::new();
    Converter::new(Options::default()).convert_patient(&given, &mut out);
    let named: Vec<_> = out
        .diagnostics
        .iter()
        .filter(|d| d.code.code == "MAP014")
        .map(|d| (d.span.source.0, d.argument.as_deref()))
        .collect();
    assert_eq!(named, [(65_535, Some("2"))]);
}

/// What a whole job gives, findings and trace as their readers get them, in bytes.
fn whole(path: &str, bytes: &[u8], to: To) -> usize {
    let mut job = Job::new(JobOptions {
        to,
        trace: true,
        institution: Some("1319999999".to_owned()),
        ..JobOptions::default()
    })
    .unwrap();
    let made = job.convert(path, bytes);
    let trace = made.trace.unwrap();
    // The file as a whole has a few of its own.
    assert!(made.diagnostics.len() <= MAX_FINDINGS + 10);
    assert!(trace.unused.len() <= MAX_UNUSED);
    for f in &made.diagnostics {
        assert!(f.primary.start <= f.primary.end);
    }
    let sized = |v: &dyn Fn() -> Vec<u8>| v().len();
    made.json.len()
        + sized(&|| serde_json::to_vec(&made.diagnostics).unwrap())
        + sized(&|| serde_json::to_vec(&trace).unwrap())
}

/// Most bytes of a job's output, trace included, for a file of any length whose bytes go into segments.
const BOUND: usize = 2_000_000_000;

/// A job over ten megabytes of a repeated piece ends and keeps its bounds, and over twice the input it
/// gives at most twice as much.
fn job_survives(path: &str, head: &str, piece: &str) {
    let of = |length| whole(path, &fill_to(length, head, piece.as_bytes()), To::Ndjson);
    let (half, all) = (of(LENGTH / 40), of(LENGTH / 20));
    assert!(
        all <= half * 21 / 10 + 100_000,
        "{piece:?}: {half} and {all} bytes"
    );
    assert!(of(LENGTH) <= BOUND, "{piece:?}");
}

fn head(message: &str) -> String {
    HEAD.replace("ORU^R01^ORU_R01", message)
}

#[test]
fn jobs_of_results_and_specimens_without_end() {
    let group = format!("{HEAD}OBR|1|1|1|A^B^C\r");
    job_survives(PATH, &group, "OBX|1|NM|A^B^C||1|g|||||F\r");
    job_survives(PATH, &group, "OBX|1|NM|A^B^C||x|g|||||F|||2026\r");
    job_survives(PATH, HEAD, "SPM|1\rOBR|1|1\rORC|SC|1\r");
    job_survives(PATH, HEAD, "ZZZ|a\r");
    job_survives(PATH, HEAD, "OBX\r");
    let value = format!("{group}OBX|1|ST|A^B^C||");
    job_survives(PATH, &value, "\\Q\\");
    job_survives(PATH, &value, "^a");
    job_survives(PATH, &format!("{HEAD}ZZZ"), "|a");
}

#[test]
fn jobs_of_drugs_without_end() {
    let (head, path) = (head("RDE^O11^RDE_O11"), PATH.replace("OML-11", "OMP-01"));
    let order = "ORC|NW|1\rRXE||1^A^B|1||g\rTQ1|||1^A^B\rRXR|PO\r";
    job_survives(&path, &head, order);
    job_survives(&path, &format!("{head}{order}"), "RXC|B|1^A^B|1|g\r");
    job_survives(&path, &head, "RXE\r");
}

/// Many of one thing beside many of another, under one order.
#[test]
fn one_order_with_many_of_each_thing() {
    let path = |kind: &str| PATH.replace("OML-11", kind);
    let both = |a: &str, b: &str| a.repeat(400_000 / a.len()) + &b.repeat(400_000 / b.len());
    let survives = |kind: &str, message: &str, groups: &str| {
        let bytes = format!("{}ORC|NW|1\r{groups}", head(message));
        assert!(survives_at(&path(kind), bytes.as_bytes()) > 0);
    };
    for kind in ["OMP-11", "OMP-12"] {
        for beside in ["OBX|1|NM|A^B^C||1\r", "CTI|T\r", "NTE|1||x\r"] {
            let given = "RXA|0|1|2026||1^A^B|1|g\rRXR|PO\r";
            survives(kind, "RAS^O17^RAS_O17", &both(given, beside));
        }
    }
    let dose = "TQ1|||1^A^B\r";
    for kind in ["OMP-01", "OMP-02"] {
        for beside in ["RXR|PO\r", "RXC|B|1^A^B|1|g\r"] {
            let groups = format!("RXE||1^A^B|1~2||g\r{}", both(dose, beside));
            survives(kind, "RDE^O11^RDE_O11", &groups);
        }
        // RXE-3 and RXE-7.
        for before in ["|", "|1||g||"] {
            let many = "1^A^B~".repeat(60_000);
            let groups = format!("RXE||1^A^B{before}{many}\r{}", dose.repeat(20_000));
            survives(kind, "RDE^O11^RDE_O11", &groups);
        }
    }
}

/// What is given under one order, and something that no row reads under the next: each looks for its end.
#[test]
fn many_of_one_order_before_what_the_next_one_keeps() {
    for kind in ["OMP-11", "OMP-12"] {
        let mut message = format!("{}ORC|OK|1\r", head("RAS^O17^RAS_O17"));
        for n in 0..90_000 {
            let _ = write!(message, "RXA|0|{n}|2026||{n}^A^B|1|g\r");
        }
        message += "ORC|OK|2\rRXA|0|1|2026||1^A^B|1|g\rZZZ|kept\r";
        let path = PATH.replace("OML-11", kind);
        assert!(survives_at(&path, message.as_bytes()) > 0);
    }
}

/// Times that are none, all kept by the one resource that they are of.
#[test]
fn times_that_are_none_without_end() {
    let mut message = format!(
        "{}ORC|NW|1\rRXE||103831601^A^HOT9|1||TAB^B^MR9P\r",
        head("RDE^O11^RDE_O11")
    );
    for _ in 0..90_000 {
        message += "TQ1|1|||||||2026X101|2026Y101\r";
    }
    let path = PATH.replace("OML-11", "OMP-01");
    assert!(survives_at(&path, message.as_bytes()) > 0);
}

/// One number by two names in turn: each order makes the doctor, and the department, anew.
#[test]
fn numbers_with_two_names_in_turn() {
    let mut message = head("RDE^O11^RDE_O11");
    for n in 0..40_000 {
        let (name, place) = if n % 2 == 0 {
            ("B^C", "E")
        } else {
            ("X^Y", "Z")
        };
        let _ = write!(
            message,
            "ORC|NW|{n}||||||||||1^{name}|||||D^{place}^99L\rRXE||{n}^A^HOT9|1||g\r"
        );
    }
    let path = PATH.replace("OML-11", "OMP-01");
    assert!(survives_at(&path, message.as_bytes()) > 0);
}

/// A line that makes no result waits for the report, with something kept of each result behind it.
#[test]
fn results_behind_a_line_that_waits_for_the_report() {
    let mut message =
        format!("{HEAD}SPM|1|S1||023\rOBR|1|1||A^B^C\rORC|SC|1\rOBX|1|ST|||||||||F||x\r");
    for n in 0..90_000 {
        let _ = write!(message, "OBX|{n}|NM|{n}^A^99L||1|g|||||F||x\r");
    }
    assert!(survives_at(PATH, message.as_bytes()) > 0);
}

#[test]
fn jobs_of_allergies_and_problems_without_end() {
    let path = |kind: &str| PATH.replace("OML-11", kind).replace("20260401/", "-/");
    job_survives(&path("ADT-61"), &head("ADT^A60^ADT_A60"), "IAM|1\r");
    job_survives(
        &path("ADT-61"),
        &head("ADT^A60^ADT_A60"),
        "IAM|1|DA|1^A^B\r",
    );
    job_survives(&path("ADT-00"), &head("ADT^A08^ADT_A01"), "AL1\r");
    job_survives(
        &path("PPR-01"),
        &head("PPR^ZD1^PPR_ZD1"),
        "PRB|AD|2026|A^B^C\r",
    );
}

#[test]
fn jobs_of_messages_without_end() {
    job_survives("", "", "MSH|^~\\&|A\rPID|1||1\r\x1c\r");
}

#[test]
fn what_is_beyond_the_bounds_is_named() {
    let many = fill(
        &format!("{HEAD}OBR|1|1|1|A^B^C\r"),
        b"OBX|1|NM|A^B^C||x|g|||||F\r",
    );
    let mut job = Job::new(JobOptions::default()).unwrap();
    let made = job.convert(PATH, &many);
    let left = made
        .diagnostics
        .iter()
        .find(|f| f.code == "HL7198")
        .unwrap();
    assert_eq!(left.severity, "error");
    assert_eq!(left.primary.span[1], u64::try_from(many.len()).unwrap());
    let from = usize::try_from(left.primary.span[0]).unwrap();
    assert!(many[from..].starts_with(b"OBX|1|"));
    let cut: Vec<_> = made
        .diagnostics
        .iter()
        .filter(|f| f.code == "HL7199")
        .collect();
    assert_eq!(cut.len(), 1);
    // Two findings of each result, counted or listed, at least.
    let counted: usize = cut[0]
        .message
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|n| n.parse().ok())
        .max()
        .unwrap();
    assert!(counted + made.diagnostics.len() >= 100_000);
}
