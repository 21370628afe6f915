//! Break-glass and disaster: the rules of an assertion, the 救急用サマリー, the notice to the person, and
//! the review afterwards (consent.md §10).

use std::collections::BTreeSet;

use warifu_json::{Kind, Limits, NodeId, ROOT, Tree, parse};

use crate::claims::{DAY, Typ};
use crate::date::{Date, date_time};
use crate::decide::{Mode, Who};
use crate::fhir::{OWN, coding, concept, recipient};
use crate::filter::{classify, clinical, text_of};
use crate::hash::sha256;
use crate::json::{Value, object};
use crate::jws::Opened;
use crate::policy::{Bits, Judging, Policy};
use crate::reason::Lang;
use crate::text::Master;

/// A code of an assertion with its names in Japanese, plain Japanese and English.
type Named = (&'static str, [&'static str; 3]);

/// 緊急の理由: `rsn` of an assertion.
pub const EMERGENCY_REASONS: &[Named] = &[
    ("disaster", ["災害", "さいがい", "a disaster"]),
    (
        "life",
        [
            "生命・身体の保護",
            "いのちや からだを まもるため",
            "to protect life or health",
        ],
    ),
    (
        "unconscious",
        ["意識障害", "いしきが なかったため", "unconsciousness"],
    ),
    (
        "unidentified",
        [
            "身元不明で照会",
            "だれか わからなかったため",
            "the person was not identified",
        ],
    ),
];

/// 本人の確かめ方: `idm` of an assertion.
pub const IDENTIFIED_BY: &[Named] = &[
    (
        "four",
        [
            "4情報（氏名・生年月日・性別・住所）",
            "なまえ・生まれた日・せいべつ・じゅうしょ",
            "name, birth date, gender and address",
        ],
    ),
    (
        "insured",
        ["被保険者番号", "ほけんの ばんごう", "number of the insured"],
    ),
    (
        "mynumber",
        ["マイナ保険証", "マイナンバーカード", "My Number card"],
    ),
];

/// 職種 of the reference policy.
pub const ROLES: &[Named] = &[
    ("dentist", ["歯科医師", "はいしゃ", "dentist"]),
    ("doctor", ["医師", "いしゃ", "doctor"]),
    ("nurse", ["看護師", "かんごし", "nurse"]),
    (
        "paramedic",
        ["救急救命士", "きゅうきゅうたいの 人", "paramedic"],
    ),
    ("pharmacist", ["薬剤師", "やくざいし", "pharmacist"]),
];

fn name(list: &[Named], code: &str, lang: Lang) -> Option<&'static str> {
    let [ja, easy, en] = list.iter().find(|(c, _)| *c == code)?.1;
    Some(match lang {
        Lang::Ja => ja,
        Lang::JaEasy => easy,
        Lang::En => en,
    })
}

/// The mode of a request that comes with a break-glass assertion.
///
/// `assertion` is a token that [`accept`](crate::accept) took, with the code of the institution whose key
/// signed it; `emergency` tells whether that facility is 救急 and not suspended. An assertion of another
/// facility than the one that asks, about another person, or past its time, is not valid.
pub fn break_glass(
    assertion: Option<(&Opened, &str)>,
    who: &Who,
    sub: &str,
    emergency: bool,
    at: u64,
) -> Mode {
    let token = assertion.filter(|(t, _)| t.typ == Typ::BreakGlass);
    let own = matches!((token, who), (Some((_, signer)), Who::Recipient(code)) if code == signer);
    let token = token.map(|(t, _)| t);
    let role = token
        .and_then(|t| t.claims.get("per")?.get("role")?.text())
        .unwrap_or_default();
    let valid = own
        && token.is_some_and(|t| t.text("sub") == sub && t.int("exp").is_some_and(|exp| at < exp));
    Mode::BreakGlass {
        valid,
        facility: emergency,
        role: role.to_owned(),
    }
}

/// The mode of a request in a disaster: `area` is the code of the facility's municipality (5 digits, JIS
/// X 0402); an activation for a prefecture (2 digits) covers its municipalities.
pub fn disaster(activation: Option<&Opened>, area: &str, at: u64) -> Mode {
    let active = activation.is_some_and(|t| {
        let inside = t.claims.get("area").into_iter().flat_map(Value::texts);
        let mut inside = inside.filter(|code| !code.is_empty() && area.starts_with(code));
        t.typ == Typ::Disaster
            && t.int("from").is_some_and(|from| from <= at)
            && t.int("to").is_some_and(|to| at < to)
            && inside.next().is_some()
    });
    Mode::Disaster { active }
}

