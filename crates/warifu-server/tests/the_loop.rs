//! The whole loop in one process: asked, granted, disclosed, withdrawn, refused; and what must not work.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod world;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use warifu_consent::{SecretKey, Signer as _, Typ, b64, hash, make};
use warifu_server::{Office, Rights, router};
use world::*;

#[test]
fn all_of_it_holds_over_postgresql() {
    postgresql::again_without("all_of_it_holds_over_postgresql");
}

#[test]
fn asked_granted_disclosed_withdrawn_refused() {
    let w = World::new();
    // Nothing without consent; the refusal is logged and says no more than it may.
    let (status, value) = w.disclose(&w.clinic, "Patient/$everything");
    assert_eq!(
        (status, &value["code"]),
        (403, &json!("NO_GRANT")),
        "{value}"
    );
    assert!(value["proof"]["promise"].is_string());
    // One request without surgery, one for surgery alone.
    let waiting = w.asked(&["demo", "inf.condition", "inf.lab", "inf.rx", "prc.surgery"]);
    assert_eq!(waiting.len(), 2, "{waiting:?}");
    let plain = waiting
        .iter()
        .find(|r| r["individual"] == json!(false))
        .unwrap();
    let surgery = waiting
        .iter()
        .find(|r| r["individual"] == json!(true))
        .unwrap();
    assert_eq!(surgery["cat"], json!(["prc.surgery"]));
    let taken = w.grant(plain);
    assert_eq!(
        (&taken["again"], &taken["state"]),
        (&json!(false), &json!("accepted"))
    );
    assert!(taken["receipt"].is_string());
    let jti = taken["jti"].as_str().unwrap().to_owned();
    // Disclosed, with a proof that the recipient's library takes, and without the surgery.
    let (status, value) = w.disclose(&w.clinic, "Patient/$everything?_count=500");
    assert_eq!(status, 200, "{value}");
    w.checked(&value, CLINIC).unwrap();
    assert!(w.checked(&value, OTHER).is_err());
    let bundle = value["bundle"].as_str().unwrap();
    assert!(bundle.contains("Observation") && bundle.contains("MedicationRequest"));
    assert!(bundle.contains(&format!("\"fullUrl\":\"{ORIGIN}/fhir/Observation/")));
    assert!(!bundle.contains("150000110") && !bundle.contains("秘密の手術"));
    assert!(value.get("withheld").is_none() && value.get("sources").is_none());
    let (bare, token) = warifu_consent::without_provenance(bundle.as_bytes()).unwrap();
    let (_, signed) = warifu_consent::peek(&token).unwrap();
    let data = signed.get("data").and_then(|d| d.text()).unwrap();
    assert_eq!(data, warifu_consent::bundle_hash(&bare));
    // Surgery by its own grant.
    w.grant(surgery);
    let (_, value) = w.disclose(&w.clinic, "Patient/$everything?_count=500");
    assert!(value["bundle"].as_str().unwrap().contains("150000110"));
    // Another institution gets nothing, whatever it holds.
    let (status, value) = w.disclose(&w.other, "Patient/$everything");
    assert_eq!((status, &value["code"]), (403, &json!("AUD")), "{value}");
    // Withdrawn; in the same second the next request is refused.
    let (status, ended) = w.withdraw(&jti);
    assert_eq!((status, &ended["state"]), (201, &json!("ended")), "{ended}");
    assert_eq!(ended["stops"]["online"], json!(w.now() + 960));
    let (status, again) = w.withdraw(&jti);
    assert_eq!((status, &again["state"]), (200, &json!("ended")));
    // Ended before: the receipt of what ended it.
    assert!(ended["receipt"].is_string());
    assert_eq!(again["receipt"], ended["receipt"]);
    assert_eq!(again["tok"], ended["tok"]);
    let (status, value) = w.disclose(&w.clinic, "Observation");
    assert_eq!(status, 200, "{value}");
    assert!(
        !value["bundle"]
            .as_str()
            .unwrap()
            .contains("\"Observation\"")
    );
    // The person sees everything, in the order in which it happened.
    let kinds = w.kinds();
    let tail: Vec<&str> = kinds
        .iter()
        .map(String::as_str)
        .filter(|k| *k != "key")
        .collect();
    assert_eq!(
        tail,
        [
            "refuse", "grant", "disclose", "grant", "disclose", "refuse", "revoke", "disclose"
        ]
    );
    // And the status list says so to others.
    let (head, list) = w.send(Request::get("/api/status/1").body(Body::empty()).unwrap());
    assert_eq!(head.status(), StatusCode::OK);
    let (typ, _) = warifu_consent::peek(std::str::from_utf8(&list).unwrap()).unwrap();
    assert_eq!(typ, Typ::StatusList);
}

#[test]
fn the_person_sees_all_and_can_check_it() {
    let w = World::new();
    let value = w.good(
        "POST",
        "/api/disclose",
        Some(&json!({"search": "Patient/$everything?_count=500"})),
    );
    let bundle = value["bundle"].as_str().unwrap();
    assert!(bundle.contains("150000110") && value["withheld"].is_array());
    // Where each comes from, the person is told: a consent can leave single ones out.
    assert_eq!(value["sources"].as_array().map(Vec::len), Some(1));
    assert_eq!(value["sources"][0]["src"], HOSPITAL);
    let parsed: Value = serde_json::from_str(bundle).unwrap();
    assert_eq!(
        value["sources"][0]["of"].as_array().map(Vec::len),
        parsed["entry"].as_array().map(Vec::len)
    );
    let mine = w.good("GET", "/api/log/mine", None);
    assert!(
        mine["lines"]
            .as_array()
            .unwrap()
            .iter()
            .all(|l| l["promise"].is_string())
    );
    let office = w.office_app.office().unwrap();
    assert_eq!(office.publish(true, 0), Ok(true));
    let mine = w.good("GET", "/api/log/mine", None);
    let lines = mine["lines"].as_array().unwrap();
    let own: Vec<String> = lines.iter().map(|l| l["own"].to_string()).collect();
    let setting = json!({"sub": w.sub, "witnessed": []}).to_string();
    let verdict = warifu_log::api::check_history(setting.as_bytes(), own.join("\n").as_bytes());
    let verdict: Value = serde_json::from_str(&verdict).unwrap();
    assert_eq!(
        (&verdict["ok"], &verdict["head"]),
        (&json!(1), &mine["head"])
    );
    let key = w.good("GET", "/api/log/key", None);
    for line in lines {
        let text = line["own"]["line"].as_str().unwrap();
        let salt = warifu_log::decode_url(line["own"]["salt"].as_str().unwrap()).unwrap();
        let leaf = warifu_log::leaf_data(&salt, text).url();
        let proof = line["proof"].as_str().unwrap();
        let verdict =
            warifu_log::api::check_inclusion(key.to_string().as_bytes(), &leaf, proof.as_bytes());
        assert!(verdict.contains("\"ok\":1"), "{verdict}");
        let other = leaf.replace(&leaf[..1], if leaf.starts_with('A') { "B" } else { "A" });
        let verdict =
            warifu_log::api::check_inclusion(key.to_string().as_bytes(), &other, proof.as_bytes());
        assert!(verdict.contains("\"ok\":0"), "{verdict}");
    }
    let (head, note) = w.send(
        Request::get("/api/log/checkpoint")
            .body(Body::empty())
            .unwrap(),
    );
    assert_eq!(head.status(), StatusCode::OK);
    assert!(note.starts_with(b"c.example.jp/consent-log\n"));
    let (head, _) = w.send(
        Request::get("/api/log/tile/0/000.p/3")
            .body(Body::empty())
            .unwrap(),
    );
    assert!(head.status() == StatusCode::OK || head.status() == StatusCode::NOT_FOUND);
}

