//! A key under a passphrase, where WebCrypto has no Ed25519: Argon2id makes the key that wraps the seed.
//! And the passphrase itself.

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

/// A passphrase: wiped when it is dropped, and in no debug output.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// As it was typed.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Characters.
    pub fn count(&self) -> usize {
        self.0.chars().count()
    }

    /// For the worker and the field it is typed into.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret")
    }
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

    #[test]
    fn a_passphrase_is_in_no_debug_output() {
        let secret = Secret::new("むかしむかし".to_owned());
        assert_eq!(format!("{secret:?}"), "Secret");
        assert_eq!(secret.count(), 6);
    }
}
