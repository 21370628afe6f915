//! The store: transactions, sealed records, the log over two connections; over SQLite, and over PostgreSQL.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod postgresql;

use ed25519_dalek::SigningKey;
use warifu_log::{Entry, Kind, Log, NoteKey, OpenError, Purpose, Submission, Trust};
use warifu_store::{
    Cell, DataKey, Database, KeyFile, LineStore, Postgres, SCHEMA, SealError, Sealer, Sqlite,
    StoreError, Vault, clear, copy, migrate, write,
};

const SUB: &str = "s1.EBESExQVFhcYGRobHB0eHw";

#[test]
fn all_of_it_holds_over_postgresql() {
    postgresql::again_without("all_of_it_holds_over_postgresql");
}

/// A database that has nothing yet: SQLite, or PostgreSQL where the tests run over it.
fn empty(folder: &tempfile::TempDir) -> Box<dyn Database> {
    match postgresql::given() {
        Some(url) => Box::new(Postgres::open(&url).unwrap()),
        None => Box::new(Sqlite::open(&folder.path().join("warifu.db")).unwrap()),
    }
}

fn opened(folder: &tempfile::TempDir) -> Box<dyn Database> {
    let db = empty(folder);
    migrate(&*db).unwrap();
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

fn published(log: &mut Log<LineStore>, db: &dyn Database) -> Result<(), StoreError> {
    let pending = log.storage().pending();
    write(db, |db| {
        log.publish(&key()).unwrap();
        pending.write(db)
    })?;
    pending.clear();
    Ok(())
}

#[test]
fn an_error_undoes_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let db = opened(&folder);
    let insert = "INSERT INTO subjects (sub, data_key) VALUES (?1, ?2)";
    let values = [Cell::from(SUB), Cell::from(&[1_u8][..])];
    let failed: Result<(), StoreError> = write(&*db, |db| {
        db.run(insert, &values)?;
        db.run(insert, &values).map(|_| ())
    });
    assert_eq!(failed, Err(StoreError::Exists));
    assert!(
        db.query("SELECT sub FROM subjects", &[])
            .unwrap()
            .is_empty()
    );
    write(&*db, |db| db.run(insert, &values)).unwrap();
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
    assert_eq!(migrate(&*db), Ok(u64::try_from(SCHEMA.len()).unwrap()));
    db.run("UPDATE meta SET value = 99", &[]).unwrap();
    let known = u64::try_from(SCHEMA.len()).unwrap();
    assert_eq!(migrate(&*db), Err(StoreError::Schema { found: 99, known }));
}

/// Columns of a table, by the statement that makes it: name and type.
fn columns(sql: &str) -> Vec<(&str, &str)> {
    let (_, rest) = sql.split_once('(').unwrap();
    let rest = rest.rsplit_once(')').unwrap().0;
    let mut depth = 0;
    let parts = rest.split(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    });
    parts
        .filter_map(|part| {
            let mut words = part.split_whitespace();
            let column = (words.next()?, words.next().unwrap_or_default());
            let typed = ["TEXT", "BIGINT", "BYTES"].contains(&column.1);
            typed.then_some(column)
        })
        .collect()
}

