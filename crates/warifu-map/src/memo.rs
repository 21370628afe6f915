//! A small memory of what many messages have in common (a doctor, a department, the institution, the
//! patient that each message names again): its result is kept under all bytes it was made from.
//!
//! Bounded: a key has two slots it may stand in, the newest entry takes the place of the one that was
//! not used for longest, and long entries are not kept. What is found is what would be made again, so
//! that results never depend on the order of the input.

use std::cell::RefCell;

/// Number of sets of two slots.
const SETS: usize = 512;
/// Longest key.
const LONGEST: usize = 1024;

/// A key (pieces with their lengths, so that no two lists of pieces are alike) and what was kept
/// under it.
type Slot<V> = Option<(Box<[u8]>, V)>;

/// Results by key.
pub(crate) struct Memo<V> {
    /// In each set the entry used last stands first; the other makes room for the next one.
    sets: RefCell<Vec<[Slot<V>; 2]>>,
}

impl<V> std::fmt::Debug for Memo<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // No content: keys hold patients' data.
        f.debug_struct("Memo").finish_non_exhaustive()
    }
}

impl<V> Default for Memo<V> {
    fn default() -> Self {
        Self {
            sets: RefCell::default(),
        }
    }
}

impl<V> Memo<V> {
    /// What was kept under the pieces of a key, as `read` sees it.
    pub(crate) fn get<T>(&self, key: &[&[u8]], read: impl FnOnce(&V) -> T) -> Option<T> {
        let mut sets = self.sets.borrow_mut();
        let set = sets.get_mut(set_of(key))?;
        let holds = |slot: &Slot<V>| slot.as_ref().is_some_and(|(known, _)| is_key(known, key));
        if let [first, second] = set
            && !holds(first)
        {
            if !holds(second) {
                return None;
            }
            std::mem::swap(first, second);
        }
        let (_, value) = set.first()?.as_ref()?;
        Some(read(value))
    }
    /// Keeps a result; what was not used for longest in its place is forgotten.
    pub(crate) fn put(&self, key: &[&[u8]], value: V) {
        let length = key.iter().map(|p| LENGTH + p.len()).sum();
        if length > LONGEST {
            return;
        }
        let mut sets = self.sets.borrow_mut();
        if sets.is_empty() {
            sets.resize_with(SETS, || [None, None]);
        }
        let Some([first, second]) = sets.get_mut(set_of(key)) else {
            return;
        };
        let mut bytes = Vec::with_capacity(length);
        for piece in key {
            bytes.extend_from_slice(&length_of(piece));
            bytes.extend_from_slice(piece);
        }
        std::mem::swap(first, second);
        *first = Some((bytes.into(), value));
    }
}

/// Bytes of a piece's length in a key.
const LENGTH: usize = 4;

fn length_of(piece: &[u8]) -> [u8; LENGTH] {
    u32::try_from(piece.len()).unwrap_or(u32::MAX).to_le_bytes()
}

/// Whether `known` is the key of these pieces.
fn is_key(known: &[u8], pieces: &[&[u8]]) -> bool {
    let mut rest = known;
    for piece in pieces {
        let after = rest
            .strip_prefix(&length_of(piece))
            .and_then(|rest| rest.strip_prefix(*piece));
        let Some(after) = after else { return false };
        rest = after;
    }
    rest.is_empty()
}

/// Spreads keys over sets: a collision costs an entry, never a wrong answer.
fn set_of(key: &[&[u8]]) -> usize {
    let mut hash = 0u64;
    let mut mix = |word: u64| {
        hash = (hash.rotate_left(5) ^ word).wrapping_mul(0x517C_C1B7_2722_0A95);
    };
    for piece in key {
        let (words, rest) = piece.as_chunks::<8>();
        for word in words {
            mix(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        mix(u64::from_le_bytes(last));
    }
    usize::try_from(hash >> 48).unwrap_or(0) % SETS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_under_its_own_key_only() {
        let memo = Memo::default();
        let get = |pieces: &[&[u8]]| memo.get(pieces, |v: &u32| *v);
        assert_eq!(get(&[b"a", b"b"]), None);
        memo.put(&[b"a", b"b"], 1);
        assert_eq!(get(&[b"a", b"b"]), Some(1));
        assert_eq!(get(&[b"ab"]), None);
        assert_eq!(get(&[b"ab", b""]), None);
        memo.put(&[b"a", b"b"], 2);
        assert_eq!(get(&[b"a", b"b"]), Some(2));
    }

    #[test]
    fn long_keys_are_not_kept_and_slots_are_bounded() {
        let memo = Memo::default();
        let long = vec![b'x'; LONGEST];
        memo.put(&[&long], 1u32);
        assert_eq!(memo.get(&[&long], |v| *v), None);
        for n in 0..10_000u32 {
            let number = n.to_le_bytes();
            memo.put(&[&number], n);
            assert_eq!(memo.get(&[&number], |v| *v), Some(n));
        }
        assert_eq!(memo.sets.borrow().len(), SETS);
    }
}
