//! Builds the pages in: what `WARIFU_PAGES` names has them in `portal` and `playground`, and a file whose
//! name ends with `.gz` is served as the file without that, compressed. `cargo xtask demo` makes such a
//! folder; without one the program is built without pages, and says so.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=WARIFU_PAGES");
    let given = env::var_os("WARIFU_PAGES").filter(|p| !p.is_empty());
    let pages = given.map(PathBuf::from);
    let mut code = String::new();
    for (name, page) in [("PORTAL", "portal"), ("PLAYGROUND", "playground")] {
        let mut files = Vec::new();
        if let Some(pages) = &pages {
            let folder = pages.join(page);
            println!("cargo::rerun-if-changed={}", folder.display());
            files = list(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        }
        writeln!(code, "pub(crate) static {name}: &[BuiltIn] = &[")?;
        for (name, path) in files {
            let (name, is_gzip) = match name.strip_suffix(".gz") {
                Some(name) => (name, true),
                None => (name.as_str(), false),
            };
            let path = path.to_str().ok_or("a path that is not UTF-8")?;
            writeln!(
                code,
                "BuiltIn {{ name: {name:?}, bytes: include_bytes!({path:?}), is_gzip: {is_gzip} }},"
            )?;
        }
        code.push_str("];\n");
    }
    let out = env::var_os("OUT_DIR").ok_or("no OUT_DIR")?;
    fs::write(Path::new(&out).join("pages.rs"), code)?;
    Ok(())
}

/// Files below a folder: their names with `/`, and absolute paths, sorted.
fn list(folder: &Path) -> Result<Vec<(String, PathBuf)>, Box<dyn Error>> {
    let mut found = Vec::new();
    let mut open = vec![(fs::canonicalize(folder)?, String::new())];
    while let Some((path, before)) = open.pop() {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let own = entry.file_name().into_string();
            let name = before.clone() + &own.map_err(|_| "a name that is not UTF-8")?;
            if entry.file_type()?.is_dir() {
                open.push((entry.path(), name + "/"));
            } else {
                found.push((name, entry.path()));
            }
        }
    }
    found.sort();
    Ok(found)
}
