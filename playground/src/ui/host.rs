//! The browser side of the page (`boot.mjs`).

use std::cell::RefCell;

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = warifuHost)]
    pub(super) fn listen(callback: &Closure<dyn FnMut(JsValue)>);
    #[wasm_bindgen(js_namespace = warifuHost)]
    pub(super) fn send(kind: &str, id: u32, json: &str);
    #[wasm_bindgen(js_namespace = warifuHost)]
    pub(super) fn restart(id: u32);
    #[wasm_bindgen(js_namespace = warifuHost, js_name = openFiles)]
    pub(super) fn open_files(id: u32, files: &JsValue);
    #[wasm_bindgen(js_namespace = warifuHost, js_name = openDrop)]
    pub(super) fn open_drop(id: u32, transfer: &JsValue);
    #[wasm_bindgen(js_namespace = warifuHost, js_name = openBytes)]
    pub(super) fn open_bytes(id: u32, path: &str, bytes: Uint8Array);
    #[wasm_bindgen(js_namespace = warifuHost, js_name = packagesIn)]
    pub(super) fn packages_in(files: &JsValue) -> js_sys::Array;
    #[wasm_bindgen(js_namespace = warifuHost, js_name = addPackages)]
    pub(super) fn add_packages(id: u32, lang: &str, files: &JsValue);
    #[wasm_bindgen(js_namespace = warifuHost, js_name = openExample)]
    pub(super) fn open_example(id: u32, json: &str);
    #[wasm_bindgen(js_namespace = warifuHost)]
    pub(super) fn examples(id: u32);
    #[wasm_bindgen(js_namespace = warifuHost)]
    pub(super) fn deflate(id: u32, bytes: Uint8Array);
    #[wasm_bindgen(js_namespace = warifuHost)]
    pub(super) fn inflate(id: u32, bytes: Uint8Array);
    #[wasm_bindgen(js_namespace = warifuHost)]
    pub(super) fn copy(id: u32, text: &str);
    #[wasm_bindgen(js_namespace = warifuHost)]
    pub(super) fn network() -> String;
    #[wasm_bindgen(js_namespace = warifuHost)]
    pub(super) fn version() -> String;
}

/// An event of the host or the worker.
pub(super) struct Event(pub(super) JsValue);

impl Event {
    fn get(&self, key: &str) -> JsValue {
        Reflect::get(&self.0, &JsValue::from_str(key)).unwrap_or(JsValue::UNDEFINED)
    }

    pub(super) fn text(&self, key: &str) -> String {
        self.get(key).as_string().unwrap_or_default()
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts and ids"
    )]
    pub(super) fn uint(&self, key: &str) -> u32 {
        self.get(key).as_f64().unwrap_or(0.0) as u32
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        self.get(key).as_bool().unwrap_or(false)
    }

    pub(super) fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        self.get(key)
            .dyn_into::<Uint8Array>()
            .ok()
            .map(|a| a.to_vec())
    }
}

/// What is done with an answer: its bytes, or `None` when there is none.
type Then = Box<dyn FnOnce(Option<Vec<u8>>)>;

thread_local! {
    static ASKED: RefCell<(u32, Vec<(u32, Then)>)> = const { RefCell::new((0, Vec::new())) };
}

/// Asks the host something; `then` gets the answer.
pub(super) fn ask(question: impl FnOnce(u32), then: impl FnOnce(Option<Vec<u8>>) + 'static) {
    let id = ASKED.with_borrow_mut(|(last, all)| {
        *last += 1;
        all.push((*last, Box::new(then)));
        *last
    });
    question(id);
}

/// Hands an answer to who asked.
pub(super) fn answered(event: &Event) {
    let id = event.uint("id");
    let asked = ASKED.with_borrow_mut(|(_, all)| {
        let at = all.iter().position(|(i, _)| *i == id)?;
        Some(all.swap_remove(at))
    });
    if let Some((_, then)) = asked {
        then(event.bytes("bytes"));
    }
}

thread_local! {
    static DECODERS: RefCell<Vec<(&'static str, web_sys::TextDecoder)>> = const { RefCell::new(Vec::new()) };
}

/// Decodes bytes with the browser's decoder of this label.
pub(super) fn decode(label: &'static str, bytes: &[u8]) -> String {
    DECODERS.with_borrow_mut(|all| {
        if !all.iter().any(|(l, _)| *l == label)
            && let Ok(new) = web_sys::TextDecoder::new_with_label(label)
        {
            all.push((label, new));
        }
        all.iter()
            .find(|(l, _)| *l == label)
            .and_then(|(_, d)| d.decode_with_u8_array(bytes).ok())
            .unwrap_or_default()
    })
}
