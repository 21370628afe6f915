//! What a desk does for people without a key, how a card binds one, and what people find wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod world;

use serde_json::{Value, json};
use warifu_consent::{Lang, Signer as _, Typ, b64, make};
use warifu_server::{App, Card as _, CardDouble, Config, Limits, Mandate, Office, Visitor, router};
use world::*;

#[test]
fn all_of_it_holds_over_postgresql() {
    postgresql::again_without("all_of_it_holds_over_postgresql");
}

const VISITOR: Visitor<'static> = Visitor {
    institution: HOSPITAL,
    patient: PATIENT,
    identified: "counter",
};
const BIRTH: &str = "1968-03-03";

fn desk(w: &World) -> &Office {
    w.office_app.office().unwrap()
}

/// The newest line of the person.
fn newest(w: &World) -> Value {
    let mine = w.good("GET", "/api/log/mine", None);
    let line = mine["lines"].as_array().unwrap().last().unwrap()["own"]["line"].clone();
    serde_json::from_str(line.as_str().unwrap()).unwrap()
}

#[test]
fn a_consent_ends_at_the_desk_as_it_does_with_a_key() {
    let w = World::new();
    let waiting = w.asked(&["inf.lab"]);
    let taken = w.grant(&waiting[0]);
    assert_eq!(w.disclose(&w.clinic, "Observation").0, 200);
    let standing = desk(&w).standing(&VISITOR).unwrap();
    assert_eq!(standing.len(), 1);
    let one = &standing[0];
    assert_eq!(
        (json!(one.tok), one.typ),
        (taken["tok"].clone(), "consent-grant+jwt")
    );
    assert_eq!(one.codes[0], [CLINIC]);
    // Another person's number ends nothing, nor does a stranger's, nor a way to identify that is none.
    for visitor in [
        Visitor {
            patient: "0000990002",
            ..VISITOR
        },
        Visitor {
            patient: "0000777777",
            ..VISITOR
        },
        Visitor {
            institution: OTHER,
            ..VISITOR
        },
    ] {
        let refused = desk(&w).withdraw_at_desk(&visitor, &one.tok, false, Lang::Ja);
        assert_eq!(refused.unwrap_err().code(), "NOT_FOUND");
    }
    let nobody = Visitor {
        identified: "face",
        ..VISITOR
    };
    assert_eq!(desk(&w).standing(&nobody).unwrap_err().code(), "BODY");
    assert_eq!(w.disclose(&w.clinic, "Observation").0, 200);
    let done = desk(&w)
        .withdraw_at_desk(&VISITOR, &one.tok, false, Lang::Ja)
        .unwrap();
    assert!(!done.again && done.receipt.is_some());
    // The line says how the person was identified; the next request is refused.
    let line = newest(&w);
    assert_eq!(
        (&line["kind"], &line["idp"]),
        (&json!("revoke"), &json!("counter"))
    );
    let (status, value) = w.disclose(&w.clinic, "Observation");
    assert_eq!(
        (status, &value["code"]),
        (403, &json!("REVOKED")),
        "{value}"
    );
    assert!(desk(&w).standing(&VISITOR).unwrap().is_empty());
    // Whoever tries twice hears of the first.
    let again = desk(&w)
        .withdraw_at_desk(&VISITOR, &one.tok, false, Lang::Ja)
        .unwrap();
    assert!(again.again && again.receipt == done.receipt);
    let mine = w.good("GET", "/api/consent/mine", None);
    assert_eq!(mine["tokens"][0]["ended"], json!(true));
    // Both are there after opening anew.
    assert!(office(&w.data, &w.clock).lines().unwrap() > 0);
}

