//! One conversion job with its documented options: the same code behind the command line, the npm
//! package and the server, so that the same input and options give the same bytes everywhere.
#![forbid(unsafe_code)]

mod hits;
pub mod shared;

use std::borrow::Cow;

pub use hits::{Hits, MAX_HITS};
use serde::{Deserialize, Serialize};
use warifu_map::assemble::{self, BundleType, Entries, Unit};
use warifu_map::clins::{self, Part};
use warifu_map::{Converter, File, Hit, IdMode, Options, OutResource, Output};
use warifu_order::Map;
use warifu_report::Lang;
use warifu_report::finding::{Finding, Names, Source, finding, finding_among, names};
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

/// Where the files of a document go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attachments {
    /// Into a Binary each (default); one above 16 MiB is only named by hash, size and title.
    #[default]
    Inline,
    /// Nowhere: `url` is the path relative to the storage root.
    File,
}

/// Options of a job; names as in the npm package and, with dashes, the command line.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
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
    #[serde(serialize_with = "never_written")]
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
    /// Where the files of a document go.
    pub attachments: Attachments,
    /// Leaves the readable key of the source out of `identifier`.
    pub without_source_identifier: bool,
    /// `ja` (default) or `en`.
    pub lang: Option<String>,
    /// `utf16` (default), `utf8` or `codepoint`.
    pub positions: Option<String>,
    /// Whether frames quote values.
    pub show_values: bool,
    /// `auto` (default), `iso-2022-jp`, `utf-8`, `cp932` or `euc-jp`.
    pub charset: Option<String>,
}

/// A key is never written anywhere.
#[expect(clippy::ref_option, reason = "the signature serde asks for")]
fn never_written<S: serde::Serializer>(_: &Option<Vec<u8>>, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_none()
}

/// Words of `lang`, `positions` and `charset`.
const LANGUAGES: [&str; 2] = ["ja", "en"];
const POSITIONS: [&str; 3] = ["utf16", "utf8", "codepoint"];
const CHARSETS: [&str; 5] = ["auto", "iso-2022-jp", "utf-8", "cp932", "euc-jp"];

/// What a caller gives for an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionValue {
    /// Text.
    Text(String),
    /// True or false.
    Flag(bool),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Anything else: no option takes it.
    Other,
}

/// An option that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionError {
    /// The institution number is not 10 digits.
    Institution,
    /// Not one of the words of an option: its name, the words.
    Word(&'static str, Vec<&'static str>),
    /// Not of the kind an option takes: its name, the kind in words.
    Kind(&'static str, &'static str),
    /// No option has this name.
    Unknown(String),
    /// Not a FHIR instant.
    SentAt,
}

impl std::fmt::Display for OptionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Institution => f.write_str(
                "institution must be text of 10 digits; take the number of the hospital from its \
                 regional bureau, or leave the option out",
            ),
            Self::Word(option, words) => write!(
                f,
                "{option} must be one of {}; leave the option out for the default",
                words.join(", ")
            ),
            Self::Kind(option, expected) => write!(
                f,
                "{option} must be {expected}; leave the option out for the default"
            ),
            Self::Unknown(name) => write!(
                f,
                "unknown option {name}; the options are {}",
                JobOptions::NAMES.join(", ")
            ),
            Self::SentAt => f.write_str(
                "sentAt must be a FHIR instant such as 2026-04-01T09:30:00+09:00: give seconds and \
                 time zone",
            ),
        }
    }
}

