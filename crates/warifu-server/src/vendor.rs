//! For vendors: conversion, check and validation as the command line does them, byte for byte; rules and
//! packages. Nothing of a body is kept, or told in an error.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use axum::http::header;
use serde_json::json;
use warifu_check::{Check, CheckSection, Given, Options, Report, Within};
use warifu_convert::shared::Ledger;
use warifu_convert::{Job, JobOptions, OptionValue, Pieces, To, TraceHit};
use warifu_diag::Diagnostic;
use warifu_diag::catalogue::ssm;
use warifu_map::File;
use warifu_package::Library;
use warifu_report::Lang;
use warifu_report::finding::Finding;
use warifu_report::format::Format;
use warifu_report::position::Units;
use warifu_report::report::FileReport;
use warifu_report::rule::{RuleInfo, markdown};
use warifu_storage::{
    Content, FileRef, Found, NotePlace, ReadError, Storage, StorageNote, StorageNoteKind,
};
use warifu_terminology::Terms;
use warifu_validate::Validator;

use crate::App;
use crate::form;
use crate::http::{Answer, Asked};
use crate::problem::{Bound, Code, Problem};

/// Files of one patient that are checked together, as on the command line.
const TOGETHER: usize = 65_535;
/// Findings and files of one answer.
const FINDINGS: usize = 200_000;
/// Bytes of an unfolded archive in memory; the rest waits in a file without a name.
const SPOOLED: u64 = 16 << 20;

/// Packages that were loaded at the start, and the terminology over them.
pub struct Vendor {
    terms: Terms,
    must_support: bool,
    vital_signs: bool,
}

impl Vendor {
    /// With these packages beside R4 core.
    pub fn new(library: Library) -> Self {
        Self {
            terms: Terms::new(Arc::new(library)),
            must_support: false,
            vital_signs: true,
        }
    }

    /// Whether must-support elements without a value are told, and whether vital signs are held against R4's
    /// profiles by their codes: `must-support` and `vital-signs` of `[fhir]`.
    #[must_use]
    pub fn telling(self, must_support: bool, vital_signs: bool) -> Self {
        Self {
            must_support,
            vital_signs,
            ..self
        }
    }

    fn validator(&self, profiles: Vec<String>) -> Validator<'_> {
        Validator::new(
            &**self.terms.library(),
            &self.terms,
            warifu_validate::Options {
                profiles,
                must_support: self.must_support,
                vital_signs: self.vital_signs,
                ..warifu_validate::Options::default()
            },
        )
    }
}

fn flag(asked: &Asked, name: &str) -> Result<bool, Problem> {
    match asked.wish(name) {
        None | Some("false") => Ok(false),
        Some("" | "true") => Ok(true),
        Some(_) => Err(Code::Parameter.into()),
    }
}

pub(crate) fn wishes(asked: &Asked, name: &str) -> Vec<String> {
    let own = asked.query.iter().filter(|(n, _)| n == name);
    own.flat_map(|(_, v)| v.split(','))
        .map(str::to_owned)
        .collect()
}

pub(crate) fn lang(asked: &Asked) -> Result<Lang, Problem> {
    match asked.wish("lang") {
        None | Some("ja") => Ok(Lang::Ja),
        Some("en") => Ok(Lang::En),
        Some(_) => Err(Code::Parameter.into()),
    }
}

/// What one request may take of the machine. What needs more is refused as a whole: a part of a report or
/// of a conversion looks like all of it.
pub(crate) struct Room {
    bytes: u64,
    findings: usize,
    /// Whether archives unfold less far here than on the command line.
    narrow: bool,
    /// The bound by which the archive left something out.
    cut: Option<Bound>,
}

impl Room {
    /// Takes bytes: of files that are read, and of what is made of them.
    fn bytes(&mut self, count: usize) -> Result<(), Problem> {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let left = self.bytes.checked_sub(count);
        self.bytes = left.ok_or_else(|| Problem::too_large(Bound::Unfolded))?;
        Ok(())
    }

    /// Takes findings, and files that are reported.
    fn findings(&mut self, count: usize) -> Result<(), Problem> {
        let left = self.findings.checked_sub(count);
        self.findings = left.ok_or_else(|| Problem::too_large(Bound::Findings))?;
        Ok(())
    }

