//! IPC → ImagingStudy; ZE1, its OBX and ZE2 → Procedure; drugs → MedicationAdministration.

use warifu_order::{Map, Set};

use bumpalo::collections::String as Text;
use warifu_diag::catalogue::map_general::{MAP004, MAP007, MAP009, MAP010};
use warifu_diag::catalogue::map_other::{MAP402, MAP403, MAP404, MAP406, MAP409};
use warifu_fhir::element::{
    imaging_study as study, medication_administration as drug, procedure as el,
};
use warifu_fhir::{Id, Object, Resource, Src};
use warifu_hl7::{Part, Segment, Val};
use warifu_ssmix2::DataKind;
use warifu_terms::{systems, units};

use super::{
    Execution, Line, Order, annotate, constant_concept, encounter, family, number_of, row,
    typed_identifier, within,
};
use crate::cx::{Cx, Sourced};
use crate::datatypes::{self, Times, Triplet, Unit, codeable_concept, local_system, people_of};
use crate::kinds::observation;
use crate::table::{CE, CODE, Group, Ignored, NAME, has_more, keep, keep_rest, run, value_parts};

/// Canonical of JP_ImagingStudy_Radiology.
const JP_IMAGING_STUDY: &str =
    "http://jpfhir.jp/fhir/core/StructureDefinition/JP_ImagingStudy_Radiology";
/// Canonical of JP_Procedure.
const JP_PROCEDURE: &str = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Procedure";

table! {
    /// IPC, OBR → JP_ImagingStudy_Radiology (OMG-11) or ImagingStudy (OMG-12). HL7 v2.5.1 §4.5.6 IPC;
    /// SS-MIX2 仕様書 OMG-11, 12; mapping §10.
    IPC_TO_JP_IMAGING_STUDY: "ImagingStudy" keeps "IPC" {
        "IPC-1" => "ImagingStudy.identifier": map accession, "受付番号";
        "IPC-2" => "ImagingStudy.identifier": map requested_procedure, "要求手続きID";
        "IPC-3" => "ImagingStudy.identifier": map uid, "検査インスタンスUID";
        "IPC-4" => "": lost, "予約済手続きステップID";
        "IPC-5" => "ImagingStudy.modality": map modality, "モダリティ";
        "IPC-6" => "ImagingStudy.procedureCode": map protocol, "プロトコルコード";
        "IPC-7" => "": lost, "予約済ステーション名";
        "IPC-8" => "ImagingStudy.location": map location, "予約済手続きステップ場所";
        "IPC-9" => "": lost, "予約済AEタイトル";
        "ORC-1" => "ImagingStudy.status": part, "オーダ制御";
        "ORC-12" => "ImagingStudy.referrer": map referrer, "依頼者";
        "OBR-2" => "ImagingStudy.basedOn": part, "依頼者オーダ番号";
        "OBR-4" => "ImagingStudy.procedureCode": part, "検査項目ID";
        "OBR-7" => "ImagingStudy.started": map started, "検査／採取日時";
        "ZE1-3" => "ImagingStudy.procedureCode": part, "手技";
    }
}

table! {
    /// ZE1, OBX, ZE2 → JP_Procedure (JP Core 1.2.0). SS-MIX2 仕様書 OMG-11, 12 (ZE1, ZE2); mapping §10.
    ZE1_TO_JP_PROCEDURE: "Procedure" keeps "ZE1", "ZE2", "OBX" {
        "ZE1-1" => "": ignored Ignored::Structural, "セットID－ZE1";
        "ZE1-2" => "Procedure.status": part, "制御コード（予定／実施）";
        "ZE1-3" => "Procedure.code": map code, "手技";
        "ZE1-4" => "Procedure.note": map times, "手技回数";
        "ZE1-5" => "Procedure.note": map add_on, "医事加算";
        "ZE1-6" => "Procedure.performer.function": part, "医療従事者種別";
        "ZE1-7" => "Procedure.performer.actor": map staff, "医療従事者";
        "ZE1-8" => "Procedure.usedCode": part, "使用物品種別";
        "ZE1-9" => "Procedure.usedCode": part, "使用物品";
        "ZE1-10" => "": lost, "連絡先";
        "ZE1-11" => "Procedure.note": map free_field, "実施フィールド";
        "ZE1-12" => "": lost, "会計フィールド";
        "OBX-1" => "": ignored Ignored::Structural, "セットID－OBX";
        "OBX-2" => "": part, "値型";
        "OBX-3" => "Procedure.performer.function": part, "検査項目";
        "OBX-4" => "": lost, "検査副ID";
        "OBX-5" => "Procedure.performer.actor": part, "検査値";
        "OBX-6" => "Procedure.note": part, "単位";
        "OBX-11" => "MedicationAdministration.status (取り消し)": part, "検査結果状態";
        "OBX-14" => "": part, "検査日時";
        "NTE-3" => "Procedure.note": part, "コメント";
        "OBR-7" => "Procedure.performed[x]": part, "検査／採取日時";
        "OBR-8" => "Procedure.performed[x]": part, "検査／採取終了日時";
        "ORC-2" => "Procedure.basedOn": part, "依頼者オーダ番号";
        "ZE2-1" => "": ignored Ignored::Structural, "セットID－ZE2";
        "ZE2-2" => "Procedure.note": part, "管電圧";
        "ZE2-3" => "Procedure.note": part, "管電流";
        "ZE2-4" => "Procedure.note": part, "距離";
        "ZE2-5" => "Procedure.note": part, "時間";
        "ZE2-6" => "Procedure.note": part, "照射回数";
        "ZE2-7" => "Procedure.note": part, "撮影フィールド";
    }
}

