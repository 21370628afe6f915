//! Checkpoints: C2SP tlog-checkpoint in a C2SP signed note, with witness cosignatures.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use warifu_consent::hash::sha256;
use warifu_consent::{PublicKey, SignError, Signer};

use crate::tree::Hash;

/// Why a note is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// Not a checkpoint in a signed note.
    #[error("not a checkpoint")]
    Form,
    /// Another log's.
    #[error("of another log")]
    Origin,
    /// No signature of the log's key.
    #[error("not signed by the log")]
    Unsigned,
    /// A signature of a known key does not hold.
    #[error("a signature does not hold")]
    Signature,
    /// Fewer witnesses than asked for.
    #[error("too few witnesses")]
    Witnesses,
}

/// A named key that signs notes: the log's own (type 1), or a witness's (type 4, cosignature/v1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteKey {
    /// Name without white space or `+`; of the log, its origin.
    pub name: String,
    /// The key.
    pub key: PublicKey,
}

impl NoteKey {
    fn id(&self, kind: u8) -> [u8; 4] {
        let hash = sha256(&[self.name.as_bytes(), b"\n", &[kind], &self.key.to_bytes()]);
        let [a, b, c, d, ..] = hash;
        [a, b, c, d]
    }
}

/// Size and root of the tree at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the log.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// Root hash.
    pub root: Hash,
}

/// Longest note that is read.
const MOST: usize = 16_384;

impl Checkpoint {
    /// The text that is signed; ends with a line feed.
    pub fn body(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            STANDARD.encode(self.root)
        )
    }

    /// The signed note.
    pub fn sign(&self, signer: &dyn Signer) -> Result<String, SignError> {
        let body = self.body();
        let key = NoteKey {
            name: self.origin.clone(),
            key: signer.public(),
        };
        let mut bytes = key.id(1).to_vec();
        bytes.extend_from_slice(&signer.sign(body.as_bytes())?);
        Ok(format!(
            "{body}\n— {} {}\n",
            key.name,
            STANDARD.encode(bytes)
        ))
    }

    /// A witness's line for a note's body: it saw this checkpoint at `at` (seconds UTC).
    pub fn cosign(&self, name: &str, at: u64, signer: &dyn Signer) -> Result<String, SignError> {
        let key = NoteKey {
            name: name.to_owned(),
            key: signer.public(),
        };
        let mut bytes = key.id(4).to_vec();
        bytes.extend_from_slice(&at.to_be_bytes());
        bytes.extend_from_slice(&signer.sign(cosigned(at, &self.body()).as_bytes())?);
        Ok(format!("— {name} {}\n", STANDARD.encode(bytes)))
    }

    /// Reads a note: signed by the log, cosigned by at least `least` of the witnesses.
    pub fn read(
        note: &str,
        log: &NoteKey,
        witnesses: &[NoteKey],
        least: usize,
    ) -> Result<Self, NoteError> {
        if note.len() > MOST {
            return Err(NoteError::Form);
        }
        let (body, signatures) = note.split_once("\n\n").ok_or(NoteError::Form)?;
        let body = format!("{body}\n");
        let checkpoint = Self::parse(&body).ok_or(NoteError::Form)?;
        if checkpoint.origin != log.name {
            return Err(NoteError::Origin);
        }
        let mut signed = false;
        let mut seen: Vec<&NoteKey> = Vec::new();
        for line in signatures
            .strip_suffix('\n')
            .ok_or(NoteError::Form)?
            .split('\n')
        {
            let (name, text) = line
                .strip_prefix("— ")
                .and_then(|l| l.split_once(' '))
                .ok_or(NoteError::Form)?;
            let bytes = STANDARD.decode(text).map_err(|_| NoteError::Form)?;
            let (id, rest) = bytes.split_at_checked(4).ok_or(NoteError::Form)?;
            // Signatures of unknown keys are passed over, as the standard says.
            if name == log.name && id == log.id(1) {
                let signature = rest.try_into().map_err(|_| NoteError::Form)?;
                if !log.key.verifies(body.as_bytes(), signature) {
                    return Err(NoteError::Signature);
                }
                signed = true;
            } else if let Some(w) = witnesses.iter().find(|w| w.name == name && id == w.id(4)) {
                let (at, signature) = rest.split_at_checked(8).ok_or(NoteError::Form)?;
                let at = u64::from_be_bytes(at.try_into().map_err(|_| NoteError::Form)?);
                let signature = signature.try_into().map_err(|_| NoteError::Form)?;
                if !w.key.verifies(cosigned(at, &body).as_bytes(), signature) {
                    return Err(NoteError::Signature);
                }
                if !seen.contains(&w) {
                    seen.push(w);
                }
            }
        }
        if !signed {
            return Err(NoteError::Unsigned);
        }
        if seen.len() < least {
            return Err(NoteError::Witnesses);
        }
        Ok(checkpoint)
    }

    fn parse(body: &str) -> Option<Self> {
        let mut lines = body.strip_suffix('\n')?.split('\n');
        let origin = lines.next().filter(|o| !o.is_empty())?.to_owned();
        let digits = lines.next()?;
        let size: u64 = digits.parse().ok()?;
        // One spelling only: no sign, no leading zero.
        (size.to_string() == digits).then_some(())?;
        let text = lines.next()?;
        let root: Hash = STANDARD.decode(text).ok()?.try_into().ok()?;
        lines
            .next()
            .is_none()
            .then_some(Self { origin, size, root })
    }
}

