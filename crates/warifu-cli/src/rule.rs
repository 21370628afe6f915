//! `warifu rule`: what a code means.

use std::io::Write as _;

use anyhow::bail;
use serde_json::json;
use warifu_diag::nearest::nearest;
use warifu_diag::{Entry, catalogue, lookup};
use warifu_report::Lang;

use crate::{End, say};

/// Prints one code, a family, or the list.
pub(crate) fn run(code: Option<&str>, format: &str, lang: Lang) -> anyhow::Result<End> {
    let chosen: Vec<&Entry> = match code {
        None => catalogue::all().collect(),
        Some(c) => match lookup(c) {
            Some(e) => vec![e],
            None => catalogue::all()
                .filter(|e| e.code.starts_with(&c.to_uppercase()))
                .collect(),
        },
    };
    if chosen.is_empty() {
        let c = code.unwrap_or("");
        let upper = c.to_uppercase();
        let hint = nearest(&upper, catalogue::all().map(|e| e.code))
            .or_else(|| nearest(c, catalogue::all().map(|e| e.name)));
        let ja = hint
            .map(|h| format!(" 近いもの: {h}。"))
            .unwrap_or_default();
        let en = hint.map(|h| format!(" Close: {h}.")).unwrap_or_default();
        bail!(say(
            lang,
            &format!("{c} という規則はありません。{ja} 一覧: warifu rule"),
            &format!("no rule {c}.{en} List: warifu rule")
        ));
    }
    let mut out = std::io::stdout().lock();
    if format == "json" {
        let list: Vec<_> = chosen
            .iter()
            .map(|e| json!({"code": e.code, "name": e.name, "severity": e.severity.word(), "ja": {"message": e.ja, "help": e.help_ja}, "en": {"message": e.en, "help": e.help_en}, "standard": e.standard}))
            .collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&list)?)?;
        return Ok(End::Clean);
    }
    let single = chosen.len() == 1 && code.is_some();
    for e in chosen {
        let (message, help) = match lang {
            Lang::Ja => (e.ja, e.help_ja),
            Lang::En => (e.en, e.help_en),
        };
        let message = message.replace("{}", "…");
        if single {
            let severity = say(lang, e.severity.word_ja(), e.severity.word());
            let (todo, source) = (say(lang, "対処", "what to do"), say(lang, "根拠", "source"));
            if format == "markdown" {
                writeln!(
                    out,
                    "# {} {}\n\n{severity}: {message}\n\n**{todo}**: {help}\n\n**{source}**: {}",
                    e.code, e.name, e.standard
                )?;
            } else {
                writeln!(
                    out,
                    "{} {} ({severity})\n  {message}\n  {todo}: {help}\n  {source}: {}",
                    e.code, e.name, e.standard
                )?;
            }
        } else {
            writeln!(
                out,
                "{} {:<28} {:<8} {message}",
                e.code,
                e.name,
                e.severity.word()
            )?;
        }
    }
    Ok(End::Clean)
}
