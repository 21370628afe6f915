//! Who a person is here: enrolment by a one-time code, keys, sessions.

use axum::http::header;
use warifu_consent::json::{Value, object};
use warifu_consent::{
    Accepted, DAY, Date, KeyEntry, KeyRing, KeyState, Ledger as _, PublicKey, Reason, SignerClass,
    Typ, Who, accept, b64, binding_claims, hash, make, open, peek, wire,
};
use warifu_log::Kind;

use crate::App;
use crate::certificate::Certificates;
use crate::consent::set;
use crate::erasure;
use crate::http::{Answer, Asked};
use crate::office::{Office, Tx, View, fresh_id, random};
use crate::problem::{Code, Problem};

/// A session ends when nothing was asked for so long, in seconds.
const IDLE: u64 = 900;
/// And after this in any case.
const LONGEST: u64 = 8 * 3600;
/// How long the nonce of a session proof lives.
const PROOF: u64 = 60;
/// How long an enrolment code lives.
const CODE: u64 = DAY;
/// How long a code for a desk lives.
const DESK_CODE: u64 = 600;
/// Failures that burn an enrolment code.
const FAILURES: u64 = 5;
/// Failures of enrolment an hour, over all, after which nobody enrols for a while.
const FAILURES_OF_ALL: u64 = 100;
/// Name of the cookie.
const COOKIE: &str = "warifu_session";

/// A person's own key, by a code that the desk gave.
const AT_DESK: Bound<'static> = Bound {
    role: "patient",
    ial: "counter",
    proxy_for: None,
    more: &[],
    what: "bound",
};

/// A live session.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// Hash of the cookie.
    pub(crate) id: String,
    pub(crate) sub: String,
    pub(crate) kid: String,
    pub(crate) ends: u64,
}

/// `POST /api/nonce`
pub(crate) fn nonce(app: &App, _: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let nonce = fresh_id()?;
    let ends = office.now() + PROOF;
    office.write(|tx| tx.once("nonce", &nonce, ends).map(|_| ()))?;
    Ok(Answer::json(&object([
        ("nonce", nonce.into()),
        ("exp", ends.into()),
    ])))
}

/// One key that a proof brings itself, at enrolment only.
struct Brought<'a>(&'a PublicKey);

impl KeyRing for Brought<'_> {
    fn find(&self, class: SignerClass, kid: &str) -> Option<KeyEntry> {
        let own = class == SignerClass::Patient && self.0.thumbprint() == kid;
        own.then(|| KeyEntry::new(self.0.clone(), KeyState::Active))
    }
}

/// A nonce of a proof is taken once; where the answer is an error of the transaction, nothing was done and
/// the nonce stays open.
pub(crate) fn proof_nonce(tx: &Tx<'_>, nonce: &str) -> Result<(), Problem> {
    let gone = tx.view.db.run(
        "DELETE FROM once WHERE kind = 'nonce' AND id = ?1 AND ends >= ?2",
        &[nonce.into(), tx.view.now.into()],
    )?;
    if gone == 1 {
        Ok(())
    } else {
        Err(Reason::Nonce.into())
    }
}

fn for_us(app: &App, aud: &str) -> Result<(), Problem> {
    if aud == app.origin() {
        Ok(())
    } else {
        Err(Code::Audience.into())
    }
}

/// Digits of a code as it was typed: spaces and hyphens go, full-width digits are digits.
fn digits(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '0'..='9' => Some(c),
            '\u{ff10}'..='\u{ff19}' => char::from_u32(u32::from(c) - 0xff10 + u32::from('0')),
            _ => None,
        })
        .collect()
}

fn fresh_digits(count: usize) -> Result<String, Problem> {
    let mut code = String::new();
    while code.len() < count {
        for byte in random::<32>()? {
            // 250 is a multiple of 10: every digit is as likely.
            if byte < 250 && code.len() < count {
                code.push(char::from(b'0' + byte % 10));
            }
        }
    }
    Ok(code)
}

/// Groups of four, as they are read out.
fn grouped(code: &str) -> String {
    let digits: Vec<char> = code.chars().collect();
    let groups: Vec<String> = digits.chunks(4).map(|g| g.iter().collect()).collect();
    groups.join("-")
}

