//! S8 consents and their end, S12 the receipt of one.

use std::collections::BTreeMap;

use warifu_consent::json::Value;
use warifu_consent::{Annex, Typ, render};
use warifu_log::Kind;

use super::{
    Field, banner, buttons, categories, category, choice_of, data, field, fill, h1, h2, home,
    institution, institutions, link, number, p, pass_field, problem, purposes, say, secondary,
    signed_text, summary, unloaded, when,
};
use crate::care::{Books, Copies, Given, Mine};
use crate::model::{Event, Model, Outcome, STOPS_AFTER};
use crate::node::{El, IntoNodes as _, Node, el};
use crate::route::Route;
use crate::text::{self, Lang};
use crate::time::DAY;

pub(super) fn all(m: &Model) -> Vec<Node> {
    let Some(mine) = &m.mine else {
        return unloaded(m);
    };
    let mut out = Vec::new();
    problem(m).put(&mut out);
    h1(m, text::CONSENTS).put(&mut out);
    offline_end(m).put(&mut out);
    let mut grants: Vec<&Given> = mine
        .given
        .iter()
        .filter(|g| g.token.typ == Typ::Grant)
        .collect();
    // Open ones first, then the newest.
    grants.sort_by_key(|g| (!g.is_open(m.now), u64::MAX - g.at));
    home::unproved(m, mine).put(&mut out);
    if grants.is_empty() {
        if mine.unproved == 0 {
            p(m, text::CONSENTS_NONE).put(&mut out);
        }
    } else {
        h2(m, text::HOME_SHOWN).put(&mut out);
        let cards: Vec<El> = grants.into_iter().map(|g| home::card(m, g, "h3")).collect();
        el("ul").class("cards").with(cards).put(&mut out);
    }
    // What else was signed can be read again too: the newest first.
    let rows: Vec<El> = mine
        .given
        .iter()
        .rev()
        .filter(|g| g.token.typ != Typ::Grant)
        .map(|given| {
            let way = el("a").attr("href", Route::Consent(given.jti().to_owned()).path());
            let way = way.class("card-link");
            let at = el("span").class("mark").with(when(m, given.at));
            let name = el("span").class("strong").with(title(m, mine, given));
            el("li").with(way.with(name).with(at))
        })
        .collect();
    if !rows.is_empty() {
        h2(m, text::CONSENTS_ELSE).put(&mut out);
        el("ul").class("menu").with(rows).put(&mut out);
    }
    out
}

/// Without a network nothing is ended here; the desk can.
fn offline_end(m: &Model) -> Option<El> {
    m.shelved?;
    let contact = m.books.as_ref().map_or("", |b| b.master.contact.as_str());
    let sentence = fill(m, text::OFFLINE_END, &[("contact", data(contact))]);
    Some(el("p").with(sentence))
}

/// Whether it is the prohibition that holds in emergencies too.
fn is_never(given: &Given) -> bool {
    given.token.typ == Typ::Deny && given.token.claims.get("emg").is_some_and(Value::is_true)
}

/// What was signed, in a few words.
fn title(m: &Model, mine: &Mine, given: &Given) -> Vec<Node> {
    let claim = |name: &str| given.token.claims.get(name);
    match given.token.typ {
        Typ::Deny if is_never(given) => say(m, text::SIGNED_NEVER),
        Typ::Deny => say(m, text::SIGNED_DENY),
        Typ::Objection => {
            let on = claim("state").and_then(Value::text) == Some("on");
            let slot = ("purpose", purposes(m, &given.list("pur")));
            let text = if on {
                text::SIGNED_OBJECT
            } else {
                text::SIGNED_ALLOW
            };
            fill(m, text, &[slot])
        }
        Typ::Revoke => {
            let of = claim("rev").and_then(Value::text);
            match of.and_then(|jti| mine.find(jti)) {
                Some(of) if of.token.typ == Typ::Grant => {
                    let slot = ("institution", institutions(m, &of.list("aud")));
                    fill(m, text::SIGNED_END, &[slot])
                }
                Some(of) if is_never(of) => say(m, text::SIGNED_NEVER_END),
                _ => say(m, text::SIGNED_END_ELSE),
            }
        }
        _ => vec![institutions(m, &given.list("aud"))],
    }
}

