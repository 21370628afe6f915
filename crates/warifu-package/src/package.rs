//! A compiled package, read in place.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use sha2::{Digest as _, Sha256};

use crate::layout::{
    CASE_SENSITIVE, CONCEPT_WORDS, CONCEPTS, ENDS, HEAD, MAGIC, NODES, NONE, PACKAGE, PARENTS,
    RESOURCE_WORDS, RESOURCES, SECTIONS, TEXTS, Word, short, size, u32_at,
};

/// Kinds of definitions that a package is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// StructureDefinition
    Structure,
    /// ValueSet
    ValueSet,
    /// CodeSystem
    CodeSystem,
    /// NamingSystem; its name stands for its URL.
    NamingSystem,
}

impl Kind {
    pub(crate) fn number(self) -> u32 {
        match self {
            Self::Structure => 0,
            Self::ValueSet => 1,
            Self::CodeSystem => 2,
            Self::NamingSystem => 3,
        }
    }
    fn of(number: u32) -> Option<Self> {
        [
            Self::Structure,
            Self::ValueSet,
            Self::CodeSystem,
            Self::NamingSystem,
        ]
        .into_iter()
        .find(|k| k.number() == number)
    }
}

/// Why bytes are no compiled package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// They do not begin with the format's mark.
    #[error("not a compiled package")]
    NoPackage,
    /// They were written by another version of the format.
    #[error("compiled by another version (format {found})")]
    OtherVersion {
        /// The version.
        found: u8,
    },
    /// They end too early, or the checksum does not fit.
    #[error("damaged: the checksum does not fit")]
    Damaged,
    /// The checksum fits, the content does not.
    #[error("malformed content")]
    Malformed,
}

/// Name, version and needs of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Name, as `jp-core.r4`.
    pub name: String,
    /// Version, as `1.1.2-url`.
    pub version: String,
    /// Name and version of each package it needs, in the order of the manifest.
    pub dependencies: Vec<(String, String)>,
}

impl Manifest {
    /// `name#version`
    pub fn label(&self) -> String {
        format!("{}#{}", self.name, self.version)
    }
}

/// A package.
#[derive(Debug, Clone)]
pub struct Package {
    bytes: Cow<'static, [u8]>,
    sections: [Range<usize>; SECTIONS],
    manifest: Manifest,
}

/// Values that a value may hold if it is written out, shared ones counted each time.
const EXPANDED: u32 = 50_000_000;

impl Package {
    /// Reads a compiled package: checks its checksum and that its content holds together; nothing
    /// is decoded ahead of use.
    pub fn read(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, ReadError> {
        let bytes = bytes.into();
        let mark = bytes.first_chunk::<4>().ok_or(ReadError::NoPackage)?;
        if mark.first_chunk::<3>() != MAGIC.first_chunk::<3>() {
            return Err(ReadError::NoPackage);
        }
        if *mark != MAGIC {
            let found = mark.last().copied().unwrap_or_default();
            return Err(ReadError::OtherVersion { found });
        }
        let sum = bytes.get(4..36).ok_or(ReadError::Damaged)?;
        let body = bytes.get(36..).ok_or(ReadError::Damaged)?;
        if *sum != *Sha256::digest(body) || bytes.len() < HEAD {
            return Err(ReadError::Damaged);
        }
        let mut sections: [Range<usize>; SECTIONS] = std::array::from_fn(|_| 0..0);
        let mut at = HEAD;
        for (n, section) in sections.iter_mut().enumerate() {
            let end = at
                .checked_add(size(u32_at(&bytes, 36 + 4 * n)))
                .filter(|end| *end <= bytes.len())
                .ok_or(ReadError::Malformed)?;
            *section = at..end;
            at = end;
        }
        if at != bytes.len() {
            return Err(ReadError::Malformed);
        }
        let mut package = Self {
            bytes,
            sections,
            manifest: Manifest {
                name: String::new(),
                version: String::new(),
                dependencies: Vec::new(),
            },
        };
        package.verify().ok_or(ReadError::Malformed)?;
        let value = package.value(package.u32(PACKAGE, 0));
        let text = |v: Option<Value<'_>>| v.and_then(Value::text).unwrap_or_default().to_owned();
        let manifest = Manifest {
            name: text(value.get("name")),
            version: text(value.get("version")),
            dependencies: value
                .get("dependencies")
                .into_iter()
                .flat_map(Value::members)
                .filter_map(|(key, v)| Some((key.to_owned(), v.text()?.to_owned())))
                .collect(),
        };
        package.manifest = manifest;
        Ok(package)
    }

    /// Profiles and extensions of R4 core, compiled in.
    pub fn core() -> Result<Self, ReadError> {
        static BYTES: &[u8] = include_bytes!("../core.bin");
        Self::read(BYTES)
    }

    /// The compiled form, to be saved.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the content: equal for packages with equal facts.
    pub fn checksum(&self) -> [u8; 32] {
        let sum = self.bytes.get(4..).and_then(<[u8]>::first_chunk::<32>);
        sum.copied().unwrap_or_default()
    }

    /// Name, version, dependencies.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn section(&self, n: usize) -> &[u8] {
        let range = self.sections.get(n).cloned().unwrap_or_default();
        self.bytes.get(range).unwrap_or_default()
    }

