//! The readers of the four charsets.
//!
//! One reader for each charset feeds a [`Sink`]; decoding a component, decoding a file with a
//! map, checking a file and sniffing are four sinks over the same readers, so they cannot
//! disagree.

use alloc::string::String;

use crate::Charset;
use crate::check::NoteKind;
use crate::escape::{CodeSet, ESC, EscapeAction, SI, SO, escape_at};
use crate::scan::plain_end;
use crate::tables::{self, Area};

/// Stands for a double byte that is well-formed but has no character (下駄, geta mark).
pub(crate) const GETA: char = '〓';
/// Stands for bytes that are no character at all.
pub(crate) const GARBAGE: char = char::REPLACEMENT_CHARACTER;
/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What a reader reports, in the order of the bytes.
pub(crate) trait Sink {
    /// Whether the sink listens to [`Sink::note`]; readers skip the tests when it does not.
    const NOTES: bool;
    /// A run of 7-bit bytes that stand for themselves; `shifted` when an escape sequence
    /// that is not plain ASCII is in effect.
    fn ascii(&mut self, at: usize, run: &[u8], shifted: bool);
    /// Valid UTF-8 that stands for itself.
    fn utf8(&mut self, at: usize, run: &str);
    /// One character made of `len` bytes.
    fn character(&mut self, at: usize, len: usize, character: char);
    /// Something odd in `start..end`.
    fn note(&mut self, kind: NoteKind, start: usize, end: usize);
}

/// Decodes one component (or any piece that starts in the ASCII state) and appends it to `out`.
///
/// Never fails: a well-formed double byte without a character gives 〓 (U+3013), bytes that are
/// no character give U+FFFD, unknown escape sequences give nothing.
/// CR and LF end an open shift and are kept.
/// The text of a UTF-8 byte order mark at the start is empty.
///
/// ```
/// use warifu_source::{Charset, decode_into};
///
/// let mut text = String::new();
/// decode_into(b"\x1B$BF~1!\x1B(B", Charset::Iso2022Jp, &mut text);
/// assert_eq!(text, "入院");
/// ```
pub fn decode_into(bytes: &[u8], charset: Charset, out: &mut String) {
    out.reserve(bytes.len() + bytes.len() / 2);
    read(bytes, charset, &mut Text { out });
}

/// Runs the reader of a charset.
pub(crate) fn read<S: Sink>(bytes: &[u8], charset: Charset, sink: &mut S) {
    match charset {
        Charset::Iso2022Jp => read_iso2022jp(bytes, sink),
        Charset::Utf8 => read_utf8(bytes, sink),
        Charset::Cp932 => read_cp932(bytes, sink),
        Charset::EucJp => read_eucjp(bytes, sink),
    }
}

/// [`read`] for sinks of which one reader is enough: what runs rarely need not be there once more.
pub(crate) fn read_any(bytes: &[u8], charset: Charset, sink: &mut dyn Rare) {
    read(bytes, charset, &mut Any(sink));
}

/// [`read_any`] of UTF-8 alone.
pub(crate) fn read_any_utf8(bytes: &[u8], sink: &mut dyn Rare) {
    read_utf8(bytes, &mut Any(sink));
}

/// What [`read_any`] tells.
pub(crate) trait Rare {
    /// As [`Sink::ascii`].
    fn ascii(&mut self, _at: usize, _run: &[u8], _shifted: bool) {}
    /// As [`Sink::utf8`].
    fn utf8(&mut self, _at: usize, _run: &str) {}
    /// As [`Sink::character`].
    fn character(&mut self, _at: usize, _len: usize, _character: char) {}
    /// As [`Sink::note`].
    fn note(&mut self, _kind: NoteKind, _start: usize, _end: usize) {}
}

struct Any<'s>(&'s mut dyn Rare);

impl Sink for Any<'_> {
    const NOTES: bool = true;

    fn ascii(&mut self, at: usize, run: &[u8], shifted: bool) {
        self.0.ascii(at, run, shifted);
    }

    fn utf8(&mut self, at: usize, run: &str) {
        self.0.utf8(at, run);
    }

    fn character(&mut self, at: usize, len: usize, character: char) {
        self.0.character(at, len, character);
    }

    fn note(&mut self, kind: NoteKind, start: usize, end: usize) {
        self.0.note(kind, start, end);
    }
}

