//! The index: where segments and fields begin.
#![expect(
    clippy::as_conversions,
    reason = "offsets are bounded by MAX_BYTES (2^26) before any cast"
)]
#![expect(
    clippy::indexing_slicing,
    reason = "the table has 256 entries and is indexed by u8; ranges come from the scan itself"
)]
#![expect(
    clippy::cast_possible_truncation,
    reason = "offsets are bounded by MAX_BYTES (2^26) before any cast"
)]

use warifu_source::{Charset, EscapeAction};

/// Largest message the index takes: 64 MiB.
pub const MAX_BYTES: usize = 1 << 26;

/// Most segments that are read of a message, and repetitions of fields beside them: each may become
/// resources of kilobytes. Real messages have a few hundred.
pub const MAX_SEGMENTS: usize = 100_000;

/// The field holds an ESC byte: its text is not plain ASCII.
pub(crate) const F_ESC: u32 = 1;
/// The field holds a component separator.
pub(crate) const F_COMP: u32 = 2;
/// The field holds a repetition separator.
pub(crate) const F_REP: u32 = 4;
/// The field holds a sub-component separator.
pub(crate) const F_SUB: u32 = 8;
/// The field holds an escape character.
pub(crate) const F_BS: u32 = 16;
/// The field holds a byte ≥ 0x80.
pub(crate) const F_8BIT: u32 = 32;
const FLAG_BITS: u32 = 6;

/// Kind of a mark: a component separator.
pub(crate) const M_COMP: u32 = 0;
/// Kind of a mark: a repetition separator.
pub(crate) const M_REP: u32 = 1;
/// Kind of a mark: a sub-component separator.
pub(crate) const M_SUB: u32 = 2;
/// Kind of a mark: ESC or SO; the text up to the next mark is not plain ASCII.
pub(crate) const M_SHIFT: u32 = 3;
/// Bits of a mark's kind.
pub(crate) const KIND_BITS: u32 = 2;

/// The five delimiters of a message, read from MSH-1 and MSH-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiters {
    /// Field separator, `|`.
    pub field: u8,
    /// Component separator, `^`.
    pub component: u8,
    /// Repetition separator, `~`.
    pub repetition: u8,
    /// Escape character, `\`.
    pub escape: u8,
    /// Sub-component separator, `&`.
    pub subcomponent: u8,
}

impl Default for Delimiters {
    fn default() -> Self {
        Self {
            field: b'|',
            component: b'^',
            repetition: b'~',
            escape: b'\\',
            subcomponent: b'&',
        }
    }
}

/// What the scan found odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NoteKind {
    /// No bytes at all.
    Empty,
    /// Does not begin with `MSH` and a separator.
    MissingMsh,
    /// A line that is no segment was read as part of the field before.
    LineContinuation,
    /// The name of a segment is in small letters.
    SmallLetters,
    /// Segments end with LF or CR LF.
    TerminatorNotCr,
    /// FS, blanks or NULs after the last segment.
    TrailingBytes,
    /// No terminator after the last segment.
    LastTerminatorMissing,
    /// Delimiters other than `|^~\&`, or more or less of them.
    UnusualDelimiters,
    /// Larger than [`MAX_BYTES`]; not indexed.
    TooLarge,
    /// More than [`MAX_SEGMENTS`] segments and repetitions; the rest is not indexed.
    TooManySegments,
}

/// An oddity with its byte range `[start, end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// What.
    pub kind: NoteKind,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A segment in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seg {
    pub(crate) name: [u8; 3],
    pub(crate) start: u32,
    /// End without the terminator.
    pub(crate) end: u32,
    pub(crate) first_field: u32,
    pub(crate) fields: u32,
}

/// Where a field begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    /// `start << 6 | flags`.
    packed: u32,
    /// Number of the first mark at or after the start.
    pub(crate) mark: u32,
}

impl Field {
    pub(crate) fn start(self) -> u32 {
        self.packed >> FLAG_BITS
    }
    pub(crate) fn flags(self) -> u32 {
        self.packed & ((1 << FLAG_BITS) - 1)
    }
}

/// What the fields of a segment below 64 hold, a bit for each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bits {
    /// Any byte.
    pub(crate) filled: u64,
    /// A separator.
    pub(crate) parted: u64,
    /// The bit of the next field, none behind field 63.
    next: u64,
}

impl Default for Bits {
    fn default() -> Self {
        Self {
            filled: 0,
            parted: 0,
            next: 1 << 1,
        }
    }
}

