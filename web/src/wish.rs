//! S9, S10: what a person decides unasked, from the choice to the text that is signed: an objection to
//! secondary use, consent in advance for emergencies, "not even then", and the ends of these.

use std::collections::BTreeSet;

use warifu_consent::json::{Value, object};
use warifu_consent::{Annex, Consent, Policy, Reason, Refusal, Typ, b64, bind_text, text_of};

use crate::care::{Books, Given, Mine};
use crate::model::Moment;
use crate::text::Lang;
use crate::wizard::{Bound, LONGEST_DAYS, Until};

/// Purposes of an emergency.
const EMERGENCY: [&str; 2] = ["DISASTER", "ETREAT"];
/// Every institution, in emergencies and disasters only.
pub const ANYWHERE: &str = "mi:*";
/// Seconds between the first reading of a consent to every institution and its signature: it is read
/// twice (consent.md §13).
pub const SECOND_LOOK: u64 = 600;

/// A page of S9 or S10.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WishStep {
    /// How it is, and what can be chosen.
    Start,
    /// Which records.
    What,
    /// Until when.
    Until,
    /// Read and sign.
    Sign,
    /// Signed.
    Done,
}

impl WishStep {
    /// End of the address.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Start => "",
            Self::What => "/what",
            Self::Until => "/until",
            Self::Sign => "/sign",
            Self::Done => "/done",
        }
    }
}

/// What is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// 使わないでほしい
    Object,
    /// 使ってよい, after an objection.
    Allow,
    /// 前もって見せておく: what is not individual.
    Advance,
    /// The same for one individual category.
    AdvanceOne(String),
    /// 救急でも見せない
    Never,
    /// The end of that: the `jti` of the prohibition.
    NotNever(String),
}

impl Wish {
    /// Type of the token.
    pub const fn typ(&self) -> Typ {
        match self {
            Self::Object | Self::Allow => Typ::Objection,
            Self::Advance | Self::AdvanceOne(_) => Typ::Grant,
            Self::Never => Typ::Deny,
            Self::NotNever(_) => Typ::Revoke,
        }
    }

    /// Whether it opens records to every institution, and is read twice.
    pub const fn is_wide(&self) -> bool {
        matches!(self, Self::Advance | Self::AdvanceOne(_))
    }

    /// Whether the server gives it a nonce.
    pub const fn has_nonce(&self) -> bool {
        !matches!(self, Self::Object | Self::Allow)
    }

    /// Whether it is about secondary use, else about emergencies.
    pub const fn is_secondary(&self) -> bool {
        matches!(self, Self::Object | Self::Allow)
    }

    /// The page before one.
    pub const fn before(&self, step: WishStep) -> WishStep {
        match (self, step) {
            (Self::Advance, WishStep::Until) => WishStep::What,
            (Self::Advance | Self::AdvanceOne(_), WishStep::Sign) => WishStep::Until,
            _ => WishStep::Start,
        }
    }
}

/// The choices so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What is decided.
    pub wish: Wish,
    /// Categories that were ticked.
    pub cats: BTreeSet<String>,
    /// The end.
    pub until: Option<Until>,
    /// The day that was picked.
    pub picked: String,
    /// From when it can be signed, where it is read twice.
    pub look: Option<u64>,
    /// Nonce and status, as the server gave them.
    pub nonce: Option<(String, Value)>,
    /// Text and claims.
    pub bound: Option<Bound>,
    /// On its way.
    pub busy: bool,
}

impl Plan {
    /// Nothing chosen (P2); of an individual category, that one.
    pub fn new(wish: Wish) -> Self {
        let cats = match &wish {
            Wish::AdvanceOne(cat) => BTreeSet::from([cat.clone()]),
            _ => BTreeSet::new(),
        };
        Self {
            wish,
            cats,
            until: None,
            picked: String::new(),
            look: None,
            nonce: None,
            bound: None,
            busy: false,
        }
    }

    /// Nothing is ready to be signed any more.
    pub fn loosen(&mut self) {
        self.nonce = None;
        self.bound = None;
        self.busy = false;
    }

    /// Whether it can be signed now.
    pub fn is_ready(&self) -> bool {
        let nonce = self.nonce.is_some() || !self.wish.has_nonce();
        self.bound.is_some() && nonce
    }

