//! The log of consent: what happened to a person's data, in a form that cannot be changed unseen.
//!
//! No I/O, clock or randomness: lines, salts and times are arguments. Standards: RFC 6962 §2.1
//! (tree), C2SP tlog-checkpoint, signed-note and tlog-tiles; docs/consent.md §9.
#![forbid(unsafe_code)]

mod chain;
mod checkpoint;
mod line;
mod proof;
mod recipient;
mod tile;
mod tree;

pub use chain::{ChainError, Entry, START, check_chain, veil};
pub use checkpoint::{Checkpoint, NoteError, NoteKey};
pub use line::{Line, LineError};
pub use proof::{ProofError, verify_consistency, verify_inclusion};
pub use recipient::{
    Asked, Checked, Disclosure, Missing, Proof, Trust, check_disclosure, defer, promise,
};
pub use tile::{Tile, TileError, tile_path};
pub use tree::{Hash, Tree, leaf_hash, node_hash};

#[cfg(test)]
fn tests_hex(hash: &Hash) -> String {
    use std::fmt::Write as _;
    hash.iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}
