//! Messages of an invented patient.

use serde_json::Value;

use crate::Output;
use crate::testing::{all, at, convert, convert_patient, one, path, reported, resolve};

const HEAD: &str = "MSH|^~\\&|WRF|WRF|GW|GW|20260407111001.333||OMG^O19^OMG_O19|1|P|2.5
PID|0001||0000990001^^^^PI||割符^花子^^^^^L^I||19680303|F
PV1|0001|I|4W^412^3^^^N";

const DOCTOR: &str = "D0101^見立^一郎^^^^^^^L^^^^^I";

fn orc(control: &str, number: &str, parent: &str) -> String {
    format!(
        "ORC|{control}|{number}||||||{parent}|20260407111000|C0401^受付^花代||{DOCTOR}|4W^412^3^^^N|||02^再検^99WRF|08^循環器科^HL70069|PC08|||架空割符病院||||||||I^入院患者オーダ^HL70482"
    )
}

fn order() -> Output {
    let text = format!(
        "{HEAD}
        {}
        TQ1|1||||||20260407||R^ルーチン^HL70485
        OBR||000000260407061||1000000000000000^Ｘ線単純撮影^JJ1017||||||||N^感染症なし^99WRF||||{DOCTOR}||||||||||||||||||||202604071400
        {}
        TQ1|1||||||20260407||R^ルーチン^HL70485
        OBR||000000260407061||1000000000000000^Ｘ線単純撮影^JJ1017||||||||N^感染症なし^99WRF||||{DOCTOR}||||||||||||||||||||202604071400
        NTE|1||歩行可
        OBX|1|NM|01-02^体重^JSHR001||54.0|kg^kg^ISO+|||||F
        OBX|2|TX|MS3-34^臨床病名^JSHR||狭心症の疑い||||||O
        OBX|3|TX|MS3-04^検査理由^JSHR||入院時検査||||||F
        NTE|1||急がず
        {}
        TQ1|1|||||||20260408|S^至急^HL70485
        OBR||000000260407062||10000002000202000000030000000000^胸部^JJ1017|||||||||||||||||||||||||000000260407061",
        orc("NW", "000000260407061", ""),
        orc("PA", "000000260407061", ""),
        orc("CH", "000000260407062", "000000260407061"),
    );
    convert("OMG-01", &text)
}

fn by_code(list: &[Value], code: &str) -> Value {
    list.iter()
        .find(|v| v.pointer("/code/coding/0/code").and_then(Value::as_str) == Some(code))
        .cloned()
        .unwrap_or_else(|| panic!("{code} in {list:#?}"))
}

#[test]
fn new_and_parent_rows_are_one_request_and_each_child_refers_to_it() {
    let out = order();
    let list = all(&out, "ServiceRequest");
    assert_eq!(list.len(), 2, "{list:#?}");
    let parent = by_code(&list, "1000000000000000");
    assert_eq!(
        at(&parent, "/meta/profile/0"),
        "http://jpfhir.jp/fhir/core/StructureDefinition/JP_ServiceRequest_Common"
    );
    assert_eq!(at(&parent, "/identifier/0/value"), "000000260407061");
    assert_eq!(at(&parent, "/identifier/0/type/coding/0/code"), "PLAC");
    assert_eq!(parent["identifier"].as_array().map(Vec::len), Some(1));
    assert_eq!(at(&parent, "/status"), "active");
    assert_eq!(at(&parent, "/intent"), "order");
    assert_eq!(at(&parent, "/category/0/coding/0/code"), "363679005");
    assert_eq!(at(&parent, "/priority"), "routine");
    assert_eq!(
        at(&parent, "/occurrenceDateTime"),
        "2026-04-07T14:00:00+09:00"
    );
    assert_eq!(at(&parent, "/authoredOn"), "2026-04-07T11:10:00+09:00");
    assert_eq!(at(&parent, "/reasonCode/0/text"), "再検");
    assert_eq!(at(&parent, "/reasonCode/1/text"), "入院時検査");
    assert_eq!(at(&parent, "/note/0/text"), "危険検体コード: 感染症なし");
    assert_eq!(at(&parent, "/note/1/text"), "歩行可");
    assert_eq!(parent["supportingInfo"].as_array().map(Vec::len), Some(3));
    let role = resolve(&out, &parent["requester"]["reference"]);
    assert_eq!(role["resourceType"], "PractitionerRole");
    let child = by_code(&list, "10000002000202000000030000000000");
    assert_eq!(
        at(&child, "/basedOn/0/reference"),
        format!("ServiceRequest/{}", at(&parent, "/id"))
    );
    assert_eq!(at(&child, "/priority"), "stat");
    assert_eq!(
        at(&child, "/code/coding/0/system"),
        "urn:x-ssmix2:1319999999:JJ1017"
    );
    assert!(!reported(&out, "MAP401"));
}

#[test]
fn findings_sent_along_become_observations() {
    let out = order();
    let list = all(&out, "Observation");
    assert_eq!(list.len(), 3);
    let weight = by_code(&list, "01-02");
    assert_eq!(weight["valueQuantity"]["value"].to_string(), "54.0");
    assert_eq!(at(&weight, "/valueQuantity/code"), "kg");
    assert_eq!(at(&weight, "/category/0/coding/0/code"), "body-measurement");
    assert_eq!(at(&weight, "/status"), "final");
    // O is a statement of the order, not a result.
    assert_eq!(at(&by_code(&list, "MS3-34"), "/status"), "unknown");
    assert_eq!(at(&by_code(&list, "MS3-04"), "/note/0/text"), "急がず");
}

