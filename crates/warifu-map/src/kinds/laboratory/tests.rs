//! Tests of the laboratory kinds: whole messages in, JSON out.

use serde_json::{Value, json};

use crate::Output;
use crate::testing::{all, at, convert, one, reported, resolve};

const HEAD: &str = "MSH|^~\\&|HIS|SEND|GW|RCV|20260401103000||OUL^R22^OUL_R22|1|P|2.5||||||~ISO IR87||ISO 2022-1994|SS-MIX2_1.20^SS-MIX2^1.2.392.200250.2.1.100.1.2.120^ISO
PID|0001||0000990001^^^^PI||割符^花子^^^^^L^I||19700405|F
PV1|0001|O|01^^^^^C
";

const ORDER: &str = "SPM|1|S001||023^血清^JC10|||||||||||||202604010900
OBR|1|O001|F001|E001^生化学的検査^99O03|||202604010900|202604010905||||||||607^医師^一郎^^^^^^^L^^^^^I||||||20260401103059
ORC|SC|O001|F001|G001|CM||||20260401103059|607^医師^一郎^^^^^^^L^^^^^I||607^医師^一郎^^^^^^^L^^^^^I||||R1^経過観察^99R01|01^内科^HL70069||||登呂病院|^^^^422-8033^JPN^^静岡市駿河区登呂３−１−１|^^^^^^^^^^^054-284-9122||||||O^外来患者オーダ^HL70482
";

fn result(lines: &str) -> Output {
    convert("OML-11", &format!("{HEAD}{ORDER}{lines}"))
}

fn observation(line: &str) -> Value {
    one(&result(line), "Observation")
}

#[test]
fn results_of_one_item_hours_apart_have_numbers_of_their_own() {
    let line = |at: &str| format!("OBX|1|NM|3D010000002327101^血糖^JC10||98|mg/dL|||||F|||{at}\n");
    let out = result(&(line("202604010830") + &line("202604010930")));
    let made = all(&out, "Observation");
    let numbers: Vec<&str> = made.iter().map(|o| at(o, "/identifier/0/value")).collect();
    assert_eq!(
        numbers,
        [
            "O001-S001-3D010000002327101-202604010830",
            "O001-S001-3D010000002327101-202604010930"
        ]
    );
}

#[test]
fn a_number_becomes_a_quantity_with_ucum_range_and_flag() {
    let out = result(
        "OBX|1|NM|3A010000002327101^総蛋白^JC10^10222^ＴＰ^99X03|a|7.2|g/dl^g/dL^99XYZ|6.70-8.3|H|||F|||202604010855||21^検査^技師^^^^^^^L^^^^^I\nNTE|1||溶血あり~再検済み",
    );
    let o = one(&out, "Observation");
    assert_eq!(
        at(&o, "/meta/profile/0"),
        "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Observation_LabResult"
    );
    assert_eq!(
        at(&o, "/identifier/0/value"),
        "O001-S001-3A010000002327101-a-202604010855"
    );
    assert_eq!(at(&o, "/status"), "final");
    assert_eq!(at(&o, "/category/0/coding/0/code"), "laboratory");
    assert_eq!(
        at(&o, "/code/coding/0/system"),
        "http://medis.or.jp/CodeSystem/master-JLAC10-17digits"
    );
    assert_eq!(at(&o, "/code/coding/1/code"), "10222");
    assert_eq!(at(&o, "/code/text"), "総蛋白");
    assert_eq!(
        o["valueQuantity"],
        json!({"value": 7.2, "unit": "g/dL", "system": "http://unitsofmeasure.org", "code": "g/dL"})
    );
    assert_eq!(o["referenceRange"][0]["low"]["value"].to_string(), "6.7");
    assert_eq!(at(&o, "/referenceRange/0/high/code"), "g/dL");
    assert!(o.pointer("/referenceRange/0/text").is_none());
    assert_eq!(at(&o, "/interpretation/0/coding/0/code"), "H");
    assert_eq!(at(&o, "/effectiveDateTime"), "2026-04-01T08:55:00+09:00");
    assert_eq!(at(&o, "/issued"), "2026-04-01T10:30:59+09:00");
    assert_eq!(at(&o, "/note/0/text"), "溶血あり\n再検済み");
    assert_eq!(at(&o, "/performer/0/display"), "検査 技師");
    assert_eq!(
        resolve(&out, &o["subject"]["reference"])["resourceType"],
        "Patient"
    );
    assert_eq!(
        at(
            &resolve(&out, &o["specimen"]["reference"]),
            "/identifier/0/value"
        ),
        "S001"
    );
    assert_eq!(
        at(
            &resolve(&out, &o["basedOn"][0]["reference"]),
            "/identifier/0/value"
        ),
        "O001"
    );
}

#[test]
fn precision_of_numbers_is_kept() {
    let out = result("OBX|1|NM|3A010000002327101^総蛋白^JC10||7.20|g/dL|6.70-8.30||||F");
    let r = out
        .resources
        .iter()
        .find(|r| r.resource_type == "Observation")
        .unwrap();
    let text = std::str::from_utf8(out.json_of(r)).unwrap();
    for literal in ["\"value\":7.20", "\"value\":6.70", "\"value\":8.30"] {
        assert!(text.contains(literal), "{literal} in {text}");
    }
}

#[test]
fn comparators_of_text_results_are_quantities() {
    let o = observation("OBX|1|ST|3C025000002327201^尿素窒素^JC10||< 0.5|mg/dL^mg/dL^ISO+|||||F");
    assert_eq!(o["valueQuantity"]["comparator"], "<");
    assert_eq!(o["valueQuantity"]["value"], json!(0.5));
    assert!(o.pointer("/valueQuantity/extension").is_none());
    let out =
        result("OBX|1|ST|3C015000002327101^クレアチニン^JC10||未満1.23|mg/dL^mg/dL^ISO+|||||F");
    let o = one(&out, "Observation");
    assert_eq!(o["valueQuantity"]["comparator"], "<");
    assert_eq!(
        at(&o, "/valueQuantity/extension/0/url"),
        "http://hl7.org/fhir/StructureDefinition/originalText"
    );
    assert_eq!(at(&o, "/valueQuantity/extension/0/valueString"), "未満1.23");
    assert!(reported(&out, "MAP201"));
}

