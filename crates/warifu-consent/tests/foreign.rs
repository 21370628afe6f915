//! A draft made of a foreign Consent never opens more than the Consent says (§12.1): over generated rules,
//! against a reading of their JSON of its own.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use warifu_consent::{ConsentDraft, Date, ImportDesk, Imported, Policy, Typ, from_consent, hash};

const CASES: u64 = 8_000;
const NOW: u64 = 1_790_000_100;
const HERE: &str = "mi:1319999999";
const THERE: &str = "mi:1318765432";

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        let n = u64::try_from(of.len()).unwrap();
        of[usize::try_from(self.roll(n)).unwrap()]
    }
    /// One to three of these.
    fn some<'a>(&mut self, of: &[&'a str]) -> Vec<&'a str> {
        let mut out: Vec<&str> = (0..=self.roll(3)).map(|_| self.one(of)).collect();
        out.sort_unstable();
        out.dedup();
        out
    }
}

const AUD: &[&str] = &["mi:1312345678", "mi:1312345679", "?"];
const PUR: &[&str] = &["TREAT", "CAREMGT", "HMARKT"];
const CAT: &[&str] = &["inf.lab", "inf.rx", "prc.surgery", "vit", "?"];
const LBL: &[&str] = &["PSY", "R", "MARK"];
const KEYS: &[&str] = &["Observation/1", "Observation/2", "Practitioner/9"];

