//! Transaction files (journals): what is found in a record is placed in the file as received.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use support::{run_in, text, warifu};

const JOURNAL: &str = "2026/TR_20260401000000000_00001.DAT";

/// A message with the item it is of.
struct Sent {
    patient: &'static str,
    date: &'static str,
    kind: &'static str,
    bytes: Vec<u8>,
}

/// Messages with faults of several kinds: in fields, in the name, between two messages.
fn messages() -> Vec<Sent> {
    let of = |patient, date, kind, event: &str, rest: &[u8]| {
        let head = format!(
            "MSH|^~\\&|A|B|C|D|20260401093015.123||{event}|1|P|2.5||||||~ISO IR87||ISO 2022-1994\rEVN||20260401\rPID|1||{patient}^^^^PI||"
        );
        Sent {
            patient,
            date,
            kind,
            bytes: [head.as_bytes(), rest].concat(),
        }
    };
    let (update, visit) = ("ADT^A08^ADT_A01", "ADT^A04^ADT_A01");
    vec![
        of("0000000101", "-", "ADT-00", update, b"\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B^^^^^L^I~\x1b(ITO@^\x1b(B^^^^^L^P||19800431|M\rPV1|1|I\r"),
        of("0000000102", "20260401", "ADT-00", update, b"\x1b$B;3ED\x1b(B^A^^^^^L^I~A^B^^^^^L^P||19800402|Q\rPV1|1|X\r"),
        of("0000000103", "-", "ADT-00", update, b"A^B^^^^^L^I~A^B^^^^^L^P||19800402|M\rPV1|1|I\rOBX|1|NM|9N001^x^JC10||1 7 0|cm\r"),
        of("0000000103", "20260401", "ADT-12", visit, b"A^B^^^^^L^I~A^B^^^^^L^P||19800403|F\rPV1|1|O\r"),
    ]
}

/// A record: header, message, and what separates it from the next.
fn record(sent: &Sent, separator: &[u8]) -> Vec<u8> {
    let Sent {
        patient,
        date,
        kind,
        bytes,
    } = sent;
    let header = format!(
        "#SSMIX,2.00,1310000003,{patient},{date},{kind},999999999999999,INS,01,20260401093015123\r\n"
    );
    [header.as_bytes(), bytes, separator].concat()
}

