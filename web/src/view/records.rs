//! S6: the person's own records, whatever is consented to (P7).

use std::collections::BTreeMap;

use super::{banner, category, data, h1, h2, p, record, say, toggle, unloaded, unread};
use crate::model::{Event, Model};
use crate::node::{El, IntoNodes as _, Node, el};
use crate::preview::Record;
use crate::text;

pub(super) fn records(m: &Model) -> Vec<Node> {
    let mut out = Vec::new();
    let (Some(books), Some(all)) = (&m.books, &m.listed) else {
        if m.problem.is_some() {
            return unloaded(m);
        }
        h1(m, text::RECORDS).put(&mut out);
        let sentence = if m.shelved.is_some() {
            text::OFFLINE_RECORDS
        } else {
            text::LOADING
        };
        p(m, sentence).put(&mut out);
        return out;
    };
    h1(m, text::RECORDS).put(&mut out);
    p(m, text::RECORDS_OWN).put(&mut out);
    p(m, text::WHAT_ALWAYS).put(&mut out);
    let Ok(all) = all else {
        unread(m, text::RECORDS_UNREAD).put(&mut out);
        return out;
    };
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
    let list = |all: Vec<El>| el("ul").class("records").with(all);
    if m.by_date {
        let mut years: BTreeMap<String, Vec<&Record>> = BTreeMap::new();
        for one in all {
            let year = one.day.get(..4).unwrap_or_default().to_owned();
            years.entry(year).or_default().push(one);
        }
        for (year, mut inside) in years.into_iter().rev() {
            if year.is_empty() {
                h2(m, text::RECORDS_NO_DATE).put(&mut out);
            } else {
                el("h2").with(data(&year)).put(&mut out);
            }
            inside.sort_by(|a, b| b.day.cmp(&a.day));
            list(inside.into_iter().map(|r| record(m, r)).collect()).put(&mut out);
        }
        return out;
    }
    for named in books.policy.categories() {
        let inside = all.iter().filter(|r| r.cats.contains(&named.code));
        let inside: Vec<El> = inside.map(|r| record(m, r)).collect();
        if inside.is_empty() {
            continue;
        }
        el("h2").with(category(m, &named.code)).put(&mut out);
        if named.code == "prc.surgery" {
            banner("info", el("p").with(say(m, text::RECORDS_SURGERY))).put(&mut out);
        }
        list(inside).put(&mut out);
    }
    out
}
