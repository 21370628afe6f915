//! One grant end to end, one item with fifty grants, a Bundle of 300 entries through the filter.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark may fail loudly"
)]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/common/states.rs"]
#[allow(dead_code, reason = "shared with tests")]
mod states;

use std::hint::black_box;

use common::{CLINIC, NOW, OTHER, annex, book, grant, master, patient, ring, sign};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};
use warifu_consent::{
    Accepted, Annex, Bits, Desk, Facts, Grant, Item, Knowledge, Mode, Moment, Origin, Policy,
    PublicKey, Request, Signer as _, State, Told, Typ, Who, accept, b64, decide, filter, open,
};

/// `verify_strict` alone over the same bytes, with the registered bytes decoded to a key, then steps 1–12 with
/// the key that the ring decoded once, then steps 1–21 with the text rendered again.
fn verify(c: &mut Criterion) {
    let annex = annex();
    let mut claims = grant();
    common::set(&mut claims, "anx", annex.hash().into());
    let token = sign(Typ::Grant, claims, Some(&annex), &patient());
    let (input, signature) = token.rsplit_once('.').unwrap();
    let signature: [u8; 64] = b64::decode(signature).unwrap().try_into().unwrap();
    let key = patient().public();
    let (ring, book, master) = (ring(), book(), master());
    let policy = Policy::reference().unwrap();
    let desk = Desk {
        keys: &ring,
        ledger: &book,
        policy: &policy,
        master: &master,
        now: NOW,
        endpoint: None,
    };
    let annex = annex.to_bytes();
    let whole = accept(&desk, &token, &[Typ::Grant], Some(&annex));
    assert!(matches!(whole, Ok(Accepted::New(_))), "{whole:?}");

    let mut group = c.benchmark_group("grant");
    group.throughput(Throughput::Elements(1));
    group.bench_function("verify_strict alone", |b| {
        b.iter(|| assert!(key.verifies(black_box(input.as_bytes()), &signature)));
    });
    group.bench_function("key decoded, verify_strict", |b| {
        let bytes = key.to_bytes();
        b.iter(|| {
            let key = PublicKey::from_bytes(black_box(&bytes)).unwrap();
            assert!(key.verifies(black_box(input.as_bytes()), &signature));
        });
    });
    group.bench_function("steps 1-12", |b| {
        let moment = Moment::now(NOW);
        b.iter(|| open(black_box(&token), &[Typ::Grant], &ring, moment).unwrap());
    });
    group.bench_function("steps 1-21", |b| {
        b.iter(|| accept(&desk, black_box(&token), &[Typ::Grant], Some(&annex)).unwrap());
    });
    group.finish();
}

