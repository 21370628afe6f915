//! What a result text says: number, comparator, class, interval (SS-MIX2 deviations of OBX-5).
//!
//! Pure functions over text. Nothing is thrown away: a reading says what kind of value the text is;
//! the text itself is kept by the caller wherever the reading is not the text itself.

use std::borrow::Cow;

use warifu_fhir::number::decimal;

/// Longest text that is looked into, in characters; longer ones are prose.
const MAX_CHARS: usize = 32;

/// `Quantity.comparator`.
pub(crate) type Comparator = &'static str;

/// A class of a qualitative result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// `(-)`, 陰性, 検出せず.
    Negative,
    /// `(+)`, 陽性, 検出, and the grades `1+` … `5+`.
    Positive,
    /// `±`, `+-`, 少量: between both.
    Borderline,
    /// A dash alone: negative in one laboratory, not done in another.
    Dash,
}

/// What a text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading<'t> {
    /// A number; the literal is JSON.
    Number(Cow<'t, str>),
    /// A number with a comparator. `plain`: written as sign and number, so that nothing but blanks is lost.
    Compared {
        comparator: Comparator,
        literal: Cow<'t, str>,
        plain: bool,
    },
    /// `mantissa × 10^exponent`.
    Power {
        comparator: Option<Comparator>,
        mantissa: String,
        exponent: i8,
    },
    /// A qualitative class.
    Class(Class),
    /// `1-4`, `0.5～2未満`, `≧10＜20`, `2/300`, `1:40`.
    Interval,
    /// Value and class, or value and unit, in one cell: `3+(300)`, `50-99/HPF`, `クラス 3`.
    Mixed,
    /// Any other text.
    Text,
}

/// Reads a result text. `of_number`: the field says it is a number (NM), so `+1` is 1.
pub(crate) fn read(text: &str, of_number: bool) -> Reading<'_> {
    let trimmed = text.trim();
    let signed = trimmed.starts_with('+');
    if (!signed || of_number)
        && let Some(n) = decimal(trimmed)
    {
        return Reading::Number(n);
    }
    if trimmed.chars().nth(MAX_CHARS).is_some() {
        return Reading::Text;
    }
    // The common plain forms need no folding.
    if let Some((comparator, rest)) = sign_prefix(trimmed)
        && let Some(n) = decimal(rest).filter(|_| !rest.trim_start().starts_with('+'))
    {
        return Reading::Compared {
            comparator,
            literal: n,
            plain: true,
        };
    }
    let folded = fold(trimmed);
    match of_folded(&folded, of_number) {
        Reading::Number(n) => Reading::Number(Cow::Owned(n.into_owned())),
        Reading::Compared {
            comparator,
            literal,
            plain,
        } => Reading::Compared {
            comparator,
            literal: Cow::Owned(literal.into_owned()),
            plain,
        },
        Reading::Power {
            comparator,
            mantissa,
            exponent,
        } => Reading::Power {
            comparator,
            mantissa,
            exponent,
        },
        Reading::Class(c) => Reading::Class(c),
        Reading::Interval => Reading::Interval,
        Reading::Mixed => Reading::Mixed,
        Reading::Text => Reading::Text,
    }
}

fn of_folded(s: &str, of_number: bool) -> Reading<'_> {
    if s.is_empty() {
        return Reading::Text;
    }
    if let Some(c) = class(s) {
        return Reading::Class(c);
    }
    if (!s.starts_with('+') || of_number)
        && let Some(n) = number(s)
    {
        return Reading::Number(n);
    }
    if let Some((comparator, n)) = compared(s) {
        return match power(n) {
            Some((mantissa, exponent)) => Reading::Power {
                comparator: Some(comparator),
                mantissa,
                exponent,
            },
            None => match number(n) {
                Some(literal) => Reading::Compared {
                    comparator,
                    literal,
                    plain: false,
                },
                None => interval_or_other(s),
            },
        };
    }
    if let Some((mantissa, exponent)) = power(s) {
        return Reading::Power {
            comparator: None,
            mantissa,
            exponent,
        };
    }
    interval_or_other(s)
}