    pub(crate) fn note(&mut self, note: &StorageNote) -> Result<(), Problem> {
        match note.kind {
            StorageNoteKind::Expansion if self.narrow => {
                return Err(Problem::too_large(Bound::Expansion));
            }
            StorageNoteKind::Expansion => self.cut = Some(Bound::Expansion),
            StorageNoteKind::TooLarge => self.cut = Some(Bound::File),
            _ => {}
        }
        Ok(())
    }
}

/// What a body brought.
pub(crate) struct Taken {
    pub(crate) storage: Storage,
    pub(crate) room: Room,
    /// Its name, where one was given.
    name: Option<String>,
}

/// Refuses what is neither text nor an archive nor of an unnamed type, and FHIR in XML, which is not read.
pub(crate) fn taken(kind: &str) -> Result<(), Problem> {
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    let (group, name) = kind.split_once('/').unwrap_or((&kind, ""));
    let others = ["audio", "font", "image", "model", "video"];
    if others.contains(&group) || name == "xml" || name.ends_with("+xml") {
        return Err(Code::Media.into());
    }
    Ok(())
}

/// The body as a storage: a message, an archive, a journal, FHIR JSON, packed or not; or the files of a form.
pub(crate) fn storage(app: &App, asked: &Asked) -> Result<Taken, Problem> {
    let mut name = asked.wish("stdin-name").map(str::to_owned);
    let mut options = warifu_storage::Options::standard();
    if asked.body.length() == 0 {
        return Err(Code::Body.into());
    }
    let bytes = app.config().limits.unfolded;
    let times = (bytes / asked.body.length()).max(1);
    let room = Room {
        bytes,
        findings: FINDINGS,
        narrow: times < options.max_expansion,
        cut: None,
    };
    options.max_expansion = options.max_expansion.min(times);
    options.memory_limit = SPOOLED;
    let kind = asked.header(header::CONTENT_TYPE).unwrap_or_default();
    taken(kind)?;
    let mut form = match form::boundary(kind)? {
        Some(boundary) => Some(form::read(asked.body.reader()?, &boundary)?),
        None => None,
    };
    let mut body = match &mut form {
        Some(form) => {
            name = name.or_else(|| form.name.clone());
            form.reader()?
        }
        None => asked.body.reader()?,
    };
    let shown = name.as_deref().unwrap_or("-");
    let opened = Storage::from_reader(&mut *body, shown, &options).map_err(|e| match e.kind() {
        std::io::ErrorKind::StorageFull => Code::Busy.into(),
        std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof => Code::Body.into(),
        kind => Problem::internal(format!("storage: {kind}")),
    });
    let storage = opened?;
    Ok(Taken {
        storage,
        room,
        name,
    })
}

/// How the files of a body are named: as the command line names those of standard input.
struct Names<'a> {
    storage: &'a Storage,
    given: Option<&'a str>,
}

/// Where a record of a transaction file lies, by its path.
fn within(file: &FileRef) -> Option<(String, Within)> {
    let (place, path) = (file.record()?, file.path_in_root().to_owned());
    let within = Within {
        file: place.journal.clone(),
        record: path.clone(),
        header: place.header,
        line: place.line,
        message: place.message,
    };
    Some((path, within))
}

impl Names<'_> {
    fn shown(&self, file: &FileRef) -> String {
        let (base, path) = (self.given.unwrap_or("-"), file.path());
        if path == base {
            base.to_owned()
        } else {
            format!("{base}/{path}")
        }
    }

    fn note(&self, path: &str) -> String {
        let base = self.given.unwrap_or("-");
        match path {
            "" => base.to_owned(),
            path if path.starts_with(base) => path.to_owned(),
            path => format!("{base}/{path}"),
        }
    }

    fn checked<'f>(&self, file: &'f FileRef) -> &'f str {
        match file.path_in_root() {
            "-" if self.given.is_none() => "",
            path => path,
        }
    }

    fn read(&self, file: &FileRef, check: &Check, reports: &mut Vec<FileReport>) -> Option<Given> {
        let shown = self.shown(file);
        let mut bytes = Vec::new();
        match self.storage.read(file, &mut bytes) {
            Ok(_) => Some(Given {
                shown,
                path: self.checked(file).to_owned(),
                within: within(file).map(|(_, w)| Within {
                    file: self.note(&w.file),
                    ..w
                }),
                bytes,
            }),
            // A finding of the walk says it.
            Err(ReadError::LeftOut) => None,
            Err(e) => {
                reports.extend(check.unread(&ssm::SSM115, &shown, e.slug(), 1, true));
                None
            }
        }
    }
}

