//! RXA (with its ORC and RXR) → MedicationAdministration, MedicationDispense, Immunization. Mapping §9.

use warifu_order::Map;

use bumpalo::collections::Vec as List;
use warifu_diag::catalogue::map_general::MAP009;
use warifu_diag::catalogue::map_medication::{
    MAP306, MAP307, MAP308, MAP309, MAP310, MAP311, MAP312, MAP313, MAP315,
};
use warifu_diag::catalogue::map_other::MAP409;
use warifu_fhir::element::{
    CONTAINED, EXTENSION, immunization as im, medication_administration as el,
    medication_dispense as di,
};
use warifu_fhir::{Object, Resource, Src};
use warifu_hl7::{Part, Segment, Val};
use warifu_terms::{maps, systems, units};

use super::{Ingredient, Mixture, People, dosage};
use crate::cx::{Cx, Sourced};
use crate::datatypes::{self, Times};
use crate::table::{Group, Ignored, keep, name_of, run};

/// Canonical of JP_MedicationAdministration.
pub const JP_MEDICATION_ADMINISTRATION: &str =
    "http://jpfhir.jp/fhir/core/StructureDefinition/JP_MedicationAdministration";
/// Canonical of JP_MedicationAdministration_Injection.
pub const JP_MEDICATION_ADMINISTRATION_INJECTION: &str =
    "http://jpfhir.jp/fhir/core/StructureDefinition/JP_MedicationAdministration_Injection";
/// Canonical of JP_MedicationDispense.
pub const JP_MEDICATION_DISPENSE: &str =
    "http://jpfhir.jp/fhir/core/StructureDefinition/JP_MedicationDispense";
/// Canonical of JP_Immunization.
pub const JP_IMMUNIZATION: &str = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Immunization";

const REQUEST_DEPARTMENT: &str = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_MedicationAdministration_RequestDepartment";
const REQUEST_AUTHORED_ON: &str = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_MedicationAdministration_RequestAuthoredOn";
const REQUESTER: &str = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_MedicationAdministration_Requester";
const LOCATION: &str =
    "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_MedicationAdministration_Location";

table! {
    /// OMP-11: ORC, RXA, RXR → JP_MedicationAdministration (JP Core 1.2.0). HL7 v2.5 §4.14.7; SS-MIX2 仕様書 OMP-11.
    RXA_TO_JP_MEDICATION_ADMINISTRATION: "MedicationAdministration" keeps "ORC", "RXA", "RXR" {
        "PID-3" => "MedicationAdministration.subject": part, "患者ID";
        "PV1-2" => "MedicationAdministration.category": part, "患者区分";
        "ORC-1" => "MedicationAdministration.status": part, "オーダ制御";
        "ORC-2" => "MedicationAdministration.identifier:requestIdentifier, request.identifier": part, "依頼者オーダ番号";
        "ORC-3" => "": lost, "実施者オーダ番号";
        "ORC-4" => "MedicationAdministration.identifier:rpNumber": part, "依頼者グループ番号";
        "ORC-5" => "": lost, "オーダ状態";
        "ORC-8" => "": lost, "親";
        "ORC-9" => "MedicationAdministration.extension:requestAuthoredOn": map request_authored_on, "トランザクション日時";
        "ORC-10" => "": lost, "入力者";
        "ORC-12" => "MedicationAdministration.extension:requester": part, "依頼者";
        "ORC-13" => "": same "PV1-3", "入力者所在地";
        "ORC-15" => "": same "ORC-9", "オーダ有効日時";
        "ORC-16" => "": lost, "オーダ制御コード理由";
        "ORC-17" => "MedicationAdministration.extension:requestDepartment": map request_department, "入力組織";
        "ORC-18" => "": lost, "入力装置";
        "ORC-21" => "Organization.name": part, "オーダ施設名";
        "ORC-22" => "Organization.address": part, "オーダ施設住所";
        "ORC-23" => "Organization.telecom": part, "オーダ施設電話番号";
        "ORC-29" => "MedicationAdministration.category": always order_type, "オーダタイプ";
        "RXA-1" => "": ignored Ignored::Structural, "与薬サブID";
        "RXA-2" => "": ignored Ignored::Structural, "投薬サブID";
        "RXA-3" => "MedicationAdministration.effectivePeriod.start, effectiveDateTime": always effective, "投薬開始日時";
        "RXA-4" => "MedicationAdministration.effectivePeriod.end": part, "投薬終了日時";
        "RXA-5" => "MedicationAdministration.medicationCodeableConcept": always drug_code, "投薬コード";
        "RXA-6" => "MedicationAdministration.dosage.dose.value": always given_dosage, "投薬量";
        "RXA-7" => "MedicationAdministration.dosage.dose.code, unit": part, "投薬単位";
        "RXA-8" => "": lost, "投薬剤形";
        "RXA-9" => "MedicationAdministration.note": map notes, "投薬注記";
        "RXA-10" => "MedicationAdministration.performer.actor": map performers, "投薬者";
        "RXA-11" => "MedicationAdministration.extension:location": map location, "投薬場所";
        "RXA-12" => "MedicationAdministration.dosage.rateQuantity, text": part, "時間あたりの投薬";
        "RXA-13" => "MedicationAdministration.note": map strength, "投薬力価";
        "RXA-14" => "MedicationAdministration.note, MedicationAdministration.extension": map strength_unit, "投薬力価単位";
        "RXA-15" => "MedicationAdministration.note": map lot_note, "薬剤ロット番号";
        "RXA-16" => "MedicationAdministration.note": map expiry_note, "薬剤有効期限";
        "RXA-17" => "MedicationAdministration.note": map maker_note, "薬剤製造者名";
        "RXA-18" => "MedicationAdministration.statusReason": map status_reason, "薬剤／治療拒否理由";
        "RXA-19" => "MedicationAdministration.reasonCode": map indication, "指示";
        "RXA-20" => "MedicationAdministration.status": always status, "完了状態";
        "RXA-21" => "MedicationAdministration.status": part, "アクションコード－RXA";
        "RXA-22" => "": same "RXA-4", "システム入力日時";
        "RXA-23" => "": lost, "投薬力価量";
        "RXA-24" => "": lost, "投薬力価量単位";
        "RXA-25" => "": lost, "投薬バーコード識別子";
        "RXA-26" => "": lost, "薬剤オーダタイプ";
        "RXR-1" => "MedicationAdministration.dosage.route": part, "経路";
        "RXR-2" => "MedicationAdministration.dosage.site": part, "部位";
        "RXR-3" => "MedicationAdministration.device": map device, "投薬装置";
        "RXR-4" => "MedicationAdministration.dosage.method": part, "投薬方法";
        "NTE-3" => "MedicationAdministration.note": map comments, "コメント";
    }
}

