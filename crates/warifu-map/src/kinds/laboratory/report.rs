//! OBR → DiagnosticReport.

use warifu_diag::catalogue::map_general::MAP004;
use warifu_fhir::element::diagnostic_report as el;
use warifu_fhir::{Resource, Src};
use warifu_hl7::Part;
use warifu_terms::maps::{REPORT_STATUS, withdrawal, worse_report_status};
use warifu_terms::systems;

use crate::cx::{Cx, Sourced};
use crate::datatypes::{self, Times};
use crate::kinds::observation::{self, Item};
use crate::table::{Group, run};

use super::result::Done;
use super::tables::OBR_TO_JP_DIAGNOSTIC_REPORT;
use super::walk::Order;
use super::{Shared, Target, numbered_identifier};

const JP_REPORT_COMMON: &str =
    "http://jpfhir.jp/fhir/core/StructureDefinition/JP_DiagnosticReport_Common";
const JP_REPORT_LAB: &str =
    "http://jpfhir.jp/fhir/core/StructureDefinition/JP_DiagnosticReport_LabResult";
const JP_REPORT_MICROBIOLOGY: &str =
    "http://jpfhir.jp/fhir/core/StructureDefinition/JP_DiagnosticReport_Microbiology";

/// Emits the DiagnosticReport of an order.
#[expect(
    clippy::too_many_arguments,
    reason = "one call site; a struct would only rename the arguments"
)]
pub(super) fn emit<'a>(
    cx: &mut Cx<'a, '_>,
    shared: &mut Shared<'a>,
    order: &Order<'a>,
    number: &str,
    item: Option<&Item<'a>>,
    specimen: Target<'a>,
    request: &'a str,
    encounter: Option<super::Visit<'a>>,
    done: &Done<'a>,
) {
    let Some(obr) = order.obr.or(order.orc) else {
        return;
    };
    let key = item.map_or("", |i| i.key().text);
    let id = super::unique(
        cx,
        "DiagnosticReport",
        &[shared.kind, number, specimen.key, key],
        obr.position(),
        "report",
        &obr.field(4),
    );
    let mut r = cx.open("DiagnosticReport", id);
    let group = super::group_of(order);
    run(&OBR_TO_JP_DIAGNOSTIC_REPORT, &mut r, cx, &group);
    r.row(super::row(&OBR_TO_JP_DIAGNOSTIC_REPORT));
    let from = obr.field(2).src();
    r.object(el::BASED_ON, |o| o.string("reference", request, from));
    let own = status(cx, &group, done);
    let report = group.field(*b"OBR", 25).map(|f| f.value().trimmed());
    let orc = [order.control(), order.orc(5), report.unwrap_or_default()];
    let worst = done.status.map(|(status, _)| status);
    let (state, from) = observation::told_unless_withdrawn(cx, orc, own, worst);
    r.string(el::STATUS, state, from);
    // A report is microbiological when all its results are.
    let microbiology = done.microbiology > 0 && done.microbiology == done.count;
    r.add(el::CATEGORY, |v| {
        v.raw(if microbiology {
            r#"{"coding":[{"system":"http://loinc.org","code":"LP7819-8"}]}"#
        } else {
            r#"{"coding":[{"system":"http://loinc.org","code":"LP29693-6"}]}"#
        });
    });
    if let Some(item) = item {
        r.object(el::CATEGORY, |o| item.concept(o, None));
    }
    r.object(el::CODE, |o| {
        o.array("coding", |a| {
            a.object(|o| {
                o.constant("system", systems::DOCUMENT_CODES);
                o.constant("code", if microbiology { "18725-2" } else { "11502-2" });
                o.constant(
                    "display",
                    if microbiology {
                        "微生物学的検査報告書"
                    } else {
                        "検体検査報告書"
                    },
                );
            });
        });
        if let Some(item) = item {
            o.string("text", item.text.text, item.text.src());
        }
    });
    shared.subject(&mut r, el::SUBJECT);
    if let Some((e, src)) = encounter {
        r.object(el::ENCOUNTER, |o| o.string("reference", e, src));
    }
    if !r.has(el::EFFECTIVE_DATE_TIME) && !r.has(el::EFFECTIVE_PERIOD) {
        let effective = [el::EFFECTIVE_DATE_TIME, el::EFFECTIVE_PERIOD];
        specimen.collected.write_as(&mut r, cx, effective);
    }
    if let Some(reference) = specimen.reference {
        r.object(el::SPECIMEN, |o| {
            o.string("reference", reference, specimen.src);
        });
    }
    for (reference, src) in &done.results {
        r.object(el::RESULT, |o| o.string("reference", reference, *src));
    }
    // result refers to JP_Observation_LabResult or _Microbiology: the report is one only if they are.
    if microbiology && !r.has(el::EFFECTIVE_PERIOD) {
        r.profile(JP_REPORT_MICROBIOLOGY);
    } else if !microbiology && done.microbiology == 0 && done.lab == done.count {
        r.profile(JP_REPORT_LAB);
    } else {
        cx.report_with(
            &MAP004,
            &obr.field(4),
            if microbiology {
                "JP_DiagnosticReport_Microbiology"
            } else {
                "JP_DiagnosticReport_LabResult"
            },
        );
        r.profile(JP_REPORT_COMMON);
    }
    cx.emit(r);
}

/// OBR-25 (table 0123), else the status that is furthest from final among the results, else ORC-5.
fn status<'a>(cx: &mut Cx<'a, '_>, g: &Group<'a>, done: &Done<'a>) -> (&'static str, Src) {
    if let Some(f) = g.field(*b"OBR", 25).filter(Part::is_some) {
        let v = f.value();
        let t = REPORT_STATUS.translate(v.text);
        if !t.known {
            cx.unlisted(v, "0123");
        }
        return (t.to, v.src());
    }
    if let Some((status, src)) = done.status {
        return (worse_report_status(status, status), src);
    }
    let value = |n| g.field(*b"ORC", n).map(|f| f.value()).unwrap_or_default();
    let (control, state) = (value(1), value(5));
    if withdrawal(control.text).is_some() {
        return ("cancelled", control.src());
    }
    let status = match state.text.trim() {
        "CA" | "DC" => "cancelled",
        "IP" | "SC" | "A" | "" => "registered",
        _ => "unknown",
    };
    (status, state.src())
}

/// OBR-2.
pub(super) fn placer<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    number(r, cx, f, ["PLAC", "Placer Identifier"]);
}

/// OBR-3.
pub(super) fn filler<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    number(r, cx, f, ["FILL", "Filler Identifier"]);
}

fn number(r: &mut Resource, cx: &Cx<'_, '_>, f: Part<'_>, [code, display]: [&'static str; 2]) {
    let v = f.comp(1).value().trimmed();
    numbered_identifier(r, cx, el::IDENTIFIER, v, code, display);
}

/// OBR-7 and OBR-8: a Period, a dateTime when both are equal.
pub(super) fn effective<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, g: &Group<'a>, f: Part<'a>) {
    let end = g
        .field(*b"OBR", 8)
        .map(|f| f.value().trimmed())
        .unwrap_or_default();
    let target = ["DiagnosticReport.effective"; 2];
    Times::read(cx, f.value().trimmed(), end, target).write_as(
        r,
        cx,
        [el::EFFECTIVE_DATE_TIME, el::EFFECTIVE_PERIOD],
    );
}

/// OBR-22.
pub(super) fn issued<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.value().trimmed();
    if let Some(s) = datatypes::instant(cx, v, "DiagnosticReport.issued") {
        r.string(el::ISSUED, s, v.src());
    }
}
