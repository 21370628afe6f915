//! The transaction storage (トランザクションストレージ): journals of every insert and delete.
//!
//! A journal is a sequence of records: a header line
//! `#SSMIX,2.00,<institution>,<patient>,<care date or ->,<kind>,<order no>,<INS|DEL>,<department or ->,<time stamp>`
//! and the HL7 message after it. [`Splitter`] takes the bytes in pieces of any size and
//! gives back whole records; it never holds more than one record and the piece.

use crate::institution::InstitutionNumber;
use crate::name::{FileName, Flag, StorageKey, Timestamp};

/// What begins a header line.
pub const MARK: &[u8] = b"#SSMIX,";

/// Default limit of one record: 64 MiB.
pub const RECORD_LIMIT: usize = 64 << 20;

/// Longest header line that is kept whole.
const HEADER_LIMIT: usize = 4096;

/// What a record does (処理区分).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// `INS`: insert or update.
    Insert,
    /// `DEL`: delete.
    Delete,
}

impl Operation {
    /// Reads `INS` or `DEL`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "INS" => Some(Self::Insert),
            "DEL" => Some(Self::Delete),
            _ => None,
        }
    }

    /// `INS` or `DEL`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Insert => "INS",
            Self::Delete => "DEL",
        }
    }
}

/// Why a header line cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The line does not begin with `#SSMIX,`.
    #[error("the line does not begin with #SSMIX,")]
    Mark,
    /// Fewer than ten parts separated by commas.
    #[error("fewer than ten parts separated by commas")]
    TooFewParts,
    /// The eighth part is neither `INS` nor `DEL`.
    #[error("the operation is neither INS nor DEL")]
    Operation,
    /// Patient id or data kind is empty.
    #[error("patient id or data kind is empty")]
    EmptyPart,
}

/// Header line of a record.
///
/// # Standard
/// SS-MIX2 標準化ストレージ構成の説明, トランザクションストレージ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordHeader<'a> {
    /// Format version, e.g. `2.00`.
    pub version: &'a str,
    /// Institution id as written.
    pub institution: &'a str,
    /// Patient id.
    pub patient: &'a str,
    /// Care date or `-`.
    pub date: &'a str,
    /// Data kind.
    pub kind: &'a str,
    /// Order number or specific key.
    pub order: &'a str,
    /// Insert or delete.
    pub operation: Operation,
    /// Department as written, `-` when there is none.
    pub department: &'a str,
    /// Transaction time.
    pub timestamp: Timestamp<'a>,
}

impl<'a> RecordHeader<'a> {
    /// Reads a header line without its terminator. The kind of an extended item may
    /// contain commas: the line is read from both ends.
    ///
    /// # Errors
    /// [`HeaderError`] when the record cannot be placed.
    ///
    /// ```
    /// use warifu_ssmix2::{Operation, RecordHeader};
    /// let header = RecordHeader::parse(
    ///     "#SSMIX,2.00,1310000001,0000000123,20260401,OMP-01,000000000000001,DEL,01,20260401093015123",
    /// )?;
    /// assert_eq!(header.operation, Operation::Delete);
    /// assert_eq!(header.kind, "OMP-01");
    /// # Ok::<(), warifu_ssmix2::journal::HeaderError>(())
    /// ```
    pub fn parse(line: &'a str) -> Result<Self, HeaderError> {
        let rest = line.strip_prefix("#SSMIX,").ok_or(HeaderError::Mark)?;
        let mut front = rest.splitn(5, ',');
        let mut next = || front.next().ok_or(HeaderError::TooFewParts);
        let (version, institution, patient, date) = (
            next()?.trim(),
            next()?.trim(),
            next()?.trim(),
            next()?.trim(),
        );
        let mut back = next()?.rsplitn(5, ',');
        let mut next = || back.next().map(str::trim).ok_or(HeaderError::TooFewParts);
        let (timestamp, department, operation, order, kind) =
            (next()?, next()?, next()?, next()?, next()?);
        if patient.is_empty() || kind.is_empty() {
            return Err(HeaderError::EmptyPart);
        }
        Ok(Self {
            version,
            institution,
            patient,
            date,
            kind,
            order,
            operation: Operation::parse(operation).ok_or(HeaderError::Operation)?,
            department,
            timestamp: Timestamp(timestamp),
        })
    }

