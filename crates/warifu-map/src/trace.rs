//! The trace: for each leaf of the output its row and source bytes; for each source field whether it
//! was used.

use warifu_order::{Map, Set};

use warifu_diag::catalogue::{enc, hl7};
use warifu_diag::{Code, FieldPath, SourceId};
use warifu_fhir::{Row, Src};
use warifu_hl7::{Index, Message, Part, Segment, findings};

use crate::convert::Core;
use crate::cx::{Cx, Item, Sourced as _};
use crate::kinds;
use crate::output::{Apart, OutResource, Output, name_file};
use crate::table::Action;

/// One source of a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HitSpan {
    /// Number of the message (file).
    pub message: u16,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// Field path, e.g. `PID-5[1].1`.
    pub path: String,
}

/// A leaf with its row and sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// RFC 6901 pointer into the resource.
    pub pointer: String,
    /// The row that wrote it; `None` for what the engine itself writes (`resourceType`, `id`).
    pub row: Option<Row>,
    /// Source bytes; empty for constants.
    pub spans: Vec<HitSpan>,
}

/// Why a field left no leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A row says it is left alone on purpose.
    Ignored,
    /// A row says it has no target.
    Lost,
    /// A row takes the field, but this value was passed over: another field, order or component goes
    /// before it, says the same, or the row has no use for it in this kind of data.
    PassedOver,
    /// It was read to decide (which order, what state, which of several), and stands nowhere.
    Read,
    /// Its file is not in force: an older version, withdrawn, or another of the same key.
    NotInForce,
    /// JP Core's resources have it; the form that was asked for leaves it out.
    NotInForm,
    /// No row knows the field.
    Unknown,
}

impl Reason {
    /// Word of the machine formats.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ignored => "ignored",
            Self::Lost => "lost",
            Self::PassedOver => "passed-over",
            Self::Read => "read",
            Self::NotInForce => "not-in-force",
            Self::NotInForm => "not-in-form",
            Self::Unknown => "unknown",
        }
    }
}

/// A field that has a value but left no leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unused {
    /// Number of the message (file).
    pub message: u16,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// Field path.
    pub path: FieldPath,
    /// Why.
    pub reason: Reason,
}

/// How much of an output was there before a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    events: usize,
    used: usize,
    lost: usize,
}

impl Mark {
    pub(crate) fn of(out: &Output) -> Self {
        Self {
            events: out.events.len(),
            used: out.used.len(),
            lost: out.lost.len(),
        }
    }
}

/// Findings about lines and the file, which name no field.
static WITHOUT_FIELD: [Code; 5] = [
    &hl7::HL7104,
    &hl7::HL7105,
    &hl7::HL7106,
    &hl7::HL7127,
    &enc::ENC113,
];

/// Names the paths of findings and, with tracing on, of leaves; lists unused fields.
pub(crate) fn finish_messages<'a>(
    messages: &[(Item<'a>, Message<'a>)],
    core: &Core,
    out: &mut Output,
    mark: Mark,
    first_diagnostic: usize,
) {
    let by_number: Map<u16, &Message<'a>> = if messages.len() > 1 || core.options.trace {
        messages.iter().map(|(_, m)| (m.number(), m)).collect()
    } else {
        Map::new()
    };
    let find = |n: u32| -> Option<&Message<'a>> {
        match messages {
            [(_, m)] if u32::from(m.number()) == n => Some(m),
            [_] => None,
            _ => u16::try_from(n)
                .ok()
                .and_then(|n| by_number.get(&n).copied()),
        }
    };
    for d in out.diagnostics.iter_mut().skip(first_diagnostic) {
        let names_no_field = || WITHOUT_FIELD.iter().any(|code| std::ptr::eq(*code, d.code));
        if d.path.is_none() && d.span.end > 0 && !names_no_field() {
            d.path = find(d.span.source.0).and_then(|m| m.locate(d.span.start));
        }
    }
    if core.options.trace {
        note_sources(messages, core, out, (mark, first_diagnostic), &find);
    }
}

