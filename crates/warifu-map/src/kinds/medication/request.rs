//! RXE (with its ORC, TQ1, RXR, RXC, NTE) → MedicationRequest. Mapping §8.

use warifu_order::Map;

use bumpalo::collections::Vec as List;
use warifu_diag::catalogue::map_general::{MAP007, MAP009};
use warifu_diag::catalogue::map_medication::{MAP304, MAP306, MAP307, MAP311};
use warifu_fhir::element::medication_request as el;
use warifu_fhir::{Id, Resource};
use warifu_hl7::Part;
use warifu_terms::{maps, systems, tables};

use super::{Ingredient, Mixture, People, dosage};
use crate::cx::{Cx, Sourced};
use crate::datatypes;
use crate::table::{Group, Ignored, keep, run};

/// Canonical of JP_MedicationRequest.
pub const JP_MEDICATION_REQUEST: &str =
    "http://jpfhir.jp/fhir/core/StructureDefinition/JP_MedicationRequest";
/// Canonical of JP_MedicationRequest_Injection.
pub const JP_MEDICATION_REQUEST_INJECTION: &str =
    "http://jpfhir.jp/fhir/core/StructureDefinition/JP_MedicationRequest_Injection";
/// 調剤指示.
const INSTRUCTION_FOR_DISPENSE: &str = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_MedicationRequest_DispenseRequest_InstructionForDispense";
/// 頓用回数.
const EXPECTED_REPEAT_COUNT: &str = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_MedicationRequest_DispenseRequest_ExpectedRepeatCount";