    /// The institution number, when the id has its ten digits.
    pub fn institution_number(&self) -> Option<InstitutionNumber> {
        InstitutionNumber::parse(self.institution)
    }

    /// Key of the item.
    pub const fn key(&self) -> StorageKey<'a> {
        StorageKey {
            patient: self.patient,
            date: self.date,
            kind: self.kind,
            order: self.order,
        }
    }

    /// Name the message has in the standard storage under a condition flag.
    pub fn file_name(&self, flag: Flag) -> FileName<'a> {
        FileName {
            patient: self.patient,
            date: self.date,
            kind: self.kind,
            order: self.order,
            timestamp: self.timestamp,
            department: Some(if self.department.is_empty() {
                "-"
            } else {
                self.department
            }),
            flag,
        }
    }
}

/// One record of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'b> {
    /// Header line without terminator; empty for bytes before the first header. ASCII by
    /// the standard, but extended kinds may carry Japanese in some charset.
    pub header: &'b [u8],
    /// Message as received, without the separator before the next header; only its first
    /// bytes when `dropped` is not zero.
    pub message: &'b [u8],
    /// Offset of the header in the journal.
    pub offset: u64,
    /// Line of the header in the journal, from 1; CR, LF and CR LF each end one. The message begins
    /// with the next line.
    pub line: u32,
    /// Offset of the message in the journal.
    pub message_offset: u64,
    /// Bytes of the message left out because the record is longer than the limit.
    pub dropped: u64,
    /// Whether a line end or a separator ends it: the last record of a journal that was cut has none.
    pub is_ended: bool,
}

/// What some editors write before a text in UTF-8.
pub const BOM: &[u8] = b"\xEF\xBB\xBF";

impl Record<'_> {
    /// The record, cut where a header was lost: before a message (`MSH`) below a line that begins with `#`, and
    /// before the first message of bytes without a header. The line above stands as the header then.
    ///
    /// ```
    /// use warifu_ssmix2::journal::Splitter;
    /// let mut splitter = Splitter::new();
    /// splitter.push(b"#ssmix,2.00\r\nMSH|1\r\x1c\r\n#SSMX,2.00\r\nMSH|2\r");
    /// splitter.finish();
    /// let parts = splitter.next_record().unwrap().parts();
    /// let parts: Vec<_> = parts.iter().map(|p| (p.header, p.message.trim_ascii(), p.line)).collect();
    /// assert_eq!(
    ///     parts,
    ///     [(&b"#ssmix,2.00"[..], &b"MSH|1"[..], 1), (b"#SSMX,2.00", b"MSH|2", 4)]
    /// );
    /// ```
    pub fn parts(self) -> Vec<Self> {
        if self.dropped > 0 {
            return vec![self];
        }
        let bytes = self.message;
        let mut parts: Vec<Self> = Vec::new();
        let mut whole = self;
        // The line before, if it says something: its first byte, the byte behind it, and its number.
        let mut above: Option<(usize, usize, u32)> = None;
        let mut wants_message = self.header.is_empty();
        let (mut from, mut start) = (0, 0);
        let mut line = self.line + u32::from(!self.header.is_empty());
        while let Some(rest) = bytes.get(start..).filter(|rest| !rest.is_empty()) {
            let is_end = |b: &u8| matches!(b, b'\r' | b'\n');
            let end = start + rest.iter().position(is_end).unwrap_or(rest.len());
            let said =
                |b: &u8| !matches!(b, 0x0B | 0x1C | 0xEF | 0xBB | 0xBF) && !b.is_ascii_whitespace();
            let all = bytes.get(start..end).unwrap_or_default();
            let blank = all.iter().position(said).unwrap_or(all.len());
            let text = all.get(blank..).unwrap_or_default();
            if matches!(text, [b'M', b'S', b'H', delimiter, ..] if delimiter.is_ascii_punctuation())
            {
                let header =
                    above.filter(|(at, ..)| wants_message || bytes.get(*at) == Some(&b'#'));
                let lost = header.or_else(|| wants_message.then_some((start, start, line)));
                if let Some((at, behind, number)) = lost {
                    whole.message = trim_separator(bytes.get(from..at).unwrap_or_default());
                    whole.is_ended = true;
                    parts.push(whole);
                    let place = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
                    whole = Self {
                        header: bytes.get(at..behind).unwrap_or_default(),
                        message: &[],
                        offset: self.message_offset.saturating_add(place(at)),
                        line: number,
                        message_offset: self.message_offset.saturating_add(place(start)),
                        dropped: 0,
                        is_ended: self.is_ended,
                    };
                    from = start;
                }
                wants_message = false;
            }
            if !text.is_empty() {
                above = Some((start + blank, end, line));
            }
            let ended = bytes.get(end..).unwrap_or_default();
            start = end + if ended.starts_with(b"\r\n") { 2 } else { 1 };
            line = line.saturating_add(1);
        }
        whole.message = match from {
            0 => self.message,
            _ => bytes.get(from..).unwrap_or_default(),
        };
        parts.push(whole);
        parts.retain(|part| !part.header.is_empty() || !part.message.is_empty());
        parts
    }
}

