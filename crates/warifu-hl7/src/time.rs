//! Dates and times (HL7 v2.5 §2.A.22 DTM, §2.A.77 TS) as they are met in SS-MIX2.

use std::fmt::Write;

/// A time with the precision it was given in; without a zone it is Japan Standard Time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    /// Year, four digits.
    pub year: u16,
    /// Month 1–12, or 0 when not given.
    pub month: u8,
    /// Day 1–31, or 0 when not given.
    pub day: u8,
    /// Hour 0–23 and minute, when given.
    pub hour: Option<u8>,
    /// Minute 0–59 (0 when only the hour was given).
    pub minute: u8,
    /// Second 0–59, when given.
    pub second: Option<u8>,
    /// Milliseconds, when given.
    pub millis: Option<u16>,
    /// Minutes that the zone is ahead of UTC: 540 where none is given.
    pub zone: i16,
    /// What was unusual about the text.
    pub oddity: Oddity,
}

/// The zone of Japan, in minutes ahead of UTC.
pub const JAPAN: i16 = 540;

/// Deviations that were read nevertheless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Oddity {
    /// None.
    #[default]
    None,
    /// Hour without minutes: minutes set to 0.
    HourOnly,
    /// Hours 24–47: read as the next day.
    NextDay,
    /// Fraction after the minutes, 17 digits without a dot, more than three fraction digits.
    Fraction,
    /// Exactly midnight with zero seconds: may only mean the day.
    Midnight,
}

/// Reads a DTM; `None` when it is no date at all (`0`, `00000000`, `99999999`, a day that does not
/// exist, other text). Blanks around are ignored; a zone offset is `+hhmm` or `-hhmm`, up to 14 hours as FHIR has it.
pub fn parse(text: &str) -> Option<Time> {
    let digits = text.as_bytes();
    let moment = digits.split_at_checked(14);
    match moment {
        // MSH-7 has a fraction of the second.
        Some((moment, [b'.', fraction @ ..])) => with_fraction(moment, fraction),
        _ => usual(digits),
    }
    .or_else(|| parse_any(text))
}

/// A moment to the second with one to nine digits of its fraction; `None` for everything else.
fn with_fraction(moment: &[u8], fraction: &[u8]) -> Option<Time> {
    let sound = matches!(fraction.len(), 1..=9) && fraction.iter().all(u8::is_ascii_digit);
    let mut time = usual(moment).filter(|_| sound)?;
    let digits = fraction.iter().chain(b"00").take(3);
    time.millis = Some(digits.fold(0, |v, c| v * 10 + u16::from(c - b'0')));
    time.oddity = if fraction.len() > 3 {
        Oddity::Fraction
    } else {
        Oddity::None
    };
    Some(time)
}

/// A day, or a moment of it to the minute or the second, as digits; `None` for everything else.
fn usual(digits: &[u8]) -> Option<Time> {
    if !matches!(digits.len(), 8 | 12 | 14) {
        return None;
    }
    let mut pairs = [0u8; 7];
    let mut sound = true;
    for (to, [a, b]) in pairs.iter_mut().zip(digits.as_chunks::<2>().0) {
        let (a, b) = (a.wrapping_sub(b'0'), b.wrapping_sub(b'0'));
        sound &= a < 10 && b < 10;
        *to = a.wrapping_mul(10).wrapping_add(b);
    }
    let [century, year, month, day, hour, minute, second] = pairs;
    let year = u16::from(century) * 100 + u16::from(year);
    sound &= (1800..=2200).contains(&year) && (1..=12).contains(&month);
    sound &= day > 0 && hour < 24 && minute < 60 && second < 60;
    if !sound || day > days_in_month(year, month) {
        return None;
    }
    let (timed, exact) = (digits.len() > 8, digits.len() == 14);
    Some(Time {
        year,
        month,
        day,
        hour: timed.then_some(hour),
        minute,
        second: exact.then_some(second),
        millis: None,
        zone: JAPAN,
        oddity: if exact && hour == 0 && minute == 0 && second == 0 {
            Oddity::Midnight
        } else {
            Oddity::None
        },
    })
}

