//! Targets of mapping §8, §9 on invented messages.

use serde_json::Value;

use crate::testing::{all, at, convert, convert_patient, one, path, reported, resolve};

const HEAD: &str = "MSH|^~\\&|HIS|S|GW|R|20260401104510||RDE^O11^RDE_O11|1|P|2.5\n\
    PID|0001||0000990001^^^^PI||割符^太郎^^^^^L^I||19650415|M\n";
const ORC: &str = "|||||20260401104500|C1^受付^花代^^^^^^^L^^^^^I||D1^見立^一郎^^^^^^^L^^^^^I|||||08^循環器科^HL70069||||架空割符病院|^^^^000-0000^JPN^^東京都架空区１|^^^^^^^^^^^03-0000-0000||||||";

fn order(head: &str, orc: &str, kind: &str, rest: &str) -> String {
    format!("{head}PV1|0001|{kind}|08^^^^^C\nORC|{orc}{ORC}{kind}^オーダ^HL70482\n{rest}")
}

fn oral(rest: &str) -> String {
    order(HEAD, "NW|100||1", "O", rest)
}

const DRUG: &str = "RXE||108665201^ダーゼン錠^HOT9|1||TAB^錠^MR9P|||||15|TAB^錠^MR9P||||20260401-1||||3^TAB&錠&MR9P||OHP^外来処方^MR9P|||||||||||20260401104500\n\
    TQ1|1||1013044400000000&内服・経口・１日３回朝昼夕食後&JAMISDP01|||5^d|20260401|20260405\n\
    RXR|PO^口^HL70162\n";

fn identifier<'v>(r: &'v Value, system: &str) -> Vec<&'v str> {
    r["identifier"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|i| i["system"] == system)
        .map(|i| at(i, "/value"))
        .collect()
}

const RP: &str = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/Medication-RPGroupNumber";
const IN_RP: &str = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/MedicationAdministrationIndex";
const INSTANCE: &str = "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier";

#[test]
fn a_prescription_has_the_shape_of_the_published_example() {
    let out = convert("OMP-01", &oral(DRUG));
    let r = one(&out, "MedicationRequest");
    assert_eq!(
        at(&r, "/meta/profile/0"),
        "http://jpfhir.jp/fhir/core/StructureDefinition/JP_MedicationRequest"
    );
    assert_eq!(identifier(&r, RP), ["1"]);
    assert_eq!(identifier(&r, IN_RP), ["1"]);
    assert_eq!(identifier(&r, INSTANCE), ["100-1-1"]);
    assert_eq!(
        identifier(&r, "urn:oid:1.2.392.100495.20.3.11.11319999999"),
        ["20260401-1"]
    );
    assert_eq!(at(&r, "/status"), "active");
    assert_eq!(at(&r, "/intent"), "order");
    assert_eq!(at(&r, "/category/0/coding/0/code"), "O");
    assert_eq!(at(&r, "/category/1/coding/0/code"), "OHP");
    assert_eq!(
        at(&r, "/category/1/coding/0/system"),
        "http://jpfhir.jp/fhir/core/CodeSystem/JP_MedicationCategoryMERIT9_CS"
    );
    assert_eq!(
        at(&r, "/medicationCodeableConcept/coding/0/system"),
        "http://medis.or.jp/CodeSystem/master-HOT9"
    );
    assert_eq!(
        at(&resolve(&out, &r["subject"]["reference"]), "/resourceType"),
        "Patient"
    );
    assert_eq!(at(&r, "/authoredOn"), "2026-04-01T10:45:00+09:00");
    let role = resolve(&out, &r["requester"]["reference"]);
    assert_eq!(
        at(
            &resolve(&out, &role["practitioner"]["reference"]),
            "/identifier/0/value"
        ),
        "D1"
    );
    assert_eq!(
        at(
            &resolve(&out, &r["recorder"]["reference"]),
            "/identifier/0/value"
        ),
        "C1"
    );
    let d = &r["dosageInstruction"][0];
    assert_eq!(
        at(d, "/text"),
        "内服・経口・１日３回朝昼夕食後 1回1錠 1日3錠 5日分"
    );
    assert_eq!(at(d, "/extension/0/valuePeriod/start"), "2026-04-01");
    assert_eq!(at(d, "/extension/0/valuePeriod/end"), "2026-04-05");
    assert_eq!(
        d["extension"][1]["valueDuration"],
        serde_json::json!({"value": 5, "unit": "日", "system": "http://unitsofmeasure.org", "code": "d"})
    );
    assert_eq!(
        at(d, "/timing/code/coding/0/system"),
        "http://jami.jp/CodeSystem/MedicationUsage"
    );
    assert_eq!(at(d, "/timing/code/coding/0/code"), "1013044400000000");
    assert_eq!(
        at(d, "/route/coding/0/system"),
        "http://jpfhir.jp/fhir/core/CodeSystem/route-codes"
    );
    assert_eq!(at(d, "/method/coding/0/code"), "1");
    assert_eq!(at(d, "/method/coding/1/code"), "10");
    assert_eq!(
        at(d, "/method/coding/1/system"),
        "http://jami.jp/CodeSystem/MedicationMethodDetailUsage"
    );
    assert_eq!(d["doseAndRate"][0]["doseQuantity"]["value"], 1);
    assert_eq!(at(d, "/doseAndRate/0/doseQuantity/code"), "TAB");
    assert_eq!(at(d, "/doseAndRate/0/doseQuantity/unit"), "錠");
    assert_eq!(d["doseAndRate"][0]["rateRatio"]["numerator"]["value"], 3);
    assert_eq!(at(d, "/doseAndRate/0/rateRatio/denominator/code"), "d");
    assert_eq!(r["dispenseRequest"]["quantity"]["value"], 15);
    assert_eq!(at(&r, "/dispenseRequest/quantity/code"), "TAB");
    assert_eq!(at(&r, "/dispenseRequest/quantity/unit"), "錠");
    assert_eq!(r["dispenseRequest"]["expectedSupplyDuration"]["value"], 5);
    assert_eq!(
        at(
            &resolve(&out, &r["dispenseRequest"]["performer"]["reference"]),
            "/name"
        ),
        "架空割符病院"
    );
}

