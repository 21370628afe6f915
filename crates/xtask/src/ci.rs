//! Everything CI runs, in its order, with a line for each step and one sum at the end.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Instant,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    files,
    process::{self, Output, cargo},
    readme, release,
    repo::Repo,
    serve,
    tools::{self, WasmCompiler},
};

/// What a step counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Tally {
    /// A check that is one fact.
    const ONE: Self = Self {
        passed: 1,
        failed: 0,
        skipped: 0,
    };

    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// One step: its name, what it does, and how.
struct Step {
    name: &'static str,
    what: &'static str,
    run: fn(&Ci<'_>, &Path) -> Result<Tally>,
    /// How the tests in the step's log are counted; `None`: the step is one check.
    count: Option<fn(&str) -> Tally>,
}

const STEPS: [Step; 14] = [
    step("lock", "lock files are committed as cargo wants them", lock),
    step("fmt", "rustfmt", fmt),
    step("clippy", "clippy, native, all targets", clippy),
    step("clippy-wasm", "clippy, wasm32", clippy_wasm),
    step("deny", "licences, sources, duplicates", deny),
    tests("test", "cargo test --workspace", test, cargo_tests),
    tests(
        "hapi",
        "HAPI's FHIR validator beside ours",
        hapi,
        cargo_tests,
    ),
    step("docs", "rustdoc, warnings are errors", documentation),
    step("wasm", "release wasm, package, playground and portal", wasm),
    step("sizes", "gzip sizes against their budgets", sizes),
    tests("node", "tests in Node.js", node, node_tests),
    step("package", "types and exports of the npm package", package),
    tests("browser", "tests in headless Chromium", browser, node_tests),
    step("demo", "README's commands, the demo", demo),
];

const fn step(
    name: &'static str,
    what: &'static str,
    run: fn(&Ci<'_>, &Path) -> Result<Tally>,
) -> Step {
    Step {
        name,
        what,
        run,
        count: None,
    }
}

const fn tests(
    name: &'static str,
    what: &'static str,
    run: fn(&Ci<'_>, &Path) -> Result<Tally>,
    count: fn(&str) -> Tally,
) -> Step {
    Step {
        name,
        what,
        run,
        count: Some(count),
    }
}

/// What the steps share.
struct Ci<'r> {
    repo: &'r Repo,
    /// This program, to run its other commands with their output in a log.
    xtask: PathBuf,
}

/// Runs the steps, all or some; stops at the first that fails.
pub(crate) fn run(repo: &Repo, from: Option<&str>, only: Option<&str>) -> Result<ExitCode> {
    for name in [from, only].into_iter().flatten() {
        if !STEPS.iter().any(|step| step.name == name) {
            let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
            bail!("no step `{name}`; the steps are {}", names.join(", "));
        }
    }
    let ci = Ci {
        repo,
        xtask: env::current_exe()?,
    };
    let logs = repo.target.join("ci");
    files::fresh(&logs)?;
    let start = Instant::now();
    let mut sum = Tally::default();
    let mut reached = from.is_none();
    for (number, step) in STEPS.iter().enumerate() {
        reached |= from == Some(step.name);
        if !reached || only.is_some_and(|only| only != step.name) {
            continue;
        }
        let log = logs.join(format!("{number:02}-{}.log", step.name));
        announce(&format!(
            "[{}/{}] {}: {} …",
            number + 1,
            STEPS.len(),
            step.name,
            step.what
        ))?;
        let begin = Instant::now();
        let result = (step.run)(&ci, &log);
        let written = fs::read(&log).unwrap_or_default();
        let written = String::from_utf8_lossy(&written);
        let counted = step
            .count
            .map_or_else(Tally::default, |count| count(&written));
        sum.add(counted);
        let seconds = begin.elapsed().as_secs_f32();
        match result {
            Ok(own) => {
                sum.add(own);
                if step.count.is_some() {
                    println!(
                        "    ok, {seconds:.0} s, {} passed",
                        counted.passed + own.passed
                    );
                } else {
                    println!("    ok, {seconds:.0} s");
                }
            }
            Err(error) => {
                println!("    FAILED after {seconds:.0} s");
                println!("error: step {}: {error:#}", step.name);
                for line in failures(&written) {
                    println!("    {line}");
                }
                sum.failed = sum.failed.max(1);
                break;
            }
        }
    }
    println!(
        "ci: {:.1} minutes, logs in {}",
        start.elapsed().as_secs_f32() / 60.0,
        logs.display()
    );
    println!("{}", closing_line(sum));
    Ok(ExitCode::from(u8::from(sum.failed > 0)))
}

fn closing_line(sum: Tally) -> String {
    let Tally {
        passed,
        failed,
        skipped,
    } = sum;
    if skipped > 0 {
        format!("{passed} passed, {failed} failed, {skipped} skipped")
    } else {
        format!("{passed} passed, {failed} failed")
    }
}

fn announce(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

impl Ci<'_> {
    /// `cargo ARGUMENTS` as CI wants it.
    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = cargo(&self.repo.root);
        command
            .args(arguments)
            .env("CARGO_TARGET_DIR", &self.repo.target);
        plain(&mut command);
        command
    }

    fn xtask(&self, arguments: &[&str], log: &Path) -> Result<Tally> {
        let mut command = Command::new(&self.xtask);
        command.args(arguments).current_dir(&self.repo.root);
        plain(&mut command);
        process::run(&mut command, Output::Log(log))?;
        Ok(Tally::ONE)
    }
}

/// Builds are from scratch or not at all: incremental state costs time and room here.
fn plain(command: &mut Command) {
    command
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_TERM_COLOR", "never")
        .env("NO_COLOR", "1");
}

/// In CI the lock files of the commit must be the ones that were used: `cargo run` of xtask
/// itself would otherwise have mended them unseen.
fn lock(ci: &Ci<'_>, log: &Path) -> Result<Tally> {
    process::run(
        &mut ci.cargo(&["tree", "--locked", "--workspace", "--depth", "0"]),
        Output::Log(log),
    )
    .context("Cargo.lock does not fit the manifests")?;
    if env::var_os("CI").is_some() {
        let mut diff = Command::new("git");
        diff.args([
            "diff",
            "--exit-code",
            "--stat",
            "--",
            "Cargo.lock",
            "package-lock.json",
        ])
        .current_dir(&ci.repo.root);
        process::run(&mut diff, Output::Log(log))
            .context("a lock file differs from the committed one; commit it")?;
    }
    Ok(Tally::ONE)
}

fn fmt(ci: &Ci<'_>, log: &Path) -> Result<Tally> {
    process::run(
        &mut ci.cargo(&["fmt", "--all", "--check"]),
        Output::Log(log),
    )
    .context("run `cargo fmt --all`")?;
    let fuzz = ci.repo.root.join("tests/fuzz/Cargo.toml");
    if fuzz.is_file() {
        let mut command = ci.cargo(&["fmt", "--check", "--manifest-path"]);
        command.arg(fuzz);
        process::run(&mut command, Output::Log(log))?;
    }
    Ok(Tally::ONE)
}

fn clippy(ci: &Ci<'_>, log: &Path) -> Result<Tally> {
    let arguments = [
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    process::run(&mut ci.cargo(&arguments), Output::Log(log))?;
    Ok(Tally::ONE)
}

/// Crates that touch files, terminals or sockets; every other one must compile for wasm32.
const NATIVE_ONLY: [&str; 8] = [
    "warifu-cli",
    "warifu-log-file",
    "warifu-server",
    "warifu-storage",
    "warifu-store",
    "warifu-synth",
    "xtask",
    "xtask-bindgen",
];

/// Packages that must compile for wasm32, sorted.
fn wasm_packages(repo: &Repo) -> Result<Vec<String>> {
    let mut packages = vec!["warifu-playground".to_owned(), "warifu-web".to_owned()];
    for entry in fs::read_dir(repo.root.join("crates"))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !NATIVE_ONLY.contains(&name.as_str()) && entry.path().join("Cargo.toml").is_file() {
            packages.push(name);
        }
    }
    packages.sort();
    Ok(packages)
}

fn clippy_wasm(ci: &Ci<'_>, log: &Path) -> Result<Tally> {
    let compiler = tools::wasm_compiler(ci.repo)?;
    // Debian's compiler has no clippy; it still checks that everything compiles.
    let subcommand = match compiler {
        WasmCompiler::Installed => "clippy",
        WasmCompiler::Debian => "check",
    };
    let mut command = tools::wasm_cargo(ci.repo, compiler, subcommand, &[]);
    plain(&mut command);
    command.args(["--locked", "--lib"]);
    for package in wasm_packages(ci.repo)? {
        command.args(["--package", &package]);
    }
    if compiler == WasmCompiler::Installed {
        command.args(["--", "-D", "warnings"]);
    }
    process::run(&mut command, Output::Log(log))?;
    Ok(Tally::ONE)
}

fn deny(ci: &Ci<'_>, log: &Path) -> Result<Tally> {
    let cargo_deny = tools::cargo_deny(ci.repo, Output::Log(log))?;
    let cargo_deny = || {
        let mut command = Command::new(&cargo_deny);
        command.current_dir(&ci.repo.root);
        process::strip_cargo_variables(&mut command);
        plain(&mut command);
        command
    };
    let mut check = cargo_deny();
    check.args(["--locked", "check", "licenses", "bans", "sources"]);
    process::run(&mut check, Output::Log(log))?;
    let mut fetch = cargo_deny();
    fetch.args(["--locked", "fetch", "db"]);
    if process::succeeds_within(&mut fetch, tools::FETCH_LIMIT, log)? {
        let mut check = cargo_deny();
        check.args(["--locked", "check", "--disable-fetch", "advisories"]);
        process::run(&mut check, Output::Log(log))?;
        println!("    advisories: checked");
    } else {
        println!("    advisories: not checked (the database cannot be reached)");
    }
    Ok(Tally::ONE)
}

fn test(ci: &Ci<'_>, log: &Path) -> Result<Tally> {
    let mut command = ci.cargo(&["test", "--locked", "--workspace", "--no-fail-fast"]);
    // Snapshots are compared, never written.
    command.env("INSTA_UPDATE", "no");
    over_postgresql(&mut command)?;
    process::run(&mut command, Output::Log(log))?;
    Ok(Tally::default())
}

/// The test that asks HAPI; it says `skipped` in the step before.
fn hapi(ci: &Ci<'_>, log: &Path) -> Result<Tally> {
    let class_path = tools::hapi(ci.repo, log)?;
    // The whole workspace, so that nothing is built with other features than before.
    let arguments = [
        "test",
        "--locked",
        "--workspace",
        "--test",
        "fhir_mutation",
        "--",
        "hapi_agrees",
    ];
    let mut command = ci.cargo(&arguments);
    command.env("WARIFU_HAPI", class_path);
    process::run(&mut command, Output::Log(log))?;
    Ok(Tally::default())
}

/// `cargo xtask docs`: the documentation, shown as it is built, and the pages of rules.
pub(crate) fn docs(repo: &Repo) -> Result<()> {
    let mut command = cargo(&repo.root);
    command
        .args(DOC)
        .env("CARGO_TARGET_DIR", &repo.target)
        .env("RUSTDOCFLAGS", "-D warnings");
    process::run(&mut command, Output::Shown)?;
    println!("docs: {}", repo.target.join("doc").display());
    // The test that compares docs/rules with the catalogue writes it when asked to.
    let mut pages = cargo(&repo.root);
    pages
        .args(["test", "--package", "warifu-tests", "--test", "rule_pages"])
        .env("CARGO_TARGET_DIR", &repo.target)
        .env("WARIFU_WRITE_DOCS", "1");
    process::run(&mut pages, Output::Shown)?;
    println!("docs: {}", repo.root.join("docs/rules").display());
    Ok(())
}

const DOC: [&str; 3] = ["doc", "--workspace", "--no-deps"];

fn documentation(ci: &Ci<'_>, log: &Path) -> Result<Tally> {
    let mut command = ci.cargo(&DOC);
    command.arg("--locked").env("RUSTDOCFLAGS", "-D warnings");
    process::run(&mut command, Output::Log(log))?;
    Ok(Tally::ONE)
}

fn wasm(ci: &Ci<'_>, log: &Path) -> Result<Tally> {
    if tools::dev_tools(ci.repo)?.is_none() {
        bail!("CI needs Node.js 20 or newer with npm");
    }
    ci.xtask(&["wasm", "--release"], log)
}

fn sizes(ci: &Ci<'_>, log: &Path) -> Result<Tally> {
    let result = ci.xtask(&["sizes"], log);
    // The table belongs into CI's own output, also when it is good.
    for line in fs::read_to_string(log)?.lines().skip(1) {
        println!("    {line}");
    }
    result
}

fn node(ci: &Ci<'_>, log: &Path) -> Result<Tally> {
    let mut build = ci.cargo(&["build", "--locked", "--package", "warifu-cli"]);
    process::run(&mut build, Output::Log(log))?;
    // What the wasm is compared with.
    let mut build = ci.cargo(&["build", "--locked", "--package", "warifu-tests"]);
    build.args(["--bin", "native-digests", "--bin", "consent-states"]);
    process::run(&mut build, Output::Log(log))?;
    let digests = ci.repo.target.join("debug/native-digests");
    let states = ci.repo.target.join("debug/consent-states");
    // What the golden tokens are verified with.
    let python = tools::python(ci.repo, Output::Log(log))?;
    let variables = [
        ("WARIFU_DIGESTS", digests.to_string_lossy().into_owned()),
        ("WARIFU_STATES", states.to_string_lossy().into_owned()),
        ("WARIFU_PYTHON", python.to_string_lossy().into_owned()),
    ];
    let mut files = test_files(&ci.repo.root.join("pkg/test"))?;
    files.extend(test_files(&ci.repo.root.join("tests/js"))?);
    run_node_tests(ci, &files, &variables, log)
}

fn browser(ci: &Ci<'_>, log: &Path) -> Result<Tally> {
    // What the page saves is compared with what the program writes.
    let mut build = ci.cargo(&["build", "--locked", "--package", "warifu-cli"]);
    process::run(&mut build, Output::Log(log))?;
    let chromium = tools::chromium()?;
    let dist = ci.repo.root.join("playground/dist");
    let url = serve::Server::bind(&dist, Some(0))?.spawn();
    let files = test_files(&ci.repo.root.join("tests/browser"))?;
    let variables = [
        ("WARIFU_URL", url),
        ("WARIFU_CHROMIUM", chromium.to_string_lossy().into_owned()),
    ];
    run_node_tests(ci, &files, &variables, log)
}

/// Says that PostgreSQL is there, where it is: then no test may pass it over.
fn over_postgresql(command: &mut Command) -> Result<()> {
    if tools::postgresql()? {
        command.env("WARIFU_NEEDS_POSTGRESQL", "1");
    }
    Ok(())
}

/// `*.test.mjs` of a folder, sorted.
fn test_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if folder.is_dir() {
        for file in files::list(folder)? {
            let name = files::slashed(&file);
            if name.ends_with(".test.mjs") && !name.contains("node_modules/") {
                found.push(folder.join(file));
            }
        }
    }
    Ok(found)
}

