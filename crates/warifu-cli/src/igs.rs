//! FHIR packages given on the command line.

use std::path::Path;

use anyhow::{Context as _, bail};
use warifu_package::{Fallback, File, Library, Limits, Package, compile, may_define, unpack};
use warifu_report::Lang;

use crate::say;

/// Loads archives, folders and compiled packages; R4 core is there without being named.
pub(crate) fn load(given: &[String], lang: Lang) -> anyhow::Result<Library> {
    let mut packages = Vec::new();
    for path in given {
        packages.push((
            package(Path::new(path), lang).with_context(|| path.clone())?,
            true,
        ));
    }
    Ok(Library::new(packages))
}

fn package(path: &Path, lang: Lang) -> anyhow::Result<Package> {
    let files = if path.is_dir() {
        let mut files = Vec::new();
        folder(path, "", &mut files, 0)?;
        files
    } else {
        let bytes = std::fs::read(path)?;
        // An archive is gzip; what is not is a compiled package.
        if !bytes.starts_with(&[0x1f, 0x8b]) {
            return match Package::read(bytes) {
                Ok(package) => Ok(package),
                Err(e) => bail!(say(
                    lang,
                    &format!("FHIR パッケージではありません ({e})"),
                    &format!("not a FHIR package ({e})"),
                )),
            };
        }
        unpack(&bytes, &Limits::PACKAGE).files
    };
    let name = path.file_stem().and_then(|n| n.to_str()).unwrap_or("local");
    let fallback = Fallback {
        name,
        version: "0.0.0",
    };
    let compiled = compile(files, fallback, &Limits::PACKAGE)?;
    Ok(Package::read(compiled.bytes)?)
}

/// Files of a folder, at most eight levels deep, in the order of their names.
fn folder(path: &Path, inside: &str, files: &mut Vec<File>, depth: u32) -> anyhow::Result<()> {
    if depth > 8 {
        return Ok(());
    }
    let mut names: Vec<_> = std::fs::read_dir(path)?
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .map(|e| e.path())
        .collect();
    names.sort();
    for path in names {
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else {
            continue;
        };
        let inside = if inside.is_empty() {
            name.to_owned()
        } else {
            format!("{inside}/{name}")
        };
        if path.is_dir() {
            folder(&path, &inside, files, depth + 1)?;
        } else if may_define(&inside) {
            files.push(File {
                bytes: std::fs::read(&path)?,
                path: inside,
            });
        }
    }
    Ok(())
}
