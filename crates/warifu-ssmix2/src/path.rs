//! Paths: `PPP/PPP/PATIENTID/DATE/KIND/FILE`, content folders, journals.

use crate::institution::InstitutionNumber;
use crate::kind::Kind;
use crate::name::{FileName, NameError, StorageKey, is_date_or_dash};
use crate::note::NameNote;

/// How many folders may lie above the first level of a storage.
pub const ROOT_DEPTH_LIMIT: usize = 3;

/// Components of a relative path; `/` and `\` both separate, empty and `.` components
/// are left out. `..` is kept: whoever opens the path has to refuse it.
///
/// ```
/// let parts: Vec<&str> = warifu_ssmix2::components(r".\000//000\1").collect();
/// assert_eq!(parts, ["000", "000", "1"]);
/// ```
pub fn components(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(path);
    std::iter::from_fn(move || {
        loop {
            let all = rest?;
            let separator = memchr::memchr2(b'/', b'\\', all.as_bytes());
            let part = all.get(..separator.unwrap_or(all.len()))?;
            rest = separator.and_then(|at| all.get(at + 1..));
            if !part.is_empty() && part != "." {
                return Some(part);
            }
        }
    })
}

/// Where a path belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place<'a> {
    /// A file of the standard storage, or inside a content folder of the extended one.
    Item(Located<'a>),
    /// A journal `YYYY/TR_….DAT` of the transaction storage.
    Journal(JournalName<'a>),
    /// Neither.
    Elsewhere,
}

/// The levels of a path inside a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<'a> {
    /// Number of leading components that are the storage root (0–3).
    pub root_depth: usize,
    /// Level 1: first three characters of the patient id.
    pub level1: &'a str,
    /// Level 2: characters 4–6; empty when the id is too short to have this level, or it is missing.
    pub level2: &'a str,
    /// Level 3: patient id (患者ID).
    pub patient: &'a str,
    /// Level 4: care date (診療日) or `-`; empty when the level is missing.
    pub date: &'a str,
    /// Level 5: data kind (データ種別); empty when the level is missing.
    pub kind: &'a str,
    /// Level 6: file, or content folder (コンテンツフォルダ) of an extended item.
    pub leaf: &'a str,
    /// Components below level 6, the file last; empty when level 6 is the file.
    pub inside: Vec<&'a str>,
}

/// Name of a journal file, `TR_YYYYMMDDHHMMSSFFF_nnnnn.DAT`.
///
/// Journals sort by time stamp, then number: that is the order of replaying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JournalName<'a> {
    /// 17 digits.
    pub timestamp: &'a str,
    /// Number within the time stamp.
    pub number: &'a str,
}

impl<'a> JournalName<'a> {
    /// Reads the name of a journal, upper or lower case; `None` when it is none.
    ///
    /// ```
    /// use warifu_ssmix2::JournalName;
    /// assert!(JournalName::parse("TR_20110701224603984_00001.DAT").is_some());
    /// assert!(JournalName::parse("TR_2011.DAT").is_none());
    /// ```
    pub fn parse(name: &'a str) -> Option<Self> {
        let prefix = name.get(..3)?;
        let cut = name.len().checked_sub(4)?;
        let (stem, extension) = (name.get(3..cut)?, name.get(cut..)?);
        if !prefix.eq_ignore_ascii_case("TR_") || !extension.eq_ignore_ascii_case(".DAT") {
            return None;
        }
        let (timestamp, number) = stem.split_once('_')?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        (timestamp.len() >= 12 && digits(timestamp) && digits(number))
            .then_some(Self { timestamp, number })
    }

    /// Whether the time stamp begins with a time of the calendar, down to the minute.
    ///
    /// ```
    /// use warifu_ssmix2::JournalName;
    /// let name = JournalName::parse("TR_20269901000000000_00001.DAT").unwrap();
    /// assert!(!name.has_time());
    /// ```
    pub fn has_time(&self) -> bool {
        let below = |at: usize, most: u32| {
            let part = self.timestamp.get(at..at + 2);
            part.and_then(|p| p.parse().ok())
                .is_some_and(|n: u32| n < most)
        };
        self.timestamp.get(..8).is_some_and(is_date_or_dash) && below(8, 24) && below(10, 60)
    }
}

