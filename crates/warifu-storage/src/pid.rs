//! Whose a message is, told without reading all of it.

use std::collections::BTreeSet;

/// The persons of the messages in a file, each once: the patient number (`PID-3`, the first of each segment), or
/// where there is none a key of the bytes of name, birth date and sex, if there are name and birth date.
///
/// Numbers are ASCII in every charset; what is none is no number.
pub(crate) fn patients_of(bytes: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    // MSH-1 and the three delimiters that may end the number.
    let mut ends = *b"|^~&";
    for line in bytes.split(|b| matches!(b, b'\r' | b'\n' | 0x0B | 0x1C)) {
        match line {
            [b'M', b'S', b'H', field, component, repetition, _, sub, ..] => {
                ends = [*field, *component, *repetition, *sub];
            }
            [b'P', b'I', b'D', field, rest @ ..] if *field == ends[0] => {
                let mut fields = fields_of(rest, *field);
                let three = fields.nth(2).unwrap_or_default();
                let number = three.split(|b| ends.contains(b)).next();
                let number = number.unwrap_or_default();
                let wide = wide_digits(number);
                let number = wide
                    .as_deref()
                    .or_else(|| core::str::from_utf8(number).ok());
                let number = number.unwrap_or_default().trim();
                let sound = number.chars().all(|c| !c.is_control());
                let person = if sound && warifu_ssmix2::is_patient_number(number) {
                    Some(number.to_owned())
                } else {
                    nameless(fields.skip(1))
                };
                found.extend(person);
            }
            _ => {}
        }
    }
    found
}

/// A number of full-width digits alone in ISO-2022-JP or CP932.
fn wide_digits(number: &[u8]) -> Option<String> {
    let number = number.trim_ascii();
    let jis = number.strip_prefix(b"\x1b$B");
    let jis = jis.and_then(|rest| rest.split_last_chunk::<3>());
    let (digits, lead, zero) = match jis {
        Some((digits, [0x1B, b'(', b'B' | b'J'])) => (digits, b'#', b'0'),
        _ => (number, 0x82, 0x4F),
    };
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    let digit = |[first, second]: &[u8; 2]| {
        let n = second
            .checked_sub(zero)
            .filter(|n| *first == lead && *n < 10)?;
        char::from_u32(u32::from('０') + u32::from(n))
    };
    let digits: Option<String> = pairs.iter().map(digit).collect();
    digits.filter(|digits| !digits.is_empty())
}

/// Whether that is the key of a person without a number.
pub(crate) fn is_nameless(person: &str) -> bool {
    person.starts_with('\x1e')
}

/// Fields of a segment: a delimiter between `ESC $` and `ESC (` is half a character.
fn fields_of(segment: &[u8], delimiter: u8) -> impl Iterator<Item = &[u8]> {
    let (mut is_wide, mut before) = (false, 0);
    segment.split(move |b| {
        match (before, *b) {
            (0x1B, b'$') => is_wide = true,
            (0x1B, b'(') => is_wide = false,
            _ => {}
        }
        before = *b;
        *b == delimiter && !is_wide
    })
}

/// Key of a person without a number, of the fields from `PID-5` on; it can be no number.
fn nameless<'b>(mut fields: impl Iterator<Item = &'b [u8]>) -> Option<String> {
    let mut next = |skipped| fields.nth(skipped).unwrap_or_default();
    let (name, birth, sex) = (next(0), next(1), next(0));
    let bytes = [b"\x1e", name, b"\x1e", birth, b"\x1e", sex].concat();
    let is_known = !name.is_empty() && !birth.is_empty();
    is_known.then(|| bytes.into_iter().map(char::from).collect())
}

#[cfg(test)]
mod tests {
    use super::patients_of;

    /// A delimiter in a name that is half a character is none.
    #[test]
    fn persons_without_a_number_are_known_by_name_and_birth_date() {
        let of = |number: &str, name: &str, birth: &str| {
            let name = format!("\x1b$B{name}\x1b(B");
            patients_of(format!("MSH|^~\\&|A\rPID|1||{number}||{name}||{birth}|F\r").as_bytes())
        };
        let one = of("", "7C|7", "19680303");
        assert_eq!(one.len(), 1);
        for none in ["0000000000", " 000 ", "9999999999^^^^PI", "\"\""] {
            assert_eq!(of(none, "7C|7", "19680303"), one, "{none}");
        }
        assert_ne!(of("", "7C|8", "19680303"), one);
        assert_ne!(of("", "7C|7", "19680304"), one);
        assert!(of("", "7C|7", "").is_empty());
        assert!(of("999999999", "7C|7", "19680303").contains("999999999"));
    }

    #[test]
    fn numbers_in_full_width_digits_are_numbers() {
        let jis = b"PID|1||\x1b$B#1#0#2\x1b(B^^^^PI\r";
        let cp932 = b"PID|1||\x82\x50\x82\x4F\x82\x51\r";
        for text in [&jis[..], cp932, "PID|1||１０２\r".as_bytes()] {
            assert_eq!(patients_of(text), ["１０２".to_owned()].into());
        }
        for none in [
            &b"PID|1||\x1b$B#1\x1b(B2\r"[..],
            b"PID|1||\x1b$B#A\x1b(B\r",
            b"PID|1||\x82\r",
        ] {
            assert!(patients_of(none).is_empty());
        }
    }

    #[test]
    fn each_person_of_a_file_is_found_once() {
        let text = b"\x0bMSH|^~\\&|A\rPID|1||0012^^^^PI~13||x\rOBX|1||PID|1||9\r\x1c\rMSH#^~\\&#A\nPID#1## 77 ^^^^PI\nMSH|^~\\&|A\rPID|1||0012\rPID|1||\rPID|1||\x1b$B1\r";
        assert_eq!(patients_of(text), ["0012", "77"].map(str::to_owned).into());
        assert!(patients_of(b"").is_empty());
    }

    /// Each is looked up, not looked for among all: of a million this would take hours.
    #[test]
    fn a_file_may_have_a_million_persons() {
        let lines: Vec<String> = (1..=1_000_000).map(|n| format!("PID|||{n}\r")).collect();
        let text = lines.concat();
        assert_eq!(patients_of(text.as_bytes()).len(), 1_000_000);
    }
}
