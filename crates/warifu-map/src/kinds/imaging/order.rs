//! ORC, TQ1, OBR → ServiceRequest; the OBX of an order → Observation.

use warifu_order::{Map, Set};

use warifu_diag::catalogue::map_general::MAP009;
use warifu_diag::catalogue::map_other::{MAP401, MAP405, MAP407, MAP408};
use warifu_fhir::element::{observation as obs, service_request as el};
use warifu_fhir::{Id, Resource, Src};
use warifu_hl7::{Part, Val};
use warifu_terms::maps::{self, OrderFile};
use warifu_terms::systems;

use super::{
    Line, Order, annotate, constant_concept, encounter, family, number_of, request_id, row,
    typed_identifier, within,
};
use crate::cx::{Cx, Sourced};
use crate::datatypes::{self, Times, codeable_concept};
use crate::kinds::observation::{self, Allows, Item, JP_OBSERVATION_COMMON};
use crate::kinds::practitioner;
use crate::table::{
    Action, Group, Ignored, each_rest, is_said, keep, keep_further, keep_rest, name_of, run,
};

/// Canonical of JP_ServiceRequest_Common.
const JP_SERVICE_REQUEST: &str =
    "http://jpfhir.jp/fhir/core/StructureDefinition/JP_ServiceRequest_Common";

table! {
    /// ORC, TQ1, OBR, NTE → JP_ServiceRequest_Common (JP Core 1.2.0). HL7 v2.5 §4.5.1, §4.5.3, §4.5.4;
    /// SS-MIX2 仕様書 OMG-01, 02, 03, 11, 12, 13; mapping §10.
    ORDER_TO_JP_SERVICE_REQUEST: "ServiceRequest" keeps "ORC", "OBR", "TQ1" {
        "ORC-1" => "ServiceRequest.status": part, "オーダ制御";
        "ORC-2" => "ServiceRequest.identifier": map placer, "依頼者オーダ番号";
        "ORC-3" => "ServiceRequest.identifier": map filler, "実施者オーダ番号";
        "ORC-4" => "ServiceRequest.requisition": map group_number, "依頼者グループ番号";
        "ORC-5" => "ServiceRequest.status": part, "オーダ状態";
        "ORC-8" => "ServiceRequest.basedOn": part, "親";
        "ORC-9" => "ServiceRequest.authoredOn": map authored, "トランザクション日時";
        "ORC-10" => "": lost, "入力者";
        "ORC-12" => "ServiceRequest.requester": map requester, "依頼者";
        "ORC-13" => "": same "PV1-3", "入力場所";
        "ORC-15" => "": lost, "オーダ有効日時";
        "ORC-16" => "ServiceRequest.reasonCode": map reason, "オーダ制御コードの理由";
        "ORC-17" => "ServiceRequest.requester": map department, "入力組織（診療科）";
        "ORC-18" => "": lost, "入力装置";
        "ORC-21" => "Organization.name": part, "オーダ施設名";
        "ORC-22" => "Organization.address": part, "オーダ施設住所";
        "ORC-23" => "Organization.telecom": part, "オーダ施設電話番号";
        "ORC-29" => "": same "PV1-2", "オーダタイプ（患者区分）";
        "OBR-36" => "ServiceRequest.occurrence[x]": map scheduled, "予定日時";
        "TQ1-1" => "": ignored Ignored::Structural, "セットID－TQ1";
        "TQ1-2" => "ServiceRequest.quantityQuantity": map quantity, "数量";
        "TQ1-7" => "ServiceRequest.occurrence[x]": always start, "開始日時";
        "TQ1-8" => "ServiceRequest.occurrence[x]": part, "終了日時";
        "TQ1-9" => "ServiceRequest.priority": map priority, "優先度";
        "TQ1-10" => "ServiceRequest.note": map note, "条件テキスト";
        "TQ1-11" => "ServiceRequest.note": map note, "テキスト指令";
        "TQ1-4" => "": lost, "明示的な時間";
        "TQ1-5" => "": lost, "相対時間／単位";
        "TQ1-6" => "": lost, "サービス期間（日数・回数）";
        "TQ1-12" => "": lost, "連結";
        "TQ1-13" => "": lost, "事象継続期間";
        "TQ1-14" => "": lost, "事象総数";
        "OBR-1" => "": ignored Ignored::Structural, "セットID－OBR";
        "OBR-2" => "ServiceRequest.identifier": map placer_again, "依頼者オーダ番号";
        "OBR-3" => "ServiceRequest.identifier": map filler_again, "実施者オーダ番号";
        "OBR-4" => "ServiceRequest.code": map code, "検査項目ID";
        "OBR-7" => "ServiceRequest.occurrence[x]": map performed, "検査／採取日時";
        "OBR-8" => "ServiceRequest.occurrence[x]": part, "検査／採取終了日時";
        "TQ1-3" => "ServiceRequest.occurrenceTiming": map pattern, "繰返しパターン（用法）";
        "OBR-12" => "ServiceRequest.note": map danger, "危険検体コード";
        "OBR-13" => "ServiceRequest.note": map note, "関連臨床情報";
        "OBR-16" => "ServiceRequest.requester": map requester_again, "依頼者";
        "OBR-22" => "DiagnosticReport.issued": part, "結果報告／状態変更日時";
        "OBR-24" => "ServiceRequest.category": map section, "診断部門ID";
        "OBR-25" => "ServiceRequest.status": part, "結果状態";
        "OBR-26" => "": lost, "親結果";
        "OBR-28" => "": lost, "結果配布先";
        "OBR-29" => "ServiceRequest.basedOn": part, "親番号";
        "OBX-5" => "ServiceRequest.reasonCode.text": part, "検査値";
        "NTE-3" => "ServiceRequest.note": part, "コメント";
    }
}

