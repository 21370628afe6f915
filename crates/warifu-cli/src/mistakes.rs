//! Wording of usage mistakes (exit code 2), with the nearest name.

use std::path::Path;

use warifu_check::WishError;
use warifu_diag::nearest::nearest;
use warifu_report::Lang;
use warifu_rules::selection::{PROFILES, SelectionError};

use crate::say;

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

/// Text for a rule, profile or severity that does not exist.
pub(crate) fn wish(error: &WishError, lang: Lang) -> String {
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
            let close = close(*nearest);
            say(
                lang,
                &format!("--{option} の {text} という規則はありません。{close}一覧: warifu rule"),
                &format!("--{option}: no rule {text}. {close}List: warifu rule"),
            )
        }
        WishError::Selection(SelectionError::UnknownProfile { text, nearest }) => {
            let close = close(*nearest);
            let all = PROFILES.join(", ");
            say(
                lang,
                &format!("--profile の {text} というプロファイルはありません。{close}一覧: {all}"),
                &format!("--profile: no profile {text}. {close}There are: {all}"),
            )
        }
        WishError::Grade { code, word } => say(
            lang,
            &format!("{code} の程度 {word} はありません (error, warning, info, off)"),
            &format!("{code}: no severity {word} (error, warning, info, off)"),
        ),
        other => other.to_string(),
    }
}