/// The value of an option that takes one of some words.
fn word<T: Copy>(
    option: &'static str,
    value: &OptionValue,
    words: &[(&'static str, T)],
) -> Result<T, OptionError> {
    words
        .iter()
        .find(|(word, _)| matches!(value, OptionValue::Text(text) if text == word))
        .map(|(_, chosen)| *chosen)
        .ok_or_else(|| OptionError::Word(option, words.iter().map(|(word, _)| *word).collect()))
}

fn text(option: &'static str, value: OptionValue) -> Result<Option<String>, OptionError> {
    match value {
        OptionValue::Text(text) => Ok(Some(text)),
        _ => Err(OptionError::Kind(option, "text")),
    }
}

fn flag(option: &'static str, value: &OptionValue) -> Result<bool, OptionError> {
    match value {
        OptionValue::Flag(flag) => Ok(*flag),
        _ => Err(OptionError::Kind(option, "true or false")),
    }
}

impl std::error::Error for OptionError {}

impl JobOptions {
    /// Names of all options.
    pub const NAMES: [&'static str; 17] = [
        "to",
        "bundle",
        "per",
        "institution",
        "ids",
        "idKey",
        "sentAt",
        "sendingId",
        "strict",
        "trace",
        "provenance",
        "attachments",
        "withoutSourceIdentifier",
        "lang",
        "positions",
        "showValues",
        "charset",
    ];
    /// Sets an option by its name; shapes of texts are checked by [`JobOptions::validate`].
    ///
    /// # Errors
    /// The name is none of [`JobOptions::NAMES`], or the value is not what the option takes.
    pub fn set(&mut self, name: &str, value: OptionValue) -> Result<(), OptionError> {
        match name {
            "to" => {
                let words = [
                    ("bundle", To::Bundle),
                    ("ndjson", To::Ndjson),
                    ("clins", To::Clins),
                ];
                self.to = word("to", &value, &words)?;
            }
            "bundle" => {
                let words = [
                    ("transaction", BundleKind::Transaction),
                    ("collection", BundleKind::Collection),
                ];
                self.bundle = word("bundle", &value, &words)?;
            }
            "per" => {
                let words = [("message", Per::Message), ("patient", Per::Patient)];
                self.per = word("per", &value, &words)?;
            }
            "institution" => {
                self.institution =
                    text("institution", value).map_err(|_| OptionError::Institution)?;
            }
            "ids" => {
                let words = [("keyed", Ids::Keyed), ("readable", Ids::Readable)];
                self.ids = word("ids", &value, &words)?;
            }
            "idKey" => match value {
                OptionValue::Bytes(key) => self.id_key = Some(key),
                _ => return Err(OptionError::Kind("idKey", "bytes, 32 random ones")),
            },
            "sentAt" => self.sent_at = text("sentAt", value).map_err(|_| OptionError::SentAt)?,
            "sendingId" => self.sending_id = text("sendingId", value)?,
            "strict" => self.strict = flag("strict", &value)?,
            "trace" => self.trace = flag("trace", &value)?,
            "provenance" => self.provenance = flag("provenance", &value)?,
            "attachments" => {
                let words = [("inline", Attachments::Inline), ("file", Attachments::File)];
                self.attachments = word("attachments", &value, &words)?;
            }
            "withoutSourceIdentifier" => {
                self.without_source_identifier = flag("withoutSourceIdentifier", &value)?;
            }
            "lang" => {
                let words = LANGUAGES.map(|word| (word, word));
                self.lang = Some(word("lang", &value, &words)?.to_owned());
            }
            "positions" => {
                let words = POSITIONS.map(|word| (word, word));
                self.positions = Some(word("positions", &value, &words)?.to_owned());
            }
            "showValues" => self.show_values = flag("showValues", &value)?,
            "charset" => {
                let words = CHARSETS.map(|word| (word, word));
                self.charset = Some(word("charset", &value, &words)?.to_owned());
            }
            _ => return Err(OptionError::Unknown(name.to_owned())),
        }
        Ok(())
    }
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
        for (option, value, words) in [
            ("lang", &self.lang, &LANGUAGES[..]),
            ("positions", &self.positions, &POSITIONS[..]),
            ("charset", &self.charset, &CHARSETS[..]),
        ] {
            if value.as_deref().is_some_and(|v| !words.contains(&v)) {
                return Err(OptionError::Word(option, words.to_vec()));
            }
        }
        if self
            .sent_at
            .as_ref()
            .is_some_and(|t| !warifu_map::is_instant(t))
        {
            return Err(OptionError::SentAt);
        }
        Ok(())
    }
    /// What a Bundle is of, where so many files are converted together.
    pub fn unit(&self, files: usize) -> Unit {
        match self.per {
            Per::Patient => Unit::Person,
            Per::Message if files > 1 => Unit::Message,
            Per::Message => Unit::Whole,
        }
    }
    /// Type of the Bundles.
    pub fn bundle_type(&self) -> BundleType {
        match self.bundle {
            BundleKind::Transaction => BundleType::Transaction,
            BundleKind::Collection => BundleType::Collection,
        }
    }
    /// Options of the mapping.
    pub fn map_options(&self) -> Options {
        Options {
            institution: self.institution.clone(),
            ids: match self.ids {
                Ids::Keyed => IdMode::Keyed,
                Ids::Readable => IdMode::Readable,
            },
            id_key: self.id_key.clone(),
            sent_at: self.sent_at.clone(),
            sending_id: self.sending_id.clone(),
            trace: self.trace,
            provenance: self.provenance,
            charset: self.charset(),
            clins: self.to == To::Clins,
            attachments: match self.attachments {
                Attachments::Inline => warifu_map::Attachments::Inline,
                Attachments::File => warifu_map::Attachments::File,
            },
            without_source_identifier: self.without_source_identifier,
        }
    }
}

/// One source of a leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TraceSpan {
    /// File.
    pub file: String,
    /// For a record of a transaction file: its path in the storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// Field path.
    pub path: String,
}