fn parse_any(text: &str) -> Option<Time> {
    // Mostly nothing but digits: neither blanks nor zone nor fraction are looked for then.
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    let text = if plain { text } else { text.trim() };
    let sign = if plain { None } else { text.find(['+', '-']) };
    let (digits_part, zone) = match sign {
        Some(p) => (text.get(..p)?, text.get(p..)),
        None => (text, None),
    };
    let zone = match zone {
        Some(z) => zone_of(z)?,
        None => JAPAN,
    };
    let point = if plain {
        None
    } else {
        digits_part.split_once('.')
    };
    let (whole, fraction) = match point {
        Some((w, f)) => (w, Some(f)),
        None => (digits_part, None),
    };
    let d = whole.as_bytes();
    if !(plain || d.iter().all(u8::is_ascii_digit))
        || fraction
            .is_some_and(|f| f.is_empty() || f.len() > 9 || !f.bytes().all(|b| b.is_ascii_digit()))
    {
        return None;
    }
    let mut oddity = Oddity::None;
    let n = |a: usize, b: usize| -> Option<u16> {
        d.get(a..b).map(|s| {
            s.iter().fold(0u16, |v, c| {
                v.wrapping_mul(10).wrapping_add(u16::from(c - b'0'))
            })
        })
    };
    if !matches!(d.len(), 4 | 6 | 8 | 10 | 12 | 14 | 15 | 16 | 17) {
        return None;
    }
    let year = n(0, 4)?;
    let month = u8::try_from(n(4, 6).unwrap_or(0)).ok()?;
    let mut day = u8::try_from(n(6, 8).unwrap_or(0)).ok()?;
    if !(1800..=2200).contains(&year) || (d.len() >= 6 && !(1..=12).contains(&month)) {
        return None;
    }
    if d.len() >= 8 && (day == 0 || day > days_in_month(year, month)) {
        return None;
    }
    let (mut year, mut month) = (year, month);
    let mut hour = None;
    let mut minute = 0;
    let mut second = None;
    let mut millis = None;
    if d.len() >= 10 {
        let mut h = n(8, 10)?;
        if h > 47 {
            return None;
        }
        if h > 23 {
            h -= 24;
            oddity = Oddity::NextDay;
            (year, month, day) = next_day(year, month, day);
        }
        hour = u8::try_from(h).ok();
        if d.len() == 10 && oddity == Oddity::None {
            oddity = Oddity::HourOnly;
        }
    }
    if d.len() >= 12 {
        let m = n(10, 12)?;
        if m > 59 {
            return None;
        }
        minute = u8::try_from(m).ok()?;
    }
    if d.len() >= 14 {
        let s = n(12, 14)?;
        if s > 60 {
            return None;
        }
        second = u8::try_from(s.min(59)).ok();
    }
    if d.len() > 14 {
        let f = d.get(14..)?;
        millis = Some(
            f.iter()
                .chain(b"00".iter())
                .take(3)
                .fold(0u16, |v, c| v * 10 + u16::from(c - b'0')),
        );
        if oddity == Oddity::None {
            oddity = Oddity::Fraction;
        }
    }
    if let Some(f) = fraction {
        let ms = f
            .bytes()
            .chain(*b"00")
            .take(3)
            .fold(0u16, |v, c| v * 10 + u16::from(c - b'0'));
        if second.is_some() {
            millis = Some(ms);
            if f.len() > 3 && oddity == Oddity::None {
                oddity = Oddity::Fraction;
            }
        } else if oddity == Oddity::None {
            oddity = Oddity::Fraction;
        }
    }
    if oddity == Oddity::None
        && hour == Some(0)
        && minute == 0
        && second == Some(0)
        && millis.is_none()
    {
        oddity = Oddity::Midnight;
    }
    Some(Time {
        year,
        month,
        day,
        hour,
        minute,
        second,
        millis,
        zone,
        oddity,
    })
}

/// `+hh:mm` or `-hh:mm`.
#[cold]
#[inline(never)]
fn zone_text(zone: i16) -> [u8; 6] {
    let minutes = zone.unsigned_abs();
    let (h, m) = (minutes / 60, minutes % 60);
    let digit = |n: u16| b'0' + digit(n);
    let sign = if zone < 0 { b'-' } else { b'+' };
    [sign, digit(h / 10), digit(h), b':', digit(m / 10), digit(m)]
}

/// Minutes of `+hhmm` or `-hhmm`.
fn zone_of(text: &str) -> Option<i16> {
    let (sign, digits) = text.split_at_checked(1)?;
    if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let n: i16 = digits.parse().ok()?;
    let minutes = n / 100 * 60 + n % 100;
    let known = n % 100 < 60 && minutes <= 14 * 60;
    known.then_some(if sign == "-" { -minutes } else { minutes })
}