fn write(dir: &Path, path: &str, bytes: &[u8]) {
    let path = dir.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn check(dir: &Path, args: &[&str]) -> Vec<Value> {
    let all = [&["check", "--format", "json", "--config", "none"], args].concat();
    let out = run_in(dir, &all);
    let report: Value = serde_json::from_slice(&out.stdout).unwrap();
    report["diagnostics"].as_array().unwrap().clone()
}

fn span(label: &Value) -> [usize; 2] {
    [0, 1].map(|i| usize::try_from(label["span"][i].as_u64().unwrap()).unwrap())
}

/// The line of a byte by its definition: CR, LF and CR LF each end one.
fn line_of(bytes: &[u8], at: usize) -> u64 {
    let text = &bytes[..at];
    let both = text.windows(2).filter(|w| *w == b"\r\n").count();
    let ends = text.iter().filter(|b| matches!(b, b'\r' | b'\n')).count();
    u64::try_from(ends - both).unwrap() + 1
}

/// Storage and journal of the same messages in one folder; gives the journal's bytes.
fn both(dir: &Path) -> Vec<u8> {
    let mut journal = Vec::new();
    let separators: [&[u8]; 4] = [b"\x1c\r\n", b"\r\n", b"\n\r\r\n", b""];
    for (sent, separator) in messages().iter().zip(separators) {
        let Sent {
            patient,
            date,
            kind,
            bytes,
        } = sent;
        let name = format!("{patient}_{date}_{kind}_999999999999999_20260401093015123_01_1");
        let path = format!("root/000/000/{patient}/{date}/{kind}/{name}");
        write(dir, &path, bytes);
        journal.extend(record(sent, separator));
    }
    write(dir, &format!("journals/{JOURNAL}"), &journal);
    journal
}

#[test]
fn a_record_has_the_findings_of_its_file_at_their_place_in_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let journal = both(dir);
    let key = |d: &Value| (d["fingerprint"].to_string(), d["code"].to_string());
    let of_files: BTreeMap<_, _> = check(dir, &["root"])
        .into_iter()
        .map(|d| (key(&d), d))
        .collect();
    let of_records: BTreeMap<_, _> = check(dir, &["journals"])
        .into_iter()
        .map(|d| (key(&d), d))
        .collect();
    let keys = |of: &BTreeMap<_, Value>| of.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&of_files), keys(&of_records));
    assert!(of_files.len() > 10);
    let (mut fixes, mut further, mut kinds) = (0, 0, BTreeSet::new());
    for (key, d) in &of_records {
        let plain = &of_files[key];
        for field in ["message", "kind", "severity", "help", "standard"] {
            assert_eq!(d[field], plain[field], "{d}");
        }
        let labels = |d: &Value| {
            let more = d["secondary"].as_array().unwrap().clone();
            [vec![d["primary"].clone()], more].concat()
        };
        further += labels(d).len() - 1;
        for (own, plain) in labels(d).iter().zip(labels(plain)) {
            assert_eq!(own["file"], format!("journals/{JOURNAL}"));
            let path = plain["file"].as_str().unwrap();
            assert_eq!(
                Some(own["record"].as_str().unwrap()),
                path.strip_prefix("root/")
            );
            let file = std::fs::read(dir.join(path)).unwrap();
            let ([from, to], [start, end]) = (span(&plain), span(own));
            kinds.insert(to > 0);
            if to == 0 {
                assert_eq!(&journal[start..end], b"#SSMIX");
                assert_eq!(
                    (
                        own["start"]["column"].as_u64(),
                        own["end"]["column"].as_u64()
                    ),
                    (Some(1), Some(7))
                );
            } else {
                assert_eq!(journal[start..end], file[from..to]);
                for at in ["start", "end"] {
                    assert_eq!(own[at]["column"], plain[at]["column"]);
                }
            }
            assert_eq!(
                own["start"]["line"].as_u64(),
                Some(line_of(&journal, start)),
                "{d}"
            );
            assert_eq!(own["path"], plain["path"]);
        }
        let edits = |d: &Value| d["fix"]["edits"].as_array().cloned().unwrap_or_default();
        for (own, other) in edits(d).iter().zip(edits(plain)) {
            fixes += 1;
            let file = std::fs::read(dir.join(plain["primary"]["file"].as_str().unwrap())).unwrap();
            let ([from, to], [start, end]) = (span(&other), span(own));
            assert_eq!(
                (&own["bytes"], &journal[start..end]),
                (&other["bytes"], &file[from..to])
            );
        }
    }
    assert!(fixes > 0 && further > 0, "{fixes} {further}");
    assert_eq!(kinds.len(), 2);
    // Sorted by the place in the journal.
    let starts: Vec<usize> = check(dir, &["journals"])
        .iter()
        .map(|d| span(&d["primary"])[0])
        .collect();
    assert!(starts.is_sorted());
}

#[test]
fn every_format_names_the_journal_once_and_is_the_same_for_any_threads() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    both(dir);
    let file = format!("journals/{JOURNAL}");
    for format in [
        "text",
        "json",
        "ndjson",
        "sarif",
        "junit",
        "github",
        "gitlab",
        "checkstyle",
        "markdown",
        "operation-outcome",
    ] {
        let out = |jobs: &str| {
            let args = ["check", "journals", "--format", format, "--jobs", jobs];
            warifu(&args).current_dir(dir).output().unwrap().stdout
        };
        let one = out("1");
        assert_eq!(one, out("8"), "{format}");
        let shown = text(&one);
        assert!(shown.contains(&file), "{format}");
        assert!(!shown.contains("journals/000"), "{format}: {shown}");
        match format {
            "sarif" => {
                let sarif: Value = serde_json::from_slice(&one).unwrap();
                let artifacts = sarif["runs"][0]["artifacts"].as_array().unwrap();
                assert_eq!(artifacts.len(), 1);
                assert_eq!(artifacts[0]["location"]["uri"], file.as_str());
                assert!(artifacts[0].get("length").is_none());
                for r in sarif["runs"][0]["results"].as_array().unwrap() {
                    assert_eq!(
                        r["locations"][0]["physicalLocation"]["artifactLocation"]["index"],
                        0
                    );
                    assert!(
                        r["properties"]["record"]
                            .as_str()
                            .unwrap()
                            .starts_with("000/000/")
                    );
                }
            }
            "checkstyle" => {
                assert_eq!(shown.matches("<file ").count(), 1);
                assert_eq!(shown.matches("</file>").count(), 1);
            }
            "junit" => {
                assert_eq!(shown.matches("<testsuite ").count(), 4);
                assert!(shown.contains(&format!("name=\"{file} (000/000/0000000101/")));
            }
            "gitlab" => {
                let list: Vec<Value> = serde_json::from_slice(&one).unwrap();
                let prints: BTreeSet<String> =
                    list.iter().map(|e| e["fingerprint"].to_string()).collect();
                assert_eq!(prints.len(), list.len());
            }
            "text" => assert!(shown.contains(" (000/000/0000000101/-/ADT-00/"), "{shown}"),
            _ => {}
        }
    }
}

