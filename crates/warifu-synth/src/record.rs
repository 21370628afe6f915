//! What the invented hospital writes down: people, places, codes, and how each prints as an HL7 field.

use crate::time::Stamp;
use std::fmt::{self, Display};

/// One coded value, printed `code^text^system`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code(pub &'static str, pub &'static str, pub &'static str);

impl Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}^{}^{}", self.0, self.1, self.2)
    }
}

impl Code {
    /// The code as sub-components, `code&text&system`, for use inside CQ, RPT and ZRD.
    pub fn sub(self) -> Sub {
        Sub(self)
    }
}

/// A code printed with `&`.
#[derive(Debug, Clone, Copy)]
pub struct Sub(Code);

impl Display for Sub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}&{}&{}", self.0.0, self.0.1, self.0.2)
    }
}

/// A member of staff (XCN).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Staff {
    /// Local number of the person.
    pub id: &'static str,
    /// Family name, kanji.
    pub family: &'static str,
    /// Given name, kanji.
    pub given: &'static str,
}

impl Display for Staff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // XCN-10 name type, XCN-15 representation.
        write!(
            f,
            "{}^{}^{}^^^^^^^L^^^^^I",
            self.id, self.family, self.given
        )
    }
}

/// A ward bed or a clinic (PL).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Ward, room, bed of an inpatient (type `N`).
    Ward(&'static str, &'static str, &'static str),
    /// Department code of an outpatient clinic (type `C`).
    Clinic(&'static str),
}

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ward(ward, room, bed) => write!(f, "{ward}^{room}^{bed}^^^N"),
            Self::Clinic(department) => write!(f, "{department}^^^^^C"),
        }
    }
}

/// Administrative sex (table 0001).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// `F` 女性
    Female,
    /// `M` 男性
    Male,
}

/// A patient (PID).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patient {
    /// Patient number, ten digits.
    pub id: String,
    /// Family name, kanji.
    pub family: &'static str,
    /// Given name, kanji.
    pub given: &'static str,
    /// Family name, kana.
    pub family_kana: &'static str,
    /// Given name, kana.
    pub given_kana: &'static str,
    /// Sex.
    pub sex: Sex,
    /// Day of birth.
    pub birth: Stamp,
    /// Address, one line.
    pub address: String,
    /// When the registration was last changed (PID-33).
    pub updated: Stamp,
}

impl Patient {
    /// PID-5: kanji, then kana.
    pub fn name(&self) -> impl Display + '_ {
        Name(self)
    }
}

struct Name<'a>(&'a Patient);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Patient {
            family,
            given,
            family_kana,
            given_kana,
            ..
        } = self.0;
        // XPN-7 type `L`, XPN-8 representation `I` kanji / `P` kana.
        write!(
            f,
            "{family}^{given}^^^^^L^I~{family_kana}^{given_kana}^^^^^L^P"
        )
    }
}

/// The part of PV1 that changes from message to message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit {
    /// PV1-3; `Ward` means an inpatient (PV1-2 `I`), `Clinic` an outpatient (`O`).
    pub place: Place,
    /// PV1-6 where the patient was before.
    pub prior: Option<Place>,
    /// PV1-7 attending doctor.
    pub attending: Staff,
    /// PV1-10 and the department in ORC-17 (table 0069).
    pub department: Code,
    /// PV1-17 admitting doctor.
    pub admitting: Option<Staff>,
    /// PV1-36 discharge disposition, or empty.
    pub disposition: &'static str,
    /// PV1-44 admission or arrival.
    pub admit: Option<Stamp>,
    /// PV1-45 discharge.
    pub discharge: Option<Stamp>,
}

impl Visit {
    /// A visit with nothing but its place, doctor and department.
    pub const fn at(place: Place, attending: Staff, department: Code) -> Self {
        Self {
            place,
            prior: None,
            attending,
            department,
            admitting: None,
            disposition: "",
            admit: None,
            discharge: None,
        }
    }

    /// True for an inpatient.
    pub fn is_inpatient(&self) -> bool {
        matches!(self.place, Place::Ward(..))
    }
}

/// Digits with the check digit appended that makes the Luhn sum (weights 2, 1 from the right) right.
///
/// Insurer numbers, public payer and recipient numbers and the 10-digit institution number all use it.
pub fn with_check_digit(digits: &str) -> String {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit.saturating_sub(b'0'));
            let product = if place % 2 == 0 { digit * 2 } else { digit };
            product / 10 + product % 10
        })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_agree_with_published_numbers() {
        assert_eq!(with_check_digit("3312001"), "33120015");
        assert_eq!(with_check_digit("5401602"), "54016027");
        assert_eq!(with_check_digit("011011371"), "0110113719");
        assert_eq!(with_check_digit("131999999"), crate::people::INSTITUTION);
    }
}