#[test]
fn the_registrys_key_is_worth_nothing_over_the_net() {
    let w = World::new();
    let waiting = w.asked(&["inf.lab"]);
    let jti = w.grant(&waiting[0])["jti"].as_str().unwrap().to_owned();
    let pem = std::fs::read_to_string(w.data.join("secret/registry.pem")).unwrap();
    let registry = warifu_consent::SecretKey::from_pem(&pem).unwrap();
    let payload = json!({"sub": w.sub, "iat": w.now(), "jti": id(), "rev": jti, "rsn": "withdrawn", "by": "registry"});
    let token = make(Typ::Revoke, claims(&payload), &registry).unwrap();
    let (status, value) = w.call(
        "POST",
        "/api/consent/tokens",
        Some(&json!({"token": token})),
    );
    assert_eq!(
        (status, &value["code"], &value["claim"]),
        (403, &json!("SUB"), &json!("by")),
        "{value}"
    );
    assert_eq!(w.disclose(&w.clinic, "Observation").0, 200);
}

#[test]
fn a_prohibition_ends_at_the_desk_with_its_text_and_a_notice() {
    let w = World::new();
    let given = w.good("POST", "/api/consent/nonce", Some(&json!({})));
    let policy = warifu_consent::Policy::reference().unwrap();
    let master = std::fs::read(w.data.join("master.json")).unwrap();
    let master = warifu_consent::Master::read(&master).unwrap();
    let mut payload = json!({
        "sub": w.sub, "aud": ["*"], "pur": ["*"], "cat": ["inf.lab"], "emg": false, "iat": w.now(), "nbf": w.now(),
        "jti": id(), "nonce": given["nonce"], "status": given["status"],
    });
    // "Not even in an emergency": the text that is signed says that a desk ends it.
    payload["emg"] = json!(true);
    let family = warifu_consent::family(&policy, Typ::Deny, &claims(&payload)).unwrap();
    payload["txt"] =
        json!({"id": family, "ver": warifu_consent::TEXT_VERSION, "lang": "ja", "m": 1, "h": ""});
    let (bound, shown) =
        warifu_consent::bind_text(&policy, &master, Typ::Deny, claims(&payload), None).unwrap();
    let token = make(Typ::Deny, bound, &w.patient).unwrap();
    w.good(
        "POST",
        "/api/consent/tokens",
        Some(&json!({"token": token})),
    );
    let standing = desk(&w).standing(&VISITOR).unwrap();
    assert_eq!(standing[0].typ, "consent-deny+jwt");
    assert!(shown.contains("窓口で、やめられます"), "{shown}");
    let tok = &standing[0].tok;
    let another = Visitor {
        patient: "0000990002",
        ..VISITOR
    };
    for lang in [Lang::Ja, Lang::En] {
        let refused = desk(&w).withdraw_at_desk(&another, tok, false, lang);
        assert_eq!(refused.unwrap_err().code(), "NOT_FOUND");
    }
    let heard = desk(&w).withdrawal_text(&VISITOR, tok, Lang::Ja).unwrap();
    assert!(heard.unwrap().starts_with("# "));
    assert_eq!(desk(&w).standing(&VISITOR).unwrap().len(), 1);
    w.later(60);
    let done = desk(&w)
        .withdraw_at_desk(&VISITOR, tok, true, Lang::Ja)
        .unwrap();
    assert!(!done.again && done.receipt.is_some());
    assert!(desk(&w).standing(&VISITOR).unwrap().is_empty());
    let mine = w.good("GET", "/api/consent/mine", None);
    assert_eq!(mine["tokens"][0]["ended"], json!(true));
    // How the person was identified, and that the person is told, are lines of the person.
    let lines = w.good("GET", "/api/log/mine", None);
    let lines = lines["lines"].as_array().unwrap().iter().rev().take(2);
    let lines: Vec<Value> = lines
        .map(|l| serde_json::from_str(l["own"]["line"].as_str().unwrap()).unwrap())
        .collect();
    assert_eq!(
        (&lines[1]["kind"], &lines[1]["idp"]),
        (&json!("revoke"), &json!("counter"))
    );
    assert_eq!(
        (&lines[0]["kind"], &lines[0]["what"], &lines[0]["hash"]),
        (&json!("notice"), &json!("undeny"), &json!(tok))
    );
    let count = desk(&w).lines().unwrap();
    let again = desk(&w)
        .withdraw_at_desk(&VISITOR, tok, false, Lang::Ja)
        .unwrap();
    assert!(again.again && desk(&w).lines().unwrap() == count);
    assert!(office(&w.data, &w.clock).lines().unwrap() > 0);
}

