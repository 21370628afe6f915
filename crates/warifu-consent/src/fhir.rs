//! Claims ↔ FHIR R4 `Consent`: the tables, the export, and the check of a Consent that carries its token
//! (consent.md §12.1; decisions in `docs/consent.md`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::annex::Annex;
use crate::claims::Typ;
use crate::date::date_time;
use crate::json::{Members, Value, object};
use crate::jws::{Opened, token_hash};

/// How a rule is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// R4 as it stands: a root provision without `type`, the rule in the first nested one.
    Core,
    /// IHE Privacy Consent on FHIR: the rule is the root provision; no `verification`, no `code`.
    Pcf,
}

/// What a Consent says beside its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About<'a> {
    /// Address of the log that received the token: system of `Consent.identifier`.
    pub log: &'a str,
    /// Code of the institution that keeps the consent (`mi:…`): `Consent.organization`.
    pub organization: &'a str,
    /// Neither ended nor past its time: `active`, else `inactive`.
    pub in_force: bool,
    /// When the binding of a proxy was checked, seconds UTC.
    pub verified: Option<u64>,
    /// For the patient's own export only: what is left out, and the salt.
    pub annex: Option<&'a Annex>,
}

/// Why a token has no Consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FhirError {
    /// Only grants, prohibitions and objections are Consents.
    #[error("a token of this type is no FHIR Consent")]
    Typ,
    /// Text and claims are those of two tokens.
    #[error("the token is not the opened one")]
    Token,
    /// A time after the year 9999.
    #[error("a time after the year 9999")]
    Time,
    /// The annex is not the one that was signed.
    #[error("the annex is not the signed one")]
    Annex,
}

pub(crate) const OWN: &str = "urn:warifu:consent:";
pub(crate) const INSTITUTION: &str =
    "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no";
pub(crate) const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
pub(crate) const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
pub(crate) const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
pub(crate) const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
pub(crate) const LOINC: &str = "http://loinc.org";
const SCOPE: &str = "http://terminology.hl7.org/CodeSystem/consentscope";
/// RFC 9278: a key by its thumbprint.
const THUMBPRINT: &str = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:";

/// Purposes that v3 ActReason does not have.
pub(crate) const LOCAL_PURPOSES: &[&str] = &["ANON", "DSREG", "PSEUDO"];

/// Obligations that v3 ActCode does not have.
pub(crate) const LOCAL_OBLIGATIONS: &[&str] = &["NOTIFY", "NO_PATIENT_DISPLAY", "REVIEW", "TRACE"];

/// 文書の種類: category and LOINC code of `provision.class`.
pub(crate) const CLASSES: &[(&str, &str)] = &[
    ("doc.checkup", "53576-5"),
    ("doc.discharge", "18842-5"),
    ("doc.referral", "57133-1"),
];

/// What a claim's extension looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaf {
    /// `valueDateTime`
    Time,
    /// `valueDecimal`, which keeps 2⁵³−1.
    Number,
    /// `valueBoolean`
    Flag,
    /// `valueCode`
    Code,
    /// One extension with `valueCode` each.
    Codes,
    /// `valueString`
    Text,
    /// `valueUri`
    Uri,
    /// An extension of extensions.
    Group(&'static [(&'static str, Leaf)]),
}

/// A claim that R4 has no element for: extension `urn:warifu:consent:` and its name.
pub(crate) struct Extra {
    /// The claim; also the name of the extension.
    pub(crate) claim: &'static str,
    /// On the rule, else on the Consent.
    pub(crate) rule: bool,
    /// Whether an unsigned draft takes it over.
    pub(crate) drafted: bool,
    pub(crate) leaf: Leaf,
}

const fn extra(claim: &'static str, rule: bool, drafted: bool, leaf: Leaf) -> Extra {
    Extra {
        claim,
        rule,
        drafted,
        leaf,
    }
}

