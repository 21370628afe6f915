//! Crashes after every operation, and damage to every line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use warifu_log::{
    Entry, Hash, Kind, Log, NoteKey, OpenError, Pin, Purpose, Storage as _, Submission, Trust,
    verify_history,
};
use warifu_log_file::{Damage, FileError, FileStorage, Folder, Group, Memory, Recovery};

const TOK: &str = "CEj75Hs_UnI49mAl75Fq9303TVXS3E89P6H6HE7FsYI";

fn signer() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn trust() -> Trust {
    let public = signer().verifying_key().to_bytes();
    let key = NoteKey::new("log.example/consent-log", Purpose::Note, &public).unwrap();
    Trust::new(key, vec![], 0).unwrap()
}

fn subject(number: u8) -> String {
    format!("s1.{}", warifu_log::encode_url(&[number; 16]))
}

/// The `number`-th submission: kinds with and without subject, open and hidden.
fn submission(number: u64) -> Submission {
    let mut salt = [0; 16];
    salt[..8].copy_from_slice(&number.to_be_bytes());
    let at = 1_790_000_000 + number;
    let sub = subject(u8::try_from(number % 3).unwrap());
    let word = |w: &str| w.into();
    let (entry, place_salt) = match number % 4 {
        0 => {
            let members = [("what", word("m")), ("hash", word(TOK))];
            (Entry::new(Kind::Policy, at, None, members), None)
        }
        1 => {
            let members = [
                ("rcp", word("mi:1312345678")),
                ("role", word("doctor")),
                ("rsn", word("意識障害")),
                ("idm", word("4情報")),
                ("tok", word(TOK)),
            ];
            (
                Entry::new(Kind::BreakGlass, at, Some(&sub), members),
                Some(salt),
            )
        }
        _ => {
            let members = [("tok", word(TOK))];
            (Entry::new(Kind::Grant, at, Some(&sub), members), None)
        }
    };
    Submission {
        entry: entry.unwrap(),
        salt,
        place_salt,
    }
}

type FileLog = Log<FileStorage<Memory>>;

fn open(disk: &Memory) -> FileLog {
    Log::open(FileStorage::open(disk.clone()).unwrap(), trust(), &[]).unwrap()
}

/// Appends in groups of 1, 2, 3 …, publishing after every third; gives what was acknowledged and
/// published before the disk failed.
fn write(disk: &Memory, groups: u64) -> (Vec<Hash>, Option<Pin>) {
    let (mut acknowledged, mut published) = (Vec::new(), None);
    let _ = (|| -> Option<()> {
        let storage = FileStorage::open(disk.clone()).ok()?;
        let mut log = Log::open(storage, trust(), &[]).ok()?;
        let mut number = 0;
        for group in 0..groups {
            let batch = (0..=group % 5).map(|i| submission(number + i)).collect();
            number += group % 5 + 1;
            let appended = log.append(batch).ok()?;
            log.sync().ok()?;
            acknowledged.extend(appended.iter().map(|a| a.leaf));
            if group % 3 == 2 {
                log.publish(&signer()).ok()?;
                published = log.published().map(|(c, _)| Pin {
                    size: c.size,
                    root: c.root,
                });
            }
        }
        Some(())
    })();
    (acknowledged, published)
}

fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[test]
fn power_lost_after_any_operation_loses_no_acknowledged_line() {
    const GROUPS: u64 = 14;
    let whole = Memory::new();
    let (all, _) = write(&whole, GROUPS);
    let operations = whole.operations();
    assert!(operations > 60 && all.len() > 30);
    let (mut kept, mut cut) = (0, 0);
    for at in 0..=operations {
        for seed in 0..12_u64 {
            let disk = Memory::new();
            disk.fail_from(Some(at));
            let (acknowledged, published) = write(&disk, GROUPS);
            let mut state = (at * 100 + seed) * 2_654_435_761 + 1;
            // Nothing, everything, or some of what was not synced survives.
            let after = disk.after_crash(|| match seed {
                0 => false,
                1 => true,
                _ => random(&mut state).is_multiple_of(2),
            });
            let storage = FileStorage::open(after.clone());
            let storage = storage.unwrap_or_else(|e| panic!("after {at}, seed {seed}: {e}"));
            let recovery = storage.recovery();
            kept += recovery.kept_lines;
            cut += recovery.cut_bytes;
            let pins: Vec<Pin> = published.into_iter().collect();
            let log = Log::open(storage, trust(), &pins);
            let mut log = log.unwrap_or_else(|e| panic!("after {at}, seed {seed}: {e}"));
            let read = log.storage().read(0, usize::MAX).unwrap();
            let leaves: Vec<Hash> = read.iter().map(warifu_log::Record::leaf).collect();
            assert!(leaves.starts_with(&acknowledged), "after {at}, seed {seed}");
            assert!(all.starts_with(&leaves), "after {at}, seed {seed}");
            // It goes on, and a second opening finds nothing to mend.
            log.append(vec![submission(99)]).unwrap();
            log.publish(&signer()).unwrap();
            let size = log.size();
            drop(log);
            let again = FileStorage::open(after.after_crash(|| false)).unwrap();
            let kept = again.count().unwrap();
            assert_eq!((again.recovery(), kept), (Recovery::default(), size));
        }
    }
    // Both ways of recovery were taken.
    assert!(kept > 0 && cut > 0, "{kept} {cut}");
}

fn reopened(disk: &Memory) -> Result<u64, FileError> {
    FileStorage::open(disk.after_crash(|| true)).and_then(|s| s.count())
}

#[track_caller]
fn damaged(disk: &Memory, line: usize, damage: Damage) {
    match reopened(disk) {
        Err(FileError::Damaged { line: l, damage: d }) => {
            assert_eq!((l, d), (u64::try_from(line).unwrap(), damage));
        }
        other => panic!("{other:?} instead of line {line} {damage:?}"),
    }
}

