//! Properties over generated text and bytes.
#![expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "positions in small inputs fit u32 and usize"
)]

use proptest::prelude::*;
use warifu_source::{
    Charset, Encoder, NoteKind, Notes, check, decode, decode_into, detect, escape_at,
    normalise_for_compare,
};

const CHARSETS: [Charset; 4] = [
    Charset::Iso2022Jp,
    Charset::Utf8,
    Charset::Cp932,
    Charset::EucJp,
];

/// A piece of a message: delimiters, escape sequences whole and cut, kanji, kana, any byte.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(b"\x1B$B".to_vec()),
        Just(b"\x1B(B".to_vec()),
        Just(b"\x1B$@".to_vec()),
        Just(b"\x1B(J".to_vec()),
        Just(b"\x1B(I".to_vec()),
        Just(b"\x1B$(D".to_vec()),
        Just(b"\x1B$A".to_vec()),
        Just(b"\x1B&@".to_vec()),
        Just(b"\x1B".to_vec()),
        Just(b"\x0E".to_vec()),
        Just(b"\x0F".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"|".to_vec()),
        Just(b"F~1!".to_vec()),
        Just("入院ｱ".as_bytes().to_vec()),
        Just(b"\x93\xFC\xB1\xFB\xFC".to_vec()),
        "[ -~]{0,20}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..12),
    ]
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(piece(), 0..24).prop_map(|pieces| pieces.concat())
}

