//! Path queries and cursor location over decoded text: the interactive side, built on `hl7-parser`.
//!
//! `hl7-parser` is good at paths (`PID-5[2].1`), at cursors and at ranges inside one clean segment; its
//! `Message::parse` drops content (blank lines, bare segments, CR LF), so each segment that our index
//! found is handed to it by itself, decoded, and its ranges are carried back through the offset map.

use std::fmt::Write as _;
use std::ops::Range;

use hl7_parser::message::{Segment as ParsedSegment, Separators};
use hl7_parser::query::{LocationQuery, parse_location_query};
use warifu_source::Decoded;

use crate::index::Index;

/// Why a path was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathError {
    /// Not of the form `SEG[n]-field[rep].component.sub`.
    Syntax,
}

impl std::fmt::Display for PathError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a path looks like PID-5, PID-5[2].1 or OBX[3]-5.1.2")
    }
}

impl std::error::Error for PathError {}

/// A message as decoded text, segment by segment.
#[derive(Debug)]
pub struct TextMessage {
    decoded: Decoded,
    /// Name and text range of each segment.
    segments: Vec<([u8; 3], Range<usize>)>,
    separators: Separators,
}

impl TextMessage {
    /// Decodes the message that `index` was built from.
    pub fn new(bytes: &[u8], index: &Index) -> Self {
        let decoded = warifu_source::decode(bytes, index.charset());
        let segments = index
            .segments
            .iter()
            .map(|s| (s.name, decoded.text_at(s.start)..decoded.text_at(s.end)))
            .collect();
        let d = index.delimiters();
        let separators = Separators {
            field: char::from(d.field),
            component: char::from(d.component),
            subcomponent: char::from(d.subcomponent),
            repetition: char::from(d.repetition),
            escape: char::from(d.escape),
            lenient_newlines: false,
        };
        Self {
            decoded,
            segments,
            separators,
        }
    }
    /// The decoded text.
    pub fn text(&self) -> &str {
        &self.decoded.text
    }
    /// Byte ranges of the parts that a path names, one for each segment of the name unless the path
    /// counts it (`OBX[2]-5`). Both `PID-5.1` and `PID.5.1` are understood.
    ///
    /// # Errors
    /// [`PathError::Syntax`] for what is no path.
    pub fn query(&self, path: &str) -> Result<Vec<Range<u32>>, PathError> {
        let query = parse_path(path)?;
        let mut found = Vec::new();
        let name = query.segment.as_bytes();
        for (n, (_, range)) in self.segments.iter().filter(|(s, _)| s == name).enumerate() {
            if query.segment_index.is_some_and(|i| i != n + 1) {
                continue;
            }
            if query.field.is_none() {
                found.push(self.decoded.byte_range(range.clone()));
                continue;
            }
            let line = self.line(range);
            let Some(segment) = self.parse(&line) else {
                continue;
            };
            let Some(inner) = locate(&segment, &query) else {
                continue;
            };
            found.push(
                self.decoded
                    .byte_range(range.start + inner.start..range.start + inner.end),
            );
        }
        Ok(found)
    }
    /// Path of the part at a position of the text, e.g. `PID-5[2].1`.
    pub fn locate(&self, position: usize) -> Option<String> {
        let at = self
            .segments
            .partition_point(|(_, r)| r.start <= position)
            .checked_sub(1)?;
        let (name, range) = self.segments.get(at)?;
        let ordinal = self
            .segments
            .iter()
            .take(at + 1)
            .filter(|(n, _)| n == name)
            .count();
        let mut path = String::from_utf8_lossy(name).into_owned();
        if ordinal > 1 {
            let _ = write!(path, "[{ordinal}]");
        }
        let line = self.line(range);
        let segment = self.parse(&line)?;
        let offset = position - range.start;
        let inside = |r: &Range<usize>| offset >= r.start && offset <= r.end;
        let Some((f, field)) = segment.fields().enumerate().find(|(_, f)| inside(&f.range)) else {
            return Some(path);
        };
        let _ = write!(path, "-{}", f + 1);
        let Some((r, repeat)) = field.repeats().enumerate().find(|(_, r)| inside(&r.range)) else {
            return Some(path);
        };
        if field.has_repeats() {
            let _ = write!(path, "[{}]", r + 1);
        }
        let Some((c, component)) = repeat
            .components()
            .enumerate()
            .find(|(_, c)| inside(&c.range))
        else {
            return Some(path);
        };
        if repeat.has_components() {
            let _ = write!(path, ".{}", c + 1);
        }
        if component.has_subcomponents()
            && let Some((s, _)) = component
                .subcomponents()
                .enumerate()
                .find(|(_, s)| inside(&s.range))
        {
            let _ = write!(path, ".{}", s + 1);
        }
        Some(path)
    }
    /// The segment's text with raw line breaks turned to blanks (same length).
    fn line(&self, range: &Range<usize>) -> String {
        self.decoded
            .text
            .get(range.clone())
            .unwrap_or("")
            .replace(['\r', '\n'], " ")
    }
    fn parse<'t>(&self, line: &'t str) -> Option<ParsedSegment<'t>> {
        if line.starts_with("MSH") {
            return hl7_parser::parser::parse_msh(line).ok().map(|(_, s)| s);
        }
        hl7_parser::parser::parse_segment_with_separators(line, self.separators).ok()
    }
}