/// Extensions, in the order written.
pub(crate) const EXTRAS: &[Extra] = &[
    extra(
        "act",
        false,
        false,
        Leaf::Group(&[("rel", Leaf::Code), ("bnd", Leaf::Text)]),
    ),
    extra("by", false, false, Leaf::Code),
    extra("del", false, true, Leaf::Time),
    extra("dlg", false, true, Leaf::Flag),
    extra("nonce", false, false, Leaf::Text),
    extra("seq", false, false, Leaf::Number),
    extra(
        "status",
        false,
        false,
        Leaf::Group(&[(
            "status_list",
            Leaf::Group(&[("idx", Leaf::Number), ("uri", Leaf::Uri)]),
        )]),
    ),
    extra("use", false, true, Leaf::Group(&[("max", Leaf::Number)])),
    extra("emg", true, true, Leaf::Flag),
    extra("obl", true, true, Leaf::Codes),
    extra("rec", true, true, Leaf::Group(&[("to", Leaf::Time)])),
];

/// `txt` beside `policy.uri`, which has `id` and `ver`.
const SHOWN: &[(&str, Leaf)] = &[("lang", Leaf::Code), ("m", Leaf::Number), ("h", Leaf::Text)];

/// A row of the table: claims (or what else it stands for), element, how it is written.
type Row = (
    &'static str,
    &'static str,
    fn(&Cx<'_>) -> Result<Option<Value>, FhirError>,
);

/// Elements of the Consent itself, in the order of R4.
pub(crate) const ROOT: &[Row] = &[
    ("typ", "resourceType", |_| text("Consent")),
    ("jti, token hash", "identifier", identifiers),
    ("state", "status", |cx| {
        text(if cx.about.in_force {
            "active"
        } else {
            "inactive"
        })
    }),
    ("typ", "scope", |_| some(concept(SCOPE, "patient-privacy"))),
    ("typ", "category", |cx| {
        let kind = concept(&format!("{OWN}kind"), kind(cx.t.typ));
        some(vec![concept(LOINC, "59284-0"), kind].into())
    }),
    ("sub", "patient", |cx| {
        let system = format!("{OWN}subject");
        some(reference("Patient", &system, cx.t.text("sub")))
    }),
    ("iat", "dateTime", |cx| cx.time("iat", 0)),
    ("iss, act, by", "performer", |cx| {
        let who = match (cx.claim("act"), cx.claim("by")) {
            (_, Some(_)) => "Organization",
            (Some(_), None) => "RelatedPerson",
            (None, None) => "Patient",
        };
        let key = format!("{THUMBPRINT}{}", cx.t.text("iss"));
        some(vec![reference(who, "urn:ietf:rfc:3986", &key)].into())
    }),
    ("server", "organization", |cx| {
        some(vec![recipient(cx.about.organization)].into())
    }),
    ("bytes", "sourceAttachment", |cx| {
        some(object([
            ("contentType", "application/jose".into()),
            ("data", STANDARD.encode(cx.token).into()),
        ]))
    }),
    ("txt", "policy", policy),
    ("typ", "policyRule", |cx| {
        let base = if cx.t.typ == Typ::Objection {
            "OPTOUT"
        } else {
            "OPTIN"
        };
        some(concept(ACT_CODE, base))
    }),
    ("act", "verification", verification),
];

/// Elements of the rule, in the order of R4.
pub(crate) const RULE: &[Row] = &[
    ("typ, state", "type", |cx| {
        text(if cx.permits() { "permit" } else { "deny" })
    }),
    ("nbf, exp", "period", |cx| {
        // FHIR counts the end in, `exp` is the first second after it.
        let mut period = Members::new();
        period.extend(cx.time("nbf", 0)?.map(|t| ("start".to_owned(), t)));
        period.extend(cx.time("exp", 1)?.map(|t| ("end".to_owned(), t)));
        Ok((!period.is_empty()).then_some(period.into()))
    }),
    ("aud, to, src", "actor", |cx| {
        let mut actors = Vec::new();
        for (claim, role) in [("aud", "IRCP"), ("to", "IRCP"), ("src", "CST")] {
            actors.extend(cx.codes(claim).map(|code| actor(role, code)));
        }
        list(actors)
    }),
    ("pur", "purpose", |cx| {
        list(cx.codes("pur").map(purpose).collect())
    }),
    ("cat", "class", |cx| {
        let codes = CLASSES
            .iter()
            .filter(|(cat, _)| cx.codes("cat").any(|c| c == *cat));
        list(codes.map(|(_, code)| coding(LOINC, code)).collect())
    }),
    ("cat", "code", |cx| match cx.dialect {
        Dialect::Pcf => Ok(None),
        Dialect::Core => list(
            cx.codes("cat")
                .map(|c| concept(&format!("{OWN}category"), c))
                .collect(),
        ),
    }),
    ("dat", "dataPeriod", |cx| {
        let mut period = Members::new();
        for (claim, end) in [("from", "start"), ("to", "end")] {
            if let Some(day) = cx.claim("dat").and_then(|d| d.get(claim)) {
                period.insert(end.to_owned(), day.clone());
            }
        }
        Ok((!period.is_empty()).then_some(period.into()))
    }),
];

/// Lists of the annex and how each stands in a nested `deny`.
const ANNEX: &[(&str, &str)] = &[
    ("src", "actor"),
    ("lbl", "securityLabel"),
    ("res", "data"),
    ("wid", "data"),
];

/// The one name of a kind of token here.
pub(crate) fn kind(typ: Typ) -> &'static str {
    match typ {
        Typ::Deny => "deny",
        Typ::Objection => "objection",
        _ => "grant",
    }
}

