//! Laboratory: OML-01 orders, OML-11 results with bacteriology. Mapping §7.
//!
//! One OBR gives one ServiceRequest and, in results, one DiagnosticReport; one SPM one Specimen; one
//! OBX one Observation. The segments are walked once (`laboratory/walk.rs`).

pub(crate) mod joined;
mod microbiology;
mod order;
mod report;
mod result;
mod specimen;
pub mod tables;
#[cfg(test)]
mod tests;
mod walk;

use warifu_diag::catalogue::hl7::HL7115;
use warifu_diag::catalogue::map_lab::{MAP212, MAP213};
use warifu_fhir::{Element, Id, Object, Resource, RowId, Src};
use warifu_hl7::{Part, Segment, Val};
use warifu_terms::maps::OrderFile;
use warifu_terms::systems;

use crate::cx::{Cx, Sourced};
use crate::datatypes::{self, Times};
use crate::kinds::observation::{self, Allows, Item};
use crate::table::{Group, Table};

pub use tables::TABLES;
use walk::{Order, Walk};

/// Whether the file holds orders or results.
fn file_of(cx: &Cx<'_, '_>) -> OrderFile {
    if cx.kind() == Some(warifu_ssmix2::DataKind::Oml01) {
        OrderFile::Order
    } else {
        OrderFile::Result
    }
}

/// The first row of a table: what leaves without a source field are attributed to.
fn row(table: &'static Table) -> Option<&'static RowId> {
    table.rows.first().map(|r| &r.row)
}

/// Segments of an order's head.
fn group_of<'a>(order: &Order<'a>) -> Group<'a> {
    let mut g = Group::new();
    for s in [order.orc, order.obr, order.tq1].into_iter().flatten() {
        g.push(s);
    }
    g
}

/// The specimen that an order refers to.
#[derive(Debug, Clone, Copy, Default)]
struct Target<'a> {
    /// Text of the reference.
    reference: Option<&'a str>,
    src: Src,
    /// What tells it from the message's other specimens, in ids.
    key: &'a str,
    /// Its number (SPM-2).
    number: Val<'a>,
    /// SPM-17.
    collected: Times<'a>,
    /// SPM-17.1 as sent.
    at: Val<'a>,
}

/// What all resources of a message share.
struct Shared<'a> {
    /// Data kind, part of every id (order numbers repeat between kinds).
    kind: &'static str,
    file: OrderFile,
    patient: &'a str,
    patient_src: Src,
    /// Comments after PID, until a request has taken them.
    loose: walk::Notes,
    /// Whether the institution of ORC-21 has been emitted.
    facility: bool,
    requester: Option<order::Requester<'a>>,
}

impl<'a> Shared<'a> {
    fn new(cx: &mut Cx<'a, '_>, walk: &Walk<'a>) -> Self {
        let file = file_of(cx);
        Self {
            kind: if file == OrderFile::Order {
                "OML-01"
            } else {
                "OML-11"
            },
            file,
            patient: cx.reference_text("Patient", cx.patient_id()),
            patient_src: cx
                .message()
                .first(b"PID")
                .map(|s| s.field(3).src())
                .unwrap_or_default(),
            loose: walk.loose,
            facility: false,
            requester: None,
        }
    }
    /// Writes the reference to the patient.
    fn subject(&self, r: &mut Resource, element: Element) {
        r.object(element, |o| {
            o.string("reference", self.patient, self.patient_src);
        });
    }
}

/// An Identifier with its type (table 0203) under the institution's instance numbers; nothing for an
/// empty value.
fn numbered_identifier(
    r: &mut Resource,
    _: &Cx<'_, '_>,
    element: Element,
    v: Val<'_>,
    code: &'static str,
    display: &'static str,
) {
    if v.is_empty() {
        return;
    }
    r.object(element, |o| {
        o.object("type", |o| {
            o.array("coding", |a| {
                a.object(|o| {
                    o.constant("system", systems::V2_0203);
                    o.constant("code", code);
                    o.constant("display", display);
                });
            });
        });
        let src = src_of(&v);
        o.string("system", systems::ID_RESOURCE_INSTANCE, src);
        o.string("value", v.text, src);
    });
}