/// A part of the summary: which resources, and from when on.
struct Section {
    code: &'static str,
    ja: &'static str,
    en: &'static str,
    /// Categories; one of them is enough.
    cats: &'static [&'static str],
    /// Only antithrombotics.
    antithrombotic: bool,
    /// Only of the last days; what has no date is shown.
    days: Option<i32>,
}

const fn section(
    code: &'static str,
    ja: &'static str,
    en: &'static str,
    cats: &'static [&'static str],
) -> Section {
    Section {
        code,
        ja,
        en,
        cats,
        antithrombotic: false,
        days: None,
    }
}

/// 救急用サマリー, in the order of consent.md §10.4.
const SECTIONS: &[Section] = &[
    section("allergy", "アレルギー", "Allergies", &["inf.allergy"]),
    section(
        "contra",
        "薬剤禁忌",
        "Contraindicated medicines",
        &["inf.contra"],
    ),
    Section {
        antithrombotic: true,
        ..section("antithrombotic", "抗血栓薬", "Antithrombotics", &["inf.rx"])
    },
    section(
        "surgery",
        "手術・移植歴",
        "Surgery and transplants",
        &["prc.surgery", "prc.transplant"],
    ),
    section("dialysis", "透析", "Dialysis", &["prc.dialysis"]),
    section("infection", "感染症", "Infections", &["inf.infection"]),
    Section {
        days: Some(180),
        ..section(
            "rx",
            "最近の処方（180日）",
            "Prescriptions of the last 180 days",
            &["inf.rx"],
        )
    },
];

/// YJ codes of antithrombotics: 333 血液凝固阻止剤, 3399 その他の血液・体液用薬 (antiplatelets), 2171006
/// ジピリダモール. Too much is shown rather than too little.
const YJ: &[&str] = &["333", "3399", "2171006"];
const YJ_SYSTEMS: &[&str] = &[
    "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code",
    "urn:oid:1.2.392.100495.20.1.73",
];

/// What antithrombotics are called where no YJ code tells: generic names and old trade names.
const NAMES: &[&str] = &[
    "ワルファリン",
    "ワーファリン",
    "ヘパリン",
    "ダビガトラン",
    "プラザキサ",
    "リバーロキサバン",
    "イグザレルト",
    "アピキサバン",
    "エリキュース",
    "エドキサバン",
    "リクシアナ",
    "フォンダパリヌクス",
    "アリクストラ",
    "アスピリン",
    "バファリン",
    "タケルダ",
    "キャブピリン",
    "コンプラビン",
    "クロピドグレル",
    "プラビックス",
    "プラスグレル",
    "エフィエント",
    "チカグレロル",
    "ブリリンタ",
    "チクロピジン",
    "パナルジン",
    "シロスタゾール",
    "プレタール",
    "サルポグレラート",
    "アンプラーグ",
    "ベラプロスト",
    "ジピリダモール",
    "イコサペント",
    "エパデール",
];

/// Said of an empty part; the same whether nothing is there or it is not shown.
const NOTHING: &str = "記録がないか、示されていません。ないことを意味しません。 / Nothing is recorded or shown; this does not mean that there is nothing.";

struct Entry {
    node: NodeId,
    resource: NodeId,
    reference: String,
    kind: String,
    cats: Bits,
    dates: Option<(Date, Date)>,
}

