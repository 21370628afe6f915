//! The wasm-bindgen boundary of the npm package and the playground.
//!
//! One handle with options, then bytes in, values out: options and findings as plain objects, FHIR as
//! UTF-8 bytes, so that native and wasm stay comparable. What the caller may handle is thrown as
//! `{code, message}`; anything else that comes out of a call is a trap, after which the instance
//! must not be used again.
#![forbid(unsafe_code)]

mod archive;
mod listing;

use js_sys::{Array, Object, Reflect, Uint8Array};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use warifu_convert::{Converted, Job, JobOptions};
use warifu_diag::{Diagnostic, Span};
use warifu_map::File;
use warifu_report::Lang;
use warifu_report::finding::{Finding, finding};
use warifu_report::rule::RuleInfo;
use warifu_report::view::MessageView;
use wasm_bindgen::prelude::*;

pub use archive::{ZipArchive, unzip};
pub use listing::list_storage;

/// A failure the caller may handle: `{code, message}`.
fn failure(code: &str, message: &str) -> JsValue {
    let o = Object::new();
    set(&o, "code", &code.into());
    set(&o, "message", &message.into());
    o.into()
}

fn to_js<T: Serialize + ?Sized>(value: &T) -> Result<JsValue, JsValue> {
    value
        .serialize(&Serializer::json_compatible())
        .map_err(|e| failure("internal", &e.to_string()))
}

fn set(o: &Object, key: &str, value: &JsValue) {
    // Setting a property of a plain object of our own cannot fail.
    let _ = Reflect::set(o, &key.into(), value);
}

fn converted(c: &Converted) -> Result<JsValue, JsValue> {
    let o = Object::new();
    set(&o, "json", &Uint8Array::from(c.json.as_slice()).into());
    set(&o, "diagnostics", &to_js(&c.diagnostics)?);
    if let Some(trace) = &c.trace {
        set(&o, "trace", &to_js(trace)?);
    }
    let stats = Object::new();
    set(&stats, "resources", &to_js(&c.counts)?);
    set(&o, "stats", &stats.into());
    Ok(o.into())
}

/// Files of a JavaScript array of `{path, bytes}`.
fn owned_files(files: &Array) -> Result<Vec<(String, Vec<u8>)>, JsValue> {
    let property = |f: &JsValue, key: &str| Reflect::get(f, &key.into()).ok();
    files
        .iter()
        .map(|f| {
            let path = property(&f, "path").and_then(|p| p.as_string());
            let bytes = property(&f, "bytes").and_then(|b| b.dyn_into::<Uint8Array>().ok());
            match (path, bytes) {
                (Some(path), Some(bytes)) => Ok((path, bytes.to_vec())),
                _ => Err(failure(
                    "invalid-option",
                    "files must be {path: string, bytes: Uint8Array}[]",
                )),
            }
        })
        .collect()
}

fn borrowed(owned: &[(String, Vec<u8>)]) -> Vec<File<'_>> {
    owned
        .iter()
        .map(|(path, bytes)| File { path, bytes })
        .collect()
}

/// Version of the package.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// The page of a rule in Markdown; `undefined` for an unknown code.
#[wasm_bindgen]
pub fn rule(code: &str, lang: &str) -> Option<String> {
    let lang = if lang == "en" { Lang::En } else { Lang::Ja };
    warifu_diag::lookup(code).map(|e| warifu_report::rule::markdown(e, lang))
}

/// The catalogue: `RuleInfo[]`.
#[wasm_bindgen]
pub fn rules() -> Result<JsValue, JsValue> {
    let all: Vec<RuleInfo> = warifu_diag::catalogue::all().map(RuleInfo::from).collect();
    to_js(&all)
}

/// What a file is by its first bytes: `empty`, `hl7`, `journal`, `xml`, `json`, `archive` or `other`.
#[wasm_bindgen]
pub fn sniff(head: &[u8]) -> String {
    use warifu_storage::Content;
    match warifu_storage::sniff(head) {
        Content::Empty => "empty",
        Content::Hl7 => "hl7",
        Content::Journal => "journal",
        Content::Xml => "xml",
        Content::Json => "json",
        content if content.is_archive() => "archive",
        _ => "other",
    }
    .to_owned()
}

/// A message as a tree, with the findings of reading it.
#[derive(Serialize)]
struct Parsed {
    #[serde(flatten)]
    view: MessageView,
    diagnostics: Vec<Finding>,
}

/// A conversion engine with its options.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine {
    job: Job,
}