/// Generated items, each decided with fifty grants that were made for it.
fn decision(c: &mut Criterion) {
    let text = states::policy_text();
    let policy = Policy::read(text.as_bytes()).unwrap();
    let mut dice = states::Dice(7);
    let request = Request {
        who: Who::Recipient(CLINIC.into()),
        purpose: policy.purpose("TREAT"),
        mode: Mode::Normal,
        at: states::NOW,
    };
    let cases: Vec<(Item, State<'_>)> = (0..200)
        .map(|_| {
            let item = states::item(&policy, &mut dice);
            let grants = (0..50)
                .map(|n| states::grant(&policy, &mut dice, &request, &item, n))
                .collect();
            let state = State {
                policy: &policy,
                grants,
                denials: vec![],
                objections: vec![],
                notices: vec![],
                keys: vec![],
            };
            (item, state)
        })
        .collect();
    let permitted = cases
        .iter()
        .filter(|(item, state)| decide(state, &request, item).basis.is_some())
        .count();
    assert!((20..180).contains(&permitted), "both answers: {permitted}");
    let mut group = c.benchmark_group("decide");
    group.throughput(Throughput::Elements(200));
    group.bench_function("200 items, 50 grants each", |b| {
        b.iter(|| {
            for (item, state) in &cases {
                black_box(decide(state, &request, black_box(item)));
            }
        });
    });
    group.finish();
}

struct Hospital;

impl Knowledge for Hospital {
    fn facts(&self, _: &str, _: &str) -> Facts {
        Facts {
            src: OTHER.into(),
            origin: Origin::Ehr,
            recorded: Some(NOW - 9),
            told: Told::Yes,
        }
    }
}

fn entry(n: usize) -> Value {
    let (kind, code) = match n % 6 {
        0 => (
            "Condition",
            json!([{"system": "http://medis.or.jp/CodeSystem/master-disease-keyNumber", "code": "20059000"}]),
        ),
        1 => (
            "MedicationRequest",
            json!([{"system": "http://medis.or.jp/CodeSystem/master-HOT9", "code": "103835401"}]),
        ),
        2 => (
            "AllergyIntolerance",
            json!([{"system": "http://example.jp/allergy", "code": "1"}]),
        ),
        _ => (
            "Observation",
            json!([{"system": "http://medis.or.jp/CodeSystem/master-JLAC10-17digits", "code": "3A015000002327101"}]),
        ),
    };
    let concept = json!({"coding": code, "text": "架空の項目"});
    let mut resource = json!({
        "resourceType": kind,
        "id": format!("r{n}"),
        "meta": {"lastUpdated": "2026-09-01T00:00:00+09:00"},
        "identifier": [{"system": "http://example.jp/id", "value": n.to_string()}],
        "subject": {"reference": "Patient/p"},
        "encounter": {"reference": "Encounter/e"},
        "note": [{"text": "食後に測った。"}],
    });
    let members = resource.as_object_mut().unwrap();
    match kind {
        "Condition" => {
            members.insert("code".into(), concept);
            members.insert("recordedDate".into(), json!("2026-08-01"));
        }
        "MedicationRequest" => {
            members.insert("medicationCodeableConcept".into(), concept);
            members.insert("authoredOn".into(), json!("2026-08-01"));
            let dosage = json!([{"text": "１日３回毎食後", "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "錠"}}]}]);
            members.insert("dosageInstruction".into(), dosage);
        }
        "AllergyIntolerance" => {
            members.insert("code".into(), concept);
            let subject = members.remove("subject").unwrap();
            members.insert("patient".into(), subject);
        }
        _ => {
            members.insert("status".into(), json!("final"));
            let category = json!([{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}]);
            members.insert("category".into(), category);
            members.insert("code".into(), concept);
            members.insert("effectiveDateTime".into(), json!("2026-08-01"));
            members.insert(
                "valueQuantity".into(),
                json!({"value": 4.1, "unit": "g/dL"}),
            );
        }
    }
    json!({"fullUrl": format!("http://h.example.jp/{kind}/r{n}"), "resource": resource})
}

fn bundle() -> Vec<u8> {
    let mut entries = vec![
        json!({"fullUrl": "http://h.example.jp/Patient/p", "resource": {"resourceType": "Patient", "id": "p", "name": [{"text": "架空 花子"}]}}),
        json!({"fullUrl": "http://h.example.jp/Encounter/e", "resource": {"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"}, "subject": {"reference": "Patient/p"}, "period": {"start": "2026-08-01"}}}),
    ];
    entries.extend((2..300).map(entry));
    json!({"resourceType": "Bundle", "type": "collection", "entry": entries})
        .to_string()
        .into_bytes()
}

/// All is shown, and with the diagnoses withheld.
fn filtering(c: &mut Criterion) {
    let policy = Policy::reference().unwrap();
    let bundle = bundle();
    let request = Request {
        who: Who::Recipient(CLINIC.into()),
        purpose: policy.purpose("TREAT"),
        mode: Mode::Normal,
        at: NOW,
    };
    let state = |cat: Bits| State {
        policy: &policy,
        grants: vec![Grant {
            jti: "g".into(),
            hash: "h".into(),
            kid: "k".into(),
            received: 0,
            aud: vec![CLINIC.into()],
            pur: Bits::one(policy.purpose("TREAT").unwrap().0),
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
        }],
        denials: vec![],
        objections: vec![],
        notices: vec![],
        keys: vec![],
    };
    let general = Bits(policy.all_categories().0 & !policy.individual().0);
    let condition = Bits::one(policy.category("inf.condition").unwrap().0);
    let mut group = c.benchmark_group("filter");
    group.throughput(Throughput::Elements(1));
    for (name, cat) in [
        ("300 entries, all shown", general),
        (
            "300 entries, diagnoses withheld",
            Bits(general.0 & !condition.0),
        ),
    ] {
        let state = state(cat);
        let out = filter(&bundle, &state, &request, &Hospital).unwrap();
        let shown = String::from_utf8_lossy(&out.bytes);
        assert!(shown.contains("MedicationRequest"));
        assert_eq!(shown.contains("\"Condition\""), cat == general);
        group.bench_function(name, |b| {
            b.iter(|| filter(black_box(&bundle), &state, &request, &Hospital).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, verify, decision, filtering);
criterion_main!(benches);
