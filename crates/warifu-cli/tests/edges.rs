//! The checklist of the command line (ux-tools §H.A) for convert, show, rule and config.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod support;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};

use support::{fixtures, run, run_in, run_with, text, tree, warifu};

fn piped(args: &[&str], input: &[u8]) -> Output {
    let mut child = warifu(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // The program may end before it has read all.
            let _ = stdin.write_all(input);
        });
        child.wait_with_output().unwrap()
    })
}

#[test]
fn help_has_examples_and_both_languages() {
    for command in [
        "",
        "convert",
        "check",
        "show",
        "rule",
        "package",
        "consent",
        "config",
        "completions",
        "man",
    ] {
        for lang in ["ja", "en"] {
            let mut args = vec!["--lang", lang];
            if !command.is_empty() {
                args.push(command);
            }
            args.push("--help");
            let o = run(&args);
            assert_eq!(o.status.code(), Some(0));
            let name = if command.is_empty() {
                "warifu"
            } else {
                command
            };
            insta::assert_snapshot!(format!("help_{name}_{lang}"), text(&o.stdout));
        }
    }
}

#[test]
fn mistakes_are_worded_as_published() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    fs::create_dir_all(here.join("standard_root")).unwrap();
    fs::create_dir_all(here.join("data/a")).unwrap();
    for n in 0..4 {
        fs::write(here.join(format!("data/a/{n}.txt")), "x").unwrap();
    }
    for (args, ja, en) in [
        (
            ["convert", "standrad_root"],
            "エラー: standrad_root が見つかりません。もしかして: standard_root\n",
            "error: standrad_root not found. Did you mean standard_root?\n",
        ),
        (
            ["convert", "data"],
            "エラー: data に SS-MIX2 も FHIR も見つかりません (調べたファイル 4)。標準化ストレージなら 000/000/ の一つ上のフォルダーを指定してください。\n  data/a/0.txt: SS-MIX2 でも FHIR でもありません\n  data/a/1.txt: SS-MIX2 でも FHIR でもありません\n  data/a/2.txt: SS-MIX2 でも FHIR でもありません\n",
            "error: no SS-MIX2 or FHIR in data (4 files looked at). For a standard storage give the folder above 000/000/.\n  data/a/0.txt: neither SS-MIX2 nor FHIR\n  data/a/1.txt: neither SS-MIX2 nor FHIR\n  data/a/2.txt: neither SS-MIX2 nor FHIR\n",
        ),
        (
            ["convert", "standard_root"],
            "エラー: standard_root に SS-MIX2 も FHIR も見つかりません (調べたファイル 0)。標準化ストレージなら 000/000/ の一つ上のフォルダーを指定してください。\n",
            "error: no SS-MIX2 or FHIR in standard_root (0 files looked at). For a standard storage give the folder above 000/000/.\n",
        ),
        (
            ["rule", "HL7192"],
            "エラー: HL7192 という規則はありません。近いもの: HL7198。一覧: warifu rule\n",
            "error: no rule HL7192. Close: HL7198. List: warifu rule\n",
        ),
    ] {
        for (lang, want) in [("ja", ja), ("en", en)] {
            let o = run_in(here, &[&["--lang", lang], &args[..]].concat());
            assert_eq!(o.status.code(), Some(2));
            assert_eq!(text(&o.stderr), want);
            assert_eq!(text(&o.stdout), "");
        }
    }
}

#[test]
fn stdin_takes_a_message_a_zip_and_a_packed_tar() {
    let root = fixtures("standard_root");
    let folder = run(&[
        "convert",
        root.to_str().unwrap(),
        "--to",
        "ndjson",
        "-qq",
        "--institution",
        "1319999999",
    ]);
    assert_eq!(folder.status.code(), Some(0));
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir_all("standard_root", &root).unwrap();
    let tar = tar.into_inner().unwrap();
    let packed = zstd::encode_all(tar.as_slice(), 1).unwrap();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in tree(&root) {
        let options: zip::write::SimpleFileOptions = zip::write::FileOptions::default();
        zip.start_file(format!("standard_root/{name}"), options)
            .unwrap();
        zip.write_all(&bytes).unwrap();
    }
    let zip = zip.finish().unwrap().into_inner();
    for input in [tar, packed, zip] {
        let o = piped(
            &[
                "convert",
                "-",
                "--to",
                "ndjson",
                "-qq",
                "--institution",
                "1319999999",
            ],
            &input,
        );
        assert_eq!(o.status.code(), Some(0), "{}", text(&o.stderr));
        assert!(o.stdout == folder.stdout);
    }
    let (name, message) = tree(&root)
        .into_iter()
        .find(|(n, _)| n.contains("ADT-00") && n.ends_with("_1"))
        .unwrap();
    let file = root.join(&name);
    let by_name = run(&[
        "convert",
        file.to_str().unwrap(),
        "--to",
        "ndjson",
        "-qq",
        "--institution",
        "1319999999",
    ]);
    let o = piped(
        &[
            "convert",
            "-",
            "--stdin-name",
            &name,
            "--to",
            "ndjson",
            "-qq",
            "--institution",
            "1319999999",
        ],
        &message,
    );
    assert!(o.stdout == by_name.stdout && !o.stdout.is_empty());
    let shown = piped(&["show", "-", "--show-values", "always"], &message);
    assert!(text(&shown.stdout).contains("PID"));
    // Once, and alone.
    assert_eq!(run(&["convert", "-", "x"]).status.code(), Some(2));
}

