//! Body measures and blood groups of ADT-00 (`JP_Observation_Common`). Mapping §7, last paragraphs.

use warifu_diag::catalogue::map_general::MAP007;
use warifu_diag::catalogue::map_lab::MAP209;
use warifu_fhir::Resource;
use warifu_fhir::element::observation as el;
use warifu_hl7::{Part, Segment};
use warifu_terms::{maps, systems};

use crate::cx::{Cx, Sourced};
use crate::datatypes::{self, both_triplets, codeable_concept, coded_concept, quantity, unit};
use crate::table::{Group, Ignored, Worded, run};

/// Canonical of `JP_Observation_Common`.
pub const JP_OBSERVATION_COMMON: &str =
    "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Observation_Common";

table! {
    /// OBX of ADT-00 → `JP_Observation_Common` (JP Core 1.2.0). HL7 v2.5 §7.4.2; SS-MIX2 仕様書 ADT-00.
    OBX_TO_JP_OBSERVATION_COMMON: "Observation" keeps "OBX" {
        "OBX-1" => "": ignored Ignored::Structural, "セットID";
        "OBX-2" => "Observation.value[x]": part, "値型";
        "OBX-3" => "Observation.code": map code, "検査項目";
        "OBX-4" => "Observation.identifier": map identifier, "検査副ID";
        "OBX-5" => "Observation.value[x]": map value, "検査値";
        "OBX-6" => "Observation.valueQuantity.unit": part, "単位";
        "OBX-7" => "Observation.referenceRange": map range, "基準値範囲";
        "OBX-8" => "Observation.interpretation": map interpretation, "異常フラグ";
        "OBX-11" => "Observation.status": part, "検査結果状態";
        "OBX-14" => "Observation.effectiveDateTime": always effective, "検査日時";
        "OBX-16" => "Observation.performer": map performer, "責任検査者";
        "PID-33" => "Observation.effectiveDateTime": part, "最終更新日時";
    }
}

/// Tables of this module.
pub static TABLES: &[Worded] = crate::worded![OBX_TO_JP_OBSERVATION_COMMON];

/// Every OBX of an ADT-00. The newest snapshot replaces the one before: identity is the item itself.
pub(crate) fn convert(cx: &mut Cx<'_, '_>) {
    let pid = cx.message().first(b"PID");
    for segment in cx.message().segments().filter(|s| s.name() == *b"OBX") {
        let mut group = Group::of(&[segment]);
        if let Some(pid) = pid {
            group.push(pid);
        }
        observation(cx, segment, &group);
    }
}

fn observation<'a>(cx: &mut Cx<'a, '_>, obx: Segment<'a>, group: &Group<'a>) {
    let state = obx.field(11).value().trimmed();
    let status = maps::OBSERVATION_STATUS.translate(state.text);
    if !status.known {
        cx.unlisted(state, "0085");
    }
    let Some(status) = status.to else {
        cx.report(&MAP209, &obx.field(11));
        cx.used_all(obx);
        return;
    };
    let [first, second] = both_triplets(obx.field(3));
    let item = [first.code, second.code, first.text, second.text]
        .into_iter()
        .find(|v| !v.is_empty())
        .unwrap_or_default();
    if item.is_empty() {
        return;
    }
    let sub = obx.field(4).value();
    let id = cx.entry_id(
        "Observation",
        &["ADT-00", item.text, sub.text],
        obx.position(),
        "",
        &obx.field(3),
    );
    // A newer snapshot was converted before.
    if cx.emitted("Observation", id) {
        return;
    }
    let mut r = cx.open("Observation", id);
    let category: &[&'static str] = if item.text.starts_with("9N") {
        &["vital-signs", "body-measurement"]
    } else if item.text.starts_with("5H") {
        &["laboratory"]
    } else {
        &["exam"]
    };
    let before = r.row(super::practitioner::row(
        &OBX_TO_JP_OBSERVATION_COMMON,
        "OBX-3",
    ));
    for code in category {
        r.object(el::CATEGORY, |o| {
            o.array("coding", |a| {
                a.object(|o| {
                    o.constant("system", systems::OBSERVATION_CATEGORY);
                    o.string("code", code, item.src());
                });
            });
        });
    }
    r.row(super::practitioner::row(
        &OBX_TO_JP_OBSERVATION_COMMON,
        "OBX-11",
    ));
    r.string(
        el::STATUS,
        if cx.item.flag == b'0' {
            "entered-in-error"
        } else {
            status
        },
        state.src(),
    );
    r.row(before);
    run(&OBX_TO_JP_OBSERVATION_COMMON, &mut r, cx, group);
    if !r.has_name("value[x]") {
        r.object(el::DATA_ABSENT_REASON, |o| {
            coded_concept(
                o,
                systems::DATA_ABSENT_REASON,
                "unknown",
                "Unknown",
                obx.field(5).src(),
            );
        });
    }
    cx.subject(&mut r, el::SUBJECT);
    // category, code and status are always there.
    r.profile(JP_OBSERVATION_COMMON);
    cx.emit(r);
}

/// OBX-3: both triplets.
fn code<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    r.object(el::CODE, |o| codeable_concept(o, cx, f));
}

/// OBX-4.
fn identifier<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.value();
    r.object(el::IDENTIFIER, |o| {
        datatypes::identifier(o, systems::ID_RESOURCE_INSTANCE, v);
    });
}