#[test]
fn drugs_of_one_rp_count_up_and_the_rp_number_loses_its_zeros() {
    let text = format!(
        "{}ORC|NW|100||100_01_001{ORC}O\n{DRUG}ORC|NW|100||100_02_001{ORC}O\n{DRUG}",
        order(HEAD, "NW|100||100_01_001", "O", DRUG)
    );
    let all = all(&convert("OMP-01", &text), "MedicationRequest");
    let of = |system: &str| -> Vec<String> {
        all.iter()
            .flat_map(|r| identifier(r, system))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(of(RP), ["1", "1", "2"]);
    assert_eq!(of(IN_RP), ["1", "2", "1"]);
    assert_eq!(of(INSTANCE), ["100-1-1", "100-1-2", "100-2-1"]);
    assert_eq!(at(&all[0], "/groupIdentifier/value"), "100");
    let ids: std::collections::BTreeSet<&str> = all.iter().map(|r| at(r, "/id")).collect();
    assert_eq!(ids.len(), 3);
}

#[test]
fn a_unit_code_that_is_another_than_that_of_its_name_is_kept() {
    let (dose, supply) = ("|1||TAB^錠^MR9P|", "|15|TAB^錠^MR9P|");
    for (unit, told, left) in [
        ("TAB^錠^MR9P", false, None),
        ("錠^錠", false, None),
        ("ZZZ^錠^MR9P", true, Some("ZZZ^錠^MR9P")),
        ("ZZZ^錠", true, Some("ZZZ^錠")),
        ("T1^錠^99LOC", false, Some("T1^錠^99LOC")),
    ] {
        let of = |place: &str| place.replace("TAB^錠^MR9P", unit);
        let text = DRUG.replace(dose, &of(dose)).replace(supply, &of(supply));
        let out = convert("OMP-01", &oral(&text));
        let r = one(&out, "MedicationRequest");
        let dose = &r["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"];
        assert_eq!(at(dose, "/code"), "TAB", "{unit}");
        assert_eq!(reported(&out, "MAP008"), told, "{unit}");
        for field in ["RXE-5", "RXE-11"] {
            assert_eq!(kept(&r, field), Vec::from_iter(left), "{unit} {field}");
        }
    }
}

#[test]
fn a_drug_in_the_place_of_the_kind_of_injection_is_kept() {
    let rest = |kind: &str| {
        format!("RXE||{kind}|510||ML^ミリ^MR9P\nRXC|B|620007329^薬B^HOT9|1|HON^本^MR9P^B1^瓶^99L\n")
    };
    for (kind, left) in [
        ("00^一般^99I02", false),
        ("620007330^薬C^HOT9", true),
        ("^一般", true),
        ("00^一般^99I02^9^特別^99L", true),
    ] {
        let text = order(HEAD, "NW|100||100_01_001", "I", &rest(kind));
        let r = one(&convert("OMP-02", &text), "MedicationRequest");
        assert_eq!(kept(&r, "RXE-2"), Vec::from_iter(left.then_some(kind)));
        // A second code of a unit, too.
        assert_eq!(kept(&r, "RXC-4"), ["HON^本^MR9P^B1^瓶^99L"]);
    }
}

#[test]
fn another_amount_in_the_timing_is_told() {
    for (amount, told) in [
        ("", false),
        ("1", false),
        ("01^TAB", false),
        ("1.0^TAB", false),
        ("1.00", false),
        ("10", true),
        ("1.5", true),
        ("2^TAB", true),
    ] {
        let text = DRUG.replace("TQ1|1||", &format!("TQ1|1|{amount}|"));
        let out = convert("OMP-01", &oral(&text));
        assert_eq!(reported(&out, "MAP316"), told, "{amount}");
    }
}

#[test]
fn differing_timing_in_an_rp_is_reported() {
    let other = DRUG.replace("1013044400000000", "1012040400000000");
    let text = format!("{}ORC|NW|100||1{ORC}O\n{other}", oral(DRUG));
    assert!(reported(&convert("OMP-01", &text), "MAP304"));
    let same = format!("{}ORC|NW|100||1{ORC}O\n{DRUG}", oral(DRUG));
    assert!(!reported(&convert("OMP-01", &same), "MAP304"));
}

#[test]
fn parts_of_a_prescription_are_not_the_length_of_the_whole() {
    let part = |long: &str, from: &str| {
        format!("TQ1|1||1013044400000000&毎食後&JAMISDP01|||{long}|{from}\n")
    };
    let one_part = part("3^d", "20260401");
    for (second, whole) in [
        (String::new(), Some(3)),
        (part("3^d", "202604011800"), Some(3)),
        (part("4^d", "20260404"), None),
        (part("4^d", "20260401"), None),
        (part("3^d", "20260404"), None),
    ] {
        let rest = DRUG.lines().next().unwrap();
        let text = oral(&format!("{rest}\n{one_part}{second}RXR|PO\n"));
        let r = one(&convert("OMP-01", &text), "MedicationRequest");
        let long = &r["dispenseRequest"]["expectedSupplyDuration"]["value"];
        assert_eq!(long.as_i64(), whole, "{second}");
        if !second.is_empty() {
            let days = second.split('|').nth(6).unwrap().replace("^d", "日");
            let text = at(&r, "/dosageInstruction/1/text");
            assert!(text.contains(&days), "{text}");
        }
    }
}

#[test]
fn what_has_no_plain_place_is_kept() {
    let rest = "RXE||999999^軟膏^99XYZ|\"\"||\"\"||B^一包化指示^JHSP0002~^乾燥部に塗布^99IC6|||2|HON^本^MR9P|3|N1^麻薬^医師||||||||A^別包指示^JHSP0002~BTP^退院処方^99I01||||10|MG^mg^MR9P|R1^疼痛^99XYZ||||YJ1^追加^99ABC\n\
        TQ1|1||9999000000000000&外用・１日１回&JAMISDP01~I1100000&１日おき&JAMISDP01|||5^回|20260401||||痛いとき\n\
        RXR|AP^外用^HL70162|^腰部^99WRF|IVP^ポンプ^HL70164|M1^手技^99WRF\n\
        NTE|1||家族へ説明済\n";
    let out = convert("OMP-01", &oral(rest));
    let r = one(&out, "MedicationRequest");
    let d = &r["dosageInstruction"][0];
    assert_eq!(
        at(d, "/text"),
        "外用・１日１回 １日おき 5回分 痛いとき 一包化指示 乾燥部に塗布"
    );
    assert_eq!(
        at(d, "/timing/code/coding/0/system"),
        "urn:x-ssmix2:1319999999:JAMISDP01"
    );
    assert_eq!(
        at(d, "/additionalInstruction/0/coding/0/system"),
        "http://jami.jp/CodeSystem/MedicationUsageAdditional"
    );
    assert_eq!(at(d, "/additionalInstruction/1/text"), "乾燥部に塗布");
    assert_eq!(at(d, "/site/text"), "腰部");
    assert_eq!(at(d, "/method/coding/0/code"), "M1");
    assert_eq!(at(&r, "/contained/0/type/coding/0/code"), "IVP");
    assert!(d.get("doseAndRate").is_none());
    let ext = r["dispenseRequest"]["extension"].as_array().unwrap();
    assert_eq!(at(&ext[0], "/valueCodeableConcept/coding/0/code"), "B");
    assert_eq!(at(&ext[1], "/valueCodeableConcept/coding/0/code"), "A");
    assert_eq!(ext[2]["valueInteger"], 5);
    assert_eq!(r["dispenseRequest"]["numberOfRepeatsAllowed"], 2);
    assert_eq!(at(&r, "/category/1/coding/0/code"), "BTP");
    assert_eq!(at(&r, "/reasonCode/0/text"), "疼痛");
    assert_eq!(at(&r, "/medicationCodeableConcept/coding/1/code"), "YJ1");
    let notes: Vec<&str> = r["note"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| at(n, "/text"))
        .collect();
    assert_eq!(notes, ["麻薬施用者番号: N1", "力価: 10mg", "家族へ説明済"]);
    for code in ["MAP005", "MAP301", "MAP302", "MAP311"] {
        assert!(reported(&out, code), "{code}");
    }
}

#[test]
fn the_maximum_stands_where_the_minimum_is_missing_and_a_range_is_text() {
    let range = DRUG.replace("|1||TAB", "|1|2|TAB");
    let r = one(&convert("OMP-01", &oral(&range)), "MedicationRequest");
    assert_eq!(
        r["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"],
        1
    );
    assert!(at(&r, "/dosageInstruction/0/text").contains("1回1～2錠"));
    let max = DRUG.replace("|1||TAB", "||２|TAB");
    let r = one(&convert("OMP-01", &oral(&max)), "MedicationRequest");
    assert_eq!(
        r["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"],
        2
    );
}

#[test]
fn nothing_said_is_still_a_text_and_the_profile_needs_its_elements() {
    let out = convert("OMP-01", &format!("{HEAD}ORC|NW|100\nRXE||^薬\n"));
    let r = one(&out, "MedicationRequest");
    assert_eq!(at(&r, "/dosageInstruction/0/text"), "用法の記載なし");
    assert!(r.pointer("/meta/profile").is_none());
    for code in ["MAP004", "MAP009", "MAP305"] {
        assert!(reported(&out, code), "{code}");
    }
}

#[test]
fn an_order_or_administration_without_drug_is_reported_and_no_resource() {
    for (kind, rest) in [
        ("OMP-01", "ORC|NW|100\nRXE"),
        ("OMP-02", "ORC|NW|100\nRXE\nRXC"),
        ("OMP-11", "ORC|NW|100\nRXA"),
        ("OMP-12", "ORC|NW|100\nRXA|0|1|202604010900"),
    ] {
        let out = convert(kind, &format!("{HEAD}{rest}\n"));
        for made in ["MedicationRequest", "MedicationAdministration"] {
            assert!(all(&out, made).is_empty(), "{kind}");
        }
        assert!(reported(&out, "MAP306"), "{kind}");
    }
}

#[test]
fn orders_of_two_files_with_one_number_are_both_kept() {
    let other = oral(&DRUG.replace("ダーゼン", "別の薬"));
    let name = |order: &str| {
        path("OMP-01", "20260401", "20260401100000000", "01", '1').replace("999999999999999", order)
    };
    let files = [
        (name("000000000000100"), oral(DRUG)),
        (name("000000000000101"), other),
    ];
    let files: Vec<(String, &str)> = files.iter().map(|(p, t)| (p.clone(), t.as_str())).collect();
    let out = convert_patient(&files);
    let drugs = all(&out, "MedicationRequest");
    assert_eq!(drugs.len(), 2);
    let named: Vec<&str> = drugs
        .iter()
        .map(|r| at(r, "/medicationCodeableConcept/text"))
        .collect();
    assert_eq!(named, ["ダーゼン錠", "別の薬錠"]);
    let found: Vec<_> = out
        .diagnostics
        .iter()
        .filter(|d| d.code.code == "MAP013")
        .collect();
    let [found] = found.as_slice() else {
        panic!("{found:?}")
    };
    // Both files are named.
    assert_eq!(found.span.source.0, 1);
    assert_eq!(found.secondary()[0].span.source.0, 0);
}

#[test]
fn an_institution_has_no_home() {
    let text = oral(DRUG)
        .replace("JPN^^東京都", "JPN^H^東京都")
        .replace("^^^^^^^^^^^03", "^PRN^PH^^^^^^^^^03");
    let out = convert("OMP-01", &text);
    let o = all(&out, "Organization")
        .into_iter()
        .find(|o| o.get("address").is_some())
        .unwrap();
    assert_eq!(at(&o, "/address/0/text"), "東京都架空区１");
    assert!(o.pointer("/address/0/use").is_none());
    assert_eq!(at(&o, "/telecom/0/value"), "03-0000-0000");
    assert!(o.pointer("/telecom/0/use").is_none());
}

#[test]
fn order_control_and_state_give_the_status() {
    for (orc, want) in [
        ("CA|100||1", "cancelled"),
        ("DC|100||1", "stopped"),
        ("NW|100||1|CM", "completed"),
        ("NW|100||1|HD", "on-hold"),
    ] {
        // ORC-5 shifts the rest of the segment by one field.
        let tail = if orc.matches('|').count() == 4 {
            ORC.strip_prefix('|').unwrap()
        } else {
            ORC
        };
        let text = format!("{HEAD}ORC|{orc}{tail}O\n{DRUG}");
        assert_eq!(
            at(
                &one(&convert("OMP-01", &text), "MedicationRequest"),
                "/status"
            ),
            want
        );
    }
}

const INJECTION: &str = "RXE||00^一般^99I02|510||ML^ミリリットル^MR9P|INJ^注射剤^MR9P|^５時間一定速度で^99IC6||||||||P1||||||IHP^入院処方^MR9P~FTP^定時処方^99I01|H1|102|ml/hr^ミリリッター／時間^ISO+\n\
    TQ1|1||||||202604011000|202604011500\n\
    RXR|IV^静脈内^HL70162||IVP^点滴ポンプ^HL70164\n\
    RXC|A|620002559^アドナ注^HOT9|2|AMP^アンプル^MR9P\n\
    RXC|B|620007329^ソリタ^HOT9|1|HON^本^MR9P\n";

#[test]
fn an_injection_holds_its_mixture_base_first() {
    let out = convert("OMP-02", &order(HEAD, "NW|200||200_01_001", "I", INJECTION));
    let r = one(&out, "MedicationRequest");
    assert_eq!(
        at(&r, "/meta/profile/0"),
        "http://jpfhir.jp/fhir/core/StructureDefinition/JP_MedicationRequest_Injection"
    );
    assert_eq!(identifier(&r, RP), ["1"]);
    assert_eq!(at(&r, "/medicationReference/reference"), "#medication");
    let m = r["contained"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["resourceType"] == "Medication")
        .unwrap();
    assert_eq!(at(m, "/status"), "active");
    assert_eq!(
        at(m, "/form/coding/0/system"),
        "http://jpfhir.jp/fhir/core/CodeSystem/JP_MedicationFormMERIT9_CS"
    );
    assert_eq!(at(m, "/ingredient/0/itemCodeableConcept/text"), "ソリタ");
    assert_eq!(m["ingredient"][0]["extension"][0]["valueInteger"], 2);
    assert_eq!(m["ingredient"][1]["strength"]["numerator"]["value"], 2);
    assert_eq!(at(m, "/ingredient/1/strength/denominator/code"), "TIME");
    let codes: Vec<&str> = r["category"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| at(c, "/coding/0/code"))
        .collect();
    assert_eq!(codes, ["I", "00", "IHP", "FTP"]);
    assert!(!reported(&out, "MAP006"));
    let d = &r["dosageInstruction"][0];
    assert_eq!(
        at(d, "/text"),
        "静脈内 1回510ミリリットル 102ミリリッター／時間 ５時間一定速度で"
    );
    assert_eq!(
        at(d, "/timing/repeat/boundsPeriod/end"),
        "2026-04-01T15:00:00+09:00"
    );
    assert_eq!(d["doseAndRate"][0]["rateQuantity"]["value"], 102);
    assert_eq!(at(d, "/doseAndRate/0/rateQuantity/code"), "mL/h");
    assert_eq!(at(d, "/extension/0/valueReference/reference"), "#device");
}

#[test]
fn a_rate_unit_without_time_takes_rxe_22() {
    let text = INJECTION
        .replace("ml/hr^ミリリッター／時間^ISO+", "ML^ミリリットル^MR9P")
        .replace("|H1|", "|M30|");
    let r = one(
        &convert("OMP-02", &order(HEAD, "NW|200||200_01_001", "I", &text)),
        "MedicationRequest",
    );
    let rate = &r["dosageInstruction"][0]["doseAndRate"][0]["rateRatio"];
    assert_eq!(at(rate, "/numerator/code"), "ML");
    assert_eq!(
        (
            rate["denominator"]["value"].as_u64(),
            at(rate, "/denominator/code")
        ),
        (Some(30), "min")
    );
}

const GIVEN: &str = "RXA|0|1|20260401080521|20260401130543|620007329^ソリタ^HOT9|1|HON^本^MR9P||^左手に実施^99IC2|N1^看護^花子^^^^^^^L^^^^^I|09A^021^4^^^N|102ml/hr|||L1|20261130|^製造所^99WRF|R1^理由^99WRF|I1^適応^99WRF|CP\n";
const ROUTE: &str = "RXR|IV^静脈内^HL70162|LA^左腕^99WRF|IVP^点滴ポンプ^HL70164|M1^手技^99WRF\n";

fn ras() -> String {
    HEAD.replace("RDE^O11^RDE_O11", "RAS^O17^RAS_O17")
}

#[test]
fn drugs_given_together_are_one_administration() {
    let second = GIVEN
        .replace("620007329^ソリタ", "620002559^アドナ注")
        .replace("|L1|20261130|^製造所^99WRF", "|L2||");
    let text = order(
        &ras(),
        "NW|200||200_01_001",
        "I",
        &format!("{GIVEN}{second}{ROUTE}"),
    );
    let out = convert("OMP-12", &text);
    let r = one(&out, "MedicationAdministration");
    assert_eq!(
        at(&r, "/meta/profile/0"),
        "http://jpfhir.jp/fhir/core/StructureDefinition/JP_MedicationAdministration_Injection"
    );
    assert_eq!(identifier(&r, RP), ["1"]);
    assert_eq!(identifier(&r, "urn:oid:1.2.392.100495.20.3.11"), ["200"]);
    assert_eq!(
        at(&resolve(&out, &r["subject"]["reference"]), "/resourceType"),
        "Patient"
    );
    let m = &r["contained"][0];
    assert_eq!(m["ingredient"].as_array().unwrap().len(), 2);
    assert!(m.get("batch").is_none());
    assert_eq!(
        at(&r, "/effectivePeriod/start"),
        "2026-04-01T08:05:21+09:00"
    );
    assert_eq!(at(&r, "/effectivePeriod/end"), "2026-04-01T13:05:43+09:00");
    assert_eq!(at(&r, "/dosage/dose/code"), "TIME");
    assert_eq!(r["dosage"]["rateQuantity"]["value"], 102);
    assert_eq!(at(&r, "/dosage/rateQuantity/code"), "mL/h");
    assert_eq!(at(&r, "/dosage/route/coding/0/code"), "IV");
    assert_eq!(at(&r, "/dosage/site/coding/0/code"), "LA");
    assert_eq!(at(&r, "/dosage/method/coding/0/code"), "M1");
    assert_eq!(at(&r, "/device/0/reference"), "#device");
    assert_eq!(
        at(
            &resolve(&out, &r["performer"][0]["actor"]["reference"]),
            "/identifier/0/value"
        ),
        "N1"
    );
    assert_eq!(at(&r, "/status"), "completed");
    assert_eq!(at(&r, "/statusReason/0/text"), "理由");
    assert_eq!(at(&r, "/reasonCode/0/text"), "適応");
    let notes: Vec<&str> = r["note"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| at(n, "/text"))
        .collect();
    assert_eq!(
        notes,
        [
            "左手に実施",
            "ロット番号 (薬剤1): L1",
            "ロット番号 (薬剤2): L2",
            "有効期限 (薬剤1): 20261130",
            "製造者 (薬剤1): 製造所"
        ]
    );
    let urls: Vec<&str> = r["extension"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| at(e, "/url").rsplit('_').next().unwrap())
        .collect();
    assert_eq!(
        urls,
        [
            "Requester",
            "RequestAuthoredOn",
            "RequestDepartment",
            "Location",
            "urn:x-ssmix2:field:ORC-10"
        ]
    );
}

#[test]
fn a_single_drug_keeps_dose_and_batch_and_other_times_are_other_administrations() {
    let later = GIVEN
        .replace("20260401080521", "20260402080521")
        .replace("20260401130543", "20260402080521");
    let text = order(
        &ras(),
        "NW|200||200_01_001",
        "I",
        &format!("{GIVEN}{ROUTE}{later}{ROUTE}"),
    );
    let found = all(&convert("OMP-12", &text), "MedicationAdministration");
    assert_eq!(found.len(), 2);
    assert_eq!(found[0]["dosage"]["dose"]["value"], 1);
    assert_eq!(at(&found[0], "/dosage/dose/code"), "HON");
    assert_eq!(at(&found[0], "/dosage/dose/unit"), "本");
    assert_eq!(at(&found[0], "/contained/0/batch/lotNumber"), "L1");
    assert_eq!(
        at(&found[0], "/contained/0/batch/expirationDate"),
        "2026-11-30"
    );
    assert_eq!(
        at(&found[1], "/effectiveDateTime"),
        "2026-04-02T08:05:21+09:00"
    );
    assert_ne!(at(&found[0], "/id"), at(&found[1], "/id"));
}

#[test]
fn completion_and_deletion_give_the_status() {
    for (fields, want, code) in [
        ("PA", "completed", "MAP308"),
        ("RE", "not-done", ""),
        ("NA", "not-done", ""),
        ("", "completed", ""),
        ("CP|D", "entered-in-error", "MAP309"),
        ("ZZ", "unknown", "MAP008"),
    ] {
        let rxa = GIVEN.replace("|CP\n", &format!("|{fields}\n"));
        let out = convert(
            "OMP-12",
            &order(&ras(), "NW|200||200_01_001", "I", &format!("{rxa}{ROUTE}")),
        );
        let r = one(&out, "MedicationAdministration");
        assert_eq!(at(&r, "/status"), want, "{fields}");
        assert!(code.is_empty() || reported(&out, code), "{fields}");
        assert_eq!(
            r["note"]
                .as_array()
                .unwrap()
                .iter()
                .any(|n| n["text"] == "一部投与"),
            fields == "PA"
        );
    }
}

#[test]
fn a_withdrawn_order_leaves_nothing_done() {
    let vaccine = GIVEN.replace("620007329^ソリタ^HOT9", "631340FA1029^試験ワクチン^YJ");
    // Kind, order type, what is made of it, its states by ORC-1.
    for (kind, class, made, states) in [
        (
            "OMP-12",
            "I",
            "MedicationAdministration",
            ["entered-in-error", "stopped"],
        ),
        (
            "OMP-12",
            "I",
            "Immunization",
            ["entered-in-error", "entered-in-error"],
        ),
        (
            "OMP-11",
            "I",
            "MedicationAdministration",
            ["entered-in-error", "stopped"],
        ),
        (
            "OMP-11",
            "O",
            "MedicationDispense",
            ["entered-in-error", "stopped"],
        ),
    ] {
        for (control, state) in [
            ("CA", states[0]),
            ("OC", states[0]),
            ("DC", states[1]),
            ("SC", "completed"),
        ] {
            for (done, told) in [("CP", state != "completed"), ("", false)] {
                let rxa = vaccine.replace("|CP\n", &format!("|{done}\n"));
                let orc = format!("{control}|200||200_01_001");
                let text = order(&ras(), &orc, class, &format!("{rxa}{ROUTE}"));
                let out = convert(kind, &text);
                assert_eq!(
                    at(&one(&out, made), "/status"),
                    state,
                    "{kind} {orc} {done}"
                );
                assert_eq!(reported(&out, "MAP409"), told, "{kind} {orc} {done}");
            }
        }
        // What was not given, and what RXA-21 deletes, stays what it is.
        let not_given = if made == "MedicationDispense" {
            "cancelled"
        } else {
            "not-done"
        };
        for (done, state) in [("NA", not_given), ("CP|D", "entered-in-error")] {
            let rxa = vaccine.replace("|CP\n", &format!("|{done}\n"));
            let text = order(
                &ras(),
                "DC|200||200_01_001",
                class,
                &format!("{rxa}{ROUTE}"),
            );
            let out = convert(kind, &text);
            assert_eq!(at(&one(&out, made), "/status"), state, "{kind} {done}");
            assert!(!reported(&out, "MAP409"), "{kind} {done}");
        }
    }
}

#[test]
fn an_order_control_that_does_not_exist_is_told_and_kept() {
    let rest = format!("{GIVEN}{GIVEN}{ROUTE}");
    let out = convert("OMP-11", &order(&ras(), "QQ|200||200_01_001", "I", &rest));
    assert!(reported(&out, "MAP008"));
    let found = all(&out, "MedicationAdministration");
    assert_eq!(
        found
            .iter()
            .flat_map(|r| kept(r, "ORC-1"))
            .collect::<Vec<_>>(),
        ["QQ"]
    );
}

#[test]
fn a_rate_that_is_no_number_stays_text() {
    let rxa = GIVEN.replace("102ml/hr", "全開");
    let out = convert(
        "OMP-12",
        &order(&ras(), "NW|200||200_01_001", "I", &format!("{rxa}{ROUTE}")),
    );
    assert_eq!(
        at(&one(&out, "MedicationAdministration"), "/dosage/text"),
        "全開"
    );
    assert!(reported(&out, "MAP310"));
}

#[test]
fn a_vaccination_is_an_immunization_as_well() {
    let rxa = "RXA|0|1|20260112094700|20260112094700|631340FA1029^ワクチン^YJ|0.5|ML^ミリリットル^MR9P||^左上腕^99IC2|N1^看護^花子^^^^^^^L^^^^^I|||||L9|20261130|^製造所^99WRF|||CP\n";
    let out = convert(
        "OMP-12",
        &order(
            &ras(),
            "NW|200||200_01_001",
            "O",
            &format!("{rxa}RXR|SC^皮下^HL70162|LA^左上腕^99WRF\n"),
        ),
    );
    let r = one(&out, "Immunization");
    assert_eq!(at(&r, "/status"), "completed");
    assert_eq!(at(&r, "/vaccineCode/coding/0/code"), "631340FA1029");
    assert_eq!(at(&r, "/occurrenceDateTime"), "2026-01-12T09:47:00+09:00");
    assert_eq!(at(&r, "/lotNumber"), "L9");
    assert_eq!(at(&r, "/expirationDate"), "2026-11-30");
    assert_eq!(at(&r, "/doseQuantity/code"), "ML");
    assert_eq!(at(&r, "/performer/0/function/coding/0/code"), "AP");
    assert_eq!(at(&r, "/manufacturer/display"), "製造所");
    assert_eq!(at(&r, "/route/coding/0/code"), "SC");
    one(&out, "MedicationAdministration");
    // By kind of injection, where the order's copy is there.
    let other = rxa.replace("631340FA1029^ワクチン^YJ", "999^何か^99XYZ");
    let copy = format!("RXE||06^予防接種^99I02|0.5||ML\n{other}");
    assert_eq!(
        all(
            &convert("OMP-12", &order(&ras(), "NW|200||200_01_001", "O", &copy)),
            "Immunization"
        )
        .len(),
        1
    );
    assert!(
        all(
            &convert("OMP-12", &order(&ras(), "NW|200||200_01_001", "O", &other)),
            "Immunization"
        )
        .is_empty()
    );
}

#[test]
fn ward_doses_are_administered_and_outpatient_drugs_dispensed() {
    let drugs = GIVEN.replace("620007329^ソリタ", "108665201^ダーゼン");
    let again = drugs.replace("20260401080521", "20260402080521");
    let text = order(
        &ras(),
        "NW|100||1",
        "I",
        &format!("{drugs}RXR|PO^口^HL70162\n{again}RXR|PO^口^HL70162\n"),
    );
    let found = all(&convert("OMP-11", &text), "MedicationAdministration");
    assert_eq!(found.len(), 2);
    assert_eq!(
        at(&found[0], "/meta/profile/0"),
        "http://jpfhir.jp/fhir/core/StructureDefinition/JP_MedicationAdministration"
    );
    assert_eq!(
        found
            .iter()
            .flat_map(|r| identifier(r, IN_RP))
            .collect::<Vec<_>>(),
        ["1", "1"]
    );
    assert_eq!(
        at(&found[0], "/medicationCodeableConcept/coding/0/code"),
        "108665201"
    );
    assert_eq!(at(&found[0], "/dosage/dose/code"), "HON");
    let out = convert(
        "OMP-11",
        &order(
            &ras(),
            "NW|100||1",
            "O",
            &format!("{drugs}RXR|PO^口^HL70162\n"),
        ),
    );
    let r = one(&out, "MedicationDispense");
    assert_eq!(
        at(&r, "/meta/profile/0"),
        "http://jpfhir.jp/fhir/core/StructureDefinition/JP_MedicationDispense"
    );
    assert_eq!(r["quantity"]["value"], 1);
    assert_eq!(at(&r, "/whenHandedOver"), "2026-04-01T13:05:43+09:00");
    // The request of the drug has the same number.
    assert_eq!(
        at(&r, "/authorizingPrescription/0/identifier/value"),
        "100-1-108665201"
    );
    assert_eq!(at(&r, "/location/reference"), "#location");
}

#[test]
fn an_administration_refers_to_the_request_of_its_group() {
    let request = order(HEAD, "NW|200||200_01_001", "I", INJECTION);
    let given = order(
        &ras(),
        "NW|200||200_01_001",
        "I",
        &format!("{GIVEN}{ROUTE}"),
    );
    let files = [
        (
            path("OMP-02", "20260401", "20260401090000000", "01", '1'),
            request.as_str(),
        ),
        (
            path("OMP-12", "20260401", "20260401100000000", "01", '1'),
            given.as_str(),
        ),
    ];
    let out = convert_patient(&files);
    let r = one(&out, "MedicationAdministration");
    assert_eq!(
        resolve(&out, &r["request"]["reference"])["resourceType"],
        "MedicationRequest"
    );
}

#[test]
fn odd_messages_give_findings_and_no_panic() {
    for text in [
        "ORC|NW|1\nORC|NW|2\n",
        "RXE||1\nRXE||2\n",
        "RXA\nRXR\n",
        "ORC\nRXA|||||||||||||||||||||\n",
        "ORC|NW|1||_\nRXE|||x|y|z\nTQ1|||&&~~^^\n",
        "ORC||||\nRXE|||||||||||||||||||^&|||||M|1|/\n",
    ] {
        for kind in ["OMP-01", "OMP-02", "OMP-11", "OMP-12", "OMD"] {
            let out = convert(kind, &format!("{HEAD}{text}"));
            for r in &out.resources {
                serde_json::from_slice::<Value>(out.json_of(r)).unwrap();
            }
        }
    }
    assert!(reported(
        &convert("OMP-01", &format!("{HEAD}ORC|NW|1\n")),
        "MAP306"
    ));
}

#[test]
fn a_second_amount_and_a_second_route_are_kept() {
    let out = convert(
        "OMP-01",
        "MSH|^~\\&|A|B|C|D|20260401||RDE^O11^RDE_O11|1|P|2.5
        PID|1||0000990001||割符^花子^^^^^L^I||19680303|F
        ORC|NW|100||1
        RXE||^薬|1~2||TAB^錠^MR9P
        RXR|PO
        RXR|IV",
    );
    let request = one(&out, "MedicationRequest");
    let kept: Vec<_> = request["extension"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (at(e, "/url"), at(e, "/valueString")))
        .collect();
    assert_eq!(
        kept,
        [
            ("urn:x-ssmix2:field:RXR-1", "IV"),
            ("urn:x-ssmix2:field:RXE-3", "1~2")
        ]
    );
}

/// Values of the extensions that keep a field.
fn kept<'v>(r: &'v Value, field: &str) -> Vec<&'v str> {
    let url = format!("urn:x-ssmix2:field:{field}");
    let all = r["extension"].as_array().map_or(&[][..], Vec::as_slice);
    let of = all.iter().filter(|e| e["url"] == *url);
    of.map(|e| at(e, "/valueString")).collect()
}

