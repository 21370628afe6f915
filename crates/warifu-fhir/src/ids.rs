//! Logical ids: UUID version 8 from HMAC-SHA-256, or readable ones (mapping §1).

use sha2_011::block_api::compress256;
use sha2_011::{Digest as _, Sha256};

/// A logical id, at most 64 characters of `[A-Za-z0-9.-]` (FHIR R4 §2.24.0.1 `id`).
#[derive(Clone, Copy, Eq)]
pub struct Id {
    bytes: [u8; 64],
    len: u8,
}

impl Id {
    /// The text of the id.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or("")
    }
    /// The text of the id, ASCII.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
    /// An id from text that is one already; other characters become `-`, what is longer than 64
    /// characters is replaced by a hash so that ids stay distinct.
    pub fn readable(text: &str) -> Self {
        let fits = text.len() <= 64
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
        let mut bytes = [0u8; 64];
        if fits && !text.is_empty() {
            for (to, from) in bytes.iter_mut().zip(text.bytes()) {
                *to = from;
            }
            return Self {
                bytes,
                len: u8::try_from(text.len()).unwrap_or(64),
            };
        }
        let digest = Sha256::digest(text.as_bytes());
        let mut first = [0u8; 16];
        for (to, from) in first.iter_mut().zip(digest.iter()) {
            *to = *from;
        }
        Self::uuid(first)
    }
    /// UUID version 8 (RFC 9562 §5.8) whose free bits are the first 122 of `bytes`.
    pub fn uuid(bytes: [u8; 16]) -> Self {
        // 122 free bits: 48 (custom_a) + 12 (custom_b) + 62 (custom_c), filled in order.
        let v = u128::from_be_bytes(bytes);
        let a = v >> 80;
        let b = (v >> 68) & 0xFFF;
        let c = (v >> 6) & 0x3FFF_FFFF_FFFF_FFFF;
        let u = (a << 80) | (0x8 << 76) | (b << 64) | (0b10 << 62) | c;
        let mut out = [0u8; 64];
        let digit = |n: u8| HEX.get(usize::from(n & 15)).copied().unwrap_or(b'0');
        for (place, byte) in PLACES.into_iter().zip(u.to_be_bytes()) {
            if let Some([high, low]) = out.get_mut(place..place + 2) {
                (*high, *low) = (digit(byte >> 4), digit(byte));
            }
        }
        for place in HYPHENS {
            if let Some(hyphen) = out.get_mut(place) {
                *hyphen = b'-';
            }
        }
        Self {
            bytes: out,
            len: 36,
        }
    }
    /// The first characters as a number that sorts alike.
    fn head(&self) -> u128 {
        u128::from_be_bytes(*self.bytes.first_chunk().unwrap_or(&[0; 16]))
    }
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        self.head() == other.head() && (self.bytes, self.len) == (other.bytes, other.len)
    }
}

impl Ord for Id {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // Mostly told by the head.
        let heads = self.head().cmp(&other.head());
        heads.then_with(|| (self.bytes, self.len).cmp(&(other.bytes, other.len)))
    }
}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Places of the sixteen bytes of a UUID, two digits each.
const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
/// Places of its hyphens.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
const HEX: &[u8; 16] = b"0123456789abcdef";

impl std::fmt::Debug for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The site's secret key for ids, ready to be used many times.
#[derive(Clone)]
pub struct IdKey {
    /// State of the inner hash of HMAC behind the block of the key.
    inner: State,
    /// Likewise of the outer hash.
    outer: State,
}

impl std::fmt::Debug for IdKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdKey(…)")
    }
}

/// Public key that is used when a site gives none: ids are then stable but can be undone by trying
/// all patient numbers.
pub const PUBLIC_KEY: &[u8] = b"warifu public id key, version 1";

/// State of SHA-256 between two blocks.
type State = [u32; 8];

/// What SHA-256 begins with (FIPS 180-4 §5.3.3).
const BEGIN: State = [
    0x6A09_E667,
    0xBB67_AE85,
    0x3C6E_F372,
    0xA54F_F53A,
    0x510E_527F,
    0x9B05_688C,
    0x1F83_D9AB,
    0x5BE0_CD19,
];

/// Bytes of a block of SHA-256.
const BLOCK: usize = 64;

/// State behind further blocks: `text`, whose last bytes are free for padding and length (FIPS 180-4
/// §5.1.1); `length` bytes of it are used, one block was there before.
fn hashed(mut state: State, text: &mut [u8], length: usize) -> [u8; 32] {
    if let Some(end) = text.get_mut(length) {
        *end = 0x80;
    }
    let bits = u64::try_from((BLOCK + length) * 8).unwrap_or(u64::MAX);
    if let Some(last) = text.last_chunk_mut() {
        *last = bits.to_be_bytes();
    }
    compress256(&mut state, text.as_chunks().0);
    let mut digest = [0; 32];
    for (to, word) in digest.as_chunks_mut().0.iter_mut().zip(state) {
        *to = word.to_be_bytes();
    }
    digest
}

