//! What the library says over text (`warifu/consent`) of tokens that open and may yet not stand (§6.1 13, 17).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_imports,
    reason = "a test may fail loudly"
)]

mod common;

use common::*;
use warifu_consent::api::Api;
use warifu_consent::json::{Value, object};
use warifu_consent::*;

fn master_bytes() -> Vec<u8> {
    let facility = |code: &str, ja: &str| format!(r#"{{"code":"{code}","ja":"{ja}","en":""}}"#);
    let list = [(CLINIC, "架空割符診療所"), (OTHER, "架空精神科病院")].map(|(c, n)| facility(c, n));
    format!(
        r#"{{"v":1,"version":20260901,"contact":"架空割符病院 患者相談窓口 03-0000-0000","facilities":[{}]}}"#,
        list.join(",")
    )
    .into_bytes()
}

/// `keys` of a context: the golden patient's key and another's, with what they say of whom they sign for.
fn keys(own: Option<&str>, other: Option<&str>) -> String {
    let row = |key: &SecretKey, sub: Option<&str>| {
        let sub = sub.map_or(String::new(), |s| format!(r#","sub":"{s}""#));
        format!(r#"{{"class":"patient","x":"{}"{sub}}}"#, key.public().x())
    };
    format!("[{},{}]", row(&patient(), own), row(&key(2), other))
}

fn reason(answer: &str) -> String {
    let answer = json::read(answer.as_bytes(), 12).unwrap();
    let text = answer.get("reason").and_then(Value::text);
    text.unwrap_or("ok").to_owned()
}

fn verify(token: &str, keys: &str, master: Option<&[u8]>) -> String {
    let context = format!(r#"{{"now":{NOW},"keys":{keys}}}"#);
    let api = Api::new(None).unwrap();
    let annex = annex().to_bytes();
    reason(&api.verify(&context, token, Some(&annex), master).unwrap())
}

fn state(token: &str, keys: &str) -> String {
    let annex = b64::encode(&annex().to_bytes());
    let input = format!(
        r#"{{"sub":"{SUB}","now":{NOW},"keys":{keys},"tokens":[{{"token":"{token}","received":{NOW},"annex":"{annex}"}}]}}"#
    );
    reason(&Api::new(None).unwrap().state(&input).unwrap())
}

/// A grant whose text cannot be shown, signed as its holder can.
fn forged(change: &dyn Fn(&mut Value)) -> String {
    let mut claims = grant();
    set(&mut claims, "anx", annex().hash().into());
    let mut shown = txt("treat");
    set(&mut shown, "h", b64::encode(&[0; 32]).into());
    set(&mut claims, "txt", shown);
    change(&mut claims);
    let by = patient();
    forge(&header(Typ::Grant, &by), &raw(claims, &by), &by)
}

#[test]
fn lists_are_judged_by_the_policy_with_a_master_or_without() {
    let own = keys(Some(SUB), None);
    let good = sign(Typ::Grant, grant(), Some(&annex()), &patient());
    let master = master_bytes();
    assert_eq!(verify(&good, &own, Some(&master)), "ok");
    assert_eq!(state(&good, &own), "ok");
    for (name, codes_of, expected) in [
        ("aud", &["mi:*"][..], "AUD_WILDCARD"),
        ("cat", &["inf.lab", "prc.surgery"], "INDIVIDUAL_BUNDLED"),
        ("cat", &["prc.surgery"], "INDIVIDUAL_BUNDLED"),
        ("cat", &["inf.unknown"], "CATEGORY_UNKNOWN"),
        ("pur", &["ANON"], "OPTOUT_AS_GRANT"),
        ("aud", &["zz:1"], "AUD_UNKNOWN"),
    ] {
        let token = forged(&|g| set(g, name, codes(codes_of)));
        assert_eq!(
            verify(&token, &own, Some(&master)),
            expected,
            "{codes_of:?}"
        );
        assert_eq!(verify(&token, &own, None), expected, "{codes_of:?}");
        assert_eq!(state(&token, &own), expected, "{codes_of:?}");
    }
    // Who is in no master is known to a master alone.
    let token = forged(&|g| set(g, "aud", codes(&["mi:9999999999"])));
    assert_eq!(verify(&token, &own, Some(&master)), "AUD_UNKNOWN");
    assert_eq!(verify(&token, &own, None), "ok");
}

#[test]
fn a_key_signs_for_its_person_alone() {
    let other = format!("s1.{}", id(77));
    let by_other = sign(Typ::Grant, grant(), Some(&annex()), &key(2));
    let own = sign(Typ::Grant, grant(), Some(&annex()), &patient());
    let each = keys(Some(SUB), Some(&other));
    assert_eq!(
        (verify(&own, &each, None), state(&own, &each)),
        ("ok".into(), "ok".into())
    );
    assert_eq!(verify(&by_other, &each, None), "SUB");
    assert_eq!(state(&by_other, &each), "SUB");
    // Nobody's key signs for nobody: a state needs to know, a look at a token does not.
    let unsaid = keys(None, None);
    assert_eq!(verify(&own, &unsaid, None), "ok");
    assert_eq!(state(&own, &unsaid), "SUB");
    // A guardian's key stands there for the child, too.
    let row = format!(
        r#",{{"class":"patient","x":"{}","sub":"{SUB}"}}]"#,
        key(2).public().x()
    );
    let both = each.replace(']', &row);
    assert_eq!(state(&by_other, &both), "ok");
}

#[test]
fn a_list_that_tells_nothing_says_why() {
    let api = Api::new(None).unwrap();
    let row = |class: &str, key: &SecretKey| {
        format!(r#"{{"class":"{class}","x":"{}"}}"#, key.public().x())
    };
    let keys = [
        row("patient", &patient()),
        row("authority", &key(4)),
        row("status", &key(9)),
    ];
    let bound = binding_claims(
        &patient().public(),
        SUB,
        ["patient", "jpki"],
        None,
        NOW - 9,
        &id(20),
    );
    let bound = sign(Typ::Key, bound, None, &key(4));
    let offline = |idx: u64, lists: &[(&str, &str)]| {
        let mut claims = grant();
        let list = object([("idx", idx.into()), ("uri", LIST.into())]);
        set(&mut claims, "status", object([("status_list", list)]));
        let token = sign(Typ::Grant, claims, Some(&annex()), &patient());
        let lists = lists.iter();
        let lists = lists.map(|(uri, token)| format!(r#"{{"uri":"{uri}","token":"{token}"}}"#));
        let context = format!(
            r#"{{"now":{NOW},"keys":[{}],"bindings":["{bound}"],"lists":[{}]}}"#,
            keys.join(","),
            lists.collect::<Vec<_>>().join(",")
        );
        let master = master_bytes();
        let annex = annex().to_bytes();
        let answer = api.verify(&context, &token, Some(&annex), Some(&master));
        reason(&answer.unwrap())
    };
    let list =
        |uri: &str, at: u64| make_status_list(uri, LEAST_ENTRIES, &[7], at, &key(9)).unwrap();
    let good = list(LIST, NOW);
    assert_eq!(offline(48_213, &[(LIST, &good)]), "ok");
    assert_eq!(offline(7, &[(LIST, &good)]), "REVOKED");
    assert_eq!(offline(200_000, &[(LIST, &good)]), "STATUS_INDEX");
    assert_eq!(
        offline(7, &[(LIST, &list("https://c.example.jp/s/8", NOW))]),
        "STATUS_LIST"
    );
    // One that can be used counts, whatever stands before it.
    let other = list("https://c.example.jp/s/8", NOW);
    assert_eq!(offline(7, &[(LIST, &other), (LIST, &good)]), "REVOKED");
    assert_eq!(offline(7, &[]), "STATUS_UNAVAILABLE");
    assert_eq!(
        offline(7, &[(LIST, &list(LIST, NOW - 2 * 86_400))]),
        "STATUS_UNAVAILABLE"
    );
}
