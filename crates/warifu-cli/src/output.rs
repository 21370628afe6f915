//! Where results go: stdout, or a folder with commit markers.

use std::borrow::Cow;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use warifu_convert::shared::{Better, Ledger, Log, Settled};

use crate::state::{self, Commit, Header, Totals};

/// What one job gives.
#[derive(Debug, Default)]
pub(crate) struct Piece {
    /// Digest of the job's input.
    pub(crate) input: String,
    /// Whole files: relative path, content.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// Lines for appended files: file name, content.
    pub(crate) lines: Vec<(String, Vec<u8>)>,
    /// Lines of `trace.ndjson`.
    pub(crate) trace: Spill,
    /// Shared resources: each is written once, when all forms of it are known.
    pub(crate) shared: Vec<Shared>,
    /// Whether the files are Bundles, which get what is known by now of the resources they share.
    pub(crate) bundles: bool,
    /// Counts.
    pub(crate) totals: Totals,
}

/// A resource that many patients have.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The resource.
    pub(crate) json: Vec<u8>,
    /// Lines of its trace.
    pub(crate) trace: Vec<u8>,
}

impl Piece {
    /// Gives files whose name an earlier result has another one.
    fn distinct(&mut self, names: &mut Names) -> std::io::Result<()> {
        for (name, _) in &mut self.files {
            let own = names.distinct(name);
            if own != *name {
                let trace = std::mem::take(&mut self.trace);
                self.trace = trace.renamed(name, &own)?;
                *name = own;
            }
        }
        Ok(())
    }
    /// Takes the shared resources to what is known of them, and to the Bundles what is known by now;
    /// counts those that are new.
    pub(crate) fn share<L: Log<Error = std::io::Error>>(
        &mut self,
        ledger: &mut Ledger,
        log: &mut L,
    ) -> std::io::Result<()> {
        for Shared { json, trace } in std::mem::take(&mut self.shared) {
            if ledger.offer(log, &json, &trace)?.first {
                let (resource_type, _) = warifu_convert::type_and_id(&json);
                let count = self.totals.resources.entry(resource_type.to_owned());
                *count.or_insert(0) += 1;
            }
        }
        for (name, bytes) in self.files.iter_mut().filter(|_| self.bundles) {
            let Some(better) = ledger.bundle(log, bytes)? else {
                continue;
            };
            if !better.replaced.is_empty() {
                // What is from an earlier Bundle has its lines there.
                let trace = std::mem::take(&mut self.trace);
                self.trace = trace.without(name, &better)?;
            }
            *bytes = better.json;
        }
        Ok(())
    }
}

/// A name as a path below the folder of results. Everything that is written, opened or removed there by a
/// name comes through here: one that leads elsewhere is refused.
fn below(dir: &Path, name: &str) -> std::io::Result<PathBuf> {
    let path = Path::new(name);
    let plain = |part| matches!(part, Component::Normal(_));
    if name.is_empty() || !path.components().all(plain) {
        return Err(std::io::Error::other(format!("{name:?}: no plain name")));
    }
    Ok(dir.join(path))
}

/// An error of the system with the path it is about.
fn of_path(path: &Path, error: &std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Names of whole files of a run, by hashes of how a file system that knows no cases has them.
#[derive(Debug, Default)]
struct Names(BTreeSet<[u8; 16]>);

impl Names {
    /// Whether a name is new.
    fn take(&mut self, name: &str) -> bool {
        let hash = Sha256::digest(name.to_lowercase().as_bytes());
        let short = hash.first_chunk::<16>().copied();
        short.is_some_and(|short| self.0.insert(short))
    }
    /// The name, with a number if an earlier result has it.
    fn distinct(&mut self, name: &str) -> String {
        let mut own = name.to_owned();
        let mut number = 1_u32;
        while !self.take(&own) {
            number += 1;
            own = match name.rsplit_once('.') {
                Some((stem, extension)) => format!("{stem}-{number}.{extension}"),
                None => format!("{name}-{number}"),
            };
        }
        own
    }
}

/// Of a line of a trace what place of the output it is of.
#[derive(Deserialize)]
struct Place<'l> {
    #[serde(borrow, default)]
    output: Cow<'l, str>,
    #[serde(borrow, default)]
    pointer: Cow<'l, str>,
}

