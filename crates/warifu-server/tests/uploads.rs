//! Records in by upload: who may, what comes of it, and what must not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod world;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use warifu_consent::{SecretKey, Signer as _};
use warifu_server::Rights;
use world::*;

const SENDS: Rights = Rights {
    emergency: false,
    sends: true,
    certificate: None,
};
const NOBODY: &str = "s1.AAAAAAAAAAAAAAAAAAAAAA";
const OWN: &str = "urn:oid:1.2.392.100495.20.3.51.11312345670";

#[test]
fn all_of_it_holds_over_postgresql() {
    postgresql::again_without("all_of_it_holds_over_postgresql");
}

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(bytes.len()).unwrap());
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("root/{path}"), *bytes)
            .unwrap();
    }
    tar.into_inner().unwrap()
}

impl World {
    fn sent(&self, path: &str, token: &str, kind: &str, body: &[u8]) -> (u16, Value) {
        let request = Request::post(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, kind)
            .body(Body::from(body.to_vec()))
            .unwrap();
        let (head, bytes) = self.send(request);
        (
            head.status().as_u16(),
            serde_json::from_slice(&bytes).unwrap(),
        )
    }

    fn upload(&self, key: &SecretKey, path: &str, body: &[u8]) -> (u16, Value) {
        let token = self.access(key, NOBODY, path, body, "TREAT");
        self.sent(path, &token, "application/octet-stream", body)
    }

    fn storage(&self, files: &[(&str, &[u8])]) -> (u16, Value) {
        self.upload(&self.other, "/api/ingest", &archive(files))
    }

    fn bundle(&self, entries: &Value) -> (u16, Value) {
        let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": entries});
        let body = bundle.to_string();
        self.upload(&self.other, "/api/ingest/bundle", body.as_bytes())
    }

    /// Records of the person whom the other institution knows by the same number.
    fn theirs(&self) -> u64 {
        let office = self.office_app.office().unwrap();
        let sub = office.pseudonym_at(OTHER, PATIENT).unwrap();
        let sql = "SELECT COUNT(*) FROM records WHERE sub = ?1";
        let rows = self.db().query(sql, &[sub.as_str().into()]).unwrap();
        rows[0].int(0).unwrap()
    }

    /// What their guardian sees.
    fn seen(&self) -> String {
        let office = self.office_app.office().unwrap();
        let sub = office.pseudonym_at(OTHER, PATIENT).unwrap();
        let all = json!({"search": "Patient/$everything?_count=500"});
        let value = self.good("POST", &format!("/api/disclose?for={sub}"), Some(&all));
        value["bundle"].as_str().unwrap().to_owned()
    }
}

/// A world in which the other institution sends, and somebody looks at its patient's records.
fn sending() -> World {
    let w = World::new();
    let office = w.office_app.office().unwrap();
    office.register(&w.other.public(), OTHER, &SENDS).unwrap();
    let theirs = office.pseudonym_at(OTHER, PATIENT).unwrap();
    assert_ne!(theirs, w.sub);
    let own = w.patient.public();
    office
        .bind(&own, &w.sub, "adult_guardian", Some(&theirs), "counter")
        .unwrap();
    w
}

