//! Every rule of JP-CLINS 1.5.3 that the output has to obey, on invented messages and on the bundled
//! storage.

use std::collections::BTreeSet;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;
use crate::testing::{INSTITUTION, path};
use crate::{Converter, File};

fn options() -> Options {
    Options {
        sent_at: Some("2026-05-01T09:30:00+09:00".to_owned()),
        clins: true,
        ..crate::testing::options()
    }
}

fn bytes_of(text: &str) -> Vec<u8> {
    text.lines()
        .map(str::trim_start)
        .filter(|l| !l.is_empty())
        .flat_map(|l| l.bytes().chain([b'\r']))
        .collect()
}

fn convert(files: &[(String, Vec<u8>)], options: &Options) -> (Output, Vec<Part>) {
    let files: Vec<File<'_>> = files
        .iter()
        .map(|(path, bytes)| File { path, bytes })
        .collect();
    let mut out = Output::new();
    Converter::new(options.clone()).convert_patient(&files, &mut out);
    let made = parts(&mut out, options);
    for p in &made {
        check(p, options);
    }
    (out, made)
}

fn codes_of(out: &Output) -> Vec<&'static str> {
    out.diagnostics
        .iter()
        .map(|d| d.code.code)
        .filter(|c| c.starts_with("CLN"))
        .collect()
}

fn s<'v>(v: &'v Value, pointer: &str) -> &'v str {
    v.pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{pointer} in {v:#}"))
}

fn array<'v>(v: &'v Value, pointer: &str) -> &'v [Value] {
    v.pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn extension<'v>(r: &'v Value, name: &str) -> Option<&'v Value> {
    array(r, "/extension")
        .iter()
        .find(|e| s(e, "/url").rsplit('/').next() == Some(name))
}

// --- the constraint list of fhir-jp.md G.2, by hand --------------------------------------------

/// `^[0-4][0-9][1-3][0-9]{7}[\^]20[2-3][0-9][\^][A-Za-z0-9\-]{1,36}$`
fn is_bundle_identifier(v: &str) -> bool {
    let year = v.split('^').nth(1).unwrap_or_default();
    is_instance_identifier(v) && (year.starts_with("202") || year.starts_with("203"))
}