/// Lines that may be many times as long as the message they are about: beyond a few megabytes they
/// wait in a file without name, in the folder of results.
#[derive(Debug, Default)]
pub(crate) struct Spill {
    bytes: Vec<u8>,
    file: Option<File>,
    dir: Option<PathBuf>,
}

impl Spill {
    /// How much of it stays in memory.
    const MOST: usize = 4 << 20;

    /// Empty; `dir` is where a file is made if need be.
    pub(crate) fn new(dir: Option<&Path>) -> Self {
        Self {
            dir: dir.map(Path::to_path_buf),
            ..Self::default()
        }
    }
    /// To be written to; call [`Spill::settle`] after each line.
    pub(crate) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
    /// Moves what has become too much out of memory.
    pub(crate) fn settle(&mut self) -> std::io::Result<()> {
        let Some(dir) = self.dir.as_ref().filter(|_| self.bytes.len() > Self::MOST) else {
            return Ok(());
        };
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(dir)?),
        };
        file.write_all(&self.bytes)?;
        self.bytes.clear();
        Ok(())
    }
    /// Adds text.
    pub(crate) fn add(&mut self, text: &[u8]) -> std::io::Result<()> {
        self.bytes.extend_from_slice(text);
        self.settle()
    }
    fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.file.is_none()
    }
    /// Without the lines of what an output has from others.
    fn without(self, output: &str, better: &Better) -> std::io::Result<Self> {
        self.changed(|line, kept| {
            let place: Option<Place<'_>> = serde_json::from_slice(line).ok();
            let replaced =
                |place: Place<'_>| place.output == output && better.replaces(&place.pointer);
            if place.is_some_and(replaced) {
                return Ok(());
            }
            kept.add(line)
        })
    }
    /// With another name of an output.
    fn renamed(self, output: &str, name: &str) -> std::io::Result<Self> {
        let member = |name| serde_json::to_string(name).map(|name| format!("\"output\":{name}"));
        let (from, to) = (member(output)?, member(name)?);
        self.changed(|line, kept| {
            // Quotes of a value are escaped, so that none of it looks like a member.
            kept.add(
                String::from_utf8_lossy(line)
                    .replacen(&from, &to, 1)
                    .as_bytes(),
            )
        })
    }
    /// What becomes of each line.
    fn changed(
        self,
        mut put: impl FnMut(&[u8], &mut Self) -> std::io::Result<()>,
    ) -> std::io::Result<Self> {
        let mut kept = Self::new(self.dir.as_deref());
        let mut line = Vec::new();
        self.each(|piece| {
            for part in piece.split_inclusive(|&b| b == b'\n') {
                line.extend_from_slice(part);
                if line.ends_with(b"\n") {
                    put(&line, &mut kept)?;
                    line.clear();
                }
            }
            Ok(())
        })?;
        Ok(kept)
    }
    /// Gives all of it, piece by piece.
    pub(crate) fn each(
        mut self,
        mut put: impl FnMut(&[u8]) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        if let Some(file) = &mut self.file {
            file.rewind()?;
            let mut piece = vec![0; 1 << 16];
            loop {
                let n = file.read(&mut piece)?;
                if n == 0 {
                    break;
                }
                put(piece.get(..n).unwrap_or_default())?;
            }
        }
        put(&self.bytes)
    }
}

/// A log that nobody keeps: beyond a few megabytes it is in a file without name.
#[derive(Debug, Default)]
pub(crate) struct Unkept {
    /// What is in the file.
    written: u64,
    file: Option<File>,
    /// What is behind it.
    bytes: Vec<u8>,
}

