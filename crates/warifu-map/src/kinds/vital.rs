//! Vital signs of the extended storage (ORU^R30) → Observation. Mapping §7, §10a.
//!
//! One Observation an OBX; a systolic and a diastolic pressure of the same moment, whose codes agree in
//! characters 5–17, become one Observation with two components.

use warifu_order::Map;

use warifu_diag::catalogue::hl7::HL7115;
use warifu_diag::catalogue::map_general::{MAP004, MAP009};
use warifu_diag::catalogue::map_lab::MAP209;
use warifu_diag::catalogue::map_other::MAP439;
use warifu_fhir::element::observation as el;
use warifu_fhir::{Resource, RowId, Src};
use warifu_hl7::{Segment, Val};
use warifu_terms::jlac::{self, Vital};
use warifu_terms::{systems, units};

use crate::cx::{Cx, Sourced};
use crate::datatypes;
use crate::kinds::observation::{self, Allows, Item, JP_OBSERVATION_COMMON};
use crate::table::{Ignored, Worded, keep, keep_rest};

const JP_OBSERVATION_VITAL_SIGNS: &str =
    "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Observation_VitalSigns";

table! {
    /// OBX → Observation (JP_Observation_VitalSigns). HL7 v2.5 §7.4.2; SS-MIX2 拡張ストレージ バイタルサイン.
    OBX_TO_JP_OBSERVATION_VITAL_SIGNS: "Observation" keeps "OBX" {
        "" => "Observation.category": part, "(vital-signs 固定)";
        "OBX-1" => "": ignored Ignored::Structural, "セットID - OBX";
        "OBX-2" => "Observation.value[x], Observation.component.value[x]": part, "値型";
        "OBX-3" => "Observation.code, Observation.component.code": part, "検査項目";
        "OBX-4" => "Observation.identifier": part, "検査副ID";
        "OBX-5" => "Observation.value[x], Observation.component.value[x]": part, "結果値";
        "OBX-6" => "Observation.valueQuantity.unit, .code": part, "単位";
        "OBX-7" => "Observation.referenceRange": part, "基準値範囲";
        "OBX-8" => "Observation.interpretation": part, "異常フラグ";
        "OBX-11" => "Observation.status": part, "検査結果状態";
        "OBX-14" => "Observation.effectiveDateTime": part, "検査日時";
        "OBX-16" => "Observation.performer": part, "責任観察者";
        "OBX-17" => "Observation.method": part, "検査方法";
        "ORC-1" => "Observation.status (取り消し)": part, "オーダ制御";
        "ORC-2" => "Observation.identifier": part, "依頼者オーダ番号";
        "ORC-5" => "": ignored Ignored::Redundant, "オーダ状態";
        "ORC-9" => "": same "OBR-7", "トランザクション日時";
        "ORC-13" => "": same "PV1-3", "入力場所";
        "ORC-21" => "Organization.name": part, "オーダ施設名";
        "ORC-22" => "Organization.address": part, "オーダ施設住所";
        "ORC-23" => "Organization.telecom": part, "オーダ施設電話番号";
        "ORC-29" => "": same "PV1-2", "オーダタイプ";
        "OBR-1" => "": ignored Ignored::Structural, "セットID - OBR";
        "OBR-2" => "Observation.identifier (ORC-2 がないとき)": beside "ORC-2", "依頼者オーダ番号";
        "OBR-7" => "Observation.effective[x] (OBX-14 がないとき)": beside "OBX-14", "検査/採取日時";
        "OBR-8" => "": same "OBR-7", "検査/採取終了日時 (OBX-14 が示す)";
        "OBR-22" => "Observation.issued": part, "結果報告/状態変更-日時";
        "NTE-3" => "Observation.note": part, "コメント";
        "PID-3" => "Observation.subject": part, "患者IDリスト";
    }
}

