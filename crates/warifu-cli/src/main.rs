//! `warifu`: SS-MIX2 → FHIR on the command line.
//!
//! Results go to stdout; progress, summary and notes to stderr. Exit codes: 0 clean, 1 findings at or
//! above the level asked for, 2 usage or unreadable input, 130 or 143 interrupted.
#![forbid(unsafe_code)]

mod args;
mod check;
mod client;
mod config;
mod consent;
mod convert;
mod demo;
mod desk;
mod inputs;
mod mistakes;
mod opened;
mod output;
mod package;
mod packages;
mod pages;
mod pipeline;
mod progress;
mod rule;
mod serve;
mod show;
mod state;
mod stop;
mod store;
mod strays;
mod terminal;
mod unchanged;
mod watch;
mod whole;
mod wishes;
mod witness;
mod words;

use std::process::ExitCode;

use warifu_report::Lang;

/// Text in the reader's language.
pub(crate) fn say(lang: Lang, ja: &str, en: &str) -> String {
    match lang {
        Lang::Ja => ja.to_owned(),
        Lang::En => en.to_owned(),
    }
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Clean,
    Findings,
    CouldNotRun,
    /// By this signal (128 + its number is the exit code).
    Interrupted(u8),
}

impl From<End> for ExitCode {
    fn from(end: End) -> Self {
        Self::from(match end {
            End::Clean => 0,
            End::Findings => 1,
            End::CouldNotRun => 2,
            End::Interrupted(signal) => 128 + signal,
        })
    }
}

fn main() -> ExitCode {
    let lang = args::language(terminal::language_of_environment());
    std::panic::set_hook(Box::new(move |info| {
        // Where, never what: a panic's message may quote input.
        let place = info
            .location()
            .map(|l| {
                format!(
                    " {}:{}",
                    l.file().rsplit('/').next().unwrap_or(""),
                    l.line()
                )
            })
            .unwrap_or_default();
        let version = env!("CARGO_PKG_VERSION");
        terminal::note(&say(
            lang,
            &format!("内部エラーです (版 {version}{place})。入力の内容は表示していません"),
            &format!("internal error (version {version}{place}); no input is shown"),
        ));
    }));
    match std::panic::catch_unwind(|| args::run(lang)) {
        Ok(Ok(end)) => end.into(),
        Ok(Err(error)) => {
            if terminal::is_broken_pipe(&error) {
                return ExitCode::SUCCESS;
            }
            let code = error.downcast_ref::<mistakes::Refusal>();
            let code = code.map_or(String::new(), |r| format!("[{}]", r.code.code));
            terminal::note(&format!(
                "{}{code}: {error:#}",
                say(lang, "エラー", "error")
            ));
            End::CouldNotRun.into()
        }
        Err(_) => End::CouldNotRun.into(),
    }
}
