//! Unicode → JIS X 0208 bytes, looked up one character at a time.
//!
//! A message is written once, front to back, so the writer wants the two bytes of a character and
//! keeps the shift state itself; see [`crate::hl7`]. The codes are those of [`warifu_source`].

use warifu_source::Encoder;

/// Table from a BMP character to its JIS X 0208 code (0 = not in the standard).
///
/// Built once per storage and shared by its messages (128 KiB).
#[derive(Debug, Clone)]
pub struct Jis {
    table: Vec<u16>,
}

/// 〓, what the hospital modules write for a character outside JIS X 0208.
const GETA: u16 = 0x222E;

impl Jis {
    /// The table of JIS X 0208-1990 rows 1–8 and 16–84, the only ones SS-MIX2 allows.
    pub fn new() -> Self {
        let encoder = Encoder::standard();
        let mut bytes = Vec::with_capacity(8);
        let mut utf8 = [0_u8; 4];
        let table = (0..=0xFFFF_u32)
            .map(|scalar| {
                let Some(c) = char::from_u32(scalar).filter(|c| !c.is_ascii()) else {
                    return 0;
                };
                bytes.clear();
                let lost = encoder.encode_iso2022jp(c.encode_utf8(&mut utf8), &mut bytes);
                match (lost.as_slice(), bytes.as_slice()) {
                    ([], &[0x1B, b'$', b'B', high, low, 0x1B, b'(', b'B']) => {
                        u16::from_be_bytes([high, low])
                    }
                    _ => 0,
                }
            })
            .collect();
        Self { table }
    }

    /// Both bytes of `c`, or `None` if JIS X 0208 has no such character.
    pub fn code(&self, c: char) -> Option<[u8; 2]> {
        let code = *self.table.get(usize::try_from(u32::from(c)).ok()?)?;
        (code != 0).then(|| code.to_be_bytes())
    }

    /// Both bytes of the substitute mark 〓.
    pub fn substitute() -> [u8; 2] {
        GETA.to_be_bytes()
    }
}

impl Default for Jis {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kanji_whose_bytes_are_delimiters_have_their_published_codes() {
        let jis = Jis::new();
        assert_eq!(jis.code('入'), Some([0x46, 0x7E]));
        assert_eq!(jis.code('あ'), Some([0x24, 0x22]));
        assert_eq!(jis.code('−'), Some([0x21, 0x5D]));
        assert_eq!(jis.code('－'), Some([0x21, 0x5D]));
        assert_eq!(jis.code('〓'), Some(Jis::substitute()));
    }

    #[test]
    fn vendor_characters_are_not_in_the_table() {
        let jis = Jis::new();
        for c in ['①', '㈱', '髙', 'ｱ', 'A', '\u{E000}'] {
            assert_eq!(jis.code(c), None, "{c}");
        }
    }
}
