//! FHIR R4 Consents: what was signed as one, and one of others as drafts to sign.

use anyhow::bail;
use warifu_consent::json::{Value, object};
use warifu_consent::{
    About, Annex, ConsentDraft, Dialect, ImportDesk, ImportFinding, Ledger as _, Moment, StatusNow,
    Typ, from_consent, open, to_consent,
};

use super::Cx;
use super::desk::Desk;
use crate::End;

/// Writes a grant, prohibition or objection as a FHIR R4 Consent.
pub(super) fn export(cx: &Cx<'_>) -> anyhow::Result<End> {
    let desk = Desk::open(cx)?;
    let token = cx.read_token(cx.input())?;
    let opened = match open(&token, Typ::ALL, &desk, Moment::now(cx.now)) {
        Ok(opened) => opened,
        Err(refusal) => bail!("{}", super::wrong::told(cx, refusal.reason)),
    };
    let annex = match cx.path("annex") {
        None => None,
        Some(path) => match Annex::read(&cx.read(path)?, opened.text("anx")) {
            Ok(annex) => Some(annex),
            Err(reason) => bail!("{}", super::wrong::told(cx, reason)),
        },
    };
    let dialect = match cx.text("dialect") {
        Some("pcf") => Dialect::Pcf,
        _ => Dialect::Core,
    };
    let ended = desk.status(opened.text("jti"), None) != StatusNow::Valid;
    let over = opened.int("exp").is_some_and(|exp| exp <= cx.now);
    let log = desk.log_address();
    let about = About {
        log: &log,
        organization: cx.text("organization").unwrap_or_default(),
        in_force: !ended && !over,
        verified: opened.claims.get("act").is_some().then_some(cx.now),
        annex: annex.as_ref(),
    };
    let consent = to_consent(&token, &opened, dialect, about)?;
    cx.give(format!("{consent}\n").as_bytes())?;
    Ok(End::Clean)
}

fn draft(draft: &ConsentDraft) -> Value {
    let excluded = &draft.excluded;
    object([
        ("typ", draft.typ.wire().into()),
        ("path", draft.path.as_str().into()),
        ("claims", draft.claims.clone()),
        (
            "excluded",
            object([
                ("src", excluded.src.clone().into()),
                ("res", excluded.res.clone().into()),
                ("lbl", excluded.lbl.clone().into()),
                ("wid", excluded.wid.clone().into()),
            ]),
        ),
    ])
}

fn finding(cx: &Cx<'_>, finding: &ImportFinding) -> Value {
    let mut value = object([
        ("code", finding.code.wire().into()),
        ("path", finding.path.as_str().into()),
        ("limits", finding.limits.into()),
        ("text", finding.code.sentence(cx.patient_lang()).into()),
    ]);
    if let (Value::Object(members), Some(reason)) = (&mut value, finding.reason) {
        members.insert("reason".to_owned(), reason.wire().into());
    }
    value
}

/// Reads a FHIR R4 Consent: a signed one with its token, another as drafts that nobody signed.
pub(super) fn import(cx: &Cx<'_>) -> anyhow::Result<End> {
    let desk = Desk::open(cx)?;
    let bytes = cx.read(cx.input())?;
    let with = ImportDesk {
        keys: &desk,
        policy: &desk.policy,
        now: cx.now,
        source: cx.text("src"),
    };
    let done = from_consent(&bytes, &with);
    let signed = done.signed.as_ref().map(|s| {
        object([
            ("typ", s.opened.typ.wire().into()),
            ("hash", s.opened.hash.as_str().into()),
            ("token", s.token.as_str().into()),
            ("claims", s.opened.claims.clone()),
            ("in_force", s.in_force.into()),
        ])
    });
    let found: Vec<Value> = done.findings.iter().map(|f| finding(cx, f)).collect();
    let drafts: Vec<Value> = done.drafts.iter().map(draft).collect();
    let nothing = signed.is_none() && drafts.is_empty();
    let mut text = String::new();
    for f in &done.findings {
        let said = f.code.sentence(cx.patient_lang());
        text.extend([f.code.wire(), " ", &f.path, ": ", said, "\n"]);
    }
    text.push_str(&match &done.signed {
        Some(s) => cx.say(
            &format!("署名の付いた同意です ({} {})。受け付けるには、付いているトークンを: warifu consent verify FILE --accept", s.opened.typ.wire(), s.opened.text("jti")),
            &format!("a signed consent ({} {}). To accept its token: warifu consent verify FILE --accept", s.opened.typ.wire(), s.opened.text("jti")),
        ),
        None => cx.say(
            &format!("署名のない下書きが {} 件です。本人が文を読んで署名するまで、何も決まりません", drafts.len()),
            &format!("{} drafts without signature. They decide nothing until the person has read the text and signed", drafts.len()),
        ),
    });
    let value = object([
        ("ok", (!nothing).into()),
        ("signed", signed.unwrap_or(Value::Null)),
        ("drafts", drafts.into()),
        ("findings", found.into()),
        ("further", u64::try_from(done.further)?.into()),
    ]);
    if cx.path("out").is_some() {
        cx.give((value.write() + "\n").as_bytes())?;
    }
    cx.print(&value, &text)?;
    Ok(if nothing { End::Findings } else { End::Clean })
}