/// The sink of [`decode_into`].
struct Text<'a> {
    out: &'a mut String,
}

impl Sink for Text<'_> {
    const NOTES: bool = false;

    #[inline]
    fn ascii(&mut self, _at: usize, run: &[u8], _shifted: bool) {
        push_ascii(self.out, run);
    }

    #[inline]
    fn utf8(&mut self, _at: usize, run: &str) {
        self.out.push_str(run);
    }

    #[inline]
    fn character(&mut self, _at: usize, _len: usize, character: char) {
        self.out.push(character);
    }

    #[inline]
    fn note(&mut self, _kind: NoteKind, _start: usize, _end: usize) {}
}

/// Appends 7-bit bytes.
#[inline]
pub(crate) fn push_ascii(out: &mut String, run: &[u8]) {
    match core::str::from_utf8(run) {
        Ok(run) => out.push_str(run),
        // Readers pass 7-bit bytes only; this arm keeps the promise "one character a byte".
        Err(_) => out.extend(run.iter().map(|&byte| char::from(byte & 0x7F))),
    }
}

/// State of the ISO-2022-JP reader between two bytes.
struct Shift {
    /// Set chosen by the last escape sequence.
    set: CodeSet,
    /// Between SO and SI.
    out: bool,
    /// Where the sequence that left ASCII starts.
    opened: usize,
    /// The last escape sequence that switched, and whether it is noted as redundant already.
    last: core::ops::Range<usize>,
    last_noted: bool,
}

impl Shift {
    fn effective(&self) -> CodeSet {
        if self.out {
            CodeSet::Katakana
        } else {
            self.set
        }
    }

    /// Reads the escape sequence at `at` and returns the position behind it.
    fn escape<S: Sink>(&mut self, bytes: &[u8], at: usize, sink: &mut S) -> usize {
        let sequence = bytes.get(at..).unwrap_or_default();
        let escape = escape_at(sequence);
        let end = at + escape.len;
        match escape.action {
            EscapeAction::Switch(set) => {
                if S::NOTES {
                    self.note_switch(sequence, set, at..end, sink);
                }
                self.switch(set, at);
            }
            EscapeAction::SwitchUnknown(set) => {
                sink.note(NoteKind::UnknownEscape, at, end);
                self.switch(set, at);
            }
            EscapeAction::Announce => {
                let announces = bytes
                    .get(end..)
                    .is_some_and(|rest| rest.starts_with(b"\x1B$B"));
                if S::NOTES && !announces {
                    sink.note(NoteKind::RedundantEscape, at, end);
                }
            }
            EscapeAction::Unknown => sink.note(NoteKind::UnknownEscape, at, end),
        }
        end
    }

    /// Takes the set of an escape sequence at `at`; a katakana shift by SO ends, too.
    fn switch(&mut self, set: CodeSet, at: usize) {
        if self.effective().is_ascii_like() {
            self.opened = at;
        }
        self.set = set;
        self.out = false;
    }

    fn note_switch<S: Sink>(
        &mut self,
        sequence: &[u8],
        set: CodeSet,
        range: core::ops::Range<usize>,
        sink: &mut S,
    ) {
        let redundant = set == self.effective();
        // Nothing was written since the last switch, so that one had no effect.
        let overruled = self.last.end == range.start && !self.last.is_empty();
        if overruled && !redundant && !self.last_noted {
            sink.note(NoteKind::RedundantEscape, self.last.start, self.last.end);
        }
        let kind = match sequence {
            [_, b'$', b'@', ..] => Some(NoteKind::Jis78Escape),
            [_, b'$', b'(', b'D', ..] => Some(NoteKind::Jis0212Escape),
            [_, b'$', b'(', ..] => Some(NoteKind::LongEscape),
            [_, b'(', b'J', ..] => Some(NoteKind::JisRomanEscape),
            _ if redundant => Some(NoteKind::RedundantEscape),
            _ => None,
        };
        if let Some(kind) = kind {
            sink.note(kind, range.start, range.end);
        }
        self.last = range;
        self.last_noted = redundant;
    }
}