table! {
    /// Drugs of a procedure (`DE-02`) → MedicationAdministration. SS-MIX2 仕様書 OMG-11, 12; mapping §10.
    ZE1_TO_MEDICATION_ADMINISTRATION: "MedicationAdministration" {
        "ZE1-8" => "": part, "使用物品種別";
        "ZE1-9" => "MedicationAdministration.medicationCodeableConcept, dosage.dose": part, "使用物品";
        "OBX-3" => "": part, "検査項目";
        "OBX-5" => "MedicationAdministration.medicationCodeableConcept, dosage.dose": part, "検査値";
        "OBX-11" => "MedicationAdministration.status (取り消し)": part, "検査結果状態";
        "ORC-1" => "MedicationAdministration.status (取り消し)": part, "オーダ制御";
        "OBR-7" => "MedicationAdministration.effective[x]": part, "検査／採取日時";
    }
}

/// A study and the order rows (indexes) that name it.
struct Study<'a> {
    ipc: Segment<'a>,
    rows: Vec<usize>,
    /// Whether the IPC is that of the parent (PA).
    of_parent: bool,
    /// What other rows say otherwise, once each.
    others: Set<(usize, &'a [u8])>,
    /// The same in order.
    differing: Vec<(usize, Part<'a>)>,
}

/// Converts what was performed; `requests` names the ServiceRequest of each order row.
pub(super) fn convert<'a>(cx: &mut Cx<'a, '_>, orders: &[Order<'a>], requests: &[Id]) {
    let mut procedures: Vec<Vec<Id>> = Vec::with_capacity(orders.len());
    for (o, request) in orders.iter().zip(requests) {
        let mut made = Vec::new();
        let mut count: Map<&'a str, u32> = Map::new();
        for e in &o.executions {
            let code = e.ze1.field(3).comp(1).value().trimmed().text;
            let n = count.entry(code).or_insert(0);
            *n += 1;
            if let Some(id) = procedure(cx, o, e, *request, code, *n) {
                made.push(id);
            }
        }
        procedures.push(made);
    }
    let mut keys: Map<&'a str, usize> = Map::new();
    let mut studies: Vec<Study<'a>> = Vec::new();
    for (i, o) in orders.iter().enumerate() {
        let parent = o.control() == "PA";
        for ipc in &o.studies {
            let (uid, number) = (
                ipc.field(3).comp(1).value().trimmed(),
                ipc.field(1).comp(1).value().trimmed(),
            );
            let key = uid.some().unwrap_or(number);
            if uid.is_empty() {
                cx.report_with(&MAP009, &ipc.field(1), "IPC-3");
            }
            if key.is_empty() {
                cx.stray_parts(*ipc);
                continue;
            }
            let at = *keys.entry(key.text).or_insert_with(|| {
                studies.push(Study {
                    ipc: *ipc,
                    rows: Vec::new(),
                    of_parent: parent,
                    others: Set::new(),
                    differing: Vec::new(),
                });
                studies.len() - 1
            });
            if let Some(s) = studies.get_mut(at) {
                if s.ipc.position() != ipc.position() {
                    let again = if parent && !s.of_parent {
                        s.of_parent = true;
                        std::mem::replace(&mut s.ipc, *ipc)
                    } else {
                        *ipc
                    };
                    s.repeated(cx, again);
                }
                if s.rows.last() != Some(&i) {
                    s.rows.push(i);
                }
            }
        }
    }
    for s in &studies {
        emit_study(cx, s, orders, requests, &procedures);
    }
}

impl<'a> Study<'a> {
    /// Every row of an order repeats the IPC: what says the same is used, what differs is reported and kept.
    fn repeated(&mut self, cx: &mut Cx<'a, '_>, again: Segment<'a>) {
        for (n, field) in again.fields().filter(|(_, field)| field.is_some()) {
            let main = self.ipc.field(n);
            if main.raw() == field.raw() || !self.others.insert((n, field.raw())) {
                cx.used(&field);
                continue;
            }
            if main.is_some() {
                let code = &warifu_diag::catalogue::map_other::MAP401;
                cx.report_with(code, &field, format!("IPC-{n}"));
            }
            self.differing.push((n, field));
        }
    }
}

// --- ImagingStudy -----------------------------------------------------------------------------------

