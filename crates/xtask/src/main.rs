//! `cargo xtask COMMAND`: sets up, builds, checks, measures and serves Warifu.
//!
//! Only the standard library, `anyhow`, our JSON tree and what packs and hashes files, so that the first
//! `cargo xtask` of a fresh machine runs after a few seconds. DEVELOPERS.md describes the commands.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    reason = "a command line program: its results go to standard output"
)]

mod bench;
mod ci;
mod demo;
mod files;
mod fuzz;
mod process;
mod profiled;
mod r4;
mod readme;
mod release;
mod repo;
mod serve;
mod sizes;
mod tools;
mod wasm;
mod wasm_order;

use std::{env, process::ExitCode};

use anyhow::{Result, bail};

use crate::repo::Repo;

const HELP: &str = "\
cargo xtask COMMAND

  setup [--browser]          install what is missing: wasm target, dev tools (and a browser)
  demo [--port N] [--fresh] [--no-serve]
                             build, convert the sample storage, start the hospital of the demo
  wasm [--release] [--only MODULE]
                             build pkg/dist, playground/dist and web/dist; --only makes
                             one module, to weigh it (and of portal, web/dist)
  sizes                      gzip sizes of the wasm pieces against their budgets
  serve [--port N]           serve playground/dist on 127.0.0.1
  docs                       API documentation, warnings are errors; docs/rules anew
  ci [--from STEP | --only STEP]
                             everything CI runs, in its order
  r4                         crates/warifu-r4/core.bin from npm's FHIR definitions
  fhir-cases [--bless]       HL7's validator cases of the checkout in WARIFU_FHIR_TEST_CASES;
                             --bless writes down those that pass
  nightly [--seconds N]      run every fuzz target (60 seconds each), interrupt a conversion at 50 moments,
                             kill the server 50 times, look at its memory for 10 minutes
  bench [ARGUMENTS…]         run the benchmarks; ARGUMENTS go to criterion;
                             `bench storage [MESSAGES]` converts a generated storage,
                             `bench wasm [ROUNDS]` the same messages in Node.js and natively,
                             `bench load [SECONDS]` asks the server at fixed rates, and for too much,
                             `bench profiled [ROUNDS]` the stages in turn without a profile and with one
  release [--program]        program (with a profile), npm package, notes and sums in
                             target/release-VERSION; --program makes that alone, without pages
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode> {
    let Some((command, rest)) = arguments.split_first() else {
        print!("{HELP}");
        return Ok(ExitCode::from(2));
    };
    let repo = Repo::find()?;
    match command.as_str() {
        "setup" => {
            let browser = Options::parse(rest, &["--browser"], &[])?.has("--browser");
            tools::setup(&repo, browser)?;
        }
        "demo" => {
            let options = Options::parse(rest, &["--fresh", "--no-serve"], &["--port"])?;
            let then = match (options.has("--no-serve"), options.has("--fresh")) {
                (true, _) => demo::Then::Look,
                (false, true) => demo::Then::ServeFresh,
                (false, false) => demo::Then::Serve,
            };
            demo::run(&repo, options.port()?, then)?;
        }
        "wasm" => {
            let options = Options::parse(rest, &["--release"], &["--only"])?;
            let profile = if options.has("--release") {
                wasm::Profile::Release
            } else {
                wasm::Profile::Dev
            };
            match options.value("--only") {
                Some(name) => wasm::weigh(&repo, profile, name)?,
                None => wasm::build(&repo, profile)?,
            }
        }
        "sizes" => {
            Options::parse(rest, &[], &[])?;
            sizes::run(&repo)?;
        }
        "serve" => {
            let options = Options::parse(rest, &[], &["--port"])?;
            serve::run(&repo.root.join("playground/dist"), options.port()?)?;
        }
        "docs" => {
            Options::parse(rest, &[], &[])?;
            ci::docs(&repo)?;
        }
        "ci" => {
            let options = Options::parse(rest, &[], &["--from", "--only"])?;
            return ci::run(&repo, options.value("--from"), options.value("--only"));
        }
        "r4" => {
            Options::parse(rest, &[], &[])?;
            r4::run(&repo)?;
        }
        "fhir-cases" => {
            let bless = Options::parse(rest, &["--bless"], &[])?.has("--bless");
            fhir_cases(&repo, bless)?;
        }
        "nightly" => {
            let options = Options::parse(rest, &[], &["--seconds"])?;
            fuzz::run(&repo, options.number("--seconds")?.unwrap_or(60))?;
            interruptions(&repo)?;
            kills(&repo)?;
            println!("nightly: memory of the server over 10 minutes …");
            wasm::build(&repo, wasm::Profile::Release)?;
            bench::load(&repo, "soak", &[])?;
        }
        "bench" => bench::run(&repo, rest)?,
        "release" => {
            if Options::parse(rest, &["--program"], &[])?.has("--program") {
                let program = profiled::program(&repo, None)?;
                println!("release: {}", program.display());
            } else {
                let pages = demo::program(&repo)?;
                release::run(&repo, &profiled::program(&repo, Some(&pages))?)?;
            }
        }
        "help" | "--help" | "-h" => print!("{HELP}"),
        other => bail!("unknown command `{other}`; `cargo xtask help` lists them"),
    }
    Ok(ExitCode::SUCCESS)
}

