//! `HL722x`, `HL723x`: days and times (HL7 v2.5 §2.A.21 DT, §2.A.22 DTM, §2.A.75 TM).

use warifu_diag::Code;
use warifu_diag::Example::Lines;
use warifu_hl7::Part;
use warifu_hl7::time::{self, Oddity};

use super::fields::narrowed;
use crate::cx::Cx;

warifu_diag::codes! {
    HL7220 = "HL7220" "time-unreadable" Warning { "{} を日時として読めません", "{} cannot be read as a date or time", "YYYYMMDD[HHMM[SS]] で書いてください", "write YYYYMMDD[HHMM[SS]]", "HL7 v2.5 §2.A.22 DTM";
        "いつのことか分からず、受け手はこの値を捨てます。", "Receivers drop the value, and nobody knows when it was.";
        Lines("ADT-22", "PV2||||||||不明") => Lines("ADT-22", "PV2||||||||20260401") }
    HL7221 = "HL7221" "day-not-in-calendar" Warning { "{} は暦にない日です", "{} is no day of the calendar", "実在する日付を書いてください", "write a day that exists", "HL7 v2.5 §2.A.22 DTM";
        "２月 30 日のような日は受け手ごとに別の日に直され、期間の計算が狂います。", "Receivers turn such a day into different days.";
        Lines("ADT-22", "PV2||||||||20260230") => Lines("ADT-22", "PV2||||||||20260228") }
    HL7222 = "HL7222" "era-date" Warning { "{} が和暦で書かれています", "{} is written in a Japanese era", "西暦 YYYYMMDD で書いてください", "write the year of the common era: YYYYMMDD", "HL7 v2.5 §2.A.22 DTM";
        "和暦の年は西暦として読まれ、年齢や保険の期間を誤ります。", "A year of an era is read as one of the common era; age and coverage go wrong.";
        Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||S430303|F") => Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") }
    HL7223 = "HL7223" "era-code-date" Warning { "{} が元号コード (1 明治～5 令和) と６桁の日付のようです", "{} looks like an era code (1 to 5) and six digits", "西暦 YYYYMMDD で書いてください", "write the year of the common era: YYYYMMDD", "HL7 v2.5 §2.A.22 DTM; 診療報酬請求の元号コード";
        "レセプトの７桁の日付は HL7 では読めません。", "The seven digits of claims cannot be read as a date of HL7.";
        Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||3430303|F") => Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") }
    HL7224 = "HL7224" "filler-date" Warning { "{} が埋め草の日付 (00000000 など) です", "{} is a filler (00000000 and the like)", "分からない日付は空にしてください", "leave an unknown date empty", "HL7 v2.5 §2.6, §2.A.22";
        "99999999 などは実在の日付として扱われ、期間が終わらなくなります。", "Fillers are taken for real days, and periods never end.";
        Lines("ADT-22", "PV2||||||||99999999") => Lines("ADT-22", "PV2||||||||20260401") }
    HL7225 = "HL7225" "hour-out-of-range" Warning { "{} の時・分・秒が範囲の外です", "hour, minute or second of {} is out of range", "00～23 時、00～59 分で書いてください", "write hours 00 to 23, minutes 00 to 59", "HL7 v2.5 §2.A.22 DTM";
        "受け手は日時全体を捨てるか、翌日として読みます。", "Receivers drop the time or read the next day.";
        Lines("ADT-22", "PV2||||||||202604012575") => Lines("ADT-22", "PV2||||||||202604012359") }
    HL7226 = "HL7226" "date-with-separators" Warning [risky] { "{} に / や - などの区切りがあります", "{} has separators such as / or -", "区切りなしの YYYYMMDD で書いてください", "write YYYYMMDD without separators", "HL7 v2.5 §2.A.22 DTM";
        "HL7 の日時は数字だけなので、多くの受け手が読めません。", "HL7 times are digits only; most receivers cannot read it.";
        Lines("ADT-22", "PV2||||||||2026/04/01") => Lines("ADT-22", "PV2||||||||20260401") }
    HL7227 = "HL7227" "hour-past-midnight" Info { "{} が 24 時以降です。翌日と読みます", "{} counts hours from 24 on; read as the next day", "翌日の 00～23 時で書いてください", "write the next day with hours 00 to 23", "HL7 v2.5 §2.A.22 DTM";
        "当日のデータとして数える受け手と、翌日とする受け手があります。", "Some receivers count it to the day, others to the next.";
        Lines("ADT-22", "PV2||||||||202604012530") => Lines("ADT-22", "PV2||||||||202604020130") }
    HL7228 = "HL7228" "hour-without-minutes" Info { "{} に時だけがあり分がありません", "{} has an hour without minutes", "HHMM まで書いてください", "write HHMM", "HL7 v2.5 §2.A.22 DTM";
        "分を 00 とみなすかどうかは受け手によります。", "Receivers differ in whether it means the full hour.";
        Lines("ADT-22", "PV2||||||||2026040109") => Lines("ADT-22", "PV2||||||||202604010900") }
    HL7229 = "HL7229" "fraction-form" Info { "{} の秒の小数の書き方が仕様と違います", "the fraction of seconds in {} has an unusual form", "YYYYMMDDHHMMSS.SSS と書いてください", "write YYYYMMDDHHMMSS.SSS", "HL7 v2.5 §2.A.22 DTM";
        "点のない 17 桁は、HL7 の日時として読めない受け手があります。", "Some receivers cannot read 17 digits without a point.";
        Lines("ADT-22", "PV2||||||||20260401093000123") => Lines("ADT-22", "PV2||||||||20260401093000.123") }
    HL7230 = "HL7230" "midnight" Info [strict] { "{} がちょうど 0 時 0 分 0 秒です。日付だけの意味かもしれません", "{} is exactly midnight; it may only mean the day", "時刻が不明なら日付だけを書いてください", "write only the day if the time is unknown", "SS-MIX2 SPM-17, PRB-7; HL7 v2.5 §2.A.22";
        "真夜中の出来事として、順序や所要時間が誤って計算されます。", "It counts as an event at midnight, and order and durations go wrong.";
        Lines("ADT-22", "PV2||||||||20260401000000") => Lines("ADT-22", "PV2||||||||20260401") }
    HL7231 = "HL7231" "year-implausible" Warning { "{} の年が 1850～2100 の外です", "the year of {} lies outside 1850 to 2100", "西暦４桁の年を確かめてください", "check the four digits of the year", "HL7 v2.5 §2.A.22 DTM";
        "２桁の年や打ち間違いの印です。", "It tells of a two-digit year or a slip.";
        Lines("ADT-22", "PV2||||||||02260401") => Lines("ADT-22", "PV2||||||||20260401") }
    HL7232 = "HL7232" "other-time-zone" Warning { "{} の時差が日本時間 (+0900) ではありません", "{} has a zone other than Japan Standard Time (+0900)", "日本時間で、時差なしで書いてください", "write Japan Standard Time without a zone", "SS-MIX2 (時差は使わない); HL7 v2.5 §2.A.22";
        "SS-MIX2 の受け手は時差を読まないので、９時間ずれます。", "Receivers of SS-MIX2 ignore zones and are hours off.";
        Lines("ADT-22", "PV2||||||||20260401090000+0000") => Lines("ADT-22", "PV2||||||||20260401180000") }
    HL7233 = "HL7233" "date-full-width" Warning [safe] { "{} の日時が全角です", "{} is written in full-width digits", "半角の数字で書いてください", "write ASCII digits", "HL7 v2.5 §2.A.22 DTM";
        "全角の数字は日時として読めない受け手がほとんどです。", "Most receivers cannot read full-width digits.";
        Lines("ADT-22", "PV2||||||||２０２６０４０１") => Lines("ADT-22", "PV2||||||||20260401") }
    HL7234 = "HL7234" "time-of-day-unreadable" Warning { "{} を時刻として読めません", "{} cannot be read as a time of day", "HHMM[SS] で書いてください", "write HHMM[SS]", "HL7 v2.5 §2.A.75 TM";
        "服用や検査の時刻が伝わりません。", "The time of taking or testing is lost.";
        Lines("OMG-03", "TQ1|1|||朝||||||R^ルーチン^HL70485") => Lines("OMG-03", "TQ1|1|||0900|||||R^ルーチン^HL70485") }
    HL7236 = "HL7236" "zone-given" Info { "{} に時差 (+0900) があります", "{} has a zone (+0900)", "時差なしで書いてください", "leave the zone out", "SS-MIX2 (時差は使わない); HL7 v2.5 §2.A.22";
        "日本時間と決まっているので要らず、長さの違う日時を拒む受け手があります。", "Japan Standard Time is agreed on, and some receivers refuse a time of another length.";
        Lines("ADT-22", "PV2||||||||20260401090000+0900") => Lines("ADT-22", "PV2||||||||20260401090000") }
    HL7235 = "HL7235" "time-in-date" Info { "日付だけの項目 {} に時刻があります", "{} is a day but carries a time", "YYYYMMDD で書いてください", "write YYYYMMDD", "HL7 v2.5 §2.A.21 DT";
        "８桁を超える値を拒む受け手があります。", "Some receivers refuse more than eight digits.";
        Lines("ADT-00", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20250401000000|20270331||||SEL^本人^HL70063") => Lines("ADT-00", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20250401|20270331||||SEL^本人^HL70063") }
}

