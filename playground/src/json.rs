//! A read-only JSON index: bytes in, a flat preorder table of nodes out.
//!
//! The table is what the FHIR tree, the JSON view and the trace work on, and it
//! is how the shell reads what the worker sends, so no second JSON reader is
//! linked into the page.

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    Text,
    /// A number, as written.
    Number,
    /// `true` or `false`.
    Bool,
    /// `null`
    Null,
}

impl Kind {
    /// Whether the node can have children.
    pub const fn is_container(self) -> bool {
        matches!(self, Self::Object | Self::Array)
    }
}

/// One value: where it stands in the bytes and in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Byte range of the member name without its quotes; empty for items and the root.
    pub key: (u32, u32),
    /// Byte range of the value, quotes and brackets included.
    pub span: (u32, u32),
    /// Index of the parent; the root names itself.
    pub parent: u32,
    /// Index of the first node behind this one's subtree.
    pub next: u32,
    /// Depth, 0 for the root.
    pub depth: u16,
    /// 0-based place among the siblings.
    pub index: u32,
    /// Number of children.
    pub count: u32,
}

/// A parsed document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Json {
    bytes: Vec<u8>,
    nodes: Vec<Node>,
}

/// Why a text is not JSON: the byte offset at which reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken(pub usize);

/// Containers nested deeper than this are refused.
const MAX_DEPTH: usize = 512;

impl Json {
    /// Reads one JSON value.
    ///
    /// # Errors
    /// [`Broken`] with the offset of the first byte that does not fit.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, Broken> {
        let mut reader = Reader::new(&bytes);
        reader.value(0)?;
        reader.blanks();
        if reader.at < bytes.len() {
            return Err(Broken(reader.at));
        }
        let nodes = reader.nodes;
        Ok(Self { bytes, nodes })
    }

    /// Reads JSON values standing one after another (NDJSON) as the items of one array.
    ///
    /// # Errors
    /// [`Broken`] with the offset of the first byte that does not fit.
    pub fn parse_lines(bytes: Vec<u8>) -> Result<Self, Broken> {
        let mut reader = Reader::new(&bytes);
        reader.nodes.push(Node {
            kind: Kind::Array,
            key: (0, 0),
            span: (0, cut(bytes.len())),
            parent: 0,
            next: 1,
            depth: 0,
            index: 0,
            count: 0,
        });
        reader.stack.push(0);
        loop {
            reader.blanks();
            if reader.at >= bytes.len() {
                break;
            }
            reader.value(1)?;
        }
        let len = cut(reader.nodes.len());
        if let Some(root) = reader.nodes.first_mut() {
            root.next = len;
        }
        let nodes = reader.nodes;
        Ok(Self { bytes, nodes })
    }

    /// All nodes in the order of the text.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The bytes as read.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The root as a value to walk.
    pub fn root(&self) -> Value<'_> {
        Value {
            json: self,
            at: (!self.nodes.is_empty()).then_some(0),
        }
    }

    /// The value of node `at`.
    pub fn value(&self, at: usize) -> Value<'_> {
        Value {
            json: self,
            at: (at < self.nodes.len()).then_some(at),
        }
    }

    /// Text between two offsets, as it stands.
    pub fn raw(&self, span: (u32, u32)) -> &str {
        self.bytes
            .get(span.0 as usize..span.1 as usize)
            .and_then(|b| std::str::from_utf8(b).ok())
            .unwrap_or("")
    }

    /// Member name of a node, unescaped; empty for items and the root.
    pub fn key(&self, at: usize) -> String {
        self.nodes
            .get(at)
            .map_or_else(String::new, |n| unescape(self.raw(n.key)))
    }

    /// RFC 6901 pointer of a node; empty for the root.
    pub fn pointer(&self, at: usize) -> String {
        let mut steps = Vec::new();
        let mut i = at;
        while let Some(node) = self.nodes.get(i) {
            if node.depth == 0 {
                break;
            }
            let parent = node.parent as usize;
            let in_object = self
                .nodes
                .get(parent)
                .is_some_and(|p| p.kind == Kind::Object);
            steps.push(if in_object {
                escape(&self.key(i))
            } else {
                node.index.to_string()
            });
            i = parent;
        }
        let mut out = String::new();
        for step in steps.iter().rev() {
            out.push('/');
            out.push_str(step);
        }
        out
    }

    /// Node an RFC 6901 pointer leads to.
    pub fn find(&self, pointer: &str) -> Option<usize> {
        Finder::new(self).find(pointer)
    }

    /// Indices of the direct children of a node, in order.
    pub fn children(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.nodes.get(at).map_or(0, |n| n.next as usize);
        let mut i = at.saturating_add(1);
        std::iter::from_fn(move || {
            if i >= end {
                return None;
            }
            let here = i;
            i = self.nodes.get(i).map_or(end, |n| n.next as usize);
            Some(here)
        })
    }

    /// The deepest node that has these bytes, its name included.
    pub fn node_at(&self, start: u32, end: u32) -> usize {
        let from = |n: &Node| if n.key.0 > 0 { n.key.0 - 1 } else { n.span.0 };
        let behind = self.nodes.partition_point(|n| from(n) <= start);
        let mut at = behind.saturating_sub(1);
        while let Some(node) = self.nodes.get(at)
            && node.depth > 0
            && node.span.1 < end
        {
            at = node.parent as usize;
        }
        at
    }

    /// FHIR-like path of a node inside its resource: `Patient.name[1].family`.
    ///
    /// The resource is the nearest enclosing object with a `resourceType`; nodes outside
    /// any resource get the pointer.
    pub fn fhir_path(&self, at: usize) -> String {
        let mut steps: Vec<String> = Vec::new();
        let mut i = at;
        while let Some(node) = self.nodes.get(i) {
            if node.kind == Kind::Object
                && let Some(kind) = self.value(i).get("resourceType").text()
            {
                let mut out = kind;
                for step in steps.iter().rev() {
                    out.push_str(step);
                }
                return out;
            }
            if node.depth == 0 {
                break;
            }
            let parent = node.parent as usize;
            let in_object = self
                .nodes
                .get(parent)
                .is_some_and(|p| p.kind == Kind::Object);
            steps.push(if in_object {
                format!(".{}", self.key(i))
            } else {
                format!("[{}]", node.index)
            });
            i = parent;
        }
        self.pointer(at)
    }
}