table! {
    /// OMP-01: ORC, RXE, TQ1, RXR, NTE → JP_MedicationRequest (JP Core 1.2.0). HL7 v2.5 §4.14; SS-MIX2 仕様書 OMP-01.
    RXE_TO_JP_MEDICATION_REQUEST: "MedicationRequest" keeps "ORC", "RXE", "TQ1", "RXR", "NTE" {
        "PID-3" => "MedicationRequest.subject": part, "患者ID";
        "PV1-2" => "MedicationRequest.category": part, "患者区分";
        "ORC-1" => "MedicationRequest.status": always status, "オーダ制御";
        "ORC-2" => "MedicationRequest.identifier:requestIdentifier, groupIdentifier": part, "依頼者オーダ番号";
        "ORC-3" => "MedicationRequest.identifier": map filler, "実施者オーダ番号";
        "ORC-4" => "MedicationRequest.identifier:rpNumber, orderInRp, requestIdentifier": part, "依頼者グループ番号";
        "ORC-5" => "MedicationRequest.status": part, "オーダ状態";
        "ORC-8" => "": lost, "親";
        "ORC-9" => "MedicationRequest.authoredOn": beside "RXE-32", "トランザクション日時";
        "ORC-10" => "MedicationRequest.recorder": part, "入力者";
        "ORC-12" => "MedicationRequest.requester": part, "依頼者";
        "ORC-13" => "": same "PV1-3", "入力者所在地";
        "ORC-15" => "MedicationRequest.authoredOn": beside "ORC-9", "オーダ有効日時";
        "ORC-16" => "MedicationRequest.statusReason, reasonCode": map reason, "オーダ制御コード理由";
        "ORC-17" => "MedicationRequest.requester (PractitionerRole.organization)": part, "入力組織";
        "ORC-18" => "": lost, "入力装置";
        "ORC-21" => "MedicationRequest.dispenseRequest.performer": part, "オーダ施設名";
        "ORC-22" => "Organization.address": part, "オーダ施設住所";
        "ORC-23" => "Organization.telecom": part, "オーダ施設電話番号";
        "ORC-29" => "MedicationRequest.category": always order_type, "オーダタイプ";
        "RXE-1" => "": lost, "数量/タイミング";
        "RXE-2" => "MedicationRequest.medicationCodeableConcept": always drug_code, "与薬コード";
        "RXE-3" => "MedicationRequest.dosageInstruction.doseAndRate.doseQuantity.value": always oral_dosage, "与薬量－最小";
        "RXE-4" => "MedicationRequest.dosageInstruction.doseAndRate.doseQuantity.value, text": part, "与薬量－最大";
        "RXE-5" => "MedicationRequest.dosageInstruction.doseAndRate.doseQuantity.code, unit": part, "与薬単位";
        "RXE-6" => "MedicationRequest.note": map form, "与薬剤形";
        "RXE-7" => "MedicationRequest.dispenseRequest.extension:instructionForDispense, dosageInstruction.additionalInstruction": part, "依頼者の投薬指示";
        "RXE-10" => "MedicationRequest.dispenseRequest.quantity.value": part, "調剤量";
        "RXE-11" => "MedicationRequest.dispenseRequest.quantity.code, unit": part, "調剤単位";
        "RXE-12" => "MedicationRequest.dispenseRequest.numberOfRepeatsAllowed": part, "リフィル回数";
        "RXE-13" => "MedicationRequest.note": map narcotics_licence, "オーダ発行者のDEA番号 (麻薬施用者番号)";
        "RXE-14" => "": lost, "薬剤師／治療提供者の検証ID";
        "RXE-15" => "MedicationRequest.identifier:prescriptionIdentifier": map prescription_number, "処方箋番号";
        "RXE-16" => "": lost, "薬剤残数";
        "RXE-17" => "": lost, "調剤済薬品数または投与数";
        "RXE-18" => "": lost, "調剤済薬品数または投与数の最新日時";
        "RXE-19" => "MedicationRequest.dosageInstruction.doseAndRate.rateRatio": part, "1日あたりの総投与量";
        "RXE-20" => "": lost, "人によるレビューの必要性";
        "RXE-21" => "MedicationRequest.category, dispenseRequest.extension:instructionForDispense": map prescription_class, "薬剤部門／治療部門による特別な調剤指示";
        "RXE-22" => "MedicationRequest.dosageInstruction.doseAndRate.rateRatio.denominator": part, "与薬単位時間";
        "RXE-23" => "MedicationRequest.dosageInstruction.doseAndRate.rateQuantity.value": part, "与薬速度";
        "RXE-24" => "MedicationRequest.dosageInstruction.doseAndRate.rateQuantity.code, unit": part, "与薬速度単位";
        "RXE-25" => "MedicationRequest.note": map strength, "与薬力価";
        "RXE-26" => "MedicationRequest.note, MedicationRequest.extension": map strength_unit, "与薬力価単位";
        "RXE-27" => "MedicationRequest.reasonCode": map indication, "与薬指示";
        "RXE-28" => "": lost, "調剤パッケージサイズ";
        "RXE-29" => "": lost, "調剤パッケージサイズの単位";
        "RXE-30" => "": lost, "調剤パッケージ方法";
        "RXE-31" => "MedicationRequest.medicationCodeableConcept": part, "補足コード";
        "RXE-32" => "MedicationRequest.authoredOn": always authored_on, "当初のオーダ日時";
        "RXE-33" => "": lost, "与薬力価量";
        "RXE-34" => "": lost, "与薬力価量単位";
        "RXE-35" => "": lost, "薬物コントロールスケジュール";
        "RXE-36" => "": lost, "処方集ステータス";
        "RXE-37" => "": lost, "薬物代替え";
        "RXE-38" => "": lost, "最新の与薬の薬剤部";
        "RXE-39" => "": lost, "最初の調剤量";
        "RXE-40" => "": lost, "調剤薬剤部";
        "RXE-41" => "": lost, "調剤薬剤部の住所";
        "RXE-42" => "MedicationRequest.note": map delivered_to, "配送先患者所在場所";
        "RXE-43" => "": lost, "配送先住所";
        "RXE-44" => "": lost, "薬剤オーダタイプ";
        "TQ1-1" => "": ignored Ignored::Structural, "セットID－TQ1";
        "TQ1-2" => "": lost, "数量";
        "TQ1-3" => "MedicationRequest.dosageInstruction.timing.code, additionalInstruction, method, text": part, "繰返しパターン";
        "TQ1-4" => "MedicationRequest.dosageInstruction.timing.repeat.timeOfDay": part, "明示的時間";
        "TQ1-5" => "": lost, "相対的時間および単位";
        "TQ1-6" => "MedicationRequest.dispenseRequest.expectedSupplyDuration, dosageInstruction.extension:usageDuration": part, "サービス期間";
        "TQ1-7" => "MedicationRequest.dosageInstruction.extension:periodOfUse.valuePeriod.start": part, "開始日時";
        "TQ1-8" => "MedicationRequest.dosageInstruction.extension:periodOfUse.valuePeriod.end": part, "終了日時";
        "TQ1-9" => "MedicationRequest.priority": map priority, "優先度";
        "TQ1-10" => "MedicationRequest.dosageInstruction.text": part, "条件テキスト";
        "TQ1-11" => "MedicationRequest.dosageInstruction.text": part, "テキスト指令";
        "TQ1-12" => "": lost, "結合";
        "TQ1-13" => "": lost, "オカレンス期間";
        "TQ1-14" => "MedicationRequest.dosageInstruction.timing.repeat.count": part, "総オカレンス";
        "RXR-1" => "MedicationRequest.dosageInstruction.route": part, "経路";
        "RXR-2" => "MedicationRequest.dosageInstruction.site": part, "部位";
        "RXR-3" => "MedicationRequest.dosageInstruction.extension:device": map device, "投薬装置";
        "RXR-4" => "MedicationRequest.dosageInstruction.method": part, "投薬方法";
        "NTE-1" => "": ignored Ignored::Structural, "セットID－NTE";
        "NTE-2" => "": lost, "コメントのソース";
        "NTE-3" => "MedicationRequest.note": map comments, "コメント";
        "NTE-4" => "": lost, "コメントタイプ";
    }
}

