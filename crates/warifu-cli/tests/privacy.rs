//! What is read and what is shown: globs, exclusions, values, masked paths.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod support;

use std::fs;

use support::{fixtures, run, run_in, run_with, text, tree};

/// A message whose every value is a canary.
const CANARY: &str = "MSH|^~\\&|HIS|H|GW|H|20260401093000||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994\rEVN||20260401093000\rPID|0001||0000987654^^^^PI||CANARYFAMILY^CANARYGIVEN^^^^^L^A||19711231|F|||^^^^123-9876^JPN^H^CANARYADDRESS||^PRN^PH^^^^^^^^^0312349876\rPV1|0001|N\rOBX|1|ST|CANARYCODE||CANARYVALUE||||||X\r";
const CANARIES: [&str; 8] = [
    "CANARY",
    "0000987654",
    "0312349876",
    "123-9876",
    "19711231",
    "1971-12-31",
    "000/098/765",
    "987654",
];

fn canary_storage(dir: &std::path::Path) -> std::path::PathBuf {
    let root = dir.join("root");
    let folder = root.join("000/098/0000987654/-/ADT-00");
    fs::create_dir_all(&folder).unwrap();
    fs::write(
        folder.join("0000987654_-_ADT-00_999999999999999_20260401093000000_-_1"),
        CANARY,
    )
    .unwrap();
    root
}

#[test]
fn no_value_is_in_findings_traces_or_piped_text_and_no_id_with_masked_paths() {
    let dir = tempfile::tempdir().unwrap();
    let root = canary_storage(dir.path());
    let root = root.to_str().unwrap();
    let file = format!(
        "{root}/000/098/0000987654/-/ADT-00/0000987654_-_ADT-00_999999999999999_20260401093000000_-_1"
    );
    let key = [("WARIFU_MASK_KEY", "0123456789abcdef0123")];
    for to in ["ndjson", "bundle", "clins"] {
        let out = dir.path().join(to);
        let args = [
            "convert",
            root,
            "--to",
            to,
            "--trace",
            "-vv",
            "--mask-paths",
            "--out",
            out.to_str().unwrap(),
        ];
        let o = run_with(&args, &key);
        assert_eq!(o.status.code(), Some(0), "{}", text(&o.stderr));
        let mut shown = vec![
            ("stderr".to_owned(), o.stderr),
            ("stdout".to_owned(), o.stdout),
        ];
        for (name, bytes) in tree(&out) {
            // The resources are the result; everything that tells of them is not.
            let told = [
                "manifest.json",
                "diagnostics.ndjson",
                "trace.ndjson",
                ".warifu-state",
            ];
            let result = !told.contains(&name.as_str());
            shown.push((format!("name of {name}"), name.clone().into_bytes()));
            if !result {
                shown.push((name, bytes));
            }
        }
        assert!(shown.iter().any(|(n, _)| n == "trace.ndjson"));
        for (name, bytes) in shown {
            for canary in CANARIES {
                assert!(
                    !text(&bytes).contains(canary),
                    "{to}: {name} holds {canary}"
                );
            }
        }
    }
    // Without masked paths the paths hold the id, and nothing holds a value.
    let out = dir.path().join("plain");
    let args = [
        "convert",
        root,
        "--to",
        "ndjson",
        "--trace",
        "-vv",
        "--out",
        out.to_str().unwrap(),
    ];
    let o = run(&args);
    assert!(text(&o.stderr).contains("0000987654"));
    for (name, bytes) in tree(&out) {
        if name == "diagnostics.ndjson" || name == "trace.ndjson" || name == "manifest.json" {
            assert!(!text(&bytes).contains("CANARY"), "{name}");
        }
    }
    for args in [
        vec!["show", &file],
        vec!["show", &file, "--format", "json"],
        vec!["show", &file, "--path", "PID-5"],
        vec!["show", &file, "--path", "PID-5.1", "--format", "json"],
        vec!["show", &file, "--show-values", "never"],
    ] {
        let o = run(&args);
        assert_eq!(o.status.code(), Some(0), "{args:?} {}", text(&o.stderr));
        assert!(text(&o.stdout).contains("AAAAAAAAAAAA"), "{args:?}");
        for canary in &CANARIES[..6] {
            assert!(!text(&o.stdout).contains(canary), "{args:?} shows {canary}");
        }
    }
}

