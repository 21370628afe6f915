//! The Bundle filter over what our own converter writes: every category alone, everything but one,
//! excluded visits; the answer is valid R4.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod common;

use std::collections::BTreeSet;

use serde_json::Value;
use warifu_consent::{
    Annex, Bits, Facts, Filtered, Grant, Knowledge, Mode, Origin, Policy, Request, State, Told,
    Who, filter, hash,
};
use warifu_diag::Severity;
use warifu_map::{Converter, File, Options, Output, assemble};
use warifu_validate::{CoreOnly, Validator};

const NOW: u64 = 1_790_000_000;
const CLINIC: &str = "mi:1312345678";
const SOURCE: &str = "mi:1319999999";

struct Holder;

impl Knowledge for Holder {
    fn facts(&self, _: &str, _: &str) -> Facts {
        Facts {
            src: SOURCE.into(),
            origin: Origin::Ehr,
            recorded: Some(NOW - 9),
            told: Told::Yes,
        }
    }
}

/// A Bundle for each patient of the fixtures.
fn bundles() -> Vec<(String, Vec<u8>)> {
    let options = Options {
        institution: Some("1319999999".to_owned()),
        ..Options::default()
    };
    let mut all = Vec::new();
    for root in ["standard_root", "extended_root"] {
        for (patient, files) in common::by_patient(common::load(&common::fixtures().join(root))) {
            let given: Vec<File<'_>> = files
                .iter()
                .map(|f| File {
                    path: &f.path,
                    bytes: &f.bytes,
                })
                .collect();
            let mut out = Output::new();
            Converter::new(options.clone()).convert_patient(&given, &mut out);
            let mut bytes = Vec::new();
            assemble::bundle(&out, &options, assemble::BundleType::Collection, &mut bytes);
            all.push((format!("{root} {patient}"), bytes));
        }
    }
    assert!(all.len() > 3);
    all
}

fn state<'p>(policy: &'p Policy, cats: Bits, annex: &Annex) -> State<'p> {
    let grants = cats
        .places()
        .map(|p| Grant {
            jti: format!("g{p}"),
            hash: format!("h{p}"),
            kid: "k".into(),
            received: 0,
            aud: vec![CLINIC.into()],
            pur: Bits::one(0),
            cat: Bits::one(p),
            window: (None, None),
            recorded: None,
            nbf: 0,
            exp: NOW + 1,
            annex: annex.clone(),
            obl: vec![],
            uses_left: None,
            ended: false,
            status_age: None,
            parent: None,
            texts: 1,
        })
        .collect();
    State {
        policy,
        grants,
        denials: vec![],
        objections: vec![],
        notices: vec![],
        keys: vec![],
    }
}

fn run(policy: &Policy, bundle: &[u8], cats: Bits, annex: &Annex) -> Filtered {
    let request = Request {
        who: Who::Recipient(CLINIC.into()),
        purpose: policy.purpose("TREAT"),
        mode: Mode::Normal,
        at: NOW,
    };
    filter(bundle, &state(policy, cats, annex), &request, &Holder).unwrap()
}

fn resources(bytes: &[u8]) -> Vec<Value> {
    let bundle: Value = serde_json::from_slice(bytes).unwrap();
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|e| e["resource"].clone()).collect()
}

fn errors(validator: &Validator<'_>, bytes: &[u8]) -> BTreeSet<String> {
    let found = validator.validate(bytes);
    found
        .list
        .iter()
        .filter(|f| f.severity == Severity::Error)
        .map(|f| {
            format!(
                "{} {}",
                f.code(),
                f.location.rsplit(']').next().unwrap_or_default()
            )
        })
        .collect()
}

/// Strings of a resource that say something of their own: texts, values, displays.
fn sayings(v: &Value, out: &mut BTreeSet<String>) {
    match v {
        Value::Object(m) => {
            for (k, v) in m {
                match v {
                    Value::String(s)
                        if [
                            "valueString",
                            "text",
                            "display",
                            "conclusion",
                            "description",
                        ]
                        .contains(&k.as_str()) =>
                    {
                        out.insert(s.clone());
                    }
                    _ => sayings(v, out),
                }
            }
        }
        Value::Array(a) => a.iter().for_each(|v| sayings(v, out)),
        _ => {}
    }
}

