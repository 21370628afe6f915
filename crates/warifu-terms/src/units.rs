//! Unit texts of OBX-6 and of drug amounts → UCUM, only where the meaning is certain.
//!
//! The text is folded (full width, blanks, µ, ×, superscripts, Japanese unit words, case) into a
//! small buffer on the stack and looked up once. Truncated (`×10^3/`) and ambiguous (`/F`, `Log`,
//! `M`, `単位`) texts have no answer; the caller then gives the `unit` text without a code.
//!
//! Decisions:
//! - `U/L` is the enzyme unit `U/L`; `IU/L` is the international unit `[iU]/L`. Japanese laboratories
//!   print `IU/L` for enzymes as well, but the unit text alone does not show that.
//! - `cc` is `cm3`, `bpm` and ASCII `(hb)` are `{beats}/min`, `回/分` is `/min`.
//! - Case is ignored only where it tells nothing: in texts all in small or all in capital letters, and in
//!   a mixed text for the letters of `HARMLESS` and the words of `WORDS`. `mM` (millimolar) is never `mm`,
//!   `Mg` never `mg`. Capitals that may mean two units (`M`, `MM`, `UM`, `MV`, `MU/mL` …) are refused.
//!
//! Sources: SS-MIX2 仕様書 (単位の ASCII 表記, ISO+), UCUM 2.1 (c/s codes), MERIT-9 単位.

/// The UCUM code (case sensitive) of a unit given as in OBX-6: `ascii` is component 1, `display`
/// component 2; either may be empty.
///
/// Both must agree when both are understood, else there is no answer: `mg/dL` with `g/dL` is a
/// damaged unit. Annotations in braces do not count (`(hb)` with `回／１分` is `{beats}/min`).
///
/// ```
/// use warifu_terms::units::ucum;
/// assert_eq!(ucum("mg/dL", "mg/dL"), Some("mg/dL"));
/// assert_eq!(ucum("", "万／μｌ"), Some("10*4/uL"));
/// assert_eq!(ucum("×10^3/", ""), None);
/// ```
pub fn ucum(ascii: &str, display: &str) -> Option<&'static str> {
    let first = text_to_ucum(ascii);
    if ascii == display {
        return first;
    }
    match (first, text_to_ucum(display)) {
        (Some(a), Some(b)) if without_annotation(a) == without_annotation(b) => Some(a),
        (Some(_), Some(_)) => None,
        (a, b) => a.or(b),
    }
}

/// The UCUM code of one unit text.
pub fn text_to_ucum(text: &str) -> Option<&'static str> {
    // The common spellings need no folding.
    match text {
        "" => return None,
        "mg/dL" | "mg/dl" => return Some("mg/dL"),
        "g/dL" | "g/dl" => return Some("g/dL"),
        "%" => return Some("%"),
        "U/L" | "u/L" => return Some("U/L"),
        "IU/L" => return Some("[iU]/L"),
        "meq/L" | "mEq/L" => return Some("meq/L"),
        "/uL" => return Some("/uL"),
        ".10*3/uL" | "10*3/uL" => return Some("10*3/uL"),
        ".10*4/uL" | "10*4/uL" => return Some("10*4/uL"),
        "fL" => return Some("fL"),
        "pg" => return Some("pg"),
        "ng/mL" => return Some("ng/mL"),
        "mm(hg)" | "mmHg" => return Some("mm[Hg]"),
        "(hb)" => return Some("{beats}/min"),
        "/min" => return Some("/min"),
        "cel" => return Some("Cel"),
        "kg" => return Some("kg"),
        "cm" => return Some("cm"),
        "sec" => return Some("s"),
        _ => {}
    }
    let mut buffer = [0_u8; MAX];
    let key = fold(text, &mut buffer)?;
    let at = FOLDED.binary_search_by(|row| row.0.cmp(key)).ok()?;
    let code = FOLDED.get(at)?.1;
    capitals_fit(text, code).then_some(code)
}

/// Words that are written with a capital in units; their case tells nothing.
const WORDS: &[&str] = &[
    "Cop", "Cre", "Cr", "Day", "Eq", "H2O", "Hb", "Hg", "Hour", "Hr", "IU", "Index", "Min", "Osm",
    "Sec",
];

