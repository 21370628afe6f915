//! Diagnostics of Warifu: one type for every finding, and the catalogue of their codes.
//!
//! A [`Diagnostic`] names a stable [`Code`], the bytes it is about ([`Span`], a half-open range of
//! the file as received), the field path and, where useful, one argument. Texts live in the
//! catalogue ([`catalogue`]), Japanese and English side by side; nothing of a patient's data is
//! ever part of a text.
#![forbid(unsafe_code)]

pub mod catalogue;
pub mod nearest;
mod words;

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
///
/// Made by [`Entry::new`] and the methods after it, all of which run at compile time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// Why it matters, in Japanese; empty without the feature `pages`.
    pub why_ja: &'static str,
    /// Why it matters, in English; empty without the feature `pages`.
    pub why_en: &'static str,
    /// What the finding is about; a test checks that it is found there.
    pub wrong: Example,
    /// The same done right; a test checks that the finding is gone.
    pub right: Example,
    /// Whether its findings can carry a [`Fix`].
    pub fixable: Option<Applicability>,
    /// Whether the code is settled.
    pub status: Status,
    /// The set of rules that demands it.
    pub profile: Profile,
}

/// A code of the catalogue.
pub type Code = &'static Entry;

/// What the page of a code shows; the tests of `warifu-rules` and `warifu-validate` run it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Example {
    /// None given: the page shows none.
    None,
    /// A path inside a storage, or only its file name; what stands in the file does not matter.
    Path(&'static str),
    /// Lines of a message of the data kind named first, one segment a line (`\n`), in UTF-8. The
    /// lines that are not shown are those of a clean message of that kind.
    Lines(&'static str, &'static str),
    /// A whole message, one segment a line (`\n`), in UTF-8.
    Message(&'static str),
    /// A whole file, byte by byte.
    Bytes(&'static [u8]),
    /// Files of one patient: storage path, and lines as for [`Example::Lines`].
    Files(&'static [(&'static str, &'static str)]),
    /// Files of a whole storage: path, and text of lines (`\n`); what stands in a file without text does not
    /// matter.
    Storage(&'static [(&'static str, &'static str)]),
    /// Options of `warifu convert`; what is converted are clean files of a patient who is insured.
    Options(&'static str),
    /// The FHIRPath of the element that the finding names (empty: the whole, or no finding), and a document
    /// of FHIR in JSON.
    Json(&'static str, &'static str),
    /// The same with a definition.
    Profiled(&'static Profiled),
}

/// A document of FHIR with the definition (profile, extension, code system) that a finding comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profiled {
    /// FHIRPath of the element that the finding names; empty for a good example.
    pub at: &'static str,
    /// Members of the definition; those that say nothing about the example are left out.
    pub definition: &'static str,
    /// The document in JSON.
    pub resource: &'static str,
}

impl Profiled {
    /// What is defined: a `StructureDefinition`, or a `CodeSystem` if there are concepts.
    pub fn kind(&self) -> &'static str {
        if self.definition.contains("\"concept\": [") {
            "CodeSystem"
        } else {
            "StructureDefinition"
        }
    }
}

/// Whether a code may still change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// New: outside semantic versioning, off unless asked for.
    Preview,
    /// Settled: its meaning stays.
    Stable,
}

impl Status {
    /// `preview` or `stable`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Preview => "preview",
            Self::Stable => "stable",
        }
    }
}

/// The set of rules a code belongs to: a profile of rules for SS-MIX2, or what else demands it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// SS-MIX2 1.2g and what it rests on; always on.
    Ssmix2,
    /// What the National Hospital Organization (国立病院機構) demands beyond it.
    Nho,
    /// What the standard wants but real data rarely keep.
    Strict,
    /// What the conversion tells of its own work.
    Conversion,
    /// FHIR R4, its packages, and profiles of nobody named below.
    Fhir,
    /// Profiles of JP Core.
    JpCore,
    /// Profiles of JP-CLINS and of the documents built on it.
    Clins,
}