impl Bits {
    /// The next field, with its flags.
    #[inline]
    fn add(&mut self, filled: bool, flags: u32) {
        if filled {
            self.filled |= self.next;
            if flags & (F_COMP | F_REP | F_SUB) != 0 {
                self.parted |= self.next;
            }
        }
        self.next <<= 1;
    }
}

/// Where segments and fields begin; built by [`Index::build`], reused between messages.
#[derive(Debug)]
pub struct Index {
    pub(crate) segments: Vec<Seg>,
    pub(crate) fields: Vec<Field>,
    /// One a segment.
    pub(crate) bits: Vec<Bits>,
    /// `position << 2 | kind` of what parts fields: found once, so that no part is searched for it.
    pub(crate) marks: Vec<u32>,
    pub(crate) delimiters: Delimiters,
    pub(crate) charset: Charset,
    notes: Vec<Note>,
    /// Repetitions of all fields, the first of each not counted.
    repetitions: usize,
    eight_bit: bool,
    /// Whether any field holds an escape character.
    escapes: bool,
    /// Reused while values are decoded.
    pub(crate) scratch: std::cell::RefCell<String>,
    /// Made when a message has more than a few segments and somebody asks.
    names: std::cell::OnceCell<Names>,
    /// The repetition, component and sub-component that were located last: the next ones mostly
    /// follow, and a field may have millions.
    pub(crate) located: std::cell::Cell<[Located; 3]>,
}

/// Where segments of a name are, for messages of many segments.
#[derive(Debug, Default)]
struct Names {
    /// First position and number of segments.
    by_name: warifu_order::Map<[u8; 3], (usize, u32)>,
    /// How many segments of its name stand up to and with each segment.
    ordinals: Vec<u32>,
}

/// Number of segments that are looked through rather than looked up.
const FEW: usize = 64;

/// A part of `outer` that was located: its number and its first byte.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Located {
    pub(crate) outer: (u32, u32),
    pub(crate) number: u32,
    pub(crate) start: u32,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            segments: Vec::with_capacity(64),
            fields: Vec::with_capacity(1024),
            bits: Vec::with_capacity(64),
            marks: Vec::with_capacity(1024),
            delimiters: Delimiters::default(),
            charset: Charset::Iso2022Jp,
            notes: Vec::new(),
            repetitions: 0,
            eight_bit: false,
            escapes: false,
            scratch: std::cell::RefCell::new(String::new()),
            names: std::cell::OnceCell::new(),
            located: std::cell::Cell::default(),
        }
    }
}

const C_FIELD: u8 = 1;
const C_LINE: u8 = 2;
const C_ESC: u8 = 3;
const C_COMP: u8 = 4;
const C_REP: u8 = 5;
const C_SUB: u8 = 6;
const C_BS: u8 = 7;
const C_8BIT: u8 = 8;
const C_SHIFT: u8 = 9;
/// The bits of a class; none in bytes that are text.
const CLASSES: u8 = 15;

const fn class_table(d: Delimiters) -> [u8; 256] {
    let mut t = [0u8; 256];
    let mut i = 0x80;
    while i < 256 {
        t[i] = C_8BIT;
        i += 1;
    }
    t[d.subcomponent as usize] = C_SUB;
    t[d.escape as usize] = C_BS;
    t[d.repetition as usize] = C_REP;
    t[d.component as usize] = C_COMP;
    t[d.field as usize] = C_FIELD;
    t[0x0D] = C_LINE;
    t[0x0A] = C_LINE;
    t[0x1B] = C_ESC;
    t[0x0E] = C_SHIFT;
    t
}

const STANDARD: Delimiters = Delimiters {
    field: b'|',
    component: b'^',
    repetition: b'~',
    escape: b'\\',
    subcomponent: b'&',
};
static STANDARD_CLASS: [u8; 256] = class_table(STANDARD);

impl Index {
    /// Empty index with room for a usual message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Indexes one message; what was indexed before is forgotten.
    ///
    /// `charset` is `None` to let the bytes decide (the usual case). Linear in `bytes.len()`; never
    /// fails. Files above [`MAX_BYTES`] leave the index empty with a note.
    pub fn build(&mut self, bytes: &[u8], charset: Option<Charset>) {
        self.build_part(bytes, 0, charset);
    }

