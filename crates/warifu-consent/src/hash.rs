//! SHA-256 and HMAC, and the hashes that consent is tied together with.

use hmac_013::{Hmac, KeyInit as _, Mac as _};
use sha2_011::{Digest as _, Sha256};

use crate::b64;

/// SHA-256 over the parts, one behind the other.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// The same as 43 characters of base64url.
pub fn sha256_text(parts: &[&[u8]]) -> String {
    b64::encode(&sha256(parts))
}

/// HMAC-SHA-256 over the parts, one behind the other; `None` for a key that HMAC refuses (none is known).
pub fn hmac(key: &[u8], parts: &[&[u8]]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().into())
}

/// Pseudonym of a person at one holder of data: `s1.` and 22 characters (consent.md §3.2).
///
/// `holder_key` is the holder's secret; two holders make different pseudonyms of one person.
/// `None` for a key that HMAC refuses (none is known).
pub fn pseudonym(holder_key: &[u8], id_domain: &str, person_id: &str) -> Option<String> {
    let tag = hmac(
        holder_key,
        &[id_domain.as_bytes(), &[0], person_id.as_bytes()],
    )?;
    Some(format!("s1.{}", b64::encode(tag.get(..16)?)))
}

/// Key of one resource at its source: `r.` and 16 characters (consent.md §4.5).
pub fn resource_key(source: &str, kind: &str, id: &str) -> String {
    let hash = sha256(&[
        source.as_bytes(),
        &[0],
        kind.as_bytes(),
        &[0],
        id.as_bytes(),
    ]);
    format!("r.{}", b64::encode(hash.get(..12).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonyms_differ_by_holder_domain_and_person() {
        let a = pseudonym(b"k1", "d", "p").unwrap();
        assert_eq!(a.len(), 25);
        assert_ne!(a, pseudonym(b"k2", "d", "p").unwrap());
        assert_ne!(a, pseudonym(b"k1", "e", "p").unwrap());
        assert_ne!(a, pseudonym(b"k1", "d", "q").unwrap());
        assert_eq!(resource_key("a", "b", "c").len(), 18);
        assert_ne!(resource_key("a", "b", "c"), resource_key("a", "bc", ""));
    }
}
