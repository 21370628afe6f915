//! The index database (インデックスDB): an exported table `SSMIXIDX`.
//!
//! The export is text with a header line: comma, tab or semicolon separated, columns in
//! any order and with any others beside them, fields optionally in double quotes.
//!
//! # Standard
//! SS-MIX2 標準化ストレージ構成の説明, インデックスデータベース.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::institution::InstitutionNumber;
use crate::journal::Operation;
use crate::name::FileName;

/// Columns of the table, in the order of the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// `VolumeLabel`, e.g. `STD01`.
    VolumeLabel,
    /// `FacilityID`, institution number.
    FacilityId,
    /// `PatientID`.
    PatientId,
    /// `OrderDate`, care date or `-`.
    OrderDate,
    /// `DataKind`.
    DataKind,
    /// `OrderNo`.
    OrderNo,
    /// `ProcessingType`, `INS` or `DEL`.
    ProcessingType,
    /// `EnterOrgCD`, department.
    EnterOrg,
    /// `TransactionDatetime`.
    TransactionDatetime,
    /// `OutRelDirectory`, folder below the root of the volume.
    OutRelDirectory,
    /// `FileName`; for the extended storage the name of the content folder.
    FileName,
    /// `UpdateDatetime`.
    UpdateDatetime,
}

impl Column {
    /// All columns in the order of the standard.
    pub const ALL: [Column; 12] = [
        Self::VolumeLabel,
        Self::FacilityId,
        Self::PatientId,
        Self::OrderDate,
        Self::DataKind,
        Self::OrderNo,
        Self::ProcessingType,
        Self::EnterOrg,
        Self::TransactionDatetime,
        Self::OutRelDirectory,
        Self::FileName,
        Self::UpdateDatetime,
    ];

    /// Name as the standard writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::VolumeLabel => "VolumeLabel",
            Self::FacilityId => "FacilityID",
            Self::PatientId => "PatientID",
            Self::OrderDate => "OrderDate",
            Self::DataKind => "DataKind",
            Self::OrderNo => "OrderNo",
            Self::ProcessingType => "ProcessingType",
            Self::EnterOrg => "EnterOrgCD",
            Self::TransactionDatetime => "TransactionDatetime",
            Self::OutRelDirectory => "OutRelDirectory",
            Self::FileName => "FileName",
            Self::UpdateDatetime => "UpdateDatetime",
        }
    }
}

/// Why a text is no index table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The text has no line.
    #[error("the table is empty")]
    Empty,
    /// The header line lacks `PatientID` or `FileName`.
    #[error("the header line lacks a column that is needed")]
    ColumnMissing(Column),
}

/// Oddity of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum IndexNote {
    /// The row has fewer fields than the header.
    ShortRow,
    /// `FacilityID` is not ten digits.
    FacilityShape,
    /// `ProcessingType` is neither `INS` nor `DEL`.
    ProcessingType,
    /// `FileName` is no storage name.
    FileNameUnreadable,
    /// `PatientID` and `FileName` disagree.
    PatientDiffers,
    /// `OrderDate` and `FileName` disagree.
    DateDiffers,
    /// `DataKind` and `FileName` disagree.
    KindDiffers,
    /// `OrderNo` and `FileName` disagree.
    OrderNoDiffers,
    /// `TransactionDatetime` and `FileName` disagree.
    TimestampDiffers,
}

impl IndexNote {
    /// Stable name, e.g. `patient-differs`.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::ShortRow => "short-row",
            Self::FacilityShape => "facility-shape",
            Self::ProcessingType => "processing-type",
            Self::FileNameUnreadable => "file-name-unreadable",
            Self::PatientDiffers => "patient-differs",
            Self::DateDiffers => "date-differs",
            Self::KindDiffers => "kind-differs",
            Self::OrderNoDiffers => "order-no-differs",
            Self::TimestampDiffers => "timestamp-differs",
        }
    }
}

/// One row of the table; columns the export lacks are empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexRow<'a> {
    /// Line of the row in the text, 1-based; the header is line 1.
    pub line: usize,
    fields: [Cow<'a, str>; 12],
    short: bool,
}

