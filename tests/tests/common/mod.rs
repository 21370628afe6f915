//! Shared by the test files: where files are and how they are read.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "each test file uses a part; a test may fail loudly and says aloud what it skips"
)]

#[path = "../../../crates/warifu-validate/tests/common/mod.rs"]
pub mod packages;

use std::borrow::Borrow;
use std::path::{Path, PathBuf};

/// A file with its path relative to the folder it was found in.
pub struct Loaded {
    pub path: String,
    pub bytes: Vec<u8>,
}

/// Files as a conversion takes them.
pub fn given<F: Borrow<Loaded>>(files: &[F]) -> Vec<warifu_map::File<'_>> {
    let given = files.iter().map(Borrow::borrow).map(|f| warifu_map::File {
        path: &f.path,
        bytes: &f.bytes,
    });
    given.collect()
}

/// The repository's own fixtures.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// `../shared` beside the checkout; `None` (said aloud) when it is absent.
pub fn shared(test: &str) -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    if dir.is_dir() {
        Some(dir)
    } else {
        println!("{test}: skipped: ../shared is absent");
        None
    }
}

/// All files below a folder, in order of path.
pub fn load(root: &Path) -> Vec<Loaded> {
    let mut out = Vec::new();
    let mut todo = vec![root.to_owned()];
    while let Some(dir) = todo.pop() {
        for e in std::fs::read_dir(&dir).unwrap() {
            let p = e.unwrap().path();
            if p.is_dir() {
                todo.push(p);
            } else {
                let path = p
                    .strip_prefix(root)
                    .unwrap()
                    .to_string_lossy()
                    .replace('\\', "/");
                out.push(Loaded {
                    path,
                    bytes: std::fs::read(&p).unwrap(),
                });
            }
        }
    }
    out.sort_by(|a, b| a.path.cmp(&b.path));
    out
}

/// Files grouped by the patient folder `PPP/PPP/ID`.
pub fn by_patient(files: Vec<Loaded>) -> Vec<(String, Vec<Loaded>)> {
    let mut groups: Vec<(String, Vec<Loaded>)> = Vec::new();
    for f in files {
        let key: String = f.path.split('/').take(3).collect::<Vec<_>>().join("/");
        match groups.last_mut() {
            Some((k, v)) if *k == key => v.push(f),
            _ => groups.push((key, vec![f])),
        }
    }
    groups
}

/// First 16 hexadecimal digits of the SHA-256.
pub fn short_hash(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    let mut text = String::new();
    for b in sha2::Sha256::digest(bytes).iter().take(8) {
        let _ = std::fmt::Write::write_fmt(&mut text, format_args!("{b:02x}"));
    }
    text
}
