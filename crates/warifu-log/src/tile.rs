//! C2SP tlog-tiles: the tree cut into tiles of 256 hashes, and what grows at its edge.

use crate::hash::Hash;
use crate::tree::{Nodes, fold};

/// Hashes of a full tile.
pub const WIDTH: u16 = 256;

/// Levels of tiles that a tree below 2⁶⁴ leaves can have.
const LEVELS: u8 = 8;

/// A tile, full (width 256) or partial (1…255).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    level: u8,
    index: u64,
    width: u16,
}

impl Tile {
    /// `None` unless the level is below 8 (the tiles above are always empty here) and the width is
    /// 1…256.
    pub fn new(level: u8, index: u64, width: u16) -> Option<Self> {
        (level < LEVELS && (1..=WIDTH).contains(&width)).then_some(Self {
            level,
            index,
            width,
        })
    }

    /// Level, 0 for leaf hashes.
    pub fn level(self) -> u8 {
        self.level
    }

    /// Place within the level.
    pub fn index(self) -> u64 {
        self.index
    }

    /// Number of hashes.
    pub fn width(self) -> u16 {
        self.width
    }

    /// Whether it has all its 256 hashes.
    pub fn is_full(self) -> bool {
        self.width == WIDTH
    }

    /// Path below the prefix: `tile/0/x001/x234/067` or `tile/0/000.p/112`.
    pub fn path(self) -> String {
        format!("tile/{}/{}", self.level, self.place())
    }

    /// Path of the bundle with the entries of a tile of level 0.
    pub fn entries_path(self) -> String {
        format!("tile/entries/{}", self.place())
    }

    fn place(self) -> String {
        let mut groups = vec![format!("{:03}", self.index % 1000)];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(format!("x{:03}", rest % 1000));
            rest /= 1000;
        }
        groups.reverse();
        let mut path = groups.join("/");
        if !self.is_full() {
            path += ".p/";
            path += &self.width.to_string();
        }
        path
    }

    /// Reads exactly what [`Self::path`] writes.
    pub fn parse(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("tile/")?;
        let (level, rest) = rest.split_once('/')?;
        let (groups, width) = match rest.split_once(".p/") {
            Some((groups, width)) => (groups, width.parse().ok()?),
            None => (rest, WIDTH),
        };
        let mut index = 0_u64;
        for group in groups.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        }
        let tile = Self::new(level.parse().ok()?, index, width)?;
        // One spelling only: leading zeros, missing `x`, `+` and the like are refused here.
        (tile.path() == path).then_some(tile)
    }

    /// The tile of a level at the edge of a tree, if it is not empty.
    pub fn edge(level: u8, size: u64) -> Option<Self> {
        let hashes = hashes_at(level, size);
        let width = u16::try_from(hashes % u64::from(WIDTH)).ok()?;
        Self::new(level, hashes / u64::from(WIDTH), width)
    }

    /// All tiles that a tree of `new` leaves has and a tree of `old` leaves has not, partial ones of
    /// the new tree included; the tiles of one level in order, level 0 first.
    pub fn between(old: u64, new: u64) -> Vec<Self> {
        let mut tiles = Vec::new();
        for level in 0..LEVELS {
            let full = |size| hashes_at(level, size) / u64::from(WIDTH);
            for index in full(old)..full(new) {
                tiles.extend(Self::new(level, index, WIDTH));
            }
            if old < new {
                tiles.extend(Self::edge(level, new).filter(|e| Self::edge(level, old) != Some(*e)));
            }
        }
        tiles
    }
}

/// Hashes at a level of tiles in a tree of this size.
fn hashes_at(level: u8, size: u64) -> u64 {
    size.checked_shr(8 * u32::from(level)).unwrap_or(0)
}

/// Bytes of a tile.
pub fn write_tile(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|h| h.0).collect()
}

/// Hashes of a tile; `None` unless there are exactly as many as its width.
pub fn read_tile(tile: Tile, bytes: &[u8]) -> Option<Vec<Hash>> {
    let (chunks, rest) = bytes.as_chunks::<32>();
    (rest.is_empty() && chunks.len() == usize::from(tile.width))
        .then(|| chunks.iter().map(|c| Hash(*c)).collect())
}