impl Office {
    /// Issues an enrolment code for a patient number of the office's institution.
    ///
    /// # Errors
    /// As of [`Self::enrol_code_at`].
    pub fn enrol_code(&self, patient: &str, birth: &str) -> Result<String, Problem> {
        self.enrol_code_at(&self.institution, patient, birth, false)
    }

    /// Issues an enrolment code for a patient number of an institution: 16 digits, a day, one use. The line of
    /// the log says that one was issued, and whether it was `unchecked`: a slip at the desk would bind the key
    /// to nobody, or to somebody else's records.
    ///
    /// # Errors
    /// The store; `BODY` where the day of birth is none; unless it is `unchecked`, `BIRTH_DATE` where the
    /// records have another one, and `NO_RECORD` where they have none.
    pub fn enrol_code_at(
        &self,
        institution: &str,
        patient: &str,
        birth: &str,
        unchecked: bool,
    ) -> Result<String, Problem> {
        Date::parse(birth).ok_or(Code::Body)?;
        let sub = self.pseudonym_at(institution, patient)?;
        let code = fresh_digits(16)?;
        let hash = self.guarded(&["code", &code])?;
        let secret = self.guarded(&["birth", &code, birth])?;
        let authority = self.signer("authority")?;
        let kid = warifu_consent::Signer::public(authority).thumbprint();
        self.write(|tx| {
            if !unchecked {
                born(&tx.view, &sub, institution, birth)?;
            }
            let what = if unchecked { "code-unchecked" } else { "code" };
            let members = [
                ("kid", kid.as_str().into()),
                ("role", "patient".into()),
                ("ial", "counter".into()),
                ("what", what.into()),
            ];
            tx.line(Kind::Key, Some(&sub), &members)?;
            tx.sealer(&sub)?;
            tx.view.db.run(
                "INSERT INTO codes (hash, kind, sub, secret, at, ends, failures)
                 VALUES (?1, 'enrol', ?2, ?3, ?4, ?5, 0)",
                &[
                    hash.as_str().into(),
                    sub.as_str().into(),
                    secret.as_str().into(),
                    tx.view.now.into(),
                    (tx.view.now + CODE).into(),
                ],
            )?;
            Ok(())
        })?;
        Ok(grouped(&code))
    }

    /// Binds a key to a person or, with a role, to a proxy; the binding is signed by the authority, logged
    /// and gives the token.
    ///
    /// # Errors
    /// The store; the reason for which such a binding cannot be.
    pub fn bind(
        &self,
        key: &PublicKey,
        sub: &str,
        role: &str,
        proxy_for: Option<&str>,
        ial: &str,
    ) -> Result<String, Problem> {
        let bound = Bound {
            role,
            ial,
            proxy_for,
            more: &[],
            what: "bound",
        };
        self.write(|tx| bind(tx, key, sub, &bound))
    }
}

/// Holds a day of birth against the records of a person at an institution. One of them may know the year or
/// the month alone.
pub(crate) fn born(
    view: &View<'_>,
    sub: &str,
    institution: &str,
    birth: &str,
) -> Result<(), Problem> {
    let rows = view.db.query(
        "SELECT id, body FROM records WHERE sub = ?1 AND src = ?2 AND typ = 'Patient'",
        &[sub.into(), institution.into()],
    )?;
    let sealer = view.sealer(sub)?;
    let mut known = 0;
    for row in &rows {
        let (Some(id), Some(body), Some(sealer)) = (row.text(0), row.bytes(1), &sealer) else {
            return Err(warifu_store::StoreError::Form("records").into());
        };
        let bytes = sealer.open(&["record", institution, "Patient", id], body)?;
        let patient: serde_json::Value = serde_json::from_slice(&bytes)
            .map_err(|_| warifu_store::StoreError::Form("records"))?;
        if let Some(date) = patient.get("birthDate").and_then(|d| d.as_str()) {
            if !birth.starts_with(date) {
                return Err(Code::Birth.into());
            }
            known += 1;
        }
    }
    if known == 0 {
        return Err(Code::NoRecord.into());
    }
    Ok(())
}

/// As what a key is bound.
pub(crate) struct Bound<'a> {
    pub(crate) role: &'a str,
    /// How the person was identified.
    pub(crate) ial: &'a str,
    pub(crate) proxy_for: Option<&'a str>,
    /// Bounds of a proxy: `until`, `until_obj`, `scp`.
    pub(crate) more: &'a [(&'static str, Value)],
    /// What the line says of it.
    pub(crate) what: &'a str,
}