#[test]
fn values_are_shown_when_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("m.hl7");
    fs::write(&file, CANARY).unwrap();
    let file = file.to_str().unwrap();
    let shown = |args: &[&str]| {
        let o = run(&[&["show", file], args].concat());
        assert_eq!(o.status.code(), Some(0), "{}", text(&o.stderr));
        text(&o.stdout)
    };
    let always = ["--show-values", "always"];
    assert!(shown(&always).contains("CANARYFAMILY"));
    assert!(shown(&[&["--hex"], &always[..]].concat()).contains("CANARY"));
    let one = shown(&[&["--path", "PID-5"], &always[..]].concat());
    assert!(
        one.contains("CANARYFAMILY") && one.contains("PID") && !one.contains("PID-3"),
        "{one}"
    );
    assert!(!one.contains("0000987654"), "{one}");
    // Bytes cannot be masked.
    assert_eq!(run(&["show", file, "--hex"]).status.code(), Some(2));
    // A file may say it for all.
    fs::write(
        dir.path().join("warifu.toml"),
        "[privacy]\nshow-values = \"always\"\n",
    )
    .unwrap();
    let o = run_in(dir.path(), &["show", "m.hl7"]);
    assert!(text(&o.stdout).contains("CANARYFAMILY"));
    let o = run_in(dir.path(), &["show", "m.hl7", "--show-values", "never"]);
    assert!(!text(&o.stdout).contains("CANARYFAMILY"));
}

#[test]
fn masking_without_a_key_is_a_mistake() {
    let root = fixtures("standard_root");
    let root = root.to_str().unwrap();
    for key in [&[][..], &[("WARIFU_MASK_KEY", "short")][..]] {
        let o = run_with(&["convert", root, "-qq", "--mask-paths"], key);
        assert_eq!(o.status.code(), Some(2));
        assert!(
            text(&o.stderr).contains("WARIFU_MASK_KEY"),
            "{}",
            text(&o.stderr)
        );
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("warifu.toml"),
        "[privacy]\nmask-paths = true\n",
    )
    .unwrap();
    fs::write(dir.path().join("m.hl7"), CANARY).unwrap();
    assert_eq!(
        run_in(dir.path(), &["show", "m.hl7"]).status.code(),
        Some(2)
    );
    assert_eq!(
        run_in(dir.path(), &["convert", "m.hl7", "-qq"])
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn other_masks_make_other_results() {
    let dir = tempfile::tempdir().unwrap();
    let root = canary_storage(dir.path());
    let out = dir.path().join("out");
    let args = [
        "convert",
        root.to_str().unwrap(),
        "--mask-paths",
        "--out",
        out.to_str().unwrap(),
    ];
    let with = |key: &str| run_with(&args, &[("WARIFU_MASK_KEY", key)]).status.code();
    assert_eq!(with("0123456789abcdef"), Some(0));
    assert_eq!(with("0123456789abcdef"), Some(0));
    assert_eq!(with("another key of some length"), Some(2));
}

/// Files converted, by the summary in the manifest.
fn files_of(dir: &std::path::Path, args: &[&str]) -> u64 {
    let out = dir.join("counted");
    let _ = fs::remove_dir_all(&out);
    let all = [&["convert", "--to", "ndjson", "--out", "counted"], args].concat();
    let o = run_in(dir, &all);
    assert!(o.status.code() != Some(2), "{args:?}: {}", text(&o.stderr));
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(out.join("manifest.json")).unwrap()).unwrap();
    manifest
        .pointer("/counts/files")
        .and_then(serde_json::Value::as_u64)
        .unwrap()
}

fn copy_fixture(to: &std::path::Path) {
    for (name, bytes) in tree(&fixtures("standard_root")) {
        let at = to.join("standard_root").join(name);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at, bytes).unwrap();
    }
}