/// Puts the 救急用サマリー in front of a filtered Bundle and its entries in order: the person, then by
/// clinical date, the newest first, then what has no date, then who and where.
///
/// The summary is a `Composition` that refers to entries of this Bundle and says nothing else, so it
/// cannot tell what was withheld. A Bundle without entries stays as it is.
///
/// `at` is now, `server` the code of the answering institution.
pub fn emergency_bundle(bundle: &[u8], policy: &Policy, server: &str, at: u64) -> Option<Vec<u8>> {
    let parsed = parse(bundle, Limits::FHIR, &());
    let tree = &parsed.tree;
    if !parsed.issues.is_empty() || tree.is_empty() {
        return None;
    }
    let stamp = date_time(at)?;
    let Some(list) = tree.member(ROOT, "entry") else {
        return Some(bundle.to_vec());
    };
    let judging = Judging::by(policy);
    let mut entries: Vec<Entry> = tree
        .children(list)
        .filter_map(|node| entry(tree, &judging, node))
        .collect();
    let today = Date::at(at);
    let sections = SECTIONS
        .iter()
        .map(|s| s.write(tree, policy, &entries, today))
        .collect::<Vec<_>>();
    let mut summary = vec![
        ("resourceType", "Composition".into()),
        ("status", "final".into()),
        (
            "type",
            concept(&format!("{OWN}document"), "emergency-summary"),
        ),
        ("date", stamp.into()),
        ("author", vec![recipient(server)].into()),
        ("title", "救急用サマリー".into()),
        ("section", sections.into()),
    ];
    if let Some(patient) = entries.iter().find(|e| e.kind == "Patient") {
        let subject = object([("reference", patient.reference.clone().into())]);
        summary.push(("subject", subject));
    }
    let summary: crate::json::Members = summary
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v))
        .collect();
    entries.sort_by_key(|e| {
        let administrative = policy.administrative.contains(&e.kind);
        let age = e.dates.map(|(first, last)| (-last.days(), -first.days()));
        (e.kind != "Patient", administrative, age.is_none(), age)
    });
    let bytes = |span: core::ops::Range<u32>| {
        let at = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        bundle.get(at(span.start)..at(span.end)).unwrap_or_default()
    };
    let whole = tree.span(ROOT);
    let span = tree.span(list);
    let mut out = bytes(whole.start..span.start).to_vec();
    out.extend_from_slice(
        format!(
            r#"[{{"fullUrl":"{}","resource":"#,
            uuid("emergency-summary", bundle)
        )
        .as_bytes(),
    );
    out.extend_from_slice(Value::from(summary).write().as_bytes());
    out.push(b'}');
    for e in &entries {
        out.push(b',');
        out.extend_from_slice(bytes(tree.span(e.node)));
    }
    out.push(b']');
    out.extend_from_slice(bytes(span.end..whole.end));
    Some(out)
}

/// `fullUrl` of an entry that a Bundle is given: a `UUIDv8` of what the entry is and of that Bundle.
pub(crate) fn uuid(what: &str, bundle: &[u8]) -> String {
    let hash = sha256(&[what.as_bytes(), bundle]);
    let (head, _) = hash.split_at(16);
    let mut number = u128::from_be_bytes(head.try_into().unwrap_or_default());
    // Version 8, variant 10.
    number = number & !(0xf << 76) | 8 << 76;
    number = number & !(3 << 62) | 2 << 62;
    let hex = format!("{number:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    let (a, b, c, d, e) = (
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    );
    format!("urn:uuid:{a}-{b}-{c}-{d}-{e}")
}

fn entry(tree: &Tree<'_>, policy: &Judging<'_>, node: NodeId) -> Option<Entry> {
    let resource = tree.member(node, "resource")?;
    let kind = text_of(tree, resource, "resourceType")?;
    let id = text_of(tree, resource, "id").unwrap_or_default();
    Some(Entry {
        node,
        resource,
        reference: text_of(tree, node, "fullUrl").unwrap_or_else(|| format!("{kind}/{id}")),
        cats: classify(tree, policy, resource, &kind).0,
        dates: clinical(tree, resource),
        kind,
    })
}

impl Section {
    fn write(&self, tree: &Tree<'_>, policy: &Policy, entries: &[Entry], today: Date) -> Value {
        let cats = policy
            .category_set(self.cats.iter().copied())
            .unwrap_or_default();
        let from = self.days.map(|d| today.days().saturating_sub(d));
        let mut rows: Vec<&Entry> = entries
            .iter()
            .filter(|e| e.cats.meets(cats))
            .filter(|e| match (from, e.dates) {
                (Some(from), Some((_, last))) => last.days() >= from,
                _ => true,
            })
            .filter(|e| !self.antithrombotic || is_antithrombotic(tree, e.resource, entries))
            .collect();
        rows.sort_by_key(|e| {
            let age = e.dates.map(|(first, last)| (-last.days(), -first.days()));
            (age.is_none(), age)
        });
        let title = format!("{} / {}", self.ja, self.en);
        let code = concept(&format!("{OWN}section"), self.code);
        if rows.is_empty() {
            let div = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{NOTHING}</div>");
            let unavailable = "http://terminology.hl7.org/CodeSystem/list-empty-reason";
            let reason = object([("coding", vec![coding(unavailable, "unavailable")].into())]);
            return object([
                ("title", title.into()),
                ("code", code),
                (
                    "text",
                    object([("status", "generated".into()), ("div", div.into())]),
                ),
                ("emptyReason", reason),
            ]);
        }
        let items: Vec<Value> = rows
            .iter()
            .map(|e| object([("reference", e.reference.clone().into())]))
            .collect();
        object([
            ("title", title.into()),
            ("code", code),
            ("entry", items.into()),
        ])
    }
}

