//! S9 objection to secondary use, S10 emergencies: how it stands, the choice, text and signature.

use warifu_log::Kind;

use super::consents::receipt_way;
use super::wizard::{PICKED, terms};
use super::{
    banner, box_row, button, buttons, category, category_id, choice_of, fill, h1, h2, home,
    institution, link, number, on_day, p, pass_field, problem, purposes, say, secondary,
    signed_text, summary, unloaded, when,
};
use crate::care::{Given, Mine};
use crate::model::{Event, Model, Outcome};
use crate::node::{El, IntoNodes as _, Node, el};
use crate::route::Route;
use crate::text::{self, Text};
use crate::time::DAY;
use crate::wish::{self, Plan, Wish, WishStep};
use crate::wizard::Until;

pub(super) fn secondary_use(m: &Model, step: WishStep) -> Vec<Node> {
    match step {
        WishStep::Sign => sign(m),
        WishStep::Done => done(m),
        _ => secondary_start(m),
    }
}

pub(super) fn emergency(m: &Model, step: WishStep) -> Vec<Node> {
    match step {
        WishStep::Start => emergency_start(m),
        WishStep::What => what(m),
        WishStep::Until => until(m),
        WishStep::Sign => sign(m),
        WishStep::Done => done(m),
    }
}

fn start_of(wish: &Wish) -> Route {
    if wish.is_secondary() {
        Route::Secondary(WishStep::Start)
    } else {
        Route::Emergency(WishStep::Start)
    }
}

/// All of one size and look (P3).
fn equal(all: Vec<El>) -> El {
    buttons(all).class("buttons equal")
}

/// Days after which what a holder told of may begin (consent.md §7).
const NOTICE_DAYS: u64 = 30;

/// Whom a holder of the data told of, and from when anything may be used.
fn told(m: &Model) -> Option<El> {
    let history = m.history.as_ref().filter(|_| !m.is_doubtful())?;
    let rows = history.rows.iter().rev();
    let rows = rows.filter(|r| r.entry.kind() == Kind::Notice && r.text("what") == "opt-out");
    let rows = rows.map(|r| {
        let at = r.entry.at();
        let slots = [
            ("institution", institution(m, r.text("src"))),
            ("when", on_day(m, at)),
            ("by", on_day(m, at.saturating_add(NOTICE_DAYS * DAY))),
        ];
        el("p").with(fill(m, text::SECONDARY_TOLD, &slots))
    });
    let rows: Vec<El> = rows.collect();
    (!rows.is_empty()).then(|| banner("info", rows))
}

/// Prohibitions that were ended at a desk lately: who did not come there hears of it (consent.md §3.0).
pub(super) fn undenied(m: &Model) -> Option<El> {
    let history = m.history.as_ref().filter(|_| !m.is_doubtful())?;
    let rows = history.rows.iter().rev();
    let rows = rows.filter(|r| r.entry.kind() == Kind::Notice && r.text("what") == "undeny");
    let rows = rows.filter(|r| r.entry.at().saturating_add(NOTICE_DAYS * DAY) > m.now);
    let rows: Vec<El> = rows
        .map(|r| {
            let slot = ("when", when(m, r.entry.at()));
            let sentence = el("span").with(fill(m, text::PREF_UNDENIED, &[slot]));
            let way = el("a").attr("href", Route::Report.path());
            el("p").with(way.with(sentence))
        })
        .collect();
    (!rows.is_empty()).then(|| banner("info", rows))
}

fn secondary_start(m: &Model) -> Vec<Node> {
    let (Some(mine), Some(books)) = (&m.mine, &m.books) else {
        return unloaded(m);
    };
    let mut out = Vec::new();
    problem(m).put(&mut out);
    h1(m, text::SECONDARY).put(&mut out);
    let all = wish::optional_purposes(&books.policy);
    let on = wish::objected(mine, &books.policy);
    let state = if on.is_empty() {
        say(m, text::SECONDARY_OFF)
    } else {
        let codes: Vec<String> = on.iter().cloned().collect();
        fill(m, text::SECONDARY_ON, &[("purpose", purposes(m, &codes))])
    };
    banner("info", el("p").class("strong").with(state)).put(&mut out);
    if mine.objections.iter().any(|o| o.at_desk) {
        p(m, text::SECONDARY_DESK).put(&mut out);
    }
    p(m, text::SECONDARY_WHAT).put(&mut out);
    p(m, text::SECONDARY_WHEN).put(&mut out);
    told(m).put(&mut out);
    p(m, text::SECONDARY_FINISHED).put(&mut out);
    let mut ways = Vec::new();
    if on.len() < all.len() {
        ways.push(secondary(m, text::SECONDARY_NO, Event::Wish(Wish::Object)));
    }
    if !on.is_empty() {
        ways.push(secondary(m, text::SECONDARY_YES, Event::Wish(Wish::Allow)));
    }
    if ways.len() < 2 {
        ways.push(link(m, text::KEEP_SO, &Route::Menu).class("btn btn2"));
    }
    equal(ways).put(&mut out);
    out
}