/// Capitals that are no prefix and no unit of their own: `mEq`, `Kg`, `mIU`, `mL`, `mOsm`.
const HARMLESS: &[u8] = b"EIKLO";

/// Whether the capitals of a text can stand for the letters of the code that the folded text has.
fn capitals_fit(text: &str, code: &str) -> bool {
    let half = |c: char| match c {
        'µ' | 'μ' => Some(b'u'),
        '\u{FF01}'..='\u{FF5E}' => u8::try_from(u32::from(c) - 0xFEE0).ok(),
        other => u8::try_from(u32::from(other)).ok(),
    };
    let mut buffer = [0_u8; 2 * MAX];
    let mut length = 0;
    for byte in text.chars().filter_map(half).filter(u8::is_ascii_graphic) {
        let Some(to) = buffer.get_mut(length) else {
            return false;
        };
        *to = byte;
        length += 1;
    }
    let given = buffer.get_mut(..length).unwrap_or_default();
    // A small m is milli; whether mega was meant nobody can tell.
    if given.starts_with(b"m") && code.starts_with('M') {
        return false;
    }
    if !given.iter().any(u8::is_ascii_lowercase) {
        return true;
    }
    // No word begins within another.
    let mut rest = &mut *given;
    while let [first, ..] = rest {
        if first.is_ascii_uppercase()
            && let Some(word) = WORDS.iter().find(|w| rest.starts_with(w.as_bytes()))
            && let Some(there) = rest.get_mut(..word.len())
        {
            there.make_ascii_lowercase();
        }
        rest = rest.split_first_mut().map_or(&mut [], |(_, rest)| rest);
    }
    let letters = || given.iter().filter(|b| b.is_ascii_alphabetic());
    let wanted = || code.bytes().filter(u8::is_ascii_alphabetic);
    let same = letters().count() == wanted().count()
        && letters()
            .zip(wanted())
            .all(|(g, w)| g.eq_ignore_ascii_case(&w));
    let mut wanted = wanted();
    let mut after = letters().skip(1);
    letters().all(|c| {
        let (wanted, next) = (wanted.next(), after.next());
        c.is_ascii_lowercase()
            || same && wanted == Some(*c)
            || *c == b'D' && next.is_some_and(|n| matches!(n, b'L' | b'l'))
            || HARMLESS.contains(c)
    })
}

/// The UCUM code of a MERIT-9 unit code, where one exists: `MG` → `mg`, `TAB` → `None`.
///
/// `UNT` (単位), `MLG` (mL or g), `MLV` and the ten-thousands are ambiguous or have no UCUM unit.
pub fn merit9_to_ucum(code: &str) -> Option<&'static str> {
    Some(match code.trim() {
        "ATM" => "atm",
        "CC" => "cm3",
        "CM" => "cm",
        "CM2" => "cm2",
        "DROP" => "[drp]",
        "FEET" => "[ft_i]",
        "G" => "g",
        "GBQ" => "GBq",
        "IUNT" => "[iU]",
        "KBQ" => "kBq",
        "KG" => "kg",
        "L" => "L",
        "M" => "m",
        "MCCI" => "uCi",
        "MCG" => "ug",
        "MCI" => "mCi",
        "MCL" => "uL",
        "MEQ" => "meq",
        "MG" => "mg",
        "MGBQ" => "MBq",
        "ML" => "mL",
        "MOL" => "mol",
        "MPA" => "MPa",
        "USPU" => "[USP'U]",
        _ => return None,
    })
}

/// Longest folded unit; a longer text is no unit of the table.
const MAX: usize = 24;

/// The part of a UCUM code outside braces, compared as text.
fn without_annotation(code: &str) -> &str {
    // annotations stand at the beginning in the codes of this table where they matter
    match code.split_once('}') {
        Some((head, tail)) if head.starts_with('{') => tail,
        _ => code,
    }
}

/// The output side of [`fold`].
struct Folded<'b> {
    buffer: &'b mut [u8; MAX],
    len: usize,
}

