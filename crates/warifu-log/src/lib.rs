//! The transparency log of consent: lines that cannot be altered, dropped or reordered unseen.
//!
//! [`Log`] appends [`Entry`]s over a [`Storage`], publishes signed checkpoints and proves lines;
//! [`recipient`] rejects a disclosure without proof; [`verify_history`] tells a subject whether its
//! lines are complete. No clock, no randomness, no I/O: time, salts and keys are arguments. Only
//! leaf data (a salted hash) is public.
//!
//! ```
//! use warifu_log::{Entry, Kind, Log, MemoryStorage, NoteKey, Purpose, Submission, Trust};
//! let signer = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
//! let key = NoteKey::new("log.example/consent-log", Purpose::Note, &signer.verifying_key().to_bytes())?;
//! let trust = Trust::new(key, vec![], 0)?;
//! let mut log = Log::open(MemoryStorage::default(), trust.clone(), &[])?;
//! let hash = "CEj75Hs_UnI49mAl75Fq9303TVXS3E89P6H6HE7FsYI";
//! let members = [("what", "reference-1".into()), ("hash", hash.into())];
//! let entry = Entry::new(Kind::Policy, 1_790_000_000, None, members)?;
//! let line = log.append(vec![Submission { entry, salt: [1; 16], place_salt: None }])?.remove(0);
//! log.sync()?; // now it may be acknowledged
//! log.publish(&signer)?;
//! let checkpoint = log.prove(line.index)?.verify(&line.leaf, &trust)?;
//! assert_eq!(checkpoint.size, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Standard: RFC 6962 §2.1, C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles and
//! tlog-proof; `docs/log.md` has the rest.
#![forbid(unsafe_code)]

pub mod api;
mod chain;
mod clock;
mod hash;
mod json;
mod line;
mod log;
mod note;
mod promise;
mod proof;
pub mod recipient;
mod storage;
mod tile;
mod tree;
pub mod watch;

pub use chain::{ChainError, Head, OwnLine, not_after, verify_history};
pub use clock::{Misdated, TOLERANCE};
pub use hash::{Hash, decode_url, empty_root, encode_url, leaf_hash, node_hash, sha256};
pub use json::{MAX_INT, Value};
pub use line::{
    Chain, Entry, Kind, Line, LineError, Link, MAX_LINE, Member, Place, Shape, is_subject,
    leaf_data,
};
pub use log::{Appended, Enacted, Log, LogError, OpenError, Pin, Submission};
pub use note::{
    Checkpoint, CheckpointError, KeyError, MAX_NOTE, MAX_SIGNATURES, Note, NoteError, NoteKey,
    Purpose, Signed, Signer, Trust, TrustError, cosign, sign_note,
};
pub use promise::{DEFER_DELAY, Deferred, MERGE_DELAY, Promise, QueueError, verify_queue};
pub use proof::{InclusionError, TlogProof};
pub use storage::{MemoryStorage, Record, Storage};
pub use tile::{Edge, Tile, TileError, TileNodes, WIDTH, read_tile, write_entries, write_tile};
pub use tree::{
    Frontier, MAX_PROOF, Nodes, ProofError, consistency_proof, inclusion_proof, root_of,
    verify_consistency, verify_inclusion,
};
