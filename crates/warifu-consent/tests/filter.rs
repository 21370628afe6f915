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
    fn all_told(&self) -> bool {
        true
    }
}

/// Categories that a PDF of a discharge summary takes.
const DOCUMENT: &[usize] = &[1, 9, 10, 22];

/// The mark of a resource: its id, and what all its other marks begin with.
fn mark(n: usize) -> String {
    format!("KANARIE{n:02}X")
}

/// A mark of its own for each place: `C` code, `D` display, `T` text, `N` name, `I` identifier.
fn place(n: usize, place: char) -> String {
    format!("{}{place}", mark(n))
}

/// Every mark of a resource that stands in it.
fn own_marks(resource: &Value, n: usize) -> std::collections::BTreeSet<String> {
    let text = resource.to_string();
    let mark = mark(n);
    let ends = text.match_indices(&mark).map(|(at, _)| {
        let rest = &text[at + mark.len()..];
        let place = rest.chars().next().filter(char::is_ascii_uppercase);
        format!("{mark}{}", place.map(String::from).unwrap_or_default())
    });
    ends.collect()
}

fn date(n: usize) -> String {
    format!("1970-02-{:02}", n + 1)
}

fn concept(system: &str, code: &str, n: usize) -> Value {
    json!({"coding": [{"system": system, "code": code, "display": place(n, 'D')}, {"system": "urn:x-ssmix2:1318765432:L", "code": place(n, 'C')}], "text": place(n, 'T')})
}

/// A concept with the one code: another beside it would be what nobody judged.
fn judged(system: &str, code: &str, n: usize) -> Value {
    json!({"coding": [{"system": system, "code": code, "display": place(n, 'D')}], "text": place(n, 'T')})
}

