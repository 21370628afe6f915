//! What is done at a desk for somebody who came without a key, or whose key is lost: the person was
//! identified anew, and the registry signs (consent.md §8.1).
//!
//! Consents end and objections are made; a prohibition ends with the text of its end, and a notice. What gives
//! somebody a right is the binding of a proxy, which the authority signs as at enrolment.

use warifu_consent::json::{Value, object};
use warifu_consent::{
    Date, KeyState, Lang, Ledger as _, Reason, SignerClass, Typ, bind_text, family, make, wire,
};
use warifu_log::Kind;

use crate::consent::{self, set};
use crate::office::{Office, TokenRow, Tx, View, fresh_id};
use crate::people;
use crate::problem::{Code, Problem};

/// Ways to identify a person at a desk.
pub const IDENTIFIED: [&str; 2] = ["counter", "jpki"];
/// Roles of proxies.
pub const PROXIES: [&str; 4] = ["adult_guardian", "delegate", "family", "guardian"];
/// Ages at which objections become a minor's own, and at which everything does.
const OF_OBJECTION: i32 = 16;
const OF_AGE: i32 = 18;

/// In place of a session: no cookie has this hash.
const DESK: &str = "desk";

/// Who stands at the desk, and how that is known.
#[derive(Debug, Clone, Copy)]
pub struct Visitor<'a> {
    /// Whose patient number it is: `mi:` and 10 digits.
    pub institution: &'a str,
    /// The number.
    pub patient: &'a str,
    /// One of [`IDENTIFIED`].
    pub identified: &'a str,
}

/// Something that a person decided, and that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its hash, by which it is named.
    pub tok: String,
    /// `consent-grant+jwt` and the like.
    pub typ: &'static str,
    /// Recipients, purposes and categories.
    pub codes: [Vec<String>; 3],
    /// When it was made, and when it ends by itself.
    pub at: u64,
    /// Absent where it has no end.
    pub ends: Option<u64>,
}

/// A key of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonKey {
    /// Its thumbprint.
    pub kid: String,
    /// `patient`, or the role of a proxy.
    pub role: String,
    /// `active`, `retired`, `compromised`.
    pub state: &'static str,
    /// When it was bound.
    pub since: u64,
}

/// What a proxy may, and until when.
#[derive(Debug, Clone, Default)]
pub struct Mandate<'a> {
    /// One of [`PROXIES`].
    pub role: &'a str,
    /// Day of birth of the represented person, whose records are held against it; a guardian's rights end by
    /// it.
    pub birth: &'a str,
    /// Categories and purposes; none for all of them, which a delegate never has.
    pub scope: Vec<String>,
}

/// What was done at the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// When.
    pub at: u64,
    /// The receipt, where a text was shown.
    pub receipt: Option<String>,
    /// Whether it had been done before.
    pub again: bool,
}

fn identified(visitor: &Visitor<'_>) -> Result<(), Problem> {
    if IDENTIFIED.contains(&visitor.identified) {
        Ok(())
    } else {
        Err(Code::Body.into())
    }
}

/// A grant or a prohibition of the person, by its hash.
fn decided(view: &View<'_>, sub: &str, tok: &str) -> Result<TokenRow, Problem> {
    let known = view.tokens("tok = ?1 AND sub = ?2", &[tok.into(), sub.into()])?;
    let known = known.into_iter().next();
    let known = known.filter(|k| matches!(k.opened.typ, Typ::Grant | Typ::Deny));
    Ok(known.ok_or(Code::NotFound)?)
}

/// What ends it.
fn withdrawal(view: &View<'_>, known: &TokenRow, lost: bool) -> Result<Value, Problem> {
    Ok(object([
        ("sub", known.opened.text("sub").into()),
        ("iat", view.now.into()),
        ("jti", fresh_id()?.into()),
        ("rev", known.opened.text("jti").into()),
        ("rsn", if lost { "key_lost" } else { "withdrawn" }.into()),
        ("by", "registry".into()),
    ]))
}

impl Office {
    /// The visitor's pseudonym; `NOT_FOUND` for somebody of whom nothing is kept.
    fn visitor(&self, view: &View<'_>, visitor: &Visitor<'_>) -> Result<String, Problem> {
        identified(visitor)?;
        let sub = self.pseudonym_at(visitor.institution, visitor.patient)?;
        view.sealer(&sub)?.ok_or(Code::NotFound)?;
        Ok(sub)
    }

