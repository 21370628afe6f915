//! Bytes → text for SS-MIX2 files: charsets, byte-exact spans, offset map.
//!
//! Reading never fails: [`decode`] and [`decode_into`] give text for any bytes, and [`check`]
//! names what was odd, with its byte range.
//! A file goes through three steps.
//! [`detect`] chooses its [`Charset`] from the bytes alone, since the declaration in MSH-18
//! ([`declared`]) is often wrong.
//! [`check`] reads the whole file once and collects [`Notes`].
//! [`decode_into`] decodes single components when somebody asks for them, and [`decode`] whole
//! files together with a map from text positions back to bytes.
//!
//! # The six disputed characters
//!
//! JIS 215D, 2141, 2142, 2171, 2172 and 224C have two Unicode forms.
//! This crate gives the Windows forms U+FF0D, U+FF5E, U+2225, U+FFE0, U+FFE1 and U+FFE2, as web
//! decoders and the Japanese FHIR servers do; Python's codecs give the others.
//! Compare text after [`fold_disputed`], or with [`normalise_for_compare`].
//!
//! # Standard
//!
//! ISO/IEC 2022, JIS X 0201, JIS X 0208, JIS X 0212, RFC 1468; SS-MIX2 standardised storage
//! specification, character code clause.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod check;
mod decode;
mod detect;
mod encode;
mod escape;
mod map;
mod normalise;
mod scan;
mod tables;

pub use check::{KEPT_PER_KIND, Note, NoteKind, Notes, check};
pub use decode::decode_into;
pub use detect::{declared, detect};
pub use encode::{Encoder, Unencodable};
pub use escape::{CodeSet, Escape, EscapeAction, escape_at};
pub use map::{Decoded, decode, decode_parts, decode_utf8};
pub use normalise::{fold_disputed, full_width_kana, normalise_for_compare};

/// Number of a source file within one run (index into the caller's list of files).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SourceId(pub u32);

/// Half-open byte range `[start, end)` of a file as received (not of decoded text).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// The file.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// Character encoding of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Charset {
    /// 7-bit ISO-2022-JP with the escape sequences SS-MIX2 files use (also plain ASCII).
    #[default]
    Iso2022Jp,
    /// UTF-8.
    Utf8,
    /// Windows-31J (`Shift_JIS` with NEC / IBM extensions).
    Cp932,
    /// EUC-JP.
    EucJp,
}

/// Position in a file as stored in spans: positions from 4 GiB on become `u32::MAX`.
pub(crate) fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
