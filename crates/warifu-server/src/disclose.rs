//! Disclosure: search, decision, filter, line of the log, proof, in one transaction.
//!
//! The state is read, the Bundle filtered and the line written while no other transaction writes: a
//! withdrawal that was acknowledged before counts, whatever was being assembled (consent.md §8.3).

use std::collections::{BTreeMap, BTreeSet};

use axum::http::header;
use warifu_consent::json::{Value, object};
use warifu_consent::{
    Accepted, Consent, Date, Disclosure, Facts, Filtered, Item, Knowledge, Ledger as _, Mode,
    Opened, Origin, Reason, Request, State, Told, Typ, Who, Why, accept, break_glass, decide,
    emergency_bundle, filter, hash, instant, mark, told_to_recipient, wire,
};
use warifu_json::{Limits, NodeId, ROOT, Tree, parse};
use warifu_log::Kind;
use warifu_log::watch::Act;

use crate::App;
use crate::consent::set;
use crate::cutoff::{self, Step};
use crate::http::{Answer, Asked, Body};
use crate::ingest::is_type;
use crate::logs::evidence;
use crate::notice;
use crate::office::{Office, Tx, View, random};
use crate::people;
use crate::problem::{Code, Problem};
use crate::review;

/// Resources a page has when nothing is said.
const PAGE: usize = 100;
/// And at most.
const MOST: usize = 500;
/// Where the last page that is asked for may begin.
const FURTHEST: usize = 10_000_000;
/// Types that go only with what refers to them: a search for others reads them too.
pub(crate) const COMPANIONS: &[&str] = &[
    "Device",
    "Location",
    "Medication",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Provenance",
    "RelatedPerson",
    "Specimen",
];

/// A FHIR search, as far as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Search {
    /// Types; absent for all.
    types: Option<Vec<String>>,
    id: Option<Vec<String>>,
    since: Option<u64>,
    count: Option<usize>,
}

impl Search {
    /// Reads `Patient/$everything?…` or `Type?…`. What is not known is refused: a condition that is left
    /// out would show more.
    pub(crate) fn read(text: &str) -> Result<Self, Problem> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let mut search = Self::default();
        if path != "Patient/$everything" {
            if !is_type(path) {
                return Err(Code::Parameter.into());
            }
            search.types = Some(vec![path.to_owned()]);
        }
        for (name, value) in crate::route::pairs(query)? {
            let list = || value.split(',').map(str::to_owned).collect::<Vec<_>>();
            match name.as_str() {
                "_type" if search.types.is_none() && list().iter().all(|t| is_type(t)) => {
                    search.types = Some(list());
                }
                "_id" if search.id.is_none() => search.id = Some(list()),
                "_since" | "_lastUpdated" if search.since.is_none() => {
                    let text = match name.as_str() {
                        "_since" => Some(value.as_str()),
                        _ => value.strip_prefix("ge"),
                    };
                    search.since = Some(text.and_then(moment).ok_or(Code::Parameter)?);
                }
                "_count" if search.count.is_none() => {
                    let n: usize = value.parse().map_err(|_| Code::Parameter)?;
                    search.count = Some(n.clamp(1, MOST));
                }
                _ => return Err(Code::Parameter.into()),
            }
        }
        Ok(search)
    }

    fn wants(&self, kind: &str, id: &str, recorded: u64) -> bool {
        let typed = self
            .types
            .as_ref()
            .is_none_or(|t| t.iter().any(|t| t == kind));
        let named = self
            .id
            .as_ref()
            .is_none_or(|all| all.iter().any(|i| i == id));
        typed && named && self.since.is_none_or(|since| recorded >= since)
    }
}

/// An instant of FHIR, or the beginning of a day.
fn moment(text: &str) -> Option<u64> {
    instant(text).or_else(|| Some(Date::parse(text)?.starts()))
}

