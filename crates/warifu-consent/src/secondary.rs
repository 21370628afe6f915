//! Secondary use: what an objection sets in motion, and the manifest of a de-identified release
//! (consent.md §12.2, §12.3).

use crate::b64;
use crate::decide::{State, objected};
use crate::hash::{hmac, sha256_text};
use crate::json::{Members, Value, object};
use crate::policy::Purpose;

/// Identifiable source data that a certified body received.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delivery {
    /// The body.
    pub to: String,
    /// Facility it came from.
    pub src: String,
    /// Purpose.
    pub purpose: Purpose,
    /// When.
    pub at: u64,
    /// `jti` of finished releases that were made of it.
    pub releases: Vec<String>,
    /// What the body answered to an order.
    pub answer: Option<StopAnswer>,
}

/// What a body answers to `stop+delete`; it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopAnswer {
    /// Erased, seconds UTC.
    Erased(u64),
    /// Kept, with the law that demands it.
    Kept(String),
}

/// `stop+delete`: the body no longer uses the data, erases it and answers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StopOrder {
    /// The body.
    pub to: String,
    /// Facility the data came from.
    pub src: String,
    /// Purpose.
    pub purpose: Purpose,
    /// Releases that are finished and cannot be recalled, as the text said before signing.
    pub beyond_recall: Vec<String>,
}

/// Orders that the state of one person asks for: one for each body, source and purpose whose data falls
/// under an objection in force and is not answered for. No order names the person: the body gets the
/// pseudonym it holds from the holder's delivery, and learns of nobody whose data it does not hold.
pub fn stop_orders(state: &State<'_>, deliveries: &[Delivery]) -> Vec<StopOrder> {
    let mut orders: Vec<StopOrder> = Vec::new();
    let mut hit: Vec<&Delivery> = deliveries
        .iter()
        .filter(|d| d.answer.is_none() && objected(state, d.purpose, &d.to, &d.src))
        .collect();
    hit.sort_unstable();
    for d in hit {
        match orders.last_mut() {
            Some(last) if (&last.to, &last.src, last.purpose) == (&d.to, &d.src, d.purpose) => {
                last.beyond_recall.extend(d.releases.iter().cloned());
            }
            _ => orders.push(StopOrder {
                to: d.to.clone(),
                src: d.src.clone(),
                purpose: d.purpose,
                beyond_recall: d.releases.clone(),
            }),
        }
    }
    for order in &mut orders {
        order.beyond_recall.sort_unstable();
        order.beyond_recall.dedup();
    }
    orders
}

/// Leaf data of a person in a release: HMAC-SHA-256 over the release's `jti` with the person's salt.
///
/// Only who has the salt can tell the person's leaf from the others.
pub fn member_leaf(salt: &[u8; 16], release: &str) -> Option<[u8; 32]> {
    hmac(salt, &[release.as_bytes()])
}

/// Leaves of a release, sorted, each once: what `root` is the RFC 6962 root of, and `n` the number.
pub fn member_leaves<'s>(
    salts: impl IntoIterator<Item = &'s [u8; 16]>,
    release: &str,
) -> Option<Vec<[u8; 32]>> {
    let mut leaves = salts
        .into_iter()
        .map(|salt| member_leaf(salt, release))
        .collect::<Option<Vec<_>>>()?;
    leaves.sort_unstable();
    leaves.dedup();
    Some(leaves)
}

/// One step of a transformation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// 氏名・ID・連絡先 are dropped.
    DropIdentifiers,
    /// 生年月日 becomes the year.
    BirthYear,
    /// 生年月日 becomes an age band of so many years.
    AgeBand(u64),
    /// 住所 becomes the prefecture; nothing below stays.
    Prefecture,
    /// 病院名 is dropped.
    DropFacility,
    /// All dates of a person are shifted by one constant, at most so many days.
    ShiftDates(u64),
    /// Values of fewer than so many persons, and 特異な記述, are generalised.
    Generalise(u64),
    /// 画像 lose what identifies.
    ScrubImages,
    /// k-anonymity and outliers are tested; the report has this hash.
    Tested(String),
}

