//! What too few witnesses signed is shown to nobody.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod world;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use warifu_consent::{SecretKey, Signer as _};
use warifu_log::{NoteKey, Purpose, Trust, cosign};
use warifu_server::Office;
use world::*;

#[test]
fn all_of_it_holds_over_postgresql() {
    postgresql::again_without("all_of_it_holds_over_postgresql");
}

struct Witness(SecretKey, NoteKey);

impl warifu_log::Signer for Witness {
    fn sign(&self, message: &[u8]) -> Option<[u8; 64]> {
        warifu_consent::Signer::sign(&self.0, message).ok()
    }
}

impl Witness {
    fn new(name: &str) -> Self {
        let key = secret();
        let note = NoteKey::new(name, Purpose::Cosignature, &key.public().to_bytes()).unwrap();
        Self(key, note)
    }
}

/// A server with two of three witnesses, over a folder that had none.
fn with(witnesses: &[&Witness], quorum: u64) -> (World, World) {
    let w = World::new();
    let path = w.data.join("server.json");
    let mut settings: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let keys: Vec<String> = witnesses.iter().map(|w| w.1.text()).collect();
    settings["witnesses"] = json!(keys);
    settings["quorum"] = json!(quorum);
    std::fs::write(&path, settings.to_string()).unwrap();
    let beside = World::over(&w.data, std::sync::Arc::clone(&w.clock));
    (w, beside)
}

fn note(w: &World, path: &str) -> Option<String> {
    let (head, bytes) = w.send(Request::get(path).body(Body::empty()).unwrap());
    (head.status() == 200).then(|| String::from_utf8(bytes).unwrap())
}

fn proofs(w: &World) -> (usize, usize) {
    let mine = w.good("GET", "/api/log/mine", None);
    let lines = mine["lines"].as_array().unwrap();
    let proved = lines.iter().filter(|l| l["proof"].is_string()).count();
    (proved, lines.len() - proved)
}

#[test]
fn a_checkpoint_is_shown_when_enough_have_signed_it() {
    let all = ["w.example/a", "w.example/b", "w.example/c"].map(Witness::new);
    let [a, b, c] = &all;
    let (_one, w) = with(&[a, b, c], 2);
    let office = w.office_app.office().unwrap();
    let key = w.good("GET", "/api/log/key", None);
    assert_eq!(key["quorum"], json!(2));
    let named: Vec<NoteKey> = key["witnesses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|k| NoteKey::parse(k.as_str().unwrap()).unwrap())
        .collect();
    let log = NoteKey::parse(key["log"].as_str().unwrap()).unwrap();
    let trust = Trust::new(log, named, 2).unwrap();
    office.publish(true, 0).unwrap();
    // Signed by the log alone: nobody is shown it.
    assert_eq!(note(&w, "/api/log/checkpoint"), None);
    assert_eq!(proofs(&w).0, 0);
    let first = note(&w, "/api/log/pending").unwrap();
    assert!(trust.verify(first.as_bytes()).is_err());
    let send = |note: &str| w.call("POST", "/api/log/cosignature", Some(&json!({"note": note})));
    let by = |note: &str, who: &Witness| cosign(note, &who.1, who, w.now()).unwrap();
    // Not without a witness, by a stranger, over another tree, or bent.
    let stranger = Witness::new("w.example/a");
    let other = first.replacen(&first.lines().nth(2).unwrap()[..4], "AAAA", 1);
    for wrong in [
        first.clone(),
        by(&first, &stranger),
        by(&other, a),
        "x".to_owned(),
    ] {
        let (status, value) = send(&wrong);
        assert_eq!(
            (status, &value["code"]),
            (400, &json!("COSIGNATURE")),
            "{wrong}"
        );
    }
    // What somebody else wrote under the same name does not come in with it.
    let beside = by(&first, &stranger);
    let beside = beside.strip_prefix(&first).unwrap();
    let mut given = format!("{first}{beside}");
    given.push_str(by(&first, a).strip_prefix(&first).unwrap());
    let (status, value) = send(&given);
    assert_eq!(
        (status, &value["witnesses"], &value["shown"]),
        (200, &json!(1), &json!(false)),
        "{value}"
    );
    let kept = note(&w, "/api/log/pending").unwrap();
    assert_eq!(kept, by(&first, a));
    // Twice the same is one.
    assert_eq!(send(&by(&first, a)).1["witnesses"], json!(1));
    assert_eq!(note(&w, "/api/log/checkpoint"), None);
    let (_, value) = send(&by(&first, c));
    assert_eq!(
        (&value["witnesses"], &value["shown"]),
        (&json!(2), &json!(true))
    );
    let shown = note(&w, "/api/log/checkpoint").unwrap();
    let checkpoint = trust.verify(shown.as_bytes()).unwrap();
    let (proved, promised) = proofs(&w);
    assert!(proved > 0 && promised == 0);
    // The next one waits; what is shown is the last that they signed, and every proof is of it.
    w.good(
        "POST",
        "/api/disclose",
        Some(&json!({"search": "Observation"})),
    );
    w.later(61);
    office.publish(true, 0).unwrap();
    assert_eq!(note(&w, "/api/log/checkpoint"), Some(shown));
    assert_eq!(proofs(&w), (proved, 1));
    let mine = w.good("GET", "/api/log/mine", None);
    for line in mine["lines"].as_array().unwrap() {
        let Some(proof) = line["proof"].as_str() else {
            continue;
        };
        let own = &line["own"];
        let salt = warifu_log::decode_url(own["salt"].as_str().unwrap()).unwrap();
        let leaf = warifu_log::leaf_data(&salt, own["line"].as_str().unwrap()).url();
        let verdict =
            warifu_log::api::check_inclusion(key.to_string().as_bytes(), &leaf, proof.as_bytes());
        assert!(verdict.contains("\"ok\":1"), "{verdict}");
    }
    let second = note(&w, "/api/log/pending").unwrap();
    let (_, value) = send(&by(&by(&second, b), a));
    assert_eq!(value["shown"], json!(true));
    assert_eq!(proofs(&w).1, 0);
    let now = trust
        .verify(note(&w, "/api/log/checkpoint").unwrap().as_bytes())
        .unwrap();
    assert!(now.size > checkpoint.size);
    // The first is over.
    let (status, value) = send(&by(&first, b));
    assert_eq!((status, &value["code"]), (404, &json!("NOT_FOUND")));
    // Whoever is not trusted any more has signed nothing.
    let clock = std::sync::Arc::clone(&w.clock);
    let other = Witness::new("w.example/d");
    let path = w.data.join("server.json");
    let mut settings: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    settings["witnesses"] = json!([other.1.text()]);
    settings["quorum"] = json!(1);
    std::fs::write(&path, settings.to_string()).unwrap();
    let third = World::over(&w.data, clock);
    assert_eq!(note(&third, "/api/log/checkpoint"), None);
    // A quorum that cannot be, and a key that is none.
    for (witnesses, quorum) in [
        (json!([other.1.text()]), 0),
        (json!([other.1.text()]), 2),
        (json!(["x"]), 1),
        (json!([]), 1),
    ] {
        settings["witnesses"] = witnesses;
        settings["quorum"] = json!(quorum);
        std::fs::write(&path, settings.to_string()).unwrap();
        assert!(Office::open(&w.data, Box::new(|| 1_790_000_000)).is_err());
    }
}
