//! All packages of `../shared`: they load, their closures resolve or say what is missing.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

use std::fmt::Write as _;
use std::path::Path;

use warifu_definitions::{Definitions as _, Lookup};
use warifu_json::{ROOT, parse};
use warifu_package::{Fallback, File, Kind, Library, Limits, Package, compile, unpack};

const FALLBACK: Fallback<'_> = Fallback {
    name: "local",
    version: "0.0.0",
};

fn archives() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/fhir/packages"
    ));
    let Ok(entries) = std::fs::read_dir(folder) else {
        println!("skipped: no packages");
        return Vec::new();
    };
    let mut all: Vec<(String, Vec<u8>)> = entries
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "tgz"))
        .map(|p| {
            let name = p.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(&p).unwrap())
        })
        .collect();
    all.sort();
    all
}

#[test]
fn every_package_loads_and_its_closure_resolves_or_is_reported() {
    let mut table = String::new();
    let mut packages = Vec::new();
    for (name, archive) in archives() {
        let unpacked = unpack(&archive, &Limits::PACKAGE);
        assert!(
            unpacked.problems.is_empty(),
            "{name}: {:?}",
            unpacked.problems
        );
        let compiled = compile(unpacked.files, FALLBACK, &Limits::PACKAGE).unwrap();
        let length = compiled.bytes.len();
        let package = Package::read(compiled.bytes).unwrap();
        let count = |kind| package.resources().filter(|r| r.kind() == kind).count();
        writeln!(
            table,
            "{}: {} StructureDefinition, {} ValueSet, {} CodeSystem, {} NamingSystem, {} concepts",
            package.manifest().label(),
            count(Kind::Structure),
            count(Kind::ValueSet),
            count(Kind::CodeSystem),
            count(Kind::NamingSystem),
            package
                .resources()
                .map(warifu_package::Resource::concept_count)
                .sum::<u32>(),
        )
        .unwrap();
        for problem in compiled.problems {
            writeln!(table, "  {}: {:?}", problem.file, problem.kind).unwrap();
        }
        println!("{name}: {} bytes, compiled {length}", archive.len());
        packages.push((package, true));
    }
    if packages.is_empty() {
        return;
    }
    let library = Library::new(packages);
    for (id, member) in library.members() {
        let closure = member.closure();
        let names = |ids: &[warifu_definitions::PackageId]| {
            let names: Vec<_> = ids.iter().map(|i| library.package_name(*i)).collect();
            names.join(" ")
        };
        writeln!(table, "{}", names(&closure.packages)).unwrap();
        for missing in &closure.missing {
            writeln!(
                table,
                "  missing {} (loaded: {})",
                missing.package,
                missing.loaded.join(" ")
            )
            .unwrap();
        }
        // Every structure of it is found from within it, as its own.
        for resource in member.package().resources() {
            if resource.kind() == Kind::Structure {
                let Lookup::Found(read) = library.structure(resource.url(), Some(id)) else {
                    unreachable!("{}", resource.file());
                };
                assert_eq!(read.package, id);
                assert_eq!(&*read.url, resource.url());
                assert!(!read.elements.is_empty(), "{}", resource.file());
            }
        }
    }
    insta::assert_snapshot!("packages", table);
}

#[test]
fn a_compiled_package_is_the_same_whatever_the_order_of_files_and_reads_back_the_same() {
    for (name, archive) in archives().into_iter().skip(1) {
        let files = unpack(&archive, &Limits::PACKAGE).files;
        let mut backwards = files.clone();
        backwards.reverse();
        let a = compile(files, FALLBACK, &Limits::PACKAGE).unwrap();
        let b = compile(backwards, FALLBACK, &Limits::PACKAGE).unwrap();
        assert!(a.bytes == b.bytes, "{name}");
        assert_eq!(a.problems, b.problems);
        // Compiled again from what it gives back: the same facts.
        let package = Package::read(a.bytes).unwrap();
        let mut files = Vec::new();
        for resource in package.resources().filter(|r| r.kind() != Kind::CodeSystem) {
            let mut bytes = Vec::new();
            resource.value().write_json(&mut bytes);
            let path = resource.file().to_owned();
            files.push(File { path, bytes });
        }
        let again = compile(files, FALLBACK, &Limits::PACKAGE).unwrap();
        let again = Package::read(again.bytes).unwrap();
        let facts = |p: &Package| {
            let mut all = Vec::new();
            for r in p.resources().filter(|r| r.kind() != Kind::CodeSystem) {
                r.value().write_json(&mut all);
            }
            all
        };
        assert!(facts(&package) == facts(&again), "{name}");
    }
}

#[test]
fn what_is_kept_of_a_snapshot_is_what_the_file_says() {
    for (name, archive) in archives().into_iter().skip(1) {
        let files = unpack(&archive, &Limits::PACKAGE).files;
        let sources = files.clone();
        let package = compile(files, FALLBACK, &Limits::PACKAGE).unwrap();
        let package = Package::read(package.bytes).unwrap();
        for resource in package.resources().filter(|r| r.kind() == Kind::Structure) {
            let source = sources
                .iter()
                .find(|f| f.path.ends_with(&format!("/{}", resource.file())))
                .unwrap();
            let parsed = parse(&source.bytes, warifu_json::Limits::FHIR, &());
            let from_file = warifu_definitions::read_structure(
                &parsed.tree,
                ROOT,
                warifu_definitions::PackageId(1),
            )
            .unwrap();
            let mut json = Vec::new();
            resource.value().write_json(&mut json);
            let kept = parse(&json, warifu_json::Limits::FHIR, &());
            let kept = warifu_definitions::read_structure(
                &kept.tree,
                ROOT,
                warifu_definitions::PackageId(1),
            )
            .unwrap();
            // Values are compared as text, whose white space differs.
            let plain = |s: &warifu_definitions::StructureDefinition| {
                let mut s = s.clone();
                for e in &mut s.elements {
                    for v in [
                        &mut e.fixed,
                        &mut e.pattern,
                        &mut e.min_value,
                        &mut e.max_value,
                    ]
                    .into_iter()
                    .flatten()
                    {
                        let value: serde_json::Value = serde_json::from_slice(&v.json).unwrap();
                        v.json = serde_json::to_vec(&value).unwrap().into();
                    }
                }
                s
            };
            assert!(
                plain(&from_file) == plain(&kept),
                "{name} {}",
                resource.file()
            );
        }
    }
}
