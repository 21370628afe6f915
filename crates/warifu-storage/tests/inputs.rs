//! The same storage from a folder, archives and journals; hostile archives; races.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests: a failure here is a failed test"
)]

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use warifu_ssmix2::State;
use warifu_storage::zip::{ZipError, ZipReader};
use warifu_storage::{
    Choice, Content, Found, Options, PatientBatch, ReadError, Storage, StorageNote,
    StorageNoteKind, open,
};

const VITAL: &str = "L-OBSERVATIONS^観察記録^99ZL01";

/// Path and content of each file of a small storage.
fn sample() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut add = |patient: &str, date: &str, kind: &str, rest: &str| {
        let level1: String = patient.chars().take(3).collect();
        let level2: String = patient.chars().skip(3).take(3).collect();
        let name = format!("{patient}_{date}_{kind}_{rest}");
        let folder = format!("{level1}/{level2}/{patient}/{date}/{kind}");
        let path = if kind.contains('^') {
            format!("{folder}/{name}/main_document.hl7")
        } else {
            format!("{folder}/{name}")
        };
        let content = format!("MSH|^~\\&|{name}\rPID|||{patient}\r");
        files.push((path, content.into_bytes()));
    };
    let none = "999999999999999";
    add(
        "0000000123",
        "-",
        "ADT-00",
        &format!("{none}_20260401093015123_-_1"),
    );
    add(
        "0000000123",
        "20260401",
        "OMP-01",
        "000000000000001_20260401093015123_01_2",
    );
    add(
        "0000000123",
        "20260401",
        "OMP-01",
        "000000000000001_20260401103015123_01_1",
    );
    add(
        "0000000123",
        "20260401",
        "OML-11",
        "000000000000002_20260401103015123_01_0",
    );
    add(
        "0000000123",
        "20260401",
        "OML-11",
        "000000000000002_20260401113015123_01_0",
    );
    add(
        "0000000123",
        "20260401",
        VITAL,
        "20260401_20260401113015123_01_1",
    );
    add(
        "0000000124",
        "20260402",
        "ADT-12",
        &format!("{none}_20260402090000000_01_1"),
    );
    add(
        "0000000124",
        "20260402",
        "ADT-12",
        &format!("{none}_20260402100000000_02_1"),
    );
    add(
        "12345",
        "-",
        "PPR-01",
        "000000000000009_20260402100000000_-_1",
    );
    files.sort();
    files
}

/// The journal whose replay gives `sample()`.
fn journal() -> Vec<u8> {
    let mut records = Vec::new();
    for (path, content) in sample() {
        let leaf = path
            .split('/')
            .find(|part| part.matches('_').count() >= 6)
            .unwrap();
        let parts: Vec<&str> = leaf.split('_').collect();
        let n = parts.len();
        // The later of two flag-0 files is the delete message.
        let deletes = leaf.contains("OML-11") && leaf.contains("113015123");
        let operation = if deletes { "DEL" } else { "INS" };
        let (timestamp, department) = (parts[n - 3], parts[n - 2]);
        let kind = parts[2..n - 4].join("_");
        let header = format!(
            "#SSMIX,2.00,1310000003,{},{},{kind},{},{operation},{department},{timestamp}",
            parts[0],
            parts[1],
            parts[n - 4],
        );
        records.push((timestamp.to_owned(), header, content));
    }
    records.sort();
    let mut bytes = Vec::new();
    for (_, header, content) in records {
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&content);
        bytes.extend_from_slice(b"\x1c\r\n");
    }
    bytes
}

