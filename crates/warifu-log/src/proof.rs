//! Verifying proofs (RFC 9162 §2.1.3.2 and §2.1.4.2; the hashes are those of RFC 6962).

use warifu_consent::hash::sha256;

use crate::tree::{Hash, node_hash};

/// Why a proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The index is not in the tree, or the old tree is larger.
    #[error("outside the tree")]
    Outside,
    /// Too few or too many hashes.
    #[error("wrong number of hashes")]
    Length,
    /// The root is another.
    #[error("leads to another root")]
    Root,
}

/// Whether the leaf stands at `index` of the tree with this size and root.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    path: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Outside);
    }
    let (mut fnode, mut snode) = (index, size - 1);
    let mut hash = *leaf;
    for p in path {
        if snode == 0 {
            return Err(ProofError::Length);
        }
        if fnode & 1 == 1 || fnode == snode {
            hash = node_hash(p, &hash);
            while fnode & 1 == 0 && fnode != 0 {
                fnode >>= 1;
                snode >>= 1;
            }
        } else {
            hash = node_hash(&hash, p);
        }
        fnode >>= 1;
        snode >>= 1;
    }
    match (snode, hash == *root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::Root),
        _ => Err(ProofError::Length),
    }
}

/// Whether the tree of `old` leaves is the beginning of the tree of `size` leaves.
pub fn verify_consistency(
    old: u64,
    size: u64,
    path: &[Hash],
    before: &Hash,
    after: &Hash,
) -> Result<(), ProofError> {
    let equal = |a: &Hash, b: &Hash| {
        if a == b {
            Ok(())
        } else {
            Err(ProofError::Root)
        }
    };
    if old > size {
        return Err(ProofError::Outside);
    }
    if old == 0 || old == size {
        if !path.is_empty() {
            return Err(ProofError::Length);
        }
        return if old == 0 && size != 0 {
            equal(before, &sha256(&[]))
        } else {
            equal(before, after)
        };
    }
    let mut path = path.iter();
    let (mut fnode, mut snode) = (old - 1, size - 1);
    while fnode & 1 == 1 {
        fnode >>= 1;
        snode >>= 1;
    }
    let first = if old.is_power_of_two() {
        *before
    } else {
        *path.next().ok_or(ProofError::Length)?
    };
    let (mut from, mut to) = (first, first);
    for c in path {
        if snode == 0 {
            return Err(ProofError::Length);
        }
        if fnode & 1 == 1 || fnode == snode {
            from = node_hash(c, &from);
            to = node_hash(c, &to);
            while fnode & 1 == 0 && fnode != 0 {
                fnode >>= 1;
                snode >>= 1;
            }
        } else {
            to = node_hash(&to, c);
        }
        fnode >>= 1;
        snode >>= 1;
    }
    if snode != 0 {
        return Err(ProofError::Length);
    }
    equal(&from, before)?;
    equal(&to, after)
}
