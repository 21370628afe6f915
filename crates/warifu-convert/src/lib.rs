//! One conversion job with its documented options: the same code behind the command line, the npm
//! package and the server, so that the same input and options give the same bytes everywhere.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use warifu_map::assemble::{self, BundleType};
use warifu_map::{Converter, File, IdMode, Options, Output, ReferenceStyle};
use warifu_report::Lang;
use warifu_report::finding::{Finding, Names, finding, names};
use warifu_report::position::{SourceText, Units};
use warifu_source::Charset;

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum To {
    /// Bundles.
    #[default]
    Bundle,
    /// One resource a line.
    Ndjson,
    /// JP-CLINS Bundles, one a line, and `MedicationRequests`.
    Clins,
}

/// Type of Bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BundleKind {
    /// `transaction` (default).
    #[default]
    Transaction,
    /// `collection`.
    Collection,
}

/// Unit of a Bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// One a storage file (default).
    #[default]
    Message,
    /// One a patient.
    Patient,
}

/// Kind of logical ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ids {
    /// Keyed UUIDs (default).
    #[default]
    Keyed,
    /// The published readable form.
    Readable,
}

/// Options of a job; names as in the npm package and, with dashes, the command line.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a documented flag of its own"
)]
pub struct JobOptions {
    /// Form of the output.
    pub to: To,
    /// Type of Bundle.
    pub bundle: BundleKind,
    /// Unit of a Bundle.
    pub per: Per,
    /// The institution's 10-digit number.
    pub institution: Option<String>,
    /// Kind of logical ids.
    pub ids: Ids,
    /// The site's key for ids.
    #[serde(with = "bytes_or_none")]
    pub id_key: Option<Vec<u8>>,
    /// "Sent at", FHIR instant.
    pub sent_at: Option<String>,
    /// "Sending id".
    pub sending_id: Option<String>,
    /// Whether warnings count as failures (exit code of the command line).
    pub strict: bool,
    /// Whether leaves are traced.
    pub trace: bool,
    /// Whether one Provenance a file is made.
    pub provenance: bool,
    /// `ja` (default) or `en`.
    pub lang: Option<String>,
    /// `utf16` (default), `utf8` or `codepoint`.
    pub positions: Option<String>,
    /// Whether frames quote values.
    pub show_values: bool,
    /// `auto` (default), `iso-2022-jp`, `utf-8`, `cp932` or `euc-jp`.
    pub charset: Option<String>,
}

#[expect(clippy::ref_option, reason = "the signature serde asks for")]
mod bytes_or_none {
    use serde::{Deserialize, Deserializer, Serializer};
    pub(super) fn serialize<S: Serializer>(_: &Option<Vec<u8>>, s: S) -> Result<S::Ok, S::Error> {
        // A key is never written anywhere.
        s.serialize_none()
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        Option::<Vec<u8>>::deserialize(d)
    }
}

/// An option that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionError {
    /// The institution number is not 10 digits.
    Institution,
    /// Not one of the words of an option.
    Word(&'static str),
    /// Not a FHIR instant.
    SentAt,
}

impl std::fmt::Display for OptionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Institution => f.write_str("institution must be 10 digits"),
            Self::Word(option) => write!(f, "unknown value for {option}"),
            Self::SentAt => {
                f.write_str("sentAt must be a FHIR instant such as 2026-04-01T09:30:00+09:00")
            }
        }
    }
}

impl std::error::Error for OptionError {}

impl JobOptions {
    /// Language of texts.
    pub fn language(&self) -> Lang {
        if self.lang.as_deref() == Some("en") {
            Lang::En
        } else {
            Lang::Ja
        }
    }
    /// Units of columns.
    pub fn units(&self) -> Units {
        match self.positions.as_deref() {
            Some("utf8") => Units::Utf8,
            Some("codepoint") => Units::CodePoint,
            _ => Units::Utf16,
        }
    }
    /// Charset to read by; `None` = the bytes decide.
    pub fn charset(&self) -> Option<Charset> {
        match self.charset.as_deref() {
            Some("iso-2022-jp") => Some(Charset::Iso2022Jp),
            Some("utf-8") => Some(Charset::Utf8),
            Some("cp932") => Some(Charset::Cp932),
            Some("euc-jp") => Some(Charset::EucJp),
            _ => None,
        }
    }
    /// Checks words and shapes.
    ///
    /// # Errors
    /// The first option that cannot be.
    pub fn validate(&self) -> Result<(), OptionError> {
        let digits = |s: &String| s.len() == 10 && s.bytes().all(|b| b.is_ascii_digit());
        if self.institution.as_ref().is_some_and(|s| !digits(s)) {
            return Err(OptionError::Institution);
        }
        let known =
            |v: &Option<String>, words: &[&str]| v.as_deref().is_none_or(|v| words.contains(&v));
        if !known(&self.lang, &["ja", "en"]) {
            return Err(OptionError::Word("lang"));
        }
        if !known(&self.positions, &["utf16", "utf8", "codepoint"]) {
            return Err(OptionError::Word("positions"));
        }
        if !known(
            &self.charset,
            &["auto", "iso-2022-jp", "utf-8", "cp932", "euc-jp"],
        ) {
            return Err(OptionError::Word("charset"));
        }
        if self.sent_at.as_ref().is_some_and(|t| !is_instant(t)) {
            return Err(OptionError::SentAt);
        }
        Ok(())
    }
    /// Options of the mapping.
    pub fn map_options(&self) -> Options {
        let keyed = self.ids == Ids::Keyed;
        Options {
            institution: self.institution.clone(),
            ids: if keyed {
                IdMode::Keyed
            } else {
                IdMode::Readable
            },
            id_key: self.id_key.clone(),
            references: if self.to == To::Bundle && keyed {
                ReferenceStyle::UrnUuid
            } else {
                ReferenceStyle::Relative
            },
            sent_at: self.sent_at.clone(),
            sending_id: self.sending_id.clone(),
            trace: self.trace,
            provenance: self.provenance,
            charset: self.charset(),
            without_source_identifier: false,
        }
    }
}

