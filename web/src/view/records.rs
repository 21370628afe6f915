//! S6: the person's own records, whatever is consented to (P7).

use std::collections::BTreeMap;

use super::{
    banner, buttons, category, data, fill, h1, h2, institution, kind_name, link, number, p, record,
    said, say, title_of, toggle, unloaded, unread, written,
};
use crate::model::{Event, Model};
use crate::node::{El, IntoNodes as _, Node, el};
use crate::record::{Record, UNSORTED};
use crate::route::Route;
use crate::text;

/// The records, or the screen that stands there instead.
fn listed(m: &Model) -> Result<&[Record], Vec<Node>> {
    let mut out = Vec::new();
    let (Some(_), Some(all)) = (&m.books, &m.listed) else {
        if m.problem.is_some() {
            return Err(unloaded(m));
        }
        h1(m, text::RECORDS).put(&mut out);
        let sentence = if m.shelved.is_some() {
            text::OFFLINE_RECORDS
        } else {
            text::LOADING
        };
        p(m, sentence).put(&mut out);
        return Err(out);
    };
    if let Ok(all) = all {
        return Ok(all);
    }
    h1(m, text::RECORDS).put(&mut out);
    unread(m, text::RECORDS_UNREAD).put(&mut out);
    Err(out)
}

pub(super) fn records(m: &Model) -> Vec<Node> {
    let all = match listed(m) {
        Ok(all) => all,
        Err(instead) => return instead,
    };
    let mut out = Vec::new();
    h1(m, text::RECORDS).put(&mut out);
    p(m, text::RECORDS_OWN).put(&mut out);
    p(m, text::WHAT_ALWAYS).put(&mut out);
    if all.is_empty() {
        p(m, text::RECORDS_NONE).put(&mut out);
        return out;
    }
    el("div")
        .class("ways")
        .with([
            toggle(m, text::RECORDS_KIND, !m.by_date, Event::ByDate(false)),
            toggle(m, text::RECORDS_DATE, m.by_date, Event::ByDate(true)),
        ])
        .put(&mut out);
    if m.by_date {
        let mut years: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
        for one in all {
            years
                .entry(one.day.get(..4).unwrap_or_default())
                .or_default()
                .push(one);
        }
        for (year, inside) in years.into_iter().rev() {
            if year.is_empty() {
                h2(m, text::RECORDS_NO_DATE).put(&mut out);
                rows(m, &inside, true).put(&mut out);
            } else {
                el("h2").with(data(year)).put(&mut out);
                by_day(m, &inside, "h3", &mut out);
            }
        }
        return out;
    }
    h2(m, text::RECORDS_KINDS).put(&mut out);
    let kinds = m.books.iter().flat_map(|b| b.policy.categories());
    let kinds = kinds.map(|c| c.code.as_str()).chain([UNSORTED]);
    let kinds = kinds.filter_map(|kind| {
        let n = all.iter().filter(|r| r.stands_under() == kind).count();
        let count = fill(m, text::RECORDS_COUNT, &[("n", number(n))]);
        let way = el("a")
            .attr("href", Route::Category(kind.to_owned()).path())
            .class("counted")
            .with(el("span").with(kind_name(m, kind)))
            .with(el("span").class("mark").with(count));
        (n > 0).then(|| el("li").with(way))
    });
    el("ul")
        .class("menu")
        .with(kinds.collect::<Vec<_>>())
        .put(&mut out);
    out
}

fn rows(m: &Model, all: &[&Record], dated: bool) -> El {
    let all = all.iter().map(|r| record(m, r, dated));
    el("ul").class("menu").with(all.collect::<Vec<_>>())
}

/// A heading a day, the newest first; they come in that order.
fn by_day(m: &Model, all: &[&Record], heading: &'static str, out: &mut Vec<Node>) {
    for day in all.chunk_by(|a, b| a.day == b.day) {
        let Some(first) = day.first() else { continue };
        if first.day.is_empty() {
            el(heading).with(say(m, text::RECORDS_NO_DATE)).put(out);
        } else {
            el(heading).with(written(m, &first.day)).put(out);
        }
        rows(m, day, false).put(out);
    }
}

