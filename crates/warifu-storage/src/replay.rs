//! Replaying the records of journals per key.

use std::collections::{BTreeMap, BTreeSet};

use warifu_ssmix2::journal::{BOM, HeaderError, MARK, Record};
use warifu_ssmix2::{
    FileName, Flag, InstitutionNumber, Kind, Operation, RecordHeader, Timestamp, level1_of,
    level2_of,
};

use crate::entry::Entry;
use crate::note::{NotePlace, StorageNote, StorageNoteKind};
use crate::pid::patients_of;
use crate::sniff::{Content, sniff};
use crate::zip::cp932;

/// First byte of the keys of journal records.
pub(crate) const CLASS: u8 = 2;

/// Place of a journal among others: time stamp and number, then the path.
pub(crate) fn journal_order(path: &str) -> String {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    match warifu_ssmix2::JournalName::parse(file) {
        Some(name) => format!("{}\u{1}{}\u{1}{path}", name.timestamp, name.number),
        None => format!("\u{1}\u{1}{path}"),
    }
}

/// Whether bytes before the first header of a journal say nothing.
pub(crate) fn is_blank(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .all(|b| b.is_ascii_whitespace() || matches!(b, 0x1c | 0xef | 0xbb | 0xbf))
}

/// Where a record stands in its journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPlace {
    /// Path of the journal.
    pub journal: String,
    /// Offset of the record's header line.
    pub header: u64,
    /// Line of the header, from 1; the message begins with the next.
    pub line: u32,
    /// Offset of the message.
    pub message: u64,
}

/// A record that can be placed.
pub(crate) struct Placed {
    /// Key in the spool.
    pub(crate) key: Vec<u8>,
    pub(crate) institution: Option<InstitutionNumber>,
}

/// Format version of the records this reader was written for.
const VERSION: &str = "2.00";

/// Where a finding about the header line of a record is: the mark that begins every header, or
/// `part` of the line when all before its end is ASCII.
pub(crate) fn header_place(
    record: &Record<'_>,
    part: Option<core::ops::Range<usize>>,
) -> NotePlace {
    let mark = record.header.iter().take(MARK.len().saturating_sub(1));
    let mark = 0..mark.take_while(|b| b.is_ascii()).count();
    let head =
        |r: &core::ops::Range<usize>| record.header.get(..r.end).is_some_and(<[u8]>::is_ascii);
    let range = part.filter(head).unwrap_or(mark);
    let at = |n: usize| u64::try_from(n).unwrap_or(0);
    NotePlace {
        start: record.offset.saturating_add(at(range.start)),
        end: record.offset.saturating_add(at(range.end)),
        line: record.line,
        column: u32::try_from(range.start).unwrap_or(0).saturating_add(1),
    }
}

/// Bytes of the part of this number of a header line, from 0, without blanks around it.
fn part_of(header: &[u8], number: usize) -> Option<core::ops::Range<usize>> {
    let mut start = 0;
    for (at, part) in header.split(|b| *b == b',').enumerate() {
        if at == number {
            let left = part.len() - part.trim_ascii_start().len();
            let kept = part.trim_ascii().len();
            return (kept > 0).then(|| start + left..start + left + kept);
        }
        start += part.len() + 1;
    }
    None
}

/// What the headers of a journal have said so far: what a system writes wrong it writes in every
/// record, so it is told where it begins.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Whether the folder was looked at.
    year: bool,
    version: Vec<u8>,
    institution: Vec<u8>,
    /// Time of the last record that has one whole.
    time: Vec<u8>,
}

/// Whether a part of a header differs from that of the record before; keeps it.
fn is_news(
    before: &mut Vec<u8>,
    record: &Record<'_>,
    part: Option<&core::ops::Range<usize>>,
) -> bool {
    let bytes = part.and_then(|part| record.header.get(part.clone()));
    // What is missing is nothing anybody writes.
    let bytes = bytes.unwrap_or(b",");
    let news = before != bytes;
    if news {
        *before = bytes.to_vec();
    }
    news
}

/// Whether a journal (`TR_YYYY…`) lies in the folder of another year than its own.
fn is_of_another_year(path: &str) -> bool {
    let mut names = path.rsplit('/');
    let year = |name: &str| {
        let digits = |t: &&str| t.bytes().all(|b| b.is_ascii_digit());
        name.get(..4).filter(digits).map(str::to_owned)
    };
    let own = names.next().and_then(|leaf| leaf.strip_prefix("TR_"));
    let folder = names.next().filter(|name| name.len() == 4);
    matches!((own.and_then(year), folder.and_then(year)), (Some(own), Some(folder)) if own != folder)
}

/// Places a record, or what of it stands below headers that were lost; `sink` gets what is wrong with it. What has
/// no place is left out; one whose message could not be read has bytes that were dropped.
pub(crate) fn places_of<'r>(
    record: Record<'r>,
    order: &str,
    path: &str,
    told: &mut Told,
    sink: &mut dyn FnMut(StorageNote),
) -> Vec<(Placed, Record<'r>)> {
    if record.header.is_empty() && record.offset == 0 && record.message.starts_with(BOM) {
        sink(StorageNote::at(StorageNoteKind::JournalBom, path));
    }
    let parts = record.parts().into_iter();
    parts
        .filter_map(|part| place_of(part, order, path, told, sink))
        .collect()
}