fn write_folder(base: &Path, files: &[(String, Vec<u8>)]) {
    for (path, content) in files {
        let path = base.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

fn zip_of(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    // Out of order: the reader sorts.
    for (path, content) in files.iter().rev() {
        writer.start_file(path.as_str(), options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn tar_of(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files.iter().rev() {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(content.len()).unwrap());
        header.set_mode(0o644);
        builder
            .append_data(&mut header, path, content.as_slice())
            .unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Patient, path in the root, checksum of the content (which no test prints).
type Files = Vec<(String, String, u32, Content)>;

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn contents(storage: &Storage) -> Files {
    let mut files = Vec::new();
    let mut bytes = Vec::new();
    storage.for_each_patient(|batch| {
        for file in &batch.files {
            let content = match storage.read(file, &mut bytes) {
                // A finding says it.
                Err(ReadError::LeftOut) => continue,
                content => content.unwrap(),
            };
            files.push((
                batch.key.patient.clone(),
                file.path_in_root().to_owned(),
                checksum(&bytes),
                content,
            ));
        }
    });
    files
}

fn notes(storage: &Storage) -> Vec<StorageNote> {
    storage
        .walk()
        .filter_map(|found| match found {
            Found::Note(note) => Some(note),
            _ => None,
        })
        .collect()
}

fn kinds(storage: &Storage) -> Vec<StorageNoteKind> {
    notes(storage).into_iter().map(|note| note.kind).collect()
}

fn batches(storage: &Storage) -> Vec<PatientBatch> {
    let mut batches = Vec::new();
    storage.for_each_patient(|batch| batches.push(batch));
    batches
}

fn loose(storage: &Storage) -> Vec<(String, Content)> {
    storage
        .walk()
        .filter_map(|found| match found {
            Found::Loose(file, content) => Some((file.path().to_owned(), content)),
            _ => None,
        })
        .collect()
}

fn from_bytes(bytes: &[u8], options: &Options) -> Storage {
    Storage::from_reader(&mut &*bytes, "-", options).unwrap()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    fn path(&self) -> &Path {
        self.0.path()
    }
    fn with(files: &[(String, Vec<u8>)]) -> Self {
        let folder = Self::new();
        write_folder(folder.path(), files);
        folder
    }
}

fn standard() -> Options {
    Options::standard()
}

#[test]
fn folder_zip_tar_and_journal_give_the_same_batches() {
    let files = sample();
    let folder = Folder::with(&files);
    let expected = contents(&open(folder.path(), &standard()).unwrap());
    assert_eq!(expected.len(), files.len());
    let ids: Vec<&str> = expected.iter().map(|file| file.0.as_str()).collect();
    assert!(ids.is_sorted());

    let tar = tar_of(&files);
    let zst = zstd::encode_all(tar.as_slice(), 1).unwrap();
    let inputs = [
        zip_of(&files),
        gzip(&tar),
        zst,
        tar,
        journal(),
        gzip(&journal()),
    ];
    // With memory for everything, and with hardly any.
    for memory_limit in [64 << 20, 100] {
        let options = Options {
            memory_limit,
            ..standard()
        };
        for (number, input) in inputs.iter().enumerate() {
            let streamed = from_bytes(input, &options);
            assert_eq!(contents(&streamed), expected, "stream {number}");
            assert_eq!(notes(&streamed), [], "stream {number}");
            // Content decides, not the extension.
            let place = folder.path().join("../input.txt");
            let place = place
                .parent()
                .unwrap()
                .join(format!("in{number}-{}", std::process::id()));
            fs::write(&place, input).unwrap();
            let opened = open(&place, &options);
            fs::remove_file(&place).unwrap();
            assert_eq!(contents(&opened.unwrap()), expected, "file {number}");
        }
    }
}

#[test]
fn folder_of_journals_replays_in_the_order_of_their_names() {
    let journal = journal();
    let text = String::from_utf8(journal).unwrap();
    let records: Vec<String> = text
        .split_inclusive("\x1c\r\n")
        .map(ToOwned::to_owned)
        .collect();
    let (first, second) = records.split_at(4);
    let folder = Folder::with(&[
        (
            "tx/2027/TR_20270101000000000_00001.DAT".to_owned(),
            second.concat().into_bytes(),
        ),
        (
            "tx/2026/TR_20260101000000000_00001.DAT".to_owned(),
            first.concat().into_bytes(),
        ),
    ]);
    let plain = Folder::with(&sample());
    let storage = open(folder.path(), &standard()).unwrap();
    assert_eq!(
        contents(&storage),
        contents(&open(plain.path(), &standard()).unwrap())
    );
    let institutions: Vec<String> = storage
        .institutions()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(institutions, ["1310000003"]);
    // The same folder as an archive.
    let zip = zip_of(&[
        (
            "tx/2027/TR_20270101000000000_00001.DAT".to_owned(),
            second.concat().into_bytes(),
        ),
        (
            "tx/2026/TR_20260101000000000_00001.DAT".to_owned(),
            first.concat().into_bytes(),
        ),
    ]);
    assert_eq!(contents(&from_bytes(&zip, &standard())), contents(&storage));
}

#[test]
fn selection_of_a_batch_counts_versions_and_withdrawals() {
    let folder = Folder::with(&sample());
    let storage = open(folder.path(), &standard()).unwrap();
    let batches = batches(&storage);
    let patient = batches[0].items();
    assert_eq!(patient.items.len(), 6);
    assert_eq!(patient.unnamed.len(), 0);
    assert_eq!(patient.selection.used().count(), 3);
    assert_eq!(patient.selection.cancelled().count(), 2);
    let superseded = patient.selection.outcomes.iter();
    assert_eq!(
        superseded.filter(|o| o.state == State::Superseded).count(),
        1
    );
    assert_eq!(batches[1].items().selection.used().count(), 2);
}

#[test]
fn delete_and_insert_one_millisecond_later_is_an_update() {
    let record = |operation: &str, millisecond: u32, text: &str| {
        format!(
            "#SSMIX,2.00,1310000003,77,20260401,OMP-01,000000000000001,{operation},01,20260401093015{millisecond:03}\r\nMSH|{text}\r\x1c\r\n"
        )
    };
    let journal = [
        record("INS", 1, "a"),
        record("DEL", 2, "b"),
        record("INS", 3, "c"),
    ]
    .concat();
    let storage = from_bytes(journal.as_bytes(), &standard());
    let batches = batches(&storage);
    let names: Vec<&str> = batches[0]
        .files
        .iter()
        .map(|file| &file.path()[file.path().len() - 8..])
        .collect();
    assert_eq!(names, ["001_01_0", "002_01_0", "003_01_1"]);
}

#[test]
fn several_roots_are_merged_by_patient() {
    let files = sample();
    let half = files.len() / 2;
    let at = |root: &str, files: &[(String, Vec<u8>)]| -> Vec<(String, Vec<u8>)> {
        files
            .iter()
            .map(|(path, content)| (format!("{root}/{path}"), content.clone()))
            .collect()
    };
    let mut split = at("STD01", &files[..half]);
    split.extend(at("x/y/volume2", &files[half..]));
    let folder = Folder::with(&split);
    let storage = open(folder.path(), &standard()).unwrap();
    let ids: Vec<String> = batches(&storage)
        .into_iter()
        .map(|b| b.key.patient)
        .collect();
    assert_eq!(ids, ["0000000123", "0000000124", "12345"]);
    let mut merged = contents(&storage);
    merged.sort();
    let plain = Folder::with(&files);
    let mut expected = contents(&open(plain.path(), &standard()).unwrap());
    expected.sort();
    assert_eq!(merged, expected);
    // The same as two inputs.
    let (one, two) = (folder.path().join("STD01"), folder.path().join("x"));
    let storage = Storage::open_all(&[&one, &two], &standard()).unwrap();
    assert_eq!(batches(&storage).len(), 3);
}

#[test]
fn same_patient_number_of_two_institutions_is_never_merged() {
    let name = "77_-_ADT-00_999999999999999_20260401093015123_-_1";
    let files: Vec<(String, Vec<u8>)> = ["1310000003", "1310000011_STD", "other"]
        .iter()
        .map(|root| (format!("{root}/77/77/-/ADT-00/{name}"), b"MSH|".to_vec()))
        .collect();
    let folder = Folder::with(&files);
    for storage in [
        open(folder.path(), &standard()).unwrap(),
        from_bytes(&zip_of(&files), &standard()),
    ] {
        let keys: Vec<Option<String>> = batches(&storage)
            .into_iter()
            .map(|batch| batch.key.institution.map(|number| number.to_string()))
            .collect();
        assert_eq!(
            keys,
            [
                None,
                Some("1310000003".to_owned()),
                Some("1310000011".to_owned())
            ]
        );
        assert_eq!(kinds(&storage), [StorageNoteKind::SeveralInstitutions]);
    }
}

#[test]
fn patient_in_the_wrong_level_folders_joins_its_other_files() {
    let file = |levels: &str, day: &str| {
        (
            format!(
                "{levels}/0000000123/{day}/OMP-01/0000000123_{day}_OMP-01_000000000000001_20260401093015123_01_1"
            ),
            b"MSH|".to_vec(),
        )
    };
    let folder = Folder::with(&[
        file("000/000", "20260401"),
        file("999/888", "20260402"),
        file("111/000", "20260403"),
    ]);
    let storage = open(folder.path(), &standard()).unwrap();
    let batches = batches(&storage);
    assert_eq!(batches.len(), 1);
    assert_eq!(batches[0].files.len(), 3);
}

#[test]
fn patient_without_its_second_level_is_read_beside_sound_ones() {
    let file = |levels: &str, patient: &str, day: &str| {
        (
            format!(
                "{levels}/{patient}/{day}/OMP-01/{patient}_{day}_OMP-01_000000000000001_20260401093015123_01_1"
            ),
            b"MSH|".to_vec(),
        )
    };
    let files = [
        file("000/099", "0000990001", "20260401"),
        file("000", "0000990001", "20260402"),
        file("000", "0000980002", "20260403"),
    ];
    let zip = zip_of(&files);
    let folder = Folder::with(&files);
    for storage in [
        open(folder.path(), &standard()).unwrap(),
        from_bytes(&zip, &standard()),
    ] {
        let of: Vec<usize> = batches(&storage).iter().map(|b| b.files.len()).collect();
        let files = of.iter().sum::<usize>();
        assert_eq!((of.len(), files), (2, 3), "{of:?}");
        assert_eq!(kinds(&storage), []);
    }
}

#[test]
fn cp932_entry_names_are_read() {
    let kind = "L1^観察記録^99ZL";
    let path = format!(
        "000/000/0000000123/20260401/{kind}/0000000123_20260401_{kind}_1_20260401093015123_-_1/main_document.hl7"
    );
    // 観察記録 in CP932, in place of as many ASCII letters.
    let cp932 = b"\x8a\xcf\x8e\x40\x8b\x4c\x98\x5e";
    let ascii = path.replace("観察記録", "ABCDEFGH");
    let replace = |mut bytes: Vec<u8>| {
        while let Some(at) = bytes.windows(8).position(|window| window == b"ABCDEFGH") {
            bytes[at..at + 8].copy_from_slice(cp932);
        }
        bytes
    };
    let zip = replace(zip_of(&[(ascii.clone(), b"MSH|".to_vec())]));
    let storage = from_bytes(&zip, &standard());
    assert_eq!(batches(&storage)[0].files[0].path(), path);
    // The same name in UTF-8 without the flag that says so.
    let mut zip = zip_of(&[(path.clone(), b"MSH|".to_vec())]);
    for (mark, flags) in [(b"PK\x01\x02", 8), (b"PK\x03\x04", 6)] {
        let at = zip.windows(4).position(|window| window == mark).unwrap();
        zip[at + flags + 1] &= !0x08;
    }
    let storage = from_bytes(&zip, &standard());
    assert_eq!(batches(&storage)[0].files[0].path(), path);
}

#[cfg(unix)]
#[test]
fn folder_names_that_are_not_utf8_are_read_as_cp932() {
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new();
    let kind = b"L1^\x8a\xcf\x8e\x40^99ZL";
    let mut leaf = b"0000000123_20260401_".to_vec();
    leaf.extend_from_slice(kind);
    leaf.extend_from_slice(b"_1_20260401093015123_-_1");
    let path = folder
        .path()
        .join("000/000/0000000123/20260401")
        .join(std::ffi::OsStr::from_bytes(kind))
        .join(std::ffi::OsStr::from_bytes(&leaf));
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("main_document.hl7"), "MSH|").unwrap();
    let storage = open(folder.path(), &standard()).unwrap();
    let batches = batches(&storage);
    assert!(batches[0].files[0].path().contains("L1^観察^99ZL"));
    assert_eq!(batches[0].items().items[0].name.kind, "L1^観察^99ZL");
    let mut bytes = Vec::new();
    storage.read(&batches[0].files[0], &mut bytes).unwrap();
    assert_eq!(bytes, b"MSH|");
    assert!(kinds(&storage).contains(&StorageNoteKind::NameNotUtf8));
}

#[test]
fn entries_that_leave_the_archive_are_refused() {
    let files: Vec<(String, Vec<u8>)> = ["/etc/x", "C:\\x", "a/../../x", "ok.hl7"]
        .iter()
        .map(|path| ((*path).to_owned(), b"MSH|".to_vec()))
        .collect();
    let storage = from_bytes(&zip_of(&files), &standard());
    assert_eq!(loose(&storage), [("ok.hl7".to_owned(), Content::Hl7)]);
    let mut found = kinds(&storage);
    found.sort();
    assert_eq!(
        found,
        [
            StorageNoteKind::AbsolutePath,
            StorageNoteKind::AbsolutePath,
            StorageNoteKind::UnsafePath
        ]
    );
    // Tar: the builder refuses such names, so the header is written by hand.
    let mut tar = Vec::new();
    for name in ["../x", "/etc/x", "ok.hl7"] {
        let mut header = tar::Header::new_old();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(4);
        header.set_cksum();
        tar.extend_from_slice(header.as_bytes());
        tar.extend_from_slice(b"MSH|");
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    let storage = from_bytes(&tar, &standard());
    assert_eq!(loose(&storage), [("ok.hl7".to_owned(), Content::Hl7)]);
    assert_eq!(
        kinds(&storage),
        [StorageNoteKind::UnsafePath, StorageNoteKind::AbsolutePath]
    );
}

#[test]
fn links_in_archives_are_refused() {
    let mut builder = tar::Builder::new(Vec::new());
    for kind in [
        tar::EntryType::Symlink,
        tar::EntryType::Link,
        tar::EntryType::Fifo,
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        builder
            .append_link(&mut header, "a.hl7", "/etc/passwd")
            .unwrap();
    }
    let tar = builder.into_inner().unwrap();
    let storage = from_bytes(&tar, &standard());
    assert_eq!(
        kinds(&storage),
        [
            StorageNoteKind::Link,
            StorageNoteKind::Link,
            StorageNoteKind::SpecialFile
        ]
    );
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .add_symlink(
            "a.hl7",
            "/etc/passwd",
            zip::write::SimpleFileOptions::default(),
        )
        .unwrap();
    let storage = from_bytes(&writer.finish().unwrap().into_inner(), &standard());
    assert_eq!(kinds(&storage), [StorageNoteKind::Link]);
}

#[cfg(unix)]
#[test]
fn links_in_folders_are_not_followed() {
    let folder = Folder::with(&sample());
    let outside = Folder::with(&[("secret".to_owned(), b"MSH|secret".to_vec())]);
    let day = folder.path().join("000/000/0000000123/20260401/OMP-01");
    let link = day.join("0000000123_20260401_OMP-01_000000000000005_20260401093015123_01_1");
    std::os::unix::fs::symlink(outside.path().join("secret"), &link).unwrap();
    std::os::unix::fs::symlink("..", folder.path().join("000/loop")).unwrap();
    let storage = open(folder.path(), &standard()).unwrap();
    assert_eq!(contents(&storage).len(), sample().len());
    assert_eq!(kinds(&storage), [StorageNoteKind::Link; 2]);
    // A file that turns into a link after it was listed.
    let batches = batches(&storage);
    let file = &batches[0].files[0];
    let path = folder.path().join(file.path());
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret"), &path).unwrap();
    let mut bytes = Vec::new();
    assert!(matches!(
        storage.read(file, &mut bytes),
        Err(ReadError::NotAFile)
    ));
    assert_eq!(bytes, b"");
}

#[test]
fn millions_of_refused_entries_are_counted_not_kept() {
    let files: Vec<(String, Vec<u8>)> =
        (0..12_000).map(|n| (format!("/{n}"), Vec::new())).collect();
    let found = notes(&from_bytes(&zip_of(&files), &standard()));
    assert_eq!(found.len(), 10_001);
    assert_eq!(found.iter().map(|note| note.count).sum::<u64>(), 12_000);
}

#[test]
fn threads_may_read_one_storage() {
    let folder = Folder::with(&sample());
    let storage = open(folder.path(), &standard()).unwrap();
    let zip = Options {
        memory_limit: 100,
        ..standard()
    };
    for storage in [storage, from_bytes(&zip_of(&sample()), &zip)] {
        let expected = contents(&storage);
        let batches = batches(&storage);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for (file, expected) in batches.iter().flat_map(|b| &b.files).zip(&expected) {
                        let mut bytes = Vec::new();
                        storage.read(file, &mut bytes).unwrap();
                        assert_eq!(checksum(&bytes), expected.2);
                    }
                });
            }
        });
    }
}

#[test]
fn bombs_are_stopped() {
    let zeros = vec![0_u8; 8 << 20];
    let files = [
        ("a.hl7".to_owned(), zeros.clone()),
        ("b.hl7".to_owned(), b"MSH|".to_vec()),
    ];
    let storage = from_bytes(&zip_of(&files), &standard());
    assert_eq!(kinds(&storage), [StorageNoteKind::Expansion]);

    let tar = tar_of(&files);
    for packed in [gzip(&tar), zstd::encode_all(tar.as_slice(), 1).unwrap()] {
        let storage = from_bytes(&packed, &standard());
        assert_eq!(
            kinds(&storage),
            [StorageNoteKind::Expansion],
            "{}",
            packed.len()
        );
    }
    // One long file is left out by its length alone.
    let options = Options {
        max_file: 1000,
        ..standard()
    };
    let storage = from_bytes(&tar, &options);
    assert_eq!(kinds(&storage), [StorageNoteKind::TooLarge]);
    assert_eq!(loose(&storage).len(), 1);
    let folder = Folder::with(&[(sample()[0].0.clone(), zeros)]);
    let storage = open(folder.path(), &options).unwrap();
    let batches = batches(&storage);
    assert!(matches!(
        storage.read(&batches[0].files[0], &mut Vec::new()),
        Err(ReadError::TooLarge)
    ));
}

#[test]
fn damaged_and_cut_archives_give_what_is_whole_and_a_finding() {
    let files = sample();
    let zip = zip_of(&files);
    for end in [0, 3, zip.len() / 2, zip.len() - 5] {
        let storage = from_bytes(&zip[..end], &standard());
        assert!(batches(&storage).is_empty());
        if end > 3 {
            assert_eq!(kinds(&storage), [StorageNoteKind::Damaged]);
        }
    }
    let mut wrong = zip.clone();
    let at = wrong.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    wrong[at + 16] ^= 1;
    let storage = from_bytes(&wrong, &standard());
    assert_eq!(kinds(&storage), [StorageNoteKind::Damaged]);
    assert_eq!(contents(&storage).len(), files.len() - 1);
    // Its name is there: an older version is not in force for that.
    let named: usize = batches(&storage).iter().map(|b| b.files.len()).sum();
    assert_eq!(named, files.len());

    let gz = gzip(&tar_of(&files));
    let storage = from_bytes(&gz[..gz.len() / 2], &standard());
    assert_eq!(kinds(&storage), [StorageNoteKind::Damaged]);

    // Cut between two files: only the block of zeros at the end is missing.
    let tar = tar_of(&files);
    let end = tar.iter().rposition(|b| *b != 0).unwrap() + 1;
    let storage = from_bytes(&tar[..end.next_multiple_of(512)], &standard());
    assert_eq!(kinds(&storage), [StorageNoteKind::Damaged]);
    assert_eq!(contents(&storage).len(), files.len());
}

#[test]
fn any_flipped_byte_of_an_archive_does_no_harm() {
    let files = sample();
    let zip = zip_of(&files[..2]);
    let tar = tar_of(&files[..2]);
    for bytes in [zip, gzip(&tar), tar] {
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x41;
            let storage = from_bytes(&bytes, &standard());
            assert!(storage.walk().count() < 100);
        }
    }
}

