//! The decision: one total, pure function with a reason for every answer (consent.md §7).
//!
//! Everything in [`State`] is verified already; `at` is in the request.

use crate::annex::Annex;
use crate::date::Date;
use crate::jws::KeyState;
use crate::policy::{Bits, Consent, Policy, Purpose};

/// A grant in force or not, as the decision sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its `jti`.
    pub jti: String,
    /// Token hash.
    pub hash: String,
    /// Thumbprint of the key that signed it.
    pub kid: String,
    /// When the log received it.
    pub received: u64,
    /// Recipients.
    pub aud: Vec<String>,
    /// Purposes.
    pub pur: Bits,
    /// Categories.
    pub cat: Bits,
    /// First and last day of clinical dates.
    pub window: (Option<Date>, Option<Date>),
    /// Only what was recorded by then.
    pub recorded: Option<u64>,
    /// First second of validity.
    pub nbf: u64,
    /// First second after it.
    pub exp: u64,
    /// What is left out.
    pub annex: Annex,
    /// Obligations.
    pub obl: Vec<String>,
    /// Disclosures left; absent = without limit.
    pub uses_left: Option<u64>,
    /// A revoke of it is known.
    pub ended: bool,
    /// Age in seconds of the list that says so; absent at the server that keeps the state itself,
    /// and for grants without a status.
    pub status_age: Option<u64>,
    /// Token hash of the parent and institution that signed, for an onward grant.
    pub parent: Option<(String, String)>,
    /// Version of texts that the person saw (`txt.ver`): it pins the table of categories.
    pub texts: u64,
}

/// A prohibition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// Its `jti`.
    pub jti: String,
    /// Recipients; `*` is everyone.
    pub aud: Vec<String>,
    /// Purposes.
    pub pur: Bits,
    /// Categories.
    pub cat: Bits,
    /// First second of validity.
    pub nbf: u64,
    /// First second after it; absent = until it is ended.
    pub exp: Option<u64>,
    /// Holds in emergencies too.
    pub emg: bool,
    /// A revoke of it is known.
    pub ended: bool,
    /// Age of the list that says so.
    pub status_age: Option<u64>,
}

/// An objection or its withdrawal (§12.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// Thumbprint of the key that signed it.
    pub kid: String,
    /// When the log received it.
    pub received: u64,
    /// Order among this person's objections.
    pub seq: u64,
    /// Purposes.
    pub pur: Bits,
    /// Bodies; `*` is every one.
    pub to: Vec<String>,
    /// Sources; `*` is every one.
    pub src: Vec<String>,
    /// `on`, else `off`.
    pub on: bool,
}

/// A notice of opt-out use that reached the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Who sent it.
    pub src: String,
    /// When.
    pub at: u64,
}

/// Everything known of one person's consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State<'p> {
    /// The policy in force.
    pub policy: &'p Policy,
    /// Grants and onward grants.
    pub grants: Vec<Grant>,
    /// Prohibitions.
    pub denials: Vec<Denial>,
    /// Objections, in any order.
    pub objections: Vec<Objection>,
    /// Notices.
    pub notices: Vec<Notice>,
    /// States of keys that are not simply active.
    pub keys: Vec<(String, KeyState)>,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// The person, for own data.
    Subject,
    /// A bound proxy.
    Proxy {
        /// What the proxy may see; absent = everything.
        scope: Option<Bits>,
        /// The represented person is 16 or older.
        sixteen: bool,
    },
    /// A recipient, by code.
    Recipient(String),
}

/// How it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// As usual.
    Normal,
    /// 救急
    BreakGlass {
        /// The assertion was verified.
        valid: bool,
        /// The facility is 救急.
        facility: bool,
        /// Role of the person.
        role: String,
    },
    /// 災害
    Disaster {
        /// An activation covers facility and time.
        active: bool,
    },
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub who: Who,
    /// What for; absent = unknown.
    pub purpose: Option<Purpose>,
    /// How.
    pub mode: Mode,
    /// When, seconds UTC.
    pub at: u64,
}

/// Where an item comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// 電子カルテ
    Ehr,
    /// レセプト
    Claims,
    /// The person's own record.
    Phr,
}

