//! The rules: one file per family, each with its codes (texts, page, examples) and its checks.
//!
//! A new rule is a row of `codes!` and, unless it belongs to one of the engines (names, characters,
//! structure, fields, tables, code systems, versions), a line of `CHECKS` in the same file.

pub(crate) mod characters;
pub(crate) mod documents;
pub(crate) mod fields;
pub(crate) mod names;
pub(crate) mod structure;
pub(crate) mod times;

mod allergies;
mod coding;
mod conditional;
mod course;
mod diseases;
mod header;
mod imaging;
mod insurance;
mod laboratory;
mod medication;
mod movements;
mod nho;
mod orders;
mod persons;
mod tables;
mod units;
mod versions;

use warifu_diag::Code;

use crate::rule::Check;

/// Codes declared here, in order of number within a family.
pub(crate) const CODES: &[&[Code]] = &[
    structure::ALL,
    fields::ALL,
    conditional::ALL,
    times::ALL,
    tables::ALL,
    names::ALL,
    header::ALL,
    coding::ALL,
    units::ALL,
    persons::ALL,
    insurance::ALL,
    orders::ALL,
    medication::ALL,
    laboratory::ALL,
    diseases::ALL,
    allergies::ALL,
    movements::ALL,
    imaging::ALL,
    documents::ALL,
    versions::ALL,
    course::ALL,
    nho::ALL,
];

/// Checks that look at a field, a segment, a message or a patient.
pub(crate) fn checks() -> impl Iterator<Item = &'static Check> {
    [
        characters::CHECKS,
        fields::CHECKS,
        header::CHECKS,
        conditional::CHECKS,
        tables::CHECKS,
        units::CHECKS,
        persons::CHECKS,
        insurance::CHECKS,
        orders::CHECKS,
        medication::CHECKS,
        laboratory::CHECKS,
        diseases::CHECKS,
        allergies::CHECKS,
        movements::CHECKS,
        imaging::CHECKS,
        documents::CHECKS,
        versions::CHECKS,
        course::CHECKS,
        nho::CHECKS,
    ]
    .into_iter()
    .flatten()
}

/// Codes of the shared catalogue that somebody else reports, and who: they have a page, no example.
pub const ELSEWHERE: &[(&str, &str)] = &[
    ("ENC199", "the reader, after a hundred findings of a kind"),
    ("HL7110", "the reader, for files above 64 MiB"),
    ("HL7113", "the conversion; the check says SSM and HL72xx"),
    ("HL7114", "the conversion; the check says HL72xx"),
    (
        "HL7198",
        "the conversion, beyond 100,000 segments and repetitions in a file",
    ),
    ("HL7199", "the conversion, beyond 10,000 findings in a file"),
    ("SSM108", "the walk over the storage"),
    ("SSM109", "the walk over the storage"),
    ("SSM110", "the walk over the storage"),
    ("SSM111", "the walk over the storage"),
    ("SSM114", "the reader of journals"),
    ("SSM115", "the walk over the storage"),
    ("SSM116", "the conversion"),
    ("SSM117", "the conversion; the check says SSM125 to SSM141"),
    ("SSM119", "the walk over the storage"),
    ("SSM129", "the npm package and the playground"),
    ("SSM146", "the walk over the storage"),
    ("SSM147", "the walk over the storage"),
    ("SSM148", "the conversion"),
    ("SSM149", "the walk over the storage"),
    ("SSM162", "the reader of journals"),
    ("SSM163", "the reader of journals"),
    ("SSM164", "the reader of journals"),
    ("SSM178", "the reader of journals"),
    ("SSM179", "the reader of journals"),
    ("SSM180", "the reader of journals"),
    ("SSM181", "the conversion"),
    ("SSM182", "the walk over the storage"),
    ("SSM184", "the conversion"),
    ("SSM183", "the conversion"),
    ("SSM185", "the conversion"),
];
