//! Unicode → JIS X 0208 bytes, looked up one character at a time.
//!
//! A message is written once, front to back, so the writer wants the two bytes of a character and
//! keeps the shift state itself; see [`crate::hl7`].

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
        let mut table = vec![0_u16; 0x1_0000];
        for row in (1_u16..=8).chain(16..=84) {
            for cell in 1_u16..=94 {
                let code = ((row + 0x20) << 8) | (cell + 0x20);
                let [high, low] = (code | 0x8080).to_be_bytes();
                let pair = [high, low];
                let (text, _, malformed) = encoding_rs::EUC_JP.decode(&pair);
                if malformed {
                    continue;
                }
                let slot = text
                    .chars()
                    .next()
                    .and_then(|c| table.get_mut(usize::try_from(u32::from(c)).ok()?));
                if let Some(slot) = slot {
                    *slot = code;
                }
            }
        }
        // Both readings of the six characters on which decoders differ are accepted.
        for (jis, code) in [
            ('\u{2212}', 0x215D),
            ('\u{301C}', 0x2141),
            ('\u{2016}', 0x2142),
            ('\u{00A2}', 0x2171),
            ('\u{00A3}', 0x2172),
            ('\u{00AC}', 0x224C),
        ] {
            if let Some(slot) = usize::try_from(u32::from(jis))
                .ok()
                .and_then(|at| table.get_mut(at))
            {
                *slot = code;
            }
        }
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
    }

    #[test]
    fn vendor_characters_are_not_in_the_table() {
        let jis = Jis::new();
        for c in ['①', '㈱', '髙', 'ｱ', 'A', '\u{E000}'] {
            assert_eq!(jis.code(c), None, "{c}");
        }
    }
}