/// Whether the person was told of a diagnosis (告知).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Positively recorded.
    Yes,
    /// Recorded as not.
    No,
    /// Not recorded.
    Unknown,
}

/// One item to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Resource key (§4.5).
    pub key: String,
    /// Categories.
    pub cats: Bits,
    /// Categories that it has by itself where it stands in a document, whose category opens it: a
    /// prohibition of one of them holds there, too.
    pub inside: Bits,
    /// A category of it is not known.
    pub unknown: bool,
    /// Facility it comes from.
    pub src: String,
    /// Key of its encounter.
    pub encounter: Option<String>,
    /// First and last clinical day.
    pub clinical: Option<(Date, Date)>,
    /// When it was recorded.
    pub recorded: Option<u64>,
    /// Labels; absent = the labeller could not judge.
    pub labels: Option<Bits>,
    /// Where it comes from.
    pub origin: Origin,
    /// Whether the person was told.
    pub told: Told,
    /// Flagged 未告知.
    pub uninformed: bool,
    /// Flagged 未提供.
    pub undelivered: bool,
    /// Categories by the tables of earlier versions of texts; a version that is not here is not known.
    pub before: Vec<(u64, Bits)>,
}

impl Item {
    /// A record of a category, of which nothing more is known than that nothing stands against it.
    pub fn of_category(policy: &Policy, category: &str, src: &str, at: u64) -> Self {
        Self {
            key: String::new(),
            cats: policy
                .category_set([category].into_iter())
                .unwrap_or_default(),
            inside: Bits::NONE,
            unknown: false,
            src: src.to_owned(),
            encounter: None,
            clinical: None,
            recorded: Some(at),
            labels: Some(Bits::NONE),
            origin: Origin::Ehr,
            told: Told::Yes,
            uninformed: false,
            undelivered: false,
            before: Vec::new(),
        }
    }

    /// Categories under the table of a version of texts.
    fn cats_of(&self, policy: &Policy, texts: u64) -> Option<Bits> {
        if texts == policy.texts {
            return Some(self.cats);
        }
        let found = self.before.iter().find(|(v, _)| *v == texts)?;
        Some(found.1)
    }

    /// Categories by every table: the one in force, then the earlier ones.
    pub(crate) fn tables(&self) -> Vec<Bits> {
        let before = self.before.iter().map(|(_, b)| *b);
        core::iter::once(self.cats).chain(before).collect()
    }

    /// Sets what [`Self::tables`] gives.
    pub(crate) fn set_tables(&mut self, all: &[Bits]) {
        if let [cats, before @ ..] = all {
            self.cats = *cats;
            for ((_, own), b) in self.before.iter_mut().zip(before) {
                *own = *b;
            }
        }
    }
}

macro_rules! why {
    ($($(#[$doc:meta])* $variant:ident $wire:literal;)*) => {
        /// Why a decision fell as it did.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Why { $($(#[$doc])* $variant,)* }
        impl Why {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// Name on the wire.
            pub const fn wire(self) -> &'static str {
                match self { $(Self::$variant => $wire),* }
            }
        }
    };
}

// The nearest misses of D11 come first, in their order.
why! {
    /// There is no grant at all.
    NoGrant "NO_GRANT";
    /// For another recipient.
    Aud "AUD";
    /// For another purpose.
    Purpose "PURPOSE";
    /// Not valid yet.
    NotYet "NOT_YET";
    /// Not valid any more.
    Expired "EXPIRED";
    /// Ended, or signed by a key that did not count any more.
    Revoked "REVOKED";
    /// The status is too old.
    StatusStale "STATUS_STALE";
    /// Another category.
    Category "CATEGORY";
    /// An individual category in a grant with others.
    Individual "INDIVIDUAL";
    /// Outside the dates, or without a date.
    Period "PERIOD";
    /// Recorded later.
    AsOf "AS_OF";
    /// Left out by the annex.
    Excluded "EXCLUDED";
    /// No disclosure left.
    Uses "USES";
    /// Permitted.
    Permitted "PERMITTED";
    /// No or an unknown category.
    Unclassified "UNCLASSIFIED";
    /// No such purpose, or none of this mode.
    PurposeUnknown "PURPOSE_UNKNOWN";
    /// More than the purpose or the recipient may have.
    Ceiling "CEILING";
    /// Not told to the person, or not to be given.
    NotTold "NOT_TOLD";
    /// No statute asks for it.
    NoStatute "NO_STATUTE";
    /// Not certified.
    OptoutRecipient "OPTOUT_RECIPIENT";
    /// No notice, or one too young.
    NoticePending "NOTICE_PENDING";
    /// The person objected.
    Objected "OBJECTED";
    /// The person prohibited it.
    Prohibited "PROHIBITED";
    /// The person prohibited it for emergencies too.
    ProhibitedEmg "PROHIBITED_EMG";
    /// No valid assertion.
    BgInvalid "BG_INVALID";
    /// Not an emergency facility.
    BgFacility "BG_FACILITY";
    /// Not a role of the list.
    BgRole "BG_ROLE";
    /// Not in the emergency set.
    BgCategory "BG_CATEGORY";
    /// No activation here and now.
    DisInactive "DIS_INACTIVE";
}

/// What a permit rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Basis {
    /// 本人・家族
    Own,
    /// 同意
    Grant,
    /// 救急
    Emergency,
    /// 災害
    Disaster,
    /// 法令, with its id.
    Statute(String),
    /// 匿名加工・仮名加工
    OptOut,
}

