//! OMG-13: OBR → DiagnosticReport, OBX → Observation.

use warifu_order::Map;

use bumpalo::collections::String as Text;
use warifu_diag::catalogue::map_general::{MAP004, MAP009, MAP015};
use warifu_diag::catalogue::map_other::MAP407;
use warifu_fhir::element::{diagnostic_report as el, observation as obs};
use warifu_fhir::{Id, Object, Resource, Src};
use warifu_hl7::{Part, Val};
use warifu_terms::maps::{self, OrderFile};
use warifu_terms::systems;

use super::{Line, Order, encounter, number_of, order, request_id, row, typed_identifier, within};
use crate::cx::{Cx, Sourced};
use crate::datatypes::{self, Times, codeable_concept};
use crate::kinds::observation::{self, Allows, Item, JP_OBSERVATION_COMMON};
use crate::table::{Group, Ignored, keep_rest, run};

/// Canonical of JP_DiagnosticReport_Common.
const JP_REPORT: &str = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_DiagnosticReport_Common";

table! {
    /// OBR → JP_DiagnosticReport_Common (JP Core 1.2.0). HL7 v2.5 §7.4.1; SS-MIX2 仕様書 OMG-13;
    /// mapping §10. ORC and TQ1 belong to the ServiceRequest.
    OBR_TO_JP_DIAGNOSTIC_REPORT_PHYSIOLOGY: "DiagnosticReport" {
        "OBR-1" => "": ignored Ignored::Structural, "セットID－OBR";
        "OBR-2" => "DiagnosticReport.identifier": map placer, "依頼者オーダ番号";
        "OBR-3" => "DiagnosticReport.identifier": map filler, "実施者オーダ番号";
        "OBR-4" => "DiagnosticReport.code": map code, "検査項目ID";
        "OBR-7" => "DiagnosticReport.effective[x]": map effective, "検査／採取日時";
        "OBR-8" => "DiagnosticReport.effective[x]": part, "検査／採取終了日時";
        "OBR-22" => "DiagnosticReport.issued": map issued, "結果報告／状態変更日時";
        "OBR-24" => "DiagnosticReport.category": map category, "診断部門ID";
        "OBR-25" => "DiagnosticReport.status": part, "結果状態";
        "OBX-5" => "DiagnosticReport.conclusion": part, "検査値";
        "ORC-1" => "DiagnosticReport.status (取り消し)": part, "オーダ制御";
        "OBX-11" => "DiagnosticReport.status": part, "検査結果状態";
        "NTE-3" => "DiagnosticReport.conclusion": part, "コメント";
    }
}

table! {
    /// OBX → JP_Observation_Common (JP Core 1.2.0). HL7 v2.5 §7.4.2; SS-MIX2 仕様書 OMG-13; mapping §7.
    OBX_TO_JP_OBSERVATION: "Observation" keeps "OBX" {
        "OBX-1" => "": ignored Ignored::Structural, "セットID－OBX";
        "OBX-2" => "Observation.value[x]": part, "値型";
        "OBX-3" => "Observation.code": part, "検査項目";
        "OBX-4" => "": lost, "検査副ID";
        "OBX-5" => "Observation.value[x]": part, "検査値";
        "OBX-6" => "Observation.valueQuantity.unit": part, "単位";
        "OBX-7" => "Observation.referenceRange": part, "基準値範囲";
        "OBX-8" => "Observation.interpretation": part, "異常フラグ";
        "ORC-1" => "Observation.status (取り消し)": part, "オーダ制御";
        "OBX-11" => "Observation.status": part, "検査結果状態";
        "OBX-14" => "Observation.effective[x]": part, "検査日時";
        "OBX-16" => "Observation.performer": part, "責任観察者";
        "OBR-7" => "Observation.effective[x]": part, "検査／採取日時";
        "NTE-3" => "Observation.note": part, "コメント";
    }
}

