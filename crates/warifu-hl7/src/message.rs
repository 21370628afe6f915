//! Segments, fields and their values.
#![expect(
    clippy::as_conversions,
    reason = "u32 offsets widen to usize; sub-slice offsets are bounded by MAX_BYTES"
)]
#![expect(
    clippy::cast_possible_truncation,
    reason = "offsets are bounded by MAX_BYTES (2^26)"
)]

use std::borrow::Cow;
use std::cell::Cell;

use bumpalo::Bump;
use warifu_diag::FieldPath;
use warifu_source::Charset;

use crate::index::{
    Bits, Delimiters, F_8BIT, F_BS, F_COMP, F_ESC, F_REP, F_SUB, Index, KIND_BITS, Located, M_COMP,
    M_REP, M_SHIFT, M_SUB, Seg, skip_escape,
};

/// Text of a value and the bytes it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Val<'a> {
    /// Decoded, unescaped text; empty when the field is empty or `""`.
    pub text: &'a str,
    /// First byte in the file.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// The caller's number of the message ([`Message::number`]).
    pub message: u16,
}

impl<'a> Val<'a> {
    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
    /// The value itself unless it is empty.
    pub fn some(self) -> Option<Self> {
        if self.text.is_empty() {
            None
        } else {
            Some(self)
        }
    }
    /// The same place with another text (a translation of the value).
    #[must_use]
    pub fn map(self, text: &'a str) -> Self {
        Self { text, ..self }
    }
    /// Without blanks at both ends (the byte range stays).
    #[must_use]
    pub fn trimmed(self) -> Self {
        if has_clean_ends(self.text.as_bytes()) {
            return self;
        }
        Self {
            text: self.text.trim(),
            ..self
        }
    }
}

/// Whether neither end can be a blank of any kind: the usual case, told without decoding characters.
fn has_clean_ends(b: &[u8]) -> bool {
    let graphic = |c: u8| matches!(c, 0x21..=0x7E);
    let (Some(&first), Some(&last)) = (b.first(), b.last()) else {
        return true;
    };
    // Three-byte characters from E4 on are kanji and the like; E3 80 holds the ideographic space.
    let wide = |c: Option<&[u8]>| matches!(c, Some([0xE4..=0xEF, ..] | [0xE3, 0x81..=0xBF, ..]));
    (graphic(first) || wide(b.get(..3)))
        && (graphic(last) || wide(b.len().checked_sub(3).and_then(|n| b.get(n..))))
}

/// One message: bytes, index and an arena for decoded text.
///
/// One pointer wide: segments and parts carry it and are copied all the time.
#[derive(Clone, Copy)]
pub struct Message<'a>(&'a Inner<'a>);

struct Inner<'a> {
    bytes: &'a [u8],
    index: &'a Index,
    arena: &'a Bump,
    /// The whole file as text where it is ASCII or UTF-8: plain parts are slices of it.
    utf8: Option<&'a str>,
    /// Where `utf8` begins: the first segment (a message may stand inside a stream).
    first: usize,
    number: u16,
    /// The mark that was looked up last: the next is mostly near.
    mark: Cell<u32>,
    /// Texts decoded last, each in the place its first byte has: a field is read more than once.
    decoded: [Cell<(u32, u32, &'a str)>; DECODED],
}

/// Number of decoded texts that are kept.
const DECODED: usize = 32;

impl std::fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // No content: messages hold patients' data.
        f.debug_struct("Message")
            .field("bytes", &self.0.bytes.len())
            .field("segments", &self.0.index.segments.len())
            .finish_non_exhaustive()
    }
}