    /// Text and claims, as far as they are known: before there is a nonce, the text to read.
    ///
    /// # Errors
    /// Why there is nothing to read.
    pub fn bind(
        &self,
        books: &Books,
        mine: &Mine,
        lang: Lang,
        act: Option<Value>,
        moment: &Moment,
    ) -> Result<Bound, Refusal> {
        let half = |from: usize| -> [u8; 16] {
            let bytes = moment.random.get(from..from + 16);
            bytes.and_then(|b| b.try_into().ok()).unwrap_or([0; 16])
        };
        let annex = Annex::empty(half(16));
        let typ = self.wish.typ();
        let now = moment.now;
        let mut claims = vec![
            ("sub", mine.sub.as_str().into()),
            ("iat", now.into()),
            ("jti", b64::encode(&half(0)).into()),
        ];
        let list =
            |all: &[&str]| Value::from(all.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>());
        match &self.wish {
            Wish::Object | Wish::Allow => {
                let on = self.wish == Wish::Object;
                claims.extend([
                    ("seq", mine.seq.into()),
                    ("pur", optional_purposes(&books.policy).into()),
                    ("to", list(&["*"])),
                    ("src", list(&["*"])),
                    ("state", if on { "on" } else { "off" }.into()),
                ]);
            }
            Wish::Advance | Wish::AdvanceOne(_) => {
                let longest = books.policy.longest_days.min(LONGEST_DAYS);
                let ends = self.until.and_then(|u| u.ends(now, &self.picked, longest));
                let exp = ends.ok_or(Reason::ClaimRange.of("exp"))?;
                let cats: Vec<String> = self.cats.iter().cloned().collect();
                claims.extend([
                    ("aud", list(&[ANYWHERE])),
                    ("pur", list(&EMERGENCY)),
                    ("cat", cats.into()),
                    ("dat", object([])),
                    ("nbf", now.into()),
                    ("exp", exp.into()),
                    ("obl", list(&["NORDSCLCD"])),
                ]);
            }
            Wish::Never => claims.extend([
                ("nbf", now.into()),
                ("aud", list(&["*"])),
                ("pur", list(&EMERGENCY)),
                ("cat", list(&["*"])),
                ("emg", true.into()),
            ]),
            Wish::NotNever(jti) => {
                claims.extend([("rev", jti.as_str().into()), ("rsn", "withdrawn".into())]);
            }
        }
        if let Some((nonce, status)) = &self.nonce {
            claims.push(("nonce", nonce.as_str().into()));
            if typ != Typ::Revoke {
                claims.push(("status", status.clone()));
            }
        }
        if let Some(act) = act {
            claims.push(("act", act));
        }
        let mut claims = Value::Object(
            claims
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        );
        let (id, ver) = text_of(&books.policy, typ, &claims).map_err(|r| r.of("txt"))?;
        let shown = object([
            ("id", id.into()),
            ("ver", ver.into()),
            ("lang", lang.name().into()),
            ("m", books.master.version.into()),
            ("h", "".into()),
        ]);
        if let Value::Object(members) = &mut claims {
            members.insert("txt".to_owned(), shown);
        }
        let with = (typ == Typ::Grant).then_some(&annex);
        let (claims, text) = bind_text(&books.policy, &books.master, typ, claims, with)?;
        Ok(Bound {
            claims,
            text,
            annex,
            lang,
        })
    }
}

/// Purposes that go on unless the person objects.
pub fn optional_purposes(policy: &Policy) -> Vec<String> {
    let all = policy.purposes().filter(|named| {
        let purpose = policy.purpose(&named.code);
        purpose.and_then(|p| policy.consent(p)) == Some(Consent::OptOut)
    });
    let mut all: Vec<String> = all.map(|named| named.code.clone()).collect();
    all.sort_unstable();
    all
}

/// Categories of the emergency set: those that are decided together, and those that are decided apart.
pub fn emergency_categories(policy: &Policy) -> (Vec<String>, Vec<String>) {
    let all = policy.category_codes(policy.emergency()).into_iter();
    let single: BTreeSet<String> = policy
        .category_codes(policy.individual())
        .into_iter()
        .collect();
    all.partition(|c| !single.contains(c))
}

/// How secondary use stands: per purpose, the newest objection for everybody and every source.
pub fn objected(mine: &Mine, policy: &Policy) -> BTreeSet<String> {
    let mut newest: Vec<(String, u64, bool)> = Vec::new();
    for one in &mine.objections {
        for pur in &one.pur {
            let codes = if pur == "*" {
                optional_purposes(policy)
            } else {
                vec![pur.clone()]
            };
            for code in codes {
                match newest.iter_mut().find(|(c, ..)| *c == code) {
                    Some(known) if known.1 >= one.seq => {}
                    Some(known) => (known.1, known.2) = (one.seq, one.on),
                    None => newest.push((code, one.seq, one.on)),
                }
            }
        }
    }
    let on = newest.into_iter().filter(|(_, _, on)| *on);
    on.map(|(code, ..)| code).collect()
}

/// The prohibition in force that holds in emergencies too.
pub fn never(mine: &Mine, now: u64) -> Option<&Given> {
    mine.given.iter().rev().find(|g| {
        let emergency = g.token.claims.get("emg").is_some_and(Value::is_true);
        let over = g.token.int("exp").is_some_and(|exp| exp <= now);
        g.token.typ == Typ::Deny && emergency && g.ended.is_none() && !over
    })
}

/// Consents in advance that are in force.
pub fn advance(mine: &Mine, now: u64) -> impl Iterator<Item = &Given> {
    mine.open(now)
        .filter(|g| g.list("aud").iter().any(|a| a == ANYWHERE))
}
