//! Builds with a profile of what runs: the compiler lays that together, and what does not run apart.
//!
//! The profile is taken from invented storages, never from the samples that the benchmark measures.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};

use crate::{
    demo, files,
    process::{self, Output, cargo},
    repo::Repo,
};

/// What is said where [`Profiler::find`] finds nothing.
const NO_PROFILE: &str = "no llvm-profdata beside rustc (`rustup component add llvm-tools` installs it): \
                          built without a profile, which converts fewer messages a second";

/// How often the fixtures, which have every kind of message, are gone through: about as many messages as
/// the generated ones, which are as frequent as in a hospital.
const FIXTURES: u32 = 10;

/// The benchmark that is built with a profile.
const TURNS: [&str; 5] = ["--package", "warifu-map", "--bench", "turns", "--"];

/// Compiler and tool that take a profile and use it.
struct Profiler<'r> {
    repo: &'r Repo,
    /// `llvm-profdata` of the LLVM that rustc has.
    profdata: PathBuf,
    /// Builds are for this target by name, so that build scripts have no profile.
    host: String,
}

/// What a build does with a profile.
#[derive(Clone, Copy)]
enum Step {
    Take,
    Use,
}

impl<'r> Profiler<'r> {
    /// `None` where rustc has no `llvm-profdata` of its own: another LLVM's may not read its profiles.
    fn find(repo: &'r Repo) -> Option<Self> {
        let version = process::read("rustc", &["-vV"])?;
        let host = version.lines().find_map(|l| l.strip_prefix("host: "))?;
        let root = process::read("rustc", &["--print", "sysroot"])?;
        let profdata = Path::new(&root)
            .join("lib/rustlib")
            .join(host)
            .join("bin/llvm-profdata")
            .with_extension(env::consts::EXE_EXTENSION);
        profdata.is_file().then(|| Self {
            repo,
            profdata,
            host: host.to_owned(),
        })
    }
    /// A folder below `target/profile`.
    fn folder(&self, name: &str) -> PathBuf {
        self.repo.target.join("profile").join(name)
    }
    /// `cargo COMMAND` in a target folder of its own.
    fn cargo(&self, step: Step, command: &str) -> Command {
        let (folder, option, value) = match step {
            Step::Take => ("take", "generate", self.folder("raw")),
            Step::Use => ("use", "use", self.folder("merged")),
        };
        let before = env::var("RUSTFLAGS").unwrap_or_default();
        let flags = format!("{before} -Cprofile-{option}={}", value.display());
        let mut cargo = cargo(&self.repo.root);
        cargo
            .args([command, "--target", &self.host])
            .env("RUSTFLAGS", flags.trim_start())
            .env("CARGO_TARGET_DIR", self.folder(folder));
        cargo
    }
    /// Where [`Profiler::cargo`] leaves a program.
    fn program(&self, step: Step, name: &str) -> PathBuf {
        let folder = match step {
            Step::Take => "take",
            Step::Use => "use",
        };
        self.folder(folder)
            .join(&self.host)
            .join("release")
            .join(name)
            .with_extension(env::consts::EXE_EXTENSION)
    }
    /// One profile of what was taken; without what never ran, which is then compiled as if there were no
    /// profile rather than for size.
    fn merge(&self) -> Result<()> {
        let mut merge = Command::new(&self.profdata);
        merge.args(["merge", "--sparse", "--output"]);
        merge.arg(self.folder("merged")).arg(self.folder("raw"));
        process::run(&mut merge, Output::Shown)
    }
}

/// Builds the program as it is released: with a profile where there is the tool for it. With pages the one
/// without a profile was built before. Gives the program.
pub(crate) fn program(repo: &Repo, pages: Option<&Path>) -> Result<PathBuf> {
    let plain = demo::program_file(repo);
    let build = |mut cargo: Command, packages: &[&str]| {
        cargo.arg("--release").args(packages);
        if let Some(pages) = pages {
            cargo.env("WARIFU_PAGES", pages);
        }
        process::run(&mut cargo, Output::Shown)
    };
    if pages.is_none() {
        let mut cargo = cargo(&repo.root);
        cargo.arg("build").env("CARGO_TARGET_DIR", &repo.target);
        build(cargo, &["-p", "warifu-cli"])?;
    }
    let Some(profiler) = Profiler::find(repo) else {
        println!("release: {NO_PROFILE}");
        return Ok(plain);
    };
    println!("release: building warifu to take its profile …");
    files::fresh(&profiler.folder("raw"))?;
    build(
        profiler.cargo(Step::Take, "build"),
        &["-p", "warifu-cli", "-p", "warifu-synth"],
    )?;
    let roots = train(&profiler)?;
    profiler.merge()?;
    println!("release: building warifu with its profile …");
    build(profiler.cargo(Step::Use, "build"), &["-p", "warifu-cli"])?;
    let built = profiler.program(Step::Use, "warifu");
    same(repo, [&plain, &built], &roots)?;
    Ok(built)
}

