//! What `--watch` need not check again: patients and loose files of which nothing has changed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use warifu_report::report::FileReport;

/// Path, time of the last change and size of each file of a unit.
pub(crate) type Marks = Vec<(PathBuf, Option<SystemTime>, u64)>;

/// Reports that are kept; units beyond are checked again each time.
const MOST: usize = 200_000;

#[derive(Default)]
struct Kept {
    units: BTreeMap<Marks, Vec<FileReport>>,
    reports: usize,
}

/// The reports of the run before, and those of this one.
#[derive(Default)]
pub(crate) struct Unchanged {
    before: BTreeMap<Marks, Vec<FileReport>>,
    now: Mutex<Kept>,
}

impl Unchanged {
    /// Begins the next run: what was not met in the last one is forgotten.
    pub(crate) fn turn(&mut self) {
        let now = self.now.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.before = std::mem::take(now).units;
    }

    /// The reports of a unit whose files are as they were.
    pub(crate) fn reports(&self, marks: &Marks) -> Option<&[FileReport]> {
        self.before.get(marks).map(Vec::as_slice)
    }

    /// Keeps the reports of a unit for the next run.
    pub(crate) fn keep(&self, marks: Marks, reports: &[FileReport]) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now.reports + reports.len() <= MOST {
            now.reports += reports.len();
            now.units.insert(marks, reports.to_vec());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(size: u64) -> Marks {
        vec![(PathBuf::from("a"), None, size)]
    }

    #[test]
    fn a_unit_is_known_until_a_file_of_it_changes_or_a_run_passes_without_it() {
        let mut known = Unchanged::default();
        known.keep(marks(1), &[FileReport::default()]);
        // Not within the same run: a unit is met once.
        assert!(known.reports(&marks(1)).is_none());
        known.turn();
        assert_eq!(known.reports(&marks(1)).map(<[_]>::len), Some(1));
        assert!(known.reports(&marks(2)).is_none());
        known.turn();
        assert!(known.reports(&marks(1)).is_none());
    }

    #[test]
    fn no_more_is_kept_than_the_bound() {
        let mut known = Unchanged::default();
        known.keep(marks(1), &vec![FileReport::default(); MOST]);
        known.keep(marks(2), &[FileReport::default()]);
        known.turn();
        assert!(known.reports(&marks(1)).is_some() && known.reports(&marks(2)).is_none());
    }
}