#[test]
fn rows_of_one_order_that_disagree_are_reported_and_completed() {
    let text = format!(
        "{HEAD}
        ORC|NW|11|F1||||||20260407111000|||{DOCTOR}
        TQ1|1||||||||R
        OBR||11||110^検査^LENDO
        ORC|PA|12|||||||20260407111000|||{DOCTOR}
        TQ1|1||||||||S
        OBR||11||110^検査^LENDO
        ORC|CH|13||||||11|20260407111000
        OBR||13||111^上部^LENDO|||||||||||||||||||||||||11
        ORC|CH|14||||||99|20260407111000
        OBR||14||112^下部^LENDO",
    );
    let out = convert("OMG-02", &text);
    let list = all(&out, "ServiceRequest");
    assert_eq!(list.len(), 3);
    assert!(reported(&out, "MAP401"));
    let parent = by_code(&list, "110");
    assert_eq!(at(&parent, "/priority"), "stat");
    assert!(
        parent["identifier"]
            .as_array()
            .is_some_and(|i| i.iter().any(|v| v["value"] == "F1"))
    );
    assert_eq!(at(&parent, "/category/0/coding/0/code"), "71388002");
    let id = format!("ServiceRequest/{}", at(&parent, "/id"));
    assert_eq!(at(&by_code(&list, "111"), "/basedOn/0/reference"), id);
    // A parent number that is not in the file: the order before is taken.
    assert_eq!(at(&by_code(&list, "112"), "/basedOn/0/reference"), id);
}

#[test]
fn what_rows_of_one_order_say_differently_is_kept() {
    let row = |control: &str, time: &str, about: &str, told: &str| {
        format!(
            "ORC|{control}|11|||||||20260407111000
        TQ1|1||||||{time}||R||{told}
        OBR||11||110^検査^LENDO|||{time}||||||{about}\n"
        )
    };
    let text = format!(
        "{HEAD}\n{}{}",
        row("NW", "20260401093000+0900", "喘息あり", "絶食で"),
        row("PA", "20260401093000", "妊娠中", "朝食可")
    );
    let out = convert("OMG-02", &text);
    let order = one(&out, "ServiceRequest");
    let kept: Vec<&str> = order["extension"]
        .as_array()
        .map(|all| {
            all.iter()
                .filter_map(|e| e["valueString"].as_str())
                .collect()
        })
        .unwrap_or_default();
    for said in ["喘息あり", "絶食で"] {
        assert!(kept.contains(&said), "{order:#}");
    }
    for said in ["妊娠中", "朝食可"] {
        assert!(order.to_string().contains(said), "{order:#}");
    }
    // One time, written with its zone and without.
    let differ = out.diagnostics.iter().filter(|d| d.code.code == "MAP401");
    let differ: Vec<_> = differ.filter_map(|d| d.argument.as_deref()).collect();
    assert_eq!(differ, ["TQ1-11", "OBR-13"]);
}

#[test]
fn a_child_without_parent_row_refers_by_number_and_a_cancel_revokes() {
    let out = convert(
        "OMG-01",
        &format!(
            "{HEAD}\nORC|CH|13||||||11|20260407111000\nOBR||13||111^上部^LENDO\nORC|CA|15|||||||20260407111000\nOBR||15||115^頭部^JJ1017"
        ),
    );
    let list = all(&out, "ServiceRequest");
    let child = by_code(&list, "111");
    assert_eq!(at(&child, "/basedOn/0/identifier/value"), "11");
    assert!(reported(&out, "MAP405"));
    assert_eq!(at(&by_code(&list, "115"), "/status"), "revoked");
}

fn performed() -> Output {
    let text = format!(
        "{}
        {}
        TQ1|1||||||||R
        OBR||000000260407061||1000000000000000^Ｘ線単純撮影^JJ1017|||202604071405|||||||||{DOCTOR}||||||20260407142000|||F
        IPC|A2604070001|RP1|1.2.392.999999.9999.20260407.1||CR^^DCM||RM3||WRFCR03
        {}
        TQ1|1||||||||R
        OBR||000000260407062||1000000200^胸部^JJ1017|||202604071405|||||||||{DOCTOR}||||||20260407142000|||F||||000000260407061
        ZE1|1|RS|1000000200^胸部^JJ1017|2|X1^時間外加算^99WRF|RT-01^EM-01|T0301^光^撮子|DE-01~DE-02|F0101^半切フィルム^99WRF^1^SHT&枚&MR9P^2~100558502^架空注^HOT9^0.5^AMP&アンプル&MR9P|03-0000-0000|再撮影あり|会計
        OBX|1|XCN|DR-02.EM-01^正従業員の読影医^JSHR||D0105^写^光||||||F
        OBX|2|TS|TM-P1^開始時間^JSHR||20260407140512||||||F
        OBX|3|TS|TM-P2^終了時間^JSHR||20260407140901||||||F
        OBX|4|TS|TM-B1^生検時間^JSHR||20260407140600||||||F
        OBX|5|CWE|DE-06^内視鏡^JSHR||4999999999990^割符式内視鏡^JAN||||||F
        OBX|6|CWE|PF-01^実施加算項目^JSHR||327^色素加算^LENDO||||||F
        ZE2|1|120^kV&kV&ISO+|200^mA&mA&ISO+|||3
        ZE1|2|YT|1000000300^腹部^JJ1017
        IPC|A2604070001|RP1|1.2.392.999999.9999.20260407.1||CR^^DCM||RM3||WRFCR03",
        HEAD.replace("OMG^O19^OMG_O19", "OMI^Z23^OMI_Z23"),
        orc("NW", "000000260407061", ""),
        orc("CH", "000000260407062", "000000260407061"),
    );
    convert("OMG-11", &text)
}

