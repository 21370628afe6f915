//! Calendar dates in Asia/Tokyo, which has no summer time: day numbers since 1970-01-01.

/// A calendar day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

impl Date {
    /// From `YYYY-MM-DD`, a day that exists.
    pub fn parse(text: &str) -> Option<Self> {
        let (y, m, d) = parts(text)?;
        Self::from_parts(y, m?, d?)
    }

    /// First and last day of a FHIR date or dateTime: `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, or with a time,
    /// whose offset is turned into the day in Tokyo.
    pub fn interval(text: &str) -> Option<(Self, Self)> {
        if let Some((date, time)) = text.split_once('T') {
            let day = Self::parse(date)?;
            let shift = minutes_to_tokyo(time)?;
            let day = Self(day.0.checked_add(shift)?);
            return Some((day, day));
        }
        let (y, m, d) = parts(text)?;
        Some(match (m, d) {
            (None, _) => (Self::from_parts(y, 1, 1)?, Self::from_parts(y, 12, 31)?),
            (Some(m), None) => (
                Self::from_parts(y, m, 1)?,
                Self::from_parts(y, m, i32::from(days_in(y, m)))?,
            ),
            (Some(m), Some(d)) => {
                let day = Self::from_parts(y, m, d)?;
                (day, day)
            }
        })
    }

    /// The day in Tokyo at this instant.
    pub fn at(unix: u64) -> Self {
        let days = unix.saturating_add(9 * 3600) / 86_400;
        Self(i32::try_from(days).unwrap_or(i32::MAX))
    }

    /// Days since 1970-01-01.
    pub const fn days(self) -> i32 {
        self.0
    }

    /// From days since 1970-01-01.
    pub const fn from_days(days: i32) -> Self {
        Self(days)
    }

    /// Seconds since 1970 at the day's first instant in Tokyo; 0 for days before.
    pub fn starts(self) -> u64 {
        u64::try_from(i64::from(self.0) * 86_400 - 9 * 3600).unwrap_or(0)
    }

    fn from_parts(y: i32, m: i32, d: i32) -> Option<Self> {
        if !(1..=9999).contains(&y)
            || !(1..=12).contains(&m)
            || d < 1
            || d > i32::from(days_in(y, m))
        {
            return None;
        }
        // Howard Hinnant, days_from_civil.
        let y = if m <= 2 { y - 1 } else { y };
        let era = y.div_euclid(400);
        let yoe = y - era * 400;
        let doy = (153 * (if m > 2 { m - 3 } else { m + 9 }) + 2) / 5 + d - 1;
        let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
        Some(Self(era * 146_097 + doe - 719_468))
    }

    /// Year, month, day.
    pub const fn parts(self) -> (i32, i32, i32) {
        let z = self.0.saturating_add(719_468);
        let era = z.div_euclid(146_097);
        let doe = z - era * 146_097;
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let d = doy - (153 * mp + 2) / 5 + 1;
        let m = if mp < 10 { mp + 3 } else { mp - 9 };
        let y = yoe + era * 400 + if m <= 2 { 1 } else { 0 };
        (y, m, d)
    }
}

impl core::fmt::Display for Date {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (y, m, d) = self.parts();
        write!(f, "{y:04}-{m:02}-{d:02}")
    }
}

fn parts(text: &str) -> Option<(i32, Option<i32>, Option<i32>)> {
    let number = |t: &str, len: usize| {
        (t.len() == len && t.bytes().all(|b| b.is_ascii_digit()))
            .then(|| t.parse::<i32>().ok())
            .flatten()
    };
    let mut it = text.split('-');
    let y = number(it.next()?, 4)?;
    let m = match it.next() {
        Some(t) => Some(number(t, 2)?),
        None => None,
    };
    let d = match it.next() {
        Some(t) => Some(number(t, 2)?),
        None => None,
    };
    it.next().is_none().then_some((y, m, d))
}

