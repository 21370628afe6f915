//! Bytes → text for SS-MIX2 files: charsets, byte-exact spans, offset map.
#![forbid(unsafe_code)]

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
    /// Windows-31J (Shift_JIS with NEC / IBM extensions).
    Cp932,
    /// EUC-JP.
    EucJp,
}
