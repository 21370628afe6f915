//! Where a few bytes stand.

/// First place of `needle`, which is looked for by its byte number `rare`, best the rarest of all.
///
/// `memchr::memmem`, made for needles of any length, is two kilobytes of wasm after gzip.
///
/// ```
/// assert_eq!(warifu_hl7::find(b"PID|MSH|", b"MSH", 0), Some(4));
/// assert_eq!(warifu_hl7::find(b"HMSMSH", b"MSH", 2), Some(3));
/// assert_eq!(warifu_hl7::find(b"MS", b"MSH", 0), None);
/// ```
pub fn find(bytes: &[u8], needle: &[u8], rare: usize) -> Option<usize> {
    let byte = *needle.get(rare)?;
    let mut from = rare;
    loop {
        let at = from + memchr::memchr(byte, bytes.get(from..)?)?;
        let start = at - rare;
        if bytes.get(start..)?.starts_with(needle) {
            return Some(start);
        }
        from = at + 1;
    }
}