/// 7-bit ISO-2022-JP.
fn read_iso2022jp<S: Sink>(bytes: &[u8], sink: &mut S) {
    let mut shift = Shift {
        set: CodeSet::Ascii,
        out: false,
        opened: 0,
        last: 0..0,
        last_noted: false,
    };
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let state = shift.effective();
        match byte {
            ESC => {
                at = shift.escape(bytes, at, sink);
                continue;
            }
            SO | SI => {
                if state.is_ascii_like() {
                    shift.opened = at;
                }
                let out = byte == SO;
                if shift.out == out {
                    sink.note(NoteKind::RedundantEscape, at, at + 1);
                }
                shift.out = out;
                at += 1;
                continue;
            }
            b'\r' | b'\n' if !state.is_ascii_like() => {
                sink.note(NoteKind::UnclosedShift, shift.opened, at);
                shift.set = CodeSet::Ascii;
                shift.out = false;
                continue;
            }
            _ => {}
        }
        at = match state {
            CodeSet::Ascii => ascii_run(bytes, at, false, sink),
            CodeSet::Roman => ascii_run(bytes, at, true, sink),
            CodeSet::Katakana => katakana(byte, at, sink),
            CodeSet::JisX0208 => {
                let end = x0208_run(bytes, at, sink);
                if end == at { half(byte, at, sink) } else { end }
            }
            CodeSet::JisX0212 => {
                let end = rare_run(bytes, at, tables::x0212, sink);
                if end == at { half(byte, at, sink) } else { end }
            }
            CodeSet::Foreign => {
                let end = rare_run(bytes, at, |_| None, sink);
                if end == at { half(byte, at, sink) } else { end }
            }
        };
    }
    if !shift.effective().is_ascii_like() {
        sink.note(NoteKind::UnclosedShift, shift.opened, bytes.len());
    }
}

/// Plain text, or one byte that is neither plain nor a shift.
#[inline]
fn ascii_run<S: Sink>(bytes: &[u8], at: usize, shifted: bool, sink: &mut S) -> usize {
    let end = plain_end(bytes, at);
    let run = bytes.get(at..end).unwrap_or_default();
    if run.is_empty() {
        return odd(bytes, at, sink);
    }
    sink.ascii(at, run, shifted);
    end
}

/// One byte in the katakana state.
fn katakana<S: Sink>(byte: u8, at: usize, sink: &mut S) -> usize {
    if let Some(character) = tables::katakana7(byte) {
        sink.note(NoteKind::HalfWidthKatakana, at, at + 1);
        sink.character(at, 1, character);
        return at + 1;
    }
    half(byte, at, sink)
}

/// Double bytes of JIS X 0208, up to the first byte that starts none.
#[inline]
fn x0208_run<S: Sink>(bytes: &[u8], from: usize, sink: &mut S) -> usize {
    let mut at = from;
    let (pairs, _) = bytes.get(from..).unwrap_or_default().as_chunks::<2>();
    for &[lead, trail] in pairs {
        let Some(pointer) = tables::pointer7(lead, trail) else {
            break;
        };
        let found = tables::x0208(pointer);
        if S::NOTES {
            match found {
                None => sink.note(NoteKind::Unmapped, at, at + 2),
                Some('■' | '〓') => sink.note(NoteKind::ReplacedChar, at, at + 2),
                Some(_) if matches!(lead, 0x2D | 0x79..=0x7C) => {
                    sink.note(NoteKind::NecExtension, at, at + 2);
                }
                Some(_) => {}
            }
        }
        sink.character(at, 2, found.unwrap_or(GETA));
        at += 2;
    }
    at
}

/// Double bytes of a set without areas, up to the first byte that starts none.
fn rare_run<S: Sink>(
    bytes: &[u8],
    from: usize,
    character_at: impl Fn(usize) -> Option<char>,
    sink: &mut S,
) -> usize {
    let mut at = from;
    let (pairs, _) = bytes.get(from..).unwrap_or_default().as_chunks::<2>();
    for &[lead, trail] in pairs {
        let Some(pointer) = tables::pointer7(lead, trail) else {
            break;
        };
        let found = character_at(pointer);
        if found.is_none() {
            sink.note(NoteKind::Unmapped, at, at + 2);
        }
        sink.character(at, 2, found.unwrap_or(GETA));
        at += 2;
    }
    at
}

