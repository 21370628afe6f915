//! What a row function may ask and do while one message is converted.

use std::fmt::Write as _;

use warifu_diag::{Code, Diagnostic, Label, SourceId, Span};
use warifu_fhir::{Buffers, Id, Object, Resource, Src};
use warifu_hl7::{Message, Part, Segment, Val};
use warifu_ssmix2::DataKind;

use crate::convert::Core;
use crate::options::IdMode;
use crate::output::Output;

/// The leaf source of a value.
pub trait Sourced {
    /// Bytes the value came from.
    fn src(&self) -> Src;
}

impl Sourced for Val<'_> {
    fn src(&self) -> Src {
        Src {
            message: self.message,
            start: self.start,
            end: self.end,
        }
    }
}

impl Sourced for Src {
    fn src(&self) -> Src {
        *self
    }
}

impl Sourced for Part<'_> {
    fn src(&self) -> Src {
        let (start, end) = self.span();
        Src {
            message: self.message().number(),
            start,
            end,
        }
    }
}

impl Sourced for warifu_hl7::Segment<'_> {
    fn src(&self) -> Src {
        let (start, end) = self.span();
        Src {
            message: self.message().number(),
            start,
            end,
        }
    }
}

/// What the storage says about a file: its key and place. Empty parts where unknown (loose files).
#[derive(Debug, Clone, Copy, Default)]
pub struct Item<'a> {
    /// Patient id of the folder, else of the file name.
    pub patient: &'a str,
    /// Care date `YYYYMMDD`, or `-`, or empty.
    pub date: &'a str,
    /// Data kind; `None` for extended kinds and unknown ones.
    pub kind: Option<DataKind>,
    /// Data kind as written in the name (extended kinds).
    pub kind_text: &'a str,
    /// Order number, or empty.
    pub order: &'a str,
    /// Time stamp of the file name, 17 digits as written, or empty.
    pub timestamp: &'a str,
    /// Department code (table 0069), or empty.
    pub department: &'a str,
    /// Condition flag `0`, `1`, `2`; `1` for loose files.
    pub flag: u8,
    /// The storage holds an older version of the file.
    pub replaces: bool,
}

/// A stay in hospital or an outpatient visit that other resources refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// Logical id of the Encounter.
    pub id: Id,
    /// Inpatient (`true`) or outpatient.
    pub inpatient: bool,
    /// Start as `YYYYMMDDHHMMSSmmm` digits ([`warifu_hl7::time::Time::sort_key`]).
    pub start: u64,
    /// End likewise; `None` while the stay is open.
    pub end: Option<u64>,
    /// Department code, or empty.
    pub department: String,
}

/// What is known of the patient beyond the message at hand.
#[derive(Debug, Clone, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about the patient's files"
)]
pub struct PatientContext {
    /// Patient id (folder, else PID-3.1).
    pub patient: String,
    /// Whether an ADT-00 of the patient is part of the conversion (then other kinds make no Patient).
    pub has_adt00: bool,
    /// Whether an ADT-61 of the patient is part of the conversion (then AL1 of orders are not converted).
    pub has_adt61: bool,
    /// When ADT-61 listed allergies, and the allergens, each between line feeds.
    pub allergens: (u64, String),
    /// Stays and visits, by start.
    pub stays: Vec<Stay>,
    /// Number of the message whose PID describes the patient when there is no ADT-00; `None`: the first.
    pub told_by: Option<u16>,
    /// Whether anything but ADT-00 is known of the patient (a withdrawn patient is then kept, inactive).
    pub referred: bool,
    /// Whether the ADT-00 of the patient is withdrawn and no other is in force.
    pub withdrawn: bool,
    /// The newest time any message of the patient was sent, [`warifu_hl7::time::Time::sort_key`].
    pub newest: u64,
    /// When each message that no storage weighs was sent, where there are several.
    pub moments: warifu_order::Map<u16, u64>,
    /// The newest entry of each problem (PRB-4): its time and the number of its file.
    pub problems: warifu_order::Map<String, (u64, u16)>,
    /// Diagnoses that a stay names (PRB-10.4, PRB-18).
    pub diagnoses: Vec<Diagnosis>,
    /// Orders (order kind, number; of tests their item, too) that have a result: the newest one. Specimens of
    /// results (`SPM`).
    pub performed: warifu_order::Map<(&'static str, String), Performed>,
}

/// What the result of an order says of the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Performed {
    /// When it was sent, [`warifu_hl7::time::Time::sort_key`].
    pub sent: u64,
    /// `ServiceRequest.status`.
    pub status: &'static str,
    /// Bytes that say so.
    pub src: Src,
    /// Of a request or specimen of the laboratory: its fields, each as a hash.
    pub(crate) said: Vec<u64>,
    /// Of a request of the laboratory that was made: its logical id.
    pub(crate) id: Option<Id>,
    /// Of results of the laboratory: how many entries (OBR) of the request they answer together.
    pub(crate) entries: usize,
}

