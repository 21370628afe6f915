//! Archives into the spool: zip, tar, gzip and Zstandard.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{self, BufReader, Read, Seek};
use std::rc::Rc;

use warifu_ssmix2::{
    InstitutionNumber, JournalName, Place, components, institution_of_root, locate,
};

use crate::journal::{Intake, ingest};
use crate::note::StorageNoteKind as Kind;
use crate::replay::journal_order;
use crate::safe::clean_path;
use crate::sink::{Chosen, Sink};
use crate::sniff::{Content, HEAD, sniff};
use crate::spool::Spool;
use crate::zip::{ZipError, ZipReader, foreign_name};

/// First byte of the keys of storage files; [`crate::replay::CLASS`] is the second class.
/// Never zero: zeros end the parts of a key.
pub(crate) const ITEM_CLASS: u8 = 1;
/// First byte of the keys of loose files.
pub(crate) const LOOSE_CLASS: u8 = 3;

/// Limits of one input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) max_file: u64,
    pub(crate) max_expansion: u64,
}

/// An input on its way into a spool.
pub(crate) struct Archive {
    pub(crate) spool: Spool,
    chosen: Chosen,
    pub(crate) limits: Limits,
    pub(crate) institutions: Vec<InstitutionNumber>,
    pub(crate) root_institutions: BTreeSet<InstitutionNumber>,
    pub(crate) items: u64,
    /// Whether storage levels begin at the top, without a root folder.
    pub(crate) items_at_top: bool,
    pub(crate) journals: u64,
    pub(crate) loose: u64,
    /// Messages among these.
    pub(crate) messages: u64,
}

/// Marker of the error that [`Guard`] raises.
#[derive(Debug, thiserror::Error)]
#[error("the archive expands beyond the limit")]
struct Expanded;

/// Counts the bytes read.
struct Counting<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        let more = u64::try_from(read).unwrap_or(u64::MAX);
        self.count.set(self.count.get().saturating_add(more));
        Ok(read)
    }
}

/// Notes that the end of the input was met.
struct Ending<'a> {
    inner: &'a mut dyn Read,
    ended: &'a Cell<bool>,
}

impl Read for Ending<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        self.ended.set(read == 0 && !out.is_empty());
        Ok(read)
    }
}

/// Stops a decoder whose output outgrows its input.
struct Guard<R> {
    decoder: R,
    packed: Rc<Cell<u64>>,
    out: u64,
    max_expansion: u64,
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(out)?;
        self.out = self
            .out
            .saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        if self.out > 1 << 20 && self.out > self.packed.get().saturating_mul(self.max_expansion) {
            return Err(io::Error::other(Expanded));
        }
        Ok(read)
    }
}

fn is_expanded(error: &io::Error) -> bool {
    matches!(error.get_ref(), Some(inner) if inner.is::<Expanded>())
}

/// Error of the reader as a note; system errors too, since a cut stream looks like one.
fn note_error(error: &io::Error, path: &str, sink: &mut Sink) {
    let kind = if is_expanded(error) {
        Kind::Expansion
    } else {
        Kind::Damaged
    };
    sink.note(kind, path);
}

/// What a file given by its name is: a journal by that where its first header is damaged.
pub(crate) fn content_of(name: &str, head: &[u8]) -> Content {
    let leaf = name.rsplit(['/', '\\']).next().unwrap_or(name);
    match sniff(head) {
        Content::Hl7 | Content::Other if JournalName::parse(leaf).is_some() => Content::Journal,
        content => content,
    }
}

impl Archive {
    pub(crate) fn new(spool: Spool, chosen: Chosen, limits: Limits) -> Self {
        Self {
            spool,
            chosen,
            limits,
            institutions: Vec::new(),
            root_institutions: BTreeSet::new(),
            items: 0,
            items_at_top: false,
            journals: 0,
            loose: 0,
            messages: 0,
        }
    }

    /// Stores the path of an item whose content could not be read.
    fn add_unread(&mut self, path: &str, sink: &mut Sink) -> io::Result<()> {
        match self.item_key(path, sink) {
            Some(key) => self.spool.add_unread(key),
            None => Ok(()),
        }
    }

