//! Units: UCUM codes to a factor and dimensions.
//!
//! A table of the units that quantities in health records are compared in; a code that is not in it
//! is comparable only with itself. UCUM, version 2.1, §2 (syntax), §4 (tables).

/// What a unit is: a factor (`num` / `den` × 10^`exp`) times powers of the base units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Unit {
    pub(crate) num: i128,
    pub(crate) den: i128,
    pub(crate) exp: i32,
    /// m, s, g, rad, K, C, cd, and the arbitrary units by number.
    pub(crate) dim: [i8; 8],
}

const ONE: Unit = Unit {
    num: 1,
    den: 1,
    exp: 0,
    dim: [0; 8],
};

const M: usize = 0;
const S: usize = 1;
const G: usize = 2;
const K: usize = 4;
const C: usize = 5;
const CD: usize = 6;

/// A row: code, whether it takes prefixes, factor (number, power of ten), in which other unit.
type Row = (&'static str, bool, i64, i32, &'static str);

/// Units defined by others; linear ones only.
const ATOMS: &[Row] = &[
    // Dimensionless.
    ("10*", false, 1, 1, "1"),
    ("10^", false, 1, 1, "1"),
    ("%", false, 1, -2, "1"),
    ("[ppth]", false, 1, -3, "1"),
    ("[ppm]", false, 1, -6, "1"),
    ("[ppb]", false, 1, -9, "1"),
    ("mol", true, 60_221_367, 16, "1"),
    ("eq", true, 1, 0, "mol"),
    ("osm", true, 1, 0, "mol"),
    ("kat", true, 1, 0, "mol/s"),
    ("U", true, 1, 0, "umol/min"),
    // Time.
    ("min", false, 60, 0, "s"),
    ("h", false, 60, 0, "min"),
    ("d", false, 24, 0, "h"),
    ("wk", false, 7, 0, "d"),
    ("a", false, 36_525, -2, "d"),
    ("a_j", false, 36_525, -2, "d"),
    ("mo", false, 304_375, -4, "d"),
    ("mo_j", false, 304_375, -4, "d"),
    ("Hz", true, 1, 0, "s-1"),
    ("Bq", true, 1, 0, "s-1"),
    // Length, area, volume.
    ("[in_i]", false, 254, -2, "cm"),
    ("[ft_i]", false, 12, 0, "[in_i]"),
    ("[yd_i]", false, 3, 0, "[ft_i]"),
    ("[mi_i]", false, 5280, 0, "[ft_i]"),
    ("Ao", false, 1, -1, "nm"),
    ("l", true, 1, 0, "dm3"),
    ("L", true, 1, 0, "dm3"),
    ("ar", true, 100, 0, "m2"),
    ("[gal_us]", false, 231, 0, "[in_i]3"),
    // Mass.
    ("t", true, 1, 3, "kg"),
    ("u", true, 16_605_402, -31, "g"),
    ("[gr]", false, 6_479_891, -8, "g"),
    ("[lb_av]", false, 7000, 0, "[gr]"),
    ("[oz_av]", false, 4375, -1, "[gr]"),
    ("[stone_av]", false, 14, 0, "[lb_av]"),
    // Force, pressure, energy, power.
    ("N", true, 1, 0, "kg.m/s2"),
    ("Pa", true, 1, 0, "N/m2"),
    ("bar", true, 1, 5, "Pa"),
    ("atm", false, 101_325, 0, "Pa"),
    ("m[Hg]", true, 133_322, 0, "Pa"),
    ("m[H2O]", true, 980_665, -2, "Pa"),
    ("J", true, 1, 0, "N.m"),
    ("W", true, 1, 0, "J/s"),
    ("cal", true, 4184, -3, "J"),
    ("[Cal]", false, 1, 0, "kcal"),
    ("Gy", true, 1, 0, "J/kg"),
    ("Sv", true, 1, 0, "J/kg"),
    // Electricity, light.
    ("A", true, 1, 0, "C/s"),
    ("V", true, 1, 0, "J/C"),
    ("Ohm", true, 1, 0, "V/A"),
    ("lm", true, 1, 0, "cd"),
    ("lx", true, 1, 0, "lm/m2"),
    // Angle.
    ("deg", false, 17_453_292_519_943_296, -18, "rad"),
];

const BASES: &[(&str, usize)] = &[
    ("m", M),
    ("s", S),
    ("g", G),
    ("rad", 3),
    ("K", K),
    ("C", C),
    ("cd", CD),
];

const PREFIXES: &[(&str, i32)] = &[
    ("da", 1),
    ("Y", 24),
    ("Z", 21),
    ("E", 18),
    ("P", 15),
    ("T", 12),
    ("G", 9),
    ("M", 6),
    ("k", 3),
    ("h", 2),
    ("d", -1),
    ("c", -2),
    ("m", -3),
    ("u", -6),
    ("n", -9),
    ("p", -12),
    ("f", -15),
    ("a", -18),
    ("z", -21),
    ("y", -24),
];

