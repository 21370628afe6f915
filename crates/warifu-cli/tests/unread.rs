//! Files that cannot be read: each is named, and no older version of an item stands in for the one in force.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod support;

use std::io::Write as _;
use std::path::Path;

use serde_json::Value;
use support::{fixtures, run_in, text, tree};

/// Orders and results of which the fixtures have a replaced version.
const ITEMS: [&str; 2] = ["OMP-01_000000260216022", "OML-11_000000260401011"];
/// Above the limit that the tests set.
const LONG: usize = 300_000;

fn is_of(path: &str, flag: &str) -> bool {
    path.ends_with(flag) && ITEMS.iter().any(|item| path.contains(item))
}

fn write(dir: &Path, files: &[(String, Vec<u8>)]) {
    for (path, bytes) in files {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// Files by path.
type Files = Vec<(String, Vec<u8>)>;

/// What a conversion gives but findings, the findings, and what was said.
fn convert(dir: &Path, input: &str, to: &str) -> (Files, Vec<Value>, String) {
    let out = tempfile::tempdir().unwrap();
    let o = run_in(
        dir,
        &[
            "convert",
            input,
            "--to",
            to,
            "--lang",
            "en",
            "--institution",
            "1319999999",
            "-v",
            "--out",
            out.path().to_str().unwrap(),
        ],
    );
    let is_unread = input != "kept";
    let want = if is_unread { Some(2) } else { Some(0) };
    assert_eq!(o.status.code(), want, "{}", text(&o.stderr));
    let all = tree(out.path());
    let of = |name: &str| all.iter().find(|(path, _)| path == name).unwrap().1.clone();
    let lines = text(&of("diagnostics.ndjson"));
    let lines = lines.lines().map(|l| serde_json::from_str(l).unwrap());
    let found: Vec<Value> = lines.filter(|f: &Value| f["end"] != true).collect();
    // What is counted is what is told.
    let manifest: Value = serde_json::from_slice(&of("manifest.json")).unwrap();
    let errors = found.iter().filter(|f| f["severity"] == "error").count();
    assert_eq!(manifest["findings"]["errors"], errors, "{input}");
    let made = all.into_iter().filter(|(path, _)| {
        !path.starts_with('.') && path != "diagnostics.ndjson" && path != "manifest.json"
    });
    (made.collect(), found, text(&o.stderr))
}

fn files_of(found: &[Value], code: &str) -> Vec<String> {
    let of = found.iter().filter(|f| f["code"] == code);
    let file = |f: &Value| f["primary"]["file"].as_str().unwrap().to_owned();
    let mut files: Vec<String> = of.map(file).collect();
    files.sort();
    files
}

#[test]
fn where_the_version_in_force_cannot_be_read_nothing_older_is_given_out() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::write(dir.join("warifu.toml"), "[files]\nmax-file = 200000\n").unwrap();
    let mut files = tree(&fixtures("standard_root"));
    let kept = files.iter().filter(|(path, _)| !is_of(path, ""));
    let kept: Vec<_> = kept.cloned().collect();
    write(&dir.join("kept"), &kept);
    let mut winners = Vec::new();
    for (path, bytes) in &mut files {
        if is_of(path, "_1") {
            bytes.resize(LONG, 0);
            winners.push(path.clone());
        }
    }
    assert_eq!((files.len() - kept.len(), winners.len()), (4, 2));
    write(&dir.join("folder"), &files);
    let mut tar = tar::Builder::new(std::fs::File::create(dir.join("a.tar")).unwrap());
    tar.append_dir_all("", dir.join("folder")).unwrap();
    tar.finish().unwrap();
    let mut zip = zip::ZipWriter::new(std::fs::File::create(dir.join("a.zip")).unwrap());
    for (path, bytes) in &files {
        let options = zip::write::SimpleFileOptions::default();
        let stored = options.compression_method(zip::CompressionMethod::Stored);
        zip.start_file(path.as_str(), stored).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
    for to in ["ndjson", "bundle", "clins"] {
        // As if nothing of these items were there.
        let (want, _, _) = convert(dir, "kept", to);
        for (input, code) in [
            ("folder", "SSM115"),
            ("a.tar", "SSM111"),
            ("a.zip", "SSM111"),
        ] {
            let (made, found, said) = convert(dir, input, to);
            let names = |all: &[(String, Vec<u8>)]| -> Vec<String> {
                all.iter().map(|(path, _)| path.clone()).collect()
            };
            assert_eq!(names(&made), names(&want), "{input} {to}");
            assert!(made == want, "{input} {to}");
            assert_eq!(files_of(&found, "SSM185"), winners, "{input} {to}");
            assert_eq!(files_of(&found, code), winners, "{input} {to}");
            assert!(files_of(&found, "SSM105").is_empty(), "{input} {to}");
            // Nor is the receiver told to delete what it may have of them.
            let old: Vec<String> = files_of(&found, "MAP021");
            assert!(
                ITEMS
                    .iter()
                    .all(|item| old.iter().any(|f| f.contains(item)))
            );
            assert!(said.contains(&format!("error[{code}]")), "{said}");
            let told = said.lines().filter(|line| line.starts_with("converted: "));
            assert_eq!(told.filter(|line| is_of(line, "_1")).count(), 0);
        }
    }
}

#[test]
fn a_record_that_is_too_long_or_cut_is_the_version_in_force_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::write(dir.join("warifu.toml"), "[files]\nmax-file = 200000\n").unwrap();
    let item = ITEMS[1];
    let files = tree(&fixtures("standard_root"));
    let of = |flag: &str| {
        let own = files
            .iter()
            .find(|(path, _)| path.contains(item) && path.ends_with(flag));
        own.unwrap().1.clone()
    };
    let header = |time: &str| {
        format!(
            "#SSMIX,2.00,1319999999,0000990001,20260401,OML-11,000000260401011,INS,08,{time}\r\n"
        )
    };
    let first = [
        header("20260401103000500").into_bytes(),
        of("_2"),
        b"\r\n".to_vec(),
    ]
    .concat();
    let second = header("20260401113015250").into_bytes();
    let long = [of("_1"), vec![b' '; LONG], b"\r\n".to_vec()].concat();
    let cut = of("_1");
    let cut = cut[..cut.len() / 2].to_vec();
    for (n, (newer, code)) in [(long, "SSM111"), (cut, "SSM180")].into_iter().enumerate() {
        let journal = [first.as_slice(), &second, &newer].concat();
        let input = format!("j{n}");
        let path = "2026/TR_20260401000000000_00001.DAT".to_owned();
        write(&dir.join(&input), &[(path, journal)]);
        let o = run_in(dir, &["convert", &input, "--to", "ndjson", "--lang", "en"]);
        assert_eq!(text(&o.stdout), "", "{code}");
        let said = text(&o.stderr);
        assert!(said.contains("error[SSM185]"), "{said}");
        assert!(said.contains(&format!("error[{code}]")), "{said}");
    }
}
