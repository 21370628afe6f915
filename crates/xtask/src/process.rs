//! Running other programs: with their output shown, kept in a log, or captured.

use std::{
    env,
    ffi::OsStr,
    fmt::Write as _,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

/// Where the output of a step goes.
#[derive(Clone, Copy)]
pub(crate) enum Output<'p> {
    /// To the terminal, as it comes.
    Shown,
    /// Appended to a file; its end is shown when the program fails.
    Log(&'p Path),
}

/// `cargo`, without the variables that `cargo run` set for xtask itself.
///
/// They would make build scripts of the nested build look changed.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root);
    strip_cargo_variables(&mut command);
    command
}

/// Takes from the child what `cargo run` put into our environment.
pub(crate) fn strip_cargo_variables(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        let of_cargo_run = text.starts_with("CARGO_PKG_")
            || text.starts_with("CARGO_MANIFEST_")
            || ["CARGO", "CARGO_CRATE_NAME", "CARGO_BIN_NAME"].contains(&text);
        if of_cargo_run {
            command.env_remove(name);
        }
    }
}

/// Runs a program to its end; an error names the program, its exit code and the last lines.
pub(crate) fn run(command: &mut Command, output: Output<'_>) -> Result<()> {
    match output {
        Output::Shown => run_allowing(command, &[]),
        Output::Log(path) => {
            let line = shown(command);
            let mut log = open_log(path)?;
            writeln!(log, "$ {line}")?;
            let status = command
                .stdin(Stdio::null())
                .stdout(log.try_clone()?)
                .stderr(log)
                .status()
                .with_context(|| format!("cannot start `{line}`"))?;
            if !status.success() {
                show_end(path, 60);
                bail!(
                    "`{line}` ended with {status}; whole output: {}",
                    path.display()
                );
            }
            Ok(())
        }
    }
}

/// Runs a program with its output shown; these exit codes count as success, like 0.
pub(crate) fn run_allowing(command: &mut Command, codes: &[i32]) -> Result<()> {
    let line = shown(command);
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() && !status.code().is_some_and(|code| codes.contains(&code)) {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

/// Standard output of a program that succeeds, trimmed; `None` if it is absent or fails.
pub(crate) fn read(program: impl AsRef<OsStr>, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    String::from_utf8(output.stdout)
        .ok()
        .map(|text| text.trim().to_owned())
}

/// Runs a program for at most `limit`; whether it succeeded in that time.
pub(crate) fn succeeds_within(command: &mut Command, limit: Duration, log: &Path) -> Result<bool> {
    let line = shown(command);
    let mut log = open_log(log)?;
    writeln!(log, "$ {line}")?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("cannot start `{line}`"))?;
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// The first of these names that is a file in a folder of `PATH`.
pub(crate) fn find(names: &[&str]) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    let files = names
        .iter()
        .flat_map(|name| env::split_paths(&folders).map(move |folder| folder.join(name)));
    files.into_iter().find(|file| file.is_file())
}

/// Whether this user may install Debian packages.
pub(crate) fn can_apt() -> bool {
    find(&["apt-get"]).is_some() && read("id", &["-u"]).as_deref() == Some("0")
}

/// Installs Debian packages; needs [`can_apt`].
pub(crate) fn apt_install(packages: &[&str]) -> Result<()> {
    let mut update = Command::new("apt-get");
    update.args(["update", "-qq"]);
    run(&mut update, Output::Shown)?;
    let mut install = Command::new("apt-get");
    install
        .args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive");
    run(&mut install, Output::Shown)
}

fn open_log(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    File::options()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Prints the last lines of a log to standard error.
fn show_end(path: &Path, lines: usize) {
    let Ok(bytes) = fs::read(path) else { return };
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    let from = all.len().saturating_sub(lines);
    let mut stderr = io::stderr().lock();
    for line in all.iter().skip(from) {
        // Nothing is left to be told about a closed standard error.
        let _ = writeln!(stderr, "  | {line}");
    }
}

/// A command as one would type it.
/// The command in one line, cut where it names many files.
fn shown(command: &Command) -> String {
    const ARGUMENTS: usize = 12;
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args().take(ARGUMENTS) {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    let more = command.get_args().skip(ARGUMENTS).count();
    if more > 0 {
        let _ = write!(line, " … ({more} more)");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(name: &str) -> PathBuf {
        let path = env::temp_dir().join(format!("warifu-xtask-{}-{name}.log", std::process::id()));
        let _ = fs::remove_file(&path);
        path
    }

    #[test]
    fn a_failing_program_is_named_and_its_output_kept() {
        let path = log("fails");
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let error = run(&mut command, Output::Log(&path))
            .unwrap_err()
            .to_string();
        assert!(error.contains("exit status: 3"), "{error}");
        let kept = fs::read_to_string(&path).unwrap();
        assert!(
            kept.contains("\nout\n") && kept.contains("\nerr\n"),
            "{kept}"
        );
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_program_over_its_time_is_ended() {
        let path = log("slow");
        let mut command = Command::new("sleep");
        command.arg("60");
        let start = Instant::now();
        let ended = succeeds_within(&mut command, Duration::from_millis(100), &path).unwrap();
        assert!(!ended);
        assert!(start.elapsed() < Duration::from_secs(30));
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn read_gives_nothing_for_failures_and_absent_programs() {
        assert_eq!(read("echo", &["a"]).as_deref(), Some("a"));
        assert_eq!(read("false", &[]), None);
        assert_eq!(read("no-such-program-of-warifu", &[]), None);
    }
}
