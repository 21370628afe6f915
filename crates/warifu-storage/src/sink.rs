//! Findings and counts gathered during a walk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::note::{StorageNote, StorageNoteKind};
use crate::safe::is_skipped;
use crate::sniff::{Content, sniff};
#[cfg(feature = "fs")]
use crate::tree::{At, Entry, EntryKind, Tree};

/// What a [`Choose`] says about a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// It is read.
    Take,
    /// It is passed over and counted.
    PassOver,
    /// It was not asked for: neither read nor counted.
    Leave,
}

/// Decides about a path with `/` below an input (a folder or archive), and whether it is a folder.
pub type Choose = Arc<dyn Fn(&Path, &str, bool) -> Choice + Send + Sync>;

/// A [`Choose`] with its input.
#[derive(Clone, Default)]
pub(crate) struct Chosen(Option<(Choose, PathBuf)>);

impl Chosen {
    pub(crate) fn new(choose: Option<&Choose>, input: &Path) -> Self {
        Self(choose.map(|choose| (Arc::clone(choose), input.to_path_buf())))
    }

    pub(crate) fn choice(&self, path: &str, folder: bool) -> Choice {
        match &self.0 {
            Some((choose, input)) => choose(input, path, folder),
            None => Choice::Take,
        }
    }
}

/// How many findings are named one by one before the rest is counted: a hostile archive
/// may have millions of refused entries.
const NAMED_LIMIT: usize = 10_000;

/// What is said of a file of this content beside the storage levels.
pub(crate) fn outside(content: Content) -> StorageNoteKind {
    match content {
        Content::Hl7 => StorageNoteKind::OutsideMessage,
        _ => StorageNoteKind::OutsideStorage,
    }
}

/// The same of a file in a folder.
#[cfg(feature = "fs")]
pub(crate) fn outside_kind<T: Tree>(tree: &T, at: &At) -> StorageNoteKind {
    outside(
        tree.head(&at.os)
            .map_or(Content::Other, |head| sniff(&head)),
    )
}

#[derive(Default)]
pub(crate) struct Sink {
    pub(crate) notes: Vec<StorageNote>,
    /// Findings beyond the limit.
    more: BTreeMap<StorageNoteKind, u64>,
    pub(crate) skipped: u64,
    pub(crate) unrecognised: u64,
    /// First paths of the unrecognised files.
    pub(crate) beside: Vec<String>,
    /// Files at a level of folders whose names are those of items.
    #[cfg(feature = "fs")]
    pub(crate) strays: Vec<At>,
}

impl Sink {
    /// Takes over the findings of another sink.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.notes.extend(other.notes);
        for (kind, count) in other.more {
            *self.more.entry(kind).or_default() += count;
        }
        self.skipped += other.skipped;
        self.unrecognised += other.unrecognised;
        self.beside.extend(other.beside);
        #[cfg(feature = "fs")]
        self.strays.extend(other.strays);
    }

    pub(crate) fn note(&mut self, kind: StorageNoteKind, path: &str) {
        self.note_at(StorageNote::at(kind, path));
    }

    /// A finding with its place.
    pub(crate) fn note_at(&mut self, note: StorageNote) {
        if self.notes.len() < NAMED_LIMIT {
            self.notes.push(note);
        } else {
            *self.more.entry(note.kind).or_default() += 1;
        }
    }

    /// Says of which input the findings so far are.
    pub(crate) fn of_input(&mut self, input: usize) {
        for note in &mut self.notes {
            note.input.get_or_insert(input);
        }
    }

    /// All findings, those beyond the limit as counts.
    pub(crate) fn take_notes(&mut self) -> Vec<StorageNote> {
        let mut notes = std::mem::take(&mut self.notes);
        let more = std::mem::take(&mut self.more);
        notes.extend(
            more.into_iter()
                .map(|(kind, count)| StorageNote::counted(kind, count)),
        );
        notes
    }

    /// Whether a name is left out; counts it unless it was not asked for.
    pub(crate) fn leaves_out(&mut self, name: &str, choice: Choice) -> bool {
        let skipped = is_skipped(name) || choice == Choice::PassOver;
        self.skipped += u64::from(skipped);
        skipped || choice == Choice::Leave
    }

    /// Counts a file of no known content; the first are named.
    pub(crate) fn unrecognised(&mut self, path: &str) {
        self.unrecognised += 1;
        if self.unrecognised <= crate::folder::NAMED_LIMIT {
            self.beside.push(path.to_owned());
        }
    }

    /// Notes a file beside the storage levels.
    #[cfg(feature = "fs")]
    pub(crate) fn outside<T: Tree>(&mut self, tree: &T, at: &At) {
        self.note(outside_kind(tree, at), &at.text);
    }

    /// Something at a level where only folders of the next are: what is named like an item is read all
    /// the same, the rest noted.
    #[cfg(feature = "fs")]
    pub(crate) fn beside_level<T: Tree>(&mut self, tree: &T, entry: &Entry, at: At) {
        match entry.kind {
            EntryKind::File if warifu_ssmix2::is_item_name(&entry.text) => self.strays.push(at),
            EntryKind::File => self.outside(tree, &at),
            _ => self.note(StorageNoteKind::OutsideStorage, &at.text),
        }
    }

    /// Notes a name that had to be decoded.
    pub(crate) fn name(&mut self, entry: &Entry, at: &At) {
        if entry.decoded {
            self.note(StorageNoteKind::NameNotUtf8, &at.text);
        }
    }
}