    fn u32(&self, section: usize, word: usize) -> u32 {
        u32_at(self.section(section), 4 * word)
    }

    fn count(&self, section: usize, words: usize) -> u32 {
        short(self.section(section).len() / (4 * words))
    }

    fn text(&self, id: u32) -> &str {
        if id == NONE {
            return "";
        }
        let start = match id.checked_sub(1) {
            Some(before) => self.u32(ENDS, size(before)),
            None => 0,
        };
        let end = self.u32(ENDS, size(id));
        let bytes = self.section(TEXTS).get(size(start)..size(end));
        std::str::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
    }

    /// Number of a text.
    fn find_text(&self, text: &str) -> Option<u32> {
        let (mut low, mut high) = (0, self.count(ENDS, 1));
        while low < high {
            let middle = low.midpoint(high);
            match self.text(middle).cmp(text) {
                Ordering::Equal => return Some(middle),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        None
    }

    fn value(&self, word: u32) -> Value<'_> {
        Value {
            package: self,
            word: Word::unpack(word),
        }
    }

    /// Everything that is read later without a further look: places are within their sections, nodes
    /// hold values of earlier nodes only, texts are UTF-8; texts, definitions and codes are in the
    /// order that they are searched by. Linear.
    fn verify(&self) -> Option<()> {
        let whole = |n: usize, words: usize| self.section(n).len().is_multiple_of(4 * words);
        let numbers = [ENDS, NODES, PARENTS].iter().all(|n| whole(*n, 1));
        if !numbers
            || !whole(RESOURCES, RESOURCE_WORDS)
            || !whole(CONCEPTS, CONCEPT_WORDS)
            || self.section(PACKAGE).len() != 4
        {
            return None;
        }
        let all = std::str::from_utf8(self.section(TEXTS)).ok()?;
        let texts = self.count(ENDS, 1);
        let (mut start, mut before) = (0, None);
        for id in 0..texts {
            let end = size(self.u32(ENDS, size(id)));
            let text = all.get(start..end)?;
            if before.is_some_and(|b: &str| b >= text) {
                return None;
            }
            (start, before) = (end, Some(text));
        }
        if start != all.len() {
            return None;
        }
        // Values written out, by place of a node's head; 0 is no head.
        let count = self.count(NODES, 1);
        let mut sizes = vec![0_u32; size(count)];
        let weight = |sizes: &[u32], word: u32, object: Option<bool>| match Word::unpack(word) {
            Word::Text(id) | Word::Number(id) if id < texts => Some(1),
            Word::Null | Word::False | Word::True if word < 3 => Some(1),
            Word::Array(at) | Word::Object(at) => {
                let is_object = matches!(Word::unpack(word), Word::Object(_));
                let head = self.u32(NODES, size(at));
                let weight = sizes.get(size(at)).copied().filter(|s| *s > 0)?;
                ((head & 1 == 1) == is_object && object.is_none_or(|o| o == is_object))
                    .then_some(weight)
            }
            _ => None,
        };
        let mut at = 0;
        while at < count {
            let head = self.u32(NODES, size(at));
            let inner = head >> 1;
            let keys = if head & 1 == 1 { inner } else { 0 };
            let values = at.checked_add(1)?.checked_add(keys)?;
            let next = values.checked_add(inner)?;
            if next > count || (at + 1..values).any(|k| self.u32(NODES, size(k)) >= texts) {
                return None;
            }
            let mut sum = 1_u32;
            for n in values..next {
                sum = sum.saturating_add(weight(&sizes, self.u32(NODES, size(n)), None)?);
            }
            if sum > EXPANDED {
                return None;
            }
            *sizes.get_mut(size(at))? = sum;
            at = next;
        }
        let text_or_none = |id: u32| id < texts || id == NONE;
        let concepts = self.count(CONCEPTS, CONCEPT_WORDS);
        let mut url = 0;
        for n in 0..self.count(RESOURCES, RESOURCE_WORDS) {
            let word = |k| self.u32(RESOURCES, size(n) * RESOURCE_WORDS + k);
            let end = word(5).checked_add(word(6))?;
            let fits = word(0) < texts
                && Kind::of(word(1)).is_some()
                && text_or_none(word(2))
                && text_or_none(word(3))
                && end <= concepts;
            if !fits {
                return None;
            }
            if word(0) < url {
                return None;
            }
            url = word(0);
            weight(&sizes, word(4), Some(true))?;
            // Parents count from the first concept of their own system.
            for c in word(5)..end {
                let word_c = |k| self.u32(CONCEPTS, size(c) * CONCEPT_WORDS + k);
                let last = word_c(3).checked_add(word_c(4))?;
                let parents_fit = last <= self.count(PARENTS, 1)
                    && (word_c(3)..last).all(|p| self.u32(PARENTS, size(p)) < word(6));
                if !parents_fit || word_c(0) >= texts || !text_or_none(word_c(1)) {
                    return None;
                }
                weight(&sizes, word_c(2), None)?;
            }
            let resource = Resource { package: self, n };
            let codes = resource.concepts().map(Concept::code);
            if !codes.is_sorted_by(|a, b| resource.order(a, b).is_le()) {
                return None;
            }
        }
        weight(&sizes, self.u32(PACKAGE, 0), Some(true))?;
        Some(())
    }

    /// All definitions, by URL, kind and file.
    pub fn resources(&self) -> impl ExactSizeIterator<Item = Resource<'_>> {
        (0..self.count(RESOURCES, RESOURCE_WORDS)).map(|n| Resource { package: self, n })
    }