impl Performed {
    pub(crate) fn new(sent: u64, status: &'static str, src: Src) -> Self {
        Self {
            sent,
            status,
            src,
            said: Vec::new(),
            id: None,
            entries: 0,
        }
    }
}

/// A disease that has a role in a stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// Logical id of the Condition.
    pub condition: Id,
    /// Number of the file.
    pub message: u16,
    /// PRB-4.
    pub instance: String,
    /// When the entry was made, as written.
    pub moment: String,
    /// `Encounter.diagnosis.use`.
    pub role: Option<warifu_terms::maps::Coded>,
    /// Bytes of the role.
    pub role_src: Src,
    /// The main diagnosis.
    pub main: bool,
    /// Bytes of the rank, else of the role.
    pub src: Src,
}

/// JSON as it was made before, with what was found; places count from its source.
pub(crate) struct Shared {
    json: Box<[u8]>,
    findings: Vec<Diagnostic>,
}

/// A person as read before.
pub(crate) struct Known {
    pub(crate) id: Option<Id>,
    pub(crate) display: Box<str>,
}

/// The day of a [`warifu_hl7::time::Time::sort_key`] is that divided by this.
pub(crate) const DAY: u64 = 1_000_000_000;
/// Likewise the minute.
pub(crate) const MINUTE: u64 = 100_000;

/// Longest JSON that is kept.
const LONGEST: usize = 8192;

/// Context of the conversion of one message.
pub struct Cx<'a, 'r> {
    pub(crate) conv: &'r Core,
    /// Where resources and findings go.
    pub out: &'r mut Output,
    /// What is known of the patient.
    pub context: &'r PatientContext,
    /// What the storage says about the file.
    pub item: Item<'a>,
    pub(crate) message: Message<'a>,
    pub(crate) patient_id: Id,
    pub(crate) pool: &'r mut Vec<Box<Buffers>>,
    pub(crate) scratch: String,
    /// What no row of the message's kind reads.
    pub(crate) strays: crate::table::Strays<'a>,
}

impl std::fmt::Debug for Cx<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cx")
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

impl<'a, 'r> Cx<'a, 'r> {
    /// For one message.
    #[inline(never)]
    pub(crate) fn new(
        conv: &'r Core,
        out: &'r mut Output,
        context: &'r PatientContext,
        (item, message): (Item<'a>, Message<'a>),
        patient_id: Id,
        pool: &'r mut Vec<Box<Buffers>>,
    ) -> Self {
        Self {
            conv,
            out,
            context,
            item,
            message,
            patient_id,
            pool,
            scratch: String::new(),
            strays: crate::table::Strays::default(),
        }
    }
}

