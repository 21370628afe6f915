//! Placeholder, replaced by its owner.
use crate::convert::{Core, File};
use crate::cx::{Item, PatientContext};
use crate::output::Output;
use crate::table::Table;
use bumpalo::Bump;
use warifu_fhir::Buffers;
/// Tables of this module.
pub static TABLES: &[&Table] = &[];
/// Whether a file is a document (CDA, PDF, image …) rather than a message.
pub(crate) fn is_document(_path: &str, _bytes: &[u8]) -> bool {
    false
}
/// Converts one loose document.
pub(crate) fn convert_one(
    _core: &Core,
    _pool: &mut Vec<Box<Buffers>>,
    _arena: &Bump,
    _out: &mut Output,
    _file: File<'_>,
    _number: u16,
    _item: Item<'_>,
) {
}
/// Converts content folders: files of one folder (path up to the last `/`) are one item.
pub(crate) fn convert_folders(
    _core: &Core,
    _pool: &mut Vec<Box<Buffers>>,
    _arena: &Bump,
    _out: &mut Output,
    _context: &PatientContext,
    _files: &[(u16, File<'_>, Item<'_>)],
) {
}