#[test]
fn an_objection_is_made_at_the_desk_by_anybody() {
    let w = World::new();
    let none: [&[String]; 3] = [&[], &[], &[]];
    let text = desk(&w).objection_text(&VISITOR, none, Lang::Ja).unwrap();
    assert!(text.contains("架空割符病院") || text.len() > 50, "{text}");
    let lines = desk(&w).lines().unwrap();
    let done = desk(&w).object_at_desk(&VISITOR, none, Lang::Ja).unwrap();
    assert!(done.receipt.is_some());
    assert_eq!(desk(&w).lines().unwrap(), lines + 1);
    let line = newest(&w);
    assert_eq!(
        (&line["kind"], &line["idp"]),
        (&json!("objection"), &json!("counter"))
    );
    let mine = w.good("GET", "/api/consent/mine", None);
    assert_eq!(
        (&mine["tokens"][0]["typ"], &mine["seq"]),
        (&json!("consent-objection+jwt"), &json!(1))
    );
    // Before anything of the person is kept.
    let stranger = Visitor {
        patient: "0000777777",
        identified: "jpki",
        ..VISITOR
    };
    desk(&w).object_at_desk(&stranger, none, Lang::En).unwrap();
    let treat = ["TREAT".to_owned()];
    let wrong = desk(&w).object_at_desk(&VISITOR, [&treat, &[], &[]], Lang::Ja);
    assert_eq!(wrong.unwrap_err().code(), "OPTIN_AS_OBJECTION");
    assert!(office(&w.data, &w.clock).lines().unwrap() > lines);
}

#[test]
fn a_lost_key_ends_at_the_desk() {
    let w = World::new();
    let waiting = w.asked(&["inf.lab"]);
    w.grant(&waiting[0]);
    let kid = w.patient.public().thumbprint();
    let keys = desk(&w).keys_at_desk(&VISITOR).unwrap();
    assert_eq!(
        (keys.len(), keys[0].kid.as_str(), keys[0].state),
        (1, kid.as_str(), "active")
    );
    let end = |who: &Visitor<'_>, kid: &str, state: &str| {
        desk(&w)
            .end_key_at_desk(who, kid, state, None)
            .map_err(|p| p.code().to_owned())
    };
    let another = Visitor {
        patient: "0000990002",
        ..VISITOR
    };
    assert_eq!(
        end(&another, &kid, "compromised"),
        Err("NOT_FOUND".to_owned())
    );
    assert_eq!(
        end(&VISITOR, "x", "compromised"),
        Err("NOT_FOUND".to_owned())
    );
    assert_eq!(end(&VISITOR, &kid, "active"), Err("BODY".to_owned()));
    // Some time after the consent: what came before the stop stays (consent.md §13).
    w.later(3_600);
    let stopped = w.now();
    assert_eq!(end(&VISITOR, &kid, "compromised"), Ok(()));
    assert_eq!(end(&VISITOR, &kid, "compromised"), Ok(()));
    assert_eq!(end(&VISITOR, &kid, "retired"), Err("ANSWERED".to_owned()));
    assert_eq!(w.call("GET", "/api/consent/mine", None).0, 401);
    w.later(60);
    let (status, value) = w.disclose(&w.clinic, "Observation");
    assert_eq!(status, 200, "{value}");
    assert_eq!(desk(&w).standing(&VISITOR).unwrap().len(), 1);
    // The key was lost before that: the stop is dated back, and what came since then closes.
    let back = |since: u64| {
        desk(&w)
            .end_key_at_desk(&VISITOR, &kid, "compromised", Some(since))
            .map_err(|p| p.code().to_owned())
    };
    let lines = desk(&w).lines().unwrap();
    assert_eq!(back(w.now() + 1), Err("BODY".to_owned()));
    // Never later than it was.
    assert_eq!(back(stopped + 1), Ok(()));
    assert_eq!(desk(&w).lines().unwrap(), lines);
    assert_eq!(w.disclose(&w.clinic, "Observation").0, 200);
    let lines = desk(&w).lines().unwrap();
    assert_eq!(back(stopped - 3_600), Ok(()));
    assert_eq!(desk(&w).lines().unwrap(), lines + 1);
    let (status, value) = w.disclose(&w.clinic, "Observation");
    assert_eq!(
        (status, &value["code"]),
        (403, &json!("REVOKED")),
        "{value}"
    );
    assert!(desk(&w).standing(&VISITOR).unwrap().is_empty());
    // Everybody reads the same, and the log tells since when.
    let mut w = w;
    w.patient = secret();
    let code = desk(&w).enrol_code(PATIENT, BIRTH).unwrap();
    w.enrol(&code);
    let mine = w.good("GET", "/api/consent/mine", None);
    assert_eq!(
        (&mine["tokens"][0]["ended"], &mine["tokens"][0]["endedAt"]),
        (&json!(true), &mine["tokens"][0]["at"])
    );
    let lines = w.good("GET", "/api/log/mine", None);
    let lines = lines["lines"].as_array().unwrap().iter();
    let told: Vec<Value> = lines
        .map(|l| serde_json::from_str(l["own"]["line"].as_str().unwrap()).unwrap())
        .filter(|l: &Value| l["what"] == json!("compromised"))
        .collect();
    assert_eq!(told.len(), 2);
    assert_eq!(
        (&told[0]["since"], &told[1]["since"]),
        (&Value::Null, &json!(stopped - 3_600))
    );
    assert!(office(&w.data, &w.clock).lines().unwrap() > 0);
}

