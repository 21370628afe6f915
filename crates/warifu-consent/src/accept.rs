//! Steps 12a–21: whether a token that opened may be accepted here and now (consent.md §6.1, §3.0).
//!
//! What a store knows comes in through [`Ledger`]; everything else is in the token and the policy.

use crate::annex::Annex;
use crate::claims::{DAY, SignerClass, Typ};
use crate::date::Date;
use crate::decide::Who;
use crate::json::{Value, object};
use crate::jws::{KeyRing, Moment, Opened, open};
use crate::key::PublicKey;
use crate::policy::{Bits, Consent, Policy};
use crate::reason::{Reason, Refusal};
use crate::text::{self, Master, render, text_hash, text_salt};

/// Tolerance of clocks on `iat` and `nbf`, in seconds; `exp` has none.
pub(crate) const SKEW: u64 = 60;
/// How far `iat` of a revoke may be from now.
const REVOKE_SKEW: u64 = 900;

/// Who a key belongs to: what a verified `consent-key+jwt` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// `jti` of the binding.
    pub jti: String,
    /// Thumbprint of the bound key.
    pub kid: String,
    /// Whose key it is.
    pub sub: String,
    /// `patient`, `guardian`, `adult_guardian`, `delegate`, `family`
    pub role: String,
    /// The represented person.
    pub represents: Option<String>,
    /// The day a minor turns 18.
    pub until: Option<Date>,
    /// The day the minor turns 16.
    pub until_obj: Option<Date>,
    /// Categories and purposes a proxy may sign for.
    pub scope: Option<Vec<String>>,
    /// How the person was identified: `jpki`, `counter`, `self`.
    pub ial: String,
    /// First second of validity.
    pub nbf: u64,
    /// First second after it.
    pub exp: u64,
}

/// Claims of a `consent-key+jwt` that begins now and lasts five years (§3.1); a proxy's says whom it
/// represents.
pub fn binding_claims(
    key: &PublicKey,
    sub: &str,
    [role, ial]: [&str; 2],
    represents: Option<&str>,
    now: u64,
    jti: &str,
) -> Value {
    let mut claims = object([
        ("sub", sub.into()),
        ("cnf", object([("jwk", key.jwk())])),
        ("iat", now.into()),
        ("nbf", now.into()),
        ("exp", (now + 5 * 365 * DAY).into()),
        ("jti", jti.into()),
        ("ial", ial.into()),
        ("role", role.into()),
    ]);
    if let (Value::Object(members), Some(person)) = (&mut claims, represents) {
        members.insert("for".to_owned(), person.into());
    }
    claims
}

impl Binding {
    /// From an opened `consent-key+jwt`; `None` for other types.
    pub fn from_token(token: &Opened) -> Option<Self> {
        let c = &token.claims;
        let text = |key: &str| c.get(key).and_then(Value::text).map(str::to_owned);
        if token.typ != Typ::Key {
            return None;
        }
        let x = c.get("cnf")?.get("jwk")?.get("x")?.text()?;
        Some(Self {
            jti: text("jti")?,
            kid: crate::key::PublicKey::from_x(x).ok()?.thumbprint(),
            sub: text("sub")?,
            role: text("role")?,
            represents: text("for"),
            until: text("until").as_deref().and_then(Date::parse),
            until_obj: text("until_obj").as_deref().and_then(Date::parse),
            scope: c.get("scp").map(|s| s.texts().map(str::to_owned).collect()),
            ial: text("ial")?,
            nbf: token.int("nbf")?,
            exp: token.int("exp")?,
        })
    }

    /// For whom its key signs: the represented person, or its holder.
    pub fn person(&self) -> &str {
        self.represents.as_deref().unwrap_or(&self.sub)
    }

    /// Whether it holds at this instant, as far as its own term goes.
    pub fn in_force(&self, now: u64) -> bool {
        self.nbf <= now + SKEW && now < self.exp
    }