/// An entry bundle: leaf data, each behind its length in two bytes.
pub fn write_entries(leaves: &[Hash]) -> Vec<u8> {
    leaves
        .iter()
        .flat_map(|leaf| [0, 32].into_iter().chain(leaf.0))
        .collect()
}

/// Why a tile does not serve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TileError<E> {
    /// The tile could not be had.
    #[error("a tile could not be read")]
    Source(E),
    /// It has not the bytes of a tile.
    #[error("a tile has the wrong length")]
    Form(Tile),
    /// Asked for a subtree that the tree does not have.
    #[error("no such subtree")]
    Range,
}

/// The nodes of a tree of `size` leaves, read from its tiles: for a server, and for a client that
/// has fetched them. The caller verifies what comes of it against a checkpoint.
#[derive(Debug, Clone)]
pub struct TileNodes<F> {
    size: u64,
    tile: F,
}

impl<F> TileNodes<F> {
    /// `tile` gives the bytes of a tile.
    pub fn new(size: u64, tile: F) -> Self {
        Self { size, tile }
    }
}

impl<E, F: Fn(Tile) -> Result<Vec<u8>, E>> Nodes for TileNodes<F> {
    type Error = TileError<E>;

    fn node(&self, level: u32, index: u64) -> Result<Hash, TileError<E>> {
        let (row, height) = (level / 8, level % 8);
        let row = u8::try_from(row).map_err(|_| TileError::Range)?;
        // `height` is below 8, so the shift loses bits only for places that no tree has.
        let first = index.checked_mul(1 << height).ok_or(TileError::Range)?;
        let at = first / u64::from(WIDTH);
        let hashes = hashes_at(row, self.size);
        let width = hashes
            .saturating_sub(at.saturating_mul(u64::from(WIDTH)))
            .min(u64::from(WIDTH));
        let width = u16::try_from(width).map_err(|_| TileError::Range)?;
        let tile = Tile::new(row, at, width).ok_or(TileError::Range)?;
        let bytes = (self.tile)(tile).map_err(TileError::Source)?;
        let hashes = read_tile(tile, &bytes).ok_or(TileError::Form(tile))?;
        let offset = usize::try_from(first % u64::from(WIDTH)).map_err(|_| TileError::Range)?;
        hashes
            .get(offset..offset + (1 << height))
            .and_then(fold)
            .ok_or(TileError::Range)
    }
}

/// The edge of a growing tree: its partial tiles (at most 8 times 255 hashes).
#[derive(Debug, Clone, Default)]
pub struct Edge {
    size: u64,
    rows: Vec<Vec<Hash>>,
}

impl Edge {
    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash; tiles that became full come out, level 0 first.
    pub fn append(&mut self, leaf: Hash) -> Vec<(Tile, Vec<u8>)> {
        self.size += 1;
        let mut done = Vec::new();
        let mut carry = Some(leaf);
        for level in 0..LEVELS {
            let Some(hash) = carry.take() else { break };
            if self.rows.len() <= usize::from(level) {
                self.rows.push(Vec::new());
            }
            let Some(row) = self.rows.get_mut(usize::from(level)) else {
                break;
            };
            row.push(hash);
            if row.len() == usize::from(WIDTH) {
                let index = hashes_at(level, self.size) / u64::from(WIDTH) - 1;
                done.extend(Tile::new(level, index, WIDTH).map(|tile| (tile, write_tile(row))));
                carry = fold(row);
                row.clear();
            }
        }
        done
    }

    /// The partial tile of a level.
    pub fn partial(&self, level: u8) -> Option<(Tile, Vec<u8>)> {
        let row = self.rows.get(usize::from(level))?;
        Some((Tile::edge(level, self.size)?, write_tile(row)))
    }

    /// All partial tiles.
    pub fn partials(&self) -> Vec<(Tile, Vec<u8>)> {
        (0..LEVELS).filter_map(|l| self.partial(l)).collect()
    }
}
