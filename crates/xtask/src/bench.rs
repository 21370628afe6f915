//! The benchmarks, with what is needed to read their numbers later.

use std::{env, fs};

use anyhow::{Result, bail};

use crate::{
    files,
    process::{self, Output, cargo},
    repo::Repo,
};

/// Runs every criterion benchmark; the arguments go to criterion (a filter, `--quick`).
pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<()> {
    println!("commit: {}", commit(repo));
    println!("processor: {}", processor());
    if let Some(version) = process::read("rustc", &["--version"]) {
        println!("compiler: {version}");
    }
    let targets = targets(repo)?;
    if targets.is_empty() {
        bail!("no crate has a bench target (benches/*.rs)");
    }
    for (package, bench) in targets {
        println!("bench: {package} {bench} …");
        let mut command = cargo(&repo.root);
        command
            .args(["bench", "--package", &package, "--bench", &bench, "--"])
            .args(arguments);
        process::run(&mut command, Output::Shown)?;
    }
    Ok(())
}

/// Package and name of each `benches/*.rs`.
fn targets(repo: &Repo) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for manifest in fs::read_dir(repo.root.join("crates"))? {
        let folder = manifest?.path();
        let benches = folder.join("benches");
        if !benches.is_dir() {
            continue;
        }
        let package = folder.file_name().unwrap_or_default().to_string_lossy();
        for file in files::list(&benches)? {
            let is_target = file.extension().is_some_and(|extension| extension == "rs")
                && file.components().count() == 1;
            if is_target {
                let bench = file.file_stem().unwrap_or_default().to_string_lossy();
                found.push((package.to_string(), bench.into_owned()));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Short hash of the checked-out commit, with `+` when files differ from it.
pub(crate) fn commit(repo: &Repo) -> String {
    let root = repo.root.to_string_lossy().into_owned();
    let Some(hash) = process::read("git", &["-C", &root, "rev-parse", "--short=12", "HEAD"]) else {
        return "unknown".to_owned();
    };
    match process::read("git", &["-C", &root, "status", "--porcelain"]).as_deref() {
        Some("") => hash,
        _ => format!("{hash}+"),
    }
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map(|rest| rest.trim_start_matches([' ', '\t', ':']).to_owned());
    model.unwrap_or_else(|| format!("unknown {}", env::consts::ARCH))
}
