//! Checking a whole file: what is odd about its bytes.

use alloc::vec::Vec;

use crate::decode::{Rare, read_any};
use crate::scan::plain_end;
use crate::{Charset, position, tables};

/// Notes of one kind kept for one [`Notes`]; further ones are counted only.
pub const KEPT_PER_KIND: u32 = 100;

/// What is odd about some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NoteKind {
    /// The file is not ISO-2022-JP but in the charset named here; the bytes are the first
    /// 8-bit run. At most once a file.
    NotIso2022Jp(Charset),
    /// A double-byte or katakana shift still open at a line end or at the end of the file;
    /// the bytes run from the opening sequence to there. The shift is closed.
    UnclosedShift,
    /// An escape sequence that is not of ISO-2022-JP; dropped.
    UnknownEscape,
    /// An escape sequence without effect, such as `ESC $ B ESC ( B`; harmless.
    RedundantEscape,
    /// `ESC $ @`: the 1978 edition, decoded as 1983.
    Jis78Escape,
    /// `ESC $ ( D`: JIS X 0212.
    Jis0212Escape,
    /// `ESC ( J`: JIS X 0201 Roman, read as ASCII.
    JisRomanEscape,
    /// `ESC $ ( B` or `ESC $ ( @`: the long form for JIS X 0208.
    LongEscape,
    /// A well-formed multi-byte code without a character; decoded as 〓.
    Unmapped,
    /// Bytes that are no character of the charset; decoded as U+FFFD.
    Malformed,
    /// Bytes from 80 on in an ISO-2022-JP file; read as half-width katakana, UTF-8 or CP932 where
    /// that is certain enough, else decoded as U+FFFD.
    EightBitByte,
    /// NEC special characters (row 13) or NEC-selected IBM characters (rows 89 to 92).
    NecExtension,
    /// IBM extension of CP932 (lead bytes FA to FC).
    IbmExtension,
    /// Half-width katakana.
    HalfWidthKatakana,
    /// User-defined character (外字, gaiji), decoded to the private use area.
    Gaiji,
    /// ■, 〓 or U+FFFD in the text: perhaps left by a module that could not write a character
    /// (■ is a common bullet, too).
    ReplacedChar,
    /// A control byte other than CR and LF; kept in the text.
    ControlByte,
    /// VT at the start or FS at the end, left from the transport layer (MLLP).
    TransportFrame,
    /// A byte order mark at the start of a UTF-8 file; it has no text.
    ByteOrderMark,
}

/// Number of kinds, whatever charset [`NoteKind::NotIso2022Jp`] carries.
const KINDS: usize = 19;

impl NoteKind {
    /// One example of each kind, in the order of [`NoteKind::index`].
    pub const ALL: [Self; KINDS] = [
        Self::NotIso2022Jp(Charset::Cp932),
        Self::UnclosedShift,
        Self::UnknownEscape,
        Self::RedundantEscape,
        Self::Jis78Escape,
        Self::Jis0212Escape,
        Self::JisRomanEscape,
        Self::LongEscape,
        Self::Unmapped,
        Self::Malformed,
        Self::EightBitByte,
        Self::NecExtension,
        Self::IbmExtension,
        Self::HalfWidthKatakana,
        Self::Gaiji,
        Self::ReplacedChar,
        Self::ControlByte,
        Self::TransportFrame,
        Self::ByteOrderMark,
    ];

    /// Position of the kind in [`NoteKind::ALL`].
    pub fn index(self) -> usize {
        match self {
            Self::NotIso2022Jp(_) => 0,
            Self::UnclosedShift => 1,
            Self::UnknownEscape => 2,
            Self::RedundantEscape => 3,
            Self::Jis78Escape => 4,
            Self::Jis0212Escape => 5,
            Self::JisRomanEscape => 6,
            Self::LongEscape => 7,
            Self::Unmapped => 8,
            Self::Malformed => 9,
            Self::EightBitByte => 10,
            Self::NecExtension => 11,
            Self::IbmExtension => 12,
            Self::HalfWidthKatakana => 13,
            Self::Gaiji => 14,
            Self::ReplacedChar => 15,
            Self::ControlByte => 16,
            Self::TransportFrame => 17,
            Self::ByteOrderMark => 18,
        }
    }
}

