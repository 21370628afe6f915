//! Records in by upload: an institution sends its storage, or a Bundle, as a signed request.
//!
//! Closed to every key that was not given the right (`warifu serve register --sends`). What is taken is what
//! `warifu serve ingest` takes, under the institution's own code and numbers.

use warifu_consent::json::object;
use warifu_storage::Found;

use crate::App;
use crate::cutoff::was_held;
use crate::http::{Answer, Asked};
use crate::people;
use crate::problem::{Code, Problem};
use crate::vendor;

/// Code of the institution that sends; its request is taken once, whatever becomes of it.
fn sender(app: &App, asked: &Asked, path: &str) -> Result<String, Problem> {
    app.office()?.write(|tx| {
        let by = people::institution(app, tx, asked, path)?;
        let keys = tx.view.registered(&by.kid)?;
        if !keys.iter().any(|k| k.rights.sends) {
            return Err(Code::Sender.into());
        }
        if was_held(&tx.view, &by.kid)? {
            return Err(Code::Held.into());
        }
        Ok(by.code)
    })
}

/// `POST /api/ingest`: a storage as an archive, a journal or the parts of a form. What its patients gave before
/// is replaced.
pub(crate) fn storage(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let from = sender(app, asked, "/api/ingest")?;
    let vendor::Taken {
        storage, mut room, ..
    } = vendor::storage(app, asked)?;
    for found in storage.walk() {
        if let Found::Note(note) = found {
            room.note(&note)?;
        }
    }
    if !storage.has_storage() {
        return Err(Problem::from(Code::Body).because("no storage"));
    }
    let done = app.office()?.ingest_of(&from, &storage)?;
    Ok(Answer::json(&object([
        ("patients", done.patients.into()),
        ("unchanged", done.unchanged.into()),
        ("records", done.records.into()),
        ("quarantined", done.quarantined.into()),
        ("unreadable", done.unreadable.into()),
        ("loose", done.loose.into()),
    ])))
}

/// `POST /api/ingest/bundle`: a FHIR Bundle of one person.
pub(crate) fn bundle(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let from = sender(app, asked, "/api/ingest/bundle")?;
    let body = asked.body.whole()?;
    let done = app.office()?.ingest_bundle_of(&from, None, &body)?;
    Ok(Answer::json(&object([
        ("records", done.records.into()),
        ("deleted", done.deleted.into()),
    ])))
}