fn all_reports(
    storage: &Storage,
    given: Option<&str>,
    check: &mut Check,
    fhir: &Validator<'_>,
    options: &Options,
    room: &mut Room,
) -> Result<Vec<FileReport>, Problem> {
    let names = Names { storage, given };
    let mut reports: Vec<FileReport> = Vec::new();
    for found in storage.walk() {
        let before = reports.len();
        match found {
            Found::Patient(batch) => {
                for part in batch.files.chunks(TOGETHER) {
                    let mut files: Vec<Given> = Vec::new();
                    for file in part {
                        if let Some(given) = names.read(file, check, &mut reports) {
                            room.bytes(given.bytes.len())?;
                            files.push(given);
                        }
                    }
                    reports.extend(check.unit(&files, true));
                }
            }
            Found::Loose(file, content)
                if content == Content::Json
                    || content == Content::Empty && warifu_check::fhir::is_named(file.path()) =>
            {
                if let Some(given) = names.read(&file, check, &mut reports) {
                    room.bytes(given.bytes.len())?;
                    reports.push(warifu_check::fhir::report(fhir, &given, options));
                }
            }
            Found::Loose(file, Content::Xml) => {
                reports.extend(check.about(&ssm::SSM108, &names.shown(&file), "", 1));
            }
            Found::Loose(file, _) => {
                if let Some(given) = names.read(&file, check, &mut reports) {
                    room.bytes(given.bytes.len())?;
                    reports.extend(check.unit(&[given], false));
                }
            }
            Found::Note(note) => {
                room.note(&note)?;
                let path = names.note(&note.path);
                let (what, refused) = (note.kind.slug(), note.kind.is_refusal());
                let mut report = check.unread(note.code(), &path, what, note.count, refused);
                if let (Some(report), Some(at)) = (&mut report, note.place) {
                    report.put(at.start, at.end, (at.line, at.column));
                }
                reports.extend(report);
            }
        }
        let new = reports.get(before..).unwrap_or_default();
        let found: usize = new.iter().map(|r| r.findings.len()).sum();
        room.findings(new.len() + found)?;
    }
    Ok(reports)
}

fn media(format: Format) -> &'static str {
    match format {
        Format::Ndjson => "application/x-ndjson",
        Format::Sarif => "application/sarif+json",
        Format::Junit | Format::Checkstyle => "application/xml",
        Format::OperationOutcome => "application/fhir+json",
        Format::Text | Format::Github => "text/plain; charset=utf-8",
        Format::Markdown => "text/markdown; charset=utf-8",
        _ => "application/json",
    }
}

/// By `format`, else `Accept`.
fn format(asked: &Asked) -> Result<Format, Problem> {
    if let Some(word) = asked.wish("format") {
        return Ok(Format::of(word).ok_or(Code::Parameter)?);
    }
    let accept = asked.header(header::ACCEPT).unwrap_or("*/*");
    for kind in accept.split(',') {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        return Ok(match kind {
            "*/*" | "application/*" | "application/json" => Format::Json,
            "application/x-ndjson" => Format::Ndjson,
            "application/sarif+json" => Format::Sarif,
            "application/xml" => Format::Junit,
            "application/fhir+json" => Format::OperationOutcome,
            "text/plain" | "text/*" => Format::Text,
            _ => continue,
        });
    }
    Err(Code::Form.into())
}

pub(crate) fn counted(answer: Answer, totals: &warifu_report::report::Totals) -> Answer {
    let s = &totals.summary;
    let (errors, warnings, infos) = (s.errors, s.warnings, s.infos);
    let text = format!("errors={errors}, warnings={warnings}, infos={infos}");
    answer.with(header::HeaderName::from_static("warifu-findings"), &text)
}

