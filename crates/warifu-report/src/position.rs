//! Lines and columns of byte offsets.
//!
//! A line is a segment (CR, LF and CR LF all end one), from 1; a column counts from 1 in the decoded
//! line, where escape sequences have width 0.

use serde::{Deserialize, Serialize};
use warifu_source::{Charset, Decoded};

/// What a column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Units {
    /// UTF-16 code units (default).
    #[default]
    Utf16,
    /// Bytes of UTF-8.
    Utf8,
    /// Characters.
    CodePoint,
}

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Line from 1.
    pub line: u32,
    /// Column from 1.
    pub column: u32,
}

/// A decoded file with its line starts.
#[derive(Debug)]
pub struct SourceText {
    /// Text and map.
    pub decoded: Decoded,
    lines: Vec<usize>,
    /// UTF-16 units and characters before each [`STEP`] bytes of text: a line may have megabytes, and
    /// each of them may hold a finding.
    counts: Vec<(usize, usize)>,
}

/// Bytes of text between two counts.
const STEP: usize = 1024;

impl SourceText {
    /// Decodes a file.
    pub fn new(bytes: &[u8], charset: Charset) -> Self {
        Self::of(warifu_source::decode(bytes, charset))
    }
    /// Decodes a file of messages, each in its own charset.
    pub fn messages(bytes: &[u8]) -> Self {
        let parts = warifu_hl7::findings::charsets_of(bytes).into_iter();
        Self::of(warifu_source::decode_parts(bytes, parts))
    }
    /// Decodes a file of UTF-8, as JSON is: without the tables of other charsets.
    pub fn utf8(bytes: &[u8]) -> Self {
        Self::of(warifu_source::decode_utf8(bytes))
    }
    fn of(decoded: Decoded) -> Self {
        let mut lines = vec![0];
        let text = decoded.text.as_bytes();
        let mut i = 0;
        while let Some(&b) = text.get(i) {
            match b {
                b'\r' if text.get(i + 1) == Some(&b'\n') => {
                    i += 2;
                    lines.push(i);
                }
                b'\r' | b'\n' => {
                    i += 1;
                    lines.push(i);
                }
                _ => i += 1,
            }
        }
        let mut counts = Vec::with_capacity(decoded.text.len() / STEP + 1);
        let (mut units, mut characters) = (0, 0);
        for (at, c) in decoded.text.char_indices() {
            // What reaches over a step counts before the next one.
            while counts.len() * STEP <= at {
                counts.push((units, characters));
            }
            units += c.len_utf16();
            characters += 1;
        }
        Self {
            decoded,
            lines,
            counts,
        }
    }
    /// UTF-16 units and characters before a byte of the text.
    fn counted(&self, at: usize) -> (usize, usize) {
        let step = (at / STEP).min(self.counts.len().saturating_sub(1));
        let (mut units, mut characters) = self.counts.get(step).copied().unwrap_or_default();
        let mut from = step * STEP;
        // The count of a step is that before the first character that begins there.
        while from < at && !self.decoded.text.is_char_boundary(from) {
            from += 1;
        }
        for c in self.decoded.text.get(from..at).unwrap_or("").chars() {
            units += c.len_utf16();
            characters += 1;
        }
        (units, characters)
    }
    /// Line and column of a byte offset.
    pub fn position(&self, byte: u32, units: Units) -> Position {
        let at = self.decoded.text_at(byte);
        let line = self.lines.partition_point(|&s| s <= at).saturating_sub(1);
        let start = self.lines.get(line).copied().unwrap_or(0);
        let column = match units {
            Units::Utf16 => self.counted(at).0 - self.counted(start).0,
            Units::Utf8 => at - start,
            Units::CodePoint => self.counted(at).1 - self.counted(start).1,
        };
        Position {
            line: u32::try_from(line + 1).unwrap_or(u32::MAX),
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
        }
    }
    /// Where a range of bytes lies in its first line: the line's text, and the range in it.
    pub fn in_line(&self, start: u32, end: u32) -> (u32, &str, std::ops::Range<usize>) {
        let at = self.decoded.text_at(start);
        let n = self.lines.partition_point(|&s| s <= at).saturating_sub(1);
        let number = u32::try_from(n + 1).unwrap_or(u32::MAX);
        let first = self.lines.get(n).copied().unwrap_or(0);
        let line = self.line(number);
        let clamp = |p: usize| p.saturating_sub(first).min(line.len());
        let from = clamp(at);
        let to = clamp(self.decoded.text_at(end)).max(from);
        (number, line, from..to)
    }
    /// Text of a line from 1, without its terminator.
    pub fn line(&self, line: u32) -> &str {
        let n = usize::try_from(line).unwrap_or(0).saturating_sub(1);
        let start = self.lines.get(n).copied().unwrap_or(0);
        let end = self
            .lines
            .get(n + 1)
            .copied()
            .unwrap_or(self.decoded.text.len());
        self.decoded
            .text
            .get(start..end)
            .unwrap_or("")
            .trim_end_matches(['\r', '\n'])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_decoded_text_and_escapes_have_no_width() {
        let bytes = b"MSH|^~\\&\rPID|\x1b$B;3ED\x1b(B^x\r\nOBX|1";
        let t = SourceText::new(bytes, Charset::Iso2022Jp);
        assert_eq!(t.position(0, Units::Utf16), Position { line: 1, column: 1 });
        let caret = u32::try_from(bytes.iter().rposition(|&b| b == b'^').unwrap()).unwrap();
        assert_eq!(
            t.position(caret, Units::Utf16),
            Position { line: 2, column: 7 }
        );
        assert_eq!(
            t.position(caret, Units::Utf8),
            Position {
                line: 2,
                column: 11
            }
        );
        assert_eq!(t.line(2), "PID|山田^x");
        assert_eq!(t.line(3), "OBX|1");
    }

    #[test]
    fn messages_of_a_stream_have_their_own_charsets() {
        let head = b"MSH|^~\\&|A\rPID|";
        let texts: [&[u8]; 4] = [
            b"\x1b$B;3ED\x1b(B^x\r",
            "山田^x\r".as_bytes(),
            b"\x8e\x52\x93\x63^x\r",
            b"\x1b$B;3ED\r",
        ];
        let (mut bytes, mut carets) = (Vec::new(), Vec::new());
        for text in texts {
            bytes.extend_from_slice(head);
            let own = text
                .iter()
                .position(|b| *b == b'^')
                .unwrap_or(text.len() - 1);
            carets.push(u32::try_from(bytes.len() + own).unwrap());
            bytes.extend_from_slice(text);
        }
        let t = SourceText::messages(&bytes);
        for (n, caret) in (1..).zip(carets) {
            let column = 7;
            assert_eq!(
                t.position(caret, Units::Utf16),
                Position {
                    line: 2 * n,
                    column
                }
            );
            assert_eq!(t.line(2 * n).get(..10), Some("PID|山田"));
        }
    }

    #[test]
    fn columns_of_a_long_line_are_those_of_counting() {
        let mut text = "MSH|^~\\&\rOBX|1".to_owned();
        for i in 0..2000 {
            text.push(['a', '山', '𠮷', 'é'][i % 4]);
        }
        let t = SourceText::new(text.as_bytes(), Charset::Utf8);
        let line = text.find("OBX").unwrap();
        for (at, _) in text.char_indices().filter(|(at, _)| *at >= line) {
            let before = &text[line..at];
            let byte = u32::try_from(at).unwrap();
            let column = |units| usize::try_from(t.position(byte, units).column).unwrap() - 1;
            assert_eq!(column(Units::Utf16), before.encode_utf16().count());
            assert_eq!(column(Units::CodePoint), before.chars().count());
            assert_eq!(column(Units::Utf8), before.len());
        }
    }
}
