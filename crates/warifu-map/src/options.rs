//! What a caller may choose. Everything that is not in the input comes in here: there is no clock.

use warifu_source::Charset;

/// How logical ids are made (mapping §1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdMode {
    /// UUID version 8 from an HMAC of issuer and business key (default).
    #[default]
    Keyed,
    /// The working group's published form; shows patient numbers in URLs.
    Readable,
}

/// Where the files of a document go (mapping §10a).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Attachments {
    /// Into a Binary each; one longer than [`INLINE_LIMIT`] is only named by hash, size and title.
    #[default]
    Inline,
    /// Nowhere: the attachment's `url` is the path relative to the storage root. It holds the patient
    /// number, so it has to be asked for.
    File,
}

/// Longest file of a document in bytes that becomes a Binary: its Base64 must fit what servers take.
pub const INLINE_LIMIT: usize = 16 << 20;

/// Options of a conversion.
#[derive(Debug, Clone, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a documented switch of its own"
)]
pub struct Options {
    /// The institution's 10-digit number (医療機関番号).
    pub institution: Option<String>,
    /// Kind of logical ids.
    pub ids: IdMode,
    /// The site's key for ids; `None` = the public default key.
    pub id_key: Option<Vec<u8>>,
    /// "Sent at", FHIR `instant`; `None` = the newest MSH-7 of a Bundle.
    pub sent_at: Option<String>,
    /// "Sending id": seed for Bundle ids and `urn:uuid` of a sending; `None` = derived from content.
    pub sending_id: Option<String>,
    /// Whether leaves are traced to their source.
    pub trace: bool,
    /// Whether one Provenance per file is made.
    pub provenance: bool,
    /// Charset to read by; `None` = the bytes decide.
    pub charset: Option<Charset>,
    /// Whether what JP-CLINS needs beyond the resources is kept ([`crate::Output::visits`]).
    pub clins: bool,
    /// Where the files of a document go.
    pub attachments: Attachments,
    /// Leave the readable source key out of `identifier`.
    pub without_source_identifier: bool,
}

/// Whether a text is a FHIR `instant` that exists: as HL7 writes it, it is a moment to the second.
pub fn is_instant(text: &str) -> bool {
    let bytes = text.as_bytes();
    let zoned = matches!(bytes, [.., b'Z'] | [.., b'+' | b'-', _, _, b':', _, _]);
    let mut plain = String::new();
    for (i, c) in text.char_indices() {
        match (i, c) {
            (4 | 7, '-') | (10, 'T') | (13 | 16, ':') => {}
            (4 | 7 | 10 | 13 | 16, _) => return false,
            (_, 'Z') if i + 1 == bytes.len() => {}
            (_, ':') if i + 3 == bytes.len() => {}
            (_, '0'..='9') | (19.., '.' | '+' | '-') => plain.push(c),
            _ => return false,
        }
    }
    // HL7 in Japan counts hours beyond the end of a day; FHIR does not.
    let of_day = text.get(11..13).is_some_and(|hour| hour < "24");
    zoned && of_day && warifu_hl7::time::parse(&plain).is_some_and(|t| t.second.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_recognised() {
        for (t, want) in [
            ("2026-04-01T09:30:00+09:00", true),
            ("2026-04-01T00:30:00Z", true),
            ("2026-04-01T00:30:00.123Z", true),
            ("2028-02-29T23:59:59.5-03:30", true),
            ("2026-13-01T09:30:00Z", false),
            ("2026-02-30T09:30:00Z", false),
            ("2026-04-01T25:61:00Z", false),
            ("2026-04-01T24:00:00Z", false),
            ("2026-04-01T09:30:00+99:00", false),
            ("2026-04-01T09:30:00+9:000", false),
            ("0000-00-00T00:00:00Z", false),
            ("2026-04-01T09:30:00.Z", false),
            ("2026-04-01T09:30:00.1xZ", false),
            ("2026-04-01T09:30:00 Z", false),
            ("2026-04-01T09:30:00+0900", false),
            ("2026-04-0１T09:30:00Z", false),
            ("2026-04-01 09:30:00Z", false),
            ("2026-04-01T09:30:00あ", false),
            ("2026-04-01", false),
            ("2026-04-01T09:30:00", false),
        ] {
            assert_eq!(is_instant(t), want, "{t}");
        }
    }
}
