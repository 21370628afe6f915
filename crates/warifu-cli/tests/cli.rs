//! The program as a user runs it: exit codes, determinism, interruption and resumption.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use support::{fixtures, run, run_in, text, tree, warifu};

#[test]
fn a_storage_converts_to_the_same_bytes_with_one_thread_and_with_many() {
    let dir = tempfile::tempdir().unwrap();
    let root = fixtures("standard_root");
    let mut trees = Vec::new();
    for jobs in ["1", "4"] {
        let out = dir.path().join(jobs);
        let o = run(&[
            "convert",
            root.to_str().unwrap(),
            "--to",
            "ndjson",
            "--trace",
            "--jobs",
            jobs,
            "--out",
            out.to_str().unwrap(),
        ]);
        assert_eq!(
            o.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&o.stderr)
        );
        trees.push(tree(&out));
    }
    assert!(trees[0].iter().any(|(n, _)| n == "Patient.ndjson"));
    assert!(trees[0] == trees[1]);
}

#[test]
fn a_second_run_does_nothing_and_other_options_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let root = fixtures("standard_root");
    let out = dir.path().join("o");
    let args = [
        "convert",
        root.to_str().unwrap(),
        "--to",
        "ndjson",
        "--out",
        out.to_str().unwrap(),
    ];
    assert_eq!(run(&args).status.code(), Some(0));
    let first = tree(&out);
    assert_eq!(run(&args).status.code(), Some(0));
    assert!(first == tree(&out));
    let mut other = args.to_vec();
    other.extend(["--ids", "readable"]);
    let refused = run(&other);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--fresh"));
    other.push("--fresh");
    assert_eq!(run(&other).status.code(), Some(0));
    assert!(first != tree(&out));
}

#[test]
fn what_somebody_took_out_of_a_folder_is_converted_again() {
    let dir = tempfile::tempdir().unwrap();
    let root = fixtures("standard_root");
    for form in ["ndjson", "bundle"] {
        let out = dir.path().join(form);
        let args = [
            "convert",
            root.to_str().unwrap(),
            "--to",
            form,
            "--out",
            out.to_str().unwrap(),
        ];
        assert_eq!(run(&args).status.code(), Some(0));
        let first = tree(&out);
        let data = |name: &String| name.ends_with("on") && !name.contains("manifest");
        let names: Vec<&String> = first.iter().map(|(n, _)| n).filter(|n| data(n)).collect();
        assert!(names.len() > 3);
        for name in names {
            let path = out.join(name);
            let length = std::fs::metadata(&path).unwrap().len();
            std::fs::remove_file(&path).unwrap();
            let again = run(&args);
            assert_eq!(again.status.code(), Some(0));
            let said = String::from_utf8_lossy(&again.stderr).into_owned();
            // What patients share is written again at the end of each run, without converting anything.
            let shared = ["Location", "Organization", "Practitioner"];
            let known = form == "ndjson" && shared.iter().any(|own| name.starts_with(own));
            assert_eq!(said.contains("are gone or cut"), !known, "{name}: {said}");
            assert!(first == tree(&out), "{name} was gone");
            let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
            file.set_len(length / 2).unwrap();
            assert_eq!(run(&args).status.code(), Some(0));
            assert!(first == tree(&out), "{name} was cut");
        }
    }
}

