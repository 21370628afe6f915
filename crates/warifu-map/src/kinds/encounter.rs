//! Placeholder, replaced by its owner.
use crate::convert::Core;
use crate::cx::{Item, PatientContext};
use crate::output::Output;
use crate::table::Table;
use warifu_fhir::Buffers;
use warifu_hl7::Message;
/// Tables of this module.
pub static TABLES: &[&Table] = &[];
/// Merges dated ADT messages into stays and emits their Encounters; fills `context.stays`.
pub(crate) fn convert<'a>(
    _core: &Core,
    _pool: &mut Vec<Box<Buffers>>,
    _out: &mut Output,
    _context: &mut PatientContext,
    _messages: &[(Item<'a>, Message<'a>)],
) {
}
