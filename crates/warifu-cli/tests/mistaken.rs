//! What was given and what is there do not fit: institutions, index tables, options, files of other kinds.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use support::{fixtures, run, run_in, text, tree};

fn lines(file: &Path) -> Vec<Value> {
    fs::read_to_string(file)
        .unwrap()
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

fn codes(out: &Path) -> BTreeSet<String> {
    lines(&out.join("diagnostics.ndjson"))
        .iter()
        .filter_map(|v| Some(v["code"].as_str()?.to_owned()))
        .collect()
}

/// A patient's ADT-00 of the fixtures, and the patient's id.
fn snapshot() -> (String, Vec<u8>) {
    let (name, bytes) = tree(&fixtures("standard_root"))
        .into_iter()
        .find(|(name, _)| name.contains("_ADT-00_"))
        .unwrap();
    let leaf = name.rsplit('/').next().unwrap();
    (leaf.split('_').next().unwrap().to_owned(), bytes)
}

/// A journal with the same patient number in each of these institutions.
fn journal(dir: &Path, institutions: &[&str]) -> PathBuf {
    let (id, message) = snapshot();
    let mut bytes = Vec::new();
    for n in institutions {
        write!(
            bytes,
            "#SSMIX,2.00,{n},{id},-,ADT-00,999999999999999,INS,-,20260401093015123\r\n"
        )
        .unwrap();
        bytes.extend_from_slice(&message);
    }
    let file = dir.join("TR_20260401000000000_00001.DAT");
    fs::write(&file, bytes).unwrap();
    file
}

#[test]
fn the_same_number_in_two_institutions_is_two_persons_whatever_is_given() {
    let dir = tempfile::tempdir().unwrap();
    let two = journal(dir.path(), &["1310000003", "1310000011"]);
    let mut ids = Vec::new();
    for (n, given) in [None, Some("1319999999"), Some("1310000003")]
        .iter()
        .enumerate()
    {
        let out = dir.path().join(format!("o{n}"));
        let mut args = vec![
            "convert",
            two.to_str().unwrap(),
            "--to",
            "ndjson",
            "--out",
            out.to_str().unwrap(),
        ];
        args.extend(given.iter().flat_map(|g| ["--institution", *g]));
        let o = run(&args);
        assert_eq!(o.status.code(), Some(0), "{}", text(&o.stderr));
        let people: BTreeSet<String> = lines(&out.join("Patient.ndjson"))
            .iter()
            .map(|p| p["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(people.len(), 2, "{given:?}");
        let codes = codes(&out);
        assert!(codes.contains("SSM149"), "{codes:?}");
        assert_eq!(codes.contains("SSM148"), given.is_some(), "{codes:?}");
        // Each patient's institution is known.
        assert!(!codes.contains("MAP002"), "{codes:?}");
        ids.push(people);
    }
    assert!(ids[0] == ids[1] && ids[0] == ids[2]);

    // Bundles of both have their own files.
    let out = dir.path().join("bundles");
    let o = run(&[
        "convert",
        two.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ]);
    assert_eq!(o.status.code(), Some(0), "{}", text(&o.stderr));
    let names: Vec<String> = tree(&out).into_iter().map(|(n, _)| n).collect();
    for n in ["1310000003/ADT-00/", "1310000011/ADT-00/"] {
        assert!(names.iter().any(|name| name.starts_with(n)), "{names:?}");
    }

    let refused = run(&[
        "--lang",
        "en",
        "convert",
        two.to_str().unwrap(),
        "--ids",
        "readable",
    ]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("--ids readable cannot be used"));
}

#[test]
fn one_institution_that_is_not_the_one_given_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let one = journal(dir.path(), &["1310000003"]);
    let out = dir.path().join("o");
    let convert = |number: &str| {
        let o = run(&[
            "convert",
            one.to_str().unwrap(),
            "--to",
            "ndjson",
            "--fresh",
            "--institution",
            number,
            "--out",
            out.to_str().unwrap(),
        ]);
        assert_eq!(o.status.code(), Some(0), "{}", text(&o.stderr));
        codes(&out).contains("SSM148")
    };
    assert!(!convert("1310000003"));
    assert!(convert("1310000011"));
}

#[test]
fn a_second_run_that_finds_another_institution_beside_the_first_makes_what_a_first_run_makes() {
    let dir = tempfile::tempdir().unwrap();
    let convert = |out: &Path, journal: &Path| {
        let o = run(&[
            "convert",
            journal.to_str().unwrap(),
            "--to",
            "ndjson",
            "--institution",
            "1319999999",
            "--out",
            out.to_str().unwrap(),
        ]);
        assert_eq!(o.status.code(), Some(0), "{}", text(&o.stderr));
        let people = lines(&out.join("Patient.ndjson"));
        let ids: BTreeSet<String> = people
            .iter()
            .map(|p| p["id"].as_str().unwrap().to_owned())
            .collect();
        ids
    };
    let (out, fresh) = (dir.path().join("o"), dir.path().join("fresh"));
    let given = convert(&out, &journal(dir.path(), &["1310000003"]));
    assert_eq!(given.len(), 1, "the one that was given counts");
    let two = journal(dir.path(), &["1310000003", "1310000011"]);
    assert_eq!(convert(&out, &two), convert(&fresh, &two));
}

#[test]
fn an_index_that_is_none_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    let root = fixtures("standard_root");
    fs::write(here.join("g.py"), "print(1)\n").unwrap();
    fs::write(here.join("empty.csv"), "").unwrap();
    fs::write(here.join("bare.csv"), "PatientID,FileName\n1,x\n").unwrap();
    fs::write(
        here.join("two.csv"),
        "PatientID,FileName,FacilityID\n1,x,1310000003\n1,y,1310000011\n",
    )
    .unwrap();
    for (file, want) in [
        ("g.py", "its first line lacks"),
        ("empty.csv", "it is empty"),
        ("bare.csv", "no FacilityID of ten digits"),
        ("bare.csv", "error[CLI007]: bare.csv cannot be used"),
        ("two.csv", "1310000003, 1310000011"),
        ("two.csv", "error[CLI005]: "),
        ("gone.csv", "gone.csv not found"),
    ] {
        let o = run_in(
            here,
            &[
                "--lang",
                "en",
                "convert",
                root.to_str().unwrap(),
                "--index",
                file,
            ],
        );
        assert_eq!(o.status.code(), Some(2), "{file}");
        assert!(text(&o.stderr).contains(want), "{}", text(&o.stderr));
        assert_eq!(text(&o.stdout), "");
    }
}

#[test]
fn options_that_do_not_count_are_refused() {
    let root = fixtures("standard_root");
    for (to, flag, value) in [
        ("ndjson", "--per", "patient"),
        ("ndjson", "--bundle", "collection"),
        ("clins", "--per", "message"),
    ] {
        let o = run(&[
            "--lang",
            "ja",
            "convert",
            root.to_str().unwrap(),
            "--to",
            to,
            flag,
            value,
        ]);
        assert_eq!(o.status.code(), Some(2));
        assert!(text(&o.stderr).contains(&format!("{flag} は --to bundle と")));
    }
}

#[test]
fn what_differs_from_the_earlier_run_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let root = fixtures("standard_root");
    let out = dir.path().join("o");
    let key = dir.path().join("key");
    fs::write(&key, [7; 32]).unwrap();
    let run_with = |more: &[&str]| {
        let args = [
            "--lang",
            "en",
            "convert",
            root.to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
        ];
        run(&[&args[..], more].concat())
    };
    assert_eq!(run_with(&[]).status.code(), Some(0));
    for (more, want) in [
        (&["--to", "ndjson"][..], "(--to: bundle → ndjson)"),
        (
            &["--sent-at", "2026-04-01T09:30:00+09:00", "--lang", "ja"],
            "--lang: en → ja, --sent-at: - → 2026-04-01T09:30:00+09:00",
        ),
        (
            &["--id-key", key.to_str().unwrap()],
            "(--id-key, WARIFU_MASK_KEY)",
        ),
    ] {
        let o = run_with(more);
        assert_eq!(o.status.code(), Some(2));
        assert!(text(&o.stderr).contains(want), "{}", text(&o.stderr));
    }
}

fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn show_says_what_a_file_is_that_is_no_message() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    fs::write(here.join("all.zip"), zip_of(&[("a", b"x")])).unwrap();
    fs::write(here.join("x.png"), [0x89, b'P', b'N', b'G', 0, 1]).unwrap();
    fs::write(here.join("b.json"), "{}").unwrap();
    journal(here, &["1310000003"]);
    for (file, want) in [
        ("all.zip", "is an archive"),
        ("x.png", "First bytes: 89 50 4E 47"),
        ("b.json", "is no HL7 v2 message"),
        ("TR_20260401000000000_00001.DAT", "is a transaction journal"),
    ] {
        let o = run_in(here, &["--lang", "en", "show", file]);
        assert_eq!(o.status.code(), Some(2), "{file}");
        assert!(text(&o.stderr).contains(want), "{}", text(&o.stderr));
        assert_eq!(text(&o.stdout), "", "{file}");
    }
}

#[test]
fn nothing_found_names_what_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    fs::create_dir_all(here.join("data")).unwrap();
    fs::write(here.join("data/notes.txt"), "hello").unwrap();
    fs::write(here.join("data/Thumbs.db"), "x").unwrap();
    fs::write(
        here.join("in.zip"),
        zip_of(&[("a.zip", &zip_of(&[("x", b"MSH|")]))]),
    )
    .unwrap();
    for command in ["convert", "check"] {
        let o = run_in(here, &["--lang", "en", command, "data"]);
        assert_eq!(o.status.code(), Some(2));
        assert_eq!(
            text(&o.stderr),
            "error: no SS-MIX2 or FHIR in data (1 files looked at). For a standard storage give the folder above 000/000/.\n  data/notes.txt: neither SS-MIX2 nor FHIR\n  passed over: 1 (hidden, temporary, Thumbs.db, excluded)\n",
        );
        let o = run_in(here, &["--lang", "en", command, "in.zip"]);
        assert_eq!(o.status.code(), Some(2));
        assert!(
            text(&o.stderr).contains("(1 files looked at)"),
            "{}",
            text(&o.stderr)
        );
        assert!(text(&o.stderr).contains("a.zip: neither SS-MIX2 nor FHIR"));
    }
}

#[test]
fn an_archive_in_an_archive_is_called_that() {
    let dir = tempfile::tempdir().unwrap();
    let (id, message) = snapshot();
    let name = format!("000/000/{id}/-/ADT-00/{id}_-_ADT-00_999999999999999_20260401093015123_-_1");
    let inner = zip_of(&[("x", b"MSH|")]);
    let file = dir.path().join("all.zip");
    fs::write(&file, zip_of(&[(&name, &message), ("more.zip", &inner)])).unwrap();
    let out = dir.path().join("o");
    let o = run(&[
        "--lang",
        "en",
        "convert",
        file.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ]);
    assert_eq!(o.status.code(), Some(1), "{}", text(&o.stderr));
    assert!(
        text(&o.stderr).contains("error[SSM146]"),
        "{}",
        text(&o.stderr)
    );
    let found = lines(&out.join("diagnostics.ndjson"));
    let nested: Vec<&Value> = found.iter().filter(|v| v["code"] == "SSM146").collect();
    assert_eq!(nested.len(), 1);
    assert_eq!(nested[0]["primary"]["file"], "more.zip");
    assert!(
        !found
            .iter()
            .any(|v| v["code"] == "SSM108" || v["code"] == "SSM110")
    );
}