fn emit_study<'a>(
    cx: &mut Cx<'a, '_>,
    s: &Study<'a>,
    orders: &[Order<'a>],
    requests: &[Id],
    procedures: &[Vec<Id>],
) {
    let (uid, number) = (
        s.ipc.field(3).comp(1).value().trimmed(),
        s.ipc.field(1).comp(1).value().trimmed(),
    );
    let key = uid.some().unwrap_or(number).text;
    let id = cx.id("ImagingStudy", &[key], s.ipc.position(), "");
    let mut r = cx.open("ImagingStudy", id);
    let waiting = cx.put_aside();
    cx.stray_parts(s.ipc);
    let rows = || s.rows.iter().filter_map(|i| orders.get(*i));
    let mut group = Group::new();
    group.push(s.ipc);
    // The last row (a child, where there is one) says when and by whom.
    let last = rows().next_back();
    for segment in last.iter().flat_map(|o| o.head.segments()) {
        group.push(*segment);
    }
    run(&IPC_TO_JP_IMAGING_STUDY, &mut r, cx, &group);
    for (n, field) in &s.differing {
        if s.ipc.field(*n).raw() != field.raw() {
            keep(&mut r, cx, format!("IPC-{n}"), *field);
        }
    }
    let children = rows().any(Order::is_child);
    within(&mut r, &IPC_TO_JP_IMAGING_STUDY, "ORC-1", |r| {
        // One row withdraws the order; what came to nothing did so in all of it.
        let mut details = rows().filter(|o| o.is_child() || !children);
        let cancelled = rows()
            .find(|o| o.is_cancelled())
            .or_else(|| last.filter(|_| details.all(|o| o.undone().is_some())));
        match cancelled.and_then(Order::undone) {
            Some((_, _, by)) => r.string(study::STATUS, "cancelled", by.src()),
            None => r.constant(study::STATUS, "available"),
        };
    });
    cx.subject(&mut r, study::SUBJECT);
    encounter(
        cx,
        &mut r,
        study::ENCOUNTER,
        last.map(|o| o.value(*b"OBR", 7)).unwrap_or_default(),
    );
    let mut based: Set<Id> = Set::new();
    let mut codes: Set<&'a [u8]> = Set::new();
    let mut done: Vec<Id> = Vec::new();
    for i in &s.rows {
        let (Some(o), Some(request)) = (orders.get(*i), requests.get(*i)) else {
            continue;
        };
        if based.insert(*request) {
            within(&mut r, &IPC_TO_JP_IMAGING_STUDY, "OBR-2", |r| {
                cx.reference(
                    r,
                    study::BASED_ON,
                    "ServiceRequest",
                    *request,
                    o.number().src(),
                );
            });
        }
        done.extend(procedures.get(*i).into_iter().flatten());
        // What was done in detail: the children's codes; the request's own only when it has none.
        let detail = o
            .field(*b"OBR", 4)
            .filter(|_| o.is_child() || !children)
            .map(|p| (p, "OBR-4"));
        let executed = o
            .executions
            .iter()
            .filter(|e| !is_planned(e.ze1))
            .map(|e| (e.ze1.field(3), "ZE1-3"));
        for (part, source) in detail
            .into_iter()
            .chain(executed)
            .filter(|(p, _)| p.is_some())
        {
            if codes.insert(part.raw()) {
                within(&mut r, &IPC_TO_JP_IMAGING_STUDY, source, |r| {
                    r.object(study::PROCEDURE_CODE, |o| codeable_concept(o, cx, part));
                });
            }
        }
    }
    if let [only] = done.as_slice() {
        within(&mut r, &IPC_TO_JP_IMAGING_STUDY, "ZE1-3", |r| {
            cx.reference(r, study::PROCEDURE_REFERENCE, "Procedure", *only, Src::NONE);
        });
    }
    if cx.kind() == Some(DataKind::Omg11) {
        let modality = s.ipc.field(5).comp(1).value().trimmed();
        if modality.is_empty() || is_dicom(s.ipc.field(5)) {
            r.profile(JP_IMAGING_STUDY);
        } else {
            cx.report_with(&MAP004, &modality, JP_IMAGING_STUDY);
        }
    }
    cx.keep_noted(&mut r, waiting);
    cx.emit(r);
}

fn accession<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    let v = p.comp(1).value().trimmed();
    let system = namespace(cx, p, "accession-number");
    r.object(study::IDENTIFIER, |o| {
        typed_identifier(o, "ACSN", "Accession ID", system, v);
    });
}

fn requested_procedure<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    let v = p.comp(1).value().trimmed();
    let system = namespace(cx, p, "requested-procedure");
    r.object(study::IDENTIFIER, |o| {
        if !v.is_empty() {
            datatypes::identifier(o, system, v);
        }
    });
}

