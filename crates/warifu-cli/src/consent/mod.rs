//! `warifu consent`: keys, tokens, decisions, the Bundle filter and the log, over a folder (the desk).
//!
//! Clock and randomness enter here and nowhere below. Private keys are files of their owner alone;
//! they are neither taken from the command line nor shown.

mod args;
mod desk;
mod fhir;
mod keys;
mod log;
mod receive;
mod release;
mod secondary;
mod tokens;
mod versions;
mod wrong;

use std::cell::Cell;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use clap::ArgMatches;
use warifu_consent::json::Value;
use warifu_report::Lang;

pub(crate) use args::command;

use crate::whole::{self, Readers};
use crate::{End, mistakes, say};

/// What every command knows.
struct Cx<'a> {
    lang: Lang,
    json: bool,
    now: u64,
    desk: PathBuf,
    m: &'a ArgMatches,
    /// Stdin was read: it serves for one file.
    stdin: Cell<bool>,
}

/// Runs `warifu consent …`.
pub(crate) fn run(m: &ArgMatches, lang: Lang) -> anyhow::Result<End> {
    let Some((name, s)) = m.subcommand() else {
        return Ok(End::CouldNotRun);
    };
    let now = match s.get_one::<u64>("now") {
        Some(now) => *now,
        None => SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs(),
    };
    let desk = s.get_one::<PathBuf>("desk").cloned();
    let cx = Cx {
        lang,
        json: s.get_flag("json"),
        now,
        desk: desk.unwrap_or_else(|| PathBuf::from("desk")),
        m: s,
        stdin: Cell::new(false),
    };
    let done = match name {
        "init" => desk::init(&cx),
        "keygen" => keys::keygen(&cx),
        "register" => keys::register(&cx),
        "enrol" => keys::enrol(&cx),
        "keys" => keys::of_person(&cx),
        "request" => tokens::request(&cx),
        "grant" => tokens::grant(&cx),
        "onward" => tokens::onward(&cx),
        "deny" => tokens::deny(&cx),
        "revoke" => tokens::revoke(&cx),
        "object" => tokens::object_to(&cx),
        "emergency" => tokens::emergency(&cx),
        "disaster" => tokens::disaster(&cx),
        "verify" => tokens::verify(&cx),
        "show" => tokens::show(&cx),
        "decide" => release::decide(&cx, false),
        "explain" => release::decide(&cx, true),
        "filter" => release::filter(&cx),
        "receive" => receive::receive(&cx),
        "export" => fhir::export(&cx),
        "import" => fhir::import(&cx),
        "release" => secondary::run(&cx),
        _ => log::run(&cx),
    };
    match done {
        Err(e) if cx.json && !crate::terminal::is_broken_pipe(&e) => {
            let told = [("ok", false.into()), ("error", format!("{e:#}").into())];
            crate::terminal::note(&warifu_consent::json::object(told).write());
            Ok(End::CouldNotRun)
        }
        done => done,
    }
}

impl<'a> Cx<'a> {
    /// The same for a command of this command.
    fn within(&self, m: &'a ArgMatches) -> Cx<'a> {
        let desk = m.get_one::<PathBuf>("desk").cloned();
        Cx {
            lang: self.lang,
            json: m.get_flag("json"),
            now: m.get_one::<u64>("now").copied().unwrap_or(self.now),
            desk: desk.unwrap_or_else(|| self.desk.clone()),
            m,
            stdin: Cell::new(false),
        }
    }
}

impl Cx<'_> {
    fn say(&self, ja: &str, en: &str) -> String {
        say(self.lang, ja, en)
    }

    fn text(&self, name: &str) -> Option<&str> {
        let found = self.m.try_get_one::<String>(name).ok().flatten();
        found.map(String::as_str)
    }

    fn int(&self, name: &str) -> Option<u64> {
        self.m.try_get_one::<u64>(name).ok().flatten().copied()
    }