table! {
    /// OBX of an order → JP_Observation_Common (weight, disability, clinical diagnosis, reason).
    /// HL7 v2.5 §7.4.2; SS-MIX2 仕様書 OMG-01, 02, 03; mapping §10.
    ORDER_OBX_TO_JP_OBSERVATION: "Observation" keeps "OBX" {
        "OBX-1" => "": ignored Ignored::Structural, "セットID－OBX";
        "OBX-2" => "Observation.value[x]": part, "値型";
        "OBX-3" => "Observation.code": part, "検査項目";
        "OBX-4" => "": lost, "検査副ID";
        "OBX-5" => "Observation.value[x]": part, "検査値";
        "OBX-6" => "Observation.valueQuantity.unit": part, "単位";
        "OBX-7" => "Observation.referenceRange": part, "基準値範囲";
        "OBX-8" => "Observation.interpretation": part, "異常フラグ";
        "OBX-11" => "Observation.status": part, "検査結果状態";
        "OBX-14" => "Observation.effectiveDateTime": part, "検査日時";
        "NTE-3" => "Observation.note": part, "コメント";
    }
}

/// A parent order: the rows (indexes) that are one ServiceRequest.
struct Parent {
    rows: Vec<usize>,
    id: Id,
}

/// Emits the ServiceRequests of a message; the result names the request of each row.
pub(super) fn requests<'a>(cx: &mut Cx<'a, '_>, orders: &[Order<'a>], file: OrderFile) -> Vec<Id> {
    let mut parents: Vec<Parent> = Vec::new();
    let mut by_number: Map<&'a str, usize> = Map::new();
    let mut of_row: Vec<usize> = Vec::with_capacity(orders.len());
    // Which parent a row belongs to. A child looks its parent's number up, else takes the last one.
    let mut awaits_pa = false;
    for (i, o) in orders.iter().enumerate() {
        if o.is_child() {
            of_row.push(
                by_number
                    .get(o.parent().text)
                    .copied()
                    .unwrap_or(parents.len().wrapping_sub(1)),
            );
            continue;
        }
        let number = number_of(cx, o);
        let again = if o.control() == "PA" && awaits_pa {
            parents.len().checked_sub(1)
        } else {
            by_number.get(number).copied()
        };
        awaits_pa = o.control() == "NW";
        let at = if let Some(at) = again {
            at
        } else {
            parents.push(Parent {
                rows: Vec::new(),
                id: request_id(cx, number, o.position()),
            });
            parents.len() - 1
        };
        if let Some(p) = parents.get_mut(at) {
            p.rows.push(i);
        }
        for n in [o.value(*b"ORC", 2), o.value(*b"OBR", 2)] {
            if !n.is_empty() {
                by_number.entry(n.text).or_insert(at);
            }
        }
        of_row.push(at);
    }
    for p in &parents {
        let rows: Vec<&Order<'a>> = p.rows.iter().filter_map(|i| orders.get(*i)).collect();
        emit(cx, p.id, &rows, Based::Nothing, file);
    }
    let mut ids = Vec::with_capacity(orders.len());
    for (o, at) in orders.iter().zip(of_row) {
        let parent = parents.get(at).map(|p| p.id);
        if !o.is_child() {
            ids.push(parent.unwrap_or(cx.patient_id()));
            continue;
        }
        let number = number_of(cx, o);
        let mut id = request_id(cx, number, o.position());
        if Some(id) == parent {
            // A child with its parent's number must not replace it.
            let (family, code) = (family(cx), o.value(*b"OBR", 4).text);
            id = cx.id(
                "ServiceRequest",
                &[family, number, "CH", code],
                o.position(),
                "",
            );
        }
        let based = match parent {
            Some(p) => Based::On(p, o.parent()),
            None if o.parent().is_empty() => Based::Nothing,
            None => {
                cx.report(&MAP405, &o.parent());
                Based::Number(o.parent())
            }
        };
        emit(cx, id, &[o], based, file);
        ids.push(id);
    }
    ids
}