    /// The key of an item of a storage, which is counted.
    fn item_key(&mut self, path: &str, sink: &mut Sink) -> Option<Vec<u8>> {
        let parts: Vec<&str> = components(path).collect();
        if let Place::Item(item) = locate(&parts) {
            let root = parts.get(..item.root_depth).unwrap_or_default();
            if let Some(number) = root.last().and_then(|name| institution_of_root(name))
                && self.root_institutions.insert(number)
                && number.has_wrong_check_digit()
            {
                sink.note(Kind::RootCheckDigit, &root.join("/"));
            }
            self.items_at_top |= item.root_depth == 0;
            let mut key = vec![ITEM_CLASS];
            key.extend_from_slice(item.patient.as_bytes());
            key.push(0);
            key.extend_from_slice(path.replace('/', "\u{1}").as_bytes());
            self.items += 1;
            return Some(key);
        }
        None
    }

    /// Stores a file under its path.
    fn add(&mut self, path: &str, content: &[u8], sink: &mut Sink) -> io::Result<()> {
        if let Some(key) = self.item_key(path, sink) {
            return self.spool.add(key, content);
        }
        match sniff(content.get(..HEAD).unwrap_or(content)) {
            Content::Hl7 | Content::Xml | Content::Json => self.add_loose(path, content),
            Content::Journal => {
                sink.note(Kind::JournalName, path);
                self.journal(&mut &*content, path, sink)
            }
            content if content.is_archive() => {
                sink.note(Kind::NestedArchive, path);
                Ok(())
            }
            _ => {
                sink.unrecognised(path);
                Ok(())
            }
        }
    }

    /// A content outside the levels of a storage.
    pub(crate) fn add_loose(&mut self, path: &str, content: &[u8]) -> io::Result<()> {
        let head = content.get(..HEAD).unwrap_or(content);
        self.messages += u64::from(sniff(head) == Content::Hl7);
        let mut key = vec![LOOSE_CLASS];
        key.extend_from_slice(path.replace('/', "\u{1}").as_bytes());
        self.loose += 1;
        self.spool.add(key, content)
    }

    /// The path, unless the entry is refused or passed over.
    fn admit(&self, name: &str, sink: &mut Sink) -> Option<String> {
        let path = match clean_path(name) {
            Ok(path) => path,
            Err(kind) => {
                sink.note(kind, name);
                return None;
            }
        };
        let mut so_far = String::new();
        for part in components(&path) {
            if !so_far.is_empty() {
                so_far.push('/');
            }
            so_far.push_str(part);
            let choice = self.chosen.choice(&so_far, so_far.len() < path.len());
            if sink.leaves_out(part, choice) {
                return None;
            }
        }
        (!path.is_empty()).then_some(path)
    }

    /// Reads one journal.
    pub(crate) fn journal(
        &mut self,
        reader: &mut dyn Read,
        path: &str,
        sink: &mut Sink,
    ) -> io::Result<()> {
        self.journals += 1;
        ingest(
            reader,
            &journal_order(path),
            path,
            self.limits.max_file,
            &mut self.spool,
            sink,
            &mut self.institutions,
        )
    }

