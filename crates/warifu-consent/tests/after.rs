//! Break-glass, its summary, notice and review (§10), marks and Provenance (§11), objections and releases
//! (§12): what stands around a decision.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]
mod common;

use std::collections::BTreeSet;

use common::{CLINIC, NOW, OTHER, SUB, codes, id, key, master, ring};
use serde_json::{Value as Json, json};
use warifu_consent::json::object;
use warifu_consent::*;

const YJ: &str = "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code";
const MASTER: &str = "http://jpfhir.jp/fhir/core/CodeSystem/JP_ProcedureCodesMedical_CS";
const ICD: &str = "http://hl7.org/fhir/sid/icd-10";

struct Holder;

impl Knowledge for Holder {
    fn facts(&self, _: &str, _: &str) -> Facts {
        Facts {
            src: OTHER.into(),
            origin: Origin::Ehr,
            recorded: Some(NOW),
            told: Told::Yes,
        }
    }
}

fn nobody(policy: &Policy) -> State<'_> {
    State {
        policy,
        grants: vec![],
        denials: vec![],
        objections: vec![],
        notices: vec![],
        keys: vec![],
    }
}

fn assertion(role: &str) -> Opened {
    let claims = object([
        ("sub", SUB.into()),
        ("rsn", "unconscious".into()),
        ("idm", "mynumber".into()),
        ("iat", NOW.into()),
        ("exp", (NOW + 3600).into()),
        ("jti", id(30).into()),
        ("per", object([("role", role.into())])),
    ]);
    let token = make(Typ::BreakGlass, claims, &key(5)).unwrap();
    open(&token, &[Typ::BreakGlass], &ring(), Moment::now(NOW)).unwrap()
}

fn activation() -> Opened {
    let claims = object([
        ("iat", NOW.into()),
        ("jti", id(31).into()),
        ("area", codes(&["13", "14100"])),
        ("from", NOW.into()),
        ("to", (NOW + 100).into()),
    ]);
    let token = make(Typ::Disaster, claims, &key(7)).unwrap();
    open(&token, &[Typ::Disaster], &ring(), Moment::now(NOW)).unwrap()
}

#[test]
fn an_assertion_counts_for_its_person_and_time_only() {
    let token = assertion("doctor");
    let mode = |valid, facility, role: &str| Mode::BreakGlass {
        valid,
        facility,
        role: role.into(),
    };
    let clinic = Who::Recipient(CLINIC.into());
    let own = Some((&token, CLINIC));
    assert_eq!(
        break_glass(own, &clinic, SUB, true, NOW),
        mode(true, true, "doctor")
    );
    assert_eq!(
        break_glass(own, &clinic, SUB, false, NOW),
        mode(true, false, "doctor")
    );
    assert_eq!(
        break_glass(own, &clinic, "s1.x", true, NOW),
        mode(false, true, "doctor")
    );
    assert_eq!(
        break_glass(own, &clinic, SUB, true, NOW + 3600),
        mode(false, true, "doctor")
    );
    // Nobody uses what another facility asserted.
    for who in [Who::Recipient(OTHER.into()), Who::Subject] {
        assert_eq!(
            break_glass(own, &who, SUB, true, NOW),
            mode(false, true, "doctor")
        );
    }
    assert_eq!(
        break_glass(None, &clinic, SUB, true, NOW),
        mode(false, true, "")
    );
    assert_eq!(
        break_glass(Some((&activation(), CLINIC)), &clinic, SUB, true, NOW),
        mode(false, true, "")
    );
}

#[test]
fn a_disaster_covers_its_area_and_time_only() {
    let token = activation();
    for (area, at, active) in [
        ("13101", NOW, true),
        ("14100", NOW + 99, true),
        ("14101", NOW, false),
        ("27100", NOW, false),
        ("", NOW, false),
        ("13101", NOW - 1, false),
        ("13101", NOW + 100, false),
    ] {
        assert_eq!(
            disaster(Some(&token), area, at),
            Mode::Disaster { active },
            "{area} {at}"
        );
    }
    assert_eq!(
        disaster(None, "13101", NOW),
        Mode::Disaster { active: false }
    );
    assert_eq!(
        disaster(Some(&assertion("doctor")), "13101", NOW),
        Mode::Disaster { active: false }
    );
}

