//! Terminology of Warifu as static data.
//!
//! Nothing here reads a file, allocates or keeps state: every answer is a `&'static` value found by
//! binary search or by a short table scan, so that the crate runs unchanged in a browser.
//!
//! | module | question it answers |
//! |---|---|
//! | [`systems`] | which FHIR `system` belongs to a coding-system name, an OID, an identifier? |
//! | [`tables`] | what does a code of an HL7, JAHIS or MERIT-9 table mean? |
//! | [`maps`] | which FHIR code stands for this HL7 code, and what when it is unknown? |
//! | [`units`] | which UCUM code stands for this unit text? |
//! | [`jlac`] | has this code the shape of its system, is the check digit right? |
//! | [`fields`] | what are the segments, fields and components called? |
//! | [`clins`] | is this laboratory code one of the items of JP-CLINS? |
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod clins;
pub mod fields;
pub mod jlac;
pub mod maps;
pub mod systems;
pub mod tables;
pub mod units;
