//! Releases without names: who may be in one, who tells of one, what a person can check of it, and what its
//! recipient tells of its use.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod world;

use serde_json::{Value, json};
use warifu_consent::{
    Contract, Lang, Profile, Release, SecretKey, Signer as _, Step, Typ, b64, make, member_leaf,
    member_leaves,
};
use warifu_log::{Frontier, Hash, leaf_hash, verify_inclusion};
use warifu_server::{Rights, Visitor, router};
use world::*;

const BODY: &str = "cert:1";
const STUDY: &str = "rs:1";
const DAY: u64 = 86_400;
const NOBODY: &str = "s1.AAAAAAAAAAAAAAAAAAAAAA";

#[test]
fn all_of_it_holds_over_postgresql() {
    postgresql::again_without("all_of_it_holds_over_postgresql");
}

fn tree(leaves: &[[u8; 32]]) -> Hash {
    let mut tree = Frontier::new();
    for leaf in leaves {
        tree.append(leaf_hash(leaf));
    }
    tree.root()
}

/// A manifest of these leaves, and its token.
fn manifest(w: &World, key: &SecretKey, leaves: &[[u8; 32]], pur: &str, jti: &str) -> String {
    let release = Release {
        jti: jti.to_owned(),
        at: w.now(),
        to: STUDY.to_owned(),
        contract: Contract {
            id: "c-1".to_owned(),
            hash: [5; 32],
            purposes: vec![pur.to_owned()],
            scope: "研究班の中".to_owned(),
            exp: w.now() + 90 * DAY,
        },
        schema: "s-1".to_owned(),
        rows: 2,
        sha256: [6; 32],
        profile: Profile {
            id: "anon-1".to_owned(),
            ver: 1,
            steps: vec![Step::DropIdentifiers, Step::Prefecture],
        },
        k: 10,
        root: tree(leaves).0,
        n: u64::try_from(leaves.len()).unwrap(),
        watermark: [8; 32],
    };
    make(Typ::Release, release.claims(), key).unwrap()
}

impl World {
    fn tell(&self, token: &str, leaves: &[[u8; 32]]) -> (u16, Value) {
        let body = json!({"token": token, "leaves": b64::encode(&leaves.concat())});
        self.call("POST", "/api/releases", Some(&body))
    }

    /// A release of these leaves, which is taken; its name.
    fn released(&self, key: &SecretKey, salts: &[[u8; 16]]) -> (String, Vec<[u8; 32]>) {
        let jti = id();
        let leaves = member_leaves(salts, &jti).unwrap();
        let (status, value) = self.tell(&manifest(self, key, &leaves, "ANON", &jti), &leaves);
        assert_eq!(status, 201, "{value}");
        assert_eq!(value["release"], json!(jti));
        (jti, leaves)
    }
}

