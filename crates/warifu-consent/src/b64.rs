//! Base64url without padding, as RFC 7515 §2 has it; nothing else is read.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Writes bytes as base64url without padding.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads base64url; `None` for padding, white space, other alphabets and trailing bits that are not zero.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Reads exactly `N` bytes.
pub fn decode_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let read = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
    (read == N).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_spelling_is_read() {
        assert_eq!(decode("AA"), Some(vec![0]));
        for bad in ["AB", "AA==", "AA=", "A", "A A", "AA\n", "+/", "あ"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
        assert_eq!(decode_array::<1>("AA"), Some([0]));
        assert_eq!(decode_array::<2>("AAA"), Some([0, 0]));
        for (bad, why) in [
            ("AA", "short"),
            ("AAAA", "long"),
            ("AAB", "bits"),
            ("AA=", "padding"),
        ] {
            assert_eq!(decode_array::<2>(bad), None, "{why}");
        }
    }
}
