//! Diagnostics of Warifu: one type for every finding, and the catalogue of their codes.
//!
//! A [`Diagnostic`] names a stable [`Code`], the bytes it is about ([`Span`], a half-open range of
//! the file as received), the field path and, where useful, one argument. Texts live in the
//! catalogue ([`catalogue`]), Japanese and English side by side; nothing of a patient's data is
//! ever part of a text.
#![forbid(unsafe_code)]

pub mod catalogue;

use std::borrow::Cow;
use std::fmt;

pub use warifu_source::{SourceId, Span};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth counting; never fails a run by itself.
    Info,
    /// Converted, but something was assumed, replaced or kept as text.
    Warning,
    /// Unusable: the item or the element is left out.
    Error,
}

impl Severity {
    /// The word machine formats use: `error`, `warning` or `info`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
    /// The word shown to Japanese readers.
    pub const fn word_ja(self) -> &'static str {
        match self {
            Self::Info => "情報",
            Self::Warning => "警告",
            Self::Error => "エラー",
        }
    }
}

/// One row of the catalogue: everything that is fixed about a code.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// Family and three digits, e.g. `MAP035`; never reused.
    pub code: &'static str,
    /// Name that reads as "allow …", e.g. `half-width-katakana`.
    pub name: &'static str,
    /// Severity unless a caller re-grades it.
    pub severity: Severity,
    /// What is wrong, in Japanese; `{}` is the argument.
    pub ja: &'static str,
    /// What is wrong, in English; `{}` is the argument.
    pub en: &'static str,
    /// What to do next, in Japanese.
    pub help_ja: &'static str,
    /// What to do next, in English.
    pub help_en: &'static str,
    /// Where the rule comes from: document and section.
    pub standard: &'static str,
}

/// A code of the catalogue.
pub type Code = &'static Entry;

/// Place of a value inside an HL7 message: `PID-5[2].1`; 0 means "not that deep".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FieldPath {
    /// Segment name, e.g. `*b"PID"`.
    pub segment: [u8; 3],
    /// Ordinal among the segments of that name, from 1.
    pub ordinal: u32,
    /// Field number from 1 (MSH-1 is the separator).
    pub field: u32,
    /// Repetition from 1.
    pub repetition: u32,
    /// Component from 1.
    pub component: u32,
    /// Sub-component from 1.
    pub subcomponent: u32,
    /// Whether the field repeats (then `[n]` is shown even for the first).
    pub repeats: bool,
}

impl FieldPath {
    /// Segment name as text.
    pub fn segment_name(&self) -> &str {
        std::str::from_utf8(&self.segment).unwrap_or("???")
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.segment_name())?;
        if self.ordinal > 1 {
            write!(f, "({})", self.ordinal)?;
        }
        if self.field > 0 {
            write!(f, "-{}", self.field)?;
        }
        if self.repetition > 0 && (self.repeats || self.repetition > 1) {
            write!(f, "[{}]", self.repetition)?;
        }
        if self.component > 0 {
            write!(f, ".{}", self.component)?;
        }
        if self.subcomponent > 0 {
            write!(f, ".{}", self.subcomponent)?;
        }
        Ok(())
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Code of the catalogue.
    pub code: Code,
    /// Severity (the code's own unless re-graded).
    pub severity: Severity,
    /// The bytes it is about; `[0, 0]` for the whole file.
    pub span: Span,
    /// Field path, once the message index could be asked.
    pub path: Option<FieldPath>,
    /// Argument of the text: a name of the field's own (element, table, code system), never a value.
    pub argument: Option<Cow<'static, str>>,
}

impl Diagnostic {
    /// A finding with the code's own severity.
    pub fn new(code: Code, span: Span) -> Self {
        Self {
            code,
            severity: code.severity,
            span,
            path: None,
            argument: None,
        }
    }
    /// The same with an argument for `{}`.
    #[must_use]
    pub fn with(mut self, argument: impl Into<Cow<'static, str>>) -> Self {
        self.argument = Some(argument.into());
        self
    }
    /// Text in Japanese.
    pub fn message_ja(&self) -> String {
        fill(self.code.ja, self.argument.as_deref())
    }
    /// Text in English.
    pub fn message_en(&self) -> String {
        fill(self.code.en, self.argument.as_deref())
    }
}

fn fill(template: &str, argument: Option<&str>) -> String {
    template.replacen("{}", argument.unwrap_or("—"), 1)
}

/// Finds a code by its number or its name.
pub fn lookup(code_or_name: &str) -> Option<Code> {
    catalogue::all().find(|e| e.code.eq_ignore_ascii_case(code_or_name) || e.name == code_or_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_shows_only_what_is_known() {
        let mut p = FieldPath {
            segment: *b"PID",
            ordinal: 1,
            field: 5,
            repetition: 2,
            component: 1,
            subcomponent: 0,
            repeats: true,
        };
        assert_eq!(p.to_string(), "PID-5[2].1");
        p.repetition = 1;
        p.repeats = false;
        assert_eq!(p.to_string(), "PID-5.1");
        p.ordinal = 3;
        assert_eq!(p.to_string(), "PID(3)-5.1");
    }

    #[test]
    fn codes_and_names_are_unique_and_well_formed() {
        let mut codes: Vec<_> = catalogue::all().map(|e| e.code).collect();
        let mut names: Vec<_> = catalogue::all().map(|e| e.name).collect();
        let n = codes.len();
        codes.sort_unstable();
        codes.dedup();
        names.sort_unstable();
        names.dedup();
        assert_eq!((codes.len(), names.len()), (n, n));
        for e in catalogue::all() {
            assert_eq!(e.code.len(), 6, "{}", e.code);
            assert!(e.code.starts_with(char::is_uppercase));
            assert!(
                e.code[3..].bytes().all(|b| b.is_ascii_digit()),
                "{}",
                e.code
            );
            assert!(
                e.name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{}",
                e.name
            );
            for t in [e.ja, e.en, e.help_ja, e.help_en, e.standard] {
                assert!(!t.is_empty(), "{} has an empty text", e.code);
            }
            assert_eq!(e.ja.contains("{}"), e.en.contains("{}"), "{}", e.code);
        }
    }
}
