//! The list of opened files: patients with their files, as it arrives from the worker in pieces.

use crate::json::{Json, Value};
use crate::{outline::Outline, text::holds};

/// What the storage says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// The version in force, or a file outside a storage.
    #[default]
    Current,
    /// A newer version of the same order exists.
    Superseded,
    /// Withdrawn by a later file.
    Cancelled,
    /// An older snapshot.
    Old,
    /// Does not fit the storage's grammar.
    Foreign,
}

impl State {
    fn of(text: &str) -> Self {
        match text {
            "superseded" => Self::Superseded,
            "cancelled" => Self::Cancelled,
            "snapshot-old" => Self::Old,
            "foreign" => Self::Foreign,
            _ => Self::Current,
        }
    }
}

/// Findings counted by severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Errors.
    pub errors: u32,
    /// Warnings.
    pub warnings: u32,
    /// Infos.
    pub infos: u32,
}

impl Counts {
    /// Errors and warnings, what the list shows.
    pub const fn shown(self) -> u32 {
        self.errors + self.warnings
    }

    /// All findings.
    pub const fn all(self) -> u32 {
        self.errors + self.warnings + self.infos
    }

    fn add(&mut self, other: Self) {
        self.errors += other.errors;
        self.warnings += other.warnings;
        self.infos += other.infos;
    }
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct File {
    /// Number under which the worker knows it.
    pub id: u32,
    /// Path inside the storage, or the file's name.
    pub path: String,
    /// Data kind, may be empty.
    pub kind: String,
    /// Date folder or time in the name, may be empty.
    pub date: String,
    /// Its state.
    pub state: State,
    /// Patient it belongs to.
    pub patient: u32,
    /// Findings, once it was converted.
    pub counts: Option<Counts>,
}

impl File {
    /// Last part of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit(['/', '\\']).next().unwrap_or(&self.path)
    }
}

/// One patient folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Patient {
    /// Patient number, or a folder's name; empty for files outside any.
    pub id: String,
    /// Number of files.
    pub files: u32,
    /// Findings of all its files.
    pub counts: Counts,
}

/// A row of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A patient by index.
    Patient(usize),
    /// A file by index.
    File(usize),
}

/// Everything opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileList {
    /// Files in the order shown.
    pub files: Vec<File>,
    /// Patients in the order shown.
    pub patients: Vec<Patient>,
    entries: Vec<Entry>,
    /// Position in `files` by worker id.
    by_id: Vec<u32>,
    outline: Outline,
    filter: String,
    listed: usize,
}

/// Above this many files the patients start closed.
const OPEN_LIMIT: usize = 400;

impl FileList {
    /// Adds the rows of one message: `[id, path, patient, kind, state, date]` each, patients in runs.
    pub fn add_rows(&mut self, rows: Value<'_>) {
        for row in rows.items() {
            let id = row.item(0).uint();
            let patient = row.item(2).string();
            if self.patients.last().is_none_or(|p| p.id != patient) {
                self.patients.push(Patient {
                    id: patient,
                    ..Patient::default()
                });
            }
            if let Some(p) = self.patients.last_mut() {
                p.files += 1;
            }
            let slot = id as usize;
            // Ids are handed out in sequence; a hole larger than this is not ours.
            if slot > self.by_id.len() + 2_000_000 {
                continue;
            }
            if self.by_id.len() <= slot {
                self.by_id.resize(slot + 1, u32::MAX);
            }
            if let Some(s) = self.by_id.get_mut(slot) {
                *s = crate::json::cut(self.files.len());
            }
            self.files.push(File {
                id,
                path: row.item(1).string(),
                kind: row.item(3).string(),
                state: State::of(&row.item(4).string()),
                date: row.item(5).string(),
                patient: crate::json::cut(self.patients.len() - 1),
                counts: None,
            });
        }
    }

    /// Reads rows from JSON text and adds them.
    pub fn add(&mut self, bytes: Vec<u8>) {
        if let Ok(json) = Json::parse(bytes) {
            self.add_rows(json.root());
        }
    }

    /// Takes the counts of converted files: `[id, errors, warnings, infos]` each.
    pub fn add_counts(&mut self, rows: Value<'_>) {
        for row in rows.items() {
            let counts = Counts {
                errors: row.item(1).uint(),
                warnings: row.item(2).uint(),
                infos: row.item(3).uint(),
            };
            let at = self
                .by_id
                .get(row.item(0).uint() as usize)
                .copied()
                .unwrap_or(u32::MAX);
            if let Some(file) = self.files.get_mut(at as usize)
                && file.counts.is_none()
            {
                file.counts = Some(counts);
                if let Some(p) = self.patients.get_mut(file.patient as usize) {
                    p.counts.add(counts);
                }
            }
        }
    }

    /// Forgets all counts, before another run.
    pub fn clear_counts(&mut self) {
        for file in &mut self.files {
            file.counts = None;
        }
        for patient in &mut self.patients {
            patient.counts = Counts::default();
        }
    }

