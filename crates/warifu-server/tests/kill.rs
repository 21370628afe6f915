//! `kill -9` while the office works: what was acknowledged is there, and the log verifies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod world;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use world::{World, office, postgresql};

/// Names the folder in the process that is killed.
const FOLDER: &str = "WARIFU_TEST_KILL";

/// The process that is killed: it tells of each grant and each withdrawal after it was acknowledged, for
/// ever. In the ordinary run there is no folder, and the run that kills it is the test below.
#[test]
fn writer() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let w = World::over(Path::new(&folder), Arc::new(AtomicU64::new(1_790_000_000)));
    let mut out = std::io::stdout();
    let mut tell = |taken: &serde_json::Value| {
        let tok = taken["tok"].as_str().unwrap();
        writeln!(out, "acknowledged {tok}").unwrap();
        out.flush().unwrap();
    };
    for n in 0_u64.. {
        let waiting = w.asked(&["inf.lab"]);
        let grant = w.grant(&waiting[0]);
        tell(&grant);
        if n % 2 == 0 {
            let (status, ended) = w.withdraw(grant["jti"].as_str().unwrap());
            assert_eq!(status, 201);
            tell(&ended);
        }
        if n % 4 == 0 {
            w.office_app.office().unwrap().publish(true, 0).unwrap();
        }
    }
}

#[test]
fn all_of_it_holds_over_postgresql() {
    postgresql::again_without("all_of_it_holds_over_postgresql");
}

#[test]
fn what_was_acknowledged_survives() {
    let w = World::new();
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 1..=5 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["writer", "--exact", "--nocapture"])
            .env(FOLDER, &w.data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Killed after so many, wherever it is by then. The harness may begin a line with a name.
        let told = lines.map_while(Result::ok).filter_map(|line| {
            let (_, tok) = line.split_once("acknowledged ")?;
            Some(tok.to_owned())
        });
        acknowledged.extend(told.take(3 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        // Opening verifies the whole log, also against the checkpoint that is kept apart, and that each
        // token has its line and each line its token.
        drop(office(&w.data, &w.clock));
    }
    assert_eq!(acknowledged.len(), 3 * 15);
    let db = w.db();
    let count = |sql: &str, value: &str| {
        let rows = db.query(sql, &[value.into()]).unwrap();
        rows[0].int(0).unwrap()
    };
    let mut ended = 0;
    for tok in &acknowledged {
        let kept = "SELECT COUNT(*) FROM tokens WHERE tok = ?1";
        assert_eq!(count(kept, tok), 1);
        let line = format!("%\"{tok}\"%");
        let lines =
            "SELECT COUNT(*) FROM log_lines WHERE line LIKE ?1 AND line NOT LIKE '%disclose%'";
        assert_eq!(count(lines, &line), 1);
        ended += count(
            "SELECT COUNT(*) FROM tokens WHERE tok = ?1 AND rev <> ''",
            tok,
        );
    }
    assert!(ended > 10);
}