#[test]
fn each_older_schema_gets_what_it_lacks_and_keeps_what_it_has() {
    let newest = u64::try_from(SCHEMA.len()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let db = opened(&folder);
    for (steps, version) in (1..SCHEMA.len()).zip(1_u64..) {
        clear(&*db).unwrap();
        let meta = "CREATE TABLE meta (name TEXT PRIMARY KEY, value BIGINT NOT NULL)";
        db.run(meta, &[]).unwrap();
        let sql = "INSERT INTO meta (name, value) VALUES ('schema', ?1)";
        db.run(sql, &[version.into()]).unwrap();
        // As that version was made, with two rows in each table that it has.
        let mut kept = Vec::new();
        for sql in SCHEMA[..steps].iter().flat_map(|step| step.iter()) {
            db.run(sql, &[]).unwrap();
            let Some(name) = sql.strip_prefix("CREATE TABLE ") else {
                continue;
            };
            let name = name.split_whitespace().next().unwrap();
            let columns = columns(sql);
            assert!(columns.len() > 1, "{sql}");
            let names: Vec<&str> = columns.iter().map(|c| c.0).collect();
            let names = names.join(", ");
            let places: Vec<String> = (1..=columns.len()).map(|n| format!("?{n}")).collect();
            let insert = format!(
                "INSERT INTO {name} ({names}) VALUES ({})",
                places.join(", ")
            );
            for row in 1..3_u64 {
                let cell = |(at, (_, typ)): (u64, &(&str, &str))| match *typ {
                    "TEXT" => Cell::from(format!("{name}-{at}-{row}").as_str()),
                    "BIGINT" => (100 * at + row).into(),
                    _ => vec![0, 255, u8::try_from(row).unwrap()].into(),
                };
                let cells: Vec<Cell> = (0..).zip(&columns).map(cell).collect();
                db.run(&insert, &cells).unwrap();
            }
            kept.push(format!("SELECT {names} FROM {name} ORDER BY 1, 2"));
        }
        let rows = || -> Vec<_> { kept.iter().map(|sql| db.query(sql, &[]).unwrap()).collect() };
        let before = rows();
        assert!(before.iter().all(|rows| rows.len() == 2), "{version}");
        assert_eq!(migrate(&*db), Ok(version));
        assert_eq!(rows(), before, "{version}");
        // All tables of the newest are there, and the steps ran once.
        for sql in SCHEMA.iter().flat_map(|step| step.iter()) {
            if let Some(name) = sql.strip_prefix("CREATE TABLE ") {
                let name = name.split_whitespace().next().unwrap();
                db.query(&format!("SELECT * FROM {name}"), &[]).unwrap();
            }
        }
        let keys = db.query("SELECT sends, cert FROM keys", &[]).unwrap();
        assert_eq!(
            (keys.len(), keys[0].int(0), keys[0].text(1)),
            (2, Some(0), None)
        );
        assert_eq!(migrate(&*db), Ok(newest));
    }
}

#[test]
fn a_transaction_in_which_a_statement_failed_is_not_committed() {
    let folder = tempfile::tempdir().unwrap();
    let db = opened(&folder);
    let insert = "INSERT INTO subjects (sub, data_key) VALUES (?1, ?2)";
    let values = [Cell::from(SUB), Cell::from(&[1_u8][..])];
    let done: Result<(), StoreError> = write(&*db, |db| {
        db.run(insert, &values)?;
        // Whoever looks away is not believed.
        let _ = db.run(insert, &values);
        Ok(())
    });
    assert_eq!(done, Err(StoreError::Exists));
    let rows = db.query("SELECT sub FROM subjects", &[]).unwrap();
    assert!(rows.is_empty());
    assert_eq!(db.failure(), None);
    assert!(db.query("SELECT nothing FROM subjects", &[]).is_err());
    assert!(matches!(db.failure(), Some(StoreError::Database(_))));
    assert_eq!(write(&*db, |db| db.run(insert, &values)), Ok(1));
}

#[test]
fn values_come_back_as_they_went_and_are_sorted_by_their_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let db = opened(&folder);
    let insert = "INSERT INTO records (sub, src, typ, id, recorded, via, body)
        VALUES (?1, ?2, 'Observation', ?3, ?4, ?5, ?6)";
    let most = (1_u64 << 53) - 1;
    let ids = [
        "a",
        "B",
        "Z",
        "a-b",
        "ab",
        "é",
        "あ",
        "ア",
        "亜",
        "",
        "%_'\"\\?1",
    ];
    for id in ids {
        let body = Cell::from(&[0_u8, 255, 39][..]);
        let values = [
            SUB.into(),
            "s".into(),
            id.into(),
            most.into(),
            "".into(),
            body,
        ];
        db.run(insert, &values).unwrap();
    }
    let rows = db
        .query(
            "SELECT id, recorded, via, body FROM records ORDER BY id",
            &[],
        )
        .unwrap();
    let mut sorted = ids;
    sorted.sort_unstable();
    let came: Vec<&str> = rows.iter().map(|r| r.text(0).unwrap()).collect();
    assert_eq!(came, sorted);
    for row in &rows {
        let (recorded, via, body) = (row.int(1), row.text(2), row.bytes(3));
        assert_eq!(
            (recorded, via, body),
            (Some(most), Some(""), Some(&[0_u8, 255, 39][..]))
        );
    }
    let sql = "SELECT place_n, place_salt FROM log_lines WHERE idx = ?1 OR line = ?2";
    assert_eq!(db.query(sql, &[0_u64.into(), "x".into()]), Ok(Vec::new()));
    db.run(
        "INSERT INTO log_lines (idx, salt, place_salt, place_n, place_prev, back, line)
         VALUES (0, ?1, ?2, ?3, NULL, NULL, 'x')",
        &[vec![1].into(), Cell::Null, Cell::Null],
    )
    .unwrap();
    let rows = db.query(sql, &[9_u64.into(), "x".into()]).unwrap();
    assert_eq!(rows[0].0, [Cell::Null, Cell::Null]);
    // More values than are named.
    assert!(
        db.run(
            "UPDATE log_lines SET salt = ?1",
            &["x".into(), 1_u64.into()]
        )
        .is_err()
    );
}

