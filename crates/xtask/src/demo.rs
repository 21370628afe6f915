//! The first minutes: build, convert the sample storage, show what came out, start the hospital of the demo.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, Result, bail};
use flate2::read::GzDecoder;

use crate::{
    files,
    process::{self, Output, cargo},
    repo::Repo,
    serve, sizes, tools, wasm,
};

/// The bundled storage, made for this repository by `warifu-synth`.
const STORAGE: [&str; 2] = [
    "tests/fixtures/standard_root",
    "tests/fixtures/extended_root",
];

/// Number of its institution, which does not exist.
const INSTITUTION: &str = "1319999999";

/// What is built into the program: its name there, and the folder.
const PAGES: [(&str, &str); 2] = [("portal", "web/dist"), ("playground", "playground/dist")];

/// What is done at last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// The server runs until Ctrl-C, over what is there of an earlier time.
    Serve,
    /// The same, over a hospital made anew.
    ServeFresh,
    /// The server is looked at and ended, for CI.
    Look,
}

/// Does it all.
pub(crate) fn run(repo: &Repo, port: Option<u16>, then: Then) -> Result<()> {
    program(repo)?;

    let out = repo.target.join("demo");
    files::fresh(&out)?;
    convert(repo, &out)?;
    match then {
        Then::Serve => serve(repo, port, &[]),
        Then::ServeFresh => serve(repo, port, &["--fresh"]),
        Then::Look => look(repo),
    }
}

/// Builds the program with its pages, `target/release/warifu`; gives the folder of the pages.
pub(crate) fn program(repo: &Repo) -> Result<PathBuf> {
    tools::setup(repo, false)?;
    wasm::build(repo, wasm::Profile::Release)?;
    let pages = pages(repo)?;

    println!("demo: building warifu with its pages (release; a few minutes the first time) …");
    let mut build = cargo(&repo.root);
    build
        .args(["build", "--release", "--package", "warifu-cli"])
        .env("CARGO_TARGET_DIR", &repo.target)
        .env("WARIFU_PAGES", &pages);
    process::run(&mut build, Output::Shown)?;
    Ok(pages)
}

/// The program that [`program`] builds.
pub(crate) fn program_file(repo: &Repo) -> PathBuf {
    repo.target.join("release/warifu")
}

/// The folders of the bundled storage.
pub(crate) fn storages(repo: &Repo) -> [PathBuf; 2] {
    STORAGE.map(|folder| repo.root.join(folder))
}

/// `target/pages`, packed where that makes less. What is as before keeps its time, so that the program is
/// not built anew.
fn pages(repo: &Repo) -> Result<PathBuf> {
    let to = repo.target.join("pages");
    for (name, dist) in PAGES {
        let from = repo.root.join(dist);
        if !serve::is_site(&from) {
            bail!("{dist} has no index.html");
        }
        let folder = to.join(name);
        let mut wanted = BTreeSet::new();
        for file in files::list(&from)? {
            let content = fs::read(from.join(&file))?;
            let packed = sizes::gzip(&content)?;
            let (file, content) = if packed.len() < content.len() {
                let mut named = file.into_os_string();
                named.push(".gz");
                (PathBuf::from(named), packed)
            } else {
                (file, content)
            };
            let path = folder.join(&file);
            if fs::read(&path).ok() != Some(content.clone()) {
                files::write(&path, &content)?;
            }
            wanted.insert(file);
        }
        for file in files::list(&folder)? {
            if !wanted.contains(&file) {
                fs::remove_file(folder.join(file))?;
            }
        }
    }
    Ok(to)
}

/// `warifu demo` over a folder below `target`.
fn warifu(repo: &Repo, arguments: &[&str], folder: &str) -> Command {
    let mut warifu = Command::new(program_file(repo));
    warifu.current_dir(&repo.root);
    warifu.arg("demo").args(arguments);
    warifu.arg("--dir").arg(repo.target.join(folder));
    warifu
}

