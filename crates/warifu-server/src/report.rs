//! What somebody finds wrong (S16 of the portal): told without signing in, and read by the desk.

use warifu_consent::json::{self, Value, object};
use warifu_store::{Cell, DataKey, Sealer, StoreError};

use crate::App;
use crate::consent::set;
use crate::http::{Answer, Asked};
use crate::office::{Office, View, fresh_id};
use crate::people;
use crate::problem::{Code, Problem};

/// What it is about.
pub const KINDS: [&str; 4] = ["access", "record", "screen", "other"];
/// Characters of a report, and of where its sender is reached.
const LONGEST: usize = 2_000;
const CONTACT: usize = 200;
/// Reports of one person that wait for the desk.
const MOST: u64 = 20;
/// Reports an hour of all who say not who they are.
const MOST_UNNAMED: u64 = 60;
/// Those of one person who signed in and does not want to be named.
const MOST_APART: u64 = 5;
/// In place of a person: of somebody who signed in and is not named.
const APART: &str = "-";
const HOUR: u64 = 3_600;

/// A report as the desk sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// By which it is named.
    pub id: String,
    /// One of [`KINDS`].
    pub kind: String,
    /// When it came.
    pub at: u64,
    /// When the desk was done with it.
    pub closed: Option<u64>,
    /// The pseudonym of who signed in to tell it.
    pub sub: Option<String>,
    /// What was written, and where the sender is reached; with the line that it is about.
    pub text: String,
    /// Perhaps a telephone number.
    pub contact: Option<String>,
    /// Place of the line in the person's own history.
    pub line: Option<u64>,
}

/// Too many came without a name; in so many seconds there is room again.
fn unnamed(free: u64) -> Problem {
    Problem::from(Code::Rate).after(free).said([
        "お名前のないお知らせが多く届いているため、いまは受け付けていません。遅くとも1時間後には、また送れます。急ぐときは、ログインして「わたしのこと」として送るか、窓口に電話してください。",
        "名前の ない おしらせが おおいので、いまは うけつけて いません。1時間 あとに もう 一度 するか、窓口に 電話して ください。",
        "Too many reports came without a name. You can send it again within an hour at the latest. If it cannot wait, sign in and send it as yours, or call the desk.",
    ])
}

/// `POST /api/reports`: of nobody in particular, unless `mine` says that it is the session's person.
pub(crate) fn tell(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let body = asked.body(&["kind", "text", "contact?", "mine?", "line?"])?;
    let (kind, text, contact) = (
        body.text("kind")?,
        body.text("text")?.trim(),
        body.maybe("contact")?,
    );
    let is_mine = match body.get("mine") {
        None => false,
        Some(Value::Bool(is)) => *is,
        Some(_) => return Err(Code::Body.into()),
    };
    let line = match body.get("line") {
        None => None,
        // Without a name there is no history that it would be in.
        Some(v) => Some(v.int().filter(|_| is_mine).ok_or(Code::Body)?),
    };
    let fits = |text: &str, most| (1..=most).contains(&text.chars().count());
    let sound =
        KINDS.contains(&kind) && fits(text, LONGEST) && contact.is_none_or(|c| fits(c, CONTACT));
    if !sound {
        return Err(Code::Body.into());
    }
    let present = people::session(office, asked);
    let (session, present) = if is_mine {
        (Some(present?), None)
    } else {
        // Whoever signed in and tells it without a name is not shut out by those who did not.
        (None, present.ok())
    };
    let mut inside = object([("text", text.into())]);
    if let Some(contact) = contact {
        set(&mut inside, "contact", contact);
    }
    if let Some(line) = line {
        set(&mut inside, "line", line);
    }
    let id = fresh_id()?;
    let at = office.write(|tx| {
        let now = tx.view.now;
        let unnamed_sub = if present.is_some() { APART } else { "" };
        let sub = session.as_ref().map_or(unnamed_sub, |s| s.sub.as_str());
        if let Some(present) = &present {
            // Counted by keyed hashes that end with the hour: the report itself stays nobody's.
            let mut taken = Vec::new();
            for n in 0..MOST_APART {
                let place = office.guarded(&["report", &present.sub, &n.to_string()])?;
                if tx.once("report", &place, now + HOUR)? {
                    break;
                }
                taken.push(place);
            }
            if u64::try_from(taken.len()).is_ok_and(|n| n == MOST_APART) {
                let sql = "SELECT ends FROM once WHERE kind = 'report' AND id = ?1";
                let mut first = now + HOUR;
                for place in taken {
                    let rows = tx.view.db.query(sql, &[place.into()])?;
                    first = first.min(rows.first().and_then(|r| r.int(0)).unwrap_or(first));
                }
                return Err(unnamed((first + 1).saturating_sub(now)));
            }
        } else if sub.is_empty() {
            let count = "SELECT COUNT(*), MIN(at) FROM reports WHERE sub = '' AND at > ?1";
            let rows = tx.view.db.query(count, &[now.saturating_sub(HOUR).into()])?;
            let of = |n| rows.first().and_then(|r| r.int(n)).unwrap_or(0);
            if of(0) >= MOST_UNNAMED {
                // When the first of them is an hour old, there is room again.
                let free = (of(1) + HOUR).saturating_sub(now);
                return Err(unnamed(free));
            }
        } else {
            let count = "SELECT COUNT(*) FROM reports WHERE sub = ?1 AND closed = 0";
            let rows = tx.view.db.query(count, &[sub.into()])?;
            if rows.first().and_then(|r| r.int(0)).unwrap_or(0) >= MOST {
                return Err(Code::Reports.into());
            }
        }
        // Under a key of its own: whoever tells it need not be anybody of whom something is kept.
        let key = DataKey::fresh()?;
        let sealed = Sealer::new(&key).seal(&["report", &id], inside.write().as_bytes())?;
        let wrapped = office.vault().wrap(&id, &key)?;
        tx.view.db.run(
            "INSERT INTO reports (id, sub, kind, at, closed, data_key, body) VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6)",
            &[
                id.as_str().into(),
                sub.into(),
                kind.into(),
                now.into(),
                wrapped.into(),
                sealed.into(),
            ],
        )?;
        Ok(now)
    })?;
    let value = object([("report", id.as_str().into()), ("at", at.into())]);
    Ok(Answer::json(&value).status(201))
}

