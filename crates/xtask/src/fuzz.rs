//! Every fuzz target of `tests/fuzz` for a while, with a summary that names the commit.

use std::{fs, path::Path, process::Command, time::Instant};

use anyhow::{Context as _, Result, bail};

use crate::{
    bench, files,
    process::{self, Output, strip_cargo_variables},
    repo::Repo,
    tools,
};

/// What came of one target.
struct Outcome {
    target: String,
    result: Result<()>,
    seconds: f32,
    runs: Option<u64>,
}

/// Runs each target for `seconds`; an error if one crashed or could not run.
pub(crate) fn run(repo: &Repo, seconds: u32) -> Result<()> {
    let folder = repo.root.join("tests/fuzz");
    let targets = targets(&folder)?;
    let cargo_fuzz = tools::cargo_fuzz(repo, Output::Shown)?;
    let toolchain = Toolchain::find();
    let logs = repo.target.join("fuzz/logs");
    let seeds = repo.target.join("fuzz/seeds");
    write_seeds(repo, &seeds)?;
    let mut outcomes = Vec::new();
    for target in targets {
        println!("fuzz: building {target} …");
        let log = logs.join(format!("{target}.log"));
        if log.exists() {
            fs::remove_file(&log)?;
        }
        let mut build = toolchain.command(repo, &cargo_fuzz);
        build
            .arg("build")
            .arg("--fuzz-dir")
            .arg(&folder)
            .arg(&target);
        let start = Instant::now();
        let mut result = process::run(&mut build, Output::Log(&log));
        if result.is_ok() {
            println!("fuzz: {target} for {seconds} s …");
            let mut fuzz = toolchain.command(repo, &cargo_fuzz);
            fuzz_arguments(&mut fuzz, repo, &folder, &seeds, &target, seconds)?;
            result = process::run(&mut fuzz, Output::Log(&log));
        }
        outcomes.push(Outcome {
            seconds: start.elapsed().as_secs_f32(),
            runs: fs::read(&log)
                .ok()
                .and_then(|bytes| executed(&String::from_utf8_lossy(&bytes))),
            target,
            result,
        });
    }
    summary(repo, &outcomes, seconds)
}

/// `cargo fuzz run TARGET CORPUS SEEDS -- OPTIONS`: what it finds stays below `target`.
fn fuzz_arguments(
    command: &mut Command,
    repo: &Repo,
    folder: &Path,
    seeds: &Path,
    target: &str,
    seconds: u32,
) -> Result<()> {
    let corpus = repo.target.join("fuzz/corpus").join(target);
    let crashes = repo.target.join("fuzz/crashes").join(target);
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&crashes)?;
    command.arg("run").arg("--fuzz-dir").arg(folder);
    command.arg(target).arg(corpus);
    command.arg(seeds);
    command.args([
        "--".to_owned(),
        format!("-max_total_time={seconds}"),
        // One input over this many seconds is a finding: time must be linear.
        "-timeout=10".to_owned(),
        "-rss_limit_mb=2048".to_owned(),
        "-max_len=65536".to_owned(),
        "-print_final_stats=1".to_owned(),
        format!("-artifact_prefix={}/", crashes.display()),
    ]);
    Ok(())
}

/// One seed a fixture, in the form that all targets read (`tests/fuzz/src/bodies.rs`): a byte of
/// switches, the path below the storage root, LF, the content.
fn write_seeds(repo: &Repo, seeds: &Path) -> Result<()> {
    const KNOWN_INSTITUTION: u8 = 0x08;
    let fixtures = repo.root.join("tests/fixtures");
    for (number, file) in files::list(&fixtures)?.into_iter().enumerate() {
        let bytes = fs::read(fixtures.join(&file))?;
        let path: Vec<_> = file
            .components()
            .skip(1)
            .map(|part| part.as_os_str().to_string_lossy())
            .collect();
        let head = path.join("/");
        let seed = [&[KNOWN_INSTITUTION], head.as_bytes(), b"\n", &bytes].concat();
        files::write(&seeds.join(format!("{number:04}")), &seed)?;
    }
    Ok(())
}

/// Names of the targets: the files of `fuzz_targets`.
fn targets(folder: &Path) -> Result<Vec<String>> {
    let files = folder.join("fuzz_targets");
    let entries = fs::read_dir(&files)
        .with_context(|| format!("no fuzz targets: cannot list {}", files.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.push(
                path.file_stem()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
            );
        }
    }
    names.sort();
    if names.is_empty() {
        bail!("no fuzz targets in {}", files.display());
    }
    Ok(names)
}

/// What compiles with the sanitizer.
enum Toolchain {
    Nightly,
    /// The stable compiler told to take unstable options.
    Stable,
}

impl Toolchain {
    fn find() -> Self {
        let installed = process::read("rustup", &["toolchain", "list"]).unwrap_or_default();
        if installed.lines().any(|line| line.starts_with("nightly")) {
            return Self::Nightly;
        }
        if process::find(&["rustup"]).is_some() {
            println!("fuzz: rustup toolchain install nightly …");
            let mut install = Command::new("rustup");
            install.args(["toolchain", "install", "nightly", "--profile", "minimal"]);
            if process::run(&mut install, Output::Shown).is_ok() {
                return Self::Nightly;
            }
        }
        println!("fuzz: no nightly toolchain; the stable one is used with RUSTC_BOOTSTRAP=1");
        Self::Stable
    }

    fn command(&self, repo: &Repo, cargo_fuzz: &Path) -> Command {
        let mut command = Command::new(cargo_fuzz);
        command.current_dir(&repo.root).arg("fuzz");
        strip_cargo_variables(&mut command);
        command
            .env("CARGO_TARGET_DIR", repo.target.join("fuzz/build"))
            .env("CARGO_INCREMENTAL", "0");
        match self {
            Self::Nightly => command.env("RUSTUP_TOOLCHAIN", "nightly"),
            Self::Stable => command.env("RUSTC_BOOTSTRAP", "1"),
        };
        command
    }
}

/// Number of inputs tried, from libFuzzer's final statistics.
fn executed(log: &str) -> Option<u64> {
    log.lines()
        .rev()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .and_then(|number| number.trim().parse().ok())
}

fn summary(repo: &Repo, outcomes: &[Outcome], seconds: u32) -> Result<()> {
    println!(
        "\nfuzz summary: commit {}, {seconds} s each",
        bench::commit(repo)
    );
    let mut failed = Vec::new();
    for outcome in outcomes {
        let verdict = if outcome.result.is_ok() {
            "no crash"
        } else {
            "FAILED"
        };
        let runs = outcome.runs.map_or("?".to_owned(), |runs| runs.to_string());
        println!(
            "{:<20} {verdict:<9} {runs:>12} inputs {:>6.0} s with its build",
            outcome.target, outcome.seconds
        );
        if let Err(error) = &outcome.result {
            eprintln!("{}: {error:#}", outcome.target);
            failed.push(outcome.target.as_str());
        }
    }
    if !failed.is_empty() {
        bail!("fuzz targets failed: {}", failed.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executed_inputs_are_read_from_the_last_statistics() {
        let log = "stat::number_of_executed_units: 1\n#2 DONE\n\
                   stat::number_of_executed_units: 4242\nstat::peak_rss_mb: 99\n";
        assert_eq!(executed(log), Some(4242));
        assert_eq!(executed("#2 DONE"), None);
    }
}