/// A CWE, or plain text where only one component without a coding system was sent.
fn concept_or_text<'a>(o: &mut Object<'_>, cx: &mut Cx<'a, '_>, f: Part<'a>) {
    let [a, b] = datatypes::both_triplets(f);
    if b.is_empty() && a.text.is_empty() && a.system.is_empty() {
        o.string("text", a.code.text, a.code.src());
    } else {
        datatypes::codeable_concept(o, cx, f);
    }
}

/// Logical id; when the message itself asks for one twice, the later ones are numbered, so that nothing is
/// lost.
fn unique(
    cx: &mut Cx<'_, '_>,
    ty: &'static str,
    parts: &[&str],
    n: u32,
    suffix: &str,
    at: &impl Sourced,
) -> Id {
    cx.id_once(Cx::order_id, &MAP213, ty, parts, n, suffix, at.src())
}

/// Placer order number: ORC-2, else OBR-2, else the file name's.
fn order_number<'a>(cx: &Cx<'a, '_>, order: &Order<'a>) -> Val<'a> {
    let of = |s: Option<Segment<'a>>| {
        s.map(|s| s.field(2).comp(1).value().trimmed())
            .and_then(Val::some)
    };
    of(order.orc)
        .or_else(|| of(order.obr))
        .unwrap_or_else(|| Val {
            text: cx.text(cx.item.order),
            ..Val::default()
        })
}

/// Reports what the walk could not place.
fn report_walk<'a>(cx: &mut Cx<'a, '_>, walk: &Walk<'a>) {
    for tq1 in &walk.further {
        cx.stray_further(*tq1);
    }
    if walk.orders.is_empty() {
        cx.report_message(&HL7115, "OBR");
    }
}

/// Emits the specimens as the orders come to them.
struct Specimens<'a> {
    done: Vec<Option<Target<'a>>>,
}

impl<'a> Specimens<'a> {
    fn new(walk: &Walk<'a>) -> Self {
        Self {
            done: vec![None; walk.specimens.len()],
        }
    }
    fn of(
        &mut self,
        cx: &mut Cx<'a, '_>,
        shared: &mut Shared<'a>,
        walk: &Walk<'a>,
        order: &Order<'a>,
        number: &str,
    ) -> Target<'a> {
        let Some(index) = order.specimen else {
            return Target::default();
        };
        if let Some(Some(t)) = self.done.get(index) {
            return *t;
        }
        let Some(s) = walk.specimens.get(index) else {
            return Target::default();
        };
        let (reference, key) = specimen::emit(cx, shared, walk, index, s, number);
        let id = s.spm.field(2);
        let n = specimen::number(id);
        let source = if n.is_empty() {
            s.spm.field(4).src()
        } else {
            n.src()
        };
        let when = s.spm.field(17);
        let (start, end) = (
            when.comp(1).value().trimmed(),
            when.comp(2).value().trimmed(),
        );
        // What is wrong with them was reported for the Specimen already.
        let collected = Times::again(cx, start, end);
        let t = Target {
            reference: Some(reference),
            src: source,
            key,
            number: n,
            collected,
            at: start,
        };
        if let Some(slot) = self.done.get_mut(index) {
            *slot = Some(t);
        }
        t
    }
}