impl Basis {
    /// Name on the wire.
    pub fn wire(&self) -> String {
        match self {
            Self::Own => "SELF".to_owned(),
            Self::Grant => "GRANT".to_owned(),
            Self::Emergency => "EMERGENCY".to_owned(),
            Self::Disaster => "DISASTER".to_owned(),
            Self::Statute(id) => format!("STATUTE:{id}"),
            Self::OptOut => "OPT_OUT".to_owned(),
        }
    }
}

/// The answer for one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What a permit rests on; absent = denied.
    pub basis: Option<Basis>,
    /// Why.
    pub why: Why,
    /// `jti` of the grants it rests on, sorted; of a denial, the nearest grant.
    pub grants: Vec<String>,
    /// Obligations, sorted.
    pub obligations: Vec<String>,
    /// A list older than fresh was used (emergencies only).
    pub stale: bool,
    /// Hash of the policy.
    pub policy_hash: String,
}

impl Decision {
    /// Whether the item may go.
    pub fn permits(&self) -> bool {
        self.basis.is_some()
    }
}

/// Decides one item. Total: every input has an answer, and order in `state` does not matter.
pub fn decide(state: &State<'_>, request: &Request, item: &Item) -> Decision {
    trace(state, request, item, None)
}

/// Decides, and tells the rules that were asked, in their order; the last one decided.
pub(crate) fn traced(
    state: &State<'_>,
    request: &Request,
    item: &Item,
) -> (Decision, Vec<&'static str>) {
    let mut asked = Vec::new();
    let decision = trace(state, request, item, Some(&mut asked));
    (decision, asked)
}

/// How far each grant came for this item, in the order of the state: `None` where it covers a category.
pub(crate) fn misses(state: &State<'_>, request: &Request, item: &Item) -> Vec<Option<Why>> {
    let decider = Decider::new(state, request, item, None);
    let grants = state.grants.iter().map(|grant| {
        let places = item.cats.places().map(|p| decider.covers(grant, p));
        places
            .map(Result::err)
            .max_by_key(|miss| (miss.is_none(), *miss))
            .flatten()
    });
    grants.collect()
}

/// Whether each prohibition covers the item and counts, in the order of the state.
pub(crate) fn prohibitions(state: &State<'_>, request: &Request, item: &Item) -> Vec<bool> {
    let decider = Decider::new(state, request, item, None);
    state.denials.iter().map(|d| decider.holds(d)).collect()
}

/// Whether labels of the item, or their absence, close it to the guardian of a person of 16 or more.
pub(crate) fn is_closed_to_guardian(state: &State<'_>, request: &Request, item: &Item) -> bool {
    Decider::new(state, request, item, None).is_closed_to_guardian()
}

