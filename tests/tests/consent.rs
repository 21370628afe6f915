//! What the consent core writes as FHIR R4 is valid, by our own validator: base R4 and JP Core.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may fail loudly, and says aloud what it skips"
)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use warifu_consent::json::{Value, object};
use warifu_consent::{
    About, Annex, Dialect, KeyEntry, KeyRing, KeyState, Moment, SecretKey, Signer as _,
    SignerClass, Typ, b64, make, open, to_consent,
};
use warifu_diag::Severity;
use warifu_package::{Fallback, Library, Limits, Package, compile, unpack};
use warifu_terminology::Terms;
use warifu_validate::{CoreOnly, Findings, Options, Validator};

const JP_CONSENT: &str = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Consent";

struct Ring(BTreeMap<SignerClass, KeyEntry>);

impl KeyRing for Ring {
    fn find(&self, class: SignerClass, _: &str) -> Option<KeyEntry> {
        self.0.get(&class).cloned()
    }
}

fn codes(list: &[&str]) -> Value {
    Value::Array(list.iter().map(|c| Value::from(*c)).collect())
}

fn set(claims: &mut Value, name: &str, value: Value) {
    if let Value::Object(m) = claims {
        m.insert(name.into(), value);
    }
}

fn id(n: u8) -> String {
    b64::encode(&[n; 16])
}

/// A token of each kind with every claim it can have, exported in every way.
fn consents() -> Vec<(String, String)> {
    let annex = Annex {
        salt: [3; 16],
        src: vec!["kg:1".into(), "mi:1318765432".into()],
        res: vec![warifu_consent::hash::resource_key(
            "mi:1",
            "Observation",
            "1",
        )],
        lbl: vec!["PSY".into(), "R".into()],
        wid: vec![warifu_consent::hash::resource_key("mi:1", "Encounter", "1")],
    };
    let txt = object([
        ("id", "treat".into()),
        ("ver", 1.into()),
        ("lang", "ja".into()),
        ("m", 20_260_901.into()),
        ("h", b64::encode(&[1; 32]).into()),
    ]);
    let list = object([
        ("idx", 48_213.into()),
        ("uri", "https://c.example.jp/s/7".into()),
    ]);
    let status = object([("status_list", list)]);
    let act = object([("rel", "guardian".into()), ("bnd", id(9).into())]);
    let grant = object([
        ("sub", "s1.EBESExQVFhcYGRobHB0eHw".into()),
        ("aud", codes(&["kg:1", "mi:1312345678"])),
        ("iat", 1_790_000_000.into()),
        ("nbf", 1_790_000_000.into()),
        ("exp", 1_797_776_000.into()),
        ("jti", id(1).into()),
        ("nonce", id(2).into()),
        ("pur", codes(&["CAREMGT", "DSREG", "TREAT"])),
        (
            "cat",
            codes(&["doc.checkup", "doc.discharge", "doc.referral", "inf.rx"]),
        ),
        (
            "dat",
            object([("from", "2024-01-01".into()), ("to", "2026-01-01".into())]),
        ),
        ("rec", object([("to", 1_795_000_000.into())])),
        ("anx", annex.hash().into()),
        ("txt", txt.clone()),
        ("obl", codes(&["NOPERSISTP", "NORDSCLCD"])),
        ("del", 1_800_000_000.into()),
        ("use", object([("max", 3.into())])),
        ("act", act.clone()),
        ("dlg", true.into()),
        ("status", status.clone()),
    ]);
    let mut bare = grant.clone();
    for name in ["act", "rec", "obl", "del", "use", "dlg"] {
        if let Value::Object(m) = &mut bare {
            m.remove(name);
        }
    }
    set(&mut bare, "dat", object([]));
    set(&mut bare, "aud", codes(&["mi:*"]));
    let deny = object([
        ("sub", "s1.EBESExQVFhcYGRobHB0eHw".into()),
        ("iat", 1_790_000_000.into()),
        ("jti", id(3).into()),
        ("nbf", 1_790_000_000.into()),
        ("aud", codes(&["*"])),
        ("pur", codes(&["*"])),
        ("cat", codes(&["*"])),
        ("emg", true.into()),
        ("txt", txt.clone()),
        ("act", act),
        ("status", status),
        ("nonce", id(4).into()),
    ]);
    let objection = object([
        ("sub", "s1.EBESExQVFhcYGRobHB0eHw".into()),
        ("iat", 1_790_000_000.into()),
        ("jti", id(5).into()),
        ("seq", 4.into()),
        ("pur", codes(&["ANON", "PSEUDO"])),
        ("to", codes(&["cert:1"])),
        ("src", codes(&["mi:1318765432"])),
        ("state", "on".into()),
        ("txt", txt),
        ("by", "registry".into()),
    ]);
    let mut key = [5; 32];
    let key = SecretKey::from_seed(&mut key);
    let entry = KeyEntry {
        bytes: key.public().to_bytes(),
        state: KeyState::Active,
    };
    let ring = Ring(BTreeMap::from([(SignerClass::Patient, entry)]));
    let mut out = Vec::new();
    for (typ, claims, annex) in [
        (Typ::Grant, grant, Some(&annex)),
        (Typ::Grant, bare, None),
        (Typ::Deny, deny, None),
        (Typ::Objection, objection, None),
    ] {
        let token = make(typ, claims, &key).unwrap();
        let opened = open(&token, &[typ], &ring, Moment::now(1_790_000_100)).unwrap();
        for dialect in [Dialect::Core, Dialect::Pcf] {
            for (in_force, annex, verified) in
                [(true, None, Some(1_790_000_000)), (false, annex, None)]
            {
                let about = About {
                    log: "https://log.example.jp/consent-log",
                    organization: "mi:1312345678",
                    in_force,
                    verified,
                    annex,
                };
                let text = to_consent(&token, &opened, dialect, about).unwrap();
                out.push((format!("{} {dialect:?} {in_force}", typ.wire()), text));
            }
        }
    }
    out
}

