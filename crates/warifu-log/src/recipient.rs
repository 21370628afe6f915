//! No proof, no data (consent.md §9.5): what a recipient checks before it looks at a disclosure.

use crate::clock::TOLERANCE;
use crate::hash::{Hash, decode_url, encode_url, sha256};
use crate::json::{self, Value};
use crate::line::{Kind, Line, leaf_data};
use crate::log::Pin;
use crate::note::{Checkpoint, CheckpointError, Note, NoteKey, Signed, Trust};
use crate::promise::{DEFER_DELAY, Deferred, MERGE_DELAY, Promise};
use crate::proof::{InclusionError, TlogProof};
use crate::tree::{ProofError, verify_consistency};

/// Largest evidence that is read, in bytes.
pub const MAX_EVIDENCE: usize = 262_144;

macro_rules! refusals {
    ($($(#[doc = $doc:literal])* $name:ident $wire:literal;)*) => {
        /// Why a disclosure is rejected: the first check that fails, in the order of this list as
        /// far as one path through it goes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
        #[non_exhaustive]
        pub enum Refusal {
            $($(#[doc = $doc])* #[error($wire)] $name),*
        }

        impl Refusal {
            /// All reasons.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Stable name on the wire.
            pub fn wire(self) -> &'static str {
                match self { $(Self::$name => $wire),* }
            }
        }
    };
}

refusals! {
    /// The response carries no evidence.
    Missing "PROOF_MISSING";
    /// The evidence is larger than [`MAX_EVIDENCE`].
    Size "PROOF_SIZE";
    /// The evidence is not the JSON of one.
    Form "PROOF_FORM";
    /// The line is none of the log's.
    Line "LINE_FORM";
    /// The line speaks of something else than a disclosure.
    LineKind "LINE_KIND";
    /// The line names another recipient.
    LineRecipient "LINE_RECIPIENT";
    /// The line names another subject.
    LineSubject "LINE_SUBJECT";
    /// The line names another purpose.
    LinePurpose "LINE_PURPOSE";
    /// The line answers another request.
    LineRequest "LINE_REQUEST";
    /// The line is dated before the request or after now.
    LineTime "LINE_TIME";
    /// Not a tlog-proof.
    ProofText "PROOF_TEXT";
    /// The checkpoint is not a signed note with a tree head.
    CheckpointForm "CHECKPOINT_FORM";
    /// The checkpoint or promise is of another log.
    Origin "ORIGIN";
    /// The log's key did not sign.
    LogUnsigned "LOG_UNSIGNED";
    /// The log's signature does not verify.
    LogSignature "LOG_SIGNATURE";
    /// A trusted witness's signature does not verify.
    WitnessSignature "WITNESS_SIGNATURE";
    /// Too few witnesses signed.
    WitnessQuorum "WITNESS_QUORUM";
    /// The index is not in the tree.
    ProofRange "PROOF_RANGE";
    /// The path has the wrong length.
    ProofLength "PROOF_LENGTH";
    /// The path leads to another root.
    ProofRoot "PROOF_ROOT";
    /// A pinned checkpoint is of another size, and no consistency proof came.
    ConsistencyMissing "CONSISTENCY_MISSING";
    /// The tree is not a continuation of the pinned one, or the pinned one not of it: a split view.
    Consistency "CONSISTENCY";
    /// Not a promise.
    PromiseForm "PROMISE_FORM";
    /// The promise is about another line, or dated otherwise.
    PromiseLine "PROMISE_LINE";
    /// The promise allows itself more than 120 s.
    PromiseDelay "PROMISE_DELAY";
    /// The promise should have been kept by now: a proof is due.
    PromiseOverdue "PROMISE_OVERDUE";
    /// The proof is about another index than was promised.
    PromiseBroken "PROMISE_BROKEN";
    /// A deferred line outside `ETREAT` and `DISASTER`.
    DeferredPurpose "DEFERRED_PURPOSE";
    /// Not a deferred line.
    DeferredForm "DEFERRED_FORM";
    /// The facility's key did not sign, or none is known.
    DeferredUnsigned "DEFERRED_UNSIGNED";
    /// The facility's signature does not verify.
    DeferredSignature "DEFERRED_SIGNATURE";
    /// The deferred note is about another line, or dated otherwise.
    DeferredLine "DEFERRED_LINE";
    /// More than 24 hours later: the line had to be delivered.
    DeferredLate "DEFERRED_LATE";
}

impl From<CheckpointError> for Refusal {
    fn from(error: CheckpointError) -> Self {
        match error {
            CheckpointError::Note(_) | CheckpointError::Form => Self::CheckpointForm,
            CheckpointError::Origin => Self::Origin,
            CheckpointError::Unsigned => Self::LogUnsigned,
            CheckpointError::Signature => Self::LogSignature,
            CheckpointError::WitnessSignature => Self::WitnessSignature,
            CheckpointError::Quorum => Self::WitnessQuorum,
        }
    }
}

impl From<InclusionError> for Refusal {
    fn from(error: InclusionError) -> Self {
        match error {
            InclusionError::Form => Self::ProofText,
            InclusionError::Checkpoint(e) => e.into(),
            InclusionError::Path(ProofError::Range) => Self::ProofRange,
            InclusionError::Path(ProofError::Length) => Self::ProofLength,
            InclusionError::Path(_) => Self::ProofRoot,
        }
    }
}

/// What a disclosure response carries beside the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Bytes of the line.
    pub line: String,
    /// Its salt.
    pub salt: [u8; 16],
    /// What shows that it is logged.
    pub by: Backing,
    /// Proof between the recipient's pinned checkpoint and that of `by`, whichever is older first.
    pub consistency: Option<Vec<Hash>>,
}

/// What shows that a line is logged, or will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backing {
    /// A tlog-proof.
    Proof(String),
    /// The log's promise, a signed note.
    Promise(String),
    /// A facility's deferred line, a signed note.
    Deferred(String),
}

impl Evidence {
    /// Reads `{"line", "salt", "proof" | "promise" | "deferred", "consistency"?}`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.is_empty() {
            return Err(Refusal::Missing);
        }
        if bytes.len() > MAX_EVIDENCE {
            return Err(Refusal::Size);
        }
        Self::read(bytes).ok_or(Refusal::Form)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut members = json::read(bytes)?;
        let mut text = |name: &str| match members.remove(name) {
            Some(Value::Text(text)) => Some(Some(text)),
            Some(_) => None,
            None => Some(None),
        };
        let line = text("line")??;
        let salt = decode_url(&text("salt")??)?;
        let by = match (text("proof")?, text("promise")?, text("deferred")?) {
            (Some(proof), None, None) => Backing::Proof(proof),
            (None, Some(promise), None) => Backing::Promise(promise),
            (None, None, Some(deferred)) => Backing::Deferred(deferred),
            _ => return None,
        };
        let consistency = match members.remove("consistency") {
            None => None,
            Some(Value::List(hashes)) => Some(
                hashes
                    .iter()
                    .map(|h| Hash::from_base64(h))
                    .collect::<Option<_>>()?,
            ),
            Some(_) => return None,
        };
        members.is_empty().then_some(Self {
            line,
            salt,
            by,
            consistency,
        })
    }

    /// The JSON that [`Self::parse`] reads.
    pub fn write(&self) -> String {
        let line = Value::from(self.line.as_str());
        let salt = Value::Text(encode_url(&self.salt));
        let (name, by) = match &self.by {
            Backing::Proof(t) => ("proof", t),
            Backing::Promise(t) => ("promise", t),
            Backing::Deferred(t) => ("deferred", t),
        };
        let by = Value::from(by.as_str());
        let consistency = self
            .consistency
            .as_ref()
            .map(|path| Value::List(path.iter().map(Hash::base64).collect()));
        let mut members = [("line", &line), ("salt", &salt), (name, &by)]
            .into_iter()
            .collect::<std::collections::BTreeMap<_, _>>();
        members.extend(consistency.as_ref().map(|v| ("consistency", v)));
        json::write(&members)
    }
}