/// OBX-5 by OBX-2: NM → Quantity (text when it is no number), CWE / CE → `CodeableConcept`, else string.
fn value<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    let kind = group
        .field(*b"OBX", 2)
        .map(|f| f.value().trimmed())
        .unwrap_or_default();
    cx.used(&kind);
    let v = f.value().trimmed();
    match kind.text {
        "NM" => {
            if warifu_fhir::number::decimal(v.text).is_some() {
                let units = group.field(*b"OBX", 6).map(|f| unit(cx, f));
                r.object(el::VALUE_QUANTITY, |o| {
                    if let Some(units) = &units {
                        quantity(o, cx, v, units);
                    }
                });
            } else {
                cx.report_with(&MAP007, &v, "OBX-5");
                r.string(el::VALUE_STRING, v.text, v.src());
            }
        }
        "CWE" | "CE" | "CNE" => {
            r.object(el::VALUE_CODEABLE_CONCEPT, |o| codeable_concept(o, cx, f));
        }
        _ => {
            let all = f.text();
            r.string(el::VALUE_STRING, all.text, all.src());
        }
    }
}

/// OBX-7 as text: body measures have no limits that could be taken apart.
fn range<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.value();
    r.object(el::REFERENCE_RANGE, |o| o.string("text", v.text, v.src()));
}

/// OBX-8 (table 0078).
fn interpretation<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    for rep in f.reps() {
        let v = rep.value().trimmed();
        match maps::INTERPRETATION.find(v.text) {
            Some(Some(known)) => {
                r.object(el::INTERPRETATION, |o| {
                    coded_concept(
                        o,
                        systems::V3_OBSERVATION_INTERPRETATION,
                        known.code,
                        known.display,
                        v.src(),
                    );
                });
            }
            _ => cx.unlisted(v, "0078"),
        }
    }
}

/// OBX-14, else the time of the patient's record (PID-33), else of the message (MSH-7).
fn effective<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    let updated = group
        .field(*b"PID", 33)
        .map(|f| f.value())
        .unwrap_or_default();
    let sent = cx.message().value(b"MSH", 7);
    let v = [f.value(), updated, sent]
        .into_iter()
        .find(|v| !v.is_empty())
        .unwrap_or_default();
    datatypes::add_date_time(r, cx, el::EFFECTIVE_DATE_TIME, v);
}

/// OBX-16.
fn performer<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    datatypes::add_people(r, cx, el::PERFORMER, f);
}

#[cfg(test)]
mod tests {
    use crate::testing::{all, at, convert, reported};

    #[test]
    fn a_measure_listed_twice_is_two_observations() {
        let out = convert(
            "ADT-00",
            "MSH|^~\\&|A|B|C|D|20260401090512||ADT^A08^ADT_A01|1|P|2.5\r\nPID|1||0000990001||割符^花子^^^^^L^I||19680303|F\r\nOBX|1|NM|9N001000000000001^身長^JC10||158|cm^cm^ISO+|||||F\r\nOBX|2|NM|9N001000000000001^身長^JC10||160|cm^cm^ISO+|||||F",
        );
        assert_eq!(all(&out, "Observation").len(), 2);
        assert!(reported(&out, "MAP015"));
    }

    #[test]
    fn body_measures_and_blood_groups() {
        let out = convert(
            "ADT-00",
            "MSH|^~\\&|A|B|C|D|20260401090512||ADT^A08^ADT_A01|1|P|2.5\r\nPID|1||0000990001||割符^花子^^^^^L^I||19680303|F|||||||||||||||||||||||||20260331\r\nOBX|1|NM|9N001000000000001^身長^JC10|A|158.40|cm^cm^ISO+|100-200|N|||F|||20260330\r\nOBX|2|CWE|5H020000001999911^血液型−Ｒｈ式^JC10||+^Rh+^JSHR002||||||C\r\nOBX|3|ST|X1^備考^99L||メモ||||||F\r\nOBX|4|NM|9N006000000000001^体重^JC10||約50|kg^kg^ISO+|||||P\r\nOBX|5|NM|X2^空^99L||||||||F",
        );
        let o = all(&out, "Observation");
        assert_eq!(o.len(), 5);
        assert_eq!(at(&o[0], "/meta/profile/0"), super::JP_OBSERVATION_COMMON);
        assert_eq!(at(&o[0], "/category/0/coding/0/code"), "vital-signs");
        assert_eq!(at(&o[0], "/code/coding/0/code"), "9N001000000000001");
        assert_eq!(
            o[0].pointer("/valueQuantity/value").unwrap().to_string(),
            "158.4"
        );
        assert_eq!(at(&o[0], "/valueQuantity/unit"), "cm");
        assert_eq!(at(&o[0], "/valueQuantity/code"), "cm");
        assert_eq!(at(&o[0], "/identifier/0/value"), "A");
        assert_eq!(at(&o[0], "/referenceRange/0/text"), "100-200");
        assert_eq!(at(&o[0], "/interpretation/0/coding/0/code"), "N");
        assert_eq!(at(&o[0], "/effectiveDateTime"), "2026-03-30");
        assert_eq!(at(&o[0], "/status"), "final");
        assert!(at(&o[0], "/subject/reference").starts_with("Patient/"));
        assert_eq!(at(&o[1], "/category/0/coding/0/code"), "laboratory");
        assert_eq!(at(&o[1], "/valueCodeableConcept/coding/0/code"), "+");
        assert_eq!(at(&o[1], "/effectiveDateTime"), "2026-03-31");
        assert_eq!(at(&o[1], "/status"), "corrected");
        assert_eq!(at(&o[2], "/valueString"), "メモ");
        assert_eq!(at(&o[3], "/valueString"), "約50");
        assert_eq!(at(&o[3], "/status"), "preliminary");
        assert_eq!(at(&o[4], "/dataAbsentReason/coding/0/code"), "unknown");
    }
}
