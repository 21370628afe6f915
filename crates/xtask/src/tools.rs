//! The tools the build needs, installed when they are missing.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    files,
    process::{self, Output, cargo, strip_cargo_variables},
    repo::Repo,
};

/// Oldest Node.js that runs the tools and the package.
const NODE_MAJOR: u32 = 20;

const WASM: &str = "wasm32-unknown-unknown";

/// Debian's compiler for wasm32: it brings the sources of the standard library and `rust-lld`.
const DEBIAN_WASM: [&str; 5] = [
    "rustc-web",
    "rust-web-src",
    "cargo-web",
    "rust-web-llvm",
    "lld-22",
];

/// `cargo-deny`, from crates.io.
const CARGO_DENY: &str = "0.20.2";

/// `cargo-fuzz`, from crates.io.
const CARGO_FUZZ: &str = "0.13.2";

/// What compiles for wasm32 here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WasmCompiler {
    /// The `rustc` in use has the standard library of wasm32.
    Installed,
    /// Debian's packages; the standard library is built with each target folder.
    Debian,
}

/// Installs what the playground and the package need, and says what it found.
pub(crate) fn setup(repo: &Repo, browser: bool) -> Result<()> {
    match node() {
        Some(version) => println!("node: {version}"),
        None => println!("{NO_NODE}"),
    }
    wasm_compiler(repo)?;
    dev_tools(repo)?;
    if browser {
        chromium()?;
    }
    println!("setup: done");
    Ok(())
}

/// Said once when there is no usable Node.js.
const NO_NODE: &str = "node: none of version 20 or newer; \
    the wasm is left unoptimised (install Node.js and npm, then run this again)";

/// Version of Node.js, if it is new enough.
pub(crate) fn node() -> Option<String> {
    process::read("node", &["--version"]).filter(|version| node_is_new_enough(version))
}

fn node_is_new_enough(version: &str) -> bool {
    let major = version.trim_start_matches('v').split('.').next();
    major
        .and_then(|major| major.parse::<u32>().ok())
        .is_some_and(|major| major >= NODE_MAJOR)
}

/// Makes sure that something compiles for wasm32, installing it if need be.
///
/// `WARIFU_WASM_COMPILER=debian` takes the fallback at once, to try it out.
pub(crate) fn wasm_compiler(repo: &Repo) -> Result<WasmCompiler> {
    let forced = env::var("WARIFU_WASM_COMPILER").unwrap_or_default();
    if forced != "debian" {
        if has_wasm_std(repo) {
            return Ok(WasmCompiler::Installed);
        }
        if process::find(&["rustup"]).is_some() {
            println!("wasm target: rustup target add {WASM} …");
            let mut add = Command::new("rustup");
            add.args(["target", "add", WASM]).current_dir(&repo.root);
            let added = process::run(&mut add, Output::Shown);
            if has_wasm_std(repo) {
                return Ok(WasmCompiler::Installed);
            }
            if let Err(error) = added {
                println!("wasm target: {error:#}");
            }
        }
    }
    if !debian_compiler_is_there() {
        if !process::can_apt() {
            bail!(
                "no standard library for {WASM}. Run `rustup target add {WASM}`; where that \
                 cannot download, install Debian's packages as root: apt-get install {}",
                DEBIAN_WASM.join(" ")
            );
        }
        println!(
            "wasm target: installing Debian's {} …",
            DEBIAN_WASM.join(" ")
        );
        process::apt_install(&DEBIAN_WASM)?;
        if !debian_compiler_is_there() {
            bail!("Debian's packages did not bring {DEBIAN_RUSTC} and {DEBIAN_CARGO}");
        }
    }
    Ok(WasmCompiler::Debian)
}

const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";

fn debian_compiler_is_there() -> bool {
    let Some(sysroot) = process::read(DEBIAN_RUSTC, &["--print", "sysroot"]) else {
        return false;
    };
    let sources = Path::new(&sysroot).join("lib/rustlib/src/rust/library/std/Cargo.toml");
    Path::new(DEBIAN_CARGO).is_file() && sources.is_file()
}

