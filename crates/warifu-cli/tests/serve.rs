//! `warifu serve` and its commands as an institution runs them.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Output, Stdio};

use support::{Served, fixtures, run_in, text, warifu};

fn with_input(dir: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut child = warifu(args)
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end before it has read what it refuses.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

#[test]
fn what_an_institution_does_beside_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let all = |args: &[&str]| {
        let done = run_in(dir, &[&["serve"], args].concat());
        let shown = text(&done.stdout) + &text(&done.stderr);
        (done.status.code(), shown)
    };
    let good = |args: &[&str]| {
        let (code, shown) = all(args);
        assert_eq!(code, Some(0), "{args:?}: {shown}");
        shown
    };
    let bad = |args: &[&str], why: &str| {
        let (code, shown) = all(args);
        assert_eq!(code, Some(2), "{args:?}: {shown}");
        assert!(shown.contains(why), "{args:?}: {shown}");
    };
    let hospital = ["--institution", "mi:1319999999", "--name", "H"];
    for origin in ["http://0.0.0.0:8440", "http://127.0.0.1:0", "c.example.jp"] {
        bad(
            &[&["init", "no", "--origin", origin], &hospital[..]].concat(),
            "is no origin",
        );
    }
    bad(
        &["--data", "data", "--check-config"],
        "warifu serve init data",
    );
    // Whom patients call belongs to it.
    let made = good(&[&["init", "data"], &hospital[..]].concat());
    assert!(made.contains("--contact"), "{made}");
    let phone = ["--contact", "H 03-0000-0000"];
    let made = good(&[&["init", "called"], &hospital[..], &phone].concat());
    assert!(!made.contains("--contact"), "{made}");
    // The address that tokens and status lists name is the one that is served.
    let check = ["--data", "data", "--check-config"];
    good(&check);
    let made_for = "was made for http://127.0.0.1:8440";
    bad(
        &[&check[..], &["--bind", "127.0.0.1:9000"]].concat(),
        made_for,
    );
    bad(
        &[&check[..], &["--origin", "https://c.example.jp"]].concat(),
        made_for,
    );
    bad(
        &[&check[..], &["--bind", "127.0.0.1:0"]].concat(),
        "give one",
    );
    let proxied = [
        "--bind",
        "127.0.0.1:9000",
        "--origin",
        "http://127.0.0.1:8440",
    ];
    good(&[&check[..], &proxied[..]].concat());
    // A key, its code, its end.
    let made = run_in(dir, &["consent", "keygen", "--out", "clinic.pem"]);
    std::fs::write(dir.join("clinic.jwk"), made.stdout).unwrap();
    let register = ["register", "clinic.jwk", "--data", "data"];
    let with = |more: &[&'static str]| [&register[..], more].concat();
    bad(&with(&[]), "--code");
    bad(&with(&["--code", "clinic"]), "AUD_UNKNOWN");
    bad(&with(&["--code", "cert:1", "--sends"]), "AUD_UNKNOWN");
    bad(&with(&["--code", "cert:1", "--emergency"]), "BODY");
    bad(
        &[
            "members", "--data", "data", "--to", "cert:1", "--pur", "ANON",
        ],
        "CERTIFIED",
    );
    assert_eq!(good(&["releases", "--data", "data"]), "");
    bad(&with(&["--state", "retired"]), "KEY_UNKNOWN");
    // Where other machines connect, somebody has to be registered; whom the master does not name is told.
    let public = ["--data", "data", "--public", "--check-config"];
    bad(&public, "warifu serve register");
    let told = good(&with(&["--code", "mi:1312345678"]));
    assert!(told.contains("is not in master.json"), "{told}");
    good(&public);
    assert!(good(&["policy-update", "--data", "data"]).contains("up to date"));
    good(&with(&["--code", "mi:1312345678", "--emergency"]));
    bad(
        &with(&["--code", "mi:1312345678", "--state", "retired"]),
        "--state",
    );
    good(&with(&["--state", "retired"]));
    bad(&with(&["--code", "mi:1312345678"]), "PERSON");
    // What a key may, and what waits; nothing does.
    let made = run_in(dir, &["consent", "keygen", "--out", "lab.pem"]);
    std::fs::write(dir.join("lab.jwk"), made.stdout).unwrap();
    let sends = ["register", "lab.jwk", "--data", "data", "--sends", "--code"];
    good(&[&sends[..], &["mi:1312345678"]].concat());
    bad(&[&sends[..], &["app:x"]].concat(), "AUD_UNKNOWN");
    bad(
        &with(&["--code", "mi:1312345678", "--cert", "clinic.jwk"]),
        "clinic.jwk",
    );
    for list in [
        &["quarantine", "list"][..],
        &["review", "list"],
        &["review", "suspended"],
        &["held"],
    ] {
        assert_eq!(good(&[list, &["--data", "data"]].concat()), "", "{list:?}");
        assert_eq!(
            good(&[&["--data", "data"][..], list].concat()),
            "",
            "{list:?}"
        );
    }
    bad(
        &["--data", "data", "--bind", "127.0.0.1:9000", "held"],
        "--bind",
    );
    let by = ["--data", "data", "--role", "r", "--by", "1"];
    let no_file = |more: &[&'static str]| [&["quarantine"][..], more, &by].concat();
    bad(&no_file(&["show", "x"]), "NOT_FOUND");
    assert_eq!(good(&no_file(&["list"])), "");
    bad(
        &["quarantine", "list", "--data", "data", "--role", "r"],
        "--by",
    );
    bad(&no_file(&["back", "x", "--why", "mistake"]), "NOT_FOUND");
    let whose = ["resolve", "x", "--why", "mistyped", "--whose"];
    bad(&no_file(&[&whose[..], &["folder"]].concat()), "NOT_FOUND");
    bad(&no_file(&[&whose[..], &["me"]].concat()), "--whose");
    let judge = ["review", "judge", "1", "--verdict", "justified"];
    bad(&[&judge[..], &by].concat(), "NOT_FOUND");
    bad(&judge, "--role");
    // Half an archive replaces nothing, and says so.
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir_all("standard_root", fixtures("standard_root"))
        .unwrap();
    let whole = tar.into_inner().unwrap();
    std::fs::write(dir.join("half.tar"), &whole[..whole.len() / 2]).unwrap();
    let ingest = |name: &'static str| ["ingest", name, "--data", "data"];
    bad(&ingest("half.tar"), "nothing was taken in");
    std::fs::write(dir.join("whole.tar"), &whole).unwrap();
    assert!(!good(&ingest("whole.tar")).contains("patients 0 ("));
    assert!(good(&ingest("whole.tar")).contains("patients 0 ("));
    // Neither number nor day of birth is an argument.
    let enrol = ["serve", "enrol-code", "--data", "data", "--patient", "-"];
    for (input, code) in [
        ("0000990001 1980-01-01\n", "BIRTH_DATE"),
        ("9999999999 1968-03-03\n", "NO_RECORD"),
        ("0000990001 yesterday\n", "BODY"),
    ] {
        let done = with_input(dir, &enrol, input.as_bytes());
        assert_eq!(done.status.code(), Some(2), "{code}");
        assert!(text(&done.stderr).contains(code), "{}", text(&done.stderr));
        assert!(!text(&done.stderr).contains("99"));
    }
    let done = with_input(dir, &enrol, b"0000990001 1968-03-03\n");
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert_eq!(text(&done.stdout).trim().len(), 19);
    let unchecked = [&enrol[..], &["--unchecked"]].concat();
    let done = with_input(dir, &unchecked, b"9999999999 1980-01-01\n");
    assert_eq!(text(&done.stdout).trim().len(), 19);
    for input in ["", "0000990001\n"] {
        let done = with_input(dir, &enrol, input.as_bytes());
        assert_eq!(done.status.code(), Some(2), "{input}");
        assert!(!text(&done.stderr).contains("0000990001"));
    }
    let done = with_input(dir, &[&enrol[..], &["--birth", "1980-01-01"]].concat(), b"");
    assert_eq!(done.status.code(), Some(2));
    // The desk: whose, and how that is known, is asked for; what is not there is told.
    let at_desk = |args: &[&str], input: &str| {
        let whom = [
            "--data",
            "data",
            "--patient",
            "-",
            "--identified",
            "counter",
        ];
        let all = [&["serve", "desk"], args, &whom].concat();
        let done = with_input(dir, &all, input.as_bytes());
        (done.status.code(), text(&done.stdout), text(&done.stderr))
    };
    let known = "0000990001\n";
    assert_eq!(at_desk(&["list"], known).0, Some(0));
    let nobody = at_desk(&["list"], "9999999998\n").2;
    assert!(
        nobody.contains("NOT_FOUND: there is nothing of the kind"),
        "{nobody}"
    );
    let key = ["end-key", "x", "--state", "compromised", "--since"];
    let since = |when: &'static str| at_desk(&[&key[..], &[when]].concat(), known);
    assert!(since("2026-11-01").2.contains("NOT_FOUND"));
    assert!(since("2026-11-01T09:00:00+09:00").2.contains("NOT_FOUND"));
    assert!(since("gestern").2.contains("--since"));
    assert!(at_desk(&["withdraw", "x"], known).2.contains("NOT_FOUND"));
    assert!(at_desk(&["keys"], known).1.is_empty());
    let (status, heard, _) = at_desk(&["object", "--pur", "ANON"], known);
    assert!(status == Some(1) && !heard.is_empty());
    let (status, receipt, _) = at_desk(&["object", "--pur", "ANON", "--agree"], known);
    assert!(status == Some(0) && receipt.trim().split('.').count() == 3);
    let proxy = ["proxy", "--as", "delegate", "--code", "1234-5678"];
    let (status, _, told) = at_desk(&proxy, "0000990001 1968-03-03\n");
    assert!(status == Some(2) && told.contains("BODY"), "{told}");
    bad(
        &["desk", "list", "--data", "data", "--patient", "-"],
        "--identified",
    );
    assert!(good(&["reports", "--data", "data"]).is_empty());
    bad(&["reports", "--data", "data", "--close", "x"], "NOT_FOUND");
    // A double of cards is named on the command line, and is one.
    std::fs::write(dir.join("cards.json"), "{\"cards\":{}}").unwrap();
    let double = [
        "--data",
        "data",
        "--card-double",
        "cards.json",
        "--check-config",
    ];
    bad(&double, "testDouble");
    std::fs::write(dir.join("cards.json"), "{\"cards\":{},\"testDouble\":true}").unwrap();
    good(&double);
    bad(&[&double[..], &["--public"]].concat(), "--public");
    // A copy comes back.
    good(&["backup", "copy.db", "--data", "data"]);
    bad(&["backup", "copy.db", "--data", "data"], "there already");
    bad(
        &["restore", "copy.db", "--data", "data"],
        "warifu.db is there",
    );
    for name in ["warifu.db", "warifu.db-wal", "warifu.db-shm"] {
        let _ = std::fs::remove_file(dir.join("data").join(name));
    }
    // Each code is a line.
    assert!(good(&["restore", "copy.db", "--data", "data"]).contains("log: 3"));
    good(&check);
}

#[test]
fn settings_come_from_flags_then_variables_then_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let beside = dir.join("beside");
    std::fs::create_dir(&beside).unwrap();
    let made = [
        "serve",
        "init",
        "data",
        "--institution",
        "mi:1319999999",
        "--name",
        "H",
    ];
    assert_eq!(run_in(dir, &made).status.code(), Some(0));
    let config = dir.join("server.toml");
    let shown = |file: &str, args: &[&str], variables: &[(&str, &str)]| {
        std::fs::write(&config, file).unwrap();
        let config = config.to_str().unwrap();
        let args = [
            &[
                "serve",
                "--check-config",
                "--config",
                config,
                "--lang",
                "en",
            ],
            args,
        ]
        .concat();
        let done = warifu(&args)
            .current_dir(&beside)
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        (done.status.code(), text(&done.stdout) + &text(&done.stderr))
    };
    let has = |shown: &str, line: &str| {
        let squeezed: Vec<String> = shown
            .lines()
            .map(|l| l.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert!(
            squeezed.iter().any(|l| l.starts_with(line)),
            "{line}: {shown}"
        );
    };
    let file = "[serve]\ndata = \"data\"\nmax-jobs = 5\nmax-files = 3\nforwarded = true\nclient-certs = \"bound\"\n";
    // Paths of the file lie beside it.
    let (code, all) = shown(file, &[], &[]);
    assert_eq!(code, Some(0), "{all}");
    let at = config.display();
    has(&all, &format!("data = {}", dir.join("data").display()));
    has(&all, &format!("max-jobs = 5 ({at}:3)"));
    has(&all, &format!("forwarded = true ({at}:5)"));
    has(&all, "max-rate = 3000 (default)");
    has(&all, "bind = 127.0.0.1:8440 (default)");
    has(&all, "origin = http://127.0.0.1:8440 (server.json)");
    let variables = [
        ("WARIFU_MAX_JOBS", "6"),
        ("WARIFU_MAX_FILES", "4"),
        ("WARIFU_FORWARDED", "true"),
    ];
    let (code, all) = shown(file, &["--max-jobs", "7"], &variables);
    assert_eq!(code, Some(0), "{all}");
    has(&all, "max-jobs = 7 (--max-jobs)");
    has(&all, "max-files = 4 (WARIFU_MAX_FILES)");
    has(&all, "forwarded = true (WARIFU_FORWARDED)");
    // What is wrong is told with its place; the file alone is enough for the other commands.
    for (file, args, why) in [
        (
            "[serve]\nmax-job = 5\n",
            &[][..],
            ":2: no key max-job. Did you mean max-jobs?",
        ),
        ("[serve]\nbind = \"x\"\n", &[], "--bind x"),
        (
            "[serve]\nclient-certs = \"all\"\n",
            &[],
            "client-certs = all",
        ),
        (
            "[serve]\nclient-certs = \"bound\"\n",
            &[],
            "--client-certs needs",
        ),
        ("[serve]\ntls-cert = \"x\"\n", &[], "go together"),
        (
            "[serve]\ndata = \"data\"\ndb = \"postgres://a:b@h/d\"\n",
            &[],
            "WARIFU_DB",
        ),
        (
            "[serve]\ndb = \"postgres://h/d\"\n",
            &[],
            "--db needs --data",
        ),
        ("", &["--db", "postgres://a:b@h/d"], "WARIFU_DB"),
    ] {
        let (code, all) = shown(file, args, &[]);
        assert_eq!(code, Some(2), "{file}: {all}");
        assert!(all.contains(why), "{file}: {all}");
        assert!(!all.contains("a:b@"), "{all}");
    }
    std::fs::write(&config, file).unwrap();
    let held = |config: &str| {
        let args = ["serve", "held", "--config", config];
        let done = warifu(&args).current_dir(&beside).output().unwrap();
        (done.status.code(), text(&done.stderr))
    };
    assert_eq!(held(config.to_str().unwrap()).0, Some(0));
    let (code, all) = held("none");
    assert!(code == Some(2) && all.contains("WARIFU_DATA"), "{all}");
}

/// Head and body of the answer.
fn post(at: &str, path: &str, body: &[u8]) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(at).unwrap();
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    let end = all.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    (text(&all[..end]), all[end + 4..].to_vec())
}

#[test]
fn a_vendor_gets_the_bytes_of_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let server = Served::start(folder.path(), &["--bind", "127.0.0.1:0"]);
    let mut tar = tar::Builder::new(Vec::new());
    let root = fixtures("standard_root");
    tar.append_dir_all("standard_root", &root).unwrap();
    let storage = tar.into_inner().unwrap();
    let mut loose = b"no message at all".to_vec();
    loose.resize(4_000, b' ');
    for input in [&storage, &loose] {
        for words in [
            &["convert", "to", "ndjson"][..],
            &["convert", "to", "bundle"],
            &["convert", "to", "bundle", "per", "message"],
            &["convert", "to", "clins"],
            &["convert", "to", "clins", "institution", "1319999999"],
            &["check", "format", "json"],
            &["check", "format", "text", "lang", "en"],
            &["check", "format", "sarif"],
            &["check", "format", "ndjson", "ignore", "SSM"],
        ] {
            let (command, options) = words.split_first().unwrap();
            let mut query: Vec<String> = Vec::new();
            let mut args = vec![(*command).to_owned(), "-".to_owned()];
            for pair in options.chunks(2) {
                query.push(pair.join("="));
                args.extend([format!("--{}", pair[0]), pair[1].to_owned()]);
            }
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let want = with_input(folder.path(), &args, input);
            let (head, got) = post(
                &server.at,
                &format!("/{command}?{}", query.join("&")),
                input,
            );
            if head.starts_with("HTTP/1.1 400") {
                assert!(want.stdout.is_empty(), "{words:?}");
                continue;
            }
            assert!(head.starts_with("HTTP/1.1 200"), "{words:?}: {head}");
            let both = got.iter().zip(&want.stdout);
            let same = both.take_while(|(a, b)| a == b).count();
            let near = |bytes: &[u8]| {
                let from = bytes.len().min(same.saturating_sub(100));
                text(&bytes[from..bytes.len().min(from + 300)])
            };
            assert!(
                got == want.stdout,
                "{words:?}, byte {same}:\n{}\n{}",
                near(&got),
                near(&want.stdout)
            );
        }
    }
}
