//! Requests, tokens, what a person has decided, status lists, and the texts it rests on.

use warifu_consent::json::{Value, object};
use warifu_consent::{
    Accepted, DAY, Lang, Ledger as _, Opened, Reason, StatusNow, TEXT_VERSION, Typ, accept, b64,
    make, make_status_list, templates, text_of, wire,
};
use warifu_log::{Appended, Kind};
use warifu_store::Cell;

use crate::App;
use crate::ask;
use crate::erasure;
use crate::http::{Answer, Asked};
use crate::office::{ENTRIES, NONCE, TokenRow, Tx, View, fresh_id, random};
use crate::people;
use crate::problem::{Code, Problem};

/// All systems where nothing opens the records have stopped by then (consent.md §8.2), in seconds.
const STOPS: u64 = 16 * 60;

pub(crate) fn set(claims: &mut Value, name: &str, value: impl Into<Value>) {
    if let Value::Object(members) = claims {
        members.insert(name.to_owned(), value.into());
    }
}

/// `GET /api/requests`
pub(crate) fn waiting(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let session = people::session(office, asked)?;
    let rows = office.read(|view| {
        let person = people::person(view, &session, asked)?;
        let rows = view.db.query(
            "SELECT req, grp, body, at, ends FROM requests
             WHERE sub = ?1 AND state = 'waiting' AND ends > ?2 ORDER BY at, grp, body",
            &[person.sub.as_str().into(), view.now.into()],
        )?;
        let value = |row: &warifu_store::Row| {
            let body = warifu_consent::json::read(row.text(2)?.as_bytes(), 4).ok()?;
            let mut value = body;
            set(&mut value, "req", row.text(0)?);
            set(&mut value, "group", row.text(1)?);
            set(&mut value, "at", row.int(3)?);
            set(&mut value, "exp", row.int(4)?);
            Some(value)
        };
        let all: Option<Vec<Value>> = rows.iter().map(value).collect();
        Ok(all.ok_or(warifu_store::StoreError::Form("requests"))?)
    })?;
    Ok(Answer::json(&object([("requests", Value::Array(rows))])))
}

/// A request that waits for this person.
fn waits(tx: &Tx<'_>, sub: &str, req: &str) -> Result<Value, Problem> {
    let rows = tx.view.db.query(
        "SELECT body, state, ends FROM requests WHERE req = ?1 AND sub = ?2",
        &[req.into(), sub.into()],
    )?;
    let row = rows.first().ok_or(Code::NotFound)?;
    if row.text(1) != Some("waiting") || row.int(2).is_none_or(|ends| ends <= tx.view.now) {
        return Err(Code::Answered.into());
    }
    let body = warifu_consent::json::read(row.text(0).unwrap_or_default().as_bytes(), 4);
    Ok(body.map_err(|_| warifu_store::StoreError::Form("requests"))?)
}

/// Gives out a nonce, to a session by its id, with a place in a status list that no other token has.
pub(crate) fn issue(tx: &Tx<'_>, session: &str, req: &str) -> Result<(String, Value), Problem> {
    let rows = tx.view.db.query(
        "SELECT list, COUNT(*) FROM issued GROUP BY list ORDER BY list DESC LIMIT 1",
        &[],
    )?;
    let (mut list, count) = rows
        .first()
        .map_or((1, 0), |r| (r.int(0).unwrap_or(1), r.int(1).unwrap_or(0)));
    // A half-full list: a free place is found soon, and the next list begins as large.
    if count >= ENTRIES / 2 {
        list += 1;
    }
    let idx = loop {
        // A power of two: every index is as likely.
        let idx = u64::from_le_bytes(random()?) % ENTRIES;
        let taken = tx.view.db.query(
            "SELECT idx FROM issued WHERE list = ?1 AND idx = ?2",
            &[list.into(), idx.into()],
        )?;
        if taken.is_empty() {
            break idx;
        }
    };
    let nonce = fresh_id()?;
    tx.view.db.run(
        "INSERT INTO issued (nonce, list, idx, session, req, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            nonce.as_str().into(),
            list.into(),
            idx.into(),
            session.into(),
            req.into(),
            tx.view.now.into(),
        ],
    )?;
    let uri = format!("{}/{list}", tx.view.office.lists);
    let status = object([(
        "status_list",
        object([("idx", idx.into()), ("uri", uri.into())]),
    )]);
    Ok((nonce, status))
}

