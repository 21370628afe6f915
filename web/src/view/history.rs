//! S7 who looked, S15 an emergency.

use warifu_consent::{EMERGENCY_REASONS, IDENTIFIED_BY, ROLES};
use warifu_log::Kind;

use super::{
    banner, between, buttons, category, data, fill, h1, h2, institution, link, number, on_day, p,
    primary, problem, purposes, say, secondary, unloaded, when,
};
use crate::history::{Cause, Counts, History, Row, Verdict};
use crate::model::{Event, Model};
use crate::node::{El, IntoNodes as _, Node, el};
use crate::route::Route;
use crate::text::{self, Text};
use crate::time;

pub(super) fn history(m: &Model) -> Vec<Node> {
    let Some(history) = &m.history else {
        return unloaded(m);
    };
    let mut out = Vec::new();
    problem(m).put(&mut out);
    if let Verdict::Bad(cause) = history.verdict {
        h1(m, text::HISTORY_BAD).put(&mut out);
        banner("error", el("p").with(say(m, cause_text(cause))))
            .attr("role", "alert")
            .put(&mut out);
        p(m, text::HISTORY_BAD_WHAT).put(&mut out);
        buttons([
            primary(m, text::HISTORY_SAVE, Event::Evidence),
            secondary(m, text::HISTORY_CHECK, Event::CheckLog),
        ])
        .put(&mut out);
        return out;
    }
    h1(m, text::HISTORY).put(&mut out);
    verdict(m, history).put(&mut out);
    // Without a network there is nothing newer to check.
    if m.shelved.is_none() {
        buttons(secondary(m, text::HISTORY_CHECK, Event::CheckLog)).put(&mut out);
    }
    let looks = |own: bool| {
        let rows = history.rows.iter().rev();
        rows.filter(move |r| r.is_look() && r.is_own() == own)
    };
    h2(m, text::HISTORY_OTHERS).put(&mut out);
    let others = accesses(looks(false));
    if others.is_empty() {
        p(m, text::HISTORY_NONE).put(&mut out);
    }
    for day in others.chunk_by(|a, b| time::is_same_day(a.at(), b.at())) {
        let Some(first) = day.first() else { continue };
        el("h3").with(on_day(m, first.at())).put(&mut out);
        let mut codes: Vec<&str> = Vec::new();
        for access in day {
            if !codes.contains(&access.first.text("rcp")) {
                codes.push(access.first.text("rcp"));
            }
        }
        let cards = codes.into_iter().map(|code| {
            let all: Vec<&Access<'_>> =
                day.iter().filter(|a| a.first.text("rcp") == code).collect();
            card(m, history, &all)
        });
        el("ol")
            .class("cards")
            .with(cards.collect::<Vec<_>>())
            .put(&mut out);
    }
    let staff: Vec<El> = history
        .rows
        .iter()
        .rev()
        .filter(|r| r.entry.kind() == Kind::StaffRead)
        .map(|r| staff_row(m, r))
        .collect();
    if !staff.is_empty() {
        h2(m, text::STAFF).put(&mut out);
        p(m, text::STAFF_WHY).put(&mut out);
        el("ol").class("cards").with(staff).put(&mut out);
    }
    let told: Vec<El> = history
        .rows
        .iter()
        .rev()
        .filter_map(|r| told(m, r))
        .collect();
    if !told.is_empty() {
        h2(m, text::HISTORY_NOTICES).put(&mut out);
        el("ol").class("cards").with(told).put(&mut out);
    }
    let own: Vec<El> = looks(true)
        .map(|r| el("li").with(when(m, r.entry.at())))
        .collect();
    if !own.is_empty() {
        let title = fill(m, text::HISTORY_OWN, &[("n", number(own.len()))]);
        el("details")
            .with(el("summary").with(el("h2").with(title)))
            .with(el("ol").class("records").with(own))
            .put(&mut out);
    }
    out
}

