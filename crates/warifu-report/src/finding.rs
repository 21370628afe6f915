//! A diagnostic as data: the JSON of ux-tools §B (`warifu.diagnostics/1`).

use serde::Serialize;
use warifu_diag::{Diagnostic, FieldPath};
use warifu_ssmix2::{FileName, Place, components, locate};

use crate::Lang;
use crate::position::{Position, SourceText, Units};

/// Names of a field in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Names {
    /// Official Japanese name.
    pub ja: String,
    /// English name.
    pub en: String,
}

/// Where a finding is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// File, relative, `/` between folders.
    pub file: String,
    /// Half-open byte range of the file as received.
    pub span: [u32; 2],
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
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
    /// Data kind of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Document and section.
    pub standard: String,
}

/// Names of the field (and component) of a path.
pub fn names(path: &FieldPath) -> Option<Names> {
    let field = warifu_terms::fields::field(
        path.segment_name(),
        usize::try_from(path.field).unwrap_or(0),
    )?;
    Some(Names {
        ja: field.ja.to_owned(),
        en: field.en.to_owned(),
    })
}

/// Data kind that the path of a storage file says, as in its folder.
fn kind_of(path: &str) -> Option<String> {
    let parts: Vec<&str> = components(path).collect();
    if let Place::Item(item) = locate(&parts) {
        return Some(item.kind.to_owned());
    }
    let name = FileName::parse(parts.last()?).ok()?;
    Some(name.kind.to_owned())
}

/// Makes a finding; `source` gives line and column (whole-file findings need none).
pub fn finding(
    d: &Diagnostic,
    file: &str,
    source: Option<&SourceText>,
    lang: Lang,
    units: Units,
) -> Finding {
    let first = Position { line: 1, column: 1 };
    let at = |byte: u32| source.map_or(first, |s| s.position(byte, units));
    let whole = d.span.end == 0;
    let (message, help) = match lang {
        Lang::Ja => (d.message_ja(), d.code.help_ja),
        Lang::En => (d.message_en(), d.code.help_en),
    };
    Finding {
        code: d.code.code.to_owned(),
        name: d.code.name.to_owned(),
        severity: d.severity.word().to_owned(),
        message,
        primary: Label {
            file: file.to_owned(),
            span: [d.span.start, d.span.end],
            start: if whole { first } else { at(d.span.start) },
            end: if whole { first } else { at(d.span.end) },
            path: d.path.map(|p| p.to_string()),
            field: d.path.as_ref().and_then(names),
        },
        secondary: Vec::new(),
        help: Some(help.to_owned()),
        kind: kind_of(file),
        standard: d.code.standard.to_owned(),
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