pub(crate) fn bind(
    tx: &mut Tx<'_>,
    key: &PublicKey,
    sub: &str,
    bound: &Bound<'_>,
) -> Result<String, Problem> {
    let now = tx.view.now;
    let kid = tx.register(
        SignerClass::Patient,
        key,
        None,
        &crate::office::Rights::default(),
    )?;
    let (role, ial, proxy_for) = (bound.role, bound.ial, bound.proxy_for);
    let mut claims = binding_claims(key, sub, [role, ial], proxy_for, now, &fresh_id()?);
    for (name, value) in bound.more {
        set(&mut claims, name, value.clone());
    }
    let token = make(Typ::Key, claims, tx.view.office.signer("authority")?)?;
    let opened = open(
        &token,
        &[Typ::Key],
        &tx.view,
        warifu_consent::Moment::now(now),
    )?;
    let members = [
        ("kid", kid.as_str().into()),
        ("role", role.into()),
        ("ial", ial.into()),
        ("what", bound.what.into()),
    ];
    let (line, _) = tx.line(Kind::Key, Some(proxy_for.unwrap_or(sub)), &members)?;
    tx.sealer(sub)?;
    tx.keep(&token, &opened, line.index, None, None)?;
    Ok(token)
}

/// The key that comes with a session proof and signs it; it counts for nothing else before it is bound.
pub(crate) fn brought(
    app: &App,
    proof: &str,
) -> Result<(PublicKey, warifu_consent::Opened), Problem> {
    let now = app.office()?.now();
    let (_, claims) = peek(proof)?;
    let x = claims.get("jwk").and_then(|j| j.get("x")?.text());
    let key = PublicKey::from_x(x.ok_or(Code::Body)?).map_err(|_| Reason::KeyWeak)?;
    let moment = warifu_consent::Moment::now(now);
    let proof = open(proof, &[Typ::Session], &Brought(&key), moment)?;
    for_us(app, proof.text("aud"))?;
    timely(&proof, now)?;
    Ok((key, proof))
}

/// Whether so many failed to enrol within the hour that nobody does for a while.
pub(crate) fn too_many(tx: &Tx<'_>) -> Result<bool, Problem> {
    let count = "SELECT COUNT(*) FROM once WHERE kind = 'enrol-failure' AND ends >= ?1";
    let rows = tx.view.db.query(count, &[tx.view.now.into()])?;
    Ok(rows.first().and_then(|r| r.int(0)).unwrap_or(0) >= FAILURES_OF_ALL)
}

/// Counts a failure to enrol.
pub(crate) fn enrol_failed(tx: &Tx<'_>) -> Result<(), Problem> {
    tx.once("enrol-failure", &fresh_id()?, tx.view.now + 3600)?;
    Ok(())
}

/// Somebody who enrolled: pseudonym, binding, cookie, keys.
pub(crate) type Enrolled = (String, String, String, Value);

/// Binds the key of somebody who enrols, and begins a session.
pub(crate) fn enrolled(
    tx: &mut Tx<'_>,
    key: &PublicKey,
    sub: &str,
    bound: &Bound<'_>,
) -> Result<Enrolled, Problem> {
    let token = bind(tx, key, sub, bound)?;
    let cookie = begin(tx, sub, &key.thumbprint())?;
    let keys = keys_of(&tx.view, sub)?;
    Ok((sub.to_owned(), token, cookie, keys))
}

/// The answer to somebody who enrolled.
pub(crate) fn welcome(app: &App, done: Result<Enrolled, Problem>) -> Result<Answer, Problem> {
    let (sub, token, cookie, keys) = done?;
    let value = object([
        ("sub", sub.into()),
        ("binding", token.into()),
        ("keys", keys),
    ]);
    Ok(Answer::json(&value).with(header::SET_COOKIE, &app.cookie(COOKIE, &cookie, LONGEST)))
}

