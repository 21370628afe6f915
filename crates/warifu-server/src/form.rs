//! `multipart/form-data` (RFC 7578): the files of a form as the command line would get them.
//!
//! A form of one file is that file, with its name. One of several is a storage: names are paths, and what
//! comes of it goes through the same reader as an archive of these files (absolute paths, `..` and the like
//! are refused there, in one place). It is read once, from where the body was kept, and never whole in memory;
//! libraries for it read ahead whatever has arrived.

use std::io::{Read, Seek as _, SeekFrom, Write as _};

use memchr::memmem::Finder;
use tempfile::SpooledTempFile;

use crate::payload::failed;
use crate::problem::{Bound, Code, Problem};

/// Files of one form.
const MOST: usize = 100_000;
/// Bytes of the head of one file.
const HEAD: usize = 16 << 10;
/// Bytes that are read at once.
const STEP: usize = 64 << 10;
/// Bytes of the files in memory; more go into a file without a name.
const IN_MEMORY: usize = 8 << 20;
/// Bytes of a block of an archive.
const BLOCK: u64 = 512;

/// Files of a form.
#[derive(Debug)]
pub(crate) struct Form {
    /// Name of the only file.
    pub(crate) name: Option<String>,
    files: SpooledTempFile,
    /// Where the only file lies.
    only: Option<(u64, u64)>,
}

impl Form {
    /// The only file, or an archive of all.
    ///
    /// # Errors
    /// The disk.
    pub(crate) fn reader(&mut self) -> Result<Box<dyn Read + '_>, Problem> {
        let (from, length) = self.only.unwrap_or((0, u64::MAX));
        let sought = self.files.seek(SeekFrom::Start(from));
        sought.map_err(|e| failed(&e))?;
        Ok(Box::new((&mut self.files).take(length)))
    }
}

/// The boundary of a form; `None` for another type of content.
///
/// # Errors
/// `BODY` for a form that names none.
pub(crate) fn boundary(kind: &str) -> Result<Option<String>, Problem> {
    let (media, rest) = kind.split_once(';').unwrap_or((kind, ""));
    if !media.trim().eq_ignore_ascii_case("multipart/form-data") {
        return Ok(None);
    }
    let found = parameter(rest, "boundary").filter(|b| (1..=70).contains(&b.len()));
    Ok(Some(found.ok_or(Code::Body)?))
}

/// A parameter of a header: `a=b; c="d; \"e\""`.
fn parameter(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        let (own, behind) = rest.split_once('=')?;
        let value = if let Some(quoted) = behind.strip_prefix('"') {
            let mut value = String::new();
            let mut letters = quoted.char_indices();
            loop {
                match letters.next()? {
                    (at, '"') => {
                        rest = quoted.get(at + 1..).unwrap_or_default();
                        break value;
                    }
                    // Only what has to be escaped is: names of Windows have this sign for itself.
                    (at, '\\')
                        if quoted
                            .get(at + 1..)
                            .is_some_and(|r| r.starts_with(['"', '\\'])) =>
                    {
                        value.extend(letters.next().map(|(_, c)| c));
                    }
                    (_, c) => value.push(c),
                }
            }
        } else {
            let (value, behind) = behind.split_once(';').unwrap_or((behind, ""));
            rest = behind;
            value.trim().to_owned()
        };
        if own.trim().eq_ignore_ascii_case(name) {
            return Some(value);
        }
    }
}

/// Finds marks in what is read.
struct Scanner<R> {
    inner: R,
    held: Vec<u8>,
    at: usize,
}

impl<R: Read> Scanner<R> {
    /// Reads on; whether there was more.
    fn more(&mut self) -> Result<bool, Problem> {
        self.held.drain(..self.at);
        self.at = 0;
        let have = self.held.len();
        self.held.resize(have + STEP, 0);
        let room = self.held.get_mut(have..).unwrap_or_default();
        let read = loop {
            match self.inner.read(room) {
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                other => break other.map_err(|e| failed(&e)),
            }
        };
        self.held.truncate(have + read.as_ref().map_or(0, |n| *n));
        Ok(read? > 0)
    }

    /// Gives all bytes before a mark, and passes over it.
    fn until(
        &mut self,
        mark: &Finder<'_>,
        mut take: impl FnMut(&[u8]) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let length = mark.needle().len();
        loop {
            let rest = self.held.get(self.at..).unwrap_or_default();
            if let Some(found) = mark.find(rest) {
                take(rest.get(..found).unwrap_or_default())?;
                self.at += found + length;
                return Ok(());
            }
            // The mark may have begun.
            let sure = rest.len().saturating_sub(length - 1);
            take(rest.get(..sure).unwrap_or_default())?;
            self.at += sure;
            if !self.more()? {
                return Err(Code::Body.into());
            }
        }
    }