/// Names the paths of leaves and lists unused fields. As all of tracing, it is kept apart from what
/// converts: in wasm that is a part of its own.
#[inline(never)]
fn note_sources<'m, 'a>(
    messages: &'m [(Item<'a>, Message<'a>)],
    core: &Core,
    out: &mut Output,
    (mark, first_diagnostic): (Mark, usize),
    find: &dyn Fn(u32) -> Option<&'m Message<'a>>,
) {
    let reasons = core.reasons.get_or_init(Reasons::read);
    // What was written and then made anew from a newer file is no leaf.
    let standing = out.resources.iter().filter(|r| r.events.0 >= mark.events);
    let events = standing.filter_map(|r| out.events.get(r.events.0..r.events.1));
    let leaves = sorted(events.flatten().map(|e| e.src));
    let read = sorted(out.used.iter().skip(mark.used).copied());
    for s in leaves.iter().chain(&read) {
        if !out.paths.contains_key(s)
            && let Some(p) = find(u32::from(s.message)).and_then(|m| m.locate_all(s.start, s.end))
        {
            out.paths.insert(*s, p);
        }
    }
    let lost = sorted(out.lost.iter().skip(mark.lost).map(|(s, _)| *s));
    // Where what a message says is said by a newer one, and nothing of it stands, it is not in force.
    let found = out.diagnostics.iter().skip(first_diagnostic);
    let replaced = found.filter(|d| d.code.code == "MAP016");
    let replaced: Set<u32> = replaced.map(|d| d.span.source.0).collect();
    for (_, m) in messages {
        if replaced.contains(&u32::from(m.number()))
            && Cover::of(&leaves, m.number()).spans.is_empty()
        {
            note_passed(*m, out);
            continue;
        }
        let [lost, read] = [&lost, &read].map(|all| Cover::of(all, m.number()));
        list_unused(*m, out, (&leaves, core.options.clins), &|field, name, n| {
            if lost.touches(field) {
                Reason::Lost
            } else if read.touches(field) {
                Reason::Read
            } else {
                reasons.of(name, n)
            }
        });
    }
}

/// Notes that all of a segment was read.
#[inline(never)]
pub(crate) fn use_all(cx: &mut Cx<'_, '_>, segment: Segment<'_>) {
    for (_, field) in segment.fields() {
        cx.used(&field);
    }
}

/// Names the path of the time of a message that only withdraws.
#[inline(never)]
pub(crate) fn name_time(message: Message<'_>, out: &mut Output) {
    let sent = message.value(b"MSH", 7).src();
    if sent.is_some()
        && let Some(path) = message.locate(sent.start)
    {
        out.paths.insert(sent, path);
    }
}

/// Lists all fields of files that are not in force.
#[inline(never)]
pub(crate) fn note_passed_files(
    files: &mut dyn Iterator<Item = (u16, &[u8])>,
    core: &Core,
    out: &mut Output,
) {
    let mut index = Index::new();
    for (number, bytes) in files {
        let (arena, source) = (bumpalo::Bump::new(), SourceId(u32::from(number)));
        for (start, end) in findings::messages_of(bytes, source, &mut Vec::new()) {
            let bytes = bytes.get(..end).unwrap_or_default();
            index.build_part(bytes, start, core.options.charset);
            let message = Message::new(bytes, &index, &arena, number);
            note_passed(message, out);
        }
    }
}

/// Lists all fields of a message that is not in force.
#[inline(never)]
pub(crate) fn note_passed(message: Message<'_>, out: &mut Output) {
    list_unused(message, out, (&[], false), &|_, _, _| Reason::NotInForce);
}

/// What was traced of messages that had numbers of their own names their files again.
#[inline(never)]
pub(crate) fn number_by_file(out: &mut Output, since: Apart, files: &[u16]) {
    let events = out.events.iter_mut().skip(since.events);
    let used = out.used.iter_mut().skip(since.used);
    let lost = out.lost.iter_mut().skip(since.lost);
    let sources = events.map(|e| &mut e.src).chain(used);
    let sources = sources.chain(lost.map(|(s, _)| s)).map(|s| &mut s.message);
    let unused = out.unused.iter_mut().skip(since.unused);
    let all = sources.chain(unused.map(|u| &mut u.message));
    all.for_each(|n| name_file(n, files));
    let paths = std::mem::replace(&mut out.paths, since.paths);
    for (mut src, path) in paths.into_sorted() {
        name_file(&mut src.message, files);
        out.paths.insert(src, path);
    }
}

fn sorted(all: impl Iterator<Item = Src>) -> Vec<Src> {
    let mut all: Vec<Src> = all.filter(|s| s.is_some()).collect();
    warifu_order::sort(&mut all);
    all.dedup();
    all
}

/// Most unused fields of a file that are listed one by one; the last stands for all behind it.
pub const MAX_UNUSED: usize = 10_000;