/// System of an EI: its OID (component 3), its namespace (component 2), else a name of the institution's.
fn namespace<'a>(cx: &Cx<'a, '_>, ei: Part<'a>, otherwise: &'static str) -> &'a str {
    let (name, oid, kind) = (
        ei.comp(2).value().text.trim(),
        ei.comp(3).value().text.trim(),
        ei.comp(4).value().text.trim(),
    );
    if kind == "ISO" && is_uid(oid) {
        return bumpalo::format!(in cx.message().arena(), "urn:oid:{}", oid).into_bump_str();
    }
    local_system(cx, if name.is_empty() { otherwise } else { name })
}

/// Whether a text has the form of a DICOM UID (PS3.5 §9.1).
fn is_uid(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.as_bytes().contains(&b'.')
        && text.split('.').all(|n| {
            !n.is_empty()
                && n.bytes().all(|b| b.is_ascii_digit())
                && (n == "0" || !n.starts_with('0'))
        })
}

fn uid<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    let v = p.comp(1).value().trimmed();
    if !is_uid(v.text) {
        cx.report(&MAP402, &v);
        let system = local_system(cx, "study-instance-uid");
        r.object(study::IDENTIFIER, |o| datatypes::identifier(o, system, v));
        return;
    }
    let urn = bumpalo::format!(in cx.message().arena(), "urn:oid:{}", v.text).into_bump_str();
    r.object(study::IDENTIFIER, |o| {
        o.constant("system", systems::ID_DICOM_UID);
        o.string("value", urn, v.src());
    });
}

/// Whether IPC-5 holds a modality of DICOM (PS3.16 CID 29: two to six capitals and digits).
fn is_dicom(p: Part<'_>) -> bool {
    let (code, system) = (p.comp(1).value().trimmed(), p.comp(3).value());
    let shape = (2..=16).contains(&code.text.len())
        && code
            .text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    shape && matches!(systems::trim_name(system.text), "" | "DCM")
}

fn modality<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    let (code, text, name) = (
        p.comp(1).value().trimmed(),
        p.comp(2).value().trimmed(),
        p.comp(3).value(),
    );
    let system = if is_dicom(p) {
        systems::DICOM
    } else {
        cx.report(&MAP404, &code);
        local_system(cx, name.text)
    };
    r.object(study::MODALITY, |o| {
        o.string(
            "system",
            system,
            if name.is_empty() {
                code.src()
            } else {
                name.src()
            },
        );
        o.string("code", code.text, code.src());
        o.string("display", text.text, text.src());
    });
}

fn protocol<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    for rep in p.reps() {
        r.object(study::PROCEDURE_CODE, |o| codeable_concept(o, cx, rep));
    }
}

fn location<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    let v = p
        .comp(2)
        .value()
        .trimmed()
        .some()
        .unwrap_or_else(|| p.comp(1).value().trimmed());
    r.object(study::LOCATION, |o| o.string("display", v.text, v.src()));
}

fn referrer<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    if let Some(person) = datatypes::practitioner(cx, p) {
        r.object(study::REFERRER, |o| {
            datatypes::person_reference(o, &person);
        });
    }
}

fn started<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    datatypes::add_date_time(r, cx, study::STARTED, p.value());
}

// --- Procedure ---------------------------------------------------------------------------------------

/// Planned, as JAHIS and others write it; whatever else a file of performed things says is none of a plan.
fn is_planned(ze1: Segment<'_>) -> bool {
    matches!(
        ze1.field(2).value().text.trim(),
        "YT" | "PL" | "SC" | "予定"
    )
}

/// Meaning of an OBX that belongs to a ZE1.
#[derive(Clone, Copy)]
enum Use<'a> {
    Person,
    Start(Val<'a>),
    End(Val<'a>),
    Drug,
    Item,
    Other,
}

fn use_of<'a>(line: &Line<'a>) -> Use<'a> {
    let code = line.obx.field(3).comp(1).value().trimmed();
    let of_type = type_of(line);
    // A text or a number is no code of a thing.
    let coded = matches!(of_type, "ZRD" | "CWE" | "CE" | "CNE");
    match code.text {
        "TM-P1" => Use::Start(line.obx.field(5).value()),
        "TM-P2" => Use::End(line.obx.field(5).value()),
        "DE-02" => Use::Drug,
        "DE-03" | "DE-06" if coded => Use::Item,
        c if c.starts_with("DE-") && of_type == "ZRD" => Use::Item,
        _ if of_type == "XCN" => Use::Person,
        _ => Use::Other,
    }
}

/// OBX-2.
fn type_of<'a>(line: &Line<'a>) -> &'a str {
    line.obx.field(2).value().text.trim()
}

/// A drug or thing used; of a text (`ST`) there is no code.
#[derive(Clone, Copy)]
struct Item<'a> {
    part: Part<'a>,
    coded: bool,
    /// OBX-11 where it takes the item back, else nothing.
    withdrawn: Val<'a>,
}