/// OML-01: one ServiceRequest an order, one more for each requested item.
pub(crate) fn order(cx: &mut Cx<'_, '_>) {
    let walk = Walk::of(cx.message());
    let mut shared = Shared::new(cx, &walk);
    let mut specimens = Specimens::new(&walk);
    report_walk(cx, &walk);
    for o in &walk.orders {
        let number = order_number(cx, o);
        let target = specimens.of(cx, &mut shared, &walk, o, number.text);
        let item = o
            .obr
            .map(|s| s.field(4))
            .filter(Part::is_some)
            .map(|f| Item::ordered(cx, f));
        let request = order::request(cx, &mut shared, &walk, o, number, item.as_ref(), target);
        let (of, mut own) = (request.of, request.r);
        let parent_key = item.as_ref().map_or("", |i| i.key().text);
        for line in walk.lines_of(o) {
            let item = Item::ordered(cx, line.obx.field(3));
            if line.obx.field(5).is_some() {
                // A finding sent along (urine volume, body weight).
                let reference = result::finding(cx, &mut shared, &walk, line, number, target);
                if let Some((reference, src)) = reference
                    && let Some(r) = &mut own
                {
                    r.object(
                        warifu_fhir::element::service_request::SUPPORTING_INFO,
                        |o| o.string("reference", reference, src),
                    );
                }
            } else if !item.is_empty() {
                order::child(
                    cx,
                    &mut shared,
                    of,
                    o,
                    number,
                    &item,
                    (line, &walk),
                    target,
                    parent_key,
                );
            } else {
                walk.notes(line.notes).for_each(|nte| cx.stray(nte));
            }
        }
        if let Some(r) = own {
            cx.emit(r);
        }
    }
}

/// OML-11: ServiceRequest, Observations and DiagnosticReport of each order.
pub(crate) fn result(cx: &mut Cx<'_, '_>) {
    let walk = Walk::of(cx.message());
    let mut shared = Shared::new(cx, &walk);
    let mut specimens = Specimens::new(&walk);
    let mut memory = result::Memory::default();
    report_walk(cx, &walk);
    for o in &walk.orders {
        let number = order_number(cx, o);
        let target = specimens.of(cx, &mut shared, &walk, o, number.text);
        let item = o
            .obr
            .map(|s| s.field(4))
            .filter(Part::is_some)
            .map(|f| Item::ordered(cx, f));
        let has_head = o.obr.is_some() || o.orc.is_some();
        let mut at = None;
        let request = if has_head {
            let request = order::request(cx, &mut shared, &walk, o, number, item.as_ref(), target);
            at = request.at;
            if let Some(r) = request.r {
                cx.emit(r);
            }
            Some(cx.reference_text("ServiceRequest", request.of.id))
        } else {
            None
        };
        if o.lines.0 == o.lines.1 {
            cx.report(
                &MAP212,
                &o.obr
                    .or(o.orc)
                    .map_or_else(|| cx.message().empty_part(), |s| s.field(4)),
            );
        }
        let order = result::Context::new(cx, o, number, item.as_ref(), target, request, at);
        let done = result::convert(cx, &mut shared, &walk, o, &order, &mut memory);
        if let Some(request) = request {
            report::emit(
                cx,
                &mut shared,
                o,
                number.text,
                item.as_ref(),
                target,
                request,
                at,
                &done,
            );
        }
    }
}

/// A reference to an Encounter, and the bytes of the time by which it was found.
type Visit<'a> = (&'a str, Src);

/// The stay or visit at the time of the order's specimen.
fn visit<'a>(cx: &mut Cx<'a, '_>, target: Target<'a>, order: &Order<'a>) -> Option<Visit<'a>> {
    if cx.context.stays.is_empty() {
        return None;
    }
    let of = |s: Option<Segment<'a>>, n: usize| s.map(|s| s.field(n).value()).unwrap_or_default();
    let care_date = Val {
        text: cx.item.date,
        ..Val::default()
    };
    let moment = [target.at, of(order.obr, 7), of(order.orc, 9), care_date]
        .into_iter()
        .find(|v| v.text.trim().len() >= 8)?;
    let id = cx.encounter_at(moment.text)?;
    Some((cx.reference_text("Encounter", id), src_of(&moment)))
}

/// Whether OBX values may be times in this profile: never in the laboratory.
const ALLOWS: Allows = Allows::Basic;

/// Writes a NTE as a note of an Observation.
fn observation_note<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, nte: Segment<'a>) {
    observation::note(r, cx, warifu_fhir::element::observation::NOTE, nte);
}

/// Source of a value that may come from outside the message (the file name).
fn src_of(v: &Val<'_>) -> Src {
    if v.end == 0 { Src::NONE } else { v.src() }
}
