//! The store: what is written in which order, and what is done with what is found.

use std::io::{self, ErrorKind};

use warifu_log::{Hash, Record, Storage, Tile, sha256};

use crate::disk::Disk;
use crate::frame::{self, Frame};

/// The file of lines.
pub(crate) const ENTRIES: &str = "entries";
const MARK: &str = "mark";
const CHECKPOINT: &str = "checkpoint";
const CHECKPOINT_NEW: &str = "checkpoint.new";
/// Bytes of one of the two places of the mark.
const SLOT: usize = 128;
/// Bytes read at once.
const CHUNK: usize = 1 << 20;
/// Every how many lines the place in the file is kept in memory.
const STRIDE: u64 = 64;

/// What is wrong with a line, counted from 0, that had been acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// Its bytes are not those that were written.
    Altered,
    /// It is gone.
    Dropped,
    /// It stands at another place.
    Reordered,
    /// In its place stands a line that was there before.
    Duplicated,
    /// The file ends before it.
    Cut,
}

impl core::fmt::Display for Damage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Altered => "was altered",
            Self::Dropped => "is gone",
            Self::Reordered => "stands at another place",
            Self::Duplicated => "is replaced by an earlier line",
            Self::Cut => "is cut off",
        })
    }
}

/// Why the store does not do as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Another program has the store open.
    #[error("another program has the log open")]
    Locked,
    /// The disk failed.
    #[error("the disk failed: {0}")]
    Disk(#[from] io::Error),
    /// A line that had been acknowledged is damaged.
    #[error("line {line} of the log {damage}")]
    Damaged {
        /// Which, from 0.
        line: u64,
        /// How.
        damage: Damage,
    },
    /// Lines are there, and the mark of how many were acknowledged is not, is unreadable, or is that
    /// of other lines.
    #[error("the mark of the acknowledged lines is damaged, or of other lines")]
    Mark,
    /// Appended records do not begin where the log ends, or something failed before.
    #[error("the store cannot be written; open it anew")]
    Order,
}

/// What was done when the store was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Lines that are whole and were never acknowledged; they stay.
    pub kept_lines: u64,
    /// Bytes of an unfinished, never acknowledged tail that were cut off.
    pub cut_bytes: u64,
}

/// How far the log is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Mark {
    lines: u64,
    bytes: u64,
}

impl Mark {
    fn write(self, chain: &Hash) -> Vec<u8> {
        let text = format!("{} {} {}", self.lines, self.bytes, chain.url());
        let check = sha256(&[text.as_bytes()]).url();
        let mut slot = format!("{text} {check}").into_bytes();
        slot.resize(SLOT - 1, b' ');
        slot.push(b'\n');
        slot
    }

    fn read(slot: &[u8]) -> Option<(Self, Hash)> {
        let text = core::str::from_utf8(slot).ok()?;
        let (text, check) = text.trim_end().rsplit_once(' ')?;
        if sha256(&[text.as_bytes()]).url() != check {
            return None;
        }
        let mut parts = text.split(' ');
        let lines = parts.next()?.parse().ok()?;
        let bytes = parts.next()?.parse().ok()?;
        Some((Self { lines, bytes }, Hash::from_url(parts.next()?)?))
    }
}

/// A store of files in a folder: `entries`, `mark`, `checkpoint`, `tile/…`, `lock`.
#[derive(Debug)]
pub struct FileStorage<D: Disk> {
    disk: D,
    lines: u64,
    bytes: u64,
    chain: Hash,
    /// Where every 64th line begins.
    starts: Vec<u64>,
    /// Which of the two places of the mark is written next.
    slot: u64,
    synced: Mark,
    recovery: Recovery,
    failed: bool,
    _lock: D::Lock,
}

impl<D: Disk> FileStorage<D> {
    /// Opens the store alone, checks every line, and cuts off an unacknowledged, unfinished tail.
    pub fn open(disk: D) -> Result<Self, FileError> {
        let mut store = Self::locked(disk)?;
        store.recover()?;
        Ok(store)
    }