#[test]
fn a_page_is_decided_anew_and_holds_what_is_kept() {
    let w = World::new();
    let waiting = w.asked(&["inf.lab"]);
    w.grant(&waiting[0]);
    let mut ids = Vec::new();
    let mut page: Option<String> = None;
    for _ in 0..100 {
        let mut body = json!({"search": "Observation?_count=3"});
        if let Some(page) = &page {
            body["page"] = json!(page);
        }
        let body = body.to_string();
        let token = w.access(&w.clinic, &w.sub, "/api/disclose", &body, "TREAT");
        let (status, value) = w.with_access("/api/disclose", &token, &body);
        assert_eq!(status, 200, "{value}");
        let bundle: Value = serde_json::from_str(value["bundle"].as_str().unwrap()).unwrap();
        let entries = bundle["entry"].as_array().unwrap();
        let own = entries
            .iter()
            .filter(|e| e["resource"]["resourceType"] == json!("Observation"));
        let own: Vec<String> = own
            .map(|e| e["resource"]["id"].as_str().unwrap().to_owned())
            .collect();
        assert!(own.len() <= 3);
        ids.extend(own);
        page = value["next"].as_str().map(str::to_owned);
        if page.is_none() {
            break;
        }
    }
    let (_, value) = w.disclose(&w.clinic, "Observation?_count=500");
    let whole: Value = serde_json::from_str(value["bundle"].as_str().unwrap()).unwrap();
    let all = whole["entry"].as_array().unwrap();
    let all = all
        .iter()
        .filter(|e| e["resource"]["resourceType"] == json!("Observation"));
    let all: Vec<String> = all
        .map(|e| e["resource"]["id"].as_str().unwrap().to_owned())
        .collect();
    assert!(all.len() > 3);
    assert_eq!(ids, all);
}

#[test]
fn replays_forgeries_and_strangers_get_nothing() {
    let w = World::new();
    let waiting = w.asked(&["inf.lab"]);
    let (token, annex) = w.signed(&waiting[0]);
    // Tampered: another signature.
    let (kept, end) = token.split_at(token.len() - 2);
    let bent = format!("{kept}{}", if end == "AA" { "BA" } else { "AA" });
    let body = json!({"token": bent, "annex": b64::encode(&annex)});
    let (status, value) = w.call("POST", "/api/consent/tokens", Some(&body));
    assert!(status == 400 || status == 401, "{value}");
    // Without its annex, and by a stranger's session.
    let (status, value) = w.call(
        "POST",
        "/api/consent/tokens",
        Some(&json!({"token": token})),
    );
    assert_eq!(
        (status, &value["code"], &value["step"]),
        (400, &json!("ANNEX_MISSING"), &json!(18))
    );
    let body = json!({"token": token, "annex": b64::encode(&annex)});
    let request = |origin: &str, cookie: &str| {
        Request::post("/api/consent/tokens")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ORIGIN, origin)
            .header(header::COOKIE, format!("warifu_session={cookie}"))
            .body(Body::from(body.to_string()))
            .unwrap()
    };
    let (head, bytes) = w.send(request("https://evil.example", &w.cookie));
    assert_eq!(head.status(), StatusCode::FORBIDDEN);
    assert!(String::from_utf8(bytes).unwrap().contains("CSRF"));
    let (head, _) = w.send(request(ORIGIN, "nobody"));
    assert_eq!(head.status(), StatusCode::UNAUTHORIZED);
    // Taken once, and answered again with its receipt.
    let first = w.good("POST", "/api/consent/tokens", Some(&body));
    let (status, again) = w.call("POST", "/api/consent/tokens", Some(&body));
    assert_eq!((status, &again["again"]), (200, &json!(true)));
    assert_eq!(again["receipt"], first["receipt"]);
    // An access request counts once, for its own body, address and institution.
    let body = json!({"search": "Observation"}).to_string();
    let access = w.access(&w.clinic, &w.sub, "/api/disclose", &body, "TREAT");
    let (status, value) = w.with_access("/api/disclose", &access, &body);
    assert_eq!(status, 200, "{value}");
    let (status, value) = w.with_access("/api/disclose", &access, &body);
    assert_eq!((status, &value["code"]), (409, &json!("REPLAY")));
    let access = w.access(&w.clinic, &w.sub, "/api/disclose", &body, "TREAT");
    let other = json!({"search": "Patient/$everything"}).to_string();
    let (status, value) = w.with_access("/api/disclose", &access, &other);
    assert_eq!((status, &value["code"]), (401, &json!("QUERY")));
    let access = w.access(&w.clinic, &w.sub, "/api/emergency", &body, "TREAT");
    let (status, value) = w.with_access("/api/disclose", &access, &body);
    assert_eq!((status, &value["code"]), (401, &json!("HTU")));
    let access = w.access(&secret(), &w.sub, "/api/disclose", &body, "TREAT");
    let (status, value) = w.with_access("/api/disclose", &access, &body);
    assert_eq!((status, &value["code"]), (401, &json!("KEY_UNKNOWN")));
    // Somebody who is not known is refused in the same words.
    let access = w.access(
        &w.clinic,
        "s1.EBESExQVFhcYGRobHB0eHw",
        "/api/disclose",
        &body,
        "TREAT",
    );
    let (status, value) = w.with_access("/api/disclose", &access, &body);
    assert_eq!((status, &value["code"]), (403, &json!("NO_GRANT")));
    // Expired.
    w.later(31 * 86_400);
    let (status, value) = w.disclose(&w.clinic, "Observation");
    assert_eq!(
        (status, &value["code"]),
        (403, &json!("EXPIRED")),
        "{value}"
    );
    let (status, value) = w.call("GET", "/api/consent/mine", None);
    assert_eq!((status, &value["code"]), (401, &json!("SESSION")));
}