/// `DT`
pub(crate) fn day(cx: &mut Cx<'_, '_>, at: Part<'_>, name: &dyn Fn() -> String) {
    time(cx, at, name);
    let text = at.value().trimmed().text;
    if time::parse(text).is_some_and(|t| t.hour.is_some()) {
        cx.report_with(&HL7235, at, name());
    }
}

/// `TM`
pub(crate) fn time_of_day(cx: &mut Cx<'_, '_>, at: Part<'_>, name: &dyn Fn() -> String) {
    let text = at.value().trimmed().text;
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let pair = |from: usize| whole.get(from..from + 2).and_then(|t| t.parse::<u8>().ok());
    let fits = matches!(whole.len(), 2 | 4 | 6)
        && pair(0).is_some_and(|h| h < 24)
        && (2..whole.len())
            .step_by(2)
            .all(|from| pair(from).is_some_and(|v| v < 60));
    if !text.is_empty() && !fits {
        cx.report_with(&HL7234, at, name());
    }
}

/// `TS`, `DTM`
pub(crate) fn time(cx: &mut Cx<'_, '_>, at: Part<'_>, name: &dyn Fn() -> String) {
    let text = at.value().trimmed().text;
    if text.is_empty() {
        return;
    }
    let Some(read) = time::parse(text) else {
        let code = unreadable(text);
        if code == &HL7233 {
            let titles = ("半角にする", "write it in ASCII");
            let bytes = narrowed(text).into_bytes();
            cx.report_fix(code, at, Some(name().into()), titles, bytes);
        } else if let Some(joined) = joined(text).filter(|_| code == &HL7226) {
            // Whether 2026/4/1 is the first of April only its writer knows.
            let titles = ("区切りのない年月日にする", "write it without separators");
            cx.report_fix(code, at, Some(name().into()), titles, joined.into_bytes());
        } else {
            cx.report_with(code, at, name());
        }
        return;
    };
    if !(1850..=2100).contains(&read.year) {
        cx.report_with(&HL7231, at, name());
        return;
    }
    if read.zone != time::JAPAN {
        cx.report_with(&HL7232, at, name());
        return;
    }
    // Read as 59.
    if read.second == Some(59) && whole(text).get(12..14) == Some("60") {
        cx.report_with(&HL7225, at, name());
        return;
    }
    let code: Code = match read.oddity {
        Oddity::None if text.len() > 12 && text.contains('+') => &HL7236,
        Oddity::None => return,
        Oddity::NextDay => &HL7227,
        Oddity::HourOnly => &HL7228,
        Oddity::Fraction if is_fraction(text) => return,
        Oddity::Fraction => &HL7229,
        Oddity::Midnight => &HL7230,
    };
    cx.report_with(code, at, name());
}

