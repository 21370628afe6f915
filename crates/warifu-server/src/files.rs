//! Files of the portal and the playground: built into the program, or read once at the start; served from
//! memory.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use axum::body::Bytes;
use warifu_consent::hash;

/// Most bytes of one set of files.
const MOST: u64 = 256 << 20;

/// A file that is built into the program.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// Path below the folder, with `/`.
    pub name: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
    /// Whether they are compressed with gzip.
    pub is_gzip: bool,
}

/// A set of files by their path below the folder.
#[derive(Debug, Clone, Default)]
pub struct Files(BTreeMap<String, File>);

/// A file as it is kept.
#[derive(Debug, Clone)]
struct File {
    bytes: Bytes,
    is_gzip: bool,
    /// Hash of the bytes.
    hash: String,
}

impl File {
    fn new(bytes: Bytes, is_gzip: bool) -> Self {
        let hash = hash::sha256_text(&[&bytes]);
        Self {
            bytes,
            is_gzip,
            hash,
        }
    }
}

/// A file as it goes out.
pub(crate) struct Found {
    pub(crate) kind: &'static str,
    pub(crate) bytes: Bytes,
    /// Whether the bytes are compressed with gzip.
    pub(crate) is_gzip: bool,
    /// Whether there are other bytes for who takes no gzip, or takes it.
    pub(crate) varies: bool,
    /// `ETag` of these very bytes.
    pub(crate) tag: String,
    /// Whether it is the page itself.
    pub(crate) is_page: bool,
}

impl Files {
    /// Files that are built in; `None` where there is no `index.html` among them.
    pub fn built_in(files: &'static [BuiltIn]) -> Option<Self> {
        let one = |f: &BuiltIn| {
            let file = File::new(Bytes::from_static(f.bytes), f.is_gzip);
            (f.name.to_owned(), file)
        };
        let all: BTreeMap<String, File> = files.iter().map(one).collect();
        all.contains_key("index.html").then_some(Self(all))
    }

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
                    let bytes = std::fs::read(entry.path())?;
                    all.insert(name, File::new(bytes.into(), false));
                }
            }
        }
        if !all.contains_key("index.html") {
            bail!("{} has no index.html", folder.display());
        }
        Ok(Self(all))
    }

    /// A file of a decoded path; the page itself for a route of the page. Who takes no gzip gets the bytes
    /// unpacked.
    pub(crate) fn find(&self, path: &str, takes_gzip: bool) -> Option<Found> {
        let path = path.trim_start_matches('/');
        let last = path.rsplit('/').next().unwrap_or_default();
        let (name, file) = match self.0.get_key_value(path) {
            Some((name, file)) => (name.as_str(), file),
            None if last.contains('.') => return None,
            None => ("index.html", self.0.get("index.html")?),
        };
        let hash = &file.hash;
        let (bytes, tag) = if file.is_gzip && !takes_gzip {
            let mut plain = Vec::new();
            let unpacked = flate2::read::GzDecoder::new(&file.bytes[..])
                .take(MOST)
                .read_to_end(&mut plain);
            // They were packed where the program was built: a test unpacks them all.
            unpacked.ok()?;
            (plain.into(), format!("\"{hash}-plain\""))
        } else {
            (file.bytes.clone(), format!("\"{hash}\""))
        };
        Some(Found {
            kind: media(name),
            bytes,
            is_gzip: file.is_gzip && takes_gzip,
            varies: file.is_gzip,
            tag,
            is_page: name == "index.html",
        })
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
