//! Text → bytes, for tests and for generated storages.

use alloc::vec::Vec;

use crate::tables::cp932_cells;
use crate::{Charset, fold_disputed};

/// Reverse tables, built once by the caller (about 45 kB) and used for many texts.
#[derive(Debug, Clone)]
pub struct Encoder {
    /// (character, rank of the cell, CP932 pointer), sorted.
    cells: Vec<(u16, u8, u16)>,
    windows: bool,
}

/// A character the charset has no code for; 〓 was written in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unencodable {
    /// Position in the text, in bytes of its UTF-8.
    pub at: usize,
    /// The character.
    pub character: char,
}

/// Pointer of 〓.
const GETA_POINTER: u16 = 94 + 13;
/// First pointer beyond 94 rows.
const BEYOND_7BIT: u16 = 94 * 94;

impl Encoder {
    /// Encoder for what SS-MIX2 allows: ASCII and JIS X 0208 rows 1 to 8 and 16 to 84.
    pub fn standard() -> Self {
        Self::with(false)
    }

    /// Encoder that also writes what hospitals write against the rules: NEC rows, IBM
    /// extension, half-width katakana and, in CP932, user-defined characters.
    pub fn windows() -> Self {
        Self::with(true)
    }

    fn with(windows: bool) -> Self {
        let mut cells: Vec<(u16, u8, u16)> = cp932_cells()
            .map(|(unit, pointer)| (unit, rank(pointer), pointer))
            .filter(|&(_, rank, _)| windows || rank == 0)
            .collect();
        cells.sort_unstable();
        Self { cells, windows }
    }

    /// Appends `text` as ISO-2022-JP: each run of Japanese text between its own `ESC $ B` and
    /// `ESC ( B`, and so closed before every delimiter and line end.
    ///
    /// Both forms of the six disputed characters give the same code.
    /// What has no code is written as 〓 and returned.
    pub fn encode_iso2022jp(&self, text: &str, out: &mut Vec<u8>) -> Vec<Unencodable> {
        self.encode(text, Charset::Iso2022Jp, out)
    }

    /// Appends `text` in any of the charsets; see [`Encoder::encode_iso2022jp`].
    pub fn encode(&self, text: &str, charset: Charset, out: &mut Vec<u8>) -> Vec<Unencodable> {
        if charset == Charset::Utf8 {
            out.extend_from_slice(text.as_bytes());
            return Vec::new();
        }
        let mut unencodable = Vec::new();
        let mut open = Code::Ascii(0);
        for (at, character) in text.char_indices() {
            let code = self.code(character, charset).unwrap_or_else(|| {
                unencodable.push(Unencodable { at, character });
                Code::Double(GETA_POINTER)
            });
            if charset == Charset::Iso2022Jp && !code.same_set(open) {
                out.extend_from_slice(code.escape());
            }
            open = code;
            write(code, charset, out);
        }
        if charset == Charset::Iso2022Jp && !open.same_set(Code::Ascii(0)) {
            out.extend_from_slice(Code::Ascii(0).escape());
        }
        unencodable
    }

    fn code(&self, character: char, charset: Charset) -> Option<Code> {
        let unit = u16::try_from(u32::from(fold_disputed(character))).ok()?;
        if let Ok(byte) = u8::try_from(unit)
            && byte.is_ascii()
        {
            return Some(Code::Ascii(byte));
        }
        if self.windows {
            if let Some(kana) = unit.checked_sub(0xFF61).filter(|&kana| kana < 63) {
                return Some(Code::Kana(u8::try_from(kana + 0x21).ok()?));
            }
            if let Some(user) = unit.checked_sub(0xE000).filter(|&user| user < 1880)
                && charset == Charset::Cp932
            {
                return Some(Code::Double(BEYOND_7BIT + user));
            }
        }
        let first = self.cells.partition_point(|&(cell, ..)| cell < unit);
        self.cells
            .get(first..)?
            .iter()
            .take_while(|&&(cell, ..)| cell == unit)
            .map(|&(_, _, pointer)| pointer)
            .find(|&pointer| charset == Charset::Cp932 || pointer < BEYOND_7BIT)
            .map(Code::Double)
    }
}

/// Which of several cells with one character is written: standard, NEC row 13, IBM, NEC-selected.
fn rank(pointer: u16) -> u8 {
    match pointer / 94 + 1 {
        13 => 1,
        89..=94 => 3,
        95.. => 2,
        _ => 0,
    }
}

