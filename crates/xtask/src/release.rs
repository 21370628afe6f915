//! The files of a release: the program's archive, the npm package, the notes, and the sums of them.
//!
//! docs/releases.md says what a version promises. Nothing is sent anywhere: who publishes does so by hand.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};

use crate::{
    files,
    process::{self, Output},
    repo::Repo,
    tools,
};

/// What lies beside the program in its archive.
const BESIDE: [&str; 4] = ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"];

/// One release, as the files of the checkout name it.
pub(crate) struct Release {
    version: String,
    notes: String,
}

impl Release {
    /// The version that all files agree on, and the notes of it.
    ///
    /// # Errors
    /// Where `Cargo.toml`, `pkg/package.json` and the newest heading of CHANGELOG.md differ, and where the notes
    /// are empty.
    pub(crate) fn of(repo: &Repo) -> Result<Self> {
        let read = |name: &str| {
            fs::read_to_string(repo.root.join(name)).with_context(|| format!("cannot read {name}"))
        };
        let cargo =
            quoted(&read("Cargo.toml")?, "version = \"").context("Cargo.toml: no version")?;
        let npm = quoted(&read("pkg/package.json")?, "\"version\": \"")
            .context("pkg/package.json: no version")?;
        let changes = read("CHANGELOG.md")?;
        let (heading, notes) = newest(&changes).context("CHANGELOG.md: no `## VERSION`")?;
        let told = heading.split(' ').next().unwrap_or_default();
        if cargo != npm || cargo != told {
            bail!(
                "versions differ: Cargo.toml {cargo}, pkg/package.json {npm}, CHANGELOG.md {told}"
            );
        }
        if notes.is_empty() {
            bail!("CHANGELOG.md says nothing of {cargo}");
        }
        Ok(Self {
            version: cargo,
            notes: format!("{notes}\n"),
        })
    }

    /// Name of the program's archive, as templates/action.sh asks for it.
    fn archive(&self) -> String {
        let system = if env::consts::OS == "macos" {
            "darwin"
        } else {
            env::consts::OS
        };
        // What `uname -m` says.
        let machine = match (system, env::consts::ARCH) {
            ("darwin", "aarch64") => "arm64",
            (_, machine) => machine,
        };
        format!("warifu-{}-{machine}-{system}.tar.gz", self.version)
    }
}

/// Puts the files of the release into `target/release-VERSION`; gives that folder.
///
/// The pages are those that `cargo xtask demo` left.
pub(crate) fn run(repo: &Repo, program: &Path) -> Result<PathBuf> {
    let release = Release::of(repo)?;
    let out = repo.target.join(format!("release-{}", release.version));
    files::fresh(&out)?;
    files::write(&out.join(release.archive()), &archive(repo, program)?)?;
    files::write(&out.join("NOTES.md"), release.notes.as_bytes())?;
    if tools::node().is_some() {
        let mut pack = Command::new("npm");
        pack.args(["pack", "--silent", "--pack-destination"])
            .arg(&out)
            .current_dir(repo.root.join("pkg"));
        process::run(&mut pack, Output::Shown)?;
    } else {
        println!("release: no Node.js, so the npm package is not packed");
    }
    let mut sums = String::new();
    for file in files::list(&out)? {
        for byte in Sha256::digest(fs::read(out.join(&file))?) {
            write!(sums, "{byte:02x}")?;
        }
        writeln!(sums, "  {}", files::slashed(&file))?;
    }
    print!("{sums}");
    files::write(&out.join("SHA256SUMS"), sums.as_bytes())?;
    println!("release: {}", out.display());
    Ok(out)
}

/// The program with what lies beside it; the same bytes for the same files.
fn archive(repo: &Repo, program: &Path) -> Result<Vec<u8>> {
    let zip = GzBuilder::new().write(Vec::new(), Compression::best());
    let mut tar = tar::Builder::new(zip);
    let mut add = |name: &str, path: &Path, mode: u32| -> Result<()> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut header = tar::Header::new_ustar();
        header.set_size(u64::try_from(bytes.len())?);
        header.set_mode(mode);
        header.set_mtime(0);
        tar.append_data(&mut header, name, bytes.as_slice())?;
        Ok(())
    };
    add("warifu", program, 0o755)?;
    for name in BESIDE {
        add(name, &repo.root.join(name), 0o644)?;
    }
    Ok(tar.into_inner()?.finish()?)
}

