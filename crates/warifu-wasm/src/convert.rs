//! The converter.

use js_sys::{Array, Object, Uint8Array};
use serde::Serialize;
use warifu_convert::{Converted, Hits, Job, JobOptions, OptionValue, Pieces, Trace};
use warifu_diag::catalogue::ssm;
use warifu_diag::{Diagnostic, Span};
use warifu_map::File;
use warifu_report::finding::{Finding, finding};
use warifu_report::view::MessageView;
use wasm_bindgen::prelude::*;

use crate::edge::{given, invalid, owned_files};
use crate::{set, to_js};

fn converted(c: &Converted) -> Result<JsValue, JsValue> {
    let o = Object::new();
    set(&o, "json", &Uint8Array::from(c.json.as_slice()).into());
    set(&o, "diagnostics", &to_js(&c.diagnostics)?);
    if let Some(trace) = &c.trace {
        set(&o, "trace", &traced(trace)?);
    }
    let (stats, resources) = (Object::new(), Object::new());
    for (resource_type, count) in c.counts.iter() {
        let count = u32::try_from(*count).unwrap_or(u32::MAX);
        set(&resources, resource_type, &count.into());
    }
    set(&stats, "resources", &resources.into());
    set(&o, "stats", &stats.into());
    Ok(o.into())
}

/// A trace as the caller gets it. With what makes it, it is a part of this module.
#[inline(never)]
fn traced(trace: &Trace) -> Result<JsValue, JsValue> {
    let o = packed(&trace.hits);
    set(&o, "complete", &trace.hits.is_complete().into());
    set(&o, "unused", &to_js(&trace.unused)?);
    Ok(o.into())
}

/// The traces of all pieces, and what none of them has.
#[inline(never)]
fn traces_of(made: &Pieces) -> Result<(JsValue, JsValue), JsValue> {
    let o = packed(&made.hits);
    let (ends, complete) = (Array::new(), Array::new());
    for p in &made.pieces {
        ends.push(&u32::try_from(p.hits.end).unwrap_or(u32::MAX).into());
        complete.push(&p.traced.into());
    }
    set(&o, "ends", &ends.into());
    set(&o, "complete", &complete.into());
    Ok((o.into(), to_js(&made.unused)?))
}

/// Leaves as they are packed: objects of JavaScript would take fifty times as much.
fn packed(hits: &Hits) -> Object {
    let o = Object::new();
    set(&o, "bytes", &Uint8Array::from(hits.bytes()).into());
    let texts = |all: &mut dyn Iterator<Item = &str>| all.map(JsValue::from_str).collect::<Array>();
    let (mut words, mut files) = (hits.texts().into_iter(), hits.files().iter());
    set(&o, "texts", &texts(&mut words).into());
    set(
        &o,
        "files",
        &texts(&mut files.by_ref().map(String::as_str)).into(),
    );
    o
}

fn borrowed(owned: &[(String, Vec<u8>)]) -> Vec<File<'_>> {
    owned
        .iter()
        .map(|(path, bytes)| File { path, bytes })
        .collect()
}

/// Whether a file is converted as a document: a part of this module that may still have to be loaded.
#[wasm_bindgen(js_name = isDocument)]
pub fn is_document(path: &str, bytes: &[u8]) -> bool {
    warifu_map::is_document(path, bytes)
}

/// Findings name fields from now on: the part that has the names is there.
#[cfg(feature = "convert-alone")]
#[wasm_bindgen(js_name = nameFields)]
pub fn name_fields() {
    warifu_report::finding::name_fields();
}

/// A message as a tree, with the findings of reading it.
#[derive(Serialize)]
struct Parsed {
    #[serde(flatten)]
    view: MessageView,
    diagnostics: Vec<Finding>,
}

