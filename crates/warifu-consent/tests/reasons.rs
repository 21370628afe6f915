//! Every reason of §6.1 and §3.0 has a vector of its own, and each vector has the one reason.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]
mod common;

use std::collections::BTreeSet;

use common::*;
use warifu_consent::json::{Value, object};
use warifu_consent::*;

/// The world that a token meets; a case changes what it wants.
struct World {
    ring: Ring,
    book: Book,
    master: Master,
    annex: Option<Vec<u8>>,
    now: u64,
    endpoint: (&'static str, &'static str),
}

impl World {
    fn new() -> Self {
        Self {
            ring: ring(),
            book: book(),
            master: master(),
            annex: Some(annex().to_bytes()),
            now: NOW,
            endpoint: ("POST", "https://c.example.jp/api/disclose"),
        }
    }
    fn judge(&self, token: &str, typ: Typ) -> Result<Accepted, Refusal> {
        let policy = Policy::reference().unwrap();
        let desk = Desk {
            keys: &self.ring,
            ledger: &self.book,
            policy: &policy,
            master: &self.master,
            now: self.now,
            endpoint: Some(self.endpoint),
        };
        accept(&desk, token, &[typ], self.annex.as_deref())
    }
}

struct Cases {
    reached: BTreeSet<Reason>,
}

impl Cases {
    fn expect(&mut self, world: &World, token: &str, typ: Typ, reason: Reason) {
        let got = world.judge(token, typ);
        let refusal = got.as_ref().expect_err(reason.wire());
        assert_eq!(refusal.reason, reason, "{} {:?}", typ.wire(), refusal.claim);
        self.reached.insert(reason);
    }
    /// A good grant with claims changed after the table of claims had its say: signed, not checked.
    fn forged(&mut self, reason: Reason, change: impl Fn(&mut Value)) {
        let token = forged(change);
        self.expect(&World::new(), &token, Typ::Grant, reason);
    }
    /// A grant that is made as a portal makes it.
    fn made(&mut self, reason: Reason, change: impl Fn(&mut Value)) {
        let mut claims = grant();
        change(&mut claims);
        let token = sign(Typ::Grant, claims, Some(&annex()), &patient());
        self.expect(&World::new(), &token, Typ::Grant, reason);
    }
}

fn bound() -> Value {
    let policy = Policy::reference().unwrap();
    bind_text(&policy, &master(), Typ::Grant, grant(), Some(&annex()))
        .unwrap()
        .0
}

fn forged(change: impl Fn(&mut Value)) -> String {
    let mut claims = bound();
    change(&mut claims);
    forge(
        &header(Typ::Grant, &patient()),
        &raw(claims, &patient()),
        &patient(),
    )
}

fn good() -> String {
    sign(Typ::Grant, grant(), Some(&annex()), &patient())
}

fn proxied(role: &str) -> Value {
    object([("rel", role.into()), ("bnd", id(200).into())])
}

fn access() -> Value {
    object([
        ("sub", SUB.into()),
        ("pur", "TREAT".into()),
        ("ath", "registered".into()),
        ("q", b64::encode(&[1; 32]).into()),
        ("jti", id(20).into()),
        ("iat", NOW.into()),
        ("exp", (NOW + 200).into()),
        ("htm", "POST".into()),
        ("htu", "https://c.example.jp/api/disclose".into()),
        ("per", object([("role", "doctor".into())])),
    ])
}

#[test]
fn good_tokens_of_each_kind_are_accepted() {
    let world = World::new();
    assert!(matches!(
        world.judge(&good(), Typ::Grant),
        Ok(Accepted::New(_))
    ));
    let token = sign(Typ::Deny, deny(), None, &patient());
    assert!(world.judge(&token, Typ::Deny).is_ok());
    let token = sign(Typ::Objection, objection(), None, &patient());
    assert!(world.judge(&token, Typ::Objection).is_ok());
    assert!(
        world
            .judge(
                &sign(Typ::Revoke, revoke(50), None, &patient()),
                Typ::Revoke
            )
            .is_ok()
    );
    let mut end = revoke(51);
    set(&mut end, "nonce", id(1).into());
    set(&mut end, "txt", txt("undeny"));
    assert!(
        world
            .judge(&sign(Typ::Revoke, end, None, &patient()), Typ::Revoke)
            .is_ok()
    );
    let mut by = revoke(50);
    set(&mut by, "by", "registry".into());
    assert!(
        world
            .judge(&sign(Typ::Revoke, by, None, &key(3)), Typ::Revoke)
            .is_ok()
    );
    assert!(
        world
            .judge(&sign(Typ::Access, access(), None, &key(5)), Typ::Access)
            .is_ok()
    );
    // A retry is a success and says what became of it.
    let mut again = World::new();
    again.book.accepted.insert(token_hash(&good()).unwrap());
    again.book.state = StatusNow::Revoked;
    let answer = again.judge(&good(), Typ::Grant);
    assert!(matches!(answer, Ok(Accepted::Again(_, StatusNow::Revoked))));
    // Individual categories alone, with their own text.
    let mut claims = grant();
    set(&mut claims, "cat", codes(&["prc.surgery"]));
    set(&mut claims, "txt", txt("indiv-treat"));
    let token = sign(Typ::Grant, claims, Some(&annex()), &patient());
    assert!(world.judge(&token, Typ::Grant).is_ok());
}

