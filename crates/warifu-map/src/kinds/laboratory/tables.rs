//! Mapping tables of the laboratory kinds. The rows name every field that SS-MIX2 defines.

use crate::table::{Ignored, Worded};

use super::{order, report, specimen};

table! {
    /// SPM → Specimen (JP_Specimen_Common). HL7 v2.5 §7.4.3; SS-MIX2 OML-01, OML-11.
    SPM_TO_JP_SPECIMEN: "Specimen" keeps "SPM", "NTE" {
        "SPM-1" => "": ignored Ignored::Structural, "セットID - SPM";
        "SPM-2" => "Specimen.identifier": map specimen::identifiers, "検体ID";
        "SPM-4" => "Specimen.type": map specimen::kind, "検体タイプ";
        "SPM-8" => "Specimen.collection.bodySite": part, "検査材料・検査部位";
        "SPM-12" => "Specimen.collection.quantity": part, "検体採取量";
        "SPM-17" => "Specimen.collection.collected[x]": always specimen::collection, "検体採取日時";
        "SPM-18" => "Specimen.receivedTime": map specimen::received, "検体受領日時";
        "SPM-27" => "Specimen.container.type": map specimen::container, "容器タイプ";
        "NTE-1" => "": ignored Ignored::Structural, "セットID - NTE";
        "NTE-2" => "": lost, "コメントの発生源";
        "NTE-3" => "Specimen.note": part, "コメント";
        "NTE-4" => "": lost, "コメントタイプ";
        "PID-3" => "Specimen.subject": part, "患者IDリスト";
    }
}

table! {
    /// ORC, OBR, TQ1 → ServiceRequest (JP_ServiceRequest_Common). HL7 v2.5 §4.5.1, §4.5.3, §4.5.4;
    /// SS-MIX2 OML-01, OML-11.
    ORC_TO_JP_SERVICE_REQUEST: "ServiceRequest" keeps "ORC", "OBR", "TQ1" {
        "" => "ServiceRequest.intent": always order::intent, "(order 固定)";
        "ORC-1" => "ServiceRequest.status": part, "オーダ制御";
        "ORC-2" => "ServiceRequest.identifier": part, "依頼者オーダ番号";
        "ORC-3" => "ServiceRequest.identifier": part, "実施者オーダ番号";
        "ORC-4" => "ServiceRequest.requisition": map order::requisition, "依頼者グループ番号";
        "ORC-5" => "ServiceRequest.status": part, "オーダ状態";
        "ORC-8" => "": lost, "親オーダ番号";
        "ORC-9" => "ServiceRequest.authoredOn": map order::authored_on, "トランザクション日時";
        "ORC-10" => "ServiceRequest.requester (ORC-12, OBR-16 がないとき)": part, "入力者";
        "ORC-12" => "ServiceRequest.requester, PractitionerRole.practitioner": part, "依頼者";
        "ORC-13" => "": same "PV1-3", "入力場所";
        "ORC-15" => "": lost, "オーダ有効日時";
        "ORC-16" => "ServiceRequest.reasonCode": map order::reason, "オーダ制御コードの理由";
        "ORC-17" => "ServiceRequest.requester, PractitionerRole.organization": part, "入力組織";
        "ORC-18" => "": lost, "入力装置";
        "ORC-21" => "Organization.name": part, "オーダ施設名";
        "ORC-22" => "Organization.address": part, "オーダ施設住所";
        "ORC-23" => "Organization.telecom": part, "オーダ施設電話番号";
        "ORC-29" => "": same "PV1-2", "オーダタイプ (Encounter.class が示す)";
        "OBR-1" => "": ignored Ignored::Structural, "セットID - OBR";
        "OBR-2" => "ServiceRequest.identifier (ORC-2 がないとき)": part, "依頼者オーダ番号";
        "OBR-3" => "ServiceRequest.identifier (ORC-3 がないとき)": part, "実施者オーダ番号";
        "OBR-4" => "ServiceRequest.code": part, "検査項目ID";
        "OBR-5" => "ServiceRequest.priority (TQ1-9 がないとき)": part, "優先度";
        "OBR-7" => "ServiceRequest.occurrence[x]": part, "検査/採取日時";
        "OBR-8" => "ServiceRequest.occurrence[x]": part, "検査/採取終了日時";
        "OBR-12" => "ServiceRequest.note": map order::danger, "危険(検体)コード";
        "OBR-13" => "ServiceRequest.note": map order::clinical_information, "関連臨床情報";
        "OBR-16" => "ServiceRequest.requester (ORC-12 がないとき)": part, "依頼者";
        "OBR-22" => "DiagnosticReport.issued, Observation.issued": part, "結果報告/状態変更-日時";
        "OBR-24" => "DiagnosticReport.code": part, "診断部門ID";
        "OBR-25" => "DiagnosticReport.status": part, "結果状態";
        "OBR-26" => "Observation.derivedFrom": part, "親結果";
        "OBR-28" => "": lost, "結果コピー送付先";
        "OBR-29" => "": lost, "親オーダ番号";
        "OBR-36" => "": lost, "予定日時";
        "TQ1-1" => "": ignored Ignored::Structural, "セットID - TQ1";
        "TQ1-2" => "": lost, "数量";
        "TQ1-3" => "": lost, "繰返しパターン";
        "TQ1-4" => "": lost, "明示的時刻";
        "TQ1-5" => "": lost, "相対時刻と単位";
        "TQ1-6" => "": lost, "サービス期間";
        "TQ1-7" => "ServiceRequest.occurrence[x] (OBR-7 がないとき)": always order::occurrence, "開始日時";
        "TQ1-8" => "ServiceRequest.occurrence[x] (OBR-7 がないとき)": part, "終了日時";
        "TQ1-9" => "ServiceRequest.priority": always order::priority, "優先度";
        "TQ1-10" => "": lost, "条件テキスト";
        "TQ1-11" => "ServiceRequest.note": map order::instruction, "テキスト指示";
        "TQ1-12" => "": lost, "結合";
        "TQ1-13" => "": lost, "事象継続期間";
        "TQ1-14" => "": lost, "事象総数";
        "OBX-1" => "": ignored Ignored::Structural, "セットID - OBX";
        "OBX-3" => "ServiceRequest.code (依頼項目)": part, "検査項目";
        "OBX-11" => "ServiceRequest (O: 依頼項目)": part, "検査結果状態";
        "NTE-3" => "ServiceRequest.note": part, "コメント";
        "PID-3" => "ServiceRequest.subject": part, "患者IDリスト";
    }
}

