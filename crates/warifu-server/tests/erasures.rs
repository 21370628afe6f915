//! Copies handed out before a withdrawal: who is asked to erase them, what may be answered, what the person sees.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod world;

use serde_json::{Value, json};
use warifu_consent::{SecretKey, Signer as _, hash};
use warifu_server::Visitor;
use world::*;

const NOBODY: &str = "s1.AAAAAAAAAAAAAAAAAAAAAA";

#[test]
fn all_of_it_holds_over_postgresql() {
    postgresql::again_without("all_of_it_holds_over_postgresql");
}

/// Sends an institution's own words; gives what was sent, too.
fn tell(w: &World, key: &SecretKey, path: &str, body: &Value) -> (u16, Value, String) {
    let body = body.to_string();
    let token = w.access(key, NOBODY, path, &body, "TREAT");
    let (status, value) = w.with_access(path, &token, &body);
    (status, value, body)
}

fn waiting(w: &World, key: &SecretKey) -> Vec<Value> {
    let (status, value, _) = tell(w, key, "/api/revoked", &json!({}));
    assert_eq!(status, 200, "{value}");
    value["notices"].as_array().unwrap().clone()
}

fn seen(w: &World) -> Vec<Value> {
    let value = w.good("GET", "/api/erasures", None);
    value["erasures"].as_array().unwrap().clone()
}

fn newest(w: &World) -> Value {
    let mine = w.good("GET", "/api/log/mine", None);
    let line = mine["lines"].as_array().unwrap().last().unwrap();
    serde_json::from_str(line["own"]["line"].as_str().unwrap()).unwrap()
}

