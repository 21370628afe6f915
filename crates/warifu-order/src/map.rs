//! Map and set in the order of their keys.

use alloc::vec::Vec;
use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;

use crate::index::{Gap, Index, index, position};

/// A map that is read in the order of its keys; nothing is ever removed but everything.
///
/// ```
/// let mut count = warifu_order::Map::new();
/// for word in ["b", "a", "b"] {
///     *count.entry(word).or_insert(0) += 1;
/// }
/// assert_eq!(count.iter().collect::<Vec<_>>(), [(&"a", &1), (&"b", &2)]);
/// ```
#[derive(Clone)]
pub struct Map<K, V> {
    /// In the order of their coming.
    entries: Vec<(K, V)>,
    index: Index,
}

/// A place in a [`Map`], filled or not.
#[derive(Debug)]
pub struct Entry<'m, K, V> {
    entries: &'m mut Vec<(K, V)>,
    at: usize,
    /// The key, when it is new, and the index that is to know it.
    new: Option<(K, &'m mut Index, Gap)>,
}

impl<K, V> Map<K, V> {
    /// An empty map.
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
            index: Index::new(),
        }
    }
    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }
    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.index.clear();
    }
    /// The key that came last, with its value, to be changed.
    ///
    /// ```
    /// let mut map: warifu_order::Map<u8, u8> = [(2, 0), (1, 0)].into_iter().collect();
    /// assert_eq!(map.last_mut(), Some((&1, &mut 0)));
    /// map.insert(2, 5);
    /// assert_eq!(map.last_mut(), Some((&1, &mut 0)));
    /// ```
    pub fn last_mut(&mut self) -> Option<(&K, &mut V)> {
        self.entries.last_mut().map(|(key, value)| (&*key, value))
    }
    /// Keys and values in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.index
            .positions()
            .filter_map(|at| self.entries.get(index(at)))
            .map(|(key, value)| (key, value))
    }
    /// Keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }
    /// Values in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }
    /// Keys and values in the order of the keys.
    pub fn into_sorted(self) -> impl Iterator<Item = (K, V)> {
        let mut entries: Vec<Option<(K, V)>> = self.entries.into_iter().map(Some).collect();
        let order: Vec<u32> = self.index.positions().collect();
        order
            .into_iter()
            .filter_map(move |at| entries.get_mut(index(at))?.take())
    }
}

impl<K: Ord, V> Map<K, V> {
    /// How the key at a position compares to `key`.
    fn against<Q: Ord + ?Sized>(&self, key: &Q) -> impl FnMut(u32) -> Ordering
    where
        K: Borrow<Q>,
    {
        |at| match self.entries.get(index(at)) {
            Some((there, _)) => there.borrow().cmp(key),
            None => Ordering::Greater,
        }
    }
    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, Gap>
    where
        K: Borrow<Q>,
    {
        self.index.find(&mut self.against(key)).map(index)
    }
    /// Keys and values in the order of the keys, from `first` or the next greater one on.
    pub fn iter_from<Q: Ord + ?Sized>(&self, first: &Q) -> impl Iterator<Item = (&K, &V)>
    where
        K: Borrow<Q>,
    {
        self.index
            .positions_from(&mut self.against(first))
            .filter_map(|at| self.entries.get(index(at)))
            .map(|(key, value)| (key, value))
    }
    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let at = self.find(key).ok()?;
        self.entries.get(at).map(|(_, value)| value)
    }
    /// The value of a key, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let at = self.find(key).ok()?;
        self.entries.get_mut(at).map(|(_, value)| value)
    }
    /// Whether a key is there.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).is_ok()
    }
    /// The place of a key.
    pub fn entry(&mut self, key: K) -> Entry<'_, K, V> {
        let found = self.find(&key);
        let entries = &mut self.entries;
        match found {
            Ok(at) => Entry {
                entries,
                at,
                new: None,
            },
            Err(gap) => Entry {
                at: entries.len(),
                entries,
                new: Some((key, &mut self.index, gap)),
            },
        }
    }
    /// Sets the value of a key; gives the one before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            Ok(at) => {
                let there = self.entries.get_mut(at);
                there.map(|(_, there)| core::mem::replace(there, value))
            }
            Err(gap) => {
                self.index.insert(gap, position(self.entries.len()));
                self.entries.push((key, value));
                None
            }
        }
    }
}

impl<'m, K, V> Entry<'m, K, V> {
    /// Whether the key is not there yet.
    pub fn is_new(&self) -> bool {
        self.new.is_some()
    }
    /// The value, which is `value` when the key is new.
    pub fn or_insert(self, value: V) -> &'m mut V {
        self.or_insert_with(|| value)
    }
    /// The value, which is made when the key is new.
    #[expect(
        clippy::indexing_slicing,
        reason = "`at` is an old entry's position, or that of the one just pushed"
    )]
    pub fn or_insert_with(self, value: impl FnOnce() -> V) -> &'m mut V {
        if let Some((key, order, gap)) = self.new {
            order.insert(gap, position(self.at));
            self.entries.push((key, value()));
        }
        &mut self.entries[self.at].1
    }
    /// The value, which is the default one when the key is new.
    pub fn or_default(self) -> &'m mut V
    where
        V: Default,
    {
        self.or_insert_with(V::default)
    }
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for Map<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<K: Eq, V: Eq> Eq for Map<K, V> {}

impl<K: Ord, V> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(items: I) -> Self {
        let mut map = Self::new();
        for (key, value) in items {
            map.insert(key, value);
        }
        map
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for Map<K, V> {
    fn from(items: [(K, V); N]) -> Self {
        items.into_iter().collect()
    }
}

/// A set that is read in order.
#[derive(Clone, PartialEq, Eq)]
pub struct Set<K>(Map<K, ()>);

impl<K> Set<K> {
    /// An empty set.
    pub const fn new() -> Self {
        Self(Map::new())
    }
    /// How many items there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }
    /// The items in order.
    pub fn iter(&self) -> impl Iterator<Item = &K> {
        self.0.keys()
    }
    /// The items in order.
    pub fn into_sorted(self) -> impl Iterator<Item = K> {
        self.0.into_sorted().map(|(key, ())| key)
    }
}

impl<K: Ord> Set<K> {
    /// Whether an item is there.
    pub fn contains<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.contains_key(key)
    }
    /// Adds an item; whether it is new.
    pub fn insert(&mut self, key: K) -> bool {
        self.0.insert(key, ()).is_none()
    }
}

impl<K> Default for Set<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: fmt::Debug> fmt::Debug for Set<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl<K: Ord> Extend<K> for Set<K> {
    fn extend<I: IntoIterator<Item = K>>(&mut self, items: I) {
        for item in items {
            self.insert(item);
        }
    }
}

impl<K: Ord> FromIterator<K> for Set<K> {
    fn from_iter<I: IntoIterator<Item = K>>(items: I) -> Self {
        let mut set = Self::new();
        set.extend(items);
        set
    }
}

impl<K: Ord, const N: usize> From<[K; N]> for Set<K> {
    fn from(items: [K; N]) -> Self {
        items.into_iter().collect()
    }
}
