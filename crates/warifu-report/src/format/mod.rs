//! The output formats: a [`Render`] takes files in order and appends bytes.
//!
//! Every format but `text` is a machine format: it depends on nothing but the findings and the language.
//! All are UTF-8 with LF. What a platform refuses is left out and said: see each format.

mod checkstyle;
mod github;
mod gitlab;
mod json;
mod junit;
mod markdown;
mod outcome;
mod sarif;
mod text;

use warifu_diag::Code;

use crate::Lang;
use crate::position::Units;
use crate::report::{FileReport, Totals};

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Frames for people.
    Text,
    /// `warifu.diagnostics/1`.
    Json,
    /// The same objects, one a line, and an end line.
    Ndjson,
    /// SARIF 2.1.0.
    Sarif,
    /// JUnit XML (Ant, Jenkins).
    Junit,
    /// Workflow commands of GitHub Actions.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// Checkstyle XML.
    Checkstyle,
    /// A table for step summaries.
    Markdown,
    /// FHIR R4 OperationOutcome.
    OperationOutcome,
}

impl Format {
    /// All, in the order they are documented.
    pub const ALL: [Self; 10] = [
        Self::Text,
        Self::Json,
        Self::Ndjson,
        Self::Sarif,
        Self::Junit,
        Self::Github,
        Self::Gitlab,
        Self::Checkstyle,
        Self::Markdown,
        Self::OperationOutcome,
    ];

    /// Its name on command lines.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Sarif => "sarif",
            Self::Junit => "junit",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Checkstyle => "checkstyle",
            Self::Markdown => "markdown",
            Self::OperationOutcome => "operation-outcome",
        }
    }

    /// The format of a name.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.word() == word)
    }

    /// Whether columns may be counted otherwise than in UTF-16 units.
    pub const fn takes_columns(self) -> bool {
        matches!(self, Self::Text | Self::Json | Self::Ndjson)
    }
}

/// What formats need besides findings.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own, none a state"
)]
pub struct Context {
    /// Version of the tool.
    pub version: String,
    /// Language of texts.
    pub lang: Lang,
    /// What the findings' columns count.
    pub units: Units,
    /// The catalogue.
    pub lookup: fn(&str) -> Option<Code>,
    /// Findings of a baseline were left out: those that are left are new.
    pub baseline: bool,
    /// Whether `--fix` can rewrite what was checked, so that `text` may offer it: archives and standard input
    /// it cannot.
    pub rewritable: bool,
    /// Where the pages of rules are published: an address in which `{code}` stands for the code. `sarif` links
    /// them.
    pub rule_pages: Option<String>,
    /// Local time `YYYY-MM-DDThh:mm:ss` for JUnit, which demands one.
    pub timestamp: String,
    /// Colours, for `text` only.
    pub colour: bool,
    /// Whether `json` and `ndjson` end with totals by rule and data kind.
    pub statistics: bool,
}

impl Context {
    /// The catalogue's short text of a code without its argument.
    pub(crate) fn title(&self, code: &str) -> String {
        let Some(e) = (self.lookup)(code) else {
            return code.to_owned();
        };
        let text = match self.lang {
            Lang::Ja => e.ja,
            Lang::En => e.en,
        };
        text.replace("{}", "…")
    }
    pub(crate) fn say<'t>(&self, ja: &'t str, en: &'t str) -> &'t str {
        match self.lang {
            Lang::Ja => ja,
            Lang::En => en,
        }
    }
}

/// Writes a format, file by file.
pub trait Render {
    /// What comes before the first file.
    fn begin(&mut self, totals: &Totals, out: &mut Vec<u8>);
    /// One file, or record of a transaction file; they come in [`FileReport::order`], findings sorted.
    fn file(&mut self, file: &FileReport, out: &mut Vec<u8>);
    /// What comes after the last file.
    fn end(&mut self, out: &mut Vec<u8>);
}

/// The writer of a format.
pub fn renderer(format: Format, context: Context) -> Box<dyn Render> {
    match format {
        Format::Text => Box::new(text::Text::new(context)),
        Format::Json => Box::new(json::Json::new(context)),
        Format::Ndjson => Box::new(json::Ndjson::new(&context)),
        Format::Sarif => Box::new(sarif::Sarif::new(context)),
        Format::Junit => Box::new(junit::Junit::new(context)),
        Format::Github => Box::new(github::Github::new(context)),
        Format::Gitlab => Box::new(gitlab::Gitlab::default()),
        Format::Checkstyle => Box::new(checkstyle::Checkstyle::default()),
        Format::Markdown => Box::new(markdown::Markdown::new(context)),
        Format::OperationOutcome => Box::new(outcome::Outcome::new(context)),
    }
}

/// A whole report at once: sorts the files and writes them.
pub fn render(
    files: &mut [FileReport],
    totals: &Totals,
    format: Format,
    context: Context,
) -> Vec<u8> {
    warifu_order::sort_by(files, FileReport::order);
    let mut writer = renderer(format, context);
    let mut out = Vec::new();
    writer.begin(totals, &mut out);
    for f in files {
        writer.file(f, &mut out);
    }
    writer.end(&mut out);
    out
}

/// `CODE PATH`, as titles of findings.
fn title_of(f: &crate::finding::Finding) -> String {
    match &f.primary.path {
        Some(p) => format!("{} {p}", f.code),
        None => f.code.clone(),
    }
}

/// Text for XML 1.0: markup escaped, characters XML cannot hold left out.
fn xml(text: &str, out: &mut Vec<u8>) {
    for c in text.chars() {
        match c {
            '&' => out.extend_from_slice(b"&amp;"),
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '"' => out.extend_from_slice(b"&quot;"),
            '\n' => out.extend_from_slice(b"&#10;"),
            '\u{0}'..='\u{1f}' | '\u{7f}' | '\u{fffe}' | '\u{ffff}' => {}
            c => {
                let mut buffer = [0; 4];
                out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
            }
        }
    }
}

/// ` name="value"`.
fn attribute(name: &str, value: &str, out: &mut Vec<u8>) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    xml(value, out);
    out.push(b'"');
}

/// JSON of a value of ours, which always has one.
fn json(value: &impl serde::Serialize, out: &mut Vec<u8>) {
    // Strings, numbers, maps with string keys: nothing that can fail.
    let _ = serde_json::to_writer(out, value);
}

#[cfg(test)]
mod tests;
