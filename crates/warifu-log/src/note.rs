//! C2SP signed notes, checkpoints and cosignatures.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};

use crate::hash::{Hash, sha256};

/// Largest note that is read, in bytes.
pub const MAX_NOTE: usize = 65_536;
/// Most signature lines that are read; C2SP asks for 16 at least.
pub const MAX_SIGNATURES: usize = 64;

/// What signs notes. It knows nothing of keys: a hardware module or a WebCrypto key will do.
pub trait Signer {
    /// Ed25519 signature over the bytes (RFC 8032); `None` when the key did not sign.
    fn sign(&self, message: &[u8]) -> Option<[u8; 64]>;
}

impl Signer for ed25519_dalek::SigningKey {
    fn sign(&self, message: &[u8]) -> Option<[u8; 64]> {
        ed25519_dalek::Signer::try_sign(self, message)
            .ok()
            .map(|s| s.to_bytes())
    }
}

/// What a key signs: the signature type of C2SP signed-note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Text of a note (`0x01`): checkpoints, promises, deferred lines.
    Note,
    /// Timestamped cosignature of a checkpoint by a witness (`0x04`).
    Cosignature,
}

impl Purpose {
    fn byte(self) -> u8 {
        match self {
            Self::Note => 1,
            Self::Cosignature => 4,
        }
    }
}

/// Why a key is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The name is empty, longer than 255 bytes, or has white space, a control character or `+`.
    #[error("not a name of a key")]
    Name,
    /// Not the bytes or the text of a key.
    #[error("not an Ed25519 key")]
    Form,
    /// The public key is of small order.
    #[error("a weak Ed25519 key")]
    Weak,
}

/// A named public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    purpose: Purpose,
    key: VerifyingKey,
    id: u32,
}

fn is_name(name: &str) -> bool {
    (1..=255).contains(&name.len())
        && !name
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

impl NoteKey {
    /// From the name and the 32 bytes of the public key.
    pub fn new(name: &str, purpose: Purpose, public: &[u8; 32]) -> Result<Self, KeyError> {
        if !is_name(name) {
            return Err(KeyError::Name);
        }
        let key = VerifyingKey::from_bytes(public).map_err(|_| KeyError::Form)?;
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        let digest = sha256(&[name.as_bytes(), b"\n", &[purpose.byte()], public]);
        let [a, b, c, d, ..] = digest.0;
        Ok(Self {
            name: name.to_owned(),
            purpose,
            key,
            id: u32::from_be_bytes([a, b, c, d]),
        })
    }

    /// From the text `name+id+key` of C2SP ("vkey").
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(_), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Form);
        };
        let bytes = STANDARD.decode(key).map_err(|_| KeyError::Form)?;
        let (purpose, public) = bytes.split_first().ok_or(KeyError::Form)?;
        let purpose = match purpose {
            1 => Purpose::Note,
            4 => Purpose::Cosignature,
            _ => return Err(KeyError::Form),
        };
        let public = public.try_into().map_err(|_| KeyError::Form)?;
        let key = Self::new(name, purpose, public)?;
        if key.text() == text {
            Ok(key)
        } else {
            Err(KeyError::Form)
        }
    }

    /// The text that [`Self::parse`] reads.
    pub fn text(&self) -> String {
        let mut bytes = vec![self.purpose.byte()];
        bytes.extend_from_slice(self.key.as_bytes());
        format!("{}+{:08x}+{}", self.name, self.id, STANDARD.encode(bytes))
    }

    /// Name, as on the signature line.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The 32 bytes of the public key.
    pub fn public(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// What it signs.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The line of a signature of this key over a note's text; `time` (seconds UTC) is used by
    /// cosignatures only. `None` when the signer did not sign or is of another key.
    pub fn sign(&self, signer: &dyn Signer, text: &str, time: u64) -> Option<String> {
        let mut bytes = self.id.to_be_bytes().to_vec();
        let signature = match self.purpose {
            Purpose::Note => signer.sign(text.as_bytes())?,
            Purpose::Cosignature => {
                bytes.extend_from_slice(&time.to_be_bytes());
                signer.sign(cosigned(text, time).as_bytes())?
            }
        };
        bytes.extend_from_slice(&signature);
        self.check(text, bytes.get(4..)?)?;
        Some(format!(
            "\u{2014} {} {}\n",
            self.name,
            STANDARD.encode(bytes)
        ))
    }

    /// Time of the signature (0 for a plain one) if it holds, by `verify_strict`.
    fn check(&self, text: &str, signature: &[u8]) -> Option<u64> {
        let (time, message, signature) = match self.purpose {
            Purpose::Note => (0, text.to_owned(), signature),
            Purpose::Cosignature => {
                let (time, signature) = signature.split_first_chunk::<8>()?;
                let time = u64::from_be_bytes(*time);
                if time > i64::MAX.unsigned_abs() {
                    return None;
                }
                (time, cosigned(text, time), signature)
            }
        };
        let signature = Signature::from_bytes(signature.try_into().ok()?);
        self.key
            .verify_strict(message.as_bytes(), &signature)
            .ok()
            .map(|()| time)
    }
}