/// Level 1 of a patient id: its first three characters.
pub fn level1_of(patient: &str) -> &str {
    char_slice(patient, 0, 3)
}

/// Level 2 of a patient id: characters 4–6; empty for ids of up to three characters.
pub fn level2_of(patient: &str) -> &str {
    char_slice(patient, 3, 3)
}

fn char_slice(text: &str, skip: usize, take: usize) -> &str {
    let at = |n: usize| text.char_indices().nth(n).map_or(text.len(), |(at, _)| at);
    text.get(at(skip)..at(skip + take)).unwrap_or_default()
}

/// Finds the storage levels in the components of a relative path, at most
/// [`ROOT_DEPTH_LIMIT`] components below its beginning.
///
/// A place fits when the care date and the data kind are in place, or one of them and
/// the slices of the patient id; what then disagrees is told by [`Located::notes`]. Below the folder of
/// a patient that is in place, the name of a file is enough: then those two levels may be missing.
///
/// ```
/// use warifu_ssmix2::{Place, locate};
/// let path = ["standard_root", "012", "345", "0123456789", "-", "ADT-00",
///     "0123456789_-_ADT-00_999999999999999_20260401093015123_-_1"];
/// let Place::Item(item) = locate(&path) else { panic!() };
/// assert_eq!((item.root_depth, item.patient), (1, "0123456789"));
/// ```
pub fn locate<'a>(components: &[&'a str]) -> Place<'a> {
    for root_depth in 0..=ROOT_DEPTH_LIMIT.min(components.len()) {
        if let Some(item) = locate_at(components, root_depth) {
            return Place::Item(item);
        }
    }
    match components {
        [.., file] => JournalName::parse(file).map_or(Place::Elsewhere, Place::Journal),
        [] => Place::Elsewhere,
    }
}

/// Reads the levels that begin after exactly `root_depth` components; `None` when no
/// storage levels stand there. For readers that know where the root is.
pub fn locate_at<'a>(components: &[&'a str], root_depth: usize) -> Option<Located<'a>> {
    components
        .get(root_depth..)
        .and_then(|below_root| fit(root_depth, below_root))
}

fn fit<'a>(root_depth: usize, below_root: &[&'a str]) -> Option<Located<'a>> {
    let (level1, rest) = below_root.split_first()?;
    let ([level2, patient, date, kind, leaf], inside) = fit_levels(level1, rest)?;
    Some(Located {
        root_depth,
        level1,
        level2,
        patient,
        date,
        kind,
        leaf,
        inside: inside.to_vec(),
    })
}

/// What is below level 1, levels that are missing empty, and what lies in a content folder.
type BelowLevel1<'a, 'c> = ([&'a str; 5], &'c [&'a str]);

fn fit_levels<'a, 'c>(level1: &str, rest: &'c [&'a str]) -> Option<BelowLevel1<'a, 'c>> {
    if let [level2, patient, date, kind, leaf, inside @ ..] = rest
        && fits(level1, level2, patient, date, kind)
        && !is_root_above(level1, level2, patient)
    {
        return Some(([level2, patient, date, kind, leaf], inside));
    }
    // Before level 2 could be taken for the patient.
    if let Some(named) = fit_named(level1, rest) {
        return Some((named, &[]));
    }
    match rest {
        // Ids of up to three characters leave nothing for level 2. Else it is missing; what level 1 is has
        // to show it, since a path may begin at level 2.
        [patient, date, kind, leaf, inside @ ..]
            if patient.chars().count() <= 3 && fits(level1, "", patient, date, kind)
                || level1 == level1_of(patient)
                    && level1 != level2_of(patient)
                    && fits_below(date, kind) =>
        {
            Some((["", patient, date, kind, leaf], inside))
        }
        _ => None,
    }
}

/// A file whose name is that of an item, below the folder of a patient that is in place: what is between
/// may be anything, but no more than two levels.
fn fit_named<'a>(level1: &str, rest: &[&'a str]) -> Option<[&'a str; 5]> {
    let (leaf, folders) = rest.split_last()?;
    let (level2, patient, between) = match *folders {
        [level2, patient, ref between @ ..] if is_sliced(level1, level2, patient) => {
            (level2, patient, between)
        }
        [patient, ref between @ ..] if is_sliced(level1, "", patient) => ("", patient, between),
        _ => return None,
    };
    let (date, kind) = match *between {
        [] => ("", ""),
        [date] if is_date_or_dash(date) => (date, ""),
        [kind] => ("", kind),
        [date, kind] => (date, kind),
        _ => return None,
    };
    // Asked last: it costs the most, and most paths fail above.
    is_item_name(leaf).then_some([level2, patient, date, kind, leaf])
}