table! {
    /// OMP-02: ORC, RXE, TQ1, RXR, RXC, NTE → JP_MedicationRequest_Injection (JP Core 1.2.0). HL7 v2.5 §4.14; SS-MIX2 仕様書 OMP-02.
    RXE_TO_JP_MEDICATION_REQUEST_INJECTION: "MedicationRequest" keeps "ORC", "RXE", "TQ1", "RXR", "RXC", "NTE" {
        "PID-3" => "MedicationRequest.subject": part, "患者ID";
        "PV1-2" => "MedicationRequest.category": part, "患者区分";
        "ORC-1" => "MedicationRequest.status": always status, "オーダ制御";
        "ORC-2" => "MedicationRequest.identifier:requestIdentifier, groupIdentifier": part, "依頼者オーダ番号";
        "ORC-3" => "MedicationRequest.identifier": map filler, "実施者オーダ番号";
        "ORC-4" => "MedicationRequest.identifier:rpNumber, requestIdentifier": part, "依頼者グループ番号";
        "ORC-5" => "MedicationRequest.status": part, "オーダ状態";
        "ORC-8" => "": lost, "親";
        "ORC-9" => "MedicationRequest.authoredOn": beside "RXE-32", "トランザクション日時";
        "ORC-10" => "MedicationRequest.recorder": part, "入力者";
        "ORC-12" => "MedicationRequest.requester": part, "依頼者";
        "ORC-13" => "": same "PV1-3", "入力者所在地";
        "ORC-15" => "MedicationRequest.authoredOn": beside "ORC-9", "オーダ有効日時";
        "ORC-16" => "MedicationRequest.statusReason, reasonCode": map reason, "オーダ制御コード理由";
        "ORC-17" => "MedicationRequest.requester (PractitionerRole.organization)": part, "入力組織";
        "ORC-18" => "": lost, "入力装置";
        "ORC-21" => "MedicationRequest.dispenseRequest.performer": part, "オーダ施設名";
        "ORC-22" => "Organization.address": part, "オーダ施設住所";
        "ORC-23" => "Organization.telecom": part, "オーダ施設電話番号";
        "ORC-29" => "MedicationRequest.category": always order_type, "オーダタイプ";
        "RXE-1" => "": lost, "数量/タイミング";
        "RXE-2" => "MedicationRequest.category": map injection_kind, "与薬コード (注射区分)";
        "RXE-3" => "MedicationRequest.dosageInstruction.doseAndRate.doseQuantity.value": always injection_dosage, "与薬量－最小";
        "RXE-4" => "MedicationRequest.dosageInstruction.doseAndRate.doseQuantity.value, text": part, "与薬量－最大";
        "RXE-5" => "MedicationRequest.dosageInstruction.doseAndRate.doseQuantity.code, unit": part, "与薬単位";
        "RXE-6" => "MedicationRequest.contained.form": part, "与薬剤形";
        "RXE-7" => "MedicationRequest.dispenseRequest.extension:instructionForDispense, dosageInstruction.additionalInstruction": part, "依頼者の投薬指示";
        "RXE-10" => "MedicationRequest.dispenseRequest.quantity.value": part, "調剤量";
        "RXE-11" => "MedicationRequest.dispenseRequest.quantity.code, unit": part, "調剤単位";
        "RXE-12" => "MedicationRequest.dispenseRequest.numberOfRepeatsAllowed": part, "リフィル回数";
        "RXE-13" => "MedicationRequest.note": map narcotics_licence, "オーダ発行者のDEA番号 (麻薬施用者番号)";
        "RXE-14" => "": lost, "薬剤師／治療提供者の検証ID";
        "RXE-15" => "MedicationRequest.identifier:prescriptionIdentifier": map prescription_number, "処方箋番号";
        "RXE-16" => "": lost, "薬剤残数";
        "RXE-17" => "": lost, "調剤済薬品数または投与数";
        "RXE-18" => "": lost, "調剤済薬品数または投与数の最新日時";
        "RXE-19" => "MedicationRequest.dosageInstruction.doseAndRate.rateRatio": part, "1日あたりの総投与量";
        "RXE-20" => "": lost, "人によるレビューの必要性";
        "RXE-21" => "MedicationRequest.category, dispenseRequest.extension:instructionForDispense": map prescription_class, "薬剤部門／治療部門による特別な調剤指示";
        "RXE-22" => "MedicationRequest.dosageInstruction.doseAndRate.rateRatio.denominator": part, "与薬単位時間";
        "RXE-23" => "MedicationRequest.dosageInstruction.doseAndRate.rateQuantity.value": part, "与薬速度";
        "RXE-24" => "MedicationRequest.dosageInstruction.doseAndRate.rateQuantity.code, unit": part, "与薬速度単位";
        "RXE-25" => "MedicationRequest.note": map strength, "与薬力価";
        "RXE-26" => "MedicationRequest.note, MedicationRequest.extension": map strength_unit, "与薬力価単位";
        "RXE-27" => "MedicationRequest.reasonCode": map indication, "与薬指示";
        "RXE-28" => "": lost, "調剤パッケージサイズ";
        "RXE-29" => "": lost, "調剤パッケージサイズの単位";
        "RXE-30" => "": lost, "調剤パッケージ方法";
        "RXE-31" => "MedicationRequest.note": map supplementary_code, "補足コード";
        "RXE-32" => "MedicationRequest.authoredOn": always authored_on, "当初のオーダ日時";
        "RXE-33" => "": lost, "与薬力価量";
        "RXE-34" => "": lost, "与薬力価量単位";
        "RXE-35" => "": lost, "薬物コントロールスケジュール";
        "RXE-36" => "": lost, "処方集ステータス";
        "RXE-37" => "": lost, "薬物代替え";
        "RXE-38" => "": lost, "最新の与薬の薬剤部";
        "RXE-39" => "": lost, "最初の調剤量";
        "RXE-40" => "": lost, "調剤薬剤部";
        "RXE-41" => "": lost, "調剤薬剤部の住所";
        "RXE-42" => "MedicationRequest.note": map delivered_to, "配送先患者所在場所";
        "RXE-43" => "": lost, "配送先住所";
        "RXE-44" => "": lost, "薬剤オーダタイプ";
        "TQ1-1" => "": ignored Ignored::Structural, "セットID－TQ1";
        "TQ1-2" => "": lost, "数量";
        "TQ1-3" => "MedicationRequest.dosageInstruction.timing.code, additionalInstruction, method, text": part, "繰返しパターン";
        "TQ1-4" => "MedicationRequest.dosageInstruction.timing.repeat.timeOfDay": part, "明示的時間";
        "TQ1-5" => "": lost, "相対的時間および単位";
        "TQ1-6" => "MedicationRequest.dispenseRequest.expectedSupplyDuration, dosageInstruction.extension:usageDuration": part, "サービス期間";
        "TQ1-7" => "MedicationRequest.dosageInstruction.timing.repeat.boundsPeriod.start": part, "開始日時";
        "TQ1-8" => "MedicationRequest.dosageInstruction.timing.repeat.boundsPeriod.end": part, "終了日時";
        "TQ1-9" => "MedicationRequest.priority": map priority, "優先度";
        "TQ1-10" => "MedicationRequest.dosageInstruction.text": part, "条件テキスト";
        "TQ1-11" => "MedicationRequest.dosageInstruction.text": part, "テキスト指令";
        "TQ1-12" => "": lost, "結合";
        "TQ1-13" => "": lost, "オカレンス期間";
        "TQ1-14" => "MedicationRequest.dosageInstruction.timing.repeat.count": part, "総オカレンス";
        "RXR-1" => "MedicationRequest.dosageInstruction.route": part, "経路";
        "RXR-2" => "MedicationRequest.dosageInstruction.site": part, "部位";
        "RXR-3" => "MedicationRequest.dosageInstruction.extension:device": map device, "投薬装置";
        "RXR-4" => "MedicationRequest.dosageInstruction.method": part, "投薬方法";
        "RXC-1" => "MedicationRequest.contained.ingredient (順序: B, A)": part, "RX成分タイプ";
        "RXC-2" => "MedicationRequest.contained.ingredient.itemCodeableConcept": part, "成分コード";
        "RXC-3" => "MedicationRequest.contained.ingredient.strength.numerator.value": part, "成分量";
        "RXC-4" => "MedicationRequest.contained.ingredient.strength.numerator.code, unit": part, "成分単位";
        "RXC-5" => "": lost, "成分力価";
        "RXC-6" => "": lost, "成分力価単位";
        "RXC-7" => "": lost, "補足コード";
        "RXC-8" => "": lost, "成分薬剤力価量";
        "RXC-9" => "": lost, "成分薬剤力価量単位";
        "NTE-1" => "": ignored Ignored::Structural, "セットID－NTE";
        "NTE-2" => "": lost, "コメントのソース";
        "NTE-3" => "MedicationRequest.note": map comments, "コメント";
        "NTE-4" => "": lost, "コメントタイプ";
    }
}

