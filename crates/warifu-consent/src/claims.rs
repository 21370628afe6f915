//! Which claims each type of token has: one table, read beside consent.md §3.0 and §4.1.

use crate::b64;
use crate::date::Date;
use crate::json::{Members, Value};
use crate::reason::{Reason, Refusal};

/// A day, in seconds.
pub const DAY: u64 = 86_400;

/// What a claim's value looks like.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// An integer.
    Int,
    /// An integer of at least 1.
    Positive,
    /// `true` only.
    True,
    /// `true` or `false`.
    Bool,
    /// base64url of 16 bytes: 22 characters.
    Id,
    /// base64url of 32 bytes: 43 characters.
    Hash,
    /// `s1.` and base64url of 16 bytes (§3.2).
    Subject,
    /// 1 to 200 characters without control characters.
    Text,
    /// An http(s) address, at most 200 ASCII characters.
    Uri,
    /// base64url of any length.
    Bytes,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// A calendar date.
    Date,
    /// Sorted, unique codes, at least one, at most so many.
    Codes(usize),
    /// The same, or `["*"]`.
    CodesOrAll(usize),
    /// A closed object.
    Object(&'static [Claim]),
}

/// One claim of a type of token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    name: &'static str,
    required: bool,
    shape: Shape,
}

/// ● in the specification.
const fn must(name: &'static str, shape: Shape) -> Claim {
    Claim {
        name,
        required: true,
        shape,
    }
}

/// ○ in the specification.
const fn may(name: &'static str, shape: Shape) -> Claim {
    Claim {
        name,
        required: false,
        shape,
    }
}

/// Who signs a type of token, and where its `kid` is looked up (§3.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignerClass {
    /// Keys of patients and their proxies.
    Patient,
    /// The registry itself, for those who come without a key.
    Registry,
    /// Enrolment authorities.
    Authority,
    /// Medical institutions and other recipients.
    Institution,
    /// The consent server.
    Server,
    /// Authorities that may declare a disaster.
    Disaster,
    /// Certified bodies.
    Certified,
    /// Providers of status lists.
    Status,
}

impl SignerClass {
    /// Every class, with its name in registers of keys.
    pub const ALL: [(&'static str, Self); 8] = [
        ("patient", Self::Patient),
        ("registry", Self::Registry),
        ("authority", Self::Authority),
        ("institution", Self::Institution),
        ("server", Self::Server),
        ("disaster", Self::Disaster),
        ("certified", Self::Certified),
        ("status", Self::Status),
    ];

    /// The class of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        let found = Self::ALL.into_iter().find(|(n, _)| *n == name)?;
        Some(found.1)
    }
}

macro_rules! types {
    ($($(#[$doc:meta])* $variant:ident $wire:literal $limit:literal [$($class:ident),*] $table:ident;)*) => {
        /// Type of a token: `typ` of its header (§3).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Typ { $($(#[$doc])* $variant,)* }

        impl Typ {
            /// Every type.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// `typ` of the header.
            pub const fn wire(self) -> &'static str {
                match self { $(Self::$variant => $wire),* }
            }

            /// Characters a whole token may have.
            pub const fn limit(self) -> usize {
                match self { $(Self::$variant => $limit),* }
            }

            /// Whose keys may sign it.
            pub const fn signers(self) -> &'static [SignerClass] {
                match self { $(Self::$variant => &[$(SignerClass::$class),*]),* }
            }

            pub(crate) const fn claims(self) -> &'static [Claim] {
                match self { $(Self::$variant => $table),* }
            }
        }
    };
}

