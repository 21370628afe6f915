//! What an institution asks a person for: the same wish once, few at a time, and not again soon after a
//! refusal.
//!
//! The institution must not learn whether somebody of that number is here, nor what became of its wish.
//! So its answer comes of `asks` alone, where every wish stands as it was uttered, whomever it is about;
//! what the person sees comes of `requests`.

use warifu_consent::json::{self, Value, object};
use warifu_consent::{DAY, Date, Reason, Typ, hash, text_of};
use warifu_store::StoreError;

use crate::App;
use crate::consent::set;
use crate::http::{Answer, Asked, Body};
use crate::office::{Tx, View, fresh_id};
use crate::people;
use crate::problem::{Code, Problem};

/// How long a request waits for an answer.
const WAITING: u64 = 30 * DAY;
/// How long the person does not see a wish again that the person refused.
const HELD_BACK: u64 = 180 * DAY;
/// Requests that may wait for one person.
const MOST_WAITING: usize = 200;
/// Wishes of one institution to one person within [`WAITING`]; those that were granted do not count.
const MOST_ASKED: u64 = 10;
/// `sub` of an access request for somebody of whom the institution knows no pseudonym.
pub(crate) const NOBODY: &str = "s1.AAAAAAAAAAAAAAAAAAAAAA";

/// What an institution asks for, as it is kept.
fn wanted(view: &View<'_>, asker: &str, body: &Body) -> Result<Value, Problem> {
    let policy = &view.office.policy;
    let aud = body.codes("aud")?;
    let pur = body.codes("pur")?;
    let cat = body.codes("cat")?;
    let mut min = body.codes("min")?;
    if min.is_empty() {
        min.clone_from(&cat);
    }
    // An institution asks for itself alone.
    if aud.len() != 1 || aud.first().is_none_or(|a| a != asker) {
        return Err(Reason::Aud.of("aud").into());
    }
    if !view.office.master.has(asker) {
        return Err(Reason::AudUnknown.of("aud").into());
    }
    let known = pur.iter().all(|p| policy.purpose(p).is_some());
    if pur.is_empty() || !known {
        return Err(Reason::PurposeUnknown.of("pur").into());
    }
    let all = policy.category_set(cat.iter().map(String::as_str));
    if cat.is_empty() || all.is_none() || !min.iter().all(|c| cat.contains(c)) {
        return Err(Reason::CategoryUnknown.of("cat").into());
    }
    // Only what a grant can take and a text can say: a request that nobody could sign reaches nobody.
    let opt_in = |p: &String| {
        let purpose = policy.purpose(p);
        purpose.and_then(|p| policy.consent(p)) == Some(warifu_consent::Consent::OptIn)
    };
    if !pur.iter().all(opt_in) {
        return Err(Reason::PurposeUnknown.of("pur").into());
    }
    let mut dat = object([]);
    if let Some(window) = body.get("dat") {
        let members = window.members().ok_or(Code::Body)?;
        for (end, day) in members {
            let day = day.text().filter(|d| Date::parse(d).is_some());
            if !matches!(end.as_str(), "from" | "to") {
                return Err(Code::Body.into());
            }
            set(&mut dat, end, day.ok_or(Code::Body)?);
        }
    }
    let day = |end: &str| dat.get(end).and_then(|d| d.text().and_then(Date::parse));
    if let (Some(from), Some(to)) = (day("from"), day("to"))
        && from > to
    {
        return Err(Code::Body.into());
    }
    let days = match body.get("days") {
        None => 90,
        Some(n) => n
            .int()
            .filter(|n| (1..=policy.longest_days).contains(n))
            .ok_or(Code::Body)?,
    };
    Ok(object([
        ("aud", aud.into()),
        ("pur", pur.into()),
        ("cat", cat.into()),
        ("min", min.into()),
        ("dat", dat),
        ("terms", (days * DAY).into()),
    ]))
}