#[test]
fn what_a_storage_no_longer_has_is_not_left_in_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    for (name, bytes) in tree(&fixtures("standard_root")) {
        let to = root.join(name);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::write(to, bytes).unwrap();
    }
    let convert = |out: &str| {
        let out = dir.path().join(out);
        let args = ["convert", root.to_str().unwrap(), "--to", "ndjson"];
        let o = run(&[&args[..], &["--out", out.to_str().unwrap()]].concat());
        assert_eq!(o.status.code(), Some(0));
        tree(&out)
    };
    let before = convert("o");
    let mut gone = 0;
    for (name, _) in tree(&root) {
        if name.contains("PPR-01") {
            std::fs::remove_file(root.join(name)).unwrap();
            gone += 1;
        }
    }
    assert!(gone > 0 && before.iter().any(|(n, _)| n == "Condition.ndjson"));
    let after = convert("o");
    assert!(after.iter().all(|(n, _)| n != "Condition.ndjson"));
    assert!(after == convert("fresh"));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_goes_on_and_equals_an_uninterrupted_one() {
    const PATIENTS: u32 = 60;
    // `cargo xtask nightly` asks for 50.
    let moments: u32 = std::env::var("WARIFU_MOMENTS").map_or(6, |n| n.parse().unwrap());
    // A storage of many patients: the fixture's patients under other numbers.
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    for n in 0..PATIENTS {
        let number = format!("{n:010}");
        let folder = root.join(&number[..3]).join(&number[3..6]).join(&number);
        for (name, bytes) in tree(&fixtures("standard_root/000/099/0000990002")) {
            let to = folder.join(name.replace("0000990002", &number));
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::write(to, bytes).unwrap();
        }
    }
    let whole = dir.path().join("whole");
    let go = |out: &Path| {
        let args = [
            "convert",
            root.to_str().unwrap(),
            "--to",
            "ndjson",
            "-q",
            "--out",
        ];
        warifu(&[&args[..], &[out.to_str().unwrap()]].concat())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    assert_eq!(go(&whole).wait().unwrap().code(), Some(0));
    let wanted = tree(&whole);
    let commits = |out: &Path| {
        let state = std::fs::read(out.join(".warifu-state")).unwrap_or_default();
        u32::try_from(String::from_utf8_lossy(&state).lines().count()).unwrap()
    };
    let mut interrupted = 0;
    for moment in 0..moments {
        // One moment is one number of committed patients.
        let at = moment * PATIENTS / moments;
        let (signal, code) =
            [("-INT", 130), ("-KILL", -1), ("-TERM", 143)][usize::try_from(moment % 3).unwrap()];
        let out = dir.path().join(format!("cut{moment}"));
        let mut child = go(&out);
        while commits(&out) < at && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        let _ = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .stderr(Stdio::null())
            .status();
        let ended = child.wait().unwrap().code().unwrap_or(-1);
        if ended != 0 {
            interrupted += 1;
            // Before the handler stands, the signal itself ends the program.
            assert!(ended == code || ended == -1 && at == 0, "{signal}: {ended}");
        }
        // No file has its name before all are whole.
        let names: Vec<String> = tree(&out).into_iter().map(|(n, _)| n).collect();
        let named =
            |n: &String| !n.starts_with('.') && Path::new(n).extension() != Some("part".as_ref());
        let has = |name: &str| names.iter().any(|n| n == name);
        if ended != 0 {
            // Killed while names are given it has no manifest yet.
            assert!(
                signal == "-KILL" || !names.iter().any(named),
                "{signal}: {names:?}"
            );
            assert!(!has("manifest.json"));
            assert!(at < 2 || has("Patient.ndjson.part") || has("Patient.ndjson"));
        }
        assert_eq!(go(&out).wait().unwrap().code(), Some(0));
        let got = tree(&out);
        for ((a, x), (b, y)) in wanted.iter().zip(&got) {
            assert_eq!(a, b);
            assert!(x == y, "{a} differs after {signal} at {at} patients");
        }
        assert_eq!(wanted.len(), got.len());
        std::fs::remove_dir_all(&out).unwrap();
    }
    println!("{interrupted} of {moments} runs were cut");
    assert!(interrupted > 0);
}

#[test]
fn exit_codes_have_two_causes_each() {
    let root = fixtures("standard_root");
    let root = root.to_str().unwrap();
    let broken = fixtures("broken/no-msh");
    let broken = broken.to_str().unwrap();
    let code = |args: &[&str]| run(args).status.code();
    assert_eq!(code(&["convert", root, "-qq"]), Some(0));
    assert_eq!(code(&["rule", "HL7102"]), Some(0));
    assert_eq!(code(&["convert", broken, "-qq"]), Some(1));
    assert_eq!(code(&["convert", root, "-qq", "--strict"]), Some(1));
    assert_eq!(code(&["convert", "no-such-folder"]), Some(2));
    assert_eq!(code(&["convert", root, "--institution", "13"]), Some(2));
    assert_eq!(code(&["convert", root, "--no-such-flag"]), Some(2));
}

#[test]
fn mistakes_name_the_nearest_thing() {
    let root = fixtures("standrad_root");
    let o = run(&["convert", root.to_str().unwrap()]);
    assert!(
        String::from_utf8_lossy(&o.stderr).contains("Did you mean"),
        "{}",
        String::from_utf8_lossy(&o.stderr)
    );
    let o = run(&["rule", "HL7192"]);
    assert_eq!(o.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&o.stderr).contains("Close: HL71"));
}

