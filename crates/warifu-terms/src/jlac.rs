//! Shapes of codes and check digits: JLAC10, JLAC11, HOT, YJ, ICD-10, MEDIS, JAMI; insurer and
//! institution numbers; the vital signs of the extended storage.
//!
//! Shape only: whether a code exists in its master is not known here.

/// 標準病名マスターの「未コード化傷病名」: the disease has no code, only its text counts.
pub const UNCODED_DISEASE: &str = "20084317";

/// The five parts of a JLAC10 code, 5 + 4 + 3 + 3 + 2 characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jlac10<'a> {
    /// 分析物コード
    pub analyte: &'a str,
    /// 識別コード
    pub identification: &'a str,
    /// 材料コード
    pub specimen: &'a str,
    /// 測定法コード
    pub method: &'a str,
    /// 結果識別コード (固有・共通); empty in the 15-character form of orders
    pub result: &'a str,
}

/// Splits a JLAC10 code of 17 characters, or of 15 as orders carry it; `None` for another shape.
///
/// ```
/// let code = warifu_terms::jlac::split_jlac10("3A015000002329101").unwrap();
/// assert_eq!((code.analyte, code.specimen, code.result), ("3A015", "023", "01"));
/// ```
pub fn split_jlac10(code: &str) -> Option<Jlac10<'_>> {
    if !is_jlac10(code) && !is_jlac10_order(code) {
        return None;
    }
    Some(Jlac10 {
        analyte: code.get(0..5)?,
        identification: code.get(5..9)?,
        specimen: code.get(9..12)?,
        method: code.get(12..15)?,
        result: code.get(15..)?,
    })
}

/// 17 characters: one digit, one letter, three digits; 4-character identification; 3-digit specimen;
/// 3-character method; 2-character result id.
///
/// Capital letters are real in the analyte (second character), in identification, method and
/// result id; the specimen is all digits. Hyphens are not allowed.
pub fn is_jlac10(code: &str) -> bool {
    code.len() == 17 && has_jlac10_head(code.as_bytes())
}

/// The 15-character form without result id, normal in orders.
pub fn is_jlac10_order(code: &str) -> bool {
    code.len() == 15 && has_jlac10_head(code.as_bytes())
}

/// The pattern of characters 1–15, and capital letters or digits from there on.
fn has_jlac10_head(code: &[u8]) -> bool {
    code.iter().enumerate().all(|(at, byte)| match at {
        0 | 2..=4 | 9..=11 => byte.is_ascii_digit(),
        1 => byte.is_ascii_uppercase(),
        _ => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
    })
}