fn verdict(m: &Model, history: &History) -> Option<El> {
    let at = ("when", when(m, history.at));
    let (kind, sentence) = match history.verdict {
        // Without a witness the server is checked by its own signature alone: no tick.
        Verdict::Good { witnesses: 0 } => ("info", fill(m, text::HISTORY_OK_ALONE, &[at])),
        Verdict::Good { witnesses } => {
            let slots = [at, ("n", number(witnesses))];
            ("ok", fill(m, text::HISTORY_OK, &slots))
        }
        Verdict::Wait { by } => {
            let slots = [at, ("by", when(m, by))];
            ("info", fill(m, text::HISTORY_WAIT, &slots))
        }
        Verdict::Bad(_) => return None,
    };
    Some(banner(kind, el("p").with(sentence)).attr("role", "status"))
}

fn cause_text(cause: Cause) -> Text {
    match cause {
        Cause::Altered => text::CAUSE_ALTERED,
        Cause::Missing => text::CAUSE_MISSING,
        Cause::Fork => text::CAUSE_FORK,
        Cause::Unsigned => text::CAUSE_UNSIGNED,
        Cause::Witnesses => text::CAUSE_WITNESSES,
    }
}

fn who(m: &Model, r: &Row) -> Vec<Node> {
    let code = r.text("rcp");
    let books = m.books.as_ref();
    if books.is_some_and(|b| b.master.has(code)) {
        vec![institution(m, code)]
    } else {
        say(m, text::HISTORY_UNNAMED)
    }
}

/// What was done.
fn did(history: &History, r: &Row) -> Text {
    match r.entry.kind() {
        Kind::BreakGlass if history.in_vain(r) => text::EMERGENCY_REFUSED,
        Kind::BreakGlass => text::EMERGENCY,
        Kind::Refuse => text::HISTORY_REFUSED,
        _ if r.is_empty() => text::HISTORY_EMPTY,
        _ => text::HISTORY_SEEN,
    }
}

/// S15: one emergency, what came of it, and the way to object.
pub(super) fn notice(m: &Model, n: u64) -> Vec<Node> {
    let Some(history) = &m.history else {
        return unloaded(m);
    };
    let mut out = Vec::new();
    problem(m).put(&mut out);
    let found = history.rows.iter().find(|r| r.n == n);
    let Some(r) = found.filter(|r| r.entry.kind() == Kind::BreakGlass && !m.is_doubtful()) else {
        h1(m, text::NOT_FOUND).put(&mut out);
        buttons(link(m, text::NAV_HISTORY, &Route::History).class("btn")).put(&mut out);
        return out;
    };
    h1(m, did(history, r)).put(&mut out);
    el("p").class("strong").with(who(m, r)).put(&mut out);
    details(m, history, r, r.counts.as_ref()).put(&mut out);
    let opened: Vec<&Row> = history.opened_by(r).collect();
    if !opened.is_empty() {
        h2(m, text::NOTICE_SEEN).put(&mut out);
        let mut cats: Vec<String> = opened.iter().flat_map(|r| r.list("cats")).collect();
        cats.sort_unstable();
        cats.dedup();
        let names: Vec<El> = cats.iter().map(|c| el("li").with(category(m, c))).collect();
        el("ul").class("tags").with(names).put(&mut out);
    }
    let mut objected = false;
    let mut said: Vec<El> = Vec::new();
    for review in history.reviews(r) {
        let own = review.text("verdict") == "objection";
        objected |= own;
        let sentence = match review.text("verdict") {
            "objection" => text::NOTICE_OBJECTED,
            "justified" => text::NOTICE_JUSTIFIED,
            "not-justified" => text::NOTICE_NOT_JUSTIFIED,
            _ => text::NOTICE_UNCLEAR,
        };
        let slot = ("when", when(m, review.entry.at()));
        said.push(el("p").with(fill(m, sentence, &[slot])));
    }
    if said.is_empty() && m.shelved.is_none() {
        p(m, text::NOTICE_OBJECT_NOTE).put(&mut out);
    } else if !said.is_empty() {
        banner("info", said)
            .attr("role", "status")
            .attr("tabindex", "-1")
            .put(&mut out);
    }
    if let Some(books) = &m.books {
        let slot = ("contact", data(&books.master.contact));
        el("p")
            .with(fill(m, text::REPORT_DESK, &[slot]))
            .put(&mut out);
    }
    let mut ways = Vec::new();
    if !objected && m.shelved.is_none() {
        ways.push(
            secondary(m, text::NOTICE_OBJECT, Event::Object)
                .maybe("aria-busy", m.busy.then_some("true")),
        );
    }
    ways.push(link(m, text::HISTORY, &Route::History).class("btn btn2"));
    buttons(ways).put(&mut out);
    out
}

