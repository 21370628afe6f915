//! What the server keeps of one person: tokens, waiting requests, keys, policy and master. Tokens are
//! verified here again, each time they are read.

use warifu_consent::json::{self, Value};
use warifu_consent::{
    KeyEntry, KeyRing, KeyState, Master, Moment, Opened, Policy, PublicKey, SignerClass, Typ, b64,
    open,
};

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
            })
        });
        Self(rows.collect())
    }
}

/// All keys count as active here: whether one may still open data is the decision's to say.
impl KeyRing for Keys {
    fn find(&self, class: SignerClass, kid: &str) -> Option<KeyEntry> {
        let key = self.0.iter().find(|k| k.kid == kid)?;
        if class != SignerClass::Patient {
            return None;
        }
        Some(KeyEntry {
            bytes: PublicKey::from_x(&key.x).ok()?.to_bytes(),
            state: KeyState::Active,
        })
    }
}

/// A waiting request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its id.
    pub req: String,
    /// What it was asked together with.
    pub group: String,
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

/// Reads `{"requests": […]}`.
pub fn waiting(v: &Value) -> Vec<Waiting> {
    let rows = v.get("requests").map_or(&[][..], Value::items);
    let rows = rows.iter().filter_map(|w| {
        Some(Waiting {
            req: w.get("req")?.text()?.to_owned(),
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
    rows.collect()
}

/// A page of `POST /disclose`: the Bundle, and what asks for the next page.
pub fn page(v: &Value) -> Option<(String, Option<String>)> {
    let bundle = v.get("bundle")?.text()?.to_owned();
    Some((
        bundle,
        v.get("next").and_then(Value::text).map(str::to_owned),
    ))
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
    /// Its `jti`.
    pub fn jti(&self) -> &str {
        self.token.text("jti")
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
    /// How many could not be verified.
    pub unproved: usize,
}

impl Mine {
    /// Reads and verifies.
    pub fn read(v: &Value, keys: &Keys, now: u64) -> Option<Self> {
        let sub = v.get("sub")?.text()?.to_owned();
        let mut mine = Self {
            given: Vec::new(),
            unproved: 0,
            sub,
        };
        for row in v.get("tokens").map_or(&[][..], Value::items) {
            let text = row.get("token").and_then(Value::text).unwrap_or_default();
            let types = [Typ::Grant, Typ::Deny, Typ::Objection, Typ::Revoke];
            let opened = open(text, &types, keys, Moment::now(now));
            let own = opened.ok().filter(|t| t.text("sub") == mine.sub);
            let Some(token) = own else {
                mine.unproved += 1;
                continue;
            };
            let ended = row.get("ended").is_some_and(Value::is_true);
            let ended_at = row.get("endedAt").and_then(Value::int);
            let annex = row.get("annex").and_then(Value::text);
            mine.given.push(Given {
                token,
                text: text.to_owned(),
                at: row.get("at").and_then(Value::int).unwrap_or(0),
                ended: ended.then(|| ended_at.unwrap_or(0)),
                annex: annex.and_then(b64::decode),
                receipt: row.get("receipt").and_then(Value::text).map(str::to_owned),
            });
        }
        Some(mine)
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
