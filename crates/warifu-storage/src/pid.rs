//! Whose a message is, told without reading all of it.

/// The patient numbers (`PID-3`, the first of each segment) of the messages in a file, each once.
///
/// Numbers are ASCII in every charset; one that is none is left out.
pub(crate) fn patients_of(bytes: &[u8]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    // MSH-1 and the three delimiters that may end the number.
    let mut ends = *b"|^~&";
    for line in bytes.split(|b| matches!(b, b'\r' | b'\n' | 0x0B | 0x1C)) {
        match line {
            [b'M', b'S', b'H', field, component, repetition, _, sub, ..] => {
                ends = [*field, *component, *repetition, *sub];
            }
            [b'P', b'I', b'D', field, rest @ ..] if *field == ends[0] => {
                let three = rest.split(|b| b == field).nth(2).unwrap_or_default();
                let number = three.split(|b| ends.contains(b)).next();
                let number = core::str::from_utf8(number.unwrap_or_default()).unwrap_or_default();
                let number = number.trim();
                let sound = |c: char| !c.is_control();
                if !number.is_empty()
                    && number.chars().all(sound)
                    && found.iter().all(|known| known != number)
                {
                    found.push(number.to_owned());
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::patients_of;

    #[test]
    fn each_person_of_a_file_is_found_once() {
        let text = b"\x0bMSH|^~\\&|A\rPID|1||0012^^^^PI~13||x\rOBX|1||PID|1||9\r\x1c\rMSH#^~\\&#A\nPID#1## 77 ^^^^PI\nMSH|^~\\&|A\rPID|1||0012\rPID|1||\rPID|1||\x1b$B1\r";
        assert_eq!(patients_of(text), ["0012", "77"]);
        assert!(patients_of(b"").is_empty());
    }
}
