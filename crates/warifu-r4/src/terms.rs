//! Code systems and value sets of R4 core: codes only.

use std::cmp::Ordering;

use crate::{Core, NONE, PARENTS, PARTS, PICKS, SYSTEMS, VALUE_SETS, size};

/// How much of a code system is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// All codes.
    Complete,
    /// Some codes.
    Fragment,
    /// Examples.
    Example,
    /// Only codes that value sets of R4 core name (SNOMED CT, LOINC, UCUM, BCP-47 …).
    NotPresent,
}

/// A code system.
#[derive(Debug, Clone, Copy)]
pub struct CodeSystem {
    core: &'static Core,
    id: u16,
}

/// A value set, taken apart by system.
#[derive(Debug, Clone, Copy)]
pub struct ValueSet {
    core: &'static Core,
    id: u16,
}

/// What a value set takes from one system.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// The system; its URL is empty where not even that is known.
    pub system: CodeSystem,
    /// Which codes.
    pub codes: Picked,
}

/// Codes of a system.
#[derive(Debug, Clone, Copy)]
pub enum Picked {
    /// All.
    All,
    /// Those listed: `count` numbers from place `first`; see [`Part::list`].
    List {
        /// Place of the first.
        first: u32,
        /// How many.
        count: u16,
    },
    /// Not decidable without the system's content.
    Open,
}

impl Core {
    fn by_url(&self, section: usize, width: usize, url: &str) -> Option<u16> {
        let (mut low, mut high) = (0, self.section(section).len() / width);
        while low < high {
            let middle = low.midpoint(high);
            match self.text(self.u16(section, middle * width)).cmp(url) {
                Ordering::Equal => return u16::try_from(middle).ok(),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// A code system by its URL.
    pub fn code_system(&'static self, url: &str) -> Option<CodeSystem> {
        let id = self.by_url(SYSTEMS, 10, url)?;
        (!url.is_empty()).then_some(CodeSystem { core: self, id })
    }

    /// A value set by its URL without version.
    pub fn value_set(&'static self, url: &str) -> Option<ValueSet> {
        let id = self.by_url(VALUE_SETS, 6, url)?;
        Some(ValueSet { core: self, id })
    }

    /// All code systems, by URL.
    pub fn code_systems(&'static self) -> impl ExactSizeIterator<Item = CodeSystem> + use<> {
        let core = self;
        let count = u16::try_from(self.section(SYSTEMS).len() / 10).unwrap_or(NONE);
        (0..count).map(move |id| CodeSystem { core, id })
    }

    /// All value sets, by URL.
    pub fn value_sets(&'static self) -> impl ExactSizeIterator<Item = ValueSet> + use<> {
        let core = self;
        let count = u16::try_from(self.section(VALUE_SETS).len() / 6).unwrap_or(NONE);
        (0..count).map(move |id| ValueSet { core, id })
    }
}

impl CodeSystem {
    fn at(self) -> usize {
        usize::from(self.id) * 10
    }
    fn first(self) -> usize {
        size(self.core.u32(SYSTEMS, self.at() + 4))
    }
    /// Its URL.
    pub fn url(self) -> &'static str {
        self.core.text(self.core.u16(SYSTEMS, self.at()))
    }
    /// How much of it is held.
    pub fn content(self) -> Content {
        match self.core.u16(SYSTEMS, self.at() + 2) & 0xFF {
            0 => Content::Complete,
            1 => Content::Fragment,
            2 => Content::Example,
            _ => Content::NotPresent,
        }
    }
    /// Whether case matters in its codes.
    pub fn is_case_sensitive(self) -> bool {
        self.core.u16(SYSTEMS, self.at() + 2) >> 8 != 0
    }
    /// Number of codes held.
    pub fn len(self) -> u16 {
        self.core.u16(SYSTEMS, self.at() + 8)
    }
    /// Whether no code is held.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
    /// A code by its place.
    pub fn code(self, n: u16) -> &'static str {
        if n >= self.len() {
            return "";
        }
        let at = self.first() + usize::from(n);
        // Ends count from the first code of all, and an end of the system before is this one's start.
        self.core.code_text(at)
    }
    /// Place of the code above, if there is one.
    pub fn parent(self, n: u16) -> Option<u16> {
        let parent = self.core.u16(PARENTS, 2 * (self.first() + usize::from(n)));
        (n < self.len() && parent != NONE).then_some(parent)
    }
    /// Place of a code.
    pub fn find(self, code: &str) -> Option<u16> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.code(middle).cmp(code) {
                Ordering::Equal => return Some(middle),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        if self.is_case_sensitive() {
            return None;
        }
        (0..self.len()).find(|n| self.code(*n).eq_ignore_ascii_case(code))
    }
}

impl ValueSet {
    pub(crate) fn new(core: &'static Core, id: u16) -> Self {
        Self { core, id }
    }
    /// Its number.
    pub fn id(self) -> u16 {
        self.id
    }
    /// Its URL, without version.
    pub fn url(self) -> &'static str {
        self.core
            .text(self.core.u16(VALUE_SETS, usize::from(self.id) * 6))
    }
    /// What it takes, system by system.
    pub fn parts(self) -> impl ExactSizeIterator<Item = Part> + use<> {
        let core = self.core;
        let at = usize::from(self.id) * 6;
        let first = core.u16(VALUE_SETS, at + 2);
        let count = core.u16(VALUE_SETS, at + 4);
        (first..first.saturating_add(count)).map(move |n| {
            let at = usize::from(n) * 10;
            Part {
                system: CodeSystem {
                    core,
                    id: core.u16(PARTS, at),
                },
                codes: match core.u16(PARTS, at + 2) {
                    0 => Picked::All,
                    1 => Picked::List {
                        first: core.u32(PARTS, at + 4),
                        count: core.u16(PARTS, at + 8),
                    },
                    _ => Picked::Open,
                },
            }
        })
    }

