//! One check with its documented options: the same code behind the command line and the npm package, so
//! that the same input and options give the same bytes everywhere.
#![forbid(unsafe_code)]

pub mod diff;
#[cfg(feature = "fhir")]
pub mod fhir;
mod wishes;

use std::collections::BTreeMap;

use warifu_diag::{Applicability, Code, Diagnostic, Span};
use warifu_report::Lang;
use warifu_report::excerpt::Excerpt;
use warifu_report::finding::{Finding, Source, finding_among, kind_of};
use warifu_report::fingerprint::Fingerprints;
use warifu_report::format::{Context, Format, render};
use warifu_report::position::{SourceText, Units};
use warifu_report::report::{FileReport, Totals};
use warifu_rules::selection::Selection;
use warifu_rules::{Checker, File, fix};
use warifu_source::Charset;

pub use warifu_report::finding::Within;
pub use wishes::{CheckSection, OverrideSection, Patterns, WishError};

/// How often fixes are applied again because others overlapped them.
const ROUNDS: usize = 16;

/// What the lines of `text` need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frames {
    /// Language of `text`, which may differ from that of machine formats.
    pub lang: Lang,
    /// Whether values are shown, or only their shape.
    pub show_values: bool,
}

/// Options of a check.
#[derive(Debug, Clone)]
pub struct Options {
    /// Rules and their severities.
    pub selection: Selection,
    /// Language of machine formats.
    pub lang: Lang,
    /// What columns count.
    pub units: Units,
    /// `None` when no `text` is wanted.
    pub frames: Option<Frames>,
    /// Whether machine formats give what was found as it stands, or only its shape.
    pub show_values: bool,
}

/// A file of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Path as shown; of a record of a transaction file as if it were a file.
    pub shown: String,
    /// Path inside the storage; perhaps only a name, perhaps empty.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// For a record of a transaction file: where findings place it.
    pub within: Option<Within>,
}

/// A file that fixes changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended {
    /// Index of the file in the unit.
    pub file: usize,
    /// The findings whose fixes were applied, in the order they were.
    pub applied: Vec<Diagnostic>,
}

/// A check; keeps its memory from one unit to the next.
#[derive(Debug)]
pub struct Check {
    options: Options,
    checker: Checker,
}

impl Check {
    /// A check with these options.
    pub fn new(options: Options) -> Self {
        Self {
            checker: Checker::new(options.selection.options()),
            options,
        }
    }

    /// The options.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Findings of all files of one patient, or of one loose file; the source of a span is the index of
    /// its file.
    fn diagnostics(&mut self, files: &[Given], patient: bool) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let given: Vec<File<'_>> = files
            .iter()
            .map(|f| File {
                path: &f.path,
                bytes: &f.bytes,
            })
            .collect();
        if patient {
            self.checker.check_patient(&given, &mut found);
        } else {
            for (file, number) in given.iter().zip(0..) {
                self.checker.check_file(*file, number, &mut found);
            }
        }
        let path = |d: &Diagnostic| of(files, d.span).map_or("", |f| f.shown.as_str());
        self.options.selection.apply(&mut found, path);
        found
    }

    /// Checks all files of one patient (`patient`), or loose files one by one. The reports are in the
    /// order of the files, their findings sorted, without fingerprints.
    pub fn unit(&mut self, files: &[Given], patient: bool) -> Vec<FileReport> {
        let found = self.diagnostics(files, patient);
        self.reports(files, &found)
    }

    /// Applies fixes to the files until none is left to apply; with `risky` also those that somebody has
    /// to look at. The files hold the new bytes afterwards.
    pub fn fix(&mut self, files: &mut [Given], patient: bool, risky: bool) -> Vec<Mended> {
        let mut mended: BTreeMap<usize, Vec<Diagnostic>> = BTreeMap::new();
        for _ in 0..ROUNDS {
            let found = self.diagnostics(files, patient);
            if !found.iter().any(|d| fixable(d, risky)) {
                break;
            }
            let mut again = false;
            for (i, (file, number)) in files.iter_mut().zip(0..).enumerate() {
                let fixed = fix::apply(&file.bytes, number, &found, risky);
                if fixed.bytes == file.bytes {
                    continue;
                }
                again = true;
                file.bytes = fixed.bytes;
                let applied = fixed.applied.iter().filter_map(|n| found.get(*n)).cloned();
                mended.entry(i).or_default().extend(applied);
            }
            if !again {
                break;
            }
        }
        mended
            .into_iter()
            .map(|(file, applied)| Mended { file, applied })
            .collect()
    }

    /// The same for one file, with the findings as they were before their fix.
    pub fn fix_file(&mut self, file: &mut Given, risky: bool) -> Vec<Finding> {
        let mut applied = Vec::new();
        for _ in 0..ROUNDS {
            let files = [file.clone()];
            let found = self.diagnostics(&files, false);
            let fixed = fix::apply(&file.bytes, 0, &found, risky);
            if fixed.bytes == file.bytes {
                break;
            }
            let of_fix: Vec<Diagnostic> = fixed
                .applied
                .iter()
                .filter_map(|n| found.get(*n).cloned())
                .collect();
            for report in self.reports(&files, &of_fix) {
                applied.extend(report.findings);
            }
            file.bytes = fixed.bytes;
        }
        applied
    }

    /// Reports of files from their findings.
    fn reports(&self, files: &[Given], found: &[Diagnostic]) -> Vec<FileReport> {
        let mut texts: BTreeMap<u32, SourceText> = BTreeMap::new();
        let spans = found
            .iter()
            .flat_map(|d| d.secondary().iter().map(|l| l.span).chain([d.span]));
        for span in spans.filter(|s| s.end > 0) {
            if let Some(f) = of(files, span) {
                texts
                    .entry(span.source.0)
                    .or_insert_with(|| SourceText::messages(&f.bytes));
            }
        }
        let mut reports: Vec<FileReport> = files.iter().map(report_of).collect();
        let within: BTreeMap<&str, &Within> = files
            .iter()
            .filter_map(|f| Some((f.shown.as_str(), f.within.as_ref()?)))
            .collect();
        let Options {
            lang,
            units,
            frames,
            ..
        } = &self.options;
        for d in found {
            let index = usize::try_from(d.span.source.0).unwrap_or(usize::MAX);
            let Some(report) = reports.get_mut(index) else {
                continue;
            };
            let source = |id: warifu_diag::SourceId| {
                let file = files.get(usize::try_from(id.0).ok()?)?;
                Some(Source {
                    file: &file.shown,
                    text: texts.get(&id.0),
                })
            };
            let mut finding = finding_among(d, &source, *lang, *units);
            finding.place(|shown| within.get(shown).copied());
            report.findings.push(finding);
            if let Some(frames) = frames {
                report.excerpts.push(Excerpt::new(
                    d,
                    texts.get(&d.span.source.0),
                    files.get(index).and_then(|f| f.within.as_ref()),
                    frames.lang,
                    *units,
                    frames.show_values,
                ));
            }
        }
        for report in &mut reports {
            report.sort();
        }
        reports
    }

    /// The report of something that is no checked file: a refused entry, an unreadable file. `None` when
    /// the rule is off. `count` is shown when it is more than 1.
    pub fn about(&self, code: Code, path: &str, argument: &str, count: u64) -> Option<FileReport> {
        let severity = self.options.selection.severity(code, path)?;
        let mut d = Diagnostic::new(code, Span::default()).with(argument.to_owned());
        d.severity = severity;
        let file = Given {
            shown: path.to_owned(),
            path: path.to_owned(),
            bytes: Vec::new(),
            within: None,
        };
        let mut reports = self.reports(&[file], &[d]);
        let mut report = reports.pop()?;
        report.note = true;
        report.charset = None;
        if count > 1 {
            for f in &mut report.findings {
                f.message = format!("{} ({count})", f.message);
            }
            for e in &mut report.excerpts {
                e.message = format!("{} ({count})", e.message);
            }
        }
        Some(report)
    }

    /// The same of something that was to be read; what is `refused` counts even when nobody wants to read
    /// about it.
    pub fn unread(
        &self,
        code: Code,
        path: &str,
        argument: &str,
        count: u64,
        refused: bool,
    ) -> Option<FileReport> {
        let silent = || FileReport {
            path: path.to_owned(),
            note: true,
            ..FileReport::default()
        };
        let about = self.about(code, path, argument, count);
        let mut report = about.or_else(|| refused.then(silent))?;
        report.unreadable = refused;
        Some(report)
    }
}