/// 診療情報・サマリー汎用リソース一意識別ID仕様: institution, year, id within the institution.
fn is_instance_identifier(v: &str) -> bool {
    let parts: Vec<&str> = v.split('^').collect();
    let [institution, year, local] = parts.as_slice() else {
        return false;
    };
    is_institution(institution)
        && year.len() == 4
        && year.bytes().all(|b| b.is_ascii_digit())
        && (1..=36).contains(&local.len())
        && local
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn check(part: &Part, options: &Options) {
    let text = std::str::from_utf8(&part.bytes).unwrap();
    if part.name == "MedicationRequest.ndjson" {
        for line in text.lines() {
            let r: Value = serde_json::from_str(line).unwrap();
            assert_eq!(
                s(&r, "/meta/profile/0"),
                "http://jpfhir.jp/fhir/eCS/StructureDefinition/JP_MedicationRequest_eCS|1"
            );
            check_entry(&r, None);
            check_prescription(&r);
        }
        assert_eq!(
            u64::try_from(text.lines().count()).unwrap(),
            part.counts
                .get("MedicationRequest")
                .copied()
                .unwrap_or_default()
        );
    } else {
        check_bundle(&serde_json::from_str(text).unwrap(), part);
    }
    // Every leaf has its place in the trace, in order.
    if options.trace {
        assert_eq!(part.hits.len(), text.lines().count());
        for (line, hits) in text.lines().zip(&part.hits) {
            let leaves: Vec<String> = warifu_fhir::trace::leaves(line.as_bytes())
                .map(|l| l.pointer)
                .collect();
            let traced: Vec<String> = hits.iter().map(|h| h.pointer.clone()).collect();
            assert_eq!(leaves, traced, "{}", part.name);
        }
    } else {
        assert!(part.hits.is_empty());
    }
}

fn check_bundle(b: &Value, part: &Part) {
    let kind = part.name.split(['.', '-']).next().unwrap();
    assert_eq!(s(b, "/resourceType"), "Bundle");
    assert_eq!(
        s(b, "/meta/profile/0"),
        "http://jpfhir.jp/fhir/clins/StructureDefinition/JP_Bundle_CLINS|1"
    );
    assert!(!s(b, "/meta/lastUpdated").is_empty());
    let tags = array(b, "/meta/tag");
    assert_eq!(tags.len(), 1);
    assert_eq!(
        (s(&tags[0], "/system"), s(&tags[0], "/code")),
        (
            "http://jpfhir.jp/fhir/clins/CodeSystem/BundleResourceType_CS",
            kind
        )
    );
    assert_eq!(
        s(b, "/identifier/system"),
        "http://jpfhir.jp/fhir/clins/bundle-identifier"
    );
    assert!(
        is_bundle_identifier(s(b, "/identifier/value")),
        "{}",
        s(b, "/identifier/value")
    );
    assert_eq!(s(b, "/type"), "collection");
    assert!(!s(b, "/timestamp").is_empty());
    let entries = array(b, "/entry");
    assert!(entries.len() >= 2);
    let mut urls = BTreeSet::new();
    for (i, e) in entries.iter().enumerate() {
        let mut keys: Vec<&String> = e.as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(keys, ["fullUrl", "resource"]);
        assert!(s(e, "/fullUrl").starts_with("urn:uuid:") && s(e, "/fullUrl").len() == 45);
        assert!(urls.insert(s(e, "/fullUrl")));
        let r = &e["resource"];
        if i == 0 {
            check_patient(r);
            continue;
        }
        assert_eq!(s(r, "/resourceType"), kind);
        check_entry(r, Some(s(&entries[0], "/fullUrl")));
        // validEntryProfile-*: no version here.
        let profile = match kind {
            "Observation" => "JP_Observation_LabResult_eCS".to_owned(),
            k => format!("JP_{k}_eCS"),
        };
        assert_eq!(array(r, "/meta/profile").len(), 1);
        assert_eq!(
            s(r, "/meta/profile/0"),
            format!("http://jpfhir.jp/fhir/eCS/StructureDefinition/{profile}")
        );
        match kind {
            "Condition" => check_condition(r),
            "Observation" => check_observation(r),
            _ => check_allergy(r),
        }
    }
    assert_eq!(
        part.counts.get(kind).copied().unwrap_or_default(),
        u64::try_from(entries.len() - 1).unwrap()
    );
}

fn check_patient(p: &Value) {
    assert_eq!(s(p, "/resourceType"), "Patient");
    assert_eq!(
        s(p, "/meta/profile/0"),
        "http://jpfhir.jp/fhir/eCS/StructureDefinition/JP_Patient_eCS|1"
    );
    assert!(!s(p, "/meta/lastUpdated").is_empty());
    check_institution(p);
    let insured: Vec<&Value> = array(p, "/identifier")
        .iter()
        .filter(|d| s(d, "/system") == "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID")
        .collect();
    assert_eq!(insured.len(), 1);
    let member: Vec<&str> = s(insured[0], "/value").split(':').collect();
    assert_eq!(member.len(), 4);
    assert!(member[0].len() == 8 && member[0].bytes().all(|b| b.is_ascii_digit()));
    assert!(member[3].is_empty() || member[3].len() == 2);
    let local: Vec<&str> = array(p, "/identifier")
        .iter()
        .map(|d| s(d, "/system"))
        .filter(|x| x.starts_with("urn:oid:1.2.392.100495.20.3.51."))
        .collect();
    assert!(local.len() <= 1);
    for l in local {
        assert!(is_institution(
            l.strip_prefix("urn:oid:1.2.392.100495.20.3.51.1").unwrap()
        ));
    }
    for n in array(p, "/name") {
        assert!(!s(n, "/family").is_empty() && !s(n, "/given/0").is_empty());
        assert!(!s(n, "/text").contains('　'));
    }
    assert!(!array(p, "/name").is_empty());
    assert!(!s(p, "/gender").is_empty() && !s(p, "/birthDate").is_empty());
    assert_eq!(array(p, "/address").len(), 1);
    assert!(!s(p, "/address/0/text").is_empty());
    assert!(p.get("contact").is_none() && p.get("generalPractitioner").is_none());
}

fn check_institution(r: &Value) {
    let e = extension(r, "JP_eCS_InstitutionNumber").unwrap();
    assert_eq!(
        s(e, "/url"),
        "http://jpfhir.jp/fhir/clins/Extension/StructureDefinition/JP_eCS_InstitutionNumber"
    );
    assert_eq!(
        s(e, "/valueIdentifier/system"),
        "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no"
    );
    assert!(is_institution(s(e, "/valueIdentifier/value")));
}

/// What holds for each information: meta, tags, references, contained resources.
fn check_entry(r: &Value, patient: Option<&str>) {
    check_institution(r);
    assert!(!s(r, "/meta/lastUpdated").is_empty());
    for t in array(r, "/meta/tag") {
        assert_eq!(
            s(t, "/system"),
            "http://jpfhir.jp/fhir/clins/CodeSystem/JP_ehrshrs_indication"
        );
        assert!(s(r, "/resourceType") == "Condition" && s(t, "/code") == "UNINFORMED");
    }
    let contained: Vec<&str> = array(r, "/contained").iter().map(|c| s(c, "/id")).collect();
    let unique: BTreeSet<&&str> = contained.iter().collect();
    assert_eq!(unique.len(), contained.len());
    let mut references = Vec::new();
    collect(r, &mut references);
    for id in &contained {
        assert!(references.contains(&format!("#{id}")), "dom-3: #{id}");
    }
    for reference in references {
        let inside = reference
            .strip_prefix('#')
            .is_some_and(|id| contained.contains(&id));
        assert!(inside || Some(reference.as_str()) == patient, "{reference}");
    }
    if let Some(e) = array(r, "/contained")
        .iter()
        .find(|c| s(c, "/resourceType") == "Encounter")
    {
        assert_eq!(
            array(e, "/meta/profile"),
            [Value::from(
                "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Encounter"
            )]
        );
        assert!(!s(e, "/status").is_empty());
        assert_eq!(
            s(e, "/class/system"),
            "http://terminology.hl7.org/CodeSystem/v3-ActCode"
        );
    }
}

fn collect(v: &Value, into: &mut Vec<String>) {
    match v {
        Value::Object(m) => {
            for (k, v) in m {
                match v {
                    Value::String(t) if k == "reference" => into.push(t.clone()),
                    v => collect(v, into),
                }
            }
        }
        Value::Array(a) => a.iter().for_each(|v| collect(v, into)),
        _ => {}
    }
}

fn one_instance_identifier(r: &Value) {
    let n = array(r, "/identifier")
        .iter()
        .filter(|d| {
            s(d, "/system") == "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier"
                && is_instance_identifier(s(d, "/value"))
        })
        .count();
    assert_eq!(n, 1);
}

fn visit_and_department(r: &Value) {
    assert!(
        array(r, "/contained")
            .iter()
            .any(|c| s(c, "/resourceType") == "Encounter")
    );
    assert_eq!(s(r, "/encounter/reference"), "#encounter");
    assert!(
        extension(r, "JP_eCS_Department")
            .unwrap()
            .get("valueCodeableConcept")
            .is_some()
    );
}

fn full_codings(concept: &Value) {
    assert!(!array(concept, "/coding").is_empty());
    for c in array(concept, "/coding") {
        for key in ["/system", "/code", "/display"] {
            assert!(!s(c, key).is_empty());
        }
    }
    assert!(!s(concept, "/text").is_empty());
}

fn check_condition(r: &Value) {
    one_instance_identifier(r);
    visit_and_department(r);
    full_codings(&r["code"]);
    assert!(
        array(&r["code"], "/coding")
            .iter()
            .any(|c| s(c, "/system") == "http://medis.or.jp/CodeSystem/master-disease-keyNumber")
    );
    for e in array(&r["code"], "/extension") {
        let modifier = array(e, "/valueCodeableConcept/coding")
            .iter()
            .filter(|c| {
                s(c, "/system") == "http://medis.or.jp/CodeSystem/master-disease-modKeyNumber"
            })
            .count();
        assert_eq!(modifier, 1);
        for c in array(e, "/valueCodeableConcept/coding") {
            assert!(!s(c, "/display").is_empty());
        }
    }
    assert!(!s(r, "/onsetDateTime").is_empty());
    assert!(["confirmed", "unconfirmed"].contains(&s(r, "/verificationStatus/coding/0/code")));
    assert!(!s(r, "/clinicalStatus/coding/0/code").is_empty());
    assert_eq!(array(r, "/category").len(), 1);
    assert_eq!(s(r, "/category/0/coding/0/code"), "encounter-diagnosis");
}

fn check_allergy(r: &Value) {
    one_instance_identifier(r);
    full_codings(&r["code"]);
    for c in array(&r["code"], "/coding") {
        assert!(s(c, "/system").contains("Jfagy"), "required binding");
        assert!(["YCM", "GCM", "J9F", "J9N", "D9M", "D9F", "D9N"].contains(&&s(c, "/code")[..3]));
    }
}

fn check_observation(r: &Value) {
    one_instance_identifier(r);
    visit_and_department(r);
    full_codings(&r["code"]);
    let mut places: Vec<(&str, &str)> = array(&r["code"], "/coding")
        .iter()
        .map(|c| (s(c, "/system"), s(c, "/code")))
        .collect();
    places.sort_unstable();
    places.dedup_by_key(|p| p.0);
    assert_eq!(
        places.len(),
        array(&r["code"], "/coding").len(),
        "one coding a slice"
    );
    for t in array(&r["code"], "/coding")
        .iter()
        .map(|c| s(c, "/display"))
        .chain([s(r, "/code/text")])
    {
        assert!(
            !t.contains(|c: char| c == '　'
                || c.is_control()
                || matches!(c, '\u{FF61}'..='\u{FF9F}')),
            "{t}"
        );
    }
    assert_eq!(array(r, "/category").len(), 1);
    assert_eq!(s(r, "/category/0/coding/0/code"), "laboratory");
    assert!(!s(r, "/effectiveDateTime").is_empty());
    assert!(r.get("specimen").is_some());
    let value = [
        "valueQuantity",
        "valueCodeableConcept",
        "valueString",
        "dataAbsentReason",
        "component",
    ]
    .iter()
    .filter(|k| r.get(**k).is_some())
    .count();
    assert!(value >= 1);
    assert!(
        r.get("hasMember").is_none()
            && r.get("derivedFrom").is_none()
            && r.get("basedOn").is_none()
    );
}

fn check_prescription(r: &Value) {
    one_instance_identifier(r);
    assert_eq!((s(r, "/status"), s(r, "/intent")), ("completed", "order"));
    assert!(extension(r, "JP_eCS_Department").is_some());
    assert_eq!(
        s(r, "/subject/identifier/system"),
        "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID"
    );
    for system in ["Medication-RPGroupNumber", "MedicationAdministrationIndex"] {
        assert_eq!(
            array(r, "/identifier")
                .iter()
                .filter(|d| s(d, "/system").ends_with(system))
                .count(),
            1
        );
    }
    full_codings(&r["medicationCodeableConcept"]);
    let systems: Vec<&str> = array(r, "/medicationCodeableConcept/coding")
        .iter()
        .map(|c| s(c, "/system"))
        .collect();
    let standard = [
        "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code",
        "http://jpfhir.jp/fhir/eCS/CodeSystem/MedicationCodeNocoded_CS",
        "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationGeneralOrderCode",
    ];
    assert_eq!(systems.iter().filter(|x| standard.contains(x)).count(), 1);
    assert!(array(r, "/note").len() <= 1);
    assert!(!array(r, "/dosageInstruction").is_empty());
    for d in array(r, "/dosageInstruction") {
        assert!(
            !s(
                extension(d, "JP_MedicationDosage_PeriodOfUse").unwrap(),
                "/valuePeriod/start"
            )
            .is_empty()
        );
        assert!(!s(d, "/text").is_empty() && !s(d, "/timing/code/text").is_empty());
        let usage: Vec<&str> = array(d, "/timing/code/coding")
            .iter()
            .map(|c| s(c, "/system"))
            .collect();
        let dummy = usage.contains(
            &"http://jpfhir.jp/fhir/clins/CodeSystem/JP_CLINS_MedicationUsage_Uncoded_CS",
        );
        let master = usage
            .contains(&"http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationUsage_ePrescription");
        assert!(dummy != master);
        for a in array(d, "/doseAndRate") {
            assert!(!s(a, "/type/coding/0/display").is_empty());
        }
        for a in array(d, "/additionalInstruction") {
            assert!(!s(a, "/coding/0/system").is_empty() && !s(a, "/text").is_empty());
        }
    }
}

// --- the bundled storage -----------------------------------------------------------------------

fn walk(dir: &Path, root: &Path, into: &mut BTreeMap<String, Vec<(String, Vec<u8>)>>) {
    let mut all: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    all.sort();
    for p in all {
        if p.is_dir() {
            walk(&p, root, into);
            continue;
        }
        let relative = p
            .strip_prefix(root)
            .unwrap()
            .to_string_lossy()
            .replace('\\', "/");
        let parts: Vec<&str> = relative.split('/').collect();
        if parts.len() > 3 {
            into.entry(parts[2].to_owned())
                .or_default()
                .push((relative.clone(), std::fs::read(&p).unwrap()));
        }
    }
}

fn storage(root: &Path) -> BTreeMap<String, Vec<(String, Vec<u8>)>> {
    let mut all = BTreeMap::new();
    walk(root, root, &mut all);
    all
}

#[test]
fn the_bundled_storage_obeys_every_rule() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/standard_root");
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut names = Vec::new();
    for (_, files) in storage(&root) {
        let (_, made) = convert(&files, &options());
        for p in &made {
            names.push(if p.name.starts_with("Observation-") {
                "Observation".to_owned()
            } else {
                p.name.clone()
            });
            for (k, n) in p.counts.iter() {
                *counts.entry(k).or_insert(0) += n;
            }
        }
        // Twice the same bytes; without tracing the same bytes.
        let (_, again) = convert(
            &files,
            &Options {
                trace: false,
                ..options()
            },
        );
        assert_eq!(
            made.iter().map(|p| &p.bytes).collect::<Vec<_>>(),
            again.iter().map(|p| &p.bytes).collect::<Vec<_>>()
        );
    }
    for kind in [
        "AllergyIntolerance",
        "Condition",
        "Observation",
        "MedicationRequest",
    ] {
        assert!(
            counts.get(kind).is_some_and(|n| *n > 0),
            "{kind}: {counts:?}"
        );
    }
    assert!(
        names.iter().filter(|n| *n == "Observation").count() > 1,
        "one Bundle a report: {names:?}"
    );
}

