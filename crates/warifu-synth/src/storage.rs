//! A sending module in miniature: what it does to the storage, the transaction journal and the index.
//!
//! The story only says "insert" or "cancel"; file names, condition flags, renames, journal records
//! and index rows follow the rules of the specification here, so the four views always agree.

use crate::hl7::Message;
use crate::jis::Jis;
use crate::kinds::{Act, message_of};
use crate::people::INSTITUTION;
use crate::record::Patient;
use crate::segments::{Edition, msh};
use crate::time::Stamp;
use std::fmt::Write as _;

/// Order number of kinds that have none.
pub const NO_ORDER: &str = "999999999999999";

/// Identity of an item: patient, care date, kind, order number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Patient number.
    pub patient: String,
    /// Care date, `None` for kinds without one.
    pub date: Option<Stamp>,
    /// Data kind; for extended storage the whole folder name.
    pub kind: &'static str,
    /// Fifteen digits, or the specific key of extended storage.
    pub order: String,
}

impl Item {
    /// An item without care date and order number.
    pub fn of(patient: &Patient, kind: &'static str) -> Self {
        Self {
            patient: patient.id.clone(),
            date: None,
            kind,
            order: NO_ORDER.to_owned(),
        }
    }

    /// The same item on a care date.
    #[must_use]
    pub fn on(self, date: &str) -> Self {
        Self {
            date: Some(Stamp::new(date)),
            ..self
        }
    }

    /// The same item with an order number.
    #[must_use]
    pub fn order(self, order: &str) -> Self {
        Self {
            order: order.to_owned(),
            ..self
        }
    }

    fn day(&self) -> String {
        self.date
            .map_or_else(|| "-".to_owned(), |date| date.date().to_string())
    }

    /// `PPP/PPP/PATIENT/DATE/KIND`: the folders above the file.
    pub fn folder(&self) -> String {
        let first = self.patient.get(..3).unwrap_or(&self.patient);
        let second = self.patient.get(3..6).unwrap_or_default();
        format!(
            "{first}/{second}/{}/{}/{}",
            self.patient,
            self.day(),
            self.kind
        )
    }

    /// File (or content folder) name without the condition flag; an empty department leaves its part out.
    pub fn stem(&self, written: Stamp, department: &str) -> String {
        let mut name = format!(
            "{}_{}_{}_{}_{}",
            self.patient,
            self.day(),
            self.kind,
            self.order,
            written.milli()
        );
        if !department.is_empty() {
            name.push('_');
            name.push_str(department);
        }
        name
    }
}

/// One file of the storage and its row in the index.
#[derive(Debug, Clone)]
struct Stored {
    item: Item,
    written: Stamp,
    department: &'static str,
    flag: char,
    deletion: bool,
    bytes: Vec<u8>,
}

/// One record of the transaction journal.
#[derive(Debug, Clone)]
struct Record {
    item: Item,
    act: &'static str,
    department: &'static str,
    at: Stamp,
    bytes: Vec<u8>,
}

/// The storage of one hospital while it is being written.
#[derive(Debug)]
pub struct Book<'j> {
    jis: &'j Jis,
    edition: Edition,
    files: Vec<Stored>,
    journal: Vec<Record>,
    substituted: usize,
}

impl<'j> Book<'j> {
    /// An empty storage.
    pub fn new(jis: &'j Jis) -> Self {
        Self {
            jis,
            edition: Edition::C,
            files: Vec::new(),
            journal: Vec::new(),
            substituted: 0,
        }
    }

    /// From here on messages follow `edition`.
    pub fn edition(&mut self, edition: Edition) {
        self.edition = edition;
    }

