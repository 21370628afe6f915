//! Code systems that are a grammar: BCP-47, MIME types.

/// Tags of RFC 5646 that do not follow the grammar.
const IRREGULAR: &[&str] = &[
    "en-gb-oed",
    "i-ami",
    "i-bnn",
    "i-default",
    "i-enochian",
    "i-hak",
    "i-klingon",
    "i-lux",
    "i-mingo",
    "i-navajo",
    "i-pwn",
    "i-tao",
    "i-tay",
    "i-tsu",
    "sgn-be-fr",
    "sgn-be-nl",
    "sgn-ch-de",
];

/// Whether a text is a well-formed language tag (`ja`, `ja-JP`, `zh-Hans-CN`, `ja-Kana`); which subtags
/// are registered is not held, but for countries.
///
/// Standard: RFC 5646 §2.1 (BCP 47).
pub(crate) fn is_language(tag: &str) -> bool {
    if tag.len() > 255 || !tag.is_ascii() {
        return false;
    }
    let lower = tag.to_ascii_lowercase();
    if IRREGULAR.contains(&lower.as_str()) {
        return true;
    }
    let parts: Vec<&str> = lower.split('-').collect();
    let letters = |p: &str| p.bytes().all(|b| b.is_ascii_alphabetic());
    let both =
        |p: &str| !p.is_empty() && p.len() <= 8 && p.bytes().all(|b| b.is_ascii_alphanumeric());
    if !parts.iter().all(|p| both(p)) {
        return false;
    }
    let mut rest = parts.as_slice();
    let mut take = |fits: &dyn Fn(&str) -> bool| match rest.split_first() {
        Some((first, more)) if fits(first) => {
            rest = more;
            true
        }
        _ => false,
    };
    if parts.first() == Some(&"x") {
        return parts.len() > 1;
    }
    if !take(&|p| (2..=8).contains(&p.len()) && letters(p)) {
        return false;
    }
    if parts.first().is_some_and(|p| p.len() <= 3) {
        for _ in 0..3 {
            if !take(&|p| p.len() == 3 && letters(p)) {
                break;
            }
        }
    }
    take(&|p| p.len() == 4 && letters(p));
    let region = |p: &str| {
        p.len() == 2 && letters(p) || p.len() == 3 && p.bytes().all(|b| b.is_ascii_digit())
    };
    if let [first, ..] = rest
        && region(first)
    {
        let known = first.len() == 3 || crate::iso::is_country(&first.to_ascii_uppercase());
        // Ranges for private use, exceptional reservations.
        if !known
            && !matches!(*first, "aa" | "zz" | "eu" | "un" | "xk" | "uk")
            && !first.starts_with(['q', 'x'])
        {
            return false;
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    let mut take = |fits: &dyn Fn(&str) -> bool| match rest.split_first() {
        Some((first, more)) if fits(first) => {
            rest = more;
            true
        }
        _ => false,
    };
    while take(&|p| p.len() >= 5 || p.len() == 4 && p.starts_with(|c: char| c.is_ascii_digit())) {}
    // Extensions and private use: a single character and what follows it.
    while take(&|p| p.len() == 1 && p != "x") {
        let mut some = false;
        while take(&|p| p.len() >= 2) {
            some = true;
        }
        if !some {
            return false;
        }
    }
    match rest {
        [] => true,
        ["x", more @ ..] => !more.is_empty(),
        _ => false,
    }
}

/// Whether a text is a MIME type with its parameters (`text/plain; charset=utf-8`).
///
/// Standard: RFC 6838 §4.2, RFC 2045 §5.1 (BCP 13); FHIR R4 CapabilityStatement.format (`json`, `xml`, `ttl`).
pub(crate) fn is_mime(text: &str) -> bool {
    let mut parts = text.split(';');
    let main = parts.next().unwrap_or_default().trim_end();
    let name = |n: &str| {
        (1..=127).contains(&n.len())
            && n.starts_with(|c: char| c.is_ascii_alphanumeric())
            && n.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    let token = |t: &str| {
        !t.is_empty()
            && t.bytes()
                .all(|b| b.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&b))
    };
    let quoted = |v: &str| v.len() >= 2 && v.starts_with('"') && v.ends_with('"') && v.is_ascii();
    // R4's own CapabilityStatements name formats so, and Attachments of definitions name ranges of types.
    (matches!(main, "json" | "xml" | "ttl")
        || main
            .split_once('/')
            .is_some_and(|(of, sub)| name(of) && (name(sub) || sub == "*")))
        && parts.all(|p| {
            p.trim()
                .split_once('=')
                .is_some_and(|(key, value)| token(key) && (token(value) || quoted(value)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages() {
        for good in [
            "ja",
            "ja-JP",
            "en-US",
            "zh-Hans-CN",
            "ja-Kana",
            "de-1996",
            "sl-rozaj-biske",
            "x-local",
            "es-419",
            "en-a-bbb-x-a",
            "zh-cmn-Hans",
            "i-klingon",
            "qaa-Qaaa-QM-x-southern",
        ] {
            assert!(is_language(good), "{good}");
        }
        for bad in [
            "",
            "j",
            "ja_JP",
            "ja-",
            "-ja",
            "ja-JP-",
            "ja-YY",
            "en-a",
            "x",
            "日本語",
            "ja JP",
            "123",
            "abcdefghi",
        ] {
            assert!(!is_language(bad), "{bad}");
        }
    }

    #[test]
    fn mime_types() {
        for good in [
            "text/plain",
            "application/fhir+json",
            "image/svg+xml",
            "text/plain; charset=utf-8",
            "text/plain;charset=\"utf-8\"",
            "application/vnd.ms-excel",
            "application/hl7-v3+xml",
            "json",
            "image/*",
        ] {
            assert!(is_mime(good), "{good}");
        }
        for bad in [
            "",
            "text",
            "text/",
            "/plain",
            "text/pl ain",
            "text/plain;",
            "text/plain; charset",
            "a/b/c",
            "テキスト/plain",
        ] {
            assert!(!is_mime(bad), "{bad}");
        }
    }
}
