//! The library over text, for wasm and other languages: JSON in, JSON out, nothing panics.
//!
//! Refusals are answers, `{"ok":false,"reason",…}`; what cannot be read at all is [`ApiError`]. The
//! forms of states, requests, items and decisions are those of [`wire`].

use std::cell::RefCell;

use warifu_order::Map;

use crate::accept::{
    Binding, Desk, Ledger, Parent, SKEW, StatusNow, Target, bind_text, check_offline, text_of,
    unfit_for,
};
use crate::annex::Annex;
use crate::b64;
use crate::claims::{SignerClass, Typ};
use crate::decide::{Notice, Origin, Request, State, Told};
use crate::explain::explain;
use crate::filter::{Facts, FilterError, Knowledge, filter};
use crate::json::{self, Value, object};
use crate::jws::{Draft, KeyEntry, KeyRing, KeyState, Moment, Opened, open};
use crate::key::{KeyError, PublicKey};
use crate::policy::{Policy, REFERENCE};
use crate::reason::{Lang, Reason, Refusal};
use crate::status::StatusList;
use crate::store::{Kept, state_of};
use crate::text::{Master, family, render, text_hash, text_salt};
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

/// A key as it stands in a context, with its thumbprint.
type Decoded = (String, Result<PublicKey, KeyError>);

/// Keys that are remembered: decoding one takes an eighth of a verification.
const KEYS: usize = 64;

/// The library with one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    policy: Policy,
    /// Keys that contexts had, by `x`: what they are follows from it alone.
    decoded: RefCell<Vec<(String, Decoded)>>,
}

impl Api {
    /// With this policy file, or the reference policy.
    ///
    /// # Errors
    /// The member of the policy to blame.
    pub fn new(policy: Option<&str>) -> Result<Self, ApiError> {
        let policy = Policy::read(policy.unwrap_or(REFERENCE).as_bytes());
        let policy = policy.map_err(|e| ApiError(e.to_string()))?;
        let decoded = RefCell::default();
        Ok(Self { policy, decoded })
    }

    /// A key by its `x`.
    fn key(&self, x: &str) -> Option<Decoded> {
        let mut decoded = self.decoded.borrow_mut();
        if let Some((_, found)) = decoded.iter().find(|(own, _)| own == x) {
            return Some(found.clone());
        }
        let key = PublicKey::from_bytes(&b64::decode_array(x)?);
        // By its members, so that a weak key is found and refused as one.
        let kid = object([
            ("crv", "Ed25519".into()),
            ("kty", "OKP".into()),
            ("x", x.into()),
        ]);
        let found = (crate::hash::sha256_text(&[kid.write().as_bytes()]), key);
        if decoded.len() == KEYS {
            decoded.clear();
        }
        decoded.push((x.to_owned(), found.clone()));
        Some(found)
    }