#[test]
fn archives_inside_archives_are_not_opened() {
    let inner = zip_of(&sample());
    let storage = from_bytes(
        &zip_of(&[("in.zip".to_owned(), inner.clone())]),
        &standard(),
    );
    assert_eq!(kinds(&storage), [StorageNoteKind::NestedArchive]);
    let storage = from_bytes(&gzip(&inner), &standard());
    assert_eq!(kinds(&storage), [StorageNoteKind::NestedArchive]);
}

#[test]
fn same_path_twice_in_an_archive_counts_once() {
    let path = sample()[0].0.clone();
    let tar = tar_of(&[(path.clone(), b"MSH|2".to_vec()), (path, b"MSH|1".to_vec())]);
    let storage = from_bytes(&tar, &standard());
    let files = contents(&storage);
    assert_eq!(files.len(), 1);
    // Written in reverse: the first of the list comes last.
    assert_eq!(files[0].2, checksum(b"MSH|2"));
    assert_eq!(kinds(&storage), [StorageNoteKind::RepeatedEntry]);
}

#[test]
fn foreign_files_are_counted_and_excluded_paths_left_out() {
    let mut files = sample();
    files.push(("000/000/0000000123/Thumbs.db".to_owned(), vec![1]));
    files.push(("000/.hidden".to_owned(), vec![1]));
    files.push((format!("{}.tmp", files[0].0), vec![1]));
    files.push(("readme.txt".to_owned(), b"x".to_vec()));
    files.push((
        "000/000/0000000123/20260401/note.txt".to_owned(),
        b"x".to_vec(),
    ));
    let folder = Folder::with(&files);
    let found = notes(&open(folder.path(), &standard()).unwrap());
    let count = |kind| -> u64 {
        found
            .iter()
            .filter(|n| n.kind == kind)
            .map(|n| n.count)
            .sum()
    };
    assert_eq!(count(StorageNoteKind::Skipped), 3);
    assert_eq!(count(StorageNoteKind::OutsideStorage), 2);
    assert_eq!(found.len(), 3);

    let options = Options {
        choose: Some(std::sync::Arc::new(|_: &Path, path: &str, folder| {
            if folder && path.ends_with("/OMP-01") {
                Choice::PassOver
            } else {
                Choice::Take
            }
        })),
        ..standard()
    };
    let plain = Folder::with(&sample());
    let storage = open(plain.path(), &options).unwrap();
    assert_eq!(contents(&storage).len(), sample().len() - 2);
    assert_eq!(
        contents(&from_bytes(&zip_of(&sample()), &options)).len(),
        sample().len() - 2
    );
}