pub(crate) struct Cx<'a> {
    token: &'a str,
    t: &'a Opened,
    dialect: Dialect,
    about: About<'a>,
}

impl Cx<'_> {
    fn claim(&self, name: &str) -> Option<&Value> {
        self.t.claims.get(name)
    }

    /// Codes with an element of their own; `*` and `mi:*` go into an extension.
    fn codes(&self, name: &str) -> impl Iterator<Item = &str> {
        self.claim(name)
            .into_iter()
            .flat_map(Value::texts)
            .filter(|c| !c.ends_with('*'))
    }

    fn time(&self, name: &str, less: u64) -> Result<Option<Value>, FhirError> {
        match self.t.int(name) {
            Some(at) => moment(at.saturating_sub(less)).map(Some),
            None => Ok(None),
        }
    }

    /// An objection forbids, its withdrawal permits again.
    fn permits(&self) -> bool {
        match self.t.typ {
            Typ::Objection => self.t.text("state") == "off",
            typ => typ == Typ::Grant,
        }
    }

    /// Extensions of the rule, or of the Consent.
    fn extensions(&self, rule: bool) -> Result<Vec<Value>, FhirError> {
        let mut out = Vec::new();
        for e in EXTRAS.iter().filter(|e| e.rule == rule) {
            if let Some(value) = self.claim(e.claim) {
                extend(&format!("{OWN}{}", e.claim), e.leaf, value, &mut out)?;
            }
        }
        if !rule {
            out.extend(self.annex_hash());
            return Ok(out);
        }
        for claim in ["aud", "pur", "cat", "to", "src"] {
            let all = self.claim(claim).into_iter().flat_map(Value::texts);
            let homeless =
                all.filter(|c| c.ends_with('*') || claim == "cat" && self.dialect == Dialect::Pcf);
            out.extend(
                homeless.map(|c| extension(&format!("{OWN}{claim}"), "valueCode", c.into())),
            );
        }
        Ok(out)
    }

    fn annex_hash(&self) -> Option<Value> {
        let mut parts = vec![extension("hash", "valueString", self.claim("anx")?.clone())];
        if let Some(annex) = self.about.annex {
            let salt = crate::b64::encode(&annex.salt);
            parts.push(extension("salt", "valueString", salt.into()));
        }
        Some(object([
            ("url", format!("{OWN}anx").into()),
            ("extension", parts.into()),
        ]))
    }

    fn rule(&self) -> Result<Value, FhirError> {
        let mut rule = Members::new();
        let extensions = self.extensions(true)?;
        if !extensions.is_empty() {
            rule.insert("extension".to_owned(), extensions.into());
        }
        for (_, element, write) in RULE {
            rule.extend(write(self)?.map(|v| ((*element).to_owned(), v)));
        }
        let nested: Vec<Value> = self.about.annex.map(excluded).unwrap_or_default();
        if !nested.is_empty() {
            rule.insert("provision".to_owned(), nested.into());
        }
        Ok(rule.into())
    }
}