#[test]
fn stdin_gives_the_bytes_of_the_file_and_nothing_leaks_to_stderr() {
    let files = tree(&fixtures("standard_root"));
    let (name, bytes) = files.iter().find(|(n, _)| n.contains("ADT-00")).unwrap();
    let mut child = warifu(&["convert", "-", "--to", "ndjson"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), bytes).unwrap();
    let piped = child.wait_with_output().unwrap();
    assert_eq!(
        piped.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&piped.stderr)
    );
    let text = String::from_utf8(piped.stdout).unwrap();
    assert!(
        text.lines()
            .any(|l| l.contains("\"resourceType\":\"Patient\"")),
        "{name}"
    );
    let err = String::from_utf8_lossy(&piped.stderr);
    for secret in ["割符", "花子", "0000990001", "\u{1b}"] {
        assert!(!err.contains(secret), "stderr shows {secret:?}");
    }
}

#[test]
fn show_answers_paths_and_trees() {
    let files = tree(&fixtures("standard_root"));
    let (name, _) = files
        .iter()
        .find(|(n, _)| n.contains("ADT-00") && n.ends_with("_1"))
        .unwrap();
    let path = fixtures("standard_root").join(name);
    let path = path.to_str().unwrap();
    let o = run(&["show", path, "--path", "PID-5[1].1"]);
    assert_eq!(o.status.code(), Some(0));
    assert!(!o.stdout.is_empty());
    let o = run(&["show", path, "--format", "json"]);
    let v: serde_json::Value = serde_json::from_slice(&o.stdout).unwrap();
    assert!(v["segments"].as_array().unwrap().len() > 3);
    // What is no path is a mistake; what is one and leads nowhere is not there.
    for (given, code) in [("PID5", 2), ("foo", 2), ("XYZ-1", 1), ("XYZ", 1)] {
        let o = run(&["show", path, "--path", given]);
        assert_eq!(o.status.code(), Some(code), "{given}");
    }
}

/// Pointers of all leaves.
fn leaves(v: &serde_json::Value, at: &str, found: &mut Vec<String>) {
    match v {
        serde_json::Value::Object(o) => {
            for (k, v) in o {
                leaves(v, &format!("{at}/{k}"), found);
            }
        }
        serde_json::Value::Array(a) => {
            for (i, v) in a.iter().enumerate() {
                leaves(v, &format!("{at}/{i}"), found);
            }
        }
        _ => found.push(at.to_owned()),
    }
}

#[test]
fn every_leaf_of_every_file_has_its_row_in_the_trace() {
    let dir = tempfile::tempdir().unwrap();
    let root = fixtures("standard_root");
    for form in [
        &["--to", "bundle"][..],
        &["--to", "bundle", "--per", "patient"],
        &["--to", "bundle", "--bundle", "collection"],
        &["--to", "ndjson"],
        &["--to", "clins"],
    ] {
        let out = dir.path().join(form.join(""));
        let mut args = vec!["convert", root.to_str().unwrap(), "--trace", "--out"];
        args.push(out.to_str().unwrap());
        args.extend(form);
        args.extend(["--institution", "1319999999"]);
        let o = run(&args);
        assert!(o.status.success(), "{}", String::from_utf8_lossy(&o.stderr));
        let mut traced = Vec::new();
        let lines = std::fs::read_to_string(out.join("trace.ndjson")).unwrap();
        for line in lines.lines() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            if row.get("unused").is_none() {
                let text = |key: &str| row[key].as_str().unwrap().to_owned();
                traced.push((text("output"), text("resource"), text("pointer")));
            }
        }
        let mut there = Vec::new();
        for (name, bytes) in tree(&out) {
            let own = ["trace.ndjson", "diagnostics.ndjson", "manifest.json"];
            if own.contains(&name.as_str()) || name.starts_with('.') {
                continue;
            }
            for line in bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
                let v: serde_json::Value = serde_json::from_slice(line).unwrap();
                let text = |key: &str| v[key].as_str().unwrap();
                let resource = format!("{}/{}", text("resourceType"), text("id"));
                let mut pointers = Vec::new();
                leaves(&v, "", &mut pointers);
                there.extend(
                    pointers
                        .into_iter()
                        .map(|p| (name.clone(), resource.clone(), p)),
                );
            }
        }
        traced.sort();
        there.sort();
        assert!(there.len() > 1000);
        assert_eq!(there.len(), traced.len(), "{form:?}");
        let missing = there.iter().zip(&traced).find(|(a, b)| a != b);
        assert_eq!(missing, None, "{form:?}");
    }
}

