//! Resources and Bundles a second, with everything on: profiles of JP Core 1.2.0, slicing, bindings, invariants.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark may fail loudly"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;

use common::{shared, terms};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use warifu_validate::{Options, Validator};

/// Examples of JP Core: one of each kind that hospitals send most.
const SINGLE: &[&str] = &[
    "Patient-jp-patient-example-1.json",
    "Observation-jp-observation-labresult-example-1.json",
    "MedicationRequest-jp-medicationrequest-example-1.json",
];

/// A collection of `count` copies, each with a fullUrl of its own.
fn bundle(resource: &str, count: usize) -> String {
    let entries: Vec<String> = (0..count)
        .map(|n| {
            format!(
                r#"{{"fullUrl": "urn:uuid:00000000-0000-4000-8000-{n:012}", "resource": {resource}}}"#
            )
        })
        .collect();
    format!(
        r#"{{"resourceType": "Bundle", "type": "collection", "entry": [{}]}}"#,
        entries.join(",")
    )
}

fn validate(c: &mut Criterion) {
    let Some(shared) = shared() else {
        return;
    };
    let archives = &[
        "jpfhir.jp.core-1.2.0",
        "jpfhir-terminology.r4-1.4.0-partial",
    ];
    let terms = terms(&shared, archives);
    let validator = Validator::new(&**terms.library(), &terms, Options::default());
    let folder = shared.join("examples/jp-core-1.2.0");
    let mut group = c.benchmark_group("validate");
    for name in SINGLE {
        let Ok(source) = std::fs::read(folder.join(name)) else {
            continue;
        };
        group.throughput(Throughput::Elements(1));
        group.bench_function(*name, |b| b.iter(|| validator.validate(black_box(&source))));
    }
    let patient =
        std::fs::read_to_string(folder.join("Patient-jp-patient-example-1.json")).unwrap();
    for count in [50, 300] {
        let source = bundle(&patient, count);
        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("Bundle of {count} Patients"), |b| {
            b.iter(|| validator.validate(black_box(source.as_bytes())));
        });
    }
    group.finish();
}

criterion_group!(benches, validate);
criterion_main!(benches);