/// Splits a journal, fed in pieces, into records.
///
/// ```
/// use warifu_ssmix2::journal::Splitter;
/// let mut splitter = Splitter::new();
/// let mut patients = Vec::new();
/// for piece in [&b"#SSMIX,2.00,1,77,-,ADT-00,9,INS,-,2026\r\nMSH|\r"[..], b"\x1c\r\n#SSM", b"IX,"] {
///     splitter.push(piece);
///     while let Some(record) = splitter.next_record() {
///         patients.push(record.message.to_vec());
///     }
/// }
/// assert_eq!(patients, [b"MSH|\r"]);
/// ```
#[derive(Debug, Clone)]
pub struct Splitter {
    buffer: Vec<u8>,
    /// Start of the record in hand.
    start: usize,
    /// No header line begins before this place, except at `start`.
    scanned: usize,
    /// Journal offset of the next byte to come minus the length of the buffer.
    base: u64,
    /// Journal offset of the record in hand.
    record_offset: u64,
    /// Bytes of the record in hand that were left out.
    dropped: u64,
    lines: Lines,
    /// Line of the record in hand.
    record_line: u32,
    limit: usize,
    finished: bool,
}

/// Lines before a place of the buffer, each byte looked at once.
#[derive(Debug, Clone, Copy, Default)]
struct Lines {
    ended: u32,
    /// What is counted of the buffer.
    counted: usize,
    after_cr: bool,
}

impl Lines {
    /// Counts up to a place; gives the line that begins there or goes on, from 1.
    fn at(&mut self, buffer: &[u8], place: usize) -> u32 {
        for b in buffer.get(self.counted..place).unwrap_or_default() {
            let cr = *b == b'\r';
            if cr || (*b == b'\n' && !self.after_cr) {
                self.ended = self.ended.saturating_add(1);
            }
            self.after_cr = cr;
        }
        self.counted = self.counted.max(place);
        self.ended.saturating_add(1)
    }
}

impl Default for Splitter {
    fn default() -> Self {
        Self::new()
    }
}

impl Splitter {
    /// A splitter with the limit of [`RECORD_LIMIT`].
    pub fn new() -> Self {
        Self::with_limit(RECORD_LIMIT)
    }