#[test]
fn a_folder_that_another_run_writes_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let root = fixtures("standard_root");
    let out = dir.path().join("o");
    let args = [
        "convert",
        root.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ];
    std::fs::create_dir_all(&out).unwrap();
    let held = std::fs::File::create(out.join(".warifu-lock")).unwrap();
    held.lock().unwrap();
    let refused = run(&args);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        said.starts_with("error[CLI004]: ") && said.contains("; wait for it, or use another --out")
    );
    assert!(!out.join("manifest.json").exists());
    held.unlock().unwrap();
    assert_eq!(run(&args).status.code(), Some(0));
}

#[test]
fn the_summary_counts_in_words_and_leaves_out_what_is_not_there() {
    let one = tree(&fixtures("standard_root/000/099/0000990001/-/ADT-00"));
    let dir = tempfile::tempdir().unwrap();
    let (name, bytes) = one.last().unwrap();
    let file = dir.path().join(name);
    std::fs::write(&file, bytes).unwrap();
    let o = run(&["convert", file.to_str().unwrap(), "--lang", "en"]);
    let text = String::from_utf8_lossy(&o.stderr).into_owned();
    assert!(text.contains("1 file → "), "{text}");
    assert!(!text.contains("patients"), "{text}");
    let empty = dir.path().join("broken");
    std::fs::create_dir_all(&empty).unwrap();
    std::fs::write(empty.join("a.hl7"), "MSH|^~\\&|A\r").unwrap();
    let o = run(&["convert", empty.to_str().unwrap(), "--lang", "en"]);
    let text = String::from_utf8_lossy(&o.stderr).into_owned();
    assert!(text.lines().all(|l| !l.trim().is_empty()), "{text}");
}

#[test]
fn moments_that_do_not_exist_are_refused() {
    let root = fixtures("standard_root");
    let root = root.to_str().unwrap();
    for (given, code) in [
        ("2026-13-01T09:30:00Z", 2),
        ("2026-02-30T09:30:00Z", 2),
        ("2026-04-01T25:61:00Z", 2),
        ("2026-04-01T09:30:00+99:00", 2),
        ("2026-04-01T09:30:00+09:00", 0),
    ] {
        let o = run(&["convert", root, "--sent-at", given, "-qq"]);
        assert_eq!(o.status.code(), Some(code), "{given}");
        assert_eq!(o.stdout.is_empty(), code == 2, "{given}");
    }
}

#[test]
fn files_of_others_in_the_folder_of_results_are_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let root = fixtures("standard_root");
    let convert = |out: &str| {
        let root = root.to_str().unwrap();
        let o = run_in(
            dir.path(),
            &["convert", root, "--to", "ndjson", "--out", out, "-q"],
        );
        assert_eq!(o.status.code(), Some(0));
        text(&o.stderr).contains("has files that warifu convert did not make")
    };
    fs::create_dir(dir.path().join("o")).unwrap();
    fs::write(dir.path().join("o/Patient.ndjson"), "mine").unwrap();
    assert_eq!(
        [convert("o"), convert("o"), convert("p")],
        [true, false, false]
    );
    // What cannot be written is told with its path.
    fs::create_dir_all(dir.path().join("q/Patient.ndjson.part")).unwrap();
    let o = run_in(
        dir.path(),
        &[
            "convert",
            root.to_str().unwrap(),
            "--to",
            "ndjson",
            "--out",
            "q",
        ],
    );
    assert_eq!(o.status.code(), Some(2));
    assert!(
        text(&o.stderr).contains("q/Patient.ndjson: "),
        "{}",
        text(&o.stderr)
    );
}