    /// A definition by its place in [`Package::resources`].
    pub fn resource(&self, n: u32) -> Option<Resource<'_>> {
        (n < self.count(RESOURCES, RESOURCE_WORDS)).then_some(Resource { package: self, n })
    }

    /// Definitions of one kind with this URL, without version; several differ in version.
    pub fn find(&self, kind: Kind, url: &str) -> impl Iterator<Item = Resource<'_>> {
        let id = self.find_text(url);
        let at = |n: u32| self.u32(RESOURCES, size(n) * RESOURCE_WORDS);
        let end = self.count(RESOURCES, RESOURCE_WORDS);
        let (mut low, mut high) = (0, id.map_or(0, |_| end));
        while low < high {
            let middle = low.midpoint(high);
            if Some(at(middle)) < id {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        (low..if id.is_some() { end } else { low })
            .take_while(move |n| Some(at(*n)) == id)
            .map(|n| Resource { package: self, n })
            .filter(move |r| r.kind() == kind)
    }
}

/// A definition of a package.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'p> {
    package: &'p Package,
    n: u32,
}

impl<'p> Resource<'p> {
    fn word(self, k: usize) -> u32 {
        self.package
            .u32(RESOURCES, size(self.n) * RESOURCE_WORDS + k)
    }
    /// Its place in [`Package::resources`].
    pub fn index(self) -> u32 {
        self.n
    }
    /// Its package.
    pub fn package(self) -> &'p Package {
        self.package
    }
    /// Its URL, without version.
    pub fn url(self) -> &'p str {
        self.package.text(self.word(0))
    }
    /// What it is.
    pub fn kind(self) -> Kind {
        Kind::of(self.word(1)).unwrap_or(Kind::Structure)
    }
    /// Its version; empty without one.
    pub fn version(self) -> &'p str {
        self.package.text(self.word(2))
    }
    /// File of the package that it came from.
    pub fn file(self) -> &'p str {
        self.package.text(self.word(3))
    }
    /// Its facts; of a code system without the concepts.
    pub fn value(self) -> Value<'p> {
        self.package.value(self.word(4))
    }
    /// Whether case matters in the codes of a code system.
    pub fn is_case_sensitive(self) -> bool {
        self.word(7) & CASE_SENSITIVE != 0
    }
    /// Number of concepts of a code system.
    pub fn concept_count(self) -> u32 {
        self.word(6)
    }
    /// A concept by its place, in the order of codes.
    pub fn concept(self, n: u32) -> Option<Concept<'p>> {
        (n < self.concept_count()).then_some(Concept { of: self, n })
    }
    /// All concepts, in the order of codes.
    pub fn concepts(self) -> impl ExactSizeIterator<Item = Concept<'p>> {
        (0..self.concept_count()).map(move |n| Concept { of: self, n })
    }
    /// The order that codes of this system stand in.
    fn order(self, a: &str, b: &str) -> Ordering {
        if self.is_case_sensitive() {
            return a.cmp(b);
        }
        let folded = |b: u8| b.to_ascii_lowercase();
        a.bytes().map(folded).cmp(b.bytes().map(folded))
    }
    /// A concept by its code; of a system that ignores case by the code in any case.
    pub fn find_concept(self, code: &str) -> Option<Concept<'p>> {
        let (mut low, mut high) = (0, self.concept_count());
        while low < high {
            let n = low.midpoint(high);
            let concept = Concept { of: self, n };
            match self.order(concept.code(), code) {
                Ordering::Equal => return Some(concept),
                Ordering::Less => low = n + 1,
                Ordering::Greater => high = n,
            }
        }
        None
    }
}

