//! The wasm-bindgen boundary of the npm package and the playground.
//!
//! One handle with options, then bytes in, values out: options and findings as plain objects, FHIR as
//! UTF-8 bytes, so that native and wasm stay comparable.
#![forbid(unsafe_code)]

use js_sys::{Array, Object, Reflect, Uint8Array};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use warifu_convert::{Converted, Job, JobOptions};
use warifu_map::File;
use wasm_bindgen::prelude::*;

/// A failure the caller may handle: `{code, message}`.
fn failure(code: &str, message: &str) -> JsValue {
    let o = Object::new();
    let _ = Reflect::set(&o, &"code".into(), &code.into());
    let _ = Reflect::set(&o, &"message".into(), &message.into());
    o.into()
}

fn to_js<T: Serialize + ?Sized>(value: &T) -> Result<JsValue, JsValue> {
    value
        .serialize(&Serializer::json_compatible())
        .map_err(|e| failure("internal", &e.to_string()))
}

fn set(o: &Object, key: &str, value: &JsValue) {
    let _ = Reflect::set(o, &key.into(), value);
}

fn converted(c: Converted) -> Result<JsValue, JsValue> {
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

/// Version of the package.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
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
        let options: JobOptions = if options.is_undefined() || options.is_null() {
            JobOptions::default()
        } else {
            serde_wasm_bindgen::from_value(options)
                .map_err(|e| failure("invalid-option", &e.to_string()))?
        };
        let job = Job::new(options).map_err(|e| failure("invalid-option", &e.to_string()))?;
        Ok(Self { job })
    }
    /// A message as a tree.
    pub fn parse(&self, path: &str, bytes: &[u8]) -> Result<JsValue, JsValue> {
        let name = path.rsplit('/').next().unwrap_or("");
        let kind = warifu_ssmix2::FileName::parse(name)
            .ok()
            .and_then(|n| n.data_kind().standard());
        to_js(&warifu_report::view::view(
            bytes,
            self.job.options().charset(),
            kind,
        ))
    }
    /// Converts one file.
    pub fn convert(&mut self, path: &str, bytes: &[u8]) -> Result<JsValue, JsValue> {
        converted(self.job.convert(path, bytes))
    }
    /// Converts one file to bytes only: the fast path without findings and trace.
    #[wasm_bindgen(js_name = convertBytes)]
    pub fn convert_bytes(&mut self, path: &str, bytes: &[u8]) -> Uint8Array {
        Uint8Array::from(self.job.convert(path, bytes).json.as_slice())
    }
    /// Converts all files of one patient: an array of `{path, bytes}`.
    #[wasm_bindgen(js_name = convertPatient)]
    pub fn convert_patient(&mut self, files: &Array) -> Result<JsValue, JsValue> {
        let mut owned: Vec<(String, Vec<u8>)> = Vec::new();
        for f in files.iter() {
            let path = Reflect::get(&f, &"path".into())
                .ok()
                .and_then(|p| p.as_string());
            let bytes = Reflect::get(&f, &"bytes".into())
                .ok()
                .and_then(|b| b.dyn_into::<Uint8Array>().ok());
            let (Some(path), Some(bytes)) = (path, bytes) else {
                return Err(failure(
                    "invalid-option",
                    "files must be {path: string, bytes: Uint8Array}[]",
                ));
            };
            owned.push((path, bytes.to_vec()));
        }
        let files: Vec<File<'_>> = owned
            .iter()
            .map(|(path, bytes)| File { path, bytes })
            .collect();
        converted(self.job.convert_patient(&files))
    }
}
