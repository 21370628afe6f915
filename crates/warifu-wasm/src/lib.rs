//! The wasm-bindgen boundary of the npm package and the playground.
//!
//! One handle with options, then bytes in, values out: options and findings as plain objects, FHIR as
//! UTF-8 bytes, so that native and wasm stay comparable. What the caller may handle is thrown as
//! `{code, message}`; anything else that comes out of a call is a trap, after which the instance
//! must not be used again.
//!
//! Each entry of the package has a module of its own, made from this crate with one feature: `convert`
//! or `check`.
#![forbid(unsafe_code)]

#[cfg(feature = "check")]
mod check;
#[cfg(feature = "convert")]
mod convert;
mod listing;

use js_sys::{Array, Object, Reflect, Uint8Array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

#[cfg(feature = "check")]
pub use check::{CheckEngine, check_rule, check_rules, format_report};
#[cfg(feature = "convert")]
pub use convert::{Engine, rule, rules};
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

fn invalid(message: &str) -> JsValue {
    failure("invalid-option", message)
}

/// Options of a plain object; `undefined` and `null` are the defaults, a name that is none is refused.
fn options_of<T: DeserializeOwned + Default>(given: JsValue, names: &[&str]) -> Result<T, JsValue> {
    if given.is_undefined() || given.is_null() {
        return Ok(T::default());
    }
    let object: &Object = given
        .dyn_ref()
        .ok_or_else(|| invalid("options must be an object"))?;
    // serde_wasm_bindgen asks only for the names it knows.
    for name in Object::keys(object).iter().filter_map(|k| k.as_string()) {
        if !names.contains(&name.as_str()) {
            return Err(invalid(&format!("unknown option {name}")));
        }
    }
    serde_wasm_bindgen::from_value(given).map_err(|e| invalid(&e.to_string()))
}

fn set(o: &Object, key: &str, value: &JsValue) {
    // Setting a property of a plain object of our own cannot fail.
    let _ = Reflect::set(o, &key.into(), value);
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
                _ => Err(invalid("files must be {path: string, bytes: Uint8Array}[]")),
            }
        })
        .collect()
}

/// Version of the package.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
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
