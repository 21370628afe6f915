//! Bytes to tree.

use std::ops::Range;

use crate::text::hex4;
use crate::tree::{ESCAPED, KEY_ESCAPED, Kind, NONE, Node, NodeId, TWIN, Tree, at};

/// Numbers for keys, so that later steps compare numbers; 0 is "none".
pub trait Names {
    /// Number of a key without a leading `_`.
    fn find(&self, key: &[u8]) -> u16;
}

/// No key has a number.
impl Names for () {
    fn find(&self, _: &[u8]) -> u16 {
        0
    }
}

/// Hash of a key, for tables of [`Names`]: the same on every machine.
#[inline]
pub fn hash(key: &[u8]) -> u32 {
    let word = |bytes: &[u8]| bytes.iter().fold(0_u64, |h, b| (h << 8) | u64::from(*b));
    let (head, tail) = match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        (Some(head), Some(tail)) => (u64::from_be_bytes(*head), u64::from_be_bytes(*tail)),
        _ => (word(key), 0),
    };
    let length = u64::try_from(key.len()).unwrap_or(u64::MAX);
    let h = (head ^ tail.rotate_left(23) ^ length).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let h = (h ^ (h >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    u32::try_from(h >> 32).unwrap_or_default()
}

/// Where reading stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Arrays and objects inside each other.
    pub depth: u32,
    /// Values of a document.
    pub nodes: u32,
    /// Issues that are kept; the rest is counted in [`Parsed::further_issues`].
    pub issues: usize,
}

impl Limits {
    /// More than any FHIR resource needs: 200 levels, 50 million values, 1,000 issues.
    pub const FHIR: Self = Self {
        depth: 200,
        nodes: 50_000_000,
        issues: 1_000,
    };
}

/// What the grammar wants at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Any value.
    Value,
    /// `"` of a key, or `}`.
    Key,
    /// `:`
    Colon,
    /// `,` or `]`
    CommaOrBracket,
    /// `,` or `}`
    CommaOrBrace,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IssueKind {
    /// The document begins with U+FEFF. Skipped.
    ByteOrderMark,
    /// Bytes that are no UTF-8. They read as U+FFFD.
    InvalidUtf8,
    /// There is no value. The tree is empty.
    Empty,
    /// Something else than the grammar allows. Reading stops.
    Unexpected(Expected),
    /// The document ends inside a value. Reading stops.
    EndOfInput,
    /// A comma before a closing bracket. Skipped.
    TrailingComma,
    /// A control character within a string, unescaped. Kept.
    ControlCharacter,
    /// A backslash that begins no escape. Kept as text.
    BadEscape,
    /// Half a surrogate pair. Reads as U+FFFD.
    LoneSurrogate,
    /// Not a number by the grammar (`01`, `1.`, `+1`, `NaN`). Kept with its text.
    BadNumber,
    /// The key occurs before in the same object; both values are in the tree.
    DuplicateKey {
        /// The node with the key's first occurrence.
        first: NodeId,
    },
    /// More levels than [`Limits::depth`]. Reading stops.
    TooDeep,
    /// More values than [`Limits::nodes`], or more than 4 GiB. Reading stops.
    TooLarge,
    /// Something follows the value. Not read.
    TrailingData,
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// What.
    pub kind: IssueKind,
    /// Bytes it is about.
    pub span: Range<u32>,
}

/// What [`parse`] understood.
#[derive(Debug, Clone)]
pub struct Parsed<'s> {
    /// What was read.
    pub tree: Tree<'s>,
    /// What is wrong, in the order of the document as far as one pass can tell.
    pub issues: Vec<Issue>,
    /// Issues beyond [`Limits::issues`].
    pub further_issues: usize,
}

struct Parser<'s, 'n, N> {
    bytes: &'s [u8],
    pos: usize,
    nodes: Vec<Node>,
    issues: Vec<Issue>,
    further: usize,
    limits: Limits,
    names: &'n N,
    /// Scratch of the search for duplicates.
    keys: Vec<NodeId>,
}