/// Tables of this module.
pub static TABLES: &[Worded] = crate::worded![OBX_TO_JP_OBSERVATION_VITAL_SIGNS];

fn row() -> Option<&'static RowId> {
    OBX_TO_JP_OBSERVATION_VITAL_SIGNS
        .rows
        .first()
        .map(|r| &r.row)
}

/// An OBX with what stands around it.
#[derive(Clone, Copy)]
struct Line<'a> {
    obx: Segment<'a>,
    /// The order's ORC and OBR in force.
    orc: Option<Segment<'a>>,
    obr: Option<Segment<'a>>,
    /// Range of the comments after it.
    notes: (usize, usize),
}

/// ORU^R30: Observations.
pub(crate) fn convert(cx: &mut Cx<'_, '_>) {
    let (lines, notes) = walk(cx);
    if lines.is_empty() {
        cx.report_message(&HL7115, "OBX");
        return;
    }
    let mates = pairs(&lines);
    let subject = cx.reference_text("Patient", cx.patient_id());
    let subject_src = cx
        .message()
        .first(b"PID")
        .map(|s| s.field(3).src())
        .unwrap_or_default();
    let mut time: Option<(&str, &str)> = None;
    for (i, line) in lines.iter().enumerate() {
        let mate = match mates.get(i).copied().flatten() {
            // The first of a pair carries both.
            Some(m) if m < i => continue,
            Some(m) => lines.get(m),
            None => None,
        };
        one(cx, line, mate, &notes, (subject, subject_src), &mut time);
    }
}

fn walk<'a>(cx: &mut Cx<'a, '_>) -> (Vec<Line<'a>>, Vec<Segment<'a>>) {
    let mut lines: Vec<Line<'a>> = Vec::new();
    let mut notes = Vec::new();
    let (mut orc, mut obr) = (None, None);
    for s in cx.message().segments() {
        match &s.name() {
            b"ORC" => {
                cx.stray_rest(&OBX_TO_JP_OBSERVATION_VITAL_SIGNS, s, &[]);
                let control = s.field(1).value().trimmed();
                cx.used(&control);
                cx.listed(control, crate::table::ORDER_CONTROL);
                orc = Some(s);
            }
            b"OBR" => {
                cx.stray_rest(&OBX_TO_JP_OBSERVATION_VITAL_SIGNS, s, orc.as_slice());
                obr = Some(s);
            }
            b"OBX" => lines.push(Line {
                obx: s,
                orc,
                obr,
                notes: (notes.len(), notes.len()),
            }),
            b"NTE" => match lines.last_mut() {
                Some(l) => {
                    notes.push(s);
                    l.notes.1 = notes.len();
                }
                None => cx.stray(s),
            },
            _ => {}
        }
    }
    (lines, notes)
}