table! {
    /// OMP-12: ORC, RXA, RXR → JP_MedicationAdministration_Injection (JP Core 1.2.0). HL7 v2.5 §4.14.7; SS-MIX2 仕様書 OMP-12.
    RXA_TO_JP_MEDICATION_ADMINISTRATION_INJECTION: "MedicationAdministration" keeps "ORC", "RXA", "RXR", "CTI" {
        "PID-3" => "MedicationAdministration.subject": part, "患者ID";
        "PV1-2" => "MedicationAdministration.category": part, "患者区分";
        "ORC-1" => "MedicationAdministration.status": part, "オーダ制御";
        "ORC-2" => "MedicationAdministration.identifier:requestIdentifier, request.identifier": part, "依頼者オーダ番号";
        "ORC-3" => "": lost, "実施者オーダ番号";
        "ORC-4" => "MedicationAdministration.identifier:rpNumber": part, "依頼者グループ番号";
        "ORC-5" => "": lost, "オーダ状態";
        "ORC-8" => "": lost, "親";
        "ORC-9" => "MedicationAdministration.extension:requestAuthoredOn": map request_authored_on, "トランザクション日時";
        "ORC-10" => "": lost, "入力者";
        "ORC-12" => "MedicationAdministration.extension:requester": part, "依頼者";
        "ORC-13" => "": same "PV1-3", "入力者所在地";
        "ORC-15" => "": same "ORC-9", "オーダ有効日時";
        "ORC-16" => "": lost, "オーダ制御コード理由";
        "ORC-17" => "MedicationAdministration.extension:requestDepartment": map request_department, "入力組織";
        "ORC-18" => "": lost, "入力装置";
        "ORC-21" => "Organization.name": part, "オーダ施設名";
        "ORC-22" => "Organization.address": part, "オーダ施設住所";
        "ORC-23" => "Organization.telecom": part, "オーダ施設電話番号";
        "ORC-29" => "MedicationAdministration.category": always order_type, "オーダタイプ";
        "RXE-2" => "Immunization": part, "与薬コード (注射区分)";
        "RXA-1" => "": ignored Ignored::Structural, "与薬サブID";
        "RXA-2" => "": ignored Ignored::Structural, "投薬サブID";
        "RXA-3" => "MedicationAdministration.effectivePeriod.start, effectiveDateTime": always effective, "投薬開始日時";
        "RXA-4" => "MedicationAdministration.effectivePeriod.end": part, "投薬終了日時";
        "RXA-5" => "MedicationAdministration.contained.ingredient.itemCodeableConcept": part, "投薬コード";
        "RXA-6" => "MedicationAdministration.dosage.dose.value, contained.ingredient.strength": always given_dosage, "投薬量";
        "RXA-7" => "MedicationAdministration.dosage.dose.code, unit, contained.ingredient.strength": part, "投薬単位";
        "RXA-8" => "MedicationAdministration.contained.form": part, "投薬剤形";
        "RXA-9" => "MedicationAdministration.note": map notes, "投薬注記";
        "RXA-10" => "MedicationAdministration.performer.actor": map performers, "投薬者";
        "RXA-11" => "MedicationAdministration.extension:location": map location, "投薬場所";
        "RXA-12" => "MedicationAdministration.dosage.rateQuantity, text": part, "時間あたりの投薬";
        "RXA-13" => "MedicationAdministration.note": always mixed_strength, "投薬力価";
        "RXA-14" => "MedicationAdministration.note, MedicationAdministration.extension": map strength_unit, "投薬力価単位";
        "RXA-15" => "MedicationAdministration.contained.batch.lotNumber, note": always mixed_lot_note, "薬剤ロット番号";
        "RXA-16" => "MedicationAdministration.contained.batch.expirationDate, note": always mixed_expiry_note, "薬剤有効期限";
        "RXA-17" => "MedicationAdministration.contained.manufacturer, note": always mixed_maker_note, "薬剤製造者名";
        "RXA-18" => "MedicationAdministration.statusReason": map status_reason, "薬剤／治療拒否理由";
        "RXA-19" => "MedicationAdministration.reasonCode": map indication, "指示";
        "RXA-20" => "MedicationAdministration.status": always status, "完了状態";
        "RXA-21" => "MedicationAdministration.status": part, "アクションコード－RXA";
        "RXA-22" => "": same "RXA-4", "システム入力日時";
        "RXA-23" => "": lost, "投薬力価量";
        "RXA-24" => "": lost, "投薬力価量単位";
        "RXA-25" => "": lost, "投薬バーコード識別子";
        "RXA-26" => "": lost, "薬剤オーダタイプ";
        "RXR-1" => "MedicationAdministration.dosage.route": part, "経路";
        "RXR-2" => "MedicationAdministration.dosage.site": part, "部位";
        "RXR-3" => "MedicationAdministration.device": map device, "投薬装置";
        "RXR-4" => "MedicationAdministration.dosage.method": part, "投薬方法";
        "CTI-1" => "": lost, "治験番号";
        "CTI-2" => "": lost, "治験のフェーズ識別子";
        "CTI-3" => "": lost, "治験の時点";
        "NTE-3" => "MedicationAdministration.note": map comments, "コメント";
    }
}

table! {
    /// OMP-11 of an outpatient: ORC, RXA, RXR → JP_MedicationDispense (JP Core 1.2.0). HL7 v2.5 §4.14.7; mapping §9 (own).
    RXA_TO_JP_MEDICATION_DISPENSE: "MedicationDispense" keeps "ORC", "RXA", "RXR" {
        "PID-3" => "MedicationDispense.subject": part, "患者ID";
        "PV1-2" => "MedicationDispense.category": part, "患者区分";
        "ORC-1" => "MedicationDispense.status": part, "オーダ制御";
        "ORC-2" => "MedicationDispense.identifier:requestIdentifier, authorizingPrescription.identifier": part, "依頼者オーダ番号";
        "ORC-3" => "": lost, "実施者オーダ番号";
        "ORC-4" => "MedicationDispense.identifier:rpNumber": part, "依頼者グループ番号";
        "ORC-5" => "": lost, "オーダ状態";
        "ORC-8" => "": lost, "親";
        "ORC-9" => "MedicationDispense.extension": map dispense_ordered, "トランザクション日時";
        "ORC-10" => "": lost, "入力者";
        "ORC-12" => "": lost, "依頼者";
        "ORC-13" => "": same "PV1-3", "入力者所在地";
        "ORC-15" => "": same "ORC-9", "オーダ有効日時";
        "ORC-16" => "": lost, "オーダ制御コード理由";
        "ORC-17" => "": lost, "入力組織";
        "ORC-18" => "": lost, "入力装置";
        "ORC-21" => "Organization.name": part, "オーダ施設名";
        "ORC-22" => "Organization.address": part, "オーダ施設住所";
        "ORC-23" => "Organization.telecom": part, "オーダ施設電話番号";
        "ORC-29" => "MedicationDispense.category": always dispense_type, "オーダタイプ";
        "RXA-1" => "": ignored Ignored::Structural, "与薬サブID";
        "RXA-2" => "": ignored Ignored::Structural, "投薬サブID";
        "RXA-3" => "": same "RXA-4", "投薬開始日時";
        "RXA-4" => "MedicationDispense.whenHandedOver": always handed_over, "投薬終了日時";
        "RXA-5" => "MedicationDispense.medicationCodeableConcept": always dispensed_drug, "投薬コード";
        "RXA-6" => "MedicationDispense.quantity.value": map dispensed_quantity, "投薬量";
        "RXA-7" => "MedicationDispense.quantity.code, unit": part, "投薬単位";
        "RXA-8" => "": lost, "投薬剤形";
        "RXA-9" => "MedicationDispense.note": map dispense_notes, "投薬注記";
        "RXA-10" => "MedicationDispense.performer.actor": map dispenser, "投薬者";
        "RXA-11" => "MedicationDispense.location": map dispense_place, "投薬場所";
        "RXA-12" => "": lost, "時間あたりの投薬";
        "RXA-13" => "": lost, "投薬力価";
        "RXA-14" => "": lost, "投薬力価単位";
        "RXA-15" => "MedicationDispense.note": map dispense_lot, "薬剤ロット番号";
        "RXA-16" => "MedicationDispense.note": map dispense_expiry, "薬剤有効期限";
        "RXA-17" => "MedicationDispense.note": map dispense_maker, "薬剤製造者名";
        "RXA-18" => "MedicationDispense.statusReasonCodeableConcept": map dispense_reason, "薬剤／治療拒否理由";
        "RXA-19" => "": lost, "指示";
        "RXA-20" => "MedicationDispense.status": always dispense_status, "完了状態";
        "RXA-21" => "MedicationDispense.status": part, "アクションコード－RXA";
        "RXA-22" => "": same "RXA-4", "システム入力日時";
        "RXA-23" => "": lost, "投薬力価量";
        "RXA-24" => "": lost, "投薬力価量単位";
        "RXA-25" => "": lost, "投薬バーコード識別子";
        "RXA-26" => "": lost, "薬剤オーダタイプ";
        "RXR-1" => "MedicationDispense.dosageInstruction.route": map dispense_route, "経路";
        "RXR-2" => "MedicationDispense.dosageInstruction.site": part, "部位";
        "RXR-3" => "": lost, "投薬装置";
        "RXR-4" => "MedicationDispense.dosageInstruction.method": part, "投薬方法";
        "NTE-3" => "MedicationDispense.note": map dispense_comments, "コメント";
    }
}

