//! The Bundle filter: marks in everything, every category and every pair of categories withheld.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use serde_json::{Value, json};
use warifu_consent::*;

const NOW: u64 = 1_790_000_000;
const CLINIC: &str = "mi:1312345678";
const SOURCE: &str = "mi:1318765432";

struct Holder(Origin, Told);

impl Knowledge for Holder {
    fn facts(&self, _: &str, _: &str) -> Facts {
        Facts {
            src: SOURCE.into(),
            origin: self.0,
            recorded: Some(NOW - 9),
            told: self.1,
        }
    }
}

fn mark(n: usize) -> String {
    format!("KANARIE{n:02}X")
}

fn date(n: usize) -> String {
    format!("1970-02-{:02}", n + 1)
}

fn concept(system: &str, code: &str, n: usize) -> Value {
    json!({"coding": [{"system": system, "code": code, "display": mark(n)}], "text": mark(n)})
}

fn kind(cat: &str) -> &'static str {
    match cat {
        "inf.condition" => "Condition",
        "inf.allergy" | "inf.contra" => "AllergyIntolerance",
        "inf.rx" => "MedicationRequest",
        c if c.starts_with("doc.") => "Composition",
        c if c.starts_with("prc.") => "Procedure",
        "vis.history" => "Encounter",
        "imm" => "Immunization",
        "care" => "CarePlan",
        "img" => "ImagingStudy",
        "gen" => "MolecularSequence",
        "demo" => "Patient",
        _ => "Observation",
    }
}

fn link(policy: &Policy, n: usize) -> String {
    let cat = &policy.categories()[n].code;
    format!("{}/{}", kind(cat), mark(n))
}

