//! From files to an [`Output`].

use std::cell::OnceCell;

use bumpalo::Bump;
use warifu_diag::catalogue::hl7::HL7198;
use warifu_diag::catalogue::{map_admin, map_general, ssm};
use warifu_diag::{Code, Diagnostic, SourceId, Span};
use warifu_fhir::{Buffers, Id, IdKey};
use warifu_hl7::{Index, MAX_SEGMENTS, Message, Note, NoteKind, findings};
use warifu_order::{Map, Set};
use warifu_ssmix2::{DataKind, Kind, Person, person_of};
use warifu_ssmix2::{FileName, Flag};
use warifu_ssmix2::{Place, components, locate};
use warifu_ssmix2::{SelectionNoteKind, State, select};

use crate::cx::{Cx, Item, Known, PatientContext, Shared, Sourced as _, span};
use crate::kinds;
use crate::memo::Memo;
use crate::options::{IdMode, Options};
use crate::output::{Delete, Output};
use crate::trace;
use crate::withdrawals;

/// Most files one [`Converter::convert_patient`] takes; callers split larger patients by year.
pub const MAX_MESSAGES: usize = 65_535;

/// Begin of the key of a person without a number.
const NAMED: &str = "\u{1e}";

/// Indexes that are kept with room to spare; of more each gives back what it does not need.
const FEW: usize = 64;

/// Content of a file that is there and cannot be read: its name counts where the version in force is chosen,
/// and nothing is made of an older one in its place. No message and no document is this.
pub const UNREAD: &[u8] = b"\0unread\0";

/// One file of the input.
#[derive(Debug, Clone, Copy)]
pub struct File<'f> {
    /// Path relative to the storage root (or a bare name), `/` between folders.
    pub path: &'f str,
    /// Content as received, or [`UNREAD`].
    pub bytes: &'f [u8],
}

/// The part of a converter that rows may ask.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) options: Options,
    pub(crate) id_key: IdKey,
    /// Why fields leave no leaf, read with the first message that is traced.
    pub(crate) reasons: OnceCell<trace::Reasons>,
    /// Ids of what messages share.
    pub(crate) ids: Memo<Id>,
    /// Resources that messages share, without trace.
    pub(crate) shared: Memo<Shared>,
    /// Members that fields with the same bytes give, without trace.
    pub(crate) members: Memo<Shared>,
    /// Persons named by the same bytes.
    pub(crate) people: Memo<Known>,
    /// Logical id of the institution.
    pub(crate) institution: Id,
    issuer: String,
}

impl Core {
    /// Issuer of ids: the institution number, or a fixed word when it is unknown.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }
    pub(crate) fn patient_id(&self, patient: &str) -> Id {
        match self.options.ids {
            IdMode::Keyed => self.keyed_id(&["Patient", patient]),
            IdMode::Readable => Id::readable(&format!("{patient}.ADT-00")),
        }
    }
    /// Keyed id of something that many messages name: two digests are saved when it is known.
    pub(crate) fn keyed_id(&self, parts: &[&str]) -> Id {
        let mut key: [&[u8]; 8] = [&[]; 8];
        for (slot, part) in key.iter_mut().zip(parts) {
            *slot = part.as_bytes();
        }
        let Some(key) = key.get(..parts.len()) else {
            return self.id_key.id(self.issuer(), parts);
        };
        self.ids.get(key, |id| *id).unwrap_or_else(|| {
            let id = self.id_key.id(self.issuer(), parts);
            self.ids.put(key, id);
            id
        })
    }
}

/// Converts messages; holds options and reusable memory.
#[derive(Debug)]
pub struct Converter {
    core: Core,
    pool: Vec<Box<Buffers>>,
    index: Index,
    arena: Bump,
    notes: warifu_source::Notes,
}

impl Converter {
    /// A converter with its options.
    pub fn new(options: Options) -> Self {
        let id_key = IdKey::new(
            options
                .id_key
                .as_deref()
                .unwrap_or(warifu_fhir::ids::PUBLIC_KEY),
        );
        let issuer = options
            .institution
            .clone()
            .unwrap_or_else(|| "unknown".to_owned());
        let institution = match options.ids {
            IdMode::Keyed => id_key.id(&issuer, &["Organization", "institution"]),
            IdMode::Readable => Id::readable("organization.institution"),
        };
        Self {
            core: Core {
                institution,
                reasons: OnceCell::new(),
                ids: Memo::default(),
                shared: Memo::default(),
                members: Memo::default(),
                people: Memo::default(),
                options,
                id_key,
                issuer,
            },
            pool: Vec::new(),
            index: Index::new(),
            arena: Bump::new(),
            notes: warifu_source::Notes::default(),
        }
    }
    /// The options.
    pub fn options(&self) -> &Options {
        &self.core.options
    }
    /// Findings about the options themselves (public key, unknown institution): once a run.
    pub fn option_findings(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        if self.core.options.ids == IdMode::Keyed && self.core.options.id_key.is_none() {
            found.push(Diagnostic::new(&map_general::MAP001, Span::default()));
        }
        if self.core.options.institution.is_none() {
            found.push(Diagnostic::new(&map_general::MAP002, Span::default()));
        }
        found
    }

    /// Converts one file by itself: a message, a stream of messages or a document, as it would be in force.
    /// A file that its name calls withdrawn or replaced is for [`Converter::convert_patient`].
    ///
    /// `number` is handed on as the source of every span. Never fails: what cannot be read becomes a
    /// diagnostic in `out`.
    pub fn convert(&mut self, file: File<'_>, number: u16, out: &mut Output) {
        self.arena.reset();
        let name = place_of(file.path);
        let item = name.item();
        if kinds::document::is_document_at(name.in_content_folder, file.bytes) {
            let Self {
                core, pool, arena, ..
            } = self;
            kinds::document::convert_one(core, pool, arena, out, file, number, item);
            out.finish();
            return;
        }
        if findings::is_stream(file.bytes) {
            self.together(&[file], number, true, out);
        } else {
            self.message(file.bytes, number, item, out);
            out.finish();
        }
    }

