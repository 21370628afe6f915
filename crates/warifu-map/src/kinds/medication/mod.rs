//! Medication: prescriptions (OMP-01), injections (OMP-02), what was given (OMP-11, OMP-12).
//!
//! JP_MedicationRequest(+_Injection), JP_MedicationAdministration(+_Injection), JP_MedicationDispense,
//! JP_Immunization of JP Core 1.2.0; SS-MIX2 仕様書 OMP-01/02/11/12; mapping §8, §9.

pub mod administration;
mod dosage;
pub mod request;
#[cfg(test)]
mod tests;

use bumpalo::collections::Vec as List;
use warifu_diag::catalogue::map_general::{MAP004, MAP005, MAP009};
use warifu_diag::catalogue::map_medication::MAP311;
use warifu_fhir::{Element, Id, Object, Resource};
use warifu_hl7::{Part, Segment, Val};
use warifu_terms::{systems, tables};

use crate::cx::{Cx, Sourced};
use crate::datatypes::{self, Person};
use crate::kinds::practitioner;
use crate::table::{Group, Table, Worded, kept_text};

/// Canonical of JP_Medication.
pub const JP_MEDICATION: &str = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Medication";

/// Tables of this module.
pub static TABLES: &[Worded] = crate::worded![
    request::RXE_TO_JP_MEDICATION_REQUEST,
    request::RXE_TO_JP_MEDICATION_REQUEST_INJECTION,
    administration::RXA_TO_JP_MEDICATION_ADMINISTRATION,
    administration::RXA_TO_JP_MEDICATION_ADMINISTRATION_INJECTION,
    administration::RXA_TO_JP_MEDICATION_DISPENSE,
    administration::RXA_TO_JP_IMMUNIZATION,
];

/// OMP-01: one MedicationRequest a drug.
pub(crate) fn prescription(cx: &mut Cx<'_, '_>) {
    request::convert(cx, false);
}

/// OMP-02: one MedicationRequest an administration, its drugs in a contained Medication.
pub(crate) fn injection(cx: &mut Cx<'_, '_>) {
    request::convert(cx, true);
}

/// OMP-11: one MedicationAdministration a drug and time; dispensed to an outpatient: MedicationDispense.
pub(crate) fn prescription_given(cx: &mut Cx<'_, '_>) {
    administration::given(cx);
}

/// OMP-12: one MedicationAdministration a mixture and time; vaccinations an Immunization as well.
pub(crate) fn injection_given(cx: &mut Cx<'_, '_>) {
    administration::injected(cx);
}

/// Calls `f` once an order: a group begins at each ORC. Where one ORC is followed by several RXE
/// (met), each RXE is an order of its own with the same ORC.
fn orders<'a, 'r>(cx: &mut Cx<'a, 'r>, mut f: impl FnMut(&mut Cx<'a, 'r>, &Group<'a>)) {
    let mut group = Group::new();
    let mut orc: Option<Segment<'a>> = None;
    let mut has_rxe = false;
    for s in cx.message().segments() {
        match &s.name() {
            b"ORC" => {
                if !group.is_empty() {
                    f(cx, &group);
                }
                group.clear();
                orc = Some(s);
                has_rxe = false;
            }
            b"RXE" => {
                if has_rxe {
                    f(cx, &group);
                    group.clear();
                    if let Some(orc) = orc {
                        group.push(orc);
                    }
                }
                has_rxe = true;
            }
            b"RXA" => {}
            _ if group.is_empty() => continue,
            _ => {}
        }
        group.push(s);
    }
    if !group.is_empty() {
        f(cx, &group);
    }
}

/// Most bytes that an order says again with each of its resources or doses; what is longer goes with the
/// first, so that a long message does not become a longer one for each of them.
const PAGE: u32 = 4096;

/// Order number: ORC-2, else that of the file name.
fn order_number<'a>(cx: &Cx<'a, '_>, group: &Group<'a>) -> Val<'a> {
    let sent = group
        .field(*b"ORC", 2)
        .map(|f| f.value().trimmed())
        .unwrap_or_default();
    if sent.is_empty() {
        sent.map(cx.text(cx.item.order))
    } else {
        sent
    }
}