    /// As whom its holder looks at records: the person's own, or those of the represented person (§3.1,
    /// D4). `None` out of its term, once the represented minor is of age, for a proxy whom nobody
    /// identified, and for relatives of the dead, who may object and not look. A delegate sees nothing that
    /// is not named.
    pub fn viewer(&self, policy: &Policy, now: u64) -> Option<Who> {
        let of_age = self.until.is_some_and(|day| day <= Date::at(now));
        let claimed = self.ial == "self" && self.role != "patient";
        if of_age || claimed || !self.in_force(now) {
            return None;
        }
        let named = self.scope.as_ref().map(|codes| {
            let known = codes.iter().filter_map(|code| policy.category(code));
            known.fold(Bits::NONE, |all, c| all.with(Bits::one(c.0)))
        });
        let scope = match self.role.as_str() {
            "patient" => return Some(Who::Subject),
            "guardian" | "adult_guardian" => named,
            "delegate" => Some(named.unwrap_or(Bits::NONE)),
            _ => return None,
        };
        Some(Who::Proxy {
            scope,
            sixteen: self.until_obj.is_some_and(|day| day <= Date::at(now)),
        })
    }
}

/// What is known of a token that a revoke is to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its type.
    pub typ: Typ,
    /// Whose it is; of a key binding, for whom the key signs.
    pub sub: String,
    /// Its purposes.
    pub pur: Vec<String>,
    /// Its categories.
    pub cat: Vec<String>,
    /// Role of a key binding; empty for everything else.
    pub role: String,
}

impl Target {
    /// What a ledger knows of this token.
    pub fn of(token: &Opened) -> Self {
        Self::new(token.typ, &token.claims)
    }

    /// The same of a token's type and claims.
    pub fn new(typ: Typ, claims: &Value) -> Self {
        let text = |name: &str| claims.get(name).and_then(Value::text);
        let codes = |name: &str| {
            let codes = claims.get(name).map(Value::texts);
            codes.into_iter().flatten().map(str::to_owned).collect()
        };
        Self {
            typ,
            sub: text("for").or(text("sub")).unwrap_or_default().to_owned(),
            pur: codes("pur"),
            cat: codes("cat"),
            role: text("role").unwrap_or_default().to_owned(),
        }
    }

    /// Whether a revoke can end it. Of key bindings only a delegate's ends so: the person gave that
    /// mandate, the law gave the others (§3.1).
    pub fn can_end(&self) -> bool {
        match self.typ {
            Typ::Grant | Typ::Onward | Typ::Deny => true,
            Typ::Key => self.role == "delegate",
            _ => false,
        }
    }
}

/// State of a token by the status source at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusNow {
    /// Not ended.
    Valid,
    /// Ended.
    Revoked,
    /// Known from a list too old for this use.
    Stale,
    /// Not known.
    Unavailable,
}

/// A parent grant, for an onward grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// Its claims.
    pub claims: Value,
    /// Its state now.
    pub status: StatusNow,
}

/// What a store knows; each answer is about this instant.
pub trait Ledger {
    /// Bindings of this key that no revoke ended.
    fn bindings(&self, kid: &str) -> Vec<Binding>;
    /// Whether this token (by its hash) was accepted for this person before.
    fn accepted(&self, sub: &str, hash: &str) -> bool;
    /// Whether the nonce was given out to this session at most 15 minutes ago and is unused.
    fn nonce_open(&self, nonce: &str) -> bool;
    /// Whether the `jti` was seen before.
    fn seen(&self, jti: &str) -> bool;
    /// The token that has this `jti`.
    fn target(&self, jti: &str) -> Option<Target>;
    /// Highest `seq` of this person's objections.
    fn last_seq(&self, sub: &str) -> Option<u64>;
    /// Status index and list issued with this nonce.
    fn issued(&self, nonce: &str) -> Option<(u64, String)>;
    /// State of a token: by `jti` at the server, by list elsewhere.
    fn status(&self, jti: &str, status: Option<(u64, &str)>) -> StatusNow;
    /// Why a list that is at hand does not tell this state: it is none (`STATUS_LIST`), or ends before the
    /// number (`STATUS_INDEX`).
    fn unusable(&self, _status: (u64, &str)) -> Option<Reason> {
        None
    }
    /// The grant with this token hash.
    fn grant(&self, hash: &str) -> Option<Parent>;
    /// `mi:…` of an institution's key.
    fn institution(&self, kid: &str) -> Option<String>;
}