#[test]
fn only_who_was_given_the_right_sends() {
    let w = World::new();
    let (lab, office) = (fixture(LAB), w.office_app.office().unwrap());
    let body = archive(&[(LAB, &lab)]);
    let (status, value) = w.upload(&w.other, "/api/ingest", &body);
    assert_eq!((status, &value["code"]), (403, &json!("SENDER")), "{value}");
    let (status, value) = w.upload(&w.other, "/api/ingest/bundle", b"{}");
    assert_eq!((status, &value["code"]), (403, &json!("SENDER")), "{value}");
    let (status, value) = w.upload(&secret(), "/api/ingest", &body);
    assert_eq!((status, &value["code"]), (401, &json!("KEY_UNKNOWN")));
    assert_eq!(w.theirs(), 0);
    // A code without patient numbers has none to send.
    let office_key = secret();
    let refused = office.register(&office_key.public(), "app:1", &SENDS);
    assert_eq!(refused.unwrap_err().code(), "AUD_UNKNOWN");
    office.register(&w.other.public(), OTHER, &SENDS).unwrap();
    // For this body, address and time only, and once.
    let token = w.access(&w.other, NOBODY, "/api/ingest", &body, "TREAT");
    let another = archive(&[(LAB, &lab), (DRUG, &fixture(DRUG))]);
    let (status, value) = w.sent("/api/ingest", &token, "application/x-tar", &another);
    assert_eq!((status, &value["code"]), (401, &json!("QUERY")), "{value}");
    let (status, value) = w.sent("/api/ingest", &token, "application/x-tar", &body);
    assert_eq!(status, 200, "{value}");
    assert_eq!(value["patients"], json!(1));
    let (status, value) = w.sent("/api/ingest", &token, "application/x-tar", &body);
    assert_eq!((status, &value["code"]), (409, &json!("REPLAY")), "{value}");
    assert!(w.theirs() > 0);
    // The right goes as it came, and a key that is held sends nothing.
    office
        .register(&w.other.public(), OTHER, &Rights::default())
        .unwrap();
    assert_eq!(w.upload(&w.other, "/api/ingest", &body).0, 403);
    office.register(&w.other.public(), OTHER, &SENDS).unwrap();
    let kid = w.other.public().thumbprint();
    let sql = "INSERT INTO held (kid, code, rule, at) VALUES (?1, ?2, 'refusals-an-hour', 1)";
    w.db()
        .run(sql, &[kid.as_str().into(), OTHER.into()])
        .unwrap();
    let (status, value) = w.upload(&w.other, "/api/ingest", &body);
    assert_eq!((status, &value["code"]), (403, &json!("HELD")), "{value}");
    office.lift(&kid).unwrap();
    assert_eq!(w.upload(&w.other, "/api/ingest", &body).0, 200);
}

#[test]
fn a_storage_that_is_sent_replaces_what_its_patients_gave() {
    let w = sending();
    let (lab, drug) = (fixture(LAB), fixture(DRUG));
    let mine = w.good(
        "POST",
        "/api/disclose",
        Some(&json!({"search": "Observation?_count=500"})),
    );
    let (status, value) = w.storage(&[(LAB, &lab), (DRUG, &drug)]);
    assert_eq!(status, 200, "{value}");
    assert_eq!(
        (&value["patients"], &value["unchanged"]),
        (&json!(1), &json!(0))
    );
    let (first, seen) = (w.theirs(), w.seen());
    assert_eq!(value["records"], json!(first));
    assert!(seen.contains("\"Observation\"") && seen.contains("MedicationRequest"));
    // Only what changed is done again.
    let (_, value) = w.storage(&[(LAB, &lab), (DRUG, &drug)]);
    assert_eq!(
        (&value["patients"], &value["unchanged"]),
        (&json!(0), &json!(1))
    );
    // Corrected, then gone.
    let corrected = replaced(&lab, "|(3+)|", "|CORRECTED|");
    let (_, value) = w.storage(&[(LAB, &corrected), (DRUG, &drug)]);
    assert_eq!(value["patients"], json!(1));
    assert!(w.seen().contains("CORRECTED") && w.theirs() == first);
    let (_, value) = w.storage(&[(DRUG, &drug)]);
    assert_eq!(value["patients"], json!(1));
    let seen = w.seen();
    assert!(!seen.contains("\"Observation\"") && seen.contains("MedicationRequest"));
    // A file of somebody else is kept apart here as well.
    let foreign = replaced(&lab, "0000990001^^^^PI", "0000999999^^^^PI");
    let (_, value) = w.storage(&[(LAB, &foreign), (DRUG, &drug)]);
    assert_eq!(value["quarantined"], json!(1), "{value}");
    assert!(!w.seen().contains("\"Observation\""));
    // The person whom the office's own institution knows by this number is another.
    let now = w.good(
        "POST",
        "/api/disclose",
        Some(&json!({"search": "Observation?_count=500"})),
    );
    assert_eq!(now["bundle"], mine["bundle"]);
}

