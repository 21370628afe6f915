//! What the server keeps of one person: tokens, waiting requests, keys, policy and master. Tokens are
//! verified here again, each time they are read.

use std::collections::BTreeSet;

use warifu_consent::json::{self, Value, object};
use warifu_consent::{
    Date, KeyEntry, KeyRing, KeyState, Master, Moment, Opened, Policy, PublicKey, SignerClass, Typ,
    b64, open, peek, wire,
};
use warifu_json::{Kind, Limits, ROOT, parse};
use warifu_log::Hash;

/// The person's keys, as the registry tells them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys(pub Vec<OneKey>);

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneKey {
    /// Thumbprint.
    pub kid: String,
    /// Public half.
    pub x: String,
    /// When it was bound.
    pub since: u64,
    /// Whether it still signs.
    pub state: KeyState,
    /// The binding: what is revoked to end a mandate.
    pub jti: String,
    /// `patient`, `guardian`, `delegate`, …
    pub role: String,
    /// Whom it signs for, where that is somebody else than its holder.
    pub person: Option<String>,
}

impl Keys {
    /// Reads `keys` of an answer; a row that is none is left out.
    pub fn read(v: &Value) -> Self {
        let rows = v.get("keys").map_or(&[][..], Value::items);
        let rows = rows.iter().filter_map(|k| {
            Some(OneKey {
                kid: k.get("kid")?.text()?.to_owned(),
                x: k.get("x")?.text()?.to_owned(),
                since: k.get("since")?.int()?,
                state: wire::key_state(k.get("state")?.text()?, k.get("at")?.int()?)?,
                jti: k.get("jti").and_then(Value::text).unwrap_or("").to_owned(),
                role: k.get("role").and_then(Value::text).unwrap_or("").to_owned(),
                person: k.get("for").and_then(Value::text).map(str::to_owned),
            })
        });
        Self(rows.collect())
    }

    /// Those that sign for their holder.
    pub fn own(&self) -> impl Iterator<Item = &OneKey> {
        self.0.iter().filter(|k| k.person.is_none())
    }

    /// Mandates that a person gave, each for some things: whoever has one signs in the person's name.
    pub fn delegates<'k>(&'k self, sub: &'k str) -> impl Iterator<Item = &'k OneKey> {
        let of = move |k: &&OneKey| k.role == "delegate" && k.person.as_deref() == Some(sub);
        self.0.iter().filter(of)
    }

    /// Whether what this key signed and the server took at that time counts.
    pub fn covers(&self, kid: &str, received: u64) -> bool {
        let mut known = self.0.iter().filter(|k| k.kid == kid);
        known.all(|k| k.state.covers(received))
    }
}

impl Keys {
    /// With those of somebody else.
    pub fn and(&self, others: &Self) -> Self {
        let mut all = self.0.clone();
        all.extend(others.0.iter().cloned());
        Self(all)
    }
}

impl KeyRing for Keys {
    fn find(&self, class: SignerClass, kid: &str) -> Option<KeyEntry> {
        let key = self.0.iter().find(|k| k.kid == kid)?;
        if class != SignerClass::Patient {
            return None;
        }
        let public = PublicKey::from_x(&key.x).ok()?;
        Some(KeyEntry::new(public, key.state))
    }
}

/// What binds a key of this person: to the person, or to somebody whom they act for (consent.md §3.1). As
/// the server tells it; what is signed under it is judged by the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bond {
    /// The token.
    pub token: String,
    /// Its `jti`.
    pub jti: String,
    /// Thumbprint of the key.
    pub kid: String,
    /// `patient`, `guardian`, …
    pub role: String,
    /// Who is represented.
    pub person: Option<String>,
    /// The day it ends, for a minor.
    pub until: Option<Date>,
    /// The day from which objections are the minor's own.
    pub until_obj: Option<Date>,
    /// Bounded to some purposes or categories.
    pub scoped: bool,
    /// When it began.
    pub since: u64,
}

impl Bond {
    /// Reads one.
    pub fn read(token: &str) -> Option<Self> {
        let (typ, c) = peek(token).ok()?;
        let text = |name: &str| c.get(name).and_then(Value::text).map(str::to_owned);
        let day = |name: &str| text(name).as_deref().and_then(Date::parse);
        let x = c.get("cnf")?.get("jwk")?.get("x")?.text()?;
        (typ == Typ::Key).then_some(())?;
        Some(Self {
            token: token.to_owned(),
            jti: text("jti")?,
            kid: PublicKey::from_x(x).ok()?.thumbprint(),
            role: text("role")?,
            person: text("for"),
            until: day("until"),
            until_obj: day("until_obj"),
            scoped: c.get("scp").is_some(),
            since: c.get("nbf")?.int()?,
        })
    }

