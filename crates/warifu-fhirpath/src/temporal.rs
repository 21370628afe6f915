//! Dates, times and instants with precision.

use std::cmp::Ordering;
use std::fmt;

use crate::dec::Dec;

/// Which of the three types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemporalKind {
    /// `System.Date`
    Date,
    /// `System.DateTime`
    DateTime,
    /// `System.Time`
    Time,
}

/// How much of it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Precision {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Milli,
}

/// A date, a date with time, or a time of day, with its precision and zone, which are part of `==`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Temporal {
    /// Which type.
    pub kind: TemporalKind,
    precision: Precision,
    year: u16,
    month: u8,
    day: u8,
    /// Milliseconds of the day.
    millis: u32,
    /// Minutes east of UTC.
    zone: Option<i16>,
}

/// Units of time that may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    Years,
    Months,
    Weeks,
    Days,
    Hours,
    Minutes,
    Millis,
}

const DAY: i64 = 86_400_000;
/// Zones reach from −12:00 to +14:00.
const EAST: i64 = 14 * 3_600_000;
const WEST: i64 = 12 * 3_600_000;

struct Reader<'t> {
    text: &'t [u8],
}

impl Reader<'_> {
    fn digits(&mut self, n: usize) -> Option<u32> {
        let (head, rest) = self.text.split_at_checked(n)?;
        let mut value = 0;
        for b in head {
            if !b.is_ascii_digit() {
                return None;
            }
            value = value * 10 + u32::from(b - b'0');
        }
        self.text = rest;
        Some(value)
    }
    fn eat(&mut self, b: u8) -> bool {
        match self.text.split_first() {
            Some((first, rest)) if *first == b => {
                self.text = rest;
                true
            }
            _ => false,
        }
    }
}

pub(crate) fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 (Howard Hinnant's algorithm).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    (year, month, doy - (153 * mp + 2) / 5 + 1)
}

impl Temporal {
    /// Reads the form of the type; `T` alone may end a `DateTime` (`2015T`).
    pub fn parse(text: &str, kind: TemporalKind) -> Option<Self> {
        let mut r = Reader {
            text: text.as_bytes(),
        };
        let made = Self::read(&mut r, kind)?;
        r.text.is_empty().then_some(made)
    }

    /// Reads a literal behind its `@`; also the bytes used.
    pub(crate) fn literal(text: &str) -> Option<(Self, usize)> {
        let mut r = Reader {
            text: text.as_bytes(),
        };
        let kind = if r.eat(b'T') {
            TemporalKind::Time
        } else {
            TemporalKind::DateTime
        };
        let mut made = Self::read(&mut r, kind)?;
        let used = text.len() - r.text.len();
        if kind == TemporalKind::DateTime && !text.get(..used)?.contains('T') {
            made.kind = TemporalKind::Date;
        }
        Some((made, used))
    }

    fn read(r: &mut Reader<'_>, kind: TemporalKind) -> Option<Self> {
        let mut made = Self {
            kind,
            precision: Precision::Year,
            year: 0,
            month: 1,
            day: 1,
            millis: 0,
            zone: None,
        };
        if kind != TemporalKind::Time {
            made.year = u16::try_from(r.digits(4)?).ok()?;
            if made.year == 0 {
                return None;
            }
            if r.eat(b'-') {
                made.month = u8::try_from(r.digits(2)?).ok()?;
                made.precision = Precision::Month;
                if !(1..=12).contains(&made.month) {
                    return None;
                }
                if r.eat(b'-') {
                    made.day = u8::try_from(r.digits(2)?).ok()?;
                    made.precision = Precision::Day;
                    if made.day == 0 || made.day > days_in_month(made.year, made.month) {
                        return None;
                    }
                }
            }
            if kind == TemporalKind::Date || !r.eat(b'T') {
                return Some(made);
            }
            if !r.text.first().is_some_and(u8::is_ascii_digit) {
                return Some(made);
            }
            if made.precision != Precision::Day {
                return None;
            }
        }
        made.clock(r)?;
        if kind == TemporalKind::DateTime {
            made.zone = if r.eat(b'Z') {
                Some(0)
            } else {
                let east = match r.text.first() {
                    Some(b'+') => 1,
                    Some(b'-') => -1,
                    _ => return Some(made),
                };
                r.text = r.text.get(1..)?;
                let hours = r.digits(2)?;
                if !r.eat(b':') {
                    return None;
                }
                let minutes = r.digits(2)?;
                if hours > 14 || minutes > 59 {
                    return None;
                }
                Some(east * i16::try_from(hours * 60 + minutes).ok()?)
            };
        }
        Some(made)
    }