#[test]
fn every_altered_dropped_reordered_or_duplicated_line_is_named() {
    let disk = Memory::new();
    write(&disk, 6);
    let bytes = disk.file("entries").unwrap();
    let lines: Vec<Vec<u8>> = bytes
        .split_inclusive(|b| *b == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    let last = lines.len() - 1;
    assert_eq!(
        reopened(&disk).unwrap(),
        u64::try_from(lines.len()).unwrap()
    );
    let put = |lines: &[Vec<u8>]| disk.put("entries", &lines.concat());
    for at in 0..=last {
        // Bytes all over the line, one bit of each.
        for byte in (at % 3..lines[at].len()).step_by(3) {
            let mut altered = lines.clone();
            altered[at][byte] ^= 1;
            put(&altered);
            match reopened(&disk) {
                // A digit of the index may make it that of another line.
                Err(FileError::Damaged { line, .. }) => {
                    assert_eq!(line, u64::try_from(at).unwrap(), "byte {byte}");
                }
                other => panic!("line {at}, byte {byte}: {other:?}"),
            }
        }
        let mut altered = lines.clone();
        let end = altered[at].len() - 2;
        altered[at][end] = b'x';
        put(&altered);
        damaged(&disk, at, Damage::Altered);
        let mut dropped = lines.clone();
        dropped.remove(at);
        put(&dropped);
        damaged(
            &disk,
            at,
            if at == last {
                Damage::Cut
            } else {
                Damage::Dropped
            },
        );
        let mut doubled = lines.clone();
        doubled.insert(at, lines[at].clone());
        put(&doubled);
        if at < last {
            damaged(&disk, at + 1, Damage::Duplicated);
            let mut swapped = lines.clone();
            swapped.swap(at, at + 1);
            put(&swapped);
            damaged(&disk, at, Damage::Reordered);
        } else {
            // No crash leaves a line of another place behind the acknowledged ones.
            damaged(&disk, at + 1, Damage::Duplicated);
            assert_eq!(disk.file("entries").unwrap(), doubled.concat());
            // What a crash may leave is cut off, and told; who only looks cuts nothing.
            let mut torn = lines.clone();
            torn.push(lines[at][..40].to_vec());
            put(&torn);
            let recovery = Recovery {
                kept_lines: 0,
                cut_bytes: 40,
            };
            let seen = FileStorage::inspect(disk.clone()).unwrap();
            assert_eq!(seen.recovery(), recovery);
            drop(seen);
            assert_eq!(disk.file("entries").unwrap(), torn.concat());
            let store = FileStorage::open(disk.after_crash(|| true)).unwrap();
            assert_eq!(store.recovery(), recovery);
        }
        // The tail cut off before the line, and within it.
        put(&lines[..at]);
        damaged(&disk, at, Damage::Cut);
        let mut torn = lines[..=at].to_vec();
        torn[at].truncate(40);
        put(&torn);
        damaged(&disk, at, Damage::Cut);
    }
}

#[test]
fn lost_or_foreign_marks_and_checkpoints_keep_the_log_shut() {
    let disk = Memory::new();
    write(&disk, 6);
    let mark = disk.file("mark").unwrap();
    disk.remove("mark");
    assert!(matches!(reopened(&disk), Err(FileError::Mark)));
    disk.put("mark", &vec![b' '; mark.len()]);
    assert!(matches!(reopened(&disk), Err(FileError::Mark)));
    // Of two marks one may be torn: that before serves, the lines behind it are whole.
    for slot in [0, 128] {
        let mut torn = mark.clone();
        torn[slot + 3] ^= 1;
        disk.put("mark", &torn);
        assert!(reopened(&disk).is_ok());
    }
    disk.put("mark", &mark);

    // A shorter log of the same lines, with its own mark, is whole in itself.
    let short = Memory::new();
    write(&short, 2);
    let size = FileStorage::open(short.after_crash(|| true))
        .unwrap()
        .count()
        .unwrap();
    let head = open(&disk.after_crash(|| true));
    let pin = Pin {
        size: head.size(),
        root: head.root(),
    };
    let note = disk.file("checkpoint").unwrap();
    let reopen = |disk: &Memory, pins: &[Pin]| {
        Log::open(
            FileStorage::open(disk.after_crash(|| true)).unwrap(),
            trust(),
            pins,
        )
        .map(|_| ())
    };
    assert!(reopen(&short, &[]).is_ok());
    let pinned = reopen(&short, &[pin]);
    assert!(
        matches!(pinned, Err(OpenError::Short { line, size: s }) if line == size && s == pin.size)
    );
    short.put("checkpoint", &note);
    assert!(matches!(reopen(&short, &[]), Err(OpenError::Short { line, .. }) if line == size));

    // Other lines, consistently rewritten together with the mark: the checkpoint knows.
    let forged = Memory::new();
    {
        let mut log = open(&forged);
        for number in 0..pin.size {
            let number = if number == 4 { 8 } else { number };
            log.append(vec![submission(number)]).unwrap();
        }
        log.sync().unwrap();
    }
    forged.put("checkpoint", &note);
    assert!(matches!(reopen(&forged, &[]), Err(OpenError::Root { .. })));
    // With the tiles of the true log the line is named.
    for name in disk.names().iter().filter(|n| n.starts_with("tile/")) {
        forged.put(name, &disk.file(name).unwrap());
    }
    assert!(matches!(
        reopen(&forged, &[]),
        Err(OpenError::Altered { line: 4 })
    ));

    // A checkpoint of another key, or damaged.
    let mut other = note.clone();
    let at = other.len() - 10;
    other[at] = if other[at] == b'A' { b'B' } else { b'A' };
    disk.put("checkpoint", &other);
    assert!(matches!(reopen(&disk, &[]), Err(OpenError::Checkpoint(_))));
}

#[test]
fn one_writer_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = FileStorage::open(Folder::new(folder.path()).unwrap()).unwrap();
    let second = FileStorage::open(Folder::new(folder.path()).unwrap());
    assert!(matches!(second, Err(FileError::Locked)));
    drop(first);
    assert!(FileStorage::open(Folder::new(folder.path()).unwrap()).is_ok());
}

