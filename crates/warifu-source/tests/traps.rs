//! Facts about reading, one test each: what other decoders get wrong, and what SS-MIX2 files
//! really contain.

use warifu_source::{Charset, NoteKind, Notes, check, declared, decode, decode_into, detect};

const ISO: Charset = Charset::Iso2022Jp;

/// Text and notes (kind, start, end), by both ways to decode.
fn read(bytes: &[u8], charset: Charset) -> (String, Vec<(NoteKind, u32, u32)>) {
    let mut text = String::new();
    decode_into(bytes, charset, &mut text);
    assert_eq!(
        decode(bytes, charset).text,
        text,
        "both ways to decode agree"
    );
    let mut notes = Notes::new();
    check(bytes, 0, charset, &mut notes);
    let notes = notes
        .items()
        .iter()
        .map(|note| (note.kind, note.start, note.end))
        .collect();
    (text, notes)
}

#[track_caller]
fn reads(bytes: &[u8], charset: Charset, text: &str, notes: &[(NoteKind, u32, u32)]) {
    assert_eq!(read(bytes, charset), (text.to_owned(), notes.to_vec()));
}

#[test]
fn delimiter_bytes_inside_kanji_are_kanji() {
    // The second bytes are ~ and then | ^ ~ \ & in turn.
    reads(b"\x1B$BF~1!\x1B(B", ISO, "入院", &[]);
    reads(b"\x1B$B0|0^0~0\\0&\x1B(B", ISO, "淫緯蔭移愛", &[]);
}

#[test]
fn plain_ascii_is_itself() {
    reads(
        b"PID|1||0123^^^&x~\\F\\\r",
        ISO,
        "PID|1||0123^^^&x~\\F\\\r",
        &[],
    );
    reads(b"", ISO, "", &[]);
}

#[test]
fn roman_keeps_backslash_and_tilde() {
    let notes = [(NoteKind::JisRomanEscape, 0, 3)];
    reads(b"\x1B(Ja\\b~c\x1B(B", ISO, "a\\b~c", &notes);
}

#[test]
fn x0212_is_read() {
    let notes = [(NoteKind::Jis0212Escape, 0, 4)];
    reads(b"\x1B$(D0!\x1B(B", ISO, "丂", &notes);
}

#[test]
fn long_form_of_x0208_is_read() {
    let notes = [(NoteKind::LongEscape, 0, 4)];
    reads(b"\x1B$(BF~\x1B(B", ISO, "入", &notes);
}

#[test]
fn edition_of_1978_is_read_as_1983() {
    let notes = [(NoteKind::Jis78Escape, 0, 3)];
    reads(b"\x1B$@F~\x1B(B", ISO, "入", &notes);
}

#[test]
fn announcer_of_1990_has_no_text_and_no_note() {
    reads(b"\x1B&@\x1B$BF~\x1B(B", ISO, "入", &[]);
    reads(b"\x1B&@a", ISO, "a", &[(NoteKind::RedundantEscape, 0, 3)]);
}

#[test]
fn missing_return_does_not_eat_the_next_segment() {
    for end in ["\r", "\n", "\r\n"] {
        let bytes = [b"PV1|\x1B$BF~", end.as_bytes(), b"OBX|1"].concat();
        let text = format!("PV1|入{end}OBX|1");
        reads(&bytes, ISO, &text, &[(NoteKind::UnclosedShift, 4, 9)]);
    }
}

#[test]
fn odd_number_of_bytes_before_the_line_end_keeps_the_line_end() {
    let notes = [(NoteKind::Malformed, 5, 6), (NoteKind::UnclosedShift, 0, 6)];
    reads(b"\x1B$BF~F\rOBX", ISO, "入\u{FFFD}\rOBX", &notes);
}

#[test]
fn blank_among_double_bytes_is_noted_and_shifts_nothing() {
    let notes = [(NoteKind::Malformed, 5, 6)];
    reads(b"\x1B$BF~ 1!\x1B(B", ISO, "入 院", &notes);
    reads(b"\x1B$BF~\x1B(B \x1B$B1!\x1B(B", ISO, "入 院", &[]);
}

#[test]
fn missing_return_at_the_end_is_noted() {
    reads(b"\x1B$BF~", ISO, "入", &[(NoteKind::UnclosedShift, 0, 5)]);
    reads(b"\x1B$B", ISO, "", &[(NoteKind::UnclosedShift, 0, 3)]);
    reads(
        b"a\x1B(I1",
        ISO,
        "aｱ",
        &[
            (NoteKind::HalfWidthKatakana, 4, 5),
            (NoteKind::UnclosedShift, 1, 5),
        ],
    );
}

