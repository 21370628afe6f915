//! One core: decode, parse (raw bytes → field index) and convert (bytes → NDJSON, trace off and on),
//! with `hl7-parser`'s bare parse of the decoded text in the same run.
//!
//! Inputs: the messages of the two nho folders of `../shared` (skipped when absent) and a thousand
//! generated ones. One iteration goes through all of them; throughput is in messages and in bytes as
//! received.
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use warifu_hl7::Index;
use warifu_map::{Converter, File, Options, Output, assemble};

/// Path and content of each file.
type Files = Vec<(String, Vec<u8>)>;

fn read(folder: &Path, files: &mut Files) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            read(&path, files);
        } else if let Ok(bytes) = std::fs::read(&path) {
            files.push((path.to_string_lossy().into_owned(), bytes));
        }
    }
}

fn inputs() -> Vec<(&'static str, Files)> {
    let mut all = Vec::new();
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples/ssmix2");
    let mut samples = Files::new();
    for folder in ["nho-documents", "nho-testing-tool"] {
        read(&shared.join(folder).join("standard_root"), &mut samples);
    }
    samples.retain(|(_, bytes)| bytes.starts_with(b"MSH"));
    samples.sort();
    if samples.is_empty() {
        eprintln!("samples: skipped: ../shared is absent");
    } else {
        all.push(("samples", samples));
    }
    let plan = warifu_synth::Plan {
        seed: 1,
        patients: 25,
        messages: 1000,
    };
    all.push(("generated", plan.files().collect()));
    all
}

fn group<'c>(
    c: &'c mut Criterion,
    name: &str,
    files: &Files,
) -> BenchmarkGroup<'c, criterion::measurement::WallTime> {
    let bytes: usize = files.iter().map(|(_, b)| b.len()).sum();
    let mut group = c.benchmark_group(name);
    group
        .throughput(Throughput::ElementsAndBytes {
            elements: u64::try_from(files.len()).unwrap_or(u64::MAX),
            bytes: u64::try_from(bytes).unwrap_or(u64::MAX),
        })
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    group
}

fn decode(c: &mut Criterion) {
    for (name, files) in inputs() {
        let mut group = group(c, "decode", &files);
        let mut text = String::new();
        group.bench_function(name, |b| {
            b.iter(|| {
                for (_, bytes) in &files {
                    text.clear();
                    let charset = warifu_source::detect(bytes);
                    warifu_source::decode_into(bytes, charset, &mut text);
                    black_box(&text);
                }
            });
        });
        group.finish();
    }
}

fn parse(c: &mut Criterion) {
    for (name, files) in inputs() {
        let mut group = group(c, "parse", &files);
        let mut index = Index::new();
        group.bench_function(name, |b| {
            b.iter(|| {
                for (_, bytes) in &files {
                    index.build(bytes, None);
                    black_box(index.field_count());
                }
            });
        });
        group.finish();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is compared with; its losses are its own"
)]
fn hl7_parser(c: &mut Criterion) {
    for (name, files) in inputs() {
        let mut group = group(c, "hl7-parser", &files);
        let texts: Vec<String> = files
            .iter()
            .map(|(_, bytes)| warifu_source::decode(bytes, warifu_source::detect(bytes)).text)
            .collect();
        group.bench_function(name, |b| {
            b.iter(|| {
                for text in &texts {
                    black_box(hl7_parser::Message::parse(black_box(text)).is_ok());
                }
            });
        });
        group.finish();
    }
}

fn convert(c: &mut Criterion) {
    for (name, files) in inputs() {
        for (stage, trace) in [("convert", false), ("convert-traced", true)] {
            let mut group = group(c, stage, &files);
            let mut converter = Converter::new(Options {
                institution: Some("1319999999".to_owned()),
                trace,
                ..Options::default()
            });
            let (mut out, mut lines) = (Output::new(), Vec::new());
            group.bench_function(name, |b| {
                b.iter(|| {
                    for (path, bytes) in &files {
                        out.clear();
                        lines.clear();
                        converter.convert(File { path, bytes }, 0, &mut out);
                        assemble::ndjson(&out, &mut lines);
                        black_box(&lines);
                    }
                });
            });
            group.finish();
        }
    }
}

criterion_group!(benches, decode, parse, hl7_parser, convert);
criterion_main!(benches);