/// One access: lines of one act, which several pages may have made, or tries in vain of one day.
struct Access<'h> {
    /// The oldest of them.
    first: &'h Row,
    /// When the newest was.
    last: u64,
    /// How many.
    lines: usize,
    /// How much went out, where all of them tell it.
    counts: Option<Counts>,
}

impl Access<'_> {
    fn at(&self) -> u64 {
        self.first.entry.at()
    }
}

/// Seconds within which pages of one answer are asked for.
const ONE_ACT: u64 = 600;

/// Whether somebody asked and got nothing.
fn is_vain(r: &Row) -> bool {
    r.entry.kind() == Kind::Refuse || r.is_empty()
}

/// Whether it is a further page of the answer before it, as the server says.
fn is_page(r: &Row) -> bool {
    r.counts.as_ref().is_some_and(|c| c.from > 0)
}

/// Lines as accesses, in their order, the newest first: pages that follow one another are one, and so are
/// the tries in vain of one institution on one day, whatever stands between them: many of them bury nothing.
fn accesses<'h>(rows: impl Iterator<Item = &'h Row>) -> Vec<Access<'h>> {
    let mut all: Vec<Access<'h>> = Vec::new();
    for row in rows {
        let (at, vain) = (row.entry.at(), is_vain(row));
        let again = |a: &&mut Access<'_>| {
            let same = |name: &str| a.first.text(name) == row.text(name);
            a.first.entry.kind() == row.entry.kind()
                && is_vain(a.first)
                && ["rcp", "role"].into_iter().all(same)
                && a.first.list("pur") == row.list("pur")
        };
        let day = all.iter_mut().rev();
        let mut day = day.take_while(|a| vain && time::is_same_day(a.last, at));
        if let Some(access) = day.find(again) {
            access.first = row;
            access.lines += 1;
            continue;
        }
        let goes_on = |a: &&mut Access<'_>| {
            let same = |name: &str| a.first.text(name) == row.text(name);
            is_page(a.first)
                && row.entry.kind() == Kind::Disclose
                && a.first.entry.kind() == Kind::Disclose
                && ["rcp", "role", "basis"].into_iter().all(same)
                && ["pur", "cats"]
                    .into_iter()
                    .all(|l| a.first.list(l) == row.list(l))
                && a.at().saturating_sub(row.entry.at()) <= ONE_ACT
        };
        match all.last_mut().filter(goes_on) {
            Some(access) => {
                access.first = row;
                access.lines += 1;
                let both = access.counts.take().zip(row.counts.as_ref());
                access.counts = both.map(|(sum, more)| sum.and(more));
            }
            None => all.push(Access {
                first: row,
                last: at,
                lines: 1,
                counts: row.counts.clone(),
            }),
        }
    }
    all
}

