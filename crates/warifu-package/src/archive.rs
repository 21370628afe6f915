//! `.tgz` to the files that hold definitions.

use std::io::Read;

use flate2::read::GzDecoder;
use memchr::memmem;

use crate::problem::{Problem, ProblemKind};

/// Where reading a package stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of an archive, unpacked.
    pub unpacked: u64,
    /// Bytes of one file; longer ones are left out.
    pub file: u64,
    /// Entries of an archive.
    pub entries: u32,
    /// Values of one JSON file.
    pub values: u32,
    /// Problems that are kept.
    pub problems: usize,
}

impl Limits {
    /// Several times what the largest published package needs: 512 MiB, 64 MiB a file, 100,000
    /// entries, 4 million values a file, 1,000 problems.
    pub const PACKAGE: Self = Self {
        unpacked: 512 << 20,
        file: 64 << 20,
        entries: 100_000,
        values: 4_000_000,
        problems: 1_000,
    };
}

/// A file of a package: its path with `/`, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Path within the archive or folder.
    pub path: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// What [`unpack`] found.
#[derive(Debug, Clone, Default)]
pub struct Unpacked {
    /// Files that may hold definitions, in the order of the archive.
    pub files: Vec<File>,
    /// What was left out.
    pub problems: Vec<Problem>,
}

/// Words one of which a file with definitions contains.
const WANTED: [&[u8]; 5] = [
    b"\"StructureDefinition\"",
    b"\"ValueSet\"",
    b"\"CodeSystem\"",
    b"\"NamingSystem\"",
    b"\"ImplementationGuide\"",
];

/// Folders below the root whose files are no definitions of the package.
///
/// Standard: NPM package specification of FHIR, "Package Structure".
const OTHER_FOLDERS: [&str; 7] = [
    "example",
    "examples",
    "openapi",
    "other",
    "tests",
    "xml",
    "node_modules",
];

/// Whether a file by this path can be part of a package's definitions: `.json`, not hidden, in no
/// folder for examples and the like.
pub fn may_define(path: &str) -> bool {
    let mut parts = path.split(['/', '\\']).rev();
    let name = parts.next().unwrap_or_default();
    let json = name
        .rsplit_once('.')
        .is_some_and(|(stem, end)| !stem.is_empty() && end.eq_ignore_ascii_case("json"));
    json && !name.starts_with('.')
        && parts.all(|p| !OTHER_FOLDERS.contains(&p) && (p == "." || !p.starts_with('.')))
}

/// Whether a path stays inside the package.
fn is_inside(path: &str) -> bool {
    !path.starts_with('/') && path.split(['/', '\\']).all(|p| p != "..")
}

/// Reads an archive; bounded by `limits`, never fails.
///
/// Only files that may hold definitions are kept.
pub fn unpack(tgz: &[u8], limits: &Limits) -> Unpacked {
    walk(tgz, limits, false)
}

/// Like [`unpack`], with every file: to store the archive elsewhere.
pub fn unpack_all(tgz: &[u8], limits: &Limits) -> Unpacked {
    walk(tgz, limits, true)
}

fn walk(tgz: &[u8], limits: &Limits, all: bool) -> Unpacked {
    let mut out = Unpacked::default();
    let stream = GzDecoder::new(tgz).take(limits.unpacked.saturating_add(1));
    let mut archive = tar::Archive::new(stream);
    let mut total = 0_u64;
    let mut count = 0_u32;
    let Ok(entries) = archive.entries() else {
        out.problems.push(Problem::new("", ProblemKind::NoArchive));
        return out;
    };
    for entry in entries {
        let Ok(mut entry) = entry else {
            let kind = if total > limits.unpacked {
                ProblemKind::TooLarge
            } else if count == 0 {
                ProblemKind::NoArchive
            } else {
                ProblemKind::CutOff
            };
            out.problems.push(Problem::new("", kind));
            return out;
        };
        count = count.saturating_add(1);
        if count > limits.entries {
            out.problems.push(Problem::new("", ProblemKind::TooMany));
            return out;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let size = entry.size();
        total = total.saturating_add(size).saturating_add(512);
        if total > limits.unpacked {
            out.problems.push(Problem::new("", ProblemKind::TooLarge));
            return out;
        }
        if !entry.header().entry_type().is_file() {
            continue;
        }
        if !is_inside(&path) {
            push(&mut out.problems, limits, &path, ProblemKind::OutsidePath);
            continue;
        }
        if !all && !may_define(&path) {
            continue;
        }
        if size > limits.file {
            push(&mut out.problems, limits, &path, ProblemKind::FileTooLarge);
            continue;
        }
        // Memory follows what is there, not what a header promises.
        let mut bytes = Vec::new();
        if entry.read_to_end(&mut bytes).is_err() {
            push(&mut out.problems, limits, &path, ProblemKind::CutOff);
            return out;
        }
        if all || is_wanted(&path, &bytes) {
            out.files.push(File { path, bytes });
        }
    }
    if count == 0 {
        out.problems.push(Problem::new("", ProblemKind::NoArchive));
    }
    out
}

fn push(problems: &mut Vec<Problem>, limits: &Limits, path: &str, kind: ProblemKind) {
    if problems.len() < limits.problems {
        problems.push(Problem::new(path, kind));
    }
}

/// Whether a file holds definitions as far as a look at its words tells.
pub(crate) fn is_wanted(path: &str, bytes: &[u8]) -> bool {
    path.rsplit(['/', '\\']).next() == Some("package.json")
        || WANTED.iter().any(|w| memmem::find(bytes, w).is_some())
}

#[cfg(test)]
mod tests {
    use super::may_define;

    #[test]
    fn paths_that_may_define() {
        for yes in [
            "package/StructureDefinition-a.json",
            "package.json",
            "./package/a.JSON",
            "package/sub/ValueSet-b.json",
        ] {
            assert!(may_define(yes), "{yes}");
        }
        for no in [
            "package/.index.json",
            "package/example/Patient-a.json",
            "package/a.xml",
            "package/.git/a.json",
            "package/json",
            "package/.json",
        ] {
            assert!(!may_define(no), "{no}");
        }
    }
}