#[test]
fn a_proxy_is_bound_by_the_code_of_the_own_portal() {
    const CHILD: &str = "0000990055";
    let w = World::new();
    let child = json!({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {
        "resourceType": "Patient", "id": "c", "birthDate": "2015-06-07", "identifier": [{"value": CHILD}]}}]});
    desk(&w)
        .ingest_bundle(CHILD, child.to_string().as_bytes())
        .unwrap();
    let sub = desk(&w).pseudonym(CHILD).unwrap();
    let visitor = Visitor {
        patient: CHILD,
        ..VISITOR
    };
    let code = || {
        w.good("POST", "/api/code", Some(&json!({})))["code"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let bind = |who: &Visitor<'_>, code: &str, role: &str, birth: &str, scope: &[&str]| {
        let scope = scope.iter().map(|s| (*s).to_owned()).collect();
        let mandate = Mandate { role, birth, scope };
        desk(&w)
            .bind_proxy(who, code, &mandate)
            .map_err(|p| p.code().to_owned())
    };
    let failed = |code: &str| Err(code.to_owned());
    let shown = code();
    assert_eq!(
        bind(&visitor, &shown, "guardian", "2015-06-08", &[]),
        failed("BIRTH_DATE")
    );
    assert_eq!(
        bind(&visitor, &shown, "delegate", "2015-06-07", &[]),
        failed("BODY")
    );
    assert_eq!(
        bind(&visitor, &shown, "delegate", "2015-06-07", &["nothing"]),
        failed("BODY")
    );
    assert_eq!(
        bind(&visitor, "00000000", "guardian", "2015-06-07", &[]),
        failed("CODE")
    );
    // Whoever failed has the code still.
    assert_eq!(
        bind(&VISITOR, &shown, "guardian", BIRTH, &[]),
        failed("PERSON")
    );
    assert_eq!(bind(&visitor, &shown, "guardian", "2015-06-07", &[]), Ok(1));
    assert_eq!(
        bind(&visitor, &shown, "guardian", "2015-06-07", &[]),
        failed("CODE")
    );
    let keys = w.good("GET", &format!("/api/keys?for={sub}"), None);
    assert_eq!(
        (&keys["keys"][0]["role"], &keys["keys"][0]["for"]),
        (&json!("guardian"), &json!(sub))
    );
    let session = w.good("GET", "/api/session", None);
    let bindings = session["bindings"].as_array().unwrap();
    let (_, bound) = warifu_consent::peek(bindings.last().unwrap().as_str().unwrap()).unwrap();
    let text = |name: &str| bound.get(name).and_then(|v| v.text()).unwrap().to_owned();
    assert_eq!(
        (text("until"), text("until_obj")),
        ("2033-06-07".to_owned(), "2031-06-07".to_owned())
    );
    assert_eq!(
        (text("role"), text("ial")),
        ("guardian".to_owned(), "counter".to_owned())
    );
    // Somebody of age has no guardian of this kind.
    let old = json!({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {
        "resourceType": "Patient", "id": "d", "birthDate": "1990-06-07", "identifier": [{"value": "0000990056"}]}}]});
    desk(&w)
        .ingest_bundle("0000990056", old.to_string().as_bytes())
        .unwrap();
    let old = Visitor {
        patient: "0000990056",
        ..VISITOR
    };
    assert_eq!(
        bind(&old, &code(), "guardian", "1990-06-07", &[]),
        failed("PROXY_AGED_OUT")
    );
    assert_eq!(
        bind(
            &old,
            &code(),
            "delegate",
            "1990-06-07",
            &["inf.rx", "TREAT"]
        ),
        Ok(1)
    );
}