/// What an order is a part of.
#[derive(Clone, Copy)]
enum Based<'a> {
    Nothing,
    /// The parent's request; the bytes that named it.
    On(Id, Val<'a>),
    /// Only the parent's number is known.
    Number(Val<'a>),
}

/// Emits the ServiceRequest of the rows of one order: the `PA` row is the fuller one and leads.
fn emit<'a>(cx: &mut Cx<'a, '_>, id: Id, rows: &[&Order<'a>], based: Based<'a>, file: OrderFile) {
    let Some(main) = rows.iter().find(|o| o.control() == "PA").or(rows.first()) else {
        return;
    };
    if main.number().is_empty() {
        cx.report(&MAP407, &main.place(cx.message()));
    }
    let other = cx.out.maker("ServiceRequest", id);
    if file == OrderFile::Result && other.is_some_and(|m| m != cx.message().number()) {
        told_by_order(cx, id, rows);
        return;
    }
    let mut r = cx.open("ServiceRequest", id);
    run(&ORDER_TO_JP_SERVICE_REQUEST, &mut r, cx, &main.head);
    keep_further(
        &ORDER_TO_JP_SERVICE_REQUEST,
        &mut r,
        cx,
        &main.head,
        *b"TQ1",
    );
    for other in rows.iter().filter(|o| !std::ptr::eq(**o, *main)) {
        complete(&mut r, cx, &other.head, &main.head);
    }
    let cancelled = rows.iter().find(|o| o.is_cancelled());
    within(&mut r, &ORDER_TO_JP_SERVICE_REQUEST, "ORC-1", |r| {
        status(r, cx, cancelled.unwrap_or(main), file);
    });
    r.constant(el::INTENT, "order");
    category(&mut r, cx, main);
    cx.subject(&mut r, el::SUBJECT);
    encounter(cx, &mut r, el::ENCOUNTER, main.value(*b"ORC", 9));
    within(
        &mut r,
        &ORDER_TO_JP_SERVICE_REQUEST,
        "ORC-8",
        |r| match based {
            Based::Nothing => {
                for (segment, n) in [(*b"ORC", 8), (*b"OBR", 29)] {
                    if let Some(s) = main.head.first(segment).filter(|s| s.field(n).is_some()) {
                        keep(r, cx, name_of(s, n), s.field(n));
                    }
                }
            }
            Based::On(parent, by) => {
                cx.reference(r, el::BASED_ON, "ServiceRequest", parent, by.src());
            }
            Based::Number(number) => {
                r.object(el::BASED_ON, |o| {
                    o.constant("type", "ServiceRequest");
                    o.object("identifier", |o| {
                        datatypes::identifier(o, systems::ID_RESOURCE_INSTANCE, number);
                    });
                });
            }
        },
    );
    for o in rows {
        if let (Some(a), Some(b)) = (o.field(*b"ORC", 8), o.field(*b"OBR", 29)) {
            for p in [a, b] {
                cx.used(&p);
            }
        }
        within(&mut r, &ORDER_TO_JP_SERVICE_REQUEST, "NTE-3", |r| {
            for nte in &o.notes {
                observation::note(r, cx, el::NOTE, *nte);
            }
        });
    }
    findings(cx, &mut r, rows);
    r.profile(JP_SERVICE_REQUEST);
    cx.emit(r);
}