#[test]
fn empty_and_foreign_content_under_storage_names_is_told_when_read() {
    let mut files = sample();
    files.truncate(3);
    files[0].1.clear();
    files[1].1 = b"%PDF".to_vec();
    let folder = Folder::with(&files);
    let storage = open(folder.path(), &standard()).unwrap();
    let batches = batches(&storage);
    let mut bytes = Vec::new();
    let found: Vec<Content> = batches[0]
        .files
        .iter()
        .map(|file| storage.read(file, &mut bytes).unwrap())
        .collect();
    assert_eq!(found, [Content::Empty, Content::Other, Content::Hl7]);
}

#[test]
fn plain_folder_gives_messages_and_documents_one_by_one() {
    let folder = Folder::with(&[
        ("b/cda.dat".to_owned(), b"<?xml version=\"1.0\"?>".to_vec()),
        ("a.txt".to_owned(), b"MSH|^~\\&|".to_vec()),
        ("b/notes.txt".to_owned(), b"hello".to_vec()),
        ("bundle.json".to_owned(), b"{}".to_vec()),
    ]);
    let expected = [
        ("a.txt".to_owned(), Content::Hl7),
        ("b/cda.dat".to_owned(), Content::Xml),
        ("bundle.json".to_owned(), Content::Json),
    ];
    let storage = open(folder.path(), &standard()).unwrap();
    assert!(!storage.has_storage());
    assert_eq!(loose(&storage), expected);
    assert_eq!(kinds(&storage), [StorageNoteKind::Unrecognised]);
    assert_eq!(notes(&storage)[0].path, "b/notes.txt");
}

