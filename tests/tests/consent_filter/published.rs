//! What becomes of the samples and of the published examples: beside one excluded label, with everything
//! granted, with each category alone.
#![allow(clippy::print_stdout, reason = "the measure is shown with --nocapture")]

use super::*;

/// A holder who says of every Patient that it is the person: examples have several ways to name one.
struct One;

impl Knowledge for One {
    fn facts(&self, kind: &str, id: &str) -> Facts {
        Holder.facts(kind, id)
    }

    fn is_person(&self, _: &str, _: &str) -> Option<bool> {
        Some(true)
    }
}

fn run(policy: &Policy, bundle: &[u8], cats: Bits, annex: &Annex) -> Filtered {
    run_of(policy, bundle, cats, annex, &One)
}

/// The published examples as Bundles of one patient: a Bundle as it is, a resource with a Patient beside it.
fn examples(test: &str) -> Vec<(String, Vec<u8>)> {
    let Some(shared) = common::shared(test) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for f in common::load(&shared.join("fhir/examples")) {
        let Ok(r) = serde_json::from_slice::<Value>(&f.bytes) else {
            continue;
        };
        if r["resourceType"] == "Bundle" {
            all.push((f.path, f.bytes));
            continue;
        }
        let mut entries = vec![serde_json::json!({ "resource": r })];
        // Who and where go only with what names them.
        if [
            "Organization",
            "Location",
            "Practitioner",
            "PractitionerRole",
            "Device",
        ]
        .contains(&r["resourceType"].as_str().unwrap_or_default())
        {
            continue;
        }
        if r["resourceType"] == "Specimen" || r["resourceType"] == "Medication" {
            let to = format!(
                "{}/{}",
                r["resourceType"].as_str().unwrap(),
                r["id"].as_str().unwrap()
            );
            entries.push(if r["resourceType"] == "Specimen" {
                serde_json::json!({"resource": {"resourceType": "Observation", "id": "of", "status": "final",
                    "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}],
                    "code": {"coding": [{"system": "http://medis.or.jp/CodeSystem/master-JLAC10-17digits", "code": "3B0350000023272"}]},
                    "specimen": {"reference": to}}})
            } else {
                serde_json::json!({"resource": {"resourceType": "MedicationStatement", "id": "of", "status": "active",
                    "subject": {"reference": "Patient/p"}, "medicationReference": {"reference": to}}})
            });
        }
        // The person named as the example names it.
        let named = ["subject", "patient", "beneficiary"]
            .iter()
            .find_map(|k| r[k]["reference"].as_str())
            .and_then(|r| r.strip_prefix("Patient/"))
            .unwrap_or("p");
        if r["resourceType"] != "Patient" {
            let number = r["subject"]["identifier"]
                .as_object()
                .or(r["patient"]["identifier"].as_object());
            entries.push(serde_json::json!({"resource": {"resourceType": "Patient", "id": named, "identifier": [number]}}));
        }
        let bundle =
            serde_json::json!({"resourceType": "Bundle", "type": "collection", "entry": entries});
        all.push((f.path, bundle.to_string().into_bytes()));
    }
    all
}

/// The samples as our converter makes them, one Bundle a patient.
fn samples(test: &str) -> Vec<(String, Vec<u8>)> {
    let Some(shared) = common::shared(test) else {
        return Vec::new();
    };
    let roots = [
        "nho-documents/standard_root",
        "nho-documents/extended_root",
        "nho-testing-tool/standard_root",
        "synthetic-small/standard_root",
    ];
    roots
        .iter()
        .flat_map(|root| converted(root, &shared.join("samples/ssmix2").join(root)))
        .collect()
}