/// Row of a mapping table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TraceRow {
    /// Table.
    pub table: Cow<'static, str>,
    /// Source field.
    pub source: Cow<'static, str>,
    /// Target element.
    pub target: Cow<'static, str>,
    /// Official Japanese name of the source.
    pub ja: Cow<'static, str>,
}

/// A leaf of the output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TraceHit {
    /// File of the output, relative to its folder; `None` where there is only one output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// `Type/id` of the Bundle, or of the resource on a line of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// RFC 6901 pointer into the output; with `resource`, into that.
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
    /// For a record of a transaction file: its path in the storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Field path.
    pub path: String,
    /// Byte range.
    pub span: [u64; 2],
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
    pub hits: Hits,
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
    pub counts: Map<&'static str, usize>,
}

/// One finished thing of a stream: a resource, or a whole Bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Resource type, `Bundle` for Bundles.
    pub resource_type: String,
    /// Logical id.
    pub id: String,
    /// Its bytes in [`Pieces::json`].
    pub range: std::ops::Range<usize>,
    /// Patients may share it: a stream writes it once, as [`shared`] has it.
    pub shared: bool,
    /// The file of whose message a Bundle is (`per` = `message`): its place among those given.
    pub source: Option<u16>,
    /// Its leaves in [`Pieces::hits`], when asked for; pointers are into the piece.
    pub hits: std::ops::Range<usize>,
    /// Whether all of its leaves are there; see [`MAX_HITS`].
    pub traced: bool,
}

/// What a unit of a stream gives: a patient, or a file outside any storage.
#[derive(Debug, Clone, Default)]
pub struct Pieces {
    /// JSON of all pieces, nothing between.
    pub json: Vec<u8>,
    /// The pieces in order.
    pub pieces: Vec<Piece>,
    /// The leaves of all pieces.
    pub hits: Hits,
    /// Findings, by file and span.
    pub diagnostics: Vec<Finding>,
    /// Fields that left no leaf, when a trace is asked for.
    pub unused: Vec<UnusedField>,
}

impl Pieces {
    /// A piece that was just written at `from`, and its leaves; it begins with its type and its id.
    fn add(&mut self, from: usize, source: Option<u16>) {
        let json = self.json.get(from..).unwrap_or_default();
        let (resource_type, id) = type_and_id(json);
        let shared = SHARED.contains(&resource_type);
        let (resource_type, id) = (resource_type.to_owned(), id.to_owned());
        self.pieces.push(Piece {
            resource_type,
            id,
            range: from..self.json.len(),
            shared,
            source,
            hits: self.pieces.last().map_or(0, |p| p.hits.end)..self.hits.bytes().len(),
            traced: self.hits.is_complete(),
        });
    }
}

/// Types of which patients share resources.
pub const SHARED: [&str; 4] = [
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "Location",
];

