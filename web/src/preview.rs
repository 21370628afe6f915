//! What a recipient would see: the decision and the filter that the server runs, over the person's own
//! records, with every consent in force and the draft (ux-portal §4, S5).

use std::collections::{BTreeMap, BTreeSet};

use warifu_consent::json::Value;
use warifu_consent::{
    Annex, Date, Facts, FilterError, Grant, Kept, KeyState, Knowledge, Mode, Origin, Policy,
    Request, State, Told, Who, categories_of, filter, state_of,
};
use warifu_json::{Limits, NodeId, ROOT, Tree, parse};

use crate::care::{Keys, Mine};
use crate::wizard::Draft;

/// One record as people know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// `Type/id`.
    pub key: String,
    /// Its categories.
    pub cats: Vec<String>,
    /// What it is.
    pub title: String,
    /// Its day, as recorded; empty if there is none.
    pub day: String,
}

/// Both sides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preview {
    /// What they would see.
    pub shown: Vec<Record>,
    /// What stays hidden.
    pub hidden: Vec<Record>,
}

/// Where a resource's name stands, the best first.
const NAMES: &[&str] = &[
    "code",
    "medicationCodeableConcept",
    "vaccineCode",
    "title",
    "type",
    "class",
    "category",
];

/// Where its day stands.
const DAYS: &[&str] = &[
    "effectiveDateTime",
    "performedDateTime",
    "occurrenceDateTime",
    "onsetDateTime",
    "authoredOn",
    "whenHandedOver",
    "started",
    "date",
    "recordedDate",
    "issued",
    "effectivePeriod",
    "performedPeriod",
    "period",
    "created",
];

/// Resources of a Bundle, in its order.
fn resources<'t>(tree: &'t Tree<'_>) -> impl Iterator<Item = NodeId> + 't {
    let entries = tree.member(ROOT, "entry");
    let entries = entries.into_iter().flat_map(|e| tree.children(e));
    entries.filter_map(|e| tree.member(e, "resource"))
}

/// Records of a Bundle, in its order.
///
/// # Errors
/// [`FilterError`]: it cannot be said what is in it.
pub fn records(bundle: &str, policy: &Policy) -> Result<Vec<Record>, FilterError> {
    let all = categories_of(bundle.as_bytes(), policy)?;
    let parsed = parse(bundle.as_bytes(), Limits::FHIR, &());
    let tree = &parsed.tree;
    let mut nodes: BTreeMap<String, NodeId> = BTreeMap::new();
    for node in resources(tree) {
        let part = |name: &str| string(tree, node, name).unwrap_or_default();
        nodes.insert(format!("{}/{}", part("resourceType"), part("id")), node);
    }
    let found = all.into_iter().filter_map(|(key, cats)| {
        let node = *nodes.get(&key)?;
        Some(Record {
            cats,
            title: NAMES
                .iter()
                .find_map(|n| named(tree, tree.member(node, n)?))
                .unwrap_or_default(),
            day: DAYS
                .iter()
                .find_map(|d| day(tree, tree.member(node, d)?))
                .unwrap_or_default(),
            key,
        })
    });
    Ok(found.collect())
}

fn string(tree: &Tree<'_>, node: NodeId, name: &str) -> Option<String> {
    let node = tree.member(node, name)?;
    let text = tree.text(node).into_owned();
    (!text.is_empty()).then_some(text)
}

/// `text`, else the first `display`, of a CodeableConcept, a Coding, or the string itself.
fn named(tree: &Tree<'_>, node: NodeId) -> Option<String> {
    if let Some(text) = string(tree, node, "text").or_else(|| string(tree, node, "display")) {
        return Some(text);
    }
    let inside = tree.member(node, "coding").unwrap_or(node);
    let mut inside = tree.children(inside).peekable();
    if inside.peek().is_none() {
        let text = tree.text(node).into_owned();
        return (!text.is_empty()).then_some(text);
    }
    inside.find_map(|n| string(tree, n, "display").or_else(|| string(tree, n, "text")))
}

/// The day of a dateTime, or of a Period's start.
fn day(tree: &Tree<'_>, node: NodeId) -> Option<String> {
    let text = string(tree, node, "start").unwrap_or_else(|| tree.text(node).into_owned());
    let day = text.get(..10.min(text.len()))?.to_owned();
    (!day.is_empty()).then_some(day)
}

/// Of sources and the like the holder knows: without an exclusion by facility, and for what is in the
/// person's own view, the decision does not turn on them. Whose a Patient is, the own view tells: the
/// server lets through no other person's (ids of the person's Patients on all pages).
struct Own(BTreeSet<String>);