impl<'a> Cx<'a, '_> {
    /// The message.
    pub fn message(&self) -> Message<'a> {
        self.message
    }
    /// The options of the conversion.
    pub fn options(&self) -> &crate::Options {
        &self.conv.options
    }
    /// The institution's 10-digit number, or `None`.
    pub fn institution(&self) -> Option<&str> {
        self.conv.options.institution.as_deref()
    }
    /// Data kind of the file (from the storage, else guessed from MSH-9).
    pub fn kind(&self) -> Option<DataKind> {
        self.item.kind
    }
    /// Text in the message's arena (for composed values).
    pub fn text(&self, s: &str) -> &'a str {
        self.message.arena().alloc_str(s)
    }

    // --- findings -------------------------------------------------------------------------------

    /// Reports a finding about a value or part.
    pub fn report(&mut self, code: Code, at: &impl Sourced) {
        self.out.report(Diagnostic::new(code, span(at.src())));
    }
    /// Reports a finding with an argument (a name of the field's own, never a value).
    pub fn report_with(
        &mut self,
        code: Code,
        at: &impl Sourced,
        argument: impl Into<std::borrow::Cow<'static, str>>,
    ) {
        self.out
            .report(Diagnostic::new(code, span(at.src())).with(argument));
    }
    /// Reports a finding about the whole message.
    pub fn report_message(
        &mut self,
        code: Code,
        argument: impl Into<std::borrow::Cow<'static, str>>,
    ) {
        let span = Span {
            source: SourceId(u32::from(self.message.number())),
            start: 0,
            end: 0,
        };
        self.out.report(Diagnostic::new(code, span).with(argument));
    }
    /// Notes that a field was read for a decision although no leaf comes from it.
    pub fn used(&mut self, at: &impl Sourced) {
        if self.conv.options.trace {
            self.out.used.push(at.src());
        }
    }

    /// [`Cx::used`] of all fields of a segment.
    pub(crate) fn used_all(&mut self, segment: Segment<'_>) {
        if self.conv.options.trace {
            crate::trace::use_all(self, segment);
        }
    }

    // --- resources ------------------------------------------------------------------------------

    /// Opens a resource. Several may be open at once.
    pub fn open(&mut self, resource_type: &'static str, id: Id) -> Resource {
        let trace = self.conv.options.trace;
        let b = self
            .pool
            .pop()
            .unwrap_or_else(|| Box::new(Buffers::new(trace)));
        Resource::new(b, resource_type, id)
    }
    /// Finishes a resource and adds it to the output. The first of an id wins; a later one is
    /// reported, unless it is one that patients share.
    pub fn emit(&mut self, mut r: Resource) {
        if self.strays.wait() && !self.emitted(r.resource_type(), r.id()) {
            self.keep_strays(&mut r);
        }
        if self.strays.has_unread() && !crate::output::is_shared(r.resource_type()) {
            self.keep_unread(&mut r);
        }
        let added = self.out.push(&mut r, self.message.number());
        if !added && !crate::output::is_shared(r.resource_type()) {
            self.report_tie(&mut r);
        }
        self.report_unless(added, r.resource_type(), r.id());
        self.pool.push(r.into_buffers());
    }
    /// Reports a resource that another message of the same moment made otherwise.
    #[inline(never)]
    fn report_tie(&mut self, r: &mut Resource) {
        let number = self.message.number();
        let other = self.out.maker(r.resource_type(), r.id());
        let moment = |n: u16| self.context.moments.get(&n);
        let is_tie = |n: u16| n != number && moment(n).is_some() && moment(n) == moment(number);
        if other.is_some_and(is_tie) && self.out.says_otherwise(r, number) {
            let at = self.message.value(b"MSH", 7);
            let code = &warifu_diag::catalogue::map_general::MAP023;
            self.report_with(code, &at, r.resource_type());
        }
    }
    /// Reports a resource that was not added, unless it is one that patients share.
    fn report_unless(&mut self, added: bool, resource_type: &'static str, id: Id) {
        if added || crate::output::is_shared(resource_type) {
            return;
        }
        let code = &warifu_diag::catalogue::map_general::MAP016;
        let start = self.message.first(b"MSH").map_or(0, |s| s.span().0);
        let number = self.message.number();
        let here = Span {
            start,
            end: start.saturating_add(3),
            ..before(number).span
        };
        let mut d = Diagnostic::new(code, here).with(resource_type);
        if let Some(other) = self.out.other_maker(resource_type, id, number) {
            d = d.with_label(before(other));
        }
        self.out.report(d);
    }
    /// Emits a resource that many messages repeat: a shared one, or the patient. `make` may only read
    /// what `sources` holds, the options and the resource's id; it is not called
    /// when the same bytes have been read before. With a trace it always is. The sources
    /// stand in `message` from `base` on.
    pub(crate) fn emit_shared(
        &mut self,
        resource_type: &'static str,
        id: Id,
        (message, base): (Message<'a>, u32),
        sources: &[&[u8]],
        make: impl FnOnce(&mut Self) -> Resource,
    ) {
        let reading = reading_of(message);
        let head: [&[u8]; 3] = [&reading, resource_type.as_bytes(), id.as_bytes()];
        let mut key: [&[u8]; 10] = [&[]; 10];
        for (slot, piece) in key.iter_mut().zip(head.iter().chain(sources)) {
            *slot = piece;
        }
        let key = key.get(..head.len() + sources.len());
        let Some(key) = key.filter(|_| !self.conv.options.trace) else {
            let r = make(self);
            self.emit(r);
            return;
        };
        let number = self.message.number();
        let out = &mut *self.out;
        let known = self.conv.shared.get(key, |known| {
            let pushed = out.push_json(resource_type, id, &known.json, number);
            find_again(out, known, message, base);
            pushed
        });
        if let Some(added) = known {
            self.report_unless(added, resource_type, id);
            return;
        }
        let (first, made) = (self.out.diagnostics.len(), self.out.resources.len());
        let mut r = make(self);
        // What made other resources on its way is made again each time.
        if self.out.resources.len() == made {
            let mut json = Vec::new();
            r.write(None, &mut json, &mut Vec::new(), &mut Vec::new());
            if let Some(shared) = self.shareable(&json, first, message, (base, u32::MAX)) {
                self.conv.shared.put(key, shared);
            }
        }
        self.emit(r);
    }
    /// Writes members that follow from the bytes of a field alone (and, where `more` is there, of
    /// that one as well), under a letter (`what`) for the function that makes them. `make` is not called
    /// when the same bytes have been read before. With a trace it always is.
    pub(crate) fn members(
        &mut self,
        what: u8,
        o: &mut Object<'_>,
        (field, more): (Part<'a>, Option<Part<'a>>),
        make: impl FnOnce(&mut Object<'_>, &mut Self),
    ) {
        if self.conv.options.trace {
            make(o, self);
            return;
        }
        let [a, b, c, d, e, f] = reading_of(field.message());
        let head = [what, a, b, c, d, e, f];
        let beside = more.as_ref().map_or(&[][..], Part::raw);
        let key: [&[u8]; 3] = [&head, field.raw(), beside];
        let key = if more.is_some() { &key[..] } else { &key[..2] };
        if self.written_before(o, key, field) {
            return;
        }
        let (mark, first) = (o.mark(), self.out.diagnostics.len());
        make(o, self);
        let shared = self.shareable(o.since(mark), first, field.message(), field.span());
        if let Some(shared) = shared {
            self.conv.members.put(key, shared);
        }
    }
    #[inline(never)]
    fn written_before(&mut self, o: &mut Object<'_>, key: &[&[u8]], field: Part<'a>) -> bool {
        let out = &mut *self.out;
        let known = self.conv.members.get(key, |known| {
            o.members(&known.json);
            find_again(out, known, field.message(), field.span().0);
        });
        known.is_some()
    }
    /// JSON with what was found meanwhile (since `first`), if all of that lies within a span of
    /// `message`: where the same bytes stand elsewhere, the same is found there.
    #[inline(never)]
    fn shareable(
        &self,
        json: &[u8],
        first: usize,
        message: Message<'a>,
        (start, end): (u32, u32),
    ) -> Option<Shared> {
        let whole = json.len() <= LONGEST && !self.strays.has_unread();
        if !whole || self.out.is_cut(message.number()) {
            return None;
        }
        let found = self.out.diagnostics.get(first..).unwrap_or_default();
        let relative = |d: &Diagnostic| {
            let mut d = d.clone();
            let inside = d.span.start >= start && d.span.end <= end;
            if d.span.source.0 != u32::from(message.number()) || !inside || d.extra.is_some() {
                return None;
            }
            d.span.start -= start;
            d.span.end = d.span.end.checked_sub(start)?;
            Some(d)
        };
        Some(Shared {
            json: json.into(),
            findings: found.iter().map(relative).collect::<Option<_>>()?,
        })
    }
    /// Drops a resource that turned out to be nothing.
    pub fn discard(&mut self, r: Resource) {
        self.pool.push(r.into_buffers());
    }
    /// Asks for the deletion of a resource, unless some message makes it.
    pub fn withdraw(&mut self, resource_type: &'static str, id: Id, message: u16) {
        let person = self.out.person();
        self.out.deletes.push(crate::output::Delete {
            resource_type,
            id,
            message,
            person,
        });
    }
    /// Whether that resource has been emitted already (shared ones: Practitioner, Organization …).
    pub fn emitted(&self, resource_type: &'static str, id: Id) -> bool {
        self.out.contains(resource_type, id)
    }

    // --- ids and references ---------------------------------------------------------------------

    /// Logical id of something of this patient.
    ///
    /// `parts` is its business identity (PRB-4, OBX-3 + OBX-4 + SPM-2, ORC-2 + Rp + order …), without
    /// the patient, which is added here. `n` is the segment position and `suffix` the sub-resource
    /// for [`IdMode::Readable`].
    pub fn id(&mut self, resource_type: &'static str, parts: &[&str], n: u32, suffix: &str) -> Id {
        let id = self.made_id(resource_type, parts, n, suffix);
        if self.strays.wait() {
            self.strays.note(id, n);
        }
        id
    }
    fn made_id(&mut self, resource_type: &'static str, parts: &[&str], n: u32, suffix: &str) -> Id {
        match self.conv.options.ids {
            IdMode::Keyed => {
                let mut all: [&str; 12] = [""; 12];
                let mut count = 0;
                for p in [resource_type, self.context.patient.as_str()]
                    .into_iter()
                    .chain(parts.iter().copied())
                {
                    if let Some(slot) = all.get_mut(count) {
                        *slot = p;
                        count += 1;
                    }
                }
                self.conv
                    .id_key
                    .id(self.conv.issuer(), all.get(..count).unwrap_or(&all))
            }
            IdMode::Readable => {
                self.scratch.clear();
                let i = &self.item;
                let kind = match i.kind {
                    Some(k) => k.code(),
                    None => i.kind_text,
                };
                let _ = write!(
                    self.scratch,
                    "{}.{}.{}.{}.{}",
                    self.context.patient, i.date, kind, i.order, n
                );
                if !suffix.is_empty() {
                    let _ = write!(self.scratch, ".{suffix}");
                }
                Id::readable(&self.scratch)
            }
        }
    }
    /// [`Cx::id`] of an entry of a list. What the message itself lists a second time is numbered and
    /// reported at `at`, so that nothing is lost.
    pub fn entry_id(
        &mut self,
        resource_type: &'static str,
        parts: &[&str],
        n: u32,
        suffix: &str,
        at: &impl Sourced,
    ) -> Id {
        let at = at.src();
        let code = &warifu_diag::catalogue::map_general::MAP015;
        self.id_once(Self::id, code, resource_type, parts, n, suffix, at)
    }
    /// An id by `of`; what the message itself asks for a second time is numbered and reported.
    #[expect(
        clippy::too_many_arguments,
        reason = "what an id is made of, and how; a struct would only rename the arguments"
    )]
    #[inline(never)]
    pub(crate) fn id_once(
        &mut self,
        of: fn(&mut Self, &'static str, &[&str], u32, &str) -> Id,
        code: Code,
        resource_type: &'static str,
        parts: &[&str],
        n: u32,
        suffix: &str,
        at: Src,
    ) -> Id {
        let id = of(self, resource_type, parts, n, suffix);
        if self.out.maker(resource_type, id) != Some(self.message.number())
            || self.conv.options.ids == IdMode::Readable
        {
            return id;
        }
        let ordinal = self.out.count_again(resource_type, id);
        self.report(code, &at);
        let ordinal = ordinal.to_string();
        let mut all: [&str; 12] = [""; 12];
        let further = ["#", ordinal.as_str()];
        for (slot, p) in all.iter_mut().zip(parts.iter().copied().chain(further)) {
            *slot = p;
        }
        let count = parts.len() + further.len();
        of(
            self,
            resource_type,
            all.get(..count).unwrap_or(&all),
            n,
            suffix,
        )
    }
    /// [`Cx::id`] of what an order's file makes. Where another file has the same order number, what that
    /// one made keeps the id, and this one's has the key of its file in it (reported once a file), so
    /// that no drug and no result is lost.
    pub fn order_id(
        &mut self,
        resource_type: &'static str,
        parts: &[&str],
        n: u32,
        suffix: &str,
    ) -> Id {
        let id = self.id(resource_type, parts, n, suffix);
        let number = self.message.number();
        let Some(other) = self.out.other_maker(resource_type, id, number) else {
            return id;
        };
        let file = self.item;
        if file.order.is_empty() || self.conv.options.ids == IdMode::Readable {
            return id;
        }
        if self.out.note_shared_order(number) {
            let at = self.message.first(b"ORC").map(|s| s.field(2).src());
            let here = at.map_or(before(number).span, span);
            let code = &warifu_diag::catalogue::map_general::MAP013;
            self.out
                .diagnostics
                .push(Diagnostic::new(code, here).with_label(before(other)));
        }
        let key = concat(self.message.arena(), &[file.date, "\u{1e}", file.order]);
        let mut all: [&str; 12] = [""; 12];
        let mut count = 0;
        for (slot, p) in all.iter_mut().zip(parts.iter().copied().chain([key])) {
            *slot = p;
            count += 1;
        }
        self.id(resource_type, all.get(..count).unwrap_or(&all), n, suffix)
    }
    /// Logical id of something the institution shares between patients (Practitioner, Organization,
    /// Location): `readable` is used as it is with [`IdMode::Readable`].
    pub fn shared_id(&mut self, resource_type: &'static str, parts: &[&str], readable: &str) -> Id {
        match self.conv.options.ids {
            IdMode::Keyed => {
                let mut all: [&str; 8] = [""; 8];
                let mut count = 0;
                for p in std::iter::once(resource_type).chain(parts.iter().copied()) {
                    if let Some(slot) = all.get_mut(count) {
                        *slot = p;
                        count += 1;
                    }
                }
                self.conv.keyed_id(all.get(..count).unwrap_or(&all))
            }
            IdMode::Readable => Id::readable(readable),
        }
    }
    /// Logical id of the patient.
    pub fn patient_id(&self) -> Id {
        self.patient_id
    }
    /// The text of a reference, `Patient/<id>`, in the arena; [`crate::assemble`] makes it a
    /// `urn:uuid` where the Bundle holds the target.
    pub fn reference_text(&self, resource_type: &str, id: Id) -> &'a str {
        concat(self.message.arena(), &[resource_type, "/", id.as_str()])
    }
    /// Adds a reference element.
    pub fn reference(
        &mut self,
        r: &mut Resource,
        element: warifu_fhir::Element,
        resource_type: &'static str,
        id: Id,
        src: Src,
    ) {
        r.object(element, |o| o.reference(resource_type, &id, src));
    }
    /// Adds the reference to the patient (source: PID-3).
    pub fn subject(&mut self, r: &mut Resource, element: warifu_fhir::Element) {
        let src = self
            .message
            .first(b"PID")
            .map(|s| s.field(3).src())
            .unwrap_or_default();
        let id = self.patient_id;
        self.reference(r, element, "Patient", id, src);
    }
    /// Writes a reference into an object under a key.
    pub fn reference_in(
        &self,
        o: &mut Object<'_>,
        key: &str,
        resource_type: &'static str,
        id: Id,
        src: Src,
    ) {
        o.object(key, |o| o.reference(resource_type, &id, src));
    }
    /// The stay or visit that a moment (`YYYYMMDD…` digits, 8 at least) falls into: an inpatient stay
    /// that contains it, else the only visit of that day.
    pub fn encounter_at(&self, digits: &str) -> Option<Id> {
        let day = warifu_hl7::time::parse(digits)?.sort_key() / DAY;
        encounter_of(&self.context.stays, day, self.item.department)
    }
}