impl Step {
    fn value(&self) -> Value {
        let (name, parameter): (&str, Option<Value>) = match self {
            Self::DropIdentifiers => ("drop-identifiers", None),
            Self::BirthYear => ("birth-year", None),
            Self::AgeBand(years) => ("age-band", Some((*years).into())),
            Self::Prefecture => ("prefecture", None),
            Self::DropFacility => ("drop-facility", None),
            Self::ShiftDates(days) => ("shift-dates", Some((*days).into())),
            Self::Generalise(fewer) => ("generalise", Some((*fewer).into())),
            Self::ScrubImages => ("scrub-images", None),
            Self::Tested(hash) => ("tested", Some(hash.as_str().into())),
        };
        let mut step = Members::new();
        step.insert("step".to_owned(), name.into());
        if let Some(parameter) = parameter {
            step.insert("with".to_owned(), parameter);
        }
        step.into()
    }

    fn name(&self) -> Value {
        self.value().get("step").cloned().unwrap_or(Value::Null)
    }
}

/// A transformation: ordered steps under a name and version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub id: String,
    /// Its version.
    pub ver: u64,
    /// Its steps, in order.
    pub steps: Vec<Step>,
}

impl Profile {
    /// `prof` of a manifest: `hash` is over the names of the steps, `params_hash` over their parameters
    /// too, so that a parameter can be kept secret and still be held against the body.
    pub fn claim(&self) -> Value {
        let names: Vec<Value> = self.steps.iter().map(Step::name).collect();
        let steps: Vec<Value> = self.steps.iter().map(Step::value).collect();
        let hash = |v: Vec<Value>| Value::from(sha256_text(&[Value::from(v).write().as_bytes()]));
        object([
            ("id", self.id.as_str().into()),
            ("ver", self.ver.into()),
            ("hash", hash(names)),
            ("params_hash", hash(steps)),
        ])
    }
}

/// The contract with the recipient of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// Its name.
    pub id: String,
    /// SHA-256 of its text, which forbids re-identification.
    pub hash: [u8; 32],
    /// Permitted purposes, sorted.
    pub purposes: Vec<String>,
    /// How far it may be shared.
    pub scope: String,
    /// First second after its end.
    pub exp: u64,
}

/// A de-identified release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its `jti`.
    pub jti: String,
    /// When, seconds UTC.
    pub at: u64,
    /// Who receives it.
    pub to: String,
    /// Under which contract.
    pub contract: Contract,
    /// Name of the data's schema.
    pub schema: String,
    /// Rows.
    pub rows: u64,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// How it was transformed.
    pub profile: Profile,
    /// k of the test of k-anonymity.
    pub k: u64,
    /// RFC 6962 root over [`member_leaves`].
    pub root: [u8; 32],
    /// Number of those leaves.
    pub n: u64,
    /// Commitment to the recipient's watermark.
    pub watermark: [u8; 32],
}

impl Release {
    /// Claims of its `release+jwt`, for [`make`](crate::make).
    pub fn claims(&self) -> Value {
        let c = &self.contract;
        object([
            ("jti", self.jti.as_str().into()),
            ("iat", self.at.into()),
            ("to", self.to.as_str().into()),
            (
                "contract",
                object([
                    ("id", c.id.as_str().into()),
                    ("hash", b64::encode(&c.hash).into()),
                    ("pur", c.purposes.clone().into()),
                    ("scope", c.scope.as_str().into()),
                    ("exp", c.exp.into()),
                ]),
            ),
            (
                "data",
                object([
                    ("schema", self.schema.as_str().into()),
                    ("rows", self.rows.into()),
                    ("sha256", b64::encode(&self.sha256).into()),
                ]),
            ),
            ("prof", self.profile.claim()),
            ("k", self.k.into()),
            ("root", b64::encode(&self.root).into()),
            ("n", self.n.into()),
            ("wm", b64::encode(&self.watermark).into()),
        ])
    }
}