/// How emergencies stand.
fn state(m: &Model, mine: &Mine) -> Text {
    if wish::never(mine, m.now).is_some() {
        text::PREF_NEVER
    } else if wish::advance(mine, m.now).next().is_some() {
        text::PREF_ADVANCE
    } else {
        text::PREF_RULES
    }
}

fn emergency_start(m: &Model) -> Vec<Node> {
    let (Some(mine), Some(books)) = (&m.mine, &m.books) else {
        return unloaded(m);
    };
    let mut out = Vec::new();
    problem(m).put(&mut out);
    let now = Node::El(Box::new(el("span").with(say(m, state(m, mine)))));
    el("h1")
        .attr("tabindex", "-1")
        .with(fill(m, text::PREF, &[("state", now)]))
        .put(&mut out);
    if let Some(plan) = m.plan.as_ref().filter(|p| p.wish.is_wide())
        && let Some(at) = plan.look
    {
        let sentence = fill(m, text::PREF_LOOK_WAITS, &[("when", when(m, at))]);
        let route = Route::Emergency(WishStep::Sign);
        let inside = el("a").attr("href", route.path()).with(sentence);
        banner("info", el("p").with(inside)).put(&mut out);
    }
    if wish::never(mine, m.now).is_some() {
        el("p")
            .class("strong")
            .with(say(m, text::PREF_NEVER_WHAT))
            .put(&mut out);
    }
    p(m, text::PREF_RULES_WHAT).put(&mut out);
    let set = books.policy.category_codes(books.policy.emergency());
    let set: Vec<El> = set.iter().map(|c| el("li").with(category(m, c))).collect();
    h2(m, text::PREF_SET).put(&mut out);
    el("ul").class("tags").with(set).put(&mut out);
    let mut ways = Vec::new();
    if let Some(never) = wish::never(mine, m.now) {
        let end = Wish::NotNever(never.jti().to_owned());
        ways.push(secondary(m, text::PREF_NEVER_END, Event::Wish(end)));
    } else {
        let advance = Event::Wish(Wish::Advance);
        ways.push(secondary(m, text::PREF_ADVANCE_GO, advance));
        ways.push(secondary(m, text::PREF_NEVER_GO, Event::Wish(Wish::Never)));
    }
    ways.push(link(m, text::KEEP_SO, &Route::Menu).class("btn btn2"));
    equal(ways).put(&mut out);
    let contacts = el("li").with(link(m, text::CONTACTS, &Route::Contacts));
    el("ul").class("menu").with(contacts).put(&mut out);
    let given: Vec<&Given> = wish::advance(mine, m.now).collect();
    if !given.is_empty() {
        h2(m, text::PREF_ADVANCE).put(&mut out);
        let cards: Vec<El> = given.into_iter().map(|g| home::card(m, g, "h3")).collect();
        el("ul").class("cards").with(cards).put(&mut out);
    }
    out
}

/// もどる, and what is wrong so far.
fn head(m: &Model, plan: &Plan, step: WishStep, out: &mut Vec<Node>) {
    let back = match (&plan.wish, plan.wish.before(step)) {
        (_, WishStep::Start) => start_of(&plan.wish),
        (_, before) => Route::Emergency(before),
    };
    el("div")
        .class("wizard-head")
        .with(link(m, text::BACK, &back).class("back"))
        .put(out);
    summary(m).put(out);
    problem(m).put(out);
}

fn leave(m: &Model) -> El {
    el("p")
        .class("leave")
        .with(link(m, text::LEAVE, &Route::Home))
}

fn what(m: &Model) -> Vec<Node> {
    let (Some(plan), Some(books)) = (&m.plan, &m.books) else {
        return unloaded(m);
    };
    let mut out = Vec::new();
    head(m, plan, WishStep::What, &mut out);
    h1(m, text::PREF_WHAT).put(&mut out);
    let (together, apart) = wish::emergency_categories(&books.policy);
    let rows = together.iter().enumerate().map(|(at, cat)| {
        let on = plan.cats.contains(cat);
        box_row(category_id(at), on, Event::Category(cat.clone()))
            .with(el("span").with(category(m, cat)))
    });
    let rows: Vec<El> = rows.collect();
    el("fieldset")
        .with(el("legend").class("sr").with(say(m, text::PREF_WHAT)))
        .with(rows)
        .put(&mut out);
    el("p")
        .with(button(m, text::WHAT_ALL, Event::All).class("btn btn2 small"))
        .put(&mut out);
    let names: Vec<El> = apart
        .iter()
        .map(|c| el("li").with(category(m, c)))
        .collect();
    p(m, text::PREF_APART).put(&mut out);
    el("ul").class("tags").with(names).put(&mut out);
    p(m, text::WHAT_LATER).put(&mut out);
    buttons(button(m, text::NEXT, Event::WishStep(WishStep::Until)).class("btn")).put(&mut out);
    leave(m).put(&mut out);
    out
}