/// Finds many nodes of a document: long arrays are walked once, not once a pointer.
#[derive(Debug)]
pub struct Finder<'a> {
    json: &'a Json,
    /// Long arrays with their items.
    long: Vec<(usize, Vec<usize>)>,
}

/// An array of more items is long.
const LONG: u32 = 256;

impl<'a> Finder<'a> {
    /// Finds in a document.
    pub const fn new(json: &'a Json) -> Self {
        let long = Vec::new();
        Self { json, long }
    }

    /// Node an RFC 6901 pointer leads to.
    pub fn find(&mut self, pointer: &str) -> Option<usize> {
        let mut at = 0;
        self.json.nodes.first()?;
        if pointer.is_empty() {
            return Some(0);
        }
        for step in pointer.strip_prefix('/')?.split('/') {
            let node = self.json.nodes.get(at)?;
            at = if node.kind == Kind::Array {
                self.item(at, node.count, step.parse().ok()?)?
            } else {
                let wanted = unescape_step(step);
                let mut children = self.json.children(at);
                children.find(|&c| self.json.key(c) == wanted)?
            };
        }
        Some(at)
    }

    fn item(&mut self, array: usize, count: u32, index: usize) -> Option<usize> {
        if count <= LONG {
            return self.json.children(array).nth(index);
        }
        let known = self.long.iter().position(|l| l.0 == array);
        let known = known.unwrap_or_else(|| {
            self.long.push((array, self.json.children(array).collect()));
            self.long.len() - 1
        });
        self.long.get(known)?.1.get(index).copied()
    }
}

/// A place in a document that may be absent, so that paths can be followed without checks.
#[derive(Debug, Clone, Copy)]
pub struct Value<'a> {
    json: &'a Json,
    at: Option<usize>,
}

impl<'a> Value<'a> {
    /// Index of the node, if there is one.
    pub const fn at(self) -> Option<usize> {
        self.at
    }

