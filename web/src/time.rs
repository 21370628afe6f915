//! Clock times for people: always absolute, with the day of the week, in Tokyo (ux-portal §5).

use warifu_consent::{Date, date_time};

use crate::text::Lang;

/// Tokyo is nine hours ahead of UTC and knows no summer time.
const TOKYO: u64 = 9 * 3600;
/// A day, in seconds.
pub const DAY: u64 = 86_400;

const WEEK_JA: [&str; 7] = ["木", "金", "土", "日", "月", "火", "水"];
const WEEK_EN: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// `2026-11-21T14:05:00+09:00`, for `datetime`.
pub fn machine(at: u64) -> String {
    date_time(at).unwrap_or_default()
}

/// The date alone: 2026年11月21日（土） or 21 Nov 2026 (Sat).
pub fn day(at: u64, lang: Lang) -> String {
    let date = Date::at(at).to_string();
    let mut parts = date.split('-').map(|p| p.trim_start_matches('0'));
    let (y, m, d) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    // 1 January 1970 was a Thursday.
    let place = usize::try_from(at.saturating_add(TOKYO) / DAY % 7).unwrap_or(0);
    match lang {
        Lang::Ja | Lang::Easy => {
            let week = WEEK_JA.get(place).copied().unwrap_or_default();
            format!("{y}年{m}月{d}日（{week}）")
        }
        Lang::En => {
            let month: usize = m.parse().unwrap_or(1);
            let month = MONTHS.get(month.saturating_sub(1)).copied();
            let week = WEEK_EN.get(place).copied().unwrap_or_default();
            format!("{d} {} {y} ({week})", month.unwrap_or_default())
        }
    }
}

/// Whether both are of one day in Tokyo.
pub fn is_same_day(a: u64, b: u64) -> bool {
    a.saturating_add(TOKYO) / DAY == b.saturating_add(TOKYO) / DAY
}

/// Date and time: 2026年11月21日（土）14:05 or 21 Nov 2026 (Sat) 14:05 JST.
pub fn instant(at: u64, lang: Lang) -> String {
    let minutes = at.saturating_add(TOKYO) / 60 % 1440;
    let clock = format!("{:02}:{:02}", minutes / 60, minutes % 60);
    match lang {
        Lang::Ja | Lang::Easy => format!("{}{clock}", day(at, lang)),
        Lang::En => format!("{} {clock} JST", day(at, lang)),
    }
}

/// 1,234.
pub fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, c) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]
mod tests {
    use super::*;

    #[test]
    fn times_are_absolute_and_in_tokyo() {
        // 2026-11-21T05:05:00Z
        let at = 1_795_237_500;
        assert_eq!(instant(at, Lang::Ja), "2026年11月21日（土）14:05");
        assert_eq!(instant(at, Lang::En), "21 Nov 2026 (Sat) 14:05 JST");
        assert_eq!(day(at, Lang::Easy), "2026年11月21日（土）");
        // A minute before midnight in Tokyo, and midnight.
        assert_eq!(day(1_795_273_140, Lang::Ja), "2026年11月21日（土）");
        assert_eq!(
            instant(1_795_273_200, Lang::Ja),
            "2026年11月22日（日）00:00"
        );
        assert_eq!(machine(at), "2026-11-21T14:05:00+09:00");
    }

    #[test]
    fn thousands_have_commas() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1234), "1,234");
        assert_eq!(count(1_234_567), "1,234,567");
    }
}
