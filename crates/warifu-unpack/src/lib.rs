//! Storages packed into one file: zip archives, journals of the transaction storage, index tables.
//!
//! A wasm module beside the converter: most pages never open one, so they do not load the inflater
//! and its tables.
#![forbid(unsafe_code)]

mod archive;
mod journals;

use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::*;

pub use archive::{ZipArchive, unzip};
pub use journals::{JournalReplay, index_institutions};

/// A failure the caller may handle: `{code, message}`.
fn failure(code: &str, message: &str) -> JsValue {
    let o = Object::new();
    set(&o, "code", &code.into());
    set(&o, "message", &message.into());
    o.into()
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