    /// What a person decided and what holds of it, in its order.
    ///
    /// # Errors
    /// The store; `NOT_FOUND` for somebody of whom nothing is kept.
    pub fn standing(&self, visitor: &Visitor<'_>) -> Result<Vec<Standing>, Problem> {
        self.read(|view| {
            let sub = self.visitor(view, visitor)?;
            let mut all = Vec::new();
            let rows = view.tokens(
                "sub = ?1 AND typ IN (?2, ?3)",
                &[
                    sub.as_str().into(),
                    Typ::Grant.wire().into(),
                    Typ::Deny.wire().into(),
                ],
            )?;
            for row in rows {
                let ends = row.opened.int("exp");
                let ended = view.closed(&row)?.is_some();
                if ended || ends.is_some_and(|end| end <= view.now) {
                    continue;
                }
                let codes = ["aud", "pur", "cat"].map(|name| {
                    let codes = row
                        .opened
                        .claims
                        .get(name)
                        .into_iter()
                        .flat_map(Value::texts);
                    codes.map(str::to_owned).collect()
                });
                all.push(Standing {
                    tok: row.opened.hash.clone(),
                    typ: row.opened.typ.wire(),
                    codes,
                    at: row.at,
                    ends,
                });
            }
            Ok(all)
        })
    }

    /// The text by which a prohibition ends, as the person hears it; nothing for a consent, which ends without
    /// one: its end opens nothing.
    ///
    /// # Errors
    /// As of [`Self::withdraw_at_desk`].
    pub fn withdrawal_text(
        &self,
        visitor: &Visitor<'_>,
        tok: &str,
        lang: Lang,
    ) -> Result<Option<String>, Problem> {
        self.read(|view| {
            let sub = self.visitor(view, visitor)?;
            let known = decided(view, &sub, tok)?;
            if known.opened.typ != Typ::Deny {
                return Ok(None);
            }
            let claims = withdrawal(view, &known, false)?;
            Ok(Some(self.undeny(claims, lang)?.1))
        })
    }

    /// Ends a grant or a prohibition, by its hash. The line of the log tells how the person was identified. The
    /// end of a prohibition opens something: the person heard [`Self::withdrawal_text`], which is signed, and
    /// has a notice of it, as a line of the log (consent.md §3.0).
    ///
    /// # Errors
    /// The store; `NOT_FOUND` for what is no grant and no prohibition of the person.
    pub fn withdraw_at_desk(
        &self,
        visitor: &Visitor<'_>,
        tok: &str,
        lost: bool,
        lang: Lang,
    ) -> Result<Done, Problem> {
        self.write(|tx| {
            let sub = self.visitor(&tx.view, visitor)?;
            let known = decided(&tx.view, &sub, tok)?;
            let mut claims = withdrawal(&tx.view, &known, lost)?;
            let opens = known.opened.typ == Typ::Deny;
            if opens {
                let (nonce, _) = consent::issue(tx, DESK, "")?;
                set(&mut claims, "nonce", nonce);
                claims = self.undeny(claims, lang)?.0;
            }
            let done = self.signed(tx, Typ::Revoke, claims, visitor)?;
            if opens && !done.again {
                let members = [
                    ("what", "undeny".into()),
                    ("src", visitor.institution.into()),
                    ("hash", tok.into()),
                ];
                tx.line(Kind::Notice, Some(&sub), &members)?;
            }
            Ok(done)
        })
    }

    /// The end of a prohibition with its text.
    fn undeny(&self, mut claims: Value, lang: Lang) -> Result<(Value, String), Problem> {
        self.texted(Typ::Revoke, &mut claims, lang)?;
        Ok(bind_text(
            &self.policy,
            &self.master,
            Typ::Revoke,
            claims,
            None,
        )?)
    }

    /// Says which text the claims have, before it is bound.
    fn texted(&self, typ: Typ, claims: &mut Value, lang: Lang) -> Result<(), Problem> {
        let id = family(&self.policy, typ, claims)?;
        let text = object([
            ("id", id.into()),
            ("ver", self.policy.texts.into()),
            ("lang", lang.name().into()),
            ("m", self.master.version.into()),
            ("h", "".into()),
        ]);
        set(claims, "txt", text);
        Ok(())
    }

