//! What a code means: the page of a rule, and the catalogue as data.

use serde::Serialize;
use warifu_diag::{Entry, catalogue};

use crate::Lang;

/// Texts of a rule in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RuleText {
    /// What is wrong; `{}` stands for the argument.
    pub message: &'static str,
    /// What to do.
    pub help: &'static str,
}

/// A rule of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RuleInfo {
    /// Stable code, e.g. `ENC110`.
    pub code: &'static str,
    /// Name, e.g. `half-width-katakana`.
    pub name: &'static str,
    /// `error`, `warning` or `info`.
    pub severity: &'static str,
    /// Texts in Japanese.
    pub ja: RuleText,
    /// Texts in English.
    pub en: RuleText,
    /// Document and section.
    pub standard: &'static str,
}

impl From<&'static Entry> for RuleInfo {
    fn from(e: &'static Entry) -> Self {
        Self {
            code: e.code,
            name: e.name,
            severity: e.severity.word(),
            ja: RuleText {
                message: e.ja,
                help: e.help_ja,
            },
            en: RuleText {
                message: e.en,
                help: e.help_en,
            },
            standard: e.standard,
        }
    }
}

/// All rules in the order of the catalogue.
pub fn rules() -> Vec<RuleInfo> {
    catalogue::all().map(RuleInfo::from).collect()
}

/// The page of a rule in Markdown, one sentence a line, ending with a line feed.
pub fn markdown(e: &Entry, lang: Lang) -> String {
    let (severity, message, help, todo, source) = match lang {
        Lang::Ja => (e.severity.word_ja(), e.ja, e.help_ja, "対処", "根拠"),
        Lang::En => (e.severity.word(), e.en, e.help_en, "what to do", "source"),
    };
    format!(
        "# {} {}\n\n{severity}: {}\n\n**{todo}**: {help}\n\n**{source}**: {}\n",
        e.code,
        e.name,
        message.replace("{}", "…"),
        e.standard
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page_in_both_languages() {
        let all = rules();
        assert!(all.len() > 20);
        for entry in catalogue::all() {
            for lang in [Lang::Ja, Lang::En] {
                let page = markdown(entry, lang);
                assert!(page.starts_with(&format!("# {} ", entry.code)), "{page}");
                assert!(!page.contains("{}"), "{page}");
            }
        }
    }
}
