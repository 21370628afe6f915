//! Wording of usage mistakes (exit code 2), with the nearest name.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;

use warifu_check::WishError;
use warifu_diag::Code;
use warifu_diag::nearest::nearest;
use warifu_report::Lang;
use warifu_rules::selection::{PROFILES, SelectionError};

use crate::say;

/// A run that is not begun, with the code that says why.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    text: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Refusal {}

/// A refusal in the words of its code, `{}` being the arguments in turn.
pub(crate) fn refused(code: Code, arguments: &[&str], lang: Lang) -> anyhow::Error {
    let (mut text, help, between) = match lang {
        Lang::Ja => (code.ja.to_owned(), code.help_ja, "。"),
        Lang::En => (code.en.to_owned(), code.help_en, "; "),
    };
    for argument in arguments {
        text = text.replacen("{}", argument, 1);
    }
    let sentence = help.starts_with(char::is_uppercase);
    text.push_str(if sentence { ". " } else { between });
    text.push_str(help);
    Refusal { code, text }.into()
}

/// Text for a path that is not there, with the nearest name beside it.
pub(crate) fn not_found(path: &Path, lang: Lang) -> String {
    let shown = path.display();
    let near = nearest_path(path);
    match near {
        Some(n) => say(
            lang,
            &format!("{shown} が見つかりません。もしかして: {n}"),
            &format!("{shown} not found. Did you mean {n}?"),
        ),
        None => say(
            lang,
            &format!("{shown} が見つかりません"),
            &format!("{shown} not found"),
        ),
    }
}

/// Text for a folder of results that cannot be made or written to.
pub(crate) fn not_writable(folder: &Path, error: &std::io::Error, lang: Lang) -> String {
    use std::io::ErrorKind as K;
    let (ja, en) = match error.kind() {
        K::NotFound => (
            "そこにはフォルダーを作れません",
            "no folder can be made there",
        ),
        K::PermissionDenied => ("書き込む権限がありません", "no permission to write"),
        K::ReadOnlyFilesystem => ("読み取り専用です", "it is read-only"),
        K::StorageFull => ("空きがありません", "no space is left"),
        K::AlreadyExists | K::NotADirectory => {
            ("その場所にファイルがあります", "a file is in its place")
        }
        _ => ("書き込めません", "it cannot be written"),
    };
    let (shown, code) = (folder.display(), error.raw_os_error());
    let code = code.map(|n| format!(" (os error {n})")).unwrap_or_default();
    say(
        lang,
        &format!("{shown}: {ja}{code}。書き込めるフォルダーを --out に指定してください"),
        &format!("{shown}: {en}{code}; give --out a folder that can be written to"),
    )
}

fn nearest_path(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    let entries = std::fs::read_dir(parent.unwrap_or(Path::new("."))).ok()?;
    let names: Vec<String> = entries
        .take(1000)
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .collect();
    let best = nearest(name, names.iter().map(String::as_str))?;
    Some(parent.map_or_else(|| best.to_owned(), |p| p.join(best).display().to_string()))
}

/// Text for an argument that is not UTF-8, which what lies below a folder may well be.
pub(crate) fn not_utf8(argument: &OsStr, lang: Lang) -> String {
    let mut shown = String::new();
    for chunk in argument.as_encoded_bytes().utf8_chunks() {
        shown.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(shown, "%{byte:02X}");
        }
    }
    say(
        lang,
        &format!(
            "{shown}: 名前が UTF-8 ではないので引数にできません。その上のフォルダーを指定すれば、中のファイルは名前が UTF-8 でなくても読みます"
        ),
        &format!(
            "{shown}: not UTF-8, so it cannot be an argument; give the folder above it: files in a folder are read whatever their names"
        ),
    )
}

/// The line of the tables of `check` in which a text is written as a value or a key.
fn line_of(text: &str, toml: &str) -> Option<usize> {
    let mut inside = String::new();
    for (n, line) in toml.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.trim_start_matches('[').split(']').next()
            && line.starts_with('[')
        {
            name.trim().clone_into(&mut inside);
        }
        let first = inside.split('.').next().unwrap_or_default().trim();
        let quoted = ['"', '\'']
            .iter()
            .any(|q| line.contains(&format!("{q}{text}{q}")));
        let key = line
            .strip_prefix(text)
            .is_some_and(|rest| rest.trim_start().starts_with('='));
        // Keys with dots and tables in one line stand before any table.
        if (first == "check" || line.starts_with("check")) && (quoted || key) {
            return Some(n + 1);
        }
    }
    None
}

/// Where a mistake was written: the line of the configuration, else the flag.
fn origin(option: &str, text: &str, file: Option<(&Path, &str)>) -> String {
    match file {
        Some((path, toml)) => {
            let line = line_of(text, toml).map_or(String::new(), |n| format!(":{n}"));
            format!("{}{line}: [check] {option}", path.display())
        }
        None => format!("--{option}"),
    }
}

