//! File names `PATIENTID_DATE_KIND_ORDERNO_TIMESTAMP_DEPT_FLAG` and keys.

use core::cmp::Ordering;
use core::fmt;

use crate::kind::{ExtendedKind, Kind};
use crate::note::NameNote;

/// Order number of the kinds that have none.
pub const NO_ORDER: &str = "999999999999999";

/// Condition flag (コンディションフラグ), the last part of a file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// `0`: deleted – or, in older modules, replaced.
    Deleted,
    /// `1`: valid and newest.
    Current,
    /// `2`: replaced by a newer version.
    Replaced,
}

impl Flag {
    /// The flag of a one-character text.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "0" => Some(Self::Deleted),
            "1" => Some(Self::Current),
            "2" => Some(Self::Replaced),
            _ => None,
        }
    }

    /// `0`, `1` or `2`.
    pub const fn as_char(self) -> char {
        match self {
            Self::Deleted => '0',
            Self::Current => '1',
            Self::Replaced => '2',
        }
    }
}

/// Why a name is no storage name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Fewer parts than patient, date, kind, order number, time stamp and flag.
    #[error("fewer than six parts separated by `_`")]
    TooFewParts,
    /// The last part is not `0`, `1` or `2`.
    #[error("the last part is no condition flag (0, 1 or 2)")]
    Flag,
    /// No all-digit part of at least twelve digits stands before the department.
    #[error("no time stamp where one belongs")]
    Timestamp,
    /// Patient id or data kind is empty.
    #[error("patient id or data kind is empty")]
    EmptyPart,
}

/// Time stamp part of a name, ordered as a string that is padded with `0` on the right
/// to 17 digits.
///
/// Two stamps are equal when their padded forms are: `201601011500` equals
/// `20160101150000000`.
#[derive(Debug, Clone, Copy)]
pub struct Timestamp<'a>(pub &'a str);

impl Timestamp<'_> {
    /// Seventeen digits, cut or padded with `0` on the right.
    pub fn padded(&self) -> [u8; 17] {
        let mut padded = [b'0'; 17];
        for (to, from) in padded.iter_mut().zip(self.0.bytes()) {
            *to = from;
        }
        padded
    }
}

impl PartialEq for Timestamp<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.padded() == other.padded()
    }
}
impl Eq for Timestamp<'_> {}
impl PartialOrd for Timestamp<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Timestamp<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.padded().cmp(&other.padded())
    }
}

/// Parts of the name of a file of the standard storage, or of a content folder of the
/// extended storage.
///
/// # Standard
/// SS-MIX2 標準化ストレージ仕様書, ファイル命名規約; 拡張ストレージ構成の説明と構築ガイドライン.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileName<'a> {
    /// Patient id (患者ID).
    pub patient: &'a str,
    /// Care date (診療日) `YYYYMMDD` or `-`.
    pub date: &'a str,
    /// Data kind (データ種別) as written.
    pub kind: &'a str,
    /// Order number (オーダNo), or the specific key (特定キー) of an extended item.
    pub order: &'a str,
    /// When the message was written (発生日時).
    pub timestamp: Timestamp<'a>,
    /// Department (診療科コード) as written; `None` when the part is absent.
    pub department: Option<&'a str>,
    /// Condition flag.
    pub flag: Flag,
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_timestamp(text: &str) -> bool {
    text.len() >= 12 && is_digits(text)
}

impl<'a> FileName<'a> {
    /// Reads a name from both ends.
    ///
    /// # Errors
    /// [`NameError`] when the name is no storage name. What is merely odd is not an
    /// error; see [`FileName::notes`].
    ///
    /// ```
    /// use warifu_ssmix2::{FileName, Flag};
    /// let name = FileName::parse("0123456789_20080126_OML-11_081251234567800_200802031630123_01_1")?;
    /// assert_eq!(name.order, "081251234567800");
    /// assert_eq!(name.department, Some("01"));
    /// assert_eq!(name.flag, Flag::Current);
    /// # Ok::<(), warifu_ssmix2::NameError>(())
    /// ```
    pub fn parse(name: &'a str) -> Result<Self, NameError> {
        Self::parse_in(name, None)
    }

