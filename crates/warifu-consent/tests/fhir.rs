//! FHIR R4 Consent (§12.1): both dialects there and back, and foreign Consents.
#![recursion_limit = "256"]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]
mod common;

use std::collections::BTreeSet;

use common::{
    CLINIC, NOW, OTHER, annex, binding, codes, deny, grant, id, key, objection, patient, ring, set,
    sign, txt,
};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use warifu_consent::json::{Value, object};
use warifu_consent::*;

const LOG: &str = "https://log.example.jp/consent-log";

fn desk<'a>(keys: &'a common::Ring, policy: &'a Policy) -> ImportDesk<'a> {
    ImportDesk {
        keys,
        policy,
        now: NOW,
        source: Some(OTHER),
    }
}

fn import(consent: &Json) -> Imported {
    let policy = Policy::reference().unwrap();
    from_consent(consent.to_string().as_bytes(), &desk(&ring(), &policy))
}

/// A grant with every claim that a grant can have.
fn full_grant() -> Value {
    let mut claims = grant();
    set(&mut claims, "aud", codes(&["kg:1", CLINIC]));
    set(&mut claims, "cat", codes(&["doc.discharge", "inf.rx"]));
    set(
        &mut claims,
        "dat",
        object([("from", "2024-01-01".into()), ("to", "2026-12-31".into())]),
    );
    set(&mut claims, "rec", object([("to", 1_795_000_000.into())]));
    set(&mut claims, "del", 1_797_776_001.into());
    set(
        &mut claims,
        "use",
        object([("max", 9_007_199_254_740_991.into())]),
    );
    set(&mut claims, "dlg", true.into());
    set(&mut claims, "obl", codes(&["NOPERSISTP", "NORDSCLCD"]));
    let bound = binding(&key(2), "guardian");
    let act = object([("rel", "guardian".into()), ("bnd", bound.jti.into())]);
    set(&mut claims, "act", act);
    claims
}

fn wildcard() -> Value {
    let mut claims = grant();
    set(&mut claims, "aud", codes(&["mi:*"]));
    set(&mut claims, "pur", codes(&["DISASTER", "ETREAT"]));
    set(&mut claims, "txt", txt("etreat"));
    claims
}

fn registry() -> Value {
    let mut claims = objection();
    set(&mut claims, "by", "registry".into());
    set(&mut claims, "to", codes(&["cert:1"]));
    set(&mut claims, "src", codes(&[OTHER]));
    claims
}

fn off() -> Value {
    let mut claims = objection();
    set(&mut claims, "state", "off".into());
    set(&mut claims, "txt", txt("objection-off"));
    claims
}

/// Each kind of token, with its key and annex.
fn tokens() -> Vec<(&'static str, String, Option<Annex>)> {
    let a = annex();
    let mut named = deny();
    set(&mut named, "aud", codes(&["mi:*", CLINIC]));
    set(&mut named, "pur", codes(&["CAREMGT", "TREAT"]));
    set(&mut named, "exp", 1_800_000_000.into());
    vec![
        (
            "grant",
            sign(Typ::Grant, grant(), Some(&a), &patient()),
            Some(a.clone()),
        ),
        ("full grant", forge(Typ::Grant, full_grant(), &key(2)), None),
        (
            "every institution",
            sign(Typ::Grant, wildcard(), Some(&a), &patient()),
            Some(a),
        ),
        ("deny", sign(Typ::Deny, deny(), None, &patient()), None),
        ("named deny", sign(Typ::Deny, named, None, &patient()), None),
        (
            "objection",
            sign(Typ::Objection, objection(), None, &patient()),
            None,
        ),
        (
            "by the registry",
            forge(Typ::Objection, registry(), &key(3)),
            None,
        ),
        (
            "withdrawn objection",
            sign(Typ::Objection, off(), None, &patient()),
            None,
        ),
    ]
}

/// Signs without rendering: the master of the tests does not know every facility.
fn forge(typ: Typ, mut claims: Value, by: &SecretKey) -> String {
    if typ == Typ::Grant {
        set(&mut claims, "anx", annex().hash().into());
    }
    let Some(Value::Object(mut shown)) = claims.get("txt").cloned() else {
        panic!()
    };
    shown.insert("h".into(), b64::encode(&[7; 32]).into());
    set(&mut claims, "txt", shown.into());
    make(typ, claims, by).unwrap()
}

fn opened(token: &str) -> Opened {
    let types = [Typ::Grant, Typ::Deny, Typ::Objection];
    open(token, &types, &ring(), Moment::now(NOW)).unwrap()
}

