//! Opening inputs and walking through them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use warifu_ssmix2::{InstitutionNumber, PatientKey, institution_of_root};

use crate::archive::{Archive, ITEM_CLASS, LOOSE_CLASS, Limits, content_of};
use crate::batch::{FileRef, Found, PatientBatch, Place, Source};
use crate::entry::{Entry, UNREAD};
use crate::folder::{
    Discovery, LooseFiles, NAMED_LIMIT, PatientFolder, PatientFolders, Root, discover, institution,
    list_patient, patient_of_name,
};
use crate::loose;
use crate::note::{StorageNote, StorageNoteKind as Kind};
use crate::replay::{CLASS as JOURNAL_CLASS, item_key, patient_of, replay};
use crate::sink::{Choose, Chosen, Sink, outside, outside_kind};
use crate::sniff::{Content, HEAD, sniff};
use crate::spool::{Merge, Spool};
use crate::tree::{At, FsTree, Tree, head_of};

/// Limits and choices; there is no default for a caller to forget, but
/// [`Options::standard`] has the published ones.
#[derive(Clone)]
pub struct Options {
    /// Longest file, archive entry or journal record in bytes.
    pub max_file: u64,
    /// How many times its packed length an archive may expand to.
    pub max_expansion: u64,
    /// Contents of archives and journals kept in memory, in bytes; more goes into
    /// nameless temporary files.
    pub memory_limit: u64,
    /// Folder for temporary files, `None` for the system's.
    pub temp_dir: Option<PathBuf>,
    /// Decides about each file and folder below an input; `None` takes all.
    pub choose: Option<Choose>,
}

impl Options {
    /// 64 MiB per file, 200 times, 64 MiB of memory, everything taken.
    pub fn standard() -> Self {
        Self {
            max_file: 64 << 20,
            max_expansion: 200,
            memory_limit: 64 << 20,
            temp_dir: None,
            choose: None,
        }
    }
}

/// Why an input cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No such file or folder.
    #[error("{0} not found")]
    NotFound(PathBuf),
    /// The system refused.
    #[error("{path}: {error}")]
    Io {
        /// The input.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file is gone, perhaps renamed: list the patient again with
    /// [`Storage::refresh`], once.
    #[error("the file vanished after it was listed")]
    Vanished,
    /// The file is longer than `max_file`.
    #[error("the file is longer than the limit")]
    TooLarge,
    /// The path leads through a link, or to something that is no file.
    #[error("not a plain file")]
    NotAFile,
    /// Left out of its archive or journal, which a [`StorageNote`] of the walk says. Its name counts all
    /// the same where the version in force is chosen.
    #[error("the file was left out of its archive")]
    LeftOut,
    /// The system refused.
    #[error("reading failed")]
    Io(#[from] io::Error),
}

impl ReadError {
    /// Stable name, e.g. `too-large`.
    pub const fn slug(&self) -> &'static str {
        match self {
            Self::Vanished => "vanished",
            Self::TooLarge => "too-large",
            Self::NotAFile => "special-file",
            Self::LeftOut => "left-out",
            Self::Io(_) => "file-unreadable",
        }
    }
}

pub(crate) enum Input<T> {
    Folder {
        tree: T,
        name: String,
        found: Discovery,
    },
    Spool {
        spool: Spool,
        /// Name of the root when the levels begin at the top.
        name: String,
        items: u64,
        journals: u64,
        loose: u64,
        /// Messages among the loose files.
        messages: u64,
        /// Files beside the storage whose names are those of items, by the patients of the names.
        strays: Vec<(String, Entry)>,
    },
    /// A file given by name.
    File { path: PathBuf },
}

impl<T: Tree> Input<T> {
    /// Whether it holds a storage or journals.
    fn is_storage(&self) -> bool {
        match self {
            Self::Folder { found, .. } => !found.roots.is_empty(),
            Self::Spool {
                items, journals, ..
            } => items + journals > 0,
            Self::File { .. } => false,
        }
    }

    /// Whether there is a message among the loose files.
    fn has_messages(&self) -> bool {
        match self {
            Self::Folder { tree, .. } => {
                let (mut files, mut quiet) = (LooseFiles::new(), Sink::default());
                let source = Source { input: 0 };
                std::iter::from_fn(|| files.next(tree, source, &mut quiet))
                    .any(|(_, content)| content == Content::Hl7)
            }
            Self::Spool { messages, .. } => *messages > 0,
            Self::File { path } => head_of(path).is_ok_and(|head| sniff(&head) == Content::Hl7),
        }
    }
}

/// One or several inputs, read as one storage.
///
/// Reading takes `&self`: threads may read files of one storage at once.
pub struct Storage {
    pub(crate) inner: Inner<FsTree>,
}

pub(crate) struct Inner<T> {
    pub(crate) inputs: Vec<Input<T>>,
    options: Options,
    /// Findings of opening.
    notes: Vec<StorageNote>,
    skipped: u64,
    unrecognised: u64,
    /// First paths of the unrecognised files of archives.
    beside: Vec<String>,
    institutions: BTreeSet<InstitutionNumber>,
}

/// Opens one input: a folder, a file, an archive or a journal; told by its content.
///
/// # Errors
/// [`OpenError`]; what is wrong *inside* is told by [`Storage::walk`].
pub fn open(path: &Path, options: &Options) -> Result<Storage, OpenError> {
    Storage::open_all(&[path], options)
}

