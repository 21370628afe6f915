//! S15: whom else to tell of an emergency.

use super::{
    Field, banner, buttons, choice, data, field, fill, h1, h2, link, number, p, primary, problem,
    say, summary, unloaded,
};
use crate::contact::{Contact, MOST, WAYS};
use crate::model::{Event, Model, Outcome};
use crate::node::{El, IntoNodes as _, Node, el};
use crate::route::Route;
use crate::text::{self, Text};
use crate::wish::WishStep;

const NAME: Field = Field {
    id: "contact-name",
    label: text::CONTACT_NAME,
    hint: text::CONTACT_NAME_HINT,
    kind: "text",
    complete: "off",
    mode: "text",
};

const TO: Field = Field {
    id: "contact-to",
    label: text::CONTACT_TO,
    hint: text::CONTACT_TO_HINT,
    kind: "text",
    complete: "off",
    mode: "text",
};

/// Names of [`WAYS`].
const NAMES: [Text; 3] = [text::BY_MAIL, text::BY_PHONE, text::BY_POST];

pub(super) fn contacts(m: &Model) -> Vec<Node> {
    let Some(all) = &m.contacts else {
        return unloaded(m);
    };
    let mut out = Vec::new();
    summary(m).put(&mut out);
    problem(m).put(&mut out);
    h1(m, text::CONTACTS).put(&mut out);
    if m.outcome == Outcome::Contacts {
        banner("ok", p(m, text::CONTACTS_KEPT))
            .attr("role", "status")
            .attr("tabindex", "-1")
            .put(&mut out);
    }
    p(m, text::CONTACTS_WHAT).put(&mut out);
    p(m, text::CONTACTS_SAFE).put(&mut out);
    if all.is_empty() {
        p(m, text::CONTACTS_NONE).class("strong").put(&mut out);
    } else {
        let cards: Vec<El> = all.iter().enumerate().map(|(n, c)| card(m, n, c)).collect();
        el("ul").class("cards").with(cards).put(&mut out);
    }
    if all.len() >= MOST {
        let sentence = fill(m, text::CONTACTS_FULL, &[("n", number(MOST))]);
        el("p").with(sentence).put(&mut out);
        return out;
    }
    h2(m, text::CONTACT_NEW).put(&mut out);
    field(m, &NAME, &m.contact.name, Event::ContactName).put(&mut out);
    let ways: Vec<_> = WAYS
        .into_iter()
        .zip(NAMES)
        .map(|(by, label)| (label, m.contact.by == by, Event::ContactBy(by)))
        .collect();
    choice(m, "contact-by", text::CONTACT_BY, &ways)
        .id("contact-by")
        .attr("tabindex", "-1")
        .put(&mut out);
    field(m, &TO, &m.contact.to, Event::ContactTo).put(&mut out);
    buttons([
        primary(m, text::CONTACT_ADD, Event::ContactAdd)
            .maybe("aria-busy", m.busy.then_some("true")),
        link(m, text::BACK, &Route::Emergency(WishStep::Start)).class("btn btn2"),
    ])
    .put(&mut out);
    out
}

fn card(m: &Model, n: usize, c: &Contact) -> El {
    let way = WAYS.iter().zip(NAMES).find(|(by, _)| **by == c.by);
    let way = way.map_or_else(Vec::new, |(_, name)| say(m, name));
    let drop = el("button")
        .attr("type", "button")
        .class("btn btn2 small")
        .maybe("aria-busy", m.busy.then_some("true"))
        .with(fill(m, text::CONTACT_DROP, &[("name", data(&c.name))]))
        .press(Event::ContactDrop(n));
    el("li")
        .class("card")
        .with(el("h2").with(data(&c.name)))
        .with(
            el("dl").with(
                el("div")
                    .with(el("dt").with(way))
                    .with(el("dd").with(data(&c.to))),
            ),
        )
        .with(el("div").class("ways").with(drop))
}