impl Log for Unkept {
    type Error = std::io::Error;
    fn append(&mut self, bytes: &[u8]) -> std::io::Result<u64> {
        if self.bytes.len() > Spill::MOST {
            let file = match &mut self.file {
                Some(file) => file,
                none => none.insert(tempfile::tempfile()?),
            };
            file.seek(SeekFrom::Start(self.written))?;
            file.write_all(&self.bytes)?;
            self.written += as_u64(self.bytes.len());
            self.bytes.clear();
        }
        let at = self.written + as_u64(self.bytes.len());
        self.bytes.extend_from_slice(bytes);
        Ok(at)
    }
    fn read(&mut self, at: u64, length: u64) -> std::io::Result<Vec<u8>> {
        match (at.checked_sub(self.written), &mut self.file) {
            (None, Some(file)) => read_at(file, at, length),
            (at, _) => Ok(self
                .bytes
                .read(at.unwrap_or_default(), length)
                .unwrap_or_default()),
        }
    }
}

fn read_at(file: &mut File, at: u64, length: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    // Not as much memory as a damaged file says, but as it has.
    file.take(length).read_to_end(&mut bytes)?;
    if as_u64(bytes.len()) < length {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

fn as_u64(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// Makes files durable while others are written: what the end has to wait for is then little.
struct Ahead {
    files: Option<mpsc::SyncSender<Vec<File>>>,
    thread: Option<std::thread::JoinHandle<std::io::Result<()>>>,
    /// Bytes since the last time.
    since: usize,
}

impl Ahead {
    /// After how many bytes the system is asked again.
    const EVERY: usize = 32 << 20;

    fn new() -> Self {
        Self {
            files: None,
            thread: None,
            since: 0,
        }
    }
    /// `written` bytes more; `files` are asked for when it is time.
    fn written(
        &mut self,
        written: usize,
        files: impl FnOnce() -> std::io::Result<Vec<File>>,
    ) -> std::io::Result<()> {
        self.since += written;
        if self.since < Self::EVERY {
            return Ok(());
        }
        self.since = 0;
        if self.files.is_none() {
            let (give, take) = mpsc::sync_channel::<Vec<File>>(0);
            self.files = Some(give);
            self.thread = Some(std::thread::spawn(move || {
                for files in take {
                    for file in files {
                        file.sync_data()?;
                    }
                }
                Ok(())
            }));
        }
        if let Some(give) = &self.files {
            // Who is still busy with the last ones is not waited for.
            let _ = give.try_send(files()?);
        }
        Ok(())
    }
    /// Waits for what is under way; an error there is one of these files.
    fn finish(&mut self) -> std::io::Result<()> {
        self.files = None;
        match self.thread.take().map(std::thread::JoinHandle::join) {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(error)) => error,
            Some(Err(_)) => Err(std::io::Error::other("sync")),
        }
    }
}

/// A folder of results.
pub(crate) struct Folder {
    state: state::Writer,
    grown: Grown,
    ledger: Ledger,
    /// Names of whole files that were given so far.
    names: Names,
    /// What an earlier run committed.
    earlier: state::Earlier,
    next: usize,
    /// Whether the earlier run has been left behind (its first difference was met).
    diverged: bool,
    pub(crate) totals: Totals,
    since_sync: std::time::Instant,
    /// Whether there were files that no run of ours made.
    others: bool,
    /// Files that are made when all is known.
    last: BTreeMap<String, Appended>,
    /// Held as long as the folder is written.
    _lock: File,
}

/// Files that grow from job to job.
struct Grown {
    dir: PathBuf,
    appended: BTreeMap<String, Appended>,
    /// What is committed, or about to be.
    lengths: BTreeMap<String, u64>,
    ahead: Ahead,
    /// The log of shared resources, to be read.
    log: Option<File>,
}

/// Name of the file with the trace.
const TRACE: &str = "trace.ndjson";
/// Name of the log of shared resources.
const SHARED_LOG: &str = ".warifu-shared";
/// Name of the file that a run locks.
const LOCK: &str = ".warifu-lock";
/// Name of the file that tells that all others are whole.
const MANIFEST: &str = "manifest.json";
/// What its member `format` says.
pub(crate) const MANIFEST_FORMAT: &str = "warifu.manifest/1";

/// Where a file stands until it is whole.
pub(crate) fn part_of(path: &Path) -> PathBuf {
    let mut part = path.to_path_buf().into_os_string();
    part.push(".part");
    part.into()
}

/// A file that grows from job to job.
struct Appended {
    writer: BufWriter<File>,
    /// Digest of all that is in it: reading it again at the end would take as long as writing it.
    hash: Sha256,
}

impl Appended {
    fn new(file: File, hash: Sha256) -> Self {
        Self {
            writer: BufWriter::with_capacity(1 << 16, file),
            hash,
        }
    }
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.hash.update(bytes);
        self.writer.write_all(bytes)
    }
}

/// Why a folder cannot be used.
#[derive(Debug)]
pub(crate) enum FolderError {
    /// Made with other options or another version: their names.
    Other(Vec<String>),
    /// Another run writes into it.
    InUse,
    /// The system refused.
    Io(std::io::Error),
}

impl From<std::io::Error> for FolderError {
    fn from(e: std::io::Error) -> Self {
        Self::Io(e)
    }
}

impl Folder {
    /// Opens a folder, fresh or to go on.
    pub(crate) fn open(dir: &Path, header: &Header, fresh: bool) -> Result<Self, FolderError> {
        std::fs::create_dir_all(dir)?;
        // A file of its own: where locks bind, the state could not be written by a second handle.
        let lock = File::create(dir.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FolderError::InUse),
            // Where the file system has no locks there is none.
            Err(TryLockError::Error(e)) if e.kind() == std::io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(e)) => return Err(e.into()),
        }
        let earlier = if fresh { None } else { state::read(dir)? };
        let others = earlier.is_none() && !fresh && walk(dir)?.iter().any(|name| name != LOCK);
        let (state, earlier) = match earlier {
            Some((h, _)) if h != *header => return Err(FolderError::Other(h.differences(header))),
            Some((_, e)) => {
                let length = e.ends.last().copied().unwrap_or(e.header_end);
                (state::Writer::resume(dir, length)?, e)
            }
            None => {
                if fresh {
                    clean(dir);
                }
                (
                    state::Writer::create(dir, header)?,
                    state::Earlier::default(),
                )
            }
        };
        Ok(Self {
            state,
            grown: Grown {
                dir: dir.to_owned(),
                appended: BTreeMap::new(),
                lengths: BTreeMap::new(),
                ahead: Ahead::new(),
                log: None,
            },
            ledger: Ledger::default(),
            names: Names::default(),
            diverged: earlier.commits.is_empty(),
            earlier,
            next: 0,
            totals: Totals::default(),
            since_sync: std::time::Instant::now(),
            others,
            last: BTreeMap::new(),
            _lock: lock,
        })
    }
    /// Whether the next job was committed by an earlier run with the same input; then it is counted
    /// and skipped.
    pub(crate) fn skip(&mut self, input: &str) -> Result<bool, std::io::Error> {
        if self.diverged {
            return Ok(false);
        }
        let kept = self.earlier.commits.get(..self.earlier.whole);
        match kept.and_then(|kept| kept.get(self.next)) {
            Some(c) if c.input == input => {
                self.totals.add(&c.totals);
                for (k, v) in &c.lengths {
                    self.grown.lengths.insert(k.clone(), *v);
                }
                for name in c.written.keys() {
                    self.names.take(name);
                }
                self.next += 1;
                Ok(true)
            }
            _ => {
                self.diverge()?;
                Ok(false)
            }
        }
    }
    /// Inputs of the earlier run's jobs: what is among them need most likely not be converted.
    pub(crate) fn earlier_inputs(&self) -> BTreeSet<String> {
        let kept = self.earlier.commits.iter().take(self.earlier.whole);
        kept.map(|c| c.input.clone()).collect()
    }
    /// Whether there were files that no run of ours made.
    pub(crate) fn has_others(&self) -> bool {
        self.others
    }
    /// How many jobs of the earlier run are done again since something of what they wrote is gone.
    pub(crate) fn lost(&self) -> usize {
        self.earlier.commits.len() - self.earlier.whole
    }
    /// Leaves the earlier run: files and state are cut back to the last job that is kept.
    fn diverge(&mut self) -> Result<(), std::io::Error> {
        if self.diverged {
            return Ok(());
        }
        self.diverged = true;
        let dir = &self.grown.dir;
        for c in self.earlier.commits.iter().skip(self.next) {
            for name in c.written.keys() {
                let _ = std::fs::remove_file(below(dir, name)?);
            }
        }
        // What an earlier run ended is no longer whole.
        remove(&dir.join(MANIFEST))?;
        for name in shared_files() {
            remove(&part_of(&dir.join(&name)))?;
            remove(&dir.join(name))?;
        }
        let grown = self.earlier.commits.iter().flat_map(|c| c.lengths.keys());
        let grown: BTreeSet<String> = grown.cloned().collect();
        for name in &grown {
            self.grown.reopen(name)?;
        }
        let end = self
            .next
            .checked_sub(1)
            .and_then(|n| self.earlier.ends.get(n))
            .copied()
            .unwrap_or(self.earlier.header_end);
        self.state = state::Writer::resume(&self.grown.dir, end)?;
        self.ledger = self.grown.ledger()?;
        Ok(())
    }
    /// Writes and commits one job.
    pub(crate) fn put(&mut self, mut piece: Piece) -> Result<(), std::io::Error> {
        if self.skip(&piece.input)? {
            return Ok(());
        }
        piece.distinct(&mut self.names)?;
        let mut grown = BTreeSet::new();
        let logged = self.grown.lengths.get(SHARED_LOG).copied();
        piece.share(&mut self.ledger, &mut self.grown)?;
        if self.grown.lengths.get(SHARED_LOG).copied() != logged {
            grown.insert(SHARED_LOG.to_owned());
        }
        for (name, bytes) in &piece.lines {
            if !bytes.is_empty() {
                self.grown.append(name, bytes)?;
                grown.insert(name.clone());
            }
        }
        if !piece.trace.is_empty() {
            let trace = |bytes: &[u8]| self.grown.append(TRACE, bytes);
            piece.trace.each(trace)?;
            grown.insert(TRACE.to_owned());
        }
        let mut written = BTreeMap::new();
        for (name, bytes) in &piece.files {
            self.whole(name, bytes)?;
            written.insert(name.clone(), as_u64(bytes.len()));
        }
        let lengths = grown
            .into_iter()
            .filter_map(|n| self.grown.lengths.get(&n).map(|l| (n.clone(), *l)))
            .collect();
        self.totals.add(&piece.totals);
        // The marker follows the data: flush what it counts first.
        for a in self.grown.appended.values_mut() {
            a.writer.flush()?;
        }
        self.state.commit(&Commit {
            input: piece.input,
            totals: piece.totals,
            lengths,
            written,
        })?;
        if self.since_sync.elapsed().as_secs() >= 5 {
            self.sync()?;
        }
        Ok(())
    }
    /// Writes a file of its own: `.part`, durable, renamed.
    fn whole(&self, name: &str, bytes: &[u8]) -> Result<(), std::io::Error> {
        let path = below(&self.grown.dir, name)?;
        let write = || {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            let part = part_of(&path);
            let mut file = File::create(&part)?;
            file.write_all(bytes)?;
            file.sync_data()?;
            drop(file);
            std::fs::rename(&part, &path)
        };
        write().map_err(|e| of_path(&path, &e))
    }
    /// Makes everything written so far durable.
    pub(crate) fn sync(&mut self) -> Result<(), std::io::Error> {
        self.grown.ahead.finish()?;
        for a in self
            .grown
            .appended
            .values_mut()
            .chain(self.last.values_mut())
        {
            a.writer.flush()?;
            a.writer.get_ref().sync_data()?;
        }
        self.state.sync()?;
        self.since_sync = std::time::Instant::now();
        Ok(())
    }
    /// At the end of a complete run: cuts what an earlier run had beyond, and gives the shared resources; as
    /// `lines` they are written, and their trace.
    pub(crate) fn settle(
        &mut self,
        lines: bool,
        mut put: impl FnMut(&Settled<'_>),
    ) -> Result<(), std::io::Error> {
        if !self.diverged {
            if self.next < self.earlier.commits.len() {
                self.diverge()?;
            } else {
                self.ledger = self.grown.ledger()?;
            }
        }
        let (grown, last) = (&mut self.grown, &mut self.last);
        let dir = grown.dir.clone();
        let mut trace = Spill::new(Some(&dir));
        self.ledger.settle(grown, |settled| {
            put(settled);
            if !lines {
                return Ok(());
            }
            let name = format!("{}.ndjson", settled.resource_type);
            let file = match last.entry(name) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let file = File::create(part_of(&dir.join(new.key())))?;
                    new.insert(Appended::new(file, Sha256::new()))
                }
            };
            file.write(settled.json)?;
            file.write(b"\n")?;
            trace.add(settled.trace)
        })?;
        if !trace.is_empty() {
            // Not counted in `lengths`: a later run cuts it off again.
            let file = grown.writer(TRACE)?;
            trace.each(|bytes| file.write(bytes))?;
        }
        Ok(())
    }
    /// Ends a run that was settled: gives the files that grew their names, writes the manifest.
    pub(crate) fn finish(
        &mut self,
        last_lines: &[(String, Vec<u8>)],
        manifest: &serde_json::Value,
    ) -> Result<(), std::io::Error> {
        for (name, length) in self.grown.lengths.clone() {
            let ended = std::fs::metadata(self.grown.dir.join(&name)).map(|m| m.len());
            if self.grown.appended.contains_key(&name) || ended.ok() != Some(length) {
                self.grown.writer(&name)?;
            }
        }
        for (name, bytes) in last_lines {
            // Not counted in `lengths`, either.
            self.grown.writer(name)?.write(bytes)?;
        }
        self.sync()?;
        let appended = std::mem::take(&mut self.grown.appended).into_iter();
        let appended = appended.chain(std::mem::take(&mut self.last));
        // Closed first: an open file has its name for good on some systems.
        let hashes: BTreeMap<String, Sha256> = appended.map(|(n, a)| (n, a.hash)).collect();
        self.grown.log = None;
        let dir = &self.grown.dir;
        for name in hashes.keys() {
            let path = dir.join(name);
            std::fs::rename(part_of(&path), path)?;
        }
        // What an earlier run had and this one has not.
        for c in &self.earlier.commits {
            for name in c.lengths.keys() {
                if !self.grown.lengths.contains_key(name) {
                    remove(&part_of(&below(dir, name)?))?;
                }
            }
        }
        let mut manifest = manifest.clone();
        let mut files = serde_json::Map::new();
        for name in walk(dir)? {
            if [state::FILE, LOCK, MANIFEST, SHARED_LOG].contains(&name.as_str()) {
                continue;
            }
            let hash = match hashes.get(&name) {
                Some(hash) => hash.clone(),
                None => hash_of(&mut File::open(dir.join(&name))?)?,
            };
            files.insert(name, serde_json::Value::String(hex(&hash.finalize())));
        }
        if let Some(o) = manifest.as_object_mut() {
            o.insert("files".to_owned(), serde_json::Value::Object(files));
        }
        let mut text = serde_json::to_vec_pretty(&manifest)?;
        text.push(b'\n');
        self.whole(MANIFEST, &text)?;
        // Names are durable with their folder, where a folder can be opened.
        #[cfg(unix)]
        File::open(&self.grown.dir)?.sync_all()?;
        Ok(())
    }
}

