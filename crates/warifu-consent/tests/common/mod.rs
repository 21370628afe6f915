//! Keys, a ledger and tokens of the tests; everything is made here, nothing is read.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_imports,
    reason = "each test uses its part"
)]

use std::collections::{BTreeMap, BTreeSet};

use warifu_consent::json::{Value, object};
use warifu_consent::*;

pub(crate) const NOW: u64 = 1_790_000_100;
pub(crate) const SUB: &str = "s1.EBESExQVFhcYGRobHB0eHw";
pub(crate) const CLINIC: &str = "mi:1312345678";
pub(crate) const OTHER: &str = "mi:1318765432";
pub(crate) const LIST: &str = "https://c.example.jp/s/7";

pub(crate) fn key(n: u8) -> SecretKey {
    SecretKey::from_seed(&mut [n; 32])
}

/// RFC 8032 test 1: the patient's key of §15.
pub(crate) fn patient() -> SecretKey {
    let hex = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let mut seed = [0; 32];
    for (i, b) in seed.iter_mut().enumerate() {
        *b = u8::from_str_radix(&hex[i * 2..i * 2 + 2], 16).unwrap();
    }
    SecretKey::from_seed(&mut seed)
}

pub(crate) fn id(n: u8) -> String {
    b64::encode(&[n; 16])
}

pub(crate) fn master() -> Master {
    let facility = |code: &str, ja: &str, en: &str| Facility {
        code: code.into(),
        ja: ja.into(),
        en: en.into(),
    };
    Master::new(
        20_260_901,
        "架空割符病院 患者相談窓口 03-0000-0000",
        vec![
            facility(CLINIC, "架空割符診療所", "Kaku Warifu Clinic"),
            facility(OTHER, "架空精神科病院", ""),
            facility("kg:1", "架空介護", ""),
            facility("app:x", "架空アプリ", ""),
        ],
    )
}

/// Keys by class, with states that a test may change.
#[derive(Default)]
pub(crate) struct Ring(pub(crate) BTreeMap<(SignerClass, String), KeyEntry>);

impl Ring {
    pub(crate) fn with(mut self, class: SignerClass, key: &SecretKey) -> Self {
        self.add(class, key, KeyState::Active);
        self
    }
    pub(crate) fn add(&mut self, class: SignerClass, key: &SecretKey, state: KeyState) {
        let public = key.public();
        let kid = public.thumbprint();
        self.0.insert((class, kid), KeyEntry::new(public, state));
    }
}

impl KeyRing for Ring {
    fn find(&self, class: SignerClass, kid: &str) -> Option<KeyEntry> {
        self.0.get(&(class, kid.to_owned())).cloned()
    }
}

pub(crate) fn ring() -> Ring {
    Ring::default()
        .with(SignerClass::Patient, &patient())
        .with(SignerClass::Patient, &key(2))
        .with(SignerClass::Registry, &key(3))
        .with(SignerClass::Authority, &key(4))
        .with(SignerClass::Institution, &key(5))
        .with(SignerClass::Server, &key(6))
        .with(SignerClass::Disaster, &key(7))
        .with(SignerClass::Certified, &key(8))
        .with(SignerClass::Status, &key(9))
}

pub(crate) struct Book {
    pub(crate) bindings: Vec<Binding>,
    pub(crate) accepted: BTreeSet<String>,
    pub(crate) nonces: BTreeSet<String>,
    pub(crate) seen: BTreeSet<String>,
    pub(crate) targets: BTreeMap<String, Target>,
    pub(crate) seq: Option<u64>,
    pub(crate) issued: BTreeMap<String, (u64, String)>,
    pub(crate) state: StatusNow,
    pub(crate) grants: BTreeMap<String, Parent>,
}

pub(crate) fn binding(key: &SecretKey, role: &str) -> Binding {
    let proxy = role != "patient";
    Binding {
        jti: id(200),
        kid: key.public().thumbprint(),
        sub: if proxy {
            format!("s1.{}", id(77))
        } else {
            SUB.into()
        },
        role: role.into(),
        represents: proxy.then(|| SUB.into()),
        until: None,
        until_obj: None,
        scope: None,
        ial: "jpki".into(),
        nbf: 1_700_000_000,
        exp: 1_900_000_000,
    }
}

pub(crate) fn book() -> Book {
    let target = |typ| Target {
        typ,
        sub: SUB.into(),
        pur: vec!["TREAT".into()],
        cat: vec!["inf.infection".into()],
        role: String::new(),
    };
    Book {
        bindings: vec![binding(&patient(), "patient"), binding(&key(2), "guardian")],
        accepted: BTreeSet::new(),
        nonces: BTreeSet::from([id(1)]),
        seen: BTreeSet::from([id(99)]),
        targets: BTreeMap::from([(id(50), target(Typ::Grant)), (id(51), target(Typ::Deny))]),
        seq: Some(3),
        issued: BTreeMap::from([(id(1), (48_213, LIST.into()))]),
        state: StatusNow::Valid,
        grants: BTreeMap::new(),
    }
}