/// What a result says of an order whose own file is converted as well: that one's request is the order's,
/// with the state that the result tells ([`crate::cx::PatientContext::performed`]). The findings sent
/// along, comments and what has no element are kept, the latter with what was performed.
fn told_by_order<'a>(cx: &mut Cx<'a, '_>, id: Id, rows: &[&Order<'a>]) {
    cx.report_message(&MAP408, "");
    for o in rows {
        for s in o.head.segments() {
            each_rest(
                &ORDER_TO_JP_SERVICE_REQUEST,
                *s,
                o.head.segments(),
                &mut |n, f| {
                    cx.stray_field(*s, n, f);
                },
            );
        }
        for nte in &o.notes {
            let said = nte.field(3);
            if said.is_some() {
                cx.stray_field(*nte, 3, said);
            }
        }
    }
    let mut unsent = cx.open("ServiceRequest", id);
    findings(cx, &mut unsent, rows);
    cx.discard(unsent);
}

/// What only another row of the same order says is taken from there; where both speak and differ, it
/// is reported and kept.
fn complete<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, other: &Group<'a>, main: &Group<'a>) {
    for row in ORDER_TO_JP_SERVICE_REQUEST.rows {
        if row.row.source == "ORC-1" {
            continue;
        }
        let n = usize::from(row.field);
        let Some(part) = other.field(row.segment, n).filter(Part::is_some) else {
            continue;
        };
        match (main.field(row.segment, n).filter(Part::is_some), row.action) {
            (Some(same), _) if same.raw() == part.raw() || is_same_time(same, part) => {
                cx.used(&part);
            }
            (_, Action::Ignored(_)) => {}
            _ if other.first(row.segment).is_some_and(|s| {
                is_said(&ORDER_TO_JP_SERVICE_REQUEST, (s, n), part, other.segments())
            }) => {}
            (Some(_), _) => {
                cx.report_with(&MAP401, &part, row.row.source);
                keep(r, cx, row.row.source, part);
            }
            (None, Action::Map(f)) => {
                let before = r.row(Some(&row.row));
                f(r, cx, other, part);
                r.row(before);
            }
            (None, _) => keep(r, cx, row.row.source, part),
        }
    }
    for s in other.segments() {
        each_rest(
            &ORDER_TO_JP_SERVICE_REQUEST,
            *s,
            other.segments(),
            &mut |n, part| {
                let named = ORDER_TO_JP_SERVICE_REQUEST.row(s.name(), n).is_some();
                let same = main.field(s.name(), n).filter(|f| f.raw() == part.raw());
                match (named, same) {
                    (true, _) => {}
                    (false, Some(_)) => cx.used(&part),
                    (false, None) => keep(r, cx, name_of(*s, n), part),
                }
            },
        );
    }
}

/// Whether two fields are one time, of which one names the zone that the other means.
fn is_same_time(one: Part<'_>, other: Part<'_>) -> bool {
    let a = warifu_hl7::time::parse(one.value().text);
    let b = warifu_hl7::time::parse(other.value().text);
    a.zip(b).is_some_and(|(a, b)| {
        a.sort_key() == b.sort_key()
            && a.hour.is_some()
            && (a.hour.is_some(), a.second.is_some(), a.millis.is_some())
                == (b.hour.is_some(), b.second.is_some(), b.millis.is_some())
    })
}

/// Status of the request (mapping §7). A result that is converted with its order says how far the order
/// has come; an order withdrawn after it stays withdrawn.
fn status<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, o: &Order<'a>, file: OrderFile) {
    let (control, state) = (o.value(*b"ORC", 1), o.value(*b"ORC", 5));
    for told in [control, o.value(*b"OBR", 25)] {
        if !told.is_empty() {
            cx.used(&told);
        }
    }
    cx.listed(control.trimmed(), crate::table::ORDER_CONTROL);
    if !maps::service_request_status(control.text, state.text, file).known {
        cx.unlisted(state, "0038");
    }
    let (mut to, mut src) = state_of(o, file);
    if file == OrderFile::Order {
        let sent = datatypes::sent_at(cx.message());
        let key = (family(cx), number_of(cx, o).to_owned());
        let ended = matches!(to, "revoked" | "entered-in-error");
        let result = cx.context.performed.get(&key);
        if let Some(result) = result.filter(|p| !ended || p.sent > sent) {
            (to, src) = (result.status, result.src);
        }
    }
    r.string(el::STATUS, to, src);
}

