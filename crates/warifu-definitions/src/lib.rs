//! FHIR definitions as validation asks for them: the model of a `StructureDefinition`, its reader, and
//! the traits through which packages and terminology answer.
//!
//! ```
//! use warifu_definitions::{PackageId, read_structure};
//! use warifu_json::{parse, Limits, ROOT};
//!
//! let source = br#"{"resourceType": "StructureDefinition", "url": "http://example.org/P", "type": "Patient",
//!   "snapshot": {"element": [{"id": "Patient.name", "path": "Patient.name", "min": 1, "max": "*"}]}}"#;
//! let tree = parse(source, Limits::FHIR, &()).tree;
//! let read = read_structure(&tree, ROOT, PackageId::CORE).unwrap();
//! assert_eq!((&*read.of, read.elements[0].min), ("Patient", Some(1)));
//! ```
//!
//! Standard: FHIR R4 §5.4 (StructureDefinition), §2.27 (ElementDefinition).
#![forbid(unsafe_code)]

mod model;
mod read;
mod terminology;

use std::sync::Arc;

pub use model::{
    Binding, Constraint, Context, Derivation, Discriminator, DiscriminatorKind, ElementDefinition,
    Rules, Slicing, Strength, StructureDefinition, StructureKind, TypeRef, Value,
};
pub use read::read_structure;
pub use terminology::{Code, CodeAnswer, Membership, NotChecked, Terminology};

/// Number of a loaded package; the order is that of loading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageId(pub u16);

impl PackageId {
    /// R4 core itself.
    pub const CORE: Self = Self(0);
}

/// Answer to a canonical.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup<T> {
    /// At hand.
    Found(T),
    /// Nothing at hand has this canonical, and all that the asking package depends on is loaded.
    Unknown,
    /// Nothing at hand has this canonical, but a package that the asking one depends on is not loaded.
    Missing {
        /// `name#version` of the package.
        package: Box<str>,
    },
}

impl<T> Lookup<T> {
    /// What was found.
    pub fn found(self) -> Option<T> {
        match self {
            Self::Found(found) => Some(found),
            Self::Unknown | Self::Missing { .. } => None,
        }
    }
}

/// Structures by canonical.
pub trait Definitions {
    /// A structure by its canonical, with or without `|version`.
    ///
    /// `from` is the package of the definition that asks: only it, what it depends on and R4 core are
    /// searched. `None` is a resource or a caller: all packages, those named first before their
    /// dependencies. A version matches by its leading parts (`|1` names 1.5.3); where none matches, the
    /// canonical without version answers and the asker compares [`StructureDefinition::version`].
    fn structure(
        &self,
        canonical: &str,
        from: Option<PackageId>,
    ) -> Lookup<Arc<StructureDefinition>>;

    /// `name#version` of a package.
    fn package_name(&self, id: PackageId) -> &str;
}

macro_rules! through {
    ($($pointer:ty),*) => {$(
        impl<T: Definitions + ?Sized> Definitions for $pointer {
            fn structure(
                &self,
                canonical: &str,
                from: Option<PackageId>,
            ) -> Lookup<Arc<StructureDefinition>> {
                (**self).structure(canonical, from)
            }
            fn package_name(&self, id: PackageId) -> &str {
                (**self).package_name(id)
            }
        }
        impl<T: Terminology + ?Sized> Terminology for $pointer {
            fn member(&self, value_set: &str, from: Option<PackageId>, code: Code<'_>) -> Membership {
                (**self).member(value_set, from, code)
            }
            fn code(&self, code: Code<'_>) -> CodeAnswer {
                (**self).code(code)
            }
        }
    )*};
}

through!(&T, Arc<T>);

/// A canonical without `|version`, and the version.
pub fn split_canonical(canonical: &str) -> (&str, Option<&str>) {
    match canonical.split_once('|') {
        Some((url, version)) => (url, Some(version)),
        None => (canonical, None),
    }
}

/// Whether a version is the one asked for, or one that it begins with (`1` and `1.5` ask for `1.5.3`).
pub fn version_matches(version: &str, asked: &str) -> bool {
    version
        .strip_prefix(asked)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
}