#[test]
fn a_request_can_be_declined_and_a_lost_key_opens_nothing_more() {
    let w = World::new();
    let waiting = w.asked(&["inf.lab", "prc.surgery"]);
    let req = waiting[1]["req"].as_str().unwrap();
    w.good(
        "POST",
        &format!("/api/requests/{req}/decline"),
        Some(&json!({})),
    );
    let (status, value) = w.call(
        "POST",
        &format!("/api/requests/{req}/open"),
        Some(&json!({})),
    );
    assert_eq!((status, &value["code"]), (409, &json!("ANSWERED")));
    let left = w.good("GET", "/api/requests", None);
    assert_eq!(left["requests"].as_array().unwrap().len(), 1);
    w.grant(left["requests"].as_array().unwrap().first().unwrap());
    assert_eq!(w.disclose(&w.clinic, "Patient/$everything").0, 200);
    let bits = |w: &World| {
        let (_, list) = w.send(Request::get("/api/status/1").body(Body::empty()).unwrap());
        let (_, list) = warifu_consent::peek(std::str::from_utf8(&list).unwrap()).unwrap();
        let bits = list.get("status_list").and_then(|l| l.get("lst")?.text());
        bits.unwrap().to_owned()
    };
    let none = bits(&w);
    let granted = w.now();
    w.later(600);
    // Another device stops the key: what came before stays (consent.md §13), until it is said that the key
    // was lost before that.
    let (lost, mut w) = (w.patient.public().thumbprint(), w);
    w.patient = secret();
    let code = w
        .office_app
        .office()
        .unwrap()
        .enrol_code(PATIENT, "1968-03-03");
    w.enrol(&code.unwrap());
    let stop = |body: &Value| {
        let keys = w.good("POST", &format!("/api/keys/{lost}/compromised"), Some(body));
        let keys = keys["keys"].as_array().unwrap().iter();
        let one = keys.filter(|k| k["kid"] == json!(lost));
        one.map(|k| (k["state"].clone(), k["at"].clone()))
            .next()
            .unwrap()
    };
    let ended = || {
        let mine = w.good("GET", "/api/consent/mine", None);
        mine["tokens"][0]["ended"].clone()
    };
    assert_eq!(
        stop(&json!({})),
        (json!("compromised"), json!(granted + 600))
    );
    w.later(1);
    assert_eq!(w.disclose(&w.clinic, "Patient/$everything").0, 200);
    assert_eq!(ended(), json!(false));
    let path = format!("/api/keys/{lost}/compromised");
    let later = json!({"since": w.now() + 1});
    assert_eq!(w.call("POST", &path, Some(&later)).0, 400);
    assert_eq!(
        stop(&json!({})),
        (json!("compromised"), json!(granted + 600))
    );
    // In the second of the consent it does not count either.
    assert_eq!(
        stop(&json!({"since": granted})),
        (json!("compromised"), json!(granted))
    );
    let (status, value) = w.disclose(&w.clinic, "Patient/$everything");
    assert_eq!(
        (status, &value["code"]),
        (403, &json!("REVOKED")),
        "{value}"
    );
    assert_eq!(ended(), json!(true));
    // So says the list that others read.
    assert_ne!(bits(&w), none);
}

#[test]
fn an_emergency_opens_what_it_may_and_is_seen() {
    let w = World::new();
    let assertion = |key: &SecretKey, role: &str| {
        let payload = json!({"sub": w.sub, "rsn": "unconscious", "idm": "insured", "iat": w.now(),
            "exp": w.now() + 3600, "jti": id(), "per": {"role": role}});
        make(Typ::BreakGlass, claims(&payload), key).unwrap()
    };
    let ask = |key: &SecretKey, role: &str| {
        let body = json!({"assertion": assertion(key, role)}).to_string();
        let token = w.access(key, &w.sub, "/api/emergency", &body, "ETREAT");
        w.with_access("/api/emergency", &token, &body)
    };
    let (status, value) = ask(&w.clinic, "doctor");
    assert_eq!(status, 200, "{value}");
    let bundle = value["bundle"].as_str().unwrap();
    assert!(bundle.contains("救急") && bundle.contains("150000110"));
    let (status, value) = ask(&w.other, "doctor");
    assert_eq!(
        (status, &value["code"]),
        (403, &json!("NOT_AVAILABLE")),
        "{value}"
    );
    let kinds = w.kinds();
    let tail: Vec<&str> = kinds
        .iter()
        .map(String::as_str)
        .filter(|k| *k != "key")
        .collect();
    assert_eq!(tail, ["breakglass", "disclose", "breakglass", "refuse"]);
    // What opened nothing is no case for a review, until it does: then the facility is one of emergencies.
    let office = w.office_app.office().unwrap();
    let cases = || office.reviews(None).unwrap().len();
    assert_eq!(cases(), 1);
    let emergency = |is_one: bool| {
        let rights = Rights {
            emergency: is_one,
            ..Rights::default()
        };
        office.register(&w.other.public(), OTHER, &rights).unwrap();
    };
    let same = assertion(&w.other, "doctor");
    let again = || {
        let body = json!({"assertion": same}).to_string();
        let token = w.access(&w.other, &w.sub, "/api/emergency", &body, "ETREAT");
        w.with_access("/api/emergency", &token, &body).0
    };
    for (is_one, status, count) in [(false, 403, 1), (true, 200, 2), (false, 403, 2)] {
        emergency(is_one);
        assert_eq!((again(), cases()), (status, count), "{is_one}");
    }
}

#[test]
fn what_was_acknowledged_is_there_after_opening_anew() {
    let w = World::new();
    let waiting = w.asked(&["inf.lab"]);
    w.grant(&waiting[0]);
    w.office_app.office().unwrap().publish(true, 0).unwrap();
    let before = w.kinds();
    // A second process on the same store sees it all, and its own lines are seen here.
    let second = router(app(office(&w.data, &w.clock)));
    let body = json!({"search": "Observation"}).to_string();
    let token = w.access(&w.clinic, &w.sub, "/api/disclose", &body, "TREAT");
    let request = Request::post("/api/disclose")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.clone()))
        .unwrap();
    let response = w.runtime.block_on(second.oneshot(request)).unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let after = w.kinds();
    assert_eq!(
        (after.len(), after.last().unwrap().as_str()),
        (before.len() + 1, "disclose")
    );
    // What the first took, the second refuses as a replay, and the other way round.
    let (status, value) = w.with_access("/api/disclose", &token, &body);
    assert_eq!((status, &value["code"]), (409, &json!("REPLAY")));
    // A line that was altered in the store keeps the office shut.
    let db = w.db();
    let sql =
        "UPDATE log_lines SET line = replace(line, 'grant', 'deny') WHERE line LIKE '%\"grant\"%'";
    db.run(sql, &[]).unwrap();
    let clock = Arc::clone(&w.clock);
    let opened = Office::open(&w.data, Box::new(move || clock.load(Ordering::SeqCst)));
    assert!(opened.is_err());
}

#[test]
fn no_name_of_a_person_is_in_the_store_in_clear() {
    let w = World::new();
    w.good(
        "POST",
        "/api/disclose",
        Some(&json!({"search": "Patient/$everything"})),
    );
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    w.office_app.office().unwrap().backup(&copy).unwrap();
    let mut all = std::fs::read(copy).unwrap();
    for name in ["warifu.db", "warifu.db-wal"] {
        all.extend(std::fs::read(w.data.join(name)).unwrap_or_default());
    }
    let holds = |text: &str| all.windows(text.len()).any(|w| w == text.as_bytes());
    assert!(holds("disclose") && holds(&w.sub));
    for text in ["秘密の手術", PATIENT, "birthDate", "1968-03-03"] {
        assert!(!holds(text), "{text}");
    }
}

#[test]
fn what_goes_out_without_names_only_is_refused_with_its_line() {
    let w = World::new();
    let body = json!({"search": "Patient/$everything"}).to_string();
    let lines = || {
        w.good("GET", "/api/log/mine", None)["lines"]
            .as_array()
            .unwrap()
            .len()
    };
    let before = lines();
    for pur in ["ANON", "PSEUDO"] {
        let token = w.access(&w.clinic, &w.sub, "/api/disclose", &body, pur);
        let (status, value) = w.with_access("/api/disclose", &token, &body);
        assert_eq!((status, &value["code"]), (403, &json!("NOT_AVAILABLE")));
        assert!(value["proof"].is_object() && value["bundle"].is_null());
    }
    assert_eq!(lines(), before + 2);
}

