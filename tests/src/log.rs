//! Lines and keys for tests of the log.

use anyhow::{Context as _, Result};
use ed25519_dalek::SigningKey;
use warifu_log::{Entry, Kind, NoteKey, Purpose, Submission, Trust, encode_url, sha256};

/// Key of the log.
pub fn signer() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// Trust in it, without witnesses.
pub fn trust() -> Result<Trust> {
    let public = signer().verifying_key().to_bytes();
    let key = NoteKey::new("log.example/consent-log", Purpose::Note, &public)?;
    Ok(Trust::new(key, Vec::new(), 0)?)
}

/// The next of a fixed series of numbers; `state` must not be 0.
pub fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// A line for each number: a policy, or a grant of one of 16 subjects.
pub fn submission(number: u64) -> Result<Submission> {
    let hash = sha256(&[&number.to_be_bytes()]);
    let salt = *hash.0.first_chunk().context("a hash has 32 bytes")?;
    let text = hash.url();
    let entry = if number.is_multiple_of(5) {
        let members = [("what", "test".into()), ("hash", text.into())];
        Entry::new(Kind::Policy, 1_790_000_000, None, members)?
    } else {
        let subject = u8::try_from(number % 16)?;
        let sub = format!("s1.{}", encode_url(&[subject; 16]));
        Entry::new(
            Kind::Grant,
            1_790_000_000,
            Some(&sub),
            [("tok", text.into())],
        )?
    };
    Ok(Submission {
        entry,
        salt,
        place_salt: None,
    })
}