/// Whether a rule of the policy for the label has one of the item's codes.
fn is_of(policy: &Value, label: &str, r: &Value) -> bool {
    fn codings<'v>(v: &'v Value, out: &mut Vec<(&'v str, String)>) {
        match v {
            Value::Object(m) => {
                if let (Some(s), Some(c)) = (
                    m.get("system").and_then(Value::as_str),
                    m.get("code").and_then(Value::as_str),
                ) {
                    out.push((s, c.replace('.', "")));
                }
                m.values().for_each(|v| codings(v, out));
            }
            Value::Array(a) => a.iter().for_each(|v| codings(v, out)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    codings(r, &mut all);
    policy["label_rules"].as_array().unwrap().iter().any(|row| {
        let texts = |k: &str| {
            row[k]
                .as_array()
                .unwrap()
                .iter()
                .map(|t| t.as_str().unwrap().replace('.', ""))
                .collect::<Vec<_>>()
        };
        let systems: Vec<&str> = row["system"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t.as_str().unwrap())
            .collect();
        row["label"] == label
            && all.iter().any(|(s, c)| {
                systems.contains(s) && texts("prefix").iter().any(|p| c.starts_with(p))
            })
    })
}

/// Each label left out alone: what is of another kind goes out, by its own codes. What only the labeller cannot
/// judge stays back: medicines with a HOT number alone, words, codes of the institution's own.
#[test]
fn one_label_left_out_takes_little_else() {
    let test = "one_label_left_out_takes_little_else";
    let policy = Policy::reference().unwrap();
    let rows: Value = serde_json::from_str(warifu_consent::REFERENCE).unwrap();
    let key = |r: &Value| {
        let kind = r["resourceType"].as_str().unwrap_or_default();
        format!("{kind}/{}", r["id"].as_str().unwrap_or_default())
    };
    for (name, bundles, least) in [
        ("samples", samples(test), SAMPLES),
        ("examples", examples(test), EXAMPLES),
    ] {
        if bundles.is_empty() {
            continue;
        }
        for label in policy.labels().iter().skip(2) {
            let mut kinds: BTreeMap<String, (usize, usize)> = BTreeMap::new();
            for (_, bundle) in &bundles {
                let mut annex = Annex::empty([0; 16]);
                let go = |annex: &Annex| run(&policy, bundle, policy.all_categories(), annex);
                let whole = resources(&go(&annex).bytes);
                annex.lbl.push(label.code.clone());
                let sent: BTreeSet<String> = resources(&go(&annex).bytes).iter().map(key).collect();
                let records: BTreeMap<_, _> = categories_of(bundle, &policy)
                    .unwrap()
                    .into_iter()
                    .collect();
                let originals = resources(bundle);
                for r in whole.iter().filter(|r| records.contains_key(&key(r))) {
                    let original = originals.iter().find(|o| key(o) == key(r)).unwrap();
                    if !is_of(&rows, &label.code, original) {
                        let kind = r["resourceType"].as_str().unwrap().to_owned();
                        let (out, all) = kinds.entry(kind).or_default();
                        *all += 1;
                        *out += usize::from(sent.contains(&key(r)));
                    }
                }
            }
            let (out, all) = kinds.values().fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
            println!("{name} without {}: {out} of {all}, {kinds:?}", label.code);
            for (kind, least) in least {
                assert!(kinds[*kind].0 >= *least, "{name} {} {kind}", label.code);
            }
        }
    }
}

/// How many of a type go out at least.
const SAMPLES: &[(&str, usize)] = &[
    ("AllergyIntolerance", 15),
    ("Coverage", 10),
    ("DiagnosticReport", 130),
    ("Encounter", 34),
    ("Observation", 480),
    ("ServiceRequest", 100),
];
const EXAMPLES: &[(&str, usize)] = &[
    ("AllergyIntolerance", 12),
    ("DiagnosticReport", 5),
    ("MedicationRequest", 7),
    ("Observation", 105),
];

/// An order is judged as its result is, whichever of its names JLAC10 has.
#[test]
fn an_order_is_labelled_as_its_result() {
    let policy = Policy::reference().unwrap();
    let rows: Value = serde_json::from_str(warifu_consent::REFERENCE).unwrap();
    let of = |kind: &str, system: &str, code: &str| {
        let bundle = serde_json::json!({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {
            "resourceType": kind, "id": "x", "category": [{"coding": [{"code": "laboratory"}]}],
            "code": {"coding": [{"system": system, "code": code}]}}}]});
        let all = categories_of(bundle.to_string().as_bytes(), &policy).unwrap();
        all.into_iter().next().unwrap().1
    };
    let text = |v: &Value| v.as_str().unwrap().replace('*', "urn:x-");
    let orders = |r: &&Value| {
        r["type"]
            .as_array()
            .unwrap()
            .contains(&"ServiceRequest".into())
    };
    let systems: BTreeSet<String> = rows["match"]
        .as_array()
        .unwrap()
        .iter()
        .filter(orders)
        .flat_map(|r| r["system"].as_array().cloned().unwrap_or_default())
        .map(|s| text(&s))
        .filter(|s| s.contains("JLAC1") || s.contains("jc10") || s.contains("119.4.504"))
        .collect();
    assert!(systems.len() > 6, "{systems:?}");
    let both = &["inf.infection", "inf.lab"][..];
    for system in &systems {
        for (code, cats) in [
            ("5F0160000023272", &["inf.infection"][..]),
            ("5E0710000023998", &["inf.infection"]),
            ("5F9990000023272", both),
            ("3B0350000023272", &["inf.lab"]),
            ("1A0100000001901", &["inf.lab"]),
            ("5H0100000019999", &["demo"]),
        ] {
            let order = of("ServiceRequest", system, code);
            assert_eq!(order, of("Observation", system, code), "{system} {code}");
            if !system.contains("Infection") {
                assert_eq!(order, cats, "{system} {code}");
            }
        }
    }
    // The groups of JLAC10, of which orders are made.
    for (code, cats) in [("3", &["inf.lab"][..]), ("5", both)] {
        let raw = "urn:x-ssmix2:1319999999:JC10-raw";
        assert_eq!(of("ServiceRequest", raw, code), cats);
    }
}

/// Who pays by law is the programme of a disease: it goes with diseases and infections, not with the person.
#[test]
fn a_public_payer_does_not_go_with_the_person() {
    let policy = Policy::reference().unwrap();
    let set = |codes: &[&str]| policy.category_set(codes.iter().copied()).unwrap();
    let annex = Annex::empty([0; 16]);
    let mut labelled = annex.clone();
    labelled.lbl.push("PSY".to_owned());
    let pays = |r: &Value| {
        ["Coverage", "Organization"]
            .iter()
            .any(|k| r["resourceType"] == *k)
    };
    let is_public = |r: &Value| {
        let text = r.to_string();
        text.contains("PublicPayerNumber") || text.contains(r#""code":"8""#)
    };
    let (mut public, mut ordinary) = (0, 0);
    for (name, bundle) in bundles() {
        let payers = |cats: Bits, annex: &Annex| -> (Vec<Value>, Vec<Value>) {
            let sent = resources(&run(&policy, &bundle, cats, annex).bytes);
            sent.into_iter().filter(pays).partition(is_public)
        };
        for (cats, annex) in [
            (set(&["demo"]), &annex),
            (policy.all_categories(), &labelled),
        ] {
            let (none, plain) = payers(cats, annex);
            assert!(none.is_empty(), "{name}: {none:?}");
            ordinary += plain
                .iter()
                .filter(|r| r["resourceType"] == "Coverage")
                .count();
        }
        let (all, _) = payers(set(&["demo", "inf.condition", "inf.infection"]), &annex);
        public += all.len();
    }
    assert!(public > 1 && ordinary > 1, "{public} {ordinary}");
}

/// What may go of a published example with everything granted, by parts of its path: words, who and where and
/// what else only describes, as docs/consent.md says; references to what an example does not bring.
const LOST: &[&str] = &[
    // Codes of systems that no row of the policy knows, beside the name in words.
    "Observation.code.coding:own.",
    // Words, of the whole and of what only describes; what was said beside it; a language.
    ".display",
    ".text.",
    ".note.",
    ".title",
    ".description",
    ".language",
    ".conclusion",
    ".presentedForm.",
    ".content.",
    ".reasonCode.",
    ".reason.",
    ".evidence.",
    ".followUp.",
    "category.text",
    "bodySite.text",
    "method.text",
    "interpretation.text",
    "type.text",
    "additionalInstruction.text",
    "event.",
    "Comment.",
    "costToBeneficiary.",
    // References to what the example does not bring, or in words, and what they stand in.
    ".reference",
    ".performer.function.",
    "Specimen.type",
    "specimen.type",
    "subject.type",
    "valueReference.type",
    "subject.identifier.",
    "patient.identifier.",
    // Who and where in an extension; what a person is beside the name.
    "_Department.",
    "_RequestDepartment.",
    "_Requester.",
    "_Location.",
    "JP_Patient_Race",
    "patient-birthPlace",
    "patient-religion",
    // Kinds that are not known, or of which nobody knows the category, inside another.
    "contained:BodyStructure.",
    "extension:bodySite.",
    "contained:ServiceRequest.",
    "contained:Device.",
    "_Device.",
    // Local codes beside what nobody judged, and codes that say what was done or found.
    "code.coding.code",
    "code.coding.system",
    "coding:beside.",
    "conclusionCode.coding:own.",
    "Composition.category.coding:own.",
    "additionalInstruction.coding:own.",
    "interpretation.coding:own.",
    "targetDisease.",
    "DentalOral_",
    "_Line.",
    "versionNumber.",
    "section.code.",
    "Procedure.category.",
    "CarePlan.category.",
    "series.bodySite.",
    // A slip of the example: `AMP`.
    "class.code",
    "class.system",
];

/// Types that are nobody's, or that the policy does not know.
const NOT_SENT: &[&str] = &[
    "Communication",
    "Composition",
    "DocumentReference",
    "Endpoint",
    "FamilyMemberHistory",
];

/// The published examples, everything granted: what goes is what the reference says, and nothing else.
#[test]
fn published_examples_lose_what_the_reference_says() {
    let test = "published_examples_lose_what_the_reference_says";
    let policy = Policy::reference().unwrap();
    let annex = Annex::empty([0; 16]);
    let mut wrong = BTreeSet::new();
    let mut whole = 0;
    for (name, bundle) in examples(test) {
        // A document whole or not at all, by what is in it.
        if name.contains("/Bundle-") {
            continue;
        }
        let sent = resources(&run(&policy, &bundle, policy.all_categories(), &annex).bytes);
        for r in resources(&bundle) {
            let at = r["resourceType"].as_str().unwrap();
            let same = |s: &&Value| s["resourceType"] == r["resourceType"] && s["id"] == r["id"];
            let Some(here) = sent.iter().find(same) else {
                // A group without any code of a category.
                if !NOT_SENT.contains(&at) && !name.contains("ECGGroup") {
                    wrong.insert(format!("{at} of {name}"));
                }
                continue;
            };
            whole += 1;
            let mut out = BTreeSet::new();
            leaves(here, at, &mut |path, v| {
                out.insert((path.to_owned(), v.to_owned()));
            });
            leaves(&r, at, &mut |path, v| {
                let stays = out.contains(&(path.to_owned(), v.to_owned()));
                if !stays && !LOST.iter().any(|l| path.contains(l)) {
                    wrong.insert(path.to_owned());
                }
            });
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(whole > 150 || common::shared(test).is_none(), "{whole}");
}

#[test]
fn every_answer_is_as_valid_as_what_was_asked_of() {
    let policy = Policy::reference().unwrap();
    let validator = Validator::new(CoreOnly, CoreOnly, warifu_validate::Options::default());
    let test = "every_answer_is_as_valid_as_what_was_asked_of";
    let all = policy.all_categories();
    let mut wrong: BTreeMap<String, String> = BTreeMap::new();
    let mut answers = 0;
    for (name, bundle) in bundles()
        .into_iter()
        .chain(samples(test))
        .chain(examples(test))
    {
        let before = errors(&validator, &bundle);
        let mut labelled = Annex::empty([0; 16]);
        labelled.lbl.push("PSY".to_owned());
        let none = Annex::empty([0; 16]);
        let mut sets: Vec<(Bits, &Annex)> = (0..26).map(|p| (Bits::one(p), &none)).collect();
        sets.extend([(all, &none), (all, &labelled)]);
        for (cats, annex) in sets {
            let out = run(&policy, &bundle, cats, annex);
            answers += 1;
            for fresh in errors(&validator, &out.bytes).difference(&before) {
                wrong.insert(
                    fresh.clone(),
                    format!("{name} {:?}", policy.category_codes(cats)),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(answers > 500, "{answers}");
}
