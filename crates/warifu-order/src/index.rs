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
    /// The first chunk; nearly always there is no other.
    first: Vec<u32>,
    more: Vec<Vec<u32>>,
}

/// Where a position is to be inserted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gap {
    chunk: usize,
    at: usize,
}

impl Index {
    pub(crate) const fn new() -> Self {
        Self {
            first: Vec::new(),
            more: Vec::new(),
        }
    }
    /// Forgets all positions; the first chunk keeps its room.
    pub(crate) fn clear(&mut self) {
        self.first.clear();
        self.more.clear();
    }
    /// A chunk by its number.
    fn chunk(&self, number: usize) -> Option<&Vec<u32>> {
        match number.checked_sub(1) {
            None => Some(&self.first),
            Some(number) => self.more.get(number),
        }
    }
    /// The place of what `compare` finds equal, or the gap where it would stand. `compare` tells how
    /// the item at a position compares to what is sought.
    #[inline(never)]
    fn place(&self, compare: &mut dyn FnMut(u32) -> Ordering) -> Result<Gap, Gap> {
        // What is before the first position of another chunk is in the one before that.
        let number = self.more.partition_point(|chunk| {
            chunk
                .first()
                .is_some_and(|&first| compare(first) != Ordering::Greater)
        });
        let Some(positions) = self.chunk(number) else {
            return Err(Gap { chunk: 0, at: 0 });
        };
        match positions.binary_search_by(|&position| compare(position)) {
            Ok(at) => Ok(Gap { chunk: number, at }),
            Err(at) => Err(Gap { chunk: number, at }),
        }
    }
    /// The position that `compare` finds equal, or the gap where it would stand.
    pub(crate) fn find(&self, compare: &mut dyn FnMut(u32) -> Ordering) -> Result<u32, Gap> {
        let place = self.place(compare)?;
        let chunk = self.chunk(place.chunk);
        Ok(chunk.and_then(|c| c.get(place.at)).copied().unwrap_or(0))
    }
    /// The positions in order, from the one that `compare` finds equal or the next greater one on.
    pub(crate) fn positions_from<'i>(
        &'i self,
        compare: &mut dyn FnMut(u32) -> Ordering,
    ) -> impl Iterator<Item = u32> + use<'i> {
        let (Ok(place) | Err(place)) = self.place(compare);
        let chunk = self.chunk(place.chunk).into_iter();
        let behind = self.more.get(place.chunk..).unwrap_or_default();
        let positions = chunk.chain(behind).flatten();
        positions.skip(place.at).copied()
    }
    /// Inserts a position where [`Index::find`] found the gap.
    #[inline(never)]
    pub(crate) fn insert(&mut self, gap: Gap, position: u32) {
        let chunk = match gap.chunk.checked_sub(1) {
            None => &mut self.first,
            Some(number) => match self.more.get_mut(number) {
                Some(chunk) => chunk,
                None => return,
            },
        };
        if chunk.is_empty() {
            chunk.reserve_exact(FEW);
        }
        chunk.insert(gap.at.min(chunk.len()), position);
        if chunk.len() >= CHUNK {
            let upper = chunk.split_off(CHUNK / 2);
            self.more.insert(gap.chunk, upper);
        }
    }
    /// The positions in order.
    pub(crate) fn positions(&self) -> impl Iterator<Item = u32> + '_ {
        let chunks = core::iter::once(&self.first).chain(&self.more);
        chunks.flatten().copied()
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