/// Whether a file name says on its own that the file is an item of a storage: it has all parts, a day (or
/// `-`) and a data kind.
///
/// ```
/// use warifu_ssmix2::is_item_name;
/// assert!(is_item_name("0123456789_20260401_OMP-01_000000000000001_20260401093015123_01_1"));
/// assert!(!is_item_name("report_final_v2_1"));
/// ```
pub fn is_item_name(leaf: &str) -> bool {
    FileName::parse(leaf).is_ok_and(|name| fits_below(name.date, name.kind))
}

/// Whether the second of two folders is level 1 of a patient and the first none of its levels: a root with
/// a short name, above a patient without level 2.
fn is_root_above(first: &str, second: &str, patient: &str) -> bool {
    let level2 = level2_of(patient);
    second == level1_of(patient) && second != level2 && first != second && first != level2
}

/// Whether levels 1 and 2 are the slices of the patient id.
fn is_sliced(level1: &str, level2: &str, patient: &str) -> bool {
    level1 == level1_of(patient) && level2 == level2_of(patient)
}

/// Whether two folder names are a care date and a data kind.
fn fits_below(date: &str, kind: &str) -> bool {
    is_date_or_dash(date) && !matches!(Kind::of(kind), Kind::Unknown(_))
}

/// Whether five folder names can be the levels of a storage.
fn fits(level1: &str, level2: &str, patient: &str, date: &str, kind: &str) -> bool {
    let short = |level: &str| level.chars().count() <= 3;
    if level1.is_empty() || patient.is_empty() || !short(level1) || !short(level2) {
        return false;
    }
    let sliced = is_sliced(level1, level2, patient);
    let dated = is_date_or_dash(date);
    let known = !matches!(Kind::of(kind), Kind::Unknown(_));
    (dated && known) || (sliced && (dated || known))
}

impl<'a> Located<'a> {
    /// The file name, or the name of the content folder.
    ///
    /// # Errors
    /// [`NameError`] when level 6 is no storage name.
    pub fn name(&self) -> Result<FileName<'a>, NameError> {
        FileName::parse_in(self.leaf, Some(self.kind).filter(|kind| !kind.is_empty()))
    }

    /// Key of the item: patient of the folder, the rest of the file name; all of the
    /// folder when the file name cannot be read (the order number is then empty).
    pub fn key(&self) -> StorageKey<'a> {
        self.name().map_or(
            StorageKey {
                patient: self.patient,
                date: self.date,
                kind: self.kind,
                order: "",
            },
            |name| StorageKey {
                patient: self.patient,
                ..name.key()
            },
        )
    }

    /// Whether this is a file inside a content folder.
    pub fn is_in_content_folder(&self) -> bool {
        !self.inside.is_empty()
    }

    /// Whether the data kind of the folder is an extended one.
    pub fn is_extended(&self) -> bool {
        matches!(Kind::of(self.kind), Kind::Extended(_))
    }

    /// What disagrees between the levels and the file name, and what is odd about the
    /// name: notes on the path first.
    pub fn notes(&self) -> Vec<NameNote> {
        let mut notes = Vec::new();
        if self.level1 != level1_of(self.patient) {
            notes.push(NameNote::LevelOneDiffers);
        }
        if self.level2 != level2_of(self.patient) {
            notes.push(NameNote::LevelTwoDiffers);
        }
        if self.is_extended() && self.inside.is_empty() {
            notes.push(NameNote::ContentFolderMissing);
        }
        if !self.is_extended() && !self.inside.is_empty() {
            notes.push(NameNote::ExtraLevel);
        }
        let mut push_new = |note: NameNote| {
            if !notes.contains(&note) {
                notes.push(note);
            }
        };
        // A level that is missing differs from what the name says.
        if !self.date.is_empty() && !is_date_or_dash(self.date) {
            push_new(NameNote::DateInvalid);
        }
        if !self.kind.is_empty() && matches!(Kind::of(self.kind), Kind::Unknown(_)) {
            push_new(NameNote::KindUnknown);
        }
        if let Ok(name) = self.name() {
            if name.patient != self.patient {
                push_new(NameNote::PatientDiffers);
            }
            if name.date != self.date {
                push_new(NameNote::DateDiffers);
            }
            if name.kind != self.kind {
                push_new(NameNote::KindDiffers);
            }
            name.notes().into_iter().for_each(push_new);
        }
        notes
    }
}