/// The hospital's server, until Ctrl-C.
fn serve(repo: &Repo, port: Option<u16>, more: &[&str]) -> Result<()> {
    let mut warifu = warifu(repo, more, "demo-office");
    if let Some(port) = port {
        warifu.args(["--port", &port.to_string()]);
    }
    // In place of this program, where that can be: Ctrl-C then ends it alone, and in its own time.
    #[cfg(unix)]
    return Err(std::os::unix::process::CommandExt::exec(&mut warifu)).context("warifu demo");
    #[cfg(not(unix))]
    process::run(&mut warifu, Output::Shown)
}

/// Starts the server of the demo, compares every page with what was built, lets the clinic ask once, and
/// ends it.
fn look(repo: &Repo) -> Result<()> {
    const FOLDER: &str = "demo-ci";
    let _ = fs::remove_dir_all(repo.target.join(FOLDER));
    // The server has to know its address before it listens there.
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let url = format!("http://127.0.0.1:{port}/");
    let mut child = warifu(repo, &["--port", &port.to_string()], FOLDER)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let looked = listening(&mut child).and_then(|()| {
        same_pages(repo, &url)?;
        let mut requester = warifu(repo, &["requester", "--wait", "0"], FOLDER);
        // 1: nobody answered, of course.
        process::run_allowing(&mut requester, &[1])
    });
    let ended = end(&mut child);
    looked?;
    ended?;
    fs::remove_dir_all(repo.target.join(FOLDER))?;
    Ok(())
}

/// Shows what the server says, to the line that ends it.
fn listening(child: &mut Child) -> Result<()> {
    let out = child.stdout.take().context("stdout of the server")?;
    for line in BufReader::new(out).lines() {
        let line = line?;
        println!("{line}");
        if line.contains("--fresh: start anew") {
            return Ok(());
        }
    }
    bail!("the server did not start");
}

/// Ends the server as Ctrl-C does.
fn end(child: &mut Child) -> Result<()> {
    let mut kill = Command::new("kill");
    kill.arg("-INT").arg(child.id().to_string());
    if process::run(&mut kill, Output::Shown).is_err() {
        child.kill()?;
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("warifu demo ended with {status}");
    }
    Ok(())
}

/// Every file of both pages is served from the program as it was built, to who takes gzip and to who does
/// not, with the policies.
fn same_pages(repo: &Repo, url: &str) -> Result<()> {
    let mut count = 0;
    for ((_, dist), below) in PAGES.into_iter().zip(["", "playground/"]) {
        let from = repo.root.join(dist);
        for file in files::list(&from)? {
            let name = files::slashed(&file);
            let wanted = fs::read(from.join(&file))?;
            let path = format!("/{below}{}", encoded(&name));
            let (head, plain) = serve::get(url, &path)?;
            let (packed_head, packed) = serve::get_with(url, &path, "Accept-Encoding: gzip\r\n")?;
            let unpacked = if packed_head.contains("\r\ncontent-encoding: gzip\r\n") {
                let mut all = Vec::new();
                GzDecoder::new(&packed[..]).read_to_end(&mut all)?;
                all
            } else {
                packed
            };
            if plain != wanted || unpacked != wanted {
                bail!("{path} is not what was built: {head}");
            }
            let base = name.rsplit('/').next().unwrap_or_default();
            let is_worker = base.starts_with("worker");
            let connect = if is_worker { "'none'" } else { "'self'" };
            if !head.contains(&format!("connect-src {connect};")) {
                bail!("{path} has another policy: {head}");
            }
            count += 1;
        }
    }
    println!("demo: {count} files of portal and playground are served from the program itself");
    Ok(())
}

/// A path with everything but plain letters, digits and `/-._~` as `%XX`.
fn encoded(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.extend(format!("%{byte:02X}").chars());
        }
    }
    out
}

/// Converts the sample storage and prints what came of it.
fn convert(repo: &Repo, out: &Path) -> Result<()> {
    let mut inputs = 0;
    for folder in STORAGE {
        inputs += files::list(&repo.root.join(folder))?.len();
    }
    println!("demo: converting {} …", STORAGE.join(" and "));
    let start = Instant::now();
    let mut warifu = Command::new(program_file(repo));
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
    use std::env;

    use super::*;

    #[test]
    fn paths_are_encoded_as_bytes() {
        assert_eq!(encoded("a-1/例+.x"), "a-1/%E4%BE%8B%2B.x");
    }

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