    /// Those of a session's answer.
    pub fn all(v: &Value) -> Vec<Self> {
        let many = v.get("bindings").into_iter().flat_map(Value::texts);
        let one = v.get("binding").and_then(Value::text);
        many.chain(one).filter_map(Self::read).collect()
    }

    /// Whether its holder can act for the person in everything, today.
    pub fn is_for_all(&self, now: u64) -> bool {
        let guardian = matches!(self.role.as_str(), "guardian" | "adult_guardian");
        guardian && !self.scoped && !self.is_over(now)
    }

    /// Whether the person is of age by now.
    pub fn is_over(&self, now: u64) -> bool {
        self.until.is_some_and(|day| day <= Date::at(now))
    }

    /// What a token says of it that is signed for the person.
    pub fn act(&self) -> Value {
        object([
            ("rel", self.role.as_str().into()),
            ("bnd", self.jti.as_str().into()),
        ])
    }
}

/// A waiting request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its id.
    pub req: String,
    /// What it was asked together with.
    pub group: String,
    /// When it was asked.
    pub at: u64,
    /// Recipients.
    pub aud: Vec<String>,
    /// Purposes.
    pub pur: Vec<String>,
    /// Categories asked for.
    pub cat: Vec<String>,
    /// Of these, without which it does not serve.
    pub min: Vec<String>,
    /// Window of clinical dates, as asked.
    pub dat: Value,
    /// One category that needs its own consent.
    pub individual: bool,
}

fn list(v: &Value, name: &str) -> Vec<String> {
    let all = v.get(name).map(|l| l.texts().map(str::to_owned).collect());
    all.unwrap_or_default()
}

/// A recipient that got records by a consent that was withdrawn, and what it says of its copies (consent.md
/// §8.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// `jti` of the consent.
    pub jti: String,
    /// The recipient.
    pub rcp: String,
    /// When it took the request; absent: not yet.
    pub told: Option<u64>,
    /// Its answer.
    pub answer: Copies,
}

/// What became of copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copies {
    /// No answer yet.
    Waiting,
    /// Erased, then.
    Erased(u64),
    /// Kept, as it said then, by this rule.
    Kept(u64, String),
}

/// Reads `{"erasures": […]}`.
pub fn erasures(v: &Value) -> Option<Vec<Erasure>> {
    let rows = v.get("erasures")?.items();
    let rows = rows.iter().map(|e| {
        let text = |name: &str| Some(e.get(name)?.text()?.to_owned());
        let at = || e.get("at").and_then(Value::int);
        Some(Erasure {
            jti: text("jti")?,
            rcp: text("rcp")?,
            told: e.get("told").and_then(Value::int),
            answer: match text("state")?.as_str() {
                "erased" => Copies::Erased(at()?),
                "kept" => Copies::Kept(at()?, text("why")?),
                _ => Copies::Waiting,
            },
        })
    });
    rows.collect()
}

/// Reads `{"requests": […]}`.
pub fn waiting(v: &Value) -> Option<Vec<Waiting>> {
    let rows = v.get("requests")?.items();
    let rows = rows.iter().filter_map(|w| {
        Some(Waiting {
            req: w.get("req")?.text()?.to_owned(),
            at: w.get("at")?.int()?,
            group: w
                .get("group")
                .and_then(Value::text)
                .unwrap_or("")
                .to_owned(),
            aud: list(w, "aud"),
            pur: list(w, "pur"),
            cat: list(w, "cat"),
            min: list(w, "min"),
            dat: w.get("dat").cloned().unwrap_or(Value::Null),
            individual: w.get("individual").is_some_and(Value::is_true),
        })
    });
    Some(rows.collect())
}

/// A page of `POST /disclose`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The Bundle.
    pub bundle: String,
    /// The facility of each record by `Type/id`.
    pub sources: Vec<(String, String)>,
    /// What asks for the next page.
    pub next: Option<String>,
}