/// Of so many stays, visits, moves of one day the last are looked at, so that what is done for each file grows
/// with the number of files alone. No patient has as many.
pub(crate) const NEAR: usize = 4096;

/// The stay, else the visit, of a day. They are in order of their start.
fn encounter_of(stays: &[Stay], day: u64, department: &str) -> Option<Id> {
    let begun_before = |day: u64| stays.partition_point(|s| s.start / DAY < day);
    let begun = stays.get(..begun_before(day + 1)).unwrap_or_default();
    let lasts = |s: &&Stay| s.inpatient && s.end.is_none_or(|e| e / DAY >= day);
    if let Some(s) = begun.iter().rev().take(NEAR).find(lasts) {
        return Some(s.id);
    }
    let today = begun.get(begun_before(day)..).unwrap_or_default();
    let today = today.get(today.len().saturating_sub(NEAR)..);
    let visits = || today.unwrap_or_default().iter().filter(|s| !s.inpatient);
    let first = visits().next()?;
    let same = |s: &&Stay| !department.is_empty() && s.department == department;
    if let Some(s) = visits().find(same) {
        return Some(s.id);
    }
    visits().nth(1).is_none().then_some(first.id)
}

/// By what the bytes of a message are read: delimiters and charset.
pub(crate) fn reading_of(message: Message<'_>) -> [u8; 6] {
    let d = message.delimiters();
    let charset = match message.charset() {
        warifu_source::Charset::Iso2022Jp => 0,
        warifu_source::Charset::Utf8 => 1,
        warifu_source::Charset::Cp932 => 2,
        warifu_source::Charset::EucJp => 3,
    };
    [
        d.field,
        d.component,
        d.repetition,
        d.escape,
        d.subcomponent,
        charset,
    ]
}

