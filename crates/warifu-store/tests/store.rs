//! The store: transactions, sealed records, the log over two connections.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use ed25519_dalek::SigningKey;
use warifu_log::{Entry, Kind, Log, NoteKey, OpenError, Purpose, Submission, Trust};
use warifu_store::{
    Cell, DataKey, Database, KeyFile, LineStore, SCHEMA, SealError, Sealer, Sqlite, StoreError,
    Vault, migrate, write,
};

const SUB: &str = "s1.EBESExQVFhcYGRobHB0eHw";

fn opened(folder: &tempfile::TempDir) -> Sqlite {
    let db = Sqlite::open(&folder.path().join("warifu.db")).unwrap();
    migrate(&db).unwrap();
    db
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn log(db: &dyn Database) -> Result<Log<LineStore>, OpenError<StoreError>> {
    let public = key().verifying_key().to_bytes();
    let name = NoteKey::new("log.example/consent-log", Purpose::Note, &public).unwrap();
    let trust = Trust::new(name, Vec::new(), 0).unwrap();
    Log::open(LineStore::new(db.another().unwrap()), trust, &[])
}

fn line(log: &mut Log<LineStore>, db: &dyn Database, n: u8) -> Result<(), StoreError> {
    let tok = warifu_log::sha256(&[&[n]]).url();
    let entry = Entry::new(Kind::Grant, 100, Some(SUB), [("tok", tok.into())]).unwrap();
    let pending = log.storage().pending();
    write(db, |db| {
        let submission = Submission {
            entry,
            salt: [n; 16],
            place_salt: None,
        };
        log.append(vec![submission]).unwrap();
        pending.write(db)
    })?;
    pending.clear();
    log.sync().unwrap();
    Ok(())
}

#[test]
fn an_error_undoes_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let db = opened(&folder);
    let insert = "INSERT INTO subjects (sub, data_key) VALUES (?1, ?2)";
    let values = [Cell::from(SUB), Cell::from(&[1_u8][..])];
    let failed: Result<(), StoreError> = write(&db, |db| {
        db.run(insert, &values)?;
        db.run(insert, &values).map(|_| ())
    });
    assert_eq!(failed, Err(StoreError::Exists));
    assert!(
        db.query("SELECT sub FROM subjects", &[])
            .unwrap()
            .is_empty()
    );
    write(&db, |db| db.run(insert, &values)).unwrap();
    let other = db.another().unwrap();
    let rows = other
        .query("SELECT sub, data_key FROM subjects", &[])
        .unwrap();
    assert_eq!(
        (rows[0].text(0), rows[0].bytes(1)),
        (Some(SUB), Some(&[1_u8][..]))
    );
}

#[test]
fn a_newer_schema_is_left_alone_and_the_own_one_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let db = opened(&folder);
    assert_eq!(migrate(&db), Ok(u64::try_from(SCHEMA.len()).unwrap()));
    db.run("UPDATE meta SET value = 99", &[]).unwrap();
    let known = u64::try_from(SCHEMA.len()).unwrap();
    assert_eq!(migrate(&db), Err(StoreError::Schema { found: 99, known }));
}

#[test]
fn an_older_schema_gets_what_it_lacks_and_keeps_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let db = Sqlite::open(&folder.path().join("warifu.db")).unwrap();
    for sql in SCHEMA[0] {
        db.run(sql, &[]).unwrap();
    }
    let meta = "CREATE TABLE meta (name TEXT PRIMARY KEY, value BIGINT NOT NULL)";
    db.run(meta, &[]).unwrap();
    let sql = "INSERT INTO meta (name, value) VALUES ('schema', 1)";
    db.run(sql, &[]).unwrap();
    let sql = "INSERT INTO subjects (sub, data_key) VALUES (?1, ?2)";
    db.run(sql, &[SUB.into(), vec![1].into()]).unwrap();
    assert!(db.query("SELECT kid FROM held", &[]).is_err());
    assert_eq!(migrate(&db), Ok(1));
    assert_eq!(db.query("SELECT kid FROM held", &[]), Ok(Vec::new()));
    assert_eq!(db.query("SELECT sub FROM subjects", &[]).unwrap().len(), 1);
    assert_eq!(migrate(&db), Ok(u64::try_from(SCHEMA.len()).unwrap()));
}

#[test]
fn what_is_sealed_opens_in_its_own_place_only() {
    let sealer = Sealer::new(&DataKey::new([3; 32]));
    let sealed = sealer.seal(&["record", "a", "b"], b"text").unwrap();
    assert_eq!(
        sealer.open(&["record", "a", "b"], &sealed).unwrap(),
        b"text"
    );
    // The same letters, parted elsewhere.
    assert_eq!(
        sealer.open(&["record", "ab", ""], &sealed),
        Err(SealError::Open)
    );
    let other = Sealer::new(&DataKey::new([4; 32]));
    assert_eq!(
        other.open(&["record", "a", "b"], &sealed),
        Err(SealError::Open)
    );
    for n in 0..sealed.len() {
        let mut bent = sealed.clone();
        bent[n] ^= 1;
        assert_eq!(
            sealer.open(&["record", "a", "b"], &bent),
            Err(SealError::Open),
            "{n}"
        );
        assert!(sealer.open(&["record", "a", "b"], &sealed[..n]).is_err());
    }
    assert_ne!(sealed, sealer.seal(&["record", "a", "b"], b"text").unwrap());
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, [9; 32]).unwrap();
    let mode = |mode| std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    mode(0o644);
    assert_eq!(KeyFile::read(&path).err(), Some(SealError::KeyFile));
    mode(0o600);
    let vault = KeyFile::read(&path).unwrap();
    let key = DataKey::fresh().unwrap();
    let wrapped = vault.wrap(SUB, &key).unwrap();
    let sealed = Sealer::new(&key).seal(&["x"], b"y").unwrap();
    let back = vault.unwrap(SUB, &wrapped).unwrap();
    assert_eq!(Sealer::new(&back).open(&["x"], &sealed).unwrap(), b"y");
    assert_eq!(
        vault.unwrap("s1.other", &wrapped).err(),
        Some(SealError::Open)
    );
    std::fs::write(&path, [9; 33]).unwrap();
    assert_eq!(KeyFile::read(&path).err(), Some(SealError::KeyFile));
}

#[test]
fn two_processes_append_to_one_log() {
    let folder = tempfile::tempdir().unwrap();
    let db = opened(&folder);
    let mut one = log(&db).unwrap();
    let mut two = log(&db).unwrap();
    line(&mut one, &db, 1).unwrap();
    // Whoever did not look writes nothing.
    assert_eq!(line(&mut two, &db, 2), Err(StoreError::Exists));
    let mut two = log(&db).unwrap();
    line(&mut two, &db, 2).unwrap();
    assert_eq!(one.refresh().unwrap(), 1);
    line(&mut one, &db, 3).unwrap();
    one.publish(&key()).unwrap();
    assert_eq!(two.refresh().unwrap(), 1);
    assert_eq!(two.published().unwrap().0.size, 3);
    assert_eq!((one.root(), one.head(SUB)), (two.root(), two.head(SUB)));
    let proof = two.prove(2).unwrap();
    assert_eq!(proof.index, 2);
    assert_eq!(two.history(SUB).unwrap().len(), 3);
    // A line that is altered is named.
    db.run(
        "UPDATE log_lines SET line = replace(line, '100', '101') WHERE idx = 1",
        &[],
    )
    .unwrap();
    assert!(log(&db).is_err());
}