#[test]
fn a_storage_comes_packed_as_a_form_or_large_and_is_one() {
    let w = sending();
    let (lab, drug) = (fixture(LAB), fixture(DRUG));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &archive(&[(LAB, &lab), (DRUG, &drug)])).unwrap();
    let (status, value) = w.upload(&w.other, "/api/ingest", &packed.finish().unwrap());
    assert_eq!((status, &value["patients"]), (200, &json!(1)), "{value}");
    // The same files in a form are the same files.
    let mut form = Vec::new();
    for (path, bytes) in [(LAB, &lab), (DRUG, &drug)] {
        let head = format!(
            "--limit\r\nContent-Disposition: form-data; name=\"file\"; filename=\"root/{path}\"\r\n\r\n"
        );
        form.extend_from_slice(head.as_bytes());
        form.extend_from_slice(bytes);
        form.extend_from_slice(b"\r\n");
    }
    form.extend_from_slice(b"--limit--\r\n");
    let token = w.access(&w.other, NOBODY, "/api/ingest", &form, "TREAT");
    let kind = "multipart/form-data; boundary=limit";
    let (status, value) = w.sent("/api/ingest", &token, kind, &form);
    assert_eq!(status, 200, "{value}");
    assert_eq!(
        (&value["patients"], &value["unchanged"]),
        (&json!(0), &json!(1))
    );
    // More than is held in memory, and changed.
    let large = vec![0; 20 << 20];
    let corrected = replaced(&lab, "|(3+)|", "|CORRECTED|");
    let (status, value) = w.storage(&[("note.bin", &large), (LAB, &corrected), (DRUG, &drug)]);
    assert_eq!((status, &value["patients"]), (200, &json!(1)), "{value}");
    assert!(w.seen().contains("CORRECTED"));
    // Cut off: whose files are missing nobody knows, so nothing is done.
    let before = w.theirs();
    let whole = archive(&[(DRUG, &drug), (LAB, &lab)]);
    let half = &whole[..whole.len() / 2];
    let (status, value) = w.upload(&w.other, "/api/ingest", half);
    assert_eq!((status, &value["code"]), (400, &json!("BODY")), "{value}");
    assert!(w.theirs() == before && w.seen().contains("CORRECTED"));
    // A message alone is no storage.
    let (status, value) = w.upload(&w.other, "/api/ingest", &lab);
    assert_eq!((status, &value["code"]), (400, &json!("BODY")), "{value}");
}

