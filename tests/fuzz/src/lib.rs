//! What the fuzz targets check; `tests/tests/fuzz.rs` runs the same functions under proptest.
#![forbid(unsafe_code)]

pub mod bodies;
pub mod foreign;
pub mod log;
pub mod token;