    /// A splitter that keeps at most `limit` bytes of a record (at least 4 KiB).
    pub fn with_limit(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            scanned: 0,
            base: 0,
            record_offset: 0,
            dropped: 0,
            lines: Lines::default(),
            record_line: 1,
            limit: limit.max(HEADER_LIMIT),
            finished: false,
        }
    }

    /// Adds the next bytes of the journal. Call [`Splitter::next_record`] until it gives
    /// `None` before the next call, or the buffer grows.
    pub fn push(&mut self, piece: &[u8]) {
        self.compact();
        self.buffer.extend_from_slice(piece);
    }

    /// Says that no bytes follow; [`Splitter::next_record`] then gives the last record.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    fn compact(&mut self) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.base += u64::try_from(self.start).unwrap_or(u64::MAX);
            self.scanned = self.scanned.saturating_sub(self.start);
            self.lines.counted = self.lines.counted.saturating_sub(self.start);
            self.start = 0;
        }
    }

    /// The next whole record, `None` when more bytes are needed or all were given.
    pub fn next_record(&mut self) -> Option<Record<'_>> {
        loop {
            match self.find_next_header() {
                Some(next) => {
                    // Nothing stands before the first header of most journals.
                    if next == self.start && self.dropped == 0 {
                        self.record_offset = self.offset_of(next);
                        self.scanned = next + 1;
                        continue;
                    }
                    let (start, dropped, place) = (self.start, self.dropped, self.place());
                    self.start = next;
                    self.scanned = next + 1;
                    self.dropped = 0;
                    self.record_offset = self.offset_of(next);
                    self.record_line = self.lines.at(&self.buffer, next);
                    return self
                        .buffer
                        .get(start..next)
                        .map(|bytes| record(bytes, place, dropped));
                }
                None if self.finished => {
                    let (start, dropped, place) = (self.start, self.dropped, self.place());
                    self.start = self.buffer.len();
                    self.scanned = self.start;
                    self.dropped = 0;
                    let bytes = self.buffer.get(start..).unwrap_or_default();
                    return (!bytes.is_empty()).then(|| record(bytes, place, dropped));
                }
                None => {
                    self.shed();
                    return None;
                }
            }
        }
    }

    /// Offset and line of the record in hand.
    fn place(&self) -> (u64, u32) {
        (self.record_offset, self.record_line)
    }

    fn offset_of(&self, place: usize) -> u64 {
        self.base
            .saturating_add(u64::try_from(place).unwrap_or(u64::MAX))
    }

    /// Place of the next header line at or after `scanned`.
    fn find_next_header(&mut self) -> Option<usize> {
        let mut from = self.scanned;
        loop {
            let tail = self.buffer.get(from..)?;
            let at = from + tail.iter().position(|&b| b == b'#').unwrap_or(tail.len());
            let here = self.buffer.get(at..).unwrap_or_default();
            if here.len() < MARK.len() && !self.finished {
                // Perhaps the beginning of a mark: look again with more bytes.
                self.scanned = at;
                return None;
            }
            let line_start = match at.checked_sub(1) {
                None => true,
                // A mark of the charset before the first line is none of it.
                Some(_) if self.base == 0 && self.buffer.get(..at) == Some(BOM) => true,
                Some(before) => self
                    .buffer
                    .get(before)
                    .is_some_and(|b| matches!(b, b'\r' | b'\n' | 0x1C)),
            };
            if line_start && here.starts_with(MARK) {
                return Some(at);
            }
            if here.is_empty() {
                self.scanned = at;
                return None;
            }
            from = at + 1;
        }
    }

    /// Drops the end of a record that is over the limit, all but its last byte, which
    /// tells whether a line begins.
    fn shed(&mut self) {
        let keep = self.start.saturating_add(self.limit);
        if self.scanned > keep.saturating_add(1) {
            let last = self.scanned - 1;
            let gone = last - keep;
            self.lines.at(&self.buffer, last);
            self.lines.counted = keep;
            self.buffer.drain(keep..last);
            let bytes = u64::try_from(gone).unwrap_or(u64::MAX);
            self.dropped = self.dropped.saturating_add(bytes);
            self.base = self.base.saturating_add(bytes);
            self.scanned -= gone;
        }
    }
}

fn record(bytes: &[u8], (offset, line): (u64, u32), dropped: u64) -> Record<'_> {
    let is_ended = matches!(bytes.last(), Some(b'\r' | b'\n' | 0x1C));
    if !bytes.starts_with(MARK) {
        return Record {
            header: &[],
            message: trim_separator(bytes),
            offset,
            line,
            message_offset: offset,
            dropped,
            is_ended,
        };
    }
    let end = bytes
        .iter()
        .position(|b| matches!(b, b'\r' | b'\n'))
        .unwrap_or(bytes.len());
    let (header, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    let message = rest
        .strip_prefix(b"\r\n")
        .or_else(|| rest.strip_prefix(b"\r"))
        .or_else(|| rest.strip_prefix(b"\n"))
        .unwrap_or(rest);
    let before = u64::try_from(bytes.len() - message.len()).unwrap_or(u64::MAX);
    Record {
        header,
        message_offset: offset.saturating_add(before),
        message: trim_separator(message),
        offset,
        line,
        dropped,
        is_ended,
    }
}

