//! Escape sequences of ISO/IEC 2022 as SS-MIX2 files use them.

/// The escape byte.
pub(crate) const ESC: u8 = 0x1B;
/// Shift out: to half-width katakana.
pub(crate) const SO: u8 = 0x0E;
/// Shift in: back from half-width katakana.
pub(crate) const SI: u8 = 0x0F;

/// A character set an escape sequence can switch to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CodeSet {
    /// ASCII, the state at the start of a file and of each line.
    #[default]
    Ascii,
    /// JIS X 0201 Roman, read as ASCII (so that `\` and `~` stay delimiters).
    Roman,
    /// JIS X 0201 half-width katakana, one byte a character.
    Katakana,
    /// JIS X 0208, two bytes a character.
    JisX0208,
    /// JIS X 0212, two bytes a character.
    JisX0212,
    /// A double-byte set that is not read (JIS X 0213 plane 2, GB 2312, KS X 1001): each code
    /// is unmapped, and its bytes are still not taken for delimiters.
    Foreign,
}

impl CodeSet {
    /// Whether delimiters of HL7 can occur in this state: true for ASCII and Roman.
    pub fn is_ascii_like(self) -> bool {
        matches!(self, Self::Ascii | Self::Roman)
    }
}

/// What an escape sequence does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EscapeAction {
    /// Switches to a set.
    Switch(CodeSet),
    /// Switches to a set that ISO-2022-JP does not have.
    SwitchUnknown(CodeSet),
    /// Announces the 1990 edition of JIS X 0208 (`ESC & @`); changes nothing.
    Announce,
    /// Not a sequence of ISO-2022-JP; it is dropped and changes nothing.
    Unknown,
}

/// One escape sequence at the start of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Escape {
    /// Its bytes, the ESC included: 1 to 4.
    pub len: usize,
    /// What it does.
    pub action: EscapeAction,
}

/// Reads the escape sequence at the start of `bytes`, whose first byte is taken to be ESC.
///
/// `ESC $ ( B` and `ESC $ ( @`, the long forms some writers use, switch like the short ones.
/// An unknown sequence never takes a delimiter of HL7 (`|`, `^`, `~`, `\`, `&`), a control
/// byte or an 8-bit byte with it.
///
/// # Standard
///
/// ISO/IEC 2022 clause 13; RFC 1468; RFC 1554 and RFC 2237 for the other double-byte sets.
#[inline]
pub fn escape_at(bytes: &[u8]) -> Escape {
    let rest = bytes.get(1..).unwrap_or_default();
    let (len, action) = match *rest {
        [b'$', b'B' | b'@', ..] => (3, EscapeAction::Switch(CodeSet::JisX0208)),
        [b'(', b'B', ..] => (3, EscapeAction::Switch(CodeSet::Ascii)),
        [b'(', b'J', ..] => (3, EscapeAction::Switch(CodeSet::Roman)),
        [b'(', b'I', ..] => (3, EscapeAction::Switch(CodeSet::Katakana)),
        [b'$', b'(', b'D', ..] => (4, EscapeAction::Switch(CodeSet::JisX0212)),
        [b'$', b'(', b'B' | b'@', ..] => (4, EscapeAction::Switch(CodeSet::JisX0208)),
        // JIS X 0213 plane 1 holds JIS X 0208 in its place.
        [b'$', b'(', b'O' | b'Q', ..] => (4, EscapeAction::SwitchUnknown(CodeSet::JisX0208)),
        [b'$', b'(', b'A' | b'C' | b'P', ..] => (4, EscapeAction::SwitchUnknown(CodeSet::Foreign)),
        [b'$', b'A', ..] => (3, EscapeAction::SwitchUnknown(CodeSet::Foreign)),
        [b'&', b'@', ..] => (3, EscapeAction::Announce),
        _ => (unknown_len(rest), EscapeAction::Unknown),
    };
    Escape { len, action }
}

/// Length of an unknown sequence: ESC, at most two intermediate bytes and a final byte, or the
/// ESC alone when no final byte follows.
#[cold]
fn unknown_len(rest: &[u8]) -> usize {
    let intermediates = rest
        .iter()
        .take(2)
        .take_while(|&&byte| matches!(byte, 0x20..=0x2F) && byte != b'&')
        .count();
    let is_final =
        |byte: &u8| matches!(byte, 0x30..=0x7E) && !matches!(byte, b'|' | b'^' | b'~' | b'\\');
    if intermediates > 0 && rest.get(intermediates).is_some_and(is_final) {
        2 + intermediates
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], len: usize, action: EscapeAction) {
        assert_eq!(escape_at(bytes), Escape { len, action }, "{bytes:02X?}");
    }

    #[test]
    fn the_sequences_of_the_specification_switch() {
        check(b"\x1B$B", 3, EscapeAction::Switch(CodeSet::JisX0208));
        check(b"\x1B$@", 3, EscapeAction::Switch(CodeSet::JisX0208));
        check(b"\x1B(B", 3, EscapeAction::Switch(CodeSet::Ascii));
        check(b"\x1B(J", 3, EscapeAction::Switch(CodeSet::Roman));
        check(b"\x1B(I", 3, EscapeAction::Switch(CodeSet::Katakana));
        check(b"\x1B$(D", 4, EscapeAction::Switch(CodeSet::JisX0212));
        check(b"\x1B&@\x1B$B", 3, EscapeAction::Announce);
    }

    #[test]
    fn the_long_form_of_jis_x_0208_switches() {
        check(b"\x1B$(B", 4, EscapeAction::Switch(CodeSet::JisX0208));
        check(b"\x1B$(@", 4, EscapeAction::Switch(CodeSet::JisX0208));
    }

    #[test]
    fn an_unknown_sequence_is_dropped_as_a_whole() {
        check(b"\x1B(H|", 3, EscapeAction::Unknown);
        check(b"\x1B$(Zab", 4, EscapeAction::Unknown);
        check(b"\x1B.A", 3, EscapeAction::Unknown);
    }

    #[test]
    fn other_double_byte_sets_are_unknown_but_still_double_byte() {
        let plane_1 = EscapeAction::SwitchUnknown(CodeSet::JisX0208);
        let foreign = EscapeAction::SwitchUnknown(CodeSet::Foreign);
        check(b"\x1B$(Q", 4, plane_1);
        check(b"\x1B$(P", 4, foreign);
        check(b"\x1B$A", 3, foreign);
    }

    #[test]
    fn an_unknown_sequence_leaves_delimiters_and_line_ends_alone() {
        for end in [
            &b"|"[..],
            b"^",
            b"~",
            b"\\",
            b"&",
            b"\r",
            b"\x1B(B",
            b"\x80",
            b"",
        ] {
            for head in [&b"\x1B"[..], b"\x1B(", b"\x1B$", b"\x1B$("] {
                let bytes = [head, end].concat();
                check(&bytes, 1, EscapeAction::Unknown);
            }
        }
    }

    #[test]
    fn empty_input_is_a_lone_escape() {
        check(b"", 1, EscapeAction::Unknown);
    }
}