/// One resource a category; each refers to the others and speaks of them.
fn bundle(policy: &Policy, without: &[usize]) -> Value {
    const MASTER: &str = "http://jpfhir.jp/fhir/core/CodeSystem/JP_ProcedureCodesMedical_CS";
    const PROGRAMME: &str = "http://jpfhir.jp/fhir/eCheckup/CodeSystem/checkup-programService-code";
    const JLAC10: &str = "http://medis.or.jp/CodeSystem/master-JLAC10-17digits";
    const INFECTION: &str =
        "http://jpfhir.jp/fhir/clins/CodeSystem/JLAC10/JP_CLINS_ObsLabResult_InfectionLabo_CS";
    let count = policy.categories().len();
    let gossip = |n: usize| -> String {
        let mut text = String::new();
        for m in (0..count).filter(|m| *m != n) {
            text += &mark(m);
            text += " ";
            text += &date(m);
            text += " ";
        }
        text
    };
    let patient = link(policy, 25);
    let mut entries = Vec::new();
    for (n, cat) in policy.categories().iter().enumerate() {
        if without.contains(&n) && cat.code != "demo" {
            continue;
        }
        let others: Vec<Value> = (0..count)
            .filter(|m| *m != n)
            .map(|m| json!({"reference": link(policy, m), "display": mark(m)}))
            .collect();
        let extensions: Vec<Value> = others
            .iter()
            .map(|r| json!({"url": "http://example.jp/x", "valueReference": r}))
            .collect();
        let next = others[n % others.len()].clone();
        let mut r = json!({
            "resourceType": kind(&cat.code), "id": mark(n),
            "text": {"status": "generated", "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{}</div>", gossip(n))},
            "extension": extensions,
        });
        let mut more = match cat.code.as_str() {
            "doc.referral" | "doc.discharge" | "doc.checkup" => {
                let code = match n {
                    0 => "57133-1",
                    1 => "18842-5",
                    _ => "53576-5",
                };
                let sections: Vec<Value> = others.iter().map(|o| json!({"title": o["display"], "text": {"status": "generated", "div": gossip(n)}, "entry": [o]})).collect();
                json!({"type": concept("http://loinc.org", code, n), "subject": {"reference": patient}, "date": date(n), "title": mark(n), "section": sections})
            }
            "inf.condition" => {
                json!({"code": concept("http://hl7.org/fhir/sid/icd-10", "I10", n), "subject": {"reference": patient}, "onsetDateTime": date(n), "evidence": [{"detail": others}]})
            }
            "inf.allergy" => {
                json!({"code": concept("http://example.jp/a", "1", n), "patient": {"reference": patient}, "recordedDate": date(n), "category": ["food"]})
            }
            "inf.contra" => {
                json!({"code": concept("urn:warifu:consent:flag", "contraindication", n), "patient": {"reference": patient}, "recordedDate": date(n)})
            }
            "inf.infection" => {
                json!({"code": concept(INFECTION, "5F0161410", n), "effectiveDateTime": date(n), "hasMember": others})
            }
            "inf.lab" => {
                json!({"code": concept(JLAC10, "3A0100000", n), "category": [{"coding": [{"code": "laboratory"}]}], "effectiveDateTime": date(n), "derivedFrom": others})
            }
            "inf.rx" => {
                json!({"medicationReference": {"reference": "Medication/m1"}, "subject": {"reference": patient}, "authoredOn": date(n), "reasonReference": others, "dosageInstruction": [{"text": mark(n)}]})
            }
            "prc.surgery" => {
                json!({"code": concept(MASTER, "150000110", n), "subject": {"reference": patient}, "performedDateTime": date(n), "partOf": others})
            }
            "prc.transplant" => {
                json!({"code": concept(MASTER, "150196310", n), "subject": {"reference": patient}, "performedDateTime": date(n), "reasonReference": others})
            }
            "prc.dialysis" => {
                json!({"code": concept(MASTER, "140057810", n), "subject": {"reference": patient}, "performedDateTime": date(n), "report": others})
            }
            "vis.history" => {
                let diagnosis: Vec<Value> = others
                    .iter()
                    .map(|o| json!({"condition": o, "use": {"text": o["display"]}}))
                    .collect();
                json!({"type": [{"text": gossip(n)}], "reasonCode": [{"text": gossip(n)}], "period": {"start": date(n), "end": date(n)}, "diagnosis": diagnosis, "identifier": [{"value": mark(n)}]})
            }
            "imm" => {
                json!({"vaccineCode": concept("http://example.jp/v", "1", n), "patient": {"reference": patient}, "occurrenceDateTime": date(n), "reasonReference": others})
            }
            "care" => {
                json!({"title": mark(n), "subject": {"reference": patient}, "period": {"start": date(n), "end": date(n)}, "addresses": others, "description": gossip(n)})
            }
            "img" => {
                json!({"started": date(n), "subject": {"reference": patient}, "procedureReference": next, "identifier": [{"value": mark(n)}]})
            }
            "gen" => {
                json!({"coordinateSystem": 0, "patient": {"reference": patient}, "observedSeq": mark(n), "identifier": [{"value": date(n)}]})
            }
            "vit" => {
                json!({"code": concept("http://loinc.org", "8480-6", n), "category": [{"coding": [{"code": "vital-signs"}]}], "effectiveDateTime": date(n)})
            }
            "dev" => {
                json!({"code": concept("http://example.jp/d", "1", n), "category": [{"coding": [{"code": "device"}]}], "effectiveDateTime": date(n)})
            }
            "demo" => {
                json!({"name": [{"text": "架空 花子"}], "birthDate": "1950-01-01", "gender": "female", "address": [{"text": format!("{} {}", mark(n), date(n))}], "id": "patient"})
            }
            programme => {
                let code = match programme {
                    "chk.specific" => "010",
                    "chk.municipal" => "020",
                    "chk.infant" => "060",
                    "chk.school" => "040",
                    "chk.worker" => "030",
                    _ => "050",
                };
                json!({"meta": {"tag": [{"system": PROGRAMME, "code": code}]}, "code": concept("http://example.jp/c", "1", n), "effectiveDateTime": date(n)})
            }
        };
        if cat.code != "demo" {
            more["note"] = json!([{"text": gossip(n)}]);
            more["conclusion"] = json!(gossip(n));
        }
        for (k, v) in more.as_object().unwrap() {
            r[k] = v.clone();
        }
        entries.push(json!({"fullUrl": format!("http://h.example.jp/{}/{}", kind(&cat.code), r["id"].as_str().unwrap()), "resource": r, "search": {"mode": "match"}}));
    }
    entries.push(json!({"resource": {"resourceType": "Medication", "id": "m1", "code": {"text": "MEDIKAMENT"}}}));
    entries.push(json!({"resource": {"resourceType": "Provenance", "id": "p1", "target": (0..count).map(|m| json!({"reference": link(policy, m)})).collect::<Vec<_>>()}}));
    json!({"resourceType": "Bundle", "id": "b", "type": "searchset", "total": entries.len(), "link": [{"relation": "self", "url": "x"}], "entry": entries})
}

