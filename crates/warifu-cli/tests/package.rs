//! `warifu package`: the cache, compiled packages, pins, and downloading from a server on this machine.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod support;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Output;

use support::{text, tree, warifu};

const MANIFEST: &str = r#"{"name": "my.ig", "version": "1.0.0", "dependencies": {"jp-core.r4": "1.1.2", "hl7.fhir.r4.core": "4.0.1"}}"#;
const SET: &str = r#"{"resourceType": "ValueSet", "url": "http://my.ig/vs"}"#;
const SUM: &str = "sha256:";

fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(text.len()).unwrap());
        header.set_mode(0o644);
        tar.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

fn my_ig() -> Vec<u8> {
    archive(&[
        ("package/package.json", MANIFEST),
        ("package/.index.json", "{}"),
        ("package/ValueSet-a.json", SET),
        (
            "package/example/Patient-a.json",
            r#"{"resourceType": "Patient"}"#,
        ),
    ])
}

/// Runs in a folder whose cache is `cache`.
fn run(dir: &Path, args: &[&str]) -> Output {
    warifu(&[&["package"], args].concat())
        .current_dir(dir)
        .env("WARIFU_PACKAGE_CACHE", dir.join("cache"))
        .output()
        .unwrap()
}

fn ok(o: &Output) -> String {
    assert_eq!(o.status.code(), Some(0), "{}", text(&o.stderr));
    text(&o.stdout)
}

fn refused(o: &Output) -> String {
    assert_eq!(o.status.code(), Some(2), "{}", text(&o.stdout));
    assert!(o.stdout.is_empty());
    text(&o.stderr)
}

#[test]
fn archive_and_folder_give_the_same_package_and_the_cache_forgets_it() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    fs::write(here.join("a.tgz"), my_ig()).unwrap();
    assert_eq!(ok(&run(here, &["list"])), "");
    let from_archive = ok(&run(here, &["add", "a.tgz"]));
    assert!(from_archive.starts_with("my.ig#1.0.0 sha256:"));
    let paths: Vec<String> = tree(&here.join("cache"))
        .into_iter()
        .map(|(p, _)| p)
        .collect();
    assert_eq!(
        paths,
        [
            ".index.json",
            "ValueSet-a.json",
            "example/Patient-a.json",
            "package.json"
        ]
        .map(|p| format!("my.ig#1.0.0/package/{p}"))
    );
    assert_eq!(
        ok(&run(here, &["list"])),
        "my.ig#1.0.0\n  needs, not there: jp-core.r4#1.1.2 [FHR522]\n"
    );
    // The folder of the cache is a package again, and replaces itself.
    let copy = here.join("copy");
    fs::rename(here.join("cache/my.ig#1.0.0"), &copy).unwrap();
    assert_eq!(ok(&run(here, &["add", "copy"])), from_archive);
    assert_eq!(ok(&run(here, &["add", "a.tgz"])), from_archive);
    ok(&run(here, &["remove", "my.ig#1.0.0"]));
    assert!(tree(&here.join("cache")).is_empty());
    assert_eq!(
        refused(&run(here, &["remove", "my.ig#1.0.0"])),
        "error: my.ig#1.0.0 is not in the cache. List: warifu package list\n"
    );
}

#[test]
fn a_compiled_package_is_the_same_from_every_source() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    fs::write(here.join("a.tgz"), my_ig()).unwrap();
    ok(&run(here, &["add", "a.tgz"]));
    let a = ok(&run(here, &["compile", "a.tgz", "-o", "a.wfp"]));
    let b = ok(&run(here, &["compile", "my.ig#1.0.0", "-o", "b.wfp"]));
    let c = ok(&run(here, &["compile", "a.wfp", "-o", "c.wfp"]));
    assert_eq!((&a, &a), (&b, &c));
    let bytes = fs::read(here.join("a.wfp")).unwrap();
    assert!(bytes.starts_with(b"WFP"));
    assert!(bytes == fs::read(here.join("b.wfp")).unwrap());
    assert!(bytes == fs::read(here.join("c.wfp")).unwrap());
    fs::write(here.join("cut.wfp"), &bytes[..bytes.len() - 1]).unwrap();
    let error = refused(&run(here, &["compile", "cut.wfp", "-o", "d.wfp"]));
    assert!(
        error.contains("checksum") && error.contains("[FHR526]"),
        "{error}"
    );
    assert!(!here.join("d.wfp").exists());
}

