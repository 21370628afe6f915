//! The check: files in, reports out; formats are the bytes of the command line.

use std::collections::BTreeMap;

use js_sys::{Array, Object, Uint8Array};
use serde::{Deserialize, Serialize};
use warifu_check::diff::diff;
use warifu_check::{Check, CheckSection, Frames, Given, Options, Report};
use warifu_diag::catalogue::ssm::SSM108;
use warifu_report::Lang;
use warifu_report::finding::Finding;
use warifu_report::fingerprint::Fingerprints;
use warifu_report::format::Format;
use warifu_report::position::Units;
use warifu_report::report::{FileReport, Summary};
use warifu_report::rule::{RuleInfo, markdown};
use warifu_ssmix2::{Place, components, locate};
use warifu_storage::{Content, sniff};
use wasm_bindgen::prelude::*;

use crate::edge::{self, invalid, owned_files};
use crate::{failure, set, to_js};

/// Path below the root of a storage, as the command line gives it to the rules; other paths whole.
fn in_root(path: &str) -> &str {
    let parts: Vec<&str> = components(path).collect();
    let Place::Item(item) = locate(&parts) else {
        return path;
    };
    let mut rest = path;
    for _ in 0..item.root_depth {
        rest = rest.split_once('/').map_or(rest, |(_, rest)| rest);
    }
    rest
}

fn given(path: String, bytes: Vec<u8>) -> Given {
    Given {
        path: in_root(&path).to_owned(),
        shown: path,
        bytes,
    }
}

fn all_given(files: &Array) -> Result<Vec<Given>, JsValue> {
    Ok(owned_files(files)?
        .into_iter()
        .map(|(path, bytes)| given(path, bytes))
        .collect())
}

/// Options of `new CheckEngine(…)`.
#[derive(Debug, Default)]
struct CheckOptions {
    lang: Option<String>,
    positions: Option<String>,
    show_values: bool,
    config: Option<String>,
    profile: Vec<String>,
    select: Vec<String>,
    ignore: Vec<String>,
    severity: BTreeMap<String, String>,
    preview: Option<bool>,
}

/// An option that is not what it takes, in words.
fn wants(option: &str, expected: &str) -> JsValue {
    invalid(&format!(
        "{option} must be {expected}; leave the option out for the default"
    ))
}

fn text(option: &str, value: &JsValue) -> Result<String, JsValue> {
    value.as_string().ok_or_else(|| wants(option, "text"))
}

fn flag(option: &str, value: &JsValue) -> Result<bool, JsValue> {
    value
        .as_bool()
        .ok_or_else(|| wants(option, "true or false"))
}

fn texts(option: &str, value: &JsValue) -> Result<Vec<String>, JsValue> {
    value
        .dyn_ref::<Array>()
        .and_then(|all| all.iter().map(|one| one.as_string()).collect())
        .ok_or_else(|| wants(option, "an array of texts"))
}

impl CheckOptions {
    fn given(options: &JsValue) -> Result<CheckOptions, JsValue> {
        let mut own = CheckOptions::default();
        for (name, value) in edge::given(options)? {
            let name = name.as_str();
            match name {
                "lang" => own.lang = Some(text(name, &value)?),
                "positions" => own.positions = Some(text(name, &value)?),
                "showValues" => own.show_values = flag(name, &value)?,
                "config" => own.config = Some(text(name, &value)?),
                "profile" => own.profile = texts(name, &value)?,
                "select" => own.select = texts(name, &value)?,
                "ignore" => own.ignore = texts(name, &value)?,
                "severity" => {
                    let shape = "an object of codes, each with error, warning, info or off";
                    let levels: Option<&Object> = value.dyn_ref();
                    let levels = levels.ok_or_else(|| wants(name, shape))?;
                    for (code, level) in edge::given(levels)? {
                        let level = level.as_string().ok_or_else(|| wants(name, shape))?;
                        own.severity.insert(code, level);
                    }
                }
                "preview" => own.preview = Some(flag(name, &value)?),
                _ => {
                    return Err(invalid(&format!(
                        "unknown option {name}; the options are lang, positions, showValues, \
                         config, profile, select, ignore, severity, preview"
                    )));
                }
            }
        }
        Ok(own)
    }
}

/// A language by its word; `""` is the default.
fn lang_of(word: &str) -> Option<Lang> {
    match word {
        "" | "ja" => Some(Lang::Ja),
        "en" => Some(Lang::En),
        _ => None,
    }
}

