//! Exact decimals.

use std::cmp::Ordering;
use std::fmt;

/// A decimal number: `mantissa` × 10^−`scale`; its scale is its precision, and part of `==`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dec {
    mantissa: i128,
    scale: u32,
}

/// Digits behind the point that a division makes at most.
const QUOTIENT: u32 = 18;
/// Digits behind the point of any number.
const MOST: u32 = 30;

fn pow10(n: u32) -> Option<i128> {
    10_i128.checked_pow(n)
}

impl Dec {
    /// 0
    pub const ZERO: Self = Self {
        mantissa: 0,
        scale: 0,
    };

    /// A whole number.
    pub fn int(n: i64) -> Self {
        Self {
            mantissa: i128::from(n),
            scale: 0,
        }
    }

    pub(crate) fn new(mantissa: i128, scale: u32) -> Self {
        Self { mantissa, scale }
    }

    /// Digits behind the point.
    pub fn scale(self) -> u32 {
        self.scale
    }

    /// Reads `-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?`; `None` for all else and for more digits than fit.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, exponent) = match text.find(['e', 'E']) {
            Some(at) => {
                let (number, rest) = text.split_at(at);
                let digits = rest.get(1..)?;
                (
                    number,
                    digits
                        .strip_prefix('+')
                        .unwrap_or(digits)
                        .parse::<i32>()
                        .ok()?,
                )
            }
            None => (text, 0),
        };
        let (negative, number) = match number.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, number),
        };
        let (whole, part) = match number.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (number, ""),
        };
        if whole.is_empty() {
            return None;
        }
        let mut mantissa = 0_i128;
        for b in whole.bytes().chain(part.bytes()) {
            if !b.is_ascii_digit() {
                return None;
            }
            mantissa = mantissa
                .checked_mul(10)?
                .checked_add(i128::from(b - b'0'))?;
        }
        let scale = i32::try_from(part.len()).ok()?.checked_sub(exponent)?;
        let mantissa = if negative { -mantissa } else { mantissa };
        match u32::try_from(scale) {
            Ok(scale) if scale <= MOST => Some(Self { mantissa, scale }),
            Ok(_) => None,
            Err(_) => Some(Self {
                mantissa: mantissa.checked_mul(pow10(scale.unsigned_abs())?)?,
                scale: 0,
            }),
        }
    }

    /// The same number with `scale` digits behind the point, rounded down.
    fn floor_to(self, scale: u32) -> Option<Self> {
        let mantissa = if scale >= self.scale {
            self.mantissa.checked_mul(pow10(scale - self.scale)?)?
        } else {
            self.mantissa.div_euclid(pow10(self.scale - scale)?)
        };
        Some(Self { mantissa, scale })
    }

    /// Rounded half away from zero.
    pub(crate) fn round(self, scale: u32) -> Option<Self> {
        if scale >= self.scale {
            return self.floor_to(scale);
        }
        let unit = pow10(self.scale - scale)?;
        let half = unit / 2;
        let moved = if self.mantissa < 0 {
            self.mantissa.checked_sub(half)?
        } else {
            self.mantissa.checked_add(half)?
        };
        Some(Self {
            mantissa: moved / unit,
            scale,
        })
    }

    /// Cut toward zero.
    pub(crate) fn truncate(self) -> Option<i64> {
        let unit = pow10(self.scale)?;
        i64::try_from(self.mantissa / unit).ok()
    }

    pub(crate) fn floor(self) -> Option<i64> {
        i64::try_from(self.floor_to(0)?.mantissa).ok()
    }

    pub(crate) fn ceiling(self) -> Option<i64> {
        self.negate().floor()?.checked_neg()
    }

    pub(crate) fn negate(self) -> Self {
        Self {
            mantissa: self.mantissa.saturating_neg(),
            scale: self.scale,
        }
    }

    pub(crate) fn is_negative(self) -> bool {
        self.mantissa < 0
    }

    pub(crate) fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    pub(crate) fn is_whole(self) -> bool {
        pow10(self.scale).is_some_and(|unit| self.mantissa % unit == 0)
    }

    fn align(self, other: Self) -> Option<(i128, i128, u32)> {
        let scale = self.scale.max(other.scale);
        Some((
            self.floor_to(scale)?.mantissa,
            other.floor_to(scale)?.mantissa,
            scale,
        ))
    }

    pub(crate) fn add(self, other: Self) -> Option<Self> {
        let (a, b, scale) = self.align(other)?;
        Some(Self::new(a.checked_add(b)?, scale))
    }

    pub(crate) fn sub(self, other: Self) -> Option<Self> {
        self.add(other.negate())
    }

    pub(crate) fn mul(self, other: Self) -> Option<Self> {
        let mut product = Self::new(
            self.mantissa.checked_mul(other.mantissa)?,
            self.scale + other.scale,
        );
        if product.scale > MOST {
            product = product.round(MOST)?;
        }
        Some(product)
    }

    /// Exact where it ends within 18 digits, else rounded there; `None` by zero.
    pub(crate) fn div(self, other: Self) -> Option<Self> {
        if other.mantissa == 0 {
            return None;
        }
        let mut digits = QUOTIENT + 1;
        let (shifted, digits) = loop {
            let shift = (digits + other.scale).checked_sub(self.scale);
            let shifted = match shift {
                Some(up) => pow10(up).and_then(|p| self.mantissa.checked_mul(p)),
                None => Some(self.mantissa / pow10(self.scale - digits - other.scale)?),
            };
            match shifted {
                Some(m) => break (m, digits),
                None => digits = digits.checked_sub(1)?,
            }
        };
        let quotient = Self::new(shifted / other.mantissa, digits);
        Some(quotient.round(digits.saturating_sub(1))?.trimmed(1))
    }

    /// Without zeros at the end, but with at least `least` digits behind the point if there are any.
    pub(crate) fn trimmed(mut self, least: u32) -> Self {
        while self.scale > least && self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.scale -= 1;
        }
        self
    }

    pub(crate) fn div_whole(self, other: Self) -> Option<i64> {
        let (a, b, _) = self.align(other)?;
        i64::try_from(a.checked_div(b)?).ok()
    }

    pub(crate) fn rem(self, other: Self) -> Option<Self> {
        let (a, b, scale) = self.align(other)?;
        Some(Self::new(a.checked_rem(b)?, scale))
    }

    /// Order of the numbers, whatever their precision.
    pub fn compare(self, other: Self) -> Ordering {
        self.cmp(other)
    }

    pub(crate) fn cmp(self, other: Self) -> Ordering {
        match self.align(other) {
            Some((a, b, _)) => a.cmp(&b),
            None => self.to_f64().total_cmp(&other.to_f64()),
        }
    }

    /// Equal when both are rounded to the lower precision.
    pub(crate) fn equivalent(self, other: Self) -> bool {
        let scale = self.trimmed(0).scale.min(other.trimmed(0).scale);
        match (self.round(scale), other.round(scale)) {
            (Some(a), Some(b)) => a.cmp(b) == Ordering::Equal,
            _ => false,
        }
    }

    #[expect(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "the nearest float is what is asked for"
    )]
    pub(crate) fn to_f64(self) -> f64 {
        (self.mantissa as f64) / libm::pow(10.0, f64::from(self.scale))
    }

    /// The float to 15 significant digits, the same on every machine.
    pub(crate) fn from_f64(n: f64) -> Option<Self> {
        if !n.is_finite() {
            return None;
        }
        let text = format!("{n:.14e}");
        Some(Self::parse(&text)?.trimmed(0))
    }

    /// Least or greatest number that reads as this one, with `scale` digits behind the point.
    pub(crate) fn boundary(self, high: bool, scale: i64) -> Option<Self> {
        let scale = u32::try_from(scale).ok().filter(|s| *s < 29)?;
        let own = pow10(scale.max(self.scale) + 1 - self.scale)?;
        let half = own / 2;
        let mantissa = self.mantissa.checked_mul(own)?;
        let edge = if high {
            mantissa.checked_add(half)?
        } else {
            mantissa.checked_sub(half)?
        };
        let edge = Self::new(edge, scale.max(self.scale) + 1);
        if high {
            Some(edge.negate().floor_to(scale)?.negate())
        } else {
            edge.floor_to(scale)
        }
    }
}