types! {
    /// Binds a person to a key.
    Key "consent-key+jwt" 4096 [Authority] KEY;
    /// 同意
    Grant "consent-grant+jwt" 4096 [Patient] GRANT;
    /// 禁止
    Deny "consent-deny+jwt" 4096 [Patient] DENY;
    /// 拒否の申出, or its withdrawal.
    Objection "consent-objection+jwt" 4096 [Patient, Registry] OBJECTION;
    /// 取消し
    Revoke "consent-revoke+jwt" 4096 [Patient, Registry] REVOKE;
    /// A grant derived by an institution.
    Onward "consent-onward+jwt" 4096 [Institution] ONWARD;
    /// What is asked of the patient.
    Request "consent-request+jwt" 8192 [Server] REQUEST;
    /// 受領
    Receipt "consent-receipt+jwt" 8192 [Server] RECEIPT;
    /// An institution asks for data.
    Access "access-request+jwt" 8192 [Institution] ACCESS;
    /// 救急アクセスの表明
    BreakGlass "break-glass+jwt" 8192 [Institution] BREAK_GLASS;
    /// 災害モードの発動
    Disaster "disaster+jwt" 8192 [Disaster] DISASTER;
    /// What the server signs over a Bundle that goes out.
    Disclosure "disclosure+jwt" 8192 [Server] DISCLOSURE;
    /// Possession of a key.
    Session "session-proof+jwt" 4096 [Patient] SESSION;
    /// Manifest of a de-identified release.
    Release "release+jwt" 65_536 [Certified] RELEASE;
    /// Token Status List.
    StatusList "statuslist+jwt" 262_144 [Status] STATUS_LIST;
}

impl Typ {
    /// The type of that name.
    pub fn from_wire(wire: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|t| t.wire() == wire)
    }
}

const WINDOW: &[Claim] = &[may("from", Shape::Date), may("to", Shape::Date)];
const RECORDED: &[Claim] = &[must("to", Shape::Int)];
const PROXY: &[Claim] = &[
    must(
        "rel",
        Shape::OneOf(&["adult_guardian", "delegate", "family", "guardian"]),
    ),
    must("bnd", Shape::Id),
];
const STATUS: &[Claim] = &[must(
    "status_list",
    Shape::Object(&[must("idx", Shape::Int), must("uri", Shape::Uri)]),
)];
const SHOWN: &[Claim] = &[
    must("id", Shape::Text),
    must("ver", Shape::Positive),
    must("lang", Shape::Text),
    must("m", Shape::Int),
    must("h", Shape::Hash),
];
const OBLIGATIONS: Shape = Shape::Codes(8);

/// §4.1
const GRANT: &[Claim] = &[
    must("v", Shape::Int),
    must("iss", Shape::Hash),
    must("sub", Shape::Subject),
    must("aud", Shape::Codes(8)),
    must("iat", Shape::Int),
    must("nbf", Shape::Int),
    must("exp", Shape::Int),
    must("jti", Shape::Id),
    may("nonce", Shape::Id),
    must("pur", Shape::Codes(16)),
    must("cat", Shape::Codes(64)),
    must("dat", Shape::Object(WINDOW)),
    may("rec", Shape::Object(RECORDED)),
    must("anx", Shape::Hash),
    must("txt", Shape::Object(SHOWN)),
    may("obl", OBLIGATIONS),
    may("del", Shape::Int),
    may("use", Shape::Object(&[must("max", Shape::Positive)])),
    may("act", Shape::Object(PROXY)),
    may("dlg", Shape::True),
    may("status", Shape::Object(STATUS)),
];

const DENY: &[Claim] = &[
    must("v", Shape::Int),
    must("iss", Shape::Hash),
    must("sub", Shape::Subject),
    must("iat", Shape::Int),
    must("jti", Shape::Id),
    must("nbf", Shape::Int),
    may("exp", Shape::Int),
    must("aud", Shape::CodesOrAll(64)),
    must("pur", Shape::CodesOrAll(16)),
    must("cat", Shape::CodesOrAll(64)),
    must("emg", Shape::Bool),
    must("txt", Shape::Object(SHOWN)),
    may("act", Shape::Object(PROXY)),
    must("status", Shape::Object(STATUS)),
    must("nonce", Shape::Id),
];

/// §3.1
const KEY: &[Claim] = &[
    must("v", Shape::Int),
    must("iss", Shape::Hash),
    must("sub", Shape::Subject),
    must(
        "cnf",
        Shape::Object(&[must(
            "jwk",
            Shape::Object(&[
                must("crv", Shape::OneOf(&["Ed25519"])),
                must("kty", Shape::OneOf(&["OKP"])),
                must("x", Shape::Hash),
            ]),
        )]),
    ),
    must("iat", Shape::Int),
    must("nbf", Shape::Int),
    must("exp", Shape::Int),
    must("jti", Shape::Id),
    must("ial", Shape::OneOf(&["counter", "jpki", "self"])),
    must(
        "role",
        Shape::OneOf(&[
            "adult_guardian",
            "delegate",
            "family",
            "guardian",
            "patient",
        ]),
    ),
    may("for", Shape::Subject),
    may("until", Shape::Date),
    may("until_obj", Shape::Date),
    may("scp", Shape::Codes(64)),
];

