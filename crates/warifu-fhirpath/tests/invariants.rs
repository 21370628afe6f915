//! Every invariant of R4 core and of the packages in `../shared/fhir/packages` compiles.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use warifu_fhirpath::{Bounds, Engine};
use warifu_json::{Limits, ROOT, Tree, parse};
use warifu_r4::Core;

#[test]
fn of_r4_core() {
    let core = Core::builtin();
    let engine = Engine::new(core);
    let mut count = 0;
    for n in 0..core.invariant_count() {
        let invariant = core.invariant(n);
        if invariant.expression().is_empty() {
            continue;
        }
        count += 1;
        if let Err(e) = engine.compile(invariant.expression(), Bounds::DEFAULT) {
            panic!("{}: {e}: {}", invariant.key(), invariant.expression());
        }
    }
    assert!(count > 200, "{count}");
}

/// Adds the expressions of a package's profiles.
fn expressions(path: &Path, found: &mut BTreeSet<String>) {
    let file = std::fs::File::open(path).unwrap();
    let mut archive = tar::Archive::new(GzDecoder::new(file));
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().into_owned();
        if name.extension().is_none_or(|e| e != "json") {
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let tree = parse(&bytes, Limits::FHIR, &()).tree;
        let kind = tree.member(ROOT, "resourceType");
        if kind.is_some_and(|k| tree.is_text(k, "StructureDefinition")) {
            for part in ["snapshot", "differential"] {
                constraints(&tree, part, found);
            }
        }
    }
}

fn constraints(tree: &Tree<'_>, part: &str, found: &mut BTreeSet<String>) {
    let elements = tree
        .member(ROOT, part)
        .and_then(|p| tree.member(p, "element"));
    for element in elements.into_iter().flat_map(|e| tree.children(e)) {
        let list = tree.member(element, "constraint");
        for constraint in list.into_iter().flat_map(|l| tree.children(l)) {
            if let Some(expression) = tree.member(constraint, "expression") {
                found.insert(tree.text(expression).into_owned());
            }
        }
    }
}

#[test]
fn of_every_package() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fhir/packages");
    let Ok(list) = std::fs::read_dir(&folder) else {
        println!("skipped: no {}", folder.display());
        return;
    };
    let mut found = BTreeSet::new();
    let mut packages = 0;
    for entry in list {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "tgz") {
            expressions(&path, &mut found);
            packages += 1;
        }
    }
    assert!(
        packages > 0 && found.len() > 200,
        "{packages} packages, {} expressions",
        found.len()
    );
    let engine = Engine::new(Core::builtin());
    let wrong: Vec<String> = found
        .iter()
        .filter_map(|text| {
            let error = engine.compile(text, Bounds::DEFAULT).err()?;
            Some(format!("{error}: {text}"))
        })
        .collect();
    println!("{} expressions of {packages} packages", found.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}