/// Lists what of a message none of `leaves` comes from; with `all` also what they come from, as
/// [`Reason::NotInForm`] until [`leave_out`] knows the form.
fn list_unused(
    m: Message<'_>,
    out: &mut Output,
    (leaves, all): (&[Src], bool),
    reason: &dyn Fn(Part<'_>, [u8; 3], usize) -> Reason,
) {
    let leaves = Cover::of(leaves, m.number());
    // `""` says something as well.
    let left = |part: &Part<'_>| !part.is_empty() && !leaves.touches(*part);
    let said = |part: &Part<'_>| !part.is_empty() && (all || left(part));
    for segment in m.segments() {
        let name = segment.name();
        for (n, field) in segment.fields() {
            if name == *b"MSH" && n <= 2 {
                continue;
            }
            let mut push = |part| {
                let reason = if left(&part) {
                    reason(part, name, n)
                } else {
                    Reason::NotInForm
                };
                push_unused(out, m, part, reason);
            };
            if left(&field) {
                push(field);
                continue;
            }
            for c in field.reps().flat_map(|rep| rep.comps()) {
                if left(&c) {
                    push(c);
                } else {
                    c.subs().filter(said).for_each(&mut push);
                }
            }
        }
    }
}

/// The sources in one message, to be asked for overlaps.
struct Cover<'s> {
    /// Ordered by first byte; they may nest.
    spans: &'s [Src],
    /// The furthest end up to each span.
    reach: Vec<u32>,
}

impl<'s> Cover<'s> {
    /// `all` is sorted.
    fn of(all: &'s [Src], message: u16) -> Self {
        let from = all.partition_point(|s| s.message < message);
        let to = all.partition_point(|s| s.message <= message);
        let spans = all.get(from..to).unwrap_or_default();
        let mut furthest = 0;
        let furthest_so_far = |s: &Src| {
            furthest = s.end.max(furthest);
            furthest
        };
        let reach = spans.iter().map(furthest_so_far).collect();
        Self { spans, reach }
    }
    /// The furthest end of those that begin before a byte.
    fn reach_before(&self, start: u32) -> u32 {
        let n = self.spans.partition_point(|s| s.start < start);
        let reach = n.checked_sub(1).and_then(|last| self.reach.get(last));
        reach.copied().unwrap_or_default()
    }
    fn touches(&self, part: Part<'_>) -> bool {
        let (start, end) = part.span();
        self.reach_before(end) > start
    }
    /// Whether what is listed is there nonetheless: where it may be, any byte of it, else all.
    fn has(&self, u: &Unused) -> bool {
        if u.reason == Reason::NotInForm {
            self.reach_before(u.end) > u.start
        } else {
            self.reach_before(u.start + 1) >= u.end
        }
    }
}

/// Takes off the list what JP-CLINS has; what is left there of the resources of JP Core it leaves out.
#[inline(never)]
pub(crate) fn leave_out(out: &mut Output, parts: &[crate::clins::Part]) {
    let hits = parts.iter().flat_map(|p| p.hits.iter().flatten());
    let sources = hits.flat_map(|h| &h.spans).map(|s| Src {
        message: s.message,
        start: s.start,
        end: s.end,
    });
    let (leaves, listed) = (sorted(sources), std::mem::take(&mut out.unused));
    out.unused_from = (0, None);
    for of_message in listed.chunk_by(|a, b| a.message == b.message) {
        let message = of_message.first().map_or(0, |u| u.message);
        let leaves = Cover::of(&leaves, message);
        let left = of_message.iter().filter(|u| !leaves.has(u));
        left.for_each(|u| list(out, u.clone()));
    }
}

#[inline(never)]
fn push_unused(out: &mut Output, m: Message<'_>, part: Part<'_>, reason: Reason) {
    let (start, end) = part.span();
    let Some(path) = m.locate_all(start, end) else {
        return;
    };
    let u = Unused {
        message: m.number(),
        start,
        end,
        path,
        reason,
    };
    // What a form may leave out is counted when that is known, and nothing is put together with it.
    let waits = |u: &Unused| u.reason == Reason::NotInForm;
    if waits(&u) || out.unused.last().is_some_and(waits) {
        out.unused.push(u);
        out.unused_from.0 += 1;
    } else {
        list(out, u);
    }
}

/// Lists a field, behind [`MAX_UNUSED`] of its file as part of the last one.
#[inline(never)]
fn list(out: &mut Output, u: Unused) {
    let file = Some(out.file_of(SourceId(u.message.into())));
    if out.unused_from.1 != file {
        out.unused_from = (out.unused.len(), file);
    }
    let listed = out.unused.len().saturating_sub(out.unused_from.0);
    match out.unused.last_mut().filter(|_| listed >= MAX_UNUSED) {
        Some(last) => {
            // Messages of a file come in the order of their weight.
            (last.start, last.end) = (last.start.min(u.start), last.end.max(u.end));
        }
        None => out.unused.push(u),
    }
}