/// What the office knows of each record beside its content.
pub(crate) struct Records {
    of: BTreeMap<(String, String), Facts>,
    others: Facts,
    /// Entries of the Bundle.
    entries: usize,
}

impl Records {
    /// Facility of the resource of this type and id.
    pub(crate) fn source(&self, name: &(String, String)) -> &str {
        &self.of.get(name).unwrap_or(&self.others).src
    }
}

impl Knowledge for Records {
    fn facts(&self, kind: &str, id: &str) -> Facts {
        let own = self.of.get(&(kind.to_owned(), id.to_owned()));
        own.unwrap_or(&self.others).clone()
    }
    /// A Patient that is kept under the person's pseudonym; both ways in see to it.
    fn is_person(&self, kind: &str, id: &str) -> Option<bool> {
        Some(self.of.contains_key(&(kind.to_owned(), id.to_owned())))
    }
}

impl Records {
    /// Where what stands in a Bundle comes from, `[{src, of: [Type/id]}]`: with it the person's device makes
    /// the keys by which a consent leaves out single records and facilities.
    fn sources(&self, bundle: &[u8]) -> Value {
        let parsed = parse(bundle, Limits::FHIR, &());
        let tree = &parsed.tree;
        let mut all: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let entries = tree.member(ROOT, "entry");
        for entry in entries.into_iter().flat_map(|e| tree.children(e)) {
            let read = || {
                let resource = tree.member(entry, "resource")?;
                Some((
                    member(tree, resource, "resourceType")?,
                    member(tree, resource, "id")?,
                ))
            };
            let Some(key) = read() else { continue };
            if let Some(own) = self.of.get(&key) {
                let of = all.entry(&own.src).or_default();
                of.push(format!("{}/{}", key.0, key.1));
            }
        }
        let rows = all.into_iter();
        let rows = rows.map(|(src, of)| object([("src", src.into()), ("of", of.into())]));
        Value::Array(rows.collect())
    }
}

fn facts(src: &str, recorded: Option<u64>) -> Facts {
    Facts {
        src: src.to_owned(),
        origin: Origin::Ehr,
        recorded,
        told: Told::Unknown,
    }
}