// --- rule by rule, on invented messages ---------------------------------------------------------

const MSH: &str = r"MSH|^~\&|HIS|X|SSMIX|X|20260401100000.000||T^E|1|P|2.5||||||UNICODE UTF-8";
const PID: &str = "PID|0001||0000990001||割符^花子^^^^^L^I~ワリフ^ハナコ^^^^^L^P||19680303|F|||^^^^000-0000^JPN^H^東京都架空区１";
fn insured_until(number: &str, end: &str) -> String {
    let mut f = [""; 18];
    f[..5].copy_from_slice(&[
        "IN1",
        "0001",
        "06^組合管掌健康保険^JHSD0001",
        "00139998",
        "架空組合",
    ]);
    f[10] = number;
    f[12] = "20200401";
    f[13] = end;
    f[17] = "SEL^本人^HL70063";
    f.join("|")
}

fn insured(number: &str) -> String {
    insured_until(number, "20270331")
}

fn storage_of(files: &[(&str, &str, String)]) -> Vec<(String, Vec<u8>)> {
    files
        .iter()
        .map(|(kind, department, text)| {
            (
                path(
                    kind,
                    if kind.starts_with("ADT-0") || *kind == "ADT-61" {
                        "-"
                    } else {
                        "20260401"
                    },
                    "20260401100000000",
                    department,
                    '1',
                ),
                bytes_of(text),
            )
        })
        .collect()
}