impl Storage {
    /// Opens several inputs, whose patients are merged (volumes of one institution).
    ///
    /// # Errors
    /// [`OpenError`] for the first input that cannot be opened.
    pub fn open_all(paths: &[&Path], options: &Options) -> Result<Self, OpenError> {
        let mut inner = Inner::new(options);
        for path in paths {
            inner.open(path).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => OpenError::NotFound(path.to_path_buf()),
                _ => OpenError::Io {
                    path: path.to_path_buf(),
                    error,
                },
            })?;
        }
        Ok(Self { inner })
    }

    /// Reads a stream such as standard input to its end: message, journal, tar, gzip,
    /// Zstandard or zip. `name` is the path a single message gets (`--stdin-name`).
    ///
    /// # Errors
    /// Those of the reader and of temporary files.
    pub fn from_reader(
        reader: &mut dyn Read,
        name: &str,
        options: &Options,
    ) -> Result<Self, io::Error> {
        let mut inner = Inner::new(options);
        inner.read_stream(reader, name)?;
        Ok(Self { inner })
    }

    /// Walks through the inputs: patients in the order of their ids, then loose files,
    /// then counts. May be repeated; only directory listings are read again.
    pub fn walk(&self) -> Walk<'_> {
        Walk(Stream::new(&self.inner))
    }

    /// The same walk with the patients' files not listed yet: listing, which is most of the work of
    /// a walk, may then run in several threads.
    pub fn steps(&self) -> Steps<'_> {
        Steps {
            stream: Stream::new(&self.inner),
            together: None,
            ready: VecDeque::new(),
        }
    }

    /// The same with the loose messages of each person together, as a [`PatientBatch`] that
    /// [`PatientBatch::is_loose`]; a person with one file of messages that is in force by its name has it by
    /// itself. Reads every loose message once to know whose it is.
    pub fn steps_together(&self) -> Steps<'_> {
        Steps {
            together: Some(self),
            ..self.steps()
        }
    }

    /// Everything of [`Storage::steps_together`], listed.
    pub fn walk_together(&self) -> impl Iterator<Item = Found> + '_ {
        let mut steps = self.steps_together();
        let mut ready: VecDeque<Found> = VecDeque::new();
        std::iter::from_fn(move || {
            loop {
                if let Some(found) = ready.pop_front() {
                    return Some(found);
                }
                match steps.next() {
                    Some(Step::Found(found)) => return Some(found),
                    Some(Step::Patient(patient)) => {
                        let listed = patient.list();
                        steps.passed_over(listed.skipped);
                        ready.extend(listed.found);
                    }
                    None => {
                        let counts = steps.counts();
                        if counts.is_empty() {
                            return None;
                        }
                        ready.extend(counts.into_iter().map(Found::Note));
                    }
                }
            }
        })
    }

    pub(crate) fn max_file(&self) -> u64 {
        self.inner.options.max_file
    }

    /// Calls `take` for each patient; loose files and findings are passed over.
    pub fn for_each_patient(&self, mut take: impl FnMut(PatientBatch)) {
        for found in self.walk() {
            if let Found::Patient(batch) = found {
                take(batch);
            }
        }
    }

    /// Institution numbers met in the names of roots and the headers of journals. One
    /// number: the institution of the storage.
    pub fn institutions(&self) -> &BTreeSet<InstitutionNumber> {
        &self.inner.institutions
    }

    /// Whether any input holds a storage (or journals) rather than loose files.
    pub fn has_storage(&self) -> bool {
        self.inner.inputs.iter().any(Input::is_storage)
    }

    /// Whether an input holds a storage (or journals) and another messages: these are not weighed against
    /// what the storage has of the same person.
    pub fn has_messages_beside(&self) -> bool {
        let inputs = &self.inner.inputs;
        self.has_storage() && inputs.iter().any(|i| !i.is_storage() && i.has_messages())
    }

    /// Whether an input has journals and another journals or a storage. Each is replayed by itself, so that a
    /// delete of one does not reach another: a folder that holds all journals is to be given instead.
    pub fn has_journals_apart(&self) -> bool {
        let has = |input: &Input<FsTree>| match input {
            Input::Spool { journals, .. } => *journals > 0,
            Input::Folder { .. } | Input::File { .. } => false,
        };
        let mut storages = self.inner.inputs.iter().filter(|i| i.is_storage());
        self.inner.inputs.iter().any(has) && storages.nth(1).is_some()
    }

    /// Where a file lies on the disk; `None` for what is inside an archive, a journal or a stream.
    pub fn disk_path(&self, file: &FileRef) -> Option<PathBuf> {
        match (self.inner.inputs.get(file.source.input)?, &file.place) {
            (Input::Folder { tree, .. }, Place::Disk(own)) => {
                let below = own.as_deref().unwrap_or(Path::new(file.path()));
                Some(tree.base.join(below))
            }
            // Given by name: a link there is followed.
            (Input::File { path }, _) => Some(path.clone()),
            _ => None,
        }
    }

    /// Whether every input is a folder or a plain file, so that its files can be rewritten.
    pub fn is_on_disk(&self) -> bool {
        let inputs = &self.inner.inputs;
        inputs.iter().all(|i| !matches!(i, Input::Spool { .. }))
    }

    /// Reads a file into `out` (which is cleared) and tells its content.
    ///
    /// # Errors
    /// [`ReadError`]; after [`ReadError::Vanished`] see [`Storage::refresh`].
    pub fn read(&self, file: &FileRef, out: &mut Vec<u8>) -> Result<Content, ReadError> {
        out.clear();
        let max_file = self.inner.options.max_file;
        let input = self.inner.inputs.get(file.source.input);
        if let (Some(Input::Spool { spool, .. }), Place::Spool { offset, length }) =
            (input, &file.place)
        {
            if *length == UNREAD {
                return Err(ReadError::LeftOut);
            }
            spool.read(*offset, *length, out)?;
            return Ok(sniff(out.get(..HEAD).unwrap_or(out)));
        }
        let path = self.disk_path(file).ok_or(ReadError::Vanished)?;
        let given = matches!(
            self.inner.inputs.get(file.source.input),
            Some(Input::File { .. })
        );
        let gone = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => ReadError::Vanished,
            _ => ReadError::Io(error),
        };
        let meta = if given {
            path.metadata()
        } else {
            path.symlink_metadata()
        };
        let meta = meta.map_err(gone)?;
        if !given && !meta.is_file() {
            return Err(ReadError::NotAFile);
        }
        if meta.len() > max_file {
            return Err(ReadError::TooLarge);
        }
        let mut opened = File::open(&path).map_err(gone)?;
        let length = usize::try_from(meta.len()).unwrap_or(0);
        read_whole(&mut opened, length, max_file, out)?;
        if u64::try_from(out.len()).is_ok_and(|length| length <= max_file) {
            Ok(sniff(out.get(..HEAD).unwrap_or(out)))
        } else {
            Err(ReadError::TooLarge)
        }
    }

    /// Lists the files of a patient again, after one vanished (a module renames flag 1 to
    /// 2 or 0 when it writes). Files of archives and journals never vanish.
    pub fn refresh(&self, batch: &PatientBatch) -> PatientBatch {
        self.inner.refresh(batch)
    }
}