/// A world with a body that is certified for `ANON`, and the person told of it long ago.
fn certified() -> (World, SecretKey, SecretKey) {
    let mut w = World::new();
    let path = w.data.join("policy.json");
    let policy = std::fs::read_to_string(&path).unwrap();
    let listed = r#""certified": [{"to": "cert:1", "pur": ["ANON"]}]"#;
    let changed = policy.replace(r#""certified": []"#, listed);
    assert_ne!(policy, changed);
    std::fs::write(&path, changed).unwrap();
    let office = office(&w.data, &w.clock);
    let (body, study, hospital) = (secret(), secret(), secret());
    for (key, code) in [(&body, BODY), (&study, STUDY), (&hospital, HOSPITAL)] {
        office
            .register(&key.public(), code, &Rights::default())
            .unwrap();
    }
    // It sends nothing and has no emergencies.
    let sends = Rights {
        sends: true,
        ..Rights::default()
    };
    assert!(office.register(&secret().public(), BODY, &sends).is_err());
    w.office_app = app(office);
    w.app = router(w.office_app.clone());
    let office = w.office_app.office().unwrap();
    assert_eq!(office.members(BODY, "ANON"), Ok(Vec::new()));
    let told = json!({"patient": PATIENT, "what": "opt-out", "hash": b64::encode(&[1; 32])});
    let told = told.to_string();
    let token = w.access(&hospital, NOBODY, "/api/notices", &told, "TREAT");
    assert_eq!(w.with_access("/api/notices", &token, &told).0, 201);
    // Not before the time of the notice is over.
    assert_eq!(office.members(BODY, "ANON"), Ok(Vec::new()));
    w.later(31 * DAY);
    w.again();
    (w, body, study)
}

fn salt(text: &str) -> [u8; 16] {
    b64::decode_array(text).unwrap()
}

#[test]
fn a_person_can_tell_whether_a_release_has_them() {
    let (w, body, study) = certified();
    let office = w.office_app.office().unwrap();
    let members = office.members(BODY, "ANON").unwrap();
    assert_eq!(members.len(), 1, "{members:?}");
    assert_eq!(members[0].sub, w.sub);
    assert_eq!(
        office.members(BODY, "PSEUDO").unwrap_err().code(),
        "CERTIFIED"
    );
    assert_eq!(
        office.members("cert:2", "ANON").unwrap_err().code(),
        "CERTIFIED"
    );
    let own = salt(&members[0].salt);
    // With people of other holders.
    let salts = [[1; 16], own, [2; 16], [3; 16]];
    let (rel, leaves) = w.released(&body, &salts);
    let value = w.good("GET", "/api/releases", None);
    assert_eq!(value["salt"], json!(members[0].salt));
    let [one] = value["releases"].as_array().unwrap().as_slice() else {
        panic!("{value}")
    };
    assert_eq!(
        (&one["release"], &one["uses"], &one["used"]),
        (&json!(rel), &json!(0), &Value::Null)
    );
    let line: Value = serde_json::from_str(one["proof"]["line"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&line["kind"], &line["rel"], &line["root"]),
        (&json!("release"), &json!(rel), &json!(tree(&leaves).url()))
    );
    assert!(line.get("sub").is_none());
    // The device makes its own leaf, and walks from it to the root of the manifest.
    let shown = w.good("GET", &format!("/api/releases/{rel}"), None);
    let (_, signed) = warifu_consent::peek(shown["token"].as_str().unwrap()).unwrap();
    let root = Hash::from_url(signed.get("root").unwrap().text().unwrap()).unwrap();
    let walk = |near: &Value, leaf: &[u8; 32], size: u64| {
        let path = near["path"].as_array().unwrap().iter();
        let path: Vec<Hash> = path
            .map(|h| Hash::from_url(h.as_str().unwrap()).unwrap())
            .collect();
        let index = near["index"].as_u64().unwrap();
        verify_inclusion(&leaf_hash(leaf), index, size, &path, &root).is_ok()
    };
    assert_eq!(
        (&shown["member"], &shown["size"]),
        (&json!(true), &json!(4))
    );
    let near = shown["near"].as_array().unwrap();
    let leaf = member_leaf(&own, &rel).unwrap();
    assert!(near.len() == 1 && walk(&near[0], &leaf, 4));
    let foreign = member_leaf(&[1; 16], &rel).unwrap();
    assert!(!walk(&near[0], &foreign, 4));
    assert_eq!(w.call("GET", "/api/releases/x", None).0, 404);

    // What was done with it, by whoever received it and nobody else.
    let entry = |query: &str| json!({"person": b64::encode(&[7; 32]), "query": query, "output": b64::encode(&[9; 32])});
    let usage = |key: &SecretKey, rel: &str, entries: Value| {
        let body = json!({"release": rel, "entries": entries}).to_string();
        let token = w.access(key, NOBODY, "/api/usage", &body, "HRESCH");
        w.with_access("/api/usage", &token, &body)
    };
    let entries = json!([entry("count"), entry("survival.by-age")]);
    let (status, value) = usage(&study, &rel, entries.clone());
    assert_eq!(status, 201, "{value}");
    let told: Vec<Hash> = entries
        .as_array()
        .unwrap()
        .iter()
        .map(|e| leaf_hash(claims(e).write().as_bytes()))
        .collect();
    let mut uses = Frontier::new();
    for one in told {
        uses.append(one);
    }
    assert_eq!(value["root"], json!(uses.root().url()));
    let line: Value = serde_json::from_str(value["proof"]["line"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&line["kind"], &line["root"]),
        (&json!("usage"), &value["root"])
    );
    let code = |(status, value): (u16, Value)| (status, value["code"].as_str().unwrap().to_owned());
    for (key, rel, entries, want) in [
        (&w.clinic, rel.as_str(), entries.clone(), (404, "NOT_FOUND")),
        (&study, &id(), entries.clone(), (404, "NOT_FOUND")),
        (&study, &rel, json!([]), (400, "BODY")),
        (&study, &rel, json!([entry("Yamada Hanako")]), (400, "BODY")),
        (&study, &rel, json!([{"query": "count"}]), (400, "BODY")),
    ] {
        let got = code(usage(key, rel, entries));
        assert_eq!(got, (want.0, want.1.to_owned()));
    }
    let shown = w.good("GET", "/api/releases", None);
    assert_eq!(
        (&shown["releases"][0]["uses"], &shown["releases"][0]["used"]),
        (&json!(2), &json!(w.now()))
    );
    let kept = office.releases().unwrap();
    assert_eq!((kept.len(), kept[0].uses, kept[0].persons), (1, 2, 4));
    assert_eq!((kept[0].by.as_str(), kept[0].to.as_str()), (BODY, STUDY));
}

#[test]
fn who_objected_is_in_no_later_release() {
    let (w, body, _) = certified();
    let office = w.office_app.office().unwrap();
    let own = salt(&office.members(BODY, "ANON").unwrap()[0].salt);
    w.released(&body, &[own, [1; 16]]);
    let visitor = Visitor {
        institution: HOSPITAL,
        patient: PATIENT,
        identified: "counter",
    };
    let anon = ["ANON".to_owned()];
    office
        .object_at_desk(&visitor, [&anon, &[], &[]], Lang::Ja)
        .unwrap();
    assert_eq!(office.members(BODY, "ANON"), Ok(Vec::new()));
    let rel = id();
    let with = member_leaves(&[own, [1; 16]], &rel).unwrap();
    let lines = office.lines().unwrap();
    let (status, value) = w.tell(&manifest(&w, &body, &with, "ANON", &rel), &with);
    assert_eq!((status, &value["code"]), (409, &json!("MEMBERS")));
    assert_eq!(office.lines().unwrap(), lines);
    // Without them it is taken, and they can see that they are not in it: their place is between two others.
    let others: Vec<[u8; 16]> = (1..40_u8).map(|n| [n; 16]).collect();
    let (rel, _) = w.released(&body, &others);
    let shown = w.good("GET", &format!("/api/releases/{rel}"), None);
    assert_eq!(shown["member"], json!(false));
    let leaf = member_leaf(&own, &rel).unwrap();
    let near = shown["near"].as_array().unwrap();
    let at = |n: &Value| -> ([u8; 32], u64) {
        let leaf = b64::decode_array(n["leaf"].as_str().unwrap()).unwrap();
        (leaf, n["index"].as_u64().unwrap())
    };
    match near.as_slice() {
        [left, right] => {
            let ((a, i), (b, j)) = (at(left), at(right));
            assert!(a < leaf && leaf < b && i + 1 == j);
        }
        [one] => {
            let (other, index) = at(one);
            assert!(if index == 0 {
                leaf < other
            } else {
                other < leaf && index == 38
            });
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_manifest_is_held_against_its_leaves_its_signer_and_its_contract() {
    let (w, body, study) = certified();
    let jti = id();
    let leaves = member_leaves(&[[1; 16], [2; 16]], &jti).unwrap();
    let good = manifest(&w, &body, &leaves, "ANON", &jti);
    let mut turned = leaves.clone();
    turned.reverse();
    for (token, leaves, want) in [
        (good.as_str(), &leaves[..1], (400, "ROOT")),
        (&good, &turned, (400, "BODY")),
        (&good, &[], (400, "BODY")),
        (
            &manifest(&w, &study, &leaves, "ANON", &jti),
            &leaves,
            (401, "KEY_UNKNOWN"),
        ),
        (
            &manifest(&w, &body, &leaves, "PSEUDO", &jti),
            &leaves,
            (403, "CERTIFIED"),
        ),
        (
            &manifest(&w, &body, &leaves, "TREAT", &jti),
            &leaves,
            (403, "CERTIFIED"),
        ),
    ] {
        let (status, value) = w.tell(token, leaves);
        assert_eq!((status, value["code"].as_str()), (want.0, Some(want.1)));
    }
    let (status, first) = w.tell(&good, &leaves);
    assert_eq!((status, &first["again"]), (201, &json!(false)));
    // Sent again it is the same; the same name for something else is none.
    let (status, second) = w.tell(&good, &leaves);
    assert_eq!((status, &second["again"]), (200, &json!(true)));
    assert_eq!(first["at"], second["at"]);
    let other = member_leaves(&[[1; 16]], &jti).unwrap();
    let (status, value) = w.tell(&manifest(&w, &body, &other, "ANON", &jti), &other);
    assert_eq!((status, &value["code"]), (409, &json!("REPLAY")));
    // An ended key signs nothing more.
    let office = w.office_app.office().unwrap();
    office.end_key(&body.public(), "retired").unwrap();
    w.later(1);
    let jti = id();
    let leaves = member_leaves(&[[1; 16]], &jti).unwrap();
    let (status, value) = w.tell(&manifest(&w, &body, &leaves, "ANON", &jti), &leaves);
    assert_eq!(value["code"], json!("KEY_RETIRED"), "{status}");
}