#[test]
fn one_study_for_one_uid_though_every_row_repeats_it() {
    let out = performed();
    let study = one(&out, "ImagingStudy");
    assert_eq!(
        at(&study, "/meta/profile/0"),
        "http://jpfhir.jp/fhir/core/StructureDefinition/JP_ImagingStudy_Radiology"
    );
    let ids: Vec<&str> = (0..3)
        .map(|i| at(&study, &format!("/identifier/{i}/value")))
        .collect();
    assert_eq!(
        ids,
        [
            "A2604070001",
            "RP1",
            "urn:oid:1.2.392.999999.9999.20260407.1"
        ]
    );
    assert_eq!(at(&study, "/identifier/0/type/coding/0/code"), "ACSN");
    assert_eq!(at(&study, "/identifier/2/system"), "urn:dicom:uid");
    assert_eq!(at(&study, "/status"), "available");
    assert_eq!(at(&study, "/modality/0/code"), "CR");
    assert_eq!(
        at(&study, "/modality/0/system"),
        "http://dicom.nema.org/resources/ontology/DCM"
    );
    assert_eq!(at(&study, "/started"), "2026-04-07T14:05:00+09:00");
    assert_eq!(study["basedOn"].as_array().map(Vec::len), Some(2));
    for b in [0, 1] {
        assert_eq!(
            resolve(&out, &study["basedOn"][b]["reference"])["status"],
            "completed"
        );
    }
    assert_eq!(at(&study, "/procedureCode/0/coding/0/code"), "1000000200");
    assert_eq!(study["procedureCode"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        resolve(&out, &study["procedureReference"]["reference"])["resourceType"],
        "Procedure"
    );
}

#[test]
fn a_row_neither_planned_nor_performed_is_kept_without_a_status() {
    for (control, status) in [("RS", "completed"), ("", "completed"), ("IM", "unknown")] {
        let out = convert(
            "OMG-11",
            &format!(
                "{HEAD}\nORC|CH|1|||||||20260407111000\nOBR||1||110^検査^LENDO|||20260407\nZE1|1|{control}|110^検査^LENDO|||DR-01|T1^光^撮子"
            ),
        );
        let p = one(&out, "Procedure");
        assert_eq!(at(&p, "/status"), status);
        assert_eq!(p.to_string().contains("\"IM\""), status == "unknown");
        assert_eq!(reported(&out, "MAP008"), status == "unknown");
    }
    let out = convert(
        "OMG-11",
        &format!(
            "{HEAD}\nORC|CH|1|||||||20260407111000\nOBR||1||110^検査^LENDO\nZE1|1|PL|110^検査^LENDO"
        ),
    );
    assert!(all(&out, "Procedure").is_empty() && reported(&out, "MAP403"));
}

#[test]
fn an_examination_that_was_cancelled_was_not_done() {
    for (control, order, result, procedure, study, told) in [
        ("CH", "CM", "F", "completed", "available", false),
        ("CH", "CA", "", "not-done", "cancelled", true),
        ("CH", "DC", "F", "stopped", "cancelled", true),
        ("CH", "", "X", "not-done", "cancelled", true),
        ("CA", "", "", "entered-in-error", "cancelled", true),
    ] {
        let out = convert(
            "OMG-11",
            &format!(
                "{HEAD}\nORC|PA|1|||CM||||20260407111000\nOBR||1||1^検査^LENDO|||202604071400||||||||||||||||||F\nIPC|E1||1.2.3||MR^^DCM\nORC|{control}|2|||{order}|||1|20260407111000\nOBR||2||110^検査^LENDO|||202604071400||||||||||||||||||{result}||||1\nZE1|1|RS|110^検査^LENDO|||||DE-02|100558502^架空注^HOT9^1^AMP&アンプル&MR9P\nIPC|E1||1.2.3||MR^^DCM"
            ),
        );
        let state = |kind| one(&out, kind)["status"].clone();
        assert_eq!(state("Procedure"), procedure, "{control} {order} {result}");
        assert_eq!(state("ImagingStudy"), study, "{control} {order} {result}");
        assert_eq!(state("MedicationAdministration"), procedure, "{order}");
        assert_eq!(reported(&out, "MAP409"), told, "{control} {order} {result}");
    }
}

#[test]
fn a_result_of_a_cancelled_order_is_no_final_report() {
    for (order, status) in [("CM", "final"), ("CA", "cancelled"), ("DC", "cancelled")] {
        let orc = format!("ORC|SC|000000260401031|||{order}||||20260401093500\n");
        let out = ecg(&orc, "F");
        assert_eq!(at(&one(&out, "DiagnosticReport"), "/status"), status);
        assert_eq!(reported(&out, "MAP409"), status != "final", "{order}");
    }
    // A report that came to nothing, of an order that is completed, or not.
    for (order, told) in [("CM", true), ("", false)] {
        let text = format!(
            "{HEAD}\nORC|SC|1|||{order}\nOBR||1||US^心エコー^99|||202604071400||||||||||||||||||X"
        );
        let out = convert("OMG-13", &text);
        assert_eq!(at(&one(&out, "DiagnosticReport"), "/status"), "cancelled");
        assert_eq!(reported(&out, "MAP409"), told, "{order}");
    }
}

#[test]
fn a_priority_that_fhir_lacks_is_kept_and_is_no_routine() {
    for (sent, want, unknown) in [
        ("S^緊急^HL70485", Some("stat"), false),
        ("R^ルーチン^HL70485", Some("routine"), false),
        ("T^特急^HL70485", None, false),
        ("P^術前^HL70485", None, false),
        ("X^緊急^99L", None, true),
        ("^至急", None, true),
    ] {
        let head = "MSH|^~\\&|A|B|C|D|20260407111001||OML^O33^OML_O33|1|P|2.5\nPID|1||0000990001";
        let drug = "MSH|^~\\&|A|B|C|D|20260407111001||RDE^O11^RDE_O11|1|P|2.5\nPID|1||0000990001";
        for (kind, of, text) in [
            (
                "OMG-01",
                "ServiceRequest",
                format!("{HEAD}\nORC|NW|1\nTQ1|1||||||||{sent}\nOBR||1||110^検査^LENDO"),
            ),
            (
                "OML-01",
                "ServiceRequest",
                format!(
                    "{head}\nSPM|1|S1||023^血清^JC10\nORC|NW|1\nTQ1|1||||||||{sent}\nOBR|1|1||E2^生化学^99"
                ),
            ),
            (
                "OMP-01",
                "MedicationRequest",
                format!(
                    "{drug}\nORC|NW|1||1\nRXE||103835401^薬^HOT9|1||TAB^錠^MR9P\nTQ1|1||||||||{sent}\nRXR|PO"
                ),
            ),
        ] {
            let out = convert(kind, &text);
            let r = one(&out, of);
            assert_eq!(r["priority"].as_str(), want, "{kind} {sent}");
            let kept = r.to_string().matches("field:TQ1-9").count();
            assert_eq!(kept, usize::from(want.is_none()), "{kind} {sent}: {r:#}");
            assert_eq!(
                r.to_string().contains(sent),
                want.is_none(),
                "{kind} {sent}"
            );
            assert_eq!(reported(&out, "MAP003"), want.is_none(), "{kind} {sent}");
            assert_eq!(reported(&out, "MAP008"), unknown, "{kind} {sent}");
        }
    }
}

#[test]
fn a_performed_row_becomes_a_procedure() {
    let out = performed();
    let p = one(&out, "Procedure");
    assert!(reported(&out, "MAP403"), "the planned row is named");
    assert_eq!(at(&p, "/status"), "completed");
    assert_eq!(at(&p, "/code/coding/0/code"), "1000000200");
    assert_eq!(
        at(&p, "/performedPeriod/start"),
        "2026-04-07T14:05:12+09:00"
    );
    assert_eq!(at(&p, "/performedPeriod/end"), "2026-04-07T14:09:01+09:00");
    assert_eq!(at(&p, "/performer/0/function/coding/0/code"), "RT-01.EM-01");
    assert_eq!(at(&p, "/performer/0/actor/display"), "光 撮子");
    assert_eq!(at(&p, "/performer/1/function/text"), "正従業員の読影医");
    assert_eq!(at(&p, "/performer/1/actor/display"), "写 光");
    assert_eq!(at(&p, "/usedCode/0/coding/0/code"), "F0101");
    assert_eq!(at(&p, "/usedCode/1/coding/0/code"), "4999999999990");
    let notes: Vec<&str> = p["note"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|n| n["text"].as_str())
        .collect();
    for text in [
        "手技回数: 2",
        "医事加算: 時間外加算 X1",
        "実施フィールド: 再撮影あり",
        "半切フィルム 1枚 (フィルム分割数 2)",
        "生検時間: 2026-04-07T14:06:00+09:00",
        "実施加算項目: 色素加算 (327)",
        "管電圧 120 kV、管電流 200 mA、照射回数 3",
    ] {
        assert!(notes.contains(&text), "{text} in {notes:#?}");
    }
    let drug = one(&out, "MedicationAdministration");
    assert_eq!(
        at(&drug, "/medicationCodeableConcept/coding/0/code"),
        "100558502"
    );
    assert_eq!(
        at(&drug, "/medicationCodeableConcept/coding/0/system"),
        "http://medis.or.jp/CodeSystem/master-HOT9"
    );
    assert_eq!(drug["dosage"]["dose"]["value"].to_string(), "0.5");
    assert_eq!(at(&drug, "/dosage/dose/code"), "AMP");
    assert_eq!(
        at(&drug, "/effectivePeriod/start"),
        "2026-04-07T14:05:12+09:00"
    );
    assert_eq!(
        at(&drug, "/partOf/0/reference"),
        format!("Procedure/{}", at(&p, "/id"))
    );
}

#[test]
fn endoscopy_claims_no_radiology_profile_and_odd_ids_are_named() {
    let out = convert(
        "OMG-12",
        &format!(
            "{HEAD}\nORC|NW|1|||||||20260407111000\nOBR||1||110^検査^LENDO|||20260407\nIPC|E1||1.2.abc||内視鏡^^99WRF\nIPC|E2||||ES^^DCM"
        ),
    );
    let list = all(&out, "ImagingStudy");
    assert_eq!(list.len(), 2);
    assert!(list.iter().all(|s| s.pointer("/meta/profile").is_none()));
    assert!(reported(&out, "MAP402") && reported(&out, "MAP404") && reported(&out, "MAP009"));
    assert_eq!(
        at(&list[0], "/identifier/1/system"),
        "urn:x-ssmix2:1319999999:study-instance-uid"
    );
    assert_eq!(at(&list[0], "/procedureCode/0/coding/0/code"), "110");
}

#[test]
fn drugs_without_a_time_stay_with_the_procedure() {
    let out = convert(
        "OMG-12",
        &format!(
            "{HEAD}\nORC|CH|1|||||||20260407111000\nOBR||1||110^検査^LENDO\nZE1|1|RS|110^検査^LENDO\nOBX|1|ZRD|DE-02^薬品^JSHR||100558502^架空注^HOT9^1^AMP&アンプル&MR9P||||||F\nIPC|E1||1.2.3||ES^^DCM"
        ),
    );
    assert!(all(&out, "MedicationAdministration").is_empty());
    assert!(reported(&out, "MAP406"));
    assert_eq!(
        at(&one(&out, "Procedure"), "/usedCode/0/coding/0/code"),
        "100558502"
    );
}

fn ecg(orc: &str, status: &str) -> Output {
    convert(
        "OMG-13",
        &format!(
            "{}\n{orc}OBR|1|000000260401031||9A110^標準１２誘導心電図^JC10|||202604010948|||||||||{DOCTOR}||||||20260401101200|||{status}
            OBX|1|TX|9A100&IMP^心電図所見^JC10|1|ＳＴ低下\\.br\\変化あり|||A|||F
            OBX|2|NM|32769^心拍数^99MFR|2|74|bpm^bpm^99MFR|||||F|||20260401094800
            OBX|3|NM|58368&7^R 振幅&V5^99MFR|2|2.505|mV|||||P
            OBX|4|ST|9A100&IMP^心電図所見^JC10|1|要精査||||||F",
            HEAD.replace("OMG^O19^OMG_O19", "ORU^R01^ORU_R01"),
        ),
    )
}

#[test]
fn a_physiology_result_becomes_a_report_with_conclusion() {
    let out = ecg("ORC|SC|000000260401031|||CM||||20260401093500\n", "F");
    let report = one(&out, "DiagnosticReport");
    assert_eq!(
        at(&report, "/meta/profile/0"),
        "http://jpfhir.jp/fhir/core/StructureDefinition/JP_DiagnosticReport_Common"
    );
    assert_eq!(at(&report, "/status"), "final");
    assert_eq!(at(&report, "/code/text"), "標準１２誘導心電図");
    assert_eq!(at(&report, "/category/0/coding/0/code"), "EC");
    assert_eq!(
        at(&report, "/effectiveDateTime"),
        "2026-04-01T09:48:00+09:00"
    );
    assert_eq!(at(&report, "/issued"), "2026-04-01T10:12:00+09:00");
    assert_eq!(at(&report, "/conclusion"), "ＳＴ低下\n変化あり\n要精査");
    assert_eq!(report["result"].as_array().map(Vec::len), Some(4));
    let request = resolve(&out, &report["basedOn"][0]["reference"]);
    assert_eq!(request["status"], "completed");
    assert_eq!(at(&request, "/category/0/coding/0/code"), "29303009");
    assert!(
        request.get("supportingInfo").is_none(),
        "results are no findings sent along"
    );
    let list = all(&out, "Observation");
    let rate = by_code(&list, "32769");
    assert_eq!(at(&rate, "/category/0/coding/0/code"), "exam");
    assert_eq!(rate["valueQuantity"]["value"].to_string(), "74");
    assert_eq!(at(&rate, "/effectiveDateTime"), "2026-04-01T09:48:00+09:00");
    let lead = by_code(&list, "58368&7");
    assert_eq!(at(&lead, "/status"), "preliminary");
    assert_eq!(at(&lead, "/effectiveDateTime"), "2026-04-01T09:48:00+09:00");
}

#[test]
fn a_report_without_orc_names_the_order_by_number_and_takes_the_worst_status() {
    let out = ecg("", "");
    let report = one(&out, "DiagnosticReport");
    assert_eq!(at(&report, "/status"), "preliminary");
    assert_eq!(
        at(&report, "/basedOn/0/identifier/value"),
        "000000260401031"
    );
    assert!(all(&out, "ServiceRequest").is_empty());
}

#[test]
fn every_field_that_the_standard_defines_for_imaging_is_a_row() {
    let kinds = ["OMG-01", "OMG-02", "OMG-03", "OMG-11", "OMG-12", "OMG-13"];
    for segment in ["ORC", "TQ1", "OBR", "OBX", "IPC", "ZE1", "ZE2", "NTE"] {
        let info = warifu_terms::fields::segment(segment).unwrap();
        for f in info.fields().filter(|f| {
            kinds
                .iter()
                .any(|k| f.usage_in(k) != warifu_terms::fields::Usage::NotUsed)
        }) {
            let source = format!("{segment}-{}", f.n);
            assert!(
                super::TABLES
                    .iter()
                    .any(|t| t.table.rows.iter().any(|r| r.row.source == source)),
                "{source} {}",
                f.ja
            );
        }
    }
}

#[test]
fn hostile_orders_end_in_time_and_without_panic() {
    let mut text = String::from(HEAD);
    for i in 0..3_000 {
        text.push_str(
            &["\nORC|CH|{i}||||||{}\nOBR||||\nZE1||RS|\nIPC|||1.2.{i}"]
                .concat()
                .replace("{i}", &i.to_string())
                .replace("{}", &(i + 1).to_string()),
        );
    }
    let out = convert("OMG-11", &text);
    assert_eq!(all(&out, "ImagingStudy").len(), 3_000);
}

/// What the public samples give, by data kind.
#[test]
#[allow(clippy::print_stdout, reason = "a skipped test says so")]
fn public_samples_convert() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(
        "../../../shared/samples/ssmix2/nho-testing-tool/standard_root/999/901/9999013/20111220",
    );
    if !root.is_dir() {
        println!("skipped: ../shared is absent");
        return;
    }
    for (kind, types) in [
        ("OMG-01", &[("ServiceRequest", 5), ("Observation", 1)][..]),
        ("OMG-02", &[("ServiceRequest", 2), ("Observation", 4)]),
        ("OMG-03", &[("ServiceRequest", 1), ("Observation", 1)]),
        (
            "OMG-11",
            &[("ServiceRequest", 2), ("ImagingStudy", 1), ("Procedure", 1)],
        ),
        (
            "OMG-12",
            &[
                ("ServiceRequest", 3),
                ("ImagingStudy", 1),
                ("Procedure", 3),
                ("MedicationAdministration", 3),
            ],
        ),
        ("OMG-13", &[("DiagnosticReport", 1), ("Observation", 12)]),
    ] {
        let file = std::fs::read_dir(root.join(kind))
            .unwrap()
            .next()
            .unwrap()
            .unwrap();
        let name = format!(
            "999/901/9999013/20111220/{kind}/{}",
            file.file_name().to_str().unwrap()
        );
        let bytes = std::fs::read(file.path()).unwrap();
        let mut out = Output::new();
        crate::Converter::new(crate::testing::options()).convert(
            crate::File {
                path: &name,
                bytes: &bytes,
            },
            0,
            &mut out,
        );
        let counts = out.counts();
        for (ty, n) in types {
            assert_eq!(counts.get(ty), Some(n), "{kind} {ty}: {counts:?}");
        }
        for r in &out.resources {
            assert!(
                serde_json::from_slice::<Value>(out.json_of(r)).is_ok(),
                "{kind} {}",
                r.resource_type
            );
        }
    }
}

