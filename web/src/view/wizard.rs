//! S5: one decision a page; refusing is as near as granting.

use std::collections::BTreeSet;

use super::{
    Field, banner, box_row, button, buttons, categories, category, category_id, choice_of, data,
    field, fill, h1, h2, institution, institutions, kind_name, kind_of, link, number, p,
    pass_field, problem, purposes, said, say, secondary, signed_text, summary, title_of, unloaded,
    unread, when, written,
};
use crate::model::{Event, Model, Outcome};
use crate::node::{El, IntoNodes as _, Node, el};
use crate::preview::Preview;
use crate::record::{Record, UNSORTED};
use crate::route::Route;
use crate::text::{self, Text};
use crate::wizard::{Draft, Hidden, Step, Until};

pub(super) fn wizard(m: &Model, req: &str, step: Step) -> Vec<Node> {
    let mut out = Vec::new();
    match step {
        Step::Done => return done(m),
        Step::Refused if m.outcome == Outcome::Declined(req.to_owned()) => {
            h1(m, text::REFUSED).put(&mut out);
            next_of_group(m, &mut out);
            return out;
        }
        _ => {}
    }
    let Some(draft) = m.draft.as_ref().filter(|d| d.asked.req == req) else {
        if m.waiting_requests.is_none() {
            return unloaded(m);
        }
        h1(m, text::ASK_OVER).put(&mut out);
        buttons(link(m, text::TO_HOME, &Route::Home).class("btn")).put(&mut out);
        return out;
    };
    head(m, draft, step).put(&mut out);
    summary(m).put(&mut out);
    problem(m).put(&mut out);
    match step {
        Step::Who => who(m, draft, &mut out),
        Step::Why => why(m, draft, &mut out),
        Step::What => what(m, draft, &mut out),
        Step::Until => until(m, draft, &mut out),
        _ => sign(m, draft, &mut out),
    }
    el("p")
        .class("leave")
        .with(link(m, text::LEAVE, &Route::Home))
        .put(&mut out);
    out
}

/// もどる, and where this is.
fn head(m: &Model, draft: &Draft, step: Step) -> El {
    let back = draft.before(step).map(|before| {
        let route = Route::Wizard(draft.asked.req.clone(), before);
        link(m, text::BACK, &route).class("back")
    });
    let place = draft.place(step).map(|(n, of)| {
        let slots = [("n", number(n)), ("of", number(of))];
        el("p")
            .class("steps")
            .attr("aria-current", "step")
            .with(fill(m, text::STEP, &slots))
    });
    el("div").class("wizard-head").with(back).with(place)
}

/// Both of one size and look (P3).
fn equal(m: &Model, yes: El, draft: &Draft) -> El {
    let no = secondary(m, text::SHOW_NOT, Event::Decline)
        .maybe("aria-busy", draft.busy.then_some("true"));
    buttons([yes.class("btn btn2"), no]).class("buttons equal")
}

fn who(m: &Model, draft: &Draft, out: &mut Vec<Node>) {
    let title = if draft.asked.individual {
        let first = draft.asked.cat.first().map_or("", String::as_str);
        fill(m, text::WHO_INDIVIDUAL, &[("category", category(m, first))])
    } else {
        let slot = ("institution", institutions(m, &draft.asked.aud));
        fill(m, text::WHO, &[slot])
    };
    el("h1").attr("tabindex", "-1").with(title).put(out);
    let kind = draft.asked.aud.first().and_then(|code| kind_of(code));
    let kind = kind.map(|kind| el("p").class("mark").with(say(m, kind)));
    if !draft.asked.individual {
        kind.clone().put(out);
    }
    let yes = if draft.asked.individual {
        let first = draft.asked.cat.first().map_or("", String::as_str);
        el("p")
            .with(fill(
                m,
                text::WHO_INDIVIDUAL_NOTE,
                &[("category", category(m, first))],
            ))
            .put(out);
        el("p")
            .class("strong")
            .with(institutions(m, &draft.asked.aud))
            .put(out);
        kind.put(out);
        let slot = ("purpose", purposes(m, &draft.asked.pur));
        el("p").with(fill(m, text::WHO_PURPOSE, &[slot])).put(out);
        p(m, text::WHAT_ALWAYS).put(out);
        if m.preview.is_none() && m.problem.is_none() && !m.is_blind() {
            p(m, text::LOADING).put(out);
        }
        ahead(m, draft, out);
        p(m, later(draft)).put(out);
        button(m, text::SHOW, Event::Step(Step::Until))
    } else {
        button(m, text::WHO_LOOK, Event::Step(Step::Why))
    };
    p(m, text::WHO_CARE).put(out);
    equal(m, yes, draft).put(out);
}

