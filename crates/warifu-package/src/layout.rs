//! The bytes of a compiled package.
//!
//! `WFP` and a version byte; SHA-256 of all that follows; seven lengths in bytes (`u32`); seven
//! sections. Little endian throughout, every number is a `u32`.
//!
//! | section | content |
//! |---|---|
//! | ends | end of each text |
//! | texts | UTF-8, sorted and each once, so that texts are found by halving and equal by number |
//! | nodes | arrays: `length × 2`, values; objects: `length × 2 + 1`, keys, values |
//! | resources | [`RESOURCE_WORDS`] each, sorted by URL, kind, file |
//! | concepts | [`CONCEPT_WORDS`] each, per code system, sorted by code (folded, if case is ignored) |
//! | parents | concepts above, counted from their code system's first |
//! | package | value of `package.json` |
//!
//! A value is a tag (3 bits) and 29 bits: a text's number, a node's place, or a literal. Equal
//! nodes are kept once; a node only holds values of nodes before it, so that there is no cycle.

/// First bytes; the last one is the version of the format.
pub(crate) const MAGIC: [u8; 4] = *b"WFP\x01";
pub(crate) const SECTIONS: usize = 7;
pub(crate) const ENDS: usize = 0;
pub(crate) const TEXTS: usize = 1;
pub(crate) const NODES: usize = 2;
pub(crate) const RESOURCES: usize = 3;
pub(crate) const CONCEPTS: usize = 4;
pub(crate) const PARENTS: usize = 5;
pub(crate) const PACKAGE: usize = 6;
/// Magic, checksum, lengths.
pub(crate) const HEAD: usize = 4 + 32 + 4 * SECTIONS;

/// URL, kind, version, file, value, first concept, number of concepts, flags.
pub(crate) const RESOURCE_WORDS: usize = 8;
/// Code, display, value of the rest, first parent, number of parents.
pub(crate) const CONCEPT_WORDS: usize = 5;

/// No text.
pub(crate) const NONE: u32 = u32::MAX;
/// Flag of a code system: case matters in its codes.
pub(crate) const CASE_SENSITIVE: u32 = 1;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Word {
    Null,
    False,
    True,
    Text(u32),
    Number(u32),
    Array(u32),
    Object(u32),
}

/// Texts and nodes there can be.
pub(crate) const MOST: u32 = (1 << 29) - 1;

impl Word {
    pub(crate) fn pack(self) -> u32 {
        let (tag, payload) = match self {
            Self::Null => (0, 0),
            Self::False => (0, 1),
            Self::True => (0, 2),
            Self::Text(n) => (1, n),
            Self::Number(n) => (2, n),
            Self::Array(n) => (3, n),
            Self::Object(n) => (4, n),
        };
        tag << 29 | payload & MOST
    }

    pub(crate) fn unpack(word: u32) -> Self {
        let payload = word & MOST;
        match word >> 29 {
            0 if payload == 1 => Self::False,
            0 if payload == 2 => Self::True,
            1 => Self::Text(payload),
            2 => Self::Number(payload),
            3 => Self::Array(payload),
            4 => Self::Object(payload),
            _ => Self::Null,
        }
    }
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..)
        .and_then(<[u8]>::first_chunk::<4>)
        .map_or(0, |b| u32::from_le_bytes(*b))
}

/// A number as an index.
pub(crate) fn size(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// A length as a number; what is longer is refused before.
pub(crate) fn short(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(NONE)
}