/// Rp number of ORC-4: what stands between the first and the second `_`, else the whole value;
/// leading zeros are dropped. Empty when there is none, or only the order number again.
fn rp_number<'a>(group: &Group<'a>, order: &str) -> Val<'a> {
    let v = group
        .field(*b"ORC", 4)
        .map(|f| f.value().trimmed())
        .unwrap_or_default();
    let rp = match v.text.split_once('_') {
        Some((_, rest)) => rest.split('_').next().unwrap_or(rest),
        None if v.text == order => "",
        None => v.text,
    };
    let stripped = rp.trim_start_matches('0');
    v.map(if stripped.is_empty() && !rp.is_empty() {
        "0"
    } else {
        stripped
    })
}

/// What ORC-4 says of a drug's place in its order: what stands behind the order's number, without leading
/// zeros, joined with `-`.
fn group_number<'a>(cx: &Cx<'a, '_>, group: &Group<'a>, order: &str) -> Val<'a> {
    let v = group
        .field(*b"ORC", 4)
        .map(|f| f.value().trimmed())
        .unwrap_or_default();
    let behind = v.text.strip_prefix(order).filter(|_| !order.is_empty());
    let mut text = bumpalo::collections::String::new_in(cx.message().arena());
    for piece in behind.unwrap_or(v.text).split('_') {
        let number = piece.trim_start_matches('0');
        if !piece.is_empty() {
            text.push_str(if text.is_empty() { "" } else { "-" });
            text.push_str(if number.is_empty() { "0" } else { number });
        }
    }
    v.map(text.into_bump_str())
}

/// The drug of an order as its Rp and its own code say it, `order-rp-code`: what was given or handed over
/// names its request by that, since places in an Rp are the order's alone.
#[inline(never)]
fn drug_of_order<'a>(
    o: &mut Object<'_>,
    cx: &Cx<'a, '_>,
    order: Val<'a>,
    rp: Val<'a>,
    code: Val<'a>,
) {
    let system = datatypes::local_system(cx, "drug-of-order");
    datatypes::joined_identifier(o, cx, system, &[order, rp, code], 2);
}

/// Adds the rpNumber identifier; reports when there is none.
fn rp_identifier(r: &mut Resource, cx: &mut Cx<'_, '_>, element: Element, rp: Val<'_>) -> bool {
    if rp.is_empty() {
        cx.report_message(&MAP009, "ORC-4");
        return false;
    }
    r.object(element, |o| {
        datatypes::identifier(o, systems::ID_RP_NUMBER, rp);
    })
}

/// The drug of a CWE as CodeableConcept, with further codings of a second field (RXE-31). Reports
/// when there are only local codes.
fn drug<'a>(o: &mut Object<'_>, cx: &mut Cx<'a, '_>, cwe: Part<'a>, more: Option<Part<'a>>) {
    cx.members(b'd', o, (cwe, more), |o, cx| {
        write_drug(o, cx, cwe, more);
    });
}

fn write_drug<'a>(o: &mut Object<'_>, cx: &mut Cx<'a, '_>, cwe: Part<'a>, more: Option<Part<'a>>) {
    let mut standard = false;
    let mut coded = false;
    for field in [Some(cwe), more].into_iter().flatten() {
        for t in datatypes::triplets(field).filter(|t| !t.code.is_empty()) {
            coded = true;
            standard |= matches!(
                systems::system_uri(t.system.text, t.code.text, t.version.text),
                systems::SystemUri::Known(_)
            );
        }
    }
    if coded && !standard {
        cx.report_with(&MAP005, &cwe, "HOT, YJ");
    }
    datatypes::concept_of(o, cx, cwe, &mut |a, cx, _| {
        for field in more
            .into_iter()
            .flat_map(|f| f.reps())
            .filter(Part::is_some)
        {
            for t in datatypes::triplets(field) {
                datatypes::coding(a, cx, &t);
            }
        }
    });
}