/// Where and when a token is judged.
pub struct Desk<'a> {
    /// Registered keys.
    pub keys: &'a dyn KeyRing,
    /// What the store knows.
    pub ledger: &'a dyn Ledger,
    /// The policy in force.
    pub policy: &'a Policy,
    /// The facility master; texts of other versions are `TEXT_UNKNOWN`.
    pub master: &'a Master,
    /// Seconds UTC.
    pub now: u64,
    /// Method and address that an access request must name.
    pub endpoint: Option<(&'a str, &'a str)>,
}

/// A token to accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// Store it, log it, give a receipt.
    New(Opened),
    /// It was accepted before: give its receipt and its state now (step 12a).
    Again(Opened, StatusNow),
}

/// Judges a token that was just received: steps 1–21 as far as its type has them.
///
/// `annex` are the bytes that came with a grant.
///
/// # Errors
/// The first failing step's reason.
pub fn accept(
    desk: &Desk<'_>,
    token: &str,
    expected: &[Typ],
    annex: Option<&[u8]>,
) -> Result<Accepted, Refusal> {
    let token = open(token, expected, desk.keys, Moment::now(desk.now))?;
    let by_patient = matches!(
        token.typ,
        Typ::Grant | Typ::Deny | Typ::Revoke | Typ::Objection
    );
    if by_patient && desk.ledger.accepted(token.text("sub"), &token.hash) {
        let state = desk
            .ledger
            .status(token.text("jti"), status_of(&token.claims));
        return Ok(Accepted::Again(token, state));
    }
    let check = Check { desk, t: &token };
    match token.typ {
        Typ::Grant => {
            check.whose()?;
            check.times()?;
            check.nonce()?;
            check.replay()?;
            check.lists()?;
            let annex = check.annex(annex)?;
            check.shown(Some(&annex))?;
            check.index()?;
            check.status()?;
        }
        Typ::Deny => {
            check.whose()?;
            check.times()?;
            check.nonce()?;
            check.replay()?;
            check.lists()?;
            check.shown(None)?;
            check.index()?;
            check.status()?;
        }
        Typ::Revoke => {
            check.whose()?;
            check.near()?;
            check.target()?;
        }
        Typ::Objection => {
            check.whose()?;
            check.issued_by_now()?;
            check.replay()?;
            check.objection()?;
            check.shown(None)?;
        }
        Typ::Onward => {
            check.times()?;
            check.replay()?;
            check.lists()?;
            check.onward()?;
        }
        Typ::Access => {
            check.times()?;
            check.replay()?;
            check.access()?;
        }
        Typ::Session => {
            check.times()?;
            check.nonce()?;
        }
        Typ::Key | Typ::Request => check.times()?,
        Typ::BreakGlass => {
            check.times()?;
            check.replay()?;
        }
        Typ::Disaster => {
            check.issued_by_now()?;
            if token.int("to").is_some_and(|to| to <= desk.now) {
                return Err(Reason::Expired.of("to"));
            }
            check.replay()?;
        }
        Typ::Release | Typ::Receipt | Typ::Disclosure => {
            check.issued_by_now()?;
            check.replay()?;
        }
        Typ::StatusList => {}
    }
    Ok(Accepted::New(token))
}