    /// Indexes the message that begins at `start` of a file; offsets are those of the file, whose bytes
    /// up to the end of the message are given.
    pub fn build_part(&mut self, bytes: &[u8], start: usize, charset: Option<Charset>) {
        self.segments.clear();
        self.fields.clear();
        self.bits.clear();
        self.marks.clear();
        self.notes.clear();
        self.names.take();
        self.located.take();
        self.eight_bit = false;
        self.escapes = false;
        self.delimiters = STANDARD;
        self.charset = charset.unwrap_or_default();
        if bytes.is_empty() {
            self.note(NoteKind::Empty, 0, 0);
            return;
        }
        if bytes.len() > MAX_BYTES {
            self.note(NoteKind::TooLarge, 0, 0);
            return;
        }
        // A byte order mark of UTF-8 is skipped, as are leading terminators and FS/VT of a transport.
        let mut start = if bytes.starts_with(&[0xEF, 0xBB, 0xBF]) {
            start.max(3)
        } else {
            start
        };
        while bytes.get(start).is_some_and(|b| is_leading(*b)) {
            start += 1;
        }
        let head = &bytes[start..];
        if head.starts_with(b"MSH")
            && head.len() >= 4
            && !head[3].is_ascii_alphanumeric()
            && !matches!(head[3], b'\r' | b'\n')
        {
            self.delimiters = read_delimiters(head);
            // MSH-2 is its four characters, and no others behind them.
            let two = head[4..]
                .iter()
                .take_while(|b| !matches!(**b, b'\r' | b'\n') && **b != head[3])
                .count();
            if self.delimiters != STANDARD || two != 4 {
                // MSH-1 where the separator is another, else MSH-2.
                let first = if head[3] == STANDARD.field { 4 } else { 3 };
                let end = start + 4 + two;
                self.note(NoteKind::UnusualDelimiters, start + first, end);
            }
        } else {
            self.note(NoteKind::MissingMsh, start, (start + 3).min(bytes.len()));
        }
        let charset_known = charset.is_some_and(|c| c != Charset::Iso2022Jp);
        if charset_known {
            self.scan(bytes, start);
        } else {
            self.scan(bytes, start);
            if self.eight_bit && charset.is_none() {
                // Not ISO-2022-JP: decide for the whole file and, where trail bytes may look like
                // delimiters, scan again.
                self.charset = warifu_source::detect(&bytes[start..]);
                if matches!(self.charset, Charset::Cp932) {
                    self.segments.clear();
                    self.fields.clear();
                    self.bits.clear();
                    self.marks.clear();
                    self.notes.retain(|n| {
                        matches!(n.kind, NoteKind::UnusualDelimiters | NoteKind::MissingMsh)
                    });
                    self.scan(bytes, start);
                }
            }
        }
    }

    fn note(&mut self, kind: NoteKind, start: usize, end: usize) {
        // One note of a kind is enough for file-wide oddities; continuations are bounded.
        if kind == NoteKind::TerminatorNotCr && self.notes.iter().any(|n| n.kind == kind) {
            return;
        }
        if self.notes.len() < 256 || kind == NoteKind::TooManySegments {
            self.notes.push(Note {
                kind,
                start: start as u32,
                end: end as u32,
            });
        }
    }

    #[inline]
    fn field(&mut self, start: usize, mark: usize, flags: u32) {
        self.fields.push(Field {
            packed: (start as u32) << FLAG_BITS | flags,
            mark: mark as u32,
        });
    }
    #[inline]
    fn mark(&mut self, at: usize, kind: u32) {
        self.marks.push((at as u32) << KIND_BITS | kind);
    }

