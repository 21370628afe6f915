//! Folders, as the walk sees them.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::sink::{Choice, Chosen};
use crate::sniff::HEAD;
use crate::zip::foreign_name;

/// What a directory entry is; links are not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    File,
    Folder,
    Link,
    Special,
}

/// One directory entry.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Name as text, and whether it had to be decoded.
    pub(crate) text: String,
    pub(crate) decoded: bool,
    /// Name as the system has it.
    pub(crate) name: OsString,
    pub(crate) kind: EntryKind,
}

impl Entry {
    pub(crate) fn new(name: OsString, kind: EntryKind) -> Self {
        let (text, decoded) = match name_text(&name) {
            Cow::Borrowed(text) => (text.to_owned(), false),
            Cow::Owned(text) => (text, true),
        };
        Self {
            text,
            decoded,
            name,
            kind,
        }
    }
}

/// A name as text; read as CP932 where it is not UTF-8.
fn name_text(name: &OsStr) -> Cow<'_, str> {
    match name.to_str() {
        Some(text) => Cow::Borrowed(text),
        #[cfg(unix)]
        None => Cow::Owned(foreign_name(std::os::unix::ffi::OsStrExt::as_bytes(name))),
        #[cfg(not(unix))]
        None => Cow::Owned(name.to_string_lossy().into_owned()),
    }
}

#[cfg(not(unix))]
const _: fn(&[u8]) -> String = foreign_name;

/// A source of folders. Paths are relative to its base.
pub(crate) trait Tree {
    /// Entries of a folder in any order.
    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>>;
    /// First bytes of a file, at most [`HEAD`].
    fn head(&self, file: &Path) -> io::Result<Vec<u8>>;
    /// Whether a path is taken.
    fn choice(&self, _path: &str, _folder: bool) -> Choice {
        Choice::Take
    }
}

/// Folders of the operating system.
#[derive(Clone)]
pub(crate) struct FsTree {
    pub(crate) base: PathBuf,
    pub(crate) chosen: Chosen,
}

impl Tree for FsTree {
    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(self.base.join(folder))? {
            let entry = entry?;
            // The type of the entry itself: links stay links.
            let kind = match entry.file_type() {
                Ok(kind) if kind.is_dir() => EntryKind::Folder,
                Ok(kind) if kind.is_file() => EntryKind::File,
                Ok(kind) if kind.is_symlink() => EntryKind::Link,
                Ok(_) => EntryKind::Special,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            entries.push(Entry::new(entry.file_name(), kind));
        }
        Ok(entries)
    }

    fn head(&self, file: &Path) -> io::Result<Vec<u8>> {
        head_of(&self.base.join(file))
    }

    fn choice(&self, path: &str, folder: bool) -> Choice {
        self.chosen.choice(path, folder)
    }
}

pub(crate) fn head_of(file: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD);
    let limit = u64::try_from(HEAD).unwrap_or(u64::MAX);
    File::open(file)?.take(limit).read_to_end(&mut head)?;
    Ok(head)
}

/// A path below the base: as text with `/` and as the system has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct At {
    pub(crate) text: String,
    pub(crate) os: PathBuf,
    /// Number of components.
    pub(crate) depth: usize,
}

impl At {
    pub(crate) fn child(&self, entry: &Entry) -> Self {
        let text = if self.text.is_empty() {
            entry.text.clone()
        } else {
            format!("{}/{}", self.text, entry.text)
        };
        Self {
            text,
            os: self.os.join(&entry.name),
            depth: self.depth + 1,
        }
    }
}
