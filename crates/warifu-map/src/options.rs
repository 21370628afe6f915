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
