//! Against `encoding_rs`, where its reading and ours should be the same, and against the
//! reader itself where two ways must agree.

use encoding_rs::{EUC_JP, Encoding, ISO_2022_JP, SHIFT_JIS, UTF_8};
use warifu_source::{Charset, Encoder, NoteKind, Notes, check, decode_into};

fn ours(bytes: &[u8], charset: Charset) -> String {
    let mut text = String::new();
    decode_into(bytes, charset, &mut text);
    text
}

/// Text by `encoding_rs`, if it has a character for every byte.
fn theirs(bytes: &[u8], encoding: &'static Encoding) -> Option<String> {
    encoding
        .decode_without_bom_handling_and_without_replacement(bytes)
        .map(std::borrow::Cow::into_owned)
}

fn has(bytes: &[u8], charset: Charset, kind: NoteKind) -> bool {
    let mut notes = Notes::new();
    check(bytes, 0, charset, &mut notes);
    notes.found(kind) > 0
}

/// Compares one code: equal text where they have text, a note of ours where they have none.
fn compare(bytes: &[u8], charset: Charset, encoding: &'static Encoding) {
    let text = ours(bytes, charset);
    if let Some(expected) = theirs(bytes, encoding) {
        assert_eq!(text, expected, "{charset:?} {bytes:02X?}");
    } else {
        let noted =
            has(bytes, charset, NoteKind::Unmapped) || has(bytes, charset, NoteKind::Malformed);
        assert!(noted, "{charset:?} {bytes:02X?} has no note");
        let replaced = text.contains(['〓', '\u{FFFD}']);
        assert!(replaced, "{charset:?} {bytes:02X?} lost without a mark");
    }
}

#[test]
fn every_one_and_two_byte_code_of_cp932_and_euc_jp() {
    for (charset, encoding) in [(Charset::Cp932, SHIFT_JIS), (Charset::EucJp, EUC_JP)] {
        for first in 0..=u8::MAX {
            // 80 alone is a control character to browsers and garbage to us.
            if charset == Charset::Cp932 && first == 0x80 {
                continue;
            }
            compare(&[first], charset, encoding);
            for second in 0..=u8::MAX {
                if charset == Charset::Cp932 && second == 0x80 && !is_lead(first) {
                    continue;
                }
                compare(&[first, second], charset, encoding);
            }
        }
    }
}

fn is_lead(byte: u8) -> bool {
    matches!(byte, 0x81..=0x9F | 0xE0..=0xFC)
}

#[test]
fn byte_80_of_cp932_is_garbage_here() {
    assert_eq!(ours(b"\x80", Charset::Cp932), "\u{FFFD}");
    assert_eq!(theirs(b"\x80", SHIFT_JIS).as_deref(), Some("\u{80}"));
}

#[test]
fn every_three_byte_code_of_euc_jp() {
    for row in 0xA1..=0xFE {
        for cell in 0xA1..=0xFE {
            compare(&[0x8F, row, cell], Charset::EucJp, EUC_JP);
        }
    }
}

#[test]
fn every_double_byte_of_well_formed_iso_2022_jp() {
    for row in 0x21..=0x7E {
        for cell in 0x21..=0x7E {
            let bytes = [0x1B, b'$', b'B', row, cell, 0x1B, b'(', b'B'];
            compare(&bytes, Charset::Iso2022Jp, ISO_2022_JP);
        }
    }
}

#[test]
fn every_double_byte_of_x0212_as_in_euc_jp() {
    for row in 0x21..=0x7E {
        for cell in 0x21..=0x7E {
            let seven = [0x1B, b'$', b'(', b'D', row, cell, 0x1B, b'(', b'B'];
            let euc = [0x8F, row | 0x80, cell | 0x80];
            let expected = theirs(&euc, EUC_JP).unwrap_or_else(|| "〓".to_owned());
            assert_eq!(ours(&seven, Charset::Iso2022Jp), expected);
        }
    }
}

#[test]
fn damaged_utf8_as_in_the_encoding_standard() {
    for bytes in [
        &b"\xC0\x80"[..],
        b"\xE5\x85\xE5\x85\xA5",
        b"\xED\xA0\x80",
        b"\xF4\x90\x80\x80",
        b"a\xF0\x9F\x92|b",
        b"\xFF\xFE\x80",
    ] {
        let (expected, _) = UTF_8.decode_without_bom_handling(bytes);
        assert_eq!(ours(bytes, Charset::Utf8), expected);
    }
}

#[test]
fn every_character_the_encoder_writes_is_written_as_windows_does() {
    let encoder = Encoder::windows();
    for character in ('\0'..='\u{FFFF}').filter(|&c| warifu_source::fold_disputed(c) == c) {
        let text = character.to_string();
        let mut bytes = Vec::new();
        let lost = encoder.encode(&text, Charset::Cp932, &mut bytes);
        let (expected, _, unmappable) = SHIFT_JIS.encode(&text);
        // Browsers write the yen sign as a backslash and the overline as a tilde, and 80 as is.
        if matches!(character, '\u{80}' | '¥' | '‾') {
            assert_eq!(lost.len(), 1);
            continue;
        }
        // Browsers read the user-defined area and do not write it.
        if let '\u{E000}'..='\u{E757}' = character {
            assert_eq!(lost, []);
            assert_eq!(theirs(&bytes, SHIFT_JIS).as_deref(), Some(text.as_str()));
            continue;
        }
        assert_eq!(
            !lost.is_empty(),
            unmappable,
            "U+{:04X}",
            u32::from(character)
        );
        if lost.is_empty() {
            assert_eq!(bytes, expected.as_ref(), "U+{:04X}", u32::from(character));
        }
    }
}
