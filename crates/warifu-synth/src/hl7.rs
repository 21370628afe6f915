//! Writing one HL7 v2.5 message so that the code reads like the standard.
//!
//! ```
//! use warifu_synth::{hl7::Message, jis::Jis};
//!
//! let jis = Jis::new();
//! let mut m = Message::new(&jis);
//! m.seg("PID").f(1, "0001").f(3, "0000990001^^^^PI").f(8, "F");
//! assert_eq!(m.into_bytes(), b"PID|0001||0000990001^^^^PI|||||F\r");
//! ```
//!
//! A field value is anything that prints: literal text in which `^ ~ &` are the delimiters, a typed
//! value of [`crate::record`], or [`Text`] for a value whose delimiters must be escaped. Characters
//! outside ASCII are written as JIS X 0208 between `ESC $ B` and `ESC ( B`, and the return to ASCII
//! comes before the next ASCII byte, so every component is wrapped by a pair of its own.

use crate::jis::Jis;
use std::fmt::{self, Display, Write as _};

/// Start of double-byte text.
const TO_KANJI: &[u8] = b"\x1b$B";
/// Return to ASCII.
const TO_ASCII: &[u8] = b"\x1b(B";

/// A message under construction.
#[derive(Debug)]
pub struct Message<'j> {
    jis: &'j Jis,
    buffer: Vec<u8>,
    shifted: bool,
    substituted: usize,
}

impl<'j> Message<'j> {
    /// An empty message.
    pub fn new(jis: &'j Jis) -> Self {
        Self::reuse(jis, Vec::with_capacity(2048))
    }

    /// An empty message that writes into the capacity of `buffer`.
    pub fn reuse(jis: &'j Jis, mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        Self {
            jis,
            buffer,
            shifted: false,
            substituted: 0,
        }
    }

    /// Opens the next segment; its CR is written when the returned value goes out of use.
    pub fn seg(&mut self, name: &str) -> Segment<'_, 'j> {
        self.buffer.extend_from_slice(name.as_bytes());
        let mut segment = Segment {
            message: self,
            last: 0,
        };
        if name == "MSH" {
            // MSH-1 is the separator itself and MSH-2 follows it directly.
            segment.message.buffer.extend_from_slice(b"|^~\\&");
            segment.last = 2;
        }
        segment
    }

    /// The bytes written so far.
    pub fn into_bytes(self) -> Vec<u8> {
        self.buffer
    }

    /// How many characters had no JIS X 0208 code and became 〓.
    pub fn substituted(&self) -> usize {
        self.substituted
    }

    fn unshift(&mut self) {
        if self.shifted {
            self.buffer.extend_from_slice(TO_ASCII);
            self.shifted = false;
        }
    }
}

impl fmt::Write for Message<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.is_ascii() {
            if !text.is_empty() {
                self.unshift();
                self.buffer.extend_from_slice(text.as_bytes());
            }
            return Ok(());
        }
        for c in text.chars() {
            if let (true, Ok(ascii)) = (c.is_ascii(), u8::try_from(c)) {
                self.unshift();
                self.buffer.push(ascii);
                continue;
            }
            let pair = self.jis.code(c).unwrap_or_else(|| {
                self.substituted += 1;
                Jis::substitute()
            });
            if !self.shifted {
                self.buffer.extend_from_slice(TO_KANJI);
                self.shifted = true;
            }
            self.buffer.extend_from_slice(&pair);
        }
        Ok(())
    }
}

/// A segment under construction; fields are set by their number in the standard.
#[derive(Debug)]
pub struct Segment<'m, 'j> {
    message: &'m mut Message<'j>,
    last: u8,
}

impl Segment<'_, '_> {
    /// Writes field `number`; numbers must rise, a value that prints nothing leaves the field out.
    ///
    /// A number that does not rise is written as the next field, which the structure tests of the
    /// fixtures then show.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "letting the segment go out of use is how it is closed"
    )]
    pub fn f(mut self, number: u8, value: impl Display) -> Self {
        debug_assert!(number > self.last, "field {number} after {}", self.last);
        let before = self.message.buffer.len();
        let bars = number.saturating_sub(self.last).max(1);
        for _ in 0..bars {
            self.message.buffer.push(b'|');
        }
        let start = self.message.buffer.len();
        // Writing into a buffer cannot fail; a `Display` that fails leaves its prefix.
        let _ = write!(self.message, "{value}");
        self.message.unshift();
        if self.message.buffer.len() == start {
            self.message.buffer.truncate(before);
        } else {
            self.last = self.last.saturating_add(bars);
        }
        self
    }

    /// Closes the segment; the same as letting it go out of use.
    pub fn end(self) {}
}

impl Drop for Segment<'_, '_> {
    fn drop(&mut self) {
        self.message.buffer.push(b'\r');
    }
}

/// A value in which `| ^ ~ & \` are data and become `\F\ \S\ \R\ \T\ \E\`, a line feed `\.br\`.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a>(pub &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(['|', '^', '~', '&', '\\', '\n']) {
            let (plain, tail) = rest.split_at(at);
            f.write_str(plain)?;
            let mut chars = tail.chars();
            f.write_str(match chars.next() {
                Some('|') => "\\F\\",
                Some('^') => "\\S\\",
                Some('~') => "\\R\\",
                Some('&') => "\\T\\",
                Some('\\') => "\\E\\",
                _ => "\\.br\\",
            })?;
            rest = chars.as_str();
        }
        f.write_str(rest)
    }
}

/// Repetitions of one field, joined by `~`.
#[derive(Debug, Clone, Copy)]
pub struct Repeated<'a, T>(pub &'a [T]);

impl<T: Display> Display for Repeated<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, value) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("~")?;
            }
            value.fmt(f)?;
        }
        Ok(())
    }
}

/// The value, or nothing.
#[derive(Debug, Clone, Copy)]
pub struct Maybe<T>(pub Option<T>);

impl<T: Display> Display for Maybe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Message<'_>)) -> Vec<u8> {
        let jis = Jis::new();
        let mut message = Message::new(&jis);
        write(&mut message);
        message.into_bytes()
    }

    #[test]
    fn fields_stand_at_their_number_and_empty_ones_leave_no_trace() {
        assert_eq!(
            written(|m| m.seg("PV1").f(2, "I").f(3, "").f(10, "08").f(17, "").end()),
            b"PV1||I||||||||08\r"
        );
        assert_eq!(
            written(|m| m.seg("MSH").f(3, "HIS").f(9, "ADT^A08").end()),
            b"MSH|^~\\&|HIS||||||ADT^A08\r"
        );
    }

    #[test]
    fn every_component_returns_to_ascii_before_its_delimiter() {
        assert_eq!(
            written(|m| m.seg("PID").f(5, "入^入").end()),
            b"PID|||||\x1b$B\x46\x7e\x1b(B^\x1b$B\x46\x7e\x1b(B\r"
        );
    }

    #[test]
    fn delimiters_in_text_are_escaped() {
        assert_eq!(
            written(|m| m.seg("NTE").f(3, Text("a|b^c~d&e\\f\ng")).end()),
            b"NTE|||a\\F\\b\\S\\c\\R\\d\\T\\e\\E\\f\\.br\\g\r"
        );
    }

    #[test]
    fn a_character_outside_jis_becomes_a_counted_geta() {
        let jis = Jis::new();
        let mut message = Message::new(&jis);
        message.seg("NTE").f(3, "㈱").end();
        assert_eq!(message.substituted(), 1);
        assert_eq!(message.into_bytes(), b"NTE|||\x1b$B\x22\x2e\x1b(B\r");
    }
}