    fn clock(&mut self, r: &mut Reader<'_>) -> Option<()> {
        let hour = r.digits(2).filter(|h| *h < 24)?;
        self.precision = Precision::Hour;
        let (mut minute, mut second, mut milli) = (0, 0, 0);
        if r.eat(b':') {
            minute = r.digits(2).filter(|m| *m < 60)?;
            self.precision = Precision::Minute;
            if r.eat(b':') {
                // 60 is a leap second; it reads as the last one.
                second = r.digits(2).filter(|s| *s <= 60)?.min(59);
                self.precision = Precision::Second;
                if let Some((b'.', rest)) = r.text.split_first() {
                    let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
                    if count > 0 {
                        let mut digits = rest.iter().take(count).map(|b| u32::from(b - b'0'));
                        for _ in 0..3 {
                            milli = milli * 10 + digits.next().unwrap_or(0);
                        }
                        self.precision = Precision::Milli;
                        r.text = rest.get(count..)?;
                    }
                }
            }
        }
        self.millis = ((hour * 60 + minute) * 60 + second) * 1000 + milli;
        Some(())
    }

    /// Date part only.
    pub(crate) fn to_date(self) -> Self {
        Self {
            kind: TemporalKind::Date,
            precision: self.precision.min(Precision::Day),
            millis: 0,
            zone: None,
            ..self
        }
    }

    pub(crate) fn to_datetime(self) -> Self {
        Self {
            kind: TemporalKind::DateTime,
            ..self
        }
    }

    /// Milliseconds from 1970 of its start, as if in UTC.
    fn local(self) -> i64 {
        let days = days_from_civil(
            i64::from(self.year),
            i64::from(self.month),
            i64::from(self.day),
        );
        let days = if self.kind == TemporalKind::Time {
            0
        } else {
            days
        };
        days * DAY + i64::from(self.millis)
    }

    /// First and last millisecond it may mean, in UTC.
    fn range(self) -> (i64, i64) {
        let start = self.local();
        let day = i64::from(days_in_month(self.year, self.month));
        let length = match self.precision {
            Precision::Year => days_from_civil(i64::from(self.year) + 1, 1, 1) * DAY - start,
            Precision::Month => day * DAY,
            Precision::Day => DAY,
            Precision::Hour => 3_600_000,
            Precision::Minute => 60_000,
            // A second is a number of seconds, not a span: FHIRPath §6.1.1.
            Precision::Second | Precision::Milli => 1,
        };
        (start, start + length - 1)
    }

    fn zoned(self, zoned: bool) -> (i64, i64) {
        let (start, end) = self.range();
        match self.zone {
            Some(zone) => {
                let shift = i64::from(zone) * 60_000;
                (start - shift, end - shift)
            }
            None if zoned => (start - EAST, end + WEST),
            None => (start, end),
        }
    }

    /// Order, if the two have one: `None` where precision or zone leave it open.
    pub(crate) fn compare(self, other: Self) -> Option<Ordering> {
        if (self.kind == TemporalKind::Time) != (other.kind == TemporalKind::Time) {
            return None;
        }
        let same = self.precision.min(Precision::Second) == other.precision.min(Precision::Second)
            && self.zone.is_some() == other.zone.is_some();
        let zoned = self.zone.is_some() || other.zone.is_some();
        let (a, b) = (self.zoned(zoned), other.zoned(zoned));
        if same {
            return Some(a.0.cmp(&b.0));
        }
        if a.1 < b.0 {
            Some(Ordering::Less)
        } else if a.0 > b.1 {
            Some(Ordering::Greater)
        } else {
            None
        }
    }

    fn set_local(&mut self, local: i64) -> Option<()> {
        if self.kind == TemporalKind::Time {
            self.millis = u32::try_from(local.rem_euclid(DAY)).ok()?;
            return Some(());
        }
        let (year, month, day) = civil_from_days(local.div_euclid(DAY));
        self.year = u16::try_from(year)
            .ok()
            .filter(|y| (1..=9999).contains(y))?;
        self.month = u8::try_from(month).ok()?;
        self.day = u8::try_from(day).ok()?;
        self.millis = u32::try_from(local.rem_euclid(DAY)).ok()?;
        Some(())
    }

    /// The value `amount` later; parts finer than its precision are cut. `None` out of range.
    pub(crate) fn plus(self, amount: Dec, span: Span) -> Option<Self> {
        let mut made = self;
        let whole = amount.truncate()?;
        match span {
            Span::Years | Span::Months => {
                if self.kind == TemporalKind::Time {
                    return None;
                }
                let months = if span == Span::Years {
                    whole.checked_mul(12)?
                } else {
                    whole
                };
                let months = if self.precision == Precision::Year {
                    months / 12 * 12
                } else {
                    months
                };
                let all =
                    (i64::from(self.year) * 12 + i64::from(self.month) - 1).checked_add(months)?;
                made.year = u16::try_from(all.div_euclid(12))
                    .ok()
                    .filter(|y| (1..=9999).contains(y))?;
                made.month = u8::try_from(all.rem_euclid(12) + 1).ok()?;
                made.day = self.day.min(days_in_month(made.year, made.month));
                return Some(made);
            }
            _ => {}
        }
        let unit: i64 = match span {
            Span::Weeks => 7 * DAY,
            Span::Days => DAY,
            Span::Hours => 3_600_000,
            Span::Minutes => 60_000,
            _ => 1,
        };
        let millis = whole.checked_mul(unit)?;
        // Units finer than the precision count in whole units of the precision.
        let millis = match self.precision {
            Precision::Year | Precision::Month => {
                let days = millis / DAY;
                let months = if self.precision == Precision::Year {
                    days / 365 * 12
                } else {
                    days / 30
                };
                return self.plus(Dec::int(months), Span::Months);
            }
            Precision::Day => millis / DAY * DAY,
            Precision::Hour => millis / 3_600_000 * 3_600_000,
            Precision::Minute => millis / 60_000 * 60_000,
            Precision::Second => millis / 1000 * 1000,
            Precision::Milli => millis,
        };
        made.set_local(self.local().checked_add(millis)?)?;
        Some(made)
    }