/// What an order says of its own state, and where.
fn state_of(o: &Order<'_>, file: OrderFile) -> (&'static str, Src) {
    let (control, state, result) = (
        o.value(*b"ORC", 1),
        o.value(*b"ORC", 5),
        o.value(*b"OBR", 25),
    );
    // OBR-25 X: no result will come, the order was withdrawn.
    if state.is_empty() && result.text == "X" {
        return ("revoked", result.src());
    }
    let from = if state.is_empty() { control } else { state };
    let t = maps::service_request_status(control.text, state.text, file);
    (t.to, from.src())
}

/// What a result says of its order's state, and where: at least its order number.
pub(super) fn state_of_result(o: &Order<'_>) -> (&'static str, Src) {
    let (status, src) = state_of(o, OrderFile::Result);
    (status, if src.is_some() { src } else { o.number().src() })
}

fn category(r: &mut Resource, cx: &Cx<'_, '_>, o: &Order<'_>) {
    let (code, display) = match family(cx) {
        "OMG-01" => ("363679005", "Imaging"),
        "OMG-02" => ("71388002", "Procedure"),
        // JLAC10 9A1…: electrocardiography; other tests of physiology have no narrower common term.
        _ if is_ecg(o) => ("29303009", "Electrocardiographic procedure"),
        _ => ("386053000", "Evaluation procedure"),
    };
    constant_concept(r, el::CATEGORY, systems::SNOMED, code, display);
}

/// Whether OBR-4 names an electrocardiogram (JLAC10 9A1…).
pub(super) fn is_ecg(o: &Order<'_>) -> bool {
    let Some(f) = o.field(*b"OBR", 4) else {
        return false;
    };
    datatypes::both_triplets(f)
        .iter()
        .any(|t| t.system.text.eq_ignore_ascii_case("JC10") && t.code.text.starts_with("9A1"))
}

// --- rows -----------------------------------------------------------------------------------------

fn placer<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    r.object(el::IDENTIFIER, |o| {
        typed_identifier(
            o,
            "PLAC",
            "Placer Identifier",
            systems::ID_RESOURCE_INSTANCE,
            p.comp(1).value().trimmed(),
        );
    });
}

fn filler<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    r.object(el::IDENTIFIER, |o| {
        typed_identifier(
            o,
            "FILL",
            "Filler Identifier",
            systems::ID_RESOURCE_INSTANCE,
            p.comp(1).value().trimmed(),
        );
    });
}

fn placer_again<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, g: &Group<'a>, p: Part<'a>) {
    if !told_before(cx, g, 2, p, "OBR-2") {
        placer(r, cx, g, p);
    }
}

fn filler_again<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, g: &Group<'a>, p: Part<'a>) {
    if !told_before(cx, g, 3, p, "OBR-3") {
        filler(r, cx, g, p);
    }
}

/// Whether ORC says what the OBR field repeats; a difference is reported, and both are kept.
fn told_before<'a>(
    cx: &mut Cx<'a, '_>,
    g: &Group<'a>,
    field: usize,
    p: Part<'a>,
    name: &'static str,
) -> bool {
    let Some(orc) = g.field(*b"ORC", field).filter(Part::is_some) else {
        return false;
    };
    if orc.comp(1).value().text.trim() == p.comp(1).value().text.trim() {
        cx.used(&p);
        return true;
    }
    cx.report_with(&MAP401, &p, name);
    false
}

fn group_number<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    r.object(el::REQUISITION, |o| {
        datatypes::identifier(
            o,
            systems::ID_RESOURCE_INSTANCE,
            p.comp(1).value().trimmed(),
        );
    });
}

fn authored<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    datatypes::add_date_time(r, cx, el::AUTHORED_ON, p.value());
}