    fn scan(&mut self, bytes: &[u8], start: usize) {
        let custom;
        let class: &[u8; 256] = if self.delimiters == STANDARD {
            &STANDARD_CLASS
        } else {
            custom = class_table(self.delimiters);
            &custom
        };
        let cp932 = self.charset == Charset::Cp932;
        self.repetitions = 0;
        let mut i = start;
        // Start of the line that is being read and whether its segment is open.
        let Some(first) = self.open_line(bytes, i, true) else {
            return;
        };
        i = first;
        let (mut field_start, mut first_mark) = (i, self.marks.len());
        let mut flags = 0u32;
        let mut bits = self.first_bits(i);
        let n = bytes.len();
        let trailer = bytes
            .iter()
            .rposition(|b| !matches!(b, 0x1C | 0x00 | 0x1A | b'\r' | b'\n' | b' ' | b'\t'))
            .map_or(0, |last| last + 1);
        while i < n {
            let c = class[bytes[i] as usize];
            // Not `c == 0`: with a profile LLVM makes that a case of the jump below, one for each byte.
            if c & CLASSES == 0 {
                i += 1;
                continue;
            }
            match c {
                C_FIELD => {
                    self.field(field_start, first_mark, flags);
                    bits.add(i > field_start, flags);
                    i += 1;
                    (field_start, first_mark) = (i, self.marks.len());
                    flags = 0;
                }
                C_COMP => {
                    flags |= F_COMP;
                    self.mark(i, M_COMP);
                    i += 1;
                }
                C_ESC => {
                    flags |= F_ESC;
                    self.mark(i, M_SHIFT);
                    i = skip_escape(bytes, i);
                }
                C_SHIFT => {
                    // SO … SI: katakana shift; delimiters inside are text.
                    flags |= F_ESC;
                    self.mark(i, M_SHIFT);
                    i += 1;
                    while i < n && !matches!(bytes[i], 0x0F | b'\r' | b'\n' | 0x1B) {
                        i += 1;
                    }
                }
                C_REP => {
                    if self.is_full() {
                        self.close_segment(bytes, (field_start, first_mark), (flags, bits), i);
                        self.note(NoteKind::TooManySegments, i, n);
                        return;
                    }
                    self.repetitions += 1;
                    flags |= F_REP;
                    self.mark(i, M_REP);
                    i += 1;
                }
                C_SUB => {
                    flags |= F_SUB;
                    self.mark(i, M_SUB);
                    i += 1;
                }
                C_BS => {
                    flags |= F_BS;
                    self.escapes = true;
                    i += 1;
                }
                C_8BIT => {
                    flags |= F_8BIT;
                    self.eight_bit = true;
                    i += if cp932 { cp932_width(bytes, i) } else { 1 };
                }
                _ => {
                    let line_end = i;
                    if bytes[i] == b'\n' {
                        self.note(NoteKind::TerminatorNotCr, i, i + 1);
                    }
                    // Swallow the terminator, blank lines and transport bytes.
                    let mut next = i + 1;
                    while next < n && matches!(bytes[next], b'\r' | b'\n') {
                        if bytes[next] == b'\n' {
                            self.note(NoteKind::TerminatorNotCr, next, next + 1);
                        }
                        next += 1;
                    }
                    if next >= n {
                        self.close_segment(
                            bytes,
                            (field_start, first_mark),
                            (flags, bits),
                            line_end,
                        );
                        return;
                    }
                    if next >= trailer {
                        self.note(NoteKind::TrailingBytes, next, n);
                        self.close_segment(
                            bytes,
                            (field_start, first_mark),
                            (flags, bits),
                            line_end,
                        );
                        return;
                    }
                    if segment_start(bytes, next, self.delimiters.field).is_some() {
                        self.close_segment(
                            bytes,
                            (field_start, first_mark),
                            (flags, bits),
                            line_end,
                        );
                        if self.is_full() {
                            self.note(NoteKind::TooManySegments, next, n);
                            return;
                        }
                        match self.open_line(bytes, next, false) {
                            Some(p) => {
                                i = p;
                                (field_start, first_mark) = (p, self.marks.len());
                                flags = 0;
                                bits = self.first_bits(p);
                            }
                            None => return,
                        }
                    } else {
                        // A raw line break inside a field: keep reading the same field.
                        let stop = next
                            + bytes[next..]
                                .iter()
                                .take(40)
                                .position(|b| matches!(b, b'\r' | b'\n' | b'|'))
                                .unwrap_or(40.min(n - next));
                        self.note(NoteKind::LineContinuation, line_end, stop);
                        i = next;
                    }
                }
            }
        }
        let mut end = n;
        while end > field_start && matches!(bytes[end - 1], 0x1C | 0x00 | 0x1A) {
            end -= 1;
        }
        if end < n {
            self.note(NoteKind::TrailingBytes, end, n);
        } else {
            self.note(NoteKind::LastTerminatorMissing, n, n);
        }
        self.close_segment(bytes, (field_start, first_mark), (flags, bits), end);
    }

    /// Opens the segment whose line begins at `at`; the result is the position of field 1 (or the end
    /// of the name when the segment has no field).
    fn open_line(&mut self, bytes: &[u8], at: usize, first: bool) -> Option<usize> {
        let rest = bytes.get(at..)?;
        if rest.len() < 3 && !first {
            return None;
        }
        let known = segment_start(bytes, at, self.delimiters.field);
        let name = known.unwrap_or(*b"???");
        if known.is_some_and(|name| !rest.starts_with(&name)) {
            self.note(NoteKind::SmallLetters, at, at + 3);
        }
        let first_field = self.fields.len() as u32;
        self.segments.push(Seg {
            name,
            start: at as u32,
            end: at as u32,
            first_field,
            fields: 0,
        });
        if known.is_none() {
            // Not HL7: the line counts as one field of an unknown segment.
            return Some(at);
        }
        let mut p = at + 3;
        let bare = matches!(bytes.get(p), None | Some(b'\r' | b'\n'));
        if &name == b"MSH" && !bare {
            // MSH-1 is the separator itself, MSH-2 runs to the next separator, never interpreted.
            self.field(p, self.marks.len(), 0);
            p += 1;
            let len = bytes[p..]
                .iter()
                .position(|&b| b == self.delimiters.field || b == b'\r' || b == b'\n')
                .unwrap_or(bytes.len() - p);
            if bytes.get(p + len) == Some(&self.delimiters.field) {
                self.field(p, self.marks.len(), 0);
                p += len + 1;
            }
            return Some(p);
        }
        if bytes.get(p) == Some(&self.delimiters.field) {
            p += 1;
        }
        Some(p)
    }