fn actor(role: &str, code: &str) -> Json {
    let reference = match code.strip_prefix("mi:") {
        Some(digits) => {
            json!({"identifier": {"system": "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no", "value": digits}})
        }
        None => json!({"reference": "Organization/1"}),
    };
    json!({"role": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": role}]}, "reference": reference})
}

/// A rule with some of the conditions of R4, right and wrong ones, and rules inside it.
fn rule(d: &mut Dice, depth: u32) -> Json {
    let kind = if d.roll(2) == 0 { "permit" } else { "deny" };
    let mut r = json!({"type": kind});
    let lean = kind == "permit" && depth == 0;
    if lean || d.roll(3) == 0 {
        let mut actors: Vec<Json> = d.some(AUD).into_iter().map(|c| actor("IRCP", c)).collect();
        if d.roll(6) == 0 {
            actors.push(actor(d.one(&["CST", "GUAR"]), d.one(&[HERE, THERE])));
        }
        r["actor"] = actors.into();
    } else if d.roll(4) == 0 {
        r["actor"] = json!([actor("CST", d.one(&[HERE, THERE, "?"]))]);
    }
    if lean || d.roll(4) == 0 {
        let all = d.some(PUR).into_iter().map(
            |c| json!({"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": c}),
        );
        r["purpose"] = all.collect();
    }
    if lean || d.roll(3) == 0 {
        let all = d
            .some(CAT)
            .into_iter()
            .map(|c| json!({"coding": [{"system": "urn:warifu:consent:category", "code": c}]}));
        r["code"] = all.collect();
    }
    if d.roll(8) == 0 {
        r["class"] =
            json!([{"system": "http://loinc.org", "code": d.one(&["18842-5", "57133-1", "1-8"])}]);
    }
    if d.roll(6) == 0 {
        r["securityLabel"] = d
            .some(LBL)
            .into_iter()
            .map(|c| {
                let of = if c == "R" {
                    "v3-Confidentiality"
                } else {
                    "v3-ActCode"
                };
                json!({"system": format!("http://terminology.hl7.org/CodeSystem/{of}"), "code": c})
            })
            .collect();
    }
    if d.roll(8) == 0 {
        let meaning = d.one(&["instance", "instance", "dependents"]);
        let all = d.some(KEYS).into_iter().map(|k| json!({"meaning": meaning, "reference": {"reference": if k == "Practitioner/9" { "urn:x" } else { k }}}));
        r["data"] = all.collect();
    }
    if d.roll(5) == 0 {
        r["period"] = json!({"start": d.one(&["2026-09-01", "2026-10-01", "soon"]), "end": d.one(&["2026-09-30", "2026-12-31"])});
    }
    if d.roll(5) == 0 {
        r["dataPeriod"] = d.pick(&[
            json!({"start": "2025-01-01"}),
            json!({"end": "2025-12-31"}),
            json!({"start": "last year"}),
            json!({"id": "x"}),
        ]);
    }
    if d.roll(8) == 0 {
        let code = d.one(&["access", "collect"]);
        r["action"] = json!([{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentaction", "code": code}]}]);
    }
    if depth < 2 && d.roll(2) == 0 {
        let n = d.roll(3);
        r["provision"] = (0..=n).map(|_| rule(d, depth + 1)).collect();
    }
    r
}

impl Dice {
    fn pick(&mut self, of: &[Json]) -> Json {
        let n = u64::try_from(of.len()).unwrap();
        of[usize::try_from(self.roll(n)).unwrap()].clone()
    }
}

/// Somebody looks at something.
#[derive(Debug)]
struct Look {
    aud: &'static str,
    pur: &'static str,
    cat: &'static str,
    src: &'static str,
    label: Option<&'static str>,
    key: &'static str,
    day: &'static str,
    at: u64,
}

fn look(d: &mut Dice) -> Look {
    Look {
        aud: d.one(&AUD[..2]),
        pur: d.one(&PUR[..2]),
        cat: d.one(&CAT[..4]),
        src: d.one(&[HERE, THERE]),
        label: [None, Some("PSY"), Some("R"), Some("V")][usize::try_from(d.roll(4)).unwrap()],
        key: d.one(&KEYS[..2]),
        day: d.one(&["2024-06-01", "2025-06-01", "2026-06-01"]),
        at: NOW + d.roll(4) * 30 * 86_400,
    }
}

fn list<'j>(r: &'j Json, key: &str) -> &'j [Json] {
    r[key].as_array().map_or(&[], Vec::as_slice)
}

/// Whether a rule is about a look. What nobody can read: a permit is not, a deny is.
fn about(r: &Json, l: &Look, permit: bool) -> bool {
    let unknown = !permit;
    // Any of a list; one that cannot be read may be it.
    let any = |list: &[Json], is: &dyn Fn(&Json) -> Option<bool>| {
        list.iter().any(|entry| is(entry).unwrap_or(unknown))
    };
    let role = |a: &Json| {
        a["role"]["coding"][0]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let facility = |a: &Json| {
        let digits = a["reference"]["identifier"]["value"].as_str()?;
        Some(format!("mi:{digits}"))
    };
    let actors = list(r, "actor");
    let of = |names: &[&str]| -> Vec<Json> {
        let own = actors.iter().filter(|a| names.contains(&role(a).as_str()));
        own.cloned().collect()
    };
    let (to, from) = (of(&["IRCP"]), of(&["CST"]));
    let strangers = to.len() + from.len() < actors.len();
    let everyone = to.is_empty() && !strangers;
    let named = any(&to, &|a| facility(a).map(|f| f == l.aud)) || (strangers && unknown);
    if !everyone && !named {
        return false;
    }
    if !from.is_empty() && !any(&from, &|a| facility(a).map(|f| f == l.src)) {
        return false;
    }
    let code = |known: &'static [&'static str], own: &str| {
        let own = own.to_owned();
        move |c: &Json| {
            let c = c["code"].as_str()?;
            known.contains(&c).then(|| c == own)
        }
    };
    let purposes = list(r, "purpose");
    if !purposes.is_empty() && !any(purposes, &code(&PUR[..2], l.pur)) {
        return false;
    }
    let codes: Vec<Json> = list(r, "code")
        .iter()
        .map(|c| c["coding"][0].clone())
        .collect();
    if !codes.is_empty() && !any(&codes, &code(&CAT[..4], l.cat)) {
        return false;
    }
    // None of the looks is at a document.
    let class = list(r, "class");
    if !class.is_empty() && !any(class, &|c| (c["code"] != "1-8").then_some(false)) {
        return false;
    }
    // A permit of some labels or items cannot be a grant; what is more confidential is under R, too.
    if !list(r, "securityLabel").is_empty() {
        if permit {
            return false;
        }
        let is = |c: &Json| match c["code"].as_str()? {
            "MARK" => None,
            "R" => Some(matches!(l.label, Some("R" | "V"))),
            other => Some(l.label == Some(other)),
        };
        if !any(list(r, "securityLabel"), &is) {
            return false;
        }
    }
    if !list(r, "data").is_empty() {
        if permit {
            return false;
        }
        let is = |c: &Json| {
            let known = c["meaning"] == "instance";
            let key = c["reference"]["reference"].as_str()?;
            (known && key.contains('/')).then(|| key == l.key)
        };
        if !any(list(r, "data"), &is) {
            return false;
        }
    }
    let day = |text: &str| Date::parse(text).map(Date::starts);
    let bounds = |key: &str, at: u64, last: u64| -> Option<bool> {
        let Some(period) = r.get(key) else {
            return Some(true);
        };
        let (start, end) = (period["start"].as_str(), period["end"].as_str());
        if start.is_none() && end.is_none() {
            return None;
        }
        let start = start.map_or(Some(true), |s| Some(day(s)? <= at));
        let end = end.map_or(Some(true), |e| Some(at <= day(e)? + last));
        Some(start? && end?)
    };
    bounds("period", l.at, 86_399).unwrap_or(unknown)
        && bounds("dataPeriod", day(l.day).unwrap(), 0).unwrap_or(unknown)
        && (list(r, "action").is_empty()
            || !permit
            || r["action"][0]["coding"][0]["code"] == "access")
}

/// Whether some permit opens it that no deny beside it, above it or in it forbids.
fn opens(rules: &[Json], l: &Look) -> bool {
    let denied = |r: &Json| r["type"] == "deny" && about(r, l, false);
    rules.iter().any(|r| {
        let nested = list(r, "provision");
        let beside = || {
            let others = rules.iter().filter(|o| !std::ptr::eq(*o, r));
            others.filter(|o| !is_base(o)).any(denied)
        };
        if beside() || !about(r, l, true) {
            return false;
        }
        match r["type"].as_str().unwrap() {
            "permit" => !nested.iter().any(denied) || opens(nested, l),
            _ => opens(nested, l),
        }
    })
}

/// A deny around permits says what holds without them.
fn is_base(r: &Json) -> bool {
    r["type"] == "deny" && list(r, "provision").iter().any(|n| n["type"] == "permit")
}

/// Whether a draft, signed as it is, would open it.
fn drafted(d: &ConsentDraft, l: &Look) -> bool {
    let c = &d.claims;
    let has = |name: &str, code: &str| c.get(name).is_some_and(|v| v.texts().any(|t| t == code));
    let int = |name: &str| c.get(name).and_then(warifu_consent::json::Value::int);
    let dat = c.get("dat");
    let day = |end: &str| {
        dat.and_then(|d| d.get(end))
            .and_then(|v| v.text())
            .unwrap_or(l.day)
            .to_owned()
    };
    let kind = l.key.split_once('/').unwrap();
    let key = hash::resource_key(HERE, kind.0, kind.1);
    d.typ == Typ::Grant
        && has("aud", l.aud)
        && has("pur", l.pur)
        && has("cat", l.cat)
        && int("nbf").is_none_or(|nbf| nbf <= l.at)
        && int("exp").is_none_or(|exp| l.at < exp)
        && day("from").as_str() <= l.day
        && l.day <= day("to").as_str()
        && !d.excluded.src.iter().any(|s| s == l.src)
        && !d.excluded.lbl.iter().any(|s| Some(s.as_str()) == l.label)
        && !d.excluded.res.contains(&key)
}

struct Nobody;
impl warifu_consent::KeyRing for Nobody {
    fn find(&self, _: warifu_consent::SignerClass, _: &str) -> Option<warifu_consent::KeyEntry> {
        None
    }
}

fn read(provision: &Json) -> Imported {
    let policy = Policy::reference().unwrap();
    let consent = json!({
        "resourceType": "Consent", "status": "active",
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
        "provision": provision
    });
    let desk = ImportDesk {
        keys: &Nobody,
        policy: &policy,
        now: NOW,
        source: Some(HERE),
    };
    from_consent(consent.to_string().as_bytes(), &desk)
}

#[test]
fn a_draft_never_opens_more_than_its_source() {
    let mut d = Dice(1);
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for n in 0..CASES {
        let bare = d.roll(2) == 0;
        let tops: Vec<Json> = if bare {
            let more = d.roll(3);
            (0..=more).map(|_| rule(&mut d, 1)).collect()
        } else {
            vec![rule(&mut d, 0)]
        };
        let provision = if bare {
            json!({"provision": tops})
        } else {
            tops[0].clone()
        };
        let got = read(&provision);
        for _ in 0..40 {
            let l = look(&mut d);
            let says = opens(&tops, &l);
            let draft = got.drafts.iter().find(|draft| drafted(draft, &l));
            if let Some(draft) = draft {
                assert!(
                    says,
                    "case {n}: {l:?}\n{draft:?}\n{}",
                    serde_json::to_string_pretty(&provision).unwrap()
                );
            }
            *seen
                .entry(match (says, draft.is_some()) {
                    (true, true) => "both",
                    (true, false) => "source only",
                    _ => "neither",
                })
                .or_default() += 1;
        }
    }
    // Both happen often enough to say something.
    assert!(seen["both"] > 2_000 && seen["neither"] > 2_000, "{seen:?}");
}

/// What no grant can say is not left out of one.
#[test]
fn a_permit_with_a_bound_that_no_grant_says_becomes_no_draft() {
    let treat =
        json!([{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}]);
    let plain = json!({"type": "permit", "purpose": treat});
    assert_eq!(read(&plain).drafts.len(), 1);
    for (key, value) in [
        ("dataPeriod", json!({"start": "yesterday"})),
        ("dataPeriod", json!({"id": "x"})),
        ("period", json!({"end": "soon"})),
        (
            "securityLabel",
            json!([{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "N"}]),
        ),
        (
            "data",
            json!([{"meaning": "instance", "reference": {"reference": "Observation/1"}}]),
        ),
        (
            "action",
            json!([{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentaction", "code": "collect"}]}]),
        ),
        ("actor", json!([actor("IRCP", AUD[0]), actor("CST", HERE)])),
    ] {
        let mut bound = plain.clone();
        bound[key] = value;
        let got = read(&bound);
        assert!(got.drafts.is_empty(), "{key}");
        assert!(got.findings.iter().any(|f| f.limits), "{key}");
    }
}

/// One objects to at least what is named, and takes back at most that.
#[test]
fn objections_are_never_taken_back_by_what_cannot_be_read() {
    let anon = json!([{"system": "urn:warifu:consent:purpose", "code": "ANON"}]);
    let rule = |kind: &str, to: &[&str]| {
        let actors: Vec<Json> = to.iter().map(|c| actor("IRCP", c)).collect();
        let got = read(&json!({"type": kind, "purpose": anon, "actor": actors}));
        let claims = got.drafts.first().map(|d| d.claims.write());
        claims.unwrap_or_default()
    };
    let both = [AUD[0], "?"];
    assert!(rule("deny", &both).contains("\"to\":[\"*\"]"));
    assert!(rule("permit", &both).contains(&format!("\"to\":[\"{}\"]", AUD[0])));
    assert!(rule("deny", &["?"]).contains("\"state\":\"on\""));
    assert_eq!(rule("permit", &["?"]), "");
}