/// `I`/`O` of ORC-29, else of PV1-2: whether an order or visit is an inpatient's.
fn order_type<'a>(cx: &Cx<'a, '_>, group: &Group<'a>) -> Val<'a> {
    let sent = group
        .field(*b"ORC", 29)
        .map(|f| f.comp(1).value().trimmed())
        .unwrap_or_default();
    if sent.is_empty() {
        cx.message().value(b"PV1", 2).trimmed()
    } else {
        sent
    }
}

/// Category of an order type (table 0482): code with its English display, the sent text as text.
fn order_category<'a>(o: &mut Object<'_>, cx: &mut Cx<'a, '_>, group: &Group<'a>) {
    let kind = order_type(cx, group);
    let sent = group.field(*b"ORC", 29).filter(Part::is_some);
    if let Some(entry) = tables::T_0482.entry(kind.text) {
        if let Some(sent) = sent {
            cx.used(&sent.comp(3));
        }
        o.array("coding", |a| {
            a.object(|o| {
                o.constant("system", "http://terminology.hl7.org/CodeSystem/v2-0482");
                o.string("code", entry.code, kind.src());
                o.string("display", entry.en, kind.src());
            });
        });
        let text = sent
            .map(|f| f.comp(2).value().trimmed())
            .filter(|v| !v.is_empty())
            .unwrap_or_else(|| kind.map(entry.ja));
        o.string("text", text.text, text.src());
    } else if let Some(sent) = sent {
        datatypes::codeable_concept(o, cx, sent);
    }
}

/// Adds an Annotation of composed text.
fn note(r: &mut Resource, element: Element, pieces: &[&str], cx: &Cx<'_, '_>, at: &impl Sourced) {
    let mut text = bumpalo::collections::String::new_in(cx.message().arena());
    for p in pieces {
        text.push_str(p);
    }
    if !text.trim().is_empty() {
        r.object(element, |o| o.string("text", &text, at.src()));
    }
}

/// Adds what a field says as an Annotation `label: value unit`, reported as kept so (MAP311).
fn note_amount<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    element: Element,
    (label, name): (&str, &'static str),
    value: Part<'a>,
    unit: Option<Part<'a>>,
) {
    let v = value.value().trimmed();
    let unit = unit.map(|u| datatypes::said_of(u));
    let unit = unit.unwrap_or_default();
    if v.is_empty() {
        return;
    }
    let text = bumpalo::format!(in cx.message().arena(), "{}: {}{}", label, v.text, unit.text)
        .into_bump_str();
    r.object(element, |o| {
        if !unit.is_empty() {
            o.also(unit.src());
        }
        o.string("text", text, v.src());
    });
    cx.report_with(&MAP311, &value, name);
}

/// The people of an order, remembered while the same bytes follow: most orders of a message repeat
/// their ORC, and each shared id costs a hash.
#[derive(Default)]
struct People<'a> {
    entered: Option<(&'a [u8], Person<'a>)>,
    requested: Option<(&'a [u8], Person<'a>)>,
    role: Option<(&'a [u8], &'a [u8], Id)>,
    facility: Option<(&'a [u8], Id)>,
}

fn again<'a>(cx: &mut Cx<'a, '_>, p: &Person<'a>, field: Part<'a>) -> Person<'a> {
    datatypes::keep_other_people(cx, field);
    same(p, field)
}

fn same<'a>(p: &Person<'a>, field: Part<'a>) -> Person<'a> {
    Person {
        id: p.id,
        display: p.display,
        src: field.src(),
    }
}

