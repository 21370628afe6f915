//! Placeholder, replaced by its owner.
use crate::table::Table;
/// Tables of this module.
pub static TABLES: &[&Table] = &[];
/// Converts.
pub(crate) fn convert(_cx: &mut crate::cx::Cx<'_, '_>) {}
