//! ORC, OBR, TQ1 → ServiceRequest; requested items of OML-01.

use warifu_fhir::element::service_request as el;
use warifu_fhir::{Resource, Src};
use warifu_hl7::{Part, Val};
use warifu_terms::maps::{OrderFile, service_request_status};

use crate::cx::{Cx, Sourced};
use crate::datatypes::{self, Times};
use crate::kinds::observation::{self, Item};
use crate::kinds::practitioner;
use crate::table::{Group, keep, name_of, run};

use super::joined::Made;
use super::tables::ORC_TO_JP_SERVICE_REQUEST;
use super::walk::{Line, Order, Walk};
use super::{Shared, Target, joined, numbered_identifier};

/// Canonical of JP_ServiceRequest_Common.
pub(super) const JP_SERVICE_REQUEST: &str =
    "http://jpfhir.jp/fhir/core/StructureDefinition/JP_ServiceRequest_Common";

/// `category` of laboratory orders.
const LABORATORY: &str = r#"{"coding":[{"system":"http://snomed.info/sct","code":"108252007","display":"Laboratory procedure"}]}"#;

/// The ServiceRequest of an order.
pub(super) struct Request<'a> {
    pub(super) of: Made,
    pub(super) at: Option<super::Visit<'a>>,
    /// Open, where this order makes it: the caller adds what hangs on it and emits it.
    pub(super) r: Option<Resource>,
}

/// The ServiceRequest of an order, by its number and item; of a further order of the same, and of a result
/// whose order is known, it is the one that was made before ([`joined`]).
pub(super) fn request<'a>(
    cx: &mut Cx<'a, '_>,
    shared: &mut Shared<'a>,
    walk: &Walk<'a>,
    order: &Order<'a>,
    number: Val<'a>,
    item: Option<&Item<'a>>,
    specimen: Target<'a>,
) -> Request<'a> {
    let at = super::visit(cx, specimen, order);
    let key = joined::key(joined::ORDER, number.text, order.code);
    if let Some((of, said)) = joined::made(cx, &key, shared.file) {
        joined::beside(cx, order.segments(), &said, shared.file);
        let loose = std::mem::take(&mut shared.loose);
        for nte in walk.notes(order.notes).chain(walk.notes(loose)) {
            cx.stray_field(nte, 3, nte.field(3));
        }
        return Request { of, at, r: None };
    }
    let head = order.orc.or(order.obr);
    let n = head.map_or(0, |s| s.position());
    let source = head.map_or_else(|| cx.message().empty_part(), |s| s.field(2));
    let parts = [joined::ORDER, number.text, order.code];
    let id = super::unique(cx, "ServiceRequest", &parts, n, "", &source);
    let mut r = cx.open("ServiceRequest", id);
    let group = super::group_of(order);
    run(&ORC_TO_JP_SERVICE_REQUEST, &mut r, cx, &group);
    let asked = |cx: &Cx<'a, '_>| {
        let same =
            |o: &&Order<'a>| o.code == order.code && super::order_number(cx, o).text == number.text;
        walk.orders.iter().filter(same).count()
    };
    let (status, src) = status(cx, &group, &key, shared.file, asked);
    r.row(practitioner::row(&ORC_TO_JP_SERVICE_REQUEST, "ORC-5"));
    r.string(el::STATUS, status, src);
    r.row(super::row(&ORC_TO_JP_SERVICE_REQUEST));
    identifiers(&mut r, cx, &group);
    // The report takes these; an order has none. Of the section it takes microbiology (MB) only.
    for n in [22, 24, 25, 26] {
        let field = group.field(*b"OBR", n).filter(Part::is_some);
        let of_report = |f: &Part<'a>| {
            shared.file == OrderFile::Result && (n != 24 || f.value().text.trim() == "MB")
        };
        if let Some(f) = field.filter(|f| !of_report(f)) {
            keep(&mut r, cx, format!("OBR-{n}"), f);
        }
    }
    r.add(el::CATEGORY, |v| v.raw(LABORATORY));
    requester(&mut r, cx, shared, &group);
    if let Some(item) = item {
        r.object(el::CODE, |o| item.concept(o, None));
    }
    shared.subject(&mut r, el::SUBJECT);
    if let Some(reference) = specimen.reference {
        r.object(el::SPECIMEN, |o| {
            o.string("reference", reference, specimen.src);
        });
    }
    for nte in walk.notes(order.notes) {
        observation::note(&mut r, cx, el::NOTE, nte);
    }
    // Comments that follow PID belong to the message: its first request carries them.
    let loose = std::mem::take(&mut shared.loose);
    for nte in walk.notes(loose) {
        cx.report(&warifu_diag::catalogue::map_lab::MAP217, &nte.field(3));
        observation::note(&mut r, cx, el::NOTE, nte);
    }
    if let Some((reference, src)) = at {
        r.object(el::ENCOUNTER, |o| o.string("reference", reference, src));
    }
    r.profile(JP_SERVICE_REQUEST);
    let of = Made { id, status };
    joined::note(cx, key, of, order);
    Request { of, at, r: Some(r) }
}

