//! What the worker calls. It alone holds the key; the bytes that are signed are made here from a
//! type and claims, so nobody can hand it bytes to sign (consent.md §3.0).

use js_sys::{Object, Reflect};
use warifu_consent::json::{self, Value};
use warifu_consent::{Draft, PublicKey, SecretKey, Signer as _, Typ, b64, make};
use wasm_bindgen::prelude::*;
use zeroize::{Zeroize as _, Zeroizing};

use crate::seal;

/// What a person's key may sign at all.
const SIGNED_HERE: [Typ; 5] = [
    Typ::Grant,
    Typ::Deny,
    Typ::Revoke,
    Typ::Objection,
    Typ::Session,
];

fn thrown(code: &str) -> JsValue {
    let o = Object::new();
    // Setting a property of a plain object of our own cannot fail.
    let _ = Reflect::set(&o, &"code".into(), &code.into());
    o.into()
}

fn wanted(typ: &str, claims: &str) -> Result<(Typ, Value), JsValue> {
    let typ = Typ::from_wire(typ).filter(|t| SIGNED_HERE.contains(t));
    let typ = typ.ok_or_else(|| thrown("TYP"))?;
    let claims = json::read(claims.as_bytes(), 4).map_err(|_| thrown("JSON"))?;
    Ok((typ, claims))
}

fn draft(typ: &str, claims: &str, x: &str) -> Result<Draft, JsValue> {
    let (typ, claims) = wanted(typ, claims)?;
    let key = PublicKey::from_x(x).map_err(|_| thrown("KEY_WEAK"))?;
    Draft::new(typ, claims, &key).map_err(|r| thrown(r.reason.wire()))
}

/// What a WebCrypto key signs for these claims.
#[wasm_bindgen(js_name = signingInput)]
pub fn signing_input(typ: &str, claims: &str, x: &str) -> Result<Vec<u8>, JsValue> {
    draft(typ, claims, x).map(|d| d.signing_input().to_vec())
}

/// The token, once that key signed.
#[wasm_bindgen(js_name = joinToken)]
pub fn join_token(typ: &str, claims: &str, x: &str, signature: &[u8]) -> Result<String, JsValue> {
    let signature: &[u8; 64] = signature.try_into().map_err(|_| thrown("SIG"))?;
    let token = draft(typ, claims, x)?.finish(signature);
    token.map_err(|r| thrown(r.reason.wire()))
}

/// The token, signed with a seed that was unwrapped; the seed is wiped.
#[wasm_bindgen(js_name = signWithSeed)]
pub fn sign_with_seed(typ: &str, claims: &str, mut seed: Vec<u8>) -> Result<String, JsValue> {
    let bytes = seed.as_slice().try_into().map(Zeroizing::new);
    seed.zeroize();
    let mut bytes: Zeroizing<[u8; 32]> = bytes.map_err(|_| thrown("SIG"))?;
    let key = SecretKey::from_seed(&mut bytes);
    let (typ, claims) = wanted(typ, claims)?;
    make(typ, claims, &key).map_err(|_| thrown("SIG"))
}

/// `x` of the public key that belongs to a seed; the seed is wiped.
#[wasm_bindgen(js_name = publicOf)]
pub fn public_of(mut seed: Vec<u8>) -> Result<String, JsValue> {
    let bytes = seed.as_slice().try_into().map(Zeroizing::new);
    seed.zeroize();
    let mut bytes: Zeroizing<[u8; 32]> = bytes.map_err(|_| thrown("SIG"))?;
    Ok(SecretKey::from_seed(&mut bytes).public().x())
}

/// Bytes in base64url, for what WebCrypto exports as such.
#[wasm_bindgen(js_name = toBase64url)]
pub fn to_base64url(bytes: &[u8]) -> String {
    b64::encode(bytes)
}

/// The bytes that wrap a seed under a passphrase (Argon2id); the caller imports and forgets them.
#[wasm_bindgen(js_name = wrappingKey)]
pub fn wrapping_key(pass: &str, salt: &[u8]) -> Result<Vec<u8>, JsValue> {
    let key = seal::wrapping_key(pass, salt).ok_or_else(|| thrown("SIG"))?;
    Ok(key.to_vec())
}