impl<'a> Message<'a> {
    /// Lends the message that `index` was built from. `number` is handed on in every [`Val`].
    pub fn new(bytes: &'a [u8], index: &'a Index, arena: &'a Bump, number: u16) -> Self {
        let first = index.segments.first().map_or(0, |s| s.start as usize);
        Self(arena.alloc(Inner {
            bytes,
            index,
            arena,
            utf8: bytes.get(first..).and_then(|b| std::str::from_utf8(b).ok()),
            first,
            number,
            mark: Cell::new(0),
            decoded: [const { Cell::new((0, 0, "")) }; DECODED],
        }))
    }
    /// Plain ASCII between two offsets.
    fn plain(self, start: u32, end: u32) -> &'a str {
        match self.plain_text(start, end) {
            Some(text) => text,
            None => self.ascii(start, end),
        }
    }
    /// The same of a message that is ASCII or UTF-8 as a whole.
    #[inline]
    fn plain_text(self, start: u32, end: u32) -> Option<&'a str> {
        let first = self.0.first;
        let at = |n: u32| (n as usize).saturating_sub(first);
        self.0.utf8?.get(at(start)..at(end))
    }
    #[cold]
    fn ascii(self, start: u32, end: u32) -> &'a str {
        let bytes = self.0.bytes.get(start as usize..end as usize);
        bytes
            .and_then(|b| std::str::from_utf8(b).ok())
            .unwrap_or("")
    }
    /// Number of the first mark at or after an offset.
    #[inline(never)]
    fn mark_at(self, offset: u32) -> u32 {
        let marks = &self.0.index.marks;
        let before = |m: &u32| m >> KIND_BITS < offset;
        let last = self.0.mark.get() as usize;
        let near = marks.get(last..).unwrap_or_default();
        let after = last == 0 || marks.get(last - 1).is_some_and(before);
        let ahead = near.iter().take(8).position(|m| !before(m));
        let at = match ahead.filter(|_| after) {
            Some(ahead) => last + ahead,
            None => marks.partition_point(before),
        };
        self.0.mark.set(at as u32);
        at as u32
    }
    /// The bytes of the file.
    pub fn bytes(&self) -> &'a [u8] {
        self.0.bytes
    }
    /// The caller's number of the message.
    pub fn number(&self) -> u16 {
        self.0.number
    }
    /// The arena that decoded text lives in.
    pub fn arena(&self) -> &'a Bump {
        self.0.arena
    }
    /// Charset by which values are decoded.
    pub fn charset(&self) -> Charset {
        self.0.index.charset
    }
    /// Delimiters in force.
    pub fn delimiters(&self) -> Delimiters {
        self.0.index.delimiters
    }
    /// All segments in file order, unknown ones included.
    pub fn segments(
        &self,
    ) -> impl DoubleEndedIterator<Item = Segment<'a>> + ExactSizeIterator + use<'a> {
        let m = *self;
        (0..self.0.index.segments.len()).map(move |i| Segment {
            message: m,
            seg: m.0.index.segments.get(i).copied().unwrap_or(NO_SEGMENT),
            position: i as u32,
        })
    }
    /// Segment at a position in the file (0 = MSH).
    pub fn segment(&self, position: usize) -> Option<Segment<'a>> {
        self.0.index.segments.get(position).map(|s| Segment {
            message: *self,
            seg: *s,
            position: position as u32,
        })
    }
    /// First segment of a name.
    pub fn first(&self, name: &[u8; 3]) -> Option<Segment<'a>> {
        self.segment(self.0.index.first(*name)?)
    }
    /// First field of the first segment of a name: `value(b"MSH", 10)`; empty when absent.
    pub fn value(&self, segment: &[u8; 3], field: usize) -> Val<'a> {
        self.first(segment)
            .map(|s| s.field(field).value())
            .unwrap_or_default()
    }
    /// The segment that the byte at `offset` belongs to, its terminator included.
    pub fn segment_at(&self, offset: u32) -> Option<Segment<'a>> {
        let segments = &self.0.index.segments;
        let i = segments.partition_point(|s| s.start <= offset);
        self.segment(i.checked_sub(1)?)
    }
    /// The path of the byte at `offset`: segment, field, repetition, component, sub-component.
    pub fn locate(&self, offset: u32) -> Option<FieldPath> {
        let seg = self.segment_at(offset)?;
        let name = seg.seg.name;
        let mut path = FieldPath {
            segment: name,
            ordinal: self.0.index.ordinal(seg.position as usize),
            ..FieldPath::default()
        };
        if offset < seg.seg.start + 3 && name != *b"???" {
            return Some(path);
        }
        let fields =
            self.0.index.fields.get(
                seg.seg.first_field as usize..(seg.seg.first_field + seg.seg.fields) as usize,
            )?;
        let n = fields.partition_point(|f| f.start() <= offset);
        if n == 0 {
            return Some(path);
        }
        path.field = n as u32;
        let field = seg.field(n);
        if seg.seg.name == *b"MSH" && n <= 2 {
            return Some(path);
        }
        if !field.has_parts() {
            path.repetition = 1;
            return Some(path);
        }
        let (r, rep, repeats) = self.inside(0, field.reps(), offset)?;
        path.repetition = r;
        path.repeats = repeats;
        let (c, comp, many) = self.inside(1, rep.comps(), offset)?;
        if many {
            path.component = c;
        }
        let (s, _, many) = self.inside(2, comp.subs(), offset)?;
        if many {
            path.component = c;
            path.subcomponent = s;
        }
        Some(path)
    }
    /// The path of what holds the bytes `[start, end)`, as deep as one part holds all of them.
    pub fn locate_all(&self, start: u32, end: u32) -> Option<FieldPath> {
        let mut path = self.locate(start)?;
        if !path.repeats && path.component == 0 || end <= start + 1 {
            return Some(path);
        }
        let last = self.locate(end - 1)?;
        if (path.repetition, path.component) != (last.repetition, last.component) {
            path.component = 0;
        }
        if path.repetition != last.repetition {
            (path.repetition, path.repeats) = (0, false);
        }
        if path.component == 0 || path.subcomponent != last.subcomponent {
            path.subcomponent = 0;
        }
        Some(path)
    }
    /// Number and place of the part that holds `offset`, and whether there are several. Goes on from
    /// the part located last on this level, so that asking for all parts in order takes linear time.
    fn inside(
        self,
        level: usize,
        mut parts: Parts<'a>,
        offset: u32,
    ) -> Option<(u32, Part<'a>, bool)> {
        let outer = parts.part.span();
        if parts.part.flags & parts.flag == 0 {
            return (outer.0 <= offset).then_some((1, parts.part, false));
        }
        let mut cursors = self.0.index.located.get();
        let cursor = cursors.get_mut(level)?;
        let mut count = 0;
        if cursor.outer == outer && cursor.number > 0 && cursor.start <= offset {
            parts.next = Some((cursor.start, UNKNOWN));
            count = cursor.number - 1;
        }
        let mut found = None;
        for p in parts {
            count += 1;
            if p.start > offset {
                break;
            }
            found = Some((count, p));
        }
        let (number, part) = found?;
        *cursor = Located {
            outer,
            number,
            start: part.start,
        };
        self.0.index.located.set(cursors);
        Some((number, part, count > 1))
    }
}