/// By the medicine of a resource: in it, contained, or another entry.
fn is_antithrombotic(tree: &Tree<'_>, resource: NodeId, entries: &[Entry]) -> bool {
    let says = |node: NodeId| {
        (node..tree.after(node)).any(|n| match tree.kind(n) {
            Kind::Object => {
                let system = text_of(tree, n, "system").unwrap_or_default();
                let code = text_of(tree, n, "code").unwrap_or_default();
                YJ_SYSTEMS.contains(&system.as_str()) && YJ.iter().any(|p| code.starts_with(p))
            }
            Kind::String if matches!(&*tree.key(n), "text" | "display") => {
                let text = tree.text(n);
                NAMES.iter().any(|name| text.contains(name))
            }
            _ => false,
        })
    };
    let own = ["medicationCodeableConcept", "contained"]
        .iter()
        .filter_map(|key| tree.member(resource, key));
    let referred = tree
        .member(resource, "medicationReference")
        .and_then(|r| text_of(tree, r, "reference"));
    let other = entries
        .iter()
        .find(|e| e.kind == "Medication" && Some(&e.reference) == referred.as_ref());
    own.chain(other.map(|e| e.resource)).any(says)
}

/// What a notice tells of an emergency access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyAccess {
    /// Code of the facility.
    pub facility: String,
    /// Role of the person who asked.
    pub role: String,
    /// `rsn` of the assertion.
    pub reason: String,
    /// `idm` of the assertion.
    pub identified: String,
    /// When, seconds UTC.
    pub at: u64,
    /// Categories that went out.
    pub cats: Vec<String>,
}

/// The text of the notice to the portal and to the contacts that the person named; `None` for a facility,
/// role, reason or category without a name.
pub fn emergency_notice(
    policy: &Policy,
    master: &Master,
    access: &EmergencyAccess,
    lang: Lang,
) -> Option<String> {
    let facility = master.name(&access.facility, lang)?;
    let role = name(ROLES, &access.role, lang)?;
    let reason = name(EMERGENCY_REASONS, &access.reason, lang)?;
    let identified = name(IDENTIFIED_BY, &access.identified, lang)?;
    let stamp = date_time(access.at)?;
    let (day, time) = (stamp.get(..10)?, stamp.get(11..16)?);
    let named = access.cats.iter().map(|code| {
        let row = policy.categories().iter().find(|c| c.code == *code)?;
        Some(row.name(lang))
    });
    let named = named.collect::<Option<Vec<_>>>()?;
    let contact = &master.contact;
    Some(match lang {
        Lang::Ja => format!(
            "# 救急であなたの記録が使われました\n日時: {day} {time}\n施設: {facility}（{role}）\n理由: {reason}\n本人の確かめ方: {identified}\n見た情報: {}\n72時間以内に、使った人とは別の人が確かめ、結果をお知らせします。\n心当たりがないときは「異議を申し出る」を押してください。どちらの言い分も記録に残ります。\n問い合わせ: {contact}\n",
            named.join("、"),
        ),
        Lang::JaEasy => format!(
            "# きゅうきゅうで あなたの きろくが つかわれました\nいつ: {day} {time}\nどこ: {facility}（{role}）\nなぜ: {reason}\nどうやって あなたと わかったか: {identified}\n見たもの: {}\nべつの 人が 3日の うちに しらべて、おしらせします。\nおかしいと 思ったら 「おかしいと 言う」を おしてください。あなたの ことばも のこります。\nきくところ: {contact}\n",
            named.join("、"),
        ),
        Lang::En => format!(
            "# Your records were used in an emergency\nWhen: {day} {time}\nWhere: {facility} ({role})\nWhy: {reason}\nIdentified by: {identified}\nSeen: {}\nWithin 72 hours somebody else reviews this, and you will be told the result.\nIf this looks wrong to you, press \"Object\". Both statements stay on record.\nContact: {contact}\n",
            named.join(", "),
        ),
    })
}

/// What a reviewer found; `verdict` of the line `review`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// 正当
    Justified,
    /// 不当
    NotJustified,
    /// 不明: somebody else has to look.
    Unclear,
    /// The person objects; never a reviewer's.
    Objection,
}

impl Verdict {
    /// Word of the log line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Justified => "justified",
            Self::NotJustified => "not-justified",
            Self::Unclear => "unclear",
            Self::Objection => "objection",
        }
    }
}

/// Terms of the review: of the policy of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReviewTerms {
    /// Seconds until a review is due.
    pub due: u64,
    /// Seconds after the due time until the facility is suspended.
    pub suspend: u64,
}