/// Reads a path in the field's own form (`PID-5[2].1`) or in `hl7-parser`'s (`PID.5[2].1`).
///
/// # Errors
/// [`PathError::Syntax`].
pub fn parse_path(path: &str) -> Result<LocationQuery, PathError> {
    let path = path.trim();
    let dotted = path
        .replacen('-', ".", 1)
        .replace('(', "[")
        .replace(')', "]");
    let query = parse_location_query(&dotted).map_err(|_| PathError::Syntax)?;
    let zero = [
        query.segment_index,
        query.field,
        query.repeat,
        query.component,
        query.subcomponent,
    ]
    .contains(&Some(0));
    // The parser stops at what it does not understand: the whole text must have been a path.
    if zero || query.to_string() != dotted {
        return Err(PathError::Syntax);
    }
    Ok(query)
}

fn locate(segment: &ParsedSegment<'_>, query: &LocationQuery) -> Option<Range<usize>> {
    let field = segment.field(query.field?)?;
    if query.repeat.is_none() && query.component.is_none() {
        return Some(field.range.clone());
    }
    let repeat = field.repeat(query.repeat.unwrap_or(1))?;
    let Some(c) = query.component else {
        return Some(repeat.range.clone());
    };
    let component = repeat.component(c)?;
    let Some(s) = query.subcomponent else {
        return Some(component.range.clone());
    };
    Some(component.subcomponent(s)?.range.clone())
}

#[cfg(test)]
#[expect(clippy::as_conversions, reason = "u32 offsets widen to usize")]
mod tests {
    use super::*;

    fn message(text: &[u8]) -> TextMessage {
        let mut index = Index::new();
        index.build(text, None);
        TextMessage::new(text, &index)
    }

    const M: &[u8] = b"MSH|^~\\&|A|B\r\n\r\nPID|1||001||\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B~\x1b$B%d%^%@\x1b(B^x\rEVN\rOBX|1|ST|a&b^c\rOBX|2|ST|d\r";

    #[test]
    fn paths_give_the_bytes_with_their_escapes() {
        let m = message(M);
        let get = |p: &str| -> Vec<Vec<u8>> {
            m.query(p)
                .unwrap()
                .into_iter()
                .map(|r| M[r.start as usize..r.end as usize].to_vec())
                .collect()
        };
        assert_eq!(get("PID-5.1"), [b"\x1b$B;3ED\x1b(B".to_vec()]);
        assert_eq!(get("PID-5[2].1"), [b"\x1b$B%d%^%@\x1b(B".to_vec()]);
        assert_eq!(get("OBX-3.1.2"), [b"b".to_vec()]);
        assert_eq!(get("OBX[2]-3"), [b"d".to_vec()]);
        assert_eq!(get("MSH-3"), [b"A".to_vec()]);
        assert_eq!(get("ZZZ-1"), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn cursor_and_path_agree() {
        let m = message(M);
        let at = |needle: &str| m.locate(m.text().find(needle).unwrap());
        assert_eq!(at("山").as_deref(), Some("PID-5[1].1"));
        assert_eq!(at("ヤ").as_deref(), Some("PID-5[2].1"));
        assert_eq!(at("b^").as_deref(), Some("OBX-3.1.2"));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for bad in [
            "",
            "PID-",
            "PID-x",
            "pid5",
            "PID-5..1",
            "PID-0",
            "PID-5[0]",
            "PID-5.1.2.3",
        ] {
            assert_eq!(parse_path(bad), Err(PathError::Syntax), "{bad}");
        }
    }
}