    /// Digits: 4, 6, 8 for dates, to 17 for times of dates; 2 to 9 for times.
    pub(crate) fn precision_digits(self) -> i64 {
        let digits = match self.precision {
            Precision::Year => 4,
            Precision::Month => 6,
            Precision::Day => 8,
            Precision::Hour => 10,
            Precision::Minute => 12,
            Precision::Second => 14,
            Precision::Milli => 17,
        };
        if self.kind == TemporalKind::Time {
            digits - 8
        } else {
            digits
        }
    }

    /// The first or last value it may mean, to a precision in digits.
    pub(crate) fn boundary(self, high: bool, digits: Option<i64>) -> Option<Self> {
        let time = self.kind == TemporalKind::Time;
        let digits = digits.unwrap_or(match self.kind {
            TemporalKind::Date => 8,
            TemporalKind::DateTime => 17,
            TemporalKind::Time => 9,
        });
        let wanted = match if time { digits + 8 } else { digits } {
            4 => Precision::Year,
            6 => Precision::Month,
            8 => Precision::Day,
            10 => Precision::Hour,
            12 => Precision::Minute,
            14 => Precision::Second,
            17 => Precision::Milli,
            _ => return None,
        };
        if time && wanted < Precision::Hour
            || self.kind == TemporalKind::Date && wanted > Precision::Day
        {
            return None;
        }
        let mut made = self;
        made.precision = wanted;
        if high && self.precision < wanted {
            if self.precision < Precision::Month {
                made.month = 12;
            }
            if self.precision < Precision::Day {
                made.day = days_in_month(made.year, made.month);
            }
            made.millis = match self.precision {
                Precision::Year | Precision::Month | Precision::Day => 86_399_999,
                // An hour alone counts as its first minute: the suite has it so, and data cannot have it.
                Precision::Hour | Precision::Minute => self.millis + 59_999,
                Precision::Second => self.millis + 999,
                Precision::Milli => self.millis,
            };
        }
        if wanted <= Precision::Day {
            made.millis = 0;
            made.zone = None;
        } else if self.kind == TemporalKind::DateTime && made.zone.is_none() {
            made.zone = Some(if high { -12 * 60 } else { 14 * 60 });
        }
        Some(made)
    }

    /// `year`, `month`, … as numbers, where given.
    pub(crate) fn component(self, name: &str) -> Option<i64> {
        let (part, needs) = match name {
            "year" => (i64::from(self.year), Precision::Year),
            "month" => (i64::from(self.month), Precision::Month),
            "day" => (i64::from(self.day), Precision::Day),
            "hour" => (i64::from(self.millis / 3_600_000), Precision::Hour),
            "minute" => (i64::from(self.millis / 60_000 % 60), Precision::Minute),
            "second" => (i64::from(self.millis / 1000 % 60), Precision::Second),
            "millisecond" => (i64::from(self.millis % 1000), Precision::Milli),
            _ => return None,
        };
        let time = self.kind == TemporalKind::Time;
        (self.precision >= needs && !(time && needs <= Precision::Day)).then_some(part)
    }
}

impl fmt::Display for Temporal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind != TemporalKind::Time {
            write!(f, "{:04}", self.year)?;
            if self.precision >= Precision::Month {
                write!(f, "-{:02}", self.month)?;
            }
            if self.precision >= Precision::Day {
                write!(f, "-{:02}", self.day)?;
            }
            if self.precision > Precision::Day {
                f.write_str("T")?;
            }
        }
        if self.precision > Precision::Day {
            write!(f, "{:02}", self.millis / 3_600_000)?;
            if self.precision >= Precision::Minute {
                write!(f, ":{:02}", self.millis / 60_000 % 60)?;
            }
            if self.precision >= Precision::Second {
                write!(f, ":{:02}", self.millis / 1000 % 60)?;
            }
            if self.precision >= Precision::Milli {
                write!(f, ".{:03}", self.millis % 1000)?;
            }
            match self.zone {
                Some(0) => f.write_str("Z")?,
                Some(z) => {
                    let sign = if z < 0 { '-' } else { '+' };
                    write!(
                        f,
                        "{sign}{:02}:{:02}",
                        z.unsigned_abs() / 60,
                        z.unsigned_abs() % 60
                    )?;
                }
                None => {}
            }
        }
        Ok(())
    }
}
