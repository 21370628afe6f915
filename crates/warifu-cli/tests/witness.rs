//! `warifu serve witness` beside `warifu serve`: what continues is signed and shown, what does not is kept.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::{Served, run_in, signal, text, tree, warifu};

/// The server of an address that stays the same.
fn serve(dir: &Path, data: &str, address: &str) -> Served {
    let server = Served::start(dir, &["--data", data, "--bind", address]);
    assert_eq!(server.at, address);
    server
}

fn get(address: &str, path: &str) -> (u16, String) {
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .new_agent();
    let answer = agent.get(format!("http://{address}{path}")).call().unwrap();
    let status = answer.status().as_u16();
    (status, answer.into_body().read_to_string().unwrap())
}

#[test]
fn what_continues_is_signed_and_what_does_not_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let run = |args: &[&str]| {
        let done = run_in(dir, &[&["serve", "--lang", "en"], args].concat());
        (done.status.code(), text(&done.stdout), text(&done.stderr))
    };
    let bad = |args: &[&str], why: &str| {
        let (code, _, said) = run(args);
        assert!(code == Some(2) && said.contains(why), "{args:?}: {said}");
    };
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let origin = format!("http://{address}");
    // A key of its own, made once.
    bad(&["witness", "w"], "Make one with --name");
    bad(&["witness", "w", "--name", "a b"], "--name a b");
    assert!(!dir.join("w").exists());
    let (code, key, _) = run(&["witness", "w", "--name", "w.example/log"]);
    assert_eq!(code, Some(0));
    assert!(key.starts_with("w.example/log+"), "{key}");
    bad(
        &["witness", "w", "--name", "w.example/log"],
        "never overwritten",
    );
    assert_eq!(run(&["witness", "w"]).1, key);
    let init = [
        "init",
        "data",
        "--institution",
        "mi:1319999999",
        "--name",
        "H",
        "--origin",
        &origin,
    ];
    let named = [&init[..], &["--witness", key.trim()]].concat();
    let (code, _, said) = run(&named);
    assert!(
        code == Some(0) && !said.contains("nobody watches"),
        "{said}"
    );
    let alone = [&["init", "alone"], &init[2..]].concat();
    assert!(run(&alone).2.contains("nobody watches the log"));

    // Nothing is there, then what the log alone signed, then what the witness signed, too.
    let follow = ["witness", "w", "--follow", &origin, "--once"];
    bad(&follow, &origin);
    let server = serve(dir, "data", &address);
    assert_eq!(run(&follow), (Some(0), String::new(), String::new()));
    server.end();
    let server = serve(dir, "data", &address);
    assert_eq!(get(&address, "/api/log/checkpoint").0, 404);
    let (code, _, said) = run(&follow);
    assert!(code == Some(0) && said.contains("of 2 lines"), "{said}");
    let (status, first) = get(&address, "/api/log/checkpoint");
    assert!(
        status == 200 && first.contains("\u{2014} w.example/log "),
        "{first}"
    );
    assert_eq!(run(&follow), (Some(0), String::new(), String::new()));
    server.end();
    // Somebody has another history from here on.
    let copied = Command::new("cp")
        .args(["-a", "data", "other"])
        .current_dir(dir)
        .status();
    assert!(copied.unwrap().success());
    let longer = |data: &str, times: usize| {
        for _ in 0..times {
            let mut code = warifu(&[
                "serve",
                "enrol-code",
                "--data",
                data,
                "--unchecked",
                "--patient",
                "-",
            ])
            .current_dir(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
            code.stdin
                .take()
                .unwrap()
                .write_all(b"1 2000-01-01")
                .unwrap();
            assert!(code.wait().unwrap().success());
        }
        serve(dir, data, &address).end();
    };
    longer("data", 1);
    longer("other", 2);
    let server = serve(dir, "data", &address);
    let (code, _, said) = run(&follow);
    assert!(code == Some(0) && said.contains("of 3 lines"), "{said}");
    let (_, second) = get(&address, "/api/log/checkpoint");
    assert_ne!(first, second);
    server.end();

    let server = serve(dir, "other", &address);
    let seen = std::fs::read(dir.join("w/seen.json")).unwrap();
    let (code, _, said) = run(&follow);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("fork-4.txt"), "{said}");
    // Both are kept, the own memory stays, and nobody is shown the other one.
    let kept = std::fs::read_to_string(dir.join("w/fork-4.txt")).unwrap();
    assert!(kept.contains("\n3\n") && kept.contains("\n4\n"), "{kept}");
    assert_eq!(std::fs::read(dir.join("w/seen.json")).unwrap(), seen);
    assert_eq!(get(&address, "/api/log/checkpoint"), (200, first));
    server.end();
    // Not another log, and not without what it signed before.
    let log = |data: &str| {
        let server = serve(dir, data, &address);
        let (_, key) = get(&address, "/api/log/key");
        server.end();
        let key: serde_json::Value = serde_json::from_str(&key).unwrap();
        key["log"].as_str().unwrap().to_owned()
    };
    bad(
        &[&follow[..], &["--log", &log("alone")]].concat(),
        "follows another log",
    );
    std::fs::write(dir.join("w/seen.json"), "{}").unwrap();
    bad(&follow, "seen.json");
    let secret = std::fs::read_to_string(dir.join("w/witness.pem")).unwrap();
    for (name, bytes) in tree(&dir.join("w")) {
        assert!(name == "witness.pem" || !text(&bytes).contains(secret.lines().nth(1).unwrap()));
    }
}

#[test]
fn it_follows_by_itself_and_alone() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let origin = format!("http://{address}");
    let made = run_in(dir, &["serve", "witness", "w", "--name", "w.example/log"]);
    let key = text(&made.stdout);
    let init = [
        "serve",
        "init",
        "data",
        "--institution",
        "mi:1319999999",
        "--name",
        "H",
    ];
    let more = ["--origin", &origin, "--witness", key.trim()];
    let done = run_in(dir, &[&init[..], &more].concat());
    assert_eq!(done.status.code(), Some(0));
    // It waits for the server.
    let mut witness = warifu(&["serve", "witness", "w", "--follow", &origin, "--every", "1"])
        .current_dir(dir)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(witness.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(line.contains(&origin), "{line}");
    let again = run_in(
        dir,
        &["serve", "witness", "w", "--follow", &origin, "--once"],
    );
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("runs already"));
    serve(dir, "data", &address).end();
    let server = serve(dir, "data", &address);
    let begun = Instant::now();
    while get(&address, "/api/log/checkpoint").0 != 200 {
        assert!(begun.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(100));
    }
    server.end();
    signal(&witness, "-TERM");
    assert_eq!(witness.wait().unwrap().code(), Some(0));
}
