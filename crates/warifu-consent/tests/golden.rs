//! The golden values of the design (§15): byte-equal.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]
mod common;

use common::{NOW, SUB, annex, codes, patient, ring};
use warifu_consent::json::{Value, object, read};
use warifu_consent::*;

const GRANT: &str = include_str!("golden/grant.jwt").trim_ascii_end();
const REVOKE: &str = include_str!("golden/revoke.jwt").trim_ascii_end();

fn counted(from: u8) -> String {
    let bytes: Vec<u8> = (0..16).map(|i| from + i).collect();
    b64::encode(&bytes)
}

fn grant_claims() -> Value {
    object([
        ("sub", SUB.into()),
        ("aud", codes(&["mi:1312345678"])),
        (
            "cat",
            codes(&[
                "chk.specific",
                "doc.discharge",
                "doc.referral",
                "inf.allergy",
                "inf.condition",
                "inf.contra",
                "inf.infection",
                "inf.lab",
                "inf.rx",
            ]),
        ),
        ("dat", object([("from", "2024-01-01".into())])),
        ("iat", 1_790_000_000.into()),
        ("nbf", 1_790_000_000.into()),
        ("exp", 1_797_776_000.into()),
        ("jti", counted(0).into()),
        ("nonce", counted(240).into()),
        ("obl", codes(&["NORDSCLCD"])),
        ("pur", codes(&["TREAT"])),
        ("anx", annex().hash().into()),
        ("status", common::status()),
        (
            "txt",
            object([
                ("h", text_hash(&[0; 16], "同意書 treat-ja 第1版\n").into()),
                ("id", "treat".into()),
                ("lang", "ja".into()),
                ("m", 20_260_901.into()),
                ("ver", 1.into()),
            ]),
        ),
    ])
}

#[test]
fn key_annex_and_text_have_the_golden_hashes() {
    let key = patient();
    assert_eq!(
        key.public().x(),
        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    );
    assert_eq!(
        key.public().thumbprint(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
    assert_eq!(
        String::from_utf8(annex().to_bytes()).unwrap(),
        r#"{"lbl":["PSY"],"res":[],"salt":"AAAAAAAAAAAAAAAAAAAAAA","src":["mi:1318765432"],"v":1}"#
    );
    assert_eq!(
        annex().hash(),
        "rqqc3ajgupxLZibZS6fxy6cRCYJDVipxqbzZqtPquUU"
    );
    assert_eq!(
        text_hash(&[0; 16], "同意書 treat-ja 第1版\n"),
        "4Jfz82qB8qAjvpD4xxxJrqOF1gy8kzOOihZhFXpeqKI"
    );
}

#[test]
fn grant_and_revoke_are_byte_equal() {
    let grant = make(Typ::Grant, grant_claims(), &patient()).unwrap();
    assert_eq!(grant, GRANT);
    assert_eq!(grant.len(), 1087);
    assert_eq!(
        token_hash(&grant).unwrap(),
        "CEj75Hs_UnI49mAl75Fq9303TVXS3E89P6H6HE7FsYI"
    );
    let claims = object([
        ("sub", SUB.into()),
        ("iat", 1_790_003_600.into()),
        ("jti", counted(16).into()),
        ("rev", counted(0).into()),
        ("rsn", "withdrawn".into()),
    ]);
    let revoke = make(Typ::Revoke, claims, &patient()).unwrap();
    assert_eq!(revoke, REVOKE);
    assert_eq!(
        token_hash(&revoke).unwrap(),
        "cuP1zyQkWZuTj3gTlr-IHjJtuDU5ov9Rh0AtxYofgzs"
    );
}

#[test]
fn the_golden_tokens_open_and_a_signature_made_elsewhere_joins() {
    let grant = open(GRANT, &[Typ::Grant], &ring(), Moment::now(NOW)).unwrap();
    assert_eq!(grant.hash, "CEj75Hs_UnI49mAl75Fq9303TVXS3E89P6H6HE7FsYI");
    assert!(
        open(
            REVOKE,
            &[Typ::Revoke, Typ::Grant],
            &ring(),
            Moment::now(NOW)
        )
        .is_ok()
    );
    let draft = Draft::new(Typ::Grant, grant_claims(), &patient().public()).unwrap();
    let signature = patient().sign(draft.signing_input()).unwrap();
    assert_eq!(draft.clone().finish(&signature).unwrap(), GRANT);
    assert_eq!(draft.finish(&[1; 64]), Err(Reason::Sig.into()));
}

#[test]
fn a_grant_fits_one_qr_symbol_and_comes_back() {
    let qr = to_qr(GRANT).unwrap();
    assert_eq!(from_qr(&qr).as_deref(), Some(GRANT));
    assert!(GRANT.len() <= 1195);
}

#[test]
fn other_member_order_and_white_space_in_the_payload_are_as_good() {
    let claims = read(&b64::decode(GRANT.split('.').nth(1).unwrap()).unwrap(), 4).unwrap();
    let members = claims.members().unwrap().iter().rev();
    let text: Vec<String> = members
        .map(|(k, v)| format!(" \"{k}\" : {} ", v.write()))
        .collect();
    let token = common::forge(
        &common::header(Typ::Grant, &patient()),
        &format!("{{\n{}}}\n", text.join(",")),
        &patient(),
    );
    let opened = open(&token, &[Typ::Grant], &ring(), Moment::now(NOW)).unwrap();
    assert_eq!(opened.claims, claims);
    assert_ne!(opened.hash, token_hash(GRANT).unwrap());
}
