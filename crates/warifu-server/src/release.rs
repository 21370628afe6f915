//! Releases without names (consent.md §12.3): what a certified body says it made, whether a person is in it, and
//! what its recipient did with it.
//!
//! The data itself never passes here. Whose records may be in one is told to whoever delivers them, as a salt
//! of the person each; the body makes its leaves with them, and nobody else can tell a leaf from the others.

use std::collections::BTreeSet;

use warifu_consent::json::{self, Value, object};
use warifu_consent::{
    Accepted, Moment, Opened, Purpose, SignerClass, Typ, Unreleased, accept, b64, contracted,
    may_be_released, member_leaf, of_these_leaves, open, place, read_leaves,
};
use warifu_log::{Hash, Kind, inclusion_proof, root_of};
use warifu_store::StoreError;

use crate::App;
use crate::consent::set;
use crate::http::{Answer, Asked};
use crate::logs;
use crate::office::{Book, Office, View};
use crate::people;
use crate::problem::{Code, Problem};

/// Uses that are told at once.
const MOST: usize = 1_000;
/// Persons looked at in one go, between which others write.
const SLICE: usize = 200;

/// A person who may be in a release: what goes to the body with the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Pseudonym.
    pub sub: String,
    /// With it the body makes the person's leaf of each release.
    pub salt: String,
}

/// A release as the office sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// `jti` of its manifest.
    pub release: String,
    /// When it was told.
    pub at: u64,
    /// The certified body.
    pub by: String,
    /// Who received it.
    pub to: String,
    /// Persons in it.
    pub persons: u64,
    /// Uses that were told.
    pub uses: u64,
    /// When the last one was told.
    pub used: Option<u64>,
    /// End of the contract.
    pub ends: u64,
}

fn hashes(leaves: &[[u8; 32]]) -> Vec<Hash> {
    leaves.iter().map(|l| warifu_log::leaf_hash(l)).collect()
}

impl Office {
    /// The salt with which a person's leaves are made.
    fn member_salt(&self, sub: &str) -> Result<[u8; 16], Problem> {
        let tag = self.guarded(&["release", "\0", sub])?;
        let bytes = b64::decode_array::<32>(&tag).and_then(|b| b.first_chunk::<16>().copied());
        bytes.ok_or_else(|| Problem::internal("a salt"))
    }

    /// Persons whose records may go to a certified body for a purpose now, with their salts.
    ///
    /// # Errors
    /// The store; `BODY` for a purpose that is not open until somebody objects, `OPTOUT_RECIPIENT` for a body that is not certified
    /// for it.
    pub fn members(&self, to: &str, purpose: &str) -> Result<Vec<Member>, Problem> {
        let purpose = self.policy.purpose(purpose).ok_or(Code::Body)?;
        if !self.policy.is_certified(to, purpose) {
            return Err(Code::Certified.into());
        }
        let mut all = Vec::new();
        for part in self.read(persons)?.chunks(SLICE) {
            self.read_log(|view, book| {
                for sub in part {
                    if may_be_in(view, book, sub, to, &[purpose])? {
                        let salt = b64::encode(&self.member_salt(sub)?);
                        all.push(Member {
                            sub: sub.clone(),
                            salt,
                        });
                    }
                }
                Ok(())
            })?;
        }
        Ok(all)
    }

    /// Releases that were told, the newest first.
    ///
    /// # Errors
    /// The store.
    pub fn releases(&self) -> Result<Vec<Released>, Problem> {
        self.read(|view| {
            let rows = view.db.query(
                "SELECT token, code, at FROM releases ORDER BY at DESC, rel",
                &[],
            )?;
            let mut all = Vec::new();
            for row in rows {
                let read = || {
                    let (_, claims) = warifu_consent::peek(row.text(0)?).ok()?;
                    Some((claims, row.text(1)?.to_owned(), row.int(2)?))
                };
                let (claims, by, at) = read().ok_or(StoreError::Form("releases"))?;
                let text = |name: &str| claims.get(name).and_then(Value::text).unwrap_or_default();
                let (uses, used) = uses(view, text("jti"))?;
                all.push(Released {
                    release: text("jti").to_owned(),
                    at,
                    by,
                    to: text("to").to_owned(),
                    persons: claims.get("n").and_then(Value::int).unwrap_or(0),
                    uses,
                    used,
                    ends: claims
                        .get("contract")
                        .and_then(|c| c.get("exp")?.int())
                        .unwrap_or(0),
                });
            }
            Ok(all)
        })
    }
}

