//! The portal and the playground that are built into this program.

use std::path::Path;

use warifu_server::{BuiltIn, Files};

include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// The portal: of a folder that is named, else the one built in.
pub(crate) fn portal(folder: Option<&Path>) -> anyhow::Result<Option<Files>> {
    named_or(folder, PORTAL)
}

/// The playground: of a folder that is named, else the one built in.
pub(crate) fn playground(folder: Option<&Path>) -> anyhow::Result<Option<Files>> {
    named_or(folder, PLAYGROUND)
}

fn named_or(folder: Option<&Path>, built_in: &'static [BuiltIn]) -> anyhow::Result<Option<Files>> {
    match folder {
        Some(folder) => Files::read(folder).map(Some),
        None => Ok(Files::built_in(built_in)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With `WARIFU_PAGES` both pages are there; without it neither is.
    #[test]
    fn both_pages_or_none_are_built_in() {
        let is_built = option_env!("WARIFU_PAGES").is_some_and(|p| !p.is_empty());
        for page in [PORTAL, PLAYGROUND] {
            assert_eq!(!page.is_empty(), is_built);
            assert_eq!(Files::built_in(page).is_some(), is_built);
        }
    }
}