/// What the tables say about fields that leave no leaf, by segment and field.
#[derive(Debug)]
pub(crate) struct Reasons {
    by_field: Map<([u8; 3], u16), Reason>,
}

impl Reasons {
    /// Reads the tables.
    fn read() -> Self {
        let mut by_field = Map::new();
        for row in kinds::tables().flat_map(|t| t.rows.iter()) {
            let reason = match row.action {
                Action::Ignored(_) | Action::Same(..) => Reason::Ignored,
                Action::Lost => Reason::Lost,
                // A row for a whole segment takes none of its fields.
                _ if row.field == 0 => continue,
                _ => Reason::PassedOver,
            };
            let slot = by_field.entry((row.segment, row.field)).or_insert(reason);
            if reason == Reason::Ignored || *slot == Reason::PassedOver {
                *slot = reason;
            }
        }
        Self { by_field }
    }
    /// The reason of a field; a row for the whole segment (field 0) counts as well.
    fn of(&self, segment: [u8; 3], field: usize) -> Reason {
        let get = |f: u16| self.by_field.get(&(segment, f)).copied();
        let own = u16::try_from(field).ok().and_then(get);
        own.or_else(|| get(0)).unwrap_or(Reason::Unknown)
    }
}

/// Gives [`hits`] away while they are wanted. With what it needs it is a part of its own in wasm.
#[inline(never)]
pub fn each_hit(out: &Output, r: &OutResource, wanted: &mut dyn FnMut(Hit) -> bool) {
    hits(out, r).all(wanted);
}

/// Every leaf of a resource with its row and sources. `out` must have been made with tracing on.
pub fn hits<'o>(out: &'o Output, r: &'o OutResource) -> impl Iterator<Item = Hit> + 'o {
    let json = out.json_of(r);
    let events = out.events.get(r.events.0..r.events.1).unwrap_or_default();
    let rows = out.rows.get(r.rows.0..r.rows.1).unwrap_or_default();
    let mut next = 0;
    // What has neither row nor source is a constant of the resource's table.
    let table = rows.iter().find_map(|(_, row)| row.map(|r| r.table));
    let resource_type = r.resource_type;
    let constants = kinds::constants_of(table, resource_type);
    let mut words = kinds::Words::default();
    warifu_fhir::trace::leaves(json).map(move |leaf| {
        let at = u32::try_from(leaf.start).unwrap_or(u32::MAX);
        let mut spans = Vec::new();
        let mut row = None;
        let mut first: Option<&FieldPath> = None;
        // Events at or before the leaf's first byte belong to it ("also" events stand before the key).
        while let Some(e) = events.get(next).filter(|e| e.at <= at) {
            if e.src.is_some() {
                let path = out.paths.get(&e.src);
                first = first.or(path);
                // What a segment without fields says, its name says; what else is not there, the byte before.
                let bytes = match path {
                    Some(_) if e.src.start < e.src.end => 0,
                    Some(path) if path.field == 0 => 3,
                    Some(_) => 1,
                    None => 0,
                };
                let span = HitSpan {
                    message: e.src.message,
                    start: e.src.start.saturating_sub(bytes),
                    end: e.src.end,
                    path: path.map(ToString::to_string).unwrap_or_default(),
                };
                if !spans.contains(&span) {
                    spans.push(span);
                }
            }
            row = e.row.or(row);
            next += 1;
        }
        if row.is_none() {
            let n = rows.partition_point(|(start, _)| *start <= at);
            row = n
                .checked_sub(1)
                .and_then(|n| rows.get(n))
                .and_then(|(_, row)| *row);
        }
        // A field read inside a composite belongs to its own row of the same table.
        let own = row
            .zip(first)
            .and_then(|(r, first)| words.row(r.table, first));
        // What a row for another element left in force is not of that row.
        let element = leaf.pointer.split('/').nth(1).unwrap_or_default();
        let element = element.trim_start_matches('_');
        let wrong = row.filter(|r| {
            let mut target = || words.text(r).target;
            own.is_none()
                && element != "contained"
                && !kinds::writes(target(), resource_type, element)
        });
        if let Some(wrong) = wrong {
            row = kinds::row_for(wrong, first, resource_type, element);
        }
        row = own.or(row);
        let engine = matches!(leaf.pointer.as_str(), "/resourceType" | "/id");
        Hit {
            row: row
                .or_else(|| constants.filter(|_| !engine))
                .map(|row| words.text(row)),
            pointer: leaf.pointer,
            spans,
        }
    })
}
