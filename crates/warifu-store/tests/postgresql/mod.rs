//! A PostgreSQL of the test's own: in a folder of its own, at a socket there, gone with the test.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests, which may fail loudly; each test file uses some"
)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use warifu_store::{Database as _, Postgres};

/// Where this is set a missing PostgreSQL is a failure: it was installed for these tests.
const NEEDED: &str = "WARIFU_NEEDS_POSTGRESQL";

pub struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
    settings: Vec<String>,
    process: Option<Child>,
}

/// Newest folder that has `initdb`: those of Debian's package are in no path.
fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let debian = debian.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let mut all: Vec<PathBuf> = debian.chain(std::env::split_paths(&paths)).collect();
    all.retain(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file());
    // By number: 9 is older than 15.
    let version = |path: &PathBuf| -> u64 {
        let name = path.parent().and_then(Path::file_name);
        name.and_then(|n| n.to_str()?.parse().ok()).unwrap_or(0)
    };
    all.into_iter().max_by_key(version)
}

/// A program of PostgreSQL; as its own user where this is root, for whom it refuses to run.
fn program(path: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
            .arg(path);
        command
    } else {
        Command::new(path)
    };
    command.env("LC_ALL", "C").current_dir("/");
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|out| out.stdout.trim_ascii() == b"0")
}

fn done(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    command
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

/// Gives files to the user as whom it runs.
pub fn give(files: &[&Path]) {
    assert!(!is_root() || done(Command::new("chown").arg("postgres").args(files)));
}

impl Server {
    /// `None`, with a word why, where there is no PostgreSQL.
    pub fn start(settings: &[&str]) -> Option<Self> {
        let started = programs().and_then(|programs| Self::made(programs, settings));
        if started.is_none() {
            assert!(std::env::var_os(NEEDED).is_none(), "no PostgreSQL");
            eprintln!("skipped: no PostgreSQL (Debian: apt-get install postgresql)");
        }
        started
    }

    fn made(programs: PathBuf, settings: &[&str]) -> Option<Self> {
        // Short: the path of a socket has a bound.
        let folder = tempfile::Builder::new()
            .prefix("pg")
            .tempdir_in("/tmp")
            .unwrap();
        if is_root() && !done(Command::new("chown").arg("postgres").arg(folder.path())) {
            return None;
        }
        let mut initdb = program(&programs.join("initdb"));
        initdb
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8"])
            .args(["--locale=C", "--no-sync", "--pgdata"])
            .arg(folder.path().join("data"));
        if !done(&mut initdb) {
            return None;
        }
        let mut server = Self {
            folder,
            programs,
            settings: settings.iter().map(|s| (*s).to_owned()).collect(),
            process: None,
        };
        server.go_on();
        Some(server)
    }

    /// Where the server's files are; the test may put others there.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// One more setting, from its next start on.
    pub fn set(&mut self, setting: &str) {
        self.settings.push(setting.to_owned());
    }

    /// Starts it where it was stopped; it takes connections when this returns.
    pub fn go_on(&mut self) {
        let mut command = program(&self.programs.join("postgres"));
        command.arg("-D").arg(self.folder().join("data"));
        command.arg("-k").arg(self.folder());
        let quiet = [
            "listen_addresses=",
            "fsync=off",
            "lc_messages=C",
            "max_connections=40",
        ];
        let own = self.settings.iter().map(String::as_str);
        for setting in quiet.into_iter().chain(own) {
            command.args(["-c", setting]);
        }
        let command = command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut told = lines.by_ref().map_while(Result::ok);
        let ready = told.any(|line| line.contains("ready to accept connections"));
        assert!(ready, "PostgreSQL did not start");
        // What it says further on is for nobody; it must not wait for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        self.process = Some(child);
    }

    /// Ends every connection and the server; what is committed stays.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.process.take() {
            let id = child.id().to_string();
            assert!(done(Command::new("kill").args(["-INT", &id])));
            child.wait().unwrap();
        }
    }

    /// Address of all its databases, without a name of one.
    pub fn base(&self) -> String {
        let host = self.folder().to_str().unwrap().replace('/', "%2F");
        format!("postgres://postgres@{host}")
    }

    /// Address of a fresh database.
    pub fn database(&self) -> String {
        fresh(&self.base())
    }
}

/// Makes a database whose language sorts otherwise than by bytes; gives its address.
fn fresh(base: &str) -> String {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let n = MADE.fetch_add(1, Ordering::SeqCst);
    let name = format!("w{}_{n}", std::process::id());
    let db = Postgres::open(&format!("{base}/postgres")).unwrap();
    let sql =
        format!("CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'ja'");
    if db.run(&sql, &[]).is_err() {
        // Before version 15 a database has no such language.
        let sql = format!("CREATE DATABASE {name} TEMPLATE template0");
        db.run(&sql, &[]).unwrap();
    }
    format!("{base}/{name}")
}

/// Names the server in a process that runs a file's tests again.
const BASE: &str = "WARIFU_TEST_POSTGRESQL";

/// Address of a fresh database, where this process runs the tests over PostgreSQL.
pub fn given() -> Option<String> {
    std::env::var(BASE).ok().map(|base| fresh(&base))
}

/// Runs all tests of this file but one in another process, over PostgreSQL.
pub fn again_without(test: &str) {
    if std::env::var_os(BASE).is_some() {
        return;
    }
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let out = Command::new(std::env::current_exe().unwrap())
        .args(["--skip", test, "--test-threads", "4"])
        .env(BASE, server.base())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&out.stdout);
    assert!(
        out.status.success(),
        "{told}{}",
        String::from_utf8_lossy(&out.stderr)
    );
    assert!(!told.contains(" 0 passed"), "{told}");
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