/// The way to the receipt of what was just signed, once it is read back.
pub(super) fn receipt_way(m: &Model) -> Option<El> {
    let jti = m.signed.as_ref()?;
    m.mine.as_ref()?.find(jti)?;
    Some(link(m, text::DONE_RECEIPT, &Route::Consent(jti.clone())).class("btn btn2"))
}

/// A grant: nothing else opens data, or can be ended so.
fn found<'m>(m: &'m Model, jti: &str) -> Result<&'m Given, Vec<Node>> {
    let given = signed(m, jti)?;
    if given.token.typ == Typ::Grant {
        Ok(given)
    } else {
        Err(not_found(m))
    }
}

fn not_found(m: &Model) -> Vec<Node> {
    let mut out = Vec::new();
    h1(m, text::NOT_FOUND).put(&mut out);
    buttons(link(m, text::NAV_CONSENTS, &Route::Consents).class("btn")).put(&mut out);
    out
}

/// Whatever was signed.
fn signed<'m>(m: &'m Model, jti: &str) -> Result<&'m Given, Vec<Node>> {
    let Some(mine) = &m.mine else {
        return Err(unloaded(m));
    };
    mine.find(jti).ok_or_else(|| not_found(m))
}

/// The text that was signed, rendered again; shown only if its hash is the signed one.
fn text_of(m: &Model, given: &Given) -> Option<(String, Lang)> {
    let books = m.books.as_ref()?;
    let annex = given.annex.as_deref().and_then(Annex::parse);
    let claims = &given.token.claims;
    let text = render(
        &books.policy,
        &books.master,
        given.token.typ,
        claims,
        annex.as_ref(),
    )
    .ok()?;
    let salt = warifu_consent::text_salt(claims, annex.as_ref())?;
    let signed = claims.get("txt")?.get("h")?.text()?;
    let lang = Lang::from_name(claims.get("txt")?.get("lang")?.text()?)?;
    (warifu_consent::text_hash(&salt, &text) == signed).then_some((text, lang))
}

pub(super) fn one(m: &Model, jti: &str) -> Vec<Node> {
    let given = match signed(m, jti) {
        Ok(given) => given,
        Err(out) => return out,
    };
    let mut out = Vec::new();
    h1(m, text::RECEIPT).put(&mut out);
    let is_grant = given.token.typ == Typ::Grant;
    if is_grant {
        el("ul")
            .class("cards")
            .with(home::card(m, given, "h2"))
            .put(&mut out);
    } else if let Some(mine) = &m.mine {
        el("p")
            .class("strong")
            .with(title(m, mine, given))
            .put(&mut out);
    }
    let row = |label, value: Node| {
        el("div")
            .with(el("dt").with(say(m, label)))
            .with(el("dd").with(value))
    };
    el("dl")
        .with(row(text::RECEIPT_AT, when(m, given.at)))
        .with(row(text::RECEIPT_NUMBER, data(given.jti())))
        .with(row(text::RECEIPT_PROOF, data(&given.token.hash)))
        .put(&mut out);
    erasures(m, jti, &mut out);
    // An end is one sentence, which stands above.
    if given.token.typ != Typ::Revoke {
        h2(m, text::CONSENT_TEXT).put(&mut out);
        match text_of(m, given) {
            Some((text, lang)) => signed_text(m, &text, lang).put(&mut out),
            None => p(m, text::CONSENT_TEXT_GONE).put(&mut out),
        }
    }
    if m.offers.iter().any(|o| o.jti() == jti) {
        banner("info", p(m, text::OFFER_WAITS)).put(&mut out);
    }
    if is_grant {
        offline_end(m).put(&mut out);
    }
    let mut ways = vec![secondary(m, text::RECEIPT_PRINT, Event::Print)];
    if given.is_open(m.now) || !is_grant {
        let qr = Route::Qr(jti.to_owned());
        ways.push(link(m, text::RECEIPT_QR, &qr).class("btn btn2"));
    }
    ways.push(secondary(
        m,
        text::RECEIPT_FILE,
        Event::Save(jti.to_owned()),
    ));
    buttons(ways).put(&mut out);
    out
}

