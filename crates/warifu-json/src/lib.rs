//! JSON as a flat tree that keeps the place of every key and value.
//!
//! [`parse`] reads UTF-8 bytes in linear time into one array of nodes in document order; strings
//! stay where they are and are unescaped when asked for, numbers keep their exact text. It never
//! fails: what is wrong comes back as [`Issue`]s, and the tree holds what was understood.
//!
//! ```
//! use warifu_json::{parse, Limits, ROOT};
//!
//! let parsed = parse(br#"{"resourceType": "Patient", "active": true}"#, Limits::FHIR, &());
//! assert!(parsed.issues.is_empty());
//! let active = parsed.tree.member(ROOT, "active").unwrap();
//! assert_eq!(parsed.tree.span(active), 38..42);
//! ```
//!
//! Standard: RFC 8259; FHIR R4 §2.6.2 (no duplicate names, precision of decimals is significant).
#![forbid(unsafe_code)]

mod parse;
mod text;
mod tree;

pub use parse::{Expected, Issue, IssueKind, Limits, Names, Parsed, hash, parse};
pub use text::unescape;
pub use tree::{Children, Kind, NONE, NodeId, ROOT, Tree};