#[test]
fn the_baseline_of_a_storage_counts_for_its_journal() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    both(dir);
    let made = run_in(
        dir,
        &[
            "check",
            "root",
            "--baseline",
            "b.json",
            "--update-baseline",
            "--config",
            "none",
        ],
    );
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    let after = run_in(
        dir,
        &[
            "check",
            "journals",
            "--baseline",
            "b.json",
            "--config",
            "none",
        ],
    );
    assert_eq!(
        (after.status.code(), text(&after.stdout).as_ref()),
        (Some(0), ""),
        "{}",
        text(&after.stderr)
    );
}

#[test]
fn paths_of_overrides_and_masks_are_those_of_records() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    both(dir);
    std::fs::write(dir.join("w.toml"), "[[check.override]]\npaths = [\"**/0000000102/**\"]\nignore = [\"ENC\", \"HL7\", \"SSM\"]\n").unwrap();
    let out = run_in(
        dir,
        &[
            "check", "journals", "--format", "json", "--config", "w.toml",
        ],
    );
    let shown = text(&out.stdout).clone();
    assert!(
        shown.contains("0000000101/") && !shown.contains("0000000102/"),
        "{shown}"
    );
    let masked = warifu(&[
        "check",
        "journals",
        "--format",
        "json",
        "--mask-paths",
        "--config",
        "none",
    ])
    .current_dir(dir)
    .env("WARIFU_MASK_KEY", "a key of thirty-two bytes for tests")
    .output()
    .unwrap();
    let masked = text(&masked.stdout).clone();
    assert!(
        masked.contains(JOURNAL)
            && masked.contains("\"record\":\"")
            && !masked.contains("0000000101"),
        "{masked}"
    );
}

/// A DEL in a later file takes back what an earlier one brought; that cannot be where they are given apart.
#[test]
fn journals_are_replayed_as_one_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let messages = messages();
    for (name, sent) in ["j/TR_1.DAT", "j/TR_2.DAT"].into_iter().zip(&messages) {
        write(dir, name, &record(sent, b"\x1c\r\n"));
    }
    let convert = |paths: &[&str]| {
        run_in(
            dir,
            &[&["convert"][..], paths, &["--to", "ndjson"]].concat(),
        )
    };
    assert!(!convert(&["j"]).stdout.is_empty());
    let apart = convert(&["j/TR_1.DAT", "j/TR_2.DAT"]);
    assert_eq!(apart.status.code(), Some(2));
    assert!(apart.stdout.is_empty() && text(&apart.stderr).contains("DEL"));
    // Nor would it reach a storage beside them.
    both(dir);
    for paths in [["root", "j"], ["j/TR_1.DAT", "root"]] {
        let beside = convert(&paths);
        assert_eq!(beside.status.code(), Some(2));
        assert!(
            beside.stdout.is_empty() && text(&beside.stderr).contains("error[CLI001]: transaction")
        );
    }
}

