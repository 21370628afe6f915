//! The closed JWS profile: making a token, and steps 1–12 of reading one (consent.md §2, §6.1).

use crate::b64;
use crate::claims::{self, SignerClass, Typ};
use crate::hash::sha256_text;
use crate::json::{self, JsonError, Value, object};
use crate::key::{KeyError, PublicKey, SignError, Signer};
use crate::reason::{Reason, Refusal};

/// State of a registered key; it never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// In use.
    Active,
    /// Not used any more since this instant; what was received by then stays.
    Retired(u64),
    /// In wrong hands since this instant; what was received before stays.
    Compromised(u64),
}

impl KeyState {
    /// Whether a token received (by the log's clock) at this instant counts as signed by the owner.
    pub const fn covers(self, received: u64) -> bool {
        match self {
            Self::Active => true,
            Self::Retired(at) => received <= at,
            Self::Compromised(at) => received < at,
        }
    }
}

/// A registered key, decoded once for all that it verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEntry {
    /// The public key, or why what was registered is none: step 7 refuses what it signed.
    pub key: Result<PublicKey, KeyError>,
    /// Its state.
    pub state: KeyState,
}

impl KeyEntry {
    /// Of a key at hand.
    pub const fn new(key: PublicKey, state: KeyState) -> Self {
        let key = Ok(key);
        Self { key, state }
    }

    /// Of the bytes in a register.
    pub fn read(bytes: &[u8; 32], state: KeyState) -> Self {
        let key = PublicKey::from_bytes(bytes);
        Self { key, state }
    }
}

/// Where keys are looked up; the token itself never brings one.
pub trait KeyRing {
    /// The key of this thumbprint among the keys of one class.
    fn find(&self, class: SignerClass, kid: &str) -> Option<KeyEntry>;
}

/// A token that is not signed yet.
#[derive(Debug, Clone)]
pub struct Draft {
    key: PublicKey,
    input: String,
    typ: Typ,
}

impl Draft {
    /// Prepares a token; `v` and `iss` are added where the type has them.
    ///
    /// # Errors
    /// The same refusals that a verifier would give for the claims, and `SIZE`.
    pub fn new(typ: Typ, mut payload: Value, key: &PublicKey) -> Result<Self, Refusal> {
        let kid = key.thumbprint();
        if let Value::Object(members) = &mut payload
            && typ != Typ::StatusList
        {
            members.insert("v".to_owned(), Value::Int(1));
            members.insert("iss".to_owned(), Value::Text(kid.clone()));
        }
        // A claim out of the profile (2⁵³, not NFC) is found by reading what would be sent.
        let text = payload.write();
        let payload = json::read(text.as_bytes(), 4).map_err(json_reason)?;
        claims::check(typ, &payload)?;
        let header = object([
            ("alg", "EdDSA".into()),
            ("kid", kid.into()),
            ("typ", typ.wire().into()),
        ]);
        let input = format!(
            "{}.{}",
            b64::encode(header.write().as_bytes()),
            b64::encode(text.as_bytes())
        );
        if input.len() + 87 > typ.limit() {
            return Err(Reason::Size.into());
        }
        Ok(Self {
            key: key.clone(),
            input,
            typ,
        })
    }

    /// What is to be signed: ASCII bytes of header and payload.
    pub fn signing_input(&self) -> &[u8] {
        self.input.as_bytes()
    }

    /// The type of token.
    pub fn typ(&self) -> Typ {
        self.typ
    }

    /// Joins a signature that was made elsewhere.
    ///
    /// # Errors
    /// `SIG`, if it is not this key's over [`Self::signing_input`].
    pub fn finish(self, signature: &[u8; 64]) -> Result<String, Refusal> {
        if !self.key.verifies(self.input.as_bytes(), signature) {
            return Err(Reason::Sig.into());
        }
        let mut token = self.input;
        token.push('.');
        token.push_str(&b64::encode(signature));
        Ok(token)
    }
}

/// Why nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MakeError {
    /// The claims are not those of such a token.
    #[error("{0}")]
    Claims(#[from] Refusal),
    /// The key did not sign.
    #[error("{0}")]
    Sign(#[from] SignError),
}

/// Signs claims as a token of this type.
pub fn make(typ: Typ, payload: Value, signer: &dyn Signer) -> Result<String, MakeError> {
    let draft = Draft::new(typ, payload, &signer.public())?;
    let signature = signer.sign(draft.signing_input())?;
    Ok(draft.finish(&signature)?)
}

/// A token whose signature and claim set were checked (steps 1–12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its type.
    pub typ: Typ,
    /// Whose key signed it.
    pub class: SignerClass,
    /// Thumbprint of that key.
    pub kid: String,
    /// Its claims.
    pub claims: Value,
    /// Token hash: over header and payload as received, without the signature (§2).
    pub hash: String,
}

impl Opened {
    /// A claim of type string; empty if it is absent.
    pub fn text(&self, name: &str) -> &str {
        self.claims
            .get(name)
            .and_then(Value::text)
            .unwrap_or_default()
    }

    /// A claim of type integer.
    pub fn int(&self, name: &str) -> Option<u64> {
        self.claims.get(name).and_then(Value::int)
    }
}