fn trace(
    state: &State<'_>,
    request: &Request,
    item: &Item,
    asked: Option<&mut Vec<&'static str>>,
) -> Decision {
    let mut decider = Decider::new(state, request, item, asked);
    let (basis, why) = match decider.rules() {
        Ok(basis) => (Some(basis), Why::Permitted),
        Err(why) => (None, why),
    };
    if basis.is_none() {
        decider.obligations.clear();
        decider.stale = false;
    }
    decider.grants.sort_unstable();
    decider.grants.dedup();
    decider.obligations.sort_unstable();
    decider.obligations.dedup();
    Decision {
        basis,
        why,
        grants: decider.grants,
        obligations: decider.obligations.into_iter().map(str::to_owned).collect(),
        stale: decider.stale,
        policy_hash: state.policy.hash.clone(),
    }
}

/// What a recipient may learn of a denial (§7.2): only what does not depend on an item.
pub fn told_to_recipient(why: Why) -> &'static str {
    if why <= Why::StatusStale {
        why.wire()
    } else {
        "NOT_AVAILABLE"
    }
}

/// Whether for some (purpose, body, source) the objection with the highest `seq` is on.
pub(crate) fn objected(state: &State<'_>, purpose: Purpose, recipient: &str, source: &str) -> bool {
    let objections = &state.objections;
    let touches = |list: &[String], code: &str| -> Vec<String> {
        list.iter()
            .filter(|c| *c == "*" || *c == code)
            .cloned()
            .collect()
    };
    objections
        .iter()
        .filter(|o| o.on && o.pur.has(purpose.0))
        .any(|on| {
            touches(&on.to, recipient).iter().any(|to| {
                touches(&on.src, source).iter().any(|src| {
                    !objections.iter().any(|off| {
                        !off.on
                            && off.seq > on.seq
                            && off.pur.has(purpose.0)
                            && off.to.contains(to)
                            && off.src.contains(src)
                            && key_covers(state, &off.kid, off.received)
                    })
                })
            })
        })
}

fn key_covers(state: &State<'_>, kid: &str, received: u64) -> bool {
    state
        .keys
        .iter()
        .filter(|(k, _)| k == kid)
        .all(|(_, state)| state.covers(received))
}

struct Decider<'a> {
    state: &'a State<'a>,
    policy: &'a Policy,
    request: &'a Request,
    item: &'a Item,
    obligations: Vec<&'a str>,
    grants: Vec<String>,
    stale: bool,
    asked: Option<&'a mut Vec<&'static str>>,
}

impl<'a> Decider<'a> {
    fn new(
        state: &'a State<'a>,
        request: &'a Request,
        item: &'a Item,
        asked: Option<&'a mut Vec<&'static str>>,
    ) -> Self {
        Self {
            state,
            policy: state.policy,
            request,
            item,
            obligations: Vec::new(),
            grants: Vec::new(),
            stale: false,
            asked,
        }
    }

    /// Notes that a rule is asked now.
    fn ask(&mut self, rule: &'static str) {
        if let Some(asked) = &mut self.asked {
            asked.push(rule);
        }
    }