const NO_SEGMENT: Seg = Seg {
    name: *b"???",
    start: 0,
    end: 0,
    first_field: 0,
    fields: 0,
};

/// A segment.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a> {
    message: Message<'a>,
    seg: Seg,
    position: u32,
}

impl<'a> Segment<'a> {
    /// Name, e.g. `*b"PID"`; `???` for a line that is no segment.
    pub fn name(&self) -> [u8; 3] {
        self.seg.name
    }
    /// Name as text.
    pub fn name_str(&self) -> &'a str {
        self.message
            .0
            .bytes
            .get(self.seg.start as usize..self.seg.start as usize + 3)
            .and_then(|b| std::str::from_utf8(b).ok())
            .unwrap_or("???")
    }
    /// The message it belongs to.
    pub fn message(&self) -> Message<'a> {
        self.message
    }
    /// Position in the message, MSH = 0.
    pub fn position(&self) -> u32 {
        self.position
    }
    /// Byte range without the terminator.
    pub fn span(&self) -> (u32, u32) {
        (self.seg.start, self.seg.end)
    }
    /// Number of fields present.
    pub fn field_count(&self) -> usize {
        self.seg.fields as usize
    }
    /// Field `n` from 1 (MSH-1 is the separator); an empty part when absent.
    pub fn field(&self, n: usize) -> Part<'a> {
        let empty = Part {
            message: self.message,
            start: self.seg.end,
            end: self.seg.end,
            flags: 0,
            mark: UNKNOWN,
        };
        if n == 0 || n > self.seg.fields as usize {
            return empty;
        }
        let fields = &self.message.0.index.fields;
        let i = self.seg.first_field as usize + n - 1;
        let Some(field) = fields.get(i) else {
            return empty;
        };
        let start = field.start();
        if n == 1 && self.seg.name == *b"MSH" {
            return Part {
                start,
                end: start + 1,
                ..empty
            };
        }
        // A field ends before the separator that stands before the next one.
        let next = fields.get(i + 1).filter(|_| n < self.seg.fields as usize);
        let end = next.map_or(self.seg.end, |next| next.start().saturating_sub(1));
        Part {
            message: self.message,
            start,
            end: end.max(start),
            flags: field.flags(),
            mark: field.mark,
        }
    }
    /// Field `n` and all behind it in one part, with the separators between them.
    pub fn rest(&self, n: usize) -> Part<'a> {
        let first = self.field(n);
        let fields = (n..=self.seg.fields as usize).map(|n| self.field(n).flags);
        Part {
            end: self.seg.end,
            flags: fields.fold(0, |all, flags| all | flags),
            ..first
        }
    }
    /// Byte ranges of HL7 escapes that are unknown or unclosed: [`Part::unknown_escapes`] of all fields.
    pub fn unknown_escapes(&self) -> Vec<(u32, u32)> {
        if !self.message.0.index.has_escapes(&self.seg) {
            return Vec::new();
        }
        self.fields()
            .flat_map(|(_, field)| field.unknown_escapes())
            .collect()
    }
    /// Numbers of the fields that have a byte: most have none.
    pub fn filled(&self) -> impl Iterator<Item = usize> + use<'a> {
        let first = self.seg.first_field as usize;
        let fields = self
            .message
            .0
            .index
            .fields
            .get(first..first + self.seg.fields as usize);
        let fields = fields.unwrap_or_default();
        let seg = self.seg;
        (1..).zip(fields).filter_map(move |(n, field)| {
            let end = fields.get(n).map_or(seg.end + 1, |next| next.start());
            (end > field.start() + 1 || n == 1 && seg.name == *b"MSH").then_some(n)
        })
    }
    /// A bit for each field below 64 that has a byte: of [`Segment::filled`].
    pub fn filled_bits(&self) -> u64 {
        self.bits().filled
    }
    /// A bit for each field below 64 that [has parts](Part::has_parts).
    pub fn parted_bits(&self) -> u64 {
        self.bits().parted
    }
    fn bits(&self) -> Bits {
        let all = &self.message.0.index.bits;
        all.get(self.position as usize).copied().unwrap_or_default()
    }
    /// All fields from 1.
    pub fn fields(&self) -> impl Iterator<Item = (usize, Part<'a>)> + use<'a> {
        let s = *self;
        (1..=self.seg.fields as usize).map(move |n| (n, s.field(n)))
    }
}