/// Reads to the end, or one byte beyond the bound. One call of the system reads what is as long as it
/// was said to be, one more says that this is the end: a file may grow while it is read.
fn read_whole(
    mut from: impl Read,
    length: usize,
    max_file: u64,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    out.resize(length.saturating_add(1), 0);
    let mut filled = 0;
    while let Some(room) = out.get_mut(filled..).filter(|room| !room.is_empty()) {
        match from.read(room) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let grown = filled > length;
    out.truncate(filled);
    if grown {
        let most = max_file.saturating_add(1);
        let rest = most.saturating_sub(u64::try_from(filled).unwrap_or(most));
        from.take(rest).read_to_end(out)?;
    }
    Ok(())
}

impl<T: Tree> Inner<T> {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            inputs: Vec::new(),
            options: options.clone(),
            notes: Vec::new(),
            skipped: 0,
            unrecognised: 0,
            beside: Vec::new(),
            institutions: BTreeSet::new(),
        }
    }

    fn keep(&mut self, mut sink: Sink) {
        self.notes.extend(sink.take_notes());
        self.skipped += sink.skipped;
        self.unrecognised += sink.unrecognised;
        if sink.unrecognised > 0 {
            self.beside.extend(sink.beside);
        }
    }

    /// Takes a tree of folders as an input.
    pub(crate) fn add_tree(&mut self, tree: T, name: String) -> Option<&mut Input<T>> {
        let mut sink = Sink::default();
        let found = discover(&tree, &name, &mut sink);
        sink.of_input(self.inputs.len());
        let beside = !found.roots.is_empty() || !found.journals.is_empty();
        if beside {
            // Otherwise the walk over loose files finds all this again.
            self.notes.extend(sink.take_notes());
            self.skipped += sink.skipped;
        }
        if beside {
            // Files named as items are read with their patients, but a journal is weighed by its records.
            let strays = found.strays.iter().map(|(_, at)| at);
            let strays = strays.filter(|_| found.roots.is_empty());
            let mut outside = Outside::default();
            for at in found.beside.iter().chain(strays) {
                outside.add(outside_kind(&tree, at), &at.text);
            }
            let seen = u64::try_from(found.beside.len()).unwrap_or(u64::MAX);
            outside.more(found.beside_count.saturating_sub(seen));
            self.notes.extend(outside.notes());
        }
        if !found.roots.is_empty() && !found.journals.is_empty() {
            let count = u64::try_from(found.journals.len()).unwrap_or(u64::MAX);
            self.notes
                .push(StorageNote::counted(Kind::JournalsIgnored, count));
        }
        for root in &found.roots {
            if let Some(number) = institution(root) {
                self.institutions.insert(number);
                if number.has_wrong_check_digit() {
                    self.notes.push(StorageNote {
                        input: Some(self.inputs.len()),
                        ..StorageNote::at(Kind::RootCheckDigit, &root.at.text)
                    });
                }
            }
        }
        self.inputs.push(Input::Folder { tree, name, found });
        self.inputs.last_mut()
    }

    fn finish_archive(&mut self, mut archive: Archive, name: &str, mut sink: Sink) {
        archive.spool.finish();
        sink.of_input(self.inputs.len());
        let mut strays: Vec<(String, Entry)> = Vec::new();
        if archive.items > 0 && archive.loose > 0 {
            let loose = archive.spool.merge();
            let loose = loose.filter(|entry| entry.key.first() == Some(&LOOSE_CLASS));
            let named = |entry: Entry| {
                let path = path_of(&entry.key);
                is_item_path(&path).then(|| (patient_of_name(&path).to_owned(), entry))
            };
            strays.extend(loose.filter_map(named));
            // Stable: of one patient in the order of their paths.
            strays.sort_by(|a, b| a.0.cmp(&b.0));
        }
        if archive.items + archive.journals > 0 {
            let mut outside = Outside::default();
            for path in &sink.beside {
                outside.add(Kind::OutsideStorage, path);
            }
            let seen = u64::try_from(sink.beside.len()).unwrap_or(u64::MAX);
            outside.more(sink.unrecognised.saturating_sub(seen));
            self.notes.extend(outside.notes());
            sink.unrecognised = 0;
        }
        if archive.items > 0 && archive.journals > 0 {
            self.notes.push(StorageNote::counted(
                Kind::JournalsIgnored,
                archive.journals,
            ));
        } else {
            self.institutions.extend(archive.institutions);
        }
        self.institutions.extend(archive.root_institutions);
        if archive.items_at_top
            && let Some(number) = institution_of_root(name)
        {
            self.institutions.insert(number);
            if number.has_wrong_check_digit() {
                sink.note(Kind::RootCheckDigit, "");
            }
        }
        self.keep(sink);
        self.inputs.push(Input::Spool {
            spool: archive.spool,
            name: name.to_owned(),
            items: archive.items,
            journals: if archive.items > 0 {
                0
            } else {
                archive.journals
            },
            loose: archive.loose,
            messages: archive.messages,
            strays,
        });
    }

    fn archive(&self, input: &Path) -> Archive {
        Archive::new(
            Spool::new(self.options.memory_limit, self.options.temp_dir.clone()),
            Chosen::new(self.options.choose.as_ref(), input),
            Limits {
                max_file: self.options.max_file,
                max_expansion: self.options.max_expansion,
            },
        )
    }

    fn refresh(&self, batch: &PatientBatch) -> PatientBatch {
        let mut fresh = batch.clone();
        if batch.folders.is_empty() {
            return fresh;
        }
        let is_listed = |file: &FileRef| {
            let below = |at: &At| file.path().strip_prefix(&*at.text);
            let folders = batch.folders.iter();
            folders
                .filter(|(source, ..)| *source == file.source)
                .any(|(_, _, at, _)| below(at).is_some_and(|rest| rest.starts_with('/')))
        };
        fresh.files.retain(|file| !is_listed(file));
        for (source, root_depth, at, _) in &batch.folders {
            if let Some(Input::Folder { tree, .. }) = self.inputs.get(source.input) {
                let mut quiet = Sink::default();
                list_patient(tree, *source, *root_depth, at, &mut quiet, &mut fresh.files);
            }
        }
        fresh
    }
}

/// What lies beside a storage: the first of each kind are named, the rest counted.
#[derive(Default)]
struct Outside {
    named: Vec<StorageNote>,
    files: (u64, u64),
}

