//! The transcripts of README.md are what the program prints.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod support;

use std::path::Path;

use support::{fixtures, text, warifu};

/// Times differ from run to run.
fn without_times(line: &str) -> String {
    match (line.rfind(" ("), line.strip_suffix(" 秒)")) {
        (Some(at), Some(_)) => line.get(..at).unwrap_or(line).to_owned(),
        _ => line.to_owned(),
    }
}

#[test]
fn console_blocks_are_true() {
    let readme =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md"))
            .unwrap();
    let dir = tempfile::tempdir().unwrap();
    for name in ["standard_root", "extended_root", "transaction_root"] {
        let from = fixtures(name).canonicalize().unwrap();
        std::os::unix::fs::symlink(from, dir.path().join(name)).unwrap();
    }
    let mut seen = 0;
    for block in readme.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for step in block.split("$ ").filter(|s| !s.trim().is_empty()) {
            let (command, expected) = step.split_once('\n').unwrap();
            let args = command
                .strip_prefix("warifu ")
                .unwrap_or_else(|| panic!("{command}: only `warifu` can be run here"));
            let args: Vec<&str> = args.split_whitespace().collect();
            let o = warifu(&args)
                .current_dir(dir.path())
                .env("LANG", "ja_JP.UTF-8")
                .output()
                .unwrap();
            let printed = text(&o.stdout) + &text(&o.stderr);
            let lines = |s: &str| s.trim_end().lines().map(without_times).collect::<Vec<_>>();
            assert_eq!(lines(&printed), lines(expected), "$ {command}");
            seen += 1;
        }
    }
    assert!(seen > 0);
}
