//! Where things are: the repository and its target folders.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

/// Paths of one checkout.
pub(crate) struct Repo {
    /// Folder of the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Build output of the host; `CARGO_TARGET_DIR` when that is set.
    pub(crate) target: PathBuf,
}

impl Repo {
    /// The checkout this program was built from.
    pub(crate) fn find() -> Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest
            .ancestors()
            .nth(2)
            .map(Path::to_path_buf)
            .context("crates/xtask is not two folders below the root")?;
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => root.join(folder),
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// Build output of wasm32; apart from the host's so that neither waits for the other's lock
    /// and the compiler of the fallback never meets the host's artefacts.
    pub(crate) fn wasm_target(&self) -> PathBuf {
        self.target.join("wasm")
    }

    /// Programs installed by `cargo install` for this checkout.
    pub(crate) fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// Whether the workspace has a crate in this folder with this package name.
    pub(crate) fn has_crate(&self, folder: &str, name: &str) -> bool {
        let line = format!("name = \"{name}\"");
        fs::read_to_string(self.root.join(folder).join("Cargo.toml"))
            .is_ok_and(|manifest| manifest.lines().any(|found| found.trim() == line))
    }

    /// Version of a package in `Cargo.lock`.
    pub(crate) fn locked_version(&self, package: &str) -> Result<Option<String>> {
        let path = self.root.join("Cargo.lock");
        let lock =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(locked_version(&lock, package).map(str::to_owned))
    }
}

fn locked_version<'l>(lock: &'l str, package: &str) -> Option<&'l str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    lines
        .next()?
        .strip_prefix("version = \"")?
        .strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_read_from_the_entry_of_exactly_this_package() {
        let lock = "[[package]]\nname = \"wasm-bindgen-shared\"\nversion = \"9.9.9\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked_version(lock, "wasm"), None);
    }

    #[test]
    fn this_crate_is_found() {
        let repo = Repo::find().unwrap();
        assert!(repo.has_crate("crates/xtask", "xtask"));
        assert!(!repo.has_crate("crates/xtask", "xtasks"));
        assert!(repo.locked_version("anyhow").unwrap().is_some());
    }
}
