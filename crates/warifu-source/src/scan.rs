//! Finding the end of plain text, eight bytes at a time.

const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// End of the run of printable ASCII, CR and LF that starts at `from`.
///
/// The byte at the result, if any, is a control byte (ESC among them), DEL or an 8-bit byte.
#[inline]
pub(crate) fn plain_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    loop {
        at = printable_end(bytes, at);
        match bytes.get(at) {
            Some(b'\r' | b'\n') => at += 1,
            _ => return at,
        }
    }
}

/// End of the run of bytes 20 to 7E that starts at `from`.
#[inline]
fn printable_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    let Some(rest) = bytes.get(from..) else {
        return bytes.len();
    };
    let (words, tail) = rest.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word);
        // Borrow and carry run upwards only, so the lowest mark is always exact.
        let below_20 = word.wrapping_sub(LOW_BITS * 0x20) & !word;
        let above_7e = word.wrapping_add(LOW_BITS) | word;
        let marks = (below_20 | above_7e) & HIGH_BITS;
        if marks != 0 {
            return at + lowest_byte(marks);
        }
        at += 8;
    }
    let plain = |byte: &&u8| matches!(byte, 0x20..=0x7E);
    at + tail.iter().take_while(plain).count()
}

/// Index of the lowest marked byte of a word that has a mark.
#[inline]
fn lowest_byte(marks: u64) -> usize {
    usize::try_from(marks.trailing_zeros() / 8).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_value_at_every_offset_ends_a_run_or_not() {
        for value in 0..=u8::MAX {
            for at in 0..20 {
                for noise in [0xFF, 0x00, b'x'] {
                    let mut bytes = [b'a'; 20];
                    bytes[at] = value;
                    if let Some(next) = bytes.get_mut(at + 1) {
                        *next = noise;
                    }
                    let plain = |b: &u8| matches!(b, 0x20..=0x7E | b'\r' | b'\n');
                    let expected = bytes.iter().position(|b| !plain(b)).unwrap_or(20);
                    assert_eq!(plain_end(&bytes, 0), expected, "{value:02X} at {at}");
                }
            }
        }
    }

    #[test]
    fn a_start_past_the_end_gives_the_end() {
        assert_eq!(plain_end(b"abc", 7), 3);
    }
}