/// One encoded character, before its charset's arithmetic.
#[derive(Debug, Clone, Copy)]
enum Code {
    Ascii(u8),
    /// 21 to 5F.
    Kana(u8),
    /// Grid position over the rows of CP932.
    Double(u16),
}

impl Code {
    fn same_set(self, other: Self) -> bool {
        core::mem::discriminant(&self) == core::mem::discriminant(&other)
    }

    fn escape(self) -> &'static [u8] {
        match self {
            Self::Ascii(_) => b"\x1B(B",
            Self::Kana(_) => b"\x1B(I",
            Self::Double(_) => b"\x1B$B",
        }
    }
}

fn write(code: Code, charset: Charset, out: &mut Vec<u8>) {
    match code {
        Code::Ascii(byte) => out.push(byte),
        Code::Kana(byte) => match charset {
            Charset::EucJp => out.extend_from_slice(&[0x8E, byte | 0x80]),
            Charset::Cp932 => out.push(byte | 0x80),
            Charset::Iso2022Jp | Charset::Utf8 => out.push(byte),
        },
        Code::Double(pointer) => out.extend_from_slice(&double(pointer, charset)),
    }
}

fn double(pointer: u16, charset: Charset) -> [u8; 2] {
    let byte = |number: u16| u8::try_from(number).unwrap_or(u8::MAX);
    if charset == Charset::Cp932 {
        let (pair, cell) = (byte(pointer / 188), byte(pointer % 188));
        let lead = if pair < 0x1F {
            0x81 + pair
        } else {
            0xC1 + pair
        };
        let trail = if cell < 0x3F {
            0x40 + cell
        } else {
            0x41 + cell
        };
        return [lead, trail];
    }
    let high = if charset == Charset::EucJp { 0x80 } else { 0 };
    [
        high | (0x21 + byte(pointer / 94)),
        high | (0x21 + byte(pointer % 94)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn writes(encoder: &Encoder, text: &str, charset: Charset, expected: &[u8]) {
        let mut bytes = Vec::new();
        assert_eq!(encoder.encode(text, charset, &mut bytes), []);
        assert_eq!(bytes, expected, "{}", bytes.escape_ascii());
    }

    #[test]
    fn each_run_is_closed_before_the_delimiter() {
        let expected = b"A^\x1B$BF~1!\x1B(B|\x1B$BF~\x1B(B\r";
        writes(
            &Encoder::standard(),
            "A^入院|入\r",
            Charset::Iso2022Jp,
            expected,
        );
    }

    #[test]
    fn both_forms_of_the_disputed_characters_have_one_code() {
        let expected = b"\x1B$B!]!A!B!q!r\"L\x1B(B";
        let encoder = Encoder::standard();
        let jis = "\u{2212}\u{301C}\u{2016}\u{A2}\u{A3}\u{AC}";
        let windows = "\u{FF0D}\u{FF5E}\u{2225}\u{FFE0}\u{FFE1}\u{FFE2}";
        writes(&encoder, jis, Charset::Iso2022Jp, expected);
        writes(&encoder, windows, Charset::Iso2022Jp, expected);
    }

    #[test]
    fn what_is_not_allowed_is_geta_and_returned() {
        let mut bytes = Vec::new();
        let lost = Encoder::standard().encode_iso2022jp("a①ｱ😀", &mut bytes);
        let lost: Vec<(usize, char)> = lost.iter().map(|u| (u.at, u.character)).collect();
        assert_eq!(lost, [(1, '①'), (4, 'ｱ'), (7, '😀')]);
        assert_eq!(bytes, b"a\x1B$B\".\".\".\x1B(B");
    }

    #[test]
    fn the_windows_encoder_writes_extensions_where_the_charset_has_them() {
        let encoder = Encoder::windows();
        let expected = b"\x1B$B-!|b\x1B(I1\x1B(B";
        writes(&encoder, "①髙ｱ", Charset::Iso2022Jp, expected);
        writes(
            &encoder,
            "①髙ｱ\u{E000}",
            Charset::Cp932,
            b"\x87@\xFB\xFC\xB1\xF0@",
        );
        writes(
            &encoder,
            "①髙ｱ",
            Charset::EucJp,
            b"\xAD\xA1\xFC\xE2\x8E\xB1",
        );
    }

    #[test]
    fn a_symbol_of_row_2_and_row_13_is_written_in_row_2() {
        writes(&Encoder::windows(), "∪", Charset::Cp932, b"\x81\xBE");
        writes(
            &Encoder::windows(),
            "∪",
            Charset::Iso2022Jp,
            b"\x1B$B\"@\x1B(B",
        );
    }
}
