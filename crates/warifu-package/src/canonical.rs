//! Canonical URLs and their versions.

/// Splits `url|version` and drops a fragment; without a version the second part is `None`.
pub fn split(canonical: &str) -> (&str, Option<&str>) {
    let (url, version) = match canonical.split_once('|') {
        Some((url, version)) => (url, Some(version)),
        None => (canonical, None),
    };
    let strip = |text: &'_ str| text.split_once('#').map_or(text.len(), |(t, _)| t.len());
    let version = version.map(|v| v.get(..strip(v)).unwrap_or(v));
    let url = url.get(..strip(url)).unwrap_or(url);
    (url, version.filter(|v| !v.is_empty()))
}

/// How well a version answers a wish; the greatest is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// Another version.
    Other,
    /// The wish is its beginning (`1` and `1.5.3`), or ends in `x` (`4.0.x`).
    Beginning,
    /// The same, or none was wished for.
    Exact,
}

/// How well a version answers a wish.
pub fn fit(wished: Option<&str>, version: &str) -> Fit {
    let Some(wished) = wished else {
        return Fit::Exact;
    };
    if wished == version {
        return Fit::Exact;
    }
    let mut parts = version.split(['.', '-', '+']);
    let begins = wished.split(['.', '-', '+']).all(|w| {
        let part = parts.next();
        matches!(w, "x" | "X" | "*") || part == Some(w)
    });
    if begins { Fit::Beginning } else { Fit::Other }
}

/// Order of versions: numbers by value, a version with a suffix before the one without
/// (`1.0.0-rc1` < `1.0.0`).
pub(crate) fn newer(a: &str, b: &str) -> std::cmp::Ordering {
    let cut = |v: &'_ str| v.find(['-', '+']).unwrap_or(v.len());
    let (a_main, a_rest) = a.split_at(cut(a));
    let (b_main, b_rest) = b.split_at(cut(b));
    // Digits sort before words, and a missing part before both.
    let number = |part: &str| part.parse::<u64>().map_err(|_| part.to_owned());
    let parts = |main: &str| {
        let parts = main.split('.').filter(|p| !p.is_empty());
        parts.map(number).collect::<Vec<_>>()
    };
    parts(a_main)
        .cmp(&parts(b_main))
        .then_with(|| a_rest.is_empty().cmp(&b_rest.is_empty()))
        .then_with(|| a_rest.cmp(b_rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cmp::Ordering;

    #[test]
    fn parts_of_canonicals() {
        assert_eq!(split("http://a/b|1.0"), ("http://a/b", Some("1.0")));
        assert_eq!(split("http://a/b#c"), ("http://a/b", None));
        assert_eq!(split("http://a/b|1#c"), ("http://a/b", Some("1")));
        assert_eq!(split("http://a/b|"), ("http://a/b", None));
    }

    #[test]
    fn how_versions_fit() {
        for (wished, version, expected) in [
            (None, "1.5.3", Fit::Exact),
            (Some("1.5.3"), "1.5.3", Fit::Exact),
            (Some("1"), "1.5.3", Fit::Beginning),
            (Some("1.5"), "1.5.3", Fit::Beginning),
            (Some("1.1.2"), "1.1.2-url", Fit::Beginning),
            (Some("4.0.x"), "4.0.1", Fit::Beginning),
            (Some("4.0.x"), "4.1.1", Fit::Other),
            (Some("1"), "15.3", Fit::Other),
            (Some("1.5.3"), "1", Fit::Other),
            (Some("2"), "1.5.3", Fit::Other),
        ] {
            assert_eq!(fit(wished, version), expected, "{wished:?} {version}");
        }
    }

    #[test]
    fn order_of_versions() {
        for (a, b) in [
            ("1.1.2", "1.2.0"),
            ("1.9.0", "1.10.0"),
            ("1.0.0-rc1", "1.0.0"),
            ("1.1.2-clins", "1.1.2-url"),
            ("", "1"),
        ] {
            assert_eq!(newer(a, b), Ordering::Less, "{a} {b}");
            assert_eq!(newer(b, a), Ordering::Greater, "{b} {a}");
        }
    }
}
