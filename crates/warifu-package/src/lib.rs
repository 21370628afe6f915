//! FHIR packages: what validation needs of them, in one compact table.
//!
//! [`unpack`] reads an archive, [`compile`] turns files into the compiled form, [`Package::read`] opens
//! it in place. There is one form only: a package from an archive is compiled in memory, a saved one is
//! read as it is, so that both give the same answers.
//!
//! ```
//! use warifu_package::{compile, Fallback, File, Kind, Limits, Package};
//!
//! let file = |path: &str, text: &str| File { path: path.into(), bytes: text.as_bytes().to_vec() };
//! let files = vec![
//!     file("package/package.json", r#"{"name": "my.ig", "version": "1.0.0"}"#),
//!     file("package/ValueSet-a.json", r#"{"resourceType": "ValueSet", "url": "http://a.jp/vs"}"#),
//! ];
//! let fallback = Fallback { name: "local", version: "0.0.0" };
//! let compiled = compile(files, fallback, &Limits::PACKAGE).unwrap();
//! let package = Package::read(compiled.bytes).unwrap();
//! assert_eq!(package.manifest().label(), "my.ig#1.0.0");
//! assert!(package.find(Kind::ValueSet, "http://a.jp/vs").next().is_some());
//! ```
//!
//! Standard: NPM package specification of FHIR; FHIR R4 §2.24.0.8 (canonical URLs and versions).
#![forbid(unsafe_code)]

mod archive;
mod canonical;
mod compile;
mod facts;
mod layout;
mod library;
mod open;
mod package;
mod problem;

pub use archive::{File, Limits, Unpacked, may_define, unpack, unpack_all};
pub use canonical::{Fit, fit, split};
pub use compile::{Compiled, Fallback, TooLarge, compile, digest};
pub use library::{Closure, Library, Member, Missing};
pub use open::{OpenError, Opened, open, open_files};
pub use package::{Concept, Kind, Manifest, Package, ReadError, Resource, Value};
pub use problem::{Problem, ProblemKind};
