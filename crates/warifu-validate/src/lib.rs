//! FHIR R4 validation over the flat JSON tree: the base specification, profiles, invariants, terminology.
//!
//! [`Validator::validate`] takes one JSON document and gives [`Findings`]: each with its code, its
//! FHIRPath location, its bytes, and the profile and element that demand it. Definitions and codes are
//! arguments ([`Definitions`], [`Terminology`]); R4 core is built in. What cannot be checked is said.
//!
//! ```
//! use warifu_validate::{CoreOnly, Options, Validator};
//!
//! let validator = Validator::new(&CoreOnly, &CoreOnly, Options::default());
//! let found = validator.validate(br#"{"resourceType": "Patient", "active": "yes"}"#);
//! let codes: Vec<_> = found.list.iter().map(|f| (f.code.code, &*f.location)).collect();
//! assert_eq!(codes, [("FHR014", "Patient"), ("FHR006", "Patient.active")]);
//! ```
//!
//! Standard: FHIR R4 (4.0.1).
#![forbid(unsafe_code)]

mod base;
mod bundle;
mod discriminator;
mod finding;
mod location;
mod native;
mod plan;
mod primitive;
mod profile;
mod run;
mod snapshot;
mod value;

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use warifu_definitions::{
    Code, CodeAnswer, Definitions, Lookup, Membership, NotChecked, PackageId, StructureDefinition,
    Terminology,
};
use warifu_fhirpath::{Bounds, Engine, Program};
use warifu_json::Limits;
use warifu_r4::{Core, ElementId, TypeId};

use native::Native;
use plan::{CORE_PROFILES, Plan, Tools};
use primitive::Form;

pub use finding::{Finding, Findings};

/// What is asked of a validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Canonicals that every document must follow, beside those it claims.
    pub profiles: Vec<String>,
    /// Whether must-support elements without a value are reported.
    pub must_support: bool,
    /// Findings of a document that are kept.
    pub most: usize,
}

impl Default for Options {
    /// No imposed profile, no must-support, 10,000 findings.
    fn default() -> Self {
        Self {
            profiles: Vec::new(),
            must_support: false,
            most: 10_000,
        }
    }
}

/// R4 core and nothing else: no profile, and the value sets of core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoreOnly;

impl Definitions for CoreOnly {
    fn structure(
        &self,
        _: &str,
        _: Option<PackageId>,
    ) -> Lookup<std::sync::Arc<StructureDefinition>> {
        Lookup::Unknown
    }
    fn package_name(&self, _: PackageId) -> &'static str {
        "hl7.fhir.r4.core#4.0.1"
    }
}

impl Terminology for CoreOnly {
    fn member(&self, value_set: &str, _: Option<PackageId>, code: Code<'_>) -> Membership {
        let url = warifu_definitions::split_canonical(value_set).0;
        let Some(set) = Core::builtin().value_set(url) else {
            return Membership::UnknownValueSet;
        };
        match set.contains(code.system, code.code) {
            Some(true) => Membership::In,
            Some(false) => Membership::NotIn,
            None => Membership::NotChecked(NotChecked::SystemNotHeld {
                system: code.system.unwrap_or_default().into(),
            }),
        }
    }
    fn code(&self, code: Code<'_>) -> CodeAnswer {
        let url = code.system.unwrap_or_default();
        let held = Core::builtin().code_system(url);
        match held {
            Some(system) if system.find(code.code).is_some() => CodeAnswer::Known {
                other_display: None,
            },
            Some(system) if system.content() == warifu_r4::Content::Complete => {
                CodeAnswer::UnknownCode
            }
            _ => CodeAnswer::NotChecked(NotChecked::SystemNotHeld { system: url.into() }),
        }
    }
}

/// What R4 core demands of objects of a type.
#[derive(Debug, Default)]
pub(crate) struct TypeInfo {
    /// Elements that must be there: number of name, element.
    pub(crate) required: Vec<(u16, ElementId)>,
    pub(crate) invariants: Vec<u16>,
}

/// An invariant of core.
pub(crate) struct CoreRule {
    pub(crate) native: Option<Native>,
    pub(crate) program: OnceCell<Option<Program>>,
}

/// What a canonical is.
#[derive(Clone, Copy)]
pub(crate) enum Known<'v> {
    /// A type of core: nothing beyond the type.
    Type(TypeId),
    Profile(&'v Plan),
    Unknown,
    /// Of a package that is not at hand.
    Missing,
}