/// JLAC11: 17 characters of capital letters and digits.
///
/// The inner structure (測定物 5, 識別 4, 材料 3, 測定法 3, 結果単位 2) is not checked, since letters
/// are met in each part.
pub fn is_jlac11(code: &str) -> bool {
    code.len() == 17
        && code
            .bytes()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

/// A HOT code of `digits` digits (7, 9, 11 or 13).
///
/// Digit 7 of a HOT code is a check digit over the first six. Its rule is not published in the
/// sources at hand, so only the shape is checked.
pub fn is_hot(code: &str, digits: usize) -> bool {
    matches!(digits, 7 | 9 | 11 | 13) && code.len() == digits && all_digits(code)
}

/// YJ code (個別医薬品コード) or price-list code: 12 characters: 4 digits, 3 of route and
/// ingredient, form letter, 4 characters.
///
/// `1190027F1022`; the last three are `ZZZ` for a strength-level ingredient.
pub fn is_yj(code: &str) -> bool {
    code.len() == 12
        && code.bytes().enumerate().all(|(at, byte)| match at {
            0..=3 => byte.is_ascii_digit(),
            7 => byte.is_ascii_uppercase(),
            // Vaccines and other biologicals have letters in the ingredient: 631340FA….
            _ => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
        })
}

/// ICD-10: a letter, two digits, and up to two more characters after an optional dot.
///
/// `I10`, `C16.9`, `C169`, `E11.90` and the hyphen filler of Japanese masters (`I10-`) are accepted.
pub fn is_icd10(code: &str) -> bool {
    let bytes = code.as_bytes();
    let [letter, tens, ones, rest @ ..] = bytes else {
        return false;
    };
    let rest = match rest {
        [b'.', more @ ..] if !more.is_empty() => more,
        _ => rest,
    };
    letter.is_ascii_uppercase()
        && tens.is_ascii_digit()
        && ones.is_ascii_digit()
        && rest.len() <= 2
        && rest.iter().all(|b| b.is_ascii_digit() || *b == b'-')
}

/// MEDIS management number (病名管理番号, 修飾語管理番号): 8 digits.
pub fn is_medis_key_number(code: &str) -> bool {
    code.len() == 8 && all_digits(code)
}

/// MEDIS exchange code (交換用コード): 4 capital letters or digits.
pub fn is_medis_exchange(code: &str) -> bool {
    code.len() == 4
        && code
            .bytes()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

/// JAMI 標準用法コード: 16 capital letters or digits; the first is the basic class 1–4.
///
/// Local filler codes such as `9999999999999999` have the length, not the class.
pub fn is_jami_usage(code: &str) -> bool {
    let bytes = code.as_bytes();
    matches!(bytes.first(), Some(b'1'..=b'4'))
        && bytes.len() == 16
        && bytes
            .iter()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

/// JAMI 補足用法コード: 8 capital letters or digits, the first one a letter.
pub fn is_jami_usage_additional(code: &str) -> bool {
    let bytes = code.as_bytes();
    matches!(bytes.first(), Some(b'A'..=b'Z'))
        && bytes.len() == 8
        && bytes
            .iter()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

/// LOINC: 1–7 digits, hyphen, check digit.
pub fn is_loinc(code: &str) -> bool {
    let Some((number, check)) = code.split_once('-') else {
        return false;
    };
    check.len() == 1 && (1..=7).contains(&number.len()) && all_digits(number) && all_digits(check)
}

/// Insurer number (保険者番号): 8 digits, or 6 for national health insurance, with check digit.
///
/// 診療報酬請求書等の記載要領 別表 (検証番号): Luhn sum, weights 2, 1, 2, … from the right.
pub fn is_insurer_number(number: &str) -> bool {
    matches!(number.len(), 6 | 8) && has_check_digit(number)
}

/// Public payer number (公費負担者番号): 8 digits with check digit.
pub fn is_public_payer_number(number: &str) -> bool {
    number.len() == 8 && has_check_digit(number)
}

/// Recipient number (公費負担医療の受給者番号): 7 digits with check digit.
pub fn is_recipient_number(number: &str) -> bool {
    number.len() == 7 && has_check_digit(number)
}

/// What is to be said of a medical institution number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstitutionNumber {
    /// Shape and check digit are right.
    Valid,
    /// Shape is right (CLINS pattern `[0-4][0-9][1-3][0-9]{7}`), the check digit is not.
    WrongCheckDigit,
    /// Not ten digits, or an impossible prefecture or score table.
    WrongShape,
}

/// Medical institution number (保険医療機関番号), 10 digits: prefecture 2, score table 1, district 2,
/// serial 4, check digit 1; the check digit covers the first nine.
pub fn institution_number(number: &str) -> InstitutionNumber {
    let bytes = number.as_bytes();
    let shape = bytes.len() == 10
        && all_digits(number)
        && matches!(bytes.first(), Some(b'0'..=b'4'))
        && matches!(bytes.get(2), Some(b'1'..=b'3'));
    if !shape {
        InstitutionNumber::WrongShape
    } else if has_check_digit(number) {
        InstitutionNumber::Valid
    } else {
        InstitutionNumber::WrongCheckDigit
    }
}

/// Whether the last digit is the check digit of those before it: weights 2, 1, 2, 1 … leftwards,
/// two-digit products add their digits, check = (10 − sum mod 10) mod 10.
pub fn has_check_digit(number: &str) -> bool {
    if number.len() < 2 || !all_digits(number) {
        return false;
    }
    let sum = number
        .bytes()
        .rev()
        .zip([1_u32, 2].into_iter().cycle())
        .fold(0_u32, |sum, (byte, weight)| {
            let product = u32::from(byte - b'0') * weight;
            (sum + product / 10 + product % 10) % 10
        });
    sum == 0
}

/// Digits only, at least one.
fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// What a vital-sign code of the extended storage measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vital {
    /// 体温
    BodyTemperature,
    /// 呼吸数
    RespiratoryRate,
    /// 脈拍数・心拍数
    PulseRate,
    /// 収縮期血圧
    SystolicBloodPressure,
    /// 拡張期血圧
    DiastolicBloodPressure,
    /// 経皮的動脈血酸素飽和度
    OxygenSaturation,
}

impl Vital {
    /// The LOINC code and display to add to the JLAC10 coding.
    pub fn loinc(self) -> (&'static str, &'static str) {
        match self {
            Vital::BodyTemperature => ("8310-5", "Body temperature"),
            Vital::RespiratoryRate => ("9279-1", "Respiratory rate"),
            Vital::PulseRate => ("8867-4", "Heart rate"),
            Vital::SystolicBloodPressure => ("8480-6", "Systolic blood pressure"),
            Vital::DiastolicBloodPressure => ("8462-4", "Diastolic blood pressure"),
            Vital::OxygenSaturation => (
                "59408-5",
                "Oxygen saturation in Arterial blood by Pulse oximetry",
            ),
        }
    }

    /// Units in UCUM that R4's vital-signs profile of the LOINC code takes; none where R4 has no profile of
    /// the code as it stands here.
    pub fn units(self) -> &'static [&'static str] {
        match self {
            Vital::BodyTemperature => &["Cel", "[degF]"],
            Vital::RespiratoryRate | Vital::PulseRate => &["/min"],
            Vital::SystolicBloodPressure
            | Vital::DiastolicBloodPressure
            | Vital::OxygenSaturation => &[],
        }
    }

    /// Japanese name.
    pub fn ja(self) -> &'static str {
        match self {
            Vital::BodyTemperature => "体温",
            Vital::RespiratoryRate => "呼吸数",
            Vital::PulseRate => "脈拍数",
            Vital::SystolicBloodPressure => "収縮期血圧",
            Vital::DiastolicBloodPressure => "拡張期血圧",
            Vital::OxygenSaturation => "SpO2",
        }
    }
}