fn grant(n: usize, cat: Bits) -> Grant {
    Grant {
        jti: format!("g{n}"),
        hash: format!("h{n}"),
        kid: "k".into(),
        received: 0,
        aud: vec![CLINIC.into()],
        pur: Bits::one(0),
        cat,
        window: (None, None),
        recorded: None,
        nbf: 0,
        exp: NOW + 1,
        annex: Annex::empty([0; 16]),
        obl: vec!["NORDSCLCD".into()],
        uses_left: None,
        ended: false,
        status_age: None,
        parent: None,
    }
}

fn state<'p>(policy: &'p Policy, without: &[usize]) -> State<'p> {
    let shut = without.iter().fold(Bits::NONE, |b, n| {
        b.with(Bits::one(u8::try_from(*n).unwrap()))
    });
    let open = Bits(policy.all_categories().0 & !shut.0);
    let mut grants = vec![grant(100, Bits(open.0 & !policy.individual().0))];
    for p in open.places().filter(|p| policy.individual().has(*p)) {
        grants.push(grant(usize::from(p), Bits::one(p)));
    }
    State {
        policy,
        grants,
        denials: vec![],
        objections: vec![],
        notices: vec![],
        keys: vec![],
    }
}

fn request(policy: &Policy) -> Request {
    Request {
        who: Who::Recipient(CLINIC.into()),
        purpose: policy.purpose("TREAT"),
        mode: Mode::Normal,
        at: NOW,
    }
}

fn run(policy: &Policy, bundle: &Value, without: &[usize]) -> Filtered {
    filter(
        bundle.to_string().as_bytes(),
        &state(policy, without),
        &request(policy),
        &Holder(Origin::Ehr, Told::Yes),
    )
    .unwrap()
}

#[test]
fn no_mark_of_a_withheld_category_or_pair_goes_out_and_every_permitted_one_does() {
    let policy = Policy::reference().unwrap();
    let count = policy.categories().len();
    assert_eq!(count, 26);
    let whole = bundle(&policy, &[]);
    let mut sets: Vec<Vec<usize>> = vec![vec![]];
    for a in 0..count {
        sets.push(vec![a]);
        for b in a + 1..count {
            sets.push(vec![a, b]);
        }
    }
    for without in sets {
        let out = run(&policy, &whole, &without);
        let text = String::from_utf8(out.bytes.clone()).unwrap();
        for n in 0..count {
            let here = text.contains(&mark(n));
            assert_eq!(
                here,
                !without.contains(&n),
                "{} without {without:?}",
                policy.categories()[n].code
            );
            if without.contains(&n) {
                assert!(!text.contains(&date(n)), "date of {n} without {without:?}");
            }
        }
        let parsed: Value = serde_json::from_str(&text).unwrap();
        assert!(
            parsed.get("total").is_none()
                && parsed.get("link").is_none()
                && !text.contains("Provenance")
        );
        assert_eq!(text.contains("MEDIKAMENT"), !without.contains(&8));
        assert!(parsed["meta"]["tag"][0]["code"] == "SUBSETTED");
        dangling(&parsed);
        // Deleting what was withheld from the store changes nothing.
        let less = run(&policy, &bundle(&policy, &without), &without);
        assert_eq!(less.bytes, out.bytes, "{without:?}");
        // The patient learns what was withheld.
        assert!(out.withheld.iter().all(|w| w.why == Why::Category));
        let reported = out.withheld.len();
        assert_eq!(
            reported,
            without.iter().filter(|n| **n != 25).count(),
            "{without:?}"
        );
    }
}

fn walk(v: &Value, ids: &[String]) {
    match v {
        Value::Object(m) => {
            if let Some(Value::String(r)) = m.get("reference") {
                assert!(ids.contains(r), "{r} leads nowhere");
            }
            m.values().for_each(|v| walk(v, ids));
        }
        Value::Array(a) => a.iter().for_each(|v| walk(v, ids)),
        _ => {}
    }
}

/// Every reference in the output leads to a resource of the output.
fn dangling(bundle: &Value) {
    let mut ids = Vec::new();
    for e in bundle["entry"].as_array().unwrap() {
        let r = &e["resource"];
        ids.push(format!(
            "{}/{}",
            r["resourceType"].as_str().unwrap(),
            r["id"].as_str().unwrap()
        ));
    }
    walk(bundle, &ids);
}