fn interval_or_other(s: &str) -> Reading<'_> {
    if is_interval(s) || is_ratio(s) {
        return Reading::Interval;
    }
    let digits = s.bytes().any(|b| b.is_ascii_digit());
    let classes = s.contains(['+', '±']);
    if digits || classes {
        Reading::Mixed
    } else {
        Reading::Text
    }
}

/// A number, thousands separators allowed.
fn number(s: &str) -> Option<Cow<'_, str>> {
    if let Some(n) = decimal(s) {
        return Some(n);
    }
    let (whole, rest) = match s.split_once('.') {
        Some((w, f)) => (w, Some(f)),
        None => (s, None),
    };
    let unsigned = whole.strip_prefix(['-', '+']).unwrap_or(whole);
    let mut groups = unsigned.split(',');
    let first = groups.next()?;
    let digits = |g: &str| g.bytes().all(|b| b.is_ascii_digit());
    let mut count = 0;
    for g in groups {
        if g.len() != 3 || !digits(g) {
            return None;
        }
        count += 1;
    }
    if count == 0
        || first.is_empty()
        || first.len() > 3
        || !digits(first)
        || rest.is_some_and(|f| !digits(f))
    {
        return None;
    }
    let plain: String = s.chars().filter(|c| *c != ',').collect();
    decimal(&plain).map(|n| Cow::Owned(n.into_owned()))
}

/// Signs in front of a number.
const SIGNS: [(&str, Comparator); 6] = [
    ("<=", "<="),
    ("=<", "<="),
    (">=", ">="),
    ("=>", ">="),
    ("<", "<"),
    (">", ">"),
];
/// Signs behind a number: `100<` says that it is more than 100.
const MIRRORED: [(&str, Comparator); 6] = [
    ("<=", ">="),
    ("=<", ">="),
    (">=", "<="),
    ("=>", "<="),
    ("<", ">"),
    (">", "<"),
];
/// Words and arrows on either side.
const WORDS: [(&str, Comparator); 10] = [
    ("以上", ">="),
    ("イジョウ", ">="),
    ("↑", ">="),
    ("超過", ">"),
    ("超", ">"),
    ("未満", "<"),
    ("ミマン", "<"),
    ("以下", "<="),
    ("イカ", "<="),
    ("↓", "<="),
];

/// Comparator signs in front of the rest.
fn sign_prefix(s: &str) -> Option<(Comparator, &str)> {
    SIGNS
        .iter()
        .find_map(|(sign, c)| s.strip_prefix(sign).map(|rest| (*c, rest)))
}

/// A comparator with the text it compares: signs in front, or behind (then mirrored: `100<` is
/// `>100`), words on either side (以上, 未満 …).
fn compared(s: &str) -> Option<(Comparator, &str)> {
    if let Some(found) = sign_prefix(s) {
        return Some(found);
    }
    if let Some(found) = MIRRORED
        .iter()
        .find_map(|(sign, c)| s.strip_suffix(sign).map(|rest| (*c, rest)))
    {
        return Some(found);
    }
    for (word, c) in WORDS {
        if let Some(rest) = s.strip_suffix(word).or_else(|| s.strip_prefix(word)) {
            return Some((c, rest));
        }
    }
    if let Some(rest) = s.strip_suffix('~') {
        return Some((">=", rest));
    }
    if let Some(rest) = s.strip_prefix('~') {
        return Some(("<=", rest));
    }
    // `L-2` names something else: a level, a class.
    let of_letter = |rest: &&str| rest.starts_with(of_number);
    if let Some(rest) = s.strip_prefix('L').filter(of_letter) {
        return Some(("<", rest));
    }
    s.strip_prefix('U')
        .filter(of_letter)
        .map(|rest| (">", rest))
}

