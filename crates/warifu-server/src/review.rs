//! The queue of emergencies that wait for their review (consent.md §10): due after 72 hours, escalated then,
//! and seven days later the facility has no emergency access until somebody has looked.
//!
//! An emergency is its accepted assertion and its line; what was said of it are lines of the person, too, who
//! sees all of it. Who said it is kept beside them as a keyed hash, since nobody reviews the own access.

use std::collections::{BTreeMap, BTreeSet};

use warifu_consent::{CaseState, ReviewCase, ReviewError, ReviewTerms, Statement, Typ, Verdict};
use warifu_log::{Kind, leaf_data};
use warifu_store::StoreError;

use crate::office::{Office, TokenRow, Tx, View};
use crate::problem::{Code, Problem};
use crate::quarantine::Staff;

const TERMS: ReviewTerms = ReviewTerms::REFERENCE;
/// Rule of the `watch` lines.
const RULE: &str = "review-overdue";
/// What is not judged; `unclear` is for somebody else to judge, and an objection is no judgement. What opened
/// nothing is no case.
const OPEN: &str = "typ = ?1 AND NOT EXISTS (SELECT 1 FROM reviews
    WHERE reviews.about = tokens.line AND reviews.verdict IN ('justified', 'not-justified'))
    AND NOT EXISTS (SELECT 1 FROM unopened WHERE unopened.line = tokens.line)";

/// An emergency in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Index of its line in the log, by which it is named.
    pub number: u64,
    /// Why it was asserted.
    pub reason: String,
    /// Role of who asserted it.
    pub role: String,
    /// Where it stands.
    pub state: CaseState,
    /// Facility, time and what was said so far.
    pub case: ReviewCase,
}

/// Who is told apart, as it is kept.
fn opaque(office: &Office, person: &str) -> Result<String, Problem> {
    match person.trim() {
        "" => Ok(String::new()),
        person => office.guarded(&["staff", person]),
    }
}

/// Leaf data of a line of the log.
fn leaf(view: &View<'_>, index: u64) -> Result<String, Problem> {
    let sql = "SELECT salt, line FROM log_lines WHERE idx = ?1";
    let rows = view.db.query(sql, &[index.into()])?;
    let read = || {
        let row = rows.first()?;
        let salt: [u8; 16] = row.bytes(0)?.try_into().ok()?;
        Some(leaf_data(&salt, row.text(1)?).url())
    };
    Ok(read().ok_or(StoreError::Form("the log"))?)
}

fn case_of(view: &View<'_>, row: &TokenRow) -> Result<Waiting, Problem> {
    let per = row.opened.claims.get("per");
    let of = |name: &str| per.and_then(|p| p.get(name)?.text()).unwrap_or_default();
    let sql = "SELECT reviewer, at, verdict FROM reviews WHERE about = ?1 ORDER BY line";
    let mut statements = Vec::new();
    for said in view.db.query(sql, &[row.line.into()])? {
        let read = || {
            Some(Statement {
                by: said.text(0)?.to_owned(),
                at: said.int(1)?,
                verdict: verdict_of(said.text(2)?)?,
            })
        };
        statements.push(read().ok_or(StoreError::Form("reviews"))?);
    }
    let case = ReviewCase {
        line: leaf(view, row.line)?,
        facility: warifu_consent::Ledger::institution(view, &row.opened.kid).unwrap_or_default(),
        actor: opaque(view.office, of("hpki"))?,
        at: row.at,
        statements,
    };
    Ok(Waiting {
        number: row.line,
        reason: row.opened.text("rsn").to_owned(),
        role: of("role").to_owned(),
        state: case.state(TERMS, view.now),
        case,
    })
}

/// A verdict by its word.
pub fn verdict_of(word: &str) -> Option<Verdict> {
    let all = [
        Verdict::Justified,
        Verdict::NotJustified,
        Verdict::Unclear,
        Verdict::Objection,
    ];
    all.into_iter().find(|v| v.word() == word)
}

fn open(view: &View<'_>) -> Result<Vec<Waiting>, Problem> {
    let rows = view.tokens(OPEN, &[Typ::BreakGlass.wire().into()])?;
    rows.iter().map(|row| case_of(view, row)).collect()
}