/// Beside the flags of the field: this part of it holds neither ESC nor SO.
const F_PLAIN: u32 = 1 << 8;
/// The number of a mark that has not been looked up.
const UNKNOWN: u32 = u32::MAX;

/// A field, a repetition, a component or a sub-component.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    message: Message<'a>,
    start: u32,
    end: u32,
    flags: u32,
    /// Number of the first mark of the index at or after `start`, or [`UNKNOWN`].
    mark: u32,
}

impl<'a> Part<'a> {
    /// Raw bytes as in the file, escape sequences included.
    pub fn raw(&self) -> &'a [u8] {
        self.message
            .0
            .bytes
            .get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
    /// Byte range in the file.
    pub fn span(&self) -> (u32, u32) {
        (self.start, self.end)
    }
    /// The message it belongs to.
    pub fn message(&self) -> Message<'a> {
        self.message
    }
    /// Nothing sent: no bytes, or only delimiters and blanks, and not `""`.
    pub fn is_empty(&self) -> bool {
        if self.start == self.end {
            return true;
        }
        if self.flags & F_ESC != 0 {
            return false;
        }
        let d = self.message.0.index.delimiters;
        self.raw()
            .iter()
            .all(|&b| b == d.component || b == d.repetition || b == d.subcomponent || b == b' ')
    }
    /// Whether the part has a component separator (of the whole field: perhaps in another repetition).
    pub fn has_components(&self) -> bool {
        self.flags & F_COMP != 0
    }
    /// Whether the part has a repetition separator.
    pub fn has_repetitions(&self) -> bool {
        self.flags & F_REP != 0
    }
    /// Whether the part has a sub-component separator (of the whole field).
    pub fn has_subcomponents(&self) -> bool {
        self.flags & F_SUB != 0
    }
    /// Whether the part has a separator of any kind (of the whole field).
    pub fn has_parts(&self) -> bool {
        self.flags & (F_COMP | F_REP | F_SUB) != 0
    }
    /// A bit for each component of a repetition that is not empty: bit 1 of the first, the last one of all
    /// behind the thirtieth.
    pub fn filled_components(&self) -> u32 {
        let (mut filled, mut bit, mut start) = (0, 1 << 1, self.start);
        let is_filled = |start, end| {
            let part = Part {
                start,
                end,
                ..*self
            };
            !part.is_empty()
        };
        if self.flags & F_COMP != 0 {
            let marks = self.message.0.index.marks.get(self.first_mark() as usize..);
            for m in marks.unwrap_or_default() {
                let (at, kind) = (m >> KIND_BITS, m & ((1 << KIND_BITS) - 1));
                if at >= self.end {
                    break;
                }
                if kind == M_COMP {
                    if is_filled(start, at) {
                        filled |= bit;
                    }
                    start = at + 1;
                    bit = bit << 1 | bit & 1 << 31;
                }
            }
        }
        if is_filled(start, self.end) {
            filled |= bit;
        }
        filled
    }
    /// Whether the part is `""`: explicitly nothing.
    pub fn is_null(&self) -> bool {
        self.raw() == b"\"\""
    }
    /// Whether there is a value: neither empty nor `""`.
    pub fn is_some(&self) -> bool {
        !self.is_empty() && !self.is_null()
    }
    /// Repetition `i` from 0; an empty part when absent.
    pub fn rep(&self, i: usize) -> Self {
        self.nth(M_REP, F_REP, i)
    }
    /// From one of its repetitions to another.
    pub fn until(&self, first: Self, last: Self) -> Self {
        if first.start == last.start {
            return first;
        }
        Part {
            start: first.start,
            end: last.end,
            mark: first.mark,
            ..*self
        }
    }
    /// All repetitions (one, possibly empty, at least).
    pub fn reps(&self) -> Parts<'a> {
        self.split(M_REP, F_REP)
    }
    /// Component `n` from 1 of the first repetition; an empty part when absent.
    pub fn comp(&self, n: usize) -> Self {
        let r = if self.flags & F_REP == 0 {
            *self
        } else {
            self.rep(0)
        };
        r.nth(M_COMP, F_COMP, n.saturating_sub(1))
    }
    /// All components of the first repetition.
    pub fn comps(&self) -> Parts<'a> {
        let r = if self.flags & F_REP == 0 {
            *self
        } else {
            self.rep(0)
        };
        r.split(M_COMP, F_COMP)
    }
    /// Sub-component `n` from 1; an empty part when absent.
    pub fn sub(&self, n: usize) -> Self {
        self.leaf_component().nth(M_SUB, F_SUB, n.saturating_sub(1))
    }
    /// All sub-components of the first component.
    pub fn subs(&self) -> Parts<'a> {
        self.leaf_component().split(M_SUB, F_SUB)
    }
    fn leaf_component(&self) -> Self {
        if self.flags & (F_REP | F_COMP) == 0 {
            *self
        } else {
            self.comp(1)
        }
    }
    /// Text of the first leaf (first repetition, component and sub-component), decoded and unescaped.
    pub fn value(&self) -> Val<'a> {
        const PARTED: u32 = F_REP | F_COMP | F_SUB;
        if self.flags & PARTED == 0 {
            return self.text();
        }
        let mark = self.first_mark();
        let found = self.find(mark, |kind| kind != M_SHIFT);
        let leaf = Self {
            end: found.end,
            flags: self.flags & !PARTED | found.plain,
            mark,
            ..*self
        };
        leaf.text()
    }
    /// Text of the whole part with its inner delimiters, decoded and unescaped; `""` and white space
    /// or control characters alone give no text.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub fn text(&self) -> Val<'a> {
        const ODD: u32 = F_ESC | F_8BIT | F_BS;
        // Mostly it is plain ASCII: neither blank nor `""`, as its first byte tells. In wasm, where size
        // counts, it is one with the others.
        let flags = self.flags & (ODD | F_PLAIN);
        let plain = flags & ODD == 0 || flags == F_ESC | F_PLAIN;
        if plain && !cfg!(target_arch = "wasm32") {
            let text = self.message.plain_text(self.start, self.end);
            if let Some(text) = text
                && let Some(b'#'..=b'~' | b'!') = text.as_bytes().first()
            {
                return Val {
                    text,
                    start: self.start,
                    end: self.end,
                    message: self.message.0.number,
                };
            }
        }
        self.any_text()
    }
    #[inline(never)]
    fn any_text(&self) -> Val<'a> {
        let raw = self.raw();
        let text = if raw.is_empty() || raw == b"\"\"" {
            ""
        } else if self.is_plain(raw) {
            self.message.plain(self.start, self.end)
        } else {
            self.decoded(raw)
        };
        Val {
            text: if is_blank(text) { "" } else { text },
            start: self.start,
            end: self.end,
            message: self.message.0.number,
        }
    }
    // Apart, so that the usual text is got without its frame.
    #[inline(never)]
    fn decoded(&self, raw: &'a [u8]) -> &'a str {
        let slots = &self.message.0.decoded;
        let slot = slots.get(self.start as usize % DECODED);
        if let Some((start, end, text)) = slot.map(Cell::get)
            && (start, end) == (self.start, self.end)
        {
            return text;
        }
        let text = decode(raw, self.message, self.flags & F_BS != 0);
        if let Some(slot) = slot {
            slot.set((self.start, self.end, text));
        }
        text
    }
    /// Whether the part is ASCII that stands for itself. The flags are the field's: a part of it may
    /// still be without what they tell.
    #[inline]
    fn is_plain(&self, raw: &[u8]) -> bool {
        if self.flags & (F_ESC | F_8BIT | F_BS) == 0 {
            return true;
        }
        let shifts = self.flags & F_ESC != 0 && self.flags & F_PLAIN == 0;
        let escape = self.message.0.index.delimiters.escape;
        !shifts
            && self.flags & F_8BIT == 0
            && (self.flags & F_BS == 0 || memchr::memchr(escape, raw).is_none())
    }
    /// Byte ranges of HL7 escapes in this part that are unknown or unclosed.
    pub fn unknown_escapes(&self) -> Vec<(u32, u32)> {
        let mut found: Vec<(u32, u32)> = Vec::new();
        if self.flags & F_BS != 0 {
            let m = self.message;
            walk_escapes(
                self.raw(),
                m.0.index.charset,
                m.0.index.delimiters,
                |at, len, text| {
                    let start = self.start + at as u32;
                    // The character that closes one may seem to open another.
                    let told = found.last().is_some_and(|(_, end)| start < *end);
                    if text.is_none() && !told && found.len() < 16 {
                        found.push((start, start + len as u32));
                    }
                },
            );
        }
        found
    }
    fn split(&self, kind: u32, flag: u32) -> Parts<'a> {
        Parts {
            part: *self,
            kind,
            flag,
            next: Some((self.start, self.mark)),
        }
    }
    fn nth(&self, kind: u32, flag: u32, n: usize) -> Self {
        let absent = Self {
            start: self.end,
            flags: 0,
            ..*self
        };
        if self.flags & flag == 0 {
            return if n == 0 { *self } else { absent };
        }
        let (mut start, mut mark) = (self.start, self.first_mark());
        for _ in 0..n {
            let found = self.find(mark, |k| k == kind);
            if found.next == UNKNOWN {
                return absent;
            }
            (start, mark) = (found.end + 1, found.next);
        }
        let found = self.find(mark, |k| k == kind);
        Self {
            start,
            end: found.end,
            flags: self.flags & !flag | found.plain,
            mark,
            ..*self
        }
    }
    /// Number of the first mark at or after the start.
    fn first_mark(&self) -> u32 {
        if self.mark == UNKNOWN {
            return self.message.mark_at(self.start);
        }
        self.mark
    }
    /// The next separator from the mark of that number on.
    #[inline]
    fn find(&self, mark: u32, separates: impl Fn(u32) -> bool) -> Found {
        let marks = self.message.0.index.marks.get(mark as usize..);
        let mut plain = F_PLAIN;
        for (number, m) in (mark + 1..).zip(marks.unwrap_or_default()) {
            let (end, kind) = (m >> KIND_BITS, m & ((1 << KIND_BITS) - 1));
            if end >= self.end {
                break;
            }
            if separates(kind) {
                return Found {
                    end,
                    plain,
                    next: number,
                };
            }
            if kind == M_SHIFT {
                plain = 0;
            }
        }
        Found {
            end: self.end,
            plain,
            next: UNKNOWN,
        }
    }
}

