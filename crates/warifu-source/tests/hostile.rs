//! Inputs made to hurt: ten megabytes each.
//!
//! A reader that looks back or ahead without bound would not finish here.

use warifu_source::{
    Charset, KEPT_PER_KIND, NoteKind, Notes, check, decode, decode_into, detect,
    normalise_for_compare,
};

const LENGTH: usize = 10_000_000;
const LENGTH_BYTES: u32 = 10_000_000;

fn repeat(pattern: &[u8]) -> Vec<u8> {
    pattern.iter().copied().cycle().take(LENGTH).collect()
}

fn survives(pattern: &[u8]) {
    let bytes = repeat(pattern);
    let detected = detect(&bytes);
    for charset in [Charset::Iso2022Jp, detected] {
        let mut text = String::new();
        decode_into(&bytes, charset, &mut text);
        assert!(text.len() <= 3 * LENGTH, "text is bounded by the input");
        let decoded = decode(&bytes, charset);
        assert_eq!(decoded.text.len(), text.len());
        assert!(decoded.byte_range(0..text.len()).end <= LENGTH_BYTES);
        let mut notes = Notes::new();
        check(&bytes, 0, charset, &mut notes);
        for kind in NoteKind::ALL {
            let kept = notes.found(kind) - notes.suppressed(kind);
            assert!(kept <= KEPT_PER_KIND, "notes are bounded");
        }
        assert!(notes.items().len() <= 100 * NoteKind::ALL.len());
    }
}

#[test]
fn escape_bytes_only() {
    survives(b"\x1B");
}

#[test]
fn alternating_escapes() {
    survives(b"\x1B$B\x1B(B");
    survives(b"\x1B(I\x1B$(D\x1B(J\x1B&@");
}

#[test]
fn cut_escapes() {
    survives(b"\x1B$");
    survives(b"\x1B$(");
}

#[test]
fn shift_out_only_and_shift_in_only() {
    survives(b"\x0E");
    survives(b"\x0F");
    survives(b"\x0E\x0F");
}

#[test]
fn one_unclosed_shift_for_each_line() {
    survives(b"\x1B$B\r");
}

#[test]
fn eight_bit_bytes_only() {
    survives(b"\x80");
    survives(b"\xFF");
    survives(b"\x81");
    survives(b"\x8F");
    survives(b"\xE3\x81");
}

#[test]
fn transport_bytes_and_line_ends_only() {
    survives(b"\x1C");
    survives(b"\x1C\r\n");
    survives(b"\r");
}

#[test]
fn odd_double_bytes_before_blanks() {
    survives(b"\x1B$BF ");
    survives(b"F ");
}

#[test]
fn normalising_voicing_marks_and_blanks_only() {
    for pattern in ["ﾞ", "ﾊﾞ", " ", "ー", "　゛", "㌔"] {
        let text = pattern.repeat(LENGTH / 10 / pattern.len());
        let folded = normalise_for_compare(&text);
        assert!(folded.len() <= 6 * text.len() + 3);
    }
}