fn about(annex: Option<&Annex>) -> About<'_> {
    About {
        log: LOG,
        organization: CLINIC,
        in_force: true,
        verified: Some(1_789_999_999),
        annex,
    }
}

fn export(token: &str, dialect: Dialect, annex: Option<&Annex>) -> Json {
    let text = to_consent(token, &opened(token), dialect, about(annex)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Every export: kinds of token, both dialects, for others and for the person.
fn exports() -> Vec<(String, String, Dialect, Option<Annex>, Json)> {
    let mut out = Vec::new();
    for (name, token, annex) in tokens() {
        for dialect in [Dialect::Core, Dialect::Pcf] {
            for own in [None, annex.clone()] {
                let consent = export(&token, dialect, own.as_ref());
                out.push((
                    format!("{name} {dialect:?}"),
                    token.clone(),
                    dialect,
                    own,
                    consent,
                ));
            }
        }
    }
    out
}

#[test]
fn every_token_comes_back_from_both_dialects() {
    for (name, token, dialect, annex, mut consent) in exports() {
        // A store adds these; members in another order are the same.
        consent["id"] = json!("c1");
        consent["meta"] = json!({"versionId": "3"});
        let got = import(&consent);
        assert_eq!(got.findings, [], "{name}");
        assert_eq!(got.drafts, [], "{name}");
        let signed = got.signed.expect(&name);
        assert_eq!((&signed.token, signed.dialect), (&token, dialect), "{name}");
        assert_eq!(signed.opened, opened(&token), "{name}");
        assert_eq!(signed.annex, annex, "{name}");
        assert!(signed.in_force);
    }
}

/// Paths of all leaves.
fn leaves(value: &Json, at: &str, out: &mut Vec<String>) {
    match value {
        Json::Object(m) => m
            .iter()
            .for_each(|(k, v)| leaves(v, &format!("{at}/{k}"), out)),
        Json::Array(a) => a
            .iter()
            .enumerate()
            .for_each(|(n, v)| leaves(v, &format!("{at}/{n}"), out)),
        _ => out.push(at.to_owned()),
    }
}

/// Whatever is changed in, added to or taken from a Consent with a token is told; what no token says
/// (`About`) is the sender's word, and comes back changed.
#[test]
fn a_changed_consent_is_refused_element_by_element() {
    let said_by_sender = [
        "/identifier/0/system",
        "/status",
        "/organization/0/identifier/value",
        "/verification/0/verificationDate",
    ];
    for (name, token, _, annex, consent) in exports() {
        let mut paths = Vec::new();
        leaves(&consent, "", &mut paths);
        for path in paths {
            let mut bad = consent.clone();
            let leaf = bad.pointer_mut(&path).unwrap();
            *leaf = match &*leaf {
                Json::String(_) if path == "/status" => json!("inactive"),
                Json::String(t) if path == "/verification/0/verificationDate" => {
                    json!(t.replace("2026", "2025"))
                }
                Json::String(t) if path.ends_with("organization/0/identifier/value") => {
                    json!(t.replace('3', "4"))
                }
                Json::String(t) => json!(format!("{t}x")),
                Json::Number(n) => json!(n.as_u64().unwrap() + 1),
                Json::Bool(b) => json!(!b),
                other => panic!("{other}"),
            };
            let got = import(&bad);
            if said_by_sender.contains(&path.as_str()) {
                let signed = got.signed.expect("the token holds");
                assert_eq!((signed.token, signed.annex), (token.clone(), annex.clone()));
                continue;
            }
            // Without its content type it is a foreign Consent: drafts, never a signed one.
            let draft = path == "/sourceAttachment/contentType";
            assert!(got.signed.is_none(), "{name} {path}");
            assert_eq!(!got.drafts.is_empty(), draft, "{name} {path}");
            if !draft {
                let codes: Vec<ImportCode> = got.findings.iter().map(|f| f.code).collect();
                let wanted = match path.as_str() {
                    "/resourceType" => ImportCode::Form,
                    "/sourceAttachment/data" => ImportCode::Token,
                    _ => ImportCode::Mismatch,
                };
                assert_eq!(codes, [wanted], "{name} {path}");
            }
        }
        for more in ["/provision", "/policy/0", "/patient", ""] {
            let mut bad = consent.clone();
            let at = bad.pointer_mut(more).unwrap();
            at.as_object_mut()
                .unwrap()
                .insert("language".into(), json!("ja"));
            assert_eq!(
                import(&bad).findings[0].code,
                ImportCode::Mismatch,
                "{name} {more}"
            );
        }
        let members: Vec<String> = consent.as_object().unwrap().keys().cloned().collect();
        for member in members {
            let mut bad = consent.clone();
            bad.as_object_mut().unwrap().remove(&member);
            let got = import(&bad);
            assert!(got.signed.is_none(), "{name} without {member}");
            assert!(!got.findings.is_empty(), "{name} without {member}");
        }
    }
}

#[test]
fn a_token_that_does_not_hold_gives_no_draft_either() {
    let (_, token, _) = tokens().remove(0);
    let consent = export(&token, Dialect::Pcf, None);
    let policy = Policy::reference().unwrap();
    let mut keys = ring();
    keys.add(SignerClass::Patient, &patient(), KeyState::Compromised(NOW));
    let got = from_consent(consent.to_string().as_bytes(), &desk(&keys, &policy));
    assert_eq!(got.findings[0].code, ImportCode::Token);
    assert_eq!(got.findings[0].reason, Some(Reason::KeyCompromised));
    assert!(got.signed.is_none() && got.drafts.is_empty());
}

/// The structure alone, without the token, says all that the person decided.
#[test]
fn nothing_is_lost_in_the_structure() {
    let anew = [
        "act", "anx", "by", "iat", "iss", "jti", "nonce", "seq", "status", "sub", "txt", "v",
    ];
    for (name, token, _, annex, mut consent) in exports() {
        consent.as_object_mut().unwrap().remove("sourceAttachment");
        let got = import(&consent);
        assert!(got.signed.is_none(), "{name}");
        assert_eq!(got.drafts.len(), 1, "{name} {:?}", got.findings);
        let draft = &got.drafts[0];
        let mut claims = opened(&token).claims;
        let (Value::Object(want), typ) = (&mut claims, opened(&token).typ) else {
            panic!()
        };
        want.retain(|k, _| !anew.contains(&k.as_str()));
        if typ == Typ::Objection || draft.typ == Typ::Deny {
            assert_eq!(draft.excluded, Excluded::default());
        }
        assert_eq!((draft.typ, &draft.claims), (typ, &claims), "{name}");
        if let Some(annex) = annex {
            assert_eq!(draft.excluded.with_salt([0; 16]), annex, "{name}");
        }
        // What is left is made anew, or belongs to the signature that is not there.
        let strange: Vec<&ImportFinding> = got.findings.iter().filter(|f| f.limits).collect();
        assert!(strange.is_empty(), "{name} {strange:?}");
        assert!(
            got.findings
                .iter()
                .all(|f| matches!(f.code, ImportCode::Anew | ImportCode::Unmappable))
        );
    }
}

#[test]
fn what_is_no_consent_of_ours_is_not_exported() {
    let (_, token, _) = tokens().remove(0);
    let t = opened(&token);
    let strange = Annex::empty([9; 16]);
    let go = |token: &str, t: &Opened, annex| to_consent(token, t, Dialect::Core, about(annex));
    let other = tokens().remove(3).1;
    assert_eq!(go(&other, &t, None), Err(FhirError::Token));
    assert_eq!(go(&token, &t, Some(&strange)), Err(FhirError::Annex));
    let revoke = make(Typ::Revoke, common::revoke(50), &patient()).unwrap();
    let revoke_opened = open(&revoke, &[Typ::Revoke], &ring(), Moment::now(NOW)).unwrap();
    assert_eq!(go(&revoke, &revoke_opened, None), Err(FhirError::Typ));
    let mut late = deny();
    set(&mut late, "nbf", 9_007_199_254_740_991.into());
    let late = forge(Typ::Deny, late, &patient());
    assert_eq!(go(&late, &opened(&late), None), Err(FhirError::Time));
}

/// A foreign Consent with every element of R4.
fn every_element() -> Json {
    let role = |code: &str| json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": code}]});
    let org = |digits: &str| json!({"type": "Organization", "display": "架空", "identifier": {"system": "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no", "value": digits}});
    json!({
        "resourceType": "Consent", "id": "x", "meta": {"profile": ["http://example.jp/p"]}, "language": "ja",
        "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">同意</div>"},
        "contained": [{"resourceType": "Organization", "id": "o"}],
        "extension": [{"url": "http://example.jp/e", "valueString": "x"}],
        "identifier": [{"system": "http://example.jp/i", "value": "1"}],
        "status": "active",
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": "Patient/1"}, "dateTime": "2026-01-01",
        "performer": [{"reference": "Patient/1"}], "organization": [{"reference": "#o"}],
        "sourceAttachment": {"contentType": "application/pdf", "data": "JVBERg=="},
        "policy": [{"authority": "http://example.jp/a", "uri": "http://example.jp/u"}],
        "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}]},
        "verification": [{"verified": true, "verifiedWith": {"reference": "Patient/1"}, "verificationDate": "2026-01-01"}],
        "provision": {
            "type": "permit",
            "period": {"start": "2026-09-01", "end": "2026-09-30"},
            "actor": [{"role": role("IRCP"), "reference": org("1312345678")}, {"role": role("IRCP"), "reference": {"reference": "#o"}}],
            "action": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentaction", "code": "access"}]}],
            "purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}, {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HMARKT"}],
            "code": [
                {"coding": [{"system": "urn:warifu:consent:category", "code": "doc.discharge"}]},
                {"coding": [{"system": "urn:warifu:consent:category", "code": "inf.rx"}]},
                {"coding": [{"system": "urn:warifu:consent:category", "code": "prc.surgery"}]}
            ],
            "class": [{"system": "http://loinc.org", "code": "18842-5"}],
            "dataPeriod": {"start": "2024", "end": "2025-06"},
            "provision": [
                {"type": "deny", "securityLabel": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY"}]},
                {"type": "deny", "data": [{"meaning": "instance", "reference": {"reference": "Observation/7"}}, {"meaning": "related", "reference": {"reference": "Encounter/2"}}]},
                {"type": "deny", "actor": [{"role": role("CST"), "reference": org("1318765432")}], "purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}]},
                {"type": "deny", "purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "CAREMGT"}], "actor": [{"role": role("IRCP"), "reference": org("1318765432")}]},
                {"type": "deny", "action": [{"text": "x"}], "class": [{"system": "http://loinc.org", "code": "57133-1"}]},
                {"type": "permit", "securityLabel": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "N"}], "data": [{"meaning": "instance", "reference": {"reference": "Observation/1"}}]},
                {"type": "permit", "code": [{"coding": [{"system": "urn:warifu:consent:category", "code": "inf.rx"}, {"system": "http://example.jp/c", "code": "q"}]}, {"coding": [{"system": "urn:warifu:consent:category", "code": "prc.surgery"}]}, {"text": "薬"}]}
            ]
        }
    })
}

#[test]
fn a_foreign_consent_becomes_drafts_and_the_rest_has_findings() {
    let got = import(&every_element());
    assert!(got.signed.is_none());
    let show = |d: &ConsentDraft| {
        let e = &d.excluded;
        format!(
            "{} {} {} {:?} {:?} {} {}",
            d.path,
            d.typ.wire(),
            d.claims.write(),
            e.src,
            e.lbl,
            e.res.len(),
            e.wid.len()
        )
    };
    let drafts: Vec<String> = got.drafts.iter().map(show).collect();
    assert_eq!(
        drafts,
        [
            r#"Consent.provision consent-grant+jwt {"aud":["mi:1312345678"],"cat":["doc.discharge","inf.rx"],"dat":{"from":"2024-01-01","to":"2025-06-30"},"exp":1790780400,"nbf":1788188400,"pur":["TREAT"]} ["mi:1318765432"] ["PSY"] 1 1"#,
            r#"Consent.provision consent-grant+jwt {"aud":["mi:1312345678"],"cat":["prc.surgery"],"dat":{"from":"2024-01-01","to":"2025-06-30"},"exp":1790780400,"nbf":1788188400,"pur":["TREAT"]} ["mi:1318765432"] ["PSY"] 1 1"#,
            r#"Consent.provision.provision[6] consent-grant+jwt {"aud":["mi:1312345678"],"cat":["inf.rx"],"dat":{"from":"2024-01-01","to":"2025-06-30"},"exp":1790780400,"nbf":1788188400,"pur":["TREAT"]} ["mi:1318765432"] ["PSY"] 1 1"#,
            r#"Consent.provision.provision[6] consent-grant+jwt {"aud":["mi:1312345678"],"cat":["prc.surgery"],"dat":{"from":"2024-01-01","to":"2025-06-30"},"exp":1790780400,"nbf":1788188400,"pur":["TREAT"]} ["mi:1318765432"] ["PSY"] 1 1"#,
        ]
    );
    assert_eq!(
        got.drafts[0].excluded.res[0],
        hash::resource_key(OTHER, "Observation", "7")
    );
    let mut found: Vec<String> = got
        .findings
        .iter()
        .map(|f| {
            format!(
                "{}{} {}",
                f.code.wire(),
                if f.limits { "!" } else { "" },
                f.path
            )
        })
        .collect();
    let mut wanted = [
        "UNMAPPABLE Consent.id",
        "UNMAPPABLE Consent.meta",
        "UNMAPPABLE Consent.language",
        "UNMAPPABLE Consent.text",
        "UNMAPPABLE Consent.contained",
        "UNMAPPABLE Consent.extension",
        "FHIR_ANEW Consent.identifier",
        "FHIR_ANEW Consent.scope",
        "FHIR_ANEW Consent.category",
        "FHIR_ANEW Consent.patient",
        "FHIR_ANEW Consent.dateTime",
        "FHIR_ANEW Consent.performer",
        "FHIR_ANEW Consent.organization",
        "FHIR_ANEW Consent.sourceAttachment",
        "FHIR_ANEW Consent.policy",
        "FHIR_ANEW Consent.policyRule",
        "FHIR_ANEW Consent.verification",
        "UNMAPPABLE! Consent.provision.actor[0].reference.display",
        "FHIR_VALUE! Consent.provision.actor[1]",
        "FHIR_VALUE! Consent.provision.purpose[1]",
        "UNMAPPABLE! Consent.provision.provision[2].actor[0].reference.display",
        "UNMAPPABLE! Consent.provision.provision[2].purpose",
        "UNMAPPABLE! Consent.provision.provision[3].actor[0].reference.display",
        "UNMAPPABLE! Consent.provision.provision[4].action",
        "FHIR_VALUE! Consent.provision.provision[5].type",
        "UNMAPPABLE! Consent.provision.provision[5].securityLabel",
        "UNMAPPABLE! Consent.provision.provision[5].data",
        "UNMAPPABLE! Consent.provision.provision[6].code[0].coding[1]",
        "FHIR_VALUE! Consent.provision.provision[6].code[2]",
    ];
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
}

/// Each way in which nothing at all is imported.
#[test]
fn refusals_leave_nothing() {
    let with = |change: fn(&mut Json)| {
        let mut consent = every_element();
        change(&mut consent);
        import(&consent)
    };
    let deny = json!({"type": "deny", "purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "CAREMGT"}]});
    let cases = [
        (
            ImportCode::Form,
            "Consent",
            with(|c| c["resourceType"] = json!("Contract")),
        ),
        (
            ImportCode::Status,
            "Consent.status",
            with(|c| c["status"] = json!("rejected")),
        ),
        (
            ImportCode::Status,
            "Consent.status",
            with(|c| c["status"] = json!("entered-in-error")),
        ),
        (
            ImportCode::Scope,
            "Consent.scope.coding[0]",
            with(|c| c["scope"]["coding"][0]["code"] = json!("treatment")),
        ),
        (
            ImportCode::Modifier,
            "Consent.implicitRules",
            with(|c| c["implicitRules"] = json!("http://x")),
        ),
        (
            ImportCode::Modifier,
            "Consent.provision.provision[1].modifierExtension",
            with(|c| {
                c["provision"]["provision"][1]["modifierExtension"] = json!([{"url": "http://x"}]);
            }),
        ),
        (
            ImportCode::Depth,
            "Consent.provision",
            with(|c| {
                c["provision"]["provision"][0]["provision"] =
                    json!([{"type": "permit", "provision": [{"type": "deny"}]}]);
            }),
        ),
        (
            ImportCode::Size,
            "Consent.provision",
            with(|c| {
                let one = json!({"type": "permit"});
                c["provision"]["provision"] = Json::Array(vec![one; 100]);
            }),
        ),
        (
            ImportCode::Size,
            "Consent.provision",
            with(|c| {
                let many = (0..10_001).map(|n| json!({"meaning": "instance", "reference": {"reference": format!("Observation/{n}")}}));
                c["provision"]["provision"] =
                    json!([{"type": "deny", "data": many.collect::<Vec<_>>()}]);
            }),
        ),
    ];
    for (code, path, got) in cases {
        let last = got.findings.last().unwrap();
        assert_eq!((last.code, last.path.as_str()), (code, path));
        assert!(got.drafts.is_empty() && got.signed.is_none(), "{path}");
    }
    let policy = Policy::reference().unwrap();
    let keys = ring();
    let desk = desk(&keys, &policy);
    let big = vec![b' '; (8 << 20) + 1];
    assert_eq!(from_consent(&big, &desk).findings[0].code, ImportCode::Size);
    for bad in [
        "",
        "{",
        "[]",
        "{\"resourceType\":\"Consent\",\"resourceType\":\"Consent\"}",
    ] {
        assert_eq!(
            from_consent(bad.as_bytes(), &desk).findings[0].code,
            ImportCode::Form
        );
    }
    let deep = format!("{}{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    assert_eq!(
        from_consent(deep.as_bytes(), &desk).findings[0].code,
        ImportCode::Form
    );
    // A rule that nobody can tell, and none at all.
    for provision in [
        json!({"purpose": [{"code": "TREAT"}]}),
        json!({"provision": [{"period": {}}]}),
        Json::Null,
    ] {
        let mut consent = every_element();
        consent["provision"] = provision;
        let got = import(&consent);
        assert!(got.drafts.is_empty());
        assert!(
            got.findings
                .iter()
                .any(|f| f.code == ImportCode::Value && f.limits)
        );
    }
    // Everything forbidden but …: the base here, not a prohibition over all grants.
    let mut consent = every_element();
    consent["provision"] = json!({"type": "deny", "provision": [{"type": "permit", "purpose": consent["provision"]["purpose"]}, deny]});
    let got = import(&consent);
    let types: Vec<Typ> = got.drafts.iter().map(|d| d.typ).collect();
    assert_eq!(types, [Typ::Grant, Typ::Deny]);
}

#[test]
fn findings_are_bounded_and_counted() {
    let mut consent = every_element();
    consent["provision"]["purpose"] = Json::Array(vec![json!({"code": "x"}); 5000]);
    let got = import(&consent);
    assert_eq!(got.findings.len(), 1000);
    // With findings beyond those that are kept nobody can tell what a deny says, so it takes out all: both
    // permits are named, too.
    let all = 29 - 1 + 5000 + 2;
    assert_eq!(got.further, all - 1000);
}

#[test]
fn codes_of_the_import_are_stable_and_spoken() {
    let mut wires = BTreeSet::new();
    for code in ImportCode::ALL {
        assert!(wires.insert(code.wire()));
        for lang in Lang::ALL {
            assert!(code.sentence(lang).ends_with(['.', '。']));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any grant of the profile survives the structure alone, and two that differ never look alike.
    #[test]
    fn grants_survive_the_structure(
        cats in prop::collection::btree_set(0..23_usize, 1..8),
        days in prop::option::of((10_000..20_000_i32, 0..900_i32)),
        times in (1_790_000_000..1_795_000_000_u64, 1..80_000_u64),
        rec in prop::option::of(0..4_000_000_000_u64),
        uses in prop::option::of(1..1_000_u64),
        core in any::<bool>(),
        n in any::<u8>(),
    ) {
        let policy = Policy::reference().unwrap();
        let names: Vec<&str> = policy.categories().iter().map(|c| c.code.as_str())
            .filter(|c| !["prc.surgery", "prc.transplant", "gen"].contains(c)).collect();
        let mut chosen: Vec<&str> = cats.iter().map(|c| names[*c]).collect();
        chosen.sort_unstable();
        let mut claims = grant();
        set(&mut claims, "cat", codes(&chosen));
        set(&mut claims, "nbf", times.0.into());
        set(&mut claims, "exp", (times.0 + times.1).into());
        set(&mut claims, "jti", id(n).into());
        let window = match days {
            Some((from, more)) => object([("from", Date::from_days(from).to_string().into()), ("to", Date::from_days(from + more).to_string().into())]),
            None => object([]),
        };
        set(&mut claims, "dat", window);
        if let Some(to) = rec { set(&mut claims, "rec", object([("to", to.into())])); }
        if let Some(max) = uses { set(&mut claims, "use", object([("max", max.into())])); }
        let token = forge(Typ::Grant, claims.clone(), &patient());
        let mut consent = export(&token, if core { Dialect::Core } else { Dialect::Pcf }, None);
        let signed = import(&consent).signed.unwrap();
        prop_assert_eq!(&signed.token, &token);
        consent.as_object_mut().unwrap().remove("sourceAttachment");
        let draft = import(&consent).drafts.remove(0);
        for name in ["aud", "pur", "cat", "dat", "nbf", "exp", "rec", "use", "obl"] {
            prop_assert_eq!(draft.claims.get(name), claims.get(name), "{}", name);
        }
    }
}