impl Profile {
    /// The name used by machines; the first three on command lines, too: `ssmix2-1.2g`, `nho`,
    /// `strict`, `convert`, `fhir-r4`, `jp-core` or `jp-clins`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ssmix2 => "ssmix2-1.2g",
            Self::Nho => "nho",
            Self::Strict => "strict",
            Self::Conversion => "convert",
            Self::Fhir => "fhir-r4",
            Self::JpCore => "jp-core",
            Self::Clins => "jp-clins",
        }
    }
    /// That of a family's codes, unless an entry says otherwise.
    const fn of(code: &str) -> Self {
        match code.as_bytes() {
            [b'M', b'A', b'P', ..] | [b'C', b'L', b'N', b'1' | b'2' | b'3', ..] => Self::Conversion,
            [b'F', b'H', b'R', ..] => Self::Fhir,
            [b'J', b'P', b'C', ..] => Self::JpCore,
            [b'C', b'L', b'N', ..] => Self::Clins,
            _ => Self::Ssmix2,
        }
    }
}

impl Entry {
    /// A settled code of its family's profile without a page; texts are what is wrong (Japanese,
    /// English), what to do (Japanese, English) and the standard.
    pub const fn new(
        code: &'static str,
        name: &'static str,
        severity: Severity,
        texts: [&'static str; 5],
    ) -> Self {
        let [ja, en, help_ja, help_en, standard] = texts;
        Self {
            code,
            name,
            severity,
            ja,
            en,
            help_ja,
            help_en,
            standard,
            why_ja: "",
            why_en: "",
            wrong: Example::None,
            right: Example::None,
            fixable: None,
            status: Status::Stable,
            profile: Profile::of(code),
        }
    }
    /// The same with the reason why it matters, Japanese and English; kept with the feature `pages`.
    #[must_use]
    pub const fn why(mut self, ja: &'static str, en: &'static str) -> Self {
        if cfg!(feature = "pages") {
            self.why_ja = ja;
            self.why_en = en;
        }
        self
    }
    /// The same with a bad and a good example; kept with the feature `pages`.
    #[must_use]
    pub const fn examples(mut self, wrong: Example, right: Example) -> Self {
        if cfg!(feature = "pages") {
            self.wrong = wrong;
            self.right = right;
        }
        self
    }
    /// The same, with findings that carry a fix that cannot change the meaning.
    #[must_use]
    pub const fn safe(mut self) -> Self {
        self.fixable = Some(Applicability::Safe);
        self
    }
    /// The same, with findings that carry a fix somebody has to look at.
    #[must_use]
    pub const fn risky(mut self) -> Self {
        self.fixable = Some(Applicability::Unsafe);
        self
    }
    /// The same, not settled yet.
    #[must_use]
    pub const fn preview(mut self) -> Self {
        self.status = Status::Preview;
        self
    }
    /// The same in the profile `nho`.
    #[must_use]
    pub const fn nho(mut self) -> Self {
        self.profile = Profile::Nho;
        self
    }
    /// The same in the profile `strict`.
    #[must_use]
    pub const fn strict(mut self) -> Self {
        self.profile = Profile::Strict;
        self
    }
    /// Whether the page is whole: reasons in both languages and both examples.
    pub const fn has_page(&self) -> bool {
        !self.why_ja.is_empty()
            && !self.why_en.is_empty()
            && !matches!(self.wrong, Example::None)
            && !matches!(self.right, Example::None)
    }
}

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
    /// Name of the field, whichever of its segments and repetitions is meant: `PID-5`.
    pub fn field_name(&self) -> String {
        let number = usize::try_from(self.field).unwrap_or(usize::MAX);
        field_name(self.segment_name(), number)
    }
}

/// Name of a field, `PID-5`. Findings and what is kept name many: they are put together without formatting.
#[inline(never)]
pub fn field_name(segment: &str, number: usize) -> String {
    let mut name = String::with_capacity(8);
    name.push_str(segment);
    name.push('-');
    let mut unit = 1;
    while number / unit > 9 {
        unit *= 10;
    }
    while unit > 0 {
        let digit = u8::try_from(number / unit % 10).unwrap_or(0);
        name.push(char::from(b'0' + digit));
        unit /= 10;
    }
    name
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
    /// Further places and the fix; most findings have neither.
    pub extra: Option<Box<Extra>>,
}