/// `POST /api/requests/{req}/open`
pub(crate) fn open(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    asked.body(&[])?;
    let office = app.office()?;
    let session = people::session(office, asked)?;
    let req = asked.param(0);
    let token = office.write(|tx| {
        let person = people::person(&tx.view, &session, asked)?;
        let body = waits(tx, &person.sub, req)?;
        let of = |name: &str| body.get(name).cloned().unwrap_or(Value::Null);
        let now = tx.view.now;
        let (nonce, status) = issue(tx, &session.id, req)?;
        let mut claims = object([
            ("sub", person.sub.as_str().into()),
            ("iat", now.into()),
            ("exp", (now + NONCE).into()),
            ("jti", fresh_id()?.into()),
            ("req", req.into()),
            ("aud", of("aud")),
            ("pur", of("pur")),
            ("cat", of("cat")),
            ("dat", of("dat")),
            ("min", of("min")),
            ("terms", of("terms")),
            ("nonce", nonce.into()),
            ("status", status),
        ]);
        let (id, version) = text_of(&office.policy, Typ::Grant, &claims)?;
        let mut langs: Vec<&str> = Lang::ALL.iter().map(|l| l.name()).collect();
        langs.sort_unstable();
        let text = object([
            ("id", id.into()),
            ("ver", version.into()),
            ("m", office.master.version.into()),
            ("langs", langs.into()),
        ]);
        set(&mut claims, "txt", text);
        Ok(make(Typ::Request, claims, office.signer("server")?)?)
    })?;
    Ok(Answer::json(&object([("token", token.into())])))
}

/// `POST /api/requests/{req}/decline`
pub(crate) fn decline(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    asked.body(&[])?;
    let office = app.office()?;
    let session = people::session(office, asked)?;
    let req = asked.param(0);
    let line = office.write(|tx| {
        let person = people::person(&tx.view, &session, asked)?;
        waits(tx, &person.sub, req)?;
        ask::declined(tx, req)?;
        let members = [("req", req.into())];
        Ok(tx.line(Kind::Decline, Some(&person.sub), &members)?.0)
    })?;
    Ok(Answer::json(&object([
        ("req", req.into()),
        ("line", line.leaf.url().into()),
    ])))
}

/// `POST /api/consent/nonce`
pub(crate) fn nonce(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    asked.body(&[])?;
    let office = app.office()?;
    let session = people::session(office, asked)?;
    let value = office.write(|tx| {
        let (nonce, status) = issue(tx, &session.id, "")?;
        Ok(object([
            ("nonce", nonce.into()),
            ("status", status),
            ("exp", (tx.view.now + NONCE).into()),
        ]))
    })?;
    Ok(Answer::json(&value))
}

/// `POST /api/consent/tokens`
pub(crate) fn take(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let body = asked.body(&["token", "annex?"])?;
    let token = body.text("token")?;
    let annex = match body.maybe("annex")? {
        None => None,
        Some(text) => Some(b64::decode(text).ok_or(Code::Body)?),
    };
    // A revoke stands for itself: ending something is never harder than beginning it (§1.6).
    let session = match people::session(office, asked) {
        Ok(session) => Some(session),
        Err(problem) => match warifu_consent::peek(token) {
            Ok((Typ::Revoke, claims)) if claims.get("nonce").is_none() => None,
            _ => return Err(problem),
        },
    };
    let (value, again) = office.write(|tx| {
        let id = session.as_ref().map(|s| s.id.as_str()).unwrap_or_default();
        accepted(tx, id, token, annex.as_deref(), None)
    })?;
    Ok(Answer::json(&value).status(if again { 200 } else { 201 }))
}

