//! S5: from a request to a signed grant. Nothing but reads is sent before signing or refusing.

use std::collections::BTreeSet;

use warifu_consent::json::{Value, object};
use warifu_consent::{Annex, Date, Reason, Refusal, Typ, b64, bind_text, text_of};

use crate::care::{Books, Waiting};
use crate::model::Moment;
use crate::record::Record;
use crate::text::Lang;
use crate::time::DAY;

/// Days of the longest term that is offered.
pub const LONGEST_DAYS: u64 = 365;

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
    /// When it is over, for a term of at most `longest` days; `None` for one that is longer, and for a day
    /// that is still to be picked.
    pub fn ends(self, now: u64, picked: &str, longest: u64) -> Option<u64> {
        let end = match self {
            Self::Day => now + DAY,
            Self::Quarter => now + 90 * DAY,
            Self::Year => now + 365 * DAY,
            // The whole day counts.
            Self::Pick => Date::parse(picked)?.starts() + DAY,
        };
        (end > now && end - now <= longest.saturating_mul(DAY)).then_some(end)
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
    /// Its language.
    pub lang: Lang,
}

/// Why there is nothing to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unbound {
    /// The token asks for something else than was shown.
    Other,
    /// Texts or master are not those of the token.
    Stale,
    /// Nothing can be shown.
    Refused(Refusal),
}

/// Something that is left out of what the categories hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hidden {
    /// One record, by its key.
    Record(String),
    /// What comes from a facility.
    Facility(String),
    /// What bears a label.
    Label(String),
}

