//! Placeholder, replaced by its owner.
use crate::table::Table;
/// Tables of this module.
pub static TABLES: &[&Table] = &[];
/// Converts.
pub(crate) fn order(_cx: &mut crate::cx::Cx<'_, '_>) {}
/// Converts.
pub(crate) fn performed(_cx: &mut crate::cx::Cx<'_, '_>) {}
/// Converts.
pub(crate) fn physiology_result(_cx: &mut crate::cx::Cx<'_, '_>) {}
