//! Code systems that are too large to ship or not free: only the shape of their codes is known.

use warifu_terms::{jlac, systems};

/// Whether a text has the shape of a system's codes.
type Shape = fn(&str) -> bool;

/// System and shape. An OID stands for its URL.
const SHAPES: &[(&str, Shape)] = &[
    (systems::JLAC10, jlac::is_jlac10),
    (systems::HOT7, |c| jlac::is_hot(c, 7)),
    (systems::HOT9, |c| jlac::is_hot(c, 9)),
    (systems::HOT13, |c| jlac::is_hot(c, 13)),
    (systems::YJ, jlac::is_yj),
    (systems::YJ_STRENGTH_INGREDIENT, jlac::is_yj),
    (systems::ICD10, jlac::is_icd10),
    (systems::ICD10_2013_FULL, jlac::is_icd10),
    (systems::ICD10_2013_3DIGITS, jlac::is_icd10),
    (systems::DISEASE_KEY_NUMBER, jlac::is_medis_key_number),
    (systems::DISEASE_EXCHANGE, jlac::is_medis_exchange),
    (systems::MODIFIER_KEY_NUMBER, jlac::is_medis_key_number),
    (systems::MODIFIER_EXCHANGE, jlac::is_medis_exchange),
    (systems::RECEIPT_DISEASE, is_receipt_disease),
    (systems::RECEIPT_MODIFIER, jlac::is_medis_exchange),
    (systems::JAMI_USAGE, is_jami_usage),
    (
        systems::JAMI_USAGE_ADDITIONAL,
        jlac::is_jami_usage_additional,
    ),
    (systems::LOINC, is_loinc),
    (systems::SNOMED, is_snomed),
];

/// The shape of a system's codes, if it is one of those.
pub(crate) fn shape(system: &str) -> Option<Shape> {
    let url = system
        .strip_prefix("urn:oid:")
        .and_then(systems::url_of_oid)
        .unwrap_or(system);
    SHAPES
        .iter()
        .find(|(of, _)| *of == url)
        .map(|(_, shape)| *shape)
}

/// 傷病名マスター: 7 digits.
fn is_receipt_disease(code: &str) -> bool {
    code.len() == 7 && code.bytes().all(|b| b.is_ascii_digit())
}

/// 16 characters; guides use place holders (`0X0XXXXXXXXX0000`), whose first is no class.
fn is_jami_usage(code: &str) -> bool {
    code.len() == 16
        && code
            .bytes()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

/// A number with its check digit, or a part (`LP7839-6`), answer (`LA6576-8`) or group.
fn is_loinc(code: &str) -> bool {
    let part = ["LP", "LA", "LL", "LG"]
        .iter()
        .find_map(|p| code.strip_prefix(p));
    match part {
        Some(number) => jlac::is_loinc(number),
        None => jlac::is_loinc(code) && luhn(code) == 0,
    }
}

/// Check value of the digits (mod 10): from the last, every other one counts twice.
///
/// Standard: LOINC Users' Guide, appendix on the check digit.
fn luhn(code: &str) -> u8 {
    code.bytes()
        .rev()
        .filter(u8::is_ascii_digit)
        .enumerate()
        .fold(0, |sum, (place, digit)| {
            let d = (digit - b'0') << (place % 2);
            (sum + d / 10 + d % 10) % 10
        })
}

/// 6 to 18 digits, the last one a check digit by Verhoeff's method; of an expression the first concept.
///
/// Standard: SNOMED CT Release File Specifications §6.1 (SCTID), Compositional Grammar.
fn is_snomed(code: &str) -> bool {
    let end = code.find(|c: char| !c.is_ascii_digit());
    let (id, rest) = code.split_at(end.unwrap_or(code.len()));
    (6..=18).contains(&id.len())
        && !id.starts_with('0')
        && verhoeff(id.as_bytes()) == 0
        && rest
            .trim_start()
            .chars()
            .next()
            .is_none_or(|c| matches!(c, '|' | ':' | '+'))
}

/// Check value: multiplication in the dihedral group D5 of permuted digits.
fn verhoeff(digits: &[u8]) -> u8 {
    const PERMUTED: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let times = |a: u8, b: u8| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b - 5) % 5 + 5,
        (false, true) => (a + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    digits
        .iter()
        .rev()
        .enumerate()
        .fold(0, |check, (place, digit)| {
            let mut d = digit.wrapping_sub(b'0');
            for _ in 0..place % 8 {
                d = PERMUTED.get(usize::from(d)).copied().unwrap_or_default();
            }
            times(check, d)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_by_url_and_oid() {
        for (system, good, bad) in [
            (
                "http://medis.or.jp/CodeSystem/master-JLAC10-17digits",
                "3A015000002329101",
                "3A015",
            ),
            ("urn:oid:1.2.392.200119.4.504", "3A015000002329101", "3A015"),
            ("http://loinc.org", "718-7", "718"),
            ("http://loinc.org", "8867-4", "8867-5"),
            ("http://loinc.org", "LA6576-8", "LA6576"),
            ("http://snomed.info/sct", "73211009", "73211008"),
            ("http://snomed.info/sct", "404684003", "4046840"),
            (
                "http://jami.jp/CodeSystem/MedicationUsage",
                "1013044400000000",
                "1013",
            ),
        ] {
            let shape = shape(system).unwrap();
            assert!(shape(good), "{system} {good}");
            assert!(!shape(bad), "{system} {bad}");
        }
        assert!(shape("http://hl7.org/fhir/administrative-gender").is_none());
    }
}