/// What a witness signs (C2SP tlog-cosignature, Ed25519).
fn cosigned(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// Why bytes are no signed note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// Longer than [`MAX_NOTE`], or more signatures than [`MAX_SIGNATURES`].
    #[error("the note is too large")]
    Size,
    /// Not UTF-8, or with a control character other than LF.
    #[error("the note is not plain text")]
    Text,
    /// No empty line, no signature, or no LF at the end.
    #[error("the note has no signatures")]
    Unsigned,
    /// A signature line that is none.
    #[error("a signature line has the wrong form")]
    Line,
}

/// A signed note taken apart; nothing in it is true before a signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note<'n> {
    text: &'n str,
    signatures: Vec<(&'n str, u32, Vec<u8>)>,
}

/// What the signatures of one key say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// The key did not sign.
    No,
    /// A line bears its name and id, and does not verify.
    Badly,
    /// It signed; the newest time of a cosignature, 0 for a plain signature.
    At(u64),
}

impl<'n> Note<'n> {
    /// Takes a note apart.
    pub fn parse(bytes: &'n [u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE {
            return Err(NoteError::Size);
        }
        let whole = core::str::from_utf8(bytes).map_err(|_| NoteError::Text)?;
        if whole.bytes().any(|b| b < 0x20 && b != b'\n') {
            return Err(NoteError::Text);
        }
        let blank = whole.rfind("\n\n").ok_or(NoteError::Unsigned)?;
        let (text, rest) = whole
            .split_at_checked(blank + 1)
            .ok_or(NoteError::Unsigned)?;
        let rest = rest.strip_prefix('\n').unwrap_or(rest);
        let lines = rest.strip_suffix('\n').ok_or(NoteError::Unsigned)?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == MAX_SIGNATURES {
                return Err(NoteError::Size);
            }
            let line = line.strip_prefix("\u{2014} ").ok_or(NoteError::Line)?;
            let (name, signature) = line.split_once(' ').ok_or(NoteError::Line)?;
            if !is_name(name) {
                return Err(NoteError::Line);
            }
            let bytes = STANDARD.decode(signature).map_err(|_| NoteError::Line)?;
            let (id, signature) = bytes.split_first_chunk::<4>().ok_or(NoteError::Line)?;
            if signature.is_empty() {
                return Err(NoteError::Line);
            }
            signatures.push((name, u32::from_be_bytes(*id), signature.to_vec()));
        }
        Ok(Self { text, signatures })
    }

    /// Text that is signed, with its last LF.
    pub fn text(&self) -> &'n str {
        self.text
    }

    /// What this key's lines say; every line that bears its name and id must verify.
    pub fn signed(&self, key: &NoteKey) -> Signed {
        let mut found = Signed::No;
        for (name, id, signature) in &self.signatures {
            if *name != key.name || *id != key.id {
                continue;
            }
            match (key.check(self.text, signature), found) {
                (None, _) => return Signed::Badly,
                (Some(time), Signed::At(before)) => found = Signed::At(time.max(before)),
                (Some(time), _) => found = Signed::At(time),
            }
        }
        found
    }
}

/// A tree head: origin, size, root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Identity of the log, `…/consent-log`.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
    /// Lines that C2SP allows behind the root and advises against; ours has none.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// A tree head without extensions; `None` when the origin is no name of a key.
    pub fn new(origin: &str, size: u64, root: Hash) -> Option<Self> {
        is_name(origin).then(|| Self {
            origin: origin.to_owned(),
            size,
            root,
            extensions: Vec::new(),
        })
    }

    /// Reads the text of a note; `None` when it is no checkpoint.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if origin.is_empty() || extensions.iter().any(String::is_empty) {
            return None;
        }
        Some(Self {
            origin: origin.to_owned(),
            size: decimal(size)?,
            root: Hash::from_base64(root)?,
            extensions,
        })
    }

    /// Text to sign, with its last LF.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.origin, self.size, self.root.base64());
        for line in &self.extensions {
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

/// A number in decimal digits without leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

/// Whom a verifier trusts: one log, and `quorum` of the witnesses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    log: NoteKey,
    witnesses: Vec<NoteKey>,
    quorum: usize,
}