/// The choices so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What is asked.
    pub asked: Waiting,
    /// Categories that were ticked.
    pub cats: BTreeSet<String>,
    /// What is left out of them.
    pub hidden: BTreeSet<Hidden>,
    /// The end.
    pub until: Option<Until>,
    /// The day that was picked.
    pub picked: String,
    /// Claims of the request token.
    pub token: Option<Value>,
    /// Text and claims, once the request token is there.
    pub bound: Option<Bound>,
    /// Policy and master were read again for it.
    pub renewed: bool,
    /// On its way.
    pub busy: bool,
    /// Random bytes of a grant that nobody asked for: for a day, shown as QR without a network (consent.md §4.1).
    pub offered: Option<[u8; 32]>,
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
            hidden: BTreeSet::new(),
            until: None,
            picked: String::new(),
            token: None,
            bound: None,
            renewed: false,
            busy: false,
            offered: None,
        }
    }

    /// What nobody asked for: some categories for one institution, for a day.
    pub fn offer(to: &str, cat: Vec<String>, individual: bool, random: [u8; 32]) -> Self {
        let own = random.get(..16).unwrap_or_default();
        let asked = Waiting {
            req: b64::encode(own),
            group: String::new(),
            at: 0,
            aud: vec![to.to_owned()],
            pur: vec!["TREAT".to_owned()],
            cat,
            min: Vec::new(),
            dat: object([]),
            individual,
        };
        Self {
            until: Some(Until::Day),
            offered: Some(random),
            ..Self::new(asked)
        }
    }

    /// Its pages: the first one of an individual category tells who, why and what.
    fn pages(&self) -> &'static [Step] {
        match (self.asked.individual, self.offered.is_some()) {
            (false, false) => &[Step::Who, Step::Why, Step::What, Step::Until, Step::Sign],
            (true, false) => &[Step::Who, Step::Until, Step::Sign],
            (false, true) => &[Step::What, Step::Sign],
            (true, true) => &[Step::Who, Step::Sign],
        }
    }

    /// The page before; none leads out of the wizard.
    pub fn before(&self, step: Step) -> Option<Step> {
        let (at, _) = self.place(step)?;
        self.pages().get(at.checked_sub(2)?).copied()
    }

    /// The place of a page among them, and how many there are.
    pub fn place(&self, step: Step) -> Option<(usize, usize)> {
        let pages = self.pages();
        let at = pages.iter().position(|s| *s == step)?;
        Some((at + 1, pages.len()))
    }

    /// The page that lists what would be shown.
    pub fn preview_step(&self) -> Step {
        if self.asked.individual {
            Step::Who
        } else {
            Step::What
        }
    }

    /// The category under which a record stands: that of the own list, or the first that is asked for.
    pub fn kind_of<'r>(&'r self, r: &'r Record) -> &'r str {
        let asked = |c: &&String| self.asked.cat.contains(*c);
        let own = r.stands_under();
        if self.asked.cat.iter().any(|c| c == own) {
            return own;
        }
        r.cats.iter().find(asked).map_or(own, String::as_str)
    }

    /// What is left out, as the holder of the data gets it (consent.md §4.5).
    pub fn annex(&self, salt: [u8; 16]) -> Annex {
        let mut annex = Annex::empty(salt);
        for one in &self.hidden {
            let (list, code) = match one {
                Hidden::Record(key) => (&mut annex.res, key),
                Hidden::Facility(code) => (&mut annex.src, code),
                Hidden::Label(code) => (&mut annex.lbl, code),
            };
            list.push(code.clone());
        }
        annex
    }

    /// Nothing is ready to be signed any more.
    pub fn loosen(&mut self) {
        self.token = None;
        self.bound = None;
    }

    /// Whether a request token asks this person for what was shown, now.
    fn asks(&self, token: &Value, sub: &str, now: u64) -> bool {
        let text = |name: &str| token.get(name).and_then(Value::text);
        let same = |name: &str, shown: &[String]| {
            let all = token.get(name).map(Value::texts);
            all.is_some_and(|all| all.eq(shown.iter().map(String::as_str)))
        };
        // An absent window is one without ends.
        let window = |v: Option<&Value>| match v {
            None | Some(Value::Null) => object([]),
            Some(v) => v.clone(),
        };
        token.get("nonce").is_some()
            && token.get("status").is_some()
            && text("req") == Some(&self.asked.req)
            && text("sub") == Some(sub)
            && token
                .get("exp")
                .and_then(Value::int)
                .is_some_and(|exp| now < exp)
            && same("aud", &self.asked.aud)
            && same("pur", &self.asked.pur)
            && same("cat", &self.asked.cat)
            && window(token.get("dat")) == window(Some(&self.asked.dat))
            && self.cats.iter().all(|c| self.asked.cat.contains(c))
    }

    /// Text and claims for the request token.
    ///
    /// # Errors
    /// [`Unbound`]
    pub fn bind(
        &self,
        books: &Books,
        sub: &str,
        lang: Lang,
        act: Option<Value>,
        moment: &Moment,
    ) -> Result<Bound, Unbound> {
        // What is offered has no request, hence neither nonce nor status.
        let token = self.token.as_ref();
        if self.offered.is_none() && !token.is_some_and(|t| self.asks(t, sub, moment.now)) {
            return Err(Unbound::Other);
        }
        if !self.asked.aud.iter().all(|a| books.has(a)) {
            return Err(Unbound::Refused(Reason::AudUnknown.of("aud")));
        }
        let longest = books.policy.longest_days.min(LONGEST_DAYS);
        let ends = self.until;
        let ends = ends.and_then(|u| u.ends(moment.now, &self.picked, longest));
        let (Some(exp), false) = (ends, self.cats.is_empty()) else {
            return Err(Unbound::Other);
        };
        let half = |from: usize| -> [u8; 16] {
            let bytes = moment.random.get(from..from + 16);
            bytes.and_then(|b| b.try_into().ok()).unwrap_or([0; 16])
        };
        let annex = self.annex(half(16));
        let claim = |name: &str| token.and_then(|t| t.get(name)).cloned();
        let cats: Vec<String> = self.cats.iter().cloned().collect();
        let dat = claim("dat").unwrap_or_else(|| object([]));
        // They are those of the token, which was compared.
        let mut claims = object([
            ("sub", sub.into()),
            ("aud", self.asked.aud.clone().into()),
            ("pur", self.asked.pur.clone().into()),
            ("cat", cats.into()),
            ("dat", dat),
            ("iat", moment.now.into()),
            ("nbf", moment.now.into()),
            ("exp", exp.into()),
            ("jti", b64::encode(&half(0)).into()),
            ("obl", vec!["NORDSCLCD".to_owned()].into()),
        ]);
        let more = [
            ("act", act),
            ("nonce", claim("nonce")),
            ("status", claim("status")),
        ];
        if let Value::Object(members) = &mut claims {
            for (name, value) in more {
                members.extend(value.map(|v| (name.to_owned(), v)));
            }
        }
        let (id, ver) =
            text_of(&books.policy, Typ::Grant, &claims).map_err(|r| Unbound::Refused(r.into()))?;
        if let Some(token) = token {
            let txt = token.get("txt");
            let is = |name: &str, n: u64| txt.and_then(|t| t.get(name)?.int()) == Some(n);
            if !is("ver", ver) || !is("m", books.master.version) {
                return Err(Unbound::Stale);
            }
            let langs = txt.and_then(|t| t.get("langs")).map(Value::texts);
            let named = txt.and_then(|t| t.get("id")?.text());
            if named != Some(&id) || !langs.is_some_and(|mut l| l.any(|l| l == lang.name())) {
                return Err(Unbound::Other);
            }
        }
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
        .map_err(Unbound::Refused)?;
        Ok(Bound {
            claims,
            text,
            annex,
            lang,
        })
    }
}

/// Claims of a revoke: no reason is asked for.
pub fn revoke(sub: &str, jti: &str, act: Option<Value>, moment: &Moment) -> Value {
    let own = moment.random.get(..16).unwrap_or_default();
    let mut claims = object([
        ("sub", sub.into()),
        ("iat", moment.now.into()),
        ("jti", b64::encode(own).into()),
        ("rev", jti.into()),
        ("rsn", "withdrawn".into()),
    ]);
    if let (Value::Object(members), Some(act)) = (&mut claims, act) {
        members.insert("act".to_owned(), act);
    }
    claims
}