#[test]
fn what_an_order_says_once_goes_with_one_administration() {
    let later = GIVEN
        .replace("20260401080521", "20260402080521")
        .replace("20260401130543", "20260402080521");
    let rest = format!(
        "{GIVEN}{ROUTE}{later}{ROUTE}OBX|1|NM|BT^体温^99ABC||36.5\nOBX|2|NM|PR^脈拍^99ABC||80\nCTI|T-1\nNTE|1||食後に\n"
    );
    for (kind, trials) in [("OMP-11", 0), ("OMP-12", 1)] {
        let text = order(&ras(), "NW|200||200_01_001", "I", &rest);
        let out = convert(kind, &text);
        let found = all(&out, "MedicationAdministration");
        assert!(found.len() > 1, "{kind}");
        let (first, others) = found.split_first().unwrap();
        let (last, before) = found.split_last().unwrap();
        assert_eq!(kept(last, "OBX-5"), ["36.5", "80"], "{kind}");
        assert!(before.iter().all(|r| kept(r, "OBX-5").is_empty()), "{kind}");
        assert_eq!(kept(first, "CTI-1").len(), trials, "{kind}");
        for r in others {
            assert!(kept(r, "CTI-1").is_empty(), "{kind}");
            // A short comment is said of each.
            assert!(r["note"].to_string().contains("食後に"), "{kind}");
        }
        let told = |d: &&warifu_diag::Diagnostic| d.argument.as_deref() == Some("OBX-5");
        assert_eq!(out.diagnostics.iter().filter(told).count(), 2, "{kind}");
        let long = text.replace("食後に", &"長".repeat(2000));
        let found = all(&convert(kind, &long), "MedicationAdministration");
        let noted = found
            .iter()
            .filter(|r| r["note"].to_string().contains("長長"));
        assert_eq!(noted.count(), 1, "{kind}");
    }
}