/// A concept of a code system.
#[derive(Debug, Clone, Copy)]
pub struct Concept<'p> {
    of: Resource<'p>,
    n: u32,
}

impl<'p> Concept<'p> {
    fn word(self, k: usize) -> u32 {
        let at = size(self.of.word(5)).saturating_add(size(self.n));
        self.of.package.u32(CONCEPTS, at * CONCEPT_WORDS + k)
    }
    /// Its place in its code system, in the order of codes.
    pub fn index(self) -> u32 {
        self.n
    }
    /// Its code.
    pub fn code(self) -> &'p str {
        self.of.package.text(self.word(0))
    }
    /// Its display.
    pub fn display(self) -> Option<&'p str> {
        let id = self.word(1);
        (id != NONE).then(|| self.of.package.text(id))
    }
    /// What else is said of it: `designation`, `property`, `extension`.
    pub fn rest(self) -> Value<'p> {
        self.of.package.value(self.word(2))
    }
    /// Places of the concepts right above it: by nesting, and by the properties `parent`,
    /// `subsumedBy` and `child`.
    pub fn parents(self) -> impl ExactSizeIterator<Item = u32> + use<'p> {
        let first = self.word(3);
        let package = self.of.package;
        (0..self.word(4)).map(move |n| package.u32(PARENTS, size(first.saturating_add(n))))
    }
}

/// A value of a definition.
#[derive(Debug, Clone, Copy)]
pub struct Value<'p> {
    package: &'p Package,
    word: Word,
}