    /// Converts files one by one, without the others of their patients, or weighed where the name of one calls it
    /// withdrawn or replaced: it is so all the same. The index of a file is the source of its spans.
    pub fn convert_alone(&mut self, files: &[File<'_>], out: &mut Output) {
        if files.iter().all(|f| place_of(f.path).item().flag == b'1') {
            for (file, number) in files.iter().zip(0..=u16::MAX) {
                self.convert(*file, number, out);
            }
        } else {
            self.convert_patient(files, out);
        }
    }

    /// Converts the only message of a file.
    fn message(&mut self, bytes: &[u8], number: u16, item: Item<'_>, out: &mut Output) {
        let Self {
            core,
            pool,
            index,
            arena,
            notes,
        } = self;
        let first = out.diagnostics.len();
        let part = (bytes, 0, number);
        read(core, index, notes, arena, part, &mut out.diagnostics);
        out.report_from(first);
        if index.has_message() {
            let message = Message::new(bytes, index, arena, number);
            let item = complete(item, message);
            note_patient(&item, message, out);
            let mut context = PatientContext {
                patient: key_of(core, item, message),
                ..PatientContext::default()
            };
            person(core, pool, out, &mut context, &[(item, message)], first);
        }
    }

    /// Converts all files of one patient: winners only, in the order that makes references resolve;
    /// what is withdrawn becomes [`Output::deletes`].
    ///
    /// The index of a file in `files` is the source of its spans. Files beyond [`MAX_MESSAGES`] are
    /// counted (`MAP014`), and their bytes are not looked at.
    pub fn convert_patient(&mut self, files: &[File<'_>], out: &mut Output) {
        self.together(files, 0, false, out);
    }

    /// [`Converter::convert_patient`], the first of the files having the number `first`; with `alone` the
    /// names do not say which are in force.
    fn together(&mut self, files: &[File<'_>], first: u16, alone: bool, out: &mut Output) {
        let (files, beyond) = files.split_at(files.len().min(MAX_MESSAGES));
        if !beyond.is_empty() {
            let first = Span {
                source: SourceId(u32::try_from(MAX_MESSAGES).unwrap_or(u32::MAX)),
                ..Span::default()
            };
            out.diagnostics
                .push(Diagnostic::new(&map_general::MAP014, first).with(beyond.len().to_string()));
        }
        let arena = Bump::new();
        let number_of = |i: usize| first.saturating_add(u16::try_from(i).unwrap_or(u16::MAX));
        let mut items: Vec<Item<'_>> = Vec::with_capacity(files.len());
        let mut names: Vec<FileName<'_>> = Vec::new();
        let (mut named, mut loose, mut documents) = (Vec::new(), Vec::new(), Vec::new());
        // Named files that lie in no folders of a storage.
        let mut strays: Set<usize> = Set::new();
        for (i, file) in files.iter().enumerate() {
            let place = place_of(file.path);
            let mut item = place.item();
            for note in place.notes.iter().filter(|_| !alone) {
                let found = Diagnostic::new(note.0, whole(number_of(i)));
                out.diagnostics.push(found.with(note.1));
            }
            if kinds::document::is_document_at(place.in_content_folder, file.bytes) {
                documents.push(i);
            } else if alone {
                loose.push(i);
            } else if let Some(name) = place.name {
                names.push(name);
                named.push(i);
                if place.kind.is_empty() {
                    strays.insert(i);
                }
            } else {
                item = Item {
                    flag: b'1',
                    ..Item::default()
                };
                loose.push(i);
            }
            items.push(item);
        }
        let selection = select(&names);
        let is_old = |s: State| matches!(s, State::Superseded | State::Cancelled | State::Moved);
        for o in selection.outcomes.iter().filter(|o| is_old(o.state)) {
            let winner = o.winner.and_then(|k| named.get(k));
            if let Some(item) = winner.and_then(|i| items.get_mut(*i)) {
                item.replaces = true;
            }
        }
        let bytes_of = |k: usize| Some(files.get(*named.get(k)?)?.bytes);
        for note in &selection.notes {
            let Some(i) = named.get(note.file) else {
                continue;
            };
            let is_current = || items.get(*i).is_some_and(|item| item.flag == b'1');
            let code: Code = match note.kind {
                SelectionNoteKind::SeveralCurrent => &ssm::SSM104,
                // The same file of two volumes is one; of two contents one is passed over.
                SelectionNoteKind::SameName
                    if is_current() && bytes_of(note.file) != note.other.and_then(bytes_of) =>
                {
                    &ssm::SSM104
                }
                SelectionNoteKind::OnlyReplaced => &ssm::SSM105,
                _ => continue,
            };
            let found = Diagnostic::new(code, whole(number_of(*i)));
            out.diagnostics.push(found);
        }
        // The winners in processing order; loose messages of the same patient follow.
        let winners = selection.used().filter_map(|k| named.get(k).copied());
        let (mut sorted, mut apart): (Vec<usize>, Vec<usize>) =
            winners.partition(|i| loose.is_empty() || !strays.contains(i));
        let weighed = sorted.len();
        // Beside messages without a name that of a stray says nothing of which is newer.
        for i in &apart {
            if let Some(item) = items.get_mut(*i) {
                *item = Item {
                    patient: item.patient,
                    flag: item.flag,
                    ..Item::default()
                };
            }
        }
        sorted.append(&mut apart);
        sorted.append(&mut loose);
        let file_of = |i: usize| Some((number_of(i), files.get(i)?, *items.get(i)?));
        let Self {
            core, pool, notes, ..
        } = self;
        let core: &Core = core;
        let mut reads: Vec<Read<'_>> = Vec::with_capacity(sorted.len());
        // Files in force of which nothing can be read, or not all that was sent.
        let mut unread: Set<usize> = Set::new();
        let mut streams = false;
        for (n, i) in sorted.into_iter().enumerate() {
            let Some((number, file, item)) = file_of(i) else {
                continue;
            };
            if file.bytes == UNREAD {
                out.diagnostics
                    .push(Diagnostic::new(&ssm::SSM185, whole(number)));
                unread.insert(i);
                continue;
            }
            let mut segments = 0;
            let parts = findings::messages_of(file.bytes, source_of(number), &mut out.diagnostics);
            streams |= parts.len() > 1;
            for (start, end) in parts {
                let bytes = file.bytes.get(..end).unwrap_or_default();
                if segments >= MAX_SEGMENTS {
                    let byte = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
                    let span = Span {
                        start: byte(start),
                        end: byte(file.bytes.len()),
                        ..whole(number)
                    };
                    out.diagnostics.push(Diagnostic::new(&HL7198, span));
                    // What is not read may be newer than what withdraws.
                    unread.insert(i);
                    let own = reads.iter_mut().filter(|r| r.number == number);
                    own.for_each(|r| r.is_cut = true);
                    break;
                }
                let mut index = Index::new();
                let first = out.diagnostics.len();
                let part = (bytes, start, number);
                let is_cut = read(core, &mut index, notes, &arena, part, &mut out.diagnostics);
                segments += index.weight();
                out.report_from(first);
                if is_cut || !index.has_message() {
                    unread.insert(i);
                }
                if !index.has_message() {
                    continue;
                }
                if reads.len() > FEW {
                    index.fit();
                }
                let message = Message::new(bytes, &index, &arena, number);
                let sent = crate::datatypes::sent_at(message);
                let is_adt = message.value(b"MSH", 9).text.starts_with("ADT");
                reads.push(Read {
                    number,
                    item,
                    bytes,
                    is_loose: n >= weighed,
                    is_cut,
                    weight: (is_adt, sent, reads.len()),
                    index,
                });
            }
        }
        // Of messages that no storage weighs the first of an id wins: what ADT say of a person goes before
        // what the `PID` of an order does, then the newest `MSH-7`, of one moment the last.
        let from = reads.partition_point(|r| !r.is_loose);
        let others = reads.get_mut(from..).unwrap_or_default();
        warifu_order::sort_by(others, |a, b| b.weight.cmp(&a.weight));
        // Split by person: a file whose PID-3 differs from the folder is another person.
        let mut people: Vec<(String, Vec<&Read<'_>>)> = Vec::new();
        let mut known: Map<String, usize> = Map::new();
        for read in &reads {
            let (item, message) = read.message(&arena, read.number);
            let key = key_of(core, item, message);
            note_patient(&item, message, out);
            if let Some((_, v)) = known.get(&key).and_then(|n| people.get_mut(*n)) {
                // Without a number they are told to be of one person, once.
                let pid = message
                    .first(b"PID")
                    .filter(|_| v.len() == 1 && key.starts_with(NAMED));
                if let Some(pid) = pid {
                    let at = pid.field(5);
                    let mut d = Diagnostic::new(&map_general::MAP026, span(at.src()));
                    d.path = message.locate(d.span.start);
                    out.diagnostics.push(d);
                }
                v.push(read);
            } else {
                known.insert(key.clone(), people.len());
                people.push((key, vec![read]));
            }
        }
        // What older or withdrawn versions made and the living do not is withdrawn, but nothing that the
        // receiver has where the version in force cannot be read.
        let mut losers: Vec<usize> = Vec::new();
        // ADT-00 withdrawn (flag 0 only), and no other in force.
        let mut withdrawn = None;
        for (o, i) in selection.outcomes.iter().zip(&named) {
            let Some((number, _, item)) = file_of(*i) else {
                continue;
            };
            let cancelled = o.state == State::Cancelled;
            let winner = o.winner.and_then(|k| named.get(k));
            if !is_old(o.state) {
            } else if winner.is_some_and(|i| unread.contains(i)) {
                let found = Diagnostic::new(&map_general::MAP021, whole(number));
                let kind = item.kind_text.to_owned();
                out.diagnostics.push(found.with(kind));
            } else {
                losers.push(*i);
                if cancelled && item.kind == Some(DataKind::Adt00) {
                    withdrawn = withdrawn.or(Some((number, item.patient)));
                }
            }
        }
        let mut contexts: Vec<PatientContext> = Vec::with_capacity(people.len());
        let mut dead = Output::new();
        for (patient, members) in &people {
            let (members, beyond) = members.split_at(members.len().min(MAX_MESSAGES));
            if let Some(first) = beyond.first() {
                let d = Diagnostic::new(&map_general::MAP014, whole(first.number));
                out.diagnostics.push(d.with(beyond.len().to_string()));
            }
            let mut context = PatientContext {
                patient: patient.clone(),
                ..PatientContext::default()
            };
            // Of several messages of a file each is one by itself: until all is made it has a number of its
            // own, by its place in the input.
            let mut places: Vec<(usize, u16)> =
                members.iter().map(|r| (r.weight.2, r.number)).collect();
            warifu_order::sort(&mut places);
            let mut snapshots: Map<&str, Message<'_>> = Map::new();
            let numbered = members.iter().map(|read| {
                let place = places.partition_point(|other| other.0 < read.weight.2);
                let number = if streams {
                    u16::try_from(place).unwrap_or(u16::MAX)
                } else {
                    read.number
                };
                ((read.is_loose, read.is_cut), read.message(&arena, number))
            });
            let numbered: Vec<_> = numbered.collect();
            let mut fates = withdrawals::weigh(&numbered).into_iter();
            let (mut own, mut late, mut told) = (Vec::new(), Vec::new(), Vec::new());
            for ((is_loose, is_cut), (item, message)) in numbered {
                let mut fate = fates.next().unwrap_or_default();
                if let Some(kind) = item.kind.filter(|k| is_loose && k.is_snapshot()) {
                    if let Some(newest) = snapshots.get(kind.code()) {
                        fate.replace(kind, message, *newest);
                    } else if !is_cut {
                        snapshots.insert(kind.code(), message);
                    }
                }
                if fate.is_late {
                    late.push((item, message));
                } else {
                    own.push((item, message));
                }
                if fate.is_told() {
                    told.push((message, fate));
                }
            }
            let has_adt00 = own.iter().any(|m| m.0.kind == Some(DataKind::Adt00));
            if let Some((number, _)) =
                withdrawn.filter(|(_, p)| !has_adt00 && warifu_ssmix2::same_patient(p, patient))
            {
                context.withdrawn = true;
                out.diagnostics
                    .push(Diagnostic::new(&map_admin::MAP104, whole(number)));
            }
            let files = places.into_iter().map(|p| p.1);
            let apart = streams.then(|| out.number_apart(files.collect()));
            let first = out.diagnostics.len();
            let from = out.resources.len();
            person(core, pool, out, &mut context, &own, first);
            withdrawals::tell(&told, from, out);
            for message in late {
                if let Some(msh) = message.1.first(b"MSH") {
                    let mut d = Diagnostic::new(&map_general::MAP022, span(msh.src()));
                    d.path = message.1.locate(d.span.start);
                    out.report(d);
                }
                let both = (&mut *out, &mut dead);
                bury(core, pool, both, (&mut context, false), message);
                if core.options.trace {
                    trace::note_passed(message.1, out);
                }
            }
            if let Some(apart) = apart {
                out.number_by_file(apart);
            }
            contexts.push(context);
        }
        // Documents: one content folder = one item.
        let unknown = PatientContext::default();
        let context = contexts.first().unwrap_or(&unknown);
        let docs = documents.iter().filter_map(|i| file_of(*i));
        let docs: Vec<(u16, File<'_>, Item<'_>)> = docs.map(|d| (d.0, *d.1, d.2)).collect();
        if !docs.is_empty() {
            kinds::document::convert_folders(core, pool, &arena, out, context, &docs);
        }
        for i in losers {
            let Some((number, file, item)) = file_of(i) else {
                continue;
            };
            let bytes = file.bytes;
            for (start, end) in findings::messages_of(bytes, source_of(number), &mut Vec::new()) {
                let bytes = bytes.get(..end).unwrap_or_default();
                let mut index = Index::new();
                index.build_part(bytes, start, core.options.charset);
                leave_out(&mut index, bytes, &arena, number, &mut Vec::new());
                if !index.has_message() {
                    continue;
                }
                let message = Message::new(bytes, &index, &arena, number);
                let item = complete(item, message);
                let key = key_of(core, item, message);
                let living = known.get(&key).and_then(|n| contexts.get_mut(*n));
                let forgotten = living.is_none();
                let mut unknown = PatientContext {
                    patient: key,
                    ..PatientContext::default()
                };
                let context = living.unwrap_or(&mut unknown);
                let both = (&mut *out, &mut dead);
                bury(core, pool, both, (context, forgotten), (item, message));
            }
        }
        if core.options.trace {
            let outcomes = selection.outcomes.iter().zip(&named);
            let passed = outcomes.filter(|(o, _)| !o.state.is_used());
            let mut passed =
                passed.filter_map(|(_, i)| Some((number_of(*i), files.get(*i)?.bytes)));
            trace::note_passed_files(&mut passed, core, out);
        }
        let mut deletes = core::mem::take(&mut out.deletes);
        deletes.retain(|d| !out.contains(d.resource_type, d.id));
        out.deletes = deletes;
        warifu_order::sort_by_key(&mut out.deletes, |d| (d.resource_type, d.id, d.message));
        out.deletes.dedup_by_key(|d| (d.resource_type, d.id));
        out.finish();
    }
}

/// Reads the message that begins at `start` and ends with `bytes`; whether it is cut.
fn read(
    core: &Core,
    index: &mut Index,
    notes: &mut warifu_source::Notes,
    arena: &Bump,
    (bytes, start, number): (&[u8], usize, u16),
    found: &mut Vec<Diagnostic>,
) -> bool {
    index.build_part(bytes, start, core.options.charset);
    findings::reading(bytes, start, index, notes, source_of(number), found);
    leave_out(index, bytes, arena, number, found)
}

/// Converts the messages of a person that are in force; `first_diagnostic` is the first finding of them.
fn person<'a>(
    core: &Core,
    pool: &mut Vec<Box<Buffers>>,
    out: &mut Output,
    context: &mut PatientContext,
    own: &[(Item<'a>, Message<'a>)],
    first_diagnostic: usize,
) {
    let is_basic = |m: &(Item<'_>, Message<'_>)| m.0.kind == Some(DataKind::Adt00);
    context.has_adt00 = own.iter().any(is_basic);
    context.referred = !own.iter().all(is_basic);
    let mark = trace::Mark::of(out);
    for (item, message) in own {
        out.set_source(message.number(), kinds::provenance::source(core, item));
    }
    let patient_id = core.patient_id(&context.patient);
    out.turn_to(patient_id);
    let from = (out.resources.len(), out.deletes.len());
    kinds::survey(core, pool, out, (context, patient_id), own);
    let is_adt = |m: &&(Item<'a>, Message<'a>)| is_dated_adt(m.0.kind);
    let adt: Vec<(Item<'a>, Message<'a>)> = own.iter().filter(is_adt).copied().collect();
    if !adt.is_empty() {
        kinds::encounter::convert(core, pool, out, context, &adt);
    }
    for (item, message) in own {
        let (made, told) = (out.resources.len(), out.diagnostics.len());
        let mut cx = Cx::new(core, out, context, (*item, *message), patient_id, pool);
        kinds::convert(&mut cx);
        // Of an order that a newer message says in part.
        let is_again = |d: &Diagnostic| d.code.code == "MAP016";
        if cx.out.diagnostics.iter().skip(told).any(is_again) {
            let own = cx.out.resources.iter().skip(made);
            let stay = own
                .filter(|r| !crate::output::is_shared(r.resource_type))
                .count();
            if let Some(msh) = message.first(b"MSH").filter(|_| stay > 0) {
                cx.report_with(&map_general::MAP021, &msh, stay.to_string());
            }
        }
    }
    kinds::provenance::emit(core, pool, out, context, own, from);
    trace::finish_messages(own, core, out, mark, first_diagnostic);
}

/// Withdraws what a message made that is not in force any more and what the living do not make; `forgotten`
/// where nothing living is left of its person.
fn bury<'a>(
    core: &Core,
    pool: &mut Vec<Box<Buffers>>,
    (out, dead): (&mut Output, &mut Output),
    (context, forgotten): (&mut PatientContext, bool),
    (item, message): (Item<'a>, Message<'a>),
) {
    dead.clear();
    dead.base = out.base;
    let number = message.number();
    let patient_id = core.patient_id(&context.patient);
    let stays = context.stays.clone();
    if is_dated_adt(item.kind) {
        kinds::encounter::convert(core, pool, dead, context, &[(item, message)]);
    }
    let mut cx = Cx::new(core, dead, context, (item, message), patient_id, pool);
    kinds::convert(&mut cx);
    // What it told of the stays is withdrawn with it.
    context.stays = stays;
    let before = out.deletes.len();
    out.turn_to(patient_id);
    let person = out.person();
    // A withdrawn patient (ADT^A23) of whom nothing living is left; else what the dead one withdrew itself.
    for d in &dead.deletes {
        if forgotten || d.resource_type == "AllergyIntolerance" {
            out.deletes.push(Delete {
                message: number,
                person,
                ..*d
            });
        }
    }
    for r in &dead.resources {
        let shared = r.resource_type == "Patient" || crate::output::is_shared(r.resource_type);
        if !shared && !out.contains(r.resource_type, r.id) {
            out.deletes.push(Delete {
                resource_type: r.resource_type,
                id: r.id,
                message: number,
                person,
            });
        }
    }
    // A Bundle that only withdraws is named after its patient and has a time as well.
    if out.deletes.len() > before {
        out.patient = out.patient.or(dead.patient);
        out.message_times.append(&mut dead.message_times);
        if core.options.trace {
            trace::name_time(message, out);
        }
    }
}

/// The last field that SS-MIX2 requires of each segment. A file without a terminator whose last segment ends
/// before it was cut off (of 250 real files 37 have none, and all of those end behind it).
static REQUIRED: &[([u8; 3], u8)] = &[
    (*b"MSH", 12),
    (*b"EVN", 2),
    (*b"PID", 8),
    (*b"NK1", 1),
    (*b"PV1", 2),
    (*b"DB1", 4),
    (*b"OBX", 11),
    (*b"AL1", 3),
    (*b"IN1", 2),
    (*b"IAM", 6),
    (*b"PRB", 4),
    (*b"ZPR", 2),
    (*b"ORC", 2),
    (*b"ODS", 3),
    (*b"RXE", 5),
    (*b"RXR", 1),
    (*b"RXA", 6),
    (*b"RXC", 4),
    (*b"CTI", 1),
    (*b"SPM", 4),
    (*b"OBR", 4),
    (*b"IPC", 5),
    (*b"ZE1", 3),
];

/// Whether bytes without a terminator end in the middle of Japanese text, or of the name of a segment.
fn ends_within_text(bytes: &[u8]) -> bool {
    let open = memchr::memrchr(0x1B, bytes).and_then(|at| bytes.get(at..));
    let line = memchr::memrchr2(b'\r', b'\n', bytes).map_or(bytes.len(), |at| bytes.len() - at);
    open.is_some_and(|rest| rest.starts_with(b"\x1b$")) || line < 4
}

/// Leaves out what is none of the message's person, and what of a message that was cut off (`MAP025`) may be
/// half a value: a segment that is half there is kept as it stands, and nothing is read from it. Whether it
/// was cut.
fn leave_out(
    index: &mut Index,
    bytes: &[u8],
    arena: &Bump,
    number: u16,
    found: &mut Vec<Diagnostic>,
) -> bool {
    let is_open = |n: &Note| n.kind == NoteKind::LastTerminatorMissing;
    let own = without_foreign_end(bytes);
    let is_cut = index.has_message()
        && (own.len() < bytes.len() || index.notes().iter().any(is_open))
        && leave_out_half(index, own, arena, number, found).is_some();
    let is_cut = is_cut
        || index
            .notes()
            .iter()
            .any(|n| n.kind == NoteKind::TooManySegments);
    keep_one_person(index, bytes, arena, number, found);
    is_cut
}

/// The message without a line feed behind lines that a CR alone ends: who put files together wrote it.
fn without_foreign_end(bytes: &[u8]) -> &[u8] {
    let own = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let last = memchr::memrchr2(b'\r', b'\n', own);
    let is_foreign = last.is_some_and(|at| own.get(at) == Some(&b'\r') && at + 1 < own.len());
    if is_foreign { own } else { bytes }
}

fn leave_out_half(
    index: &mut Index,
    bytes: &[u8],
    arena: &Bump,
    number: u16,
    found: &mut Vec<Diagnostic>,
) -> Option<()> {
    let message = Message::new(bytes, index, arena, number);
    let last = message.segments().last()?;
    let name = last.name();
    let is_short = |(of, n): &&([u8; 3], u8)| {
        let n = usize::from(*n);
        *of == name && last.field_count() <= n && !last.field(n).is_some()
    };
    let is_half = REQUIRED.iter().any(|row| is_short(&row));
    if !is_half && !ends_within_text(bytes) {
        return None;
    }
    let mut d = Diagnostic::new(&map_general::MAP025, span(last.src()));
    d.path = message.locate(d.span.start);
    found.push(d.with(last.name_str().to_owned()));
    let position = usize::try_from(last.position()).unwrap_or(usize::MAX);
    if is_half && matches!(&name, b"MSH" | b"EVN" | b"PID") {
        // Nobody knows whose it is.
        let is_first = message
            .first(&name)
            .is_some_and(|s| s.position() == last.position());
        index.truncate(if is_first { 0 } else { position });
    } else if is_half {
        index.set_aside(position);
    }
    Some(())
}

/// A message of a batch.
struct Read<'a> {
    /// Number of its file.
    number: u16,
    /// What the storage says of its file.
    item: Item<'a>,
    /// The file up to its end.
    bytes: &'a [u8],
    /// Whether no storage weighs it.
    is_loose: bool,
    /// Whether it ends before its end: what it does not say may have been in what is missing.
    is_cut: bool,
    /// Whether it is one of ADT, when it was sent, its place in the input.
    weight: (bool, u64, usize),
    index: Index,
}

impl Read<'_> {
    /// The message, under a number.
    fn message<'m>(&'m self, arena: &'m Bump, number: u16) -> (Item<'m>, Message<'m>) {
        let message = Message::new(self.bytes, &self.index, arena, number);
        (complete(self.item, message), message)
    }
}