fn why(m: &Model, draft: &Draft, out: &mut Vec<Node>) {
    let slot = ("purpose", purposes(m, &draft.asked.pur));
    el("h1")
        .attr("tabindex", "-1")
        .with(fill(m, text::WHY, &[slot]))
        .put(out);
    p(m, text::WHO_CARE).put(out);
    equal(m, button(m, text::WHY_GO, Event::Step(Step::What)), draft).put(out);
}

fn what(m: &Model, draft: &Draft, out: &mut Vec<Node>) {
    h1(m, text::WHAT).put(out);
    p(m, text::WHAT_ALWAYS).put(out);
    let min: BTreeSet<&String> = draft.asked.min.iter().collect();
    let count = |cat: &String| {
        // What would be shown, not what there is: the list below has the rest, and why.
        let all = m.listed.as_ref()?.as_ref().ok()?;
        let n = m.reach.as_ref()?.count(draft, cat, all);
        Some(fill(m, text::RECORDS_COUNT, &[("n", number(n))]))
    };
    let rows = draft.asked.cat.iter().enumerate().map(|(at, cat)| {
        let mark = if min.contains(cat) {
            text::WHAT_ASKED
        } else {
            text::WHAT_OPTIONAL
        };
        let mark = draft.offered.is_none().then(|| say(m, mark));
        let on = draft.cats.contains(cat);
        box_row(category_id(at), on, Event::Category(cat.clone()))
            .with(el("span").with(category(m, cat)).with(" ").with(count(cat)))
            .with(mark.map(|mark| el("span").class("mark").with(mark)))
    });
    let rows: Vec<El> = rows.collect();
    el("fieldset")
        .with(el("legend").class("sr").with(say(m, text::WHAT)))
        .with(rows)
        .put(out);
    el("p")
        .with(button(m, text::WHAT_ALL, Event::All).class("btn btn2 small"))
        .put(out);
    ahead(m, draft, out);
    p(m, text::WHAT_APART).put(out);
    p(m, later(draft)).put(out);
    buttons(button(m, text::NEXT, Event::Step(Step::Until)).class("btn")).put(out);
}

/// What comes later is seen too; what nobody asked for ends by itself.
fn later(draft: &Draft) -> Text {
    if draft.offered.is_some() {
        text::OFFER_DAY
    } else {
        text::WHAT_LATER
    }
}