fn person(in1: &str) -> (&'static str, &'static str, String) {
    (
        "ADT-00",
        "-",
        format!(
            "{}\nEVN||20260401100000\n{PID}\nPV1|0001|O\n{in1}",
            MSH.replace("T^E", "ADT^A08")
        ),
    )
}

fn problems(prb: &str) -> (&'static str, &'static str, String) {
    (
        "PPR-01",
        "08",
        format!(
            "{}\n{PID}\nPV1|0001|O\n{prb}",
            MSH.replace("T^E", "PPR^PC1")
        ),
    )
}

fn prb(fields: &[(usize, &str)]) -> String {
    let mut f = vec![""; 26];
    f[0] = "PRB";
    f[1] = "AD";
    f[2] = "20260401";
    f[3] = "20064049^十二指腸潰瘍^MDCDX2";
    f[4] = "PRB1";
    f[7] = "20260320";
    for (n, v) in fields {
        f[*n] = v;
    }
    f.join("|")
}

fn only(files: &[(&'static str, &'static str, String)]) -> (Output, Vec<Part>) {
    convert(&storage_of(files), &options())
}

fn value(p: &Part) -> Value {
    serde_json::from_slice(&p.bytes).unwrap()
}

fn member() -> String {
    insured("割符・12345・01")
}

#[test]
fn a_disease_becomes_an_entry_after_the_patient() {
    let (out, made) = only(&[person(&member()), problems(&prb(&[]))]);
    assert_eq!(made.len(), 1, "{:?}", codes_of(&out));
    assert_eq!(made[0].name, "Condition.json");
    let b = value(&made[0]);
    assert_eq!(
        s(&b, "/identifier/value"),
        format!("{INSTITUTION}^2026^{}", s(&b, "/id"))
    );
    assert_eq!(s(&b, "/timestamp"), "2026-05-01T09:30:00+09:00");
    assert_eq!(
        s(&b, "/entry/0/resource/identifier/1/value"),
        "00139998:割符:12345:01"
    );
    let c = &b["entry"][1]["resource"];
    assert_eq!(s(c, "/meta/lastUpdated"), "2026-04-01T10:00:00.000+09:00");
    assert_eq!(s(c, "/onsetDateTime"), "2026-03-20");
    assert_eq!(
        (s(c, "/contained/0/class/code"), s(c, "/contained/0/status")),
        ("AMB", "finished")
    );
    assert_eq!(
        s(
            extension(c, "JP_eCS_Department").unwrap(),
            "/valueCodeableConcept/coding/0/code"
        ),
        "08"
    );
}

