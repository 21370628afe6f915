//! Notices of emergencies: to the person's portal, and to the contacts that the person named.
//!
//! The text is that of `warifu-consent`. How it reaches a contact is the office's affair: what waits is
//! handed out by `warifu serve notices`, and comes back as sent.

use warifu_consent::json::{self, Value, object};
use warifu_consent::{EmergencyAccess, Lang, Opened, emergency_notice};
use warifu_log::Kind;
use warifu_store::{Row, StoreError};

use crate::App;
use crate::cutoff::was_held;
use crate::http::{Answer, Asked};
use crate::office::{Office, Tx, View};
use crate::people;
use crate::problem::{Code, Problem};

/// Contacts that a person may name.
const MOST: usize = 5;
/// Characters of a part of one.
const LONGEST: usize = 200;
/// Ways to reach one.
const WAYS: [&str; 3] = ["mail", "phone", "post"];
/// What a holder's notice is of: uses without names, which are open until the person objects.
const OPT_OUT: &str = "opt-out";
/// Notices that the portal gets, the newest.
const SHOWN: u64 = 200;

/// A notice that has not reached the contacts yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    /// By which it is named: the line of the disclosure.
    pub number: u64,
    /// In Japanese.
    pub text: String,
    /// Name, way (`mail`, `phone`, `post`) and address of each contact.
    pub contacts: Vec<[String; 3]>,
}

/// Keeps what a disclosure in an emergency tells, beside its line.
pub(crate) fn emergency(
    tx: &Tx<'_>,
    assertion: &Opened,
    facility: &str,
    disclosed: &Value,
) -> Result<(), Problem> {
    let line = disclosed.get("proof").and_then(|p| p.get("line")?.text());
    let line = line.ok_or_else(|| Problem::internal("a disclosure without its line"))?;
    let read = json::read(line.as_bytes(), 4).map_err(|_| StoreError::Form("the log"))?;
    let cats = read.get("cats").into_iter().flat_map(Value::texts);
    let cats: Vec<&str> = cats.filter(|c| *c != "none").collect();
    let index = tx.book.size().saturating_sub(1);
    let per = assertion.claims.get("per");
    let role = per.and_then(|p| p.get("role")?.text()).unwrap_or_default();
    tx.view.db.run(
        "INSERT INTO emergencies (line, sub, facility, role, rsn, idm, cats, at, sent)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)",
        &[
            index.into(),
            assertion.text("sub").into(),
            facility.into(),
            role.into(),
            assertion.text("rsn").into(),
            assertion.text("idm").into(),
            cats.join(" ").into(),
            tx.view.now.into(),
        ],
    )?;
    Ok(())
}

const COLUMNS: &str = "line, facility, role, rsn, idm, cats, at, sub";

fn access(row: &Row) -> Result<(u64, EmergencyAccess), StoreError> {
    let read = || {
        let text = |n: usize| row.text(n).map(str::to_owned);
        let cats = row.text(5)?.split_whitespace().map(str::to_owned);
        let access = EmergencyAccess {
            facility: text(1)?,
            role: text(2)?,
            reason: text(3)?,
            identified: text(4)?,
            at: row.int(6)?,
            cats: cats.collect(),
        };
        Some((row.int(0)?, access))
    };
    read().ok_or(StoreError::Form("emergencies"))
}

/// The text, or the least that is always true of it.
fn text(view: &View<'_>, access: &EmergencyAccess, lang: Lang) -> String {
    let office = view.office;
    let found = emergency_notice(&office.policy, &office.master, access, lang);
    found.unwrap_or_else(|| {
        let (facility, contact) = (&access.facility, &office.master.contact);
        match lang {
            Lang::Ja => format!("# 救急であなたの記録が使われました\n施設: {facility}\n問い合わせ: {contact}\n"),
            Lang::JaEasy => format!("# きゅうきゅうで あなたの きろくが つかわれました\nどこ: {facility}\nきくところ: {contact}\n"),
            Lang::En => format!("# Your records were used in an emergency\nWhere: {facility}\nContact: {contact}\n"),
        }
    })
}

