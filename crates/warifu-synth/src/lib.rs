//! Invented SS-MIX2 storages, byte for byte the same on every machine.
//!
//! - [`fixtures::files`] is the content of `tests/fixtures`: the bundled sample storage with its
//!   extended and transaction storages, its index, and a folder of malformed files.
//! - [`Plan`] yields a storage of any size lazily, for benchmarks.
//!
//! The library does no I/O; the binary writes what it yields. Nothing here is copied from real data:
//! every person, place and number is invented.
//!
//! ```
//! let plan = warifu_synth::Plan { seed: 1, patients: 2, messages: 50 };
//! assert_eq!(plan.files().count(), 50);
//! assert!(plan.files().eq(plan.files()));
//! ```
#![forbid(unsafe_code)]

pub mod broken;
pub mod codes;
pub mod extended;
pub mod fixtures;
pub mod hl7;
pub mod jis;
pub mod kinds;
pub mod messages;
pub mod pdf;
pub mod people;
pub mod plan;
pub mod prng;
pub mod record;
pub mod segments;
pub mod storage;
pub mod story;
pub mod time;

pub use plan::Plan;