table! {
    /// Vaccinations of OMP-12: RXA, RXR → JP_Immunization (JP Core 1.2.0). Mapping §9 (own).
    RXA_TO_JP_IMMUNIZATION: "Immunization" {
        "PID-3" => "Immunization.patient": part, "患者ID";
        "ORC-1" => "Immunization.status": part, "オーダ制御";
        "ORC-2" => "Immunization.identifier": part, "依頼者オーダ番号";
        "RXA-3" => "Immunization.occurrenceDateTime": part, "投薬開始日時";
        "RXA-5" => "Immunization.vaccineCode": always vaccine, "投薬コード";
        "RXA-6" => "Immunization.doseQuantity.value": map vaccine_dose, "投薬量";
        "RXA-7" => "Immunization.doseQuantity.code, unit": part, "投薬単位";
        "RXA-9" => "Immunization.note": map vaccine_notes, "投薬注記";
        "RXA-10" => "Immunization.performer.actor": map vaccinator, "投薬者";
        "RXA-15" => "Immunization.lotNumber": map vaccine_lot, "薬剤ロット番号";
        "RXA-16" => "Immunization.expirationDate": map vaccine_expiry, "薬剤有効期限";
        "RXA-17" => "Immunization.manufacturer": map vaccine_maker, "薬剤製造者名";
        "RXA-18" => "Immunization.statusReason": map vaccine_reason, "薬剤／治療拒否理由";
        "RXA-20" => "Immunization.status": always vaccine_status, "完了状態";
        "RXA-21" => "Immunization.status": part, "アクションコード－RXA";
        "RXR-1" => "Immunization.route": map vaccine_route, "経路";
        "RXR-2" => "Immunization.site": map vaccine_site, "部位";
    }
}

/// Administrations that share an RXR, with their order.
struct Batch<'a> {
    rxas: List<'a, Segment<'a>>,
    rxr: Option<Segment<'a>>,
}

/// RXA segments of an order up to each RXR; comments stay with the order. An RXA without drug says
/// nothing that could be given, and is reported.
fn batches<'a>(cx: &mut Cx<'a, '_>, group: &Group<'a>) -> List<'a, Batch<'a>> {
    let arena = cx.message().arena();
    let mut all = List::new_in(arena);
    let mut rxas = List::new_in(arena);
    for s in group.segments() {
        match &s.name() {
            b"RXA" if s.field(5).is_some() => rxas.push(*s),
            b"RXA" => {
                cx.report_with(&MAP306, s, "RXA-5");
                cx.used_all(*s);
            }
            b"RXR" if !rxas.is_empty() => {
                all.push(Batch {
                    rxas: std::mem::replace(&mut rxas, List::new_in(arena)),
                    rxr: Some(*s),
                });
            }
            _ => {}
        }
    }
    if !rxas.is_empty() {
        all.push(Batch { rxas, rxr: None });
    }
    all
}

/// What an order says beside its administrations: with the first of them, and with each later one. Trials
/// and comments of more than a page are said once.
fn beside<'a>(order: &Group<'a>) -> [Vec<Segment<'a>>; 2] {
    let first = order.segments().iter().copied();
    let first: Vec<_> = first
        .filter(|s| matches!(&s.name(), b"NTE" | b"CTI"))
        .collect();
    let mut again = first.clone();
    again.retain(|s| s.name() == *b"NTE");
    let lengths = again.iter().map(|s| s.span().1 - s.span().0);
    if lengths.sum::<u32>() > super::PAGE {
        again.clear();
    }
    [first, again]
}

/// The group of rows of one administration: order, its RXA, RXR and what the order says beside.
fn group_of<'a>(
    order: &Group<'a>,
    rxas: &[Segment<'a>],
    rxr: Option<Segment<'a>>,
    beside: &[Segment<'a>],
) -> Group<'a> {
    let mut g = Group::new();
    let order = order.first(*b"ORC").into_iter();
    let all = order.chain(rxas.iter().copied()).chain(rxr);
    for s in all.chain(beside.iter().copied()) {
        g.push(s);
    }
    g
}

/// Keeps the observations behind some RXA of an order up to the next, item and value; those before all with
/// the first.
#[inline(never)]
fn keep_observations<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    group: &Group<'a>,
    rxas: &[Segment<'a>],
    first: bool,
) {
    let before = first.then_some(0).into_iter();
    for at in before.chain(rxas.iter().map(Segment::position)) {
        let from = group.segments().partition_point(|s| s.position() <= at);
        for s in group.segments().iter().skip(from) {
            match &s.name() {
                b"RXA" if s.field(5).is_some() => break,
                b"OBX" => {
                    for (n, field) in s.fields().filter(|(n, f)| *n > 1 && f.is_some()) {
                        keep(r, cx, name_of(*s, n), field);
                    }
                }
                _ => {}
            }
        }
    }
}

/// Names what an administration does not take over: the copy of the order.
fn report_rest<'a>(cx: &mut Cx<'a, '_>, group: &Group<'a>) -> bool {
    if let Some(copy) = [*b"RXO", *b"RXE", *b"TQ1", *b"RXC"]
        .into_iter()
        .find_map(|name| group.first(name))
    {
        cx.report(&MAP315, &copy.field(1));
    }
    if let Some(control) = group.field(*b"ORC", 1) {
        let control = control.value().trimmed();
        cx.used(&control);
        cx.listed(control, crate::table::ORDER_CONTROL);
    }
    if group.first(*b"RXA").is_some() {
        return true;
    }
    if let Some(orc) = group.first(*b"ORC") {
        cx.report_with(&MAP306, &orc.field(1), "RXA");
    }
    false
}