#[test]
fn a_bundle_is_of_one_person_and_of_nobody_else() {
    let w = sending();
    let person = |id: &str, number: &str| {
        json!({"resource": {"resourceType": "Patient", "id": id,
            "identifier": [{"system": OWN, "value": number}]}})
    };
    let surgery = |subject: Value| {
        json!({"resource": {"resourceType": "Procedure", "id": "op9", "status": "completed",
            "subject": subject, "code": {"text": "SENT-SURGERY"}}})
    };
    let own = || surgery(json!({"reference": "Patient/p"}));
    let (status, value) = w.bundle(&json!([person("p", PATIENT), own()]));
    assert_eq!((status, &value["records"]), (200, &json!(2)), "{value}");
    assert!(w.seen().contains("SENT-SURGERY"));
    // Without a Patient, of two persons, of another institution's numbers, about somebody else.
    let elsewhere = json!({"resource": {"resourceType": "Patient", "id": "p",
        "identifier": [{"system": "urn:oid:1.2.392.100495.20.3.51.11319999999", "value": PATIENT}]}});
    let twice = json!({"resource": {"resourceType": "Patient", "id": "p",
        "identifier": [{"system": OWN, "value": PATIENT}, {"system": OWN, "value": "0000990002"}]}});
    let stranger = surgery(json!({"reference": "http://x.example/fhir/Patient/q/_history/1"}));
    let by_number = surgery(json!({"identifier": {"system": OWN, "value": "0000990002"}}));
    let searched = surgery(json!({"reference": format!("Patient?identifier={OWN}|0000990002")}));
    let nowhere = surgery(json!({"reference": "urn:uuid:6fa459ea-ee8a-4ca4-894e-db77e160355e"}));
    for (n, entries) in [
        json!([own()]),
        json!([person("p", PATIENT), searched]),
        json!([person("p", PATIENT), nowhere]),
        json!([person("p", PATIENT), person("q", "0000990002")]),
        json!([elsewhere, own()]),
        json!([twice, own()]),
        json!([person("p", PATIENT), stranger]),
        json!([person("p", PATIENT), by_number]),
        json!([person("p", PATIENT), {"request": {"method": "PUT", "url": "Procedure/op9"}}]),
        json!([person("p", PATIENT), {"request": {"method": "DELETE", "url": "Procedure?_id=op9"}}]),
    ]
    .iter()
    .enumerate()
    {
        let (status, value) = w.bundle(entries);
        assert_eq!((status, &value["code"]), (400, &json!("BODY")), "{n} {value}");
    }
    let (status, value) = w.upload(
        &w.other,
        "/api/ingest/bundle",
        b"{\"resourceType\":\"Bundle\"",
    );
    assert_eq!((status, &value["code"]), (400, &json!("BODY")), "{value}");
    // Corrected, and taken away; what a storage brought is not a Bundle's to take away.
    let (lab, drug) = (fixture(LAB), fixture(DRUG));
    w.storage(&[(LAB, &lab), (DRUG, &drug)]);
    let mut better = own();
    better["resource"]["code"]["text"] = json!("CORRECTED-SURGERY");
    assert_eq!(w.bundle(&json!([person("p", PATIENT), better])).0, 200);
    let seen = w.seen();
    assert!(seen.contains("CORRECTED-SURGERY") && !seen.contains("SENT-SURGERY"));
    let bundle: Value = serde_json::from_str(&seen).unwrap();
    let all = bundle["entry"].as_array().unwrap().iter();
    let mut drugs = all.filter(|e| e["resource"]["resourceType"] == json!("MedicationRequest"));
    let drug = drugs.next().unwrap()["resource"]["id"].as_str().unwrap();
    let gone = |url: String| json!({"request": {"method": "DELETE", "url": url}});
    let (status, value) = w.bundle(&json!([
        person("p", PATIENT),
        gone("Procedure/op9".to_owned()),
        gone(format!("MedicationRequest/{drug}")),
    ]));
    assert_eq!((status, &value["deleted"]), (200, &json!(1)), "{value}");
    let seen = w.seen();
    assert!(!seen.contains("CORRECTED-SURGERY") && seen.contains(drug));
}