/// The Consent of an opened grant, prohibition or objection, as JSON by RFC 8785.
///
/// `token` is the text that was opened. The same arguments give the same bytes everywhere.
///
/// # Errors
/// [`FhirError`].
pub fn to_consent(
    token: &str,
    opened: &Opened,
    dialect: Dialect,
    about: About<'_>,
) -> Result<String, FhirError> {
    if !matches!(opened.typ, Typ::Grant | Typ::Deny | Typ::Objection) {
        return Err(FhirError::Typ);
    }
    if token_hash(token).as_deref() != Some(&opened.hash) {
        return Err(FhirError::Token);
    }
    if about.annex.is_some_and(|a| a.hash() != opened.text("anx")) {
        return Err(FhirError::Annex);
    }
    let cx = Cx {
        token,
        t: opened,
        dialect,
        about,
    };
    let mut root = Members::new();
    let extensions = cx.extensions(false)?;
    if !extensions.is_empty() {
        root.insert("extension".to_owned(), extensions.into());
    }
    for (_, element, write) in ROOT {
        root.extend(write(&cx)?.map(|v| ((*element).to_owned(), v)));
    }
    let rule = cx.rule()?;
    let rule = match dialect {
        Dialect::Core => object([("provision", vec![rule].into())]),
        Dialect::Pcf => rule,
    };
    root.insert("provision".to_owned(), rule);
    Ok(Value::from(root).write())
}

fn identifiers(cx: &Cx<'_>) -> Result<Option<Value>, FhirError> {
    let hash = format!("{OWN}token");
    list(vec![
        identifier(cx.about.log, cx.t.text("jti")),
        identifier(&hash, &cx.t.hash),
    ])
}

fn policy(cx: &Cx<'_>) -> Result<Option<Value>, FhirError> {
    let Some(txt) = cx.claim("txt") else {
        return Ok(None);
    };
    let id = txt.get("id").and_then(Value::text).unwrap_or_default();
    let ver = txt.get("ver").and_then(Value::int).unwrap_or(0);
    let mut shown = Vec::new();
    extend(
        &format!("{OWN}shown-text"),
        Leaf::Group(SHOWN),
        txt,
        &mut shown,
    )?;
    list(vec![object([
        ("extension", shown.into()),
        ("uri", format!("{OWN}text:{id}|{ver}").into()),
    ])])
}

fn verification(cx: &Cx<'_>) -> Result<Option<Value>, FhirError> {
    let Some(act) = cx.claim("act").filter(|_| cx.dialect == Dialect::Core) else {
        return Ok(None);
    };
    let binding = act.get("bnd").and_then(Value::text).unwrap_or_default();
    let system = format!("{OWN}binding");
    let mut row = Members::new();
    row.insert("verified".to_owned(), cx.about.verified.is_some().into());
    row.insert(
        "verifiedWith".to_owned(),
        reference("RelatedPerson", &system, binding),
    );
    if let Some(at) = cx.about.verified {
        row.insert("verificationDate".to_owned(), moment(at)?);
    }
    list(vec![row.into()])
}

/// One nested `deny` for each list of the annex: what any of them names is left out.
fn excluded(annex: &Annex) -> Vec<Value> {
    let mut out = Vec::new();
    for (name, element) in ANNEX {
        let items = match *name {
            "src" => &annex.src,
            "lbl" => &annex.lbl,
            "res" => &annex.res,
            _ => &annex.wid,
        };
        let rows: Vec<Value> = items
            .iter()
            .map(|item| match *name {
                "src" => actor("CST", item),
                "lbl" => label(item),
                "res" => data("instance", "resource", item),
                _ => data("related", "encounter", item),
            })
            .collect();
        if !rows.is_empty() {
            out.push(object([("type", "deny".into()), (element, rows.into())]));
        }
    }
    out
}

fn data(meaning: &str, what: &str, key: &str) -> Value {
    object([
        ("meaning", meaning.into()),
        (
            "reference",
            object([("identifier", identifier(&format!("{OWN}{what}"), key))]),
        ),
    ])
}