/// Whether the `rustc` that cargo uses has `libcore` for wasm32.
fn has_wasm_std(repo: &Repo) -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", WASM])
        .current_dir(&repo.root)
        .output();
    let Ok(output) = output else { return false };
    let Ok(folder) = String::from_utf8(output.stdout) else {
        return false;
    };
    fs::read_dir(folder.trim()).is_ok_and(|entries| {
        entries
            .filter_map(Result::ok)
            .any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
    })
}

/// `cargo SUBCOMMAND` for wasm32, into its own target folder, with further flags of rustc.
pub(crate) fn wasm_cargo(
    repo: &Repo,
    compiler: WasmCompiler,
    subcommand: &str,
    flags: &[&str],
) -> Command {
    let mut command = match compiler {
        WasmCompiler::Installed => {
            let mut command = cargo(&repo.root);
            command.args([subcommand, "--target", WASM]);
            command.env("CARGO_TARGET_DIR", repo.wasm_target());
            command
        }
        WasmCompiler::Debian => {
            let mut command = Command::new(DEBIAN_CARGO);
            command.current_dir(&repo.root);
            strip_cargo_variables(&mut command);
            command
                .args([subcommand, "--target", WASM, "-Zbuild-std=std,panic_abort"])
                .env("RUSTC_BOOTSTRAP", "1")
                .env("RUSTC", DEBIAN_RUSTC)
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "rust-lld")
                .env("CARGO_TARGET_DIR", repo.target.join("wasm-debian"));
            command
        }
    };
    command.env_remove("RUSTFLAGS");
    command.env(
        "CARGO_ENCODED_RUSTFLAGS",
        wasm_rustflags(repo, compiler, flags),
    );
    command
}

/// Where [`wasm_cargo`] leaves the modules of a profile.
pub(crate) fn wasm_output(repo: &Repo, compiler: WasmCompiler, profile: &str) -> PathBuf {
    let target = match compiler {
        WasmCompiler::Installed => repo.wasm_target(),
        WasmCompiler::Debian => repo.target.join("wasm-debian"),
    };
    target.join(WASM).join(profile)
}

/// Keeps this machine's folders out of the modules: file names stand in panic messages.
fn wasm_rustflags(repo: &Repo, compiler: WasmCompiler, further: &[&str]) -> String {
    let mut flags = vec![format!("--remap-path-prefix={}=.", repo.root.display())];
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    if let Some(sources) = home.map(|home| home.join("registry/src"))
        && let Ok(registries) = fs::read_dir(&sources)
    {
        for registry in registries.filter_map(Result::ok) {
            let folder = registry.path();
            flags.push(format!("--remap-path-prefix={}=deps", folder.display()));
        }
    }
    if compiler == WasmCompiler::Debian {
        flags.push("-Cpanic=abort".to_owned());
    }
    flags.extend(further.iter().map(|flag| (*flag).to_owned()));
    flags.join("\u{1f}")
}

/// Folder of the npm programs; `None` without Node.js.
///
/// The stamp holds a hash of the lock file: `npm ci` runs again only when that changes.
pub(crate) fn dev_tools(repo: &Repo) -> Result<Option<PathBuf>> {
    if node().is_none() {
        return Ok(None);
    }
    let Some(npm) = process::find(&["npm"]) else {
        println!("npm: not found; the wasm is left unoptimised (install npm, then run this again)");
        return Ok(None);
    };
    let lock_path = repo.root.join("package-lock.json");
    let lock =
        fs::read(&lock_path).with_context(|| format!("cannot read {}", lock_path.display()))?;
    let wanted = format!("{:016x}", files::hash(files::HASH_SEED, &lock));
    let modules = repo.root.join("node_modules");
    let stamp = modules.join(".warifu-lock");
    if fs::read_to_string(&stamp).ok().as_deref() != Some(wanted.as_str()) {
        println!("dev tools: npm ci …");
        let mut ci = Command::new(npm);
        ci.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(&repo.root);
        process::run(&mut ci, Output::Shown)?;
        files::write(&stamp, wanted.as_bytes())?;
    }
    Ok(Some(modules))
}