/// What an institution did on one day.
fn card(m: &Model, history: &History, all: &[&Access<'_>]) -> El {
    let urgent = |r: &Row| r.entry.kind() == Kind::BreakGlass || r.text("basis") == "EMERGENCY";
    let emergency = all.iter().any(|a| urgent(a.first));
    let name = all.first().map(|a| who(m, a.first));
    let rows = all.iter().map(|a| el("li").with(row(m, history, a)));
    el("li")
        .class(if emergency { "card urgent" } else { "card" })
        .with(el("h4").with(name.unwrap_or_default()))
        .with(el("ol").class("menu").with(rows.collect::<Vec<_>>()))
}

/// What somebody's work is; none where nobody said. Never the code that an institution wrote.
fn role(r: &Row) -> Option<Text> {
    let code = r.text("role");
    let known = ROLES.iter().find(|(c, _)| *c == code);
    let known = known.map(|(_, [ja, easy, en])| Text { ja, easy, en });
    let other = !code.is_empty() && code != "-" && r.entry.kind() != Kind::Refuse;
    known.or(other.then_some(text::ROLE_OTHER))
}

/// Of how many lines it is, where it is not of one.
fn times(m: &Model, a: &Access<'_>) -> Option<Vec<Node>> {
    let n = ("n", number(a.lines));
    (a.lines > 1).then(|| {
        if is_vain(a.first) {
            fill(m, text::HISTORY_TIMES, &[n, ("when", when(m, a.last))])
        } else {
            fill(m, text::HISTORY_PARTS, &[n])
        }
    })
}

/// `AccessRow`: when, by whom, for what, which kinds; the rest is a page of its own.
fn row(m: &Model, history: &History, a: &Access<'_>) -> El {
    let r = a.first;
    let did = did(history, r);
    let route = if r.entry.kind() == Kind::BreakGlass {
        Route::Notice(r.n)
    } else {
        Route::Access(r.n)
    };
    let mut about = vec![el("span").with(when(m, r.entry.at()))];
    about.extend(role(r).map(|role| el("span").with(say(m, role))));
    if r.entry.kind() != Kind::BreakGlass {
        about.push(el("span").with(purposes(m, &r.list("pur"))));
    }
    about.extend(times(m, a).map(|t| el("span").with(t)));
    let kinds = (did == text::HISTORY_SEEN).then(|| {
        let names = r.list("cats").into_iter();
        let names: Vec<String> = names.map(|c| counted(m, a.counts.as_ref(), &c)).collect();
        el("span").with(data(&names.join(between(m))))
    });
    el("a")
        .attr("href", route.path())
        .class("card-link")
        .with(el("span").class("strong").with(say(m, did)))
        .with(kinds)
        .with(el("span").class("mark brief").with(about))
}

/// A category, and how much of it went out.
fn counted(m: &Model, counts: Option<&Counts>, code: &str) -> String {
    let name = category(m, code).text();
    let n = counts.and_then(|c| c.of.get(code));
    let n = n.and_then(|n| usize::try_from(*n).ok());
    match n {
        Some(n) => {
            let n = fill(m, text::RECORDS_COUNT, &[("n", number(n))]);
            format!("{name} {}", n.iter().map(Node::text).collect::<String>())
        }
        None => name,
    }
}

/// S7: one access, whole.
pub(super) fn access(m: &Model, n: u64) -> Vec<Node> {
    let Some(history) = &m.history else {
        return unloaded(m);
    };
    let mut out = Vec::new();
    let rows = history.rows.iter().rev();
    let all = accesses(rows.filter(|r| r.is_look() && !r.is_own()));
    let found = all.iter().find(|a| a.first.n == n);
    let Some(a) = found.filter(|_| !m.is_doubtful()) else {
        h1(m, text::NOT_FOUND).put(&mut out);
        buttons(link(m, text::NAV_HISTORY, &Route::History).class("btn")).put(&mut out);
        return out;
    };
    el("p")
        .class("back-way")
        .with(link(m, text::HISTORY_BACK, &Route::History))
        .put(&mut out);
    el("h1")
        .attr("tabindex", "-1")
        .with(who(m, a.first))
        .put(&mut out);
    el("p")
        .class("strong")
        .with(say(m, did(history, a.first)))
        .put(&mut out);
    times(m, a).map(|t| el("p").with(t)).put(&mut out);
    let mut list = details(m, history, a.first, a.counts.as_ref());
    let line = el("div")
        .with(el("dt").with(say(m, text::HISTORY_LINE)))
        .with(el("dd").with(data(&n.to_string())));
    list.kids.push(Node::El(Box::new(line)));
    el("div").class("card").with(list).put(&mut out);
    out
}

/// What the person is to hear: a prohibition was ended at the desk, or what a recipient answered of its copies.
fn told(m: &Model, r: &Row) -> Option<El> {
    let said = match (r.entry.kind(), r.text("what")) {
        (Kind::Notice, "erased") => text::HISTORY_ERASED,
        (Kind::Notice, "kept") => text::HISTORY_KEPT,
        (Kind::Notice, "undeny") => text::HISTORY_UNDENIED,
        _ => return None,
    };
    let src = r.text("src");
    let named = m.books.as_ref().is_some_and(|b| b.master.has(src));
    let name = named.then(|| el("span").class("strong").with(institution(m, src)));
    let at = el("span").class("mark").with(when(m, r.entry.at()));
    Some(el("li").class("card").with(name).with(p(m, said)).with(at))
}

/// What hospital staff did with a file that was kept apart: who that was by their work, never by name.
fn staff_row(m: &Model, r: &Row) -> El {
    let words = r.text("what");
    let mut words = words.split(' ').skip(1);
    let did = match words.next() {
        Some("look") => text::STAFF_LOOKED,
        Some("folder") => text::STAFF_FOLDER,
        Some("message") => text::STAFF_MESSAGE,
        Some("nobody") => text::STAFF_NOBODY,
        Some("back") => text::STAFF_BACK,
        _ => text::STAFF_OTHER,
    };
    let why = match words.next() {
        Some("mistyped") => Some(text::STAFF_MISTYPED),
        Some("misfiled") => Some(text::STAFF_MISFILED),
        Some("renumbered") => Some(text::STAFF_RENUMBERED),
        Some("duplicate") => Some(text::STAFF_DUPLICATE),
        Some("foreign") => Some(text::STAFF_FOREIGN),
        Some("mistake") => Some(text::STAFF_MISTAKE),
        _ => None,
    };
    let line = |label: Text, value: Vec<Node>| {
        el("div")
            .with(el("dt").with(say(m, label)))
            .with(el("dd").with(value))
    };
    el("li")
        .class("card")
        .with(el("h3").with(say(m, did)))
        .with(
            el("dl")
                .with(line(text::HISTORY_WHEN, vec![when(m, r.entry.at())]))
                .with(line(text::HISTORY_ROLE, vec![data(r.text("role"))]))
                .with(why.map(|why| line(text::HISTORY_BASIS, say(m, why)))),
        )
}

fn details(m: &Model, history: &History, r: &Row, counts: Option<&Counts>) -> El {
    let named = |list: &[(&str, [&'static str; 3])], code: &str| {
        let found = list.iter().find(|(c, _)| *c == code);
        let [ja, easy, en] = found.map_or(["—"; 3], |(_, names)| *names);
        vec![data(Text { ja, easy, en }.of(m.prefs.lang))]
    };
    let mut list = el("dl");
    let mut line = |label: Text, value: Vec<Node>| {
        let pair = el("div")
            .with(el("dt").with(say(m, label)))
            .with(el("dd").with(value));
        list.kids.push(Node::El(Box::new(pair)));
    };
    line(text::HISTORY_WHEN, vec![when(m, r.entry.at())]);
    if let Some(role) = role(r) {
        line(text::HISTORY_ROLE, say(m, role));
    }
    let did = did(history, r);
    if r.entry.kind() == Kind::BreakGlass {
        line(
            text::HISTORY_REASON,
            named(EMERGENCY_REASONS, r.text("rsn")),
        );
        line(
            text::HISTORY_IDENTIFIED,
            named(IDENTIFIED_BY, r.text("idm")),
        );
    } else {
        line(text::HISTORY_PURPOSE, vec![purposes(m, &r.list("pur"))]);
    }
    if did == text::HISTORY_SEEN {
        let names = r.list("cats");
        let names = names.iter().map(|c| el("li").with(counted(m, counts, c)));
        let names = el("ul").class("tags").with(names.collect::<Vec<_>>());
        line(text::HISTORY_KINDS, vec![Node::El(Box::new(names))]);
        if let Some(n) = counts.and_then(|c| usize::try_from(c.items).ok()) {
            let n = fill(m, text::HISTORY_COUNTED, &[("n", number(n))]);
            line(text::HISTORY_COUNT, n);
        }
        line(text::HISTORY_BASIS, say(m, basis(r.text("basis"))));
    }
    list
}

fn basis(code: &str) -> Text {
    match code {
        "GRANT" => text::BASIS_GRANT,
        "EMERGENCY" => text::BASIS_EMERGENCY,
        "DISASTER" => text::BASIS_DISASTER,
        "SELF" => text::BASIS_SELF,
        _ => text::BASIS_OTHER,
    }
}

/// On home: what the person has to know of, and who looked last.
pub(super) fn alarms(m: &Model) -> Vec<El> {
    let mut all = Vec::new();
    let way = |text: Text| link(m, text, &Route::History);
    if m.is_doubtful() {
        let inside = el("p").with(way(text::HISTORY_BAD));
        all.push(banner("error", inside).attr("role", "alert"));
    }
    let emergencies = m.history.iter().flat_map(|h| h.emergencies(m.kept.seen));
    for r in emergencies {
        let sentence = fill(m, text::HOME_EMERGENCY, &[("when", when(m, r.entry.at()))]);
        let sentence = el("span").with(sentence);
        let notice = Route::Notice(r.n);
        let link = el("a").attr("href", notice.path()).with(sentence);
        all.push(banner("warn", el("p").with(link)).class("banner warn urgent"));
    }
    all
}

/// On home: who looked last.
pub(super) fn latest(m: &Model, out: &mut Vec<Node>) {
    let Some(history) = m.history.as_ref().filter(|_| !m.is_doubtful()) else {
        return;
    };
    h2(m, text::HOME_LOOKS).put(out);
    let rows = history.rows.iter().rev();
    let all = accesses(rows.filter(|r| r.is_look() && !r.is_own()));
    let rows: Vec<El> = all
        .iter()
        .take(3)
        .map(|a| {
            let r = a.first;
            let inside = el("a")
                .attr("href", Route::History.path())
                .class("card-link")
                .with(el("span").class("strong").with(who(m, r)))
                .with(el("span").with(say(m, did(history, r))))
                .with(el("span").class("mark").with(when(m, r.entry.at())))
                .with(times(m, a).map(|t| el("span").class("mark").with(t)));
            el("li").with(inside)
        })
        .collect();
    if rows.is_empty() {
        p(m, text::HISTORY_NONE).put(out);
    } else {
        el("ol").class("menu").with(rows).put(out);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::collections::BTreeMap;

    use warifu_log::{Entry, Hash, Value};

    use super::*;

    #[test]
    fn pages_of_one_answer_are_one_access_and_two_answers_are_two() {
        let row = |n: u64, from: Option<u64>| {
            let words = |w: &str| Value::List(vec![w.to_owned()]);
            let members = [
                ("rcp", "mi:1312345678".into()),
                ("role", "doctor".into()),
                ("pur", words("TREAT")),
                ("cats", words("inf.rx")),
                ("basis", "GRANT".into()),
                ("grants", Value::List(Vec::new())),
                ("areq", Hash([7; 32]).url().as_str().into()),
            ];
            let sub = Some("s1.EBESExQVFhcYGRobHB0eHw");
            let entry = Entry::new(Kind::Disclose, 1_800_000_000 + n * 60, sub, members);
            Row {
                n,
                leaf: Hash([0; 32]),
                entry: entry.unwrap(),
                counts: from.map(|from| Counts {
                    items: 10,
                    of: BTreeMap::from([("inf.rx".to_owned(), 10)]),
                    from,
                }),
            }
        };
        // The newest first: an answer, one of two pages, and two of before the server told where pages begin.
        let rows = [
            row(9, Some(0)),
            row(8, Some(100)),
            row(7, Some(0)),
            row(6, None),
            row(5, None),
        ];
        let told: Vec<(u64, usize, Option<u64>)> = accesses(rows.iter())
            .iter()
            .map(|a| (a.first.n, a.lines, a.counts.as_ref().map(|c| c.items)))
            .collect();
        assert_eq!(
            told,
            [
                (9, 1, Some(10)),
                (7, 2, Some(20)),
                (6, 1, None),
                (5, 1, None)
            ]
        );
    }
}
