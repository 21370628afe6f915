//! The JSON of states, requests, items and decisions: one form for wasm, tests and other languages.
//!
//! Days are `YYYY-MM-DD`, instants seconds UTC, sets lists of codes; what is not known is `null` or
//! left out.

use crate::annex::Annex;
use crate::date::Date;
use crate::decide::{
    Basis, Decision, Denial, Grant, Item, Mode, Notice, Objection, Origin, Request, State, Told,
    Who, told_to_recipient,
};
use crate::filter::Withheld;
use crate::json::{Members, Value, object};
use crate::jws::KeyState;
use crate::policy::{Bits, Policy};

/// What is wrong with a JSON form: the member to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is missing or is not what it should be")]
pub struct WireError(pub &'static str);

type Got<T> = Result<T, WireError>;

// ── writing ─────────────────────────────────────────────────────────────────────────────────────

fn maybe<T: Into<Value>>(value: Option<T>) -> Value {
    value.map_or(Value::Null, Into::into)
}

fn days(window: (Option<Date>, Option<Date>)) -> Value {
    let day = |d: Option<Date>| maybe(d.map(|d| d.to_string()));
    Value::Array(vec![day(window.0), day(window.1)])
}

fn cats(policy: &Policy, bits: Bits) -> Value {
    policy.category_codes(bits).into()
}

fn purposes(policy: &Policy, bits: Bits) -> Value {
    let named = policy.purposes().zip(0_u8..);
    let codes = named.filter(|(_, p)| bits.has(*p));
    codes
        .map(|(n, _)| n.code.clone())
        .collect::<Vec<_>>()
        .into()
}

fn labels(policy: &Policy, bits: Bits) -> Value {
    let named = policy.labels().iter().zip(0_u8..);
    let codes = named.filter(|(_, p)| bits.has(*p));
    codes
        .map(|(n, _)| n.code.clone())
        .collect::<Vec<_>>()
        .into()
}

fn texts(list: &[String]) -> Value {
    list.to_vec().into()
}

/// `{grants, denials, objections, notices, keys}`; the policy stands beside it.
pub fn state_value(state: &State<'_>) -> Value {
    let p = state.policy;
    let list = |items: Vec<Value>| Value::Array(items);
    object([
        (
            "grants",
            list(state.grants.iter().map(|g| grant_value(p, g)).collect()),
        ),
        (
            "denials",
            list(state.denials.iter().map(|d| denial_value(p, d)).collect()),
        ),
        (
            "objections",
            list(
                state
                    .objections
                    .iter()
                    .map(|o| objection_value(p, o))
                    .collect(),
            ),
        ),
        (
            "notices",
            list(
                state
                    .notices
                    .iter()
                    .map(|n| object([("src", n.src.as_str().into()), ("at", n.at.into())]))
                    .collect(),
            ),
        ),
        (
            "keys",
            list(
                state
                    .keys
                    .iter()
                    .map(|(kid, state)| {
                        let (name, at) = key_state_names(*state);
                        Value::Array(vec![kid.as_str().into(), name.into(), at.into()])
                    })
                    .collect(),
            ),
        ),
    ])
}

/// `active`, `retired` or `compromised`, and since when (0 for the first).
pub const fn key_state_names(state: KeyState) -> (&'static str, u64) {
    match state {
        KeyState::Active => ("active", 0),
        KeyState::Retired(at) => ("retired", at),
        KeyState::Compromised(at) => ("compromised", at),
    }
}

/// The state of such a name.
pub fn key_state(name: &str, at: u64) -> Option<KeyState> {
    Some(match name {
        "active" => KeyState::Active,
        "retired" => KeyState::Retired(at),
        "compromised" => KeyState::Compromised(at),
        _ => return None,
    })
}

fn grant_value(p: &Policy, g: &Grant) -> Value {
    object([
        ("jti", g.jti.as_str().into()),
        ("hash", g.hash.as_str().into()),
        ("kid", g.kid.as_str().into()),
        ("received", g.received.into()),
        ("aud", texts(&g.aud)),
        ("pur", purposes(p, g.pur)),
        ("cat", cats(p, g.cat)),
        ("window", days(g.window)),
        ("rec", maybe(g.recorded)),
        ("nbf", g.nbf.into()),
        ("exp", g.exp.into()),
        (
            "annex",
            object([
                ("src", texts(&g.annex.src)),
                ("res", texts(&g.annex.res)),
                ("lbl", texts(&g.annex.lbl)),
                ("wid", texts(&g.annex.wid)),
            ]),
        ),
        ("obl", texts(&g.obl)),
        ("uses", maybe(g.uses_left)),
        ("ended", g.ended.into()),
        ("age", maybe(g.status_age)),
        (
            "parent",
            maybe(g.parent.as_ref().map(|(a, b)| vec![a.clone(), b.clone()])),
        ),
        ("texts", g.texts.into()),
    ])
}

fn denial_value(p: &Policy, d: &Denial) -> Value {
    object([
        ("jti", d.jti.as_str().into()),
        ("aud", texts(&d.aud)),
        ("pur", purposes(p, d.pur)),
        ("cat", cats(p, d.cat)),
        ("nbf", d.nbf.into()),
        ("exp", maybe(d.exp)),
        ("emg", d.emg.into()),
        ("ended", d.ended.into()),
        ("age", maybe(d.status_age)),
    ])
}

fn objection_value(p: &Policy, o: &Objection) -> Value {
    object([
        ("kid", o.kid.as_str().into()),
        ("received", o.received.into()),
        ("seq", o.seq.into()),
        ("pur", purposes(p, o.pur)),
        ("to", texts(&o.to)),
        ("src", texts(&o.src)),
        ("state", if o.on { "on" } else { "off" }.into()),
    ])
}

/// `{who, code, scope, sixteen, purpose, mode, at}`
pub fn request_value(p: &Policy, r: &Request) -> Value {
    let mode = match &r.mode {
        Mode::Normal => object([("kind", "normal".into())]),
        Mode::BreakGlass {
            valid,
            facility,
            role,
        } => object([
            ("kind", "breakglass".into()),
            ("valid", (*valid).into()),
            ("facility", (*facility).into()),
            ("role", role.as_str().into()),
        ]),
        Mode::Disaster { active } => {
            object([("kind", "disaster".into()), ("active", (*active).into())])
        }
    };
    let (who, code, scope, sixteen) = match &r.who {
        Who::Subject => ("subject", Value::Null, Value::Null, false),
        Who::Proxy { scope, sixteen } => (
            "proxy",
            Value::Null,
            maybe(scope.map(|s| cats(p, s))),
            *sixteen,
        ),
        Who::Recipient(c) => ("recipient", c.as_str().into(), Value::Null, false),
    };
    let purpose = r.purpose.and_then(|x| p.purpose_named(x));
    object([
        ("who", who.into()),
        ("code", code),
        ("scope", scope),
        ("sixteen", sixteen.into()),
        ("purpose", maybe(purpose.map(|n| n.code.as_str()))),
        ("mode", mode),
        ("at", r.at.into()),
    ])
}

/// The item of a decision.
pub fn item_value(p: &Policy, i: &Item) -> Value {
    object([
        ("key", i.key.as_str().into()),
        ("cats", cats(p, i.cats)),
        ("inside", cats(p, i.inside)),
        ("unknown", i.unknown.into()),
        ("src", i.src.as_str().into()),
        ("encounter", maybe(i.encounter.as_deref())),
        (
            "clinical",
            maybe(i.clinical.map(|(a, b)| days((Some(a), Some(b))))),
        ),
        ("recorded", maybe(i.recorded)),
        ("labels", maybe(i.labels.map(|l| labels(p, l)))),
        ("origin", origin_name(i.origin).into()),
        ("told", told_name(i.told).into()),
        ("uninformed", i.uninformed.into()),
        ("undelivered", i.undelivered.into()),
        (
            "before",
            Value::Array(
                i.before
                    .iter()
                    .map(|(v, b)| Value::Array(vec![(*v).into(), cats(p, *b)]))
                    .collect(),
            ),
        ),
    ])
}

const fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::Ehr => "ehr",
        Origin::Claims => "claims",
        Origin::Phr => "phr",
    }
}

