//! Records are sealed with a key of their person's own, and that key is wrapped by the vault.
//!
//! A sealed text is `1 ‖ nonce (12 bytes) ‖ ChaCha20-Poly1305 of the text ‖ tag (16 bytes)`. What it is and
//! whose it is goes in as associated data, so that no sealed text can stand in another's place. Nonces
//! are random: one key seals far less than 2³² texts.

use std::path::Path;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::{Zeroize as _, Zeroizing};

use crate::private;

/// Why nothing was sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The operating system gave no random bytes.
    #[error("no random bytes")]
    Random,
    /// Not sealed with this key for this place, or damaged.
    #[error("what is sealed does not open")]
    Open,
    /// The file is not a key, or others may read it.
    #[error("the key file is not one of 32 bytes that its owner alone reads")]
    KeyFile,
}

/// Version of the form.
const VERSION: u8 = 1;

/// A key that is wiped when it goes.
pub struct DataKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey")
    }
}

impl DataKey {
    /// A fresh key.
    ///
    /// # Errors
    /// [`SealError::Random`]
    pub fn fresh() -> Result<Self, SealError> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *key).map_err(|_| SealError::Random)?;
        Ok(Self(key))
    }

    /// A key of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

/// Where the key of all data keys is: a file, or a service that wraps.
pub trait Vault: Send + Sync {
    /// Wraps a person's data key.
    fn wrap(&self, sub: &str, key: &DataKey) -> Result<Vec<u8>, SealError>;
    /// Unwraps it.
    fn unwrap(&self, sub: &str, wrapped: &[u8]) -> Result<DataKey, SealError>;
}

/// The vault of one machine: 32 bytes in a file that its owner alone reads.
#[derive(Debug)]
pub struct KeyFile(Sealer);

impl KeyFile {
    /// Reads the file.
    ///
    /// # Errors
    /// [`SealError::KeyFile`], also where others may read it.
    pub fn read(path: &Path) -> Result<Self, SealError> {
        let read = private::read(path).ok().flatten();
        let bytes = read.ok_or(SealError::KeyFile)?;
        let key: [u8; 32] = bytes
            .as_slice()
            .try_into()
            .map_err(|_| SealError::KeyFile)?;
        Ok(Self(Sealer::new(&DataKey::new(key))))
    }
}

impl Vault for KeyFile {
    fn wrap(&self, sub: &str, key: &DataKey) -> Result<Vec<u8>, SealError> {
        self.0.seal(&["data-key", sub], &*key.0)
    }

    fn unwrap(&self, sub: &str, wrapped: &[u8]) -> Result<DataKey, SealError> {
        let mut bytes = self.0.open(&["data-key", sub], wrapped)?;
        let key = bytes.as_slice().try_into().map_err(|_| SealError::Open);
        bytes.zeroize();
        Ok(DataKey::new(key?))
    }
}

/// Seals and opens with one key.
pub struct Sealer(LessSafeKey);

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

/// What stands where, without ambiguity: the number of bytes before each part.
fn place(parts: &[&str]) -> Vec<u8> {
    let mut all = Vec::new();
    for part in parts {
        all.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        all.extend_from_slice(part.as_bytes());
    }
    all
}

impl Sealer {
    /// With this key.
    ///
    /// # Panics
    /// Never: every 32 bytes are a key.
    #[expect(
        clippy::expect_used,
        reason = "32 bytes are a key of this algorithm, always"
    )]
    pub fn new(key: &DataKey) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &*key.0).expect("32 bytes");
        Self(LessSafeKey::new(key))
    }

    /// Seals a text for its place.
    ///
    /// # Errors
    /// [`SealError::Random`]
    pub fn seal(&self, of: &[&str], text: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| SealError::Random)?;
        let mut body = text.to_vec();
        let sealed = self.0.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(place(of)),
            &mut body,
        );
        sealed.map_err(|_| SealError::Open)?;
        let mut all = Vec::with_capacity(body.len() + 1 + NONCE_LEN);
        all.push(VERSION);
        all.extend_from_slice(&nonce);
        all.extend_from_slice(&body);
        Ok(all)
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// [`SealError::Open`]
    pub fn open(&self, of: &[&str], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (&version, rest) = sealed.split_first().ok_or(SealError::Open)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or(SealError::Open)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Open)?;
        if version != VERSION {
            return Err(SealError::Open);
        }
        let mut body = body.to_vec();
        let text = self
            .0
            .open_in_place(nonce, Aad::from(place(of)), &mut body)
            .map_err(|_| SealError::Open)?
            .len();
        body.truncate(text);
        Ok(body)
    }
}