/// `YYYYMMDDHHMMSS.S` with up to four digits of the fraction, as HL7 has it.
fn is_fraction(text: &str) -> bool {
    let text = text.split(['+', '-']).next().unwrap_or(text);
    text.split_once('.')
        .is_some_and(|(whole, fraction)| whole.len() == 14 && fraction.len() <= 4)
}

/// A moment of ten digits or more without its fraction of a second and its zone.
fn whole(text: &str) -> &str {
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let local = text
        .split_once(['+', '-'])
        .filter(|(_, zone)| zone.len() == 4 && digits(zone))
        .map_or(text, |(local, _)| local);
    let whole = local
        .split_once('.')
        .filter(|(_, fraction)| digits(fraction))
        .map_or(local, |(whole, _)| whole);
    if whole.len() >= 10 && digits(whole) {
        whole
    } else {
        text
    }
}

/// Year, month, day and perhaps a time of day in digits only, from a text with separators between them;
/// `None` where the parts are not told apart by these or are no time.
fn joined(text: &str) -> Option<String> {
    let narrow = narrowed(text);
    let digits = |part: &&str| !part.is_empty();
    let parts: Vec<&str> = narrow
        .split(|c: char| !c.is_ascii_digit())
        .filter(digits)
        .collect();
    let ([year, rest @ ..], 3 | 5 | 6) = (parts.as_slice(), parts.len()) else {
        return None;
    };
    let mut out = (*year).to_owned();
    for part in rest.iter().filter(|part| part.len() <= 2) {
        out.push_str(if part.len() == 1 { "0" } else { "" });
        out.push_str(part);
    }
    let read = time::parse(&out).filter(|_| out.len() == 2 + 2 * parts.len() && year.len() == 4);
    read.filter(|t| (1850..=2100).contains(&t.year))
        .map(|_| out)
}