fn persons(view: &View<'_>) -> Result<Vec<String>, Problem> {
    let rows = view
        .db
        .query("SELECT sub FROM subjects ORDER BY sub", &[])?;
    let all: Option<Vec<String>> = rows.iter().map(|r| Some(r.text(0)?.to_owned())).collect();
    Ok(all.ok_or(StoreError::Form("subjects"))?)
}

/// Whether anything that is kept of a person may go to the body, for each of these purposes.
fn may_be_in(
    view: &View<'_>,
    book: &Book,
    sub: &str,
    to: &str,
    purposes: &[Purpose],
) -> Result<bool, Problem> {
    let rows = view.db.query(
        "SELECT DISTINCT src FROM records WHERE sub = ?1 ORDER BY src",
        &[sub.into()],
    )?;
    let sources: Option<Vec<&str>> = rows.iter().map(|r| r.text(0)).collect();
    let sources = sources.ok_or(StoreError::Form("records"))?;
    if sources.is_empty() {
        return Ok(false);
    }
    let state = view.state(book, sub)?;
    Ok(may_be_released(&state, to, purposes, &sources, view.now))
}

/// What a manifest says beside its claims' forms.
struct Manifest {
    code: String,
    purposes: Vec<Purpose>,
}

/// Whether its signer is certified for all that the contract permits.
fn judged(view: &View<'_>, manifest: &Opened) -> Result<Manifest, Problem> {
    let keys = view.registered(&manifest.kid)?;
    let key = keys.into_iter().find(|k| k.class == SignerClass::Certified);
    let code = key.and_then(|k| k.code).ok_or(Code::Certified)?;
    let purposes = contracted(&view.office.policy, &code, &manifest.claims, view.now);
    let purposes = purposes.map_err(|why| match why {
        Unreleased::Contract => Problem::from(warifu_consent::Reason::Expired.of("contract")),
        _ => Code::Certified.into(),
    })?;
    Ok(Manifest { code, purposes })
}