impl<'a> Execution<'a> {
    /// Notes what rows take in part.
    #[inline(never)]
    fn note_parts(&self, cx: &mut Cx<'a, '_>) {
        let mut all = |segments: &[Segment<'a>]| segments.iter().for_each(|s| cx.stray_parts(*s));
        all(&[self.ze1]);
        all(&self.notes);
        all(&self.exposures);
        for line in &self.lines {
            all(&[line.obx]);
            all(&line.notes);
        }
    }
}

fn procedure<'a>(
    cx: &mut Cx<'a, '_>,
    o: &Order<'a>,
    e: &Execution<'a>,
    request: Id,
    code: &str,
    nth: u32,
) -> Option<Id> {
    let control = e.ze1.field(2);
    if is_planned(e.ze1) {
        cx.report(&MAP403, &control);
        e.note_parts(cx);
        return None;
    }
    if !control.is_some() {
        cx.report_with(&MAP009, &e.ze1.field(3), "ZE1-2");
    }
    let (family, number, nth) = (family(cx), number_of(cx, o), nth.to_string());
    let id = cx.order_id(
        "Procedure",
        &[family, number, code, &nth],
        e.ze1.position(),
        "",
    );
    let mut r = cx.open("Procedure", id);
    let waiting = cx.put_aside();
    e.note_parts(cx);
    let group = Group::of(&[e.ze1]);
    run(&ZE1_TO_JP_PROCEDURE, &mut r, cx, &group);
    let performed = control.value().trimmed();
    let known = matches!(performed.text, "RS" | "");
    if !known {
        cx.unlisted(performed, "ZE1-2");
    }
    within(&mut r, &ZE1_TO_JP_PROCEDURE, "ZE1-2", |r| {
        let (status, src) = if let Some((_, status, by)) = o.undone() {
            cx.report(&MAP409, &control);
            (status, by.src())
        } else if known {
            ("completed", control.src())
        } else {
            ("unknown", control.src())
        };
        r.string(el::STATUS, status, src);
    });
    within(&mut r, &ZE1_TO_JP_PROCEDURE, "ORC-2", |r| {
        cx.reference(r, el::BASED_ON, "ServiceRequest", request, o.number().src());
    });
    let (category, display) = if family == "OMG-01" {
        ("363679005", "Imaging")
    } else {
        ("71388002", "Procedure")
    };
    constant_concept(&mut r, el::CATEGORY, systems::SNOMED, category, display);
    cx.subject(&mut r, el::SUBJECT);
    let (mut start, mut end) = (Val::default(), Val::default());
    for line in &e.lines {
        match use_of(line) {
            _ if observation::is_withdrawn(line.obx) => {}
            Use::Start(v) => start = v,
            Use::End(v) => end = v,
            _ => {}
        }
    }
    let source = if start.is_empty() && end.is_empty() {
        (start, end) = (o.value(*b"OBR", 7), o.value(*b"OBR", 8));
        "OBR-7"
    } else {
        "OBX-5"
    };
    let when = Times::read(cx, start, end, ["Procedure.performed"; 2]);
    within(&mut r, &ZE1_TO_JP_PROCEDURE, source, |r| {
        when.write_as(r, cx, [el::PERFORMED_DATE_TIME, el::PERFORMED_PERIOD]);
    });
    encounter(cx, &mut r, el::ENCOUNTER, start);
    // ZE1-8, ZE1-9: kinds and items side by side.
    let kinds: Vec<Part<'a>> = e.ze1.field(8).reps().collect();
    let mut drugs: Vec<Item<'a>> = Vec::new();
    for (of, n) in [(7, 6), (9, 8)] {
        if !e.ze1.field(of).is_some() && e.ze1.field(n).is_some() {
            cx.stray_field(e.ze1, n, e.ze1.field(n));
        }
    }
    if e.ze1.field(9).is_some() {
        for (i, item) in e.ze1.field(9).reps().enumerate() {
            let kind = kinds.get(i).or(kinds.first().filter(|_| kinds.len() == 1));
            let name = kind
                .map(|k| k.comp(1).value().trimmed())
                .unwrap_or_default();
            if let Some(k) = kind.filter(|k| k.is_some()) {
                cx.used(k);
            }
            if name.text == "DE-02" {
                drugs.push(Item {
                    part: item,
                    coded: true,
                    withdrawn: Val::default(),
                });
            } else {
                within(&mut r, &ZE1_TO_JP_PROCEDURE, "ZE1-9", |r| {
                    used_item(r, cx, item, name, true);
                });
            }
        }
    }
    // That it was a drug is told by what is made of it.
    let mut known = kinds.iter().map(|k| k.comp(1).value().text.trim());
    if !known.all(|k| k == "DE-02" || k.is_empty()) {
        cx.stray_field(e.ze1, 8, e.ze1.field(8));
    }
    for line in &e.lines {
        observation::state_is_known(cx, line.obx);
        // What was taken back says nothing of what was done. A drug stays, as one that was not given.
        let (of, withdrawn) = (use_of(line), observation::is_withdrawn(line.obx));
        let is_drug = matches!(of, Use::Drug) && !when.is_none();
        if withdrawn && !is_drug {
            cx.stray(line.obx);
            for nte in &line.notes {
                cx.stray(*nte);
            }
            continue;
        }
        // No Observation is made of it; its unit stands in the note.
        let last = if matches!(of, Use::Other) { 6 } else { 5 };
        cx.stray_behind(line.obx, last);
        let state = line.obx.field(11).value().trimmed();
        // A note says it itself.
        if state.text != "F" && last == 5 && !withdrawn {
            cx.keep_field_of(state, "OBX-11");
        }
        // The note says its code alone.
        let unit = line.obx.field(6);
        if last == 6 && unit.has_parts() && has_more(unit, value_parts("TS")) {
            cx.stray_field(line.obx, 6, unit);
        }
        let value = line.obx.field(5);
        if value.has_parts() && has_more(value, value_parts(type_of(line))) {
            // A time that is none waits already.
            cx.strays.kept_otherwise(value.value());
            cx.stray_field(line.obx, 5, value);
        }
        within(&mut r, &ZE1_TO_JP_PROCEDURE, "OBX-5", |r| {
            observed(r, cx, (line, of), &mut drugs);
        });
        within(&mut r, &ZE1_TO_JP_PROCEDURE, "NTE-3", |r| {
            for nte in &line.notes {
                observation::note(r, cx, el::NOTE, *nte);
            }
        });
    }
    within(&mut r, &ZE1_TO_JP_PROCEDURE, "NTE-3", |r| {
        for nte in &e.notes {
            observation::note(r, cx, el::NOTE, *nte);
        }
    });
    for ze2 in &e.exposures {
        within(&mut r, &ZE1_TO_JP_PROCEDURE, "ZE2-2", |r| {
            exposure(r, cx, *ze2);
        });
    }
    keep_rest(&ZE1_TO_JP_PROCEDURE, &mut r, cx, &e.exposures);
    // Without a time nothing was given.
    let used = if when.is_none() { &*drugs } else { &[] };
    for item in used {
        cx.report(&MAP406, &item.part);
        within(&mut r, &ZE1_TO_JP_PROCEDURE, "ZE1-9", |r| {
            if item.coded {
                used_item(r, cx, item.part, Val::default(), true);
            } else {
                labelled(r, cx, "薬剤", item.part.text().trimmed());
            }
        });
    }
    r.profile(JP_PROCEDURE);
    cx.keep_noted(&mut r, waiting);
    // What is kept of the group is the Procedure's: it goes before what was given in it.
    cx.emit(r);
    for (i, item) in drugs.iter().enumerate().skip(used.len()) {
        give(
            cx,
            id,
            &[family, number, code, &nth],
            i,
            *item,
            &when,
            e.ze1.position(),
            o,
        );
    }
    Some(id)
}