#[test]
fn a_second_route_and_amount_are_kept_once_however_many_doses_there_are() {
    let dose = DRUG.replace("|1||TAB", "|1~2||TAB");
    let rest = format!(
        "{dose}RXR|AP^外用^HL70162|||||X1\nTQ1|2||1012040400000000&内服・経口・１日２回朝夕食後&JAMISDP01|||5^d|20260406|20260410\n"
    );
    let r = one(&convert("OMP-01", &oral(&rest)), "MedicationRequest");
    assert_eq!(r["dosageInstruction"].as_array().unwrap().len(), 2);
    assert_eq!(kept(&r, "RXE-3"), ["1~2"]);
    assert_eq!(kept(&r, "RXR-1"), ["AP^外用^HL70162"]);
    assert_eq!(kept(&r, "RXR-6"), ["X1"]);
}

#[test]
fn what_is_kept_of_one_of_several_drugs_stands_with_it() {
    let of = |r: &Value| -> Vec<Vec<String>> {
        let drugs = r["contained"][0]["ingredient"].as_array().unwrap();
        let kept = drugs.iter().map(|d| {
            let all = d["extension"].as_array().unwrap().iter();
            let kept = all.filter_map(|e| {
                let field = e["url"].as_str()?.strip_prefix("urn:x-ssmix2:field:")?;
                Some(format!("{field} {}", at(e, "/valueString")))
            });
            kept.collect()
        });
        kept.collect()
    };
    let out = convert(
        "OMP-02",
        &order(
            HEAD,
            "NW|100||100_01_001",
            "I",
            "RXE||00^一般^99I02|510||ML^ミリ^MR9P\nRXC|B|620007329^薬B^HOT9|一|HON^本^MR9P\n\
             RXC|A|620007330^薬C^HOT9|2-3|AMP^管^MR9P^X|5%|PC^濃^99L\nRXC|A|620007331^薬D^HOT9|1|AMP^管^MR9P",
        ),
    );
    let r = one(&out, "MedicationRequest");
    assert!(kept(&r, "RXC-3").is_empty(), "{r}");
    assert_eq!(
        of(&r),
        [
            vec!["RXC-3 一", "RXC-4 HON^本^MR9P"],
            vec![
                "RXC-3 2-3",
                "RXC-4 AMP^管^MR9P^X",
                "RXC-5 5%",
                "RXC-6 PC^濃^99L"
            ],
            vec![],
        ]
    );
    // Of one drug alone the request keeps it, as before.
    let out = convert(
        "OMP-02",
        &order(
            HEAD,
            "NW|100||100_01_001",
            "I",
            "RXE||00^一般^99I02|510||ML^ミリ^MR9P\nRXC|B|620007329^薬B^HOT9|一|HON^本^MR9P|5%",
        ),
    );
    let r = one(&out, "MedicationRequest");
    assert_eq!(kept(&r, "RXC-3"), ["一"]);
    assert_eq!(kept(&r, "RXC-5"), ["5%"]);
    let rxa = |n: u8, code: &str, amount: &str, rest: &str| {
        format!(
            "RXA|0|{n}|20260401100000|20260401103000|{code}^薬{n}^HOT9|{amount}|ML^ミリ^MR9P|{rest}||CP\n"
        )
    };
    let out = convert(
        "OMP-12",
        &order(
            HEAD,
            "NW|100||100_01_001",
            "I",
            &(rxa(
                1,
                "620007329",
                "少量",
                "|^甲備考^99L||||5|PC^濃^99L|LOTA|||",
            ) + &rxa(
                2,
                "620007330",
                "多量",
                "F^剤^99L|^乙備考^99L|||||PC^濃^99L|LOTB|||",
            )),
        ),
    );
    let r = one(&out, "MedicationAdministration");
    assert_eq!(
        of(&r),
        [
            vec!["RXA-6 少量", "RXA-7 ML^ミリ^MR9P", "RXA-14 PC^濃^99L"],
            vec![
                "RXA-6 多量",
                "RXA-7 ML^ミリ^MR9P",
                "RXA-14 PC^濃^99L",
                "RXA-8 F^剤^99L"
            ],
        ]
    );
    let notes: Vec<&str> = (r["note"].as_array().unwrap().iter())
        .map(|n| at(n, "/text"))
        .collect();
    for note in [
        "備考 (薬剤1): 甲備考",
        "備考 (薬剤2): 乙備考",
        "力価 (薬剤1): 5濃",
        "力価 (薬剤2): 濃",
        "ロット番号 (薬剤2): LOTB",
    ] {
        assert!(notes.contains(&note), "{note} in {notes:?}");
    }
    assert!(kept(&r, "RXA-6").is_empty() && kept(&r, "RXA-8").is_empty());
}

