//! Ed25519 keys: making, PKCS #8, JWK, thumbprints, and signing behind a trait.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use zeroize::{Zeroize as _, Zeroizing};

use crate::b64;
use crate::hash::sha256_text;
use crate::json::{self, Value, object};

/// PKCS #8 version 1 of Ed25519 up to the seed (RFC 8410 §7).
const PKCS8_HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
const PEM_BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_END: &str = "-----END PRIVATE KEY-----";

/// Why a key is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not the bytes of such a key.
    #[error("not an Ed25519 key")]
    Form,
    /// The public key is of small order.
    #[error("a weak Ed25519 key")]
    Weak,
}

/// Why a signer did not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key did not sign")]
pub struct SignError;

/// What signs. A key that cannot sign at once (WebCrypto) takes
/// [`Draft::signing_input`](crate::Draft::signing_input) and hands the signature to
/// [`Draft::finish`](crate::Draft::finish).
pub trait Signer {
    /// Public half of the key.
    fn public(&self) -> PublicKey;
    /// Ed25519 signature over the bytes (RFC 8032).
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError>;
}

/// A public Ed25519 key whose point was decoded and is not weak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// From 32 bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::Form)?;
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        Ok(Self(key))
    }

    /// From `x` of a JWK.
    pub fn from_x(x: &str) -> Result<Self, KeyError> {
        Self::from_bytes(&b64::decode_array(x).ok_or(KeyError::Form)?)
    }

    /// From a JWK; members beyond `kty`, `crv`, `x` are not looked at, except that a private key is refused.
    pub fn from_jwk(bytes: &[u8]) -> Result<Self, KeyError> {
        let jwk = json::read(bytes, 4).map_err(|_| KeyError::Form)?;
        let is = |key: &str, value: &str| jwk.get(key).and_then(Value::text) == Some(value);
        if !is("kty", "OKP") || !is("crv", "Ed25519") || jwk.get("d").is_some() {
            return Err(KeyError::Form);
        }
        Self::from_x(jwk.get("x").and_then(Value::text).ok_or(KeyError::Form)?)
    }

    /// The 32 bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// `x` of the JWK.
    pub fn x(&self) -> String {
        b64::encode(self.0.as_bytes())
    }

    /// The JWK: `crv`, `kty`, `x`.
    pub fn jwk(&self) -> Value {
        object([
            ("crv", "Ed25519".into()),
            ("kty", "OKP".into()),
            ("x", self.x().into()),
        ])
    }

    /// RFC 7638 thumbprint, 43 characters: `kid` and `iss` of what the key signs.
    pub fn thumbprint(&self) -> String {
        sha256_text(&[self.jwk().write().as_bytes()])
    }

    /// Whether the signature holds, by `verify_strict`: no malleability, no small-order parts.
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0
            .verify_strict(message, &Signature::from_bytes(signature))
            .is_ok()
    }
}

/// A private Ed25519 key; its memory is wiped when it goes.
pub struct SecretKey(SigningKey);

impl core::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SecretKey of {}", self.public().thumbprint())
    }
}

impl SecretKey {
    /// From a seed of 32 random bytes, which the caller draws; the argument is wiped.
    pub fn from_seed(seed: &mut [u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        seed.zeroize();
        Self(key)
    }

    /// From PKCS #8 DER; version 1, or version 2 whose public key fits.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let (head, rest) = der.split_at_checked(16).ok_or(KeyError::Form)?;
        let (seed, tail) = rest.split_at_checked(32).ok_or(KeyError::Form)?;
        let mut seed: Zeroizing<[u8; 32]> =
            Zeroizing::new(seed.try_into().map_err(|_| KeyError::Form)?);
        let key = Self::from_seed(&mut seed);
        // Version 2 (RFC 5958) adds `[1]` with the public key, in two spellings met in the field.
        let public = match (head, tail) {
            (h, []) if h == PKCS8_HEAD => return Ok(key),
            ([0x30, 0x51, 0x02, 0x01, 0x01, h @ ..], [0x81, 0x21, 0x00, p @ ..])
                if Some(h) == PKCS8_HEAD.get(5..) =>
            {
                p
            }
            ([0x30, 0x53, 0x02, 0x01, 0x01, h @ ..], [0xa1, 0x23, 0x03, 0x21, 0x00, p @ ..])
                if Some(h) == PKCS8_HEAD.get(5..) =>
            {
                p
            }
            _ => return Err(KeyError::Form),
        };
        if public == key.public().to_bytes() {
            Ok(key)
        } else {
            Err(KeyError::Form)
        }
    }