/// OMP-11. Orders of outpatients (RXE-21, ORC-29, PV1-2) say that drugs were handed over.
pub(super) fn given(cx: &mut Cx<'_, '_>) {
    let mut order_in_rp: Map<(&str, &str, &[u8]), u32> = Map::new();
    let mut drugs_of_rp: Map<(&str, &str), u32> = Map::new();
    let mut times: Map<[&[u8]; 4], u32> = Map::new();
    let mut people = People::default();
    super::orders(cx, |cx, group| {
        if !report_rest(cx, group) {
            return;
        }
        let order = super::order_number(cx, group);
        let rp = super::rp_number(group, order.text);
        let class = group
            .field(*b"RXE", 21)
            .into_iter()
            .flat_map(|f| f.reps())
            .find_map(|rep| match rep.comp(1).value().text.trim() {
                "IHP" => Some("I"),
                "OHP" | "OHI" | "OHO" => Some("O"),
                _ => None,
            });
        let outpatient = class.unwrap_or(super::order_type(cx, group).text) == "O";
        let mut first = true;
        let [once, again] = beside(group);
        for batch in batches(cx, group) {
            for rxa in &batch.rxas {
                let drug = rxa.field(5).raw();
                let place = *order_in_rp
                    .entry((order.text, rp.text, drug))
                    .or_insert_with(|| {
                        let n = drugs_of_rp.entry((order.text, rp.text)).or_insert(0);
                        *n += 1;
                        *n
                    });
                let start = rxa.field(3).raw();
                let nth = times
                    .entry([order.text.as_bytes(), rp.text.as_bytes(), drug, start])
                    .or_insert(0);
                *nth += 1;
                let arena = cx.message().arena();
                let number = bumpalo::format!(in arena, "{}", place).into_bump_str();
                let nth = bumpalo::format!(in arena, "{}", nth).into_bump_str();
                let when = rxa.field(3).value().text;
                let kind = if outpatient {
                    "MedicationDispense"
                } else {
                    "MedicationAdministration"
                };
                let id = cx.order_id(
                    kind,
                    &["OMP-11", order.text, rp.text, number, when, nth],
                    rxa.position(),
                    "",
                );
                let mut r = cx.open(kind, id);
                let g = group_of(
                    group,
                    std::slice::from_ref(rxa),
                    batch.rxr,
                    if first { &once } else { &again },
                );
                let table = if outpatient {
                    &RXA_TO_JP_MEDICATION_DISPENSE
                } else {
                    &RXA_TO_JP_MEDICATION_ADMINISTRATION
                };
                let before = r.row(table.rows.first().map(|row| &row.row));
                let identifier = if outpatient {
                    di::IDENTIFIER
                } else {
                    el::IDENTIFIER
                };
                let mut complete =
                    super::rp_identifier(&mut r, cx, identifier, rp) && rxa.field(5).is_some();
                if !rp.is_empty() {
                    r.object(identifier, |o| {
                        datatypes::identifier(o, systems::ID_ORDER_IN_RP, rp.map(number));
                    });
                }
                request_identifier(&mut r, identifier, order);
                cx.subject(&mut r, if outpatient { di::SUBJECT } else { el::SUBJECT });
                let _ = people.facility(cx, group);
                let request = if outpatient {
                    di::AUTHORIZING_PRESCRIPTION
                } else {
                    el::REQUEST
                };
                let code = rxa.field(5).comp(1).value().trimmed();
                if order.is_empty() || rp.is_empty() || code.is_empty() {
                    request_reference(&mut r, request, order);
                } else {
                    r.object(request, |o| {
                        o.constant("type", "MedicationRequest");
                        o.object("identifier", |o| {
                            super::drug_of_order(o, cx, order, rp, code);
                        });
                    });
                }
                if !outpatient {
                    requester(&mut r, cx, &mut people, group);
                }
                r.row(before);
                run(table, &mut r, cx, &g);
                let rxas = std::slice::from_ref(rxa);
                keep_observations(&mut r, cx, group, rxas, first);
                first = false;
                let moment = rxa.field(if outpatient { 4 } else { 3 }).value();
                if let Some(stay) = cx.encounter_at(moment.text) {
                    cx.reference(
                        &mut r,
                        if outpatient { di::CONTEXT } else { el::CONTEXT },
                        "Encounter",
                        stay,
                        moment.src(),
                    );
                }
                if outpatient {
                    let coded = r
                        .items(di::QUANTITY)
                        .any(|q| q.windows(7).any(|w| w == b"\"code\":"));
                    complete &= coded && r.has(di::WHEN_HANDED_OVER);
                    super::claim(
                        &mut r,
                        cx,
                        JP_MEDICATION_DISPENSE,
                        "JP_MedicationDispense",
                        complete,
                    );
                } else {
                    super::claim(
                        &mut r,
                        cx,
                        JP_MEDICATION_ADMINISTRATION,
                        "JP_MedicationAdministration",
                        complete,
                    );
                }
                cx.emit(r);
            }
        }
    });
}

/// OMP-12. RXA of the same order, group, time and completion are one administration of a mixture.
pub(super) fn injected(cx: &mut Cx<'_, '_>) {
    let mut times: Map<(&str, &str, &[u8]), u32> = Map::new();
    let mut people = People::default();
    super::orders(cx, |cx, group| {
        if !report_rest(cx, group) {
            return;
        }
        let arena = cx.message().arena();
        let order = super::order_number(cx, group);
        let rp = super::rp_number(group, order.text);
        let whole = group
            .field(*b"ORC", 4)
            .map(|f| f.value().trimmed())
            .unwrap_or_default();
        let kind = group.field(*b"RXE", 2);
        let vaccination = kind.is_some_and(|k| {
            super::request::is_injection_kind(k) && k.comp(1).value().text.trim() == "06"
        });
        if let Some(kind) = kind {
            cx.used(&kind);
        }
        let mut first = true;
        let [once, again] = beside(group);
        for batch in batches(cx, group) {
            let mut mixtures: Map<[&[u8]; 4], usize> = Map::new();
            let mut sets: List<'_, List<'_, Segment<'_>>> = List::new_in(arena);
            for rxa in &batch.rxas {
                let key = [3, 4, 20, 21].map(|n| rxa.field(n).raw());
                let at = *mixtures.entry(key).or_insert(sets.len());
                match sets.get_mut(at) {
                    Some(set) => set.push(*rxa),
                    None => sets.push(bumpalo::vec![in arena; *rxa]),
                }
            }
            for set in &sets {
                let Some(rxa) = set.first() else { continue };
                let nth = times
                    .entry((order.text, whole.text, rxa.field(3).raw()))
                    .or_insert(0);
                *nth += 1;
                let nth = bumpalo::format!(in arena, "{}", nth).into_bump_str();
                let when = rxa.field(3).value().text;
                let id = cx.order_id(
                    "MedicationAdministration",
                    &["OMP-12", order.text, whole.text, when, nth],
                    rxa.position(),
                    "",
                );
                let mut r = cx.open("MedicationAdministration", id);
                let g = group_of(group, set, batch.rxr, if first { &once } else { &again });
                let table = &RXA_TO_JP_MEDICATION_ADMINISTRATION_INJECTION;
                let before = r.row(table.rows.first().map(|row| &row.row));
                let mut complete = super::rp_identifier(&mut r, cx, el::IDENTIFIER, rp);
                request_identifier(&mut r, el::IDENTIFIER, order);
                cx.subject(&mut r, el::SUBJECT);
                let _ = people.facility(cx, group);
                let request = cx.id(
                    "MedicationRequest",
                    &["OMP-02", order.text, whole.text, "1"],
                    0,
                    "",
                );
                if cx.emitted("MedicationRequest", request) {
                    cx.reference(
                        &mut r,
                        el::REQUEST,
                        "MedicationRequest",
                        request,
                        order.src(),
                    );
                } else {
                    request_reference(&mut r, el::REQUEST, order);
                }
                requester(&mut r, cx, &mut people, group);
                complete &= contained(&mut r, cx, set);
                r.row(before);
                run(table, &mut r, cx, &g);
                keep_observations(&mut r, cx, group, set, first);
                first = false;
                further(&mut r, cx, &g, set);
                let moment = rxa.field(3).value();
                if let Some(stay) = cx.encounter_at(moment.text) {
                    cx.reference(&mut r, el::CONTEXT, "Encounter", stay, moment.src());
                }
                super::claim(
                    &mut r,
                    cx,
                    JP_MEDICATION_ADMINISTRATION_INJECTION,
                    "JP_MedicationAdministration_Injection",
                    complete,
                );
                cx.emit(r);
                for (rxa, n) in set.iter().zip(1u32..) {
                    if vaccination || is_vaccine(rxa.field(5)) {
                        immunization(cx, group, *rxa, batch.rxr, [order, whole], n);
                    }
                }
            }
        }
    });
}