pub(super) fn qr(m: &Model, jti: &str) -> Vec<Node> {
    match signed(m, jti) {
        Ok(given) => super::symbols::symbols(m, given),
        Err(out) => out,
    }
}

/// Institutions that are listed at once; of more, those of a name that is typed.
const LISTED: usize = 8;

const FIND: Field = Field {
    id: "offer-find",
    label: text::OFFER_FIND,
    hint: text::OFFER_FIND_HINT,
    kind: "text",
    complete: "off",
    mode: "text",
};

/// Which consents can be shown at a desk. Each has one recipient: others would read of one another.
pub(super) fn show(m: &Model) -> Vec<Node> {
    let Some(mine) = &m.mine else {
        return unloaded(m);
    };
    let mut out = Vec::new();
    summary(m).put(&mut out);
    problem(m).put(&mut out);
    h1(m, text::QRS).put(&mut out);
    p(m, text::QRS_WHAT).put(&mut out);
    let rows = mine
        .given
        .iter()
        .filter(|g| g.token.typ == Typ::Grant && g.is_open(m.now) && g.list("aud").len() == 1)
        .map(|given| {
            let slot = ("institution", institutions(m, &given.list("aud")));
            let route = Route::Qr(given.jti().to_owned());
            let end = given.token.int("exp").unwrap_or(0);
            let until = fill(m, text::CONSENT_OPEN, &[("when", when(m, end))]);
            // Several of one institution differ in what they show.
            let way = el("a")
                .attr("href", route.path())
                .class("card-link")
                .with(
                    el("span")
                        .class("strong")
                        .with(fill(m, text::QRS_ONE, &[slot])),
                )
                .with(el("span").with(categories(m, &given.list("cat"))))
                .with(el("span").class("mark").with(until));
            el("li").with(way)
        });
    let rows: Vec<El> = rows.collect();
    if rows.is_empty() {
        p(m, text::QRS_NONE).class("strong").put(&mut out);
    } else {
        el("ul").class("menu").with(rows).put(&mut out);
    }
    if let (None, Some(books)) = (&m.acting, &m.books) {
        offer(m, books, &mut out);
    }
    out
}

/// A grant for a day, that nobody asked for and no network is needed for.
fn offer(m: &Model, books: &Books, out: &mut Vec<Node>) {
    h2(m, text::OFFER).put(out);
    p(m, text::OFFER_WHAT).put(out);
    let lang = m.prefs.lang.signed();
    let named = |code: &&str| {
        books
            .master
            .name(code, lang)
            .unwrap_or_default()
            .contains(m.offer_find.trim())
    };
    let all = books.master.codes();
    if all.count() > LISTED {
        field(m, &FIND, &m.offer_find, Event::OfferFind).put(out);
    }
    let options = books.master.codes().filter(named).take(LISTED);
    let options = options.map(|code| {
        let on = m.offer_to == code;
        (
            vec![institution(m, code)],
            on,
            Event::OfferTo(code.to_owned()),
        )
    });
    choice_of(m, "offer", text::OFFER_TO, options.collect()).put(out);
    let mut ways = vec![secondary(m, text::OFFER_GENERAL, Event::Offer(None))];
    for code in books.policy.category_codes(books.policy.individual()) {
        let slot = ("category", category(m, &code));
        ways.push(
            el("button")
                .attr("type", "button")
                .class("btn btn2")
                .with(fill(m, text::OFFER_ONE, &[slot]))
                .press(Event::Offer(Some(code))),
        );
    }
    buttons(ways).put(out);
}

/// A row each recipient that got records: what it says of its copies.
fn erasures(m: &Model, jti: &str, out: &mut Vec<Node>) {
    let rows = m.erasures.iter().filter(|e| e.jti == jti);
    let rows = rows.map(|e| {
        let (said, at) = match &e.answer {
            Copies::Erased(at) => (text::COPIES_ERASED, *at),
            Copies::Kept(at, why) => match why.as_str() {
                "chart" => (text::COPIES_CHART, *at),
                "dispensing" => (text::COPIES_DISPENSING, *at),
                _ => (text::COPIES_LAW, *at),
            },
            Copies::Waiting => match e.told {
                Some(at) => (text::COPIES_TOLD, at),
                None => (text::COPIES_WAITING, 0),
            },
        };
        let name = el("span").class("strong").with(institution(m, &e.rcp));
        let said = el("span").with(fill(m, said, &[("when", when(m, at))]));
        el("li").class("card").with(name).with(el("p").with(said))
    });
    let rows: Vec<El> = rows.collect();
    if !rows.is_empty() {
        h2(m, text::COPIES).put(out);
        p(m, text::COPIES_WHAT).put(out);
        el("ul").class("cards").with(rows).put(out);
    }
}