    fn node(self) -> Option<&'a Node> {
        self.json.nodes.get(self.at?)
    }

    /// Member of an object.
    #[must_use]
    pub fn get(self, key: &str) -> Self {
        let at = self.at.and_then(|at| {
            if self.node()?.kind != Kind::Object {
                return None;
            }
            self.json.children(at).find(|&c| {
                self.json
                    .nodes
                    .get(c)
                    .is_some_and(|n| self.json.raw(n.key) == key)
            })
        });
        Self {
            json: self.json,
            at,
        }
    }

    /// Item of an array.
    #[must_use]
    pub fn item(self, index: usize) -> Self {
        Self {
            json: self.json,
            at: self.items().nth(index).and_then(|v| v.at),
        }
    }

    /// Children of an array or object.
    pub fn items(self) -> impl Iterator<Item = Value<'a>> {
        let json = self.json;
        let at = self.at.unwrap_or(usize::MAX - 1);
        json.children(at).map(move |c| Value { json, at: Some(c) })
    }

    /// Unescaped text of a string; `None` for anything else.
    pub fn text(self) -> Option<String> {
        let node = self.node()?;
        (node.kind == Kind::Text).then(|| unescape(inner(self.json.raw(node.span))))
    }

    /// Text of a string, or an empty one.
    pub fn string(self) -> String {
        self.text().unwrap_or_default()
    }

    /// A whole number ≥ 0, as far as its digits go; 0 for anything else.
    pub fn uint(self) -> u32 {
        let digits = self
            .node()
            .filter(|n| n.kind == Kind::Number)
            .map_or("", |n| self.json.raw(n.span));
        digits
            .bytes()
            .take_while(u8::is_ascii_digit)
            .fold(0u32, |n, d| {
                n.saturating_mul(10).saturating_add(u32::from(d - b'0'))
            })
    }

    /// `true`, `false`, or `None`.
    pub fn flag(self) -> Option<bool> {
        let node = self.node()?;
        (node.kind == Kind::Bool).then(|| self.json.raw(node.span) == "true")
    }

    /// A pair of offsets written as `[start, end]`.
    pub fn pair(self) -> (u32, u32) {
        (self.item(0).uint(), self.item(1).uint())
    }
}

/// Strips the quotes of a raw string.
fn inner(raw: &str) -> &str {
    raw.strip_prefix('"')
        .and_then(|r| r.strip_suffix('"'))
        .unwrap_or(raw)
}

/// Text shown for a leaf: strings unescaped, the rest as written.
pub fn leaf_text(json: &Json, at: usize) -> String {
    json.nodes
        .get(at)
        .map_or_else(String::new, |n| match n.kind {
            Kind::Text => unescape(inner(json.raw(n.span))),
            Kind::Object => "{}".into(),
            Kind::Array => "[]".into(),
            _ => json.raw(n.span).into(),
        })
}

/// A member name as a step of a pointer.
fn escape(key: &str) -> String {
    let mut out = String::new();
    for c in key.chars() {
        match c {
            '~' => out.push_str("~0"),
            '/' => out.push_str("~1"),
            c => out.push(c),
        }
    }
    out
}

/// A step of a pointer as a member name.
fn unescape_step(step: &str) -> String {
    let mut out = String::new();
    let mut tilde = false;
    for c in step.chars() {
        match (tilde, c) {
            (true, '0') => out.push('~'),
            (true, '1') => out.push('/'),
            (false, '~') => {}
            (_, c) => out.push(c),
        }
        tilde = !tilde && c == '~';
    }
    out
}