/// `GET /api/notices`: the newest first.
pub(crate) fn mine(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let session = people::session(office, asked)?;
    let notices = office.read(|view| {
        let sub = people::person(view, &session, asked)?.sub;
        let sql = format!(
            "SELECT {COLUMNS} FROM emergencies WHERE sub = ?1 ORDER BY line DESC LIMIT {SHOWN}"
        );
        let mut all = Vec::new();
        for row in view.db.query(&sql, &[sub.as_str().into()])? {
            let (line, access) = access(&row)?;
            let texts = [Lang::Ja, Lang::JaEasy, Lang::En]
                .map(|lang| (lang.name(), text(view, &access, lang).into()));
            all.push(object([
                ("what", "emergency".into()),
                ("line", line.into()),
                ("src", access.facility.as_str().into()),
                ("at", access.at.into()),
                ("text", object(texts)),
            ]));
        }
        Ok(all)
    })?;
    Ok(Answer::json(&object([("notices", Value::Array(notices))])))
}

/// `POST /api/notices`: an institution whose records are kept here told a person of uses without names that
/// are open until the person objects. From here the time counts before which nothing is used so.
pub(crate) fn told(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let (at, again) = office.write(|tx| {
        let by = people::institution(app, tx, asked, "/api/notices")?;
        let body = asked.body(&["patient", "what", "hash"])?;
        let (what, hash) = (body.text("what")?, body.text("hash")?);
        if what != OPT_OUT || warifu_consent::b64::decode_array::<32>(hash).is_none() {
            return Err(Code::Body.into());
        }
        let keys = tx.view.registered(&by.kid)?;
        let holds = by.code == office.institution || keys.iter().any(|k| k.rights.sends);
        if !holds {
            return Err(Code::Sender.into());
        }
        if was_held(&tx.view, &by.kid)? {
            return Err(Code::Held.into());
        }
        let sub = office.pseudonym_at(&by.code, body.text("patient")?)?;
        let cells = [sub.as_str().into(), by.code.as_str().into()];
        let records = "SELECT id FROM records WHERE sub = ?1 AND src = ?2 LIMIT 1";
        if tx.view.db.query(records, &cells)?.is_empty() {
            return Err(Code::NotFound.into());
        }
        // The first one counts: a second would only move the beginning.
        let known = "SELECT MIN(at) FROM notices WHERE sub = ?1 AND src = ?2 AND what = 'opt-out'";
        let rows = tx.view.db.query(known, &cells)?;
        if let Some(at) = rows.first().and_then(|r| r.int(0)) {
            return Ok((at, true));
        }
        let members = [
            ("what", what.into()),
            ("src", by.code.as_str().into()),
            ("hash", hash.into()),
        ];
        tx.line(Kind::Notice, Some(&sub), &members)?;
        tx.view.db.run(
            "INSERT INTO notices (sub, src, what, at) VALUES (?1, ?2, ?3, ?4)",
            &[
                sub.as_str().into(),
                by.code.as_str().into(),
                what.into(),
                tx.view.now.into(),
            ],
        )?;
        Ok((tx.view.now, false))
    })?;
    let value = object([("at", at.into()), ("again", again.into())]);
    Ok(Answer::json(&value).status(if again { 200 } else { 201 }))
}

/// A contact of a body.
fn contact(value: &Value) -> Option<[String; 3]> {
    let members = value.members()?;
    let one = |name: &str| {
        let text = members.get(name)?.text()?.trim();
        let sound = !text.is_empty()
            && text.chars().count() <= LONGEST
            && !text.chars().any(char::is_control);
        sound.then(|| text.to_owned())
    };
    let contact = [one("name")?, one("by")?, one("to")?];
    let known = members.len() == 3 && WAYS.contains(&contact[1].as_str());
    known.then_some(contact)
}

