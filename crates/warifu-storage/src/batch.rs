//! What a walk gives: patients with their files, loose files, findings.

use std::path::PathBuf;

use warifu_ssmix2::{
    FileName, InstitutionNumber, Located, PatientKey, Selection, components, locate_at, select,
};

use crate::entry::UNREAD;
use crate::note::StorageNote;
use crate::replay::RecordPlace;
use crate::sniff::Content;
use crate::tree::At;

/// Which input of the storage, and which root of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Source {
    pub(crate) input: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Below the base of the input; `None` when the text is the system's path too.
    Disk(Option<PathBuf>),
    /// In the spool of the input.
    Spool { offset: u64, length: u64 },
}

/// A file of a storage; `Storage::read` gives its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRef {
    path: String,
    root_depth: Option<usize>,
    pub(crate) source: Source,
    pub(crate) place: Place,
    record: Option<Box<RecordPlace>>,
}

impl FileRef {
    pub(crate) fn on_disk(source: Source, at: At, root_depth: Option<usize>) -> Self {
        let same = at.os.to_str() == Some(at.text.as_str());
        Self {
            path: at.text,
            root_depth,
            source,
            place: Place::Disk((!same).then_some(at.os)),
            record: None,
        }
    }

    pub(crate) fn in_spool(
        source: Source,
        path: String,
        root_depth: Option<usize>,
        offset: u64,
        length: u64,
    ) -> Self {
        Self {
            path,
            root_depth,
            source,
            place: Place::Spool { offset, length },
            record: None,
        }
    }

    /// The same, as a record of a journal.
    pub(crate) fn of_record(mut self, place: Option<RecordPlace>) -> Self {
        self.record = place.map(Box::new);
        self
    }

    /// Where a file that the replay of a journal leaves was received.
    pub fn record(&self) -> Option<&RecordPlace> {
        self.record.as_deref()
    }

    /// Path with `/` below the input; for files of a journal the path they have in the
    /// standard storage.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Number of the input, in the order given to `Storage::open_all`.
    pub fn input(&self) -> usize {
        self.source.input
    }

    /// Length in bytes where it is known without opening the file.
    pub fn size(&self) -> Option<u64> {
        match self.place {
            Place::Disk(_) => None,
            Place::Spool { length, .. } => Some(length).filter(|length| *length != UNREAD),
        }
    }

    /// The storage levels of the path. For a loose file they are looked for at any
    /// depth, so that a single file given with its whole path has them too.
    pub fn located(&self) -> Option<Located<'_>> {
        let parts: Vec<&str> = components(&self.path).collect();
        match self.root_depth {
            Some(depth) => locate_at(&parts, depth),
            None => (0..parts.len()).find_map(|depth| locate_at(&parts, depth)),
        }
    }

    /// The levels, as the name says them where the path has none.
    fn placed(&self) -> Option<Located<'_>> {
        let named = || {
            let leaf = self.path.rsplit('/').next().unwrap_or_default();
            let name = FileName::parse(leaf).ok()?;
            Some(Located {
                root_depth: self.root_depth.unwrap_or(0),
                level1: "",
                level2: "",
                patient: name.patient,
                date: name.date,
                kind: name.kind,
                leaf,
                inside: Vec::new(),
            })
        };
        self.located().or_else(named)
    }

    /// Path below the storage root (`012/345/…`), the whole path for loose files that have no levels.
    pub fn path_in_root(&self) -> &str {
        let mut rest = self.path.trim_start_matches('/');
        let depth = match self.root_depth {
            Some(depth) => depth,
            None => self.located().map_or(0, |located| located.root_depth),
        };
        for _ in 0..depth {
            rest = rest.split_once('/').map_or(rest, |(_, rest)| rest);
        }
        rest
    }
}

/// All files of one patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatientBatch {
    /// Patient, with the institution when the storage holds several.
    pub key: PatientKey,
    /// Files by input, root and path; the files of one content folder stand together.
    pub files: Vec<FileRef>,
    pub(crate) folders: Vec<(Source, usize, At, Option<InstitutionNumber>)>,
}

/// One item of the storage: a message file, or a content folder with its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item<'b> {
    /// Name of the file or content folder.
    pub name: FileName<'b>,
    /// Levels of the (first) file.
    pub located: Located<'b>,
    /// The file, or all files of the content folder.
    pub files: &'b [FileRef],
}

/// Items of a patient and which of them count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatientItems<'b> {
    /// Items with a readable name; [`Selection`] names them by index.
    pub items: Vec<Item<'b>>,
    /// Which items count, and in which order they are processed.
    pub selection: Selection,
    /// Files whose name (or content folder's name) is no storage name.
    pub unnamed: Vec<&'b FileRef>,
}

impl PatientBatch {
    /// Whether these are messages outside a storage, of one person as far as their `PID-3` tells
    /// (`Storage::steps_together`).
    pub fn is_loose(&self) -> bool {
        self.files.iter().all(|file| file.root_depth.is_none())
    }

    /// Groups the files into items and selects among their versions.
    pub fn items(&self) -> PatientItems<'_> {
        let mut items = Vec::new();
        let mut unnamed = Vec::new();
        let together = |a: &FileRef, b: &FileRef| {
            a.source == b.source
                && match (a.located(), b.located()) {
                    (Some(a), Some(b)) => {
                        a.is_in_content_folder()
                            && b.is_in_content_folder()
                            && (
                                a.level1,
                                a.level2,
                                a.patient,
                                a.date,
                                a.kind,
                                a.leaf,
                                a.root_depth,
                            ) == (
                                b.level1,
                                b.level2,
                                b.patient,
                                b.date,
                                b.kind,
                                b.leaf,
                                b.root_depth,
                            )
                    }
                    _ => false,
                }
        };
        for files in self.files.chunk_by(together) {
            let located = files.first().and_then(FileRef::placed);
            match located.map(|located| (located.name(), located)) {
                Some((Ok(name), located)) => items.push(Item {
                    name,
                    located,
                    files,
                }),
                _ => unnamed.extend(files),
            }
        }
        let names: Vec<FileName<'_>> = items.iter().map(|item| item.name).collect();
        PatientItems {
            selection: select(&names),
            items,
            unnamed,
        }
    }
}

/// What a walk finds, in this order: per patient its findings and files, then loose
/// files, then counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A patient; ids ascend, and each (patient, institution) comes once. Messages that are read together
    /// without a storage follow, under no id (`Storage::steps_together`).
    Patient(PatientBatch),
    /// A file outside any storage, with what its first bytes are.
    Loose(FileRef, Content),
    /// A finding.
    Note(StorageNote),
}