/// Resolves JSON escapes; lone surrogates become U+FFFD.
pub fn unescape(raw: &str) -> String {
    if !raw.contains('\\') {
        return raw.to_owned();
    }
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('u') => {
                let high = hex4(&mut chars);
                if (0xD800..0xDC00).contains(&high) {
                    let mut ahead = chars.clone();
                    if ahead.next() == Some('\\') && ahead.next() == Some('u') {
                        let low = hex4(&mut ahead);
                        if (0xDC00..0xE000).contains(&low) {
                            chars = ahead;
                            let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                            out.push(char::from_u32(code).unwrap_or('\u{FFFD}'));
                            continue;
                        }
                    }
                }
                out.push(char::from_u32(high).unwrap_or('\u{FFFD}'));
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

fn hex4(chars: &mut std::str::Chars<'_>) -> u32 {
    let mut value = 0;
    for _ in 0..4 {
        value = value * 16 + chars.next().and_then(|c| c.to_digit(16)).unwrap_or(0);
    }
    value
}

/// Writes a text as a JSON string, quotes included.
pub fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c as u32) < 0x20 => {
                out.push_str("\\u00");
                for shift in [4u32, 0] {
                    out.push(char::from_digit((c as u32 >> shift) & 15, 16).unwrap_or('0'));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Offsets are 32-bit; longer texts do not occur in a 32-bit page.
pub(crate) fn cut(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    stack: Vec<u32>,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            nodes: Vec::with_capacity(bytes.len() / 24),
            stack: Vec::new(),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Skips a string and returns the range inside its quotes.
    fn string(&mut self) -> Result<(u32, u32), Broken> {
        if self.peek() != Some(b'"') {
            return Err(Broken(self.at));
        }
        self.at += 1;
        let start = self.at;
        loop {
            match self.peek() {
                Some(b'"') => {
                    let span = (cut(start), cut(self.at));
                    self.at += 1;
                    if std::str::from_utf8(self.bytes.get(start..self.at).unwrap_or(&[])).is_err() {
                        return Err(Broken(start));
                    }
                    return Ok(span);
                }
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => return Err(Broken(self.at)),
            }
        }
    }

    fn push(&mut self, kind: Kind, key: (u32, u32), start: usize, end: usize) -> u32 {
        let me = cut(self.nodes.len());
        let parent = self.stack.last().copied().unwrap_or(me);
        let mut index = 0;
        if parent != me
            && let Some(p) = self.nodes.get_mut(parent as usize)
        {
            index = p.count;
            p.count += 1;
        }
        self.nodes.push(Node {
            kind,
            key,
            span: (cut(start), cut(end)),
            parent,
            next: me + 1,
            depth: u16::try_from(self.stack.len()).unwrap_or(u16::MAX),
            index,
            count: 0,
        });
        me
    }

    /// Reads one value; `floor` is the depth of the stack at which it ends.
    fn value(&mut self, floor: usize) -> Result<(), Broken> {
        loop {
            self.blanks();
            let mut key = (0, 0);
            if self.stack.len() > floor
                && let Some(top) = self.stack.last().and_then(|&t| self.nodes.get(t as usize))
            {
                let (kind, count) = (top.kind, top.count);
                let closer = if kind == Kind::Object { b'}' } else { b']' };
                if self.peek() == Some(closer) {
                    self.at += 1;
                    self.close();
                    if self.stack.len() == floor {
                        return Ok(());
                    }
                    continue;
                }
                if count > 0 {
                    if self.peek() != Some(b',') {
                        return Err(Broken(self.at));
                    }
                    self.at += 1;
                    self.blanks();
                }
                if kind == Kind::Object {
                    key = self.string()?;
                    self.blanks();
                    if self.peek() != Some(b':') {
                        return Err(Broken(self.at));
                    }
                    self.at += 1;
                    self.blanks();
                }
            }
            let start = self.at;
            match self.peek() {
                Some(open @ (b'{' | b'[')) => {
                    if self.stack.len() >= MAX_DEPTH {
                        return Err(Broken(self.at));
                    }
                    let kind = if open == b'{' {
                        Kind::Object
                    } else {
                        Kind::Array
                    };
                    self.at += 1;
                    let me = self.push(kind, key, start, start);
                    self.stack.push(me);
                    continue;
                }
                Some(b'"') => {
                    self.string()?;
                    self.push(Kind::Text, key, start, self.at);
                }
                Some(b't') => self.word(b"true", Kind::Bool, key)?,
                Some(b'f') => self.word(b"false", Kind::Bool, key)?,
                Some(b'n') => self.word(b"null", Kind::Null, key)?,
                Some(b'-' | b'0'..=b'9') => {
                    while matches!(
                        self.peek(),
                        Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')
                    ) {
                        self.at += 1;
                    }
                    self.push(Kind::Number, key, start, self.at);
                }
                _ => return Err(Broken(self.at)),
            }
            if self.stack.len() == floor {
                return Ok(());
            }
        }
    }

    fn word(&mut self, word: &[u8], kind: Kind, key: (u32, u32)) -> Result<(), Broken> {
        let start = self.at;
        if !self
            .bytes
            .get(start..)
            .is_some_and(|rest| rest.starts_with(word))
        {
            return Err(Broken(start));
        }
        self.at += word.len();
        self.push(kind, key, start, self.at);
        Ok(())
    }

    fn close(&mut self) {
        let end = cut(self.at);
        let next = cut(self.nodes.len());
        if let Some(node) = self
            .stack
            .pop()
            .and_then(|me| self.nodes.get_mut(me as usize))
        {
            node.span.1 = end;
            node.next = next;
        }
    }
}

/// One line of the indented view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The node shown.
    pub node: u32,
    /// Whether the line only closes the node's bracket.
    pub closes: bool,
}

/// Lines of the indented view, in order: one per node, and one per closing bracket.
pub fn lines(json: &Json) -> Vec<Line> {
    let mut out = Vec::with_capacity(json.len() * 3 / 2);
    let mut open: Vec<u32> = Vec::new();
    for (i, node) in json.nodes.iter().enumerate() {
        while let Some(&top) = open.last() {
            if json
                .nodes
                .get(top as usize)
                .is_some_and(|n| n.next as usize <= i)
            {
                out.push(Line {
                    node: top,
                    closes: true,
                });
                open.pop();
            } else {
                break;
            }
        }
        out.push(Line {
            node: cut(i),
            closes: false,
        });
        if node.kind.is_container() && node.count > 0 {
            open.push(cut(i));
        }
    }
    for top in open.into_iter().rev() {
        out.push(Line {
            node: top,
            closes: true,
        });
    }
    out
}

/// The parts of an indented line: name, value, trailing punctuation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineText {
    /// Indentation in levels.
    pub depth: usize,
    /// Member name as written, without quotes.
    pub key: Option<String>,
    /// What follows: a leaf as written, or brackets.
    pub value: String,
    /// `,` or nothing.
    pub comma: bool,
}

/// Text of one line of the indented view.
pub fn line_text(json: &Json, line: Line) -> LineText {
    let at = line.node as usize;
    let Some(node) = json.nodes.get(at) else {
        return LineText {
            depth: 0,
            key: None,
            value: String::new(),
            comma: false,
        };
    };
    let last = node.depth == 0
        || json
            .nodes
            .get(node.parent as usize)
            .is_none_or(|p| p.count == node.index + 1);
    let opens = node.kind.is_container() && node.count > 0;
    let value = match (node.kind, line.closes, opens) {
        (Kind::Object, true, _) => "}".into(),
        (Kind::Array, true, _) => "]".into(),
        (Kind::Object, _, true) => "{".into(),
        (Kind::Array, _, true) => "[".into(),
        (Kind::Object, ..) => "{}".into(),
        (Kind::Array, ..) => "[]".into(),
        _ => json.raw(node.span).to_owned(),
    };
    LineText {
        depth: usize::from(node.depth),
        // A name never starts at offset 0: a brace and a quote stand before it.
        key: (!line.closes && node.key.0 > 0).then(|| json.raw(node.key).to_owned()),
        value,
        comma: !last && (line.closes || !opens),
    }
}

/// The whole indented text, two blanks a level.
pub fn pretty(json: &Json) -> Vec<String> {
    lines(json)
        .into_iter()
        .map(|line| {
            let t = line_text(json, line);
            let mut out = "  ".repeat(t.depth);
            if let Some(key) = &t.key {
                out.push('"');
                out.push_str(key);
                out.push_str("\": ");
            }
            out.push_str(&t.value);
            if t.comma {
                out.push(',');
            }
            out
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Json {
        Json::parse(text.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn the_deepest_node_has_the_bytes() {
        let json = Json::parse(br#"{"a":[{"b":1},{"c":"x"}]}"#.to_vec()).unwrap();
        let path = |start, end| json.pointer(json.node_at(start, end));
        assert_eq!(path(10, 11), "/a/0/b");
        // The name of a value, with its quotes.
        assert_eq!(path(15, 18), "/a/1/c");
        assert_eq!((path(14, 18), path(1, 4)), ("/a/1".into(), "/a".into()));
        assert_eq!((path(0, 1), path(9, 20)), (String::new(), "/a".into()));
    }

    #[test]
    fn members_items_and_leaves_are_found() {
        let j = parse(r#"{"a":[1,{"b":"x\n\u3042\ud842\udfb7"}],"c/d~":true,"e":null}"#);
        assert_eq!(j.root().get("a").item(1).get("b").string(), "x\nあ𠮷");
        assert_eq!(j.root().get("a").item(0).uint(), 1);
        assert_eq!(j.root().get("c/d~").flag(), Some(true));
        assert_eq!(j.root().get("nothing").get("deeper").text(), None);
        assert_eq!(j.root().get("nothing").items().count(), 0);
    }

    #[test]
    fn pointers_lead_back_to_their_node() {
        let j = parse(r#"{"a":[1,{"b":[]}],"c/d~":{"":2}}"#);
        for at in 0..j.len() {
            assert_eq!(j.find(&j.pointer(at)), Some(at), "{}", j.pointer(at));
        }
        assert_eq!(j.pointer(j.find("/c~1d~0/").unwrap()), "/c~1d~0/");
        assert_eq!(j.find("/a/7"), None);
    }

    #[test]
    fn ndjson_becomes_one_array() {
        let j = Json::parse_lines(b"{\"a\":1}\n{\"a\":2}\n".to_vec()).unwrap();
        assert_eq!(j.find("/1/a").map(|n| leaf_text(&j, n)), Some("2".into()));
        assert_eq!(j.nodes()[0].next as usize, j.len());
        let one = Json::parse_lines(b"{\"a\":1}\n".to_vec()).unwrap();
        assert!(one.find("/0/a").is_some());
        assert_eq!(Json::parse_lines(Vec::new()).unwrap().len(), 1);
    }

    #[test]
    fn broken_texts_say_where() {
        for (text, at) in [
            ("", 0),
            ("{", 1),
            ("[1 2]", 3),
            ("{\"a\" 1}", 5),
            ("1 1", 2),
            ("\"abc", 4),
            ("tru", 0),
        ] {
            assert_eq!(
                Json::parse(text.as_bytes().to_vec()),
                Err(Broken(at)),
                "{text}"
            );
        }
        assert!(Json::parse("[".repeat(100_000).into_bytes()).is_err());
    }

    #[test]
    fn resource_paths_start_at_the_resource() {
        let j = parse(
            r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","name":[{"family":"a"}]}}]}"#,
        );
        let at = j.find("/entry/0/resource/name/0/family").unwrap();
        assert_eq!(j.fhir_path(at), "Patient.name[0].family");
        assert_eq!(j.fhir_path(j.find("/entry/0").unwrap()), "Bundle.entry[0]");
    }

    #[test]
    fn lines_close_what_they_open() {
        let j = parse(r#"{"a":[1,[]],"b":{"c":"x"}}"#);
        assert_eq!(
            pretty(&j),
            [
                "{",
                "  \"a\": [",
                "    1,",
                "    []",
                "  ],",
                "  \"b\": {",
                "    \"c\": \"x\"",
                "  }",
                "}"
            ]
        );
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|m| serde_json::Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(v in any_json()) {
            let j = parse(&v.to_string());
            let back: serde_json::Value = serde_json::from_str(&pretty(&j).join("\n")).unwrap();
            prop_assert_eq!(&back, &v);
            for at in 0..j.len() {
                let p = j.pointer(at);
                let theirs = v.pointer(&p).unwrap();
                if let Some(s) = theirs.as_str() {
                    prop_assert_eq!(leaf_text(&j, at), s);
                }
            }
        }

        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Json::parse(bytes.clone());
            let _ = Json::parse_lines(bytes);
        }

        #[test]
        fn quoted_text_reads_back(s in any::<String>()) {
            let mut out = String::new();
            quote(&s, &mut out);
            prop_assert_eq!(parse(&out).root().string(), s);
        }
    }
}