/// Type and id of a resource as this workspace writes them: first, in this order, without escapes.
pub fn type_and_id(json: &[u8]) -> (&str, &str) {
    let quoted = |rest: &[u8]| rest.iter().position(|&b| b == b'"');
    let text = |b| std::str::from_utf8(b).unwrap_or("");
    let rest = json
        .strip_prefix(br#"{"resourceType":""#)
        .unwrap_or_default();
    let Some((name, rest)) = quoted(rest).and_then(|n| rest.split_at_checked(n)) else {
        return ("", "");
    };
    let rest = rest.strip_prefix(br#"","id":""#).unwrap_or_default();
    let id = quoted(rest).and_then(|n| rest.get(..n)).unwrap_or_default();
    (text(name), text(id))
}

/// A converter with its options; memory is reused between jobs.
#[derive(Debug)]
pub struct Job {
    options: JobOptions,
    converter: Converter,
    out: Output,
    json: Vec<u8>,
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
            json: Vec::new(),
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
            .convert_alone(&[File { path, bytes }], &mut self.out);
        self.done(&[File { path, bytes }])
    }
    /// Converts one file to its JSON only: no findings are written out, no trace.
    pub fn convert_bytes(&mut self, path: &str, bytes: &[u8]) -> &[u8] {
        self.out.clear();
        self.converter
            .convert_alone(&[File { path, bytes }], &mut self.out);
        self.json.clear();
        write_output(
            &mut self.out,
            &self.options,
            self.converter.options(),
            &mut self.json,
        );
        &self.json
    }
    /// Converts all files of one patient.
    pub fn convert_patient(&mut self, files: &[File<'_>]) -> Converted {
        self.out.clear();
        self.converter.convert_patient(files, &mut self.out);
        self.done(files)
    }
    /// Converts all files of one patient, or one loose file (`patient` = false), into the pieces of
    /// a stream: resources (`ndjson`), one Bundle a message or patient (`bundle`), or JP-CLINS
    /// Bundles (`clins`).
    pub fn pieces(&mut self, files: &[File<'_>], patient: bool) -> Pieces {
        self.out.clear();
        if patient {
            self.converter.convert_patient(files, &mut self.out);
        } else {
            self.converter.convert_alone(files, &mut self.out);
        }
        let mut made = Pieces::default();
        if self.options.trace {
            made.hits = Hits::of(files);
        }
        match self.options.to {
            To::Ndjson => self.resources(&mut made),
            To::Bundle => {
                let kind = self.options.bundle_type();
                let unit = self.options.unit(files.len());
                for (entries, kind) in assemble::bundles(&self.out, unit, kind) {
                    self.bundle(&entries, kind, &mut made);
                }
            }
            To::Clins => clins_pieces(&mut self.out, self.converter.options(), &mut made),
        }
        made.diagnostics = findings(&self.out, files, &self.options);
        if self.options.trace {
            made.unused = unused(&self.out, files);
        }
        made
    }
    fn resources(&self, made: &mut Pieces) {
        made.json.reserve(self.out.json.len());
        for r in &self.out.resources {
            let from = made.json.len();
            made.json.extend_from_slice(self.out.json_of(r));
            if self.options.trace {
                resource_hits(&self.out, r, "", &mut made.hits);
            }
            made.add(from, None);
        }
        if !self.out.deletes.is_empty() {
            let entries = assemble::deletions(&self.out);
            self.bundle(&entries, BundleType::Transaction, made);
        }
    }
    fn bundle(&self, entries: &Entries<'_>, kind: BundleType, made: &mut Pieces) {
        let options = self.converter.options();
        let from = made.json.len();
        entries.write(options, kind, &mut made.json);
        if self.options.trace {
            bundle_hits(entries, options, kind, &mut made.hits);
        }
        made.add(from, entries.message());
    }
    /// Findings about the options themselves (public key, unknown institution): once a run.
    pub fn option_findings(&self) -> Vec<Finding> {
        self.converter
            .option_findings()
            .iter()
            .map(|d| finding(d, "", None, self.options.language(), self.options.units()))
            .collect()
    }
    /// The raw output of the last conversion.
    pub fn output(&self) -> &Output {
        &self.out
    }
    fn done(&mut self, files: &[File<'_>]) -> Converted {
        let mut json = Vec::with_capacity(self.out.json.len() + 512);
        let (options, map_options) = (&self.options, self.converter.options());
        let parts = write_output(&mut self.out, options, map_options, &mut json);
        Converted {
            json,
            diagnostics: findings(&self.out, files, options),
            trace: options.trace.then(|| match options.to {
                To::Clins => clins_trace(&self.out, &parts, files),
                To::Bundle | To::Ndjson => trace(&self.out, files, options, map_options),
            }),
            counts: self.out.counts(),
        }
    }
}

/// Writes an output in the form the options ask for; gives the parts of `clins`.
pub fn write_output(
    out: &mut Output,
    options: &JobOptions,
    map_options: &Options,
    dst: &mut Vec<u8>,
) -> Vec<Part> {
    match options.to {
        To::Bundle => assemble::bundle(out, map_options, options.bundle_type(), dst),
        To::Ndjson => {
            assemble::ndjson(out, dst);
            if !out.deletes.is_empty() {
                let entries = assemble::deletions(out);
                entries.write(map_options, BundleType::Transaction, dst);
                dst.push(b'\n');
            }
        }
        To::Clins => return write_clins(out, map_options, dst),
    }
    Vec::new()
}

/// Of [`write_output`] what JP-CLINS alone needs: in wasm it is a part of its own, as is what it calls.
#[inline(never)]
fn write_clins(out: &mut Output, options: &Options, dst: &mut Vec<u8>) -> Vec<Part> {
    let parts = clins::parts(out, options);
    for part in &parts {
        dst.extend_from_slice(&part.bytes);
        if !part.bytes.is_empty() && !part.bytes.ends_with(b"\n") {
            dst.push(b'\n');
        }
    }
    parts
}

/// The same of [`Job::pieces`].
#[inline(never)]
fn clins_pieces(out: &mut Output, options: &Options, made: &mut Pieces) {
    for part in clins::parts(out, options) {
        let mut hits = part.hits.into_iter();
        for line in part.bytes.split(|&b| b == b'\n').filter(|l| !l.is_empty()) {
            let from = made.json.len();
            made.json.extend_from_slice(line);
            if let Some(own) = hits.next() {
                keep(&mut made.hits, "", &mut own.into_iter());
            }
            made.add(from, None);
        }
    }
}

/// Findings of an output in order of file, span and code.
pub fn findings(out: &Output, files: &[File<'_>], options: &JobOptions) -> Vec<Finding> {
    let mut texts: Map<u32, SourceText> = Map::new();
    let mut order: Vec<usize> = (0..out.diagnostics.len()).collect();
    warifu_order::sort_by_key(&mut order, |i| {
        let d = out.diagnostics.get(*i)?;
        Some((d.span, d.code.code, d.argument.as_deref()))
    });
    // Two elements may read one field: what is the same is said once. What names no bytes is counted.
    let said = |i: usize| {
        let d = out.diagnostics.get(i).filter(|d| d.span.end > 0)?;
        Some((d.span, d.code.code, d.argument.as_deref()))
    };
    order.dedup_by(|b, a| said(*a).is_some() && said(*a) == said(*b));
    order
        .into_iter()
        .filter_map(|i| out.diagnostics.get(i))
        .map(|d| {
            let file_of = |id: warifu_diag::SourceId| files.get(usize::try_from(id.0).ok()?);
            let text = match (d.span.end > 0, file_of(d.span.source)) {
                (true, Some(f)) => Some(&*texts.entry(d.span.source.0).or_insert_with(|| {
                    let charset = options.charset();
                    let charset = charset.unwrap_or_else(|| warifu_source::detect(f.bytes));
                    SourceText::new(f.bytes, charset)
                })),
                _ => None,
            };
            // What lies in another file is named by that file alone.
            let source = |id| {
                file_of(id).map(|f| Source {
                    file: f.path,
                    text: text.filter(|_| id == d.span.source),
                })
            };
            finding_among(d, &source, options.language(), options.units())
        })
        .collect()
}

/// The trace of an output; pointers are into what [`write_output`] writes for `bundle` and `ndjson`.
#[inline(never)]
pub fn trace(
    out: &Output,
    files: &[File<'_>],
    options: &JobOptions,
    map_options: &Options,
) -> Trace {
    let mut hits = Hits::of(files);
    if options.to == To::Bundle {
        let kind = options.bundle_type();
        bundle_hits(&Entries::whole(out), map_options, kind, &mut hits);
    } else {
        for (i, r) in out.resources.iter().enumerate() {
            resource_hits(out, r, &format!("/{i}"), &mut hits);
        }
    }
    Trace {
        hits,
        unused: unused(out, files),
    }
}

// Tracing is kept apart from what converts: in wasm it is a part of its own.

/// Keeps leaves of JP-CLINS.
#[inline(never)]
fn keep(kept: &mut Hits, prefix: &str, hits: &mut dyn Iterator<Item = Hit>) {
    kept.add(prefix, hits);
}

/// Keeps the leaves of a Bundle.
#[inline(never)]
fn bundle_hits(entries: &Entries<'_>, options: &Options, kind: BundleType, kept: &mut Hits) {
    kept.add("", &mut entries.trace(options, kind));
}

/// Keeps the leaves of a resource.
#[inline(never)]
fn resource_hits(out: &Output, r: &OutResource, prefix: &str, kept: &mut Hits) {
    warifu_map::trace::each_hit(out, r, &mut |hit| kept.take(prefix, hit));
}

/// The leaves of a Bundle, one at a time; pointers are into it.
pub fn bundle_trace<'t>(
    entries: &'t Entries<'_>,
    options: &Options,
    kind: BundleType,
    files: &'t [File<'_>],
) -> impl Iterator<Item = TraceHit> + 't {
    entries.trace(options, kind).map(move |h| hit(h, files))
}

/// The leaves of a resource, one at a time; pointers are into it.
pub fn resource_trace<'t>(
    out: &'t Output,
    r: &'t OutResource,
    files: &'t [File<'_>],
) -> impl Iterator<Item = TraceHit> + 't {
    warifu_map::trace::hits(out, r).map(move |h| hit(h, files))
}