/// A requested item (OBX-3 of OML-01) as a ServiceRequest that is part of the order: its identifier is
/// `order-specimen-item`, its requisition the number that the order's items share; when, by whom and in which
/// visit it was ordered is the order's.
#[expect(
    clippy::too_many_arguments,
    reason = "one call site; a struct would only rename the arguments"
)]
pub(super) fn child<'a>(
    cx: &mut Cx<'a, '_>,
    shared: &mut Shared<'a>,
    parent: Made,
    order: &Order<'a>,
    number: Val<'a>,
    item: &Item<'a>,
    (line, walk): (&Line<'a>, &Walk<'a>),
    specimen: Target<'a>,
    parent_key: &str,
) {
    let obx = line.obx;
    let id = super::unique(
        cx,
        "ServiceRequest",
        &[
            shared.kind,
            number.text,
            specimen.key,
            parent_key,
            item.key().text,
            item.second().text,
            item.text.text,
        ],
        obx.position(),
        "",
        &obx.field(3),
    );
    let mut r = cx.open("ServiceRequest", id);
    r.row(super::row(&ORC_TO_JP_SERVICE_REQUEST));
    if !cx.options().without_source_identifier {
        let parts = [number, specimen.number, item.key()];
        datatypes::instance_identifier(&mut r, cx, el::IDENTIFIER, &parts, 2);
    }
    let group = super::group_of(order);
    let shared_number = group.field(*b"ORC", 4).map(|f| f.comp(1).value().trimmed());
    let shared_number = shared_number.and_then(Val::some).unwrap_or(number);
    if !shared_number.is_empty() {
        r.object(el::REQUISITION, |o| {
            datatypes::identifier(
                o,
                warifu_terms::systems::ID_RESOURCE_INSTANCE,
                shared_number,
            );
        });
    }
    r.add(el::CATEGORY, |v| v.raw(LABORATORY));
    if let Some(when) = group.field(*b"ORC", 9) {
        let reported = cx.out.diagnostics.len();
        datatypes::add_date_time(&mut r, cx, el::AUTHORED_ON, when.value().trimmed());
        // An unreadable time was reported for the order already.
        cx.out.diagnostics.truncate(reported);
    }
    if let Some(known) = shared.requester {
        known.write(&mut r);
    }
    if let Some((reference, src)) = super::visit(cx, specimen, order) {
        r.object(el::ENCOUNTER, |o| o.string("reference", reference, src));
    }
    let reference = cx.reference_text("ServiceRequest", parent.id);
    r.object(el::BASED_ON, |o| {
        o.string("reference", reference, number.src());
    });
    observation::state_is_known(cx, obx);
    let status = if observation::is_withdrawn(obx) {
        "revoked"
    } else {
        parent.status
    };
    r.string(el::STATUS, status, obx.field(11).src());
    r.constant(el::INTENT, "order");
    r.object(el::CODE, |o| item.concept(o, None));
    shared.subject(&mut r, el::SUBJECT);
    if let Some(reference) = specimen.reference {
        r.object(el::SPECIMEN, |o| {
            o.string("reference", reference, specimen.src);
        });
    }
    for nte in walk.notes(line.notes) {
        observation::note(&mut r, cx, el::NOTE, nte);
    }
    r.profile(JP_SERVICE_REQUEST);
    cx.emit(r);
}

