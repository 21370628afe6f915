//! Secondary use: what an objection sets in motion, and the manifest of a de-identified release
//! (consent.md §12.2, §12.3).

use crate::b64;
use crate::date::Date;
use crate::decide::{Item, Mode, Request, State, Who, decide, objected};
use crate::hash::{hmac, sha256_text};
use crate::json::{Members, Value, object};
use crate::policy::{Policy, Purpose};

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

/// Categories of a person's records at a facility that may go to the body now for a purpose: the person was
/// told of it long enough ago, and has neither objected to it nor forbidden it.
pub fn released_categories<'s>(
    state: &'s State<'_>,
    to: &str,
    purpose: Purpose,
    src: &'s str,
    at: u64,
) -> impl Iterator<Item = String> + 's {
    let policy = state.policy;
    let request = Request {
        purpose: Some(purpose),
        who: Who::Recipient(to.to_owned()),
        mode: Mode::Normal,
        at,
    };
    let all = policy.category_codes(policy.all_categories());
    all.into_iter().filter(move |code| {
        let item = Item::of_category(policy, code, src, at);
        decide(state, &request, &item).permits()
    })
}

/// Whether anything of a person may go to the body now, for each of these purposes, from one of these
/// facilities.
pub fn may_be_released(
    state: &State<'_>,
    to: &str,
    purposes: &[Purpose],
    sources: &[&str],
    at: u64,
) -> bool {
    purposes.iter().all(|purpose| {
        let mut from = sources.iter();
        from.any(|src| {
            let mut open = released_categories(state, to, *purpose, src, at);
            open.next().is_some()
        })
    })
}

/// Why a release is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreleased {
    /// Its signer is not certified for all that the contract permits.
    #[error("the signer is not certified for all that the contract permits")]
    Certified,
    /// The contract is over.
    #[error("the contract is over")]
    Contract,
    /// `n` or `root` of the manifest are not those of the leaves.
    #[error("the leaves are not those of the manifest")]
    Root,
}

/// Purposes of a manifest's contract, each of which its signer is certified for, while it lasts.
///
/// # Errors
/// `Certified`, `Contract`.
pub fn contracted(
    policy: &Policy,
    signer: &str,
    manifest: &Value,
    now: u64,
) -> Result<Vec<Purpose>, Unreleased> {
    let contract = manifest.get("contract");
    let listed = contract.and_then(|c| c.get("pur"));
    let purposes: Option<Vec<Purpose>> = listed
        .into_iter()
        .flat_map(Value::texts)
        .map(|p| {
            policy
                .purpose(p)
                .filter(|p| policy.is_certified(signer, *p))
        })
        .collect();
    let purposes = purposes.filter(|p| !p.is_empty());
    let purposes = purposes.ok_or(Unreleased::Certified)?;
    let ends = contract.and_then(|c| c.get("exp")?.int()).unwrap_or(0);
    if ends <= now {
        return Err(Unreleased::Contract);
    }
    Ok(purposes)
}

/// Whether a manifest is that of these leaves, whose RFC 6962 root this is.
///
/// # Errors
/// `Root`.
pub fn of_these_leaves(
    manifest: &Value,
    leaves: &[[u8; 32]],
    root: &[u8; 32],
) -> Result<(), Unreleased> {
    let n = manifest.get("n").and_then(Value::int);
    let named = manifest.get("root").and_then(Value::text);
    let same = n == u64::try_from(leaves.len()).ok() && named == Some(&b64::encode(root));
    if same { Ok(()) } else { Err(Unreleased::Root) }
}

/// Leaves as they travel: 32 bytes each, ascending, none twice, at least one.
pub fn read_leaves(bytes: &[u8]) -> Option<Vec<[u8; 32]>> {
    let parts = bytes.chunks_exact(32);
    let whole = parts.remainder().is_empty();
    let all: Option<Vec<[u8; 32]>> = parts.map(|p| p.try_into().ok()).collect();
    all.filter(|all| whole && !all.is_empty() && all.is_sorted_by(|a, b| a < b))
}

/// Where a leaf stands among the leaves of a release: its place, or the places between which it would
/// stand, which shows that it is not there.
///
/// # Errors
/// The places beside it.
pub fn place(leaves: &[[u8; 32]], leaf: &[u8; 32]) -> Result<usize, Vec<usize>> {
    leaves.binary_search(leaf).map_err(|at| {
        let beside = at.saturating_sub(1)..=at;
        beside.filter(|n| *n < leaves.len()).collect()
    })
}

