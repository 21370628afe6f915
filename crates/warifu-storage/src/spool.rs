//! Contents in arrival order, entries in key order: an external merge sort.
//!
//! Archives and journals come in any order and may be larger than memory. Their contents
//! are appended to a blob and their keys sorted in runs; both stay in memory below a
//! limit and move into nameless temporary files above it, which the system removes even
//! when the program is killed (they hold patient data).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use crate::entry::{Entry, UNREAD};

#[derive(Debug)]
enum Blob {
    Memory(Vec<u8>),
    Disk { file: File, length: u64 },
}

/// Sorted store of contents.
#[derive(Debug)]
pub(crate) struct Spool {
    blob: Blob,
    /// The last run, in memory.
    entries: Vec<Entry>,
    entry_bytes: u64,
    runs: Vec<(u64, u64)>,
    index: Option<File>,
    index_length: u64,
    sequence: u64,
    memory_limit: u64,
    temp_dir: Option<PathBuf>,
}

fn to_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn temporary(folder: Option<&PathBuf>) -> io::Result<File> {
    match folder {
        Some(folder) => tempfile::tempfile_in(folder),
        None => tempfile::tempfile(),
    }
}

impl Spool {
    pub(crate) fn new(memory_limit: u64, temp_dir: Option<PathBuf>) -> Self {
        Self {
            blob: Blob::Memory(Vec::new()),
            entries: Vec::new(),
            entry_bytes: 0,
            runs: Vec::new(),
            index: None,
            index_length: 0,
            sequence: 0,
            memory_limit,
            temp_dir,
        }
    }

    /// Whether contents have moved to disk.
    #[cfg(test)]
    pub(crate) fn is_on_disk(&self) -> bool {
        matches!(self.blob, Blob::Disk { .. })
    }

    /// Stores a content under a key; keys need not differ.
    pub(crate) fn add(&mut self, key: Vec<u8>, content: &[u8]) -> io::Result<()> {
        let length = to_u64(content.len());
        let offset = match &mut self.blob {
            Blob::Memory(bytes) if to_u64(bytes.len()) + length <= self.memory_limit => {
                let offset = to_u64(bytes.len());
                bytes.extend_from_slice(content);
                offset
            }
            Blob::Memory(bytes) => {
                let mut file = temporary(self.temp_dir.as_ref())?;
                file.write_all(bytes)?;
                file.write_all(content)?;
                let offset = to_u64(bytes.len());
                self.blob = Blob::Disk {
                    file,
                    length: offset + length,
                };
                offset
            }
            Blob::Disk { file, length: end } => {
                let offset = *end;
                file.write_all(content)?;
                *end += length;
                offset
            }
        };
        self.enter(key, offset, length)
    }

    /// Stores a key whose content could not be read: which version is in force is told by names.
    pub(crate) fn add_unread(&mut self, key: Vec<u8>) -> io::Result<()> {
        self.enter(key, 0, UNREAD)
    }

    fn enter(&mut self, key: Vec<u8>, offset: u64, length: u64) -> io::Result<()> {
        self.entry_bytes += to_u64(key.len() + size_of::<Entry>());
        self.entries.push(Entry {
            key,
            sequence: self.sequence,
            offset,
            length,
        });
        self.sequence += 1;
        // A quarter of the limit for keys.
        if self.entry_bytes > (self.memory_limit / 4).max(1 << 10) {
            self.spill()?;
        }
        Ok(())
    }

    /// Sorts what is in memory; call before [`Spool::merge`].
    pub(crate) fn finish(&mut self) {
        self.entries.sort_unstable();
        self.entries.shrink_to_fit();
    }

    /// Writes the run in memory to disk.
    fn spill(&mut self) -> io::Result<()> {
        self.entries.sort_unstable();
        let file = match self.index.take() {
            Some(file) => file,
            None => temporary(self.temp_dir.as_ref())?,
        };
        let start = self.index_length;
        let mut writer = BufWriter::new(file);
        for entry in self.entries.drain(..) {
            let key_length = u32::try_from(entry.key.len()).map_err(io::Error::other)?;
            writer.write_all(&key_length.to_le_bytes())?;
            writer.write_all(&entry.key)?;
            for number in [entry.sequence, entry.offset, entry.length] {
                writer.write_all(&number.to_le_bytes())?;
            }
            self.index_length += 28 + u64::from(key_length);
        }
        self.entry_bytes = 0;
        self.index = Some(
            writer
                .into_inner()
                .map_err(io::IntoInnerError::into_error)?,
        );
        self.runs.push((start, self.index_length));
        Ok(())
    }

    /// All entries in order.
    pub(crate) fn merge(&self) -> Merge<'_> {
        let mut runs: Vec<Run<'_>> = vec![Run::Memory(self.entries.iter())];
        if let Some(index) = &self.index {
            runs.extend(self.runs.iter().map(|&(next, end)| Run::Disk {
                index,
                next,
                end,
                buffer: Vec::new(),
                used: 0,
            }));
        }
        let mut merge = Merge {
            heads: BinaryHeap::new(),
            runs,
            failed: None,
        };
        for run in 0..merge.runs.len() {
            merge.advance(run);
        }
        merge
    }

    /// Reads a content into `out` (which is cleared).
    pub(crate) fn read(&self, offset: u64, length: u64, out: &mut Vec<u8>) -> io::Result<()> {
        out.clear();
        let size = usize::try_from(length).map_err(io::Error::other)?;
        match &self.blob {
            Blob::Memory(bytes) => {
                let start = usize::try_from(offset).map_err(io::Error::other)?;
                let content = bytes
                    .get(start..start.saturating_add(size))
                    .ok_or(io::ErrorKind::UnexpectedEof)?;
                out.extend_from_slice(content);
            }
            Blob::Disk { file, .. } => {
                out.resize(size, 0);
                read_exact_at(file, out, offset)?;
            }
        }
        Ok(())
    }
}

