//! What a conversion gives.

use warifu_order::{Map, Set};

use warifu_diag::catalogue::hl7::HL7199;
use warifu_diag::{Diagnostic, Severity, SourceId, Span};
use warifu_fhir::{Event, Id, Resource, RowId, Src};

/// Most findings of the messages of a file that are listed; the rest is counted (`HL7199`).
pub const MAX_FINDINGS: usize = 10_000;

/// Number of resources that are looked through rather than looked up.
const FEW: usize = 32;

/// A resource in an [`Output`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutResource {
    /// Resource type.
    pub resource_type: &'static str,
    /// Logical id.
    pub id: Id,
    /// Range of its JSON in [`Output::json`].
    pub start: usize,
    /// End of its JSON.
    pub end: usize,
    /// Range of its events in [`Output::events`].
    pub events: (usize, usize),
    /// Range of its rows in [`Output::rows`].
    pub rows: (usize, usize),
    /// Number of the message (file) it was made from first.
    pub message: u16,
    /// Number of the person whose message that is, in [`Output::people`].
    pub person: u32,
    /// Number of that message in the output: one for each, however they are packed into files.
    pub(crate) said: u64,
}

/// A resource that a receiver must delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delete {
    /// Resource type.
    pub resource_type: &'static str,
    /// Logical id.
    pub id: Id,
    /// Number of the message (file) that asks for it.
    pub message: u16,
    /// Number of the person whose message that is, in [`Output::people`].
    pub person: u32,
}

