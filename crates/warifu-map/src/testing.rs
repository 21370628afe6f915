//! Helpers of the unit tests: messages from text, JSON by pointer.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use serde_json::Value;

use crate::{Converter, File, Options, Output};

/// The number of an institution that does not exist.
pub(crate) const INSTITUTION: &str = "1319999999";

/// Options of the tests: an institution, tracing on.
pub(crate) fn options() -> Options {
    Options {
        institution: Some(INSTITUTION.to_owned()),
        id_key: Some(b"test".to_vec()),
        trace: true,
        ..Options::default()
    }
}

/// A message of UTF-8 text with one segment a line; MSH-18 is left to the bytes.
fn bytes_of(text: &str) -> Vec<u8> {
    let mut v: Vec<u8> = Vec::new();
    for line in text.lines().map(str::trim_start).filter(|l| !l.is_empty()) {
        v.extend_from_slice(line.as_bytes());
        v.push(b'\r');
    }
    v
}

/// Path of a file in a storage: kind, date (`-` allowed), time stamp, department, flag.
pub(crate) fn path(kind: &str, date: &str, stamp: &str, department: &str, flag: char) -> String {
    format!(
        "000/099/0000990001/{date}/{kind}/0000990001_{date}_{kind}_999999999999999_{stamp}_{department}_{flag}"
    )
}

/// Converts one message by itself; `kind` is the data kind of its file name (empty: a loose file).
pub(crate) fn convert(kind: &str, text: &str) -> Output {
    let name = if kind.is_empty() {
        "message.hl7".to_owned()
    } else {
        path(kind, "20260401", "20260401090000000", "01", '1')
    };
    let mut out = Output::new();
    Converter::new(options()).convert(
        File {
            path: &name,
            bytes: &bytes_of(text),
        },
        0,
        &mut out,
    );
    out
}

/// Converts the files of one patient.
pub(crate) fn convert_patient(files: &[(String, &str)]) -> Output {
    let bytes: Vec<Vec<u8>> = files.iter().map(|(_, t)| bytes_of(t)).collect();
    let files: Vec<File<'_>> = files
        .iter()
        .zip(&bytes)
        .map(|((path, _), bytes)| File { path, bytes })
        .collect();
    let mut out = Output::new();
    Converter::new(options()).convert_patient(&files, &mut out);
    out
}

/// All resources of a type, parsed.
pub(crate) fn all(out: &Output, resource_type: &str) -> Vec<Value> {
    out.resources
        .iter()
        .filter(|r| r.resource_type == resource_type)
        .map(|r| serde_json::from_slice(out.json_of(r)).unwrap())
        .collect()
}

/// The only resource of a type.
pub(crate) fn one(out: &Output, resource_type: &str) -> Value {
    let mut found = all(out, resource_type);
    assert_eq!(found.len(), 1, "{resource_type}: {found:#?}");
    found.remove(0)
}

/// The resource that a reference (`Type/id`) names.
pub(crate) fn resolve(out: &Output, reference: &Value) -> Value {
    let (ty, id) = reference.as_str().unwrap().split_once('/').unwrap();
    let r = out
        .resources
        .iter()
        .find(|r| r.resource_type == ty && r.id.as_str() == id)
        .unwrap();
    serde_json::from_slice(out.json_of(r)).unwrap()
}

/// Value at a pointer as text; panics with the resource when it is absent.
pub(crate) fn at<'v>(v: &'v Value, pointer: &str) -> &'v str {
    v.pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{pointer} in {v:#}"))
}

/// Whether a diagnostic of that code was reported.
pub(crate) fn reported(out: &Output, code: &str) -> bool {
    out.diagnostics.iter().any(|d| d.code.code == code)
}