/// Text of characters SS-MIX2 allows, delimiters and line ends among them.
fn standard_text() -> impl Strategy<Value = String> {
    let mut cells: Vec<char> = Vec::new();
    for row in (0x21..=0x28).chain(0x30..=0x74_u8) {
        for cell in 0x21..=0x7E {
            let mut text = String::new();
            decode_into(
                &[0x1B, b'$', b'B', row, cell],
                Charset::Iso2022Jp,
                &mut text,
            );
            cells.extend(text.chars());
        }
    }
    // Left out: the mark of an empty cell, which is a character, too.
    cells.retain(|&c| c != '〓');
    let character = prop_oneof![
        2 => proptest::sample::select(cells),
        1 => proptest::char::range(' ', '~'),
        1 => proptest::sample::select(vec!['|', '^', '~', '\\', '&', '\r', '\n']),
    ];
    proptest::collection::vec(character, 0..60).prop_map(String::from_iter)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decode_undoes_encode(text in standard_text()) {
        let encoder = Encoder::standard();
        for charset in CHARSETS {
            let mut bytes = Vec::new();
            prop_assert_eq!(encoder.encode(&text, charset, &mut bytes), vec![]);
            let mut decoded = String::new();
            decode_into(&bytes, charset, &mut decoded);
            prop_assert_eq!(&decoded, &text);
        }
    }

    #[test]
    fn what_the_standard_encoder_writes_is_clean(text in standard_text()) {
        prop_assume!(!text.contains('■'));
        let mut bytes = Vec::new();
        Encoder::standard().encode_iso2022jp(&text, &mut bytes);
        prop_assert_eq!(detect(&bytes), Charset::Iso2022Jp);
        let mut notes = Notes::new();
        check(&bytes, 0, Charset::Iso2022Jp, &mut notes);
        prop_assert!(notes.is_empty(), "{:?}", notes.items());
    }

    #[test]
    fn decoding_components_equals_decoding_the_whole(text in standard_text()) {
        let encoder = Encoder::standard();
        for charset in CHARSETS {
            let mut pieces = String::new();
            for component in text.split_inclusive(['|', '^', '\r']) {
                let mut bytes = Vec::new();
                encoder.encode(component, charset, &mut bytes);
                decode_into(&bytes, charset, &mut pieces);
            }
            prop_assert_eq!(&pieces, &text);
        }
    }

    #[test]
    fn every_reader_reads_any_bytes_alike(bytes in message()) {
        for charset in CHARSETS {
            let mut text = String::from("before");
            decode_into(&bytes, charset, &mut text);
            let decoded = decode(&bytes, charset);
            prop_assert_eq!(text.strip_prefix("before"), Some(decoded.text.as_str()));
        }
    }

    #[test]
    fn notes_lie_inside_the_file_in_order(bytes in message(), base in 0_u32..1000) {
        for charset in CHARSETS {
            let mut notes = Notes::new();
            check(&bytes, base, charset, &mut notes);
            let mut last = base;
            let length = u32::try_from(bytes.len()).unwrap();
            for note in notes.items() {
                prop_assert!(base <= note.start && note.start < note.end);
                prop_assert!(note.end <= base + length);
                if !matches!(note.kind, NoteKind::NotIso2022Jp(_)) {
                    prop_assert!(last <= note.end);
                    last = note.end;
                }
            }
        }
    }

    #[test]
    fn lost_bytes_are_noted(bytes in message()) {
        for charset in CHARSETS {
            let mut text = String::new();
            decode_into(&bytes, charset, &mut text);
            let mut notes = Notes::new();
            check(&bytes, 0, charset, &mut notes);
            let named = [
                NoteKind::Unmapped,
                NoteKind::Malformed,
                NoteKind::EightBitByte,
                NoteKind::ReplacedChar,
            ];
            if text.contains(['〓', '\u{FFFD}']) {
                prop_assert!(named.into_iter().any(|kind| notes.found(kind) > 0));
            }
        }
    }

    #[test]
    fn positions_lie_inside_and_never_go_back(bytes in message()) {
        for charset in CHARSETS {
            let decoded = decode(&bytes, charset);
            let length = u32::try_from(bytes.len()).unwrap();
            let mut last = 0;
            for at in 0..=decoded.text.len() + 1 {
                let byte = decoded.byte_at(at);
                prop_assert!(last <= byte && byte <= length);
                last = byte;
            }
            let mut last = 0;
            for byte in 0..=length + 1 {
                let at = decoded.text_at(byte);
                prop_assert!(last <= at && decoded.text.is_char_boundary(at));
                last = at;
            }
        }
    }

    #[test]
    fn a_character_and_its_first_byte_find_each_other(bytes in message()) {
        for charset in CHARSETS {
            let decoded = decode(&bytes, charset);
            for (at, _) in decoded.text.char_indices() {
                prop_assert_eq!(decoded.text_at(decoded.byte_at(at)), at);
            }
        }
    }

    #[test]
    fn byte_range_of_a_component_is_what_was_written_for_it(
        components in proptest::collection::vec(standard_text(), 1..6)
    ) {
        let encoder = Encoder::standard();
        for charset in CHARSETS {
            let (mut bytes, mut text, mut written) = (Vec::new(), String::new(), Vec::new());
            for component in &components {
                let (byte, at) = (bytes.len(), text.len());
                encoder.encode(component, charset, &mut bytes);
                text.push_str(component);
                written.push((at..text.len(), byte as u32..bytes.len() as u32));
                bytes.push(b'|');
                text.push('|');
            }
            let decoded = decode(&bytes, charset);
            prop_assert_eq!(&decoded.text, &text);
            for (text_range, byte_range) in written {
                prop_assert_eq!(decoded.byte_range(text_range), byte_range);
            }
        }
    }

    #[test]
    fn ranges_of_any_bytes_stay_inside(bytes in message(), from: usize, to: usize) {
        for charset in CHARSETS {
            let decoded = decode(&bytes, charset);
            let limit = decoded.text.len() + 3;
            let range = decoded.byte_range(from % limit..to % limit);
            prop_assert!(range.start <= range.end);
            prop_assert!(range.end as usize <= bytes.len());
        }
    }

    #[test]
    fn escape_sequences_lie_inside_or_are_one_byte(bytes in message()) {
        for at in 0..bytes.len() {
            let escape = escape_at(&bytes[at..]);
            prop_assert!((1..=4).contains(&escape.len));
            prop_assert!(at + escape.len <= bytes.len());
        }
    }

    #[test]
    fn normalising_twice_is_normalising_once(text in ".{0,40}", jis in standard_text()) {
        for text in [text, jis] {
            let once = normalise_for_compare(&text);
            prop_assert_eq!(normalise_for_compare(&once), once);
        }
    }
}