/// `POST /api/consent/requests`. The answer is the same for persons who are not known.
pub(crate) fn ask(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let (req, again) = office.write(|tx| {
        let from = people::institution(app, tx, asked, "/api/consent/requests")?;
        let body = asked.body(&[
            "patient?", "src?", "code?", "aud", "pur", "cat", "min?", "dat?", "days?",
        ])?;
        let want = wanted(&tx.view, &from.code, &body)?;
        let parts = apart(&tx.view, &want);
        for part in &parts {
            text_of(&office.policy, Typ::Grant, part).map_err(|r| r.of("pur"))?;
        }
        if body.get("src").is_some() && body.get("patient").is_none() {
            return Err(Code::Body.into());
        }
        let sub = match (body.maybe("patient")?, body.maybe("code")?) {
            (Some(patient), None) => {
                let at = body.maybe("src")?.unwrap_or(&office.institution);
                office.pseudonym_at(at, patient)?
            }
            (None, Some(code)) => {
                // Whoever shows a code wants to be asked, also after a refusal; and the answer tells nothing
                // of codes that are none.
                let group = fresh_id()?;
                if let Some(sub) = people::take_desk_code(tx, code)? {
                    tell(tx, &sub, &from.kid, &group, &parts, true)?;
                }
                return Ok((group, false));
            }
            (None, None) if from.access.text("sub") != NOBODY => from.access.text("sub").to_owned(),
            _ => return Err(Code::Body.into()),
        };
        let (group, again) = uttered(tx, &from.code, &sub, &parts)?;
        tell(tx, &sub, &from.kid, &group, &parts, false)?;
        Ok((group, again))
    })?;
    let answer = Answer::json(&object([("req", req.into())]));
    Ok(answer.status(if again { 200 } else { 201 }))
}

/// By what a wish is known: for whom, for what, of what, of when and for how long.
fn wish(part: &str) -> String {
    hash::sha256_text(&[part.as_bytes()])
}

/// Notes the wishes of an institution; gives the name of what it asked for, and whether it had asked for all
/// of it before. Nothing in here depends on the person.
fn uttered(tx: &Tx<'_>, code: &str, sub: &str, parts: &[Value]) -> Result<(String, bool), Problem> {
    let (db, now) = (tx.view.db, tx.view.now);
    db.run("DELETE FROM asks WHERE ends <= ?1", &[now.into()])?;
    let rows = db.query(
        "SELECT wish, req FROM asks WHERE code = ?1 AND sub = ?2",
        &[code.into(), sub.into()],
    )?;
    let known = |wish: &str| rows.iter().find(|r| r.text(0) == Some(wish));
    let wishes: Vec<String> = parts.iter().map(|p| wish(&p.write())).collect();
    let fresh: Vec<&String> = wishes.iter().filter(|w| known(w).is_none()).collect();
    if fresh.is_empty() {
        let first = wishes.first().and_then(|w| known(w)?.text(1));
        let first = first.ok_or(StoreError::Form("asks"))?;
        return Ok((first.to_owned(), true));
    }
    let mut groups: Vec<&str> = rows.iter().filter_map(|r| r.text(1)).collect();
    groups.sort_unstable();
    groups.dedup();
    if u64::try_from(groups.len()).unwrap_or(u64::MAX) >= MOST_ASKED {
        return Err(Code::Asked.into());
    }
    let group = fresh_id()?;
    for wish in fresh {
        db.run(
            "INSERT INTO asks (code, sub, wish, req, ends) VALUES (?1, ?2, ?3, ?4, ?5)",
            &[
                code.into(),
                sub.into(),
                wish.as_str().into(),
                group.as_str().into(),
                (now + WAITING).into(),
            ],
        )?;
    }
    Ok((group, false))
}

