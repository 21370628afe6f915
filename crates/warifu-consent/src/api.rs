//! The library over text, for wasm and other languages: JSON in, JSON out, nothing panics.
//!
//! Refusals are answers, `{"ok":false,"reason",…}`; what cannot be read at all is [`ApiError`]. The
//! forms of states, requests, items and decisions are those of [`wire`].

use std::collections::BTreeMap;

use crate::accept::{
    Binding, Desk, Ledger, Parent, SKEW, StatusNow, Target, bind_text, check_offline, text_of,
};
use crate::annex::Annex;
use crate::b64;
use crate::claims::{SignerClass, Typ};
use crate::decide::{Origin, Request, State, Told};
use crate::explain::explain;
use crate::filter::{Facts, FilterError, Knowledge, filter};
use crate::json::{self, Value, object};
use crate::jws::{Draft, KeyEntry, KeyRing, KeyState, Moment, Opened, open};
use crate::key::PublicKey;
use crate::policy::{Policy, REFERENCE};
use crate::reason::{Lang, Reason, Refusal};
use crate::status::StatusList;
use crate::text::{Master, TEXT_VERSION, family, render, text_hash, text_salt};
use crate::wire::{self, WireError};

/// Why there is no answer: the caller gave something that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ApiError(pub String);

fn wrong(what: &str) -> ApiError {
    ApiError(format!("{what} is missing or is not what it should be"))
}

impl From<WireError> for ApiError {
    fn from(error: WireError) -> Self {
        wrong(error.0)
    }
}

fn read(what: &str, text: &str) -> Result<Value, ApiError> {
    json::read(text.as_bytes(), 12).map_err(|_| wrong(what))
}

fn text<'v>(v: &'v Value, name: &str) -> Option<&'v str> {
    v.get(name).and_then(Value::text)
}

/// The library with one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    policy: Policy,
}

impl Api {
    /// With this policy file, or the reference policy.
    ///
    /// # Errors
    /// The member of the policy to blame.
    pub fn new(policy: Option<&str>) -> Result<Self, ApiError> {
        let policy = Policy::read(policy.unwrap_or(REFERENCE).as_bytes());
        let policy = policy.map_err(|e| ApiError(e.to_string()))?;
        Ok(Self { policy })
    }

    /// Verifies a token: steps 1–12, and that it holds at `now` (`EXPIRED`, `NOT_YET`); with `receipt`,
    /// when the log received it, it is an old token that is looked at, and its times are not judged.
    /// With `bindings` in the context also 13, 14, 17 and 21 as for a grant shown offline (§6.3); with an
    /// annex also 18, with a master also 19.
    ///
    /// Context: `{"now","receipt"?,"typ":[…],"keys":[{"class","x","state"?,"at"?}],"bindings"?:[token…],
    /// "lists"?:[{"uri","token"}…],"lang"?}`.
    ///
    /// # Errors
    /// [`ApiError`] for a context that is none.
    pub fn verify(
        &self,
        context: &str,
        token: &str,
        annex: Option<&[u8]>,
        master: Option<&[u8]>,
    ) -> Result<String, ApiError> {
        let context = read("context", context)?;
        let lang = text(&context, "lang").and_then(Lang::from_name);
        let lang = lang.unwrap_or(Lang::Ja);
        let master = master
            .map(|m| Master::read(m).ok_or_else(|| wrong("master")))
            .transpose()?;
        let verdict = self.judge(&context, token, annex, master.as_ref())?;
        Ok(match verdict {
            Ok((token, status)) => object([
                ("ok", true.into()),
                ("typ", token.typ.wire().into()),
                ("kid", token.kid.as_str().into()),
                ("hash", token.hash.as_str().into()),
                ("claims", token.claims),
                ("stale", (status == StatusNow::Stale).into()),
            ]),
            Err(refusal) => refused(&refusal, lang),
        }
        .write())
    }

