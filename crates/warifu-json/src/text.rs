//! Escapes of strings.

/// Text of a string between its quotes: RFC 8259 §7.
///
/// What is no escape stays as it is; half a surrogate pair becomes U+FFFD.
pub fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(cut) = rest.find('\\') {
        let (before, from) = rest.split_at(cut);
        out.push_str(before);
        let mut chars = from.chars();
        chars.next();
        let escape = chars.next();
        rest = chars.as_str();
        match escape {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some(c @ ('"' | '\\' | '/')) => out.push(c),
            Some('u') => {
                let Some(unit) = hex4(rest) else {
                    out.push_str("\\u");
                    continue;
                };
                rest = rest.get(4..).unwrap_or_default();
                let low = rest.strip_prefix("\\u").and_then(hex4);
                match (unit, low) {
                    (0xD800..=0xDBFF, Some(low @ 0xDC00..=0xDFFF)) => {
                        rest = rest.get(6..).unwrap_or_default();
                        let c = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                        out.push(char::from_u32(c).unwrap_or('\u{FFFD}'));
                    }
                    _ => out.push(char::from_u32(unit).unwrap_or('\u{FFFD}')),
                }
            }
            Some(c) => {
                out.push('\\');
                out.push(c);
            }
            None => out.push('\\'),
        }
    }
    out.push_str(rest);
    out
}

/// Four hexadecimal digits at the start.
pub(crate) fn hex4(text: &str) -> Option<u32> {
    let digits = text.get(..4)?;
    digits
        .bytes()
        .all(|b| b.is_ascii_hexdigit())
        .then(|| u32::from_str_radix(digits, 16).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn escapes() {
        assert_eq!(unescape(r#"a\n\t\"\\\/b"#), "a\n\t\"\\/b");
        assert_eq!(unescape(r"\u5272\u7B26"), "割符");
        assert_eq!(unescape(r"\uD842\uDFB7"), "𠮷");
        assert_eq!(unescape(r"\uD842x"), "\u{FFFD}x");
        assert_eq!(unescape(r"\q\u12"), r"\q\u12");
        assert_eq!(unescape("\\"), "\\");
    }
}
