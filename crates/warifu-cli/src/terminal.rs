//! What the terminal and the environment say: language, colour, width.

use std::io::{IsTerminal, Write};

use warifu_report::Lang;

/// Language of texts where neither flag nor file says it: `WARIFU_LANG`, else `LC_ALL`, `LC_MESSAGES`,
/// `LANG` (`ja*` → Japanese).
pub(crate) fn language_of_environment() -> Lang {
    language_and_origin().0
}

/// That language, and the variable that says so (none: the default).
pub(crate) fn language_and_origin() -> (Lang, Option<&'static str>) {
    let variable = ["WARIFU_LANG", "LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(|n| Some((n, std::env::var(n).ok().filter(|v| !v.is_empty())?)));
    match variable {
        Some((name, value)) if value.starts_with("ja") => (Lang::Ja, Some(name)),
        Some((name, _)) => (Lang::En, Some(name)),
        None => (Lang::En, None),
    }
}

/// Clears the screen, if stdout is one.
pub(crate) fn clear() {
    if stdout_is_terminal() {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(b"\x1b[2J\x1b[H");
        let _ = out.flush();
    }
}

/// Whether stderr shows to a person.
pub(crate) fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
}

/// Whether stdout shows to a person.
pub(crate) fn stdout_is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether colour is wanted: `--color`, `NO_COLOR`, `CLICOLOR_FORCE`, a terminal.
pub(crate) fn colour(choice: &str) -> bool {
    let set = |n: &str| std::env::var_os(n).is_some_and(|v| !v.is_empty());
    match choice {
        "always" => true,
        "never" => false,
        _ if set("NO_COLOR") => false,
        _ if set("CLICOLOR_FORCE") => true,
        _ => stdout_is_terminal() && std::env::var_os("TERM").is_none_or(|t| t != "dumb"),
    }
}

/// A line to stderr; a closed stderr is no reason to fail.
pub(crate) fn note(line: &str) {
    let mut e = std::io::stderr().lock();
    let _ = writeln!(e, "{line}");
}

/// Whether an error is a closed pipe (`| head`), which ends quietly.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|e| {
        e.downcast_ref::<std::io::Error>()
            .is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