/// What the recipient asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Itself, as in `aud` of a grant: `mi:` and ten digits.
    pub rcp: String,
    /// Pseudonym of the subject.
    pub sub: String,
    /// Purpose.
    pub pur: String,
    /// Token hash of its access request.
    pub areq: Hash,
    /// When it asked, in seconds UTC.
    pub at: u64,
}

/// Who checks: whom it trusts and what it has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Log and witnesses.
    pub trust: Trust,
    /// Keys of the facilities whose deferred lines count, the own one as a rule.
    pub facilities: Vec<NoteKey>,
    /// The newest checkpoint seen.
    pub pin: Option<Pin>,
}

/// A line that is not yet proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// Leaf data.
    pub leaf: Hash,
    /// Index that was promised; a deferred line has none yet.
    pub index: Option<u64>,
    /// When the proof is due, in seconds UTC.
    pub due: u64,
}

/// A disclosure that may be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Leaf data: with [`Self::witness_sub`] what the recipient posts to a witness.
    pub leaf: Hash,
    /// SHA-256 of the subject's pseudonym.
    pub witness_sub: Hash,
    /// The checkpoint to pin from now on, if it is newer than the pinned one.
    pub pin: Option<Pin>,
    /// What is to be checked again, and by when; `None` when it is proven.
    pub pending: Option<Pending>,
}

