//! The bundled fixtures are what the story writes, and the story covers the specification.
#![expect(
    clippy::expect_used,
    reason = "helpers of tests; a failure is the message"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use warifu_ssmix2::index::IndexTable;
use warifu_ssmix2::journal::Splitter;
use warifu_ssmix2::{FileName, Flag, NameNote, Operation, Place, RecordHeader, locate};
use warifu_synth::kinds::{Act, ROWS, Row};
use warifu_synth::storage::NO_ORDER;
use warifu_synth::{Plan, broken, fixtures, jis::Jis, story};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

/// Files of the bundled standard storage, `(path, bytes)`.
fn standard() -> Vec<(String, Vec<u8>)> {
    let jis = Jis::new();
    let book = story::storage(&jis);
    assert_eq!(book.substituted(), 0, "a character outside JIS X 0208");
    book.files()
}

/// The seven parts of a file name of the standard storage.
struct Name<'a> {
    patient: &'a str,
    date: &'a str,
    kind: &'a str,
    order: &'a str,
    written: &'a str,
    department: &'a str,
    flag: &'a str,
}

fn name(path: &str) -> Name<'_> {
    let (folders, file) = path.rsplit_once('/').expect("folders");
    let parts: Vec<&str> = file.split('_').collect();
    let &[patient, date, kind, order, written, department, flag] = parts.as_slice() else {
        panic!("{file}");
    };
    assert_eq!(
        folders,
        format!(
            "{}/{}/{patient}/{date}/{kind}",
            &patient[..3],
            &patient[3..6]
        )
    );
    Name {
        patient,
        date,
        kind,
        order,
        written,
        department,
        flag,
    }
}

/// Decodes strictly: only `ESC $ B` and `ESC ( B`, ASCII at every delimiter, bytes of 21–7E in pairs.
fn decode(bytes: &[u8]) -> String {
    let mut kanji = false;
    let mut out = Vec::new();
    let mut rest = bytes;
    loop {
        rest = match rest {
            [] => break,
            [0x1B, b'$', b'B', tail @ ..] => {
                assert!(!kanji, "shifted twice");
                kanji = true;
                tail
            }
            [0x1B, b'(', b'B', tail @ ..] => {
                assert!(kanji, "not shifted");
                kanji = false;
                tail
            }
            [high, low, tail @ ..] if kanji => {
                assert!((0x21..=0x7E).contains(high) && (0x21..=0x7E).contains(low));
                out.extend([high | 0x80, low | 0x80]);
                tail
            }
            [byte, tail @ ..] => {
                assert!(!kanji && (*byte == b'\r' || (0x20..0x7F).contains(byte)));
                out.push(*byte);
                tail
            }
        };
    }
    assert!(!kanji, "the file ends inside double-byte text");
    let (text, _, malformed) = encoding_rs::EUC_JP.decode(&out);
    assert!(!malformed);
    text.into_owned()
}

/// Field `number` of the first segment `id`; MSH counts its separator.
fn field<'t>(text: &'t str, id: &str, number: usize) -> &'t str {
    let shift = usize::from(id == "MSH");
    text.split('\r')
        .find(|line| line.starts_with(id))
        .and_then(|line| line.split('|').nth(number - shift))
        .unwrap_or_default()
}

fn files_below(folder: &Path, prefix: &str, out: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("tests/fixtures") {
        let entry = entry.expect("entry");
        let name = format!("{prefix}{}", entry.file_name().to_str().expect("UTF-8"));
        if entry.path().is_dir() {
            files_below(&entry.path(), &format!("{name}/"), out);
        } else {
            out.insert(name, std::fs::read(entry.path()).expect("readable"));
        }
    }
}

#[test]
fn the_files_on_disk_are_what_the_story_writes() {
    let mut on_disk = BTreeMap::new();
    files_below(&folder(), "", &mut on_disk);
    let written: BTreeMap<String, Vec<u8>> = fixtures::files().into_iter().collect();
    let paths = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(
        paths(&on_disk),
        paths(&written),
        "run: cargo run -p warifu-synth -- fixtures tests/fixtures"
    );
    for (path, bytes) in &written {
        assert!(on_disk.get(path) == Some(bytes), "{path} differs");
    }
}

