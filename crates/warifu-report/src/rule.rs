//! What a code means: the page of a rule, and the catalogue as data.

use std::fmt::Write as _;

use serde::Serialize;
use warifu_diag::{Applicability, Code, Entry, Example, Profile};

use crate::Lang;

/// Texts of a rule in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RuleText {
    /// What is wrong; `{}` stands for the argument.
    pub message: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// What to do.
    pub help: &'static str,
}

/// A rule of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleInfo {
    /// Stable code, e.g. `ENC110`.
    pub code: &'static str,
    /// Name, e.g. `half-width-katakana`.
    pub name: &'static str,
    /// `error`, `warning` or `info`.
    pub severity: &'static str,
    /// What demands it: a profile of rules (`ssmix2-1.2g`, `nho`, `strict`), the conversion (`convert`),
    /// or `fhir-r4`, `jp-core`, `jp-clins`.
    pub profile: &'static str,
    /// `preview` or `stable`.
    pub status: &'static str,
    /// `safe` or `unsafe` when findings may carry a fix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<&'static str>,
    /// Texts in Japanese.
    pub ja: RuleText,
    /// Texts in English.
    pub en: RuleText,
    /// A bad example; escape sequences are written `\x1b`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrong: Option<String>,
    /// The same done right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<String>,
    /// Document and section.
    pub standard: &'static str,
}

impl From<Code> for RuleInfo {
    fn from(e: Code) -> Self {
        Self {
            code: e.code,
            name: e.name,
            severity: e.severity.word(),
            profile: e.profile.word(),
            status: e.status.word(),
            fix: e.fixable.map(Applicability::word),
            ja: RuleText {
                message: e.ja,
                why: e.why_ja,
                help: e.help_ja,
            },
            en: RuleText {
                message: e.en,
                why: e.why_en,
                help: e.help_en,
            },
            wrong: example(&e.wrong),
            right: example(&e.right),
            standard: e.standard,
        }
    }
}

/// An example as text: paths and lines as they are, bytes with escapes.
fn example(e: &Example) -> Option<String> {
    Some(match e {
        Example::None => return None,
        Example::Path(text) | Example::Lines(_, text) | Example::Message(text) => {
            text.trim_end().to_owned()
        }
        Example::Bytes(bytes) => {
            // One segment a line, its terminator visible.
            let text = bytes.escape_ascii().to_string();
            text.replace("\\r", "\\r\n").trim_end().to_owned()
        }
        Example::Files(files) => files
            .iter()
            .map(|(path, lines)| format!("{path}\n{}", lines.trim_end()))
            .collect::<Vec<_>>()
            .join("\n\n"),
        Example::Storage(files) => files
            .iter()
            .map(|(path, text)| format!("{path}\n{text}").trim_end().to_owned())
            .collect::<Vec<_>>()
            .join("\n"),
        Example::Options(options) => format!("warifu convert standard_root {options}"),
        // A byte order mark would not be seen.
        Example::Json(_, text) => text.replace('\u{feff}', "\\ufeff"),
        Example::Profiled(e) => format!(
            "{} (example, extract):\n{}\n\n{}",
            e.kind(),
            e.definition,
            e.resource
        ),
    })
}

/// The heading's words of a page in one language.
struct Words {
    profile: &'static str,
    why: &'static str,
    wrong: &'static str,
    right: &'static str,
    todo: &'static str,
    source: &'static str,
}

impl Words {
    const fn of(lang: Lang) -> Self {
        match lang {
            Lang::Ja => Self {
                profile: "プロファイル",
                why: "理由",
                wrong: "誤り",
                right: "正しい例",
                todo: "対処",
                source: "根拠",
            },
            Lang::En => Self {
                profile: "profile",
                why: "why",
                wrong: "wrong",
                right: "right",
                todo: "what to do",
                source: "source",
            },
        }
    }
}

/// Message, reason and help of a code in one language.
fn texts(e: &Entry, lang: Lang) -> (String, &'static str, &'static str) {
    let (message, why, help) = match lang {
        Lang::Ja => (e.ja, e.why_ja, e.help_ja),
        Lang::En => (e.en, e.why_en, e.help_en),
    };
    (message.replace("{}", "…"), why, help)
}

/// What demands a code, for people.
fn demanded_by(e: &Entry, lang: Lang) -> String {
    match (e.profile, lang) {
        (Profile::Ssmix2 | Profile::Nho | Profile::Strict, _) => {
            format!("{} {}", Words::of(lang).profile, e.profile.word())
        }
        (Profile::Conversion, Lang::Ja) => "変換 (warifu convert)".to_owned(),
        (Profile::Conversion, Lang::En) => "conversion (warifu convert)".to_owned(),
        (Profile::Fhir, _) => "FHIR R4".to_owned(),
        (Profile::JpCore, _) => "JP Core".to_owned(),
        (Profile::Clins, _) => "JP-CLINS".to_owned(),
    }
}

