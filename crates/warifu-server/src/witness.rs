//! Witnesses of the log (consent.md §9.3): who else has to have signed a checkpoint before anybody is shown it.
//!
//! The log signs a checkpoint; a witness fetches it (`GET /api/log/pending`), holds it against the last one it
//! signed by the tiles, and sends its signature. What too few have signed is shown to nobody, so a server
//! cannot tell two people two histories.

use anyhow::Context as _;
use warifu_consent::json::{Value, object};
use warifu_log::{Note, NoteKey, Signed};
use warifu_store::StoreError;

use crate::App;
use crate::http::{Answer, Asked};
use crate::office::{Book, Office, Tx, View};
use crate::problem::{Code, Problem};

/// Checkpoints that wait for witnesses at once; the oldest go.
const MOST: u64 = 64;

/// Witnesses and quorum of the settings; a witness that is named counts.
///
/// # Errors
/// A key that is none, or a quorum that is 0 or more than there are.
pub(crate) fn named(settings: &Value) -> anyhow::Result<(Vec<NoteKey>, usize)> {
    let mut keys = Vec::new();
    for text in settings.get("witnesses").into_iter().flat_map(Value::texts) {
        keys.push(NoteKey::parse(text).with_context(|| format!("witnesses: {text}"))?);
    }
    let quorum = match settings.get("quorum") {
        None => keys.len().min(1),
        Some(n) => usize::try_from(n.int().context("quorum")?)?,
    };
    if quorum > keys.len() || (quorum == 0 && !keys.is_empty()) {
        anyhow::bail!("quorum {quorum} of {} witnesses", keys.len());
    }
    Ok((keys, quorum))
}

/// Size and signed text of the newest checkpoint that may be shown.
pub(crate) fn shown(view: &View<'_>, book: &Book) -> Result<Option<(u64, String)>, Problem> {
    let office = view.office;
    if office.quorum == 0 {
        return Ok(book.published().map(|(c, note)| (c.size, note.to_owned())));
    }
    let sql = "SELECT size, note FROM witnessing WHERE seen = 1 ORDER BY size DESC LIMIT 1";
    let rows = view.db.query(sql, &[])?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let read = || Some((row.int(0)?, row.text(1)?.to_owned()));
    let (size, note) = read().ok_or(StoreError::Form("witnessing"))?;
    // Others may have been named since.
    let trust = office.witnesses_trusted();
    let trust = trust.map_err(|e| Problem::internal(e.to_string()))?;
    Ok(trust
        .verify(note.as_bytes())
        .is_ok()
        .then_some((size, note)))
}

/// A checkpoint that was just signed waits for the witnesses.
pub(crate) fn waits(tx: &Tx<'_>, note: &str) -> Result<(), Problem> {
    if tx.view.office.witnesses.is_empty() {
        return Ok(());
    }
    let Some((checkpoint, _)) = tx.book.published() else {
        return Ok(());
    };
    let db = tx.view.db;
    db.run(
        "INSERT INTO witnessing (size, note, seen) VALUES (?1, ?2, 0) ON CONFLICT (size) DO NOTHING",
        &[checkpoint.size.into(), note.into()],
    )?;
    db.run(
        "DELETE FROM witnessing WHERE seen = 0 AND size NOT IN
         (SELECT size FROM witnessing WHERE seen = 0 ORDER BY size DESC LIMIT ?1)",
        &[MOST.into()],
    )?;
    Ok(())
}

/// `GET /api/log/pending`: the newest checkpoint, with the signatures that it has by now.
pub(crate) fn pending(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let note = office.read_log(|view, book| {
        if office.witnesses.is_empty() {
            return Err(Code::NotFound.into());
        }
        let (checkpoint, note) = book.published().ok_or(Code::NotFound)?;
        Ok(kept(view, checkpoint.size)?.unwrap_or_else(|| note.to_owned()))
    })?;
    Ok(Answer::new("text/plain; charset=utf-8", note).tagged(asked))
}

/// The note of a size as it is kept.
fn kept(view: &View<'_>, size: u64) -> Result<Option<String>, Problem> {
    let sql = "SELECT note FROM witnessing WHERE size = ?1";
    let rows = view.db.query(sql, &[size.into()])?;
    Ok(rows.first().and_then(|r| r.text(0)).map(str::to_owned))
}

/// `POST /api/log/cosignature`: a whole note, as `GET /api/log/pending` gave it, with a line of a witness.
pub(crate) fn cosigned(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let body = asked.body(&["note"])?;
    let given = body.text("note")?;
    let trust = office.witnesses_known();
    let trust = trust.map_err(|e| Problem::internal(e.to_string()))?;
    let size = trust
        .verify(given.as_bytes())
        .map_err(|_| Code::Cosignature)?
        .size;
    let value = office.write(|tx| {
        // One that nobody waits for any more, or that was never signed here.
        let own = if let Some(note) = kept(&tx.view, size)? {
            note
        } else {
            let newest = tx.book.published().filter(|(c, _)| c.size == size);
            let (_, note) = newest.ok_or(Code::NotFound)?;
            let note = note.to_owned();
            waits(tx, &note)?;
            note
        };
        let (note, count) = merged(office, &own, given).ok_or(Code::Cosignature)?;
        let seen = count >= office.quorum;
        let db = tx.view.db;
        db.run(
            "UPDATE witnessing SET note = ?1, seen = ?2 WHERE size = ?3",
            &[note.into(), u64::from(seen).into(), size.into()],
        )?;
        if seen {
            let sql = "DELETE FROM witnessing WHERE size < ?1";
            db.run(sql, &[size.into()])?;
        }
        let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Ok(object([
            ("size", size.into()),
            ("witnesses", number(count).into()),
            ("quorum", number(office.quorum).into()),
            ("shown", Value::Bool(seen)),
        ]))
    })?;
    Ok(Answer::json(&value))
}

/// The own note with the lines of witnesses that the given one has and it has not; and how many signed. `None`
/// where the texts differ, or no witness signed the given one.
fn merged(office: &Office, own: &str, given: &str) -> Option<(String, usize)> {
    let (mine, theirs) = (
        Note::parse(own.as_bytes()).ok()?,
        Note::parse(given.as_bytes()).ok()?,
    );
    if mine.text() != theirs.text() {
        return None;
    }
    let signed = |note: &Note<'_>, w: &NoteKey| matches!(note.signed(w), Signed::At(_));
    let mut note = own.to_owned();
    let (mut count, mut new) = (0, 0);
    for witness in &office.witnesses {
        new += usize::from(signed(&theirs, witness));
        if signed(&mine, witness) {
            count += 1;
        } else if signed(&theirs, witness) {
            // The line that it signed alone: anybody can write others under its name.
            let head = format!("\u{2014} {} ", witness.name());
            let mut lines = given.lines().filter(|line| line.starts_with(&head));
            note = lines.find_map(|line| {
                let with = format!("{note}{line}\n");
                let is_its = signed(&Note::parse(with.as_bytes()).ok()?, witness);
                is_its.then_some(with)
            })?;
            count += 1;
        }
    }
    let sound = office
        .witnesses_known()
        .ok()?
        .verify(note.as_bytes())
        .is_ok();
    (new > 0 && sound).then_some((note, count))
}