#[test]
fn mistakes_say_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    fs::write(here.join("a.tgz"), my_ig()).unwrap();
    fs::write(here.join("b.tgz"), "no archive").unwrap();
    ok(&run(here, &["add", "a.tgz"]));
    for (args, expected) in [
        (
            vec!["compile", "my.ig#2.0.0", "-o", "x"],
            "error: my.ig#2.0.0 is not in the cache (there: 1.0.0). Run warifu package install my.ig#2.0.0 (check never downloads). [FHR521]\n",
        ),
        (
            vec!["add", "c.tgz"],
            "error: c.tgz not found. Did you mean a.tgz?\n",
        ),
        (
            vec!["add", "b.tgz"],
            "error: b.tgz: not a FHIR package (.tgz, or a folder with package.json) [FHR501]\n",
        ),
        (
            vec!["install", "my.ig"],
            "error: my.ig: give NAME#VERSION with the exact version\n",
        ),
        (
            vec!["install", "../x#1"],
            "error: ../x#1: give NAME#VERSION with the exact version\n",
        ),
        (
            vec!["remove", "..#x/../y"],
            "error: ..#x/../y is not in the cache. List: warifu package list\n",
        ),
    ] {
        assert_eq!(refused(&run(here, &args)), expected);
    }
    let ja = refused(&run(
        here,
        &["--lang", "ja", "compile", "my.ig#2.0.0", "-o", "x"],
    ));
    assert_eq!(
        ja,
        "エラー: my.ig#2.0.0 がありません。warifu package install my.ig#2.0.0 で取得してください (検査中は通信しません)。ある版: 1.0.0 [FHR521]\n"
    );
}

/// Answers `count` requests with this; the lines asked for.
fn serve(answer: Vec<u8>, count: usize) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let handle = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for _ in 0..count {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                head.push(byte[0]);
            }
            asked.push(
                String::from_utf8(head)
                    .unwrap()
                    .lines()
                    .next()
                    .unwrap()
                    .to_owned(),
            );
            // The client may have seen enough.
            let _ = stream.write_all(&answer);
        }
        asked
    });
    (address, handle)
}

fn response(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

#[test]
fn install_downloads_and_pins() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    let (address, server) = serve(response("200 OK", &my_ig()), 2);
    let registry = format!("lang = \"en\"\n\n[fhir]\nregistry = \"{address}/\"\n");
    fs::write(here.join("warifu.toml"), &registry).unwrap();
    let installed = run(here, &["install", "my.ig#1.0.0"]);
    let shown = ok(&installed);
    let sum = shown
        .trim()
        .strip_prefix("my.ig#1.0.0 ")
        .unwrap()
        .to_owned();
    assert!(sum.starts_with(SUM) && sum.len() == SUM.len() + 64);
    let written = fs::read_to_string(here.join("warifu.toml")).unwrap();
    assert_eq!(
        written,
        format!("{registry}[fhir.pins]\n\"my.ig#1.0.0\" = \"{sum}\"\n")
    );
    assert_eq!(
        ok(&run(here, &["list"])).lines().next(),
        Some("my.ig#1.0.0")
    );
    // Again: the pin holds, the file stays as it is.
    ok(&run(here, &["install", "my.ig#1.0.0"]));
    assert_eq!(
        fs::read_to_string(here.join("warifu.toml")).unwrap(),
        written
    );
    assert_eq!(server.join().unwrap(), ["GET /my.ig/1.0.0 HTTP/1.1"; 2]);

    // Something else under the same name is refused, and what is there stays.
    let other = archive(&[("package/package.json", MANIFEST), ("package/b.json", SET)]);
    let (address, server) = serve(response("200 OK", &other), 1);
    let before = tree(&here.join("cache"));
    let error = refused(&run(
        here,
        &["install", "my.ig#1.0.0", "--registry", &address],
    ));
    assert!(
        error.contains("[fhir.pins]") && error.contains("[FHR523]"),
        "{error}"
    );
    assert_eq!(server.join().unwrap().len(), 1);
    assert!(tree(&here.join("cache")) == before);
    // A changed cache is refused, too.
    fs::write(
        here.join("cache/my.ig#1.0.0/package/ValueSet-a.json"),
        SET.replace("vs", "x"),
    )
    .unwrap();
    let error = refused(&run(here, &["compile", "my.ig#1.0.0", "-o", "x.wfp"]));
    assert!(
        error.contains("[fhir.pins]") && error.contains("[FHR523]"),
        "{error}"
    );
}