/// The records of a category, day by day.
pub(super) fn of_category(m: &Model, code: &str) -> Vec<Node> {
    let all = match listed(m) {
        Ok(all) => all,
        Err(instead) => return instead,
    };
    let inside: Vec<&Record> = all.iter().filter(|r| r.stands_under() == code).collect();
    let mut out = Vec::new();
    back(link(m, text::RECORDS_BACK, &Route::Records)).put(&mut out);
    if inside.is_empty() {
        h1(m, text::RECORDS_NONE).put(&mut out);
        return out;
    }
    el("h1")
        .attr("tabindex", "-1")
        .with(kind_name(m, code))
        .put(&mut out);
    el("p")
        .with(fill(m, text::RECORDS_COUNT, &[("n", number(inside.len()))]))
        .put(&mut out);
    if code == "prc.surgery" {
        let mut told = vec![el("p").with(say(m, text::RECORDS_SURGERY))];
        if inside.iter().any(|r| r.guessed) {
            told.push(el("p").with(say(m, text::RECORDS_GUESSED)));
        }
        banner("info", told).put(&mut out);
    }
    by_day(m, &inside, "h2", &mut out);
    out
}

fn back(way: El) -> El {
    el("p").class("back-way").with(way)
}

/// One record: everything that it says.
pub(super) fn one(m: &Model, id: &str) -> Vec<Node> {
    let all = match listed(m) {
        Ok(all) => all,
        Err(instead) => return instead,
    };
    let mut out = Vec::new();
    let Some(r) = all.iter().find(|r| r.id == id) else {
        h1(m, text::RECORDS_NOT_FOUND).put(&mut out);
        buttons(link(m, text::RECORDS_BACK, &Route::Records).class("btn")).put(&mut out);
        return out;
    };
    let kind = r.stands_under();
    let name = kind_name(m, kind);
    let way = el("a")
        .attr("href", Route::Category(kind.to_owned()).path())
        .with(fill(m, text::RECORDS_BACK_TO, &[("category", name)]));
    back(way).put(&mut out);
    el("h1")
        .attr("tabindex", "-1")
        .with(title_of(m, r))
        .put(&mut out);
    el("p").class("mark").with(say(m, r.kind)).put(&mut out);
    if r.guessed {
        banner("info", el("p").with(say(m, text::RECORDS_GUESSED_ONE))).put(&mut out);
    } else if r.cats.len() > 1 {
        banner("info", p(m, text::RECORD_SEVERAL)).put(&mut out);
    }
    let line = |label, value: Vec<Node>| {
        el("div")
            .with(el("dt").with(say(m, label)))
            .with(el("dd").with(value))
    };
    let facts = r.facts.iter().map(|fact| {
        let said = fact
            .said
            .iter()
            .map(|one| el("p").class("fact").with(said(m, one)));
        let mut value = Vec::new();
        said.collect::<Vec<_>>().put(&mut value);
        line(fact.label, value)
    });
    let mut facts: Vec<El> = facts.collect();
    if m.books.as_ref().is_some_and(|b| b.has(&r.src)) {
        facts.push(line(text::RECORD_FROM, vec![institution(m, &r.src)]));
    }
    let cats = r.cats.iter().map(|c| el("li").with(category(m, c)));
    let cats = el("ul").class("tags").with(cats.collect::<Vec<_>>());
    facts.push(line(
        text::RECORD_CATEGORIES,
        vec![Node::El(Box::new(cats))],
    ));
    el("div")
        .class("card")
        .with(el("dl").with(facts))
        .put(&mut out);
    let parts: Vec<&Record> = all.iter().filter(|o| r.parts.contains(&o.key)).collect();
    if !parts.is_empty() {
        h2(m, text::RECORD_PARTS).put(&mut out);
        rows(m, &parts, false).put(&mut out);
    }
    out
}
