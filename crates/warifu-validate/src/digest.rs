//! SHA-1 (FIPS 180-4 §6.1) and base64 (RFC 4648 §4), for `Attachment.hash`: a fingerprint there, not a
//! protection.

/// Bytes of a base64 text, white space left out; `None` where it is none.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for b in text.bytes().filter(|b| !b.is_ascii_whitespace()) {
        let six = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => break,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held).to_le_bytes()[0]);
        }
    }
    Some(out)
}

/// SHA-1 of bytes.
pub(crate) fn sha1(bytes: &[u8]) -> [u8; 20] {
    let mut state = [
        0x6745_2301_u32,
        0xEFCD_AB89,
        0x98BA_DCFE,
        0x1032_5476,
        0xC3D2_E1F0,
    ];
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX) * 8;
    let mut chunks = bytes.chunks_exact(64);
    for chunk in chunks.by_ref() {
        block(&mut state, chunk);
    }
    let mut last = chunks.remainder().to_vec();
    last.push(0x80);
    while last.len() % 64 != 56 {
        last.push(0);
    }
    last.extend(length.to_be_bytes());
    for chunk in last.chunks_exact(64) {
        block(&mut state, chunk);
    }
    let mut out = [0; 20];
    for (to, word) in out.chunks_exact_mut(4).zip(state) {
        to.copy_from_slice(&word.to_be_bytes());
    }
    out
}

fn block(state: &mut [u32; 5], chunk: &[u8]) {
    let mut words: Vec<u32> = chunk
        .as_chunks::<4>()
        .0
        .iter()
        .map(|b| u32::from_be_bytes(*b))
        .collect();
    for n in 16..80 {
        let at = |back: usize| words.get(n - back).copied().unwrap_or_default();
        words.push((at(3) ^ at(8) ^ at(14) ^ at(16)).rotate_left(1));
    }
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for (n, word) in words.iter().enumerate() {
        let (f, k) = match n / 20 {
            0 => (b & c | !b & d, 0x5A82_7999_u32),
            1 => (b ^ c ^ d, 0x6ED9_EBA1),
            2 => (b & c | b & d | c & d, 0x8F1B_BCDC),
            _ => (b ^ c ^ d, 0xCA62_C1D6),
        };
        let next = a
            .rotate_left(5)
            .wrapping_add(f)
            .wrapping_add(e)
            .wrapping_add(k)
            .wrapping_add(*word);
        (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
    }
    for (to, own) in state.iter_mut().zip([a, b, c, d, e]) {
        *to = to.wrapping_add(own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_the_standards() {
        let hex = |bytes: &[u8]| {
            use std::fmt::Write as _;
            sha1(bytes).iter().fold(String::new(), |mut s, b| {
                let _ = write!(s, "{b:02x}");
                s
            })
        };
        assert_eq!(hex(b"abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(hex(b""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_eq!(
            hex(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
        );
        for (text, bytes) in [
            ("Zm9vYmFy", &b"foobar"[..]),
            ("Zm8=", b"fo"),
            ("Z g\n==", b"f"),
        ] {
            assert_eq!(decode(text).as_deref(), Some(bytes));
        }
        assert_eq!(decode("あ"), None);
    }
}