#[test]
fn two_escapes_in_a_row_are_harmless() {
    reads(
        b"a\x1B$B\x1B(Bb",
        ISO,
        "ab",
        &[(NoteKind::RedundantEscape, 1, 4)],
    );
    // Closing and opening at once.
    let bytes = b"\x1B$BF~\x1B(B\x1B$B1!\x1B(B";
    reads(bytes, ISO, "入院", &[(NoteKind::RedundantEscape, 5, 8)]);
    // The same set twice.
    let bytes = b"\x1B$B\x1B$BF~\x1B(B\x1B(B";
    let notes = [
        (NoteKind::RedundantEscape, 3, 6),
        (NoteKind::RedundantEscape, 11, 14),
    ];
    reads(bytes, ISO, "入", &notes);
}

#[test]
fn an_escape_is_named_redundant_once() {
    let bytes = b"\x1B(B\x1B$BF~\x1B(B";
    reads(bytes, ISO, "入", &[(NoteKind::RedundantEscape, 0, 3)]);
}

#[test]
fn return_to_ascii_in_ascii_is_redundant() {
    reads(b"a\x1B(Bb", ISO, "ab", &[(NoteKind::RedundantEscape, 1, 4)]);
}

#[test]
fn unknown_escape_is_dropped_and_noted() {
    reads(b"a\x1B(Hb", ISO, "ab", &[(NoteKind::UnknownEscape, 1, 4)]);
    // Never with a delimiter.
    reads(b"a\x1B|b", ISO, "a|b", &[(NoteKind::UnknownEscape, 1, 2)]);
    reads(b"a\x1B(|b", ISO, "a(|b", &[(NoteKind::UnknownEscape, 1, 2)]);
}

#[test]
fn foreign_double_bytes_are_geta_and_no_delimiters() {
    let notes = [(NoteKind::UnknownEscape, 0, 3), (NoteKind::Unmapped, 3, 7)];
    reads(b"\x1B$A0|0^\x1B(B|", ISO, "〓〓|", &notes);
}

#[test]
fn half_width_katakana_by_escape_and_by_shift_out() {
    let notes = [(NoteKind::HalfWidthKatakana, 3, 5)];
    reads(b"\x1B(I1_\x1B(B", ISO, "ｱﾟ", &notes);
    let notes = [(NoteKind::HalfWidthKatakana, 1, 3)];
    reads(b"\x0E1_\x0Fa", ISO, "ｱﾟa", &notes);
    // Back to double byte after SI.
    let bytes = b"\x1B$BF~\x0E1\x0FF~\x1B(B";
    reads(bytes, ISO, "入ｱ入", &[(NoteKind::HalfWidthKatakana, 6, 7)]);
}

#[test]
fn shift_out_ends_with_an_escape_and_with_the_line() {
    let bytes = b"\x0E1\x1B(Ba";
    reads(bytes, ISO, "ｱa", &[(NoteKind::HalfWidthKatakana, 1, 2)]);
    let notes = [
        (NoteKind::HalfWidthKatakana, 1, 2),
        (NoteKind::UnclosedShift, 0, 2),
    ];
    reads(b"\x0E1\ra", ISO, "ｱ\ra", &notes);
}

#[test]
fn nec_rows_are_read_and_noted() {
    let notes = [(NoteKind::NecExtension, 3, 7)];
    reads(b"\x1B$B-!-j\x1B(B", ISO, "①㈱", &notes);
    // 髙 stands at row 92 in 7-bit text.
    let notes = [(NoteKind::NecExtension, 3, 5)];
    reads(b"\x1B$B|b\x1B(B", ISO, "髙", &notes);
}

#[test]
fn empty_rows_give_geta() {
    let notes = [(NoteKind::Unmapped, 3, 7)];
    reads(b"\x1B$B)!~~\x1B(B", ISO, "〓〓", &notes);
}

#[test]
fn replaced_characters_are_noted() {
    let notes = [(NoteKind::ReplacedChar, 3, 7)];
    reads(b"\x1B$B\"#\".\x1B(B", ISO, "■〓", &notes);
    reads(
        "■".as_bytes(),
        Charset::Utf8,
        "■",
        &[
            (NoteKind::NotIso2022Jp(Charset::Utf8), 0, 3),
            (NoteKind::ReplacedChar, 0, 3),
        ],
    );
}