impl Grown {
    /// What is known of shared resources by what is committed.
    fn ledger(&mut self) -> Result<Ledger, std::io::Error> {
        let end = self.lengths.get(SHARED_LOG).copied().unwrap_or(0);
        Ledger::restore(self, end)
    }
    /// Where a file that grows is written; what an earlier run ended goes there.
    fn reopen(&self, name: &str) -> Result<PathBuf, std::io::Error> {
        let path = below(&self.dir, name)?;
        let part = part_of(&path);
        if !part.exists() && path.exists() {
            std::fs::rename(&path, &part)?;
        }
        Ok(part)
    }
    fn writer(&mut self, name: &str) -> Result<&mut Appended, std::io::Error> {
        if !self.appended.contains_key(name) {
            let path = self.reopen(name)?;
            let mut file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .read(true)
                .write(true)
                .open(&path)?;
            let length = self.lengths.get(name).copied().unwrap_or(0);
            file.set_len(length)?;
            // What an earlier run left is read once, which ends where writing goes on.
            let hash = hash_of(&mut file)?;
            self.appended
                .insert(name.to_owned(), Appended::new(file, hash));
        }
        self.appended
            .get_mut(name)
            .ok_or_else(|| std::io::Error::other("writer"))
    }
    fn append(&mut self, name: &str, bytes: &[u8]) -> Result<(), std::io::Error> {
        let written = self.writer(name).and_then(|file| file.write(bytes));
        written.map_err(|e| of_path(&self.dir.join(name), &e))?;
        *self.lengths.entry(name.to_owned()).or_insert(0) += as_u64(bytes.len());
        let appended = &self.appended;
        self.ahead.written(bytes.len(), || {
            let files = appended.values().map(|a| a.writer.get_ref().try_clone());
            files.collect()
        })
    }
}