fn observed<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    (line, of): (&Line<'a>, Use<'a>),
    drugs: &mut Vec<Item<'a>>,
) {
    let (what, value) = (line.obx.field(3), line.obx.field(5));
    cx.used(&line.obx.field(2));
    // A note has the name alone; of a person it is a code.
    let taken = match of {
        Use::Person => CE,
        Use::Item | Use::Other => NAME,
        _ => CODE,
    };
    if has_more(what, taken) {
        cx.stray_field(line.obx, 3, what);
    }
    if !value.is_some() {
        return;
    }
    match of {
        Use::Start(_) | Use::End(_) => cx.used(&what),
        Use::Person => {
            for person in people_of(value) {
                performer(r, cx, person, |o, cx| codeable_concept(o, cx, what));
            }
        }
        Use::Drug => {
            cx.used(&what);
            let coded = matches!(type_of(line), "ZRD" | "CWE" | "CE" | "CNE");
            let mut withdrawn = line.obx.field(11).value();
            if !observation::is_withdrawn(line.obx) {
                withdrawn = Val::default();
            }
            drugs.extend(value.reps().map(|part| Item {
                part,
                coded,
                withdrawn,
            }));
        }
        Use::Item => {
            let quantified = line.obx.field(2).value().text.trim() == "ZRD";
            let name = what.comp(2).value().trimmed();
            cx.used(&what);
            for item in value.reps() {
                used_item(r, cx, item, name, quantified);
            }
        }
        Use::Other => {
            let name = what
                .comp(2)
                .value()
                .trimmed()
                .some()
                .unwrap_or_else(|| what.comp(1).value().trimmed());
            let mut s = Text::new_in(cx.message().arena());
            s.push_str(name.text);
            s.push_str(": ");
            let ty = line.obx.field(2).value().text.trim();
            if matches!(ty, "TS" | "DT" | "DTM") {
                let v = value.value();
                s.push_str(datatypes::date_time(cx, v, "Procedure.note").unwrap_or(v.text));
            } else if matches!(ty, "CWE" | "CE" | "ZRD" | "CNE") {
                let (code, text) = (
                    value.comp(1).value().trimmed(),
                    value.comp(2).value().trimmed(),
                );
                s.push_str(text.text);
                if !code.is_empty() {
                    s.push_str(if text.is_empty() { "" } else { " (" });
                    s.push_str(code.text);
                    s.push_str(if text.is_empty() { "" } else { ")" });
                }
            } else {
                s.push_str(value.text().text.trim());
            }
            let unit = line.obx.field(6).comp(1).value().trimmed();
            if !unit.is_empty() {
                s.push(' ');
                s.push_str(unit.text);
            }
            let state = line.obx.field(11).value().trimmed();
            if state.text != "F" {
                s.push_str(" (OBX-11: ");
                s.push_str(state.text);
                s.push(')');
            }
            let s = s.into_bump_str();
            r.object(el::NOTE, |o| {
                o.also(name.src());
                for said in [unit, state] {
                    if !said.is_empty() {
                        o.also(said.src());
                    }
                }
                o.string("text", s, value.src());
            });
        }
    }
}