#[wasm_bindgen]
impl Engine {
    /// `new Engine(options?)`; unknown or impossible options throw `{code: "invalid-option", message}`.
    #[wasm_bindgen(constructor)]
    pub fn new(options: JsValue) -> Result<Engine, JsValue> {
        let invalid = |message: &str| failure("invalid-option", message);
        let options: JobOptions = if options.is_undefined() || options.is_null() {
            JobOptions::default()
        } else {
            let object: &Object = options
                .dyn_ref()
                .ok_or_else(|| invalid("options must be an object"))?;
            // serde_wasm_bindgen asks only for the names it knows.
            for name in Object::keys(object).iter().filter_map(|k| k.as_string()) {
                if !JobOptions::NAMES.contains(&name.as_str()) {
                    return Err(invalid(&format!("unknown option {name}")));
                }
            }
            serde_wasm_bindgen::from_value(options).map_err(|e| invalid(&e.to_string()))?
        };
        let job = Job::new(options).map_err(|e| invalid(&e.to_string()))?;
        Ok(Self { job })
    }
    /// A message as a tree, with the findings of reading it (charset and HL7, not of the mapping).
    pub fn parse(&mut self, path: &str, bytes: &[u8]) -> Result<JsValue, JsValue> {
        let name = path.rsplit('/').next().unwrap_or("");
        let kind = warifu_ssmix2::FileName::parse(name)
            .ok()
            .and_then(|n| n.data_kind().standard());
        let view = warifu_report::view::view(bytes, self.job.options().charset(), kind);
        let mut diagnostics = self.job.convert(path, bytes).diagnostics;
        diagnostics.retain(|d| d.code.starts_with("ENC") || d.code.starts_with("HL7"));
        to_js(&Parsed { view, diagnostics })
    }
    /// Converts one file.
    pub fn convert(&mut self, path: &str, bytes: &[u8]) -> Result<JsValue, JsValue> {
        converted(&self.job.convert(path, bytes))
    }
    /// Converts one file to bytes only: the fast path without findings and trace.
    #[wasm_bindgen(js_name = convertBytes)]
    pub fn convert_bytes(&mut self, path: &str, bytes: &[u8]) -> Uint8Array {
        Uint8Array::from(self.job.convert_bytes(path, bytes))
    }
    /// Converts all files of one patient: an array of `{path, bytes}`.
    #[wasm_bindgen(js_name = convertPatient)]
    pub fn convert_patient(&mut self, files: &Array) -> Result<JsValue, JsValue> {
        let owned = owned_files(files)?;
        converted(&self.job.convert_patient(&borrowed(&owned)))
    }
    /// Converts a unit of a stream: all files of one patient (`patient`), or loose files one by one.
    ///
    /// Gives `{json, ends: number[], types: string[], ids: string[], shared: boolean[], diagnostics}`;
    /// piece `i` is `json[ends[i-1] .. ends[i]]`.
    pub fn pieces(&mut self, files: &Array, patient: bool) -> Result<JsValue, JsValue> {
        let owned = owned_files(files)?;
        let made = self.job.pieces(&borrowed(&owned), patient);
        let (ends, types) = (Array::new(), Array::new());
        let (ids, shared) = (Array::new(), Array::new());
        for p in &made.pieces {
            ends.push(&u32::try_from(p.range.end).unwrap_or(u32::MAX).into());
            types.push(&p.resource_type.as_str().into());
            ids.push(&p.id.as_str().into());
            shared.push(&p.shared.into());
        }
        let o = Object::new();
        set(&o, "json", &Uint8Array::from(made.json.as_slice()).into());
        set(&o, "ends", &ends.into());
        set(&o, "types", &types.into());
        set(&o, "ids", &ids.into());
        set(&o, "shared", &shared.into());
        set(&o, "diagnostics", &to_js(&made.diagnostics)?);
        Ok(o.into())
    }
    /// Findings about the options themselves, once a run.
    #[wasm_bindgen(js_name = optionFindings)]
    pub fn option_findings(&self) -> Result<JsValue, JsValue> {
        to_js(&self.job.option_findings())
    }
    /// A finding about a whole file, by its code; `undefined` for an unknown code.
    #[wasm_bindgen(js_name = fileFinding)]
    pub fn file_finding(&self, code: &str, path: &str, argument: &str) -> Result<JsValue, JsValue> {
        let Some(code) = warifu_diag::lookup(code) else {
            return Ok(JsValue::UNDEFINED);
        };
        let options = self.job.options();
        let d = Diagnostic::new(code, Span::default()).with(argument.to_owned());
        to_js(&finding(
            &d,
            path,
            None,
            options.language(),
            options.units(),
        ))
    }
}
