//! Positions in the order of what stands there.

use alloc::vec::Vec;
use core::cmp::Ordering;

/// Most positions of a chunk: an insertion moves at most this many.
const CHUNK: usize = 256;

/// Room that the first chunk has from the start: most maps stay small.
const FEW: usize = 8;

/// Positions 0, 1, 2 … sorted by a comparison that the caller brings along, always the same one.
///
/// Chunks of limited length: an insertion moves a part of one chunk and, once in [`CHUNK`] / 2
/// insertions, of the list of chunks.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    chunks: Vec<Vec<u32>>,
}

/// Where a position is to be inserted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gap {
    chunk: usize,
    at: usize,
}

impl Index {
    pub(crate) const fn new() -> Self {
        Self { chunks: Vec::new() }
    }
    /// Forgets all positions; the first chunk keeps its room.
    pub(crate) fn clear(&mut self) {
        self.chunks.truncate(1);
        if let Some(chunk) = self.chunks.first_mut() {
            chunk.clear();
        }
    }
    /// The place of what `compare` finds equal, or the gap where it would stand. `compare` tells how
    /// the item at a position compares to what is sought.
    #[inline(never)]
    fn place(&self, compare: &mut dyn FnMut(u32) -> Ordering) -> Result<Gap, Gap> {
        // Nearly always there is one chunk.
        let chunk = if self.chunks.len() <= 1 {
            0
        } else {
            let after = self.chunks.partition_point(|chunk| {
                chunk
                    .first()
                    .is_some_and(|&first| compare(first) != Ordering::Greater)
            });
            after.saturating_sub(1)
        };
        let Some(positions) = self.chunks.get(chunk) else {
            return Err(Gap { chunk: 0, at: 0 });
        };
        match positions.binary_search_by(|&position| compare(position)) {
            Ok(at) => Ok(Gap { chunk, at }),
            Err(at) => Err(Gap { chunk, at }),
        }
    }
    /// The position that `compare` finds equal, or the gap where it would stand.
    pub(crate) fn find(&self, compare: &mut dyn FnMut(u32) -> Ordering) -> Result<u32, Gap> {
        let place = self.place(compare)?;
        let chunk = self.chunks.get(place.chunk);
        Ok(chunk.and_then(|c| c.get(place.at)).copied().unwrap_or(0))
    }
    /// The positions in order, from the one that `compare` finds equal or the next greater one on.
    pub(crate) fn positions_from<'i>(
        &'i self,
        compare: &mut dyn FnMut(u32) -> Ordering,
    ) -> impl Iterator<Item = u32> + use<'i> {
        let (Ok(place) | Err(place)) = self.place(compare);
        let chunks = self.chunks.get(place.chunk..).unwrap_or_default();
        chunks.iter().flatten().skip(place.at).copied()
    }
    /// Inserts a position where [`Index::find`] found the gap.
    #[inline(never)]
    pub(crate) fn insert(&mut self, gap: Gap, position: u32) {
        let Some(chunk) = self.chunks.get_mut(gap.chunk) else {
            let mut chunk = Vec::with_capacity(FEW);
            chunk.push(position);
            self.chunks.push(chunk);
            return;
        };
        chunk.insert(gap.at.min(chunk.len()), position);
        if chunk.len() >= CHUNK {
            let upper = chunk.split_off(CHUNK / 2);
            self.chunks.insert(gap.chunk + 1, upper);
        }
    }
    /// The positions in order.
    pub(crate) fn positions(&self) -> impl Iterator<Item = u32> + '_ {
        self.chunks.iter().flatten().copied()
    }
}

/// A position as an index.
pub(crate) fn index(position: u32) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

/// The position behind so many items.
pub(crate) fn position(length: usize) -> u32 {
    // Four thousand million items do not fit into memory with anything to find them by.
    u32::try_from(length).unwrap_or(u32::MAX)
}