/// `GET /api/reports`: the person's own, the newest first.
pub(crate) fn mine(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let session = people::session(office, asked)?;
    let all = office.read(|view| reports(view, "sub = ?1", &[session.sub.as_str().into()]))?;
    let shown = all.into_iter().map(|report| {
        let mut value = object([
            ("report", report.id.into()),
            ("kind", report.kind.into()),
            ("at", report.at.into()),
            ("text", report.text.into()),
        ]);
        if let Some(line) = report.line {
            set(&mut value, "line", line);
        }
        if let Some(closed) = report.closed {
            set(&mut value, "closed", closed);
        }
        value
    });
    Ok(Answer::json(&object([(
        "reports",
        Value::Array(shown.collect()),
    )])))
}

fn reports(view: &View<'_>, which: &str, of: &[Cell]) -> Result<Vec<Report>, Problem> {
    let sql = format!(
        "SELECT id, sub, kind, at, closed, data_key, body FROM reports WHERE {which} ORDER BY at DESC, id"
    );
    let mut all = Vec::new();
    for row in view.db.query(&sql, of)? {
        let read = || {
            let text = |n: usize| row.text(n).map(str::to_owned);
            Some((
                text(0)?,
                text(1)?,
                text(2)?,
                row.int(3)?,
                row.int(4)?,
                row.bytes(5)?,
                row.bytes(6)?,
            ))
        };
        let (id, sub, kind, at, closed, wrapped, sealed) =
            read().ok_or(StoreError::Form("reports"))?;
        let key = view.office.vault().unwrap(&id, wrapped)?;
        let bytes = Sealer::new(&key).open(&["report", &id], sealed)?;
        let inside = json::read(&bytes, 2).map_err(|_| StoreError::Form("reports"))?;
        let text = |name: &str| inside.get(name).and_then(Value::text).map(str::to_owned);
        all.push(Report {
            kind,
            at,
            closed: (closed > 0).then_some(closed),
            sub: (!sub.is_empty() && sub != APART).then_some(sub),
            text: text("text").unwrap_or_default(),
            contact: text("contact"),
            line: inside.get("line").and_then(Value::int),
            id,
        });
    }
    Ok(all)
}

impl Office {
    /// Reports that wait for the desk, the newest first.
    ///
    /// # Errors
    /// The store.
    pub fn reports(&self) -> Result<Vec<Report>, Problem> {
        self.read(|view| reports(view, "closed = 0", &[]))
    }

    /// Says that the desk is done with a report.
    ///
    /// # Errors
    /// The store; `NOT_FOUND` where none of that name waits.
    pub fn close_report(&self, id: &str) -> Result<(), Problem> {
        self.write(|tx| {
            let done = tx.view.db.run(
                "UPDATE reports SET closed = ?1 WHERE id = ?2 AND closed = 0",
                &[tx.view.now.into(), id.into()],
            )?;
            if done == 0 {
                return Err(Code::NotFound.into());
            }
            Ok(())
        })
    }
}
