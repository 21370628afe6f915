//! Packages of `../shared/fhir/packages`, for tests and benchmarks.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each user takes a part; a test may fail loudly"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use warifu_package::{Fallback, File, Library, Limits, Package, compile, unpack};
use warifu_terminology::Terms;

/// Guides: the folder of examples, and the archives of its definitions.
pub(crate) const GUIDES: &[(&str, &[&str])] = &[
    (
        "jp-core-1.2.0",
        &[
            "jpfhir.jp.core-1.2.0",
            "jpfhir-terminology.r4-1.4.0-partial",
        ],
    ),
    ("jp-core-1.1.2", &["jp-core.r4-1.1.2"]),
    (
        "jp-clins-1.5.3",
        &[
            "jp-clins.r4-1.5.3",
            "jp-core.r4-1.1.2-url",
            "jpfhir-terminology.r4-1.4.0-partial",
        ],
    ),
    (
        "jp-clins-1.5.2-published",
        &["jp-core.r4-1.1.2-url", "jp-clins.r4-1.5.2-published"],
    ),
    (
        "jp-echeckupreport-1.5.0",
        &["jp-core.r4-1.1.2-clins", "jp-echeckupreport.r4-1.5.0"],
    ),
    (
        "jp-ereferral-1.1.6",
        &["jp-core.r4-1.1.2", "jp-ereferral.r4-1.1.6"],
    ),
    (
        "jp-edischargesummary-1.1.6",
        &["jp-core.r4-1.1.2", "jp-edischargesummary.r4-1.1.6"],
    ),
    (
        "jp-etwodocs-1.0.0-rc1",
        &["jp-core.r4-1.1.2", "jp-etwodocs.r4-1.0.0-rc1"],
    ),
    ("jp-eprescriptiondata", &["jp-eprescriptiondata-0.1.0"]),
];

/// Codes and values of a package that has these definitions and dependencies that are not at hand.
pub(crate) fn terms_of(definitions: &[&str], missing: &[&str]) -> Terms {
    let file = |path: String, text: &str| File {
        path,
        bytes: text.as_bytes().to_vec(),
    };
    let needs: Vec<String> = missing
        .iter()
        .map(|n| format!(r#""{n}": "1.0.0""#))
        .collect();
    let manifest = format!(
        r#"{{"name": "example", "version": "1.0.0", "fhirVersions": ["4.0.1"], "dependencies": {{{}}}}}"#,
        needs.join(", ")
    );
    let mut files = vec![file("package/package.json".to_owned(), &manifest)];
    for (n, text) in definitions.iter().enumerate() {
        files.push(file(format!("package/Definition-{n}.json"), text));
    }
    let fallback = Fallback {
        name: "example",
        version: "1.0.0",
    };
    let compiled = compile(files, fallback, &Limits::PACKAGE).unwrap();
    assert_eq!(compiled.problems, [], "{definitions:?}");
    let package = Package::read(compiled.bytes).unwrap();
    Terms::new(Arc::new(Library::new([(package, true)])))
}

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