/// The file a span lies in.
fn of(files: &[Given], span: Span) -> Option<&Given> {
    files.get(usize::try_from(span.source.0).ok()?)
}

fn fixable(d: &Diagnostic, risky: bool) -> bool {
    d.fix()
        .is_some_and(|f| risky || f.applicability == Applicability::Safe)
}

fn report_of(file: &Given) -> FileReport {
    let charset = match warifu_source::detect(&file.bytes) {
        Charset::Iso2022Jp => "ISO-2022-JP",
        Charset::Utf8 => "UTF-8",
        Charset::Cp932 => "Windows-31J",
        Charset::EucJp => "EUC-JP",
    };
    let within = file.within.as_ref();
    FileReport {
        path: within.map_or(&file.shown, |w| &w.file).clone(),
        offset: within.map_or(0, |w| w.header),
        record: within.map(|w| w.record.clone()),
        kind: kind_of(&file.shown),
        charset: Some(charset.to_owned()),
        length: u64::try_from(file.bytes.len()).unwrap_or(u64::MAX),
        ..FileReport::default()
    }
}

/// The reports of a run that is small enough to be kept: what the npm package gives.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Files in the order of their paths.
    pub files: Vec<FileReport>,
    /// Counts.
    pub totals: Totals,
}

impl Report {
    /// Sorts and counts the reports, and gives findings their fingerprints.
    pub fn new(mut files: Vec<FileReport>) -> Self {
        warifu_order::sort_by(&mut files, FileReport::order);
        let mut prints = Fingerprints::default();
        let mut totals = Totals::default();
        for f in &mut files {
            prints.give(f);
            totals.add(f);
        }
        Self { files, totals }
    }

    /// The report in a format; the frames of `text` are there when the check was made with them.
    pub fn format(&mut self, format: Format, lang: Lang, units: Units) -> Vec<u8> {
        self.format_with(format, lang, units, warifu_rules::lookup)
    }

    /// The same with another catalogue: `lookup` finds codes by their number.
    pub fn format_with(
        &mut self,
        format: Format,
        lang: Lang,
        units: Units,
        lookup: fn(&str) -> Option<Code>,
    ) -> Vec<u8> {
        let context = Context {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            lang,
            units,
            lookup,
            baseline: false,
            rewritable: true,
            rule_pages: None,
            timestamp: NO_TIME.to_owned(),
            colour: false,
            statistics: false,
        };
        render(&mut self.files, &self.totals, format, context)
    }
}

/// The time JUnit demands, where nobody gives one: the same input gives the same bytes.
pub const NO_TIME: &str = "1970-01-01T00:00:00";