    /// Whether a code is in the set; `None` where what is held does not decide it.
    ///
    /// Without a system (elements of type `code`) any system of the set will do.
    pub fn contains(self, system: Option<&str>, code: &str) -> Option<bool> {
        let mut answer = Some(false);
        for part in self.parts() {
            let url = part.system.url();
            if system.is_some_and(|s| s != url && !url.is_empty()) {
                continue;
            }
            match part.contains(code) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => answer = None,
            }
        }
        answer
    }
}

impl Part {
    /// Codes listed; none for `All` and `Open`.
    pub fn list(self) -> impl ExactSizeIterator<Item = &'static str> {
        let (first, count) = match self.codes {
            Picked::List { first, count } => (size(first), count),
            Picked::All | Picked::Open => (0, 0),
        };
        (0..count).map(move |n| {
            let place = self.system.core.u16(PICKS, 2 * (first + usize::from(n)));
            self.system.code(place)
        })
    }

    /// Whether it takes a code; `None` where what is held does not decide it.
    pub fn contains(self, code: &str) -> Option<bool> {
        let found = self.system.find(code);
        match self.codes {
            Picked::Open => None,
            Picked::All => match (found, self.system.content()) {
                (Some(_), _) => Some(true),
                (None, Content::Complete) => Some(false),
                (None, _) => None,
            },
            Picked::List { first, count } => {
                let Some(place) = found else {
                    return Some(false);
                };
                let at = |n: u16| {
                    self.system
                        .core
                        .u16(PICKS, 2 * (size(first) + usize::from(n)))
                };
                let (mut low, mut high) = (0, count);
                while low < high {
                    let middle = low.midpoint(high);
                    if at(middle) < place {
                        low = middle + 1;
                    } else {
                        high = middle;
                    }
                }
                Some(low < count && at(low) == place)
            }
        }
    }
}