/// Reading cannot go on.
struct Stop;

/// Reads one document; a number of each key comes from `names`.
///
/// Linear in the input (objects with many keys: n log n); memory is 28 bytes a value.
pub fn parse<'s, N: Names>(bytes: &'s [u8], limits: Limits, names: &N) -> Parsed<'s> {
    let text = std::str::from_utf8(bytes);
    let mut p = Parser {
        bytes,
        pos: 0,
        nodes: Vec::with_capacity(bytes.len() / 24),
        issues: Vec::new(),
        further: 0,
        limits,
        names,
        keys: Vec::new(),
    };
    if u32::try_from(bytes.len()).is_ok_and(|n| n < NONE) {
        if text.is_err() {
            p.invalid_utf8();
        }
        p.document();
    } else {
        p.report(IssueKind::TooLarge, 0, 0);
    }
    let mut tree = Tree {
        bytes,
        text: text.ok(),
        nodes: p.nodes,
    };
    let mut issues = p.issues;
    issues.sort_by_key(|i| i.span.start);
    tree.nodes.shrink_to_fit();
    Parsed {
        tree,
        issues,
        further_issues: p.further,
    }
}

/// Number of bytes at the beginning that can stand in a string as they are.
#[inline]
fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let special = |b: &u8| *b < 0x20 || *b == b'"' || *b == b'\\';
    let (words, rest) = bytes.as_chunks::<8>();
    for (n, word) in words.iter().enumerate() {
        let w = u64::from_le_bytes(*word);
        // A bit is set in the first byte that is below 0x20, a quote or a backslash; ones behind it
        // may be set wrongly, and none before it.
        let control = w.wrapping_sub(ONES * 0x20) & !w;
        let quote = w ^ (ONES * 0x22);
        let quote = quote.wrapping_sub(ONES) & !quote;
        let backslash = w ^ (ONES * 0x5C);
        let backslash = backslash.wrapping_sub(ONES) & !backslash;
        let found = (control | quote | backslash) & HIGH;
        if found != 0 {
            return 8 * n + at(found.trailing_zeros() / 8);
        }
    }
    let tail = rest.iter().position(special).unwrap_or(rest.len());
    bytes.len() - rest.len() + tail
}

fn short(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(NONE)
}

impl<N: Names> Parser<'_, '_, N> {
    fn report(&mut self, kind: IssueKind, start: usize, end: usize) {
        if self.issues.len() < self.limits.issues {
            self.issues.push(Issue {
                kind,
                span: short(start)..short(end),
            });
        } else {
            self.further += 1;
        }
    }

    fn invalid_utf8(&mut self) {
        let mut from = 0;
        for chunk in self.bytes.utf8_chunks() {
            let start = from + chunk.valid().len();
            from = start + chunk.invalid().len();
            if from > start {
                self.report(IssueKind::InvalidUtf8, start, from);
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }

    #[inline]
    fn space(&mut self) {
        if matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.spaces();
        }
    }

    fn spaces(&mut self) {
        self.pos += 1;
        // Indented documents are half spaces.
        let rest = self.bytes.get(self.pos..).unwrap_or_default();
        let (words, _) = rest.as_chunks::<8>();
        self.pos += 8 * words.iter().take_while(|w| *w == b"        ").count();
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.pos += 1;
        }
    }

    fn document(&mut self) {
        if self.bytes.starts_with(b"\xEF\xBB\xBF") {
            self.report(IssueKind::ByteOrderMark, 0, 3);
            self.pos = 3;
        }
        self.space();
        if self.peek().is_none() {
            self.report(IssueKind::Empty, 0, self.pos);
            return;
        }
        if self.values().is_ok() {
            self.space();
            if self.peek().is_some() {
                self.report(IssueKind::TrailingData, self.pos, self.bytes.len());
            }
        }
        self.close_all();
    }