/// Judges a grant shown offline: steps 1–14 and 17, then the status by the list at hand (§6.3).
///
/// # Errors
/// The first failing step's reason; `STATUS_STALE` is left to the decision, which knows the purpose.
pub fn check_offline(
    desk: &Desk<'_>,
    token: &str,
    expected: &[Typ],
) -> Result<(Opened, StatusNow), Refusal> {
    let token = open(token, expected, desk.keys, Moment::now(desk.now))?;
    let check = Check { desk, t: &token };
    check.whose()?;
    check.times()?;
    check.lists()?;
    let status = status_of(&token.claims);
    let state = desk.ledger.status(token.text("jti"), status);
    match (state, status) {
        (StatusNow::Revoked, _) => Err(Reason::Revoked.into()),
        (StatusNow::Unavailable, Some(status)) => {
            let why = desk.ledger.unusable(status);
            Err(why.map_or(Reason::StatusUnavailable.into(), |r| r.of("status")))
        }
        (state, _) => Ok((token, state)),
    }
}

/// `(idx, uri)` of the claims.
pub fn status_of(claims: &Value) -> Option<(u64, &str)> {
    let list = claims.get("status")?.get("status_list")?;
    Some((list.get("idx")?.int()?, list.get("uri")?.text()?))
}

struct Check<'a> {
    desk: &'a Desk<'a>,
    t: &'a Opened,
}

