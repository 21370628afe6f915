//! Laws of the conversion, over every fixture and every shared sample.

mod common;

use std::collections::BTreeSet;

use warifu_map::{Converter, File, IdMode, Options, Output, ReferenceStyle, assemble, trace};

fn everything() -> Vec<common::Loaded> {
    let mut all = Vec::new();
    for root in ["standard_root", "extended_root", "broken"] {
        all.extend(common::load(&common::fixtures().join(root)));
    }
    if let Some(shared) = common::shared("everything") {
        for root in [
            "nho-documents/standard_root",
            "nho-documents/extended_root",
            "nho-testing-tool/standard_root",
            "synthetic-small/standard_root",
        ] {
            all.extend(common::load(&shared.join("samples/ssmix2").join(root)));
        }
    }
    all
}

fn options() -> Options {
    Options {
        institution: Some("1319999999".to_owned()),
        trace: true,
        ..Options::default()
    }
}

fn convert(options: Options, f: &common::Loaded) -> Output {
    let mut out = Output::new();
    Converter::new(options).convert(
        File {
            path: &f.path,
            bytes: &f.bytes,
        },
        0,
        &mut out,
    );
    out
}

fn check_json(v: &serde_json::Value, at: &str) {
    match v {
        serde_json::Value::Object(o) => {
            assert!(!o.is_empty(), "empty object at {at}");
            for (k, v) in o {
                check_json(v, &format!("{at}/{k}"));
            }
        }
        serde_json::Value::Array(a) => {
            assert!(!a.is_empty(), "empty array at {at}");
            for (i, v) in a.iter().enumerate() {
                check_json(v, &format!("{at}/{i}"));
            }
        }
        serde_json::Value::String(s) => assert!(!s.trim().is_empty(), "empty string at {at}"),
        serde_json::Value::Null => panic!("null at {at}"),
        _ => {}
    }
}

#[test]
fn resources_are_json_without_empty_values_and_ids_are_legal() {
    for f in everything() {
        let out = convert(options(), &f);
        for r in &out.resources {
            let v: serde_json::Value = serde_json::from_slice(out.json_of(r))
                .unwrap_or_else(|e| panic!("{}: {e}", f.path));
            assert_eq!(v["resourceType"], r.resource_type);
            let id = v["id"].as_str().unwrap();
            assert!(
                id.len() <= 64
                    && id
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.'),
                "{id}"
            );
            check_json(&v, r.resource_type);
        }
    }
}

#[test]
fn converting_twice_gives_the_same_bytes_and_tracing_changes_none() {
    for f in everything() {
        let a = convert(options(), &f);
        let b = convert(options(), &f);
        let c = convert(
            Options {
                trace: false,
                ..options()
            },
            &f,
        );
        assert_eq!(a.json, b.json, "{}", f.path);
        assert_eq!(a.json, c.json, "{}", f.path);
    }
}

#[test]
fn every_leaf_is_traced_and_every_source_lies_in_the_file() {
    let mut leaves = 0;
    for f in everything() {
        let out = convert(options(), &f);
        for r in &out.resources {
            for h in trace::hits(&out, r) {
                leaves += 1;
                let engine = matches!(
                    h.pointer.as_str(),
                    "/resourceType" | "/id" | "/meta/profile/0" | "/meta/source"
                );
                assert!(
                    h.row.is_some() || !h.spans.is_empty() || engine,
                    "{} {} has no source",
                    r.resource_type,
                    h.pointer
                );
                for s in h.spans {
                    assert!(
                        s.start <= s.end && usize::try_from(s.end).unwrap() <= f.bytes.len().max(1),
                        "{} {}",
                        f.path,
                        h.pointer
                    );
                }
            }
        }
    }
    assert!(leaves > 10_000 || common::shared("leaves").is_none());
}

#[test]
fn every_field_is_used_or_named() {
    // A non-empty field leaves a leaf, is listed as unused, or a finding names it.
    for f in everything() {
        let out = convert(options(), &f);
        if out.resources.is_empty() {
            continue;
        }
        let mut index = warifu_hl7::Index::new();
        index.build(&f.bytes, None);
        let arena = bumpalo::Bump::new();
        let m = warifu_hl7::Message::new(&f.bytes, &index, &arena, 0);
        let mut named: Vec<(u32, u32)> = out
            .events
            .iter()
            .map(|e| (e.src.start, e.src.end))
            .collect();
        named.extend(out.used.iter().map(|s| (s.start, s.end)));
        named.extend(out.unused.iter().map(|u| (u.start, u.end)));
        named.extend(out.diagnostics.iter().map(|d| (d.span.start, d.span.end)));
        for s in m.segments().filter(|s| s.name() != *b"MSH") {
            for (n, field) in s.fields().filter(|(_, p)| p.is_some()) {
                let (a, b) = field.span();
                assert!(
                    named.iter().any(|(x, y)| *x < b && *y > a),
                    "{}: {}-{n} vanished",
                    f.path,
                    s.name_str()
                );
            }
        }
    }
}