#[test]
fn every_route_of_the_description_answers_and_no_other() {
    let w = World::new();
    let described: Value = serde_json::from_str(&warifu_server::openapi()).unwrap();
    let mut count = 0;
    for (path, methods) in described["paths"].as_object().unwrap() {
        let path = path
            .replace("{path}", "0/000")
            .replace("{req}", "x")
            .replace("{kid}", "x")
            .replace("{rel}", "x")
            .replace("{n}", "9");
        for method in ["get", "post", "put", "delete"] {
            let request = Request::builder()
                .method(method.to_uppercase().as_str())
                .uri(&path);
            let (head, bytes) = w.send(request.body(Body::empty()).unwrap());
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let is_there = methods.get(method).is_some();
            assert_eq!(
                head.status() != StatusCode::METHOD_NOT_ALLOWED,
                is_there,
                "{method} {path}"
            );
            assert_ne!(
                head.status(),
                StatusCode::INTERNAL_SERVER_ERROR,
                "{path}: {text}"
            );
            assert!(
                head.headers().contains_key("content-security-policy"),
                "{path}"
            );
            count += usize::from(is_there);
        }
    }
    assert!(count > 20);
    let (head, bytes) = w.send(Request::get("/api/nothing").body(Body::empty()).unwrap());
    assert_eq!(head.status(), StatusCode::NOT_FOUND);
    assert!(String::from_utf8(bytes).unwrap().contains("NOT_FOUND"));
    let request = Request::get("/healthz").header("x-request-id", "abc-1");
    let (head, _) = w.send(request.body(Body::empty()).unwrap());
    assert_eq!(head.headers()["x-request-id"], "abc-1");
    let request = Request::get("/healthz").header("x-request-id", "a b");
    let (head, _) = w.send(request.body(Body::empty()).unwrap());
    assert_ne!(head.headers()["x-request-id"], "a b");
}

impl World {
    /// Takes in a storage of these files.
    fn ingest(&self, files: &[(&str, &[u8])], most: u64) -> warifu_server::Ingested {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let mut options = warifu_storage::Options::standard();
        options.max_file = most;
        let storage = warifu_storage::Storage::open_all(&[folder.path()], &options).unwrap();
        self.office_app.office().unwrap().ingest(&storage).unwrap()
    }

    fn own(&self) -> String {
        let all = json!({"search": "Patient/$everything?_count=500"});
        let value = self.good("POST", "/api/disclose", Some(&all));
        value["bundle"].as_str().unwrap().to_owned()
    }

    fn count(&self, sql: &str, value: &str) -> u64 {
        let rows = self.db().query(sql, &[value.into()]).unwrap();
        rows[0].int(0).unwrap()
    }
}

#[test]
fn a_file_of_another_person_goes_to_nobody() {
    let w = World::new();
    let marked = replaced(&fixture(LAB), "|(3+)|", "|MARK-OF-ANOTHER|");
    let drug = replaced(
        &fixture(DRUG),
        "ORC|NW|000000260401021||1|",
        "ORC|NW|000000260401021|||",
    );
    let mut job = warifu_convert::Job::new(warifu_convert::JobOptions::default()).unwrap();
    let made = job.convert(DRUG, &drug);
    assert!(made.diagnostics.iter().any(|d| d.code == "MAP009"));
    // In the person's own folder with the person's own number, it is shown.
    let done = w.ingest(&[(LAB, &marked), (DRUG, &drug)], 64 << 20);
    assert_eq!((done.patients, done.quarantined), (1, 0), "{done:?}");
    let own = w.own();
    assert!(own.contains("MARK-OF-ANOTHER") && own.contains("MedicationRequest"));
    let persons = |text: &str| text.matches("\"resourceType\":\"Patient\"").count();
    let before = persons(&own);
    // With another's number it is kept apart; a field that is empty is no reason to.
    let foreign = replaced(&marked, "0000990001^^^^PI", "0000999999^^^^PI");
    let done = w.ingest(&[(LAB, &foreign), (DRUG, &drug)], 64 << 20);
    assert_eq!((done.patients, done.quarantined), (1, 1), "{done:?}");
    let own = w.own();
    assert!(!own.contains("MARK-OF-ANOTHER") && own.contains("MedicationRequest"));
    assert_eq!(persons(&own), before);
    let office = w.office_app.office().unwrap();
    let other = office.pseudonym("0000999999").unwrap();
    let records = "SELECT COUNT(*) FROM records WHERE sub = ?1";
    assert_eq!(w.count(records, &other), 0);
    let apart = "SELECT COUNT(*) FROM quarantine WHERE sub = ?1";
    assert_eq!((w.count(apart, &w.sub), w.count(apart, &other)), (1, 0));
    let waiting = w.asked(&["demo", "inf.lab", "inf.rx"]);
    w.grant(&waiting[0]);
    let (status, value) = w.disclose(&w.clinic, "Patient/$everything?_count=500");
    assert_eq!(status, 200, "{value}");
    let bundle = value["bundle"].as_str().unwrap();
    assert!(bundle.contains("MedicationRequest") && !bundle.contains("MARK-OF-ANOTHER"));
    // Only another's: nothing is left, and nothing is shown.
    let done = w.ingest(&[(LAB, &foreign)], 64 << 20);
    assert_eq!((done.records, done.quarantined), (0, 1), "{done:?}");
    assert!(!w.own().contains("MARK-OF-ANOTHER"));
}

#[test]
fn what_cannot_be_read_replaces_nothing_and_what_a_bundle_brought_stays() {
    let w = World::new();
    let (lab, drug) = (fixture(LAB), fixture(DRUG));
    w.ingest(&[(LAB, &lab), (DRUG, &drug)], 64 << 20);
    let records = "SELECT COUNT(*) FROM records WHERE sub = ?1";
    let before = w.count(records, &w.sub);
    let least = u64::try_from(lab.len().min(drug.len())).unwrap();
    assert_ne!(lab.len(), drug.len());
    let done = w.ingest(&[(LAB, &lab), (DRUG, &drug)], least);
    assert_eq!((done.patients, done.unchanged), (0, 0), "{done:?}");
    assert!(done.unreadable > 0);
    assert_eq!(w.count(records, &w.sub), before);
    // A Bundle's resource with the id of one of the storage is the Bundle's from then on.
    let bundle: Value = serde_json::from_str(&w.own()).unwrap();
    let all = bundle["entry"].as_array().unwrap();
    let drawn = all
        .iter()
        .find(|e| e["resource"]["resourceType"] == json!("Observation"))
        .unwrap();
    let mut mine = drawn["resource"].clone();
    mine["code"]["coding"][0]["display"] = json!("BROUGHT-BY-BUNDLE");
    let office = w.office_app.office().unwrap();
    let given = |resource: &Value| {
        let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource}]});
        office.ingest_bundle(PATIENT, bundle.to_string().as_bytes())
    };
    assert_eq!(given(&mine).unwrap().records, 1);
    // What comes again unchanged was recorded then, whatever else is new.
    let latest = |via: &str| {
        let sql = format!("SELECT MAX(recorded) FROM records WHERE sub = ?1 AND via = '{via}'");
        w.count(&sql, &w.sub)
    };
    let (bundles, storages, then) = (latest("bundle"), latest("storage"), w.now());
    w.later(100);
    assert_eq!(given(&mine).unwrap().records, 1);
    let same = replaced(&lab, "\r", "\r\r");
    w.ingest(&[(LAB, &same), (DRUG, &drug)], 64 << 20);
    assert_eq!((latest("bundle"), latest("storage")), (bundles, storages));
    assert_eq!((bundles, storages), (then, then));
    mine["status"] = json!("amended");
    assert_eq!(given(&mine).unwrap().records, 1);
    assert_eq!(latest("bundle"), then + 100);
    w.ingest(
        &[(LAB, &replaced(&lab, "|(3+)|", "|(2+)|")), (DRUG, &drug)],
        64 << 20,
    );
    w.ingest(&[(DRUG, &drug)], 64 << 20);
    assert!(w.own().contains("BROUGHT-BY-BUNDLE"));
    assert!(w.own().contains("150000110"));
    for (name, value) in [
        ("id", "a/b"),
        ("id", ""),
        ("resourceType", "observation"),
        ("resourceType", "A/B"),
    ] {
        let mut bad = mine.clone();
        bad[name] = json!(value);
        assert_eq!(given(&bad).unwrap_err().code(), "BODY", "{name} {value}");
    }
}

