//! A writing process is killed with SIGKILL at many moments; nothing that it acknowledged is lost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use warifu_log::{Hash, Log, Pin, Storage as _};
use warifu_log_file::{FileStorage, Folder};
use warifu_tests::log;

#[test]
fn killed_at_many_moments_no_acknowledged_line_is_lost() {
    const ROUNDS: u64 = 60;
    let folder = tempfile::tempdir().unwrap();
    let mut state = 0x5eed_u64;
    let mut acknowledged: BTreeMap<u64, Hash> = BTreeMap::new();
    let mut pin: Option<Pin> = None;
    let (mut kept, mut cut) = (0, 0);
    for round in 0..ROUNDS {
        let mut child = Command::new(env!("CARGO_BIN_EXE_log-writer"))
            .arg(folder.path())
            .arg((round + 1).to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        // Killed after so many lines were heard: before the first, in a commit, in a checkpoint.
        let heard = log::random(&mut state) % 60;
        let mut text = String::new();
        for _ in 0..heard {
            assert!(
                out.read_line(&mut text).unwrap() > 0,
                "the writer writes on"
            );
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said until it died counts too, but for a line that it did not finish.
        out.read_to_string(&mut text).unwrap();
        for line in text.split_inclusive('\n').filter(|l| l.ends_with('\n')) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [word, number, hash] = words.as_slice() else {
                panic!("{line}")
            };
            let (number, hash) = (number.parse().unwrap(), Hash::from_url(hash).unwrap());
            if *word == "ack" {
                assert_eq!(acknowledged.insert(number, hash), None, "acknowledged once");
            } else {
                pin = Some(Pin {
                    size: number,
                    root: hash,
                });
            }
        }
        let storage = FileStorage::open(Folder::new(folder.path()).unwrap()).unwrap();
        kept += storage.recovery().kept_lines;
        cut += storage.recovery().cut_bytes;
        let pins: Vec<Pin> = pin.into_iter().collect();
        let log = Log::open(storage, log::trust().unwrap(), &pins).unwrap();
        let records = log.storage().read(0, usize::MAX).unwrap();
        assert_eq!(u64::try_from(records.len()).unwrap(), log.size());
        let leaves: BTreeMap<u64, Hash> = records.iter().map(|r| (r.index, r.leaf())).collect();
        for (index, leaf) in &acknowledged {
            assert_eq!(leaves.get(index), Some(leaf), "round {round}, line {index}");
        }
    }
    println!(
        "{} lines acknowledged in {ROUNDS} rounds; {kept} unacknowledged kept, {cut} bytes cut",
        acknowledged.len()
    );
    assert!(acknowledged.len() > 500 && pin.is_some());
}
