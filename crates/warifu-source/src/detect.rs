//! Choosing the charset of a file.

use alloc::vec::Vec;

use crate::Charset;
use crate::check::NoteKind;
use crate::decode::{GARBAGE, GETA, Rare, read_any};
use crate::escape::ESC;

/// Charset of a file, from its bytes alone.
///
/// Without a byte from 80 on the file is ISO-2022-JP (or plain ASCII, which is the same).
/// So it is where more bytes stand in runs that escape sequences of ISO-2022-JP open (`ESC $ B`) than there are
/// from 80 on: a few stray bytes do not make another charset.
/// Otherwise the first of UTF-8, CP932 and EUC-JP in which every byte has a meaning; when there
/// is none, the one with the fewest bytes without meaning, CP932 before UTF-8 before EUC-JP
/// (a UTF-8 file with one cut character is still UTF-8).
///
/// Most EUC-JP text is also valid CP932 and therefore read as CP932: no SS-MIX2 module writes
/// EUC-JP, many write half-width katakana in CP932, and the bytes alone cannot tell.
///
/// ```
/// use warifu_source::{Charset, detect};
///
/// assert_eq!(detect(b"\x1B$BF~1!\x1B(B"), Charset::Iso2022Jp);
/// assert_eq!(detect(b"\x93\xFC\x89\x40"), Charset::Cp932);
/// ```
///
/// # Standard
///
/// HL7 v2.5 MSH-18 is not asked: the bytes win over the declaration.
pub fn detect(bytes: &[u8]) -> Charset {
    if bytes.is_ascii() {
        return Charset::Iso2022Jp;
    }
    if escaped(bytes) > bytes.iter().filter(|byte| !byte.is_ascii()).count() {
        return Charset::Iso2022Jp;
    }
    if core::str::from_utf8(bytes).is_ok() {
        return Charset::Utf8;
    }
    let cp932 = meaningless(bytes, Charset::Cp932);
    if cp932 == 0 {
        return Charset::Cp932;
    }
    let eucjp = meaningless(bytes, Charset::EucJp);
    if eucjp == 0 {
        return Charset::EucJp;
    }
    let utf8 = meaningless(bytes, Charset::Utf8);
    if cp932 <= utf8 && cp932 <= eucjp {
        Charset::Cp932
    } else if utf8 <= eucjp {
        Charset::Utf8
    } else {
        Charset::EucJp
    }
}

/// Charset a message declares in MSH-18, given the whole field with its repetitions.
///
/// `None` when the field is empty or names no charset of Japanese messages.
/// Blanks, hyphens, underscores and case do not matter (`~ISOIR87` is met).
/// `ASCII`, `ISO IR14`, `ISO IR13`, `ISO IR87` and `ISO IR159` all mean the 7-bit code.
///
/// # Standard
///
/// HL7 v2.5 table 0211, MSH-18.
pub fn declared(msh18: &[u8]) -> Option<Charset> {
    msh18.split(|&byte| byte == b'~').find_map(|repetition| {
        let name: Vec<u8> = repetition
            .iter()
            .filter(|byte| byte.is_ascii_alphanumeric())
            .map(u8::to_ascii_uppercase)
            .collect();
        match name.as_slice() {
            b"ASCII" | b"ISOIR6" | b"ISOIR13" | b"ISOIR14" | b"ISOIR87" | b"ISOIR159"
            | b"ISO2022JP" | b"JIS" => Some(Charset::Iso2022Jp),
            b"UNICODEUTF8" | b"UTF8" => Some(Charset::Utf8),
            b"CP932" | b"MS932" | b"SHIFTJIS" | b"SJIS" | b"WINDOWS31J" => Some(Charset::Cp932),
            b"EUCJP" => Some(Charset::EucJp),
            _ => None,
        }
    })
}

/// Number of bytes without meaning in a charset.
fn meaningless(bytes: &[u8], charset: Charset) -> usize {
    let mut sink = Meaningless { bytes: 0 };
    read_any(bytes, charset, &mut sink);
    sink.bytes
}

/// Number of bytes of characters that escape sequences of ISO-2022-JP shift to.
fn escaped(bytes: &[u8]) -> usize {
    if !bytes.contains(&ESC) {
        return 0;
    }
    let mut sink = Escaped { bytes, count: 0 };
    read_any(bytes, Charset::Iso2022Jp, &mut sink);
    sink.count
}

struct Escaped<'a> {
    bytes: &'a [u8],
    count: usize,
}

impl Rare for Escaped<'_> {
    fn character(&mut self, at: usize, len: usize, character: char) {
        let seven_bit = self.bytes.get(at).is_some_and(u8::is_ascii);
        if seven_bit && !matches!(character, GARBAGE | GETA) {
            self.count += len;
        }
    }
}

struct Meaningless {
    bytes: usize,
}

impl Rare for Meaningless {
    fn note(&mut self, kind: NoteKind, start: usize, end: usize) {
        if let NoteKind::Malformed | NoteKind::Unmapped | NoteKind::EightBitByte = kind {
            self.bytes += end - start;
        }
    }
}