/// `POST /check`: parameters are the long flags of `warifu check`.
pub(crate) fn check(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let (fhir_profiles, profile): (Vec<String>, Vec<String>) = wishes(asked, "profile")
        .into_iter()
        .partition(|p| p.contains(':'));
    let mut severity = BTreeMap::new();
    for wish in wishes(asked, "severity") {
        let (code, level) = wish.split_once('=').ok_or(Code::Parameter)?;
        severity.insert(code.to_owned(), level.to_owned());
    }
    let section = CheckSection {
        profile,
        select: wishes(asked, "select"),
        ignore: wishes(asked, "ignore"),
        preview: Some(flag(asked, "preview")?),
        severity,
        ..CheckSection::default()
    };
    let format = format(asked)?;
    let lang = lang(asked)?;
    let units = match asked.wish("columns") {
        None | Some("utf16") => Units::Utf16,
        Some("utf8") => Units::Utf8,
        Some("codepoint") => Units::CodePoint,
        Some(_) => return Err(Code::Parameter.into()),
    };
    if units != Units::Utf16 && !format.takes_columns() {
        return Err(Code::Parameter.into());
    }
    let show_values = flag(asked, "show-values")?;
    let frames = warifu_check::Frames { lang, show_values };
    let options = Options {
        selection: section.selection().map_err(|_| Code::Parameter)?,
        lang,
        units,
        frames: (format == Format::Text).then_some(frames),
        show_values,
    };
    let Taken {
        storage,
        mut room,
        name,
    } = storage(app, asked)?;
    let vendor = app.vendor();
    let fhir = vendor.validator(fhir_profiles);
    let mut check = Check::new(options.clone());
    let given = name.as_deref();
    let reports = all_reports(&storage, given, &mut check, &fhir, &options, &mut room)?;
    let mut report = Report::new(reports);
    let bytes = report.format(format, lang, units);
    Ok(counted(Answer::new(media(format), bytes), &report.totals))
}

/// Options of a job by the long flags of `warifu convert`.
fn job_options(asked: &Asked) -> Result<JobOptions, Problem> {
    let mut options = JobOptions::default();
    for (name, value) in &asked.query {
        if name == "stdin-name" {
            continue;
        }
        // `sent-at` is `sentAt`: the npm package's names are the same words.
        let mut words = name.split('-');
        let mut own = words.next().unwrap_or_default().to_owned();
        for word in words {
            let mut letters = word.chars();
            own.extend(letters.next().map(|c| c.to_ascii_uppercase()));
            own.push_str(letters.as_str());
        }
        // A key does not belong into an address, and what needs a folder is not offered.
        let refused = ["idKey", "strict"].contains(&own.as_str());
        if refused || own.contains(char::is_whitespace) {
            return Err(Code::Parameter.into());
        }
        let value = match value.as_str() {
            "true" | "" => OptionValue::Flag(true),
            "false" => OptionValue::Flag(false),
            text => OptionValue::Text(text.to_owned()),
        };
        options.set(&own, value).map_err(|_| Code::Parameter)?;
    }
    options.validate().map_err(|_| Code::Parameter)?;
    Ok(options)
}

/// The answers of `/convert`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// What the command line writes.
    Plain,
    /// That, the findings, and the trace where it is wanted, in one object.
    Whole,
    /// A line for each resource and finding, and one for the end.
    Events,
}

/// By `Accept`.
fn converted_form(asked: &Asked) -> Result<Form, Problem> {
    let accept = asked.header(header::ACCEPT).unwrap_or("*/*");
    let kinds = accept.split(',').map(|kind| kind.split(';').next());
    let mut forms = kinds.filter_map(|kind| match kind.unwrap_or_default().trim() {
        "*/*" | "application/*" | "application/fhir+json" | "application/fhir+ndjson" => {
            Some(Form::Plain)
        }
        "application/json" => Some(Form::Whole),
        "application/x-ndjson" => Some(Form::Events),
        _ => None,
    });
    Ok(forms.next().ok_or(Code::Form)?)
}

/// What of a conversion goes out, unit by unit, in the order in which the command line writes it.
struct Sent {
    to: To,
    form: Form,
    out: Vec<u8>,
    /// What units share, and its forms.
    ledger: Ledger,
    log: Vec<u8>,
    traced: Option<Traced>,
}