/// A server over the same folder with a double of cards.
fn with_cards(w: &World) -> axum::Router {
    let cards = json!({"testDouble": true, "cards": {
        "A": {"institution": HOSPITAL, "patient": PATIENT, "birth": BIRTH},
        "B": {"institution": HOSPITAL, "patient": PATIENT, "birth": "1968-03-04"},
    }});
    let cards = CardDouble::read(cards.to_string().as_bytes()).unwrap();
    router(App::new(Config {
        origin: ORIGIN.to_owned(),
        office: Some(office(&w.data, &w.clock)),
        vendor: warifu_server::Vendor::new(warifu_package::Library::new([])),
        portal: None,
        playground: None,
        forwarded: false,
        certificates: warifu_server::Certificates::Off,
        card: Some(Box::new(cards)),
        hl7: false,
        metrics: false,
        log: None,
        limits: Limits::REFERENCE,
    }))
}

#[test]
fn a_double_of_the_card_is_marked_wherever_it_goes_and_opens_nothing() {
    let mut w = World::new();
    // Without one, there is nothing of the kind.
    assert_eq!(w.call("GET", "/api/enrol/card", None).0, 404);
    let x =
        |w: &World| json!({"jwk": {"kty": "OKP", "crv": "Ed25519", "x": w.patient.public().x()}});
    let body = json!({"answer": "TEST-DOUBLE:A:x", "proof": w.proof(&x(&w))});
    assert_eq!(w.call("POST", "/api/enrol/card", Some(&body)).0, 404);
    assert!(CardDouble::read(b"{\"cards\":{}}").is_none());
    w.app = with_cards(&w);
    assert_eq!(
        w.good("GET", "/api/enrol/card", None),
        json!({"double": true})
    );
    w.patient = secret();
    let enrol = |w: &World, card: &str, bend: &str| {
        let proof = w.proof(&x(w));
        let challenge = {
            let payload = proof.rsplit_once('.').unwrap().0;
            warifu_consent::hash::sha256_text(&[payload.as_bytes()])
        };
        let answer = CardDouble::answer(card, &format!("{challenge}{bend}"));
        w.call(
            "POST",
            "/api/enrol/card",
            Some(&json!({"answer": answer, "proof": proof})),
        )
    };
    for (card, bend) in [("A", "x"), ("B", ""), ("C", "")] {
        let (status, value) = enrol(&w, card, bend);
        assert_eq!((status, &value["code"]), (403, &json!("CARD")), "{card}");
    }
    let (status, value) = enrol(&w, "A", "");
    assert_eq!((status, &value["sub"]), (200, &json!(w.sub)), "{value}");
    let own = value["keys"].as_array().unwrap().last().unwrap();
    assert_eq!(own["ial"], json!("self"));
    w.again();
    let line = newest(&w);
    assert_eq!(
        (&line["what"], &line["ial"]),
        (&json!("bound-double"), &json!("self"))
    );
    // Its key looks at the own records, and gives them to nobody.
    w.good(
        "POST",
        "/api/disclose",
        Some(&json!({"search": "Observation"})),
    );
    let waiting = w.asked(&["inf.lab"]);
    let (token, annex) = w.signed(&waiting[0]);
    let body = json!({"token": token, "annex": b64::encode(&annex)});
    let (status, value) = w.call("POST", "/api/consent/tokens", Some(&body));
    assert_eq!(
        (status, &value["code"], &value["claim"]),
        (403, &json!("SUB"), &json!("aud")),
        "{value}"
    );
    assert!(
        CardDouble::read(b"{\"testDouble\":true,\"cards\":{}}")
            .unwrap()
            .is_double()
    );
}