impl Own {
    fn of(pages: &[String]) -> Self {
        let mut ids = BTreeSet::new();
        for page in pages {
            let parsed = parse(page.as_bytes(), Limits::FHIR, &());
            let tree = &parsed.tree;
            for node in resources(tree) {
                if string(tree, node, "resourceType").as_deref() == Some("Patient") {
                    ids.extend(string(tree, node, "id"));
                }
            }
        }
        Self(ids)
    }
}

impl Knowledge for Own {
    fn facts(&self, _: &str, _: &str) -> Facts {
        Facts {
            src: String::new(),
            origin: Origin::Ehr,
            recorded: None,
            told: Told::Unknown,
        }
    }

    fn is_person(&self, kind: &str, id: &str) -> Option<bool> {
        Some(kind == "Patient" && self.0.contains(id))
    }
}

/// The person's state from tokens that were verified here.
fn state<'p>(policy: &'p Policy, mine: &Mine, keys: &Keys) -> State<'p> {
    let kept: Vec<Kept> = mine
        .given
        .iter()
        .map(|g| Kept {
            token: g.token.clone(),
            received: g.at,
            annex: g.annex.as_deref().and_then(Annex::parse),
            used: 0,
            institution: None,
            status_age: None,
        })
        .collect();
    let stopped = keys.0.iter().filter(|k| k.state != KeyState::Active);
    let stopped = stopped.map(|k| (k.kid.clone(), k.state)).collect();
    let mut state = state_of(policy, &mine.sub, &kept, Vec::new(), stopped);
    // What was ended without a key (at a desk) has no token of the person.
    for grant in &mut state.grants {
        grant.ended |= mine.find(&grant.jti).is_some_and(|g| g.ended.is_some());
    }
    state
}

/// The draft as a grant from now on.
fn grant(policy: &Policy, draft: &Draft, now: u64) -> Option<Grant> {
    let date = |end: &str| {
        draft
            .asked
            .dat
            .get(end)
            .and_then(Value::text)
            .and_then(Date::parse)
    };
    Some(Grant {
        jti: String::new(),
        hash: String::new(),
        kid: String::new(),
        received: now,
        aud: draft.asked.aud.clone(),
        pur: policy.purpose_set(draft.asked.pur.iter().map(String::as_str))?,
        cat: policy.category_set(draft.cats.iter().map(String::as_str))?,
        window: (date("from"), date("to")),
        recorded: None,
        nbf: now,
        exp: now.saturating_add(1),
        annex: Annex::empty([0; 16]),
        obl: Vec::new(),
        uses_left: None,
        ended: false,
        status_age: None,
        parent: None,
        texts: policy.texts,
    })
}

/// What the recipients of the draft would see of these pages of own records.
///
/// # Errors
/// [`FilterError`]: it cannot be said, which is not the same as nothing.
pub fn preview(
    policy: &Policy,
    mine: &Mine,
    keys: &Keys,
    draft: &Draft,
    pages: &[String],
    now: u64,
) -> Result<Preview, FilterError> {
    let mut state = state(policy, mine, keys);
    // An individual category stands alone in its grant.
    state.grants.extend(grant(policy, draft, now));
    let own = Own::of(pages);
    let mut seen = Preview::default();
    let purposes: Vec<_> = draft.asked.pur.iter().map(|p| policy.purpose(p)).collect();
    for page in pages {
        let mut shown: BTreeSet<String> = BTreeSet::new();
        for recipient in &draft.asked.aud {
            for purpose in &purposes {
                let request = Request {
                    who: Who::Recipient(recipient.clone()),
                    purpose: *purpose,
                    mode: Mode::Normal,
                    at: now,
                };
                let done = filter(page.as_bytes(), &state, &request, &own)?;
                let out = String::from_utf8(done.bytes).map_err(|_| FilterError::NotBundle)?;
                shown.extend(records(&out, policy)?.into_iter().map(|r| r.key));
            }
        }
        for record in records(page, policy)? {
            if shown.contains(&record.key) {
                seen.shown.push(record);
            } else {
                seen.hidden.push(record);
            }
        }
    }
    Ok(seen)
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]
mod tests {
    use super::*;
    use crate::care::Waiting;