/// What is known of an Rp so far.
struct Rp<'a> {
    drugs: u32,
    timing: Option<&'a [u8]>,
}

/// Converts the orders of a message.
pub(super) fn convert(cx: &mut Cx<'_, '_>, injection: bool) {
    let mut seen: Map<(&str, &str), Rp<'_>> = Map::new();
    let mut people = People::default();
    super::orders(cx, |cx, group| {
        let Some(rxe) = group.first(*b"RXE") else {
            if let Some(orc) = group.first(*b"ORC") {
                cx.report_with(&MAP306, &orc.field(1), "RXE");
            }
            return;
        };
        let drug = rxe.field(2).is_some()
            || if injection {
                group.all(*b"RXC").any(|s| s.field(2).is_some())
            } else {
                rxe.field(31).is_some()
            };
        if !drug {
            cx.report_with(&MAP306, &rxe, if injection { "RXC-2" } else { "RXE-2" });
            group.segments().iter().for_each(|s| cx.used_all(*s));
            return;
        }
        let order = super::order_number(cx, group);
        let rp = super::rp_number(group, order.text);
        let whole = group
            .field(*b"ORC", 4)
            .map(|f| f.value().trimmed())
            .unwrap_or_default();
        // An injection's group number names the administration as well: each is one request.
        let key = if injection { whole.text } else { rp.text };
        let tq1 = group.first(*b"TQ1");
        let timing = tq1.map(|s| s.field(3).raw());
        let state = seen
            .entry((order.text, key))
            .or_insert(Rp { drugs: 0, timing });
        state.drugs += 1;
        let differs = !injection && state.timing != timing;
        let number = bumpalo::format!(in cx.message().arena(), "{}", state.drugs).into_bump_str();
        if differs && let Some(tq1) = tq1 {
            cx.report(&MAP304, &tq1.field(3));
        }
        let kind = if injection { "OMP-02" } else { "OMP-01" };
        let id = cx.order_id(
            "MedicationRequest",
            &[kind, order.text, key, number],
            rxe.position(),
            "",
        );
        let table = if injection {
            &RXE_TO_JP_MEDICATION_REQUEST_INJECTION
        } else {
            &RXE_TO_JP_MEDICATION_REQUEST
        };
        let mut r = cx.open("MedicationRequest", id);
        let before = r.row(table.rows.first().map(|row| &row.row));
        let mut complete = super::rp_identifier(&mut r, cx, el::IDENTIFIER, rp);
        if !injection && complete {
            r.object(el::IDENTIFIER, |o| {
                datatypes::identifier(o, systems::ID_ORDER_IN_RP, rp.map(number));
            });
        }
        if !order.is_empty() {
            // One drug of the order (`requestIdentifier`); `groupIdentifier` is the prescription's number.
            let within = if injection {
                super::group_number(cx, group, order.text)
            } else {
                rp
            };
            let parts = [order, within, within.map(number)];
            datatypes::instance_identifier(&mut r, cx, el::IDENTIFIER, &parts, 0);
            let code = rxe.field(2).comp(1).value().trimmed();
            if !injection && !rp.is_empty() && !code.is_empty() {
                r.object(el::IDENTIFIER, |o| {
                    super::drug_of_order(o, cx, order, rp, code);
                });
            }
            r.object(el::GROUP_IDENTIFIER, |o| {
                datatypes::identifier(o, systems::ID_RESOURCE_INSTANCE, order);
            });
        }
        r.constant(el::INTENT, "order");
        cx.subject(&mut r, el::SUBJECT);
        // The department's institution is named by the first order that says who it is.
        let facility = people.facility(cx, group);
        if let Some(p) = people.requester(cx, group) {
            let role = people.role(cx, group, &p);
            r.object(el::REQUESTER, |o| match role {
                Some(role) => {
                    o.string(
                        "reference",
                        cx.reference_text("PractitionerRole", role),
                        p.src,
                    );
                    o.string("display", p.display, p.src);
                }
                None => datatypes::person_reference(o, &p),
            });
        }
        if let Some(p) = people.entered_by(cx, group) {
            r.object(el::RECORDER, |o| datatypes::person_reference(o, &p));
        }
        if injection {
            complete &= ingredients(&mut r, cx, group);
        }
        dispense(&mut r, cx, group, facility);
        r.row(before);
        run(table, &mut r, cx, group);
        let when = authored(group).map(|f| f.value()).unwrap_or_default();
        if let Some(stay) = cx.encounter_at(when.text) {
            cx.reference(&mut r, el::ENCOUNTER, "Encounter", stay, when.src());
        }
        complete &= r.has(el::AUTHORED_ON);
        if injection {
            super::claim(
                &mut r,
                cx,
                JP_MEDICATION_REQUEST_INJECTION,
                "JP_MedicationRequest_Injection",
                complete,
            );
        } else {
            complete &= rxe.field(2).is_some();
            super::claim(
                &mut r,
                cx,
                JP_MEDICATION_REQUEST,
                "JP_MedicationRequest",
                complete,
            );
        }
        cx.emit(r);
    });
}