    /// Of the fields that opening the line gave, which are those of an MSH before `next`.
    fn first_bits(&self, next: usize) -> Bits {
        let mut bits = Bits::default();
        let first = self.segments.last().map_or(0, |seg| seg.first_field);
        let fields = self.fields.get(first as usize..).unwrap_or_default();
        for (n, field) in fields.iter().enumerate() {
            bits.add(n == 0 || next > field.start() as usize + 1, 0);
        }
        bits
    }

    fn close_segment(
        &mut self,
        bytes: &[u8],
        (field_start, first_mark): (usize, usize),
        (flags, mut bits): (u32, Bits),
        line_end: usize,
    ) {
        let mut end = line_end;
        while end > field_start && matches!(bytes[end - 1], b' ' | b'\t' | 0x1C | 0x00) {
            end -= 1;
        }
        // `ABC` without a separator has no field at all.
        let bare = |seg: &Seg| seg.start as usize + 3 >= line_end && seg.name != *b"???";
        if self.segments.last().is_some_and(|seg| !bare(seg)) {
            self.field(field_start, first_mark, flags);
            bits.add(end > field_start, flags);
        }
        if let Some(seg) = self.segments.last_mut() {
            seg.end = end as u32;
            seg.fields = self.fields.len() as u32 - seg.first_field;
            self.bits.push(bits);
        }
    }

    /// Which segment of its name the one at `position` is, from 1.
    pub(crate) fn ordinal(&self, position: usize) -> u32 {
        let Some(wanted) = self.segments.get(position) else {
            return 0;
        };
        if position < FEW {
            let name = wanted.name;
            let until = self.segments.get(..=position).unwrap_or_default();
            return until.iter().filter(|s| s.name == name).count() as u32;
        }
        self.names().ordinals.get(position).copied().unwrap_or(0)
    }

    /// Position of the first segment of a name.
    pub(crate) fn first(&self, name: [u8; 3]) -> Option<usize> {
        let early = self.segments.iter().take(FEW).position(|s| s.name == name);
        if early.is_some() || self.segments.len() <= FEW {
            return early;
        }
        self.names().by_name.get(&name).map(|(first, _)| *first)
    }

    fn names(&self) -> &Names {
        self.names.get_or_init(|| {
            let mut names = Names::default();
            for (position, s) in self.segments.iter().enumerate() {
                let (_, count) = names.by_name.entry(s.name).or_insert((position, 0));
                *count += 1;
                names.ordinals.push(*count);
            }
            names
        })
    }

    /// Whether there are several segments of a name.
    pub fn has_several(&self, name: [u8; 3]) -> bool {
        self.segments
            .iter()
            .filter(|s| s.name == name)
            .nth(1)
            .is_some()
    }

    /// Leaves out the segments from the one at `position` on.
    pub fn truncate(&mut self, position: usize) {
        self.segments.truncate(position);
        self.names.take();
    }
    /// Takes the segment at `position` for a line without a name, so that nothing is read from it.
    pub fn set_aside(&mut self, position: usize) {
        if let Some(segment) = self.segments.get_mut(position) {
            segment.name = *b"???";
        }
        self.names.take();
    }
    /// Gives back what was reserved and not filled: for one of thousands that are kept.
    pub fn fit(&mut self) {
        self.segments.shrink_to_fit();
        self.fields.shrink_to_fit();
        self.bits.shrink_to_fit();
        self.marks.shrink_to_fit();
    }
    /// Number of segments.
    pub fn segment_count(&self) -> usize {
        self.segments.len()
    }
    /// Whether it is a message: an `MSH`, and whatever follows.
    pub fn has_message(&self) -> bool {
        let lacks = |n: &Note| n.kind == NoteKind::MissingMsh;
        !self.segments.is_empty() && !self.notes.iter().any(lacks)
    }
    /// Number of segments and of repetitions, of which [`MAX_SEGMENTS`] are read.
    pub fn weight(&self) -> usize {
        self.segments.len() + self.repetitions
    }
    fn is_full(&self) -> bool {
        self.weight() >= MAX_SEGMENTS
    }
    /// Number of fields over all segments.
    pub fn field_count(&self) -> usize {
        self.fields.len()
    }
    /// Oddities met, in file order.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }
    /// The charset the values will be decoded by.
    pub fn charset(&self) -> Charset {
        self.charset
    }
    /// The delimiters in force.
    pub fn delimiters(&self) -> Delimiters {
        self.delimiters
    }
    /// Whether any of a segment's fields holds an escape character.
    pub(crate) fn has_escapes(&self, seg: &Seg) -> bool {
        if !self.escapes {
            return false;
        }
        let first = seg.first_field as usize;
        let fields = self.fields.get(first..first + seg.fields as usize);
        let flags = fields
            .unwrap_or_default()
            .iter()
            .fold(0, |all, f| all | f.packed);
        flags & F_BS != 0
    }
}