#[test]
fn disputed_characters_have_their_windows_form() {
    let text = "\u{FF0D}\u{FF5E}\u{2225}\u{FFE0}\u{FFE1}\u{FFE2}";
    reads(b"\x1B$B!]!A!B!q!r\"L\x1B(B", ISO, text, &[]);
    let eight_bit = b"\x81\x7C\x81\x60\x81\x61\x81\x91\x81\x92\x81\xCA";
    assert_eq!(read(eight_bit, Charset::Cp932).0, text);
    let eight_bit = b"\xA1\xDD\xA1\xC1\xA1\xC2\xA1\xF1\xA1\xF2\xA2\xCC";
    assert_eq!(read(eight_bit, Charset::EucJp).0, text);
}

#[test]
fn control_bytes_stay_and_are_noted() {
    let notes = [(NoteKind::ControlByte, 1, 2), (NoteKind::ControlByte, 3, 4)];
    reads(b"a\tb\x7Fc", ISO, "a\tb\x7Fc", &notes);
    let notes = [(NoteKind::ControlByte, 5, 6)];
    reads(b"\x1B$BF~\t1!\x1B(B", ISO, "入\t院", &notes);
}

#[test]
fn bytes_of_the_transport_layer_are_named_as_such() {
    let notes = [
        (NoteKind::TransportFrame, 0, 1),
        (NoteKind::TransportFrame, 5, 6),
    ];
    reads(b"\x0BMSH\r\x1C\r", ISO, "\x0BMSH\r\x1C\r", &notes);
    reads(b"\x0BMSH\r\x1C\r", Charset::Utf8, "\x0BMSH\r\x1C\r", &notes);
    // Anywhere else it is a control byte.
    let notes = [(NoteKind::ControlByte, 1, 2)];
    reads(b"a\x1Cb", ISO, "a\x1Cb", &notes);
}

#[test]
fn eight_bit_bytes_in_seven_bit_text_are_read_where_that_is_certain() {
    let read = |bytes: &[u8], text: &str| {
        let first = bytes.iter().position(|b| !b.is_ascii()).unwrap();
        let last = bytes.iter().rposition(|b| *b == b'z').unwrap();
        let at = |n: usize| u32::try_from(n).unwrap();
        let range = (NoteKind::EightBitByte, at(first), at(last));
        reads(bytes, ISO, text, &[range]);
    };
    // CP932, a second byte that is a backslash included.
    read(b"a\x93\xFC\x89@z", "a入院z");
    read(b"a\x95\\z", "a表z");
    // Half-width katakana of JIS X 0201.
    read(b"a\xB9\xDD\xBBz", "aｹﾝｻz");
    // UTF-8.
    read("a入院×z".as_bytes(), "a入院×z");
    // A letter of Latin-1 takes nothing with it.
    read(b"a\xE9z", "a\u{FFFD}z");
    // Within double bytes nothing is certain.
    let notes = [(NoteKind::EightBitByte, 3, 4)];
    reads(b"\x1B$B\x93F~\x1B(B", ISO, "\u{FFFD}入", &notes);
}

#[test]
fn a_few_eight_bit_bytes_leave_the_file_iso_2022_jp() {
    let name = b"PID|1||1||\x1B$B;3ED\x1B(B^\x1B$BB@O:\x1B(B\r";
    for stray in [&b"\xB5"[..], b"\xB9\xDD\xBB", b"\x95\\", "院".as_bytes()] {
        let bytes = [&name[..], b"NTE|||", stray, b"\r"].concat();
        assert_eq!(detect(&bytes), ISO, "{stray:X?}");
    }
    // A stray escape sequence does not make ISO-2022-JP of another charset.
    let text = "MSH|入院\u{1B}$Bの患者\u{1B}(B";
    assert_eq!(detect(text.as_bytes()), Charset::Utf8);
    let bytes = b"\x93\xFC\x89\x40\x1B$B\x8D\x82";
    assert_eq!(detect(bytes), Charset::Cp932);
}

#[test]
fn cp932_second_bytes_that_look_like_delimiters_are_text() {
    let notes = [(NoteKind::NotIso2022Jp(Charset::Cp932), 0, 2)];
    reads(b"\x95\\|", Charset::Cp932, "表|", &notes);
    reads(b"\x83\\^", Charset::Cp932, "ソ^", &notes);
    let whole = [(NoteKind::NotIso2022Jp(Charset::Cp932), 0, 4)];
    reads(b"\x8E\xF3\x95t|", Charset::Cp932, "受付|", &whole);
}

