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
    let entry = KeyEntry::new(key.public(), KeyState::Active);
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
    let validator = Validator::new(CoreOnly, CoreOnly, Options::default());
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

struct Leaves(Vec<warifu_log::Hash>);

impl warifu_log::Nodes for Leaves {
    type Error = std::convert::Infallible;
    fn node(&self, level: u32, index: u64) -> Result<warifu_log::Hash, Self::Error> {
        if level == 0 {
            let at = usize::try_from(index).unwrap();
            return Ok(*self.0.get(at).unwrap());
        }
        let left = self.node(level - 1, index * 2)?;
        let right = self.node(level - 1, index * 2 + 1)?;
        Ok(warifu_log::node_hash(&left, &right))
    }
}

/// §12.2, §12.3: the release of persons without an objection; a proof fits the own salt only.
#[test]
fn an_objection_the_day_before_a_release_keeps_the_person_out() {
    use warifu_consent::{
        Bits, Item, Mode, Notice, Objection, Origin, Policy, REFERENCE, Request, State, Told, Who,
        decide, member_leaf, member_leaves,
    };
    use warifu_log::{Frontier, Hash, inclusion_proof, leaf_hash, verify_inclusion};
    const DAY: u64 = 86_400;
    const AT: u64 = 1_790_000_000;
    let text = REFERENCE.replace(
        r#""certified": []"#,
        r#""certified": [{"to": "cert:1", "pur": ["ANON"]}]"#,
    );
    let policy = Policy::read(text.as_bytes()).unwrap();
    let anon = policy.purpose("ANON").unwrap();
    let state = |objected: Option<(u64, bool)>| State {
        policy: &policy,
        grants: vec![],
        denials: vec![],
        objections: objected
            .map(|(received, on)| Objection {
                kid: "k".into(),
                received,
                seq: 1,
                pur: Bits::one(anon.0),
                to: vec!["*".into()],
                src: vec!["*".into()],
                on,
            })
            .into_iter()
            .collect(),
        notices: vec![Notice {
            src: "mi:1312345678".into(),
            at: AT - 31 * DAY,
        }],
        keys: vec![],
    };
    let request = Request {
        who: Who::Recipient("cert:1".into()),
        purpose: Some(anon),
        mode: Mode::Normal,
        at: AT,
    };
    let item = Item {
        key: "r.x".into(),
        cats: policy.category_set(["inf.lab"].into_iter()).unwrap(),
        inside: Bits::NONE,
        unknown: false,
        src: "mi:1312345678".into(),
        encounter: None,
        clinical: None,
        recorded: None,
        labels: None,
        origin: Origin::Ehr,
        told: Told::Yes,
        uninformed: false,
        undelivered: false,
        before: Vec::new(),
    };
    // Seven persons; the fourth objected the day before.
    let persons: Vec<([u8; 16], State<'_>)> = (0..7_u8)
        .map(|n| ([n; 16], state((n == 3).then_some((AT - DAY, true)))))
        .collect();
    let members: Vec<&[u8; 16]> = persons
        .iter()
        .filter(|(_, s)| decide(s, &request, &item).permits())
        .map(|(salt, _)| salt)
        .collect();
    assert_eq!(members.len(), 6);
    let release = id(77);
    let leaves = member_leaves(members.iter().copied(), &release).unwrap();
    let hashes = Leaves(leaves.iter().map(|l| leaf_hash(l)).collect());
    let mut tree = Frontier::new();
    hashes.0.iter().for_each(|h| tree.append(*h));
    let root: Hash = tree.root();
    let size = tree.size();
    let out = member_leaf(&[3; 16], &release).unwrap();
    assert!(!leaves.contains(&out));
    for (place, leaf) in leaves.iter().enumerate() {
        let index = u64::try_from(place).unwrap();
        let path = inclusion_proof(&hashes, index, size).unwrap().unwrap();
        for (salt, _) in &persons {
            let own = member_leaf(salt, &release).unwrap();
            let proof = verify_inclusion(&leaf_hash(&own), index, size, &path, &root);
            assert_eq!(proof.is_ok(), own == *leaf);
        }
        // The same salt proves nothing of another release.
        let other = member_leaf(persons.get(place).map(|(s, _)| s).unwrap(), &id(78)).unwrap();
        assert!(verify_inclusion(&leaf_hash(&other), index, size, &path, &root).is_err());
    }
}

/// The 救急用サマリー, the marks and the Provenance of a disclosure are valid R4 in a Bundle.
#[test]
fn summary_marks_and_provenance_are_valid_r4() {
    use warifu_consent::{Disclosure, Filtered, Policy, emergency_bundle, mark};
    let text = r#"{"resourceType":"Bundle","type":"searchset","entry":[{"fullUrl":"http://h.example.jp/Patient/p","resource":{"resourceType":"Patient","id":"p","gender":"female"}},{"fullUrl":"http://h.example.jp/AllergyIntolerance/a","resource":{"resourceType":"AllergyIntolerance","id":"a","meta":{"profile":[]},"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical","code":"active"}]},"patient":{"reference":"Patient/p"},"recordedDate":"2019-01-01"}}]}"#;
    let text = text.replace(r#""meta":{"profile":[]},"#, "");
    let policy = Policy::reference().unwrap();
    let summary =
        emergency_bundle(text.as_bytes(), &policy, "mi:1312345678", 1_790_000_000).unwrap();
    let filtered = Filtered {
        bytes: summary,
        cats: vec!["inf.allergy".into()],
        items: 1,
        counts: [("inf.allergy".to_owned(), 1)].into(),
        grants: vec![],
        bases: vec!["GRANT".into()],
        obligations: vec!["NORDSCLCD".into(), "NOPERSISTP".into()],
        withheld: vec![],
    };
    let marked = mark(&filtered, &policy);
    let hash = b64::encode(&[1; 32]);
    let grants = [hash.clone()];
    let told = Disclosure {
        at: 1_790_000_000,
        server: "mi:1318765432",
        recipient: "mi:1312345678",
        grants: &grants,
        policy: &policy.hash,
        log: "https://log.example.jp/consent-log",
        leaf: &hash,
        index: Some(7),
        obligations: &filtered.obligations,
    };
    let whole = told.with_provenance(&marked, "a.b.c").unwrap();
    let validator = Validator::new(CoreOnly, CoreOnly, Options::default());
    let found = validator.validate(&whole);
    let bad: Vec<String> = found
        .list
        .iter()
        .filter(|f| f.severity != Severity::Info && f.code() != "dom-6")
        .map(|f| format!("{} {}", f.code(), f.location))
        .collect();
    // Codes that R4's extensible sets do not have; R4 has no others for "disclosed to".
    let known = [
        "FHR102 Bundle.entry[3].resource.activity",
        "FHR102 Bundle.entry[3].resource.agent[1].type",
    ];
    assert_eq!(bad, known);
    assert!(!found.has_errors());
    let count = String::from_utf8(whole)
        .unwrap()
        .matches(r#""resourceType":"#)
        .count();
    assert_eq!(count, 1 + 1 + 2 + 1);
}