/// Position after an escape sequence and, for a double-byte or katakana designation, after the text
/// it governs (up to the next designation or line end). `at` is the ESC. The designation of ASCII
/// that ends kanji may be passed, too.
pub(crate) fn skip_escape(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    // Nearly always: kanji between `ESC $ B` and `ESC ( B`.
    if let [0x1B, b'$', b'B', text @ ..] = rest
        && let Some(len) = memchr::memchr3(0x1B, b'\r', b'\n', text)
        && let Some([0x1B, b'(', b'B', ..]) = text.get(len..)
    {
        return at + 3 + len + 3;
    }
    let escape = warifu_source::escape_at(rest);
    let mut p = at + escape.len;
    if !governs_text(escape.action) {
        return p.min(bytes.len());
    }
    loop {
        let rest = bytes.get(p..).unwrap_or_default();
        p += memchr::memchr3(0x1B, b'\r', b'\n', rest).unwrap_or(rest.len());
        if bytes.get(p) != Some(&0x1B) {
            return p;
        }
        let next = warifu_source::escape_at(bytes.get(p..).unwrap_or_default());
        match next.action {
            // Changes nothing: the text goes on.
            EscapeAction::Announce | EscapeAction::Unknown => p += next.len,
            EscapeAction::Switch(_) | EscapeAction::SwitchUnknown(_) => return p,
        }
    }
}

/// Whether what follows the sequence is text in which delimiters are halves of characters.
fn governs_text(action: EscapeAction) -> bool {
    match action {
        EscapeAction::Switch(set) | EscapeAction::SwitchUnknown(set) => !set.is_ascii_like(),
        EscapeAction::Announce | EscapeAction::Unknown => false,
    }
}

fn cp932_width(bytes: &[u8], at: usize) -> usize {
    let lead = bytes[at];
    if matches!(lead, 0x81..=0x9F | 0xE0..=0xFC)
        && matches!(bytes.get(at + 1), Some(0x40..=0x7E | 0x80..=0xFC))
    {
        2
    } else {
        1
    }
}

/// Name of the segment that begins at a place: three capitals or digits; or a name that SS-MIX2 uses in
/// small letters, right before a separator.
fn segment_start(bytes: &[u8], at: usize, separator: u8) -> Option<[u8; 3]> {
    let (name, rest) = bytes.get(at..)?.split_first_chunk::<3>()?;
    if name[0].is_ascii_uppercase() && is_name(name[1]) && is_name(name[2]) {
        let ends = rest
            .first()
            .is_none_or(|&d| d == separator || d == b'\r' || d == b'\n');
        return ends.then_some(*name);
    }
    if rest.first() != Some(&separator) {
        return None;
    }
    let name = name.map(|b| b.to_ascii_uppercase());
    NAMES.as_chunks().0.contains(&name).then_some(name)
}

/// Names of the segments that SS-MIX2's messages have.
const NAMES: &[u8] =
    b"EVNPIDPD1NK1PV1PV2DB1OBXAL1IN1ZI1IAMPRBZPRZPDORCTQ1OBRSPMNTERXERXRRXCRXAODSZE1ZE2IPC";

const fn is_name(b: u8) -> bool {
    b.is_ascii_uppercase() || b.is_ascii_digit()
}

/// What is skipped before MSH: terminators, blanks and the VT of a transport.
pub(crate) const fn is_leading(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n' | 0x0B | b' ')
}

