//! The watch over the credentials of institutions (consent.md §9.6): one that sees too many persons, meets
//! too many refusals or takes too much at once gets nothing more until somebody here lifts the hold.
//!
//! What it did within the hour is kept in the database, so that all servers over it judge alike; the rules
//! are those of [`Watch`].

use std::collections::BTreeSet;

use warifu_log::Kind;
use warifu_log::watch::{Act, Event, Limits, Verdict, Watch};
use warifu_store::StoreError;

use crate::office::{Office, Tx, View, fresh_id};
use crate::problem::{Code, Problem};

/// One hour in seconds.
const HOUR: u64 = 3_600;
/// When a credential is held. An emergency at night is none of these: it is what emergencies are for.
const LIMITS: Limits = Limits {
    subjects_an_hour: 500,
    refusals_an_hour: 200,
    night: (0, 0),
    export_bytes: 64 << 20,
    credentials: 1,
};

/// A credential that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Thumbprint of the key.
    pub kid: String,
    /// Code of the institution.
    pub code: String,
    /// The rule that it broke.
    pub rule: String,
    /// Since when.
    pub at: u64,
}

/// What an institution's credential is about to do.
pub(crate) struct Step<'a> {
    pub(crate) kid: &'a str,
    pub(crate) code: &'a str,
    pub(crate) sub: &'a str,
    pub(crate) act: Act,
    pub(crate) bytes: usize,
}

const ACTS: [(&str, Act); 3] = [
    ("disclose", Act::Disclose),
    ("refuse", Act::Refuse),
    ("breakglass", Act::BreakGlass),
];

/// Whether the credential is held, also from now on; then nothing may go out. A hold is a line.
pub(crate) fn is_held(tx: &mut Tx<'_>, step: &Step<'_>) -> Result<bool, Problem> {
    let (db, now) = (tx.view.db, tx.view.now);
    if was_held(&tx.view, step.kid)? {
        return Ok(true);
    }
    let sql = "DELETE FROM watched WHERE at <= ?1";
    db.run(sql, &[now.saturating_sub(HOUR).into()])?;
    let mut watch = Watch::new(LIMITS, BTreeSet::new());
    let event = |at: u64, sub: &str, act: Act, bytes: u64| Event {
        at,
        credential: step.kid.to_owned(),
        sub: sub.to_owned(),
        act,
        known_peer: true,
        bytes,
    };
    let sql = "SELECT act, id, at FROM watched WHERE kid = ?1 ORDER BY at, act, id";
    for row in db.query(sql, &[step.kid.into()])? {
        let read = || {
            let act = row.text(0)?;
            let (_, act) = ACTS.iter().find(|(name, _)| *name == act)?;
            Some(event(row.int(2)?, row.text(1)?, *act, 0))
        };
        watch.judge(&read().ok_or(StoreError::Form("watched"))?);
    }
    let bytes = u64::try_from(step.bytes).unwrap_or(u64::MAX);
    match watch.judge(&event(now, step.sub, step.act, bytes)) {
        Verdict::Pass => {
            // A person who is seen again counts once, each refusal for itself.
            let id = match step.act {
                Act::Refuse => fresh_id()?,
                _ => step.sub.to_owned(),
            };
            let name = ACTS.iter().find(|(_, act)| *act == step.act);
            db.run(
                "INSERT INTO watched (kid, act, id, at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (kid, act, id) DO UPDATE SET at = excluded.at",
                &[
                    step.kid.into(),
                    name.map_or("", |(name, _)| *name).into(),
                    id.into(),
                    now.into(),
                ],
            )?;
            Ok(false)
        }
        Verdict::Hold(rule) | Verdict::Held(rule) => {
            db.run(
                "INSERT INTO held (kid, code, rule, at) VALUES (?1, ?2, ?3, ?4)",
                &[
                    step.kid.into(),
                    step.code.into(),
                    rule.name().into(),
                    now.into(),
                ],
            )?;
            told(tx, rule.name(), step.code, "held")?;
            Ok(true)
        }
    }
}

/// Whether a credential was held before.
pub(crate) fn was_held(view: &View<'_>, kid: &str) -> Result<bool, StoreError> {
    let held = "SELECT rule FROM held WHERE kid = ?1";
    Ok(!view.db.query(held, &[kid.into()])?.is_empty())
}

fn told(tx: &mut Tx<'_>, rule: &str, code: &str, what: &str) -> Result<(), Problem> {
    let members = [
        ("rule", rule.into()),
        ("rcp", code.into()),
        ("what", what.into()),
    ];
    tx.line(Kind::Watch, None, &members).map(|_| ())
}

impl Office {
    /// Credentials that are held.
    ///
    /// # Errors
    /// The store.
    pub fn held(&self) -> Result<Vec<Held>, Problem> {
        self.read(|view| {
            let sql = "SELECT kid, code, rule, at FROM held ORDER BY at, kid";
            let held = |row: &warifu_store::Row| {
                Some(Held {
                    kid: row.text(0)?.to_owned(),
                    code: row.text(1)?.to_owned(),
                    rule: row.text(2)?.to_owned(),
                    at: row.int(3)?,
                })
            };
            let all: Option<Vec<Held>> = view.db.query(sql, &[])?.iter().map(held).collect();
            Ok(all.ok_or(StoreError::Form("held"))?)
        })
    }

    /// Lifts a hold: what the credential did before counts no more. It is a line, too.
    ///
    /// # Errors
    /// The store; `NOT_FOUND` for a credential that is not held.
    pub fn lift(&self, kid: &str) -> Result<(), Problem> {
        self.write(|tx| {
            let sql = "SELECT rule, code FROM held WHERE kid = ?1";
            let rows = tx.view.db.query(sql, &[kid.into()])?;
            let held = rows.first().and_then(|r| Some((r.text(0)?, r.text(1)?)));
            let (rule, code) = held.ok_or(Code::NotFound)?;
            for table in ["held", "watched"] {
                let sql = format!("DELETE FROM {table} WHERE kid = ?1");
                tx.view.db.run(&sql, &[kid.into()])?;
            }
            told(tx, rule, code, "released")
        })
    }
}
