//! Reads SS-MIX2 storages: folders, archives, journals, single files, standard input.
//!
//! [`open`] takes a folder (storage roots are found at most three folders down), a zip,
//! tar, `.tar.gz` or `.tar.zst` archive, a journal of the transaction storage, or a
//! single file; what it is, is told by the bytes. [`Storage::walk`] then gives patient
//! after patient, in the order of their ids, with bounded memory:
//!
//! ```no_run
//! # #[cfg(feature = "fs")] fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use warifu_storage::{Found, Options, open};
//! let storage = open("standard_root".as_ref(), &Options::standard())?;
//! let mut bytes = Vec::new();
//! for found in storage.walk() {
//!     if let Found::Patient(batch) = found {
//!         let patient = batch.items();
//!         for index in patient.selection.used() {
//!             for file in patient.items[index].files {
//!                 storage.read(file, &mut bytes)?;
//!             }
//!         }
//!     }
//! }
//! # Ok(()) }
//! # #[cfg(not(feature = "fs"))] fn main() {}
//! ```
//!
//! Without the feature `fs` only [`sniff`], [`is_skipped`] and, with `memory-zip`, `zip` and `memory` remain; these
//! build for wasm32.
#![forbid(unsafe_code)]

#[cfg(feature = "fs")]
mod archive;
#[cfg(feature = "fs")]
mod batch;
#[cfg(feature = "memory-zip")]
mod entry;
#[cfg(feature = "fs")]
mod folder;
#[cfg(feature = "fs")]
mod journal;
#[cfg(feature = "fs")]
mod loose;
#[cfg(feature = "memory-zip")]
pub mod memory;
mod note;
#[cfg(feature = "memory-zip")]
mod pid;
#[cfg(feature = "memory-zip")]
mod replay;
mod safe;
#[cfg(feature = "fs")]
mod sink;
mod sniff;
#[cfg(feature = "fs")]
mod spool;
#[cfg(feature = "fs")]
mod storage;
#[cfg(feature = "fs")]
mod tree;
#[cfg(feature = "memory-zip")]
pub mod zip;

#[cfg(feature = "fs")]
pub use batch::{FileRef, Found, Item, PatientBatch, PatientItems};
pub use note::{NotePlace, StorageNote, StorageNoteKind};
#[cfg(feature = "memory-zip")]
pub use replay::RecordPlace;
pub use safe::is_skipped;
#[cfg(feature = "fs")]
pub use sink::{Choice, Choose};
pub use sniff::{Content, HEAD, sniff};
#[cfg(feature = "fs")]
pub use storage::{
    Listed, OpenError, Options, ReadError, Step, Steps, Storage, Unlisted, Walk, open,
};