    /// Verifies a token: steps 1–12, and that it holds at `now` (`EXPIRED`, `NOT_YET`); with `receipt`,
    /// when the log received it, it is an old token that is looked at, and its times are not judged.
    /// Step 17 runs by the policy, with a master also by that. Of 13 it is judged whether a patient's key
    /// signs for `sub` where the key says for whom it does. With `bindings` in the context also 13, 14 and 21
    /// as for a grant shown offline (§6.3); with an annex also 18, with a master also 19.
    ///
    /// Context: `{"now","receipt"?,"typ":[…],"keys":[{"class","x","state"?,"at"?,"sub"?}],
    /// "bindings"?:[token…],"lists"?:[{"uri","token"}…],"lang"?}`.
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
        let keys = Keys::read(self, context)?;
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
            keys.signs_for(&token, false)?;
            // What the log received in its time is judged as of then (the key, above).
            if moment.receipt.is_none() {
                in_force(&token, now)?;
            }
            self.fit(&token, master)?;
            self.shown(&token, annex, master)?;
            Ok((token, status))
        }))
    }

    /// Step 17, of what was shown in the texts in force: earlier ones had other lists.
    fn fit(&self, token: &Opened, master: Option<&Master>) -> Result<(), Refusal> {
        let shown = token.claims.get("txt").and_then(|t| t.get("ver")?.int());
        let earlier = shown.is_some_and(|ver| ver < self.policy.texts);
        if !matches!(token.typ, Typ::Grant | Typ::Deny) || earlier {
            return Ok(());
        }
        let found = unfit_for(&self.policy, master, token.typ, &token.claims);
        found.map_or(Ok(()), |bad| Err(bad.refusal))
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

    /// Decides `{"state","request","item","lang"?,"master"?}`: the decision with its chain and sentence.
    ///
    /// # Errors
    /// [`ApiError`]: what is not understood is not decided.
    pub fn decide(&self, case: &str) -> Result<String, ApiError> {
        let case = read("case", case)?;
        let (state, request) = self.asked(&case)?;
        let item = case.get("item").ok_or_else(|| wrong("item"))?;
        let item = wire::read_item(&self.policy, item)?;
        let lang = text(&case, "lang").and_then(Lang::from_name);
        let master = case
            .get("master")
            .map(|m| Master::read(m.write().as_bytes()).ok_or_else(|| wrong("master")))
            .transpose()?;
        let lang = lang.unwrap_or(Lang::Ja);
        let told = explain(&state, &request, &item, master.as_ref(), lang);
        let mut value = wire::decision_value(&told.decision);
        if let Value::Object(members) = &mut value {
            members.insert("chain".to_owned(), told.chain.into());
            let sentence = told.sentence.map_or(Value::Null, Value::from);
            members.insert("sentence".to_owned(), sentence);
        }
        Ok(value.write())
    }

    /// The state of one person from tokens that a store accepted: `{"sub","now","keys","tokens":
    /// [{"token","received","annex"?,"used"?,"age"?}…],"notices"?}`; keys as for [`Self::verify`], an
    /// institution's with its `code`, a patient's with the `sub` that it signs for; `annex` in base64url; `received` is the time of the log line.
    /// Answers `{"ok":true,"state"}`.
    ///
    /// A token that does not open (steps 1–12), one that a patient's key signed for somebody else (13), one
    /// that may not say what it says (17), or a grant whose annex does not open, is a refusal with its place: of a
    /// state that lacks a wish nothing may be decided.
    ///
    /// # Errors
    /// [`ApiError`] for an input that is none.
    pub fn state(&self, input: &str) -> Result<String, ApiError> {
        let input = read("input", input)?;
        let now = input.get("now").and_then(Value::int);
        let now = now.ok_or_else(|| wrong("now"))?;
        let sub = text(&input, "sub").ok_or_else(|| wrong("sub"))?;
        let keys = Keys::read(self, &input)?;
        let mut kept = Vec::new();
        let rows = input.get("tokens").ok_or_else(|| wrong("tokens"))?;
        for (row, at) in rows.items().iter().zip(0_u64..) {
            let int = |name: &str| row.get(name).and_then(Value::int);
            let received = int("received").ok_or_else(|| wrong("received"))?;
            let moment = Moment {
                now,
                receipt: Some(received),
            };
            let token = text(row, "token").unwrap_or_default();
            let opened = open(token, Typ::ALL, &keys.active(), moment).and_then(|t| {
                keys.signs_for(&t, true)?;
                self.fit(&t, None)?;
                let bytes = text(row, "annex").and_then(b64::decode);
                let annex = match (t.typ, bytes) {
                    (Typ::Grant, Some(b)) => {
                        Some(Annex::read(&b, t.text("anx")).map_err(|r| r.of("anx"))?)
                    }
                    (Typ::Grant, None) => return Err(Reason::AnnexMissing.of("anx")),
                    _ => None,
                };
                Ok((t, annex))
            });
            let (token, annex) = match opened {
                Ok(opened) => opened,
                Err(refusal) => {
                    let mut answer = refused(&refusal, Lang::En);
                    if let Value::Object(members) = &mut answer {
                        members.insert("at".to_owned(), at.into());
                    }
                    return Ok(answer.write());
                }
            };
            kept.push(Kept {
                received,
                annex,
                used: int("used").unwrap_or(0),
                institution: keys.code(&token.kid),
                status_age: int("age"),
                token,
            });
        }
        let notices = input.get("notices").map_or(&[][..], Value::items).iter();
        let notices = notices.map(|n| {
            let (src, at) = (text(n, "src"), n.get("at").and_then(Value::int));
            let (src, at) = src.zip(at).ok_or_else(|| wrong("notices"))?;
            let src = src.to_owned();
            Ok(Notice { src, at })
        });
        let notices = notices.collect::<Result<_, ApiError>>()?;
        let state = state_of(&self.policy, sub, &kept, notices, keys.spent());
        Ok(object([("ok", true.into()), ("state", wire::state_value(&state))]).write())
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
                ("ver", self.policy.texts.into()),
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

    /// Filters a Bundle; `input` is `{"state","request","facts","perResource"?,"person"?,"allTold"?}`,
    /// facts `{"src","origin"?,"told"?,"recorded"?}`, of single resources under `Type/id`; `person` the
    /// ids of the Patients that are the person asked about.
    ///
    /// Answers the Bundle, and `{"categories","grants","obligations","withheld"}`.
    ///
    /// # Errors
    /// [`ApiError`]: nothing may go out.
    pub fn filter(&self, bundle: &[u8], input: &str) -> Result<(Vec<u8>, String), ApiError> {
        let input = read("input", input)?;
        let known = [
            "state",
            "request",
            "facts",
            "perResource",
            "person",
            "allTold",
        ];
        wire::closed(&input, "input", &known)?;
        let (state, request) = self.asked(&input)?;
        let all = facts(input.get("facts").ok_or_else(|| wrong("facts"))?)?;
        let mut own = Map::new();
        for (name, value) in input
            .get("perResource")
            .and_then(Value::members)
            .into_iter()
            .flatten()
        {
            let kind = name.split_once('/').map_or("", |(kind, _)| kind);
            if !self.policy.has_elements(kind) {
                return Err(wrong("perResource"));
            }
            own.insert(name.clone(), facts(value)?);
        }
        let person = input.get("person");
        let holder = Holder {
            all,
            own,
            person: person.map(|p| p.texts().map(str::to_owned).collect()),
            all_told: input.get("allTold").is_some_and(Value::is_true),
        };
        let done = filter(bundle, &state, &request, &holder);
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

/// Hash of a text as it was shown: `txt.h`; `salt` is 16 bytes in base64url.
///
/// # Errors
/// [`ApiError`] for a salt that is none.
pub fn shown_hash(salt: &str, shown: &str) -> Result<String, ApiError> {
    let salt = b64::decode_array(salt).ok_or_else(|| wrong("salt"))?;
    Ok(text_hash(&salt, shown))
}

/// Bytes of an annex from `{"salt","src"?,"res"?,"lbl"?,"wid"?}`; `salt` is 16 random bytes in base64url.
///
/// # Errors
/// [`ApiError`] for a salt that is none.
pub fn annex(parts: &str) -> Result<Vec<u8>, ApiError> {
    let v = read("annex", parts)?;
    // A slip in a name or a form would leave out nothing.
    wire::closed(&v, "annex", &["salt", "src", "res", "lbl", "wid"])?;
    let salt = text(&v, "salt").and_then(b64::decode_array);
    let list = |name: &'static str, fits: &dyn Fn(&str) -> bool| {
        let all = wire::list(&v, name)?;
        if all.iter().all(|text| fits(text)) {
            Ok(all)
        } else {
            Err(wrong(name))
        }
    };
    let is_key = |text: &str| {
        let id = text.strip_prefix("r.").and_then(b64::decode);
        id.is_some_and(|id| id.len() == 12)
    };
    let is_label = |text: &str| text.bytes().all(|b| b.is_ascii_uppercase()) && !text.is_empty();
    let is_facility = |text: &str| {
        text.split_once(':').is_some_and(|(kind, id)| {
            !id.is_empty() && !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_lowercase())
        })
    };
    let annex = Annex {
        salt: salt.ok_or_else(|| wrong("salt"))?,
        src: list("src", &is_facility)?,
        res: list("res", &is_key)?,
        lbl: list("lbl", &is_label)?,
        wid: list("wid", &is_key)?,
    };
    Ok(annex.to_bytes())
}

fn facts(v: &Value) -> Result<Facts, ApiError> {
    let named = |name: &str| text(v, name);
    wire::closed(v, "facts", &["src", "origin", "told", "recorded"])?;
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
    own: Map<String, Facts>,
    person: Option<Vec<String>>,
    all_told: bool,
}

impl Knowledge for Holder {
    fn facts(&self, kind: &str, id: &str) -> Facts {
        let own = self.own.get(&format!("{kind}/{id}"));
        own.unwrap_or(&self.all).clone()
    }
    fn is_person(&self, _: &str, id: &str) -> Option<bool> {
        let person = self.person.as_ref()?;
        Some(person.iter().any(|p| p == id))
    }
    fn all_told(&self) -> bool {
        self.all_told
    }
}

/// A key of the context.
struct Known {
    class: SignerClass,
    kid: String,
    entry: KeyEntry,
    code: Option<String>,
    /// The person that it signs for.
    sub: Option<String>,
}

/// Keys of the context.
struct Keys(Vec<Known>);

impl Keys {
    fn read(api: &Api, context: &Value) -> Result<Self, ApiError> {
        let rows = context.get("keys").ok_or_else(|| wrong("keys"))?;
        let rows = rows.items().iter().map(|row| {
            let class = SignerClass::from_name(text(row, "class")?)?;
            let (kid, key) = api.key(text(row, "x")?)?;
            let at = row.get("at").and_then(Value::int).unwrap_or(0);
            let state = match text(row, "state") {
                None => KeyState::Active,
                Some(name) => wire::key_state(name, at)?,
            };
            Some(Known {
                class,
                kid,
                entry: KeyEntry { key, state },
                code: text(row, "code").map(str::to_owned),
                sub: text(row, "sub").map(str::to_owned),
            })
        });
        let rows: Option<Vec<_>> = rows.collect();
        rows.map(Self).ok_or_else(|| wrong("keys"))
    }

    /// As if every key were in use: for tokens that were accepted when they were.
    fn active(&self) -> AsActive<'_> {
        AsActive(self)
    }

    /// Keys that are not simply active.
    fn spent(&self) -> Vec<(String, KeyState)> {
        let spent = self.0.iter().filter(|k| k.entry.state != KeyState::Active);
        spent.map(|k| (k.kid.clone(), k.entry.state)).collect()
    }

    /// Step 13, as far as the keys say it: a patient's key signs for its person. A proxy's stands there once
    /// for each person; one that does not say it signs for nobody where that is `needed`.
    fn signs_for(&self, token: &Opened, needed: bool) -> Result<(), Refusal> {
        let of_person = matches!(
            token.typ,
            Typ::Grant | Typ::Deny | Typ::Revoke | Typ::Objection
        );
        if token.class != SignerClass::Patient || !of_person {
            return Ok(());
        }
        let own = |k: &&Known| k.class == token.class && k.kid == token.kid;
        let mut said = self
            .0
            .iter()
            .filter(own)
            .filter_map(|k| k.sub.as_deref())
            .peekable();
        let unsaid = said.peek().is_none() && !needed;
        if unsaid || said.any(|sub| sub == token.text("sub")) {
            Ok(())
        } else {
            Err(Reason::Sub.of("sub"))
        }
    }

    /// Code of the institution whose key it is.
    fn code(&self, kid: &str) -> Option<String> {
        self.0.iter().find(|k| k.kid == kid)?.code.clone()
    }
}