/// The origin of that name: `ehr`, `claims`, `phr`.
pub fn origin(name: &str) -> Option<Origin> {
    let all = [Origin::Ehr, Origin::Claims, Origin::Phr];
    all.into_iter().find(|o| origin_name(*o) == name)
}

const fn told_name(told: Told) -> &'static str {
    match told {
        Told::Yes => "yes",
        Told::No => "no",
        Told::Unknown => "unknown",
    }
}

/// 告知 of that name: `yes`, `no`, `unknown`.
pub fn told(name: &str) -> Option<Told> {
    let all = [Told::Yes, Told::No, Told::Unknown];
    all.into_iter().find(|t| told_name(*t) == name)
}

/// What a person is told of what was withheld: `[{key, type, categories, reason}…]`.
pub fn withheld_value(all: &[Withheld]) -> Value {
    let rows = all.iter().map(|w| {
        object([
            ("key", w.key.as_str().into()),
            ("type", w.kind.as_str().into()),
            ("categories", w.cats.clone().into()),
            ("reason", w.why.wire().into()),
        ])
    });
    Value::Array(rows.collect())
}

/// What a recipient may learn: `PERMITTED`, or the reason as far as no item shows in it.
fn recipient_told(d: &Decision) -> &'static str {
    if d.permits() {
        d.why.wire()
    } else {
        told_to_recipient(d.why)
    }
}

