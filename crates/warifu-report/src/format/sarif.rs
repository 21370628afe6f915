//! `sarif`: SARIF 2.1.0.
//!
//! GitHub refuses runs above 25,000 results and shows 5,000; so 5,000 are written: errors first, then one
//! of each code, then what fits. Totals of what was left out stand in a notification. A result has 100
//! locations at most.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Context, Render, json};
use crate::Lang;
use crate::finding::{Finding, Label};
use crate::report::{FileReport, Totals, rank};

/// Results written.
const RESULTS: u64 = 5_000;
/// Locations of a result: the first, and the related ones.
const LOCATIONS: usize = 100;

pub(super) struct Sarif {
    context: Context,
    codes: Vec<String>,
    choice: Choice,
    artifacts: Vec<Artifact>,
    some: bool,
    /// Codes that have errors.
    error_codes: BTreeSet<String>,
    left_out: BTreeMap<String, u64>,
}

/// Which results are written, decided while they pass by.
#[derive(Default)]
struct Choice {
    all: bool,
    /// How many errors that are not the first of their code fit.
    errors: u64,
    /// How many codes without a written error still get their first finding.
    firsts: u64,
    /// How many other findings fit.
    others: u64,
    seen: BTreeSet<String>,
}

impl Choice {
    fn new(totals: &Totals) -> Self {
        let all = totals.findings() <= RESULTS;
        let error_codes = u64::try_from(totals.rules.values().filter(|c| c[0] > 0).count());
        let first_errors = error_codes.unwrap_or(0).min(RESULTS);
        let errors = (totals.summary.errors - first_errors).min(RESULTS - first_errors);
        let left = RESULTS - first_errors - errors;
        let plain = totals.rules.values().filter(|c| c[0] == 0).count();
        let firsts = u64::try_from(plain).unwrap_or(0).min(left);
        Self {
            all,
            errors,
            firsts,
            others: left - firsts,
            seen: BTreeSet::new(),
        }
    }
    fn takes(&mut self, f: &Finding, has_errors: bool) -> bool {
        if self.all {
            return true;
        }
        let error = rank(&f.severity) == 0;
        // Of a code with errors the first error counts, not what stands before it.
        let first = (error || !has_errors) && self.seen.insert(f.code.clone());
        let budget = match (error, first) {
            (true, true) => return true,
            (true, false) => &mut self.errors,
            (false, true) => &mut self.firsts,
            (false, false) => &mut self.others,
        };
        let fits = *budget > 0;
        *budget = budget.saturating_sub(1);
        fits
    }
}

#[derive(Serialize)]
struct Text<'t> {
    text: &'t str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Help<'t> {
    text: &'t str,
    markdown: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule<'t> {
    id: &'t str,
    name: String,
    short_description: Text<'t>,
    full_description: Text<'t>,
    help: Help<'t>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<String>,
    default_configuration: Level,
    properties: RuleProperties<'t>,
}

#[derive(Serialize)]
struct RuleProperties<'t> {
    standard: &'t str,
    tags: [&'static str; 1],
}

#[derive(Serialize)]
struct Level {
    level: &'static str,
}

#[derive(Serialize)]
struct Artifact {
    location: Place,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<u64>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    uri: String,
    /// Only where the path is relative to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Result<'f> {
    rule_id: &'f str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Text<'f>,
    locations: [Location<'f>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location<'f>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partial_fingerprints: Option<Prints<'f>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_state: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Fix<'f>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Properties<'f>>,
}

#[derive(Serialize)]
struct Prints<'f> {
    #[serde(rename = "warifu/v1")]
    v1: &'f str,
}