#[test]
fn what_is_wrong_with_a_header_is_placed_on_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let message = &messages()[0].bytes;
    let head = |version: &str, number: &str, operation: &str| {
        format!(
            "#SSMIX,{version},{number},0000000101,-,ADT-00,999999999999999,{operation},-,20260401093015123\r\n"
        )
    };
    let mut journal = Vec::new();
    for header in [
        head("9.99", " 131000000 ", "INS"),
        head("9.99", "131000000", "INS"),
        head("2.00", "1310000003", "UPD"),
        head("", "1310000003", "INS"),
    ] {
        journal.extend([header.as_bytes(), message, b"\x1c\r\n"].concat());
    }
    write(dir, JOURNAL, &journal);
    for input in [JOURNAL, "2026", "."] {
        let all = check(dir, &[input, "--select", "SSM162,SSM163,SSM179"]);
        let found: Vec<(&str, &[u8], u64, u64)> = all
            .iter()
            .map(|d| {
                let p = &d["primary"];
                assert_eq!(p["file"], JOURNAL);
                let [start, end] = span(p);
                let line = p["start"]["line"].as_u64().unwrap();
                assert_eq!(line, line_of(&journal, start));
                let column = p["start"]["column"].as_u64().unwrap();
                assert_eq!(
                    p["end"]["column"].as_u64().unwrap() - column,
                    u64::try_from(end - start).unwrap()
                );
                (
                    d["code"].as_str().unwrap(),
                    &journal[start..end],
                    line,
                    column,
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("SSM162", &b"9.99"[..], 1, 8),
                ("SSM163", b"131000000", 1, 14),
                ("SSM179", b"#SSMIX", 13, 1),
                ("SSM162", b"#SSMIX", 19, 1),
            ],
            "{input}"
        );
    }
    // In the folder of another year; told once, of the file.
    let other = JOURNAL.replace("2026/", "2019/");
    assert_ne!(other, JOURNAL);
    write(dir, &other, &journal);
    let found = check(dir, &[".", "--select", "SSM164"]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["primary"]["file"], other.as_str());
    std::fs::remove_dir_all(dir.join("2019")).unwrap();
    let shown = run_in(
        dir,
        &["check", ".", "--select", "SSM179", "--config", "none"],
    );
    assert!(
        text(&shown.stdout).contains(&format!(" --> {JOURNAL}:13:1")),
        "{}",
        text(&shown.stdout)
    );
    let archive = support::tree(dir).len();
    assert_eq!(archive, 1);
}

#[test]
fn the_conversion_places_what_it_finds_in_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let journal = both(dir);
    let lines = |input: &str, out: &str| -> (Vec<Value>, Vec<Value>) {
        let args = [
            "convert",
            input,
            "--to",
            "bundle",
            "--out",
            out,
            "--trace",
            "--institution",
            "1310000003",
            "--config",
            "none",
        ];
        let done = run_in(dir, &args);
        assert!(done.status.code().unwrap() < 2, "{}", text(&done.stderr));
        let read = |name: &str| -> Vec<Value> {
            let text = std::fs::read_to_string(dir.join(out).join(name)).unwrap();
            text.lines()
                .map(|l| serde_json::from_str(l).unwrap())
                .collect()
        };
        (read("diagnostics.ndjson"), read("trace.ndjson"))
    };
    let (found, trace) = lines("journals", "a");
    let (plain, plain_trace) = lines("root", "b");
    let placed = |d: &Value| d["primary"]["span"][1].as_u64().unwrap_or(0) > 0;
    let (found, plain): (Vec<&Value>, Vec<&Value>) = (
        found
            .iter()
            .filter(|d| placed(d) && journal[span(&d["primary"])[0]..][..6] != *b"#SSMIX")
            .collect(),
        plain.iter().filter(|d| placed(d)).collect(),
    );
    assert!(found.len() > 2 && found.len() == plain.len());
    for (d, other) in found.iter().zip(plain) {
        assert_eq!(d["code"], other["code"]);
        let (p, q) = (&d["primary"], &other["primary"]);
        assert_eq!(p["file"], JOURNAL);
        assert_eq!(p["record"], q["file"]);
        let file = std::fs::read(dir.join("root").join(q["file"].as_str().unwrap())).unwrap();
        let ([from, to], [start, end]) = (span(q), span(p));
        assert_eq!(journal[start..end], file[from..to]);
        assert_eq!(p["start"]["line"].as_u64(), Some(line_of(&journal, start)));
    }
    let spans = |t: &[Value]| -> Vec<Value> {
        t.iter()
            .filter_map(|l| l["spans"].as_array())
            .flatten()
            .cloned()
            .collect()
    };
    let (own, plain) = (spans(&trace), spans(&plain_trace));
    assert!(own.len() > 10 && own.len() == plain.len());
    let at = |s: &Value| ["start", "end"].map(|k| usize::try_from(s[k].as_u64().unwrap()).unwrap());
    for (s, other) in own.iter().zip(&plain) {
        let file = std::fs::read(dir.join("root").join(other["file"].as_str().unwrap())).unwrap();
        let ([from, to], [start, end]) = (at(other), at(s));
        assert_eq!(
            (s["file"].as_str(), &s["record"]),
            (Some(JOURNAL), &other["file"])
        );
        assert_eq!(journal[start..end], file[from..to]);
    }
}