/// A byte in a shifted state that is no character there: blanks and control bytes are noted and stand for
/// themselves, the first half of a cut character is garbage.
#[cold]
fn half<S: Sink>(byte: u8, at: usize, sink: &mut S) -> usize {
    if byte == b' ' {
        // Other readers take half of the next character with it, or show a mark.
        sink.note(NoteKind::Malformed, at, at + 1);
        sink.ascii(at, &[byte], true);
    } else if byte.is_ascii_control() {
        sink.note(NoteKind::ControlByte, at, at + 1);
        sink.ascii(at, &[byte], true);
    } else {
        let kind = if byte.is_ascii() {
            NoteKind::Malformed
        } else {
            NoteKind::EightBitByte
        };
        sink.note(kind, at, at + 1);
        sink.character(at, 1, GARBAGE);
    }
    at + 1
}

/// A control byte or an 8-bit byte where a 7-bit charset has plain text.
#[cold]
fn odd<S: Sink>(bytes: &[u8], at: usize, sink: &mut S) -> usize {
    let Some(&byte) = bytes.get(at) else {
        return at + 1;
    };
    if byte.is_ascii() {
        let kind = if is_transport_frame(bytes, at, byte) {
            NoteKind::TransportFrame
        } else {
            NoteKind::ControlByte
        };
        sink.note(kind, at, at + 1);
        sink.ascii(at, &[byte], false);
        return at + 1;
    }
    foreign(bytes, at, sink)
}

/// An 8-bit character in 7-bit text, where it is certain enough what it stands for; else U+FFFD.
///
/// Half-width katakana of JIS X 0201, a character of UTF-8, or one of CP932. A byte that may as well
/// be a letter of Latin-1 takes no 7-bit byte with it. Delimiters are never taken: the caller has
/// split at them.
fn foreign<S: Sink>(bytes: &[u8], at: usize, sink: &mut S) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let utf8 = || {
        let head = rest.get(..rest.len().min(4)).unwrap_or_default();
        let valid = head.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        valid.chars().next().map(|c| (c.len_utf8(), c))
    };
    let found = match *rest {
        [kana @ 0xA1..=0xDF, ref next @ ..] if !matches!(next, [0x80..=0xA0, ..]) => {
            tables::katakana7(kana & 0x7F).map(|character| (1, character))
        }
        [lead @ (0x81..=0x9F | 0xE0..=0xFC), trail, ..] => utf8().or_else(|| {
            let certain = lead < 0xA0 || !trail.is_ascii();
            let pointer = tables::pointer_cp932(lead, trail).filter(|_| certain)?;
            tables::cp932(pointer).map(|(character, _)| (2, character))
        }),
        _ => utf8(),
    };
    let (len, character) = found.unwrap_or((1, GARBAGE));
    sink.note(NoteKind::EightBitByte, at, at + len);
    sink.character(at, len, character);
    at + len
}

/// VT before the first byte or FS behind the last line: left from the transport layer (MLLP).
fn is_transport_frame(bytes: &[u8], at: usize, byte: u8) -> bool {
    match byte {
        0x0B => at == 0,
        0x1C => bytes.get(at + 1..).is_some_and(|rest| {
            rest.len() <= 2 && rest.iter().all(|end| matches!(end, b'\r' | b'\n'))
        }),
        _ => false,
    }
}

/// CP932 (Windows-31J).
fn read_cp932<S: Sink>(bytes: &[u8], sink: &mut S) {
    let mut at = 0;
    while let Some(&lead) = bytes.get(at) {
        if lead.is_ascii() {
            at = ascii_run(bytes, at, false, sink);
            continue;
        }
        if let 0xA1..=0xDF = lead {
            at = katakana(lead & 0x7F, at, sink);
            continue;
        }
        let trail = bytes.get(at + 1).copied().unwrap_or(0);
        let Some(pointer) = tables::pointer_cp932(lead, trail) else {
            sink.note(NoteKind::Malformed, at, at + 1);
            sink.character(at, 1, GARBAGE);
            at += 1;
            continue;
        };
        let found = tables::cp932(pointer);
        if S::NOTES {
            let kind = match found {
                None => Some(NoteKind::Unmapped),
                Some((_, Area::Nec)) => Some(NoteKind::NecExtension),
                Some((_, Area::Ibm)) => Some(NoteKind::IbmExtension),
                Some((_, Area::User)) => Some(NoteKind::Gaiji),
                Some(('■' | '〓', _)) => Some(NoteKind::ReplacedChar),
                Some(_) => None,
            };
            if let Some(kind) = kind {
                sink.note(kind, at, at + 2);
            }
        }
        sink.character(at, 2, found.map_or(GETA, |(character, _)| character));
        at += 2;
    }
}

