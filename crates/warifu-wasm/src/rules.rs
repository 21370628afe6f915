//! The pages of the rules, apart from the converter: it shows none of them.

use warifu_report::Lang;
use warifu_report::rule::RuleInfo;
use wasm_bindgen::prelude::*;

use crate::to_js;

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