fn until(m: &Model) -> Vec<Node> {
    let Some(plan) = &m.plan else {
        return unloaded(m);
    };
    let mut out = Vec::new();
    head(m, plan, WishStep::Until, &mut out);
    h1(m, text::UNTIL).put(&mut out);
    choice_of(m, "until", text::UNTIL, terms(m, plan.until)).put(&mut out);
    if plan.until == Some(Until::Pick) {
        super::field(m, &PICKED, &plan.picked, Event::Picked).put(&mut out);
    }
    buttons(button(m, text::NEXT, Event::WishStep(WishStep::Sign)).class("btn")).put(&mut out);
    leave(m).put(&mut out);
    out
}

fn sign(m: &Model) -> Vec<Node> {
    let Some(plan) = &m.plan else {
        return unloaded(m);
    };
    let mut out = Vec::new();
    head(m, plan, WishStep::Sign, &mut out);
    h1(m, text::SIGN).put(&mut out);
    let Some(bound) = &plan.bound else {
        if m.problem.is_none() {
            p(m, text::LOADING).put(&mut out);
        }
        leave(m).put(&mut out);
        return out;
    };
    if let Some(at) = plan.look.filter(|_| !plan.is_ready()) {
        let sentence = fill(m, text::PREF_LOOK, &[("when", when(m, at))]);
        banner("info", el("p").with(sentence)).put(&mut out);
    }
    signed_text(m, &bound.text, bound.lang).put(&mut out);
    if plan.is_ready() {
        if m.sealed() {
            pass_field(m, false).put(&mut out);
        }
        let yes = secondary(m, text::SIGN_WISH, Event::WishSign)
            .maybe("aria-busy", plan.busy.then_some("true"));
        let no = link(m, text::SIGN_NOT, &start_of(&plan.wish)).class("btn btn2");
        equal(vec![yes, no]).put(&mut out);
    } else if plan.look.is_some_and(|at| at <= m.now) {
        buttons(button(m, text::PREF_LOOK_GO, Event::WishLook).class("btn")).put(&mut out);
    }
    leave(m).put(&mut out);
    out
}

fn done(m: &Model) -> Vec<Node> {
    let mut out = Vec::new();
    let Outcome::Wished(wish, at, n) = &m.outcome else {
        h1(m, text::ASK_OVER).put(&mut out);
        buttons(link(m, text::TO_HOME, &Route::Home).class("btn")).put(&mut out);
        return out;
    };
    let sentence = match wish {
        Wish::Object => text::SECONDARY_DONE_ON,
        Wish::Allow => text::SECONDARY_DONE_OFF,
        Wish::Advance | Wish::AdvanceOne(_) => text::PREF_DONE_ADVANCE,
        Wish::Never => text::PREF_DONE_NEVER,
        Wish::NotNever(_) => text::PREF_DONE_RULES,
    };
    el("h1")
        .attr("tabindex", "-1")
        .with(fill(m, sentence, &[("when", when(m, *at))]))
        .put(&mut out);
    if let Some(n) = n {
        let n = number(usize::try_from(*n).unwrap_or(usize::MAX));
        el("p")
            .with(fill(m, text::WISH_NUMBER, &[("n", n)]))
            .put(&mut out);
    }
    if wish.is_wide()
        && let (Some(books), Some(mine)) = (&m.books, &m.mine)
    {
        let (_, apart) = wish::emergency_categories(&books.policy);
        let given: Vec<String> = wish::advance(mine, m.now)
            .flat_map(|g| g.list("cat"))
            .collect();
        let left: Vec<El> = apart
            .iter()
            .filter(|c| !given.contains(c))
            .map(|c| {
                let sentence = fill(m, text::PREF_ONE, &[("category", category(m, c))]);
                let next = Event::Wish(Wish::AdvanceOne(c.clone()));
                el("button")
                    .attr("type", "button")
                    .class("btn btn2")
                    .with(sentence)
                    .press(next)
            })
            .collect();
        if !left.is_empty() {
            h2(m, text::PREF_APART).put(&mut out);
            buttons(left).put(&mut out);
        }
    }
    receipt_way(m).map(buttons).put(&mut out);
    el("p")
        .class("leave")
        .with(link(m, text::TO_HOME, &Route::Home))
        .put(&mut out);
    out
}