#[test]
fn of_unrecognised_files_the_first_are_named_and_the_rest_is_counted() {
    let files: Vec<(String, Vec<u8>)> = (0..25)
        .map(|n| (format!("{n:02}.txt"), b"hello".to_vec()))
        .collect();
    let folder = Folder::with(&files);
    // The archive is written from its end.
    for (storage, first) in [
        (open(folder.path(), &standard()).unwrap(), "00.txt"),
        (from_bytes(&zip_of(&files), &standard()), "24.txt"),
    ] {
        let notes = notes(&storage);
        assert_eq!(notes.len(), 21);
        assert_eq!((notes[0].path.as_str(), notes[0].count), (first, 1));
        assert_eq!((notes[20].path.as_str(), notes[20].count), ("", 5));
    }
}

#[test]
fn single_file_given_by_its_path_keeps_its_levels() {
    let files = sample();
    let folder = Folder::with(&files);
    let storage = open(&folder.path().join(&files[0].0), &standard()).unwrap();
    let Some(Found::Loose(file, Content::Hl7)) = storage.walk().next() else {
        panic!("one loose message")
    };
    assert_eq!(file.located().unwrap().patient, "0000000123");
    let mut bytes = Vec::new();
    storage.read(&file, &mut bytes).unwrap();
    assert_eq!(bytes, files[0].1);
    // Standard input has the name it is given.
    let storage =
        Storage::from_reader(&mut files[0].1.as_slice(), &files[0].0, &standard()).unwrap();
    let Some(Found::Loose(file, Content::Hl7)) = storage.walk().next() else {
        panic!("one loose message")
    };
    assert_eq!(file.located().unwrap().kind, "ADT-00");
}

