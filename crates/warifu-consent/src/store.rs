//! From accepted tokens to the state that decides: what a store kept, and no more (consent.md §7.1).

use warifu_order::Set;

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

/// The log as the witness of what a store keeps: each wish of a person has a line, and each such line has
/// its token. A withdrawal that was lost, or a grant that nobody logged, must open nothing (§7.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Witness {
    logged: Set<String>,
    kept: Set<String>,
}

/// What log and store do not agree about: the hash of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disagreement {
    /// The log tells of it, and the store lacks it.
    Lost(String),
    /// The store has it, and the log lacks its line.
    Unheard(String),
}

impl Witness {
    /// A line of the log, by its `kind` and `tok`; kinds that tell of no wish are passed over.
    pub fn line(&mut self, kind: &str, tok: &str) {
        if matches!(kind, "grant" | "deny" | "revoke" | "objection") {
            self.logged.insert(tok.to_owned());
        }
    }

    /// How many wishes the log told of.
    pub fn lines(&self) -> usize {
        self.logged.len()
    }

    /// A token of the store, by its type and hash; types that are no wish are passed over.
    pub fn token(&mut self, typ: Typ, tok: &str) {
        let is_wish = matches!(
            typ,
            Typ::Grant | Typ::Onward | Typ::Deny | Typ::Revoke | Typ::Objection
        );
        if is_wish {
            self.kept.insert(tok.to_owned());
        }
    }

    /// Compares both.
    ///
    /// # Errors
    /// The first hash that only one of them has: nothing may be decided.
    pub fn agree(&self) -> Result<(), Disagreement> {
        if let Some(lost) = self.logged.iter().find(|t| !self.kept.contains(*t)) {
            return Err(Disagreement::Lost(lost.clone()));
        }
        match self.kept.iter().find(|t| !self.logged.contains(*t)) {
            Some(unheard) => Err(Disagreement::Unheard(unheard.clone())),
            None => Ok(()),
        }
    }
}

/// State of one person from what was kept. A grant without its annex, or one that names what the policy
/// does not know, opens nothing; a prohibition or an objection that names such a thing closes
/// everything, and its withdrawal opens nothing.
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
            Typ::Deny => state.denials.push(denial(policy, k, end)),
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

fn purposes(policy: &Policy, claims: &Value) -> Option<Bits> {
    policy.purpose_set(claims.get("pur")?.texts())
}

fn categories(policy: &Policy, claims: &Value) -> Option<Bits> {
    policy.category_set(claims.get("cat")?.texts())
}

fn every_purpose(policy: &Policy) -> Bits {
    policy.purpose_set(["*"].into_iter()).unwrap_or(Bits::NONE)
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
    let (pur, cat) = (purposes(policy, c)?, categories(policy, c)?);
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
        texts: root
            .token
            .claims
            .get("txt")
            .and_then(|t| t.get("ver")?.int())?,
    })
}

fn denial(policy: &Policy, k: &Kept, ended: bool) -> Denial {
    let c = &k.token.claims;
    Denial {
        jti: k.token.text("jti").to_owned(),
        aud: codes(c, "aud"),
        pur: purposes(policy, c).unwrap_or_else(|| every_purpose(policy)),
        cat: categories(policy, c).unwrap_or_else(|| policy.all_categories()),
        nbf: k.token.int("nbf").unwrap_or(0),
        exp: k.token.int("exp"),
        emg: c.get("emg").is_some_and(Value::is_true),
        ended,
        status_age: k.status_age,
    }
}

fn objection(policy: &Policy, k: &Kept) -> Option<Objection> {
    let c = &k.token.claims;
    let on = k.token.text("state") == "on";
    let unknown = || {
        if on {
            every_purpose(policy)
        } else {
            Bits::NONE
        }
    };
    Some(Objection {
        kid: k.token.kid.clone(),
        received: k.received,
        seq: k.token.int("seq")?,
        pur: purposes(policy, c).unwrap_or_else(unknown),
        to: codes(c, "to"),
        src: codes(c, "src"),
        on,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use crate::claims::SignerClass;

    fn kept(typ: Typ, claims: &str) -> Kept {
        Kept {
            token: Opened {
                typ,
                class: SignerClass::Patient,
                kid: "k".to_owned(),
                claims: crate::json::read(claims.as_bytes(), 4).unwrap(),
                hash: "h".to_owned(),
            },
            received: 10,
            annex: Some(Annex::empty([0; 16])),
            used: 0,
            institution: None,
            status_age: None,
        }
    }

    #[test]
    fn log_and_store_have_to_agree() {
        let mut witness = Witness::default();
        witness.line("grant", "g");
        witness.line("disclose", "");
        witness.token(Typ::Key, "k");
        assert_eq!(witness.agree(), Err(Disagreement::Lost("g".to_owned())));
        witness.token(Typ::Grant, "g");
        assert_eq!(witness.agree(), Ok(()));
        witness.token(Typ::Revoke, "r");
        assert_eq!(witness.agree(), Err(Disagreement::Unheard("r".to_owned())));
        witness.line("revoke", "r");
        assert_eq!(witness.agree(), Ok(()));
    }

    #[test]
    fn what_the_policy_does_not_know_closes_and_never_opens() {
        let policy = Policy::reference().unwrap();
        let claims = |more: &str| {
            format!(
                r#"{{"sub":"s","jti":"j","pur":["gone"],"cat":["gone.x"],"aud":["*"],"nbf":1,"exp":99{more}}}"#
            )
        };
        let objection = |state: &str| {
            format!(
                r#"{{"sub":"s","jti":"j{state}","seq":1,"pur":["gone"],"to":["*"],"src":["*"],"state":"{state}"}}"#
            )
        };
        let all = [
            kept(Typ::Grant, &claims("")),
            kept(Typ::Deny, &claims("")),
            kept(Typ::Objection, &objection("on")),
            kept(Typ::Objection, &objection("off")),
        ];
        let state = state_of(&policy, "s", &all, Vec::new(), Vec::new());
        assert!(state.grants.is_empty());
        let [denial] = state.denials.as_slice() else {
            panic!("the prohibition counts");
        };
        assert_eq!(denial.cat, policy.all_categories());
        assert_eq!(denial.pur, every_purpose(&policy));
        assert_ne!(denial.pur, Bits::NONE);
        let purposes: Vec<Bits> = state.objections.iter().map(|o| o.pur).collect();
        assert_eq!(purposes, [every_purpose(&policy), Bits::NONE]);
    }
}