/// A sensitivity is an ActCode, `R` and `V` are confidentialities.
fn label(code: &str) -> Value {
    let system = if code.len() == 1 {
        CONFIDENTIALITY
    } else {
        ACT_CODE
    };
    coding(system, code)
}

/// An obligation: an ActCode, or one of our own.
pub(crate) fn obligation(code: &str) -> Value {
    if LOCAL_OBLIGATIONS.contains(&code) {
        coding(&format!("{OWN}obligation"), code)
    } else {
        coding(ACT_CODE, code)
    }
}

fn purpose(code: &str) -> Value {
    if LOCAL_PURPOSES.contains(&code) {
        coding(&format!("{OWN}purpose"), code)
    } else {
        coding(ACT_REASON, code)
    }
}

fn actor(role: &str, code: &str) -> Value {
    object([
        ("role", concept(PARTICIPATION, role)),
        ("reference", recipient(code)),
    ])
}

/// A facility: by the official code where it has one.
pub(crate) fn recipient(code: &str) -> Value {
    match code.strip_prefix("mi:") {
        Some(digits) => reference("Organization", INSTITUTION, digits),
        None => reference("Organization", &format!("{OWN}recipient"), code),
    }
}

pub(crate) fn reference(kind: &str, system: &str, value: &str) -> Value {
    object([
        ("type", kind.into()),
        ("identifier", identifier(system, value)),
    ])
}

pub(crate) fn identifier(system: &str, value: &str) -> Value {
    object([("system", system.into()), ("value", value.into())])
}

pub(crate) fn coding(system: &str, code: &str) -> Value {
    object([("system", system.into()), ("code", code.into())])
}

pub(crate) fn concept(system: &str, code: &str) -> Value {
    object([("coding", vec![coding(system, code)].into())])
}

fn extension(url: &str, kind: &str, value: Value) -> Value {
    object([("url", url.into()), (kind, value)])
}

fn extend(url: &str, leaf: Leaf, value: &Value, out: &mut Vec<Value>) -> Result<(), FhirError> {
    let value = value.clone();
    out.push(match leaf {
        Leaf::Codes => {
            let codes = value.texts();
            out.extend(codes.map(|c| extension(url, "valueCode", c.into())));
            return Ok(());
        }
        Leaf::Group(parts) => {
            let mut inner = Vec::new();
            for (name, leaf) in parts {
                if let Some(part) = value.get(name) {
                    extend(name, *leaf, part, &mut inner)?;
                }
            }
            object([("url", url.into()), ("extension", inner.into())])
        }
        Leaf::Time => extension(url, "valueDateTime", moment(value.int().unwrap_or(0))?),
        Leaf::Number => extension(url, "valueDecimal", value),
        Leaf::Flag => extension(url, "valueBoolean", value),
        Leaf::Code => extension(url, "valueCode", value),
        Leaf::Text => extension(url, "valueString", value),
        Leaf::Uri => extension(url, "valueUri", value),
    });
    Ok(())
}

pub(crate) fn moment(at: u64) -> Result<Value, FhirError> {
    date_time(at).map(Value::from).ok_or(FhirError::Time)
}

#[expect(clippy::unnecessary_wraps, reason = "the form of a row")]
fn some(value: Value) -> Result<Option<Value>, FhirError> {
    Ok(Some(value))
}

fn text(value: &str) -> Result<Option<Value>, FhirError> {
    some(value.into())
}

#[expect(clippy::unnecessary_wraps, reason = "the form of a row")]
fn list(items: Vec<Value>) -> Result<Option<Value>, FhirError> {
    Ok((!items.is_empty()).then_some(items.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::names;

    #[test]
    fn every_claim_has_its_place() {
        let rows = || ROOT.iter().chain(RULE).map(|(claims, _, _)| *claims);
        for typ in [Typ::Grant, Typ::Deny, Typ::Objection] {
            for claim in names(typ) {
                let place = rows().any(|c| c.split(", ").any(|c| c == claim))
                    || EXTRAS.iter().any(|e| e.claim == claim)
                    || claim == "anx"
                    // The version of the profile: it stands in the token only.
                    || claim == "v";
                assert!(place, "{claim} of {}", typ.wire());
            }
        }
    }
}