impl Sent {
    /// Takes what a unit gives: what patients share waits for the end, the rest goes out by type.
    fn unit(&mut self, made: &Pieces, room: &mut Room) -> Result<(), Problem> {
        let before = self.out.len() + self.log.len();
        let mut later: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
        let mut deleted: Vec<u8> = Vec::new();
        for piece in &made.pieces {
            let json = made.json.get(piece.range.clone()).unwrap_or_default();
            let mut hits: Vec<TraceHit> = match self.traced {
                Some(_) => made.hits.within(piece.hits.clone()).collect(),
                None => Vec::new(),
            };
            let name = [piece.resource_type.as_str(), piece.id.as_str()];
            if piece.shared {
                let mut lines = String::new();
                for hit in &hits {
                    let _ = writeln!(lines, "{}", json!(hit));
                }
                let Ok(_) = self.ledger.offer(&mut self.log, json, lines.as_bytes());
                if let (false, Some(traced)) = (piece.traced, &mut self.traced) {
                    traced.cut.insert(name.join("/"));
                }
                continue;
            }
            let better = match self.to {
                To::Bundle => {
                    let Ok(better) = self.ledger.bundle(&mut self.log, json);
                    better
                }
                To::Ndjson | To::Clins => None,
            };
            let json = better
                .as_ref()
                .map_or(json, |better| better.json.as_slice());
            if let Some(traced) = &mut self.traced {
                if let Some(better) = &better {
                    hits.retain(|hit| !better.replaces(&hit.pointer));
                }
                let hits: Vec<String> = hits.iter().map(|hit| json!(hit).to_string()).collect();
                traced.add(name, &hits.join(","), piece.traced, room)?;
            }
            let lines = match (self.form, self.to, piece.resource_type.as_str()) {
                (Form::Events, ..) => &mut self.out,
                (_, To::Ndjson, "Bundle") => &mut deleted,
                (_, To::Ndjson, kind) => later.entry(kind).or_default(),
                _ => &mut self.out,
            };
            line(self.form, name, json, lines);
        }
        for lines in later.values() {
            self.out.extend_from_slice(lines);
        }
        self.out.extend_from_slice(&deleted);
        if let Some(traced) = &mut self.traced {
            traced.unused(made, room)?;
        }
        room.bytes(self.out.len() + self.log.len() - before)
    }

    /// Gives what is shared; names the resources of which some form says something that is not given.
    fn settle(&mut self, room: &mut Room) -> Result<Vec<String>, Problem> {
        let (form, lines) = (self.form, self.to == To::Ndjson);
        let (out, traced) = (&mut self.out, &mut self.traced);
        let mut contradicted = Vec::new();
        let mut log = std::mem::take(&mut self.log);
        self.ledger.settle(&mut log, |settled| {
            let name = [settled.resource_type, settled.id];
            if settled.contradicted {
                contradicted.push(name.join("/"));
            }
            if lines {
                let before = out.len();
                line(form, name, settled.json, out);
                room.bytes(out.len() - before)?;
                if let Some(traced) = traced {
                    let hits = String::from_utf8_lossy(settled.trace);
                    let hits: Vec<&str> = hits.lines().collect();
                    let complete = !traced.cut.contains(&name.join("/"));
                    traced.add(name, &hits.join(","), complete, room)?;
                }
            }
            Ok::<(), Problem>(())
        })?;
        Ok(contradicted)
    }
}

/// A line about what was made; in [`Form::Events`] its JSON stands in it as it is.
fn line(form: Form, [resource_type, id]: [&str; 2], json: &[u8], out: &mut Vec<u8>) {
    if form == Form::Events {
        let head = json!({"type": "resource", "resourceType": resource_type, "id": id});
        let head = head.to_string();
        out.extend_from_slice(head.strip_suffix('}').unwrap_or(&head).as_bytes());
        out.extend_from_slice(b",\"json\":");
        out.extend_from_slice(json);
        out.push(b'}');
    } else {
        out.extend_from_slice(json);
    }
    out.push(b'\n');
}

/// The trace of an answer: leaves of each resource, pointers into it, and fields that left none.
#[derive(Default)]
struct Traced {
    resources: Vec<String>,
    unused: Vec<String>,
    /// What is shared and has not all its leaves.
    cut: BTreeSet<String>,
}

impl Traced {
    /// Takes the leaves of a resource, as JSON with commas between.
    fn add(
        &mut self,
        [resource_type, id]: [&str; 2],
        hits: &str,
        complete: bool,
        room: &mut Room,
    ) -> Result<(), Problem> {
        let mut one = json!({"resourceType": resource_type, "id": id}).to_string();
        one.truncate(one.len() - 1);
        let end = if complete { "" } else { ",\"complete\":false" };
        let _ = write!(one, ",\"hits\":[{hits}]{end}}}");
        room.bytes(one.len())?;
        self.resources.push(one);
        Ok(())
    }

    fn unused(&mut self, made: &Pieces, room: &mut Room) -> Result<(), Problem> {
        for field in &made.unused {
            let one = json!(field).to_string();
            room.bytes(one.len())?;
            self.unused.push(one);
        }
        Ok(())
    }