    fn recipient(&self) -> Option<&'a str> {
        match &self.request.who {
            Who::Recipient(code) => Some(code),
            _ => None,
        }
    }

    fn purpose_is(&self, code: &str) -> bool {
        self.request.purpose.is_some() && self.request.purpose == self.policy.purpose(code)
    }

    fn emergency(&self) -> bool {
        self.request.mode != Mode::Normal
    }

    /// Whether there is an emergency, not only somebody who says so: what was prohibited for all but
    /// emergencies opens only then, and grants count as at any other time until then.
    fn is_in_force(&self) -> bool {
        match &self.request.mode {
            Mode::Normal => false,
            Mode::BreakGlass {
                valid,
                facility,
                role,
            } => *valid && *facility && self.policy.is_emergency_role(role),
            Mode::Disaster { active } => *active,
        }
    }

    /// §7.2, in the order D3, D4, D1, D2, D5 ….
    fn rules(&mut self) -> Result<Basis, Why> {
        self.ask("D3");
        self.told()?;
        if let Some(basis) = self.own()? {
            return Ok(basis);
        }
        self.ask("D1");
        if self.item.unknown || self.item.cats.is_empty() {
            return Err(Why::Unclassified);
        }
        self.ask("D2");
        let purpose = self.request.purpose.ok_or(Why::PurposeUnknown)?;
        let kind = self.policy.consent(purpose).ok_or(Why::PurposeUnknown)?;
        let recipient = self.recipient().unwrap_or_default();
        let measure = if self.emergency() {
            let ok = ["TREAT", "ETREAT", "DISASTER"]
                .iter()
                .any(|c| self.purpose_is(c));
            if !ok {
                return Err(Why::PurposeUnknown);
            }
            // A grant for treatment counts in an emergency too; D9 and D10 keep to the set E.
            self.policy.purpose("TREAT").unwrap_or(purpose)
        } else {
            purpose
        };
        let ceiling = self
            .policy
            .ceiling(measure, recipient)
            .ok_or(Why::Ceiling)?;
        if !self.item.cats.within(ceiling) {
            return Err(Why::Ceiling);
        }
        match kind {
            Consent::Statute => {
                self.ask("D5");
                let id = self.policy.statute(recipient, self.item.cats);
                return id
                    .map(|id| Basis::Statute(id.to_owned()))
                    .ok_or(Why::NoStatute);
            }
            Consent::OptOut => {
                self.ask("D6");
                return self.opt_out(purpose, recipient);
            }
            Consent::OptIn | Consent::Own => {}
        }
        self.ask("D7");
        self.prohibited()?;
        self.ask("D8");
        let miss = match self.granted() {
            Ok(()) => return Ok(Basis::Grant),
            Err(miss) => miss,
        };
        let basis = match &self.request.mode {
            Mode::Normal => {
                self.ask("D11");
                return Err(miss);
            }
            Mode::BreakGlass {
                valid,
                facility,
                role,
            } => {
                self.ask("D9");
                if !valid {
                    return Err(Why::BgInvalid);
                }
                if !facility {
                    return Err(Why::BgFacility);
                }
                if !self.policy.is_emergency_role(role) {
                    return Err(Why::BgRole);
                }
                Basis::Emergency
            }
            Mode::Disaster { active } => {
                self.ask("D10");
                if !active {
                    return Err(Why::DisInactive);
                }
                Basis::Disaster
            }
        };
        if !self.item.cats.within(self.policy.emergency()) {
            return Err(Why::BgCategory);
        }
        self.grants.clear();
        self.obligations
            .extend(["NORDSCLCD", "NOPERSISTP", "NOTIFY", "REVIEW"]);
        Ok(basis)
    }

    /// D3
    fn told(&mut self) -> Result<(), Why> {
        let item = self.item;
        let condition = self.policy.category("inf.condition");
        let is_condition = condition.is_some_and(|c| item.cats.has(c.0));
        if item.origin == Origin::Claims && is_condition && item.told != Told::Yes {
            return Err(Why::NotTold);
        }
        if item.undelivered && self.recipient() != Some(&item.src) {
            return Err(Why::NotTold);
        }
        if item.uninformed {
            let lay = match &self.request.who {
                Who::Recipient(code) => code.starts_with("app:"),
                _ => true,
            };
            if lay || self.purpose_is("PATRQT") || self.purpose_is("FAMRQT") {
                return Err(Why::NotTold);
            }
            self.obligations.push("NO_PATIENT_DISPLAY");
        }
        Ok(())
    }

    /// D4
    fn own(&mut self) -> Result<Option<Basis>, Why> {
        match &self.request.who {
            Who::Subject if self.purpose_is("PATRQT") => {
                self.ask("D4");
                Ok(Some(Basis::Own))
            }
            Who::Proxy { scope, .. } if self.purpose_is("FAMRQT") => {
                self.ask("D7");
                self.prohibited()?;
                self.ask("D4");
                let inside = match scope {
                    Some(scope) => !self.item.unknown && self.item.cats.within(*scope),
                    None => true,
                };
                Ok((inside && !self.is_closed_to_guardian()).then_some(Basis::Own))
            }
            _ => Ok(None),
        }
    }

    /// D6
    fn opt_out(&mut self, purpose: Purpose, recipient: &str) -> Result<Basis, Why> {
        if !self.policy.is_certified(recipient, purpose) {
            return Err(Why::OptoutRecipient);
        }
        let wait = self.policy.notice_days * crate::claims::DAY;
        let noticed = self
            .state
            .notices
            .iter()
            .any(|n| n.src == self.item.src && n.at.saturating_add(wait) <= self.request.at);
        if !noticed {
            return Err(Why::NoticePending);
        }
        if objected(self.state, purpose, recipient, &self.item.src) {
            return Err(Why::Objected);
        }
        self.prohibited()?;
        self.obligations.extend(["DEID", "NORELINK", "TRACE"]);
        Ok(Basis::OptOut)
    }

    fn key_covers(&self, kid: &str, received: u64) -> bool {
        key_covers(self.state, kid, received)
    }

    /// D7
    fn prohibited(&self) -> Result<(), Why> {
        let holds = self.state.denials.iter().any(|d| self.holds(d));
        match (holds, self.is_in_force()) {
            (false, _) => Ok(()),
            (true, true) => Err(Why::ProhibitedEmg),
            (true, false) => Err(Why::Prohibited),
        }
    }

    /// Whether a prohibition covers the item and counts in this mode.
    fn holds(&self, d: &Denial) -> bool {
        let emergency = self.is_in_force();
        let mut purposes = self.request.purpose.map_or(Bits::NONE, |p| Bits::one(p.0));
        if emergency {
            purposes = purposes.with(self.emergency_purposes());
        }
        let recipient = self.recipient().unwrap_or_default();
        let aud = d
            .aud
            .iter()
            .any(|a| a == "*" || a == recipient || a == "mi:*" && recipient.starts_with("mi:"));
        let fresh = d
            .status_age
            .is_none_or(|age| age <= self.policy.status_fresh);
        aud && d.pur.meets(purposes)
            && (d.cat.meets(self.ever()) || d.cat == self.policy.all_categories())
            && d.nbf <= self.request.at
            && d.exp.is_none_or(|exp| self.request.at < exp)
            && !(d.ended && fresh)
            && (d.emg || !emergency)
    }

    /// From 16 on some labels are the minor's own; what is not labelled may be one.
    fn is_closed_to_guardian(&self) -> bool {
        let minors = self.policy.minor_labels();
        matches!(self.request.who, Who::Proxy { sixteen: true, .. })
            && self.item.labels.is_none_or(|l| l.meets(minors))
    }

    /// Categories now and under any earlier table: what was prohibited stays so wherever it moves.
    fn ever(&self) -> Bits {
        let before = self.item.before.iter();
        let now = self.item.cats.with(self.item.inside);
        before.fold(now, |all, (_, b)| all.with(*b))
    }

    /// `TREAT`, and `ETREAT` or `DISASTER` by the mode.
    fn emergency_purposes(&self) -> Bits {
        let place = |code: &str| {
            self.policy
                .purpose(code)
                .map_or(Bits::NONE, |p| Bits::one(p.0))
        };
        let by_mode = match self.request.mode {
            Mode::Normal => Bits::NONE,
            Mode::BreakGlass { .. } => place("ETREAT"),
            Mode::Disaster { .. } => place("DISASTER"),
        };
        place("TREAT").with(by_mode)
    }

    /// D8; the error is the nearest miss of D11.
    fn granted(&mut self) -> Result<(), Why> {
        let mut open = self.item.cats;
        let mut used: Vec<&'a Grant> = Vec::new();
        let mut stale = false;
        let state = self.state;
        for place in self.item.cats.places() {
            for grant in &state.grants {
                if let Ok(old) = self.covers(grant, place) {
                    open = Bits(open.0 & !Bits::one(place).0);
                    stale |= old;
                    used.push(grant);
                }
            }
        }
        if open.is_empty() {
            self.stale = stale;
            for grant in used {
                self.grants.push(grant.jti.clone());
                self.obligations
                    .extend(grant.obl.iter().map(String::as_str));
            }
            return Ok(());
        }
        // Only categories that no grant covers have misses.
        let mut nearest = Why::NoGrant;
        let mut nearest_jti: Option<&str> = None;
        for place in open.places() {
            for grant in &state.grants {
                if let Err(miss) = self.covers(grant, place) {
                    let closer = miss > nearest
                        || miss == nearest && nearest_jti.is_none_or(|j| grant.jti.as_str() < j);
                    if closer {
                        nearest = miss;
                        nearest_jti = Some(&grant.jti);
                    }
                }
            }
        }
        self.grants.extend(nearest_jti.map(str::to_owned));
        Err(nearest)
    }

    /// Whether a grant covers one category of the item; `true` inside: by a list that is not fresh.
    fn covers(&self, grant: &Grant, place: u8) -> Result<bool, Why> {
        let recipient = self.recipient().ok_or(Why::Aud)?;
        let stale = self.covers_for(grant, place, recipient)?;
        let Some((hash, signer)) = &grant.parent else {
            return Ok(stale);
        };
        // An onward grant holds while its parent holds for the institution that passed it on.
        let parent = self
            .state
            .grants
            .iter()
            .find(|g| g.hash == *hash && g.parent.is_none())
            .ok_or(Why::Revoked)?;
        Ok(stale | self.covers_for(parent, place, signer)?)
    }

    /// As [`Self::covers_now`], and under the table that the person saw: the item has the category there
    /// as well, and what else it is there is granted too (§4.2).
    fn covers_for(&self, grant: &Grant, place: u8, recipient: &str) -> Result<bool, Why> {
        let stale = self.covers_now(grant, place, recipient)?;
        let seen = self.item.cats_of(self.policy, grant.texts);
        let seen = seen.filter(|s| s.has(place)).ok_or(Why::Category)?;
        for other in Bits(seen.0 & !self.item.cats.0).places() {
            let mut grants = self.state.grants.iter();
            if !grants.any(|g| self.covers_now(g, other, recipient).is_ok()) {
                return Err(Why::Category);
            }
        }
        Ok(stale)
    }

    fn covers_now(&self, grant: &Grant, place: u8, recipient: &str) -> Result<bool, Why> {
        let item = self.item;
        let at = self.request.at;
        let named = grant
            .aud
            .iter()
            .any(|a| a == recipient || a == "mi:*" && recipient.starts_with("mi:"));
        if !named {
            return Err(Why::Aud);
        }
        let asked = if self.is_in_force() {
            self.emergency_purposes()
        } else {
            self.request.purpose.map_or(Bits::NONE, |p| Bits::one(p.0))
        };
        if !grant.pur.meets(asked) {
            return Err(Why::Purpose);
        }
        if at < grant.nbf {
            return Err(Why::NotYet);
        }
        if at >= grant.exp {
            return Err(Why::Expired);
        }
        if grant.ended || !self.key_covers(&grant.kid, grant.received) {
            return Err(Why::Revoked);
        }
        let age = grant.status_age.unwrap_or(0);
        let stale = age > self.policy.status_fresh;
        let tolerant =
            self.is_in_force() || self.purpose_is("ETREAT") || self.purpose_is("DISASTER");
        if stale && !(tolerant && age <= self.policy.status_usable) {
            return Err(Why::StatusStale);
        }
        // What was given for emergencies only does not reach beyond the emergency set.
        let treat = self.policy.purpose("TREAT");
        let by_treat = treat.is_some_and(|t| grant.pur.has(t.0));
        let within = !self.emergency() || by_treat || self.policy.emergency().has(place);
        if !grant.cat.has(place) || !within {
            return Err(Why::Category);
        }
        if self.policy.individual().has(place) && grant.cat.len() != 1 {
            return Err(Why::Individual);
        }
        let (from, to) = grant.window;
        if from.is_some() || to.is_some() {
            let (first, last) = item.clinical.ok_or(Why::Period)?;
            if from.is_some_and(|f| first < f) || to.is_some_and(|t| last > t) {
                return Err(Why::Period);
            }
        }
        if let Some(to) = grant.recorded
            && item.recorded.is_none_or(|r| r > to)
        {
            return Err(Why::AsOf);
        }
        let annex = &grant.annex;
        let labels = self.policy.label_set(annex.lbl.iter().map(String::as_str));
        let labelled = !annex.lbl.is_empty() && item.labels.is_none_or(|l| l.meets(labels));
        let encounter = item
            .encounter
            .as_ref()
            .is_some_and(|e| annex.wid.contains(e));
        // A label that the policy does not know may be any.
        let labelled = labelled || annex.lbl.iter().any(|l| self.policy.label(l).is_none());
        if annex.src.contains(&item.src) || annex.res.contains(&item.key) || encounter || labelled {
            return Err(Why::Excluded);
        }
        if grant.uses_left == Some(0) {
            return Err(Why::Uses);
        }
        Ok(stale)
    }
}