#[test]
fn all_26_kinds_and_36_rows_are_there() {
    let found: BTreeSet<(String, String, bool)> = standard()
        .iter()
        .map(|(path, bytes)| {
            let text = decode(bytes);
            let name = name(path);
            (
                name.kind.to_owned(),
                field(&text, "MSH", 9).to_owned(),
                name.flag == "0",
            )
        })
        .collect();
    for Row {
        kind, message, act, ..
    } in ROWS
    {
        let row = (kind.to_owned(), message.to_owned(), act == Act::Cancel);
        assert!(found.contains(&row), "{row:?}");
    }
    // Each kind has a valid file, so that a reader has something to convert.
    for kind in ROWS.iter().map(|row| row.kind) {
        assert!(
            found.iter().any(|(other, _, gone)| other == kind && !gone),
            "{kind}"
        );
    }
}

#[test]
fn names_agree_with_folders_messages_and_care_dates() {
    for (path, bytes) in standard() {
        let name = name(&path);
        let text = decode(&bytes);
        assert!(name.patient.len() == 10 && name.order.len() == 15);
        assert!(name.written.len() == 17 && name.written.bytes().all(|b| b.is_ascii_digit()));
        assert!(
            (2..=3).contains(&name.department.len()) || name.department == "-",
            "{path}"
        );
        assert_eq!(field(&text, "MSH", 7).replace('.', ""), name.written);
        assert_eq!(field(&text, "MSH", 18), "~ISO IR87");
        assert_eq!(field(&text, "PID", 3).split('^').next(), Some(name.patient));
        let event = field(&text, "MSH", 9);
        let Some(row) = ROWS.iter().find(|row| row.message == event) else {
            panic!("{event}");
        };
        assert_eq!(row.care_date.is_empty(), name.date == "-", "{path}");
        if let Some((segment, number)) = row.care_date.split_once('-') {
            let value = field(&text, segment, number.parse().expect("number"));
            assert!(value.starts_with(name.date), "{path}: {value}");
        }
    }
}

#[test]
fn condition_flags_follow_the_rules_of_the_writer() {
    let mut items: BTreeMap<String, Vec<char>> = BTreeMap::new();
    for (path, _) in standard() {
        let name = name(&path);
        let key = [name.patient, name.date, name.kind, name.order].join("_");
        items.entry(key).or_default().extend(name.flag.chars());
    }
    let mut seen = BTreeSet::new();
    for (key, flags) in &items {
        let count = |flag| flags.iter().filter(|other| **other == flag).count();
        seen.extend(flags);
        if count('2') > 0 {
            assert_eq!(count('1'), 1, "{key}");
        }
        if count('1') > 1 {
            assert!(key.ends_with(NO_ORDER), "{key}");
        }
        // What was withdrawn and the withdrawal come together.
        assert_ne!(count('0'), 1, "{key}");
    }
    assert_eq!(seen, BTreeSet::from(['0', '1', '2']));
}

#[test]
fn double_byte_text_is_full_of_delimiter_bytes() {
    let mut counts = BTreeMap::new();
    for (_, bytes) in standard() {
        let mut kanji = false;
        for (at, byte) in bytes.iter().enumerate() {
            match &bytes[at..] {
                [0x1B, b'$', ..] => kanji = true,
                [0x1B, b'(', ..] => kanji = false,
                _ if kanji && b"|^~\\&".contains(byte) => *counts.entry(*byte).or_insert(0) += 1,
                _ => {}
            }
        }
    }
    for delimiter in b"|^~\\&" {
        assert!(counts[delimiter] > 20, "{counts:?}");
    }
}

#[test]
fn the_journal_tells_the_same_story_as_the_storage() {
    let files = fixtures::files();
    let journal = |part: &str| {
        let (_, bytes) = files
            .iter()
            .find(|(path, _)| path.starts_with("transaction_root/2026/") && path.contains(part))
            .expect("journal");
        bytes.clone()
    };
    // 架空みどり: every file of hers is one record of the second journal, in the same bytes.
    let bytes = journal("00002");
    let hers: Vec<&(String, Vec<u8>)> = files
        .iter()
        .filter(|(path, _)| {
            path.starts_with("standard_root/000/099/0000990003")
                || path.starts_with("standard_root/000/099/0000990004")
        })
        .collect();
    let headers = bytes
        .split(|byte| *byte == b'\r')
        .filter(|line| line.starts_with(b"#SSMIX,2.00,1319999999,00009900"))
        .count();
    assert_eq!(headers, hers.len());
    for (path, message) in hers {
        assert!(
            bytes.windows(message.len()).any(|window| window == message),
            "{path}"
        );
    }
    // Updates of the first journal come as DEL and INS a millisecond apart.
    let bytes = journal("00001");
    let lines: Vec<&str> = bytes
        .split(|byte| matches!(byte, b'\r' | b'\n'))
        .filter_map(|line| std::str::from_utf8(line).ok())
        .filter(|line| line.starts_with("#SSMIX"))
        .collect();
    assert!(lines.iter().all(|line| line.split(',').count() == 10));
    let pairs = lines
        .windows(2)
        .filter(|pair| pair[0].contains(",DEL,") && pair[1].contains(",INS,"))
        .filter(|pair| {
            let stamp = |line: &str| line.rsplit(',').next().and_then(|t| t.parse::<u64>().ok());
            stamp(pair[0]).map(|at| at + 1) == stamp(pair[1])
        })
        .count();
    assert!(pairs >= 1, "{lines:#?}");
}

