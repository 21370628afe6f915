//! S14 a new device, a lost or stolen key.

use warifu_consent::{KeyState, Typ};

use super::{
    Field, banner, buttons, choice, field, fill, h1, h2, home, link, p, problem, say, secondary,
    summary, when,
};
use crate::care::{Given, OneKey};
use crate::model::{Event, Key, Model, Outcome, Session, Trouble};
use crate::node::{El, IntoNodes as _, Node, el};
use crate::route::Route;
use crate::text::{self, Text};
use crate::time::DAY;

/// How far back consents are looked through after a theft, in days.
const REVIEW_DAYS: u64 = 30;

const SINCE: Field = Field {
    id: "since",
    label: text::DEVICES_SINCE,
    hint: text::DEVICES_SINCE_HINT,
    kind: "text",
    complete: "off",
    mode: "text",
};

pub(super) fn devices(m: &Model) -> Vec<Node> {
    let mut out = Vec::new();
    summary(m).put(&mut out);
    problem(m).put(&mut out);
    h1(m, text::DEVICES).put(&mut out);
    if let Outcome::Stopped(at) = m.outcome {
        let sentence = if at.saturating_add(60) < m.now && !m.since.trim().is_empty() {
            text::DEVICES_STOPPED_SINCE
        } else {
            text::DEVICES_STOPPED
        };
        let sentence = fill(m, sentence, &[("when", when(m, at))]);
        banner("ok", el("p").with(sentence))
            .attr("role", "status")
            .attr("tabindex", "-1")
            .put(&mut out);
        review(m, &mut out);
    }
    let all = [
        (text::DEVICES_NEW, Trouble::New),
        (text::DEVICES_LOST, Trouble::Lost),
        (text::DEVICES_STOLEN, Trouble::Stolen),
    ];
    let options: Vec<_> = all
        .into_iter()
        .map(|(label, one)| (label, m.trouble == Some(one), Event::Trouble(one)))
        .collect();
    choice(m, "trouble", text::DEVICES_WHY, &options).put(&mut out);
    // Of those that a key in other hands signed since a day some do not, as the field below says.
    if m.trouble != Some(Trouble::Stolen) || m.since.trim().is_empty() {
        p(m, text::DEVICES_GO_ON).put(&mut out);
    }
    match m.trouble {
        None => {}
        Some(Trouble::New) => steps(m, &mut out),
        Some(Trouble::Lost) => {
            p(m, text::DEVICES_LOST_HOW).put(&mut out);
            keys(m, true, &mut out);
            steps(m, &mut out);
        }
        Some(Trouble::Stolen) => {
            p(m, text::DEVICES_STOLEN_HOW).put(&mut out);
            if m.session == Session::Open {
                field(m, &SINCE, &m.since, Event::Since).put(&mut out);
            }
            keys(m, true, &mut out);
        }
    }
    if m.trouble.is_none() || m.trouble == Some(Trouble::New) {
        keys(m, false, &mut out);
    }
    out
}

/// A new key, step by step.
fn steps(m: &Model, out: &mut Vec<Node>) {
    h2(m, text::DEVICES_HOW).put(out);
    let all = [
        text::DEVICES_STEP_CODE,
        text::DEVICES_STEP_OPEN,
        text::DEVICES_STEP_ENTER,
    ];
    let all = all.map(|t| el("li").with(say(m, t)));
    el("ol").with(all).put(out);
}

/// The person's keys; each but the one of this device can be stopped.
fn keys(m: &Model, stop: bool, out: &mut Vec<Node>) {
    if m.session != Session::Open {
        h2(m, text::DEVICES_KEYS).put(out);
        if matches!(m.key, Key::Here { .. }) {
            p(m, text::DEVICES_PROVE).put(out);
            buttons(link(m, text::PROVE_GO, &Route::Home).class("btn btn2")).put(out);
        } else {
            p(m, text::DEVICES_DESK).put(out);
        }
        return;
    }
    h2(m, text::DEVICES_KEYS).put(out);
    let rows: Vec<El> = m.keys.own().map(|k| row(m, k, stop)).collect();
    el("ul").class("cards").with(rows).put(out);
    p(m, text::ENROL_KEY_OTHER).put(out);
}

fn row(m: &Model, k: &OneKey, stop: bool) -> El {
    let here = matches!(&m.key, Key::Here { x, .. } if *x == k.x);
    let title = if here {
        text::ENROL_KEY_THIS
    } else {
        text::DEVICES_OTHER
    };
    let mut card = el("li")
        .class("card")
        .with(el("h3").with(say(m, title)))
        .with(el("p").with(fill(m, text::ENROL_KEY_ROW, &[("when", when(m, k.since))])));
    match k.state {
        KeyState::Retired(at) | KeyState::Compromised(at) => {
            let stopped = fill(m, text::ENROL_KEY_STOPPED, &[("when", when(m, at))]);
            card = card.with(el("p").class("strong").with(stopped));
            // It may turn out to be longer ago.
            if m.trouble == Some(Trouble::Stolen) && matches!(k.state, KeyState::Compromised(_)) {
                let way = stop_way(m, k, text::DEVICES_EARLIER);
                card = card.with(el("div").class("ways").with(way));
            }
        }
        KeyState::Active if here && stop => card = card.with(p(m, text::DEVICES_THIS)),
        KeyState::Active if stop => {
            let way = stop_way(m, k, text::DEVICES_STOP);
            card = card.with(el("div").class("ways").with(way));
        }
        KeyState::Active => {}
    }
    card
}

fn stop_way(m: &Model, k: &OneKey, label: Text) -> El {
    secondary(m, label, Event::StopKey(k.kid.clone()))
        .class("btn btn2 small")
        .maybe("aria-busy", m.busy.then_some("true"))
}

/// What was signed of late: none of it may be a thief's.
fn review(m: &Model, out: &mut Vec<Node>) {
    let Some(mine) = &m.mine else {
        return;
    };
    h2(m, text::DEVICES_REVIEW).put(out);
    let since = m.now.saturating_sub(REVIEW_DAYS * DAY);
    let recent = mine.given.iter().rev();
    let recent: Vec<&Given> = recent
        .filter(|g| g.token.typ == Typ::Grant && g.at >= since)
        .collect();
    if recent.is_empty() {
        p(m, text::DEVICES_REVIEW_NONE).put(out);
    } else {
        let cards: Vec<El> = recent.into_iter().map(|g| home::card(m, g, "h3")).collect();
        el("ul").class("cards").with(cards).put(out);
    }
}