#[test]
fn who_has_copies_is_asked_to_erase_them_and_answers() {
    let w = World::new();
    let grant = w.grant(&w.asked(&["inf.lab"])[0]);
    let jti = grant["jti"].as_str().unwrap().to_owned();
    // Refused, seen by the person, seen by the clinic twice.
    assert_eq!(w.disclose(&w.other, "Observation").0, 403);
    let own = json!({"search": "Observation"});
    w.good("POST", "/api/disclose", Some(&own));
    assert_eq!(w.disclose(&w.clinic, "Observation").0, 200);
    w.later(60);
    let last = w.now();
    assert_eq!(w.disclose(&w.clinic, "Observation").0, 200);
    w.later(60);
    assert_eq!(seen(&w), Vec::<Value>::new());
    assert_eq!(waiting(&w, &w.clinic), Vec::<Value>::new());
    let ended = w.now();
    assert_eq!(w.withdraw(&jti).0, 201);
    assert_eq!(w.withdraw(&jti).0, 200);
    // Whom the records reached waits to answer, and nobody else.
    let all = seen(&w);
    assert_eq!(all.len(), 1, "{all:?}");
    let notice = all[0]["notice"].as_str().unwrap().to_owned();
    assert_eq!(
        all[0],
        json!({"notice": notice, "grant": grant["tok"], "jti": jti, "rcp": CLINIC, "ended": ended,
            "last": last, "state": "waiting"})
    );
    let office = w.office_app.office().unwrap();
    let open = office.unanswered().unwrap();
    assert_eq!((open.len(), open[0].told), (1, None));
    assert_eq!(
        (&open[0].notice, open[0].recipient.as_str()),
        (&notice, CLINIC)
    );
    assert_eq!(waiting(&w, &w.other), Vec::<Value>::new());
    w.later(10);
    let told = w.now();
    let asked = json!({"notice": notice, "sub": w.sub, "grant": grant["tok"], "revoked": ended, "last": last});
    assert_eq!(waiting(&w, &w.clinic), std::slice::from_ref(&asked));
    // Until it answers, and the first time counts.
    w.later(10);
    assert_eq!(waiting(&w, &w.clinic), [asked]);
    assert_eq!(seen(&w)[0]["told"], json!(told));
    assert_eq!(office.unanswered().unwrap()[0].told, Some(told));

    // Not by another, not for what is not there, not in another form.
    let lines = w.kinds().len();
    let right = json!({"notice": notice, "erased": w.now()});
    for (key, body, expected) in [
        (&w.other, right.clone(), (404, "NOT_FOUND")),
        (
            &w.clinic,
            json!({"notice": id(), "erased": w.now()}),
            (404, "NOT_FOUND"),
        ),
        (&w.clinic, json!({"notice": notice}), (400, "BODY")),
        (
            &w.clinic,
            json!({"notice": notice, "erased": w.now(), "kept": "chart"}),
            (400, "BODY"),
        ),
        (
            &w.clinic,
            json!({"notice": notice, "kept": "because"}),
            (400, "BODY"),
        ),
        (
            &w.clinic,
            json!({"notice": notice, "erased": "now"}),
            (400, "BODY"),
        ),
        (
            &w.clinic,
            json!({"notice": notice, "erased": w.now() + 61}),
            (400, "BODY"),
        ),
        (
            &w.clinic,
            json!({"notice": notice, "erased": last - 1}),
            (400, "BODY"),
        ),
    ] {
        let (status, value, sent) = tell(&w, key, "/api/erased", &body);
        assert_eq!(
            (status, value["code"].as_str().unwrap()),
            expected,
            "{sent}"
        );
    }
    assert_eq!(w.call("POST", "/api/erased", Some(&right)).0, 401);
    assert_eq!(w.call("POST", "/api/revoked", Some(&json!({}))).0, 401);
    assert_eq!(
        (w.kinds().len(), seen(&w)[0]["state"].as_str()),
        (lines, Some("waiting"))
    );

    // It keeps the chart, as the law says; the person sees that, and its signature.
    let keeps = json!({"notice": notice, "kept": "chart"});
    let (status, value, sent) = tell(&w, &w.clinic, "/api/erased", &keeps);
    let kept = w.now();
    assert_eq!(
        (status, value),
        (201, json!({"notice": notice, "state": "kept", "at": kept}))
    );
    let one = &seen(&w)[0];
    assert_eq!(
        (
            &one["state"],
            &one["why"],
            &one["at"],
            &one["answer"]["body"]
        ),
        (&json!("kept"), &json!("chart"), &json!(kept), &json!(sent))
    );
    let (_, claims) = warifu_consent::peek(one["answer"]["access"].as_str().unwrap()).unwrap();
    let q = hash::sha256_text(&[sent.as_bytes()]);
    assert_eq!(claims.get("q").and_then(|q| q.text()), Some(q.as_str()));
    let by = claims.get("iss").and_then(|i| i.text());
    assert_eq!(by, Some(w.clinic.public().thumbprint().as_str()));
    let line = newest(&w);
    assert_eq!(
        [&line["kind"], &line["what"], &line["src"], &line["hash"]],
        [&json!("notice"), &json!("kept"), &json!(CLINIC), &json!(q)]
    );
    // It was answered; said again, nothing changes.
    assert_eq!(waiting(&w, &w.clinic), Vec::<Value>::new());
    assert_eq!(office.unanswered(), Ok(Vec::new()));
    w.later(5);
    let (status, value, _) = tell(&w, &w.clinic, "/api/erased", &keeps);
    assert_eq!((status, &value["at"]), (200, &json!(kept)));
    let other = json!({"notice": notice, "kept": "law"});
    assert_eq!(tell(&w, &w.clinic, "/api/erased", &other).0, 409);
    assert_eq!(w.kinds().len(), lines + 1);
    // Years later it erases them, and that stays.
    let gone = json!({"notice": notice, "erased": w.now()});
    assert_eq!(tell(&w, &w.clinic, "/api/erased", &gone).0, 201);
    assert_eq!(tell(&w, &w.clinic, "/api/erased", &gone).0, 200);
    for late in [keeps, json!({"notice": notice, "erased": w.now() - 1})] {
        let (status, value, _) = tell(&w, &w.clinic, "/api/erased", &late);
        assert_eq!((status, &value["code"]), (409, &json!("ANSWERED")));
    }
    let one = &seen(&w)[0];
    assert_eq!(
        (&one["state"], &one["at"], one.get("why")),
        (&json!("erased"), &gone["erased"], None)
    );
    assert_eq!(newest(&w)["what"], json!("erased"));
    assert_eq!(w.kinds().len(), lines + 2);
}

#[test]
fn a_consent_that_opened_nothing_is_asked_of_nobody() {
    let w = World::new();
    let grant = w.grant(&w.asked(&["inf.lab"])[0]);
    // Nothing of that type is opened: an empty answer is no copy.
    let (status, value) = w.disclose(&w.clinic, "AllergyIntolerance");
    assert_eq!(status, 200, "{value}");
    assert_eq!(w.withdraw(grant["jti"].as_str().unwrap()).0, 201);
    assert_eq!(seen(&w), Vec::<Value>::new());
}

