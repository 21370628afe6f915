//! Reports of files until all are known, then in the order of their paths and places in these.
//!
//! They come almost in that order, so they are kept as runs in which paths ascend, and the runs are merged
//! when they are asked for. In memory there are two numbers a run and one report of each of a few runs;
//! the rest is in memory while it is little, else in a temporary file without a name (the reports hold
//! paths with patient ids).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;

use anyhow::Context as _;
use warifu_report::report::FileReport;

/// Bytes kept in memory.
const MEMORY: usize = 8 << 20;
/// Bytes written or read at once.
const PIECE: usize = 32 << 10;
/// Runs merged at once.
const FAN: usize = 32;

/// Bytes that are appended, and read wherever they stand.
#[derive(Default)]
struct Tape {
    file: Option<File>,
    /// What is not in the file.
    tail: Vec<u8>,
    in_file: u64,
}

impl Tape {
    fn length(&self) -> anyhow::Result<u64> {
        Ok(self.in_file + u64::try_from(self.tail.len())?)
    }

    fn add(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.tail.extend_from_slice(bytes);
        let most = if self.file.is_some() { PIECE } else { MEMORY };
        if self.tail.len() > most {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        file.seek(SeekFrom::Start(self.in_file))?;
        file.write_all(&self.tail)?;
        self.in_file += u64::try_from(self.tail.len())?;
        self.tail = Vec::new();
        Ok(())
    }

    /// Appends a stretch of the tape to `out`.
    fn read(&mut self, stretch: Range<u64>, out: &mut Vec<u8>) -> anyhow::Result<()> {
        if self.file.is_some() && !self.tail.is_empty() {
            self.flush()?;
        }
        let start = out.len();
        out.resize(start + usize::try_from(stretch.end - stretch.start)?, 0);
        let place = out.get_mut(start..).unwrap_or_default();
        if let Some(file) = &mut self.file {
            file.seek(SeekFrom::Start(stretch.start))?;
            file.read_exact(place)?;
        } else {
            let from = usize::try_from(stretch.start)?;
            let there = self.tail.get(from..from + place.len());
            place.copy_from_slice(there.context("a report is not where it was put")?);
        }
        Ok(())
    }
}

/// A run while it is read.
struct Reader {
    rest: Range<u64>,
    buffer: Vec<u8>,
    at: usize,
}

impl Reader {
    fn new(run: Range<u64>) -> Self {
        Self {
            rest: run,
            buffer: Vec::new(),
            at: 0,
        }
    }

    /// The next bytes, which must be there.
    fn take(&mut self, tape: &mut Tape, length: usize) -> anyhow::Result<Vec<u8>> {
        if self.buffer.len() - self.at < length {
            self.buffer.drain(..self.at);
            self.at = 0;
            let wanted = u64::try_from(length.max(PIECE) - self.buffer.len())?;
            let end = self.rest.end.min(self.rest.start + wanted);
            tape.read(self.rest.start..end, &mut self.buffer)?;
            self.rest.start = end;
        }
        let bytes = self.buffer.get(self.at..self.at + length);
        self.at += length;
        Ok(bytes.context("a report is cut")?.to_vec())
    }

    fn number(&mut self, tape: &mut Tape) -> anyhow::Result<usize> {
        let bytes = self.take(tape, 4)?;
        let number = u32::from_le_bytes(*bytes.first_chunk().context("a number is cut")?);
        Ok(usize::try_from(number)?)
    }