/// By itself a file is what it is below its root, whatever way it comes: what is withdrawn is deleted, and what
/// was replaced is the newest there is, with a warning.
#[test]
fn a_withdrawn_or_replaced_file_is_so_whatever_way_it_comes() {
    let options = ["--to", "bundle", "--institution", "1319999999"];
    for kind in ["OML-11", "ADT-22", "PPR-01", "ADT-61"] {
        let found = tree(&fixtures("standard_root")).into_iter();
        let mut found = found.filter(|(n, _)| n.contains(kind) && n.ends_with("_1"));
        let (name, message) = found.next().unwrap();
        let stem = name.strip_suffix('1').unwrap();
        let leaf = stem.rsplit('/').next().unwrap();
        for flag in ["0", "1", "2"] {
            let dir = tempfile::tempdir().unwrap();
            let dir = dir.path();
            let place = dir.join("root").join(format!("{stem}{flag}"));
            let day = place.parent().unwrap();
            fs::create_dir_all(day).unwrap();
            fs::write(&place, &message).unwrap();
            let leaf = format!("{leaf}{flag}");
            fs::create_dir(dir.join("plain")).unwrap();
            fs::write(dir.join("plain").join(&leaf), &message).unwrap();
            let convert = |path: &str| run_in(dir, &[&["convert", path][..], &options].concat());
            let below_root = convert("root");
            let whole = text(&below_root.stdout);
            assert_eq!(whole.contains("\"DELETE\""), flag == "0", "{kind} {flag}");
            assert_eq!(whole.contains("\"PUT\""), flag != "0", "{kind} {flag}");
            let args = [&["convert", "-", "--stdin-name", &leaf][..], &options].concat();
            let ways = [
                convert(place.to_str().unwrap()),
                convert(day.to_str().unwrap()),
                convert(&format!("plain/{leaf}")),
                convert("plain"),
                piped(&args, &message),
            ];
            for o in ways {
                assert!(
                    o.stdout == below_root.stdout,
                    "{kind} {flag}: {}",
                    text(&o.stdout)
                );
                assert_eq!(
                    text(&o.stderr).contains("SSM105"),
                    flag == "2",
                    "{kind} {flag}"
                );
            }
        }
    }
}

/// Versions of one item beside each other, as a shell names them: the one in force alone.
#[test]
fn versions_given_by_name_are_weighed() {
    let (name, message) = tree(&fixtures("standard_root"))
        .into_iter()
        .find(|(n, _)| n.contains("OML-11") && n.ends_with("_1"))
        .unwrap();
    let leaf = name.rsplit('/').next().unwrap().strip_suffix('1').unwrap();
    let dir = tempfile::tempdir().unwrap();
    let names = ["0", "1", "2"].map(|flag| format!("{leaf}{flag}"));
    for name in &names {
        fs::write(dir.path().join(name), &message).unwrap();
    }
    let alone = run_in(dir.path(), &["convert", &names[1], "--to", "ndjson"]);
    for order in [[0, 1, 2], [2, 1, 0]] {
        let [a, b, c] = order.map(|n| names[n].as_str());
        let all = run_in(dir.path(), &["convert", a, b, c, "--to", "ndjson", "-v"]);
        assert!(all.stdout == alone.stdout);
        let said = text(&all.stderr);
        let became = |word: &str, n: usize| said.contains(&format!("{word}: {}", names[n]));
        assert!(
            became("superseded", 0) && became("converted", 1) && became("superseded", 2),
            "{said}"
        );
    }
}

