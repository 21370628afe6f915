//! Journals: records into the spool, and replaying them per key.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use warifu_ssmix2::journal::{Record, Splitter};
use warifu_ssmix2::{
    FileName, Flag, InstitutionNumber, Kind, Operation, RecordHeader, Timestamp, level1_of,
    level2_of,
};

use crate::note::StorageNoteKind;
use crate::sink::Sink;
use crate::sniff::{Content, sniff};
use crate::spool::{Entry, Spool};
use crate::zip::cp932;

/// First byte of the keys of journal records.
pub(crate) const CLASS: u8 = 2;

/// Reads a journal piece by piece into the spool; returns the institutions named.
///
/// `order` sorts the journal among others; `max_record` limits one record.
pub(crate) fn ingest(
    reader: &mut dyn Read,
    order: &str,
    path: &str,
    max_record: u64,
    spool: &mut Spool,
    sink: &mut Sink,
    institutions: &mut Vec<InstitutionNumber>,
) -> io::Result<()> {
    let mut intake = Intake::new(order, path, max_record);
    let mut piece = vec![0; 64 << 10];
    loop {
        match reader.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => {
                let bytes = piece.get(..read).unwrap_or_default();
                intake.push(bytes, spool, sink, institutions)?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    intake.finish(spool, sink, institutions)
}

/// One journal on its way into the spool.
pub(crate) struct Intake {
    splitter: Splitter,
    order: String,
    path: String,
}

impl Intake {
    pub(crate) fn new(order: &str, path: &str, max_record: u64) -> Self {
        Self {
            splitter: Splitter::with_limit(usize::try_from(max_record).unwrap_or(usize::MAX)),
            order: order.to_owned(),
            path: path.to_owned(),
        }
    }

    pub(crate) fn push(
        &mut self,
        bytes: &[u8],
        spool: &mut Spool,
        sink: &mut Sink,
        institutions: &mut Vec<InstitutionNumber>,
    ) -> io::Result<()> {
        self.splitter.push(bytes);
        self.take(spool, sink, institutions)
    }

    pub(crate) fn finish(
        &mut self,
        spool: &mut Spool,
        sink: &mut Sink,
        institutions: &mut Vec<InstitutionNumber>,
    ) -> io::Result<()> {
        self.splitter.finish();
        self.take(spool, sink, institutions)
    }

    fn take(
        &mut self,
        spool: &mut Spool,
        sink: &mut Sink,
        institutions: &mut Vec<InstitutionNumber>,
    ) -> io::Result<()> {
        let (order, path) = (&self.order, &self.path);
        while let Some(record) = self.splitter.next_record() {
            if record.header.is_empty() {
                let blank =
                    |b: &u8| b.is_ascii_whitespace() || matches!(b, 0x1c | 0xef | 0xbb | 0xbf);
                if !record.message.iter().all(blank) {
                    sink.note(StorageNoteKind::JournalStray, path);
                }
                continue;
            }
            let place = || format!("{path}:{}", record.offset);
            if record.dropped > 0 {
                sink.note(StorageNoteKind::JournalRecordLong, &place());
                continue;
            }
            match key_of(&record, order) {
                Some((key, institution)) => {
                    if let Some(number) = institution
                        && institutions.last() != Some(&number)
                    {
                        institutions.push(number);
                        institutions.sort_unstable();
                        institutions.dedup();
                    }
                    spool.add(key, record.message)?;
                }
                None => sink.note(StorageNoteKind::JournalHeader, &place()),
            }
        }
        Ok(())
    }
}

/// Key of a record: `class patient 0 institution 1 date 1 kind 1 order 0 journal 1 offset 0
/// rest`, so that the records of one item stand together in the order of replaying.
fn key_of(record: &Record<'_>, order: &str) -> Option<(Vec<u8>, Option<InstitutionNumber>)> {
    let decoded;
    let line = if let Ok(line) = core::str::from_utf8(record.header) {
        line
    } else {
        decoded = cp932(record.header);
        &decoded
    };
    let header = RecordHeader::parse(line).ok()?;
    let parts = [header.patient, header.date, header.kind, header.order];
    let unsafe_part = |part: &&str| {
        part.is_empty() && *part != header.order
            || matches!(*part, "." | "..")
            || part.chars().any(char::is_control)
    };
    if parts.iter().any(unsafe_part) || line.chars().any(char::is_control) {
        return None;
    }
    let institution = header.institution_number();
    let number = institution.map(|n| n.to_string()).unwrap_or_default();
    let text = format!(
        "{}\0{number}\u{1}{}\u{1}{}\u{1}{}\0{order}\u{1}{:016x}\0{}\u{1}{}\u{1}{}",
        header.patient,
        header.date,
        header.kind,
        header.order,
        record.offset,
        header.department,
        header.timestamp.0,
        header.operation.code(),
    );
    let mut key = vec![CLASS];
    key.extend_from_slice(text.as_bytes());
    Some((key, institution))
}

/// Parts of a spool key of this class.
struct KeyParts<'k> {
    patient: &'k str,
    institution: &'k str,
    date: &'k str,
    kind: &'k str,
    order: &'k str,
    department: &'k str,
    timestamp: &'k str,
    operation: Operation,
}

fn parts(key: &[u8]) -> Option<KeyParts<'_>> {
    let text = core::str::from_utf8(key.get(1..)?).ok()?;
    let mut fields = text.split('\0');
    let (patient, item, _journal, rest) = (
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
    );
    let mut item = item.split('\u{1}');
    let mut rest = rest.split('\u{1}');
    Some(KeyParts {
        patient,
        institution: item.next()?,
        date: item.next()?,
        kind: item.next()?,
        order: item.next()?,
        department: rest.next().map(|d| if d.is_empty() { "-" } else { d })?,
        timestamp: rest.next()?,
        operation: Operation::parse(rest.next()?)?,
    })
}