#[test]
fn what_is_told_twice_is_kept_apart_or_told_to_be_dropped() {
    use crate::testing::{convert_patient, path};
    let file = |kind: &str, date: &str, rows: &str| {
        (
            path(kind, date, &format!("{date}090000000"), "01", '1'),
            format!("{HEAD}\n{rows}"),
        )
    };
    let two = |kind: &str, rows: &str| {
        let (a, b) = (file(kind, "20260407", rows), file(kind, "20260408", rows));
        convert_patient(&[(a.0, &a.1), (b.0, &b.1)])
    };
    // One number is one request, whichever file tells of it.
    let out = two("OMG-01", "ORC|NW|11\nOBR||11||110^胸部^JJ1017");
    assert!(reported(&out, "MAP016"));
    assert_eq!(all(&out, "ServiceRequest").len(), 1);
    // Results of two files with one number are kept apart.
    let report = "OBR||11||9A110^心電図^JC10\nOBX|1|TX|9A110^所見^JC10||正常||||||F";
    let out = two("OMG-13", report);
    assert!(reported(&out, "MAP013") && !reported(&out, "MAP016"));
    assert_eq!(all(&out, "DiagnosticReport").len(), 2);
    // So are two reports of one test in a message.
    let out = convert("OMG-13", &format!("{HEAD}\n{report}\n{report}"));
    assert!(reported(&out, "MAP015") && !reported(&out, "MAP016"));
    assert_eq!(all(&out, "DiagnosticReport").len(), 2);
    assert_eq!(all(&out, "Observation").len(), 2);
}