/// `2.3x10^3`, `1.3E+2`, `50×10²`: mantissa and exponent.
fn power(s: &str) -> Option<(String, i8)> {
    let (mantissa, exponent) = ["x10^", "x10*", "*10^", "X10^", "x10**"]
        .iter()
        .find_map(|m| {
            let at = warifu_hl7::find(s.as_bytes(), m.as_bytes(), 0)?;
            Some((s.get(..at)?, s.get(at + m.len()..)?))
        })
        .or_else(|| s.split_once(['E', 'e']))?;
    let mantissa = number(mantissa)?;
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(d) => (-1, d),
        None => (1, exponent.strip_prefix('+').unwrap_or(exponent)),
    };
    if digits.is_empty() || digits.len() > 2 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let n: i8 = digits.parse().ok()?;
    Some((mantissa.into_owned(), sign * n))
}

/// Two numbers with `-` or `~` between, each possibly with a comparator, or two comparisons.
fn is_interval(s: &str) -> bool {
    let bound =
        |t: &str| number(t).is_some() || compared(t).is_some_and(|(_, n)| number(n).is_some());
    let split_at = |at: usize, skip: usize| match (s.get(..at), s.get(at + skip..)) {
        (Some(a), Some(b)) => !a.is_empty() && !b.is_empty() && bound(a) && bound(b),
        _ => false,
    };
    s.char_indices().any(|(at, c)| match c {
        '-' | '~' => split_at(at, 1),
        // `≧10＜20`
        '<' | '>' => at > 0 && split_at(at, 0),
        _ => false,
    })
}

/// `2/300` (cell count), `1:40` (titre).
fn is_ratio(s: &str) -> bool {
    s.split_once(['/', ':']).is_some_and(|(a, b)| {
        number(a).is_some() && number(b.strip_prefix('x').unwrap_or(b)).is_some()
    })
}

/// The class of a qualitative text.
fn class(s: &str) -> Option<Class> {
    if s == "-" {
        return Some(Class::Dash);
    }
    let s = ["()", "[]", "{}", "〔〕", "【】", "「」"]
        .iter()
        .find_map(|pair| {
            let mut c = pair.chars();
            s.strip_prefix(c.next()?)?.strip_suffix(c.next()?)
        })
        .unwrap_or(s);
    match s {
        "-" | "陰性" | "検出せず" | "不検出" | "検出されず" | "フケンシュツ" | "インセイ" =>
        {
            return Some(Class::Negative);
        }
        "陽性" | "検出" | "ヨウセイ" => return Some(Class::Positive),
        "±" | "+-" | "+/-" | "少量" => return Some(Class::Borderline),
        _ => {}
    }
    let grade = s.strip_prefix(|c: char| c.is_ascii_digit()).unwrap_or(s);
    let plusses = grade.bytes().all(|b| b == b'+') && (1..=5).contains(&grade.len());
    (plusses && (grade.len() == s.len() || grade == "+")).then_some(Class::Positive)
}

/// Half width, one kind of dash and of tilde, two-character comparators, full-width kana, and no blanks
/// but one within what would else be read as one number: `5 0.5` is not 50.5.
pub(crate) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = false;
    for c in text.chars() {
        if c.is_whitespace() {
            blank = true;
            continue;
        }
        let c = match c {
            '\u{FF01}'..='\u{FF5E}' => u32::from(c)
                .checked_sub(0xFEE0)
                .and_then(char::from_u32)
                .unwrap_or(c),
            other => other,
        };
        if std::mem::take(&mut blank) && of_number(c) && ends_within_number(&out) {
            out.push(' ');
        }
        match c {
            '−' | '‐' | '‑' | '–' | '—' | '―' | '－' | '﹣' | 'ｰ' | '─' => {
                out.push('-');
            }
            // The long-vowel mark is a dash only where no kana stands before it.
            'ー' if !out.ends_with(|p: char| ('ァ'..='ヿ').contains(&p)) => out.push('-'),
            '～' | '〜' | '∼' => out.push('~'),
            '≦' | '≤' | '⩽' => out.push_str("<="),
            '≧' | '≥' | '⩾' => out.push_str(">="),
            '×' | '✕' | '╳' => out.push('x'),
            '⁻' => out.push_str("^-"),
            '⁰' => power_digit(&mut out, '0'),
            '¹' => power_digit(&mut out, '1'),
            '²' => power_digit(&mut out, '2'),
            '³' => power_digit(&mut out, '3'),
            '⁴'..='⁹' => {
                let digit = u32::from(c)
                    .checked_sub(u32::from('⁴'))
                    .and_then(|n| char::from_digit(n + 4, 10))
                    .unwrap_or('0');
                power_digit(&mut out, digit);
            }
            'ﾐ' => out.push('ミ'),
            'ﾏ' => out.push('マ'),
            'ﾝ' => out.push('ン'),
            'ｲ' => out.push('イ'),
            'ｶ' => out.push('カ'),
            'ﾌ' => out.push('フ'),
            'ｹ' => out.push('ケ'),
            'ｼ' => out.push('シ'),
            'ｭ' => out.push('ュ'),
            'ﾂ' => out.push('ツ'),
            'ｾ' => out.push('セ'),
            'ﾖ' => out.push('ヨ'),
            'ｳ' => out.push('ウ'),
            c => out.push(c),
        }
    }
    out
}

