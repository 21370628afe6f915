//! The Bundle filter over what our own converter writes: every category alone, everything but one,
//! excluded visits; the answer is valid R4.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod common;
#[path = "consent_filter/published.rs"]
mod published;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use warifu_consent::{
    Annex, Bits, Facts, Filtered, Grant, Knowledge, Mode, Origin, Policy, Request, State, Told,
    Who, categories_of, filter, hash,
};
use warifu_diag::Severity;
use warifu_map::{Converter, Options, Output, assemble};
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
    let roots = ["standard_root", "extended_root"];
    let all: Vec<_> = roots
        .iter()
        .flat_map(|root| converted(root, &common::fixtures().join(root)))
        .collect();
    assert!(all.len() > 3);
    all
}

/// A Bundle for each patient of a storage.
fn converted(root: &str, folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let options = Options {
        institution: Some("1319999999".to_owned()),
        ..Options::default()
    };
    let mut all = Vec::new();
    for (patient, files) in common::by_patient(common::load(folder)) {
        let given = common::given(&files);
        let mut out = Output::new();
        Converter::new(options.clone()).convert_patient(&given, &mut out);
        let mut bytes = Vec::new();
        assemble::bundle(&out, &options, assemble::BundleType::Collection, &mut bytes);
        all.push((format!("{root} {patient}"), bytes));
    }
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
    run_of(policy, bundle, cats, annex, &Holder)
}