/// Keeps what a `review` line says of the emergency whose line is `about`.
pub(crate) fn keep(
    tx: &Tx<'_>,
    about: u64,
    line: u64,
    verdict: Verdict,
    [role, reviewer]: [&str; 2],
    at: u64,
) -> Result<(), Problem> {
    tx.view.db.run(
        "INSERT INTO reviews (line, about, at, verdict, role, reviewer)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            line.into(),
            about.into(),
            at.into(),
            verdict.word().into(),
            role.into(),
            reviewer.into(),
        ],
    )?;
    Ok(())
}

/// Keeps what lines of an older program say of emergencies.
pub(crate) fn catch_up(tx: &Tx<'_>) -> Result<(), Problem> {
    let sql = "SELECT idx, line FROM log_lines WHERE line LIKE ?1
               AND idx NOT IN (SELECT line FROM reviews) ORDER BY idx";
    let missing = tx.view.db.query(sql, &["%\"kind\":\"review\"%".into()])?;
    if missing.is_empty() {
        return Ok(());
    }
    let mut emergencies = BTreeMap::new();
    for row in tx
        .view
        .tokens("typ = ?1", &[Typ::BreakGlass.wire().into()])?
    {
        emergencies.insert(leaf(&tx.view, row.line)?, row.line);
    }
    for row in missing {
        let read = || Some((row.int(0)?, warifu_log::Line::parse(row.text(1)?).ok()?));
        let (index, line) = read().ok_or(StoreError::Form("the log"))?;
        let said = |name: &str| line.entry.get(name).and_then(|v| v.text());
        let about = said("of").and_then(|leaf| emergencies.get(leaf));
        if let (Some(about), Some(verdict)) = (about, said("verdict").and_then(verdict_of)) {
            keep(tx, *about, index, verdict, ["", ""], line.entry.at())?;
        }
    }
    Ok(())
}

/// Keeps whether an emergency opened something: what was refused at its first time is no case until it opens
/// something, and what opened something once stays one.
pub(crate) fn opened(tx: &Tx<'_>, tok: &str, first: bool, done: bool) -> Result<(), Problem> {
    let db = tx.view.db;
    let rows = db.query("SELECT line FROM tokens WHERE tok = ?1", &[tok.into()])?;
    let line = rows.first().and_then(|r| r.int(0));
    let line = line.ok_or(StoreError::Form("tokens"))?;
    if done {
        db.run("DELETE FROM unopened WHERE line = ?1", &[line.into()])?;
    } else if first {
        let sql = "INSERT INTO unopened (line, at) VALUES (?1, ?2)";
        db.run(sql, &[line.into(), tx.view.now.into()])?;
    }
    Ok(())
}

/// Whether a facility has no emergency access now.
pub(crate) fn is_suspended(view: &View<'_>, code: &str) -> Result<bool, Problem> {
    let sql = "SELECT at FROM suspended WHERE code = ?1";
    Ok(!view.db.query(sql, &[code.into()])?.is_empty())
}

fn told(tx: &mut Tx<'_>, facility: &str, what: &str) -> Result<(), Problem> {
    let members = [
        ("rule", RULE.into()),
        ("rcp", facility.into()),
        ("what", what.into()),
    ];
    tx.line(Kind::Watch, None, &members).map(|_| ())
}

/// Escalates what is overdue, suspends facilities and lets them go again, each with its line, once.
pub(crate) fn follow_up(tx: &mut Tx<'_>) -> Result<(), Problem> {
    let (db, now) = (tx.view.db, tx.view.now);
    let mut overdue = BTreeSet::new();
    for waiting in open(&tx.view)? {
        if matches!(waiting.state, CaseState::Suspended) {
            overdue.insert(waiting.case.facility.clone());
        }
        if matches!(waiting.state, CaseState::Suspended | CaseState::Escalated) {
            let new = db.run(
                "INSERT INTO escalated (about, at) VALUES (?1, ?2) ON CONFLICT (about) DO NOTHING",
                &[waiting.number.into(), now.into()],
            )?;
            if new > 0 {
                told(tx, &waiting.case.facility, "escalated")?;
            }
        }
    }
    let rows = db.query("SELECT code FROM suspended ORDER BY code", &[])?;
    let known: BTreeSet<String> = rows
        .iter()
        .filter_map(|r| r.text(0).map(str::to_owned))
        .collect();
    for code in overdue.difference(&known) {
        let sql = "INSERT INTO suspended (code, at) VALUES (?1, ?2)";
        db.run(sql, &[code.as_str().into(), now.into()])?;
        told(tx, code, "suspended")?;
    }
    for code in known.difference(&overdue) {
        db.run(
            "DELETE FROM suspended WHERE code = ?1",
            &[code.as_str().into()],
        )?;
        told(tx, code, "resumed")?;
    }
    Ok(())
}

