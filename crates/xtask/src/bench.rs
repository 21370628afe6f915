//! The benchmarks, with what is needed to read their numbers later.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    files,
    process::{self, Output, cargo},
    profiled,
    repo::Repo,
};

/// Runs every criterion benchmark; the arguments go to criterion (a filter, `--quick`). With `storage`
/// the command line converts a generated storage instead; with `wasm` the module of the package stands
/// beside the native converter; with `load` the server answers at fixed rates; with `profiled` the stages are
/// taken in turn without a profile and with one.
pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<()> {
    println!("commit: {}", commit(repo));
    println!("processor: {}", processor());
    if let Some(version) = process::read("rustc", &["--version"]) {
        println!("compiler: {version}");
    }
    match arguments.split_first().map(|(a, b)| (a.as_str(), b)) {
        Some(("storage", messages)) => return storage(repo, messages),
        Some(("wasm", rounds)) => return wasm(repo, rounds),
        Some(("load", seconds)) => return load(repo, "rates", seconds),
        Some(("profiled", rounds)) => return profiled::bench(repo, rounds),
        _ => {}
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

/// Converts the same messages in Node.js and natively, in turn. The argument is the number of rounds.
fn wasm(repo: &Repo, arguments: &[String]) -> Result<()> {
    let rounds = match arguments {
        [] => "7",
        [rounds] => rounds.as_str(),
        _ => bail!("bench wasm [ROUNDS]"),
    };
    if !repo.root.join("pkg/dist/wasm/convert.wasm").is_file() {
        bail!("pkg/dist has no module; run `cargo xtask wasm --release` first");
    }
    println!("bench: building the native converter and the generator …");
    let mut build = cargo(&repo.root);
    build.args([
        "build",
        "--release",
        "-p",
        "warifu-tests",
        "-p",
        "warifu-synth",
    ]);
    build.args(["--bin", "native-digests", "--bin", "warifu-synth"]);
    process::run(&mut build, Output::Shown)?;
    let programs = repo.target.join("release");
    let generated = repo.target.join("bench/wasm");
    files::fresh(&generated)?;
    let mut synth = Command::new(programs.join("warifu-synth"));
    synth
        .args(["storage", "--messages", "1000", "--patients", "25"])
        .arg(&generated);
    process::run(&mut synth, Output::Shown)?;
    let samples = repo.root.join("../shared/samples/ssmix2");
    let samples = ["nho-documents", "nho-testing-tool"].map(|name| samples.join(name));
    let samples = samples.map(|folder| folder.join("standard_root"));
    for (name, folders) in [("samples", &samples[..]), ("generated", &[generated][..])] {
        if !folders.iter().all(|folder| folder.is_dir()) {
            println!("{name}: skipped: ../shared is absent");
            continue;
        }
        println!("{name}:");
        let mut node = Command::new("node");
        node.arg("pkg/bench/convert.mjs")
            .arg(rounds)
            .args(folders)
            .current_dir(&repo.root)
            .env("WARIFU_DIGESTS", programs.join("native-digests"));
        process::run(&mut node, Output::Shown)?;
    }
    Ok(())
}

/// `tests/load/run.mjs` over the program as it is released: `rates`, or `soak` for its memory. The argument is
/// the number of seconds.
pub(crate) fn load(repo: &Repo, what: &str, arguments: &[String]) -> Result<()> {
    let seconds: Option<u32> = match arguments {
        [] => None,
        [seconds] => Some(seconds.parse().context("bench load [SECONDS]")?),
        _ => bail!("bench load [SECONDS]"),
    };
    for made in ["pkg/dist/consent.node.mjs", "web/dist/index.html"] {
        if !repo.root.join(made).is_file() {
            bail!("{made} is not there; run `cargo xtask wasm --release` first");
        }
    }
    println!("bench: building the server …");
    let mut build = cargo(&repo.root);
    build.args(["build", "--release", "-p", "warifu-cli"]);
    process::run(&mut build, Output::Shown)?;
    let mut node = Command::new("node");
    node.arg("tests/load/run.mjs")
        .arg(what)
        .args(seconds.map(|n| n.to_string()))
        .current_dir(&repo.root)
        .env("WARIFU_CLI", repo.target.join("release/warifu"));
    process::run(&mut node, Output::Shown)
}

/// Generates a storage and converts it with one thread and with two, the trace off and on.
///
/// The first argument is the number of messages, 100,000 by default.
fn storage(repo: &Repo, arguments: &[String]) -> Result<()> {
    let messages: u32 = match arguments {
        [] => 100_000,
        [number] => number.parse().context("bench storage [MESSAGES]")?,
        _ => bail!("bench storage [MESSAGES]"),
    };
    println!("bench: building the command line and the generator …");
    let mut build = cargo(&repo.root);
    build.args([
        "build",
        "--release",
        "-p",
        "warifu-cli",
        "-p",
        "warifu-synth",
    ]);
    process::run(&mut build, Output::Shown)?;
    let programs = repo.target.join("release");
    let work = repo.target.join("bench");
    let root = work.join(format!("storage-{messages}/standard_root"));
    if !root.is_dir() {
        println!("bench: generating {messages} messages …");
        let unfinished = work.join("unfinished");
        files::fresh(&unfinished)?;
        let mut synth = Command::new(programs.join("warifu-synth"));
        synth
            .args(["storage", "--messages", &messages.to_string()])
            .arg(unfinished.join("standard_root"));
        process::run(&mut synth, Output::Shown)?;
        fs::rename(&unfinished, work.join(format!("storage-{messages}")))?;
    }
    // Reading everything once also brings it into the page cache: disks are not what is measured.
    let mut bytes = 0.0;
    for file in files::list(&root)? {
        bytes += f64::from(u32::try_from(fs::read(root.join(file))?.len())?);
    }
    println!("{messages} messages, {:.1} MB", bytes / 1e6);
    println!("| jobs | trace | seconds | messages/s | MB/s | peak memory |");
    println!("|---|---|---|---|---|---|");
    for (jobs, trace) in [("1", false), ("2", false), ("1", true)] {
        let out = work.join("out");
        if out.exists() {
            fs::remove_dir_all(&out)?;
        }
        let mut convert = Command::new(programs.join("warifu"));
        convert.arg("convert").arg(&root).arg("--out").arg(&out);
        convert.args([
            "--to",
            "ndjson",
            "--institution",
            "1319999999",
            "--config",
            "none",
        ]);
        convert.args(["-qq", "--no-progress", "--fail-on", "never", "--jobs", jobs]);
        if trace {
            convert.arg("--trace");
        }
        let (seconds, peak) = measured(&mut convert)?;
        println!(
            "| {jobs} | {} | {seconds:.2} | {:.0} | {:.1} | {:.0} MB |",
            if trace { "on" } else { "off" },
            f64::from(messages) / seconds,
            bytes / 1e6 / seconds,
            peak / 1e6,
        );
        fs::remove_dir_all(&out)?;
    }
    Ok(())
}

/// Wall-clock seconds and the peak of resident memory in bytes (0 where `/proc` is not there).
fn measured(command: &mut Command) -> Result<(f64, f64)> {
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    let status_file = Path::new("/proc")
        .join(child.id().to_string())
        .join("status");
    let mut peak = 0.0;
    loop {
        // A high-water mark: the last look before the end is enough.
        if let Some(now) = fs::read_to_string(&status_file)
            .ok()
            .as_deref()
            .and_then(high_water)
        {
            peak = now;
        }
        if let Some(status) = child.try_wait()? {
            let seconds = start.elapsed().as_secs_f64();
            if !status.success() {
                bail!("{} ended with {status}", command.get_program().display());
            }
            return Ok((seconds, peak));
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Peak resident memory in bytes from `/proc/PID/status`.
fn high_water(status: &str) -> Option<f64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u32 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(f64::from(kilobytes) * 1024.0)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_memory_is_read_from_the_status_of_a_process() {
        let status = "Name:\twarifu\nVmPeak:\t  999999 kB\nVmHWM:\t   20480 kB\nVmRSS:\t 10 kB\n";
        assert_eq!(high_water(status), Some(20480.0 * 1024.0));
        assert_eq!(high_water("Name:\tx\n"), None);
    }
}
