//! The file as it is: bytes with their escape sequences, laid out in rows of text or of hex.
//!
//! The engine hands over decoded text without escapes; these views show what stands in the
//! file. Widths and shift states are computed here from the bytes alone; characters come from
//! the browser's own decoder (passed in as a function), so no code tables are linked.

use crate::findings::Severity;

/// How a byte is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shift {
    /// `ESC ( B`, and the start of every line
    Ascii,
    /// `ESC ( J`
    Roman,
    /// `ESC ( I`, one byte per half-width kana
    Kana,
    /// `ESC $ @`, `ESC $ B`, `ESC & @`: two bytes per character
    Kanji,
    /// `ESC $ ( D`: two bytes per character
    Kanji2,
}

impl Shift {
    /// Name shown in the hex view.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ascii => "ASCII",
            Self::Roman => "JIS Roman",
            Self::Kana => "JIS カナ",
            Self::Kanji => "JIS X 0208",
            Self::Kanji2 => "JIS X 0212",
        }
    }

    const fn wide(self) -> bool {
        matches!(self, Self::Kanji | Self::Kanji2)
    }
}

/// Charset of the file, as far as the views care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// ISO-2022-JP in any of its forms, and plain ASCII
    Jis,
    /// UTF-8
    Utf8,
    /// Shift_JIS, CP932
    Cp932,
    /// EUC-JP
    Euc,
}

impl Charset {
    /// From the engine's name of the charset.
    pub fn of(name: &str) -> Self {
        let is = |part: &str| crate::text::holds(name, part);
        if is("utf") {
            Self::Utf8
        } else if is("932") || is("shift") || is("sjis") {
            Self::Cp932
        } else if is("euc") {
            Self::Euc
        } else {
            Self::Jis
        }
    }

    /// Label for the browser's `TextDecoder`.
    pub const fn decoder(self) -> &'static str {
        match self {
            Self::Jis | Self::Euc => "euc-jp",
            Self::Utf8 => "utf-8",
            Self::Cp932 => "shift_jis",
        }
    }
}

/// What a glyph is, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Ordinary text.
    Plain,
    /// `|` `^` `~` `\` `&` in a one-byte state.
    Delimiter,
    /// An escape sequence, `␛$B`.
    Escape,
    /// CR, LF, TAB and other controls.
    Control,
    /// Bytes that mean nothing in their state.
    Bad,
}

/// A unit of the file: one character, one escape sequence or one control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// Byte range.
    pub span: (u32, u32),
    /// Shift state it is read in.
    pub shift: Shift,
    /// Its look.
    pub look: Look,
    /// Width in half-width cells.
    pub cells: u8,
}

/// Walks the units of `bytes` from `at`.
#[derive(Debug, Clone)]
pub struct Units<'a> {
    bytes: &'a [u8],
    at: usize,
    shift: Shift,
    charset: Charset,
}

