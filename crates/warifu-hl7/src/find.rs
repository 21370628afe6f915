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

/// Whether a text has a part, which is not empty. `str::contains` brings a search in two ways with it, some
/// kilobytes of a module for browsers.
///
/// ```
/// assert!(warifu_hl7::has("未告知", "告知") && !warifu_hl7::has("告", "告知"));
/// ```
pub fn has(text: &str, part: &str) -> bool {
    find(text.as_bytes(), part.as_bytes(), 0).is_some()
}
