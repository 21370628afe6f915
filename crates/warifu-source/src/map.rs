//! Decoding a whole file with a map from text positions back to bytes.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use crate::decode::{Rare, push_ascii, read_any, read_any_utf8};
use crate::{Charset, position};

/// Text of a file and the way back to its bytes.
///
/// Positions in the text are byte offsets of its UTF-8, as `str` slices use them.
/// A position inside a character counts as the start of that character.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decoded {
    /// The text; escape sequences have no width in it, CR and LF are kept as they are.
    pub text: String,
    runs: Vec<Run>,
    length_bytes: usize,
}

/// Neighbouring characters of equal width in the bytes and equal width in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    /// First position in the text.
    text: u32,
    /// First byte.
    byte: u32,
    /// UTF-8 bytes of one character.
    text_stride: u8,
    /// Source bytes of one character.
    byte_stride: u8,
    /// Escape sequences beside the run belong to it.
    shifted: bool,
}

/// Decodes a whole file: [`crate::decode_into`] with a map.
///
/// Time is linear; the map takes 12 bytes for each change of width (two to four for each
/// Japanese component).
/// Files up to 1.4 GB have exact positions.
///
/// ```
/// use warifu_source::{Charset, decode};
///
/// let decoded = decode(b"PID|\x1B$B;3ED\x1B(B^", Charset::Iso2022Jp);
/// assert_eq!(decoded.text, "PID|山田^");
/// // "山田", with the escape sequences around it.
/// assert_eq!(decoded.byte_range(4..10), 4..14);
/// ```
pub fn decode(bytes: &[u8], charset: Charset) -> Decoded {
    mapped(bytes, |sink| read_any(bytes, charset, sink))
}

/// [`decode`] of a file whose parts have charsets of their own, as a stream of messages may: each part is
/// given by its end, and begins where the one before ends.
pub fn decode_parts(bytes: &[u8], parts: impl Iterator<Item = (usize, Charset)>) -> Decoded {
    mapped(bytes, |sink| {
        for (end, charset) in parts {
            let part = bytes.get(sink.base..end).unwrap_or_default();
            read_any(part, charset, sink);
            sink.base += part.len();
        }
    })
}

/// [`decode`] of UTF-8: for callers that read nothing else, and need no tables of JIS.
pub fn decode_utf8(bytes: &[u8]) -> Decoded {
    mapped(bytes, |sink| read_any_utf8(bytes, sink))
}

fn mapped(bytes: &[u8], read: impl FnOnce(&mut Mapped)) -> Decoded {
    let mut sink = Mapped {
        text: String::with_capacity(bytes.len() + bytes.len() / 8),
        runs: Vec::new(),
        base: 0,
        next_byte: 0,
    };
    read(&mut sink);
    Decoded {
        text: sink.text,
        runs: sink.runs,
        length_bytes: bytes.len(),
    }
}

impl Decoded {
    /// First byte of the character at a text position; the end of the file past the end.
    ///
    /// O(log n) in the number of width changes.
    pub fn byte_at(&self, text_pos: usize) -> u32 {
        if text_pos >= self.text.len() {
            return position(self.length_bytes);
        }
        let pos = position(self.text.floor_char_boundary(text_pos));
        let Some(run) = self.run_at(pos) else {
            return 0;
        };
        run.byte_of(pos)
    }

    /// The bytes of a range of text, with the escape sequences of its first and last character.
    ///
    /// An escape sequence between two characters belongs to the one that is not plain ASCII.
    /// When neither is or both are, it belongs to the range on either side.
    /// The range of an empty component is the bytes between its neighbours, escape sequences
    /// that switch nothing included.
    pub fn byte_range(&self, text: Range<usize>) -> Range<u32> {
        let start = self.text.floor_char_boundary(text.start);
        let end = self.text.ceil_char_boundary(text.end).max(start);
        if start == end {
            return self.end_before(start)..self.byte_at(start);
        }
        let first = if self.shifted_at(start) {
            self.end_before(start)
        } else {
            self.byte_at(start)
        };
        let last = if self.shifted_at(end - 1) {
            self.byte_at(end)
        } else {
            self.end_before(end)
        };
        first..last.max(first)
    }