    fn write(&self) -> String {
        let (resources, unused) = (self.resources.join(","), self.unused.join(","));
        format!("{{\"resources\":[{resources}],\"unused\":[{unused}]}}")
    }
}

/// `POST /convert`: parameters are the long flags of `warifu convert`; the answer is what it writes to
/// its standard output, or by `Accept` that with findings and trace, or lines of events.
pub(crate) fn convert(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let options = job_options(asked)?;
    let to = options.to;
    let form = converted_form(asked)?;
    if options.trace && form != Form::Whole {
        return Err(Code::Parameter.into());
    }
    let traced = options.trace.then(Traced::default);
    let Taken {
        storage, mut room, ..
    } = storage(app, asked)?;
    let mut job = Job::new(options).map_err(|_| Code::Parameter)?;
    let mut findings: Vec<Finding> = job.option_findings();
    let mut sent = Sent {
        to,
        form,
        out: Vec::new(),
        ledger: Ledger::default(),
        log: Vec::new(),
        traced,
    };
    let mut converted = false;
    let mut told: Vec<(Diagnostic, String, Option<NotePlace>)> = Vec::new();
    for found in storage.walk_together() {
        let (files, patient): (Vec<FileRef>, bool) = match found {
            Found::Patient(batch) => (batch.files, true),
            Found::Loose(file, _) => (vec![file], false),
            Found::Note(note) => {
                room.note(&note)?;
                room.findings(1)?;
                let finding = Diagnostic::new(note.code(), warifu_diag::Span::default());
                let finding = finding.with(note.kind.slug());
                told.push((finding, note.path, note.place));
                continue;
            }
        };
        let mut read = Vec::new();
        for file in &files {
            let mut bytes = Vec::new();
            match storage.read(file, &mut bytes) {
                Ok(_) => {
                    room.bytes(bytes.len())?;
                    read.push((file.path_in_root().to_owned(), bytes));
                }
                Err(e) => {
                    // What was left out of an archive the walk says.
                    if !matches!(e, ReadError::LeftOut) {
                        let span = warifu_diag::Span::default();
                        let finding = Diagnostic::new(&ssm::SSM115, span).with(e.slug());
                        told.push((finding, file.path().to_owned(), None));
                    }
                    if patient {
                        let path = file.path_in_root().to_owned();
                        read.push((path, warifu_map::UNREAD.to_vec()));
                    }
                }
            }
        }
        if read.is_empty() {
            continue;
        }
        let given: Vec<File<'_>> = read
            .iter()
            .map(|(path, bytes)| File {
                path,
                bytes: bytes.as_slice(),
            })
            .collect();
        let made = job.pieces(&given, patient);
        sent.unit(&made, &mut room)?;
        room.findings(made.diagnostics.len())?;
        let records: BTreeMap<String, Within> = files.iter().filter_map(within).collect();
        findings.extend(made.diagnostics.into_iter().map(|mut f| {
            f.place(|path| records.get(path));
            f
        }));
        converted = true;
    }
    if !converted {
        // Nothing was left of it by a bound, or there was nothing.
        let cut = room.cut.map(Problem::too_large);
        return Err(cut.unwrap_or_else(|| Code::Body.into()));
    }
    let contradicted = sent.settle(&mut room)?;
    room.findings(contradicted.len())?;
    told.extend(contradicted.into_iter().map(|name| {
        let finding = Diagnostic::new(&ssm::SSM183, warifu_diag::Span::default());
        (finding.with(name), String::new(), None)
    }));
    let Sent {
        mut out, traced, ..
    } = sent;
    let (lang, units) = (job.options().language(), job.options().units());
    for (diagnostic, path, place) in &told {
        let mut found = warifu_report::finding::finding(diagnostic, path, None, lang, units);
        if let Some(at) = place {
            found.primary.put(at.start, at.end, (at.line, at.column));
        }
        findings.push(found);
    }
    let count = |word: &str| findings.iter().filter(|f| f.severity == word).count();
    let text = format!(
        "errors={}, warnings={}, infos={}",
        count("error"),
        count("warning"),
        count("info")
    );
    let answer = if form == Form::Whole {
        let output = String::from_utf8(out).map_err(|_| Problem::internal("output"))?;
        let mut all = json!({"output": output, "diagnostics": findings}).to_string();
        if let Some(traced) = &traced {
            all.truncate(all.len() - 1);
            let _ = write!(all, ",\"trace\":{}}}", traced.write());
        }
        Answer::new("application/json", all)
    } else if form == Form::Events {
        let diagnostics = findings.iter();
        let lines = diagnostics.map(|found| json!({"type": "diagnostic", "diagnostic": found}));
        let end = json!({"type": "end", "findings": text});
        for line in lines.chain([end]) {
            out.extend_from_slice(line.to_string().as_bytes());
            out.push(b'\n');
        }
        Answer::new("application/x-ndjson", out)
    } else if to == To::Ndjson || out.split(|&b| b == b'\n').nth(2).is_some() {
        Answer::new("application/fhir+ndjson", out)
    } else {
        Answer::new("application/fhir+json", out)
    };
    Ok(answer.with(header::HeaderName::from_static("warifu-findings"), &text))
}

