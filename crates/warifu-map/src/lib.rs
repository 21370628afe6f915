//! SS-MIX2 → FHIR R4 (JP Core): mapping tables, conversion, trace.
//!
//! The mapping is a set of static tables ([`table::Table`]), one row a field, that a domain expert
//! reads line by line against the standard; code appears only as the named function of a row. A
//! [`Converter`] runs them over one message or over all files of a patient and fills an [`Output`];
//! [`assemble`] makes Bundles or NDJSON of it. No clock, no randomness: the same input and options
//! give the same bytes everywhere.
#![forbid(unsafe_code)]
#![expect(
    clippy::vec_box,
    reason = "buffers move between the pool and open resources; moving a box is cheap"
)]

#[macro_use]
pub mod table;

pub mod assemble;
pub mod clins;
mod convert;
pub mod cx;
pub mod datatypes;
pub mod kinds;
mod memo;
mod options;
mod output;
#[cfg(test)]
pub(crate) mod testing;
pub mod trace;
mod withdrawals;

pub use convert::{Converter, File, MAX_MESSAGES, UNREAD};
pub use kinds::document::is_document;
pub use options::{Attachments, INLINE_LIMIT, IdMode, Options, is_instant};
pub use output::{Delete, MAX_FINDINGS, OutResource, Output};
pub use trace::{Hit, HitSpan, MAX_UNUSED, Reason, Unused};
