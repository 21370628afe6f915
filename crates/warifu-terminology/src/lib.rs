//! Codes and value sets without a server.
//!
//! [`Terms`] answers the trait `Terminology` from the packages of a library, the tables of R4 core, the
//! grammars of UCUM, BCP-47 and MIME types, and ISO's countries and currencies. Of code systems that
//! are too large to ship or not free it knows the shape of the codes: a code of the right shape is "not
//! checked", never right; a code of another shape is wrong.
//!
//! A value set is never written out: whether a code is in it follows from its compose, include by
//! include, so that sets of any size cost what their rules cost.
//!
//! Standard: FHIR R4 §4.9 (ValueSet), §4.8 (CodeSystem), §4.8.10 (filters).
#![forbid(unsafe_code)]

mod iso;
mod plan;
mod shapes;
mod syntax;
mod systems;
mod terms;
mod ucum;

pub use terms::{Extent, Terms};
pub use ucum::is_ucum;