/// What the person sees of it: what does not wait already, and was not refused of late, unless the person
/// `wants` to be asked.
fn tell(
    tx: &Tx<'_>,
    sub: &str,
    kid: &str,
    group: &str,
    parts: &[Value],
    wants: bool,
) -> Result<(), Problem> {
    let (db, now) = (tx.view.db, tx.view.now);
    if tx.view.sealer(sub)?.is_none() {
        return Ok(());
    }
    let rows = db.query(
        "SELECT req, body, state FROM requests
         WHERE sub = ?1 AND ends > ?2 AND state IN ('waiting', 'declined')",
        &[sub.into(), now.into()],
    )?;
    let mut before = Vec::with_capacity(rows.len());
    for row in &rows {
        let read = || Some((row.text(0)?, row.text(1)?, row.text(2)? == "waiting"));
        let (req, body, waits) = read().ok_or(StoreError::Form("requests"))?;
        let value = json::read(body.as_bytes(), 4).map_err(|_| StoreError::Form("requests"))?;
        before.push((req, body, waits, value));
    }
    let mut waiting = before.iter().filter(|b| b.2).count();
    let mut name = (!before.iter().any(|b| b.0 == group)).then(|| group.to_owned());
    for part in parts {
        let text = part.write();
        // What was refused was refused for whatever time and window.
        let refused = |of: &Value| {
            let same = |name| of.get(name) == part.get(name);
            same("aud") && same("pur") && same("cat")
        };
        let is_there = before.iter().any(|(_, body, waits, value)| {
            if *waits {
                *body == text
            } else {
                !wants && refused(value)
            }
        });
        // Nor does it tell that somebody has many.
        if is_there || waiting >= MOST_WAITING {
            continue;
        }
        let req = name.take().map_or_else(fresh_id, Ok)?;
        db.run(
            "INSERT INTO requests (req, grp, sub, asker, body, at, ends, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'waiting')",
            &[
                req.into(),
                group.into(),
                sub.into(),
                kid.into(),
                text.into(),
                now.into(),
                (now + WAITING).into(),
            ],
        )?;
        waiting += 1;
    }
    Ok(())
}

/// A request was refused: the same wish is held back from now on.
pub(crate) fn declined(tx: &Tx<'_>, req: &str) -> Result<(), StoreError> {
    tx.view.db.run(
        "UPDATE requests SET state = 'declined', ends = ?2 WHERE req = ?1",
        &[req.into(), (tx.view.now + HELD_BACK).into()],
    )?;
    Ok(())
}

/// A request was granted, by the nonce that it was opened with: whoever got that may ask for it again.
pub(crate) fn granted(tx: &Tx<'_>, nonce: &str) -> Result<(), Problem> {
    let db = tx.view.db;
    let rows = db.query(
        "SELECT req, sub, body FROM requests WHERE state = 'waiting' AND req =
         (SELECT req FROM issued WHERE nonce = ?1)",
        &[nonce.into()],
    )?;
    let Some(row) = rows.first() else {
        return Ok(());
    };
    let read = || Some((row.text(0)?, row.text(1)?, row.text(2)?));
    let (req, sub, body) = read().ok_or(StoreError::Form("requests"))?;
    let sql = "UPDATE requests SET state = 'granted' WHERE req = ?1";
    db.run(sql, &[req.into()])?;
    let sql = "DELETE FROM asks WHERE sub = ?1 AND wish = ?2";
    db.run(sql, &[sub.into(), wish(body).into()])?;
    Ok(())
}

/// One request for what may be signed together, and one for each individual category (§4.3).
fn apart(view: &View<'_>, want: &Value) -> Vec<Value> {
    let policy = &view.office.policy;
    let texts = |name: &str| -> Vec<String> {
        let found = want
            .get(name)
            .map(|c| c.texts().map(str::to_owned).collect());
        found.unwrap_or_default()
    };
    let single = |c: &String| {
        let set = policy.category_set([c.as_str()].into_iter());
        set.is_some_and(|s| s.meets(policy.individual()))
    };
    let (single_cats, cats): (Vec<String>, Vec<String>) =
        texts("cat").into_iter().partition(single);
    let min = texts("min");
    let part = |cats: Vec<String>, individual: bool| {
        let mut part = want.clone();
        let least: Vec<String> = min.iter().filter(|m| cats.contains(m)).cloned().collect();
        set(
            &mut part,
            "min",
            if least.is_empty() {
                cats.clone()
            } else {
                least
            },
        );
        set(&mut part, "cat", cats);
        set(&mut part, "individual", individual);
        part
    };
    let mut parts = Vec::new();
    if !cats.is_empty() {
        parts.push(part(cats, false));
    }
    parts.extend(single_cats.into_iter().map(|c| part(vec![c], true)));
    parts
}
