//! Archives and files that are broken on purpose: bounded, reported, never a panic.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use warifu_definitions::{Definitions as _, Lookup, PackageId};
use warifu_package::{
    Fallback, File, Kind, Library, Limits, Package, ProblemKind, ReadError, compile, unpack,
};

const FALLBACK: Fallback<'_> = Fallback {
    name: "local",
    version: "0.0.0",
};

fn file(path: &str, text: &str) -> File {
    File {
        path: path.to_owned(),
        bytes: text.as_bytes().to_vec(),
    }
}

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        // Paths that a careful writer refuses, too.
        let name = header.as_gnu_mut().unwrap();
        name.name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_size(u64::try_from(bytes.len()).unwrap());
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, *bytes).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

fn made(files: Vec<File>) -> (Package, Vec<ProblemKind>) {
    let compiled = compile(files, FALLBACK, &Limits::PACKAGE).unwrap();
    let kinds = compiled.problems.into_iter().map(|p| p.kind).collect();
    (Package::read(compiled.bytes).unwrap(), kinds)
}

#[test]
fn what_is_no_archive_is_said_to_be_none() {
    for bytes in [&b""[..], b"PK\x03\x04", b"{}", b"\x1F\x8B\x08"] {
        let out = unpack(bytes, &Limits::PACKAGE);
        let kinds: Vec<_> = out.problems.iter().map(|p| &p.kind).collect();
        assert_eq!(kinds, [&ProblemKind::NoArchive], "{bytes:?}");
    }
}

#[test]
fn an_archive_that_ends_early_gives_what_came_before() {
    let set = br#"{"resourceType": "ValueSet", "url": "u"}"#;
    let noise: Vec<u8> = (0..200_000_u32)
        .flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_le_bytes())
        .collect();
    let whole = archive(&[("package/a.json", set), ("package/b.json", &noise)]);
    let out = unpack(&whole[..whole.len() / 2], &Limits::PACKAGE);
    assert_eq!(out.files.len(), 1);
    assert_eq!(out.problems[0].kind, ProblemKind::CutOff);
}

#[test]
fn bombs_are_bounded() {
    // 50 MB of zeros in 50 kB.
    let mut zip = GzEncoder::new(Vec::new(), Compression::best());
    zip.write_all(&vec![0; 50 << 20]).unwrap();
    let bomb = zip.finish().unwrap();
    let small = Limits {
        unpacked: 1 << 20,
        ..Limits::PACKAGE
    };
    assert!(unpack(&bomb, &small).files.is_empty());

    let big = vec![b' '; 3 << 20];
    let set: &[u8] = br#"{"resourceType": "ValueSet", "url": "u"}"#;
    let bomb = archive(&[
        ("package/a.json", set),
        ("package/b.json", &big),
        ("package/c.json", set),
    ]);
    let out = unpack(&bomb, &small);
    assert_eq!(out.files.len(), 1);
    assert_eq!(out.problems[0].kind, ProblemKind::TooLarge);
    let tight = Limits {
        file: 1 << 20,
        ..Limits::PACKAGE
    };
    let out = unpack(&bomb, &tight);
    assert_eq!(out.files.len(), 2);
    assert_eq!(out.problems[0].kind, ProblemKind::FileTooLarge);
    let few = Limits {
        entries: 1,
        ..Limits::PACKAGE
    };
    assert_eq!(unpack(&bomb, &few).problems[0].kind, ProblemKind::TooMany);
}

#[test]
fn paths_that_lead_out_are_left_out() {
    let set: &[u8] = br#"{"resourceType": "ValueSet", "url": "u"}"#;
    let out = unpack(
        &archive(&[
            ("../a.json", set),
            ("package/../../b.json", set),
            ("/c.json", set),
            ("package/d.json", set),
        ]),
        &Limits::PACKAGE,
    );
    let paths: Vec<_> = out.files.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(paths, ["package/d.json"]);
    assert_eq!(out.problems.len(), 3);
}

