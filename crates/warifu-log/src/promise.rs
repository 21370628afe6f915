//! What stands in for a proof: the log's promise, and a facility's deferred line.

use crate::hash::Hash;
use crate::note::{Note, NoteKey, Signer, decimal, sign_note};

/// Longest time from a promise to the checkpoint that keeps it, in seconds (consent.md §9.5).
pub const MERGE_DELAY: u64 = 120;
/// Longest time from a deferred line to its delivery, in seconds (consent.md §10.3).
pub const DEFER_DELAY: u64 = 86_400;

const PROMISE: &str = "warifu/promise@v1";
const DEFERRED: &str = "warifu/deferred@v1";

/// The log's word that a leaf will stand at an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// The log.
    pub origin: String,
    /// Leaf data.
    pub leaf: Hash,
    /// Place in the log.
    pub index: u64,
    /// When it was given, in seconds UTC.
    pub at: u64,
    /// By when a checkpoint has it.
    pub by: u64,
}

impl Promise {
    /// A promise for the longest delay.
    pub fn new(origin: &str, leaf: Hash, index: u64, at: u64) -> Self {
        Self {
            origin: origin.to_owned(),
            leaf,
            index,
            at,
            by: at.saturating_add(MERGE_DELAY),
        }
    }

    /// Text of the note.
    pub fn text(&self) -> String {
        let Self {
            origin,
            leaf,
            index,
            at,
            by,
        } = self;
        let leaf = leaf.base64();
        format!("{PROMISE}\n{origin}\n{leaf}\n{index}\n{at}\n{by}\n")
    }

    /// Reads the text of a note.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        if lines.next()? != PROMISE {
            return None;
        }
        let promise = Self {
            origin: lines.next()?.to_owned(),
            leaf: Hash::from_base64(lines.next()?)?,
            index: decimal(lines.next()?)?,
            at: decimal(lines.next()?)?,
            by: decimal(lines.next()?)?,
        };
        lines.next().is_none().then_some(promise)
    }

    /// Signs it with the log's key.
    pub fn sign(&self, key: &NoteKey, signer: &dyn Signer) -> Option<String> {
        sign_note(&self.text(), key, signer)
    }
}

/// A facility's word that a line waits in its queue: the log could not be reached (§10.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deferred {
    /// The facility, as `rcp` of the line and as the name of its key.
    pub facility: String,
    /// When, in seconds UTC.
    pub at: u64,
    /// Place in the facility's queue, from 0 on for ever.
    pub n: u64,
    /// Leaf data of the line before in the queue; zeros for the first.
    pub prev: Hash,
    /// Leaf data of the line.
    pub leaf: Hash,
}

impl Deferred {
    /// Text of the note.
    pub fn text(&self) -> String {
        let Self {
            facility, at, n, ..
        } = self;
        let (prev, leaf) = (self.prev.base64(), self.leaf.base64());
        format!("{DEFERRED}\n{facility}\n{at}\n{n}\n{prev}\n{leaf}\n")
    }

    /// Reads the text of a note.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        if lines.next()? != DEFERRED {
            return None;
        }
        let deferred = Self {
            facility: lines.next()?.to_owned(),
            at: decimal(lines.next()?)?,
            n: decimal(lines.next()?)?,
            prev: Hash::from_base64(lines.next()?)?,
            leaf: Hash::from_base64(lines.next()?)?,
        };
        lines.next().is_none().then_some(deferred)
    }

    /// Signs it with the facility's key.
    pub fn sign(&self, key: &NoteKey, signer: &dyn Signer) -> Option<String> {
        sign_note(&self.text(), key, signer)
    }
}

/// What is wrong with a facility's queue when it is delivered; `at` counts from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueueError {
    /// Not a note of this facility that its key signed.
    #[error("line {at} of the queue is not signed by the facility")]
    Signature {
        /// Which.
        at: usize,
    },
    /// It does not follow the line before: one is missing, altered, repeated or out of order.
    #[error("line {at} of the queue does not follow the line before it")]
    Chain {
        /// Which.
        at: usize,
    },
    /// Delivered more than 24 hours later, or dated in the future.
    #[error("line {at} of the queue comes too late")]
    Late {
        /// Which.
        at: usize,
    },
}

/// Verifies a delivered queue from where the last delivery ended (`n` and leaf data of its last
/// line), and gives the lines.
pub fn verify_queue(
    key: &NoteKey,
    last: Option<(u64, Hash)>,
    notes: &[&[u8]],
    now: u64,
) -> Result<Vec<Deferred>, QueueError> {
    let mut next = last.map_or((0, Hash::ZERO), |(n, leaf)| (n.saturating_add(1), leaf));
    let mut lines = Vec::with_capacity(notes.len());
    for (at, bytes) in notes.iter().enumerate() {
        let note = Note::parse(bytes).ok();
        let line = note
            .filter(|n| matches!(n.signed(key), crate::note::Signed::At(_)))
            .and_then(|n| Deferred::parse(n.text()))
            .filter(|d| d.facility == key.name())
            .ok_or(QueueError::Signature { at })?;
        if (line.n, line.prev) != next {
            return Err(QueueError::Chain { at });
        }
        if now.saturating_sub(line.at) > DEFER_DELAY || line.at > now.saturating_add(60) {
            return Err(QueueError::Late { at });
        }
        next = (line.n.saturating_add(1), line.leaf);
        lines.push(line);
    }
    Ok(lines)
}