#[test]
fn every_row_of_the_index_names_a_file() {
    let files = fixtures::files();
    let (_, csv) = files
        .iter()
        .find(|(path, _)| path == "index/SSMIXIDX.csv")
        .expect("index");
    let text = std::str::from_utf8(csv).expect("UTF-8");
    let mut rows = 0;
    for row in text.lines().skip(1) {
        rows += 1;
        let cells: Vec<&str> = row.split(',').collect();
        assert_eq!(cells.len(), 12, "{row}");
        let root = if cells[0] == "STD01" {
            "standard_root"
        } else {
            "extended_root"
        };
        let path = format!("{root}/{}/{}", cells[9].replace('\\', "/"), cells[10]);
        let folder = format!("{path}/");
        assert!(
            files
                .iter()
                .any(|(file, _)| *file == path || file.starts_with(&folder)),
            "{path}"
        );
    }
    assert!(rows > 100);
}

#[test]
fn extended_items_have_a_main_document() {
    let files = fixtures::files();
    let mains: Vec<&str> = files
        .iter()
        .filter(|(path, _)| path.starts_with("extended_root/") && path.contains("/main_document."))
        .map(|(path, _)| path.as_str())
        .collect();
    assert_eq!(mains.len(), 9);
    for (path, bytes) in &files {
        if path.starts_with("extended_root/") && path.ends_with("/main_document.hl7") {
            let text = decode(bytes);
            assert_eq!(field(&text, "MSH", 9), "ORU^R30^ORU_R30");
            // OBX-14 of the day is the care date of the folder.
            let day = path.split('/').nth(4).expect("date");
            assert!(field(&text, "OBX", 14).starts_with(day), "{path}");
        }
    }
    assert!(
        files
            .iter()
            .any(|(path, bytes)| path.ends_with("/endoscopy.pdf") && bytes.starts_with(b"%PDF-1.4"))
    );
}

#[test]
fn names_and_paths_round_trip_through_the_grammar_of_the_reader() {
    let mut items = 0;
    for (path, _) in fixtures::files() {
        let (root, rest) = path.split_once('/').unwrap_or((&path, ""));
        if root != "standard_root" && root != "extended_root" {
            continue;
        }
        let components: Vec<&str> = path.split('/').collect();
        let Place::Item(item) = locate(&components) else {
            panic!("{path}");
        };
        let levels = [
            item.level1,
            item.level2,
            item.patient,
            item.date,
            item.kind,
            item.leaf,
        ];
        assert!(rest.starts_with(&levels.join("/")), "{path}");
        let name = FileName::parse_in(item.leaf, Some(item.kind)).expect("a storage name");
        assert_eq!(name.to_string(), item.leaf);
        assert_eq!(
            (name.patient, name.date, name.kind),
            (item.patient, item.date, item.kind)
        );
        let notes = name.notes();
        assert!(
            notes
                .iter()
                .all(|note| root == "extended_root" && *note == NameNote::DepartmentMissing),
            "{path}: {notes:?}"
        );
        items += 1;
    }
    assert!(items > 110);
}

