//! The check: files in, reports out; formats are the bytes of the command line.

use std::collections::BTreeSet;

use js_sys::{Array, Object, Uint8Array};
use warifu_check::diff::diff;
use warifu_check::{Check, Given, Within};
use warifu_diag::catalogue::ssm::{SSM108, SSM145, SSM149};
use warifu_report::finding::Finding;
use warifu_report::fingerprint::Fingerprints;
use warifu_report::report::FileReport;
use warifu_ssmix2::{Place, components, institution_of_root, locate};
use warifu_storage::memory::{JournalFile, Journals};
use warifu_storage::{Content, HEAD, sniff};
use wasm_bindgen::prelude::*;

use crate::edge::{invalid, owned_files};
use crate::wishes::{CheckOptions, reported};
use crate::{set, to_js};

/// Path below the root of a storage, as the command line gives it to the rules; other paths whole.
fn in_root(path: &str) -> &str {
    let parts: Vec<&str> = components(path).collect();
    let Place::Item(item) = locate(&parts) else {
        return path;
    };
    let mut rest = path;
    for _ in 0..item.root_depth {
        rest = rest.split_once('/').map_or(rest, |(_, rest)| rest);
    }
    rest
}

fn given(path: String, bytes: Vec<u8>) -> Given {
    Given {
        path: in_root(&path).to_owned(),
        shown: path,
        bytes,
        within: None,
    }
}

fn all_given(files: &Array) -> Result<Vec<Given>, JsValue> {
    Ok(owned_files(files)?
        .into_iter()
        .map(|(path, bytes)| given(path, bytes))
        .collect())
}

/// A record of a transaction file.
fn record_of(file: &Given, record: JournalFile) -> Option<Given> {
    let place = record.place?;
    Some(Given {
        shown: format!("{}/{}", file.shown, record.path),
        path: record.path.clone(),
        bytes: file.bytes.get(record.start..record.end)?.to_vec(),
        within: Some(Within {
            file: file.shown.clone(),
            record: record.path,
            header: place.header,
            line: place.line,
            message: place.message,
        }),
    })
}

/// A check with its options.
#[wasm_bindgen]
#[derive(Debug)]
pub struct CheckEngine {
    check: Check,
    /// The option's word.
    positions: String,
    /// Of the stream this engine serves.
    prints: Fingerprints,
    /// Roots of that stream that were looked at.
    told: BTreeSet<String>,
}

