//! A report as data: files with their findings, and the totals of a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::excerpt::Excerpt;
use crate::finding::Finding;

/// What was found in one file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FileReport {
    /// Path as shown, `/` between folders.
    pub path: String,
    /// For a record of a transaction file (or a finding on one): where in the file it begins. Several
    /// reports have one path then.
    pub offset: u64,
    /// The path that the record has in the standard (or extended) storage.
    pub record: Option<String>,
    /// Data kind, e.g. `ADT-00`.
    pub kind: Option<String>,
    /// IANA name of the charset it was read by.
    pub charset: Option<String>,
    /// Length in bytes, of a record its own.
    pub length: u64,
    /// The system or the archive refused to give its bytes.
    pub unreadable: bool,
    /// Not a file of its own: a finding of the walk (skipped, refused) that counts no file.
    pub note: bool,
    /// Findings by span and code.
    pub findings: Vec<Finding>,
    /// Lines to show, one a finding, or none at all when no text is wanted.
    pub excerpts: Vec<Excerpt>,
}

impl FileReport {
    /// The order of reports: by the bytes of the path, then by the place in the file.
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        let place = |r: &Self| (r.offset, r.record.is_some());
        let paths = self.path.cmp(&other.path);
        paths.then_with(|| place(self).cmp(&place(other)))
    }
    /// Puts findings on a whole file to a place in it, see [`crate::finding::Label::put`].
    pub fn put(&mut self, start: u64, end: u64, at: (u32, u32)) {
        self.offset = start;
        for f in &mut self.findings {
            f.primary.put(start, end, at);
        }
        for e in &mut self.excerpts {
            (e.line, e.column) = at;
        }
    }
    /// Sorts by span, code and path.
    pub fn sort(&mut self) {
        let order = |a: &Finding, b: &Finding| {
            let span = |f: &Finding| f.primary.span;
            span(a)
                .cmp(&span(b))
                .then_with(|| a.code.cmp(&b.code))
                .then_with(|| a.primary.path.cmp(&b.primary.path))
                .then_with(|| a.message.cmp(&b.message))
        };
        if self.excerpts.len() == self.findings.len() {
            let mut both: Vec<(Finding, Excerpt)> = self
                .findings
                .drain(..)
                .zip(self.excerpts.drain(..))
                .collect();
            warifu_order::sort_by(&mut both, |(a, _), (b, _)| order(a, b));
            (self.findings, self.excerpts) = both.into_iter().unzip();
        } else {
            warifu_order::sort_by(&mut self.findings, order);
        }
    }
    /// Keeps the findings (and their lines) for which `keep` is true.
    pub fn retain(&mut self, mut keep: impl FnMut(&Finding) -> bool) {
        let flags: Vec<bool> = self.findings.iter().map(&mut keep).collect();
        let of = |n: usize| flags.get(n).copied().unwrap_or(true);
        if self.excerpts.len() == self.findings.len() {
            let mut n = 0;
            self.excerpts.retain(|_| {
                n += 1;
                of(n - 1)
            });
        }
        let mut n = 0;
        self.findings.retain(|_| {
            n += 1;
            of(n - 1)
        });
    }
}

/// Counts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    /// Files checked.
    pub files: u64,
    /// Findings of severity `error`.
    pub errors: u64,
    /// Findings of severity `warning`.
    pub warnings: u64,
    /// Findings of severity `info`.
    pub infos: u64,
    /// Findings that `--fix` mends.
    pub fixable: u64,
    /// Inputs that could not be read.
    pub unreadable: u64,
}

/// Counts by severity: errors, warnings, infos.
pub type Counts = [u64; 3];

/// Index into [`Counts`].
pub(crate) fn rank(severity: &str) -> usize {
    match severity {
        "error" => 0,
        "warning" => 1,
        _ => 2,
    }
}

/// Totals of a run: what formats need to know before the first file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    /// Counts.
    pub summary: Summary,
    /// Findings by code.
    pub rules: BTreeMap<String, Counts>,
    /// Findings by code and data kind (empty for files without one).
    pub kinds: BTreeMap<(String, String), Counts>,
    /// Files (and notes of the walk) with findings.
    pub reported: u64,
    /// Findings of the baseline that are no longer there.
    pub solved: u64,
    /// Findings that the baseline holds.
    pub known: u64,
}

impl Totals {
    /// Counts a file and its findings.
    pub fn add(&mut self, file: &FileReport) {
        if !file.note {
            self.summary.files += 1;
        }
        self.summary.unreadable += u64::from(file.unreadable);
        self.reported += u64::from(!file.findings.is_empty());
        for f in &file.findings {
            let s = &mut self.summary;
            match f.severity.as_str() {
                "error" => s.errors += 1,
                "warning" => s.warnings += 1,
                _ => s.infos += 1,
            }
            s.fixable += u64::from(f.is_safely_fixable());
            let rank = rank(&f.severity);
            let kind = f.kind.clone().unwrap_or_default();
            for counts in [
                self.rules.entry(f.code.clone()).or_default(),
                self.kinds.entry((f.code.clone(), kind)).or_default(),
            ] {
                if let Some(n) = counts.get_mut(rank) {
                    *n += 1;
                }
            }
        }
    }
    /// All findings.
    pub fn findings(&self) -> u64 {
        self.summary.errors + self.summary.warnings + self.summary.infos
    }
}
