//! Writers of JSON values: each value goes to one byte buffer, leaves leave events.
#![cfg_attr(
    not(target_arch = "wasm32"),
    expect(
        clippy::inline_always,
        reason = "a literal key in line is a few stores; in wasm, where size counts, the closures of the mapping share the code"
    )
)]

use crate::ids::Id;
use crate::resource::Buffers;
use crate::trace::{Event, RowId, Src};

/// Place for exactly one JSON value.
#[derive(Debug)]
pub struct Value<'b> {
    pub(crate) b: &'b mut Buffers,
}

/// An open JSON object.
#[derive(Debug)]
pub struct Object<'b> {
    pub(crate) b: &'b mut Buffers,
}

/// An open JSON array.
#[derive(Debug)]
pub struct Array<'b> {
    b: &'b mut Buffers,
}

/// Where a value stands.
#[derive(Clone, Copy)]
enum Place<'k> {
    /// Under a key of an object.
    Member(&'k str),
    /// In an array.
    Item,
    /// By itself.
    Alone,
}

impl Buffers {
    #[inline]
    fn event(&mut self, src: Src) {
        let row = self.row;
        if let Some(events) = &mut self.events {
            events.push(Event {
                at: u32::try_from(self.scratch.len()).unwrap_or(u32::MAX),
                src,
                row,
            });
        }
    }
    /// Writes `"text"`; most of the time room was made before.
    #[inline(never)]
    fn quoted(&mut self, text: &str) {
        self.scratch.reserve(text.len() + 2);
        self.scratch.push(b'"');
        write_escaped(&mut self.scratch, text);
        self.scratch.push(b'"');
    }
    #[inline]
    fn comma(&mut self) {
        if !matches!(self.scratch.last(), Some(b'{' | b'[') | None) {
            self.scratch.push(b',');
        }
    }
    /// Writes `"key":` and returns the length to go back to if the value turns out empty; there is room
    /// for a value of `room` bytes then.
    #[cfg_attr(target_arch = "wasm32", inline)]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn key(&mut self, key: &str, room: usize) -> usize {
        let mark = self.scratch.len();
        self.scratch.reserve(key.len() + 8 + room);
        if matches!(self.scratch.last(), Some(b'{' | b'[') | None) {
            self.scratch.push(b'"');
        } else {
            self.scratch.extend_from_slice(b",\"");
        }
        self.scratch.extend_from_slice(key.as_bytes());
        self.scratch.extend_from_slice(b"\":");
        mark
    }
    // In wasm opening and closing are functions of their own, so that the many closures of the mapping
    // share them: this is half the module.
    /// Opens `"key":{`, `,{` or `{`: where to go back to, and where the inside begins.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn open(&mut self, place: Place<'_>, bracket: u8) -> (usize, usize) {
        let mark = self.scratch.len();
        match place {
            Place::Member(key) => {
                self.key(key, 0);
            }
            Place::Item => self.comma(),
            Place::Alone => {}
        }
        self.scratch.push(bracket);
        (mark, self.scratch.len())
    }
    /// Closes what [`Buffers::open`] opened; takes it back when nothing was written inside.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    pub(crate) fn close(&mut self, (mark, inside): (usize, usize), bracket: u8) -> bool {
        if self.scratch.len() == inside {
            self.rollback(mark);
            return false;
        }
        self.scratch.push(bracket);
        true
    }
    /// Takes back a key or comma when no value followed it.
    #[inline(never)]
    fn keep(&mut self, mark: usize, before: usize) -> bool {
        if self.scratch.len() > before {
            return true;
        }
        self.rollback(mark);
        false
    }
    fn rollback(&mut self, mark: usize) {
        self.scratch.truncate(mark);
        if let Some(events) = &mut self.events {
            let at = u32::try_from(mark).unwrap_or(u32::MAX);
            while events.last().is_some_and(|e| e.at >= at) {
                events.pop();
            }
        }
    }
}

/// Whether JSON or FHIR forbids the byte inside a string as it is.
const fn needs_escape(b: u8) -> bool {
    b < 0x20 || b == b'"' || b == b'\\' || b == 0x7F
}