/// Judges what somebody decided, and keeps it with its line; gives the answer, and whether it was there before.
/// `idp` is how the person was identified for whom the registry signed.
pub(crate) fn accepted(
    tx: &mut Tx<'_>,
    session: &str,
    token: &str,
    annex: Option<&[u8]>,
    idp: Option<&str>,
) -> Result<(Value, bool), Problem> {
    let types = [Typ::Grant, Typ::Deny, Typ::Revoke, Typ::Objection];
    let view = tx.view.of_session(session);
    let court = view.court(None);
    match accept(&court, token, &types, annex)? {
        Accepted::Again(opened, status) => {
            let row = view.tokens("tok = ?1", &[opened.hash.as_str().into()])?;
            let row = row.into_iter().next().ok_or(Reason::TargetUnknown)?;
            let ended = status == StatusNow::Revoked || row.opened.typ == Typ::Revoke;
            Ok((
                taken(&view, &row.opened, row.receipt, row.at, true, ended)?,
                true,
            ))
        }
        Accepted::New(opened) => {
            // The registry signs at the desk alone, where somebody was identified (§3.0).
            if opened.claims.get("by").is_some() != idp.is_some() {
                return Err(Reason::Sub.of("by").into());
            }
            let target = view.tokens("jti = ?1", &[opened.text("rev").into()])?;
            let target = target.into_iter().next();
            let before = view.tokens(
                "rev = ?1 AND sub = ?2",
                &[opened.text("rev").into(), opened.text("sub").into()],
            )?;
            let before = before.into_iter().next();
            if let Some(first) = before.filter(|_| opened.typ == Typ::Revoke) {
                // Ended before, by another revoke: a success that changes nothing, with its receipt.
                return Ok((
                    taken(&view, &first.opened, first.receipt, first.at, true, true)?,
                    true,
                ));
            }
            let kind = match opened.typ {
                Typ::Grant => Kind::Grant,
                Typ::Deny => Kind::Deny,
                Typ::Revoke => Kind::Revoke,
                _ => Kind::Objection,
            };
            let mut members = vec![("tok", opened.hash.as_str().into())];
            members.extend(idp.map(|how| ("idp", how.into())));
            let (line, _) = tx.line(kind, Some(opened.text("sub")), &members)?;
            let receipt = receipt(tx, &opened, target.as_ref(), &line)?;
            tx.keep(token, &opened, line.index, receipt.as_deref(), annex)?;
            let nonce = opened.text("nonce");
            if opened.typ == Typ::Grant && !nonce.is_empty() {
                ask::granted(tx, nonce)?;
            }
            let ended = opened.typ == Typ::Revoke;
            if let Some(target) = target.as_ref().filter(|_| ended) {
                erasure::ask(tx, target)?;
            }
            let at = tx.view.now;
            Ok((taken(&tx.view, &opened, receipt, at, false, ended)?, false))
        }
    }
}

fn taken(
    view: &View<'_>,
    opened: &Opened,
    receipt: Option<String>,
    at: u64,
    again: bool,
    ended: bool,
) -> Result<Value, Problem> {
    let mut value = object([
        ("typ", opened.typ.wire().into()),
        ("jti", opened.text("jti").into()),
        ("tok", opened.hash.as_str().into()),
        ("again", again.into()),
        ("state", if ended { "ended" } else { "accepted" }.into()),
        ("at", at.into()),
    ]);
    if let Some(receipt) = receipt {
        set(&mut value, "receipt", receipt);
    }
    if opened.typ == Typ::Revoke {
        let target = view.tokens("jti = ?1", &[opened.text("rev").into()])?;
        let offline = target.iter().any(|t| {
            let purposes = t.opened.claims.get("pur");
            purposes.is_some_and(|p| p.texts().any(|c| matches!(c, "ETREAT" | "DISASTER")))
        });
        let mut stops = object([("online", (at + STOPS).into())]);
        if offline {
            set(&mut stops, "offline", at + DAY);
        }
        set(&mut value, "stops", stops);
    }
    Ok(value)
}

/// The receipt, where a text was shown; that of a revoke names the text of what it ended.
fn receipt(
    tx: &Tx<'_>,
    opened: &Opened,
    target: Option<&TokenRow>,
    line: &Appended,
) -> Result<Option<String>, Problem> {
    let office = tx.view.office;
    let of = |name: &str| {
        let own = opened.claims.get(name).cloned();
        own.or_else(|| target?.opened.claims.get(name).cloned())
    };
    let (Some(notice), Some(place)) = (of("txt"), line.place) else {
        return Ok(None);
    };
    let ended = opened.typ == Typ::Revoke;
    let mut record = object([
        ("schema", "ISO/IEC TS 27560:2023".into()),
        ("controller", office.institution.as_str().into()),
        ("contact", office.master.contact.as_str().into()),
        ("notice", notice),
        ("withdrawal", "POST /api/consent/tokens".into()),
        ("state", if ended { "ended" } else { "accepted" }.into()),
    ]);
    for (from, to) in [
        ("pur", "purposes"),
        ("cat", "categories"),
        ("aud", "recipients"),
        ("del", "storage"),
    ] {
        if let Some(codes) = of(from) {
            set(&mut record, to, codes);
        }
    }
    let claims = object([
        ("sub", opened.text("sub").into()),
        ("iat", tx.view.now.into()),
        ("jti", fresh_id()?.into()),
        ("tok", opened.hash.as_str().into()),
        ("of", opened.typ.wire().into()),
        ("at", tx.view.now.into()),
        ("n", place.n.into()),
        ("head", line.leaf.url().into()),
        ("leaf", line.leaf.url().into()),
        ("rec", record),
    ]);
    Ok(Some(make(Typ::Receipt, claims, office.signer("server")?)?))
}