/// Reads a page. Not by the reader of tokens: names in records hold characters that NFC would change (U+FA19).
pub fn page(body: &str) -> Option<Page> {
    let parsed = parse(body.as_bytes(), Limits::FHIR, &());
    if !parsed.issues.is_empty() || parsed.tree.is_empty() {
        return None;
    }
    let tree = &parsed.tree;
    let text = |of, name: &str| {
        let node = tree.member(of, name)?;
        (tree.kind(node) == Kind::String).then(|| tree.text(node).into_owned())
    };
    // What asks for the next page is not left out because it is of another form.
    let next = tree
        .member(ROOT, "next")
        .filter(|n| tree.kind(*n) != Kind::Null);
    let next = match (next, text(ROOT, "next")) {
        (Some(_), None) => return None,
        (_, next) => next,
    };
    let mut sources = Vec::new();
    let rows = tree.member(ROOT, "sources");
    for row in rows.into_iter().flat_map(|r| tree.children(r)) {
        let src = text(row, "src")?;
        let keys = tree.member(row, "of");
        for key in keys.into_iter().flat_map(|k| tree.children(k)) {
            sources.push((tree.text(key).into_owned(), src.clone()));
        }
    }
    Some(Page {
        bundle: text(ROOT, "bundle")?,
        sources,
        next,
    })
}

/// A token of the person that was verified here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The token, opened.
    pub token: Opened,
    /// Its text form.
    pub text: String,
    /// When the server took it.
    pub at: u64,
    /// When it was ended.
    pub ended: Option<u64>,
    /// Bytes of its annex.
    pub annex: Option<Vec<u8>>,
    /// The receipt.
    pub receipt: Option<String>,
}

impl Given {
    /// A grant that was signed here and is with nobody yet.
    pub fn offered(text: &str, annex: &str, at: u64, keys: &Keys) -> Option<Self> {
        let token = open(text, &OWN[..1], keys, Moment::now(at)).ok()?;
        Some(Self {
            token,
            text: text.to_owned(),
            at,
            ended: None,
            annex: b64::decode(annex),
            receipt: None,
        })
    }

    /// Its `jti`.
    pub fn jti(&self) -> &str {
        self.token.text("jti")
    }

    /// Number and leaf in the person's log, as the receipt tells them.
    pub fn place(&self) -> Option<(u64, Hash)> {
        let (typ, claims) = peek(self.receipt.as_deref()?).ok()?;
        let leaf = Hash::from_url(claims.get("leaf")?.text()?)?;
        (typ == Typ::Receipt).then_some((claims.get("n")?.int()?, leaf))
    }

    /// A list claim.
    pub fn list(&self, name: &str) -> Vec<String> {
        list(&self.token.claims, name)
    }

    /// A grant that opens data now.
    pub fn is_open(&self, now: u64) -> bool {
        self.token.typ == Typ::Grant
            && self.ended.is_none()
            && self.token.int("exp").is_some_and(|exp| now < exp)
    }
}

/// What `GET /consent/mine` tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mine {
    /// Pseudonym.
    pub sub: String,
    /// Verified tokens, oldest first.
    pub given: Vec<Given>,
    /// How many that may open data, or that the person signed, could not be verified.
    pub unproved: usize,
    /// Objections to secondary use for everybody and every source, those of the desk included: its key is
    /// not known here, and it can only add some (consent.md §12.2).
    pub objections: Vec<Objected>,
    /// `seq` of the next objection.
    pub seq: u64,
}

/// An objection, or its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objected {
    /// Purposes.
    pub pur: Vec<String>,
    /// The later one counts.
    pub seq: u64,
    /// Whether it is one, and no end.
    pub on: bool,
    /// Whether the desk took it.
    pub at_desk: bool,
}

impl Objected {
    fn of(claims: &Value) -> Option<Self> {
        let text = |name: &str| claims.get(name).and_then(Value::text);
        let all = |name: &str| list(claims, name) == ["*"];
        (all("to") && all("src")).then_some(())?;
        Some(Self {
            pur: list(claims, "pur"),
            seq: claims.get("seq")?.int()?,
            on: text("state")? == "on",
            at_desk: text("by").is_some(),
        })
    }
}

/// What the desk signed: objections, never their ends.
fn of_desk(text: &str, sub: &str) -> Option<Objected> {
    let (typ, claims) = peek(text).ok()?;
    let own = claims.get("sub").and_then(Value::text) == Some(sub);
    (typ == Typ::Objection && own).then_some(())?;
    Objected::of(&claims).filter(|o| o.at_desk && o.on)
}