impl Log for Grown {
    type Error = std::io::Error;
    fn append(&mut self, bytes: &[u8]) -> std::io::Result<u64> {
        let at = self.lengths.get(SHARED_LOG).copied().unwrap_or(0);
        Self::append(self, SHARED_LOG, bytes)?;
        Ok(at)
    }
    fn read(&mut self, at: u64, length: u64) -> std::io::Result<Vec<u8>> {
        if let Some(log) = self.appended.get_mut(SHARED_LOG) {
            log.writer.flush()?;
        }
        let log = match &mut self.log {
            Some(log) => log,
            none => {
                let path = self.dir.join(SHARED_LOG);
                let part = part_of(&path);
                none.insert(File::open(if part.exists() { part } else { path })?)
            }
        };
        read_at(log, at, length)
    }
}

/// Files of resources that patients share.
fn shared_files() -> impl Iterator<Item = String> {
    let types = warifu_convert::SHARED.iter();
    types.map(|resource_type| format!("{resource_type}.ndjson"))
}

/// Removes what an earlier run of ours wrote (only what its state and manifest name).
fn clean(dir: &Path) {
    if let Ok(Some((_, earlier))) = state::read(dir) {
        for c in &earlier.commits {
            for name in c.written.keys().chain(c.lengths.keys()) {
                let Ok(path) = below(dir, name) else { continue };
                let _ = std::fs::remove_file(part_of(&path));
                let _ = std::fs::remove_file(path);
            }
        }
    }
    let last = [MANIFEST, "diagnostics.ndjson", TRACE].map(str::to_owned);
    for name in last.into_iter().chain(shared_files()) {
        let path = dir.join(name);
        let _ = std::fs::remove_file(part_of(&path));
        let _ = std::fs::remove_file(path);
    }
}