impl Check<'_> {
    fn codes(&self, name: &str) -> impl Iterator<Item = &str> {
        self.t.claims.get(name).into_iter().flat_map(Value::texts)
    }

    /// Step 13.
    fn whose(&self) -> Result<(), Refusal> {
        let t = self.t;
        let by = t.claims.get("by").is_some();
        if (t.class == SignerClass::Registry) != by {
            return Err(Reason::Sub.of("by"));
        }
        if by {
            // The registry adds objections, it never takes one back.
            if t.typ == Typ::Objection && t.text("state") != "on" {
                return Err(Reason::Sub.of("state"));
            }
            return Ok(());
        }
        let now = self.desk.now;
        let sub = t.text("sub");
        let bindings = self.desk.ledger.bindings(&t.kid);
        let mut live = bindings
            .iter()
            .filter(|b| b.kid == t.kid && b.in_force(now));
        let Some(act) = t.claims.get("act") else {
            let own = live.find(|b| b.role == "patient" && b.sub == sub);
            return self.identified(own.ok_or(Reason::Sub.of("sub"))?);
        };
        let text = |key: &str| act.get(key).and_then(Value::text).unwrap_or_default();
        let binding = live
            .find(|b| {
                b.jti == text("bnd")
                    && b.role == text("rel")
                    && b.represents.as_deref() == Some(sub)
            })
            .ok_or(Reason::ProxyNone.of("act"))?;
        self.identified(binding)?;
        self.proxy_scope(binding)?;
        let today = Date::at(now);
        let aged = match t.typ {
            Typ::Objection => binding.until_obj.or(binding.until),
            _ => binding.until,
        };
        if aged.is_some_and(|day| day <= today) {
            return Err(Reason::ProxyAgedOut.of("act"));
        }
        Ok(())
    }

    /// Whom nobody identified (`ial: self`), neither the person nor a proxy, opens nothing but to an app.
    fn identified(&self, binding: &Binding) -> Result<(), Refusal> {
        if binding.ial != "self" {
            return Ok(());
        }
        let t = self.t;
        let opens = match t.typ {
            Typ::Grant if self.codes("aud").all(|a| a.starts_with("app:")) => None,
            Typ::Grant => Some("aud"),
            Typ::Objection => (t.text("state") != "on").then_some("state"),
            Typ::Revoke => {
                let target = self.desk.ledger.target(t.text("rev"));
                target.is_some_and(|x| x.typ == Typ::Deny).then_some("rev")
            }
            _ => None,
        };
        opens.map_or(Ok(()), |claim| Err(Reason::Sub.of(claim)))
    }

    fn proxy_scope(&self, binding: &Binding) -> Result<(), Refusal> {
        let out = || Err(Reason::ProxyScope.of("act"));
        if binding.role == "family" {
            // They object; they take nothing back.
            return if self.t.typ == Typ::Objection && self.t.text("state") == "on" {
                Ok(())
            } else {
                out()
            };
        }
        let own = || {
            self.codes("pur")
                .chain(self.codes("cat"))
                .map(str::to_owned)
        };
        let opened: Vec<String> = match self.t.typ {
            // The end of a prohibition opens what it closed; the end of anything else opens nothing.
            Typ::Revoke => match self.desk.ledger.target(self.t.text("rev")) {
                Some(target) if target.typ == Typ::Deny => {
                    target.pur.into_iter().chain(target.cat).collect()
                }
                // A delegate resigns, and dismisses no other.
                Some(target) if target.typ == Typ::Key && binding.role == "delegate" => {
                    let own = binding.jti == self.t.text("rev");
                    return if own { Ok(()) } else { out() };
                }
                _ => return Ok(()),
            },
            _ => own().collect(),
        };
        match &binding.scope {
            None if binding.role == "delegate" => out(),
            None => Ok(()),
            Some(scope) if opened.iter().all(|code| scope.contains(code)) => Ok(()),
            Some(_) => out(),
        }
    }

    fn issued_by_now(&self) -> Result<(), Refusal> {
        if self
            .t
            .int("iat")
            .is_some_and(|iat| iat > self.desk.now + SKEW)
        {
            return Err(Reason::NotYet.of("iat"));
        }
        Ok(())
    }

    /// Step 14.
    fn times(&self) -> Result<(), Refusal> {
        let t = self.t;
        self.issued_by_now()?;
        // A grant may begin later; what asserts something has to hold now.
        let must_hold = !matches!(t.typ, Typ::Grant | Typ::Deny | Typ::Onward);
        if must_hold && t.int("nbf").is_some_and(|nbf| nbf > self.desk.now + SKEW) {
            return Err(Reason::NotYet.of("nbf"));
        }
        let Some(exp) = t.int("exp") else {
            return Ok(());
        };
        if exp <= self.desk.now {
            return Err(Reason::Expired.of("exp"));
        }
        let start = t.int("nbf").or_else(|| t.int("iat")).unwrap_or(0);
        let longest = self.desk.policy.longest_days * DAY;
        let patient = matches!(t.typ, Typ::Grant | Typ::Onward);
        if patient && exp.saturating_sub(start) > longest {
            return Err(Reason::TermTooLong.of("exp"));
        }
        if let Some(act) = t.claims.get("act")
            && let Some(bnd) = act.get("bnd").and_then(Value::text)
        {
            let bindings = self.desk.ledger.bindings(&t.kid);
            let until = bindings.iter().find(|b| b.jti == bnd).and_then(|b| b.until);
            if until.is_some_and(|day| exp > day.starts()) {
                return Err(Reason::TermTooLong.of("exp"));
            }
        }
        Ok(())
    }

    /// A revoke is made when it is sent.
    fn near(&self) -> Result<(), Refusal> {
        let iat = self.t.int("iat").unwrap_or(0);
        if iat > self.desk.now + REVOKE_SKEW {
            return Err(Reason::NotYet.of("iat"));
        }
        if iat + REVOKE_SKEW < self.desk.now {
            return Err(Reason::Expired.of("iat"));
        }
        Ok(())
    }

    /// Step 15; grants made offline have none.
    fn nonce(&self) -> Result<(), Refusal> {
        let nonce = self.t.claims.get("nonce").and_then(Value::text);
        if nonce.is_some_and(|n| !self.desk.ledger.nonce_open(n)) {
            return Err(Reason::Nonce.of("nonce"));
        }
        Ok(())
    }

    /// Step 16.
    fn replay(&self) -> Result<(), Refusal> {
        if self.desk.ledger.seen(self.t.text("jti")) {
            return Err(Reason::Replay.of("jti"));
        }
        Ok(())
    }

    /// Step 17.
    fn lists(&self) -> Result<(), Refusal> {
        let desk = self.desk;
        let found = unfit(desk.policy, desk.master, self.t.typ, &self.t.claims);
        found.map_or(Ok(()), |bad| Err(bad.refusal))
    }

    /// Step 18.
    fn annex(&self, bytes: Option<&[u8]>) -> Result<Annex, Refusal> {
        let bytes = bytes.ok_or(Reason::AnnexMissing.of("anx"))?;
        Annex::read(bytes, self.t.text("anx")).map_err(|r| r.of("anx"))
    }

    /// Step 19.
    fn shown(&self, annex: Option<&Annex>) -> Result<(), Refusal> {
        let t = self.t;
        let text = render(self.desk.policy, self.desk.master, t.typ, &t.claims, annex)
            .map_err(|r| r.of("txt"))?;
        let salt = text_salt(&t.claims, annex).ok_or(Reason::TextUnknown.of("txt"))?;
        let signed = t.claims.get("txt").and_then(|x| x.get("h")?.text());
        if signed != Some(&text_hash(&salt, &text)) {
            return Err(Reason::TextMismatch.of("txt"));
        }
        Ok(())
    }

    /// Step 20.
    fn index(&self) -> Result<(), Refusal> {
        let Some((idx, uri)) = status_of(&self.t.claims) else {
            return Ok(());
        };
        let issued = self.desk.ledger.issued(self.t.text("nonce"));
        if issued.as_ref().map(|(i, u)| (*i, u.as_str())) != Some((idx, uri)) {
            return Err(Reason::StatusIndex.of("status"));
        }
        Ok(())
    }

    /// Step 21.
    fn status(&self) -> Result<(), Refusal> {
        let status = status_of(&self.t.claims);
        match self.desk.ledger.status(self.t.text("jti"), status) {
            StatusNow::Valid => Ok(()),
            StatusNow::Revoked => Err(Reason::Revoked.into()),
            StatusNow::Stale => Err(Reason::StatusStale.into()),
            StatusNow::Unavailable => Err(Reason::StatusUnavailable.into()),
        }
    }

    /// Step 16 of a revoke, and 15, 19 where it opens data again.
    fn target(&self) -> Result<(), Refusal> {
        let t = self.t;
        let unknown = Reason::TargetUnknown.of("rev");
        let target = self.desk.ledger.target(t.text("rev"));
        let target = target
            .filter(|x| x.sub == t.text("sub") && x.can_end())
            .ok_or(unknown)?;
        if target.typ == Typ::Deny {
            for name in ["nonce", "txt"] {
                if t.claims.get(name).is_none() {
                    return Err(Reason::ClaimMissing.of(name));
                }
            }
            self.nonce()?;
        }
        self.replay()?;
        if target.typ == Typ::Deny {
            self.shown(None)?;
        }
        Ok(())
    }

    fn objection(&self) -> Result<(), Refusal> {
        let policy = self.desk.policy;
        for code in self.codes("pur").filter(|c| *c != "*") {
            let purpose = policy
                .purpose(code)
                .ok_or(Reason::PurposeUnknown.of("pur"))?;
            if policy.consent(purpose) != Some(Consent::OptOut) {
                return Err(Reason::OptinAsObjection.of("pur"));
            }
        }
        let last = self.desk.ledger.last_seq(self.t.text("sub"));
        if last.is_some_and(|last| self.t.int("seq").unwrap_or(0) <= last) {
            return Err(Reason::Seq.of("seq"));
        }
        Ok(())
    }

    fn access(&self) -> Result<(), Refusal> {
        let t = self.t;
        let here = self
            .desk
            .endpoint
            .is_some_and(|(m, u)| m == t.text("htm") && u == t.text("htu"));
        if !here {
            return Err(Reason::Htu.of("htu"));
        }
        if self.desk.policy.purpose(t.text("pur")).is_none() {
            return Err(Reason::PurposeUnknown.of("pur"));
        }
        let institution = self.desk.ledger.institution(&t.kid);
        let institution = institution.ok_or(Reason::Aud.of("iss"))?;
        if t.text("ath") != "registered" {
            let grant = self.desk.ledger.grant(t.text("ath"));
            let grant = grant
                .filter(|g| g.claims.get("sub").and_then(Value::text) == Some(t.text("sub")))
                .ok_or(Reason::Ath.of("ath"))?;
            if !reaches(&grant.claims, &institution) {
                return Err(Reason::Aud.of("iss"));
            }
        }
        Ok(())
    }

    /// §4.6, then status.
    fn onward(&self) -> Result<(), Refusal> {
        let t = self.t;
        let parent = self.desk.ledger.grant(t.text("par"));
        let parent = parent.ok_or(Reason::Attenuation.of("par"))?;
        let institution = self.desk.ledger.institution(&t.kid);
        let institution = institution.ok_or(Reason::Attenuation.of("iss"))?;
        attenuates(&t.claims, &parent.claims, &institution, self.desk.now)
            .map_err(|claim| Reason::Attenuation.of(claim))?;
        if parent.status != StatusNow::Valid {
            return Err(Reason::Attenuation.of("par"));
        }
        self.status()
    }
}