    /// Writes an item; an older file of the same item becomes history (flag 2).
    ///
    /// `written` is the timestamp of file name and MSH-7, `body` everything after MSH.
    pub fn insert(
        &mut self,
        item: Item,
        written: &str,
        department: &'static str,
        body: impl FnOnce(&mut Message<'_>),
    ) {
        let written = Stamp::new(written);
        let bytes = self.message(message_of(item.kind, Act::Insert), written, body);
        for old in &mut self.files {
            if old.item == item && old.flag == '1' {
                old.flag = '2';
            }
        }
        self.store(item, written, department, '1', "INS", bytes);
    }

    /// Writes an item beside others with the same key, as movements of one day need it (flag 1).
    pub fn add(
        &mut self,
        item: Item,
        written: &str,
        department: &'static str,
        body: impl FnOnce(&mut Message<'_>),
    ) {
        let written = Stamp::new(written);
        let bytes = self.message(message_of(item.kind, Act::Insert), written, body);
        self.store(item, written, department, '1', "INS", bytes);
    }

    /// Withdraws an item by the cancel message of its kind: all its files and the message get flag 0.
    pub fn cancel(
        &mut self,
        item: Item,
        written: &str,
        department: &'static str,
        body: impl FnOnce(&mut Message<'_>),
    ) {
        let message = match message_of(item.kind, Act::Cancel) {
            "" => message_of(item.kind, Act::Insert),
            cancel => cancel,
        };
        self.cancel_as(message, item, written, department, body);
    }

    /// [`Book::cancel`] with an MSH-9 of its own.
    pub fn cancel_as(
        &mut self,
        message: &str,
        item: Item,
        written: &str,
        department: &'static str,
        body: impl FnOnce(&mut Message<'_>),
    ) {
        let written = Stamp::new(written);
        let bytes = self.message(message, written, body);
        for old in &mut self.files {
            if old.item == item {
                old.flag = '0';
            }
        }
        self.store(item, written, department, '0', "DEL", bytes);
    }

    /// How many characters of the story JIS X 0208 does not have.
    pub fn substituted(&self) -> usize {
        self.substituted
    }

    fn message(
        &mut self,
        message: &str,
        written: Stamp,
        body: impl FnOnce(&mut Message<'_>),
    ) -> Vec<u8> {
        let mut m = Message::new(self.jis);
        msh(&mut m, message, written, self.edition);
        body(&mut m);
        self.substituted += m.substituted();
        m.into_bytes()
    }

    fn store(
        &mut self,
        item: Item,
        written: Stamp,
        department: &'static str,
        flag: char,
        act: &'static str,
        bytes: Vec<u8>,
    ) {
        self.journal.push(Record {
            item: item.clone(),
            act,
            department,
            at: written,
            bytes: bytes.clone(),
        });
        self.files.push(Stored {
            item,
            written,
            department,
            flag,
            deletion: act == "DEL",
            bytes,
        });
    }

    /// The files as they lie in the storage at the end, `(path below the root, bytes)`, by path.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut out: Vec<_> = self
            .files
            .iter()
            .map(|file| {
                let stem = file.item.stem(file.written, file.department);
                (
                    format!("{}/{stem}_{}", file.item.folder(), file.flag),
                    file.bytes.clone(),
                )
            })
            .collect();
        out.sort();
        out
    }

    /// The rows of table `SSMIXIDX` with a header line, CSV, CR LF.
    pub fn index(&self) -> String {
        let mut out = INDEX_HEADER.to_owned();
        for file in &self.files {
            let stem = file.item.stem(file.written, file.department);
            push_index_row(
                &mut out,
                "STD01",
                &file.item,
                if file.deletion { "DEL" } else { "INS" },
                file.department,
                file.written,
                &format!("{stem}_{}", file.flag),
            );
        }
        out
    }

    /// The journal of every record written in `[from, to)`, oldest first.
    ///
    /// With `updates_as_pairs` a new version is told as `DEL` of the old and `INS` of the new one a
    /// millisecond later; both forms are legal and replay to the same storage.
    pub fn transactions(
        &self,
        from: &str,
        to: &str,
        updates_as_pairs: bool,
        header_end: &str,
    ) -> Vec<u8> {
        let (from, to) = (Stamp::new(from), Stamp::new(to));
        let mut records: Vec<(usize, &Record)> = self.journal.iter().enumerate().collect();
        records.sort_by_key(|(position, record)| (record.at, *position));
        let mut out = Vec::new();
        let mut push = |record: &Record, act: &str, at: Stamp, bytes: &[u8]| {
            let department = if record.department.is_empty() {
                "-"
            } else {
                record.department
            };
            let header = format!(
                "#SSMIX,2.00,{INSTITUTION},{},{},{},{},{act},{department},{}{header_end}",
                record.item.patient,
                record.item.day(),
                record.item.kind,
                record.item.order,
                at.milli(),
            );
            out.extend_from_slice(header.as_bytes());
            out.extend_from_slice(bytes);
        };
        for (nth, (_, record)) in records.iter().enumerate() {
            if record.at < from || record.at >= to {
                continue;
            }
            // Movements without order number stand beside each other; nothing is replaced.
            let replaces = record.item.date.is_none() || record.item.order != NO_ORDER;
            let previous = records
                .iter()
                .take(nth)
                .rev()
                .find(|(_, older)| replaces && older.item == record.item)
                .filter(|(_, older)| older.act == "INS");
            match previous {
                Some((_, older)) if updates_as_pairs && record.act == "INS" => {
                    push(record, "DEL", record.at.plus_ms(-1), &older.bytes);
                    push(record, "INS", record.at, &record.bytes);
                }
                _ => push(record, record.act, record.at, &record.bytes),
            }
        }
        out
    }
}

/// Column names of the index table.
pub const INDEX_HEADER: &str = "VolumeLabel,FacilityID,PatientID,OrderDate,DataKind,OrderNo,\
ProcessingType,EnterOrgCD,TransactionDatetime,OutRelDirectory,FileName,UpdateDatetime\r\n";

/// Appends one row of the index table; `name` is the file name, or the content folder of an extended item.
pub fn push_index_row(
    out: &mut String,
    volume: &str,
    item: &Item,
    act: &str,
    department: &str,
    written: Stamp,
    name: &str,
) {
    let updated = written.plus_minutes(1).second().to_string();
    let (date, time) = updated.split_at_checked(8).unwrap_or((&updated, ""));
    let part =
        |text: &str, from: usize, to: usize| text.get(from..to).unwrap_or_default().to_owned();
    // Writing to a `String` cannot fail.
    let _ = write!(
        out,
        "{volume},{INSTITUTION},{},{},{},{},{act},{},{},{},{name},{}-{}-{} {}:{}:{}\r\n",
        item.patient,
        item.day(),
        item.kind,
        item.order,
        if department.is_empty() {
            "-"
        } else {
            department
        },
        written.milli(),
        item.folder().replace('/', "\\"),
        part(date, 0, 4),
        part(date, 4, 6),
        part(date, 6, 8),
        part(time, 0, 2),
        part(time, 2, 4),
        part(time, 4, 6),
    );
}