impl Folded<'_> {
    /// Appends ASCII; `None` when the buffer is full.
    fn push(&mut self, text: &str) -> Option<()> {
        let end = self.len.checked_add(text.len())?;
        self.buffer
            .get_mut(self.len..end)?
            .copy_from_slice(text.as_bytes());
        self.len = end;
        Some(())
    }

    /// The last byte written.
    fn last(&self) -> Option<u8> {
        let at = self.len.checked_sub(1)?;
        self.buffer.get(at).copied()
    }
}

/// Folds a unit text to the form of [`FOLDED`]: blanks dropped, half width, lower case, `^` and `**`
/// as `*`, superscripts as `*n`, a leading `x`, `.` or `*` dropped; Japanese words become capital
/// letters (万 `M`, 千 `T`, 百 `C`, 個 `Q`, 回 `K`, 拍 `P`, 秒 `S`, 分 `N`, 時 `H`, 日 `D`, 週 `W`, 年 `Y`,
/// 歳 `A`). `None` for anything else outside ASCII.
fn fold<'b>(text: &str, buffer: &'b mut [u8; MAX]) -> Option<&'b str> {
    let trimmed = text.trim();
    if is_ambiguous_capital(trimmed) {
        return None;
    }
    let mut out = Folded { buffer, len: 0 };
    for c in trimmed.chars() {
        let c = match c {
            // full-width ASCII
            '\u{FF01}'..='\u{FF5E}' => {
                char::from_u32(u32::from(c).checked_sub(0xFEE0)?).unwrap_or(c)
            }
            other => other,
        };
        match c {
            ' ' | '\t' | '\u{3000}' => {}
            'x' | 'X' | '×' | '✕' | '.' | '·' | '・' | '⋅' | '･' if out.len == 0 => {}
            '^' => {
                if out.last() != Some(b'*') {
                    out.push("*")?;
                }
            }
            '*' => {
                if out.len != 0 && out.last() != Some(b'*') {
                    out.push("*")?;
                }
            }
            '·' | '・' | '⋅' | '･' => out.push(".")?,
            '×' | '✕' => return None,
            'µ' | 'μ' => out.push("u")?,
            '℃' => out.push("cel")?,
            '°' | 'º' => out.push("deg")?,
            '‰' => out.push("permil")?,
            'ℓ' => out.push("l")?,
            '²' => out.push(power(out.last(), "2"))?,
            '³' => out.push(power(out.last(), "3"))?,
            '⁴' => out.push(power(out.last(), "4"))?,
            '⁶' => out.push(power(out.last(), "6"))?,
            '⁹' => out.push(power(out.last(), "9"))?,
            '㎎' => out.push("mg")?,
            '㎏' => out.push("kg")?,
            '㎍' => out.push("ug")?,
            '㎜' => out.push("mm")?,
            '㎝' => out.push("cm")?,
            '㎛' => out.push("um")?,
            '㎖' => out.push("ml")?,
            '㎗' => out.push("dl")?,
            '㎕' => out.push("ul")?,
            '㏄' => out.push("cc")?,
            '㎟' => out.push("mm2")?,
            '㎠' => out.push("cm2")?,
            '㎡' => out.push("m2")?,
            '㎣' => out.push("mm3")?,
            '万' => out.push("M")?,
            '千' => out.push("T")?,
            '百' => out.push("C")?,
            '個' | '箇' | 'ケ' | 'コ' => out.push("Q")?,
            '回' => out.push("K")?,
            '拍' => out.push("P")?,
            '秒' => out.push("S")?,
            '分' => out.push("N")?,
            '時' => out.push("H")?,
            '日' => out.push("D")?,
            '週' => out.push("W")?,
            '年' => out.push("Y")?,
            '歳' | '才' => out.push("A")?,
            '間' if matches!(out.last(), Some(b'S' | b'N' | b'H' | b'D' | b'W' | b'Y')) => {}
            c if c.is_ascii_graphic() => {
                let lower = [u8::try_from(c).ok()?.to_ascii_lowercase()];
                out.push(core::str::from_utf8(&lower).ok()?)?;
            }
            _ => return None,
        }
    }
    let Folded { buffer, len } = out;
    let buffer: &'b [u8; MAX] = buffer;
    core::str::from_utf8(buffer.get(..len)?).ok()
}