impl IndexRow<'_> {
    /// Value of a column, without blanks around it.
    pub fn get(&self, column: Column) -> &str {
        Column::ALL
            .iter()
            .zip(&self.fields)
            .find(|(other, _)| **other == column)
            .map_or("", |(_, value)| value.trim())
    }

    /// Institution number of the row.
    pub fn institution(&self) -> Option<InstitutionNumber> {
        InstitutionNumber::parse(self.get(Column::FacilityId))
    }

    /// Insert or delete.
    pub fn operation(&self) -> Option<Operation> {
        Operation::parse(self.get(Column::ProcessingType))
    }

    /// Path of the file below the root of its volume, with `/`.
    pub fn relative_path(&self) -> String {
        let folder = self.get(Column::OutRelDirectory);
        crate::path::components(folder)
            .chain([self.get(Column::FileName)])
            .collect::<Vec<_>>()
            .join("/")
    }

    /// What is odd about the row; columns that are empty are not compared.
    pub fn notes(&self) -> Vec<IndexNote> {
        let mut notes = Vec::new();
        if self.short {
            notes.push(IndexNote::ShortRow);
        }
        if !self.get(Column::FacilityId).is_empty() && self.institution().is_none() {
            notes.push(IndexNote::FacilityShape);
        }
        if !self.get(Column::ProcessingType).is_empty() && self.operation().is_none() {
            notes.push(IndexNote::ProcessingType);
        }
        let kind = self.get(Column::DataKind);
        let kind_folder = (!kind.is_empty()).then_some(kind);
        let Ok(name) = FileName::parse_in(self.get(Column::FileName), kind_folder) else {
            notes.push(IndexNote::FileNameUnreadable);
            return notes;
        };
        let differs = |column, part: &str| {
            let value = self.get(column);
            !value.is_empty() && value != part
        };
        for (column, part, note) in [
            (Column::PatientId, name.patient, IndexNote::PatientDiffers),
            (Column::OrderDate, name.date, IndexNote::DateDiffers),
            (Column::DataKind, name.kind, IndexNote::KindDiffers),
            (Column::OrderNo, name.order, IndexNote::OrderNoDiffers),
            (
                Column::TransactionDatetime,
                name.timestamp.0,
                IndexNote::TimestampDiffers,
            ),
        ] {
            if differs(column, part) {
                notes.push(note);
            }
        }
        notes
    }
}

/// An index table over its text; iterate to get the rows.
#[derive(Debug, Clone)]
pub struct IndexTable<'a> {
    rest: &'a str,
    separator: char,
    /// Place of each column of [`Column::ALL`] in a record.
    places: [Option<usize>; 12],
    width: usize,
    line: usize,
}

impl<'a> IndexTable<'a> {
    /// Reads the header line. Names are compared without case, blanks, quotes and `_`.
    ///
    /// # Errors
    /// [`IndexError`] when there is no header line with `PatientID` and `FileName`.
    ///
    /// ```
    /// use warifu_ssmix2::index::{Column, IndexTable};
    /// let table = IndexTable::new("PatientID\tFileName\tFacilityID\n77\tx\t1310000001\n")?;
    /// let rows: Vec<_> = table.collect();
    /// assert_eq!(rows[0].get(Column::FacilityId), "1310000001");
    /// # Ok::<(), warifu_ssmix2::index::IndexError>(())
    /// ```
    pub fn new(text: &'a str) -> Result<Self, IndexError> {
        let text = text.trim_start_matches('\u{FEFF}');
        let first_line = text.lines().next().ok_or(IndexError::Empty)?;
        let separator = ['\t', ',', ';']
            .into_iter()
            .find(|separator| first_line.contains(*separator))
            .unwrap_or(',');
        let (header, rest, lines) = record(text, separator);
        let plain = |name: &str| -> String {
            name.chars()
                .filter(char::is_ascii_alphanumeric)
                .map(|c| c.to_ascii_lowercase())
                .collect()
        };
        let names: Vec<String> = header.iter().map(|name| plain(name)).collect();
        let places = Column::ALL.map(|column| {
            let wanted = plain(column.name());
            names.iter().position(|name| *name == wanted)
        });
        let table = Self {
            rest,
            separator,
            places,
            width: header.len(),
            line: 1 + lines,
        };
        for column in [Column::PatientId, Column::FileName] {
            if !table.has(column) {
                return Err(IndexError::ColumnMissing(column));
            }
        }
        Ok(table)
    }

    /// Whether the export has a column.
    pub fn has(&self, column: Column) -> bool {
        Column::ALL
            .iter()
            .zip(&self.places)
            .any(|(other, place)| *other == column && place.is_some())
    }

    /// Institution numbers of all rows. Exactly one: that is the institution of the
    /// storage.
    pub fn institutions(&self) -> BTreeSet<InstitutionNumber> {
        self.clone().filter_map(|row| row.institution()).collect()
    }
}

impl<'a> Iterator for IndexTable<'a> {
    type Item = IndexRow<'a>;

    fn next(&mut self) -> Option<IndexRow<'a>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let line = self.line;
            let (mut values, rest, lines) = record(self.rest, self.separator);
            self.rest = rest;
            self.line += lines;
            if values.iter().all(|value| value.trim().is_empty()) {
                continue;
            }
            let fields = self.places.map(|place| {
                place
                    .and_then(|place| values.get_mut(place))
                    .map(core::mem::take)
                    .unwrap_or_default()
            });
            return Some(IndexRow {
                line,
                fields,
                short: values.len() < self.width,
            });
        }
    }
}