    const BUNDLE: &str = r#"{"resourceType":"Bundle","type":"searchset","entry":[
     {"resource":{"resourceType":"Patient","id":"p"}},
     {"resource":{"resourceType":"AllergyIntolerance","id":"a","code":{"text":"卵"},"recordedDate":"2026-01-02","patient":{"reference":"Patient/p"}}},
     {"resource":{"resourceType":"MedicationRequest","id":"m","medicationCodeableConcept":{"coding":[{"display":"薬A"}]},"authoredOn":"2026-02-03T09:00:00+09:00","subject":{"reference":"Patient/p"}}},
     {"resource":{"resourceType":"Immunization","id":"i","vaccineCode":{"text":"ワクチン"},"occurrenceDateTime":"2025-12-01","patient":{"reference":"Patient/p"}}}]}"#;

    fn draft(cats: &[&str]) -> Draft {
        let list = |all: &[&str]| all.iter().map(|c| (*c).to_owned()).collect();
        let mut draft = Draft::new(Waiting {
            req: String::new(),
            group: String::new(),
            aud: list(&["mi:1312345678"]),
            pur: list(&["TREAT"]),
            cat: list(&["inf.allergy", "inf.rx", "imm"]),
            min: Vec::new(),
            dat: Value::Null,
            individual: false,
        });
        draft.cats = cats
            .iter()
            .map(|c| (*c).to_owned())
            .collect::<BTreeSet<_>>();
        draft
    }

    fn keys(all: &[Record]) -> Vec<String> {
        all.iter().map(|r| r.key.clone()).collect()
    }

    fn seen(cats: &[&str], pages: &[&str]) -> Result<Preview, FilterError> {
        let policy = Policy::reference().unwrap();
        let mine = Mine {
            sub: "s1.EBESExQVFhcYGRobHB0eHw".to_owned(),
            given: Vec::new(),
            unproved: 0,
            objections: Vec::new(),
            seq: 0,
        };
        let pages: Vec<String> = pages.iter().map(|p| (*p).to_owned()).collect();
        let draft = draft(cats);
        preview(
            &policy,
            &mine,
            &Keys::default(),
            &draft,
            &pages,
            1_800_000_000,
        )
    }

    /// A page with one allergy of the Patient of this id, who stands in it or not.
    fn page(id: &str, patient: &str, here: bool) -> String {
        let there = format!(r#"{{"resource":{{"resourceType":"Patient","id":"{patient}"}}}},"#);
        format!(
            r#"{{"resourceType":"Bundle","type":"searchset","entry":[{}{{"resource":{{"resourceType":"AllergyIntolerance","id":"{id}","code":{{"text":"卵"}},"patient":{{"reference":"Patient/{patient}"}}}}}}]}}"#,
            if here { there.as_str() } else { "" }
        )
    }

    #[test]
    fn two_numbers_of_one_person_are_one_person() {
        // Two hospitals, each with its own Patient; on one page, or each on its own.
        let both = page("a", "p", true).replace(
            "]}",
            r#",{"resource":{"resourceType":"Patient","id":"q"}},{"resource":{"resourceType":"AllergyIntolerance","id":"b","patient":{"reference":"Patient/q"}}}]}"#,
        );
        let one = seen(&["inf.allergy"], &[&both]).unwrap();
        assert_eq!(
            keys(&one.shown),
            ["AllergyIntolerance/a", "AllergyIntolerance/b"]
        );
        let apart = [
            page("a", "p", true),
            page("b", "q", true),
            page("c", "p", false),
        ];
        let apart: Vec<&str> = apart.iter().map(String::as_str).collect();
        assert_eq!(seen(&["inf.allergy"], &apart).unwrap().shown.len(), 3);
        // Whose Patient is on no page of the own view is not shown.
        let other = [page("a", "p", true), page("b", "r", false)];
        let other: Vec<&str> = other.iter().map(String::as_str).collect();
        let other = seen(&["inf.allergy"], &other).unwrap();
        assert_eq!(keys(&other.hidden), ["AllergyIntolerance/b"]);
    }

    #[test]
    fn what_cannot_be_read_is_not_nothing() {
        let policy = Policy::reference().unwrap();
        for none in [
            "",
            "{}",
            r#"{"resourceType":"Bundle","resourceType":"Bundle"}"#,
        ] {
            assert_eq!(
                records(none, &policy),
                Err(FilterError::NotBundle),
                "{none}"
            );
            assert_eq!(
                seen(&["imm"], &[BUNDLE, none]),
                Err(FilterError::NotBundle),
                "{none}"
            );
        }
    }

    #[test]
    fn a_ticked_category_is_shown_and_the_rest_is_hidden() {
        let none = seen(&[], &[BUNDLE]).unwrap();
        assert!(none.shown.is_empty());
        assert_eq!(none.hidden.len(), 3);
        let some = seen(&["inf.allergy", "imm"], &[BUNDLE]).unwrap();
        assert_eq!(
            keys(&some.shown),
            ["AllergyIntolerance/a", "Immunization/i"]
        );
        assert_eq!(keys(&some.hidden), ["MedicationRequest/m"]);
        assert_eq!(some.shown[0].title, "卵");
        assert_eq!(some.shown[0].day, "2026-01-02");
        assert_eq!(some.hidden[0].title, "薬A");
        assert_eq!(some.hidden[0].day, "2026-02-03");
    }
}
