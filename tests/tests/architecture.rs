//! The arrows between crates and the absences in the core, read from `cargo metadata`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Core crates and what of ours they may import (directly).
const ARROWS: &[(&str, &[&str])] = &[
    ("warifu-source", &[]),
    ("warifu-terms", &[]),
    ("warifu-json", &[]),
    ("warifu-r4", &["warifu-json"]),
    (
        "warifu-fhirpath",
        &["warifu-json", "warifu-order", "warifu-r4"],
    ),
    ("warifu-definitions", &["warifu-json"]),
    (
        "warifu-package",
        &["warifu-definitions", "warifu-json", "warifu-order"],
    ),
    (
        "warifu-validate",
        &[
            "warifu-definitions",
            "warifu-diag",
            "warifu-fhirpath",
            "warifu-json",
            "warifu-order",
            "warifu-r4",
        ],
    ),
    (
        "warifu-terminology",
        &[
            "warifu-definitions",
            "warifu-order",
            "warifu-package",
            "warifu-r4",
            "warifu-terms",
        ],
    ),
    ("warifu-log", &["warifu-json"]),
    ("warifu-order", &[]),
    ("warifu-consent", &["warifu-json", "warifu-order"]),
    ("warifu-diag", &["warifu-source"]),
    (
        "warifu-hl7",
        &["warifu-diag", "warifu-order", "warifu-source"],
    ),
    (
        "warifu-ssmix2",
        &["warifu-diag", "warifu-hl7", "warifu-order", "warifu-source"],
    ),
    ("warifu-fhir", &["warifu-diag", "warifu-order"]),
    (
        "warifu-map",
        &[
            "warifu-diag",
            "warifu-fhir",
            "warifu-hl7",
            "warifu-json",
            "warifu-order",
            "warifu-source",
            "warifu-ssmix2",
            "warifu-terms",
        ],
    ),
    (
        "warifu-rules",
        &[
            "warifu-diag",
            "warifu-hl7",
            "warifu-order",
            "warifu-source",
            "warifu-ssmix2",
            "warifu-terms",
        ],
    ),
    (
        "warifu-report",
        &[
            "warifu-diag",
            "warifu-hl7",
            "warifu-order",
            "warifu-source",
            "warifu-ssmix2",
            "warifu-terms",
        ],
    ),
    (
        "warifu-check",
        &[
            "warifu-diag",
            "warifu-order",
            "warifu-report",
            "warifu-rules",
            "warifu-source",
            "warifu-validate",
        ],
    ),
    (
        "warifu-convert",
        &[
            "warifu-diag",
            "warifu-hl7",
            "warifu-map",
            "warifu-order",
            "warifu-report",
            "warifu-source",
            "warifu-ssmix2",
            "warifu-terms",
        ],
    ),
];

/// Edges: they may import the core, never each other (the exceptions are listed).
const EDGES: &[(&str, &[&str])] = &[
    ("warifu-storage", &[]),
    ("warifu-log-file", &[]),
    ("warifu-store", &[]),
    ("warifu-server", &["warifu-storage", "warifu-store"]),
    (
        "warifu-cli",
        &[
            "warifu-storage",
            "warifu-store",
            "warifu-log-file",
            "warifu-server",
            // The records of `warifu demo`.
            "warifu-synth",
        ],
    ),
    ("warifu-wasm", &["warifu-storage"]),
    ("warifu-unpack", &["warifu-storage"]),
    ("warifu-consent-wasm", &[]),
    ("warifu-playground", &[]),
    ("warifu-web", &[]),
    ("warifu-synth", &[]),
];

/// Crates that bring I/O, clocks, randomness or a browser.
const BANNED: &[&str] = &[
    "tokio",
    "web-sys",
    "js-sys",
    "getrandom",
    "rand",
    "chrono",
    "time",
    "wasm-bindgen",
    "signal-hook",
    "tempfile",
    "std-time",
];

/// Libraries that Warifu is built on by choice, and a crate of ours that calls each.
const CHOSEN: &[(&str, &str)] = &[
    ("wasm-bindgen", "warifu-wasm"),
    ("serde", "warifu-wasm"),
    ("serde-wasm-bindgen", "warifu-wasm"),
    ("hl7-parser", "warifu-hl7"),
    ("ed25519-dalek", "warifu-consent"),
    ("leptos", "warifu-web"),
    ("leptos", "warifu-playground"),
    ("gloo", "warifu-web"),
    ("gloo", "warifu-playground"),
    ("web-sys", "warifu-web"),
    ("web-sys", "warifu-playground"),
];

struct Graph {
    direct: BTreeMap<String, BTreeSet<String>>,
}

fn graph() -> Graph {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let out = Command::new(cargo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo metadata runs");
    assert!(
        out.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    let v: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let mut direct = BTreeMap::new();
    for p in v["packages"].as_array().unwrap() {
        let name = p["name"].as_str().unwrap().to_owned();
        let deps = p["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            // Only what ends up in the product: no dev- and build-dependencies.
            .filter(|d| d["kind"].is_null() && d["optional"] == serde_json::Value::Bool(false))
            .map(|d| d["name"].as_str().unwrap().to_owned())
            .collect::<BTreeSet<String>>();
        direct
            .entry(name)
            .or_insert_with(BTreeSet::new)
            .extend(deps);
    }
    Graph { direct }
}

impl Graph {
    fn ours(&self, name: &str) -> BTreeSet<&str> {
        self.direct
            .get(name)
            .into_iter()
            .flatten()
            .map(String::as_str)
            .filter(|d| d.starts_with("warifu-"))
            .collect()
    }
    fn all(&self, name: &str) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let mut todo = vec![name];
        while let Some(n) = todo.pop() {
            for d in self.direct.get(n).into_iter().flatten() {
                if seen.insert(d.as_str()) {
                    todo.push(d);
                }
            }
        }
        seen
    }
}

#[test]
fn the_chosen_libraries_are_used() {
    let g = graph();
    for (library, of) in CHOSEN {
        assert!(g.direct[*of].contains(*library), "{of} needs {library}");
    }
}

#[test]
fn core_crates_import_only_along_the_arrows() {
    let g = graph();
    for (name, allowed) in ARROWS {
        assert!(
            g.direct.contains_key(*name),
            "{name} is gone: mend the table"
        );
        for d in g.ours(name) {
            assert!(allowed.contains(&d), "{name} must not import {d}");
        }
    }
}

#[test]
fn edges_do_not_import_edges() {
    let g = graph();
    for (name, allowed) in EDGES {
        for d in g.ours(name) {
            let is_edge = EDGES.iter().any(|(e, _)| *e == d);
            assert!(
                !is_edge || allowed.contains(&d),
                "{name} must not import {d}"
            );
        }
    }
}

#[test]
fn core_crates_have_no_clock_no_randomness_no_browser() {
    let g = graph();
    for (name, _) in ARROWS {
        for d in g.all(name) {
            assert!(!BANNED.contains(&d), "{name} reaches {d}");
        }
    }
}

#[test]
fn every_crate_of_ours_forbids_unsafe_code() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut checked = 0;
    for entry in std::fs::read_dir(root.join("crates")).unwrap() {
        let src = entry.unwrap().path().join("src");
        for file in ["lib.rs", "main.rs"] {
            if let Ok(text) = std::fs::read_to_string(src.join(file)) {
                assert!(
                    text.contains("#![forbid(unsafe_code)]")
                        || file == "main.rs" && src.join("lib.rs").exists(),
                    "{}",
                    src.join(file).display()
                );
                checked += 1;
            }
        }
    }
    assert!(checked >= 12);
}
