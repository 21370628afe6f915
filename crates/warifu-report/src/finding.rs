//! A diagnostic as data: the JSON of ux-tools §B (`warifu.diagnostics/1`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use warifu_diag::{Diagnostic, FieldPath, SourceId, Span};
use warifu_ssmix2::{FileName, Place, components, locate};

use crate::Lang;
use crate::position::{Position, SourceText, Units};

/// Names of a field in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// Official Japanese name.
    pub ja: String,
    /// English name.
    pub en: String,
}

/// Where a finding is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// File, relative, `/` between folders.
    pub file: String,
    /// For a record of a transaction file: the path it has in the standard (or extended) storage.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub record: Option<String>,
    /// Half-open byte range of the file as received.
    pub span: [u64; 2],
    /// Start.
    pub start: Position,
    /// End, exclusive.
    pub end: Position,
    /// HL7 path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Name of the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<Names>,
    /// What is there (further places only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Label {
    /// Puts a whole file's label to a place in it: bytes of one line, all of them ASCII, and the line and
    /// the column of the first, from 1.
    pub fn put(&mut self, start: u64, end: u64, (line, column): (u32, u32)) {
        let width = u32::try_from(end.saturating_sub(start)).unwrap_or(u32::MAX);
        let at = |column| Position { line, column };
        self.span = [start, end];
        (self.start, self.end) = (at(column), at(column.saturating_add(width)));
    }
}

/// How to mend a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixView {
    /// `safe` (cannot change the meaning) or `unsafe`.
    pub applicability: String,
    /// What it does.
    pub title: String,
    /// Edits, ascending.
    pub edits: Vec<Edit>,
}

/// One edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The bytes replaced.
    pub span: [u64; 2],
    /// What replaces them, in base64.
    pub bytes: String,
}

/// What a finding on a FHIR resource says more; `path` of its place is FHIRPath.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FhirView {
    /// Profiles that demand it, as `url|version`; empty: R4 core.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub profiles: Vec<String>,
    /// Id of the element definition that demands it, or the type of R4.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub element: String,
    /// What is demanded.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub expected: String,
    /// Expression of the invariant that is broken.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub expression: String,
    /// What stands there; its shape only, unless values may be shown or it is a name of R4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// Why slices and profiles did not match.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub reasons: Vec<String>,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable code.
    pub code: String,
    /// Name of the code.
    pub name: String,
    /// `error`, `warning` or `info`.
    pub severity: String,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub primary: Label,
    /// Further places.
    pub secondary: Vec<Label>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// How to mend it.
    #[cfg_attr(feature = "converter", serde(skip_serializing))]
    #[cfg_attr(
        not(feature = "converter"),
        serde(skip_serializing_if = "Option::is_none")
    )]
    pub fix: Option<FixView>,
    /// Data kind of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Document and section.
    pub standard: String,
    /// What makes it the same finding in two runs; see [`crate::fingerprint`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// What only findings on FHIR resources have.
    #[cfg_attr(feature = "converter", serde(skip_serializing, default))]
    #[cfg_attr(
        not(feature = "converter"),
        serde(skip_serializing_if = "Option::is_none", default)
    )]
    pub fhir: Option<Box<FhirView>>,
}

impl Finding {
    /// Turns places in records of transaction files into places in these; `within` knows where the record
    /// of a path lies.
    pub fn place<'w>(&mut self, within: impl Fn(&str) -> Option<&'w Within>) {
        if let Some(own) = within(&self.primary.file) {
            own.place(&mut self.primary);
            let edits = self.fix.iter_mut().flat_map(|f| &mut f.edits);
            for edit in edits {
                edit.span = edit.span.map(|byte| own.byte(byte));
            }
        }
        for label in &mut self.secondary {
            if let Some(own) = within(&label.file) {
                own.place(label);
            }
        }
    }

    /// Whether `--fix` mends it, which does not rewrite transaction files.
    pub fn is_safely_fixable(&self) -> bool {
        let safe = self.fix.as_ref().is_some_and(|f| f.applicability == "safe");
        safe && self.primary.record.is_none()
    }
}

/// Where a file lies that was received as a part of another: a record of a transaction file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Within {
    /// The transaction file, as shown.
    pub file: String,
    /// Path of the record in the standard (or extended) storage, as shown.
    pub record: String,
    /// Offset of its header line.
    pub header: u64,
    /// Line of the header, from 1; the record begins with the next.
    pub line: u32,
    /// Offset of its first byte.
    pub message: u64,
}

/// Bytes of `#SSMIX`, which begins every header line: the place of what is said about a whole record.
const MARK: u64 = 6;

impl Within {
    /// Line of the file that a line of the record is.
    pub fn line(&self, line: u32) -> u32 {
        self.line.saturating_add(line)
    }

    /// Byte of the file that a byte of the record is.
    pub fn byte(&self, byte: u64) -> u64 {
        self.message.saturating_add(byte)
    }

