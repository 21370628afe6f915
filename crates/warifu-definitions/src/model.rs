//! `StructureDefinition`, as far as validation needs it.

use crate::PackageId;

/// What a structure describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StructureKind {
    /// `string`
    Primitive,
    /// `HumanName`, `Extension`
    Complex,
    /// `Patient`
    Resource,
    /// A logical model; no instance claims it.
    Logical,
}

/// How a structure relates to its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Derivation {
    /// A type of its own.
    Specialization,
    /// A profile.
    Constraint,
}

/// Where an extension may stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// `element`, `extension` or `fhirpath`.
    pub kind: Box<str>,
    /// Path, URL or expression.
    pub expression: Box<str>,
}

/// A profile, an extension or a type.
#[derive(Debug, Clone, PartialEq)]
pub struct StructureDefinition {
    /// Canonical URL, without version.
    pub url: Box<str>,
    /// Business version; empty if none.
    pub version: Box<str>,
    /// Name for machines, as `JP_Patient`.
    pub name: Box<str>,
    /// Package it came from.
    pub package: PackageId,
    /// What it describes.
    pub kind: StructureKind,
    /// Whether no instance is of it alone.
    pub is_abstract: bool,
    /// Type that it constrains or defines (`Patient`).
    pub of: Box<str>,
    /// Canonical of what it is derived from; empty at the root.
    pub base: Box<str>,
    /// Profile or type.
    pub derivation: Derivation,
    /// Where it may stand, if it is an extension.
    pub contexts: Vec<Context>,
    /// FHIRPath that must hold where it stands.
    pub context_invariants: Vec<Box<str>>,
    /// Whether [`elements`](Self::elements) is the snapshot; else the differential.
    pub has_snapshot: bool,
    /// Elements, the root first.
    pub elements: Vec<ElementDefinition>,
}

/// What is said of one element.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ElementDefinition {
    /// `Patient.identifier:number.system`; made of path and slice names where the source has none.
    pub id: Box<str>,
    /// `Patient.identifier.system`
    pub path: Box<str>,
    /// Name of the slice that begins here; `a/b` is a slice of a slice.
    pub slice_name: Option<Box<str>>,
    /// How its values are told apart, if they are sliced here.
    pub slicing: Option<Slicing>,
    /// Least number of values.
    pub min: Option<u32>,
    /// Greatest number of values: `None` unsaid, `Some(None)` without bound.
    pub max: Option<Option<u32>>,
    /// Types; empty: unsaid.
    pub types: Vec<TypeRef>,
    /// `#Bundle.link`: the content is that of another element.
    pub content_reference: Option<Box<str>>,
    /// Exact value.
    pub fixed: Option<Value>,
    /// Value that must be contained.
    pub pattern: Option<Value>,
    /// Least value.
    pub min_value: Option<Value>,
    /// Greatest value.
    pub max_value: Option<Value>,
    /// Greatest number of characters.
    pub max_length: Option<u32>,
    /// Invariants.
    pub constraints: Vec<Constraint>,
    /// Whether receivers and senders must be able to handle it.
    pub must_support: bool,
    /// Whether it may change the meaning of what holds it.
    pub is_modifier: bool,
    /// Codes.
    pub binding: Option<Binding>,
}

/// How values of an element are told apart, FHIR R4 §5.1.0.14.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slicing {
    /// What tells them apart.
    pub discriminators: Vec<Discriminator>,
    /// Whether values of no slice are allowed, and where.
    pub rules: Rules,
    /// Whether slices stand in the order of the definition.
    pub ordered: bool,
}

/// Whether values of no slice are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// Anywhere.
    Open,
    /// Nowhere.
    Closed,
    /// Behind those of the slices.
    OpenAtEnd,
}

/// One thing that tells slices apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discriminator {
    /// How.
    pub kind: DiscriminatorKind,
    /// Where: simple FHIRPath from the sliced value.
    pub path: Box<str>,
}

/// How a discriminator tells slices apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscriminatorKind {
    /// By a fixed value, pattern or required binding.
    Value,
    /// By whether there is a value.
    Exists,
    /// The same as `Value`.
    Pattern,
    /// By type.
    Type,
    /// By conformance to a profile.
    Profile,
}

/// A type that an element may have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TypeRef {
    /// `Reference`; `http://hl7.org/fhirpath/System.String` for ids and URLs of core.
    pub code: Box<str>,
    /// Profiles of which the value follows at least one.
    pub profiles: Vec<Box<str>>,
    /// Profiles of which the target of a reference follows at least one.
    pub targets: Vec<Box<str>>,
    /// `contained`, `referenced`, `bundled`.
    pub aggregation: Vec<Box<str>>,
}

/// A value in a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Its type, from the key (`fixedUri`: `uri`).
    pub of: Box<str>,
    /// The value as JSON.
    pub json: Box<[u8]>,
}

/// An invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// Key, as `dom-6`.
    pub key: Box<str>,
    /// Whether breaking it is an error; else a warning.
    pub is_error: bool,
    /// What it demands.
    pub human: Box<str>,
    /// FHIRPath; empty if the definition has none.
    pub expression: Box<str>,
    /// Structure in which it is defined; empty if unsaid.
    pub source: Box<str>,
}

/// Strength of a binding, FHIR R4 §4.1.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// The set shows what is meant.
    Example,
    /// A code of the set is better.
    Preferred,
    /// A code of the set, unless none applies.
    Extensible,
    /// A code of the set.
    Required,
}

/// Codes of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// How strict.
    pub strength: Strength,
    /// Canonical of the value set; empty if the definition has only a text.
    pub value_set: Box<str>,
    /// Canonical of the value set that no strength lets one leave (extension `maxValueSet`).
    pub max_value_set: Option<Box<str>>,
}