    /// A line without its end, of so many bytes at most.
    fn line(&mut self, most: usize) -> Result<Vec<u8>, Problem> {
        let mut line = Vec::new();
        self.until(&Finder::new("\r\n"), |piece| {
            if piece.len() > most - line.len() {
                return Err(Code::Body.into());
            }
            line.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(line)
    }

    /// What stands behind a mark: the rest of its line, or the two hyphens of the last one, behind which
    /// nothing has to follow.
    fn line_or_end(&mut self) -> Result<Vec<u8>, Problem> {
        while self.held.len() - self.at < 2 {
            if !self.more()? {
                return Err(Code::Body.into());
            }
        }
        let rest = self.held.get(self.at..).unwrap_or_default();
        if rest.starts_with(b"--") {
            return Ok(b"--".to_vec());
        }
        self.line(HEAD)
    }
}

/// The name of the file whose head comes now.
fn head<R: Read>(form: &mut Scanner<R>) -> Result<String, Problem> {
    let mut left = HEAD;
    let mut name = None;
    loop {
        let line = form.line(left)?;
        left -= line.len();
        if line.is_empty() {
            // A field that is no file: what is wished stands in the address.
            return Ok(name.ok_or(Code::Body)?);
        }
        let line = String::from_utf8(line).map_err(|_| Code::Body)?;
        let (header, value) = line.split_once(':').ok_or(Code::Body)?;
        match header.trim().to_ascii_lowercase().as_str() {
            "content-disposition" => {
                let (kind, rest) = value.split_once(';').ok_or(Code::Body)?;
                if !kind.trim().eq_ignore_ascii_case("form-data") {
                    return Err(Code::Body.into());
                }
                let found = parameter(rest, "filename");
                name = found.filter(|n| !n.is_empty() && !n.contains('\0'));
            }
            "content-transfer-encoding" => {
                let plain = ["binary", "8bit", "7bit"];
                if !plain.contains(&value.trim().to_ascii_lowercase().as_str()) {
                    return Err(Code::Body.into());
                }
            }
            _ => {}
        }
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// The head of a file in an archive.
fn header(kind: tar::EntryType, name: &[u8], size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(size);
    // As it came: whether it is a path to be read is not judged here.
    if let Some(gnu) = header.as_gnu_mut() {
        for (to, from) in gnu.name.iter_mut().zip(name) {
            *to = *from;
        }
    }
    header.set_cksum();
    header
}

/// An archive that is written.
struct Writer {
    files: SpooledTempFile,
    at: u64,
}

impl Writer {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.files.write_all(bytes).map_err(|e| failed(&e))?;
        self.at += count(bytes.len());
        Ok(())
    }

    fn pad(&mut self) -> Result<(), Problem> {
        let over = self.at % BLOCK;
        let missing = usize::try_from((BLOCK - over) % BLOCK).unwrap_or(0);
        self.put([0; 512].get(..missing).unwrap_or_default())
    }

    /// Begins a file whose length is not known; gives where its head stands.
    fn begin(&mut self, name: &str) -> Result<u64, Problem> {
        if name.len() > 100 {
            let mut long = name.as_bytes().to_vec();
            long.push(0);
            let kind = tar::EntryType::GNULongName;
            self.put(header(kind, b"././@LongLink", count(long.len())).as_bytes())?;
            self.put(&long)?;
            self.pad()?;
        }
        let head = self.at;
        self.put(&[0; 512])?;
        Ok(head)
    }

    /// Ends it; gives its length.
    fn end(&mut self, head: u64, name: &str) -> Result<u64, Problem> {
        let length = self.at - head - BLOCK;
        self.pad()?;
        let own = header(tar::EntryType::Regular, name.as_bytes(), length);
        let mut write = || {
            self.files.seek(SeekFrom::Start(head))?;
            self.files.write_all(own.as_bytes())?;
            self.files.seek(SeekFrom::Start(self.at))
        };
        write().map_err(|e| failed(&e))?;
        Ok(length)
    }
}

/// Reads a form.
///
/// # Errors
/// `BODY` where it is cut off, has no file, or a field that is none; `TOO_LARGE` for too many files; the disk.
pub(crate) fn read(body: impl Read, boundary: &str) -> Result<Form, Problem> {
    let mut form = Scanner {
        inner: body,
        // The first mark may stand at the very beginning.
        held: b"\r\n".to_vec(),
        at: 0,
    };
    let mark = format!("\r\n--{boundary}");
    let mark = Finder::new(&mark);
    let mut out = Writer {
        files: tempfile::spooled_tempfile(IN_MEMORY),
        at: 0,
    };
    let (mut files, mut only, mut first) = (0, None, None);
    form.until(&mark, |_| Ok(()))?;
    loop {
        let behind = form.line_or_end()?;
        if behind.starts_with(b"--") {
            break;
        }
        if !behind.iter().all(|b| matches!(b, b' ' | b'\t')) {
            return Err(Code::Body.into());
        }
        if files == MOST {
            return Err(Problem::too_large(Bound::Files));
        }
        let name = head(&mut form)?;
        let begun = out.begin(&name)?;
        form.until(&mark, |piece| out.put(piece))?;
        let length = out.end(begun, &name)?;
        only = (files == 0).then_some((begun + BLOCK, length));
        files += 1;
        first = only.map(|_| name);
    }
    if files == 0 {
        return Err(Code::Body.into());
    }
    out.put(&[0; 1024])?;
    Ok(Form {
        name: first,
        files: out.files,
        only,
    })
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]
mod tests {
    use super::*;

    /// Gives a byte at a time, so that every mark is met in pieces.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let n = out.len().min(1);
            (&mut self.0).take(count(n)).read(&mut out[..n])
        }
    }

    fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut all = b"not a part\r\n".to_vec();
        for (name, bytes) in parts {
            all.extend_from_slice(b"--b-1 \r\nContent-Disposition: form-data; name=f; filename=\"");
            all.extend_from_slice(name.as_bytes());
            all.extend_from_slice(b"\"\r\nContent-Type: application/octet-stream\r\n\r\n");
            all.extend_from_slice(bytes);
            all.extend_from_slice(b"\r\n");
        }
        all.extend_from_slice(b"--b-1--");
        all
    }

