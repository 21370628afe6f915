//! Civil date and time of the invented hospital; no clock, no time zone (Japan, +09:00, throughout).

use std::fmt;

/// Milliseconds of one day.
const DAY_MS: i64 = 86_400_000;

/// A moment, to the millisecond, as milliseconds since 1970-01-01T00:00 local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Stamp(i64);

impl Stamp {
    /// Reads `YYYY[MM[DD[HH[MM[SS[FFF]]]]]]`; missing digits are the earliest moment they allow.
    ///
    /// Total: a character that is no digit counts as `0`, so that the tables of the story need no
    /// error path; a test of the fixtures compares every date with its folder.
    pub fn new(digits: &str) -> Self {
        let mut number = [0_i64; 7];
        let widths = [4, 2, 2, 2, 2, 2, 3];
        let mut rest = digits.bytes();
        for (slot, width) in number.iter_mut().zip(widths) {
            for _ in 0..width {
                let digit = rest.next().filter(u8::is_ascii_digit).unwrap_or(b'0');
                *slot = *slot * 10 + i64::from(digit - b'0');
            }
        }
        let [year, month, day, hour, minute, second, milli] = number;
        let days = days_from_civil(year, month.max(1), day.max(1));
        Self(days * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 + milli)
    }

    /// The same moment `n` days later (earlier if negative).
    #[must_use]
    pub fn plus_days(self, n: i64) -> Self {
        Self(self.0 + n * DAY_MS)
    }

    /// The same moment `n` minutes later.
    #[must_use]
    pub fn plus_minutes(self, n: i64) -> Self {
        Self(self.0 + n * 60_000)
    }

    /// The same moment `n` milliseconds later.
    #[must_use]
    pub fn plus_ms(self, n: i64) -> Self {
        Self(self.0 + n)
    }

    /// `YYYYMMDD`.
    pub fn date(self) -> Digits {
        Digits(self, 8, false)
    }

    /// `YYYYMMDDHHMM`.
    pub fn minute(self) -> Digits {
        Digits(self, 12, false)
    }

    /// `YYYYMMDDHHMMSS`.
    pub fn second(self) -> Digits {
        Digits(self, 14, false)
    }

    /// `YYYYMMDDHHMMSSFFF`, as in file names.
    pub fn milli(self) -> Digits {
        Digits(self, 17, false)
    }

    /// `YYYYMMDDHHMMSS.FFF`, as in MSH-7.
    pub fn dotted(self) -> Digits {
        Digits(self, 17, true)
    }

    /// `YYYY`, `MM`, `DD` as numbers.
    pub fn civil(self) -> (i64, i64, i64) {
        civil_from_days(self.0.div_euclid(DAY_MS))
    }
}

/// The first `n` digits of a [`Stamp`]; what it prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digits(Stamp, usize, bool);

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.0.civil();
        let ms = self.0.0.rem_euclid(DAY_MS);
        let mut out = [b'0'; 18];
        let mut slots = out.iter_mut();
        let mut put = |value: i64, width: u32| {
            for power in (0..width).rev() {
                if let (Some(slot), Ok(digit)) =
                    (slots.next(), u8::try_from(value / 10_i64.pow(power) % 10))
                {
                    *slot = b'0' + digit;
                }
            }
        };
        put(year, 4);
        put(month, 2);
        put(day, 2);
        put(ms / 3_600_000, 2);
        put(ms / 60_000 % 60, 2);
        put(ms / 1000 % 60, 2);
        put(ms % 1000, 3);
        let text = std::str::from_utf8(&out).unwrap_or_default();
        if self.2 {
            f.write_str(text.get(..14).unwrap_or_default())?;
            f.write_str(".")?;
            f.write_str(text.get(14..17).unwrap_or_default())
        } else {
            f.write_str(text.get(..self.1).unwrap_or_default())
        }
    }
}

/// Days since 1970-01-01 of a Gregorian date (Hinnant's algorithm).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The Gregorian date of a day number; inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_prints_what_it_read() {
        for digits in [
            "20260407103045123",
            "19000301000000000",
            "20000229235959999",
        ] {
            assert_eq!(Stamp::new(digits).milli().to_string(), digits);
        }
    }

    #[test]
    fn a_leap_day_is_followed_by_march() {
        let next = Stamp::new("20240229").plus_days(1);
        assert_eq!(next.date().to_string(), "20240301");
        assert_eq!(next.dotted().to_string(), "20240301000000.000");
    }
}
