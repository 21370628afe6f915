//! The consent log in a folder: `lines` with a line of the log each, and `head` beside it.
//!
//! An append writes and syncs its lines first, then replaces `head` (size and root). What stands in
//! `lines` beyond `head` was never acknowledged: opening cuts it and says so. Everything before is
//! hashed anew when opened; a line that was altered, dropped, doubled or moved, and a cut tail, make
//! opening fail. Against someone who rewrites both files a checkpoint pinned elsewhere helps.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use warifu_consent::b64;
use warifu_log::{Checkpoint, Hash, Line, START, Tree};

/// Why the log cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The folder or a file cannot be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Another process has it open.
    #[error("another process writes this log")]
    Busy,
    /// `head` is missing or not one, though there are lines.
    #[error("head is missing or damaged")]
    Head,
    /// Line with this number (from 0) is damaged or altered.
    #[error("line {0} was altered")]
    Altered(u64),
    /// Line with this number does not follow its person's line before: something is missing, doubled or moved.
    #[error("line {0} does not follow the one before")]
    Order(u64),
    /// The file has fewer lines than were acknowledged.
    #[error("{have} lines, {acknowledged} were acknowledged: the tail was cut")]
    Cut {
        /// Lines found.
        have: u64,
        /// Lines of `head` or of the pinned checkpoint.
        acknowledged: u64,
    },
    /// The lines hash to another root than the acknowledged or pinned one.
    #[error("the lines are not those that were acknowledged")]
    Root,
}

/// What was found beyond the last acknowledged line, and cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unacknowledged {
    /// Bytes cut.
    pub bytes: u64,
}

/// A log in a folder, open for appending.
#[derive(Debug)]
pub struct FileLog {
    dir: PathBuf,
    file: File,
    tree: Tree,
    ends: Vec<u64>,
    heads: BTreeMap<String, (u64, String)>,
}

impl FileLog {
    /// Opens the log in `dir`, or begins one; `pinned` is a checkpoint known from elsewhere.
    ///
    /// # Errors
    /// [`LogError`]: a log that was changed is not opened.
    pub fn open(
        dir: &Path,
        pinned: Option<&Checkpoint>,
    ) -> Result<(Self, Unacknowledged), LogError> {
        std::fs::create_dir_all(dir)?;
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(dir.join("lines"))?;
        file.try_lock().map_err(|e| match e {
            std::fs::TryLockError::WouldBlock => LogError::Busy,
            std::fs::TryLockError::Error(e) => LogError::Io(e),
        })?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (size, root) = match std::fs::read_to_string(dir.join("head")) {
            Ok(text) => read_head(&text).ok_or(LogError::Head)?,
            // Nothing was ever acknowledged, or `head` was taken away.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && !has_lines(&bytes) => {
                (0, Tree::new().root())
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(LogError::Head),
            Err(e) => return Err(e.into()),
        };
        let mut log = Self {
            dir: dir.to_owned(),
            file,
            tree: Tree::new(),
            ends: Vec::new(),
            heads: BTreeMap::new(),
        };
        let mut rest = bytes.as_slice();
        let mut end = 0;
        for n in 0..size {
            let Some(at) = rest.iter().position(|b| *b == b'\n') else {
                return Err(LogError::Cut {
                    have: n,
                    acknowledged: size,
                });
            };
            let (row, tail) = rest.split_at(at + 1);
            let (line, salt, leaf) = read_row(row).ok_or(LogError::Altered(n))?;
            if line.leaf(&salt) != leaf {
                return Err(LogError::Altered(n));
            }
            log.follow(&line, &leaf).map_err(|()| LogError::Order(n))?;
            log.tree.push(&leaf);
            end += u64::try_from(row.len()).unwrap_or(0);
            log.ends.push(end);
            rest = tail;
        }
        if log.tree.root() != root {
            return Err(LogError::Root);
        }
        if let Some(pin) = pinned {
            match log.tree.root_of(pin.size) {
                None => {
                    return Err(LogError::Cut {
                        have: size,
                        acknowledged: pin.size,
                    });
                }
                Some(root) if root != pin.root => return Err(LogError::Root),
                Some(_) => {}
            }
        }
        let beyond = u64::try_from(rest.len()).unwrap_or(0);
        if beyond > 0 {
            log.file.set_len(end)?;
            log.file.sync_all()?;
        }
        Ok((log, Unacknowledged { bytes: beyond }))
    }