    /// Reads a zip archive. Errors are those of the spool; what is wrong with the
    /// archive is noted.
    pub(crate) fn zip<R: Read + Seek>(
        &mut self,
        reader: R,
        name: &str,
        sink: &mut Sink,
    ) -> io::Result<()> {
        let Limits {
            max_file,
            max_expansion,
        } = self.limits;
        let Ok(mut archive) = ZipReader::new(reader) else {
            sink.note(Kind::Damaged, name);
            return Ok(());
        };
        let most = archive
            .archive_size()
            .saturating_mul(max_expansion)
            .max(1 << 20);
        let mut total = 0_u64;
        let mut content = Vec::new();
        loop {
            let entry = match archive.next_entry() {
                Ok(Some(entry)) => entry,
                Ok(None) => return Ok(()),
                Err(_) => {
                    sink.note(Kind::Damaged, name);
                    return Ok(());
                }
            };
            if entry.is_folder() {
                if let Err(kind) = clean_path(&entry.name) {
                    sink.note(kind, &entry.name);
                }
                continue;
            }
            let Some(path) = self.admit(&entry.name, sink) else {
                continue;
            };
            if entry.is_link() {
                sink.note(Kind::Link, &path);
                continue;
            }
            total = total.saturating_add(entry.size);
            if total > most {
                sink.note(Kind::Expansion, name);
                return Ok(());
            }
            let parts: Vec<&str> = components(&path).collect();
            let read = if matches!(locate(&parts), Place::Journal(_)) {
                self.journals += 1;
                let mut intake = Intake::new(&journal_order(&path), &path, max_file);
                let (spool, institutions) = (&mut self.spool, &mut self.institutions);
                let read = archive.stream(&entry, max_expansion, &mut |piece| {
                    intake.push(piece, spool, sink, institutions)
                });
                intake.finish(&mut self.spool, sink, &mut self.institutions)?;
                read
            } else {
                let read = archive.read(&entry, max_file, max_expansion, &mut content);
                if read.is_ok() {
                    self.add(&path, &content, sink)?;
                }
                read
            };
            let kind = match read {
                Ok(()) => continue,
                Err(ZipError::Encrypted) => Kind::Encrypted,
                Err(ZipError::Method(_)) => Kind::Method,
                Err(ZipError::TooLarge) => Kind::TooLarge,
                Err(ZipError::Expansion) => Kind::Expansion,
                Err(_) => Kind::Damaged,
            };
            sink.note(kind, &path);
            self.add_unread(&path, sink)?;
        }
    }