/// A superscript after a digit is a power of ten (`10³` → `10*3`), after a letter a dimension (`m²`).
fn power(last: Option<u8>, digit: &'static str) -> &'static str {
    if !last.is_some_and(|b| b.is_ascii_digit()) {
        return digit;
    }
    match digit {
        "2" => "*2",
        "3" => "*3",
        "4" => "*4",
        "6" => "*6",
        _ => "*9",
    }
}

/// Spellings in capitals that may mean two units: `MU`, `MIU` (mega or milli), `M` (metre, molar), `MM`, `NM`,
/// `UM`, `PM` likewise, `MV`, `MA`, `MS` (mega or milli), `D` (day, dioptre), `S` (second, siemens), `H` (hour,
/// henry).
fn is_ambiguous_capital(text: &str) -> bool {
    let mut buffer = [0_u8; 4];
    let mut length = 0;
    for c in text.chars() {
        let half = match c {
            '\u{FF21}'..='\u{FF3A}' => u32::from(c) - 0xFEE0,
            other => u32::from(other),
        };
        let (Ok(byte), Some(to)) = (u8::try_from(half), buffer.get_mut(length)) else {
            break;
        };
        *to = byte;
        length += 1;
    }
    let head = buffer.get(..length).unwrap_or_default();
    matches!(
        head,
        b"M" | b"D" | b"S" | b"H" | b"MM" | b"NM" | b"UM" | b"PM" | b"MV" | b"MA" | b"MS" | b"MAS"
    ) || head.starts_with(b"MU")
        || head.starts_with(b"MIU")
}

/// Folded unit text → UCUM code. Sorted by key.
static FOLDED: &[(&str, &str)] = &[
    ("%", "%"),
    ("(hb)", "{beats}/min"),
    ("(hb)/min", "{beats}/min"),
    ("/(hpf)", "/[HPF]"),
    ("/(lpf)", "/[LPF]"),
    ("/1min", "/min"),
    ("/D", "/d"),
    ("/N", "/min"),
    ("/day", "/d"),
    ("/h", "/h"),
    ("/hpf", "/[HPF]"),
    ("/hr", "/h"),
    ("/l", "/L"),
    ("/lpf", "/[LPF]"),
    ("/min", "/min"),
    ("/ml", "/mL"),
    ("/mm*3", "/mm3"),
    ("/mm3", "/mm3"),
    ("/s", "/s"),
    ("/sec", "/s"),
    ("/ul", "/uL"),
    ("10**3/ul", "10*3/uL"),
    ("10**4/ul", "10*4/uL"),
    ("10**6/ul", "10*6/uL"),
    ("10*12/l", "10*12/L"),
    ("10*2/ul", "10*2/uL"),
    ("10*3/l", "10*3/L"),
    ("10*3/ml", "10*3/mL"),
    ("10*3/mm3", "10*3/mm3"),
    ("10*3/ul", "10*3/uL"),
    ("10*4/ml", "10*4/mL"),
    ("10*4/mm3", "10*4/mm3"),
    ("10*4/ul", "10*4/uL"),
    ("10*5/ml", "10*5/mL"),
    ("10*5/ul", "10*5/uL"),
    ("10*6/l", "10*6/L"),
    ("10*6/ml", "10*6/mL"),
    ("10*6/mm3", "10*6/mm3"),
    ("10*6/ul", "10*6/uL"),
    ("10*9/l", "10*9/L"),
    ("10e2/ul", "10*2/uL"),
    ("10e3/ul", "10*3/uL"),
    ("10e4/ul", "10*4/uL"),
    ("10e6/ul", "10*6/uL"),
    ("A", "a"),
    ("CM/mm3", "10*6/mm3"),
    ("CM/ul", "10*6/uL"),
    ("D", "d"),
    ("H", "h"),
    ("K/1N", "/min"),
    ("K/D", "/d"),
    ("K/N", "/min"),
    ("K/day", "/d"),
    ("K/min", "/min"),
    ("M/mm3", "10*4/mm3"),
    ("M/ul", "10*4/uL"),
    ("MQ/mm3", "10*4/mm3"),
    ("MQ/ul", "10*4/uL"),
    ("N", "min"),
    ("P/N", "{beats}/min"),
    ("P/min", "{beats}/min"),
    ("Q/(hpf)", "/[HPF]"),
    ("Q/hpf", "/[HPF]"),
    ("Q/lpf", "/[LPF]"),
    ("Q/ml", "/mL"),
    ("Q/mm3", "/mm3"),
    ("Q/ul", "/uL"),
    ("S", "s"),
    ("T/mm3", "10*3/mm3"),
    ("T/ul", "10*3/uL"),
    ("W", "wk"),
    ("Y", "a"),
    ("beat/min", "{beats}/min"),
    ("beats/min", "{beats}/min"),
    ("bpm", "{beats}/min"),
    ("cc", "cm3"),
    ("cel", "Cel"),
    ("cells/ul", "/uL"),
    ("cfu/ml", "[CFU]/mL"),
    ("cgy", "cGy"),
    ("cm", "cm"),
    ("cm(h2o)", "cm[H2O]"),
    ("cm*2", "cm2"),
    ("cm/s", "cm/s"),
    ("cm/sec", "cm/s"),
    ("cm2", "cm2"),
    ("cm3", "cm3"),
    ("cmh2o", "cm[H2O]"),
    ("coi", "{COI}"),
    ("copies/ml", "{copies}/mL"),
    ("copy/ml", "{copies}/mL"),
    ("d", "d"),
    ("day", "d"),
    ("days", "d"),
    ("db", "dB"),
    ("deg", "deg"),
    ("degc", "Cel"),
    ("degree", "deg"),
    ("dl", "dL"),
    ("eq/l", "eq/L"),
    ("fg/ml", "fg/mL"),
    ("fl", "fL"),
    ("g", "g"),
    ("g/D", "g/d"),
    ("g/cm*2", "g/cm2"),
    ("g/cm2", "g/cm2"),
    ("g/cm3", "g/cm3"),
    ("g/day", "g/d"),
    ("g/dl", "g/dL"),
    ("g/g", "g/g"),
    ("g/g.cr", "g/g{creat}"),
    ("g/g.cre", "g/g{creat}"),
    ("g/gcr", "g/g{creat}"),
    ("g/gcre", "g/g{creat}"),
    ("g/kg", "g/kg"),
    ("g/l", "g/L"),
    ("g/m*2", "g/m2"),
    ("g/m2", "g/m2"),
    ("g/ml", "g/mL"),
    ("gy", "Gy"),
    ("h", "h"),
    ("hour", "h"),
    ("hpa", "hPa"),
    ("hr", "h"),
    ("hz", "Hz"),
    ("index", "{index}"),
    ("inr", "{INR}"),
    ("iu", "[iU]"),
    ("iu/dl", "[iU]/dL"),
    ("iu/l", "[iU]/L"),
    ("iu/ml", "[iU]/mL"),
    ("kcal", "kcal"),
    ("kcal/D", "kcal/d"),
    ("kcal/day", "kcal/d"),
    ("kg", "kg"),
    ("kg/l", "kg/L"),
    ("kg/m*2", "kg/m2"),
    ("kg/m2", "kg/m2"),
    ("kiu/l", "k[iU]/L"),
    ("kiu/ml", "k[iU]/mL"),
    ("km", "km"),
    ("kpa", "kPa"),
    ("ku/l", "kU/L"),
    ("kv", "kV"),
    ("l", "L"),
    ("l/D", "L/d"),
    ("l/N", "L/min"),
    ("l/N/m2", "L/min/m2"),
    ("l/day", "L/d"),
    ("l/min", "L/min"),
    ("l/min/m*2", "L/min/m2"),
    ("l/min/m2", "L/min/m2"),
    ("l/s", "L/s"),
    ("l/sec", "L/s"),
    ("m", "m"),
    ("m*2", "m2"),
    ("m/s", "m/s"),
    ("m/sec", "m/s"),
    ("m2", "m2"),
    ("ma", "mA"),
    ("mas", "mA.s"),
    ("mbq", "MBq"),
    ("mcg", "ug"),
    ("mcg/dl", "ug/dL"),
    ("mcg/g", "ug/g"),
    ("mcg/l", "ug/L"),
    ("mcg/ml", "ug/mL"),
    ("meq", "meq"),
    ("meq/D", "meq/d"),
    ("meq/d", "meq/d"),
    ("meq/day", "meq/d"),
    ("meq/l", "meq/L"),
    ("meq/ml", "meq/mL"),
    ("mg", "mg"),
    ("mg/D", "mg/d"),
    ("mg/day", "mg/d"),
    ("mg/dl", "mg/dL"),
    ("mg/g", "mg/g"),
    ("mg/g.cr", "mg/g{creat}"),
    ("mg/g.cre", "mg/g{creat}"),
    ("mg/g.crea", "mg/g{creat}"),
    ("mg/gcr", "mg/g{creat}"),
    ("mg/gcre", "mg/g{creat}"),
    ("mg/gcrea", "mg/g{creat}"),
    ("mg/gcreat", "mg/g{creat}"),
    ("mg/h", "mg/h"),
    ("mg/hr", "mg/h"),
    ("mg/kg", "mg/kg"),
    ("mg/l", "mg/L"),
    ("mg/m2", "mg/m2"),
    ("mg/mg", "mg/mg"),
    ("mg/ml", "mg/mL"),
    ("mgy", "mGy"),
    ("min", "min"),
    ("miu/l", "m[iU]/L"),
    ("miu/ml", "m[iU]/mL"),
    ("ml", "mL"),
    ("ml/D", "mL/d"),
    ("ml/H", "mL/h"),
    ("ml/N", "mL/min"),
    ("ml/N/1.73m*2", "mL/min/{1.73_m2}"),
    ("ml/N/1.73m2", "mL/min/{1.73_m2}"),
    ("ml/day", "mL/d"),
    ("ml/h", "mL/h"),
    ("ml/hr", "mL/h"),
    ("ml/kg", "mL/kg"),
    ("ml/kg/h", "mL/kg/h"),
    ("ml/l", "mL/L"),
    ("ml/min", "mL/min"),
    ("ml/min/1.73m*2", "mL/min/{1.73_m2}"),
    ("ml/min/1.73m2", "mL/min/{1.73_m2}"),
    ("ml/s", "mL/s"),
    ("ml/sec", "mL/s"),
    ("mm", "mm"),
    ("mm(hg)", "mm[Hg]"),
    ("mm*2", "mm2"),
    ("mm/1H", "mm/h"),
    ("mm/1h", "mm/h"),
    ("mm/1hr", "mm/h"),
    ("mm/H", "mm/h"),
    ("mm/h", "mm/h"),
    ("mm/hour", "mm/h"),
    ("mm/hr", "mm/h"),
    ("mm2", "mm2"),
    ("mm3", "mm3"),
    ("mmh2o", "mm[H2O]"),
    ("mmhg", "mm[Hg]"),
    ("mmol", "mmol"),
    ("mmol/D", "mmol/d"),
    ("mmol/day", "mmol/d"),
    ("mmol/l", "mmol/L"),
    ("mmol/mol", "mmol/mol"),
    ("mol", "mol"),
    ("mol/l", "mol/L"),
    ("mosm/kg", "mosm/kg"),
    ("mosm/kg(h2o)", "mosm/kg"),
    ("mosm/kg.h2o", "mosm/kg"),
    ("mosm/kgh2o", "mosm/kg"),
    ("mosm/l", "mosm/L"),
    ("ms", "ms"),
    ("msec", "ms"),
    ("msv", "mSv"),
    ("mu/l", "mU/L"),
    ("mu/ml", "mU/mL"),
    ("mv", "mV"),
    ("ng", "ng"),
    ("ng/dl", "ng/dL"),
    ("ng/g", "ng/g"),
    ("ng/l", "ng/L"),
    ("ng/mg", "ng/mg"),
    ("ng/ml", "ng/mL"),
    ("ng/ml/H", "ng/mL/h"),
    ("ng/ml/h", "ng/mL/h"),
    ("ng/ml/hr", "ng/mL/h"),
    ("nm", "nm"),
    ("nmol/l", "nmol/L"),
    ("nmol/ml", "nmol/mL"),
    ("pcs", "{pcs}"),
    ("permil", "[ppth]"),
    ("pg", "pg"),
    ("pg/dl", "pg/dL"),
    ("pg/l", "pg/L"),
    ("pg/ml", "pg/mL"),
    ("ph", "[pH]"),
    ("pmol/l", "pmol/L"),
    ("pmol/ml", "pmol/mL"),
    ("ppm", "[ppm]"),
    ("ratio", "{ratio}"),
    ("s", "s"),
    ("s/co", "{S/CO}"),
    ("sec", "s"),
    ("u", "U"),
    ("u/dl", "U/dL"),
    ("u/g", "U/g"),
    ("u/h", "U/h"),
    ("u/hr", "U/h"),
    ("u/l", "U/L"),
    ("u/ml", "U/mL"),
    ("ug", "ug"),
    ("ug/D", "ug/d"),
    ("ug/day", "ug/d"),
    ("ug/dl", "ug/dL"),
    ("ug/g", "ug/g"),
    ("ug/g.cr", "ug/g{creat}"),
    ("ug/g.cre", "ug/g{creat}"),
    ("ug/gcr", "ug/g{creat}"),
    ("ug/gcre", "ug/g{creat}"),
    ("ug/kg", "ug/kg"),
    ("ug/kg/min", "ug/kg/min"),
    ("ug/l", "ug/L"),
    ("ug/mg", "ug/mg"),
    ("ug/ml", "ug/mL"),
    ("uiu/l", "u[iU]/L"),
    ("uiu/ml", "u[iU]/mL"),
    ("ul", "uL"),
    ("um", "um"),
    ("um*3", "um3"),
    ("um3", "um3"),
    ("umol", "umol"),
    ("umol/dl", "umol/dL"),
    ("umol/l", "umol/L"),
    ("usec", "us"),
    ("uu/ml", "uU/mL"),
    ("uv", "uV"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_sorted_unique_and_in_folded_form() {
        for pair in FOLDED.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{}", pair[1].0);
        }
        for (key, _) in FOLDED {
            let mut buffer = [0; MAX];
            // capital letters stand for Japanese words and cannot be folded again
            if !key.bytes().any(|b| b.is_ascii_uppercase()) && !key.contains("**") {
                assert_eq!(fold(key, &mut buffer), Some(*key));
            }
        }
    }

    #[test]
    fn shortcuts_agree_with_the_table() {
        for text in [
            "mg/dL", "mg/dl", "g/dL", "g/dl", "%", "U/L", "u/L", "IU/L", "meq/L", "mEq/L", "/uL",
            ".10*3/uL", ".10*4/uL", "10*3/uL", "10*4/uL", "fL", "pg", "ng/mL", "mm(hg)", "mmHg",
            "(hb)", "/min", "cel", "kg", "cm", "sec",
        ] {
            // the blank makes the text miss the shortcut
            let slow = text_to_ucum(&std::format!("{text} "));
            assert!(slow.is_some(), "{text}");
            assert_eq!(text_to_ucum(text), slow, "{text}");
        }
    }

    #[test]
    fn ascii_forms_of_ss_mix2_are_translated() {
        for (text, code) in [
            (".10*3/uL", "10*3/uL"),
            (".10*4/uL", "10*4/uL"),
            ("meq/L", "meq/L"),
            ("mm(hg)", "mm[Hg]"),
            ("cel", "Cel"),
            ("(hb)", "{beats}/min"),
            ("u/L", "U/L"),
            ("iu/mL", "[iU]/mL"),
            ("pcs", "{pcs}"),
            ("/(hpf)", "/[HPF]"),
            ("permil", "[ppth]"),
        ] {
            assert_eq!(ucum(text, ""), Some(code), "{text}");
        }
    }

    #[test]
    fn display_forms_of_hospitals_are_translated() {
        for (text, code) in [
            ("万/μl", "10*4/uL"),
            ("万／μＬ", "10*4/uL"),
            ("×10^3/μL", "10*3/uL"),
            ("×10＾3/μl", "10*3/uL"),
            ("x10^6/uL", "10*6/uL"),
            ("×10³/µL", "10*3/uL"),
            ("10⁴/μL", "10*4/uL"),
            ("mg/dl", "mg/dL"),
            ("ｍｇ／ｄｌ", "mg/dL"),
            ("㎎/㎗", "mg/dL"),
            ("IU/L", "[iU]/L"),
            ("mEq/L", "meq/L"),
            ("mmHg", "mm[Hg]"),
            ("℃", "Cel"),
            ("％", "%"),
            ("fL", "fL"),
            ("μg/dL", "ug/dL"),
            ("mm/h", "mm/h"),
            ("mm/時間", "mm/h"),
            ("秒", "s"),
            ("sec", "s"),
            ("mL/min/1.73m2", "mL/min/{1.73_m2}"),
            ("mL/min/1.73㎡", "mL/min/{1.73_m2}"),
            ("ml/分/1.73m^2", "mL/min/{1.73_m2}"),
            ("pH", "[pH]"),
            ("mOsm/kg", "mosm/kg"),
            ("m²", "m2"),
            ("m^2", "m2"),
            ("回/分", "/min"),
            ("mIU/mL", "m[iU]/mL"),
            ("μIU/mL", "u[iU]/mL"),
            ("mg/g・Cr", "mg/g{creat}"),
            ("百万/μL", "10*6/uL"),
            ("個/HPF", "/[HPF]"),
        ] {
            assert_eq!(ucum("", text), Some(code), "{text}");
            assert_eq!(ucum(text, text), Some(code), "{text}");
        }
    }

    #[test]
    fn truncated_and_ambiguous_units_have_no_code() {
        for text in [
            "×10^3/", "×10^", "/F", "Log", "M", "Ｍ", "D", "S", "MU/mL", "MIU/mL", "単位", "倍",
            "10^3", "mg/", "/", "x", "×", "^", "万", "mL×min", "ddd", "mm/2h", "", "　",
        ] {
            assert_eq!(ucum(text, text), None, "{text}");
            assert_eq!(ucum("", text), None, "{text}");
        }
    }

    #[test]
    fn a_capital_that_may_mean_another_unit_is_not_folded() {
        for text in [
            "mM",
            "uM",
            "μM",
            "nM",
            "pM",
            "mS",
            "Mg",
            "Pg",
            "MV",
            "MA",
            "MM",
            "UM",
            "ｍＭ",
            "Mm",
            "mg/Ml",
            "Ng/mL",
            "Ug",
            "mbq",
            "ｍｂｑ",
        ] {
            assert_eq!(text_to_ucum(text), None, "{text}");
        }
        for (text, code) in [
            ("mEq/L", "meq/L"),
            ("mmHg", "mm[Hg]"),
            ("Kg", "kg"),
            ("g/DL", "g/dL"),
            ("MG/DL", "mg/dL"),
            ("ＭＧ／ＤＬ", "mg/dL"),
            ("MMOL/L", "mmol/L"),
            ("g/gCr", "g/g{creat}"),
            ("kU/L", "kU/L"),
            ("MBq", "MBq"),
            ("mIU/mL", "m[iU]/mL"),
            ("cmH2O", "cm[H2O]"),
            ("mL/Min", "mL/min"),
        ] {
            assert_eq!(text_to_ucum(text), Some(code), "{text}");
        }
    }

    #[test]
    fn contradicting_forms_have_no_code() {
        assert_eq!(ucum("mg/dL", "g/dL"), None);
        assert_eq!(ucum("(hb)", "回／１分"), Some("{beats}/min"));
        assert_eq!(ucum("??", "mg/dL"), Some("mg/dL"));
    }

    #[test]
    fn a_very_long_text_is_refused_without_failing() {
        let long = "万".repeat(100_000);
        assert_eq!(ucum(&long, "mg/dL mg/dL mg/dL mg/dL mg/dL"), None);
    }

    #[test]
    fn merit9_units_with_a_ucum_unit_are_translated() {
        assert_eq!(merit9_to_ucum("MCG"), Some("ug"));
        assert_eq!(merit9_to_ucum("TAB"), None);
        assert_eq!(merit9_to_ucum("UNT"), None);
        for entry in crate::tables::find("MR9P").unwrap().entries {
            if let Some(code) = merit9_to_ucum(entry.code) {
                assert!(!code.is_empty());
            }
        }
    }
}