fn run_of(
    policy: &Policy,
    bundle: &[u8],
    cats: Bits,
    annex: &Annex,
    knowledge: &dyn Knowledge,
) -> Filtered {
    let request = Request {
        who: Who::Recipient(CLINIC.into()),
        purpose: policy.purpose("TREAT"),
        mode: Mode::Normal,
        at: NOW,
    };
    filter(bundle, &state(policy, cats, annex), &request, knowledge).unwrap()
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

/// Puts a mark of its own on every string of a resource that says something: ids of things, codes of
/// local systems, texts, displays, names, values; and a day of its own on every date.
fn plant(v: &mut Value, key: &str, day: &str, next: &mut dyn FnMut() -> String) {
    match v {
        Value::Object(m) => {
            if let Some(Value::Array(codings)) = m.get_mut("coding") {
                codings.push(
                    serde_json::json!({"system": "urn:x-ssmix2:1319999999:K", "code": next()}),
                );
            }
            let coded = m.contains_key("system");
            for (k, v) in m.iter_mut() {
                let local = !coded || k != "code";
                if local {
                    plant(v, k, day, next);
                }
            }
        }
        Value::Array(a) => a.iter_mut().for_each(|v| plant(v, key, day, next)),
        Value::String(s) => {
            let says = [
                "text",
                "display",
                "value",
                "valueString",
                "conclusion",
                "description",
                "family",
                "given",
                "line",
                "city",
                "title",
                "patientInstruction",
                "lotNumber",
                "div",
            ];
            let date = s.get(..10).is_some_and(|d| {
                d.bytes().enumerate().all(|(n, b)| {
                    if n == 4 || n == 7 {
                        b == b'-'
                    } else {
                        b.is_ascii_digit()
                    }
                })
            });
            if date && (s.len() == 10 || s.as_bytes()[10] == b'T') {
                s.replace_range(..10, day);
            } else if key == "div" {
                *s = s.replace("</div>", &format!("{}</div>", next()));
            } else if says.contains(&key) {
                s.push_str(&next());
            }
        }
        _ => {}
    }
}

/// Each value of a resource with the path of its element. Where the same element stays or goes by what it
/// says, the path has it: the URL of an extension, the type of a contained resource, `place` for a number of
/// a prescription's parts, `kind` for the name of a report that has a kind alone, `own` for a code of a local system, `beside` for one beside a code that rules.
fn leaves(v: &Value, path: &str, take: &mut dyn FnMut(&str, &str)) {
    let text = |v: &Value, key: &str| v[key].as_str().unwrap_or_default().to_owned();
    let last = |url: String| url.rsplit('/').next().unwrap_or_default().to_owned();
    match v {
        Value::Object(m) => {
            for (key, inner) in m {
                let many: &[Value] = match inner {
                    Value::Array(a) => a,
                    one => std::slice::from_ref(one),
                };
                let ruling = RULING.iter().filter(|(kind, _)| path.starts_with(kind));
                let ruling: Vec<&str> = ruling.map(|(_, system)| *system).collect();
                let rules = |c: &Value| ruling.iter().any(|r| text(c, "system").contains(r));
                for one in many {
                    let system = text(one, "system");
                    let published =
                        system.ends_with(":JC10-specimen") || system.starts_with("http");
                    let mark = match key.as_str() {
                        "extension" if text(one, "url").starts_with(FIELD) => "field".into(),
                        "extension" => last(text(one, "url")),
                        "contained" => text(one, "resourceType"),
                        // The kind of a report is all that goes of its name.
                        "code" if one.to_string().contains("JP_DocumentCodes_CS") => "kind".into(),
                        "identifier" if PLACES.contains(&&*last(system.clone())) => "place".into(),
                        "coding"
                            if path.rsplit('.').next() == Some("code")
                                && many.iter().any(rules)
                                && !rules(one)
                                && !system.contains("loinc.org") =>
                        {
                            "beside".into()
                        }
                        "coding" if !published => "own".into(),
                        _ => String::new(),
                    };
                    let colon = if mark.is_empty() { "" } else { ":" };
                    leaves(one, &format!("{path}.{key}{colon}{mark}"), take);
                }
            }
        }
        Value::Array(a) => a.iter().for_each(|v| leaves(v, path, take)),
        Value::String(s) => take(path, s),
        other => take(path, &other.to_string()),
    }
}

/// Systems of a type beside whose codes none goes that no row of the policy knows, as rows know LOINC.
const RULING: &[(&str, &str)] = &[
    ("Observation", "JLAC10"),
    ("ServiceRequest", "JLAC10"),
    ("Observation", "JC10-raw"),
    ("ServiceRequest", "JC10-raw"),
    ("DiagnosticReport", "JC10-raw"),
    ("DiagnosticReport", "JLAC10"),
    ("DiagnosticReport", "JP_DocumentCodes_CS"),
    ("DiagnosticReport", "loinc.org"),
];

/// Extensions with fields that FHIR has no element for.
const FIELD: &str = "urn:x-ssmix2:field:";

/// Numbers of the parts of a prescription.
const PLACES: &[&str] = &["Medication-RPGroupNumber", "MedicationAdministrationIndex"];

/// Whether what stands at a path goes by an entry of [`GOES`]: all of it, or with `=` the words of a concept
/// and the codes of local systems.
fn by(entry: &str, path: &str) -> bool {
    let (element, words) = match entry.strip_suffix('=') {
        Some(element) => (element, true),
        None => (entry, false),
    };
    let Some(rest) = path.strip_prefix(element) else {
        return false;
    };
    if words {
        [".text", ".display", ".coding.display"].contains(&rest) || rest.starts_with(".coding:own.")
    } else {
        rest.is_empty() || rest.starts_with('.')
    }
}

/// What goes of the permitted, for each type, while anything may be withheld: what only describes an item,
/// who and where in words, and what is said beside it. All else stays.
const GOES: &[(&str, &[&str])] = &[
    (
        "AllergyIntolerance",
        &[
            "asserter.display",
            "clinicalStatus=",
            "extension:field",
            "meta.source",
            "note",
            "reaction.description",
            "verificationStatus=",
        ],
    ),
    ("Binary", &["data", "meta.source"]),
    (
        "Condition",
        &[
            "asserter.display",
            "category=",
            "clinicalStatus=",
            "extension:field",
            "meta.source",
            "note",
            "recorder.display",
            "verificationStatus=",
        ],
    ),
    (
        "Coverage",
        &[
            "class",
            "extension:field",
            "meta.source",
            "payor.display",
            "policyHolder.display",
            "relationship=",
            "type=",
        ],
    ),
    (
        "DiagnosticReport",
        &[
            "category=",
            "code.coding:beside",
            "code:kind=",
            "conclusion",
            "extension:field",
            "identifier.type=",
            "meta.source",
        ],
    ),
    (
        "DocumentReference",
        &[
            "author.display",
            "category=",
            "content.attachment",
            "custodian",
            "description",
            "meta.source",
            "securityLabel=",
            "type=",
        ],
    ),
    (
        "Encounter",
        &[
            "class=",
            "diagnosis.rank",
            "diagnosis.use",
            "extension:field",
            "hospitalization",
            "location.location.display",
            "meta.source",
            "participant.individual.display",
            "participant.type=",
            "serviceType",
        ],
    ),
    (
        "ImagingStudy",
        &[
            "extension:field",
            "identifier.type=",
            "meta.source",
            "referrer.display",
        ],
    ),
    (
        "Immunization",
        &[
            "manufacturer.display",
            "meta.source",
            "note",
            "performer.actor.display",
            "performer.function=",
        ],
    ),
    ("Location", &["name", "physicalType="]),
    (
        "MedicationAdministration",
        &[
            "category=",
            "contained:Device.type=",
            "contained:Location",
            "contained:Medication.ingredient.extension:field",
            "contained:Medication.manufacturer.display",
            "extension:JP_MedicationAdministration_Location",
            "extension:JP_MedicationAdministration_RequestDepartment",
            "extension:JP_MedicationAdministration_Requester",
            "extension:field",
            "identifier:place",
            "meta.source",
            "note",
            "performer.actor.display",
            "performer.function=",
            "request.identifier",
            "request.type",
            "statusReason",
        ],
    ),
    (
        "MedicationDispense",
        &[
            "authorizingPrescription.identifier",
            "authorizingPrescription.type",
            "category=",
            "contained:Location.name",
            "extension:field",
            "identifier:place",
            "location.display",
            "meta.source",
            "performer.actor.display",
        ],
    ),
    (
        "MedicationRequest",
        &[
            "category=",
            "contained:Device",
            "dispenseRequest.performer.display",
            "dosageInstruction.additionalInstruction=",
            "dosageInstruction.extension:JP_MedicationDosage_Device",
            "extension:field",
            "identifier:place",
            "meta.source",
            "note",
            "recorder.display",
            "requester.display",
        ],
    ),
    (
        "NutritionOrder",
        &[
            "extension:field",
            "meta.source",
            "note",
            "oralDiet.instruction",
            "orderer.display",
        ],
    ),
    (
        "Observation",
        &[
            "category=",
            "code.coding:beside",
            "component.code.coding:beside",
            "component.interpretation=",
            "dataAbsentReason=",
            "extension:field",
            "interpretation=",
            "meta.source",
            "note",
            "performer.display",
        ],
    ),
    (
        "Organization",
        &["extension:JP_Organization_InsuranceOrganizationNo", "type="],
    ),
    (
        "Patient",
        &[
            "contact.extension:field",
            "contact.organization.display",
            "contact.relationship=",
            "extension:patient-disability",
            "meta.source",
        ],
    ),
    (
        "Procedure",
        &[
            "category=",
            "extension:field",
            "meta.source",
            "note",
            "performer.actor.display",
            "performer.function=",
            "usedCode=",
        ],
    ),
    (
        "ServiceRequest",
        &[
            "category=",
            "code.coding:beside",
            "extension:field",
            "identifier.type=",
            "meta.source",
            "note",
            "reasonCode",
            "requester.display",
            "supportingInfo",
        ],
    ),
    ("Specimen", &["identifier.type=", "meta.source", "type="]),
];

/// The marks and days that stand in an answer.
fn found(text: &str) -> BTreeSet<&str> {
    let mut all: BTreeSet<&str> = text
        .match_indices("KANARIE")
        .filter_map(|(at, _)| text.get(at..at + 14))
        .collect();
    // Days of the marks begin with 17 or 18.
    for century in ["\"17", "\"18"] {
        let days = text.match_indices(century);
        all.extend(days.filter_map(|(at, _)| text.get(at + 1..at + 11)));
    }
    all
}

/// Every category and every pair of categories withheld from what the converter makes, with a mark of
/// its own on every string: nothing of the withheld goes out, everything of the permitted does.
#[test]
fn marks_on_all_that_the_converter_makes_go_out_with_what_is_permitted_alone() {
    let policy = Policy::reference().unwrap();
    let annex = Annex::empty([0; 16]);
    let care = Bits::one(policy.category("care").unwrap().0);
    let all = policy.all_categories();
    let mut planted = 0;
    let mut counted = 0;
    let mut wrong = BTreeSet::new();
    let mut unused: BTreeSet<String> = GOES
        .iter()
        .flat_map(|(kind, list)| list.iter().map(move |e| format!("{kind}.{e}")))
        .collect();
    for (name, bundle) in bundles() {
        let mut bundle: Value = serde_json::from_slice(&bundle).unwrap();
        // A patient of whom only a file was kept has no entries.
        if bundle["entry"].is_null() {
            continue;
        }
        let mut owners: Vec<(BTreeSet<String>, String)> = Vec::new();
        let mut count = 0;
        for (n, entry) in bundle["entry"]
            .as_array_mut()
            .unwrap()
            .iter_mut()
            .enumerate()
        {
            let r = &mut entry["resource"];
            let mut marks = BTreeSet::new();
            let day = format!(
                "{:04}-{:02}-{:02}",
                1700 + n / 300,
                n / 25 % 12 + 1,
                n % 25 + 1
            );
            plant(r, "", &day, &mut || {
                count += 1;
                let mark = format!("KANARIE{count:06}X");
                marks.insert(mark.clone());
                mark
            });
            if r.to_string().contains(&day) {
                marks.insert(day);
            }
            let at = format!(
                "{}/{}",
                r["resourceType"].as_str().unwrap(),
                r["id"].as_str().unwrap_or_default()
            );
            owners.push((marks, at));
        }
        planted += count;
        let bytes = serde_json::to_vec(&bundle).unwrap();
        let cats: BTreeMap<String, Vec<String>> = categories_of(&bytes, &policy)
            .unwrap()
            .into_iter()
            .collect();
        let here: BTreeSet<u8> = cats
            .values()
            .flatten()
            .map(|c| policy.category(c).unwrap().0)
            .collect();
        // Texts go by the list of elements wherever something may be withheld; no fixture has `care`.
        let text = |without: Bits| {
            let out = run(&policy, &bytes, Bits(all.0 & !care.0 & !without.0), &annex);
            String::from_utf8(out.bytes).unwrap()
        };
        let base = text(Bits::NONE);
        let base = found(&base);
        // Of what is permitted goes what the list says, and nothing else.
        let out = run(&policy, &bytes, Bits(all.0 & !care.0), &annex);
        let sent = resources(&out.bytes);
        let keys = sent.iter().map(|r| {
            format!(
                "{}/{}",
                r["resourceType"].as_str().unwrap(),
                r["id"].as_str().unwrap()
            )
        });
        let records: Vec<&Vec<String>> = keys.filter_map(|k| cats.get(&k)).collect();
        assert_eq!(out.items, u64::try_from(records.len()).unwrap(), "{name}");
        // Each stands under one category of its own, or under none.
        assert!(out.counts.values().sum::<u64>() <= out.items, "{name}");
        let may: BTreeSet<&String> = records.into_iter().flatten().collect();
        assert!(out.counts.keys().all(|c| may.contains(c)), "{name}");
        counted += out.counts.values().sum::<u64>();
        for r in resources(&bytes) {
            let same = |s: &&Value| s["resourceType"] == r["resourceType"] && s["id"] == r["id"];
            let at = r["resourceType"].as_str().unwrap();
            let Some(here) = sent.iter().find(same) else {
                let own = cats.get(&format!("{at}/{}", r["id"].as_str().unwrap()));
                assert!(own.is_none_or(Vec::is_empty), "{name}: {at} is not there");
                continue;
            };
            let mut out = BTreeSet::new();
            leaves(here, at, &mut |path, v| {
                out.insert((path.to_owned(), v.to_owned()));
            });
            leaves(&r, at, &mut |path, v| {
                let entry = GOES
                    .iter()
                    .flat_map(|(kind, list)| list.iter().map(move |e| format!("{kind}.{e}")))
                    .find(|e| by(e, path));
                let stays = out.contains(&(path.to_owned(), v.to_owned()));
                if stays == entry.is_some() {
                    wrong.insert(format!("{path} {}", if stays { "stays" } else { "goes" }));
                }
                unused.remove(&entry.unwrap_or_default());
            });
        }
        let mut sets: Vec<Vec<u8>> = Vec::new();
        for a in &here {
            sets.push(vec![*a]);
            sets.extend(here.iter().filter(|b| *b > a).map(|b| vec![*a, *b]));
        }
        for set in sets {
            let without = set.iter().fold(Bits::NONE, |b, p| b.with(Bits::one(*p)));
            let out = text(without);
            let out = found(&out);
            for (marks, at) in &owners {
                // Who and where go with what names them; the person always, reduced.
                let Some(own) = cats.get(at) else { continue };
                let own = policy.category_set(own.iter().map(String::as_str)).unwrap();
                let open = !own.is_empty() && !own.meets(without);
                for mark in marks {
                    let expected = open && base.contains(mark.as_str());
                    assert_eq!(
                        out.contains(mark.as_str()),
                        expected,
                        "{name}: {mark} of {at} without {set:?}"
                    );
                }
            }
        }
    }
    assert!(planted > 2000, "{planted}");
    assert!(counted > 100, "{counted}");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(unused.is_empty(), "nothing goes by {unused:#?}");
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

/// Whatever the list cuts, what R4 demands of what is left is there: masked, or gone with what it stands in.
#[test]
fn what_goes_leaves_nothing_that_r4_does_not_allow() {
    let policy: Value = serde_json::from_str(include_str!(
        "../../crates/warifu-consent/policy/reference-1.json"
    ))
    .unwrap();
    let core = warifu_r4::Core::builtin();
    let mut wrong = BTreeSet::new();
    let mut seen = 0;
    for row in policy["keep"].as_array().unwrap() {
        let strings = |v: &Value| -> Vec<String> {
            let list = v.as_array().unwrap().iter();
            list.map(|s| s.as_str().unwrap().to_owned()).collect()
        };
        let marks = ['@', '%', '!', '^', '~', '#', '=', '+', '$', '&'];
        let kept: BTreeMap<String, String> = strings(&row["elements"])
            .iter()
            .map(|e| {
                let path = e.trim_end_matches(marks);
                (path.to_owned(), e[path.len()..].to_owned())
            })
            .collect();
        let holders: BTreeSet<&str> = kept
            .keys()
            .flat_map(|p| p.match_indices('.').map(|(at, _)| &p[..at]))
            .chain([""])
            .collect();
        for kind in strings(&row["type"]) {
            for holder in &holders {
                let mut of = core.type_named(&kind).unwrap();
                for name in holder.split('.').filter(|n| !n.is_empty()) {
                    let mut all = core.type_(of).elements();
                    let element = all.find(|e| e.name() == name);
                    let element = element.unwrap_or_else(|| panic!("{kind}.{holder}"));
                    of = element.types().next().unwrap().of();
                }
                for e in core.type_(of).elements().filter(|e| e.min() > 0) {
                    let dot = if holder.is_empty() { "" } else { "." };
                    let x = if e.is_choice() { "[x]" } else { "" };
                    let path = format!("{holder}{dot}{}{x}", e.name());
                    // Of a choice the table may have some of its forms.
                    let stem = format!("{holder}{dot}{}", e.name());
                    let is_it = |p: &str| p == path || e.is_choice() && p.starts_with(&stem);
                    let mut forms = kept.iter().filter(|(p, _)| is_it(p)).peekable();
                    // Of what has members all may go; a value stays.
                    let whole = e
                        .types()
                        .all(|t| core.type_(t.of()).kind() == warifu_r4::TypeKind::Primitive);
                    let goes = forms.peek().is_none() && !holders.contains(&*path)
                        || !whole
                            && forms.any(|(p, marks)| {
                                !holders.contains(p.as_str())
                                    && !marks.contains(['!', '^', '~', '$', '&'])
                            });
                    seen += 1;
                    if goes {
                        wrong.insert(format!("{kind}.{path}"));
                    }
                }
            }
        }
    }
    assert!(seen > 100, "{seen}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What a department's title says, and the labels that it takes. A title with a word of the last column is
/// none of that label.
const TITLES: &[(&str, &[&str], &[&str])] = &[
    (
        "PSY",
        &["精神", "神経科", "心療", "もの忘れ", "高次脳", "発達"],
        &["小児神経科"],
    ),
    ("ETH", &["禁煙"], &[]),
    ("STD", &["性病"], &[]),
    ("PREGNANT", &["産科", "産婦", "周産"], &[]),
    ("SEX", &["婦人", "産婦"], &[]),
];

#[test]
fn departments_have_the_labels_that_their_titles_say() {
    let policy: Value = serde_json::from_str(warifu_consent::REFERENCE).unwrap();
    let department = warifu_terms::systems::CLINICAL_DEPARTMENT;
    let rows = |table: &str| -> Vec<&Value> {
        let of = |row: &&Value| {
            let systems = row["system"].as_array().unwrap();
            systems.iter().any(|s| s == department)
        };
        policy[table]
            .as_array()
            .unwrap()
            .iter()
            .filter(of)
            .collect()
    };
    let texts = |list: &Value| -> Vec<String> {
        let list = list.as_array().unwrap().iter();
        list.map(|t| t.as_str().unwrap().to_owned()).collect()
    };
    let mut labels: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for row in rows("label_rules") {
        for prefix in texts(&row["prefix"]) {
            let label = row["label"].as_str().unwrap();
            let mut any = false;
            for e in warifu_terms::tables::T_0069.entries {
                if e.code.starts_with(&prefix) {
                    any = true;
                    labels.entry(e.code.to_owned()).or_default().insert(label);
                }
            }
            assert!(any, "no department begins with {prefix}");
        }
    }
    for e in warifu_terms::tables::T_0069.entries {
        let says = |(_, words, not): &&(&str, &[&str], &[&str])| {
            words.iter().any(|w| e.ja.contains(w)) && !not.iter().any(|w| e.ja.contains(w))
        };
        // A department within another is also what that is.
        let outer = warifu_terms::tables::T_0069.entries.iter();
        let outer = outer.filter(|o| e.code.starts_with(o.code) && o.code != e.code);
        let mut titled: BTreeSet<&str> = TITLES.iter().filter(says).map(|t| t.0).collect();
        for o in outer {
            titled.extend(labels.get(o.code).into_iter().flatten());
        }
        let has = labels.get(e.code).cloned().unwrap_or_default();
        assert_eq!(has, titled, "{} {}", e.code, e.ja);
    }
    // The labeller judges the departments of the table and no others.
    let known: Vec<String> = rows("label_lists")
        .iter()
        .flat_map(|r| texts(&r["code"]))
        .collect();
    let table: Vec<&str> = warifu_terms::tables::T_0069
        .entries
        .iter()
        .map(|e| e.code)
        .collect();
    assert_eq!(known, table);
}

/// An element of R4 by its path in a type; absent where the path names one form of a choice.
fn element_at(kind: &str, path: &str) -> Option<warifu_r4::Element> {
    let core = warifu_r4::Core::builtin();
    let mut of = core.type_named(kind)?;
    let mut found = None;
    for name in path.split('.') {
        let element = core.type_(of).elements().find(|e| e.name() == name)?;
        of = element.types().next()?.of();
        found = Some(element);
    }
    found.filter(|e| !e.is_choice())
}

/// What R4 has no members for is marked as such, and of its codes the policy has all.
#[test]
fn plain_values_are_those_of_r4() {
    let policy: Value = serde_json::from_str(warifu_consent::REFERENCE).unwrap();
    let core = warifu_r4::Core::builtin();
    let values: BTreeMap<&str, BTreeSet<&str>> = policy["describes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["system"].is_null())
        .map(|row| {
            let codes = row["code"].as_array().unwrap().iter();
            let name = row["in"][0].as_str().unwrap();
            (name, codes.map(|c| c.as_str().unwrap()).collect())
        })
        .collect();
    let mut used: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let (mut wrong, mut seen) = (BTreeSet::new(), 0);
    let mut check = |at: String, name: &str, element: warifu_r4::Element, marks: &str| {
        let of = core.type_(element.types().next().unwrap().of());
        let plain = of.kind() == warifu_r4::TypeKind::Primitive;
        if plain != (marks == "$") && (marks.is_empty() || marks == "$") {
            wrong.insert(format!("{at}{marks} is {}", of.name()));
        }
        let required = element.strength() == Some(warifu_r4::Strength::Required);
        let (Some((name, list)), true) = (values.get_key_value(name), marks == "$" && required)
        else {
            return;
        };
        for part in element.value_set().unwrap().parts() {
            let all = (0..part.system.len()).map(|n| part.system.code(n));
            for code in all.filter(|c| part.contains(c) == Some(true)) {
                seen += 1;
                used.entry(name).or_default().insert(code);
                if !list.contains(code) {
                    wrong.insert(format!("{at} can be {code}"));
                }
            }
        }
    };
    for row in policy["keep"].as_array().unwrap() {
        for e in row["elements"].as_array().unwrap() {
            let e = e.as_str().unwrap();
            let path = e.trim_end_matches(['@', '%', '!', '^', '~', '#', '=', '+', '$', '&']);
            for kind in row["type"].as_array().unwrap() {
                let kind = kind.as_str().unwrap();
                if let Some(element) = element_at(kind, path) {
                    let name = path.rsplit('.').next().unwrap();
                    check(format!("{kind}.{path}"), name, element, &e[path.len()..]);
                }
            }
        }
    }
    for e in policy["datatypes"].as_array().unwrap() {
        let e = e.as_str().unwrap();
        for kind in [
            "Address",
            "CodeableConcept",
            "Coding",
            "ContactPoint",
            "HumanName",
            "Identifier",
            "Period",
            "Quantity",
            "Range",
            "Ratio",
            "Timing.repeat",
        ] {
            if let Some(name) = e.strip_suffix('$')
                && let Some(of) = core.type_named(kind)
                && let Some(element) = core.type_(of).elements().find(|e| e.name() == name)
            {
                check(format!("{kind}.{name}"), name, element, "$");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 100, "{seen}");
    for (name, codes) in values {
        let more: Vec<_> = codes.difference(&used[name]).collect();
        assert!(more.is_empty(), "{name}: R4 has no {more:?}");
    }
}

/// Codes of published systems that say a disease, an operation, or a test or a medicine for one.
const TELLING: &[(&str, &str)] = &[
    ("http://snomed.info/sct", "86406008"),
    ("http://snomed.info/sct", "53442002"),
    ("http://loinc.org", "75622-1"),
    ("http://www.whocc.no/atc", "J05AR10"),
    ("http://hl7.org/fhir/sid/icd-10", "B24"),
    ("urn:oid:2.16.840.1.113883.6.96", "86406008"),
    // However a terminology is named, and those that no row lists: nobody can tell what their codes say.
    ("https://snomed.info/sct", "86406008"),
    (
        "http://snomed.info/sct/900000000000207008/version/20240101",
        "86406008",
    ),
    ("http://hl7.org/fhir/sid/icpc-2", "B90"),
    ("urn:oid:2.16.840.1.113883.6.139", "B90"),
    ("http://terminology.hl7.org/CodeSystem/mdr", "10020161"),
    ("http://www.orpha.net", "ORPHA399"),
    ("urn:oid:2.16.840.1.113883.6.73", "J05AR10"),
    ("http://www.ama-assn.org/go/cpt", "43620"),
    ("http://www.genenames.org", "HGNC:1100"),
    ("1.2.392.100495.20.1.73", "6250031F1020"),
    ("http://hospital.example.jp/diseases", "D77"),
    ("", "X77"),
    (
        "http://terminology.hl7.org/CodeSystem/v3-ActCode",
        "HIVAIDS",
    ),
];

/// Takes the path of a place, how a value is put there, and whether it is a coding.
type Take<'t> = dyn FnMut(&str, &dyn Fn(Value) -> Value, bool) + 't;

/// Every place of a type where R4 has a concept, a coding or a plain value, as a resource with `telling` there.
fn places(of: warifu_r4::TypeId, path: &str, depth: usize, take: &mut Take<'_>) {
    let core = warifu_r4::Core::builtin();
    for e in core.type_(of).elements() {
        if ["extension", "modifierExtension", "contained", "id", "text"].contains(&e.name())
            || e.is_content_reference()
        {
            continue;
        }
        for ty in e.types() {
            let ty = core.type_(ty.of());
            let name = if e.is_choice() {
                let (first, rest) = ty.name().split_at(1);
                format!("{}{}{rest}", e.name(), first.to_uppercase())
            } else {
                e.name().to_owned()
            };
            let at = format!("{path}.{name}");
            let put = |inner: Value| {
                let inner = if e.is_list() {
                    Value::Array(vec![inner])
                } else {
                    inner
                };
                let mut object = serde_json::Map::new();
                object.insert(name.clone(), inner);
                Value::Object(object)
            };
            match ty.name() {
                "CodeableConcept" | "Coding" => take(&at, &put, ty.name() == "Coding"),
                "code" | "boolean" | "uri" | "string" | "dateTime" | "decimal" => {
                    // An object in its place.
                    take(&format!("{at}{{}}"), &put, false);
                }
                _ if ty.kind() == warifu_r4::TypeKind::Primitive => {}
                "Reference" | "Narrative" | "Attachment" | "Extension" | "Meta" => {}
                _ if depth == 0 => {}
                _ => places(ty.id(), &at, depth - 1, &mut |at, inner, coding| {
                    take(at, &|v| put(inner(v)), coding);
                }),
            }
        }
    }
}

/// Elements that are what the item is: a code there is its own content.
const OWN: &[&str] = &[
    "AllergyIntolerance.code",
    "AllergyIntolerance.reaction.manifestation",
    "AllergyIntolerance.reaction.substance",
    "Condition.code",
    "Immunization.vaccineCode",
    "ImmunizationRecommendation.recommendation.vaccineCode",
    "Medication.code",
    "Medication.ingredient.itemCodeableConcept",
    "MedicationAdministration.medicationCodeableConcept",
    "MedicationDispense.medicationCodeableConcept",
    "MedicationRequest.medicationCodeableConcept",
    "MedicationStatement.medicationCodeableConcept",
];

/// A published code that tells of a disease or an operation is planted in every place that R4 has for a code,
/// of every type: none goes out where neither diseases nor operations may.
#[test]
fn no_place_of_r4_lets_a_telling_code_out() {
    let policy = Policy::reference().unwrap();
    let table: Value = serde_json::from_str(warifu_consent::REFERENCE).unwrap();
    let core = warifu_r4::Core::builtin();
    let annex = Annex::empty([0; 16]);
    let closed = [
        "inf.condition",
        "inf.infection",
        "prc.surgery",
        "prc.transplant",
        "gen",
    ];
    let without = |codes: &[&str]| {
        let closed = policy.category_set(codes.iter().copied()).unwrap();
        Bits(policy.all_categories().0 & !closed.0)
    };
    let codings: Vec<Value> = TELLING
        .iter()
        .map(|(system, code)| serde_json::json!({"system": system, "code": code, "display": "TELLS"}))
        .collect();
    let (mut tried, mut out) = (0, BTreeSet::new());
    let types = table["keep"].as_array().unwrap().iter();
    for kind in types.flat_map(|row| row["type"].as_array().unwrap()) {
        let kind = kind.as_str().unwrap();
        let category = |c: &str| serde_json::json!([{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": c}]}]);
        let jlac = serde_json::json!({"coding": [{"system": "http://medis.or.jp/CodeSystem/master-JLAC10-17digits", "code": "3B0350000023272"}]});
        let bases = match kind {
            "Observation" => vec![
                serde_json::json!({"category": category("laboratory"), "code": jlac}),
                serde_json::json!({"category": category("vital-signs")}),
                serde_json::json!({"category": category("social-history")}),
            ],
            "DiagnosticReport" | "ServiceRequest" => {
                vec![serde_json::json!({"category": category("laboratory"), "code": jlac})]
            }
            "Procedure" => vec![
                serde_json::json!({"code": {"coding": [{"system": "http://jpfhir.jp/fhir/core/CodeSystem/JP_ProcedureCodesMedical_CS", "code": "140000610"}]}}),
            ],
            "Composition" => vec![
                serde_json::json!({"type": {"coding": [{"system": "http://loinc.org", "code": "18842-5"}]}}),
            ],
            _ => vec![serde_json::json!({})],
        };
        let mut closed = closed.to_vec();
        if kind == "Condition" {
            closed.retain(|c| *c != "inf.condition");
        }
        let cats = without(&closed);
        places(
            core.type_named(kind).unwrap(),
            kind,
            3,
            &mut |at, put, coding| {
                for base in &bases {
                    // Each code alone: beside another it would be withheld for that.
                    let planted: Vec<Value> = if coding {
                        codings.clone()
                    } else if at.ends_with("{}") {
                        vec![serde_json::json!({"coding": codings, "text": "TELLS"})]
                    } else {
                        let alone = codings.iter();
                        alone
                            .map(|c| serde_json::json!({"coding": [c], "text": "OWN"}))
                            .collect()
                    };
                    for one in planted {
                        let mut r = base.clone();
                        let patch = put(one);
                        for (k, v) in patch.as_object().unwrap() {
                            r[k] = v.clone();
                        }
                        r["resourceType"] = kind.into();
                        r["id"] = if kind == "Patient" { "p" } else { "x" }.into();
                        let subject = serde_json::json!({"reference": "Patient/p"});
                        for key in ["subject", "patient", "beneficiary"] {
                            if r.get(key).is_none()
                                && core
                                    .type_(core.type_named(kind).unwrap())
                                    .elements()
                                    .any(|e| e.name() == key)
                            {
                                r[key] = subject.clone();
                            }
                        }
                        let bundle = serde_json::json!({"resourceType": "Bundle", "type": "collection", "entry": [
                            {"resource": {"resourceType": "Patient", "id": "p"}},
                            {"resource": {"resourceType": "Encounter", "id": "e", "subject": subject, "class": {"code": "AMB"},
                                "location": [{"location": {"reference": "Location/x"}}], "serviceProvider": {"reference": "Organization/x"},
                                "participant": [{"individual": {"reference": "Practitioner/x"}}, {"individual": {"reference": "PractitionerRole/x"}}]}},
                            {"resource": {"resourceType": "Observation", "id": "of", "subject": subject, "category": category("laboratory"), "code": jlac,
                                "specimen": {"reference": "Specimen/x"}, "device": {"reference": "Device/x"}}},
                            {"resource": {"resourceType": "MedicationStatement", "id": "m", "subject": subject, "medicationReference": {"reference": "Medication/x"}}},
                            {"resource": r}
                        ]});
                        let mut bundle = bundle;
                        if kind == "Patient" {
                            bundle["entry"].as_array_mut().unwrap().remove(0);
                        }
                        tried += 1;
                        let sent = run(&policy, bundle.to_string().as_bytes(), cats, &annex).bytes;
                        let sent = String::from_utf8(sent).unwrap();
                        let told = TELLING
                            .iter()
                            .any(|(_, code)| sent.contains(&format!("\"{code}\"")))
                            || sent.contains("TELLS");
                        if told {
                            out.insert(at.to_owned());
                        }
                    }
                }
            },
        );
    }
    assert!(tried > 2000, "{tried}");
    let own: BTreeSet<String> = OWN.iter().map(|o| (*o).to_owned()).collect();
    let wrong: Vec<_> = out.difference(&own).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let unused: Vec<_> = own.difference(&out).collect();
    assert!(unused.is_empty(), "{unused:?}");
}
