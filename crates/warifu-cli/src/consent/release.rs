//! Decisions and the Bundle filter.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use warifu_consent::json::{self, Value, object};
use warifu_consent::{
    Bits, Date, Disclosure, Facts, FilterError, Item, Ledger as _, Mode, Opened, Origin, Request,
    Signer as _, Told, Typ, Who, break_glass, bundle_hash, disaster, emergency_bundle, explain,
    filter as cut, hash, mark, wire,
};
use warifu_log::{Entry, Kind};

use super::desk::Desk;
use super::{Cx, wrong};
use crate::End;
use crate::whole::{Readers, Whole};

/// The request of the command line.
fn request(cx: &Cx<'_>, desk: &Desk) -> anyhow::Result<Request> {
    let sub = wrong::subject(cx, "sub")?;
    let who = match cx.text("as").unwrap_or_default() {
        "subject" => match desk.viewer(sub, None) {
            Some(who) => who,
            None => bail!(cx.say(
                "この仮名で登録された鍵がありません。先に: warifu consent enrol",
                "no key is enrolled for this pseudonym. First: warifu consent enrol"
            )),
        },
        "proxy" => match desk.viewer(sub, Some(cx.text("proxy").unwrap_or_default())) {
            Some(Who::Proxy { scope, sixteen }) => Who::Proxy {
                scope,
                sixteen: sixteen || cx.m.get_flag("sixteen"),
            },
            _ => bail!(cx.say(
                "この方の代理として登録された鍵がありません。--proxy に warifu consent enrol --role … --for SUB が示した jti を指定してください",
                "no key is bound as this person's proxy. Give --proxy the jti that warifu consent enrol --role … --for SUB shows"
            )),
        },
        code => {
            wrong::recipient(cx, &desk.policy, code)?;
            Who::Recipient(code.to_owned())
        }
    };
    Ok(Request {
        mode: mode(cx, desk, &who)?,
        who,
        purpose: Some(wrong::purpose(cx, &desk.policy)?),
        at: cx.now,
    })
}

/// A token that an emergency rests on: one that was accepted, hence logged. `None` where its key did not
/// count any more by then.
fn logged<'d>(
    cx: &Cx<'_>,
    desk: &'d Desk,
    path: &Path,
    typ: Typ,
) -> anyhow::Result<Option<&'d Opened>> {
    let token = cx.read_token(path)?;
    let hash = warifu_consent::token_hash(&token).unwrap_or_default();
    let kept = desk.find(&hash).filter(|t| t.typ == typ);
    let kept = kept.with_context(|| {
        let shown = path.display();
        cx.say(
            &format!("{shown} は {} として受け付けられていません。先に: warifu consent verify {shown} --accept", typ.wire()),
            &format!("{shown} was not accepted as {}. First: warifu consent verify {shown} --accept", typ.wire()),
        )
    })?;
    Ok(Some(kept).filter(|t| desk.key_counts(t)))
}

/// 救急: by an assertion that verifies, was accepted, and is of the facility that asks. 災害: by a
/// declaration for the area where the register has the facility that asks.
fn mode(cx: &Cx<'_>, desk: &Desk, who: &Who) -> anyhow::Result<Mode> {
    if let Some(path) = cx.path("disaster") {
        let declared = logged(cx, desk, path, Typ::Disaster)?;
        let area = match who {
            Who::Recipient(code) => desk.area(code),
            _ => None,
        };
        return Ok(disaster(declared, area.unwrap_or_default(), cx.now));
    }
    let Some(path) = cx.path("break-glass") else {
        return Ok(Mode::Normal);
    };
    let assertion = logged(cx, desk, path, Typ::BreakGlass)?;
    let signer = assertion.and_then(|t| desk.institution(&t.kid));
    Ok(break_glass(
        assertion.zip(signer.as_deref()),
        who,
        cx.text("sub").unwrap_or_default(),
        assertion.is_some_and(|t| desk.is_emergency(&t.kid)),
        cx.now,
    ))
}

