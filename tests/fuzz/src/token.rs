//! Targets of consent tokens and status lists: any bytes, and any payload under a true signature.

#![allow(unreachable_pub, reason = "a module of two crates")]

use std::sync::LazyLock;

use warifu_consent::json::object;
use warifu_consent::{
    Binding, Desk, Draft, KeyEntry, KeyRing, KeyState, LEAST_ENTRIES, Ledger, Master, Moment,
    Parent, Policy, SecretKey, Signer as _, SignerClass, StatusList, StatusNow, Target, Typ,
    accept, b64, from_qr, make, make_status_list, open, peek, to_qr,
};

const NOW: u64 = 1_790_000_100;
const LIST: &str = "https://c.example.jp/s/7";

/// One key that stands in every class: whatever it signs, only the claims can be wrong.
struct Everybody(KeyEntry);

impl KeyRing for Everybody {
    fn find(&self, _: SignerClass, _: &str) -> Option<KeyEntry> {
        Some(self.0.clone())
    }
}

/// A store that knows nobody.
struct Nobody;

impl Ledger for Nobody {
    fn bindings(&self, _: &str) -> Vec<Binding> {
        Vec::new()
    }
    fn accepted(&self, _: &str, _: &str) -> bool {
        false
    }
    fn nonce_open(&self, _: &str) -> bool {
        true
    }
    fn seen(&self, _: &str) -> bool {
        false
    }
    fn target(&self, _: &str) -> Option<Target> {
        None
    }
    fn last_seq(&self, _: &str) -> Option<u64> {
        None
    }
    fn issued(&self, _: &str) -> Option<(u64, String)> {
        None
    }
    fn status(&self, _: &str, _: Option<(u64, &str)>) -> StatusNow {
        StatusNow::Unavailable
    }
    fn grant(&self, _: &str) -> Option<Parent> {
        None
    }
    fn institution(&self, _: &str) -> Option<String> {
        None
    }
}

struct World {
    key: SecretKey,
    keys: Everybody,
    policy: Policy,
    master: Master,
    /// A good token of some types.
    tokens: Vec<String>,
}

fn world() -> Option<World> {
    let key = SecretKey::from_seed(&mut [9; 32]);
    let keys = Everybody(KeyEntry::new(key.public(), KeyState::Active));
    let id = |n: u8| b64::encode(&[n; 16]);
    let revoke = object([
        ("sub", "s1.EBESExQVFhcYGRobHB0eHw".into()),
        ("iat", NOW.into()),
        ("jti", id(13).into()),
        ("rev", id(50).into()),
        ("rsn", "withdrawn".into()),
    ]);
    let tokens = vec![
        make(Typ::Revoke, revoke, &key).ok()?,
        make_status_list(LIST, LEAST_ENTRIES, &[1, 9], NOW, &key).ok()?,
    ];
    Some(World {
        key,
        keys,
        policy: Policy::reference().ok()?,
        master: Master::new(20_260_901, "", Vec::new()),
        tokens,
    })
}

static WORLD: LazyLock<Option<World>> = LazyLock::new(world);

fn the_world() -> &'static World {
    let Some(world) = &*WORLD else {
        panic!("the world is sound")
    };
    world
}

/// Header of the type and any payload, signed.
fn signed(world: &World, typ: Typ, payload: &[u8]) -> Option<String> {
    let kid = world.key.public().thumbprint();
    let header = object([
        ("alg", "EdDSA".into()),
        ("kid", kid.into()),
        ("typ", typ.wire().into()),
    ]);
    let input = format!(
        "{}.{}",
        b64::encode(header.write().as_bytes()),
        b64::encode(payload)
    );
    let signature = world.key.sign(input.as_bytes()).ok()?;
    Some(format!("{input}.{}", b64::encode(&signature)))
}