    /// Opens the store alone and checks every line, and leaves every file as it is: a tail that
    /// [`Self::open`] would cut off is told by [`Self::recovery`] and stays. Nothing can be written.
    pub fn inspect(disk: D) -> Result<Self, FileError> {
        let mut store = Self::locked(disk)?;
        store.look()?;
        store.failed = true;
        Ok(store)
    }

    fn locked(disk: D) -> Result<Self, FileError> {
        let lock = match disk.lock() {
            Ok(lock) => lock,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(FileError::Locked),
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            disk,
            lines: 0,
            bytes: 0,
            chain: Hash::ZERO,
            starts: Vec::new(),
            slot: 0,
            synced: Mark::default(),
            recovery: Recovery::default(),
            failed: false,
            _lock: lock,
        })
    }

    /// What was done when the store was opened.
    pub fn recovery(&self) -> Recovery {
        self.recovery
    }

    /// The disk.
    pub fn disk(&self) -> &D {
        &self.disk
    }

    /// Reads all lines; `false`: nothing was ever written.
    fn look(&mut self) -> Result<bool, FileError> {
        let length = self.disk.length(ENTRIES)?.unwrap_or(0);
        let mark = self.read_mark()?;
        let (mark, chain) = match mark {
            Some(mark) => mark,
            // The mark is made before the first line is written.
            None if length == 0 => return Ok(false),
            None => return Err(FileError::Mark),
        };
        if length == 0 && mark.lines == 0 {
            return Ok(false);
        }
        self.scan(length, mark, chain)?;
        self.recovery = Recovery {
            kept_lines: self.lines - mark.lines,
            cut_bytes: length - self.bytes,
        };
        Ok(true)
    }

    fn recover(&mut self) -> Result<(), FileError> {
        if !self.look()? {
            return self.begin();
        }
        if self.recovery.cut_bytes > 0 {
            self.disk.truncate(ENTRIES, self.bytes)?;
        }
        // What a killed program wrote may be seen here and not be on the disk yet.
        self.commit()
    }

    fn read_mark(&mut self) -> Result<Option<(Mark, Hash)>, FileError> {
        if self.disk.length(MARK)?.is_none() {
            return Ok(None);
        }
        let bytes = self.disk.read(MARK, 0, 2 * SLOT)?;
        let mut newest = None;
        for (number, slot) in (0_u64..).zip(bytes.chunks_exact(SLOT)) {
            if let Some((mark, chain)) = Mark::read(slot)
                && newest.is_none_or(|(n, _): (Mark, Hash)| mark.lines >= n.lines)
            {
                newest = Some((mark, chain));
                self.slot = 1 - number;
            }
        }
        Ok(newest)
    }

    /// A fresh store: both files, their names durable.
    fn begin(&mut self) -> Result<(), FileError> {
        self.disk.write(ENTRIES, 0, b"")?;
        self.disk.sync(ENTRIES)?;
        self.write_mark()?;
        self.disk.sync_folder("")?;
        Ok(())
    }

    /// Reads all frames; stops at what is no acknowledged line any more.
    fn scan(&mut self, length: u64, mark: Mark, chain: Hash) -> Result<(), FileError> {
        let mut buffer = Vec::new();
        let mut at = 0_usize;
        loop {
            if self.lines == mark.lines && (self.bytes, self.chain) != (mark.bytes, chain) {
                return Err(FileError::Mark);
            }
            let rest = buffer.get(at..).unwrap_or_default();
            match frame::read(rest, self.lines, &self.chain) {
                Frame::Record {
                    length,
                    chain,
                    fits: true,
                    ..
                } => {
                    self.count(length);
                    self.chain = chain;
                    at += length;
                }
                Frame::Short if self.bytes + length_of(rest) < length => {
                    buffer.drain(..at);
                    at = 0;
                    let from = self.bytes + length_of(&buffer);
                    let more = self.disk.read(ENTRIES, from, CHUNK)?;
                    if more.is_empty() {
                        return Err(io::Error::from(ErrorKind::UnexpectedEof).into());
                    }
                    buffer.extend_from_slice(&more);
                }
                frame => {
                    // Behind the mark stands what a crash left. It leaves no whole line of another
                    // place: that is somebody's doing, and stays.
                    let elsewhere = matches!(&frame, Frame::Record { record, .. } if record.index != self.lines);
                    if self.lines >= mark.lines && !elsewhere {
                        return Ok(());
                    }
                    return Err(self.name_damage(&frame, length)?);
                }
            }
        }
    }

    fn count(&mut self, length: usize) {
        if self.lines.is_multiple_of(STRIDE) {
            self.starts.push(self.bytes);
        }
        self.lines += 1;
        self.bytes += u64::try_from(length).unwrap_or(u64::MAX);
    }

    fn damage(&self, damage: Damage) -> FileError {
        FileError::Damaged {
            line: self.lines,
            damage,
        }
    }

    /// Names what is wrong with the line that is expected next and does not fit.
    fn name_damage(&self, frame: &Frame, length: u64) -> Result<FileError, FileError> {
        let damage = match frame {
            Frame::Record { record, .. } if record.index < self.lines => Damage::Duplicated,
            Frame::Record { record, .. } if record.index > self.lines => {
                if self.stands_later(length)? {
                    Damage::Reordered
                } else {
                    Damage::Dropped
                }
            }
            Frame::Short if self.bytes == length => Damage::Cut,
            Frame::Short if !self.newline_follows(length)? => Damage::Cut,
            _ => Damage::Altered,
        };
        Ok(self.damage(damage))
    }

    /// Whether the expected line stands anywhere behind.
    fn stands_later(&self, length: u64) -> Result<bool, FileError> {
        let wanted = self.lines.to_string();
        self.lines_behind(length, |line| {
            let index = line.get(frame::HEAD..).unwrap_or_default();
            index
                .strip_prefix(wanted.as_bytes())
                .and_then(|r| r.first())
                == Some(&b' ')
        })
    }

    /// Whether the line that does not fit ends with LF before the file does.
    fn newline_follows(&self, length: u64) -> Result<bool, FileError> {
        self.lines_behind(length, |_| true)
    }

    /// Whether a line, from the one expected on, is as asked; lines end with LF.
    fn lines_behind(&self, length: u64, asked: impl Fn(&[u8]) -> bool) -> Result<bool, FileError> {
        let mut at = self.bytes;
        let mut rest: Vec<u8> = Vec::new();
        while at < length {
            let more = self.disk.read(ENTRIES, at, CHUNK)?;
            if more.is_empty() {
                break;
            }
            at += length_of(&more);
            rest.extend_from_slice(&more);
            let end = rest.iter().rposition(|b| *b == b'\n').map_or(0, |e| e + 1);
            let whole = rest.get(..end).unwrap_or_default();
            if whole.split_inclusive(|b| *b == b'\n').any(&asked) {
                return Ok(true);
            }
            rest.drain(..end);
            // No line is that long: what has no LF is no line.
            if rest.len() > CHUNK {
                rest.clear();
            }
        }
        Ok(false)
    }

    /// Writes the mark: beside the last one, so that a torn write leaves that one.
    fn write_mark(&mut self) -> Result<(), FileError> {
        let mark = Mark {
            lines: self.lines,
            bytes: self.bytes,
        };
        let offset = self.slot * length_of(&[0; SLOT]);
        self.disk.write(MARK, offset, &mark.write(&self.chain))?;
        self.disk.sync(MARK)?;
        self.slot = 1 - self.slot;
        self.synced = mark;
        Ok(())
    }

    /// Lines first, then the mark: what the mark counts is on the disk.
    fn commit(&mut self) -> Result<(), FileError> {
        self.disk.sync(ENTRIES)?;
        self.write_mark()
    }

    fn guard<T>(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<T, FileError>,
    ) -> Result<T, FileError> {
        if self.failed {
            return Err(FileError::Order);
        }
        let result = act(self);
        // After a failed write or sync nothing is known of the disk but what is read anew.
        self.failed = result.is_err();
        result
    }

    fn put_tile(&self, tile: Tile, bytes: &[u8]) -> Result<String, FileError> {
        let path = tile.path();
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.disk.make_folder(folder)?;
        self.disk.write(&path, 0, bytes)?;
        self.disk.truncate(&path, length_of(bytes))?;
        self.disk.sync(&path)?;
        Ok(folder.to_owned())
    }
}

