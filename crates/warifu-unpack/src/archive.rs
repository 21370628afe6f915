//! Zip archives: whole ones in memory, and large ones of which only the parts asked for are there.

use std::cell::RefCell;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::rc::Rc;

use js_sys::{Array, Object, Uint8Array};
use warifu_storage::zip::{ZipEntry, ZipError, ZipReader};
use wasm_bindgen::prelude::*;

use crate::{failure, set};

/// Longest file read out of an archive.
const MAX_FILE: u64 = 64 << 20;
/// How much larger than its compressed form a file may be.
const MAX_EXPANSION: u64 = 200;
/// Most bytes that [`unzip`] gives at once.
const MAX_TOTAL: u64 = 1 << 30;

/// Word of a name that leads out of the archive.
const UNSAFE: &str = "unsafe-path";

/// Word of an error, for `reason`; says nothing of the content.
fn word(error: &ZipError) -> &'static str {
    match error {
        ZipError::NotAZip => "not-a-zip",
        ZipError::Path(_) => UNSAFE,
        ZipError::Encrypted => "encrypted",
        ZipError::Method(_) => "method",
        ZipError::TooLarge => "too-large",
        ZipError::Expansion => "expansion",
        ZipError::Checksum => "checksum",
        _ => "damaged",
    }
}

fn thrown(error: &ZipError) -> JsValue {
    match error {
        ZipError::TooLarge | ZipError::Expansion => failure("too-large", &error.to_string()),
        _ => failure("invalid-option", &error.to_string()),
    }
}

/// Files of an archive: `{path, bytes}[]`, and for what cannot be read `{path, bytes, reason}` with
/// empty bytes. Folders, links and hidden files are left out.
///
/// Throws `{code: "invalid-option"}` when it is no zip, `{code: "too-large"}` above 1 GiB in all.
#[wasm_bindgen]
pub fn unzip(bytes: &[u8]) -> Result<Array, JsValue> {
    let mut reader = ZipReader::new(Cursor::new(bytes)).map_err(|e| thrown(&e))?;
    let files = Array::new();
    let mut content = Vec::new();
    let mut total = 0_u64;
    while let Some(entry) = reader.next_entry().map_err(|e| thrown(&e))? {
        if !is_wanted(&entry) {
            continue;
        }
        total = total.saturating_add(entry.size.min(MAX_FILE));
        if total > MAX_TOTAL {
            return Err(failure("too-large", "the archive expands beyond 1 GiB"));
        }
        let path = entry.path();
        let read = path
            .and_then(|path| {
                reader
                    .read(&entry, MAX_FILE, MAX_EXPANSION, &mut content)
                    .map(|()| path)
            })
            .map_err(|e| word(&e));
        let file = Object::new();
        match read {
            Ok(path) => {
                set(&file, "path", &path.into());
                set(&file, "bytes", &Uint8Array::from(content.as_slice()).into());
            }
            Err(reason) => {
                set(&file, "path", &entry.name.as_str().into());
                set(&file, "bytes", &Uint8Array::new_with_length(0).into());
                set(&file, "reason", &reason.into());
            }
        }
        files.push(&file.into());
    }
    Ok(files)
}

/// Why an entry is named and not read: its path leads out of the archive, or it is a link.
fn refusal(entry: &ZipEntry) -> Option<&'static str> {
    if entry.path().is_err() {
        return Some(UNSAFE);
    }
    let hidden = warifu_ssmix2::components(&entry.name).any(warifu_storage::is_skipped);
    (entry.is_link() && !hidden).then_some("link")
}

fn is_wanted(entry: &ZipEntry) -> bool {
    let hidden = warifu_ssmix2::components(&entry.name).any(warifu_storage::is_skipped);
    !entry.is_folder() && refusal(entry).is_none() && !hidden
}

/// Bytes of a file of which only some ranges are there.
#[derive(Debug, Default)]
struct Parts {
    size: u64,
    parts: Vec<(u64, Vec<u8>)>,
    /// First byte that was asked for and is not there.
    missing: Option<u64>,
}

/// Reads what is there; notes what is not.
#[derive(Debug, Clone)]
struct Sparse {
    parts: Rc<RefCell<Parts>>,
    at: u64,
}

