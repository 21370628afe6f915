//! The 10-digit institution number (医療機関番号).

/// Institution number: prefecture 2, score table 1, institution 7 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstitutionNumber([u8; 10]);

impl InstitutionNumber {
    /// Reads exactly ten digits; blanks around them are dropped.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 10] = text.trim().as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_digit).then_some(Self(bytes))
    }

    /// The ten digits.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether the last digit is the check digit (weights 1, 2 from the left over the
    /// first nine digits). Demonstration numbers often fail.
    ///
    /// ```
    /// use warifu_ssmix2::InstitutionNumber;
    /// assert!(InstitutionNumber::parse("0110113719").unwrap().has_valid_check_digit());
    /// assert!(!InstitutionNumber::parse("1234567890").unwrap().has_valid_check_digit());
    /// ```
    pub fn has_valid_check_digit(&self) -> bool {
        let sum: u32 = self
            .0
            .iter()
            .rev()
            .enumerate()
            .map(|(place, byte)| {
                let digit = u32::from(byte.saturating_sub(b'0'));
                // The check digit itself counts once, the digit before it twice, and so on.
                let weighted = if place % 2 == 1 { digit * 2 } else { digit };
                weighted / 10 + weighted % 10
            })
            .sum();
        sum.is_multiple_of(10)
    }

    /// Whether this is a number used in examples (`9999999999`, `1234567890`,
    /// `0000000000`).
    pub fn is_demonstration(&self) -> bool {
        matches!(self.as_str(), "9999999999" | "1234567890" | "0000000000")
    }

    /// Whether the check digit is wrong; numbers used in examples carry none.
    pub fn has_wrong_check_digit(&self) -> bool {
        !self.is_demonstration() && !self.has_valid_check_digit()
    }
}

impl core::fmt::Display for InstitutionNumber {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_digits_and_nothing_else() {
        assert!(InstitutionNumber::parse(" 1310000001 ").is_some());
        assert!(InstitutionNumber::parse("131000000").is_none());
        assert!(InstitutionNumber::parse("131000000A").is_none());
        assert!(InstitutionNumber::parse("１３１").is_none());
    }

    #[test]
    fn demonstration_numbers_are_known() {
        assert!(
            InstitutionNumber::parse("9999999999")
                .unwrap()
                .is_demonstration()
        );
        assert!(
            !InstitutionNumber::parse("1310000001")
                .unwrap()
                .is_demonstration()
        );
    }
}
