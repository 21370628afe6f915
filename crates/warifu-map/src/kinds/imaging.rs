//! Radiology, endoscopy and physiology: orders (OMG-01, 02, 03), what was performed (OMG-11, 12) and
//! results (OMG-13). Mapping §10.
//!
//! The segments of a message are walked once into orders. The rows `NW` and `PA` of an order are
//! one ServiceRequest, each `CH` row is a child of it.

pub mod order;
pub mod performed;
pub mod physiology;

use warifu_order::Map;

use warifu_fhir::{Element, Id, Object, Resource, RowId, Src};
use warifu_hl7::{Message, Part, Segment, Val};
use warifu_ssmix2::DataKind;
use warifu_terms::systems;

use crate::cx::{Cx, Performed, Sourced};
use crate::datatypes;
use crate::table::{Group, Table, Worded};

/// Tables of this module.
pub static TABLES: &[Worded] = crate::worded![
    order::ORDER_TO_JP_SERVICE_REQUEST,
    order::ORDER_OBX_TO_JP_OBSERVATION,
    performed::IPC_TO_JP_IMAGING_STUDY,
    performed::ZE1_TO_JP_PROCEDURE,
    performed::ZE1_TO_MEDICATION_ADMINISTRATION,
    physiology::OBR_TO_JP_DIAGNOSTIC_REPORT_PHYSIOLOGY,
    physiology::OBX_TO_JP_OBSERVATION,
];

/// OMG-01, OMG-02, OMG-03: ServiceRequests with the findings sent along.
pub(crate) fn order(cx: &mut Cx<'_, '_>) {
    let orders = orders(cx.message());
    order::requests(cx, &orders, warifu_terms::maps::OrderFile::Order);
}

/// OMG-11, OMG-12: the orders again, ImagingStudy, Procedure, drugs given.
pub(crate) fn performed(cx: &mut Cx<'_, '_>) {
    let orders = orders(cx.message());
    let requests = order::requests(cx, &orders, warifu_terms::maps::OrderFile::Result);
    performed::convert(cx, &orders, &requests);
}

/// OMG-13: DiagnosticReport and Observations.
pub(crate) fn physiology_result(cx: &mut Cx<'_, '_>) {
    let orders = orders(cx.message());
    physiology::convert(cx, &orders);
}

/// What the results of a message say of their orders, for the orders' own files.
pub(crate) fn survey(cx: &mut Cx<'_, '_>, performed: &mut Map<(&'static str, String), Performed>) {
    use DataKind::{Omg11, Omg12, Omg13};
    if !matches!(cx.kind(), Some(Omg11 | Omg12 | Omg13)) {
        return;
    }
    let sent = datatypes::sent_at(cx.message());
    for o in orders(cx.message()) {
        let number = number_of(cx, &o);
        // A withdrawn result leaves the order as it is.
        if number.is_empty() || o.is_cancelled() {
            continue;
        }
        let (status, src) = order::state_of_result(&o);
        let new = Performed::new(sent, status, src);
        crate::kinds::note_performed(performed, (family(cx), number.to_owned()), new);
    }
}

/// An OBX with the comments that follow it.
#[derive(Debug)]
struct Line<'a> {
    obx: Segment<'a>,
    notes: Vec<Segment<'a>>,
}

/// A ZE1 with what belongs to it.
#[derive(Debug)]
struct Execution<'a> {
    ze1: Segment<'a>,
    notes: Vec<Segment<'a>>,
    lines: Vec<Line<'a>>,
    exposures: Vec<Segment<'a>>,
}

/// One row of an order: ORC, TQ1, OBR and what follows.
#[derive(Debug)]
struct Order<'a> {
    /// ORC, TQ1, OBR.
    head: Group<'a>,
    has_obr: bool,
    notes: Vec<Segment<'a>>,
    lines: Vec<Line<'a>>,
    executions: Vec<Execution<'a>>,
    /// IPC.
    studies: Vec<Segment<'a>>,
}

impl<'a> Order<'a> {
    fn field(&self, segment: [u8; 3], n: usize) -> Option<Part<'a>> {
        self.head.field(segment, n).filter(Part::is_some)
    }
    fn value(&self, segment: [u8; 3], n: usize) -> Val<'a> {
        self.field(segment, n)
            .map(|p| p.comp(1).value().trimmed())
            .unwrap_or_default()
    }
    /// ORC-1.
    fn control(&self) -> &'a str {
        self.value(*b"ORC", 1).text
    }
    fn is_child(&self) -> bool {
        self.control() == "CH"
    }
    /// Placer order number: ORC-2, else OBR-2.
    fn number(&self) -> Val<'a> {
        self.value(*b"ORC", 2)
            .some()
            .unwrap_or_else(|| self.value(*b"OBR", 2))
    }
    /// Number of the parent order: ORC-8, else OBR-29.
    fn parent(&self) -> Val<'a> {
        let of = |segment, n| {
            self.field(segment, n)
                .map(|p| p.comp(1).sub(1).value().trimmed())
                .and_then(Val::some)
        };
        of(*b"ORC", 8)
            .or_else(|| of(*b"OBR", 29))
            .unwrap_or_default()
    }
    /// Position of the first segment in the message.
    fn position(&self) -> u32 {
        self.head.segments().first().map_or(0, Segment::position)
    }
    /// Whether the row withdraws the order.
    fn is_cancelled(&self) -> bool {
        warifu_terms::maps::withdrawal(self.control()).is_some()
    }
    /// Why what the row says was done is not taken for done: the field, the state, and the value. ORC-1 says
    /// that it was sent in error, ORC-5 and OBR-25 that it came to nothing, or to no end.
    #[inline(never)]
    fn undone(&self) -> Option<(&'static str, &'static str, Val<'a>)> {
        let (state, result) = (self.value(*b"ORC", 5), self.value(*b"OBR", 25));
        match (state.text, result.text) {
            _ if self.is_cancelled() => Some(("ORC-1", "entered-in-error", self.value(*b"ORC", 1))),
            ("CA", _) => Some(("ORC-5", "not-done", state)),
            ("DC", _) => Some(("ORC-5", "stopped", state)),
            (_, "X") => Some(("OBR-25", "not-done", result)),
            _ => None,
        }
    }
    /// A place for findings about the order.
    fn place(&self, m: Message<'a>) -> Part<'a> {
        self.head
            .segments()
            .first()
            .map_or_else(|| m.empty_part(), |s| s.field(2))
    }
}