#[derive(Serialize)]
struct Properties<'f> {
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<&'f str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'f> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: Physical,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<Logical<'f>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text<'f>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Place,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
    byte_offset: u64,
    byte_length: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical<'f> {
    fully_qualified_name: &'f str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'f str>,
    kind: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fix<'f> {
    description: Text<'f>,
    artifact_changes: [Change<'f>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change<'f> {
    artifact_location: Place,
    replacements: Vec<Replacement<'f>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement<'f> {
    deleted_region: Bytes,
    inserted_content: Binary<'f>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bytes {
    byte_offset: u64,
    byte_length: u64,
}

#[derive(Serialize)]
struct Binary<'f> {
    binary: &'f str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation<'t> {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification<'t>>,
}

#[derive(Serialize)]
struct Notification<'t> {
    level: &'static str,
    message: Text<'t>,
}

impl Sarif {
    pub(super) fn new(context: Context) -> Self {
        Self {
            context,
            codes: Vec::new(),
            choice: Choice::default(),
            artifacts: Vec::new(),
            some: false,
            error_codes: BTreeSet::new(),
            left_out: BTreeMap::new(),
        }
    }

    /// Index of a file among the artifacts. The records of a transaction file are one, of unknown length.
    fn artifact(&mut self, place: &Place, file: &FileReport) -> usize {
        match self.artifacts.last_mut() {
            Some(last) if last.location.uri == place.uri => {
                if last.encoding.is_none() {
                    last.encoding.clone_from(&file.charset);
                }
            }
            _ => self.artifacts.push(Artifact {
                location: place.clone(),
                encoding: file.charset.clone(),
                length: (file.record.is_none() && file.offset == 0).then_some(file.length),
            }),
        }
        self.artifacts.len().saturating_sub(1)
    }

    /// Address of a rule's page.
    fn page(&self, code: &str) -> Option<String> {
        let pages = self.context.rule_pages.as_deref()?;
        Some(pages.replace("{code}", code))
    }

    fn rule(&self, code: &str, out: &mut Vec<u8>) {
        let Some(e) = (self.context.lookup)(code) else {
            json(
                &serde_json::Map::from_iter([("id".to_owned(), code.into())]),
                out,
            );
            return;
        };
        let (title, why, help) = match self.context.lang {
            Lang::Ja => (e.ja, e.why_ja, e.help_ja),
            Lang::En => (e.en, e.why_en, e.help_en),
        };
        let title = title.replace("{}", "…");
        let rule = Rule {
            id: e.code,
            name: pascal(e.name),
            short_description: Text { text: &title },
            full_description: Text {
                text: if why.is_empty() { &title } else { why },
            },
            help: Help {
                text: help,
                markdown: crate::rule::markdown(e, self.context.lang),
            },
            help_uri: self.page(e.code),
            default_configuration: Level {
                level: level(e.severity.word()),
            },
            properties: RuleProperties {
                standard: e.standard,
                tags: ["ss-mix2"],
            },
        };
        json(&rule, out);
    }

    fn result(&self, f: &Finding, place: &Place, out: &mut Vec<u8>) {
        let result = Result {
            rule_id: &f.code,
            rule_index: self.codes.binary_search(&f.code).ok(),
            level: level(&f.severity),
            message: Text { text: &f.message },
            locations: [location(&f.primary, place.clone(), None, self.context.lang)],
            related_locations: f
                .secondary
                .iter()
                .take(LOCATIONS - 1)
                .enumerate()
                .map(|(i, l)| {
                    let own = if l.file == f.primary.file {
                        place.clone()
                    } else {
                        Place::of(&l.file)
                    };
                    location(l, own, Some(i), self.context.lang)
                })
                .collect(),
            partial_fingerprints: f.fingerprint.as_deref().map(|v1| Prints { v1 }),
            baseline_state: self.context.baseline.then_some("new"),
            fixes: f
                .fix
                .iter()
                .map(|fix| Fix {
                    description: Text { text: &fix.title },
                    artifact_changes: [Change {
                        artifact_location: place.clone(),
                        replacements: fix
                            .edits
                            .iter()
                            .map(|e| Replacement {
                                deleted_region: bytes(e.span),
                                inserted_content: Binary { binary: &e.bytes },
                            })
                            .collect(),
                    }],
                })
                .collect(),
            properties: Some(Properties {
                kind: f.kind.as_deref(),
                record: f.primary.record.as_deref(),
            })
            .filter(|p| p.kind.is_some() || p.record.is_some()),
        };
        json(&result, out);
    }
}

fn bytes([start, end]: [u64; 2]) -> Bytes {
    Bytes {
        byte_offset: start,
        byte_length: end.saturating_sub(start),
    }
}

fn location(l: &Label, place: Place, id: Option<usize>, lang: Lang) -> Location<'_> {
    let b = bytes(l.span);
    Location {
        id,
        physical_location: Physical {
            artifact_location: place,
            region: Some(Region {
                start_line: l.start.line,
                start_column: l.start.column,
                end_line: l.end.line,
                end_column: l.end.column,
                byte_offset: b.byte_offset,
                byte_length: b.byte_length,
            }),
        },
        logical_locations: l
            .path
            .as_deref()
            .map(|path| Logical {
                fully_qualified_name: path,
                name: l
                    .field
                    .as_ref()
                    .map(|n| match lang {
                        Lang::Ja => n.ja.as_str(),
                        Lang::En => n.en.as_str(),
                    })
                    .filter(|n| !n.is_empty()),
                kind: "member",
            })
            .into_iter()
            .collect(),
        message: l.message.as_deref().map(|text| Text { text }),
    }
}

fn level(severity: &str) -> &'static str {
    match severity {
        "error" => "error",
        "warning" => "warning",
        _ => "note",
    }
}