/// A file as a whole.
fn whole(number: u16) -> Span {
    Span {
        source: source_of(number),
        ..Span::default()
    }
}

fn source_of(number: u16) -> SourceId {
    SourceId(u32::from(number))
}

const fn is_dated_adt(kind: Option<DataKind>) -> bool {
    matches!(
        kind,
        Some(
            DataKind::Adt01
                | DataKind::Adt12
                | DataKind::Adt21
                | DataKind::Adt22
                | DataKind::Adt31
                | DataKind::Adt32
                | DataKind::Adt41
                | DataKind::Adt42
                | DataKind::Adt51
                | DataKind::Adt52
        )
    )
}

/// Key of the person a message is about. Where folder and PID-3 disagree neither is trusted: the pair
/// is a person of its own, so that two persons are never merged.
pub(crate) fn patient_key(folder: &str, pid3: &str) -> String {
    let pid3 = pid3.trim();
    if folder.is_empty() || pid3.is_empty() || warifu_ssmix2::same_patient(folder, pid3) {
        return if folder.is_empty() {
            pid3.to_owned()
        } else {
            folder.to_owned()
        };
    }
    [pid3, "\u{1e}", folder].concat()
}

/// [`patient_key`] of a message. One without a number is of a person of its own: whoever has the same name,
/// birth date and sex, and without a name or birth date the message's.
fn key_of(core: &Core, item: Item<'_>, message: Message<'_>) -> String {
    let text = |segment, field| message.value(segment, field).text;
    if !item.patient.is_empty() {
        return patient_key(item.patient, text(b"PID", 3));
    }
    let parts = match message.first(b"PID").and_then(person_of) {
        Some(Person::Numbered(number)) => return patient_key("", number),
        Some(Person::Described([name, birth, sex])) => ["person", name, birth, sex],
        None => [
            "message",
            text(b"MSH", 10),
            text(b"MSH", 7),
            text(b"MSH", 3),
        ],
    };
    let id = core.id_key.id(core.issuer(), &parts);
    [NAMED, id.as_str()].concat()
}

/// Leaves out what stands behind the PID of another person than the first (`MAP019`): it is none of the
/// first one's.
fn keep_one_person(
    index: &mut Index,
    bytes: &[u8],
    arena: &Bump,
    number: u16,
    found: &mut Vec<Diagnostic>,
) {
    if !index.has_several(*b"PID") {
        return;
    }
    let message = Message::new(bytes, index, arena, number);
    let Some(first) = message.first(b"PID") else {
        return;
    };
    // Without a number they are one only where both name the same.
    let person = person_of(first);
    let other = message.segments().find(|s| {
        s.name() == *b"PID"
            && s.position() != first.position()
            && match (person, person_of(*s)) {
                (Some(Person::Numbered(a)), _) => {
                    !warifu_ssmix2::same_patient(a, s.field(3).value().text)
                }
                (one, other) => one.is_none() || one != other,
            }
    });
    let Some(other) = other else { return };
    let position = usize::try_from(other.position()).unwrap_or(usize::MAX);
    let behind = message.segments().skip(position);
    let count = behind.len();
    let span = Span {
        source: source_of(number),
        start: other.span().0,
        end: behind.last().map_or(0, |s| s.span().1),
    };
    let mut d = Diagnostic::new(&map_general::MAP019, span).with(count.to_string());
    d.path = message.locate(span.start);
    found.push(d);
    index.truncate(position);
}

fn note_patient(item: &Item<'_>, message: Message<'_>, out: &mut Output) {
    let pid3 = message.value(b"PID", 3);
    let span = Span {
        source: SourceId(u32::from(message.number())),
        start: pid3.start,
        end: pid3.end,
    };
    let is_none = item.patient.is_empty() && !warifu_ssmix2::is_patient_number(pid3.text);
    if is_none || pid3.text.trim().is_empty() {
        out.diagnostics
            .push(Diagnostic::new(&map_general::MAP009, span).with("PID-3"));
    } else if !item.patient.is_empty() && !warifu_ssmix2::same_patient(item.patient, pid3.text) {
        let mut d = Diagnostic::new(&ssm::SSM103, span);
        d.path = message.locate(span.start);
        out.diagnostics.push(d);
    }
}

/// Fills what a loose file lacks: the data kind, guessed from MSH-9 and the segments.
fn complete<'a>(item: Item<'a>, message: Message<'a>) -> Item<'a> {
    if item.kind.is_some() || !item.kind_text.is_empty() {
        return item;
    }
    Item {
        kind: warifu_ssmix2::guess(message),
        ..item
    }
}

struct Name<'p> {
    name: Option<FileName<'p>>,
    patient: &'p str,
    kind: &'p str,
    /// Whether it lies in a content folder of the extended storage.
    in_content_folder: bool,
    notes: Vec<(Code, &'static str)>,
}

impl<'p> Name<'p> {
    fn item(&self) -> Item<'p> {
        let Some(n) = self.name else {
            return Item {
                patient: self.patient,
                kind_text: self.kind,
                flag: b'1',
                ..Item::default()
            };
        };
        Item {
            patient: if self.patient.is_empty() {
                n.patient
            } else {
                self.patient
            },
            date: n.date,
            kind: Kind::of(n.kind).standard(),
            kind_text: n.kind,
            order: n.order,
            timestamp: n.timestamp.0,
            department: n.department_code().unwrap_or(""),
            flag: match n.flag {
                Flag::Current => b'1',
                Flag::Replaced => b'2',
                Flag::Deleted => b'0',
            },
            replaces: false,
        }
    }
}

fn place_of(file: &str) -> Name<'_> {
    let mut parts: Vec<&str> = Vec::with_capacity(16);
    parts.extend(components(file));
    let leaf = parts.last().copied().unwrap_or("");
    match locate(&parts) {
        Place::Item(l) => {
            let mut notes = Vec::new();
            let name = if let Ok(n) = l.name() {
                for note in l.notes() {
                    notes.push(classify(note));
                }
                Some(n)
            } else {
                let code: Code = &ssm::SSM101;
                notes.push((code, "—"));
                None
            };
            Name {
                name,
                patient: l.patient,
                kind: l.kind,
                in_content_folder: l.is_in_content_folder(),
                notes,
            }
        }
        _ => Name {
            name: FileName::parse(leaf).ok(),
            patient: "",
            kind: "",
            in_content_folder: false,
            notes: Vec::new(),
        },
    }
}

fn classify(note: warifu_ssmix2::NameNote) -> (Code, &'static str) {
    let slug = note.slug();
    let code: Code = if ["disagree", "mismatch", "differs"]
        .iter()
        .any(|w| warifu_hl7::has(slug, w))
    {
        &ssm::SSM102
    } else {
        &ssm::SSM117
    };
    (code, slug)
}

#[cfg(test)]
mod tests {
    use crate::testing::{all, at, convert, convert_patient, one, path, reported};

    fn result_sent_at(sent: &str, value: &str) -> String {
        format!(
            "MSH|^~\\&|A|B|C|D|{sent}||OUL^R22^OUL_R22|1|P|2.5||||||~ISO IR87\r\
             PID|1||0000012345\r\
             SPM|1|||023^血清^JC10\r\
             OBR|1|77||E^生化^99|||20260401\r\
             ORC|SC|77\r\
             OBX|1|NM|3A015000002327101^Alb^JC10||{value}|g/dL|||||F\r"
        )
    }

    /// Nobody knows whose a message without a number is: two of them are of one person only where they
    /// name the same.
    #[test]
    fn messages_without_a_patient_number_are_not_of_one_person() {
        let subject = |pid: &str, control: &str| {
            let text = format!(
                "MSH|^~\\&|A|B|C|D|202604011100||OUL^R22^OUL_R22|{control}|P|2.5\r{pid}\rSPM|1|A||019^血清^JC10\rOBR|1|7||1^検査^99\rORC|SC|7\rOBX|1|NM|K^カリウム^99||4.1||||||F\r"
            );
            let out = crate::testing::convert("", &text);
            one(&out, "Observation")["subject"]["reference"].clone()
        };
        let taro = "PID|1||||割符^太郎||19500101|M";
        let hanako = "PID|1||||割符^花子||19800202|F";
        assert_ne!(subject(taro, "1"), subject(hanako, "1"));
        assert_eq!(subject(taro, "1"), subject(taro, "2"));
        let nobody = "PID|1||||割符^太郎|||M";
        assert_ne!(subject(nobody, "1"), subject(nobody, "2"));
    }

    /// Two results of one order in one file, and in two that no storage weighs: the newest `MSH-7` is what
    /// goes out, wherever it stands; of two of one moment the last. The one left out is named at its own
    /// `MSH`, and so is the file that goes first.
    #[test]
    fn of_messages_without_a_storage_the_newest_wins() {
        for (stream, wins) in [
            ([("202604011100", "6.0"), ("202604011300", "7.0")], "7.0"),
            ([("202604011300", "7.0"), ("202604011100", "6.0")], "7.0"),
            ([("202604011100", "7.0"), ("202604011100", "6.0")], "6.0"),
        ] {
            let texts = stream.map(|(sent, value)| result_sent_at(sent, value));
            let text = texts.concat();
            let second = text.rfind("MSH|").unwrap();
            let lost = stream.iter().position(|(_, v)| *v != wins).unwrap();
            let [first, last] = texts;
            let files = [("a.hl7".to_owned(), &*first), ("b.hl7".to_owned(), &*last)];
            for together in [false, true] {
                let out = if together {
                    convert_patient(&files)
                } else {
                    crate::testing::convert("OML-11", &text)
                };
                let observation = one(&out, "Observation");
                let value = observation["valueQuantity"]["value"].as_f64();
                assert_eq!(value, wins.parse::<f64>().ok());
                let of = if together { [lost, 1 - lost] } else { [0, 0] };
                let start = if together || lost == 0 { 0 } else { second };
                let told: Vec<_> = out
                    .diagnostics
                    .iter()
                    .filter(|d| d.code.code == "MAP016")
                    .collect();
                assert!(told.len() > 1, "{:?}", out.diagnostics);
                for d in told {
                    assert_eq!(usize::try_from(d.span.source.0), Ok(of[0]));
                    assert_eq!(usize::try_from(d.span.start), Ok(start));
                    let others: Vec<u32> = d.secondary().iter().map(|l| l.span.source.0).collect();
                    let named = u32::try_from(of[1]).unwrap();
                    assert_eq!(others, if together { vec![named] } else { Vec::new() });
                }
            }
        }
    }