/// Splits a message into orders: each ORC opens one; so does an OBR when the order at hand has one
/// already (results without ORC). Linear in the number of segments.
fn orders(m: Message<'_>) -> Vec<Order<'_>> {
    let mut all: Vec<Order<'_>> = Vec::new();
    for s in m.segments() {
        let name = s.name();
        let opens = match &name {
            b"ORC" => true,
            b"OBR" => all.last().is_none_or(|o| o.has_obr),
            _ => false,
        };
        if opens {
            all.push(Order {
                head: Group::new(),
                has_obr: false,
                notes: Vec::new(),
                lines: Vec::new(),
                executions: Vec::new(),
                studies: Vec::new(),
            });
        }
        let Some(o) = all.last_mut() else { continue };
        match &name {
            b"ORC" | b"TQ1" => o.head.push(s),
            b"OBR" => {
                o.has_obr = true;
                o.head.push(s);
            }
            b"OBX" => {
                let lines = o
                    .executions
                    .last_mut()
                    .map_or(&mut o.lines, |e| &mut e.lines);
                lines.push(Line {
                    obx: s,
                    notes: Vec::new(),
                });
            }
            b"NTE" => {
                let (lines, notes) = match o.executions.last_mut() {
                    Some(e) => (&mut e.lines, &mut e.notes),
                    None => (&mut o.lines, &mut o.notes),
                };
                lines.last_mut().map_or(notes, |l| &mut l.notes).push(s);
            }
            b"ZE1" => o.executions.push(Execution {
                ze1: s,
                notes: Vec::new(),
                lines: Vec::new(),
                exposures: Vec::new(),
            }),
            b"ZE2" => {
                if let Some(e) = o.executions.last_mut() {
                    e.exposures.push(s);
                }
            }
            b"IPC" => o.studies.push(s),
            _ => {}
        }
    }
    all
}

/// The order kind that the numbers of a file belong to: what was performed refers to its order.
fn family(cx: &Cx<'_, '_>) -> &'static str {
    match cx.kind() {
        Some(DataKind::Omg01 | DataKind::Omg11) => "OMG-01",
        Some(DataKind::Omg02 | DataKind::Omg12) => "OMG-02",
        _ => "OMG-03",
    }
}

/// Number of an order for ids: its own, else the one of the file name.
fn number_of<'a>(cx: &Cx<'a, '_>, o: &Order<'a>) -> &'a str {
    match o.number().some() {
        Some(v) => v.text,
        None => cx.text(cx.item.order),
    }
}

/// Logical id of the ServiceRequest of an order number.
fn request_id(cx: &mut Cx<'_, '_>, number: &str, position: u32) -> Id {
    let family = family(cx);
    cx.id("ServiceRequest", &[family, number], position, "")
}

/// Refers to the stay or visit of a moment, the source of which is given; falls back to the care date
/// of the file.
fn encounter(cx: &mut Cx<'_, '_>, r: &mut Resource, element: Element, at: Val<'_>) {
    let (digits, src) = if at.is_empty() {
        (cx.item.date, Src::NONE)
    } else {
        (at.text, at.src())
    };
    if let Some(id) = cx.encounter_at(digits) {
        cx.reference(r, element, "Encounter", id, src);
    }
}

/// A row of a table by its source field.
fn row(table: &'static Table, source: &str) -> Option<&'static RowId> {
    crate::kinds::practitioner::row(table, source)
}

/// Runs `f` with leaves attributed to the row of a source field.
fn within(r: &mut Resource, table: &'static Table, source: &str, f: impl FnOnce(&mut Resource)) {
    if !r.traces() {
        return f(r);
    }
    let before = r.row(row(table, source));
    f(r);
    r.row(before);
}

/// An Identifier with its type (table 0203).
fn typed_identifier(
    o: &mut Object<'_>,
    code: &'static str,
    display: &'static str,
    system: &str,
    v: Val<'_>,
) {
    if v.is_empty() {
        return;
    }
    o.object("type", |o| {
        datatypes::coded_concept(o, systems::V2_0203, code, display, Src::NONE);
    });
    datatypes::identifier(o, system, v);
}

/// One constant SNOMED CT coding, or another system's.
fn constant_concept(
    r: &mut Resource,
    element: Element,
    system: &'static str,
    code: &'static str,
    display: &'static str,
) {
    r.object(element, |o| {
        datatypes::coded_concept(o, system, code, display, Src::NONE);
    });
}

/// Adds an Annotation.
fn annotate(r: &mut Resource, element: Element, text: &str, src: Src) {
    r.object(element, |o| o.string("text", text, src));
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]
mod tests;