#[test]
fn a_wish_that_the_log_tells_of_and_the_store_lost_opens_nothing() {
    let w = World::new();
    let waiting = w.asked(&["inf.lab"]);
    let jti = w.grant(&waiting[0])["jti"].as_str().unwrap().to_owned();
    assert_eq!(w.disclose(&w.clinic, "Observation").0, 200);
    assert_eq!(w.withdraw(&jti).0, 201);
    let sql = "DELETE FROM tokens WHERE typ = ?1";
    let gone = w.db().run(sql, &[Typ::Revoke.wire().into()]).unwrap();
    assert_eq!(gone, 1);
    // The grant stands there as if it held.
    let (status, value) = w.disclose(&w.clinic, "Observation");
    assert_eq!((status, &value["code"]), (503, &json!("STORE")), "{value}");
    for (method, path, body) in [
        ("GET", "/api/consent/mine", None),
        (
            "POST",
            "/api/disclose",
            Some(json!({"search": "Observation"})),
        ),
    ] {
        let (status, value) = w.call(method, path, body.as_ref());
        assert_eq!((status, &value["code"]), (503, &json!("STORE")), "{path}");
    }
    let clock = Arc::clone(&w.clock);
    let opened = Office::open(&w.data, Box::new(move || clock.load(Ordering::SeqCst)));
    assert!(opened.is_err());
}

#[test]
fn a_proxy_sees_what_it_may_and_no_more() {
    let w = World::new();
    let office = w.office_app.office().unwrap();
    let own = w.patient.public();
    let [ward, client, stranger] =
        ["0000990002", "0000990003", "0000990004"].map(|n| office.pseudonym(n).unwrap());
    for (role, sub) in [("adult_guardian", &ward), ("delegate", &client)] {
        office
            .bind(&own, &w.sub, role, Some(sub), "counter")
            .unwrap();
    }
    let everything = json!({"search": "Patient/$everything"});
    let code = |method: &str, path: &str, body: Option<&Value>| {
        let (status, value) = w.call(method, path, body);
        let code = value["code"].as_str().unwrap_or_default().to_owned();
        (status, code, value)
    };
    for (sub, want, seen) in [
        (&ward, (200, ""), (200, "")),
        (&client, (403, "PROXY_SCOPE"), (200, "")),
        (&stranger, (403, "PROXY_NONE"), (403, "PROXY_NONE")),
    ] {
        for path in ["consent/mine", "log/mine", "requests", "keys"] {
            let (status, code, _) = code("GET", &format!("/api/{path}?for={sub}"), None);
            assert_eq!((status, code.as_str()), want, "{path}");
        }
        let path = format!("/api/disclose?for={sub}");
        let (status, code, value) = code("POST", &path, Some(&everything));
        assert_eq!((status, code.as_str()), seen);
        assert!(value.get("withheld").is_none());
    }
    // A guardian's key is not one of the ward's.
    let path = format!("/api/keys/{}/compromised?for={ward}", own.thumbprint());
    let (status, _, _) = code("POST", &path, Some(&json!({})));
    assert_eq!(status, 404);
}