/// `Preview`: two lists, and their count where it is heard.
fn ahead(m: &Model, draft: &Draft, out: &mut Vec<Node>) {
    if m.is_blind() {
        banner("info", p(m, text::OFFER_BLIND)).put(out);
    }
    let preview = match &m.preview {
        None => return,
        Some(Ok(preview)) => preview,
        Some(Err(_)) => {
            unread(m, text::AHEAD_UNREAD).put(out);
            return;
        }
    };
    // An individual category has a consent of its own: only what that one adds, or holds back of it, is told.
    let of_it =
        |r: &&Record| !draft.asked.individual || r.cats.iter().any(|c| draft.asked.cat.contains(c));
    let adds = |r: &&Record| of_it(r) || !preview.before.contains(&r.key);
    let shown: Vec<&Record> = preview.shown.iter().filter(adds).collect();
    let hidden: Vec<&Record> = preview.hidden.iter().filter(of_it).collect();
    let slots = [
        ("institution", institutions(m, &draft.asked.aud)),
        ("n", number(shown.len())),
    ];
    p(m, text::HIDE_NOTE).put(out);
    let before = shown.iter().filter(|r| preview.before.contains(&r.key));
    let before = before.count();
    if before > 0 {
        let slot = [("n", number(before))];
        el("p").with(fill(m, text::WHAT_BEFORE, &slot)).put(out);
    }
    el("details")
        .attr("open", "")
        .with(
            el("summary").with(el("h2").with(el("span").attr("role", "status").with(fill(
                m,
                text::WHAT_SEEN,
                &slots,
            )))),
        )
        .with(grouped(m, draft, preview, &shown, false))
        .put(out);
    let kept = hidden.iter().filter(|r| withheld(m, draft, r).is_some());
    let kept = kept.count();
    if kept > 0 {
        let slot = [("n", number(kept))];
        el("p").with(fill(m, text::WHAT_KEPT, &slot)).put(&mut *out);
    }
    el("details")
        .with(el("summary").with(el("h2").with(fill(
            m,
            text::WHAT_HIDDEN,
            &[("n", number(hidden.len()))],
        ))))
        .with(grouped(m, draft, preview, &hidden, true))
        .put(out);
    hide_many(m, draft, out);
}

/// A heading a category, each record under one.
fn grouped(m: &Model, draft: &Draft, preview: &Preview, all: &[&Record], hidden: bool) -> Vec<El> {
    let kinds = m.books.iter().flat_map(|b| b.policy.categories());
    let kinds = kinds.map(|c| c.code.as_str());
    let mut out = Vec::new();
    for kind in kinds.chain([UNSORTED]) {
        let inside = all.iter().copied().filter(|r| draft.kind_of(r) == kind);
        let inside: Vec<&Record> = inside.collect();
        if inside.is_empty() {
            continue;
        }
        let count = fill(m, text::RECORDS_COUNT, &[("n", number(inside.len()))]);
        let heading = el("h3").with(kind_name(m, kind)).with(" ").with(count);
        let rows = inside
            .into_iter()
            .map(|r| hideable(m, draft, preview, r, hidden));
        out.push(heading);
        out.push(el("ul").class("records").with(rows.collect::<Vec<_>>()));
    }
    out
}

/// Why a record of a ticked kind stays hidden: it is, or may be, of another kind too (consent.md §4.2), it is
/// among what was left out, or it is not of the time that is asked for.
fn withheld(m: &Model, draft: &Draft, r: &Record) -> Option<Vec<Node>> {
    let ticked = |c: &&String| draft.cats.contains(*c);
    let one = Hidden::Record(r.id.clone());
    if draft.hidden.contains(&one) || !r.cats.iter().any(|c| ticked(&c)) {
        return None;
    }
    let left: Vec<&String> = r.cats.iter().filter(|c| !ticked(c)).collect();
    if left.len() > warifu_consent::FEW_KINDS {
        return Some(say(m, text::WHY_UNKNOWN));
    }
    if !left.is_empty() {
        let left: Vec<String> = left.into_iter().cloned().collect();
        let slot = ("categories", categories(m, &left));
        return Some(fill(m, text::WHY_ALSO, &[slot]));
    }
    let dated = ["from", "to"]
        .iter()
        .any(|end| draft.asked.dat.get(end).is_some());
    let of_label = |h: &Hidden| matches!(h, Hidden::Label(_));
    Some(say(
        m,
        if draft.hidden.contains(&Hidden::Facility(r.src.clone())) {
            text::HIDE_BY_YOU
        } else if draft.hidden.iter().any(of_label) {
            text::WHY_LABEL
        } else if dated {
            text::WHY_DATES
        } else {
            text::WHY_RULES
        },
    ))
}