/// Who got records by this consent, how often, and when last.
fn copies(m: &Model, given: &Given) -> Option<El> {
    let history = m.history.as_ref().filter(|_| !m.is_doubtful())?;
    let mut got: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    for row in &history.rows {
        if row.entry.kind() == Kind::Disclose
            && !row.is_empty()
            && row.list("grants").contains(&given.token.hash)
        {
            let of = got.entry(row.text("rcp")).or_default();
            *of = (of.0 + 1, row.entry.at());
        }
    }
    let rows = got.into_iter().map(|(code, (n, last))| {
        let slots = [
            ("institution", institution(m, code)),
            ("n", number(n)),
            ("when", when(m, last)),
        ];
        el("li").with(fill(m, text::WITHDRAW_GIVEN, &slots))
    });
    let rows: Vec<El> = rows.collect();
    (!rows.is_empty()).then(|| el("ul").with(rows))
}

pub(super) fn withdraw(m: &Model, jti: &str) -> Vec<Node> {
    let given = match found(m, jti) {
        Ok(given) => given,
        Err(out) => return out,
    };
    let mut out = Vec::new();
    summary(m).put(&mut out);
    problem(m).put(&mut out);
    let slot = ("institution", institutions(m, &given.list("aud")));
    el("h1")
        .attr("tabindex", "-1")
        .with(fill(m, text::WITHDRAW, &[slot]))
        .put(&mut out);
    let by = ("when", when(m, m.now + STOPS_AFTER));
    el("p")
        .class("strong")
        .with(fill(m, text::WITHDRAW_BY, &[by]))
        .put(&mut out);
    let emergency = given
        .list("pur")
        .iter()
        .any(|p| p == "ETREAT" || p == "DISASTER");
    if emergency {
        let by = ("when", when(m, m.now + DAY));
        el("p")
            .with(fill(m, text::WITHDRAW_EMERGENCY, &[by]))
            .put(&mut out);
    }
    p(m, text::WITHDRAW_COPIES).put(&mut out);
    copies(m, given).put(&mut out);
    if m.sealed() {
        pass_field(m, false).put(&mut out);
    }
    buttons([
        secondary(m, text::CONSENT_END, Event::Withdraw)
            .maybe("aria-busy", m.busy.then_some("true")),
        link(m, text::WITHDRAW_KEEP, &Route::Consents).class("btn btn2"),
    ])
    .class("buttons equal")
    .put(&mut out);
    out
}

pub(super) fn ended(m: &Model, jti: &str) -> Vec<Node> {
    let mut out = Vec::new();
    let Outcome::Ended(at, by, emergency) = m.outcome else {
        h1(m, text::CONSENTS).put(&mut out);
        buttons(link(m, text::NAV_CONSENTS, &Route::Consents).class("btn")).put(&mut out);
        return out;
    };
    let slots = [("when", when(m, at)), ("by", when(m, by))];
    el("h1")
        .attr("tabindex", "-1")
        .with(fill(m, text::ENDED, &slots))
        .put(&mut out);
    if let Some(by) = emergency {
        let sentence = fill(m, text::WITHDRAW_EMERGENCY, &[("when", when(m, by))]);
        banner("warn", el("p").with(sentence)).put(&mut out);
    }
    p(m, text::WITHDRAW_COPIES).put(&mut out);
    let mut ways: Vec<El> = receipt_way(m).into_iter().collect();
    let given = m.mine.as_ref().and_then(|mine| mine.find(jti));
    if given.is_some_and(|given| copies(m, given).is_some()) {
        let route = Route::Consent(jti.to_owned());
        ways.push(link(m, text::COPIES_LOOK, &route).class("btn btn2"));
    }
    ways.push(link(m, text::TO_HOME, &Route::Home).class("btn btn2"));
    buttons(ways).put(&mut out);
    out
}