#[test]
fn after_a_failed_sync_nothing_more_is_taken() {
    let disk = Memory::new();
    let mut log = open(&disk);
    log.append(vec![submission(0)]).unwrap();
    disk.fail_from(Some(disk.operations()));
    assert!(log.sync().is_err());
    disk.fail_from(None);
    assert!(log.sync().is_err() && log.append(vec![submission(1)]).is_err());
    assert!(log.publish(&signer()).is_err());
}

#[test]
fn proofs_and_histories_come_from_files_through_three_levels_of_reading() {
    let folder = tempfile::tempdir().unwrap();
    let folder = || Folder::new(folder.path()).unwrap();
    {
        let storage = FileStorage::open(folder()).unwrap();
        let mut log = Log::open(storage, trust(), &[]).unwrap();
        for batch in 0..7 {
            log.append((batch * 100..batch * 100 + 100).map(submission).collect())
                .unwrap();
            if batch % 2 == 0 {
                log.publish(&signer()).unwrap();
            }
        }
        log.publish(&signer()).unwrap();
    }
    let log = Log::open(FileStorage::open(folder()).unwrap(), trust(), &[]).unwrap();
    assert_eq!((log.size(), log.mended_tiles()), (700, 0));
    for record in log.storage().read(0, 700).unwrap() {
        let proof = log.prove(record.index).unwrap();
        let text = proof.write();
        let read = warifu_log::TlogProof::parse(text.as_bytes()).unwrap();
        assert_eq!(read.verify(&record.leaf(), &trust()).unwrap().size, 700);
    }
    for number in 0..3 {
        let sub = subject(number);
        let lines: Vec<_> = log
            .history(&sub)
            .unwrap()
            .into_iter()
            .map(|(_, own)| own)
            .collect();
        assert!(lines.len() > 100);
        assert_eq!(
            verify_history(&sub, &lines, log.head(&sub), &[]),
            Ok(log.head(&sub))
        );
    }
    drop(log);
    // A tile that was altered is written anew with the next checkpoint.
    let disk = folder();
    warifu_log_file::Disk::write(&disk, "tile/0/001", 5, b"x").unwrap();
    let mut log = Log::open(FileStorage::open(disk).unwrap(), trust(), &[]).unwrap();
    assert_eq!(log.mended_tiles(), 1);
    log.publish(&signer()).unwrap();
    drop(log);
    let log = Log::open(FileStorage::open(folder()).unwrap(), trust(), &[]).unwrap();
    assert_eq!(log.mended_tiles(), 0);
}

#[test]
fn threads_share_syncs_and_each_gets_its_own_lines() {
    let folder = tempfile::tempdir().unwrap();
    let folder = || Folder::new(folder.path()).unwrap();
    let log = Log::open(FileStorage::open(folder()).unwrap(), trust(), &[]).unwrap();
    let group = Arc::new(Group::new(log));
    let threads: Vec<_> = (0..8_u64)
        .map(|thread| {
            let group = Arc::clone(&group);
            std::thread::spawn(move || {
                (0..25)
                    .map(|i| {
                        let number = thread * 1_000 + i;
                        let mut done = group.append(vec![submission(number)]).unwrap();
                        (number, done.remove(0))
                    })
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    let mut all: Vec<_> = threads
        .into_iter()
        .flat_map(|t| t.join().unwrap())
        .collect();
    let mut wrong = submission(2);
    wrong.place_salt = Some([0; 16]);
    assert_eq!(
        group.append(vec![wrong]),
        Err(warifu_log_file::GroupError::Refused)
    );
    drop(group);
    all.sort_by_key(|(_, appended)| appended.index);
    let log = Log::open(FileStorage::open(folder()).unwrap(), trust(), &[]).unwrap();
    let records = log.storage().read(0, 1_000).unwrap();
    assert_eq!(records.len(), 200);
    for (record, (number, appended)) in records.iter().zip(&all) {
        assert_eq!(
            (record.index, record.leaf()),
            (appended.index, appended.leaf)
        );
        assert_eq!(record.salt, submission(*number).salt);
    }
}