/// EUC-JP.
fn read_eucjp<S: Sink>(bytes: &[u8], sink: &mut S) {
    let mut at = 0;
    while let Some(&lead) = bytes.get(at) {
        if lead.is_ascii() {
            at = ascii_run(bytes, at, false, sink);
            continue;
        }
        let rest = bytes.get(at + 1..).unwrap_or_default();
        at = match (lead, rest) {
            (0x8E, &[kana @ 0xA1..=0xDF, ..]) => {
                sink.note(NoteKind::HalfWidthKatakana, at, at + 2);
                sink.character(at, 2, tables::katakana7(kana & 0x7F).unwrap_or(GARBAGE));
                at + 2
            }
            (0x8F, &[row @ 0xA1..=0xFE, cell @ 0xA1..=0xFE, ..]) => {
                let found = tables::pointer7(row & 0x7F, cell & 0x7F).and_then(tables::x0212);
                if found.is_none() {
                    sink.note(NoteKind::Unmapped, at, at + 3);
                }
                sink.character(at, 3, found.unwrap_or(GETA));
                at + 3
            }
            (0xA1..=0xFE, &[trail @ 0xA1..=0xFE, ..]) => {
                // The same cells as in ISO-2022-JP, with the same notes.
                let found = tables::pointer7(lead & 0x7F, trail & 0x7F).and_then(tables::x0208);
                if S::NOTES {
                    match found {
                        None => sink.note(NoteKind::Unmapped, at, at + 2),
                        Some('■' | '〓') => sink.note(NoteKind::ReplacedChar, at, at + 2),
                        Some(_) if matches!(lead, 0xAD | 0xF9..=0xFC) => {
                            sink.note(NoteKind::NecExtension, at, at + 2);
                        }
                        Some(_) => {}
                    }
                }
                sink.character(at, 2, found.unwrap_or(GETA));
                at + 2
            }
            _ => {
                sink.note(NoteKind::Malformed, at, at + 1);
                sink.character(at, 1, GARBAGE);
                at + 1
            }
        };
    }
}

/// UTF-8.
fn read_utf8<S: Sink>(bytes: &[u8], sink: &mut S) {
    let mut at = 0;
    if bytes.starts_with(BYTE_ORDER_MARK) {
        sink.note(NoteKind::ByteOrderMark, 0, BYTE_ORDER_MARK.len());
        at = BYTE_ORDER_MARK.len();
    }
    for chunk in bytes.get(at..).unwrap_or_default().utf8_chunks() {
        let valid = chunk.valid();
        if !valid.is_empty() {
            sink.utf8(at, valid);
            if S::NOTES {
                note_utf8(bytes, at, valid, sink);
            }
            at += valid.len();
        }
        let invalid = chunk.invalid().len();
        if invalid > 0 {
            sink.note(NoteKind::Malformed, at, at + invalid);
            sink.character(at, invalid, GARBAGE);
            at += invalid;
        }
    }
}

/// Notes on characters that are valid UTF-8 but not allowed or suspect in SS-MIX2.
fn note_utf8<S: Sink>(bytes: &[u8], from: usize, text: &str, sink: &mut S) {
    let mut offset = 0;
    loop {
        offset = plain_end(text.as_bytes(), offset);
        let Some(character) = text.get(offset..).and_then(|rest| rest.chars().next()) else {
            return;
        };
        let at = from + offset;
        offset += character.len_utf8();
        let kind = match character {
            '\u{FF61}'..='\u{FF9F}' => NoteKind::HalfWidthKatakana,
            '■' | '〓' | '\u{FFFD}' => NoteKind::ReplacedChar,
            '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFD}' => NoteKind::Gaiji,
            '\u{0B}' | '\u{1C}'
                if u8::try_from(character)
                    .is_ok_and(|byte| is_transport_frame(bytes, at, byte)) =>
            {
                NoteKind::TransportFrame
            }
            '\0'..='\u{1F}' | '\u{7F}'..='\u{9F}' => NoteKind::ControlByte,
            _ => continue,
        };
        sink.note(kind, at, at + character.len_utf8());
    }
}