#[test]
fn nothing_permitted_is_the_same_empty_bundle_as_for_an_unknown_person() {
    let policy = Policy::reference().unwrap();
    let none: Vec<usize> = (0..26).collect();
    let out = run(&policy, &bundle(&policy, &[]), &none);
    let empty = run(
        &policy,
        &json!({"resourceType": "Bundle", "type": "searchset"}),
        &none,
    );
    assert_eq!(out.bytes, empty.bytes);
    assert!(!String::from_utf8(out.bytes).unwrap().contains("entry"));
}

#[test]
fn what_was_not_told_is_neither_shown_nor_reported() {
    let policy = Policy::reference().unwrap();
    let whole = bundle(&policy, &[]);
    for (origin, told, shown) in [
        (Origin::Claims, Told::Yes, true),
        (Origin::Claims, Told::Unknown, false),
        (Origin::Claims, Told::No, false),
        (Origin::Ehr, Told::Unknown, true),
    ] {
        for who in [Who::Recipient(CLINIC.into()), Who::Subject] {
            let purpose = policy.purpose(if who == Who::Subject {
                "PATRQT"
            } else {
                "TREAT"
            });
            let r = Request {
                who,
                purpose,
                mode: Mode::Normal,
                at: NOW,
            };
            let out = filter(
                whole.to_string().as_bytes(),
                &state(&policy, &[]),
                &r,
                &Holder(origin, told),
            )
            .unwrap();
            let text = String::from_utf8(out.bytes).unwrap();
            assert_eq!(text.contains(&mark(3)), shown, "{origin:?} {told:?}");
            assert!(out.withheld.is_empty());
        }
    }
}

