//! What a storage wants of a message, for everything that reads storages.

use warifu_hl7::{Message, Part, Segment, Val};

use crate::kind::{Action, DataKind};
use crate::name::NO_ORDER;

/// Whether two patient ids are equal but for leading zeros and blanks around.
///
/// ```
/// assert!(warifu_ssmix2::same_patient("0000123", "123 "));
/// assert!(!warifu_ssmix2::same_patient("0000123", "1230"));
/// ```
pub fn same_patient(a: &str, b: &str) -> bool {
    same_number(a, b)
}

/// Whether a patient id is one: not empty, and none that systems write for "none" (zeros alone, ten
/// nines, `""`).
///
/// ```
/// assert!(warifu_ssmix2::is_patient_number("0000123"));
/// assert!(!warifu_ssmix2::is_patient_number(" 0000000000"));
/// ```
pub fn is_patient_number(number: &str) -> bool {
    let number = number.trim().trim_start_matches('0');
    !matches!(number, "" | "9999999999" | "\"\"")
}

/// Whom a `PID` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Person<'a> {
    /// By a patient number.
    Numbered(&'a str),
    /// Without one: by name, birth date and sex.
    Described([&'a str; 3]),
}

/// Whom a `PID` names, in decoded text: what ids of patients are made of, and what files outside a storage are
/// put together by. `None` without a number, and a name or birth date.
pub fn person_of(pid: Segment<'_>) -> Option<Person<'_>> {
    let number = pid.field(3).value().text;
    if is_patient_number(number) {
        return Some(Person::Numbered(number));
    }
    let (name, birth) = (pid.field(5).text().text, pid.field(7).value().text);
    let is_known = !name.is_empty() && !birth.is_empty();
    is_known.then(|| Person::Described([name, birth, pid.field(8).value().text]))
}

/// Whether two order numbers are equal but for leading zeros and blanks around.
pub fn same_number(a: &str, b: &str) -> bool {
    a == b || a.trim().trim_start_matches('0') == b.trim().trim_start_matches('0')
}

/// The field that holds the care date (診療日) and its value: of the fields that may, the first that
/// is sent with a day.
pub fn care_date(kind: DataKind, message: Message<'_>) -> Option<(&'static str, Val<'_>)> {
    kind.care_date_fields().iter().find_map(|field| {
        let segment: &[u8; 3] = field.as_bytes().first_chunk()?;
        let number = field.get(4..)?.parse().ok()?;
        let value = message.first(segment)?.field(number).value();
        value.text.get(..8).is_some().then_some((*field, value))
    })
}

/// The same where it says another day than the file name, whose date is `date` (`SSM107`): all orders of
/// a file were entered on its day.
pub fn other_care_date<'m>(
    kind: DataKind,
    message: Message<'m>,
    date: &str,
) -> Option<(&'static str, Val<'m>)> {
    if date.len() != 8 {
        return None;
    }
    let (field, value) = care_date(kind, message)?;
    let differs = |v: &Val<'_>| v.text.get(..8).is_some_and(|day| day != date);
    if differs(&value) {
        return Some((field, value));
    }
    if field != "ORC-9" {
        return None;
    }
    message
        .segments()
        .filter(|s| s.name() == *b"ORC")
        .map(|s| s.field(9).value())
        .find(differs)
        .map(|value| (field, value))
}

/// ORC-2 where it is another number than the file name's (`SSM112`).
pub fn other_order_number<'m>(message: Message<'m>, order: &str) -> Option<Part<'m>> {
    if order.is_empty() || order == NO_ORDER {
        return None;
    }
    let two = message.first(b"ORC")?.field(2);
    let number = two.value();
    (!number.is_empty() && !same_number(number.text, order)).then_some(two)
}

/// MSH-9, and what its event does to files of a data kind; `None` for an event that the kind does not have
/// (`SSM106`).
pub fn event(kind: DataKind, message: Message<'_>) -> Option<(Part<'_>, Option<Action>)> {
    let nine = message.first(b"MSH")?.field(9);
    let text = |n| nine.comp(n).value().trimmed().text;
    Some((nine, kind.action(text(1), text(2))))
}

/// Data kind of a message that came without a storage name, from MSH-9 and its segments.
pub fn guess(m: Message<'_>) -> Option<DataKind> {
    use DataKind as K;
    let nine = m.first(b"MSH")?.field(9);
    let (ty, event) = (
        nine.comp(1).value().text.trim(),
        nine.comp(2).value().text.trim(),
    );
    Some(match (ty, event) {
        ("ADT", "A08" | "A23") => K::Adt00,
        ("ADT", "A54" | "A55") => K::Adt01,
        ("ADT", "A04") => K::Adt12,
        ("ADT", "A14" | "A27") => K::Adt21,
        ("ADT", "A01" | "A11") => K::Adt22,
        ("ADT", "A21" | "A52") => K::Adt31,
        ("ADT", "A22" | "A53") => K::Adt32,
        ("ADT", "A15" | "A26") => K::Adt41,
        ("ADT", "A02" | "A12") => K::Adt42,
        ("ADT", "A16" | "A25") => K::Adt51,
        ("ADT", "A03" | "A13") => K::Adt52,
        ("ADT", "A60") => K::Adt61,
        ("PPR", _) => K::Ppr01,
        ("OMD", _) => K::Omd,
        ("RDE", _) => {
            if m.first(b"RXC").is_some() {
                K::Omp02
            } else {
                K::Omp01
            }
        }
        ("RAS", _) => {
            let injected = m.first(b"RXC").is_some()
                || m.segments()
                    .any(|s| s.name() == *b"RXA" && s.field(12).is_some())
                || m.first(b"RXR").is_some_and(|s| {
                    matches!(
                        s.field(1).comp(1).value().text,
                        "IV" | "IM" | "SC" | "ID" | "IA"
                    )
                });
            if injected { K::Omp12 } else { K::Omp11 }
        }
        ("OML", _) => K::Oml01,
        ("OUL", _) => K::Oml11,
        ("OMG", _) => match m.first(b"OBR")?.field(4).comp(3).value().text.trim() {
            s if s.starts_with("JJ1017") || s.starts_with("JSHR") => K::Omg01,
            s if s.starts_with("LENDO") => K::Omg02,
            _ => K::Omg03,
        },
        ("OMI", _) => {
            if m.first(b"IPC")
                .is_some_and(|s| s.field(5).comp(1).value().text == "ES")
            {
                K::Omg12
            } else {
                K::Omg11
            }
        }
        ("ORU", "R01") => K::Omg13,
        _ => return None,
    })
}