#[test]
fn the_result_says_how_far_the_order_has_come() {
    use crate::testing::{convert_patient, path};
    let message = |kind: &str, sent: &str, rows: &str| {
        let head = HEAD.replace("20260407111001.333", sent);
        (
            path(kind, "20260407", sent, "01", '1'),
            format!("{head}\n{rows}"),
        )
    };
    let order = |sent: &str, control: &str| {
        message(
            "OMG-01",
            sent,
            &format!("ORC|{control}|11|||||||20260407111000\nOBR||11||110^胸部^JJ1017"),
        )
    };
    let result = |sent: &str, state: &str| {
        message(
            "OMG-11",
            sent,
            &format!("ORC|CH|11|||{state}||||20260407111000\nOBR||11||110^胸部^JJ1017|||20260408"),
        )
    };
    let status = |files: [(String, String); 2]| {
        let files = files.map(|(path, text)| (path, text));
        let out = convert_patient(&[
            (files[0].0.clone(), files[0].1.as_str()),
            (files[1].0.clone(), files[1].1.as_str()),
        ]);
        assert!(reported(&out, "MAP408"));
        at(&one(&out, "ServiceRequest"), "/status").to_owned()
    };
    let (early, late) = ("20260407120000", "20260408120000");
    assert_eq!(status([order(early, "NW"), result(late, "")]), "completed");
    assert_eq!(status([order(early, "NW"), result(late, "IP")]), "active");
    // Sent again after the result: the order is still done.
    assert_eq!(
        status([order(late, "XO"), result(early, "CM")]),
        "completed"
    );
    assert_eq!(status([order(late, "CA"), result(early, "CM")]), "revoked");
    assert_eq!(
        status([order(early, "CA"), result(late, "CM")]),
        "completed"
    );
    // What the result says beside the order's file is kept with what was performed.
    let commented = |kind: &str, rest: &str| {
        let text = "ORC|CH|11||||||||C1^受付^花代\nOBR||11||110^胸部^JJ1017|||20260408\nNTE|1||再撮影\nZZZ|備考\n";
        message(kind, late, &format!("{text}{rest}"))
    };
    let family = [
        ("OMG-01", "OMG-11", "ZE1||RS|110^胸部^JJ1017", "Procedure"),
        (
            "OMG-03",
            "OMG-13",
            "OBX|1|TX|9A110^所見^JC10||正常||||||F",
            "DiagnosticReport",
        ),
    ];
    for (order_kind, kind, rest, carrier) in family {
        let order = message(order_kind, early, "ORC|NW|11\nOBR||11||110^胸部^JJ1017");
        let result = commented(kind, rest);
        let out = convert_patient(&[(order.0, &order.1), (result.0, &result.1)]);
        assert!(reported(&out, "MAP408"));
        assert!(one(&out, "ServiceRequest").get("note").is_none());
        let kept: Vec<Value> = one(&out, carrier)["extension"].as_array().unwrap().clone();
        let mut kept: Vec<&str> = kept.iter().map(|e| at(e, "/valueString")).collect();
        kept.sort_unstable();
        let comment = (carrier == "Procedure").then_some("再撮影");
        let all: Vec<&str> = ["C1^受付^花代", "備考"]
            .into_iter()
            .chain(comment)
            .collect();
        assert_eq!(kept, all, "{carrier}");
    }
    // A result that is withdrawn by itself says nothing of the order.
    let withdrawn = result(late, "CM");
    let withdrawn = (withdrawn.0, withdrawn.1.replace("ORC|CH", "ORC|CA"));
    assert_eq!(status([order(early, "NW"), withdrawn]), "active");
}