/// Whether anything would change: most of the time nothing is overdue.
fn is_due(view: &View<'_>) -> Result<bool, Problem> {
    let before = view.now.saturating_sub(TERMS.due);
    let sql = format!("SELECT line FROM tokens WHERE {OPEN} AND at < ?2 LIMIT 1");
    let typ = Typ::BreakGlass.wire();
    let late = view.db.query(&sql, &[typ.into(), before.into()])?;
    let held = view.db.query("SELECT code FROM suspended LIMIT 1", &[])?;
    Ok(!late.is_empty() || !held.is_empty())
}

/// [`follow_up`] where there may be something to do.
pub(crate) fn look(tx: &mut Tx<'_>) -> Result<(), Problem> {
    if is_due(&tx.view)? {
        follow_up(tx)?;
    }
    Ok(())
}

impl Office {
    /// Emergencies that wait for a review, the most pressing first; with a reviewer, without those that are
    /// the reviewer's own.
    ///
    /// # Errors
    /// The store.
    pub fn reviews(&self, reviewer: Option<&str>) -> Result<Vec<Waiting>, Problem> {
        let own = opaque(self, reviewer.unwrap_or_default())?;
        self.read(|view| {
            let mut all = open(view)?;
            all.retain(|w| own.is_empty() || w.case.actor != own);
            let rank = |w: &Waiting| match w.state {
                CaseState::Suspended => 0,
                CaseState::Escalated => 1,
                _ => 2,
            };
            all.sort_by_key(|w| (rank(w), w.case.at, w.number));
            Ok(all)
        })
    }

    /// Facilities without emergency access, since their reviews are overdue.
    ///
    /// # Errors
    /// The store.
    pub fn suspended(&self) -> Result<Vec<String>, Problem> {
        self.read(|view| {
            let rows = view
                .db
                .query("SELECT code FROM suspended ORDER BY code", &[])?;
            let all: Option<Vec<String>> =
                rows.iter().map(|r| r.text(0).map(str::to_owned)).collect();
            Ok(all.ok_or(StoreError::Form("suspended"))?)
        })
    }

    /// Escalates and suspends what is due; a server does so once a minute.
    ///
    /// # Errors
    /// The store.
    pub fn review_overdue(&self) -> Result<(), Problem> {
        if self.read(is_due)? {
            self.write(look)?;
        }
        Ok(())
    }

    /// A reviewer's finding about an emergency, by the number of its line. It is a line of the person.
    ///
    /// # Errors
    /// The store; `NOT_FOUND`; `PERSON` for who asserted it, and for an objection, which is the person's;
    /// `ANSWERED` where it was judged; `BODY` for a role that is none.
    pub fn judge(&self, number: u64, verdict: Verdict, by: Staff<'_>) -> Result<(), Problem> {
        let reviewer = opaque(self, by.person)?;
        let role = by.role.trim();
        if role.is_empty() || role.chars().count() > 64 || role.chars().any(char::is_control) {
            return Err(Code::Body.into());
        }
        self.write(|tx| {
            let condition = "typ = ?1 AND line = ?2";
            let typ = Typ::BreakGlass.wire();
            let rows = tx.view.tokens(condition, &[typ.into(), number.into()])?;
            let row = rows.first().ok_or(Code::NotFound)?;
            let mut waiting = case_of(&tx.view, row)?;
            let now = tx.view.now;
            let taken = waiting.case.review(&reviewer, now, verdict);
            taken.map_err(|e| {
                let code = match e {
                    ReviewError::Judged => Code::Answered,
                    ReviewError::Order => Code::Internal,
                    _ => Code::Person,
                };
                Problem::from(code).because(e.to_string())
            })?;
            let members = [
                ("of", waiting.case.line.as_str().into()),
                ("verdict", verdict.word().into()),
            ];
            let (line, _) = tx.line(Kind::Review, Some(row.opened.text("sub")), &members)?;
            keep(tx, number, line.index, verdict, [role, &reviewer], now)?;
            look(tx)
        })
    }
}