/// Institution number in the name of a storage root: its first ten digits, when a
/// suffix or nothing follows.
///
/// ```
/// use warifu_ssmix2::institution_of_root;
/// assert_eq!(institution_of_root("1310000001_STD01").unwrap().as_str(), "1310000001");
/// assert!(institution_of_root("standard_root").is_none());
/// assert!(institution_of_root("13100000012").is_none());
/// ```
pub fn institution_of_root(name: &str) -> Option<InstitutionNumber> {
    let (number, suffix) = (name.get(..10)?, name.get(10..)?);
    if suffix.bytes().next().is_some_and(|b| b.is_ascii_digit()) {
        return None;
    }
    InstitutionNumber::parse(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAME: &str = "0123456789_20260401_OMP-01_000000000000001_20260401093015123_01_1";

    fn item(path: &str) -> Located<'_> {
        let parts: Vec<&str> = components(path).collect();
        match locate(&parts) {
            Place::Item(item) => item,
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn a_file_below_its_patient_is_found_without_the_levels_of_day_and_kind() {
        use NameNote::{DateDiffers, DateInvalid, KindDiffers, KindUnknown, PatientDiffers};
        let patient = "std/012/345/0123456789";
        let other = NAME.replace("0123456789", "0123456780");
        for (between, name, notes) in [
            ("20260401/OMP-01/", NAME, vec![]),
            ("20260401/", NAME, vec![KindDiffers]),
            ("OMP-01/", NAME, vec![DateDiffers]),
            ("", NAME, vec![DateDiffers, KindDiffers]),
            ("20260402/", NAME, vec![DateDiffers, KindDiffers]),
            (
                "OMP-01/20260401/",
                NAME,
                vec![DateInvalid, KindUnknown, DateDiffers, KindDiffers],
            ),
            ("20260401/", &other, vec![PatientDiffers, KindDiffers]),
        ] {
            let path = format!("{patient}/{between}{name}");
            let item = item(&path);
            assert_eq!((item.root_depth, item.patient), (1, "0123456789"), "{path}");
            assert_eq!(item.notes(), notes, "{path}");
            assert!(item.name().is_ok(), "{path}");
        }
        for path in [
            format!("{patient}/20260401/readme.txt"),
            format!("std/012/346/0123456789/20260401/{NAME}"),
            format!("{patient}/a/b/c/{NAME}"),
            format!("std/{NAME}"),
        ] {
            let parts: Vec<&str> = components(&path).collect();
            assert_eq!(locate(&parts), Place::Elsewhere, "{path}");
        }
        let short = NAME.replace("0123456789", "12");
        let path = format!("12/12/20260401/{short}");
        assert_eq!(item(&path).notes(), [KindDiffers]);
    }

    #[test]
    fn storage_is_found_up_to_three_folders_down_and_not_at_the_fourth() {
        for (prefix, depth) in [("", 0), ("a/", 1), ("a/b/", 2), ("a/b/c/", 3)] {
            let path = format!("{prefix}012/345/0123456789/20260401/OMP-01/{NAME}");
            assert_eq!(item(&path).root_depth, depth);
            assert_eq!(item(&path).notes(), []);
        }
        let path = format!("a/b/c/d/012/345/0123456789/20260401/OMP-01/{NAME}");
        assert_eq!(
            locate(&components(&path).collect::<Vec<_>>()),
            Place::Elsewhere
        );
    }

    #[test]
    fn backslashes_separate_too() {
        let path = format!(r"C\012\345\0123456789\20260401\OMP-01\{NAME}");
        assert_eq!(item(&path).patient, "0123456789");
    }

    #[test]
    fn file_that_fits_no_level_of_its_path_is_found_and_named() {
        let item = item(
            "000/000/0000001/20000401/ADT-31/9999013_20110630_OMP-11_123456789012345_20110701113813225_01_1",
        );
        assert_eq!(
            item.notes(),
            [
                NameNote::PatientDiffers,
                NameNote::DateDiffers,
                NameNote::KindDiffers
            ]
        );
        assert_eq!(
            item.key().to_string(),
            "0000001/20110630/OMP-11/123456789012345"
        );
    }

    #[test]
    fn content_folder_and_the_files_inside_are_told_apart() {
        let kind = "L-OBSERVATIONS^OBSERVATIONS^99ZL01";
        let path = format!(
            "extended_root/012/345/0123456789/20160101/{kind}/0123456789_20160101_{kind}_000000020160101_201601011500321_1/img/a.png"
        );
        let item = item(&path);
        assert_eq!(item.inside, ["img", "a.png"]);
        assert_eq!(item.name().unwrap().order, "000000020160101");
        assert!(item.is_in_content_folder());
    }

    #[test]
    fn extended_item_without_content_folder_is_noted() {
        let kind = "L^X^99";
        let path = format!(
            "012/345/0123456789/20160101/{kind}/0123456789_20160101_{kind}_1_20160101150032100_-_1"
        );
        assert_eq!(item(&path).notes(), [NameNote::ContentFolderMissing]);
    }

    #[test]
    fn short_patient_ids_have_short_or_missing_levels() {
        let path = "123/45/12345/-/ADT-00/12345_-_ADT-00_999999999999999_20260401093015123_-_1";
        assert_eq!(item(path).notes(), []);
        let path = "12/12/-/ADT-00/12_-_ADT-00_999999999999999_20260401093015123_-_1";
        assert_eq!((item(path).patient, item(path).level2), ("12", ""));
        assert_eq!(item(path).notes(), []);
    }

    #[test]
    fn a_missing_second_level_is_noted_where_the_first_one_shows_it() {
        let path = format!("a/012/0123456789/20260401/OMP-01/{NAME}");
        let found = item(&path);
        assert_eq!((found.root_depth, found.patient), (1, "0123456789"));
        assert_eq!(found.notes(), [NameNote::LevelTwoDiffers]);
        // A tree that begins at level 2, and one of which nobody can tell.
        for path in [
            format!("345/0123456789/20260401/OMP-01/{NAME}"),
            "000/0000000001/-/ADT-00/0000000001_-_ADT-00_999999999999999_20260401093015123_-_1"
                .to_owned(),
        ] {
            let parts: Vec<&str> = components(&path).collect();
            assert_eq!(locate(&parts), Place::Elsewhere, "{path}");
        }
    }

    #[test]
    fn levels_that_are_no_slices_of_the_id_are_noted() {
        let path = format!("013/346/0123456789/20260401/OMP-01/{NAME}");
        assert_eq!(
            item(&path).notes(),
            [NameNote::LevelOneDiffers, NameNote::LevelTwoDiffers]
        );
    }

    #[test]
    fn unknown_kind_and_broken_date_are_found_by_the_patient_levels() {
        let item = item("012/345/0123456789/20260401/OMP-99/readme");
        assert_eq!(item.notes(), [NameNote::KindUnknown]);
        assert_eq!(item.name(), Err(NameError::TooFewParts));
        assert_eq!(item.key().order, "");
    }

    #[test]
    fn journal_is_recognised_below_its_year() {
        let Place::Journal(journal) = locate(&["tx", "2011", "TR_20110701224603984_00001.DAT"])
        else {
            panic!("not a journal")
        };
        assert_eq!(journal.number, "00001");
    }

    #[test]
    fn foreign_files_are_elsewhere() {
        for path in ["SOURCE.md", "a/b/c/d/e/f/g.txt", "000/readme.txt"] {
            let parts: Vec<&str> = components(path).collect();
            assert_eq!(locate(&parts), Place::Elsewhere);
        }
    }

    proptest! {
        #[test]
        fn any_components_are_classified_without_panic(
            parts in prop::collection::vec(prop_oneof!["[0-9]{1,10}", "-", "ADT-00", "a\\^b\\^c", "\\PC{0,12}"], 0..10)
        ) {
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            if let Place::Item(item) = locate(&parts) {
                prop_assert!(item.root_depth <= ROOT_DEPTH_LIMIT);
                let _ = (item.notes(), item.key());
            }
        }
    }
}
