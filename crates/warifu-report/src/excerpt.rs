//! The line a finding is in, ready to be shown: decoded, masked unless values are wanted, cut to what fits.

use serde::{Deserialize, Serialize};
use warifu_diag::{Diagnostic, FieldPath};
use warifu_terms::fields;

use crate::Lang;
use crate::finding::Within;
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

/// Where a text's character number `n` begins, in bytes; its end when it has fewer.
fn byte_of(text: &str, n: usize) -> usize {
    text.char_indices().nth(n).map_or(text.len(), |(i, _)| i)
}

/// Where a text's last `n` characters begin, in bytes; 0 when it has fewer.
fn byte_of_last(text: &str, n: usize) -> usize {
    match n.checked_sub(1) {
        Some(last) => text.char_indices().rev().nth(last).map_or(0, |(i, _)| i),
        None => text.len(),
    }
}

impl Excerpt {
    /// The excerpt of a finding; `source` is the file's text, `None` when it was not read; `within` is
    /// where the file lies in another.
    pub fn new(
        d: &Diagnostic,
        source: Option<&SourceText>,
        within: Option<&Within>,
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
            e.line = within.map_or(1, |w| w.line);
            return e;
        };
        let [start, end] =
            [d.span.start, d.span.end].map(|b| within.map_or(b.into(), |w| w.byte(b.into())));
        words.push(format!("(byte {start}–{end})"));
        e.label = words.join(" ");
        let at = source.position(d.span.start, units);
        e.line = within.map_or(at.line, |w| w.line(at.line));
        e.column = at.column;
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
    #[expect(
        clippy::inline_always,
        reason = "only so what masks JSON does not bring the tables of HL7 along, 30 kB of wasm"
    )]
    #[inline(always)]
    fn cut(&mut self, line: &str, range: std::ops::Range<usize>, mask: Mask) {
        let head = line.get(..range.start).unwrap_or("");
        let place = line.get(range.clone()).unwrap_or("");
        let inside = place.chars().take(LONGEST).count();
        // A line may have megabytes and a finding in each of its parts, so nothing here may walk the
        // whole of it, masking included: only what is near the place is read.
        let from = byte_of_last(head, AROUND);
        let left = head.get(from..).unwrap_or("").chars().count();
        let near = line.get(from..).unwrap_or("");
        let near = near
            .get(..byte_of(near, left + inside + AROUND))
            .unwrap_or("");
        let reached = line.get(..from + near.len()).unwrap_or("");
        // Masks keep the number of characters.
        let end_of = |masked: &str| -> Vec<char> {
            let at = byte_of_last(masked, near.chars().count());
            masked.get(at..).unwrap_or("").chars().collect()
        };
        let shown = match mask {
            Mask::Nothing => near.chars().collect(),
            Mask::Json if reached.len() <= LONGEST_JSON => end_of(&json_line(reached)),
            // Where keys begin is not known within a part of a line, so they are masked too.
            Mask::Json => shape(near).chars().collect(),
            Mask::Hl7 => end_of(&LineShape::default().line(reached)),
        };
        if from > 0 {
            self.text.push('…');
        }
        self.text.extend(shown.iter().take(left));
        self.start = self.text.len();
        self.text.extend(shown.iter().skip(left).take(inside));
        self.end = self.text.len();
        self.text
            .extend(shown.iter().skip(left + inside).take(AROUND));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Masks = fn(&str) -> String;

    /// The neighbourhood by its definition: counted from the beginning of the masked line.
    fn by_definition(line: &str, place: &str, mask: Masks) -> (String, String) {
        let at = line.find(place).unwrap();
        let before = line[..at].chars().count();
        let inside = place.chars().count().min(LONGEST);
        let reached: String = line.chars().take(before + inside + AROUND).collect();
        let from = before.saturating_sub(AROUND);
        let masked: Vec<char> = mask(&reached).chars().skip(from).collect();
        let left = before - from;
        let dots = if from > 0 { "…" } else { "" };
        (
            format!("{dots}{}", masked.iter().collect::<String>()),
            masked[left..left + inside].iter().collect(),
        )
    }

    #[test]
    fn what_is_near_the_place_is_what_the_whole_line_gives() {
        let of = |n: usize| {
            format!(
                "{{\"name\": \"山田\", \"n\": 12{}",
                ", \"k\": \"値x\"".repeat(n)
            )
        };
        for (head, tail) in [(0, 0), (3, 1), (30, 30), (900, 900)] {
            for place in ["\"花子\"", &format!("\"{}\"", "長".repeat(300))] {
                let line = format!("{}, \"p\": {place}{}", of(head), of(tail));
                let at = line.find(place).unwrap();
                let masks: [(Mask, Masks); 3] = [
                    (Mask::Nothing, str::to_owned),
                    (Mask::Json, json_line),
                    (Mask::Hl7, |l| LineShape::default().line(l)),
                ];
                for (mask, by) in masks {
                    let mut e = Excerpt::default();
                    e.cut(&line, at..at + place.len(), mask);
                    let (text, marked) = by_definition(&line, place, by);
                    assert_eq!(e.text, text, "{mask:?} {head}");
                    assert_eq!(&e.text[e.start..e.end], marked, "{mask:?} {head}");
                }
            }
        }
        // Beyond what is read for its keys, keys are masked too: no value is shown.
        let line = format!("{}, \"p\": \"花子\"", of(5_000));
        let at = line.find("\"花子\"").unwrap();
        let mut e = Excerpt::default();
        e.cut(&line, at..line.len(), Mask::Json);
        assert!(!e.text.contains('花') && !e.text.contains('k') && !e.text.contains('値'));
        assert_eq!(&e.text[e.start..e.end], "\"漢漢\"");
    }
}
