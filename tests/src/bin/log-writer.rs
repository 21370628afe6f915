//! Appends to a log for ever and says on standard output what is acknowledged: for a test that kills
//! it.
//!
//! `log-writer FOLDER SEED`: lines `ack INDEX LEAF` after each sync, `pin SIZE ROOT` after each
//! checkpoint.
#![forbid(unsafe_code)]

use std::io::Write as _;

use anyhow::{Context as _, Result};
use warifu_log::Log;
use warifu_log_file::{FileStorage, Folder};
use warifu_tests::log;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().context("log-writer FOLDER SEED")?;
    let mut state: u64 = arguments
        .next()
        .context("log-writer FOLDER SEED")?
        .parse()?;
    let storage = FileStorage::open(Folder::new(folder.as_ref())?)?;
    let mut log = Log::open(storage, log::trust()?, &[])?;
    let mut out = std::io::stdout().lock();
    loop {
        let lines = 1 + log::random(&mut state) % 9;
        let batch = (0..lines)
            .map(|_| log::submission(log::random(&mut state)))
            .collect::<Result<_>>()?;
        let appended = log.append(batch)?;
        log.sync()?;
        for line in &appended {
            writeln!(out, "ack {} {}", line.index, line.leaf.url())?;
        }
        out.flush()?;
        if log::random(&mut state).is_multiple_of(8) {
            log.publish(&log::signer())?;
            writeln!(out, "pin {} {}", log.size(), log.root().url())?;
            out.flush()?;
        }
    }
}
