//! One core: decode, parse (raw bytes → field index) and convert (bytes → NDJSON, trace off and on),
//! with `hl7-parser`'s bare parse of the decoded text in the same run.
//!
//! One iteration goes through all inputs; throughput is in messages and in bytes as received. All of it
//! is time by the clock: where other work goes on, `turns` is the better measure.
mod inputs;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use warifu_hl7::Index;
use warifu_map::{Converter, File, Options, Output, assemble};

use inputs::Files;

fn group<'c>(
    c: &'c mut Criterion,
    name: &str,
    files: &Files,
) -> BenchmarkGroup<'c, criterion::measurement::WallTime> {
    let mut group = c.benchmark_group(name);
    group
        .throughput(Throughput::ElementsAndBytes {
            elements: inputs::count(files),
            bytes: inputs::bytes(files),
        })
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    group
}

fn decode(c: &mut Criterion) {
    for (name, files) in inputs::all() {
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
    for (name, files) in inputs::all() {
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
    for (name, files) in inputs::all() {
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
    for (name, files) in inputs::all() {
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
