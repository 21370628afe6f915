//! Tiles of the tree: C2SP tlog-tiles, 256 hashes a full tile.

use crate::tree::{Hash, Tree};

/// Why a tile does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such tile at this size")]
pub struct TileError;

/// A tile: `width` hashes of level `8 · level` from `256 · index` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// Level of tiles, from 0 (leaves).
    pub level: u8,
    /// Place in its level.
    pub index: u64,
    /// Hashes it has: 256, or fewer for the last of a level.
    pub width: u16,
}

impl Tile {
    /// All tiles of a tree of this size.
    pub fn all(size: u64) -> Vec<Self> {
        let mut tiles = Vec::new();
        for level in 0..8_u8 {
            let hashes = size >> (8 * u32::from(level));
            if hashes == 0 {
                break;
            }
            for index in 0..hashes.div_ceil(256) {
                let left = hashes - index * 256;
                let width = u16::try_from(left.min(256)).unwrap_or(256);
                tiles.push(Self {
                    level,
                    index,
                    width,
                });
            }
        }
        tiles
    }

    /// Its bytes: the hashes one behind the other.
    pub fn bytes(&self, tree: &Tree) -> Result<Vec<u8>, TileError> {
        let mut out = Vec::with_capacity(usize::from(self.width) * 32);
        for i in 0..u64::from(self.width) {
            let hash: Hash = tree
                .node(usize::from(self.level) * 8, self.index * 256 + i)
                .ok_or(TileError)?;
            out.extend_from_slice(&hash);
        }
        Ok(out)
    }
}

/// Path of a tile below the log's address: `tile/0/x001/x234/067`, partial ones with `.p/WIDTH`.
pub fn tile_path(tile: Tile) -> String {
    let mut parts = vec![format!("{:03}", tile.index % 1000)];
    let mut rest = tile.index / 1000;
    while rest > 0 {
        parts.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    parts.reverse();
    let partial = if tile.width == 256 {
        String::new()
    } else {
        format!(".p/{}", tile.width)
    };
    format!("tile/{}/{}{partial}", tile.level, parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{leaf_hash, node_hash};

    #[test]
    fn paths_are_those_of_the_standard() {
        let tile = Tile {
            level: 0,
            index: 1_234_067,
            width: 256,
        };
        assert_eq!(tile_path(tile), "tile/0/x001/x234/067");
        let tile = Tile {
            level: 1,
            index: 0,
            width: 3,
        };
        assert_eq!(tile_path(tile), "tile/1/000.p/3");
    }

    #[test]
    fn tiles_hold_the_tree() {
        let mut tree = Tree::new();
        for i in 0..600_u32 {
            tree.push(&i.to_be_bytes());
        }
        let tiles = Tile::all(600);
        let shape: Vec<(u8, u64, u16)> =
            tiles.iter().map(|t| (t.level, t.index, t.width)).collect();
        assert_eq!(shape, [(0, 0, 256), (0, 1, 256), (0, 2, 88), (1, 0, 2)]);
        let leaves = tiles[0].bytes(&tree).unwrap();
        assert_eq!(leaves[..32], leaf_hash(&0_u32.to_be_bytes()));
        // A hash of level 1 is the root of the tile below.
        let mut row: Vec<Hash> = leaves.chunks(32).map(|c| c.try_into().unwrap()).collect();
        while row.len() > 1 {
            row = row.chunks(2).map(|p| node_hash(&p[0], &p[1])).collect();
        }
        assert_eq!(tiles[3].bytes(&tree).unwrap()[..32], row[0]);
        assert_eq!(
            Tile {
                level: 0,
                index: 2,
                width: 89
            }
            .bytes(&tree),
            Err(TileError)
        );
    }
}