/// For each line the other half of its pressure pair.
fn pairs(lines: &[Line<'_>]) -> Vec<Option<usize>> {
    let mut mates: Vec<Option<usize>> = vec![None; lines.len()];
    // Time and characters 5–17 of the code → a pressure that waits for its other half.
    let mut waiting: Map<(&str, &str), Option<(usize, &str)>> = Map::new();
    for (i, l) in lines.iter().enumerate() {
        let code = jlac_of(l.obx);
        if !matches!(
            jlac::vital(code),
            Some(Vital::SystolicBloodPressure | Vital::DiastolicBloodPressure)
        ) {
            continue;
        }
        let (Some(tail), at) = (code.get(4..), l.obx.field(14).value().text.trim()) else {
            continue;
        };
        if at.is_empty() {
            continue;
        }
        match waiting.get_mut(&(at, tail)).and_then(Option::take) {
            Some((other, its))
                if jlac::is_pressure_pair(its, code)
                    && same_status(lines.get(other), l)
                    && [lines.get(other), Some(l)]
                        .into_iter()
                        .flatten()
                        .all(is_pressure) =>
            {
                if let Some(slot) = mates.get_mut(i) {
                    *slot = Some(other);
                }
                if let Some(slot) = mates.get_mut(other) {
                    *slot = Some(i);
                }
            }
            _ => {
                waiting.insert((at, tail), Some((i, code)));
            }
        }
    }
    mates
}

/// Whether R4's profile of blood pressures takes the value: a number in mm[Hg], or none.
fn is_pressure(l: &Line<'_>) -> bool {
    let value = l.obx.field(5).value().trimmed();
    let is_number = warifu_fhir::number::decimal(value.text).is_some();
    value.is_empty()
        || is_number
            && datatypes::both_triplets(l.obx.field(6))
                .iter()
                .any(|t| units::ucum(t.code.text, t.text.text) == Some("mm[Hg]"))
}

fn same_status(a: Option<&Line<'_>>, b: &Line<'_>) -> bool {
    a.is_some_and(|a| a.obx.field(11).value().text.trim() == b.obx.field(11).value().text.trim())
}

/// The JLAC10 code of OBX-3, from whichever triplet has it.
fn jlac_of(obx: Segment<'_>) -> &str {
    let f = obx.field(3);
    let [a, b] = datatypes::both_triplets(f);
    if jlac::vital(a.code.text).is_some() {
        a.code.text
    } else {
        b.code.text
    }
}

type Further = Option<(&'static str, &'static str, &'static str)>;

fn loinc(code: &str) -> Further {
    jlac::vital(code).map(|v| {
        let (code, display) = v.loinc();
        (systems::LOINC, code, display)
    })
}

fn one<'a>(
    cx: &mut Cx<'a, '_>,
    line: &Line<'a>,
    mate: Option<&Line<'a>>,
    notes: &[Segment<'a>],
    subject: (&'a str, Src),
    time: &mut Option<(&'a str, &'a str)>,
) {
    let obx = line.obx;
    let Some(status) = observation::status(cx, obx) else {
        cx.report(&MAP209, &obx.field(11));
        cx.used(&obx.field(11));
        return;
    };
    let item = Item::read(cx, obx.field(3), systems::JANIS_ORGANISM);
    let key = item.key();
    let at = obx.field(14).value().trimmed();
    let sub = obx.field(4).value().trimmed();
    let of = |s: Option<Segment<'a>>| {
        s.map(|s| s.field(2).comp(1).value().trimmed())
            .and_then(Val::some)
    };
    let number = of(line.orc).or_else(|| of(line.obr)).unwrap_or_default();
    let order = if number.is_empty() {
        cx.item.order
    } else {
        number.text
    };
    let suffix = if mate.is_some() { "bp" } else { "" };
    let id = cx.entry_id(
        "Observation",
        &["vital", order, key.text, at.text, sub.text, suffix],
        obx.position(),
        suffix,
        &obx.field(3),
    );
    let mut r = cx.open("Observation", id);
    r.row(row());
    if !cx.options().without_source_identifier {
        datatypes::instance_identifier(&mut r, cx, el::IDENTIFIER, &[number, key, at, sub], 1);
    }
    let control = line.orc.map(|s| s.field(1).value().trimmed());
    let none = Val::default();
    let control = [control.unwrap_or_default(), none, none];
    let own = (status, obx.field(11).src());
    let (state, from) = observation::told_unless_withdrawn(cx, control, own, None);
    r.string(el::STATUS, state, from);
    // JP Core has a category of its own, R4's vital signs another.
    for system in [
        systems::OBSERVATION_CATEGORY,
        systems::FHIR_OBSERVATION_CATEGORY,
    ] {
        r.object(el::CATEGORY, |o| {
            o.array("coding", |a| {
                a.object(|o| {
                    o.constant("system", system);
                    o.constant("code", "vital-signs");
                });
            });
        });
    }
    let effective = effective(&mut r, cx, line, at, time);
    if let Some(mate) = mate {
        let other = Item::read(cx, mate.obx.field(3), systems::JANIS_ORGANISM);
        let (code, display) = jlac::BLOOD_PRESSURE_PANEL;
        if !is_day(effective) {
            cx.report(&MAP439, &obx.field(3));
        }
        r.object(el::CODE, |o| {
            if is_day(effective) {
                o.array("coding", |a| {
                    a.object(|o| {
                        o.constant("system", systems::LOINC);
                        o.string("code", code, key.src());
                        o.string("display", display, key.src());
                    });
                });
            }
            o.constant("text", "血圧");
        });
        // Systolic first, whatever the order in the message.
        let first_is_systolic = matches!(
            jlac::vital(jlac_of(obx)),
            Some(Vital::SystolicBloodPressure)
        );
        let both = if first_is_systolic {
            [(obx, &item), (mate.obx, &other)]
        } else {
            [(mate.obx, &other), (obx, &item)]
        };
        for (obx, item) in both {
            let further = loinc(jlac_of(obx));
            r.object(el::COMPONENT, |o| {
                o.object("code", |o| item.concept(o, further));
                observation::component_value(o, cx, obx, Allows::DateTime, status);
            });
        }
        cx.used(&mate.obx.field(11));
        cx.used(&mate.obx.field(14));
    } else {
        if item.is_empty() {
            cx.report_with(&MAP009, &obx.field(3), "OBX-3");
            r.object(el::CODE, |o| {
                o.raw(observation::UNKNOWN);
            });
        }
        let vital = jlac::vital(jlac_of(obx));
        let mut unit = observation::unit(cx, obx);
        // R4's profile of heart rates has this code alone; what braces say is no part of a unit.
        if unit.code.text == "{beats}/min" && vital == Some(Vital::PulseRate) {
            unit.code = unit.code.map("/min");
        }
        let ucum = observation::measured(&mut r, cx, obx, Allows::DateTime, status, unit);
        if !item.is_empty() {
            let of_r4 = vital.is_none_or(|v| {
                v.units().is_empty()
                    || is_day(effective)
                        && ucum.is_some_and(|u| u.is_empty() || v.units().contains(&u))
            });
            if !of_r4 {
                cx.report(&MAP439, &obx.field(3));
            }
            let further = if of_r4 { loinc(jlac_of(obx)) } else { None };
            observation::code(&mut r, cx, &item, further);
        }
        observation::interpretation(&mut r, cx, obx);
    }
    r.object(el::SUBJECT, |o| o.string("reference", subject.0, subject.1));
    issued(&mut r, cx, line);
    datatypes::add_people(&mut r, cx, el::PERFORMER, obx.field(16));
    if let Some(id) = cx.encounter_at(at.text) {
        let reference = cx.reference_text("Encounter", id);
        r.object(el::ENCOUNTER, |o| {
            o.string("reference", reference, at.src());
        });
    }
    for l in [Some(line), mate].into_iter().flatten() {
        keep_rest(&OBX_TO_JP_OBSERVATION_VITAL_SIGNS, &mut r, cx, &[l.obx]);
        // Of a pair the first says who, and has the number.
        for (n, name) in [(4, "OBX-4"), (16, "OBX-16")] {
            let other = l.obx.field(n);
            if other.is_some() && other.raw() != obx.field(n).raw() {
                keep(&mut r, cx, name, other);
            }
        }
        let method = l.obx.field(17);
        if method.is_some() {
            r.object(el::METHOD, |o| datatypes::codeable_concept(o, cx, method));
        }
        for nte in notes.get(l.notes.0..l.notes.1).unwrap_or_default() {
            observation::note(&mut r, cx, el::NOTE, *nte);
        }
    }
    if cx.message().first(b"PID").is_some() {
        r.profile(JP_OBSERVATION_VITAL_SIGNS);
    } else {
        cx.report_with(&MAP004, &obx.field(3), "JP_Observation_VitalSigns");
        r.profile(JP_OBSERVATION_COMMON);
    }
    cx.emit(r);
}

/// Whether a date or time says the day, as R4 wants of vital signs (`vs-1`).
fn is_day(written: Option<&str>) -> bool {
    written.is_some_and(|w| w.len() >= "2026-04-01".len())
}

/// OBX-14, else OBR-7; what was written. Times repeat from line to line: the last one is remembered.
fn effective<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    line: &Line<'a>,
    at: Val<'a>,
    time: &mut Option<(&'a str, &'a str)>,
) -> Option<&'a str> {
    let at = if at.is_empty() {
        line.obr?.field(7).value().trimmed()
    } else {
        at
    };
    if at.is_empty() {
        return None;
    }
    let written = match *time {
        Some((sent, written)) if sent == at.text => Some(written),
        _ => datatypes::date_time(cx, at, "Observation.effectiveDateTime"),
    };
    if let Some(w) = written {
        *time = Some((at.text, w));
        r.string(el::EFFECTIVE_DATE_TIME, w, at.src());
    }
    written
}