/// One odd place: half-open byte range of the file as received.
///
/// Neighbouring places of one kind are one note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Note {
    /// What is odd.
    pub kind: NoteKind,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// Notes in the order they were found, bounded: [`KEPT_PER_KIND`] of each kind.
///
/// [`NoteKind::NotIso2022Jp`] comes first, the others are ordered by their ends; a
/// [`NoteKind::UnclosedShift`] starts before notes inside it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notes {
    items: Vec<Note>,
    found: [u32; KINDS],
    /// The last note found, and whether it is the last of `items`.
    last: Option<(Note, bool)>,
}

impl Notes {
    /// No notes; allocates nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The notes kept.
    pub fn items(&self) -> &[Note] {
        &self.items
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Number of notes of a kind that were found, kept or not.
    pub fn found(&self, kind: NoteKind) -> u32 {
        self.found.get(kind.index()).copied().unwrap_or(0)
    }

    /// Number of notes of a kind that were found but not kept.
    pub fn suppressed(&self, kind: NoteKind) -> u32 {
        self.found(kind).saturating_sub(KEPT_PER_KIND)
    }

    /// Forgets everything and keeps the memory, for the next file.
    pub fn clear(&mut self) {
        self.items.clear();
        self.found = [0; KINDS];
        self.last = None;
    }

    /// Adds a note, or lengthens the last one when it has the same kind and ends where this one
    /// starts.
    pub fn push(&mut self, note: Note) {
        if let Some((last, kept)) = &mut self.last
            && last.kind == note.kind
            && last.end == note.start
        {
            last.end = note.end;
            if *kept && let Some(item) = self.items.last_mut() {
                item.end = note.end;
            }
            return;
        }
        let Some(found) = self.found.get_mut(note.kind.index()) else {
            return;
        };
        *found = found.saturating_add(1);
        let kept = *found <= KEPT_PER_KIND;
        if kept {
            self.items.push(note);
        }
        self.last = Some((note, kept));
    }
}

/// Reads a whole file and adds what is odd to `notes`; `base` is added to every position.
///
/// A clean file adds nothing and allocates nothing.
/// Time is linear in the length, memory is bounded by [`KEPT_PER_KIND`].
///
/// ```
/// use warifu_source::{Charset, Note, NoteKind, Notes, check};
///
/// let mut notes = Notes::new();
/// check(b"MSH|\x1B$BF~1!\r", 0, Charset::Iso2022Jp, &mut notes);
/// let unclosed = Note { kind: NoteKind::UnclosedShift, start: 4, end: 11 };
/// assert_eq!(notes.items(), [unclosed]);
/// ```
pub fn check(bytes: &[u8], base: u32, charset: Charset, notes: &mut Notes) {
    if charset == Charset::Iso2022Jp && is_clean_iso2022jp(bytes) {
        return;
    }
    let mut checker = Checker { base, notes };
    if charset != Charset::Iso2022Jp
        && let Some(start) = bytes.iter().position(|byte| !byte.is_ascii())
    {
        let rest = bytes.get(start..).unwrap_or_default();
        let length = first_run(rest, charset);
        checker.note(NoteKind::NotIso2022Jp(charset), start, start + length);
    }
    read_any(bytes, charset, &mut checker);
}

/// Bytes up to the first character of ASCII. The second byte of a character of CP932 may look like one.
fn first_run(bytes: &[u8], charset: Charset) -> usize {
    let mut at = 0;
    while let Some(byte) = bytes.get(at).filter(|byte| !byte.is_ascii()) {
        let leads = charset == Charset::Cp932 && matches!(byte, 0x81..=0x9f | 0xe0..=0xfc);
        let second = bytes.get(at + 1);
        let trails = leads && second.is_some_and(|b| matches!(b, 0x40..=0x7e | 0x80..=0xfc));
        at += if trails { 2 } else { 1 };
    }
    at
}

/// Whether a file is what the specification asks for: printable ASCII, CR, LF, and non-empty
/// runs of standard JIS X 0208 characters, each between its own `ESC $ B` and `ESC ( B`.
///
/// Only a shortcut: the reader finds nothing to note in such a file.
fn is_clean_iso2022jp(bytes: &[u8]) -> bool {
    let mut at = 0;
    loop {
        at = plain_end(bytes, at);
        let Some(rest) = bytes.get(at..) else {
            return true;
        };
        let run = match rest {
            [] => return true,
            [0x1B, b'$', b'B', run @ ..] => run,
            _ => return false,
        };
        let (pairs, _) = run.as_chunks::<2>();
        let clean = pairs
            .iter()
            .take_while(|[lead, trail]| tables::is_clean(*lead, *trail))
            .count();
        let behind = run.get(2 * clean..).unwrap_or_default();
        if clean == 0 || !behind.starts_with(b"\x1B(B") {
            return false;
        }
        at += 3 + 2 * clean + 3;
        // Reopening at once is an escape sequence without effect, which gets a note.
        if bytes.get(at) == Some(&0x1B) {
            return false;
        }
    }
}

struct Checker<'a> {
    base: u32,
    notes: &'a mut Notes,
}