/// What was not signed never opens; what was signed opens only as a claim set that could be made.
pub fn consent_token(data: &[u8]) {
    let world = the_world();
    if let Ok(text) = std::str::from_utf8(data) {
        judge(world, text);
        if let Some(token) = from_qr(text) {
            assert_eq!(to_qr(&token).as_deref(), Some(text));
            judge(world, &token);
        }
        let _ = peek(text);
    }
    let Some((which, rest)) = data.split_first() else {
        return;
    };
    let which = usize::from(*which);
    // Any payload under a true signature.
    if let Some(typ) = Typ::ALL.get(which % Typ::ALL.len())
        && let Some(token) = signed(world, *typ, rest)
    {
        judge(world, &token);
    }
    // A good token, damaged: it is not a token of this key any more.
    if let Some(good) = world.tokens.get(which % world.tokens.len()) {
        let mut damaged = good.clone().into_bytes();
        for edit in rest.as_chunks::<4>().0.iter().take(8) {
            let [what, high, low, value] = *edit;
            let at = usize::from(u16::from_be_bytes([high, low])) % damaged.len().max(1);
            match what % 3 {
                0 => damaged.insert(at, value),
                1 if at < damaged.len() => {
                    damaged.remove(at);
                }
                _ => {
                    if let Some(byte) = damaged.get_mut(at) {
                        *byte = value;
                    }
                }
            }
        }
        if let Ok(text) = String::from_utf8(damaged) {
            let opened = open(&text, Typ::ALL, &world.keys, Moment::now(NOW));
            assert_eq!(opened.is_ok(), &text == good, "one spelling of a token");
        }
    }
}

fn judge(world: &World, token: &str) {
    if let Ok(opened) = open(token, Typ::ALL, &world.keys, Moment::now(NOW)) {
        assert!(token.len() <= opened.typ.limit());
        assert!(opened.typ.signers().contains(&opened.class));
        assert!(
            peek(token).is_ok_and(|(typ, claims)| typ == opened.typ && claims == opened.claims)
        );
        let again = Draft::new(opened.typ, opened.claims.clone(), &world.key.public());
        assert!(again.is_ok(), "what opens can be made: {again:?}");
    }
    let desk = Desk {
        keys: &world.keys,
        ledger: &Nobody,
        policy: &world.policy,
        master: &world.master,
        now: NOW,
        endpoint: None,
    };
    let patients = [Typ::Grant, Typ::Deny, Typ::Revoke];
    for annex in [None, Some(token.as_bytes())] {
        let accepted = accept(&desk, token, &patients, annex);
        assert!(accepted.is_err(), "nobody is known: {accepted:?}");
    }
}

/// Lists that unfold to anything: bounded, and no answer beyond their end.
pub fn consent_status(data: &[u8]) {
    let world = the_world();
    let claims = object([
        ("sub", LIST.into()),
        ("iat", NOW.into()),
        ("exp", (NOW + 600).into()),
        ("ttl", 300.into()),
        (
            "status_list",
            object([("bits", 1.into()), ("lst", b64::encode(data).into())]),
        ),
    ]);
    if let Ok(token) = make(Typ::StatusList, claims, &world.key) {
        check_list(world, &token, None);
    }
    if let Some(token) = signed(world, Typ::StatusList, data) {
        check_list(world, &token, None);
    }
    // Places that ended, two bytes each: they and no others are told.
    let pairs = data.as_chunks::<2>().0.iter().take(64);
    let ended: Vec<u64> = pairs.map(|p| u64::from(u16::from_be_bytes(*p))).collect();
    let made = make_status_list(LIST, LEAST_ENTRIES, &ended, NOW, &world.key);
    let Ok(token) = made else {
        panic!("a list of places within it is made: {made:?}")
    };
    check_list(world, &token, Some(&ended));
}

fn check_list(world: &World, token: &str, ended: Option<&[u64]>) {
    let list = match StatusList::read(token, LIST, &world.keys, NOW, None) {
        Ok(list) => list,
        Err(refusal) => {
            assert!(ended.is_none(), "{refusal:?}");
            return;
        }
    };
    assert!(list.ended(8 << 20).is_err() && list.ended(u64::MAX).is_err());
    if let Some(ended) = ended {
        for place in (0..1 << 16).step_by(97).chain(ended.iter().copied()) {
            assert_eq!(list.ended(place), Ok(ended.contains(&place)));
        }
    }
    let other = StatusList::read(token, "https://c.example.jp/s/8", &world.keys, NOW, None);
    assert!(other.is_err());
    assert!(StatusList::read(token, LIST, &world.keys, NOW, Some(NOW + 61)).is_err());
}