/// Part of a key that all records of one item share.
pub(crate) fn item_key(key: &[u8]) -> &[u8] {
    let zeros = key
        .iter()
        .enumerate()
        .filter(|(_, b)| **b == 0)
        .map(|(at, _)| at);
    key.get(..zeros.take(2).last().unwrap_or(key.len()))
        .unwrap_or(key)
}

/// A file the replay leaves behind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Replayed {
    pub(crate) path: String,
    pub(crate) institution: Option<InstitutionNumber>,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// Replays the records of one item, in the order of the journals, as a storage module
/// would have renamed its files.
///
/// An insert turns flag 1 into 2, a delete turns 1 and 2 into 0 and, in the standard
/// storage, leaves its own message with flag 0. Kinds that share the order number
/// 999999999999999 (ADT-12, ADT-31/32/41/42) do so within one department only **(own)**.
/// `content` gives the bytes of a record, for telling XML from HL7 in the extended storage.
pub(crate) fn replay(
    records: &[Entry],
    content: &mut dyn FnMut(&Entry) -> Vec<u8>,
) -> Vec<Replayed> {
    let Some(item) = records.first().and_then(|entry| parts(&entry.key)) else {
        return Vec::new();
    };
    let kind = Kind::of(item.kind);
    let extended = matches!(kind, Kind::Extended(_));
    let shared = kind
        .standard()
        .is_some_and(warifu_ssmix2::DataKind::may_share_order_no)
        && item.order.len() >= 13
        && item.order.bytes().all(|b| b == b'9');
    let records: Vec<(&Entry, KeyParts<'_>)> = records
        .iter()
        .filter_map(|entry| Some((entry, parts(&entry.key)?)))
        .collect();
    let mut first_of_department: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, (_, record)) in records.iter().enumerate() {
        first_of_department.entry(record.department).or_insert(at);
    }
    let folder = folder_of(&item);
    let institution = InstitutionNumber::parse(item.institution);

    // From the last record to the first: what follows a version decides its flag.
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut inserted: BTreeSet<&str> = BTreeSet::new();
    let mut deleted: BTreeSet<&str> = BTreeSet::new();
    let mut all_deleted = false;
    let mut files = Vec::new();
    for (at, (entry, record)) in records.iter().enumerate().rev() {
        let scope = if shared { record.department } else { "" };
        let flag = match record.operation {
            Operation::Insert => {
                if all_deleted || deleted.contains(scope) {
                    Flag::Deleted
                } else if inserted.contains(scope) {
                    Flag::Replaced
                } else {
                    Flag::Current
                }
            }
            Operation::Delete => Flag::Deleted,
        };
        match record.operation {
            Operation::Insert => {
                inserted.insert(scope);
            }
            // A delete that names a department without a file means all of them.
            Operation::Delete if first_of_department.get(record.department) == Some(&at) => {
                all_deleted = true;
            }
            Operation::Delete => {
                deleted.insert(scope);
            }
        }
        // The same version again took the place of the first.
        let is_new = seen.insert((record.timestamp, record.department));
        let is_file = record.operation == Operation::Insert || (!extended && entry.length > 0);
        if !is_new || !is_file {
            continue;
        }
        let name = FileName {
            patient: item.patient,
            date: item.date,
            kind: item.kind,
            order: item.order,
            timestamp: Timestamp(record.timestamp),
            department: Some(record.department),
            flag,
        };
        let leaf = as_component(&name.to_string());
        let path = if extended {
            let extension = match sniff(&content(entry)) {
                Content::Xml => "xml",
                _ => "hl7",
            };
            format!("{folder}/{leaf}/main_document.{extension}")
        } else {
            format!("{folder}/{leaf}")
        };
        files.push(Replayed {
            path,
            institution,
            offset: entry.offset,
            length: entry.length,
        });
    }
    files.reverse();
    files
}