impl Rare for Checker<'_> {
    #[cold]
    fn note(&mut self, kind: NoteKind, start: usize, end: usize) {
        self.notes.push(Note {
            kind,
            start: self.base.saturating_add(position(start)),
            end: self.base.saturating_add(position(end)),
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Notes of the reader itself, without the shortcut.
    fn read_notes(bytes: &[u8]) -> Notes {
        let mut notes = Notes::new();
        let mut checker = Checker {
            base: 0,
            notes: &mut notes,
        };
        read_any(bytes, Charset::Iso2022Jp, &mut checker);
        notes
    }

    /// Pieces that make clean files often and unclean ones sometimes.
    fn file() -> impl Strategy<Value = Vec<u8>> {
        let double = (0x21..=0x7E_u8, 0x21..=0x7E_u8).prop_map(|(row, cell)| vec![row, cell]);
        let doubles = proptest::collection::vec(double, 0..4).prop_map(|pairs| {
            let text = pairs.concat();
            [&b"\x1B$B"[..], &text, b"\x1B(B"].concat()
        });
        let piece = prop_oneof![
            8 => "[ -~\r\n]{1,12}".prop_map(String::into_bytes),
            8 => doubles,
            1 => proptest::collection::vec(0x1A..0x29_u8, 1..3),
            1 => proptest::collection::vec(any::<u8>(), 1..3),
        ];
        proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 4000,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn the_reader_finds_nothing_in_what_the_shortcut_passes(bytes in file()) {
            if is_clean_iso2022jp(&bytes) {
                prop_assert_eq!(read_notes(&bytes), Notes::new());
            }
        }
    }

    #[test]
    fn the_shortcut_passes_exactly_the_clean_double_bytes() {
        for row in 0..=u8::MAX {
            for cell in 0..=u8::MAX {
                let bytes = [0x1B, b'$', b'B', row, cell, 0x1B, b'(', b'B'];
                let clean = read_notes(&bytes).is_empty();
                // SO and SI need no note either, but the shortcut leaves them alone.
                if row > b' ' && cell > b' ' {
                    assert_eq!(is_clean_iso2022jp(&bytes), clean, "{row:02X} {cell:02X}");
                } else {
                    assert!(!is_clean_iso2022jp(&bytes), "{row:02X} {cell:02X}");
                }
            }
        }
    }

    #[test]
    fn a_usual_message_takes_the_shortcut() {
        let bytes = b"MSH|^~\\&|A\rPID|1^\x1B$B;3ED\x1B(B^\x1B$BB@O:\x1B(B||\r\n";
        assert!(is_clean_iso2022jp(bytes));
        assert!(is_clean_iso2022jp(b""));
    }

    #[test]
    fn neighbours_of_one_kind_are_one_note_even_when_not_kept() {
        let mut notes = Notes::new();
        for group in 0..KEPT_PER_KIND + 2 {
            for at in 0..3 {
                let start = group * 10 + at;
                notes.push(Note {
                    kind: NoteKind::Gaiji,
                    start,
                    end: start + 1,
                });
            }
        }
        assert_eq!(notes.found(NoteKind::Gaiji), KEPT_PER_KIND + 2);
        assert_eq!(notes.suppressed(NoteKind::Gaiji), 2);
        assert!(notes.items().iter().all(|note| note.end - note.start == 3));
    }
}