/// `警告 · プロファイル ssmix2-1.2g · stable · --fix`.
fn facts(e: &Entry, lang: Lang) -> String {
    let severity = match lang {
        Lang::Ja => e.severity.word_ja(),
        Lang::En => e.severity.word(),
    };
    let mut facts = format!(
        "{severity} · {} · {}",
        demanded_by(e, lang),
        e.status.word()
    );
    match e.fixable {
        Some(Applicability::Safe) => facts.push_str(" · --fix"),
        Some(Applicability::Unsafe) => facts.push_str(" · --fix --unsafe-fixes"),
        None => {}
    }
    facts
}

/// The page of a rule in Markdown, ending with a line feed.
pub fn markdown(e: &Entry, lang: Lang) -> String {
    let (message, why, help) = texts(e, lang);
    let words = Words::of(lang);
    let mut page = format!(
        "# {} {}\n\n{message}\n\n{}\n",
        e.code,
        e.name,
        facts(e, lang)
    );
    let mut paragraph = |name: &str, text: &str| {
        let _ = writeln!(page, "\n**{name}**: {text}");
    };
    if !why.is_empty() {
        paragraph(words.why, why);
    }
    paragraph(words.todo, help);
    for (name, e) in [(words.wrong, &e.wrong), (words.right, &e.right)] {
        if let Some(text) = example(e) {
            let _ = writeln!(page, "\n**{name}**:\n\n```text\n{text}\n```");
        }
    }
    let _ = writeln!(page, "\n**{}**: {}", words.source, e.standard);
    page
}

/// The page of a rule as plain text, ending with a line feed.
pub fn text(e: &Entry, lang: Lang) -> String {
    let (message, why, help) = texts(e, lang);
    let words = Words::of(lang);
    let mut page = format!("{} {} ({})\n  {message}\n", e.code, e.name, facts(e, lang));
    if !why.is_empty() {
        let _ = writeln!(page, "  {}: {why}", words.why);
    }
    let _ = writeln!(page, "  {}: {help}", words.todo);
    for (name, e) in [(words.wrong, &e.wrong), (words.right, &e.right)] {
        if let Some(text) = example(e) {
            let _ = writeln!(page, "  {name}:");
            for line in text.lines() {
                let _ = writeln!(page, "    {line}");
            }
        }
    }
    let _ = writeln!(page, "  {}: {}", words.source, e.standard);
    page
}

/// The page of a rule in both languages, as it stands in `docs/rules`.
pub fn document(e: &Entry) -> String {
    let english = markdown(e, Lang::En);
    // One heading a file: the English part begins with the message.
    let body = english.split_once("\n\n").map_or("", |(_, body)| body);
    format!("{}\n## English\n\n{body}", markdown(e, Lang::Ja))
}

/// The list of pages, as it stands in `docs/rules/README.md`.
pub fn index(entries: impl Iterator<Item = Code>) -> String {
    let mut page = String::from(
        "# Rules\n\nGenerated from the catalogue by `cargo xtask docs`; `warifu rule CODE` shows the same.\n\n| code | name | severity | demanded by | what |\n|---|---|---|---|---|\n",
    );
    for e in entries {
        let (message, ..) = texts(e, Lang::En);
        let message = message.replace('|', "\\|");
        let _ = writeln!(
            page,
            "| [{0}]({0}.md) | {1} | {2} | {3} | {message} |",
            e.code,
            e.name,
            e.severity.word(),
            e.profile.word(),
        );
    }
    page
}

#[cfg(test)]
mod tests {
    use warifu_diag::catalogue;

    use super::*;

    #[test]
    fn every_code_has_a_page_in_both_languages() {
        let all: Vec<RuleInfo> = catalogue::all().map(RuleInfo::from).collect();
        assert!(all.len() > 20);
        for entry in catalogue::all() {
            for lang in [Lang::Ja, Lang::En] {
                let page = markdown(entry, lang);
                assert!(page.starts_with(&format!("# {} ", entry.code)), "{page}");
                assert!(!page.contains("{}"), "{page}");
                assert!(text(entry, lang).starts_with(entry.code));
            }
            let both = document(entry);
            assert_eq!(both.matches("\n# ").count(), 0, "{both}");
            assert!(both.contains("\n## English\n"));
        }
    }

    #[test]
    fn bytes_of_an_example_are_visible() {
        let e = Example::Bytes(b"MSH|1\rPID|\x1b(IT\x1b(B\r");
        assert_eq!(
            example(&e).as_deref(),
            Some("MSH|1\\r\nPID|\\x1b(IT\\x1b(B\\r")
        );
    }
}