impl Outside {
    fn add(&mut self, kind: Kind, path: &str) {
        let (files, messages) = &mut self.files;
        let count = match kind {
            Kind::OutsideMessage => messages,
            _ => files,
        };
        if *count < NAMED_LIMIT {
            self.named.push(StorageNote::at(kind, path));
        }
        *count += 1;
    }

    /// So many more files that nobody looked into.
    fn more(&mut self, count: u64) {
        self.files.0 = self.files.0.saturating_add(count);
    }

    fn notes(self) -> Vec<StorageNote> {
        let mut notes = self.named;
        for (kind, count) in [
            (Kind::OutsideMessage, self.files.1),
            (Kind::OutsideStorage, self.files.0),
        ] {
            let named = notes.iter().filter(|note| note.kind == kind).count();
            let rest = count.saturating_sub(u64::try_from(named).unwrap_or(u64::MAX));
            if rest > 0 {
                notes.push(StorageNote::counted(kind, rest));
            }
        }
        notes
    }
}

/// Whether the name of a file is that of an item.
fn is_item_path(path: &str) -> bool {
    warifu_ssmix2::is_item_name(path.rsplit('/').next().unwrap_or(path))
}

/// Name of a file or folder, without extension for files.
fn stem(path: &Path) -> String {
    let stem = path.file_stem().or_else(|| path.file_name());
    stem.unwrap_or_default().to_string_lossy().into_owned()
}

impl Inner<FsTree> {
    fn open(&mut self, path: &Path) -> io::Result<()> {
        if std::fs::metadata(path)?.is_dir() {
            let base = path.to_path_buf();
            // `.` and `..` have no name of their own.
            let named = match path.file_name() {
                Some(name) => name.to_owned(),
                None => path
                    .canonicalize()?
                    .file_name()
                    .unwrap_or_default()
                    .to_owned(),
            };
            let chosen = Chosen::new(self.options.choose.as_ref(), path);
            self.add_tree(
                FsTree { base, chosen },
                named.to_string_lossy().into_owned(),
            );
            return self.replay_journals();
        }
        let file_name = path.file_name().unwrap_or_default().to_string_lossy();
        let content = content_of(&file_name, &head_of(path)?);
        let mut archive = self.archive(path);
        let mut sink = Sink::default();
        match content {
            Content::Zip => {
                archive.zip(BufReader::new(File::open(path)?), &file_name, &mut sink)?;
            }
            Content::Gzip | Content::Zstd | Content::Tar | Content::Journal => {
                let mut reader = File::open(path)?;
                archive.stream(&mut reader, &file_name, false, &mut sink)?;
            }
            _ => {
                self.inputs.push(Input::File {
                    path: path.to_path_buf(),
                });
                return Ok(());
            }
        }
        self.finish_archive(archive, &stem(path), sink);
        Ok(())
    }

    /// Turns the folder opened last into a spool when it holds journals and no storage.
    fn replay_journals(&mut self) -> io::Result<()> {
        let Some(Input::Folder { tree, found, name }) = self.inputs.last() else {
            return Ok(());
        };
        if !found.roots.is_empty() || found.journals.is_empty() {
            return Ok(());
        }
        let name = name.clone();
        let mut archive = self.archive(&tree.base);
        let mut sink = Sink::default();
        for journal in &found.journals {
            match File::open(tree.base.join(&journal.os)) {
                Ok(mut file) => archive.journal(&mut file, &journal.text, &mut sink)?,
                Err(_) => sink.note(Kind::FileUnreadable, &journal.text),
            }
        }
        self.inputs.pop();
        self.finish_archive(archive, &name, sink);
        Ok(())
    }

    fn read_stream(&mut self, mut reader: &mut dyn Read, name: &str) -> io::Result<()> {
        let mut archive = self.archive(Path::new(""));
        let mut sink = Sink::default();
        let mut head = Vec::new();
        (&mut reader).take(4).read_to_end(&mut head)?;
        let mut whole = head.as_slice().chain(reader);
        if sniff(&head) == Content::Zip {
            // The directory of a zip archive is at its end.
            let mut file = match &self.options.temp_dir {
                Some(folder) => tempfile::tempfile_in(folder)?,
                None => tempfile::tempfile()?,
            };
            io::copy(&mut whole, &mut file)?;
            file.flush()?;
            file.seek(SeekFrom::Start(0))?;
            archive.zip(BufReader::new(file), name, &mut sink)?;
        } else {
            archive.stream(&mut whole, name, false, &mut sink)?;
        }
        self.finish_archive(archive, &stem(Path::new(name)), sink);
        Ok(())
    }
}

/// Everything in the inputs, one [`Found`] at a time.
///
/// Memory: the listings of the folders on the way to the current patient, the files of
/// that patient, and for archives and journals the keys within the memory limit.
pub struct Walk<'s>(Stream<'s, FsTree>);

impl Iterator for Walk<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        self.0.next()
    }
}

/// What a walk meets, one [`Step`] at a time: [`Storage::steps`].
pub struct Steps<'s> {
    stream: Stream<'s, FsTree>,
    /// Until the first loose file is met, of a walk that puts them together.
    together: Option<&'s Storage>,
    ready: VecDeque<Found>,
}

/// One step of a walk.
pub enum Step<'s> {
    /// A patient, not listed yet.
    Patient(Unlisted<'s>),
    /// Anything else.
    Found(Found),
}

/// A patient whose files are not listed yet.
pub struct Unlisted<'s>(Pending<'s, FsTree>);

/// What listing a patient gives.
#[derive(Debug)]
pub struct Listed {
    /// Findings, then the patient's files: one batch for each institution.
    pub found: Vec<Found>,
    /// Entries passed over, for [`Steps::passed_over`].
    pub skipped: u64,
}

impl<'s> Iterator for Steps<'s> {
    type Item = Step<'s>;

    fn next(&mut self) -> Option<Step<'s>> {
        if let Some(found) = self.ready.pop_front() {
            return Some(Step::Found(found));
        }
        let found = match self.stream.step()? {
            Next::Patient(pending) => return Some(Step::Patient(Unlisted(pending))),
            Next::Found(found) => found,
        };
        let loose = matches!(found, Found::Loose(..));
        let Some(storage) = self.together.take_if(|_| loose) else {
            return Some(Step::Found(found));
        };
        // Loose files come behind all patients.
        let mut rest = vec![found];
        while rest.len() < loose::MOST
            && let Some(Next::Found(found)) = self.stream.step()
        {
            rest.push(found);
        }
        let more = rest.len() == loose::MOST;
        self.ready = loose::together(storage, &rest, more);
        self.ready.pop_front().map(Step::Found)
    }
}