/// RXC → contained JP_Medication: base solutions (`B`) first, then additives (`A`), each in file
/// order; DrugNo is the place in the file. Without RXC the drug is RXE-2, unless that is the kind of
/// injection. Returns whether every ingredient has its strength.
fn ingredients<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>) -> bool {
    let mut drugs = List::new_in(cx.message().arena());
    for base in [true, false] {
        for (s, number) in group.all(*b"RXC").zip(1u32..) {
            let kind = s.field(1);
            if (kind.value().text.trim() == "B") == base && s.field(2).is_some() {
                cx.used(&kind);
                drugs.push(Ingredient {
                    segment: Some(s),
                    code: s.field(2),
                    amount: s.field(3),
                    unit: s.field(4),
                    number,
                });
            }
        }
    }
    let none = cx.message().empty_part();
    let rxe = |n: usize| group.field(*b"RXE", n).unwrap_or(none);
    if drugs.is_empty() {
        if is_injection_kind(rxe(2)) || !rxe(2).is_some() {
            let at = rxe(2);
            cx.report_with(&MAP306, &at, "RXC");
        } else {
            drugs.push(Ingredient {
                segment: None,
                code: rxe(2),
                amount: rxe(3),
                unit: rxe(5),
                number: 1,
            });
        }
    }
    let about = Mixture {
        form: Some(rxe(6)),
        ..Mixture::default()
    };
    let table = &RXE_TO_JP_MEDICATION_REQUEST_INJECTION;
    super::mixture(r, cx, table, el::MEDICATION_REFERENCE, &drugs, &about)
}

