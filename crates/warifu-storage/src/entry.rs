//! A content in a store, by key.

/// One stored content. Sorted by key, then by arrival.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) key: Vec<u8>,
    pub(crate) sequence: u64,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// Length of a content that could not be read.
pub(crate) const UNREAD: u64 = u64::MAX;