/// What a number is written with, but for its sign.
fn of_number(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '.' | ',')
}

/// Whether a digit that follows would belong to the same number: behind a digit, or behind a sign that no
/// number stands before (`- 5`; not `1 - 4`).
fn ends_within_number(folded: &str) -> bool {
    let mut back = folded.chars().rev();
    match back.next() {
        Some('-' | '+') => !back.next().is_some_and(of_number),
        last => last.is_some_and(of_number),
    }
}

fn power_digit(out: &mut String, digit: char) {
    if out.ends_with("10") || !out.ends_with(|c: char| c == '^' || c == '-' || c.is_ascii_digit()) {
        out.push('^');
    }
    out.push(digit);
}

/// Lower and upper bound of a reference range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bounds<'t> {
    /// Lower bound (JSON literal).
    pub(crate) low: Option<Cow<'t, str>>,
    /// Upper bound.
    pub(crate) high: Option<Cow<'t, str>>,
    /// Whether the bounds say all that the text says (`1.2-2.0`; not `<85`, whose bound is excluded).
    pub(crate) exact: bool,
}

/// Whether one decimal is greater than another; both are literals of JSON.
fn is_above(one: &str, other: &str) -> bool {
    let parts = |text: &str| {
        let digits = text.trim_start_matches('-');
        let digits = if warifu_hl7::has(digits, ".") {
            digits.trim_end_matches('0').trim_end_matches('.')
        } else {
            digits
        };
        let whole = digits.find('.').unwrap_or(digits.len());
        (text.starts_with('-'), (whole, digits.to_owned()))
    };
    let ((below, one), (other_below, other)) = (parts(one), parts(other));
    match (below, other_below) {
        (false, false) => one > other,
        (true, true) => one < other,
        (below, _) => !below && (one.1 != "0" || other.1 != "0"),
    }
}

/// Reads OBX-7: `1.2-2.0`, `1.2～2.0`, `<85`, `>40`, `85以下`; `None` when it is something else.
pub(crate) fn bounds(text: &str) -> Option<Bounds<'_>> {
    let t = text.trim();
    if t.is_empty() || t.chars().nth(MAX_CHARS).is_some() {
        return None;
    }
    // `-5 -3`: up to 3, or up to -3.
    if t.starts_with('-') && warifu_hl7::has(t, " -") && !warifu_hl7::has(t, "- ") {
        return None;
    }
    if let Some((low, high)) = pair(t) {
        // `10-5` is no range: which of the two is meant, nobody knows.
        if is_above(&low, &high) {
            return None;
        }
        return Some(Bounds {
            low: Some(low),
            high: Some(high),
            exact: true,
        });
    }
    let folded = fold(t);
    let own = |c: Cow<'_, str>| Cow::Owned(c.into_owned());
    if let Some((low, high)) = pair(&folded) {
        if is_above(&low, &high) {
            return None;
        }
        return Some(Bounds {
            low: Some(own(low)),
            high: Some(own(high)),
            exact: true,
        });
    }
    if folded.starts_with(['L', 'U']) {
        return None;
    }
    let (comparator, n) = compared(&folded)?;
    let n = own(number(n)?);
    let exact = comparator.len() == 2;
    Some(if comparator.starts_with('<') {
        Bounds {
            low: None,
            high: Some(n),
            exact,
        }
    } else {
        Bounds {
            low: Some(n),
            high: None,
            exact,
        }
    })
}