impl<'a> Units<'a> {
    /// Starts at `at`, read in `shift`.
    pub const fn new(bytes: &'a [u8], charset: Charset, at: usize, shift: Shift) -> Self {
        Self {
            bytes,
            at,
            shift,
            charset,
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn escape(&self) -> Option<(usize, Shift)> {
        let rest = self.bytes.get(self.at..)?;
        for (sequence, shift) in ESCAPES {
            if rest.starts_with(sequence) {
                return Some((sequence.len(), *shift));
            }
        }
        None
    }
}

/// Escape sequences of ISO-2022-JP as met in SS-MIX2; longer ones first.
const ESCAPES: &[(&[u8], Shift)] = &[
    (b"\x1b&@\x1b$B", Shift::Kanji),
    (b"\x1b$(D", Shift::Kanji2),
    (b"\x1b$(B", Shift::Kanji),
    (b"\x1b$(@", Shift::Kanji),
    (b"\x1b$@", Shift::Kanji),
    (b"\x1b$B", Shift::Kanji),
    (b"\x1b(B", Shift::Ascii),
    (b"\x1b(J", Shift::Roman),
    (b"\x1b(H", Shift::Roman),
    (b"\x1b(I", Shift::Kana),
];

impl Iterator for Units<'_> {
    type Item = Unit;

    fn next(&mut self) -> Option<Unit> {
        let start = self.at;
        let b = self.byte(start)?;
        let (len, look, cells) = if b == 0x1b {
            if self.charset == Charset::Jis
                && let Some((len, shift)) = self.escape()
            {
                self.shift = shift;
                (len, Look::Escape, u8::try_from(len + 1).unwrap_or(5))
            } else {
                (1, Look::Control, 2)
            }
        } else if b == b'\r' || b == b'\n' {
            // A line always starts in ASCII, whatever a missing escape says.
            self.shift = Shift::Ascii;
            if b == b'\r' && self.byte(start + 1) == Some(b'\n') {
                (2, Look::Control, 4)
            } else {
                (1, Look::Control, 2)
            }
        } else if b < 0x20 || b == 0x7f {
            (1, Look::Control, 2)
        } else {
            match self.charset {
                Charset::Jis if self.shift.wide() => match self.byte(start + 1) {
                    Some(second)
                        if (0x21..=0x7e).contains(&b) && (0x21..=0x7e).contains(&second) =>
                    {
                        (2, Look::Plain, 2)
                    }
                    _ => (1, Look::Bad, 1),
                },
                Charset::Jis if b >= 0x80 => (1, Look::Bad, 1),
                Charset::Jis => (1, one_byte(b, self.shift), 1),
                Charset::Utf8 => {
                    let len = match b {
                        0xc2..=0xdf => 2,
                        0xe0..=0xef => 3,
                        0xf0..=0xf4 => 4,
                        _ => 1,
                    };
                    let whole = self
                        .bytes
                        .get(start..start + len)
                        .and_then(|s| std::str::from_utf8(s).ok());
                    match whole.and_then(|s| s.chars().next()) {
                        Some(c) if c.is_ascii() => (1, one_byte(b, Shift::Ascii), 1),
                        Some(c) => (len, Look::Plain, width(c)),
                        None => (1, Look::Bad, 1),
                    }
                }
                Charset::Cp932 => match (b, self.byte(start + 1)) {
                    (0x81..=0x9f | 0xe0..=0xfc, Some(0x40..=0x7e | 0x80..=0xfc)) => {
                        (2, Look::Plain, 2)
                    }
                    (0xa1..=0xdf, _) => (1, Look::Plain, 1),
                    (0x80.., _) => (1, Look::Bad, 1),
                    _ => (1, one_byte(b, Shift::Ascii), 1),
                },
                Charset::Euc => match (b, self.byte(start + 1), self.byte(start + 2)) {
                    (0x8f, Some(0xa1..=0xfe), Some(0xa1..=0xfe)) => (3, Look::Plain, 2),
                    (0x8e, Some(0xa1..=0xdf), _) => (2, Look::Plain, 1),
                    (0xa1..=0xfe, Some(0xa1..=0xfe), _) => (2, Look::Plain, 2),
                    (0x80.., ..) => (1, Look::Bad, 1),
                    _ => (1, one_byte(b, Shift::Ascii), 1),
                },
            }
        };
        self.at = start + len;
        Some(Unit {
            span: (crate::json::cut(start), crate::json::cut(self.at)),
            shift: self.shift,
            look,
            cells,
        })
    }
}

const fn one_byte(b: u8, shift: Shift) -> Look {
    match shift {
        Shift::Kana => Look::Plain,
        _ => match b {
            b'|' | b'^' | b'~' | b'\\' | b'&' => Look::Delimiter,
            _ => Look::Plain,
        },
    }
}

/// Width of a character in half-width cells.
fn width(c: char) -> u8 {
    match c as u32 {
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe4f
        | 0xff01..=0xff60
        | 0xffe0..=0xffe6
        | 0x1_f300..=0x1_faff
        | 0x2_0000..=0x3_fffd => 2,
        _ => 1,
    }
}

/// One row of the text view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextRow {
    /// 1-based line (segment) the row belongs to.
    pub line: u32,
    /// Whether it is the line's first row.
    pub first: bool,
    /// Byte range.
    pub span: (u32, u32),
    /// Shift state at its start.
    pub shift: Shift,
}

/// Lays the file out in rows of at most `cells` half-width cells; lines end at CR, LF or CRLF.
pub fn text_rows(bytes: &[u8], charset: Charset, cells: u32) -> Vec<TextRow> {
    let cells = cells.max(8);
    let mut rows = Vec::new();
    let mut row = TextRow {
        line: 1,
        first: true,
        span: (0, 0),
        shift: Shift::Ascii,
    };
    let mut used = 0;
    let mut shift = Shift::Ascii;
    for unit in Units::new(bytes, charset, 0, Shift::Ascii) {
        let ends = unit.look == Look::Control
            && matches!(bytes.get(unit.span.0 as usize), Some(b'\r' | b'\n'));
        if used + u32::from(unit.cells) > cells && used > 0 {
            row.span.1 = unit.span.0;
            rows.push(row);
            row = TextRow {
                line: row.line,
                first: false,
                span: (unit.span.0, unit.span.0),
                shift,
            };
            used = 0;
        }
        used += u32::from(unit.cells);
        row.span.1 = unit.span.1;
        shift = unit.shift;
        if ends {
            rows.push(row);
            row = TextRow {
                line: row.line + 1,
                first: true,
                span: (unit.span.1, unit.span.1),
                shift: Shift::Ascii,
            };
            shift = Shift::Ascii;
            used = 0;
        }
    }
    if row.span.0 < row.span.1 || rows.is_empty() {
        rows.push(row);
    }
    rows
}

