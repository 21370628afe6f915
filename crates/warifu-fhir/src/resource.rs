//! A resource under construction.

use crate::element::{Element, META};
use crate::ids::Id;
use crate::json::Value;
use crate::trace::{Event, RowId, Src};

/// Buffers that are reused from resource to resource.
#[derive(Debug, Default)]
pub struct Buffers {
    /// Elements in the order they were made.
    pub(crate) scratch: Vec<u8>,
    pub(crate) events: Option<Vec<Event>>,
    pub(crate) row: Option<&'static RowId>,
    chunks: Vec<Chunk>,
    /// A bit for each place in the definition that an element was written for.
    places: u64,
    /// Place and number of each chunk, to be sorted.
    sequence: Vec<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Chunk {
    element: Element,
    start: u32,
    end: u32,
    events: (u32, u32),
    row: Option<&'static RowId>,
}

impl Buffers {
    /// Buffers with tracing on or off.
    pub fn new(trace: bool) -> Self {
        Self {
            scratch: Vec::with_capacity(8192),
            events: trace.then(Vec::new),
            ..Self::default()
        }
    }
    /// Whether leaves leave events.
    pub fn traces(&self) -> bool {
        self.events.is_some()
    }
}

/// A resource: elements may be added in any order; [`Resource::write`] writes them in R4 order.
///
/// It owns its [`Buffers`] while it is built, so that another resource can be built meanwhile.
#[derive(Debug)]
pub struct Resource {
    b: Box<Buffers>,
    resource_type: &'static str,
    id: Id,
    profiles: bool,
}

fn offset(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Resource {
    /// Opens a resource; the buffers hold one at a time.
    pub fn new(mut b: Box<Buffers>, resource_type: &'static str, id: Id) -> Self {
        b.scratch.clear();
        b.chunks.clear();
        b.places = 0;
        b.row = None;
        if let Some(e) = &mut b.events {
            e.clear();
        }
        Self {
            b,
            resource_type,
            id,
            profiles: false,
        }
    }
    /// Resource type.
    pub fn resource_type(&self) -> &'static str {
        self.resource_type
    }
    /// Logical id.
    pub fn id(&self) -> Id {
        self.id
    }
    /// Whether leaves leave events: without them nobody asks for rows.
    pub fn traces(&self) -> bool {
        self.b.traces()
    }
    /// Sets the row that everything written from now on is attributed to; returns the one before.
    pub fn row(&mut self, row: Option<&'static RowId>) -> Option<&'static RowId> {
        std::mem::replace(&mut self.b.row, row)
    }
    /// Writes a single element, or one more item of a repeating one. Nothing happens when `f` writes
    /// nothing, or when a single element is there already. Returns whether it was written.
    pub fn add(&mut self, element: Element, f: impl FnOnce(Value<'_>)) -> bool {
        let Some(at) = self.begin(element) else {
            return false;
        };
        f(Value { b: &mut self.b });
        self.end(element, at)
    }
    /// Where the element's bytes and events begin; `None` when it is there already.
    #[inline(never)]
    fn begin(&mut self, element: Element) -> Option<(usize, usize)> {
        self.begin_here(element)
    }
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    fn begin_here(&mut self, element: Element) -> Option<(usize, usize)> {
        if !element.repeats() && self.has(element) {
            return None;
        }
        Some((
            self.b.scratch.len(),
            self.b.events.as_ref().map_or(0, Vec::len),
        ))
    }
    /// Keeps what was written since [`Resource::begin`] as one item of the element.
    #[inline(never)]
    fn end(&mut self, element: Element, at: (usize, usize)) -> bool {
        self.end_here(element, at)
    }
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    fn end_here(&mut self, element: Element, (start, first_event): (usize, usize)) -> bool {
        let end = self.b.scratch.len();
        if end == start {
            if let Some(e) = &mut self.b.events {
                e.truncate(first_event);
            }
            return false;
        }
        let last_event = self.b.events.as_ref().map_or(0, Vec::len);
        let row = self.b.row;
        self.b.places |= place_of(element);
        self.b.chunks.push(Chunk {
            element,
            start: offset(start),
            end: offset(end),
            events: (offset(first_event), offset(last_event)),
            row,
        });
        true
    }
    /// Adds an object ([`Resource::add`] with [`Value::object`]).
    pub fn object(&mut self, element: Element, f: impl FnOnce(&mut crate::Object<'_>)) -> bool {
        let Some(at) = self.open(element) else {
            return false;
        };
        f(&mut crate::Object { b: &mut self.b });
        self.close(element, at)
    }
    /// [`Resource::begin`] with an object that is open.
    #[inline(never)]
    fn open(&mut self, element: Element) -> Option<(usize, usize)> {
        let at = self.begin_here(element)?;
        self.b.scratch.push(b'{');
        Some(at)
    }
    /// [`Resource::end`] with the object closed, or taken back when nothing was written into it.
    #[inline(never)]
    fn close(&mut self, element: Element, at: (usize, usize)) -> bool {
        self.b.close((at.0, at.0 + 1), b'}');
        self.end_here(element, at)
    }
    /// Adds a string, unless empty.
    #[inline(never)]
    pub fn string(&mut self, element: Element, text: &str, src: Src) -> bool {
        !text.is_empty() && self.add(element, |v| v.string(text, src))
    }
    /// Adds a constant string.
    #[inline(never)]
    pub fn constant(&mut self, element: Element, text: &'static str) -> bool {
        self.add(element, |v| v.constant(text))
    }
    /// Whether an element (or an item of it) has been written.
    pub fn has(&self, element: Element) -> bool {
        self.b.places & place_of(element) != 0
            && self.b.chunks.iter().any(|c| c.element.is(element))
    }
    /// Whether an element of that name has been written (`"value[x]"` asks for any choice type).
    pub fn has_name(&self, name: &str) -> bool {
        match name.strip_suffix("[x]") {
            Some(stem) => self
                .b
                .chunks
                .iter()
                .any(|c| c.element.name().starts_with(stem)),
            None => self.b.chunks.iter().any(|c| c.element.name() == name),
        }
    }
    /// Bytes of the items of an element written so far, for a look at what is there.
    pub fn items(&self, element: Element) -> impl Iterator<Item = &[u8]> {
        self.b
            .chunks
            .iter()
            .filter(move |c| c.element == element)
            .filter_map(|c| self.b.scratch.get(usize_of(c.start)..usize_of(c.end)))
    }
    /// Removes what has been written for an element.
    pub fn remove(&mut self, element: Element) {
        self.b.chunks.retain(|c| c.element != element);
    }
    /// Whether anything but `id` and `meta` has been written.
    pub fn is_empty(&self) -> bool {
        self.b.chunks.is_empty()
    }
    /// Claims `meta.profile` (one canonical).
    pub fn profile(&mut self, canonical: &'static str) {
        if !self.profiles {
            self.profiles = true;
            let before = self.row(None);
            self.add(crate::element::META, |v| {
                v.object(|o| {
                    o.array("profile", |a| {
                        a.value(|v| v.constant(canonical));
                    });
                });
            });
            self.row(before);
        }
    }
    /// Writes the resource in R4 element order, compact, UTF-8, without a line break; items of one
    /// repeating element keep the order in which they were added.
    ///
    /// `source` is `meta.source`, a URI without characters that JSON escapes. With tracing on the leaf
    /// events are appended to `events` in order of offset, and the start of each item of a top-level
    /// element with the row that wrote it to `rows`; offsets count from the first byte of the resource.
    pub fn write(
        &mut self,
        source: Option<&str>,
        json: &mut Vec<u8>,
        events: &mut Vec<Event>,
        rows: &mut Vec<(u32, Option<&'static RowId>)>,
    ) {
        let b = &mut *self.b;
        b.sequence.clear();
        let numbered = (0u64..).zip(&b.chunks);
        b.sequence
            .extend(numbered.map(|(n, c)| u64::from(c.element.order()) << 32 | n));
        put_in_order(&mut b.sequence);
        // Names, quotes and brackets take less than this.
        let room = 200 + source.map_or(0, str::len) + 32 * b.chunks.len();
        json.reserve(b.scratch.len() + room);
        let base = json.len();
        json.extend_from_slice(b"{\"resourceType\":\"");
        json.extend_from_slice(self.resource_type.as_bytes());
        json.extend_from_slice(b"\",\"id\":\"");
        json.extend_from_slice(self.id.as_bytes());
        json.push(b'"');
        let chunks = b.sequence.iter().filter_map(|n| {
            let n = n & u64::from(u32::MAX);
            b.chunks.get(usize::try_from(n).unwrap_or(usize::MAX))
        });
        // `meta.source` stands first in `meta`.
        let mut source = source;
        let mut open: Option<Element> = None;
        for c in chunks {
            let mut written = (usize_of(c.start), usize_of(c.end));
            if open.is_some_and(|e| e.is(c.element)) {
                json.push(b',');
            } else {
                if open.is_some_and(Element::repeats) {
                    json.push(b']');
                }
                open = Some(c.element);
                if let Some(source) = source.take() {
                    begin_meta(json, source);
                    if c.element.is(META) {
                        json.push(b',');
                        written.0 += 1;
                    } else {
                        json.push(b'}');
                    }
                }
                if written.0 == usize_of(c.start) {
                    json.extend_from_slice(c.element.key().as_bytes());
                    if c.element.repeats() {
                        json.push(b'[');
                    }
                }
            }
            if let Some(all) = &b.events {
                let moved = usize_of(c.start) + (json.len() - base) - written.0;
                let at = offset(moved);
                rows.push((at, c.row));
                let own = all.get(usize_of(c.events.0)..usize_of(c.events.1));
                events.extend(own.unwrap_or_default().iter().map(|e| Event {
                    at: e.at - c.start + at,
                    ..*e
                }));
            }
            json.extend_from_slice(b.scratch.get(written.0..written.1).unwrap_or_default());
        }
        if let Some(source) = source {
            begin_meta(json, source);
            json.push(b'}');
        }
        if open.is_some_and(Element::repeats) {
            json.push(b']');
        }
        json.push(b'}');
    }
    /// The buffers, for the next resource.
    pub fn into_buffers(self) -> Box<Buffers> {
        self.b
    }
}

fn begin_meta(json: &mut Vec<u8>, source: &str) {
    json.extend_from_slice(b",\"meta\":{\"source\":\"");
    json.extend_from_slice(source.as_bytes());
    json.push(b'"');
}

/// Most numbers that are sorted by insertion; a resource mostly has fewer elements.
const FEW: usize = 64;

/// Sorts. That of the standard library is three kilobytes of wasm.
fn put_in_order(numbers: &mut [u64]) {
    if numbers.len() > FEW {
        warifu_order::sort(numbers);
        return;
    }
    for end in 1..numbers.len() {
        let mut at = end;
        while at > 0 && numbers.get(at - 1) > numbers.get(at) {
            numbers.swap(at - 1, at);
            at -= 1;
        }
    }
}

/// The bit of an element's place.
fn place_of(element: Element) -> u64 {
    1 << (element.order() & 63)
}

fn usize_of(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

#[cfg(test)]
#[expect(clippy::as_conversions, reason = "u32 offsets widen to usize")]
mod tests {
    use super::*;
    use crate::element::patient;

    #[test]
    fn elements_come_in_r4_order_and_items_merge() {
        let mut r = Resource::new(Box::new(Buffers::new(true)), "Patient", Id::readable("p1"));
        let src = Src {
            message: 0,
            start: 10,
            end: 12,
        };
        r.string(patient::GENDER, "male", src);
        r.object(patient::NAME, |o| o.string("family", "割符", src));
        r.object(patient::IDENTIFIER, |o| o.string("value", "1", src));
        r.object(patient::NAME, |o| o.string("family", "ワリフ", src));
        r.object(patient::NAME, |_| {});
        assert!(!r.string(patient::GENDER, "female", src));
        r.profile("http://example.org/p");
        let (mut json, mut events, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        r.write(None, &mut json, &mut events, &mut rows);
        assert_eq!(
            std::str::from_utf8(&json).unwrap(),
            r#"{"resourceType":"Patient","id":"p1","meta":{"profile":["http://example.org/p"]},"identifier":[{"value":"1"}],"name":[{"family":"割符"},{"family":"ワリフ"}],"gender":"male"}"#
        );
        assert!(!events.is_empty());
        for e in &events {
            assert_eq!(json[e.at as usize], b'"');
        }
        assert_eq!(META.name(), "meta");
    }
}