impl Recipient {
    /// Checks the evidence of a disclosure; `now` is seconds UTC. Only with `Ok` may the data be
    /// looked at.
    pub fn check(&self, evidence: &[u8], asked: &Asked, now: u64) -> Result<Accepted, Refusal> {
        let evidence = Evidence::parse(evidence)?;
        let line = Line::parse(&evidence.line).map_err(|_| Refusal::Line)?;
        check_line(&line, &evidence, asked, now)?;
        let leaf = leaf_data(&evidence.salt, &evidence.line);
        let at = line.entry.at();
        let (pin, pending) = match &evidence.by {
            Backing::Proof(text) => {
                let checkpoint = self.check_proof(text, &leaf, evidence.consistency.as_deref())?;
                (self.newer(&checkpoint.1), None)
            }
            Backing::Promise(text) => {
                let promise = self.check_promise(text, &leaf, at, now)?;
                let pending = Pending {
                    leaf,
                    index: Some(promise.index),
                    due: promise.by,
                };
                (None, Some(pending))
            }
            Backing::Deferred(text) => {
                self.check_deferred(text, &leaf, asked, at, now)?;
                let pending = Pending {
                    leaf,
                    index: None,
                    due: at.saturating_add(DEFER_DELAY),
                };
                (None, Some(pending))
            }
        };
        Ok(Accepted {
            leaf,
            witness_sub: sha256(&[asked.sub.as_bytes()]),
            pin,
            pending,
        })
    }

    /// Checks the proof that a promise or a deferred line is owed; gives the checkpoint to pin.
    pub fn recheck(
        &self,
        pending: &Pending,
        proof: Option<&str>,
        consistency: Option<&[Hash]>,
        now: u64,
    ) -> Result<Option<Pin>, Refusal> {
        let Some(text) = proof else {
            return Err(if now > pending.due {
                Refusal::PromiseOverdue
            } else {
                Refusal::Missing
            });
        };
        let (index, checkpoint) = self.check_proof(text, &pending.leaf, consistency)?;
        if pending.index.is_some_and(|promised| promised != index) {
            return Err(Refusal::PromiseBroken);
        }
        Ok(self.newer(&checkpoint))
    }

    fn newer(&self, checkpoint: &Checkpoint) -> Option<Pin> {
        let (size, root) = (checkpoint.size, checkpoint.root);
        let newer = self.pin.is_none_or(|pin| pin.size < size);
        newer.then_some(Pin { size, root })
    }

    fn check_proof(
        &self,
        text: &str,
        leaf: &Hash,
        consistency: Option<&[Hash]>,
    ) -> Result<(u64, Checkpoint), Refusal> {
        let proof = TlogProof::parse(text.as_bytes()).ok_or(Refusal::ProofText)?;
        let checkpoint = proof.verify(leaf, &self.trust)?;
        if let Some(pin) = self.pin {
            let path = match consistency {
                Some(path) => path,
                None if pin.size == checkpoint.size || pin.size == 0 => &[],
                None => return Err(Refusal::ConsistencyMissing),
            };
            let (size, root) = (checkpoint.size, &checkpoint.root);
            let verdict = if pin.size <= size {
                verify_consistency(pin.size, size, path, &pin.root, root)
            } else {
                verify_consistency(size, pin.size, path, root, &pin.root)
            };
            verdict.map_err(|_| Refusal::Consistency)?;
        }
        Ok((proof.index, checkpoint))
    }