struct AsActive<'a>(&'a Keys);

impl KeyRing for AsActive<'_> {
    fn find(&self, class: SignerClass, kid: &str) -> Option<KeyEntry> {
        let mut entry = self.0.find(class, kid)?;
        entry.state = KeyState::Active;
        Some(entry)
    }
}

impl KeyRing for Keys {
    fn find(&self, class: SignerClass, kid: &str) -> Option<KeyEntry> {
        let mut all = self.0.iter();
        let found = all.find(|k| k.class == class && k.kid == kid)?;
        Some(found.entry.clone())
    }
}

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

/// What was shown with a grant offline: bindings and status lists.
struct Shown<'a> {
    policy: &'a Policy,
    now: u64,
    bindings: Vec<Binding>,
    /// By address; one that cannot be used says why.
    lists: Vec<(String, Result<StatusList, Reason>)>,
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
            let list = StatusList::read(token, uri, keys, now, None);
            shown
                .lists
                .push((uri.to_owned(), list.map_err(|refusal| refusal.reason)));
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
        let mut lists = self.lists.iter().filter(|(of, _)| of == uri);
        // A list that cannot be used is as good as none.
        let state =
            lists.find_map(|(_, l)| l.as_ref().ok()?.state(idx, self.policy, self.now).ok());
        state.unwrap_or(StatusNow::Unavailable)
    }
    fn unusable(&self, (idx, uri): (u64, &str)) -> Option<Reason> {
        let lists = self.lists.iter().filter(|(of, _)| of == uri);
        let mut why = lists.filter_map(|(_, l)| match l {
            Ok(list) => list.ended(idx).err(),
            Err(reason) => Some(*reason),
        });
        why.find(|r| matches!(r, Reason::StatusList | Reason::StatusIndex))
    }
    fn grant(&self, _: &str) -> Option<Parent> {
        None
    }
    fn institution(&self, _: &str) -> Option<String> {
        None
    }
}