/// A reason in codes of systems that are published, of which it tells another thing.
fn published(n: usize) -> Value {
    let systems = [
        "http://snomed.info/sct",
        "http://loinc.org",
        "http://www.whocc.no/atc",
        "urn:oid:2.16.840.1.113883.6.96",
        "http://hl7.org/fhir/sid/icd-10",
        "http://medis.or.jp/CodeSystem/master-JLAC10-17digits",
        "http://dicom.nema.org/resources/ontology/DCM",
    ];
    let list: Vec<Value> = systems
        .iter()
        .zip(1..)
        .map(|(s, m)| json!({"system": s, "code": mark((n + m) % 26)}))
        .collect();
    json!({"coding": list})
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
    if cat == "demo" {
        return "Patient/patient".into();
    }
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
        let mut extensions: Vec<Value> = others
            .iter()
            .map(|r| json!({"url": "http://example.jp/x", "valueReference": r}))
            .collect();
        extensions.push(json!({"url": "http://example.jp/s", "valueString": gossip(n)}));
        extensions.push(
            json!({"url": "http://example.jp/c", "valueCodeableConcept": {"text": gossip(n)}}),
        );
        extensions.push(json!({"url": "http://example.jp/r", "resource": {"resourceType": "Condition", "code": {"text": gossip(n)}}}));
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
                json!({"type": concept("http://loinc.org", code, n), "subject": {"reference": patient}, "date": date(n), "title": place(n, 'N'), "identifier": {"value": place(n, 'I')}, "section": sections})
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
                json!({"medicationReference": {"reference": "Medication/m1"}, "subject": {"reference": patient}, "authoredOn": date(n), "reasonReference": others, "dosageInstruction": [{"text": place(n, 'T')}], "identifier": [{"value": place(n, 'I')}]})
            }
            "prc.surgery" => {
                json!({"code": concept(MASTER, "150000110", n), "subject": {"reference": patient}, "performedDateTime": date(n), "partOf": others})
            }
            "prc.transplant" => {
                json!({"code": judged(MASTER, "150196310", n), "subject": {"reference": patient}, "performedDateTime": date(n), "reasonReference": others})
            }
            "prc.dialysis" => {
                json!({"code": judged(MASTER, "140057810", n), "subject": {"reference": patient}, "performedDateTime": date(n), "report": others})
            }
            "vis.history" => {
                let diagnosis: Vec<Value> = others
                    .iter()
                    .map(|o| json!({"condition": o, "use": {"text": o["display"]}}))
                    .collect();
                json!({"type": [{"text": gossip(n)}], "reasonCode": [{"text": gossip(n)}], "period": {"start": date(n), "end": date(n)}, "diagnosis": diagnosis, "identifier": [{"value": place(n, 'I')}]})
            }
            "imm" => {
                json!({"vaccineCode": concept("http://example.jp/v", "1", n), "patient": {"reference": patient}, "occurrenceDateTime": date(n), "reasonReference": others})
            }
            "care" => {
                json!({"title": place(n, 'N'), "identifier": [{"value": place(n, 'I')}], "subject": {"reference": patient}, "period": {"start": date(n), "end": date(n)}, "addresses": others, "description": gossip(n)})
            }
            "img" => {
                json!({"started": date(n), "subject": {"reference": patient}, "procedureReference": next, "identifier": [{"value": place(n, 'I')}]})
            }
            "gen" => {
                json!({"coordinateSystem": 0, "patient": {"reference": patient}, "observedSeq": place(n, 'N'), "identifier": [{"value": place(n, 'I')}, {"value": date(n)}]})
            }
            "vit" => {
                json!({"code": concept("http://loinc.org", "8480-6", n), "category": [{"coding": [{"code": "vital-signs"}]}], "effectiveDateTime": date(n)})
            }
            "dev" => {
                json!({"code": concept("urn:x-ssmix2:1318765432:D", "1", n), "category": [{"coding": [{"code": "device"}]}], "effectiveDateTime": date(n)})
            }
            "demo" => {
                json!({"name": [{"text": "架空 花子"}], "birthDate": "1950-01-01", "gender": "female", "address": [{"text": format!("{} {}", place(n, 'T'), date(n))}], "identifier": [{"value": place(n, 'I')}], "contact": [{"name": {"text": place(n, 'N')}}], "id": "patient"})
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
                json!({"meta": {"tag": [{"system": PROGRAMME, "code": code}]}, "code": judged("urn:oid:1.2.392.200119.6.1005", "9N001000000000001", n), "effectiveDateTime": date(n)})
            }
        };
        if cat.code != "demo" {
            more["note"] = json!([{"text": gossip(n)}]);
            more["conclusion"] = json!(gossip(n));
            let telling =
                json!({"extension": [{"url": "http://example.jp/t", "valueString": gossip(n)}]});
            for twin in [
                "_note",
                "_description",
                "_conclusion",
                "_type",
                "_status",
                "_title",
            ] {
                more[twin] = telling.clone();
            }
            for text in ["Note", "fhir_comments", "valueAttachment", "followUp"] {
                more[text] = json!(gossip(n));
            }
            for concept in [
                "statusReason",
                "reasonCode",
                "outcomeCodeableConcept",
                "conclusionCode",
                "serviceType",
            ] {
                more[concept] = json!([{"coding": [{"system": "http://example.jp/k", "code": gossip(n)}], "text": gossip(n)}]);
            }
            for concept in [
                "bodySite",
                "courseOfTherapyType",
                "interpretation",
                "method",
                "modality",
                "performerType",
                "severity",
                "verificationStatus",
            ] {
                more[concept] = published(n);
            }
            let status = json!({"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "confirmed"});
            let codings = more["verificationStatus"]["coding"].as_array_mut();
            codings.unwrap().push(status);
            if cat.code == "inf.rx" {
                more["dosageInstruction"] = json!([{"text": place(n, 'T'), "additionalInstruction": [published(n)], "asNeededCodeableConcept": published(n),
                    "site": published(n), "route": published(n), "method": published(n), "timing": {"code": published(n)}}]);
            }
            more["supportingInfo"] = json!([
                {"display": gossip(n)},
                {"type": "Condition", "display": gossip(n)},
                {"reference": null, "display": gossip(n)},
                {"reference": 5, "display": gossip(n)},
                {"type": "Practitioner", "identifier": {"value": gossip(n)}, "display": gossip(n)},
                {"identifier": {"value": gossip(n)}, "_display": telling},
            ]);
            for who in [
                "requester",
                "recorder",
                "performer",
                "encounter",
                "basedOn",
                "author",
            ] {
                more[who] = json!([{"display": gossip(n)}, {"type": "Practitioner", "identifier": {"value": gossip(n)}, "display": gossip(n)}]);
            }
            more["contained"] = json!([
                {"resourceType": "Practitioner", "id": "w", "name": [{"text": gossip(n)}], "contained": [{"resourceType": "Condition", "id": "z", "code": {"text": gossip(n)}}]},
                {"resourceType": "Basic", "id": "y", "code": {"text": gossip(n)}},
            ]);
        }
        for (k, v) in more.as_object().unwrap() {
            r[k] = v.clone();
        }
        entries.push(json!({"fullUrl": format!("http://h.example.jp/{}/{}", kind(&cat.code), r["id"].as_str().unwrap()), "resource": r, "search": {"mode": "match"}}));
    }
    // A PDF of a document that names everything.
    if !without.iter().any(|n| DOCUMENT.contains(n)) {
        entries.push(json!({"fullUrl": "http://h.example.jp/DocumentReference/pdf", "resource": {"resourceType": "DocumentReference", "id": "pdf", "status": "current",
            "type": concept("http://loinc.org", "18842-5", 1), "subject": {"reference": patient}, "description": gossip(1),
            "content": [{"attachment": {"url": "Binary/pdf", "title": gossip(1), "data": gossip(1)}}]}}));
        entries.push(json!({"fullUrl": "http://h.example.jp/Binary/pdf", "resource": {"resourceType": "Binary", "id": "pdf", "contentType": "application/pdf", "data": gossip(1)}}));
    }
    entries.push(json!({"fullUrl": "http://h.example.jp/Medication/m1", "resource": {"resourceType": "Medication", "id": "m1", "code": {"text": "MEDIKAMENT"}}}));
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
        texts: 1,
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
    let entries = whole["entry"].as_array().unwrap();
    // What goes although the rest of it stays; a contained `Basic` keeps any answer from being open.
    let part = |n: usize, mark: &str| {
        let of = |cat: &str| policy.categories()[n].code == cat;
        let document = policy.categories()[n].code.starts_with("doc.");
        // Words of a title, a document's type and a plan; a local code beside that of a laboratory.
        if document && mark.ends_with(['T', 'D', 'C', 'N']) || of("care") && mark.ends_with('N') {
            return true;
        }
        (of("inf.lab") || of("inf.infection")) && mark.ends_with('C')
    };
    let marks: Vec<_> = (0..count)
        .map(|n| own_marks(&entries[n]["resource"], n))
        .collect();
    for (n, marks) in marks.iter().enumerate() {
        assert!(
            marks.len() > 1,
            "{} has {marks:?}",
            policy.categories()[n].code
        );
    }
    for without in sets {
        let out = run(&policy, &whole, &without);
        let text = String::from_utf8(out.bytes.clone()).unwrap();
        for (n, own) in marks.iter().enumerate() {
            let code = &policy.categories()[n].code;
            if without.contains(&n) {
                let at = text.find(&mark(n));
                let near = at.and_then(|at| text.get(at.saturating_sub(200)..at + 40));
                assert!(at.is_none(), "{code} without {without:?}: {near:?}");
                assert!(
                    !text.contains(&date(n)),
                    "date of {code} without {without:?}"
                );
                continue;
            }
            // Every id, code, text, name and date of what is permitted, not one of them only.
            for mark in own {
                let expected = !part(n, mark);
                assert_eq!(
                    text.contains(mark),
                    expected,
                    "{mark} of {code} without {without:?}"
                );
            }
            assert!(
                text.contains(&date(n)),
                "date of {code} without {without:?}"
            );
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
        assert!(less.bytes == out.bytes, "{without:?}");
        // The patient learns what was withheld.
        let told: Vec<&Withheld> = out.withheld.iter().filter(|w| w.kind != "Basic").collect();
        assert!(told.iter().all(|w| w.why == Why::Category), "{told:?}");
        let reported = told.len();
        let pdf = without.iter().any(|n| DOCUMENT.contains(n));
        assert_eq!(
            reported,
            without.iter().filter(|n| **n != 25).count() + if pdf { 2 } else { 0 },
            "{without:?}"
        );
    }
}

#[test]
fn what_the_person_saw_counts_when_the_policy_moves_a_code() {
    const MASTER: &str = "http://jpfhir.jp/fhir/core/CodeSystem/JP_ProcedureCodesMedical_CS";
    let mut text: Value = serde_json::from_str(REFERENCE).unwrap();
    let earlier = text["match"].clone();
    text["texts"] = json!(2);
    text["earlier"] = json!([{"texts": 1, "match": earlier}]);
    // An operation becomes a plain visit, and a vital sign becomes a laboratory result as well.
    let rows = text["match"].as_array_mut().unwrap();
    rows.insert(0, json!({"type": ["Procedure"], "system": [MASTER], "prefix": ["150000110"], "cats": ["vis.history"]}));
    rows.insert(0, json!({"type": ["Observation"], "system": ["http://loinc.org"], "prefix": ["8480-6"], "cats": ["vit", "inf.lab"]}));
    let policy = Policy::read(text.to_string().as_bytes()).unwrap();
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": person()},
        {"resource": {"resourceType": "Procedure", "id": "operation", "code": {"coding": [{"system": MASTER, "code": "150000110"}]}}},
        {"resource": {"resourceType": "Observation", "id": "pressure", "category": [{"coding": [{"code": "vital-signs"}]}], "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]}}}]});
    let out = |cats: &[&str], texts: u64, no: Option<&str>| {
        let grants = cats.iter().enumerate().map(|(n, c)| Grant {
            texts,
            ..grant(n, Bits::one(policy.category(c).unwrap().0))
        });
        let denials = no.map(|c| Denial {
            jti: "d".into(),
            aud: vec!["*".into()],
            pur: Bits::one(0),
            cat: Bits::one(policy.category(c).unwrap().0),
            nbf: 0,
            exp: None,
            emg: false,
            ended: false,
            status_age: None,
        });
        let state = State {
            policy: &policy,
            grants: grants.collect(),
            denials: denials.into_iter().collect(),
            objections: vec![],
            notices: vec![],
            keys: vec![],
        };
        let holder = Holder(Origin::Ehr, Told::Yes);
        let out = filter(
            bundle.to_string().as_bytes(),
            &state,
            &request(&policy),
            &holder,
        );
        let text = String::from_utf8(out.unwrap().bytes).unwrap();
        ["operation", "pressure"].map(|id| text.contains(id))
    };
    // Whoever saw the new table opened what it says.
    assert_eq!(out(&["vis.history"], 2, None), [true, false]);
    assert_eq!(out(&["vit", "inf.lab"], 2, None), [false, true]);
    // Whoever saw the old one did not see operations among visits, nor vital signs among results.
    assert_eq!(out(&["vis.history"], 1, None), [false, false]);
    assert_eq!(
        out(&["vis.history", "prc.surgery"], 1, None),
        [false, false]
    );
    assert_eq!(out(&["vit", "inf.lab"], 1, None), [false, false]);
    // A version that nobody knows opens nothing.
    assert_eq!(
        out(&["vis.history", "vit", "inf.lab"], 3, None),
        [false, false]
    );
    // A prohibition of operations holds wherever the code went.
    assert_eq!(
        out(&["vis.history"], 2, Some("prc.surgery")),
        [false, false]
    );
    // Versions are each told once, and before the one in force.
    let doubled = text
        .to_string()
        .replace(r#""earlier":[{"#, r#""earlier":[{"texts":1,"match":[]},{"#);
    assert_eq!(
        Policy::read(doubled.as_bytes()),
        Err(PolicyError("earlier".into()))
    );
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
            // The person's own view has the words and codes that describe an item.
            let own_view = who == Who::Subject;
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
            let mut text = String::from_utf8(out.bytes).unwrap();
            if own_view {
                text = text.replace(&format!(r#""code":"{}""#, mark(3)), "");
            }
            assert_eq!(text.contains(&mark(3)), shown, "{origin:?} {told:?}");
            // What is in no table is withheld from recipients; nothing else is reported.
            assert!(out.withheld.iter().all(|w| w.kind == "Basic"));
        }
    }
}

#[test]
fn a_document_goes_whole_or_without_its_form() {
    let policy = Policy::reference().unwrap();
    let mut doc = bundle(&policy, &[]);
    let entries = doc["entry"].as_array().unwrap().clone();
    // Whole is what has nothing hidden in it.
    let pick = |n: usize| {
        let mut entry = entries[n].clone();
        let resource = entry["resource"].as_object_mut().unwrap();
        resource.remove("contained");
        resource.remove("extension");
        entry
    };
    doc["type"] = json!("document");
    doc["signature"] = json!({"data": "SIGNATUR"});
    doc["entry"] = json!([pick(1), pick(25), pick(3), pick(9)]);
    let bytes = doc.to_string();
    let all = run(&policy, &doc, &[]);
    assert!(all.bytes == bytes.as_bytes());
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
    assert!(held.bytes == bytes.as_bytes());
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
        {"resource": {"resourceType": "CarePlan", "id": "c", "identifier": [{"value": "PLAN"}], "subject": {"reference": "Patient/p"},
            "contained": [
                {"resourceType": "Procedure", "id": "op", "code": {"text": "OPERATION"}},
                {"resourceType": "Observation", "id": "bp", "category": [{"coding": [{"code": "vital-signs"}]}], "code": {"text": "BLUTDRUCK"}},
            ],
            "addresses": [{"reference": "#op", "display": "OPERATION"}, {"reference": "#bp"}]}},
        {"resource": {"resourceType": "DocumentReference", "id": "d", "type": {"coding": [{"system": "http://loinc.org", "code": "18842-5"}]},
            "description": "DOKUMENT", "content": [{"attachment": {"url": "Binary/b"}}]}},
        {"resource": {"resourceType": "Binary", "id": "b", "contentType": "application/pdf", "data": "UERGUERG"}},
        {"resource": {"resourceType": "Observation", "id": "o", "category": [{"coding": [{"code": "vital-signs"}]}], "code": {"text": "PULS"},
            "extension": [{"url": "http://example.jp/x", "valueUrl": "Binary/b"}, {"url": "http://example.jp/y", "valueString": "UNBEKANNT"}], "valueString": "N/A",
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
    for gone in [
        "OPERATION",
        "#op",
        "DOKUMENT",
        "UERGUERG",
        "Binary",
        "UNBEKANNT",
    ] {
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

const MASTER: &str = "http://jpfhir.jp/fhir/core/CodeSystem/JP_ProcedureCodesMedical_CS";
const JLAC: &str = "http://medis.or.jp/CodeSystem/master-JLAC10-17digits";
const PROGRAMME: &str = "http://jpfhir.jp/fhir/eCheckup/CodeSystem/checkup-programService-code";
const ICD: &str = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full";
const UUID: &str = "urn:uuid:11111111-1111-4111-8111-111111111111";

/// One grant for the categories, and one for each individual one.
fn only<'p>(policy: &'p Policy, cats: &[&str]) -> State<'p> {
    let mut state = state(policy, &[]);
    state.grants.clear();
    for (n, cat) in cats.iter().enumerate() {
        let place = policy.category(cat).unwrap().0;
        state.grants.push(grant(n, Bits::one(place)));
    }
    state
}

fn person() -> Value {
    json!({"resourceType": "Patient", "id": "p", "name": [{"text": "架空 花子"}]})
}

fn sent(state: &State<'_>, resources: &[Value]) -> String {
    sent_to(
        state,
        &request(state.policy),
        &Holder(Origin::Ehr, Told::Yes),
        resources,
    )
}

/// What the person's own view of these resources is.
fn own_view(policy: &Policy, resources: &[Value]) -> String {
    let mut me = request(policy);
    me.who = Who::Subject;
    me.purpose = policy.purpose("PATRQT");
    let holder = Holder(Origin::Ehr, Told::Yes);
    sent_to(&state(policy, &[]), &me, &holder, resources)
}

fn sent_to(state: &State<'_>, r: &Request, holder: &dyn Knowledge, resources: &[Value]) -> String {
    let entries: Vec<Value> = resources
        .iter()
        .map(|r| {
            if r.get("resource").is_some() {
                r.clone()
            } else {
                json!({"resource": r})
            }
        })
        .collect();
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": entries});
    let out = filter(bundle.to_string().as_bytes(), state, r, holder).unwrap();
    String::from_utf8(out.bytes).unwrap()
}

fn own(kind: &str, more: Value) -> Value {
    let who = match kind {
        "AllergyIntolerance" | "Claim" => "patient",
        _ => "subject",
    };
    let mut r = json!({"resourceType": kind, "id": "x", who: {"reference": "Patient/p"}});
    let Value::Object(more) = more else {
        return r;
    };
    for (k, v) in more {
        r[k] = v;
    }
    r
}

#[test]
fn a_resource_has_all_the_categories_that_its_codings_match() {
    let policy = Policy::reference().unwrap();
    let codes = |list: &[(&str, &str)]| {
        let list: Vec<Value> = list
            .iter()
            .map(|(s, c)| json!({"system": s, "code": c}))
            .collect();
        json!({"coding": list, "text": "MARK"})
    };
    let category = |c: &str| json!([{"coding": [{"code": c}]}]);
    let tag = |c: &str| json!({"tag": [{"system": PROGRAMME, "code": c}]});
    let ct = json!({"text": "MARK"});
    let snomed = "http://snomed.info/sct";
    // What it is, what it needs.
    let cases: Vec<(Value, &[&str])> = vec![
        (
            own(
                "Procedure",
                json!({"code": codes(&[(MASTER, "150224810"), (MASTER, "150000110")])}),
            ),
            &["vis.history", "prc.surgery"],
        ),
        (
            own(
                "Procedure",
                json!({"code": codes(&[(MASTER, "140007710"), (MASTER, "150000110")])}),
            ),
            &["prc.dialysis", "prc.surgery"],
        ),
        (
            own(
                "Procedure",
                json!({"code": codes(&[(MASTER, "112007410"), ("http://example.jp/master-STEM7", "K1")])}),
            ),
            &["vis.history", "prc.surgery"],
        ),
        (
            own(
                "Procedure",
                json!({"code": codes(&[(MASTER, "１５００００１１０")])}),
            ),
            &["prc.surgery"],
        ),
        (own("Procedure", json!({"code": ct})), &["prc.surgery"]),
        (
            own(
                "ServiceRequest",
                json!({"code": codes(&[(MASTER, "150000110")])}),
            ),
            &["prc.surgery"],
        ),
        (
            own(
                "ServiceRequest",
                json!({"code": ct, "category": category("GE")}),
            ),
            &["gen"],
        ),
        (
            own(
                "Observation",
                json!({"code": ct, "category": category("genetics"), "meta": tag("010")}),
            ),
            &["gen", "chk.specific"],
        ),
        (
            own(
                "Observation",
                json!({"code": codes(&[(JLAC, "5F5000000")]), "meta": tag("050")}),
            ),
            &["inf.infection", "chk.maternal"],
        ),
        // A code of a general system beside that of the laboratory may tell of an infection.
        (
            own(
                "Observation",
                json!({"code": codes(&[(JLAC, "3B0350000"), ("http://loinc.org", "75622-1")]), "category": category("laboratory")}),
            ),
            &["inf.infection", "inf.lab"],
        ),
        // However its system is written.
        (
            own(
                "Observation",
                json!({"code": codes(&[("urn:oid:1.2.392.200119.4.504 ", "5F0161410"), (JLAC, "3B0350000")]), "category": category("laboratory")}),
            ),
            &["inf.infection", "inf.lab"],
        ),
        // The filtration rate stands among function tests; what else begins with 8A may tell of genes.
        (
            own(
                "Observation",
                json!({"code": codes(&[(JLAC, "8A065000002391901")])}),
            ),
            &["inf.lab"],
        ),
        (
            own(
                "Observation",
                json!({"code": codes(&[(JLAC, "8A066000002391901")])}),
            ),
            &["gen", "inf.infection", "inf.lab"],
        ),
        (
            own(
                "Observation",
                json!({"code": codes(&[(JLAC, "3A0100000")]), "category": category("laboratory"), "meta": tag("010")}),
            ),
            &["chk.specific"],
        ),
        (
            own(
                "Observation",
                json!({"code": codes(&[(JLAC, "3A0100000")]), "category": [{"coding": [{"code": "laboratory"}]}, {"coding": [{"code": "imaging"}]}]}),
            ),
            &["inf.lab", "img"],
        ),
        (
            own(
                "Observation",
                json!({"code": ct, "category": category("Genetics")}),
            ),
            &["gen"],
        ),
        (
            own(
                "Observation",
                json!({"code": ct, "category": category("ge")}),
            ),
            &["gen"],
        ),
        (
            own(
                "Observation",
                json!({"code": ct, "category": category(" genetics")}),
            ),
            &["gen"],
        ),
        (
            own(
                "Observation",
                json!({"code": ct, "category": category("laboratory"), "component": [{"code": codes(&[(JLAC, "5F5000000")])}]}),
            ),
            &["inf.infection"],
        ),
        (
            own(
                "AllergyIntolerance",
                json!({"code": ct, "category": ["Medication-contraindication"]}),
            ),
            &["inf.contra"],
        ),
        // As the converter writes them.
        (
            own(
                "ServiceRequest",
                json!({"code": ct, "category": [{"coding": [{"system": snomed, "code": "108252007"}]}]}),
            ),
            &["inf.lab", "inf.infection"],
        ),
        (
            own(
                "ServiceRequest",
                json!({"code": ct, "category": [{"coding": [{"system": snomed, "code": "363679005"}]}]}),
            ),
            &["img"],
        ),
        (
            own(
                "ServiceRequest",
                json!({"code": ct, "category": [{"coding": [{"system": snomed, "code": "29303009"}]}]}),
            ),
            &["img"],
        ),
        (
            own(
                "ServiceRequest",
                json!({"code": ct, "category": [{"coding": [{"system": snomed, "code": "71388002"}]}]}),
            ),
            &["prc.surgery"],
        ),
        (
            own(
                "Observation",
                json!({"code": ct, "category": category("exam")}),
            ),
            &["vis.history", "inf.condition"],
        ),
        (
            own(
                "Observation",
                json!({"code": ct, "category": category("body-measurement")}),
            ),
            &["vit"],
        ),
        (
            own("Claim", json!({"item": [{"productOrService": ct}]})),
            &["vis.history", "prc.surgery"],
        ),
        (
            own(
                "Claim",
                json!({"item": [{"productOrService": codes(&[(MASTER, "112007410")])}], "diagnosis": [{"sequence": 1}]}),
            ),
            &["vis.history", "inf.condition"],
        ),
        (
            own(
                "Claim",
                json!({"item": [{"productOrService": codes(&[(MASTER, "112007410")])}], "procedure": [{"sequence": 1}]}),
            ),
            &["vis.history", "prc.surgery"],
        ),
        (
            own(
                "Claim",
                json!({"item": [{"productOrService": codes(&[(MASTER, "150000110")])}]}),
            ),
            &["vis.history", "prc.surgery"],
        ),
    ];
    for (resource, needs) in &cases {
        let all = sent(&only(&policy, needs), &[person(), resource.clone()]);
        assert!(
            all.contains(resource["resourceType"].as_str().unwrap()),
            "{needs:?} {resource}"
        );
        for gone in *needs {
            let mut rest: Vec<&str> = policy
                .categories()
                .iter()
                .map(|c| c.code.as_str())
                .collect();
            rest.retain(|c| c != gone);
            let out = sent(&only(&policy, &rest), &[person(), resource.clone()]);
            assert!(!out.contains("MARK"), "without {gone}: {resource}");
        }
    }
    // A category that nobody knows is none.
    let every: Vec<&str> = policy
        .categories()
        .iter()
        .map(|c| c.code.as_str())
        .collect();
    for kind in ["Observation", "DiagnosticReport", "ServiceRequest"] {
        for more in [
            json!({"code": ct, "category": category("genomics")}),
            json!({"code": ct}),
        ] {
            let out = sent(&only(&policy, &every), &[person(), own(kind, more.clone())]);
            assert!(!out.contains("MARK"), "{kind} {more}");
        }
    }
    let mixed = json!({"code": ct, "category": [{"coding": [{"code": "laboratory"}]},
        {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "GX"}]}]});
    let out = sent(
        &only(&policy, &every),
        &[person(), own("Observation", mixed)],
    );
    assert!(!out.contains("MARK"));
}

#[test]
fn an_excluded_visit_takes_what_belongs_to_it_however_it_is_named() {
    let policy = Policy::reference().unwrap();
    let visit = json!({"fullUrl": UUID, "resource": {"resourceType": "Encounter", "id": "e1", "subject": {"reference": "Patient/p"}}});
    let mut state = only(&policy, &["inf.condition"]);
    let wid = hash::resource_key(SOURCE, "Encounter", "e1");
    let go = |state: &State<'_>, encounter: &Value| {
        let c = own(
            "Condition",
            json!({"code": {"text": "MARK"}, "encounter": encounter}),
        );
        sent(state, &[person(), visit.clone(), c]).contains("MARK")
    };
    let ways = [
        json!({"reference": "Encounter/e1"}),
        json!({"reference": UUID}),
        json!({"reference": "Encounter/e1/_history/2"}),
        json!({"reference": "http://h.example.jp/fhir/Encounter/e1"}),
        json!({"identifier": {"value": "e1"}}),
        json!({"display": "10月の受診"}),
    ];
    for way in &ways {
        assert!(go(&state, way), "{way}");
    }
    state.grants[0].annex.wid.push(wid.clone());
    for way in &ways {
        assert!(!go(&state, way), "{way}");
    }
    assert!(go(&state, &json!({"reference": "Encounter/e2"})));
    let mut state = only(
        &policy,
        &["doc.referral", "gen", "prc.surgery", "prc.transplant"],
    );
    let d = own(
        "DocumentReference",
        json!({"type": {"coding": [{"system": "http://loinc.org", "code": "57133-1"}]},
        "context": {"encounter": [{"reference": "Encounter/e2"}, {"reference": UUID}]}, "content": [{"attachment": {"title": "x"}}]}),
    );
    assert!(sent(&state, &[person(), visit.clone(), d.clone()]).contains("57133-1"));
    for g in &mut state.grants {
        g.annex.wid.push(wid.clone());
    }
    assert!(!sent(&state, &[person(), visit.clone(), d]).contains("57133-1"));
}

#[test]
fn labels_hold_however_a_code_is_written_and_nothing_local_is_judged() {
    let policy = Policy::reference().unwrap();
    let go = |label: &str, code: &Value, meta: Value| {
        let mut state = only(&policy, &["inf.condition"]);
        state.grants[0].annex.lbl.push(label.into());
        let c = own("Condition", json!({"code": {"coding": code}, "meta": meta}));
        sent(&state, &[person(), c]).contains("MARK")
    };
    let icd = |c: &str| json!([{"system": ICD, "code": c, "display": "MARK"}]);
    for (code, label) in [
        ("F20.0", "PSY"),
        ("F200", "PSY"),
        ("f20.0", "PSY"),
        ("Ｆ２０", "PSY"),
        (" F20", "PSY"),
        ("Z20.6", "HIV"),
        ("Z206", "HIV"),
        ("B24", "HIV"),
        ("R458", "PSY"),
        ("Z502", "ETH"),
    ] {
        assert!(!go(label, &icd(code), json!({})), "{code}");
    }
    assert!(go("PSY", &icd("I10"), json!({})));
    assert!(!go(
        "HIV",
        &icd("K29"),
        json!({"security": [{"code": "hiv"}]})
    ));
    assert!(!go(
        "HIV",
        &json!([{"system": ICD, "code": "K29", "display": "MARK"}, {"system": "urn:local", "code": "HIV"}]),
        json!({})
    ));
    // A concept in local words only, beside one that the lists know.
    let mut state = only(&policy, &["inf.rx"]);
    state.grants[0].annex.lbl.push("HIV".into());
    let yj = "urn:oid:1.2.392.100495.20.1.73";
    let drug = json!({"coding": [{"system": yj, "code": "2149001F1", "display": "MEDICINE"}], "text": "MEDICINE"});
    let m = |reason: Value| {
        own(
            "MedicationRequest",
            json!({"medicationCodeableConcept": drug, "reasonCode": reason}),
        )
    };
    assert!(sent(&state, &[person(), m(json!([]))]).contains("MEDICINE"));
    assert!(!sent(&state, &[person(), m(json!([{"text": "院内語"}]))]).contains("MEDICINE"));
    // HOT numbers are not ordered by effect: alone they are not judged, beside a YJ code they are left out.
    for hot in [
        "urn:oid:1.2.392.200119.4.403.1",
        "urn:oid:1.2.392.100495.20.2.74",
        "http://medis.or.jp/CodeSystem/master-HOT9",
    ] {
        let m = |codings: Value| {
            own(
                "MedicationRequest",
                json!({"medicationCodeableConcept": {"coding": codings}}),
            )
        };
        let number = json!({"system": hot, "code": "110626901"});
        assert!(
            !sent(&state, &[person(), m(json!([number]))]).contains("MedicationRequest"),
            "{hot}"
        );
        let out = sent(&state, &[person(), m(json!([number, drug["coding"][0]]))]);
        assert!(
            out.contains("MEDICINE") && !out.contains("110626901"),
            "{hot}"
        );
    }
}

#[test]
fn what_the_labeller_does_not_know_beside_what_it_knows_is_not_judged() {
    let policy = Policy::reference().unwrap();
    let go = |cat: &str, resource: Value| {
        let mut state = only(&policy, &[cat]);
        state.grants[0].annex.lbl.push("HIV".into());
        sent(&state, &[person(), resource])
    };
    let i10 = json!({"system": ICD, "code": "I10", "display": "NAME"});
    let condition = |other: Value, text: &str| {
        own(
            "Condition",
            json!({"code": {"coding": [i10, other], "text": text}}),
        )
    };
    for (system, code) in [
        ("http://hl7.org/fhir/sid/icd-10/", "B24"),
        ("http://hl7.org/fhir/sid/icd-10|2019", "B24"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "B20"),
        ("http://snomed.info/sct", "86406008"),
        ("urn:oid:2.16.840.1.113883.6.90", "B20"),
        ("urn:local", "X"),
        ("", "B24"),
    ] {
        let out = go(
            "inf.condition",
            condition(json!({"system": system, "code": code}), "NAME"),
        );
        assert!(!out.contains("Condition"), "{system}");
    }
    let nothing = json!({"display": "HIV感染症"});
    assert!(!go("inf.condition", condition(nothing, "NAME")).contains("Condition"));
    // Another number of the master that has the code, and words of one's own: they are left out.
    let number = json!({"system": "http://medis.or.jp/CodeSystem/master-disease-keyNumber", "code": "20051001"});
    let out = go("inf.condition", condition(number.clone(), "院内語"));
    assert!(
        out.contains("NAME") && !out.contains("20051001") && !out.contains("院内語"),
        "{out}"
    );
    let out = go("inf.condition", condition(number, "NAME"));
    assert!(out.contains(r#""text":"NAME""#), "{out}");
    // An answer in a terminology of diseases.
    let jlac = json!({"coding": [{"system": JLAC, "code": "3B0350000"}]});
    let lab = |value: Value| {
        own(
            "Observation",
            json!({"code": jlac, "category": [{"coding": [{"code": "laboratory"}]}], "valueCodeableConcept": value}),
        )
    };
    let open = |value: Value| {
        let mut state = only(&policy, &["inf.lab", "inf.condition", "inf.infection"]);
        for g in &mut state.grants {
            g.annex.lbl.push("HIV".into());
        }
        sent(&state, &[person(), lab(value)]).contains("3B0350000")
    };
    assert!(open(json!({"text": "陽性"})));
    assert!(open(
        json!({"coding": [{"system": "http://snomed.info/sct", "code": "10828004"}]})
    ));
    assert!(open(json!({"coding": [{"system": ICD, "code": "I10"}]})));
    assert!(!open(json!({"coding": [{"system": ICD, "code": "B24"}]})));
    assert!(!open(
        json!({"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "B20"}]})
    ));
    assert!(!open(
        json!({"coding": [{"system": "http://snomed.info/sct", "code": "86406008"}]})
    ));
}

#[test]
fn a_disease_is_one_where_a_result_or_an_answer_says_it() {
    let policy = Policy::reference().unwrap();
    let jlac = json!({"coding": [{"system": JLAC, "code": "3B0350000"}]});
    let lab = json!([{"coding": [{"code": "laboratory"}]}]);
    let snomed = "http://snomed.info/sct";
    let coding =
        |system: &str, code: &str| json!({"system": system, "code": code, "display": "MARK"});
    let of = |concept: Value| {
        own(
            "Observation",
            json!({"code": jlac, "category": lab, "valueCodeableConcept": concept}),
        )
    };
    for system in [
        ICD,
        "http://hl7.org/fhir/sid/icd-10-cm",
        "http://hl7.org/fhir/sid/icd-9-cm",
        "http://id.who.int/icd/release/11/mms",
        "urn:oid:1.2.392.200119.4.101.6",
        "http://medis.or.jp/CodeSystem/master-disease-exCode",
        snomed,
    ] {
        let c = coding(system, "C169");
        for resource in [
            of(json!({"coding": [c]})),
            own(
                "Observation",
                json!({"code": jlac, "category": lab, "component": [{"code": {"coding": [c]}}]}),
            ),
            own(
                "Observation",
                json!({"code": jlac, "category": lab, "component": [{"code": jlac, "valueCodeableConcept": {"coding": [c]}}]}),
            ),
            own(
                "QuestionnaireResponse",
                json!({"item": [{"linkId": "1", "item": [{"linkId": "2", "answer": [{"valueCoding": c}]}]}]}),
            ),
        ] {
            let cats: &[&str] = &["inf.lab", "care"];
            let part = system == snomed
                && resource["component"][0]
                    .get("valueCodeableConcept")
                    .is_none()
                && resource["component"].is_array();
            let out = sent(&only(&policy, cats), &[person(), resource.clone()]);
            assert!(!out.contains("MARK"), "{resource}");
            // A part in SNOMED is an infection by the rows of the laboratory.
            let more: &[&str] = if part {
                &["inf.lab", "inf.infection"]
            } else {
                &["inf.lab", "care", "inf.condition", "inf.infection"]
            };
            assert!(
                sent(&only(&policy, more), &[person(), resource.clone()]).contains("MARK"),
                "{resource}"
            );
        }
    }
    // What says only whether there is any is a result.
    let out = sent(
        &only(&policy, &["inf.lab"]),
        &[
            person(),
            of(json!({"coding": [coding(snomed, "260385009")]})),
        ],
    );
    assert!(out.contains("260385009"));
    // A reason is cut, and withholds nothing.
    let rx = own(
        "MedicationRequest",
        json!({"medicationCodeableConcept": {"text": "MEDICINE"}, "reasonCode": [{"coding": [coding(ICD, "C169")]}]}),
    );
    let out = sent(&only(&policy, &["inf.rx"]), &[person(), rx]);
    assert!(out.contains("MEDICINE") && !out.contains("MARK"));
}

#[test]
fn words_that_only_describe_an_item_do_not_go_out() {
    let policy = Policy::reference().unwrap();
    let hl7 = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
    // Words, a code of words, a local code, a disease and what is listed for another element go; a code that
    // is listed for the element stays, without its words.
    let meaning = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";
    let concept = |code: &str| {
        json!({"text": "LEAK", "id": "LEAK", "coding": [
            {"system": meaning, "code": code, "display": "LEAK", "version": "LEAK"},
            {"system": hl7, "code": "LEAK", "display": "LEAK"},
            {"system": meaning, "code": "胃全摘LEAK"},
            {"system": "http://h.example.jp/own", "code": "LEAK"},
            {"code": "LEAK"},
            {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "LEAK16"},
        ]})
    };
    let c = || concept("STAYS");
    let lab = json!([{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory", "display": "LEAK"}], "text": "LEAK"}]);
    let jlac = json!({"coding": [{"system": JLAC, "code": "3B0350000"}]});
    let resources = [
        own(
            "MedicationRequest",
            json!({"id": "m", "medicationCodeableConcept": {"text": "MEDICINE"}, "category": [c()], "courseOfTherapyType": c(), "performerType": c(),
            "dosageInstruction": [{"text": "DOSAGE", "additionalInstruction": [c(), {"text": "LEAK"}], "asNeededCodeableConcept": {"text": "LEAK", "coding": [
                    {"system": "http://jami.jp/CodeSystem/MedicationEventTriggered", "code": "1050", "display": "LEAK"}, {"system": "http://snomed.info/sct", "code": "LEAK"}]}},
                {"text": "DOSAGE", "asNeededCodeableConcept": {"text": "LEAK"}}]}),
        ),
        own(
            "Encounter",
            json!({"id": "e", "class": {"code": "AMB", "display": "LEAK"}, "priority": c(), "participant": [{"type": [c()]}], "location": [{"location": {"reference": "Location/l"}, "physicalType": c()}]}),
        ),
        json!({"resourceType": "Location", "id": "l", "name": "LEAK", "alias": ["LEAK"], "type": [c()], "identifier": [{"system": "http://h.example.jp/ward", "value": "W3"}]}),
        own(
            "ImagingStudy",
            json!({"id": "i", "procedureCode": [{"text": "STUDY"}], "series": [{"uid": "1.2", "modality": {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT", "display": "LEAK"}, "bodySite": {"display": "LEAK"}}]}),
        ),
        own(
            "CarePlan",
            json!({"id": "c", "title": "LEAK", "category": [c()], "activity": [{"detail": {"status": "completed", "code": {"text": "ACTIVITY"}}}]}),
        ),
        own(
            "Composition",
            json!({"id": "d", "title": "LEAK", "category": [c()], "type": {"text": "LEAK", "coding": [{"system": "http://loinc.org", "code": "18842-5", "display": "LEAK"}]}}),
        ),
        own(
            "Observation",
            json!({"id": "o", "category": lab, "code": jlac, "bodySite": c(), "method": {"text": "LEAK"}, "interpretation": [c()], "dataAbsentReason": c(),
            "referenceRange": [{"text": "RANGE", "type": c(), "appliesTo": [{"text": "LEAK"}]}],
            "device": {"reference": "Device/v"}, "performer": [{"reference": "PractitionerRole/r"}], "specimen": {"reference": "Specimen/s"},
            "identifier": [{"system": "http://h.example.jp/n", "value": "NUMBER", "type": {"text": "LEAK"}}, {"system": "urn:LEAK-胃癌", "value": "1"}, {"value": "LEAK 胃癌"}],
            "meta": {"versionId": "LEAK", "source": "LEAK", "lastUpdated": "2026-01-05T00:00:00Z",
                "profile": ["http://h.example.jp/StructureDefinition/LEAK", "http://jpfhir.jp/fhir/core/LEAK", "http://jpfhir.jp/fhir/core/StructureDefinition/PROFILE"],
                "tag": [{"system": "http://h.example.jp/tag", "code": "LEAK"}, {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST", "display": "LEAK"}],
                "security": [{"system": hl7, "code": "CPLYPOL", "display": "LEAK"}, {"system": "urn:x", "code": "LEAK"}]},
            "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "LEAK"},
                {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueString": "LEAK"},
                {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"},
                {"url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation", "valueCode": "IDE", "id": "LEAK"},
                {"url": "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Condition_DiseaseOutcome", "valueCodeableConcept": {"text": "LEAK"}}]}),
        ),
        json!({"resourceType": "Device", "id": "v", "type": {"text": "LEAK"}, "deviceName": [{"name": "LEAK", "type": "other"}], "modelNumber": "LEAK",
            "version": [{"type": c(), "value": "LEAK"}]}),
        json!({"resourceType": "PractitionerRole", "id": "r", "code": [c()], "specialty": [{"text": "LEAK"}]}),
        json!({"resourceType": "Specimen", "id": "s", "type": {"coding": [{"system": "urn:x-ssmix2:1319999999:JC10-specimen", "code": "023", "display": "LEAK"},
            {"system": "urn:x-ssmix2:1319999999:99X", "code": "LEAK"}, {"system": "urn:x-ssmix2:LEAK:JC10-specimen", "code": "1"}], "text": "LEAK"}, "collection": {"method": c(), "bodySite": {"text": "LEAK"}}}),
        json!({"resourceType": "Coverage", "id": "k", "status": "active", "beneficiary": {"reference": "Patient/p"}, "type": {"text": "LEAK"}, "class": [{"type": c(), "value": "LEAK", "name": "LEAK"}]}),
        json!({"resourceType": "Patient", "id": "p", "name": [{"text": "架空 花子", "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation", "valueCode": "IDE"}]}], "contact": [{"relationship": [{"text": "LEAK"}], "name": {"text": "CONTACT"}}]}),
    ];
    let state = only(
        &policy,
        &[
            "inf.rx",
            "vis.history",
            "img",
            "care",
            "doc.discharge",
            "inf.lab",
            "demo",
        ],
    );
    let out = sent(&state, &resources);
    assert!(
        !out.contains("LEAK"),
        "{}",
        out.find("LEAK")
            .and_then(|at| out.get(at.saturating_sub(300)..at + 9))
            .unwrap_or_default()
    );
    // What is needed stays: name and use of a medicine, what is planned, ranges, numbers, codes.
    for stays in [
        "MEDICINE",
        "DOSAGE",
        "STUDY",
        r#""code":"023""#,
        "ACTIVITY",
        "RANGE",
        "NUMBER",
        "CONTACT",
        "STAYS",
        "W3",
        "18842-5",
        "laboratory",
        "HTEST",
        "CPLYPOL",
        "StructureDefinition/PROFILE",
        r#""valueCode":"unknown""#,
        r#""valueCode":"IDE""#,
        "2026-01-05T00:00:00Z",
        "DCM",
    ] {
        assert!(out.contains(stays), "{stays}: {out}");
    }
    let sent: Value = serde_json::from_str(&out).unwrap();
    let of = |kind: &str| {
        let all = sent["entry"].as_array().unwrap();
        all.iter()
            .find(|e| e["resource"]["resourceType"] == kind)
            .unwrap()["resource"]
            .clone()
    };
    // What R4 demands is there, and that it is taken when needed is told without why.
    assert_eq!(of("Composition")["title"], "退院時サマリー");
    assert_eq!(
        of("Encounter")["class"]["extension"][0]["valueCode"],
        "masked"
    );
    let when = &of("MedicationRequest")["dosageInstruction"];
    assert_eq!(
        when[1]["asNeededCodeableConcept"]["extension"][0]["valueCode"],
        "masked"
    );
    assert_eq!(
        when[0]["asNeededCodeableConcept"]["coding"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    // What would stand without what R4 demands goes in whole.
    assert!(of("Coverage")["class"].is_null() && of("Device")["version"].is_null());
    assert!(of("Device")["deviceName"].is_null());
    // The person's own view has the words.
    let me = Request {
        who: Who::Subject,
        purpose: policy.purpose("PATRQT"),
        mode: Mode::Normal,
        at: NOW,
    };
    let own_view = sent_to(&state, &me, &Person, &resources);
    assert!(own_view.contains(r#""title":"LEAK""#) && own_view.contains(r#""display":"LEAK""#));
}

/// A holder who does not vouch for anything.
struct Person;

impl Knowledge for Person {
    fn facts(&self, kind: &str, id: &str) -> Facts {
        Holder(Origin::Ehr, Told::Yes).facts(kind, id)
    }
}

#[test]
fn beside_a_laboratory_code_goes_none_that_nobody_knows() {
    let policy = Policy::reference().unwrap();
    let of = |system: &str, code: &str| {
        let codings = json!([{"system": JLAC, "code": "3B0350000"}, {"system": system, "code": code, "display": "MARK"}]);
        own(
            "Observation",
            json!({"code": {"coding": codings}, "category": [{"coding": [{"code": "laboratory"}]}]}),
        )
    };
    let out = sent(
        &only(&policy, &["inf.lab"]),
        &[person(), of("urn:local", "L77")],
    );
    assert!(
        out.contains("3B0350000") && !out.contains("MARK") && !out.contains("L77"),
        "{out}"
    );
    // Whatever the master is called.
    for system in [
        "http://medis.or.jp/CodeSystem/master-JLAC10",
        "urn:x:JLAC10",
    ] {
        let out = sent(
            &only(&policy, &["inf.lab"]),
            &[person(), of(system, "5F016")],
        );
        assert!(!out.contains("3B0350000"), "{system}");
        let out = sent(
            &only(&policy, &["inf.lab", "inf.infection"]),
            &[person(), of(system, "5F016")],
        );
        assert!(out.contains("MARK"), "{system} {out}");
    }
}

#[test]
fn a_date_that_is_open_or_cannot_be_read_leaves_the_window() {
    let policy = Policy::reference().unwrap();
    let mut state = only(&policy, &["inf.condition"]);
    let day = |d: &str| Some(Date::interval(d).unwrap().0);
    state.grants[0].window = (day("2024-01-01"), day("2025-01-01"));
    for (more, goes) in [
        (json!({"recordedDate": "2024-05-01"}), true),
        (
            json!({"onsetDateTime": "2024-02-01", "recordedDate": "2030-05-01"}),
            true,
        ),
        (
            json!({"onsetPeriod": {"start": "2010-01-01"}, "recordedDate": "2024-05-01"}),
            false,
        ),
        (
            json!({"onsetDateTime": "x2010", "recordedDate": "2024-05-01"}),
            false,
        ),
        (
            json!({"onsetString": "1990年頃", "recordedDate": "2024-05-01"}),
            false,
        ),
        (
            json!({"onsetDateTime": "2024-02-01", "abatementDateTime": "2030-01-01"}),
            false,
        ),
        // What ends before it begins lies nowhere.
        (
            json!({"onsetPeriod": {"start": "2030-01-01", "end": "2010-01-01"}}),
            false,
        ),
        // A day that stands deeper in it is one of its days, too; what is only said is none.
        (
            json!({"recordedDate": "2024-05-01", "stage": [{"at": [{"time": "2010"}]}]}),
            false,
        ),
        (
            json!({"recordedDate": "2024-05-01", "stage": [{"at": ["2010-01"]}]}),
            false,
        ),
        (
            json!({"recordedDate": "2024-05-01", "stage": [{"onset": "2024-13-01"}]}),
            false,
        ),
        (
            json!({"recordedDate": "2024-05-01", "stage": [{"at": ["2024-06-01"], "code": "2010"}]}),
            true,
        ),
        (
            json!({"recordedDate": "2024-05-01", "identifier": [{"value": "2010-01-01"}],
                "stage": [{"valueDate": "2010-01-01", "dueDate": "2030-01-01"}]}),
            true,
        ),
    ] {
        let mut c = own("Condition", json!({"code": {"text": "MARK"}}));
        for (k, v) in more.as_object().unwrap() {
            c[k] = v.clone();
        }
        assert_eq!(
            sent(&state, &[person(), c]).contains("MARK"),
            goes,
            "{more}"
        );
    }
}

/// Facts of each type, and who the person is.
struct Desk {
    claims: &'static [&'static str],
    told: Told,
    person: Option<&'static str>,
    all_told: bool,
}

impl Knowledge for Desk {
    fn facts(&self, kind: &str, _: &str) -> Facts {
        Facts {
            src: SOURCE.into(),
            origin: if self.claims.contains(&kind) {
                Origin::Claims
            } else {
                Origin::Ehr
            },
            recorded: Some(NOW - 9),
            told: self.told,
        }
    }
    fn is_person(&self, _: &str, id: &str) -> Option<bool> {
        self.person.map(|p| p == id)
    }
    fn all_told(&self) -> bool {
        self.all_told
    }
}

const DESK: Desk = Desk {
    claims: &[],
    told: Told::Yes,
    person: None,
    all_told: false,
};

#[test]
fn what_is_somebody_elses_does_not_go_out() {
    let policy = Policy::reference().unwrap();
    let state = state(&policy, &[]);
    let r = request(&policy);
    let other = json!({"resourceType": "Patient", "id": "q", "name": [{"text": "別人"}]});
    let theirs = json!({"resourceType": "Condition", "id": "y", "code": {"text": "FREMD"}, "subject": {"reference": "Patient/q"}});
    let mine = own("Condition", json!({"code": {"text": "MARK"}}));
    let all = [person(), other.clone(), mine.clone(), theirs.clone()];
    // Nobody says whose it is: one person only.
    assert!(!sent_to(&state, &r, &DESK, &all).contains("entry"));
    // The holder says who it is.
    let desk = Desk {
        person: Some("p"),
        ..DESK
    };
    let out = sent_to(&state, &r, &desk, &all);
    assert!(
        out.contains("MARK") && !out.contains("別人") && !out.contains("FREMD"),
        "{out}"
    );
    assert!(!sent_to(&state, &r, &desk, &[other, theirs]).contains("entry"));
    let alone = sent_to(&state, &r, &desk, std::slice::from_ref(&mine));
    assert!(alone.contains("MARK"), "{alone}");
    // Leading nowhere, to a group, or without a name that can be followed.
    for subject in [
        json!({"reference": "Patient/nowhere"}),
        json!({"reference": "Group/g"}),
        json!({"identifier": {"value": "p"}}),
        json!({"display": "架空 花子"}),
    ] {
        let mut c = mine.clone();
        c["subject"] = subject.clone();
        for d in [&DESK, &desk] {
            assert!(
                !sent_to(&state, &r, d, &[person(), c.clone()]).contains("MARK"),
                "{subject}"
            );
        }
    }
    // Nobody else's records stand in the person's report, nor how many they are.
    let all_bytes = |all: &[Value]| {
        let entry: Vec<Value> = all.iter().map(|r| json!({"resource": r})).collect();
        json!({"resourceType": "Bundle", "type": "collection", "entry": entry}).to_string()
    };
    let done = filter(all_bytes(&all).as_bytes(), &state, &r, &desk).unwrap();
    assert_eq!(done.withheld, []);
    // The person's own request is about the person, too.
    let r = Request {
        who: Who::Subject,
        purpose: policy.purpose("PATRQT"),
        mode: Mode::Normal,
        at: NOW,
    };
    let out = sent_to(&state, &r, &desk, &all);
    assert!(out.contains("MARK") && !out.contains("FREMD") && !out.contains("別人"));
}

/// Ids are of a server: what is of another, or has another number beside it, is not the person's.
#[test]
fn a_reference_of_another_server_or_with_another_number_is_not_the_person() {
    let policy = Policy::reference().unwrap();
    let state = state(&policy, &[]);
    let r = request(&policy);
    let desk = Desk {
        person: Some("p"),
        ..DESK
    };
    let mut patient = person();
    patient["identifier"] = json!([{"system": "urn:n", "value": "1"}]);
    let at = |server: &str, r: &Value| {
        let (kind, id) = (
            r["resourceType"].as_str().unwrap(),
            r["id"].as_str().unwrap(),
        );
        json!({"fullUrl": format!("http://{server}/fhir/{kind}/{id}"), "resource": r})
    };
    let of = |subject: Value| json!({"resourceType": "Condition", "id": "c", "code": {"text": "MARK"}, "subject": subject});
    let to = |reference: &str| of(json!({"reference": reference}));
    let here = at("h.jp", &patient);
    let goes = |list: &[Value]| {
        let out = [&desk, &DESK].map(|d| sent_to(&state, &r, d, list).contains("MARK"));
        assert_eq!(out[0], out[1], "{list:?}");
        out[0]
    };
    for (server, mine) in [("h.jp", true), ("other.jp", false)] {
        let absolute = format!("http://{server}/fhir/Patient/p");
        for list in [
            [here.clone(), at("h.jp", &to(&absolute))],
            [here.clone(), at(server, &to(&absolute))],
            [here.clone(), at(server, &to("Patient/p"))],
            [
                here.clone(),
                json!({"resource": to(&format!("{absolute}/_history/1"))}),
            ],
        ] {
            assert_eq!(goes(&list), mine, "{list:?}");
        }
    }
    assert!(goes(&[here.clone(), json!({"resource": to("Patient/p")})]));
    assert!(!goes(&[here.clone(), at("h.jp", &to("Group/p"))]));
    // A Patient of the same id on another server is somebody else: nobody knows who is asked about.
    assert!(!goes(&[
        here.clone(),
        at("other.jp", &person()),
        at("other.jp", &to("Patient/p"))
    ]));
    for (number, mine) in [
        (json!({"system": "urn:n", "value": "1"}), true),
        (json!({"system": "urn:n", "value": "2"}), false),
        (json!({"value": "4242"}), false),
    ] {
        let both = of(json!({"reference": "Patient/p", "identifier": number}));
        assert_eq!(goes(&[here.clone(), at("h.jp", &both)]), mine, "{number}");
    }
    // Without the Patient the holder's word holds for its own ids alone.
    for (reference, mine) in [
        ("Patient/p", true),
        ("http://h.jp/fhir/Patient/p", true),
        ("http://other.jp/fhir/Patient/p", false),
    ] {
        let out = sent_to(&state, &r, &desk, &[at("h.jp", &to(reference))]);
        assert_eq!(out.contains("MARK"), mine, "{reference}");
    }
}

#[test]
fn what_names_nobody_goes_out_only_where_nobody_else_is_spoken_of() {
    let policy = Policy::reference().unwrap();
    let state = state(&policy, &[]);
    let r = request(&policy);
    let holder = Desk {
        person: Some("p"),
        ..DESK
    };
    let other = json!({"resourceType": "Patient", "id": "q"});
    let of = |key: &str, subject: &Value| {
        let mut c = json!({"resourceType": "Condition", "id": "y"});
        c[key] = subject.clone();
        c
    };
    let theirs = of("subject", &json!({"reference": "Patient/q"}));
    let nobodys = json!({"resourceType": "Condition", "id": "n", "code": {"text": "MARK"}});
    let device =
        json!({"resourceType": "Device", "id": "d", "patient": {"reference": "Patient/q"}});
    let measured = json!({"resourceType": "Observation", "id": "n", "code": {"text": "MARK"},
        "category": [{"coding": [{"code": "vital-signs"}]}], "subject": {"reference": "Device/d"}});
    let visit = |who: &str| {
        json!({"resourceType": "Appointment", "id": "MARK", "status": "booked", "start": "2026-04-01T09:00:00+09:00", "participant": [
            {"actor": {"reference": "Practitioner/dr"}, "status": "accepted"},
            {"actor": {"reference": format!("Patient/{who}")}, "status": "accepted"}]})
    };
    let goes = |desk: &Desk, all: &[Value]| sent_to(&state, &r, desk, all).contains("MARK");
    for desk in [&DESK, &holder] {
        assert!(goes(desk, &[person(), nobodys.clone()]));
        assert!(goes(desk, &[person(), visit("p")]));
        // Nobody is known to be the person.
        assert!(!goes(desk, std::slice::from_ref(&nobodys)));
        // Somebody else is spoken of, in whatever order.
        assert!(!goes(desk, &[person(), nobodys.clone(), theirs.clone()]));
        assert!(!goes(desk, &[theirs.clone(), nobodys.clone(), person()]));
        assert!(!goes(desk, &[person(), device.clone(), measured.clone()]));
        assert!(!goes(desk, &[person(), visit("q")]));
        // What cannot be found is nobody: it is withheld itself, and its deletion shows nothing.
        let lost = of("subject", &json!({"identifier": {"value": "p"}}));
        assert!(goes(desk, &[person(), nobodys.clone(), lost]));
    }
    assert!(!goes(&holder, &[person(), other.clone(), nobodys.clone()]));
    assert!(goes(&holder, &[person(), other, visit("p")]));
}

#[test]
fn what_was_not_told_is_not_told_by_what_stands_beside_it() {
    let policy = Policy::reference().unwrap();
    let state = state(&policy, &[]);
    let hidden = json!({"resourceType": "Condition", "id": "z", "code": {"text": "KREBS"}});
    let mut rx = own(
        "MedicationRequest",
        json!({"medicationCodeableConcept": {"text": "PILLE"},
        "reasonCode": [{"text": "KREBS"}], "note": [{"text": "KREBS"}], "text": {"status": "generated", "div": "<div>KREBS</div>"}}),
    );
    let who = |who: Who, purpose: &str| Request {
        who,
        purpose: policy.purpose(purpose),
        mode: Mode::Normal,
        at: NOW,
    };
    let subject = who(Who::Subject, "PATRQT");
    let clinic = request(&policy);
    let claims = Desk {
        claims: &["MedicationRequest", "Condition"],
        told: Told::No,
        ..DESK
    };
    for r in [&subject, &clinic] {
        let out = sent_to(&state, r, &claims, &[person(), rx.clone()]);
        assert!(out.contains("PILLE") && !out.contains("KREBS"), "{out}");
    }
    rx["contained"] = json!([hidden]);
    for r in [&subject, &clinic] {
        let out = sent_to(&state, r, &claims, &[person(), rx.clone()]);
        assert!(out.contains("PILLE") && !out.contains("KREBS"), "{out}");
    }
    // A flagged Condition contained in an item of the record.
    for (tag, r) in [("UNINFORMED", &subject), ("UNDELIVERED", &clinic)] {
        let mut rx = rx.clone();
        rx["contained"][0]["meta"] = json!({"tag": [{"code": tag}]});
        let out = sent_to(&state, r, &DESK, &[person(), rx]);
        assert!(
            out.contains("PILLE") && !out.contains("KREBS"),
            "{tag} {out}"
        );
    }
    // Withheld for another reason as well, it is still not reported.
    let mut numbered = own("Condition", json!({"code": {"text": "KREBS"}}));
    numbered["id"] = json!("C1318765432");
    for more in [json!({}), json!({"modifierExtension": [{"url": "x"}]})] {
        let mut c = numbered.clone();
        c.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let bundle = json!({"resourceType": "Bundle", "type": "collection",
            "entry": [{"resource": person()}, {"resource": c}]});
        for r in [&subject, &clinic] {
            let done = filter(bundle.to_string().as_bytes(), &state, r, &claims).unwrap();
            assert!(
                done.withheld.iter().all(|w| w.kind != "Condition"),
                "{:?}",
                done.withheld
            );
        }
    }
    // Flagged in whatever place and form.
    for meta in [
        json!({"security": [{"code": "UNINFORMED"}]}),
        json!({"tag": {"code": "uninformed "}}),
    ] {
        let mut c = own("Condition", json!({"code": {"text": "KREBS"}}));
        c["meta"] = meta;
        assert!(!sent_to(&state, &subject, &DESK, &[person(), c]).contains("KREBS"));
    }
    // Where the holder vouches that all was told, the person reads everything.
    let told = Desk {
        all_told: true,
        ..DESK
    };
    assert!(sent_to(&state, &subject, &told, &[person(), rx.clone()]).contains("KREBS"));
    assert!(sent_to(&state, &clinic, &DESK, &[person(), rx.clone()]).contains("KREBS"));
    // It goes to a clinic, but no number that the person is told has it in.
    let mut untold = own("Condition", json!({"code": {"text": "KREBS"}}));
    untold["id"] = json!("untold");
    let pill = own(
        "MedicationRequest",
        json!({"medicationCodeableConcept": {"text": "PILLE"}}),
    );
    let numbers = |untold: &Value| {
        let entries = [person(), untold.clone(), pill.clone()];
        let entries = entries.map(|r| json!({"resource": r}));
        let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": entries});
        let done = filter(bundle.to_string().as_bytes(), &state, &clinic, &DESK).unwrap();
        assert!(String::from_utf8(done.bytes).unwrap().contains("KREBS"));
        (done.items, done.counts.get("inf.condition").copied())
    };
    assert_eq!(numbers(&untold), (2, Some(1)));
    untold["meta"] = json!({"security": [{"code": "UNINFORMED"}]});
    assert_eq!(numbers(&untold), (1, None));
    // A Claim with a diagnosis is a diagnosis.
    let claim = own(
        "Claim",
        json!({"diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": {"text": "KREBS"}}]}),
    );
    let desk = Desk {
        claims: &["Claim"],
        told: Told::Unknown,
        ..DESK
    };
    for r in [&subject, &clinic] {
        assert!(!sent_to(&state, r, &desk, &[person(), claim.clone()]).contains("KREBS"));
    }
}

#[test]
fn the_form_of_an_answer_does_not_hang_on_what_is_withheld() {
    let policy = Policy::reference().unwrap();
    let state = state(&policy, &[]);
    let rx = |more: Value| {
        let mut r = own(
            "MedicationRequest",
            json!({"medicationCodeableConcept": {"text": "PILLE"}, "note": [{"text": "NOTIZ"}]}),
        );
        for (k, v) in more.as_object().unwrap() {
            r[k] = v.clone();
        }
        r
    };
    let scope = policy.category_set(["inf.rx", "demo"].into_iter());
    let proxy = Request {
        who: Who::Proxy {
            scope,
            sixteen: false,
        },
        purpose: policy.purpose("FAMRQT"),
        mode: Mode::Normal,
        at: NOW,
    };
    let clinic = request(&policy);
    let claims = Desk {
        claims: &["Condition"],
        told: Told::No,
        ..DESK
    };
    let hidden = json!({"fullUrl": UUID, "resource": own("Condition", json!({"id": "c", "code": {"text": "KREBS"}}))});
    let task = own("Task", json!({"id": "c"}));
    for (r, item) in [(&proxy, &hidden), (&clinic, &hidden), (&clinic, &task)] {
        for more in [
            json!({}),
            json!({"extension": [{"url": "http://example.jp/x", "valueString": "Condition/c/_history/3"}]}),
            json!({"extension": [{"url": "http://example.jp/x", "valueString": UUID}]}),
            json!({"identifier": [{"value": "Task/c"}]}),
            json!({"extension": [{"url": "http://example.jp/x", "valueUri": "https://h.example.jp/fhir/Condition/c"}]}),
            json!({"supportingInformation": [{"reference": UUID, "display": "KREBS"}, {"reference": "Condition/c"}]}),
        ] {
            let with = sent_to(
                &state,
                r,
                &claims,
                &[person(), rx(more.clone()), item.clone()],
            );
            let without = sent_to(&state, r, &claims, &[person(), rx(more.clone())]);
            assert_eq!(with, without, "{more}");
            assert!(with.contains("PILLE") && !with.contains("KREBS"));
            assert!(!with.contains("NOTIZ"), "{more}");
        }
    }
    // A document in part has no narrative, for proxies either.
    let scope = policy.category_set(["doc.discharge", "demo"].into_iter());
    let proxy = Request {
        who: Who::Proxy {
            scope,
            sixteen: false,
        },
        purpose: policy.purpose("FAMRQT"),
        mode: Mode::Normal,
        at: NOW,
    };
    let composition = |id: &str, code: &str| {
        own(
            "Composition",
            json!({"id": id, "type": {"coding": [{"system": "http://loinc.org", "code": code}]}, "title": id,
        "text": {"status": "generated", "div": "<div>胃全摘術</div>"}, "section": [{"title": "胃全摘術", "text": {"status": "generated", "div": "<div>胃全摘術</div>"}}]}),
        )
    };
    let document = |list: &[Value], r: &Request, s: &State<'_>| {
        let entries: Vec<Value> = list.iter().map(|r| json!({"resource": r})).collect();
        let b = json!({"resourceType": "Bundle", "type": "document", "entry": entries});
        String::from_utf8(filter(b.to_string().as_bytes(), s, r, &DESK).unwrap().bytes).unwrap()
    };
    let out = document(
        &[composition("ENTLASSUNG", "18842-5"), person()],
        &proxy,
        &state,
    );
    assert!(
        out.contains("ENTLASSUNG") && !out.contains("胃全摘術"),
        "{out}"
    );
    // Two Compositions: the categories of both.
    let two = [
        composition("BEFUND", "53576-5"),
        composition("ENTLASSUNG", "18842-5"),
        person(),
    ];
    let some = only(&policy, &["doc.checkup"]);
    assert!(!document(&two, &clinic, &some).contains("ENTLASSUNG"));
    let both = only(&policy, &["doc.checkup", "doc.discharge"]);
    assert!(document(&two, &clinic, &both).contains("ENTLASSUNG"));
}

#[test]
fn no_institution_of_claims_is_left_in_any_form() {
    let policy = Policy::reference().unwrap();
    let state = state(&policy, &[]);
    let local = "urn:x-ssmix2:1318765432:99WRF";
    let org = json!({"display": "精神科病院"});
    let list = [
        json!({"fullUrl": "http://seishin.example.jp/fhir/Patient/p", "resource": {"resourceType": "Patient", "id": "p", "name": [{"text": "架空 花子"}],
            "identifier": [{"system": "urn:oid:1.2.392.100495.20.3.51.11318765432", "value": "1"}], "managingOrganization": org}}),
        json!({"fullUrl": "http://seishin.example.jp/fhir/MedicationRequest/x", "resource": own("MedicationRequest", json!({
            "meta": {"source": "urn:seishin"}, "groupIdentifier": {"system": local, "value": "seishin"},
            "medicationCodeableConcept": {"coding": [{"system": local, "code": "LOKAL"}], "text": "PILLE"},
            "subject": {"reference": "http://seishin.example.jp/fhir/Patient/p"},
            "requester": org, "recorder": {"type": "Practitioner", "identifier": {"value": "seishin"}},
            "dispenseRequest": {"performer": org, "quantity": {"value": 3}},
            "extension": [{"url": "http://example.jp/x", "valueIdentifier": {"value": "seishin"}}, {"url": "http://example.jp/y", "valueString": "精神科病院"}],
            "note": [{"text": "精神科病棟"}]}))}),
        json!({"resource": own("Encounter", json!({"id": "e", "serviceProvider": org, "participant": [{"individual": org}], "location": [{"location": org}], "serviceType": {"text": "精神科"}}))}),
    ];
    let claims = Desk {
        claims: &["Patient", "MedicationRequest", "Encounter"],
        ..DESK
    };
    let out = sent_to(&state, &request(&policy), &claims, &list);
    for gone in ["精神", "seishin", "1318765432", "LOKAL"] {
        assert!(!out.contains(gone), "{gone}: {out}");
    }
    assert!(
        out.contains("PILLE")
            && out.contains(r#""reference":"Patient/p""#)
            && out.contains(r#""value":3"#),
        "{out}"
    );
    // Not in a document either.
    let b = json!({"resourceType": "Bundle", "type": "document", "entry": [
        {"resource": own("Composition", json!({"type": {"coding": [{"system": "http://loinc.org", "code": "18842-5"}]}, "title": "ENTLASSUNG", "author": [org]}))},
        list[0], list[1]]});
    let claims = Desk {
        claims: &["Patient", "Composition", "MedicationRequest"],
        ..DESK
    };
    let out = filter(b.to_string().as_bytes(), &state, &request(&policy), &claims).unwrap();
    let out = String::from_utf8(out.bytes).unwrap();
    assert!(
        out.contains("退院時サマリー") && !out.contains("精神") && !out.contains("seishin"),
        "{out}"
    );
    // What a Composition must have is masked, not left out.
    assert!(out.contains(r#""author":[{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}]"#), "{out}");
}

/// A prohibition of categories for the clinic.
fn prohibition(policy: &Policy, codes: &[&str]) -> Denial {
    Denial {
        jti: "deny".into(),
        aud: vec![CLINIC.into()],
        pur: Bits::one(policy.purpose("TREAT").unwrap().0),
        cat: policy.category_set(codes.iter().copied()).unwrap(),
        nbf: 0,
        exp: None,
        emg: false,
        ended: false,
        status_age: None,
    }
}

#[test]
fn what_is_withheld_for_what_it_is_is_told_by_no_text_even_where_everything_is_granted() {
    let policy = Policy::reference().unwrap();
    let state = state(&policy, &[]);
    let report = json!({"id": "r", "code": {"text": "BEFUND"}, "conclusion": "KREBS",
        "conclusionCode": [{"text": "KREBS"}],
        "presentedForm": [{"contentType": "text/plain", "data": "S1JFQlM="}],
        "category": [{"coding": [{"code": "LAB"}]}]});
    let rx = json!({"id": "m", "medicationCodeableConcept": {"text": "PILLE"},
        "text": {"status": "generated", "div": "<div>KREBS</div>"},
        "reasonCode": [{"text": "KREBS"}], "note": [{"text": "KREBS"}]});
    let hidden = [
        json!({"code": {"text": "KREBS"}, "meta": {"tag": [{"code": "UNDELIVERED"}]}}),
        json!({"code": {"text": "KREBS"}, "modifierExtension": [{"url": "http://example.jp/x", "valueBoolean": true}]}),
    ];
    for hidden in hidden {
        let all = [
            person(),
            own("DiagnosticReport", report.clone()),
            own("MedicationRequest", rx.clone()),
            own("Condition", hidden.clone()),
        ];
        for all_told in [false, true] {
            let desk = Desk { all_told, ..DESK };
            let out = sent_to(&state, &request(&policy), &desk, &all);
            assert!(out.contains("PILLE"), "{out}");
            assert!(!out.contains("KREBS") && !out.contains("S1JFQlM"), "{out}");
            // A holder who says so of such a record is not believed: else the answer is the same without it.
            if !all_told {
                let [person, report, rx, _] = &all;
                let few = [person.clone(), report.clone(), rx.clone()];
                assert_eq!(out, sent_to(&state, &request(&policy), &desk, &few));
            }
        }
    }
}

#[test]
fn a_prohibition_holds_for_what_stands_inside_a_document() {
    let policy = Policy::reference().unwrap();
    let composition = own(
        "Composition",
        json!({"id": "k", "type": {"coding": [{"system": "http://loinc.org", "code": "57133-1"}]}, "title": "BRIEF",
            "section": [{"entry": [{"reference": "Condition/c"}, {"reference": "AllergyIntolerance/a"}]}]}),
    );
    let condition = own("Condition", json!({"id": "c", "code": {"text": "KREBS"}}));
    let allergy = own(
        "AllergyIntolerance",
        json!({"id": "a", "code": {"text": "ERDNUSS"}}),
    );
    let go = |state: &State<'_>| {
        let list = [&composition, &person(), &condition, &allergy].map(|r| json!({"resource": r}));
        let b = json!({"resourceType": "Bundle", "type": "document", "entry": list});
        filter(b.to_string().as_bytes(), state, &request(&policy), &DESK).unwrap()
    };
    let text = |f: &Filtered| String::from_utf8(f.bytes.clone()).unwrap();
    // The referral alone, then with each individual category: derived, then whole.
    let cat = policy.category_set(["doc.referral"].into_iter()).unwrap();
    let mut referral = state(&policy, &[]);
    referral.grants = vec![grant(0, cat)];
    let mut whole = state(&policy, &[]);
    whole.grants.retain(|g| g.cat.within(policy.individual()));
    whole.grants.push(grant(0, cat));
    for (open, is_whole) in [(&referral, false), (&whole, true)] {
        let out = go(open);
        assert!(text(&out).contains("KREBS") && text(&out).contains("ERDNUSS"));
        // The line names what went out, not only the cover it went under.
        for code in ["doc.referral", "inf.condition", "inf.allergy"] {
            assert!(out.cats.iter().any(|c| c == code), "{:?}", out.cats);
        }
        let mut shut = open.clone();
        shut.denials = vec![prohibition(&policy, &["inf.condition"])];
        let out = go(&shut);
        assert!(!text(&out).contains("KREBS"), "{}", text(&out));
        // What is whole or not at all is not at all.
        assert_eq!(text(&out).contains("ERDNUSS"), !is_whole);
        assert!(out.withheld.iter().any(|w| w.why == Why::Prohibited));
        shut.denials = vec![prohibition(&policy, &["inf.infection"])];
        assert_eq!(text(&go(&shut)), text(&go(open)));
    }
}

#[test]
fn a_masked_institution_is_told_by_no_id_text_or_server_name() {
    let policy = Policy::reference().unwrap();
    let state = state(&policy, &[]);
    let desk = Desk {
        claims: &["Organization", "MedicationRequest", "Coverage", "Claim"],
        all_told: true,
        ..DESK
    };
    let org = json!({"resourceType": "Organization", "id": "org", "name": "架空の泉病院",
        "identifier": [{"value": "1318765432"}]});
    let rx = own(
        "MedicationRequest",
        json!({"id": "m", "requester": {"reference": "Organization/org"},
            "meta": {"profile": ["http://jpfhir.jp/fhir/core/StructureDefinition/JP_MedicationRequest", "https://izumi.example.jp/fhir/P"]},
            "medicationCodeableConcept": {"text": "PILLE", "coding": [{"system": "https://izumi.example.jp/drugs", "code": "LOKAL1"}]},
            "dosageInstruction": [{"text": "架空の泉病院の指示どおり"}, {"text": "毎食後"}]}),
    );
    let other = own(
        "MedicationRequest",
        json!({"id": "1318765432-2", "medicationCodeableConcept": {"text": "ANDERE"}}),
    );
    let out = sent_to(
        &state,
        &request(&policy),
        &desk,
        &[person(), org, rx, other],
    );
    assert!(
        out.contains("PILLE") && out.contains("JP_MedicationRequest"),
        "{out}"
    );
    for gone in ["1318765432", "架空の泉病院", "izumi", "ANDERE"] {
        assert!(!out.contains(gone), "{gone}: {out}");
    }
}

#[test]
fn where_a_label_is_left_out_the_department_does_not_tell_it() {
    let policy = Policy::reference().unwrap();
    let mut state = state(&policy, &[]);
    let resources = [
        person(),
        json!({"resourceType": "Organization", "id": "d", "name": "架空こころの病院 精神科"}),
        own(
            "Observation",
            json!({"id": "o", "category": [{"coding": [{"code": "laboratory"}]}],
                "performer": [{"reference": "Organization/d", "display": "精神科"}],
                "code": {"coding": [{"system": "urn:oid:1.2.392.200119.4.504", "code": "3A010000002327101", "display": "WERT"}]}}),
        ),
    ];
    let psychiatry = |state: &State<'_>| {
        let out = sent(state, &resources);
        (out.contains("WERT"), out.contains("精神科"))
    };
    assert_eq!(psychiatry(&state), (true, true));
    for g in &mut state.grants {
        g.annex.lbl = vec!["PSY".into()];
    }
    assert_eq!(psychiatry(&state), (true, false));
}

#[test]
fn what_goes_out_without_names_only_does_not_go_out_here() {
    let mut policy: Value = serde_json::from_str(REFERENCE).unwrap();
    policy["certified"] = json!([{"to": CLINIC, "pur": ["ANON"]}]);
    let policy = Policy::read(policy.to_string().as_bytes()).unwrap();
    let mut state = state(&policy, &[]);
    state.notices = vec![Notice {
        src: SOURCE.into(),
        at: 0,
    }];
    let r = Request {
        purpose: policy.purpose("ANON"),
        ..request(&policy)
    };
    let lab = own("Condition", json!({"code": {"text": "KREBS"}}));
    let list = [person(), lab].map(|r| json!({"resource": r}));
    let b = json!({"resourceType": "Bundle", "type": "collection", "entry": list}).to_string();
    let go = |state: &State<'_>| filter(b.as_bytes(), state, &r, &DESK);
    assert_eq!(go(&state), Err(FilterError::Names));
    state.notices.clear();
    assert!(
        !String::from_utf8(go(&state).unwrap().bytes)
            .unwrap()
            .contains("entry")
    );
}

#[test]
fn the_answer_says_what_it_rests_on() {
    let policy = Policy::reference().unwrap();
    let mut state = state(&policy, &[]);
    state.grants = vec![grant(
        0,
        policy.category_set(["inf.rx"].into_iter()).unwrap(),
    )];
    let mut r = request(&policy);
    r.mode = Mode::BreakGlass {
        valid: true,
        facility: true,
        role: "doctor".into(),
    };
    let list = [
        person(),
        own(
            "MedicationRequest",
            json!({"medicationCodeableConcept": {"text": "PILLE"}}),
        ),
        own("Condition", json!({"code": {"text": "KREBS"}})),
    ]
    .map(|r| json!({"resource": r}));
    let b = json!({"resourceType": "Bundle", "type": "collection", "entry": list}).to_string();
    let out = filter(b.as_bytes(), &state, &r, &DESK).unwrap();
    assert!(String::from_utf8(out.bytes).unwrap().contains("KREBS"));
    assert_eq!(out.bases, ["EMERGENCY", "GRANT"]);
}

#[test]
fn an_operation_is_one_wherever_its_code_stands() {
    let policy = Policy::reference().unwrap();
    let code = json!([{"system": "http://jpfhir.jp/fhir/core/CodeSystem/JP_ProcedureCodesMedical_CS", "code": "150000110"}]);
    let surgery = json!({"coding": code, "text": "OPERATION"});
    for resource in [
        own("ImagingStudy", json!({"procedureCode": [surgery]})),
        own(
            "CarePlan",
            json!({"activity": [{"detail": {"code": surgery}}]}),
        ),
        own(
            "QuestionnaireResponse",
            json!({"item": [{"answer": [{"valueCoding": code[0]}]}]}),
        ),
        own("Specimen", json!({"collection": {"method": surgery}})),
        own("Encounter", json!({"reasonCode": [surgery]})),
    ] {
        let kind = resource["resourceType"].as_str().unwrap().to_owned();
        let b = json!({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource}]});
        let cats = categories_of(b.to_string().as_bytes(), &policy).unwrap();
        let is_surgery = cats
            .iter()
            .all(|(_, c)| c.iter().any(|c| c == "prc.surgery"));
        assert!(is_surgery && cats.len() == 1, "{kind}: {cats:?}");
        // 9 is 手術.
        let out = String::from_utf8(run(&policy, &b, &[9]).bytes).unwrap();
        assert!(
            !out.contains("150000110") && !out.contains("OPERATION"),
            "{out}"
        );
    }
}

/// Neither ids, references, counts nor the form of the answer tell that a document was withheld: without it
/// in the store the answer has the same bytes.
#[test]
fn a_withheld_document_tells_nothing_of_itself() {
    let policy = Policy::reference().unwrap();
    let shut = usize::from(policy.category("doc.discharge").unwrap().0);
    let document = |id: &str, code: &str, more: Value| {
        let mut r = own("DocumentReference", more);
        r["id"] = id.into();
        r["type"] = json!({"coding": [{"system": "http://loinc.org", "code": code}]});
        r["content"] = json!([{"attachment": {"url": format!("Binary/{id}-pdf"), "contentType": "application/pdf"}}]);
        r
    };
    let binary = |id: &str| json!({"resourceType": "Binary", "id": format!("{id}-pdf"), "contentType": "application/pdf", "data": "QUJD"});
    let hidden = |kept: &Value| -> bool {
        let text = kept["resource"].to_string();
        text.contains("\"id\":\"gone") && !text.contains("\"id\":\"kept")
    };
    let resources = [
        person(),
        document(
            "kept",
            "57133-1",
            json!({"relatesTo": [{"code": "appends", "target": {"reference": "DocumentReference/gone"}}],
                "context": {"related": [{"reference": "DocumentReference/gone"}], "encounter": [{"reference": "Encounter/kept-e"}]}}),
        ),
        binary("kept"),
        document("gone", "18842-5", json!({"description": "退院時サマリー"})),
        binary("gone"),
        own(
            "Encounter",
            json!({"id": "kept-e", "extension": [{"url": "http://example.jp/x", "valueReference": {"reference": "Binary/gone-pdf"}}]}),
        ),
        own(
            "Composition",
            json!({"id": "kept-c", "title": "BRIEF", "type": {"coding": [{"system": "http://loinc.org", "code": "57133-1"}]},
                "relatesTo": [{"code": "appends", "targetReference": {"reference": "DocumentReference/gone"}}],
                "section": [{"title": "退院", "entry": [{"reference": "DocumentReference/gone"}]}]}),
        ),
        json!({"resourceType": "Provenance", "id": "gone-v", "target": [{"reference": "DocumentReference/gone"}], "recorded": "2026-01-01T00:00:00Z"}),
    ];
    let entries: Vec<Value> = resources
        .iter()
        .map(|r| {
            let at = format!("{}/{}", r["resourceType"].as_str().unwrap(), r["id"].as_str().unwrap());
            json!({"fullUrl": format!("https://fhir.example.jp/{at}"), "resource": r, "search": {"mode": "match"}})
        })
        .collect();
    for form in ["searchset", "collection", "history"] {
        for all_told in [false, true] {
            let holder = Desk { all_told, ..DESK };
            let send = |entries: &[Value]| {
                let bundle = json!({"resourceType": "Bundle", "id": "b", "type": form, "total": entries.len(),
                    "timestamp": "2026-01-01T00:00:00Z",
                    "link": [{"relation": "next", "url": "https://fhir.example.jp/?page=2"}], "entry": entries});
                let state = state(&policy, &[shut]);
                let out = filter(
                    bundle.to_string().as_bytes(),
                    &state,
                    &request(&policy),
                    &holder,
                );
                String::from_utf8(out.unwrap().bytes).unwrap()
            };
            let out = send(&entries);
            let rest: Vec<Value> = entries.iter().filter(|e| !hidden(e)).cloned().collect();
            assert_eq!(rest.len(), entries.len() - 3);
            assert_eq!(out, send(&rest), "{form}");
            assert!(
                out.contains("\"kept-c\"") && out.contains("\"kept\""),
                "{out}"
            );
            for told in [
                "gone",
                "18842-5",
                "退院",
                "total",
                "link",
                "search\"",
                "relatesTo",
                "timestamp",
            ] {
                assert!(!out.contains(told), "{told}: {out}");
            }
            // A document alone that is withheld is as none.
            let alone: Vec<Value> = entries.iter().filter(|e| hidden(e)).cloned().collect();
            assert_eq!(send(&alone), send(&[]));
        }
    }
}

/// A code that does not show that a result is of no infection may be one of an infection.
#[test]
fn an_unspecific_laboratory_code_may_be_an_infection() {
    let policy = Policy::reference().unwrap();
    let shut = usize::from(policy.category("inf.infection").unwrap().0);
    let category = json!([{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}]);
    let result = |kind: &str, coding: Value| {
        let mut r = own(kind, json!({"category": category, "valueString": "MARK"}));
        r["code"] = json!({"coding": coding, "text": "MARK"});
        r
    };
    let jlac = |code: &str| json!([{"system": "urn:oid:1.2.392.200119.4.504", "code": code}]);
    let local = json!([{"system": "urn:x-local", "code": "L1", "display": "MARK"}]);
    let loinc = |code: &str| json!([{"system": "http://loinc.org", "code": code}]);
    let ours = |code: &str| json!([{"system": "http://jpfhir.jp/fhir/core/CodeSystem/JP_DocumentCodes_CS", "code": code}]);
    for (kind, coding, goes) in [
        ("Observation", jlac("3D010000001926101"), true),
        ("Observation", jlac("2A020000001930101"), true),
        ("Observation", jlac("5C070000002306201"), true),
        // Groups of infections, and placeholders.
        ("Observation", jlac("5E065000001502311"), false),
        ("Observation", jlac("5F099000000000000"), false),
        ("Observation", jlac("6B010000006174100"), false),
        ("Observation", jlac("99999999999999999"), false),
        ("Observation", jlac("00000000000000000"), false),
        ("Observation", jlac("5"), false),
        ("Observation", jlac("-"), false),
        // None at all.
        ("Observation", local.clone(), false),
        ("Observation", json!([]), false),
        ("ServiceRequest", local.clone(), false),
        ("DiagnosticReport", local, false),
        ("DiagnosticReport", loinc("18725-2"), false),
        ("DiagnosticReport", loinc("11502-2"), true),
        ("DiagnosticReport", ours("11502-2"), true),
        ("DiagnosticReport", ours("18725-2"), false),
        ("DiagnosticReport", jlac("3D010000001926101"), true),
        ("DiagnosticReport", jlac("99999999999999999"), false),
    ] {
        let r = result(kind, coding);
        let whole = sent(&state(&policy, &[]), &[person(), r.clone()]);
        assert!(whole.contains("MARK"), "{r}");
        let out = sent(&state(&policy, &[shut]), &[person(), r.clone()]);
        assert_eq!(out.contains("\"x\""), goes, "{r}");
    }
}

/// JP Core demands the numbers of a prescription's parts: small numbers, which stay; what is none goes, and so
/// does what counts the diagnoses of a visit.
#[test]
fn of_the_numbers_of_parts_only_numbers_go_out() {
    let policy = Policy::reference().unwrap();
    let state = state(&policy, &[]);
    let rp = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/Medication-RPGroupNumber";
    let place = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/MedicationAdministrationIndex";
    let drug = own(
        "MedicationRequest",
        json!({"identifier": [{"system": rp, "value": "RP3"}, {"system": place, "value": "12345"}, {"system": rp, "value": 3}, {"system": rp},
            {"system": rp, "value": "913"}, {"system": place, "value": "02"}, {"system": "urn:order", "value": "ORDER"}],
            "medicationCodeableConcept": {"text": "PILLE"}}),
    );
    let visit = own(
        "Encounter",
        json!({"id": "e", "diagnosis": [{"condition": {"reference": "Condition/c"}, "rank": 77}]}),
    );
    let condition = own("Condition", json!({"id": "c", "code": {"text": "Flu"}}));
    let list = [person(), drug, visit, condition];
    let out = sent_to(&state, &request(&policy), &DESK, &list);
    assert!(
        out.contains("PILLE") && out.contains("ORDER") && out.contains("Condition/c"),
        "{out}"
    );
    let number =
        |system: &str, value: &str| format!(r#"{{"system":"{system}","value":"{value}"}}"#);
    assert!(
        out.contains(&number(rp, "913")) && out.contains(&number(place, "02")),
        "{out}"
    );
    assert_eq!(out.matches(rp).count(), 1, "{out}");
    for told in ["RP3", "12345", "rank", "77"] {
        assert!(!out.contains(told), "{told}: {out}");
    }
    // Where nothing can be withheld they stay.
    let holder = Desk {
        all_told: true,
        ..DESK
    };
    let out = sent_to(&state, &request(&policy), &holder, &list);
    assert!(
        out.contains("RP3") && out.contains("12345") && out.contains("\"rank\":77"),
        "{out}"
    );
}

#[test]
fn what_nobody_judged_beside_a_harmless_code_is_an_operation() {
    let policy = Policy::reference().unwrap();
    let harmless = (MASTER, "140000610");
    let concept = |codes: &[(&str, &str)]| {
        let list: Vec<Value> = codes
            .iter()
            .map(|(s, c)| json!({"system": s, "code": c, "display": "MARK"}))
            .collect();
        json!({"coding": list})
    };
    let of = |code: &Value| {
        [
            own("Procedure", json!({"code": code})),
            own("ServiceRequest", json!({"code": code})),
            own(
                "ServiceRequest",
                json!({"code": code, "category": [{"coding": [{"code": "71388002"}]}]}),
            ),
            own("Claim", json!({"item": [{"productOrService": code}]})),
            own(
                "Claim",
                json!({"item": [{"productOrService": concept(&[harmless])}, {"productOrService": code}]}),
            ),
        ]
    };
    let go = |cats: &[&str], resource: &Value| {
        sent(&only(&policy, cats), &[person(), resource.clone()]).contains("MARK")
    };
    let k = "urn:oid:1.2.392.200119.4.1000";
    for beside in [
        ("urn:local", "K657"),
        ("http://snomed.info/sct", "53442002"),
        (k, "K657-2"),
        ("", "1"),
    ] {
        for resource in of(&concept(&[harmless, beside])) {
            assert!(!go(&["vis.history"], &resource), "{resource}");
            assert!(go(&["vis.history", "prc.surgery"], &resource), "{resource}");
        }
    }
    for resource in of(&concept(&[harmless])) {
        let orders = resource["category"].is_array();
        assert!(orders || go(&["vis.history"], &resource), "{resource}");
    }
    for alone in [
        json!({"text": "MARK"}),
        concept(&[("urn:local", "K657")]),
        json!({}),
    ] {
        let claim = own(
            "Claim",
            json!({"created": "2026-01-05", "item": [{"productOrService": alone}]}),
        );
        let out = sent(&only(&policy, &["vis.history"]), &[person(), claim.clone()]);
        assert!(!out.contains("Claim"), "{claim}");
    }
    // What a claim says of medicines is judged.
    let medicine = concept(&[("urn:oid:1.2.392.100495.20.1.73", "2149001F1")]);
    let claim = own("Claim", json!({"item": [{"productOrService": medicine}]}));
    assert!(go(&["vis.history"], &claim));
    // A number of the fee schedule is an operation, a transplant or dialysis wherever it stands.
    for (code, cat) in [
        ("K657-2", "prc.surgery"),
        ("K780", "prc.transplant"),
        ("J038", "prc.dialysis"),
    ] {
        let procedure = own("Procedure", json!({"code": concept(&[(k, code)])}));
        assert!(
            go(&[cat], &procedure) && !go(&["vis.history"], &procedure),
            "{code}"
        );
    }
    let plan = own(
        "CarePlan",
        json!({"activity": [{"detail": {"status": "completed", "code": concept(&[(k, "K657")])}}]}),
    );
    assert!(go(&["care", "prc.surgery"], &plan) && !go(&["care"], &plan));
    // No number of an operation leaves with a discharge summary.
    let doc = json!({"resourceType": "Bundle", "type": "document", "entry": [
        {"resource": {"resourceType": "Composition", "id": "c", "subject": {"reference": "Patient/p"}, "type": {"coding": [{"system": "http://loinc.org", "code": "18842-5"}]},
            "section": [{"entry": [{"reference": "Procedure/x"}]}]}},
        {"resource": person()},
        {"resource": own("Procedure", json!({"code": concept(&[harmless, ("urn:local", "K657")])}))},
    ]});
    let out = filter(
        doc.to_string().as_bytes(),
        &only(&policy, &["doc.discharge", "demo"]),
        &request(&policy),
        &Holder(Origin::Ehr, Told::Yes),
    )
    .unwrap();
    let out = String::from_utf8(out.bytes).unwrap();
    assert!(
        out.contains("Composition") && !out.contains("K657"),
        "{out}"
    );
}

#[test]
fn labels_hold_what_their_words_promise() {
    let policy = Policy::reference().unwrap();
    let go = |label: &str, resource: Value| {
        let mut state = only(
            &policy,
            &[
                "inf.condition",
                "inf.rx",
                "inf.lab",
                "inf.infection",
                "vis.history",
            ],
        );
        for g in &mut state.grants {
            g.annex.lbl.push(label.into());
        }
        sent(&state, &[person(), resource]).contains("\"x\"")
    };
    let yj = "urn:oid:1.2.392.100495.20.1.73";
    let department = "http://jami.jp/SS-MIX2/CodeSystem/ClinicalDepartment";
    let infection =
        "http://jpfhir.jp/fhir/clins/CodeSystem/JLAC10/JP_CLINS_ObsLabResult_InfectionLabo_CS";
    let of = |system: &str, code: &str| {
        let concept = json!({"coding": [{"system": system, "code": code}]});
        if system == yj {
            own(
                "MedicationRequest",
                json!({"medicationCodeableConcept": concept}),
            )
        } else if system == department {
            own("Encounter", json!({"serviceType": concept}))
        } else if system == ICD {
            own("Condition", json!({"code": concept}))
        } else {
            own(
                "Observation",
                json!({"code": concept, "category": [{"coding": [{"code": "laboratory"}]}]}),
            )
        }
    };
    for (label, system, codes) in [
        ("HIV", ICD, "F02.4 O98.7 Z71.7 B24 R75"),
        ("ETH", ICD, "K70.3 G31.2 K86.0 Z86.4 I42.6 X65 T51.0 F10.2"),
        ("PSY", ICD, "Z86.5 Z91.5 Z50.4 Z54.3 Z03.2 O99.3 F20.0"),
        ("STD", ICD, "I98.0 N74.2 K67.1 Z22.4 A54.9 O98.1"),
        ("PREGNANT", ICD, "O80 Z34.9 Z87.5"),
        ("SDV", ICD, "T74.2 Z04.4 Z62.4"),
        // Titles of ICD-10 that say hereditary, familial or a disease of the genes.
        (
            "GDIS",
            ICD,
            "D55.0 D56.1 D57.1 D58.0 D61.0 D64.0 D64.4 D68.2 D72.0 D75.0 D84.1 E25.0 E73.0 E80.0 E80.5 G10 G12.1 G23.0 G24.1 \
             G60.0 G72.3 G90.1 H18.5 H31.2 H35.5 I78.0 K00.5 M11.1 N07.9 O35.2 Q61.2 Q78.0 Q79.6 Q90.9 Z31.5 Z80.3",
        ),
        // What comes before a birth that there is not.
        (
            "SEX",
            ICD,
            "O00.1 O03.9 O04.9 O05.9 O08.1 N96 Z30.0 Z31.1 Z92.0 T38.4",
        ),
        ("ETH", ICD, "F55 T52.0 T65.2 Z71.6 X66"),
        ("PSY", ICD, "Z72.6 Z73.3 X84 T14.91 G21.0 Y49.3"),
        ("ETH", yj, "3932001S1041 3939002X1030 1190021F1025"),
        ("PSY", yj, "1179009G1022 1124009F1"),
        ("PSY", department, "02 021 022 03 33"),
        ("STD", department, "21"),
        ("PREGNANT", department, "23 24"),
        ("SEX", department, "23 25"),
        (
            "HIV",
            JLAC,
            "5F5000000023272 5F5100000023272 5F5450000023272 5F5700000023272",
        ),
        ("HIV", infection, "HIV-1-QUANT HIV-2-AB-RESULT"),
        ("STD", infection, "STS-QLRESULT TP-RESULT"),
        // What no list has is not judged, whatever is left out.
        ("GDIS", ICD, "HIV 1"),
        ("GDIS", infection, "HBS-AG NEW"),
        ("GDIS", department, "99 01Z"),
        ("GDIS", yj, "6 HIV"),
        ("GDIS", JLAC, "NEW"),
    ] {
        for code in codes.split(' ') {
            assert!(!go(label, of(system, code)), "{label} {code}");
        }
    }
    for (system, codes) in [
        (ICD, "I10 K70 K29.5 Z00.0 C50.0 D50.0 H18.4 N05"),
        (department, "01 04 05 06 08 13 01A"),
        (yj, "2149001F1"),
        (JLAC, "3B0350000023272"),
        (infection, "5F016141002302311"),
    ] {
        for code in codes.split(' ') {
            assert!(go("GDIS", of(system, code)), "{code}");
        }
    }
    // An injury of which nothing is known is not one of one's own hand.
    assert!(go("PSY", of(ICD, "T14.9")));
    for code in ["04", "05", "06", "13"] {
        assert!(
            go("PSY", of(department, code)) && go("SEX", of(department, code)),
            "{code}"
        );
    }
}

#[test]
fn a_disease_in_a_published_code_does_not_describe_an_item() {
    let policy = Policy::reference().unwrap();
    let leak = json!({"coding": [
        {"system": "http://snomed.info/sct", "code": "86406008", "display": "LEAK"},
        {"system": "http://snomed.info/sct", "code": "53442002"},
        {"system": "http://loinc.org", "code": "75622-1"},
        {"system": "http://www.whocc.no/atc", "code": "J05AR10"},
        {"system": "urn:oid:2.16.840.1.113883.6.96", "code": "86406008"},
        {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "HIV"},
        {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "111297"},
        {"system": "http://medis.or.jp/CodeSystem/master-JLAC10-17digits", "code": "5F5000000023272"},
    ]});
    let with = |kind: &str, more: Value| own(kind, more);
    let jlac = json!({"coding": [{"system": JLAC, "code": "3B0350000"}]});
    let resources = [
        with(
            "MedicationRequest",
            json!({"id": "m", "medicationCodeableConcept": {"text": "MEDICINE"}, "category": [leak], "courseOfTherapyType": leak, "performerType": leak,
            "substitution": {"allowedCodeableConcept": leak},
            "dosageInstruction": [{"text": "DOSAGE", "additionalInstruction": [leak], "asNeededCodeableConcept": leak, "site": leak, "route": leak, "method": leak,
                "timing": {"code": leak}}]}),
        ),
        with(
            "Encounter",
            json!({"id": "e", "class": leak["coding"][0], "priority": leak, "participant": [{"type": [leak]}],
                "classHistory": [{"class": leak["coding"][5], "period": {"start": "2026-01-01", "end": "2026-01-02"}}]}),
        ),
        with(
            "Observation",
            json!({"id": "o", "category": [{"coding": [{"code": "laboratory"}]}], "code": jlac, "interpretation": [leak], "bodySite": leak, "method": {"coding": [leak["coding"][2], leak["coding"][3]]},
                "referenceRange": [{"text": "RANGE", "type": leak, "appliesTo": [leak]}]}),
        ),
        with(
            "Condition",
            json!({"id": "c", "code": {"coding": [{"system": ICD, "code": "I10"}], "text": "DISEASE"}, "severity": leak, "bodySite": [leak], "verificationStatus": {"coding": [leak["coding"][0], {"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "confirmed"}], "text": "LEAK"}}),
        ),
        with(
            "ImagingStudy",
            json!({"id": "i", "modality": [leak["coding"][0], {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}], "procedureCode": [{"text": "STUDY"}]}),
        ),
        with(
            "CarePlan",
            json!({"id": "k", "category": [leak], "activity": [{"detail": {"status": "completed", "code": {"text": "ACTIVITY"}}}]}),
        ),
        person(),
    ];
    let state = only(
        &policy,
        &[
            "inf.rx",
            "vis.history",
            "inf.lab",
            "inf.condition",
            "img",
            "care",
            "demo",
        ],
    );
    let out = sent(&state, &resources);
    for gone in [
        "LEAK", "86406008", "53442002", "75622-1", "J05AR10", "HIV", "111297", "5F500",
    ] {
        assert!(!out.contains(gone), "{gone}: {out}");
    }
    for stays in [
        "MEDICINE", "DOSAGE", "RANGE", "DISEASE", "STUDY", "ACTIVITY", "\"CT\"",
    ] {
        assert!(out.contains(stays), "{stays}: {out}");
    }
    // Where it is the item's own content, it needs what it may say.
    for resource in [
        with(
            "CarePlan",
            json!({"activity": [{"detail": {"status": "completed", "code": leak}}]}),
        ),
        with("ImagingStudy", json!({"procedureCode": [leak]})),
        with(
            "Goal",
            json!({"lifecycleStatus": "active", "description": leak}),
        ),
    ] {
        assert!(
            !sent(&state, &[person(), resource.clone()]).contains("86406008"),
            "{resource}"
        );
        let every: Vec<&str> = policy
            .categories()
            .iter()
            .map(|c| c.code.as_str())
            .collect();
        assert!(sent(&only(&policy, &every), &[person(), resource]).contains("86406008"));
    }
}

/// A document that goes out whole is the one that was signed, to the recipient who takes the Provenance off;
/// with a summary on top it is not, and has no signature.
#[test]
fn a_whole_document_keeps_its_bytes_and_its_signature_or_has_none() {
    let policy = Policy::reference().unwrap();
    let document = json!({"resourceType": "Bundle", "type": "document", "identifier": {"system": "urn:x", "value": "1"},
        "timestamp": "2026-01-05T00:00:00Z", "entry": [
        {"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001", "resource": own("Composition", json!({"id": "k",
            "type": {"coding": [{"system": "http://loinc.org", "code": "57133-1"}]}, "title": "BRIEF", "section": [{"text": {"status": "generated", "div": "<div>TELLS</div>"}, "entry": [{"reference": "Condition/c"}]}]}))},
        {"resource": person()},
        {"resource": own("Condition", json!({"id": "c", "code": {"text": "KREBS"}}))},
    ], "signature": {"type": [{"code": "1"}], "when": "2026-01-05T00:00:00Z", "who": {"display": "SIGNER"}, "data": "U0lHTkVE"}});
    let document = serde_json::to_vec_pretty(&document).unwrap();
    let mut whole = state(&policy, &[]);
    whole.grants.retain(|g| g.cat.within(policy.individual()));
    let referral = policy.category_set(["doc.referral"].into_iter()).unwrap();
    whole.grants.push(grant(0, referral));
    for g in &mut whole.grants {
        g.obl = vec!["NORDSCLCD".into()];
    }
    let out = filter(&document, &whole, &request(&policy), &DESK).unwrap();
    assert!(!out.obligations.is_empty());
    assert_eq!(out.bytes, document);
    let marked = warifu_consent::mark(&out, &policy);
    assert_eq!(marked, document);
    let hash = b64::encode(&[1; 32]);
    let told = Disclosure {
        at: NOW,
        server: "mi:1319999999",
        recipient: CLINIC,
        grants: std::slice::from_ref(&hash),
        policy: &policy.hash,
        log: "https://log.example.jp/l",
        leaf: &hash,
        index: None,
        obligations: &out.obligations,
    };
    let key = SecretKey::from_seed(&mut [6; 32]);
    let draft = told.draft(&marked, &key.public()).unwrap();
    let signature = key.sign(draft.signing_input()).unwrap();
    let token = draft.finish(&signature).unwrap();
    let sent = told.with_provenance(&marked, &token).unwrap();
    let json: Value = serde_json::from_slice(&sent).unwrap();
    let provenance = json["entry"].as_array().unwrap().last().unwrap();
    let marks = provenance["resource"]["meta"]["security"]
        .as_array()
        .unwrap();
    let marks: Vec<&str> = marks.iter().map(|m| m["code"].as_str().unwrap()).collect();
    assert_eq!(marks, out.obligations);
    let (before, found) = without_provenance(&sent).unwrap();
    assert_eq!((before, found), (document.clone(), token));

    let purpose = policy.purpose("ETREAT");
    for g in &mut whole.grants {
        g.pur = g.pur.with(Bits::one(purpose.unwrap().0));
    }
    let emergency = Request {
        purpose,
        mode: Mode::BreakGlass {
            valid: true,
            facility: true,
            role: "doctor".into(),
        },
        ..request(&policy)
    };
    let out = filter(&document, &whole, &emergency, &DESK).unwrap();
    let summed = emergency_bundle(
        &warifu_consent::mark(&out, &policy),
        &policy,
        "mi:1319999999",
        NOW,
    )
    .unwrap();
    let text = String::from_utf8(summed).unwrap();
    assert!(text.contains("KREBS") && text.contains("TELLS"), "{text}");
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["type"], "collection");
    assert!(json["signature"].is_null() && json["identifier"].is_null());
    let codes = json["entry"][1]["resource"]["meta"]["security"].to_string();
    assert!(codes.contains("NORDSCLCD"), "{text}");
}

/// A usage, a route, a method and what a specimen is say nothing of what somebody has: a code of them that no list
/// knows goes by itself, and the item stays.
#[test]
fn what_only_describes_an_item_is_not_judged_beside_a_label() {
    let policy = Policy::reference().unwrap();
    let mut state = state(&policy, &[]);
    for g in &mut state.grants {
        g.annex.lbl.push("PSY".into());
    }
    let local = json!({"coding": [{"system": "urn:local", "code": "LOCALE", "display": "LOCALE"}], "text": "WORTE"});
    let jami = json!({"coding": [
        {"system": "http://jami.jp/CodeSystem/MedicationUsage", "code": "1013044400000000", "display": "DREIMAL"},
        {"system": "urn:local", "code": "LOCALE"}], "text": "WORTE"});
    let yj = "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code";
    let rx = |usage: &Value, medicine: &str| {
        own(
            "MedicationRequest",
            json!({"medicationCodeableConcept": {"coding": [{"system": yj, "code": medicine, "display": "PILLE"}]},
                "dosageInstruction": [{"text": "GEBRAUCH", "timing": {"code": usage}, "route": local, "method": local, "site": local}]}),
        )
    };
    let go = |resource: Value| sent(&state, &[person(), resource]);
    for usage in [&local, &jami] {
        let out = go(rx(usage, "2149001F1"));
        assert!(out.contains("PILLE") && out.contains("GEBRAUCH"), "{out}");
        assert_eq!(out.contains("1013044400000000"), usage == &jami, "{out}");
        let code = out.split("\"timing\"").nth(1).unwrap_or_default();
        let code = code.split("\"route\"").next().unwrap_or_default();
        assert!(!code.contains("LOCALE"), "{code}");
        assert!(!go(rx(usage, "1179009G1")).contains("PILLE"));
    }
    let jlac = json!({"coding": [{"system": JLAC, "code": "3B0350000"}]});
    let snomed = json!({"coding": [{"system": "http://snomed.info/sct", "code": "119297000"}]});
    let out = go(own(
        "Observation",
        json!({"code": jlac, "category": [{"coding": [{"code": "laboratory"}]}], "method": local, "interpretation": [local],
            "specimen": {"reference": "#s"}, "contained": [{"resourceType": "Specimen", "id": "s", "type": snomed}]}),
    ));
    assert!(
        out.contains("3B0350000") && out.contains("119297000"),
        "{out}"
    );
    // What an allergy is to, and what a report is of.
    let allergen = |code: &str| {
        let system = "http://jpfhir.jp/fhir/core/CodeSystem/JP_JfagyMedicationAllergen_CS";
        own(
            "AllergyIntolerance",
            json!({"code": {"coding": [{"system": system, "code": code}]}}),
        )
    };
    assert!(go(allergen("YCM2260701F1271")).contains("YCM2260701F1271"));
    assert!(!go(allergen("YCM1179009G1022")).contains("AllergyIntolerance"));
    assert!(!go(allergen("HIV")).contains("AllergyIntolerance"));
    // A role is no statement, a part of a result is one.
    let role = json!({"resourceType": "PractitionerRole", "id": "r", "code": [local]});
    let mut seen = own(
        "Observation",
        json!({"code": jlac, "category": [{"coding": [{"code": "laboratory"}]}], "contained": [role],
        "performer": [{"reference": "#r"}]}),
    );
    assert!(go(seen.clone()).contains("3B0350000"));
    seen["component"] = json!([{"code": local}]);
    assert!(!go(seen).contains("3B0350000"));
}

/// What is contained and named by what is cut alone goes with it, and what only that named; R4 demands it.
#[test]
fn nothing_contained_is_left_without_what_named_it() {
    let policy = Policy::reference().unwrap();
    let state = state(&policy, &[]);
    let jlac = json!({"coding": [{"system": JLAC, "code": "3B0350000"}]});
    let part = |id: &str, more: Value| {
        let mut r = own(
            "Observation",
            json!({"id": id, "code": jlac, "category": [{"coding": [{"code": "laboratory"}]}]}),
        );
        r.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        r
    };
    let resource = part(
        "o",
        json!({
        "hasMember": [{"reference": "#a"}],
        "extension": [{"url": "urn:x", "valueReference": {"reference": "#b"}}],
        "contained": [part("a", json!({})), part("b", json!({"hasMember": [{"reference": "#c"}]})), part("c", json!({})),
            part("d", json!({"derivedFrom": [{"reference": "#"}]})), part("e", json!({}))]}),
    );
    let out = sent_to(&state, &request(&policy), &DESK, &[person(), resource]);
    let here = |id: &str| out.contains(&format!("\"id\":\"{id}\""));
    assert!(here("a") && !here("b") && !here("c") && here("d"), "{out}");
    // What nothing named from the first stays: it was so.
    assert!(here("e"), "{out}");
}

/// What FHIR demands and what loses all that it had is masked, or gone with what it stands in.
#[test]
fn what_fhir_demands_is_there_or_masked() {
    let policy = Policy::reference().unwrap();
    let state = state(&policy, &[]);
    let of = |manifestation: Value| {
        let r = own(
            "AllergyIntolerance",
            json!({"code": {"text": "PILLE"},
            "reaction": [{"severity": "mild", "manifestation": manifestation}]}),
        );
        sent_to(&state, &request(&policy), &DESK, &[person(), r])
    };
    let url = "http://hl7.org/fhir/StructureDefinition/iso21090-nullFlavor";
    let out = of(json!([{"extension": [{"url": url, "valueCode": "NI"}]}]));
    assert!(out.contains(r#""valueCode":"NI""#), "{out}");
    let out = of(json!([{"extension": [{"url": "urn:other", "valueCode": "NI"}]}]));
    assert!(out.contains("PILLE") && !out.contains("reaction"), "{out}");
    let out =
        of(json!([{"extension": [{"url": "urn:other", "valueCode": "NI"}]}, {"text": "JUCKEN"}]));
    assert!(out.contains("JUCKEN") && out.contains("mild"), "{out}");
    let nothing = json!({"extension": [{"url": "urn:other", "valueCode": "NI"}]});
    let r = own(
        "MedicationRequest",
        json!({"medicationCodeableConcept": nothing}),
    );
    let out = sent_to(&state, &request(&policy), &DESK, &[person(), r]);
    assert!(out.contains(r#""medicationCodeableConcept":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}"#), "{out}");
}

/// An obligation that HL7 has no code for is no ActCode.
#[test]
fn obligations_stand_under_the_system_that_has_them() {
    let policy = Policy::reference().unwrap();
    let mut state = state(&policy, &[]);
    state.grants.clear();
    let mut r = request(&policy);
    r.mode = Mode::BreakGlass {
        valid: true,
        facility: true,
        role: "doctor".into(),
    };
    let list = [
        person(),
        own("Condition", json!({"code": {"text": "KREBS"}})),
    ]
    .map(|r| json!({"resource": r}));
    let b = json!({"resourceType": "Bundle", "type": "collection", "entry": list}).to_string();
    let out = filter(b.as_bytes(), &state, &r, &DESK).unwrap();
    let out: Value = serde_json::from_slice(&out.bytes).unwrap();
    let marks: Vec<(&str, &str)> = out["meta"]["security"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| (m["code"].as_str().unwrap(), m["system"].as_str().unwrap()))
        .collect();
    let act = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
    let own = "urn:warifu:consent:obligation";
    assert_eq!(
        marks,
        [
            ("NORDSCLCD", act),
            ("NOPERSISTP", act),
            ("NOTIFY", own),
            ("REVIEW", own)
        ]
        .map(|m| m)
        .into_iter()
        .collect::<std::collections::BTreeMap<_, _>>()
        .into_iter()
        .collect::<Vec<_>>()
    );
}

/// JP-CLINS names the person by the number of the insurance: the Patient that has it is meant.
#[test]
fn a_person_named_by_a_number_is_the_patient_that_has_it() {
    let policy = Policy::reference().unwrap();
    let state = state(&policy, &[]);
    let system = "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID";
    let mut patient = person();
    patient["identifier"] = json!([{"system": system, "value": "1:2"}]);
    let go = |list: &[Value], subject: Value| {
        let rx = json!({"resourceType": "Condition", "id": "c", "subject": subject, "code": {"text": "MARK"}});
        let mut list = list.to_vec();
        list.push(rx);
        sent_to(&state, &request(&policy), &DESK, &list).contains("MARK")
    };
    let by = |system: &str, value: &str| json!({"identifier": {"system": system, "value": value}});
    let here = [patient.clone()];
    assert!(go(&here, by(system, "1:2")));
    // It is named by its address then: without the master data the number stays back.
    let rx = json!({"resourceType": "Condition", "id": "c", "subject": by(system, "1:2"), "code": {"text": "MARK"}});
    let narrow = only(&policy, &["inf.condition"]);
    let out = sent_to(&narrow, &request(&policy), &DESK, &[patient.clone(), rx]);
    assert!(
        out.contains(r#""subject":{"reference":"Patient/p"}"#) && !out.contains("1:2"),
        "{out}"
    );
    for other in [
        by(system, "1:3"),
        by("urn:x", "1:2"),
        json!({"identifier": {"value": "1:2"}}),
        json!({"display": "1:2"}),
    ] {
        assert!(!go(&here, other.clone()), "{other}");
    }
    // Another's number is another's, and a number of two is nobody's.
    let mut twin = patient.clone();
    twin["id"] = json!("q");
    assert!(!go(&[patient, twin], by(system, "1:2")));
}

/// Words that name what is withheld make the item what they say, however they are written and whatever the
/// code beside them says; in names of reports they do not go.
#[test]
fn words_that_name_a_withheld_kind_make_the_item_one() {
    let policy = Policy::reference().unwrap();
    let lab = json!([{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}]);
    let img = json!([{"coding": [{"system": "http://loinc.org", "code": "LP29684-5"}]}]);
    let jlac = |text: &str| json!({"coding": [{"system": JLAC, "code": "3B0350000023272", "display": text}], "text": text});
    let said = |text: &str| json!({"text": text});
    let report = |code: &str, category: &Value, text: &str| {
        let code = json!({"coding": [{"system": "http://loinc.org", "code": code, "display": text}], "text": text});
        own(
            "DiagnosticReport",
            json!({"category": category, "code": code}),
        )
    };
    let every: Vec<&str> = policy
        .categories()
        .iter()
        .map(|c| c.code.as_str())
        .collect();
    let without = |gone: &str, r: &Value| {
        let rest: Vec<&str> = every.iter().copied().filter(|c| *c != gone).collect();
        sent(&only(&policy, &rest), &[person(), r.clone()])
    };
    for (gone, words) in [
        (
            "inf.infection",
            "HIV抗体検査報告 ＨＩＶ－１ hiv 梅毒TPHA ｸﾗﾐｼﾞｱ B型肝炎 HBs抗原 結核菌 インフルエンザ",
        ),
        ("gen", "BRCA1遺伝子検査 染色体検査 がんゲノム genetic-test"),
        ("prc.surgery", "胃切除術後 手術前検査 全摘後 gastrectomy"),
        ("prc.transplant", "腎移植後 transplant"),
        ("prc.dialysis", "透析前採血 血液濾過"),
    ] {
        for text in words.split(' ') {
            for r in [
                own("Observation", json!({"category": lab, "code": jlac(text)})),
                own(
                    "Observation",
                    json!({"category": lab, "code": jlac("TEST"), "component": [{"code": jlac(text)}]}),
                ),
                own(
                    "Observation",
                    json!({"category": lab, "code": jlac("TEST"), "valueString": text}),
                ),
                own(
                    "ServiceRequest",
                    json!({"category": lab, "code": jlac(text)}),
                ),
                report("LP7839-6", &img, text),
                own("ImagingStudy", json!({"procedureCode": [said(text)]})),
                own(
                    "CarePlan",
                    json!({"activity": [{"detail": {"status": "completed", "code": said(text)}}]}),
                ),
                own(
                    "Goal",
                    json!({"lifecycleStatus": "active", "description": said(text)}),
                ),
                own(
                    "QuestionnaireResponse",
                    json!({"item": [{"linkId": "1", "text": text, "answer": [{"valueString": text}]}]}),
                ),
                own(
                    "Observation",
                    json!({"category": [{"coding": [{"code": "vital-signs"}]}], "code": said(text)}),
                ),
            ] {
                let out = without(gone, &r);
                assert!(
                    !out.contains("\"x\"") && !out.contains(text),
                    "{gone}: {out}"
                );
                let all = sent(&only(&policy, &every), &[person(), r.clone()]);
                assert!(all.contains("\"x\""), "{r}");
            }
            // The kind of a laboratory's report names nothing; its words do.
            let out = without(gone, &report("11502-2", &lab, text));
            assert!(!out.contains(text), "{gone}: {out}");
        }
    }
    // A report goes out under its kind, and words that name nothing of the kind withhold nothing.
    let out = sent(
        &only(&policy, &["inf.lab"]),
        &[person(), report("11502-2", &lab, "血液一般")],
    );
    assert!(
        out.contains("11502-2") && !out.contains("血液一般"),
        "{out}"
    );
    for text in [
        "ヘモグロビンA1c",
        "CEA 癌胎児性抗原",
        "病院検査",
        "archive",
        "技術料",
        "Non-HDL",
        "eGFR",
        "TP",
    ] {
        let r = own("Observation", json!({"category": lab, "code": jlac(text)}));
        let out = sent(&only(&policy, &["inf.lab"]), &[person(), r]);
        assert!(out.contains(text), "{text}");
    }
    // A medicine made by recombination is no gene test.
    let insulin = own(
        "MedicationRequest",
        json!({"medicationCodeableConcept": {"text": "インスリン（遺伝子組換え）"}}),
    );
    assert!(sent(&only(&policy, &["inf.rx"]), &[person(), insulin]).contains("インスリン"));
    // Labels: what a judged code's name says, too.
    let mut state = only(&policy, &["inf.condition"]);
    state.grants[0].annex.lbl.push("HIV".into());
    let named = |display: &str| {
        own(
            "Condition",
            json!({"code": {"coding": [{"system": ICD, "code": "I10", "display": display}]}}),
        )
    };
    assert!(sent(&state, &[person(), named("高血圧症")]).contains("高血圧症"));
    assert!(!sent(&state, &[person(), named("ＨＩＶ関連高血圧症")]).contains("\"x\""));
    // An operation is told by a disease that is one after it.
    for code in [
        json!({"text": "胃切除術後"}),
        json!({"coding": [{"system": ICD, "code": "Z94.0"}]}),
        json!({"coding": [{"system": ICD, "code": "K91.1"}]}),
    ] {
        let r = own("Condition", json!({"code": code}));
        assert!(
            !sent(&only(&policy, &["inf.condition"]), &[person(), r.clone()]).contains("\"x\"")
        );
        let all = ["inf.condition", "prc.surgery", "prc.transplant"];
        assert!(sent(&only(&policy, &all), &[person(), r]).contains("\"x\""));
    }
}

/// A part that nobody knows makes a result as unjudged as a name of its own that nobody knows.
#[test]
fn a_part_that_no_list_knows_may_be_an_infection() {
    let policy = Policy::reference().unwrap();
    let lab = json!([{"coding": [{"code": "laboratory"}]}]);
    let known = json!({"coding": [{"system": JLAC, "code": "3B0350000023272"}]});
    for part in [
        json!({"text": "MARK"}),
        json!({"coding": [{"system": "urn:x-ssmix2:1318765432:L", "code": "MARK"}]}),
        json!({"coding": [{"system": "urn:local", "code": "1", "display": "MARK"}]}),
        json!({}),
    ] {
        let r = own(
            "Observation",
            json!({"category": lab, "code": known, "component": [{"code": known}, {"code": part, "valueString": "VALUE"}]}),
        );
        let out = sent(&only(&policy, &["inf.lab"]), &[person(), r.clone()]);
        assert!(!out.contains("VALUE"), "{out}");
        let out = sent(
            &only(&policy, &["inf.lab", "inf.infection"]),
            &[person(), r],
        );
        assert!(out.contains("VALUE"), "{out}");
    }
    let r = own(
        "Observation",
        json!({"category": lab, "code": known, "component": [{"code": {"coding": [known["coding"][0], {"system": "urn:x-ssmix2:1318765432:L", "code": "L1"}]}, "valueString": "VALUE"}]}),
    );
    assert!(sent(&only(&policy, &["inf.lab"]), &[person(), r]).contains("VALUE"));
}

/// Whether a resource goes out under these categories alone.
fn goes(policy: &Policy, cats: &[&str], r: &Value) -> bool {
    sent(&only(policy, cats), &[person(), r.clone()]).contains("\"x\"")
}

/// A number of a master without its name may be any of what the numbers around it are; words are sought in
/// the name, where it is there.
#[test]
fn a_number_without_its_name_may_be_any_of_its_master() {
    let policy = Policy::reference().unwrap();
    let visits = ["vis.history"];
    let more = [
        "vis.history",
        "prc.surgery",
        "prc.transplant",
        "gen",
        "inf.infection",
        "inf.condition",
    ];
    let code = |system: &str, code: &str, display: &str| {
        let mut coding = json!({"system": system, "code": code});
        if !display.is_empty() {
            coding["display"] = json!(display);
        }
        json!({"coding": [coding]})
    };
    for (number, name, mine) in [
        ("190178810", "", false),
        ("113004510", "", false),
        ("140063710", "", false),
        ("160165210", "", false),
        ("160163650", "", false),
        ("160117510", " ", false),
        ("160008010", "末梢血液一般検査", true),
        ("160165210", "造血器腫瘍遺伝子検査", false),
        ("112007410", "", true),
        ("120002910", "", true),
    ] {
        let code = code(MASTER, number, name);
        for r in [
            own("Procedure", json!({"status": "completed", "code": code})),
            own("ServiceRequest", json!({"status": "active", "code": code})),
            own(
                "Claim",
                json!({"item": [{"sequence": 1, "productOrService": code}]}),
            ),
        ] {
            assert_eq!(goes(&policy, &visits, &r), mine, "{number} {name} {r}");
            assert!(goes(&policy, &more, &r), "{number} {name} {r}");
        }
    }
    // So may a diagnosis in SNOMED CT be an operation.
    for (system, number, name, mine) in [
        ("http://snomed.info/sct", "80146002", "", false),
        ("http://snomed.info/sct", "80146002", "Appendectomy", false),
        ("http://snomed.info/sct", "38341003", "Hypertension", true),
        (ICD, "I10", "", true),
        (ICD, "O82", "", false),
        (ICD, "O04.9", "", false),
        (ICD, "O34.2", "", false),
        (ICD, "O75.4", "", false),
        (ICD, "Z52.4", "", false),
        (ICD, "Z41.1", "", false),
    ] {
        let r = own("Condition", json!({"code": code(system, number, name)}));
        assert_eq!(
            goes(&policy, &["inf.condition"], &r),
            mine,
            "{number} {name}"
        );
        let more = ["inf.condition", "prc.surgery", "prc.transplant", "gen"];
        assert!(goes(&policy, &more, &r), "{number} {name}");
    }
}

/// Pathology and HLA are not what a laboratory's consent opens; the set of JP-CLINS is it by its earlier
/// address, too; a gene's result in LOINC is one.
#[test]
fn groups_of_laboratory_codes_stand_under_what_they_are() {
    let policy = Policy::reference().unwrap();
    let lab = json!([{"coding": [{"code": "laboratory"}]}]);
    let core = "http://jpfhir.jp/fhir/clins/CodeSystem/JP_CLINS_ObsLabResult_CoreLabo_CS";
    let infection = "http://jpfhir.jp/fhir/clins/CodeSystem/JP_CLINS_ObsLabResult_InfectionLabo_CS";
    let loinc = "http://loinc.org";
    for (system, code, needs) in [
        (core, "ALB", &["inf.lab"][..]),
        (core, "3A015000002326101", &["inf.lab"]),
        (infection, "HBS-AG", &["inf.infection", "inf.lab"]),
        (JLAC, "7A010000007005011", &["img", "inf.condition"]),
        (JLAC, "5K100000001900000", &["gen", "inf.lab"]),
        (loinc, "81290-9", &["gen", "inf.infection", "inf.lab"]),
        (loinc, "21636-6", &["gen", "inf.infection", "inf.lab"]),
        (loinc, "1751-7", &["inf.infection", "inf.lab"]),
    ] {
        let r = own(
            "Observation",
            json!({"category": lab, "code": {"coding": [{"system": system, "code": code}]}}),
        );
        assert!(goes(&policy, needs, &r), "{code}");
        for gone in needs
            .iter()
            .filter(|n| **n != "inf.lab" || needs.len() == 1)
        {
            let every = policy.categories().iter().map(|c| c.code.as_str());
            let rest: Vec<&str> = every.filter(|c| c != gone).collect();
            assert!(!goes(&policy, &rest, &r), "{gone} {code}");
        }
    }
}

type Made<'m> = &'m dyn Fn(&str) -> Value;

/// Words are sought in every type, and however they are written.
#[test]
fn words_are_found_in_every_type_and_in_any_width() {
    let policy = Policy::reference().unwrap();
    let lab = json!([{"coding": [{"code": "laboratory"}]}]);
    let result = |text: &str| {
        own(
            "Observation",
            json!({"category": lab, "code": {"coding": [{"system": JLAC, "code": "3B0350000023272"}]}, "valueString": text}),
        )
    };
    let disease = |text: &str| own("Condition", json!({"code": {"text": text}}));
    let shot = |key: &str, value: Value| {
        let mut r = own(
            "Immunization",
            json!({"status": "completed", "vaccineCode": {"text": "肺炎球菌ワクチン"}, "patient": {"reference": "Patient/p"}}),
        );
        r[key] = value;
        r
    };
    let allergy = |text: &str| {
        own(
            "AllergyIntolerance",
            json!({"code": {"text": "ペニシリン"}, "onsetString": text}),
        )
    };
    let imm = |text: &str| shot("occurrenceString", json!(text));
    let cases: [(&str, Made<'_>, &str, &str); 4] = [
        (
            "inf.lab",
            &result,
            "ｴｲｽﾞ|ﾋﾟﾛﾘ菌(+)|ｸﾗﾐｼﾞｱ|ｳｲﾙｽ|ｲﾝﾌﾙｴﾝｻﾞ|H I V (+)|H.I.V.|Ｈ\u{200B}ＩＶ|B型キャリア|1) HIV positive|EGFR|L858R|染色体|G-band|UGT1A1|APOE|46,XY,t(9;22)",
            "eGFR|A B 型|1.5 mg|ﾍﾓｸﾞﾛﾋﾞﾝ|2026-04-01T09:00:00Z|陰性",
        ),
        (
            "inf.condition",
            &disease,
            "人工股関節置換後|ステント留置後|冠動脈バイパス後狭心症|CABG後|TAVI後|右下肢切断後|大動脈弁置換後|僧帽弁形成後|人工肛門|乳房再建後|ICD植込み後|Hip replacement|Post-op state|ﾍﾟｰｽﾒｰｶｰ植込後|kidney graft rejection|BRCA1遺伝子変異陽性",
            "高血圧症|2型糖尿病|うつ病|骨形成不全症|ｶﾝｾﾞﾝ",
        ),
        (
            "imm",
            &imm,
            "腎移植手術の前|脾臓摘出後|HBs抗原陽性の母の子|透析導入前|染色体検査の後|乳がんの治療中",
            "2020年春|インフルエンザ|B型肝炎の流行時",
        ),
        (
            "inf.allergy",
            &allergy,
            "2019年の胃がんのとき|オペの後|うつ病の悪化|HIV",
            "子どものころ",
        ),
    ];
    for (cats, of, gone, stays) in cases {
        for text in gone.split('|') {
            assert!(!goes(&policy, &[cats], &of(text)), "{cats}: {text}");
        }
        for text in stays.split('|') {
            assert!(goes(&policy, &[cats], &of(text)), "{cats}: {text}");
        }
    }
    for r in [
        shot("vaccineCode", json!({"text": "肺炎球菌（脾臓摘出後）"})),
        shot("doseQuantity", json!({"value": 1, "unit": "移植後"})),
        shot("lotNumber", json!("HIV用")),
    ] {
        assert!(!goes(&policy, &["imm"], &r), "{r}");
    }
}

/// Words as a value may be a diagnosis wherever no laboratory says them; numbers and listed codes are none.
#[test]
fn free_words_in_what_is_no_laboratory_result_may_be_a_diagnosis() {
    let policy = Policy::reference().unwrap();
    let of = |category: &str, code: Value, more: Value| {
        let mut r = own(
            "Observation",
            json!({"category": [{"coding": [{"code": category}]}], "code": code}),
        );
        r.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        r
    };
    let loinc = |code: &str| json!({"coding": [{"system": "http://loinc.org", "code": code}]});
    let text = |text: &str| json!({"text": text});
    let word = |word: &str| json!({"valueString": word});
    let kg = json!({"valueQuantity": {"value": 60, "unit": "kg"}});
    let part = |name: &str, word: &str| json!({"component": [{"code": {"text": name}, "valueString": word}]});
    let smoker = json!({"valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "373066001"}], "text": "はい"}});
    let free = json!({"valueCodeableConcept": {"text": "糖尿病"}});
    let local = json!({"valueCodeableConcept": {"coding": [{"system": "urn:x-ssmix2:1:L", "code": "1", "display": "糖尿病"}]}});
    let score = json!({"valueInteger": 18});
    let answer = |value: Value| {
        let mut item = json!({"linkId": "1", "text": "既往歴", "answer": [{}]});
        item["answer"][0] = value;
        own(
            "QuestionnaireResponse",
            json!({"status": "completed", "item": [item]}),
        )
    };
    let all = |cats: &[&str], r: &Value| {
        (
            goes(&policy, cats, r),
            goes(&policy, &[cats, &["inf.condition"]].concat(), r),
        )
    };
    for (cat, r) in [
        (
            "vis.history",
            of("social-history", text("既往歴"), word("てんかん")),
        ),
        ("vis.history", of("survey", text("PHQ-9"), score.clone())),
        (
            "vis.history",
            of("social-history", loinc("72166-2"), word("うつで禁煙外来")),
        ),
        (
            "vis.history",
            of(
                "social-history",
                loinc("11367-0"),
                part("理由", "統合失調の方"),
            ),
        ),
        ("vis.history", of("social-history", loinc("72166-2"), free)),
        ("vis.history", of("social-history", loinc("72166-2"), local)),
        ("vit", of("vital-signs", loinc("8867-4"), word("頻脈"))),
        (
            "vit",
            of("vital-signs", loinc("85354-9"), part("メモ", "双極")),
        ),
        ("vit", of("vital-signs", text("体重"), word("末期"))),
        ("dev", of("activity", text("歩数"), word("治療中"))),
        ("img", of("imaging", text("CT所見"), word("肝に結節"))),
        ("care", answer(word("てんかん"))),
    ] {
        assert_eq!(all(&[cat], &r), (false, true), "{r}");
    }
    for (cat, r) in [
        (
            "vis.history",
            of("social-history", loinc("72166-2"), smoker),
        ),
        (
            "vis.history",
            of("social-history", loinc("74013-4"), word("2.5")),
        ),
        ("vit", of("vital-signs", text("体重"), kg)),
        ("vit", of("vital-signs", loinc("8867-4"), word("120/80"))),
        ("img", of("imaging", text("胸部CT"), json!({}))),
        ("care", answer(json!({"valueDecimal": 3}))),
        ("care", answer(json!({"valueBoolean": true}))),
    ] {
        assert!(goes(&policy, &[cat], &r), "{cat}: {r}");
    }
    // A laboratory's own words are results.
    let r = of(
        "laboratory",
        json!({"coding": [{"system": JLAC, "code": "3B0350000023272"}]}),
        word("溶血あり"),
    );
    assert!(goes(&policy, &["inf.lab"], &r));
}

/// A meal is no operation: what it is for may be a disease.
#[test]
fn a_meal_may_tell_a_disease_and_no_operation() {
    let policy = Policy::reference().unwrap();
    for diet in [
        json!({"type": [{"coding": [{"system": "urn:oid:1.2.3.4", "code": "12", "display": "心臓食"}]}]}),
        json!({"type": [{"coding": [{"system": "http://snomed.info/sct", "code": "160670007"}]}]}),
        json!({"type": [{"text": "心臓食"}]}),
        json!({"nutrient": [{"modifier": {"coding": [{"system": "urn:oid:1.2.3.4", "code": "9"}], "text": "牛乳２００ｍＬ"}}]}),
    ] {
        let order = own(
            "NutritionOrder",
            json!({"status": "active", "intent": "order", "patient": {"reference": "Patient/p"}, "oralDiet": diet}),
        );
        assert!(!goes(&policy, &["vis.history"], &order), "{order}");
        assert!(
            goes(&policy, &["vis.history", "inf.condition"], &order),
            "{order}"
        );
    }
    let after = own(
        "NutritionOrder",
        json!({"status": "active", "intent": "order", "oralDiet": {"type": [{"text": "術後食"}]}}),
    );
    assert!(!goes(&policy, &["vis.history", "inf.condition"], &after));
}

/// A code of another terminology beside the one that judged a result stays back, and the result does not.
#[test]
fn a_code_beside_the_judged_one_closes_nothing_and_stays_back() {
    let policy = Policy::reference().unwrap();
    let lab = json!([{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}]);
    let jlac = json!({"system": JLAC, "code": "3A015000002327101"});
    let loinc = |code: &str| json!({"system": "http://loinc.org", "code": code});
    let result = |codings: Value, more: Value| {
        let mut r = own(
            "Observation",
            json!({"category": lab, "code": {"coding": codings}, "valueString": "4.1"}),
        );
        r.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        r
    };
    let grants = only(&policy, &["inf.lab"]);
    let out = sent(
        &grants,
        &[person(), result(json!([jlac, loinc("1751-7")]), json!({}))],
    );
    assert!(
        out.contains("3A015000002327101") && !out.contains("1751-7"),
        "{out}"
    );
    // What nothing judged, what is known to be something else, and a part of its own close it.
    for r in [
        result(json!([loinc("1751-7")]), json!({})),
        result(json!([jlac, loinc("21636-6")]), json!({})),
        result(
            json!([jlac]),
            json!({"component": [{"code": {"coding": [loinc("5221-7")]}, "valueString": "1"}]}),
        ),
        result(
            json!([{"system": JLAC, "code": "5F430143102326101"}, loinc("1751-7")]),
            json!({}),
        ),
    ] {
        assert!(!goes(&policy, &["inf.lab"], &r), "{r}");
    }
}

/// Who leaves out what is restricted leaves out what is very restricted, and a visit's own words say its label.
#[test]
fn a_label_is_seen_where_it_does_not_go_out() {
    let policy = Policy::reference().unwrap();
    let without = |label: &str, r: &Value| {
        let mut state = only(&policy, &["vis.history", "inf.condition"]);
        for g in &mut state.grants {
            g.annex.lbl = vec![label.into()];
        }
        sent(&state, &[person(), r.clone()]).contains("\"x\"")
    };
    let marked = |code: &str| {
        let system = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
        own(
            "Condition",
            json!({"meta": {"security": [{"system": system, "code": code}]}, "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "I10"}]}}),
        )
    };
    for (label, code, sent) in [
        ("R", "R", false),
        ("R", "V", false),
        ("V", "V", false),
        ("V", "R", true),
        ("PSY", "V", true),
    ] {
        assert_eq!(
            without(label, &marked(code)),
            sent,
            "{code} without {label}"
        );
    }
    let department = json!({"coding": [{"system": "http://jami.jp/SS-MIX2/CodeSystem/ClinicalDepartment", "code": "01"}]});
    let visit = |more: Value| {
        let mut r = own(
            "Encounter",
            json!({"status": "finished", "class": {"code": "AMB"}, "serviceType": department}),
        );
        r.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        r
    };
    assert!(without("PSY", &visit(json!({}))));
    let mut named = department.clone();
    named["text"] = json!("精神科");
    for more in [
        json!({"serviceType": named}),
        json!({"type": [{"text": "精神科外来"}]}),
        json!({"location": [{"location": {"display": "精神科病棟"}}]}),
    ] {
        assert!(!without("PSY", &visit(more.clone())), "{more}");
        assert!(without("HIV", &visit(more.clone())), "{more}");
    }
}

/// The number of a public payer tells what it pays for, whatever system it is said to be of.
#[test]
fn a_public_payer_is_one_by_the_form_of_its_number() {
    let policy = Policy::reference().unwrap();
    for (number, mine) in [
        ("21136008", false),
        ("５４１３６０１５", false),
        ("38136008", false),
        ("21-136008", false),
        ("54136015:1234567", false),
        ("06132013", true),
        ("39131156", true),
        ("138057", true),
        ("1-2345678", true),
    ] {
        for more in [
            json!({"identifier": [{"system": "http://hosp/payer", "value": number}]}),
            json!({"subscriberId": number}),
        ] {
            let mut r = own("Coverage", more);
            r["beneficiary"] = json!({"reference": "Patient/p"});
            assert_eq!(goes(&policy, &["demo"], &r), mine, "{r}");
        }
    }
}

/// What says that a statement does not hold, or that it is of somebody else, goes out with it or takes it along.
#[test]
fn what_would_turn_a_statement_round_is_not_cut_off_it() {
    let policy = Policy::reference().unwrap();
    let local = |code: &str| json!({"coding": [{"system": "http://local", "code": code}]});
    let hl7 = |name: &str, code: &str| {
        let system = format!("http://terminology.hl7.org/CodeSystem/{name}");
        json!({"coding": [{"system": system, "code": code}], "text": "語"})
    };
    let words = json!({"text": "否定"});
    let with = |cat: &str, mut r: Value, key: &str, value: &Value| {
        r[key] = value.clone();
        goes(&policy, &[cat], &r)
    };
    let disease = || own("Condition", json!({"code": {"text": "肺炎"}}));
    let allergy = || {
        own(
            "AllergyIntolerance",
            json!({"code": {"text": "ペニシリン"}}),
        )
    };
    for (cat, r, key, list, code) in [
        (
            "inf.condition",
            disease(),
            "verificationStatus",
            "condition-ver-status",
            "refuted",
        ),
        (
            "inf.condition",
            disease(),
            "clinicalStatus",
            "condition-clinical",
            "resolved",
        ),
        (
            "inf.allergy",
            allergy(),
            "verificationStatus",
            "allergyintolerance-verification",
            "refuted",
        ),
        (
            "inf.allergy",
            allergy(),
            "clinicalStatus",
            "allergyintolerance-clinical",
            "inactive",
        ),
    ] {
        for said in [
            &words,
            &local("refuted"),
            &hl7(list, "否定"),
            &json!("refuted"),
            &json!({}),
        ] {
            assert!(!with(cat, r.clone(), key, said), "{key}: {said}");
        }
        assert!(with(cat, r.clone(), key, &hl7(list, code)), "{key}");
        let both = json!({"coding": [local("1")["coding"][0], hl7(list, code)["coding"][0]], "text": "語"});
        assert!(with(cat, r, key, &both), "{key}");
    }
    // The person's own view has the words.
    let mut said = disease();
    said["verificationStatus"] = words.clone();
    let out = own_view(&policy, &[person(), said]);
    assert!(out.contains("否定"), "{out}");
    // A status that R4 does not have.
    let lab = json!([{"coding": [{"code": "laboratory"}]}]);
    let result = || {
        own(
            "Observation",
            json!({"status": "final", "category": lab, "code": {"coding": [{"system": JLAC, "code": "3B0350000023272"}]}, "valueString": "1"}),
        )
    };
    assert!(with(
        "inf.lab",
        result(),
        "status",
        &json!("entered-in-error")
    ));
    assert!(!with("inf.lab", result(), "status", &json!("取消")));
    // Whom it is about.
    let mother = || json!({"resourceType": "RelatedPerson", "id": "mo", "patient": {"reference": "Patient/p"}});
    for (focus, mine) in [
        (json!([{"reference": "Patient/p"}]), false),
        (json!([{"reference": "RelatedPerson/mo"}]), false),
        (
            json!([{"reference": "http://o.jp/fhir/Patient/p", "display": "母"}]),
            false,
        ),
        (json!([{"display": "母"}]), false),
        (
            json!([{"reference": "Patient/p"}, {"display": "母"}]),
            false,
        ),
    ] {
        let mut r = result();
        r["focus"] = focus.clone();
        let state = only(&policy, &["inf.lab"]);
        let out = sent(&state, &[person(), mother(), r]);
        assert_eq!(out.contains("\"x\""), mine, "{focus}");
    }
}

/// What changes a meaning closes the resource, however deep it stands, and so do rules that nobody reads.
#[test]
fn what_changes_a_meaning_closes_the_resource_however_deep() {
    let policy = Policy::reference().unwrap();
    let no = json!([{"url": "http://x/neg", "valueBoolean": true}]);
    let lab = json!([{"coding": [{"code": "laboratory"}]}]);
    let code = json!({"coding": [{"system": JLAC, "code": "3B0350000023272"}]});
    let result = |more: Value| {
        let mut r = own("Observation", json!({"category": lab, "code": code}));
        r.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        r
    };
    assert!(goes(&policy, &["inf.lab"], &result(json!({}))));
    for more in [
        json!({"implicitRules": "http://x"}),
        json!({"component": [{"code": code, "valueString": "1", "modifierExtension": no}]}),
        json!({"referenceRange": [{"text": "1", "modifierExtension": no}]}),
    ] {
        assert!(
            !goes(&policy, &["inf.lab"], &result(more.clone())),
            "{more}"
        );
    }
    let dose = own(
        "MedicationRequest",
        json!({"medicationCodeableConcept": {"text": "薬"}, "dosageInstruction": [{"text": "1日3回", "modifierExtension": no}]}),
    );
    assert!(!goes(&policy, &["inf.rx"], &dose));
    let allergy = own(
        "AllergyIntolerance",
        json!({"code": {"text": "ペニシリン"}, "reaction": [{"manifestation": [{"text": "発疹"}], "modifierExtension": no}]}),
    );
    assert!(!goes(&policy, &["inf.allergy"], &allergy));
    let entry = json!({"resource": result(json!({})), "modifierExtension": no});
    let out = sent(&only(&policy, &["inf.lab"]), &[person(), entry]);
    assert!(!out.contains("\"x\""), "{out}");
}

/// Genetic results are told by the form of a variant, whatever the test is called.
#[test]
fn a_genetic_result_is_one_by_its_form() {
    let policy = Policy::reference().unwrap();
    let lab = json!([{"coding": [{"code": "laboratory"}]}]);
    let result = |name: &str, value: &str| {
        own(
            "Observation",
            json!({"category": lab, "code": {"coding": [{"system": JLAC, "code": "3B0350000023272"}], "text": name}, "valueString": value}),
        )
    };
    for text in [
        "p.Val600Glu",
        "p.(Val600Glu)",
        "ｐ．Ｖ６００Ｅ",
        "c.188T>A",
        "c.35delG",
        "c.76+1G>T",
        "c.-32-13T>G",
        "c.5266dupC",
        "g.32936732G>C",
        "m.3243A>G",
        "NM_004333.4:c.1799T>A",
        "NP_004324",
        "rs1799971",
        "del(5q)",
        "inv(16)",
        "T(9;22)",
        "t(X;18)",
        "ε3/ε4",
        "*1/*28",
        "*2/*2",
        "*2A/*5",
        "*15:02",
        "HLA-B",
        "FLT3-ITD",
        "ALK融合",
        "MSI検査",
        "CYP2C19*2",
        "CYP2C19",
        "ROS1",
        "ＢＲＡＣＡｎａｌｙｓｉｓ",
        "オンコタイプDX",
        "HTT CAGリピート",
        "Factor V Leiden",
        "H-I-V 陽性",
    ] {
        assert!(
            !goes(&policy, &["inf.lab"], &result("院内検査A", text)),
            "value {text}"
        );
        assert!(
            !goes(&policy, &["inf.lab"], &result(text, "1")),
            "name {text}"
        );
    }
    for text in [
        "ALP",
        "ALK-P",
        "T(4)",
        "10*3/uL",
        "4.1*10",
        "C.12",
        "1.5-2.0",
        "RS 1",
        "p.o.",
        "eGFR 60",
        "2026-04-01",
        "A/G比",
        "CYFRA21-1",
        "TP 7.1",
        "P 3.5",
        "(1+)",
        "T-Bil",
    ] {
        assert!(
            goes(&policy, &["inf.lab"], &result("院内検査A", text)),
            "{text}"
        );
    }
    let gene = |code: &str| {
        let code = json!({"coding": [{"system": "http://loinc.org", "code": code}]});
        own("Observation", json!({"category": lab, "code": code}))
    };
    for code in ["21639-0", "34519-9"] {
        assert!(
            !goes(&policy, &["inf.lab", "inf.infection"], &gene(code)),
            "{code}"
        );
    }
}

/// A label that says of what kind a thing is does not go out with what is disclosed.
#[test]
fn a_label_of_a_sensitive_kind_does_not_go_out() {
    let policy = Policy::reference().unwrap();
    let hl7 = |list: &str, code: &str| json!({"system": format!("http://terminology.hl7.org/CodeSystem/{list}"), "code": code});
    let marks = [
        ("v3-ActCode", "HIV", false),
        ("v3-ActCode", "PSY", false),
        ("v3-ActCode", "STD", false),
        ("v3-ActCode", "ETH", false),
        ("v3-ActCode", "SDV", false),
        ("v3-ActCode", "PREGNANT", false),
        ("v3-ActCode", "SICKLE", false),
        ("v3-ActCode", "SUD", false),
        ("v3-ActCode", "MH", false),
        ("v3-ObservationValue", "HIV", false),
        ("v3-ActCode", "NORDSCLCD", true),
        ("v3-ActReason", "TREAT", true),
        ("v3-Confidentiality", "R", true),
    ];
    let list: Vec<Value> = marks
        .iter()
        .map(|(list, code, _)| hl7(list, code))
        .collect();
    let mut patient = person();
    patient["meta"] = json!({"security": list, "tag": list});
    let lab = json!([{"coding": [{"code": "laboratory"}]}]);
    let result = own(
        "Observation",
        json!({"meta": {"security": list}, "category": lab, "code": {"coding": [{"system": JLAC, "code": "3B0350000023272"}]}}),
    );
    let out = sent(
        &only(&policy, &["inf.lab", "demo"]),
        &[patient.clone(), result.clone()],
    );
    assert!(out.contains("\"x\""), "{out}");
    let json: Value = serde_json::from_str(&out).unwrap();
    for entry in json["entry"].as_array().unwrap() {
        let text = entry.to_string();
        for (_, code, stays) in marks {
            assert_eq!(
                text.contains(&format!("\"{code}\"")),
                stays,
                "{code}: {text}"
            );
        }
    }
    // The person's own view has them.
    let out = own_view(&policy, &[patient, result]);
    assert!(out.contains("\"HIV\""), "{out}");
}

/// An electrocardiogram and an endoscopy are no operations, though their category says procedure.
#[test]
fn an_examination_of_category_procedure_is_an_image() {
    let policy = Policy::reference().unwrap();
    let of = |codes: &[&str], system: &str, code: &str, more: Value| {
        let category: Vec<Value> = codes
            .iter()
            .map(|c| json!({"coding": [{"code": c}]}))
            .collect();
        let mut r = own(
            "Observation",
            json!({"category": category, "code": {"coding": [{"system": system, "code": code}]}}),
        );
        r.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        r
    };
    let loinc = "http://loinc.org";
    let rate = json!({"component": [{"code": {"coding": [{"system": loinc, "code": "8637-1"}]}, "valueQuantity": {"value": 800, "unit": "ms"}}]});
    for r in [
        of(&["procedure"], loinc, "11524-6", rate),
        of(&["procedure"], JLAC, "9A110000016100001", json!({})),
    ] {
        assert!(goes(&policy, &["img"], &r), "{r}");
    }
    let scope = of(&["procedure", "LP7796-8"], loinc, "19778-0", json!({}));
    assert!(goes(
        &policy,
        &["img", "inf.condition", "inf.infection"],
        &scope
    ));
    assert!(!goes(&policy, &["vis.history"], &scope));
    let all = ["img", "inf.condition", "inf.infection", "vis.history"];
    for r in [
        of(&["procedure"], loinc, "29300-1", json!({})),
        of(&["procedure"], "urn:local", "1", json!({})),
        of(
            &["procedure"],
            loinc,
            "11524-6",
            json!({"valueString": "胃切除術後"}),
        ),
        of(
            &["procedure"],
            loinc,
            "11524-6",
            json!({"component": [{"code": {"text": "処置"}, "valueString": "1"}]}),
        ),
    ] {
        assert!(!goes(&policy, &all, &r), "{r}");
    }
}

/// The diagnosis of a claim goes where the claim does: the person was told, and diagnoses are granted.
#[test]
fn the_diagnosis_of_a_claim_goes_where_the_person_was_told() {
    let policy = Policy::reference().unwrap();
    let claim = json!({"resourceType": "ExplanationOfBenefit", "id": "x", "status": "active", "patient": {"reference": "Patient/p"},
        "diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": {"coding": [{"system": ICD, "code": "C22.0", "display": "肝細胞癌"}]}}]});
    let out = |cats: &[&str], told: Told| {
        let state = only(&policy, cats);
        let holder = Holder(Origin::Claims, told);
        sent_to(
            &state,
            &request(&policy),
            &holder,
            &[person(), claim.clone()],
        )
    };
    let all = ["vis.history", "inf.condition"];
    let yes = out(&all, Told::Yes);
    assert!(yes.contains("C22.0") && yes.contains("肝細胞癌"), "{yes}");
    for out in [
        out(&all, Told::No),
        out(&all, Told::Unknown),
        out(&all[..1], Told::Yes),
    ] {
        assert!(!out.contains("\"x\"") && !out.contains("C22"), "{out}");
    }
    // Beside an excluded label what nobody judged closes it.
    let mut state = only(&policy, &all);
    for g in &mut state.grants {
        g.annex.lbl.push("HIV".into());
    }
    let mut local = claim.clone();
    local["diagnosis"][0]["diagnosisCodeableConcept"] = json!({"text": "院内病名"});
    for (r, mine) in [(&claim, true), (&local, false)] {
        assert_eq!(
            sent(&state, &[person(), r.clone()]).contains("\"x\""),
            mine,
            "{r}"
        );
    }
}