/// A record, with what it says, and the button that leaves it out or takes that back.
fn hideable(m: &Model, draft: &Draft, preview: &Preview, r: &Record, hidden: bool) -> El {
    let one = Hidden::Record(r.id.clone());
    let is_hidden = draft.hidden.contains(&one);
    let action = if is_hidden {
        text::HIDE_NOT
    } else {
        text::HIDE
    };
    // Leaving it out of this consent takes it out of no other.
    let before = preview.before.contains(&r.key);
    let offered = is_hidden || !before && r.cats.iter().any(|c| draft.cats.contains(c));
    let title = title_of(m, r);
    let name = el("span").with(title.clone());
    let named = fill(
        m,
        text::HIDE_NAMED,
        &[
            ("action", data(action.of(m.prefs.lang))),
            ("name", data(&Node::El(Box::new(name)).text())),
        ],
    );
    let named: String = named.iter().map(Node::text).collect();
    let brief: Vec<El> = r
        .brief
        .iter()
        .map(|b| el("span").with(said(m, b)))
        .collect();
    let mut mark = el("span").class("mark").with(say(m, r.kind));
    if !r.day.is_empty() {
        mark = mark.with("　").with(written(m, &r.day));
    }
    let other = before.then(|| el("span").class("mark").with(say(m, text::HIDE_BEFORE)));
    let why = (hidden && !is_hidden).then(|| withheld(m, draft, r));
    let why = why.flatten().map(|w| el("span").class("mark").with(w));
    let by_you = is_hidden.then(|| el("span").class("mark").with(say(m, text::HIDE_BY_YOU)));
    let way = offered.then(|| {
        button(m, action, Event::Hide(one))
            .class("btn btn2 small")
            .attr("aria-label", named)
    });
    el("li")
        .with(
            el("div")
                .class("what")
                .with(el("span").class("strong").with(title))
                .with((!brief.is_empty()).then(|| el("span").class("brief").with(brief)))
                .with(mark)
                .with(other)
                .with(why)
                .with(by_you),
        )
        .with(way)
}

/// Whole facilities, and what bears a label.
fn hide_many(m: &Model, draft: &Draft, out: &mut Vec<Node>) {
    let Some(books) = &m.books else { return };
    let row = |list: &str, at: usize, one: Hidden, name: Node| {
        let on = draft.hidden.contains(&one);
        box_row(format!("{list}-{at}"), on, Event::Hide(one)).with(el("span").with(name))
    };
    let listed = m.listed.iter().flatten().flatten();
    let sources: BTreeSet<&str> = listed.map(|r| r.src.as_str()).collect();
    let sources = sources.into_iter().filter(|s| books.has(s)).enumerate();
    let sources = sources.map(|(at, s)| {
        row(
            "hide-from",
            at,
            Hidden::Facility(s.to_owned()),
            institution(m, s),
        )
    });
    let labels = books.policy.labels().iter().enumerate().map(|(at, l)| {
        let name = data(l.name(m.prefs.lang.signed()));
        row("hide-of", at, Hidden::Label(l.code.clone()), name)
    });
    let chosen = draft.hidden.iter();
    let chosen = chosen.filter(|h| !matches!(h, Hidden::Record(_))).count();
    el("details")
        .with(el("summary").with(el("h2").with(fill(m, text::HIDE_MORE, &[("n", number(chosen))]))))
        .with(
            el("fieldset")
                .with(el("legend").with(say(m, text::HIDE_FACILITIES)))
                .with(sources.collect::<Vec<_>>()),
        )
        .with(
            el("fieldset")
                .with(el("legend").with(say(m, text::HIDE_LABELS)))
                .with(p(m, text::HIDE_LABELS_NOTE))
                .with(labels.collect::<Vec<_>>()),
        )
        .put(out);
}