fn read_delimiters(head: &[u8]) -> Delimiters {
    let mut d = Delimiters {
        field: head[3],
        ..STANDARD
    };
    let rest = &head[4..];
    let len = rest
        .iter()
        .take(5)
        .position(|&b| b == d.field || b == b'\r' || b == b'\n')
        .unwrap_or(rest.len().min(4));
    let chars = &rest[..len.min(4)];
    let sane = |b: u8| b.is_ascii_graphic() && !b.is_ascii_alphanumeric();
    if let Some(&b) = chars.first().filter(|b| sane(**b)) {
        d.component = b;
    }
    if let Some(&b) = chars.get(1).filter(|b| sane(**b)) {
        d.repetition = b;
    }
    if let Some(&b) = chars.get(2).filter(|b| sane(**b)) {
        d.escape = b;
    }
    if let Some(&b) = chars.get(3).filter(|b| sane(**b)) {
        d.subcomponent = b;
    }
    d
}

/// How far is looked around an `MSH` within a line, in bytes: a line of nothing else takes no longer than its length.
const FAR: usize = 1024;

/// Whether the `MSH` at a place within a line begins a message: the message before it has no last terminator.
/// Five different delimiters and the type of a message (`MSH-9`) are asked for; in a text its delimiters are
/// escaped, and between `ESC $` and `ESC (` they are halves of characters.
#[inline(never)]
pub(crate) fn begins_within(bytes: &[u8], at: usize) -> bool {
    let (before, head) = bytes.split_at_checked(at).unwrap_or_default();
    let Some(([field, component, repetition, escape, sub, again], rest)) =
        head.get(3..).and_then(|head| head.split_first_chunk::<6>())
    else {
        return false;
    };
    let delimiters = [field, component, repetition, escape, sub];
    let are_five = delimiters
        .iter()
        .enumerate()
        .all(|(n, d)| d.is_ascii_punctuation() && !delimiters[..n].contains(d));
    if !are_five || field != again {
        return false;
    }
    // MSH-9 is the seventh; more where a half of a character in those before it is a delimiter.
    let mut fields = 0;
    let mut is_named = false;
    for (n, b) in rest.iter().enumerate().take(FAR) {
        if matches!(b, b'\r' | b'\n') {
            break;
        }
        fields += usize::from(b == field);
        if b == field
            && (6..12).contains(&fields)
            && let Some([_, name @ .., last]) = rest.get(n..n + 5)
        {
            is_named |= last == component && name.iter().all(u8::is_ascii_uppercase);
        }
    }
    let near = before.get(at.saturating_sub(FAR)..).unwrap_or_default();
    let shift = memchr::memrchr(0x1B, near).and_then(|at| near.get(at..));
    let is_wide = shift.is_some_and(|text| {
        text.starts_with(b"\x1b$") && memchr::memchr2(b'\r', b'\n', text).is_none()
    });
    is_named && !is_wide
}