/// Where a part ends.
struct Found {
    /// Position of the separator, or the end of what is parted.
    end: u32,
    /// [`F_PLAIN`] where it applies to what lies before.
    plain: u32,
    /// Number of the mark after the separator, [`UNKNOWN`] when there is no separator.
    next: u32,
}

/// Iterator over repetitions, components or sub-components.
#[derive(Debug, Clone)]
pub struct Parts<'a> {
    part: Part<'a>,
    kind: u32,
    flag: u32,
    /// Start of the next part and its first mark.
    next: Option<(u32, u32)>,
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;
    fn next(&mut self) -> Option<Part<'a>> {
        let (start, mark) = self.next?;
        if self.part.flags & self.flag == 0 {
            self.next = None;
            return Some(self.part);
        }
        let mark = if mark == UNKNOWN {
            self.part.message.mark_at(start)
        } else {
            mark
        };
        let found = self.part.find(mark, |k| k == self.kind);
        self.next = (found.next != UNKNOWN).then_some((found.end + 1, found.next));
        Some(Part {
            start,
            end: found.end,
            flags: self.part.flags & !self.flag | found.plain,
            mark,
            ..self.part
        })
    }
}

/// Whether a text is white space and control characters only (a raw line break, an ideographic
/// space, NUL): nothing was sent.
fn is_blank(text: &str) -> bool {
    // Few texts begin so; the others cost one look.
    let may_be = text
        .as_bytes()
        .first()
        .is_some_and(|&b| b <= b' ' || matches!(b, 0x7F | 0xC2 | 0xE1..=0xE3));
    may_be && is_blank_throughout(text)
}