fn is_instant(t: &str) -> bool {
    let b = t.as_bytes();
    let shape = |i: usize, c: u8| b.get(i) == Some(&c);
    let digits = |a: usize, e: usize| {
        b.get(a..e)
            .is_some_and(|s| s.iter().all(u8::is_ascii_digit))
    };
    let head = digits(0, 4)
        && shape(4, b'-')
        && digits(5, 7)
        && shape(7, b'-')
        && digits(8, 10)
        && shape(10, b'T')
        && digits(11, 13)
        && shape(13, b':')
        && digits(14, 16)
        && shape(16, b':')
        && digits(17, 19);
    let mut rest = t.get(19..).unwrap_or("");
    if let Some(f) = rest.strip_prefix('.') {
        let end = f.find(|c: char| !c.is_ascii_digit()).unwrap_or(f.len());
        if end == 0 {
            return false;
        }
        rest = f.get(end..).unwrap_or("");
    }
    let zone = rest.as_bytes();
    head && (rest == "Z"
        || (zone.len() == 6
            && matches!(zone.first(), Some(b'+' | b'-'))
            && zone.get(3) == Some(&b':')))
}

/// One source of a leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TraceSpan {
    /// File.
    pub file: String,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// Field path.
    pub path: String,
}

/// Row of a mapping table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TraceRow {
    /// Table.
    pub table: &'static str,
    /// Source field.
    pub source: &'static str,
    /// Target element.
    pub target: &'static str,
    /// Official Japanese name of the source.
    pub ja: &'static str,
}

/// A leaf of the output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TraceHit {
    /// RFC 6901 pointer into the output.
    pub pointer: String,
    /// Row; `None` for what the engine writes itself.
    pub row: Option<TraceRow>,
    /// Sources; empty for constants.
    pub spans: Vec<TraceSpan>,
}

/// A field that left no leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnusedField {
    /// File.
    pub file: String,
    /// Field path.
    pub path: String,
    /// Byte range.
    pub span: [u32; 2],
    /// `ignored`, `lost` or `unknown`.
    pub reason: &'static str,
    /// Japanese name.
    pub ja: String,
    /// English name.
    pub en: String,
}

/// The trace of a job.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Trace {
    /// Leaves.
    pub hits: Vec<TraceHit>,
    /// Fields that left none.
    pub unused: Vec<UnusedField>,
}

/// What a job gives.
#[derive(Debug, Clone, Default)]
pub struct Converted {
    /// UTF-8 JSON: a Bundle, or lines.
    pub json: Vec<u8>,
    /// Findings, by file and span.
    pub diagnostics: Vec<Finding>,
    /// The trace, when asked for.
    pub trace: Option<Trace>,
    /// Number of resources by type.
    pub counts: BTreeMap<&'static str, usize>,
}

/// A converter with its options; memory is reused between jobs.
#[derive(Debug)]
pub struct Job {
    options: JobOptions,
    converter: Converter,
    out: Output,
}