    /// Reads a name that lies in a folder of the given data kind, which settles where the
    /// kind ends when kind or specific key contain `_`.
    ///
    /// # Errors
    /// As [`FileName::parse`].
    pub fn parse_in(name: &'a str, kind_folder: Option<&str>) -> Result<Self, NameError> {
        let (head, flag) = name.rsplit_once('_').ok_or(NameError::TooFewParts)?;
        let flag = Flag::parse(flag).ok_or(NameError::Flag)?;
        let (patient, rest) = head.split_once('_').ok_or(NameError::TooFewParts)?;
        let (date, middle) = rest.split_once('_').ok_or(NameError::TooFewParts)?;
        let (before, last) = middle.rsplit_once('_').ok_or(NameError::TooFewParts)?;
        let (before, timestamp, department) = if is_timestamp(last) {
            (before, last, None)
        } else {
            let (before, stamp) = before.rsplit_once('_').ok_or(NameError::TooFewParts)?;
            // A stamp shorter than twelve digits counts only where it cannot be anything
            // else: before the department, with kind and order number in front of it.
            if is_timestamp(stamp) || (stamp.len() >= 8 && is_digits(stamp)) {
                (before, stamp, Some(last))
            } else {
                return Err(NameError::Timestamp);
            }
        };
        let within_folder = kind_folder.and_then(|kind| {
            let order = before.strip_prefix(kind)?.strip_prefix('_')?;
            Some((before.get(..kind.len())?, order))
        });
        let (kind, order) = within_folder
            .or_else(|| before.rsplit_once('_'))
            .ok_or(NameError::TooFewParts)?;
        if patient.is_empty() || kind.is_empty() {
            return Err(NameError::EmptyPart);
        }
        Ok(Self {
            patient,
            date,
            kind,
            order,
            timestamp: Timestamp(timestamp),
            department: department.filter(|part| !part.is_empty()),
            flag,
        })
    }

    /// The data kind.
    pub fn data_kind(&self) -> Kind<'a> {
        Kind::of(self.kind)
    }

    /// Department code; `None` when it is absent or `-`.
    pub fn department_code(&self) -> Option<&'a str> {
        self.department.filter(|code| *code != "-")
    }

    /// Key of the item this file is a version of; the patient id is that of the name.
    pub const fn key(&self) -> StorageKey<'a> {
        StorageKey {
            patient: self.patient,
            date: self.date,
            kind: self.kind,
            order: self.order,
        }
    }

    /// Whether the item has no order number of its own.
    pub fn is_without_order_no(&self) -> bool {
        self.order.len() >= 13 && self.order.bytes().all(|b| b == b'9')
    }

    /// What is odd about the name, in the order of its parts.
    pub fn notes(&self) -> Vec<NameNote> {
        let mut notes = Vec::new();
        let kind = self.data_kind();
        if self.patient.chars().count() > 15 {
            notes.push(NameNote::PatientIdLong);
        }
        if !is_date_or_dash(self.date) {
            notes.push(NameNote::DateInvalid);
        } else if let Kind::Standard(kind) = kind {
            match (kind.is_dateless(), self.date == "-") {
                (true, false) => notes.push(NameNote::DateUnexpected),
                (false, true) => notes.push(NameNote::DateMissing),
                _ => {}
            }
        }
        match kind {
            Kind::Standard(_) => {}
            Kind::Extended(_) => notes.extend(ExtendedKind::shape_note(self.kind)),
            Kind::Unknown(_) => notes.push(NameNote::KindUnknown),
        }
        if self.order.is_empty() {
            notes.push(NameNote::OrderNoEmpty);
        } else if matches!(kind, Kind::Extended(_)) {
            if self.order.chars().count() > 22 {
                notes.push(NameNote::SpecificKeyLong);
            }
        } else if !is_digits(self.order) {
            notes.push(NameNote::OrderNoNotDigits);
        } else if self.order.len() != 15 {
            notes.push(NameNote::OrderNoLength);
        }
        if self.timestamp.0.len() != 17 {
            notes.push(NameNote::TimestampLength);
        }
        if !is_time(self.timestamp.0) {
            notes.push(NameNote::TimestampInvalid);
        }
        match self.department {
            None => notes.push(NameNote::DepartmentMissing),
            Some("-") => {}
            Some(code) if (2..=3).contains(&code.chars().count()) => {}
            Some(_) => notes.push(NameNote::DepartmentShape),
        }
        notes
    }
}

