//! One core: the check of a message beside its conversion, in the same run.
//!
//! Inputs: a thousand generated messages, which are clean as most are, and the files of the fixtures.
//! One iteration goes through all of them.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark may fail loudly; criterion's macros make items without documentation"
)]
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use warifu_rules::Checker;

type Files = Vec<(String, Vec<u8>)>;

fn inputs() -> [(&'static str, Files); 2] {
    let plan = warifu_synth::Plan {
        seed: 1,
        patients: 25,
        messages: 1000,
    };
    let fixtures = warifu_synth::fixtures::files()
        .into_iter()
        .filter(|(path, _)| path.starts_with("standard_root/"));
    [
        ("generated", plan.files().collect()),
        ("fixtures", fixtures.collect()),
    ]
}

fn check_beside_convert(c: &mut Criterion) {
    for (name, files) in inputs() {
        let bytes: usize = files.iter().map(|(_, b)| b.len()).sum();
        let mut group = c.benchmark_group(name);
        group
            .throughput(Throughput::ElementsAndBytes {
                elements: u64::try_from(files.len()).unwrap(),
                bytes: u64::try_from(bytes).unwrap(),
            })
            .sample_size(20)
            .warm_up_time(Duration::from_secs(1))
            .measurement_time(Duration::from_secs(3));
        let mut checker = Checker::new(warifu_rules::Options::default());
        let mut found = Vec::new();
        group.bench_function("check", |b| {
            b.iter(|| {
                for (path, bytes) in &files {
                    found.clear();
                    checker.check_file(warifu_rules::File { path, bytes }, 0, &mut found);
                    black_box(&found);
                }
            });
        });
        let mut converter = warifu_map::Converter::new(warifu_map::Options {
            institution: Some("1319999999".to_owned()),
            ..warifu_map::Options::default()
        });
        let (mut out, mut lines) = (warifu_map::Output::new(), Vec::new());
        group.bench_function("convert", |b| {
            b.iter(|| {
                for (path, bytes) in &files {
                    out.clear();
                    lines.clear();
                    converter.convert(warifu_map::File { path, bytes }, 0, &mut out);
                    warifu_map::assemble::ndjson(&out, &mut lines);
                    black_box(&lines);
                }
            });
        });
        group.finish();
    }
}

criterion_group!(benches, check_beside_convert);
criterion_main!(benches);