/// The ordering doctor; in a role of the department when that is known.
fn requester<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, g: &Group<'a>, p: Part<'a>) {
    if r.has(el::REQUESTER) {
        return;
    }
    let Some(person) = datatypes::practitioner(cx, p) else {
        return;
    };
    let unit = g.field(*b"ORC", 17).filter(Part::is_some);
    let organization = unit.and_then(|f| practitioner::department_of(cx, f));
    match (person.id, unit, organization) {
        (Some(id), Some(unit), Some(department)) => {
            let code = unit.comp(1).value().trimmed();
            let role =
                practitioner::emit_role(cx, (id, person.src), department, code.text, unit.src());
            let text = cx.reference_text("PractitionerRole", role);
            r.object(el::REQUESTER, |o| {
                o.also(unit.src());
                o.string("reference", text, person.src);
                o.string("display", person.display, person.src);
            });
        }
        _ => {
            r.object(el::REQUESTER, |o| {
                datatypes::person_reference(o, &person);
            });
        }
    }
}

fn requester_again<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, g: &Group<'a>, p: Part<'a>) {
    match g.field(*b"ORC", 12).filter(Part::is_some) {
        Some(orc) if datatypes::says_person(orc, p) => cx.used(&p),
        Some(_) => {
            cx.report_with(&MAP401, &p, "OBR-16");
            keep(r, cx, "OBR-16", p);
        }
        None => requester(r, cx, g, p),
    }
}

/// Without a doctor the department itself asks.
fn department<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, g: &Group<'a>, p: Part<'a>) {
    let doctor = g.field(*b"ORC", 12).is_some_and(|f| f.is_some())
        || g.field(*b"OBR", 16).is_some_and(|f| f.is_some());
    if r.has(el::REQUESTER) || doctor {
        return;
    }
    if let Some(id) = practitioner::department_of(cx, p) {
        cx.reference(r, el::REQUESTER, "Organization", id, p.src());
    } else {
        let text = p.comp(2).value().trimmed();
        r.object(el::REQUESTER, |o| {
            o.string("display", text.text, text.src());
        });
    }
}

fn reason<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    for rep in p.reps() {
        r.object(el::REASON_CODE, |o| codeable_concept(o, cx, rep));
    }
}

fn code<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    r.object(el::CODE, |o| codeable_concept(o, cx, p));
}

fn scheduled<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    datatypes::add_date_time(r, cx, el::OCCURRENCE_DATE_TIME, p.value());
}

/// TQ1-7, TQ1-8, unless a scheduled time (OBR-36) says it more exactly.
fn start<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, g: &Group<'a>, p: Part<'a>) {
    let until = g.field(*b"TQ1", 8).filter(Part::is_some);
    let (start, end) = (p.value(), until.map(|f| f.value()).unwrap_or_default());
    let told = r.has_name("occurrence[x]");
    if told || !p.is_some() {
        // An end alone is no moment.
        if let Some(until) = until {
            keep(r, cx, "TQ1-8", until);
        }
    }
    if !p.is_some() {
        return;
    }
    if told {
        let scheduled = g
            .field(*b"OBR", 36)
            .map(|f| f.value().text)
            .unwrap_or_default();
        if scheduled.starts_with(start.text.trim()) && end.is_empty() {
            cx.used(&start);
        } else {
            keep(r, cx, "TQ1-7", p);
        }
        return;
    }
    Times::read(cx, start, end, ["ServiceRequest.occurrence"; 2]).write_as(
        r,
        cx,
        [el::OCCURRENCE_DATE_TIME, el::OCCURRENCE_PERIOD],
    );
}

/// OBR-7, OBR-8 when nothing else says when.
fn performed<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, g: &Group<'a>, p: Part<'a>) {
    if r.has_name("occurrence[x]") {
        return;
    }
    let end = g.field(*b"OBR", 8).map(|f| f.value()).unwrap_or_default();
    Times::read(cx, p.value(), end, ["ServiceRequest.occurrence"; 2]).write_as(
        r,
        cx,
        [el::OCCURRENCE_DATE_TIME, el::OCCURRENCE_PERIOD],
    );
}

/// A repeat pattern is the timing when no time is known, else a note.
fn pattern<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    let first = p.comp(1);
    let (code, text) = (
        first.sub(1).value().trimmed(),
        first.sub(2).value().trimmed(),
    );
    let shown = text.some().unwrap_or(code);
    if r.has_name("occurrence[x]") {
        annotate(r, el::NOTE, shown.text, shown.src());
        return;
    }
    r.object(el::OCCURRENCE_TIMING, |o| {
        o.object("code", |o| {
            if !text.is_empty() {
                o.also(code.src());
            }
            o.string("text", shown.text, shown.src());
        });
    });
}