/// Why a set of keys cannot be trusted as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The log's key is one of cosignatures, or a witness's key is not.
    #[error("a key is of the wrong purpose")]
    Purpose,
    /// Two keys are one: a quorum would count it twice, or the log would witness itself.
    #[error("a key occurs twice")]
    Twice,
    /// More witnesses demanded than there are.
    #[error("the quorum is larger than the number of witnesses")]
    Quorum,
}

/// Why a checkpoint is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Not a signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Not the text of a checkpoint.
    #[error("the note is no checkpoint")]
    Form,
    /// Of another log.
    #[error("the checkpoint is of another log")]
    Origin,
    /// The log's key did not sign.
    #[error("the log did not sign")]
    Unsigned,
    /// The log's signature does not verify.
    #[error("the log's signature does not verify")]
    Signature,
    /// A trusted witness's signature does not verify.
    #[error("a witness's signature does not verify")]
    WitnessSignature,
    /// Fewer witnesses than demanded.
    #[error("too few witnesses signed")]
    Quorum,
}

impl Trust {
    /// The log's key (its name is the origin), the witnesses' keys, and how many must have signed.
    pub fn new(log: NoteKey, witnesses: Vec<NoteKey>, quorum: usize) -> Result<Self, TrustError> {
        if log.purpose != Purpose::Note
            || witnesses.iter().any(|w| w.purpose != Purpose::Cosignature)
        {
            return Err(TrustError::Purpose);
        }
        for (i, witness) in witnesses.iter().enumerate() {
            let same = |k: &NoteKey| k.key == witness.key || k.name == witness.name;
            if same(&log) || witnesses.iter().skip(i + 1).any(same) {
                return Err(TrustError::Twice);
            }
        }
        if quorum > witnesses.len() {
            return Err(TrustError::Quorum);
        }
        Ok(Self {
            log,
            witnesses,
            quorum,
        })
    }

    /// Key of the log.
    pub fn log(&self) -> &NoteKey {
        &self.log
    }

    /// The earliest of the times at which these witnesses last signed this checkpoint; `None` where none of
    /// them did. What stands in its tree was there by then.
    pub fn witnessed_at(&self, note: &[u8]) -> Option<u64> {
        let note = Note::parse(note).ok()?;
        let times = self.witnesses.iter().filter_map(|w| match note.signed(w) {
            Signed::At(time) => Some(time),
            _ => None,
        });
        times.min()
    }

    /// Verifies a signed checkpoint: log first, then the witnesses.
    pub fn verify(&self, note: &[u8]) -> Result<Checkpoint, CheckpointError> {
        let note = Note::parse(note)?;
        let checkpoint = Checkpoint::parse(note.text()).ok_or(CheckpointError::Form)?;
        if checkpoint.origin != self.log.name {
            return Err(CheckpointError::Origin);
        }
        match note.signed(&self.log) {
            Signed::No => return Err(CheckpointError::Unsigned),
            Signed::Badly => return Err(CheckpointError::Signature),
            Signed::At(_) => {}
        }
        let mut seen = 0;
        for witness in &self.witnesses {
            match note.signed(witness) {
                Signed::No => {}
                Signed::Badly => return Err(CheckpointError::WitnessSignature),
                Signed::At(_) => seen += 1,
            }
        }
        if seen < self.quorum {
            return Err(CheckpointError::Quorum);
        }
        Ok(checkpoint)
    }
}

/// Signs a text as a note with one key.
pub fn sign_note(text: &str, key: &NoteKey, signer: &dyn Signer) -> Option<String> {
    let line = key.sign(signer, text, 0)?;
    let note = format!("{text}\n{line}");
    (note.len() <= MAX_NOTE).then_some(note)
}

/// Adds a witness's cosignature to a signed checkpoint; the witness has verified consistency before
/// (`verify_consistency` from the last checkpoint it signed).
pub fn cosign(note: &str, key: &NoteKey, signer: &dyn Signer, time: u64) -> Option<String> {
    let text = Note::parse(note.as_bytes()).ok()?.text();
    Checkpoint::parse(text)?;
    let line = key.sign(signer, text, time)?;
    Some(format!("{note}{line}"))
}
