//! The wasm-bindgen boundary of the npm package and the playground.
//!
//! One handle with options, then bytes in, values out: options and findings as plain objects, FHIR as
//! UTF-8 bytes, so that native and wasm stay comparable. What the caller may handle is thrown as
//! `{code, message}`; anything else that comes out of a call is a trap, after which the instance
//! must not be used again.
//!
//! Each entry of the package has a module of its own, made from this crate with one feature: `convert`,
//! `check`, `validate` or, for the pages of rules, `rules`.
#![forbid(unsafe_code)]

#[cfg(feature = "check")]
mod check;
#[cfg(feature = "convert")]
mod convert;
#[cfg(any(feature = "check", feature = "convert", feature = "validate"))]
mod edge;
#[cfg(any(feature = "check", feature = "convert"))]
mod listing;
#[cfg(feature = "rules")]
mod rules;
#[cfg(feature = "validate")]
mod validate;
#[cfg(any(feature = "check", feature = "validate"))]
mod wishes;

use js_sys::{Object, Reflect};
use serde::Serialize;
#[cfg(any(feature = "check", feature = "convert", feature = "rules"))]
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

#[cfg(feature = "check")]
pub use check::CheckEngine;
#[cfg(feature = "convert-alone")]
pub use convert::name_fields;
#[cfg(feature = "convert")]
pub use convert::{Engine, is_document};
#[cfg(any(feature = "check", feature = "convert"))]
pub use edge::sniff;
#[cfg(any(feature = "check", feature = "convert"))]
pub use listing::list_storage;
#[cfg(feature = "rules")]
pub use rules::{rule, rules};
#[cfg(feature = "validate")]
pub use validate::{ValidateEngine, compile_package};
#[cfg(any(feature = "check", feature = "validate"))]
pub use wishes::{check_rule, check_rules, format_report};

/// A failure the caller may handle: `{code, message}`.
fn failure(code: &str, message: &str) -> JsValue {
    let o = Object::new();
    set(&o, "code", &code.into());
    set(&o, "message", &message.into());
    o.into()
}

/// The module of the validation writes JSON anyway: a second writer of the same values is not needed.
#[cfg(not(any(feature = "check", feature = "convert", feature = "rules")))]
fn to_js<T: Serialize + ?Sized>(value: &T) -> Result<JsValue, JsValue> {
    let text = serde_json::to_string(value).map_err(|e| failure("internal", &e.to_string()))?;
    js_sys::JSON::parse(&text)
}

#[cfg(any(feature = "check", feature = "convert", feature = "rules"))]
fn to_js<T: Serialize + ?Sized>(value: &T) -> Result<JsValue, JsValue> {
    value
        .serialize(&Serializer::json_compatible())
        .map_err(|e| failure("internal", &e.to_string()))
}

fn set(o: &Object, key: &str, value: &JsValue) {
    // Setting a property of a plain object of our own cannot fail.
    let _ = Reflect::set(o, &key.into(), value);
}

/// Version of the package.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