#[test]
fn text_results_keep_their_text() {
    let o = observation("OBX|1|ST|5F016141002311711^HBs抗原^JC10||(-)||(-)|||F|F");
    assert_eq!(at(&o, "/valueCodeableConcept/text"), "(-)");
    assert_eq!(at(&o, "/valueCodeableConcept/coding/0/code"), "NEG");
    assert_eq!(at(&o, "/referenceRange/0/text"), "(-)");
    let o = observation("OBX|1|ST|1A990000000190153^蛋白^JC10||+-||||||F");
    assert_eq!(o["valueCodeableConcept"], json!({"text": "+-"}));
    let out =
        result("OBX|1|ST|1A105000000176253^尿沈渣－赤血球^JC10|| 1 - 4|/(hpf)^／ＨＰＦ^ISO+|||||F");
    // The string is what was sent; its unit is told beside it.
    let o = one(&out, "Observation");
    assert_eq!(at(&o, "/valueString"), "1 - 4");
    assert_eq!(at(&o, "/note/0/text"), "単位: ／ＨＰＦ");
    assert!(reported(&out, "MAP202"));
    let out = result("OBX|1|ST|1A990000000190153^蛋白^JC10||3+(300)|mg/dL|||||F");
    assert_eq!(at(&one(&out, "Observation"), "/valueString"), "3+(300)");
    assert!(reported(&out, "MAP203"));
    let o = observation("OBX|1|TX|U-COLOR^尿色調^99WRF||淡黄色~混濁||||||F");
    assert_eq!(at(&o, "/valueString"), "淡黄色\n混濁");
    assert_eq!(
        at(&o, "/code/coding/0/system"),
        "urn:x-ssmix2:1319999999:99WRF"
    );
    let out = result("OBX|1|NM|3D010000002226101^グルコース^JC10||再検|mg/dL|||||F");
    assert_eq!(at(&one(&out, "Observation"), "/valueString"), "再検");
    assert!(reported(&out, "MAP007"));
    let o = observation("OBX|1|CWE|5F016141002311711^ＨＢｓ抗原^JC10||-^陰性^JSHR002||||||F");
    assert_eq!(at(&o, "/valueCodeableConcept/coding/0/code"), "-");
    assert_eq!(at(&o, "/valueCodeableConcept/text"), "陰性");
    let o = observation("OBX|1|DT|5F016141002311711^ＨＢｓ抗原^JC10||20260401||||||F");
    assert_eq!(at(&o, "/valueString"), "20260401");
}

#[test]
fn powers_of_ten_go_into_the_number_so_that_the_range_is_comparable() {
    let o = observation("OBX|1|ST|2A990000001930952^白血球数^JC10||2.3 x10^3||||||F");
    assert_eq!(o["valueQuantity"]["value"].as_f64(), Some(2300.0));
    let out = result("OBX|1|ST|2A990000001930952^白血球数^JC10||50×10\\S\\2|/uL^/uL^ISO+|||||F");
    let o = one(&out, "Observation");
    assert_eq!(o["valueQuantity"]["value"].as_f64(), Some(5000.0));
    assert_eq!(at(&o, "/valueQuantity/code"), "/uL");
    assert_eq!(at(&o, "/valueQuantity/extension/0/valueString"), "50×10^2");
    assert!(reported(&out, "MAP204"));
}

#[test]
fn a_value_with_power_has_the_unit_of_its_reference_range() {
    let o = observation("OBX|1|ST|2A990000001930952^白血球数^JC10||4.5E+2|万/μl^万/μl|>40||||F");
    assert_eq!(o["valueQuantity"]["value"].as_f64(), Some(450.0));
    for part in ["unit", "code"] {
        assert_eq!(
            o["valueQuantity"][part], o["referenceRange"][0]["low"][part],
            "{part}"
        );
    }
}

#[test]
fn a_dangerous_specimen_is_told_in_a_note() {
    let order = ORDER.replacen(
        "|202604010905||||||||607",
        "|202604010905||||BIO^感染性^99D||||607",
        1,
    );
    let out = convert("OML-11", &format!("{HEAD}{order}"));
    assert_eq!(
        at(&one(&out, "ServiceRequest"), "/note/0/text"),
        "危険検体: 感染性"
    );
}

#[test]
fn structured_numbers_are_read_though_the_standard_forbids_them() {
    let o = observation("OBX|1|SN|3C025000002327201^尿素窒素^JC10||<^0.5|mg/dL|||||F");
    assert_eq!(o["valueQuantity"]["comparator"], "<");
    let o = observation("OBX|1|SN|3C025000002327201^尿素窒素^JC10||^1^:^40||||||F");
    assert_eq!(at(&o, "/valueString"), "1:40");
}

#[test]
fn status_follows_table_0085_and_missing_values_have_a_reason() {
    for (code, status, reason) in [
        ("F", "final", "unknown"),
        ("P", "preliminary", "temp-unknown"),
        ("C", "corrected", "unknown"),
        ("D", "entered-in-error", "unknown"),
        ("X", "cancelled", "not-performed"),
        ("I", "registered", "temp-unknown"),
        ("W", "entered-in-error", "unknown"),
        ("U", "final", "unknown"),
    ] {
        let o = observation(&format!(
            "OBX|1||3A010000002327101^総蛋白^JC10||||||||{code}"
        ));
        assert_eq!(at(&o, "/status"), status, "{code}");
        assert_eq!(at(&o, "/dataAbsentReason/coding/0/code"), reason, "{code}");
    }
    let out = result("OBX|1||3A010000002327101^総蛋白^JC10||||||||O");
    assert!(all(&out, "Observation").is_empty());
    assert!(reported(&out, "MAP209"));
    let out = result("OBX|1|NM|3A010000002327101^総蛋白^JC10||1|||||");
    assert_eq!(at(&one(&out, "Observation"), "/status"), "unknown");
    assert!(reported(&out, "MAP009"));
}

#[test]
fn results_of_a_withdrawn_order_were_sent_in_error() {
    let line = |n: u8, state: &str| {
        format!("OBX|{n}|NM|3A01000000232710{n}^総蛋白^JC10||7.2|g/dL|||||{state}\n")
    };
    let convert = |control: &str, states: &[&str], report: &str| {
        let order = ORDER
            .replace("ORC|SC|", &format!("ORC|{control}|"))
            .replace(
                "|20260401103059\nORC",
                &format!("|20260401103059|||{report}\nORC"),
            );
        let lines: String = (1..).zip(states).map(|(n, s)| line(n, s)).collect();
        let out = convert("OML-11", &format!("{HEAD}{order}{lines}"));
        let states = all(&out, "Observation");
        let states = states.iter().map(|o| at(o, "/status").to_owned());
        (
            states.collect::<Vec<_>>(),
            at(&one(&out, "DiagnosticReport"), "/status").to_owned(),
            at(&one(&out, "ServiceRequest"), "/status").to_owned(),
            reported(&out, "MAP409"),
        )
    };
    let wrong = "entered-in-error".to_owned();
    for control in ["CA", "OC", "DC"] {
        for report in ["F", ""] {
            assert_eq!(
                convert(control, &["F", "P", "X"], report),
                (
                    vec![wrong.clone(), wrong.clone(), "cancelled".to_owned()],
                    wrong.clone(),
                    "revoked".to_owned(),
                    true
                )
            );
        }
        // What never came is no error.
        for (states, report) in [(&["X"][..], "X"), (&["X"], ""), (&[], "")] {
            let found = convert(control, states, report);
            assert_eq!(found.1, "cancelled", "{control} {states:?}");
            assert!(
                !found.3 && !found.0.contains(&wrong),
                "{control} {states:?}"
            );
        }
    }
    let found = convert("SC", &["F"], "F");
    assert_eq!((found.1.as_str(), found.3), ("final", false));
    let found = convert("SC", &["X", "F"], "X");
    assert_eq!((found.1.as_str(), found.3), ("cancelled", true));
}

