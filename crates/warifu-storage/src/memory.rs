//! Journals held in memory: which files their replay leaves, as places in the journals.

use std::collections::{BTreeMap, BTreeSet};

use warifu_ssmix2::journal::{BOM, Splitter};
use warifu_ssmix2::{InstitutionNumber, PatientKey, components};

use crate::entry::{Entry, UNREAD};
use crate::note::StorageNote;
use crate::replay::{RecordPlace, Told, item_key, journal_order, patient_of, places_of, replay};
use crate::sniff::HEAD;

/// Bits of an entry's offset that are the place; the number of the journal stands above.
const PLACE_BITS: u32 = 40;

/// Journals of one storage.
///
/// ```
/// use warifu_storage::memory::Journals;
/// let text = b"#SSMIX,2.00,1310000003,77,-,ADT-00,999999999999999,INS,-,20260401093015123\r\nMSH|\r";
/// let mut journals = Journals::new();
/// assert_eq!(journals.add("TR_20260401000000000_00001.DAT", text), []);
/// let patients = journals.patients();
/// let file = &patients[0].files[0];
/// assert_eq!(file.path, "77/77/-/ADT-00/77_-_ADT-00_999999999999999_20260401093015123_-_1");
/// assert_eq!(&text[file.start..file.end], b"MSH|\r");
/// ```
#[derive(Debug, Default)]
pub struct Journals {
    entries: Vec<Entry>,
    /// First bytes of each record, for telling XML from HL7.
    heads: BTreeMap<u64, Vec<u8>>,
    journals: u64,
    institutions: BTreeSet<InstitutionNumber>,
}

/// A patient with the files that the replay leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalPatient {
    /// Patient, with the institution when the journals name several.
    pub key: PatientKey,
    /// Files by path.
    pub files: Vec<JournalFile>,
}

/// A file that the replay leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalFile {
    /// Path it has in the standard (or extended) storage.
    pub path: String,
    /// Number of its journal in the order of [`Journals::add`].
    pub journal: usize,
    /// First byte in the journal.
    pub start: usize,
    /// One past the last byte; [`usize::MAX`] when the message could not be read.
    pub end: usize,
    /// Where its record stands.
    pub place: Option<RecordPlace>,
}

impl Journals {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a journal; gives what is wrong with it.
    pub fn add(&mut self, path: &str, bytes: &[u8]) -> Vec<StorageNote> {
        let order = journal_order(path);
        let mut notes = Vec::new();
        let mut told = Told::default();
        let mut splitter = Splitter::with_limit(usize::MAX);
        splitter.push(bytes);
        splitter.finish();
        while let Some(record) = splitter.next_record() {
            let mut note = |note| notes.push(note);
            for (placed, record) in places_of(record, &order, path, &mut told, &mut note) {
                self.institutions.extend(placed.institution);
                let sequence = u64::try_from(self.entries.len()).unwrap_or(u64::MAX);
                let offset = (self.journals << PLACE_BITS) | record.message_offset;
                let head = record.message.get(..HEAD).unwrap_or(record.message);
                if head.trim_ascii_start().starts_with(b"<") || head.starts_with(BOM) {
                    self.heads.insert(offset, head.to_vec());
                }
                self.entries.push(Entry {
                    key: placed.key,
                    sequence,
                    offset,
                    length: match record.dropped {
                        0 => u64::try_from(record.message.len()).unwrap_or(0),
                        _ => UNREAD,
                    },
                });
            }
        }
        self.journals += 1;
        notes
    }

    /// How many institutions the records name.
    pub fn institutions(&self) -> usize {
        self.institutions.len()
    }

    /// The institution that all records name, when it is one.
    pub fn institution(&self) -> Option<InstitutionNumber> {
        match self.institutions.len() {
            1 => self.institutions.first().copied(),
            _ => None,
        }
    }

    /// Replays the journals: patients in the order of their ids.
    pub fn patients(&mut self) -> Vec<JournalPatient> {
        self.entries.sort_unstable();
        let several = self.institutions.len() > 1;
        let heads = &self.heads;
        let mut content = |e: &Entry| heads.get(&e.offset).cloned().unwrap_or_default();
        let mut patients = Vec::new();
        for mine in self
            .entries
            .chunk_by(|a, b| patient_of(&a.key) == patient_of(&b.key))
        {
            let patient = mine.first().map(|e| patient_of(&e.key)).unwrap_or_default();
            let mut batches: BTreeMap<Option<InstitutionNumber>, Vec<JournalFile>> =
                BTreeMap::new();
            for records in mine.chunk_by(|a, b| item_key(&a.key) == item_key(&b.key)) {
                for file in replay(records, &mut content) {
                    let place = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
                    let start = place(file.offset & ((1 << PLACE_BITS) - 1));
                    batches
                        .entry(file.institution.filter(|_| several))
                        .or_default()
                        .push(JournalFile {
                            path: file.path,
                            journal: place(file.offset >> PLACE_BITS),
                            place: file.place,
                            start,
                            end: start.saturating_add(place(file.length)),
                        });
                }
            }
            for (institution, mut files) in batches {
                files.sort_by(|a, b| components(&a.path).cmp(components(&b.path)));
                patients.push(JournalPatient {
                    key: PatientKey {
                        patient: patient.clone(),
                        institution,
                    },
                    files,
                });
            }
        }
        patients
    }
}
