//! A token as the numeric text of a QR symbol: `consent:/` and two digits a character (§6.3).

use crate::b64;
use crate::json::{self, Value};

const SCHEME: &str = "consent:/";

/// Text of the QR symbol. `None` for characters that no token has, and for a token with several
/// recipients: each would read the names of the others (§4.1).
pub fn to_qr(token: &str) -> Option<String> {
    let payload = token.split('.').nth(1).and_then(b64::decode);
    let payload = payload.and_then(|p| json::read(&p, 4).ok());
    let aud = payload.as_ref().and_then(|p| p.get("aud"));
    if aud.is_some_and(|aud| Value::items(aud).len() > 1) {
        return None;
    }
    let mut text = String::with_capacity(SCHEME.len() + token.len() * 2);
    text.push_str(SCHEME);
    for byte in token.bytes() {
        let n = byte.checked_sub(45).filter(|n| *n < 100)?;
        text.push(char::from(b'0' + n / 10));
        text.push(char::from(b'0' + n % 10));
    }
    Some(text)
}

/// The token of a scanned symbol; `None` if it is none.
pub fn from_qr(text: &str) -> Option<String> {
    let digits = text.strip_prefix(SCHEME)?.as_bytes();
    if digits.len() % 2 != 0 || digits.len() > 16_384 {
        return None;
    }
    let mut token = String::with_capacity(digits.len() / 2);
    for pair in digits.chunks_exact(2) {
        let [a, b] = pair else { return None };
        if !a.is_ascii_digit() || !b.is_ascii_digit() {
            return None;
        }
        let c = char::from((a - b'0') * 10 + (b - b'0') + 45);
        token.push(c);
    }
    token
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        .then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_for_several_recipients_has_no_symbol() {
        let token = |aud: &str| {
            let payload = format!(r#"{{"aud":[{aud}]}}"#);
            format!("eyJ.{}.x", b64::encode(payload.as_bytes()))
        };
        assert!(to_qr(&token(r#""mi:1312345678""#)).is_some());
        assert_eq!(to_qr(&token(r#""mi:1312345678","mi:1319999999""#)), None);
    }

    #[test]
    fn a_token_comes_back_and_other_text_does_not() {
        let token = "eyJ.AZaz09-_.x";
        assert_eq!(from_qr(&to_qr(token).unwrap()).as_deref(), Some(token));
        assert!(to_qr("a b").is_none());
        for bad in [
            "shc:/5676",
            "consent:/5",
            "consent:/5a",
            "consent:/02",
            "consent:/９９",
        ] {
            assert_eq!(from_qr(bad), None, "{bad}");
        }
    }
}
