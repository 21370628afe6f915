//! S2: the key.

use super::{banner, buttons, h1, link, p, pass_field, primary, say, summary};
use crate::model::{Event, Key, Model};
use crate::node::{El, IntoNodes as _, Node, el};
use crate::route::Route;
use crate::text;

/// The key goes with this page.
fn gone(m: &Model) -> El {
    let inside = [
        el("p").class("strong").with(say(m, text::KEY_GONE)),
        el("p").with(say(m, text::KEY_GONE_WHY)),
    ];
    banner("warn", inside)
}

pub(super) fn key(m: &Model) -> Vec<Node> {
    let mut out = Vec::new();
    if let Key::Here { fleeting, .. } = m.key {
        h1(m, text::KEY_THERE).put(&mut out);
        if fleeting {
            gone(m).put(&mut out);
        }
        p(m, text::KEY_WHAT).put(&mut out);
        p(m, text::KEY_MADE_NEXT).put(&mut out);
        buttons(link(m, text::NEXT, &Route::Enrol).class("btn")).put(&mut out);
        return out;
    }
    summary(m).put(&mut out);
    h1(m, text::KEY).put(&mut out);
    p(m, text::KEY_WHAT).put(&mut out);
    p(m, text::KEY_LOST).put(&mut out);
    if !m.keeps {
        gone(m).put(&mut out);
    }
    if m.key == Key::Unread {
        banner("error", el("p").with(say(m, text::KEY_UNREAD)))
            .attr("role", "alert")
            .put(&mut out);
        return out;
    }
    if m.key == Key::Failed {
        banner("error", el("p").with(say(m, text::KEY_FAILED)))
            .attr("role", "alert")
            .attr("tabindex", "-1")
            .put(&mut out);
    }
    if m.key == Key::NeedsPass {
        p(m, text::KEY_FALLBACK).put(&mut out);
        pass_field(m, true).put(&mut out);
    }
    let busy = m.key == Key::Making;
    buttons([
        primary(m, text::KEY_MAKE, Event::MakeKey).maybe("aria-busy", busy.then_some("true")),
        link(m, text::LEAVE, &Route::Start).class("btn btn2"),
    ])
    .put(&mut out);
    out
}