#[test]
fn what_people_find_wrong_reaches_the_desk() {
    let w = World::new();
    let told = json!({"kind": "access", "text": "見覚えのない人が見ています。秘密の言葉", "contact": "03-0000-0000", "mine": true, "line": 3});
    let (status, value) = w.call("POST", "/api/reports", Some(&told));
    assert_eq!((status, &value["at"]), (201, &json!(w.now())), "{value}");
    let name = value["report"].as_str().unwrap().to_owned();
    let all = desk(&w).reports().unwrap();
    assert_eq!(
        (all.len(), all[0].id.as_str(), all[0].sub.as_deref()),
        (1, name.as_str(), Some(w.sub.as_str()))
    );
    assert_eq!(
        (all[0].line, all[0].contact.as_deref()),
        (Some(3), Some("03-0000-0000"))
    );
    // Without signing in it is nobody's, and names no line.
    let stranger = |body: &Value| {
        let request = axum::http::Request::post("/api/reports")
            .header("content-type", "application/json")
            .body(axum::body::Body::from(body.to_string()))
            .unwrap();
        let (head, bytes) = w.send(request);
        let mut value: Value = serde_json::from_slice(&bytes).unwrap();
        if let Some(after) = head.headers().get("retry-after") {
            value["after"] = json!(after.to_str().unwrap());
        }
        (head.status().as_u16(), value)
    };
    let anonymous = json!({"kind": "screen", "text": "字が読めません"});
    assert_eq!(stranger(&anonymous).0, 201);
    for wrong in [
        json!({"kind": "access", "text": "x", "mine": true}),
        json!({"kind": "access", "text": "x", "line": 3}),
        json!({"kind": "gossip", "text": "x"}),
        json!({"kind": "other", "text": "  "}),
        json!({"kind": "other", "text": "x".repeat(2001)}),
        json!({"kind": "other", "text": "x", "mine": 1}),
    ] {
        let (status, _) = stranger(&wrong);
        assert!(status == 400 || status == 401, "{wrong}");
    }
    let mine = w.good("GET", "/api/reports", None);
    assert_eq!(mine["reports"].as_array().unwrap().len(), 1);
    assert_eq!(mine["reports"][0]["closed"], Value::Null);
    assert_eq!(desk(&w).reports().unwrap().len(), 2);
    desk(&w).close_report(&name).unwrap();
    assert_eq!(
        desk(&w).close_report(&name).unwrap_err().code(),
        "NOT_FOUND"
    );
    assert_eq!(desk(&w).reports().unwrap().len(), 1);
    assert_eq!(
        w.good("GET", "/api/reports", None)["reports"][0]["closed"],
        json!(w.now())
    );
    // Sealed; and bounded, for one person and for all who have no name.
    let rows = w.db().query("SELECT body FROM reports", &[]).unwrap();
    let holds = |b: &[u8]| b.windows(6).any(|w| w == "秘密".as_bytes());
    assert!(rows.len() == 2 && !rows.iter().any(|r| holds(r.bytes(0).unwrap())));
    let one = json!({"kind": "other", "text": "x", "mine": true});
    for _ in 0..20 {
        assert_eq!(w.call("POST", "/api/reports", Some(&one)).0, 201);
    }
    let (status, value) = w.call("POST", "/api/reports", Some(&one));
    assert_eq!((status, &value["code"]), (429, &json!("REPORTS")));
    w.later(100);
    for _ in 1..60 {
        assert_eq!(stranger(&anonymous).0, 201);
    }
    // When the first of them is an hour old there is room for one, and that is what is said.
    let (status, value) = stranger(&anonymous);
    assert_eq!(
        (status, &value["code"], &value["after"]),
        (429, &json!("RATE"), &json!("3500"))
    );
    let told = value["detail"].as_str().unwrap();
    assert!(
        told.contains("1時間後") && !told.contains("Retry"),
        "{told}"
    );
    // Whoever signed in has room of the own, also without the name.
    for _ in 0..5 {
        assert_eq!(w.call("POST", "/api/reports", Some(&anonymous)).0, 201);
    }
    let (status, value) = w.call("POST", "/api/reports", Some(&anonymous));
    assert_eq!((status, &value["code"]), (429, &json!("RATE")));
    w.later(3_499);
    assert_eq!(stranger(&anonymous).0, 429);
    w.later(1);
    assert_eq!(stranger(&anonymous).0, 201);
}