#[derive(Clone, Copy)]
enum Slot {
    Type(TypeId),
    Plan(usize),
    Unknown,
    Missing,
}

/// Compiled profiles: they stay where they are, so that programs can be borrowed.
struct Plans {
    chunks: Vec<OnceCell<Box<[OnceCell<Plan>]>>>,
}

const CHUNK: usize = 256;
const CHUNKS: usize = 64;

impl Plans {
    fn new() -> Self {
        Self {
            chunks: (0..CHUNKS).map(|_| OnceCell::new()).collect(),
        }
    }
    fn cell(&self, n: usize) -> Option<&OnceCell<Plan>> {
        let chunk = self.chunks.get(n / CHUNK)?;
        chunk
            .get_or_init(|| (0..CHUNK).map(|_| OnceCell::new()).collect())
            .get(n % CHUNK)
    }
}

/// Validates documents; profiles are compiled when first needed and kept.
pub struct Validator<'a> {
    pub(crate) core: &'static Core,
    pub(crate) engine: Engine,
    pub(crate) definitions: &'a dyn Definitions,
    pub(crate) terminology: &'a dyn Terminology,
    pub(crate) options: Options,
    pub(crate) forms: Vec<Form>,
    pub(crate) types: Vec<TypeInfo>,
    /// Invariants of elements beyond those of their types, by element.
    pub(crate) elements: Vec<Box<[u16]>>,
    pub(crate) rules: Vec<CoreRule>,
    pub(crate) ids: Ids,
    core_keys: BTreeSet<&'static str>,
    plans: Plans,
    index: RefCell<Index>,
}

#[derive(Default)]
struct Index {
    by_canonical: BTreeMap<Option<PackageId>, BTreeMap<Box<str>, Slot>>,
    by_definition: BTreeMap<(PackageId, Box<str>, Box<str>), usize>,
    count: usize,
}

impl fmt::Debug for Validator<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Validator")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// Numbers of names and types that the checks ask for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids {
    pub(crate) resource_type: u16,
    pub(crate) extension: u16,
    pub(crate) modifier: u16,
    pub(crate) value: u16,
    pub(crate) text: u16,
    pub(crate) contained: u16,
    pub(crate) meta: u16,
    pub(crate) profile: u16,
    pub(crate) type_extension: TypeId,
    pub(crate) type_reference: TypeId,
    pub(crate) type_attachment: TypeId,
    pub(crate) type_coding: TypeId,
    pub(crate) type_concept: TypeId,
    pub(crate) type_bundle: TypeId,
}

impl<'a> Validator<'a> {
    /// A validator with these definitions and codes.
    pub fn new(
        definitions: &'a dyn Definitions,
        terminology: &'a dyn Terminology,
        options: Options,
    ) -> Self {
        let core = Core::builtin();
        let types: Vec<TypeInfo> = core
            .types()
            .map(|t| TypeInfo {
                required: t
                    .elements()
                    .filter(|e| e.min() > 0)
                    .map(|e| (e.name_id(), e.id()))
                    .collect(),
                invariants: t.invariants().map(warifu_r4::Invariant::id).collect(),
            })
            .collect();
        let mut elements: Vec<Box<[u16]>> = Vec::new();
        for t in core.types() {
            for e in t.elements() {
                let at = usize::from(e.id().0);
                if elements.len() <= at {
                    elements.resize(at + 1, Box::default());
                }
                // What every type of the element demands anyway is checked there.
                let of_types: BTreeSet<u16> = match e.types().next() {
                    Some(first) if e.types().count() == 1 => core
                        .type_(first.of())
                        .invariants()
                        .map(warifu_r4::Invariant::id)
                        .collect(),
                    _ => BTreeSet::new(),
                };
                if let Some(slot) = elements.get_mut(at) {
                    *slot = e
                        .invariants()
                        .map(warifu_r4::Invariant::id)
                        .filter(|id| !of_types.contains(id))
                        .collect();
                }
            }
        }
        let rules = (0..core.invariant_count())
            .map(|n| CoreRule {
                native: Native::of(core.invariant(n).key()),
                program: OnceCell::new(),
            })
            .collect();
        let name = |n: &str| core.name(n);
        let of = |n: &str| core.type_named(n).unwrap_or(TypeId::NONE);
        Self {
            core,
            engine: Engine::new(core),
            definitions,
            terminology,
            options,
            forms: Form::table(core),
            types,
            elements,
            rules,
            ids: Ids {
                resource_type: name("resourceType"),
                extension: name("extension"),
                modifier: name("modifierExtension"),
                value: name("value"),
                text: name("text"),
                contained: name("contained"),
                meta: name("meta"),
                profile: name("profile"),
                type_extension: of("Extension"),
                type_reference: of("Reference"),
                type_attachment: of("Attachment"),
                type_coding: of("Coding"),
                type_concept: of("CodeableConcept"),
                type_bundle: of("Bundle"),
            },
            core_keys: plan::core_keys(core),
            plans: Plans::new(),
            index: RefCell::new(Index::default()),
        }
    }