/// What is wrong with a text that is no time.
fn unreadable(text: &str) -> Code {
    let narrow = narrowed(text);
    if !text.is_ascii() && time::parse(&narrow).is_some() {
        return &HL7233;
    }
    let era_mark = |c: char| "MTSHRmtshr明大昭平令".contains(c);
    let mut chars = narrow.chars();
    if chars.next().is_some_and(era_mark) && chars.any(|c| c.is_ascii_digit() || c == '元') {
        return &HL7222;
    }
    if let Some((head, zone)) = text.split_once(['+', '-'])
        && zone.len() == 4
        && zone.bytes().all(|b| b.is_ascii_digit())
        && head.len() >= 8
        && time::parse(head).is_some()
    {
        return &HL7232;
    }
    let text = whole(text);
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        let bare: String = narrow
            .chars()
            .filter(|c| !matches!(c, '/' | '-' | '.' | ':' | ' ' | 'T' | '年' | '月' | '日'))
            .collect();
        let all = bare.bytes().all(|b| b.is_ascii_digit());
        return if all && bare.len() >= 6 {
            &HL7226
        } else {
            &HL7220
        };
    }
    let same = |d: u8| text.bytes().all(|b| b == d);
    if same(b'0') || same(b'9') {
        return &HL7224;
    }
    let part = |from: usize| text.get(from..from + 2).and_then(|t| t.parse::<u8>().ok());
    if text.len() == 7
        && matches!(text.as_bytes().first(), Some(b'1'..=b'5'))
        && part(3).is_some_and(|month| (1..=12).contains(&month))
        && part(5).is_some_and(|day| (1..=31).contains(&day))
    {
        return &HL7223;
    }
    let year = text
        .get(..4)
        .and_then(|t| t.parse::<u16>().ok())
        .unwrap_or(0);
    if !matches!(text.len(), 4 | 6 | 8 | 10 | 12 | 14..=17) {
        &HL7220
    } else if !(1850..=2100).contains(&year) {
        &HL7231
    } else if text.get(..8).is_some_and(|day| time::parse(day).is_some()) && part(8).is_some() {
        &HL7225
    } else if text.len() >= 6 {
        &HL7221
    } else {
        &HL7220
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mistake_has_its_own_code() {
        for (text, code) in [
            ("20260230", &HL7221),
            ("20261301", &HL7221),
            ("S430303", &HL7222),
            ("昭和43年3月3日", &HL7222),
            ("R8.4.1", &HL7222),
            ("3430303", &HL7223),
            ("00000000", &HL7224),
            ("0", &HL7224),
            ("99999999", &HL7224),
            ("202604014800", &HL7225),
            ("20260401106102.440", &HL7225),
            ("20260401101862.4+0900", &HL7225),
            ("20260431101802.440", &HL7221),
            ("20261301101802.440+0900", &HL7221),
            ("2026040", &HL7220),
            ("2026.04.01", &HL7226),
            ("2026-0401", &HL7226),
            ("2026-04-01", &HL7226),
            ("2026年4月01日", &HL7226),
            ("20260401090000+0000", &HL7232),
            ("２０２６０４０１", &HL7233),
            ("来週", &HL7220),
            ("202", &HL7220),
            ("00430303", &HL7231),
        ] {
            assert_eq!(unreadable(text).code, code.code, "{text}");
        }
    }

    #[test]
    fn separators_go_where_they_tell_the_parts_apart() {
        for (text, want) in [
            ("2026/04/01", Some("20260401")),
            ("2026-4-1", Some("20260401")),
            ("2026年4月01日", Some("20260401")),
            ("２０２６／０４／０１", Some("20260401")),
            ("2026-04-01T09:30", Some("202604010930")),
            ("2026/04/01 9:30:05", Some("20260401093005")),
            ("2026-0401", None),
            ("26/04/01", None),
            ("01/04/2026", None),
            ("2026/02/30", None),
            ("2026/04", None),
            ("0226/04/01", None),
        ] {
            assert_eq!(joined(text).as_deref(), want, "{text}");
        }
    }
}