impl<'a> People<'a> {
    /// ORC-12.
    fn requester(&mut self, cx: &mut Cx<'a, '_>, group: &Group<'a>) -> Option<Person<'a>> {
        let field = group.field(*b"ORC", 12)?;
        if let Some((raw, p)) = &self.requested
            && *raw == field.raw()
        {
            return Some(again(cx, p, field));
        }
        let p = datatypes::practitioner(cx, field)?;
        self.requested = Some((field.raw(), same(&p, field)));
        Some(p)
    }
    /// ORC-10; often the requester.
    fn entered_by(&mut self, cx: &mut Cx<'a, '_>, group: &Group<'a>) -> Option<Person<'a>> {
        let field = group.field(*b"ORC", 10)?;
        for (raw, p) in [&self.requested, &self.entered].into_iter().flatten() {
            if *raw == field.raw() {
                return Some(again(cx, p, field));
            }
        }
        let p = datatypes::practitioner(cx, field)?;
        self.entered = Some((field.raw(), same(&p, field)));
        Some(p)
    }
    /// The requester's PractitionerRole, when person and department (ORC-17) are both known.
    fn role(&mut self, cx: &mut Cx<'a, '_>, group: &Group<'a>, person: &Person<'a>) -> Option<Id> {
        let field = group.field(*b"ORC", 17).filter(Part::is_some)?;
        let doctor = group.field(*b"ORC", 12)?;
        cx.used(&field);
        if let Some((a, b, id)) = self.role
            && a == doctor.raw()
            && b == field.raw()
        {
            return Some(id);
        }
        let t = datatypes::triplets(field).find(|t| !t.code.is_empty())?;
        let department = practitioner::department(cx, t.code, t.text, t.system.text)?;
        let doctor_of = (person.id?, person.src);
        let id = practitioner::emit_role(cx, doctor_of, department, t.code.text, field.src());
        self.role = Some((doctor.raw(), field.raw(), id));
        Some(id)
    }
    /// The institution (JP_Organization) that ORC-21 to 23 describe.
    fn facility(&mut self, cx: &mut Cx<'a, '_>, group: &Group<'a>) -> Option<Id> {
        let orc = group.first(*b"ORC")?;
        let name = orc.field(21);
        if !name.is_some() {
            return None;
        }
        for n in [21, 22, 23] {
            cx.used(&orc.field(n));
        }
        if let Some((raw, id)) = self.facility
            && raw == name.raw()
        {
            return Some(id);
        }
        practitioner::emit_facility(cx, orc);
        let id = practitioner::institution(cx)?;
        self.facility = Some((name.raw(), id));
        Some(id)
    }
}

/// Adds `{resourceType: Device, id: device, type: …}` to `contained` for RXR-3.
fn device<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, field: Part<'a>) {
    if field.is_some() {
        r.object(warifu_fhir::element::CONTAINED, |o| {
            o.constant("resourceType", "Device");
            o.constant("id", "device");
            o.object("type", |o| datatypes::codeable_concept(o, cx, field));
        });
    }
}

/// One drug of a mixture.
struct Ingredient<'a> {
    /// The segment that says it.
    segment: Option<Segment<'a>>,
    code: Part<'a>,
    amount: Part<'a>,
    unit: Part<'a>,
    /// Place in the message from 1 (薬剤番号).
    number: u32,
}

/// What a contained Medication says besides its ingredients.
#[derive(Default)]
struct Mixture<'a> {
    form: Option<Part<'a>>,
    lot: Option<Val<'a>>,
    expiry: Option<Val<'a>>,
    manufacturer: Option<Val<'a>>,
    /// Fields of further drugs that are kept where the first has another value.
    others: &'static [usize],
}