#[test]
fn renamed_file_is_found_by_listing_once_more() {
    let folder = Folder::with(&sample());
    let storage = open(folder.path(), &standard()).unwrap();
    let batch = batches(&storage).remove(0);
    let current = batch
        .files
        .iter()
        .find(|file| file.path().ends_with("103015123_01_1"))
        .unwrap();
    let path = folder.path().join(current.path());
    let renamed = PathBuf::from(path.to_str().unwrap().replace("_01_1", "_01_2"));
    fs::rename(&path, &renamed).unwrap();
    let mut bytes = Vec::new();
    assert!(matches!(
        storage.read(current, &mut bytes),
        Err(ReadError::Vanished)
    ));
    let fresh = storage.refresh(&batch);
    assert_eq!(fresh.files.len(), batch.files.len());
    for file in &fresh.files {
        storage.read(file, &mut bytes).unwrap();
    }
}

#[test]
fn missing_input_is_not_found() {
    assert!(matches!(
        open(Path::new("no/such/folder"), &standard()),
        Err(warifu_storage::OpenError::NotFound(_))
    ));
}

#[test]
fn bad_journal_records_are_named_and_the_rest_replayed() {
    let good = "#SSMIX,2.00,1310000003,77,20260401,OMP-01,000000000000001,INS,01,20260401093015123\r\nMSH|\r";
    let journal = format!(
        "junk\r\n#SSMIX,2.00,broken\r\nMSH|\r\n{good}\r\n#SSMIX,2.00,1,..,20260401,OMP-01,1,INS,01,20260401093015123\r\nMSH|\r"
    );
    // A journal is told by its first bytes.
    let storage = from_bytes(format!("{good}\r\n{journal}").as_bytes(), &standard());
    let found = notes(&storage);
    let kinds: Vec<StorageNoteKind> = found.iter().map(|note| note.kind).collect();
    assert_eq!(kinds, [StorageNoteKind::JournalHeader; 2]);
    assert_eq!((found[0].path.as_str(), found[0].input), ("-", Some(0)));
    let place = found[0].place.unwrap();
    let whole = format!("{good}\r\n{journal}");
    assert!(whole[usize::try_from(place.start).unwrap()..].starts_with("#SSMIX,2.00,broken"));
    assert_eq!(
        (place.end - place.start, place.line, place.column),
        (6, 5, 1)
    );
    assert_eq!(batches(&storage).len(), 1);
}