/// Whether RXE-2 is the kind of injection (JHSI0002) and not a drug.
pub(super) fn is_injection_kind(code: Part<'_>) -> bool {
    let [a, _] = datatypes::both_triplets(code);
    matches!(systems::trim_name(a.system.text), "99I02" | "JHSI0002")
        || (a.system.is_empty() && tables::T_JHSI0002.entry(a.code.text).is_some())
}

/// ORC-1 (table 0119), refined by ORC-5 while the order is active.
fn status<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    let v = f.value().trimmed();
    if v.is_empty() {
        cx.report_message(&MAP009, "ORC-1");
        r.constant(el::STATUS, "active");
        return;
    }
    let found = maps::MEDICATION_REQUEST_STATUS.translate(v.text);
    if !found.known {
        cx.unlisted(v, "0119");
    }
    let state = group
        .field(*b"ORC", 5)
        .map(|f| f.value().trimmed())
        .unwrap_or_default();
    if !state.is_empty() && !maps::ORDER_STATUS.translate(state.text).known {
        cx.unlisted(state, "0038");
    }
    let refined = match (found.to, state.text) {
        ("active", "CM") => Some("completed"),
        ("active", "CA" | "RP") => Some("cancelled"),
        ("active", "DC") => Some("stopped"),
        ("active", "HD") => Some("on-hold"),
        ("active", "ER") => Some("entered-in-error"),
        _ => None,
    };
    match refined {
        Some(code) => r.string(el::STATUS, code, state.src()),
        None => r.string(el::STATUS, found.to, v.src()),
    };
}

/// ORC-3: the filler's number, under a system of the institution.
fn filler<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.value().trimmed();
    let system = datatypes::local_system(cx, "filler-order");
    r.object(el::IDENTIFIER, |o| {
        o.object("type", |o| {
            datatypes::coded_concept(
                o,
                systems::V2_0203,
                "FILL",
                "Filler Identifier",
                warifu_fhir::Src::NONE,
            );
        });
        datatypes::identifier(o, system, v);
    });
}

/// RXE-15: prescription number in the institution's own system (JP Core 処方箋ID); the institution
/// number must begin with a prefecture.
fn prescription_number<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.value().trimmed();
    let prefecture =
        |n: &&str| n.len() == 10 && n.get(..2).is_some_and(|p| ("01"..="47").contains(&p));
    let system = match cx.institution().filter(prefecture) {
        Some(n) => {
            bumpalo::format!(in cx.message().arena(), "{}{}", systems::ID_PRESCRIPTION_PREFIX, n)
                .into_bump_str()
        }
        None => datatypes::local_system(cx, "prescription"),
    };
    r.object(el::IDENTIFIER, |o| datatypes::identifier(o, system, v));
}