    /// PKCS #8 DER, version 1: 48 bytes that are wiped when they go.
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        let mut der = Zeroizing::new(Vec::with_capacity(48));
        der.extend_from_slice(&PKCS8_HEAD);
        der.extend_from_slice(self.0.as_bytes());
        der
    }

    /// From PEM (`PRIVATE KEY`, RFC 7468).
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let body = text
            .trim()
            .strip_prefix(PEM_BEGIN)
            .and_then(|t| t.strip_suffix(PEM_END))
            .ok_or(KeyError::Form)?;
        let body: Zeroizing<String> = Zeroizing::new(
            body.chars()
                .filter(|c| !c.is_ascii_whitespace())
                .collect::<String>(),
        );
        let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, &*body)
            .map_err(|_| KeyError::Form)?;
        Self::from_pkcs8(&Zeroizing::new(der))
    }

    /// From a private JWK (RFC 8037 §2): `kty`, `crv`, `d` and the `x` that belongs to it.
    pub fn from_jwk(text: &str) -> Result<Self, KeyError> {
        let jwk = json::read(text.as_bytes(), 4).map_err(|_| KeyError::Form)?;
        let part = |key: &str| jwk.get(key).and_then(Value::text);
        if part("kty") != Some("OKP") || part("crv") != Some("Ed25519") {
            return Err(KeyError::Form);
        }
        let seed = part("d").and_then(b64::decode_array);
        let mut seed: Zeroizing<[u8; 32]> = Zeroizing::new(seed.ok_or(KeyError::Form)?);
        let key = Self::from_seed(&mut seed);
        if part("x") == Some(&key.public().x()) {
            Ok(key)
        } else {
            Err(KeyError::Form)
        }
    }

    /// The private JWK: `crv`, `d`, `kty`, `x`.
    pub fn to_jwk(&self) -> Zeroizing<String> {
        let d = Zeroizing::new(b64::encode(self.0.as_bytes()));
        let x = self.public().x();
        Zeroizing::new(format!(
            r#"{{"crv":"Ed25519","d":"{}","kty":"OKP","x":"{x}"}}"#,
            &*d
        ))
    }

    /// PEM of [`Self::to_pkcs8`].
    pub fn to_pem(&self) -> Zeroizing<String> {
        let body = Zeroizing::new(base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            &*self.to_pkcs8(),
        ));
        Zeroizing::new(format!("{PEM_BEGIN}\n{}\n{PEM_END}\n", &*body))
    }
}

impl Signer for SecretKey {
    fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        Ok(self.0.sign(message).to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pkcs8_and_pem_come_back() {
        let key = SecretKey::from_seed(&mut [7; 32]);
        assert_eq!(
            SecretKey::from_pkcs8(&key.to_pkcs8()).unwrap().public(),
            key.public()
        );
        assert_eq!(
            SecretKey::from_pem(&key.to_pem()).unwrap().public(),
            key.public()
        );
        assert_eq!(
            SecretKey::from_jwk(&key.to_jwk()).unwrap().public(),
            key.public()
        );
        let other = key
            .to_jwk()
            .replace(&key.public().x(), &b64::encode(&[9; 32]));
        assert_eq!(SecretKey::from_jwk(&other).unwrap_err(), KeyError::Form);
        let mut v2 = key.to_pkcs8().to_vec();
        v2[1] = 0x51;
        v2[4] = 1;
        v2.extend_from_slice(&[0x81, 0x21, 0]);
        v2.extend_from_slice(&key.public().to_bytes());
        assert_eq!(SecretKey::from_pkcs8(&v2).unwrap().public(), key.public());
        *v2.last_mut().unwrap() ^= 1;
        assert_eq!(SecretKey::from_pkcs8(&v2).unwrap_err(), KeyError::Form);
        assert_eq!(SecretKey::from_pkcs8(&[0; 48]).unwrap_err(), KeyError::Form);
        assert!(!format!("{key:?}").contains("7, 7"));
    }

    #[test]
    fn weak_and_private_jwk_are_refused() {
        assert_eq!(PublicKey::from_bytes(&[0; 32]), Err(KeyError::Weak));
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(PublicKey::from_bytes(&identity), Err(KeyError::Weak));
        let jwk = r#"{"kty":"OKP","crv":"Ed25519","d":"AA","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        assert_eq!(PublicKey::from_jwk(jwk.as_bytes()), Err(KeyError::Form));
        let jwk = jwk.replace(r#""d":"AA","#, "");
        let key = PublicKey::from_jwk(jwk.as_bytes()).unwrap();
        assert_eq!(
            key.thumbprint(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }
}
