//! Time to load a package: from its archive, and from its compiled form.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark may fail loudly"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use warifu_package::{Fallback, Limits, Package, compile, unpack};

const NAME: &str = "jp-clins.r4-1.5.3.tgz";

fn load(c: &mut Criterion) {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/fhir/packages/"
    );
    let Ok(archive) = std::fs::read(format!("{path}{NAME}")) else {
        println!("skipped: no packages");
        return;
    };
    let fallback = Fallback {
        name: "local",
        version: "0.0.0",
    };
    let from_archive = || {
        let files = unpack(&archive, &Limits::PACKAGE).files;
        compile(files, fallback, &Limits::PACKAGE).unwrap().bytes
    };
    let compiled = from_archive();
    println!("compiled: {} bytes", compiled.len());
    c.bench_function("archive", |b| b.iter(from_archive));
    c.bench_function("compiled", |b| {
        b.iter(|| Package::read(compiled.clone()).unwrap());
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = load
}
criterion_main!(benches);