impl Steps<'_> {
    /// Adds what listings passed over to the counts.
    pub fn passed_over(&mut self, skipped: u64) {
        self.stream.sink.skipped += skipped;
    }

    /// The counts that end a walk, once all patients have been listed.
    pub fn counts(&mut self) -> Vec<StorageNote> {
        self.stream.counts()
    }
}

impl Unlisted<'_> {
    /// Lists the files.
    pub fn list(self) -> Listed {
        self.0.list()
    }
}

/// A file of a patient with the institution its root names.
type Owned = (Option<InstitutionNumber>, FileRef);
type Folder = (Source, usize, At, Option<InstitutionNumber>);

/// Patients of one source, in the order of their ids.
enum Patients<'s, T> {
    Root {
        tree: &'s T,
        source: Source,
        root: &'s Root,
        folders: Box<PatientFolders>,
        pending: Option<PatientFolder>,
    },
    Misplaced {
        tree: &'s T,
        source: Source,
        roots: &'s [Root],
        rest: &'s [(String, usize, At)],
    },
    Spool {
        source: Source,
        spool: &'s Spool,
        merge: Merge<'s>,
        class: u8,
        name: &'s str,
        patient: Option<String>,
    },
    Strays {
        source: Source,
        roots: &'s [Root],
        rest: &'s [(String, At)],
    },
    StrayEntries {
        source: Source,
        spool: &'s Spool,
        name: &'s str,
        rest: &'s [(String, Entry)],
    },
}

/// The entries of the first patient, cut off.
fn first_of<'s, V>(rest: &mut &'s [(String, V)]) -> &'s [(String, V)] {
    let all: &'s [(String, V)] = rest;
    let patient = all.first().map(|(patient, _)| patient);
    let same = all
        .iter()
        .take_while(|(other, _)| Some(other) == patient)
        .count();
    let (here, later) = all.split_at_checked(same).unwrap_or((all, &[]));
    *rest = later;
    here
}

impl<'s, T: Tree> Patients<'s, T> {
    fn peek(&mut self, sink: &mut Sink) -> Option<&str> {
        match self {
            Self::Root {
                tree,
                folders,
                pending,
                ..
            } => {
                while pending.is_none() {
                    let folder = folders.next(*tree, sink)?;
                    if folder.well_placed {
                        *pending = Some(folder);
                    }
                }
                pending.as_ref().map(|folder| folder.patient.as_str())
            }
            Self::Misplaced { rest, .. } => rest.first().map(|(patient, ..)| patient.as_str()),
            Self::Strays { rest, .. } => rest.first().map(|(patient, _)| patient.as_str()),
            Self::StrayEntries { rest, .. } => rest.first().map(|(patient, _)| patient.as_str()),
            Self::Spool {
                merge,
                class,
                patient,
                ..
            } => {
                if patient.is_none() {
                    while merge.peek()?.key.first()? < class {
                        merge.next();
                    }
                    let entry = merge.peek()?;
                    if entry.key.first()? != class {
                        return None;
                    }
                    *patient = Some(patient_of(&entry.key));
                }
                patient.as_deref()
            }
        }
    }

    /// The places of the patient that `peek` named.
    fn take(&mut self, taken: &mut Vec<Taken<'s, T>>) {
        match self {
            Self::Root {
                tree,
                source,
                root,
                pending,
                ..
            } => {
                let Some(folder) = pending.take() else { return };
                taken.push(Taken::Folder {
                    tree,
                    source: *source,
                    root,
                    at: folder.at,
                });
            }
            Self::Misplaced {
                tree,
                source,
                roots,
                rest,
            } => {
                let Some((patient, ..)) = rest.first() else {
                    return;
                };
                let same = rest
                    .iter()
                    .take_while(|(other, ..)| other == patient)
                    .count();
                let (here, later) = rest.split_at_checked(same).unwrap_or((rest, &[]));
                *rest = later;
                for (_, root, at) in here {
                    let Some(root) = roots.get(*root) else {
                        continue;
                    };
                    taken.push(Taken::Folder {
                        tree,
                        source: *source,
                        root,
                        at: at.clone(),
                    });
                }
            }
            Self::Spool {
                source,
                spool,
                merge,
                class,
                name,
                patient,
            } => {
                let Some(patient) = patient.take() else {
                    return;
                };
                let mut prefix = vec![*class];
                prefix.extend_from_slice(patient.as_bytes());
                prefix.push(0);
                let mut entries: Vec<Entry> = Vec::new();
                while merge
                    .peek()
                    .is_some_and(|entry| entry.key.starts_with(&prefix))
                {
                    entries.extend(merge.next());
                }
                if entries.is_empty() {
                    // Never met: ids are text. Without progress the walk would not end.
                    merge.next();
                }
                taken.push(Taken::Entries {
                    source: *source,
                    spool,
                    class: *class,
                    name,
                    entries,
                    failed: merge.failed.take().is_some(),
                });
            }
            Self::Strays {
                source,
                roots,
                rest,
            } => {
                for (_, at) in first_of(rest) {
                    taken.push(Taken::Stray {
                        source: *source,
                        root: root_of(roots, &at.text),
                        at,
                    });
                }
            }
            Self::StrayEntries {
                source,
                spool,
                name,
                rest,
            } => taken.push(Taken::Entries {
                source: *source,
                spool,
                class: LOOSE_CLASS,
                name,
                entries: first_of(rest).iter().map(|(_, e)| e.clone()).collect(),
                failed: false,
            }),
        }
    }

    #[cfg(test)]
    fn held(&self) -> usize {
        match self {
            Self::Root { folders, .. } => folders.held(),
            Self::Misplaced { .. }
            | Self::Spool { .. }
            | Self::Strays { .. }
            | Self::StrayEntries { .. } => 0,
        }
    }
}

/// Where files of a patient lie.
enum Taken<'s, T> {
    Folder {
        tree: &'s T,
        source: Source,
        root: &'s Root,
        at: At,
    },
    Entries {
        source: Source,
        spool: &'s Spool,
        class: u8,
        name: &'s str,
        entries: Vec<Entry>,
        /// Whether the system refused to read some.
        failed: bool,
    },
    /// A file beside a root that it is of, if that is known.
    Stray {
        source: Source,
        root: Option<&'s Root>,
        at: &'s At,
    },
}