/// `PPP/PPP/ID/DATE/KIND`; level 2 is absent for ids of up to three characters.
fn folder_of(item: &KeyParts<'_>) -> String {
    let patient = as_component(item.patient);
    let (level1, level2) = (level1_of(&patient), level2_of(&patient));
    let (date, kind) = (as_component(item.date), as_component(item.kind));
    if level2.is_empty() {
        format!("{level1}/{patient}/{date}/{kind}")
    } else {
        format!("{level1}/{level2}/{patient}/{date}/{kind}")
    }
}

/// A name without separators.
fn as_component(name: &str) -> String {
    name.replace(['/', '\\'], "_")
}

/// Patient id of a spool key.
pub(crate) fn patient_of(key: &[u8]) -> String {
    let end = key.iter().position(|b| *b == 0).unwrap_or(key.len());
    String::from_utf8_lossy(key.get(1..end).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Replays records `(operation, department, millisecond)` of one item and gives
    /// `department_flag` per file, in the order of the records.
    fn check(kind: &str, order: &str, records: &[(&str, &str, u32)], files: &[&str]) {
        let journal: Vec<String> = records
            .iter()
            .map(|(operation, department, millisecond)| {
                format!(
                    "#SSMIX,2.00,1310000001,77,20260401,{kind},{order},{operation},{department},20260401093015{millisecond:03}\r\nMSH|\r\n"
                )
            })
            .collect();
        let journal = journal.concat();
        let mut spool = Spool::new(1 << 20, None);
        let mut sink = Sink::default();
        let mut institutions = Vec::new();
        ingest(
            &mut journal.as_bytes(),
            "1",
            "x",
            1 << 20,
            &mut spool,
            &mut sink,
            &mut institutions,
        )
        .unwrap();
        assert_eq!(sink.notes, []);
        spool.finish();
        let entries: Vec<Entry> = spool.merge().collect();
        let found: Vec<String> = replay(&entries, &mut |_| b"<xml".to_vec())
            .into_iter()
            .map(|file| {
                let leaf = file.path.split('/').nth(4).unwrap().to_owned();
                leaf.rsplitn(3, '_').take(2).collect::<Vec<_>>().join("<")
            })
            .collect();
        assert_eq!(found, files);
    }

    const ORDER: &str = "000000000000001";
    const NONE: &str = "999999999999999";

    #[test]
    fn insert_replaces_and_delete_withdraws_with_its_message() {
        let records = [("INS", "01", 1), ("INS", "02", 2)];
        check("OMP-01", ORDER, &records, &["2<01", "1<02"]);
        let records = [("INS", "01", 1), ("INS", "02", 2), ("DEL", "01", 3)];
        check("OMP-01", ORDER, &records, &["0<01", "0<02", "0<01"]);
        let records = [
            ("INS", "01", 1),
            ("DEL", "01", 2),
            ("INS", "01", 3),
            ("INS", "01", 4),
        ];
        check("OMP-01", ORDER, &records, &["0<01", "0<01", "2<01", "1<01"]);
    }

    #[test]
    fn visits_without_order_number_replace_each_other_within_a_department_only() {
        let records = [("INS", "01", 1), ("INS", "02", 2), ("INS", "01", 3)];
        check("ADT-12", NONE, &records, &["2<01", "1<02", "1<01"]);
        check("ADT-22", NONE, &records, &["2<01", "2<02", "1<01"]);
        let records = [("INS", "01", 1), ("INS", "02", 2), ("DEL", "02", 3)];
        check("ADT-12", NONE, &records, &["1<01", "0<02", "0<02"]);
        // A department without a visit means all.
        let records = [("INS", "01", 1), ("INS", "02", 2), ("DEL", "-", 3)];
        check("ADT-12", NONE, &records, &["0<01", "0<02", "0<-"]);
    }

    #[test]
    fn extended_delete_leaves_no_message() {
        let records = [("INS", "-", 1), ("DEL", "-", 2)];
        check("L^X^99", "20260401", &records, &["0<-"]);
    }

    #[test]
    fn same_record_twice_gives_one_file() {
        let records = [("INS", "01", 1), ("INS", "01", 2), ("INS", "01", 2)];
        check("OMP-01", ORDER, &records, &["2<01", "1<01"]);
    }
}