/// Converts all reports of a message.
pub(super) fn convert<'a>(cx: &mut Cx<'a, '_>, orders: &[Order<'a>]) {
    // Without ORC the order itself is not told; it is only referred to.
    let requests: Vec<Option<Id>> = if orders.iter().any(|o| o.head.first(*b"ORC").is_some()) {
        order_requests(cx, orders)
    } else {
        for obr in orders.iter().flat_map(|o| o.head.all(*b"OBR")) {
            cx.stray_rest(&OBR_TO_JP_DIAGNOSTIC_REPORT_PHYSIOLOGY, obr, &[]);
        }
        orders
            .iter()
            .map(|o| {
                let number = number_of(cx, o);
                let id = request_id(cx, number, o.position());
                Some(id).filter(|id| cx.emitted("ServiceRequest", *id))
            })
            .collect()
    };
    let mut told: Map<(&str, &str), u32> = Map::new();
    for (o, request) in orders.iter().zip(requests) {
        let nth = told.entry((number_of(cx, o), o.value(*b"OBR", 4).text));
        let nth = nth.or_insert(0);
        *nth += u32::from(o.has_obr);
        report(cx, o, request, *nth);
    }
}

/// Requests of the orders with an ORC; their OBX are results and stay with the report.
fn order_requests<'a>(cx: &mut Cx<'a, '_>, orders: &[Order<'a>]) -> Vec<Option<Id>> {
    let heads: Vec<Order<'a>> = orders
        .iter()
        .map(|o| Order {
            head: o.head.clone(),
            has_obr: o.has_obr,
            notes: Vec::new(),
            lines: Vec::new(),
            executions: Vec::new(),
            studies: Vec::new(),
        })
        .collect();
    order::requests(cx, &heads, OrderFile::Result)
        .into_iter()
        .map(Some)
        .collect()
}