fn place_of<'r>(
    record: Record<'r>,
    order: &str,
    path: &str,
    told: &mut Told,
    sink: &mut dyn FnMut(StorageNote),
) -> Option<(Placed, Record<'r>)> {
    let mut note = |kind, part| {
        sink(StorageNote {
            place: Some(header_place(&record, part)),
            ..StorageNote::at(kind, path)
        });
    };
    if record.dropped > 0 {
        note(StorageNoteKind::JournalRecordLong, None);
        let found = key_of(&record, order).ok()?;
        return Some(left_out(found, record));
    }
    if record.header.is_empty() && sniff(record.message) != Content::Hl7 {
        if !is_blank(record.message) {
            sink(StorageNote::at(StorageNoteKind::JournalStray, path));
        }
        return None;
    }
    // Told with the first record.
    let is_first = !core::mem::replace(&mut told.year, true);
    if is_first && is_of_another_year(path) {
        sink(StorageNote::at(StorageNoteKind::JournalYear, path));
    }
    let mut note = |kind, part| {
        sink(StorageNote {
            place: Some(header_place(&record, part)),
            ..StorageNote::at(kind, path)
        });
    };
    match key_of(&record, order) {
        Ok(found) => {
            let version = part_of(record.header, 1);
            if is_news(&mut told.version, &record, version.as_ref()) && !found.is_known_version {
                note(StorageNoteKind::JournalVersion, version);
            }
            let number = part_of(record.header, 2);
            let news = is_news(&mut told.institution, &record, number.as_ref());
            let kind = match found.placed.institution {
                None => Some(StorageNoteKind::JournalInstitution),
                Some(given) => given
                    .has_wrong_check_digit()
                    .then_some(StorageNoteKind::JournalCheckDigit),
            };
            if let Some(kind) = kind.filter(|_| news) {
                note(kind, number);
            }
            if found.is_bare_delete {
                note(StorageNoteKind::JournalDelete, None);
            }
            let commas = record
                .header
                .split(|b| *b == b',')
                .count()
                .saturating_sub(1);
            let part = part_of(record.header, commas);
            let time = part.clone().and_then(|part| record.header.get(part));
            let whole = |t: &&[u8]| t.len() == 17 && t.iter().all(u8::is_ascii_digit);
            if let Some(time) = time.filter(whole) {
                if time < told.time.as_slice() {
                    note(StorageNoteKind::JournalOrder, part);
                }
                told.time = time.to_vec();
            }
            if record.is_ended {
                return Some((found.placed, record));
            }
            // Its last value may be cut. What it deletes its header says.
            note(StorageNoteKind::JournalCut, None);
            let header = u64::try_from(record.header.len()).unwrap_or(u64::MAX);
            let is_whole = record.message_offset > record.offset.saturating_add(header);
            is_whole.then(|| left_out(found, record))
        }
        Err(kind) => {
            note(kind, None);
            if !record.is_ended && !record.message.is_empty() {
                note(StorageNoteKind::JournalCut, None);
                return None;
            }
            let placed = restored(&record, order).or_else(|| nameless(&record, order));
            placed.map(|placed| (placed, record))
        }
    }
}

/// The place of a record of whose header the mark alone is damaged, and that inserts a message of its patient: it
/// is of the item that the rest of the line names.
fn restored(record: &Record<'_>, order: &str) -> Option<Placed> {
    let rest = record.header.iter().position(|b| *b == b',')?;
    let line = [MARK, record.header.get(rest + 1..)?].concat();
    let whole = Record {
        header: &line,
        ..*record
    };
    let read = key_of(&whole, order).ok()?;
    let patient = parts(&read.placed.key)?.patient;
    let sent = patients_of(record.message);
    let is_own = sent
        .iter()
        .any(|of| warifu_ssmix2::same_patient(of, patient));
    let is_message = sniff(record.message) == Content::Hl7;
    (is_message && is_own && !read.is_delete).then_some(read.placed)
}

/// A record whose message cannot be read: its header says all the same which version was inserted, or
/// what was deleted. What was inserted has bytes that were dropped.
fn left_out(found: Read, record: Record<'_>) -> (Placed, Record<'_>) {
    let bare = Record {
        message: &[],
        dropped: u64::from(!found.is_delete),
        ..record
    };
    (found.placed, bare)
}

