//! The validation of FHIR R4: JSON in, reports out; formats are the bytes of the command line.

use std::sync::Arc;

use js_sys::{Array, Uint8Array};
use serde::Serialize;
use warifu_check::fhir::report;
use warifu_check::{Given, Options};
use warifu_package::{Fallback, Library, Limits, Opened, open};
use warifu_report::Lang;
use warifu_terminology::Terms;
use warifu_validate::Validator;
use wasm_bindgen::prelude::*;

use crate::edge::{invalid, owned_files};
use crate::wishes::{CheckOptions, PACKAGES, reported};
use crate::{failure, to_js};

/// A package of the engine.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Loaded {
    name: String,
    version: String,
    /// `name#version` of what its definitions depend on and is not loaded.
    missing: Vec<String>,
    problems: Vec<Flaw>,
}

/// What is wrong with a file of a package.
#[derive(Debug, Clone, Serialize)]
struct Flaw {
    file: String,
    message: String,
}

/// Reads a package: compiled, or an archive.
fn opened(bytes: Vec<u8>, lang: Lang) -> Result<Opened, JsValue> {
    let fallback = Fallback {
        name: "local",
        version: "0.0.0",
    };
    open(bytes, fallback, &Limits::PACKAGE).map_err(|e| invalid(&in_lang(e.text(), lang)))
}

fn in_lang([ja, en]: [String; 2], lang: Lang) -> String {
    match lang {
        Lang::Ja => ja,
        Lang::En => en,
    }
}

/// A validation with its options and packages.
#[wasm_bindgen]
#[derive(Debug)]
pub struct ValidateEngine {
    validator: Validator<'static>,
    options: Options,
    /// The option's word.
    positions: String,
    packages: Vec<Loaded>,
}

#[wasm_bindgen]
impl ValidateEngine {
    /// `new ValidateEngine(options?)`: those of the check, and `packages`, each a `Uint8Array` of a
    /// compiled package or of an archive (`.tgz`). R4 core is built in. Of `profile` the words with `:`
    /// are profiles of FHIR. Unknown or impossible options throw `{code: "invalid-option", message}`.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue) -> Result<ValidateEngine, JsValue> {
        let (mut wishes, packages) = CheckOptions::given(options, PACKAGES)?;
        let positions = wishes.positions.clone().unwrap_or_default();
        let (profiles, rules) = wishes.profile.into_iter().partition(|p| p.contains(':'));
        wishes.profile = rules;
        let asked = warifu_validate::Options::default();
        let wanted = warifu_validate::Options {
            profiles,
            must_support: wishes.must_support,
            vital_signs: wishes.vital_signs.unwrap_or(asked.vital_signs),
            ..asked
        };
        let options = wishes.options().map_err(|e| invalid(&e))?;
        let mut flaws = Vec::new();
        let mut given = Vec::new();
        for bytes in bytes_of(&packages)? {
            let found = opened(bytes.to_vec(), options.lang)?;
            let label = found.package.manifest().label();
            let of = found.problems.into_iter().map(|p| Flaw {
                message: in_lang(p.kind.text(), options.lang),
                file: p.file,
            });
            flaws.push((label, of.collect::<Vec<_>>()));
            given.push((found.package, true));
        }
        let library = Arc::new(Library::new(given));
        let loaded = library.members().filter(|(_, m)| m.is_named());
        let packages = loaded
            .map(|(_, member)| {
                let manifest = member.package().manifest();
                let missing = member.closure().missing.iter();
                let own = flaws.iter().find(|(l, _)| *l == manifest.label());
                Loaded {
                    name: manifest.name.clone(),
                    version: manifest.version.clone(),
                    missing: missing.map(|m| m.package.clone()).collect(),
                    problems: own.map_or_else(Vec::new, |(_, all)| all.clone()),
                }
            })
            .collect();
        let terms = Terms::new(Arc::clone(&library));
        Ok(Self {
            validator: Validator::new(library, Arc::new(terms), wanted),
            options,
            positions,
            packages,
        })
    }
    /// The packages as they were understood: `{name, version, missing, problems}[]`, without R4 core.
    pub fn packages(&self) -> Result<JsValue, JsValue> {
        to_js(&self.packages)
    }
    /// Validates files: an array of `{path, bytes}`. Gives `{diagnostics, summary, kept}`; formats are
    /// made from `kept`.
    pub fn check(&self, files: &Array) -> Result<JsValue, JsValue> {
        let reports = owned_files(files)?
            .into_iter()
            .map(|(path, bytes)| {
                let file = Given {
                    within: None,
                    path: String::new(),
                    shown: path,
                    bytes,
                };
                report(&self.validator, &file, &self.options)
            })
            .collect();
        reported(reports, &self.options, &self.positions)
    }
}

/// Bytes of packages.
fn bytes_of(packages: &JsValue) -> Result<Vec<Uint8Array>, JsValue> {
    if packages.is_undefined() {
        return Ok(Vec::new());
    }
    packages
        .dyn_ref::<Array>()
        .and_then(|all| all.iter().map(|one| one.dyn_into().ok()).collect())
        .ok_or_else(|| invalid("packages must be an array of Uint8Array"))
}

/// The compiled form of a package (`.tgz`): what `warifu package compile` writes.
///
/// `lang` is that of errors: `ja` (default) or `en`.
#[expect(
    clippy::needless_pass_by_value,
    reason = "wasm-bindgen hands over what it has made"
)]
#[wasm_bindgen(js_name = compilePackage)]
pub fn compile_package(archive: Vec<u8>, lang: Option<String>) -> Result<Uint8Array, JsValue> {
    let lang = match lang.as_deref() {
        Some("en") => Lang::En,
        _ => Lang::Ja,
    };
    let found = opened(archive, lang)?;
    let bytes = found.package.bytes();
    if u32::try_from(bytes.len()).is_err() {
        return Err(failure("too-large", "the package is too large"));
    }
    Ok(Uint8Array::from(bytes))
}