/// `POST /api/releases`: the manifest of a release, and its leaves.
pub(crate) fn take(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let body = asked.body(&["token", "leaves"])?;
    let (token, leaves) = (body.text("token")?, b64::decode(body.text("leaves")?));
    let leaves = leaves.as_deref().and_then(read_leaves).ok_or(Code::Body)?;
    let known = |view: &View<'_>| -> Result<Option<Value>, Problem> {
        let tok = warifu_consent::token_hash(token).unwrap_or_default();
        let sql = "SELECT rel, at FROM releases WHERE tok = ?1";
        let rows = view.db.query(sql, &[tok.into()])?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let read = || Some((row.text(0)?, row.int(1)?));
        let (rel, at) = read().ok_or(StoreError::Form("releases"))?;
        Ok(Some(answer(rel, at, true)))
    };
    // What costs most is done while others write.
    let opened = office.read(|view| {
        let opened = open(token, &[Typ::Release], view, Moment::now(view.now))?;
        let manifest = judged(view, &opened)?;
        Ok((opened, manifest, known(view)?))
    })?;
    let (manifest, Manifest { code, purposes }, again) = opened;
    if let Some(again) = again {
        return Ok(Answer::json(&again));
    }
    let tree = root_of(&leaves);
    of_these_leaves(&manifest.claims, &leaves, &tree.0).map_err(|_| Code::Root)?;
    let rel = manifest.text("jti");
    let mut members = BTreeSet::new();
    for sub in office.read(persons)? {
        let leaf = member_leaf(&office.member_salt(&sub)?, rel);
        let leaf = leaf.ok_or_else(|| Problem::internal("a leaf"))?;
        if leaves.binary_search(&leaf).is_ok() {
            members.insert(sub);
        }
    }
    let begun = office.lines()?;
    let check = |view: &View<'_>, book: &Book, sub: &str| -> Result<(), Problem> {
        if may_be_in(view, book, sub, &code, &purposes)? {
            Ok(())
        } else {
            Err(Code::Members.into())
        }
    };
    let all: Vec<&String> = members.iter().collect();
    for part in all.chunks(SLICE) {
        office.read_log(|view, book| part.iter().try_for_each(|sub| check(view, book, sub)))?;
    }
    let (value, status) = office.write(|tx| {
        if let Some(again) = known(&tx.view)? {
            return Ok((again, 200));
        }
        // Whoever decided anything meanwhile is looked at again: an objection counts from its commit.
        let rows = tx.view.db.query(
            "SELECT line FROM log_lines WHERE idx >= ?1",
            &[begun.into()],
        )?;
        let lately = rows.iter().filter_map(|row| {
            let line = json::read(row.text(0)?.as_bytes(), 4).ok()?;
            Some(line.get("sub")?.text()?.to_owned())
        });
        for sub in lately.collect::<BTreeSet<String>>() {
            if members.contains(&sub) {
                check(&tx.view, tx.book, &sub)?;
            }
        }
        let court = tx.view.court(None);
        let Accepted::New(manifest) = accept(&court, token, &[Typ::Release], None)? else {
            return Err(warifu_consent::Reason::Replay.into());
        };
        judged(&tx.view, &manifest)?;
        let named = "SELECT rel FROM releases WHERE rel = ?1";
        if !tx.view.db.query(named, &[rel.into()])?.is_empty() {
            return Err(warifu_consent::Reason::Replay.of("jti").into());
        }
        let line = [("rel", rel.into()), ("root", tree.url().into())];
        let (line, salt) = tx.line(Kind::Release, None, &line)?;
        tx.view.db.run(
            "INSERT INTO releases (rel, tok, code, token, at, line, leaves) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            &[
                rel.into(),
                manifest.hash.as_str().into(),
                code.as_str().into(),
                token.into(),
                tx.view.now.into(),
                line.index.into(),
                leaves.concat().into(),
            ],
        )?;
        let mut value = answer(rel, tx.view.now, false);
        set(&mut value, "proof", logs::evidence(tx, &line, &salt)?);
        Ok((value, 201))
    })?;
    Ok(Answer::json(&value).status(status))
}

fn answer(rel: &str, at: u64, again: bool) -> Value {
    object([
        ("release", rel.into()),
        ("at", at.into()),
        ("again", again.into()),
    ])
}

/// How often a release was used, and when it last was, as far as it was told.
fn uses(view: &View<'_>, rel: &str) -> Result<(u64, Option<u64>), Problem> {
    let sql = "SELECT CAST(SUM(entries) AS BIGINT), MAX(at) FROM usages WHERE rel = ?1";
    let rows = view.db.query(sql, &[rel.into()])?;
    let row = rows.first();
    let used = row.and_then(|r| r.int(1));
    Ok((row.and_then(|r| r.int(0)).unwrap_or(0), used))
}

/// `GET /api/releases`: all of them, and the person's salt, with which the device tells its own leaf.
pub(crate) fn all(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let session = people::session(office, asked)?;
    let value = office.read_log(|view, book| {
        let sub = people::person(view, &session, asked)?.sub;
        let rows = view.db.query(
            "SELECT rel, token, at, line FROM releases ORDER BY line DESC LIMIT 1000",
            &[],
        )?;
        let mut all = Vec::new();
        for row in rows {
            let read = || Some((row.text(0)?, row.text(1)?, row.int(2)?, row.int(3)?));
            let (rel, token, at, line) = read().ok_or(StoreError::Form("releases"))?;
            let (uses, used) = uses(view, rel)?;
            let mut value = object([
                ("release", rel.into()),
                ("token", token.into()),
                ("at", at.into()),
                ("proof", logs::public_evidence(view, book, line)?),
                ("uses", uses.into()),
            ]);
            if let Some(used) = used {
                set(&mut value, "used", used);
            }
            all.push(value);
        }
        let salt = b64::encode(&office.member_salt(&sub)?);
        Ok(object([
            ("salt", salt.into()),
            ("releases", Value::Array(all)),
        ]))
    })?;
    Ok(Answer::json(&value))
}

