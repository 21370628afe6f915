//! What reading a file found odd, as diagnostics: shared by everything that reads messages.

use std::borrow::Cow;

use warifu_diag::catalogue::{enc, hl7};
use warifu_diag::{Code, Diagnostic, SourceId, Span};
use warifu_source::{Charset, NoteKind as Character, Notes};

use crate::find::find;
use crate::index::{Index, NoteKind, begins_within, is_leading, split_stream};
use crate::message::{Message, Part};

/// Where the messages of a file end, and the charset of each, as they are read one by one; one that has all
/// bytes, unless the file is a stream.
pub fn charsets_of(bytes: &[u8]) -> Vec<(usize, Charset)> {
    if !is_stream(bytes) {
        return vec![(bytes.len(), warifu_source::detect(bytes))];
    }
    split_stream(bytes)
        .into_iter()
        .map(|(start, end)| {
            let own = bytes.get(start..end).unwrap_or_default();
            (end, warifu_source::detect(own))
        })
        .collect()
}

/// Byte ranges of the messages of a file: one, unless it is a stream (reported as `HL7111`).
pub fn messages_of(
    bytes: &[u8],
    source: SourceId,
    out: &mut Vec<Diagnostic>,
) -> Vec<(usize, usize)> {
    if !is_stream(bytes) {
        return vec![(0, bytes.len())];
    }
    let parts = split_stream(bytes);
    let first = parts.first().map_or(0, |(start, _)| *start);
    let before = bytes.get(..first).unwrap_or_default();
    if let Some(at) = before.iter().position(u8::is_ascii_alphanumeric) {
        let span = Span {
            source,
            start: u32::try_from(at).unwrap_or(u32::MAX),
            end: u32::try_from(first).unwrap_or(u32::MAX),
        };
        out.push(Diagnostic::new(&hl7::HL7128, span));
    }
    // Where the second begins.
    if let Some((second, _)) = parts.get(1) {
        let start = u32::try_from(*second).unwrap_or(u32::MAX);
        let span = Span {
            source,
            start,
            end: start.saturating_add(3),
        };
        out.push(Diagnostic::new(&hl7::HL7111, span).with(parts.len().to_string()));
    }
    parts
}

/// MSH-18 and the charset of the bytes where that is another one (`ENC116`): plain ASCII agrees with
/// every declaration.
pub fn misdeclared(message: Message<'_>) -> Option<(Part<'_>, Charset)> {
    let field = message.first(b"MSH")?.field(18);
    let found = message.charset();
    let plain = || memchr::memchr(0x1B, message.bytes()).is_none();
    let agrees = !field.is_some()
        || warifu_source::declared(field.raw()).is_none_or(|d| d == found)
        || (found == Charset::Iso2022Jp && plain());
    (!agrees).then_some((field, found))
}

/// MSH-18 as SS-MIX2 writes it for bytes that are ISO-2022-JP; JIS X 0212, which it does not allow, stays
/// declared where it is and is there.
pub fn charset_as_written(message: Message<'_>, field: Part<'_>) -> &'static [u8] {
    let declares = find(field.raw(), b"159", 0).is_some();
    if declares && find(message.bytes(), b"\x1b$(D", 0).is_some() {
        b"~ISO IR87~ISO IR159"
    } else {
        b"~ISO IR87"
    }
}

/// Whether MSH-18 of bytes that are ISO-2022-JP, or plain ASCII, is not written as SS-MIX2 writes it
/// (`SSM153`), and is not contradicted by them (`ENC116`).
pub fn misspelt_charset(message: Message<'_>, field: Part<'_>) -> bool {
    field.is_some()
        && field.raw() != charset_as_written(message, field)
        && message.charset() == Charset::Iso2022Jp
        && misdeclared(message).is_none()
}

/// Whether MSH-20 names the switching of ISO 2022-1994 in another spelling than SS-MIX2's (`SSM154`).
pub fn misspelt_scheme(field: Part<'_>) -> bool {
    let raw = field.raw();
    let letters = raw.iter().filter(|b| !matches!(b, b' ' | b'-'));
    raw != b"ISO 2022-1994" && letters.eq(b"ISO20221994")
}

/// Whether a second `MSH` stands at the start of a line, or within one as a message does: then the file is a stream
/// of messages.
pub fn is_stream(bytes: &[u8]) -> bool {
    let mut from = 4;
    while let Some(at) = bytes.get(from..).and_then(|rest| find(rest, b"MSH", 0)) {
        from += at;
        let begins_line = matches!(bytes.get(from - 1), Some(b'\r' | b'\n' | 0x1C | 0x0B));
        if begins_line || begins_within(bytes, from) {
            return true;
        }
        from += 3;
    }
    false
}