    fn judge(
        &self,
        context: &Value,
        token: &str,
        annex: Option<&[u8]>,
        master: Option<&Master>,
    ) -> Result<Result<(Opened, StatusNow), Refusal>, ApiError> {
        let now = context.get("now").and_then(Value::int);
        let now = now.ok_or_else(|| wrong("now"))?;
        let keys = Keys::read(context)?;
        let types: Vec<Typ> = match context.get("typ") {
            None => Typ::ALL.to_vec(),
            Some(names) => names
                .texts()
                .map(|n| Typ::from_wire(n).ok_or_else(|| wrong("typ")))
                .collect::<Result<_, _>>()?,
        };
        let moment = Moment {
            now,
            receipt: context.get("receipt").and_then(Value::int),
        };
        let opened = match context.get("bindings") {
            None => open(token, &types, &keys, moment).map(|t| (t, StatusNow::Valid)),
            Some(bindings) => {
                let Some(master) = master else {
                    return Err(wrong("master"));
                };
                let shown = Shown::read(&self.policy, &keys, context, bindings, now);
                let shown = match shown {
                    Ok(shown) => shown,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                let desk = Desk {
                    keys: &keys,
                    ledger: &shown,
                    policy: &self.policy,
                    master,
                    now,
                    endpoint: None,
                };
                check_offline(&desk, token, &types)
            }
        };
        Ok(opened.and_then(|(token, status)| {
            // What the log received in its time is judged as of then (the key, above).
            if moment.receipt.is_none() {
                in_force(&token, now)?;
            }
            self.shown(&token, annex, master)?;
            Ok((token, status))
        }))
    }

    /// Steps 18 and 19, as far as annex and master are at hand.
    fn shown(
        &self,
        token: &Opened,
        annex: Option<&[u8]>,
        master: Option<&Master>,
    ) -> Result<(), Refusal> {
        let annex = match annex {
            Some(bytes) if token.typ == Typ::Grant => {
                Some(Annex::read(bytes, token.text("anx")).map_err(|r| r.of("anx"))?)
            }
            _ => None,
        };
        let bound = match token.typ {
            Typ::Grant => annex.is_some(),
            Typ::Deny | Typ::Objection => true,
            Typ::Revoke => token.claims.get("txt").is_some(),
            _ => false,
        };
        let Some(master) = master.filter(|_| bound) else {
            return Ok(());
        };
        let shown = render(
            &self.policy,
            master,
            token.typ,
            &token.claims,
            annex.as_ref(),
        )
        .map_err(|r| r.of("txt"))?;
        let salt = text_salt(&token.claims, annex.as_ref());
        let salt = salt.ok_or(Reason::TextUnknown.of("txt"))?;
        let signed = token.claims.get("txt").and_then(|t| text(t, "h"));
        if signed == Some(&text_hash(&salt, &shown)) {
            Ok(())
        } else {
            Err(Reason::TextMismatch.of("txt"))
        }
    }

    /// Decides `{"state","request","item","lang"?}`: the decision with its chain and sentence.
    ///
    /// # Errors
    /// [`ApiError`]: what is not understood is not decided.
    pub fn decide(&self, case: &str) -> Result<String, ApiError> {
        let case = read("case", case)?;
        let (state, request) = self.asked(&case)?;
        let item = case.get("item").ok_or_else(|| wrong("item"))?;
        let item = wire::read_item(&self.policy, item)?;
        let lang = text(&case, "lang").and_then(Lang::from_name);
        let told = explain(&state, &request, &item, lang.unwrap_or(Lang::Ja));
        let mut value = wire::decision_value(&told.decision);
        if let Value::Object(members) = &mut value {
            members.insert("chain".to_owned(), told.chain.into());
            let sentence = told.sentence.map_or(Value::Null, Value::from);
            members.insert("sentence".to_owned(), sentence);
        }
        Ok(value.write())
    }

    fn asked(&self, case: &Value) -> Result<(State<'_>, Request), ApiError> {
        let state = case.get("state").ok_or_else(|| wrong("state"))?;
        let request = case.get("request").ok_or_else(|| wrong("request"))?;
        Ok((
            wire::read_state(&self.policy, state)?,
            wire::read_request(&self.policy, request)?,
        ))
    }

    /// Text to show for claims, and the claims to sign: `{"ok","text","hash","claims"}`.
    ///
    /// `txt` of the claims is made here, by the family of the claims, the newest templates, `lang`,
    /// and the version of the master; `anx` by the annex.
    ///
    /// # Errors
    /// [`ApiError`] for a type, claims, annex or master that are none; refusals are answers.
    pub fn render(
        &self,
        typ: &str,
        lang: &str,
        claims: &str,
        annex: Option<&[u8]>,
        master: &[u8],
    ) -> Result<String, ApiError> {
        let typ = Typ::from_wire(typ).ok_or_else(|| wrong("typ"))?;
        let lang = Lang::from_name(lang).ok_or_else(|| wrong("lang"))?;
        let mut claims = read("claims", claims)?;
        let annex = annex
            .map(|a| Annex::parse(a).ok_or_else(|| wrong("annex")))
            .transpose()?;
        let master = Master::read(master).ok_or_else(|| wrong("master"))?;
        let id = match typ {
            Typ::Grant => text_of(&self.policy, typ, &claims).map(|(id, _)| id),
            _ => family(&self.policy, typ, &claims),
        };
        let id = match id {
            Ok(id) => id,
            Err(reason) => return Ok(refused(&reason.of("txt"), lang).write()),
        };
        if let Value::Object(members) = &mut claims {
            let shown = object([
                ("id", id.into()),
                ("ver", TEXT_VERSION.into()),
                ("lang", lang.name().into()),
                ("m", master.version.into()),
                ("h", "".into()),
            ]);
            members.insert("txt".to_owned(), shown);
        }
        let bound = bind_text(&self.policy, &master, typ, claims, annex.as_ref());
        Ok(match bound {
            Err(refusal) => refused(&refusal, lang),
            Ok((claims, shown)) => {
                let hash = claims
                    .get("txt")
                    .and_then(|t| text(t, "h"))
                    .unwrap_or_default();
                object([
                    ("ok", true.into()),
                    ("text", shown.into()),
                    ("hash", hash.into()),
                    ("claims", claims.clone()),
                ])
            }
        }
        .write())
    }

    /// Filters a Bundle; `input` is `{"state","request","facts","perResource"?}`, facts
    /// `{"src","origin"?,"told"?,"recorded"?}`, of single resources under `Type/id`.
    ///
    /// Answers the Bundle, and `{"categories","grants","obligations","withheld"}`.
    ///
    /// # Errors
    /// [`ApiError`]: nothing may go out.
    pub fn filter(&self, bundle: &[u8], input: &str) -> Result<(Vec<u8>, String), ApiError> {
        let input = read("input", input)?;
        let (state, request) = self.asked(&input)?;
        let all = facts(input.get("facts").ok_or_else(|| wrong("facts"))?)?;
        let mut own = BTreeMap::new();
        for (name, value) in input
            .get("perResource")
            .and_then(Value::members)
            .into_iter()
            .flatten()
        {
            own.insert(name.clone(), facts(value)?);
        }
        let done = filter(bundle, &state, &request, &Holder { all, own });
        let done = done.map_err(|e: FilterError| ApiError(e.to_string()))?;
        let summary = object([
            ("categories", done.cats.into()),
            ("grants", done.grants.into()),
            ("obligations", done.obligations.into()),
            ("withheld", wire::withheld_value(&done.withheld)),
        ]);
        Ok((done.bytes, summary.write()))
    }
}

fn refused(refusal: &Refusal, lang: Lang) -> Value {
    let reason = refusal.reason;
    let mut value = object([
        ("ok", false.into()),
        ("reason", reason.wire().into()),
        ("step", u64::from(reason.step()).into()),
        ("text", reason.sentence(lang).into()),
    ]);
    if let (Value::Object(members), Some(claim)) = (&mut value, refusal.claim) {
        members.insert("claim".to_owned(), claim.into());
    }
    value
}

/// What a key elsewhere (WebCrypto) has to sign for these claims: `{"ok","input"}`; `x` is its
/// public key.
///
/// # Errors
/// [`ApiError`] for a type, claims or key that are none.
pub fn signing_input(typ: &str, claims: &str, x: &str) -> Result<String, ApiError> {
    Ok(match draft(typ, claims, x)? {
        Err(refusal) => refused(&refusal, Lang::En),
        Ok(draft) => {
            let input = String::from_utf8_lossy(draft.signing_input()).into_owned();
            object([("ok", true.into()), ("input", input.into())])
        }
    }
    .write())
}

/// The token, once the key elsewhere signed: `{"ok","token"}`; a signature that does not hold is `SIG`.
///
/// # Errors
/// As [`signing_input`].
pub fn join(typ: &str, claims: &str, x: &str, signature: &[u8]) -> Result<String, ApiError> {
    let signature: &[u8; 64] = signature.try_into().map_err(|_| wrong("signature"))?;
    let token = draft(typ, claims, x)?.and_then(|d| d.finish(signature));
    Ok(match token {
        Err(refusal) => refused(&refusal, Lang::En),
        Ok(token) => object([("ok", true.into()), ("token", token.into())]),
    }
    .write())
}

fn draft(typ: &str, claims: &str, x: &str) -> Result<Result<Draft, Refusal>, ApiError> {
    let typ = Typ::from_wire(typ).ok_or_else(|| wrong("typ"))?;
    let key = PublicKey::from_x(x).map_err(|e| ApiError(e.to_string()))?;
    Ok(Draft::new(typ, read("claims", claims)?, &key))
}

/// Thumbprint of a public key: `kid`.
///
/// # Errors
/// [`ApiError`] for a key that is none, or is weak.
pub fn thumbprint(x: &str) -> Result<String, ApiError> {
    let key = PublicKey::from_x(x).map_err(|e| ApiError(e.to_string()))?;
    Ok(key.thumbprint())
}

/// Bytes of an annex from `{"salt","src"?,"res"?,"lbl"?,"wid"?}`; `salt` is 16 random bytes in base64url.
///
/// # Errors
/// [`ApiError`] for a salt that is none.
pub fn annex(parts: &str) -> Result<Vec<u8>, ApiError> {
    let v = read("annex", parts)?;
    let salt = text(&v, "salt").and_then(b64::decode_array);
    let list = |name: &str| {
        let texts = v.get(name).map(|l| l.texts().map(str::to_owned).collect());
        texts.unwrap_or_default()
    };
    let annex = Annex {
        salt: salt.ok_or_else(|| wrong("salt"))?,
        src: list("src"),
        res: list("res"),
        lbl: list("lbl"),
        wid: list("wid"),
    };
    Ok(annex.to_bytes())
}

fn facts(v: &Value) -> Result<Facts, ApiError> {
    let named = |name: &str| text(v, name);
    Ok(Facts {
        src: named("src").ok_or_else(|| wrong("src"))?.to_owned(),
        origin: match named("origin") {
            None => Origin::Ehr,
            Some(name) => wire::origin(name).ok_or_else(|| wrong("origin"))?,
        },
        recorded: v.get("recorded").and_then(Value::int),
        told: match named("told") {
            None => Told::Unknown,
            Some(name) => wire::told(name).ok_or_else(|| wrong("told"))?,
        },
    })
}

struct Holder {
    all: Facts,
    own: BTreeMap<String, Facts>,
}

impl Knowledge for Holder {
    fn facts(&self, kind: &str, id: &str) -> Facts {
        let own = self.own.get(&format!("{kind}/{id}"));
        own.unwrap_or(&self.all).clone()
    }
}

/// Keys of the context.
struct Keys(Vec<(SignerClass, String, KeyEntry)>);

impl Keys {
    fn read(context: &Value) -> Result<Self, ApiError> {
        let rows = context.get("keys").ok_or_else(|| wrong("keys"))?;
        let rows = rows.items().iter().map(|row| {
            let class = SignerClass::from_name(text(row, "class")?)?;
            let bytes = b64::decode_array(text(row, "x")?)?;
            let at = row.get("at").and_then(Value::int).unwrap_or(0);
            let state = match text(row, "state") {
                None => KeyState::Active,
                Some(name) => wire::key_state(name, at)?,
            };
            let kid = object([
                ("crv", "Ed25519".into()),
                ("kty", "OKP".into()),
                ("x", text(row, "x")?.into()),
            ]);
            // By its members, so that a weak key is found and refused as one.
            let kid = crate::hash::sha256_text(&[kid.write().as_bytes()]);
            Some((class, kid, KeyEntry { bytes, state }))
        });
        let rows: Option<Vec<_>> = rows.collect();
        rows.map(Self).ok_or_else(|| wrong("keys"))
    }
}

impl KeyRing for Keys {
    fn find(&self, class: SignerClass, kid: &str) -> Option<KeyEntry> {
        let mut all = self.0.iter();
        let found = all.find(|(c, k, _)| *c == class && k == kid)?;
        Some(found.2.clone())
    }
}

/// What was shown with a grant offline: bindings and status lists.
/// Whether the token holds at this instant: what it opens is not open before `nbf` nor from `exp` on.
fn in_force(token: &Opened, now: u64) -> Result<(), Refusal> {
    if token.int("nbf").is_some_and(|nbf| nbf > now + SKEW) {
        return Err(Reason::NotYet.of("nbf"));
    }
    if token.int("exp").is_some_and(|exp| exp <= now) {
        return Err(Reason::Expired.of("exp"));
    }
    Ok(())
}

struct Shown<'a> {
    policy: &'a Policy,
    now: u64,
    bindings: Vec<Binding>,
    lists: Vec<StatusList>,
}