impl IdKey {
    /// From the site's key (any length; 32 random bytes are advised).
    pub fn new(key: &[u8]) -> Self {
        let mut block = [0; BLOCK];
        let digest: [u8; 32];
        let key = if key.len() > BLOCK {
            digest = Sha256::digest(key).into();
            &digest
        } else {
            key
        };
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        let begun = |pad: u8| {
            let mut state = BEGIN;
            compress256(&mut state, &[block.map(|b| b ^ pad)]);
            state
        };
        Self {
            inner: begun(0x36),
            outer: begun(0x5C),
        }
    }
    /// HMAC-SHA-256 (RFC 2104) of `issuer ‖ 0x1F ‖ part ‖ 0x1F ‖ part …`.
    ///
    /// Two or three blocks are hashed, no more: those of the key were, and the text is put into its
    /// blocks at once.
    pub fn digest(&self, issuer: &str, parts: &[&str]) -> [u8; 32] {
        let length = issuer.len() + parts.iter().map(|p| p.len() + 1).sum::<usize>();
        let room = (length + 9).next_multiple_of(BLOCK);
        let (mut short, mut long) = ([0; 4 * BLOCK], Vec::new());
        let text = if let Some(text) = short.get_mut(..room) {
            text
        } else {
            long.resize(room, 0);
            long.as_mut_slice()
        };
        let mut at = 0;
        let mut put = |piece: &[u8]| {
            if let Some(to) = text.get_mut(at..at + piece.len()) {
                to.copy_from_slice(piece);
                at += piece.len();
            }
        };
        put(issuer.as_bytes());
        for part in parts {
            put(&[0x1F]);
            put(part.as_bytes());
        }
        let mut outer = [0; BLOCK];
        let inner = hashed(self.inner, text, length);
        if let Some(to) = outer.first_chunk_mut() {
            *to = inner;
        }
        hashed(self.outer, &mut outer, inner.len())
    }
    /// Logical id of `issuer ‖ 0x1F ‖ parts joined by 0x1F`.
    pub fn id(&self, issuer: &str, parts: &[&str]) -> Id {
        let digest = self.digest(issuer, parts);
        let mut first = [0u8; 16];
        for (to, from) in first.iter_mut().zip(digest) {
            *to = from;
        }
        Id::uuid(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuid_version_8_and_stable() {
        let key = IdKey::new(PUBLIC_KEY);
        let a = key.id("1319999999", &["Patient", "0000001"]);
        assert_eq!(a, key.id("1319999999", &["Patient", "0000001"]));
        assert_ne!(a, key.id("1319999999", &["Patient", "0000002"]));
        assert_ne!(a, key.id("1319999998", &["Patient", "0000001"]));
        let s = a.as_str();
        assert_eq!(s.len(), 36);
        assert_eq!(s.as_bytes()[14], b'8');
        assert!(matches!(s.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
        assert_ne!(
            a,
            IdKey::new(b"other").id("1319999999", &["Patient", "0000001"])
        );
    }

    #[test]
    fn all_122_bits_count() {
        let mut seen = std::collections::BTreeSet::new();
        for bit in 0..122 {
            seen.insert(Id::uuid((1u128 << (127 - bit)).to_be_bytes()));
        }
        assert_eq!(seen.len(), 122);
    }

    #[test]
    fn readable_ids_are_legal() {
        assert_eq!(Id::readable("0001.ADT-00").as_str(), "0001.ADT-00");
        assert_eq!(Id::readable("経過記録").as_str().len(), 36);
        assert_eq!(Id::readable(&"x".repeat(65)).as_str().len(), 36);
        assert_ne!(Id::readable(&"x".repeat(65)), Id::readable(&"x".repeat(66)));
    }

    #[test]
    fn digests_are_those_of_hmac() {
        use hmac_013::{Hmac, KeyInit as _, Mac as _};
        for key in [0, 1, 31, 63, 64, 65, 200].map(|n| vec![b'k'; n]) {
            let ours = IdKey::new(&key);
            for length in 0..600 {
                let text = "y".repeat(length);
                let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
                mac.update(b"i\x1f");
                mac.update(text.as_bytes());
                let want: [u8; 32] = mac.finalize().into_bytes().into();
                assert_eq!(ours.digest("i", &[&text]), want, "{} {length}", key.len());
            }
        }
    }
}