    /// The text of an objection to uses without names, as the person hears it.
    ///
    /// # Errors
    /// As of [`Self::object_at_desk`].
    pub fn objection_text(
        &self,
        visitor: &Visitor<'_>,
        uses: [&[String]; 3],
        lang: Lang,
    ) -> Result<String, Problem> {
        self.read(|view| Ok(self.objection(view, visitor, uses, lang)?.1))
    }

    /// Objects to uses without names: purposes, recipients and sources, none for all of them. The person heard
    /// [`Self::objection_text`].
    ///
    /// # Errors
    /// The store; the reason for which there is no such objection.
    pub fn object_at_desk(
        &self,
        visitor: &Visitor<'_>,
        uses: [&[String]; 3],
        lang: Lang,
    ) -> Result<Done, Problem> {
        self.write(|tx| {
            let (claims, _) = self.objection(&tx.view, visitor, uses, lang)?;
            self.signed(tx, Typ::Objection, claims, visitor)
        })
    }

    fn objection(
        &self,
        view: &View<'_>,
        visitor: &Visitor<'_>,
        [purposes, to, src]: [&[String]; 3],
        lang: Lang,
    ) -> Result<(Value, String), Problem> {
        identified(visitor)?;
        // Anybody may object, also before anything is kept (§12.2).
        let sub = self.pseudonym_at(visitor.institution, visitor.patient)?;
        let codes = |all: &[String]| {
            let mut all = all.to_vec();
            all.sort_unstable();
            all.dedup();
            if all.is_empty() {
                vec!["*".to_owned()]
            } else {
                all
            }
        };
        let mut claims = object([
            ("sub", sub.as_str().into()),
            ("iat", view.now.into()),
            ("jti", fresh_id()?.into()),
            ("seq", view.last_seq(&sub).map_or(0, |n| n + 1).into()),
            ("pur", codes(purposes).into()),
            ("to", codes(to).into()),
            ("src", codes(src).into()),
            ("state", "on".into()),
            ("by", "registry".into()),
        ]);
        self.texted(Typ::Objection, &mut claims, lang)?;
        Ok(bind_text(
            &self.policy,
            &self.master,
            Typ::Objection,
            claims,
            None,
        )?)
    }

    /// Signs as the registry, and keeps what was signed as if it had been sent.
    fn signed(
        &self,
        tx: &mut Tx<'_>,
        typ: Typ,
        claims: Value,
        visitor: &Visitor<'_>,
    ) -> Result<Done, Problem> {
        let token = make(typ, claims, self.signer("registry")?)?;
        let (taken, again) = consent::accepted(tx, DESK, &token, None, Some(visitor.identified))?;
        Ok(Done {
            at: taken.get("at").and_then(Value::int).unwrap_or(tx.view.now),
            receipt: taken
                .get("receipt")
                .and_then(Value::text)
                .map(str::to_owned),
            again,
        })
    }

    /// Keys that sign for a person, those of proxies included.
    ///
    /// # Errors
    /// The store; `NOT_FOUND` for somebody of whom nothing is kept.
    pub fn keys_at_desk(&self, visitor: &Visitor<'_>) -> Result<Vec<PersonKey>, Problem> {
        self.read(|view| {
            let sub = self.visitor(view, visitor)?;
            let mut all = Vec::new();
            for (row, binding) in view.bindings_of(&sub)? {
                let known = view.registered(&binding.kid)?;
                let Some(key) = known.iter().find(|k| k.class == SignerClass::Patient) else {
                    continue;
                };
                all.push(PersonKey {
                    kid: binding.kid,
                    role: binding.role,
                    state: wire::key_state_names(key.state).0,
                    since: row.at,
                });
            }
            Ok(all)
        })
    }

    /// Ends a key of the person: `retired`, or `compromised` where somebody else may have it, from `since` on
    /// (now, where there is none). Consents that came before stay, later ones close; what it closed stays
    /// closed whenever that was (consent.md §3.1).
    ///
    /// # Errors
    /// The store; `BODY` for another state, and for an instant to come; `NOT_FOUND` for a key that is not the
    /// person's own; `ANSWERED` where it had another end before: that never changes, but for an earlier
    /// instant of a key in wrong hands.
    pub fn end_key_at_desk(
        &self,
        visitor: &Visitor<'_>,
        kid: &str,
        state: &str,
        since: Option<u64>,
    ) -> Result<(), Problem> {
        self.write(|tx| {
            let sub = self.visitor(&tx.view, visitor)?;
            people::stop_key(tx, &sub, kid, state, since, Some(visitor.identified))
        })
    }

