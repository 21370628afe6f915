//! FHIR R4 validation over the flat JSON tree: the base specification, profiles, invariants, terminology.
//!
//! [`Validator::validate`] takes one JSON document and gives [`Findings`]: each with its code, its
//! FHIRPath location, its bytes, and the profile and element that demand it. Definitions and codes are
//! arguments ([`Definitions`], [`Terminology`]); R4 core is built in. What cannot be checked is said.
//!
//! ```
//! use warifu_validate::{CoreOnly, Options, Validator};
//!
//! let validator = Validator::new(CoreOnly, CoreOnly, Options::default());
//! let found = validator.validate(br#"{"resourceType": "Patient", "active": "yes"}"#);
//! let codes: Vec<_> = found.list.iter().map(|f| (f.code.code, &*f.location)).collect();
//! assert_eq!(codes, [("FHR014", "Patient"), ("FHR006", "Patient.active")]);
//! ```
//!
//! Standard: FHIR R4 (4.0.1).
#![forbid(unsafe_code)]

mod base;
mod bundle;
#[cfg(any(feature = "whole", not(target_arch = "wasm32")))]
mod conformance;
#[cfg(any(feature = "whole", not(target_arch = "wasm32")))]
mod digest;
mod discriminator;
mod finding;
mod location;
mod memo;
mod native;
mod plan;
mod primitive;
mod profile;
#[cfg(any(feature = "whole", not(target_arch = "wasm32")))]
mod questionnaire;
mod rules;
mod run;
mod snapshot;
mod value;

/// Whether this is the module for browsers: it has 900 kB, so that some rules that R4 states in words only
/// are left to the command line, the server and the module for Node.js (feature `whole`).
pub(crate) const IS_SMALL: bool = cfg!(all(target_arch = "wasm32", not(feature = "whole")));

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use warifu_definitions::{
    Code, CodeAnswer, Definitions, Lookup, Membership, NotChecked, PackageId, Strength,
    StructureDefinition, Terminology,
};
use warifu_fhirpath::{Bounds, Doc, Engine, Program};
use warifu_json::{Kind, Limits, NodeId};
use warifu_r4::{Core, ElementId, TypeId, TypeKind, ValueSet};

use memo::{Memo, Question};
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
    /// Beginnings of URLs under which extensions may be unknown; every other unknown one is an error then,
    /// as HL7's validator has it. `None`: it is information (a modifier extension is an error always).
    pub unknown_extensions: Option<Vec<String>>,
    /// Whether vital signs are held against R4's profiles by their LOINC codes, also where they claim none.
    pub vital_signs: bool,
    /// Findings of a document that are kept.
    pub most: usize,
}