    /// Turns a place in the record into one in the file.
    pub fn place(&self, label: &mut Label) {
        label.file.clone_from(&self.file);
        label.record = Some(self.record.clone());
        if label.span[1] == 0 {
            label.put(
                self.header,
                self.header.saturating_add(MARK),
                (self.line, 1),
            );
            return;
        }
        label.span = label.span.map(|byte| self.byte(byte));
        for at in [&mut label.start, &mut label.end] {
            at.line = self.line(at.line);
        }
    }
}

/// Whether findings name fields: always, but for a converter in parts, which says when it has the names.
#[cfg(feature = "converter")]
static NAMED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Findings name fields from now on.
#[cfg(feature = "converter")]
pub fn name_fields() {
    NAMED.store(true, std::sync::atomic::Ordering::Relaxed);
}

fn names_where_loaded(path: &FieldPath) -> Option<Names> {
    #[cfg(feature = "converter")]
    if !NAMED.load(std::sync::atomic::Ordering::Relaxed) {
        return None;
    }
    names(path)
}

/// Names of the field (and component) of a path. With them, it is a part of a converter in parts.
#[inline(never)]
pub fn names(path: &FieldPath) -> Option<Names> {
    let number = usize::try_from(path.field).unwrap_or(0);
    let (en, ja) = warifu_terms::fields::field_names(path.segment_name(), number)?;
    Some(Names {
        ja: ja.to_owned(),
        en: en.to_owned(),
    })
}

/// Data kind that the path of a storage file says, as in its folder.
pub fn kind_of(path: &str) -> Option<String> {
    let parts: Vec<&str> = components(path).collect();
    if let Place::Item(item) = locate(&parts) {
        return Some(item.kind.to_owned());
    }
    let name = FileName::parse(parts.last()?).ok()?;
    Some(name.kind.to_owned())
}

/// A file of a unit, as shown, with its text where positions are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Source<'s> {
    /// Path as shown.
    pub file: &'s str,
    /// Decoded text; whole-file findings need none.
    pub text: Option<&'s SourceText>,
}

/// Makes a finding; `source` gives line and column (whole-file findings need none).
pub fn finding(
    d: &Diagnostic,
    file: &str,
    source: Option<&SourceText>,
    lang: Lang,
    units: Units,
) -> Finding {
    let own = Source { file, text: source };
    finding_among(d, &|id| (id == d.span.source).then_some(own), lang, units)
}

/// Makes a finding whose further places may lie in other files: `source` knows the file of an id.
pub fn finding_among<'s>(
    d: &Diagnostic,
    source: &dyn Fn(SourceId) -> Option<Source<'s>>,
    lang: Lang,
    units: Units,
) -> Finding {
    let (message, help) = match lang {
        Lang::Ja => (d.message_ja(), d.code.help_ja),
        Lang::En => (d.message_en(), d.code.help_en),
    };
    let label = |span: Span, path: Option<FieldPath>, message: Option<&str>| {
        let own = source(span.source);
        let first = Position { line: 1, column: 1 };
        let text = own.and_then(|s| s.text).filter(|_| span.end > 0);
        let at = |byte: u32| text.map_or(first, |t| t.position(byte, units));
        Label {
            file: own.map_or("", |s| s.file).to_owned(),
            record: None,
            span: [span.start, span.end].map(u64::from),
            start: at(span.start),
            end: at(span.end),
            path: path.map(|p| p.to_string()),
            field: path.as_ref().and_then(names_where_loaded),
            message: message.map(str::to_owned),
        }
    };
    let primary = label(d.span, d.path, None);
    let kind = kind_of(&primary.file);
    Finding {
        code: d.code.code.to_owned(),
        name: d.code.name.to_owned(),
        severity: d.severity.word().to_owned(),
        message,
        primary,
        secondary: d
            .secondary()
            .iter()
            .map(|l| {
                let text = match lang {
                    Lang::Ja => l.ja,
                    Lang::En => l.en,
                };
                label(l.span, l.path, Some(text))
            })
            .collect(),
        help: Some(help.to_owned()),
        fix: fix(d).map(|f| FixView {
            applicability: f.applicability.word().to_owned(),
            title: match lang {
                Lang::Ja => f.title_ja,
                Lang::En => f.title_en,
            }
            .to_owned(),
            edits: f
                .edits
                .iter()
                .map(|(span, bytes)| Edit {
                    span: [span.start, span.end].map(u64::from),
                    bytes: BASE64.encode(bytes),
                })
                .collect(),
        }),
        kind,
        standard: d.code.standard.to_owned(),
        fingerprint: None,
        fhir: None,
    }
}

/// How a finding is mended; what is found while converting tells what to do in words only.
fn fix(d: &Diagnostic) -> Option<&warifu_diag::Fix> {
    if cfg!(feature = "converter") {
        None
    } else {
        d.fix()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_comes_from_the_folder_or_the_name() {
        let name = "0123456789_-_ADT-00_999999999999999_20260401093015123_-_1";
        let full = format!("s/012/345/0123456789/-/ADT-00/{name}");
        assert_eq!(kind_of(&full).as_deref(), Some("ADT-00"));
        assert_eq!(kind_of(name).as_deref(), Some("ADT-00"));
        assert_eq!(kind_of("readme.txt"), None);
        assert_eq!(kind_of(""), None);
    }
}