fn cosigned(at: u64, body: &str) -> String {
    format!("cosignature/v1\ntime {at}\n{body}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use warifu_consent::SecretKey;

    fn key(n: u8) -> SecretKey {
        SecretKey::from_seed(&mut [n; 32])
    }

    fn named(name: &str, n: u8) -> NoteKey {
        NoteKey {
            name: name.to_owned(),
            key: key(n).public(),
        }
    }

    #[test]
    fn notes_come_back_and_bent_ones_do_not() {
        let log = named("c.example.jp/consent-log", 1);
        let witness = named("witness.example.jp", 2);
        let c = Checkpoint {
            origin: log.name.clone(),
            size: 3,
            root: [7; 32],
        };
        let note = c.sign(&key(1)).unwrap();
        assert_eq!(Checkpoint::read(&note, &log, &[], 0), Ok(c.clone()));
        let all = [witness.clone()];
        assert_eq!(
            Checkpoint::read(&note, &log, &all, 1),
            Err(NoteError::Witnesses)
        );
        let line = c.cosign(&witness.name, 9, &key(2)).unwrap();
        let both = format!("{note}{line}");
        assert_eq!(Checkpoint::read(&both, &log, &all, 1), Ok(c.clone()));
        // One witness twice is one witness.
        let twice = format!("{both}{line}");
        assert_eq!(
            Checkpoint::read(&twice, &log, &all, 2),
            Err(NoteError::Witnesses)
        );
        let bent = both.replacen("\n3\n", "\n4\n", 1);
        assert_eq!(
            Checkpoint::read(&bent, &log, &all, 1),
            Err(NoteError::Signature)
        );
        assert_eq!(
            Checkpoint::read(&note, &named("x", 1), &[], 0),
            Err(NoteError::Origin)
        );
        assert_eq!(
            Checkpoint::read(&note, &named(&log.name, 3), &[], 0),
            Err(NoteError::Unsigned)
        );
        for bad in [
            "",
            "\n\n",
            "a\n03\nAA==\n\n— a AAAA\n",
            &note[..note.len() - 1],
            &note.replace("\n3\n", "\n03\n"),
        ] {
            assert_eq!(
                Checkpoint::read(bad, &log, &[], 0),
                Err(NoteError::Form),
                "{bad:?}"
            );
        }
    }
}