    /// Reads a tar archive, as [`Archive::zip`] does.
    pub(crate) fn tar(
        &mut self,
        reader: &mut dyn Read,
        name: &str,
        sink: &mut Sink,
    ) -> io::Result<()> {
        let ended = Cell::new(false);
        let mut archive = tar::Archive::new(Ending {
            inner: reader,
            ended: &ended,
        });
        let entries = match archive.entries() {
            // Raw: long names are read here, with a limit.
            Ok(entries) => entries.raw(true),
            Err(error) => {
                note_error(&error, name, sink);
                return Ok(());
            }
        };
        let mut long_name: Option<Vec<u8>> = None;
        let mut content = Vec::new();
        for entry in entries {
            let mut entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    note_error(&error, name, sink);
                    return Ok(());
                }
            };
            let kind = entry.header().entry_type();
            if kind.is_gnu_longname() || kind.is_pax_local_extensions() {
                let mut header = Vec::new();
                if let Err(error) = entry.by_ref().take(64 << 10).read_to_end(&mut header) {
                    note_error(&error, name, sink);
                    return Ok(());
                }
                if kind.is_gnu_longname() {
                    let end = header.iter().position(|b| *b == 0).unwrap_or(header.len());
                    header.truncate(end);
                    long_name = Some(header);
                } else if let Some(path) = pax_path(&header) {
                    long_name = Some(path.to_vec());
                }
                continue;
            }
            if kind.is_pax_global_extensions() || kind.is_gnu_longlink() {
                continue;
            }
            let raw = long_name
                .take()
                .unwrap_or_else(|| entry.header().path_bytes().into_owned());
            let (entry_name, decoded) = match String::from_utf8(raw) {
                Ok(name) => (name, false),
                Err(error) => (foreign_name(error.as_bytes()), true),
            };
            if kind.is_dir() {
                if let Err(kind) = clean_path(&entry_name) {
                    sink.note(kind, &entry_name);
                }
                continue;
            }
            let Some(path) = self.admit(&entry_name, sink) else {
                continue;
            };
            if decoded {
                sink.note(Kind::NameNotUtf8, &path);
            }
            if kind.is_symlink() || kind.is_hard_link() {
                sink.note(Kind::Link, &path);
                continue;
            }
            if kind.is_gnu_sparse() {
                sink.note(Kind::Method, &path);
                self.add_unread(&path, sink)?;
                continue;
            }
            if !kind.is_file() && !kind.is_contiguous() {
                sink.note(Kind::SpecialFile, &path);
                continue;
            }
            let parts: Vec<&str> = components(&path).collect();
            if matches!(locate(&parts), Place::Journal(_)) {
                let mut failed = Failing::new(&mut entry);
                self.journal(&mut failed, &path, sink)?;
                if let Some(error) = failed.error {
                    note_error(&error, &path, sink);
                    return Ok(());
                }
                continue;
            }
            if entry.size() > self.limits.max_file {
                sink.note(Kind::TooLarge, &path);
                self.add_unread(&path, sink)?;
                continue;
            }
            content.clear();
            let size = entry.size();
            match entry.read_to_end(&mut content) {
                Ok(read) if u64::try_from(read).is_ok_and(|read| read == size) => {
                    self.add(&path, &content, sink)?;
                }
                Ok(_) => {
                    sink.note(Kind::Damaged, &path);
                    return self.add_unread(&path, sink);
                }
                Err(error) => {
                    note_error(&error, &path, sink);
                    return self.add_unread(&path, sink);
                }
            }
        }
        // A block of zeros ends an archive (POSIX pax, ustar): without it the archive is cut.
        if ended.get() {
            sink.note(Kind::Damaged, name);
        }
        Ok(())
    }

    /// Reads a stream of any content; zip archives, which must be sought, are not read
    /// here.
    pub(crate) fn stream(
        &mut self,
        reader: &mut dyn Read,
        name: &str,
        packed: bool,
        sink: &mut Sink,
    ) -> io::Result<()> {
        let mut head = vec![0; HEAD];
        let mut filled = 0;
        while let Some(room) = head.get_mut(filled..).filter(|room| !room.is_empty()) {
            match reader.read(room) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if packed => {
                    note_error(&error, name, sink);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        head.truncate(filled);
        let content = content_of(name, &head);
        let mut whole = head.as_slice().chain(reader);
        match content {
            Content::Gzip | Content::Zstd if !packed => {
                let count = Rc::new(Cell::new(0));
                let counted = BufReader::new(Counting {
                    inner: whole,
                    count: Rc::clone(&count),
                });
                let decoder: Box<dyn Read + '_> = if content == Content::Gzip {
                    Box::new(flate2::bufread::MultiGzDecoder::new(counted))
                } else {
                    Box::new(zstd::stream::read::Decoder::with_buffer(counted)?)
                };
                let mut guard = Guard {
                    decoder,
                    packed: count,
                    out: 0,
                    max_expansion: self.limits.max_expansion,
                };
                self.stream(&mut guard, name, true, sink)
            }
            Content::Tar => self.tar(&mut whole, name, sink),
            Content::Journal => {
                let mut failing = Failing::new(&mut whole);
                self.journal(&mut failing, name, sink)?;
                if let Some(error) = failing.error {
                    note_error(&error, name, sink);
                }
                Ok(())
            }
            Content::Zip | Content::Gzip | Content::Zstd => {
                sink.note(Kind::NestedArchive, name);
                Ok(())
            }
            _ => {
                let limit = self.limits.max_file;
                let mut bytes = Vec::new();
                if let Err(error) = whole.take(limit.saturating_add(1)).read_to_end(&mut bytes) {
                    note_error(&error, name, sink);
                    return Ok(());
                }
                if u64::try_from(bytes.len()).is_ok_and(|length| length <= limit) {
                    self.add_loose(name, &bytes)
                } else {
                    sink.note(Kind::TooLarge, name);
                    Ok(())
                }
            }
        }
    }
}

/// Tells errors of the reader from those of the spool: the reader's end the stream and
/// are kept.
struct Failing<'r> {
    reader: &'r mut dyn Read,
    error: Option<io::Error>,
}

impl<'r> Failing<'r> {
    fn new(reader: &'r mut dyn Read) -> Self {
        Self {
            reader,
            error: None,
        }
    }
}

impl Read for Failing<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.reader.read(out) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.error = Some(error);
                Ok(0)
            }
            other => other,
        }
    }
}

/// Value of `path` in a pax header: records `length key=value\n`.
fn pax_path(header: &[u8]) -> Option<&[u8]> {
    let mut rest = header;
    let mut path = None;
    while let Some(space) = rest.iter().position(|b| *b == b' ') {
        let length: usize = core::str::from_utf8(rest.get(..space)?)
            .ok()?
            .parse()
            .ok()?;
        let record = rest.get(space + 1..length.checked_sub(1)?)?;
        if let Some(value) = record.strip_prefix(b"path=") {
            path = Some(value);
        }
        rest = rest.get(length..)?;
    }
    path
}
