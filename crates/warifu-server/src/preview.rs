//! What a recipient would see of a person's records under a consent that is not signed yet (consent.md §7.2):
//! the decision over all that holds and the draft, by the filter that a disclosure goes through.

use std::collections::{BTreeMap, BTreeSet};

use warifu_consent::json::{Value, object};
use warifu_consent::{
    Annex, Date, Filtered, Grant, Mode, Policy, Reason, Request, State, Who, Why, filter, hash,
};
use warifu_json::{Limits, ROOT, parse};

use crate::App;
use crate::consent::set;
use crate::disclose::{COMPANIONS, Search, assemble, member};
use crate::http::{Answer, Asked, Body};
use crate::people;
use crate::problem::{Code, Problem};

/// Recipients times purposes of one preview: each is a whole filter.
const MOST: usize = 8;

/// The grant as the decision would have it.
fn draft(policy: &Policy, body: &Body, now: u64) -> Result<Grant, Problem> {
    let (aud, pur, cat) = (body.codes("aud")?, body.codes("pur")?, body.codes("cat")?);
    let set = |codes: &[String]| policy.category_set(codes.iter().map(String::as_str));
    let purposes = policy.purpose_set(pur.iter().map(String::as_str));
    let purposes = purposes.filter(|_| !pur.is_empty());
    let purposes = purposes.ok_or(Reason::PurposeUnknown.of("pur"))?;
    let cats = set(&cat).filter(|_| !cat.is_empty());
    let cats = cats.ok_or(Reason::CategoryUnknown.of("cat"))?;
    if cat.len() > 1 && cats.meets(policy.individual()) {
        return Err(Reason::IndividualBundled.of("cat").into());
    }
    if aud.is_empty() || aud.len() * pur.len() > MOST {
        return Err(Code::Body.into());
    }
    let window = body.get("dat");
    let day = |end: &str| -> Result<Option<Date>, Problem> {
        let Some(day) = window.and_then(|w| w.get(end)) else {
            return Ok(None);
        };
        Ok(Some(day.text().and_then(Date::parse).ok_or(Code::Body)?))
    };
    let annex = match body.maybe("annex")? {
        None => Annex::empty([0; 16]),
        Some(text) => {
            let bytes = warifu_consent::b64::decode(text).ok_or(Code::Body)?;
            Annex::read(&bytes, &hash::sha256_text(&[&bytes])).map_err(|_| Code::Body)?
        }
    };
    Ok(Grant {
        jti: String::new(),
        hash: String::new(),
        kid: String::new(),
        received: now,
        aud,
        pur: purposes,
        cat: cats,
        window: (day("from")?, day("to")?),
        recorded: None,
        nbf: now,
        exp: now.saturating_add(1),
        annex,
        obl: Vec::new(),
        uses_left: None,
        ended: false,
        status_age: None,
        parent: None,
        texts: policy.texts,
    })
}

/// Types and ids of what stands in a Bundle by itself.
fn names(bundle: &[u8]) -> Option<Vec<(String, String)>> {
    let parsed = parse(bundle, Limits::FHIR, &());
    let tree = &parsed.tree;
    let Some(entries) = tree.member(ROOT, "entry") else {
        return Some(Vec::new());
    };
    let mut all = Vec::new();
    for entry in tree.children(entries) {
        let resource = tree.member(entry, "resource")?;
        let (kind, id) = (
            member(tree, resource, "resourceType")?,
            member(tree, resource, "id")?,
        );
        if !COMPANIONS.contains(&kind.as_str()) {
            all.push((kind, id));
        }
    }
    Some(all)
}

/// `POST /api/consent/preview`
pub(crate) fn preview(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let session = people::session(office, asked)?;
    let body = asked.body(&["aud", "pur", "cat", "dat?", "annex?"])?;
    let policy = &office.policy;
    // As a transaction: log and tokens are of one instant. The filters run outside: others go on meanwhile.
    let (who, at, grant, mut state, (bundle, known)) = office.write(|tx| {
        let view = &tx.view;
        let person = people::person(view, &session, asked)?;
        let grant = draft(policy, &body, view.now)?;
        let state = view.state(tx.book, &person.sub)?;
        let state = State {
            policy,
            grants: state.grants,
            denials: state.denials,
            objections: state.objections,
            notices: state.notices,
            keys: state.keys,
        };
        let records = assemble(view, &person.sub, &Search::default())?;
        Ok((person.who, view.now, grant, state, records))
    })?;
    let (recipients, purposes) = (grant.aud.clone(), body.codes("pur")?);
    let own = Request {
        purpose: policy.purpose(match who {
            Who::Subject => "PATRQT",
            _ => "FAMRQT",
        }),
        who,
        mode: Mode::Normal,
        at,
    };
    let failed = |e: warifu_consent::FilterError| Problem::internal(format!("filter: {e}"));
    let read = |done: &Filtered| {
        names(&done.bytes).ok_or_else(|| Problem::internal("preview: the Bundle"))
    };
    // What the person is not to be told of is not there, whoever would see it (D3).
    let mine = read(&filter(&bundle, &state, &own, &known).map_err(failed)?)?;
    state.grants.push(grant);
    let (mut shown, mut reasons) = (BTreeSet::new(), BTreeMap::new());
    for recipient in &recipients {
        for purpose in &purposes {
            let request = Request {
                who: Who::Recipient(recipient.clone()),
                purpose: policy.purpose(purpose),
                mode: Mode::Normal,
                at,
            };
            let done = filter(&bundle, &state, &request, &known).map_err(failed)?;
            shown.extend(read(&done)?);
            let told = done.withheld.into_iter().filter(|w| w.why != Why::NotTold);
            reasons.extend(told.map(|w| (w.key, w.why.wire())));
        }
    }
    let items = mine.into_iter().map(|name| {
        let src = known.source(&name);
        let (kind, id) = &name;
        let key = hash::resource_key(src, kind, id);
        let is_shown = shown.contains(&name);
        let reason = reasons.get(&key).filter(|_| !is_shown);
        let mut item = object([
            ("type", kind.as_str().into()),
            ("id", id.as_str().into()),
            ("src", src.into()),
            ("shown", Value::Bool(is_shown)),
        ]);
        if let Some(reason) = reason {
            set(&mut item, "reason", *reason);
        }
        set(&mut item, "key", key);
        item
    });
    let items: Vec<Value> = items.collect();
    Ok(Answer::json(&object([("items", Value::Array(items))])))
}
