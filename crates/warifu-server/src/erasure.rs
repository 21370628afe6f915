//! Copies that were handed out before a withdrawal (consent.md §8.4): each recipient is asked to erase them, and
//! the person sees what it answered.
//!
//! A recipient fetches what it is asked for and answers by a request that it signs; the signed answer is kept as
//! it came, and is a line of the person's history. Nobody is promised that a copy can be recalled: what a law
//! has a recipient keep stays there, and the person sees by which reason.

use std::collections::BTreeMap;

use warifu_consent::Typ;
use warifu_consent::json::{Value, object};
use warifu_log::{Kind, Line};
use warifu_store::{Row, StoreError};

use crate::App;
use crate::consent::set;
use crate::http::{Answer, Asked};
use crate::office::{Office, TokenRow, Tx, fresh_id};
use crate::people;
use crate::problem::{Code, Problem};

/// Requests that a recipient gets at once, the oldest.
const MOST: u64 = 1_000;
/// Seconds by which clocks may differ.
const TOLERANCE: u64 = 60;
/// Reasons for which a recipient keeps a copy: the chart, the record of dispensing, another law.
const REASONS: [&str; 3] = ["chart", "dispensing", "law"];
/// No answer yet.
const WAITING: &str = "waiting";
const ERASED: &str = "erased";
const KEPT: &str = "kept";

/// A request that nobody answered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// Its id.
    pub notice: String,
    /// Who was asked.
    pub recipient: String,
    /// When the consent ended.
    pub ended: u64,
    /// When the recipient fetched it.
    pub told: Option<u64>,
}

/// Asks whoever received records under a consent that ended now: by the lines of the person's log.
pub(crate) fn ask(tx: &Tx<'_>, ended: &TokenRow) -> Result<(), Problem> {
    if ended.opened.typ != Typ::Grant {
        return Ok(());
    }
    let (sub, tok) = (ended.opened.text("sub"), ended.opened.hash.as_str());
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    for (_, own) in tx.book.history(sub)? {
        let line = Line::parse(&own.line).map_err(|_| StoreError::Form("the log"))?;
        let entry = &line.entry;
        let under = |value: &warifu_log::Value| match value {
            warifu_log::Value::List(all) => all.iter().any(|t| t == tok),
            _ => false,
        };
        let rcp = entry.get("rcp").and_then(|v| v.text()).unwrap_or_default();
        if entry.kind() == Kind::Disclose && entry.get("grants").is_some_and(under) {
            let latest = last.entry(rcp.to_owned()).or_default();
            *latest = entry.at().max(*latest);
        }
    }
    // What the person saw is no copy of a recipient's.
    last.remove("self");
    for (rcp, last) in last {
        tx.view.db.run(
            "INSERT INTO erasures
             (id, tok, jti, sub, rcp, ended, last, told, state, at, why, access, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 'waiting', 0, '', '', '')
             ON CONFLICT (tok, rcp) DO NOTHING",
            &[
                fresh_id()?.into(),
                tok.into(),
                ended.opened.text("jti").into(),
                sub.into(),
                rcp.into(),
                tx.view.now.into(),
                last.into(),
            ],
        )?;
    }
    Ok(())
}

/// The same for all consents of a key, after it was stopped as of an instant that lay before some of them.
pub(crate) fn ask_of_key(tx: &Tx<'_>, kid: &str) -> Result<(), Problem> {
    let grants = tx.view.tokens(
        "kid = ?1 AND typ = ?2",
        &[kid.into(), Typ::Grant.wire().into()],
    )?;
    for grant in grants {
        if tx.view.closed(&grant)?.is_some() {
            ask(tx, &grant)?;
        }
    }
    Ok(())
}

const COLUMNS: &str = "id, tok, jti, sub, rcp, ended, last, told, state, at, why, access, body";

/// One row of them, as the person sees it.
fn shown(row: &Row) -> Option<Value> {
    let mut value = object([
        ("notice", row.text(0)?.into()),
        ("grant", row.text(1)?.into()),
        ("jti", row.text(2)?.into()),
        ("rcp", row.text(4)?.into()),
        ("ended", row.int(5)?.into()),
        ("last", row.int(6)?.into()),
        ("state", row.text(8)?.into()),
    ]);
    let told = row.int(7)?;
    if told != 0 {
        set(&mut value, "told", told);
    }
    if row.text(8)? != WAITING {
        set(&mut value, "at", row.int(9)?);
        let answer = object([
            ("access", row.text(11)?.into()),
            ("body", row.text(12)?.into()),
        ]);
        set(&mut value, "answer", answer);
    }
    let why = row.text(10)?;
    if !why.is_empty() {
        set(&mut value, "why", why);
    }
    Some(value)
}

/// `GET /api/erasures`: what became of copies, the newest withdrawal first.
pub(crate) fn mine(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let session = people::session(office, asked)?;
    let all = office.read(|view| {
        let sub = people::person(view, &session, asked)?.sub;
        let sql =
            format!("SELECT {COLUMNS} FROM erasures WHERE sub = ?1 ORDER BY ended DESC, rcp, id");
        let rows = view.db.query(&sql, &[sub.as_str().into()])?;
        let all: Option<Vec<Value>> = rows.iter().map(shown).collect();
        Ok(all.ok_or(StoreError::Form("erasures"))?)
    })?;
    Ok(Answer::json(&object([("erasures", Value::Array(all))])))
}