const REVOKE: &[Claim] = &[
    must("v", Shape::Int),
    must("iss", Shape::Hash),
    must("sub", Shape::Subject),
    must("iat", Shape::Int),
    must("jti", Shape::Id),
    must("rev", Shape::Id),
    must(
        "rsn",
        Shape::OneOf(&["key_lost", "mistake", "other", "withdrawn"]),
    ),
    may("by", Shape::OneOf(&["registry"])),
    may("act", Shape::Object(PROXY)),
    may("nonce", Shape::Id),
    may("txt", Shape::Object(SHOWN)),
];

/// §12.2
const OBJECTION: &[Claim] = &[
    must("v", Shape::Int),
    must("iss", Shape::Hash),
    must("sub", Shape::Subject),
    must("iat", Shape::Int),
    must("jti", Shape::Id),
    must("seq", Shape::Int),
    must("pur", Shape::CodesOrAll(16)),
    must("to", Shape::CodesOrAll(64)),
    must("src", Shape::CodesOrAll(64)),
    must("state", Shape::OneOf(&["off", "on"])),
    must("txt", Shape::Object(SHOWN)),
    may("act", Shape::Object(PROXY)),
    may("by", Shape::OneOf(&["registry"])),
];

/// §4.6
const ONWARD: &[Claim] = &[
    must("v", Shape::Int),
    must("iss", Shape::Hash),
    must("iat", Shape::Int),
    must("par", Shape::Hash),
    must("sub", Shape::Subject),
    must("aud", Shape::Codes(1)),
    must("pur", Shape::Codes(16)),
    must("cat", Shape::Codes(64)),
    must("dat", Shape::Object(WINDOW)),
    may("rec", Shape::Object(RECORDED)),
    must("nbf", Shape::Int),
    must("exp", Shape::Int),
    must("jti", Shape::Id),
    may("obl", OBLIGATIONS),
    may("status", Shape::Object(STATUS)),
];

const REQUEST: &[Claim] = &[
    must("v", Shape::Int),
    must("iss", Shape::Hash),
    must("sub", Shape::Subject),
    must("iat", Shape::Int),
    must("exp", Shape::Int),
    must("jti", Shape::Id),
    must("req", Shape::Id),
    must("aud", Shape::Codes(8)),
    must("pur", Shape::Codes(16)),
    must("cat", Shape::Codes(64)),
    may("dat", Shape::Object(WINDOW)),
    must("min", Shape::Codes(64)),
    must("terms", Shape::Positive),
    must("nonce", Shape::Id),
    must("status", Shape::Object(STATUS)),
    must(
        "txt",
        Shape::Object(&[
            must("id", Shape::Text),
            must("ver", Shape::Positive),
            must("m", Shape::Int),
            must("langs", Shape::Codes(16)),
        ]),
    ),
];

const RECEIPT: &[Claim] = &[
    must("v", Shape::Int),
    must("iss", Shape::Hash),
    must("sub", Shape::Subject),
    must("iat", Shape::Int),
    must("jti", Shape::Id),
    must("tok", Shape::Hash),
    must("of", Shape::Text),
    must("at", Shape::Int),
    must("n", Shape::Int),
    must("head", Shape::Hash),
    must("leaf", Shape::Hash),
    must(
        "rec",
        Shape::Object(&[
            must("schema", Shape::Text),
            must("controller", Shape::Text),
            must("contact", Shape::Text),
            must("notice", Shape::Object(SHOWN)),
            may("purposes", Shape::CodesOrAll(16)),
            may("categories", Shape::CodesOrAll(64)),
            may("recipients", Shape::CodesOrAll(64)),
            may("storage", Shape::Int),
            must("withdrawal", Shape::Text),
            must("state", Shape::Text),
        ]),
    ),
];

const PERSON: &[Claim] = &[
    may("hpki", Shape::Text),
    may("session", Shape::Text),
    must("role", Shape::Text),
];