/// The records of a person that a search asks for, as one Bundle, the newest first.
pub(crate) fn assemble(
    view: &View<'_>,
    sub: &str,
    search: &Search,
) -> Result<(Vec<u8>, Records), Problem> {
    let mut known = Records {
        of: BTreeMap::new(),
        others: facts(&view.office.institution, None),
        entries: 0,
    };
    let mut bundle = br#"{"resourceType":"Bundle","type":"searchset""#.to_vec();
    let mut first = true;
    let rows = view.db.query(
        "SELECT src, typ, id, recorded, body FROM records WHERE sub = ?1
         ORDER BY recorded DESC, typ, id, src",
        &[sub.into()],
    )?;
    let sealer = view.sealer(sub)?;
    for row in rows {
        let read = || {
            Some((
                row.text(0)?,
                row.text(1)?,
                row.text(2)?,
                row.int(3)?,
                row.bytes(4)?,
            ))
        };
        let (src, kind, id, recorded, body) =
            read().ok_or(warifu_store::StoreError::Form("records"))?;
        if !search.wants(kind, id, recorded) && !COMPANIONS.contains(&kind) {
            continue;
        }
        let sealer = sealer.as_ref();
        let sealer = sealer.ok_or_else(|| Problem::internal("a person's key is missing"))?;
        let resource = sealer.open(&["record", src, kind, id], body)?;
        bundle.extend_from_slice(if first { br#","entry":["# } else { b"," });
        first = false;
        let base = view.office.origin();
        let url = format!("{{\"fullUrl\":\"{base}/fhir/{kind}/{id}\",\"resource\":");
        bundle.extend_from_slice(url.as_bytes());
        bundle.extend_from_slice(&resource);
        bundle.push(b'}');
        let key = (kind.to_owned(), id.to_owned());
        known.of.insert(key, facts(src, Some(recorded)));
        known.entries += 1;
    }
    bundle.extend_from_slice(if first { b"}" } else { b"]}" });
    Ok((bundle, known))
}

pub(crate) fn member(tree: &Tree<'_>, node: NodeId, name: &str) -> Option<String> {
    tree.member(node, name).map(|n| tree.text(n).into_owned())
}

/// One page of a filtered Bundle: what stands there of the types asked for, from `from` on, and every
/// companion; the filter then drops companions that nothing refers to. `None` when one page holds all.
fn page(bundle: &[u8], from: usize, count: usize) -> Option<(Vec<u8>, Option<usize>)> {
    let parsed = parse(bundle, Limits::FHIR, &());
    let tree = &parsed.tree;
    let entries = tree.member(ROOT, "entry")?;
    let mut out = br#"{"resourceType":"Bundle","type":"searchset","entry":["#.to_vec();
    let end = from.saturating_add(count);
    let (mut at, mut first) = (0, true);
    for entry in tree.children(entries) {
        let resource = tree.member(entry, "resource")?;
        let kind = member(tree, resource, "resourceType")?;
        if !COMPANIONS.contains(&kind.as_str()) {
            at += 1;
            if at <= from || at > end {
                continue;
            }
        }
        let span = tree.span(entry);
        let (start, end) = (
            usize::try_from(span.start).ok()?,
            usize::try_from(span.end).ok()?,
        );
        if !first {
            out.push(b',');
        }
        first = false;
        out.extend_from_slice(bundle.get(start..end)?);
    }
    if from == 0 && at <= count {
        return None;
    }
    out.extend_from_slice(b"]}");
    Some((out, (at > end).then_some(end)))
}

/// Filters, and cuts a page out of what is kept, which is decided anew.
fn released(
    view: &View<'_>,
    sub: &str,
    search: &Search,
    from: usize,
    state: &State<'_>,
    request: &Request,
) -> Result<(Filtered, Option<usize>, Records), Problem> {
    let (bundle, known) = assemble(view, sub, search)?;
    let failed = |e: warifu_consent::FilterError| Problem::internal(format!("filter: {e}"));
    let whole = filter(&bundle, state, request, &known).map_err(failed)?;
    let count = search.count.unwrap_or(PAGE);
    if from == 0 && known.entries <= count {
        return Ok((whole, None, known));
    }
    match page(&whole.bytes, from, count) {
        None => Ok((whole, None, known)),
        Some((part, next)) => {
            let mut one = filter(&part, state, request, &known).map_err(failed)?;
            one.withheld = whole.withheld;
            Ok((one, next, known))
        }
    }
}

/// The reason a recipient may know, when nothing at all could go out whatever the records are (§7.2).
fn refused(state: &State<'_>, request: &Request, src: &str) -> Option<&'static str> {
    let policy = state.policy;
    // It goes out without names only, and that is not made here (docs/consent.md).
    if request.purpose.and_then(|p| policy.consent(p)) == Some(Consent::OptOut) {
        return Some("NOT_AVAILABLE");
    }
    let mut furthest: Option<Why> = None;
    for category in policy.category_codes(policy.all_categories()) {
        let item = Item::of_category(policy, &category, src, request.at);
        let decision = decide(state, request, &item);
        let why = decision.why;
        let of_request = why <= Why::StatusStale
            || matches!(
                why,
                Why::BgInvalid | Why::BgFacility | Why::BgRole | Why::DisInactive
            );
        match why {
            _ if decision.permits() => return None,
            Why::Ceiling | Why::BgCategory => {}
            _ if of_request => furthest = furthest.max(Some(why)),
            _ => return None,
        }
    }
    Some(furthest.map_or("NOT_AVAILABLE", told_to_recipient))
}

/// Narrows the grants to those that the access request stands on, and to the categories it asks for.
fn narrow(state: &mut State<'_>, access: &Opened) {
    let ath = access.text("ath");
    if ath != "registered" {
        let on = |parent: &Option<(String, String)>| parent.as_ref().is_some_and(|(p, _)| p == ath);
        state.grants.retain(|g| g.hash == ath || on(&g.parent));
    }
    if let Some(wanted) = access.claims.get("cat") {
        let policy = state.policy;
        for grant in &mut state.grants {
            let both = policy.category_codes(grant.cat);
            let both = both.iter().filter(|c| wanted.texts().any(|w| w == *c));
            // What is not asked for stays closed; an individual category keeps its own grant.
            grant.cat = policy
                .category_set(both.map(String::as_str))
                .unwrap_or_default();
        }
    }
}

/// Who gets it, why, and what the log says of it.
struct Purposeful<'a> {
    sub: &'a str,
    request: Request,
    rcp: &'a str,
    /// Key of the institution that asks; empty for a person.
    kid: &'a str,
    role: &'a str,
    pur: &'a str,
    areq: String,
}

/// The line, the proof, and the bytes that go out.
fn hand_over(
    tx: &mut Tx<'_>,
    whom: &Purposeful<'_>,
    filtered: Filtered,
    (from, next): (usize, Option<usize>),
    emergency: bool,
) -> Result<Value, Problem> {
    let office = tx.view.office;
    let own = matches!(whom.request.who, Who::Subject | Who::Proxy { .. });
    let mut hashes = BTreeSet::new();
    for jti in &filtered.grants {
        let rows = tx.view.tokens(
            "jti = ?1 AND sub = ?2",
            &[jti.as_str().into(), whom.sub.into()],
        )?;
        for row in rows {
            tx.view.db.run(
                "UPDATE tokens SET used = used + 1 WHERE tok = ?1",
                &[row.opened.hash.as_str().into()],
            )?;
            hashes.insert(row.opened.hash);
        }
    }
    let hashes: Vec<String> = hashes.into_iter().collect();
    let basis = match (&whom.request.mode, own) {
        (_, true) => "SELF",
        (Mode::Normal, _) => "GRANT",
        (Mode::BreakGlass { .. }, _) => "EMERGENCY",
        (Mode::Disaster { .. }, _) => "DISASTER",
    };
    // A line has its codes in the order of letters, not in that of the policy.
    let mut cats = filtered.cats.clone();
    cats.sort_unstable();
    if cats.is_empty() {
        // An empty answer is a line too, and a line names at least one.
        cats.push("none".to_owned());
    }
    let members = [
        ("rcp", whom.rcp.into()),
        ("role", whom.role.into()),
        ("pur", warifu_log::Value::List(vec![whom.pur.to_owned()])),
        ("cats", warifu_log::Value::List(cats)),
        ("basis", basis.into()),
        ("grants", warifu_log::Value::List(hashes.clone())),
        ("areq", whom.areq.as_str().into()),
    ];
    let (line, salt) = tx.line(Kind::Disclose, Some(whom.sub), &members)?;
    count(tx, whom.sub, line.index, &filtered, from)?;
    let mut bytes = mark(&filtered, &office.policy);
    if emergency {
        let summed = emergency_bundle(&bytes, &office.policy, &office.institution, whom.request.at);
        bytes = summed.ok_or_else(|| Problem::internal("the summary"))?;
    }
    if !own {
        let leaf = line.leaf.url();
        let about = Disclosure {
            at: whom.request.at,
            server: &office.institution,
            recipient: whom.rcp,
            grants: &hashes,
            policy: &office.policy.hash,
            log: &office.log_name,
            leaf: &leaf,
            index: Some(line.index),
            obligations: &filtered.obligations,
        };
        let signer = office.signer("server")?;
        let draft = about.draft(&bytes, &warifu_consent::Signer::public(signer))?;
        let signature = warifu_consent::Signer::sign(signer, draft.signing_input());
        let signature = signature.map_err(|e| Problem::internal(e.to_string()))?;
        let token = draft.finish(&signature)?;
        let with = about.with_provenance(&bytes, &token);
        bytes = with.ok_or_else(|| Problem::internal("the Provenance"))?;
    }
    let bundle = String::from_utf8(bytes).map_err(|_| Problem::internal("the Bundle"))?;
    let mut value = object([
        ("bundle", bundle.into()),
        ("proof", evidence(tx, &line, &salt)?),
        ("areq", whom.areq.as_str().into()),
    ]);
    if let Some(next) = next {
        set(&mut value, "next", next.to_string());
    }
    if whom.request.who == Who::Subject {
        // A proxy does not learn what is there beside what it may see. Items under D3 are neither listed nor counted, to nobody.
        let told: Vec<_> = filtered
            .withheld
            .into_iter()
            .filter(|w| w.why != Why::NotTold)
            .collect();
        set(&mut value, "withheld", wire::withheld_value(&told));
    }
    Ok(value)
}

/// Keeps how many records went out by a line, and of which kinds. A line itself has no numbers
/// (docs/log.md); the person is told them beside it, as the server's word.
fn count(tx: &Tx<'_>, sub: &str, line: u64, told: &Filtered, from: usize) -> Result<(), Problem> {
    let counts = told.counts.iter();
    let of: Vec<String> = counts.map(|(c, n)| format!("{c} {n}")).collect();
    tx.view.db.run(
        "INSERT INTO counted (line, sub, items, cats, page) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[
            line.into(),
            sub.into(),
            told.items.into(),
            of.join(" ").into(),
            u64::try_from(from).unwrap_or(u64::MAX).into(),
        ],
    )?;
    Ok(())
}

/// What was kept so of a person's lines, as the person is told it: by line.
pub(crate) fn counts(view: &View<'_>, sub: &str) -> Result<BTreeMap<u64, Value>, Problem> {
    let sql = "SELECT line, items, cats, page FROM counted WHERE sub = ?1";
    let mut all = BTreeMap::new();
    for row in view.db.query(sql, &[sub.into()])? {
        let read = || {
            let words: Vec<&str> = row.text(2)?.split_whitespace().collect();
            let (pairs, rest) = words.as_chunks::<2>();
            let one = |[cat, n]: &[&str; 2]| {
                let n: u64 = n.parse().ok()?;
                Some(object([("cat", (*cat).into()), ("n", n.into())]))
            };
            let of: Option<Vec<Value>> = pairs.iter().map(one).collect();
            let of = of.filter(|_| rest.is_empty())?;
            let mut told = object([("items", row.int(1)?.into()), ("of", Value::Array(of))]);
            let from = row.int(3)?;
            if from != 0 {
                set(&mut told, "from", from);
            }
            Some((row.int(0)?, told))
        };
        let (line, told) = read().ok_or(warifu_store::StoreError::Form("counted"))?;
        all.insert(line, told);
    }
    Ok(all)
}

/// A refusal is a line too.
fn refuse(tx: &mut Tx<'_>, whom: &Purposeful<'_>, code: &str) -> Result<Problem, Problem> {
    let members = [
        ("rcp", whom.rcp.into()),
        ("role", whom.role.into()),
        ("pur", warifu_log::Value::List(vec![whom.pur.to_owned()])),
        ("basis", code.into()),
        ("grants", warifu_log::Value::List(Vec::new())),
        ("areq", whom.areq.as_str().into()),
    ];
    let (line, salt) = tx.line(Kind::Refuse, Some(whom.sub), &members)?;
    Ok(Problem::decided(code, evidence(tx, &line, &salt)?))
}

/// Refused by what no record can change, or handed over; either way with its line. `access` narrows the
/// grants; in an emergency it does not.
fn judged(
    tx: &mut Tx<'_>,
    whom: &Purposeful<'_>,
    search: &Search,
    from: usize,
    access: Option<&Opened>,
) -> Result<Result<Value, Problem>, Problem> {
    let office = tx.view.office;
    let made = {
        let mut state = tx.view.state(tx.book, whom.sub)?;
        if let Some(access) = access {
            narrow(&mut state, access);
        }
        let request = &whom.request;
        if let Some(code) = refused(&state, request, &office.institution) {
            Err(code)
        } else {
            Ok(released(&tx.view, whom.sub, search, from, &state, request)?)
        }
    };
    let mut is_held = |act, bytes| {
        let step = Step {
            kid: whom.kid,
            code: whom.rcp,
            sub: whom.sub,
            act,
            bytes,
        };
        cutoff::is_held(tx, &step)
    };
    match made {
        Err(code) => {
            is_held(Act::Refuse, 0)?;
            Ok(Err(refuse(tx, whom, code)?))
        }
        Ok((filtered, next, _)) => {
            let emergency = access.is_none();
            let act = if emergency {
                Act::BreakGlass
            } else {
                Act::Disclose
            };
            if is_held(act, filtered.bytes.len())? {
                return Ok(Err(refuse(tx, whom, "HELD")?));
            }
            Ok(Ok(hand_over(tx, whom, filtered, (from, next), emergency)?))
        }
    }
}

fn from_page(body: &Body) -> Result<usize, Problem> {
    match body.maybe("page")? {
        None => Ok(0),
        Some(text) => {
            let from = text.parse().ok().filter(|from| *from <= FURTHEST);
            Ok(from.ok_or(Code::Parameter)?)
        }
    }
}

fn role_of(access: &Opened) -> String {
    let role = access.claims.get("per").and_then(|p| p.get("role")?.text());
    role.unwrap_or("-").to_owned()
}

/// `POST /api/disclose`
pub(crate) fn disclose(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let body = asked.body(&["search", "page?"])?;
    let search = Search::read(body.text("search")?)?;
    let from = from_page(&body)?;
    if asked.header(header::AUTHORIZATION).is_none() {
        return own(office, asked, &search, from);
    }
    // Whose records an institution asks for, its access request says.
    if asked.wish("for").is_some() {
        return Err(Code::Parameter.into());
    }
    let done = office.write(|tx| {
        let by = people::institution(app, tx, asked, "/api/disclose")?;
        let sub = by.access.text("sub");
        let pur = by.access.text("pur");
        let role = role_of(&by.access);
        let whom = Purposeful {
            sub,
            request: Request {
                who: Who::Recipient(by.code.clone()),
                purpose: office.policy.purpose(pur),
                mode: Mode::Normal,
                at: tx.view.now,
            },
            rcp: &by.code,
            kid: &by.kid,
            role: &role,
            pur,
            areq: by.access.hash.clone(),
        };
        judged(tx, &whom, &search, from, Some(&by.access))
    })?;
    Ok(Answer::json(&done?))
}

/// The person's own records, or those of one whom the person represents.
fn own(office: &Office, asked: &Asked, search: &Search, from: usize) -> Result<Answer, Problem> {
    let session = people::session(office, asked)?;
    let salt = random::<16>()?;
    let value = office.write(|tx| {
        let person = people::viewed(&tx.view, &session, asked)?;
        let pur = if person.who == Who::Subject {
            "PATRQT"
        } else {
            "FAMRQT"
        };
        let whom = Purposeful {
            sub: &person.sub,
            request: Request {
                who: person.who,
                purpose: office.policy.purpose(pur),
                mode: Mode::Normal,
                at: tx.view.now,
            },
            rcp: "self",
            kid: "",
            role: &person.role,
            pur,
            areq: hash::sha256_text(&[&salt, asked.body.bytes()]),
        };
        let (filtered, next, known) = {
            let state = tx.view.state(tx.book, &person.sub)?;
            released(&tx.view, &person.sub, search, from, &state, &whom.request)?
        };
        let sources = known.sources(&filtered.bytes);
        let mut value = hand_over(tx, &whom, filtered, (from, next), false)?;
        set(&mut value, "sources", sources);
        Ok::<_, Problem>(value)
    })?;
    Ok(Answer::json(&value))
}

/// `POST /api/emergency`: the assertion and its line first, then what the emergency opens.
pub(crate) fn emergency(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let body = asked.body(&["assertion", "search?", "page?"])?;
    let mut search = Search::read(body.maybe("search")?.unwrap_or("Patient/$everything"))?;
    // Nobody turns pages in an emergency.
    search.count.get_or_insert(MOST);
    let from = from_page(&body)?;
    let token = body.text("assertion")?;
    let done = office.write(|tx| {
        let by = people::institution(app, tx, asked, "/api/emergency")?;
        let sub = by.access.text("sub");
        // Before this one is a case itself: its line is not in the store yet.
        review::look(tx)?;
        let (assertion, first) = assert(tx, token)?;
        let signer = tx.view.institution(&assertion.kid);
        let key = tx.view.registered(&assertion.kid)?;
        let is_one = key.iter().any(|k| k.rights.emergency);
        let facility = is_one && !review::is_suspended(&tx.view, &by.code)?;
        let who = Who::Recipient(by.code.clone());
        let now = tx.view.now;
        let role = role_of(&assertion);
        let pur = by.access.text("pur");
        let whom = Purposeful {
            sub,
            request: Request {
                mode: break_glass(
                    signer.as_deref().map(|code| (&assertion, code)),
                    &who,
                    sub,
                    facility,
                    now,
                ),
                who,
                purpose: office.policy.purpose(pur),
                at: now,
            },
            rcp: &by.code,
            kid: &by.kid,
            role: &role,
            pur,
            areq: by.access.hash.clone(),
        };
        let done = judged(tx, &whom, &search, from, None)?;
        review::opened(tx, &assertion.hash, first, done.is_ok())?;
        if let Ok(disclosed) = &done {
            notice::emergency(tx, &assertion, &by.code, disclosed)?;
        }
        Ok(done)
    })?;
    Ok(Answer::json(&done?))
}

/// Takes an assertion: a line in the log, then kept. One that was taken before counts again within its
/// time. Gives whether it is the first time.
fn assert(tx: &mut Tx<'_>, token: &str) -> Result<(Opened, bool), Problem> {
    let known = warifu_consent::token_hash(token).unwrap_or_default();
    let rows = tx.view.tokens("tok = ?1", &[known.into()])?;
    if let Some(row) = rows.into_iter().find(|r| r.token == token) {
        return Ok((row.opened, false));
    }
    let court = tx.view.court(None);
    let Accepted::New(opened) = accept(&court, token, &[Typ::BreakGlass], None)? else {
        return Err(Reason::Replay.into());
    };
    let rcp = tx.view.institution(&opened.kid).unwrap_or_default();
    let role = role_of(&opened);
    let members = [
        ("rcp", rcp.into()),
        ("role", role.into()),
        ("rsn", opened.text("rsn").into()),
        ("idm", opened.text("idm").into()),
        ("tok", opened.hash.as_str().into()),
    ];
    let (line, _) = tx.line(Kind::BreakGlass, Some(opened.text("sub")), &members)?;
    tx.keep(token, &opened, line.index, None, None)?;
    Ok((opened, true))
}

#[cfg(test)]
mod tests {
    use super::Search;

    #[test]
    fn a_search_that_is_not_understood_is_refused() {
        for text in [
            "Patient/$everything",
            "Observation?_count=5",
            "Patient/$everything?_type=Observation,Condition&_since=2026-01-01",
            "Observation?_lastUpdated=ge2026-01-01T00:00:00Z",
        ] {
            assert!(Search::read(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "observation",
            "../Observation",
            "Observation?code=1",
            "Observation?_count=x",
            "Observation?_since=yesterday",
            "Observation?_lastUpdated=2026-01-01",
            "Observation?_type=Condition",
            "Observation?_include=Observation:subject",
        ] {
            assert!(Search::read(text).is_err(), "{text}");
        }
    }
}