/// State of a request (mapping §7), and where it stands. A result that is converted with its order says how far
/// the order has come; an order withdrawn after it stays withdrawn.
fn status<'a>(
    cx: &mut Cx<'a, '_>,
    g: &Group<'a>,
    key: &(&'static str, String),
    file: OrderFile,
    asked: impl FnOnce(&Cx<'a, '_>) -> usize,
) -> (&'static str, Src) {
    let value = |field| {
        g.field(*b"ORC", field)
            .map(|f| f.value())
            .unwrap_or_default()
    };
    let (control, state) = (value(1), value(5));
    let t = service_request_status(control.text, state.text, file);
    if !t.known {
        cx.unlisted(state, "0038");
    }
    if !control.is_empty() {
        cx.listed(control.trimmed(), crate::table::ORDER_CONTROL);
        cx.used(&control);
    }
    let from = if state.is_empty() { control } else { state };
    let own = (t.to, from.src());
    let ended = matches!(t.to, "revoked" | "entered-in-error");
    let sent = datatypes::sent_at(cx.message());
    match cx.context.performed.get(key) {
        Some(p)
            if (!ended || p.sent > sent)
                && joined::is_near(joined::day_of(cx), p.sent / joined::DAY) =>
        {
            // As long as an entry of the order has no result, the order is not done.
            let is_done =
                p.status != "completed" || file == OrderFile::Result || p.entries >= asked(cx);
            (if is_done { p.status } else { "active" }, p.src)
        }
        _ => own,
    }
}

/// `intent` is always order.
pub(super) fn intent<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, _: &Group<'a>, _: Part<'a>) {
    r.constant(el::INTENT, "order");
}

/// ORC-2 and ORC-3, else OBR-2 and OBR-3.
fn identifiers<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, g: &Group<'a>) {
    for (field, code, display) in [
        (2, "PLAC", "Placer Identifier"),
        (3, "FILL", "Filler Identifier"),
    ] {
        let mut v = Val::default();
        for segment in [*b"ORC", *b"OBR"] {
            let here = g
                .field(segment, field)
                .map(|f| f.comp(1).value().trimmed())
                .unwrap_or_default();
            if v.is_empty() {
                v = here;
            } else if here.text == v.text {
                cx.used(&here);
            } else if let Some(other) = g.first(segment).filter(|_| !here.is_empty()) {
                keep(r, cx, name_of(other, field), other.field(field));
            }
        }
        numbered_identifier(r, cx, el::IDENTIFIER, v, code, display);
    }
}

/// ORC-4: the number that a group of orders shares.
pub(super) fn requisition<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.comp(1).value().trimmed();
    if !v.is_empty() {
        r.object(el::REQUISITION, |o| {
            datatypes::identifier(o, warifu_terms::systems::ID_RESOURCE_INSTANCE, v);
        });
    }
}

/// ORC-9.
pub(super) fn authored_on<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    datatypes::add_date_time(r, cx, el::AUTHORED_ON, f.value().trimmed());
}

/// The requester of the orders before, since orders of one message mostly name the same one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Requester<'a> {
    person: &'a [u8],
    department: &'a [u8],
    reference: Option<&'a str>,
    display: &'a str,
    src: Src,
}

impl Requester<'_> {
    fn write(&self, r: &mut Resource) {
        r.object(el::REQUESTER, |o| {
            if let Some(reference) = self.reference {
                o.string("reference", reference, self.src);
            }
            o.string("display", self.display, self.src);
        });
    }
}