    /// Ends what is still open when reading stops.
    fn close_all(&mut self) {
        let (len, end) = (short(self.nodes.len()), short(self.pos));
        for node in &mut self.nodes {
            if node.after == NONE {
                node.after = len;
                node.end = end;
            }
        }
    }

    fn unexpected(&mut self, expected: Expected) -> Stop {
        let end = self.bytes.len();
        if self.pos >= end {
            self.report(IssueKind::EndOfInput, end, end);
        } else {
            self.report(IssueKind::Unexpected(expected), self.pos, self.pos + 1);
        }
        Stop
    }

    /// The document's value and all inside it.
    fn values(&mut self) -> Result<(), Stop> {
        let mut open = NONE;
        let mut in_array = false;
        let mut depth = 0_u32;
        let mut key = Key::NONE;
        loop {
            let (id, kind) = self.value(open, in_array, key)?;
            let mut inside = false;
            if matches!(kind, Kind::Array | Kind::Object) {
                self.space();
                let close = if kind == Kind::Array { b']' } else { b'}' };
                if self.peek() == Some(close) {
                    self.pos += 1;
                    self.close(id);
                } else {
                    depth += 1;
                    if depth > self.limits.depth {
                        self.report(IssueKind::TooDeep, self.pos, self.pos);
                        return Err(Stop);
                    }
                    open = id;
                    in_array = kind == Kind::Array;
                    inside = true;
                }
            }
            // Behind a value: close what ends here, then go to the next one.
            if inside {
                key = self.next_key(in_array)?;
                continue;
            }
            loop {
                if open == NONE {
                    return Ok(());
                }
                self.space();
                let comma = self.pos;
                match self.peek() {
                    Some(b',') => {
                        self.pos += 1;
                        self.space();
                        if self.peek() != Some(if in_array { b']' } else { b'}' }) {
                            break;
                        }
                        self.report(IssueKind::TrailingComma, comma, comma + 1);
                    }
                    Some(b']') if in_array => {}
                    Some(b'}') if !in_array => {}
                    _ => {
                        return Err(self.unexpected(if in_array {
                            Expected::CommaOrBracket
                        } else {
                            Expected::CommaOrBrace
                        }));
                    }
                }
                self.pos += 1;
                depth -= 1;
                open = self.close(open);
                in_array = self.nodes.get(at(open)).map(|n| n.kind) == Some(Kind::Array);
            }
            key = self.next_key(in_array)?;
        }
    }

    /// Key of the next value of an object; arrays have none.
    #[inline]
    fn next_key(&mut self, in_array: bool) -> Result<Key, Stop> {
        if in_array { Ok(Key::NONE) } else { self.key() }
    }

    /// Ends an array or object behind its bracket; the one around it.
    fn close(&mut self, id: NodeId) -> NodeId {
        let (after, end) = (short(self.nodes.len()), short(self.pos));
        let Some(node) = self.nodes.get_mut(at(id)) else {
            return NONE;
        };
        node.after = after;
        node.end = end;
        let (kind, parent) = (node.kind, node.parent);
        if kind == Kind::Object && after - id > 2 {
            self.duplicates(id, after);
        }
        parent
    }

    fn duplicates(&mut self, id: NodeId, after: NodeId) {
        let mut keys = std::mem::take(&mut self.keys);
        keys.clear();
        let mut child = id + 1;
        while child < after {
            keys.push(child);
            child = self.nodes.get(at(child)).map_or(NONE, |n| n.after);
        }
        if keys.len() <= 24 {
            // Which numbers of names there may have been, or hashes of those without a number.
            let mut seen = [0_u64; 4];
            for (n, later) in keys.iter().enumerate() {
                let name = match self.nodes.get(at(*later)).map_or(0, |n| n.name) {
                    0 => hash(&self.key_bytes(*later)),
                    name => u32::from(name),
                };
                let bit = 1_u64 << (name & 63);
                let Some(seen) = seen.get_mut(at(name >> 6 & 3)) else {
                    continue;
                };
                let is_new = *seen & bit == 0;
                *seen |= bit;
                if is_new {
                    continue;
                }
                let before = keys.iter().take(n);
                if let Some(first) = before.copied().find(|first| self.same_key(*first, *later)) {
                    self.duplicate(first, *later);
                }
            }
        } else {
            keys.sort_by(|a, b| self.key_bytes(*a).cmp(&self.key_bytes(*b)).then(a.cmp(b)));
            let mut first = NONE;
            for key in keys.iter().copied() {
                if first != NONE && self.same_key(first, key) {
                    self.duplicate(first, key);
                } else {
                    first = key;
                }
            }
        }
        self.keys = keys;
    }

