//! The wasm-bindgen boundary of `warifu/consent`: text and bytes in, text and bytes out.
//!
//! What the caller may handle is thrown as `{code, message}`; refusals are answers. No key enters:
//! WebCrypto signs what [`signing_input`] gives, and [`join`] makes the token.
#![forbid(unsafe_code)]
#![expect(
    clippy::needless_pass_by_value,
    reason = "what may be left out comes from JavaScript by value"
)]

use js_sys::{Array, Object, Reflect, Uint8Array};
use warifu_consent::api::{self, Api, ApiError};
use wasm_bindgen::prelude::*;

/// Version of the package.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

fn failure(error: &ApiError) -> JsValue {
    let o = Object::new();
    for (key, value) in [("code", "invalid-option"), ("message", &error.0)] {
        // Setting a property of a plain object of our own cannot fail.
        let _ = Reflect::set(&o, &key.into(), &value.into());
    }
    o.into()
}

fn given<T>(result: Result<T, ApiError>) -> Result<T, JsValue> {
    result.map_err(|e| failure(&e))
}

/// The library with one policy.
#[wasm_bindgen]
pub struct ConsentEngine(Api);

#[wasm_bindgen]
impl ConsentEngine {
    /// With this policy file, or the reference policy.
    #[wasm_bindgen(constructor)]
    pub fn new(policy: Option<String>) -> Result<ConsentEngine, JsValue> {
        given(Api::new(policy.as_deref())).map(ConsentEngine)
    }

    /// See [`Api::verify`].
    pub fn verify(
        &self,
        context: &str,
        token: &str,
        annex: Option<Vec<u8>>,
        master: Option<Vec<u8>>,
    ) -> Result<String, JsValue> {
        let (annex, master) = (annex.as_deref(), master.as_deref());
        given(self.0.verify(context, token, annex, master))
    }

    /// See [`Api::decide`].
    pub fn decide(&self, case: &str) -> Result<String, JsValue> {
        given(self.0.decide(case))
    }

    /// See [`Api::state`].
    pub fn state(&self, input: &str) -> Result<String, JsValue> {
        given(self.0.state(input))
    }

    /// See [`Api::render`].
    pub fn render(
        &self,
        typ: &str,
        lang: &str,
        claims: &str,
        annex: Option<Vec<u8>>,
        master: &[u8],
    ) -> Result<String, JsValue> {
        given(self.0.render(typ, lang, claims, annex.as_deref(), master))
    }

    /// See [`Api::filter`]: `[Bundle, summary]`.
    pub fn filter(&self, bundle: &[u8], input: &str) -> Result<Array, JsValue> {
        let (bundle, summary) = given(self.0.filter(bundle, input))?;
        Ok(Array::of2(
            &Uint8Array::from(bundle.as_slice()),
            &summary.into(),
        ))
    }
}

/// See [`api::signing_input`].
#[wasm_bindgen(js_name = signingInput)]
pub fn signing_input(typ: &str, claims: &str, x: &str) -> Result<String, JsValue> {
    given(api::signing_input(typ, claims, x))
}

/// See [`api::join`].
#[wasm_bindgen]
pub fn join(typ: &str, claims: &str, x: &str, signature: &[u8]) -> Result<String, JsValue> {
    given(api::join(typ, claims, x, signature))
}

/// See [`api::thumbprint`].
#[wasm_bindgen]
pub fn thumbprint(x: &str) -> Result<String, JsValue> {
    given(api::thumbprint(x))
}

/// See [`api::shown_hash`].
#[wasm_bindgen(js_name = textHash)]
pub fn text_hash(salt: &str, shown: &str) -> Result<String, JsValue> {
    given(api::shown_hash(salt, shown))
}

/// See [`api::annex`].
#[wasm_bindgen]
pub fn annex(parts: &str) -> Result<Vec<u8>, JsValue> {
    given(api::annex(parts))
}

/// Token hash; `undefined` for what is no token.
#[wasm_bindgen(js_name = tokenHash)]
pub fn token_hash(token: &str) -> Option<String> {
    warifu_consent::token_hash(token)
}

/// Text of the QR symbol; `undefined` for what is no token.
#[wasm_bindgen(js_name = toQr)]
pub fn to_qr(token: &str) -> Option<String> {
    warifu_consent::to_qr(token)
}

/// Token of a QR symbol; `undefined` for what is none.
#[wasm_bindgen(js_name = fromQr)]
pub fn from_qr(text: &str) -> Option<String> {
    warifu_consent::from_qr(text)
}

/// See [`warifu_log::api::check_inclusion`].
#[wasm_bindgen(js_name = checkInclusion)]
pub fn check_inclusion(setting: &str, leaf: &str, proof: &str) -> String {
    warifu_log::api::check_inclusion(setting.as_bytes(), leaf, proof.as_bytes())
}

/// See [`warifu_log::api::check_disclosure`].
#[wasm_bindgen(js_name = checkDisclosure)]
pub fn check_disclosure(setting: &str, evidence: &str, now: f64) -> String {
    // Seconds; whatever is no such number is refused as too early or too late.
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast from a JavaScript number saturates"
    )]
    let now = now as u64;
    warifu_log::api::check_disclosure(setting.as_bytes(), evidence.as_bytes(), now)
}

/// See [`warifu_log::api::check_history`].
#[wasm_bindgen(js_name = checkHistory)]
pub fn check_history(setting: &str, lines: &str) -> String {
    warifu_log::api::check_history(setting.as_bytes(), lines.as_bytes())
}