/// Runs the GitHub Action's step on a release of this machine, as a workflow would: downloaded by version,
/// held against its sum, then on a storage with faults. Gives how much was looked at.
pub(crate) fn try_action(repo: &Repo, out: &Path) -> Result<u64> {
    let release = Release::of(repo)?;
    let sums = fs::read_to_string(out.join("SHA256SUMS"))?;
    let name = release.archive();
    let sum = sums
        .lines()
        .find_map(|line| line.strip_suffix(&name))
        .map(str::trim)
        .context("the archive is not in SHA256SUMS")?;

    let work = repo.target.join("action");
    files::fresh(&work)?;
    let place = format!("forge/o/r/releases/download/v{}", release.version);
    files::copy(&out.join(&name), &work.join(place).join(&name))?;
    let checkout = work.join("checkout");
    files::copy_all(
        &repo.root.join("tests/fixtures/broken/hour-25"),
        &checkout.join("under/storage"),
    )?;

    let step = |sum: &str| {
        let mut step = Command::new("bash");
        process::strip_cargo_variables(&mut step);
        step.arg(repo.root.join("templates/action.sh"))
            .current_dir(checkout.join("under"))
            .env(
                "GITHUB_SERVER_URL",
                format!("file://{}", work.join("forge").display()),
            )
            .env("GITHUB_WORKSPACE", &checkout)
            .env("GITHUB_OUTPUT", work.join("output"))
            .env("GITHUB_STEP_SUMMARY", work.join("summary.md"))
            .env("ACTION_REPOSITORY", "o/r")
            .env("INPUT_VERSION", &release.version)
            .env("INPUT_CHECKSUM", sum)
            .env("INPUT_PATHS", "storage")
            .env("INPUT_SARIF_FILE", "warifu.sarif")
            .output()
            .context("cannot run bash")
    };
    let refused = step(&"0".repeat(64))?;
    if refused.status.code() != Some(2) {
        bail!("the action takes an archive with another sum");
    }
    let ran = step(sum)?;
    let said = String::from_utf8_lossy(&ran.stdout);
    if ran.status.code() != Some(1) || !said.contains("file=under/storage/") {
        bail!(
            "the action's step ended with {} and said:\n{said}{}",
            ran.status,
            String::from_utf8_lossy(&ran.stderr)
        );
    }
    let output = fs::read_to_string(work.join("output"))?;
    for line in ["sarif-file=under/warifu.sarif", "exit-code=1"] {
        if !output.lines().any(|found| found == line) {
            bail!("the action's outputs have no `{line}`:\n{output}");
        }
    }
    let sarif = fs::read_to_string(checkout.join("under/warifu.sarif"))?;
    if !sarif.contains("\"uri\":\"under/storage/") {
        bail!("the action's SARIF does not name files from the root of the repository");
    }
    if !fs::read_to_string(work.join("summary.md"))?.contains('|') {
        bail!("the action's summary has no table");
    }
    Ok(2)
}

/// The first value after `before` that ends with a quotation mark.
fn quoted(text: &str, before: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}

/// Heading and text of the newest version.
fn newest(changes: &str) -> Option<(&str, &str)> {
    let (_, rest) = changes.split_once("\n## ")?;
    let (heading, rest) = rest.split_once('\n')?;
    let text = rest.split_once("\n## ").map_or(rest, |(text, _)| text);
    Some((heading, text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notes_are_those_of_the_newest_version_alone() {
        let changes = "# Changelog\n\n## 0.2.0 (2027-01-01)\n\n- new\n\n## 0.1.0\n\n- old\n";
        assert_eq!(newest(changes), Some(("0.2.0 (2027-01-01)", "- new")));
        assert_eq!(newest("# Changelog\n"), None);
    }

    #[test]
    fn the_files_of_this_checkout_name_one_version() {
        let release = Release::of(&Repo::find().unwrap()).unwrap();
        assert!(
            release
                .archive()
                .starts_with(&format!("warifu-{}-", release.version))
        );
    }
}