    fn duplicate(&mut self, first: NodeId, later: NodeId) {
        if let Some(n) = self.nodes.get(at(later)) {
            let (start, end) = (n.key_start, n.key_end);
            self.report(IssueKind::DuplicateKey { first }, at(start), at(end));
        }
    }

    fn key_bytes(&self, id: NodeId) -> std::borrow::Cow<'_, [u8]> {
        let Some(n) = self.nodes.get(at(id)) else {
            return (&[][..]).into();
        };
        let raw = self
            .bytes
            .get(at(n.key_start)..at(n.key_end))
            .unwrap_or_default();
        if n.flags & KEY_ESCAPED == 0 {
            return raw.into();
        }
        crate::unescape(&String::from_utf8_lossy(raw))
            .into_bytes()
            .into()
    }

    fn same_key(&self, a: NodeId, b: NodeId) -> bool {
        let (Some(x), Some(y)) = (self.nodes.get(at(a)), self.nodes.get(at(b))) else {
            return false;
        };
        x.name == y.name
            && (x.flags ^ y.flags) & TWIN == 0
            && (x.name != 0 || self.key_bytes(a) == self.key_bytes(b))
    }

    /// A key and its colon.
    fn key(&mut self) -> Result<Key, Stop> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected(Expected::Key));
        }
        let start = self.pos + 1;
        let escaped = self.string()?;
        let end = self.pos - 1;
        let raw = self.bytes.get(start..end).unwrap_or_default();
        let mut flags = 0;
        let unescaped;
        let mut text = raw;
        if escaped {
            flags |= KEY_ESCAPED;
            unescaped = crate::unescape(&String::from_utf8_lossy(raw));
            text = unescaped.as_bytes();
        }
        if let Some(rest) = text.strip_prefix(b"_") {
            flags |= TWIN;
            text = rest;
        }
        let name = self.names.find(text);
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.unexpected(Expected::Colon));
        }
        self.pos += 1;
        self.space();
        Ok(Key {
            start: short(start),
            end: short(end),
            name,
            flags,
        })
    }

    /// A string from its first quote to behind its last; whether it has escapes.
    fn string(&mut self) -> Result<bool, Stop> {
        let mut escaped = false;
        self.pos += 1;
        loop {
            let rest = self.bytes.get(self.pos..).unwrap_or_default();
            self.pos += plain(rest);
            match self.peek() {
                Some(b'"') => {
                    self.pos += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape();
                }
                Some(_) => {
                    self.report(IssueKind::ControlCharacter, self.pos, self.pos + 1);
                    self.pos += 1;
                }
                None => {
                    let end = self.pos;
                    self.report(IssueKind::EndOfInput, end, end);
                    return Err(Stop);
                }
            }
        }
    }

    fn unit(&self, from: usize) -> Option<u32> {
        let digits = self.bytes.get(from..from + 4)?;
        hex4(std::str::from_utf8(digits).ok()?)
    }

    fn escape(&mut self) {
        let start = self.pos;
        self.pos += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.pos += 1,
            Some(b'u') => match self.unit(start + 2) {
                Some(0xD800..=0xDBFF) => {
                    self.pos += 5;
                    let next = self.bytes.get(self.pos..self.pos + 2);
                    let low = self.unit(self.pos + 2);
                    if next == Some(b"\\u") && matches!(low, Some(0xDC00..=0xDFFF)) {
                        self.pos += 6;
                    } else {
                        self.report(IssueKind::LoneSurrogate, start, self.pos);
                    }
                }
                Some(unit) => {
                    self.pos += 5;
                    if (0xDC00..=0xDFFF).contains(&unit) {
                        self.report(IssueKind::LoneSurrogate, start, self.pos);
                    }
                }
                None => {
                    self.pos += 1;
                    self.report(IssueKind::BadEscape, start, self.pos);
                }
            },
            // The character itself is read again as text: it may be a control character.
            _ => self.report(IssueKind::BadEscape, start, start + 1),
        }
    }

    /// One value; of arrays and objects the opening bracket.
    fn value(&mut self, parent: NodeId, in_array: bool, key: Key) -> Result<(NodeId, Kind), Stop> {
        let id = short(self.nodes.len());
        if id >= self.limits.nodes {
            self.report(IssueKind::TooLarge, self.pos, self.pos);
            return Err(Stop);
        }
        let start = self.pos;
        let mut flags = key.flags;
        let kind = match self.peek() {
            Some(b'"') => {
                if self.string()? {
                    flags |= ESCAPED;
                }
                Kind::String
            }
            Some(b'{') => {
                self.pos += 1;
                Kind::Object
            }
            Some(b'[') => {
                self.pos += 1;
                Kind::Array
            }
            Some(b'-' | b'+' | b'.' | b'0'..=b'9') => {
                self.number();
                Kind::Number
            }
            Some(b'a'..=b'z' | b'A'..=b'Z') => self.word()?,
            _ => return Err(self.unexpected(Expected::Value)),
        };
        let container = matches!(kind, Kind::Array | Kind::Object);
        let place = match self.nodes.get_mut(at(parent)) {
            Some(array) if in_array => {
                array.end += 1;
                array.end - 1
            }
            _ => key.start,
        };
        self.nodes.push(Node {
            start: short(start),
            end: if container { 0 } else { short(self.pos) },
            key_start: place,
            key_end: key.end,
            after: if container { NONE } else { id + 1 },
            parent,
            name: key.name,
            kind,
            flags,
        });
        Ok((id, kind))
    }

    fn word(&mut self) -> Result<Kind, Stop> {
        let start = self.pos;
        while self.peek().is_some_and(|b| b.is_ascii_alphanumeric()) {
            self.pos += 1;
        }
        match self.bytes.get(start..self.pos) {
            Some(b"true") => Ok(Kind::True),
            Some(b"false") => Ok(Kind::False),
            Some(b"null") => Ok(Kind::Null),
            Some(b"NaN" | b"Infinity") => {
                self.report(IssueKind::BadNumber, start, self.pos);
                Ok(Kind::Number)
            }
            _ => {
                self.pos = start;
                Err(self.unexpected(Expected::Value))
            }
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.pos;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.pos += 1;
        }
        self.pos - start
    }

    fn number(&mut self) {
        let start = self.pos;
        if self.peek() == Some(b'-') {
            self.pos += 1;
        }
        let zero = self.peek() == Some(b'0');
        let whole = self.digits();
        let mut good = whole > 0 && (!zero || whole == 1);
        if self.peek() == Some(b'.') {
            self.pos += 1;
            good &= self.digits() > 0;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.pos += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.pos += 1;
            }
            good &= self.digits() > 0;
        }
        let clean = self.pos;
        while let Some(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'+' | b'-' | b'_') =
            self.peek()
        {
            self.pos += 1;
        }
        if !good || self.pos > clean {
            self.report(IssueKind::BadNumber, start, self.pos);
        }
    }
}

#[derive(Clone, Copy)]
struct Key {
    start: u32,
    end: u32,
    name: u16,
    flags: u8,
}

impl Key {
    const NONE: Self = Self {
        start: 0,
        end: 0,
        name: 0,
        flags: 0,
    };
}