#[test]
fn piped_output_has_no_escapes_and_no_progress() {
    let root = fixtures("standard_root");
    let root = root.to_str().unwrap();
    let (name, _) = tree(Path::new(root)).into_iter().next().unwrap();
    let file = format!("{root}/{name}");
    for args in [
        vec!["convert", root, "--to", "ndjson", "-v"],
        vec!["show", &file],
        vec!["rule"],
        vec!["config"],
    ] {
        let o = run(&args);
        for bytes in [&o.stdout, &o.stderr] {
            assert!(
                !bytes.contains(&0x1B) && !bytes.contains(&b'\r'),
                "{args:?}"
            );
        }
    }
}

#[test]
fn machine_formats_do_not_depend_on_the_locale() {
    let dir = tempfile::tempdir().unwrap();
    let root = fixtures("standard_root");
    let mut trees = Vec::new();
    let mut texts = Vec::new();
    for (n, variables) in [
        vec![("LANG", "C")],
        vec![
            ("LANG", "ja_JP.UTF-8"),
            ("LC_ALL", "ja_JP.UTF-8"),
            ("TZ", "Asia/Tokyo"),
        ],
        vec![
            ("LANG", "C"),
            ("COLUMNS", "40"),
            ("TERM", "xterm"),
            ("CLICOLOR_FORCE", "1"),
        ],
    ]
    .into_iter()
    .enumerate()
    {
        let out = dir.path().join(n.to_string());
        let args = [
            "convert",
            root.to_str().unwrap(),
            "--to",
            "bundle",
            "--trace",
            "--out",
            out.to_str().unwrap(),
        ];
        let o = run_with(&args, &variables);
        assert_eq!(o.status.code(), Some(0), "{}", text(&o.stderr));
        trees.push(tree(&out));
        texts.push(text(&o.stderr));
    }
    assert!(trees[0] == trees[1] && trees[0] == trees[2]);
    assert!(texts[0].contains("files") && texts[1].contains("ファイル"));
}

#[test]
fn settings_name_their_origin() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    fs::write(
        here.join("warifu.toml"),
        "lang = \"en\"\n[files]\nexclude = [\"backup/**\"]\n[convert]\nto = \"ndjson\"\nattachments = \"file\"\n[fhir]\nig = [\"a#1\"]\n[fhir.pins]\n\"a#1\" = \"sha256:0\"\n",
    )
    .unwrap();
    let shown = |args: &[&str], variables: &[(&str, &str)]| {
        let o = warifu(&[&["config"], args].concat())
            .current_dir(here)
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        assert_eq!(o.status.code(), Some(0), "{}", text(&o.stderr));
        text(&o.stdout)
    };
    let origin = |shown: &str, key: &str| {
        let line = shown.lines().find(|l| l.starts_with(key)).unwrap();
        line.rsplit('(')
            .next()
            .unwrap()
            .trim_end_matches(')')
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned()
    };
    let plain = shown(&[], &[]);
    assert_eq!(origin(&plain, "lang"), "warifu.toml:1");
    assert_eq!(origin(&plain, "files.exclude"), "warifu.toml:3");
    assert_eq!(origin(&plain, "convert.to"), "warifu.toml:5");
    assert_eq!(origin(&plain, "convert.per"), "default");
    assert_eq!(origin(&plain, "privacy.mask-paths"), "default");
    assert_eq!(origin(&plain, "fhir.ig"), "warifu.toml:8");
    assert_eq!(origin(&plain, "fhir.registry"), "default");
    assert_eq!(origin(&plain, "fhir.pins.a#1"), "warifu.toml:10");
    assert!(plain.contains("fhir.registry            = https://packages.fhir.org"));
    assert!(!plain.contains("terminal"));
    fs::write(here.join("bare.toml"), "").unwrap();
    let bare = shown(&["--config", "bare.toml"], &[("LC_ALL", "C.UTF-8")]);
    assert!(bare.starts_with("terminal                 = en               (LC_ALL; "));
    assert_eq!(origin(&bare, "lang"), "default");
    assert_eq!(
        origin(&shown(&[], &[("WARIFU_LANG", "ja")]), "lang"),
        "WARIFU_LANG"
    );
    assert_eq!(
        origin(&shown(&["--lang", "ja"], &[("WARIFU_LANG", "en")]), "lang"),
        "--lang"
    );
    assert_eq!(
        origin(&shown(&[], &[("WARIFU_JOBS", "3")]), "jobs"),
        "WARIFU_JOBS"
    );
    assert_eq!(
        origin(
            &shown(&["--show-values", "never"], &[]),
            "privacy.show-values"
        ),
        "--show-values"
    );
}

