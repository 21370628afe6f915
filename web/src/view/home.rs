//! S4, and what stands before every screen that needs a session.

use super::{
    banner, buttons, fill, h1, h2, history, institutions, link, number, p, pass_field, primary,
    problem, purposes, say, secondary, summary, unloaded, when, wishes,
};
use crate::care::{Given, Mine, Waiting};
use crate::model::{Event, Key, Model, Session};
use crate::node::{El, IntoNodes as _, Node, el};
use crate::route::Route;
use crate::text;
use crate::wizard::Step;

/// The session is not open yet.
pub(super) fn prove(m: &Model) -> Vec<Node> {
    let mut out = Vec::new();
    if !m.online && matches!(m.key, Key::Here { .. }) {
        h1(m, text::OFFLINE_NEEDS).put(&mut out);
        p(m, text::OFFLINE_THERE).put(&mut out);
        buttons(link(m, text::NAV_CONSENTS, &Route::Consents).class("btn btn2")).put(&mut out);
        return out;
    }
    match m.key {
        Key::None | Key::NeedsPass | Key::Failed | Key::Making => {
            h1(m, text::ENROL_FIRST).put(&mut out);
            p(m, text::KEY_WHAT).put(&mut out);
            buttons(link(m, text::NEXT, &Route::Key).class("btn")).put(&mut out);
        }
        Key::Unread => {
            banner("error", el("p").with(say(m, text::KEY_UNREAD)))
                .attr("role", "alert")
                .put(&mut out);
            h1(m, text::NOT_SHOWN).put(&mut out);
        }
        _ if m.session == Session::Refused => {
            banner("error", el("p").with(say(m, text::PROVE_REFUSED)))
                .attr("role", "alert")
                .attr("tabindex", "-1")
                .put(&mut out);
            h1(m, text::PROVE).put(&mut out);
            buttons([
                link(m, text::PROVE_ENROL, &Route::Enrol).class("btn"),
                link(m, text::DEVICES, &Route::Devices).class("btn btn2"),
            ])
            .put(&mut out);
        }
        Key::Here { sealed, .. }
            if m.session != Session::Open
                && (sealed || m.closed.is_some() || m.session == Session::Failed) =>
        {
            problem(m).put(&mut out);
            summary(m).put(&mut out);
            match m.closed {
                Some(at) => {
                    el("h1")
                        .attr("tabindex", "-1")
                        .with(fill(m, text::CLOSED, &[("when", when(m, at))]))
                        .put(&mut out);
                    if m.draft.is_some() {
                        p(m, text::CLOSED_KEPT).put(&mut out);
                    }
                    p(m, text::PROVE).put(&mut out);
                }
                None => h1(m, text::PROVE).put(&mut out),
            }
            if sealed {
                pass_field(m, false).put(&mut out);
            }
            buttons(primary(m, text::PROVE_GO, Event::Prove).maybe(
                "aria-busy",
                (m.session == Session::Proving).then_some("true"),
            ))
            .put(&mut out);
        }
        _ => unloaded(m).put(&mut out),
    }
    out
}

/// How many could not be verified here.
pub(super) fn unproved(m: &Model, mine: &Mine) -> Option<El> {
    let n = ("n", number(mine.unproved));
    let sentence = fill(m, text::HOME_UNPROVED, &[n]);
    (mine.unproved > 0).then(|| banner("error", el("p").with(sentence)))
}

pub(super) fn home(m: &Model) -> Vec<Node> {
    let mut out = Vec::new();
    let Some(mine) = &m.mine else {
        return unloaded(m);
    };
    if m.waiting_requests.is_none() && m.shelved.is_none() {
        return unloaded(m);
    }
    problem(m).put(&mut out);
    let open: Vec<&Given> = mine.open(m.now).collect();
    let places = number(mine.recipients(m.now).len());
    el("h1")
        .attr("tabindex", "-1")
        .with(fill(m, text::HOME, &[("n", places)]))
        .put(&mut out);
    unproved(m, mine).put(&mut out);
    history::alarms(m).put(&mut out);
    wishes::undenied(m).put(&mut out);
    if open.is_empty() && mine.unproved == 0 {
        p(m, text::HOME_NONE).put(&mut out);
    }
    if let Some(waiting) = m.waiting_requests.as_ref().filter(|_| m.shelved.is_none()) {
        requests(m, waiting, &mut out);
    }
    history::latest(m, &mut out);
    if !open.is_empty() {
        h2(m, text::HOME_SHOWN).put(&mut out);
        let cards: Vec<El> = open.into_iter().map(|g| card(m, g, "h3")).collect();
        el("ul").class("cards").with(cards).put(&mut out);
    }
    out
}

/// What was asked together, the general part first.
fn groups(waiting: &[Waiting]) -> Vec<Vec<&Waiting>> {
    let mut all: Vec<Vec<&Waiting>> = Vec::new();
    for one in waiting {
        let same = |g: &&mut Vec<&Waiting>| {
            let first = g.first();
            first.is_some_and(|f| !f.group.is_empty() && f.group == one.group && f.aud == one.aud)
        };
        match all.iter_mut().find(same) {
            Some(group) => group.push(one),
            None => all.push(vec![one]),
        }
    }
    for group in &mut all {
        group.sort_by_key(|w| w.individual);
    }
    all
}