/// ORC-16: why an order was stopped or changed, else why it was given.
fn reason<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let active = r.items(el::STATUS).any(|s| s == b"\"active\"");
    if active {
        r.object(el::REASON_CODE, |o| datatypes::codeable_concept(o, cx, f));
    } else {
        r.object(el::STATUS_REASON, |o| datatypes::codeable_concept(o, cx, f));
    }
}

/// RXE-27.
fn indication<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    for rep in f.reps() {
        r.object(el::REASON_CODE, |o| datatypes::codeable_concept(o, cx, rep));
    }
}

/// ORC-29, else PV1-2.
fn order_type<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, _: Part<'a>) {
    r.object(el::CATEGORY, |o| super::order_category(o, cx, group));
}

/// RXE-2 of OMP-01, with the supplementary code of RXE-31.
fn drug_code<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    let more = group.field(*b"RXE", 31).filter(Part::is_some);
    r.object(el::MEDICATION_CODEABLE_CONCEPT, |o| {
        super::drug(o, cx, f, more);
    });
}

/// RXE-2 of OMP-02: the kind of injection (JHSI0002) has no published URI.
fn injection_kind<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    if !is_injection_kind(f) {
        // It is the drug where there is no RXC.
        if group.all(*b"RXC").any(|s| s.field(2).is_some()) {
            keep(r, cx, "RXE-2", f);
        }
        return;
    }
    let [a, _] = datatypes::both_triplets(f);
    let system = datatypes::local_system(cx, "JHSI0002");
    r.object(el::CATEGORY, |o| {
        o.array("coding", |c| {
            c.object(|o| {
                o.string("system", system, a.system.src());
                o.string("code", a.code.text, a.code.src());
                o.string("display", a.text.text, a.text.src());
            });
        });
        o.string("text", a.text.text, a.text.src());
    });
}

/// RXE-21: prescription class (MERIT-9, JHSI0001, JHSP0007) → category; the rest are instructions for
/// the pharmacy, written by [`dispense`].
fn prescription_class<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    for rep in f.reps().filter(|rep| is_class(*rep)) {
        r.object(el::CATEGORY, |o| datatypes::codeable_concept(o, cx, rep));
    }
}

fn is_class(rep: Part<'_>) -> bool {
    datatypes::both_triplets(rep).iter().any(|t| {
        !t.code.is_empty()
            && (matches!(
                systems::trim_name(t.system.text),
                "MR9P" | "99I01" | "JHSI0001" | "JHSP0007"
            ) || tables::T_MR9P_CATEGORY.entry(t.code.text).is_some())
    })
}

fn oral_dosage<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, _: Part<'a>) {
    dosage::instructions(r, cx, group, false);
}

fn injection_dosage<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, _: Part<'a>) {
    dosage::instructions(r, cx, group, true);
}

/// RXR-3: contained Device that the dosage's extension refers to.
fn device<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    super::device(r, cx, f);
}

/// RXE-10, 11, 12, the pharmacy instructions of RXE-7 and RXE-21, TQ1-6, ORC-21.
fn dispense<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, facility: Option<Id>) {
    let none = cx.message().empty_part();
    let rxe = |n: usize| group.field(*b"RXE", n).unwrap_or(none);
    let f = rxe(10);
    let (long, times) = dosage::supply_of(cx, group);
    let value = f.value().trimmed();
    let literal = dosage::amount(cx, value, "RXE-10");
    let unit = Some(dosage::drug_unit_of(cx, rxe(11)));
    if literal.is_none() {
        cx.unread(rxe(11).text().trimmed(), "RXE-11");
    }
    let refills = refills(cx, rxe(12));
    let outside = rxe(21)
        .reps()
        .any(|rep| rep.comp(1).value().text.trim() == "OHO");
    let name = group
        .field(*b"ORC", 21)
        .map(|f| f.comp(1).value().trimmed())
        .unwrap_or_default();
    r.object(el::DISPENSE_REQUEST, |o| {
        o.array("extension", |a| {
            for rep in rxe(7)
                .reps()
                .filter(|rep| rep.is_some() && dosage::is_dispense_instruction(*rep))
                .chain(
                    rxe(21)
                        .reps()
                        .filter(|rep| rep.is_some() && !is_class(*rep)),
                )
            {
                a.object(|o| {
                    o.constant("url", INSTRUCTION_FOR_DISPENSE);
                    o.object("valueCodeableConcept", |o| {
                        datatypes::codeable_concept(o, cx, rep);
                    });
                });
            }
            if let Some((n, src)) = times
                .as_ref()
                .and_then(|(n, src)| Some((dosage::whole(n)?, *src)))
            {
                a.object(|o| {
                    o.constant("url", EXPECTED_REPEAT_COUNT);
                    o.number("valueInteger", n, src);
                });
            }
        });
        if let Some((n, src)) = &refills {
            o.number("numberOfRepeatsAllowed", n, *src);
        }
        if let (Some(literal), Some(unit)) = (&literal, &unit)
            && !unit.code.is_empty()
        {
            o.object("quantity", |o| {
                dosage::quantity(o, literal, value.src(), unit);
            });
        }
        if let Some((n, src)) = &long {
            o.object("expectedSupplyDuration", |o| dosage::days(o, n, *src));
        }
        if let Some(id) = facility.filter(|_| !outside) {
            o.object("performer", |o| {
                o.string(
                    "reference",
                    cx.reference_text("Organization", id),
                    name.src(),
                );
                o.string("display", name.text, name.src());
            });
        }
    });
    if let (Some(literal), Some(unit)) = (&literal, &unit)
        && unit.code.is_empty()
    {
        cx.report_with(&MAP307, &f, "RXE-11");
        super::note(
            r,
            el::NOTE,
            &["調剤量: ", literal, unit.text.text],
            cx,
            &value,
        );
    }
}

