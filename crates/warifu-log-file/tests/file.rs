//! A log in a folder: killed at any instant, and changed in every way.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use warifu_log::{Checkpoint, Line};
use warifu_log_file::{FileLog, LogError};

const SUBS: [&str; 2] = ["s1.EBESExQVFhcYGRobHB0eHw", "s1.AAAAAAAAAAAAAAAAAAAAAA"];
const TOKEN: &str = "CEj75Hs_UnI49mAl75Fq9303TVXS3E89P6H6HE7FsYI";
const CHILD: &str = "WARIFU_LOG_TEST_DIR";

fn grant(log: &FileLog, sub: &str, at: u64) -> Line {
    let (n, prev) = log.next(sub);
    let text = format!(
        r#"{{"at":{at},"kind":"grant","n":{n},"prev":"{prev}","sub":"{sub}","tok":"{TOKEN}","v":1}}"#
    );
    Line::read(text.as_bytes()).unwrap()
}

fn salt(n: u64) -> [u8; 16] {
    let mut salt = [0; 16];
    salt[..8].copy_from_slice(&n.to_be_bytes());
    salt
}

fn fill(dir: &Path, count: u64) -> FileLog {
    let (mut log, _) = FileLog::open(dir, None).unwrap();
    for n in 0..count {
        let line = grant(&log, SUBS[usize::try_from(n % 2).unwrap()], n);
        log.append(&[(line, salt(n))]).unwrap();
    }
    log
}