/// Converts and checks invented storages with the program that takes the profile; gives their folders.
fn train(profiler: &Profiler<'_>) -> Result<Vec<PathBuf>> {
    let warifu = profiler.program(Step::Take, "warifu");
    let storages = profiler.folder("storages");
    files::fresh(&storages)?;
    let mut synth = Command::new(profiler.program(Step::Take, "warifu-synth"));
    // What writes the storages is no part of the profile.
    synth.env("LLVM_PROFILE_FILE", storages.join("synth.profraw"));
    synth.args(["storage", "--messages", "1000", "--seed", "2"]);
    synth.arg(storages.join("generated/standard_root"));
    process::run(&mut synth, Output::Shown)?;
    let generated = storages.join("generated/standard_root");
    let fixtures = demo::storages(profiler.repo);
    let all = || fixtures.iter().chain([&generated]);
    let out = profiler.folder("out");
    for root in all() {
        let times = if *root == generated { 1 } else { FIXTURES };
        for n in 0..=times {
            files::fresh(&out)?;
            let mut convert = convert(&warifu, root, &out);
            if n == times {
                convert.arg("--trace");
            }
            process::run(&mut convert, Output::Shown)?;
        }
        let mut check = Command::new(&warifu);
        check.args(["check", "-qq"]).arg(root);
        check.args(["--config", "none", "--fail-on", "never", "--format"]);
        check.arg(format!("json={}", out.join("report.json").display()));
        process::run(&mut check, Output::Shown)?;
    }
    Ok(all().cloned().collect())
}

/// `warifu convert` of one storage, in one thread.
fn convert(warifu: &Path, root: &Path, out: &Path) -> Command {
    let mut convert = Command::new(warifu);
    convert.arg("convert").arg(root).arg("--out").arg(out);
    convert.args(["--to", "ndjson", "--config", "none", "--jobs", "1"]);
    convert.args(["--institution", "1319999999", "--fail-on", "never"]);
    convert.args(["-qq", "--no-progress"]);
    convert
}

/// Whether two programs write the same bytes, of these storages and of the public samples where they are.
fn same(repo: &Repo, programs: [&Path; 2], roots: &[PathBuf]) -> Result<()> {
    let samples = repo.root.join("../shared/samples/ssmix2");
    let samples = ["nho-documents", "nho-testing-tool"].map(|name| samples.join(name));
    let samples = samples.map(|folder| folder.join("standard_root"));
    let all = roots.iter().chain(samples.iter().filter(|s| s.is_dir()));
    let (mut storages, mut compared) = (0, 0);
    for root in all {
        let outs = ["plain", "profiled"].map(|name| repo.target.join("profile/same").join(name));
        for (program, out) in programs.iter().zip(&outs) {
            files::fresh(out)?;
            process::run(convert(program, root, out).arg("--trace"), Output::Shown)?;
        }
        let [plain, profiled] = &outs;
        let written = files::list(plain)?;
        if written != files::list(profiled)? {
            bail!("with a profile other files are made of {}", root.display());
        }
        for file in &written {
            if fs::read(plain.join(file))? != fs::read(profiled.join(file))? {
                bail!(
                    "{} of {} is another with a profile",
                    file.display(),
                    root.display()
                );
            }
            compared += 1;
        }
        storages += 1;
    }
    if compared == 0 {
        bail!("nothing was compared");
    }
    println!("release: {compared} files of {storages} storages are the same with the profile");
    Ok(())
}

/// Measures the stages in turn without a profile and with one. The argument is the number of rounds.
pub(crate) fn bench(repo: &Repo, arguments: &[String]) -> Result<()> {
    let rounds = match arguments {
        [] => "100",
        [rounds] => rounds.as_str(),
        _ => bail!("bench profiled [ROUNDS]"),
    };
    let Some(profiler) = Profiler::find(repo) else {
        bail!("{NO_PROFILE}");
    };
    files::fresh(&profiler.folder("raw"))?;
    let mut train = profiler.cargo(Step::Take, "bench");
    process::run(train.args(TURNS).arg("train"), Output::Shown)?;
    profiler.merge()?;
    let mut plain = cargo(&repo.root);
    plain.arg("bench").env("CARGO_TARGET_DIR", &repo.target);
    let profiled = profiler.cargo(Step::Use, "bench");
    // Twice in turn, since other work may slow down one of them.
    let mut both = [("without a profile", plain), ("with a profile", profiled)];
    for (_, bench) in &mut both {
        bench.args(TURNS).arg(rounds);
    }
    for _ in 0..2 {
        for (name, bench) in &mut both {
            println!("{name}:");
            process::run(bench, Output::Shown)?;
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A program that writes one file of these bytes wherever it is told to write.
    fn writer(folder: &Path, name: &str, bytes: &str) -> Result<PathBuf> {
        let path = folder.join(name);
        let script = format!("#!/bin/sh\nprintf '{bytes}' > \"$4/Patient.ndjson\"\n");
        files::write(&path, script.as_bytes())?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(path)
    }

    #[test]
    fn a_program_that_writes_other_bytes_with_a_profile_is_no_release() {
        let root = env::temp_dir().join(format!("warifu-xtask-{}-same", std::process::id()));
        files::fresh(&root).unwrap();
        let repo = Repo {
            target: root.join("target"),
            root: root.clone(),
        };
        let plain = writer(&root, "plain", "one").unwrap();
        let other = writer(&root, "other", "two").unwrap();
        let roots = [root.join("storage")];
        same(&repo, [&plain, &plain], &roots).unwrap();
        let error = same(&repo, [&plain, &other], &roots).unwrap_err();
        assert!(error.to_string().contains("Patient.ndjson of "), "{error}");
        assert!(same(&repo, [&plain, &plain], &[]).is_err(), "of nothing");
        fs::remove_dir_all(&root).unwrap();
    }
}
