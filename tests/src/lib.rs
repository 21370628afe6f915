//! Tests that cross crates: differential, architecture, browser.
#![forbid(unsafe_code)]

pub mod log;
