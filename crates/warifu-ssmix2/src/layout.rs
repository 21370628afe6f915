//! Paths grouped by patient, for storages held in memory and small lists.

use warifu_order::Map;

use crate::institution::InstitutionNumber;
use crate::path::{JournalName, Place, institution_of_root, locate};

/// One patient of one institution.
///
/// Two institutions may use the same patient number; their volumes are told apart by the
/// institution number in the names of their roots ([`RootInstitutions`]).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PatientKey {
    /// Patient id of folder level 3.
    pub patient: String,
    /// Institution of the volume, `None` when all volumes belong together.
    pub institution: Option<InstitutionNumber>,
}

/// Institution numbers in the names of the roots of one input.
///
/// With at most one number all roots are volumes of one institution and merge; with two
/// or more each number is a set of its own, and roots without a number are one more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RootInstitutions {
    first: Option<InstitutionNumber>,
    several: bool,
}

impl RootInstitutions {
    /// Adds the name of a root folder (its last component).
    pub fn add(&mut self, root_name: &str) {
        if let Some(number) = institution_of_root(root_name) {
            self.several |= *self.first.get_or_insert(number) != number;
        }
    }

    /// The one institution of all roots, if exactly one number was met.
    pub fn only(&self) -> Option<InstitutionNumber> {
        self.first.filter(|_| !self.several)
    }

    /// Whether volumes of several institutions were met.
    pub fn are_several(&self) -> bool {
        self.several
    }

    /// Set to which a root belongs: `None` unless there are several institutions.
    pub fn set_of(&self, root_name: &str) -> Option<InstitutionNumber> {
        if self.are_several() {
            institution_of_root(root_name)
        } else {
            None
        }
    }
}

/// A list of relative paths, sorted out.
///
/// Paths are named by their index in the list given to [`Layout::of`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// Files of the standard and extended storage by patient, in the order of their paths.
    pub patients: Map<PatientKey, Vec<usize>>,
    /// Journals in the order of replaying.
    pub journals: Vec<usize>,
    /// Everything else, in the order of the paths.
    pub loose: Vec<usize>,
    /// Institutions met in the names of the roots.
    pub institutions: RootInstitutions,
}

impl Layout {
    /// Sorts out paths whose components are separated by `/` or `\`.
    ///
    /// ```
    /// use warifu_ssmix2::Layout;
    /// let layout = Layout::of(&[
    ///     "s/012/345/0123456789/-/ADT-00/0123456789_-_ADT-00_999999999999999_20260401093015123_-_1",
    ///     "s/readme.txt",
    /// ]);
    /// assert_eq!(layout.patients.len(), 1);
    /// assert_eq!(layout.loose, [1]);
    /// ```
    pub fn of(paths: &[&str]) -> Self {
        let mut sorted: Vec<usize> = (0..paths.len()).collect();
        warifu_order::sort_by_key(&mut sorted, |&index| paths.get(index));
        let split = |index: usize| -> Vec<&str> {
            paths
                .get(index)
                .map(|path| crate::path::components(path).collect())
                .unwrap_or_default()
        };
        let root_name = |parts: &[&str], depth: usize| -> String {
            depth
                .checked_sub(1)
                .and_then(|at| parts.get(at))
                .map(|name| (*name).to_owned())
                .unwrap_or_default()
        };
        let mut layout = Self::default();
        for &index in &sorted {
            let parts = split(index);
            if let Place::Item(item) = locate(&parts) {
                layout.institutions.add(&root_name(&parts, item.root_depth));
            }
        }
        let mut journals: Vec<(JournalName<'_>, usize)> = Vec::new();
        for &index in &sorted {
            let parts = split(index);
            match locate(&parts) {
                Place::Item(item) => {
                    let key = PatientKey {
                        patient: item.patient.to_owned(),
                        institution: layout
                            .institutions
                            .set_of(&root_name(&parts, item.root_depth)),
                    };
                    layout.patients.entry(key).or_default().push(index);
                }
                Place::Journal(name) => journals.push((name, index)),
                Place::Elsewhere => layout.loose.push(index),
            }
        }
        // Stable: equal names stay in the order of their paths.
        warifu_order::sort_by_key(&mut journals, |(name, _)| *name);
        layout.journals = journals.into_iter().map(|(_, index)| index).collect();
        layout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(root: &str, patient: &str) -> String {
        format!(
            "{root}/012/345/{patient}/-/ADT-00/{patient}_-_ADT-00_999999999999999_20260401093015123_-_1"
        )
    }

    #[test]
    fn volumes_of_one_institution_merge() {
        let paths = [
            path("STD01", "0123456789"),
            path("1310000001_2", "0123456789"),
        ];
        let layout = Layout::of(&paths.each_ref().map(String::as_str));
        assert_eq!(layout.patients.len(), 1);
        assert_eq!(layout.institutions.only().unwrap().as_str(), "1310000001");
    }

    #[test]
    fn same_patient_number_of_two_institutions_stays_apart() {
        let paths = [
            path("1310000001", "0123456789"),
            path("1310000002_STD", "0123456789"),
        ];
        let layout = Layout::of(&paths.each_ref().map(String::as_str));
        assert_eq!(layout.patients.len(), 2);
        assert!(layout.institutions.are_several());
    }

    #[test]
    fn journals_are_in_the_order_of_replaying() {
        let layout = Layout::of(&[
            "2012/TR_20120101000000000_00001.DAT",
            "2011/TR_20111231000000000_00002.DAT",
            "2011/TR_20111231000000000_00001.DAT",
        ]);
        assert_eq!(layout.journals, [2, 1, 0]);
    }
}
