//! The Merkle tree of RFC 6962 §2.1: `0x00` before a leaf, `0x01` before two nodes, SHA-256.

use warifu_consent::hash::sha256;

/// 32 bytes.
pub type Hash = [u8; 32];

/// Hash of a leaf.
pub fn leaf_hash(data: &[u8]) -> Hash {
    sha256(&[&[0], data])
}

/// Hash of an inner node.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// A tree in memory: hashes of all complete subtrees, level by level; 64 bytes a leaf.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// An empty tree.
    pub const fn new() -> Self {
        Self { levels: Vec::new() }
    }

    /// Number of leaves.
    pub fn len(&self) -> u64 {
        self.levels
            .first()
            .map_or(0, |l| u64::try_from(l.len()).unwrap_or(u64::MAX))
    }

    /// Whether there is no leaf.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a leaf with this data.
    pub fn push(&mut self, data: &[u8]) {
        self.push_hash(leaf_hash(data));
    }

    /// Adds a leaf by its hash.
    pub fn push_hash(&mut self, leaf: Hash) {
        let mut hash = leaf;
        let mut level = 0;
        loop {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let Some(row) = self.levels.get_mut(level) else {
                return;
            };
            row.push(hash);
            if row.len() % 2 != 0 {
                return;
            }
            let [.., left, right] = row.as_slice() else {
                return;
            };
            hash = node_hash(left, right);
            level += 1;
        }
    }

    /// Hash of a complete subtree: `2^level` leaves from `index · 2^level` on.
    pub fn node(&self, level: usize, index: u64) -> Option<Hash> {
        let index = usize::try_from(index).ok()?;
        self.levels.get(level)?.get(index).copied()
    }

    /// Root of the first `size` leaves; `None` beyond the end.
    pub fn root_of(&self, size: u64) -> Option<Hash> {
        if size > self.len() {
            return None;
        }
        if size == 0 {
            return Some(sha256(&[]));
        }
        self.range(0, size)
    }

    /// Root of all leaves.
    pub fn root(&self) -> Hash {
        self.root_of(self.len()).unwrap_or_default()
    }

    /// Hash over leaves `start..end`, `start` a multiple of the largest power of two below the length.
    fn range(&self, start: u64, end: u64) -> Option<Hash> {
        let n = end.checked_sub(start)?;
        if n.is_power_of_two() {
            let level = usize::try_from(n.trailing_zeros()).ok()?;
            return self.node(level, start / n);
        }
        let k = split(n);
        Some(node_hash(
            &self.range(start, start + k)?,
            &self.range(start + k, end)?,
        ))
    }

    /// Audit path of leaf `index` in the first `size` leaves (RFC 6962 §2.1.1).
    pub fn inclusion(&self, index: u64, size: u64) -> Option<Vec<Hash>> {
        if index >= size || size > self.len() {
            return None;
        }
        let mut path = Vec::new();
        let (mut start, mut end) = (0, size);
        while end - start > 1 {
            let k = split(end - start);
            if index < start + k {
                path.push(self.range(start + k, end)?);
                end = start + k;
            } else {
                path.push(self.range(start, start + k)?);
                start += k;
            }
        }
        path.reverse();
        Some(path)
    }

    /// Consistency proof from the first `old` to the first `size` leaves (RFC 6962 §2.1.2).
    pub fn consistency(&self, old: u64, size: u64) -> Option<Vec<Hash>> {
        if old > size || size > self.len() {
            return None;
        }
        if old == 0 || old == size {
            return Some(Vec::new());
        }
        let mut path = Vec::new();
        let (mut start, mut end) = (0, size);
        let mut whole = true;
        let mut m = old;
        while m != end - start {
            let k = split(end - start);
            if m <= k {
                path.push(self.range(start + k, end)?);
                end = start + k;
            } else {
                path.push(self.range(start, start + k)?);
                start += k;
                m -= k;
                whole = false;
            }
        }
        if !whole {
            path.push(self.range(start, end)?);
        }
        path.reverse();
        Some(path)
    }
}

/// Largest power of two smaller than `n`, for `n` ≥ 2.
const fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::{verify_consistency, verify_inclusion};

    /// By the definition, word for word.
    fn defined(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => sha256(&[]),
            [one] => leaf_hash(one),
            many => {
                let k = many.len().next_power_of_two() / 2;
                node_hash(&defined(&many[..k]), &defined(&many[k..]))
            }
        }
    }

    #[test]
    fn golden_root_of_a_b_c() {
        let mut tree = Tree::new();
        for leaf in ["a", "b", "c"] {
            tree.push(leaf.as_bytes());
        }
        let hex = crate::tests_hex(&tree.root());
        assert_eq!(
            hex,
            "36642e73c2540ab121e3a6bf9545b0a24982cd830eb13d3cd19de3ce6c021ec1"
        );
    }

    #[test]
    fn roots_and_all_proofs_up_to_70_leaves() {
        let leaves: Vec<Vec<u8>> = (0..70_u8).map(|i| vec![i]).collect();
        let mut tree = Tree::new();
        for (n, leaf) in leaves.iter().enumerate() {
            tree.push(leaf);
            assert_eq!(tree.root(), defined(&leaves[..=n]));
        }
        for size in 0..=70_u64 {
            let root = tree.root_of(size).unwrap();
            assert_eq!(root, defined(&leaves[..usize::try_from(size).unwrap()]));
            for index in 0..size {
                let path = tree.inclusion(index, size).unwrap();
                let data = &leaves[usize::try_from(index).unwrap()];
                assert_eq!(
                    verify_inclusion(&leaf_hash(data), index, size, &path, &root),
                    Ok(())
                );
                // Neither another place, nor another leaf, nor a bent path, nor another size.
                assert!(verify_inclusion(&leaf_hash(b"x"), index, size, &path, &root).is_err());
                if size > 1 {
                    assert!(
                        verify_inclusion(&leaf_hash(data), (index + 1) % size, size, &path, &root)
                            .is_err()
                    );
                    let mut bent = path.clone();
                    bent[0][0] ^= 1;
                    assert!(verify_inclusion(&leaf_hash(data), index, size, &bent, &root).is_err());
                    assert!(
                        verify_inclusion(&leaf_hash(data), index, size, &path[1..], &root).is_err()
                    );
                }
                let mut longer = path.clone();
                longer.push([0; 32]);
                assert!(verify_inclusion(&leaf_hash(data), index, size, &longer, &root).is_err());
            }
            for old in 0..=size {
                let path = tree.consistency(old, size).unwrap();
                let before = tree.root_of(old).unwrap();
                assert_eq!(
                    verify_consistency(old, size, &path, &before, &root),
                    Ok(()),
                    "{old} {size}"
                );
                if old > 0 && old < size {
                    let mut other = before;
                    other[0] ^= 1;
                    assert!(verify_consistency(old, size, &path, &other, &root).is_err());
                    let mut other = root;
                    other[0] ^= 1;
                    assert!(verify_consistency(old, size, &path, &before, &other).is_err());
                    let mut longer = path.clone();
                    longer.push([0; 32]);
                    assert!(verify_consistency(old, size, &longer, &before, &root).is_err());
                }
            }
        }
        assert_eq!(tree.inclusion(70, 70), None);
        assert_eq!(tree.consistency(3, 71), None);
        assert_eq!(tree.root_of(71), None);
    }
}