/// ORC-12, else OBR-16, else ORC-10, in the department of ORC-17; what names the same person again
/// is used up. The institution of ORC-21 to ORC-23 is emitted once.
fn requester<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, shared: &mut Shared<'a>, g: &Group<'a>) {
    let mut chosen: Option<Part<'a>> = None;
    for (segment, field) in [(*b"ORC", 12), (*b"OBR", 16), (*b"ORC", 10)] {
        let Some(f) = g.field(segment, field).filter(Part::is_some) else {
            continue;
        };
        match chosen {
            None => chosen = Some(f),
            Some(of) if datatypes::says_person(of, f) => cx.used(&f),
            Some(_) => {
                let name = if segment == *b"ORC" {
                    "ORC-10"
                } else {
                    "OBR-16"
                };
                keep(r, cx, name.to_owned(), f);
            }
        }
    }
    if let Some(orc) = g.first(*b"ORC") {
        for field in [17, 21, 22, 23] {
            let f = orc.field(field);
            if f.is_some() {
                cx.used(&f);
            }
        }
        if !shared.facility && orc.field(21).is_some() {
            shared.facility = true;
            practitioner::emit_facility(cx, orc);
        }
    }
    let department = g.field(*b"ORC", 17).filter(Part::is_some);
    let person_raw = chosen.map(|f| f.raw()).unwrap_or_default();
    let department_raw = department.map(|f| f.raw()).unwrap_or_default();
    let src = chosen
        .map(|f| f.src())
        .or_else(|| department.map(|f| f.src()))
        .unwrap_or_default();
    if person_raw.is_empty() && department_raw.is_empty() {
        shared.requester = None;
        return;
    }
    let found = match shared.requester {
        Some(known) if known.person == person_raw && known.department == department_raw => {
            Requester { src, ..known }
        }
        _ => {
            let person = chosen.and_then(|f| datatypes::practitioner(cx, f));
            let place = department.and_then(|f| practitioner::department_of(cx, f));
            let reference = match (person.as_ref().and_then(|p| p.id), place) {
                (Some(id), Some(place)) => {
                    let code = department
                        .map(|f| f.value().text.trim())
                        .unwrap_or_default();
                    let of = department.map(|f| f.src()).unwrap_or_default();
                    let role = practitioner::emit_role(cx, (id, src), place, code, of);
                    Some(cx.reference_text("PractitionerRole", role))
                }
                (Some(id), None) => Some(cx.reference_text("Practitioner", id)),
                // Without a person the department asks.
                (None, Some(place)) if person.is_none() => {
                    Some(cx.reference_text("Organization", place))
                }
                (None, _) => None,
            };
            Requester {
                person: person_raw,
                department: department_raw,
                reference,
                display: person.map_or("", |p| p.display),
                src,
            }
        }
    };
    shared.requester = Some(found);
    found.write(r);
}

/// ORC-16 (the published map says ORC-15, which is a time).
pub(super) fn reason<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    r.object(el::REASON_CODE, |o| super::concept_or_text(o, cx, f));
}

/// OBR-13 as a note.
pub(super) fn clinical_information<'a>(
    r: &mut Resource,
    _: &mut Cx<'a, '_>,
    _: &Group<'a>,
    f: Part<'a>,
) {
    let v = f.text().trimmed();
    r.object(el::NOTE, |o| o.string("text", v.text, v.src()));
}

/// OBR-12: what those who handle the specimen must know.
pub(super) fn danger<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    datatypes::note_said(r, cx, el::NOTE, "危険検体: ", f);
}

/// TQ1-11 as a note.
pub(super) fn instruction<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.text().trimmed();
    r.object(el::NOTE, |o| o.string("text", v.text, v.src()));
}

/// TQ1-9 (table 0485), else OBR-5, where older systems have it.
pub(super) fn priority<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, g: &Group<'a>, f: Part<'a>) {
    let f = Some(f)
        .filter(Part::is_some)
        .or_else(|| g.field(*b"OBR", 5));
    if let Some(f) = f.filter(Part::is_some) {
        // The text and the table's name say the same.
        cx.used(&f);
        datatypes::priority(r, cx, el::PRIORITY, f);
    }
}

/// OBR-7 and OBR-8, else TQ1-7 and TQ1-8.
pub(super) fn occurrence<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, g: &Group<'a>, _: Part<'a>) {
    for segment in [*b"OBR", *b"TQ1"] {
        let value = |field| {
            g.field(segment, field)
                .map(|f| f.value().trimmed())
                .unwrap_or_default()
        };
        let (start, end) = (value(7), value(8));
        if start.is_empty() && end.is_empty() {
            continue;
        }
        let occurrence = [el::OCCURRENCE_DATE_TIME, el::OCCURRENCE_PERIOD];
        let times = Times::read(cx, start, end, ["ServiceRequest.occurrence"; 2]);
        if times.write_as(r, cx, occurrence) {
            return;
        }
    }
}