/// Reports what was found when something was made from the same bytes, which now stand in `message`
/// from `base` on.
fn find_again(out: &mut Output, known: &Shared, message: Message<'_>, base: u32) {
    for d in &known.findings {
        let mut d = d.clone();
        d.span.source = SourceId(u32::from(message.number()));
        d.span.start += base;
        d.span.end += base;
        out.report(d);
    }
}

pub(crate) fn span(src: Src) -> Span {
    Span {
        source: SourceId(u32::from(src.message)),
        start: src.start,
        end: src.end,
    }
}

/// The file of this number, as the one that goes first.
pub(crate) fn before(message: u16) -> Label {
    Label {
        span: span(Src {
            message,
            start: 0,
            end: 0,
        }),
        path: None,
        ja: "先に変換したファイル",
        en: "the file converted before",
    }
}

/// Pieces put together in an arena (cheaper than formatting).
pub(crate) fn concat<'a>(arena: &'a bumpalo::Bump, pieces: &[&str]) -> &'a str {
    let mut s =
        bumpalo::collections::String::with_capacity_in(pieces.iter().map(|p| p.len()).sum(), arena);
    for p in pieces {
        s.push_str(p);
    }
    s.into_bump_str()
}

#[cfg(test)]
mod tests {
    use super::{DAY, Stay, encounter_of};