#[test]
fn journals_beside_a_storage_are_not_replayed() {
    let mut files = sample();
    files.push((
        "transaction/2026/TR_20260101000000000_00001.DAT".to_owned(),
        journal(),
    ));
    let folder = Folder::with(&files);
    for storage in [
        open(folder.path(), &standard()).unwrap(),
        from_bytes(&zip_of(&files), &standard()),
    ] {
        assert_eq!(contents(&storage).len(), sample().len());
        assert_eq!(kinds(&storage), [StorageNoteKind::JournalsIgnored]);
    }
}

#[test]
fn zip_in_memory_lists_and_reads() {
    let files = sample();
    let bytes = zip_of(&files);
    let mut reader = ZipReader::new(Cursor::new(bytes.as_slice())).unwrap();
    let mut found = Vec::new();
    let mut content = Vec::new();
    while let Some(entry) = reader.next_entry().unwrap() {
        reader.read(&entry, 1 << 20, 200, &mut content).unwrap();
        found.push((entry.path().unwrap(), content.clone()));
    }
    found.sort();
    assert_eq!(found, files);
    assert!(matches!(
        ZipReader::new(Cursor::new(&b"PK\x03\x04"[..])),
        Err(ZipError::NotAZip)
    ));
}

#[test]
fn samples_are_the_same_from_a_folder_and_from_an_archive() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples/ssmix2");
    if !samples.is_dir() {
        println!("skipped: ../shared is absent");
        return;
    }
    let mut sizes = Vec::new();
    for name in ["synthetic-small", "nho-testing-tool", "nho-documents"] {
        let folder = open(&samples.join(name), &standard()).unwrap();
        let expected = contents(&folder);
        let foreign = expected.iter().filter(|file| file.3 != Content::Hl7);
        sizes.push((batches(&folder).len(), expected.len(), foreign.count()));
        let files: Vec<(String, Vec<u8>)> = batches(&folder)
            .iter()
            .flat_map(|batch| &batch.files)
            .map(|file| {
                let mut bytes = Vec::new();
                folder.read(file, &mut bytes).unwrap();
                (file.path().to_owned(), bytes)
            })
            .collect();
        for archive in [zip_of(&files), gzip(&tar_of(&files))] {
            assert_eq!(contents(&from_bytes(&archive, &standard())), expected);
        }
        // SOURCE.md lies beside the root.
        assert_eq!(kinds(&folder), [StorageNoteKind::OutsideStorage]);
    }
    // The two-byte file FB FC is no message.
    assert_eq!(sizes, [(20, 226, 0), (2, 22, 1), (1, 3, 0)]);
}