impl Ledger for Book {
    fn bindings(&self, kid: &str) -> Vec<Binding> {
        self.bindings
            .iter()
            .filter(|b| b.kid == kid)
            .cloned()
            .collect()
    }
    fn accepted(&self, _: &str, hash: &str) -> bool {
        self.accepted.contains(hash)
    }
    fn nonce_open(&self, nonce: &str) -> bool {
        self.nonces.contains(nonce)
    }
    fn seen(&self, jti: &str) -> bool {
        self.seen.contains(jti)
    }
    fn target(&self, jti: &str) -> Option<Target> {
        self.targets.get(jti).cloned()
    }
    fn last_seq(&self, _: &str) -> Option<u64> {
        self.seq
    }
    fn issued(&self, nonce: &str) -> Option<(u64, String)> {
        self.issued.get(nonce).cloned()
    }
    fn status(&self, _: &str, _: Option<(u64, &str)>) -> StatusNow {
        self.state
    }
    fn grant(&self, hash: &str) -> Option<Parent> {
        self.grants.get(hash).cloned()
    }
    fn institution(&self, kid: &str) -> Option<String> {
        (kid == key(5).public().thumbprint()).then(|| CLINIC.into())
    }
}

pub(crate) fn annex() -> Annex {
    Annex {
        salt: [0; 16],
        src: vec![OTHER.into()],
        res: vec![],
        lbl: vec!["PSY".into()],
        wid: vec![],
    }
}

pub(crate) fn codes(list: &[&str]) -> Value {
    Value::Array(list.iter().map(|c| Value::from(*c)).collect())
}

pub(crate) fn set(claims: &mut Value, name: &str, value: Value) {
    let Value::Object(m) = claims else { panic!() };
    m.insert(name.into(), value);
}

pub(crate) fn unset(claims: &mut Value, name: &str) {
    let Value::Object(m) = claims else { panic!() };
    m.remove(name);
}

/// `txt` of a family, in Japanese.
pub(crate) fn txt(family: &str) -> Value {
    object([
        ("id", family.into()),
        ("ver", 1.into()),
        ("lang", "ja".into()),
        ("m", 20_260_901.into()),
    ])
}

pub(crate) fn status() -> Value {
    let list = object([("idx", 48_213.into()), ("uri", LIST.into())]);
    object([("status_list", list)])
}

/// The claims of a good grant, without `txt.h`.
pub(crate) fn grant() -> Value {
    object([
        ("sub", SUB.into()),
        ("aud", codes(&[CLINIC])),
        ("iat", 1_790_000_000.into()),
        ("nbf", 1_790_000_000.into()),
        ("exp", 1_797_776_000.into()),
        ("jti", id(10).into()),
        ("nonce", id(1).into()),
        ("pur", codes(&["TREAT"])),
        ("cat", codes(&["inf.allergy", "inf.condition", "inf.rx"])),
        ("dat", object([("from", "2024-01-01".into())])),
        ("obl", codes(&["NORDSCLCD"])),
        ("status", status()),
        ("txt", txt("treat")),
    ])
}

pub(crate) fn deny() -> Value {
    object([
        ("sub", SUB.into()),
        ("iat", 1_790_000_000.into()),
        ("nbf", 1_790_000_000.into()),
        ("jti", id(11).into()),
        ("aud", codes(&["*"])),
        ("pur", codes(&["*"])),
        ("cat", codes(&["prc.surgery"])),
        ("emg", false.into()),
        ("status", status()),
        ("nonce", id(1).into()),
        ("txt", txt("deny")),
    ])
}

pub(crate) fn objection() -> Value {
    object([
        ("sub", SUB.into()),
        ("iat", 1_790_000_000.into()),
        ("jti", id(12).into()),
        ("seq", 4.into()),
        ("pur", codes(&["ANON"])),
        ("to", codes(&["*"])),
        ("src", codes(&["*"])),
        ("state", "on".into()),
        ("txt", txt("objection-on")),
    ])
}

pub(crate) fn revoke(target: u8) -> Value {
    object([
        ("sub", SUB.into()),
        ("iat", NOW.into()),
        ("jti", id(13).into()),
        ("rev", id(target).into()),
        ("rsn", "withdrawn".into()),
    ])
}

/// Binds the text and signs.
pub(crate) fn sign(typ: Typ, claims: Value, annex: Option<&Annex>, by: &SecretKey) -> String {
    let policy = Policy::reference().unwrap();
    let claims = if claims.get("txt").is_some() && typ != Typ::Request {
        bind_text(&policy, &master(), typ, claims, annex).unwrap().0
    } else {
        claims
    };
    make(typ, claims, by).unwrap()
}

/// Signs whatever header and payload, as an attacker with the key could.
pub(crate) fn forge(header: &str, payload: &str, by: &SecretKey) -> String {
    let input = format!(
        "{}.{}",
        b64::encode(header.as_bytes()),
        b64::encode(payload.as_bytes())
    );
    let signature = by.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", b64::encode(&signature))
}

pub(crate) fn header(typ: Typ, by: &SecretKey) -> String {
    format!(
        r#"{{"alg":"EdDSA","kid":"{}","typ":"{}"}}"#,
        by.public().thumbprint(),
        typ.wire()
    )
}

/// Claims with `v` and `iss`, as text, unchecked.
pub(crate) fn raw(mut claims: Value, by: &SecretKey) -> String {
    set(&mut claims, "v", 1.into());
    set(&mut claims, "iss", by.public().thumbprint().into());
    claims.write()
}