#[test]
fn a_text_or_a_number_is_no_code_of_a_thing_used() {
    let text = format!(
        "{HEAD}\nORC|CH|1|||||||20260407111000\nOBR||1||110^検査^LENDO|||20260407\nZE1|1|RS|110^検査^LENDO\n\
        OBX|1|ST|DE-02^造影剤^99L||架空パミロン 100mL||||||F\nOBX|2|NM|DE-09^被ばく^99L||12.5|mGy^mGy^ISO+|||||F\nIPC|E1||1.2.3||ES^^DCM"
    );
    let out = convert("OMG-12", &text);
    let given = one(&out, "MedicationAdministration");
    let drug = &given["medicationCodeableConcept"];
    assert_eq!(*drug, serde_json::json!({"text": "架空パミロン 100mL"}));
    let procedure = one(&out, "Procedure");
    assert!(procedure.get("usedCode").is_none());
    assert!(procedure["note"].to_string().contains("被ばく: 12.5 mGy"));
}

#[test]
fn what_was_taken_back_of_a_procedure_says_nothing_of_it() {
    let convert = |control: &str, state: &str| {
        let text = format!(
            "{HEAD}\nORC|{control}|1|||||||20260407111000\nOBR||1||110^検査^LENDO|||20260407\nZE1|1|RS|110^検査^LENDO\n\
            OBX|1|CWE|DE-02^造影剤^JSHR||620007329^架空パミロン^HOT9^100||||||{state}\n\
            OBX|2|XCN|DR-02.EM-01^読影医^JSHR||D0105^写^光||||||{state}\n\
            OBX|3|TS|TM-P1^開始時間^JSHR||20260408100000||||||{state}\n\
            NTE|1||訂正前\n\
            OBX|4|CWE|DE-06^内視鏡^JSHR||4999^割符式内視鏡^JAN||||||F"
        );
        convert("OMG-12", &text)
    };
    for state in ["D", "W", "X"] {
        let out = convert("CH", state);
        let given = one(&out, "MedicationAdministration");
        assert_eq!(at(&given, "/status"), "entered-in-error", "{state}");
        let procedure = one(&out, "Procedure");
        assert_eq!(at(&procedure, "/status"), "completed");
        assert!(procedure.get("performer").is_none(), "{state}");
        assert_eq!(at(&procedure, "/performedDateTime"), "2026-04-07");
        assert_eq!(at(&procedure, "/usedCode/0/coding/0/code"), "4999");
        // It is kept as it was sent.
        let all: String = out
            .resources
            .iter()
            .map(|r| String::from_utf8_lossy(out.json_of(r)).into_owned())
            .collect();
        for sent in ["D0105^写^光", "20260408100000", "訂正前"] {
            assert!(all.contains(sent), "{state} {sent}");
        }
    }
    for state in ["F", "C", ""] {
        let out = convert("CH", state);
        assert_eq!(
            at(&one(&out, "MedicationAdministration"), "/status"),
            "completed"
        );
        let procedure = one(&out, "Procedure");
        assert!(procedure.get("performer").is_some(), "{state}");
        assert_eq!(
            at(&procedure, "/performedDateTime"),
            "2026-04-08T10:00:00+09:00"
        );
    }
    let out = convert("OC", "F");
    for made in ["MedicationAdministration", "Procedure"] {
        assert_eq!(at(&one(&out, made), "/status"), "entered-in-error");
    }
}