/// The place of a record whose header is lost: the message below it says whose it is. One that may have been a
/// delete is left out.
fn nameless(record: &Record<'_>, order: &str) -> Option<Placed> {
    let parts = record.header.split(|b| *b == b',');
    let mut parts = parts.map(<[u8]>::trim_ascii);
    if sniff(record.message) != Content::Hl7 || parts.any(|p| p.eq_ignore_ascii_case(b"DEL")) {
        return None;
    }
    let patient = patients_of(record.message).into_iter().next()?;
    let written = part_of(record.header, 2).and_then(|part| record.header.get(part));
    let institution = written
        .and_then(|bytes| core::str::from_utf8(bytes).ok())
        .and_then(InstitutionNumber::parse);
    let item = [&*patient, "", "", ""];
    let key = key(item, institution, order, record, ["", "", "INS"]);
    Some(Placed { key, institution })
}

/// Key: `class patient 0 institution 1 date 1 kind 1 order 0 journal 1 offset 1 line 1 message 0 rest`,
/// so that the records of one item stand together in the order of replaying.
fn key(
    [patient, date, kind, number]: [&str; 4],
    institution: Option<InstitutionNumber>,
    order: &str,
    record: &Record<'_>,
    [department, timestamp, operation]: [&str; 3],
) -> Vec<u8> {
    let institution = institution.map(|n| n.to_string()).unwrap_or_default();
    let text = format!(
        "{patient}\0{institution}\u{1}{date}\u{1}{kind}\u{1}{number}\0{order}\u{1}{:016x}\u{1}{:x}\u{1}{:x}\0{department}\u{1}{timestamp}\u{1}{operation}",
        record.offset, record.line, record.message_offset,
    );
    let mut key = vec![CLASS];
    key.extend_from_slice(text.as_bytes());
    key
}

/// What a header line says.
struct Read {
    placed: Placed,
    is_known_version: bool,
    is_delete: bool,
    /// Whether it is a delete without the message that the standard storage has for it.
    is_bare_delete: bool,
}

/// What a header line says, with the key of its record.
fn key_of(record: &Record<'_>, order: &str) -> Result<Read, StorageNoteKind> {
    let decoded;
    let line = if let Ok(line) = core::str::from_utf8(record.header) {
        line
    } else {
        decoded = cp932(record.header);
        &decoded
    };
    let header = RecordHeader::parse(line).map_err(|error| match error {
        HeaderError::Operation => StorageNoteKind::JournalOperation,
        _ => StorageNoteKind::JournalHeader,
    })?;
    let parts = [header.patient, header.date, header.kind, header.order];
    let unsafe_part = |part: &&str| {
        part.is_empty() && *part != header.order
            || matches!(*part, "." | "..")
            || part.chars().any(char::is_control)
    };
    if parts.iter().any(unsafe_part) || line.chars().any(char::is_control) {
        return Err(StorageNoteKind::JournalHeader);
    }
    let institution = header.institution_number();
    let rest = [
        header.department,
        header.timestamp.0,
        header.operation.code(),
    ];
    let key = key(parts, institution, order, record, rest);
    let is_standard = Kind::of(header.kind).standard().is_some();
    Ok(Read {
        placed: Placed { key, institution },
        is_known_version: header.version == VERSION,
        is_delete: header.operation == Operation::Delete,
        is_bare_delete: is_standard
            && header.operation == Operation::Delete
            && is_blank(record.message),
    })
}

/// Parts of a spool key of this class.
struct KeyParts<'k> {
    patient: &'k str,
    institution: &'k str,
    date: &'k str,
    kind: &'k str,
    order: &'k str,
    place: &'k str,
    department: &'k str,
    timestamp: &'k str,
    operation: Operation,
}

/// The place in a key: `time 1 number 1 path 1 offset 1 line 1 message`.
fn record_place(text: &str) -> Option<RecordPlace> {
    let mut back = text.rsplitn(4, '\u{1}');
    let mut number = || u64::from_str_radix(back.next()?, 16).ok();
    let (message, line, header) = (number()?, number()?, number()?);
    let journal = back.next()?.splitn(3, '\u{1}').nth(2)?;
    Some(RecordPlace {
        journal: journal.to_owned(),
        header,
        line: u32::try_from(line).ok()?,
        message,
    })
}

fn parts(key: &[u8]) -> Option<KeyParts<'_>> {
    let text = core::str::from_utf8(key.get(1..)?).ok()?;
    let mut fields = text.split('\0');
    let (patient, item, place, rest) = (
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
        place,
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
    pub(crate) place: Option<RecordPlace>,
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
    if item.kind.is_empty() {
        return records.iter().filter_map(replay_nameless).collect();
    }
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
            place: record_place(record.place),
            offset: entry.offset,
            length: entry.length,
        });
    }
    files.reverse();
    files
}

/// A record without a header is a file without a name, below its journal, in whatever folder that lies.
fn replay_nameless(entry: &Entry) -> Option<Replayed> {
    let own = parts(&entry.key)?;
    let place = record_place(own.place)?;
    let journal = place.journal.rsplit('/').next().unwrap_or_default();
    Some(Replayed {
        path: format!("{journal}/{}.hl7", place.line),
        institution: InstitutionNumber::parse(own.institution),
        place: Some(place),
        offset: entry.offset,
        length: entry.length,
    })
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