    /// Binds the keys of a proxy, who shows a code of the portal (`POST /api/code`), to the visitor, whom the
    /// proxy represents. Gives how many keys that were.
    ///
    /// # Errors
    /// The store; `CODE` for a code that is none; `BODY` for a mandate that is none; `BIRTH_DATE` and
    /// `NO_RECORD` as for enrolment; `PERSON` for somebody who would represent himself.
    pub fn bind_proxy(
        &self,
        visitor: &Visitor<'_>,
        code: &str,
        mandate: &Mandate<'_>,
    ) -> Result<usize, Problem> {
        let born = Date::parse(mandate.birth).ok_or(Code::Body)?;
        let mut scope = mandate.scope.clone();
        scope.sort_unstable();
        scope.dedup();
        let known = |code: &String| {
            self.policy.category(code).is_some() || self.policy.purpose(code).is_some()
        };
        let unbounded = mandate.role == "delegate" && scope.is_empty();
        if !PROXIES.contains(&mandate.role) || unbounded || !scope.iter().all(known) {
            return Err(Code::Body.into());
        }
        let mut more = Vec::new();
        if mandate.role == "guardian" {
            for (name, years) in [("until", OF_AGE), ("until_obj", OF_OBJECTION)] {
                let day = birthday(born, years).ok_or(Code::Body)?;
                more.push((name, Value::from(day)));
            }
        }
        if !scope.is_empty() {
            more.push(("scp", scope.into()));
        }
        self.write(|tx| {
            let sub = self.visitor(&tx.view, visitor)?;
            people::born(&tx.view, &sub, visitor.institution, mandate.birth)?;
            let proxy = people::take_desk_code(tx, code)?.ok_or(Code::EnrolCode)?;
            if proxy == sub {
                return Err(Code::Person.into());
            }
            let now = tx.view.now;
            let of_age = mandate.role == "guardian"
                && birthday(born, OF_AGE)
                    .is_some_and(|day| Date::parse(&day).is_none_or(|d| d <= Date::at(now)));
            if of_age {
                return Err(Reason::ProxyAgedOut.into());
            }
            let own: Vec<_> = tx.view.bindings_of(&proxy)?;
            let own = own
                .into_iter()
                .map(|(_, b)| b)
                .filter(|b| b.role == "patient" && b.sub == proxy && b.in_force(now));
            let mut count = 0;
            for binding in own {
                let known = tx.view.registered(&binding.kid)?;
                let key = known
                    .iter()
                    .find(|k| k.class == SignerClass::Patient && k.state == KeyState::Active);
                let Some(key) = key else { continue };
                let key = warifu_consent::PublicKey::from_x(&key.x).map_err(|_| Reason::KeyWeak)?;
                let bound = people::Bound {
                    role: mandate.role,
                    ial: visitor.identified,
                    proxy_for: Some(&sub),
                    more: &more,
                    what: "bound",
                };
                people::bind(tx, &key, &proxy, &bound)?;
                count += 1;
            }
            if count == 0 {
                return Err(Code::EnrolCode.into());
            }
            Ok(count)
        })
    }
}

/// The day on which somebody has an age; whoever was born on 29 February has it on 1 March in other years.
fn birthday(born: Date, years: i32) -> Option<String> {
    let (y, m, d) = born.parts();
    let day = format!("{:04}-{m:02}-{d:02}", y + years);
    let next = format!("{:04}-03-01", y + years);
    Date::parse(&day)
        .map(|_| day)
        .or_else(|| Date::parse(&next).map(|_| next))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn a_birthday_is_a_day_that_exists() {
        let of = |text: &str, years| birthday(Date::parse(text).unwrap(), years).unwrap();
        assert_eq!(of("2010-04-02", 18), "2028-04-02");
        assert_eq!(of("2012-02-29", 16), "2028-02-29");
        assert_eq!(of("2012-02-29", 18), "2030-03-01");
    }
}