#[test]
fn a_patient_of_an_institution_enrols_with_its_number_there() {
    let mut w = sending();
    let office = || w.office_app.office().unwrap();
    // Nobody has told of that number there: a slip would bind the key to an empty record.
    let code = office().enrol_code_at(OTHER, PATIENT, "1970-01-01", false);
    assert_eq!(code.unwrap_err().code(), "NO_RECORD");
    let code = office().enrol_code_at(OTHER, PATIENT, "1970-01-01", true);
    let theirs = office().pseudonym_at(OTHER, PATIENT).unwrap();
    let guardian = std::mem::replace(&mut w.patient, secret());
    let x = json!({"jwk": {"kty": "OKP", "crv": "Ed25519", "x": w.patient.public().x()}});
    let body = json!({"code": code.unwrap(), "birth": "1970-01-01", "proof": w.proof(&x)});
    let value = w.good("POST", "/api/enrol", Some(&body));
    assert_eq!(value["sub"], json!(theirs));
    w.patient = guardian;
    // An institution names the patient by that number, where it says whose number it is.
    let path = "/api/consent/requests";
    let ask = |src: Value| {
        let mut body = json!({"patient": PATIENT, "aud": [CLINIC], "pur": ["TREAT"], "cat": ["inf.lab"], "days": 30});
        body["src"] = src;
        let body = body.to_string();
        let token = w.access(&w.clinic, NOBODY, path, &body, "TREAT");
        assert_eq!(w.with_access(path, &token, &body).0, 201);
    };
    let waiting = || {
        let all = w.good("GET", &format!("/api/requests?for={theirs}"), None);
        let mine = w.good("GET", "/api/requests", None);
        let count = |v: &Value| v["requests"].as_array().unwrap().len();
        (count(&all), count(&mine))
    };
    ask(json!(OTHER));
    assert_eq!(waiting(), (1, 0));
    ask(json!(HOSPITAL));
    assert_eq!(waiting(), (1, 1));
}

#[test]
fn a_holder_tells_its_patients_of_uses_without_names_once() {
    let w = sending();
    assert_eq!(w.storage(&[(LAB, &fixture(LAB))]).0, 200);
    let hash = "h".repeat(42) + "g";
    let notice = |key: &SecretKey, patient: &str, what: &str, hash: &str| {
        let body = json!({"patient": patient, "what": what, "hash": hash}).to_string();
        let token = w.access(key, NOBODY, "/api/notices", &body, "TREAT");
        w.sent("/api/notices", &token, "application/json", body.as_bytes())
    };
    let refused =
        |(status, value): (u16, Value)| (status, value["code"].as_str().unwrap().to_owned());
    // Who keeps nothing here, of whom nothing is kept, and what is none.
    let not = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(
        refused(notice(&w.clinic, PATIENT, "opt-out", &hash)),
        not(403, "SENDER")
    );
    assert_eq!(
        refused(notice(&w.other, "0000000000", "opt-out", &hash)),
        not(404, "NOT_FOUND")
    );
    assert_eq!(
        refused(notice(&w.other, PATIENT, "opt-in", &hash)),
        not(400, "BODY")
    );
    assert_eq!(
        refused(notice(&w.other, PATIENT, "opt-out", "short")),
        not(400, "BODY")
    );
    let office = w.office_app.office().unwrap();
    let theirs = office.pseudonym_at(OTHER, PATIENT).unwrap();
    let lines = || {
        let mine = w.good("GET", &format!("/api/log/mine?for={theirs}"), None);
        let lines = mine["lines"].as_array().unwrap().iter();
        let lines = lines.map(|l| l["own"]["line"].as_str().unwrap().to_owned());
        lines
            .filter(|l| l.contains("\"notice\""))
            .collect::<Vec<_>>()
    };
    assert_eq!(lines(), Vec::<String>::new());
    // Told: from now on, with a line for the person; a second time changes nothing.
    let (status, first) = notice(&w.other, PATIENT, "opt-out", &hash);
    assert_eq!((status, &first["again"]), (201, &json!(false)), "{first}");
    w.clock.fetch_add(60, std::sync::atomic::Ordering::SeqCst);
    let (status, again) = notice(&w.other, PATIENT, "opt-out", &hash);
    assert_eq!((status, &again["again"]), (200, &json!(true)), "{again}");
    assert_eq!(again["at"], first["at"]);
    let told = lines();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains(OTHER) && told[0].contains(&hash),
        "{told:?}"
    );
    // The decision has it: the state that the portal previews with names the holder.
    let mine = w.good("GET", &format!("/api/consent/mine?for={theirs}"), None);
    assert_eq!(
        mine["state"]["notices"],
        json!([{"src": OTHER, "at": first["at"]}]),
        "{}",
        mine["state"]
    );
}