impl<'a> Shown<'a> {
    fn read(
        policy: &'a Policy,
        keys: &Keys,
        context: &Value,
        bindings: &Value,
        now: u64,
    ) -> Result<Self, Refusal> {
        let mut shown = Self {
            policy,
            now,
            bindings: Vec::new(),
            lists: Vec::new(),
        };
        for token in bindings.texts() {
            let token = open(token, &[Typ::Key], keys, Moment::now(now))?;
            shown.bindings.extend(Binding::from_token(&token));
        }
        for list in context.get("lists").map_or(&[][..], Value::items) {
            let (uri, token) = (text(list, "uri"), text(list, "token"));
            let (uri, token) = (uri.unwrap_or_default(), token.unwrap_or_default());
            // A list that cannot be used is as good as none.
            shown
                .lists
                .extend(StatusList::read(token, uri, keys, now, None));
        }
        Ok(shown)
    }
}

/// Nothing but bindings and status is asked of what was shown offline.
impl Ledger for Shown<'_> {
    fn bindings(&self, kid: &str) -> Vec<Binding> {
        let own = self.bindings.iter().filter(|b| b.kid == kid);
        own.cloned().collect()
    }
    fn accepted(&self, _: &str, _: &str) -> bool {
        false
    }
    fn nonce_open(&self, _: &str) -> bool {
        false
    }
    fn seen(&self, _: &str) -> bool {
        false
    }
    fn target(&self, _: &str) -> Option<Target> {
        None
    }
    fn last_seq(&self, _: &str) -> Option<u64> {
        None
    }
    fn issued(&self, _: &str) -> Option<(u64, String)> {
        None
    }
    fn status(&self, _: &str, status: Option<(u64, &str)>) -> StatusNow {
        let Some((idx, uri)) = status else {
            return StatusNow::Valid;
        };
        let list = self.lists.iter().find(|l| l.uri == uri);
        let state = list.and_then(|l| l.state(idx, self.policy, self.now).ok());
        state.unwrap_or(StatusNow::Unavailable)
    }
    fn grant(&self, _: &str) -> Option<Parent> {
        None
    }
    fn institution(&self, _: &str) -> Option<String> {
        None
    }
}
