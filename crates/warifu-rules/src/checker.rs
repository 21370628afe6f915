//! The checker: indexes a file once and walks the index once.

use std::collections::BTreeSet;

use bumpalo::Bump;
use warifu_diag::catalogue::{enc, hl7};
use warifu_diag::{Code, Diagnostic, SourceId};
use warifu_hl7::{Index, Message, NoteKind, findings, time};
use warifu_source::Notes;
use warifu_ssmix2::{FileName, Kind, Place, components, locate};

use crate::Options;
use crate::cx::Cx;
use crate::grammar::{Structure, structure_of};
use crate::patient::{Facts, PatientCx};
use crate::plan::{Plan, SegmentPlan};
use crate::rules;

/// A file of a storage.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Path inside the storage, `/` or `\` between folders; perhaps only a name, perhaps empty.
    pub path: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Checks files; keeps its memory from one to the next.
#[derive(Debug)]
pub struct Checker {
    options: Options,
    plan: Plan,
    structures: Vec<Structure>,
    index: Index,
    notes: Notes,
    arena: Bump,
    names: Vec<[u8; 3]>,
}

/// What the path of a file says.
struct Named<'a> {
    name: Option<FileName<'a>>,
    patient: &'a str,
    kind: Option<Kind<'a>>,
}

impl Checker {
    /// A checker with these rules on.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            plan: Plan::new(),
            structures: Structure::all(),
            index: Index::new(),
            notes: Notes::new(),
            arena: Bump::new(),
            names: Vec::with_capacity(64),
        }
    }

    /// Checks one file: its name, its characters, its syntax and its message (or messages). `number`
    /// becomes the source of all spans.
    pub fn check_file(&mut self, file: File<'_>, number: u32, out: &mut Vec<Diagnostic>) {
        self.file(file, number, false, out);
    }

    /// Checks all files of one patient: each file, then what only several files can show.
    /// The source of a span is the index of its file.
    pub fn check_patient(&mut self, files: &[File<'_>], out: &mut Vec<Diagnostic>) {
        let first = out.len();
        let facts: Vec<Facts> = (0..)
            .zip(files)
            .map(|(number, file)| self.file(*file, number, true, out))
            .collect();
        // All files of a content folder are one version, told once.
        let mut folders = BTreeSet::new();
        let contents: Vec<_> = files.iter().map(|f| content_folder(f.path)).collect();
        let names: Vec<_> = files
            .iter()
            .zip(&contents)
            .map(|(file, content)| {
                let fresh = content.as_ref().is_none_or(|(f, _)| folders.insert(f));
                named(file.path).name.filter(|_| fresh)
            })
            .collect();
        let mut cx = PatientCx {
            names: &names,
            facts: &facts,
            contents: &contents,
            options: self.options,
            out,
        };
        for check in &self.plan.patients {
            check(&mut cx);
        }
        finish(out, first, self.options);
    }

    /// Checks several messages that follow one another in one input; no name is checked.
    pub fn check_stream(&mut self, bytes: &[u8], number: u32, out: &mut Vec<Diagnostic>) {
        let first = out.len();
        self.file(File { path: "", bytes }, number, false, out);
        // That there are several is what the caller says.
        let own = out.split_off(first);
        out.extend(own.into_iter().filter(|d| d.code != &hl7::HL7111));
    }

    fn file(
        &mut self,
        file: File<'_>,
        number: u32,
        wanted: bool,
        out: &mut Vec<Diagnostic>,
    ) -> Facts {
        let first = out.len();
        let source = SourceId(number);
        let mut facts = Facts::fresh(wanted);
        let place = named(file.path);
        rules::names::check(file.path, source, self.options, out);
        if is_message(&place, file) {
            for (start, end) in findings::messages_of(file.bytes, source, out) {
                let bytes = file.bytes.get(..end).unwrap_or_default();
                self.message(bytes, start, &place, source, &mut facts, out);
            }
        } else {
            // Of documents of the extended storage no more is read than whether they are whole, and whose.
            rules::documents::check(file, place.patient, source, out);
        }
        finish(out, first, self.options);
        facts
    }

    fn message(
        &mut self,
        bytes: &[u8],
        start: usize,
        place: &Named<'_>,
        source: SourceId,
        facts: &mut Facts,
        out: &mut Vec<Diagnostic>,
    ) {
        let first = out.len();
        self.index.build_part(bytes, start, None);
        findings::reading(bytes, start, &self.index, &mut self.notes, source, out);
        self.arena.reset();
        let message = Message::new(bytes, &self.index, &self.arena, 0);
        let is_message = !self.index.notes().iter().any(|n| {
            matches!(
                n.kind,
                NoteKind::MissingMsh | NoteKind::Empty | NoteKind::TooLarge
            )
        });
        for d in out.iter_mut().skip(first) {
            if d.path.is_none() && d.span.end > 0 {
                d.path = message.locate(d.span.start);
            }
            // What is no message is not ours to change.
            if is_message {
                rules::characters::mend(d, bytes, message);
            }
        }
        if !is_message {
            // What its bytes would be in a message says nothing about an image.
            let mut own = out.split_off(first);
            own.retain(|d| OF_ANY_FILE.contains(&d.code));
            out.append(&mut own);
            return;
        }
        let kind = match place.kind {
            Some(kind) => kind.standard(),
            None => warifu_ssmix2::guess(message),
        };
        facts.kind = kind;
        let is_vital = match place.kind {
            Some(Kind::Extended(kind)) => kind.is_vital_signs(),
            Some(_) => false,
            None => message
                .first(b"MSH")
                .is_some_and(|s| s.field(9).comp(2).value().trimmed().text == "R30"),
        };
        let mut cx = Cx {
            message,
            kind,
            is_vital,
            name: place.name,
            patient: place.patient,
            source,
            options: self.options,
            segment: None,
            sent: time::parse(message.value(b"MSH", 7).text),
            order: None,
            specimen: None,
            facts,
            out,
            first,
        };
        self.names.clear();
        for segment in message.segments() {
            self.names.push(segment.name());
            rules::characters::segment_end(&mut cx, segment);
            let Some(plan) = self.plan.segment(segment.name()) else {
                for (_, field) in segment.fields() {
                    rules::characters::ends_and_escapes(&mut cx, field);
                }
                continue;
            };
            if segment.name() == *b"ORC" {
                cx.order = Some(segment);
            }
            cx.segment = Some(segment);
            walk(&mut cx, plan, &self.plan);
        }
        cx.segment = None;
        let nine = message.first(b"MSH").map(|s| s.field(9));
        let text = |n| nine.map_or("", |f| f.comp(n).value().trimmed().text);
        if let Some(structure) = structure_of(&self.structures, text(1), text(2), kind) {
            rules::structure::check(&mut cx, structure, &self.names, &self.plan);
        }
        for check in &self.plan.messages {
            check(&mut cx);
        }
    }
}