/// What [`Engine::parse`] gives. With the names of fields it is a part of this module.
#[inline(never)]
fn parsed(job: &mut Job, path: &str, bytes: &[u8]) -> Result<JsValue, JsValue> {
    let name = path.rsplit('/').next().unwrap_or("");
    let kind = warifu_ssmix2::FileName::parse(name)
        .ok()
        .and_then(|n| n.data_kind().standard());
    let view = warifu_report::view::view(bytes, job.options().charset(), kind);
    let mut diagnostics = job.convert(path, bytes).diagnostics;
    diagnostics.retain(|d| d.code.starts_with("ENC") || d.code.starts_with("HL7"));
    to_js(&Parsed { view, diagnostics })
}

fn job_options(options: &JsValue) -> Result<JobOptions, JsValue> {
    let mut own = JobOptions::default();
    for (name, value) in given(options)? {
        let value = if let Some(text) = value.as_string() {
            OptionValue::Text(text)
        } else if let Some(flag) = value.as_bool() {
            OptionValue::Flag(flag)
        } else if let Some(bytes) = value.dyn_ref::<Uint8Array>() {
            OptionValue::Bytes(bytes.to_vec())
        } else {
            OptionValue::Other
        };
        own.set(&name, value).map_err(|e| invalid(&e.to_string()))?;
    }
    Ok(own)
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
    pub fn new(options: &JsValue) -> Result<Engine, JsValue> {
        let options = job_options(options)?;
        let job = Job::new(options).map_err(|e| invalid(&e.to_string()))?;
        Ok(Self { job })
    }
    /// A message as a tree, with the findings of reading it (charset and HL7, not of the mapping).
    pub fn parse(&mut self, path: &str, bytes: &[u8]) -> Result<JsValue, JsValue> {
        parsed(&mut self.job, path, bytes)
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
    /// Gives `{json, ends: number[], types: string[], ids: string[], shared: boolean[], sources:
    /// number[], diagnostics}`; piece `i` is `json[ends[i-1] .. ends[i]]`, and of the message of file
    /// `sources[i]` if there is such a file. With the option `trace` also `traces`, the leaves of all
    /// pieces as [`Hits`] packs them, `{bytes, texts, files, ends, complete}`, those of piece `i` being
    /// `bytes[ends[i-1] .. ends[i]]`, and `unused`, the fields of the unit that left none.
    pub fn pieces(&mut self, files: &Array, patient: bool) -> Result<JsValue, JsValue> {
        let owned = owned_files(files)?;
        let made = self.job.pieces(&borrowed(&owned), patient);
        let (ends, types) = (Array::new(), Array::new());
        let (ids, shared, sources) = (Array::new(), Array::new(), Array::new());
        for p in &made.pieces {
            ends.push(&u32::try_from(p.range.end).unwrap_or(u32::MAX).into());
            types.push(&p.resource_type.as_str().into());
            ids.push(&p.id.as_str().into());
            shared.push(&p.shared.into());
            sources.push(&p.source.map_or(u32::MAX, u32::from).into());
        }
        let o = Object::new();
        set(&o, "json", &Uint8Array::from(made.json.as_slice()).into());
        set(&o, "ends", &ends.into());
        set(&o, "types", &types.into());
        set(&o, "ids", &ids.into());
        set(&o, "shared", &shared.into());
        set(&o, "sources", &sources.into());
        set(&o, "diagnostics", &to_js(&made.diagnostics)?);
        if self.job.options().trace {
            let (traces, unused) = traces_of(&made)?;
            set(&o, "traces", &traces);
            set(&o, "unused", &unused);
        }
        Ok(o.into())
    }
    /// Findings about the options themselves, once a run.
    #[wasm_bindgen(js_name = optionFindings)]
    pub fn option_findings(&self) -> Result<JsValue, JsValue> {
        to_js(&self.job.option_findings())
    }
    /// A finding about a whole file, by its code of the family `SSM`; `undefined` for any other. The
    /// whole catalogue stays out of this module: its codes of FHIR are the validator's.
    #[wasm_bindgen(js_name = fileFinding)]
    pub fn file_finding(&self, code: &str, path: &str, argument: &str) -> Result<JsValue, JsValue> {
        let Some(code) = ssm::ALL.iter().copied().find(|e| e.code == code) else {
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