/// What the further drugs of a mixture say otherwise than the first; the same is said once.
fn further<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, set: &[Segment<'a>]) {
    let Some((first, rest)) = set.split_first() else {
        return;
    };
    let before = r.row(
        RXA_TO_JP_MEDICATION_ADMINISTRATION_INJECTION
            .rows
            .first()
            .map(|row| &row.row),
    );
    for (rxa, n) in rest.iter().zip(2u32..) {
        for field in [3, 4, 10, 11, 12, 18, 19, 20, 21] {
            let f = rxa.field(field);
            if !f.is_some() {
                continue;
            }
            if f.raw() == first.field(field).raw() {
                cx.used(&f);
                continue;
            }
            match field {
                10 => performers(r, cx, group, f),
                18 => status_reason(r, cx, group, f),
                19 => indication(r, cx, group, f),
                11 | 12 => {
                    let (label, name) = if field == 11 {
                        ("場所", "RXA-11")
                    } else {
                        ("投与速度", "RXA-12")
                    };
                    let v = f.text().trimmed();
                    let text = if field == 11 {
                        place_name(cx, f)
                    } else {
                        v.text
                    };
                    super::note(
                        r,
                        el::NOTE,
                        &[label, " (薬剤", &n.to_string(), "): ", text],
                        cx,
                        &v,
                    );
                    cx.report_with(&MAP311, &v, name);
                }
                _ => {}
            }
        }
    }
    r.row(before);
}

/// A vaccine by its YJ code: 薬効分類 631 ワクチン類, 632 毒素及びトキソイド類, 636 混合生物学的製剤 (own).
/// RAS messages seldom carry the kind of injection.
fn is_vaccine(code: Part<'_>) -> bool {
    datatypes::both_triplets(code).iter().any(|t| {
        t.code.text.len() == 12
            && matches!(t.code.text.get(..3), Some("631" | "632" | "636"))
            && matches!(systems::trim_name(t.system.text), "YJ" | "MYAK")
    })
}

/// The order's number in the slice `requestIdentifier` of JP Core, whose system is not the one of
/// `MedicationRequest.identifier`: [`request_reference`] names the order under that one.
fn request_identifier(r: &mut Resource, element: warifu_fhir::Element, order: Val<'_>) {
    if !order.is_empty() {
        r.object(element, |o| {
            datatypes::identifier(o, systems::ID_PRESCRIPTION, order);
        });
    }
}

/// The order by its number, the `groupIdentifier` of its requests: which of its drugs was given is known by
/// Rp and drug only.
fn request_reference(r: &mut Resource, element: warifu_fhir::Element, order: Val<'_>) {
    if !order.is_empty() {
        r.object(element, |o| {
            o.constant("type", "MedicationRequest");
            o.object("identifier", |o| {
                datatypes::identifier(o, systems::ID_RESOURCE_INSTANCE, order);
            });
        });
    }
}

fn extension(r: &mut Resource, url: &'static str, f: impl FnOnce(&mut Object<'_>)) {
    r.object(EXTENSION, |o| {
        o.constant("url", url);
        f(o);
    });
}

fn requester<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    people: &mut People<'a>,
    group: &Group<'a>,
) {
    if let Some(p) = people.requester(cx, group) {
        extension(r, REQUESTER, |o| {
            o.object("valueReference", |o| datatypes::person_reference(o, &p));
        });
    }
}

/// ORC-9.
fn request_authored_on<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.value();
    if let Some(text) = datatypes::date_time(cx, v, "ORC-9") {
        extension(r, REQUEST_AUTHORED_ON, |o| {
            o.string("valueDateTime", text, v.src());
        });
    }
}

/// ORC-17.
fn request_department<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    extension(r, REQUEST_DEPARTMENT, |o| {
        o.object("valueCodeableConcept", |o| {
            datatypes::codeable_concept(o, cx, f);
        });
    });
}

/// ORC-29, else PV1-2.
fn order_type<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, _: Part<'a>) {
    r.object(el::CATEGORY, |o| super::order_category(o, cx, group));
}

/// RXA-3 and 4: a period, or one moment when they are equal or only one is there; without both
/// RXA-22, ORC-9 or MSH-7 (reported), since R4 demands one.
fn effective<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    let (start, end) = (
        f.value().trimmed(),
        group
            .field(*b"RXA", 4)
            .map(|f| f.value().trimmed())
            .unwrap_or_default(),
    );
    let times = Times::read(cx, start, end, ["RXA-3", "RXA-4"]);
    if !times.write_as(r, cx, [el::EFFECTIVE_DATE_TIME, el::EFFECTIVE_PERIOD])
        && let Some((text, src)) = fallback_time(cx, group)
    {
        r.string(el::EFFECTIVE_DATE_TIME, text, src);
    }
}

fn fallback_time<'a>(cx: &mut Cx<'a, '_>, group: &Group<'a>) -> Option<(&'a str, Src)> {
    let message = Some(cx.message().value(b"MSH", 7));
    for (name, v) in [
        ("RXA-22", group.field(*b"RXA", 22).map(|f| f.value())),
        ("ORC-9", group.field(*b"ORC", 9).map(|f| f.value())),
        ("MSH-7", message),
    ] {
        let Some(v) = v else { continue };
        if let Some(text) = datatypes::date_time(cx, v, name) {
            cx.report_message(&MAP313, name);
            return Some((text, v.src()));
        }
    }
    cx.report_message(&MAP009, "RXA-3");
    None
}

/// RXA-5 of OMP-11.
fn drug_code<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    named_drug(r, cx, el::MEDICATION_CODEABLE_CONCEPT, f);
}

fn named_drug<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    element: warifu_fhir::Element,
    f: Part<'a>,
) {
    r.object(element, |o| super::drug(o, cx, f, None));
}

/// RXA-5/6/7 of every drug of the mixture → contained JP_Medication; lot, expiry and maker where there
/// is one drug only.
fn contained<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, set: &[Segment<'a>]) -> bool {
    let mut drugs = List::new_in(cx.message().arena());
    for (s, number) in set.iter().zip(1u32..) {
        if s.field(5).is_some() {
            drugs.push(Ingredient {
                segment: Some(*s),
                code: s.field(5),
                amount: s.field(6),
                unit: s.field(7),
                number,
            });
        }
    }
    let mut about = Mixture {
        form: set.first().map(|s| s.field(8)),
        others: &[8, 22],
        ..Mixture::default()
    };
    if let [only] = set {
        about.lot = only.field(15).value().trimmed().some();
        about.expiry = only.field(16).value().trimmed().some();
        let maker = only.field(17);
        cx.used(&maker);
        about.manufacturer = maker
            .comp(2)
            .value()
            .trimmed()
            .some()
            .or_else(|| maker.comp(1).value().trimmed().some());
    }
    let table = &RXA_TO_JP_MEDICATION_ADMINISTRATION_INJECTION;
    super::mixture(r, cx, table, el::MEDICATION_REFERENCE, &drugs, &about) && !drugs.is_empty()
}