/// `GET /api/consent/mine`
pub(crate) fn mine(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let session = people::session(office, asked)?;
    // As a transaction: log and tokens are of one instant.
    let value = office.write(|tx| {
        let view = &tx.view;
        let sub = people::person(view, &session, asked)?.sub;
        let mut tokens = Vec::new();
        for row in view.tokens(
            "sub = ?1 AND typ <> ?2",
            &[sub.as_str().into(), Typ::Key.wire().into()],
        )? {
            let jti = row.opened.text("jti").to_owned();
            let ended = view.closed(&row)?;
            let mut value = object([
                ("typ", row.opened.typ.wire().into()),
                ("jti", jti.into()),
                ("tok", row.opened.hash.as_str().into()),
                ("token", row.token.as_str().into()),
                ("at", row.at.into()),
                ("ended", ended.is_some().into()),
            ]);
            if let Some(at) = ended {
                set(&mut value, "endedAt", at);
            }
            if let Some(bytes) = view.annex(&row)? {
                set(&mut value, "annex", b64::encode(&bytes));
            }
            if let Some(receipt) = row.receipt {
                set(&mut value, "receipt", receipt);
            }
            tokens.push(value);
        }
        let state = view.state(tx.book, &sub)?;
        Ok(object([
            ("now", view.now.into()),
            ("sub", sub.as_str().into()),
            ("tokens", Value::Array(tokens)),
            ("state", wire::state_value(&state)),
            ("seq", view.last_seq(&sub).map_or(0, |n| n + 1).into()),
        ]))
    })?;
    Ok(Answer::json(&value))
}

/// `GET /api/status/{n}`: signed anew when it is older than a minute, or changed.
pub(crate) fn status(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let list: u64 = asked.param(0).parse().map_err(|_| Code::NotFound)?;
    let token = office.read(|view| {
        let known = view.db.query(
            "SELECT list FROM issued WHERE list = ?1 LIMIT 1",
            &[list.into()],
        )?;
        if known.is_empty() && list != 1 {
            return Err(Code::NotFound.into());
        }
        let rows = view.db.query(
            "SELECT i.idx FROM issued i JOIN tokens t ON t.nonce = i.nonce
             WHERE i.list = ?1 AND t.jti <> '' AND (
                EXISTS (SELECT 1 FROM tokens r WHERE r.rev = t.jti AND r.sub = t.sub)
                OR (t.typ = ?2 AND EXISTS (SELECT 1 FROM keys k WHERE k.kid = t.kid AND (
                    (k.state = 'compromised' AND k.at <= t.at) OR (k.state = 'retired' AND k.at < t.at)))))
             ORDER BY i.idx",
            &[Cell::from(list), Typ::Grant.wire().into()],
        )?;
        let mut ended: Vec<u64> = rows.iter().filter_map(|r| r.int(0)).collect();
        ended.dedup();
        let entries = usize::try_from(ENTRIES).unwrap_or(usize::MAX);
        let uri = format!("{}/{list}", office.lists);
        // The same minute gives the same bytes, so that a tag holds until something changes.
        let iat = view.now - view.now % 60;
        let signer = office.signer("status")?;
        Ok(make_status_list(&uri, entries, &ended, iat, signer)?)
    })?;
    Ok(Answer::new("application/statuslist+jwt", token).tagged(asked))
}

/// `GET /api/policy`
pub(crate) fn policy(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    Ok(Answer::new("application/json", office.policy_bytes.clone()).tagged(asked))
}

/// `GET /api/master`
pub(crate) fn master(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    Ok(Answer::new("application/json", office.master_bytes.clone()).tagged(asked))
}

/// `GET /api/texts`
pub(crate) fn texts(_: &App, asked: &Asked) -> Result<Answer, Problem> {
    let mut texts = object([]);
    for lang in Lang::ALL {
        if let Some(text) = templates(lang, TEXT_VERSION) {
            set(&mut texts, lang.name(), text);
        }
    }
    let value = object([("version", TEXT_VERSION.into()), ("texts", texts)]);
    Ok(Answer::json(&value).tagged(asked))
}
