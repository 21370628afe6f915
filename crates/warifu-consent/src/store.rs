//! From accepted tokens to the state that decides: what a store kept, and no more (consent.md §7.1).

use crate::accept::reaches;
use crate::annex::Annex;
use crate::claims::Typ;
use crate::date::Date;
use crate::decide::{Denial, Grant, Notice, Objection, State};
use crate::json::Value;
use crate::jws::{KeyState, Opened};
use crate::policy::{Bits, Policy};

/// An accepted token with what its store knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The token, opened.
    pub token: Opened,
    /// When the log received it.
    pub received: u64,
    /// The annex of a grant.
    pub annex: Option<Annex>,
    /// Disclosures made under it so far.
    pub used: u64,
    /// Code of the institution whose key signed an onward grant.
    pub institution: Option<String>,
    /// Age in seconds of the status list that tells of it; absent where revokes are kept.
    pub status_age: Option<u64>,
}

/// State of one person from what was kept: grants without their annex, and tokens that name what the
/// policy does not know, give nothing.
pub fn state_of<'p>(
    policy: &'p Policy,
    sub: &str,
    kept: &[Kept],
    notices: Vec<Notice>,
    keys: Vec<(String, KeyState)>,
) -> State<'p> {
    let mut state = State {
        policy,
        grants: Vec::new(),
        denials: Vec::new(),
        objections: Vec::new(),
        notices,
        keys,
    };
    let own = || kept.iter().filter(|k| k.token.text("sub") == sub);
    let ended = |jti: &str| {
        own().any(|k| k.token.typ == Typ::Revoke && !jti.is_empty() && k.token.text("rev") == jti)
    };
    for k in own() {
        let end = ended(k.token.text("jti"));
        match k.token.typ {
            Typ::Grant => state.grants.extend(grant(policy, k, k, end, None)),
            Typ::Onward => {
                let parent = own()
                    .find(|p| p.token.typ == Typ::Grant && p.token.hash == k.token.text("par"));
                // The signer has to be a recipient of the parent; so it was when this was accepted.
                if let (Some(parent), Some(signer)) = (parent, &k.institution)
                    && reaches(&parent.token.claims, signer)
                {
                    let from = (parent.token.hash.clone(), signer.clone());
                    state
                        .grants
                        .extend(grant(policy, k, parent, end, Some(from)));
                }
            }
            Typ::Deny => state.denials.extend(denial(policy, k, end)),
            Typ::Objection => state.objections.extend(objection(policy, k)),
            _ => {}
        }
    }
    state
}

fn codes(claims: &Value, name: &str) -> Vec<String> {
    claims
        .get(name)
        .map(|c| c.texts().map(str::to_owned).collect())
        .unwrap_or_default()
}

fn sets(policy: &Policy, claims: &Value) -> Option<(Bits, Bits)> {
    let purposes = policy.purpose_set(claims.get("pur")?.texts())?;
    Some((purposes, policy.category_set(claims.get("cat")?.texts())?))
}

/// `root` holds annex, uses and counter: the grant itself, or the parent of an onward grant.
fn grant(
    policy: &Policy,
    k: &Kept,
    root: &Kept,
    ended: bool,
    parent: Option<(String, String)>,
) -> Option<Grant> {
    let c = &k.token.claims;
    let (pur, cat) = sets(policy, c)?;
    let date = |end: &str| {
        c.get("dat")
            .and_then(|d| d.get(end)?.text().and_then(Date::parse))
    };
    let most = root
        .token
        .claims
        .get("use")
        .and_then(|u| u.get("max")?.int());
    Some(Grant {
        jti: k.token.text("jti").to_owned(),
        hash: k.token.hash.clone(),
        kid: k.token.kid.clone(),
        received: k.received,
        aud: codes(c, "aud"),
        pur,
        cat,
        window: (date("from"), date("to")),
        recorded: c.get("rec").and_then(|r| r.get("to")?.int()),
        nbf: k.token.int("nbf")?,
        exp: k.token.int("exp")?,
        annex: root.annex.clone()?,
        obl: codes(c, "obl"),
        uses_left: most.map(|m| m.saturating_sub(root.used)),
        ended,
        status_age: k.status_age,
        parent,
    })
}

fn denial(policy: &Policy, k: &Kept, ended: bool) -> Option<Denial> {
    let c = &k.token.claims;
    let (pur, cat) = sets(policy, c)?;
    Some(Denial {
        jti: k.token.text("jti").to_owned(),
        aud: codes(c, "aud"),
        pur,
        cat,
        nbf: k.token.int("nbf")?,
        exp: k.token.int("exp"),
        emg: c.get("emg").is_some_and(Value::is_true),
        ended,
        status_age: k.status_age,
    })
}

fn objection(policy: &Policy, k: &Kept) -> Option<Objection> {
    let c = &k.token.claims;
    Some(Objection {
        kid: k.token.kid.clone(),
        received: k.received,
        seq: k.token.int("seq")?,
        pur: policy.purpose_set(c.get("pur")?.texts())?,
        to: codes(c, "to"),
        src: codes(c, "src"),
        on: k.token.text("state") == "on",
    })
}