impl fmt::Display for FileName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            patient,
            date,
            kind,
            order,
            timestamp,
            department,
            flag,
        } = self;
        write!(f, "{patient}_{date}_{kind}_{order}_{}_", timestamp.0)?;
        match department {
            Some(department) => write!(f, "{department}_")?,
            // A short time stamp is one only before a department.
            None if !is_timestamp(timestamp.0) => f.write_str("_")?,
            None => {}
        }
        write!(f, "{}", flag.as_char())
    }
}

/// Key shared by all versions of one item, printed as `patient/date/kind/order`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StorageKey<'a> {
    /// Patient id: that of the folder, where there is one.
    pub patient: &'a str,
    /// Care date or `-`.
    pub date: &'a str,
    /// Data kind as written.
    pub kind: &'a str,
    /// Order number or specific key.
    pub order: &'a str,
}

impl fmt::Display for StorageKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            patient,
            date,
            kind,
            order,
        } = self;
        write!(f, "{patient}/{date}/{kind}/{order}")
    }
}

/// Whether a text is a care date folder: `-`, or eight digits that are a calendar day.
pub fn is_date_or_dash(text: &str) -> bool {
    text == "-" || is_day(text)
}

/// The number in `length` digits of `text` from byte `start`.
fn number(text: &str, start: usize, length: usize) -> Option<u32> {
    let digits = text.get(start..start.checked_add(length)?)?;
    if is_digits(digits) {
        digits.parse().ok()
    } else {
        None
    }
}

fn is_day(text: &str) -> bool {
    if text.len() != 8 {
        return false;
    }
    let (Some(year), Some(month), Some(day)) =
        (number(text, 0, 4), number(text, 4, 2), number(text, 6, 2))
    else {
        return false;
    };
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=last).contains(&day)
}