/// A code that keeps a token from being accepted (step 17).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// Why, and the claim it stands in.
    pub refusal: Refusal,
    /// The code.
    pub code: String,
}

/// The first code of a grant's or prohibition's purposes, categories and recipients that is not known or
/// may not stand there: for those who make tokens, before anybody signs.
pub fn unfit(policy: &Policy, master: &Master, typ: Typ, claims: &Value) -> Option<Unfit> {
    unfit_for(policy, Some(master), typ, claims)
}

/// As [`unfit`]; without a master recipients are not looked up in it.
pub(crate) fn unfit_for(
    policy: &Policy,
    master: Option<&Master>,
    typ: Typ,
    claims: &Value,
) -> Option<Unfit> {
    let deny = typ == Typ::Deny;
    let bad = |reason: Reason, claim: &'static str, code: &str| {
        Some(Unfit {
            refusal: reason.of(claim),
            code: code.to_owned(),
        })
    };
    let codes = |name: &str| {
        let list = claims.get(name).into_iter().flat_map(Value::texts);
        list.filter(|c| !(deny && *c == "*"))
    };
    let mut emergency_only = true;
    for code in codes("pur") {
        emergency_only &= matches!(code, "ETREAT" | "DISASTER");
        let kind = policy.purpose(code).and_then(|p| policy.consent(p));
        match kind {
            None => return bad(Reason::PurposeUnknown, "pur", code),
            Some(Consent::OptOut) if !deny => return bad(Reason::OptoutAsGrant, "pur", code),
            Some(Consent::Statute) if !deny => return bad(Reason::PurposeUnknown, "pur", code),
            Some(_) => {}
        }
    }
    let unknown = codes("cat").find(|c| policy.category(c).is_none());
    if let Some(code) = unknown {
        return bad(Reason::CategoryUnknown, "cat", code);
    }
    for code in codes("aud") {
        if code == "mi:*" && !deny {
            if !emergency_only {
                return bad(Reason::AudWildcard, "aud", code);
            }
        } else if code != "mi:*"
            && (!policy.is_recipient(code) || master.is_some_and(|m| !m.has(code)))
        {
            return bad(Reason::AudUnknown, "aud", code);
        }
    }
    let individual = |c: &&str| {
        let place = policy.category(c);
        place.is_some_and(|p| policy.individual().has(p.0))
    };
    if let Some(code) = codes("cat").find(individual).filter(|_| !deny) {
        let family = claims.get("txt").and_then(|t| t.get("id")?.text());
        let own_text = family.is_none_or(|f| f.starts_with("indiv-"));
        if codes("cat").count() != 1 || !own_text {
            return bad(Reason::IndividualBundled, "cat", code);
        }
    }
    None
}

