//! Fingerprints: what makes two findings of two runs the same one.
//!
//! The first 32 hexadecimal digits of SHA-256 over `1 \0 code \0 key \0 path \0 n`. The key of a storage
//! file is `patient/date/kind/order`, so a new timestamp or flag changes nothing; of any other file its
//! relative path. The path is the HL7 path with the segment's ordinal, so moved lines change nothing. `n`
//! counts equal findings from 1.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use warifu_ssmix2::{FileName, components};

use crate::report::FileReport;

/// The key of a file: `patient/date/kind/order` when its name is one of a storage, else its path.
pub fn key_of(path: &str) -> String {
    let parts: Vec<&str> = components(path).collect();
    let named = |back: usize| {
        let leaf = parts.len().checked_sub(back).and_then(|i| parts.get(i))?;
        let n = FileName::parse(leaf).ok()?;
        Some(format!("{}/{}/{}/{}", n.patient, n.date, n.kind, n.order))
    };
    match (named(1), named(2), parts.last()) {
        (Some(key), ..) => key,
        // A file of a content folder.
        (None, Some(key), Some(leaf)) => format!("{key}/{leaf}"),
        _ => path.trim_start_matches("./").to_owned(),
    }
}

/// The fingerprint of the `n`-th equal finding.
pub fn fingerprint(code: &str, key: &str, path: &str, n: u32) -> String {
    use std::fmt::Write as _;
    let mut hash = Sha256::new();
    hash.update(b"1\0");
    for part in [code, key, path] {
        hash.update(part.as_bytes());
        hash.update(b"\0");
    }
    hash.update(n.to_string().as_bytes());
    let mut text = String::with_capacity(32);
    for byte in hash.finalize().iter().take(16) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Gives findings their fingerprints.
///
/// It remembers 12 bytes of each finding, so that equal findings of one run are counted wherever they are:
/// versions of a file have one key.
#[derive(Debug, Default)]
pub struct Fingerprints {
    /// How often a finding occurred, by the beginning of its first fingerprint.
    seen: BTreeMap<u64, u32>,
}

impl Fingerprints {
    /// Writes the fingerprints of a file's findings, which must be sorted.
    pub fn give(&mut self, file: &mut FileReport) {
        let key = key_of(file.record.as_ref().unwrap_or(&file.path));
        for f in &mut file.findings {
            let path = f.primary.path.clone().unwrap_or_default();
            let mut print = fingerprint(&f.code, &key, &path, 1);
            let short = print
                .get(..16)
                .and_then(|h| u64::from_str_radix(h, 16).ok());
            let n = self.seen.entry(short.unwrap_or(0)).or_insert(0);
            *n += 1;
            if *n > 1 {
                print = fingerprint(&f.code, &key, &path, *n);
            }
            f.fingerprint = Some(print);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "0000000123_-_ADT-00_999999999999999_20260401093015123_-_1";

    #[test]
    fn the_published_example_has_its_fingerprint() {
        let key = key_of(&format!("s/000/000/0000000123/-/ADT-00/{NAME}"));
        assert_eq!(key, "0000000123/-/ADT-00/999999999999999");
        assert_eq!(
            fingerprint("ENC110", &key, "PID-5[2].1", 1),
            "d0971fb264c2796edeb9f73a76914e0f"
        );
    }

    #[test]
    fn flag_and_timestamp_do_not_count() {
        let later = "0000000123_-_ADT-00_999999999999999_20270401093015123_-_2";
        assert_eq!(key_of(NAME), key_of(later));
        assert_eq!(key_of("./a/b.hl7"), "a/b.hl7");
        assert_eq!(
            key_of(&format!("{NAME}/a.pdf")),
            format!("{}/a.pdf", key_of(NAME))
        );
    }
}
