//! Values of primitives, FHIR R4 §2.24.0.1: the regular expressions of R4, written out.

use warifu_json::Kind;
use warifu_r4::{Core, TypeKind};

/// What a primitive's value must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// No primitive.
    None,
    Boolean,
    Integer,
    UnsignedInt,
    PositiveInt,
    Decimal,
    String,
    Code,
    Id,
    Oid,
    Uuid,
    Uri,
    Canonical,
    Base64,
    Date,
    DateTime,
    Instant,
    Time,
    Xhtml,
}

impl Form {
    /// Forms by type number.
    pub(crate) fn table(core: &'static Core) -> Vec<Self> {
        core.types()
            .map(|t| match t.name() {
                "xhtml" => Self::Xhtml,
                _ if t.kind() != TypeKind::Primitive => Self::None,
                "boolean" => Self::Boolean,
                "integer" => Self::Integer,
                "unsignedInt" => Self::UnsignedInt,
                "positiveInt" => Self::PositiveInt,
                "decimal" => Self::Decimal,
                "code" => Self::Code,
                "id" => Self::Id,
                "oid" => Self::Oid,
                "uuid" => Self::Uuid,
                "uri" | "url" => Self::Uri,
                "canonical" => Self::Canonical,
                "base64Binary" => Self::Base64,
                "date" => Self::Date,
                "dateTime" => Self::DateTime,
                "instant" => Self::Instant,
                "time" => Self::Time,
                _ => Self::String,
            })
            .collect()
    }

    /// The JSON value that carries it.
    pub(crate) fn is_kind(self, kind: Kind) -> bool {
        match self {
            Self::None => kind == Kind::Object,
            Self::Boolean => matches!(kind, Kind::True | Kind::False),
            Self::Integer | Self::UnsignedInt | Self::PositiveInt | Self::Decimal => {
                kind == Kind::Number
            }
            _ => kind == Kind::String,
        }
    }

    /// Name of that JSON value.
    pub(crate) fn kind_name(self) -> &'static str {
        match self {
            Self::None => "object",
            Self::Boolean => "true / false",
            Self::Integer | Self::UnsignedInt | Self::PositiveInt | Self::Decimal => "number",
            _ => "string",
        }
    }

    /// Whether a text that is not empty has the form.
    pub(crate) fn holds(self, text: &str) -> bool {
        let bytes = text.as_bytes();
        match self {
            // Numbers that JSON allows are decimals.
            Self::None | Self::Boolean | Self::Xhtml | Self::Decimal => true,
            Self::Integer => integer(text).is_some(),
            Self::UnsignedInt => integer(text).is_some_and(|n| n >= 0) && !text.starts_with('-'),
            Self::PositiveInt => integer(text).is_some_and(|n| n > 0),
            Self::String => {
                all(bytes, |b| b >= 0x20 || matches!(b, b'\t' | b'\r' | b'\n'))
                    && !is_too_long(text)
            }
            Self::Code if all(bytes, |b| b > 0x20) => true,
            Self::Code => {
                let space = |b: &u8| b.is_ascii_whitespace();
                !bytes.first().is_none_or(space)
                    && !bytes.last().is_none_or(space)
                    && !bytes.windows(2).any(|w| w.iter().all(space))
                    && bytes.iter().all(|b| *b >= 0x20 || space(b))
            }
            Self::Id => is_id(text),
            Self::Oid => text.strip_prefix("urn:oid:").is_some_and(is_oid),
            Self::Uuid => text.strip_prefix("urn:uuid:").is_some_and(is_uuid),
            Self::Uri => {
                all(bytes, |b| b > 0x20)
                    && text.strip_prefix("urn:uuid:").is_none_or(is_uuid)
                    && text.strip_prefix("urn:oid:").is_none_or(is_oid)
            }
            Self::Canonical => {
                Self::Uri.holds(text) && (text.starts_with('#') || is_absolute(text))
            }
            Self::Base64 => is_base64(bytes),
            Self::Date => date(bytes).is_some_and(<[u8]>::is_empty),
            Self::DateTime => date_time(bytes, false),
            Self::Instant => date_time(bytes, true),
            Self::Time => clock(bytes).is_some_and(<[u8]>::is_empty),
        }
    }
}