/// `a-b` with numbers on both sides; a dash right at the start is a sign.
fn pair(s: &str) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    for (at, c) in s.char_indices().skip(1) {
        if c == '-' || c == '~' {
            let (low, high) = (s.get(..at)?, s.get(at + 1..)?);
            if let (Some(low), Some(high)) = (number(low.trim()), number(high.trim())) {
                return Some((low, high));
            }
        }
    }
    None
}

/// Whether a reference range is a qualitative text (`(-)`, 陰性), which has no bounds by nature.
pub(crate) fn is_class(text: &str) -> bool {
    text.chars().nth(MAX_CHARS).is_none() && class(&fold(text.trim())).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str, of_number: bool) -> String {
        match read(text, of_number) {
            Reading::Number(n) => n.into_owned(),
            Reading::Compared {
                comparator,
                literal,
                plain,
            } => format!("{comparator} {literal}{}", if plain { "" } else { " *" }),
            Reading::Power {
                comparator,
                mantissa,
                exponent,
            } => format!("{}{mantissa}e{exponent}", comparator.unwrap_or("")),
            Reading::Class(c) => format!("{c:?}"),
            Reading::Interval => "interval".to_owned(),
            Reading::Mixed => "mixed".to_owned(),
            Reading::Text => "text".to_owned(),
        }
    }

    #[test]
    fn deviations_of_the_specification_are_read_as_it_says() {
        for (given, want) in [
            ("7.2", "7.2"),
            ("１２．５", "12.5"),
            ("1,234", "1234"),
            ("12,34", "mixed"),
            ("< 0.5", "< 0.5"),
            ("<28.8", "< 28.8"),
            (">= 60", ">= 60"),
            ("100<", "> 100 *"),
            ("100≦", ">= 100 *"),
            ("≧200", ">= 200 *"),
            ("＜１０", "< 10 *"),
            ("300未満", "< 300 *"),
            ("未満1.23", "< 1.23 *"),
            ("5ﾐﾏﾝ", "< 5 *"),
            ("400以下", "<= 400 *"),
            ("10イカ", "<= 10 *"),
            ("5超過", "> 5 *"),
            ("5以上", ">= 5 *"),
            ("L300", "< 300 *"),
            ("U100", "> 100 *"),
            ("100↑", ">= 100 *"),
            ("100↓", "<= 100 *"),
            ("100～", ">= 100 *"),
            ("(-)", "Negative"),
            ("  -", "Dash"),
            ("ー", "Dash"),
            ("―", "Dash"),
            ("陰性", "Negative"),
            ("検出せず", "Negative"),
            ("フケンシュツ", "Negative"),
            ("ﾌｹﾝｼｭﾂ", "Negative"),
            ("[－]", "Negative"),
            ("(+)", "Positive"),
            ("陽性", "Positive"),
            ("検出", "Positive"),
            ("±", "Borderline"),
            ("+-", "Borderline"),
            ("少量", "Borderline"),
            ("2+", "Positive"),
            (" 2 +", "Positive"),
            ("(++)", "Positive"),
            ("３＋", "Positive"),
            ("1-4", "interval"),
            (" 1 - 4", "interval"),
            ("0.5～2", "interval"),
            ("≧10＜20", "interval"),
            ("0.5～2未満", "interval"),
            ("2/300", "interval"),
            ("52/3", "interval"),
            ("1:40", "interval"),
            ("3+(300)", "mixed"),
            ("2.3(±)", "mixed"),
            ("0.13(0)", "mixed"),
            ("Hb＋Tr＋", "mixed"),
            ("50-99/HPF", "mixed"),
            ("クラス 3", "mixed"),
            ("2.3 x10^3", "2.3e3"),
            ("1.3E+2", "1.3e2"),
            ("50×10^2", "50e2"),
            ("50×10²", "50e2"),
            ("5×10⁻³", "5e-3"),
            ("1.2×10¹²", "1.2e12"),
            ("<1.0E-3", "<1.0e-3"),
            ("再検", "text"),
            ("淡黄色", "text"),
            ("スキップ", "text"),
            ("↑", "text"),
            ("", "text"),
            ("-", "Dash"),
        ] {
            assert_eq!(show(given, false), want, "{given}");
        }
    }

    #[test]
    fn a_number_with_a_blank_inside_is_none() {
        for text in [
            "5 0.5",
            "2 5",
            "12 34 56",
            "1 .5",
            "1. 5",
            "1 000",
            "1, 000",
            "５　０",
            "- 5",
            "+ 5",
        ] {
            for of_number in [false, true] {
                assert_eq!(show(text, of_number), "mixed", "{text}");
            }
        }
        for text in ["< 1 2", "<- 5", "1 2以上", "L1 2", "2 3x10^3", "1.5x10^1 2"] {
            assert_eq!(show(text, true), "mixed", "{text}");
        }
        for (text, want) in [(" 5 ", "5"), ("< 5", "< 5"), (" ＜　５ ", "< 5 *")] {
            assert_eq!(show(text, false), want, "{text}");
        }
        for text in ["1 0-2 0", "1.2-2 .0", "8 5以下", "<8 5", "-5 -3"] {
            assert_eq!(bounds(text), None, "{text}");
        }
    }

    #[test]
    fn a_letter_before_a_dash_is_no_comparator() {
        assert_eq!(show("L-2", false), "mixed");
        assert_eq!(show("U-1", false), "mixed");
        assert_eq!(show("L300", false), "< 300 *");
    }

    #[test]
    fn a_plus_sign_is_a_number_only_where_a_number_is_expected() {
        assert_eq!(show("+1", true), "1");
        assert_ne!(show("+1", false), "1");
        assert_eq!(show("-0.5", false), "-0.5");
    }

    #[test]
    fn reference_ranges_have_bounds() {
        let check = |text: &str, low: Option<&str>, high: Option<&str>, exact: bool| {
            let b = bounds(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                (b.low.as_deref(), b.high.as_deref(), b.exact),
                (low, high, exact),
                "{text}"
            );
        };
        check("1.2-2.0", Some("1.2"), Some("2.0"), true);
        check("1.2～2.0", Some("1.2"), Some("2.0"), true);
        check("６．７－８．３", Some("6.7"), Some("8.3"), true);
        check("-3.0--1.0", Some("-3.0"), Some("-1.0"), true);
        check("-3 - 3", Some("-3"), Some("3"), true);
        check("<85", None, Some("85"), false);
        check(">40", Some("40"), None, false);
        check("85以下", None, Some("85"), true);
        check("5.0-5", Some("5.0"), Some("5"), true);
        check("9.5-10", Some("9.5"), Some("10"), true);
        check("-1-0", Some("-1"), Some("0"), true);
        for other in [
            "10-5",
            "１０－９．５",
            "1.25-1.2",
            "1--1",
            "-1--3",
            "(-)",
            "",
            "M:13.7-16.8 F:11.6-14.8",
            "-",
            "陰性",
            "abc-def",
            "L10",
        ] {
            assert_eq!(bounds(other), None, "{other}");
        }
        assert!(is_class("(-)"));
        assert!(!is_class("1-2"));
    }

    #[test]
    fn hostile_texts_end() {
        for t in [
            "-".repeat(10_000),
            "<".repeat(31),
            "+".repeat(32),
            "1-".repeat(16),
            "~".repeat(32),
            "E".repeat(31),
            "10^".repeat(10),
        ] {
            let _ = read(&t, false);
            let _ = bounds(&t);
        }
    }
}