const fn days_in(y: i32, m: i32) -> u8 {
    match m {
        4 | 6 | 9 | 11 => 30,
        2 if y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// −1, 0 or 1: how far the day in Tokyo is from the day written; `None` without an offset.
fn minutes_to_tokyo(time: &str) -> Option<i32> {
    let number = |t: Option<&str>| t.and_then(|t| t.parse::<i32>().ok());
    let minutes = number(time.get(0..2))? * 60 + number(time.get(3..5))?;
    let offset = if time.ends_with('Z') {
        0
    } else {
        let at = time.rfind(['+', '-'])?;
        let sign = if time.get(at..)?.starts_with('-') {
            -1
        } else {
            1
        };
        sign * (number(time.get(at + 1..at + 3))? * 60 + number(time.get(at + 4..at + 6))?)
    };
    Some((minutes - offset + 540).div_euclid(1440))
}

/// Unix seconds of a FHIR instant with an offset; `None` for anything else.
pub fn instant(text: &str) -> Option<u64> {
    let (date, time) = text.split_once('T')?;
    let day = Date::parse(date)?;
    let number = |t: Option<&str>| t.and_then(|t| t.parse::<i64>().ok());
    let clock = number(time.get(0..2))? * 3600
        + number(time.get(3..5))? * 60
        + number(time.get(6..8)).unwrap_or(0);
    let offset = if time.ends_with('Z') {
        0
    } else {
        let at = time.rfind(['+', '-'])?;
        let sign = if time.get(at..)?.starts_with('-') {
            -1
        } else {
            1
        };
        sign * (number(time.get(at + 1..at + 3))? * 3600 + number(time.get(at + 4..at + 6))? * 60)
    };
    u64::try_from(i64::from(day.0) * 86_400 + clock - offset).ok()
}

/// FHIR dateTime of an instant, in Asia/Tokyo; `None` after the year 9999.
pub fn date_time(unix: u64) -> Option<String> {
    let day = Date::at(unix);
    if day.parts().0 > 9999 {
        return None;
    }
    let second = unix.checked_add(9 * 3600)? % 86_400;
    let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
    Some(format!("{day}T{h:02}:{m:02}:{s:02}+09:00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_come_back_and_bad_ones_do_not() {
        for text in [
            "1970-01-01",
            "2024-02-29",
            "2026-11-27",
            "1926-12-25",
            "0001-01-01",
            "9999-12-31",
        ] {
            assert_eq!(Date::parse(text).unwrap().to_string(), text);
        }
        for bad in [
            "2023-02-29",
            "2024-13-01",
            "2024-1-1",
            "2024-00-10",
            "2024-01-00",
            "2024",
            "20240101",
            "2024-01-01-",
            "0000-01-01",
        ] {
            assert_eq!(Date::parse(bad), None, "{bad}");
        }
        assert_eq!(Date::parse("1970-01-02").unwrap().days(), 1);
        assert_eq!(Date::at(1_790_000_000).to_string(), "2026-09-21");
    }

    #[test]
    fn intervals_and_offsets() {
        let (a, b) = Date::interval("2024-02").unwrap();
        assert_eq!(
            (a.to_string(), b.to_string()),
            ("2024-02-01".into(), "2024-02-29".into())
        );
        let day = |t: &str| Date::interval(t).unwrap().0.to_string();
        assert_eq!(day("2024-01-01T16:00:00Z"), "2024-01-02");
        assert_eq!(day("2024-01-01T23:00:00+09:00"), "2024-01-01");
        assert_eq!(day("2024-01-01T02:00:00+14:00"), "2023-12-31");
        assert_eq!(Date::interval("2024-01-01T02:00:00"), None);
        assert_eq!(instant("1970-01-01T09:00:01+09:00"), Some(1));
        assert_eq!(instant("2026-09-21T14:13:20Z"), Some(1_790_000_000));
        let text = date_time(1_790_000_000).unwrap();
        assert_eq!(text, "2026-09-21T23:13:20+09:00");
        assert_eq!(instant(&text), Some(1_790_000_000));
        assert_eq!(date_time(253_402_268_400), None);
        assert_eq!(date_time(u64::MAX), None);
    }
}