fn code<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    r.object(el::CODE, |o| codeable_concept(o, cx, p));
}

/// Once is what a Procedure means; any other count is said in a note.
fn times<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    let v = p.value().trimmed();
    if warifu_fhir::number::decimal(v.text).is_none() {
        cx.report_with(&MAP007, &v, "ZE1-4");
    }
    if v.text == "1" {
        cx.used(&v);
    } else {
        labelled(r, cx, "手技回数", v);
    }
}

fn add_on<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    for rep in p.reps() {
        let (code, text) = (rep.comp(1).value().trimmed(), rep.comp(2).value().trimmed());
        let s = bumpalo::format!(in cx.message().arena(), "医事加算: {} {}", text.text, code.text)
            .into_bump_str();
        annotate(r, el::NOTE, s.trim_end(), rep.src());
    }
}

fn free_field<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    labelled(r, cx, "実施フィールド", p.text().trimmed());
}

fn labelled<'a>(r: &mut Resource, cx: &Cx<'a, '_>, label: &str, v: Val<'a>) {
    let s = bumpalo::format!(in cx.message().arena(), "{}: {}", label, v.text).into_bump_str();
    annotate(r, el::NOTE, s, v.src());
}

/// ZE1-7 with the job of ZE1-6 at the same place (one job holds for all).
fn staff<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, g: &Group<'a>, p: Part<'a>) {
    let jobs: Vec<Part<'a>> = g
        .field(*b"ZE1", 6)
        .into_iter()
        .flat_map(|f| f.reps())
        .filter(Part::is_some)
        .collect();
    for (i, person) in people_of(p).into_iter().enumerate() {
        let job = jobs
            .get(i)
            .or(jobs.first().filter(|_| jobs.len() == 1))
            .copied();
        performer(r, cx, person, |o, cx| {
            let Some(job) = job else { return };
            let (kind, class, text) = (
                job.comp(1).value().trimmed(),
                job.comp(2).value().trimmed(),
                job.comp(3).value().trimmed(),
            );
            let both = match (kind.is_empty(), class.is_empty()) {
                (false, false) => {
                    bumpalo::format!(in cx.message().arena(), "{}.{}", kind.text, class.text)
                        .into_bump_str()
                }
                (true, _) => class.text,
                (_, true) => kind.text,
            };
            let system = local_system(cx, "JSHR");
            if !both.is_empty() {
                o.array("coding", |a| {
                    a.object(|o| {
                        o.string("system", system, Src::NONE);
                        o.also(class.src());
                        o.string("code", both, kind.src());
                    });
                });
            }
            o.string("text", text.text, text.src());
        });
    }
}

fn performer<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    xcn: Part<'a>,
    function: impl FnOnce(&mut Object<'_>, &mut Cx<'a, '_>),
) {
    let Some(person) = datatypes::practitioner(cx, xcn) else {
        return;
    };
    r.object(el::PERFORMER, |o| {
        o.object("function", |o| function(o, cx));
        o.object("actor", |o| datatypes::person_reference(o, &person));
    });
}

// --- items, drugs, exposures --------------------------------------------------------------------------

/// Writes code, text and system (components 1–3) of a ZRD or CWE.
fn zrd_concept<'a>(o: &mut Object<'_>, cx: &mut Cx<'a, '_>, zrd: Part<'a>) {
    let t = Triplet {
        code: zrd.comp(1).value().trimmed(),
        text: zrd.comp(2).value().trimmed(),
        system: zrd.comp(3).value().trimmed(),
        version: Val::default(),
    };
    o.array("coding", |a| datatypes::coding(a, cx, &t));
    o.string("text", t.text.text, t.text.src());
}

/// Unit in the sub-components of a component: code, text, system.
pub(super) fn unit_of_subs<'a>(cx: &mut Cx<'a, '_>, component: Part<'a>) -> Unit<'a> {
    let [t, _] = datatypes::sub_triplets(component);
    if let Some(unit) = datatypes::merit9(&t) {
        return unit;
    }
    let pair = [t; 2];
    let text = datatypes::said(&pair);
    if text.is_empty() {
        return Unit::uncoded(text);
    }
    if let Some(ucum) = units::ucum(t.code.text, t.text.text) {
        return Unit::coded(text, systems::UCUM, ucum, &pair);
    }
    cx.report(&MAP010, &text);
    Unit::uncoded(text)
}