/// The root that a path is below, else the only one.
fn root_of<'s>(roots: &'s [Root], path: &str) -> Option<&'s Root> {
    let is_above = |root: &&Root| {
        let below = path.strip_prefix(&*root.at.text);
        below.is_some_and(|rest| root.at.text.is_empty() || rest.starts_with('/'))
    };
    let above = roots.iter().filter(is_above).max_by_key(|r| r.at.depth);
    above.or(match roots {
        [only] => Some(only),
        _ => None,
    })
}

/// A patient whose files are not listed yet.
pub(crate) struct Pending<'s, T> {
    patient: String,
    /// Whether the storage holds several institutions.
    several: bool,
    taken: Vec<Taken<'s, T>>,
}

/// A step of a walk.
enum Next<'s, T> {
    Patient(Pending<'s, T>),
    Found(Found),
}

impl<T: Tree> Pending<'_, T> {
    fn list(self) -> Listed {
        let Self {
            patient,
            several,
            taken,
        } = self;
        let mut sink = Sink::default();
        let mut files: Vec<Owned> = Vec::new();
        let mut folders: Vec<Folder> = Vec::new();
        for taken in taken {
            match taken {
                Taken::Folder {
                    tree,
                    source,
                    root,
                    at,
                } => {
                    let number = institution(root);
                    let mut listed = Vec::new();
                    list_patient(tree, source, root.at.depth, &at, &mut sink, &mut listed);
                    sink.of_input(source.input);
                    files.extend(listed.into_iter().map(|file| (number, file)));
                    folders.push((source, root.at.depth, at, number));
                }
                Taken::Entries {
                    source,
                    spool,
                    class,
                    name,
                    entries,
                    failed,
                } => {
                    match class {
                        JOURNAL_CLASS => take_records(source, spool, &entries, &mut files),
                        _ => take_items(source, &entries, name, &mut files, &mut sink),
                    }
                    if failed {
                        sink.note(Kind::FileUnreadable, name);
                    }
                    sink.of_input(source.input);
                }
                Taken::Stray { source, root, at } => {
                    let depth = root.map_or(0, |root| root.at.depth);
                    let depth = depth.min(at.depth.saturating_sub(1));
                    let file = FileRef::on_disk(source, at.clone(), Some(depth));
                    files.push((root.and_then(institution), file));
                }
            }
        }
        let set = |number: Option<InstitutionNumber>| number.filter(|_| several);
        let mut batches: BTreeMap<Option<InstitutionNumber>, (Vec<FileRef>, Vec<Folder>)> =
            BTreeMap::new();
        for (number, file) in files {
            batches.entry(set(number)).or_default().0.push(file);
        }
        for folder in folders {
            batches.entry(set(folder.3)).or_default().1.push(folder);
        }
        let mut found: Vec<Found> = sink.take_notes().into_iter().map(Found::Note).collect();
        for (institution, (files, folders)) in batches {
            if files.is_empty() {
                continue;
            }
            found.push(Found::Patient(PatientBatch {
                key: PatientKey {
                    patient: patient.clone(),
                    institution,
                },
                files,
                folders,
            }));
        }
        Listed {
            found,
            skipped: sink.skipped,
        }
    }
}

/// Path of a key, from the byte after its first zero (or its class).
fn path_of(key: &[u8]) -> String {
    let start = match key.first() {
        Some(&LOOSE_CLASS) => 1,
        _ => key
            .iter()
            .skip(1)
            .position(|b| *b == 0)
            .map_or(1, |at| at + 2),
    };
    String::from_utf8_lossy(key.get(start..).unwrap_or_default()).replace('\u{1}', "/")
}

/// Entries of one class, the last of equal paths only.
fn last_of_each<'e>(entries: &'e [Entry], sink: &mut Sink) -> Vec<&'e Entry> {
    let mut last = Vec::new();
    for same in entries.chunk_by(|a, b| a.key == b.key) {
        if let [_, .., repeated] = same {
            sink.note(Kind::RepeatedEntry, &path_of(&repeated.key));
        }
        last.extend(same.last());
    }
    last
}

fn take_items(
    source: Source,
    entries: &[Entry],
    name: &str,
    files: &mut Vec<Owned>,
    sink: &mut Sink,
) {
    for entry in last_of_each(entries, sink) {
        let path = path_of(&entry.key);
        let parts: Vec<&str> = warifu_ssmix2::components(&path).collect();
        let depth = match warifu_ssmix2::locate(&parts) {
            warifu_ssmix2::Place::Item(item) => item.root_depth,
            // Beside the levels, under a name that says whose it is.
            _ => parts.len().saturating_sub(1),
        };
        let root_name = depth.checked_sub(1).and_then(|at| parts.get(at));
        let number = institution_of_root(root_name.unwrap_or(&name));
        let (offset, length) = (entry.offset, entry.length);
        let file = FileRef::in_spool(source, path.clone(), Some(depth), offset, length);
        files.push((number, file));
    }
}

fn take_records(source: Source, spool: &Spool, entries: &[Entry], files: &mut Vec<Owned>) {
    let mut content = |entry: &Entry| {
        let mut bytes = Vec::new();
        // The kind of document is told by its head.
        let length = match entry.length {
            UNREAD => 0,
            length => length.min(u64::try_from(HEAD).unwrap_or(u64::MAX)),
        };
        match spool.read(entry.offset, length, &mut bytes) {
            Ok(()) => bytes,
            Err(_) => Vec::new(),
        }
    };
    let start = files.len();
    for records in entries.chunk_by(|a, b| item_key(&a.key) == item_key(&b.key)) {
        for file in replay(records, &mut content) {
            let (offset, length) = (file.offset, file.length);
            let found = FileRef::in_spool(source, file.path, Some(0), offset, length);
            files.push((file.institution, found.of_record(file.place)));
        }
    }
    if let Some(new) = files.get_mut(start..) {
        new.sort_by(|a, b| {
            warifu_ssmix2::components(a.1.path()).cmp(warifu_ssmix2::components(b.1.path()))
        });
    }
}