#[test]
fn messages_beside_a_storage_are_told_apart_from_other_files() {
    let mut files = sample();
    let message = b"MSH|^~\\&|A".to_vec();
    for path in [
        "x.hl7",
        "extra/deep/y.hl7",
        "000/z",
        "000/000/0000000123/20260401/w",
    ] {
        files.push((path.to_owned(), message.clone()));
    }
    for n in 0..25 {
        files.push((format!("readme-{n}.txt"), b"x".to_vec()));
        files.push((format!("sent/{n}.hl7"), message.clone()));
    }
    let folder = Folder::with(&files);
    let count = |storage: &Storage| {
        [
            StorageNoteKind::OutsideMessage,
            StorageNoteKind::OutsideStorage,
        ]
        .map(|kind| {
            let found = notes(storage);
            let of = found.iter().filter(|n| n.kind == kind);
            (of.clone().map(|n| n.count).sum::<u64>(), of.count())
        })
    };
    // The first are named, the rest counted.
    let of_folder = open(folder.path(), &standard()).unwrap();
    assert_eq!(count(&of_folder), [(29, 23), (25, 21)]);
    assert!(loose(&of_folder).is_empty());
    for archive in [zip_of(&files), tar_of(&files)] {
        let of_archive = from_bytes(&archive, &standard());
        let [messages, others] = count(&of_archive);
        assert_eq!((messages.0, others.0), (29, 25));
        assert!(loose(&of_archive).is_empty());
    }
    // Beside journals the same, also under the name of an item.
    let beside = [
        ("TR_20260401000000000_00001.DAT".to_owned(), journal()),
        (
            files[0].0.rsplit('/').next().unwrap().to_owned(),
            message.clone(),
        ),
        ("x.hl7".to_owned(), message),
        ("x.txt".to_owned(), b"x".to_vec()),
    ];
    let folder = Folder::with(&beside);
    for storage in [
        open(folder.path(), &standard()).unwrap(),
        from_bytes(&zip_of(&beside), &standard()),
    ] {
        assert_eq!(count(&storage).map(|(sum, _)| sum), [2, 1]);
        assert!(loose(&storage).is_empty());
    }
}

/// Codes that a walk over the files of an example gives.
fn codes_of(files: &[(&str, &str)]) -> Vec<&'static str> {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = if text.is_empty() { "MSH|" } else { text };
        fs::write(path, text.replace('\n', "\r\n")).unwrap();
    }
    let storage = open(folder.path(), &Options::standard()).unwrap();
    let notes = storage.walk().filter_map(|found| match found {
        Found::Note(note) => Some(note.code().code),
        _ => None,
    });
    notes.collect()
}

#[test]
fn examples_of_storages_show_what_the_walk_tells() {
    use warifu_diag::Example;
    let mut seen = 0;
    for code in warifu_diag::catalogue::all() {
        let (Example::Storage(wrong), Example::Storage(right)) = (code.wrong, code.right) else {
            continue;
        };
        seen += 1;
        assert!(codes_of(wrong).contains(&code.code), "{}", code.code);
        assert_eq!(codes_of(right), [""; 0], "{}", code.code);
    }
    assert!(seen >= 8, "{seen}");
}

#[test]
fn files_of_a_patient_without_the_levels_above_them_are_read_with_the_patient() {
    let path = |folder: &str, order: u32| {
        format!("{folder}0000000123_20260401_OMP-01_{order:015}_20260401093015123_01_1")
    };
    let patient = "s/000/000/0000000123/";
    let sound = path(&format!("{patient}20260401/OMP-01/"), 1);
    let strays = [path("s/", 5), path("s/000/", 6), path("s/000/000/", 7)];
    let below = [
        path(&format!("{patient}20260401/"), 2),
        path(&format!("{patient}OMP-01/"), 3),
        path(patient, 4),
        path(&format!("{patient}OMP-01/20260401/"), 8),
    ];
    let storage_of = |files: &[&String]| {
        let folder = tempfile::tempdir().unwrap();
        for path in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "MSH|^~\\&|").unwrap();
        }
        folder
    };
    // Each alone makes a storage, and lies beside a sound file.
    for one in &below {
        for files in [vec![one], vec![one, &sound]] {
            let folder = storage_of(&files);
            let storage = open(folder.path(), &Options::standard()).unwrap();
            assert!(storage.has_storage(), "{one}");
            let found: Vec<Found> = storage.walk().collect();
            let [Found::Patient(batch)] = found.as_slice() else {
                panic!("{one}: {found:?}");
            };
            assert_eq!(batch.files.len(), files.len(), "{one}");
            assert_eq!(batch.items().unnamed.len(), 0, "{one}");
        }
    }
    let mut all: Vec<&String> = strays.iter().collect();
    all.push(&sound);
    let folder = storage_of(&all);
    let storage = open(folder.path(), &Options::standard()).unwrap();
    let packed = |path: &&String| ((*path).clone(), b"MSH|^~\\&|".to_vec());
    // A path alone cannot tell level 2 from a patient of three digits.
    let told: Vec<&String> = all
        .iter()
        .copied()
        .filter(|path| **path != strays[2])
        .collect();
    let packed = zip_of(&told.iter().map(packed).collect::<Vec<_>>());
    for (storage, all) in [(storage, &all), (from_bytes(&packed, &standard()), &told)] {
        let found: Vec<Found> = storage.walk().collect();
        let [Found::Patient(batch)] = found.as_slice() else {
            panic!("{found:?}");
        };
        let paths = |batch: &PatientBatch| {
            let mut paths: Vec<String> = batch.files.iter().map(|f| f.path().to_owned()).collect();
            paths.sort();
            paths
        };
        let mut wanted: Vec<String> = all.iter().map(|path| (*path).clone()).collect();
        wanted.sort();
        assert_eq!(paths(batch), wanted);
        assert!(!batch.is_loose());
        // Nothing is lost where the patient is listed again.
        assert_eq!(paths(&storage.refresh(batch)), wanted);
    }
}