#[test]
fn leaves_keep_their_source() {
    let (_, made) = only(&[person(&member()), problems(&prb(&[]))]);
    let find = |pointer: &str| {
        made[0].hits[0]
            .iter()
            .find(|h| h.pointer == pointer)
            .unwrap_or_else(|| panic!("{pointer}"))
    };
    let paths = |pointer: &str| {
        find(pointer)
            .spans
            .iter()
            .map(|s| s.path.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(paths("/entry/1/resource/code/coding/0/code"), ["PRB-3.1"]);
    assert_eq!(
        find("/entry/1/resource/code/coding/0/code")
            .row
            .unwrap()
            .source,
        "PRB-3"
    );
    assert_eq!(paths("/entry/1/resource/contained/0/class/code"), ["PV1-2"]);
    assert_eq!(
        find("/entry/1/resource/contained/0/class/code")
            .row
            .unwrap()
            .source,
        "PV1-2"
    );
    assert_eq!(paths("/entry/1/resource/meta/lastUpdated"), ["MSH-7"]);
    assert!(
        paths("/entry/0/resource/identifier/1/value")
            .iter()
            .any(|p| p.starts_with("IN1-10"))
    );
    // A constant of the Bundle: no bytes, but the row that writes it.
    assert!(find("/type").spans.is_empty());
    assert_eq!(find("/type").row.unwrap().source, "");
}

#[test]
fn identity_is_of_the_unit_and_urls_are_of_the_sending() {
    let files = storage_of(&[person(&member()), problems(&prb(&[]))]);
    let send = |id: &str| {
        value(
            &convert(
                &files,
                &Options {
                    sending_id: Some(id.to_owned()),
                    ..options()
                },
            )
            .1[0],
        )
    };
    let (a, b) = (send("1"), send("2"));
    assert_eq!(a["identifier"], b["identifier"]);
    assert_ne!(a["entry"][0]["fullUrl"], b["entry"][0]["fullUrl"]);
    assert_eq!(a, send("1"));
    // Without a sending id the content decides.
    let changed = storage_of(&[person(&member()), problems(&prb(&[(7, "20260321")]))]);
    let (x, y) = (
        value(&convert(&files, &options()).1[0]),
        value(&convert(&changed, &options()).1[0]),
    );
    assert_eq!(x["identifier"], y["identifier"]);
    assert_ne!(x["entry"][0]["fullUrl"], y["entry"][0]["fullUrl"]);
}

#[test]
fn without_who_where_or_when_there_is_no_bundle() {
    let files = storage_of(&[person(&member()), problems(&prb(&[]))]);
    let none = |files: &[(String, Vec<u8>)], options: &Options, code: &str| {
        let (out, made) = convert(files, options);
        assert!(made.is_empty(), "{code}");
        assert!(
            codes_of(&out).contains(&code),
            "{code}: {:?}",
            codes_of(&out)
        );
    };
    none(
        &files,
        &Options {
            institution: None,
            ..options()
        },
        "CLN101",
    );
    none(
        &files,
        &Options {
            institution: Some("1399999999".to_owned()),
            ..options()
        },
        "CLN102",
    );
    none(
        &files,
        &Options {
            sent_at: Some("2028-01-01T00:00:00+09:00".to_owned()),
            ..options()
        },
        "CLN104",
    );
    none(
        &files,
        &Options {
            sent_at: Some("2019-12-31T00:00:00+09:00".to_owned()),
            ..options()
        },
        "CLN107",
    );
    none(
        &storage_of(&[person(&insured("")), problems(&prb(&[]))]),
        &options(),
        "CLN103",
    );
    let nowhere = person(&member())
        .2
        .replace("^^^^000-0000^JPN^H^東京都架空区１", "");
    none(
        &storage_of(&[("ADT-00", "-", nowhere), problems(&prb(&[]))]),
        &options(),
        "CLN105",
    );
    let nobody = person(&member())
        .2
        .replace("割符^花子^^^^^L^I~ワリフ^ハナコ^^^^^L^P", "割符");
    none(
        &storage_of(&[("ADT-00", "-", nobody), problems(&prb(&[]))]),
        &options(),
        "CLN105",
    );
    let timeless = |text: String| text.replace("20260401100000.000", "");
    none(
        &storage_of(&[
            ("ADT-00", "-", timeless(person(&member()).2)),
            ("PPR-01", "08", timeless(problems(&prb(&[])).2)),
        ]),
        &Options {
            sent_at: None,
            ..options()
        },
        "CLN106",
    );
}

#[test]
fn the_newest_message_gives_the_time_when_none_is_given() {
    let files = storage_of(&[person(&member()), problems(&prb(&[]))]);
    let b = value(
        &convert(
            &files,
            &Options {
                sent_at: None,
                ..options()
            },
        )
        .1[0],
    );
    assert_eq!(s(&b, "/timestamp"), "2026-04-01T10:00:00.000+09:00");
}

/// The same messages are the same documents, to the byte, in one file, one by one, or by person.
#[test]
fn packing_changes_no_document() {
    let of = |number: &str, kind: (&str, &str, String), sent: &str, department: &str| {
        let text = kind.2.replacen("0000990001", number, 1);
        let text = text.replacen("20260401100000", sent, 1);
        bytes_of(&text.replacen("PV1|0001|O", &format!("PV1|0001|O||||||||{department}"), 1))
    };
    let other = |n: &str| problems(&prb(&[(4, n)]));
    let messages = |number: &str, day: &str| {
        let at = |hour: &str| [day, hour, "0000"].concat();
        [
            of(number, person(&member()), &at("10"), ""),
            of(number, other("P1"), &at("11"), "08"),
            of(number, other("P2"), &at("12"), "01"),
        ]
    };
    let persons = [
        messages("0000990001", "20260401"),
        messages("0000990002", "20260402"),
    ];
    let options = Options {
        sent_at: None,
        ..options()
    };
    let made = |packed: &[Vec<Vec<u8>>]| {
        let mut all = Vec::new();
        for files in packed {
            let named = files.iter().zip(0..);
            let files: Vec<_> = named
                .map(|(f, n)| (format!("{n}.hl7"), f.clone()))
                .collect();
            let parts = convert(&files, &options).1;
            all.extend(parts.into_iter().map(|p| (p.patient, p.name, p.bytes)));
        }
        all.sort();
        all
    };
    let by_person = persons.clone().map(|all| all.to_vec());
    let apart = made(&by_person);
    assert_eq!(apart.len(), 2);
    let text = String::from_utf8_lossy(&apart[0].2).into_owned();
    assert!(
        text.contains("2026-04-01T11:00:00.000+09:00") && text.contains("code\":\"08"),
        "{text}"
    );
    assert_eq!(
        made(&by_person.clone().map(|all| vec![all.concat()])),
        apart
    );
    assert_eq!(made(&[by_person.concat()]), apart);
    assert_eq!(made(&[vec![by_person.concat().concat()]]), apart);
    let mixed = [&persons[1][..2], &persons[0], &persons[1][2..]].concat();
    assert_eq!(made(&[vec![mixed.concat()]]), apart);
    assert_eq!(
        made(&[vec![mixed[..4].concat(), mixed[4..].concat()]]),
        apart
    );
}

#[test]
fn what_a_disease_lacks_keeps_it_out() {
    for (fields, code) in [
        (vec![(3, "20084317^頭が重い^MDCDX2")], "CLN201"),
        (vec![(3, "^頭が重い")], "CLN201"),
        (vec![(7, "")], "CLN203"),
        (vec![(1, "DE")], "CLN206"),
        (
            vec![(7, "20200401"), (14, "F^治癒^HL70241"), (9, "20210430")],
            "CLN207",
        ),
        (vec![(25, "R^制限^HL70177")], "CLN208"),
    ] {
        let (out, made) = only(&[person(&member()), problems(&prb(&fields))]);
        assert!(made.is_empty(), "{code}");
        assert!(
            codes_of(&out).contains(&code),
            "{code}: {:?}",
            codes_of(&out)
        );
    }
    // Ended exactly five years ago, or open to all: in.
    for fields in [
        vec![(7, "20200401"), (14, "F^治癒^HL70241"), (9, "20210501")],
        vec![(25, "U^通常^HL70177")],
    ] {
        let (out, made) = only(&[person(&member()), problems(&prb(&fields))]);
        assert_eq!(made.len(), 1, "{:?}", codes_of(&out));
    }
}

#[test]
fn a_modifier_without_management_number_keeps_the_disease_out() {
    let zpr = |z: &str| format!("{}\n{z}", prb(&[]));
    let (out, made) = only(&[
        person(&member()),
        problems(&zpr("ZPR|||||Q7NP^十二指腸潰瘍^MDCDX2|8002^の疑い^MDCDX2")),
    ]);
    assert!(
        made.is_empty() && codes_of(&out).contains(&"CLN202"),
        "{:?}",
        codes_of(&out)
    );
    let (out, made) = only(&[
        person(&member()),
        problems(&zpr(
            "ZPR|||27000002^の疑い^MDCDX2||Q7NP^十二指腸潰瘍^MDCDX2|8002^の疑い^MDCDX2",
        )),
    ]);
    assert_eq!(made.len(), 1, "{:?}", codes_of(&out));
    // Suspected is "unconfirmed" here.
    assert_eq!(
        s(
            &value(&made[0]),
            "/entry/1/resource/verificationStatus/coding/0/code"
        ),
        "unconfirmed"
    );
}

#[test]
fn department_and_visit_are_demanded() {
    let bare = |department: &'static str, pv1: &str| {
        (
            "PPR-01",
            department,
            problems(&prb(&[])).2.replace("PV1|0001|O\n", pv1),
        )
    };
    let (out, made) = only(&[person(&member()), bare("-", "PV1|0001|O\n")]);
    assert!(
        made.is_empty() && codes_of(&out).contains(&"CLN204"),
        "{:?}",
        codes_of(&out)
    );
    let (out, made) = only(&[person(&member()), bare("08", "")]);
    assert!(
        made.is_empty() && codes_of(&out).contains(&"CLN205"),
        "{:?}",
        codes_of(&out)
    );
    // An inpatient whose stay is not known: how far it is, is not said.
    let (_, made) = only(&[person(&member()), bare("08", "PV1|0001|I\n")]);
    let c = &value(&made[0])["entry"][1]["resource"];
    assert_eq!(
        (s(c, "/contained/0/class/code"), s(c, "/contained/0/status")),
        ("IMP", "unknown")
    );
}

#[test]
fn a_disease_not_told_is_tagged() {
    let (_, made) = only(&[person(&member()), problems(&prb(&[(21, "N^未告知")]))]);
    assert_eq!(
        s(&value(&made[0]), "/entry/1/resource/meta/tag/0/code"),
        "UNINFORMED"
    );
    let (_, made) = only(&[person(&member()), problems(&prb(&[]))]);
    assert!(
        value(&made[0])
            .pointer("/entry/1/resource/meta/tag")
            .is_none()
    );
}

fn allergies(iam: &str) -> (&'static str, &'static str, String) {
    (
        "ADT-61",
        "-",
        format!(
            "{}\n{PID}\nPV1|0001|O\n{iam}",
            MSH.replace("T^E", "ADT^A60")
        ),
    )
}

#[test]
fn allergens_are_coded_by_jfagy_yj_or_as_uncoded() {
    for (iam, code, system) in [
        (
            "IAM|1|DA^薬剤^HL70127|1149019F1560^ロキソニン錠６０ｍｇ^YJ|||A|A1",
            "YCM1149019F1560",
            "YCM/JP_JfagyMedicationAllergen_CS",
        ),
        (
            "IAM|1|DA^薬剤^HL70127|2260701F1ZZZ^ポビドンヨード含嗽用液^YJ|||A|A1",
            "GCM2260701F1ZZZ",
            "GCM/JP_JfagyMedicationAllergen_CS",
        ),
        (
            "IAM|1|FA^食物^HL70127|J9FC11310000^さば^J-FAGY|||A|A1",
            "J9FC11310000",
            "JP_JfagyFoodAllergen_CS",
        ),
        (
            "IAM|1|DA^薬剤^HL70127|X1^痛み止め^99LOC|||A|A1",
            "D9M000000000",
            "YCM/JP_JfagyMedicationAllergen_CS",
        ),
        (
            "IAM|1|FA^食物^HL70127|X1^たまご^99LOC|||A|A1",
            "D9F000000000",
            "JP_JfagyFoodAllergen_CS",
        ),
        (
            "IAM|1|AA^動物^HL70127|X1^ねこ^99LOC|||A|A1",
            "D9N000000000",
            "JP_JfagyNonFoodNonMedicationAllergen_CS",
        ),
    ] {
        let (out, made) = only(&[person(&member()), allergies(iam)]);
        assert_eq!(made.len(), 1, "{code}: {:?}", codes_of(&out));
        let b = value(&made[0]);
        let a = &b["entry"][1]["resource"];
        assert_eq!(s(a, "/code/coding/0/code"), code);
        assert!(s(a, "/code/coding/0/system").ends_with(system));
        assert_eq!(array(a, "/code/coding").len(), 1);
        assert!(!array(a, "/category").contains(&Value::from("biologic")));
        assert_eq!(codes_of(&out).contains(&"CLN304"), code.starts_with("D9"));
        assert_eq!(
            codes_of(&out).contains(&"CLN305"),
            code.contains("CM") || code.starts_with("D9M")
        );
    }
    let (out, made) = only(&[
        person(&member()),
        allergies("IAM|1|FA^食物^HL70127|J9FC11310000^さば^J-FAGY|||A|A1||||||||||E^誤り^HL70438"),
    ]);
    assert!(
        made.is_empty() && codes_of(&out).contains(&"CLN206"),
        "{:?}",
        codes_of(&out)
    );
}

const DOCTOR: &str = "607^医師^一郎^^^^^^^L^^^^^I";

fn results(lines: &str) -> (&'static str, &'static str, String) {
    let head = MSH.replace("T^E", "OUL^R22^OUL_R22");
    let order = format!(
        "SPM|1|S001||023^血清^JC10|||||||||||||202604010900\nOBR|1|O001|F001|E001^生化学的検査^99O03|||202604010900|202604010905||||||||{DOCTOR}||||||20260401103059|||F\nORC|SC|O001|F001|G001|CM||||20260401103059|||{DOCTOR}|||||01^内科^HL70069"
    );
    (
        "OML-11",
        "01",
        format!("{head}\n{PID}\nPV1|0001|O\n{order}\n{lines}"),
    )
}

fn first_result(lines: &str) -> (Output, Value) {
    let (out, made) = only(&[person(&member()), results(lines)]);
    assert_eq!(made.len(), 1, "{:?}", codes_of(&out));
    assert!(made[0].name.starts_with("Observation-"));
    let r = value(&made[0])["entry"][1]["resource"].clone();
    (out, r)
}

fn item_codings(r: &Value) -> Vec<(String, String, String)> {
    let last = |t: &str| t.rsplit('/').next().unwrap().to_owned();
    array(r, "/code/coding")
        .iter()
        .map(|c| {
            (
                last(s(c, "/system")),
                s(c, "/code").to_owned(),
                s(c, "/display").to_owned(),
            )
        })
        .collect()
}

fn triple(a: &str, b: &str, c: &str) -> (String, String, String) {
    (a.to_owned(), b.to_owned(), c.to_owned())
}

#[test]
fn items_are_coded_by_the_four_rules() {
    // A core item: local code, then the code of the core list with its FHIR name.
    let (_, r) = first_result(
        "OBX|1|NM|3A015000002327101^アルブミン^JC10^ALB1^ｱﾙﾌﾞﾐﾝ　（血清）^99LAB||3.9|g/dL|3.8-5.2||||F|||202604010855",
    );
    assert_eq!(
        item_codings(&r),
        [
            triple(
                "JP_CLINS_ObsLabResult_LocalCode_CS",
                "ALB1",
                "アルブミン (血清)"
            ),
            triple(
                "JP_CLINS_ObsLabResult_CoreLabo_CS",
                "3A015000002327101",
                "ALB"
            ),
        ]
    );
    assert_eq!(s(&r, "/effectiveDateTime"), "2026-04-01T08:55:00+09:00");
    assert_eq!(s(&r, "/performer/0/reference"), "#performer");
    let person = array(&r, "/contained")
        .iter()
        .find(|c| s(c, "/resourceType") == "Practitioner")
        .unwrap();
    assert_eq!(s(person, "/identifier/0/value"), "607");
    // Not in the lists: JLAC10.
    let (_, r) = first_result(
        "OBX|1|NM|3B339000002327101^何か^JC10^X1^何か^99LAB||3.9|g/dL|||||F|||202604010855",
    );
    assert_eq!(
        item_codings(&r)[1],
        triple("master-JLAC10-17digits", "3B339000002327101", "何か")
    );
    // No JLAC code: uncoded.
    let (out, r) = first_result("OBX|1|NM|X1^何か^99LAB||3.9|g/dL|||||F|||202604010855");
    assert_eq!(
        item_codings(&r)[1],
        triple(
            "JP_CLINS_ObsLabResult_Uncoded_CS",
            "99999999999999999",
            "未標準化コード項目(JLAC)"
        )
    );
    assert!(codes_of(&out).contains(&"CLN303"));
    // No local code, or one with other characters: said.
    for obx3 in [
        "3A015000002327101^アルブミン^JC10",
        "3A015000002327101^アルブミン^JC10^A+1^アルブミン^99LAB",
    ] {
        let (out, r) = first_result(&format!("OBX|1|NM|{obx3}||3.9|g/dL|||||F|||202604010855"));
        assert_eq!(item_codings(&r).len(), 1);
        assert!(codes_of(&out).contains(&"CLN302"));
    }
}

#[test]
fn an_item_on_several_specimens_names_the_specimen() {
    let lines = "OBX|1|NM|3A015000002327101^アルブミン^JC10^ALB1^アルブミン^99LAB||3.9|g/dL|||||F|||202604010855";
    let urine = results(&lines.replace("3A0150000023", "3A0150000001"))
        .2
        .replace("O001", "O002")
        .replace("S001||023^血清", "S002||001^尿");
    let files = [person(&member()), results(lines), ("OML-11", "01", urine)];
    let mut all = storage_of(&files);
    all[2].0 = all[2].0.replace("999999999999999", "000000000000002");
    let (out, made) = convert(&all, &options());
    assert_eq!(made.len(), 2, "{:?}", codes_of(&out));
    let mut locals: Vec<String> = made
        .iter()
        .map(|p| item_codings(&value(p)["entry"][1]["resource"])[0].1.clone())
        .collect();
    locals.sort();
    assert_eq!(locals, ["ALB1_001", "ALB1_023"]);
}

#[test]
fn results_that_cannot_be_sent_stay_out() {
    let withdrawn = "OBX|1|NM|X1^何か^99LAB||3.9|g/dL|||||D|||202604010855";
    let (out, made) = only(&[person(&member()), results(withdrawn)]);
    assert!(
        made.is_empty() && codes_of(&out).contains(&"CLN206"),
        "{:?}",
        codes_of(&out)
    );
    let sound = "OBX|1|NM|X1^何か^99LAB||3.9|g/dL|||||F|||202604010855";
    let cancelled = results(sound).2.replace("ORC|SC", "ORC|CA");
    let (out, made) = only(&[person(&member()), ("OML-11", "01", cancelled)]);
    assert!(
        made.is_empty() && codes_of(&out).contains(&"CLN206"),
        "{:?}",
        codes_of(&out)
    );
    let unnamed = results("OBX|1|NM|X1^何か^99LAB||3.9|g/dL|||||F|||202604010855")
        .2
        .replace("SPM|1|S001||023^血清^JC10|||||||||||||202604010900\n", "");
    let (out, made) = only(&[person(&member()), ("OML-11", "01", unnamed)]);
    assert!(
        made.is_empty() && codes_of(&out).contains(&"CLN209"),
        "{:?}",
        codes_of(&out)
    );
}

fn prescribed(rxe2: &str, orc1: &str, tq1: &str) -> (&'static str, &'static str, String) {
    let head = MSH.replace("T^E", "RDE^O11^RDE_O11");
    let text = format!(
        "{head}\n{PID}\nPV1|0001|O\nORC|{orc1}|100||1|||||20260401104500|{DOCTOR}||{DOCTOR}|||||08^循環器科^HL70069\nRXE||{rxe2}|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P||||||||1^TAB&錠&MR9P||OHP^外来処方^MR9P|||||||||||20260401104500\nTQ1|1||{tq1}\nRXR|PO^口^HL70162"
    );
    ("OMP-01", "08", text)
}

const USAGE: &str = "1011000400000000&内服・経口・１日１回朝食後&JAMISDP01|||7^d&日&ISO+|20260401";

#[test]
fn prescriptions_are_lines_with_yj_or_nocoded_and_the_dummy_usage() {
    for (rxe2, nocoded) in [("2171022F1029^薬^YJ", false), ("103831601^薬^HOT9", true)] {
        let (out, made) = only(&[person(&member()), prescribed(rxe2, "NW", USAGE)]);
        assert_eq!(made.len(), 1, "{:?}", codes_of(&out));
        assert_eq!(
            (made[0].name.as_str(), made[0].hits.len()),
            ("MedicationRequest.ndjson", 1)
        );
        let r = value(&made[0]);
        assert_eq!(codes_of(&out).contains(&"CLN306"), nocoded);
        assert!(codes_of(&out).contains(&"CLN307"));
        assert_eq!(s(&r, "/subject/identifier/value"), "00139998:割符:12345:01");
        let usage = array(&r, "/dosageInstruction/0/timing/code/coding");
        assert_eq!(
            usage.iter().map(|c| s(c, "/code")).collect::<Vec<_>>(),
            ["1011000400000000", "0X0XXXXXXXXX0000"]
        );
    }
}

#[test]
fn one_practitioner_is_contained_and_another_recorder_is_named() {
    let yj = "2171022F1029^薬^YJ";
    let (kind, department, text) = prescribed(yj, "NW", USAGE);
    let same = (kind, department, text.clone());
    let other = text.replacen(DOCTOR, "C1^受付^花代^^^^^^^L^^^^^I", 1);
    for (file, reference) in [(same, true), ((kind, department, other), false)] {
        let (_, made) = only(&[person(&member()), file]);
        let r = value(&made[0]);
        let contained = array(&r, "/contained");
        let persons = contained
            .iter()
            .filter(|c| s(c, "/resourceType") == "Practitioner");
        assert_eq!(persons.count(), 1);
        if reference {
            assert_eq!(s(&r, "/recorder/reference"), "#requester");
        } else {
            assert!(r.pointer("/recorder/reference").is_none());
            assert_eq!(s(&r, "/recorder/display"), "受付 花代");
        }
    }
}

#[test]
fn an_amount_has_a_type_only_where_the_unit_tells_it() {
    let (_, made) = only(&[
        person(&member()),
        prescribed("2171022F1029^薬^YJ", "NW", USAGE),
    ]);
    let a = &value(&made[0])["dosageInstruction"][0]["doseAndRate"][0];
    assert_eq!(s(a, "/type/coding/0/code"), "1");
    assert_eq!(s(a, "/doseQuantity/code"), "TAB");
    let (kind, department, text) = prescribed("2171022F1029^薬^YJ", "NW", USAGE);
    let grams = text.replace("TAB^錠", "G^g").replace("TAB&錠", "G&g");
    let (out, made) = only(&[person(&member()), (kind, department, grams)]);
    let d = &value(&made[0])["dosageInstruction"][0];
    assert!(d.get("doseAndRate").is_none() && s(d, "/text").contains("1g"));
    assert!(codes_of(&out).contains(&"CLN301"));
}

#[test]
fn prescriptions_that_cannot_be_sent_stay_out() {
    let yj = "2171022F1029^薬^YJ";
    for (files, code) in [
        (
            vec![person(&member()), prescribed(yj, "CA", USAGE)],
            "CLN213",
        ),
        (
            vec![
                person(&member()),
                prescribed(yj, "NW", &USAGE.replace("|20260401", "|")),
            ],
            "CLN209",
        ),
        (
            vec![person(&insured("")), prescribed(yj, "NW", USAGE)],
            "CLN214",
        ),
        (
            vec![
                person(&insured_until("割符・12345・01", "20260331")),
                prescribed(yj, "NW", USAGE),
            ],
            "CLN214",
        ),
    ] {
        let (out, made) = only(&files);
        assert!(
            made.is_empty() && codes_of(&out).contains(&code),
            "{code}: {:?}",
            codes_of(&out)
        );
    }
}

#[test]
fn a_disease_of_another_person_in_the_folder_does_not_join() {
    let (kind, department, text) = problems(&prb(&[]));
    let stranger = text.replace("||0000990001||", "||0000990009||");
    let (out, made) = only(&[person(&member()), (kind, department, stranger)]);
    assert!(made.is_empty());
    assert!(codes_of(&out).contains(&"CLN103"), "{:?}", codes_of(&out));
}

/// Whatever the samples hold, what is made of them obeys every rule, and what is not made is said.
#[test]
fn shared_samples_obey_every_rule() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples/ssmix2");
    if !root.is_dir() {
        println!("skipped: ../shared is absent");
        return;
    }
    for sent_at in [
        None,
        Some("2020-01-15T09:30:00+09:00"),
        Some("2026-05-01T09:30:00+09:00"),
    ] {
        let options = Options {
            sent_at: sent_at.map(str::to_owned),
            ..options()
        };
        let (mut counts, mut said) = (BTreeMap::new(), BTreeMap::new());
        for sample in ["nho-documents", "nho-testing-tool", "synthetic-small"] {
            for (_, files) in storage(&root.join(sample).join("standard_root")) {
                let (out, made) = convert(&files, &options);
                let informations = out.resources.iter().filter(|r| {
                    matches!(
                        r.resource_type,
                        "AllergyIntolerance" | "Condition" | "MedicationRequest"
                    )
                });
                let sent: u64 = made.iter().flat_map(|p| p.counts.values()).sum();
                let explained = codes_of(&out)
                    .iter()
                    .any(|c| c.starts_with("CLN1") || c.starts_with("CLN2"));
                assert!(informations.count() == 0 || sent > 0 || explained);
                for (k, n) in made.iter().flat_map(|p| p.counts.iter()) {
                    *counts.entry(*k).or_insert(0u64) += n;
                }
                for c in codes_of(&out) {
                    *said.entry(c).or_insert(0u64) += 1;
                }
            }
        }
        println!("{sent_at:?}: {counts:?} {said:?}");
    }
}