/// §6.2
const ACCESS: &[Claim] = &[
    must("v", Shape::Int),
    must("iss", Shape::Hash),
    must("sub", Shape::Subject),
    must("pur", Shape::Text),
    may("cat", Shape::Codes(64)),
    must("ath", Shape::Text),
    must("q", Shape::Hash),
    must("jti", Shape::Id),
    must("iat", Shape::Int),
    must("exp", Shape::Int),
    must("htm", Shape::OneOf(&["GET", "POST"])),
    must("htu", Shape::Uri),
    must("per", Shape::Object(PERSON)),
];

/// §10.2
const BREAK_GLASS: &[Claim] = &[
    must("v", Shape::Int),
    must("iss", Shape::Hash),
    must("sub", Shape::Subject),
    must(
        "rsn",
        Shape::OneOf(&["disaster", "life", "unconscious", "unidentified"]),
    ),
    must("idm", Shape::OneOf(&["four", "insured", "mynumber"])),
    must("iat", Shape::Int),
    must("exp", Shape::Int),
    must("jti", Shape::Id),
    must("per", Shape::Object(PERSON)),
];

/// §10.7
const DISASTER: &[Claim] = &[
    must("v", Shape::Int),
    must("iss", Shape::Hash),
    must("iat", Shape::Int),
    must("jti", Shape::Id),
    must("area", Shape::Codes(2000)),
    must("from", Shape::Int),
    must("to", Shape::Int),
];

/// §11.3
const DISCLOSURE: &[Claim] = &[
    must("v", Shape::Int),
    must("iss", Shape::Hash),
    must("iat", Shape::Int),
    must("aud", Shape::Codes(1)),
    must("data", Shape::Hash),
    must("pol", Shape::Hash),
    must("leaf", Shape::Hash),
];

const SESSION: &[Claim] = &[
    must("v", Shape::Int),
    must("iss", Shape::Hash),
    must("iat", Shape::Int),
    must("aud", Shape::Uri),
    must("nonce", Shape::Id),
    must("exp", Shape::Int),
    may(
        "jwk",
        Shape::Object(&[
            must("crv", Shape::OneOf(&["Ed25519"])),
            must("kty", Shape::OneOf(&["OKP"])),
            must("x", Shape::Hash),
        ]),
    ),
];

/// §12.3
const RELEASE: &[Claim] = &[
    must("v", Shape::Int),
    must("iss", Shape::Hash),
    must("jti", Shape::Id),
    must("iat", Shape::Int),
    must("to", Shape::Text),
    must(
        "contract",
        Shape::Object(&[
            must("id", Shape::Text),
            must("hash", Shape::Hash),
            must("pur", Shape::Codes(16)),
            must("scope", Shape::Text),
            must("exp", Shape::Int),
        ]),
    ),
    must(
        "data",
        Shape::Object(&[
            must("schema", Shape::Text),
            must("rows", Shape::Int),
            must("sha256", Shape::Hash),
        ]),
    ),
    must(
        "prof",
        Shape::Object(&[
            must("id", Shape::Text),
            must("ver", Shape::Positive),
            must("hash", Shape::Hash),
            must("params_hash", Shape::Hash),
        ]),
    ),
    must("k", Shape::Positive),
    must("root", Shape::Hash),
    must("n", Shape::Int),
    must("wm", Shape::Hash),
];

/// The IETF set, exactly.
const STATUS_LIST: &[Claim] = &[
    must("sub", Shape::Uri),
    must("iat", Shape::Int),
    must("exp", Shape::Int),
    must("ttl", Shape::Positive),
    must(
        "status_list",
        Shape::Object(&[must("bits", Shape::Int), must("lst", Shape::Bytes)]),
    ),
];

/// Names of a type's claims.
pub(crate) fn names(typ: Typ) -> impl Iterator<Item = &'static str> {
    typ.claims().iter().map(|c| c.name)
}

/// Checks a payload against the table of its type, and what one claim says of another (step 10).
pub(crate) fn check(typ: Typ, payload: &Value) -> Result<(), Refusal> {
    let Some(members) = payload.members() else {
        return Err(Reason::Json.into());
    };
    closed(typ.claims(), members)?;
    across(typ, payload)
}