/// The report of an order; `nth` of the same test of the same order in the message.
fn report<'a>(cx: &mut Cx<'a, '_>, o: &Order<'a>, request: Option<Id>, nth: u32) {
    if !o.has_obr {
        return;
    }
    let number = number_of(cx, o);
    if number.is_empty() {
        cx.report(&MAP407, &o.place(cx.message()));
    }
    let test = o.value(*b"OBR", 4);
    let again = nth.to_string();
    if nth > 1 {
        cx.report(&MAP015, &test);
    }
    let parts = ["OMG-13", number, test.text, &again];
    let parts = parts.get(..if nth > 1 { 4 } else { 3 }).unwrap_or(&parts);
    let id = cx.order_id("DiagnosticReport", parts, o.position(), "");
    let mut r = cx.open("DiagnosticReport", id);
    run(&OBR_TO_JP_DIAGNOSTIC_REPORT_PHYSIOLOGY, &mut r, cx, &o.head);
    if !r.has(el::CATEGORY) && order::is_ecg(o) {
        r.object(el::CATEGORY, |o| {
            datatypes::coded_concept(
                o,
                "http://terminology.hl7.org/CodeSystem/v2-0074",
                "EC",
                "Electrocardiac (e.g., EKG,  EEC, Holter)",
                Src::NONE,
            );
        });
    }
    cx.subject(&mut r, el::SUBJECT);
    encounter(cx, &mut r, el::ENCOUNTER, o.value(*b"OBR", 7));
    let by = o.number();
    within(
        &mut r,
        &OBR_TO_JP_DIAGNOSTIC_REPORT_PHYSIOLOGY,
        "OBR-2",
        |r| match request {
            Some(request) => cx.reference(r, el::BASED_ON, "ServiceRequest", request, by.src()),
            None if by.is_empty() => {}
            None => {
                r.object(el::BASED_ON, |o| {
                    o.constant("type", "ServiceRequest");
                    o.object("identifier", |o| {
                        datatypes::identifier(o, systems::ID_RESOURCE_INSTANCE, by);
                    });
                });
            }
        },
    );
    let mut worst: Option<&'static str> = None;
    let mut conclusion = Text::new_in(cx.message().arena());
    let mut sources: Vec<Src> = Vec::new();
    let mut count: Map<(&str, &str), u32> = Map::new();
    for line in &o.lines {
        let item = Item::read(cx, line.obx.field(3), systems::JANIS_ORGANISM);
        if item.is_empty() {
            cx.report_with(&MAP009, &line.obx.field(5), "OBX-3");
            continue;
        }
        let status = observation::status(cx, line.obx).unwrap_or("unknown");
        worst = Some(worst.map_or(status, |w| maps::worse_report_status(w, status)));
        if is_impression(line) && !observation::is_withdrawn(line.obx) {
            for rep in line.obx.field(5).reps().filter(Part::is_some) {
                let v = if matches!(line.obx.field(2).value().text.trim(), "CWE" | "CE") {
                    rep.comp(2).value()
                } else {
                    rep.text()
                };
                if !v.text.trim().is_empty() {
                    if !conclusion.is_empty() {
                        conclusion.push('\n');
                    }
                    conclusion.push_str(v.text.trim());
                    sources.push(v.src());
                }
            }
        }
        let (key, sub) = (item.key().text, line.obx.field(4).value().text);
        let n = count.entry((key, sub)).or_insert(0);
        *n += 1;
        let ordinal = n.to_string();
        let parts = ["OMG-13", number, test.text, key, sub, &ordinal, &again];
        let parts = parts.get(..if nth > 1 { 7 } else { 6 }).unwrap_or(&parts);
        let oid = cx.order_id("Observation", parts, line.obx.position(), "");
        result(cx, oid, o, line, &item, status, request);
        within(&mut r, &OBX_TO_JP_OBSERVATION, "OBX-3", |r| {
            cx.reference(r, el::RESULT, "Observation", oid, item.key().src());
        });
    }
    for nte in &o.notes {
        for rep in nte.field(3).reps().filter(Part::is_some) {
            let v = rep.text().trimmed();
            if !conclusion.is_empty() {
                conclusion.push('\n');
            }
            conclusion.push_str(v.text);
            sources.push(v.src());
        }
    }
    if let Some((last, others)) = sources.split_last() {
        let text = conclusion.into_bump_str();
        r.row(row(&OBR_TO_JP_DIAGNOSTIC_REPORT_PHYSIOLOGY, "OBX-5"));
        // Further sources of the one leaf: the string writer takes one, the rest is noted as used.
        r.string(el::CONCLUSION, text, *last);
        for src in others {
            cx.used(&Place(*src));
        }
    }
    within(
        &mut r,
        &OBR_TO_JP_DIAGNOSTIC_REPORT_PHYSIOLOGY,
        "OBR-25",
        |r| {
            status(r, cx, o, worst);
        },
    );
    if r.has(el::CODE) {
        r.profile(JP_REPORT);
    } else {
        cx.report_with(&MAP004, &o.place(cx.message()), JP_REPORT);
        cx.report_with(&MAP009, &o.place(cx.message()), "OBR-4");
        r.object(el::CODE, |o| o.constant("text", "検査項目不明"));
    }
    cx.emit(r);
}

/// Bytes that were read already.
struct Place(Src);

impl Sourced for Place {
    fn src(&self) -> Src {
        self.0
    }
}

/// Whether an OBX is an impression (`…&IMP` in OBX-3).
fn is_impression(line: &Line<'_>) -> bool {
    line.obx
        .field(3)
        .comp(1)
        .subs()
        .skip(1)
        .any(|s| s.value().text.trim() == "IMP")
}

fn status<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, o: &Order<'a>, worst: Option<&'static str>) {
    let (v, control) = (o.value(*b"OBR", 25), o.value(*b"ORC", 1));
    let own = if v.is_empty() {
        match worst {
            Some(worst) => (maps::worse_report_status(worst, worst), Src::NONE),
            None if o.is_cancelled() => ("cancelled", control.src()),
            None => ("unknown", Src::NONE),
        }
    } else {
        let t = maps::REPORT_STATUS.translate(v.text);
        if !t.known {
            cx.unlisted(v, "0123");
        }
        (t.to, v.src())
    };
    let orc = [control, o.value(*b"ORC", 5), v];
    let (status, src) = observation::told_unless_withdrawn(cx, orc, own, worst);
    r.string(el::STATUS, status, src);
}

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

