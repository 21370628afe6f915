//! `warifu demo`: an invented hospital with its server, and an invented clinic that asks it.
//!
//! What it prints is Japanese first, with English below, whatever the language of the run is: who looks
//! over somebody's shoulder reads it, too.

mod clinic;
mod hospital;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{ArgMatches, Command};
use warifu_consent::json::{self, Value, object};
use warifu_report::Lang;
use warifu_store::private;

use crate::End;
use crate::words::Words;

/// Port where nothing else is said.
const PORT: u16 = 8440;

/// What the clinic knows: where the server is, and the pseudonym that a referral would tell it.
struct Known {
    server: String,
    sub: String,
}

/// Name of the file with it.
const KNOWN: &str = "clinic.json";

impl Known {
    /// What a finished folder of the demo has; `None` where it has none.
    fn read(dir: &Path) -> anyhow::Result<Option<Self>> {
        let path = dir.join(KNOWN);
        let bytes = match std::fs::read(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other.with_context(|| path.display().to_string())?,
        };
        let value = json::read(bytes.trim_ascii(), 2).ok();
        let text = |name: &str| Some(value.as_ref()?.get(name)?.text()?.to_owned());
        let read = || {
            Some(Self {
                server: text("server")?,
                sub: text("sub")?,
            })
        };
        read().map(Some).with_context(|| path.display().to_string())
    }

    fn write(&self, dir: &Path) -> anyhow::Result<()> {
        let value: Value = object([
            ("v", 1.into()),
            ("server", self.server.as_str().into()),
            ("sub", self.sub.as_str().into()),
        ]);
        let path = dir.join(KNOWN);
        private::write(&path, value.write().as_bytes()).with_context(|| path.display().to_string())
    }
}

/// `warifu demo` and `warifu demo requester`.
pub(crate) fn command(lang: Lang) -> Command {
    let w = Words(lang);
    let dir = || {
        w.file(
            "dir",
            "DIR",
            "体験版のデータのフォルダー (省略時: 一時フォルダーの warifu-demo)",
            "folder of the demo's data (default: warifu-demo among the temporary files)",
        )
    };
    Command::new("demo")
        .about(w.text(
            "架空の病院のサーバーを動かして試します (データはすべて架空、この機械の中だけ)",
            "Runs the server of an invented hospital to try it (all data is invented, on this machine only)",
        ))
        .after_help(w.text(
            "例:\n  warifu demo\n  warifu demo requester    (別の端末で)",
            "Examples:\n  warifu demo\n  warifu demo requester    (in another terminal)",
        ))
        .args_conflicts_with_subcommands(true)
        .arg(dir())
        .arg(
            w.value(
                "port",
                "N",
                "127.0.0.1 のポート (省略時: 8440、続きからなら前と同じ)",
                "port on 127.0.0.1 (default: 8440, or that of before)",
            )
            .value_parser(clap::value_parser!(u16).range(1..)),
        )
        .arg(w.flag("fresh", "前の続きからでなく作り直す", "start anew instead of going on"))
        .arg(w.file("portal", "DIR", "/ に置く画面のフォルダー (省略時: 内蔵のもの)", "folder of the portal (default: the one built in)"))
        .arg(w.file("playground", "DIR", "/playground/ に置く画面のフォルダー (省略時: 内蔵のもの)", "folder of the playground (default: the one built in)"))
        .subcommand(
            Command::new("requester")
                .about(w.text(
                    "架空の診療所になって記録を求めます: 断られ、同意を待ち、見て、止められるまで",
                    "Plays an invented clinic that asks for records: refused, granted, cut off",
                ))
                .arg(dir())
                .arg(
                    w.number(
                        "wait",
                        "MINUTES",
                        "患者の操作を待つ分数 (省略時: 30)",
                        "minutes to wait for the patient (default: 30)",
                    ),
                ),
        )
}

/// Runs `warifu demo …`.
pub(crate) fn run(m: &ArgMatches, lang: Lang) -> anyhow::Result<End> {
    match m.subcommand() {
        Some(("requester", s)) => {
            let minutes = s.get_one::<u64>("wait").copied().unwrap_or(30);
            clinic::run(&folder(s), minutes, lang)
        }
        _ => hospital::run(m, &folder(m), lang),
    }
}

/// The folder of the demo.
fn folder(m: &ArgMatches) -> PathBuf {
    let given = m.get_one::<PathBuf>("dir").cloned();
    given.unwrap_or_else(|| std::env::temp_dir().join("warifu-demo"))
}

/// Says something in both languages.
fn tell(ja: &str, en: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{ja}\n  {en}")?;
    Ok(out.flush()?)
}
