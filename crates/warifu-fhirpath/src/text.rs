//! Functions of texts: encodings, escapes, parts.

use std::fmt::Write as _;

/// Encodes UTF-8 bytes.
pub(crate) fn encode(text: &str, format: &str) -> Option<String> {
    Some(match format {
        "hex" => text.bytes().fold(String::new(), |mut out, b| {
            out.extend([b >> 4, b & 15].map(|n| char::from_digit(u32::from(n), 16).unwrap_or('0')));
            out
        }),
        "base64" => base64(text.as_bytes(), STANDARD),
        "urlbase64" => base64(text.as_bytes(), URL),
        _ => return None,
    })
}

/// Decodes to UTF-8; `None` for a format that is unknown or text that is not in it.
pub(crate) fn decode(text: &str, format: &str) -> Option<String> {
    let bytes = match format {
        "hex" => {
            let digits: Vec<u8> = text
                .chars()
                .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
                .collect::<Option<_>>()?;
            let (pairs, rest) = digits.as_chunks::<2>();
            if !rest.is_empty() {
                return None;
            }
            pairs.iter().map(|[a, b]| a << 4 | b).collect()
        }
        "base64" => from_base64(text, STANDARD)?,
        "urlbase64" => from_base64(text, URL)?,
        _ => return None,
    };
    String::from_utf8(bytes).ok()
}

const STANDARD: [u8; 2] = *b"+/";
const URL: [u8; 2] = *b"-_";

fn digit(n: u32, last: [u8; 2]) -> char {
    let n = u8::try_from(n & 63).unwrap_or(0);
    char::from(match n {
        0..26 => b'A' + n,
        26..52 => b'a' + n - 26,
        52..62 => b'0' + n - 52,
        62 => last[0],
        _ => last[1],
    })
}

fn base64(bytes: &[u8], last: [u8; 2]) -> String {
    let mut out = String::with_capacity(bytes.len() * 4 / 3 + 4);
    for chunk in bytes.chunks(3) {
        let mut padded = [0; 3];
        for (to, from) in padded.iter_mut().zip(chunk) {
            *to = *from;
        }
        let [a, b, c] = padded.map(u32::from);
        let n = a << 16 | b << 8 | c;
        for (k, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            out.push(if k <= chunk.len() {
                digit(n >> shift, last)
            } else {
                '='
            });
        }
    }
    out
}

fn from_base64(text: &str, last: [u8; 2]) -> Option<Vec<u8>> {
    let body = text.trim_end_matches('=');
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0);
    for c in body.bytes().filter(|b| !b.is_ascii_whitespace()) {
        let n = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            _ if c == last[0] => 62,
            _ if c == last[1] => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(n)) & 0xFF_FFFF;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from(bits >> held & 0xFF).ok()?);
        }
    }
    Some(out)
}

/// Escapes for a format.
pub(crate) fn escape(text: &str, format: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    match format {
        "html" => {
            for c in text.chars() {
                match c {
                    '<' => out.push_str("&lt;"),
                    '>' => out.push_str("&gt;"),
                    '&' => out.push_str("&amp;"),
                    '"' => out.push_str("&quot;"),
                    '\'' => out.push_str("&#39;"),
                    c => out.push(c),
                }
            }
        }
        "json" => {
            for c in text.chars() {
                match c {
                    '"' => out.push_str("\\\""),
                    '\\' => out.push_str("\\\\"),
                    '\n' => out.push_str("\\n"),
                    '\r' => out.push_str("\\r"),
                    '\t' => out.push_str("\\t"),
                    '\u{8}' => out.push_str("\\b"),
                    '\u{c}' => out.push_str("\\f"),
                    c if c < ' ' => {
                        let _ = write!(out, "\\u{:04x}", u32::from(c));
                    }
                    c => out.push(c),
                }
            }
        }
        _ => return None,
    }
    Some(out)
}

/// Undoes [`escape`].
pub(crate) fn unescape(text: &str, format: &str) -> Option<String> {
    match format {
        "json" => Some(warifu_json::unescape(text)),
        "html" => {
            let mut out = String::with_capacity(text.len());
            let mut rest = text;
            while let Some(at) = rest.find('&') {
                let (before, from) = rest.split_at(at);
                out.push_str(before);
                let end = from.find(';').filter(|n| *n < 12);
                let entity = end.and_then(|n| from.get(1..n));
                if let Some(c) = entity.and_then(entity_char) {
                    out.push(c);
                    rest = from.get(end.unwrap_or(0) + 1..).unwrap_or_default();
                } else {
                    out.push('&');
                    rest = from.get(1..).unwrap_or_default();
                }
            }
            out.push_str(rest);
            Some(out)
        }
        _ => None,
    }
}

/// The character of `amp`, `#39` or `#x27`.
pub(crate) fn entity_char(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

/// Characters from `start`, at most `count`; `None` when `start` is outside.
pub(crate) fn substring(text: &str, start: i64, count: Option<i64>) -> Option<&str> {
    let start = usize::try_from(start).ok()?;
    let mut places = text.char_indices().map(|(n, _)| n);
    let from = places.nth(start)?;
    let rest = text.get(from..)?;
    let Some(count) = count else {
        return Some(rest);
    };
    let count = usize::try_from(count).unwrap_or(0);
    let end = rest
        .char_indices()
        .nth(count)
        .map_or(rest.len(), |(n, _)| n);
    rest.get(..end)
}

/// Place of a part in characters; −1 if it is not there.
pub(crate) fn index_of(text: &str, part: &str, last: bool) -> i64 {
    let found = if last {
        text.rfind(part)
    } else {
        text.find(part)
    };
    found.and_then(|n| text.get(..n)).map_or(-1, |before| {
        i64::try_from(before.chars().count()).unwrap_or(-1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_go_both_ways() {
        for text in ["", "a", "ab", "abc", "割符?>"] {
            for format in ["hex", "base64", "urlbase64"] {
                let coded = encode(text, format).unwrap();
                assert_eq!(
                    decode(&coded, format).as_deref(),
                    Some(text),
                    "{format} {coded}"
                );
            }
            for format in ["html", "json"] {
                let coded = escape(text, format).unwrap();
                assert_eq!(unescape(&coded, format).as_deref(), Some(text));
            }
        }
        assert_eq!(decode("zz", "hex"), None);
        assert_eq!(unescape("&lt;&foo;&", "html").unwrap(), "<&foo;&");
    }

    #[test]
    fn parts_count_characters() {
        assert_eq!(substring("割符帳", 1, Some(1)), Some("符"));
        assert_eq!(substring("割符", 2, None), None);
        assert_eq!(index_of("割符割符", "符", true), 3);
    }
}
