//! What a file is, told by its first bytes and never by its name.

/// How many bytes [`sniff`] needs to see to tell a tar archive.
pub const HEAD: usize = 512;

/// Content of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Content {
    /// No byte at all.
    Empty,
    /// HL7 v2: `MSH` (or a batch header `FHS`, `BHS`) and a delimiter.
    Hl7,
    /// Transaction journal: `#SSMIX,`.
    Journal,
    /// XML, e.g. a CDA document.
    Xml,
    /// JSON object or array.
    Json,
    /// Zip archive.
    Zip,
    /// Gzip stream.
    Gzip,
    /// Zstandard stream.
    Zstd,
    /// Tar archive.
    Tar,
    /// None of these.
    Other,
}

impl Content {
    /// Whether the content is an archive or a compressed stream.
    pub const fn is_archive(self) -> bool {
        matches!(self, Self::Zip | Self::Gzip | Self::Zstd | Self::Tar)
    }
}

/// Tells the content of a file from its first bytes, at best [`HEAD`] of them.
///
/// ```
/// use warifu_storage::{Content, sniff};
/// assert_eq!(sniff(b"MSH|^~\\&|"), Content::Hl7);
/// assert_eq!(sniff(b"PK\x03\x04"), Content::Zip);
/// assert_eq!(sniff(b""), Content::Empty);
/// ```
pub fn sniff(head: &[u8]) -> Content {
    if head.is_empty() {
        return Content::Empty;
    }
    for (magic, content) in [
        (&b"PK\x03\x04"[..], Content::Zip),
        (b"PK\x05\x06", Content::Zip),
        (b"PK\x07\x08PK\x03\x04", Content::Zip),
        (b"\x1f\x8b", Content::Gzip),
        (b"\x28\xb5\x2f\xfd", Content::Zstd),
    ] {
        if head.starts_with(magic) {
            return content;
        }
    }
    if head.starts_with(b"\xff\xfe<\0") || head.starts_with(b"\xfe\xff\0<") {
        return Content::Xml;
    }
    if is_tar(head) {
        return Content::Tar;
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let start = text
        .iter()
        .position(|b| !matches!(b, b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x1c))
        .unwrap_or(text.len());
    match text.get(start..).unwrap_or_default() {
        [b'M', b'S', b'H', delimiter, ..] | [b'F' | b'B', b'H', b'S', delimiter, ..]
            if delimiter.is_ascii_punctuation() =>
        {
            Content::Hl7
        }
        [b'<', ..] => Content::Xml,
        [b'{' | b'[', ..] => Content::Json,
        text if text.starts_with(b"#SSMIX,") => Content::Journal,
        _ => Content::Other,
    }
}

/// `ustar`, or a header whose checksum fits (archives older than POSIX).
fn is_tar(head: &[u8]) -> bool {
    let Some(header) = head.get(..HEAD) else {
        return false;
    };
    if header.get(257..262) == Some(b"ustar") {
        return true;
    }
    let (Some(name), Some(field)) = (header.first(), header.get(148..156)) else {
        return false;
    };
    let stored = field
        .iter()
        .filter(|b| (b'0'..=b'7').contains(b))
        .fold(0_u64, |sum, b| sum * 8 + u64::from(b - b'0'));
    let counted: u64 = header
        .iter()
        .enumerate()
        .map(|(at, b)| {
            if (148..156).contains(&at) {
                u64::from(b' ')
            } else {
                u64::from(*b)
            }
        })
        .sum();
    *name != 0 && stored == counted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_told_by_bytes() {
        for (head, content) in [
            (&b"\x0bMSH|^~\\&|"[..], Content::Hl7),
            (b"\xef\xbb\xbfMSH|", Content::Hl7),
            (b"FHS|", Content::Hl7),
            (b"MSHA", Content::Other),
            (b"\r\n#SSMIX,2.00", Content::Journal),
            (b"  <?xml", Content::Xml),
            (b"\xff\xfe<\0?\0", Content::Xml),
            (b"{}", Content::Json),
            (b"%PDF-1.4", Content::Other),
            (b"\x28\xb5\x2f\xfd\x00", Content::Zstd),
            (b" \r\n", Content::Other),
        ] {
            assert_eq!(sniff(head), content, "{head:?}");
        }
    }

    #[test]
    fn five_hundred_zero_bytes_are_no_tar() {
        assert_eq!(sniff(&[0; 512]), Content::Other);
        assert_eq!(sniff(&[b'a'; 512]), Content::Other);
    }
}