/// Turns what decoding and indexing found odd into diagnostics: `HL71xx`, then `ENC1xx`.
///
/// `bytes` is the file up to the end of the message that `index` was built from, `start` where that
/// message begins; `notes` is only memory to reuse.
pub fn reading(
    bytes: &[u8],
    start: usize,
    index: &Index,
    notes: &mut Notes,
    source: SourceId,
    out: &mut Vec<Diagnostic>,
) {
    for n in index.notes() {
        let code: Code = match n.kind {
            NoteKind::Empty => &hl7::HL7101,
            NoteKind::MissingMsh => &hl7::HL7102,
            NoteKind::LineContinuation => &hl7::HL7103,
            NoteKind::SmallLetters => &hl7::HL7129,
            NoteKind::TerminatorNotCr => &hl7::HL7104,
            NoteKind::TrailingBytes => &hl7::HL7105,
            NoteKind::LastTerminatorMissing => &hl7::HL7106,
            NoteKind::UnusualDelimiters => &hl7::HL7107,
            NoteKind::TooLarge => &hl7::HL7110,
            NoteKind::TooManySegments => &hl7::HL7198,
        };
        out.push(Diagnostic::new(
            code,
            Span {
                source,
                start: n.start,
                end: n.end,
            },
        ));
    }
    notes.clear();
    // Transport bytes at the end were named already (HL7105).
    let content = index
        .notes()
        .iter()
        .find(|n| n.kind == NoteKind::TrailingBytes)
        .and_then(|n| bytes.get(..usize::try_from(n.start).unwrap_or(bytes.len())));
    let content = content.unwrap_or(bytes).get(start..).unwrap_or_default();
    let mut own = |code: Code, (start, end): (usize, usize)| {
        let at = |n| u32::try_from(n).unwrap_or(u32::MAX);
        let (start, end) = (at(start), at(end));
        out.push(Diagnostic::new(code, Span { source, start, end }));
    };
    // None of the bytes of UTF-16 is what it seems.
    let utf16: [&[u8]; 4] = [b"\xFF\xFE", b"\xFE\xFF", b"M\0S\0H\0", b"\0M\0S\0H"];
    if utf16.iter().any(|head| content.starts_with(head)) {
        own(&enc::ENC119, (start, start + 2));
        return;
    }
    // In UTF-8 the mark is a character, which is named where characters are.
    let mark: &[u8] = b"\xEF\xBB\xBF";
    let marked = index.charset() != Charset::Utf8 && content.starts_with(mark);
    let skipped = if marked { mark.len() } else { 0 };
    if marked {
        own(&enc::ENC117, (start, start + skipped));
    }
    // What stands before MSH is told as one; the reader of characters would name a VT once more.
    let after = content.get(skipped..).unwrap_or_default();
    let leading = after.iter().take_while(|b| is_leading(**b)).count();
    let is_message = after.get(leading..).is_some_and(|m| m.starts_with(b"MSH"));
    let skipped = if is_message && leading > 0 {
        own(&hl7::HL7105, (start + skipped, start + skipped + leading));
        skipped + leading
    } else {
        skipped
    };
    let content = content.get(skipped..).unwrap_or_default();
    let base = u32::try_from(start + skipped).unwrap_or(u32::MAX);
    warifu_source::check(content, base, index.charset(), notes);
    for n in notes.items() {
        let mut argument = None;
        let code: Code = match n.kind {
            Character::UnclosedShift => &enc::ENC101,
            Character::UnknownEscape => &enc::ENC102,
            Character::RedundantEscape => &enc::ENC103,
            Character::Unmapped => &enc::ENC104,
            Character::NecExtension => &enc::ENC105,
            Character::IbmExtension => &enc::ENC106,
            Character::HalfWidthKatakana => &enc::ENC107,
            Character::Jis78Escape => &enc::ENC108,
            Character::Jis0212Escape => &enc::ENC109,
            Character::JisRomanEscape => &enc::ENC110,
            Character::Gaiji => &enc::ENC111,
            Character::ReplacedChar => &enc::ENC112,
            Character::NotIso2022Jp(c) => {
                argument = Some(charset_name(c));
                &enc::ENC113
            }
            Character::LongEscape => &enc::ENC118,
            Character::ByteOrderMark => &enc::ENC117,
            Character::TransportFrame => &hl7::HL7105,
            Character::ControlByte => &enc::ENC114,
            _ => &enc::ENC115,
        };
        let mut d = Diagnostic::new(
            code,
            Span {
                source,
                start: n.start,
                end: n.end,
            },
        );
        d.argument = argument.map(Cow::Borrowed);
        out.push(d);
    }
    for kind in Character::ALL {
        let more = notes.suppressed(kind);
        if more > 0 {
            out.push(
                Diagnostic::new(
                    &enc::ENC199,
                    Span {
                        source,
                        start: 0,
                        end: 0,
                    },
                )
                .with(more.to_string()),
            );
        }
    }
}

/// Name of a charset as readers know it.
pub const fn charset_name(c: Charset) -> &'static str {
    match c {
        Charset::Iso2022Jp => "ISO-2022-JP",
        Charset::Utf8 => "UTF-8",
        Charset::Cp932 => "CP932",
        Charset::EucJp => "EUC-JP",
    }
}