    /// The tree over all lines.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// `n` and `prev` of a person's next line.
    pub fn next(&self, sub: &str) -> (u64, String) {
        match self.heads.get(sub) {
            Some((n, head)) => (n + 1, head.clone()),
            None => (0, START.to_owned()),
        }
    }

    /// Appends lines with their salts; when it returns, all of them are on the disk.
    ///
    /// # Errors
    /// `Order` for a line that does not follow its person's last one (nothing is written), or `Io`;
    /// after `Io` the log has to be opened anew.
    pub fn append(&mut self, lines: &[(Line, [u8; 16])]) -> Result<(), LogError> {
        let heads = self.heads.clone();
        let mut text = Vec::new();
        let mut leaves = Vec::with_capacity(lines.len());
        let mut ends = Vec::with_capacity(lines.len());
        let start = self.ends.last().copied().unwrap_or(0);
        for ((line, salt), n) in lines.iter().zip(self.tree.len()..) {
            let leaf = line.leaf(salt);
            if self.follow(line, &leaf).is_err() {
                self.heads = heads;
                return Err(LogError::Order(n));
            }
            text.extend_from_slice(b64::encode(salt).as_bytes());
            text.push(b' ');
            text.extend_from_slice(b64::encode(&leaf).as_bytes());
            text.push(b' ');
            text.extend_from_slice(line.text().as_bytes());
            text.push(b'\n');
            leaves.push(leaf);
            ends.push(start + u64::try_from(text.len()).unwrap_or(0));
        }
        self.file.write_all(&text)?;
        self.file.sync_data()?;
        for leaf in &leaves {
            self.tree.push(leaf);
        }
        self.ends.extend(ends);
        self.acknowledge()?;
        Ok(())
    }

    /// Replaces `head` in one step.
    fn acknowledge(&self) -> std::io::Result<()> {
        let temporary = self.dir.join("head.new");
        let mut file = File::create(&temporary)?;
        let root = b64::encode(&self.tree.root());
        file.write_all(format!("{} {root}\n", self.tree.len()).as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&temporary, self.dir.join("head"))?;
        File::open(&self.dir)?.sync_all()
    }

    /// The line with this number (from 0) and its salt.
    ///
    /// # Errors
    /// `Altered` if it was changed since opening, `Io`.
    pub fn line(&mut self, index: u64) -> Result<Option<(Line, [u8; 16])>, LogError> {
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        let Some(end) = self.ends.get(at).copied() else {
            return Ok(None);
        };
        let start = at
            .checked_sub(1)
            .and_then(|i| self.ends.get(i).copied())
            .unwrap_or(0);
        let mut row = vec![0; usize::try_from(end - start).unwrap_or(0)];
        self.file.seek(SeekFrom::Start(start))?;
        self.file.read_exact(&mut row)?;
        let (line, salt, leaf) = read_row(&row).ok_or(LogError::Altered(index))?;
        let known = self.tree.node(0, index);
        if line.leaf(&salt) != leaf || known != Some(warifu_log::leaf_hash(&leaf)) {
            return Err(LogError::Altered(index));
        }
        Ok(Some((line, salt)))
    }

    /// Takes a line into its person's chain. Veiled lines (`chn`) carry no number: only the head moves.
    fn follow(&mut self, line: &Line, leaf: &Hash) -> Result<(), ()> {
        let sub = line.text_of("sub");
        if sub.is_empty() {
            return Ok(());
        }
        let (n, prev) = self.next(sub);
        if let Some(number) = line.int("n")
            && (number != n || line.text_of("prev") != prev)
        {
            return Err(());
        }
        self.heads.insert(sub.to_owned(), (n, b64::encode(leaf)));
        Ok(())
    }
}

fn has_lines(bytes: &[u8]) -> bool {
    bytes.contains(&b'\n')
}

fn read_head(text: &str) -> Option<(u64, Hash)> {
    let (size, root) = text.strip_suffix('\n')?.split_once(' ')?;
    Some((size.parse().ok()?, b64::decode_array(root)?))
}

fn read_row(row: &[u8]) -> Option<(Line, [u8; 16], Hash)> {
    let text = std::str::from_utf8(row.strip_suffix(b"\n")?).ok()?;
    let (salt, rest) = text.split_once(' ')?;
    let (leaf, line) = rest.split_once(' ')?;
    Some((
        Line::read(line.as_bytes()).ok()?,
        b64::decode_array(salt)?,
        b64::decode_array(leaf)?,
    ))
}
