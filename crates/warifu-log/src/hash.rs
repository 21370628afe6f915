//! SHA-256, the hashes of RFC 6962 §2.1, and their two spellings.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2_011::{Digest as _, Sha256};

/// 32 bytes of SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl core::fmt::Debug for Hash {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.url())
    }
}

impl Hash {
    /// 32 zero bytes: `prev` of a subject's first line (43 times `A`).
    pub const ZERO: Self = Self([0; 32]);

    /// Base64 as C2SP writes it: 44 characters.
    pub fn base64(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// Reads exactly that spelling.
    pub fn from_base64(text: &str) -> Option<Self> {
        Some(Self(STANDARD.decode(text).ok()?.try_into().ok()?))
    }

    /// Base64url without padding, as tokens and lines write it: 43 characters.
    pub fn url(&self) -> String {
        encode_url(&self.0)
    }

    /// Reads exactly that spelling.
    pub fn from_url(text: &str) -> Option<Self> {
        decode_url(text).map(Self)
    }
}

/// Base64url without padding.
pub fn encode_url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads exactly `N` bytes of base64url; padding and trailing bits that are not zero are refused.
pub fn decode_url<const N: usize>(text: &str) -> Option<[u8; N]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// SHA-256 over the parts, one behind the other.
pub fn sha256(parts: &[&[u8]]) -> Hash {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    Hash(hash.finalize().into())
}

/// Hash of a leaf: SHA-256 of `0x00` and its data.
pub fn leaf_hash(data: &[u8]) -> Hash {
    sha256(&[&[0], data])
}

/// Hash of a node: SHA-256 of `0x01` and its two children.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], &left.0, &right.0])
}

/// Root of the tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Hash {
    sha256(&[])
}