table! {
    /// OBR → DiagnosticReport (JP_DiagnosticReport_LabResult, JP_DiagnosticReport_Microbiology).
    /// HL7 v2.5 §4.5.3; SS-MIX2 OML-11.
    OBR_TO_JP_DIAGNOSTIC_REPORT: "DiagnosticReport" {
        "" => "DiagnosticReport.category, code": part, "(検体検査報告書 固定)";
        "OBR-2" => "DiagnosticReport.identifier": map report::placer, "依頼者オーダ番号";
        "OBR-3" => "DiagnosticReport.identifier": map report::filler, "実施者オーダ番号";
        "OBR-4" => "DiagnosticReport.category, DiagnosticReport.code.text": part, "検査項目ID";
        "OBR-7" => "DiagnosticReport.effective[x]": always report::effective, "検査/採取日時";
        "OBR-8" => "DiagnosticReport.effective[x]": part, "検査/採取終了日時";
        "OBR-22" => "DiagnosticReport.issued": map report::issued, "結果報告/状態変更-日時";
        "OBR-24" => "DiagnosticReport.code (MB: 微生物学的検査報告書)": part, "診断部門ID";
        "OBR-25" => "DiagnosticReport.status": part, "結果状態";
        "OBR-26" => "Observation.derivedFrom": part, "親結果";
        "ORC-1" => "DiagnosticReport.status (取り消し)": part, "オーダ制御";
        "OBX-11" => "DiagnosticReport.status (OBR-25 がないとき)": part, "検査結果状態";
        "SPM-17" => "DiagnosticReport.effective[x] (OBR-7 がないとき)": part, "検体採取日時";
        "ORC-5" => "DiagnosticReport.status (結果がないとき)": part, "オーダ状態";
        "PID-3" => "DiagnosticReport.subject": part, "患者IDリスト";
    }
}

table! {
    /// OBX → Observation (JP_Observation_LabResult, JP_Observation_Microbiology). HL7 v2.5 §7.4.2;
    /// SS-MIX2 OML-11.
    OBX_TO_JP_OBSERVATION_LAB_RESULT: "Observation" keeps "OBX" {
        "" => "Observation.category": part, "(laboratory 固定)";
        "OBX-1" => "": ignored Ignored::Structural, "セットID - OBX";
        "OBX-2" => "Observation.value[x]": part, "値型";
        "OBX-3" => "Observation.code, Observation.identifier": part, "検査項目";
        "OBX-4" => "Observation.identifier": part, "検査副ID";
        "OBX-5" => "Observation.value[x]": part, "結果値";
        "OBX-6" => "Observation.valueQuantity.unit, .code": part, "単位";
        "OBX-7" => "Observation.referenceRange": part, "基準値範囲";
        "OBX-8" => "Observation.interpretation": part, "異常フラグ";
        "OBX-9" => "": lost, "確率";
        "OBX-10" => "": lost, "異常検査の性質";
        "ORC-1" => "Observation.status (取り消し)": part, "オーダ制御";
        "OBX-11" => "Observation.status": part, "検査結果状態";
        "OBX-12" => "": lost, "基準値範囲の有効日";
        "OBX-13" => "": lost, "利用者定義アクセス点検";
        "OBX-14" => "Observation.effective[x]": part, "検査日時";
        "OBX-15" => "": lost, "検査実施者ID";
        "OBX-16" => "Observation.performer": part, "責任観察者";
        "OBX-17" => "Observation.method": part, "検査方法";
        "OBX-18" => "": lost, "機器インスタンス識別子";
        "OBX-19" => "": lost, "分析日時";
        "SPM-2" => "Observation.specimen, Observation.identifier": part, "検体ID";
        "SPM-4" => "Observation.specimen": part, "検体タイプ";
        "SPM-17" => "Observation.effective[x] (OBX-14 がないとき)": part, "検体採取日時";
        "OBR-2" => "Observation.identifier (ORC-2 がないとき)": part, "依頼者オーダ番号";
        "OBR-7" => "Observation.effective[x] (OBX-14, SPM-17 がないとき)": part, "検査/採取日時";
        "OBR-8" => "Observation.effective[x] (OBX-14, SPM-17 がないとき)": part, "検査/採取終了日時";
        "OBR-22" => "Observation.issued": part, "結果報告/状態変更-日時";
        "OBR-26" => "Observation.derivedFrom": part, "親結果";
        "ORC-2" => "Observation.identifier, Observation.basedOn": part, "依頼者オーダ番号";
        "NTE-3" => "Observation.note": part, "コメント";
        "PID-3" => "Observation.subject": part, "患者IDリスト";
    }
}

/// Tables of the laboratory kinds.
pub static TABLES: &[Worded] = crate::worded![
    SPM_TO_JP_SPECIMEN,
    ORC_TO_JP_SERVICE_REQUEST,
    OBR_TO_JP_DIAGNOSTIC_REPORT,
    OBX_TO_JP_OBSERVATION_LAB_RESULT,
];