fn requests(m: &Model, waiting: &[Waiting], out: &mut Vec<Node>) {
    let groups = groups(waiting);
    el("h2")
        .with(fill(m, text::HOME_WAITING, &[("n", number(groups.len()))]))
        .put(out);
    if waiting.is_empty() {
        p(m, text::HOME_WAITING_NONE).put(out);
        return;
    }
    let names = |all: &[&Waiting]| {
        let cats = all.iter().filter(|w| w.individual).flat_map(|w| &w.cat);
        super::categories(m, &cats.cloned().collect::<Vec<_>>())
    };
    let mut rows: Vec<El> = Vec::new();
    let asked = |g: &[&Waiting]| -> Vec<_> {
        g.iter()
            .map(|w| (w.aud.clone(), w.pur.clone(), w.cat.clone()))
            .collect()
    };
    for (at, group) in groups.iter().enumerate() {
        let Some(first) = group.first() else { continue };
        // What is asked again in the same words is one row.
        let like = |g: &&Vec<&Waiting>| asked(g) == asked(group);
        if groups.iter().take(at).any(|g| like(&g)) {
            continue;
        }
        let again = groups.iter().filter(like).count();
        let again = (again > 1).then(|| fill(m, text::HOME_AGAIN, &[("n", number(again))]));
        let general: Vec<String> = group
            .iter()
            .filter(|w| !w.individual)
            .flat_map(|w| w.cat.clone())
            .collect();
        let wants = (!general.is_empty()).then(|| {
            let slot = ("categories", super::categories(m, &general));
            fill(m, text::HOME_WANTS, &[slot])
        });
        let route = Route::Wizard(first.req.clone(), Step::Who);
        let about = (!first.individual)
            .then(|| fill(m, text::HOME_FOR, &[("purpose", purposes(m, &first.pur))]));
        let apart = group.iter().any(|w| w.individual);
        let apart = apart.then(|| fill(m, text::HOME_ALSO, &[("categories", names(group))]));
        let since = fill(m, text::HOME_ASKED, &[("when", when(m, first.at))]);
        let way = el("a")
            .attr("href", route.path())
            .class("card-link")
            .with(el("span").class("strong").with(institutions(m, &first.aud)))
            .with(about.map(|a| el("span").with(a)))
            .with(wants.map(|a| el("span").with(a)))
            .with(apart.map(|a| el("span").with(a)))
            .with(el("span").class("mark").with(since))
            .with(again.map(|a| el("span").class("mark").with(a)));
        // Of several of one, the last has the way to refuse them all.
        let shown = |g: &Vec<&Waiting>| groups.iter().position(|o| asked(o) == asked(g));
        let of_it = |g: &Vec<&Waiting>| g.first().is_some_and(|w| w.aud == first.aud);
        let places = groups.iter().filter(|g| of_it(g)).filter_map(shown);
        let last = places.max() == Some(at);
        let several = waiting.iter().filter(|w| w.aud == first.aud).count() > 1;
        let all = (last && several).then(|| {
            let busy = (!m.refusing.is_empty()).then_some("true");
            let all = secondary(
                m,
                text::HOME_REFUSE_ALL,
                Event::DeclineAll(first.aud.clone()),
            );
            all.class("btn btn2 small").maybe("aria-busy", busy)
        });
        rows.push(el("li").with(way).with(all));
    }
    el("ul").class("menu requests").with(rows).put(out);
}

/// `ConsentCard`: who, until when, and the way out beside it; its heading is of this level.
pub(super) fn card(m: &Model, given: &Given, heading: &'static str) -> El {
    let cats = given.list("cat");
    let names = cats.iter().map(|c| el("li").with(super::category(m, c)));
    let jti = given.jti().to_owned();
    let (sentence, at) = match given.ended {
        None if given.is_open(m.now) => (text::CONSENT_OPEN, given.token.int("exp")),
        None => (text::CONSENT_ENDED, given.token.int("exp")),
        at => (text::CONSENT_ENDED, at),
    };
    let state = fill(m, sentence, &[("when", when(m, at.unwrap_or(0)))]);
    let mut ways = Vec::new();
    let here = Route::Consent(jti.clone());
    if m.route != here {
        ways.push(link(m, text::CONSENT_LOOK, &here).class("btn btn2 small"));
    }
    if given.is_open(m.now) && m.shelved.is_none() {
        ways.push(link(m, text::CONSENT_END, &Route::Withdraw(jti)).class("btn btn2 small"));
    }
    el("li")
        .class("card")
        .with(el(heading).with(institutions(m, &given.list("aud"))))
        .with(el("p").with(state))
        .with(el("ul").class("tags").with(names.collect::<Vec<_>>()))
        .with(el("div").class("ways").with(ways))
}