#[test]
fn what_was_handed_over_keeps_when_it_was_ordered_unless_the_request_says_it() {
    let rxa = "RXA|0|1|20260401100000|20260401103000|108665201^ダーゼン錠^HOT9|1|TAB^錠^MR9P|||||||||||||CP\nRXR|PO^口^HL70162";
    let out = convert("OMP-11", &order(HEAD, "NW|100||1", "O", rxa));
    assert_eq!(
        kept(&one(&out, "MedicationDispense"), "ORC-9"),
        ["20260401104500"]
    );
    let request = oral(DRUG);
    let given = order(HEAD, "NW|100||1", "O", rxa);
    let files = [
        (
            path("OMP-01", "20260401", "20260401090000000", "01", '1'),
            request.as_str(),
        ),
        (
            path("OMP-11", "20260401", "20260401100000000", "01", '1'),
            given.as_str(),
        ),
    ];
    let out = convert_patient(&files);
    assert!(kept(&one(&out, "MedicationDispense"), "ORC-9").is_empty());
}

#[test]
fn observations_go_with_the_administration_before_them() {
    for (kind, head, ids) in [
        (
            "OMP-12",
            "",
            ["RXA|0|1|20260407090000", "RXA|0|2|20260407110000"],
        ),
        (
            "OMP-11",
            "RXE||1|1||TAB||||||||||||||||IHP\n",
            ["RXA|0|1|20260407090000", "RXA|0|2|20260407090000"],
        ),
    ] {
        let [one, two] =
            ids.map(|start| format!("{start}||620007329^薬^HOT9|1|ML^^MR9P|||||||||||||CP"));
        let out = convert(
            kind,
            &format!(
                "MSH|^~\\&|A|B|C|D|20260407120000||RAS^O17|1|P|2.5\nPID|1||0000990001||割符^花子^^^^^L^I||19680303|F\nPV1|1|I\n\
                ORC|NW|7||7_01_001\n{head}{one}\nRXR|IV\n{two}\nRXR|SC\nOBX|1|NM|BP^血圧^99||120|mmHg|||||F\n"
            ),
        );
        let given = all(&out, "MedicationAdministration");
        let kept: Vec<bool> = given
            .iter()
            .map(|r| r.to_string().contains("field:OBX-3"))
            .collect();
        assert_eq!(kept, [false, true], "{kind}: {given:#?}");
    }
}

#[test]
fn what_was_not_handed_over_has_neither_time_nor_amount() {
    for (state, held_back) in [("CP", false), ("RE", true), ("NA", true)] {
        let rest = format!(
            "RXA|0|1|20260407090000|20260407093000|103835401^薬^HOT9|42|TAB^錠^MR9P|||||||||||||{state}\n"
        );
        let out = convert("OMP-11", &order(&ras(), "SC|200||200_01_001", "O", &rest));
        let r = one(&out, "MedicationDispense");
        let has = ["whenHandedOver", "quantity"].map(|name| r.get(name).is_some());
        assert_eq!(has, [!held_back; 2], "{state}: {r:#}");
        for (field, value) in [
            ("RXA-4", "20260407093000"),
            ("RXA-6", "42"),
            ("RXA-7", "TAB^錠^MR9P"),
        ] {
            let expected = if held_back { vec![value] } else { vec![] };
            assert_eq!(kept(&r, field), expected, "{state} {field}");
        }
    }
}