fn entry(resource: &Json) -> Json {
    json!({"fullUrl": format!("http://h.example.jp/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap()), "resource": resource})
}

fn rx(id: &str, day: &str, medicine: &Json) -> Json {
    entry(
        &json!({"resourceType": "MedicationRequest", "id": id, "status": "active", "intent": "order", "subject": {"reference": "Patient/p"}, "authoredOn": day, "medicationCodeableConcept": medicine}),
    )
}

/// Everything that an emergency is about, and a care plan, which is not.
fn records() -> Json {
    let coded = |system: &str, code: &str| json!({"coding": [{"system": system, "code": code}]});
    let patient = json!({"reference": "Patient/p"});
    let entries = vec![
        rx("old", "2024-01-01", &json!({"text": "風邪薬"})),
        rx("new", "2026-09-01", &json!({"text": "風邪薬"})),
        rx("warfarin", "2020-01-01", &coded(YJ, "3332001F1024")),
        rx(
            "aspirin",
            "2026-08-01",
            &json!({"text": "バイアスピリン錠100mg"}),
        ),
        entry(
            &json!({"resourceType": "AllergyIntolerance", "id": "a", "patient": patient, "recordedDate": "2019-01-01", "category": ["food"]}),
        ),
        entry(
            &json!({"resourceType": "Procedure", "id": "op", "status": "completed", "code": coded(MASTER, "150000110"), "subject": patient, "performedDateTime": "2018"}),
        ),
        entry(
            &json!({"resourceType": "Procedure", "id": "hd", "status": "completed", "code": coded(MASTER, "140057810"), "subject": patient}),
        ),
        entry(
            &json!({"resourceType": "Condition", "id": "c", "meta": {"profile": ["http://jpfhir.jp/fhir/core/StructureDefinition/JP_Condition"]}, "code": coded(ICD, "B20"), "subject": patient, "onsetDateTime": "2025-01-01"}),
        ),
        entry(
            &json!({"resourceType": "CarePlan", "id": "plan", "status": "active", "intent": "plan", "subject": patient, "period": {"start": "2026-01-01", "end": "2026-02-01"}}),
        ),
        entry(
            &json!({"resourceType": "Patient", "id": "p", "name": [{"text": "架空 花子"}], "gender": "female", "birthDate": "1950-01-01"}),
        ),
    ];
    json!({"resourceType": "Bundle", "type": "searchset", "entry": entries})
}

fn emergency(policy: &Policy, state: &State<'_>) -> Filtered {
    let who = Who::Recipient(CLINIC.into());
    let request = Request {
        purpose: policy.purpose("ETREAT"),
        mode: break_glass(Some((&assertion("doctor"), CLINIC)), &who, SUB, true, NOW),
        who,
        at: NOW,
    };
    filter(records().to_string().as_bytes(), state, &request, &Holder).unwrap()
}

fn summary(policy: &Policy, state: &State<'_>) -> Json {
    let out = emergency_bundle(&emergency(policy, state).bytes, policy, CLINIC, NOW).unwrap();
    serde_json::from_slice(&out).unwrap()
}

/// `allergy: a`, … of the summary.
fn sections(bundle: &Json) -> Vec<String> {
    let sections = bundle["entry"][0]["resource"]["section"]
        .as_array()
        .unwrap();
    let row = |s: &Json| {
        let entries = s["entry"].as_array().cloned().unwrap_or_default();
        let ids: Vec<String> = entries
            .iter()
            .map(|e| {
                e["reference"]
                    .as_str()
                    .unwrap()
                    .rsplit('/')
                    .next()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        format!(
            "{}: {}",
            s["code"]["coding"][0]["code"].as_str().unwrap(),
            ids.join(" ")
        )
    };
    sections.iter().map(row).collect()
}

#[test]
fn the_summary_stands_first_and_the_newest_follows() {
    let policy = Policy::reference().unwrap();
    let bundle = summary(&policy, &nobody(&policy));
    assert_eq!(
        sections(&bundle),
        [
            "allergy: a",
            "contra: ",
            "antithrombotic: aspirin warfarin",
            "surgery: op",
            "dialysis: hd",
            "infection: ",
            "rx: new aspirin",
        ]
    );
    let order: Vec<&str> = bundle["entry"]
        .as_array()
        .unwrap()
        .iter()
        .skip(1)
        .map(|e| e["resource"]["id"].as_str().unwrap())
        .collect();
    // The care plan is not in the emergency set.
    assert_eq!(
        order,
        [
            "p", "new", "aspirin", "c", "old", "warfarin", "a", "op", "hd"
        ]
    );
    assert_eq!(
        bundle["entry"][0]["resource"]["subject"]["reference"],
        "http://h.example.jp/Patient/p"
    );
}

#[test]
fn the_summary_does_not_tell_what_was_withheld() {
    let policy = Policy::reference().unwrap();
    let mut state = nobody(&policy);
    state.denials.push(Denial {
        jti: id(1),
        aud: vec!["*".into()],
        pur: Bits(u64::MAX >> 1),
        cat: policy
            .category_set(["prc.surgery", "inf.allergy"].into_iter())
            .unwrap(),
        nbf: 0,
        exp: None,
        emg: true,
        ended: false,
        status_age: None,
    });
    let cut = summary(&policy, &state);
    assert_eq!(sections(&cut)[0], "allergy: ");
    assert_eq!(sections(&cut)[3], "surgery: ");
    let text = cut.to_string();
    assert!(!text.contains("AllergyIntolerance/a") && !text.contains("Procedure/op"));
    // An empty part says the same whether nothing is there or it is withheld.
    let list = cut["entry"][0]["resource"]["section"].as_array().unwrap();
    assert_eq!(list[0]["text"], list[5]["text"]);
    assert_eq!(list[0]["emptyReason"], list[5]["emptyReason"]);
    // And nothing at all stays nothing at all.
    let empty = br#"{"resourceType":"Bundle","type":"searchset"}"#;
    assert_eq!(
        emergency_bundle(empty, &policy, CLINIC, NOW).unwrap(),
        empty
    );
    assert_eq!(emergency_bundle(b"{", &policy, CLINIC, NOW), None);
}

#[test]
fn the_notice_names_who_why_and_what_in_each_language() {
    let policy = Policy::reference().unwrap();
    let access = EmergencyAccess {
        facility: CLINIC.into(),
        role: "doctor".into(),
        reason: "unconscious".into(),
        identified: "mynumber".into(),
        at: NOW,
        cats: vec!["inf.allergy".into(), "prc.surgery".into()],
    };
    let say = |a: &EmergencyAccess, lang| emergency_notice(&policy, &master(), a, lang);
    let ja = say(&access, Lang::Ja).unwrap();
    for part in [
        "2026-09-21 23:15",
        "架空割符診療所（医師）",
        "意識障害",
        "マイナ保険証",
        "アレルギー、手術",
        "72時間",
    ] {
        assert!(ja.contains(part), "{part}: {ja}");
    }
    assert!(
        say(&access, Lang::En)
            .unwrap()
            .contains("Kaku Warifu Clinic (doctor)")
    );
    let mut texts = BTreeSet::new();
    for lang in Lang::ALL {
        for (reason, _) in EMERGENCY_REASONS {
            for (identified, _) in IDENTIFIED_BY {
                let other = EmergencyAccess {
                    reason: (*reason).into(),
                    identified: (*identified).into(),
                    ..access.clone()
                };
                assert!(texts.insert(say(&other, lang).unwrap()));
            }
        }
    }
    let strange = EmergencyAccess {
        role: "clerk".into(),
        ..access
    };
    assert_eq!(say(&strange, Lang::Ja), None);
}

#[test]
fn a_review_is_made_by_somebody_else_and_in_time() {
    const T: ReviewTerms = ReviewTerms::REFERENCE;
    let mut case = ReviewCase {
        line: "leaf".into(),
        facility: CLINIC.into(),
        actor: "actor".into(),
        at: NOW,
        statements: vec![],
    };
    let due = NOW + 72 * 3600;
    assert_eq!(case.state(T, due), CaseState::Open(due));
    assert_eq!(case.state(T, due + 1), CaseState::Escalated);
    assert_eq!(case.state(T, due + 7 * DAY + 1), CaseState::Suspended);
    assert_eq!(
        case.review("actor", NOW, Verdict::Justified),
        Err(ReviewError::Actor)
    );
    assert_eq!(
        case.review("", NOW, Verdict::Justified),
        Err(ReviewError::Actor)
    );
    assert_eq!(
        case.review("b", NOW, Verdict::Objection),
        Err(ReviewError::Objection)
    );
    assert_eq!(
        case.review("b", NOW - 1, Verdict::Justified),
        Err(ReviewError::Order)
    );
    assert_eq!(case.statements, []);
    case.review("b", NOW + 5, Verdict::Unclear).unwrap();
    assert_eq!(case.state(T, NOW + 6), CaseState::Escalated);
    case.object(NOW + 6).unwrap();
    case.review("c", NOW + 7, Verdict::Justified).unwrap();
    assert_eq!(
        case.state(T, due + 9 * DAY),
        CaseState::Judged(Verdict::Justified)
    );
    assert_eq!(
        case.review("d", NOW + 8, Verdict::NotJustified),
        Err(ReviewError::Judged)
    );
    // The person may object afterwards too; every statement stays.
    case.object(NOW + 9).unwrap();
    let words: Vec<&str> = case.statements.iter().map(|s| s.verdict.word()).collect();
    assert_eq!(words, ["unclear", "objection", "justified", "objection"]);
    assert_eq!(
        case.state(T, NOW + 10),
        CaseState::Judged(Verdict::Justified)
    );
    let fresh = |line: &str, at, actor: &str| ReviewCase {
        line: line.into(),
        facility: OTHER.into(),
        actor: actor.into(),
        at,
        statements: vec![],
    };
    let cases = [
        case,
        fresh("new", NOW, "x"),
        fresh("late", NOW - 4 * DAY, "x"),
        fresh("lost", NOW - 20 * DAY, "x"),
        fresh("own", NOW, "me"),
    ];
    let lines: Vec<&str> = review_queue(&cases, "me", T, NOW)
        .iter()
        .map(|c| c.line.as_str())
        .collect();
    assert_eq!(lines, ["lost", "late", "new"]);
    assert_eq!(suspended(&cases, T, NOW), BTreeSet::from([OTHER]));
}

#[test]
fn every_resource_is_marked_and_existing_marks_stay() {
    let policy = Policy::reference().unwrap();
    let filtered = emergency(&policy, &nobody(&policy));
    let marked = mark(&filtered, &policy);
    let bundle: Json = serde_json::from_slice(&marked).unwrap();
    for e in bundle["entry"].as_array().unwrap() {
        let r = &e["resource"];
        let codes: Vec<&str> = r["meta"]["security"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["code"].as_str().unwrap())
            .collect();
        for obligation in ["NOPERSISTP", "NORDSCLCD", "NOTIFY", "REVIEW"] {
            assert!(codes.contains(&obligation), "{r}");
        }
        // B20 is HIV; a published profile of the source stays.
        let id = r["id"].as_str().unwrap();
        assert_eq!(codes.contains(&"R"), id == "c", "{r}");
        assert_eq!(r["meta"]["profile"].is_array(), id == "c");
        assert_eq!(codes.contains(&"N"), id == "warfarin", "{r}");
    }
    // Marking again changes nothing, and beside the marks nothing changed.
    let again = Filtered {
        bytes: marked.clone(),
        ..filtered.clone()
    };
    assert_eq!(mark(&again, &policy), marked);
    let mut plain = bundle;
    for e in plain["entry"].as_array_mut().unwrap() {
        let r = e["resource"].as_object_mut().unwrap();
        let meta = r.get_mut("meta").unwrap().as_object_mut().unwrap();
        meta.remove("security");
        if meta.is_empty() {
            r.remove("meta");
        }
    }
    let before: Json = serde_json::from_slice(&filtered.bytes).unwrap();
    assert_eq!(plain, before);
}

#[test]
fn the_provenance_ties_grants_policy_and_log_to_the_bytes() {
    let policy = Policy::reference().unwrap();
    let filtered = emergency(&policy, &nobody(&policy));
    let bundle = mark(&filtered, &policy);
    let grants = [b64::encode(&[1; 32]), b64::encode(&[2; 32])];
    let leaf = b64::encode(&[3; 32]);
    let told = Disclosure {
        at: NOW,
        server: OTHER,
        recipient: CLINIC,
        grants: &grants,
        policy: &policy.hash,
        log: "https://log.example.jp/consent-log",
        leaf: &leaf,
        index: Some(7),
        obligations: &filtered.obligations,
    };
    let server = key(6);
    let draft = told.draft(&bundle, &server.public()).unwrap();
    let signature = server.sign(draft.signing_input()).unwrap();
    let token = draft.finish(&signature).unwrap();
    let whole = told.with_provenance(&bundle, &token).unwrap();
    let json: Json = serde_json::from_slice(&whole).unwrap();
    let entries = json["entry"].as_array().unwrap();
    let p = &entries.last().unwrap()["resource"];
    assert_eq!(p["target"].as_array().unwrap().len(), entries.len() - 1);
    assert_eq!(p["activity"]["coding"][0]["code"], "disclose");
    let values: Vec<&str> = p["entity"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["what"]["identifier"]["value"].as_str().unwrap())
        .collect();
    assert_eq!(
        values,
        [&*grants[0], &*grants[1], &*policy.hash, &*leaf, "7"]
    );
    // The recipient's side.
    let (before, found) = without_provenance(&whole).unwrap();
    assert_eq!((&before, &found), (&bundle, &token));
    let opened = open(&found, &[Typ::Disclosure], &ring(), Moment::now(NOW)).unwrap();
    assert_eq!(opened.text("data"), bundle_hash(&before));
    let other = String::from_utf8(whole.clone())
        .unwrap()
        .replace("架空 花子", "架空 次郎");
    let (changed, _) = without_provenance(other.as_bytes()).unwrap();
    assert_ne!(opened.text("data"), bundle_hash(&changed));
    assert_eq!(without_provenance(&bundle), None);
    // A Provenance that names another recipient, policy, line or time than its token is none.
    let last = entries.len() - 1;
    let identifier = |list: &str, n: usize, who: &str| {
        format!("/entry/{last}/resource/{list}/{n}/{who}/identifier/value")
    };
    for (at, value) in [
        (identifier("agent", 1, "who"), "1319999998"),
        (identifier("entity", 2, "what"), "x"),
        (identifier("entity", 3, "what"), "x"),
        (
            format!("/entry/{last}/resource/recorded"),
            "2020-01-01T00:00:00+09:00",
        ),
    ] {
        let mut other = json.clone();
        *other.pointer_mut(&at).unwrap() = value.into();
        assert_eq!(
            without_provenance(other.to_string().as_bytes()),
            None,
            "{at}"
        );
    }
    let mut twice = json.clone();
    let agents = twice
        .pointer_mut(&format!("/entry/{last}/resource/agent"))
        .unwrap();
    let agents = agents.as_array_mut().unwrap();
    agents.push(agents[1].clone());
    assert_eq!(without_provenance(twice.to_string().as_bytes()), None);
    // An unknown person's answer has none.
    let empty = br#"{"resourceType":"Bundle","type":"searchset"}"#;
    assert_eq!(told.with_provenance(empty, &token).unwrap(), empty);
    let by_patient = make(Typ::Disclosure, opened.claims.clone(), &common::patient()).unwrap();
    let refused = open(&by_patient, &[Typ::Disclosure], &ring(), Moment::now(NOW)).unwrap_err();
    assert_eq!(refused.reason, Reason::KeyUnknown);
}

fn objection(policy: &Policy, seq: u64, on: bool, to: &str, src: &str) -> Objection {
    Objection {
        kid: "k".into(),
        received: NOW,
        seq,
        pur: Bits::one(policy.purpose("ANON").unwrap().0),
        to: vec![to.into()],
        src: vec![src.into()],
        on,
    }
}

#[test]
fn an_objection_orders_stop_and_delete_where_data_is_held() {
    let policy = Policy::reference().unwrap();
    let anon = policy.purpose("ANON").unwrap();
    let pseudo = policy.purpose("PSEUDO").unwrap();
    let held = |to: &str, src: &str, purpose, release: &str| Delivery {
        to: to.into(),
        src: src.into(),
        purpose,
        at: NOW,
        releases: vec![release.into()],
        answer: None,
    };
    let mut answered = held("cert:1", CLINIC, anon, "r9");
    answered.answer = Some(StopAnswer::Erased(NOW));
    let deliveries = [
        held("cert:1", CLINIC, anon, "r2"),
        held("cert:1", CLINIC, anon, "r1"),
        held("cert:1", OTHER, anon, "r3"),
        held("cert:2", CLINIC, anon, "r4"),
        held("cert:1", CLINIC, pseudo, "r5"),
        answered,
    ];
    let mut state = nobody(&policy);
    let orders = |s: &State<'_>| -> Vec<String> {
        stop_orders(s, &deliveries)
            .iter()
            .map(|o| format!("{} {} {}", o.to, o.src, o.beyond_recall.join(",")))
            .collect()
    };
    assert_eq!(orders(&state), Vec::<String>::new());
    state
        .objections
        .push(objection(&policy, 1, true, "cert:1", CLINIC));
    assert_eq!(orders(&state), [format!("cert:1 {CLINIC} r1,r2")]);
    state.objections.push(objection(&policy, 2, true, "*", "*"));
    assert_eq!(orders(&state).len(), 3);
    state
        .objections
        .push(objection(&policy, 3, false, "*", "*"));
    assert_eq!(orders(&state), [format!("cert:1 {CLINIC} r1,r2")]);
    state
        .objections
        .push(objection(&policy, 4, false, "cert:1", CLINIC));
    assert_eq!(orders(&state), Vec::<String>::new());
}

#[test]
fn a_release_manifest_is_a_token_and_its_profile_is_bound() {
    let profile = |shift| Profile {
        id: "anon-1".into(),
        ver: 1,
        steps: vec![
            Step::DropIdentifiers,
            Step::BirthYear,
            Step::AgeBand(5),
            Step::Prefecture,
            Step::DropFacility,
            Step::ShiftDates(shift),
            Step::Generalise(10),
            Step::ScrubImages,
            Step::Tested(b64::encode(&[4; 32])),
        ],
    };
    let leaves = member_leaves([&[1; 16], &[2; 16], &[1; 16]], &id(40)).unwrap();
    assert_eq!(leaves.len(), 2);
    assert!(leaves.is_sorted());
    assert_ne!(
        member_leaf(&[1; 16], &id(40)),
        member_leaf(&[1; 16], &id(41))
    );
    let release = Release {
        jti: id(40),
        at: NOW,
        to: "大学".into(),
        contract: Contract {
            id: "c-1".into(),
            hash: [5; 32],
            purposes: vec!["ANON".into()],
            scope: "研究班の中".into(),
            exp: NOW + DAY,
        },
        schema: "s-1".into(),
        rows: 2,
        sha256: [6; 32],
        profile: profile(30),
        k: 10,
        root: [7; 32],
        n: 2,
        watermark: [8; 32],
    };
    let token = make(Typ::Release, release.claims(), &key(8)).unwrap();
    let opened = open(&token, &[Typ::Release], &ring(), Moment::now(NOW)).unwrap();
    let part = |p: &Profile, key: &str| p.claim().get(key).cloned();
    assert_eq!(opened.claims.get("prof"), Some(&profile(30).claim()));
    assert_eq!(part(&profile(30), "hash"), part(&profile(31), "hash"));
    assert_ne!(
        part(&profile(30), "params_hash"),
        part(&profile(31), "params_hash")
    );
}

/// §8.3: the state is read when the data is assembled; the same Bundle and second, and nothing goes out.
#[test]
fn a_revoke_of_the_same_second_stops_what_is_being_assembled() {
    let policy = Policy::reference().unwrap();
    let mut state = nobody(&policy);
    state.grants.push(Grant {
        jti: id(10),
        hash: "h".into(),
        kid: "k".into(),
        received: NOW - 10,
        aud: vec![CLINIC.into()],
        pur: Bits::one(policy.purpose("TREAT").unwrap().0),
        cat: policy.category_set(["inf.rx"].into_iter()).unwrap(),
        window: (None, None),
        recorded: None,
        nbf: NOW - 10,
        exp: NOW + DAY,
        annex: Annex::empty([0; 16]),
        obl: vec![],
        uses_left: None,
        ended: false,
        status_age: None,
        parent: None,
        texts: 1,
    });
    let request = Request {
        who: Who::Recipient(CLINIC.into()),
        purpose: policy.purpose("TREAT"),
        mode: Mode::Normal,
        at: NOW,
    };
    let run = |state: &State<'_>| {
        filter(records().to_string().as_bytes(), state, &request, &Holder).unwrap()
    };
    assert_eq!(run(&state).cats, ["inf.rx"]);
    // The commit of the revoke in the same second, between assembling and release.
    state.grants[0].ended = true;
    let after = run(&state);
    let unknown = filter(
        br#"{"resourceType":"Bundle","type":"searchset"}"#,
        &state,
        &request,
        &Holder,
    )
    .unwrap();
    assert_eq!(after.bytes, unknown.bytes);
    assert!(after.cats.is_empty() && after.grants.is_empty());
    assert!(after.withheld.iter().any(|w| w.why == Why::Revoked));
}