/// Fields of the first record of `text`, the text after it, and the lines it takes.
fn record(text: &str, separator: char) -> (Vec<Cow<'_, str>>, &str, usize) {
    let mut fields = Vec::new();
    let mut rest = text;
    let mut lines = 1;
    loop {
        let (value, after) = if let Some(quoted) = rest.strip_prefix('"') {
            let (value, after) = quoted_field(quoted);
            lines += value.matches('\n').count();
            (value, after)
        } else {
            let end = rest.find([separator, '\r', '\n']).unwrap_or(rest.len());
            let (value, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            (Cow::Borrowed(value), after)
        };
        fields.push(value);
        if let Some(next) = after.strip_prefix(separator) {
            rest = next;
            continue;
        }
        // Text between a closing quote and the separator is kept out of the value.
        let end = after.find([separator, '\r', '\n']).unwrap_or(after.len());
        let after = after.get(end..).unwrap_or_default();
        if let Some(next) = after.strip_prefix(separator) {
            rest = next;
            continue;
        }
        let after = after
            .strip_prefix("\r\n")
            .or_else(|| after.strip_prefix('\n'))
            .or_else(|| after.strip_prefix('\r'))
            .unwrap_or(after);
        return (fields, after, lines);
    }
}

/// The value up to the closing quote (`""` is a quote), and the text after it.
fn quoted_field(text: &str) -> (Cow<'_, str>, &str) {
    let mut value: Cow<'_, str> = Cow::Borrowed("");
    let mut rest = text;
    loop {
        let end = rest.find('"').unwrap_or(rest.len());
        let (part, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        value += part;
        let after = after.strip_prefix('"').unwrap_or(after);
        match after.strip_prefix('"') {
            Some(next) => {
                value += "\"";
                rest = next;
            }
            None => return (value, after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAME: &str = "77_20260401_OMP-01_000000000000001_20260401093015123_01_1";

    #[test]
    fn columns_in_any_order_with_extra_ones_and_quotes() {
        let text = format!(
            "\u{FEFF}\"file_name\",Extra,PATIENTID,FacilityID,OutRelDirectory,ProcessingType\r\n\"{NAME}\",\"a \"\"b\"\", c\",77, 1310000001 ,77\\77\\20260401\\OMP-01,INS\r\n"
        );
        let rows: Vec<IndexRow<'_>> = IndexTable::new(&text).unwrap().collect();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].get(Column::FileName), NAME);
        assert_eq!(rows[0].institution().unwrap().as_str(), "1310000001");
        assert_eq!(rows[0].operation(), Some(Operation::Insert));
        assert_eq!(
            rows[0].relative_path(),
            format!("77/77/20260401/OMP-01/{NAME}")
        );
        assert_eq!(rows[0].notes(), []);
    }

    #[test]
    fn quoted_line_break_does_not_end_the_row() {
        let text = "PatientID;FileName;Note\n77;a;\"x\ny\"\n\n78;b;\n";
        let lines: Vec<(usize, String)> = IndexTable::new(text)
            .unwrap()
            .map(|row| (row.line, row.get(Column::PatientId).to_owned()))
            .collect();
        assert_eq!(lines, [(2, "77".to_owned()), (5, "78".to_owned())]);
    }

    #[test]
    fn row_that_disagrees_with_its_file_name_is_noted() {
        let text = format!(
            "PatientID\tFileName\tOrderDate\tDataKind\tOrderNo\tTransactionDatetime\tFacilityID\tProcessingType\n78\t{NAME}\t20260402\tOMP-02\t2\t2026\t131\tUPD\n"
        );
        let row = IndexTable::new(&text).unwrap().next().unwrap();
        assert_eq!(
            row.notes(),
            [
                IndexNote::FacilityShape,
                IndexNote::ProcessingType,
                IndexNote::PatientDiffers,
                IndexNote::DateDiffers,
                IndexNote::KindDiffers,
                IndexNote::OrderNoDiffers,
                IndexNote::TimestampDiffers
            ]
        );
    }

    #[test]
    fn table_without_the_needed_columns_is_refused() {
        assert_eq!(IndexTable::new("").err(), Some(IndexError::Empty));
        assert_eq!(
            IndexTable::new("a,b\n1,2").err(),
            Some(IndexError::ColumnMissing(Column::PatientId))
        );
    }

    #[test]
    fn institutions_of_all_rows_are_collected_once() {
        let text = "PatientID,FileName,FacilityID\n1,a,1310000001\n2,b,1310000001\n3,c,x\n";
        assert_eq!(IndexTable::new(text).unwrap().institutions().len(), 1);
    }

    proptest! {
        #[test]
        fn any_table_ends_and_does_not_panic(text in "[a,\"\t;\r\nあ]{0,80}") {
            let table = format!("PatientID,FileName\n{text}");
            let rows = IndexTable::new(&table).unwrap().map(|row| row.notes()).collect::<Vec<_>>();
            prop_assert!(rows.len() <= text.len());
        }

        #[test]
        fn quoting_and_reading_is_the_identity(value in "[a-z,\"\t;\r\nあ]{0,40}") {
            let text = format!("PatientID,FileName\n\"{}\",x", value.replace('"', "\"\""));
            let mut table = IndexTable::new(&text).unwrap();
            if !value.trim().is_empty() {
                let row = table.next().unwrap();
                prop_assert_eq!(row.get(Column::PatientId), value.trim());
            }
        }
    }
}
