//! Placeholder, replaced by its owner.
use crate::table::Table;
/// Tables of this module.
pub static TABLES: &[&Table] = &[];
/// Converts.
pub(crate) fn prescription(_cx: &mut crate::cx::Cx<'_, '_>) {}
/// Converts.
pub(crate) fn injection(_cx: &mut crate::cx::Cx<'_, '_>) {}
/// Converts.
pub(crate) fn prescription_given(_cx: &mut crate::cx::Cx<'_, '_>) {}
/// Converts.
pub(crate) fn injection_given(_cx: &mut crate::cx::Cx<'_, '_>) {}