/// A person's salt at one holder of data, with which the leaf of each release is made.
pub fn member_salt(holder_key: &[u8], sub: &str) -> Option<[u8; 16]> {
    let tag = hmac(holder_key, &[b"release", &[0], sub.as_bytes()])?;
    tag.first_chunk::<16>().copied()
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
    /// Of `{"step": …, "with": …}`, as [`Profile::claim`] hashes it.
    pub fn read(value: &Value) -> Option<Self> {
        let members = value.members()?;
        let int = || members.get("with")?.int().filter(|n| *n > 0);
        let step = match members.get("step")?.text()? {
            "drop-identifiers" => Self::DropIdentifiers,
            "birth-year" => Self::BirthYear,
            "age-band" => Self::AgeBand(int()?),
            "prefecture" => Self::Prefecture,
            "drop-facility" => Self::DropFacility,
            "shift-dates" => Self::ShiftDates(int()?),
            "generalise" => Self::Generalise(int()?),
            "scrub-images" => Self::ScrubImages,
            "tested" => {
                let hash = members.get("with")?.text()?;
                b64::decode_array::<32>(hash)?;
                Self::Tested(hash.to_owned())
            }
            _ => return None,
        };
        // Nothing else stands there, so that what is hashed is what was given.
        (step.value() == *value).then_some(step)
    }

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
    /// Of `{"id", "ver", "steps": [{"step", "with"?}…]}`.
    ///
    /// # Errors
    /// The member that cannot be read.
    pub fn read(value: &Value) -> Result<Self, &'static str> {
        let steps = value.get("steps").map_or(&[][..], Value::items);
        let steps: Option<Vec<Step>> = steps.iter().map(Step::read).collect();
        let id = value.get("id").and_then(Value::text);
        let ver = value.get("ver").and_then(Value::int);
        Ok(Self {
            id: id.ok_or("profile.id")?.to_owned(),
            ver: ver.ok_or("profile.ver")?,
            steps: steps.filter(|s| !s.is_empty()).ok_or("profile.steps")?,
        })
    }

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
    /// A release as a body describes it, without what only the making tells: `jti`, the time, the hashes of
    /// contract and data, and the leaves.
    ///
    /// `{"to", "contract": {"id", "pur", "scope", "to"}, "schema", "rows", "profile", "k", "wm"}`; `to` of the
    /// contract is its last day.
    ///
    /// # Errors
    /// The member that is missing, cannot be read or is not known.
    pub fn read(form: &Value) -> Result<Self, &'static str> {
        const KNOWN: [&str; 7] = ["contract", "k", "profile", "rows", "schema", "to", "wm"];
        let members = form.members().ok_or("{}")?;
        if members.keys().any(|k| !KNOWN.contains(&k.as_str())) {
            return Err("to, contract, schema, rows, profile, k, wm");
        }
        let text = |v: &Value, name: &str| Some(v.get(name)?.text()?.to_owned());
        let int = |name: &str| form.get(name).and_then(Value::int);
        let contract = form.get("contract").ok_or("contract")?;
        let purposes = contract.get("pur").into_iter().flat_map(Value::texts);
        let mut purposes: Vec<String> = purposes.map(str::to_owned).collect();
        purposes.sort_unstable();
        purposes.dedup();
        let last = text(contract, "to").as_deref().and_then(Date::parse);
        let wm = text(form, "wm").as_deref().and_then(b64::decode_array);
        Ok(Self {
            jti: String::new(),
            at: 0,
            to: text(form, "to").ok_or("to")?,
            contract: Contract {
                id: text(contract, "id").ok_or("contract.id")?,
                hash: [0; 32],
                purposes,
                scope: text(contract, "scope").ok_or("contract.scope")?,
                exp: last.ok_or("contract.to")?.starts() + crate::claims::DAY,
            },
            schema: text(form, "schema").ok_or("schema")?,
            rows: int("rows").ok_or("rows")?,
            sha256: [0; 32],
            profile: Profile::read(form.get("profile").ok_or("profile")?)?,
            k: int("k").ok_or("k")?,
            root: [0; 32],
            n: 0,
            watermark: wm.ok_or("wm")?,
        })
    }

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