/// "Strings SHALL NOT exceed 1 MB (1024*1024 characters) in size", R4 §2.24.0.1.
pub(crate) fn is_too_long(text: &str) -> bool {
    const MOST: usize = 1024 * 1024;
    text.len() > MOST && text.chars().count() > MOST
}

/// Whether all bytes fit; none is left out, so that many are looked at in one step.
fn all(bytes: &[u8], fits: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(true, |all, b| all & fits(*b))
}

fn integer(text: &str) -> Option<i32> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits == "0" && !text.starts_with('-')
        || (digits.bytes().all(|b| b.is_ascii_digit())
            && digits.bytes().next().is_some_and(|b| b != b'0'));
    plain.then(|| text.parse().ok()).flatten()
}

/// `[A-Za-z0-9\-\.]{1,64}`
pub(crate) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
}

/// Whether a URI is absolute: a scheme in lower case, as all are written, and something behind it.
/// `oid:` and `uuid:` are no schemes: they are meant to be `urn:oid:`, `urn:uuid:`.
pub(crate) fn is_absolute(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && !matches!(scheme, "oid" | "uuid")
            && scheme.starts_with(|c: char| c.is_ascii_lowercase())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b))
    })
}

fn is_oid(text: &str) -> bool {
    let mut arcs = text.split('.');
    matches!(arcs.next(), Some("0" | "1" | "2"))
        && text.contains('.')
        && arcs.all(|a| {
            !a.is_empty()
                && a.bytes().all(|b| b.is_ascii_digit())
                && (a == "0" || !a.starts_with('0'))
        })
}

/// 8-4-4-4-12 hexadecimal digits; R4 writes them in lower case (§2.24.0.1 uuid).
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(n, b)| {
            if matches!(n, 8 | 13 | 18 | 23) {
                b == b'-'
            } else {
                b.is_ascii_digit() || matches!(b, b'a'..=b'f')
            }
        })
}

fn is_base64(bytes: &[u8]) -> bool {
    let mut digits = 0_usize;
    let mut padding = 0_usize;
    for b in bytes {
        match b {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'=' => padding += 1,
            _ if padding == 0 && (b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')) => {
                digits += 1;
            }
            _ => return false,
        }
    }
    padding <= 2 && (digits + padding).is_multiple_of(4)
}

/// A number of exactly `n` digits, and the rest.
fn digits(bytes: &[u8], n: usize) -> Option<(u32, &[u8])> {
    let (head, rest) = bytes.split_at_checked(n)?;
    let mut value = 0;
    for b in head {
        value = value * 10 + u32::from(b.is_ascii_digit().then(|| b - b'0')?);
    }
    Some((value, rest))
}

fn within(bytes: &[u8], n: usize, range: std::ops::RangeInclusive<u32>) -> Option<(u32, &[u8])> {
    digits(bytes, n).filter(|(value, _)| range.contains(value))
}