/// What the person signs.
const OWN: [Typ; 4] = [Typ::Grant, Typ::Deny, Typ::Objection, Typ::Revoke];

/// Whether a token that does not verify here is told. Those of institutions and of the desk (emergencies,
/// ends and objections without a key) are signed with keys that are not the person's; of them only an
/// onward grant opens data.
fn is_told(text: &str) -> bool {
    match peek(text) {
        Ok((Typ::Onward, _)) | Err(_) => true,
        Ok((typ, claims)) => OWN.contains(&typ) && claims.get("by").is_none(),
    }
}

impl Mine {
    /// Reads and verifies.
    pub fn read(v: &Value, keys: &Keys, now: u64) -> Option<Self> {
        let sub = v.get("sub")?.text()?.to_owned();
        let mut mine = Self {
            given: Vec::new(),
            unproved: 0,
            objections: Vec::new(),
            seq: v.get("seq").and_then(Value::int).unwrap_or(0),
            sub,
        };
        for row in v.get("tokens").map_or(&[][..], Value::items) {
            let text = row.get("token").and_then(Value::text).unwrap_or_default();
            let at = row.get("at").and_then(Value::int).unwrap_or(now);
            let moment = Moment {
                now,
                receipt: Some(at),
            };
            let opened = open(text, &OWN, keys, moment);
            let own = opened.ok().filter(|t| t.text("sub") == mine.sub);
            let Some(token) = own else {
                mine.unproved += usize::from(is_told(text));
                mine.objections.extend(of_desk(text, &mine.sub));
                continue;
            };
            if token.typ == Typ::Objection {
                mine.objections.extend(Objected::of(&token.claims));
            }
            let ended = row.get("ended").is_some_and(Value::is_true);
            let ended_at = row.get("endedAt").and_then(Value::int);
            let annex = row.get("annex").and_then(Value::text);
            mine.given.push(Given {
                token,
                text: text.to_owned(),
                at,
                ended: ended.then(|| ended_at.unwrap_or(0)),
                annex: annex.and_then(b64::decode),
                receipt: row.get("receipt").and_then(Value::text).map(str::to_owned),
            });
        }
        Some(mine)
    }

    /// Recipients of grants that open data now, each once.
    pub fn recipients(&self, now: u64) -> BTreeSet<String> {
        self.open(now).flat_map(|g| g.list("aud")).collect()
    }

    /// Grants that open data now.
    pub fn open(&self, now: u64) -> impl Iterator<Item = &Given> {
        self.given.iter().filter(move |g| g.is_open(now))
    }

    /// The token of that id.
    pub fn find(&self, jti: &str) -> Option<&Given> {
        self.given.iter().find(|g| g.jti() == jti)
    }
}

/// The public files that names and texts are made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Books {
    /// Purposes, categories, ceilings.
    pub policy: Policy,
    /// Facilities.
    pub master: Master,
}

impl Books {
    /// Categories that are decided together.
    pub fn general(&self) -> Vec<String> {
        let single = self.policy.category_codes(self.policy.individual());
        let all = self.policy.categories().iter().map(|c| c.code.clone());
        all.filter(|c| !single.contains(c)).collect()
    }

    /// Whether people can be told who that is.
    pub fn has(&self, code: &str) -> bool {
        code == "mi:*" || self.master.has(code)
    }
}

/// Reads a policy file.
pub fn policy(body: &str) -> Option<Policy> {
    Policy::read(body.as_bytes()).ok()
}

/// Reads the master of facilities.
pub fn master(body: &str) -> Option<Master> {
    Master::read(body.as_bytes())
}

/// Claims of a request token that the server minted for this session.
pub fn request_claims(token: &str) -> Option<Value> {
    let (typ, claims) = warifu_consent::peek(token).ok()?;
    (typ == Typ::Request).then_some(claims)
}

/// A JSON answer.
pub fn answer(body: &str) -> Option<Value> {
    json::read(body.as_bytes(), 12).ok()
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]
mod tests {
    use warifu_consent::{SecretKey, Signer as _, make};

    use super::*;

    const SUB: &str = "s1.EBESExQVFhcYGRobHB0eHw";
    const NOW: u64 = 1_800_000_000;

    fn id(n: u8) -> String {
        b64::encode(&[n; 16])
    }

