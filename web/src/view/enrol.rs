//! S3: the code from the desk.

use warifu_consent::KeyState;

use super::{
    Field, banner, buttons, field, fill, h1, link, number, p, pass_field, primary, problem, say,
    summary, when,
};
use crate::care::OneKey;
use crate::model::{Enrol, Event, Key, Model};
use crate::node::{El, IntoNodes as _, Node, el};
use crate::route::Route;
use crate::text;

const CODE: Field = Field {
    id: "code",
    label: text::ENROL_CODE,
    hint: text::ENROL_CODE_HINT,
    kind: "text",
    complete: "one-time-code",
    mode: "numeric",
};

const BIRTH: Field = Field {
    id: "birth",
    label: text::ENROL_BIRTH,
    hint: text::ENROL_BIRTH_HINT,
    kind: "text",
    complete: "off",
    mode: "numeric",
};

pub(super) fn enrol(m: &Model) -> Vec<Node> {
    let mut out = Vec::new();
    if !matches!(m.key, Key::Here { .. }) {
        h1(m, text::ENROL_FIRST).put(&mut out);
        p(m, text::KEY_WHAT).put(&mut out);
        buttons(link(m, text::NEXT, &Route::Key).class("btn")).put(&mut out);
        return out;
    }
    if m.enrol == Enrol::Done {
        done(m, &mut out);
        return out;
    }
    summary(m).put(&mut out);
    if m.enrol == Enrol::Refused {
        banner("error", el("p").with(say(m, text::ENROL_NO)))
            .attr("role", "alert")
            .attr("tabindex", "-1")
            .put(&mut out);
    }
    problem(m).put(&mut out);
    h1(m, text::ENROL).put(&mut out);
    field(m, &CODE, &m.code, Event::Code).put(&mut out);
    field(m, &BIRTH, &m.birth, Event::Birth).put(&mut out);
    if m.sealed() {
        pass_field(m, false).put(&mut out);
    }
    buttons([
        primary(m, text::ENROL_GO, Event::Enrol)
            .maybe("aria-busy", (m.enrol == Enrol::Busy).then_some("true")),
        link(m, text::LEAVE, &Route::Start).class("btn btn2"),
    ])
    .put(&mut out);
    out
}

fn done(m: &Model, out: &mut Vec<Node>) {
    let keys: Vec<&OneKey> = m.keys.own().collect();
    h1(m, text::ENROL_DONE).put(out);
    el("h2")
        .with(fill(m, text::ENROL_KEYS, &[("n", number(keys.len()))]))
        .put(out);
    let own = match &m.key {
        Key::Here { x, .. } => x.as_str(),
        _ => "",
    };
    let rows: Vec<El> = keys
        .iter()
        .map(|k| {
            let mut row =
                el("li").with(fill(m, text::ENROL_KEY_ROW, &[("when", when(m, k.since))]));
            if k.x == own {
                row = row.with("（").with(say(m, text::ENROL_KEY_THIS)).with("）");
            }
            if let KeyState::Retired(at) | KeyState::Compromised(at) = k.state {
                let stopped = fill(m, text::ENROL_KEY_STOPPED, &[("when", when(m, at))]);
                row = row.with("（").with(stopped).with("）");
            }
            row
        })
        .collect();
    el("ul").with(rows).put(out);
    p(m, text::ENROL_KEY_OTHER).put(out);
    buttons(link(m, text::TO_HOME, &Route::Home).class("btn")).put(out);
}