fn run_node_tests(
    ci: &Ci<'_>,
    files: &[PathBuf],
    variables: &[(&str, String)],
    log: &Path,
) -> Result<Tally> {
    if files.is_empty() {
        bail!("there is no *.test.mjs to run");
    }
    if tools::dev_tools(ci.repo)?.is_none() {
        bail!("these tests need Node.js 20 or newer with npm");
    }
    let mut command = Command::new("node");
    command
        // The handles of a browser that hangs are closed after this time.
        .args(["--test", "--test-reporter=tap", "--test-timeout=300000"])
        .args(["--test-concurrency=1"])
        .args(files)
        .current_dir(&ci.repo.root)
        .env("WARIFU_CLI", ci.repo.target.join("debug/warifu"))
        .envs(variables.iter().map(|(name, value)| (name, value)));
    over_postgresql(&mut command)?;
    plain(&mut command);
    process::run(&mut command, Output::Log(log))?;
    Ok(Tally::default())
}

/// Programs of npm that look at the package as its users get it.
fn package(ci: &Ci<'_>, log: &Path) -> Result<Tally> {
    let Some(modules) = tools::dev_tools(ci.repo)? else {
        bail!("the package is checked with Node.js 20 or newer and npm");
    };
    let pkg = ci.repo.root.join("pkg");
    let program = |path: &str| {
        let mut command = Command::new("node");
        command.arg(modules.join(path)).current_dir(&pkg);
        plain(&mut command);
        command
    };
    let mut publint = program("publint/src/cli.js");
    publint.args(["--strict", "."]);
    process::run(&mut publint, Output::Log(log))?;
    let mut attw = program("@arethetypeswrong/cli/dist/index.js");
    attw.args(["--pack", ".", "--profile", "esm-only"]);
    process::run(&mut attw, Output::Log(log))?;
    // With the types of browsers, then with those of Node.js alone.
    for config in ["test/tsconfig.json", "test/tsconfig.node.json"] {
        let mut tsc = program("typescript/bin/tsc");
        tsc.arg("--project").arg(pkg.join(config));
        process::run(&mut tsc, Output::Log(log))?;
    }
    Ok(Tally::ONE)
}