/// A stretch of a row that looks the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Text as shown.
    pub text: String,
    /// Its look.
    pub look: Look,
    /// Whether it is marked.
    pub marked: bool,
    /// The worst finding on it.
    pub found: Option<Severity>,
    /// Byte range.
    pub span: (u32, u32),
}

/// Decodes bytes that the browser's decoder of [`Charset::decoder`] understands.
pub type Decode<'a> = &'a dyn Fn(&[u8]) -> String;

/// Text of one unit.
pub fn unit_text(bytes: &[u8], charset: Charset, unit: Unit, decode: Decode<'_>) -> String {
    let raw = bytes
        .get(unit.span.0 as usize..unit.span.1 as usize)
        .unwrap_or(&[]);
    match unit.look {
        Look::Bad => "\u{FFFD}".into(),
        Look::Escape => raw
            .iter()
            .map(|&b| if b == 0x1b { '␛' } else { char::from(b) })
            .collect(),
        Look::Control => raw.iter().map(|&b| control(b)).collect(),
        Look::Delimiter => raw.iter().map(|&b| char::from(b)).collect(),
        Look::Plain => {
            let text = match (charset, unit.shift) {
                (Charset::Jis, Shift::Kanji) => decode(&high(raw, None)),
                (Charset::Jis, Shift::Kanji2) => decode(&high(raw, Some(0x8f))),
                (Charset::Jis, Shift::Kana) => decode(&high(raw, Some(0x8e))),
                (Charset::Jis, _) => raw.iter().map(|&b| char::from(b)).collect(),
                _ => decode(raw),
            };
            if text.is_empty() {
                "\u{FFFD}".into()
            } else {
                text
            }
        }
    }
}

/// Names of the control characters, as drawn in place of their pictures, which few fonts have.
const CONTROL_NAMES: [&str; 32] = [
    "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "TAB", "LF", "VT", "FF", "CR",
    "SO", "SI", "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC",
    "FS", "GS", "RS", "US",
];

/// Short name of a picture of a control character; `None` for any other character.
pub fn control_name(picture: char) -> Option<&'static str> {
    match u32::from(picture).checked_sub(0x2400)? {
        n @ 0..=31 => CONTROL_NAMES.get(n as usize).copied(),
        33 => Some("DEL"),
        _ => None,
    }
}

/// Picture of a control byte.
fn control(b: u8) -> char {
    match b {
        0x7f => '␡',
        0..=0x1f => char::from_u32(0x2400 + u32::from(b)).unwrap_or('␦'),
        _ => char::from(b),
    }
}

/// JIS bytes as EUC-JP: the eighth bit set, after an optional single shift.
fn high(raw: &[u8], prefix: Option<u8>) -> Vec<u8> {
    prefix
        .into_iter()
        .chain(raw.iter().map(|b| b | 0x80))
        .collect()
}

/// The runs of one text row; `marked` tells which bytes are marked.
pub fn runs(
    bytes: &[u8],
    charset: Charset,
    row: TextRow,
    marked: &dyn Fn(u32, u32) -> bool,
    found: &dyn Fn(u32, u32) -> Option<Severity>,
    decode: Decode<'_>,
) -> Vec<Run> {
    let mut out: Vec<Run> = Vec::new();
    for unit in Units::new(bytes, charset, row.span.0 as usize, row.shift) {
        if unit.span.0 >= row.span.1 {
            break;
        }
        let text = unit_text(bytes, charset, unit, decode);
        let mark = marked(unit.span.0, unit.span.1);
        let worst = found(unit.span.0, unit.span.1);
        match out.last_mut() {
            Some(run)
                if run.look == unit.look
                    && run.marked == mark
                    && run.found == worst
                    && unit.look != Look::Escape =>
            {
                run.text.push_str(&text);
                run.span.1 = unit.span.1;
            }
            _ => out.push(Run {
                text,
                look: unit.look,
                marked: mark,
                found: worst,
                span: unit.span,
            }),
        }
    }
    out
}

/// A cell of the hex view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HexCell {
    /// The byte.
    pub byte: u8,
    /// Its look.
    pub look: Look,
    /// Whether it belongs to a character of several bytes.
    pub wide: bool,
}