#[test]
fn a_policy_changes_under_a_number_of_its_own() {
    let w = World::new();
    let data = &w.data;
    let office = office(data, &w.clock);
    let open = || Office::open(data, Box::new(|| 1_790_000_000));
    let update = || Office::update_policy(data, None, Box::new(|| 1_790_000_000));
    let read = || std::fs::read_to_string(data.join("policy.json")).unwrap();
    office.announce().unwrap();
    drop(office);
    assert_eq!(update().unwrap(), None);
    // Other content under the same number is used by no server, whichever content is right.
    let first = read();
    let (from, to) = ("\"notice_days\": 30", "\"notice_days\": 31");
    let changed = first.replace(from, to);
    assert_ne!(changed, first);
    std::fs::write(data.join("policy.json"), &changed).unwrap();
    let refused = open().unwrap().announce().unwrap_err();
    assert_eq!(refused.code(), "VERSION_CHANGED");
    let raised = changed.replace("\"version\": 1,", "\"version\": 2,");
    assert_ne!(raised, changed);
    std::fs::write(data.join("policy.json"), &raised).unwrap();
    let office = open().unwrap();
    let lines = office.lines().unwrap();
    office.announce().unwrap();
    assert_eq!(office.lines().unwrap(), lines + 1);
    drop(office);
    // One of an earlier program: nothing opens it, and the way on is named.
    let body = "\"certified\": []";
    let own = "\"certified\": [{\"to\": \"cert:1\", \"pur\": [\"ANON\"]}]";
    let old = raised
        .replace(body, own)
        .replace("\"longest_days\"", "\"days\"");
    assert!(old.contains("cert:1") && !old.contains("longest_days"));
    std::fs::write(data.join("policy.json"), &old).unwrap();
    let told = format!("{:#}", open().err().unwrap());
    assert!(told.contains("warifu serve policy-update --data"), "{told}");
    assert_eq!(update().unwrap(), Some(3));
    assert!(read().contains("cert:1"));
    let kept = std::fs::read_dir(data).unwrap().map(|e| e.unwrap().path());
    let mut kept = kept.filter(|p| p.to_string_lossy().contains("policy-2-"));
    assert_eq!(std::fs::read_to_string(kept.next().unwrap()).unwrap(), old);
    let office = open().unwrap();
    let lines = office.lines().unwrap();
    office.announce().unwrap();
    assert_eq!(office.lines().unwrap(), lines + 1);
    drop(office);
    assert_eq!(update().unwrap(), None);
    // What is no policy at all is left as it is.
    std::fs::write(data.join("policy.json"), "{}").unwrap();
    assert!(update().is_err());
    assert_eq!(read(), "{}");
}

#[test]
fn a_number_that_was_in_force_before_numbers_were_kept_stays_its_own() {
    let w = World::new();
    let data = &w.data;
    let office = office(data, &w.clock);
    office.announce().unwrap();
    let forget = || w.db().run("DELETE FROM policies", &[]).unwrap();
    forget();
    assert_eq!(office.announce(), Ok(()));
    forget();
    drop(office);
    let other = warifu_consent::REFERENCE.replace("\"notice_days\": 30", "\"notice_days\": 31");
    std::fs::write(data.join("policy.json"), other).unwrap();
    let office = Office::open(data, Box::new(|| 1_790_000_000));
    let refused = office.unwrap().announce().unwrap_err();
    assert_eq!(refused.code(), "VERSION_CHANGED");
}
