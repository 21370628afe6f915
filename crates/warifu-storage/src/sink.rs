//! Findings and counts gathered during a walk.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::note::{StorageNote, StorageNoteKind};
use crate::safe::is_skipped;
#[cfg(feature = "fs")]
use crate::tree::{At, Entry};

/// Decides about a path with `/`: `true` leaves it out.
pub type Exclude = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// How many findings are named one by one before the rest is counted: a hostile archive
/// may have millions of refused entries.
const NAMED_LIMIT: usize = 10_000;

#[derive(Default)]
pub(crate) struct Sink {
    pub(crate) notes: Vec<StorageNote>,
    /// Findings beyond the limit.
    more: BTreeMap<StorageNoteKind, u64>,
    pub(crate) skipped: u64,
    pub(crate) outside: u64,
    pub(crate) unrecognised: u64,
    pub(crate) looked_at: u64,
    /// First paths of the unrecognised files of an archive.
    pub(crate) beside: Vec<String>,
    exclude: Option<Exclude>,
}

impl Sink {
    pub(crate) fn new(exclude: Option<Exclude>) -> Self {
        Self {
            exclude,
            ..Self::default()
        }
    }

    /// A sink with the same exclusions whose findings may be thrown away.
    pub(crate) fn quiet(&self) -> Self {
        Self::new(self.exclude.clone())
    }

    /// A sink for looking ahead, without exclusions.
    pub(crate) fn silent() -> Self {
        Self::default()
    }

    /// Takes over the findings of another sink.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.notes.extend(other.notes);
        for (kind, count) in other.more {
            *self.more.entry(kind).or_default() += count;
        }
        self.skipped += other.skipped;
        self.outside += other.outside;
        self.unrecognised += other.unrecognised;
        self.looked_at += other.looked_at;
        self.beside.extend(other.beside);
    }

    pub(crate) fn note(&mut self, kind: StorageNoteKind, path: &str) {
        if self.notes.len() < NAMED_LIMIT {
            self.notes.push(StorageNote::at(kind, path));
        } else {
            *self.more.entry(kind).or_default() += 1;
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

    /// Whether a name is passed over; counts it.
    pub(crate) fn passes_over(&mut self, name: &str, path: &str) -> bool {
        let skipped =
            is_skipped(name) || self.exclude.as_ref().is_some_and(|exclude| exclude(path));
        self.skipped += u64::from(skipped);
        skipped
    }

    /// Notes something beside the storage levels.
    pub(crate) fn outside(&mut self, path: &str) {
        self.outside += 1;
        self.note(StorageNoteKind::OutsideStorage, path);
    }

    /// Notes a name that had to be decoded.
    pub(crate) fn name(&mut self, entry: &Entry, at: &At) {
        if entry.decoded {
            self.note(StorageNoteKind::NameNotUtf8, &at.text);
        }
    }
}
