//! Options of the check and of the validation, and what their reports are written from.

use std::collections::BTreeMap;

use js_sys::{Array, Object, Uint8Array};
use serde::{Deserialize, Serialize};
use warifu_check::{CheckSection, Frames, Options, Report};
use warifu_report::Lang;
use warifu_report::finding::Finding;
use warifu_report::format::Format;
use warifu_report::position::Units;
use warifu_report::report::{FileReport, Summary};
use warifu_report::rule::{RuleInfo, markdown};
use wasm_bindgen::prelude::*;

use crate::edge::{self, invalid};
use crate::{failure, set, to_js};

/// An option of the check alone, in the list of options.
const CONFIG: &str = if cfg!(feature = "check") {
    "config, "
} else {
    ""
};

/// The codes of the check, those of the validation among them.
#[cfg(feature = "check")]
mod codes {
    use warifu_check::{CheckSection, WishError};
    use warifu_rules::selection::Selection;

    pub(super) use warifu_rules::{entries, lookup};

    pub(super) fn selection(section: &CheckSection) -> Result<Selection, WishError> {
        section.selection()
    }
}

/// The codes of the validation alone.
#[cfg(not(feature = "check"))]
mod codes {
    use warifu_check::{CheckSection, WishError};
    use warifu_rules::selection::Selection;

    pub(super) use warifu_check::fhir::{entries, lookup};

    pub(super) fn selection(section: &CheckSection) -> Result<Selection, WishError> {
        section.selection_among(&entries().collect::<Vec<_>>())
    }
}

/// The option that only the validation has a value of its own for.
#[cfg(feature = "validate")]
pub(crate) const PACKAGES: &str = "packages";

/// Options of `new CheckEngine(…)` and `new ValidateEngine(…)`.
#[derive(Debug, Default)]
pub(crate) struct CheckOptions {
    lang: Option<String>,
    pub(crate) positions: Option<String>,
    show_values: bool,
    #[cfg(feature = "check")]
    config: Option<String>,
    pub(crate) profile: Vec<String>,
    select: Vec<String>,
    ignore: Vec<String>,
    severity: BTreeMap<String, String>,
    preview: Option<bool>,
    #[cfg(feature = "validate")]
    pub(crate) must_support: bool,
    /// `None`: as the validation has it.
    #[cfg(feature = "validate")]
    pub(crate) vital_signs: Option<bool>,
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
    /// What is given, and the value of the option `also` that only one of the engines has.
    pub(crate) fn given(options: &JsValue, also: &str) -> Result<(Self, JsValue), JsValue> {
        let mut own = CheckOptions::default();
        let mut other = JsValue::UNDEFINED;
        for (name, value) in edge::given(options)? {
            let name = name.as_str();
            match name {
                "lang" => own.lang = Some(text(name, &value)?),
                "positions" => own.positions = Some(text(name, &value)?),
                "showValues" => own.show_values = flag(name, &value)?,
                #[cfg(feature = "check")]
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
                #[cfg(feature = "validate")]
                "mustSupport" if also == PACKAGES => own.must_support = flag(name, &value)?,
                #[cfg(feature = "validate")]
                "vitalSigns" if also == PACKAGES => own.vital_signs = Some(flag(name, &value)?),
                _ if name == also => other = value,
                _ => {
                    let more = if also.is_empty() {
                        ""
                    } else {
                        ", mustSupport, vitalSigns, packages"
                    };
                    return Err(invalid(&format!(
                        "unknown option {name}; the options are lang, positions, showValues, \
                         {CONFIG}profile, select, ignore, severity, preview{more}"
                    )));
                }
            }
        }
        Ok((own, other))
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
#[derive(Debug, Default)]
#[cfg_attr(feature = "check", derive(Deserialize))]
#[cfg_attr(feature = "check", serde(default))]
struct Config {
    lang: Option<String>,
    check: CheckSection,
}

impl CheckOptions {
    #[cfg(feature = "check")]
    fn config(&self) -> Result<Config, String> {
        match &self.config {
            Some(text) => toml::from_str(text).map_err(|e| format!("config: {}", e.message())),
            None => Ok(Config::default()),
        }
    }
    /// The module of the validation reads no configuration: it would be 20 kB larger.
    #[cfg(not(feature = "check"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as above")]
    fn config(&self) -> Result<Config, String> {
        Ok(Config::default())
    }
    /// The check's options: what is given wins over the configuration, that over the defaults.
    pub(crate) fn options(self) -> Result<Options, String> {
        let config = self.config()?;
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
            selection: codes::selection(&section).map_err(|e| e.to_string())?,
            lang,
            units,
            frames: Some(Frames {
                lang,
                show_values: self.show_values,
            }),
            show_values: self.show_values,
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

/// A report of what was checked: `{diagnostics, summary, kept}`; formats are made from `kept`.
pub(crate) fn reported(
    files: Vec<FileReport>,
    options: &Options,
    positions: &str,
) -> Result<JsValue, JsValue> {
    let report = Report::new(files);
    let made = to_js(&Found {
        diagnostics: report.files.iter().flat_map(|f| &f.findings).collect(),
        summary: report.totals.summary,
    })?;
    let kept = Kept {
        english: options.lang == Lang::En,
        positions: positions.to_owned(),
        files: report.files,
    };
    let kept = serde_json::to_vec(&kept).map_err(|e| broken(&e))?;
    let o: Object = made.unchecked_into();
    set(&o, "kept", &Uint8Array::from(kept.as_slice()).into());
    Ok(o.into())
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
    let bytes = Report::new(kept.files).format_with(format, lang, units, codes::lookup);
    Ok(Uint8Array::from(bytes.as_slice()))
}

/// The page of a rule in Markdown; `undefined` for an unknown code.
#[wasm_bindgen(js_name = checkRule)]
pub fn check_rule(code: &str, lang: &str) -> Option<String> {
    let lang = if lang == "en" { Lang::En } else { Lang::Ja };
    codes::lookup(code).map(|e| markdown(e, lang))
}

/// The catalogue: `RuleInfo[]`.
#[wasm_bindgen(js_name = checkRules)]
pub fn check_rules() -> Result<JsValue, JsValue> {
    let all: Vec<RuleInfo> = codes::entries().map(RuleInfo::from).collect();
    to_js(&all)
}

#[cfg(test)]
mod tests {
    use super::*;

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
