//! OBX → Observation of a laboratory result.

use warifu_order::Map;

use warifu_diag::catalogue::map_general::{MAP004, MAP009};
use warifu_diag::catalogue::map_lab::{MAP208, MAP209};
use warifu_fhir::element::observation as el;
use warifu_fhir::{Id, Resource, Src};
use warifu_hl7::{Part, Segment, Val};
use warifu_terms::maps::worse_report_status;
use warifu_terms::systems;

use crate::cx::{Cx, Sourced};
use crate::datatypes::{self, Person, Times};
use crate::kinds::observation::{self, Item, JP_OBSERVATION_COMMON};
use crate::table::keep_rest;

use super::microbiology::{self, Role};
use super::tables::OBX_TO_JP_OBSERVATION_LAB_RESULT;
use super::walk::{Line, Order, Walk};
use super::{ALLOWS, Shared, Target};

const JP_OBSERVATION_LAB_RESULT: &str =
    "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Observation_LabResult";
const JP_OBSERVATION_MICROBIOLOGY: &str =
    "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Observation_Microbiology";

/// What all results of an order share.
pub(super) struct Context<'a> {
    pub(super) number: Val<'a>,
    pub(super) target: Target<'a>,
    /// Reference to the ServiceRequest.
    request: Option<&'a str>,
    encounter: Option<super::Visit<'a>>,
    /// ORC-1.
    control: Val<'a>,
    /// SPM-17, else OBR-7, else the care date.
    fallback: Times<'a>,
    /// Whether `fallback` is only the care date.
    care_date: bool,
    /// OBR-22.
    issued: Option<(&'a str, Src)>,
    /// Whether the order as a whole is microbiological.
    pub(super) microbiology: bool,
    /// OBR-26, when the results belong to one of a parent.
    pub(super) parent: Option<Part<'a>>,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        cx: &mut Cx<'a, '_>,
        order: &Order<'a>,
        number: Val<'a>,
        item: Option<&Item<'a>>,
        target: Target<'a>,
        request: Option<&'a str>,
        encounter: Option<super::Visit<'a>>,
    ) -> Self {
        let field = |n| order.obr.map(|s| s.field(n));
        let value = |n| field(n).map(|f| f.value().trimmed()).unwrap_or_default();
        let mut fallback = target.collected;
        let mut care_date = false;
        if fallback.is_none() {
            // Unreadable times are reported where the request and the report use them.
            fallback = Times::again(cx, value(7), value(8));
        }
        if fallback.is_none()
            && let Some(t) = warifu_hl7::time::parse(cx.item.date).filter(|t| t.day > 0)
        {
            let mut s = String::new();
            t.write_date(&mut s);
            fallback = Times::at(cx.text(&s), Src::NONE);
            care_date = true;
        }
        let issued = value(22);
        let before = cx.out.diagnostics.len();
        let issued =
            datatypes::instant(cx, issued, "Observation.issued").map(|s| (s, issued.src()));
        cx.out.diagnostics.truncate(before);
        let parent = field(26).filter(Part::is_some);
        let microbiology = parent.is_some()
            || value(24).text == "MB"
            || item
                .and_then(Item::jlac10)
                .is_some_and(microbiology::is_code);
        Self {
            number,
            target,
            request,
            encounter,
            control: order.control(),
            fallback,
            care_date,
            issued,
            microbiology,
            parent,
        }
    }
}

/// What is remembered from result to result of a message.
#[derive(Default)]
pub(super) struct Memory<'a> {
    /// OBX-14 as sent and as written.
    time: Option<(&'a str, &'a str)>,
    /// OBX-16 as sent and the person.
    performer: Option<(&'a [u8], Option<Person<'a>>)>,
    /// Organisms by code and sub-id, for OBR-26.
    pub(super) parents: Map<(&'a str, &'a str), Id>,
}