/// The item of the command line: a JSON form, or one made of flags.
fn item(cx: &Cx<'_>, desk: &Desk) -> anyhow::Result<Item> {
    if let Some(path) = cx.path("item") {
        let bytes = cx.read(path)?;
        let value = json::read(bytes.trim_ascii(), 4).unwrap_or(Value::Null);
        return Ok(wire::read_item(&desk.policy, &value)?);
    }
    let codes = wrong::cats(cx, &desk.policy)?;
    let cats = desk.policy.category_set(codes.iter().map(String::as_str));
    let clinical = match cx.text("date") {
        None => None,
        Some(text) => match Date::interval(text) {
            Some(days) => Some(days),
            None => bail!(cx.say(
                "--date は 2026-04-01 の形で指定してください",
                "--date looks like 2026-04-01"
            )),
        },
    };
    Ok(Item {
        key: String::new(),
        unknown: cats.is_none(),
        cats: cats.unwrap_or_default(),
        inside: Bits::NONE,
        src: cx.text("src").unwrap_or_default().to_owned(),
        encounter: None,
        clinical,
        // What the command line does not say is not known, and what is not known withholds.
        recorded: None,
        labels: match cx.codes("label").as_slice() {
            [] => None,
            codes if codes.iter().all(|c| c == "none") => Some(Bits::NONE),
            codes => Some(labels(cx, desk, codes)?),
        },
        origin: Origin::Ehr,
        told: Told::Unknown,
        uninformed: false,
        undelivered: false,
        before: Vec::new(),
    })
}

/// Labels by their codes.
fn labels(cx: &Cx<'_>, desk: &Desk, codes: &[String]) -> anyhow::Result<Bits> {
    let mut all = Bits::NONE;
    for code in codes {
        let Some(label) = desk.policy.label(code) else {
            bail!(cx.say(
                &format!("--label {code} という印はありません。policy.json の labels にあるもの、または none を指定してください"),
                &format!("no label is called {code}. Give --label one of policy.json's labels, or none")
            ));
        };
        all = all.with(Bits::one(label));
    }
    Ok(all)
}

/// Decides one item; `tell` the rules as well.
pub(super) fn decide(cx: &Cx<'_>, tell: bool) -> anyhow::Result<End> {
    let desk = Desk::in_force(cx)?;
    let sub = cx.text("sub").unwrap_or_default();
    let request = request(cx, &desk)?;
    let item = item(cx, &desk)?;
    let state = desk.state(cx, sub)?;
    let master = Some(&desk.master);
    let told = explain(&state, &request, &item, master, cx.patient_lang());
    let d = &told.decision;
    let mut value = wire::decision_value(d);
    let verdict = match &d.basis {
        Some(basis) => format!("permit {}", basis.wire()),
        None => format!("deny {}", d.why.wire()),
    };
    let mut text = verdict;
    if tell {
        if let Value::Object(members) = &mut value {
            members.insert("chain".to_owned(), told.chain.clone().into());
            let sentence = told.sentence.clone().map_or(Value::Null, Value::from);
            members.insert("sentence".to_owned(), sentence);
        }
        let mut all = told.chain.clone();
        all.extend(told.sentence.clone());
        text = all.join("\n");
    }
    cx.print(&value, &text)?;
    Ok(if d.permits() {
        End::Clean
    } else {
        End::Findings
    })
}

/// What the holder says of every resource of the Bundle, and which of its Patients the person is: one
/// of whose numbers makes the person's pseudonym.
struct Holder {
    facts: Facts,
    person: BTreeSet<String>,
}