/// What columns count by its word; `""` is the default.
fn units_of(word: &str) -> Option<Units> {
    match word {
        "" | "utf16" => Some(Units::Utf16),
        "utf8" => Some(Units::Utf8),
        "codepoint" => Some(Units::CodePoint),
        _ => None,
    }
}

/// What of `warifu.toml` counts here; the rest is for the command line.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    lang: Option<String>,
    check: CheckSection,
}

impl CheckOptions {
    /// The check's options: what is given wins over the configuration, that over the defaults.
    fn options(self) -> Result<Options, String> {
        let config: Config = match &self.config {
            Some(text) => toml::from_str(text).map_err(|e| format!("config: {}", e.message()))?,
            None => Config::default(),
        };
        let mut section = config.check;
        for (own, there) in [
            (self.profile, &mut section.profile),
            (self.select, &mut section.select),
            (self.ignore, &mut section.ignore),
        ] {
            if !own.is_empty() {
                *there = own;
            }
        }
        section.severity.extend(self.severity);
        section.preview = self.preview.or(section.preview);
        let lang = self.lang.or(config.lang).unwrap_or_default();
        let lang = lang_of(&lang).ok_or("lang is ja or en")?;
        let units = self.positions.unwrap_or_default();
        let units = units_of(&units).ok_or("positions is utf16, utf8 or codepoint")?;
        Ok(Options {
            selection: section.selection().map_err(|e| e.to_string())?,
            lang,
            units,
            frames: Some(Frames {
                lang,
                show_values: self.show_values,
            }),
        })
    }
}

/// What a check gave.
#[derive(Serialize)]
struct Found<'r> {
    diagnostics: Vec<&'r Finding>,
    summary: Summary,
}

/// What formats are written from: it outlives the engine, and the instance.
#[derive(Serialize, Deserialize)]
struct Kept {
    english: bool,
    positions: String,
    files: Vec<FileReport>,
}

fn broken(e: &serde_json::Error) -> JsValue {
    failure("internal", &e.to_string())
}

/// A check with its options.
#[wasm_bindgen]
#[derive(Debug)]
pub struct CheckEngine {
    check: Check,
    /// The option's word.
    positions: String,
    /// Of the stream this engine serves.
    prints: Fingerprints,
}

#[wasm_bindgen]
impl CheckEngine {
    /// `new CheckEngine(options?)`; unknown or impossible options throw `{code: "invalid-option", message}`.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue) -> Result<CheckEngine, JsValue> {
        let options = CheckOptions::given(options)?;
        Ok(Self {
            positions: options.positions.clone().unwrap_or_default(),
            check: Check::new(options.options().map_err(|e| invalid(&e))?),
            prints: Fingerprints::default(),
        })
    }
    /// Checks all files of one patient (`patient`), or loose files one by one: an array of
    /// `{path, bytes}`. Gives `{diagnostics, summary, kept}`; formats are made from `kept`.
    pub fn check(&mut self, files: &Array, patient: bool) -> Result<JsValue, JsValue> {
        let files = all_given(files)?;
        let report = Report::new(self.reports(&files, patient));
        let made = to_js(&Found {
            diagnostics: report.files.iter().flat_map(|f| &f.findings).collect(),
            summary: report.totals.summary,
        })?;
        let options = self.check.options();
        let kept = Kept {
            english: options.lang == Lang::En,
            positions: self.positions.clone(),
            files: report.files,
        };
        let kept = serde_json::to_vec(&kept).map_err(|e| broken(&e))?;
        let o: Object = made.unchecked_into();
        set(&o, "kept", &Uint8Array::from(kept.as_slice()).into());
        Ok(o.into())
    }
    /// Checks a unit of a stream: its `diagnostics`. Equal findings are counted over all units of this
    /// engine, so a stream has an engine of its own.
    pub fn unit(&mut self, files: &Array, patient: bool) -> Result<JsValue, JsValue> {
        let files = all_given(files)?;
        let reports = self.reports(&files, patient);
        self.stream(reports)
    }
    /// The same for a file that is not checked, by the code that says why; nothing when that is off.
    #[wasm_bindgen(js_name = fileFinding)]
    pub fn file_finding(
        &mut self,
        code: &str,
        path: &str,
        argument: &str,
    ) -> Result<JsValue, JsValue> {
        let report =
            warifu_rules::lookup(code).and_then(|code| self.check.about(code, path, argument, 1));
        self.stream(report.into_iter().collect())
    }
    /// Applies the fixes of one file: `{bytes, applied}`; with `risky` also those that somebody has to
    /// look at.
    pub fn fix(&mut self, path: &str, bytes: &[u8], risky: bool) -> Result<JsValue, JsValue> {
        let mut file = given(path.to_owned(), bytes.to_vec());
        let applied = self.check.fix_file(&mut file, risky);
        let o = Object::new();
        set(&o, "bytes", &Uint8Array::from(file.bytes.as_slice()).into());
        set(&o, "applied", &to_js(&applied)?);
        Ok(o.into())
    }
    /// What fixes changed in a file, as unified text with its values; empty when that is nothing.
    pub fn diff(&self, path: &str, old: &[u8], new: &[u8]) -> String {
        diff(path, old, new, true)
    }
    /// Reports of a unit. A loose file of FHIR is not checked here, only said to be none of SS-MIX2.
    fn reports(&mut self, files: &[Given], patient: bool) -> Vec<FileReport> {
        match files {
            [file] if !patient && matches!(sniff(&file.bytes), Content::Json | Content::Xml) => {
                let about = self.check.about(&SSM108, &file.shown, "", 1);
                about.into_iter().collect()
            }
            _ => self.check.unit(files, patient),
        }
    }
    fn stream(&mut self, mut reports: Vec<FileReport>) -> Result<JsValue, JsValue> {
        for report in &mut reports {
            self.prints.give(report);
        }
        let all: Vec<&Finding> = reports.iter().flat_map(|r| &r.findings).collect();
        to_js(&all)
    }
}