/// RXA-6/7 and 12, RXR. R4 demands a dose or a rate: for a mixture of several drugs the dose is one
/// time (1 TIME) of it, as the strengths of its ingredients are per time.
fn given_dosage<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    let none = cx.message().empty_part();
    let rxa = |n: usize| group.field(*b"RXA", n).unwrap_or(none);
    let rxr = |n: usize| group.field(*b"RXR", n).unwrap_or(none);
    let several = group.all(*b"RXA").nth(1).is_some();
    let value = f.value().trimmed();
    let literal = if several {
        None
    } else {
        dosage::said_amount(cx, value, "RXA-6")
    };
    let unit = dosage::drug_unit_of(cx, if several { none } else { rxa(7) });
    let dose = literal.filter(|_| !unit.code.is_empty());
    if dose.is_none() && !several && !value.is_empty() {
        cx.report_with(&MAP307, &f, "RXA-7");
    }
    if value.is_empty() && !several {
        // A unit alone says no dose.
        cx.unread(rxa(7).text().trimmed(), "RXA-7");
    }
    let speed = rxa(12).text().trimmed();
    let rate = dosage::split_rate(speed.text).filter(|(_, unit)| !unit.is_empty());
    if rate.is_none() && !speed.is_empty() {
        cx.report(&MAP310, &speed);
    }
    // A rate without a dose is enough for R4; neither leaves no place for the route but the note.
    let text = bumpalo::format!(in cx.message().arena(), "{}{}{}", if dose.is_some() || several { "" } else { value.text }, if dose.is_some() || several { "" } else { unit.text.text }, if rate.is_some() { "" } else { speed.text }).into_bump_str();
    if dose.is_none() && rate.is_none() && !several {
        let route = rxr(1);
        let route_text = [
            route.comp(2).value().trimmed(),
            route.comp(1).value().trimmed(),
        ]
        .into_iter()
        .find(|v| !v.is_empty())
        .unwrap_or_default();
        if !route_text.is_empty() {
            cx.report_with(&MAP311, &route, "RXR-1");
            super::note(r, el::NOTE, &["経路: ", route_text.text], cx, &route_text);
        }
        super::note(r, el::NOTE, &[text], cx, &value);
        // The note says the text of the route alone.
        let coded = |n| n != 1 || route.has_parts();
        for n in [1, 2, 4]
            .into_iter()
            .filter(|n| rxr(*n).is_some() && coded(*n))
        {
            keep(r, cx, warifu_diag::field_name("RXR", n), rxr(n));
        }
        return;
    }
    r.object(el::DOSAGE, |o| {
        if !text.is_empty() {
            o.string("text", text, if rate.is_some() { value.src() } else { speed.src() });
        }
        if rxr(2).is_some() {
            o.object("site", |o| datatypes::codeable_concept(o, cx, rxr(2)));
        }
        if rxr(1).is_some() {
            o.object("route", |o| datatypes::codeable_concept(o, cx, rxr(1)));
        }
        o.object("method", |o| dosage::method(o, cx, rxr(4), None));
        if let Some(n) = &dose {
            o.object("dose", |o| dosage::quantity(o, n, value.src(), &unit));
        } else if several {
            o.raw(r#""dose":{"value":1,"unit":"回","system":"http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationUnitMERIT9Code","code":"TIME"}"#);
        }
        if let Some((n, unit)) = rate {
            o.object("rateQuantity", |o| {
                if let Some(n) = warifu_fhir::number::decimal(n) {
                    o.number("value", &n, speed.src());
                }
                o.string("unit", unit, speed.src());
                if let Some(code) = units::text_to_ucum(unit) {
                    o.constant("system", systems::UCUM);
                    o.string("code", code, speed.src());
                }
            });
        }
    });
}

/// RXA-9 of every drug, the same text once; what stands only as a code is kept as it is.
fn notes<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, _: Part<'a>) {
    annotate(r, cx, el::NOTE, group);
}

fn annotate<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    element: warifu_fhir::Element,
    group: &Group<'a>,
) {
    let mut seen: Option<&[u8]> = None;
    let first = group.field(*b"RXA", 9);
    // One that is not said of all is that drug's.
    let differ = group
        .all(*b"RXA")
        .any(|rxa| first.is_some_and(|first| first.raw() != rxa.field(9).raw()));
    for (rxa, n) in group.all(*b"RXA").zip(1u32..) {
        let field = rxa.field(9);
        cx.used(&field);
        if !field.is_some() || seen == Some(field.raw()) && !differ {
            continue;
        }
        seen = Some(field.raw());
        for rep in field.reps() {
            let said = datatypes::said_of(rep);
            let said = said.some().unwrap_or_else(|| rep.comp(9).text());
            if differ && !said.is_empty() {
                let number = n.to_string();
                super::note(
                    r,
                    element,
                    &["備考 (薬剤", &number, "): ", said.text],
                    cx,
                    &said,
                );
            } else {
                r.object(element, |o| o.string("text", said.text, said.src()));
            }
        }
    }
}

/// NTE-3.
fn comments<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, group: &Group<'a>, _: Part<'a>) {
    datatypes::comments(r, el::NOTE, group);
}

/// RXA-10: repetitions with another number are further people.
fn performers<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    performer(
        r,
        cx,
        el::PERFORMER,
        f,
        Some(
            r#""function":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/med-admin-perform-function","code":"performer","display":"Performer"}]}"#,
        ),
    );
}

fn performer<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    element: warifu_fhir::Element,
    f: Part<'a>,
    function: Option<&'static str>,
) {
    for p in datatypes::practitioners(cx, f) {
        r.object(element, |o| {
            if let Some(function) = function {
                o.raw(function);
            }
            o.object("actor", |o| datatypes::person_reference(o, &p));
        });
    }
}

/// Ward, room and bed of an LA2, joined by `-`.
fn place_name<'a>(cx: &Cx<'a, '_>, f: Part<'a>) -> &'a str {
    let mut name = bumpalo::collections::String::new_in(cx.message().arena());
    for part in f.comps().take(3) {
        let v = part.value().trimmed();
        if !v.is_empty() {
            if !name.is_empty() {
                name.push('-');
            }
            name.push_str(v.text);
        }
    }
    name.into_bump_str()
}

/// RXA-11: contained Location named `ward-room-bed`; returns its name.
fn contained_location<'a>(r: &mut Resource, cx: &Cx<'a, '_>, f: Part<'a>) -> Option<&'a str> {
    let name = place_name(cx, f);
    if name.is_empty() {
        return None;
    }
    let kind = f.comp(6).value().trimmed();
    let (code, display) = match (f.comp(3).is_some(), f.comp(2).is_some()) {
        (true, _) => ("bd", "Bed"),
        (false, true) => ("ro", "Room"),
        _ => ("wa", "Ward"),
    };
    r.object(CONTAINED, |o| {
        o.constant("resourceType", "Location");
        o.constant("id", "location");
        o.string("name", name, f.src());
        if kind.text == "N" {
            o.object("physicalType", |o| {
                datatypes::coded_concept(
                    o,
                    systems::LOCATION_PHYSICAL_TYPE,
                    code,
                    display,
                    kind.src(),
                );
            });
        }
    });
    Some(name)
}

