//! Target of the import of FHIR Consents: any bytes, and damaged Consents with and without a token.

#![allow(unreachable_pub, reason = "a module of two crates")]

use std::sync::LazyLock;

use warifu_consent::json::{Value, object};
use warifu_consent::{
    About, Annex, Dialect, Draft, ImportDesk, KeyEntry, KeyRing, KeyState, Moment, Policy, Reason,
    SecretKey, Signer as _, SignerClass, Typ, b64, from_consent, make, open, to_consent,
};

/// One patient's key.
struct One(KeyEntry);

impl KeyRing for One {
    fn find(&self, class: SignerClass, _: &str) -> Option<KeyEntry> {
        (class == SignerClass::Patient).then(|| self.0.clone())
    }
}

struct World {
    keys: One,
    key: SecretKey,
    policy: Policy,
    token: String,
    /// Consents with the token, and the same without it.
    consents: Vec<String>,
}

const NOW: u64 = 1_790_000_100;

fn codes(list: &[&str]) -> Value {
    Value::Array(list.iter().map(|c| Value::from(*c)).collect())
}

fn world() -> Option<World> {
    let key = SecretKey::from_seed(&mut [9; 32]);
    let keys = One(KeyEntry::new(key.public(), KeyState::Active));
    let annex = Annex {
        salt: [1; 16],
        src: vec!["mi:1318765432".to_owned()],
        res: vec![warifu_consent::hash::resource_key("a", "b", "c")],
        lbl: vec!["PSY".to_owned()],
        wid: vec![warifu_consent::hash::resource_key("a", "Encounter", "c")],
    };
    let id = |n: u8| b64::encode(&[n; 16]);
    let txt = object([
        ("id", "treat".into()),
        ("ver", 1.into()),
        ("lang", "ja".into()),
        ("m", 20_260_901.into()),
        ("h", b64::encode(&[1; 32]).into()),
    ]);
    let list = object([
        ("idx", 1.into()),
        ("uri", "https://c.example.jp/s/7".into()),
    ]);
    let claims = object([
        ("sub", "s1.EBESExQVFhcYGRobHB0eHw".into()),
        ("aud", codes(&["kg:1", "mi:1312345678"])),
        ("iat", 1_790_000_000.into()),
        ("nbf", 1_790_000_000.into()),
        ("exp", 1_797_776_000.into()),
        ("jti", id(1).into()),
        ("nonce", id(2).into()),
        ("pur", codes(&["CAREMGT", "DSREG", "TREAT"])),
        ("cat", codes(&["doc.checkup", "inf.rx"])),
        (
            "dat",
            object([("from", "2024-01-01".into()), ("to", "2026-01-01".into())]),
        ),
        ("rec", object([("to", 1_795_000_000.into())])),
        ("anx", annex.hash().into()),
        ("txt", txt),
        ("obl", codes(&["NOPERSISTP", "NORDSCLCD"])),
        ("del", 1_800_000_000.into()),
        ("use", object([("max", 3.into())])),
        ("dlg", true.into()),
        ("status", object([("status_list", list)])),
    ]);
    let token = make(Typ::Grant, claims, &key).ok()?;
    let opened = open(&token, &[Typ::Grant], &keys, Moment::now(NOW)).ok()?;
    let mut consents = Vec::new();
    for dialect in [Dialect::Core, Dialect::Pcf] {
        let about = About {
            log: "https://log.example.jp/consent-log",
            organization: "mi:1312345678",
            in_force: true,
            verified: None,
            annex: Some(&annex),
        };
        let text = to_consent(&token, &opened, dialect, about).ok()?;
        consents.push(text.replace("application/jose", "application/pdf"));
        consents.push(text);
    }
    let policy = Policy::reference().ok()?;
    Some(World {
        keys,
        key,
        policy,
        token,
        consents,
    })
}

static WORLD: LazyLock<Option<World>> = LazyLock::new(world);

/// Bytes as they are, and as edits of a Consent: nothing but the one token is ever signed, and what is
/// drafted can be signed once the rest is added.
pub fn consent_import(data: &[u8]) {
    let Some(world) = &*WORLD else {
        panic!("the world is sound")
    };
    judge(world, data);
    let Some((which, edits)) = data.split_first() else {
        return;
    };
    let at = usize::from(*which) % world.consents.len();
    let Some(consent) = world.consents.get(at) else {
        return;
    };
    let mut damaged = consent.clone().into_bytes();
    for edit in edits.as_chunks::<4>().0.iter().take(16) {
        let [what, high, low, value] = *edit;
        let length = damaged.len();
        let place = usize::from(u16::from_be_bytes([high, low])) % length.max(1);
        match what % 4 {
            0 => damaged.insert(place, value),
            1 if place < length => {
                damaged.remove(place);
            }
            2 if place < length => {
                let end = (place + usize::from(value)).min(length);
                let piece = damaged.get(place..end).unwrap_or_default().to_vec();
                damaged.splice(place..place, piece);
            }
            _ => {
                if let Some(byte) = damaged.get_mut(place) {
                    *byte = value;
                }
            }
        }
    }
    judge(world, &damaged);
}

fn judge(world: &World, bytes: &[u8]) {
    let desk = ImportDesk {
        keys: &world.keys,
        policy: &world.policy,
        now: NOW,
        source: Some("mi:1318765432"),
    };
    let got = from_consent(bytes, &desk);
    assert!(got.findings.len() <= 1001 && got.drafts.len() <= 64);
    assert!(
        got.findings
            .iter()
            .all(|f| f.path.starts_with("Consent") && f.path.len() <= 1200)
    );
    if let Some(signed) = &got.signed {
        assert!(signed.token == world.token && got.drafts.is_empty());
    }
    assert!(got.signed.is_some() || !got.findings.is_empty() || !got.drafts.is_empty());
    let made = [
        ("sub", Value::from("s1.EBESExQVFhcYGRobHB0eHw")),
        ("iat", 1.into()),
        ("jti", b64::encode(&[3; 16]).into()),
    ];
    for draft in &got.drafts {
        let mut claims = draft.claims.clone();
        let Value::Object(members) = &mut claims else {
            panic!("claims are an object")
        };
        for (name, value) in &made {
            assert!(members.insert((*name).to_owned(), value.clone()).is_none());
        }
        let refusal = Draft::new(draft.typ, claims, &world.key.public()).err();
        // Something is always left to the person, so it cannot be whole; nothing in it is malformed.
        let reason = refusal.map(|r| r.reason);
        assert!(
            matches!(reason, Some(Reason::ClaimMissing | Reason::ClaimRange)),
            "{reason:?}"
        );
    }
}