impl Default for Options {
    /// No imposed profile, no must-support, vital signs by their codes, 10,000 findings.
    fn default() -> Self {
        Self {
            profiles: Vec::new(),
            must_support: false,
            unknown_extensions: None,
            vital_signs: true,
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
#[derive(Debug)]
pub(crate) struct TypeInfo {
    pub(crate) form: Form,
    pub(crate) is_resource: bool,
    /// Elements that must be there: number of name, element.
    pub(crate) required: Vec<(u16, ElementId)>,
    pub(crate) invariants: Vec<u16>,
}

/// What R4 core demands of an element.
#[derive(Debug)]
pub(crate) struct ElementInfo {
    pub(crate) id: ElementId,
    /// Number of its name.
    pub(crate) name: u16,
    pub(crate) is_list: bool,
    /// Strength and set, except of bindings that only show what is meant.
    pub(crate) binding: Option<(Strength, ValueSet)>,
    /// Invariants beyond those of its type.
    pub(crate) invariants: Box<[u16]>,
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

/// Version of R4 core.
const R4: &str = "4.0.1";

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
    pub(crate) definitions: Box<dyn Definitions + 'a>,
    pub(crate) terminology: Box<dyn Terminology + 'a>,
    pub(crate) options: Options,
    types: Vec<TypeInfo>,
    elements: Vec<Option<ElementInfo>>,
    pub(crate) rules: Vec<CoreRule>,
    pub(crate) ids: Ids,
    pub(crate) core_keys: BTreeSet<&'static str>,
    plans: Plans,
    index: RefCell<Index>,
    members: RefCell<Memo<Membership>>,
    codes: RefCell<Memo<CodeAnswer>>,
}

#[derive(Default)]
struct Index {
    by_canonical: Memo<Slot>,
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
    pub(crate) status: u16,
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
    pub(crate) type_identifier: TypeId,
    pub(crate) type_quantity: TypeId,
    pub(crate) type_observation: TypeId,
    pub(crate) type_device: TypeId,
    #[cfg(any(feature = "whole", not(target_arch = "wasm32")))]
    pub(crate) type_response: TypeId,
    pub(crate) type_composition: TypeId,
    pub(crate) type_definition: TypeId,
    pub(crate) id: u16,
    pub(crate) url: u16,
    pub(crate) reference: u16,
    pub(crate) of_type: u16,
    pub(crate) coding: u16,
    pub(crate) system: u16,
    pub(crate) version: u16,
    pub(crate) code: u16,
    pub(crate) display: u16,
    pub(crate) full_url: u16,
    pub(crate) resource: u16,
    pub(crate) entry: u16,
    pub(crate) request: u16,
    pub(crate) response: u16,
}

impl<'a> Validator<'a> {
    /// A validator with these definitions and codes, borrowed or shared (`Arc`).
    pub fn new(
        definitions: impl Definitions + 'a,
        terminology: impl Terminology + 'a,
        options: Options,
    ) -> Self {
        let core = Core::builtin();
        let forms = Form::table(core);
        // What the structure says need not be asked.
        let is_asked = |id: &u16| {
            let key = core.invariant(*id).key();
            Native::of(key) != Some(Native::Structure)
        };
        let types: Vec<TypeInfo> = core
            .types()
            .zip(forms)
            .map(|(t, form)| TypeInfo {
                form,
                is_resource: t.kind() == TypeKind::Resource,
                required: t
                    .elements()
                    .filter(|e| e.min() > 0)
                    .map(|e| (e.name_id(), e.id()))
                    .collect(),
                invariants: t
                    .invariants()
                    .map(warifu_r4::Invariant::id)
                    .filter(is_asked)
                    .collect(),
            })
            .collect();
        let mut elements: Vec<Option<ElementInfo>> = Vec::new();
        for e in core.types().flat_map(warifu_r4::Type::elements) {
            let at = usize::from(e.id().0);
            if elements.len() <= at {
                elements.resize_with(at + 1, || None);
            }
            // What every type of the element demands anyway is checked there.
            let mut of_types = e.types();
            let of_type = match (of_types.next(), of_types.next()) {
                (Some(only), None) => types.get(usize::from(only.of().0)),
                _ => None,
            };
            let of_type = of_type.map_or(&[][..], |t| &t.invariants);
            if let Some(slot) = elements.get_mut(at) {
                *slot = Some(ElementInfo {
                    id: e.id(),
                    name: e.name_id(),
                    is_list: e.is_list(),
                    binding: binding(e),
                    invariants: e
                        .invariants()
                        .chain(e.types().flat_map(|t| of_profile(core, t)))
                        .map(warifu_r4::Invariant::id)
                        .filter(|id| !of_type.contains(id) && is_asked(id))
                        .collect(),
                });
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
            definitions: Box::new(definitions),
            terminology: Box::new(terminology),
            options,
            types,
            elements,
            rules,
            ids: Ids {
                resource_type: name("resourceType"),
                status: name("status"),
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
                type_identifier: of("Identifier"),
                type_quantity: of("Quantity"),
                type_observation: of("Observation"),
                type_device: of("Device"),
                #[cfg(any(feature = "whole", not(target_arch = "wasm32")))]
                type_response: of("QuestionnaireResponse"),
                type_composition: of("Composition"),
                type_definition: of("ElementDefinition"),
                id: name("id"),
                url: name("url"),
                reference: name("reference"),
                of_type: name("type"),
                coding: name("coding"),
                system: name("system"),
                version: name("version"),
                code: name("code"),
                display: name("display"),
                full_url: name("fullUrl"),
                resource: name("resource"),
                entry: name("entry"),
                request: name("request"),
                response: name("response"),
            },
            core_keys: plan::core_keys(core),
            plans: Plans::new(),
            index: RefCell::new(Index::default()),
            members: RefCell::default(),
            codes: RefCell::default(),
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
        self.type_info(of).map_or(Form::None, |t| t.form)
    }

    pub(crate) fn type_info(&self, of: TypeId) -> Option<&TypeInfo> {
        self.types.get(usize::from(of.0))
    }

    pub(crate) fn is_resource(&self, of: TypeId) -> bool {
        self.type_info(of).is_some_and(|t| t.is_resource)
    }

    /// Whether an object is a resource, by its `resourceType` or its place.
    pub(crate) fn is_resource_node(&self, doc: Doc<'_>, node: NodeId) -> bool {
        let typed = usize::try_from(node).ok().and_then(|n| doc.typed.get(n));
        doc.tree.kind(node) == Kind::Object && typed.is_some_and(|t| self.is_resource(t.of))
    }

    pub(crate) fn element_info(&self, id: ElementId) -> Option<&ElementInfo> {
        self.elements.get(usize::from(id.0))?.as_ref()
    }

    pub(crate) fn program(&self, id: u16) -> Option<&Program> {
        let rule = self.rules.get(usize::from(id))?;
        rule.program
            .get_or_init(|| {
                let invariant = self.core.invariant(id);
                let text = rules::repaired(invariant.key(), invariant.expression());
                self.engine.compile(text, Bounds::DEFAULT).ok()
            })
            .as_ref()
    }

    /// What a canonical is, asked by a definition of a package, or by a document.
    pub(crate) fn known(&self, canonical: &str, from: Option<PackageId>) -> Known<'_> {
        let question = Question {
            of: from.map_or(u64::MAX, |id| u64::from(id.0)),
            texts: [canonical, "", "", ""],
        };
        let kept = self.index.borrow().by_canonical.get(question);
        let slot = kept.unwrap_or_else(|| {
            let slot = self.find(canonical, from);
            self.index.borrow_mut().by_canonical.keep(question, slot);
            slot
        });
        self.slot(slot)
    }

    /// Whether a code is in a set, as a definition of a package sees it.
    pub(crate) fn member(
        &self,
        value_set: &str,
        from: PackageId,
        system: Option<&str>,
        code: &str,
    ) -> Membership {
        let question = Question {
            of: u64::from(from.0) << 1 | u64::from(system.is_some()),
            texts: [value_set, system.unwrap_or_default(), code, ""],
        };
        if let Some(kept) = self.members.borrow().get(question) {
            return kept;
        }
        let answer = self.ask_member(value_set, from, system, code);
        self.members.borrow_mut().keep(question, answer.clone());
        answer
    }

    fn ask_member(
        &self,
        value_set: &str,
        from: PackageId,
        system: Option<&str>,
        code: &str,
    ) -> Membership {
        // Sets of core are at hand without a package.
        if from == PackageId::CORE
            && let Some(set) = self.core.value_set(value_set)
            && let Some(held) = set.contains(system, code)
        {
            return if held {
                Membership::In
            } else {
                Membership::NotIn
            };
        }
        let code = Code {
            system,
            version: None,
            code,
            display: None,
        };
        self.terminology.member(value_set, Some(from), code)
    }

    /// What is known of a code in its own system.
    pub(crate) fn code(&self, code: Code<'_>) -> CodeAnswer {
        let flags = [code.system, code.version, code.display].map(|t| u64::from(t.is_some()));
        let question = Question {
            of: flags.iter().fold(0, |of, flag| of << 1 | flag),
            texts: [
                code.system.unwrap_or_default(),
                code.version.unwrap_or_default(),
                code.code,
                code.display.unwrap_or_default(),
            ],
        };
        if let Some(kept) = self.codes.borrow().get(question) {
            return kept;
        }
        let answer = self.terminology.code(code);
        self.codes.borrow_mut().keep(question, answer.clone());
        answer
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

    /// Whether a profile, or a type of R4, is at hand to validate against, in the version that is named.
    pub fn knows(&self, canonical: &str) -> bool {
        let known = self.known(canonical, None);
        matches!(known, Known::Type(_) | Known::Profile(_))
            && Self::other_version(canonical, known).is_none()
    }

    /// The version that is at hand, where a document names another one: it does not stand in for that.
    pub(crate) fn other_version<'v>(canonical: &str, known: Known<'v>) -> Option<&'v str> {
        let (_, asked) = warifu_definitions::split_canonical(canonical);
        let held = match known {
            Known::Type(_) => R4,
            Known::Profile(plan) => &plan.structure.version,
            Known::Unknown | Known::Missing => return None,
        };
        let asked = asked.filter(|v| !v.is_empty())?;
        (!warifu_definitions::version_matches(held, asked)).then_some(held)
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
            definitions: &*self.definitions,
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

/// Invariants of the profile of core that values of an element follow (`SimpleQuantity`).
fn of_profile(
    core: &'static Core,
    of: warifu_r4::TypeRef,
) -> impl Iterator<Item = warifu_r4::Invariant> {
    let profile = of
        .profile()
        .and_then(|url| core.type_named(url.strip_prefix(CORE_PROFILES)?));
    profile
        .into_iter()
        .flat_map(|profile| core.type_(profile).invariants())
}

fn binding(element: warifu_r4::Element) -> Option<(Strength, ValueSet)> {
    let strength = match element.strength()? {
        warifu_r4::Strength::Required => Strength::Required,
        warifu_r4::Strength::Extensible => Strength::Extensible,
        warifu_r4::Strength::Preferred => Strength::Preferred,
        warifu_r4::Strength::Example => return None,
    };
    Some((strength, element.value_set()?))
}
