//! Zip archives, one entry at a time, over anything that can be read and sought.
//!
//! The central directory is read as a stream, so an archive of a million entries needs no
//! more memory than one of ten. Stored and deflated entries are read, zip64 too;
//! encrypted ones and other methods are refused one by one. A slice of bytes in a
//! browser works as well: `ZipReader::new(Cursor::new(bytes))`.

use std::fmt::Write as _;
use std::io::{self, Read, Seek, SeekFrom};

use flate2::Crc;
use flate2::read::DeflateDecoder;
use warifu_source::Charset;

use crate::note::StorageNoteKind;
use crate::safe::clean_path;

/// Why an archive or an entry cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ZipError {
    /// No end record: not a zip archive, or cut off.
    #[error("no end record: not a zip archive, or cut off")]
    NotAZip,
    /// A record of the archive is damaged.
    #[error("the archive is damaged")]
    Damaged,
    /// The path of the entry is refused.
    #[error("the path of the entry is refused")]
    Path(StorageNoteKind),
    /// The entry is encrypted.
    #[error("the entry is encrypted")]
    Encrypted,
    /// The compression method is not supported.
    #[error("compression method {0} is not supported")]
    Method(u16),
    /// The entry is longer than the limit.
    #[error("the entry is longer than the limit")]
    TooLarge,
    /// The entry expands beyond the limit.
    #[error("the entry expands beyond the limit")]
    Expansion,
    /// The bytes do not fit their checksum.
    #[error("the bytes do not fit their checksum")]
    Checksum,
    /// The system refused to read.
    #[error("reading failed")]
    Io(#[from] io::Error),
}

/// One entry of the central directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZipEntry {
    /// Name as text: UTF-8 when flag bit 11 is set or the bytes can be nothing else,
    /// CP932 otherwise.
    pub name: String,
    /// Whether the name was read as CP932.
    pub name_is_cp932: bool,
    /// Length of the content in bytes.
    pub size: u64,
    /// Length of the compressed content in bytes.
    pub compressed_size: u64,
    method: u16,
    flags: u16,
    crc: u32,
    offset: u64,
    unix_mode: Option<u32>,
}

impl ZipEntry {
    /// Whether the entry is a folder.
    pub fn is_folder(&self) -> bool {
        self.name.ends_with(['/', '\\'])
    }

    /// Whether the entry is a symbolic link.
    pub fn is_link(&self) -> bool {
        self.unix_mode
            .is_some_and(|mode| mode & 0o170_000 == 0o120_000)
    }

    /// Path with `/`.
    ///
    /// # Errors
    /// [`ZipError::Path`] for absolute paths and `..`.
    pub fn path(&self) -> Result<String, ZipError> {
        clean_path(&self.name).map_err(ZipError::Path)
    }
}

