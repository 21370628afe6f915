#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]
//! Packages read straight from `../shared/fhir/packages`, for tests.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use warifu_definitions::{
    Definitions, Lookup, PackageId, StructureDefinition, read_structure, split_canonical,
    version_matches,
};
use warifu_json::{Limits, ROOT, parse};

/// The folder of shared facts, if it is there.
pub(crate) fn shared() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fhir");
    path.is_dir().then_some(path)
}

/// Files of a package: name, bytes.
pub(crate) fn unpack(archive: &Path) -> Vec<(String, Vec<u8>)> {
    let file = std::fs::File::open(archive).unwrap();
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let mut files = Vec::new();
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().into_owned();
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else {
            continue;
        };
        let name = name.to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.push((name, bytes));
    }
    files
}

/// Packages in memory.
#[derive(Default)]
pub(crate) struct Memory {
    packages: Vec<Package>,
}

struct Package {
    name: String,
    structures: BTreeMap<String, Arc<StructureDefinition>>,
    /// Numbers of the packages it depends on, itself first.
    closure: Vec<usize>,
}

impl Memory {
    /// R4 core and the archives named, each after what it depends on.
    pub(crate) fn load(folder: &Path, archives: &[&str]) -> Self {
        let mut own = Self::default();
        for (n, archive) in ["hl7.fhir.r4.core-4.0.1"]
            .iter()
            .chain(archives)
            .enumerate()
        {
            let path = folder.join(format!("packages/{archive}.tgz"));
            let mut structures = BTreeMap::new();
            let mut depends: Vec<usize> = Vec::new();
            for (name, bytes) in unpack(&path) {
                if name == "package.json" {
                    let tree = parse(&bytes, Limits::FHIR, &()).tree;
                    if let Some(list) = tree.member(ROOT, "dependencies") {
                        for d in tree.children(list) {
                            let full = format!("{}#{}", tree.key(d), tree.text(d));
                            depends.extend(own.packages.iter().position(|p| p.name == full));
                        }
                    }
                }
                if !name.starts_with("StructureDefinition-") {
                    continue;
                }
                let tree = parse(&bytes, Limits::FHIR, &()).tree;
                let package = PackageId(u16::try_from(n).unwrap());
                if let Some(read) = read_structure(&tree, ROOT, package) {
                    structures.insert(read.url.to_string(), Arc::new(read));
                }
            }
            let mut closure = vec![n];
            for d in depends {
                for c in own.packages[d].closure.clone() {
                    if !closure.contains(&c) {
                        closure.push(c);
                    }
                }
            }
            own.packages.push(Package {
                name: archive_name(archive),
                structures,
                closure,
            });
        }
        own
    }
}

/// `jp-core.r4-1.1.2-url` → `jp-core.r4#1.1.2-url`
fn archive_name(archive: &str) -> String {
    let at = archive
        .match_indices('-')
        .map(|(at, _)| at)
        .find(|at| archive[at + 1..].starts_with(|c: char| c.is_ascii_digit()))
        .unwrap();
    format!("{}#{}", &archive[..at], &archive[at + 1..])
}

impl Definitions for Memory {
    fn structure(
        &self,
        canonical: &str,
        from: Option<PackageId>,
    ) -> Lookup<Arc<StructureDefinition>> {
        let (url, version) = split_canonical(canonical);
        let order: Vec<usize> = match from {
            Some(id) => {
                let mut order = self.packages[usize::from(id.0)].closure.clone();
                order.push(0);
                order
            }
            None => (0..self.packages.len()).rev().collect(),
        };
        let mut other = None;
        for n in order {
            if let Some(found) = self.packages[n].structures.get(url) {
                if version.is_none_or(|v| version_matches(&found.version, v)) {
                    return Lookup::Found(found.clone());
                }
                other.get_or_insert(found);
            }
        }
        match other {
            Some(found) => Lookup::Found(found.clone()),
            None => Lookup::Unknown,
        }
    }

    fn package_name(&self, id: PackageId) -> &str {
        &self.packages[usize::from(id.0)].name
    }
}
