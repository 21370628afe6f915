//! What a log needs of a place to keep it, and the one in memory.

use crate::hash::Hash;
use crate::line::{Place, leaf_data};
use crate::tile::Tile;

/// A line as it is kept: private, with what opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Place in the log, from 0.
    pub index: u64,
    /// Salt of the leaf.
    pub salt: [u8; 16],
    /// For a line with `chn`: the salt of the place, and the place.
    pub opening: Option<([u8; 16], Place)>,
    /// Index of the subject's line before.
    pub back: Option<u64>,
    /// Bytes of the line.
    pub line: String,
}

impl Record {
    /// Leaf data of the line.
    pub fn leaf(&self) -> Hash {
        leaf_data(&self.salt, &self.line)
    }
}

/// Keeps records, tiles and the newest checkpoint. One writer at a time.
///
/// After an error of `append`, `sync` or `publish` nothing more may be written: what reached the
/// disk is unknown until the store is opened anew.
pub trait Storage {
    /// Why it could not.
    type Error: core::fmt::Debug;

    /// Number of records kept, appended ones included.
    fn count(&self) -> Result<u64, Self::Error>;

    /// Adds records at the end; they may be lost until [`Self::sync`] returned.
    fn append(&mut self, records: &[Record]) -> Result<(), Self::Error>;

    /// Makes all that was appended survive a crash.
    fn sync(&mut self) -> Result<(), Self::Error>;

    /// At most `count` records from `from` on; fewer only at the end.
    fn read(&self, from: u64, count: usize) -> Result<Vec<Record>, Self::Error>;

    /// Bytes of a tile, or `None` when it is not there.
    fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Makes the tiles, and after them the signed checkpoint, survive a crash; the checkpoint
    /// replaces the one before in one step.
    fn publish(&mut self, tiles: &[(Tile, Vec<u8>)], note: &str) -> Result<(), Self::Error>;

    /// The newest checkpoint, signed.
    fn checkpoint(&self) -> Result<Option<String>, Self::Error>;
}

/// A store in memory: for a demonstration in the browser, and for tests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryStorage {
    /// The records.
    pub records: Vec<Record>,
    /// The tiles by path.
    pub tiles: std::collections::BTreeMap<String, Vec<u8>>,
    /// The newest checkpoint.
    pub note: Option<String>,
}

impl Storage for MemoryStorage {
    type Error = core::convert::Infallible;

    fn count(&self) -> Result<u64, Self::Error> {
        Ok(u64::try_from(self.records.len()).unwrap_or(u64::MAX))
    }

    fn append(&mut self, records: &[Record]) -> Result<(), Self::Error> {
        self.records.extend_from_slice(records);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    fn read(&self, from: u64, count: usize) -> Result<Vec<Record>, Self::Error> {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        Ok(self
            .records
            .iter()
            .skip(from)
            .take(count)
            .cloned()
            .collect())
    }

    fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, Self::Error> {
        Ok(self.tiles.get(&tile.path()).cloned())
    }

    fn publish(&mut self, tiles: &[(Tile, Vec<u8>)], note: &str) -> Result<(), Self::Error> {
        for (tile, bytes) in tiles {
            self.tiles.insert(tile.path(), bytes.clone());
        }
        self.note = Some(note.to_owned());
        Ok(())
    }

    fn checkpoint(&self) -> Result<Option<String>, Self::Error> {
        Ok(self.note.clone())
    }
}
