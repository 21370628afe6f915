//! A key under a passphrase, where WebCrypto has no Ed25519: Argon2id makes the key that wraps the seed.

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

/// Memory in KiB, passes, lanes: OWASP's first choice for Argon2id (19 MiB, 2 passes, 1 lane).
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);

/// The 32 bytes that wrap a seed, for AES-GCM; `None` for a salt below 8 bytes.
pub fn wrapping_key(pass: &str, salt: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, Some(32)).ok()?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut key = Zeroizing::new([0; 32]);
    argon
        .hash_password_into(pass.as_bytes(), salt, &mut *key)
        .ok()?;
    Some(key)
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]
mod tests {
    use super::*;

    #[test]
    fn the_key_depends_on_passphrase_and_salt() {
        let key = |pass: &str, salt: &[u8]| wrapping_key(pass, salt).map(|k| *k);
        let one = key("a passphrase of mine", &[1; 16]);
        assert!(one.is_some());
        assert_eq!(one, key("a passphrase of mine", &[1; 16]));
        assert_ne!(one, key("a passphrase of mine", &[2; 16]));
        assert_ne!(one, key("a passphrase of hers", &[1; 16]));
        assert_eq!(key("a passphrase of mine", &[1; 7]), None);
    }
}