#[test]
fn cp932_extensions_are_read_and_noted() {
    let not = NoteKind::NotIso2022Jp(Charset::Cp932);
    let ibm = [(not, 0, 2), (NoteKind::IbmExtension, 0, 2)];
    reads(b"\xFB\xFC", Charset::Cp932, "髙", &ibm);
    let nec = [(not, 0, 2), (NoteKind::NecExtension, 0, 2)];
    reads(b"\x87@", Charset::Cp932, "①", &nec);
    let user = [(not, 0, 2), (NoteKind::Gaiji, 0, 2)];
    reads(b"\xF0@", Charset::Cp932, "\u{E000}", &user);
    let user = [(not, 0, 2), (NoteKind::Gaiji, 0, 2)];
    reads(b"\xF9\xFC", Charset::Cp932, "\u{E757}", &user);
    let kana = [(not, 0, 2), (NoteKind::HalfWidthKatakana, 0, 2)];
    reads(b"\xB1\xDF", Charset::Cp932, "ｱﾟ", &kana);
    let unmapped = [(not, 0, 2), (NoteKind::Unmapped, 0, 2)];
    reads(b"\x85\x9F", Charset::Cp932, "〓", &unmapped);
}

#[test]
fn a_cut_cp932_character_leaves_the_delimiter_alone() {
    let not = NoteKind::NotIso2022Jp(Charset::Cp932);
    let notes = [(not, 0, 1), (NoteKind::Malformed, 0, 1)];
    reads(b"\x93\r", Charset::Cp932, "\u{FFFD}\r", &notes);
    reads(b"\x93", Charset::Cp932, "\u{FFFD}", &notes);
}

#[test]
fn escape_sequences_in_eight_bit_files_are_control_bytes() {
    for charset in [Charset::Cp932, Charset::EucJp, Charset::Utf8] {
        let notes = [(NoteKind::ControlByte, 0, 1)];
        reads(b"\x1B$Ba", charset, "\x1B$Ba", &notes);
    }
}

#[test]
fn byte_order_mark_has_no_text() {
    let (text, notes) = read(b"\xEF\xBB\xBFMSH", Charset::Utf8);
    assert_eq!(text, "MSH");
    assert!(notes.contains(&(NoteKind::ByteOrderMark, 0, 3)));
}

#[test]
fn damaged_utf8_is_one_replacement_for_each_damaged_sequence() {
    let notes = [
        (NoteKind::NotIso2022Jp(Charset::Utf8), 1, 3),
        (NoteKind::Malformed, 1, 3),
    ];
    reads(b"a\xE5\x85|b", Charset::Utf8, "a\u{FFFD}|b", &notes);
}

#[test]
fn notes_are_bounded_and_the_rest_is_counted() {
    let line = b"\x1B$BF~\ra";
    let bytes: Vec<u8> = line
        .iter()
        .copied()
        .cycle()
        .take(line.len() * 1000)
        .collect();
    let mut notes = Notes::new();
    check(&bytes, 0, ISO, &mut notes);
    assert_eq!(notes.items().len(), 100);
    assert_eq!(notes.found(NoteKind::UnclosedShift), 1000);
    assert_eq!(notes.suppressed(NoteKind::UnclosedShift), 900);
    assert_eq!(notes.suppressed(NoteKind::Unmapped), 0);
    notes.clear();
    assert_eq!(notes, Notes::new());
}

#[test]
fn notes_lie_behind_the_base() {
    let mut notes = Notes::new();
    check(b"a\tb", 40, ISO, &mut notes);
    assert_eq!((notes.items()[0].start, notes.items()[0].end), (41, 42));
    notes.clear();
    check(b"a\tb", u32::MAX, ISO, &mut notes);
    assert_eq!(
        (notes.items()[0].start, notes.items()[0].end),
        (u32::MAX, u32::MAX)
    );
}

#[test]
fn every_kind_has_its_place() {
    for (index, kind) in NoteKind::ALL.into_iter().enumerate() {
        assert_eq!(kind.index(), index);
    }
}

#[test]
fn bytes_below_80_are_iso_2022_jp() {
    assert_eq!(detect(b""), ISO);
    assert_eq!(detect(b"MSH|^~\\&|"), ISO);
    assert_eq!(detect(b"\x1B$BF~1!\x1B(B"), ISO);
}

#[test]
fn valid_utf8_is_utf8() {
    assert_eq!(detect("MSH|入院".as_bytes()), Charset::Utf8);
    assert_eq!(detect(b"\xEF\xBB\xBFMSH|"), Charset::Utf8);
}

#[test]
fn the_two_byte_file_of_the_field_is_cp932() {
    assert_eq!(detect(b"\xFB\xFC"), Charset::Cp932);
}

