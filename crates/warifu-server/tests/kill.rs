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

/// How often the process is killed; `cargo xtask nightly` says more.
const KILLS: &str = "WARIFU_KILLS";

/// The process that is killed: one thread grants and withdraws, another takes disclosures meanwhile, and each
/// tells of what was acknowledged, for ever. In the ordinary run there is no folder, and the run that kills it is
/// the test below.
#[test]
fn writer() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let w = World::over(Path::new(&folder), Arc::new(AtomicU64::new(1_790_000_000)));
    let tell = |what: &str, value: &serde_json::Value| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {what} {}", value.as_str().unwrap()).unwrap();
        out.flush().unwrap();
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            loop {
                // Granted or refused: each has its line.
                let (_, value) = w.disclose(&w.clinic, "Observation");
                tell("line", &value["proof"]["line"]);
                // A lock is not fair: who asks at once again may get it for ever.
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        });
        for n in 0_u64.. {
            let waiting = w.asked(&["inf.lab"]);
            let grant = w.grant(&waiting[0]);
            tell("token", &grant["tok"]);
            if n % 2 == 0 {
                let (status, ended) = w.withdraw(grant["jti"].as_str().unwrap());
                assert_eq!(status, 201);
                tell("token", &ended["tok"]);
            }
            if n % 4 == 0 {
                w.office_app.office().unwrap().publish(true, 0).unwrap();
            }
        }
    });
}

#[test]
fn all_of_it_holds_over_postgresql() {
    postgresql::again_without("all_of_it_holds_over_postgresql");
}

#[test]
fn what_was_acknowledged_survives() {
    let kills = std::env::var(KILLS).map_or(5, |n| n.parse().unwrap());
    let w = World::new();
    let (mut tokens, mut lines) = (Vec::new(), Vec::new());
    let mut wanted = 0;
    for round in 0..kills {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["writer", "--exact", "--nocapture"])
            .env(FOLDER, &w.data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let told = BufReader::new(child.stdout.take().unwrap()).lines();
        // Killed after so many tokens, wherever it is by then.
        wanted += 3 + round % 5 * 3;
        for line in told.map_while(Result::ok) {
            // The harness may begin a line with a name.
            let Some((_, told)) = line.split_once("acknowledged ") else {
                continue;
            };
            match told.split_once(' ') {
                Some(("token", tok)) => tokens.push(tok.to_owned()),
                Some(("line", line)) => lines.push(line.to_owned()),
                _ => panic!("{told}"),
            }
            if tokens.len() == wanted {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(tokens.len(), wanted, "round {round}: it ended by itself");
        // Opening verifies the whole log, also against the checkpoint that is kept apart, and that each
        // token has its line and each line its token.
        drop(office(&w.data, &w.clock));
    }
    let db = w.db();
    let count = |sql: &str, value: &str| {
        let rows = db.query(sql, &[value.into()]).unwrap();
        rows[0].int(0).unwrap()
    };
    let mut ended = 0;
    for tok in &tokens {
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
    assert!(lines.len() >= wanted / 5, "{} disclosures", lines.len());
    for line in &lines {
        let kept = "SELECT COUNT(*) FROM log_lines WHERE line = ?1";
        assert_eq!(count(kept, line), 1, "{line}");
    }
}