pub(crate) struct Stream<'s, T> {
    inner: &'s Inner<T>,
    sources: Vec<Patients<'s, T>>,
    ready: VecDeque<Next<'s, T>>,
    /// What the patient listed last has left.
    listed: VecDeque<Found>,
    pub(crate) sink: Sink,
    /// Next input to look through for loose files.
    loose: usize,
    loose_files: LooseFiles,
    loose_spool: Option<Merge<'s>>,
    counted: bool,
}

impl<'s, T: Tree> Stream<'s, T> {
    pub(crate) fn new(inner: &'s Inner<T>) -> Self {
        let mut sources = Vec::new();
        for (number, input) in inner.inputs.iter().enumerate() {
            let source = Source { input: number };
            match input {
                Input::Folder { tree, found, .. } => {
                    for root in &found.roots {
                        sources.push(Patients::Root {
                            tree,
                            source,
                            root,
                            folders: Box::new(PatientFolders::new(root)),
                            pending: None,
                        });
                    }
                    if !found.roots.is_empty() && !found.strays.is_empty() {
                        sources.push(Patients::Strays {
                            source,
                            roots: &found.roots,
                            rest: &found.strays,
                        });
                    }
                    if !found.misplaced.is_empty() {
                        sources.push(Patients::Misplaced {
                            tree,
                            source,
                            roots: &found.roots,
                            rest: &found.misplaced,
                        });
                    }
                }
                Input::Spool {
                    spool,
                    name,
                    items,
                    journals,
                    strays,
                    ..
                } => {
                    if !strays.is_empty() {
                        sources.push(Patients::StrayEntries {
                            source,
                            spool,
                            name,
                            rest: strays,
                        });
                    }
                    if *items + *journals > 0 {
                        sources.push(Patients::Spool {
                            source,
                            spool,
                            merge: spool.merge(),
                            class: if *items > 0 {
                                ITEM_CLASS
                            } else {
                                JOURNAL_CLASS
                            },
                            name,
                            patient: None,
                        });
                    }
                }
                Input::File { .. } => {}
            }
        }
        let mut sink = Sink::default();
        sink.skipped = inner.skipped;
        sink.unrecognised = inner.unrecognised;
        sink.beside.clone_from(&inner.beside);
        let several = (inner.institutions.len() > 1).then(|| {
            let count = u64::try_from(inner.institutions.len()).unwrap_or(u64::MAX);
            StorageNote::counted(Kind::SeveralInstitutions, count)
        });
        let notes = inner.notes.iter().cloned().chain(several);
        let ready = notes.map(|note| Next::Found(Found::Note(note))).collect();
        Self {
            inner,
            sources,
            ready,
            listed: VecDeque::new(),
            sink,
            loose: 0,
            loose_files: LooseFiles::new(),
            loose_spool: None,
            counted: false,
        }
    }

    /// Directory entries held at the moment.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        let sources: usize = self.sources.iter().map(Patients::held).sum();
        sources + self.loose_files.held()
    }

    fn flush_notes(&mut self) {
        let notes = self.sink.take_notes();
        self.ready
            .extend(notes.into_iter().map(|note| Next::Found(Found::Note(note))));
    }

    /// The next step; the counts that end a walk are not among them.
    fn step(&mut self) -> Option<Next<'s, T>> {
        loop {
            if let Some(next) = self.ready.pop_front() {
                return Some(next);
            }
            let more = self.next_patient() || !self.ready.is_empty() || self.next_loose();
            if !more && self.ready.is_empty() {
                return None;
            }
        }
    }

    /// The counts that end a walk, once.
    fn counts(&mut self) -> Vec<StorageNote> {
        if std::mem::replace(&mut self.counted, true) {
            return Vec::new();
        }
        let named = &self.sink.beside;
        let rest = self
            .sink
            .unrecognised
            .saturating_sub(u64::try_from(named.len()).unwrap_or(u64::MAX));
        let counts = [
            (Kind::Skipped, self.sink.skipped),
            (Kind::Unrecognised, rest),
        ]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| StorageNote::counted(kind, count));
        let named = named
            .iter()
            .map(|path| StorageNote::at(Kind::Unrecognised, path));
        named.chain(counts).collect()
    }

    fn next_patient(&mut self) -> bool {
        let mut first: Option<String> = None;
        for source in &mut self.sources {
            if let Some(patient) = source.peek(&mut self.sink)
                && first.as_deref().is_none_or(|first| patient < first)
            {
                first = Some(patient.to_owned());
            }
        }
        let Some(patient) = first else {
            self.flush_notes();
            return false;
        };
        let mut taken = Vec::new();
        for source in &mut self.sources {
            // A source may have the patient more than once only when misplaced, and then
            // gives all at once.
            if source.peek(&mut self.sink) == Some(patient.as_str()) {
                source.take(&mut taken);
            }
        }
        self.flush_notes();
        self.ready.push_back(Next::Patient(Pending {
            patient,
            several: self.inner.institutions.len() > 1,
            taken,
        }));
        true
    }

    /// The next loose file of the remaining inputs; `false` when there is none.
    fn next_loose(&mut self) -> bool {
        while let Some(input) = self.inner.inputs.get(self.loose) {
            let source = Source { input: self.loose };
            let found = match input {
                Input::Folder { tree, found, .. } if found.roots.is_empty() => {
                    self.loose_files.next(tree, source, &mut self.sink)
                }
                Input::Spool {
                    spool,
                    items,
                    journals,
                    loose,
                    ..
                } if *loose > 0 => {
                    let beside = (*items + *journals > 0).then_some(*items > 0);
                    self.next_in_spool(source, spool, beside)
                }
                Input::Folder { .. } | Input::Spool { .. } => None,
                Input::File { path } => {
                    self.loose += 1;
                    match head_of(path) {
                        Ok(head) => {
                            let at = At {
                                text: path.to_string_lossy().replace('\\', "/"),
                                os: path.clone(),
                                depth: 0,
                            };
                            let file = FileRef::on_disk(source, at, None);
                            self.ready
                                .push_back(Next::Found(Found::Loose(file, sniff(&head))));
                        }
                        Err(_) => self
                            .sink
                            .note(Kind::FileUnreadable, &path.to_string_lossy()),
                    }
                    self.flush_notes();
                    return true;
                }
            };
            self.flush_notes();
            if let Some((file, content)) = found {
                self.ready
                    .push_back(Next::Found(Found::Loose(file, content)));
                return true;
            }
            self.loose += 1;
            self.loose_files = LooseFiles::new();
            self.loose_spool = None;
        }
        self.flush_notes();
        false
    }

    /// The next loose file of a spool; beside a storage or journals it is only a finding, unless a storage has
    /// it by its name.
    fn next_in_spool(
        &mut self,
        source: Source,
        spool: &'s Spool,
        beside: Option<bool>,
    ) -> Option<(FileRef, Content)> {
        let merge = self.loose_spool.get_or_insert_with(|| spool.merge());
        loop {
            let entry = merge.next()?;
            if entry.key.first() != Some(&LOOSE_CLASS) {
                continue;
            }
            let path = path_of(&entry.key);
            if merge.peek().is_some_and(|next| next.key == entry.key) {
                self.sink.note(Kind::RepeatedEntry, &path);
                continue;
            }
            if beside == Some(true) && is_item_path(&path) {
                continue;
            }
            let mut head = Vec::new();
            let length = entry.length.min(u64::try_from(HEAD).unwrap_or(u64::MAX));
            if spool.read(entry.offset, length, &mut head).is_err() {
                self.sink.note(Kind::FileUnreadable, &path);
                continue;
            }
            let content = sniff(&head);
            if beside.is_some() {
                self.sink.note(outside(content), &path);
                continue;
            }
            let file = FileRef::in_spool(source, path, None, entry.offset, entry.length);
            return Some((file, content));
        }
    }
}