/// Whether no byte needs an escape: whole blocks first, then the last block once more rather than what
/// is left byte by byte.
#[cfg_attr(target_arch = "wasm32", inline(never))]
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
fn is_plain(bytes: &[u8]) -> bool {
    #[cfg(not(target_arch = "wasm32"))]
    if let Some(last) = bytes.last_chunk() {
        let (blocks, _) = bytes.as_chunks::<16>();
        let mut found = odd_of_block(last);
        // A loop, since the closure of an iterator is not put in line here.
        for block in blocks {
            found |= odd_of_block(block);
        }
        return found == 0;
    }
    let (words, rest) = bytes.as_chunks::<8>();
    let mut found = 0;
    for word in words {
        found |= odd_bytes(u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        found |= match (bytes.last_chunk::<8>(), bytes.first_chunk::<4>()) {
            (Some(last), _) => odd_bytes(u64::from_le_bytes(*last)),
            (None, Some(first)) => {
                let last = bytes.last_chunk::<4>().unwrap_or(first);
                odd_bytes(
                    u64::from(u32::from_le_bytes(*first)) << 32
                        | u64::from(u32::from_le_bytes(*last)),
                )
            }
            _ => u64::from(rest.iter().any(|&b| needs_escape(b))),
        };
    }
    found == 0
}

/// Marks of a block: two words, since what the compiler makes of a loop over the bytes is thrice the work
/// where it has a profile.
#[cfg(not(target_arch = "wasm32"))]
#[inline]
fn odd_of_block(block: &[u8; 16]) -> u64 {
    let (words, _) = block.as_chunks::<8>();
    let marks = words.iter().map(|w| odd_bytes(u64::from_le_bytes(*w)));
    marks.fold(0, |all, marks| all | marks)
}

/// Marks the bytes below 0x20 and those equal to `"`, `\` and DEL; bytes from 0x80 on never count.
/// A borrow may mark a byte too many only above a byte that is marked rightly.
const fn odd_bytes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // With one bit turned `"` is a blank, and stands next to the control characters.
    let low = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * 0x5C)).wrapping_sub(ONES);
    let delete = (word ^ (ONES * 0x7F)).wrapping_sub(ONES);
    (low | backslash | delete) & !word & HIGH
}

/// Appends `text` escaped for JSON. Control characters that FHIR strings may not hold (all but tab,
/// CR and LF) are dropped.
#[cfg_attr(target_arch = "wasm32", inline(never))]
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
pub(crate) fn write_escaped(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    if is_plain(bytes) {
        out.extend_from_slice(bytes);
        return;
    }
    for &b in bytes {
        match b {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..=0x1F | 0x7F => {}
            _ => out.push(b),
        }
    }
}

