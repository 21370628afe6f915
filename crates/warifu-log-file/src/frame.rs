//! The file of lines: one framed line of text a record.
//!
//! `LENGTH CHECK INDEX SALT BACK PLACE JSON` and LF: the length of what follows the check (8 hex
//! digits), the check (22 characters of base64url), the rest separated by single spaces. `BACK` is
//! the index of the subject's line before or `-`; `PLACE` is `N.PREV.SALT` or `-`.
//!
//! The check is the first 16 bytes of a hash chain over all lines so far: SHA-256 of the chain, the
//! index (8 bytes, big-endian) and the rest of the line. So a line fits only where it stands.

use warifu_log::{Hash, MAX_LINE, Place, Record, decode_url, encode_url, sha256};

/// Bytes before the checked part: length, space, check, space.
pub(crate) const HEAD: usize = 8 + 1 + 22 + 1;
/// Most bytes of the checked part.
const MAX_BODY: usize = MAX_LINE + 256;

/// One step of the chain of checks.
fn step(chain: &Hash, index: u64, body: &[u8]) -> Hash {
    sha256(&[&chain.0, &index.to_be_bytes(), body])
}

fn check(chain: &Hash) -> String {
    encode_url(chain.0.first_chunk::<16>().map_or(&[][..], |c| &c[..]))
}

/// Appends the frame of a record, and moves the chain on.
pub(crate) fn write(record: &Record, chain: &mut Hash, out: &mut Vec<u8>) {
    let Record {
        index, salt, line, ..
    } = record;
    let salt = encode_url(salt);
    let back = record.back.map_or("-".to_owned(), |b| b.to_string());
    let place = record.opening.map_or("-".to_owned(), |(salt, place)| {
        format!("{}.{}.{}", place.n, place.prev.url(), encode_url(&salt))
    });
    let body = format!("{index} {salt} {back} {place} {line}");
    *chain = step(chain, *index, body.as_bytes());
    let head = format!("{:08x} {} ", body.len(), check(chain));
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(body.as_bytes());
    out.push(b'\n');
}

/// What stands at the beginning of some bytes.
#[derive(Debug)]
pub(crate) enum Frame {
    /// A record, and how many bytes it takes. `fits` tells whether its check fits the chain.
    Record {
        record: Record,
        length: usize,
        chain: Hash,
        fits: bool,
    },
    /// The bytes end before the frame does.
    Short,
    /// No frame.
    Bad,
}

fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn body(text: &str) -> Option<Record> {
    let mut parts = text.splitn(5, ' ');
    let (index, salt) = (number(parts.next()?)?, decode_url(parts.next()?)?);
    let back = match parts.next()? {
        "-" => None,
        back => Some(number(back)?),
    };
    let opening = match parts.next()? {
        "-" => None,
        place => {
            let mut parts = place.splitn(3, '.');
            let n = number(parts.next()?)?;
            let prev = Hash::from_url(parts.next()?)?;
            Some((decode_url(parts.next()?)?, Place { n, prev }))
        }
    };
    Some(Record {
        index,
        salt,
        opening,
        back,
        line: parts.next()?.to_owned(),
    })
}

/// Reads the frame at the beginning of `bytes`, where line `index` is expected.
pub(crate) fn read(bytes: &[u8], index: u64, chain: &Hash) -> Frame {
    let Some((head, rest)) = bytes.split_at_checked(HEAD) else {
        return Frame::Short;
    };
    let read_head = || {
        let head = core::str::from_utf8(head).ok()?;
        let (length, check) = head.strip_suffix(' ')?.split_once(' ')?;
        let size = usize::from_str_radix(length, 16).ok()?;
        (format!("{size:08x}") == length && size <= MAX_BODY).then_some((size, check))
    };
    let Some((size, given)) = read_head() else {
        return Frame::Bad;
    };
    if rest.len() <= size {
        return Frame::Short;
    }
    let (text, end) = rest.split_at(size);
    let record = core::str::from_utf8(text).ok().and_then(body);
    let (Some(record), Some(b'\n')) = (record, end.first()) else {
        return Frame::Bad;
    };
    let chain = step(chain, index, text);
    Frame::Record {
        fits: record.index == index && check(&chain) == given,
        record,
        length: HEAD + size + 1,
        chain,
    }
}
