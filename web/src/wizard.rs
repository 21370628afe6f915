//! S5: from a request to a signed grant. Nothing but reads is sent before signing or refusing.

use std::collections::BTreeSet;

use warifu_consent::json::{Value, object};
use warifu_consent::{Annex, Date, Refusal, Typ, b64, bind_text, text_of};

use crate::care::{Books, Waiting};
use crate::model::Moment;
use crate::text::Lang;
use crate::time::DAY;

/// A page of the wizard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Who asks.
    Who,
    /// What for.
    Why,
    /// Which records.
    What,
    /// Until when.
    Until,
    /// Read and sign.
    Sign,
    /// Signed.
    Done,
    /// Refused.
    Refused,
}

impl Step {
    /// All, with their names in addresses.
    pub const ALL: [(&'static str, Self); 7] = [
        ("who", Self::Who),
        ("why", Self::Why),
        ("what", Self::What),
        ("until", Self::Until),
        ("sign", Self::Sign),
        ("done", Self::Done),
        ("refused", Self::Refused),
    ];

    /// Name in addresses.
    pub fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, s)| *s == self);
        found.map_or("who", |(name, _)| name)
    }

    /// The page before; none leads out of the wizard.
    pub fn before(self, individual: bool) -> Option<Self> {
        Some(match self {
            Self::Why => Self::Who,
            Self::What => Self::Why,
            Self::Until if individual => Self::Who,
            Self::Until => Self::What,
            Self::Sign => Self::Until,
            _ => return None,
        })
    }

    /// Its place among the five, where it has one.
    pub fn place(self) -> Option<usize> {
        Some(match self {
            Self::Who => 1,
            Self::Why => 2,
            Self::What => 3,
            Self::Until => 4,
            Self::Sign => 5,
            _ => return None,
        })
    }
}

/// An end that was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// This visit.
    Day,
    /// 90 days.
    Quarter,
    /// One year.
    Year,
    /// A day that is picked.
    Pick,
}

impl Until {
    /// When it is over; `None` for a day that is still to be picked.
    pub fn ends(self, now: u64, picked: &str) -> Option<u64> {
        match self {
            Self::Day => Some(now + DAY),
            Self::Quarter => Some(now + 90 * DAY),
            Self::Year => Some(now + 365 * DAY),
            // The whole day counts.
            Self::Pick => {
                let end = Date::parse(picked)?.starts() + DAY;
                (end > now && end - now <= 5 * 365 * DAY).then_some(end)
            }
        }
    }
}

/// What is shown and will be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// Claims with the hash of the text.
    pub claims: Value,
    /// The text.
    pub text: String,
    /// The annex.
    pub annex: Annex,
}

/// The choices so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What is asked.
    pub asked: Waiting,
    /// Categories that were ticked.
    pub cats: BTreeSet<String>,
    /// The end.
    pub until: Option<Until>,
    /// The day that was picked.
    pub picked: String,
    /// Text and claims, once the request token is there.
    pub bound: Option<Bound>,
    /// On its way.
    pub busy: bool,
}

impl Draft {
    /// Nothing chosen (P2); of a request for one individual category, that category.
    pub fn new(asked: Waiting) -> Self {
        let cats = if asked.individual {
            asked.cat.iter().cloned().collect()
        } else {
            BTreeSet::new()
        };
        Self {
            asked,
            cats,
            until: None,
            picked: String::new(),
            bound: None,
            busy: false,
        }
    }

    /// Text and claims for a minted request token.
    ///
    /// # Errors
    /// `None` inside: the token asks for something else than was shown. Outside: nothing can be shown.
    pub fn bind(
        &self,
        books: &Books,
        token: &Value,
        lang: Lang,
        moment: &Moment,
    ) -> Result<Bound, Option<Refusal>> {
        let texts = |name: &str| -> Vec<String> {
            let all = token.get(name).map(|l| l.texts().map(str::to_owned));
            all.map(Iterator::collect).unwrap_or_default()
        };
        let covers = |name: &str, shown: &[String]| texts(name) == shown;
        if !covers("aud", &self.asked.aud)
            || !covers("pur", &self.asked.pur)
            || !self.cats.iter().all(|c| texts("cat").contains(c))
        {
            return Err(None);
        }
        let ends = self.until.and_then(|u| u.ends(moment.now, &self.picked));
        let (Some(exp), false) = (ends, self.cats.is_empty()) else {
            return Err(None);
        };
        let half = |from: usize| -> [u8; 16] {
            let bytes = moment.random.get(from..from + 16);
            bytes.and_then(|b| b.try_into().ok()).unwrap_or([0; 16])
        };
        let annex = Annex::empty(half(16));
        let claim = |name: &str| token.get(name).cloned().unwrap_or(Value::Null);
        let cats: Vec<String> = self.cats.iter().cloned().collect();
        if token.get("dat").cloned().unwrap_or(Value::Null) != self.asked.dat
            && self.asked.dat != object([])
        {
            return Err(None);
        }
        let dat = token.get("dat").cloned().unwrap_or_else(|| object([]));
        let mut claims = object([
            ("sub", claim("sub")),
            ("aud", claim("aud")),
            ("pur", claim("pur")),
            ("cat", cats.into()),
            ("dat", dat),
            ("iat", moment.now.into()),
            ("nbf", moment.now.into()),
            ("exp", exp.into()),
            ("jti", b64::encode(&half(0)).into()),
            ("nonce", claim("nonce")),
            ("obl", vec!["NORDSCLCD".to_owned()].into()),
            ("status", claim("status")),
        ]);
        let (id, ver) = text_of(&books.policy, Typ::Grant, &claims).map_err(|r| Some(r.into()))?;
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
        let (claims, text) = bind_text(
            &books.policy,
            &books.master,
            Typ::Grant,
            claims,
            Some(&annex),
        )
        .map_err(Some)?;
        Ok(Bound {
            claims,
            text,
            annex,
        })
    }
}

/// Claims of a revoke: no reason is asked for.
pub fn revoke(sub: &str, jti: &str, moment: &Moment) -> Value {
    let own = moment.random.get(..16).unwrap_or_default();
    object([
        ("sub", sub.into()),
        ("iat", moment.now.into()),
        ("jti", b64::encode(own).into()),
        ("rev", jti.into()),
        ("rsn", "withdrawn".into()),
    ])
}
