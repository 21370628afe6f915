//! FHIR decimals from HL7 NM text.

/// A JSON number literal with the precision of the source: `+1.50` → `1.50`, `.5` → `0.5`,
/// `007` → `7`, `1.` → `1`. `None` when `text` is no NM (HL7 v2.5 §2.A.47) or too long (> 40).
///
/// The literal is borrowed where nothing has to change.
pub fn decimal(text: &str) -> Option<std::borrow::Cow<'_, str>> {
    use std::borrow::Cow;
    let t = text.trim();
    if t.len() > 40 {
        return None;
    }
    let (negative, rest) = match t.strip_prefix('-') {
        Some(r) => (true, r),
        None => (false, t.strip_prefix('+').unwrap_or(t)),
    };
    let (whole, fraction) = match rest.split_once('.') {
        Some((w, f)) => (w, Some(f)),
        None => (rest, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole)
        || !fraction.is_none_or(digits)
        || (whole.is_empty() && fraction.is_none_or(str::is_empty))
    {
        return None;
    }
    let stripped = whole.trim_start_matches('0');
    let int = if stripped.is_empty() { "0" } else { stripped };
    if int == whole && fraction.is_none_or(|f| !f.is_empty()) {
        return Some(Cow::Borrowed(if negative { t } else { rest }));
    }
    let mut s = String::with_capacity(t.len() + 1);
    if negative {
        s.push('-');
    }
    s.push_str(int);
    if let Some(f) = fraction.filter(|f| !f.is_empty()) {
        s.push('.');
        s.push_str(f);
    }
    Some(Cow::Owned(s))
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn precision_is_kept_and_the_literal_is_json() {
        for (given, want) in [
            ("1.50", Some("1.50")),
            ("+1.5", Some("1.5")),
            (".5", Some("0.5")),
            ("-.5", Some("-0.5")),
            ("007", Some("7")),
            ("1.", Some("1")),
            (" 12 ", Some("12")),
            ("-0", Some("-0")),
            ("", None),
            (".", None),
            ("-", None),
            ("1,000", None),
            ("1e3", None),
            ("１", None),
            ("1.2.3", None),
        ] {
            assert_eq!(decimal(given).as_deref(), want, "{given}");
            if let Some(w) = want {
                assert!(serde_json::from_str::<serde_json::Number>(w).is_ok());
            }
        }
    }
}