/// OBR-22.
fn issued<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, line: &Line<'a>) {
    let Some(v) = line
        .obr
        .map(|s| s.field(22).value().trimmed())
        .filter(|v| !v.is_empty())
    else {
        return;
    };
    if let Some(s) = datatypes::instant(cx, v, "Observation.issued") {
        r.string(el::ISSUED, s, v.src());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use warifu_terms::systems;

    use crate::testing::{all, at, convert, reported};

    const HEAD: &str = "MSH|^~\\&|HIS|SEND|GW|RCV|20260401103000||ORU^R30^ORU_R30|1|P|2.5||||||~ISO IR87||ISO 2022-1994|SS-MIX2_1.20^SS-MIX2^1.2.392.200250.2.1.100.1.2.120^ISO
PID|0001||0000990001^^^^PI||割符^花子^^^^^L^I||19700405|F
ORC|SC|V001
OBR|1|V001||V01^バイタル^99WRF|||202604010800|202604012000||||||||||||||20260402000100
";

    #[test]
    fn a_measure_taken_twice_at_one_time_is_two_observations() {
        let pulse = |n: u8, value: u8| {
            format!(
                "OBX|{n}|NM|9P300000000000001^脈拍^JC10||{value}|(hb)^回／１分^ISO+|50-90||||F|||202604010800\n"
            )
        };
        let out = convert("", &format!("{HEAD}{}{}", pulse(1, 65), pulse(2, 92)));
        let values: Vec<_> = all(&out, "Observation")
            .iter()
            .map(|o| o["valueQuantity"]["value"].clone())
            .collect();
        assert_eq!(values, [json!(65), json!(92)]);
        assert!(reported(&out, "MAP015"));
    }

    #[test]
    fn measures_of_a_withdrawn_order_were_sent_in_error() {
        let line = "OBX|1|NM|9P300000000000001^脈拍^JC10||65|(hb)^回／１分^ISO+|50-90||||F|||202604010800\n";
        for (control, status) in [
            ("CA", "entered-in-error"),
            ("OC", "entered-in-error"),
            ("SC", "final"),
        ] {
            let head = HEAD.replace("ORC|SC|", &format!("ORC|{control}|"));
            let out = convert("", &format!("{head}{line}"));
            assert_eq!(
                at(&all(&out, "Observation")[0], "/status"),
                status,
                "{control}"
            );
            assert_eq!(reported(&out, "MAP409"), status != "final", "{control}");
        }
    }

    #[test]
    fn pressures_of_one_moment_are_one_observation() {
        let out = convert(
            "",
            &format!(
                "{HEAD}OBX|1|NM|9A761000000000001^拡張期血圧^JC10||58|mm(hg)^mmHg^ISO+|<85||||F|||202604010800
OBX|2|NM|9A751000000000001^収縮期血圧^JC10||192|mm(hg)^mmHg^ ISO+|<130|H|||F|||202604010800
OBX|3|NM|9P300000000000001^脈拍^JC10||65|(hb)^回／１分^ISO+|50-90||||F|||202604010800
OBX|4|NM|9A751000000000001^収縮期血圧^JC10||100|mm(hg)^mmHg^ISO+|||||F|||202604011500"
            ),
        );
        let found = all(&out, "Observation");
        assert_eq!(found.len(), 3);
        let (pair, pulse, alone) = (&found[0], &found[1], &found[2]);
        assert_eq!(
            at(pair, "/meta/profile/0"),
            "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Observation_VitalSigns"
        );
        assert_eq!(at(pair, "/category/0/coding/0/code"), "vital-signs");
        assert_eq!(at(pair, "/code/coding/0/code"), "85354-9");
        assert_eq!(pair["component"][0]["valueQuantity"]["value"], json!(192));
        assert_eq!(at(pair, "/component/0/code/coding/1/code"), "8480-6");
        assert_eq!(at(pair, "/component/0/interpretation/0/coding/0/code"), "H");
        assert_eq!(at(pair, "/component/1/code/coding/1/code"), "8462-4");
        assert_eq!(at(pair, "/component/1/valueQuantity/code"), "mm[Hg]");
        assert_eq!(at(pair, "/effectiveDateTime"), "2026-04-01T08:00:00+09:00");
        assert!(pair.get("valueQuantity").is_none());
        assert_eq!(at(pulse, "/code/coding/1/code"), "8867-4");
        assert_eq!(at(pulse, "/valueQuantity/code"), "/min");
        assert_eq!(
            at(pulse, "/category/1/coding/0/system"),
            systems::FHIR_OBSERVATION_CATEGORY
        );
        assert_eq!(at(alone, "/code/coding/1/code"), "8480-6");
        assert_eq!(alone["valueQuantity"]["value"], json!(100));
    }

    /// What R4's profile of the sign would not take: the message's words stay, LOINC is not added.
    #[test]
    fn a_measure_that_is_no_vital_sign_of_r4_has_no_loinc() {
        let line = |rest: &str| format!("{HEAD}OBX|1|{rest}\n");
        let temperature = "9P100000000000001^体温^JC10";
        for (rest, is_told) in [
            (
                format!("NM|{temperature}||36.5|cel^℃^ISO+|||||F|||202604010800"),
                false,
            ),
            (
                format!("NM|{temperature}|||cel^℃^ISO+|||||F|||202604010800"),
                false,
            ),
            (
                format!("ST|{temperature}||平熱||||||F|||202604010800"),
                true,
            ),
            (
                format!("NM|{temperature}||36.5|mm(hg)^mmHg^ISO+|||||F|||202604010800"),
                true,
            ),
            (
                format!("NM|{temperature}||36.5||||||F|||202604010800"),
                true,
            ),
            (
                format!("NM|{temperature}||36.5|cel^℃^ISO+|||||F|||202604"),
                true,
            ),
        ] {
            let out = convert("", &line(&rest));
            assert_eq!(reported(&out, "MAP439"), is_told, "{rest}");
            let found = all(&out, "Observation");
            let codings = found[0]["code"]["coding"].as_array().unwrap();
            let loinc = codings.iter().any(|c| c["system"] == systems::LOINC);
            assert_eq!(loinc, !is_told, "{rest}");
        }
    }

    #[test]
    fn pressures_of_other_units_are_no_pair() {
        let out = convert(
            "",
            &format!(
                "{HEAD}OBX|1|NM|9A761000000000001^拡張期血圧^JC10||7.8|kPa^kPa^ISO+|||||F|||202604010800
OBX|2|NM|9A751000000000001^収縮期血圧^JC10||15.6|kPa^kPa^ISO+|||||F|||202604010800"
            ),
        );
        assert_eq!(all(&out, "Observation").len(), 2);
    }
}