    #[test]
    fn the_stay_or_visit_of_a_day_is_found_among_hundreds_of_thousands() {
        let ids = ["a", "b", "c", "d"].map(warifu_fhir::Id::readable);
        let stay = |n: usize, inpatient: bool, day: u64, end: Option<u64>, department: &str| Stay {
            id: ids[n],
            inpatient,
            start: day * DAY,
            end: end.map(|end| end * DAY + DAY - 1),
            department: department.to_owned(),
        };
        let mut stays = vec![
            stay(0, true, 20_260_401, Some(20_260_403), ""),
            stay(1, false, 20_260_403, None, "01"),
            stay(1, false, 20_260_405, None, "01"),
            stay(2, false, 20_260_405, None, "08"),
            stay(3, false, 20_260_406, None, "08"),
        ];
        // So many that looking through them for each would take minutes.
        stays.extend((0..300_000).map(|n| stay(3, true, 20_300_000 + n, Some(20_300_000 + n), "")));
        let wanted = [
            (20_260_331, "01", None),
            (20_260_401, "01", Some(0)),
            (20_260_403, "01", Some(0)),
            (20_260_404, "01", None),
            (20_260_405, "08", Some(2)),
            (20_260_405, "", None),
            (20_260_406, "01", Some(3)),
            (20_700_000, "", None),
        ];
        for _ in 0..20_000 {
            for (day, department, id) in wanted {
                let found = encounter_of(&stays, day, department);
                assert_eq!(found, id.map(|n: usize| ids[n]), "{day} {department}");
            }
        }
    }
}