    #[test]
    fn files_come_whole_whatever_is_in_them() {
        let long = format!("{}/x", "n".repeat(180));
        let big = vec![b'\r'; 3 * STEP + 7];
        let parts: Vec<(&str, &[u8])> = vec![
            ("a", b""),
            ("b/c", b"\r\n--b-\r\n--b-2\r\n-- b-1\r\r\n"),
            (&long, b"\0\xff"),
            ("d", &big),
        ];
        let body = form(&parts);
        for slow in [false, true] {
            let mut read = if slow {
                super::read(Slow(&body), "b-1").unwrap()
            } else {
                super::read(&*body, "b-1").unwrap()
            };
            assert_eq!(read.name, None);
            let mut archive = tar::Archive::new(read.reader().unwrap());
            let mut seen = Vec::new();
            for entry in archive.entries().unwrap() {
                let mut entry = entry.unwrap();
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).unwrap();
                let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
                seen.push((name, bytes));
            }
            let want = parts.iter().map(|(n, b)| ((*n).to_owned(), b.to_vec()));
            assert!(seen == want.collect::<Vec<_>>());
        }
        let one = form(&[("m.hl7", b"MSH|\r\n")]);
        let mut read = super::read(&*one, "b-1").unwrap();
        assert_eq!(read.name.as_deref(), Some("m.hl7"));
        let mut bytes = Vec::new();
        read.reader().unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, b"MSH|\r\n");
    }

    #[test]
    fn what_is_cut_off_or_no_form_of_files_is_refused() {
        let whole = form(&[("a", b"1"), ("b", b"2")]);
        for length in 0..whole.len() {
            let cut = super::read(&whole[..length], "b-1");
            assert_eq!(cut.unwrap_err().code(), "BODY", "{length}");
        }
        let code = |body: &str| {
            super::read(body.as_bytes(), "b")
                .unwrap_err()
                .code()
                .to_owned()
        };
        for body in [
            "--b--",
            "--b\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=x; filename=\"\"\r\n\r\n1\r\n--b--",
            "--b\r\nContent-Disposition: attachment; filename=a\r\n\r\n1\r\n--b--",
            "--b\r\nContent-Disposition: form-data; filename=a\r\nContent-Transfer-Encoding: base64\r\n\r\n1\r\n--b--",
            "--bx\r\nContent-Disposition: form-data; filename=a\r\n\r\n1\r\n--b--",
            "--b\r\n\r\n1\r\n--b--",
        ] {
            assert_eq!(code(body), "BODY", "{body}");
        }
        let many = "--b\r\nContent-Disposition: form-data; filename=a\r\n\r\n\r\n".repeat(MOST + 1);
        assert_eq!(code(&many), "TOO_LARGE");
        let head = format!("--b\r\nX: {}\r\n", "x".repeat(HEAD));
        assert_eq!(code(&head), "BODY");
    }

    #[test]
    fn parameters_are_read_as_they_are_sent() {
        let of = |kind: &str| boundary(kind).map_err(|p| p.code().to_owned());
        assert_eq!(of("application/zip"), Ok(None));
        assert_eq!(
            of("Multipart/Form-Data; boundary=x-1"),
            Ok(Some("x-1".to_owned()))
        );
        let quoted = "multipart/form-data; charset=utf-8; Boundary=\"a b\"";
        assert_eq!(of(quoted), Ok(Some("a b".to_owned())));
        for kind in [
            "multipart/form-data",
            "multipart/form-data; boundary=\"x",
            "multipart/form-data; boundary=",
        ] {
            assert_eq!(of(kind), Err("BODY".to_owned()), "{kind}");
        }
        let name = |text: &str| parameter(text, "filename");
        assert_eq!(
            name(" name=f; filename=\"a; \\\"b\\\\c\\d\""),
            Some("a; \"b\\c\\d".to_owned())
        );
        assert_eq!(name("filename=a b ; x=y"), Some("a b".to_owned()));
        assert_eq!(name("name=\"filename=x\""), None);
    }
}