#[cold]
fn is_blank_throughout(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c.is_control())
}

/// Decodes and, where there may be HL7 escapes, unescapes into the arena.
fn decode<'a>(raw: &'a [u8], m: Message<'a>, escaped: bool) -> &'a str {
    let mut s = m.0.index.scratch.take();
    s.clear();
    let charset = m.0.index.charset;
    if escaped {
        decode_and_unescape(raw, charset, m.0.index.delimiters, &mut s);
    } else {
        warifu_source::decode_into(raw, charset, &mut s);
    }
    let text = m.0.arena.alloc_str(&s);
    m.0.index.scratch.replace(s);
    text
}

/// Decodes `raw` and resolves HL7 escapes, which are looked for in ASCII state only.
///
/// `\F\ \S\ \T\ \R\ \E\` give the delimiters, `\.br\` a line break, `\Xhh…\` bytes in the file's
/// charset, `\H\ \N\ \Cxxyy\ \Mxxyyzz\` nothing. Unknown or unclosed ones stay as they are.
fn decode_and_unescape(raw: &[u8], charset: Charset, d: Delimiters, out: &mut String) {
    let mut from = 0;
    walk_escapes(raw, charset, d, |at, len, text| {
        let Some(text) = text else { return };
        warifu_source::decode_into(raw.get(from..at).unwrap_or_default(), charset, out);
        out.push_str(&text);
        from = at + len;
    });
    warifu_source::decode_into(raw.get(from..).unwrap_or_default(), charset, out);
}