/// A zip archive.
#[derive(Debug)]
pub struct ZipReader<R> {
    reader: R,
    /// Bytes before the archive (self-extracting ones).
    base: u64,
    /// Place and end of the central directory not yet read.
    next: u64,
    end: u64,
    entries_left: u64,
    buffer: Vec<u8>,
    used: usize,
    archive_size: u64,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let field = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(field.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(field.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(field.try_into().ok()?))
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

const CENTRAL: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";
const END: &[u8] = b"PK\x05\x06";
const END64: &[u8] = b"PK\x06\x06";
const LOCATOR64: &[u8] = b"PK\x06\x07";
/// Part of the central directory held in memory.
const CHUNK: usize = 128 << 10;

impl<R: Read + Seek> ZipReader<R> {
    /// Finds the central directory.
    ///
    /// # Errors
    /// [`ZipError::NotAZip`] without end record, [`ZipError::Damaged`] when it points
    /// outside the archive.
    pub fn new(mut reader: R) -> Result<Self, ZipError> {
        let archive_size = reader.seek(SeekFrom::End(0))?;
        let tail_size = archive_size.min(22 + 0xffff + 20);
        let tail_start = archive_size - tail_size;
        reader.seek(SeekFrom::Start(tail_start))?;
        let mut tail = Vec::new();
        reader.by_ref().take(tail_size).read_to_end(&mut tail)?;
        // The last end record whose comment ends inside the file.
        let at = (0..=tail.len().saturating_sub(22))
            .rev()
            .find(|&at| {
                tail.get(at..).is_some_and(|rest| {
                    rest.starts_with(END)
                        && u16_at(rest, 20).is_some_and(|c| 22 + usize::from(c) <= rest.len())
                })
            })
            .ok_or(ZipError::NotAZip)?;
        let end = tail.get(at..).unwrap_or_default();
        let end_at = tail_start + u64::try_from(at).unwrap_or(0);
        let entries = u16_at(end, 10).ok_or(ZipError::Damaged)?;
        let size = u32_at(end, 12).ok_or(ZipError::Damaged)?;
        let offset = u32_at(end, 16).ok_or(ZipError::Damaged)?;
        let locator = at
            .checked_sub(20)
            .and_then(|at| tail.get(at..))
            .filter(|rest| rest.starts_with(LOCATOR64));
        let (entries, size, offset, directory_end) = match locator {
            Some(locator) if entries == u16::MAX || size == u32::MAX || offset == u32::MAX => {
                let at = u64_at(locator, 8).ok_or(ZipError::Damaged)?;
                reader.seek(SeekFrom::Start(at))?;
                let mut record = Vec::new();
                reader.by_ref().take(56).read_to_end(&mut record)?;
                if !record.starts_with(END64) {
                    return Err(ZipError::Damaged);
                }
                (
                    u64_at(&record, 32).ok_or(ZipError::Damaged)?,
                    u64_at(&record, 40).ok_or(ZipError::Damaged)?,
                    u64_at(&record, 48).ok_or(ZipError::Damaged)?,
                    at,
                )
            }
            _ => (
                u64::from(entries),
                u64::from(size),
                u64::from(offset),
                end_at,
            ),
        };
        let start = directory_end.checked_sub(size).ok_or(ZipError::Damaged)?;
        let base = start.checked_sub(offset).ok_or(ZipError::Damaged)?;
        Ok(Self {
            reader,
            base,
            next: start,
            end: directory_end,
            entries_left: entries,
            buffer: Vec::new(),
            used: 0,
            archive_size,
        })
    }

    /// Length of the archive in bytes.
    pub fn archive_size(&self) -> u64 {
        self.archive_size
    }

    /// The next entry of the central directory, `None` after the last.
    ///
    /// # Errors
    /// [`ZipError::Damaged`] or [`ZipError::Io`]; no entry follows then.
    pub fn next_entry(&mut self) -> Result<Option<ZipEntry>, ZipError> {
        if self.entries_left == 0 {
            return Ok(None);
        }
        self.entries_left -= 1;
        match self.read_entry() {
            Ok(entry) => Ok(Some(entry)),
            Err(error) => {
                self.entries_left = 0;
                Err(error)
            }
        }
    }

    /// Makes `wanted` bytes of the central directory available.
    fn fill(&mut self, wanted: usize) -> Result<&[u8], ZipError> {
        if self.buffer.len() - self.used < wanted {
            self.buffer.drain(..self.used);
            self.used = 0;
            self.reader.seek(SeekFrom::Start(self.next))?;
            let room = u64::try_from(CHUNK.max(wanted)).unwrap_or(u64::MAX);
            let left = self.end.saturating_sub(self.next).min(room);
            let read = self
                .reader
                .by_ref()
                .take(left)
                .read_to_end(&mut self.buffer)?;
            self.next += u64::try_from(read).unwrap_or(0);
        }
        self.buffer
            .get(self.used..self.used + wanted)
            .ok_or(ZipError::Damaged)
    }

    fn read_entry(&mut self) -> Result<ZipEntry, ZipError> {
        let header = self.fill(46)?;
        if !header.starts_with(CENTRAL) {
            return Err(ZipError::Damaged);
        }
        let field16 = |at| u16_at(header, at).ok_or(ZipError::Damaged);
        let field32 = |at| u32_at(header, at).ok_or(ZipError::Damaged);
        let (made_by, flags, method) = (field16(4)?, field16(8)?, field16(10)?);
        let (crc, compressed, size) = (field32(16)?, field32(20)?, field32(24)?);
        let (name_size, extra_size, comment_size) = (field16(28)?, field16(30)?, field16(32)?);
        let (attributes, offset) = (field32(38)?, field32(42)?);
        let name_end = 46 + usize::from(name_size);
        let extra_end = name_end + usize::from(extra_size);
        let whole = extra_end + usize::from(comment_size);
        let record = self.fill(whole)?;
        let raw = record.get(46..name_end).ok_or(ZipError::Damaged)?;
        let extra = record.get(name_end..extra_end).ok_or(ZipError::Damaged)?;
        let (name, name_is_cp932) = entry_name(raw, flags, extra);
        let mut entry = ZipEntry {
            name,
            name_is_cp932,
            size: u64::from(size),
            compressed_size: u64::from(compressed),
            method,
            flags,
            crc,
            offset: u64::from(offset),
            unix_mode: (made_by >> 8 == 3).then_some(attributes >> 16),
        };
        // Zip64 values stand in this order, each only if its field is all ones.
        let mut wide = extra_field(extra, 1).unwrap_or_default();
        for (field, value) in [
            (size, &mut entry.size),
            (compressed, &mut entry.compressed_size),
            (offset, &mut entry.offset),
        ] {
            if field == u32::MAX
                && let Some(number) = u64_at(wide, 0)
            {
                *value = number;
                wide = wide.get(8..).unwrap_or_default();
            }
        }
        self.used += whole;
        Ok(entry)
    }

    /// Reads the content of an entry into `out` (which is cleared).
    ///
    /// # Errors
    /// [`ZipError::TooLarge`] when the content is longer than `max_file`,
    /// [`ZipError::Expansion`] when it is over 1 MiB and more than `max_expansion` times
    /// its compressed length; others as named.
    pub fn read(
        &mut self,
        entry: &ZipEntry,
        max_file: u64,
        max_expansion: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), ZipError> {
        out.clear();
        if entry.size > max_file {
            return Err(ZipError::TooLarge);
        }
        self.stream(entry, max_expansion, &mut |piece| {
            out.extend_from_slice(piece);
            Ok(())
        })
    }

    /// Hands the content of an entry, of any length, to `take` piece by piece.
    ///
    /// # Errors
    /// As [`ZipReader::read`]; errors of `take` as [`ZipError::Io`]. A wrong checksum
    /// shows only after the last piece.
    pub fn stream(
        &mut self,
        entry: &ZipEntry,
        max_expansion: u64,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), ZipError> {
        if entry.flags & 1 != 0 {
            return Err(ZipError::Encrypted);
        }
        if entry.size > 1 << 20 && entry.size > entry.compressed_size.saturating_mul(max_expansion)
        {
            return Err(ZipError::Expansion);
        }
        let at = self
            .base
            .checked_add(entry.offset)
            .ok_or(ZipError::Damaged)?;
        self.reader.seek(SeekFrom::Start(at))?;
        let mut header = Vec::new();
        self.reader.by_ref().take(30).read_to_end(&mut header)?;
        if !header.starts_with(LOCAL) {
            return Err(ZipError::Damaged);
        }
        let skip = u64::from(u16_at(&header, 26).ok_or(ZipError::Damaged)?)
            + u64::from(u16_at(&header, 28).ok_or(ZipError::Damaged)?);
        let data = at
            .checked_add(30 + skip)
            .filter(|data| *data <= self.archive_size)
            .ok_or(ZipError::Damaged)?;
        self.reader.seek(SeekFrom::Start(data))?;
        let packed = self.reader.by_ref().take(entry.compressed_size);
        // One byte more than promised shows that the sizes lie.
        let limit = entry.size.saturating_add(1);
        let mut content: Box<dyn Read + '_> = match entry.method {
            0 => Box::new(packed.take(limit)),
            8 => Box::new(DeflateDecoder::new(packed).take(limit)),
            other => return Err(ZipError::Method(other)),
        };
        let mut crc = Crc::new();
        let mut total = 0_u64;
        let mut piece = vec![0; 32 << 10];
        loop {
            let read = match content.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(damaged_unless_system(error)),
            };
            let bytes = piece.get(..read).unwrap_or_default();
            crc.update(bytes);
            total += length(bytes);
            take(bytes)?;
        }
        if total != entry.size {
            Err(ZipError::Damaged)
        } else if crc.sum() != entry.crc {
            Err(ZipError::Checksum)
        } else {
            Ok(())
        }
    }
}