#[test]
fn one_obr_gives_one_report_of_all_results() {
    let out = result(
        "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL|||||F\nOBX|2|NM|3A015000002327101^アルブミン^JC10||4.9|g/dL|||||P",
    );
    let r = one(&out, "DiagnosticReport");
    assert_eq!(
        at(&r, "/meta/profile/0"),
        "http://jpfhir.jp/fhir/core/StructureDefinition/JP_DiagnosticReport_LabResult"
    );
    assert_eq!(at(&r, "/identifier/0/value"), "O001");
    assert_eq!(at(&r, "/identifier/0/type/coding/0/code"), "PLAC");
    assert_eq!(at(&r, "/identifier/1/value"), "F001");
    assert_eq!(at(&r, "/identifier/1/type/coding/0/code"), "FILL");
    assert_eq!(at(&r, "/category/0/coding/0/code"), "LP29693-6");
    assert_eq!(at(&r, "/category/1/coding/0/code"), "E001");
    assert_eq!(at(&r, "/code/coding/0/code"), "11502-2");
    assert_eq!(at(&r, "/code/text"), "生化学的検査");
    assert_eq!(
        at(&r, "/effectivePeriod/start"),
        "2026-04-01T09:00:00+09:00"
    );
    assert_eq!(at(&r, "/effectivePeriod/end"), "2026-04-01T09:05:00+09:00");
    assert_eq!(at(&r, "/issued"), "2026-04-01T10:30:59+09:00");
    assert_eq!(at(&r, "/status"), "preliminary");
    assert_eq!(r["result"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        resolve(&out, &r["result"][1]["reference"])["code"]["text"],
        "アルブミン"
    );
    assert_eq!(
        resolve(&out, &r["subject"]["reference"])["resourceType"],
        "Patient"
    );
    assert_eq!(
        resolve(&out, &r["specimen"][0]["reference"])["resourceType"],
        "Specimen"
    );
    assert_eq!(
        resolve(&out, &r["basedOn"][0]["reference"])["resourceType"],
        "ServiceRequest"
    );
}

#[test]
fn the_order_becomes_a_service_request() {
    let out = result("OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL|||||F");
    let r = one(&out, "ServiceRequest");
    assert_eq!(
        at(&r, "/meta/profile/0"),
        "http://jpfhir.jp/fhir/core/StructureDefinition/JP_ServiceRequest_Common"
    );
    assert_eq!(at(&r, "/identifier/0/value"), "O001");
    assert_eq!(at(&r, "/identifier/1/value"), "F001");
    assert_eq!(at(&r, "/requisition/value"), "G001");
    assert_eq!(at(&r, "/status"), "completed");
    assert_eq!(at(&r, "/intent"), "order");
    assert_eq!(at(&r, "/code/coding/0/code"), "E001");
    assert_eq!(
        at(&r, "/occurrencePeriod/start"),
        "2026-04-01T09:00:00+09:00"
    );
    assert_eq!(at(&r, "/occurrencePeriod/end"), "2026-04-01T09:05:00+09:00");
    assert_eq!(at(&r, "/authoredOn"), "2026-04-01T10:30:59+09:00");
    assert_eq!(at(&r, "/requester/display"), "医師 一郎");
    assert_eq!(
        resolve(&out, &r["requester"]["reference"])["resourceType"],
        "PractitionerRole"
    );
    assert_eq!(at(&r, "/reasonCode/0/coding/0/code"), "R1");
    assert_eq!(
        resolve(&out, &r["subject"]["reference"])["resourceType"],
        "Patient"
    );
}

#[test]
fn the_requester_of_obr_16_stands_in_for_orc_12() {
    let out = convert(
        "OML-11",
        &format!(
            "{HEAD}OBR|1|O001||E001^生化学的検査^99O03||||||||||||607^医師^一郎^^^^^^^L^^^^^I\nOBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL|||||F"
        ),
    );
    let r = one(&out, "ServiceRequest");
    assert_eq!(at(&r, "/requester/display"), "医師 一郎");
    assert_eq!(at(&r, "/identifier/0/value"), "O001");
}

#[test]
fn the_specimen_has_its_own_code_system_and_times() {
    let out = convert(
        "OML-11",
        &format!(
            "{HEAD}SPM|1|S001&HIS^F77||004^蓄尿^JC10^U1^蓄尿^99Z01||||採取部位||||10.0^mL&mL&ISO+|||||20260331080000^20260401080000|202604010910|||||||||061^カルチャーボトル^L\nNTE|1||少量\nOBR|1|O001||E001^尿検査^99O03\nOBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL|||||F"
        ),
    );
    let s = one(&out, "Specimen");
    assert_eq!(at(&s, "/identifier/0/value"), "S001");
    assert_eq!(at(&s, "/identifier/1/value"), "F77");
    assert_eq!(
        at(&s, "/type/coding/0/system"),
        "urn:x-ssmix2:1319999999:JC10-specimen"
    );
    assert_eq!(at(&s, "/type/coding/0/code"), "004");
    assert_eq!(at(&s, "/type/coding/1/code"), "U1");
    assert_eq!(at(&s, "/collection/bodySite/text"), "採取部位");
    assert_eq!(at(&s, "/collection/quantity/code"), "mL");
    assert_eq!(
        at(&s, "/collection/collectedPeriod/start"),
        "2026-03-31T08:00:00+09:00"
    );
    assert_eq!(at(&s, "/receivedTime"), "2026-04-01T09:10:00+09:00");
    assert_eq!(at(&s, "/container/0/type/coding/0/code"), "061");
    assert_eq!(at(&s, "/note/0/text"), "少量");
    assert_eq!(
        resolve(&out, &s["subject"]["reference"])["resourceType"],
        "Patient"
    );
    // The results take the collection time.
    let o = one(&out, "Observation");
    assert_eq!(at(&o, "/effectivePeriod/end"), "2026-04-01T08:00:00+09:00");
}

#[test]
fn without_specimen_the_laboratory_profile_is_not_claimed() {
    let out = convert(
        "OML-11",
        &format!(
            "{HEAD}ORC|SC|O001\nOBR|1|O001||E001^尿検査^99O03\nOBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL|||||F"
        ),
    );
    let o = one(&out, "Observation");
    assert_eq!(
        at(&o, "/meta/profile/0"),
        "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Observation_Common"
    );
    assert_eq!(at(&o, "/effectiveDateTime"), "2026-04-01");
    assert!(reported(&out, "MAP004") && reported(&out, "MAP208"));
    assert_eq!(
        at(&one(&out, "DiagnosticReport"), "/meta/profile/0"),
        "http://jpfhir.jp/fhir/core/StructureDefinition/JP_DiagnosticReport_Common"
    );
}

#[test]
fn bacteriology_pairs_organism_amount_and_susceptibility() {
    let out = convert(
        "OML-11",
        &format!(
            "{HEAD}SPM|1|S9||017^血液^JC10|||||||||||||202604010900
OBR|1|O9||6B010000001774214^培養同定(一般細菌)^JC10||||||||||||||||||||MB|F
ORC|SC|O9|||CM
OBX|1|CWE|6B010000001774214^菌名判定^JC10|1|2001^E.Coli^JANIS|||A|||F
OBX|2|ST|6B010000001774211^菌量^JC10|1|(+)|||A|||F
OBX|3|CWE|6B010000001774214^菌名判定^JC10|2|1301^S.Aureus^JANIS|||A|||F
OBX|4|ST|6B010000001774211^菌量^JC10|2|(2+)|||A|||P
OBR|2|O9||6C010000001774200^薬剤感受性^JC10||||||||||||||||||||MB|F|6B010000001774214&菌名判定&JC10^1^E.Coli
OBX|1|ST|1821^GM^JANIS|1|S|||S|||F
OBR|3|O9||6C010000001774200^薬剤感受性^JC10||||||||||||||||||||MB|F|6B010000001774214&菌名判定&JC10^9^不明菌
OBX|1|ST|1821^GM^JANIS|1|R|||R|||F"
        ),
    );
    let found = all(&out, "Observation");
    assert_eq!(found.len(), 5);
    let (coli, aureus, amount, coli_gm, other_gm) =
        (&found[0], &found[1], &found[2], &found[3], &found[4]);
    for o in &found {
        assert_eq!(
            at(o, "/meta/profile/0"),
            "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Observation_Microbiology"
        );
        assert_eq!(at(o, "/category/1/coding/0/code"), "18725-2");
    }
    assert_eq!(
        at(coli, "/valueCodeableConcept/coding/0/system"),
        "urn:oid:1.2.392.100495.10.3.100.5.27.6.1"
    );
    assert_eq!(at(coli, "/category/2/coding/0/code"), "organism");
    // The amount of the same status is a component, that of another status an Observation of its own.
    assert_eq!(at(coli, "/component/0/valueCodeableConcept/text"), "(+)");
    assert!(aureus.get("component").is_none());
    assert_eq!(
        aureus["hasMember"][0]["reference"],
        json!(format!("Observation/{}", at(amount, "/id")))
    );
    assert_eq!(at(amount, "/status"), "preliminary");
    assert_eq!(
        at(coli_gm, "/code/coding/0/system"),
        "urn:oid:1.2.392.100495.10.3.100.5.11.5.2"
    );
    assert_eq!(at(coli_gm, "/interpretation/0/coding/0/code"), "S");
    assert_eq!(
        resolve(&out, &coli_gm["derivedFrom"][0]["reference"])["id"],
        coli["id"]
    );
    assert!(other_gm.get("derivedFrom").is_none());
    assert!(at(other_gm, "/note/0/text").contains("不明菌"));
    assert!(reported(&out, "MAP211"));
    let reports = all(&out, "DiagnosticReport");
    assert_eq!(reports.len(), 3);
    assert_eq!(
        at(&reports[0], "/meta/profile/0"),
        "http://jpfhir.jp/fhir/core/StructureDefinition/JP_DiagnosticReport_Microbiology"
    );
    assert_eq!(at(&reports[0], "/code/coding/0/code"), "18725-2");
}

#[test]
fn a_janis_code_of_another_form_is_local_and_told() {
    let line =
        |code: &str| format!("OBX|1|CWE|6B010000001774214^菌名^JC10|1|{code}^菌^JANIS|||||F");
    let system = "/valueCodeableConcept/coding/0/system";
    for (code, local) in [("1301", false), ("SP", true), ("13011", true)] {
        let out = result(&line(code));
        let o = one(&out, "Observation");
        assert_eq!(at(&o, system).starts_with("urn:x-ssmix2:"), local, "{code}");
        assert_eq!(reported(&out, "MAP006"), local, "{code}");
    }
}

#[test]
fn fields_without_an_element_are_kept_and_a_priority_of_obr_counts() {
    let line = "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL|||||F|||||||機器1^X";
    let order = ORDER
        .replace("生化学的検査^99O03||", "生化学的検査^99O03|S|")
        .replace("202604010905||", "202604010905||採取者");
    let out = convert("OML-11", &format!("{HEAD}{order}{line}"));
    let o = one(&out, "Observation");
    assert_eq!(at(&o, "/extension/0/url"), "urn:x-ssmix2:field:OBX-18");
    assert_eq!(at(&o, "/extension/0/valueString"), "機器1^X");
    let request = one(&out, "ServiceRequest");
    assert_eq!(at(&request, "/priority"), "stat");
    let kept = request["extension"].as_array().unwrap();
    assert!(kept.iter().any(|e| e["url"] == "urn:x-ssmix2:field:OBR-10"));
    assert!(
        out.unused
            .iter()
            .all(|u| !["OBX-18", "OBR-10"].contains(&u.path.to_string().as_str()))
    );
}

#[test]
fn a_segment_name_in_small_letters_is_read() {
    let line = |name: &str, n: u8| {
        format!("{name}|{n}|NM|3A01000000232710{n}^総蛋白^JC10||7.2|g/dL|||||F\n")
    };
    let out = result(&[line("OBX", 1), line("obx", 2)].concat());
    assert_eq!(all(&out, "Observation").len(), 2);
    assert!(reported(&out, "HL7129") && !reported(&out, "HL7103"));
    // What is no name of SS-MIX2's is the rest of a text.
    let out = result(&[line("OBX", 1), "abc|2|\n".to_owned()].concat());
    assert!(reported(&out, "HL7103") && !reported(&out, "HL7129"));
}

#[test]
fn data_in_a_result_are_an_attachment_or_text() {
    let out = result("OBX|1|ED|9A110000000000001^波形^JC10||機器^IM^JPEG^Base64^/9j/4AAQ|||||F");
    let o = one(&out, "Observation");
    assert_eq!(
        at(&o, "/extension/0/valueAttachment/contentType"),
        "image/jpeg"
    );
    assert_eq!(at(&o, "/extension/0/valueAttachment/data"), "/9j/4AAQ");
    assert_eq!(at(&o, "/dataAbsentReason/coding/0/code"), "unsupported");
    assert!(reported(&out, "MAP206"));
    for (ty, value, text) in [
        ("RP", "wave/1.mwf^HIS^AP^MFER", "wave/1.mwf HIS AP MFER"),
        ("ED", "^TEXT^^A^abc", "TEXT A abc"),
        ("ED", "^IM^PNG^Base64^a=b=", "IM PNG Base64 a=b="),
    ] {
        let out = result(&format!(
            "OBX|1|{ty}|9A110000000000001^波形^JC10||{value}|||||F"
        ));
        assert_eq!(at(&one(&out, "Observation"), "/valueString"), text);
        assert!(reported(&out, "MAP206"));
    }
}

#[test]
fn equal_results_are_kept_apart() {
    let line = "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL|||||F\n";
    let out = result(&line.repeat(4));
    assert_eq!(all(&out, "Observation").len(), 4);
    assert!(reported(&out, "MAP213"));
    // Converting again gives the same bytes.
    assert_eq!(out.json, result(&line.repeat(4)).json);
}

#[test]
fn drugs_of_one_susceptibility_code_are_told_apart_by_their_second_code() {
    let line = |drug: &str| {
        format!("OBX|1|ST|6C010000008076201^ＭＩＣ^JC10^{drug}^薬^JANIS|1|<= 0.06|ug/mL|||||F\n")
    };
    let out = convert(
        "OML-11",
        &format!(
            "{HEAD}SPM|1|S9||061^喀痰^JC10\nOBR|1|O9||6C0100000080762^薬剤感受性^JC10|||202604010900|||||||||||||||||||6B010000006174114&菌名&JC10^1\n{}{}",
            line("1201"),
            line("1286")
        ),
    );
    let found = all(&out, "Observation");
    assert_eq!(found.len(), 2);
    assert!(at(&found[0], "/identifier/0/value").contains("1201"));
    assert!(at(&found[1], "/identifier/0/value").contains("1286"));
    assert!(!reported(&out, "MAP213"));
    // Fifteen digits are normal in what is ordered.
    assert!(!reported(&out, "MAP006"));
}

#[test]
fn other_orders_of_segments_are_understood() {
    let out = convert(
        "OML-11",
        &format!(
            "{HEAD}NTE|1||至急\nORC|SC|O1|||CM\nOBR|1|O1||E1^血算^99O\nOBX|1|NM|2A990000001930953^Hb^JC10||12|g/dL|||||F\nSPM|1|S1||019^全血^JC10|||||||||||||202604010900\nZZZ|x\nORC|SC|O2|||CM\nOBR|1|O2||E2^生化学^99O\nOBX|1|NM|3A010000002327101^総蛋白^JC10||7|g/dL|||||F"
        ),
    );
    assert_eq!(all(&out, "DiagnosticReport").len(), 2);
    let o = all(&out, "Observation");
    assert_eq!(
        resolve(&out, &o[0]["specimen"]["reference"])["identifier"][0]["value"],
        "S1"
    );
    assert_eq!(at(&all(&out, "ServiceRequest")[0], "/note/0/text"), "至急");
    assert!(reported(&out, "HL7108") && reported(&out, "MAP217"));
}

#[test]
fn an_order_asks_for_each_item() {
    let out = convert(
        "OML-01",
        &format!(
            "{}SPM|1|||023^血清^JC10|||||||||||||202604010900\nORC|NW|O001|||||||20260401093700|||607^医師^一郎^^^^^^^L^^^^^I\nTQ1|1||||||202604010930||S^緊急^HL70485||絶食で\nOBR|1|O001||E002^生化学的検査^99O03\nOBX|1||3A010000002327101^総蛋白^JC10||||||||O\nOBX|2||3J010000002327101^総ビリルビン^JC10||||||||O\nOBX|3|NM|9N006000000000001^体重^JC10||54.0|kg|||||F",
            HEAD.replace("OUL^R22^OUL_R22", "OML^O33^OML_O33")
        ),
    );
    let requests = all(&out, "ServiceRequest");
    assert_eq!(requests.len(), 3);
    let parent = requests
        .iter()
        .find(|r| r.get("basedOn").is_none())
        .unwrap();
    assert_eq!(at(parent, "/status"), "active");
    assert_eq!(at(parent, "/priority"), "stat");
    assert_eq!(
        at(parent, "/occurrenceDateTime"),
        "2026-04-01T09:30:00+09:00"
    );
    assert_eq!(at(parent, "/note/0/text"), "絶食で");
    assert_eq!(
        at(
            &resolve(&out, &parent["supportingInfo"][0]["reference"]),
            "/code/text"
        ),
        "体重"
    );
    assert_eq!(at(parent, "/category/0/coding/0/code"), "108252007");
    let mut own: Vec<&str> = requests
        .iter()
        .map(|r| at(r, "/identifier/0/value"))
        .collect();
    own.sort_unstable();
    assert_eq!(
        own,
        ["O001", "O001-3A010000002327101", "O001-3J010000002327101"]
    );
    for child in requests.iter().filter(|r| r.get("basedOn").is_some()) {
        assert_eq!(at(child, "/requisition/value"), "O001");
        for key in ["authoredOn", "requester", "category"] {
            assert_eq!(child[key], parent[key], "{key}");
            assert!(child.get(key).is_some(), "{key}");
        }
        assert_eq!(
            resolve(&out, &child["basedOn"][0]["reference"])["id"],
            parent["id"]
        );
        assert_eq!(
            at(child, "/code/coding/0/system"),
            "http://medis.or.jp/CodeSystem/master-JLAC10-17digits"
        );
    }
    assert!(all(&out, "DiagnosticReport").is_empty());
}

#[test]
fn a_withdrawn_order_is_revoked() {
    let out = convert(
        "OML-01",
        &format!(
            "{}ORC|CA|O001|||IP\nOBR|1|O001||E002^生化学的検査^99O03",
            HEAD.replace("OUL^R22^OUL_R22", "OML^O33^OML_O33")
        ),
    );
    assert_eq!(at(&one(&out, "ServiceRequest"), "/status"), "revoked");
}

#[test]
fn an_item_taken_back_is_revoked_alone() {
    for (state, status) in [("O", "active"), ("D", "revoked"), ("X", "revoked")] {
        let out = convert(
            "OML-01",
            &format!(
                "{}ORC|NW|O001\nOBR|1|O001||E002^生化学的検査^99O03\nOBX|1||3A010000002327101^総蛋白^JC10||||||||{state}",
                HEAD.replace("OUL^R22^OUL_R22", "OML^O33^OML_O33")
            ),
        );
        let requests = all(&out, "ServiceRequest");
        let of = |child: bool| {
            let found = requests
                .iter()
                .find(|r| r.get("basedOn").is_some() == child);
            at(found.unwrap(), "/status").to_owned()
        };
        assert_eq!((of(false).as_str(), of(true).as_str()), ("active", status));
    }
}

#[test]
fn every_leaf_with_a_source_has_a_row_of_a_laboratory_table() {
    let out = result(
        "OBX|1|NM|3A010000002327101^総蛋白^JC10|a|7.2|g/dl^g/dL^99XYZ|6.70-8.3|H|||F|||202604010855||21^検査^技師^^^^^^^L^^^^^I\nNTE|1||溶血",
    );
    let mut leaves = 0;
    for r in out.resources.iter().filter(|r| {
        matches!(
            r.resource_type,
            "Observation" | "DiagnosticReport" | "ServiceRequest" | "Specimen"
        )
    }) {
        for hit in crate::trace::hits(&out, r).filter(|h| !h.spans.is_empty()) {
            let row = hit
                .row
                .unwrap_or_else(|| panic!("no row for {} of {}", hit.pointer, r.resource_type));
            let field = hit.spans[0].path.split(['.', '[']).next().unwrap();
            assert!(
                hit.spans.iter().any(|s| s.path.starts_with(row.source)),
                "{} {} is not {field}",
                hit.pointer,
                row.source
            );
            leaves += 1;
        }
    }
    assert!(leaves > 60, "{leaves}");
}

#[test]
fn a_result_with_a_blank_inside_is_no_other_number() {
    for (kind, value) in [
        ("NM", "5 0.5"),
        ("ST", "5 0.5"),
        ("ST", "1 000"),
        ("NM", "< 1 2"),
    ] {
        let line =
            format!("OBX|1|{kind}|3D010000002327101^血糖^JC10||{value}|mg/dL|1 0-2 0||||F\n");
        let out = result(&line);
        let o = one(&out, "Observation");
        assert_eq!(at(&o, "/valueString"), value);
        assert!(o["referenceRange"][0].get("low").is_none());
        let code = if kind == "NM" { "MAP007" } else { "MAP203" };
        assert!(reported(&out, code) && reported(&out, "MAP205"));
    }
}

#[test]
fn what_is_kept_of_a_result_or_a_specimen_stands_with_it() {
    let line = |n: u8, code: &str, note: &str| {
        format!(
            "OBX|{n}|NM|{code}^項目{n}^JC10||{n}|mg/dL|||||F||{note}|||6^検^甲^^^^^&1.2.{n}&ISO\n"
        )
    };
    let out = convert(
        "OML-11",
        &format!(
            "{HEAD}{}{}{}",
            ORDER.replace("SPM|1|S001|", "SPM|1|S001&A|"),
            line(1, "3D010000002327101", "甲"),
            line(2, "3D046000001906202", "乙")
        ),
    );
    let kept = |r: &Value, field: &str| -> Vec<String> {
        let all = r["extension"].as_array().into_iter().flatten();
        let url = format!("urn:x-ssmix2:field:{field}");
        let kept = all.filter(|e| e["url"] == url.as_str());
        kept.map(|e| at(e, "/valueString").to_owned()).collect()
    };
    for (made, n) in all(&out, "Observation").iter().zip(1..) {
        assert_eq!(kept(made, "OBX-16"), [format!("6^検^甲^^^^^&1.2.{n}&ISO")]);
    }
    let request = one(&out, "ServiceRequest");
    assert!(kept(&request, "OBX-16").is_empty() && kept(&request, "SPM-2").is_empty());
    assert_eq!(kept(&one(&out, "Specimen"), "SPM-2"), ["S001&A"]);
    // A result that is none leaves it to the report.
    let out = result(&line(1, "3D010000002327101", "甲").replace("|||||F|", "|||||O|"));
    assert!(all(&out, "Observation").is_empty());
    let report = one(&out, "DiagnosticReport");
    assert_eq!(kept(&report, "OBX-16").len(), 1, "{report}");
}

/// A file of the storage: name and text.
fn file(kind: &str, date: &str, sent: &str, rows: &str) -> (String, String) {
    let event = if kind == "OML-01" {
        "OML^O33^OML_O33"
    } else {
        "OUL^R22^OUL_R22"
    };
    let head = HEAD
        .replace("20260401103000", sent)
        .replace("OUL^R22^OUL_R22", event);
    let name = crate::testing::path(kind, date, &format!("{sent}000"), "01", '1');
    (name, format!("{head}{rows}"))
}

fn convert_files(files: &[(String, String)]) -> Output {
    let files: Vec<(String, &str)> = files.iter().map(|(p, t)| (p.clone(), t.as_str())).collect();
    crate::testing::convert_patient(&files)
}

const ASKED: &str = "SPM|1|S001||023^血清^JC10
ORC|NW|O001|||||||20260401090000|||607^医師^一郎|||||01^内科
OBR|1|O001||E001^生化学^99X
OBX|1||3A010000002327101^総蛋白^JC10||||||||O
";
/// Two specimens of one item.
const DONE: &str = "SPM|1|S001||023^血清^JC10|||||||||||||202604010850
OBR|1|O001|F001|E001^生化学^99X|||202604010850|||||||||607^医師^一郎||||||20260401103059|||F
ORC|SC|O001|F001||CM||||20260401090000|||607^医師^一郎|||||01^内科
OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL|||||F
SPM|2|S002||019^全血^JC10|||||||||||||202604010850
OBR|1|O001|F001|E001^生化学^99X|||202604010850|||||||||607^医師^一郎||||||20260401103059|||F
ORC|SC|O001|F001||CM||||20260401090000|||607^医師^一郎|||||01^内科
OBX|1|NM|3D046000001920402^HbA1c^JC10||5.2|%|||||F
";

#[test]
fn the_value_type_of_a_requested_item_is_no_content() {
    let rows = ASKED.replace("OBX|1||", "OBX|1|NM|");
    let out = convert_files(&[file("OML-01", "20260401", "20260401090001", &rows)]);
    for r in all(&out, "ServiceRequest") {
        assert!(r["extension"].is_null(), "{r}");
    }
}

#[test]
fn an_order_and_its_result_are_one_request() {
    let order = file("OML-01", "20260401", "20260401090001", ASKED);
    let result = file("OML-11", "20260401", "20260401103000", DONE);
    let whole = |files: &[(String, String)]| {
        let out = convert_files(files);
        let requests = all(&out, "ServiceRequest");
        let panel: Vec<_> = requests.iter().filter(|r| r["basedOn"].is_null()).collect();
        assert_eq!(panel.len(), 1, "{requests:#?}");
        (out, panel[0].clone())
    };
    let (ordered, asked) = whole(std::slice::from_ref(&order));
    let (reported_alone, done) = whole(std::slice::from_ref(&result));
    let (out, both) = whole(&[order.clone(), result.clone()]);
    // Whatever is converted first, an update of the other.
    assert_eq!((&asked["id"], &done["id"]), (&both["id"], &both["id"]));
    assert_eq!(
        [
            at(&asked, "/status"),
            at(&done, "/status"),
            at(&both, "/status")
        ],
        ["active", "completed", "completed"]
    );
    // The item that was asked for goes with its order.
    let child = |out: &Output| {
        let all = all(out, "ServiceRequest");
        all.into_iter().find(|r| r["basedOn"].is_array()).unwrap()
    };
    assert_eq!(at(&child(&ordered), "/status"), "active");
    assert_eq!(at(&child(&out), "/status"), "completed");
    assert_eq!(all(&reported_alone, "ServiceRequest").len(), 1);
    assert_eq!(done["specimen"].as_array().map(Vec::len), Some(1));
    // A specimen that both number is one, with what the result knows.
    let specimens = all(&out, "Specimen");
    assert_eq!(specimens.len(), 2);
    let first = resolve(&out, &both["specimen"][0]["reference"]);
    assert_eq!(
        at(&first, "/collection/collectedDateTime"),
        "2026-04-01T08:50:00+09:00"
    );
    assert_eq!(first["id"], all(&ordered, "Specimen")[0]["id"]);
    assert_eq!(first["id"], all(&reported_alone, "Specimen")[0]["id"]);
    for of in ["Observation", "DiagnosticReport"] {
        for r in all(&out, of) {
            assert_eq!(resolve(&out, &r["basedOn"][0]["reference"]), both, "{of}");
        }
    }
    assert_eq!(all(&out, "DiagnosticReport").len(), 2);
    // Nothing of the result's copy is left to keep.
    assert!(!reported(&out, "MAP003") && !reported(&out, "MAP213") && !reported(&out, "MAP013"));
    assert!(
        !out.unused
            .iter()
            .any(|u| u.path.to_string() == "ORC-12" && u.reason != crate::trace::Reason::Read),
        "{:?}",
        out.unused
    );
    // In whatever order loose files come.
    let loose = |n: &str, of: &(String, String)| (format!("{n}.hl7"), of.1.clone());
    let (_, again) = whole(&[loose("a", &result), loose("b", &order)]);
    assert_eq!(at(&again, "/status"), "completed");
    assert_eq!(again["identifier"][0]["value"], "O001");
}

#[test]
fn an_order_and_its_result_are_one_by_the_code_of_jlac_that_both_have() {
    let (own, jlac) = ("E001^生化学^99X", "3B035000002327201^AST^JC10");
    let pair = format!("{own}^{jlac}");
    let turned = format!("{jlac}^{own}");
    for (asked, done, one) in [
        (pair.as_str(), jlac, true),
        (jlac, pair.as_str(), true),
        (&pair, &turned, true),
        (&turned, jlac, true),
        // Only the order knows that its own code is that of JLAC: told by the result alone, the ids would be
        // others than with the order.
        (&pair, own, false),
    ] {
        let of = |rows: &str, item: &str| {
            assert!(rows.contains(own));
            rows.replace(own, item)
        };
        let order = file("OML-01", "20260401", "20260401090001", &of(ASKED, asked));
        let result = file("OML-11", "20260401", "20260401103000", &of(DONE, done));
        let panels = |files: &[(String, String)]| {
            let out = convert_files(files);
            let all = all(&out, "ServiceRequest");
            let panels = all.iter().filter(|r| r["basedOn"].is_null());
            let mut ids: Vec<String> = panels.map(|r| at(r, "/id").to_owned()).collect();
            ids.sort();
            ids
        };
        let mut alone = [&order, &result]
            .map(|f| panels(std::slice::from_ref(f)))
            .concat();
        alone.sort();
        alone.dedup();
        assert_eq!(alone.len(), if one { 1 } else { 2 }, "{asked} {done}");
        assert_eq!(panels(&[order.clone(), result.clone()]), alone);
        assert_eq!(panels(&[result, order]), alone);
    }
}

#[test]
fn what_a_result_says_of_its_order_otherwise_is_kept_in_the_report() {
    let order = file("OML-01", "20260401", "20260401090001", ASKED);
    let rows = DONE
        .replacen(
            "20260401090000|||607^医師^一郎",
            "20260401110000|||608^別医^二郎",
            1,
        )
        .replacen("\nOBX|1|NM|3A", "\nNTE|1||採血困難\nOBX|1|NM|3A", 1);
    let out = convert_files(&[order, file("OML-11", "20260401", "20260401103000", &rows)]);
    let kept: Vec<String> = all(&out, "DiagnosticReport")[0]["extension"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| format!("{} {}", at(e, "/url"), at(e, "/valueString")))
        .collect();
    assert_eq!(
        kept,
        [
            "urn:x-ssmix2:field:ORC-9 20260401110000",
            "urn:x-ssmix2:field:ORC-12 608^別医^二郎",
            "urn:x-ssmix2:field:NTE-3 採血困難"
        ]
    );
    // What the order says of the specimen otherwise is kept in its request.
    let asked = ASKED.replace("023^血清^JC10", "023^血清^JC10||||L^左腕^99L");
    assert_ne!(asked, ASKED);
    let out = convert_files(&[
        file("OML-01", "20260401", "20260401090001", &asked),
        file("OML-11", "20260401", "20260401103000", DONE),
    ]);
    assert_eq!(all(&out, "Specimen").len(), 2);
    let requests = all(&out, "ServiceRequest");
    let kept = requests
        .iter()
        .find_map(|r| r["extension"].as_array())
        .unwrap();
    assert_eq!(at(&kept[0], "/valueString"), "L^左腕^99L");
    // Of another kind it is another specimen, whatever its number.
    let asked = ASKED.replace("023^血清^JC10", "022^血漿^JC10");
    let out = convert_files(&[
        file("OML-01", "20260401", "20260401090001", &asked),
        file("OML-11", "20260401", "20260401103000", DONE),
    ]);
    assert_eq!(all(&out, "Specimen").len(), 3);
    assert!(reported(&out, "MAP220"));
}

/// Ids of all resources of a type, in order.
fn ids(out: &Output, ty: &str) -> Vec<String> {
    let mut ids: Vec<String> = all(out, ty)
        .iter()
        .map(|r| at(r, "/id").to_owned())
        .collect();
    ids.sort();
    ids
}

#[test]
fn two_specimens_of_one_number_are_two() {
    let tube = |kind: &str, at: &str, item: &str, value: &str| {
        format!(
            "SPM|1|S001||{kind}^検体^JC10|||||||||||||{at}\nOBR|1|O001||E001^生化学^99X\nORC|SC|O001|||CM\nOBX|1|NM|{item}^項目^JC10||{value}|g/dL|||||F\n"
        )
    };
    let (protein, glucose) = ("3A010000002327101", "3D010000002226101");
    let serum = tube("023", "202604010850", protein, "7.2");
    for (other, told) in [
        (tube("022", "202604010850", glucose, "98"), true),
        (tube("022", "202604010850", protein, "98"), true),
        (tube("023", "202604020850", protein, "98"), true),
        (tube("023", "202604011050", protein, "98"), true),
        // The same segment once more is the same specimen.
        (tube("023", "202604010850", glucose, "98"), false),
    ] {
        let convert = |rows: [&str; 2]| convert("OML-11", &format!("{HEAD}{}", rows.concat()));
        let out = convert([&serum, &other]);
        let specimens = all(&out, "Specimen");
        assert_eq!(specimens.len(), if told { 2 } else { 1 }, "{other}");
        assert_eq!(reported(&out, "MAP220"), told, "{other}");
        assert!(!reported(&out, "MAP016") && !reported(&out, "MAP003"));
        let observations = all(&out, "Observation");
        assert_eq!(observations.len(), 2);
        for (o, rows) in observations.iter().zip([&serum, &other]) {
            let specimen = resolve(&out, &o["specimen"]["reference"]);
            assert!(rows.contains(at(&specimen, "/type/coding/0/code")));
            let collected = at(&specimen, "/collection/collectedDateTime");
            let digits = collected[..16].replace(['-', ':', 'T'], "");
            assert!(rows.contains(&digits), "{digits} {rows}");
        }
        // Whichever comes first, unless only the time of day differs.
        if !other.contains("11050") {
            assert_eq!(
                ids(&convert([&other, &serum]), "Specimen"),
                ids(&out, "Specimen")
            );
        }
    }
}

#[test]
fn a_specimen_number_that_comes_again_on_another_day_is_of_another_specimen() {
    let next = |s: &str| s.replace("20260401", "20260402");
    let first = file("OML-11", "20260401", "20260401103000", DONE);
    let second = file("OML-11", "20260402", "20260402103000", &next(DONE));
    let order = file("OML-01", "20260401", "20260401090001", ASKED);
    let alone = [&first, &second].map(|f| convert_files(std::slice::from_ref(f)));
    for ty in ["Specimen", "Observation", "DiagnosticReport"] {
        let mut want: Vec<String> = alone.iter().flat_map(|out| ids(out, ty)).collect();
        want.sort();
        want.dedup();
        let of_both = all(&alone[0], ty).len() * 2;
        assert_eq!(want.len(), of_both, "{ty}");
        let both = [first.clone(), second.clone()];
        let turned = [second.clone(), first.clone()];
        let ordered = [order.clone(), first.clone(), second.clone()];
        for files in [&both[..], &turned, &ordered] {
            let out = convert_files(files);
            assert_eq!(ids(&out, ty), want, "{ty}");
            assert!(reported(&out, "MAP220"));
        }
    }
    // The order's is that of its own day; where the order does not say when, that of its result.
    let specimen_of = |files: &[(String, String)]| {
        let out = convert_files(files);
        let requests = all(&out, "ServiceRequest");
        let panel = requests.iter().find(|r| r["basedOn"].is_null()).unwrap();
        at(panel, "/specimen/0/reference").to_owned()
    };
    let alone = specimen_of(std::slice::from_ref(&order));
    assert_eq!(specimen_of(std::slice::from_ref(&first)), alone);
    let all_of = [order.clone(), first, second.clone()];
    assert_eq!(specimen_of(&all_of), alone);
    let later = specimen_of(std::slice::from_ref(&second));
    assert_ne!(later, alone);
    assert_eq!(specimen_of(&[order, second]), later);
}

#[test]
fn the_newest_result_says_how_far_the_order_of_tests_has_come() {
    let order = |sent: &str, control: &str| {
        let rows = ASKED.replace("ORC|NW", &format!("ORC|{control}"));
        file("OML-01", "20260401", sent, &rows)
    };
    let result = |sent: &str, control: &str, states: [&str; 2]| {
        let mut rows = DONE.replace(
            "ORC|SC|O001|F001||CM",
            &format!("ORC|{control}|O001|F001||?"),
        );
        for state in states {
            rows = rows.replacen('?', state, 1);
        }
        file("OML-11", "20260401", sent, &rows)
    };
    let status = |files: &[(String, String)]| {
        let out = convert_files(files);
        let all = all(&out, "ServiceRequest");
        let panel = all.iter().find(|r| r["basedOn"].is_null()).unwrap();
        at(panel, "/status").to_owned()
    };
    let (early, late) = ("20260401090001", "20260401103000");
    let asked = order(early, "NW");
    for (states, expected) in [
        (["CM", "CM"], "completed"),
        (["", ""], "completed"),
        (["CM", "IP"], "active"),
        (["CA", "CA"], "revoked"),
        (["CM", "DC"], "completed"),
    ] {
        let result = result(late, "SC", states);
        if states[0] == states[1] {
            assert_eq!(status(std::slice::from_ref(&result)), expected);
        }
        assert_eq!(status(&[asked.clone(), result]), expected, "{states:?}");
    }
    // The order is withdrawn after its result, or before it came all the same.
    let done = |sent| result(sent, "SC", ["CM", "CM"]);
    assert_eq!(status(&[order(late, "CA"), done(early)]), "revoked");
    assert_eq!(status(&[order(early, "CA"), done(late)]), "completed");
    assert_eq!(status(&[order(late, "XO"), done(early)]), "completed");
    // A result that is withdrawn by itself says nothing of the order.
    assert_eq!(status(&[asked, result(late, "CA", ["CM", "CM"])]), "active");
}

#[test]
fn an_order_number_that_comes_again_is_of_another_order() {
    let old = |(name, text): (String, String)| {
        let of = |s: String| s.replace("202604", "202404");
        (of(name), of(text))
    };
    let order = file("OML-01", "20260401", "20260401090001", ASKED);
    let result = file("OML-11", "20260401", "20260401103000", DONE);
    let (order_before, result_before) = (old(order.clone()), old(result.clone()));
    let requests = |out: &Output| {
        let all = all(out, "ServiceRequest");
        all.into_iter()
            .filter(|r| r["basedOn"].is_null())
            .collect::<Vec<_>>()
    };
    let out = convert_files(&[
        order_before.clone(),
        order.clone(),
        result_before,
        result.clone(),
    ]);
    for report in all(&out, "DiagnosticReport") {
        let year = &at(&report, "/issued")[..4];
        let request = resolve(&out, &report["basedOn"][0]["reference"]);
        assert_eq!(&at(&request, "/authoredOn")[..4], year);
        let specimen = resolve(&out, &report["specimen"][0]["reference"]);
        assert_eq!(&at(&specimen, "/collection/collectedDateTime")[..4], year);
    }
    // The older result says nothing of the newer order.
    let out = convert_files(&[order_before, order, result]);
    let mut states: Vec<_> = requests(&out)
        .iter()
        .map(|r| {
            (
                at(r, "/authoredOn")[..4].to_owned(),
                at(r, "/status").to_owned(),
            )
        })
        .collect();
    states.sort();
    let told = |year: &str, status: &str| (year.to_owned(), status.to_owned());
    assert_eq!(states, [told("2024", "active"), told("2026", "completed")]);
}

#[test]
fn an_order_of_two_specimens_is_one_request() {
    let rows = format!(
        "{ASKED}SPM|2|S002||001^尿^JC10
ORC|NW|O001|||||||20260401090000|||607^医師^一郎|||||01^内科
TQ1|1||||||||S
OBR|2|O001||E001^生化学^99X|||||||||食後
NTE|1||急ぎ
OBX|1||1A010000000190111^尿蛋白^JC10||||||||O
"
    );
    let out = convert(
        "OML-01",
        &format!(
            "{}{rows}",
            HEAD.replace("OUL^R22^OUL_R22", "OML^O33^OML_O33")
        ),
    );
    let requests = all(&out, "ServiceRequest");
    assert_eq!(requests.len(), 3);
    let panel = requests.iter().find(|r| r["basedOn"].is_null()).unwrap();
    let text = serde_json::to_string(&requests).unwrap();
    for kept in ["食後", "TQ1-9", "急ぎ"] {
        assert!(text.contains(kept), "{kept} in {text}");
    }
    for child in requests.iter().filter(|r| r["basedOn"].is_array()) {
        assert_eq!(&resolve(&out, &child["basedOn"][0]["reference"]), panel);
        assert_eq!(child["specimen"].as_array().map(Vec::len), Some(1));
    }
    assert!(!reported(&out, "MAP213"));
}

#[test]
fn a_result_of_another_person_is_of_a_request_of_its_own() {
    let order = file("OML-01", "20260401", "20260401090001", ASKED);
    let (name, text) = file("OML-11", "20260401", "20260401103000", DONE);
    let stranger = (name, text.replace("0000990001^^^^PI", "0000990009^^^^PI"));
    for files in [[order.clone(), stranger.clone()], [stranger, order]] {
        assert!(files.iter().any(|(_, text)| text.contains("0000990009")));
        let out = convert_files(&files);
        let requests = all(&out, "ServiceRequest");
        let panels: Vec<_> = requests.iter().filter(|r| r["basedOn"].is_null()).collect();
        let mut states: Vec<&str> = panels.iter().map(|r| at(r, "/status")).collect();
        states.sort_unstable();
        assert_eq!(states, ["active", "completed"]);
        let reports = all(&out, "DiagnosticReport");
        assert_eq!(reports.len(), 2);
        for report in reports {
            let request = resolve(&out, &report["basedOn"][0]["reference"]);
            assert_eq!(request["subject"], report["subject"]);
            assert_eq!(at(&request, "/status"), "completed");
        }
    }
}

#[test]
fn an_order_whose_second_specimen_has_no_result_is_not_done() {
    let rows = format!(
        "{ASKED}SPM|2|S002||019^全血^JC10
ORC|NW|O001|||||||20260401090000|||607^医師^一郎|||||01^内科
OBR|2|O001||E001^生化学^99X
OBX|1||3D046000001920402^HbA1c^JC10||||||||O
"
    );
    let order = file("OML-01", "20260401", "20260401090001", &rows);
    let cut = DONE.find("SPM|2").unwrap();
    let (first, second) = DONE.split_at(cut);
    let first = file("OML-11", "20260401", "20260401103000", first);
    let second = file("OML-11", "20260401", "20260401113000", second);
    let states = |files: &[(String, String)]| {
        let out = convert_files(files);
        let requests = all(&out, "ServiceRequest");
        let states: Vec<_> = requests
            .iter()
            .map(|r| at(r, "/status").to_owned())
            .collect();
        assert_eq!(states.len(), 3);
        states
    };
    assert_eq!(states(&[order.clone(), first]), ["active"; 3]);
    assert_eq!(states(&[order.clone(), second]), ["active"; 3]);
    let whole = file("OML-11", "20260401", "20260401103000", DONE);
    assert_eq!(states(&[order, whole]), ["completed"; 3]);
}