    fn check_promise(
        &self,
        text: &str,
        leaf: &Hash,
        at: u64,
        now: u64,
    ) -> Result<Promise, Refusal> {
        let note = Note::parse(text.as_bytes()).map_err(|_| Refusal::PromiseForm)?;
        let promise = Promise::parse(note.text()).ok_or(Refusal::PromiseForm)?;
        if promise.origin != self.trust.log().name() {
            return Err(Refusal::Origin);
        }
        match note.signed(self.trust.log()) {
            Signed::No => return Err(Refusal::LogUnsigned),
            Signed::Badly => return Err(Refusal::LogSignature),
            Signed::At(_) => {}
        }
        if promise.leaf != *leaf || promise.at.abs_diff(at) > TOLERANCE {
            return Err(Refusal::PromiseLine);
        }
        if promise.by.saturating_sub(promise.at) > MERGE_DELAY {
            return Err(Refusal::PromiseDelay);
        }
        if now > promise.by.saturating_add(TOLERANCE) {
            return Err(Refusal::PromiseOverdue);
        }
        Ok(promise)
    }

    fn check_deferred(
        &self,
        text: &str,
        leaf: &Hash,
        asked: &Asked,
        at: u64,
        now: u64,
    ) -> Result<(), Refusal> {
        if !is_emergency(&asked.pur) {
            return Err(Refusal::DeferredPurpose);
        }
        let note = Note::parse(text.as_bytes()).map_err(|_| Refusal::DeferredForm)?;
        let deferred = Deferred::parse(note.text()).ok_or(Refusal::DeferredForm)?;
        let key = self
            .facilities
            .iter()
            .find(|k| k.name() == deferred.facility)
            .ok_or(Refusal::DeferredUnsigned)?;
        match note.signed(key) {
            Signed::No => return Err(Refusal::DeferredUnsigned),
            Signed::Badly => return Err(Refusal::DeferredSignature),
            Signed::At(_) => {}
        }
        if deferred.leaf != *leaf || deferred.at.abs_diff(at) > TOLERANCE {
            return Err(Refusal::DeferredLine);
        }
        if now.saturating_sub(at) > DEFER_DELAY {
            return Err(Refusal::DeferredLate);
        }
        Ok(())
    }
}

fn is_emergency(purpose: &str) -> bool {
    matches!(purpose, "ETREAT" | "DISASTER")
}

fn check_line(line: &Line, evidence: &Evidence, asked: &Asked, now: u64) -> Result<(), Refusal> {
    let entry = &line.entry;
    // A deferred line is the assertion of the emergency (§10.3); all else is the disclosure itself.
    let kind_fits = match entry.kind() {
        Kind::Disclose => true,
        Kind::BreakGlass => matches!(evidence.by, Backing::Deferred(_)),
        _ => false,
    };
    if !kind_fits {
        return Err(Refusal::LineKind);
    }
    if entry.rcp() != Some(&asked.rcp) {
        return Err(Refusal::LineRecipient);
    }
    if entry.sub() != Some(&asked.sub) {
        return Err(Refusal::LineSubject);
    }
    if let Some(Value::List(purposes)) = entry.get("pur")
        && !purposes.contains(&asked.pur)
    {
        return Err(Refusal::LinePurpose);
    }
    // A break-glass line answers no access request.
    if entry.kind() == Kind::Disclose && entry.areq() != Some(asked.areq) {
        return Err(Refusal::LineRequest);
    }
    let (at, asked_at) = (entry.at(), asked.at.saturating_sub(TOLERANCE));
    if at < asked_at || at > now.saturating_add(TOLERANCE) {
        return Err(Refusal::LineTime);
    }
    Ok(())
}