    /// Rebuilds the rows after files were added or the filter changed.
    pub fn rebuild(&mut self) {
        self.listed = self.files.len();
        let mut depths: Vec<u16> = Vec::with_capacity(self.files.len() + self.patients.len());
        self.entries.clear();
        let mut last = u32::MAX;
        for (i, file) in self.files.iter().enumerate() {
            if !self.filter.is_empty()
                && !holds(&file.path, &self.filter)
                && !holds(&file.kind, &self.filter)
            {
                continue;
            }
            if file.patient != last {
                last = file.patient;
                if self
                    .patients
                    .get(last as usize)
                    .is_some_and(|p| !p.id.is_empty())
                {
                    self.entries.push(Entry::Patient(last as usize));
                    depths.push(0);
                }
            }
            let under = self
                .patients
                .get(last as usize)
                .is_some_and(|p| !p.id.is_empty());
            self.entries.push(Entry::File(i));
            depths.push(u16::from(under));
        }
        self.outline = Outline::from_depths(&depths);
        if self.filter.is_empty() && self.files.len() > OPEN_LIMIT {
            self.outline.close_below(1);
            if let Some(first) = self
                .entries
                .iter()
                .position(|e| matches!(e, Entry::Patient(_)))
            {
                self.outline.set_open(first, true);
            }
        }
    }

    /// Keeps only files whose path or kind holds the text.
    pub fn set_filter(&mut self, text: &str) {
        text.trim().clone_into(&mut self.filter);
        self.rebuild();
    }

    /// Number of files that were there at the last [`Self::rebuild`].
    pub const fn listed(&self) -> usize {
        self.listed
    }

    /// The rows.
    pub const fn outline(&self) -> &Outline {
        &self.outline
    }

    /// The rows, to open and close.
    pub const fn outline_mut(&mut self) -> &mut Outline {
        &mut self.outline
    }

    /// What item `at` of the outline is.
    pub fn entry(&self, at: usize) -> Option<Entry> {
        self.entries.get(at).copied()
    }

    /// Item of a file in the outline.
    pub fn item_of(&self, file: usize) -> Option<usize> {
        self.entries.iter().position(|e| *e == Entry::File(file))
    }

    /// Position in the list by worker id.
    pub fn position(&self, id: u32) -> Option<usize> {
        self.by_id
            .get(id as usize)
            .filter(|&&p| p != u32::MAX)
            .map(|&p| p as usize)
    }

    /// Position in the list by path.
    pub fn by_path(&self, path: &str) -> Option<usize> {
        self.files.iter().position(|f| f.path == path)
    }

    /// All findings counted.
    pub fn totals(&self) -> Counts {
        let mut out = Counts::default();
        for p in &self.patients {
            out.add(p.counts);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(rows: &str) -> FileList {
        let mut l = FileList::default();
        l.add(rows.as_bytes().to_vec());
        l.rebuild();
        l
    }

    const ROWS: &str = r#"[[1,"r/000/000/0000000123/-/ADT-00/a","0000000123","ADT-00","current","-"],
      [0,"r/000/000/0000000123/20260401/OML-11/b","0000000123","OML-11","superseded","20260401"],
      [2,"x.txt","","","foreign",""]]"#;

    #[test]
    fn patients_hold_their_files_and_loose_files_stand_alone() {
        let l = list(ROWS);
        let shown: Vec<_> = (0..l.outline().rows())
            .filter_map(|r| l.entry(l.outline().at_row(r)?))
            .collect();
        assert_eq!(
            shown,
            [
                Entry::Patient(0),
                Entry::File(0),
                Entry::File(1),
                Entry::File(2)
            ]
        );
        assert_eq!(l.files[1].state, State::Superseded);
        assert_eq!(
            (l.position(0), l.position(1), l.position(9)),
            (Some(1), Some(0), None)
        );
        assert_eq!(l.files[0].name(), "a");
    }

    #[test]
    fn counts_add_up_per_patient_and_once_per_file() {
        let mut l = list(ROWS);
        let counts = Json::parse(b"[[0,1,2,3],[1,0,1,0],[0,9,9,9]]".to_vec()).unwrap();
        l.add_counts(counts.root());
        assert_eq!(
            l.patients[0].counts,
            Counts {
                errors: 1,
                warnings: 3,
                infos: 3
            }
        );
        assert_eq!((l.patients[0].counts.shown(), l.totals().all()), (4, 7));
        l.clear_counts();
        assert_eq!(l.totals().all(), 0);
    }

    #[test]
    fn a_filter_keeps_matching_files_and_their_patient() {
        let mut l = list(ROWS);
        l.set_filter("oml");
        assert_eq!(l.outline().rows(), 2);
        l.set_filter("nothing");
        assert_eq!(l.outline().rows(), 0);
        l.set_filter("");
        assert_eq!(l.outline().rows(), 4);
    }

    #[test]
    fn a_hundred_thousand_files_start_closed() {
        let mut l = FileList::default();
        for chunk in 0..20 {
            let rows: Vec<String> = (0..5_000)
                .map(|i| {
                    let n = chunk * 5_000 + i;
                    format!(r#"[{n},"r/{n}","{:010}","ADT-00","current","-"]"#, n / 100)
                })
                .collect();
            l.add(format!("[{}]", rows.join(",")).into_bytes());
        }
        l.rebuild();
        assert_eq!((l.files.len(), l.patients.len()), (100_000, 1_000));
        assert_eq!(l.outline().rows(), 1_000 + 100);
    }
}