#[test]
fn at_the_desk_and_for_a_stolen_key_it_is_the_same() {
    let mut w = World::new();
    let visitor = Visitor {
        institution: HOSPITAL,
        patient: PATIENT,
        identified: "counter",
    };
    let grant = w.grant(&w.asked(&["inf.lab"])[0]);
    assert_eq!(w.disclose(&w.clinic, "Observation").0, 200);
    let office = w.office_app.office().unwrap();
    let tok = grant["tok"].as_str().unwrap();
    office
        .withdraw_at_desk(&visitor, tok, false, warifu_consent::Lang::Ja)
        .unwrap();
    assert_eq!((seen(&w).len(), waiting(&w, &w.clinic).len()), (1, 1));
    // A consent of a key that turns out to be a thief's.
    w.later(60);
    let since = w.now() - 1;
    let second = w.grant(&w.asked(&["inf.rx"])[0]);
    assert_eq!(w.disclose(&w.clinic, "MedicationRequest").0, 200);
    w.later(60);
    let kid = w.patient.public().thumbprint();
    office
        .end_key_at_desk(&visitor, &kid, "compromised", None)
        .unwrap();
    assert_eq!(office.unanswered().unwrap().len(), 1);
    office
        .end_key_at_desk(&visitor, &kid, "compromised", Some(since))
        .unwrap();
    // Once, though the key has the first consent, too.
    let open = waiting(&w, &w.clinic);
    assert_eq!(open.len(), 2);
    assert_eq!(open[1]["grant"], second["tok"]);
    // With a new key the person sees both.
    w.patient = secret();
    let code = office.enrol_code(PATIENT, "1968-03-03").unwrap();
    w.enrol(&code);
    let grants: Vec<Value> = seen(&w).iter().map(|e| e["grant"].clone()).collect();
    assert_eq!(grants, [second["tok"].clone(), grant["tok"].clone()]);
}

#[test]
fn how_much_went_out_stands_beside_the_line() {
    let w = World::new();
    w.grant(&w.asked(&["inf.lab", "inf.rx"])[0]);
    let (_, shown) = w.disclose(&w.clinic, "Patient/$everything?_count=500");
    let bundle: Value = serde_json::from_str(shown["bundle"].as_str().unwrap()).unwrap();
    let types: Vec<&str> = bundle["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["resource"]["resourceType"].as_str().unwrap())
        .collect();
    let of = |kind: &str| types.iter().filter(|t| **t == kind).count();
    assert!(of("MedicationRequest") > 0 && of("Observation") > 0);
    w.disclose(&w.other, "Observation");
    w.disclose(&w.clinic, "AllergyIntolerance");
    let mine = w.good("GET", "/api/log/mine", None);
    let lines = mine["lines"].as_array().unwrap();
    let counts: Vec<(String, Option<&Value>)> = lines
        .iter()
        .map(|l| {
            let line: Value = serde_json::from_str(l["own"]["line"].as_str().unwrap()).unwrap();
            let kind = line["kind"].as_str().unwrap().to_owned();
            // Never in what is signed.
            assert!(line.get("counts").is_none() && l["own"].get("counts").is_none());
            (kind, l.get("counts"))
        })
        .filter(|(kind, counts)| kind == "disclose" || kind == "refuse" || counts.is_some())
        .collect();
    assert_eq!(counts.len(), 3, "{counts:?}");
    assert_eq!(counts[1], ("refuse".to_owned(), None));
    assert_eq!(counts[2].1, Some(&json!({"items": 0, "of": []})));
    let first = counts[0].1.unwrap();
    let number = |cat: &str| {
        let of = first["of"].as_array().unwrap();
        let found = of.iter().find(|o| o["cat"] == json!(cat)).unwrap();
        usize::try_from(found["n"].as_u64().unwrap()).unwrap()
    };
    let drugs = ["Request", "Dispense", "Statement", "Administration"];
    let drugs = drugs.map(|kind| of(&format!("Medication{kind}")));
    assert_eq!(number("inf.rx"), drugs.iter().sum::<usize>());
    // Each record is counted once, a test that may be an infection's as a test.
    assert!(number("inf.lab") >= of("Observation"));
    let told = first["of"].as_array().unwrap().iter();
    let told: u64 = told.map(|o| o["n"].as_u64().unwrap()).sum();
    assert_eq!(Some(told), first["items"].as_u64());
    assert!(first.get("from").is_none());
    // What goes along with records is no record.
    let along = types.iter().filter(|t| {
        [
            "Patient",
            "Organization",
            "Practitioner",
            "PractitionerRole",
            "Provenance",
            "Medication",
            "Specimen",
            "Location",
            "Device",
        ]
        .contains(*t)
    });
    let items = first["items"].as_u64().unwrap();
    assert_eq!(items, u64::try_from(types.len() - along.count()).unwrap());
    // A further page says where it begins.
    let (_, page) = w.disclose(&w.clinic, "Patient/$everything?_count=10");
    let next = page["next"].as_str().unwrap().to_owned();
    let body = json!({"search": "Patient/$everything?_count=10", "page": next}).to_string();
    let token = w.access(&w.clinic, &w.sub, "/api/disclose", &body, "TREAT");
    assert_eq!(w.with_access("/api/disclose", &token, &body).0, 200);
    let mine = w.good("GET", "/api/log/mine", None);
    let froms: Vec<&Value> = mine["lines"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|l| l["counts"].get("from"))
        .collect();
    assert_eq!(froms, [&json!(10)]);
}
