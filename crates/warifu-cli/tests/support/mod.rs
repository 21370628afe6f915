//! What the tests of the program share.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "helpers of tests; each test file uses some"
)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

pub fn fixtures(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures")
        .join(name)
}

pub fn warifu(args: &[&str]) -> Command {
    let mut c = Command::new(env!("CARGO_BIN_EXE_warifu"));
    c.args(args).env_clear().env("LANG", "C").env("TZ", "UTC");
    c
}

pub fn run(args: &[&str]) -> Output {
    warifu(args).output().unwrap()
}

pub fn run_in(dir: &Path, args: &[&str]) -> Output {
    warifu(args).current_dir(dir).output().unwrap()
}

pub fn run_with(args: &[&str], variables: &[(&str, &str)]) -> Output {
    warifu(args)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Relative path and content of every file below a folder; none of one that is not there.
pub fn tree(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut out = Vec::new();
    let mut todo = vec![dir.to_owned()];
    while let Some(d) = todo.pop() {
        let Ok(entries) = std::fs::read_dir(&d) else {
            continue;
        };
        for e in entries {
            let p = e.unwrap().path();
            if p.is_dir() {
                todo.push(p);
            } else {
                let name = p.strip_prefix(dir).unwrap().to_string_lossy().into_owned();
                out.push((name, std::fs::read(&p).unwrap()));
            }
        }
    }
    out.sort();
    out
}

/// `warifu serve`; it ends with the test.
pub struct Served {
    child: Child,
    /// Address and port.
    pub at: String,
}

impl Served {
    pub fn start(dir: &Path, args: &[&str]) -> Self {
        let mut child = warifu(&[&["serve"], args].concat())
            .current_dir(dir)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let at = line.trim().strip_prefix("http://").unwrap().to_owned();
        Self { child, at }
    }

    /// Ends it as Ctrl-C does: with its last checkpoint.
    pub fn end(mut self) {
        signal(&self.child, "-INT");
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal.
pub fn signal(to: &Child, name: &str) {
    let id = to.id().to_string();
    let sent = Command::new("kill").args([name, &id]).status();
    assert!(sent.unwrap().success());
}