impl Read for Sparse {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut parts = self.parts.borrow_mut();
        if self.at >= parts.size || out.is_empty() {
            return Ok(0);
        }
        let found = parts.parts.iter().find_map(|(start, bytes)| {
            let skip = usize::try_from(self.at.checked_sub(*start)?).ok()?;
            bytes.get(skip..).filter(|rest| !rest.is_empty())
        });
        let Some(bytes) = found else {
            parts.missing = Some(self.at);
            return Err(io::Error::other("not there yet"));
        };
        let n = bytes.len().min(out.len());
        for (to, from) in out.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.at += u64::try_from(n).unwrap_or(0);
        Ok(n)
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.parts.borrow().size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// A zip archive whose bytes are handed in as they are needed, so that one of any size (a `Blob`) is
/// read with the memory of its directory and one entry.
///
/// `open` and `read` give a pair of numbers when bytes are missing: hand in that range with `feed`
/// and call again.
#[wasm_bindgen]
#[derive(Debug)]
pub struct ZipArchive {
    parts: Rc<RefCell<Parts>>,
    entries: Vec<ZipEntry>,
    /// Entries that are not read, and why.
    left: Vec<(String, &'static str)>,
}

#[wasm_bindgen]
impl ZipArchive {
    /// An archive of so many bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(size: f64) -> ZipArchive {
        let parts = Parts {
            size: whole(size),
            ..Parts::default()
        };
        ZipArchive {
            parts: Rc::new(RefCell::new(parts)),
            entries: Vec::new(),
            left: Vec::new(),
        }
    }
    /// Hands in bytes from `start` on.
    pub fn feed(&mut self, start: f64, bytes: Vec<u8>) {
        self.parts.borrow_mut().parts.push((whole(start), bytes));
    }
    /// Forgets all bytes handed in; the directory stays.
    pub fn drop_parts(&mut self) {
        self.parts.borrow_mut().parts = Vec::new();
    }
    /// Reads the directory, or gives `[start, end]` of what is missing: `{paths, left}`, the paths of its
    /// files and, as `[name, reason]`, what is not read.
    pub fn open(&mut self) -> Result<JsValue, JsValue> {
        match self.directory() {
            Ok(()) => {
                let paths = Array::new();
                for e in &self.entries {
                    paths.push(&e.path().unwrap_or_else(|_| e.name.clone()).into());
                }
                let o = Object::new();
                set(&o, "paths", &paths.into());
                let left = Array::new();
                for (name, reason) in &self.left {
                    left.push(&Array::of2(&name.as_str().into(), &(*reason).into()).into());
                }
                set(&o, "left", &left.into());
                Ok(o.into())
            }
            // The directory is the end of the archive: all of it at once.
            Err(error) => {
                let size = self.parts.borrow().size;
                self.missing(size).ok_or_else(|| thrown(&error))
            }
        }
    }
    /// Reads the content of entry `index`: a `Uint8Array`, a string (why it cannot be read), or
    /// `[start, end]` of what is missing.
    pub fn read(&mut self, index: usize) -> JsValue {
        let Some(entry) = self.entries.get(index) else {
            return "damaged".into();
        };
        let mut content = Vec::new();
        let read = entry.path().and_then(|_| {
            ZipReader::new(self.sparse())?.read(entry, MAX_FILE, MAX_EXPANSION, &mut content)
        });
        match read {
            Ok(()) => Uint8Array::from(content.as_slice()).into(),
            Err(error) => {
                // Local header, its name and extra field are usually below 1 KiB.
                let wanted = entry.compressed_size.saturating_add(1 << 10);
                let end = self
                    .parts
                    .borrow()
                    .missing
                    .map_or(0, |at| at.saturating_add(wanted));
                self.missing(end).unwrap_or_else(|| word(&error).into())
            }
        }
    }
    fn sparse(&self) -> Sparse {
        self.parts.borrow_mut().missing = None;
        Sparse {
            parts: Rc::clone(&self.parts),
            at: 0,
        }
    }
    fn directory(&mut self) -> Result<(), ZipError> {
        let mut reader = ZipReader::new(self.sparse())?;
        let (mut entries, mut left) = (Vec::new(), Vec::new());
        while let Some(entry) = reader.next_entry()? {
            if let Some(reason) = refusal(&entry) {
                left.push((entry.name, reason));
            } else if is_wanted(&entry) {
                entries.push(entry);
            }
        }
        (self.entries, self.left) = (entries, left);
        Ok(())
    }
    fn missing(&self, end: u64) -> Option<JsValue> {
        let parts = self.parts.borrow();
        let start = parts.missing?;
        Some(Array::of2(&number(start), &number(end.clamp(start, parts.size))).into())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::as_conversions,
    reason = "sizes of a Blob are whole numbers below 2^53; anything else saturates"
)]
fn whole(n: f64) -> u64 {
    n as u64
}

#[expect(
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "offsets lie inside a Blob, so below 2^53"
)]
fn number(n: u64) -> JsValue {
    (n as f64).into()
}