/// One row of the hex view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HexRow {
    /// Offset of the first byte.
    pub offset: u32,
    /// Bytes.
    pub cells: Vec<HexCell>,
    /// Shift state of the row's first byte (the state in force, not the last escape).
    pub shift: Shift,
    /// Text of the characters that begin in the row.
    pub text: String,
}

/// Where each row of the hex view starts reading: the first unit that touches it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HexIndex {
    per_row: u32,
    len: u32,
    starts: Vec<(u32, Shift)>,
}

impl HexIndex {
    /// Indexes a file for rows of `per_row` bytes.
    pub fn new(bytes: &[u8], charset: Charset, per_row: u32) -> Self {
        let per_row = per_row.max(1);
        let mut starts = Vec::with_capacity(bytes.len() / per_row as usize + 1);
        let mut before = Shift::Ascii;
        for unit in Units::new(bytes, charset, 0, Shift::Ascii) {
            while crate::json::cut(starts.len()) * per_row < unit.span.1 {
                starts.push((unit.span.0, before));
            }
            before = unit.shift;
        }
        Self {
            per_row,
            len: crate::json::cut(bytes.len()),
            starts,
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.starts.len()
    }

    /// Bytes per row.
    pub const fn per_row(&self) -> u32 {
        self.per_row
    }

    /// One row.
    pub fn row(
        &self,
        bytes: &[u8],
        charset: Charset,
        row: usize,
        decode: Decode<'_>,
    ) -> Option<HexRow> {
        let &(from, shift) = self.starts.get(row)?;
        let offset = crate::json::cut(row) * self.per_row;
        let end = (offset + self.per_row).min(self.len);
        let mut out = HexRow {
            offset,
            cells: Vec::new(),
            shift,
            text: String::new(),
        };
        for unit in Units::new(bytes, charset, from as usize, shift) {
            if unit.span.0 >= end {
                break;
            }
            if out.cells.is_empty() {
                out.shift = unit.shift;
            }
            for at in unit.span.0.max(offset)..unit.span.1.min(end) {
                let byte = bytes.get(at as usize).copied().unwrap_or(0);
                out.cells.push(HexCell {
                    byte,
                    look: unit.look,
                    wide: unit.look == Look::Plain && unit.span.1 - unit.span.0 > 1,
                });
            }
            if unit.span.0 >= offset {
                match unit.look {
                    Look::Escape | Look::Control => out.text.push('·'),
                    _ => out.text.push_str(&unit_text(bytes, charset, unit, decode)),
                }
            }
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn euc(bytes: &[u8]) -> String {
        encoding_rs::EUC_JP
            .decode_without_bom_handling(bytes)
            .0
            .into_owned()
    }

    fn line(bytes: &[u8]) -> String {
        text_rows(bytes, Charset::Jis, 200)
            .iter()
            .flat_map(|r| runs(bytes, Charset::Jis, *r, &|_, _| false, &|_, _| None, &euc))
            .map(|r| r.text)
            .collect()
    }

    #[test]
    fn escapes_and_terminators_are_visible() {
        assert_eq!(
            line(b"PID|\x1b$B;3ED\x1b(B^\x1b(ITO@^\x1b(B\rPV1|"),
            "PID|␛$B山田␛(B^␛(Iﾔﾏﾀﾞ␛(B␍PV1|"
        );
        assert_eq!(line(b"a\r\nb\n"), "a␍␊b␊");
    }

    #[test]
    fn a_delimiter_byte_inside_a_kanji_is_no_delimiter() {
        // 0x30 0x7C is one character whose second byte looks like `|`.
        let bytes = b"\x1b$B0|\x1b(B|";
        let row = text_rows(bytes, Charset::Jis, 80)[0];
        let looks: Vec<_> = runs(bytes, Charset::Jis, row, &|_, _| false, &|_, _| None, &euc)
            .iter()
            .map(|r| r.look)
            .collect();
        assert_eq!(
            looks,
            [Look::Escape, Look::Plain, Look::Escape, Look::Delimiter]
        );
    }

    #[test]
    fn pictures_have_names() {
        assert_eq!(control_name('␛'), Some("ESC"));
        assert_eq!(control_name('␍'), Some("CR"));
        assert_eq!(control_name('␡'), Some("DEL"));
        assert_eq!((control_name('A'), control_name('␠')), (None, None));
    }

    #[test]
    fn a_missing_escape_ends_at_the_line() {
        assert_eq!(line(b"\x1b$B;3\rPV1"), "␛$B山␍PV1");
    }

    #[test]
    fn long_lines_are_folded_without_cutting_a_character() {
        let bytes = b"\x1b$B;3ED;3ED;3ED;3ED\x1b(B";
        let rows = text_rows(bytes, Charset::Jis, 8);
        assert_eq!(
            rows.iter().map(|r| r.span).collect::<Vec<_>>(),
            [(0, 7), (7, 15), (15, 22)]
        );
        assert!(rows.iter().skip(1).all(|r| !r.first && r.line == 1));
        let text: String = rows
            .iter()
            .flat_map(|r| runs(bytes, Charset::Jis, *r, &|_, _| false, &|_, _| None, &euc))
            .map(|r| r.text)
            .collect();
        assert_eq!(text, "␛$B山田山田山田山田␛(B");
    }

    #[test]
    fn marks_split_runs_at_their_bytes() {
        let bytes = b"ab|cd";
        let row = text_rows(bytes, Charset::Jis, 80)[0];
        let parts: Vec<_> = runs(
            bytes,
            Charset::Jis,
            row,
            &|s, e| s < 4 && e > 1,
            &|_, _| None,
            &euc,
        )
        .into_iter()
        .map(|r| (r.text, r.marked))
        .collect();
        assert_eq!(
            parts,
            [
                ("a".into(), false),
                ("b".into(), true),
                ("|".into(), true),
                ("c".into(), true),
                ("d".into(), false)
            ]
        );
    }

    #[test]
    fn hex_rows_know_their_shift_state_and_text() {
        let bytes = b"abcdefghijklm\x1b$B;3ED\x1b(Bz";
        let index = HexIndex::new(bytes, Charset::Jis, 16);
        assert_eq!(index.rows(), 2);
        let first = index.row(bytes, Charset::Jis, 0, &euc).unwrap();
        assert_eq!(
            (first.shift, first.text.as_str(), first.cells.len()),
            (Shift::Ascii, "abcdefghijklm·", 16)
        );
        let second = index.row(bytes, Charset::Jis, 1, &euc).unwrap();
        assert_eq!(
            (second.offset, second.shift, second.text.as_str()),
            (16, Shift::Kanji, "山田·z")
        );
        assert!(second.cells[0].wide && second.cells[4].look == Look::Escape);
        assert_eq!(HexIndex::new(b"", Charset::Jis, 16).rows(), 0);
    }

    #[test]
    fn other_charsets_keep_their_characters_whole() {
        let utf8 = "山|ﾔ\u{20BB7}".as_bytes();
        let spans: Vec<_> = Units::new(utf8, Charset::Utf8, 0, Shift::Ascii)
            .map(|u| (u.span.1 - u.span.0, u.cells))
            .collect();
        assert_eq!(spans, [(3, 2), (1, 1), (3, 1), (4, 2)]);
        let cp932 = b"\x8e\x52|\xd4\x95\x5c";
        let spans: Vec<_> = Units::new(cp932, Charset::Cp932, 0, Shift::Ascii)
            .map(|u| (u.span.1 - u.span.0, u.look))
            .collect();
        assert_eq!(
            spans,
            [
                (2, Look::Plain),
                (1, Look::Delimiter),
                (1, Look::Plain),
                (2, Look::Plain)
            ]
        );
        assert_eq!(Charset::of("Shift_JIS"), Charset::Cp932);
        assert_eq!(Charset::of("ISO-2022-JP"), Charset::Jis);
    }

    proptest! {
        #[test]
        fn units_cover_every_byte_once(bytes in prop::collection::vec(prop_oneof![Just(0x1bu8), Just(b'$'), Just(b'B'), Just(b'('), Just(b'\r'), any::<u8>()], 0..200)) {
            for charset in [Charset::Jis, Charset::Utf8, Charset::Cp932, Charset::Euc] {
                let mut at = 0;
                for unit in Units::new(&bytes, charset, 0, Shift::Ascii) {
                    prop_assert_eq!(unit.span.0, at);
                    prop_assert!(unit.span.1 > at);
                    at = unit.span.1;
                }
                prop_assert_eq!(at as usize, bytes.len());
                let mut at = 0;
                for row in text_rows(&bytes, charset, 20) { prop_assert_eq!(row.span.0, at); at = row.span.1; }
                prop_assert_eq!(at as usize, bytes.len());
                let index = HexIndex::new(&bytes, charset, 16);
                prop_assert_eq!(index.rows(), bytes.len().div_ceil(16));
                let mut all = Vec::new();
                for r in 0..index.rows() { all.extend(index.row(&bytes, charset, r, &euc).unwrap().cells.iter().map(|c| c.byte)); }
                prop_assert_eq!(&all, &bytes);
            }
        }
    }
}