#[test]
fn quoted_globs_take_what_matches_and_a_storage_stays_one() {
    let dir = tempfile::tempdir().unwrap();
    copy_fixture(dir.path());
    let here = dir.path();
    let all = tree(&here.join("standard_root"));
    let of_kind = |kind: &str| {
        let part = format!("/{kind}/");
        u64::try_from(all.iter().filter(|(n, _)| n.contains(&part)).count()).unwrap()
    };
    assert!(of_kind("OML-11") > 1);
    assert_eq!(files_of(here, &["**/OML-11/*"]), of_kind("OML-11"));
    assert_eq!(
        files_of(here, &["standard_root/**/OML-11"]),
        of_kind("OML-11")
    );
    assert_eq!(
        files_of(
            here,
            &["standard_root/**/OML-11/*", "standard_root/**/ADT-00/*"]
        ),
        of_kind("OML-11") + of_kind("ADT-00")
    );
    assert_eq!(
        files_of(here, &["standard_root", "standard_root/**/OML-11/*"]),
        u64::try_from(all.len()).unwrap()
    );
    // Versions are weighed: nothing of flag 0 or 2 comes out as a resource of its own.
    let o = run_in(here, &["convert", "**/no-such-kind/*"]);
    assert_eq!(o.status.code(), Some(2));
    assert!(
        text(&o.stderr).contains("no SS-MIX2 or FHIR"),
        "{}",
        text(&o.stderr)
    );
    let o = run_in(here, &["convert", "no-such-folder/*"]);
    assert!(
        text(&o.stderr).contains("no-such-folder not found"),
        "{}",
        text(&o.stderr)
    );
}

#[test]
fn archives_of_a_glob_are_opened() {
    let dir = tempfile::tempdir().unwrap();
    copy_fixture(dir.path());
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir_all("standard_root", dir.path().join("standard_root"))
        .unwrap();
    fs::write(dir.path().join("a.tar"), tar.into_inner().unwrap()).unwrap();
    let count = u64::try_from(tree(&fixtures("standard_root")).len()).unwrap();
    assert_eq!(files_of(dir.path(), &["*.tar"]), count);
}

#[test]
fn exclude_and_warifuignore_leave_out_and_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    copy_fixture(dir.path());
    let here = dir.path();
    let all = tree(&here.join("standard_root"));
    let whole = u64::try_from(all.len()).unwrap();
    let of =
        |part: &str| u64::try_from(all.iter().filter(|(n, _)| n.contains(part)).count()).unwrap();
    assert_eq!(files_of(here, &["standard_root"]), whole);

    fs::write(
        here.join("warifu.toml"),
        "[files]\nexclude = [\"**/OML-11/**\"]\n",
    )
    .unwrap();
    assert_eq!(files_of(here, &["standard_root"]), whole - of("/OML-11/"));
    let found = fs::read_to_string(here.join("counted/diagnostics.ndjson")).unwrap();
    assert!(
        found.contains("\"SSM119\"") && found.contains("\"info\""),
        "no count of what was passed over"
    );
    // Relative to the file, and to the input.
    fs::write(
        here.join("warifu.toml"),
        "[files]\nexclude = [\"standard_root/**/ADT-00\"]\n",
    )
    .unwrap();
    assert_eq!(files_of(here, &["standard_root"]), whole - of("/ADT-00/"));
    fs::remove_file(here.join("warifu.toml")).unwrap();

    // The syntax of .gitignore: comments, negation, folders.
    fs::write(
        here.join(".warifuignore"),
        "# comment\nOML-11/\n*-00\n!ADT-00\n",
    )
    .unwrap();
    assert_eq!(files_of(here, &["standard_root"]), whole - of("/OML-11/"));
    fs::remove_file(here.join(".warifuignore")).unwrap();
    fs::write(
        here.join("standard_root/.warifuignore"),
        "/000/099/0000990001/\n",
    )
    .unwrap();
    assert_eq!(
        files_of(here, &["standard_root"]),
        whole - of("/0000990001/")
    );
    fs::remove_file(here.join("standard_root/.warifuignore")).unwrap();
    // .gitignore is not read.
    fs::write(here.join(".gitignore"), "standard_root/\n").unwrap();
    fs::write(here.join("standard_root/.gitignore"), "*\n").unwrap();
    assert_eq!(files_of(here, &["standard_root"]), whole);

    // What is given by name is never passed over.
    let named = all
        .iter()
        .map(|(n, _)| n)
        .find(|n| n.contains("/ADT-00/") && n.ends_with("_1"))
        .unwrap();
    let named = format!("standard_root/{named}");
    fs::write(here.join(".warifuignore"), "ADT-00\nstandard_root\n").unwrap();
    assert_eq!(files_of(here, &[&named]), 1);
    assert_eq!(files_of(here, &["standard_root"]), whole - of("/ADT-00/"));
    fs::write(here.join(".warifuignore"), "[z-a]\n").unwrap();
    let o = run_in(here, &["convert", "standard_root"]);
    assert_eq!(o.status.code(), Some(2));
    assert!(
        text(&o.stderr).contains(".warifuignore:1:"),
        "{}",
        text(&o.stderr)
    );
}