/// Whether a grant names this recipient, itself or as any institution.
pub fn reaches(claims: &Value, recipient: &str) -> bool {
    claims.get("aud").is_some_and(|a| {
        a.texts()
            .any(|code| code == recipient || code == "mi:*" && recipient.starts_with("mi:"))
    })
}

/// Whether an onward grant stays inside its parent (§4.6).
///
/// # Errors
/// The claim that goes beyond.
pub fn attenuates(
    onward: &Value,
    parent: &Value,
    signer: &str,
    now: u64,
) -> Result<(), &'static str> {
    let set = |v: &Value, name: &str| -> Vec<String> {
        v.get(name)
            .map(|x| x.texts().map(str::to_owned).collect())
            .unwrap_or_default()
    };
    let within = |name: &'static str, inner: &Value, outer: &Value| {
        let outer = set(outer, name);
        if set(inner, name).iter().all(|c| outer.contains(c)) {
            Ok(())
        } else {
            Err(name)
        }
    };
    let int = |v: &Value, name: &str| v.get(name).and_then(Value::int);
    let ok = |yes: bool, name: &'static str| if yes { Ok(()) } else { Err(name) };
    ok(parent.get("dlg").is_some_and(Value::is_true), "par")?;
    ok(parent.get("par").is_none(), "par")?;
    ok(onward.get("sub") == parent.get("sub"), "sub")?;
    let aud = set(parent, "aud");
    ok(aud.iter().any(|a| a == signer), "iss")?;
    ok(!aud.iter().any(|a| a == "mi:*"), "par")?;
    let to = set(onward, "aud");
    ok(
        to.len() == 1
            && to
                .iter()
                .all(|a| (a.starts_with("mi:") || a.starts_with("kg:")) && a != "mi:*"),
        "aud",
    )?;
    within("pur", onward, parent)?;
    within("cat", onward, parent)?;
    within("obl", parent, onward).map_err(|_| "obl")?;
    ok(int(onward, "nbf") >= int(parent, "nbf"), "nbf")?;
    ok(int(onward, "exp") <= int(parent, "exp"), "exp")?;
    ok(int(parent, "exp").is_some_and(|exp| now < exp), "par")?;
    let to = |v: &Value| v.get("rec").and_then(|r| r.get("to")?.int());
    if let Some(outer) = to(parent) {
        ok(to(onward).is_some_and(|inner| inner <= outer), "rec")?;
    }
    let date = |v: &Value, end: &str| {
        v.get("dat")
            .and_then(|d| d.get(end)?.text().and_then(Date::parse))
    };
    if let Some(outer) = date(parent, "from") {
        ok(
            date(onward, "from").is_some_and(|inner| inner >= outer),
            "dat",
        )?;
    }
    if let Some(outer) = date(parent, "to") {
        ok(
            date(onward, "to").is_some_and(|inner| inner <= outer),
            "dat",
        )?;
    }
    Ok(())
}