/// `{effect, basis, reason, grants, obligations, stale, policy, told}`
pub fn decision_value(d: &Decision) -> Value {
    object([
        ("effect", if d.permits() { "permit" } else { "deny" }.into()),
        ("basis", maybe(d.basis.as_ref().map(Basis::wire))),
        ("reason", d.why.wire().into()),
        ("grants", texts(&d.grants)),
        ("obligations", texts(&d.obligations)),
        ("stale", d.stale.into()),
        ("policy", d.policy_hash.as_str().into()),
        ("told", recipient_told(d).into()),
    ])
}

// ── reading ─────────────────────────────────────────────────────────────────────────────────────

/// Refuses members that nobody reads: a slip in a name must not open anything.
pub(crate) fn closed(v: &Value, name: &'static str, known: &[&str]) -> Got<()> {
    let all = v.members().into_iter().flat_map(Members::keys);
    for member in all {
        if !known.contains(&member.as_str()) {
            return Err(WireError(name));
        }
    }
    Ok(())
}

/// A member that is there and is not `null`.
fn there<'v>(v: &'v Value, name: &str) -> Option<&'v Value> {
    v.get(name).filter(|m| **m != Value::Null)
}

fn text(v: &Value, name: &'static str) -> Got<String> {
    let t = there(v, name).and_then(Value::text);
    t.map(str::to_owned).ok_or(WireError(name))
}

fn int(v: &Value, name: &'static str) -> Got<u64> {
    there(v, name).and_then(Value::int).ok_or(WireError(name))
}

fn maybe_int(v: &Value, name: &'static str) -> Got<Option<u64>> {
    there(v, name).map(|_| int(v, name)).transpose()
}

fn flag(v: &Value, name: &'static str) -> Got<bool> {
    match there(v, name) {
        None => Ok(false),
        Some(Value::Bool(b)) => Ok(*b),
        Some(_) => Err(WireError(name)),
    }
}

/// Strings of an array; none where it is not there.
pub(crate) fn list(v: &Value, name: &'static str) -> Got<Vec<String>> {
    match there(v, name) {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => items
            .iter()
            .map(|i| i.text().map(str::to_owned).ok_or(WireError(name)))
            .collect(),
        Some(_) => Err(WireError(name)),
    }
}

fn rows<T>(v: &Value, name: &'static str, read: impl Fn(&Value) -> Got<T>) -> Got<Vec<T>> {
    match there(v, name) {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => items.iter().map(read).collect(),
        Some(_) => Err(WireError(name)),
    }
}

fn read_cats(p: &Policy, v: &Value, name: &'static str) -> Got<Bits> {
    let codes = list(v, name)?;
    p.category_set(codes.iter().map(String::as_str))
        .ok_or(WireError(name))
}

fn read_purposes(p: &Policy, v: &Value, name: &'static str) -> Got<Bits> {
    let codes = list(v, name)?;
    p.purpose_set(codes.iter().map(String::as_str))
        .ok_or(WireError(name))
}