    fn path(&self, name: &str) -> Option<&Path> {
        let found = self.m.try_get_one::<PathBuf>(name).ok().flatten();
        found.map(PathBuf::as_path)
    }

    /// The first argument, which clap asks for.
    fn input(&self) -> &Path {
        self.path("input").unwrap_or(Path::new(""))
    }

    /// Codes of a list, sorted and unique as tokens want them.
    fn codes(&self, name: &str) -> Vec<String> {
        let given = self.m.get_many::<String>(name);
        let mut all: Vec<String> = given.map(|v| v.cloned().collect()).unwrap_or_default();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Prints an answer: its JSON with `--json`, else its text.
    fn print(&self, value: &Value, text: &str) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", value.write())?;
        } else if !text.is_empty() {
            writeln!(out, "{}", text.trim_end_matches('\n'))?;
        }
        Ok(())
    }

    /// Writes what a command makes to `--out`, for the owner alone, or to stdout.
    fn give(&self, bytes: &[u8]) -> anyhow::Result<()> {
        if let Some(path) = self.path("out") {
            let made = whole::replace(path, bytes, Readers::Owner);
            return made.with_context(|| path.display().to_string());
        }
        std::io::stdout().lock().write_all(bytes)?;
        Ok(())
    }

    /// A token with its JSON: to `--out` or stdout; with `--json` stdout has the JSON.
    fn give_token(&self, token: &str, value: &Value, text: &str) -> anyhow::Result<()> {
        if self.path("out").is_some() {
            self.give(format!("{token}\n").as_bytes())?;
            self.print(value, text)
        } else if self.json {
            self.print(value, text)
        } else {
            self.give(format!("{token}\n").as_bytes())
        }
    }

    /// Bytes of a file that has to be there; `-` is stdin.
    fn read(&self, path: &Path) -> anyhow::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if path == Path::new("-") {
            if self.stdin.replace(true) {
                bail!(self.say(
                    "標準入力 (-) は一度しか読めません。ほかはファイルで指定してください",
                    "stdin (-) can be read once. Give the others as files"
                ));
            }
            let stdin = std::io::stdin().lock();
            stdin.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
        } else {
            if !path.exists() {
                bail!(mistakes::not_found(path, self.lang));
            }
            let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
            file.take(MOST_BYTES + 1)
                .read_to_end(&mut bytes)
                .with_context(|| path.display().to_string())?;
        }
        if u64::try_from(bytes.len())? > MOST_BYTES {
            bail!(self.say(
                "64 MiB より大きいファイルです。指定したファイルが正しいか確かめてください",
                "the file is larger than 64 MiB. Check that it is the one that was meant"
            ));
        }
        Ok(bytes)
    }

    /// A token in a file: itself, or the text of its QR symbol. The line may end as lines do; any other
    /// blank is no part of a token, and the library says so.
    fn read_token(&self, path: &Path) -> anyhow::Result<String> {
        let bytes = self.read(path)?;
        let text = String::from_utf8(bytes).unwrap_or_default();
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        Ok(warifu_consent::from_qr(line).unwrap_or_else(|| line.to_owned()))
    }

    /// Language of what a patient reads.
    fn patient_lang(&self) -> warifu_consent::Lang {
        let named = self.text("text-lang");
        let named = named.and_then(warifu_consent::Lang::from_name);
        named.unwrap_or(match self.lang {
            Lang::Ja => warifu_consent::Lang::Ja,
            Lang::En => warifu_consent::Lang::En,
        })
    }
}

/// Largest file that a command reads.
const MOST_BYTES: u64 = 64 << 20;

/// Random bytes of the operating system.
fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).context("random bytes")?;
    Ok(bytes)
}

/// A fresh id of 16 random bytes.
fn fresh_id() -> anyhow::Result<String> {
    Ok(warifu_consent::b64::encode(&random::<16>()?))
}

/// Writes a file that its owner alone reads, whole.
fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    whole::replace(path, bytes, Readers::Owner).with_context(|| path.display().to_string())
}