impl Time {
    /// Writes a FHIR `dateTime`: the given precision; `+09:00` once a time is present; seconds are
    /// padded with `:00`, since FHIR R4 wants them with minutes.
    pub fn write_date_time(&self, out: &mut impl Write) {
        self.write_date(out);
        if let (Some(h), true) = (self.hour, self.day > 0) {
            put(out, 'T');
            two(out, h);
            put(out, ':');
            two(out, self.minute);
            put(out, ':');
            two(out, self.second.unwrap_or(0));
            if let Some(ms) = self.millis {
                put(out, '.');
                let b = [
                    b'0' + digit(ms / 100),
                    b'0' + digit(ms / 10),
                    b'0' + digit(ms),
                ];
                let _ = out.write_str(std::str::from_utf8(&b).unwrap_or("000"));
            }
            if self.zone == JAPAN {
                let _ = out.write_str("+09:00");
            } else {
                let zone = zone_text(self.zone);
                let _ = out.write_str(std::str::from_utf8(&zone).unwrap_or("Z"));
            }
        }
    }
    /// The same moment in Japan.
    #[cold]
    #[inline(never)]
    fn in_japan(&self) -> Self {
        let Some(hour) = self.hour.filter(|_| self.zone != JAPAN && self.day > 0) else {
            return *self;
        };
        let of_day = i16::from(hour) * 60 + i16::from(self.minute) + JAPAN - self.zone;
        let (year, month, day) = match of_day.div_euclid(1440) {
            0 => (self.year, self.month, self.day),
            1 => next_day(self.year, self.month, self.day),
            _ => day_before(self.year, self.month, self.day),
        };
        let of_day = of_day.rem_euclid(1440);
        Self {
            year,
            month,
            day,
            hour: u8::try_from(of_day / 60).ok(),
            minute: u8::try_from(of_day % 60).unwrap_or(0),
            zone: JAPAN,
            ..*self
        }
    }
    /// Writes a FHIR `date` (the time is dropped).
    pub fn write_date(&self, out: &mut impl Write) {
        two(out, u8::try_from(self.year / 100).unwrap_or(0));
        two(out, u8::try_from(self.year % 100).unwrap_or(0));
        if self.month > 0 {
            put(out, '-');
            two(out, self.month);
            if self.day > 0 {
                put(out, '-');
                two(out, self.day);
            }
        }
    }
    /// Writes a FHIR `instant`: a time of day is always present (midnight when it was not given).
    pub fn write_instant(&self, out: &mut impl Write) {
        let full = Self {
            month: self.month.max(1),
            day: self.day.max(1),
            hour: Some(self.hour.unwrap_or(0)),
            ..*self
        };
        full.write_date_time(out);
    }
    /// Whether it lies before another, as far as both say it: a day does not lie before a time of that day.
    pub fn is_before(&self, other: &Self) -> bool {
        let unit = self.unit().max(other.unit());
        self.sort_key() / unit < other.sort_key() / unit
    }
    /// What a sort key counts for the least unit that was given.
    fn unit(&self) -> u64 {
        if self.hour.is_none() {
            match (self.month, self.day) {
                (0, _) => 10_000_000_000_000,
                (_, 0) => 100_000_000_000,
                _ => 1_000_000_000,
            }
        } else if self.oddity == Oddity::HourOnly {
            10_000_000
        } else if self.second.is_none() {
            100_000
        } else if self.millis.is_none() {
            1_000
        } else {
            1
        }
    }
    /// Digits `YYYYMMDDHHMMSSmmm` of the time in Japan for ordering, zero where not given.
    pub fn sort_key(&self) -> u64 {
        let t = if self.zone == JAPAN {
            *self
        } else {
            self.in_japan()
        };
        let mut k = u64::from(t.year);
        for (v, base) in [
            (u64::from(t.month), 100),
            (u64::from(t.day), 100),
            (u64::from(t.hour.unwrap_or(0)), 100),
            (u64::from(t.minute), 100),
            (u64::from(t.second.unwrap_or(0)), 100),
            (u64::from(t.millis.unwrap_or(0)), 1000),
        ] {
            k = k * base + v;
        }
        k
    }
}

fn digit(v: u16) -> u8 {
    u8::try_from(v % 10).unwrap_or(0)
}

fn two(out: &mut impl Write, v: u8) {
    put(out, char::from(b'0' + v / 10 % 10));
    put(out, char::from(b'0' + v % 10));
}

/// Texts in memory take every character.
fn put(out: &mut impl Write, c: char) {
    let _ = out.write_char(c);
}

const fn leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Days of a month in the Gregorian calendar; 31 for a month outside 1–12.
pub const fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