/// A thing used: its code; how much of it, where that is known, in a note.
fn used_item<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    item: Part<'a>,
    kind: Val<'a>,
    quantified: bool,
) {
    if !item.is_some() {
        return;
    }
    r.object(el::USED_CODE, |o| zrd_concept(o, cx, item));
    let amount = item.comp(4).value().trimmed();
    if !quantified || amount.is_empty() {
        return;
    }
    let name = item
        .comp(2)
        .value()
        .trimmed()
        .some()
        .unwrap_or_else(|| item.comp(1).value().trimmed());
    let (unit, parts) = (item.comp(5), item.comp(6).value().trimmed());
    let unit = unit
        .sub(2)
        .value()
        .trimmed()
        .some()
        .unwrap_or_else(|| unit.sub(1).value().trimmed());
    let mut s = Text::new_in(cx.message().arena());
    for piece in [name.text, " ", amount.text, unit.text] {
        s.push_str(piece);
    }
    if !parts.is_empty() {
        s.push_str(" (フィルム分割数 ");
        s.push_str(parts.text);
        s.push(')');
    }
    let s = s.into_bump_str();
    r.object(el::NOTE, |o| {
        for v in [kind, unit, parts] {
            if !v.is_empty() {
                o.also(v.src());
            }
        }
        o.string("text", s, amount.src());
    });
}

/// A drug given during a procedure.
#[expect(
    clippy::too_many_arguments,
    reason = "one call; a struct would only rename them"
)]
fn give<'a>(
    cx: &mut Cx<'a, '_>,
    procedure: Id,
    key: &[&str; 4],
    nth: usize,
    drug_item: Item<'a>,
    when: &Times<'a>,
    position: u32,
    order: &Order<'a>,
) {
    let item = drug_item.part;
    let code = item.comp(1).value().trimmed().text;
    let (ordinal, [family, number, ze1, n]) = (nth.to_string(), *key);
    let id = cx.order_id(
        "MedicationAdministration",
        &[family, number, ze1, n, code, &ordinal],
        position,
        &format!("drug{nth}"),
    );
    let mut r = cx.open("MedicationAdministration", id);
    r.row(row(&ZE1_TO_MEDICATION_ADMINISTRATION, "ZE1-9"));
    let of_line = ("OBX-11", "entered-in-error", drug_item.withdrawn);
    let (segment, status, by) = order.undone().unwrap_or(of_line);
    if by.is_empty() {
        r.constant(drug::STATUS, "completed");
    } else {
        within(&mut r, &ZE1_TO_MEDICATION_ADMINISTRATION, segment, |r| {
            r.string(drug::STATUS, status, by.src());
        });
    }
    cx.reference(&mut r, drug::PART_OF, "Procedure", procedure, Src::NONE);
    r.object(drug::MEDICATION_CODEABLE_CONCEPT, |o| {
        if drug_item.coded {
            zrd_concept(o, cx, item);
        } else {
            let v = item.text().trimmed();
            o.string("text", v.text, v.src());
        }
    });
    cx.subject(&mut r, drug::SUBJECT);
    let effective = [drug::EFFECTIVE_DATE_TIME, drug::EFFECTIVE_PERIOD];
    when.write_as(&mut r, cx, effective);
    if item.comp(4).is_some() {
        let unit = unit_of_subs(cx, item.comp(5));
        r.object(drug::DOSAGE, |o| {
            o.object("dose", |o| {
                datatypes::quantity(o, cx, item.comp(4).value().trimmed(), &unit);
            });
        });
    }
    cx.emit(r);
}

/// ZE2 as one note: `管電圧 120 kV、管電流 200 mA …`.
fn exposure<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, ze2: Segment<'a>) {
    const NAMES: [(usize, &str); 6] = [
        (2, "管電圧"),
        (3, "管電流"),
        (4, "距離"),
        (5, "時間"),
        (6, "照射回数"),
        (7, "撮影フィールド"),
    ];
    let mut s = Text::new_in(cx.message().arena());
    let mut sources: Vec<Src> = Vec::new();
    for (n, name) in NAMES {
        let f = ze2.field(n);
        if !f.is_some() {
            continue;
        }
        let (value, unit) = (f.comp(1).value().trimmed(), f.comp(2));
        let unit = unit
            .sub(2)
            .value()
            .trimmed()
            .some()
            .unwrap_or_else(|| unit.sub(1).value().trimmed());
        for piece in [
            if s.is_empty() { "" } else { "、" },
            name,
            " ",
            value.text,
            if unit.is_empty() { "" } else { " " },
            unit.text,
        ] {
            s.push_str(piece);
        }
        sources.push(f.src());
    }
    let s = s.into_bump_str();
    let Some((last, others)) = sources.split_last() else {
        return;
    };
    r.object(el::NOTE, |o| {
        for src in others {
            o.also(*src);
        }
        o.string("text", s, *last);
    });
}