#[test]
fn euc_that_is_no_cp932_is_euc() {
    // 入院 = C6 FE B1 A1: C6 is kana in CP932, FE is nothing.
    assert_eq!(detect(b"\xC6\xFE\xB1\xA1"), Charset::EucJp);
}

#[test]
fn half_width_katakana_of_cp932_are_not_taken_for_euc() {
    assert_eq!(detect(b"\xD4\xCF\xC0\xDE|\xC0\xDB\xB3"), Charset::Cp932);
}

#[test]
fn utf8_with_one_cut_character_is_still_utf8() {
    let mut bytes = "入院時の患者氏名と住所、電話番号は上記のとおり。"
        .as_bytes()
        .to_vec();
    bytes.truncate(bytes.len() - 1);
    bytes.extend_from_slice(b"|\r");
    assert_eq!(detect(&bytes), Charset::Utf8);
}

#[test]
fn declarations_as_met_are_understood() {
    for field in [
        &b"~ISO IR87"[..],
        b"~ISOIR87",
        b"ISO IR14~ISO IR87~ISO IR159",
        b" iso ir87 ",
        b"ASCII",
        b"ASCII~ISO IR87",
        b"ISO-2022-JP",
    ] {
        assert_eq!(declared(field), Some(ISO), "{field:?}");
    }
    assert_eq!(declared(b"UNICODE UTF-8"), Some(Charset::Utf8));
    assert_eq!(declared(b"~Shift_JIS"), Some(Charset::Cp932));
    for field in [
        &b""[..],
        b"~",
        b"8859/1",
        b"\"\"",
        b"\xFF\xFE",
        b"UNICODE UTF-16",
    ] {
        assert_eq!(declared(field), None, "{field:?}");
    }
}

#[test]
fn byte_ranges_include_the_escapes_of_the_component() {
    let bytes = b"PID|A\x1B$BF~\x1B(B^\x1B$B1!\x1B(B|B";
    let decoded = decode(bytes, ISO);
    assert_eq!(decoded.text, "PID|A入^院|B");
    let range = |part: &str| {
        let start = decoded.text.find(part).unwrap();
        decoded.byte_range(start..start + part.len())
    };
    assert_eq!(range("入"), 5..13);
    assert_eq!(range("院"), 14..22);
    assert_eq!(range("A入"), 4..13);
    assert_eq!(range("A"), 4..5);
    assert_eq!(range("^"), 13..14);
    assert_eq!(range("|B"), 22..24);
    assert_eq!(range("入^院"), 5..22);
    assert_eq!(decoded.byte_range(0..decoded.text.len()), 0..24);
}

#[test]
fn blank_of_a_shift_and_the_line_end_behind_it_are_apart() {
    let decoded = decode(b"a\x1B$B \r\x1B(Bb", ISO);
    assert_eq!(decoded.text, "a \rb");
    assert_eq!(decoded.byte_range(1..2), 1..5);
    assert_eq!(decoded.byte_range(2..3), 5..6);
}

#[test]
fn byte_range_of_an_empty_component_holds_its_empty_shift() {
    let decoded = decode(b"a^\x1B$B\x1B(B^b", ISO);
    assert_eq!(decoded.text, "a^^b");
    assert_eq!(decoded.byte_range(2..2), 2..8);
    assert_eq!(decoded.byte_range(3..3), 9..9);
}

#[test]
fn positions_inside_a_utf8_character_are_its_start() {
    let decoded = decode("a入b".as_bytes(), Charset::Utf8);
    assert_eq!(
        (0..6).map(|byte| decoded.text_at(byte)).collect::<Vec<_>>(),
        [0, 1, 1, 1, 4, 5]
    );
    assert_eq!(
        (0..6).map(|at| decoded.byte_at(at)).collect::<Vec<_>>(),
        [0, 1, 1, 1, 4, 5]
    );
}

#[test]
fn positions_go_both_ways() {
    let decoded = decode(b"A\x1B$BF~1!\x1B(BB", ISO);
    assert_eq!(decoded.text, "A入院B");
    assert_eq!(decoded.byte_at(0), 0);
    assert_eq!(decoded.byte_at(1), 4);
    assert_eq!(decoded.byte_at(3), 4, "inside a character is its start");
    assert_eq!(decoded.byte_at(4), 6);
    assert_eq!(decoded.byte_at(7), 11);
    assert_eq!(decoded.byte_at(8), 12);
    assert_eq!(decoded.byte_at(usize::MAX), 12);
    let texts: Vec<usize> = (0..14).map(|byte| decoded.text_at(byte)).collect();
    assert_eq!(texts, [0, 1, 1, 1, 1, 1, 4, 4, 7, 7, 7, 7, 8, 8]);
}