/// RXE-12 counts how often the drug may be handed out; FHIR counts the repeats after the first.
fn refills<'a>(cx: &mut Cx<'a, '_>, f: Part<'a>) -> Option<(String, warifu_fhir::Src)> {
    let v = f.value().trimmed();
    if v.is_empty() {
        return None;
    }
    let n: Option<u32> = dosage::whole(v.text).and_then(|n| n.parse().ok());
    if n.is_none() {
        cx.report_with(&MAP007, &v, "RXE-12");
        cx.unread(v, "RXE-12");
    }
    Some((n?.saturating_sub(1).to_string(), v.src()))
}

/// When an order was made: RXE-32, else ORC-9, else ORC-15.
fn authored<'a>(group: &Group<'a>) -> Option<Part<'a>> {
    times_of(group).find(|f| warifu_hl7::time::parse(f.value().text).is_some())
}

fn times_of<'a>(group: &Group<'a>) -> impl Iterator<Item = Part<'a>> {
    [(*b"RXE", 32), (*b"ORC", 9), (*b"ORC", 15)]
        .into_iter()
        .filter_map(|(s, n)| group.field(s, n))
        .filter(Part::is_some)
}

fn authored_on<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, _: Part<'a>) {
    let mut empty = true;
    // The first that is a time; what stands before it is told and kept.
    for f in times_of(group) {
        empty = false;
        if datatypes::add_date_time(r, cx, el::AUTHORED_ON, f.value()) {
            break;
        }
    }
    if empty {
        cx.report_message(&MAP009, "RXE-32, ORC-9");
    }
}

/// TQ1-9.
fn priority<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    datatypes::priority(r, cx, el::PRIORITY, f);
}

/// RXE-13.
fn narcotics_licence<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    super::note_amount(
        r,
        cx,
        el::NOTE,
        ("麻薬施用者番号", "RXE-13"),
        f.comp(1),
        None,
    );
}

/// RXE-25 with its unit (RXE-26).
fn strength<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    super::note_amount(
        r,
        cx,
        el::NOTE,
        ("力価", "RXE-25"),
        f,
        group.field(*b"RXE", 26),
    );
}

/// RXE-26 alone says no strength.
fn strength_unit<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    if !group.field(*b"RXE", 25).is_some_and(|of| of.is_some()) {
        keep(r, cx, "RXE-26", f);
    }
}

/// RXE-6 of OMP-01, whose drug is a CodeableConcept without a form.
fn form<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    datatypes::note_said(r, cx, el::NOTE, "剤形: ", f);
    cx.report_with(&MAP311, &f, "RXE-6");
}

/// RXE-42: the ward that the drugs go to.
fn delivered_to<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let mut place = String::new();
    for part in (1..=3)
        .map(|n| f.comp(n).value().trimmed())
        .filter(|v| !v.is_empty())
    {
        if !place.is_empty() {
            place.push('-');
        }
        place.push_str(part.text);
    }
    super::note(r, el::NOTE, &["配送先: ", &place], cx, &f);
    cx.report_with(&MAP311, &f, "RXE-42");
}

/// RXE-31 of an injection: the drugs are the RXC, so the code has no place among them.
fn supplementary_code<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    for rep in f.reps() {
        let t = rep.text().trimmed();
        super::note(r, el::NOTE, &["補足コード: ", t.text], cx, &t);
    }
    cx.report_with(&MAP311, &f, "RXE-31");
}

/// NTE-3 of every NTE of the order.
fn comments<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, group: &Group<'a>, _: Part<'a>) {
    datatypes::comments(r, el::NOTE, group);
}