#[test]
fn references_inside_a_bundle_resolve_or_name_another_file() {
    for root in ["standard_root", "extended_root"] {
        for (patient, files) in common::by_patient(common::load(&common::fixtures().join(root))) {
            let given: Vec<File<'_>> = files
                .iter()
                .map(|f| File {
                    path: &f.path,
                    bytes: &f.bytes,
                })
                .collect();
            let o = Options {
                references: ReferenceStyle::UrnUuid,
                trace: false,
                ..options()
            };
            let mut out = Output::new();
            Converter::new(o.clone()).convert_patient(&given, &mut out);
            let mut bytes = Vec::new();
            assemble::bundle(&out, &o, assemble::BundleType::Transaction, &mut bytes);
            let v: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            let entries = v["entry"].as_array().unwrap();
            let urls: BTreeSet<&str> = entries
                .iter()
                .filter_map(|e| e["fullUrl"].as_str())
                .collect();
            let resources = entries
                .iter()
                .filter(|e| e.get("resource").is_some())
                .count();
            assert_eq!(urls.len(), resources, "{patient}: fullUrl repeats");
            let mut todo = vec![&v];
            while let Some(x) = todo.pop() {
                match x {
                    serde_json::Value::Object(m) => {
                        if let Some(r) = m.get("reference").and_then(|r| r.as_str()) {
                            assert!(
                                r.starts_with('#') || urls.contains(r),
                                "{root} {patient}: {r} dangles"
                            );
                        }
                        todo.extend(m.values());
                    }
                    serde_json::Value::Array(a) => todo.extend(a),
                    _ => {}
                }
            }
            for e in entries {
                assert!(e["request"]["url"].as_str().is_some_and(|u| !u.is_empty()));
            }
        }
    }
}

#[test]
fn no_patient_number_stands_in_an_id_or_reference_by_default() {
    for f in everything() {
        let leaf = f.path.rsplit('/').next().unwrap();
        let Ok(name) = warifu_ssmix2::FileName::parse(leaf) else {
            continue;
        };
        if name.patient.len() < 7 {
            continue;
        }
        let out = convert(options(), &f);
        for r in &out.resources {
            let v: serde_json::Value = serde_json::from_slice(out.json_of(r)).unwrap();
            assert!(!r.id.as_str().contains(name.patient));
            let mut todo = vec![&v];
            while let Some(x) = todo.pop() {
                match x {
                    serde_json::Value::Object(m) => {
                        for key in ["reference", "source", "fullUrl", "url"] {
                            if let Some(s) = m.get(key).and_then(|r| r.as_str()) {
                                assert!(
                                    !s.contains(name.patient),
                                    "{key} shows the patient number"
                                );
                            }
                        }
                        todo.extend(m.values());
                    }
                    serde_json::Value::Array(a) => todo.extend(a),
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn readable_ids_show_patient_kind_and_order() {
    for (patient, files) in
        common::by_patient(common::load(&common::fixtures().join("standard_root")))
    {
        let number = patient.rsplit('/').next().unwrap();
        let given: Vec<File<'_>> = files
            .iter()
            .map(|f| File {
                path: &f.path,
                bytes: &f.bytes,
            })
            .collect();
        let mut out = Output::new();
        Converter::new(Options {
            ids: IdMode::Readable,
            ..options()
        })
        .convert_patient(&given, &mut out);
        for r in &out.resources {
            let shared = matches!(
                r.resource_type,
                "Practitioner"
                    | "PractitionerRole"
                    | "Organization"
                    | "Location"
                    | "Binary"
                    | "DocumentReference"
            );
            assert!(
                shared || r.id.as_str().starts_with(number) || r.id.as_str().len() == 36,
                "{}/{}",
                r.resource_type,
                r.id.as_str()
            );
        }
        if let Some(p) = out.resources.iter().find(|r| r.resource_type == "Patient") {
            assert_eq!(p.id.as_str(), format!("{number}.ADT-00"));
        }
    }
}

#[test]
fn findings_never_quote_values() {
    let known: BTreeSet<String> = warifu_diag::catalogue::all()
        .flat_map(|e| [e.ja.to_owned(), e.en.to_owned()])
        .collect();
    for f in everything() {
        for d in convert(options(), &f).diagnostics {
            if let Some(a) = &d.argument {
                // Arguments are names of the field's own or counts: never longer, never Japanese text.
                assert!(a.len() <= 120, "{}: {a}", d.code.code);
                assert!(
                    !a.chars().any(|c| ('\u{3040}'..='\u{9FFF}').contains(&c))
                        || known.contains(a.as_ref()),
                    "{} quotes {a}",
                    d.code.code
                );
            }
        }
    }
}
