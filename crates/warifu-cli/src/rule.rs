//! `warifu rule`: what a code means.

use std::io::Write as _;

use anyhow::bail;
use warifu_diag::Code;
use warifu_diag::nearest::nearest;
use warifu_report::Lang;
use warifu_report::rule::{RuleInfo, markdown, text};
use warifu_rules::{entries, lookup};

use crate::{End, say};

/// Prints one code, a family, or the list.
pub(crate) fn run(code: Option<&str>, format: &str, lang: Lang) -> anyhow::Result<End> {
    let chosen: Vec<Code> = match code {
        None => entries().collect(),
        Some(c) => match lookup(c) {
            Some(e) => vec![e],
            None => entries()
                .filter(|e| e.code.starts_with(&c.to_uppercase()))
                .collect(),
        },
    };
    if chosen.is_empty() {
        let c = code.unwrap_or("");
        let upper = c.to_uppercase();
        let hint = nearest(&upper, entries().map(|e| e.code))
            .or_else(|| nearest(c, entries().map(|e| e.name)));
        let ja = hint.map(|h| format!("近いもの: {h}。")).unwrap_or_default();
        let en = hint.map(|h| format!(" Close: {h}.")).unwrap_or_default();
        bail!(say(
            lang,
            &format!("{c} という規則はありません。{ja}一覧: warifu rule"),
            &format!("no rule {c}.{en} List: warifu rule")
        ));
    }
    let mut out = std::io::stdout().lock();
    let single = chosen.len() == 1 && code.is_some();
    match format {
        "json" => {
            let list: Vec<RuleInfo> = chosen.iter().map(|e| RuleInfo::from(*e)).collect();
            writeln!(out, "{}", serde_json::to_string_pretty(&list)?)?;
        }
        "markdown" => {
            let pages: Vec<String> = chosen.iter().map(|e| markdown(e, lang)).collect();
            out.write_all(pages.join("\n").as_bytes())?;
        }
        _ if single => {
            for e in chosen {
                out.write_all(text(e, lang).as_bytes())?;
            }
        }
        _ => {
            for e in chosen {
                let message = say(lang, e.ja, e.en).replace("{}", "…");
                let severity = e.severity.word();
                writeln!(out, "{} {:<28} {severity:<8} {message}", e.code, e.name)?;
            }
        }
    }
    Ok(End::Clean)
}