impl<'p> Value<'p> {
    /// Head, first word after it, number of items or members.
    fn node(self) -> (bool, usize, u32) {
        let at = match self.word {
            Word::Array(at) | Word::Object(at) => size(at),
            _ => return (false, 0, 0),
        };
        let head = self.package.u32(NODES, at);
        (head & 1 == 1, at + 1, head >> 1)
    }
    /// A member of an object.
    pub fn get(self, key: &str) -> Option<Self> {
        self.members().find(|(k, _)| *k == key).map(|(_, v)| v)
    }
    /// Text of a string.
    pub fn text(self) -> Option<&'p str> {
        match self.word {
            Word::Text(id) => Some(self.package.text(id)),
            _ => None,
        }
    }
    /// Text of a member; empty where there is none.
    pub fn text_of(self, key: &str) -> &'p str {
        self.get(key).and_then(Self::text).unwrap_or_default()
    }
    /// Whether it is `true`.
    pub fn is_true(self) -> bool {
        self.word == Word::True
    }
    /// Text of a string or number, `true`, `false`; `None` for anything else.
    pub fn plain(self) -> Option<&'p str> {
        match self.word {
            Word::Text(id) | Word::Number(id) => Some(self.package.text(id)),
            Word::True => Some("true"),
            Word::False => Some("false"),
            Word::Null | Word::Array(_) | Word::Object(_) => None,
        }
    }
    /// Items of an array; none for anything else.
    pub fn items(self) -> impl ExactSizeIterator<Item = Self> + use<'p> {
        let (object, first, count) = self.node();
        let count = if object { 0 } else { count };
        let package = self.package;
        (0..count).map(move |n| package.value(package.u32(NODES, first + size(n))))
    }
    /// Items of an array by the key of the object that holds it.
    pub fn items_of(self, key: &str) -> impl Iterator<Item = Self> + use<'p> {
        self.get(key).into_iter().flat_map(Self::items)
    }
    /// Keys and values of an object; none for anything else.
    pub fn members(self) -> impl ExactSizeIterator<Item = (&'p str, Self)> + use<'p> {
        let (object, first, count) = self.node();
        let count = if object { count } else { 0 };
        let package = self.package;
        (0..count).map(move |n| {
            let key = package.text(package.u32(NODES, first + size(n)));
            let value = package.u32(NODES, first + size(count) + size(n));
            (key, package.value(value))
        })
    }

    /// Writes it as JSON.
    pub fn write_json(self, out: &mut Vec<u8>) {
        // What is to be written next is on top.
        enum Step<'p> {
            Value(Value<'p>),
            Key(&'p str),
            Byte(u8),
        }
        let mut todo = vec![Step::Value(self)];
        while let Some(step) = todo.pop() {
            match step {
                Step::Byte(b) => out.push(b),
                Step::Key(key) => {
                    quote(key, out);
                    out.push(b':');
                }
                Step::Value(value) => match value.word {
                    Word::Null => out.extend(b"null"),
                    Word::True => out.extend(b"true"),
                    Word::False => out.extend(b"false"),
                    Word::Number(id) => out.extend(value.package.text(id).as_bytes()),
                    Word::Text(id) => quote(value.package.text(id), out),
                    Word::Array(_) => {
                        out.push(b'[');
                        todo.push(Step::Byte(b']'));
                        let start = todo.len();
                        for (n, item) in value.items().enumerate() {
                            if n > 0 {
                                todo.push(Step::Byte(b','));
                            }
                            todo.push(Step::Value(item));
                        }
                        todo.get_mut(start..).unwrap_or_default().reverse();
                    }
                    Word::Object(_) => {
                        out.push(b'{');
                        todo.push(Step::Byte(b'}'));
                        let start = todo.len();
                        for (n, (key, item)) in value.members().enumerate() {
                            if n > 0 {
                                todo.push(Step::Byte(b','));
                            }
                            todo.push(Step::Key(key));
                            todo.push(Step::Value(item));
                        }
                        todo.get_mut(start..).unwrap_or_default().reverse();
                    }
                },
            }
        }
    }
}

/// A text as a JSON string.
fn quote(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for b in text.bytes() {
        match b {
            b'"' | b'\\' => out.extend([b'\\', b]),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            0..=0x1F => out.extend(format!("\\u{b:04x}").as_bytes()),
            _ => out.push(b),
        }
    }
    out.push(b'"');
}