/// Removes a file if it is there.
fn remove(path: &Path) -> Result<(), std::io::Error> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

fn walk(dir: &Path) -> Result<Vec<String>, std::io::Error> {
    let mut out = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(dir.join(&folder))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = if folder.is_empty() {
                name
            } else {
                format!("{folder}/{name}")
            };
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if Path::new(&path).extension().is_none_or(|e| e != "part") {
                out.push(path);
            }
        }
    }
    out.sort_unstable();
    Ok(out)
}

/// Digest of the rest of a file.
fn hash_of(file: &mut File) -> Result<Sha256, std::io::Error> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0u8; 1 << 16];
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok(hash);
        }
        hash.update(buffer.get(..n).unwrap_or_default());
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut s = String::with_capacity(bytes.len() * 2);
    for b in bytes {
        let _ = write!(s, "{b:02x}");
    }
    s
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_for_memory_waits_in_a_file_and_comes_back_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let mut spill = Spill::new(Some(dir.path()));
        let mut want = Vec::new();
        for n in 0..300_000_u32 {
            let line = format!("{n} a line of a trace that is long enough to be one\n");
            want.extend_from_slice(line.as_bytes());
            spill.add(line.as_bytes()).unwrap();
            assert!(spill.bytes.len() <= Spill::MOST);
        }
        assert!(want.len() > 2 * Spill::MOST && !spill.is_empty());
        // It has no name that a stopped run could leave behind.
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let mut got = Vec::new();
        spill
            .each(|bytes| {
                got.extend_from_slice(bytes);
                Ok(())
            })
            .unwrap();
        assert!(got == want);
    }

    #[test]
    fn a_name_that_leads_out_of_the_folder_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["", "/x", "../x", "a/../../x", "./x", "a/.."] {
            assert!(below(dir.path(), name).is_err(), "{name}");
        }
        assert_eq!(below(dir.path(), "a/b").unwrap(), dir.path().join("a/b"));
        let header = Header {
            format: String::new(),
            version: String::new(),
            options: String::new(),
            given: BTreeMap::new(),
        };
        let mut folder = Folder::open(&dir.path().join("o"), &header, false).unwrap();
        for piece in [
            Piece {
                files: vec![("../evil.json".to_owned(), b"{}".to_vec())],
                ..Piece::default()
            },
            Piece {
                lines: vec![("../evil.ndjson".to_owned(), b"{}".to_vec())],
                ..Piece::default()
            },
        ] {
            assert!(folder.put(piece).is_err());
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn no_result_takes_the_name_of_another_and_traces_follow() {
        let mut names = Names::default();
        for (name, want) in [
            ("p/m.json", "p/m.json"),
            ("p/m.json", "p/m-2.json"),
            ("p/M.json", "p/M-3.json"),
            ("p/m-2.json", "p/m-2-2.json"),
            ("m", "m"),
            ("m", "m-2"),
        ] {
            assert_eq!(names.distinct(name), want);
        }
        let mut trace = Spill::default();
        trace
            .add(b"{\"pointer\":\"/a\",\"output\":\"m\",\"z\":1}\n")
            .unwrap();
        trace
            .add(b"{\"pointer\":\"/a\",\"output\":\"n\"}\n")
            .unwrap();
        let mut piece = Piece {
            files: vec![("m".to_owned(), Vec::new())],
            trace,
            ..Piece::default()
        };
        piece.distinct(&mut names).unwrap();
        let want = b"{\"pointer\":\"/a\",\"output\":\"m-3\",\"z\":1}\n{\"pointer\":\"/a\",\"output\":\"n\"}\n";
        assert_eq!(piece.trace.bytes, want);
    }

    #[test]
    fn a_damaged_log_is_an_error_and_no_memory() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        assert_eq!(read_at(&mut file, 2, 3).unwrap(), b"234");
        for (at, length) in [(2, 9), (2, u64::MAX), (99, 1)] {
            let e = read_at(&mut file, at, length).unwrap_err();
            assert_eq!(e.kind(), std::io::ErrorKind::UnexpectedEof);
        }
    }

    #[test]
    fn a_log_that_nobody_keeps_is_read_wherever_it_is() {
        let mut log = Unkept::default();
        let line = |n: u64| format!("{n:07} a form of a resource that many patients share\n");
        let length = as_u64(line(0).len());
        for n in 0..200_000 {
            assert_eq!(log.append(line(n).as_bytes()).unwrap(), n * length);
        }
        assert!(log.written > as_u64(Spill::MOST) && log.bytes.len() <= Spill::MOST + 99);
        let behind = log.written / length;
        for n in [0, 1, behind - 1, behind, 199_999, 5, behind + 1] {
            assert_eq!(log.read(n * length, length).unwrap(), line(n).as_bytes());
        }
        // Written after it was read it goes on where it ended.
        for n in 200_000..300_000 {
            log.append(line(n).as_bytes()).unwrap();
            if n % 997 == 0 {
                log.read(n, length).unwrap();
            }
        }
        for n in [behind, 250_000, 299_999] {
            assert_eq!(log.read(n * length, length).unwrap(), line(n).as_bytes());
        }
    }

    #[test]
    fn files_are_made_durable_ahead_and_an_error_there_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let file = File::create(dir.path().join("a")).unwrap();
        let mut ahead = Ahead::new();
        ahead.written(1, || panic!("too early")).unwrap();
        for _ in 0..3 {
            ahead
                .written(Ahead::EVERY, || Ok(vec![file.try_clone()?]))
                .unwrap();
        }
        ahead.finish().unwrap();
        ahead.finish().unwrap();
        let failed = ahead.written(Ahead::EVERY, || Err(std::io::Error::other("no handle")));
        assert!(failed.is_err());
        ahead.finish().unwrap();
    }
}