fn code<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    r.object(el::CODE, |o| codeable_concept(o, cx, p));
}

fn effective<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, g: &Group<'a>, p: Part<'a>) {
    let end = g.field(*b"OBR", 8).map(|f| f.value()).unwrap_or_default();
    Times::read(cx, p.value(), end, ["DiagnosticReport.effective"; 2]).write_as(
        r,
        cx,
        [el::EFFECTIVE_DATE_TIME, el::EFFECTIVE_PERIOD],
    );
}

fn issued<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    let v = p.value();
    if let Some(s) = datatypes::instant(cx, v, "DiagnosticReport.issued") {
        r.string(el::ISSUED, s, v.src());
    }
}

fn category<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, _: &Group<'a>, p: Part<'a>) {
    r.object(el::CATEGORY, |o| section(o, p.comp(1).value().trimmed()));
}

/// Writes a diagnostic service section (HL7 table 0074).
pub(super) fn section(o: &mut Object<'_>, v: Val<'_>) {
    if v.is_empty() {
        return;
    }
    o.array("coding", |a| {
        a.object(|o| {
            o.constant("system", "http://terminology.hl7.org/CodeSystem/v2-0074");
            o.string("code", v.text, v.src());
        });
    });
}

fn result<'a>(
    cx: &mut Cx<'a, '_>,
    id: Id,
    o: &Order<'a>,
    line: &Line<'a>,
    item: &Item<'a>,
    status: &'static str,
    request: Option<Id>,
) {
    let obx = line.obx;
    let mut r = cx.open("Observation", id);
    r.row(row(&OBX_TO_JP_OBSERVATION, "OBX-11"));
    let own = (status, obx.field(11).value().src());
    let (state, from) = observation::unless_withdrawn(o.value(*b"ORC", 1), own);
    r.string(obs::STATUS, state, from);
    r.row(row(&OBX_TO_JP_OBSERVATION, "OBX-3"));
    observation::category(&mut r, "exam");
    observation::code(&mut r, cx, item, None);
    cx.subject(&mut r, obs::SUBJECT);
    if let Some(request) = request {
        cx.reference(
            &mut r,
            obs::BASED_ON,
            "ServiceRequest",
            request,
            o.number().src(),
        );
    }
    let own = obx.field(14).value();
    let (start, end, source) = if own.is_empty() {
        (o.value(*b"OBR", 7), o.value(*b"OBR", 8), "OBR-7")
    } else {
        (own, Val::default(), "OBX-14")
    };
    encounter(cx, &mut r, obs::ENCOUNTER, start);
    r.row(row(&OBX_TO_JP_OBSERVATION, source));
    Times::read(cx, start, end, ["Observation.effective"; 2]).write_as(
        &mut r,
        cx,
        [obs::EFFECTIVE_DATE_TIME, obs::EFFECTIVE_PERIOD],
    );
    r.row(row(&OBX_TO_JP_OBSERVATION, "OBX-5"));
    observation::value(&mut r, cx, obx, Allows::DateTime, status);
    observation::interpretation(&mut r, cx, obx);
    keep_rest(&OBX_TO_JP_OBSERVATION, &mut r, cx, &[obx]);
    r.row(row(&OBX_TO_JP_OBSERVATION, "OBX-16"));
    datatypes::add_people(&mut r, cx, obs::PERFORMER, obx.field(16));
    r.row(row(&OBX_TO_JP_OBSERVATION, "NTE-3"));
    for nte in &line.notes {
        observation::note(&mut r, cx, obs::NOTE, *nte);
    }
    r.profile(JP_OBSERVATION_COMMON);
    cx.emit(r);
}