impl fmt::Display for Dec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.mantissa < 0 {
            f.write_str("-")?;
        }
        let unit = u128::try_from(pow10(self.scale).unwrap_or(1)).unwrap_or(1);
        let size = self.mantissa.unsigned_abs();
        write!(f, "{}", size / unit)?;
        if self.scale > 0 {
            let width = usize::try_from(self.scale).unwrap_or_default();
            write!(f, ".{:0width$}", size % unit)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Dec;

    fn d(text: &str) -> Dec {
        Dec::parse(text).unwrap()
    }

    #[test]
    fn precision_is_kept() {
        for text in ["0", "1.50", "-0.10", "1234567890987654321.0"] {
            assert_eq!(d(text).to_string(), text);
        }
        assert_eq!(d("1.5e2").to_string(), "150");
        assert_eq!(d("15e-3").to_string(), "0.015");
        for text in ["", "1.", ".1", "1x", "--1", "1e", "9e99", "1e-99"] {
            assert!(Dec::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn arithmetic_is_exact() {
        assert_eq!(d("0.1").add(d("0.2")).unwrap().to_string(), "0.3");
        assert_eq!(
            d("1").div(d("3")).unwrap().to_string(),
            "0.333333333333333333"
        );
        assert_eq!(d("4.0").div(d("2")).unwrap().to_string(), "2.0");
        assert!(d("1").div(Dec::ZERO).is_none());
        assert_eq!(d("-2.5").round(0).unwrap().to_string(), "-3");
        assert_eq!(d("-2.1").floor(), Some(-3));
        assert_eq!(d("-1.1").ceiling(), Some(-1));
        assert_eq!(d("2.2").rem(d("1.8")).unwrap().to_string(), "0.4");
        assert!(d("1.2").div(d("1.8")).unwrap().equivalent(d("0.67")));
    }

    #[test]
    fn boundaries() {
        let low = |t: &str, n| d(t).boundary(false, n).unwrap().to_string();
        let high = |t: &str, n| d(t).boundary(true, n).unwrap().to_string();
        assert_eq!(low("1.587", 8), "1.58650000");
        assert_eq!(low("-1.587", 2), "-1.59");
        assert_eq!(high("12.500", 4), "12.5005");
        assert_eq!(high("1", 0), "2");
    }
}