impl Holder {
    fn person(cx: &Cx<'_>, desk: &Desk, bundle: &[u8]) -> anyhow::Result<BTreeSet<String>> {
        let key = desk.secret(cx, "holder.key")?;
        let sub = cx.text("sub").unwrap_or_default();
        let bundle: serde_json::Value = serde_json::from_slice(bundle).unwrap_or_default();
        let entries = bundle.get("entry").and_then(serde_json::Value::as_array);
        let resources = entries
            .into_iter()
            .flatten()
            .filter_map(|e| e.get("resource"));
        let member = |r: &serde_json::Value, name: &str| {
            r.get(name)
                .and_then(serde_json::Value::as_str)
                .map(str::to_owned)
        };
        let patients = resources
            .filter(|r| member(r, "resourceType").as_deref() == Some("Patient"))
            .filter(|patient| {
                let identifiers = patient
                    .get("identifier")
                    .and_then(serde_json::Value::as_array);
                identifiers.into_iter().flatten().any(|identifier| {
                    let number = member(identifier, "value").unwrap_or_default();
                    let pseudonym = hash::pseudonym(&key, &desk.origin, &number);
                    pseudonym.as_deref() == Some(sub)
                })
            });
        Ok(patients
            .filter_map(|patient| member(patient, "id"))
            .collect())
    }
}

impl warifu_consent::Knowledge for Holder {
    fn facts(&self, _: &str, _: &str) -> Facts {
        self.facts.clone()
    }
    fn is_person(&self, _: &str, id: &str) -> Option<bool> {
        Some(self.person.contains(id))
    }
}

