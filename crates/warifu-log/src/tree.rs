//! The Merkle tree of RFC 6962 §2.1: the frontier that grows, proofs made and proofs verified.

use crate::hash::{Hash, empty_root, leaf_hash, node_hash};

/// No proof is longer: a tree has fewer than 2⁶⁴ leaves.
pub const MAX_PROOF: usize = 64;

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The index is not below the size, or the older size is above the newer.
    #[error("the proof is about a place that the tree does not have")]
    Range,
    /// More or fewer hashes than a proof of this place has.
    #[error("the proof has the wrong number of hashes")]
    Length,
    /// The hashes lead to another root.
    #[error("the proof leads to another root")]
    Root,
    /// The hashes lead to another root of the older tree.
    #[error("the proof leads to another root of the older tree")]
    OldRoot,
}

/// The roots of the complete subtrees that make up a tree, from left to right: all that appending
/// needs, at most 64 hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// From its parts; `None` unless there is one peak for each bit of `size` that is set.
    pub fn from_parts(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        let bits = usize::try_from(size.count_ones()).ok()?;
        (peaks.len() == bits).then_some(Self { size, peaks })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the complete subtrees, the largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Adds a leaf by its hash.
    pub fn append(&mut self, leaf: Hash) {
        let mut hash = leaf;
        let mut rest = self.size;
        while rest & 1 == 1 {
            if let Some(left) = self.peaks.pop() {
                hash = node_hash(&left, &hash);
            }
            rest >>= 1;
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// Root of the tree.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else {
            return empty_root();
        };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }
}

/// Root of the tree over leaf data at hand.
pub fn root_of<D: AsRef<[u8]>>(data: &[D]) -> Hash {
    let mut tree = Frontier::new();
    for one in data {
        tree.append(leaf_hash(one.as_ref()));
    }
    tree.root()
}

/// Gives the root of a complete subtree: 2^`level` leaves from leaf `index` · 2^`level` on.
pub trait Nodes {
    /// Why it could not.
    type Error;
    /// The hash; asked only for subtrees that are complete in the tree at hand.
    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// Leaf hashes in memory; costs time linear in the size of what is asked for.
impl Nodes for [Hash] {
    type Error = ProofError;
    fn node(&self, level: u32, index: u64) -> Result<Hash, ProofError> {
        let width = 1_usize.checked_shl(level).ok_or(ProofError::Range)?;
        let from = usize::try_from(index)
            .ok()
            .and_then(|i| i.checked_mul(width))
            .ok_or(ProofError::Range)?;
        let leaves = self
            .get(from..from.saturating_add(width))
            .ok_or(ProofError::Range)?;
        fold(leaves).ok_or(ProofError::Range)
    }
}

/// Root over 2^k hashes; `None` for any other number.
pub(crate) fn fold(hashes: &[Hash]) -> Option<Hash> {
    if !hashes.len().is_power_of_two() {
        return None;
    }
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row
            .chunks_exact(2)
            .filter_map(|pair| Some(node_hash(pair.first()?, pair.last()?)))
            .collect();
    }
    row.first().copied()
}

/// Largest power of two below `n`, for `n` ≥ 2.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// `MTH(D[lo..hi])` where `lo` is a multiple of the largest power of two not above `hi - lo`.
fn range<N: Nodes + ?Sized>(nodes: &N, mut lo: u64, hi: u64) -> Result<Hash, N::Error> {
    let mut left = Vec::new();
    while !(hi - lo).is_power_of_two() {
        let k = split(hi - lo);
        left.push(nodes.node(k.trailing_zeros(), lo / k)?);
        lo += k;
    }
    let last = nodes.node((hi - lo).trailing_zeros(), lo / (hi - lo))?;
    Ok(left.iter().rev().fold(last, |r, l| node_hash(l, &r)))
}

/// `PATH(index, D[size])` of RFC 6962 §2.1.1, from the leaf's sibling up.
///
/// `None` when `index` is not below `size`.
pub fn inclusion_proof<N: Nodes + ?Sized>(
    nodes: &N,
    index: u64,
    size: u64,
) -> Result<Option<Vec<Hash>>, N::Error> {
    if index >= size {
        return Ok(None);
    }
    let (mut lo, mut hi) = (0, size);
    let mut path = Vec::new();
    while hi - lo > 1 {
        let middle = lo + split(hi - lo);
        if index < middle {
            path.push(range(nodes, middle, hi)?);
            hi = middle;
        } else {
            path.push(range(nodes, lo, middle)?);
            lo = middle;
        }
    }
    path.reverse();
    Ok(Some(path))
}

/// `PROOF(old, D[new])` of RFC 6962 §2.1.2; empty when `old` is 0 or equals `new`.
///
/// `None` when `old` is above `new`.
pub fn consistency_proof<N: Nodes + ?Sized>(
    nodes: &N,
    old: u64,
    new: u64,
) -> Result<Option<Vec<Hash>>, N::Error> {
    if old > new {
        return Ok(None);
    }
    let mut path = Vec::new();
    if old == 0 || old == new {
        return Ok(Some(path));
    }
    let (mut lo, mut hi, mut whole) = (0, new, true);
    while old != hi {
        let middle = lo + split(hi - lo);
        if old <= middle {
            path.push(range(nodes, middle, hi)?);
            hi = middle;
        } else {
            path.push(range(nodes, lo, middle)?);
            lo = middle;
            whole = false;
        }
    }
    if !whole {
        path.push(range(nodes, lo, hi)?);
    }
    path.reverse();
    Ok(Some(path))
}

/// Whether the leaf with this hash stands at `index` of the tree of `size` leaves and this root.
///
/// The walk of RFC 9162 §2.1.3.2: linear in the proof, which is at most 64 hashes long.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    path: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Range);
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for step in path {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(step, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, step);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if hash == *root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}

/// Whether the tree of `old` leaves is a beginning of the tree of `new` leaves.
///
/// The walk of RFC 9162 §2.1.4.2. Of a tree without leaves every tree is a continuation, provided
/// that its root is the right one and the proof is empty.
pub fn verify_consistency(
    old: u64,
    new: u64,
    path: &[Hash],
    old_root: &Hash,
    new_root: &Hash,
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Range);
    }
    if old == 0 || old == new {
        if !path.is_empty() {
            return Err(ProofError::Length);
        }
        let expected = if old == new { *new_root } else { empty_root() };
        if *old_root != expected {
            return Err(ProofError::OldRoot);
        }
        return Ok(());
    }
    let (mut at, mut last) = (old - 1, new - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let (first, rest) = if old.is_power_of_two() {
        (*old_root, path)
    } else {
        let (first, rest) = path.split_first().ok_or(ProofError::Length)?;
        (*first, rest)
    };
    let (mut older, mut newer) = (first, first);
    for step in rest {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if at & 1 == 1 || at == last {
            older = node_hash(step, &older);
            newer = node_hash(step, &newer);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            newer = node_hash(&newer, step);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if older != *old_root {
        return Err(ProofError::OldRoot);
    }
    if newer != *new_root {
        return Err(ProofError::Root);
    }
    Ok(())
}
