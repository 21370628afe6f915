//! FHIRPath for FHIR R4: expressions compiled once, evaluated over the flat JSON tree.
//!
//! All of FHIRPath 2.0 with the functions of FHIR R4 §2.9.1 and those of the later releases that the
//! test suite of R4 uses. A value is an element of a document or a small value; no JSON is copied.
//! What is outside the document comes through [`Services`]; time is an argument. Length, depth, work
//! and results are bounded by arguments; what goes beyond them is an error, never a panic.
//!
//! ```
//! use warifu_fhirpath::{Bounds, Doc, Engine, Env, Evaluator, Item, Value};
//! use warifu_json::{parse, Limits, ROOT};
//! use warifu_r4::{annotate, Core};
//!
//! let core = Core::builtin();
//! let engine = Engine::new(core);
//! let adult = engine.compile("birthDate < @2008-01-01", Bounds::DEFAULT).unwrap();
//! let source = br#"{"resourceType": "Patient", "birthDate": "1974-12-25"}"#;
//! let tree = parse(source, Limits::FHIR, core).tree;
//! let typed = annotate(core, &tree, None);
//! let doc = Doc { tree: &tree, typed: &typed };
//! let mut evaluator = Evaluator::new(&engine, Env::new(doc));
//! let result = evaluator.evaluate(&adult, Value::Item(Item::root(doc, ROOT))).unwrap();
//! assert!(matches!(result, [Value::Bool(true)]));
//! ```
#![forbid(unsafe_code)]

mod call;
mod check;
mod compare;
mod convert;
mod dec;
mod eval;
mod functions;
mod html;
mod program;
mod quick;
mod syntax;
mod temporal;
mod text;
mod ucum;
mod value;

pub use check::SemanticError;
pub use dec::Dec;
pub use eval::{Engine, Env, EvalError, Evaluator, Limits, Services};
pub use html::{HtmlError, check_narrative};
pub use program::{Bounds, Program, SystemType};
pub use syntax::{SyntaxError, SyntaxErrorKind};
pub use temporal::{Temporal, TemporalKind};
pub use value::{Doc, Item, Quantity, Text, Value};
