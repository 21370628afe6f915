//! Files and folders: listing, copying, hashing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

/// Regular files below a folder, as paths relative to it, sorted; links are not followed.
pub(crate) fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(inner) = open.pop() {
        let path = folder.join(&inner);
        let entries =
            fs::read_dir(&path).with_context(|| format!("cannot list {}", path.display()))?;
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            let name = inner.join(entry.file_name());
            if kind.is_dir() {
                open.push(name);
            } else if kind.is_file() {
                found.push(name);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Copies every regular file below `from` to the same place below `to`.
pub(crate) fn copy_all(from: &Path, to: &Path) -> Result<()> {
    for file in list(from)? {
        copy(&from.join(&file), &to.join(&file))?;
    }
    Ok(())
}

/// Copies one file, making the folders above it.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to)
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

/// Writes one file, making the folders above it.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

/// Empties a folder, or makes it.
pub(crate) fn fresh(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// A relative path as a URL or JSON wants it, with `/`.
pub(crate) fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// FNV-1a, 64 bits: tells a changed file from an unchanged one, nothing more.
pub(crate) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(seed, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// What [`hash`] starts from.
pub(crate) const HASH_SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// A JSON string literal.
pub(crate) fn json_string(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for c in text.chars() {
        match c {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            c if c.is_control() => literal.extend(format!("\\u{:04x}", u32::from(c)).chars()),
            c => literal.push(c),
        }
    }
    literal.push('"');
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_strings_are_escaped() {
        assert_eq!(json_string("例\"\\\n"), r#""例\"\\\u000a""#);
    }

    #[test]
    fn hash_is_fnv_1a() {
        // Published vector of FNV-1a 64.
        assert_eq!(hash(HASH_SEED, b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn files_are_listed_sorted_and_relative() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"));
        let files = list(source).unwrap();
        assert!(files.contains(&PathBuf::from("src/files.rs")));
        assert!(files.is_sorted());
    }
}