/// A message without what separates it from the next header: 0x1C and what follows it,
/// or a line end that is not the message's own.
fn trim_separator(message: &[u8]) -> &[u8] {
    let line_ends = message
        .iter()
        .rev()
        .take_while(|b| matches!(b, b'\r' | b'\n' | 0x1C))
        .count();
    let body = message.len() - line_ends;
    let (text, tail) = message.split_at_checked(body).unwrap_or((message, &[]));
    // The terminator the message uses between its segments.
    let own: &[u8] = match text.iter().position(|b| matches!(b, b'\r' | b'\n')) {
        Some(at) if text.get(at..).is_some_and(|rest| rest.starts_with(b"\r\n")) => b"\r\n",
        Some(at) if text.get(at) == Some(&b'\n') => b"\n",
        // One segment only: whatever it ends with.
        None if tail.starts_with(b"\r\n") => b"\r\n",
        None if tail.starts_with(b"\n") => b"\n",
        Some(_) | None => b"\r",
    };
    let kept = if tail.starts_with(own) { own.len() } else { 0 };
    message.get(..body + kept).unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head(patient: u32) -> String {
        format!("#SSMIX,2.00,1310000001,{patient},-,ADT-00,999999999999999,INS,-,20260401093015123")
    }

    /// The line a byte is in, by its definition.
    fn line_of(journal: &[u8], at: u64) -> u32 {
        let before = &journal[..usize::try_from(at).unwrap()];
        let ends = before.iter().enumerate().filter(|(n, b)| {
            **b == b'\r' || (**b == b'\n' && n.checked_sub(1).map(|n| before[n]) != Some(b'\r'))
        });
        u32::try_from(ends.count()).unwrap() + 1
    }

    fn split(journal: &[u8], piece: usize, limit: usize) -> Vec<(Vec<u8>, Vec<u8>, u64, u64)> {
        let mut splitter = Splitter::with_limit(limit);
        let mut records = Vec::new();
        let mut take = |splitter: &mut Splitter| {
            while let Some(record) = splitter.next_record() {
                assert_eq!(record.line, line_of(journal, record.offset));
                records.push((
                    record.header.to_vec(),
                    record.message.to_vec(),
                    record.offset,
                    record.dropped,
                ));
            }
        };
        for piece in journal.chunks(piece) {
            splitter.push(piece);
            take(&mut splitter);
        }
        splitter.finish();
        take(&mut splitter);
        records
    }

    #[test]
    fn records_are_split_the_same_whatever_the_pieces() {
        let (a, b) = (head(1), head(2));
        let journal =
            format!("{a}\r\nMSH|a\rPID|#SSMIX,no\r\x1c\r\n{b}\nMSH|b\rPID\r{a}\r\nMSH|c\r");
        let whole = split(journal.as_bytes(), journal.len(), RECORD_LIMIT);
        let messages: Vec<&[u8]> = whole.iter().map(|r| r.1.as_slice()).collect();
        assert_eq!(
            messages,
            [&b"MSH|a\rPID|#SSMIX,no\r"[..], b"MSH|b\rPID\r", b"MSH|c\r"]
        );
        for record in &whole {
            let at = usize::try_from(record.2).unwrap();
            assert!(journal.as_bytes()[at..].starts_with(MARK));
            assert_eq!(record.3, 0);
        }
        for piece in 1..20 {
            assert_eq!(split(journal.as_bytes(), piece, RECORD_LIMIT), whole);
        }
    }

    #[test]
    fn separators_go_and_segment_terminators_stay() {
        for (received, kept) in [
            (&b"MSH|\rPID|\r\x1c\r\n"[..], &b"MSH|\rPID|\r"[..]),
            (b"MSH|\rPID|\r\r\n", b"MSH|\rPID|\r"),
            (b"MSH|\rPID|\r\n", b"MSH|\rPID|\r"),
            (b"MSH|\r\nPID|\r\n", b"MSH|\r\nPID|\r\n"),
            (b"MSH|\nPID|\n\x1c\n", b"MSH|\nPID|\n"),
            (b"MSH|\rPID|", b"MSH|\rPID|"),
            (b"MSH|\rPID|\x1c\r\n", b"MSH|\rPID|"),
            (b"", b""),
            (b"\r\n", b"\r\n"),
        ] {
            assert_eq!(trim_separator(received), kept);
        }
    }

    #[test]
    fn bytes_before_the_first_header_are_a_record_without_header() {
        let records = split(
            format!("junk\r\n{}\rMSH|\r", head(1)).as_bytes(),
            7,
            RECORD_LIMIT,
        );
        assert_eq!(records.len(), 2);
        assert_eq!(records[0].0, b"");
        assert_eq!(records[0].1, b"junk\r\n");
        assert_eq!(records[1].2, 6);
    }

    #[test]
    fn record_over_the_limit_is_cut_and_the_next_one_is_whole() {
        for body in ["x", "xxxx\r\n", "\n", "\r\n\r"] {
            check_over_the_limit(&body.repeat(50_000 / body.len()));
        }
    }

    fn check_over_the_limit(body: &str) {
        let journal = format!("{}\r{body}\r{}\rMSH|b\r", head(1), head(2));
        for piece in [1, 999, 4096, 100_000] {
            let records = split(journal.as_bytes(), piece, 5_000);
            assert_eq!(records.len(), 2, "{piece}");
            assert_eq!(records[1].1, b"MSH|b\r");
            assert_eq!(
                records[1].2,
                u64::try_from(journal.rfind("#SSMIX").unwrap()).unwrap(),
                "{piece}"
            );
            if piece < 5_000 {
                assert!(records[0].3 > 40_000, "{piece}");
            }
        }
    }

    #[test]
    fn buffer_never_holds_more_than_a_record_and_a_piece() {
        let mut splitter = Splitter::with_limit(10_000);
        splitter.push(head(1).as_bytes());
        for _ in 0..1_000 {
            splitter.push(&[b'x'; 1_000]);
            assert!(splitter.next_record().is_none());
            assert!(splitter.buffer.len() <= 12_000);
        }
    }

    #[test]
    fn header_with_commas_in_the_kind_is_read_from_both_ends() {
        let header = RecordHeader::parse(
            "#SSMIX,2.00,1310000001,77,20260401,L1^a,b^99,KEY,DEL,-,20260401093015123",
        )
        .unwrap();
        assert_eq!(header.kind, "L1^a,b^99");
        assert_eq!(header.order, "KEY");
        assert_eq!(header.institution_number().unwrap().as_str(), "1310000001");
        assert_eq!(
            header.file_name(Flag::Deleted).to_string(),
            "77_20260401_L1^a,b^99_KEY_20260401093015123_-_0"
        );
    }

    #[test]
    fn headers_that_cannot_be_placed_say_why() {
        for (line, error) in [
            ("MSH|", HeaderError::Mark),
            ("#SSMIX,2.00,1,2,-,ADT-00,9,INS,-", HeaderError::TooFewParts),
            (
                "#SSMIX,2.00,1,2,-,ADT-00,9,UPD,-,2026",
                HeaderError::Operation,
            ),
            (
                "#SSMIX,2.00,1,,-,ADT-00,9,INS,-,2026",
                HeaderError::EmptyPart,
            ),
        ] {
            assert_eq!(RecordHeader::parse(line), Err(error), "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_lose_nothing_but_separators(
            parts in prop::collection::vec(prop_oneof![
                Just(b"#SSMIX,".to_vec()), Just(b"\r".to_vec()), Just(b"\n".to_vec()),
                Just(b"\x1c\r\n".to_vec()), prop::collection::vec(any::<u8>(), 0..8),
            ], 0..40),
            piece in 1..9_usize,
        ) {
            let journal = parts.concat();
            let whole = split(&journal, journal.len().max(1), RECORD_LIMIT);
            prop_assert_eq!(&split(&journal, piece, RECORD_LIMIT), &whole);
            let kept: usize = whole.iter().map(|r| r.0.len() + r.1.len()).sum();
            prop_assert!(kept <= journal.len());
            let visible = |bytes: &[u8]| bytes.iter().filter(|b| !matches!(b, b'\r' | b'\n' | 0x1c)).count();
            prop_assert_eq!(whole.iter().map(|r| visible(&r.0) + visible(&r.1)).sum::<usize>(), visible(&journal));
        }
    }
}