#[test]
fn a_withdrawn_reason_is_no_reason() {
    for (state, reason) in [("F", true), ("D", false), ("W", false), ("X", false)] {
        let text = format!(
            "{HEAD}\n{}\nOBR||1||1000000000000000^Ｘ線単純撮影^JJ1017\nOBX|1|TX|MS3-04^検査理由^JSHR||入院時検査||||||{state}",
            orc("PA", "1", "")
        );
        let request = one(&convert("OMG-01", &text), "ServiceRequest");
        assert_eq!(
            request["reasonCode"].to_string().contains("入院時検査"),
            reason,
            "{state}"
        );
    }
}

#[test]
fn a_withdrawn_physiology_result_was_sent_in_error() {
    for (control, report, status, told) in [
        ("SC", "F", "final", false),
        ("CA", "F", "entered-in-error", true),
        ("OC", "", "entered-in-error", true),
        ("DC", "X", "cancelled", false),
    ] {
        let orc = format!("ORC|{control}|000000260401031|||CM||||20260401093500\n");
        let out = ecg(&orc, report);
        assert_eq!(
            at(&one(&out, "DiagnosticReport"), "/status"),
            status,
            "{control}"
        );
        assert_eq!(reported(&out, "MAP409"), told, "{control}");
        let wrong = |o: &Value| at(o, "/status") == "entered-in-error";
        let results = all(&out, "Observation");
        assert!(
            results.iter().all(|o| wrong(o) == (control != "SC")),
            "{control}"
        );
    }
    // An impression that is not to be had is none.
    let text = format!(
        "{}\nOBR|1|1||9A110^心電図^JC10|||202604010948\nOBX|1|TX|9A100&IMP^所見^JC10|1|正所見||||||F\nOBX|2|TX|9A100&IMP^所見^JC10|2|誤所見||||||X",
        HEAD.replace("OMG^O19^OMG_O19", "ORU^R01^ORU_R01")
    );
    let report = one(&convert("OMG-13", &text), "DiagnosticReport");
    assert_eq!(at(&report, "/conclusion"), "正所見");
}