/// The runner of HL7's validator cases, with its report shown.
fn fhir_cases(repo: &Repo, bless: bool) -> Result<()> {
    if env::var_os("WARIFU_FHIR_TEST_CASES").is_none() {
        bail!("WARIFU_FHIR_TEST_CASES names no checkout of the fhir-test-cases repository");
    }
    let mut command = process::cargo(&repo.root);
    command
        .args(["test", "--locked", "--package", "warifu-tests", "--test"])
        .args(["fhir_cases", "--", "--nocapture", "checkout"])
        .env("CARGO_TARGET_DIR", &repo.target);
    if bless {
        command.env("WARIFU_BLESS", "1");
    }
    process::run(&mut command, process::Output::Shown)
}

/// The test that interrupts a conversion, at 50 moments instead of CI's few.
fn interruptions(repo: &Repo) -> Result<()> {
    println!("nightly: a conversion interrupted at 50 moments …");
    let mut command = process::cargo(&repo.root);
    command
        .args([
            "test",
            "--locked",
            "--package",
            "warifu-cli",
            "--test",
            "cli",
            "--",
            "interrupted",
        ])
        .env("CARGO_TARGET_DIR", &repo.target)
        .env("WARIFU_MOMENTS", "50");
    process::run(&mut command, process::Output::Shown)
}

/// The test that kills the server, 50 times instead of CI's few, over each database.
fn kills(repo: &Repo) -> Result<()> {
    println!("nightly: the server killed 50 times over each database …");
    let mut command = process::cargo(&repo.root);
    command
        .args(["test", "--locked", "--package", "warifu-server", "--test"])
        .args(["kill", "--", "--nocapture"])
        .env("CARGO_TARGET_DIR", &repo.target)
        .env("WARIFU_KILLS", "50");
    if tools::postgresql()? {
        command.env("WARIFU_NEEDS_POSTGRESQL", "1");
    }
    process::run(&mut command, process::Output::Shown)
}

/// Names of the commands, for the README check.
fn commands() -> impl Iterator<Item = &'static str> {
    HELP.lines()
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter_map(|line| line.split_whitespace().next())
}

/// Flags and values given after the command.
struct Options {
    flags: Vec<String>,
    values: Vec<(String, String)>,
}

impl Options {
    fn parse(arguments: &[String], flags: &[&str], values: &[&str]) -> Result<Self> {
        let mut options = Self {
            flags: Vec::new(),
            values: Vec::new(),
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let (name, attached) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            if values.contains(&name) {
                match attached.or_else(|| rest.next().cloned()) {
                    Some(value) => options.values.push((name.to_owned(), value)),
                    None => bail!("{name} needs a value"),
                }
            } else if flags.contains(&name) && attached.is_none() {
                options.flags.push(name.to_owned());
            } else {
                bail!("unknown argument `{argument}`; `cargo xtask help` lists the commands");
            }
        }
        Ok(options)
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|given| given == flag)
    }

    fn value(&self, name: &str) -> Option<&str> {
        let found = self.values.iter().rev().find(|(given, _)| given == name);
        found.map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str) -> Result<Option<u32>> {
        match self.value(name).map(str::parse) {
            None => Ok(None),
            Some(Ok(number)) => Ok(Some(number)),
            Some(Err(_)) => bail!("{name} needs a whole number"),
        }
    }

    fn port(&self) -> Result<Option<u16>> {
        match self.value("--port").map(str::parse) {
            None => Ok(None),
            Some(Ok(port)) => Ok(Some(port)),
            Some(Err(_)) => bail!("--port needs a number from 0 to 65535"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &str) -> Result<Options> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&arguments, &["--no-serve"], &["--port"])
    }

    #[test]
    fn a_value_may_be_attached_or_follow() {
        assert_eq!(options("--port 80").unwrap().port().unwrap(), Some(80));
        assert_eq!(options("--port=81").unwrap().port().unwrap(), Some(81));
        assert!(options("--no-serve").unwrap().has("--no-serve"));
        assert_eq!(options("").unwrap().port().unwrap(), None);
    }

    #[test]
    fn unknown_missing_and_misshapen_arguments_are_refused() {
        assert!(options("--prot 80").is_err());
        assert!(options("--port").is_err());
        assert!(options("--no-serve=1").is_err());
        assert!(options("--port x").unwrap().port().is_err());
        assert!(options("--port 65536").unwrap().port().is_err());
    }

    #[test]
    fn help_names_each_command_once() {
        let all: Vec<&str> = commands().collect();
        assert_eq!(
            all,
            [
                "setup",
                "demo",
                "wasm",
                "sizes",
                "serve",
                "docs",
                "ci",
                "r4",
                "fhir-cases",
                "nightly",
                "bench",
                "release"
            ]
        );
    }
}