fn quantity<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    let unit = super::performed::unit_of_subs(cx, p.comp(2));
    r.object(el::QUANTITY_QUANTITY, |o| {
        datatypes::quantity(o, cx, p.comp(1).value().trimmed(), &unit);
    });
}

fn priority<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    datatypes::priority(r, cx, el::PRIORITY, p);
}

fn note<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    let v = p.text().trimmed();
    annotate(r, el::NOTE, v.text, v.src());
}

/// Code and text of a danger code; there is no element for it.
fn danger<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    datatypes::note_said(r, cx, el::NOTE, "危険検体コード: ", p);
}

fn section<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    let v = p.comp(1).value().trimmed();
    r.object(el::CATEGORY, |o| super::physiology::section(o, v));
}

// --- findings sent along ---------------------------------------------------------------------------

/// The OBX of an order: one Observation each, referred to as supporting information; the reason for
/// the test (`MS3-04`) is the reason of the request as well.
fn findings<'a>(cx: &mut Cx<'a, '_>, r: &mut Resource, rows: &[&Order<'a>]) {
    let mut done: Set<Id> = Set::new();
    for o in rows {
        let mut count: Map<(&str, &str), u32> = Map::new();
        let number = number_of(cx, rows.first().unwrap_or(o));
        for line in &o.lines {
            let item = Item::read(cx, line.obx.field(3), systems::JANIS_ORGANISM);
            if item.is_empty() {
                cx.report_with(&MAP009, &line.obx.field(5), "OBX-3");
                continue;
            }
            let (key, sub) = (item.key().text, line.obx.field(4).value().text);
            let n = count.entry((key, sub)).or_insert(0);
            *n += 1;
            let (family, ordinal) = (family(cx), n.to_string());
            let id = cx.id(
                "Observation",
                &[family, number, "OBX", key, sub, &ordinal],
                line.obx.position(),
                "",
            );
            if !done.insert(id) {
                for f in [3, 5, 6, 11] {
                    cx.used(&line.obx.field(f));
                }
                continue;
            }
            within(r, &ORDER_TO_JP_SERVICE_REQUEST, "OBX-5", |r| {
                if key == "MS3-04" && !observation::is_withdrawn(line.obx) {
                    let v = line.obx.field(5).text().trimmed();
                    r.object(el::REASON_CODE, |o| o.string("text", v.text, v.src()));
                }
                cx.reference(r, el::SUPPORTING_INFO, "Observation", id, item.key().src());
            });
            if !cx.emitted("Observation", id) {
                finding(cx, id, line, &item, o.value(*b"ORC", 9));
            }
        }
    }
}

fn finding<'a>(cx: &mut Cx<'a, '_>, id: Id, line: &Line<'a>, item: &Item<'a>, moment: Val<'a>) {
    let mut r = cx.open("Observation", id);
    let obx = line.obx;
    r.row(row(&ORDER_OBX_TO_JP_OBSERVATION, "OBX-11"));
    let sent = obx.field(11).value();
    // "O", "N": said with the order, not a result of its own; still a statement that must stay.
    let status = observation::status(cx, obx).unwrap_or("unknown");
    r.string(obs::STATUS, status, sent.src());
    r.row(row(&ORDER_OBX_TO_JP_OBSERVATION, "OBX-3"));
    let body = matches!(item.key().text, "01-01" | "01-02");
    observation::category(&mut r, if body { "body-measurement" } else { "exam" });
    observation::code(&mut r, cx, item, None);
    cx.subject(&mut r, obs::SUBJECT);
    encounter(cx, &mut r, obs::ENCOUNTER, moment);
    r.row(row(&ORDER_OBX_TO_JP_OBSERVATION, "OBX-14"));
    datatypes::add_date_time(&mut r, cx, obs::EFFECTIVE_DATE_TIME, obx.field(14).value());
    r.row(row(&ORDER_OBX_TO_JP_OBSERVATION, "OBX-5"));
    observation::value(&mut r, cx, obx, Allows::DateTime, status);
    observation::interpretation(&mut r, cx, obx);
    keep_rest(&ORDER_OBX_TO_JP_OBSERVATION, &mut r, cx, &[obx]);
    r.row(row(&ORDER_OBX_TO_JP_OBSERVATION, "NTE-3"));
    for nte in &line.notes {
        observation::note(&mut r, cx, obs::NOTE, *nte);
    }
    r.profile(JP_OBSERVATION_COMMON);
    cx.emit(r);
}