#[test]
fn a_mandate_ends_by_the_person_and_by_the_delegate() {
    let w = World::new();
    let office = w.office_app.office().unwrap();
    let take = |sub: &str, rev: &str, act: Option<Value>| {
        let mut payload =
            json!({"sub": sub, "iat": w.now(), "jti": id(), "rev": rev, "rsn": "withdrawn"});
        if let Some(act) = act {
            payload["act"] = act;
        }
        let token = make(Typ::Revoke, claims(&payload), &w.patient).unwrap();
        let body = json!({"token": token});
        let (status, value) = w.call("POST", "/api/consent/tokens", Some(&body));
        (
            status,
            value["code"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let jti = |token: String| {
        let (_, claims) = warifu_consent::peek(&token).unwrap();
        claims.get("jti").and_then(|j| j.text()).unwrap().to_owned()
    };
    // Another looks at the person's records, until the person ends it.
    let son = secret().public();
    let other = office.pseudonym("0000990005").unwrap();
    let given = office.bind(&son, &other, "delegate", Some(&w.sub), "counter");
    let given = jti(given.unwrap());
    let roles = || {
        let keys = w.good("GET", "/api/keys", None)["keys"].clone();
        let keys = keys.as_array().unwrap().clone();
        let named = |k: &Value| (k["role"].clone(), k["jti"].clone());
        keys.iter().map(named).collect::<Vec<_>>()
    };
    assert_eq!(roles().last(), Some(&(json!("delegate"), json!(given))));
    assert_eq!(roles().len(), 2);
    let own = roles()[0].1.as_str().unwrap().to_owned();
    assert_eq!(take(&w.sub, &own, None), (403, "TARGET_UNKNOWN".to_owned()));
    assert_eq!(take(&w.sub, &given, None), (201, String::new()));
    assert_eq!(roles().len(), 1);
    assert_eq!(w.kinds().iter().filter(|k| *k == "revoke").count(), 1);
    // Ended once more is a success that changes nothing.
    assert_eq!(take(&w.sub, &given, None), (200, String::new()));

    // The person is another's delegate, and resigns.
    let client = office.pseudonym("0000990003").unwrap();
    let had = office.bind(
        &w.patient.public(),
        &w.sub,
        "delegate",
        Some(&client),
        "counter",
    );
    let had = jti(had.unwrap());
    let path = format!("/api/disclose?for={client}");
    let look = json!({"search": "Patient/$everything"});
    assert_eq!(w.call("POST", &path, Some(&look)).0, 200);
    let bindings = || w.good("GET", "/api/session", None)["bindings"].clone();
    assert_eq!(bindings().as_array().unwrap().len(), 2);
    let act = json!({"rel": "delegate", "bnd": had});
    assert_eq!(take(&client, &had, Some(act)), (201, String::new()));
    let (status, value) = w.call("POST", &path, Some(&look));
    assert_eq!((status, &value["code"]), (403, &json!("PROXY_NONE")));
    assert_eq!(bindings().as_array().unwrap().len(), 1);
}

#[test]
fn a_zero_in_a_text_is_refused_before_the_store_sees_it() {
    let w = World::new();
    for (method, path, body, want) in [
        (
            "POST",
            "/api/requests/a%00b/open",
            Some(json!({})),
            (404, "NOT_FOUND"),
        ),
        (
            "POST",
            "/api/keys/a%00b/compromised",
            Some(json!({})),
            (404, "NOT_FOUND"),
        ),
        ("GET", "/api/keys?for=a%00b", None, (400, "PARAMETER")),
        (
            "POST",
            "/api/disclose",
            Some(json!({"search": "Patient/$everything?_id=a\0"})),
            (400, "BODY"),
        ),
    ] {
        let (status, value) = w.call(method, path, body.as_ref());
        assert_eq!(
            (status, value["code"].as_str()),
            (want.0, Some(want.1)),
            "{path}"
        );
    }
}

#[test]
fn what_nobody_could_sign_is_not_asked() {
    let w = World::new();
    let path = "/api/consent/requests";
    let ask = |pur: &str, dat: Value| {
        let body = json!({"patient": PATIENT, "aud": [CLINIC], "pur": [pur], "cat": ["inf.lab"], "dat": dat});
        let body = body.to_string();
        let token = w.access(&w.clinic, "s1.AAAAAAAAAAAAAAAAAAAAAA", path, &body, "TREAT");
        let (status, value) = w.with_access(path, &token, &body);
        (
            status,
            value["code"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let good = json!({"from": "2026-01-01", "to": "2026-01-01"});
    assert_eq!(ask("TREAT", good.clone()).0, 201);
    let turned = json!({"from": "2026-01-02", "to": "2026-01-01"});
    assert_eq!(ask("TREAT", turned), (400, "BODY".to_owned()));
    let policy: Value =
        serde_json::from_slice(&std::fs::read(w.data.join("policy.json")).unwrap()).unwrap();
    let all = policy["purposes"].as_array().unwrap();
    let mut count = 0;
    for purpose in all.iter().filter(|p| p["kind"] != json!("opt-in")) {
        let (status, code) = ask(purpose["code"].as_str().unwrap(), good.clone());
        assert_eq!(
            (status, code.as_str()),
            (400, "PURPOSE_UNKNOWN"),
            "{purpose}"
        );
        count += 1;
    }
    assert!(count > 0);
    // Nor is a page asked for that nobody has.
    for page in ["-1", "x", "18446744073709551615", "99999999999999999999"] {
        let body = json!({"search": "Observation", "page": page});
        let (status, value) = w.call("POST", "/api/disclose", Some(&body));
        assert_eq!(
            (status, &value["code"]),
            (400, &json!("PARAMETER")),
            "{page}"
        );
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions()) & 0o777
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
    std::fs::set_permissions(path, mode).unwrap();
}

/// A folder of data as `w` has it, without its database; over PostgreSQL with a fresh one.
#[cfg(unix)]
fn without_database(w: &World, to: &Path) {
    copied(&w.data, to);
    let kept = to.join("secret/database.url");
    if let Some(url) = postgresql::given() {
        std::fs::write(kept, url).unwrap();
    }
}

#[test]
#[cfg(unix)]
fn a_backup_is_its_owners_and_comes_back() {
    let w = World::new();
    let office = w.office_app.office().unwrap();
    let waiting = w.asked(&["inf.lab"]);
    let jti = w.grant(&waiting[0])["jti"].as_str().unwrap().to_owned();
    office.publish(true, 0).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    office.backup(&copy).unwrap();
    assert!(office.backup(&copy).is_err());
    let mut modes = vec![
        (w.data.clone(), 0o700),
        (w.data.join("secret"), 0o700),
        (copy.clone(), 0o600),
    ];
    if w.data.join("secret/database.url").exists() {
        modes.push((w.data.join("secret/database.url"), 0o600));
    } else {
        modes.push((w.data.join("warifu.db"), 0o600));
        modes.push((w.data.join("warifu.db-wal"), 0o600));
    }
    for (path, want) in modes {
        assert_eq!(mode(&path), want, "{}", path.display());
    }
    let clock = || -> warifu_server::Clock {
        let clock = Arc::clone(&w.clock);
        Box::new(move || clock.load(Ordering::SeqCst))
    };
    let one = folder.path().join("one");
    without_database(&w, &one);
    let back = Office::restore(&one, &copy, clock()).unwrap();
    assert_eq!(back.lines(), office.lines());
    drop(back);
    // What is there is not overwritten.
    assert!(Office::restore(&one, &copy, clock()).is_err());
    let back = Office::open(&one, clock()).unwrap();
    assert_eq!(back.lines(), office.lines());
    drop(back);
    // Nor with the keys of another folder, nor from what is no copy.
    let two = folder.path().join("two");
    without_database(&w, &two);
    let key = two.join("secret/data.key");
    let mut bytes = std::fs::read(&key).unwrap();
    bytes[0] ^= 1;
    std::fs::write(&key, bytes).unwrap();
    assert!(Office::restore(&two, &copy, clock()).is_err());
    std::fs::copy(w.data.join("secret/data.key"), &key).unwrap();
    assert!(Office::restore(&two, &w.data.join("policy.json"), clock()).is_err());
    assert!(Office::restore(&two, &w.data, clock()).is_err());
    // Nor one that lacks a withdrawal that everybody could see.
    w.withdraw(&jti);
    office.publish(true, 0).unwrap();
    std::fs::copy(w.data.join("checkpoint"), two.join("checkpoint")).unwrap();
    assert!(Office::restore(&two, &copy, clock()).is_err());
    assert!(!two.join("warifu.db").exists() && !two.join("warifu.db-wal").exists());
    let newer = folder.path().join("newer.db");
    office.backup(&newer).unwrap();
    assert!(Office::restore(&two, &newer, clock()).is_ok());
    // Others who may look in are kept out before anything is opened.
    set_mode(&one, 0o750);
    assert!(Office::open(&one, clock()).is_err());
    set_mode(&one, 0o700);
    let own = one.join("warifu.db");
    if own.exists() {
        set_mode(&own, 0o644);
        assert!(Office::open(&one, clock()).is_ok());
        assert_eq!(mode(&own), 0o600);
    } else {
        let address = one.join("secret/database.url");
        set_mode(&address, 0o644);
        assert!(Office::open(&one, clock()).is_err());
        set_mode(&address, 0o600);
        // Two databases: whichever was meant, the other would be forgotten.
        std::fs::write(&own, "").unwrap();
        assert!(Office::open(&one, clock()).is_err());
    }
}

const EMERGENCY: Rights = Rights {
    emergency: true,
    sends: false,
    certificate: None,
};

#[test]
fn an_institution_is_registered_as_it_is() {
    let w = World::new();
    let office = w.office_app.office().unwrap();
    let emergency = || {
        let payload = json!({"sub": w.sub, "rsn": "unconscious", "idm": "insured", "iat": w.now(),
            "exp": w.now() + 3600, "jti": id(), "per": {"role": "doctor"}});
        let assertion = make(Typ::BreakGlass, claims(&payload), &w.clinic).unwrap();
        let body = json!({"assertion": assertion}).to_string();
        let token = w.access(&w.clinic, &w.sub, "/api/emergency", &body, "ETREAT");
        w.with_access("/api/emergency", &token, &body).0
    };
    let key = w.clinic.public();
    assert_eq!(emergency(), 200);
    office.register(&key, CLINIC, &Rights::default()).unwrap();
    assert_eq!(emergency(), 403);
    office.register(&key, CLINIC, &EMERGENCY).unwrap();
    assert_eq!(emergency(), 200);
    let code = |done: Result<(), warifu_server::Problem>| done.map_err(|p| p.code().to_owned());
    let refused = |code: &str| Err(code.to_owned());
    for bad in [
        "",
        "mi:",
        "mi:*",
        "mi:131234567",
        "mi:13123456780",
        "1312345678",
        "x:1",
    ] {
        let done = office.register(&secret().public(), bad, &Rights::default());
        assert_eq!(code(done), refused("AUD_UNKNOWN"), "{bad}");
    }
    assert_eq!(
        code(office.register(&key, OTHER, &EMERGENCY)),
        refused("PERSON")
    );
    let stranger = secret().public();
    assert_eq!(
        code(office.end_key(&stranger, "retired")),
        refused("KEY_UNKNOWN")
    );
    assert_eq!(code(office.end_key(&key, "active")), refused("BODY"));
    office.end_key(&key, "retired").unwrap();
    office.end_key(&key, "retired").unwrap();
    assert_eq!(code(office.end_key(&key, "compromised")), refused("PERSON"));
    assert_eq!(
        code(office.register(&key, CLINIC, &EMERGENCY)),
        refused("PERSON")
    );
    w.later(1);
    let (status, value) = w.disclose(&w.clinic, "Observation");
    assert_eq!(status, 401, "{value}");
}

#[test]
fn a_key_that_meets_too_many_refusals_is_held_until_somebody_lifts_it() {
    let w = World::new();
    let office = w.office_app.office().unwrap();
    let kid = w.clinic.public().thumbprint();
    let waiting = w.asked(&["inf.lab"]);
    w.grant(&waiting[0]);
    let stranger = "s1.EBESExQVFhcYGRobHB0eHw";
    let body = json!({"search": "Observation"}).to_string();
    let guess = || {
        let token = w.access(&w.clinic, stranger, "/api/disclose", &body, "TREAT");
        w.with_access("/api/disclose", &token, &body)
    };
    let lines = |what: &str| {
        let like = format!("%\"kind\":\"watch\"%\"what\":\"{what}\"%");
        w.count("SELECT COUNT(*) FROM log_lines WHERE line LIKE ?1", &like)
    };
    for n in 0..200 {
        assert_eq!(guess().1["code"], json!("NO_GRANT"), "{n}");
    }
    assert_eq!(w.disclose(&w.clinic, "Observation").0, 200);
    assert_eq!((office.held().unwrap().len(), lines("held")), (0, 0));
    // One more: told as before, and from then on nothing goes out.
    assert_eq!(guess().1["code"], json!("NO_GRANT"));
    assert_eq!(lines("held"), 1);
    let held = office.held().unwrap();
    assert_eq!(
        (held[0].kid.as_str(), held[0].code.as_str()),
        (kid.as_str(), CLINIC)
    );
    assert_eq!(held[0].rule, "refusals-an-hour");
    for _ in 0..2 {
        let (status, value) = w.disclose(&w.clinic, "Observation");
        assert_eq!((status, &value["code"]), (403, &json!("HELD")), "{value}");
        assert!(value["proof"]["line"].is_string());
    }
    // An hour alone lifts nothing, and another server over the same store knows it.
    w.later(3_601);
    assert_eq!(
        w.disclose(&w.clinic, "Observation").1["code"],
        json!("HELD")
    );
    assert_eq!(self::office(&w.data, &w.clock).held().unwrap(), held);
    assert!(office.lift("x").is_err());
    office.lift(&kid).unwrap();
    assert_eq!((office.held().unwrap().len(), lines("released")), (0, 1));
    assert_eq!(w.disclose(&w.clinic, "Observation").0, 200);
}

#[test]
fn the_monitor_sees_what_happens_and_not_to_whom() {
    use http_body_util::BodyExt as _;
    let w = World::new();
    let office = w.office_app.office().unwrap();
    let own = secret();
    office
        .register(&own.public(), HOSPITAL, &Rights::default())
        .unwrap();
    let follow = |key: &SecretKey, last: Option<&str>| {
        let payload = json!({
            "sub": "s1.AAAAAAAAAAAAAAAAAAAAAA", "pur": "TREAT", "ath": "registered", "q": hash::sha256_text(&[]),
            "jti": id(), "iat": w.now(), "exp": w.now() + 300, "htm": "GET",
            "htu": format!("{ORIGIN}/api/watch"), "per": {"role": "auditor"},
        });
        let access = make(Typ::Access, claims(&payload), key).unwrap();
        let mut request = Request::get("/api/watch");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let request = request.header(header::AUTHORIZATION, format!("Bearer {access}"));
        let sent = w.app.clone().oneshot(request.body(Body::empty()).unwrap());
        w.runtime.block_on(sent).unwrap()
    };
    // What is sent until some words have come.
    let until = |body: &mut Body, words: &str| {
        let mut all = String::new();
        w.runtime.block_on(async {
            while !all.contains(words) {
                let frame = body.frame().await.unwrap().unwrap();
                all.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
            }
        });
        all
    };
    assert_eq!(follow(&w.clinic, None).status(), StatusCode::FORBIDDEN);
    let response = follow(&own, None);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    w.disclose(&w.clinic, "Observation");
    let waiting = w.asked(&["inf.lab"]);
    w.grant(&waiting[0]);
    w.disclose(&w.clinic, "Observation");
    let all = until(&mut body, "event: disclose");
    let (refused, gone) = (all.find("event: refuse"), all.find("event: disclose"));
    assert!(refused.is_some() && refused < gone, "{all}");
    assert!(
        all.contains(CLINIC) && !all.contains("s1.") && !all.contains("event: grant"),
        "{all}"
    );
    // It goes on where it was, and not from the beginning.
    let before = all[..refused.unwrap()].lines().last().unwrap();
    let index = before.strip_prefix("id: ").unwrap();
    let mut body = follow(&own, Some(index)).into_body();
    assert!(!until(&mut body, "event: disclose").contains("event: refuse"));
    assert_eq!(follow(&own, Some("x")).status(), StatusCode::BAD_REQUEST);
}

/// What an institution asks for, by a patient number.
fn wished(w: &World, patient: &str, cats: &[&str], days: u64) -> (u16, Value) {
    let body =
        json!({"patient": patient, "aud": [CLINIC], "pur": ["TREAT"], "cat": cats, "days": days});
    let body = body.to_string();
    let path = "/api/consent/requests";
    let nobody = "s1.AAAAAAAAAAAAAAAAAAAAAA";
    let token = w.access(&w.clinic, nobody, path, &body, "TREAT");
    w.with_access(path, &token, &body)
}

/// How many requests wait; the session is a new one.
fn waiting_now(w: &mut World) -> Vec<Value> {
    w.again();
    let all = w.good("GET", "/api/requests", None);
    all["requests"].as_array().unwrap().clone()
}

#[test]
fn the_same_wish_comes_once_and_not_again_after_a_refusal() {
    const STRANGER: &str = "0000777777";
    let mut w = World::new();
    let cats = ["inf.lab", "prc.surgery"];
    // Whatever happens here, the institution hears the same of somebody who is not here.
    let both = |w: &World, cats: &[&str], days| {
        let (status, value) = wished(w, PATIENT, cats, days);
        let (other, _) = wished(w, STRANGER, cats, days);
        assert_eq!(status, other, "{value}");
        (status, value["req"].clone())
    };
    let (status, req) = both(&w, &cats, 30);
    assert_eq!(status, 201);
    for _ in 0..60 {
        assert_eq!(both(&w, &cats, 30), (200, req.clone()));
    }
    let waiting = waiting_now(&mut w);
    assert_eq!(waiting.len(), 2);
    // A part of it is the same wish, too.
    assert_eq!(both(&w, &["prc.surgery"], 30).0, 200);
    assert_eq!(waiting_now(&mut w).len(), 2);
    // Refused: not again, for whatever time, and nobody is told.
    for one in &waiting {
        let path = format!("/api/requests/{}/decline", one["req"].as_str().unwrap());
        w.good("POST", &path, Some(&json!({})));
    }
    assert_eq!(both(&w, &cats, 30), (200, req));
    assert_eq!(both(&w, &cats, 31).0, 201);
    assert_eq!(waiting_now(&mut w).len(), 0);
    // Also when the first request would have ended, and when everybody has forgotten it but the person.
    w.later(31 * 86_400);
    assert_eq!(both(&w, &cats, 30).0, 201);
    assert_eq!(waiting_now(&mut w).len(), 0);
    // Another wish is another wish.
    assert_eq!(both(&w, &["inf.rx"], 30).0, 201);
    assert_eq!(waiting_now(&mut w).len(), 1);
    // Whoever shows a code wants to be asked.
    let code = w.good("POST", "/api/code", Some(&json!({})));
    let body =
        json!({"code": code["code"], "aud": [CLINIC], "pur": ["TREAT"], "cat": cats, "days": 30});
    let body = body.to_string();
    let path = "/api/consent/requests";
    let token = w.access(&w.clinic, "s1.AAAAAAAAAAAAAAAAAAAAAA", path, &body, "TREAT");
    assert_eq!(w.with_access(path, &token, &body).0, 201);
    let waiting = waiting_now(&mut w);
    assert_eq!(waiting.len(), 3);
    // What was granted may be asked for again, when it has ended or not.
    let lab = waiting
        .iter()
        .find(|r| r["cat"] == json!(["inf.rx"]))
        .unwrap();
    w.grant(lab);
    assert_eq!(wished(&w, PATIENT, &["inf.rx"], 30).0, 201);
    assert_eq!(waiting_now(&mut w).len(), 3);
    // After half a year it may be asked for once more.
    w.later(181 * 86_400);
    assert_eq!(wished(&w, PATIENT, &cats, 30).0, 201);
    assert_eq!(waiting_now(&mut w).len(), 2);
}

#[test]
fn an_institution_asks_a_person_ten_times_at_most() {
    let mut w = World::new();
    for patient in [PATIENT, "0000777777"] {
        for days in 1..=10 {
            assert_eq!(wished(&w, patient, &["inf.lab"], days).0, 201);
        }
        let (status, value) = wished(&w, patient, &["inf.lab"], 11);
        assert_eq!((status, &value["code"]), (429, &json!("ASKED")));
        // What was asked for is answered as before.
        assert_eq!(wished(&w, patient, &["inf.lab"], 10).0, 200);
    }
    assert_eq!(waiting_now(&mut w).len(), 10);
    w.later(31 * 86_400);
    assert_eq!(wished(&w, PATIENT, &["inf.lab"], 11).0, 201);
    assert_eq!(waiting_now(&mut w).len(), 1);
}

#[test]
fn a_preview_is_what_the_grant_shows_then() {
    let w = World::new();
    let draft = |cats: &[&str]| json!({"aud": [CLINIC], "pur": ["TREAT"], "cat": cats, "dat": {"from": "2020-01-01"}});
    let items = |draft: &Value| {
        let value = w.good("POST", "/api/consent/preview", Some(draft));
        value["items"].as_array().unwrap().clone()
    };
    let names = |items: &[Value], shown: bool| {
        let own = items.iter().filter(|i| i["shown"] == json!(shown));
        let mut all: Vec<String> = own
            .map(|i| {
                format!(
                    "{}/{}",
                    i["type"].as_str().unwrap(),
                    i["id"].as_str().unwrap()
                )
            })
            .collect();
        all.sort_unstable();
        all
    };
    let cats = ["inf.lab", "inf.rx"];
    let lines = w.office_app.office().unwrap().lines().unwrap();
    let seen = items(&draft(&cats));
    // A look at what would be is no disclosure.
    assert_eq!(w.office_app.office().unwrap().lines().unwrap(), lines);
    let surgery = seen
        .iter()
        .find(|i| i["type"] == json!("Procedure") && i["id"] == json!("op1"));
    let surgery = surgery.unwrap();
    assert_eq!(
        (&surgery["shown"], &surgery["reason"]),
        (&json!(false), &json!("CATEGORY")),
        "{surgery}"
    );
    assert!(!seen.iter().any(|i| i["type"] == json!("Patient")));
    // What is hidden in the annex is not shown.
    let hidden = seen.iter().find(|i| i["shown"] == json!(true)).unwrap();
    let annex = json!({"v": 1, "salt": b64::encode(&[7; 16]), "src": [], "res": [hidden["key"]], "lbl": []});
    let mut bent = draft(&cats);
    bent["annex"] = json!(b64::encode(claims(&annex).write().as_bytes()));
    let without = items(&bent);
    let again = without.iter().find(|i| i["key"] == hidden["key"]).unwrap();
    assert_eq!(again["shown"], json!(false));
    // The grant shows exactly that.
    let waiting = w.asked(&cats);
    w.grant(&waiting[0]);
    let (status, value) = w.disclose(&w.clinic, "Patient/$everything?_count=500");
    assert_eq!(status, 200, "{value}");
    let bundle: Value = serde_json::from_str(value["bundle"].as_str().unwrap()).unwrap();
    let companions = [
        "Device",
        "Location",
        "Medication",
        "Organization",
        "Patient",
        "Practitioner",
        "PractitionerRole",
        "Provenance",
        "RelatedPerson",
        "Specimen",
    ];
    let mut went: Vec<String> = bundle["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["resource"])
        .filter(|r| !companions.contains(&r["resourceType"].as_str().unwrap()))
        .map(|r| {
            format!(
                "{}/{}",
                r["resourceType"].as_str().unwrap(),
                r["id"].as_str().unwrap()
            )
        })
        .collect();
    went.sort_unstable();
    let vital = json!({"aud": [CLINIC], "pur": ["TREAT"], "cat": ["vit"]});
    assert!(went.len() > 10);
    assert_eq!(names(&seen, true), went);
    // What another grant opens already is shown, whatever the draft says.
    let both = names(&items(&vital), true);
    assert!(both.len() > went.len() && went.iter().all(|one| both.contains(one)));
    // To others it opens what the draft says, and nothing of that grant.
    let other = json!({"aud": [OTHER], "pur": ["TREAT"], "cat": ["vit"]});
    let theirs = names(&items(&other), true);
    assert!(!theirs.is_empty() && theirs.iter().all(|one| !went.contains(one)));
    for (draft, code) in [
        (
            json!({"aud": [CLINIC], "pur": ["TREAT"], "cat": ["inf.lab", "prc.surgery"]}),
            "INDIVIDUAL_BUNDLED",
        ),
        (
            json!({"aud": [CLINIC], "pur": ["NOTHING"], "cat": ["inf.lab"]}),
            "PURPOSE_UNKNOWN",
        ),
        (
            json!({"aud": [CLINIC], "pur": ["TREAT"], "cat": []}),
            "CATEGORY_UNKNOWN",
        ),
        (json!({"aud": [], "pur": ["TREAT"], "cat": ["vit"]}), "BODY"),
        (
            json!({"aud": [CLINIC], "pur": ["TREAT"], "cat": ["vit"], "annex": "AA"}),
            "BODY",
        ),
        (
            json!({"aud": [CLINIC], "pur": ["TREAT"], "cat": ["vit"], "dat": {"from": "x"}}),
            "BODY",
        ),
    ] {
        let (status, value) = w.call("POST", "/api/consent/preview", Some(&draft));
        assert_eq!(
            (status, value["code"].as_str()),
            (400, Some(code)),
            "{draft}"
        );
    }
}