/// When a token is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Now, seconds UTC.
    pub now: u64,
    /// When the log received the token; absent for one that is just received or shown offline.
    pub receipt: Option<u64>,
}

impl Moment {
    /// A token received just now.
    pub const fn now(now: u64) -> Self {
        Self { now, receipt: None }
    }
}

/// Parts of a token, taken apart but not checked.
struct Parts<'t> {
    input: &'t str,
    header: Value,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

fn split(token: &str, limit: usize) -> Result<Parts<'_>, Refusal> {
    if token.len() > limit {
        return Err(Reason::Size.into());
    }
    let mut it = token.split('.');
    let (Some(head), Some(body), Some(sig), None) = (it.next(), it.next(), it.next(), it.next())
    else {
        return Err(Reason::Form.into());
    };
    let part = |text: &str| b64::decode(text).ok_or(Refusal::from(Reason::B64));
    let header = part(head)?;
    let payload = part(body)?;
    let signature = part(sig)?;
    let header = json::read(&header, 2).map_err(|_| Reason::HdrJson)?;
    let end = head.len() + 1 + body.len();
    Ok(Parts {
        input: token.get(..end).unwrap_or_default(),
        header,
        payload,
        signature,
    })
}

/// Reads and verifies a token of one of the expected types: steps 1–12, without any I/O.
///
/// # Errors
/// The reason of the first step that fails.
pub fn open(
    token: &str,
    expected: &[Typ],
    keys: &dyn KeyRing,
    moment: Moment,
) -> Result<Opened, Refusal> {
    let limit = expected.iter().map(|t| t.limit()).max().unwrap_or(0);
    let parts = split(token, limit)?;
    let (kid, typ) = header(&parts.header)?;
    let typ = typ.filter(|t| expected.contains(t)).ok_or(Reason::Typ)?;
    if token.len() > typ.limit() {
        return Err(Reason::Size.into());
    }
    let (class, entry) = typ
        .signers()
        .iter()
        .find_map(|c| keys.find(*c, kid).map(|e| (*c, e)))
        .ok_or(Reason::KeyUnknown)?;
    if !entry.state.covers(moment.receipt.unwrap_or(moment.now)) {
        return Err(match entry.state {
            KeyState::Retired(_) => Reason::KeyRetired,
            _ => Reason::KeyCompromised,
        }
        .into());
    }
    let key = entry.key.map_err(|e| match e {
        KeyError::Weak => Reason::KeyWeak,
        KeyError::Form => Reason::KeyUnknown,
    })?;
    let signature = parts
        .signature
        .as_slice()
        .try_into()
        .map_err(|_| Reason::Sig)?;
    if !key.verifies(parts.input.as_bytes(), signature) {
        return Err(Reason::Sig.into());
    }
    let claims = json::read(&parts.payload, 4).map_err(json_reason)?;
    claims::check(typ, &claims)?;
    if typ != Typ::StatusList {
        if claims.get("v").and_then(Value::int) != Some(1) {
            return Err(Reason::Version.of("v"));
        }
        if claims.get("iss").and_then(Value::text) != Some(kid) {
            return Err(Reason::Iss.of("iss"));
        }
    }
    if typ == Typ::Key {
        let x = claims
            .get("cnf")
            .and_then(|c| c.get("jwk")?.get("x")?.text())
            .unwrap_or_default();
        PublicKey::from_x(x).map_err(|_| Reason::KeyWeak)?;
    }
    Ok(Opened {
        typ,
        class,
        kid: kid.to_owned(),
        hash: sha256_text(&[parts.input.as_bytes()]),
        claims,
    })
}

/// Steps 3–5 without the question whether the type is the expected one.
fn header(header: &Value) -> Result<(&str, Option<Typ>), Refusal> {
    let members = header.members().ok_or(Reason::HdrJson)?;
    let text = |name: &str| members.get(name).and_then(Value::text);
    let (Some(alg), Some(kid), Some(typ), 3) =
        (text("alg"), text("kid"), text("typ"), members.len())
    else {
        return Err(Reason::HdrMember.into());
    };
    if b64::decode_array::<32>(kid).is_none() {
        return Err(Reason::HdrMember.into());
    }
    if alg != "EdDSA" {
        return Err(Reason::Alg.into());
    }
    Ok((kid, Typ::from_wire(typ)))
}

/// What a token says, without looking whether it is true: for showing one to its owner.
pub fn peek(token: &str) -> Result<(Typ, Value), Refusal> {
    let parts = split(token, Typ::StatusList.limit())?;
    let typ = header(&parts.header)?.1.ok_or(Reason::Typ)?;
    let claims = json::read(&parts.payload, 4).map_err(json_reason)?;
    claims::check(typ, &claims)?;
    Ok((typ, claims))
}

/// Token hash of a token that was verified before.
pub fn token_hash(token: &str) -> Option<String> {
    let input = token.get(..token.rfind('.')?)?;
    Some(sha256_text(&[input.as_bytes()]))
}

fn json_reason(error: JsonError) -> Refusal {
    match error {
        JsonError::Form => Reason::Json,
        JsonError::Duplicate => Reason::JsonDup,
    }
    .into()
}