/// A Python with the JOSE libraries that the golden tokens are verified with, in the versions of
/// `tests/js/requirements.txt`.
pub(crate) fn python(repo: &Repo, output: Output<'_>) -> Result<PathBuf> {
    let list = repo.root.join("tests/js/requirements.txt");
    let wanted = fs::read(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let wanted = format!("{:016x}", files::hash(files::HASH_SEED, &wanted));
    let folder = repo.target.join("python");
    let python = folder.join("bin/python3");
    let stamp = folder.join("stamp");
    if fs::read_to_string(&stamp).ok().as_deref() == Some(wanted.as_str()) {
        return Ok(python);
    }
    // Debian has the module for such folders in a package of its own.
    let complete = || process::read("python3", &["-c", "import ensurepip; print(1)"]).is_some();
    if !complete() && process::can_apt() {
        println!("python: installing Debian's python3 python3-venv …");
        process::apt_install(&["python3", "python3-venv"])?;
    }
    if !complete() {
        bail!("no python3 with venv (Debian: apt-get install python3 python3-venv)");
    }
    files::fresh(&folder)?;
    let mut make = Command::new("python3");
    make.args(["-m", "venv"]).arg(&folder);
    process::run(&mut make, output)?;
    let mut install = Command::new(&python);
    install
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args(["--only-binary", ":all:", "--requirement"])
        .arg(&list);
    process::run(&mut install, output)?;
    files::write(&stamp, wanted.as_bytes())?;
    Ok(python)
}

/// Maven's plugin that copies jars, in a version of its own.
const COPY_JARS: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies";

/// Class path of HAPI's validator and of `tests/hapi/Hapi.java`, in `target/hapi`.
///
/// Java and Maven are Debian's where they are missing; the jars come by Maven, and each must have the
/// SHA-256 of `tests/hapi/jars.sha256`. They are made again only when one of the three files changes.
pub(crate) fn hapi(repo: &Repo, log: &Path) -> Result<String> {
    let missing: Vec<&str> = [("javac", "default-jdk-headless"), ("mvn", "maven")]
        .into_iter()
        .filter_map(|(program, package)| process::find(&[program]).is_none().then_some(package))
        .collect();
    if !missing.is_empty() {
        if !process::can_apt() {
            bail!(
                "HAPI's validator needs Java and Maven (Debian: apt-get install {})",
                missing.join(" ")
            );
        }
        println!("hapi: installing Debian's {} …", missing.join(" "));
        process::apt_install(&missing)?;
    }
    let own = repo.root.join("tests/hapi");
    let mut wanted = files::HASH_SEED;
    for name in ["pom.xml", "jars.sha256", "Hapi.java"] {
        let path = own.join(name);
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        wanted = files::hash(wanted, &bytes);
    }
    let wanted = format!("{wanted:016x}");
    let target = repo.target.join("hapi");
    let (jars, classes, stamp) = (
        target.join("lib"),
        target.join("classes"),
        target.join("stamp"),
    );
    let class_path = format!("{}:{}/*", classes.display(), jars.display());
    if fs::read_to_string(&stamp).ok().as_deref() != Some(&*wanted) {
        files::fresh(&target)?;
        let mut copy = Command::new("mvn");
        copy.args(["--quiet", "--batch-mode", "--file"])
            .arg(own.join("pom.xml"))
            .args([COPY_JARS, "-DincludeScope=runtime"])
            .arg(format!("-DoutputDirectory={}", jars.display()));
        process::run(&mut copy, Output::Log(log))?;
        let pinned = fs::read_to_string(own.join("jars.sha256"))?;
        let there = fs::read_dir(&jars)?.count();
        if there != pinned.lines().count() {
            bail!("tests/hapi/jars.sha256 does not name the {there} jars that Maven brings");
        }
        let mut check = Command::new("sha256sum");
        check
            .args(["--check", "--strict", "--quiet"])
            .arg(own.join("jars.sha256"))
            .current_dir(&jars);
        process::run(&mut check, Output::Log(log))
            .context("a jar differs from tests/hapi/jars.sha256")?;
        let mut compile = Command::new("javac");
        compile
            .args(["-nowarn", "-cp", &format!("{}/*", jars.display()), "-d"])
            .arg(&classes)
            .arg(own.join("Hapi.java"));
        process::run(&mut compile, Output::Log(log))?;
        files::write(&stamp, wanted.as_bytes())?;
    }
    Ok(class_path)
}

const CJK_FONT: &str = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc";

/// A Chromium for the browser tests, installed from Debian if there is none.
pub(crate) fn chromium() -> Result<PathBuf> {
    let find = || {
        env::var_os("WARIFU_CHROMIUM")
            .map(PathBuf::from)
            .or_else(|| process::find(&["chromium", "chromium-browser", "google-chrome"]))
    };
    let missing: Vec<&str> = [
        ("chromium", find().is_none()),
        ("fonts-noto-cjk", !Path::new(CJK_FONT).is_file()),
    ]
    .into_iter()
    .filter_map(|(package, missing)| missing.then_some(package))
    .collect();
    if !missing.is_empty() && process::can_apt() {
        println!("browser: installing Debian's {} …", missing.join(" "));
        process::apt_install(&missing)?;
    }
    match find() {
        Some(path) => Ok(path),
        None => bail!(
            "no Chromium for the browser tests. Install it (Debian: apt-get install chromium \
             fonts-noto-cjk) or name one in WARIFU_CHROMIUM"
        ),
    }
}

/// Whether there is a PostgreSQL for the tests of the store; installed from Debian where that can be done.
pub(crate) fn postgresql() -> Result<bool> {
    let is_there = || {
        let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
        let mut debian = debian.filter_map(Result::ok);
        process::find(&["initdb"]).is_some()
            || debian.any(|entry| entry.path().join("bin/initdb").is_file())
    };
    if !is_there() && process::can_apt() {
        println!("test: installing Debian's postgresql …");
        process::apt_install(&["postgresql"])?;
    }
    Ok(is_there())
}

/// `cargo-deny` of the wanted version, compiled on first use.
pub(crate) fn cargo_deny(repo: &Repo, output: Output<'_>) -> Result<PathBuf> {
    cargo_tool(repo, "cargo-deny", CARGO_DENY, output)
}

/// `cargo-fuzz` of the wanted version, compiled on first use.
pub(crate) fn cargo_fuzz(repo: &Repo, output: Output<'_>) -> Result<PathBuf> {
    cargo_tool(repo, "cargo-fuzz", CARGO_FUZZ, output)
}

fn cargo_tool(repo: &Repo, name: &str, version: &str, output: Output<'_>) -> Result<PathBuf> {
    let own = repo.tools().join("bin").join(name);
    let candidates = [Some(own.clone()), process::find(&[name])];
    for candidate in candidates.into_iter().flatten() {
        let found = process::read(&candidate, &["--version"]);
        if found.is_some_and(|found| found.split_whitespace().any(|word| word == version)) {
            return Ok(candidate);
        }
    }
    println!("{name}: compiling version {version} (some minutes, once) …");
    let mut install = cargo(&repo.root);
    install
        .args(["install", "--locked", "--force", "--version", version, name])
        .arg("--root")
        .arg(repo.tools())
        .env("CARGO_TARGET_DIR", repo.tools().join("build"))
        // It runs for seconds: minutes of link-time optimisation are not earned back.
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    process::run(&mut install, output)?;
    // The build takes more room than the program, and is not looked at again.
    fs::remove_dir_all(repo.tools().join("build"))?;
    Ok(own)
}

/// How long the advisory database may take to arrive.
pub(crate) const FETCH_LIMIT: Duration = Duration::from_secs(90);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions_are_compared_by_their_major_number() {
        assert!(node_is_new_enough("v20.20.2"));
        assert!(node_is_new_enough("v102.0.0"));
        assert!(!node_is_new_enough("v18.19.0"));
        assert!(!node_is_new_enough("unknown"));
    }

    #[test]
    fn modules_do_not_name_the_folders_of_this_machine() {
        let repo = Repo::find().unwrap();
        let flags = wasm_rustflags(&repo, WasmCompiler::Installed, &["--cfg=a"]);
        let root = format!("--remap-path-prefix={}=.", repo.root.display());
        assert!(flags.split('\u{1f}').any(|flag| flag == root));
        assert!(flags.ends_with("\u{1f}--cfg=a"));
    }
}