/// `0000990001`'s ADT-00 below a root of its own.
fn volume(root: &Path, text: impl Fn(Vec<u8>) -> Vec<u8>) {
    let name = "000/099/0000990001/-/ADT-00";
    for (file, bytes) in tree(&fixtures(&format!("standard_root/{name}"))) {
        let to = root.join(name).join(file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, text(bytes)).unwrap();
    }
}

#[test]
fn what_is_said_of_the_run_is_shown_when_it_decides_the_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    volume(&root, |bytes| bytes);
    let root = root.to_str().unwrap();
    let run = |args: &[&str]| {
        let o = run(&[&["convert", root, "--lang", "en"], args].concat());
        (o.status.code(), text(&o.stderr))
    };
    let (code, told) = run(&["--strict"]);
    assert_eq!(code, Some(1));
    assert!(
        told.contains("warning[MAP002]: the institution's"),
        "{told}"
    );
    assert!(told.contains("= help: give --institution"), "{told}");
    // Written to a folder, warnings wait in a file, unless they end the run.
    let out = dir.path().join("out");
    let out = out.to_str().unwrap();
    let (code, told) = run(&["--out", out]);
    assert_eq!(code, Some(0));
    assert!(!told.contains("MAP002]"), "{told}");
    // How a run ends is no other option: the second, stricter look needs nothing made again.
    let (code, told) = run(&["--out", out, "--strict"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("warning[MAP002]"), "{told}");
    let (_, told) = run(&["-v"]);
    assert!(told.contains("info[MAP001]"), "{told}");
    let (_, told) = run(&["-qq"]);
    assert_eq!(told, "");
}

#[test]
fn of_several_roots_paths_say_in_which_a_file_is() {
    let dir = tempfile::tempdir().unwrap();
    for volume_of in ["1310000016", "1310000024"] {
        volume(&dir.path().join(volume_of), |mut bytes| {
            bytes.extend_from_slice(b"ZZZ|1\r");
            bytes
        });
    }
    let convert = |paths: &[&str]| {
        let args = ["convert", "-v", "--trace", "--lang", "en", "--fresh"];
        let o = run_in(dir.path(), &[&args, paths, &["--out", "out"]].concat());
        let told = text(&o.stderr);
        let converted = told.lines().filter_map(|l| l.strip_prefix("converted: "));
        let converted: Vec<String> = converted.map(str::to_owned).collect();
        let trace = fs::read_to_string(dir.path().join("out/trace.ndjson")).unwrap();
        let mut traced = std::collections::BTreeSet::new();
        for line in trace.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let spans = line["spans"].as_array().cloned().unwrap_or_default();
            let files = spans.iter().filter_map(|s| s["file"].as_str());
            traced.extend(files.map(str::to_owned));
        }
        (converted, traced.into_iter().collect::<Vec<_>>())
    };
    let folder = "000/099/0000990001/-/ADT-00/0000990001_-_ADT-00_";
    let (converted, traced) = convert(&["1310000016", "1310000024"]);
    assert_eq!(converted.len(), 2);
    for (path, root) in converted.iter().zip(["1310000016", "1310000024"]) {
        assert!(path.starts_with(&format!("{root}/{folder}")), "{path}");
    }
    assert_eq!(traced, converted);
    let (below, traced) = convert(&["."]);
    assert_eq!((&below, &traced), (&converted, &converted));
    // Of one root they are below it, wherever it stands.
    let (converted, traced) = convert(&["1310000016"]);
    assert!(converted[0].starts_with(folder), "{converted:?}");
    assert_eq!(traced, converted);
}

#[test]
fn a_list_with_nothing_in_it_is_not_said_to_be_in_a_file() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("empty"), "").unwrap();
    let convert = |path: &str, out: &str| {
        let args = ["--to", "ndjson", "--trace", "--lang", "en"];
        let o = run_in(
            dir.path(),
            &[&["convert", path, "--out", out], &args[..]].concat(),
        );
        let told = text(&o.stderr);
        (told, dir.path().join(out).join("trace.ndjson").exists())
    };
    let (told, there) = convert("empty", "none");
    assert!(told.contains("fields not used 0\n") && !there, "{told}");
    let root = fixtures("standard_root");
    let (told, there) = convert(root.to_str().unwrap(), "some");
    assert!(told.contains(" → some/trace.ndjson") && there, "{told}");
}