#[test]
fn what_is_kept_stands_in_what_it_was_sent_of() {
    let (parent, child) = (orc("NW", "1", ""), orc("CH", "2", "1"));
    let order = format!("{HEAD}\n{parent}\nOBR||1||1^検査^LENDO\n{child}\nOBR||2||110^検査^LENDO");
    let done = format!(
        "{HEAD}\nORC|NW|1|||CM||||20260407111000\nOBR||1||1^検査^LENDO|||202604071400\n\
        ORC|CH|2|||CM|||1|20260407111000\nOBR||2||110^検査^LENDO|||202604071400||||||||||||||||||F||||1\n\
        ZE1|1|RS|110^検査^LENDO||K1^加算^99K|RT-01^EM-01^技師^9|T1^技師^次|DE-02|100558502^架空注^HOT9^1^AMP&アンプル&MR9P\n\
        NTE|1|L|体位変換\n\
        OBX|1|TS|TM-P1^開始^JSHR||20260407140500||||||F\nOBX|2|TS|TM-P2^終了^JSHR||20260407130000||||||F\n\
        OBX|3|NM|DLP^線量^99D||350.5|mGy.cm|||||F\nOBX|4|TX|DX^診断&IMP^99||0-IIc||||||P\n\
        OBX|5|TX|DX^診断^99||潰瘍||||||D\n\
        ZE1|2|RS|120^検査^LENDO||K2^加算^99K\nOBX|1|TX|DX^診断^99||腺腫||||||F\n\
        IPC|A1||1.2.3||ES^^DCM|||RM1^検査室^99R"
    );
    let date =
        |kind: &str, n: u8| path(kind, "20260407", &format!("2026040714000000{n}"), "01", '1');
    let alone = convert("OMG-12", &done);
    let both = convert_patient(&[
        (date("OMG-02", 1), order.as_str()),
        (date("OMG-12", 2), done.as_str()),
    ]);
    for (out, order) in [(&alone, ""), (&both, "OBR-25 ")] {
        let kept = |r: &Value| {
            let all = r["extension"].as_array().into_iter().flatten();
            let mut all: Vec<_> = all
                .filter_map(|e| e["url"].as_str()?.strip_prefix("urn:x-ssmix2:field:"))
                .collect();
            all.sort_unstable();
            all.join(" ")
        };
        let procedures = all(out, "Procedure");
        let first = kept(&procedures[0]);
        let own = "OBX-11 OBX-2 OBX-3 OBX-3 OBX-3 OBX-5 OBX-5 ZE1-5 ZE1-6";
        assert_eq!(first, format!("NTE-2 {order}{own}"));
        assert_eq!(kept(&procedures[1]), "OBX-3 ZE1-5");
        assert!(procedures[0]["note"].to_string().contains("体位変換"));
        assert_eq!(kept(&one(out, "ImagingStudy")), "IPC-8");
        assert_eq!(kept(&one(out, "MedicationAdministration")), "");
        for request in all(out, "ServiceRequest") {
            let kept = kept(&request);
            assert!(!kept.contains("ZE1") && !kept.contains("OBX"), "{kept}");
        }
    }
}

#[test]
fn a_line_of_what_was_done_that_is_not_final_keeps_its_state() {
    for (state, kept) in [("F", 0), ("P", 1), ("C", 1), ("R", 1), ("I", 1), ("Q", 1)] {
        let out = convert(
            "OMG-12",
            &format!(
                "{HEAD}\nORC|CH|1|||CM\nOBR||1||110^検査^LENDO|||202604071400\nZE1|1|RS|110^検査^LENDO\n\
                OBX|8|TX|DX^診断^99||0-IIc||||||{state}"
            ),
        );
        let done = one(&out, "Procedure").to_string();
        let own = format!("0-IIc (OBX-11: {state})");
        assert_eq!(done.matches(&own).count(), kept, "{state}: {done}");
    }
}