fn read_days(v: &Value, name: &'static str) -> Got<(Option<Date>, Option<Date>)> {
    let Some(window) = there(v, name) else {
        return Ok((None, None));
    };
    let [from, to] = window.items() else {
        return Err(WireError(name));
    };
    let day = |v: &Value| match v {
        Value::Null => Ok(None),
        Value::Text(t) => Date::parse(t).map(Some).ok_or(WireError(name)),
        _ => Err(WireError(name)),
    };
    Ok((day(from)?, day(to)?))
}

/// Reads [`state_value`]'s form.
///
/// # Errors
/// [`WireError`]: nothing is guessed, since a rule that is not understood must not be left out.
pub fn read_state<'p>(p: &'p Policy, v: &Value) -> Got<State<'p>> {
    if v.members().is_none() {
        return Err(WireError("state"));
    }
    // Tests hand in the case whole.
    closed(
        v,
        "state",
        &[
            "grants",
            "denials",
            "objections",
            "notices",
            "keys",
            "request",
            "item",
        ],
    )?;
    Ok(State {
        policy: p,
        grants: rows(v, "grants", |g| read_grant(p, g))?,
        denials: rows(v, "denials", |d| {
            let known = [
                "jti", "aud", "pur", "cat", "nbf", "exp", "emg", "ended", "age",
            ];
            closed(d, "denials", &known)?;
            Ok(Denial {
                jti: text(d, "jti").unwrap_or_default(),
                aud: list(d, "aud")?,
                pur: read_purposes(p, d, "pur")?,
                cat: read_cats(p, d, "cat")?,
                nbf: int(d, "nbf")?,
                exp: maybe_int(d, "exp")?,
                emg: flag(d, "emg")?,
                ended: flag(d, "ended")?,
                status_age: maybe_int(d, "age")?,
            })
        })?,
        objections: rows(v, "objections", |o| {
            let known = ["kid", "received", "seq", "pur", "to", "src", "state"];
            closed(o, "objections", &known)?;
            Ok(Objection {
                kid: text(o, "kid")?,
                received: int(o, "received")?,
                seq: int(o, "seq")?,
                pur: read_purposes(p, o, "pur")?,
                to: list(o, "to")?,
                src: list(o, "src")?,
                on: match text(o, "state")?.as_str() {
                    "on" => true,
                    "off" => false,
                    _ => return Err(WireError("state")),
                },
            })
        })?,
        notices: rows(v, "notices", |n| {
            Ok(Notice {
                src: text(n, "src")?,
                at: int(n, "at")?,
            })
        })?,
        keys: rows(v, "keys", |k| {
            let [kid, name, at] = k.items() else {
                return Err(WireError("keys"));
            };
            let state = name
                .text()
                .zip(at.int())
                .and_then(|(name, at)| key_state(name, at));
            let kid = kid.text().map(str::to_owned);
            kid.zip(state).ok_or(WireError("keys"))
        })?,
    })
}

fn read_grant(p: &Policy, g: &Value) -> Got<Grant> {
    let known = [
        "jti", "hash", "kid", "received", "aud", "pur", "cat", "window", "rec", "nbf", "exp",
        "annex", "obl", "uses", "ended", "age", "parent", "texts",
    ];
    closed(g, "grants", &known)?;
    let annex = there(g, "annex").ok_or(WireError("annex"))?;
    if annex.members().is_none() {
        return Err(WireError("annex"));
    }
    closed(annex, "annex", &["src", "res", "lbl", "wid"])?;
    let parent = match list(g, "parent")?.as_slice() {
        [] => None,
        [hash, signer] => Some((hash.clone(), signer.clone())),
        _ => return Err(WireError("parent")),
    };
    Ok(Grant {
        jti: text(g, "jti")?,
        hash: text(g, "hash")?,
        kid: text(g, "kid")?,
        received: int(g, "received")?,
        aud: list(g, "aud")?,
        pur: read_purposes(p, g, "pur")?,
        cat: read_cats(p, g, "cat")?,
        window: read_days(g, "window")?,
        recorded: maybe_int(g, "rec")?,
        nbf: int(g, "nbf")?,
        exp: int(g, "exp")?,
        annex: Annex {
            salt: [0; 16],
            src: list(annex, "src")?,
            res: list(annex, "res")?,
            lbl: list(annex, "lbl")?,
            wid: list(annex, "wid")?,
        },
        obl: list(g, "obl")?,
        uses_left: maybe_int(g, "uses")?,
        ended: flag(g, "ended")?,
        status_age: maybe_int(g, "age")?,
        parent,
        // Whoever does not say saw the first.
        texts: maybe_int(g, "texts")?.unwrap_or(1),
    })
}

