//! The first minutes: build, convert the sample storage, show what came out, serve the playground.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
    process::Command,
    time::Instant,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    files,
    process::{self, Output, cargo},
    repo::Repo,
    serve, tools, wasm,
};

/// The bundled storage, made for this repository by `warifu-synth`.
const STORAGE: [&str; 2] = [
    "tests/fixtures/standard_root",
    "tests/fixtures/extended_root",
];

/// Number of its institution, which does not exist.
const INSTITUTION: &str = "1319999999";

/// Does it all; without `serving` it stops before the server, for CI.
pub(crate) fn run(repo: &Repo, port: Option<u16>, serving: bool) -> Result<()> {
    tools::setup(repo, false)?;

    println!("demo: building warifu (release; a minute or two the first time) …");
    let mut build = cargo(&repo.root);
    build
        .args(["build", "--release", "--package", "warifu-cli"])
        .env("CARGO_TARGET_DIR", &repo.target);
    process::run(&mut build, Output::Shown)?;

    let out = repo.target.join("demo");
    files::fresh(&out)?;
    convert(repo, &out)?;

    wasm::build(repo, wasm::Profile::Release)?;
    let dist = repo.root.join("playground/dist");
    if !serve::is_site(&dist) {
        bail!("playground/dist has no index.html");
    }
    if serving {
        serve::run(&dist, port)
    } else {
        let url = serve::Server::bind(&dist, Some(0))?.spawn();
        let (head, body) = serve::get(&url, "/")?;
        if !head.starts_with("HTTP/1.1 200 ") || body.is_empty() {
            bail!("the playground does not answer at {url}: {head}");
        }
        println!("playground: answers at {url}");
        Ok(())
    }
}

/// Converts the sample storage and prints what came of it.
fn convert(repo: &Repo, out: &Path) -> Result<()> {
    let mut inputs = 0;
    for folder in STORAGE {
        inputs += files::list(&repo.root.join(folder))?.len();
    }
    println!("demo: converting {} …", STORAGE.join(" and "));
    let start = Instant::now();
    let mut warifu = Command::new(repo.target.join("release/warifu"));
    warifu
        .current_dir(&repo.root)
        .arg("convert")
        .args(STORAGE)
        .args(["--institution", INSTITUTION, "--to", "ndjson", "--out"])
        .arg(out);
    // 1 says that there are findings: the storage is converted all the same.
    process::run_allowing(&mut warifu, &[1])?;
    let seconds = start.elapsed().as_secs_f32();
    let counts = resources(out)?;
    let total: usize = counts.values().sum();
    if total == 0 {
        bail!("no resource came out of {}", STORAGE.join(" and "));
    }
    println!("\n{inputs} files → {total} FHIR resources in {seconds:.2} s");
    for (kind, count) in counts {
        println!("{count:>8}  {kind}");
    }
    println!("in {}\n", out.display());
    Ok(())
}

/// Number of lines in each `TYPE.ndjson`; other files have names in small letters.
fn resources(out: &Path) -> Result<BTreeMap<String, usize>> {
    let mut counts = BTreeMap::new();
    for file in files::list(out)? {
        let kind = file.file_stem().unwrap_or_default().to_string_lossy();
        let is_type = kind.starts_with(|c: char| c.is_ascii_uppercase());
        if !is_type || file.extension() != Some(OsStr::new("ndjson")) {
            continue;
        }
        let path = out.join(&file);
        let reader = BufReader::new(
            File::open(&path).with_context(|| format!("cannot read {}", path.display()))?,
        );
        *counts.entry(kind.into_owned()).or_insert(0) += reader.lines().count();
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use super::*;

    #[test]
    fn resources_are_the_lines_of_each_type_over_all_folders() {
        let out = env::temp_dir().join(format!("warifu-demo-{}", std::process::id()));
        files::fresh(&out).unwrap();
        files::write(&out.join("Patient.ndjson"), b"{}\n{}\n").unwrap();
        files::write(&out.join("b/Patient.ndjson"), b"{}\n").unwrap();
        files::write(&out.join("b/Observation.ndjson"), b"").unwrap();
        files::write(&out.join("diagnostics.ndjson"), b"{}\n").unwrap();
        let counts = resources(&out).unwrap();
        assert_eq!(counts.get("Patient"), Some(&3));
        assert_eq!(counts.get("Observation"), Some(&0));
        assert_eq!(counts.len(), 2);
        fs::remove_dir_all(out).unwrap();
    }
}