/// Text for a rule, profile or severity that does not exist; `file` is the configuration and its text when
/// the mistake stands there.
pub(crate) fn wish(error: &WishError, file: Option<(&Path, &str)>, lang: Lang) -> String {
    let close = |n: Option<&str>| match n {
        Some(n) => say(lang, &format!("近いもの: {n}。"), &format!("Close: {n}. ")),
        None => String::new(),
    };
    match error {
        WishError::Selection(SelectionError::UnknownRule {
            option,
            text,
            nearest,
        }) => {
            let (mut close, from) = (close(*nearest), origin(option, text, file));
            if nearest.is_none() {
                let all: BTreeSet<&str> = warifu_rules::entries()
                    .filter_map(|e| e.code.get(..3))
                    .collect();
                let all = all.into_iter().collect::<Vec<_>>().join(", ");
                close = say(
                    lang,
                    &format!("番号の先頭: {all}。"),
                    &format!("Codes begin with {all}. "),
                );
            }
            say(
                lang,
                &format!("{from} の {text} という規則はありません。{close}一覧: warifu rule"),
                &format!("{from}: no rule {text}. {close}List: warifu rule"),
            )
        }
        WishError::Selection(SelectionError::UnknownProfile { text, nearest }) => {
            let (close, from) = (close(*nearest), origin("profile", text, file));
            let all = PROFILES.join(", ");
            say(
                lang,
                &format!("{from} の {text} というプロファイルはありません。{close}一覧: {all}"),
                &format!("{from}: no profile {text}. {close}There are: {all}"),
            )
        }
        WishError::Grade { code, word } => {
            let from = origin("severity", code, file);
            say(
                lang,
                &format!("{from} の {code} の程度 {word} はありません (error, warning, info, off)"),
                &format!("{from}: {code} has no severity {word} (error, warning, info, off)"),
            )
        }
        WishError::NoPaths { number } => {
            let from = in_file(file, |toml| override_line(*number, toml));
            say(
                lang,
                &format!(
                    "{from}: [[check.override]] に paths がありません。paths = [\"**/OML-11/**\"] のように書いてください"
                ),
                &format!(
                    "{from}: [[check.override]] has no paths; write paths = [\"**/OML-11/**\"] or the like"
                ),
            )
        }
        WishError::Glob { text } => {
            let from = in_file(file, |toml| line_of(text, toml));
            say(
                lang,
                &format!(
                    "{from}: [[check.override]] paths の {text:?} はパスの型として読めません。使えるのは ** (フォルダーいくつでも)、* (名前の中)、? (一文字) だけです"
                ),
                &format!(
                    "{from}: [[check.override]] paths: {text:?} is no glob; only ** (any folders), * (within a name) and ? (one character) are special"
                ),
            )
        }
        other => other.to_string(),
    }
}

/// The file of the configuration with the line of a mistake.
fn in_file(file: Option<(&Path, &str)>, line: impl FnOnce(&str) -> Option<usize>) -> String {
    match file {
        Some((path, toml)) => {
            let line = line(toml).map_or(String::new(), |n| format!(":{n}"));
            format!("{}{line}", path.display())
        }
        None => crate::config::FILE.to_owned(),
    }
}

/// The line of an override by its number from 1.
fn override_line(number: usize, toml: &str) -> Option<usize> {
    let heads = toml.lines().zip(1..).filter(|(line, _)| {
        let name = line
            .trim()
            .strip_prefix("[[")
            .and_then(|l| l.split("]]").next());
        name.is_some_and(|n| n.split('.').map(str::trim).eq(["check", "override"]))
    });
    heads.map(|(_, n)| n).nth(number.checked_sub(1)?)
}

/// Levels that `fail-on` may have.
const LEVELS: [&str; 4] = ["error", "warning", "info", "never"];

/// Text for a level of `fail-on` in the configuration that does not exist.
pub(crate) fn level(word: &str, path: Option<&Path>, toml: &str, lang: Lang) -> String {
    let file = path.map(|path| (path, toml));
    let from = in_file(file, |toml| line_of(word, toml));
    let all = LEVELS.join(", ");
    let (ja, en) = match nearest(word, LEVELS.into_iter()) {
        Some(n) => (format!("もしかして: {n}。"), format!(" Did you mean {n}?")),
        None => Default::default(),
    };
    say(
        lang,
        &format!("{from}: [check] fail-on の {word} という程度はありません。{ja}書けるもの: {all}"),
        &format!("{from}: [check] fail-on: no level {word}.{en} There are: {all}"),
    )
}

#[cfg(test)]
mod tests {
    use super::{line_of, override_line};

    #[test]
    fn a_mistake_is_found_in_the_tables_of_check_only() {
        let toml = "[files]\nexclude = [\"X1\"]\n# X1 = \"off\"\n[check]\nselect = [\"A\",\n 'X1']\n[check.severity]\nX2 = \"off\"\n[[check.override]]\nignore = [\"X3\"]\n";
        for (text, line) in [
            ("X1", Some(6)),
            ("X2", Some(8)),
            ("X3", Some(10)),
            ("X", None),
        ] {
            assert_eq!(line_of(text, toml), line, "{text}");
        }
        assert_eq!(line_of("X", "check.select = [\"X\"]"), Some(1));
        let two = "[check]\n[[check.override]]\npaths = [\"**\"]\n[[ check . override ]]\n";
        assert_eq!(override_line(2, two), Some(4));
        assert_eq!(override_line(3, two), None);
    }
}