/// Adds the contained JP_Medication `medication` and the reference to it. Returns whether it satisfies
/// its profile (every ingredient has a strength). What is kept of one of several drugs stands with it.
fn mixture<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    table: &'static Table,
    reference: Element,
    drugs: &List<'a, Ingredient<'a>>,
    about: &Mixture<'a>,
) -> bool {
    let arena = cx.message().arena();
    let mut strengths: List<'a, Option<(std::borrow::Cow<'a, str>, datatypes::Unit<'a>)>> =
        List::with_capacity_in(drugs.len(), arena);
    let mut left = List::with_capacity_in(drugs.len(), arena);
    let first = drugs.first().and_then(|d| d.segment);
    for d in drugs {
        let read = cx.strays.unread();
        let literal = dosage::amount(
            cx,
            d.amount.value().trimmed(),
            "Medication.ingredient.strength",
        );
        let unit = dosage::drug_unit_of(cx, d.unit);
        if literal.is_none() {
            cx.unread(d.unit.text().trimmed(), "Medication.ingredient.strength");
        }
        strengths.push(literal.map(|n| (n, unit)));
        left.push(match (first, d.segment) {
            (Some(first), Some(s)) if drugs.len() > 1 => {
                cx.left_of(table, [first, s], about.others, read)
            }
            _ => Vec::new(),
        });
    }
    // The profile wants the unit's code.
    let coded =
        |s: &Option<(_, datatypes::Unit<'_>)>| s.as_ref().is_some_and(|(_, u)| !u.code.is_empty());
    let complete = strengths.iter().all(coded);
    r.object(warifu_fhir::element::CONTAINED, |o| {
        o.constant("resourceType", "Medication");
        o.constant("id", "medication");
        if complete {
            o.object("meta", |o| {
                o.array("profile", |a| a.string(JP_MEDICATION, warifu_fhir::Src::NONE));
            });
        }
        o.constant("status", "active");
        if let Some(v) = about.manufacturer {
            o.object("manufacturer", |o| o.string("display", v.text, v.src()));
        }
        if let Some(form) = about.form.filter(Part::is_some) {
            o.object("form", |o| dosage_form(o, cx, form));
        }
        o.array("ingredient", |a| {
            for ((d, strength), left) in drugs.iter().zip(&strengths).zip(&left) {
                a.object(|o| {
                    o.array("extension", |a| {
                        a.object(|o| {
                            o.constant("url", "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Medication_Ingredient_DrugNo");
                            o.number("valueInteger", &d.number.to_string(), d.code.src());
                        });
                        for (name, v) in left {
                            a.object(|o| kept_text(o, name, *v));
                        }
                    });
                    o.object("itemCodeableConcept", |o| drug(o, cx, d.code, None));
                    if let Some((literal, unit)) = strength {
                        o.object("strength", |o| {
                            o.object("numerator", |o| dosage::quantity(o, literal, d.amount.src(), unit));
                            o.raw(r#""denominator":{"value":1,"unit":"回","system":"http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationUnitMERIT9Code","code":"TIME"}"#);
                        });
                    }
                });
            }
        });
        if about.lot.is_some() || about.expiry.is_some() {
            let expiry = about.expiry.and_then(|v| Some((datatypes::date_time(cx, v, "Medication.batch.expirationDate")?, v)));
            o.object("batch", |o| {
                if let Some(v) = about.lot {
                    o.string("lotNumber", v.text, v.src());
                }
                if let Some((text, v)) = expiry {
                    o.string("expirationDate", text, v.src());
                }
            });
        }
    });
    r.object(reference, |o| o.constant("reference", "#medication"));
    complete
}

/// Dosage form: `MR9P` names forms and units alike; here it is the form list.
fn dosage_form<'a>(o: &mut Object<'_>, cx: &mut Cx<'a, '_>, cwe: Part<'a>) {
    let [a, _] = datatypes::both_triplets(cwe);
    if systems::trim_name(a.system.text) == "MR9P"
        && tables::T_MR9P_FORM.entry(a.code.text).is_some()
    {
        o.array("coding", |c| {
            c.object(|o| {
                o.string("system", systems::MERIT9_FORM, a.system.src());
                o.string("code", a.code.text, a.code.src());
                o.string("display", a.text.text, a.text.src());
            });
        });
        o.string("text", a.text.text, a.text.src());
    } else {
        datatypes::codeable_concept(o, cx, cwe);
    }
}

/// Claims a profile, or reports that it cannot be claimed.
fn claim(
    r: &mut Resource,
    cx: &mut Cx<'_, '_>,
    profile: &'static str,
    name: &'static str,
    satisfied: bool,
) {
    if satisfied {
        r.profile(profile);
    } else {
        cx.report_message(&MAP004, name);
    }
}