/// What the results of an order came to.
#[derive(Default)]
pub(super) struct Done<'a> {
    /// References and their sources.
    pub(super) results: Vec<(&'a str, Src)>,
    /// Worst status.
    pub(super) status: Option<(&'static str, Src)>,
    /// Results in all, those that are JP_Observation_LabResult, those that are microbiological.
    pub(super) count: usize,
    pub(super) lab: usize,
    pub(super) microbiology: usize,
}

impl<'a> Done<'a> {
    fn add(&mut self, cx: &Cx<'a, '_>, made: &Made, obx: Segment<'a>) {
        self.results.push((
            cx.reference_text("Observation", made.id),
            obx.field(3).src(),
        ));
        self.count += 1;
        self.lab += usize::from(made.lab);
        self.microbiology += usize::from(made.microbiology);
        let src = obx.field(11).src();
        self.status = Some(match self.status {
            None => (made.status, src),
            Some((s, from)) => {
                let worse = worse_report_status(s, made.status);
                (worse, if worse == s { from } else { src })
            }
        });
    }
}

/// An emitted Observation.
pub(super) struct Made {
    pub(super) id: Id,
    /// By OBX-11.
    pub(super) status: &'static str,
    lab: bool,
    microbiology: bool,
}

/// Converts the results of an order.
pub(super) fn convert<'a>(
    cx: &mut Cx<'a, '_>,
    shared: &mut Shared<'a>,
    walk: &Walk<'a>,
    order: &Order<'a>,
    context: &Context<'a>,
    memory: &mut Memory<'a>,
) -> Done<'a> {
    let lines = walk.lines_of(order);
    let mut done = Done {
        results: Vec::with_capacity(lines.len()),
        ..Done::default()
    };
    let plan = microbiology::plan(context, lines);
    let parent = microbiology::parent_of(cx, context, memory);
    for (i, line) in lines.iter().enumerate() {
        let role = match &plan {
            Some(p) => p.role(i),
            None => Role::Plain,
        };
        if matches!(role, Role::Part) {
            continue;
        }
        if let Some(made) = one(
            cx, shared, walk, context, memory, line, &role, lines, parent,
        ) {
            done.add(cx, &made, line.obx);
        }
    }
    done
}

/// A finding sent along with an order: an Observation of its own.
pub(super) fn finding<'a>(
    cx: &mut Cx<'a, '_>,
    shared: &mut Shared<'a>,
    walk: &Walk<'a>,
    line: &Line<'a>,
    number: Val<'a>,
    target: Target<'a>,
) -> Option<(&'a str, Src)> {
    let order = Order::default();
    let context = Context::new(cx, &order, number, None, target, None, None);
    let mut memory = Memory::default();
    let made = one(
        cx,
        shared,
        walk,
        &context,
        &mut memory,
        line,
        &Role::Finding,
        &[],
        None,
    )?;
    Some((
        cx.reference_text("Observation", made.id),
        line.obx.field(3).src(),
    ))
}