fn demo(ci: &Ci<'_>, log: &Path) -> Result<Tally> {
    let commands = readme::check(ci.repo)?;
    ci.xtask(&["demo", "--no-serve"], log)?;
    let release = release::run(ci.repo, &crate::demo::program_file(ci.repo))?;
    let action = release::try_action(ci.repo, &release)?;
    Ok(Tally {
        passed: commands + 1 + action,
        ..Tally::default()
    })
}

/// Tests that a log shows as failed, with what they said; each is named, whatever stood after it.
///
/// Who reads only the end of CI's output finds them there.
fn failures(log: &str) -> Vec<&str> {
    const TESTS: usize = 8;
    const LINES: usize = 14;
    let mut told = Vec::new();
    let mut tests = 0;
    let mut lines = log.lines().peekable();
    while let Some(line) = lines.next() {
        let is_node = line.trim_start().starts_with("not ok ");
        let is_cargo = line.starts_with("---- ") && line.ends_with(" stdout ----");
        if !is_node && !is_cargo {
            continue;
        }
        tests += 1;
        if tests > TESTS {
            told.push("… and more; the log has them all");
            break;
        }
        told.push(line.trim_start());
        for _ in 0..LINES {
            // A test's account ends with `...` of TAP, a stack or the next test.
            let ends = |next: &&str| {
                let next = next.trim_start();
                ["...", "stack: |-", "stack backtrace:"].contains(&next)
                    || ["ok ", "not ok ", "# ", "---- ", "failures:"]
                        .iter()
                        .any(|start| next.starts_with(start))
            };
            match lines.next_if(|next| !ends(next)) {
                Some(next) => told.push(next),
                None => break,
            }
        }
    }
    told.retain(|line| !line.trim().is_empty());
    told
}