/// LOINC of the pair of systolic and diastolic pressure as one Observation with two components.
pub const BLOOD_PRESSURE_PANEL: (&str, &str) =
    ("85354-9", "Blood pressure panel with all children optional");

/// The vital sign a 17-character JLAC10 code stands for, by its analyte (SS-MIX2 拡張ストレージ
/// バイタルサイン): `9P100` temperature, `9P200` respiration, `9P300` pulse, `9A751`–`9A755` systolic,
/// `9A761`–`9A765` diastolic, `3H065` `SpO2`.
pub fn vital(code: &str) -> Option<Vital> {
    if !is_jlac10(code) {
        return None;
    }
    match code.get(..5)? {
        "9P100" => Some(Vital::BodyTemperature),
        "9P200" => Some(Vital::RespiratoryRate),
        "9P300" => Some(Vital::PulseRate),
        "9A751" | "9A752" | "9A753" | "9A755" => Some(Vital::SystolicBloodPressure),
        "9A761" | "9A762" | "9A763" | "9A765" => Some(Vital::DiastolicBloodPressure),
        "3H065" => Some(Vital::OxygenSaturation),
        _ => None,
    }
}

/// Whether a systolic and a diastolic code belong to one measurement: both are pressures of
/// different kind and agree in the measurement number (character 5) and in characters 6–17
/// (`9A751…` with `9A761…`, not with `9A762…`). The time of OBX-14 has to agree as well.
pub fn is_pressure_pair(a: &str, b: &str) -> bool {
    matches!(
        (vital(a), vital(b)),
        (
            Some(Vital::SystolicBloodPressure),
            Some(Vital::DiastolicBloodPressure)
        ) | (
            Some(Vital::DiastolicBloodPressure),
            Some(Vital::SystolicBloodPressure)
        )
    ) && a.get(4..) == b.get(4..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jlac10_of_17_characters_splits_5_4_3_3_2() {
        let code = split_jlac10("2B140000002211711").unwrap();
        assert_eq!(code.analyte, "2B140");
        assert_eq!(code.identification, "0000");
        assert_eq!(code.specimen, "022");
        assert_eq!(code.method, "117");
        assert_eq!(code.result, "11");
    }

    #[test]
    fn jlac10_of_15_characters_is_an_order_code_only() {
        assert!(is_jlac10_order("3A0150000023291"));
        assert!(!is_jlac10("3A0150000023291"));
        assert_eq!(split_jlac10("3A0150000023291").unwrap().result, "");
    }

    #[test]
    fn jlac10_of_16_or_with_hyphens_or_lower_case_is_refused() {
        for code in [
            "3A01500000232910",
            "3A0150000023---01",
            "3a015000002329101",
            "",
            "３A0150000023291",
            "3A0150000023291012",
        ] {
            assert!(split_jlac10(code).is_none(), "{code}");
        }
    }

    #[test]
    fn check_digits_of_the_published_numbers_are_right() {
        assert!(is_insurer_number("33120015"));
        assert!(is_public_payer_number("54016027"));
        assert_eq!(institution_number("0110113719"), InstitutionNumber::Valid);
    }

    #[test]
    fn one_changed_digit_is_noticed() {
        assert!(!is_insurer_number("33120016"));
        assert!(!is_insurer_number("33120025"));
        assert_eq!(
            institution_number("0110113710"),
            InstitutionNumber::WrongCheckDigit
        );
    }

    #[test]
    fn demonstration_institution_number_has_no_valid_shape() {
        assert_eq!(
            institution_number("9999999999"),
            InstitutionNumber::WrongShape
        );
        assert_eq!(institution_number("131123"), InstitutionNumber::WrongShape);
    }

    #[test]
    fn icd10_with_dot_without_dot_and_with_hyphen_is_accepted() {
        for code in ["I10", "C169", "C16.9", "E1190", "I10-", "M79.69"] {
            assert!(is_icd10(code), "{code}");
        }
        for code in ["", "I1", "i10", "I10.", "C16.999", "20061593"] {
            assert!(!is_icd10(code), "{code}");
        }
    }

    #[test]
    fn drug_codes_are_told_apart_by_shape() {
        assert!(is_hot("103835401", 9));
        assert!(!is_hot("1038354", 9));
        assert!(is_yj("1190027F1022"));
        assert!(is_yj("2171022F6ZZZ"));
        assert!(is_yj("6311400A1010"));
        assert!(is_yj("631340FA1029"));
        assert!(!is_yj("103835401"));
    }

    #[test]
    fn filler_usage_code_is_not_a_jami_code() {
        assert!(is_jami_usage("1013044400000000"));
        assert!(is_jami_usage("2B73000000000000"));
        assert!(!is_jami_usage("9999999999999999"));
        assert!(is_jami_usage_additional("V14NNNNN"));
        assert!(!is_jami_usage_additional("10130444"));
    }

    #[test]
    fn vital_signs_carry_loinc() {
        assert_eq!(vital("9P100000000000001").unwrap().loinc().0, "8310-5");
        assert_eq!(
            vital("9A752170100000001"),
            Some(Vital::SystolicBloodPressure)
        );
        assert_eq!(vital("9N001000000000001"), None);
    }

    #[test]
    fn pressure_pair_needs_the_same_measurement() {
        assert!(is_pressure_pair("9A751000000000001", "9A761000000000001"));
        assert!(is_pressure_pair("9A762000000000001", "9A752000000000001"));
        assert!(!is_pressure_pair("9A751000000000001", "9A762000000000001"));
        assert!(!is_pressure_pair("9A751000000000001", "9A761170100000001"));
        assert!(!is_pressure_pair("9A751000000000001", "9A751000000000001"));
    }
}