/// `POST /api/enrol`
pub(crate) fn enrol(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let body = asked.body(&["code", "birth", "proof"])?;
    let (code, birth) = (digits(body.text("code")?), body.text("birth")?);
    let (key, proof) = brought(app, body.text("proof")?)?;
    let hash = office.guarded(&["code", &code])?;
    let secret = office.guarded(&["birth", &code, birth])?;
    let done = office.write(|tx| {
        proof_nonce(tx, proof.text("nonce"))?;
        let failed = |tx: &Tx<'_>| -> Result<Result<_, Problem>, Problem> {
            enrol_failed(tx)?;
            Ok(Err(Code::EnrolCode.into()))
        };
        if too_many(tx)? {
            return Ok(Err(Code::Rate.into()));
        }
        let rows = tx.view.db.query(
            "SELECT sub, secret, failures FROM codes
             WHERE hash = ?1 AND kind = 'enrol' AND ends > ?2",
            &[hash.as_str().into(), tx.view.now.into()],
        )?;
        let Some(row) = rows.first() else {
            return failed(tx);
        };
        let failures = row.int(2).unwrap_or(FAILURES);
        if failures >= FAILURES || row.text(1) != Some(&secret) {
            // A failure counts, also when the answer is a refusal.
            tx.view.db.run(
                "UPDATE codes SET failures = failures + 1 WHERE hash = ?1",
                &[hash.as_str().into()],
            )?;
            return failed(tx);
        }
        let sub = row.text(0).unwrap_or_default().to_owned();
        tx.view
            .db
            .run("DELETE FROM codes WHERE hash = ?1", &[hash.as_str().into()])?;
        enrolled(tx, &key, &sub, &AT_DESK).map(Ok)
    })?;
    welcome(app, done)
}

/// A proof says when it was made, and lives a minute.
fn timely(proof: &warifu_consent::Opened, now: u64) -> Result<(), Problem> {
    let (iat, exp) = (proof.int("iat").unwrap_or(0), proof.int("exp").unwrap_or(0));
    if iat > now + 60 {
        return Err(Reason::NotYet.of("iat").into());
    }
    if exp <= now {
        return Err(Reason::Expired.of("exp").into());
    }
    if exp > iat + 60 {
        return Err(Reason::TermTooLong.of("exp").into());
    }
    Ok(())
}

/// Begins a session; gives the cookie's secret.
fn begin(tx: &Tx<'_>, sub: &str, kid: &str) -> Result<String, Problem> {
    let secret = b64::encode(&random::<32>()?);
    let now = tx.view.now;
    tx.view.db.run(
        "DELETE FROM sessions WHERE seen < ?1 OR begun < ?2",
        &[
            now.saturating_sub(IDLE).into(),
            now.saturating_sub(LONGEST).into(),
        ],
    )?;
    tx.view.db.run(
        "INSERT INTO sessions (id, sub, kid, begun, seen) VALUES (?1, ?2, ?3, ?4, ?4)",
        &[
            hash::sha256_text(&[secret.as_bytes()]).into(),
            sub.into(),
            kid.into(),
            now.into(),
        ],
    )?;
    Ok(secret)
}

fn keys_of(view: &View<'_>, sub: &str) -> Result<Value, Problem> {
    let mut rows = Vec::new();
    for (row, binding) in view.bindings_of(sub)? {
        let known = view.registered(&binding.kid)?;
        let Some(key) = known.into_iter().find(|k| k.class == SignerClass::Patient) else {
            continue;
        };
        let (state, at) = wire::key_state_names(key.state);
        let mut value = object([
            ("jti", binding.jti.as_str().into()),
            ("kid", binding.kid.as_str().into()),
            ("x", key.x.into()),
            ("state", state.into()),
            ("at", at.into()),
            ("since", row.at.into()),
            ("role", binding.role.as_str().into()),
            ("ial", binding.ial.as_str().into()),
        ]);
        if let (Value::Object(members), Some(person)) = (&mut value, &binding.represents) {
            members.insert("for".to_owned(), person.as_str().into());
        }
        rows.push(value);
    }
    Ok(Value::Array(rows))
}

