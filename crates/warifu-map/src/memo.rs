//! A small memory of what many messages have in common (a doctor, a department, the institution, the
//! patient that each message names again): its result is kept under all bytes it was made from.
//!
//! Bounded: each key has one slot, the newest entry keeps it, and long entries are not kept. What is
//! found is what would be made again, so that results never depend on the order of the input.

use std::cell::RefCell;

/// Number of slots.
const SLOTS: usize = 256;
/// Longest key.
const LONGEST: usize = 1024;

/// A key and what was kept under it.
type Slot<V> = Option<(Box<[u8]>, V)>;

/// Results by key.
pub(crate) struct Memo<V> {
    slots: RefCell<Vec<Slot<V>>>,
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
            slots: RefCell::default(),
        }
    }
}

impl<V> Memo<V> {
    /// What was kept under a key, as `read` sees it.
    pub(crate) fn get<T>(&self, key: &Key, read: impl FnOnce(&V) -> T) -> Option<T> {
        let slots = self.slots.borrow();
        let (known, value) = slots.get(key.slot()?)?.as_ref()?;
        (**known == *key.bytes()).then(|| read(value))
    }
    /// Keeps a result; whatever had the slot is forgotten.
    pub(crate) fn put(&self, key: &Key, value: V) {
        let mut slots = self.slots.borrow_mut();
        if slots.is_empty() {
            slots.resize_with(SLOTS, || None);
        }
        if let Some(slot) = key.slot().and_then(|i| slots.get_mut(i)) {
            *slot = Some((key.bytes().into(), value));
        }
    }
}

/// A key under construction: pieces with their lengths, so that no two lists of pieces are alike.
pub(crate) struct Key {
    bytes: [u8; LONGEST],
    len: usize,
    hash: u64,
    fits: bool,
}

impl Key {
    /// The key of some pieces.
    pub(crate) fn new(pieces: &[&[u8]]) -> Self {
        let mut key = Self {
            bytes: [0; LONGEST],
            len: 0,
            hash: 0,
            fits: true,
        };
        key.add(pieces);
        key
    }
    /// Adds pieces.
    pub(crate) fn add(&mut self, pieces: &[&[u8]]) {
        for piece in pieces {
            let len = u32::try_from(piece.len()).unwrap_or(u32::MAX);
            self.push(&len.to_le_bytes());
            self.push(piece);
        }
    }
    fn push(&mut self, piece: &[u8]) {
        let Some(to) = self.bytes.get_mut(self.len..self.len + piece.len()) else {
            self.fits = false;
            return;
        };
        to.copy_from_slice(piece);
        self.len += piece.len();
        // Only spreads entries over slots: a collision costs an entry, never a wrong answer.
        let mut mix = |word: u64| {
            self.hash = (self.hash.rotate_left(5) ^ word).wrapping_mul(0x517C_C1B7_2722_0A95);
        };
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
    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
    fn slot(&self) -> Option<usize> {
        let slot = usize::try_from(self.hash >> 56).unwrap_or(0) % SLOTS;
        self.fits.then_some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_under_its_own_key_only() {
        let memo = Memo::default();
        let get = |pieces: &[&[u8]]| memo.get(&Key::new(pieces), |v: &u32| *v);
        assert_eq!(get(&[b"a", b"b"]), None);
        memo.put(&Key::new(&[b"a", b"b"]), 1);
        assert_eq!(get(&[b"a", b"b"]), Some(1));
        assert_eq!(get(&[b"ab"]), None);
        assert_eq!(get(&[b"ab", b""]), None);
        memo.put(&Key::new(&[b"a", b"b"]), 2);
        assert_eq!(get(&[b"a", b"b"]), Some(2));
    }

    #[test]
    fn long_keys_are_not_kept_and_slots_are_bounded() {
        let memo = Memo::default();
        let long = vec![b'x'; LONGEST];
        memo.put(&Key::new(&[&long]), 1u32);
        assert_eq!(memo.get(&Key::new(&[&long]), |v| *v), None);
        for n in 0..10_000u32 {
            let key = Key::new(&[&n.to_le_bytes()]);
            memo.put(&key, n);
            assert_eq!(memo.get(&key, |v| *v), Some(n));
        }
        assert_eq!(memo.slots.borrow().len(), SLOTS);
    }
}