impl Job {
    /// A job with checked options.
    ///
    /// # Errors
    /// The first option that cannot be.
    pub fn new(options: JobOptions) -> Result<Self, OptionError> {
        options.validate()?;
        let converter = Converter::new(options.map_options());
        Ok(Self {
            options,
            converter,
            out: Output::new(),
        })
    }
    /// The options.
    pub fn options(&self) -> &JobOptions {
        &self.options
    }
    /// Converts one file.
    pub fn convert(&mut self, path: &str, bytes: &[u8]) -> Converted {
        self.out.clear();
        self.converter
            .convert(File { path, bytes }, 0, &mut self.out);
        self.done(&[File { path, bytes }])
    }
    /// Converts all files of one patient.
    pub fn convert_patient(&mut self, files: &[File<'_>]) -> Converted {
        self.out.clear();
        self.converter.convert_patient(files, &mut self.out);
        self.done(files)
    }
    /// The raw output of the last conversion.
    pub fn output(&self) -> &Output {
        &self.out
    }
    fn done(&self, files: &[File<'_>]) -> Converted {
        let mut json = Vec::with_capacity(self.out.json.len() + 512);
        write_output(
            &self.out,
            &self.options,
            self.converter.options(),
            &mut json,
        );
        Converted {
            json,
            diagnostics: findings(&self.out, files, &self.options),
            trace: self
                .options
                .trace
                .then(|| trace(&self.out, files, &self.options)),
            counts: self.out.counts(),
        }
    }
}

/// Writes an output in the form the options ask for.
pub fn write_output(out: &Output, options: &JobOptions, map_options: &Options, dst: &mut Vec<u8>) {
    match options.to {
        To::Bundle => {
            let kind = match options.bundle {
                BundleKind::Transaction => BundleType::Transaction,
                BundleKind::Collection => BundleType::Collection,
            };
            assemble::bundle(out, map_options, kind, dst);
        }
        To::Ndjson | To::Clins => assemble::ndjson(out, dst),
    }
}

/// Findings of an output in order of file, span and code.
pub fn findings(out: &Output, files: &[File<'_>], options: &JobOptions) -> Vec<Finding> {
    let mut texts: BTreeMap<u32, SourceText> = BTreeMap::new();
    let mut order: Vec<usize> = (0..out.diagnostics.len()).collect();
    order.sort_by_key(|i| out.diagnostics.get(*i).map(|d| (d.span, d.code.code)));
    order
        .into_iter()
        .filter_map(|i| out.diagnostics.get(i))
        .map(|d| {
            let file = usize::try_from(d.span.source.0)
                .ok()
                .and_then(|i| files.get(i));
            let source = match (d.span.end > 0, file) {
                (true, Some(f)) => {
                    let charset = options
                        .charset()
                        .unwrap_or_else(|| warifu_source::detect(f.bytes));
                    Some(
                        &*texts
                            .entry(d.span.source.0)
                            .or_insert_with(|| SourceText::new(f.bytes, charset)),
                    )
                }
                _ => None,
            };
            finding(
                d,
                file.map_or("", |f| f.path),
                source,
                options.language(),
                options.units(),
            )
        })
        .collect()
}

/// The trace of an output; pointers are into what [`write_output`] writes.
pub fn trace(out: &Output, files: &[File<'_>], options: &JobOptions) -> Trace {
    let path_of = |n: u16| files.get(usize::from(n)).map_or("", |f| f.path).to_owned();
    let mut hits = Vec::new();
    for (i, r) in out.resources.iter().enumerate() {
        let prefix = match options.to {
            To::Bundle => format!("/entry/{i}/resource"),
            To::Ndjson | To::Clins => format!("/{i}"),
        };
        for h in warifu_map::trace::hits(out, r) {
            hits.push(TraceHit {
                pointer: format!("{prefix}{}", h.pointer),
                row: h.row.map(|r| TraceRow {
                    table: r.table,
                    source: r.source,
                    target: r.target,
                    ja: r.ja,
                }),
                spans: h
                    .spans
                    .into_iter()
                    .map(|s| TraceSpan {
                        file: path_of(s.message),
                        start: s.start,
                        end: s.end,
                        path: s.path,
                    })
                    .collect(),
            });
        }
    }
    let unused = out
        .unused
        .iter()
        .map(|u| {
            let n = names(&u.path).unwrap_or(Names {
                ja: String::new(),
                en: String::new(),
            });
            UnusedField {
                file: path_of(u.message),
                path: u.path.to_string(),
                span: [u.start, u.end],
                reason: u.reason.word(),
                ja: n.ja,
                en: n.en,
            }
        })
        .collect();
    Trace { hits, unused }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_recognised() {
        for (t, want) in [
            ("2026-04-01T09:30:00+09:00", true),
            ("2026-04-01T00:30:00Z", true),
            ("2026-04-01T00:30:00.123Z", true),
            ("2026-04-01", false),
            ("2026-04-01T09:30:00", false),
        ] {
            assert_eq!(is_instant(t), want, "{t}");
        }
    }

    #[test]
    fn unknown_options_are_refused() {
        assert!(serde_json::from_str::<JobOptions>(r#"{"tu":"bundle"}"#).is_err());
        let o: JobOptions = serde_json::from_str(r#"{"to":"ndjson","institution":"13"}"#).unwrap();
        assert_eq!(o.validate(), Err(OptionError::Institution));
    }
}