fn location<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    if let Some(name) = contained_location(r, cx, f) {
        extension(r, LOCATION, |o| {
            o.object("valueReference", |o| {
                o.constant("reference", "#location");
                o.string("display", name, f.src());
            });
        });
    }
}

/// RXA-13 with its unit (RXA-14).
fn strength<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    super::note_amount(
        r,
        cx,
        el::NOTE,
        ("力価", "RXA-13"),
        f,
        group.field(*b"RXA", 14),
    );
}

/// RXA-14 alone says no strength.
fn strength_unit<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    let several = group.all(*b"RXA").nth(1).is_some();
    if !several && !group.field(*b"RXA", 13).is_some_and(|of| of.is_some()) {
        keep(r, cx, "RXA-14", f);
    }
}

fn lot_note<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    super::note_amount(r, cx, el::NOTE, ("ロット番号", "RXA-15"), f, None);
}

fn expiry_note<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    super::note_amount(r, cx, el::NOTE, ("有効期限", "RXA-16"), f, None);
}

fn maker_note<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    super::note_amount(r, cx, el::NOTE, ("製造者", "RXA-17"), said_name(f), None);
}

/// Text of a maker (RXA-17) or a unit, its code where there is none.
fn said_name(f: Part<'_>) -> Part<'_> {
    if f.comp(2).is_some() {
        f.comp(2)
    } else {
        f.comp(1)
    }
}

/// Of several drugs each lot is a note that names its drug by number; one drug has it in the batch.
fn each_of_several<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    group: &Group<'a>,
    field: usize,
    label: &'static str,
    name: &'static str,
) {
    if group.all(*b"RXA").nth(1).is_none() {
        return;
    }
    for (rxa, n) in group.all(*b"RXA").zip(1u32..) {
        let f = rxa.field(field);
        let (f, unit) = match field {
            // A unit may stand alone.
            13 if f.is_some() => (f, Some(rxa.field(14))),
            13 => (said_name(rxa.field(14)), None),
            17 => (said_name(f), None),
            _ => (f, None),
        };
        let label = [label, " (薬剤", &n.to_string(), ")"].concat();
        super::note_amount(r, cx, el::NOTE, (&label, name), f, unit);
    }
}

fn mixed_strength<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    each_of_several(r, cx, group, 13, "力価", "RXA-13");
    if group.all(*b"RXA").nth(1).is_none() {
        strength(r, cx, group, f);
    }
}

fn mixed_lot_note<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, _: Part<'a>) {
    each_of_several(r, cx, group, 15, "ロット番号", "RXA-15");
}

fn mixed_expiry_note<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, _: Part<'a>) {
    each_of_several(r, cx, group, 16, "有効期限", "RXA-16");
}

fn mixed_maker_note<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, _: Part<'a>) {
    each_of_several(r, cx, group, 17, "製造者", "RXA-17");
}

/// RXA-18.
fn status_reason<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    for rep in f.reps() {
        r.object(el::STATUS_REASON, |o| {
            datatypes::codeable_concept(o, cx, rep);
        });
    }
}

/// RXA-19.
fn indication<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    for rep in f.reps() {
        r.object(el::REASON_CODE, |o| datatypes::codeable_concept(o, cx, rep));
    }
}

/// State of an administration and its source: RXA-21 decides, then ORC-1, then RXA-20. A withdrawn
/// order leaves nothing done; what was not done before stays so.
fn state_of<'a>(group: &Group<'a>, done: Val<'a>) -> (&'static str, Src) {
    let value = |segment, n| {
        let field: Option<Part<'a>> = group.field(segment, n);
        field.map(|f| f.value().trimmed()).unwrap_or_default()
    };
    let (control, action) = (value(*b"ORC", 1), value(*b"RXA", 21));
    if let Some(Some(status)) = maps::ADMINISTRATION_ACTION.find(action.text) {
        return (status, action.src());
    }
    let own = maps::COMPLETION.translate(done.text).to.status;
    match maps::withdrawal(control.text).filter(|_| own != "not-done") {
        Some("stopped") => ("stopped", control.src()),
        Some(_) => ("entered-in-error", control.src()),
        None if done.is_empty() => (own, Src::NONE),
        None => (own, done.src()),
    }
}

/// What RXA-20 (table 0322), RXA-21 (table 0323) and ORC-1 say: status, its source, partly given.
fn completion<'a>(
    cx: &mut Cx<'a, '_>,
    group: &Group<'a>,
    f: Part<'a>,
) -> (&'static str, Src, bool) {
    let v = f.value().trimmed();
    let action = group
        .field(*b"RXA", 21)
        .map(|f| f.value().trimmed())
        .unwrap_or_default();
    if !action.is_empty() {
        cx.used(&action);
        if !matches!(action.text, "A" | "D" | "U") {
            cx.unlisted(action, "0323");
        }
    }
    let found = maps::COMPLETION.translate(v.text);
    if !found.known {
        cx.unlisted(v, "0322");
    }
    let (status, src) = state_of(group, v);
    if action.text == "D" {
        cx.report(&MAP309, &action);
    } else if status != found.to.status && found.to.status == "completed" && !v.is_empty() {
        cx.report(&MAP409, &v);
    } else if found.to.partial {
        cx.report(&MAP308, &v);
    }
    (status, src, found.to.partial)
}

/// RXA-20, RXA-21; a partial administration says so in a note.
fn status<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    let (code, src, partial) = completion(cx, group, f);
    r.string(el::STATUS, code, src);
    if partial {
        r.object(el::NOTE, |o| o.string("text", "一部投与", f.src()));
    }
}

/// RXR-3.
fn device<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    super::device(r, cx, f);
    r.object(el::DEVICE, |o| o.string("reference", "#device", f.src()));
}

// --- MedicationDispense -------------------------------------------------------------------------

/// ORC-9: the request says it, where there is one.
fn dispense_ordered<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    let order = super::order_number(cx, group);
    let rp = super::rp_number(group, order.text);
    let request = cx.id(
        "MedicationRequest",
        &["OMP-01", order.text, rp.text, "1"],
        0,
        "",
    );
    if cx.emitted("MedicationRequest", request) {
        cx.used(&f);
    } else {
        keep(r, cx, "ORC-9", f);
    }
}

fn dispense_type<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, _: Part<'a>) {
    r.object(di::CATEGORY, |o| super::order_category(o, cx, group));
}

/// Keeps fields of a drug that was not handed over (RXA-20): it has neither time nor amount. Whether it was not.
#[inline(never)]
fn is_held_back<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    group: &Group<'a>,
    fields: &[usize],
) -> bool {
    let rxa = group.first(*b"RXA");
    let Some(rxa) = rxa.filter(|s| matches!(s.field(20).value().text.trim(), "RE" | "NA")) else {
        return false;
    };
    for n in fields.iter().filter(|n| rxa.field(**n).is_some()) {
        keep(r, cx, name_of(rxa, *n), rxa.field(*n));
    }
    true
}

/// RXA-4, else RXA-3.
fn handed_over<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    if is_held_back(r, cx, group, &[4]) {
        return;
    }
    let end = f.value().trimmed();
    if datatypes::add_date_time(r, cx, di::WHEN_HANDED_OVER, end) {
        return;
    }
    let start = group
        .field(*b"RXA", 3)
        .map(|f| f.value().trimmed())
        .unwrap_or_default();
    if !datatypes::add_date_time(r, cx, di::WHEN_HANDED_OVER, start) {
        cx.report_message(&MAP009, "RXA-4");
    }
}

fn dispensed_drug<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    named_drug(r, cx, di::MEDICATION_CODEABLE_CONCEPT, f);
}