/// One OBX. `None` when it is no result.
#[expect(
    clippy::too_many_arguments,
    reason = "one call site of each kind; a struct would only rename the arguments"
)]
fn one<'a>(
    cx: &mut Cx<'a, '_>,
    shared: &mut Shared<'a>,
    walk: &Walk<'a>,
    context: &Context<'a>,
    memory: &mut Memory<'a>,
    line: &Line<'a>,
    role: &Role,
    lines: &[Line<'a>],
    parent: Option<Id>,
) -> Option<Made> {
    let obx = line.obx;
    let status = match observation::status(cx, obx) {
        Some(s) => s,
        None if matches!(role, Role::Finding) => "final",
        None => {
            cx.report(&MAP209, &obx.field(11));
            cx.used(&obx.field(11));
            return None;
        }
    };
    let target = &context.target;
    let susceptibility = context.parent.is_some();
    let item = Item::read(
        cx,
        obx.field(3),
        if susceptibility {
            systems::JANIS_ANTIMICROBIAL
        } else {
            systems::JANIS_ORGANISM
        },
    );
    let micro = context.microbiology
        || item.jlac10().is_some_and(microbiology::is_code)
        || matches!(role, Role::Organism(_));
    let sub = obx.field(4).value().trimmed();
    let key = item.key();
    let of_parent = context.parent.map_or("", |p| p.text().text);
    let second = item.second();
    let parts = [
        shared.kind,
        context.number.text,
        target.key,
        key.text,
        second.text,
        sub.text,
        of_parent,
    ];
    let id = super::unique(cx, "Observation", &parts, obx.position(), "", &obx.field(3));
    let mut r = cx.open("Observation", id);
    r.row(super::row(&OBX_TO_JP_OBSERVATION_LAB_RESULT));
    if !cx.options().without_source_identifier {
        // Drugs of one susceptibility code differ in their second code.
        let drug = if susceptibility {
            second
        } else {
            Val::default()
        };
        // Results of one item of one specimen, hours apart, differ in their time.
        let at = obx.field(14).value().trimmed();
        let parts = [context.number, context.target.number, key, drug, sub, at];
        datatypes::instance_identifier(&mut r, cx, el::IDENTIFIER, &parts, 2);
    }
    if let Some(request) = context.request {
        let src = super::src_of(&context.number);
        r.object(el::BASED_ON, |o| o.string("reference", request, src));
    }
    let (state, from) =
        observation::unless_withdrawn(context.control, (status, obx.field(11).src()));
    r.string(el::STATUS, state, from);
    r.add(el::CATEGORY, |v| v.raw(r#"{"coding":[{"system":"http://jpfhir.jp/fhir/core/CodeSystem/JP_SimpleObservationCategory_CS","code":"laboratory"}]}"#));
    if micro {
        microbiology::categories(&mut r, role, susceptibility);
    }
    if item.is_empty() {
        cx.report_with(&MAP009, &obx.field(3), "OBX-3");
        r.object(el::CODE, |o| {
            o.raw(observation::UNKNOWN);
        });
    } else {
        observation::code(&mut r, cx, &item, None);
    }
    shared.subject(&mut r, el::SUBJECT);
    if let Some((e, src)) = context.encounter {
        r.object(el::ENCOUNTER, |o| o.string("reference", e, src));
    }
    let timed = effective(&mut r, cx, context, memory, obx);
    if let Some((s, src)) = context.issued {
        r.string(el::ISSUED, s, src);
    }
    performer(&mut r, cx, memory, obx);
    let unit = observation::unit(cx, obx);
    let value = observation::read_value(cx, obx, unit, ALLOWS);
    if !observation::write_value(&mut r, &value) {
        observation::data_absent(&mut r, cx, obx, status);
    }
    observation::interpretation(&mut r, cx, obx);
    for nte in walk.notes(line.notes) {
        super::observation_note(&mut r, cx, nte);
    }
    if obx.field_count() > 8 {
        rest(&mut r, cx, obx);
    }
    if let Some(reference) = target.reference {
        r.object(el::SPECIMEN, |o| {
            o.string("reference", reference, target.src);
        });
    }
    if let Some(range) = observation::read_range(cx, obx, &unit) {
        r.object(el::REFERENCE_RANGE, |o| observation::write_range(o, &range));
    }
    if let Role::Organism(members) = role {
        microbiology::members(&mut r, cx, shared, walk, context, members, lines, status);
        microbiology::remember(memory, key.text, sub.text, id);
    }
    if susceptibility {
        microbiology::derived_from(&mut r, cx, context, parent);
    }
    let lab =
        !micro && item.is_coded() && !item.text.is_empty() && timed && target.reference.is_some();
    if micro {
        r.profile(JP_OBSERVATION_MICROBIOLOGY);
    } else if lab {
        r.profile(JP_OBSERVATION_LAB_RESULT);
    } else {
        cx.report_with(&MAP004, &obx.field(3), "JP_Observation_LabResult");
        r.profile(JP_OBSERVATION_COMMON);
    }
    cx.emit(r);
    Some(Made {
        id,
        status,
        lab,
        microbiology: micro,
    })
}

/// Logical id of the Observation of an OBX (the first one of its identity).
pub(super) fn id_of<'a>(
    cx: &mut Cx<'a, '_>,
    shared: &Shared<'a>,
    context: &Context<'a>,
    item: &Item<'a>,
    obx: Segment<'a>,
) -> Id {
    let of_parent = context.parent.map_or("", |p| p.text().text);
    let sub = obx.field(4).value().text.trim();
    let parts = [
        shared.kind,
        context.number.text,
        context.target.key,
        item.key().text,
        item.second().text,
        sub,
        of_parent,
    ];
    cx.order_id("Observation", &parts, obx.position(), "")
}

/// OBX-14, else what the order gives. Returns whether there is a time.
fn effective<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    context: &Context<'a>,
    memory: &mut Memory<'a>,
    obx: Segment<'a>,
) -> bool {
    let v = obx.field(14).value().trimmed();
    if !v.is_empty() {
        let text = match memory.time {
            Some((sent, written)) if sent == v.text => Some(written),
            _ => {
                let written = datatypes::date_time(cx, v, "Observation.effectiveDateTime");
                if let Some(w) = written {
                    memory.time = Some((v.text, w));
                }
                written
            }
        };
        if let Some(s) = text {
            return r.string(el::EFFECTIVE_DATE_TIME, s, v.src());
        }
    }
    if context.fallback.is_none() {
        return false;
    }
    if context.care_date {
        cx.report(&MAP208, &obx.field(3));
    }
    context
        .fallback
        .write_as(r, cx, [el::EFFECTIVE_DATE_TIME, el::EFFECTIVE_PERIOD])
}

/// OBX-16; one person usually answers for all results of a message.
fn performer<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, memory: &mut Memory<'a>, obx: Segment<'a>) {
    let f = obx.field(16);
    if !f.is_some() {
        return;
    }
    if f.has_repetitions() {
        datatypes::add_people(r, cx, el::PERFORMER, f);
        return;
    }
    if memory
        .performer
        .as_ref()
        .is_none_or(|(raw, _)| *raw != f.raw())
    {
        memory.performer = Some((f.raw(), datatypes::practitioner(cx, f)));
    }
    if let Some((_, Some(person))) = &memory.performer {
        let here = Person {
            id: person.id,
            display: person.display,
            src: f.src(),
        };
        r.object(el::PERFORMER, |o| datatypes::person_reference(o, &here));
    }
}

/// OBX-17 → method; fields without a target are kept.
fn rest<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, obx: Segment<'a>) {
    let method = obx.field(17);
    if method.is_some() {
        r.object(el::METHOD, |o| super::concept_or_text(o, cx, method));
    }
    keep_rest(&OBX_TO_JP_OBSERVATION_LAB_RESULT, r, cx, &[obx]);
}
