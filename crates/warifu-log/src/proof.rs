//! C2SP tlog-proof: one text that proves a leaf to be in a log.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::hash::{Hash, leaf_hash};
use crate::note::{Checkpoint, CheckpointError, MAX_NOTE, Trust, decimal};
use crate::tree::{MAX_PROOF, ProofError, verify_inclusion};

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// An inclusion proof with the checkpoint that it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Index of the leaf.
    pub index: u64,
    /// Extra data; not authenticated, and not used here.
    pub extra: Option<Vec<u8>>,
    /// Hashes from the leaf's sibling up.
    pub path: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// Why a tlog-proof is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InclusionError {
    /// Not a tlog-proof.
    #[error("not a tlog-proof")]
    Form,
    /// Its checkpoint is not believed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Its path does not lead from the leaf to the root.
    #[error(transparent)]
    Path(#[from] ProofError),
}

impl TlogProof {
    /// Reads a proof, at most [`MAX_NOTE`] bytes and some 3 kB of hashes.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > 2 * MAX_NOTE {
            return None;
        }
        let text = core::str::from_utf8(bytes).ok()?;
        let rest = text.strip_prefix(HEADER)?.strip_prefix('\n')?;
        let (head, checkpoint) = rest.split_once("\n\n")?;
        let mut lines = head.split('\n').peekable();
        let extra = match lines.peek()?.strip_prefix("extra ") {
            Some(data) => {
                lines.next();
                Some(STANDARD.decode(data).ok()?)
            }
            None => None,
        };
        let index = decimal(lines.next()?.strip_prefix("index ")?)?;
        let mut path = Vec::new();
        for line in lines {
            if path.len() == MAX_PROOF {
                return None;
            }
            path.push(Hash::from_base64(line)?);
        }
        Some(Self {
            index,
            extra,
            path,
            checkpoint: checkpoint.to_owned(),
        })
    }

    /// The text that [`Self::parse`] reads.
    pub fn write(&self) -> String {
        let mut text = format!("{HEADER}\n");
        if let Some(extra) = &self.extra {
            text = text + "extra " + &STANDARD.encode(extra) + "\n";
        }
        text = text + "index " + &self.index.to_string() + "\n";
        for hash in &self.path {
            text.push_str(&hash.base64());
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.checkpoint);
        text
    }

    /// Verifies that leaf data is in the log, and gives the checkpoint that says so.
    pub fn verify(&self, leaf: &Hash, trust: &Trust) -> Result<Checkpoint, InclusionError> {
        let checkpoint = trust.verify(self.checkpoint.as_bytes())?;
        let hash = leaf_hash(&leaf.0);
        let Checkpoint { size, root, .. } = &checkpoint;
        verify_inclusion(&hash, self.index, *size, &self.path, root)?;
        Ok(checkpoint)
    }
}