#[test]
fn every_reason_is_reached_by_its_own_vector() {
    let mut c = Cases {
        reached: BTreeSet::new(),
    };
    let w = World::new;
    let token = good();
    let parts: Vec<&str> = token.split('.').collect();
    let p = patient();

    // 1
    let long = format!("{token}{}", "A".repeat(4096));
    c.expect(&w(), &long, Typ::Grant, Reason::Size);
    for bad in [format!("{token}."), parts[..2].join("."), String::new()] {
        c.expect(&w(), &bad, Typ::Grant, Reason::Form);
    }
    // 2
    for bad in [
        format!("{token}="),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{}.{}.{}B", parts[0], parts[1], &parts[2][..85]),
        format!("{token}/"),
    ] {
        c.expect(&w(), &bad, Typ::Grant, Reason::B64);
    }
    // 3
    let body = raw(bound(), &p);
    let kid = p.public().thumbprint();
    for bad in [
        "{".to_owned(),
        "[]".to_owned(),
        format!(r#"{{"alg":"EdDSA","alg":"EdDSA","kid":"{kid}","typ":"consent-grant+jwt"}}"#),
        format!("\u{feff}{}", header(Typ::Grant, &p)),
    ] {
        c.expect(&w(), &forge(&bad, &body, &p), Typ::Grant, Reason::HdrJson);
    }
    for member in [
        r#""jwk":"x""#,
        r#""jku":"x""#,
        r#""x5u":"x""#,
        r#""x5c":["x"]"#,
        r#""crit":["b64"]"#,
        r#""b64":false"#,
        r#""zip":"DEF""#,
        r#""cty":"x""#,
        r#""x":1"#,
    ] {
        let bad = format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"consent-grant+jwt",{member}}}"#);
        c.expect(&w(), &forge(&bad, &body, &p), Typ::Grant, Reason::HdrMember);
    }
    let bad = r#"{"alg":"EdDSA","typ":"consent-grant+jwt"}"#.to_string();
    c.expect(&w(), &forge(&bad, &body, &p), Typ::Grant, Reason::HdrMember);
    let bad = r#"{"alg":"EdDSA","kid":"short","typ":"consent-grant+jwt"}"#;
    c.expect(&w(), &forge(bad, &body, &p), Typ::Grant, Reason::HdrMember);
    // 4
    for alg in [
        "none", "None", "HS256", "Ed25519", "ES256", "eddsa", "EdDSA ",
    ] {
        let bad = header(Typ::Grant, &p).replace("EdDSA", alg);
        c.expect(&w(), &forge(&bad, &body, &p), Typ::Grant, Reason::Alg);
    }
    // 5
    for typ in [
        "JWT",
        "consent-deny+jwt",
        "application/consent-grant+jwt",
        "CONSENT-GRANT+JWT",
    ] {
        let bad = header(Typ::Grant, &p).replace("consent-grant+jwt", typ);
        c.expect(&w(), &forge(&bad, &body, &p), Typ::Grant, Reason::Typ);
    }
    // 6: unknown, or known in another class only
    c.expect(
        &w(),
        &sign(Typ::Grant, grant(), Some(&annex()), &key(60)),
        Typ::Grant,
        Reason::KeyUnknown,
    );
    c.expect(
        &w(),
        &sign(Typ::Grant, grant(), Some(&annex()), &key(5)),
        Typ::Grant,
        Reason::KeyUnknown,
    );
    let mut world = w();
    world
        .ring
        .add(SignerClass::Patient, &p, KeyState::Retired(NOW - 1));
    c.expect(&world, &token, Typ::Grant, Reason::KeyRetired);
    world
        .ring
        .add(SignerClass::Patient, &p, KeyState::Compromised(NOW));
    c.expect(&world, &token, Typ::Grant, Reason::KeyCompromised);
    // The log's time counts, not iat.
    world
        .ring
        .add(SignerClass::Patient, &p, KeyState::Compromised(NOW));
    let before = Moment {
        now: NOW + 9,
        receipt: Some(NOW - 1),
    };
    assert!(open(&token, &[Typ::Grant], &world.ring, before).is_ok());
    // 7
    let mut world = w();
    let entry = KeyEntry::read(&[0; 32], KeyState::Active);
    world
        .ring
        .0
        .insert((SignerClass::Patient, kid.clone()), entry);
    c.expect(&world, &token, Typ::Grant, Reason::KeyWeak);
    let weak = object([
        ("crv", "Ed25519".into()),
        ("kty", "OKP".into()),
        ("x", b64::encode(&[0; 32]).into()),
    ]);
    let binding_claims = object([
        ("sub", SUB.into()),
        ("cnf", object([("jwk", weak)])),
        ("iat", 1.into()),
        ("nbf", 1.into()),
        ("exp", (NOW + 9).into()),
        ("jti", id(3).into()),
        ("ial", "jpki".into()),
        ("role", "patient".into()),
    ]);
    c.expect(
        &w(),
        &sign(Typ::Key, binding_claims, None, &key(4)),
        Typ::Key,
        Reason::KeyWeak,
    );
    // 8
    let other = sign(Typ::Grant, grant(), Some(&annex()), &key(2));
    let swapped = format!(
        "{}.{}.{}",
        parts[0],
        parts[1],
        other.split('.').nth(2).unwrap()
    );
    c.expect(&w(), &swapped, Typ::Grant, Reason::Sig);
    c.expect(
        &w(),
        &format!("{}.{}.", parts[0], parts[1]),
        Typ::Grant,
        Reason::Sig,
    );
    c.expect(&w(), &malleable(&token), Typ::Grant, Reason::Sig);
    // 9
    let h = header(Typ::Grant, &p);
    for bad in [
        "",
        "[]",
        "{",
        "null",
        "{}x",
        "\u{feff}{}",
        r#"{"v":1.0}"#,
        r#"{"v":1e0}"#,
        r#"{"v":-1}"#,
        r#"{"v":9007199254740992}"#,
        "{\"v\":\"e\u{301}\"}",
        r#"{"a":{"a":{"a":{"a":{"a":1}}}}}"#,
    ] {
        c.expect(&w(), &forge(&h, bad, &p), Typ::Grant, Reason::Json);
    }
    let twice = body.replacen('{', r#"{"v":1,"#, 1);
    c.expect(&w(), &forge(&h, &twice, &p), Typ::Grant, Reason::JsonDup);
    let twice = body.replacen('{', r#"{"\u0076":1,"#, 1);
    c.expect(&w(), &forge(&h, &twice, &p), Typ::Grant, Reason::JsonDup);
    // 10
    c.forged(Reason::ClaimUnknown, |g| set(g, "x", 1.into()));
    c.forged(Reason::ClaimUnknown, |g| {
        set(g, "dat", object([("until", "2024-01-01".into())]));
    });
    c.forged(Reason::ClaimType, |g| set(g, "exp", "1".into()));
    c.forged(Reason::ClaimType, |g| set(g, "aud", CLINIC.into()));
    c.forged(Reason::ClaimType, |g| {
        set(g, "cat", Value::Array(vec![1.into()]));
    });
    c.forged(Reason::ClaimType, |g| set(g, "rec", Value::Null));
    for name in [
        "sub", "aud", "iat", "nbf", "exp", "jti", "pur", "cat", "dat", "anx", "txt", "nonce",
        "status",
    ] {
        c.forged(Reason::ClaimMissing, |g| unset(g, name));
    }
    c.forged(Reason::ClaimRange, |g| set(g, "aud", Value::Array(vec![])));
    c.forged(Reason::ClaimRange, |g| set(g, "cat", codes(&["*"])));
    c.forged(Reason::ClaimRange, |g| set(g, "sub", "0001".into()));
    c.forged(Reason::ClaimRange, |g| set(g, "jti", "AA".into()));
    c.forged(Reason::ClaimRange, |g| set(g, "dlg", false.into()));
    c.forged(Reason::ClaimRange, |g| set(g, "exp", 1_790_000_000.into()));
    c.forged(Reason::ClaimRange, |g| set(g, "nbf", 1_789_999_999.into()));
    c.forged(Reason::ClaimRange, |g| {
        set(g, "use", object([("max", 0.into())]));
    });
    c.forged(Reason::ClaimRange, |g| {
        set(g, "dat", object([("from", "2024-02-30".into())]));
    });
    c.forged(Reason::ClaimRange, |g| {
        set(
            g,
            "dat",
            object([("from", "2024-02-02".into()), ("to", "2024-02-01".into())]),
        );
    });
    c.forged(Reason::ClaimOrder, |g| {
        set(g, "cat", codes(&["inf.rx", "inf.allergy"]));
    });
    c.forged(Reason::ClaimOrder, |g| {
        set(g, "cat", codes(&["inf.rx", "inf.rx"]));
    });
    // 11, 12
    let text = raw(bound(), &p).replace(r#""v":1}"#, r#""v":2}"#);
    c.expect(&w(), &forge(&h, &text, &p), Typ::Grant, Reason::Version);
    c.expect(
        &w(),
        &forge(&h, &raw(bound(), &key(2)), &p),
        Typ::Grant,
        Reason::Iss,
    );
    // 13
    c.forged(Reason::Sub, |g| {
        set(g, "sub", format!("s1.{}", id(9)).into());
    });
    c.expect(
        &w(),
        &sign(Typ::Grant, grant(), Some(&annex()), &key(2)),
        Typ::Grant,
        Reason::Sub,
    );
    let mut world = w();
    world.book.bindings[0].exp = NOW;
    c.expect(&world, &token, Typ::Grant, Reason::Sub);
    let mut world = w();
    world.book.bindings[0].ial = "self".into();
    c.expect(&world, &token, Typ::Grant, Reason::Sub);
    let mut off = objection();
    set(&mut off, "state", "off".into());
    set(&mut off, "txt", txt("objection-off"));
    set(&mut off, "by", "registry".into());
    c.expect(
        &w(),
        &sign(Typ::Objection, off, None, &key(3)),
        Typ::Objection,
        Reason::Sub,
    );
    let mut by_proxy = grant();
    set(&mut by_proxy, "act", proxied("guardian"));
    let by_proxy = sign(Typ::Grant, by_proxy, Some(&annex()), &key(2));
    assert!(w().judge(&by_proxy, Typ::Grant).is_ok());
    c.made(Reason::ProxyNone, |g| set(g, "act", proxied("guardian")));
    let mut world = w();
    world.book.bindings[1].ial = "self".into();
    c.expect(&world, &by_proxy, Typ::Grant, Reason::Sub);
    let mut world = w();
    world.book.bindings[1].represents = Some(format!("s1.{}", id(9)));
    c.expect(&world, &by_proxy, Typ::Grant, Reason::ProxyNone);
    let mut world = w();
    world.book.bindings[1].scope = Some(vec!["TREAT".into(), "inf.rx".into()]);
    c.expect(&world, &by_proxy, Typ::Grant, Reason::ProxyScope);
    // The end of a prohibition opens what it closed, the end of a grant opens nothing.
    let end = |target: u8| {
        let mut claims = revoke(target);
        set(&mut claims, "act", proxied("guardian"));
        sign(Typ::Revoke, claims, None, &key(2))
    };
    c.expect(&world, &end(51), Typ::Revoke, Reason::ProxyScope);
    assert!(world.judge(&end(50), Typ::Revoke).is_ok());
    // Whom nobody identified ends a grant, and neither a prohibition nor an objection.
    let mut claimed = w();
    claimed.book.bindings[0].ial = "self".into();
    claimed.book.bindings[1].ial = "self".into();
    let own = |target: u8| sign(Typ::Revoke, revoke(target), None, &patient());
    for by in [end(51), own(51)] {
        c.expect(&claimed, &by, Typ::Revoke, Reason::Sub);
    }
    for by in [end(50), own(50)] {
        assert!(claimed.judge(&by, Typ::Revoke).is_ok());
    }
    let mut off = objection();
    set(&mut off, "state", "off".into());
    set(&mut off, "txt", txt("objection-off"));
    let off = sign(Typ::Objection, off, None, &patient());
    c.expect(&claimed, &off, Typ::Objection, Reason::Sub);
    let on = sign(Typ::Objection, objection(), None, &patient());
    assert!(claimed.judge(&on, Typ::Objection).is_ok());
    world.book.bindings[1].scope = Some(vec!["TREAT".into(), "inf.infection".into()]);
    c.expect(&world, &end(51), Typ::Revoke, Reason::ClaimMissing);
    // The bereaved object; they take back nothing that the person said.
    let mut world = w();
    world.book.bindings[1].role = "family".into();
    for (state, text) in [("on", "objection-on"), ("off", "objection-off")] {
        let mut claims = objection();
        set(&mut claims, "state", state.into());
        set(&mut claims, "txt", txt(text));
        set(&mut claims, "act", proxied("family"));
        let token = sign(Typ::Objection, claims, None, &key(2));
        if state == "on" {
            assert!(world.judge(&token, Typ::Objection).is_ok());
        } else {
            c.expect(&world, &token, Typ::Objection, Reason::ProxyScope);
        }
    }
    let mut world = w();
    world.book.bindings[1].role = "delegate".into();
    let mut claims = grant();
    set(&mut claims, "act", proxied("delegate"));
    let by_delegate = sign(Typ::Grant, claims, Some(&annex()), &key(2));
    c.expect(&world, &by_delegate, Typ::Grant, Reason::ProxyScope);
    let mut world = w();
    world.book.bindings[1].until = Some(Date::at(NOW));
    c.expect(&world, &by_proxy, Typ::Grant, Reason::ProxyAgedOut);
    // 14
    let mut world = w();
    world.now = 1_790_000_000 - 61;
    c.expect(&world, &token, Typ::Grant, Reason::NotYet);
    world.now += 1;
    assert!(world.judge(&token, Typ::Grant).is_ok());
    world.now = 1_797_776_000;
    world.book.bindings[0].exp = u64::MAX;
    c.expect(&world, &token, Typ::Grant, Reason::Expired);
    world.now -= 1;
    assert!(world.judge(&token, Typ::Grant).is_ok());
    c.made(Reason::TermTooLong, |g| {
        set(g, "exp", (1_790_000_000 + 1827 * DAY).into());
    });
    let mut world = w();
    world.book.bindings[1].until = Some(Date::at(1_797_776_000 - 1));
    c.expect(&world, &by_proxy, Typ::Grant, Reason::TermTooLong);
    // 15, 16
    c.made(Reason::Nonce, |g| set(g, "nonce", id(2).into()));
    c.made(Reason::Replay, |g| set(g, "jti", id(99).into()));
    // 17
    c.forged(Reason::PurposeUnknown, |g| set(g, "pur", codes(&["MARKT"])));
    c.forged(Reason::PurposeUnknown, |g| {
        set(g, "pur", codes(&["PUBHLTH"]));
    });
    c.forged(Reason::CategoryUnknown, |g| {
        set(g, "cat", codes(&["inf.everything"]));
    });
    c.forged(Reason::AudUnknown, |g| {
        set(g, "aud", codes(&["mi:9999999999"]));
    });
    c.forged(Reason::AudUnknown, |g| set(g, "aud", codes(&["zz:1"])));
    c.forged(Reason::AudWildcard, |g| set(g, "aud", codes(&["mi:*"])));
    c.forged(Reason::IndividualBundled, |g| {
        set(g, "cat", codes(&["inf.rx", "prc.surgery"]));
    });
    c.forged(Reason::IndividualBundled, |g| {
        set(g, "cat", codes(&["prc.surgery"]));
    });
    c.forged(Reason::OptoutAsGrant, |g| set(g, "pur", codes(&["ANON"])));
    let mut wide = grant();
    set(&mut wide, "aud", codes(&["mi:*"]));
    set(&mut wide, "pur", codes(&["ETREAT"]));
    set(&mut wide, "txt", txt("etreat"));
    assert!(
        w().judge(&sign(Typ::Grant, wide, Some(&annex()), &p), Typ::Grant)
            .is_ok()
    );
    // 18
    let mut world = w();
    world.annex = None;
    c.expect(&world, &token, Typ::Grant, Reason::AnnexMissing);
    world.annex = Some(Annex::empty([0; 16]).to_bytes());
    c.expect(&world, &token, Typ::Grant, Reason::AnnexHash);
    // 19
    let mut world = w();
    world.master.version += 1;
    c.expect(&world, &token, Typ::Grant, Reason::TextUnknown);
    c.forged(Reason::TextUnknown, |g| {
        let mut t = txt("care");
        set(&mut t, "h", b64::encode(&[0; 32]).into());
        set(g, "txt", t);
    });
    // The text said something else than the claims do.
    c.forged(Reason::TextMismatch, |g| {
        set(g, "exp", 1_797_000_000.into());
    });
    c.forged(Reason::TextMismatch, |g| {
        set(g, "cat", codes(&["inf.allergy", "inf.rx"]));
    });
    c.forged(Reason::TextMismatch, |g| set(g, "aud", codes(&[OTHER])));
    c.forged(Reason::TextMismatch, |g| set(g, "dlg", true.into()));
    // 20, 21
    let mut world = w();
    world.book.issued.insert(id(1), (48_214, LIST.into()));
    c.expect(&world, &token, Typ::Grant, Reason::StatusIndex);
    for (state, reason) in [
        (StatusNow::Revoked, Reason::Revoked),
        (StatusNow::Stale, Reason::StatusStale),
        (StatusNow::Unavailable, Reason::StatusUnavailable),
    ] {
        let mut world = w();
        world.book.state = state;
        c.expect(&world, &token, Typ::Grant, reason);
    }

    // Revoke.
    let end = |claims: Value| sign(Typ::Revoke, claims, None, &patient());
    c.expect(&w(), &end(revoke(52)), Typ::Revoke, Reason::TargetUnknown);
    let mut world = w();
    world.book.targets.insert(
        id(50),
        Target {
            typ: Typ::Grant,
            sub: format!("s1.{}", id(9)),
            pur: vec![],
            cat: vec![],
            role: String::new(),
        },
    );
    c.expect(&world, &end(revoke(50)), Typ::Revoke, Reason::TargetUnknown);
    c.expect(&w(), &end(revoke(51)), Typ::Revoke, Reason::ClaimMissing);
    let mut world = w();
    world.now = NOW + 901;
    c.expect(&world, &end(revoke(50)), Typ::Revoke, Reason::Expired);
    world.now = NOW - 901;
    c.expect(&world, &end(revoke(50)), Typ::Revoke, Reason::NotYet);

    // Objection.
    let object_to = |change: &dyn Fn(&mut Value)| {
        let mut claims = objection();
        change(&mut claims);
        sign(Typ::Objection, claims, None, &patient())
    };
    c.expect(
        &w(),
        &object_to(&|o| set(o, "seq", 3.into())),
        Typ::Objection,
        Reason::Seq,
    );
    c.expect(
        &w(),
        &object_to(&|o| set(o, "pur", codes(&["TREAT"]))),
        Typ::Objection,
        Reason::OptinAsObjection,
    );

    // Access request.
    let ask = |change: &dyn Fn(&mut Value)| {
        let mut claims = access();
        change(&mut claims);
        sign(Typ::Access, claims, None, &key(5))
    };
    c.expect(
        &w(),
        &ask(&|a| set(a, "htu", "https://c.example.jp/api/emergency".into())),
        Typ::Access,
        Reason::Htu,
    );
    c.expect(
        &w(),
        &ask(&|a| set(a, "htm", "GET".into())),
        Typ::Access,
        Reason::Htu,
    );
    let hash = b64::encode(&[8; 32]);
    c.expect(
        &w(),
        &ask(&|a| set(a, "ath", b64::encode(&[8; 32]).into())),
        Typ::Access,
        Reason::Ath,
    );
    let mut world = w();
    let mut claims = bound();
    set(&mut claims, "aud", codes(&[OTHER]));
    world.book.grants.insert(
        hash.clone(),
        Parent {
            claims,
            status: StatusNow::Valid,
        },
    );
    c.expect(
        &world,
        &ask(&|a| set(a, "ath", b64::encode(&[8; 32]).into())),
        Typ::Access,
        Reason::Aud,
    );

    // Onward: inside the parent, and beyond it in each direction.
    let mut world = w();
    let mut parent = bound();
    set(&mut parent, "dlg", true.into());
    set(&mut parent, "rec", object([("to", NOW.into())]));
    world.book.grants.insert(
        hash.clone(),
        Parent {
            claims: parent,
            status: StatusNow::Valid,
        },
    );
    let onward = |change: &dyn Fn(&mut Value)| {
        let mut claims = object([
            ("par", b64::encode(&[8; 32]).into()),
            ("sub", SUB.into()),
            ("aud", codes(&["kg:1"])),
            ("pur", codes(&["TREAT"])),
            ("cat", codes(&["inf.rx"])),
            ("dat", object([("from", "2024-01-01".into())])),
            ("rec", object([("to", NOW.into())])),
            ("iat", NOW.into()),
            ("nbf", NOW.into()),
            ("exp", (NOW + 900).into()),
            ("jti", id(30).into()),
            ("obl", codes(&["NORDSCLCD"])),
        ]);
        change(&mut claims);
        sign(Typ::Onward, claims, None, &key(5))
    };
    assert!(world.judge(&onward(&|_| ()), Typ::Onward).is_ok());
    let beyond: [&dyn Fn(&mut Value); 9] = [
        &|o| set(o, "cat", codes(&["inf.lab"])),
        &|o| set(o, "pur", codes(&["CAREMGT"])),
        &|o| set(o, "aud", codes(&["app:x"])),
        &|o| set(o, "dat", object([])),
        &|o| unset(o, "rec"),
        &|o| unset(o, "obl"),
        &|o| set(o, "exp", 1_797_776_001.into()),
        &|o| set(o, "sub", format!("s1.{}", id(9)).into()),
        &|o| set(o, "par", b64::encode(&[9; 32]).into()),
    ];
    for change in beyond {
        c.expect(&world, &onward(change), Typ::Onward, Reason::Attenuation);
    }
    world.book.grants.get_mut(&hash).unwrap().status = StatusNow::Revoked;
    c.expect(&world, &onward(&|_| ()), Typ::Onward, Reason::Attenuation);

    // Status list.
    let list = make_status_list(LIST, LEAST_ENTRIES, &[48_213], NOW, &key(9)).unwrap();
    let read = |uri: &str, now: u64, seen| StatusList::read(&list, uri, &ring(), now, seen);
    let got = read(LIST, NOW, None).unwrap();
    assert_eq!(
        (got.ended(48_213), got.ended(48_212)),
        (Ok(true), Ok(false))
    );
    assert_eq!(got.ended(131_072), Err(Reason::StatusIndex));
    assert_eq!(
        read("https://c.example.jp/s/8", NOW, None),
        Err(Reason::StatusList.of("sub"))
    );
    assert_eq!(
        read(LIST, NOW, Some(NOW + 1)),
        Err(Reason::StatusStale.of("iat"))
    );
    assert_eq!(
        read(LIST, NOW + DAY, None),
        Err(Reason::StatusUnavailable.of("exp"))
    );
    c.reached.insert(Reason::StatusList);
    // Bytes behind the stream, a stream cut off, and one that says the wrong sum are none.
    let payload = b64::decode(list.split('.').nth(1).unwrap()).unwrap();
    let mut claims = json::read(&payload, 12).unwrap();
    let lst = claims.get("status_list").and_then(|l| l.get("lst")?.text());
    let zlib = b64::decode(lst.unwrap()).unwrap();
    unset(&mut claims, "v");
    unset(&mut claims, "iss");
    let mut other = zlib.clone();
    *other.last_mut().unwrap() ^= 1;
    for bytes in [
        [&zlib[..], &[0]].concat(),
        [&zlib[..], &zlib[..]].concat(),
        zlib[..zlib.len() - 1].to_vec(),
        other,
    ] {
        let lst = object([("bits", 1.into()), ("lst", b64::encode(&bytes).into())]);
        set(&mut claims, "status_list", lst);
        let token = make(Typ::StatusList, claims.clone(), &key(9)).unwrap();
        assert_eq!(
            StatusList::read(&token, LIST, &ring(), NOW, None),
            Err(Reason::StatusList.of("status_list"))
        );
    }

    let missing: Vec<&Reason> = Reason::ALL
        .iter()
        .filter(|r| !c.reached.contains(r))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// §3.1: the person ends a delegate's mandate, and the delegate gives it back.
#[test]
fn a_delegates_mandate_is_ended_by_who_gave_it_and_by_who_has_it() {
    let (own, other) = (id(201), id(202));
    // As a store has them: three mandates, the delegates' keys 2 and 10, a guardian's key 11.
    let bind = |by: &SecretKey, role: &str, jti: &str| Binding {
        jti: jti.to_owned(),
        scope: (role == "delegate").then(|| vec!["TREAT".to_owned(), "inf.rx".to_owned()]),
        ..binding(by, role)
    };
    let bindings = [
        binding(&patient(), "patient"),
        bind(&key(2), "delegate", &own),
        bind(&key(10), "delegate", &other),
        bind(&key(11), "guardian", &id(203)),
    ];
    let world = || {
        let mut world = World::new();
        for n in [10, 11, 12] {
            world
                .ring
                .add(SignerClass::Patient, &key(n), KeyState::Active);
        }
        world.book.bindings = bindings.to_vec();
        for b in &bindings {
            let claims = binding_claims(
                &patient().public(),
                &b.sub,
                [&b.role, &b.ial],
                b.represents.as_deref(),
                NOW,
                &b.jti,
            );
            let token = make(Typ::Key, claims, &key(4)).unwrap();
            let token = open(&token, &[Typ::Key], &world.ring, Moment::now(NOW)).unwrap();
            let target = Target::of(&token);
            assert_eq!(
                (target.sub.as_str(), target.role.as_str()),
                (SUB, b.role.as_str())
            );
            assert_eq!(b.person(), SUB);
            world.book.targets.insert(b.jti.clone(), target);
        }
        world
    };
    let judged = |by: &SecretKey, act: Option<(&str, &str)>, rev: &str, sub: &str| {
        let mut claims = revoke(50);
        set(&mut claims, "rev", rev.into());
        set(&mut claims, "sub", sub.into());
        if let Some((rel, bnd)) = act {
            set(
                &mut claims,
                "act",
                object([("rel", rel.into()), ("bnd", bnd.into())]),
            );
        }
        if by.public() == key(3).public() {
            set(&mut claims, "by", "registry".into());
        }
        let got = world().judge(&sign(Typ::Revoke, claims, None, by), Typ::Revoke);
        got.map(|_| ()).map_err(|r| r.reason)
    };
    let delegate = format!("s1.{}", id(77));
    let guardian = Some(("guardian", id(203)));
    let guardian = guardian.as_ref().map(|(r, b)| (*r, b.as_str()));
    for (by, act, rev, sub, expected) in [
        // The person, with the own key or identified at the counter, and who is guardian of the person.
        (patient(), None, &own, SUB, Ok(())),
        (key(3), None, &own, SUB, Ok(())),
        (key(11), guardian, &own, SUB, Ok(())),
        // The delegate gives the own mandate back, and no other.
        (key(2), Some(("delegate", &*own)), &own, SUB, Ok(())),
        (
            key(2),
            Some(("delegate", &*own)),
            &other,
            SUB,
            Err(Reason::ProxyScope),
        ),
        // In the person's name alone: in the delegate's own it would stand in no history of the person's.
        (key(2), None, &own, &delegate, Err(Reason::Sub)),
        (patient(), None, &own, &delegate, Err(Reason::Sub)),
        (key(12), None, &own, SUB, Err(Reason::Sub)),
        // What the law gave, and a person's own key, no revoke ends.
        (patient(), None, &id(203), SUB, Err(Reason::TargetUnknown)),
        (key(11), guardian, &id(203), SUB, Err(Reason::TargetUnknown)),
        (key(3), None, &id(203), SUB, Err(Reason::TargetUnknown)),
        (patient(), None, &id(200), SUB, Err(Reason::TargetUnknown)),
    ] {
        assert_eq!(judged(&by, act, rev, sub), expected, "{act:?} {rev} {sub}");
    }
    // Once it is ended the delegate signs nothing more, as a ledger no longer has the binding.
    let mut after = world();
    after.book.bindings.retain(|b| b.jti != own);
    let mut claims = revoke(50);
    set(
        &mut claims,
        "act",
        object([("rel", "delegate".into()), ("bnd", own.as_str().into())]),
    );
    let token = sign(Typ::Revoke, claims, None, &key(2));
    assert!(world().judge(&token, Typ::Revoke).is_ok());
    let got = after.judge(&token, Typ::Revoke);
    assert_eq!(got.unwrap_err().reason, Reason::ProxyNone);
}

#[test]
fn a_list_that_unfolds_without_end_or_is_too_small_is_refused() {
    let hostile = |bytes: usize| {
        let zipped = miniz_oxide::deflate::compress_to_vec_zlib(&vec![0; bytes], 9);
        let list = object([("bits", 1.into()), ("lst", b64::encode(&zipped).into())]);
        let claims = object([
            ("sub", LIST.into()),
            ("iat", NOW.into()),
            ("exp", (NOW + DAY).into()),
            ("ttl", 300.into()),
            ("status_list", list),
        ]);
        let token = make(Typ::StatusList, claims, &key(9)).unwrap();
        StatusList::read(&token, LIST, &ring(), NOW, None).map(|_| ())
    };
    assert_eq!(hostile(1 << 14), Ok(()));
    assert_eq!(hostile(1 << 10), Err(Reason::StatusList.of("status_list")));
    assert_eq!(hostile(64 << 20), Err(Reason::StatusList.of("status_list")));
}

#[test]
fn a_list_ages_from_fresh_to_usable_to_nothing() {
    let policy = Policy::reference().unwrap();
    let token = make_status_list(LIST, LEAST_ENTRIES, &[5], NOW, &key(9)).unwrap();
    let list = StatusList::read(&token, LIST, &ring(), NOW, None).unwrap();
    let at = |age: u64| list.state(4, &policy, NOW + age).unwrap();
    assert_eq!([at(0), at(900)], [StatusNow::Valid; 2]);
    assert_eq!([at(901), at(86_400)], [StatusNow::Stale; 2]);
    assert_eq!(at(86_401), StatusNow::Unavailable);
    assert_eq!(list.state(5, &policy, NOW + 86_401), Ok(StatusNow::Revoked));
}

/// The same signature with s + L: what only strict verification refuses.
fn malleable(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').unwrap();
    let mut bytes = b64::decode(signature).unwrap();
    let order = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0_u16;
    for (s, l) in bytes[32..].iter_mut().zip(order) {
        let sum = u16::from(*s) + l + carry;
        *s = u8::try_from(sum & 255).unwrap();
        carry = sum >> 8;
    }
    format!("{input}.{}", b64::encode(&bytes))
}