fn damaged_unless_system(error: io::Error) -> ZipError {
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
            ZipError::Damaged
        }
        _ => ZipError::Io(error),
    }
}

/// Content of an extra field.
fn extra_field(mut extra: &[u8], id: u16) -> Option<&[u8]> {
    loop {
        let (found, size) = (u16_at(extra, 0)?, usize::from(u16_at(extra, 2)?));
        let content = extra.get(4..4 + size)?;
        if found == id {
            return Some(content);
        }
        extra = extra.get(4 + size..)?;
    }
}

/// Name as text, and whether it was read as CP932.
fn entry_name(raw: &[u8], flags: u16, extra: &[u8]) -> (String, bool) {
    // Info-ZIP Unicode Path: version, CRC of the raw name, name in UTF-8.
    if let Some(field) = extra_field(extra, 0x7075) {
        let mut crc = Crc::new();
        crc.update(raw);
        if u32_at(field, 1) == Some(crc.sum())
            && let Some(Ok(name)) = field.get(5..).map(core::str::from_utf8)
        {
            return (name.to_owned(), false);
        }
    }
    if let Ok(name) = core::str::from_utf8(raw) {
        // Some archivers write UTF-8 without saying so. Three-byte sequences in a row
        // are no Japanese in CP932; shorter ones could be half-width katakana.
        let certain = name.chars().all(|c| c.is_ascii() || c >= '\u{2000}');
        if flags & 0x0800 != 0 || certain {
            return (name.to_owned(), false);
        }
    }
    (foreign_name(raw), true)
}

/// A name that is not UTF-8: as CP932, or with `%XX` for every byte outside ASCII (and for `%`) where it is
/// not that either, so that two names never become one.
pub(crate) fn foreign_name(raw: &[u8]) -> String {
    let name = cp932(raw);
    if !name.contains(['\u{FFFD}', '〓']) {
        return name;
    }
    let mut name = String::new();
    for byte in raw {
        if byte.is_ascii() && *byte != b'%' {
            name.push(char::from(*byte));
        } else {
            let _ = write!(name, "%{byte:02X}");
        }
    }
    name
}

/// Bytes read as CP932.
pub(crate) fn cp932(raw: &[u8]) -> String {
    let mut name = String::new();
    warifu_source::decode_into(raw, Charset::Cp932, &mut name);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_nobody_can_read_stay_two() {
        assert_eq!(foreign_name(b"\xff\xfe.hl7"), "%FF%FE.hl7");
        assert_eq!(foreign_name(b"\xff\xfd.hl7"), "%FF%FD.hl7");
        assert_eq!(foreign_name(b"100%\xff"), "100%25%FF");
        assert_eq!(foreign_name(b"\x8a\xbf.hl7"), "漢.hl7");
    }
}
