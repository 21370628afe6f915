//! Decisions and the Bundle filter.

use anyhow::bail;
use warifu_consent::json::{self, Value, object};
use warifu_consent::{
    Bits, Date, Facts, FilterError, Item, Ledger as _, Mode, Origin, Request, Told, Typ, Who,
    break_glass, explain, filter as cut, hash, wire,
};

use super::Cx;
use super::desk::Desk;
use crate::End;

/// The request of the command line.
fn request(cx: &Cx<'_>, desk: &Desk) -> anyhow::Result<Request> {
    let who = match cx.text("as").unwrap_or_default() {
        "subject" => Who::Subject,
        "proxy" => Who::Proxy {
            scope: None,
            sixteen: cx.m.get_flag("sixteen"),
        },
        code => Who::Recipient(code.to_owned()),
    };
    Ok(Request {
        mode: mode(cx, desk, &who)?,
        who,
        purpose: desk.policy.purpose(cx.text("pur").unwrap_or_default()),
        at: cx.now,
    })
}

/// 救急: by an assertion that verifies, was accepted, and is of the facility that asks.
fn mode(cx: &Cx<'_>, desk: &Desk, who: &Who) -> anyhow::Result<Mode> {
    let Some(path) = cx.path("break-glass") else {
        return Ok(Mode::Normal);
    };
    let token = cx.read_token(path)?;
    let hash = warifu_consent::token_hash(&token).unwrap_or_default();
    let kept = desk.find(&hash).filter(|t| t.typ == Typ::BreakGlass);
    let Some(assertion) = kept else {
        bail!(cx.say(
            "救急の表明がまだ記録されていません。先に: warifu consent verify FILE --accept",
            "the assertion is not logged yet. First: warifu consent verify FILE --accept"
        ));
    };
    let signer = desk.institution(&assertion.kid);
    Ok(break_glass(
        signer.as_deref().map(|code| (assertion, code)),
        who,
        cx.text("sub").unwrap_or_default(),
        desk.is_emergency(&assertion.kid),
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
    let codes = cx.codes("cat");
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
        src: cx.text("src").unwrap_or_default().to_owned(),
        encounter: None,
        clinical,
        recorded: Some(cx.now),
        labels: Some(Bits::NONE),
        origin: Origin::Ehr,
        told: Told::Unknown,
        uninformed: false,
        undelivered: false,
    })
}

/// Decides one item; `tell` the rules as well.
pub(super) fn decide(cx: &Cx<'_>, tell: bool) -> anyhow::Result<End> {
    let desk = Desk::open(cx)?;
    let sub = cx.text("sub").unwrap_or_default();
    let state = desk.state(cx, sub)?;
    let request = request(cx, &desk)?;
    let item = item(cx, &desk)?;
    let told = explain(&state, &request, &item, cx.patient_lang());
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

/// What the holder says of every resource of the Bundle.
struct Holder(Facts);

impl warifu_consent::Knowledge for Holder {
    fn facts(&self, _: &str, _: &str) -> Facts {
        self.0.clone()
    }
}

/// Filters a Bundle; what was withheld goes into a file for the person, never to the recipient.
pub(super) fn filter(cx: &Cx<'_>) -> anyhow::Result<End> {
    let desk = Desk::open(cx)?;
    let bundle = cx.read(cx.input())?;
    let state = desk.state(cx, cx.text("sub").unwrap_or_default())?;
    let request = request(cx, &desk)?;
    let holder = Holder(Facts {
        src: cx.text("src").unwrap_or_default().to_owned(),
        origin: wire::origin(cx.text("origin").unwrap_or("ehr")).unwrap_or(Origin::Ehr),
        recorded: None,
        told: wire::told(cx.text("told").unwrap_or("unknown")).unwrap_or(Told::Unknown),
    });
    let done = match cut(&bundle, &state, &request, &holder) {
        Ok(done) => done,
        Err(e) => {
            let what = match e {
                FilterError::NotBundle => cx.say(
                    "FHIR R4 の Bundle 一つではありません。warifu convert --to bundle --per patient が作るものを指定してください",
                    "not one FHIR R4 Bundle. Give what warifu convert --to bundle --per patient makes",
                ),
                FilterError::TooLarge => cx.say("64 MiB より大きい Bundle です。分けてください", "the Bundle is larger than 64 MiB. Split it"),
                _ => cx.say("出力の検査に失敗したので、何も出しません", "the check of the output failed; nothing goes out"),
            };
            bail!(what);
        }
    };
    if let Some(path) = cx.path("withheld") {
        super::replace(
            path,
            (wire::withheld_value(&done.withheld).write() + "\n").as_bytes(),
        )?;
    }
    let summary = object([
        ("categories", done.cats.clone().into()),
        ("grants", desk.hashes(&done.grants).into()),
        ("obligations", done.obligations.clone().into()),
        ("sha256", hash::sha256_text(&[&done.bytes]).into()),
    ]);
    if cx.path("out").is_some() || !cx.json {
        let mut bytes = done.bytes;
        bytes.push(b'\n');
        cx.give(&bytes)?;
    }
    if cx.path("out").is_some() || cx.json {
        cx.print(&summary, &done.cats.join(" "))?;
    }
    Ok(End::Clean)
}