#[test]
fn broken_files_are_reported_and_the_rest_is_used() {
    let deep = format!(
        "{{\"resourceType\": \"ValueSet\", \"x\": {}",
        "[".repeat(100_000)
    );
    let many = format!(
        "{{\"resourceType\": \"ValueSet\", \"url\": \"m\", \"x\": [{}0]}}",
        "0,".repeat(5_000_000)
    );
    let (package, problems) = made(vec![
        file(
            "package/.index.json",
            "{\"files\": [{\"filename\": \"absent.json\", \"resourceType\": \"ValueSet\"}]}",
        ),
        file(
            "package/package.json",
            r#"{"name": "a", "version": "1", "dependencies": {"b": 7, "c": "1"}, "fhirVersions": ["5.0.0"]}"#,
        ),
        file(
            "package/a.json",
            r#"{"resourceType": "ValueSet", "url": "a"}"#,
        ),
        file(
            "package/b.json",
            r#"{"resourceType": "ValueSet", "url": "b""#,
        ),
        file("package/c.json", r#"{"resourceType": "ValueSet"}"#),
        file("package/d.json", &deep),
        file(
            "package/e.json",
            r#"{"resourceType": "ValueSet", "url": "a"}"#,
        ),
        file("package/f.json", &many),
        file(
            "package/g.json",
            r#"{"resourceType": "CodeSystem", "url": "g", "concept": [{"code": "1", "display": "x"}, {"code": "2", "concept": [{"code": "1"}]}, {}, 7]}"#,
        ),
        file(
            "package/sub/h.json",
            r#"{"resourceType": "StructureDefinition", "url": "h"}"#,
        ),
        file("package/i.json", r#"["ValueSet"]"#),
    ]);
    assert_eq!(package.manifest().label(), "a#1");
    assert_eq!(
        package.manifest().dependencies,
        [("c".to_owned(), "1".to_owned())]
    );
    let urls: Vec<_> = package
        .resources()
        .map(warifu_package::Resource::url)
        .collect();
    assert_eq!(urls, ["a", "g", "h"]);
    let bad = |k: &ProblemKind| matches!(k, ProblemKind::BadJson { .. });
    assert_eq!(problems.iter().filter(|k| bad(k)).count(), 3);
    for kind in [
        ProblemKind::NoUrl,
        ProblemKind::Duplicate {
            first: "a.json".to_owned(),
        },
        ProblemKind::DuplicateCode { count: 1 },
        ProblemKind::OtherFhirVersion,
    ] {
        assert!(problems.contains(&kind), "{kind:?}");
    }
    let system = package.find(Kind::CodeSystem, "g").next().unwrap();
    assert_eq!(system.concept_count(), 2);
    assert_eq!(system.find_concept("1").unwrap().display(), Some("x"));
}

#[test]
fn without_manifest_the_guide_names_the_package() {
    let (package, problems) = made(vec![file(
        "x/ImplementationGuide-a.json",
        r#"{"resourceType": "ImplementationGuide", "packageId": "my.ig", "version": "2.0.0", "dependsOn": [{"packageId": "jp-core.r4", "version": "1.1.2"}]}"#,
    )]);
    assert_eq!(package.manifest().label(), "my.ig#2.0.0");
    assert_eq!(package.manifest().dependencies.len(), 1);
    assert!(problems.is_empty());
    let (package, problems) = made(Vec::new());
    assert_eq!(package.manifest().label(), "local#0.0.0");
    assert_eq!(problems, [ProblemKind::NoManifest]);
}

fn profile(name: &str, version: &str, needs: &str, text: &str) -> Package {
    let manifest =
        format!(r#"{{"name": "{name}", "version": "{version}", "dependencies": {{{needs}}}}}"#);
    let structure = format!(
        r#"{{"resourceType": "StructureDefinition", "url": "http://p", "version": "{version}", "type": "Patient", "name": "{text}"}}"#
    );
    let mut files = vec![file("package/package.json", &manifest)];
    if !text.is_empty() {
        files.push(file("package/s.json", &structure));
    }
    made(files).0
}

#[test]
fn references_resolve_within_the_own_closure() {
    let library = Library::new([
        (profile("core", "1.1.2-url", "", "old"), true),
        (profile("core", "1.2.0", "", "new"), true),
        (
            profile(
                "guide",
                "1.5.3",
                r#""core": "1.1.2-url", "hl7.fhir.r4.core": "4.0.1""#,
                "",
            ),
            true,
        ),
        (profile("loose", "1", r#""core": "1.1.x""#, ""), true),
        (
            profile("cut", "1", r#""core": "1.1.2", "terms": "9""#, ""),
            true,
        ),
        (
            profile("round", "1", r#""round": "1", "ring": "1""#, ""),
            true,
        ),
        (profile("ring", "1", r#""round": "1""#, ""), true),
    ]);
    let name = |canonical: &str, from: Option<u16>| {
        library
            .structure(canonical, from.map(PackageId))
            .found()
            .map(|s| s.name.to_string())
    };
    assert_eq!(name("http://p", None).as_deref(), Some("new"));
    assert_eq!(name("http://p|1.1", None).as_deref(), Some("old"));
    assert_eq!(name("http://p|9", None).as_deref(), Some("new"));
    assert_eq!(name("http://p", Some(3)).as_deref(), Some("old"));
    assert_eq!(name("http://p|1.2.0", Some(3)).as_deref(), Some("old"));
    assert_eq!(name("http://p", Some(4)).as_deref(), Some("old"));
    assert_eq!(
        library.structure("http://p", Some(PackageId(5))),
        Lookup::Missing {
            package: "core#1.1.2".into()
        }
    );
    let missing = &library.member(PackageId(5)).unwrap().closure().missing;
    assert_eq!(missing[0].loaded, ["1.1.2-url", "1.2.0"]);
    assert_eq!(missing[1].package, "terms#9");
    assert_eq!(
        library.structure("http://p", Some(PackageId(6))),
        Lookup::Unknown
    );
    let extension = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation";
    let found = library
        .structure(extension, Some(PackageId(5)))
        .found()
        .unwrap();
    assert_eq!(found.package, PackageId::CORE);
}

#[test]
fn a_damaged_compiled_package_is_refused() {
    let package = profile("a", "1", r#""b": "2""#, "x");
    let good = package.bytes().to_vec();
    assert_eq!(Package::read(Vec::new()).unwrap_err(), ReadError::NoPackage);
    assert_eq!(
        Package::read(b"PK\x03\x04".to_vec()).unwrap_err(),
        ReadError::NoPackage
    );
    let mut other = good.clone();
    other[3] = 9;
    assert_eq!(
        Package::read(other).unwrap_err(),
        ReadError::OtherVersion { found: 9 }
    );
    for at in 4..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert_eq!(Package::read(bad).unwrap_err(), ReadError::Damaged, "{at}");
        assert!(Package::read(good[..at].to_vec()).is_err(), "{at}");
    }
}

/// Puts the checksum right, so that the content is looked at.
fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
    use sha2::Digest as _;
    let sum = sha2::Sha256::digest(&bytes[36..]);
    bytes[4..36].copy_from_slice(&sum);
    bytes
}

fn walk(package: &Package) -> usize {
    let mut out = Vec::new();
    for r in package.resources() {
        r.value().write_json(&mut out);
        for c in r.concepts() {
            c.rest().write_json(&mut out);
            out.extend(c.code().as_bytes());
            for p in c.parents() {
                out.extend(r.concept(p).unwrap().code().as_bytes());
            }
            assert!(r.find_concept(c.code()).is_some());
        }
        assert!(package.find(r.kind(), r.url()).next().is_some());
    }
    out.len()
}

#[test]
fn sharing_that_would_explode_is_refused() {
    // Each array holds the one before twice: 2^40 values written out.
    let mut json = "[]".to_owned();
    let mut set = String::new();
    for n in 0..12 {
        json = format!("[{json},{json}]");
        set = format!(r#"{{"resourceType": "ValueSet", "url": "u{n}", "compose": {json}}}"#);
    }
    let (package, _) = made(vec![file("a.json", &set)]);
    assert!(walk(&package) > 4096);
    // The same by hand, too often to be written out.
    let mut bytes = package.bytes().to_vec();
    let ends = u32::from_le_bytes(bytes[36..40].try_into().unwrap());
    let texts = u32::from_le_bytes(bytes[40..44].try_into().unwrap());
    let nodes = u32::from_le_bytes(bytes[44..48].try_into().unwrap());
    let start = usize::try_from(64 + ends + texts).unwrap();
    let mut more: Vec<u8> = Vec::new();
    let mut last = nodes / 4;
    more.extend(0_u32.to_le_bytes());
    for _ in 0..40 {
        more.extend(4_u32.to_le_bytes());
        more.extend((3 << 29 | last).to_le_bytes());
        more.extend((3 << 29 | last).to_le_bytes());
        last = nodes / 4 + u32::try_from(more.len()).unwrap() / 4 - 3;
    }
    let at = start + usize::try_from(nodes).unwrap();
    bytes.splice(at..at, more.iter().copied());
    let length = nodes + u32::try_from(more.len()).unwrap();
    bytes[44..48].copy_from_slice(&length.to_le_bytes());
    assert_eq!(
        Package::read(resealed(bytes)).unwrap_err(),
        ReadError::Malformed
    );
}

#[test]
fn what_is_not_in_the_order_of_search_is_refused() {
    let (package, _) = made(vec![
        file("a.json", r#"{"resourceType": "ValueSet", "url": "a"}"#),
        file("b.json", r#"{"resourceType": "ValueSet", "url": "b"}"#),
        file(
            "c.json",
            r#"{"resourceType": "CodeSystem", "url": "c", "concept": [{"code": "x"}, {"code": "y"}]}"#,
        ),
    ]);
    let good = package.bytes();
    let size = |n: usize| {
        let at = 36 + 4 * n;
        usize::try_from(u32::from_le_bytes(good[at..at + 4].try_into().unwrap())).unwrap()
    };
    // Ends, texts, nodes, resources, concepts; see `layout`.
    let resources = 64 + size(0) + size(1) + size(2);
    let concepts = resources + size(3);
    assert_eq!(Package::read(resealed(good.to_vec())).map(|_| ()), Ok(()));
    for (at, length) in [(resources, size(3) / 3), (concepts, size(4) / 2)] {
        let mut bad = good.to_vec();
        let (first, second) = bad[at..at + 2 * length].split_at_mut(length);
        first.swap_with_slice(second);
        assert_eq!(
            Package::read(resealed(bad)).unwrap_err(),
            ReadError::Malformed
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever is changed behind a right checksum: refused, or read without a panic.
    #[test]
    fn changed_content_never_panics(at in 36_usize..2_000, byte: u8, at2 in 36_usize..2_000, byte2: u8) {
        let (package, _) = made(vec![
            file("package.json", r#"{"name": "a", "version": "1", "dependencies": {"b": "1"}}"#),
            file("a.json", r#"{"resourceType": "StructureDefinition", "url": "s", "snapshot": {"element": [{"path": "a", "min": 1}, {"path": "b"}]}}"#),
            file("b.json", r#"{"resourceType": "CodeSystem", "url": "c", "concept": [{"code": "1", "display": "x", "concept": [{"code": "2"}, {"code": "3", "property": [{"code": "parent", "valueCode": "2"}]}]}]}"#),
        ]);
        let mut bytes = package.bytes().to_vec();
        let end = bytes.len();
        for (at, byte) in [(at, byte), (at2, byte2)] {
            bytes[36 + (at - 36) % (end - 36)] = byte;
        }
        if let Ok(package) = Package::read(resealed(bytes)) {
            walk(&package);
        }
    }

    /// Any bytes at all.
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = unpack(&bytes, &Limits::PACKAGE);
        let _ = made(vec![File { path: "a.json".to_owned(), bytes: [b"\"ValueSet\"".to_vec(), bytes.clone()].concat() }]);
        let _ = Package::read([b"WFP\x01".to_vec(), bytes].concat());
    }
}