#[test]
fn each_category_alone_sends_its_own_and_is_valid() {
    let policy = Policy::reference().unwrap();
    let annex = Annex::empty([0; 16]);
    let validator = Validator::new(CoreOnly, CoreOnly, warifu_validate::Options::default());
    let own: &[(&str, &[&str])] = &[
        ("vis.history", &["Encounter", "NutritionOrder"]),
        ("inf.condition", &["Condition"]),
        (
            "inf.rx",
            &[
                "MedicationRequest",
                "MedicationDispense",
                "MedicationAdministration",
            ],
        ),
        ("inf.allergy", &["AllergyIntolerance"]),
        ("imm", &["Immunization"]),
        (
            "inf.lab",
            &["Observation", "DiagnosticReport", "ServiceRequest"],
        ),
        ("vit", &["Observation"]),
        ("demo", &["Patient", "Coverage", "Observation"]),
        (
            "img",
            &["ImagingStudy", "DiagnosticReport", "ServiceRequest"],
        ),
        ("prc.surgery", &["Procedure", "ServiceRequest"]),
        ("inf.infection", &["Observation", "ServiceRequest"]),
    ];
    let mut seen = BTreeSet::new();
    for (name, bundle) in bundles() {
        let before = errors(&validator, &bundle);
        for (place, cat) in (0_u8..).zip(policy.categories()) {
            let out = run(&policy, &bundle, Bits::one(place), &annex);
            let allowed = own
                .iter()
                .find(|(c, _)| *c == cat.code)
                .map_or(&[][..], |o| o.1);
            for r in resources(&out.bytes) {
                let kind = r["resourceType"].as_str().unwrap().to_owned();
                let beside = [
                    "Patient",
                    "Organization",
                    "Practitioner",
                    "PractitionerRole",
                    "Location",
                    "Device",
                    "Specimen",
                    "Medication",
                ];
                assert!(
                    allowed.contains(&kind.as_str()) || beside.contains(&kind.as_str()),
                    "{name}: {kind} under {}",
                    cat.code
                );
                seen.insert((cat.code.clone(), kind));
            }
            let after = errors(&validator, &out.bytes);
            let fresh: Vec<_> = after.difference(&before).collect();
            assert!(fresh.is_empty(), "{name} {}: {fresh:?}", cat.code);
        }
        let all = run(&policy, &bundle, policy.all_categories(), &annex);
        let fresh = errors(&validator, &all.bytes);
        assert!(
            fresh.difference(&before).next().is_none(),
            "{name}: {fresh:?}"
        );
    }
    // What there is does go out under its own category.
    for (cat, kind) in [
        ("inf.lab", "Observation"),
        ("inf.lab", "DiagnosticReport"),
        ("inf.rx", "MedicationRequest"),
        ("inf.condition", "Condition"),
        ("vis.history", "Encounter"),
        ("vit", "Observation"),
        ("demo", "Coverage"),
        ("prc.surgery", "Procedure"),
    ] {
        assert!(
            seen.contains(&(cat.to_owned(), kind.to_owned())),
            "{cat} {kind}"
        );
    }
}

#[test]
fn nothing_that_only_the_withheld_say_goes_out() {
    let policy = Policy::reference().unwrap();
    let annex = Annex::empty([0; 16]);
    for (name, bundle) in bundles() {
        for (place, cat) in (0_u8..).zip(policy.categories()) {
            let open = Bits(policy.all_categories().0 & !Bits::one(place).0);
            let out = run(&policy, &bundle, open, &annex);
            let held: BTreeSet<String> = out.withheld.iter().map(|w| w.key.clone()).collect();
            let (mut hidden, mut shown) = (BTreeSet::new(), BTreeSet::new());
            for r in resources(&bundle) {
                let kind = r["resourceType"].as_str().unwrap();
                let key = hash::resource_key(SOURCE, kind, r["id"].as_str().unwrap_or_default());
                sayings(
                    &r,
                    if held.contains(&key) {
                        &mut hidden
                    } else {
                        &mut shown
                    },
                );
            }
            let mut said = BTreeSet::new();
            for r in resources(&out.bytes) {
                sayings(&r, &mut said);
            }
            let told: Vec<_> = hidden
                .difference(&shown)
                .filter(|s| said.contains(*s))
                .collect();
            assert!(told.is_empty(), "{name} without {}: {told:?}", cat.code);
        }
    }
}

#[test]
fn an_excluded_visit_takes_everything_that_belongs_to_it() {
    let policy = Policy::reference().unwrap();
    let mut cut = 0;
    for (name, bundle) in bundles() {
        let mut annex = Annex::empty([0; 16]);
        for r in resources(&bundle) {
            if r["resourceType"] == "Encounter" {
                annex.wid.push(hash::resource_key(
                    SOURCE,
                    "Encounter",
                    r["id"].as_str().unwrap(),
                ));
            }
        }
        let belongs = |r: &Value| {
            r["encounter"].is_object()
                || r["context"].is_object()
                || r["resourceType"] == "Encounter"
        };
        let out = run(&policy, &bundle, policy.all_categories(), &annex);
        if annex.wid.is_empty() {
            continue;
        }
        cut += resources(&bundle).iter().filter(|r| belongs(r)).count();
        assert!(!resources(&out.bytes).iter().any(belongs), "{name}");
        assert!(
            !String::from_utf8(out.bytes)
                .unwrap()
                .contains("\"encounter\""),
            "{name}"
        );
    }
    assert!(cut > 20, "{cut}");
}