    /// The next record: path and report.
    fn record(&mut self, tape: &mut Tape) -> anyhow::Result<Option<(Vec<u8>, Vec<u8>)>> {
        if self.at == self.buffer.len() && self.rest.is_empty() {
            return Ok(None);
        }
        let (path, report) = (self.number(tape)?, self.number(tape)?);
        Ok(Some((self.take(tape, path)?, self.take(tape, report)?)))
    }
}

fn put(tape: &mut Tape, path: &[u8], report: &[u8]) -> anyhow::Result<()> {
    for length in [path.len(), report.len()] {
        tape.add(&u32::try_from(length)?.to_le_bytes())?;
    }
    tape.add(path)?;
    tape.add(report)
}

/// Gives the records of runs in the order of their paths; of equal paths the earlier run's first.
fn merge(
    tape: &mut Tape,
    runs: &[Range<u64>],
    mut take: impl FnMut(&[u8], &[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut readers: Vec<Reader> = runs.iter().cloned().map(Reader::new).collect();
    let mut heads = BinaryHeap::new();
    for (n, reader) in readers.iter_mut().enumerate() {
        if let Some((path, report)) = reader.record(tape)? {
            heads.push(Reverse((path, n, report)));
        }
    }
    while let Some(Reverse((path, n, report))) = heads.pop() {
        take(&path, &report)?;
        if let Some(reader) = readers.get_mut(n)
            && let Some((path, report)) = reader.record(tape)?
        {
            heads.push(Reverse((path, n, report)));
        }
    }
    Ok(())
}

/// The reports, by path when they are asked for.
#[derive(Default)]
pub(crate) struct Store {
    tape: Tape,
    runs: Vec<Range<u64>>,
    last: Vec<u8>,
}

/// What sorts as [`FileReport::order`] does.
fn key_of(report: &FileReport) -> Vec<u8> {
    // No path has a zero byte.
    let mut key = [report.path.as_bytes(), b"\0"].concat();
    key.extend_from_slice(&report.offset.to_be_bytes());
    key.push(u8::from(report.record.is_some()));
    key
}

impl Store {
    /// Adds a report.
    pub(crate) fn add(&mut self, report: &FileReport) -> anyhow::Result<()> {
        let (start, key) = (self.tape.length()?, key_of(report));
        put(&mut self.tape, &key, &serde_json::to_vec(report)?)?;
        let end = self.tape.length()?;
        match self.runs.last_mut() {
            Some(run) if self.last <= key => run.end = end,
            _ => self.runs.push(start..end),
        }
        self.last = key;
        Ok(())
    }

    /// Gives every report in the order of the paths' bytes and the places; equal ones in the order they were
    /// added.
    pub(crate) fn each(
        &mut self,
        mut take: impl FnMut(&FileReport) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        while self.runs.len() > FAN {
            let mut tape = Tape::default();
            let mut runs = Vec::new();
            for group in self.runs.chunks(FAN) {
                let start = tape.length()?;
                merge(&mut self.tape, group, |path, report| {
                    put(&mut tape, path, report)
                })?;
                runs.push(start..tape.length()?);
            }
            (self.tape, self.runs) = (tape, runs);
        }
        merge(&mut self.tape, &self.runs, |_, report| {
            take(&serde_json::from_slice(report)?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(paths: &[String], size: usize) -> Store {
        let mut store = Store::default();
        for (n, path) in paths.iter().enumerate() {
            let report = FileReport {
                path: path.clone(),
                kind: Some(n.to_string()),
                charset: Some("x".repeat(size)),
                ..FileReport::default()
            };
            store.add(&report).unwrap();
        }
        store
    }

    fn check(paths: &[String], size: usize) {
        let mut expected: Vec<(String, String)> = paths
            .iter()
            .enumerate()
            .map(|(n, path)| (path.clone(), n.to_string()))
            .collect();
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        let mut store = store(paths, size);
        // Twice: each format asks for them.
        for _ in 0..2 {
            let mut seen = Vec::new();
            store
                .each(|r| {
                    assert_eq!(r.charset.as_ref().map(String::len), Some(size));
                    seen.push((r.path.clone(), r.kind.clone().unwrap_or_default()));
                    Ok(())
                })
                .unwrap();
            assert_eq!(seen, expected);
        }
    }

    #[test]
    fn reports_come_back_by_path_from_memory_and_from_disk() {
        let paths = ["b", "a", "c", "a", "d"].map(str::to_owned);
        for size in [10, PIECE + 7, MEMORY / 3] {
            check(&paths, size);
        }
    }

    #[test]
    fn runs_of_any_number_are_merged() {
        let descending: Vec<String> = (0..2_000).rev().map(|n| format!("{n:05}")).collect();
        check(&descending, 1);
        let mixed: Vec<String> = (0..3_000u32)
            .map(|n| format!("{:03}", n * 7_919 % 1_000))
            .collect();
        check(&mixed, 3);
    }

    #[test]
    fn what_is_kept_does_not_grow_with_the_number_of_files() {
        let paths: Vec<String> = (0..60_000).map(|n| format!("{n:05}")).collect();
        let mut store = store(&paths, 200);
        assert_eq!(store.runs.len(), 1);
        assert!(store.tape.file.is_some());
        assert!(store.tape.tail.len() <= PIECE);
        let mut n = 0;
        store
            .each(|_| {
                n += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(n, 60_000);
    }
}