fn days(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Eats a date of any precision.
fn date(bytes: &[u8]) -> Option<&[u8]> {
    let (year, rest) = within(bytes, 4, 1..=9999)?;
    let Some(rest) = rest.strip_prefix(b"-") else {
        return Some(rest);
    };
    let (month, rest) = within(rest, 2, 1..=12)?;
    let Some(rest) = rest.strip_prefix(b"-") else {
        return Some(rest);
    };
    Some(within(rest, 2, 1..=days(year, month))?.1)
}

/// Eats `hh:mm:ss(.s+)?`.
fn clock(bytes: &[u8]) -> Option<&[u8]> {
    let rest = within(bytes, 2, 0..=23)?.1.strip_prefix(b":")?;
    let rest = within(rest, 2, 0..=59)?.1.strip_prefix(b":")?;
    let rest = within(rest, 2, 0..=60)?.1;
    let Some(fraction) = rest.strip_prefix(b".") else {
        return Some(rest);
    };
    let n = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
    (n > 0).then(|| fraction.get(n..)).flatten()
}

fn zone(bytes: &[u8]) -> bool {
    if bytes == b"Z" {
        return true;
    }
    let Some(rest) = bytes
        .strip_prefix(b"+")
        .or_else(|| bytes.strip_prefix(b"-"))
    else {
        return false;
    };
    if rest == b"14:00" {
        return true;
    }
    within(rest, 2, 0..=13)
        .and_then(|(_, rest)| within(rest.strip_prefix(b":")?, 2, 0..=59))
        .is_some_and(|(_, rest)| rest.is_empty())
}

fn date_time(bytes: &[u8], whole: bool) -> bool {
    let Some(rest) = date(bytes) else {
        return false;
    };
    if rest.is_empty() {
        return !whole;
    }
    // Only a full date carries a time.
    if bytes.len() - rest.len() != 10 {
        return false;
    }
    rest.strip_prefix(b"T").and_then(clock).is_some_and(zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(form: Form, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(form.holds(text), "{form:?} {text:?}");
        }
        for text in bad {
            assert!(!form.holds(text), "{form:?} {text:?}");
        }
    }

    #[test]
    fn forms_are_those_of_r4() {
        check(
            Form::Integer,
            &["0", "-1", "2147483647"],
            &["01", "-0", "2147483648", "1.0", "1e2"],
        );
        check(Form::UnsignedInt, &["0", "7"], &["-1"]);
        check(Form::PositiveInt, &["1"], &["0", "-1"]);
        check(Form::Code, &["a", "a b"], &[" a", "a ", "a  b"]);
        check(Form::Id, &["A-1.b"], &["", "a_b", "あ"]);
        check(
            Form::Oid,
            &["urn:oid:1.2.392.0"],
            &["1.2.392", "urn:oid:3.1", "urn:oid:1.02", "urn:oid:1"],
        );
        check(
            Form::Uri,
            &["urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "a:b", "a"],
            &[
                "a b",
                "urn:uuid:1",
                "urn:oid:x",
                "urn:uuid:C757873D-EC9A-4326-A141-556F43239520",
            ],
        );
        check(
            Form::Canonical,
            &["http://h.jp/a|1.0", "#a", "urn:oid:1.2.392.1"],
            &["a", "ValueSet/1", "http:", "Http://h.jp", "oid:1.2.392.1"],
        );
        check(
            Form::Uuid,
            &["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
            &["urn:uuid:C757873D-EC9A-4326-A141-556F43239520"],
        );
        check(
            Form::Base64,
            &["QUJD", "QQ==", "QU\nJD"],
            &["QUJ", "Q===", "Q=UJ"],
        );
        check(
            Form::Date,
            &["2024", "2024-02", "2024-02-29"],
            &[
                "2023-02-29",
                "24",
                "2024-13",
                "2024-1-1",
                "2024-01-01T00:00:00Z",
                "0000",
            ],
        );
        check(
            Form::DateTime,
            &[
                "2024",
                "2024-02-29",
                "2024-02-29T00:00:00+09:00",
                "2024-02-29T23:59:60.5Z",
            ],
            &[
                "2024-02T00:00:00Z",
                "2024-02-29T00:00Z",
                "2024-02-29T00:00:00",
                "2024-02-29T00:00:00+15:00",
                "2024-02-29T24:00:00Z",
            ],
        );
        check(
            Form::Instant,
            &["2024-02-29T00:00:00.000+09:00"],
            &["2024-02-29", "2024"],
        );
        check(
            Form::Time,
            &["00:00:00"],
            &["00:00", "24:00:00", "00:00:00."],
        );
    }
}