/// Reads at a place without moving a shared cursor, so that threads may read at once.
fn read_exact_at(file: &File, mut out: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !out.is_empty() {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(file, out, offset);
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(file, out, offset);
        match read {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                out = out.get_mut(read..).unwrap_or_default();
                offset += to_u64(read);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

enum Run<'s> {
    Memory(std::slice::Iter<'s, Entry>),
    Disk {
        index: &'s File,
        next: u64,
        end: u64,
        buffer: Vec<u8>,
        used: usize,
    },
}

/// How much of a run on disk is held in memory.
const RUN_BUFFER: u64 = 64 << 10;

impl Run<'_> {
    fn next(&mut self) -> io::Result<Option<Entry>> {
        match self {
            Run::Memory(entries) => Ok(entries.next().cloned()),
            Run::Disk {
                index,
                next,
                end,
                buffer,
                used,
            } => {
                if *used == buffer.len() && *next == *end {
                    return Ok(None);
                }
                let mut take = |size: usize| -> io::Result<Vec<u8>> {
                    if buffer.len() - *used < size {
                        buffer.drain(..*used);
                        *used = 0;
                        let have = buffer.len();
                        let left = (*end - *next).min(RUN_BUFFER.max(to_u64(size)));
                        let more = usize::try_from(left).map_err(io::Error::other)?;
                        buffer.resize(have + more, 0);
                        let room = buffer.get_mut(have..).unwrap_or_default();
                        read_exact_at(index, room, *next)?;
                        *next += left;
                    }
                    let bytes = buffer
                        .get(*used..*used + size)
                        .ok_or(io::ErrorKind::UnexpectedEof)?
                        .to_vec();
                    *used += size;
                    Ok(bytes)
                };
                let damaged = || io::Error::from(io::ErrorKind::InvalidData);
                let size = take(4)?.try_into().map_err(|_| damaged())?;
                let key =
                    take(usize::try_from(u32::from_le_bytes(size)).map_err(io::Error::other)?)?;
                let mut number = || -> io::Result<u64> {
                    let bytes = take(8)?.try_into().map_err(|_| damaged())?;
                    Ok(u64::from_le_bytes(bytes))
                };
                Ok(Some(Entry {
                    key,
                    sequence: number()?,
                    offset: number()?,
                    length: number()?,
                }))
            }
        }
    }
}

/// Entries of all runs in order.
pub(crate) struct Merge<'s> {
    heads: BinaryHeap<Reverse<(Entry, usize)>>,
    runs: Vec<Run<'s>>,
    /// An error of the system; entries may be missing then.
    pub(crate) failed: Option<io::Error>,
}

impl Merge<'_> {
    fn advance(&mut self, run: usize) {
        match self.runs.get_mut(run).map(Run::next) {
            Some(Ok(Some(entry))) => self.heads.push(Reverse((entry, run))),
            Some(Err(error)) => self.failed = Some(error),
            Some(Ok(None)) | None => {}
        }
    }

    pub(crate) fn peek(&self) -> Option<&Entry> {
        self.heads.peek().map(|Reverse((entry, _))| entry)
    }
}

impl Iterator for Merge<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let Reverse((entry, run)) = self.heads.pop()?;
        self.advance(run);
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn entries_come_sorted_and_contents_whole_from_memory_and_disk() {
        for limit in [1 << 20, 5_000] {
            let mut spool = Spool::new(limit, None);
            for n in (0..500_u32).rev() {
                let content = n.to_string().repeat(10);
                spool
                    .add(format!("{:05}", n % 250).into_bytes(), content.as_bytes())
                    .unwrap();
            }
            spool.finish();
            assert_eq!(spool.is_on_disk(), limit == 5_000);
            assert_eq!(spool.runs.len() > 3, limit == 5_000);
            // Twice: a walk can be repeated.
            for _ in 0..2 {
                let mut out = Vec::new();
                let mut merge = spool.merge();
                for n in 0..500_u32 {
                    let entry = merge.next().unwrap();
                    assert_eq!(entry.key, format!("{:05}", n / 2).into_bytes());
                    spool.read(entry.offset, entry.length, &mut out).unwrap();
                    // The greater number arrived first.
                    let number = n / 2 + if n % 2 == 0 { 250 } else { 0 };
                    assert_eq!(out, number.to_string().repeat(10).into_bytes());
                }
                assert_eq!(merge.next(), None);
                assert!(merge.failed.is_none());
            }
        }
    }

    proptest! {
        #[test]
        fn merge_is_a_stable_sort(keys in prop::collection::vec("[a-c]{0,3}", 0..300)) {
            let mut spool = Spool::new(2_000, None);
            for key in &keys {
                spool.add(key.clone().into_bytes(), b"").unwrap();
            }
            spool.finish();
            let mut sorted: Vec<(Vec<u8>, u64)> = keys.iter().enumerate()
                .map(|(n, key)| (key.clone().into_bytes(), u64::try_from(n).unwrap())).collect();
            sorted.sort();
            let merged: Vec<(Vec<u8>, u64)> = spool.merge().map(|e| (e.key, e.sequence)).collect();
            prop_assert_eq!(merged, sorted);
        }
    }
}