fn length_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

impl<D: Disk> Storage for FileStorage<D> {
    type Error = FileError;

    fn count(&self) -> Result<u64, FileError> {
        Ok(self.lines)
    }

    fn append(&mut self, records: &[Record]) -> Result<(), FileError> {
        self.guard(|store| {
            let mut bytes = Vec::new();
            let start = store.bytes;
            for record in records {
                if record.index != store.lines {
                    return Err(FileError::Order);
                }
                let before = bytes.len();
                frame::write(record, &mut store.chain, &mut bytes);
                store.count(bytes.len() - before);
            }
            store.disk.write(ENTRIES, start, &bytes)?;
            Ok(())
        })
    }

    fn sync(&mut self) -> Result<(), FileError> {
        self.guard(|store| {
            if store.synced.lines == store.lines {
                return Ok(());
            }
            store.commit()
        })
    }

    fn read(&self, from: u64, count: usize) -> Result<Vec<Record>, FileError> {
        let group = usize::try_from(from / STRIDE).unwrap_or(usize::MAX);
        let Some(start) = self.starts.get(group) else {
            return Ok(Vec::new());
        };
        let mut index = from / STRIDE * STRIDE;
        let (mut offset, mut buffer, mut at) = (*start, Vec::new(), 0_usize);
        let mut records = Vec::new();
        while index < self.lines && records.len() < count {
            let rest = buffer.get(at..).unwrap_or_default();
            // The chain is checked when the store is opened; here the index is.
            match frame::read(rest, index, &Hash::ZERO) {
                Frame::Record { record, length, .. } if record.index == index => {
                    if index >= from {
                        records.push(record);
                    }
                    at += length;
                    index += 1;
                }
                Frame::Short => {
                    buffer.drain(..at);
                    at = 0;
                    let more = self.disk.read(ENTRIES, offset, CHUNK / 16)?;
                    if more.is_empty() {
                        let damage = Damage::Cut;
                        return Err(FileError::Damaged {
                            line: index,
                            damage,
                        });
                    }
                    offset += length_of(&more);
                    buffer.extend_from_slice(&more);
                }
                _ => {
                    let damage = Damage::Altered;
                    return Err(FileError::Damaged {
                        line: index,
                        damage,
                    });
                }
            }
        }
        Ok(records)
    }

    fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, FileError> {
        let path = tile.path();
        if self.disk.length(&path)?.is_none() {
            return Ok(None);
        }
        // One byte more than a tile has, so that a longer file is not taken for one.
        Ok(Some(self.disk.read(&path, 0, 32 * 256 + 1)?))
    }

    fn publish(&mut self, tiles: &[(Tile, Vec<u8>)], note: &str) -> Result<(), FileError> {
        self.guard(|store| {
            let mut folders = std::collections::BTreeSet::new();
            for (tile, bytes) in tiles {
                let folder = store.put_tile(*tile, bytes)?;
                // The names of new folders too, up to that of the store.
                let mut at = folder.as_str();
                while !at.is_empty() {
                    folders.insert(at.to_owned());
                    at = at.rsplit_once('/').map_or("", |(above, _)| above);
                }
            }
            for folder in &folders {
                store.disk.sync_folder(folder)?;
            }
            store.disk.write(CHECKPOINT_NEW, 0, note.as_bytes())?;
            store
                .disk
                .truncate(CHECKPOINT_NEW, length_of(note.as_bytes()))?;
            store.disk.sync(CHECKPOINT_NEW)?;
            store.disk.rename(CHECKPOINT_NEW, CHECKPOINT)?;
            store.disk.sync_folder("")?;
            Ok(())
        })
    }

    fn checkpoint(&self) -> Result<Option<String>, FileError> {
        if self.disk.length(CHECKPOINT)?.is_none() {
            return Ok(None);
        }
        let bytes = self.disk.read(CHECKPOINT, 0, warifu_log::MAX_NOTE + 1)?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }
}
