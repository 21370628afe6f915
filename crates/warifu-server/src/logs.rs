//! The log as everybody sees it, and as the person does.

use warifu_consent::json::{self, Value, object};
use warifu_log::{Appended, Kind, Line, NoteKey, OwnLine, Promise, Storage as _, Tile, api};

use crate::App;
use crate::consent::set;
use crate::disclose;
use crate::http::{Answer, Asked};
use crate::office::{Book, NoteSigner, Office, Tx, View};
use crate::people;
use crate::problem::{Code, Problem};
use crate::review;
use crate::witness;

/// Verdict of the person's own line about an emergency.
const OBJECTION: &str = warifu_consent::Verdict::Objection.word();

/// `GET /api/log/checkpoint`
pub(crate) fn checkpoint(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let note = app.office()?.read_log(|view, book| {
        let (_, note) = witness::shown(view, book)?.ok_or(Code::NotFound)?;
        Ok(note)
    })?;
    Ok(Answer::new("text/plain; charset=utf-8", note).tagged(asked))
}

/// `GET /api/log/tile/{…}`
pub(crate) fn tile(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let path = format!("tile/{}", asked.param(0));
    let tile = Tile::parse(&path).ok_or(Code::NotFound)?;
    let bytes = app.office()?.read_log(|_, book| {
        let kept = book.storage().tile(tile)?;
        Ok(kept.ok_or(Code::NotFound)?)
    })?;
    Ok(Answer::new("application/octet-stream", bytes).tagged(asked))
}

/// `GET /api/log/key`
pub(crate) fn key(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let key = office.log_key();
    let key = key.map_err(|e| Problem::internal(e.to_string()))?;
    let witnesses: Vec<String> = office.witnesses.iter().map(NoteKey::text).collect();
    let quorum = u64::try_from(office.quorum).unwrap_or(u64::MAX);
    let value = object([
        ("log", key.text().into()),
        ("witnesses", witnesses.into()),
        ("quorum", quorum.into()),
    ]);
    Ok(Answer::json(&value).tagged(asked))
}

/// `GET /api/log/mine`
pub(crate) fn mine(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let session = people::session(office, asked)?;
    let value = office.read_log(|view, book| {
        let sub = people::person(view, &session, asked)?.sub;
        let history = book.history(&sub)?;
        let (published, note) = witness::shown(view, book)?.unwrap_or_default();
        let mut counts = disclose::counts(view, &sub)?;
        let mut lines = Vec::new();
        for (index, own) in history {
            let own_line = api::write_own_line(&own);
            let own_value =
                json::read(own_line.as_bytes(), 2).map_err(|_| Problem::internal("log: form"))?;
            let mut value = object([("index", index.into()), ("own", own_value)]);
            if index < published {
                let proof = book.prove_in(index, published, &note)?;
                set(&mut value, "proof", proof.write());
            } else {
                set(
                    &mut value,
                    "promise",
                    promise_of(office, index, &own, view.now)?,
                );
            }
            if let Some(told) = counts.remove(&index) {
                set(&mut value, "counts", told);
            }
            lines.push(value);
        }
        let mut value = object([("sub", sub.as_str().into()), ("lines", Value::Array(lines))]);
        if let Some(head) = book.head(&sub) {
            set(&mut value, "n", head.n);
            set(&mut value, "head", head.head.url());
        }
        Ok(value)
    })?;
    Ok(Answer::json(&value))
}

/// `POST /api/log/{n}/objection`: the person objects to an emergency, by the number of its line. Objecting
/// twice says the same.
pub(crate) fn objection(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    asked.body(&[])?;
    let office = app.office()?;
    let session = people::session(office, asked)?;
    let number: u64 = asked.param(0).parse().map_err(|_| Code::NotFound)?;
    let leaf = office.write(|tx| {
        let sub = people::person(&tx.view, &session, asked)?.sub;
        let failed = |e: String| Problem::internal(format!("log: {e}"));
        let history = tx.book.history(&sub)?;
        let mut about = None;
        for (index, own) in &history {
            let line = Line::parse(&own.line).map_err(|e| failed(e.to_string()))?;
            let leaf = warifu_log::leaf_data(&own.salt, &own.line);
            if line.entry.kind() == Kind::BreakGlass
                && own.opening.is_some_and(|(_, place)| place.n == number)
            {
                about = Some((*index, leaf));
            }
            let said = |name: &str| line.entry.get(name).and_then(|v| v.text());
            if line.entry.kind() == Kind::Review
                && said("verdict") == Some(OBJECTION)
                && about.is_some_and(|(_, a)| said("of") == Some(&a.url()))
            {
                return Ok(leaf);
            }
        }
        let (index, about) = about.ok_or(Code::NotFound)?;
        let members = [("of", about.url().into()), ("verdict", OBJECTION.into())];
        let (line, _) = tx.line(Kind::Review, Some(&sub), &members)?;
        let verdict = warifu_consent::Verdict::Objection;
        review::keep(tx, index, line.index, verdict, ["", ""], tx.view.now)?;
        Ok(line.leaf)
    })?;
    Ok(Answer::json(&object([("line", leaf.url().into())])))
}

fn promise_of(office: &Office, index: u64, own: &OwnLine, at: u64) -> Result<String, Problem> {
    let leaf = warifu_log::leaf_data(&own.salt, &own.line);
    promise(office, index, leaf, at)
}

fn promise(
    office: &Office,
    index: u64,
    leaf: warifu_log::Hash,
    at: u64,
) -> Result<String, Problem> {
    let key = office
        .log_key()
        .map_err(|e| Problem::internal(e.to_string()))?;
    let signer = NoteSigner(office.signer("log")?);
    let promise = Promise::new(&office.log_name, leaf, index, at);
    let signed = promise.sign(&key, &signer);
    signed.ok_or_else(|| Problem::internal("the promise was not signed"))
}

/// What everybody may check of a line that is about nobody.
pub(crate) fn public_evidence(view: &View<'_>, book: &Book, index: u64) -> Result<Value, Problem> {
    let sql = "SELECT line, salt FROM log_lines WHERE idx = ?1";
    let rows = view.db.query(sql, &[index.into()])?;
    let read = || {
        let row = rows.first()?;
        let salt: [u8; 16] = row.bytes(1)?.try_into().ok()?;
        Some((row.text(0)?, salt))
    };
    let (line, salt) = read().ok_or(warifu_store::StoreError::Form("log_lines"))?;
    let mut value = object([
        ("line", line.into()),
        ("salt", warifu_log::encode_url(&salt).into()),
    ]);
    let (published, note) = witness::shown(view, book)?.unwrap_or_default();
    if index < published {
        let proof = book.prove_in(index, published, &note)?;
        set(&mut value, "proof", proof.write());
    } else {
        let leaf = warifu_log::leaf_data(&salt, line);
        let promise = promise(view.office, index, leaf, view.now)?;
        set(&mut value, "promise", promise);
    }
    Ok(value)
}

/// What a recipient checks before it uses data: line, salt, promise. It is handed out only after the
/// transaction that has the line was committed.
pub(crate) fn evidence(tx: &Tx<'_>, line: &Appended, salt: &[u8; 16]) -> Result<Value, Problem> {
    let promise = promise(tx.view.office, line.index, line.leaf, tx.view.now)?;
    Ok(object([
        ("line", line.line.as_str().into()),
        ("salt", warifu_log::encode_url(salt).into()),
        ("promise", promise.into()),
    ]))
}