fn kept(view: &View<'_>, sub: &str) -> Result<Vec<[String; 3]>, Problem> {
    let sql = "SELECT body FROM contacts WHERE sub = ?1";
    let rows = view.db.query(sql, &[sub.into()])?;
    let Some(body) = rows.first().and_then(|r| r.bytes(0)) else {
        return Ok(Vec::new());
    };
    let sealer = view.sealer(sub)?;
    let sealer = sealer.ok_or_else(|| Problem::internal("a person's key is missing"))?;
    let bytes = sealer.open(&["contacts"], body)?;
    let read = json::read(&bytes, 4).map_err(|_| StoreError::Form("contacts"))?;
    let Value::Array(all) = &read else {
        return Err(StoreError::Form("contacts").into());
    };
    let all: Option<Vec<[String; 3]>> = all.iter().map(contact).collect();
    Ok(all.ok_or(StoreError::Form("contacts"))?)
}

fn written(contacts: &[[String; 3]]) -> Value {
    let one = |[name, by, to]: &[String; 3]| {
        object([
            ("name", name.as_str().into()),
            ("by", by.as_str().into()),
            ("to", to.as_str().into()),
        ])
    };
    Value::Array(contacts.iter().map(one).collect())
}

/// `GET /api/contacts`
pub(crate) fn contacts(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let session = people::session(office, asked)?;
    let all = office.read(|view| {
        let sub = people::person(view, &session, asked)?.sub;
        kept(view, &sub)
    })?;
    Ok(Answer::json(&object([("contacts", written(&all))])))
}

/// `PUT /api/contacts`: these, and no others.
pub(crate) fn set_contacts(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let session = people::session(office, asked)?;
    let body = asked.body(&["contacts"])?;
    let Some(Value::Array(given)) = body.get("contacts") else {
        return Err(Code::Body.into());
    };
    let all: Option<Vec<[String; 3]>> = given.iter().map(contact).collect();
    let all = all.filter(|all| all.len() <= MOST).ok_or(Code::Body)?;
    office.write(|tx| {
        let sub = people::person(&tx.view, &session, asked)?.sub;
        let db = tx.view.db;
        db.run(
            "DELETE FROM contacts WHERE sub = ?1",
            &[sub.as_str().into()],
        )?;
        if !all.is_empty() {
            let sealed = tx
                .sealer(&sub)?
                .seal(&["contacts"], written(&all).write().as_bytes())?;
            db.run(
                "INSERT INTO contacts (sub, body, at) VALUES (?1, ?2, ?3)",
                &[sub.as_str().into(), sealed.into(), tx.view.now.into()],
            )?;
        }
        Ok(())
    })?;
    Ok(Answer::json(&object([("contacts", written(&all))])))
}

impl Office {
    /// Notices for contacts that were not sent yet, the oldest first.
    ///
    /// # Errors
    /// The store.
    pub fn unsent(&self) -> Result<Vec<Unsent>, Problem> {
        self.read(|view| {
            let sql = format!(
                "SELECT {COLUMNS} FROM emergencies WHERE sent = 0
                 AND sub IN (SELECT sub FROM contacts) ORDER BY line"
            );
            let mut all = Vec::new();
            for row in view.db.query(&sql, &[])? {
                let (number, access) = access(&row)?;
                let sub = row.text(7).ok_or(StoreError::Form("emergencies"))?;
                all.push(Unsent {
                    number,
                    text: text(view, &access, Lang::Ja),
                    contacts: kept(view, sub)?,
                });
            }
            Ok(all)
        })
    }

    /// A notice reached the contacts.
    ///
    /// # Errors
    /// The store; `NOT_FOUND` for one that does not wait.
    pub fn sent(&self, number: u64) -> Result<(), Problem> {
        self.write(|tx| {
            let sql = "UPDATE emergencies SET sent = ?1 WHERE line = ?2 AND sent = 0";
            let done = tx.view.db.run(sql, &[tx.view.now.into(), number.into()])?;
            if done == 1 {
                Ok(())
            } else {
                Err(Code::NotFound.into())
            }
        })
    }
}