/// Splits a stream of messages (several `MSH` segments) into byte ranges, one a message.
///
/// A message begins at a line that starts with `MSH` and a field separator, or within a line where the message
/// before it has no last terminator; the VT of its frame (MLLP) belongs to none.
///
/// ```
/// let files = b"MSH|^~\\&|A\rPID|1||7MSH|^~\\&|A|B|C|D|20260401||ADT^A08|1\r";
/// assert_eq!(warifu_hl7::split_stream(files), [(0, 19), (19, files.len())]);
/// ```
pub fn split_stream(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut starts = Vec::new();
    // What is skipped before the first message belongs to it.
    let mark = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let first = bytes.len() - mark.len() + mark.iter().take_while(|b| is_leading(**b)).count();
    let mut at = first;
    let mut separator = None;
    loop {
        let line = bytes.get(at..).unwrap_or_default();
        if line.starts_with(b"MSH")
            && line
                .get(3)
                .is_some_and(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'\r' | b'\n'))
        {
            starts.push(if at == first { 0 } else { at });
            separator = line.get(3);
        }
        let end = memchr::memchr2(b'\r', b'\n', line);
        let stop = end.map_or(bytes.len(), |end| at + end);
        let mut within = at + 1;
        while separator.is_some()
            && let Some(found) = bytes
                .get(within..stop)
                .and_then(|rest| crate::find(rest, b"MSH", 0))
        {
            within += found;
            if bytes.get(within + 3) == separator && begins_within(bytes, within) {
                starts.push(within);
            }
            within += 3;
        }
        if end.is_none() {
            break;
        }
        at = stop + 1;
        while matches!(bytes.get(at), Some(b'\n' | 0x0B | 0x1C)) {
            at += 1;
        }
    }
    if starts.is_empty() {
        return vec![(0, bytes.len())];
    }
    let ends = starts
        .iter()
        .skip(1)
        .copied()
        .chain(std::iter::once(bytes.len()))
        .collect::<Vec<_>>();
    let unframed = |(start, mut end): (usize, usize)| {
        while end > start && bytes.get(end - 1) == Some(&0x0B) {
            end -= 1;
        }
        (start, end)
    };
    starts.into_iter().zip(ends).map(unframed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `cat` of files of which none has a last terminator.
    #[test]
    fn a_message_begins_within_a_line() {
        let one = b"MSH|^~\\&|A|\x1b$B8|\x1b(B|C|D|20260401||ADT^A08^ADT_A01|1|P|2.5\rPID|1||7|F";
        let n = one.len();
        for (frame, gap) in [("", 0), ("\x0b", 1)] {
            let three = [&one[..], frame.as_bytes(), one, frame.as_bytes(), one].concat();
            let second = n + gap;
            let want = [
                (0, n),
                (second, second + n),
                (second + n + gap, three.len()),
            ];
            assert_eq!(split_stream(&three), want);
            assert!(crate::findings::is_stream(&three));
        }
        // The one before lacks its terminator, and that is told where it ends.
        let two = [&one[..], one].concat();
        let mut index = Index::new();
        index.build_part(&two[..n], 0, None);
        let lacks = |note: &&Note| note.kind == NoteKind::LastTerminatorMissing;
        let note = index.notes().iter().find(lacks).unwrap();
        assert_eq!(usize::try_from(note.start).unwrap(), n);
        // What a text says is none.
        for text in [
            "MSH",
            "|MSH|1|2|3|4|5|6|7|ADT^A08",
            "MSH|^~\\&|A|B|C|D|20260401||9",
            "MSH|^^\\&|A|B|C|D|20260401||ADT^A08",
            "MSH\\F\\\\S\\\\R\\\\E\\\\T\\\\F\\A\\F\\B\\F\\C\\F\\D\\F\\20260401\\F\\\\F\\ADT\\S\\A08",
            "MSH#^~\\&#A#B#C#D#20260401##ADT^A08",
            "\x1b$BMSH|^~\\&|A|B|C|D|20260401||ADT^A08\x1b(B",
        ] {
            let whole = [&one[..], text.as_bytes(), b"\r"].concat();
            assert_eq!(split_stream(&whole), [(0, whole.len())], "{text}");
        }
    }

    /// What stands far from an `MSH` is not looked through for each of them: this would take hours.
    #[test]
    fn lines_of_nothing_but_beginnings_are_read_in_time() {
        for one in ["MSH|^~\\&|", "MSH|^~\\&|||||||ADT^|"] {
            let line = ["MSH|^~\\&|A\r", &one.repeat(300_000)].concat();
            let split = split_stream(line.as_bytes());
            assert_eq!(crate::findings::is_stream(line.as_bytes()), split.len() > 1);
            assert_eq!(split.len() > 2, one.contains("ADT"));
        }
    }

    /// What an interface engine writes: each message between VT and FS CR.
    #[test]
    fn frames_of_a_stream_are_no_part_of_its_messages() {
        let message = b"MSH|^~\\&|A|B|C|D|20260401||ADT^A08|1|P|2.5\rPID|1||7\r";
        let framed: Vec<u8> = [&b"\x0b"[..], message, b"\x1c\r"].concat();
        let stream = framed.repeat(3);
        let parts = split_stream(&stream);
        assert_eq!(parts.len(), 3);
        for (start, end) in parts {
            let mut index = Index::new();
            index.build_part(stream.get(..end).unwrap_or_default(), start, None);
            let arena = bumpalo::Bump::new();
            let read =
                crate::Message::new(stream.get(..end).unwrap_or_default(), &index, &arena, 0);
            assert_eq!(read.value(b"PID", 3).text, "7");
            assert_eq!(index.segment_count(), 2);
            let is_frame = |n: &Note| n.kind == NoteKind::TrailingBytes;
            assert!(index.notes().iter().all(is_frame), "{:?}", index.notes());
        }
    }

    /// A stream of small messages keeps an index of each: a hundred thousand with the room of a large message
    /// were most of a gigabyte.
    #[test]
    fn an_index_that_is_kept_has_no_room_to_spare() {
        let mut index = Index::new();
        index.build(
            b"MSH|^~\\&|A|B|C|D|20260401||ADT^A08|1|P|2.5\rPID|1||7\r",
            None,
        );
        assert!(index.fields.capacity() > 1000);
        let counts = (index.segment_count(), index.field_count());
        index.fit();
        assert_eq!((index.segment_count(), index.field_count()), counts);
        let room = index.fields.capacity() + index.marks.capacity() + index.segments.capacity();
        assert!(room < 64, "{room}");
    }
}