/// The leaves of each line of a JP-CLINS part; pointers are into the line.
pub fn part_trace<'t>(
    part: &'t Part,
    files: &'t [File<'_>],
) -> impl Iterator<Item = impl Iterator<Item = TraceHit> + 't> + 't {
    part.hits
        .iter()
        .map(move |line| line.iter().map(move |h| hit(h.clone(), files)))
}

/// The trace of JP-CLINS parts; pointers are into the lines that [`write_output`] writes.
#[inline(never)]
pub fn clins_trace(out: &Output, parts: &[Part], files: &[File<'_>]) -> Trace {
    let mut hits = Hits::of(files);
    for (i, line) in parts.iter().flat_map(|part| &part.hits).enumerate() {
        keep(&mut hits, &format!("/{i}"), &mut line.iter().cloned());
    }
    Trace {
        hits,
        unused: unused(out, files),
    }
}

fn path_of(files: &[File<'_>], n: u16) -> String {
    files.get(usize::from(n)).map_or("", |f| f.path).to_owned()
}

fn hit(h: Hit, files: &[File<'_>]) -> TraceHit {
    TraceHit {
        output: None,
        resource: None,
        pointer: h.pointer,
        row: h.row.map(|r| TraceRow {
            table: r.table.into(),
            source: r.source.into(),
            target: r.target.into(),
            ja: r.ja.into(),
        }),
        spans: h
            .spans
            .into_iter()
            .map(|s| TraceSpan {
                file: path_of(files, s.message),
                record: None,
                start: s.start.into(),
                end: s.end.into(),
                path: s.path,
            })
            .collect(),
    }
}

/// Fields of an output that left no leaf.
#[inline(never)]
pub fn unused(out: &Output, files: &[File<'_>]) -> Vec<UnusedField> {
    out.unused
        .iter()
        .map(|u| {
            let n = names(&u.path).unwrap_or(Names {
                ja: String::new(),
                en: String::new(),
            });
            UnusedField {
                file: path_of(files, u.message),
                record: None,
                path: u.path.to_string(),
                span: [u.start, u.end].map(u64::from),
                reason: u.reason.word(),
                ja: n.ja,
                en: n.en,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_options() {
        let value = serde_json::to_value(JobOptions::default()).unwrap();
        let mut found: Vec<&str> = value
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let mut named = JobOptions::NAMES.to_vec();
        found.sort_unstable();
        named.sort_unstable();
        assert_eq!(found, named);
    }

    #[test]
    fn pieces_of_a_message_are_the_bundle() {
        let message = b"MSH|^~\\&|A||B||20260401093000||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994\rPID|1||990001^^^^PI||X^Y||19700101|F\r";
        let file = File {
            path: "x",
            bytes: message,
        };
        let mut job = Job::new(JobOptions::default()).unwrap();
        let whole = job.convert("x", message);
        let made = job.pieces(&[file], false);
        assert_eq!(made.json, whole.json);
        assert_eq!(made.pieces.len(), 1);
        assert_eq!(made.pieces[0].resource_type, "Bundle");
        assert_eq!(made.pieces[0].id.len(), 36);
        let mut lines = Job::new(JobOptions {
            to: To::Ndjson,
            ..JobOptions::default()
        })
        .unwrap();
        let whole = lines.convert("x", message);
        let made = lines.pieces(&[file], true);
        let mut joined = Vec::new();
        for p in &made.pieces {
            joined.extend_from_slice(&made.json[p.range.clone()]);
            joined.push(b'\n');
        }
        assert!(made.pieces.iter().any(|p| p.resource_type == "Patient"));
        assert_eq!(joined, whole.json);
        // Of several messages each Bundle says which file it is of; one that makes nothing has none.
        let other = message.map(|b| if b == b'9' { b'8' } else { b });
        let other = File {
            path: "y",
            bytes: &other,
        };
        let made = job.pieces(&[file, file, other], false);
        let sources: Vec<_> = made.pieces.iter().map(|p| p.source).collect();
        assert_eq!(sources, [Some(0), Some(2)]);
    }

    #[test]
    fn options_are_set_by_name_and_refused_in_words() {
        let text = |t: &str| OptionValue::Text(t.to_owned());
        let mut o = JobOptions::default();
        for (name, value) in [
            ("to", text("ndjson")),
            ("bundle", text("collection")),
            ("per", text("patient")),
            ("institution", text("13")),
            ("ids", text("readable")),
            ("idKey", OptionValue::Bytes(vec![1])),
            ("sentAt", text("2026-04-01T00:30:00Z")),
            ("sendingId", text("1")),
            ("strict", OptionValue::Flag(true)),
            ("trace", OptionValue::Flag(true)),
            ("provenance", OptionValue::Flag(true)),
            ("attachments", text("file")),
            ("withoutSourceIdentifier", OptionValue::Flag(true)),
            ("lang", text("en")),
            ("positions", text("utf8")),
            ("showValues", OptionValue::Flag(true)),
            ("charset", text("cp932")),
        ] {
            assert!(JobOptions::NAMES.contains(&name), "{name}");
            let before = format!("{o:?}");
            assert_eq!(o.set(name, value), Ok(()));
            assert_ne!(format!("{o:?}"), before, "{name} changes nothing");
            let message = o.set(name, OptionValue::Other).unwrap_err().to_string();
            assert!(
                message.starts_with(&format!("{name} must be ")),
                "{message}"
            );
        }
        assert_eq!(o.validate(), Err(OptionError::Institution));
        o.institution = None;
        o.sent_at = Some("2026-02-30T09:30:00Z".to_owned());
        assert_eq!(o.validate(), Err(OptionError::SentAt));
        let unknown = o.set("tu", text("bundle")).unwrap_err();
        assert_eq!(unknown, OptionError::Unknown("tu".to_owned()));
        assert!(unknown.to_string().contains("the options are to, bundle, "));
        let word = o.set("to", text("xml")).unwrap_err().to_string();
        assert!(
            word.starts_with("to must be one of bundle, ndjson, clins"),
            "{word}"
        );
    }
}