#[test]
fn a_document_goes_whole_or_without_its_form() {
    let policy = Policy::reference().unwrap();
    let mut doc = bundle(&policy, &[]);
    let entries = doc["entry"].as_array().unwrap().clone();
    let pick = |n: usize| entries[n].clone();
    doc["type"] = json!("document");
    doc["signature"] = json!({"data": "SIGNATUR"});
    doc["entry"] = json!([pick(1), pick(25), pick(3), pick(9)]);
    let bytes = doc.to_string();
    let all = run(&policy, &doc, &[]);
    assert_eq!(all.bytes, bytes.as_bytes());
    // Without the grant for 手術: no K code, no narrative, no signature, and no document any more.
    let out = String::from_utf8(run(&policy, &doc, &[9]).bytes).unwrap();
    for gone in [
        mark(9).as_str(),
        "150000110",
        "SIGNATUR",
        "<div",
        "\"document\"",
    ] {
        assert!(!out.contains(gone), "{gone}");
    }
    assert!(out.contains(&mark(3)) && out.contains(r#""type":"collection""#));
    // The same form without anything to cut.
    doc["entry"] = json!([pick(1), pick(25), pick(3)]);
    let plain = String::from_utf8(run(&policy, &doc, &[9]).bytes).unwrap();
    assert!(!plain.contains("SIGNATUR") && !plain.contains("<div"));
    // A single item that is not told withholds the whole document.
    let held = filter(
        bytes.as_bytes(),
        &state(&policy, &[]),
        &request(&policy),
        &Holder(Origin::Ehr, Told::Yes),
    )
    .unwrap();
    assert_eq!(held.bytes, bytes.as_bytes());
    let untold = bytes.replace(
        &format!(r#""id":"{}""#, mark(3)),
        &format!(
            r#""id":"{}","meta":{{"tag":[{{"code":"UNDELIVERED"}}]}}"#,
            mark(3)
        ),
    );
    let out = filter(
        untold.as_bytes(),
        &state(&policy, &[]),
        &request(&policy),
        &Holder(Origin::Ehr, Told::Yes),
    )
    .unwrap();
    assert!(!String::from_utf8(out.bytes).unwrap().contains("entry"));
}

#[test]
fn institutions_of_claims_are_masked_for_everyone_but_the_patient() {
    let policy = Policy::reference().unwrap();
    let text = json!({"resourceType": "Bundle", "type": "searchset", "entry": [
        {"resource": {"resourceType": "Patient", "id": "p", "name": [{"text": "架空 花子"}]}},
        {"resource": {"resourceType": "Organization", "id": "o", "name": "精神科病院"}},
        {"resource": {"resourceType": "MedicationRequest", "id": "m", "identifier": [{"value": "1318765432"}], "subject": {"reference": "Patient/p"},
            "requester": {"reference": "Organization/o", "display": "精神科病院"}, "medicationCodeableConcept": {"text": "くすり"}}},
    ]}).to_string();
    for (who, purpose, shown) in [
        (Who::Recipient(CLINIC.into()), "TREAT", false),
        (Who::Subject, "PATRQT", true),
    ] {
        let r = Request {
            who,
            purpose: policy.purpose(purpose),
            mode: Mode::Normal,
            at: NOW,
        };
        let out = filter(
            text.as_bytes(),
            &state(&policy, &[]),
            &r,
            &Holder(Origin::Claims, Told::Yes),
        )
        .unwrap();
        let out = String::from_utf8(out.bytes).unwrap();
        assert!(out.contains("くすり"));
        assert_eq!(
            out.contains("精神科病院") && out.contains("1318765432"),
            shown
        );
        assert_eq!(
            out.contains("Organization") || out.contains("1318765432"),
            shown
        );
    }
}

#[test]
fn what_is_no_bundle_is_not_filtered() {
    let policy = Policy::reference().unwrap();
    let go = |b: &str| {
        filter(
            b.as_bytes(),
            &state(&policy, &[]),
            &request(&policy),
            &Holder(Origin::Ehr, Told::Yes),
        )
    };
    for bad in [
        "",
        "{",
        "[]",
        r#"{"resourceType":"Patient"}"#,
        r#"{"resourceType":"Bundle","a":1,"a":2}"#,
    ] {
        assert_eq!(go(bad), Err(FilterError::NotBundle), "{bad}");
    }
    // Unknown types and text that is no resource are withheld, not passed on.
    let out = go(r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Basic","id":"x"}},{"resource":3},3]}"#).unwrap();
    assert!(!String::from_utf8(out.bytes).unwrap().contains("entry"));
}

#[test]
fn contained_items_documents_and_attachments_follow_their_own_categories() {
    let policy = Policy::reference().unwrap();
    let text = json!({"resourceType": "Bundle", "type": "searchset", "entry": [
        {"resource": {"resourceType": "Patient", "id": "p", "name": [{"text": "架空 花子"}]}},
        {"resource": {"resourceType": "CarePlan", "id": "c", "title": "PLAN", "subject": {"reference": "Patient/p"},
            "contained": [
                {"resourceType": "Procedure", "id": "op", "code": {"text": "OPERATION"}},
                {"resourceType": "Observation", "id": "bp", "category": [{"coding": [{"code": "vital-signs"}]}], "code": {"text": "BLUTDRUCK"}},
            ],
            "addresses": [{"reference": "#op", "display": "OPERATION"}, {"reference": "#bp"}]}},
        {"resource": {"resourceType": "DocumentReference", "id": "d", "type": {"coding": [{"system": "http://loinc.org", "code": "18842-5"}]},
            "description": "DOKUMENT", "content": [{"attachment": {"url": "Binary/b"}}]}},
        {"resource": {"resourceType": "Binary", "id": "b", "contentType": "application/pdf", "data": "UERGUERG"}},
        {"resource": {"resourceType": "Observation", "id": "o", "category": [{"coding": [{"code": "vital-signs"}]}], "code": {"text": "PULS"},
            "extension": [{"url": "http://example.jp/x", "valueUrl": "Binary/b"}, {"url": "http://example.jp/y", "valueString": "N/A"}],
            "valueAttachment": {"url": "Binary/b"}}},
    ]});
    let go = |without: &[usize]| String::from_utf8(run(&policy, &text, without).bytes).unwrap();
    let all = go(&[]);
    for mark in [
        "PLAN",
        "OPERATION",
        "BLUTDRUCK",
        "DOKUMENT",
        "UERGUERG",
        "PULS",
    ] {
        assert!(all.contains(mark), "{mark}");
    }
    // 9 is 手術: with it go the operation inside the plan, and the PDF that nobody has read.
    let out = go(&[9]);
    for gone in ["OPERATION", "#op", "DOKUMENT", "UERGUERG", "Binary"] {
        assert!(!out.contains(gone), "{gone}");
    }
    for stays in ["PLAN", "BLUTDRUCK", "#bp", "PULS", "N/A"] {
        assert!(out.contains(stays), "{stays}");
    }
    // Without the plan's own category nothing of it stays, whatever it contains.
    let out = go(&[20]);
    for gone in ["PLAN", "BLUTDRUCK", "OPERATION"] {
        assert!(!out.contains(gone), "{gone}");
    }
}