pub(super) const PICKED: Field = Field {
    id: "picked",
    label: text::UNTIL_DATE,
    hint: text::UNTIL_DATE_HINT,
    kind: "date",
    complete: "off",
    mode: "text",
};

/// Terms that can be chosen. One that is not allowed is not offered.
pub(super) fn terms(m: &Model, chosen: Option<Until>) -> Vec<(Vec<Node>, bool, Event)> {
    let all = [
        (text::UNTIL_DAY, Until::Day),
        (text::UNTIL_QUARTER, Until::Quarter),
        (text::UNTIL_YEAR, Until::Year),
        (text::UNTIL_PICK, Until::Pick),
    ];
    let all = all.into_iter().filter_map(|(label, until)| {
        let ends = until.ends(m.now, "", m.longest());
        if ends.is_none() && until != Until::Pick {
            return None;
        }
        let slot = ends.map(|at| ("when", when(m, at)));
        let label = fill(m, label, slot.as_slice());
        Some((label, chosen == Some(until), Event::SetUntil(until)))
    });
    all.collect()
}

fn until(m: &Model, draft: &Draft, out: &mut Vec<Node>) {
    h1(m, text::UNTIL).put(out);
    choice_of(m, "until", text::UNTIL, terms(m, draft.until)).put(out);
    if draft.until == Some(Until::Pick) {
        field(m, &PICKED, &draft.picked, Event::Picked).put(out);
    }
    buttons(button(m, text::NEXT, Event::Step(Step::Sign)).class("btn")).put(out);
}

fn sign(m: &Model, draft: &Draft, out: &mut Vec<Node>) {
    h1(m, text::SIGN).put(out);
    let Some(bound) = &draft.bound else {
        if m.problem.is_none() {
            p(m, text::LOADING).put(out);
        }
        return;
    };
    signed_text(m, &bound.text, bound.lang).put(out);
    if m.sealed() {
        pass_field(m, false).put(out);
    }
    let go = if draft.offered.is_some() {
        text::OFFER_SIGN
    } else {
        text::SIGN_GO
    };
    let yes = button(m, go, Event::Sign).maybe("aria-busy", draft.busy.then_some("true"));
    equal(m, yes, draft).put(out);
}

fn done(m: &Model) -> Vec<Node> {
    let mut out = Vec::new();
    let Outcome::Given(jti, n) = &m.outcome else {
        h1(m, text::ASK_OVER).put(&mut out);
        buttons(link(m, text::TO_HOME, &Route::Home).class("btn")).put(&mut out);
        return out;
    };
    let title = fill(m, text::DONE, &[("n", data(&n.to_string()))]);
    el("h1").attr("tabindex", "-1").with(title).put(&mut out);
    buttons(link(m, text::DONE_RECEIPT, &Route::Consent(jti.clone())).class("btn")).put(&mut out);
    next_of_group(m, &mut out);
    out
}

/// What was asked together is decided apart, one after another.
fn next_of_group(m: &Model, out: &mut Vec<Node>) {
    let waiting = m.waiting_requests.iter().flatten();
    let next = waiting
        .into_iter()
        .find(|w| !m.last_group.is_empty() && w.group == m.last_group);
    if let Some(next) = next {
        h2(m, text::DONE_NEXT).put(out);
        let first = next.cat.first().map_or("", String::as_str);
        let slot = ("category", category(m, first));
        let route = Route::Wizard(next.req.clone(), Step::Who);
        let sentence = if next.individual {
            fill(m, text::WHO_INDIVIDUAL, &[slot])
        } else {
            fill(m, text::WHO, &[("institution", institutions(m, &next.aud))])
        };
        banner(
            "info",
            el("p").with(el("a").attr("href", route.path()).with(sentence)),
        )
        .put(out);
    }
    el("p")
        .class("leave")
        .with(link(m, text::TO_HOME, &Route::Home))
        .put(out);
}