/// Run by the test below in a process of its own; does nothing otherwise.
#[test]
fn child_that_appends_for_ever() {
    let Ok(dir) = std::env::var(CHILD) else {
        return;
    };
    let (mut log, _) = FileLog::open(Path::new(&dir), None).unwrap();
    for n in log.tree().len().. {
        // Batches of three: each is there whole or not at all.
        let mut batch = Vec::new();
        for sub in SUBS {
            batch.push((grant(&log, sub, n), salt(n)));
        }
        let policy =
            format!(r#"{{"at":{n},"hash":"{TOKEN}","kind":"policy","v":1,"what":"policy"}}"#);
        batch.push((Line::read(policy.as_bytes()).unwrap(), salt(n + 1)));
        log.append(&batch).unwrap();
        println!("acknowledged {}", log.tree().len());
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill_at_any_instant() {
    let dir = tempfile::tempdir().unwrap();
    let mut cut = 0;
    for round in 0..60_usize {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_appends_for_ever", "--nocapture"])
            .env(CHILD, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acknowledged = 0;
        let mut seen = 0;
        // The kill falls wherever the child is by then, mostly inside the next append.
        for line in lines.by_ref() {
            if let Some(n) = line.unwrap().strip_prefix("acknowledged ") {
                acknowledged = n.parse().unwrap();
                seen += 1;
                if seen > round % 7 {
                    break;
                }
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            if let Some(n) = line.strip_prefix("acknowledged ") {
                acknowledged = n.parse().unwrap();
            }
        }
        let (mut log, beyond) = FileLog::open(dir.path(), None).unwrap();
        cut += beyond.bytes;
        let size = log.tree().len();
        assert!(
            size >= acknowledged && acknowledged > 0,
            "{size} < {acknowledged}"
        );
        assert_eq!(size % 3, 0);
        assert!(log.line(size - 1).unwrap().is_some());
    }
    println!("bytes never acknowledged and cut: {cut}");
}

#[test]
fn an_append_that_stopped_anywhere_leaves_the_acknowledged_lines() {
    let dir = tempfile::tempdir().unwrap();
    let log = fill(dir.path(), 4);
    let root = log.tree().root();
    drop(log);
    let lines = std::fs::read(dir.path().join("lines")).unwrap();
    let head = std::fs::read(dir.path().join("head")).unwrap();
    let log = {
        let (mut log, _) = FileLog::open(dir.path(), None).unwrap();
        let line = grant(&log, SUBS[0], 9);
        log.append(&[(line, salt(9))]).unwrap();
        log
    };
    drop(log);
    let longer = std::fs::read(dir.path().join("lines")).unwrap();
    // `head` is the old one and the new line is there up to any byte.
    for end in lines.len()..=longer.len() {
        std::fs::write(dir.path().join("lines"), &longer[..end]).unwrap();
        std::fs::write(dir.path().join("head"), &head).unwrap();
        let (log, beyond) = FileLog::open(dir.path(), None).unwrap();
        assert_eq!(log.tree().root(), root);
        assert_eq!(beyond.bytes, u64::try_from(end - lines.len()).unwrap());
        assert_eq!(std::fs::read(dir.path().join("lines")).unwrap(), lines);
    }
}

#[test]
fn every_change_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let log = fill(dir.path(), 8);
    let pin = Checkpoint {
        origin: "x".into(),
        size: log.tree().len(),
        root: log.tree().root(),
    };
    drop(log);
    let good = std::fs::read(dir.path().join("lines")).unwrap();
    let head = std::fs::read(dir.path().join("head")).unwrap();
    let rows: Vec<&[u8]> = good.split_inclusive(|b| *b == b'\n').collect();
    let open = |bytes: &[u8]| {
        std::fs::write(dir.path().join("lines"), bytes).unwrap();
        std::fs::write(dir.path().join("head"), &head).unwrap();
        FileLog::open(dir.path(), None).map(|(log, beyond)| (log.tree().root(), beyond.bytes))
    };
    assert_eq!(open(&good).unwrap(), (pin.root, 0));
    // Every single byte.
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        assert!(open(&bytes).is_err(), "byte {at}");
    }
    for n in 0..rows.len() {
        let mut less = rows.clone();
        less.remove(n);
        assert!(open(&less.concat()).is_err(), "dropped {n}");
        let mut more = rows.clone();
        more.insert(n, rows[n]);
        let doubled = open(&more.concat());
        // The last one doubled stands beyond what was acknowledged: it is cut, and that is told.
        let tail = n + 1 == rows.len();
        assert!(
            if tail {
                doubled.unwrap().1 > 0
            } else {
                doubled.is_err()
            },
            "doubled {n}"
        );
        for m in n + 1..rows.len() {
            let mut turned = rows.clone();
            turned.swap(n, m);
            assert!(open(&turned.concat()).is_err(), "swapped {n} {m}");
        }
        let tail_cut = open(&rows[..n].concat()).unwrap_err();
        assert!(
            matches!(tail_cut, LogError::Cut { have, acknowledged: 8 } if have == u64::try_from(n).unwrap())
        );
    }
    // Both files replaced by a shorter, whole log: only the pinned checkpoint tells.
    let other = tempfile::tempdir().unwrap();
    drop(fill(other.path(), 5));
    assert!(FileLog::open(other.path(), None).is_ok());
    let found = FileLog::open(other.path(), Some(&pin)).unwrap_err();
    assert!(matches!(
        found,
        LogError::Cut {
            have: 5,
            acknowledged: 8
        }
    ));
    // Without `head` nothing is believed.
    open(&good).unwrap();
    std::fs::remove_file(dir.path().join("head")).unwrap();
    assert!(matches!(
        FileLog::open(dir.path(), None),
        Err(LogError::Head)
    ));
}

#[test]
fn lines_that_do_not_follow_and_second_writers_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = fill(dir.path(), 2);
    assert!(matches!(
        FileLog::open(dir.path(), None),
        Err(LogError::Busy)
    ));
    let line = grant(&log, SUBS[0], 5);
    let root = log.tree().root();
    let twice = [(line.clone(), salt(5)), (line.clone(), salt(6))];
    assert!(matches!(log.append(&twice), Err(LogError::Order(3))));
    assert_eq!(log.tree().root(), root);
    log.append(&[(line, salt(5))]).unwrap();
    assert_eq!(log.line(2).unwrap().unwrap().1, salt(5));
    assert_eq!(log.line(3).unwrap(), None);
}