/// Whether JSON is among what is asked for, by `_format`, else `Accept`.
pub(crate) fn in_json(asked: &Asked) -> Result<(), Problem> {
    let wish = asked.wish("_format").filter(|f| !f.is_empty());
    let wish = wish.or_else(|| asked.header(header::ACCEPT));
    let taken = |kind: &str| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        // A plus sign that was not escaped is a blank in an address.
        let kind = kind.to_ascii_lowercase().replace(' ', "+");
        [
            "*/*",
            "application/*",
            "json",
            "text/json",
            "application/json",
            "application/fhir+json",
        ]
        .contains(&kind.as_str())
    };
    if wish.is_none_or(|wish| wish.split(',').any(taken)) {
        Ok(())
    } else {
        Err(Code::Form.into())
    }
}

/// What is found in a resource, which is called so.
pub(crate) fn validated(
    app: &App,
    profiles: Vec<String>,
    shown: &str,
    bytes: Vec<u8>,
    lang: Lang,
) -> Result<FileReport, Problem> {
    let section = CheckSection::default();
    let options = Options {
        selection: section.selection().map_err(|_| Code::Parameter)?,
        lang,
        units: Units::Utf16,
        frames: None,
        show_values: false,
    };
    let given = Given {
        shown: shown.to_owned(),
        path: "resource.json".to_owned(),
        within: None,
        bytes,
    };
    let fhir = app.vendor().validator(profiles);
    if !fhir.options().profiles.iter().all(|p| fhir.knows(p)) {
        return Err(Code::Profile.into());
    }
    Ok(warifu_check::fhir::report(&fhir, &given, &options))
}

/// `POST /fhir/$validate`
pub(crate) fn validate(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let lang = lang(asked)?;
    in_json(asked)?;
    let mut profiles = wishes(asked, "profile");
    taken(asked.header(header::CONTENT_TYPE).unwrap_or_default())?;
    let body = asked.body.whole()?;
    let parsed = warifu_json::parse(&body, warifu_json::Limits::FHIR, &());
    let tree = &parsed.tree;
    let (mut from, mut to) = (0, body.len());
    if !tree.is_empty() && parsed.issues.is_empty() {
        let root = warifu_json::ROOT;
        let text = |node, name| tree.member(node, name).map(|n| tree.text(n).into_owned());
        let mut resource = root;
        if text(root, "resourceType").as_deref() == Some("Parameters") {
            let parts = tree.member(root, "parameter").map(|p| tree.children(p));
            for part in parts.into_iter().flatten() {
                match text(part, "name").as_deref() {
                    Some("resource") => {
                        resource = tree.member(part, "resource").ok_or(Code::Body)?;
                    }
                    Some("profile") => {
                        let value = ["valueCanonical", "valueUri", "valueString"];
                        profiles.extend(value.iter().find_map(|v| text(part, v)));
                    }
                    // Only what is there is judged, whatever becomes of it.
                    Some("mode") => {}
                    _ => return Err(Code::Parameter.into()),
                }
            }
            if resource == root {
                return Err(Code::Body.into());
            }
            let span = tree.span(resource);
            from = usize::try_from(span.start).map_err(|_| Code::Body)?;
            to = usize::try_from(span.end).map_err(|_| Code::Body)?;
        }
        let kind = text(resource, "resourceType").unwrap_or_default();
        if !asked.params.is_empty() && asked.param(0) != kind {
            return Err(Code::Kind.into());
        }
    }
    let unread = tree.is_empty() || !parsed.issues.is_empty();
    let bytes = body.get(from..to).unwrap_or_default().to_vec();
    let mut report = Report::new(vec![validated(app, profiles, "resource", bytes, lang)?]);
    let bytes = report.format(Format::OperationOutcome, lang, Units::Utf16);
    let answer = Answer::new("application/fhir+json", bytes);
    let answer = counted(answer, &report.totals);
    Ok(if unread { answer.status(400) } else { answer })
}