/// Reads [`request_value`]'s form; a purpose that the policy does not know is decided as unknown.
///
/// # Errors
/// [`WireError`]
pub fn read_request(p: &Policy, v: &Value) -> Got<Request> {
    let known = ["who", "code", "scope", "sixteen", "purpose", "mode", "at"];
    closed(v, "request", &known)?;
    let who = match text(v, "who")?.as_str() {
        "subject" => Who::Subject,
        "proxy" => Who::Proxy {
            scope: match there(v, "scope") {
                Some(_) => Some(read_cats(p, v, "scope")?),
                None => None,
            },
            sixteen: flag(v, "sixteen")?,
        },
        "recipient" => Who::Recipient(text(v, "code")?),
        _ => return Err(WireError("who")),
    };
    let mode = match there(v, "mode") {
        None => Mode::Normal,
        Some(m) => match text(m, "kind")?.as_str() {
            "normal" => Mode::Normal,
            "breakglass" => Mode::BreakGlass {
                valid: flag(m, "valid")?,
                facility: flag(m, "facility")?,
                role: text(m, "role")?,
            },
            "disaster" => Mode::Disaster {
                active: flag(m, "active")?,
            },
            _ => return Err(WireError("mode")),
        },
    };
    let purpose = match there(v, "purpose") {
        Some(_) => p.purpose(&text(v, "purpose")?),
        None => None,
    };
    Ok(Request {
        who,
        purpose,
        mode,
        at: int(v, "at")?,
    })
}

/// Reads [`item_value`]'s form; a category that the policy does not know makes the item unclassified.
///
/// # Errors
/// [`WireError`]
pub fn read_item(p: &Policy, v: &Value) -> Got<Item> {
    let known = [
        "key",
        "cats",
        "inside",
        "unknown",
        "src",
        "encounter",
        "clinical",
        "recorded",
        "labels",
        "origin",
        "told",
        "uninformed",
        "undelivered",
        "before",
    ];
    closed(v, "item", &known)?;
    let codes = list(v, "cats")?;
    let set = p.category_set(codes.iter().map(String::as_str));
    let inside = list(v, "inside")?;
    let inside = p.category_set(inside.iter().map(String::as_str));
    let clinical = match read_days(v, "clinical")? {
        (Some(a), Some(b)) if a <= b => Some((a, b)),
        (None, None) => None,
        _ => return Err(WireError("clinical")),
    };
    // A label that is not known could be any.
    let named = list(v, "labels")?;
    let known = there(v, "labels").is_some() && named.iter().all(|c| p.label(c).is_some());
    let labels = known.then(|| p.label_set(named.iter().map(String::as_str)));
    Ok(Item {
        key: text(v, "key").unwrap_or_default(),
        unknown: flag(v, "unknown")? || set.is_none(),
        cats: set.unwrap_or_default(),
        inside: inside.ok_or(WireError("inside"))?,
        src: text(v, "src")?,
        encounter: match there(v, "encounter") {
            Some(_) => Some(text(v, "encounter")?),
            None => None,
        },
        clinical,
        recorded: maybe_int(v, "recorded")?,
        labels,
        origin: match there(v, "origin") {
            Some(_) => origin(&text(v, "origin")?).ok_or(WireError("origin"))?,
            None => Origin::Ehr,
        },
        told: match there(v, "told") {
            Some(_) => told(&text(v, "told")?).ok_or(WireError("told"))?,
            None => Told::Unknown,
        },
        uninformed: flag(v, "uninformed")?,
        undelivered: flag(v, "undelivered")?,
        before: rows(v, "before", |row| {
            let [of, codes] = row.items() else {
                return Err(WireError("before"));
            };
            let set = p.category_set(codes.texts());
            of.int().zip(set).ok_or(WireError("before"))
        })?,
    })
}