/// Sum of the `test result:` lines of cargo test.
fn cargo_tests(log: &str) -> Tally {
    let mut sum = Tally::default();
    for line in log.lines() {
        let Some((_, counts)) = line.split_once("test result: ") else {
            continue;
        };
        for count in counts.split([';', '.']) {
            let mut words = count.split_whitespace();
            let (Some(number), Some(word)) = (words.next(), words.next()) else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match word {
                "passed" => sum.passed += number,
                "failed" => sum.failed += number,
                "ignored" => sum.skipped += number,
                _ => {}
            }
        }
    }
    sum
}

/// Sum of the closing comments of `node --test`.
fn node_tests(log: &str) -> Tally {
    let mut sum = Tally::default();
    for line in log.lines() {
        let mut words = line.split_whitespace();
        let (Some("#"), Some(word), Some(number), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        let Ok(number) = number.parse::<u64>() else {
            continue;
        };
        match word {
            "pass" => sum.passed += number,
            "fail" | "cancelled" => sum.failed += number,
            "skipped" | "todo" => sum.skipped += number,
            _ => {}
        }
    }
    sum
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn results_of_cargo_test_are_summed() {
        let log = "running 2 tests\n\
            test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 5 filtered out; finished in 0.07s\n\
            test result: FAILED. 3 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s\n";
        let expected = Tally {
            passed: 5,
            failed: 4,
            skipped: 1,
        };
        assert_eq!(cargo_tests(log), expected);
    }

    #[test]
    fn results_of_node_are_summed() {
        let log = "ok 1 - a\n1..3\n# tests 6\n# suites 0\n# pass 3\n# fail 1\n# cancelled 1\n\
                   # skipped 1\n# todo 0\n# duration_ms 53.4\n# pass me by 3\n";
        let expected = Tally {
            passed: 3,
            failed: 2,
            skipped: 1,
        };
        assert_eq!(node_tests(log), expected);
    }

    #[test]
    fn tests_that_failed_are_named_with_what_they_said() {
        let node = "# Subtest: a\nok 1 - a\n  ---\n  duration_ms: 1\n  ...\n# Subtest: b\n\
                    not ok 2 - b\n  ---\n  error: 'three, not two'\n  stack: |-\n    at b\n  ...\n\
                    ok 3 - c\n";
        let expected = ["not ok 2 - b", "  ---", "  error: 'three, not two'"];
        assert_eq!(failures(node), expected);
        let cargo = "test x ... FAILED\n\nfailures:\n\n---- unit::x stdout ----\n\
                     thread panicked at a.rs:1\n\n\nfailures:\n    unit::x\n";
        let expected = ["---- unit::x stdout ----", "thread panicked at a.rs:1"];
        assert_eq!(failures(cargo), expected);
        assert!(failures("ok 1 - not ok 2\n").is_empty());
        let many = "not ok 1 - a\n".repeat(20);
        assert_eq!(
            failures(&many).last(),
            Some(&"… and more; the log has them all")
        );
    }

    #[test]
    fn core_crates_are_checked_for_wasm_and_edges_are_not() {
        let packages = wasm_packages(&Repo::find().unwrap()).unwrap();
        for core in ["warifu-source", "warifu-hl7", "warifu-playground"] {
            assert!(packages.iter().any(|package| package == core), "{core}");
        }
        assert!(!packages.iter().any(|package| package == "xtask"));
    }

    #[test]
    fn closing_line_is_the_plain_one() {
        let sum = Tally {
            passed: 7,
            failed: 0,
            skipped: 0,
        };
        assert_eq!(closing_line(sum), "7 passed, 0 failed");
        let skipping = Tally { skipped: 2, ..sum };
        assert_eq!(closing_line(skipping), "7 passed, 0 failed, 2 skipped");
    }

    #[test]
    fn steps_have_names_of_their_own() {
        let mut names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STEPS.len());
    }
}
