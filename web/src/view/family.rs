//! S11: whom this key acts for, and changing to them and back.

use super::{
    banner, buttons, fill, h1, h2, link, on_day, p, pass_field, problem, say, secondary, summary,
    when,
};
use crate::care::Bond;
use crate::model::{Event, Model, Outcome};
use crate::node::{El, IntoNodes as _, Node, el};
use crate::route::Route;
use crate::text::{self, Text};

/// Who that is: no token names anybody.
fn relation(bond: &Bond) -> Text {
    match bond.role.as_str() {
        "guardian" => text::FAMILY_CHILD,
        "adult_guardian" => text::FAMILY_WARD,
        "family" => text::FAMILY_LATE,
        _ => text::FAMILY_DELEGATE,
    }
}

/// Who signs in the person's name, and the way to end that.
fn mandates(m: &Model, out: &mut Vec<Node>) {
    let Some(mine) = &m.mine else { return };
    let all: Vec<El> = m
        .person_keys()
        .delegates(&mine.sub)
        .map(|k| {
            let since = fill(m, text::ENROL_KEY_ROW, &[("when", when(m, k.since))]);
            let end = Event::EndMandate(k.jti.clone());
            let way = secondary(m, text::MANDATE_END, end)
                .class("btn btn2 small")
                .maybe("aria-busy", m.busy.then_some("true"));
            el("li")
                .class("card")
                .with(el("h3").with(say(m, text::MANDATE_ONE)))
                .with(el("p").with(since))
                .with(el("div").class("ways").with(way))
        })
        .collect();
    if all.is_empty() {
        return;
    }
    h2(m, text::MANDATES).put(out);
    p(m, text::MANDATE_WHAT).put(out);
    if m.sealed() {
        pass_field(m, false).put(out);
    }
    el("ul").class("cards").with(all).put(out);
}

pub(super) fn family(m: &Model) -> Vec<Node> {
    let mut out = Vec::new();
    summary(m).put(&mut out);
    problem(m).put(&mut out);
    h1(m, text::FAMILY).put(&mut out);
    if let Outcome::Mandate(at) = m.outcome {
        let sentence = fill(m, text::MANDATE_ENDED, &[("when", when(m, at))]);
        banner("ok", el("p").with(sentence))
            .attr("role", "status")
            .attr("tabindex", "-1")
            .put(&mut out);
    }
    mandates(m, &mut out);
    let bonds: Vec<&Bond> = m.bonds.iter().filter(|b| b.person.is_some()).collect();
    if bonds.is_empty() {
        p(m, text::FAMILY_NONE).put(&mut out);
        return out;
    }
    let cards: Vec<El> = bonds.into_iter().map(|b| card(m, b)).collect();
    el("ul").class("cards").with(cards).put(&mut out);
    if m.acting.is_some() {
        buttons(secondary(m, text::FAMILY_BACK, Event::ActFor(None))).put(&mut out);
    }
    out
}

fn card(m: &Model, bond: &Bond) -> El {
    let mut card = el("li")
        .class("card")
        .with(el("h2").with(say(m, relation(bond))))
        .with(el("p").with(fill(
            m,
            text::ENROL_KEY_ROW,
            &[("when", when(m, bond.since))],
        )));
    let day = |label: Text, day: Option<warifu_consent::Date>| {
        day.map(|d| el("p").with(fill(m, label, &[("when", on_day(m, d.starts()))])))
    };
    if bond.is_over(m.now) {
        return card.with(day(text::FAMILY_OVER, bond.until));
    }
    card = card
        .with(day(text::FAMILY_UNTIL, bond.until))
        .with(day(text::FAMILY_OBJECT, bond.until_obj));
    if !bond.is_for_all(m.now) {
        return card.with(p(m, text::FAMILY_DESK));
    }
    if m.acting.as_ref().is_some_and(|a| a.jti == bond.jti) {
        return card.with(el("p").class("strong").with(say(m, text::FAMILY_NOW)));
    }
    let act = Event::ActFor(bond.person.clone());
    let way = secondary(m, text::FAMILY_GO, act).class("btn btn2 small");
    card.with(el("div").class("ways").with(way))
}

/// On every screen: whose it is.
pub(super) fn band(m: &Model) -> Option<El> {
    let bond = m.acting.as_ref()?;
    let who = Node::El(Box::new(el("span").with(say(m, relation(bond)))));
    let inside = el("p")
        .with(el("strong").with(fill(m, text::ACTING, &[("person", who)])))
        .with(" ")
        .with(link(m, text::ACTING_CHANGE, &Route::Family));
    Some(el("div").class("band").with(inside))
}