/// A report in a format, from the `kept` of a check; an unknown format throws `invalid-option`.
#[wasm_bindgen(js_name = formatReport)]
pub fn format_report(kept: &[u8], format: &str) -> Result<Uint8Array, JsValue> {
    let Some(format) = Format::of(format) else {
        let words: Vec<&str> = Format::ALL.iter().map(|f| f.word()).collect();
        return Err(invalid(&format!("format is one of {}", words.join(", "))));
    };
    let kept: Kept = serde_json::from_slice(kept).map_err(|e| broken(&e))?;
    let units = units_of(&kept.positions).unwrap_or_default();
    if units != Units::Utf16 && !format.takes_columns() {
        return Err(invalid("positions is for text, json and ndjson only"));
    }
    let lang = if kept.english { Lang::En } else { Lang::Ja };
    let bytes = Report::new(kept.files).format(format, lang, units);
    Ok(Uint8Array::from(bytes.as_slice()))
}

/// The page of a rule in Markdown; `undefined` for an unknown code.
#[wasm_bindgen(js_name = checkRule)]
pub fn check_rule(code: &str, lang: &str) -> Option<String> {
    let lang = if lang == "en" { Lang::En } else { Lang::Ja };
    warifu_rules::lookup(code).map(|e| markdown(e, lang))
}

/// The catalogue: `RuleInfo[]`.
#[wasm_bindgen(js_name = checkRules)]
pub fn check_rules() -> Result<JsValue, JsValue> {
    let all: Vec<RuleInfo> = warifu_rules::entries().map(RuleInfo::from).collect();
    to_js(&all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_get_the_path_below_the_root() {
        let item =
            "012/345/0123456789/-/ADT-00/0123456789_-_ADT-00_999999999999999_20260401093015123_-_1";
        assert_eq!(in_root(&format!("a/standard_root/{item}")), item);
        assert_eq!(in_root(item), item);
        assert_eq!(in_root("a/b.hl7"), "a/b.hl7");
        assert_eq!(in_root(""), "");
    }

    #[test]
    fn what_is_given_wins_over_the_configuration() {
        let lang = |lang: Option<&str>, config: &str| {
            let options = CheckOptions {
                lang: lang.map(str::to_owned),
                config: Some(config.to_owned()),
                ..CheckOptions::default()
            };
            options.options().map(|o| o.lang)
        };
        assert_eq!(lang(None, "lang = \"en\"\n[privacy]\n"), Ok(Lang::En));
        assert_eq!(lang(Some("ja"), "lang = \"en\""), Ok(Lang::Ja));
        assert!(lang(None, "lang = ").is_err());
        assert!(lang(None, "[check]\nprofil = []").is_err());
        assert!(lang(None, "[check]\nselect = [\"NOPE\"]").is_err());
    }
}
