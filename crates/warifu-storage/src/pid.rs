//! Whose a message is, told without reading all of it.

use std::collections::BTreeSet;

#[cfg(feature = "fs")]
use bumpalo::Bump;
#[cfg(feature = "fs")]
use warifu_hl7::{Index, Message, split_stream};
#[cfg(feature = "fs")]
use warifu_ssmix2::{Person, person_of};

/// The persons of the messages in a file, each once: the patient number (`PID-3`, the first of each segment), or
/// where there is none a key of the bytes of name, birth date and sex, if there are name and birth date.
///
/// Of bytes as they are: a record of a journal whose header is lost is put by it, nothing else.
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
#[cfg(feature = "fs")]
pub(crate) fn is_nameless(person: &str) -> bool {
    person.starts_with('\x1e')
}

/// The persons of the messages in a file, each once, as ids name them: the same person in another encoding is
/// the same. Numbers in plain ASCII, the usual case, are read without decoding.
#[cfg(feature = "fs")]
pub(crate) fn people_of(bytes: &[u8]) -> BTreeSet<String> {
    if bytes.split(|b| matches!(b, b'\r' | b'\n')).all(is_plain) {
        return patients_of(bytes);
    }
    let mut found = BTreeSet::new();
    let mut index = Index::new();
    for (start, end) in split_stream(bytes) {
        let Some(part) = bytes.get(..end) else {
            continue;
        };
        index.build_part(part, start, None);
        let arena = Bump::new();
        let message = Message::new(part, &index, &arena, 0);
        let pids = message.segments().filter(|s| s.name() == *b"PID");
        found.extend(pids.filter_map(|pid| match person_of(pid)? {
            Person::Numbered(number) => Some(number.trim().to_owned()),
            // It can be no number.
            Person::Described([name, birth, sex]) => {
                Some(["\x1e", name, "\x1e", birth, "\x1e", sex].concat())
            }
        }));
    }
    found
}

/// Whether bytes alone tell what number a line gives: it is no `PID`, or has its number before any character
/// that is not plain.
#[cfg(feature = "fs")]
fn is_plain(line: &[u8]) -> bool {
    let leading = |b: &&u8| matches!(**b, b' ' | b'\t' | 0x0B | 0x1C);
    let line = line
        .get(line.iter().take_while(leading).count()..)
        .unwrap_or_default();
    let mut name = line.first_chunk::<3>().copied().unwrap_or_default();
    name.make_ascii_uppercase();
    let text = match &name {
        b"MSH" => return line.starts_with(br"MSH|^~\&|"),
        b"PID" => line.strip_prefix(b"PID|").unwrap_or_default(),
        _ => return !line.iter().any(|b| matches!(b, 0x0B | 0x1C)),
    };
    let mut fields = text.splitn(4, |b| *b == b'|');
    let [Some(one), Some(two), Some(three), Some(_)] = [(); 4].map(|()| fields.next()) else {
        return false;
    };
    let number = three.split(|b| b"^~&".contains(b)).next();
    let number = core::str::from_utf8(number.unwrap_or_default()).unwrap_or_default();
    let plain = |b: &u8| matches!(b, b' '..=b'~') && *b != b'\\';
    // A message may begin behind a number.
    let is_last = three.ends_with(b"MSH");
    [one, two, three].into_iter().flatten().all(plain)
        && !is_last
        && warifu_ssmix2::is_patient_number(number)
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
    use super::{patients_of, people_of};

    /// One number and one person without a number, however their characters are encoded.
    #[cfg(feature = "fs")]
    #[test]
    fn a_person_is_one_in_every_encoding() {
        let of = |number: &[u8], name: &[u8]| {
            let pid: [&[u8]; 5] = [b"PID|1||", number, b"^^^^PI||", name, b"||19680303|F\r"];
            people_of(&[&b"MSH|^~\\&|A\r"[..], &pid.concat()].concat())
        };
        let number = of(b"0012", b"A^B");
        assert_eq!(number, ["0012".to_owned()].into());
        for same in [
            &b"\x1b(J0012\x1b(B"[..],
            b"0012\x1b(J\x1b(B",
            b"0012\x1b$B\x1b(B",
        ] {
            assert_eq!(of(same, b"A^B"), number);
        }
        let wide = of("１２".as_bytes(), b"A^B");
        assert_eq!(wide, ["１２".to_owned()].into());
        assert_eq!(of(b"\x1b$B#1#2\x1b(B", b"\x1b$B;3ED\x1b(B"), wide);
        assert_eq!(of(b"\x82\x50\x82\x51", b"\x8e\x52\x93\x63"), wide);
        let named = of(b"", "山田^厚".as_bytes());
        assert_eq!(named, ["\x1e山田^厚\x1e19680303\x1eF".to_owned()].into());
        for same in [
            &b"\x1b$B;3ED\x1b(B^\x1b$B8|\x1b(B"[..],
            b"\x1b$@;3ED\x1b(J^\x1b$B8|\x1b(B",
        ] {
            assert_eq!(of(b"\"\"", same), named);
        }
        // Two numbers are two persons, each once.
        let two = b"MSH|^~\\&|A\rPID|1||12|\rMSH#^~\\&#A\rPID#1##13#\rMSH|^~\\&|A\rPID|1||12|\r";
        assert_eq!(people_of(two), ["12", "13"].map(str::to_owned).into());
        let behind = b"MSH|^~\\&|A\rPID|1||12MSH|^~\\&|A|B|C|D|20260401||ADT^A08|1\rPID|1||13|\r";
        assert_eq!(people_of(behind), ["12", "13"].map(str::to_owned).into());
    }

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