fn closed(table: &'static [Claim], members: &Members) -> Result<(), Refusal> {
    if members.keys().any(|k| table.iter().all(|c| c.name != k)) {
        return Err(Reason::ClaimUnknown.into());
    }
    for claim in table {
        match members.get(claim.name) {
            Some(value) => shape(claim.name, claim.shape, value)?,
            None if claim.required => return Err(Reason::ClaimMissing.of(claim.name)),
            None => {}
        }
    }
    Ok(())
}

fn shape(name: &'static str, shape_of: Shape, value: &Value) -> Result<(), Refusal> {
    let range = |ok: bool| {
        if ok {
            Ok(())
        } else {
            Err(Reason::ClaimRange.of(name))
        }
    };
    match (shape_of, value) {
        (Shape::Int, Value::Int(_))
        | (Shape::True, Value::Bool(true))
        | (Shape::Bool, Value::Bool(_)) => Ok(()),
        (Shape::True, Value::Bool(false)) => range(false),
        (Shape::Positive, Value::Int(n)) => range(*n > 0),
        (Shape::Id, Value::Text(t)) => range(b64::decode_array::<16>(t).is_some()),
        (Shape::Hash, Value::Text(t)) => range(b64::decode_array::<32>(t).is_some()),
        (Shape::Subject, Value::Text(t)) => range(is_subject(t)),
        (Shape::Text, Value::Text(t)) => {
            range(!t.is_empty() && t.chars().count() <= 200 && !t.chars().any(char::is_control))
        }
        (Shape::Uri, Value::Text(t)) => range(
            (t.starts_with("https://") || t.starts_with("http://"))
                && t.len() <= 200
                && t.bytes().all(|b| b.is_ascii_graphic()),
        ),
        (Shape::Bytes, Value::Text(t)) => range(b64::decode(t).is_some()),
        (Shape::OneOf(names), Value::Text(t)) => range(names.contains(&t.as_str())),
        (Shape::Date, Value::Text(t)) => range(Date::parse(t).is_some()),
        (Shape::Codes(max), Value::Array(items)) => codes(name, items, max, false),
        (Shape::CodesOrAll(max), Value::Array(items)) => codes(name, items, max, true),
        (Shape::Object(table), Value::Object(members)) => closed(table, members),
        _ => Err(Reason::ClaimType.of(name)),
    }
}

fn codes(name: &'static str, items: &[Value], max: usize, all: bool) -> Result<(), Refusal> {
    if items.is_empty() || items.len() > max {
        return Err(Reason::ClaimRange.of(name));
    }
    let mut last = "";
    for item in items {
        let Some(code) = item.text() else {
            return Err(Reason::ClaimType.of(name));
        };
        let plain = !code.is_empty()
            && code.len() <= 64
            && code
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b".:-_*".contains(&b));
        let star = code == "*" && !(all && items.len() == 1);
        if !plain || star {
            return Err(Reason::ClaimRange.of(name));
        }
        if code <= last {
            return Err(Reason::ClaimOrder.of(name));
        }
        last = code;
    }
    Ok(())
}

/// `s1.` and base64url of 16 bytes.
pub fn is_subject(text: &str) -> bool {
    text.strip_prefix("s1.")
        .is_some_and(|t| b64::decode_array::<16>(t).is_some())
}

