//! Laws of the conversion, over every fixture and every shared sample.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use warifu_convert::{BundleKind, Ids, Job, JobOptions, Per, To, TraceHit};
use warifu_map::{Converter, File, IdMode, Options, Output, trace};

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
fn what_a_converter_remembers_changes_nothing() {
    let plain = || Options {
        trace: false,
        ..options()
    };
    let mut warm = Converter::new(plain());
    for round in 0..2 {
        for f in everything() {
            let cold = convert(plain(), &f);
            let traced = convert(options(), &f);
            let (path, bytes) = (f.path.as_str(), f.bytes.as_slice());
            let mut out = Output::new();
            warm.convert(File { path, bytes }, 0, &mut out);
            assert_eq!(out.json, cold.json, "{path} {round}");
            assert_eq!(out.resources, cold.resources, "{path} {round}");
            assert_eq!(out.diagnostics, cold.diagnostics, "{path} {round}");
            assert_eq!(out.diagnostics, traced.diagnostics, "{path} {round}");
        }
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

/// The sub-components of a segment, without the delimiters of MSH.
fn leaf_parts(s: warifu_hl7::Segment<'_>) -> impl Iterator<Item = warifu_hl7::Part<'_>> {
    let delimiters = if s.name() == *b"MSH" { 2 } else { 0 };
    let fields = s.fields().filter(move |(n, _)| *n > delimiters);
    let reps = fields.flat_map(|(_, f)| f.reps());
    reps.flat_map(|rep| rep.comps()).flat_map(|c| c.subs())
}

/// Values of the files that are neither the source of a leaf of the trace nor in the list of what is not
/// used, and how many there are.
fn nowhere(
    files: &[common::Loaded],
    out: &Output,
    named: &BTreeSet<(u16, u32, u32)>,
) -> (Vec<String>, usize) {
    let (mut lost, mut count) = (Vec::new(), 0);
    for (number, f) in files.iter().enumerate() {
        let number = u16::try_from(number).unwrap();
        let document = out.resources.iter().any(|r| {
            r.message == number && matches!(r.resource_type, "Binary" | "DocumentReference")
        });
        if document {
            continue;
        }
        let of_file = named.range((number, 0, 0)..=(number, u32::MAX, u32::MAX));
        let of_file: Vec<_> = of_file.collect();
        let source = warifu_diag::SourceId(u32::from(number));
        let parts = warifu_hl7::findings::messages_of(&f.bytes, source, &mut Vec::new());
        for (start, end) in parts {
            let bytes = &f.bytes[..end];
            let mut index = warifu_hl7::Index::new();
            index.build_part(bytes, start, None);
            let mut notes = index.notes().iter();
            if notes.any(|n| matches!(n.kind, warifu_hl7::NoteKind::MissingMsh)) {
                // No message: told as a whole.
                let of = |d: &warifu_diag::Diagnostic| d.span.source == source;
                assert!(out.diagnostics.iter().any(of), "{}", f.path);
                continue;
            }
            let arena = bumpalo::Bump::new();
            let m = warifu_hl7::Message::new(bytes, &index, &arena, number);
            for s in m.segments() {
                // `""` is a value as well: it says that there is none.
                for c in leaf_parts(s).filter(|c| !c.is_empty()) {
                    count += 1;
                    let (a, b) = c.span();
                    if !of_file.iter().any(|(_, x, y)| *x < b && *y > a) {
                        let at = m.locate_all(a, b).map(|p| p.to_string());
                        lost.push(format!("{} {}", f.path, at.unwrap_or_default()));
                    }
                }
            }
        }
    }
    (lost, count)
}

#[test]
fn every_value_leaves_a_leaf_or_is_listed() {
    let (mut lost, mut count) = (Vec::new(), 0);
    let mut look = |files: &[common::Loaded], out: &Output| {
        let mut named: BTreeSet<(u16, u32, u32)> = BTreeSet::new();
        for r in &out.resources {
            let spans = trace::hits(out, r).flat_map(|h| h.spans);
            named.extend(spans.map(|s| (s.message, s.start, s.end)));
        }
        named.extend(out.unused.iter().map(|u| (u.message, u.start, u.end)));
        let (here, values) = nowhere(files, out, &named);
        lost.extend(here);
        count += values;
    };
    for f in everything() {
        let out = convert(options(), &f);
        look(&[f], &out);
    }
    // Together: messages are merged, and older versions pass.
    for (_, files) in common::by_patient(everything()) {
        let given = files.iter().map(|f| File {
            path: &f.path,
            bytes: &f.bytes,
        });
        let mut out = Output::new();
        Converter::new(options()).convert_patient(&given.collect::<Vec<_>>(), &mut out);
        look(&files, &out);
    }
    assert!(lost.is_empty(), "{} of {count}: {lost:#?}", lost.len());
    assert!(count > 10_000);
}

/// A form of output that leaves resources out says so of what they would have come from.
#[test]
fn what_jp_clins_leaves_out_is_listed_and_what_it_has_is_not() {
    let (mut lost, mut both, mut listed, mut count) = (Vec::new(), Vec::new(), 0, 0);
    let whole = common::by_patient(everything());
    let whole = whole.into_iter().map(|(_, files)| files);
    let single = everything().into_iter().map(|f| vec![f]);
    for files in whole.chain(single) {
        let mut job = Job::new(JobOptions {
            to: To::Clins,
            institution: Some("1319999999".to_owned()),
            trace: true,
            ..JobOptions::default()
        })
        .unwrap();
        let given = common::given(&files);
        let made = job.convert_patient(&given).trace.unwrap();
        let number = |path: &str| {
            let n = files.iter().position(|f| f.path == path).unwrap();
            u16::try_from(n).unwrap()
        };
        let byte = |n: u64| u32::try_from(n).unwrap();
        let spans = made.hits.iter().flat_map(|h| h.spans);
        let leaves: BTreeSet<(u16, u32, u32)> = spans
            .map(|s| (number(&s.file), byte(s.start), byte(s.end)))
            .collect();
        let mut named = leaves.clone();
        for u in &made.unused {
            let (n, a, b) = (number(&u.file), byte(u.span[0]), byte(u.span[1]));
            named.insert((n, a, b));
            if u.reason == "not-in-form" {
                listed += 1;
                let of_file = leaves.range((n, 0, 0)..=(n, u32::MAX, u32::MAX));
                if of_file.into_iter().any(|(_, x, y)| *x < b && *y > a) {
                    both.push(format!("{} {}", u.file, u.path));
                }
            }
        }
        let (here, values) = nowhere(&files, job.output(), &named);
        lost.extend(here);
        count += values;
    }
    assert!(lost.is_empty(), "{} of {count}: {lost:#?}", lost.len());
    assert!(both.is_empty(), "{both:#?}");
    assert!(listed > 1_000 && count > 10_000);
}

/// Calls with each message of a file.
fn messages(f: &common::Loaded, look: &mut dyn FnMut(warifu_hl7::Message<'_>)) {
    let source = warifu_diag::SourceId(0);
    for (start, end) in warifu_hl7::findings::messages_of(&f.bytes, source, &mut Vec::new()) {
        let bytes = &f.bytes[..end];
        let mut index = warifu_hl7::Index::new();
        index.build_part(bytes, start, None);
        let arena = bumpalo::Bump::new();
        look(warifu_hl7::Message::new(bytes, &index, &arena, 0));
    }
}

/// A leaf that says what a part of its field says has its source there, not in another part.
#[test]
fn a_leaf_that_says_what_a_part_of_its_field_says_leads_to_that_part() {
    let (mut wrong, mut count) = (BTreeSet::new(), 0);
    for f in everything() {
        let out = convert(options(), &f);
        // Parts by the path of their field, with their texts.
        let mut parts: BTreeMap<String, Vec<(u32, u32, String)>> = BTreeMap::new();
        messages(&f, &mut |m| {
            for part in m.segments().flat_map(leaf_parts) {
                let (a, b) = part.span();
                let (Some(path), text) = (m.locate_all(a, b), part.text().trimmed().text) else {
                    continue;
                };
                let field = path.to_string().split('.').next().unwrap().to_owned();
                parts
                    .entry(field)
                    .or_default()
                    .push((a, b, text.to_owned()));
            }
        });
        for r in &out.resources {
            let json: serde_json::Value = serde_json::from_slice(out.json_of(r)).unwrap();
            for h in trace::hits(&out, r) {
                let row = h.row.map_or("", |row| row.target);
                let dose = r.resource_type == "MedicationAdministration"
                    && h.pointer.starts_with("/dosage/dose/")
                    && row.starts_with("MedicationAdministration.");
                assert!(!dose || row.contains("dosage"), "{}: {row}", h.pointer);
                let Some(said) = json.pointer(&h.pointer).and_then(|v| v.as_str()) else {
                    continue;
                };
                let says = |(_, _, text): &&(u32, u32, String)| text == said;
                let of_fields = h.spans.iter().filter_map(|s| {
                    let all = parts.get(s.path.split('.').next()?)?;
                    let mut here = all.iter().filter(|(a, b, _)| *a < s.end && s.start < *b);
                    all.iter().any(|p| says(&p)).then(|| here.any(|p| says(&p)))
                });
                let of_fields: Vec<bool> = of_fields.collect();
                count += of_fields.len();
                if !of_fields.is_empty() && !of_fields.contains(&true) {
                    let from: Vec<_> = h.spans.iter().map(|s| s.path.as_str()).collect();
                    wrong.insert(format!(
                        "{} {}{} ← {from:?}",
                        f.path, r.resource_type, h.pointer
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count}: {wrong:#?}", wrong.len());
    assert!(count > 10_000 || common::shared("parts").is_none());
}

/// Every form of output that refers.
fn forms() -> Vec<JobOptions> {
    let mut forms = Vec::new();
    for ids in [Ids::Keyed, Ids::Readable] {
        let with = |to, bundle, per| JobOptions {
            to,
            bundle,
            per,
            ids,
            institution: Some("1319999999".to_owned()),
            provenance: true,
            trace: true,
            ..JobOptions::default()
        };
        for per in [Per::Message, Per::Patient] {
            for bundle in [BundleKind::Transaction, BundleKind::Collection] {
                forms.push(with(To::Bundle, bundle, per));
            }
        }
        forms.push(with(To::Ndjson, BundleKind::Transaction, Per::Message));
        forms.push(with(To::Clins, BundleKind::Transaction, Per::Message));
    }
    forms
}

/// Values of `reference`, and of `url` where it is no address: what must resolve.
fn references(v: &serde_json::Value) -> Vec<&str> {
    let mut found = Vec::new();
    let mut todo = vec![v];
    while let Some(x) = todo.pop() {
        match x {
            serde_json::Value::Object(m) => {
                let own = m.get("reference").or_else(|| {
                    let attachment = m.contains_key("contentType").then(|| m.get("url"));
                    attachment.flatten()
                });
                found.extend(own.and_then(|r| r.as_str()));
                todo.extend(m.values());
            }
            serde_json::Value::Array(a) => todo.extend(a),
            _ => {}
        }
    }
    found
}

/// What is wrong with the references of a Bundle or a resource by itself.
fn dangling(v: &serde_json::Value) -> Option<String> {
    let entries: &[serde_json::Value] = v["entry"].as_array().map_or(&[], Vec::as_slice);
    let held = |e: &serde_json::Value| {
        let r = &e["resource"];
        let (kind, id) = (r["resourceType"].as_str()?, r["id"].as_str()?);
        Some((e["fullUrl"].as_str()?.to_owned(), format!("{kind}/{id}")))
    };
    let inside: Vec<(String, String)> = entries.iter().filter_map(held).collect();
    let urls: BTreeSet<&str> = inside.iter().map(|(url, _)| url.as_str()).collect();
    let uuids = urls.iter().any(|u| u.starts_with("urn:uuid:"));
    let ids: BTreeSet<&str> = inside.iter().map(|(_, id)| id.as_str()).collect();
    if urls.len() != inside.len() {
        return Some("fullUrl repeats".to_owned());
    }
    for r in references(v) {
        let relative = r.split_once('/').is_some_and(|(kind, id)| {
            kind.starts_with(|c: char| c.is_ascii_uppercase())
                && kind.bytes().all(|b| b.is_ascii_alphabetic())
                && !id.is_empty()
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
        });
        if !(r.starts_with('#') || urls.contains(r) || relative) {
            return Some(format!("{r} dangles"));
        }
        if uuids && ids.contains(r) {
            return Some(format!("{r} is inside but not referred to by its fullUrl"));
        }
    }
    None
}

/// Whether a Bundle is about a document, which has no MSH-7.
fn is_document(v: &serde_json::Value) -> bool {
    let entries = v["entry"].as_array().into_iter().flatten();
    let about = |e: &serde_json::Value| {
        let url = e["request"]["url"]
            .as_str()
            .and_then(|u| u.split('/').next());
        let kind = e["resource"]["resourceType"].as_str().or(url);
        matches!(kind, Some("Binary" | "DocumentReference"))
    };
    let mut entries = entries.peekable();
    entries.peek().is_some() && entries.any(about)
}

fn leaves(v: &serde_json::Value, at: &str, found: &mut Vec<String>) {
    match v {
        serde_json::Value::Object(o) => {
            for (k, v) in o {
                leaves(v, &format!("{at}/{k}"), found);
            }
        }
        serde_json::Value::Array(a) => {
            for (i, v) in a.iter().enumerate() {
                leaves(v, &format!("{at}/{i}"), found);
            }
        }
        _ => found.push(at.to_owned()),
    }
}

/// Converts every patient, and every file by itself, of fixtures and samples in every form.
fn every_piece(mut look: impl FnMut(&str, &JobOptions, &serde_json::Value, &[TraceHit])) {
    let mut storages = vec![
        common::fixtures().join("standard_root"),
        common::fixtures().join("extended_root"),
        common::fixtures().join("broken/bare-segments"),
        common::fixtures().join("broken/truncated"),
        common::fixtures().join("broken/unclosed-shift"),
    ];
    if let Some(shared) = common::shared("every_piece") {
        for root in [
            "nho-documents/standard_root",
            "nho-documents/extended_root",
            "nho-testing-tool/standard_root",
            "synthetic-small/standard_root",
        ] {
            storages.push(shared.join("samples/ssmix2").join(root));
        }
    }
    let patients: Vec<(String, Vec<common::Loaded>)> = storages
        .iter()
        .flat_map(|root| common::by_patient(common::load(root)))
        .collect();
    for form in forms() {
        let mut job = Job::new(form.clone()).unwrap();
        let mut check = |name: &str, made: &warifu_convert::Pieces| {
            for p in &made.pieces {
                let v: serde_json::Value =
                    serde_json::from_slice(&made.json[p.range.clone()]).unwrap();
                let hits: Vec<TraceHit> = made.hits.within(p.hits.clone()).collect();
                look(name, &form, &v, &hits);
            }
        };
        for (patient, files) in &patients {
            let file = |f: &'_ common::Loaded| (f.path.clone(), f.bytes.clone());
            let owned: Vec<(String, Vec<u8>)> = files.iter().map(file).collect();
            let given: Vec<File<'_>> = owned
                .iter()
                .map(|(path, bytes)| File { path, bytes })
                .collect();
            check(patient, &job.pieces(&given, true));
            for f in &given {
                check(f.path, &job.pieces(&[*f], false));
            }
        }
    }
}

#[test]
fn every_reference_resolves_in_its_bundle_or_is_relative() {
    let mut seen = 0;
    every_piece(|name, form, v, _| {
        let what = (form.to, form.bundle, form.per, form.ids);
        assert_eq!(dangling(v), None, "{name} {what:?}");
        seen += references(v).len();
        for e in v["entry"].as_array().into_iter().flatten() {
            if form.to == To::Bundle && form.bundle == BundleKind::Transaction {
                assert!(e["request"]["url"].as_str().is_some_and(|u| !u.is_empty()));
            }
        }
    });
    assert!(seen > 10_000);
}

#[test]
fn every_leaf_of_every_output_is_traced_once() {
    every_piece(|name, form, v, hits| {
        let what = (form.to, form.bundle, form.per, form.ids);
        let mut there = Vec::new();
        leaves(v, "", &mut there);
        there.sort_unstable();
        let mut traced: Vec<&str> = hits.iter().map(|h| h.pointer.as_str()).collect();
        traced.sort_unstable();
        assert_eq!(there, traced, "{name} {what:?}");
        let sent = hits.iter().find(|h| h.pointer == "/timestamp");
        if let Some(sent) = sent.filter(|_| form.to != To::Clins && !is_document(v)) {
            assert_eq!(sent.row.as_ref().unwrap().source, "MSH-7", "{name}");
            assert_eq!(sent.spans[0].path, "MSH-7", "{name}");
            assert!(sent.spans[0].end > sent.spans[0].start);
        }
        for h in hits {
            let own = ["/resourceType", "/id", "/meta/profile/0", "/meta/source"];
            let own = own.iter().any(|end| h.pointer.ends_with(end));
            let known = h.row.is_some() || !h.spans.is_empty() || own;
            assert!(known, "{name} {what:?} {}", h.pointer);
            // A withdrawal is of the whole file; all else stands in bytes that lead back to it.
            for s in h.spans.iter().filter(|s| !s.path.is_empty()) {
                assert!(
                    s.start < s.end,
                    "{name} {what:?} {} of {}",
                    h.pointer,
                    s.path
                );
            }
        }
    });
}

#[test]
fn bundles_of_deletions_differ_and_have_a_time() {
    let mut ids = std::collections::BTreeMap::new();
    let mut withdrawals = 0;
    every_piece(|name, form, v, _| {
        let entries = v["entry"].as_array();
        let empty = entries.is_none_or(Vec::is_empty);
        if v["resourceType"] != "Bundle" || form.to == To::Clins || empty {
            return;
        }
        let Some(entries) = entries else { return };
        assert!(v["timestamp"].is_string() || is_document(v), "{name}");
        if entries.iter().all(|e| e.get("resource").is_none()) {
            withdrawals += 1;
        }
        // The same id means the same entries.
        let urls: Vec<&str> = entries
            .iter()
            .filter_map(|e| e["request"]["url"].as_str().or(e["fullUrl"].as_str()))
            .collect();
        let id = v["id"].as_str().unwrap().to_owned();
        let urls = urls
            .iter()
            .map(|u| u.rsplit(['/', ':']).next().unwrap_or("").to_owned())
            .collect::<Vec<_>>();
        let known = ids.entry(id).or_insert_with(|| urls.clone());
        if form.bundle == BundleKind::Transaction {
            assert_eq!(*known, urls, "{name}");
        }
    });
    assert!(withdrawals > 1, "the fixtures withdraw something");
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
        let given = common::given(&files);
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

/// Every Period of a resource: what has a start and an end.
fn periods<'v>(v: &'v serde_json::Value, found: &mut Vec<(&'v str, &'v str)>) {
    match v {
        serde_json::Value::Object(o) => {
            let text = |key: &str| o.get(key).and_then(serde_json::Value::as_str);
            if let (Some(start), Some(end)) = (text("start"), text("end")) {
                found.push((start, end));
            }
            o.values().for_each(|v| periods(v, found));
        }
        serde_json::Value::Array(a) => a.iter().for_each(|v| periods(v, found)),
        _ => {}
    }
}

/// Whether FHIR has the start before the end, as far as both say it (per-1). Everything in Japan's time.
fn is_in_order(start: &str, end: &str) -> bool {
    let digits = |s: &str| {
        let (moment, zone) = s.split_at(s.find('+').unwrap_or(s.len()));
        assert!(zone.is_empty() || zone == "+09:00", "{s}");
        moment.replace(|c: char| !c.is_ascii_digit(), "")
    };
    let (start, end) = (digits(start), digits(end));
    // A day and a time of it say the same; seconds and their fractions do not.
    if start.len() >= 14 && end.len() >= 14 {
        return format!("{start:0<17}") <= format!("{end:0<17}");
    }
    let known = start.len().min(end.len());
    start[..known] <= end[..known]
}

/// The message with another value in a field.
fn with_field(f: &common::Loaded, (name, nth): (&str, usize), n: usize, value: &str) -> Vec<u8> {
    let mut index = warifu_hl7::Index::new();
    index.build(&f.bytes, None);
    let arena = bumpalo::Bump::new();
    let m = warifu_hl7::Message::new(&f.bytes, &index, &arena, 0);
    let segment = m.segments().filter(|s| s.name_str() == name).nth(nth);
    let segment = segment.unwrap();
    let last = segment.fields().map(|(n, _)| n).max().unwrap_or(0);
    let (from, to, filler) = if n <= last {
        let (from, to) = segment.field(n).span();
        (from, to, 0)
    } else {
        let (_, end) = segment.span();
        (end, end, n - last)
    };
    let mut bytes = f.bytes[..usize::try_from(from).unwrap()].to_vec();
    bytes.extend(std::iter::repeat_n(b'|', filler));
    bytes.extend_from_slice(value.as_bytes());
    bytes.extend_from_slice(&f.bytes[usize::try_from(to).unwrap()..]);
    bytes
}

/// Fields that begin and end something.
const SPANS: &[(&str, usize, usize)] = &[
    ("TQ1", 7, 8),
    ("OBR", 7, 8),
    ("RXA", 3, 4),
    ("IN1", 12, 13),
    ("PV1", 44, 45),
    ("EVN", 6, 6),
    ("PV2", 8, 9),
    ("PV2", 47, 47),
    ("SPM", 17, 17),
    ("PRB", 7, 9),
    ("PRB", 2, 16),
    ("IAM", 11, 13),
    ("DB1", 5, 6),
    ("OBX", 14, 19),
    ("ORC", 9, 15),
];

/// Periods of what files give, each named in the message where it is out of order; how many ends were left
/// out, each of which is kept (unless a newer message of the file replaces its own, and that is told).
fn ends_left_out(what: &str, files: &[File<'_>], together: bool) -> usize {
    let mut out = Output::new();
    let mut converter = Converter::new(options());
    if together {
        converter.convert_patient(files, &mut out);
    } else {
        converter.convert(files[0], 0, &mut out);
    }
    let json = String::from_utf8_lossy(&out.json);
    for r in &out.resources {
        let v: serde_json::Value = serde_json::from_slice(out.json_of(r)).unwrap();
        let mut found = Vec::new();
        periods(&v, &mut found);
        for (start, end) in found {
            assert!(
                is_in_order(start, end),
                "{what}: {} {start} > {end}",
                r.resource_type
            );
        }
    }
    let reversed = |d: &&warifu_diag::Diagnostic| d.code.code == "MAP020";
    let told: Vec<_> = out.diagnostics.iter().filter(reversed).collect();
    for d in &told {
        let at = |n: u32| usize::try_from(n).unwrap();
        let file = files[at(d.span.source.0)].bytes;
        let sent = std::str::from_utf8(&file[at(d.span.start)..at(d.span.end)]).unwrap();
        let message = file[..at(d.span.start)]
            .windows(4)
            .rposition(|w| w == b"MSH|");
        let replaced = out.diagnostics.iter().any(|other| {
            other.code.code == "MAP016"
                && other.span.source == d.span.source
                && Some(at(other.span.start)) == message
        });
        assert!(
            !sent.is_empty() && (replaced || json.contains(sent)),
            "{what}: {sent}"
        );
    }
    told.len()
}

#[test]
fn no_period_ends_before_it_starts() {
    let mut left_out = BTreeSet::new();
    let values = ["18500101", "20991231101500", "18500101101530"];
    let tell = |name: &str, n: usize, value: &str| format!("{name}-{n} = {value}");
    for f in everything() {
        let (path, bytes) = (f.path.as_str(), f.bytes.as_slice());
        ends_left_out(path, &[File { path, bytes }], false);
        for &(name, first, last) in SPANS {
            if !has_segment(&f, name) {
                continue;
            }
            for n in [first, last] {
                for value in values {
                    let mut bytes = with_field(&f, (name, 0), n, value);
                    if name == "SPM" {
                        bytes = with_field(&f, (name, 0), n, &format!("20260401^{value}"));
                    }
                    let bytes = bytes.as_slice();
                    let what = format!("{path} {}", tell(name, n, value));
                    if ends_left_out(&what, &[File { path, bytes }], false) > 0 {
                        left_out.insert((name, n));
                    }
                }
            }
        }
    }
    // The stays and visits of a person, whose events stand in several files.
    for (_, files) in common::by_patient(common::load(&common::fixtures().join("standard_root"))) {
        let stay = |f: &common::Loaded| f.path.contains("/ADT-") && !f.path.contains("/ADT-00");
        let files: Vec<&common::Loaded> = files.iter().filter(|f| stay(f)).collect();
        for (at, changed) in files.iter().enumerate() {
            for (name, n) in [
                ("EVN", 6),
                ("PV1", 44),
                ("PV1", 45),
                ("PV2", 9),
                ("PV2", 47),
            ] {
                if !has_segment(changed, name) {
                    continue;
                }
                for value in values {
                    let bytes = with_field(changed, (name, 0), n, value);
                    let given = common::given(&files);
                    let mut given = given;
                    given[at].bytes = &bytes;
                    let what = format!("{} {}", changed.path, tell(name, n, value));
                    if ends_left_out(&what, &given, true) > 0 {
                        left_out.insert((name, n));
                    }
                }
            }
        }
    }
    for field in [
        ("TQ1", 7),
        ("TQ1", 8),
        ("OBR", 7),
        ("OBR", 8),
        ("RXA", 3),
        ("RXA", 4),
        ("IN1", 12),
        ("IN1", 13),
        ("PV1", 44),
        ("PV1", 45),
        ("EVN", 6),
        ("PV2", 9),
        ("PV2", 47),
        ("SPM", 17),
    ] {
        assert!(left_out.contains(&field), "{field:?} of {left_out:?}");
    }
}

fn has_segment(f: &common::Loaded, name: &str) -> bool {
    let mut index = warifu_hl7::Index::new();
    index.build(&f.bytes, None);
    let arena = bumpalo::Bump::new();
    let m = warifu_hl7::Message::new(&f.bytes, &index, &arena, 0);
    m.segments().any(|s| s.name_str() == name)
}

/// The person that a resource is about.
fn person_of(r: &serde_json::Value) -> Option<&str> {
    ["subject", "patient", "beneficiary"]
        .into_iter()
        .find_map(|key| r[key]["reference"].as_str())
}

#[test]
fn what_a_record_refers_to_is_of_the_same_person() {
    let mut seen = std::collections::BTreeMap::<&str, usize>::new();
    every_piece(|name, form, v, _| {
        let entries = v["entry"].as_array().into_iter().flatten();
        let mut of = std::collections::BTreeMap::new();
        for e in entries.clone() {
            let r = &e["resource"];
            let Some(person) = person_of(r) else { continue };
            let own = [&r["resourceType"], &r["id"]].map(|v| v.as_str().unwrap_or(""));
            of.insert(own.join("/"), person);
            if let Some(url) = e["fullUrl"].as_str() {
                of.insert(url.to_owned(), person);
            }
        }
        for e in entries {
            let r = &e["resource"];
            let Some(person) = person_of(r) else { continue };
            for key in [
                "basedOn",
                "specimen",
                "encounter",
                "context",
                "result",
                "hasMember",
                "derivedFrom",
                "supportingInfo",
                "supportingInformation",
                "partOf",
                "request",
                "imagingStudy",
                "reasonReference",
                "diagnosis",
            ] {
                for target in references(&r[key]) {
                    if let Some(other) = of.get(target) {
                        *seen.entry(key).or_default() += 1;
                        assert_eq!(
                            *other,
                            person,
                            "{name} {:?} {}.{key}",
                            (form.to, form.per, form.ids),
                            r["resourceType"]
                        );
                    }
                }
            }
        }
    });
    for key in ["basedOn", "specimen", "encounter", "result"] {
        assert!(seen.get(key).is_some_and(|n| *n > 100), "{key}: {seen:?}");
    }
}