/// `half-width-katakana` → `HalfWidthKatakana`.
fn pascal(name: &str) -> String {
    name.split('-')
        .map(|w| {
            let mut letters = w.chars();
            letters
                .next()
                .map(|c| c.to_ascii_uppercase().to_string() + letters.as_str())
                .unwrap_or_default()
        })
        .collect()
}

impl Place {
    /// A path from the root of the sources, or an absolute one as a URL of its own (SARIF 2.1.0 §3.4.4).
    fn of(path: &str) -> Self {
        let drive =
            matches!(path.as_bytes(), [d, b':', b'/' | b'\\', ..] if d.is_ascii_alphabetic());
        let (uri, uri_base_id) = if path.starts_with('/') {
            (format!("file://{}", uri(path)), None)
        } else if drive {
            (format!("file:///{}", uri(&path.replace('\\', "/"))), None)
        } else {
            (uri(path), Some("%SRCROOT%"))
        };
        Self {
            uri,
            uri_base_id,
            index: None,
        }
    }
}

/// A path as a URI reference.
fn uri(path: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(path.len());
    for b in path.trim_start_matches("./").bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(b));
        } else {
            let _ = write!(text, "%{b:02X}");
        }
    }
    text
}

impl Render for Sarif {
    fn begin(&mut self, totals: &Totals, out: &mut Vec<u8>) {
        self.choice = Choice::new(totals);
        self.codes = totals.rules.keys().cloned().collect();
        self.error_codes = totals
            .rules
            .iter()
            .filter(|(_, n)| n[0] > 0)
            .map(|(code, _)| code.clone())
            .collect();
        out.extend_from_slice(b"{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\n \"tool\":{\"driver\":{\"name\":\"warifu\",\"semanticVersion\":");
        json(&self.context.version, out);
        // The folder of the pages: what stands before the segment with the code.
        let folder = self.context.rule_pages.as_deref().and_then(|pages| {
            let (before, _) = pages.split_once("{code}")?;
            before.rfind('/').and_then(|end| before.get(..=end))
        });
        if let Some(folder) = folder {
            out.extend_from_slice(b",\"informationUri\":");
            json(&folder, out);
        }
        out.extend_from_slice(b",\n  \"rules\":[");
        for (i, code) in self.codes.iter().enumerate() {
            out.extend_from_slice(if i == 0 { b"\n   " } else { b",\n   " });
            self.rule(code, out);
        }
        out.extend_from_slice(b"]}},\n \"columnKind\":\"utf16CodeUnits\",\"newlineSequences\":[\"\\r\\n\",\"\\n\",\"\\r\"],\n \"results\":[");
    }
    fn file(&mut self, file: &FileReport, out: &mut Vec<u8>) {
        let mut place = Place::of(&file.path);
        for f in &file.findings {
            if !self.choice.takes(f, self.error_codes.contains(&f.code)) {
                *self.left_out.entry(f.code.clone()).or_insert(0) += 1;
                continue;
            }
            if place.index.is_none() {
                place.index = Some(self.artifact(&place, file));
            }
            out.extend_from_slice(if self.some { b",\n  " } else { b"\n  " });
            self.some = true;
            self.result(f, &place, out);
        }
    }
    fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"],\n \"artifacts\":[");
        for (i, a) in self.artifacts.iter().enumerate() {
            out.extend_from_slice(if i == 0 { b"\n  " } else { b",\n  " });
            json(a, out);
        }
        let totals: Vec<String> = self
            .left_out
            .iter()
            .map(|(c, n)| format!("{c} {n}"))
            .collect();
        let n: u64 = self.left_out.values().sum();
        let list = totals.join(", ");
        let ja = format!("ほか {n} 件は書いていません ({list})");
        let en = format!("{n} more results are not written ({list})");
        let invocation = Invocation {
            execution_successful: true,
            tool_execution_notifications: (n > 0)
                .then(|| Notification {
                    level: "warning",
                    message: Text {
                        text: self.context.say(&ja, &en),
                    },
                })
                .into_iter()
                .collect(),
        };
        out.extend_from_slice(b"],\n \"invocations\":[");
        json(&invocation, out);
        out.extend_from_slice(b"]}]}\n");
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn only_relative_paths_have_a_base() {
        let of = |path| {
            let place = Place::of(path);
            (place.uri, place.uri_base_id)
        };
        assert_eq!(of("./a b/c"), ("a%20b/c".to_owned(), Some("%SRCROOT%")));
        assert_eq!(of("/data/x"), ("file:///data/x".to_owned(), None));
        assert_eq!(of("C:\\d\\x"), ("file:///C%3A/d/x".to_owned(), None));
    }
}
