//! The log in the database: lines are written in the transaction that they tell of.

use std::sync::{Arc, Mutex, PoisonError};

use warifu_log::{Hash, Place, Record, Storage, Tile};

use crate::database::{Cell, Database, Row, StoreError, write};

/// Lines that the log has and the database not yet; [`Pending::write`] puts them into the transaction.
#[derive(Debug, Clone, Default)]
pub struct Pending(Arc<Mutex<Vec<Record>>>);

impl Pending {
    fn with<T>(&self, part: impl FnOnce(&mut Vec<Record>) -> T) -> T {
        part(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes them; they are still pending until [`Self::clear`].
    ///
    /// # Errors
    /// [`StoreError::Exists`]: another process has written lines in between; the log must be opened
    /// anew.
    pub fn write(&self, db: &dyn Database) -> Result<(), StoreError> {
        self.with(|records| {
            for r in records.iter() {
                let (salt, n, prev) = match &r.opening {
                    None => (Cell::Null, Cell::Null, Cell::Null),
                    Some((salt, place)) => (
                        Cell::from(&salt[..]),
                        place.n.into(),
                        Cell::from(&place.prev.0[..]),
                    ),
                };
                db.run(
                    "INSERT INTO log_lines (idx, salt, place_salt, place_n, place_prev, back, line)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    &[
                        r.index.into(),
                        Cell::from(&r.salt[..]),
                        salt,
                        n,
                        prev,
                        r.back.into(),
                        r.line.as_str().into(),
                    ],
                )?;
            }
            Ok(())
        })
    }

    /// They are in the database now.
    pub fn clear(&self) {
        self.with(Vec::clear);
    }

    fn len(&self) -> u64 {
        self.with(|records| u64::try_from(records.len()).unwrap_or(u64::MAX))
    }
}

/// The log's view of the database, by a connection of its own: it sees what was committed, and what is
/// pending.
pub struct LineStore {
    db: Box<dyn Database>,
    pending: Pending,
}

impl LineStore {
    /// Over a connection of its own.
    pub fn new(db: Box<dyn Database>) -> Self {
        Self {
            db,
            pending: Pending::default(),
        }
    }

    /// What is to be written in the transaction.
    pub fn pending(&self) -> Pending {
        self.pending.clone()
    }
}

fn record(row: &Row) -> Option<Record> {
    let array = |bytes: &[u8]| <[u8; 16]>::try_from(bytes).ok();
    let opening = match row.bytes(2) {
        None => None,
        Some(salt) => {
            let prev = Hash(row.bytes(4)?.try_into().ok()?);
            Some((
                array(salt)?,
                Place {
                    n: row.int(3)?,
                    prev,
                },
            ))
        }
    };
    Some(Record {
        index: row.int(0)?,
        salt: array(row.bytes(1)?)?,
        opening,
        back: row.int(5),
        line: row.text(6)?.to_owned(),
    })
}

impl Storage for LineStore {
    type Error = StoreError;

    fn len(&self) -> u64 {
        let rows = self.db.query("SELECT MAX(idx) FROM log_lines", &[]);
        let last = rows.ok().and_then(|r| r.first().and_then(|r| r.int(0)));
        last.map_or(0, |n| n + 1) + self.pending.len()
    }

    fn append(&mut self, records: &[Record]) -> Result<(), StoreError> {
        self.pending.with(|all| all.extend_from_slice(records));
        Ok(())
    }

    /// The transaction that [`Pending::write`] wrote in is committed by then.
    fn sync(&mut self) -> Result<(), StoreError> {
        if self.pending.len() == 0 {
            Ok(())
        } else {
            Err(StoreError::Database("lines are not committed".to_owned()))
        }
    }

    fn read(&self, from: u64, count: usize) -> Result<Vec<Record>, StoreError> {
        let most = u64::try_from(count).unwrap_or(u64::MAX);
        let rows = self.db.query(
            "SELECT idx, salt, place_salt, place_n, place_prev, back, line FROM log_lines
             WHERE idx >= ?1 ORDER BY idx LIMIT ?2",
            &[from.into(), most.into()],
        )?;
        let records: Option<Vec<Record>> = rows.iter().map(record).collect();
        let mut records = records.ok_or(StoreError::Form("the log"))?;
        let left = count.saturating_sub(records.len());
        self.pending.with(|pending| {
            let newer = pending.iter().filter(|r| r.index >= from);
            records.extend(newer.take(left).cloned());
        });
        Ok(records)
    }

    fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT body FROM log_tiles WHERE path = ?1";
        let rows = self.db.query(sql, &[tile.path().into()])?;
        Ok(rows.first().and_then(|r| r.bytes(0)).map(<[u8]>::to_vec))
    }

    fn publish(&mut self, tiles: &[(Tile, Vec<u8>)], note: &str) -> Result<(), StoreError> {
        write(&*self.db, |db| {
            for (tile, body) in tiles {
                db.run(
                    "INSERT INTO log_tiles (path, body) VALUES (?1, ?2)
                     ON CONFLICT (path) DO UPDATE SET body = excluded.body",
                    &[tile.path().into(), body.as_slice().into()],
                )?;
            }
            db.run(
                "INSERT INTO log_notes (id, note) VALUES (0, ?1)
                 ON CONFLICT (id) DO UPDATE SET note = excluded.note",
                &[note.into()],
            )?;
            Ok(())
        })
    }

    fn checkpoint(&self) -> Result<Option<String>, StoreError> {
        let rows = self
            .db
            .query("SELECT note FROM log_notes WHERE id = 0", &[])?;
        Ok(rows.first().and_then(|r| r.text(0)).map(str::to_owned))
    }
}