fn cookie_of(asked: &Asked) -> Option<&str> {
    asked
        .headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

/// The live session of a request; its last use is noted once a minute.
pub(crate) fn session(office: &Office, asked: &Asked) -> Result<Session, Problem> {
    let cookie = cookie_of(asked).ok_or(Code::Session)?;
    let id = hash::sha256_text(&[cookie.as_bytes()]);
    let (session, seen) = office.read(|view| {
        let rows = view.db.query(
            "SELECT sub, kid, begun, seen FROM sessions WHERE id = ?1",
            &[id.as_str().into()],
        )?;
        let read = || {
            let row = rows.first()?;
            let (begun, seen) = (row.int(2)?, row.int(3)?);
            let ends = (seen + IDLE).min(begun + LONGEST);
            let session = Session {
                id: id.clone(),
                sub: row.text(0)?.to_owned(),
                kid: row.text(1)?.to_owned(),
                ends,
            };
            Some((session, seen))
        };
        let (session, seen) = read().ok_or(Code::Session)?;
        let key = view.registered(&session.kid)?;
        let active = key.iter().any(|k| k.state == KeyState::Active);
        if session.ends <= view.now || !active {
            return Err(Code::Session.into());
        }
        Ok((session, seen))
    })?;
    let now = office.now();
    if now >= seen + 60 {
        office.write(|tx| {
            let sql = "UPDATE sessions SET seen = ?1 WHERE id = ?2";
            tx.view.db.run(sql, &[now.into(), id.as_str().into()])?;
            Ok(())
        })?;
    }
    Ok(session)
}

/// Whom a request with a session is about: the person, or one whom its key represents.
pub(crate) struct Person {
    pub(crate) sub: String,
    /// As whom: the person, or a proxy with its bounds.
    pub(crate) who: Who,
    /// Role of the binding.
    pub(crate) role: String,
}

/// By `?for=`, for a look at records, which the decision bounds: a key that looks as somebody for this
/// person (§3.1).
pub(crate) fn viewed(view: &View<'_>, session: &Session, asked: &Asked) -> Result<Person, Problem> {
    let Some(sub) = asked.wish("for").filter(|s| *s != session.sub) else {
        return Ok(Person {
            sub: session.sub.clone(),
            who: Who::Subject,
            role: "patient".to_owned(),
        });
    };
    let bindings = view.bindings(&session.kid);
    let person = bindings
        .into_iter()
        .filter(|b| b.represents.as_deref() == Some(sub))
        .find_map(|b| {
            Some(Person {
                sub: sub.to_owned(),
                who: b.viewer(&view.office.policy, view.now)?,
                role: b.role,
            })
        });
    Ok(person.ok_or(Reason::ProxyNone)?)
}

/// By `?for=`, for everything that no decision bounds (wishes, log, keys, requests): besides the person
/// only a proxy for all of it.
pub(crate) fn person(view: &View<'_>, session: &Session, asked: &Asked) -> Result<Person, Problem> {
    let person = viewed(view, session, asked)?;
    match &person.who {
        Who::Proxy { scope: Some(_), .. } => Err(Reason::ProxyScope.into()),
        _ => Ok(person),
    }
}

fn session_value(view: &View<'_>, session: &Session) -> Result<Value, Problem> {
    let live = view.bindings(&session.kid);
    let bindings = view.tokens("bound = ?1", &[session.kid.as_str().into()])?;
    let bindings = bindings.into_iter();
    let bindings = bindings.filter(|r| live.iter().any(|b| b.jti == r.opened.text("jti")));
    let bindings = bindings.map(|r| r.token.into()).collect();
    Ok(object([
        ("sub", session.sub.as_str().into()),
        ("kid", session.kid.as_str().into()),
        ("exp", session.ends.into()),
        ("bindings", Value::Array(bindings)),
        ("keys", keys_of(view, &session.sub)?),
    ]))
}

/// `POST /api/session`
pub(crate) fn log_in(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let body = asked.body(&["proof"])?;
    let token = body.text("proof")?;
    let (value, cookie) = office.write(|tx| {
        let now = tx.view.now;
        let moment = warifu_consent::Moment::now(now);
        let proof = open(token, &[Typ::Session], &tx.view, moment)?;
        for_us(app, proof.text("aud"))?;
        timely(&proof, now)?;
        proof_nonce(tx, proof.text("nonce"))?;
        // Whose key it is: the person's own binding, else that of a proxy.
        let bindings = tx.view.bindings(&proof.kid);
        let mut live = bindings.iter().filter(|b| b.in_force(now));
        let own = live.clone().find(|b| b.role == "patient");
        let any = live.next();
        let binding = own.or(any).ok_or(Reason::Sub.of("iss"))?;
        let cookie = begin(tx, &binding.sub, &proof.kid)?;
        let session = Session {
            id: hash::sha256_text(&[cookie.as_bytes()]),
            sub: binding.sub.clone(),
            kid: proof.kid.clone(),
            ends: now + IDLE,
        };
        Ok((session_value(&tx.view, &session)?, cookie))
    })?;
    Ok(Answer::json(&value).with(header::SET_COOKIE, &app.cookie(COOKIE, &cookie, LONGEST)))
}

/// `GET /api/session`
pub(crate) fn show_session(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let session = session(office, asked)?;
    let value = office.read(|view| session_value(view, &session))?;
    Ok(Answer::json(&value))
}

/// `DELETE /api/session`
pub(crate) fn log_out(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    if let Some(cookie) = cookie_of(asked) {
        let id = hash::sha256_text(&[cookie.as_bytes()]);
        office.write(|tx| {
            let sql = "DELETE FROM sessions WHERE id = ?1";
            tx.view.db.run(sql, &[id.as_str().into()])?;
            Ok(())
        })?;
    }
    Ok(Answer::empty().with(header::SET_COOKIE, &app.cookie(COOKIE, "", 0)))
}

/// `GET /api/keys`
pub(crate) fn keys(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let session = session(office, asked)?;
    let keys = office.read(|view| {
        let person = person(view, &session, asked)?;
        keys_of(view, &person.sub)
    })?;
    Ok(Answer::json(&object([("keys", keys)])))
}

/// `POST /api/keys/{kid}/compromised`: from `since` on, or from now, the key opens nothing; consents that came
/// before stay, and what it closed stays closed whenever that was.
pub(crate) fn compromised(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let body = asked.body(&["since?"])?;
    let since = match body.get("since") {
        None => None,
        Some(since) => Some(since.int().ok_or(Code::Body)?),
    };
    let office = app.office()?;
    let session = session(office, asked)?;
    let kid = asked.param(0);
    let keys = office.write(|tx| {
        let person = person(&tx.view, &session, asked)?;
        let done = stop_key(tx, &person.sub, kid, "compromised", since, None);
        match done {
            // Whoever stops a key twice meant it once.
            Err(p) if p.code() == Code::Answered.wire() => {}
            other => other?,
        }
        keys_of(&tx.view, &person.sub)
    })?;
    Ok(Answer::json(&object([("keys", keys)])))
}

/// Ends a key of the person: `retired` or `compromised`, since an instant that may lie however far back. It
/// never goes back; of a key in wrong hands the instant may become an earlier one, which only closes more.
/// `identified` is how the person was identified at a desk.
///
/// # Errors
/// `BODY` for another state and for an instant to come; `NOT_FOUND` for a key that is not the person's own;
/// `ANSWERED` where it had another end before.
pub(crate) fn stop_key(
    tx: &mut Tx<'_>,
    sub: &str,
    kid: &str,
    state: &str,
    since: Option<u64>,
    identified: Option<&str>,
) -> Result<(), Problem> {
    let now = tx.view.now;
    let at = since.unwrap_or(now);
    let wanted = wire::key_state(state, at).filter(|s| *s != KeyState::Active && at <= now);
    let wanted = wanted.ok_or(Code::Body)?;
    let bound = tx.view.bindings_of(sub)?;
    let own = bound.iter().find(|(_, b)| b.kid == kid && b.sub == sub);
    let (_, binding) = own.ok_or(Code::NotFound)?;
    let known = tx.view.registered(kid)?;
    let known = known.iter().find(|k| k.class == SignerClass::Patient);
    let (before, ended) = wire::key_state_names(known.ok_or(Code::NotFound)?.state);
    let (name, at) = wire::key_state_names(wanted);
    if ended != 0 || before != wire::key_state_names(KeyState::Active).0 {
        // Said twice, or nothing that would close more.
        let same = before == name && since.is_none_or(|at| name == "compromised" && at >= ended);
        let earlier = before == name && name == "compromised";
        if same || !earlier {
            return if same {
                Ok(())
            } else {
                Err(Code::Answered.into())
            };
        }
    }
    tx.view.db.run(
        "UPDATE keys SET state = ?1, at = ?2 WHERE kid = ?3 AND class = 'patient'",
        &[name.into(), at.into(), kid.into()],
    )?;
    let mut members = vec![
        ("kid", kid.into()),
        ("role", binding.role.as_str().into()),
        ("ial", identified.unwrap_or(&binding.ial).into()),
        ("what", name.into()),
    ];
    if at < now {
        members.push(("since", at.into()));
    }
    tx.line(Kind::Key, Some(sub), &members)?;
    erasure::ask_of_key(tx, kid)
}

/// `POST /api/code`: eight digits that a patient shows at a desk.
pub(crate) fn desk_code(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    asked.body(&[])?;
    let office = app.office()?;
    let session = session(office, asked)?;
    let code = fresh_digits(8)?;
    let hash = office.guarded(&["desk", &code])?;
    let ends = office.now() + DESK_CODE;
    office.write(|tx| {
        let person = person(&tx.view, &session, asked)?;
        tx.view.db.run(
            "DELETE FROM codes WHERE ends <= ?1 OR (kind = 'desk' AND sub = ?2)",
            &[tx.view.now.into(), person.sub.as_str().into()],
        )?;
        tx.view.db.run(
            "INSERT INTO codes (hash, kind, sub, secret, at, ends, failures)
             VALUES (?1, 'desk', ?2, '', ?3, ?4, 0)",
            &[
                hash.as_str().into(),
                person.sub.as_str().into(),
                tx.view.now.into(),
                ends.into(),
            ],
        )?;
        Ok(())
    })?;
    Ok(Answer::json(&object([
        ("code", grouped(&code).into()),
        ("exp", ends.into()),
    ])))
}

/// Whose desk code this is; it is used up.
pub(crate) fn take_desk_code(tx: &Tx<'_>, code: &str) -> Result<Option<String>, Problem> {
    let hash = tx.view.office.guarded(&["desk", &digits(code)])?;
    let rows = tx.view.db.query(
        "SELECT sub FROM codes WHERE hash = ?1 AND kind = 'desk' AND ends > ?2",
        &[hash.as_str().into(), tx.view.now.into()],
    )?;
    let Some(sub) = rows.first().and_then(|r| r.text(0)) else {
        return Ok(None);
    };
    let sql = "DELETE FROM codes WHERE hash = ?1";
    tx.view.db.run(sql, &[hash.as_str().into()])?;
    Ok(Some(sub.to_owned()))
}

/// An institution that asks: its access request, accepted and taken once.
pub(crate) struct Institution {
    pub(crate) code: String,
    pub(crate) kid: String,
    /// The token as it came, and what it says.
    pub(crate) token: String,
    pub(crate) access: warifu_consent::Opened,
}

/// By `Authorization: Bearer`; the request is about exactly this body, this address, and is never taken
/// again.
pub(crate) fn institution(
    app: &App,
    tx: &Tx<'_>,
    asked: &Asked,
    path: &str,
) -> Result<Institution, Problem> {
    let given = asked.header(header::AUTHORIZATION);
    let token = given.and_then(|t| t.strip_prefix("Bearer "));
    let token = token.ok_or(Code::Access)?.trim();
    let htu = format!("{}{path}", app.origin());
    let court = tx.view.court(Some((asked.method.as_str(), &htu)));
    let Accepted::New(access) = accept(&court, token, &[Typ::Access], None)? else {
        return Err(Reason::Replay.into());
    };
    let (iat, exp) = (
        access.int("iat").unwrap_or(0),
        access.int("exp").unwrap_or(0),
    );
    if exp > iat + 300 {
        return Err(Reason::TermTooLong.of("exp").into());
    }
    if access.text("q") != asked.body.digest() {
        return Err(Code::Query.into());
    }
    if !tx.once("access", access.text("jti"), tx.view.now.max(exp) + 600)? {
        return Err(Reason::Replay.into());
    }
    let keys = tx.view.registered(&access.kid)?;
    let key = keys
        .into_iter()
        .find(|k| k.class == SignerClass::Institution);
    let key = key.ok_or(Reason::Aud)?;
    let unbound = app.config().certificates != Certificates::Required;
    let shown = match &key.rights.certificate {
        None => unbound,
        bound => *bound == asked.certificate,
    };
    if !shown {
        return Err(Code::Certificate.into());
    }
    Ok(Institution {
        code: key.code.ok_or(Reason::Aud)?,
        kid: access.kid.clone(),
        token: token.to_owned(),
        access,
    })
}
