//! Snapshots: full output for our own fixtures, counts, codes and hashes for the shared samples.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use warifu_map::{Converter, File, Options, Output, assemble};

fn options() -> Options {
    Options {
        institution: Some("1319999999".to_owned()),
        trace: true,
        ..Options::default()
    }
}

/// Output of one file as readable text: resources one a line, findings, unused fields.
fn readable(out: &Output) -> String {
    let mut s = String::new();
    for r in &out.resources {
        s.push_str(std::str::from_utf8(out.json_of(r)).unwrap());
        s.push('\n');
    }
    for d in &out.deletes {
        let _ = writeln!(s, "DELETE {}/{}", d.resource_type, d.id.as_str());
    }
    for d in &out.diagnostics {
        let path = d.path.map(|p| p.to_string()).unwrap_or_default();
        let _ = writeln!(
            s,
            "{} {} {}..{} {}",
            d.severity.word(),
            d.code.code,
            d.span.start,
            d.span.end,
            path
        );
    }
    for u in &out.unused {
        let _ = writeln!(s, "unused {} {}", u.reason.word(), u.path);
    }
    s
}

#[test]
fn every_patient_of_the_fixtures() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots/fixtures");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for root in ["standard_root", "extended_root"] {
            for (patient, files) in common::by_patient(common::load(&common::fixtures().join(root)))
            {
                let given = common::given(&files);
                let mut out = Output::new();
                Converter::new(options()).convert_patient(&given, &mut out);
                insta::assert_snapshot!(
                    format!("{root}-{}", patient.replace('/', "-")),
                    readable(&out)
                );
            }
        }
    });
}

#[test]
fn every_data_kind_by_itself() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots/kinds");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    settings.bind(|| {
        for f in common::load(&common::fixtures().join("standard_root")) {
            let leaf = f.path.rsplit('/').next().unwrap();
            let Ok(name) = warifu_ssmix2::FileName::parse(leaf) else {
                continue;
            };
            let event = {
                let mut index = warifu_hl7::Index::new();
                index.build(&f.bytes, None);
                let arena = bumpalo::Bump::new();
                let m = warifu_hl7::Message::new(&f.bytes, &index, &arena, 0);
                m.first(b"MSH")
                    .map(|s| s.field(9).comp(2).value().text.to_owned())
                    .unwrap_or_default()
            };
            // The first file of each kind and event stands for its message row.
            let row = format!("{}-{event}", name.kind);
            let n = seen.entry(row.clone()).or_insert(0);
            *n += 1;
            if *n > 1 {
                continue;
            }
            let mut out = Output::new();
            Converter::new(options()).convert(
                File {
                    path: &f.path,
                    bytes: &f.bytes,
                },
                0,
                &mut out,
            );
            insta::assert_snapshot!(row, readable(&out));
        }
    });
    let kinds: std::collections::BTreeSet<&str> = seen
        .keys()
        .map(|k| k.rsplit_once('-').map_or(k.as_str(), |(k, _)| k))
        .collect();
    assert_eq!(kinds.len(), 26, "a data kind has no fixture: {kinds:?}");
    assert!(seen.len() >= 36, "a message row has no fixture");
}

/// Real files without a last terminator are whole: none is taken for one that was cut off.
#[test]
fn no_whole_file_is_called_cut() {
    let mut roots = vec![common::fixtures()];
    roots.extend(common::shared("no_whole_file_is_called_cut").map(|s| s.join("samples/ssmix2")));
    let (mut open, mut read) = (0, 0);
    for file in roots.iter().flat_map(|root| common::load(root)) {
        if !file.bytes.starts_with(b"MSH") || file.path.contains("broken") {
            continue;
        }
        let mut out = Output::new();
        let (path, bytes) = (&*file.path, &*file.bytes);
        Converter::new(options()).convert(File { path, bytes }, 0, &mut out);
        let told = |code: &str| out.diagnostics.iter().any(|d| d.code.code == code);
        assert!(!told("MAP025"), "{path}");
        open += usize::from(told("HL7106"));
        read += 1;
    }
    assert!(read > 200, "{read}");
    assert!(roots.len() == 1 || open > 30, "{open} of {read}");
}

#[test]
fn shared_samples_by_counts_codes_and_hashes() {
    let Some(shared) = common::shared("shared_samples_by_counts_codes_and_hashes") else {
        return;
    };
    let mut text = String::new();
    for root in [
        "nho-documents/standard_root",
        "nho-documents/extended_root",
        "nho-testing-tool/standard_root",
        "synthetic-small/standard_root",
    ] {
        let files = common::load(&shared.join("samples/ssmix2").join(root));
        for (n, f) in files.iter().enumerate() {
            let mut out = Output::new();
            Converter::new(options()).convert(
                File {
                    path: &f.path,
                    bytes: &f.bytes,
                },
                0,
                &mut out,
            );
            let kind = f
                .path
                .split('/')
                .nth(4)
                .unwrap_or("-")
                .split('^')
                .next()
                .unwrap_or("-");
            let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
            for d in &out.diagnostics {
                *codes.entry(d.code.code).or_insert(0) += 1;
            }
            let mut ndjson = Vec::new();
            assemble::ndjson(&out, &mut ndjson);
            let _ = writeln!(
                text,
                "{root}#{n} {kind} {:?} {codes:?} {}",
                out.counts(),
                common::short_hash(&ndjson)
            );
        }
        for (n, (_, files)) in common::by_patient(files).iter().enumerate() {
            let given = common::given(files);
            let mut out = Output::new();
            Converter::new(options()).convert_patient(&given, &mut out);
            let mut ndjson = Vec::new();
            assemble::ndjson(&out, &mut ndjson);
            let _ = writeln!(
                text,
                "{root} patient {n}: {:?} deletes {} {}",
                out.counts(),
                out.deletes.len(),
                common::short_hash(&ndjson)
            );
        }
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots/shared");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("samples", text));
}
