//! The line a finding is in, ready to be shown: decoded, masked unless values are wanted, cut to what fits.

use serde::{Deserialize, Serialize};
use warifu_diag::{Diagnostic, FieldPath};
use warifu_terms::fields;

use crate::Lang;
use crate::mask::{LineShape, json_line, shape};
use crate::position::{SourceText, Units};

/// Characters kept on either side of the place.
const AROUND: usize = 160;
/// Longest part of the place itself that is shown, in characters.
const LONGEST: usize = 200;

/// Longest beginning of a line of JSON that is read for its keys, in bytes.
const LONGEST_JSON: usize = 16_384;

/// What of a line is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mask {
    Nothing,
    Hl7,
    Json,
}

/// What a frame shows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Excerpt {
    /// What is wrong.
    pub message: String,
    /// Why it matters; empty when the catalogue does not say.
    pub why: String,
    /// What to do; empty when there is nothing.
    pub help: String,
    /// Line from 1.
    pub line: u32,
    /// Column from 1.
    pub column: u32,
    /// Text of the line; empty for a finding about the whole file.
    pub text: String,
    /// The place in the text, in its bytes.
    pub start: usize,
    /// Its end.
    pub end: usize,
    /// Text under the caret: path, names, bytes.
    pub label: String,
}

/// Names of the field and the component, joined as Japanese documents do.
fn label_name(path: &FieldPath, lang: Lang) -> Option<String> {
    let field = fields::field(path.segment_name(), usize::try_from(path.field).ok()?)?;
    let pick = |ja: &'static str, en: &'static str| match lang {
        Lang::Ja if !ja.is_empty() => ja,
        _ => en,
    };
    let mut name = pick(field.ja, field.en).to_owned();
    if path.component > 0
        && let Some(c) = fields::component(field.datatype, usize::try_from(path.component).ok()?)
    {
        name.push_str(if lang == Lang::Ja { "・" } else { ", " });
        name.push_str(pick(c.ja, c.en));
    }
    Some(name)
}

impl Excerpt {
    /// The excerpt of a finding; `source` is the file's text, `None` when it was not read.
    pub fn new(
        d: &Diagnostic,
        source: Option<&SourceText>,
        lang: Lang,
        units: Units,
        show_values: bool,
    ) -> Self {
        let (message, help, why) = match lang {
            Lang::Ja => (d.message_ja(), d.code.help_ja, d.code.why_ja),
            Lang::En => (d.message_en(), d.code.help_en, d.code.why_en),
        };
        let mut e = Self {
            message,
            why: why.to_owned(),
            help: help.to_owned(),
            line: 1,
            column: 1,
            ..Self::default()
        };
        let mut words: Vec<String> = Vec::new();
        if let Some(path) = &d.path {
            words.push(path.to_string());
            words.extend(label_name(path, lang));
        }
        let Some(source) = source.filter(|_| d.span.end > 0) else {
            e.label = words.join(" ");
            return e;
        };
        words.push(format!("(byte {}–{})", d.span.start, d.span.end));
        e.label = words.join(" ");
        let at = source.position(d.span.start, units);
        (e.line, e.column) = (at.line, at.column);
        let (_, line, range) = source.in_line(d.span.start, d.span.end);
        let mask = if show_values {
            Mask::Nothing
        } else {
            Mask::Hl7
        };
        e.cut(line, range, mask);
        e
    }

    /// The excerpt of a finding on JSON, whose message, help and path are given.
    pub fn json(
        [message, help, path]: [&str; 3],
        span: std::ops::Range<u32>,
        source: &SourceText,
        units: Units,
        show_values: bool,
    ) -> Self {
        let at = source.position(span.start, units);
        let (_, line, range) = source.in_line(span.start, span.end);
        let mut e = Self {
            message: message.to_owned(),
            help: help.to_owned(),
            line: at.line,
            column: at.column,
            label: format!("{path} (byte {}–{})", span.start, span.end),
            ..Self::default()
        };
        let mask = if show_values {
            Mask::Nothing
        } else {
            Mask::Json
        };
        e.cut(line, range, mask);
        e
    }

    /// Keeps the neighbourhood of the place. Masking comes first: it needs the fields before.
    fn cut(&mut self, line: &str, range: std::ops::Range<usize>, mask: Mask) {
        let head = line.get(..range.start).unwrap_or("");
        let place = line.get(range.clone()).unwrap_or("");
        let before = head.chars().count();
        let inside = place.chars().count().min(LONGEST);
        // Masking a line of megabytes for each finding in it would take quadratic time: a field that
        // long is cut before.
        let shown: Vec<char> = if mask == Mask::Nothing {
            line.chars()
                .skip(before.saturating_sub(AROUND))
                .take(2 * AROUND + LONGEST)
                .collect()
        } else {
            let reach = line
                .char_indices()
                .nth(before + inside + AROUND)
                .map_or(line.len(), |(i, _)| i);
            let reached = line.get(..reach).unwrap_or("");
            match mask {
                Mask::Json if reach <= LONGEST_JSON => json_line(reached),
                // Where keys begin is not known within a part of a line, so they are masked too.
                Mask::Json => {
                    let from = before.saturating_sub(AROUND);
                    let window: String =
                        line.chars().skip(from).take(2 * AROUND + LONGEST).collect();
                    let mut padded = shape(&window);
                    // The head is skipped below.
                    padded.insert_str(0, &" ".repeat(from));
                    padded
                }
                _ => LineShape::default().line(reached),
            }
            .chars()
            .skip(before.saturating_sub(AROUND))
            .take(2 * AROUND + LONGEST)
            .collect()
        };
        let skipped = before.saturating_sub(AROUND);
        if skipped > 0 {
            self.text.push('…');
        }
        let left = before - skipped;
        self.text.extend(shown.iter().take(left));
        self.start = self.text.len();
        self.text.extend(shown.iter().skip(left).take(inside));
        self.end = self.text.len();
        self.text
            .extend(shown.iter().skip(left + inside).take(AROUND));
    }
}
