//! Diagnostics and messages for readers and machines: plain data that serialises to the documented
//! JSON. Nothing here writes anywhere.
#![forbid(unsafe_code)]

pub mod baseline;
pub mod excerpt;
pub mod finding;
pub mod fingerprint;
pub mod format;
pub mod mask;
pub mod position;
pub mod report;
pub mod rule;
pub mod view;

/// Language of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Lang {
    /// Japanese (default).
    #[default]
    Ja,
    /// English.
    En,
}
