//! The stream of the real-time monitor (consent.md §9.6): server-sent events, a line of the log each, without
//! the person it is about.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderName;
use http_body_util::channel::{Channel, Sender};
use warifu_consent::json::{self, Value, object};
use warifu_log::Storage as _;
use warifu_store::StoreError;

use crate::App;
use crate::http::{Answer, Asked};
use crate::people;
use crate::problem::{Code, Problem};

/// Who may follow at once.
pub(crate) const MOST: usize = 16;
/// How often the log is looked at: other servers write to it, too.
const EVERY: Duration = Duration::from_secs(1);
/// Lines that are read at once.
const AT_ONCE: usize = 256;
/// Kinds that a monitor sees.
const KINDS: &[&str] = &[
    "breakglass",
    "disaster",
    "disclose",
    "policy",
    "refuse",
    "release",
    "review",
    "staff-read",
    "usage",
    "watch",
];
/// Members that a monitor sees: nothing by which a person or a token could be found.
const MEMBERS: &[&str] = &[
    "at", "basis", "cats", "per", "pur", "rcp", "role", "rsn", "rule", "what",
];

/// `GET /api/watch`: from now on, or after the line that `Last-Event-ID` names.
pub(crate) fn watch(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let last = asked.header(HeaderName::from_static("last-event-id"));
    let last = last.map(|id| id.parse::<u64>().map_err(|_| Code::Parameter));
    let last = last.transpose()?;
    let size = office.write(|tx| {
        let by = people::institution(app, tx, asked, "/api/watch")?;
        if by.code != office.institution {
            return Err(Code::Person.into());
        }
        Ok(tx.book.size())
    })?;
    let from = last.map_or(size, |last| last.saturating_add(1).min(size));
    let place = Arc::clone(&app.0.monitors).try_acquire_owned();
    let place = place.map_err(|_| Code::Busy)?;
    let (sender, body) = Channel::<Bytes>::new(4);
    let app = app.clone();
    tokio::spawn(async move {
        follow(app, sender, from).await;
        drop(place);
    });
    let mut answer = Answer::new("text/event-stream", Vec::new());
    answer.live = Some(Body::new(body));
    Ok(answer)
}

/// Until the monitor is gone, the log cannot be read, or the server ends. Each time something is sent, so
/// that who is gone is noticed.
async fn follow(app: App, mut sender: Sender<Bytes>, mut from: u64) {
    while !app.0.is_ending.load(Ordering::Relaxed) {
        let reader = app.clone();
        let read = tokio::task::spawn_blocking(move || events(&reader, from)).await;
        let Ok(Ok((text, next))) = read else {
            return;
        };
        let more = next > from;
        from = next;
        if sender.send_data(text.into()).await.is_err() {
            return;
        }
        if !more {
            tokio::time::sleep(EVERY).await;
        }
    }
}

/// Events of the lines from one on, and the line after them.
fn events(app: &App, from: u64) -> Result<(String, u64), Problem> {
    app.office()?.read_log(|_, book| {
        let records = book.storage().read(from, AT_ONCE)?;
        // A comment, where there is nothing else.
        let mut text = ":\n\n".to_owned();
        let mut next = from;
        for record in records {
            let line = json::read(record.line.as_bytes(), 4);
            let line = line.map_err(|_| StoreError::Form("the log"))?;
            let kind = line.get("kind").and_then(Value::text).unwrap_or_default();
            if KINDS.contains(&kind) {
                let shown = MEMBERS
                    .iter()
                    .filter_map(|name| Some((*name, line.get(name)?.clone())));
                let mut event = object([]);
                for (name, value) in shown {
                    crate::consent::set(&mut event, name, value);
                }
                let data = event.write();
                let _ = write!(text, "id: {next}\nevent: {kind}\ndata: {data}\n\n");
            }
            next = next.saturating_add(1);
        }
        Ok((text, next))
    })
}
