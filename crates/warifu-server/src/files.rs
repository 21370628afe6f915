//! Files of the portal and the playground: read once at the start, served from memory.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};

/// Most bytes of one set of files.
const MOST: u64 = 256 << 20;

/// A set of files by their path below the folder.
#[derive(Debug, Clone, Default)]
pub struct Files(BTreeMap<String, Vec<u8>>);

impl Files {
    /// Reads a folder that has an `index.html`.
    ///
    /// # Errors
    /// It has none, or more than 256 MiB.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let mut all = BTreeMap::new();
        let mut left = MOST;
        let mut open = vec![(folder.to_owned(), String::new())];
        while let Some((path, name)) = open.pop() {
            for entry in std::fs::read_dir(&path).with_context(|| path.display().to_string())? {
                let entry = entry?;
                let Ok(own) = entry.file_name().into_string() else {
                    continue;
                };
                let name = if name.is_empty() {
                    own
                } else {
                    format!("{name}/{own}")
                };
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    open.push((entry.path(), name));
                } else if kind.is_file() {
                    left = match left.checked_sub(entry.metadata()?.len()) {
                        Some(left) => left,
                        None => bail!("{} is larger than 256 MiB", folder.display()),
                    };
                    all.insert(name, std::fs::read(entry.path())?);
                }
            }
        }
        if !all.contains_key("index.html") {
            bail!("{} has no index.html", folder.display());
        }
        Ok(Self(all))
    }

    /// A file and its type; the page itself for a route of the page.
    pub(crate) fn find(&self, path: &str) -> Option<(&'static str, &[u8], bool)> {
        let path = path.trim_start_matches('/');
        if let Some((name, bytes)) = self.0.get_key_value(path) {
            return Some((media(name), bytes, name == "index.html"));
        }
        let last = path.rsplit('/').next().unwrap_or_default();
        if last.contains('.') {
            return None;
        }
        let page = self.0.get("index.html")?;
        Some((media("index.html"), page, true))
    }
}

fn media(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