/// Filters a Bundle; what was withheld goes into a file for the person, never to the recipient.
pub(super) fn filter(cx: &Cx<'_>) -> anyhow::Result<End> {
    let desk = Desk::in_force(cx)?;
    let bundle = cx.read(cx.input())?;
    let request = request(cx, &desk)?;
    let state = desk.state(cx, cx.text("sub").unwrap_or_default())?;
    let facts = Facts {
        src: cx.text("src").unwrap_or_default().to_owned(),
        origin: wire::origin(cx.text("origin").unwrap_or("ehr")).unwrap_or(Origin::Ehr),
        recorded: None,
        told: wire::told(cx.text("told").unwrap_or("unknown")).unwrap_or(Told::Unknown),
    };
    let person = Holder::person(cx, &desk, &bundle)?;
    let holder = Holder { facts, person };
    let done = match cut(&bundle, &state, &request, &holder) {
        Ok(done) => done,
        Err(e) => {
            let what = match e {
                FilterError::NotBundle => cx.say(
                    "FHIR R4 の Bundle 一つではありません。warifu convert --to bundle --per patient が作るものを指定してください",
                    "not one FHIR R4 Bundle. Give what warifu convert --to bundle --per patient makes",
                ),
                FilterError::Names => cx.say(
                    "名前のない形にしてから渡す目的です。その加工はここではしないので、何も渡しません",
                    "for this purpose records go out without names only. That is not made here, so nothing goes out",
                ),
                FilterError::TooLarge => cx.say("64 MiB より大きい Bundle です。分けてください", "the Bundle is larger than 64 MiB. Split it"),
                _ => cx.say("出力の検査に失敗したので、何も出しません", "the check of the output failed; nothing goes out"),
            };
            bail!(what);
        }
    };
    // Where it goes has to be a place that can be written, before the log says that it went.
    let place = |name: &str| -> anyhow::Result<Option<(PathBuf, Whole)>> {
        let Some(path) = cx.path(name) else {
            return Ok(None);
        };
        let made = Whole::create(path, Readers::Owner);
        let made = made.with_context(|| path.display().to_string())?;
        Ok(Some((path.to_owned(), made)))
    };
    let (out, withheld, evidence) = (place("out")?, place("withheld")?, place("evidence")?);
    // The line comes first: what is not logged does not go out.
    let purpose = cx.text("pur").unwrap_or_default();
    let rcp = match &request.who {
        Who::Subject => "subject",
        Who::Proxy { .. } => "proxy",
        Who::Recipient(code) => code.as_str(),
    };
    let src = cx.text("src").unwrap_or_default();
    let mut bytes = mark(&done, &desk.policy);
    if request.mode != Mode::Normal {
        let summed = emergency_bundle(&bytes, &desk.policy, src, cx.now);
        bytes = summed.context("the emergency summary")?;
    }
    let sha256 = bundle_hash(&bytes);
    let (kind, basis) = match (&request.who, &request.mode) {
        _ if done.cats.is_empty() => (Kind::Refuse, "NOTHING"),
        (Who::Subject | Who::Proxy { .. }, _) => (Kind::Disclose, "SELF"),
        // What no consent opened is told, whatever else went out beside it.
        _ => {
            let rests = |basis: &str| done.bases.iter().any(|b| b.starts_with(basis));
            let all = ["EMERGENCY", "DISASTER", "STATUTE"];
            let first = all.into_iter().find(|basis| rests(basis));
            (Kind::Disclose, first.unwrap_or("GRANT"))
        }
    };
    let list = |codes: &[String]| {
        let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
        warifu_log::Value::from(codes.as_slice())
    };
    // A line names what went out; of a refusal that is nothing.
    let nothing = ["none".to_owned()];
    let members = [
        ("rcp", rcp.into()),
        ("role", cx.text("role").unwrap_or("-").into()),
        ("pur", warifu_log::Value::from(&[purpose][..])),
        (
            "cats",
            list(if done.cats.is_empty() {
                &nothing
            } else {
                &done.cats
            }),
        ),
        ("basis", basis.into()),
        ("grants", list(&desk.hashes(&done.grants))),
        ("areq", sha256.as_str().into()),
    ];
    let entry = Entry::new(kind, cx.now, cx.text("sub"), members)?;
    let (appended, line) = desk.line(cx, entry)?;
    // Who gets it can hold it against the log.
    if let Who::Recipient(recipient) = &request.who {
        let (grants, log) = (desk.hashes(&done.grants), desk.log_address());
        let leaf = appended.leaf.url();
        let about = Disclosure {
            at: cx.now,
            server: src,
            recipient,
            grants: &grants,
            policy: &desk.policy.hash,
            log: &log,
            leaf: &leaf,
            index: Some(appended.index),
            obligations: &done.obligations,
        };
        let signer = desk.signer(cx, "server.pem")?;
        let draft = about.draft(&bytes, &signer.public());
        let draft = draft.map_err(|r| anyhow::anyhow!("{}", wrong::told(cx, r.reason)))?;
        let signature = signer.sign(draft.signing_input())?;
        let token = draft.finish(&signature);
        let token = token.map_err(|r| anyhow::anyhow!("{}", wrong::told(cx, r.reason)))?;
        let with = about.with_provenance(&bytes, &token);
        bytes = with.context("the Provenance")?;
    }
    let mut summary = object([
        ("categories", done.cats.clone().into()),
        ("grants", desk.hashes(&done.grants).into()),
        ("obligations", done.obligations.clone().into()),
        ("sha256", sha256.into()),
    ]);
    let part = |name: &str| line.as_ref().and_then(|l| l.get(name)).cloned();
    let told = ["line", "salt", "promise"].into_iter();
    let told = told.filter_map(|name| Some((name.to_owned(), part(name)?)));
    let told = Value::from(told.collect::<json::Members>()).write() + "\n";
    if let (Value::Object(members), Some(line)) = (&mut summary, line) {
        members.insert("line".to_owned(), line);
    }
    bytes.push(b'\n');
    // What the person is told and the recipient checks stands there before the Bundle does; what fails
    // leaves nothing behind.
    let mut made = Vec::new();
    let withheld_text = wire::withheld_value(&done.withheld).write() + "\n";
    for (place, content) in [
        (withheld, withheld_text.as_bytes()),
        (evidence, told.as_bytes()),
        (out, bytes.as_slice()),
    ] {
        let Some((path, mut file)) = place else {
            continue;
        };
        let fresh = !path.exists();
        if let Err(e) = file.write_all(content).and_then(|()| file.finish()) {
            for path in &made {
                let _ = std::fs::remove_file(path);
            }
            return Err(e).with_context(|| path.display().to_string());
        }
        if fresh {
            made.push(path);
        }
    }
    if cx.path("out").is_none() && !cx.json {
        cx.give(&bytes)?;
    }
    if cx.path("out").is_some() || cx.json {
        cx.print(&summary, &done.cats.join(" "))?;
    }
    Ok(End::Clean)
}
