//! Best of many rounds, the stages taken in turn, in processor time: what a core gives where other
//! work goes on beside. `cargo bench -p warifu-map --bench turns -- [ROUNDS] [WORD…]`, the words being
//! parts of the names of stages and inputs to measure, or one whole name (`convert/samples`).
//!
//! Processor time does not count what others take of a core, but a core whose other half is busy is
//! slower: the bare parse of `hl7-parser` in the same rounds tells by how much. With `train` nothing is
//! measured: other generated messages and the fixtures, which have every kind, are converted for a profile.
#![expect(clippy::print_stdout, reason = "the result")]
mod inputs;

use std::hint::black_box;
use std::time::Duration;

use warifu_hl7::Index;
use warifu_map::{Converter, File, Options, Output, assemble};

use inputs::Files;

type Stage<'f> = (&'static str, Box<dyn FnMut() + 'f>);

#[expect(
    clippy::disallowed_methods,
    reason = "hl7-parser is what is compared with; its losses are its own"
)]
fn stages(files: &Files) -> Vec<Stage<'_>> {
    let mut index = Index::new();
    let parse = move || {
        for (_, bytes) in files {
            index.build(bytes, None);
            black_box(index.field_count());
        }
    };
    let texts: Vec<String> = files
        .iter()
        .map(|(_, bytes)| warifu_source::decode(bytes, warifu_source::detect(bytes)).text)
        .collect();
    let bare = move || {
        for text in &texts {
            black_box(hl7_parser::Message::parse(black_box(text)).is_ok());
        }
    };
    let convert = |trace| {
        let mut converter = Converter::new(Options {
            institution: Some("1319999999".to_owned()),
            trace,
            ..Options::default()
        });
        let (mut out, mut lines) = (Output::new(), Vec::new());
        move || {
            for (path, bytes) in files {
                out.clear();
                lines.clear();
                converter.convert(File { path, bytes }, 0, &mut out);
                assemble::ndjson(&out, &mut lines);
                black_box(&lines);
            }
        }
    };
    vec![
        ("parse", Box::new(parse)),
        ("hl7-parser", Box::new(bare)),
        ("convert", Box::new(convert(false))),
        ("convert-traced", Box::new(convert(true))),
    ]
}

/// Processor time of this thread so far.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.try_into().unwrap_or_default()
}

/// Does what a profile is taken of: none of the inputs that are measured.
fn train() {
    let all = [inputs::generated(2), warifu_synth::fixtures::files()];
    for files in &all {
        let wanted = |stage: &Stage<'_>| stage.0.starts_with("convert");
        for (name, mut stage) in stages(files).into_iter().filter(wanted) {
            // As many messages of one as of the other; those with the trace are a tenth.
            let rounds = if name == "convert" { 5000 } else { 500 };
            (0..=rounds / files.len().max(1)).for_each(|_| stage());
        }
    }
}

fn main() {
    let (mut rounds, mut words) = (100u32, Vec::new());
    for argument in std::env::args().skip(1) {
        match argument.parse() {
            Ok(number) => rounds = number,
            Err(_) if argument == "train" => return train(),
            Err(_) if argument.starts_with("--") => {}
            Err(_) => words.push(argument),
        }
    }
    for (name, files) in inputs::all() {
        let wanted = |stage: &str| {
            let full = format!("{stage}/{name}");
            words
                .iter()
                .all(|w| full == *w || !w.contains('/') && full.contains(w.as_str()))
        };
        let mut stages = stages(&files);
        stages.retain(|(stage, _)| wanted(stage));
        let mut best = vec![Duration::MAX; stages.len()];
        // The generated messages are fifty times as many.
        let repeat = (1000 / files.len().max(1)).clamp(1, 20);
        for _ in 0..rounds {
            for ((_, stage), best) in stages.iter_mut().zip(&mut best) {
                let before = processor_time();
                (0..repeat).for_each(|_| stage());
                *best = (*best).min(processor_time().saturating_sub(before));
            }
        }
        let times = f64::from(u32::try_from(repeat).unwrap_or(1));
        for ((stage, _), best) in stages.iter().zip(&best) {
            let per_second = |n: u64| {
                f64::from(u32::try_from(n).unwrap_or(u32::MAX)) * times / best.as_secs_f64()
            };
            println!(
                "{:<26} {:>9.0} messages/s {:>8.1} MB/s",
                format!("{stage}/{name}"),
                per_second(inputs::count(&files)),
                per_second(inputs::bytes(&files)) / 1e6,
            );
        }
    }
}