/// What can be said of a file that is no message.
const OF_ANY_FILE: &[Code] = &[
    &hl7::HL7101,
    &hl7::HL7102,
    &hl7::HL7110,
    &enc::ENC117,
    &enc::ENC119,
];

/// Checks the fields of the segment that is looked at.
fn walk(cx: &mut Cx<'_, '_>, plan: &SegmentPlan, all: &Plan) {
    let Some(segment) = cx.segment else {
        return;
    };
    for check in &plan.checks {
        check(cx, segment);
    }
    let mut fields = plan.fields.iter();
    for (number, field) in segment.fields() {
        let Some(plan) = fields.next() else {
            if !plan.fields.is_empty() {
                rules::fields::extra(cx, segment, number);
            }
            return;
        };
        rules::characters::ends_and_escapes(cx, field);
        // What follows is of another segment: nothing can be said of it as fields of this one.
        if rules::fields::glued(cx, segment, field, number, all) {
            return;
        }
        let (start, end) = field.span();
        if start == end || field.is_empty() {
            rules::fields::empty(cx, segment, number, plan);
            continue;
        }
        rules::fields::check(cx, segment, field, number, plan);
        for check in &plan.checks {
            check(cx, field);
        }
    }
    for plan in fields {
        rules::fields::empty(cx, segment, usize::from(plan.info.n), plan);
    }
}

/// Reads what a path says.
fn named(path: &str) -> Named<'_> {
    let parts: Vec<&str> = components(path).collect();
    if let Place::Item(item) = locate(&parts) {
        return Named {
            name: item.name().ok(),
            patient: item.patient,
            kind: Some(Kind::of(item.name().map_or(item.kind, |n| n.kind))),
        };
    }
    let name = parts.last().and_then(|leaf| FileName::parse(leaf).ok());
    Named {
        name,
        patient: name.map_or("", |n| n.patient),
        kind: name.map(|n| n.data_kind()),
    }
}

/// The content folder that a file of the extended storage lies in, and whether it is its main document.
fn content_folder(path: &str) -> Option<(Vec<&str>, bool)> {
    let mut parts: Vec<&str> = components(path).collect();
    match locate(&parts) {
        Place::Item(item) if item.is_in_content_folder() && item.is_extended() => {
            let is_main = matches!(*item.inside, [leaf] if rules::documents::is_main(leaf));
            parts.truncate(parts.len().saturating_sub(item.inside.len()));
            Some((parts, is_main))
        }
        _ => None,
    }
}

/// Whether a file is to be read as a message: all but other documents of the extended storage.
fn is_message(place: &Named<'_>, file: File<'_>) -> bool {
    let leaf = components(file.path).last().unwrap_or_default();
    let extended = matches!(place.kind, Some(Kind::Extended(_) | Kind::Unknown(_)));
    !extended || leaf.to_ascii_lowercase().ends_with(".hl7") || file.bytes.starts_with(b"MSH|")
}

/// Leaves out what is not asked for and puts the rest in order of file, span, code.
fn finish(out: &mut Vec<Diagnostic>, first: usize, options: Options) {
    let mut own = out.split_off(first);
    own.retain(|d| options.has(d.code));
    own.sort_by_key(|d| (d.span.source, d.span.start, d.span.end, d.code.code));
    out.append(&mut own);
}