    /// When a message was sent is a moment, read where `MSH-7` is: 厚 and 慈 hold the byte of a `|`.
    #[test]
    fn the_newest_is_told_by_the_moment_and_not_by_bytes() {
        let (older, newer) = (
            result_sent_at("20260401110000", "6.0"),
            result_sent_at("20260401120000", "7.0"),
        );
        let sender = |text: &str| {
            // Each in two bytes, of which the second is 7C.
            let text = text.replacen("血清", "S", 1);
            text.replacen("|A|B|", "|A|\u{1b}$B<|8|\u{1b}(B|", 1)
        };
        let zone = |text: &str| text.replacen("20260401120000", "20260401103000+0000", 1);
        let blank = |text: &str| text.replacen("|20260401120000", "| 20260401120000", 1);
        for newest in [newer.clone(), sender(&newer), zone(&newer), blank(&newer)] {
            for texts in [
                [older.clone(), newest.clone()],
                [newest.clone(), sender(&older)],
            ] {
                let [first, last] = &texts;
                let files = [("a.hl7".to_owned(), &**first), ("b.hl7".to_owned(), last)];
                for out in [convert_patient(&files), convert("", &texts.concat())] {
                    let value = &one(&out, "Observation")["valueQuantity"]["value"];
                    assert_eq!(value.as_f64(), Some(7.0), "{newest}");
                }
            }
        }
    }

    /// A file that has the name of one in a storage, but lies in none, is no newer by its name.
    #[test]
    fn a_named_file_beside_messages_without_a_name_is_weighed_by_when_it_was_sent() {
        let texts = ["6.0", "7.0"].map(|value| {
            let sent = if value == "7.0" {
                "20260401120000"
            } else {
                "20260401110000"
            };
            result_sent_at(sent, value)
        });
        for named in [0, 1] {
            let stamp = ["20260401110000000", "20260401120000000"][named];
            let name = path("OML-11", "20260401", stamp, "01", '1');
            let leaf = name.rsplit('/').next().unwrap().to_owned();
            let leaf = leaf.replace("0000990001", "0000012345");
            let mut files = [
                ("a.hl7".to_owned(), &*texts[0]),
                ("b.hl7".to_owned(), &*texts[1]),
            ];
            files[named].0 = leaf;
            for _ in 0..2 {
                let out = convert_patient(&files);
                let value = &one(&out, "Observation")["valueQuantity"]["value"];
                assert_eq!(value.as_f64(), Some(7.0), "{files:?}");
                files.reverse();
            }
        }
    }

    /// Of streams the messages are weighed, not the files.
    #[test]
    fn messages_of_several_streams_are_weighed_one_by_one() {
        let stream = |of: [(&str, &str); 2]| of.map(|(s, v)| result_sent_at(s, v)).concat();
        let other = |text: String| text.replacen("77", "78", 3);
        let a = stream([("202604011100", "6.0"), ("202604011500", "9.0")]);
        // The newest of its own file is of another order.
        let cut = a.rfind("MSH|").unwrap();
        let a = [&a[..cut], &other(a[cut..].to_owned())].concat();
        let b = result_sent_at("202604011300", "7.0");
        for files in [
            [("a.hl7", &a), ("b.hl7", &b)],
            [("a.hl7", &b), ("b.hl7", &a)],
        ] {
            let files = files.map(|(path, text)| (path.to_owned(), text.as_str()));
            let out = convert_patient(&files);
            let mut values: Vec<String> = all(&out, "Observation")
                .iter()
                .map(|o| o["valueQuantity"]["value"].to_string())
                .collect();
            values.sort();
            assert_eq!(values, ["7.0", "9.0"]);
        }
    }

    /// What ADT say of a stay is joined, in whatever order the files come.
    #[test]
    fn a_stay_of_messages_without_a_storage_is_one() {
        let event = |trigger: &str, sent: &str, times: &str| {
            format!(
                "MSH|^~\\&|A|B|C|D|{sent}||ADT^{trigger}^ADT_{trigger}|1|P|2.5||||||~ISO IR87\r\
                 EVN||{sent}\rPID|1||0000012345\rPV1|1|I{}{times}\r",
                "|".repeat(42)
            )
        };
        let admitted = event("A01", "202604011000", "202604011000");
        let discharged = event("A03", "202604051000", "202604011000|202604051000");
        for texts in [[&admitted, &discharged], [&discharged, &admitted]] {
            let [a, b] = texts.map(String::as_str);
            let out = convert_patient(&[("a.hl7".to_owned(), a), ("b.hl7".to_owned(), b)]);
            let stay = one(&out, "Encounter");
            assert_eq!(at(&stay, "/status"), "finished");
            assert_eq!(at(&stay, "/period/start"), "2026-04-01T10:00:00+09:00");
        }
    }

    /// Text of what was made, ids in it: the resources as they stand in the output, in order of type and id.
    fn made(out: &crate::Output) -> (Vec<String>, Vec<String>) {
        let text = |r: &crate::OutResource| String::from_utf8(out.json_of(r).to_vec()).unwrap();
        // The file that is named as a resource's source is not what was said.
        let mut all: Vec<String> = out.resources.iter().map(text).collect();
        all.sort();
        let mut gone: Vec<String> = out
            .deletes
            .iter()
            .map(|d| format!("{}/{}", d.resource_type, d.id.as_str()))
            .collect();
        gone.sort();
        for id in &gone {
            let twice =
                |r: &&crate::OutResource| format!("{}/{}", r.resource_type, r.id.as_str()) == *id;
            assert_eq!(
                out.resources.iter().find(twice),
                None,
                "{id} put and deleted"
            );
        }
        (all, gone)
    }

    /// Every order of some messages.
    fn orders(of: &[String]) -> Vec<Vec<&str>> {
        let [first, rest @ ..] = of else {
            return vec![Vec::new()];
        };
        let mut all = Vec::new();
        for order in orders(rest) {
            for at in 0..=order.len() {
                let mut order = order.clone();
                order.insert(at, first);
                all.push(order);
            }
        }
        all
    }

    /// What messages give does not depend on their order, nor on how they are packed into files: each cut of
    /// each order is tried. Returns what was made, and the codes told of one file each.
    fn of_every_packing(messages: &[String]) -> (Vec<serde_json::Value>, Vec<String>) {
        let mut first = None;
        for order in orders(messages) {
            for cuts in 0..1_u32 << (order.len() - 1) {
                let mut files: Vec<(String, String)> = vec![("f0.hl7".to_owned(), String::new())];
                for (n, message) in order.iter().enumerate() {
                    if n > 0 && cuts >> (n - 1) & 1 == 1 {
                        files.push((format!("f{n}.hl7"), String::new()));
                    }
                    files.last_mut().unwrap().1.push_str(message);
                }
                let files: Vec<_> = files.iter().map(|f| (f.0.clone(), &*f.1)).collect();
                let mut outs = vec![convert_patient(&files)];
                if let [(_, stream)] = &files[..] {
                    outs.push(convert("", stream));
                }
                for out in outs {
                    let made = made(&out);
                    let (resources, gone) = first.get_or_insert_with(|| made.clone());
                    assert_eq!((&made.0, &made.1), (&*resources, &*gone), "{files:#?}");
                }
            }
        }
        let (resources, gone) = first.unwrap();
        let parsed = resources.iter().map(|r| serde_json::from_str(r).unwrap());
        (parsed.collect(), gone)
    }