    /// The options.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Findings of one JSON document, in the order of their bytes.
    pub fn validate(&self, source: &[u8]) -> Findings {
        let parsed = warifu_json::parse(source, Limits::FHIR, self.core);
        run::document(self, &parsed)
    }

    /// Findings of a document that is parsed already with the names of [`Core::builtin`].
    pub fn validate_parsed(&self, parsed: &warifu_json::Parsed<'_>) -> Findings {
        run::document(self, parsed)
    }

    pub(crate) fn form(&self, of: TypeId) -> Form {
        self.forms
            .get(usize::from(of.0))
            .copied()
            .unwrap_or(Form::None)
    }

    pub(crate) fn type_info(&self, of: TypeId) -> Option<&TypeInfo> {
        self.types.get(usize::from(of.0))
    }

    pub(crate) fn program(&self, id: u16) -> Option<&Program> {
        let rule = self.rules.get(usize::from(id))?;
        rule.program
            .get_or_init(|| {
                let text = self.core.invariant(id).expression();
                self.engine.compile(text, Bounds::DEFAULT).ok()
            })
            .as_ref()
    }

    /// What a canonical is, asked by a definition of a package, or by a document.
    pub(crate) fn known(&self, canonical: &str, from: Option<PackageId>) -> Known<'_> {
        if let Some(slot) = self
            .index
            .borrow()
            .by_canonical
            .get(&from)
            .and_then(|known| known.get(canonical))
        {
            return self.slot(*slot);
        }
        let slot = self.find(canonical, from);
        self.index
            .borrow_mut()
            .by_canonical
            .entry(from)
            .or_default()
            .insert(canonical.into(), slot);
        self.slot(slot)
    }

    fn slot(&self, slot: Slot) -> Known<'_> {
        match slot {
            Slot::Type(of) => Known::Type(of),
            Slot::Plan(n) => match self.plans.cell(n).and_then(OnceCell::get) {
                Some(plan) => Known::Profile(plan),
                None => Known::Unknown,
            },
            Slot::Unknown => Known::Unknown,
            Slot::Missing => Known::Missing,
        }
    }

    fn find(&self, canonical: &str, from: Option<PackageId>) -> Slot {
        let plain = warifu_definitions::split_canonical(canonical).0;
        if let Some(of) = plain
            .strip_prefix(CORE_PROFILES)
            .and_then(|name| self.core.type_named(name))
            && !self.core.type_(of).is_profile()
        {
            return Slot::Type(of);
        }
        let structure = match self.definitions.structure(canonical, from) {
            Lookup::Found(structure) => structure,
            Lookup::Unknown => return Slot::Unknown,
            Lookup::Missing { .. } => return Slot::Missing,
        };
        let key = (
            structure.package,
            structure.url.clone(),
            structure.version.clone(),
        );
        if let Some(n) = self.index.borrow().by_definition.get(&key) {
            return Slot::Plan(*n);
        }
        let n = self.index.borrow().count;
        let Some(cell) = self.plans.cell(n) else {
            return Slot::Unknown;
        };
        let tools = Tools {
            core: self.core,
            engine: &self.engine,
            definitions: self.definitions,
            must_support: self.options.must_support,
        };
        let plan = plan::compile(structure, tools, &self.core_keys, n);
        let mut index = self.index.borrow_mut();
        index.count += 1;
        index.by_definition.insert(key, n);
        // The cell of a new number is empty.
        let _ = cell.set(plan);
        Slot::Plan(n)
    }
}
