//! `native-digests [--speed SECONDS] FOLDER…`: what the native converter makes of every file and
//! every patient below the folders, as digests that `pkg/test/native.test.mjs` compares with the wasm.
//!
//! One line a conversion: `SHA-256 of the JSON, of the findings, of the trace, unit, form, path`,
//! separated by tabs. With `--speed` it converts the messages of all folders round and round and prints
//! how many a second of processor time instead.
#![forbid(unsafe_code)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use warifu_convert::{Converted, Job, JobOptions, To};
use warifu_map::File;
use warifu_ssmix2::{Layout, components};

const FORMS: [(&str, To); 3] = [
    ("bundle", To::Bundle),
    ("ndjson", To::Ndjson),
    ("clins", To::Clins),
];

fn main() -> Result<()> {
    let mut folders = Vec::new();
    let mut speed = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--speed" {
            let seconds = arguments.next().context("--speed SECONDS")?;
            speed = Some(Duration::from_secs_f64(seconds.parse()?));
        } else {
            folders.push(PathBuf::from(argument));
        }
    }
    if folders.is_empty() {
        bail!("usage: native-digests [--speed SECONDS] FOLDER…");
    }
    let mut out = std::io::stdout().lock();
    let mut all = Vec::new();
    for folder in &folders {
        let files = read(folder)?;
        match speed {
            Some(_) => all.extend(files),
            None => digests(&files, &mut out)?,
        }
    }
    if let Some(limit) = speed {
        writeln!(out, "{:.0}", messages_per_second(&all, limit)?)?;
    }
    Ok(())
}

/// All files below a folder as (path with `/`, bytes), by path.
fn read(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    let mut folders = vec![(String::new(), folder.to_owned())];
    while let Some((prefix, folder)) = folders.pop() {
        let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_str().context("a name that is not UTF-8")?;
            let path = format!("{prefix}{name}");
            if entry.file_type()?.is_dir() {
                folders.push((format!("{path}/"), entry.path()));
            } else {
                files.push((path, std::fs::read(entry.path())?));
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

fn options(to: To) -> JobOptions {
    JobOptions {
        to,
        trace: true,
        institution: Some("1319999999".to_owned()),
        ..JobOptions::default()
    }
}

fn digests(files: &[(String, Vec<u8>)], out: &mut impl std::io::Write) -> Result<()> {
    let kept: Vec<&(String, Vec<u8>)> = files
        .iter()
        .filter(|(path, _)| !components(path).any(warifu_storage::is_skipped))
        .collect();
    let paths: Vec<&str> = kept.iter().map(|(path, _)| path.as_str()).collect();
    let layout = Layout::of(&paths);
    for (form, to) in FORMS {
        let mut job = Job::new(options(to))?;
        for (path, bytes) in files {
            line(&job.convert(path, bytes), "file", form, path, out)?;
        }
        for (key, indexes) in layout.patients.iter() {
            let group: Vec<File<'_>> = indexes
                .iter()
                .filter_map(|i| kept.get(*i))
                .map(|(path, bytes)| File { path, bytes })
                .collect();
            let made = job.convert_patient(&group);
            line(&made, "patient", form, &key.patient, out)?;
        }
    }
    Ok(())
}

fn line(
    made: &Converted,
    unit: &str,
    form: &str,
    path: &str,
    out: &mut impl std::io::Write,
) -> Result<()> {
    writeln!(
        out,
        "{}\t{}\t{}\t{unit}\t{form}\t{path}",
        hex(&made.json),
        hex(&json(&made.diagnostics)?),
        hex(&json(&made.trace)?),
    )?;
    Ok(())
}

fn json<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    Ok(serde_json::to_vec(value)?)
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for b in Sha256::digest(bytes) {
        let _ = std::fmt::Write::write_fmt(&mut text, format_args!("{b:02x}"));
    }
    text
}

/// Bytes to NDJSON without trace, one thread: the best of five rounds of a fifth of the time.
fn messages_per_second(files: &[(String, Vec<u8>)], limit: Duration) -> Result<f64> {
    let messages: Vec<&(String, Vec<u8>)> = files
        .iter()
        .filter(|(_, bytes)| bytes.starts_with(b"MSH"))
        .collect();
    let mut job = Job::new(JobOptions {
        trace: false,
        ..options(To::Ndjson)
    })?;
    let mut best = 0.0_f64;
    for _ in 0..5 {
        let (start, before) = (Instant::now(), processor_time());
        let mut done = 0_u32;
        while start.elapsed() < limit / 5 {
            for (path, bytes) in &messages {
                std::hint::black_box(job.convert_bytes(path, bytes));
                done += 1;
            }
        }
        let taken = processor_time().saturating_sub(before);
        best = best.max(f64::from(done) / taken.as_secs_f64());
    }
    Ok(best)
}

/// Processor time of this thread so far.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.try_into().unwrap_or_default()
}