/// Calls `found(position, length, replacement)` for each HL7 escape of `raw`, looked for in ASCII state
/// only; no replacement for unknown and unclosed ones.
fn walk_escapes(
    raw: &[u8],
    charset: Charset,
    d: Delimiters,
    mut found: impl FnMut(usize, usize, Option<Cow<'static, str>>),
) {
    let mut i = 0;
    while let Some(&b) = raw.get(i) {
        if b == 0x1B && charset == Charset::Iso2022Jp {
            i = skip_escape(raw, i);
            continue;
        }
        if charset == Charset::Cp932 && matches!(b, 0x81..=0x9F | 0xE0..=0xFC) {
            i += 2;
            continue;
        }
        if b != d.escape {
            i += 1;
            continue;
        }
        // Escapes are short: the closing character is looked for in a bounded window, but \X…\ may be long.
        let window = raw.get(i + 1..).unwrap_or_default();
        let limit = if matches!(window.first(), Some(b'X')) {
            window.len()
        } else {
            window.len().min(16)
        };
        let Some(len) = window
            .iter()
            .take(limit)
            .position(|&b| b == d.escape || b == 0x1B)
        else {
            found(i, 1, None);
            i += 1;
            continue;
        };
        if window.get(len) != Some(&d.escape) {
            found(i, 1 + len, None);
            i += 1 + len;
            continue;
        }
        if let Some(text) = escape_text(window.get(..len).unwrap_or_default(), charset, d) {
            found(i, len + 2, Some(text));
            i += len + 2;
        } else {
            // The closing character may open the next escape.
            found(i, len + 2, None);
            i += 1 + len;
        }
    }
}

fn escape_text(body: &[u8], charset: Charset, d: Delimiters) -> Option<Cow<'static, str>> {
    let one = |b: u8| Some(Cow::Owned(char::from(b).to_string()));
    match body {
        b"F" => one(d.field),
        b"S" => one(d.component),
        b"R" => one(d.repetition),
        b"T" => one(d.subcomponent),
        b"E" => one(d.escape),
        b"H" | b"N" => Some(Cow::Borrowed("")),
        // HL7 v2.5 §2.7.6: line breaks, filling, indents and skips, some with a number.
        [b'.', a, b, rest @ ..] => {
            let text = match &[*a, *b] {
                b"br" | b"sp" | b"ce" => "\n",
                b"sk" => " ",
                b"fi" | b"nf" | b"in" | b"ti" => "",
                _ => return None,
            };
            let digits = rest.strip_prefix(b"+").or(rest.strip_prefix(b"-"));
            let counted = matches!(&[*a, *b], b"sp" | b"sk" | b"in" | b"ti")
                && digits.unwrap_or(rest).iter().all(u8::is_ascii_digit);
            (rest.is_empty() || counted).then_some(Cow::Borrowed(text))
        }
        [b'C', rest @ ..] if rest.len() == 4 && rest.iter().all(u8::is_ascii_hexdigit) => {
            Some(Cow::Borrowed(""))
        }
        [b'M', rest @ ..]
            if matches!(rest.len(), 4 | 6) && rest.iter().all(u8::is_ascii_hexdigit) =>
        {
            Some(Cow::Borrowed(""))
        }
        [b'X', rest @ ..]
            if !rest.is_empty()
                && rest.len() % 2 == 0
                && rest.iter().all(u8::is_ascii_hexdigit) =>
        {
            let bytes: Vec<u8> = rest
                .chunks_exact(2)
                .filter_map(|h| u8::from_str_radix(std::str::from_utf8(h).ok()?, 16).ok())
                .collect();
            let mut s = String::new();
            warifu_source::decode_into(&bytes, charset, &mut s);
            Some(Cow::Owned(s))
        }
        _ => None,
    }
}

impl<'a> Message<'a> {
    /// A part without bytes (what an absent field is).
    pub fn empty_part(&self) -> Part<'a> {
        Part {
            message: *self,
            start: 0,
            end: 0,
            flags: 0,
            mark: UNKNOWN,
        }
    }
}