#[test]
fn the_readers_of_index_and_journal_find_nothing_odd() {
    let files = fixtures::files();
    for (path, bytes) in &files {
        if path == "index/SSMIXIDX.csv" {
            let text = std::str::from_utf8(bytes).expect("UTF-8");
            for row in IndexTable::new(text).expect("header") {
                assert!(row.notes().is_empty(), "{row:?}");
            }
        }
        if path.starts_with("transaction_root/") {
            let mut splitter = Splitter::new();
            splitter.push(bytes);
            splitter.finish();
            let mut records = 0;
            while let Some(record) = splitter.next_record() {
                let header = std::str::from_utf8(record.header).expect("ASCII");
                let header = RecordHeader::parse(header).expect("header");
                assert!(
                    header
                        .institution_number()
                        .is_some_and(|n| n.has_valid_check_digit())
                );
                assert!(record.message.starts_with(b"MSH|"));
                // What is inserted lies in the storage under the name the header gives.
                let name = |flag| header.file_name(flag).to_string();
                let stored = [Flag::Current, Flag::Replaced, Flag::Deleted]
                    .map(name)
                    .iter()
                    .any(|name| files.iter().any(|(path, _)| path.ends_with(name.as_str())));
                assert!(
                    stored || header.operation == Operation::Delete,
                    "{header:?}"
                );
                records += 1;
            }
            assert!(records > 15, "{path}: {records}");
        }
    }
}

#[test]
fn every_segment_and_value_type_of_the_specification_appears() {
    let mut segments = BTreeSet::new();
    let mut value_types = BTreeSet::new();
    for (_, bytes) in standard() {
        for line in decode(&bytes).split_terminator('\r') {
            segments.insert(line.split('|').next().unwrap_or_default().to_owned());
            if line.starts_with("OBX") {
                value_types.extend(line.split('|').nth(2).map(str::to_owned));
            }
        }
    }
    let expected = [
        "AL1", "CTI", "DB1", "EVN", "IAM", "IN1", "IPC", "MSH", "NK1", "NTE", "OBR", "OBX", "ODS",
        "ORC", "PID", "PRB", "PV1", "PV2", "RXA", "RXC", "RXE", "RXR", "SPM", "TQ1", "ZE1", "ZE2",
        "ZI1", "ZPD", "ZPR",
    ];
    assert_eq!(segments, expected.map(str::to_owned).into());
    for value_type in [
        "NM", "ST", "CWE", "TX", "FT", "DT", "TM", "TS", "XCN", "ZRD",
    ] {
        assert!(value_types.contains(value_type), "{value_type}");
    }
}

#[test]
fn broken_files_are_all_different_and_small() {
    let cases = broken::cases(&Jis::new());
    assert!(cases.len() >= 40);
    let slugs: BTreeSet<&str> = cases.iter().map(|case| case.slug).collect();
    assert_eq!(slugs.len(), cases.len());
    let contents: BTreeSet<(&str, &[u8])> = cases
        .iter()
        .map(|case| (case.path.as_str(), case.bytes.as_slice()))
        .collect();
    assert_eq!(contents.len(), cases.len());
    assert!(cases.iter().all(|case| case.bytes.len() < 3000));
}

#[test]
fn other_charsets_decode_to_the_same_text() {
    let cases = broken::cases(&Jis::new());
    let bytes = |slug: &str| {
        cases
            .iter()
            .find(|case| case.slug == slug)
            .map(|case| case.bytes.clone())
            .expect("case")
    };
    let utf8 = String::from_utf8(bytes("utf-8")).expect("UTF-8");
    let euc = bytes("euc-jp");
    assert_eq!(encoding_rs::EUC_JP.decode(&euc).0, utf8);
    let cp932 = bytes("cp932");
    assert_eq!(
        encoding_rs::SHIFT_JIS
            .decode(&cp932)
            .0
            .replace("表示㈱①、髙木ｶﾅ", ""),
        utf8
    );
}

#[test]
fn generated_storages_obey_the_same_rules() {
    let plan = Plan {
        seed: 3,
        patients: 60,
        messages: 3000,
    };
    let mut kinds = BTreeSet::new();
    for (path, bytes) in plan.files() {
        let name = name(&path);
        let text = decode(&bytes);
        assert!(!text.contains('〓'), "{path}");
        kinds.insert(name.kind.to_owned());
        let event = field(&text, "MSH", 9);
        let row = ROWS
            .iter()
            .find(|row| row.kind == name.kind && row.message == event)
            .unwrap_or_else(|| panic!("{event} in {path}"));
        if let Some((segment, number)) = row.care_date.split_once('-') {
            let value = field(&text, segment, number.parse().expect("number"));
            assert!(value.starts_with(name.date), "{path}: {value}");
        }
    }
    assert!(kinds.len() >= 14, "{kinds:?}");
}