/// RXA-6 with its unit (RXA-7), which is kept where the amount is no number.
#[inline(never)]
fn amount_of<'a>(
    cx: &mut Cx<'a, '_>,
    group: &Group<'a>,
    v: Val<'a>,
) -> Option<(std::borrow::Cow<'a, str>, datatypes::Unit<'a>)> {
    let literal = dosage::amount(cx, v, "RXA-6");
    let unit = group.field(*b"RXA", 7)?;
    if literal.is_none() {
        cx.unread(unit.text().trimmed(), "RXA-7");
    }
    let unit = dosage::drug_unit_of(cx, unit);
    Some((literal?, unit))
}

/// RXA-6/7.
fn dispensed_quantity<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    if is_held_back(r, cx, group, &[6, 7]) {
        return;
    }
    let v = f.value().trimmed();
    let Some((literal, unit)) = amount_of(cx, group, v) else {
        return;
    };
    r.object(di::QUANTITY, |o| {
        dosage::quantity(o, &literal, v.src(), &unit);
    });
}

fn dispense_notes<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, _: Part<'a>) {
    annotate(r, cx, di::NOTE, group);
}

fn dispense_comments<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, group: &Group<'a>, _: Part<'a>) {
    datatypes::comments(r, di::NOTE, group);
}

fn dispenser<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    performer(r, cx, di::PERFORMER, f, None);
}

fn dispense_place<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    if let Some(name) = contained_location(r, cx, f) {
        r.object(di::LOCATION, |o| {
            o.constant("reference", "#location");
            o.string("display", name, f.src());
        });
    }
}

fn dispense_lot<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    super::note_amount(r, cx, di::NOTE, ("ロット番号", "RXA-15"), f, None);
}

fn dispense_expiry<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    super::note_amount(r, cx, di::NOTE, ("有効期限", "RXA-16"), f, None);
}

fn dispense_maker<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    super::note_amount(r, cx, di::NOTE, ("製造者", "RXA-17"), said_name(f), None);
}

fn dispense_reason<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    r.object(di::STATUS_REASON_CODEABLE_CONCEPT, |o| {
        datatypes::codeable_concept(o, cx, f);
    });
}

/// RXA-20, RXA-21: what was not handed over was declined (RE) or cancelled (NA).
fn dispense_status<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    let (code, src, partial) = completion(cx, group, f);
    let code = match (code, f.value().text.trim()) {
        ("not-done", "RE") => "declined",
        ("not-done", _) => "cancelled",
        (code, _) => code,
    };
    r.string(di::STATUS, code, src);
    if partial {
        r.object(di::NOTE, |o| o.string("text", "一部交付", f.src()));
    }
}

/// RXR-1, 2, 4.
fn dispense_route<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    let said = datatypes::said_of(f);
    let none = cx.message().empty_part();
    let rxr = |n: usize| group.field(*b"RXR", n).unwrap_or(none);
    r.object(di::DOSAGE_INSTRUCTION, |o| {
        o.string("text", said.text, said.src());
        if rxr(2).is_some() {
            o.object("site", |o| datatypes::codeable_concept(o, cx, rxr(2)));
        }
        o.object("route", |o| datatypes::codeable_concept(o, cx, f));
        o.object("method", |o| dosage::method(o, cx, rxr(4), None));
    });
}

// --- Immunization -------------------------------------------------------------------------------

/// One vaccine given: JP_Immunization beside the administration.
fn immunization<'a>(
    cx: &mut Cx<'a, '_>,
    group: &Group<'a>,
    rxa: Segment<'a>,
    rxr: Option<Segment<'a>>,
    [order, whole]: [Val<'a>; 2],
    n: u32,
) {
    let number = bumpalo::format!(in cx.message().arena(), "{}", n).into_bump_str();
    let start = rxa.field(3).value().trimmed();
    let id = cx.order_id(
        "Immunization",
        &["OMP-12", order.text, whole.text, start.text, number],
        rxa.position(),
        "",
    );
    let mut r = cx.open("Immunization", id);
    let before = r.row(RXA_TO_JP_IMMUNIZATION.rows.first().map(|row| &row.row));
    if !order.is_empty() {
        let within = super::group_number(cx, group, order.text);
        let parts = [order, within, start, within.map(number)];
        datatypes::instance_identifier(&mut r, cx, im::IDENTIFIER, &parts, 0);
    }
    cx.subject(&mut r, im::PATIENT);
    let g = group_of(group, &[rxa], rxr, &[]);
    let occurrence = datatypes::date_time(cx, start, "RXA-3")
        .map(|text| (text, start.src()))
        .or_else(|| fallback_time(cx, &g));
    let dated = occurrence.is_some();
    match occurrence {
        Some((text, src)) => r.string(im::OCCURRENCE_DATE_TIME, text, src),
        None => r.constant(im::OCCURRENCE_STRING, "不明"),
    };
    if let Some(stay) = cx.encounter_at(start.text) {
        cx.reference(&mut r, im::ENCOUNTER, "Encounter", stay, start.src());
    }
    r.row(before);
    run(&RXA_TO_JP_IMMUNIZATION, &mut r, cx, &g);
    super::claim(
        &mut r,
        cx,
        JP_IMMUNIZATION,
        "JP_Immunization",
        dated && rxa.field(5).is_some(),
    );
    cx.emit(r);
    cx.report(&MAP312, &rxa.field(5));
}

fn vaccine<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    named_drug(r, cx, im::VACCINE_CODE, f);
}

/// RXA-6/7; the profile's Quantity needs a code.
fn vaccine_dose<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    let v = f.value().trimmed();
    let Some((literal, unit)) = amount_of(cx, group, v) else {
        return;
    };
    if unit.code.is_empty() {
        cx.report_with(&MAP307, &f, "RXA-7");
        super::note(r, im::NOTE, &["接種量: ", &literal, unit.text.text], cx, &v);
    } else {
        r.object(im::DOSE_QUANTITY, |o| {
            dosage::quantity(o, &literal, v.src(), &unit);
        });
    }
}

fn vaccine_notes<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, _: Part<'a>) {
    annotate(r, cx, im::NOTE, group);
}

fn vaccinator<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    performer(
        r,
        cx,
        im::PERFORMER,
        f,
        Some(
            r#""function":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0443","code":"AP","display":"Administering Provider"}]}"#,
        ),
    );
}

fn vaccine_lot<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.value().trimmed();
    r.string(im::LOT_NUMBER, v.text, v.src());
}

fn vaccine_expiry<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.value();
    if let Some(text) = datatypes::date(cx, v, "Immunization.expirationDate") {
        r.string(im::EXPIRATION_DATE, text, v.src());
    }
}

fn vaccine_maker<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = said_name(f).value().trimmed();
    r.object(im::MANUFACTURER, |o| o.string("display", v.text, v.src()));
}

fn vaccine_reason<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    r.object(im::STATUS_REASON, |o| datatypes::codeable_concept(o, cx, f));
}

fn vaccine_status<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    let (status, src) = state_of(group, f.value().trimmed());
    // An Immunization knows no "unknown": what the administration reported is completed here. What was
    // stopped is no vaccination.
    let status = match status {
        "unknown" => "completed",
        "stopped" => "entered-in-error",
        status => status,
    };
    r.string(im::STATUS, status, src);
}

fn vaccine_route<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    r.object(im::ROUTE, |o| datatypes::codeable_concept(o, cx, f));
}

fn vaccine_site<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    r.object(im::SITE, |o| datatypes::codeable_concept(o, cx, f));
}