#[wasm_bindgen]
impl CheckEngine {
    /// `new CheckEngine(options?)`; unknown or impossible options throw `{code: "invalid-option", message}`.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue) -> Result<CheckEngine, JsValue> {
        let (options, _) = CheckOptions::given(options, "")?;
        Ok(Self {
            positions: options.positions.clone().unwrap_or_default(),
            check: Check::new(options.options().map_err(|e| invalid(&e))?),
            prints: Fingerprints::default(),
            told: BTreeSet::new(),
        })
    }
    /// Checks all files of one patient (`patient`), or loose files one by one (of a transaction file what its
    /// replay leaves): an array of `{path, bytes}`. Gives `{diagnostics, summary, kept}`; formats are made from `kept`.
    pub fn check(&mut self, files: &Array, patient: bool) -> Result<JsValue, JsValue> {
        let files = all_given(files)?;
        let journal = |file: &Given| {
            let head = file.bytes.get(..HEAD).unwrap_or(&file.bytes);
            !patient && sniff(head) == Content::Journal
        };
        let reports = match files.as_slice() {
            [file] if journal(file) => self.replayed(file),
            files => {
                let mut reports = self.roots(files, &mut BTreeSet::new());
                reports.extend(self.reports(files, patient));
                reports
            }
        };
        reported(reports, self.check.options(), &self.positions)
    }
    /// Checks a unit of a stream: its `diagnostics`. Equal findings are counted over all units of this
    /// engine, so a stream has an engine of its own.
    pub fn unit(&mut self, files: &Array, patient: bool) -> Result<JsValue, JsValue> {
        let files = all_given(files)?;
        let mut told = core::mem::take(&mut self.told);
        let mut reports = self.roots(&files, &mut told);
        self.told = told;
        reports.extend(self.reports(&files, patient));
        self.stream(reports)
    }
    /// The same for a file that is not checked, by the code that says why; nothing when that is off.
    #[wasm_bindgen(js_name = fileFinding)]
    pub fn file_finding(
        &mut self,
        code: &str,
        path: &str,
        argument: &str,
    ) -> Result<JsValue, JsValue> {
        let report =
            warifu_rules::lookup(code).and_then(|code| self.check.about(code, path, argument, 1));
        self.stream(report.into_iter().collect())
    }
    /// Applies the fixes of one file: `{bytes, applied}`; with `risky` also those that somebody has to
    /// look at.
    pub fn fix(&mut self, path: &str, bytes: &[u8], risky: bool) -> Result<JsValue, JsValue> {
        let mut file = given(path.to_owned(), bytes.to_vec());
        let applied = self.check.fix_file(&mut file, risky);
        let o = Object::new();
        set(&o, "bytes", &Uint8Array::from(file.bytes.as_slice()).into());
        set(&o, "applied", &to_js(&applied)?);
        Ok(o.into())
    }
    /// What fixes changed in a file, as unified text with its values; empty when that is nothing.
    pub fn diff(&self, path: &str, old: &[u8], new: &[u8]) -> String {
        diff(path, old, new, true)
    }
    /// Reports of a transaction file: what is wrong with its headers, then its records by patient.
    fn replayed(&mut self, file: &Given) -> Vec<FileReport> {
        let mut journals = Journals::new();
        let mut reports = Vec::new();
        for note in journals.add(&file.shown, &file.bytes) {
            let mut report = self
                .check
                .about(note.code(), &note.path, note.kind.slug(), 1);
            if let (Some(report), Some(at)) = (&mut report, note.place) {
                report.put(at.start, at.end, (at.line, at.column));
            }
            reports.extend(report);
        }
        if journals.institutions() > 1 {
            let count = u64::try_from(journals.institutions()).unwrap_or(u64::MAX);
            reports.extend(self.check.about(&SSM149, &file.shown, "", count));
        }
        for patient in journals.patients() {
            let of = |f: JournalFile| record_of(file, f);
            let files: Vec<Given> = patient.files.into_iter().filter_map(of).collect();
            reports.extend(self.check.unit(&files, true));
        }
        reports
    }
    /// Reports of roots whose institution number is mistyped, once each.
    fn roots(&self, files: &[Given], told: &mut BTreeSet<String>) -> Vec<FileReport> {
        let mut reports = Vec::new();
        for file in files {
            let parts: Vec<&str> = components(&file.shown).collect();
            let Place::Item(item) = locate(&parts) else {
                continue;
            };
            let Some(root) = parts.get(..item.root_depth).filter(|r| !r.is_empty()) else {
                continue;
            };
            let number = root.last().and_then(|name| institution_of_root(name));
            let path = root.join("/");
            if number.is_some_and(|n| n.has_wrong_check_digit()) && told.insert(path.clone()) {
                reports.extend(self.check.about(&SSM145, &path, "", 1));
            }
        }
        reports
    }
    /// Reports of a unit. A loose file of FHIR is not checked here, only said to be none of SS-MIX2.
    fn reports(&mut self, files: &[Given], patient: bool) -> Vec<FileReport> {
        match files {
            [file] if !patient && matches!(sniff(&file.bytes), Content::Json | Content::Xml) => {
                let about = self.check.about(&SSM108, &file.shown, "", 1);
                about.into_iter().collect()
            }
            _ => self.check.unit(files, patient),
        }
    }
    fn stream(&mut self, mut reports: Vec<FileReport>) -> Result<JsValue, JsValue> {
        for report in &mut reports {
            self.prints.give(report);
        }
        let all: Vec<&Finding> = reports.iter().flat_map(|r| &r.findings).collect();
        to_js(&all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_get_the_path_below_the_root() {
        let item =
            "012/345/0123456789/-/ADT-00/0123456789_-_ADT-00_999999999999999_20260401093015123_-_1";
        assert_eq!(in_root(&format!("a/standard_root/{item}")), item);
        assert_eq!(in_root(item), item);
        assert_eq!(in_root("a/b.hl7"), "a/b.hl7");
        assert_eq!(in_root(""), "");
    }
}