/// `GET /fhir/metadata`
pub(crate) fn metadata(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    in_json(asked)?;
    let guides: Vec<String> = labels(app);
    let statement = json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-27",
        "kind": "instance",
        "software": {"name": "Warifu", "version": env!("CARGO_PKG_VERSION")},
        "implementation": {"description": format!("Warifu. Packages: {}", guides.join(", "))},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [{
            "mode": "server",
            "operation": [{
                "name": "validate",
                "definition": "http://hl7.org/fhir/OperationDefinition/Resource-validate",
            }],
        }],
    });
    Ok(Answer::new("application/fhir+json", statement.to_string()).tagged(asked))
}

pub(crate) fn labels(app: &App) -> Vec<String> {
    let library = app.vendor().terms.library();
    library
        .members()
        .map(|(_, m)| m.package().manifest().label())
        .collect()
}

/// `GET /packages`
pub(crate) fn packages(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let all = json!({"packages": labels(app)});
    Ok(Answer::new("application/json", all.to_string()).tagged(asked))
}

/// `GET /rules`
pub(crate) fn rules(_: &App, asked: &Asked) -> Result<Answer, Problem> {
    let all: Vec<RuleInfo> = warifu_rules::entries().map(RuleInfo::from).collect();
    let text = serde_json::to_string(&all).map_err(|e| Problem::internal(e.to_string()))?;
    Ok(Answer::new("application/json", text).tagged(asked))
}

/// Text as it stands in HTML, with what is between each pair of marks in an element.
fn marked(text: &str, mark: &str, tag: &str) -> String {
    let mut parts = text.split(mark);
    let mut out = parts.next().unwrap_or_default().to_owned();
    while let Some(inside) = parts.next() {
        match parts.next() {
            Some(behind) => {
                let _ = write!(out, "<{tag}>{inside}</{tag}>{behind}");
            }
            None => {
                let _ = write!(out, "{mark}{inside}");
            }
        }
    }
    out
}

/// The page of a rule as HTML, from its Markdown, which has a heading, paragraphs, strong words, code and blocks
/// of it, and nothing else.
fn page(title: &str, markdown: &str, lang: Lang) -> String {
    let escaped = |text: &str| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        text.replace('>', "&gt;").replace('"', "&quot;")
    };
    let tongue = match lang {
        Lang::Ja => "ja",
        Lang::En => "en",
    };
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{tongue}\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{}</title></head>\n<body>\n",
        escaped(title)
    );
    let mut code = false;
    for line in markdown.lines() {
        let text = escaped(line);
        if line.starts_with("```") {
            out += if code {
                "</code></pre>\n"
            } else {
                "<pre><code>"
            };
            code = !code;
        } else if code {
            let _ = writeln!(out, "{text}");
        } else if let Some(heading) = text.strip_prefix("# ") {
            let _ = writeln!(out, "<h1>{heading}</h1>");
        } else if !text.is_empty() {
            let text = marked(&marked(&text, "**", "strong"), "`", "code");
            let _ = writeln!(out, "<p>{text}</p>");
        }
    }
    out + "</body>\n</html>\n"
}

/// `GET /rules/{code}`: JSON, or Markdown or HTML where that is asked for.
pub(crate) fn rule(_: &App, asked: &Asked) -> Result<Answer, Problem> {
    let lang = lang(asked)?;
    let entry = warifu_rules::lookup(asked.param(0)).ok_or(Code::NotFound)?;
    let accept = asked.header(header::ACCEPT).unwrap_or_default();
    let answer = if accept.contains("text/html") {
        let page = page(entry.code, &markdown(entry, lang), lang);
        Answer::new("text/html; charset=utf-8", page)
    } else if accept.contains("text/markdown") {
        Answer::new("text/markdown; charset=utf-8", markdown(entry, lang))
    } else {
        let info = serde_json::to_string(&RuleInfo::from(entry));
        Answer::new(
            "application/json",
            info.map_err(|e| Problem::internal(e.to_string()))?,
        )
    };
    Ok(answer.with(header::VARY, "accept").tagged(asked))
}