    fn of_type<'v>(
        made: &'v [serde_json::Value],
        resource_type: &str,
    ) -> Vec<&'v serde_json::Value> {
        let of = made.iter().filter(|r| r["resourceType"] == resource_type);
        of.collect()
    }

    /// A message of the usual patient, sent at a time.
    fn sent(event: &str, at: &str, segments: &str) -> String {
        format!(
            "MSH|^~\\&|A|B|C|D|{at}||{event}|1|P|2.5||||||~ISO IR87\n\
            PID|1||0000990001^^^^PI||割符^花子^^^^^L^I||19680303|F\n{segments}\n"
        )
    }

    fn result(at: &str, control: &str, values: &[(&str, &str)]) -> String {
        let mut text = format!(
            "SPM|1|S1||023^血清^JC10|||||||||||||20260401\nOBR|1|77||E^生化^99|||20260401\nORC|{control}|77||||||||"
        );
        for (item, value) in values {
            let line = ["\nOBX|1|NM|", item, "^項目^JC10||", value, "|g/dL|||||F"];
            text.push_str(&line.concat());
        }
        sent("OUL^R22^OUL_R22", at, &text)
    }

    const ALB: &str = "3A015000002327101";
    const TP: &str = "3A010000002327101";

    #[test]
    fn packing_changes_no_result() {
        let versions = [("10", "1.1"), ("11", "2.2"), ("12", "3.3"), ("13", "4.4")]
            .map(|(day, value)| result(&format!("202604{day}0900"), "SC", &[(ALB, value)]));
        let (made, gone) = of_every_packing(&versions);
        let values = of_type(&made, "Observation");
        assert_eq!(values.len(), 1);
        assert_eq!(values[0]["valueQuantity"]["value"], 4.4);
        assert_eq!(of_type(&made, "DiagnosticReport").len(), 1);
        assert_eq!(gone, [""; 0]);
        // An item that is listed twice in one message is two, however the versions are packed.
        let twice = ["10", "11"]
            .map(|day| result(&format!("202604{day}0900"), "SC", &[(ALB, day), (ALB, "5")]));
        let (made, _) = of_every_packing(&twice);
        assert_eq!(of_type(&made, "Observation").len(), 2);
    }

    fn prescription(at: &str, control: &str, tablets: &str) -> String {
        let drug = if tablets.is_empty() {
            String::new()
        } else {
            format!(
                "\nRXE||103835401^薬^HOT9|{tablets}||TAB^錠^MR9P|||||{tablets}|TAB^錠^MR9P\nTQ1|1||1011000400000000&朝&JAMISDP01|||1^d|20260401\nRXR|PO"
            )
        };
        sent(
            "RDE^O11^RDE_O11",
            at,
            &format!("ORC|{control}|21||21_01|||||20260401{drug}"),
        )
    }

    #[test]
    fn packing_changes_no_prescription() {
        let versions = ["10", "11", "12", "13"]
            .map(|day| prescription(&format!("202604{day}0900"), "NW", day));
        let (made, gone) = of_every_packing(&versions);
        let drugs = of_type(&made, "MedicationRequest");
        assert_eq!(drugs.len(), 1, "{drugs:#?}");
        let text = drugs[0].to_string();
        assert!(text.contains("13錠") && !text.contains("12錠"), "{text}");
        assert_eq!(gone, [""; 0]);
    }

    fn event(trigger: &str, at: &str, bed: &str, times: &str) -> String {
        let text = format!("EVN||{at}||||{at}\nPV1|1|I|{bed}{}{times}", "|".repeat(41));
        sent(&format!("ADT^{trigger}^ADT_{trigger}"), at, &text)
    }

    #[test]
    fn packing_changes_no_stay() {
        let admitted = "202604011000";
        let events = [
            event("A01", "202604011005", "3E^301^1", admitted),
            event("A02", "202604021000", "3E^302^1", ""),
            event("A12", "202604021100", "3E^302^1", ""),
            event("A02", "202604031000", "4W^401^1", ""),
            event(
                "A03",
                "202604051000",
                "4W^401^1",
                &format!("{admitted}|202604051000"),
            ),
        ];
        let (made, gone) = of_every_packing(&events);
        let stays = of_type(&made, "Encounter");
        assert_eq!(stays.len(), 1, "{stays:#?}");
        assert_eq!(stays[0]["status"], "finished");
        assert_eq!(gone, [""; 0]);
    }

    /// ADT-61 and ADT-00 say all each time: what the newest does not say is no more, as in a storage.
    #[test]
    fn the_newest_snapshot_takes_the_place_of_the_older() {
        let allergies = |at: &str, what: &[&str]| {
            let lines = what.iter().enumerate();
            let lines =
                lines.map(|(n, w)| format!("IAM|{}|FA^食物^HL70127|{w}^{w}^99|SV||A|{w}", n + 1));
            sent("ADT^A60^ADT_A60", at, &lines.collect::<Vec<_>>().join("\n"))
        };
        let (made, gone) = of_every_packing(&[
            allergies("202604010900", &["ソバ", "卵"]),
            allergies("202604020900", &["卵"]),
        ]);
        assert_eq!(of_type(&made, "AllergyIntolerance").len(), 1);
        assert_eq!(gone.len(), 1, "{gone:?}");
        assert!(gone[0].starts_with("AllergyIntolerance/"));
        let basic =
            |at: &str, event: &str, rest: &str| sent(&format!("ADT^{event}^ADT_{event}"), at, rest);
        let height = "OBX|1|NM|9N001000000000001^身長^JC10||158.4|cm^cm^ISO+|||||F";
        let old = basic("202604010900", "A08", height);
        let (made, gone) = of_every_packing(&[old.clone(), basic("202604020900", "A08", "")]);
        assert_eq!(of_type(&made, "Patient").len(), 1);
        assert!(of_type(&made, "Observation").is_empty());
        assert_eq!(gone.len(), 1);
        // A23 withdraws the person; one that is overtaken does not.
        let withdrawn = basic("202604020900", "A23", "");
        let (made, gone) = of_every_packing(&[old.clone(), withdrawn.clone()]);
        assert!(made.is_empty(), "{made:#?}");
        assert_eq!(gone.len(), 2);
        let (made, gone) = of_every_packing(&[
            old.clone(),
            withdrawn.clone(),
            basic("202604030900", "A08", height),
        ]);
        assert_eq!((of_type(&made, "Patient").len(), gone.len()), (1, 0));
        assert!(
            of_type(&made, "Patient")[0]
                .get("active")
                .is_none_or(|a| a == true)
        );
        let other = result("202604010800", "SC", &[(ALB, "4")]);
        let (made, gone) = of_every_packing(&[old, withdrawn, other]);
        assert_eq!(of_type(&made, "Patient")[0]["active"], false);
        assert_eq!(gone.len(), 1, "{gone:?}");
    }

    /// What withdraws an order withdraws what older messages of it made, whether it repeats that or not.
    #[test]
    fn a_withdrawal_withdraws_what_older_messages_of_its_order_made() {
        let old = result("202604010900", "SC", &[(ALB, "4"), (TP, "7")]);
        let gone_away = result("202604020900", "CA", &[]);
        let (made, gone) = of_every_packing(&[old.clone(), gone_away.clone()]);
        assert!(of_type(&made, "Observation").is_empty());
        assert_eq!(of_type(&made, "DiagnosticReport")[0]["status"], "cancelled");
        assert_eq!(gone.len(), 2, "{gone:?}");
        // What is sent after it stands; the rest of the older one does not.
        let again = result("202604030900", "SC", &[(ALB, "5")]);
        let (made, gone) = of_every_packing(&[old.clone(), gone_away, again]);
        let values = of_type(&made, "Observation");
        assert_eq!((values.len(), gone.len()), (1, 1));
        assert_eq!(values[0]["status"], "final");
        // Without a withdrawal the rest stays, and that is told.
        let less = result("202604020900", "SC", &[(ALB, "5")]);
        let (made, gone) = of_every_packing(&[old.clone(), less.clone()]);
        assert_eq!((of_type(&made, "Observation").len(), gone.len()), (2, 0));
        let both = [("b".to_owned(), &*old), ("a".to_owned(), &*less)];
        let out = convert_patient(&both);
        let told = out
            .diagnostics
            .iter()
            .find(|d| d.code.code == "MAP021")
            .unwrap();
        assert_eq!(
            (told.span.source.0, told.argument.as_deref()),
            (0, Some("1"))
        );
        // A prescription that is withdrawn without its drug; another Rp and another order stay.
        let other = prescription("202604010900", "NW", "2").replace("|21||", "|22||");
        let rp = prescription("202604010900", "NW", "3")
            .replace("21_01", "21_02")
            .replace("103835401", "103835402");
        let (made, gone) = of_every_packing(&[
            prescription("202604010900", "NW", "1"),
            other,
            rp,
            prescription("202604020900", "CA", ""),
        ]);
        assert_eq!(of_type(&made, "MedicationRequest").len(), 2);
        assert_eq!(gone.len(), 1, "{gone:?}");
        // An injection is of the same type of message; one of that number is not withdrawn with a drug of a
        // prescription.
        let injected =
            prescription("202604010900", "NW", "1") + "RXC|A|103835401^薬^HOT9|1|TAB^錠^MR9P\n";
        let (_, gone) =
            of_every_packing(&[injected.clone(), prescription("202604020900", "CA", "")]);
        assert_eq!(gone.len(), 1);
        let (_, gone) = of_every_packing(&[injected, prescription("202604020900", "CA", "1")]);
        assert!(gone.is_empty());
    }

    /// How many findings of a code are told of some messages, whatever way they are given.
    fn told(messages: &[String], code: &str) -> usize {
        let names = ["a", "b", "c"].map(str::to_owned);
        let files: Vec<_> = names
            .into_iter()
            .zip(messages.iter().map(|m| &**m))
            .collect();
        let outs = [convert_patient(&files), convert("", &messages.concat())];
        let [files, stream] = outs.map(|out| {
            out.diagnostics
                .iter()
                .filter(|d| d.code.code == code)
                .count()
        });
        assert_eq!(files, stream);
        files
    }

    /// Numbers come again: a withdrawal is of its day, as in a storage, whose names tell it.
    #[test]
    fn a_withdrawal_is_of_the_order_of_its_day() {
        let of_day = |text: String, day: &str| text.replace("20260401", day);
        let old = of_day(result("202004010900", "SC", &[(ALB, "4")]), "20200401");
        let new = result("202604010900", "SC", &[(ALB, "5")]);
        let withdrawal = result("202604020900", "CA", &[]);
        let (made, gone) = of_every_packing(&[old.clone(), withdrawal.clone()]);
        assert_eq!((of_type(&made, "Observation").len(), gone.len()), (1, 0));
        assert_eq!(told(&[old.clone(), withdrawal.clone()], "MAP024"), 1);
        let all = [old.clone(), new.clone(), withdrawal.clone()];
        let (made, gone) = of_every_packing(&all);
        let values = of_type(&made, "Observation");
        assert_eq!((values.len(), gone.len()), (1, 1));
        assert_eq!(values[0]["valueQuantity"]["value"], 4);
        assert_eq!((told(&all, "MAP024"), told(&all, "MAP022")), (1, 1));
        assert_eq!(told(&[new.clone(), withdrawal.clone()], "MAP024"), 0);
        // Without a day it is of the only one that the number was used on.
        let dateless = withdrawal
            .replace("|||||||||||||20260401", "")
            .replace("|||20260401", "");
        for only in [&old, &new] {
            let (_, gone) = of_every_packing(&[only.clone(), dateless.clone()]);
            assert!(
                gone.iter().any(|g| g.starts_with("Observation/")),
                "{gone:?}"
            );
        }
        let (_, gone) = of_every_packing(&[old.clone(), new.clone(), dateless.clone()]);
        assert!(gone.is_empty(), "{gone:?}");
        assert_eq!(told(&[old, new, dateless], "MAP024"), 2);
        // An order is of the day it was entered on.
        let order = prescription("202604010900", "NW", "1");
        for (day, count) in [("20260401", 1), ("20260402", 0)] {
            let withdrawal = of_day(prescription("202604030900", "CA", ""), day);
            let (_, gone) = of_every_packing(&[order.clone(), withdrawal.clone()]);
            assert_eq!(gone.len(), count);
            assert_eq!(told(&[order.clone(), withdrawal], "MAP024"), 1 - count);
        }
    }

    fn given(at: &str, control: &str, with: &str) -> String {
        let text = format!("ORC|{control}|21||21_01|||||20260401{with}");
        sent("RAS^O17^RAS_O17", at, &text)
    }
    const RXA: &str = "\nRXA|0|1|202604011000|202604011000|103835401^薬^HOT9|1|TAB^錠^MR9P|||||||||||||CP\nRXR|PO";

    /// What goes no further was done as far as it went; what was done is not withdrawn with its order.
    #[test]
    fn what_is_stopped_and_what_was_done_stays() {
        let results = result("202604010900", "SC", &[(ALB, "4")]);
        let order = prescription("202604010900", "NW", "1");
        let administration = given("202604010900", "SC", RXA);
        for (old, new, count) in [
            (&order, prescription("202604020900", "DC", ""), 1),
            (&administration, given("202604020900", "DC", ""), 1),
            (&results, result("202604020900", "DC", &[]), 1),
        ] {
            let (made, gone) = of_every_packing(&[old.clone(), new.clone()]);
            assert!(gone.is_empty(), "{gone:?}");
            let kinds = [
                "MedicationRequest",
                "MedicationAdministration",
                "Observation",
            ];
            let kept: usize = kinds.map(|kind| of_type(&made, kind).len()).iter().sum();
            assert!(kept > 0, "{made:#?}");
            assert_eq!(told(&[old.clone(), new], "MAP024"), count);
        }
        // With its drug the request itself is stopped, and nothing stays to be told.
        let stopped = [order.clone(), prescription("202604020900", "DC", "1")];
        let (made, _) = of_every_packing(&stopped);
        assert_eq!(of_type(&made, "MedicationRequest")[0]["status"], "stopped");
        assert_eq!(told(&stopped, "MAP024"), 0);
        // A withdrawal of the order, and of the result or administration itself.
        let (made, gone) = of_every_packing(&[
            order.clone(),
            administration.clone(),
            prescription("202604020900", "CA", ""),
        ]);
        assert_eq!(of_type(&made, "MedicationAdministration").len(), 1);
        assert!(
            gone.iter().all(|g| g.starts_with("MedicationRequest/")),
            "{gone:?}"
        );
        assert_eq!(gone.len(), 1);
        let (made, gone) =
            of_every_packing(&[order, administration, given("202604020900", "CA", "")]);
        assert_eq!(of_type(&made, "MedicationRequest").len(), 1);
        assert!(!gone.is_empty() && of_type(&made, "MedicationAdministration").is_empty());
        let lab = result("202604020900", "CA", &[]).replace("OUL^R22^OUL_R22", "OML^O33^OML_O33");
        let (made, gone) = of_every_packing(&[results, lab]);
        assert_eq!((of_type(&made, "Observation").len(), gone.len()), (1, 0));
        // Of one number there are a drug and an injection: of which it is, nobody knows.
        let drug = prescription("202604010900", "NW", "1");
        let injected = drug.clone() + "RXC|A|103835401^薬^HOT9|1|TAB^錠^MR9P\n";
        let both = [drug, injected, prescription("202604020900", "CA", "")];
        let (_, gone) = of_every_packing(&both);
        assert!(gone.is_empty(), "{gone:?}");
        assert_eq!(told(&both, "MAP024"), 2);
    }

    /// What is withdrawn of a message in part is told.
    #[test]
    fn what_is_withdrawn_in_part_is_told() {
        let rp1 = prescription("202604010900", "NW", "1");
        let second = prescription("202604010900", "NW", "2").replace("103835401", "103835402");
        let second = second.split_once("ORC|").unwrap().1;
        let withdrawal = prescription("202604020900", "CA", "");
        for number in ["|21||21_02", "|22||22_01"] {
            let second = ["ORC|", &second.replace("|21||21_01", number)].concat();
            let both = [rp1.clone(), second.clone()].concat();
            let all = [both, withdrawal.clone()];
            let (made, gone) = of_every_packing(&all);
            assert_eq!(
                (of_type(&made, "MedicationRequest").len(), gone.len()),
                (2, 0)
            );
            assert_eq!(told(&all, "MAP024"), 1);
            // A message that withdraws one and sends another withdraws that one.
            let mixed = [withdrawal.clone(), second].concat();
            let all = [rp1.clone(), mixed];
            let (made, gone) = of_every_packing(&all);
            assert_eq!(
                (of_type(&made, "MedicationRequest").len(), gone.len()),
                (1, 1)
            );
            assert_eq!(told(&all, "MAP024"), 0);
        }
        // One examination of an order that is withdrawn, another that is not: not all of it is.
        let mixed = result("202604020900", "CA", &[])
            + "OBR|2|77||F^血算^99|||20260401\nORC|SC|77\nOBX|1|NM|X^項目^99||1||||||F\n";
        let all = [result("202604010900", "SC", &[(ALB, "4")]), mixed];
        let (_, gone) = of_every_packing(&all);
        assert!(gone.is_empty(), "{gone:?}");
        assert_eq!(told(&all, "MAP024"), 1);
    }

    /// Of an order and its withdrawal of one moment the later in the input is used, and that is told.
    #[test]
    fn a_withdrawal_of_the_moment_of_its_order_is_told() {
        let order = result("202604020900", "SC", &[(ALB, "4")]);
        let withdrawal = result("202604020900", "CA", &[]);
        let ties = |all: [&String; 2]| {
            let [a, b] = all.map(String::as_str);
            let out = convert_patient(&[("a".to_owned(), a), ("b".to_owned(), b)]);
            let of = out
                .diagnostics
                .iter()
                .filter(|d| d.code.code == "MAP023" && d.argument.as_deref() == Some("ORC-1"));
            let of: Vec<_> = of
                .map(|d| (d.span.source.0, d.secondary()[0].span.source.0))
                .collect();
            (of, out.deletes.len())
        };
        assert_eq!(ties([&order, &withdrawal]), (vec![(0, 1)], 1));
        assert_eq!(ties([&withdrawal, &order]), (vec![(0, 1)], 0));
        let later = result("202604020901", "CA", &[]);
        assert_eq!(ties([&order, &later]), (vec![], 1));
        let other = result("202604020900", "CA", &[]).replace("|77|", "|78|");
        assert_eq!(ties([&order, &other]), (vec![], 0));
    }

    /// Zeros or nines alone are no number of a person.
    #[test]
    fn a_number_of_zeros_is_none() {
        let of = |number: &str, at: &str, name: &str| {
            let text = result(at, "SC", &[(ALB, "4")]);
            text.replace("0000990001", number)
                .replace("割符^花子", name)
        };
        for (number, persons) in [
            ("0000000000", 2),
            ("  ", 2),
            ("9999999999", 2),
            ("0000990001", 1),
            ("0999999999", 1),
        ] {
            let texts = [
                of(number, "202604010900", "割符^花子"),
                of(number, "202604010901", "割符^太郎"),
            ];
            let (made, _) = of_every_packing(&texts);
            assert_eq!(of_type(&made, "Patient").len(), persons, "{number}");
            let identified = of_type(&made, "Patient")[0].get("identifier").is_some();
            assert_eq!(identified, persons == 1, "{number}");
            let again = of_type(&made, "Observation").len();
            assert_eq!(again, persons, "{number}");
            assert_eq!(told(&texts, "MAP009") > 0, persons == 2, "{number}");
        }
    }

    /// Of two messages of one moment that say otherwise the later is used, and that is told; the same twice is not.
    #[test]
    fn messages_of_one_moment_that_differ_are_told() {
        let at = |at: &str, value: &str| result(at, "SC", &[(ALB, value)]);
        let one_time = "202604010900";
        for (first, second, told) in [
            (at(one_time, "4"), at(one_time, "5"), true),
            (at(one_time, "4"), at(one_time, "4"), false),
            (at(one_time, "4"), at("202604010901", "5"), false),
        ] {
            let stream = convert("", &(first.clone() + &second));
            let files = [("a".to_owned(), &*first), ("b".to_owned(), &*second)];
            for out in [stream, convert_patient(&files)] {
                let found = out.diagnostics.iter().filter(|d| d.code.code == "MAP023");
                let of: Vec<_> = found.filter_map(|d| d.argument.as_deref()).collect();
                assert_eq!(of.contains(&"Observation"), told, "{of:?}");
                assert_eq!(of.is_empty(), !told, "{of:?}");
            }
        }
    }

    /// Of two snapshots of one moment the order of the input says which is in force.
    #[test]
    fn snapshots_of_one_moment_that_differ_are_told() {
        let of = |at: &str, control: &str, what: &str| {
            let line = format!("IAM|1|FA^食物^HL70127|{what}^{what}^99|SV||A|{what}");
            sent("ADT^A60^ADT_A60", at, &line).replacen("|P|2.5", &format!("{control}|P|2.5"), 1)
        };
        let (moment, later) = ("202604010900", "202604010901");
        let first = of(moment, "", "ソバ");
        for (second, told_of) in [
            (of(moment, "", "卵"), 1),
            (of(moment, "2", "卵"), 1),
            // The same again, in whatever message.
            (of(moment, "", "ソバ"), 0),
            (of(moment, "2", "ソバ"), 0),
            (of(later, "", "卵"), 0),
        ] {
            assert_eq!(
                told(&[first.clone(), second.clone()], "MAP023"),
                told_of,
                "{second}"
            );
        }
    }

    /// Numbers of messages end where those of files do: the newest are converted, and the others are counted.
    #[test]
    fn more_messages_of_a_person_than_have_numbers_are_counted() {
        let message = |n: usize| {
            let at = 10_000 + n;
            format!(
                "MSH|^~\\&|A|B|C|D|202604{}{:02}{:02}{:02}||ADT^A08|{at}|P|2.5\rPID|1||77||N{at}\r",
                10 + n / 86_400,
                n / 3_600 % 24,
                n / 60 % 60,
                n % 60
            )
        };
        let all: Vec<String> = (0..super::MAX_MESSAGES + 2).map(message).collect();
        let (first, last) = all.split_at(all.len() / 2);
        let [first, last] = [first, last].map(<[String]>::concat);
        let out = convert_patient(&[("a.hl7".to_owned(), &first), ("b.hl7".to_owned(), &last)]);
        let told = out.diagnostics.iter().filter(|d| d.code.code == "MAP014");
        let told: Vec<_> = told.filter_map(|d| d.argument.as_deref()).collect();
        assert_eq!(told, ["2"]);
        let newest = 10_000 + super::MAX_MESSAGES + 1;
        assert_eq!(
            one(&out, "Patient")["name"][0]["text"],
            format!("N{newest}")
        );
    }

    /// Of two persons without a number one message is of the first; messages that name the same are of one,
    /// and that is told once.
    #[test]
    fn persons_without_a_number_are_apart_in_one_message() {
        let first = "||割符^花子^^^^^L^I||19680303|F";
        for (number, second, apart) in [
            ("", "||割符^太郎^^^^^L^I||19680303|F", true),
            ("", "||割符^花子^^^^^L^I||19680304|F", true),
            ("", "||割符^花子^^^^^L^I||19680303|M", true),
            ("", "", true),
            ("0000000000", "||割符^太郎^^^^^L^I||19680303|F", true),
            ("", first, false),
            ("0000000000", first, false),
            ("0000990001^^^^PI", "||割符^太郎^^^^^L^I||19680303|F", false),
        ] {
            let text = result("202604010900", "SC", &[(ALB, "4")]);
            let text = text.replacen("0000990001^^^^PI", number, 1);
            let pid = format!("\nPID|2||{number}{second}\nOBX");
            let out = convert("", &text.replacen("\nOBX", &pid, 1));
            assert_eq!(reported(&out, "MAP019"), apart, "{number} {second}");
            let found = out
                .resources
                .iter()
                .any(|r| r.resource_type == "Observation");
            assert_eq!(found, !apart, "{number} {second}");
        }
        let of = |sent, number: &str| {
            let text = result(sent, "SC", &[(ALB, "4")]);
            text.replacen("0000990001", number, 1)
        };
        let times = ["202604010900", "202604010901", "202604010902"];
        let messages = times.map(|sent| of(sent, ""));
        assert_eq!(told(&messages, "MAP026"), 1);
        assert_eq!(told(&times.map(|sent| of(sent, "0000990001")), "MAP026"), 0);
        let nobody = messages.map(|m| m.replacen("19680303", "", 1));
        assert_eq!(told(&nobody, "MAP026"), 0);
    }

    /// Wherever a file is cut before its last segment has what is required: that is told, no half value is one,
    /// and what is left of it is kept.
    #[test]
    fn a_value_that_is_cut_is_none() {
        let whole = result("202604020900", "SC", &[(TP, "7.5"), (ALB, "123.45")]);
        let whole = whole.trim_end().replace('\n', "\r");
        let begin = whole.rfind("OBX").unwrap() + 1;
        for end in (begin..whole.len()).filter(|at| whole.is_char_boundary(*at)) {
            let mut out = crate::Output::new();
            let file = crate::File {
                path: "a.hl7",
                bytes: &whole.as_bytes()[..end],
            };
            crate::Converter::new(crate::testing::options()).convert(file, 0, &mut out);
            assert!(reported(&out, "MAP025"), "{}", &whole[..end]);
            let made = one(&out, "Observation");
            assert_eq!(made["valueQuantity"]["value"], 7.5);
            assert!(!reported(&out, "HL7108"));
            let mut text = Vec::new();
            crate::assemble::ndjson(&out, &mut text);
            let text = String::from_utf8(text).unwrap();
            let value = whole.find("123.45").unwrap();
            let kept = whole.get(value..end.min(value + 6)).unwrap_or_default();
            let kept = format!("field:line-5\",\"valueString\":\"{kept}\"");
            assert_eq!(text.contains(&kept), end > value, "{text}");
        }
        // Before that nobody knows whose it is: nothing is made, and older persons stay.
        for end in [
            "PID|1||00009",
            "PID|1||0000990001^^^^PI||割符",
            "MSH|^~",
            "PID",
        ] {
            let at = whole.find(end).map_or(4, |at| at + end.len());
            let mut out = crate::Output::new();
            let file = crate::File {
                path: "a.hl7",
                bytes: &whole.as_bytes()[..at],
            };
            crate::Converter::new(crate::testing::options()).convert(file, 0, &mut out);
            assert!(reported(&out, "MAP025"), "{end}");
            assert_eq!(out.resources.len(), 0, "{end}");
        }
    }

    /// A message outside a storage that is cut takes the place of none, and withdraws none.
    #[test]
    fn a_message_that_is_cut_overtakes_none() {
        let deleted = |old: &str, new: &str, end: &str| {
            let new = [new.trim_end(), end].concat().replace('\n', "\r");
            let new = new.replace('¶', "\n");
            let old = old.replace('\n', "\r");
            let joined = [&*old, &*new].concat();
            let (old, new, joined) = (old.as_bytes(), new.as_bytes(), joined.as_bytes());
            let counts = [&[old, new][..], &[new, old], &[joined]].map(|files| {
                let files = files.iter().map(|bytes| crate::File {
                    path: "a.hl7",
                    bytes,
                });
                let files: Vec<_> = files.collect();
                let mut out = crate::Output::new();
                crate::Converter::new(crate::testing::options()).convert_patient(&files, &mut out);
                (out.deletes.len(), reported(&out, "MAP025"))
            });
            assert_eq!([counts[0]; 3], counts);
            counts[0]
        };
        let list = |day: &str, what: &[&str]| {
            let lines = what
                .iter()
                .map(|w| format!("IAM|1|FA^食物^HL70127|{w}^{w}^99|SV||A|{w}\n"));
            sent("ADT^A60^ADT_A60", day, lines.collect::<String>().trim_end())
        };
        let old = list("202604010900", &["卵", "乳"]);
        let new = list("202604020900", &["卵"]);
        assert_eq!(deleted(&old, &new, "\n"), (1, false));
        assert_eq!(deleted(&old, &new, ""), (1, false));
        assert_eq!(deleted(&old, &new, "\nIAM|2|FA^食物"), (0, true));
        // Who puts files together may end them.
        assert_eq!(deleted(&old, &new, "\nIAM|2|FA^食物¶"), (0, true));
        assert_eq!(deleted(&old, &new, "¶"), (1, false));
        assert_eq!(deleted(&old, &new, "\n¶"), (1, false));
        // One that is newer than both says what is in force.
        let of = result("202604010900", "SC", &[(ALB, "4")]);
        let withdrawal = result("202604020900", "CA", &[]);
        assert!(!deleted(&of, &withdrawal, "\n").1);
        assert!(deleted(&of, &withdrawal, "\n").0 > 0);
        assert_eq!(deleted(&of, &withdrawal, "\nOBX|1|N"), (0, true));
    }

    /// Beyond the bound of a file nobody knows what is newer: nothing of it withdraws.
    #[test]
    fn a_stream_that_is_not_read_to_its_end_withdraws_nothing() {
        let of = result("202604010900", "SC", &[(ALB, "4")]);
        let withdrawal = result("202604020900", "CA", &[]);
        let long = |lines: usize| {
            sent(
                "ORU^R01",
                "202604030900",
                &["NTE|1||", &"~".repeat(lines)].concat(),
            )
        };
        let again = result("202604040900", "SC", &[(ALB, "5")]);
        for (lines, is_cut) in [(10, false), (super::MAX_SEGMENTS - 20, true)] {
            let text = [&*of, &*withdrawal, &*long(lines), &*long(20), &*again].concat();
            let out = convert("", &text);
            assert_eq!(reported(&out, "HL7198"), is_cut);
            assert_eq!(reported(&out, "MAP024"), is_cut);
            assert_eq!(out.deletes.len(), 0);
            let out = convert(
                "",
                &[&*of, &*withdrawal, &*long(lines), &*long(20)].concat(),
            );
            // All of it is read, and what it withdraws is.
            assert!(!out.deletes.is_empty());
        }
        // So is one message of more.
        let list = |lines: usize| {
            let line = "IAM|1|FA^食物^HL70127|卵^卵^99|SV||A|1\n";
            sent(
                "ADT^A60^ADT_A60",
                "202604020900",
                line.repeat(lines).trim_end(),
            )
        };
        let old = sent(
            "ADT^A60^ADT_A60",
            "202604010900",
            "IAM|1|FA^食物^HL70127|乳^乳^99|SV||A|2",
        );
        let deleted = |lines| convert("", &(old.clone() + &list(lines))).deletes.len();
        assert_eq!((deleted(2), deleted(super::MAX_SEGMENTS)), (1, 0));
    }

    /// In a trace the fields of a message that is overtaken are not in force.
    #[test]
    fn what_is_overtaken_is_not_in_force() {
        let old = result("202604010900", "SC", &[(ALB, "4")]);
        for new in [
            result("202604020900", "SC", &[(ALB, "5")]),
            result("202604020900", "CA", &[]),
        ] {
            let out = convert("", &(old.clone() + &new));
            let cut = u32::try_from(old.len()).unwrap();
            let of = |u: &&crate::trace::Unused| u.start < cut && u.path.segment == *b"OBX";
            let fields: Vec<_> = out.unused.iter().filter(of).map(|u| u.reason).collect();
            assert!(!fields.is_empty());
            assert!(
                fields
                    .iter()
                    .all(|r| *r == crate::trace::Reason::NotInForce),
                "{fields:?}"
            );
            assert!(out.unused.iter().all(|u| u.message == 0));
        }
    }

    /// A version in force of which nothing can be read withdraws nothing of the older ones.
    #[test]
    fn what_cannot_be_read_withdraws_nothing() {
        let old = result("202604010900", "SC", &[(ALB, "4")]);
        let name = |stamp: &str, flag| path("OML-11", "20260401", stamp, "01", flag);
        let whole = result("202604020900", "SC", &[]);
        // Cut in the middle of its Japanese text, of a name, or of a segment, or only without an end.
        let cut = |end: &str| [whole.trim_end(), end].concat();
        let cuts = ["\rNTE|1||\u{1b}$B0", "\rOB", "\rOBX|1|NM"].map(cut);
        let all = cuts.iter().map(|cut| (&**cut, true));
        for (new, told) in all.chain([(whole.trim_end(), false)]) {
            let names = [
                name("20260401090000000", '2'),
                name("20260402090000000", '1'),
            ];
            let bytes = [&*old, new].map(|text| text.replace('\n', "\r"));
            let of = |n: usize| crate::File {
                path: &names[n],
                bytes: bytes[n].as_bytes(),
            };
            let mut out = crate::Output::new();
            crate::Converter::new(crate::testing::options())
                .convert_patient(&[of(0), of(1)], &mut out);
            assert_eq!(out.deletes.is_empty(), told, "{new}");
            assert_eq!(reported(&out, "MAP021"), told);
            assert_eq!(reported(&out, "MAP025"), told, "{new}");
        }
        for (new, told) in [("", true), ("PID|1", true), (&*whole, false)] {
            let out = convert_patient(&[
                (name("20260401090000000", '2'), &*old),
                (name("20260402090000000", '1'), new),
            ]);
            assert_eq!(out.deletes.is_empty(), told, "{new}");
            assert_eq!(reported(&out, "MAP021"), told);
        }
    }

    /// Two persons in one message, as ORU^R01 allows.
    const TWO: &str = "MSH|^~\\&|A|B|C|D|20260401090512||OUL^R22^OUL_R22|1|P|2.5||||||~ISO IR87\n\
        PID|1||0000990001^^^^PI||割符^太郎^^^^^L^I||19680303|M\n\
        SPM|1|S1||023^血清^JC10|||||||||||||202604010800\n\
        OBR|1|51||3A010^総蛋白^L\nORC|SC|51\n\
        OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL|||||F\n\
        PID|1||0000990002^^^^PI||割符^花子^^^^^L^I||19680303|F\n\
        SPM|1|S2||023^血清^JC10|||||||||||||202604010800\n\
        OBR|1|52||3A010^総蛋白^L\nORC|SC|52\n\
        OBX|1|NM|3A010000002327101^総蛋白^JC10||3.3|g/dL|||||F";

    #[test]
    fn what_is_behind_another_person_is_never_of_the_first() {
        let name = path("OML-11", "20260401", "20260401090000000", "01", '1');
        let again = TWO.replace("0000990002", "990001");
        let unnamed = TWO.replace("0000990002", "");
        for out in [
            convert("OML-11", TWO),
            convert("", TWO),
            convert("OML-11", &unnamed),
            convert_patient(&[(name.clone(), TWO)]),
        ] {
            assert_eq!(one(&out, "Patient")["gender"], "male");
            assert_eq!(one(&out, "Observation")["valueQuantity"]["value"], 7.2);
            let told: Vec<_> = out
                .diagnostics
                .iter()
                .filter(|d| d.code.code == "MAP019")
                .map(|d| {
                    (
                        d.argument.clone().unwrap_or_default(),
                        d.path.map(|p| p.to_string()),
                    )
                })
                .collect();
            assert_eq!(told, [("5".into(), Some("PID(2)".to_owned()))]);
        }
        // The same person again, the number padded otherwise.
        let out = convert("OML-11", &again);
        assert!(!reported(&out, "MAP019"));
        assert_eq!(all(&out, "Observation").len(), 2);
        // An old version withdraws nothing of another person.
        let old = path("OML-11", "20260401", "20260401080000000", "01", '2');
        let living = TWO.split("PID|1||0000990002").next().unwrap_or_default();
        let out = convert_patient(&[(old, TWO), (name, living)]);
        assert_eq!(at(&one(&out, "Patient"), "/gender"), "male");
        assert!(out.deletes.is_empty() && !reported(&out, "MAP019"));
    }

    /// `text` of the extension that keeps a field.
    fn kept<'v>(v: &'v serde_json::Value, field: &str) -> Vec<&'v str> {
        let url = format!("urn:x-ssmix2:field:{field}");
        let all = v["extension"].as_array().map_or(&[][..], Vec::as_slice);
        let of = all.iter().filter(|e| e["url"] == url.as_str());
        of.filter_map(|e| e["valueString"].as_str()).collect()
    }

    #[test]
    fn what_is_no_time_is_kept_as_sent() {
        let msh = "MSH|^~\\&|A|B|C|D|20260401090512+0000||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87";
        let pid = |born: &str, sex: &str| {
            format!("{msh}\nPID|1||0000990001^^^^PI||割符^花子^^^^^L^I||{born}|{sex}")
        };
        let out = convert("ADT-00", &pid("S550402", "男"));
        let patient = one(&out, "Patient");
        assert!(patient.get("birthDate").is_none());
        assert_eq!(kept(&patient, "PID-7"), ["S550402"]);
        assert_eq!(kept(&patient, "PID-8"), ["男"]);
        let told = out.diagnostics.iter().filter(|d| d.code.code == "HL7113");
        assert_eq!(told.count(), 1);
        // A zone is part of a time.
        let out = convert("ADT-00", &pid("19800402093000-0500", "F"));
        assert_eq!(at(&one(&out, "Patient"), "/birthDate"), "1980-04-02");
        assert!(!reported(&out, "HL7113"));
        let out = convert("ADT-00", &pid("", "F").replace("20260401090512+0000", ""));
        assert!(reported(&out, "MAP009"));
        // In the resource of its own segment, whatever else was made meanwhile.
        let problem = "MSH|^~\\&|A|B|C|D|20260401090512||PPR^ZD1^PPR_ZD1|1|P|2.5||||||~ISO IR87\n\
            PID|1||0000990001^^^^PI||割符^花子^^^^^L^I||19680303|F\n\
            PRB|AD|20260401|20058911^狭心症^MDCDX2|PRB1|||20269901||99999999\n\
            ZPR||20058911^狭心症^MDCDX2\n\
            ORC|NW||||||||20260401|||D01^見立^一郎^^^^^^^L^^^^^I|||||01^内科^HL70069";
        let out = convert("PPR-01", problem);
        let condition = one(&out, "Condition");
        assert_eq!(kept(&condition, "PRB-7"), ["20269901"]);
        assert_eq!(kept(&condition, "PRB-9"), ["99999999"]);
    }

    /// A message of a kind for the usual patient.
    fn of_kind(event: &str, segments: &str) -> String {
        format!(
            "MSH|^~\\&|A|B|C|D|20260401090512||{event}|1|P|2.5||||||~ISO IR87\n\
            PID|1||0000990001^^^^PI||割符^花子^^^^^L^I||19680303|F\n{segments}"
        )
    }

    #[test]
    fn doses_that_are_no_numbers_are_told_and_kept() {
        let convert_rxe = |said: &[(usize, &str)]| {
            let mut fields = vec![""; 27];
            fields[0] = "RXE";
            fields[2] = "108665201^薬^HOT9";
            for (n, text) in said {
                fields[*n] = text;
            }
            let rxe = fields.join("|");
            let text = format!(
                "ORC|NW|21||1|||||20260401\n{rxe}\nTQ1|1||1013044400000000&毎食後&JAMISDP01|||14^d"
            );
            convert("OMP-01", &of_kind("RDE^O11^RDE_O11", &text))
        };
        let tablets = "TAB^錠^MR9P";
        let out = convert_rxe(&[
            (3, "1-2"),
            (5, tablets),
            (10, "42個"),
            (11, tablets),
            (12, "3回まで"),
            (19, "約3^TAB&錠&MR9P"),
        ]);
        let r = one(&out, "MedicationRequest");
        assert_eq!(
            at(&r, "/dosageInstruction/0/text"),
            "毎食後 1回1-2錠 1日約3錠 14日分"
        );
        assert!(r["dosageInstruction"][0].get("doseAndRate").is_none());
        assert_eq!(kept(&r, "RXE-10"), ["42個"]);
        assert_eq!(kept(&r, "RXE-11"), ["TAB^錠^MR9P"]);
        assert_eq!(kept(&r, "RXE-12"), ["3回まで"]);
        // A rate likewise; units alone say no amount, and are kept.
        let out = convert_rxe(&[
            (5, "ML^ミリリットル^MR9P"),
            (11, "HON^本^MR9P"),
            (22, "H1"),
            (23, "約60"),
            (24, "mL/hr^^ISO+"),
            (26, "G^グラム^MR9P"),
        ]);
        let r = one(&out, "MedicationRequest");
        assert_eq!(
            at(&r, "/dosageInstruction/0/text"),
            "毎食後 約60mL/hr/H1 14日分"
        );
        assert_eq!(kept(&r, "RXE-5"), ["ML^ミリリットル^MR9P"]);
        assert_eq!(kept(&r, "RXE-11"), ["HON^本^MR9P"]);
        assert_eq!(kept(&r, "RXE-26"), ["G^グラム^MR9P"]);
        let dose = [(3, "1"), (5, tablets)];
        let out = convert_rxe(&[&dose[..], &[(23, "60~80"), (24, "mL/hr^^ISO+")]].concat());
        let r = one(&out, "MedicationRequest");
        assert_eq!(kept(&r, "RXE-23"), ["60~80"]);
        let out = convert_rxe(&[&dose[..], &[(24, "ml/hr^ミリ毎時^ISO+")]].concat());
        assert_eq!(
            kept(&one(&out, "MedicationRequest"), "RXE-24"),
            ["ml/hr^ミリ毎時^ISO+"]
        );
    }

    #[test]
    fn two_persons_in_one_field_are_never_one() {
        let two = "110^医師^一郎^^^^^^^L^^^^^I~110^イシ^イチロウ^^^^^^^L^^^^^P~220^副医^二郎^^^^^^^L^^^^^I";
        let numbers = |out: &crate::Output| -> Vec<(String, usize)> {
            let people = all(out, "Practitioner");
            let mut found: Vec<_> = people
                .iter()
                .map(|p| {
                    (
                        at(p, "/identifier/0/value").to_owned(),
                        p["name"].as_array().map_or(0, Vec::len),
                    )
                })
                .collect();
            found.sort();
            found
        };
        let out = convert(
            "OMP-01",
            &of_kind(
                "RDE^O11^RDE_O11",
                &format!(
                    "ORC|NW|21||1|||||20260401|||{two}\nRXE||108665201^薬^HOT9|1||TAB^錠^MR9P\nORC|NW|21||2|||||20260401|||{two}\nRXE||108665202^薬^HOT9|1||TAB^錠^MR9P"
                ),
            ),
        );
        assert_eq!(numbers(&out), [("110".to_owned(), 2)]);
        for r in all(&out, "MedicationRequest") {
            assert_eq!(at(&r, "/requester/display"), "医師 一郎");
            assert_eq!(kept(&r, "ORC-12"), ["220^副医^二郎^^^^^^^L^^^^^I"]);
        }
        let out = convert(
            "ADT-22",
            &of_kind(
                "ADT^A01^ADT_A01",
                &format!(
                    "EVN||20260401090512\nPV1|1|I|4W^412^3^^^N||||{two}{}202604010900",
                    "|".repeat(37)
                ),
            ),
        );
        let both = [("110".to_owned(), 2), ("220".to_owned(), 1)];
        assert_eq!(numbers(&out), both);
        let stay = one(&out, "Encounter");
        let doctors = stay["participant"].as_array().map_or(0, Vec::len);
        assert_eq!(doctors, 2, "{stay:#}");
        let out = convert(
            "OML-11",
            &of_kind(
                "OUL^R22^OUL_R22",
                &format!(
                    "SPM|1|S1||023^血清^JC10\nOBR|1|3||3A^生化学^JC10|||20260401\nORC|SC|3\nOBX|1|NM|3D010000001926101^HbA1c^JC10||5|%|||||F|||20260401083000+0000||{two}"
                ),
            ),
        );
        assert_eq!(numbers(&out), both);
        let result = one(&out, "Observation");
        assert_eq!(result["performer"].as_array().map_or(0, Vec::len), 2);
        assert_eq!(
            at(&result, "/effectiveDateTime"),
            "2026-04-01T08:30:00+00:00"
        );
        // Without numbers: two names in one writing are two persons.
        let out = convert(
            "OML-11",
            &of_kind(
                "OUL^R22^OUL_R22",
                "SPM|1|S1||023^血清^JC10\nOBR|1|3||3A^生化学^JC10|||20260401\nORC|SC|3\nOBX|1|NM|3D010000001926101^HbA1c^JC10||5|%|||||F|||20260401||^医師^一郎^^^^^^^^^^^^I~^副医^二郎^^^^^^^^^^^^I",
            ),
        );
        let result = one(&out, "Observation");
        assert_eq!(at(&result, "/performer/1/display"), "副医 二郎");
    }

    #[test]
    fn what_a_row_takes_in_part_is_kept() {
        let out = convert(
            "OMP-12",
            &of_kind(
                "RAS^O17^RAS_O17",
                "ORC|NW|7||7_01_001|||||20260401012410||||||20260405080000\nRXE||00^一般^99I02|1||ML^ミリリットル^MR9P\n\
                RXA|0|1|20260401100000|20260401100000|620007329^ワクチン^HOT9|0.5|ML^ミリリットル^MR9P||||3E^1^1^^^N^本館^3F^東病棟||||LOT1~LOT2",
            ),
        );
        let given = one(&out, "MedicationAdministration");
        assert_eq!(kept(&given, "RXA-15"), ["LOT1~LOT2"]);
        assert_eq!(kept(&given, "RXA-11"), ["3E^1^1^^^N^本館^3F^東病棟"]);
        assert_eq!(kept(&given, "ORC-15"), ["20260405080000"]);
        let out = convert(
            "PPR-01",
            &of_kind(
                "PPR^ZD1^PPR_ZD1",
                "PRB|AD|20260401|20054174^胃炎^MDCDX2^^^^^^原文|P9|||20260401||||||U^疑い^99L",
            ),
        );
        let condition = one(&out, "Condition");
        assert_eq!(
            at(&condition, "/verificationStatus/coding/0/code"),
            "provisional"
        );
        assert_eq!(kept(&condition, "PRB-13"), ["U^疑い^99L"]);
        assert_eq!(
            kept(&condition, "PRB-3"),
            ["20054174^胃炎^MDCDX2^^^^^^原文"]
        );
        // The reason stands in the NW row only.
        let row = |control: &str, reason: &str| {
            format!(
                "ORC|{control}|8|||||||20260401\nOBR||8||1^胸部CT^JJ1017{}{reason}",
                "|".repeat(27)
            )
        };
        let both = format!("{}\n{}", row("NW", "C34^肺癌^I10"), row("PA", ""));
        let out = convert("OMG-01", &of_kind("OMG^O19^OMG_O19", &both));
        assert_eq!(
            kept(&one(&out, "ServiceRequest"), "OBR-31"),
            ["C34^肺癌^I10"]
        );
    }

    #[test]
    fn two_contents_under_one_name_are_told() {
        let name = || path("ADT-00", "-", "20260401090000000", "-", '1');
        let text = |phone: &str| {
            format!(
                "MSH|^~\\&|A|B|C|D|20260401090512||ADT^A08^ADT_A01|1|P|2.5\n\
                PID|1||0000990001^^^^PI||割符^花子^^^^^L^I||19680303|F|||||{phone}"
            )
        };
        let (one_phone, other) = (text("03-0000-0001"), text("03-0000-0002"));
        for (second, told) in [(&one_phone, false), (&other, true)] {
            let out = convert_patient(&[(name(), one_phone.as_str()), (name(), second.as_str())]);
            assert_eq!(reported(&out, "SSM104"), told);
            assert_eq!(all(&out, "Patient").len(), 1);
        }
    }

    #[test]
    fn what_a_place_says_beside_ward_room_and_bed_is_kept_in_the_stay() {
        let place = "3E^301^1^^^N^本館^3F^東病棟3階";
        let adt = |event: &str| {
            of_kind(
                &format!("ADT^{event}^ADT_A01"),
                &format!(
                    "EVN||20260401090512\nPV1|1|I|{place}|||{}202604010900",
                    "|".repeat(38)
                ),
            )
        };
        let told = |out: &crate::Output| {
            let of = |d: &&warifu_diag::Diagnostic| d.argument.as_deref() == Some("PV1-3");
            let all = out.diagnostics.iter().filter(of);
            all.map(|d| d.code.code).collect::<Vec<_>>()
        };
        let out = convert("ADT-22", &adt("A01"));
        let stay = one(&out, "Encounter");
        assert_eq!(at(&stay, "/location/0/location/display"), "3E-301-1");
        assert_eq!(kept(&stay, "PV1-3"), [place]);
        assert_eq!(told(&out), ["MAP003"]);
        // Said by each message of the stay, kept once.
        let file = |kind: &str, stamp: &str| path(kind, "20260401", stamp, "01", '1');
        let (admitted, left) = (adt("A01"), adt("A03"));
        let out = convert_patient(&[
            (file("ADT-22", "20260401090000001"), admitted.as_str()),
            (file("ADT-52", "20260409090000002"), left.as_str()),
        ]);
        assert_eq!(kept(&one(&out, "Encounter"), "PV1-3"), [place]);
        assert!(!reported(&out, "MAP018"));
    }

    #[test]
    fn insurance_and_events_are_kept_whole() {
        let msh = "MSH|^~\\&|A|B|C|D|20260401090512||";
        let pid = "PID|1||0000990001^^^^PI||割符^花子^^^^^L^I||19680303|F\n";
        let out = convert(
            "ADT-00",
            &format!(
                "{msh}ADT^A08^ADT_A01|1|P|2.5\n{pid}IN1|1|06^組合^JHSD0001|06139998|||||||||20250401|||K2^任意継続^JHSD0002||SEL^本人^HL70063"
            ),
        );
        assert_eq!(
            kept(&one(&out, "Coverage"), "IN1-15"),
            ["K2^任意継続^JHSD0002"]
        );
        let out = convert(
            "PPR-01",
            &format!(
                "{msh}PPR^ZD1^PPR_ZD1|1|P|2.5\n{pid}ZI1|1|06^組合^JHSD0001|06139998|||||||1^2||20250401|||13||SEL^本人^HL70063|19400101|東京都||70\nPRB|AD|20260401|20058911^狭心症^MDCDX2|PRB1|||20260401"
            ),
        );
        let coverage = one(&out, "Coverage");
        for (field, value) in [
            ("ZI1-15", "13"),
            ("ZI1-18", "19400101"),
            ("ZI1-19", "東京都"),
            ("ZI1-21", "70"),
        ] {
            assert_eq!(kept(&coverage, field), [value], "{field}");
        }
        let out = convert(
            "ADT-22",
            &format!(
                "{msh}ADT^A01^ADT_A01|1|P|2.5\nEVN||20260401090512||01\n{pid}PV1|1|I|4W^412^3^^^N||||||||||||||D01^見立^一郎|||||||||||||||||||||||||||202604010900"
            ),
        );
        assert_eq!(kept(&one(&out, "Encounter"), "EVN-4"), ["01"]);
    }

    #[test]
    fn who_and_what_differs_elsewhere_is_told() {
        let adt = |event: &str, born: &str, doctor: &str, rest: &str| {
            format!(
                "MSH|^~\\&|A|B|C|D|20260401090512||ADT^{event}|1|P|2.5\nEVN||20260401090512\n\
                PID|1||0000990001^^^^PI||割符^花子^^^^^L^I||{born}|F\n\
                PV1|1|I|4W^412^3^^^N||||{doctor}||||||||||{doctor}|||||||||||||||||||||||||||202604010900{rest}"
            )
        };
        let (one_name, with_kana) = (
            "D01^見立^一郎^^^^^^^L^^^^^I",
            "D01^見立^一郎^^^^^^^L^^^^^I~^ミタテ^イチロウ^^^^^^^L^^^^^P",
        );
        let file = |kind: &str, stamp: &str| path(kind, "20260401", stamp, "01", '1');
        let basic = adt("A08", "19480405", one_name, "");
        let admitted = adt("A01", "19480405", one_name, "");
        let left = adt("A03", "19700405", with_kana, "|202604090900");
        let other = left.replace("||||||||||D01", "||||||||||D03");
        let out = convert_patient(&[
            (
                path("ADT-00", "-", "20260401090000000", "-", '1'),
                basic.as_str(),
            ),
            (file("ADT-22", "20260401090000001"), admitted.as_str()),
            (file("ADT-52", "20260409090000002"), left.as_str()),
        ]);
        assert_eq!(at(&one(&out, "Patient"), "/birthDate"), "1948-04-05");
        let told = |code: &str| -> Vec<_> {
            let all = out.diagnostics.iter().filter(|d| d.code.code == code);
            all.map(|d| (d.argument.clone().unwrap_or_default(), d.span.source.0))
                .collect()
        };
        assert_eq!(told("MAP123"), [("PID-7".into(), 2)]);
        // The kana of a doctor who was described without.
        let doctor = one(&out, "Practitioner");
        assert_eq!(at(&doctor, "/name/1/text"), "ミタテ イチロウ");
        assert!(told("MAP018").is_empty() && told("MAP127").is_empty());
        let out = convert_patient(&[
            (file("ADT-22", "20260401090000001"), admitted.as_str()),
            (file("ADT-52", "20260409090000002"), other.as_str()),
        ]);
        let encounter = one(&out, "Encounter");
        assert_eq!(kept(&encounter, "PV1-17").len(), 1, "{encounter:#}");
    }

    #[test]
    fn the_newest_name_of_a_number_is_its_name() {
        let order = |day: u32, doctor: &str, department: &str| {
            let text = format!(
                "MSH|^~\\&|A|B|C|D|202604{day}090512||RDE^O11^RDE_O11|1|P|2.5||||||~ISO IR87\n\
                PID|1||0000990001^^^^PI||割符^花子^^^^^L^I||19680303|F\n\
                ORC|NW|00000000000000{day}|||||||202604{day}|||{doctor}|||||{department}\n\
                RXE||103835401^薬^HOT9|1||TAB^錠^MR9P|||||1|TAB^錠^MR9P\n\
                TQ1|1||1011000400000000&朝&JAMISDP01|||1^d|202604{day}\nRXR|PO"
            );
            let stamp = format!("202604{day}090000000");
            let name = path("OMP-01", &format!("202604{day}"), &stamp, "01", '1');
            let name = name.replace("999999999999999", &format!("00000000000000{day}"));
            (name, text)
        };
        let made = |first: (&str, &str), second: (&str, &str)| {
            let files = [order(11, first.0, first.1), order(12, second.0, second.1)];
            let files = files.map(|(name, text)| (name, text));
            let out = convert_patient(
                &files
                    .iter()
                    .map(|(name, text)| (name.clone(), text.as_str()))
                    .collect::<Vec<_>>(),
            );
            let doctor = one(&out, "Practitioner");
            let names: Vec<String> = doctor["name"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|n| n["text"].as_str().map(str::to_owned))
                .collect();
            let departments = all(&out, "Organization");
            let of = departments.iter().filter(|o| o["type"].is_array());
            let department = of
                .filter_map(|o| o["name"].as_str())
                .collect::<Vec<_>>()
                .join(",");
            let told = out.diagnostics.iter().filter(|d| d.code.code == "MAP127");
            let told: Vec<String> = told
                .filter_map(|d| d.argument.clone())
                .map(Into::into)
                .collect();
            (names, department, told)
        };
        let (old, new) = ("110^旧姓^一子^^^^^^^L^^^^^I", "110^新姓^一子^^^^^^^L^^^^^I");
        let (names, department, told) = made((old, "01^内科^99X"), (new, "01^総合内科^99X"));
        assert_eq!(
            (names, department.as_str()),
            (vec!["新姓 一子".to_owned()], "総合内科")
        );
        assert_eq!(told, ["ORC-12", "ORC-17"]);
        // A number alone takes no name away, and gets the one that comes.
        for (first, second) in [("110", new), (new, "110")] {
            let (names, department, told) = made((first, "01^内科^99X"), (second, "01^^99X"));
            assert_eq!(
                (names, department.as_str()),
                (vec!["新姓 一子".to_owned()], "内科")
            );
            assert!(told.is_empty());
        }
        // Kana alone are a form of the name, not another.
        let kana = "110^シンセイ^イチコ^^^^^^^L^^^^^P";
        let (names, _, told) = made((new, "01"), (kana, "01"));
        assert_eq!((names, told), (vec!["新姓 一子".to_owned()], vec![]));
    }

    #[test]
    fn of_rows_of_one_study_the_parent_is_used_and_the_others_are_kept() {
        let row = |control: &str, n: u32, ipc: &str| {
            format!(
                "ORC|{control}|{n}|||||||20260407111000\nOBR||{n}||110^検査^LENDO|||20260407\nIPC|{ipc}|1.2.3||ES^^DCM\n"
            )
        };
        let out = convert(
            "OMG-12",
            &format!(
                "MSH|^~\\&|A|B|C|D|20260407112000||OMG^O19^OMG_O19|1|P|2.5\n\
                PID|1||0000990001^^^^PI||割符^花子^^^^^L^I||19680303|F\n{}{}{}",
                row("NW", 11, "A1|P12345"),
                row("PA", 12, "A2|"),
                row("CH", 13, "A2|")
            ),
        );
        let study = one(&out, "ImagingStudy");
        let numbers = study["identifier"].to_string();
        assert!(
            numbers.contains("A2") && !numbers.contains("A1"),
            "{numbers}"
        );
        assert_eq!(kept(&study, "IPC-1"), ["A1"]);
        assert_eq!(kept(&study, "IPC-2"), ["P12345"]);
        let told = out.diagnostics.iter().filter(|d| d.code.code == "MAP401");
        let told: Vec<_> = told
            .filter_map(|d| d.argument.as_deref())
            .filter(|field| field.starts_with("IPC"))
            .collect();
        assert_eq!(told, ["IPC-1"]);
    }

    #[test]
    fn the_references_of_a_role_are_traced_each_to_its_own_field() {
        let out = convert(
            "PPR-01",
            "MSH|^~\\&|A|B|C|D|20260401090512||PPR^ZD1^PPR_ZD1|1|P|2.5||||||~ISO IR87\n\
            PID|1||0000990001^^^^PI||割符^花子^^^^^L^I||19680303|F\n\
            PRB|AD|20260401|20058911^狭心症^MDCDX2|PRB1|||20260401\n\
            ZPR||20058911^狭心症^MDCDX2\n\
            ORC|NW||||||||20260401|||D01^見立^一郎^^^^^^^L^^^^^I|||||01^内科^HL70069",
        );
        let path_of = |resource_type: &str, pointer: &str| -> Vec<String> {
            let made = out.resources.iter();
            made.filter(|r| r.resource_type == resource_type)
                .flat_map(|r| crate::trace::hits(&out, r))
                .filter(|hit| hit.pointer == pointer)
                .flat_map(|hit| hit.spans.into_iter().map(|s| s.path))
                .collect()
        };
        let role = "PractitionerRole";
        assert_eq!(path_of(role, "/practitioner/reference"), ["ORC-12"]);
        assert_eq!(path_of(role, "/organization/reference"), ["ORC-17.1"]);
        assert_eq!(path_of("Patient", "/identifier/0/value"), ["PID-3.1"]);
    }
}