    /// Text position of the character a byte belongs to; for a byte of an escape sequence the
    /// character behind it; the end of the text past the end.
    ///
    /// O(log n) in the number of width changes.
    pub fn text_at(&self, byte: u32) -> usize {
        let index = self.runs.partition_point(|run| run.byte <= byte);
        let next = self.text_start(index);
        let Some(run) = index.checked_sub(1).and_then(|i| self.runs.get(i)) else {
            return 0;
        };
        let units = (byte - run.byte) / u32::from(run.byte_stride.max(1));
        let offset = units.saturating_mul(u32::from(run.text_stride));
        let text = run.text.saturating_add(offset);
        let text = usize::try_from(text).unwrap_or(usize::MAX).min(next);
        self.text.floor_char_boundary(text)
    }

    /// End of the last byte of the character before a text position.
    fn end_before(&self, text_pos: usize) -> u32 {
        let Some(pos) = position(text_pos).checked_sub(1) else {
            return 0;
        };
        match self.run_at(pos) {
            Some(run) => run.byte_of(pos) + u32::from(run.byte_stride),
            None => 0,
        }
    }

    fn shifted_at(&self, text_pos: usize) -> bool {
        self.run_at(position(text_pos))
            .is_some_and(|run| run.shifted)
    }

    /// The run of a text position.
    fn run_at(&self, pos: u32) -> Option<&Run> {
        let index = self
            .runs
            .partition_point(|run| run.text <= pos)
            .checked_sub(1)?;
        self.runs.get(index)
    }

    /// Text position where a run starts; the end of the text behind the last run.
    fn text_start(&self, index: usize) -> usize {
        match self.runs.get(index) {
            Some(run) => usize::try_from(run.text).unwrap_or(usize::MAX),
            None => self.text.len(),
        }
    }
}

impl Run {
    /// First byte of the character at a text position of this run.
    fn byte_of(&self, pos: u32) -> u32 {
        let units = (pos - self.text) / u32::from(self.text_stride.max(1));
        self.byte
            .saturating_add(units.saturating_mul(u32::from(self.byte_stride)))
    }
}

/// The sink of [`decode`].
struct Mapped {
    text: String,
    runs: Vec<Run>,
    /// Where the part that is read begins in the file.
    base: usize,
    /// Where the last character ended.
    next_byte: usize,
}

impl Mapped {
    /// Opens a run unless the last one goes on.
    #[inline]
    fn extend(&mut self, at: usize, len: usize, strides: (u8, u8), shifted: bool) {
        let (text_stride, byte_stride) = strides;
        let at = self.base + at;
        let goes_on = self.next_byte == at
            && self.runs.last().is_some_and(|run| {
                run.text_stride == text_stride
                    && run.byte_stride == byte_stride
                    && run.shifted == shifted
            });
        if !goes_on {
            self.runs.push(Run {
                text: position(self.text.len()),
                byte: position(at),
                text_stride,
                byte_stride,
                shifted,
            });
        }
        self.next_byte = at + len;
    }
}

impl Rare for Mapped {
    fn ascii(&mut self, at: usize, run: &[u8], shifted: bool) {
        self.extend(at, run.len(), (1, 1), shifted);
        push_ascii(&mut self.text, run);
    }

    fn utf8(&mut self, at: usize, run: &str) {
        self.extend(at, run.len(), (1, 1), false);
        self.text.push_str(run);
    }

    fn character(&mut self, at: usize, len: usize, character: char) {
        let width = u8::try_from(character.len_utf8()).unwrap_or(1);
        let bytes = u8::try_from(len).unwrap_or(1);
        self.extend(at, len, (width, bytes), true);
        self.text.push(character);
    }
}