/// `GET /api/releases/{rel}`: the person's leaf with its path, or the two between which it would stand.
pub(crate) fn one(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let session = people::session(office, asked)?;
    let rel = asked.param(0);
    let (token, leaves, own) = office.read(|view| {
        let sub = people::person(view, &session, asked)?.sub;
        let rows = view.db.query(
            "SELECT token, leaves FROM releases WHERE rel = ?1",
            &[rel.into()],
        )?;
        let row = rows.first().ok_or(Code::NotFound)?;
        let read = || Some((row.text(0)?.to_owned(), read_leaves(row.bytes(1)?)?));
        let (token, leaves) = read().ok_or(StoreError::Form("releases"))?;
        let own = member_leaf(&office.member_salt(&sub)?, rel);
        Ok((token, leaves, own.ok_or(Code::NotFound)?))
    })?;
    let found = place(&leaves, &own);
    let member = found.is_ok();
    let places = found.map_or_else(|beside| beside, |at| vec![at]);
    let tree = hashes(&leaves);
    let size = u64::try_from(tree.len()).unwrap_or(u64::MAX);
    let mut near = Vec::new();
    for place in places {
        let index = u64::try_from(place).unwrap_or(u64::MAX);
        let path = inclusion_proof(tree.as_slice(), index, size);
        let path = path.ok().flatten();
        let (path, leaf) = path
            .zip(leaves.get(place))
            .ok_or_else(|| Problem::internal("a path"))?;
        let path: Vec<String> = path.iter().map(Hash::url).collect();
        near.push(object([
            ("index", index.into()),
            ("leaf", b64::encode(leaf).into()),
            ("path", path.into()),
        ]));
    }
    let value = object([
        ("token", token.into()),
        ("member", member.into()),
        ("size", size.into()),
        ("near", Value::Array(near)),
    ]);
    Ok(Answer::json(&value))
}

/// A use as it is told: by whom (a keyed hash), what was asked of the data (a word), and what came of it.
fn entry(value: &Value) -> Option<Value> {
    let members = value.members()?;
    let of = |name: &str| members.get(name)?.text();
    let (person, query, output) = (of("person")?, of("query")?, of("output")?);
    let hash = |text: &str| b64::decode_array::<32>(text).is_some();
    let word = (1..=64).contains(&query.len())
        && query
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'));
    (members.len() == 3 && hash(person) && hash(output) && word).then(|| value.clone())
}

/// `POST /api/usage`: the recipient of a release tells what was done with it; `root` of the line is over the
/// uses in their order, each as JSON with sorted members and without spaces.
pub(crate) fn used(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let value = office.write(|tx| {
        let by = people::institution(app, tx, asked, "/api/usage")?;
        let body = asked.body(&["release", "entries"])?;
        let rel = body.text("release")?;
        let Some(Value::Array(given)) = body.get("entries") else {
            return Err(Code::Body.into());
        };
        let entries: Option<Vec<Value>> = given.iter().map(entry).collect();
        let entries = entries.filter(|e| (1..=MOST).contains(&e.len()));
        let entries = entries.ok_or(Code::Body)?;
        let sql = "SELECT token FROM releases WHERE rel = ?1";
        let rows = tx.view.db.query(sql, &[rel.into()])?;
        let claims = rows.first().and_then(|r| r.text(0));
        let claims = claims.and_then(|t| warifu_consent::peek(t).ok());
        let received = |claims: &Value| claims.get("to").and_then(Value::text) == Some(&by.code);
        // To others there is no such release.
        if !claims.is_some_and(|(_, claims)| received(&claims)) {
            return Err(Code::NotFound.into());
        }
        let told: Vec<String> = entries.iter().map(Value::write).collect();
        let root = root_of(&told).url();
        let members = [("rel", rel.into()), ("root", root.as_str().into())];
        let (line, salt) = tx.line(Kind::Usage, None, &members)?;
        tx.view.db.run(
            "INSERT INTO usages (line, rel, at, entries, body) VALUES (?1, ?2, ?3, ?4, ?5)",
            &[
                line.index.into(),
                rel.into(),
                tx.view.now.into(),
                u64::try_from(entries.len()).unwrap_or(u64::MAX).into(),
                Value::Array(entries).write().into(),
            ],
        )?;
        Ok(object([
            ("root", root.into()),
            ("at", tx.view.now.into()),
            ("proof", logs::evidence(tx, &line, &salt)?),
        ]))
    })?;
    Ok(Answer::json(&value).status(201))
}