    fn key(n: u8) -> SecretKey {
        SecretKey::from_seed(&mut [n; 32])
    }

    fn keys(state: &str, at: u64) -> Keys {
        let key = key(1).public();
        let row = object([
            ("kid", key.thumbprint().into()),
            ("x", key.x().into()),
            ("since", 1_u64.into()),
            ("state", state.into()),
            ("at", at.into()),
        ]);
        Keys::read(&object([("keys", Value::Array(vec![row]))]))
    }

    fn revoke(by: bool) -> String {
        let mut claims = object([
            ("sub", SUB.into()),
            ("iat", (NOW - 100).into()),
            ("jti", id(1).into()),
            ("rev", id(2).into()),
            ("rsn", "withdrawn".into()),
        ]);
        if let (Value::Object(members), true) = (&mut claims, by) {
            members.insert("by".to_owned(), "registry".into());
        }
        make(Typ::Revoke, claims, &key(if by { 2 } else { 1 })).unwrap()
    }

    fn emergency() -> String {
        let claims = object([
            ("sub", SUB.into()),
            ("rsn", "life".into()),
            ("idm", "four".into()),
            ("iat", NOW.into()),
            ("exp", (NOW + 300).into()),
            ("jti", id(3).into()),
            ("per", object([("role", "physician".into())])),
        ]);
        make(Typ::BreakGlass, claims, &key(3)).unwrap()
    }

    fn mine(keys: &Keys, tokens: &[String]) -> Mine {
        let rows = tokens.iter().map(|t| {
            object([
                ("token", t.as_str().into()),
                ("at", (NOW - 90).into()),
                ("ended", false.into()),
            ])
        });
        let body = object([
            ("sub", SUB.into()),
            ("tokens", Value::Array(rows.collect())),
        ]);
        Mine::read(&body, keys, NOW).unwrap()
    }

    #[test]
    fn names_that_are_not_in_nfc_are_read_as_they_are() {
        let bundle = "{\"family\":\"\u{fa19}\u{f9dc}\"}";
        let body = object([("bundle", bundle.into()), ("next", "500".into())]).write();
        // The reader of tokens refuses them.
        assert_eq!(answer(&body), None);
        assert_eq!(
            page(&body),
            Some(Page {
                bundle: bundle.to_owned(),
                sources: Vec::new(),
                next: Some("500".to_owned()),
            })
        );
        let one = |sources: &[(&str, &str)]| Page {
            bundle: "{}".to_owned(),
            sources: sources
                .iter()
                .map(|(k, s)| ((*k).to_owned(), (*s).to_owned()))
                .collect(),
            next: None,
        };
        assert_eq!(page(r#"{"bundle":"{}"}"#), Some(one(&[])));
        let from = r#"{"bundle":"{}","sources":[{"src":"mi:1","of":["A/1","B/2"]},{"src":"mi:2","of":[]}]}"#;
        assert_eq!(page(from), Some(one(&[("A/1", "mi:1"), ("B/2", "mi:1")])));
        let null = r#"{"bundle":"{}","next":null}"#;
        assert_eq!(page(null), Some(one(&[])));
        for none in [
            "",
            "{}",
            r#"{"bundle":{}}"#,
            r#"{"bundle":"{}","next":500}"#,
        ] {
            assert_eq!(page(none), None, "{none}");
        }
    }

    #[test]
    fn what_others_sign_is_not_a_consent_that_could_not_be_confirmed() {
        let keys = keys("active", 0);
        let all = mine(&keys, &[revoke(false), revoke(true), emergency()]);
        assert_eq!((all.given.len(), all.unproved), (1, 0));
        // One of the person's own that was changed is told, and so is what is none at all.
        let changed = revoke(false).replace('.', "..");
        let all = mine(&Keys::default(), &[revoke(false), changed, String::new()]);
        assert_eq!((all.given.len(), all.unproved), (0, 3));
    }

    #[test]
    fn a_key_that_was_stopped_counts_for_what_was_received_before() {
        let before = keys("compromised", NOW - 80);
        assert_eq!(mine(&before, &[revoke(false)]).given.len(), 1);
        let after = keys("compromised", NOW - 90);
        let all = mine(&after, &[revoke(false)]);
        assert_eq!((all.given.len(), all.unproved), (0, 1));
        assert!(!after.covers(&after.0[0].kid, NOW));
        // A state that is not known is no key.
        assert!(keys("other", 0).0.is_empty());
    }
}