impl Value<'_> {
    /// A string made from `src`.
    pub fn string(self, text: &str, src: Src) {
        self.b.event(src);
        self.b.quoted(text);
    }
    /// A constant string.
    pub fn constant(self, text: &'static str) {
        debug_assert!(
            !text.bytes().any(needs_escape),
            "constants are written as they are"
        );
        self.b.event(Src::NONE);
        self.b.scratch.reserve(text.len() + 2);
        self.b.scratch.push(b'"');
        self.b.scratch.extend_from_slice(text.as_bytes());
        self.b.scratch.push(b'"');
    }
    /// A number literal (see [`crate::number::decimal`]).
    pub fn number(self, literal: &str, src: Src) {
        self.b.event(src);
        self.b.scratch.extend_from_slice(literal.as_bytes());
    }
    /// `true` or `false`.
    pub fn boolean(self, value: bool, src: Src) {
        self.b.event(src);
        self.b
            .scratch
            .extend_from_slice(if value { b"true" } else { b"false" });
    }
    /// An object; returns whether anything was written into it.
    pub fn object(self, f: impl FnOnce(&mut Object<'_>)) -> bool {
        let at = self.b.open(Place::Alone, b'{');
        f(&mut Object { b: self.b });
        self.b.close(at, b'}')
    }
    /// An array; returns whether it has an item.
    pub fn array(self, f: impl FnOnce(&mut Array<'_>)) -> bool {
        let at = self.b.open(Place::Alone, b'[');
        f(&mut Array { b: self.b });
        self.b.close(at, b']')
    }
    /// JSON text written by the mapping itself (constants only): must be one complete value.
    pub fn raw(self, json: &'static str) {
        self.b.scratch.extend_from_slice(json.as_bytes());
    }
}

impl Object<'_> {
    /// `"key":"text"`, unless `text` is empty.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    pub fn string(&mut self, key: &str, text: &str, src: Src) {
        if text.is_empty() {
            return;
        }
        self.b.key(key, text.len());
        self.b.event(src);
        self.b.quoted(text);
    }
    /// `"key":"text"` with a text of two pieces, a constant one first.
    #[inline(never)]
    pub fn joined(&mut self, key: &str, first: &'static str, second: &str, src: Src) {
        debug_assert!(
            !first.bytes().any(needs_escape),
            "constants are written as they are"
        );
        self.b.key(key, first.len() + second.len());
        self.b.event(src);
        let to = &mut self.b.scratch;
        to.reserve(first.len() + second.len() + 2);
        to.push(b'"');
        to.extend_from_slice(first.as_bytes());
        write_escaped(to, second);
        to.push(b'"');
    }
    /// `"key":"text"` with a constant.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    pub fn constant(&mut self, key: &str, text: &'static str) {
        self.b.key(key, text.len());
        Value { b: self.b }.constant(text);
    }
    /// A further source of the leaf written last or next (combined values trace to all their spans).
    /// Call it right before the leaf is written.
    pub fn also(&mut self, src: Src) {
        // The event stands before the key; `Resource::write` moves it on to the leaf that follows.
        self.b.event(src);
    }
    /// `"reference":"Type/id"`.
    #[inline(never)]
    pub fn reference(&mut self, resource_type: &'static str, id: &Id, src: Src) {
        self.b
            .key("reference", resource_type.len() + id.as_bytes().len());
        self.b.event(src);
        // Neither type nor id has a character to escape.
        let to = &mut self.b.scratch;
        to.reserve(resource_type.len() + id.as_bytes().len() + 3);
        to.push(b'"');
        to.extend_from_slice(resource_type.as_bytes());
        to.push(b'/');
        to.extend_from_slice(id.as_bytes());
        to.push(b'"');
    }
    /// `"key":literal`.
    pub fn number(&mut self, key: &str, literal: &str, src: Src) {
        self.b.key(key, literal.len());
        Value { b: self.b }.number(literal, src);
    }
    /// `"key":true|false`.
    pub fn boolean(&mut self, key: &str, value: bool, src: Src) {
        self.b.key(key, 5);
        Value { b: self.b }.boolean(value, src);
    }
    /// `"key":{…}`; nothing when the object stays empty. Returns whether it was written.
    pub fn object(&mut self, key: &str, f: impl FnOnce(&mut Object<'_>)) -> bool {
        let at = self.b.open(Place::Member(key), b'{');
        f(&mut Object { b: self.b });
        self.b.close(at, b'}')
    }
    /// `"key":[…]`; nothing when the array stays empty. Returns whether it was written.
    pub fn array(&mut self, key: &str, f: impl FnOnce(&mut Array<'_>)) -> bool {
        let at = self.b.open(Place::Member(key), b'[');
        f(&mut Array { b: self.b });
        self.b.close(at, b']')
    }
    /// `"key":value` by a writer of any value; nothing when it writes nothing.
    pub fn value(&mut self, key: &str, f: impl FnOnce(Value<'_>)) -> bool {
        let mark = self.b.key(key, 0);
        let before = self.b.scratch.len();
        f(Value { b: self.b });
        self.b.keep(mark, before)
    }
    /// Constant members `"a":1,"b":{…}` written by the mapping itself.
    pub fn raw(&mut self, members: &'static str) {
        self.b.comma();
        self.b.scratch.extend_from_slice(members.as_bytes());
    }
    /// Members that [`Object::since`] gave before, with the same content; none leave no trace.
    #[inline(never)]
    pub fn members(&mut self, members: &[u8]) {
        if !members.is_empty() {
            self.b.comma();
            self.b.scratch.extend_from_slice(members);
        }
    }
    /// A mark for [`Object::since`].
    pub fn mark(&self) -> usize {
        self.b.scratch.len()
    }
    /// The members written since a mark, without the comma before them.
    pub fn since(&self, mark: usize) -> &[u8] {
        let written = self.b.scratch.get(mark..).unwrap_or_default();
        written.strip_prefix(b",").unwrap_or(written)
    }
    /// Whether nothing has been written yet.
    pub fn is_empty(&self) -> bool {
        self.b.scratch.last() == Some(&b'{')
    }
    /// Sets the row that leaves are attributed to, until it is set again; returns the one before.
    pub fn row(&mut self, row: Option<&'static RowId>) -> Option<&'static RowId> {
        std::mem::replace(&mut self.b.row, row)
    }
}

impl Array<'_> {
    /// An object item; nothing when it stays empty. Returns whether it was written.
    pub fn object(&mut self, f: impl FnOnce(&mut Object<'_>)) -> bool {
        let at = self.b.open(Place::Item, b'{');
        f(&mut Object { b: self.b });
        self.b.close(at, b'}')
    }
    /// A string item, unless empty.
    pub fn string(&mut self, text: &str, src: Src) {
        if text.is_empty() {
            return;
        }
        self.b.comma();
        Value { b: self.b }.string(text, src);
    }
    /// An item by a writer of any value; nothing when it writes nothing.
    pub fn value(&mut self, f: impl FnOnce(Value<'_>)) -> bool {
        let mark = self.b.scratch.len();
        self.b.comma();
        let before = self.b.scratch.len();
        f(Value { b: self.b });
        self.b.keep(mark, before)
    }
    /// Constant items written by the mapping itself.
    pub fn raw(&mut self, items: &'static str) {
        self.b.comma();
        self.b.scratch.extend_from_slice(items.as_bytes());
    }
    /// Whether there is no item yet.
    pub fn is_empty(&self) -> bool {
        self.b.scratch.last() == Some(&b'[')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_value_at_every_place_is_plain_or_not() {
        for length in 1..40 {
            for at in 0..length {
                for value in 0..=u8::MAX {
                    for other in [b'a', 0x21, 0x5B, 0x80, 0xFF] {
                        let mut bytes = vec![other; length];
                        bytes[at] = value;
                        assert_eq!(is_plain(&bytes), !needs_escape(value), "{value:02X} {at}");
                    }
                }
            }
        }
        assert!(is_plain(b""));
    }
}