/// Claims that a device prepares for signing: the text is rendered and its hash put into `txt.h`.
///
/// `claims` has everything but `v`, `iss`, `txt.h`; returns the claims and the text that must be shown.
///
/// # Errors
/// `TEXT_UNKNOWN` and the like: nothing may be signed that cannot be shown.
pub fn bind_text(
    policy: &Policy,
    master: &Master,
    typ: Typ,
    mut claims: Value,
    annex: Option<&Annex>,
) -> Result<(Value, String), Refusal> {
    if let (Value::Object(members), Some(annex)) = (&mut claims, annex) {
        members.insert("anx".to_owned(), annex.hash().into());
    }
    let shown = render(policy, master, typ, &claims, annex).map_err(|r| r.of("txt"))?;
    let salt = text_salt(&claims, annex).ok_or(Reason::ClaimRange.of("jti"))?;
    if let Value::Object(members) = &mut claims
        && let Some(Value::Object(txt)) = members.get_mut("txt")
    {
        txt.insert("h".to_owned(), text_hash(&salt, &shown).into());
    }
    Ok((claims, shown))
}

/// Family that the text of these claims has to come from, and the version of texts in force.
///
/// # Errors
/// `TEXT_UNKNOWN`.
pub fn text_of(policy: &Policy, typ: Typ, claims: &Value) -> Result<(String, u64), Reason> {
    Ok((text::family(policy, typ, claims)?, policy.texts))
}
