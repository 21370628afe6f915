//! What both engines take from JavaScript: options, files, first bytes.

use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::failure;

pub(crate) fn invalid(message: &str) -> JsValue {
    failure("invalid-option", message)
}

/// Names and values of a plain object; what is `undefined` or `null` is not given.
pub(crate) fn given(options: &JsValue) -> Result<Vec<(String, JsValue)>, JsValue> {
    let absent = |value: &JsValue| value.is_undefined() || value.is_null();
    if absent(options) {
        return Ok(Vec::new());
    }
    let object: &Object = options
        .dyn_ref()
        .ok_or_else(|| invalid("options must be an object"))?;
    let mut all = Vec::new();
    for name in Object::keys(object).iter() {
        let value = Reflect::get(object, &name)?;
        if let Some(name) = name.as_string().filter(|_| !absent(&value)) {
            all.push((name, value));
        }
    }
    Ok(all)
}

/// Files of a JavaScript array of `{path, bytes}`.
pub(crate) fn owned_files(files: &Array) -> Result<Vec<(String, Vec<u8>)>, JsValue> {
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

/// What a file is by its first bytes: `empty`, `hl7`, `journal`, `xml`, `json`, `archive` or `other`.
#[cfg(any(feature = "check", feature = "convert"))]
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
