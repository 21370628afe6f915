//! The log in the database: lines are written in the transaction that they tell of.

use std::sync::{Arc, Mutex, PoisonError};

use warifu_log::{Hash, Place, Record, Storage, Tile};

use crate::database::{Cell, Database, Row, StoreError};

/// What the log has and the database not yet: lines, tiles, a checkpoint. [`Pending::write`] puts it into
/// the transaction.
#[derive(Debug, Clone, Default)]
pub struct Pending(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    records: Vec<Record>,
    tiles: Vec<(Tile, Vec<u8>)>,
    note: Option<String>,
}

impl Pending {
    fn with<T>(&self, part: impl FnOnce(&mut Waiting) -> T) -> T {
        part(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.with(|w| w.records.is_empty() && w.tiles.is_empty() && w.note.is_none())
    }

    /// Writes it; it is still pending until [`Self::clear`].
    ///
    /// # Errors
    /// [`StoreError::Exists`]: another process has written lines in between; the log must be opened
    /// anew.
    pub fn write(&self, db: &dyn Database) -> Result<(), StoreError> {
        self.with(|waiting| {
            for r in &waiting.records {
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
            for (tile, body) in &waiting.tiles {
                db.run(
                    "INSERT INTO log_tiles (path, body) VALUES (?1, ?2)
                     ON CONFLICT (path) DO UPDATE SET body = excluded.body",
                    &[tile.path().into(), body.as_slice().into()],
                )?;
            }
            if let Some(note) = &waiting.note {
                db.run(
                    "INSERT INTO log_notes (id, note) VALUES (0, ?1)
                     ON CONFLICT (id) DO UPDATE SET note = excluded.note",
                    &[note.as_str().into()],
                )?;
            }
            Ok(())
        })
    }

    /// It is in the database now.
    pub fn clear(&self) {
        self.with(|waiting| *waiting = Waiting::default());
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

    fn count(&self) -> Result<u64, StoreError> {
        let rows = self.db.query("SELECT MAX(idx) FROM log_lines", &[])?;
        let kept = rows.first().and_then(|r| r.int(0)).map_or(0, |n| n + 1);
        let pending = self.pending.with(|w| w.records.len());
        Ok(kept.saturating_add(u64::try_from(pending).unwrap_or(u64::MAX)))
    }

    fn append(&mut self, records: &[Record]) -> Result<(), StoreError> {
        self.pending.with(|w| w.records.extend_from_slice(records));
        Ok(())
    }

    /// The transaction that [`Pending::write`] wrote in is committed by then.
    fn sync(&mut self) -> Result<(), StoreError> {
        if self.pending.with(|w| w.records.is_empty()) {
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
            let newer = pending.records.iter().filter(|r| r.index >= from);
            records.extend(newer.take(left).cloned());
        });
        Ok(records)
    }

    fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, StoreError> {
        let pending = self.pending.with(|w| {
            let found = w.tiles.iter().find(|(t, _)| *t == tile);
            found.map(|(_, body)| body.clone())
        });
        if pending.is_some() {
            return Ok(pending);
        }
        let sql = "SELECT body FROM log_tiles WHERE path = ?1";
        let rows = self.db.query(sql, &[tile.path().into()])?;
        Ok(rows.first().and_then(|r| r.bytes(0)).map(<[u8]>::to_vec))
    }

    /// Like lines: written with the transaction, whose writer saw every line and checkpoint before.
    fn publish(&mut self, tiles: &[(Tile, Vec<u8>)], note: &str) -> Result<(), StoreError> {
        self.pending.with(|w| {
            w.tiles.extend_from_slice(tiles);
            w.note = Some(note.to_owned());
        });
        Ok(())
    }

    fn checkpoint(&self) -> Result<Option<String>, StoreError> {
        if let Some(note) = self.pending.with(|w| w.note.clone()) {
            return Ok(Some(note));
        }
        let rows = self
            .db
            .query("SELECT note FROM log_notes WHERE id = 0", &[])?;
        Ok(rows.first().and_then(|r| r.text(0)).map(str::to_owned))
    }
}