/// `POST /api/revoked`: what an institution is asked to erase and did not answer yet, the oldest first. Each time
/// the same until it answers; the first time counts as told.
pub(crate) fn revoked(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let all = office.write(|tx| {
        let by = people::institution(app, tx, asked, "/api/revoked")?;
        asked.body(&[])?;
        let sql = format!(
            "SELECT {COLUMNS} FROM erasures WHERE rcp = ?1 AND state = 'waiting'
             ORDER BY ended, id LIMIT {MOST}"
        );
        let mut all = Vec::new();
        for row in tx.view.db.query(&sql, &[by.code.as_str().into()])? {
            let read = || {
                let texts = [row.text(0)?, row.text(1)?, row.text(3)?];
                Some((texts, row.int(5)?, row.int(6)?))
            };
            let ([notice, grant, sub], ended, last) = read().ok_or(StoreError::Form("erasures"))?;
            tx.view.db.run(
                "UPDATE erasures SET told = ?1 WHERE id = ?2 AND told = 0",
                &[tx.view.now.into(), notice.into()],
            )?;
            all.push(object([
                ("notice", notice.into()),
                ("sub", sub.into()),
                ("grant", grant.into()),
                ("revoked", ended.into()),
                ("last", last.into()),
            ]));
        }
        Ok(all)
    })?;
    Ok(Answer::json(&object([("notices", Value::Array(all))])))
}

/// `POST /api/erased`: the institution erased its copies, or says by which law it keeps them. What was kept may
/// be erased later; what was erased stays so.
pub(crate) fn erased(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let (value, again) = office.write(|tx| {
        let by = people::institution(app, tx, asked, "/api/erased")?;
        let body = asked.body(&["notice", "erased?", "kept?"])?;
        let notice = body.text("notice")?;
        let sql = format!("SELECT {COLUMNS} FROM erasures WHERE id = ?1 AND rcp = ?2");
        let cells = [notice.into(), by.code.as_str().into()];
        let rows = tx.view.db.query(&sql, &cells)?;
        // To others there is no such request.
        let row = rows.first().ok_or(Code::NotFound)?;
        let read = || {
            let texts = [row.text(3)?, row.text(8)?, row.text(10)?];
            Some((texts, row.int(6)?, row.int(9)?))
        };
        let ([sub, before, reason], last, answered) = read().ok_or(StoreError::Form("erasures"))?;
        let now = tx.view.now;
        let (state, at, why) = match (body.get("erased"), body.maybe("kept")?) {
            // Not before the last of them had come.
            (Some(at), None) => {
                let at = at.int().filter(|at| (last..=now + TOLERANCE).contains(at));
                (ERASED, at.ok_or(Code::Body)?, "")
            }
            (None, Some(why)) if REASONS.contains(&why) => (KEPT, now, why),
            _ => return Err(Code::Body.into()),
        };
        let told = |at: u64| {
            object([
                ("notice", notice.into()),
                ("state", state.into()),
                ("at", at.into()),
            ])
        };
        let same = match state {
            ERASED => before == ERASED && at == answered,
            _ => before == KEPT && why == reason,
        };
        if same {
            return Ok((told(answered), true));
        }
        if before != WAITING && !(before == KEPT && state == ERASED) {
            return Err(Code::Answered.into());
        }
        let members = [
            ("what", state.into()),
            ("src", by.code.as_str().into()),
            ("hash", asked.body.digest().into()),
        ];
        tx.line(Kind::Notice, Some(sub), &members)?;
        let bytes = asked.body.whole()?;
        let bytes = core::str::from_utf8(&bytes).map_err(|_| Code::Body)?;
        tx.view.db.run(
            "UPDATE erasures SET state = ?1, at = ?2, why = ?3, access = ?4, body = ?5 WHERE id = ?6",
            &[
                state.into(),
                at.into(),
                why.into(),
                by.token.as_str().into(),
                bytes.into(),
                notice.into(),
            ],
        )?;
        // Whoever answers was told.
        tx.view.db.run(
            "UPDATE erasures SET told = ?1 WHERE id = ?2 AND told = 0",
            &[now.into(), notice.into()],
        )?;
        Ok((told(at), false))
    })?;
    Ok(Answer::json(&value).status(if again { 200 } else { 201 }))
}

impl Office {
    /// Requests that no recipient answered yet, the oldest first.
    ///
    /// # Errors
    /// The store.
    pub fn unanswered(&self) -> Result<Vec<Unanswered>, Problem> {
        self.read(|view| {
            let sql = "SELECT id, rcp, ended, told FROM erasures WHERE state = 'waiting' ORDER BY ended, id";
            let rows = view.db.query(sql, &[])?;
            let one = |row: &Row| {
                let told = row.int(3)?;
                Some(Unanswered {
                    notice: row.text(0)?.to_owned(),
                    recipient: row.text(1)?.to_owned(),
                    ended: row.int(2)?,
                    told: (told != 0).then_some(told),
                })
            };
            let all: Option<Vec<Unanswered>> = rows.iter().map(one).collect();
            Ok(all.ok_or(StoreError::Form("erasures"))?)
        })
    }
}