fn next_day(year: u16, month: u8, day: u8) -> (u16, u8, u8) {
    if day < days_in_month(year, month) {
        (year, month, day + 1)
    } else if month < 12 {
        (year, month + 1, 1)
    } else {
        (year + 1, 1, 1)
    }
}

fn day_before(year: u16, month: u8, day: u8) -> (u16, u8, u8) {
    match (month, day) {
        (1, 1) => (year - 1, 12, 31),
        (_, 1) => (year, month - 1, days_in_month(year, month - 1)),
        _ => (year, month, day - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_lies_before_another_as_far_as_both_say_it() {
        for (a, b, before) in [
            ("20260401", "202604021000", true),
            ("20260402", "202604021000", false),
            ("202604021000", "20260402", false),
            ("202604", "20260402", false),
            ("202603", "20260402", true),
            ("2026", "202604", false),
            ("2025", "202604", true),
            ("202604021000", "20260402100030", false),
            ("202604020959", "20260402100030", true),
            ("2026040210", "202604021030", false),
            ("20260402100030", "20260402100030.500", false),
            ("20260402100030.400", "20260402100030.500", true),
            ("202604021000+0900", "202604020130+0000", true),
            ("202604021000+0900", "202604020100+0000", false),
        ] {
            let [a, b] = [a, b].map(|text| parse(text).unwrap());
            assert_eq!(a.is_before(&b), before, "{a:?} {b:?}");
            assert!(!(b.is_before(&a) && before), "{a:?} {b:?}");
        }
    }

    fn check(input: &str, expected: Option<&str>) {
        let got = parse(input).map(|t| {
            let mut s = String::new();
            t.write_date_time(&mut s);
            s
        });
        assert_eq!(got.as_deref(), expected, "{input}");
    }

    #[test]
    fn precision_is_kept_and_japan_time_assumed() {
        check("2011", Some("2011"));
        check("201107", Some("2011-07"));
        check("20110701", Some("2011-07-01"));
        check("201107011530", Some("2011-07-01T15:30:00+09:00"));
        check("20110701153045.123", Some("2011-07-01T15:30:45.123+09:00"));
        check("20110701153045.1234", Some("2011-07-01T15:30:45.123+09:00"));
        check("20110701153045123", Some("2011-07-01T15:30:45.123+09:00"));
        check("201601011500.321", Some("2016-01-01T15:00:00+09:00"));
        check(" 20110701 ", Some("2011-07-01"));
    }

    #[test]
    fn a_zone_is_kept_and_the_order_is_that_of_japan() {
        check("20260401083000+0000", Some("2026-04-01T08:30:00+00:00"));
        check("202604010830-0530", Some("2026-04-01T08:30:00-05:30"));
        check(
            "20260401083000.5+0900",
            Some("2026-04-01T08:30:00.500+09:00"),
        );
        check("20260401+0000", Some("2026-04-01"));
        for (zoned, japan) in [
            ("20251231183000-0500", "20260101083000"),
            ("20260301003000+1400", "20260228193000"),
            ("20260101003000+1200", "20251231213000"),
            ("20260401+0000", "20260401"),
        ] {
            let key = |text: &str| parse(text).map(|t| t.sort_key());
            assert_eq!(key(zoned), key(japan), "{zoned}");
        }
    }

    #[test]
    fn the_usual_forms_are_read_like_all_others() {
        for day in ["20110701", "20120229", "20110229", "20111301", "17990101"] {
            for rest in [
                "",
                "0000",
                "000000",
                "2359",
                "235959",
                "2400",
                "2360",
                "120060",
                "12006x",
                "000000.0",
                "235959.12",
                "235959.123",
                "000000.0000",
                "235959.123456789",
                "120060.1",
                "240000.1",
                "120000.",
                "120000.1234567890",
                "120000.1x",
                "1200.5",
            ] {
                let text = format!("{day}{rest}");
                assert_eq!(parse(&text), parse_any(&text), "{text}");
            }
        }
    }

    #[test]
    fn hours_past_midnight_are_the_next_day() {
        check("2011123125", Some("2012-01-01T01:00:00+09:00"));
        check("201202282430", Some("2012-02-29T00:30:00+09:00"));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for bad in [
            "",
            "0",
            "00000000",
            "99999999",
            "20110230",
            "20111301",
            "2011-07-01",
            "abc",
            "201107011570",
            "1",
            "20110701120000+9",
            "20110701120000+0960",
            "20110701120000-1500",
            "20110701120000+00:00",
            "二〇一一",
        ] {
            check(bad, None);
        }
    }
}