/// What only some findings carry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extra {
    /// Further places, e.g. "first seen here".
    pub secondary: Vec<Label>,
    /// How to mend it without asking anybody.
    pub fix: Option<Fix>,
}

/// A further place of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The bytes, perhaps of another file.
    pub span: Span,
    /// Field path there.
    pub path: Option<FieldPath>,
    /// What is there, in Japanese.
    pub ja: &'static str,
    /// What is there, in English.
    pub en: &'static str,
}

/// Whether a fix may be applied unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Applicability {
    /// It cannot change what the message means.
    Safe,
    /// Somebody has to look at it.
    Unsafe,
}

impl Applicability {
    /// `safe` or `unsafe`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Unsafe => "unsafe",
        }
    }
}

/// Edits that mend a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// Whether it may be applied unseen.
    pub applicability: Applicability,
    /// What it does, in Japanese.
    pub title_ja: &'static str,
    /// What it does, in English.
    pub title_en: &'static str,
    /// Bytes of the file as received and what replaces them: ascending, without overlaps.
    pub edits: Vec<(Span, Vec<u8>)>,
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
            extra: None,
        }
    }
    /// The same with one more place.
    #[must_use]
    pub fn with_label(mut self, label: Label) -> Self {
        self.extra.get_or_insert_default().secondary.push(label);
        self
    }
    /// The same with a fix.
    #[must_use]
    pub fn with_fix(mut self, fix: Fix) -> Self {
        self.extra.get_or_insert_default().fix = Some(fix);
        self
    }
    /// Further places.
    pub fn secondary(&self) -> &[Label] {
        self.extra.as_deref().map_or(&[], |e| &e.secondary)
    }
    /// The fix, if there is one.
    pub fn fix(&self) -> Option<&Fix> {
        self.extra.as_deref().and_then(|e| e.fix.as_ref())
    }
    /// The same with an argument for `{}`.
    #[must_use]
    pub fn with(mut self, argument: impl Into<Cow<'static, str>>) -> Self {
        self.argument = Some(argument.into());
        self
    }
    /// Text in Japanese.
    pub fn message_ja(&self) -> String {
        fill(
            self.code.ja,
            self.argument.as_deref().map(words::in_japanese),
        )
    }
    /// Text in English.
    pub fn message_en(&self) -> String {
        fill(self.code.en, self.argument.as_deref())
    }
}

fn fill(template: &str, argument: Option<&str>) -> String {
    let place = template.as_bytes().windows(2).position(|two| two == b"{}");
    let parts = place.and_then(|at| Some((template.get(..at)?, template.get(at + 2..)?)));
    let Some((before, after)) = parts else {
        return template.to_owned();
    };
    [before, argument.unwrap_or("—"), after].concat()
}

/// Finds a code by its number or its name.
pub fn lookup(code_or_name: &str) -> Option<Code> {
    catalogue::all().find(|e| e.code.eq_ignore_ascii_case(code_or_name) || e.name == code_or_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_fields_are_as_if_formatted() {
        for n in [0, 5, 9, 10, 64, 100, 65_535, usize::MAX] {
            assert_eq!(field_name("PID", n), format!("PID-{n}"));
        }
    }

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
    fn the_profile_is_what_demands_the_code() {
        let of = |code| lookup(code).map(|e| e.profile.word());
        for (code, word) in [
            ("ENC107", "ssmix2-1.2g"),
            ("SSM108", "ssmix2-1.2g"),
            ("MAP104", "convert"),
            ("CLN201", "convert"),
            ("FHR003", "fhir-r4"),
            ("FHR401", "fhir-r4"),
            ("JPC401", "jp-core"),
            ("CLN401", "jp-clins"),
        ] {
            assert_eq!(of(code), Some(word), "{code}");
        }
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