#[test]
fn writers_take_turns() {
    let folder = tempfile::tempdir().unwrap();
    let db = opened(&folder);
    db.run("INSERT INTO log_notes (id, note) VALUES (0, '0')", &[])
        .unwrap();
    let adders: Vec<_> = (0..4)
        .map(|_| {
            let db = db.another().unwrap();
            std::thread::spawn(move || {
                for _ in 0..25 {
                    write(&*db, |db| {
                        let rows = db.query("SELECT note FROM log_notes WHERE id = 0", &[])?;
                        let n: u64 = rows[0].text(0).unwrap().parse().unwrap();
                        let next = (n + 1).to_string();
                        db.run(
                            "UPDATE log_notes SET note = ?1 WHERE id = 0",
                            &[next.into()],
                        )
                    })
                    .unwrap();
                }
            })
        })
        .collect();
    for adder in adders {
        adder.join().unwrap();
    }
    let rows = db.query("SELECT note FROM log_notes", &[]).unwrap();
    assert_eq!(rows[0].text(0), Some("100"));
}

#[test]
fn a_backup_has_all_that_is_there_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let db = opened(&folder);
    let mut one = log(&*db).unwrap();
    line(&mut one, &*db, 1).unwrap();
    published(&mut one, &*db).unwrap();
    let path = folder.path().join("copy.db");
    db.backup(&path).unwrap();
    assert_eq!(db.backup(&path), Err(StoreError::Exists));
    line(&mut one, &*db, 2).unwrap();
    let copied = Sqlite::open(&path).unwrap();
    assert_eq!(migrate(&copied), Ok(u64::try_from(SCHEMA.len()).unwrap()));
    let two = log(&copied).unwrap();
    assert_eq!((two.size(), two.published().unwrap().0.size), (1, 1));
    // And back into a database that has nothing.
    assert_eq!(copy(&copied, &*db), Err(StoreError::Exists));
    clear(&*db).unwrap();
    migrate(&*db).unwrap();
    copy(&copied, &*db).unwrap();
    assert_eq!(log(&*db).unwrap().root(), two.root());
}

#[test]
fn a_checkpoint_that_does_not_fit_the_lines_is_not_taken_in() {
    let folder = tempfile::tempdir().unwrap();
    let db = opened(&folder);
    let mut one = log(&*db).unwrap();
    let mut two = log(&*db).unwrap();
    line(&mut one, &*db, 1).unwrap();
    // Another log's, signed with the same key.
    let elsewhere = tempfile::tempdir().unwrap();
    let other = Sqlite::open(&elsewhere.path().join("warifu.db")).unwrap();
    migrate(&other).unwrap();
    let mut three = log(&other).unwrap();
    line(&mut three, &other, 3).unwrap();
    published(&mut three, &other).unwrap();
    let (_, note) = three.published().unwrap();
    db.run(
        "INSERT INTO log_notes (id, note) VALUES (0, ?1)",
        &[note.into()],
    )
    .unwrap();
    assert!(two.refresh().is_err());
    assert!(!two.is_whole());
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
    let mut one = log(&*db).unwrap();
    let mut two = log(&*db).unwrap();
    line(&mut one, &*db, 1).unwrap();
    // Whoever did not look writes nothing.
    assert_eq!(line(&mut two, &*db, 2), Err(StoreError::Exists));
    let mut two = log(&*db).unwrap();
    line(&mut two, &*db, 2).unwrap();
    assert_eq!(one.refresh().unwrap(), 1);
    line(&mut one, &*db, 3).unwrap();
    published(&mut one, &*db).unwrap();
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
    assert!(log(&*db).is_err());
}