fn gcd(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a.abs(), b.abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

impl Unit {
    fn norm(mut self) -> Self {
        let g = gcd(self.num, self.den);
        self.num /= g;
        self.den /= g;
        while self.num != 0 && self.num % 10 == 0 {
            self.num /= 10;
            self.exp += 1;
        }
        while self.den % 10 == 0 {
            self.den /= 10;
            self.exp -= 1;
        }
        self
    }

    pub(crate) fn mul(self, other: Self) -> Option<Self> {
        let mut dim = self.dim;
        for (d, o) in dim.iter_mut().zip(other.dim) {
            *d = d.checked_add(o)?;
        }
        Some(
            Self {
                num: self.num.checked_mul(other.num)?,
                den: self.den.checked_mul(other.den)?,
                exp: self.exp.checked_add(other.exp)?,
                dim,
            }
            .norm(),
        )
    }

    pub(crate) fn inverse(self) -> Self {
        Self {
            num: self.den,
            den: self.num,
            exp: -self.exp,
            dim: self.dim.map(i8::saturating_neg),
        }
    }

    fn power(self, n: i32) -> Option<Self> {
        let base = if n < 0 { self.inverse() } else { self };
        let mut made = ONE;
        for _ in 0..n.unsigned_abs().min(12) {
            made = made.mul(base)?;
        }
        Some(made)
    }
}

/// What a code means; `None` if it is not in the table or no UCUM code.
pub(crate) fn unit(code: &str) -> Option<Unit> {
    if code.len() > 200 || !code.is_ascii() {
        return None;
    }
    let mut p = Parser {
        rest: code.as_bytes(),
        depth: 0,
    };
    let made = p.term()?;
    p.rest.is_empty().then_some(made)
}

struct Parser<'t> {
    rest: &'t [u8],
    depth: u8,
}

impl Parser<'_> {
    fn eat(&mut self, b: u8) -> bool {
        match self.rest.split_first() {
            Some((first, rest)) if *first == b => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn term(&mut self) -> Option<Unit> {
        self.depth += 1;
        if self.depth > 8 {
            return None;
        }
        let mut made = if self.eat(b'/') {
            self.component()?.inverse()
        } else {
            self.component()?
        };
        loop {
            if self.eat(b'.') {
                made = made.mul(self.component()?)?;
            } else if self.eat(b'/') {
                made = made.mul(self.component()?.inverse())?;
            } else {
                self.depth -= 1;
                return Some(made);
            }
        }
    }

    fn annotation(&mut self) -> bool {
        if self.rest.first() != Some(&b'{') {
            return false;
        }
        let Some(end) = self.rest.iter().position(|b| *b == b'}') else {
            return false;
        };
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        true
    }

    fn component(&mut self) -> Option<Unit> {
        if self.eat(b'(') {
            let made = self.term()?;
            return self.eat(b')').then_some(made);
        }
        if self.annotation() {
            return Some(ONE);
        }
        let mut bracket = false;
        let end = self
            .rest
            .iter()
            .position(|b| {
                bracket = (bracket || *b == b'[') && *b != b']';
                !bracket && matches!(b, b'.' | b'/' | b'(' | b')' | b'{')
            })
            .unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        let token = std::str::from_utf8(token).ok()?;
        let made = simple(token)?;
        self.annotation();
        Some(made)
    }
}

/// A unit with prefix and exponent, or a number.
fn simple(token: &str) -> Option<Unit> {
    if let Ok(n) = token.parse::<u32>() {
        return (n > 0).then(|| {
            Unit {
                num: i128::from(n),
                ..ONE
            }
            .norm()
        });
    }
    if let Some(found) = prefixed(token) {
        return Some(found);
    }
    let digits = token.bytes().rev().take_while(u8::is_ascii_digit).count();
    let mut cut = token.len() - digits;
    if matches!(token.as_bytes().get(cut.wrapping_sub(1)), Some(b'-' | b'+')) {
        cut -= 1;
    }
    let (symbol, exponent) = token.split_at_checked(cut)?;
    let exponent: i32 = exponent
        .strip_prefix('+')
        .unwrap_or(exponent)
        .parse()
        .ok()?;
    prefixed(symbol)?.power(exponent)
}

fn prefixed(symbol: &str) -> Option<Unit> {
    if let Some((found, _)) = atom(symbol) {
        return Some(found);
    }
    PREFIXES.iter().find_map(|(prefix, exp)| {
        let (found, metric) = atom(symbol.strip_prefix(prefix)?)?;
        metric.then_some(Unit {
            exp: found.exp + exp,
            ..found
        })
    })
}

/// A unit without prefix, and whether it takes one.
fn atom(symbol: &str) -> Option<(Unit, bool)> {
    if let Some((_, n)) = BASES.iter().find(|(code, _)| *code == symbol) {
        let mut made = ONE;
        if let Some(d) = made.dim.get_mut(*n) {
            *d = 1;
        }
        return Some((made, true));
    }
    let (_, metric, num, exp, of) = ATOMS.iter().find(|(code, ..)| *code == symbol)?;
    let factor = Unit {
        num: i128::from(*num),
        exp: *exp,
        ..ONE
    };
    Some((factor.mul(unit(of)?)?, *metric))
}

#[cfg(test)]
mod tests {
    use super::{ATOMS, unit};

    #[test]
    fn every_row_is_defined() {
        for (code, ..) in ATOMS {
            assert!(unit(code).is_some(), "{code}");
        }
    }

    #[test]
    fn codes_that_mean_the_same() {
        for (a, b) in [
            ("kg", "10*3.g"),
            ("mL", "cm3"),
            ("mm[Hg]", "mm[Hg]"),
            ("umol/L", "mmol/m3"),
            ("/min", "min-1"),
            ("m2", "m.m"),
            ("g{wet}/dL", "g/dL"),
            ("10*9/L", "10*3/uL"),
            ("[lb_av]", "16.[oz_av]"),
            ("kg/m2", "kg.m-2"),
            ("%", "10*-2"),
            ("wk", "7.d"),
        ] {
            assert!(
                unit(a).is_some() && unit(a) == unit(b),
                "{a} {b}: {:?} {:?}",
                unit(a),
                unit(b)
            );
        }
        for bad in [
            "",
            "s]",
            "[s]",
            "foo",
            "m/",
            "kk",
            "((((((((((m))))))))))",
            "mmin",
        ] {
            assert!(unit(bad).is_none(), "{bad}");
        }
    }
}