/// Resources, deletions and findings of one conversion.
#[derive(Debug, Default)]
pub struct Output {
    /// JSON of all resources, one after the other, nothing between.
    pub json: Vec<u8>,
    /// The resources in the order in which they were made.
    pub resources: Vec<OutResource>,
    /// Deletions.
    pub deletes: Vec<Delete>,
    /// Findings; `Span::source` is the number of the file in the input.
    pub diagnostics: Vec<Diagnostic>,
    /// Leaf events (tracing on), offsets relative to the resource's JSON.
    pub events: Vec<Event>,
    /// Starts of elements and their rows (tracing on), offsets relative to the resource's JSON.
    pub rows: Vec<(u32, Option<&'static RowId>)>,
    /// Fields read for a decision without leaving a leaf (tracing on).
    pub used: Vec<Src>,
    /// Fields that have no target, with their row (tracing on).
    pub lost: Vec<(Src, &'static RowId)>,
    /// MSH-7 of each message (`Bundle.timestamp` when no "sent at" is given), with the number of its file and
    /// its own in the output.
    pub message_times: Vec<(u16, warifu_hl7::time::Time, u64)>,
    /// What each message says of its visit ([`crate::Options::clins`] on).
    pub visits: Vec<crate::clins::Visit>,
    /// Field paths of the sources (tracing on).
    pub paths: warifu_order::Map<Src, warifu_diag::FieldPath>,
    /// Fields that have a value but left no leaf (tracing on).
    pub unused: Vec<crate::trace::Unused>,
    /// Where those of the file at hand begin, and the file.
    pub(crate) unused_from: (usize, Option<SourceId>),
    /// Logical id of the first patient met.
    pub patient: Option<Id>,
    /// Logical ids of the persons whose messages were converted or withdrawn, in turn.
    pub people: Vec<Id>,
    /// Number of the person at hand.
    person: u32,
    /// Number of findings of each file that a message gave, and how bad the worst left out is.
    found: Map<u32, (usize, Severity)>,
    /// How each Practitioner and each department without a table was described.
    described: Vec<Described>,
    /// Where in `described` each stands; keyed as `seen` is, which is less code than one map more.
    described_at: Map<(Id, &'static str), u32>,
    /// A shared resource that is being made anew.
    taken: Option<(Id, &'static str)>,
    /// Whether `json` has texts that newer ones took the places of.
    outdated: bool,
    /// `meta.source` of what is made from a file.
    sources: Map<u16, Option<String>>,
    /// The place of each resource, once there are more than [`FEW`].
    seen: Map<(Id, &'static str), u32>,
    /// How often an id was asked for by entries of one message, where more than once.
    again: Map<(Id, &'static str), u32>,
    /// What numbers of messages count from in the output.
    pub(crate) base: u64,
    /// Files of the messages of the person at hand, where messages have numbers of their own.
    files: Vec<u16>,
    /// Messages whose order number another file has as well, reported already.
    shared_orders: Set<u16>,
    /// Requests of tests, by number and item.
    pub(crate) tests: crate::kinds::laboratory::joined::Tests,
    /// What the institution is described by, see `facility_of`.
    pub(crate) facility: Vec<u8>,
    /// Messages of whose visit a stay keeps what it has no element for.
    pub(crate) kept_visits: Set<u16>,
}

/// More than there are numbers of messages.
const APART: u64 = 1 << 16;

/// What was there before messages had numbers of their own.
#[derive(Debug)]
pub(crate) struct Apart {
    diagnostics: usize,
    resources: usize,
    deletes: usize,
    message_times: usize,
    visits: usize,
    pub(crate) events: usize,
    pub(crate) used: usize,
    pub(crate) lost: usize,
    pub(crate) unused: usize,
    pub(crate) paths: Map<Src, warifu_diag::FieldPath>,
}

/// The file of a message instead of its own number.
pub(crate) fn name_file(n: &mut u16, files: &[u16]) {
    *n = files.get(usize::from(*n)).copied().unwrap_or(*n);
}

/// By what a shared resource was described last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Described {
    /// The name without blanks; empty where only a number was given.
    pub(crate) name: String,
    /// The beginning of the field.
    pub(crate) field: Vec<u8>,
    /// Number of its forms.
    pub(crate) forms: usize,
    /// Representation of the first (`XCN-15`).
    pub(crate) kind: Vec<u8>,
    /// Whether it was told that there are several names.
    pub(crate) told: bool,
    /// Where in the output it stands.
    pub(crate) place: usize,
}

/// Whether resources of that type are those of many files and patients.
pub(crate) fn is_shared(resource_type: &str) -> bool {
    matches!(
        resource_type,
        "Practitioner" | "PractitionerRole" | "Organization" | "Location"
    )
}

impl Output {
    /// Empty output; capacity is kept by [`Output::clear`].
    pub fn new() -> Self {
        Self::default()
    }
    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.json.clear();
        self.resources.clear();
        self.deletes.clear();
        self.diagnostics.clear();
        self.events.clear();
        self.rows.clear();
        self.used.clear();
        self.lost.clear();
        self.paths.clear();
        self.unused.clear();
        self.unused_from = (0, None);
        self.message_times.clear();
        self.visits.clear();
        self.patient = None;
        self.people.clear();
        self.person = 0;
        self.found.clear();
        self.sources.clear();
        self.described.clear();
        self.described_at.clear();
        self.taken = None;
        self.outdated = false;
        self.seen.clear();
        self.again.clear();
        self.files.clear();
        self.shared_orders.clear();
        self.kept_visits.clear();
        self.facility.clear();
        self.tests.clear();
    }
    /// What follows is of this person.
    pub(crate) fn turn_to(&mut self, person: Id) {
        if self.people.last() != Some(&person) {
            self.people.push(person);
        }
        // A result of one person is never of another's request, whatever its number.
        self.tests.clear();
        self.person = u32::try_from(self.people.len()).map_or(u32::MAX, |n| n - 1);
    }
    /// Number of the person at hand.
    pub(crate) fn person(&self) -> u32 {
        self.person
    }
    /// Adds a finding of a message, unless its file has [`MAX_FINDINGS`] already.
    pub(crate) fn report(&mut self, d: Diagnostic) {
        let file = self.file_of(d.span.source).0;
        // Mostly it is the file that the one before was of.
        let (count, worst) = match self.found.last_mut() {
            Some((last, found)) if *last == file => found,
            _ => self.found.entry(file).or_insert((0, Severity::Info)),
        };
        *count += 1;
        if *count > MAX_FINDINGS {
            *worst = d.severity.max(*worst);
        } else {
            self.diagnostics.push(d);
        }
    }
    /// Counts the findings that were added since `first`, as [`Output::report`] does.
    pub(crate) fn report_from(&mut self, first: usize) {
        if self.diagnostics.len() <= first {
            return;
        }
        for d in self.diagnostics.split_off(first) {
            self.report(d);
        }
    }
    /// Whether findings of a file were left out.
    pub(crate) fn is_cut(&self, message: u16) -> bool {
        let found = self.found.get(&self.file_of(SourceId(message.into())).0);
        found.is_some_and(|(count, _)| *count > MAX_FINDINGS)
    }
    /// The number of a message in the output.
    pub(crate) fn said(&self, message: u16) -> u64 {
        self.base + u64::from(message)
    }
    /// The file of a message.
    pub(crate) fn file_of(&self, message: SourceId) -> SourceId {
        let n = usize::try_from(message.0).unwrap_or(usize::MAX);
        self.files
            .get(n)
            .map_or(message, |n| SourceId(u32::from(*n)))
    }
    /// From here on messages have numbers of their own, which are their places in `files`.
    pub(crate) fn number_apart(&mut self, files: Vec<u16>) -> Apart {
        self.files = files;
        self.base += APART;
        Apart {
            diagnostics: self.diagnostics.len(),
            resources: self.resources.len(),
            deletes: self.deletes.len(),
            message_times: self.message_times.len(),
            visits: self.visits.len(),
            events: self.events.len(),
            used: self.used.len(),
            lost: self.lost.len(),
            unused: self.unused.len(),
            paths: std::mem::take(&mut self.paths),
        }
    }
    /// What was made since names its files again.
    pub(crate) fn number_by_file(&mut self, since: Apart) {
        let files = std::mem::take(&mut self.files);
        self.base += APART;
        let source = |s: &mut SourceId| {
            let mut n = u16::try_from(s.0).unwrap_or(u16::MAX);
            name_file(&mut n, &files);
            s.0 = n.into();
        };
        for d in self.diagnostics.iter_mut().skip(since.diagnostics) {
            source(&mut d.span.source);
            for label in d.extra.iter_mut().flat_map(|e| &mut e.secondary) {
                source(&mut label.span.source);
            }
        }
        for r in self.resources.iter_mut().skip(since.resources) {
            name_file(&mut r.message, &files);
        }
        for d in self.deletes.iter_mut().skip(since.deletes) {
            name_file(&mut d.message, &files);
        }
        for (n, ..) in self.message_times.iter_mut().skip(since.message_times) {
            name_file(n, &files);
        }
        if let Some(visits) = self
            .visits
            .get_mut(since.visits..)
            .filter(|v| !v.is_empty())
        {
            crate::clins::number_by_file(visits, &files);
        }
        if !(self.used.is_empty() && self.unused.is_empty() && self.events.is_empty()) {
            crate::trace::number_by_file(self, since, &files);
        }
    }
    /// Ends a conversion.
    pub(crate) fn finish(&mut self) {
        self.report_cut();
        self.drop_outdated();
    }
    /// Says how many findings of each file were left out.
    fn report_cut(&mut self) {
        for (source, (count, worst)) in self.found.iter() {
            if let Some(more) = count.checked_sub(MAX_FINDINGS).filter(|n| *n > 0) {
                let span = Span {
                    source: SourceId(*source),
                    ..Span::default()
                };
                let mut d = Diagnostic::new(&HL7199, span).with(more.to_string());
                // What counts for the exit code is not lost.
                d.severity = d.severity.max(*worst);
                self.diagnostics.push(d);
            }
        }
        self.found.clear();
    }
    /// Whether a resource of that type and id is there already.
    pub fn contains(&self, resource_type: &'static str, id: Id) -> bool {
        self.taken != Some((id, resource_type)) && self.maker(resource_type, id).is_some()
    }
    /// A resource that was made.
    fn made(&self, resource_type: &'static str, id: Id) -> Option<&OutResource> {
        if self.resources.len() > FEW {
            let place = *self.seen.get(&(id, resource_type))?;
            return self.resources.get(usize::try_from(place).ok()?);
        }
        let same = |r: &&OutResource| r.id == id && r.resource_type == resource_type;
        self.resources.iter().find(same)
    }
    /// The message that made a resource.
    pub(crate) fn maker(&self, resource_type: &'static str, id: Id) -> Option<u16> {
        self.made(resource_type, id).map(|r| r.message)
    }
    /// Whether a resource of `message` that was made before by another says otherwise.
    pub(crate) fn says_otherwise(&self, r: &mut Resource, message: u16) -> bool {
        let (mut json, mut events, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        let source = source_of(&self.sources, r.resource_type(), message);
        r.write(source, &mut json, &mut events, &mut rows);
        let other = self.made(r.resource_type(), r.id());
        other.is_some_and(|other| self.json_of(other) != json)
    }
    /// The message that made a resource, if it stands in another file than `message`.
    pub(crate) fn other_maker(
        &self,
        resource_type: &'static str,
        id: Id,
        message: u16,
    ) -> Option<u16> {
        let file_of = |n: u16| self.file_of(SourceId(n.into()));
        let other = self.maker(resource_type, id)?;
        (file_of(other) != file_of(message)).then_some(other)
    }
    /// Counts an entry whose id is there already; the second gives 2.
    pub(crate) fn count_again(&mut self, resource_type: &'static str, id: Id) -> u32 {
        let count = self.again.entry((id, resource_type)).or_insert(1);
        *count += 1;
        *count
    }
    /// Notes that a message has the order number of another file; whether that is new.
    pub(crate) fn note_shared_order(&mut self, message: u16) -> bool {
        self.shared_orders.insert(message)
    }
    /// Says where what is made from a file comes from (`meta.source`, a URI without characters that
    /// JSON escapes); nothing for files without a storage name.
    pub(crate) fn set_source(&mut self, message: u16, source: Option<String>) {
        self.sources.insert(message, source);
    }
    /// Adds a resource unless one of the same type and id is there; returns whether it was added.
    pub fn push(&mut self, r: &mut Resource, message: u16) -> bool {
        let (resource_type, id) = (r.resource_type(), r.id());
        if self.contains(resource_type, id) {
            return false;
        }
        let start = self.json.len();
        let (events, rows) = (self.events.len(), self.rows.len());
        let source = source_of(&self.sources, resource_type, message);
        r.write(source, &mut self.json, &mut self.events, &mut self.rows);
        self.note(OutResource {
            resource_type,
            id,
            start,
            end: self.json.len(),
            events: (events, self.events.len()),
            rows: (rows, self.rows.len()),
            message,
            person: self.person,
            said: self.said(message),
        });
        true
    }
    /// Adds a resource that was written before, without `meta.source` and without a trace, like
    /// [`Output::push`].
    pub(crate) fn push_json(
        &mut self,
        resource_type: &'static str,
        id: Id,
        json: &[u8],
        message: u16,
    ) -> bool {
        if self.contains(resource_type, id) {
            return false;
        }
        let start = self.json.len();
        let source = source_of(&self.sources, resource_type, message);
        let head =
            r#"{"resourceType":"","id":"""#.len() + resource_type.len() + id.as_bytes().len();
        if let (Some(source), Some((before, after))) = (source, json.split_at_checked(head)) {
            self.json.extend_from_slice(before);
            let rest = after.strip_prefix(br#","meta":{"#);
            self.json.extend_from_slice(br#","meta":{"source":""#);
            self.json.extend_from_slice(source.as_bytes());
            self.json
                .extend_from_slice(if rest.is_some() { br#"","# } else { br#""}"# });
            self.json.extend_from_slice(rest.unwrap_or(after));
        } else {
            self.json.extend_from_slice(json);
        }
        let (events, rows) = (self.events.len(), self.rows.len());
        self.note(OutResource {
            resource_type,
            id,
            start,
            end: self.json.len(),
            events: (events, events),
            rows: (rows, rows),
            message,
            person: self.person,
            said: self.said(message),
        });
        true
    }
    /// How a shared resource was described last.
    pub(crate) fn described(&mut self, id: Id) -> Option<&mut Described> {
        let at = *self.described_at.get(&(id, ""))?;
        self.described.get_mut(usize::try_from(at).ok()?)
    }
    /// Notes how a shared resource is described now.
    pub(crate) fn describe(&mut self, id: Id, described: Described) {
        if let Some(known) = self.described(id) {
            *known = described;
        } else if let Ok(at) = self.described.len().try_into() {
            self.described.push(described);
            self.described_at.insert((id, ""), at);
        }
    }
    /// Lets a shared resource be added again, as a newer file has it; [`Output::put_back`] gives that the
    /// place of the older one.
    pub(crate) fn take_out(&mut self, resource_type: &'static str, id: Id) {
        self.taken = Some((id, resource_type));
    }
    /// The resource that was added last takes the place of the one taken out, which stands at `at`.
    pub(crate) fn put_back(&mut self, at: usize) {
        let key = self.taken.take();
        let of = |r: &OutResource| Some((r.id, r.resource_type)) == key;
        let Some(newer) = self.resources.pop_if(|r| of(r)) else {
            return;
        };
        if let Some(place) = self.resources.get_mut(at).filter(|r| of(r)) {
            let (message, person, said) = (place.message, place.person, place.said);
            *place = OutResource {
                message,
                person,
                said,
                ..newer
            };
            if let Ok(at) = at.try_into() {
                self.seen.insert((newer.id, newer.resource_type), at);
            }
            self.outdated = true;
        }
    }
    /// Drops the texts that newer ones took the places of.
    fn drop_outdated(&mut self) {
        if !std::mem::take(&mut self.outdated) {
            return;
        }
        let mut json = Vec::with_capacity(self.json.len());
        for r in &mut self.resources {
            let start = json.len();
            json.extend_from_slice(self.json.get(r.start..r.end).unwrap_or_default());
            (r.start, r.end) = (start, json.len());
        }
        self.json = json;
    }
    /// Keeps what was written, to be found by type and id.
    fn note(&mut self, written: OutResource) {
        self.resources.push(written);
        let first = match self.resources.len() {
            0..=FEW => return,
            n if n == FEW + 1 => 0,
            n => n - 1,
        };
        for (place, r) in self.resources.iter().enumerate().skip(first) {
            let place = u32::try_from(place).unwrap_or(u32::MAX);
            self.seen.insert((r.id, r.resource_type), place);
        }
    }
    /// JSON of one resource.
    pub fn json_of(&self, r: &OutResource) -> &[u8] {
        self.json.get(r.start..r.end).unwrap_or_default()
    }
    /// Number of resources by type, in order of name.
    pub fn counts(&self) -> Map<&'static str, usize> {
        let mut m = Map::new();
        for r in &self.resources {
            *m.entry(r.resource_type).or_insert(0) += 1;
        }
        m
    }
}

/// `meta.source` of a resource; what many files share is from no one of them.
fn source_of<'s>(
    sources: &'s Map<u16, Option<String>>,
    resource_type: &str,
    message: u16,
) -> Option<&'s str> {
    let source = sources
        .get(&message)
        .filter(|_| !is_shared(resource_type))?;
    source.as_deref()
}