fn across(typ: Typ, payload: &Value) -> Result<(), Refusal> {
    let int = |name: &str| payload.get(name).and_then(Value::int);
    let (iat, nbf, exp) = (int("iat"), int("nbf"), int("exp"));
    let window = payload.get("dat");
    let date = |name: &str| window?.get(name)?.text().and_then(Date::parse);
    if let (Some(from), Some(to)) = (date("from"), date("to"))
        && from > to
    {
        return Err(Reason::ClaimRange.of("dat"));
    }
    // iat ≤ nbf < exp; where there is no nbf, iat < exp.
    if let (Some(iat), Some(nbf)) = (iat, nbf)
        && iat > nbf
        && typ != Typ::Key
    {
        return Err(Reason::ClaimRange.of("nbf"));
    }
    if let (Some(start), Some(exp)) = (nbf.or(iat), exp)
        && start >= exp
    {
        return Err(Reason::ClaimRange.of("exp"));
    }
    let term = match (nbf.or(iat), exp) {
        (Some(start), Some(exp)) => exp.saturating_sub(start),
        _ => 0,
    };
    match typ {
        // Made offline, without a request, or without a status: a day at most.
        Typ::Grant | Typ::Onward if term > DAY => {
            if typ == Typ::Grant && payload.get("nonce").is_none() {
                return Err(Reason::ClaimMissing.of("nonce"));
            }
            if typ == Typ::Grant && payload.get("status").is_none() {
                return Err(Reason::ClaimMissing.of("status"));
            }
            Ok(())
        }
        Typ::Key => {
            let role = payload.get("role").and_then(Value::text);
            let proxy = role != Some("patient");
            if proxy != payload.get("for").is_some() {
                return Err(if proxy {
                    Reason::ClaimMissing.of("for")
                } else {
                    Reason::ClaimRange.of("for")
                });
            }
            Ok(())
        }
        Typ::Request if term > 900 => Err(Reason::ClaimRange.of("exp")),
        Typ::Access if term > 300 => Err(Reason::ClaimRange.of("exp")),
        Typ::Session if term > 60 => Err(Reason::ClaimRange.of("exp")),
        Typ::BreakGlass if term > DAY => Err(Reason::ClaimRange.of("exp")),
        Typ::Access => {
            let ath = payload.get("ath").and_then(Value::text).unwrap_or_default();
            if ath == "registered" || b64::decode_array::<32>(ath).is_some() {
                Ok(())
            } else {
                Err(Reason::ClaimRange.of("ath"))
            }
        }
        Typ::Disaster if int("from") >= int("to") => Err(Reason::ClaimRange.of("to")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(shape: Shape) -> String {
        let codes = |n: usize, all: &str| format!("codes ≤ {n}{all}");
        match shape {
            Shape::Int => "int".to_owned(),
            Shape::Positive => "int ≥ 1".to_owned(),
            Shape::True => "`true`".to_owned(),
            Shape::Bool => "bool".to_owned(),
            Shape::Id => "id".to_owned(),
            Shape::Hash => "hash".to_owned(),
            Shape::Subject => "subject".to_owned(),
            Shape::Text => "text".to_owned(),
            Shape::Uri => "uri".to_owned(),
            Shape::Bytes => "bytes".to_owned(),
            Shape::Date => "date".to_owned(),
            Shape::OneOf(all) => {
                let all: Vec<String> = all.iter().map(|v| format!("`{v}`")).collect();
                all.join(" or ")
            }
            Shape::Codes(n) => codes(n, ""),
            Shape::CodesOrAll(n) => codes(n, " or `*`"),
            Shape::Object(inner) => format!("{{{}}}", list(inner)),
        }
    }

    fn list(claims: &[Claim]) -> String {
        let all = claims.iter().map(|c| {
            let may = if c.required { "" } else { "?" };
            format!("`{}`{may} {}", c.name, words(c.shape))
        });
        all.collect::<Vec<_>>().join(", ")
    }

    /// The reference has the table as it is here; `WARIFU_BLESS=1` writes it there.
    #[test]
    fn the_reference_has_the_claims_of_every_type() {
        let mut table =
            "| type | characters | signed by | claims |\n|---|---|---|---|\n".to_owned();
        for typ in Typ::ALL {
            let of = |class: &SignerClass| {
                let named = SignerClass::ALL.iter().find(|(_, c)| c == class);
                named.map_or("", |(name, _)| *name)
            };
            let signers: Vec<&str> = typ.signers().iter().map(of).collect();
            let row = format!(
                "| `{}` | {} | {} | {} |\n",
                typ.wire(),
                typ.limit(),
                signers.join(", "),
                list(typ.claims())
            );
            table.push_str(&row);
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/consent.md");
        let doc = std::fs::read_to_string(path).unwrap();
        let (begin, end) = ("<!-- claims -->\n", "<!-- /claims -->");
        let (head, rest) = doc.split_once(begin).unwrap();
        let (own, tail) = rest.split_once(end).unwrap();
        if std::env::var_os("WARIFU_BLESS").is_some() {
            std::fs::write(path, format!("{head}{begin}{table}{end}{tail}")).unwrap();
        } else {
            assert_eq!(own, table, "docs/consent.md; WARIFU_BLESS=1 writes it");
        }
    }
}