#[test]
fn what_a_server_should_not_send_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    let whole = response("200 OK", &my_ig());
    for (answer, label, code) in [
        (
            response("404 Not Found", b"none"),
            "my.ig#1.0.0",
            "[FHR524]",
        ),
        (response("200 OK", b"<html>"), "my.ig#1.0.0", "[FHR501]"),
        (whole.clone(), "my.ig#1.0.1", "[FHR525]"),
        (
            whole[..whole.len() - 20].to_vec(),
            "my.ig#1.0.0",
            "[FHR524]",
        ),
    ] {
        let (address, server) = serve(answer, 1);
        let error = refused(&run(here, &["install", label, "--registry", &address]));
        assert!(error.contains(code), "{error}");
        server.join().unwrap();
        assert!(tree(&here.join("cache")).is_empty());
    }
    // Nobody listens.
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let error = refused(&run(
        here,
        &["install", "my.ig#1.0.0", "--registry", &address],
    ));
    assert!(
        error.contains("cannot download") && error.contains("[FHR524]"),
        "{error}"
    );
}

#[test]
fn several_packages_are_added_at_once_and_a_name_alone_is_enough_where_one_version_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    let of = |version: &str| {
        let manifest = MANIFEST.replace("1.0.0", version);
        archive(&[
            ("package/package.json", &manifest),
            ("package/ValueSet-a.json", SET),
        ])
    };
    fs::write(here.join("a.tgz"), of("1.0.0")).unwrap();
    fs::write(here.join("b.tgz"), of("2.0.0")).unwrap();
    fs::write(here.join("warifu.toml"), "# mine\n").unwrap();
    fs::write(
        here.join("p.json"),
        r#"{"resourceType": "Basic", "code": {"text": "x"}}"#,
    )
    .unwrap();
    let check = |ig: &str| {
        let output = warifu(&["check", "p.json", "--no-progress", "--ig", ig])
            .current_dir(here)
            .env("WARIFU_PACKAGE_CACHE", here.join("cache"))
            .output()
            .unwrap();
        (output.status.code(), text(&output.stderr))
    };
    let (code, error) = check("my.ig");
    assert_eq!(code, Some(2));
    assert_eq!(error, "error: my.ig not found\n");
    ok(&run(here, &["add", "a.tgz"]));
    let (code, error) = check("my.ig");
    assert_eq!(code, Some(0), "{error}");
    // What it depends on is told, and where that is not at hand.
    let missing = "warning[FHR522]: jp-core.r4#1.1.2 is not at hand (my.ig#1.0.0 depends on it); what its definitions demand is not checked\n";
    assert!(error.contains(missing), "{error}");
    let (code, error) = check("your.ig");
    assert_eq!(code, Some(2));
    assert!(
        error.contains("your.ig not found (packages at hand: my.ig#1.0.0) [FHR521]"),
        "{error}"
    );
    let added = ok(&run(here, &["add", "b.tgz", "a.tgz"]));
    let labels: Vec<&str> = added
        .lines()
        .map(|l| l.split(' ').next().unwrap())
        .collect();
    assert_eq!(labels, ["my.ig#2.0.0", "my.ig#1.0.0"]);
    let pins = fs::read_to_string(here.join("warifu.toml")).unwrap();
    assert_eq!(pins.matches(SUM).count(), 2, "{pins}");
    let (code, error) = check("my.ig");
    assert_eq!(code, Some(2));
    assert!(
        error.contains("Name one: my.ig#1.0.0, my.ig#2.0.0 [FHR521]"),
        "{error}"
    );
    // What comes before a mistake is kept.
    ok(&run(here, &["remove", "my.ig#1.0.0"]));
    let output = run(here, &["add", "a.tgz", "none.tgz"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("none.tgz not found"));
    assert_eq!(ok(&run(here, &["list"])).matches("my.ig#").count(), 2);
}

#[test]
fn an_empty_file_that_was_to_be_json_is_no_message() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    fs::write(here.join("a.json"), "").unwrap();
    let output = warifu(&[
        "check",
        "a.json",
        "--no-progress",
        "--config",
        "none",
        "--format",
        "json",
    ])
    .current_dir(here)
    .output()
    .unwrap();
    let report = text(&output.stdout);
    assert!(
        report.contains("FHR001") && !report.contains("HL7101"),
        "{report}"
    );
}
