//! Packages of `../shared/fhir/packages`, for tests and benchmarks.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use warifu_package::{Fallback, Library, Limits, Package, compile, unpack};
use warifu_terminology::Terms;

/// The folder of shared facts, if it is there.
pub(crate) fn shared() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fhir");
    path.is_dir().then_some(path)
}

/// Definitions and codes of the archives named, as `warifu check --ig` loads them.
pub(crate) fn terms(shared: &Path, archives: &[&str]) -> Terms {
    let packages = archives.iter().map(|name| {
        let bytes = std::fs::read(shared.join(format!("packages/{name}.tgz"))).unwrap();
        let fallback = Fallback {
            name,
            version: "0.0.0",
        };
        let files = unpack(&bytes, &Limits::PACKAGE).files;
        let compiled = compile(files, fallback, &Limits::PACKAGE).unwrap();
        (Package::read(compiled.bytes).unwrap(), true)
    });
    Terms::new(Arc::new(Library::new(packages.collect::<Vec<_>>())))
}