/// What a storage has of a person and what lies outside of it are not weighed against each other: refused before
/// anything is written, whatever way they come.
#[test]
fn a_storage_and_messages_outside_of_it_are_not_converted_in_one_run() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    both(dir);
    let message = &messages()[0].bytes;
    write(dir, "loose/deep/x.hl7", message);
    write(dir, "one.hl7", message);
    write(dir, "documents/a.xml", b"<ClinicalDocument/>");
    write(dir, "documents/b.pdf", b"%PDF-1.4");
    let zipped = |name: &str, path: &str, bytes: &[u8]| {
        let mut zip = zip::ZipWriter::new(std::fs::File::create(dir.join(name)).unwrap());
        zip.start_file(path, zip::write::SimpleFileOptions::default())
            .unwrap();
        std::io::Write::write_all(&mut zip, bytes).unwrap();
        zip.finish().unwrap();
    };
    zipped("loose.zip", "a/x.hl7", message);
    let sent = &messages()[0];
    let name = format!(
        "{}_-_ADT-00_999999999999999_20260401093015123_01_1",
        sent.patient
    );
    let place = format!("000/000/{}/-/ADT-00/{name}", sent.patient);
    zipped("storage.zip", &place, message);
    let mut tar = tar::Builder::new(std::fs::File::create(dir.join("loose.tar")).unwrap());
    let mut head = tar::Header::new_gnu();
    head.set_size(u64::try_from(message.len()).unwrap());
    tar.append_data(&mut head, "y.hl7", message.as_slice())
        .unwrap();
    tar.finish().unwrap();
    let convert = |paths: &[&str], rest: &[&str]| {
        run_in(
            dir,
            &[&["convert", "--lang", "en"][..], paths, rest].concat(),
        )
    };
    for storage in ["root", "journals", "storage.zip"] {
        for beside in ["loose", "one.hl7", "loose.zip", "loose.tar"] {
            for paths in [[storage, beside], [beside, storage]] {
                for to in [
                    &["--to", "ndjson"][..],
                    &["--to", "bundle", "--per", "patient"],
                    &["--to", "clins"],
                    &["--to", "ndjson", "--out", "out"],
                ] {
                    let o = convert(&paths, to);
                    assert_eq!(o.status.code(), Some(2), "{paths:?} {to:?}");
                    assert!(o.stdout.is_empty() && !dir.join("out").exists());
                    let said = text(&o.stderr);
                    assert!(said.contains("root of the storage alone"), "{said}");
                    assert!(said.starts_with("error[CLI002]: "), "{said}");
                }
            }
        }
        // Documents and what is none of these are as before.
        let o = convert(&[storage, "documents"], &["--to", "ndjson"]);
        assert_ne!(o.status.code(), Some(2), "{}", text(&o.stderr));
        assert!(!o.stdout.is_empty());
    }
    assert_ne!(
        convert(&["root", "storage.zip"], &["--to", "ndjson"])
            .status
            .code(),
        Some(2)
    );
    assert_ne!(
        convert(&["loose", "one.hl7"], &["--to", "ndjson"])
            .status
            .code(),
        Some(2)
    );
}