impl<T: Tree> Iterator for Stream<'_, T> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            if let Some(found) = self.listed.pop_front() {
                return Some(found);
            }
            match self.step() {
                Some(Next::Found(found)) => return Some(found),
                Some(Next::Patient(pending)) => {
                    let listed = pending.list();
                    self.sink.skipped += listed.skipped;
                    self.listed.extend(listed.found);
                }
                None => {
                    let counts = self.counts();
                    if counts.is_empty() {
                        return None;
                    }
                    self.listed.extend(counts.into_iter().map(Found::Note));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::EntryKind;
    use std::cell::Cell;
    use std::ffi::OsString;

    /// Gives what there is in pieces, as a file that grows while it is read does.
    struct Pieces<'a>(&'a [&'a [u8]]);

    impl Read for Pieces<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else {
                return Ok(0);
            };
            self.0 = rest;
            let length = first.len().min(room.len());
            assert_eq!(length, first.len(), "a piece fits");
            room[..length].copy_from_slice(first);
            Ok(length)
        }
    }

    #[test]
    fn a_file_that_grows_while_it_is_read_is_read_to_its_end_or_told_to_be_too_large() {
        let read = |pieces: &[&[u8]], most: u64| {
            let mut out = vec![7; 100];
            read_whole(Pieces(pieces), 5, most, &mut out).unwrap();
            out
        };
        assert_eq!(read(&[b"MSH|a"], 10), b"MSH|a");
        assert_eq!(read(&[b"MSH"], 10), b"MSH");
        assert_eq!(read(&[b"MS", b"H|a"], 10), b"MSH|a");
        assert_eq!(read(&[b"MSH|a", b"b", b"cde"], 10), b"MSH|abcde");
        // One byte beyond the bound says that it is.
        assert_eq!(read(&[b"MSH|a", b"b", b"cd"], 7), b"MSH|abcd");
    }

    /// A storage of any size that exists only as listings: 100 × 100 level folders, one
    /// patient each, 10 days of one kind with 10 files.
    struct Fake {
        listings: Cell<u64>,
        largest: Cell<usize>,
    }

    impl Fake {
        fn names(folder: &Path) -> Vec<(String, EntryKind)> {
            let parts: Vec<&str> = folder.iter().map(|part| part.to_str().unwrap()).collect();
            let folders = |names: Vec<String>| {
                names
                    .into_iter()
                    .map(|name| (name, EntryKind::Folder))
                    .collect()
            };
            // Listings come in no order.
            match parts.as_slice() {
                [] => folders(vec!["root".to_owned()]),
                ["root"] | ["root", _] => {
                    folders((0..100).rev().map(|n| format!("{n:03}")).collect())
                }
                ["root", a, b] => folders(vec![format!("{a}{b}7777")]),
                ["root", _, _, _] => folders((10..20).map(|day| format!("202604{day}")).collect()),
                ["root", _, _, _, _] => folders(vec!["OML-11".to_owned()]),
                ["root", _, _, patient, day, _] => (0..10)
                    .map(|n| {
                        let order = format!("{patient}_{day}_OML-11_{n:015}");
                        (format!("{order}_20260401093015123_01_1"), EntryKind::File)
                    })
                    .collect(),
                _ => panic!("{folder:?} is no folder"),
            }
        }
    }

    impl Tree for Fake {
        fn list(&self, folder: &Path) -> io::Result<Vec<crate::tree::Entry>> {
            let names = Self::names(folder);
            self.listings.set(self.listings.get() + 1);
            self.largest.set(self.largest.get().max(names.len()));
            Ok(names
                .into_iter()
                .map(|(name, kind)| crate::tree::Entry::new(OsString::from(name), kind))
                .collect())
        }

        fn head(&self, _: &Path) -> io::Result<Vec<u8>> {
            Ok(b"MSH|".to_vec())
        }
    }

    #[test]
    fn million_files_are_walked_in_order_holding_only_the_listings_on_the_way() {
        let mut inner = Inner::new(&Options::standard());
        inner.add_tree(
            Fake {
                listings: Cell::new(0),
                largest: Cell::new(0),
            },
            "data".to_owned(),
        );
        let mut stream = Stream::new(&inner);
        let (mut files, mut patients, mut held) = (0, 0, 0);
        let mut previous = String::new();
        while let Some(found) = stream.next() {
            held = held.max(stream.held());
            match found {
                Found::Patient(batch) => {
                    assert_eq!(batch.files.len(), 100);
                    assert!(batch.key.patient > previous);
                    previous.clone_from(&batch.key.patient);
                    files += batch.files.len();
                    patients += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((patients, files), (10_000, 1_000_000));
        let [Input::Folder { tree, .. }] = inner.inputs.as_slice() else {
            panic!("one folder")
        };
        // At most one listing per level is kept, and no listing twice.
        assert_eq!(tree.largest.get(), 100);
        assert!(held <= 3 * tree.largest.get(), "{held}");
    }
}