/// Codes of our own where R4 has none, and what §12.1 of the design asks for: extensible bindings. A
/// narrative is left out, since it could say something else than what was signed.
const KNOWN: &[(&str, &str)] = &[
    ("dom-6", "Consent"),
    ("FHR102", "Consent.category"),
    ("FHR102", "Consent.policyRule"),
    ("FHR102", "Consent.provision.class"),
    ("FHR102", "Consent.provision.purpose"),
    ("FHR102", "Consent.provision.provision.class"),
    ("FHR102", "Consent.provision.provision.purpose"),
];

/// Findings beyond the known warnings.
fn errors(found: &Findings) -> Vec<String> {
    let plain = |location: &str| {
        let steps = location
            .split('[')
            .map(|s| s.split_once(']').map_or(s, |(_, rest)| rest));
        steps.collect::<String>()
    };
    found
        .list
        .iter()
        .filter(|f| f.severity != Severity::Info)
        .filter(|f| {
            f.severity == Severity::Error || !KNOWN.contains(&(f.code(), &*plain(&f.location)))
        })
        .map(|f| {
            format!(
                "{:?} {} {} {}",
                f.severity,
                f.code(),
                f.location,
                f.argument
            )
        })
        .collect()
}

#[test]
fn exported_consents_are_valid_r4() {
    let validator = Validator::new(&CoreOnly, &CoreOnly, Options::default());
    let consents = consents();
    assert_eq!(consents.len(), 16);
    for (name, text) in consents {
        assert_eq!(
            errors(&validator.validate(text.as_bytes())),
            Vec::<String>::new(),
            "{name}"
        );
        // The validator would see it.
        let bad = text.replace(r#""status":"active""#, r#""status":"on""#);
        let bad = bad.replace(r#""status":"inactive""#, r#""status":"off""#);
        assert!(validator.validate(bad.as_bytes()).has_errors());
    }
}

#[test]
fn exported_consents_follow_jp_consent() {
    let Some(shared) = common::shared("exported_consents_follow_jp_consent") else {
        return;
    };
    let archive = shared.join("fhir/packages/jpfhir.jp.core-1.2.0.tgz");
    let bytes = std::fs::read(archive).unwrap();
    let fallback = Fallback {
        name: "jpfhir.jp.core",
        version: "1.2.0",
    };
    let files = unpack(&bytes, &Limits::PACKAGE).files;
    let compiled = compile(files, fallback, &Limits::PACKAGE).unwrap();
    let library = Library::new([(Package::read(compiled.bytes).unwrap(), true)]);
    let terms = Terms::new(Arc::new(library));
    let options = Options {
        profiles: vec![JP_CONSENT.to_owned()],
        ..Options::default()
    };
    let validator = Validator::new(&**terms.library(), &terms, options);
    for (name, text) in consents() {
        let found = errors(&validator.validate(text.as_bytes()));
        assert_eq!(found, Vec::<String>::new(), "{name}");
    }
}