impl ReviewTerms {
    /// 72 hours, and 7 days more.
    pub const REFERENCE: Self = Self {
        due: 72 * 3600,
        suspend: 7 * DAY,
    };
}

/// A statement about an emergency access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Opaque name of the reviewer; empty for the person.
    pub by: String,
    /// When.
    pub at: u64,
    /// What.
    pub verdict: Verdict,
}

/// An emergency access that waits for its review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewCase {
    /// Leaf data of its `breakglass` line.
    pub line: String,
    /// Code of the facility.
    pub facility: String,
    /// Opaque name of who asked.
    pub actor: String,
    /// When data went out.
    pub at: u64,
    /// All statements, the oldest first; none is ever taken away.
    pub statements: Vec<Statement>,
}

/// Why a statement is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReviewError {
    /// Who asked does not review it.
    #[error("whoever asked does not review it")]
    Actor,
    /// An objection is the person's, and no reviewer's.
    #[error("an objection is the person's")]
    Objection,
    /// Dated before the access or before the last statement.
    #[error("dated before what it is about")]
    Order,
    /// It was judged already.
    #[error("it was judged already")]
    Judged,
}

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CaseState {
    /// Judged.
    Judged(Verdict),
    /// Waiting, due then.
    Open(u64),
    /// Overdue or unclear: it goes to the next higher body.
    Escalated,
    /// Overdue for so long that the facility has no emergency access.
    Suspended,
}

impl ReviewCase {
    fn judged(&self) -> Option<Verdict> {
        let last = self
            .statements
            .iter()
            .rev()
            .find(|s| s.verdict != Verdict::Objection)?;
        Some(last.verdict)
    }

    fn take(&mut self, by: &str, at: u64, verdict: Verdict) -> Result<(), ReviewError> {
        if at < self.statements.last().map_or(self.at, |s| s.at) {
            return Err(ReviewError::Order);
        }
        self.statements.push(Statement {
            by: by.to_owned(),
            at,
            verdict,
        });
        Ok(())
    }

    /// A reviewer's finding. After `unclear` somebody may judge again, after anything else nobody.
    ///
    /// # Errors
    /// [`ReviewError`]; then nothing changed.
    pub fn review(&mut self, by: &str, at: u64, verdict: Verdict) -> Result<(), ReviewError> {
        if by == self.actor || by.is_empty() {
            return Err(ReviewError::Actor);
        }
        if verdict == Verdict::Objection {
            return Err(ReviewError::Objection);
        }
        if self.judged().is_some_and(|v| v != Verdict::Unclear) {
            return Err(ReviewError::Judged);
        }
        self.take(by, at, verdict)
    }

    /// The person objects; possible at any time, and it stays beside every finding.
    ///
    /// # Errors
    /// [`ReviewError::Order`].
    pub fn object(&mut self, at: u64) -> Result<(), ReviewError> {
        self.take("", at, Verdict::Objection)
    }

    /// Where it stands now.
    pub fn state(&self, terms: ReviewTerms, now: u64) -> CaseState {
        let due = self.at.saturating_add(terms.due);
        match self.judged() {
            Some(v) if v != Verdict::Unclear => CaseState::Judged(v),
            _ if now > due.saturating_add(terms.suspend) => CaseState::Suspended,
            Some(_) => CaseState::Escalated,
            None if now > due => CaseState::Escalated,
            None => CaseState::Open(due),
        }
    }
}

/// The queue of a reviewer, the most pressing first: what is not judged and not the reviewer's own.
pub fn review_queue<'c>(
    cases: &'c [ReviewCase],
    reviewer: &str,
    terms: ReviewTerms,
    now: u64,
) -> Vec<&'c ReviewCase> {
    let mut open: Vec<(CaseState, &ReviewCase)> = cases
        .iter()
        .filter(|c| c.actor != reviewer)
        .map(|c| (c.state(terms, now), c))
        .filter(|(state, _)| !matches!(state, CaseState::Judged(_)))
        .collect();
    let rank = |state: &CaseState| match state {
        CaseState::Suspended => 0,
        CaseState::Escalated => 1,
        _ => 2,
    };
    open.sort_by(|(a, x), (b, y)| (rank(a), x.at, &x.line).cmp(&(rank(b), y.at, &y.line)));
    open.into_iter().map(|(_, c)| c).collect()
}

/// Facilities without emergency access now: their reviews are overdue for too long.
pub fn suspended(cases: &[ReviewCase], terms: ReviewTerms, now: u64) -> BTreeSet<&str> {
    cases
        .iter()
        .filter(|c| c.state(terms, now) == CaseState::Suspended)
        .map(|c| c.facility.as_str())
        .collect()
}