/// Whether the digits present are a day and, as far as they go, a time of day.
fn is_time(text: &str) -> bool {
    text.get(..8).is_some_and(is_day)
        && number(text, 8, 2).is_none_or(|hour| hour < 24)
        && number(text, 10, 2).is_none_or(|minute| minute < 60)
        // Only a full stamp has its seconds where the standard puts them.
        && (text.len() != 17 || number(text, 12, 2).is_some_and(|second| second < 60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn notes(name: &str) -> Vec<NameNote> {
        FileName::parse(name).unwrap().notes()
    }

    #[test]
    fn a_name_of_the_standard_has_no_notes() {
        assert_eq!(
            notes("0000000123_-_ADT-00_999999999999999_20260401093015123_-_1"),
            []
        );
        assert_eq!(
            notes("0000000123_20260401_OML-11_000000000000001_20260401093015123_01A_0"),
            []
        );
    }

    #[test]
    fn fifteen_digit_time_stamp_is_read_and_noted() {
        let name =
            FileName::parse("0123456789_20080126_OML-11_081251234567800_200802031630123_01_1")
                .unwrap();
        assert_eq!(name.timestamp.0, "200802031630123");
        assert_eq!(name.notes(), [NameNote::TimestampLength]);
    }

    #[test]
    fn thirteen_digit_order_number_is_read_and_noted() {
        assert_eq!(
            notes("9999013_20111220_OMG-11_2011122000300_20111220224447339_24_1"),
            [NameNote::OrderNoLength]
        );
    }

    #[test]
    fn missing_department_leaves_order_and_time_in_place() {
        let name = FileName::parse(
            "0123456789_20160101_L-OBSERVATIONS^OBSERVATIONS^99ZL01_000000020160101_201601011500321_1",
        )
        .unwrap();
        assert_eq!(name.order, "000000020160101");
        assert_eq!(name.timestamp.0, "201601011500321");
        assert_eq!(name.department, None);
        assert_eq!(
            name.notes(),
            [NameNote::TimestampLength, NameNote::DepartmentMissing]
        );
    }

    #[test]
    fn underscore_in_an_extended_kind_stays_in_the_kind() {
        let name = FileName::parse("1_20160101_A_B^x_y^99_KEY1_20160101150000000_01_1").unwrap();
        assert_eq!((name.kind, name.order), ("A_B^x_y^99", "KEY1"));
    }

    #[test]
    fn folder_settles_where_the_kind_ends_when_the_key_has_an_underscore() {
        let name = FileName::parse_in(
            "1_20160101_A_B^x^99_K_1_20160101150000000_-_1",
            Some("A_B^x^99"),
        )
        .unwrap();
        assert_eq!((name.kind, name.order), ("A_B^x^99", "K_1"));
    }

    #[test]
    fn japanese_kind_is_read() {
        let name = FileName::parse(
            "123_20160101_L1^入院経過_記録^99ZL^11506-3^経過記録^LN_9_20160101150000000_-_2",
        )
        .unwrap();
        assert_eq!(name.kind, "L1^入院経過_記録^99ZL^11506-3^経過記録^LN");
        assert_eq!(name.flag, Flag::Replaced);
    }

    #[test]
    fn names_that_are_no_storage_names_say_why() {
        for (name, error) in [
            ("", NameError::TooFewParts),
            ("Thumbs.db", NameError::TooFewParts),
            ("main_document.hl7", NameError::Flag),
            (
                "1_2_OMP-01_000000000000001_20160101150000000_01_3",
                NameError::Flag,
            ),
            (
                "1_2_OMP-01_000000000000001_20160101150000000_01_1.tmp",
                NameError::Flag,
            ),
            (
                "1_20160101_OMP-01_000000000000001_2016_01_1",
                NameError::Timestamp,
            ),
            (
                "1_20160101_OMP-01_000000000000001_01_1",
                NameError::TooFewParts,
            ),
            (
                "1_20160101_OMP-01_20160101150000000_1",
                NameError::TooFewParts,
            ),
            (
                "_20160101_OMP-01_000000000000001_20160101150000000_01_1",
                NameError::EmptyPart,
            ),
        ] {
            assert_eq!(FileName::parse(name), Err(error), "{name}");
        }
    }

    #[test]
    fn short_time_stamp_before_a_department_is_not_taken_for_the_order_number() {
        let name = FileName::parse("1_20160101_OMP-01_000000000000001_20160101_01_1").unwrap();
        assert_eq!(name.order, "000000000000001");
        assert_eq!(name.timestamp.0, "20160101");
        assert_eq!(name.notes(), [NameNote::TimestampLength]);
    }

    #[test]
    fn impossible_days_and_times_are_noted() {
        assert_eq!(
            notes("1_20230229_OMP-01_000000000000001_20230228250000000_01_1"),
            [NameNote::DateInvalid, NameNote::TimestampInvalid]
        );
        assert_eq!(
            notes("1_20240229_OMP-01_000000000000001_20240229235959999_01_1"),
            []
        );
    }

    #[test]
    fn day_of_a_kind_without_day_and_its_reverse_are_noted() {
        assert_eq!(
            notes("1_20240229_ADT-00_999999999999999_20240229235959999_-_1"),
            [NameNote::DateUnexpected]
        );
        assert_eq!(
            notes("1_-_OMP-01_000000000000001_20240229235959999_-_1"),
            [NameNote::DateMissing]
        );
    }

    #[test]
    fn time_stamps_order_after_padding_with_zero() {
        assert_eq!(Timestamp("201601011500"), Timestamp("20160101150000000"));
        assert!(Timestamp("200802031630123") > Timestamp("20080203163012299"));
        assert!(Timestamp("20080203163012301") > Timestamp("200802031630123"));
    }

    #[test]
    fn key_prints_as_in_fingerprints() {
        let name =
            FileName::parse("12_20160101_OMP-01_000000000000001_20160101150000000_01_1").unwrap();
        assert_eq!(name.key().to_string(), "12/20160101/OMP-01/000000000000001");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_panic(name in "\\PC{0,120}") {
            if let Ok(parsed) = FileName::parse(&name) {
                let _ = parsed.notes();
                // An empty department part is the only thing not kept.
                if !name.contains("__") {
                    prop_assert_eq!(parsed.to_string(), name);
                }
            }
        }

        #[test]
        fn printing_and_reading_a_name_is_the_identity(
            patient in "[0-9]{1,15}",
            kind in prop_oneof![Just("OMD"), Just("ADT-00"), Just("A_b^_^99^^経過^LN")],
            order in "[0-9]{13,15}",
            timestamp in "[0-9]{12,17}",
            department in prop_oneof![Just(None), Just(Some("-")), Just(Some("01A"))],
            flag in prop_oneof![Just(Flag::Deleted), Just(Flag::Current), Just(Flag::Replaced)],
        ) {
            let name = FileName {
                patient: &patient,
                date: "20240101",
                kind,
                order: &order,
                timestamp: Timestamp(&timestamp),
                department,
                flag,
            };
            let text = name.to_string();
            prop_assert_eq!(FileName::parse(&text), Ok(name));
        }
    }
}
