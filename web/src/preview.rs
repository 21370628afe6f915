//! What a recipient would see: the decision and the filter that the server runs, over the person's own
//! records, with every consent in force and the draft (ux-portal §4, S5).

use std::collections::{BTreeMap, BTreeSet};

use warifu_consent::json::Value;
use warifu_consent::{
    Annex, Date, Facts, FilterError, Grant, Kept, KeyState, Knowledge, Mode, Origin, Policy,
    Request, State, Told, Who, filter, state_of,
};

use crate::care::{Keys, Mine};
use crate::record::{self, Record};
use crate::wizard::{Draft, Hidden};

/// Pages of own records as they came, and the facility of each record by `Type/id`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pages {
    /// A Bundle a page.
    pub bundles: Vec<String>,
    /// Facilities.
    pub sources: BTreeMap<String, String>,
}

impl Pages {
    /// The same as people know them, the newest first; what has no day stands last.
    ///
    /// # Errors
    /// [`FilterError`]: it cannot be said what is in them.
    pub fn listed(&self, policy: &Policy) -> Result<Vec<Record>, FilterError> {
        let pages = self.bundles.iter();
        let pages = pages.map(|page| record::records(page, policy, &self.sources));
        let pages: Vec<Vec<Record>> = pages.collect::<Result<_, _>>()?;
        let mut all: Vec<Record> = pages.into_iter().flatten().collect();
        // Of one day, what came of an order stands before it.
        all.sort_by(|a, b| b.day.cmp(&a.day).then(a.is_order().cmp(&b.is_order())));
        Ok(all)
    }
}

/// Both sides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preview {
    /// What they would see.
    pub shown: Vec<Record>,
    /// What stays hidden.
    pub hidden: Vec<Record>,
    /// `Type/id` of what they see by other consents, whatever becomes of the draft.
    pub before: BTreeSet<String>,
}

/// What the holder knows beside the content. The facility of each record it tells the person; on the rest
/// the decision does not turn, for what is in the person's own view. Whose a Patient is, the own view tells:
/// the server lets through no other person's (`Type/id` of all that is on its pages).
struct Own<'s> {
    all: BTreeSet<String>,
    sources: &'s BTreeMap<String, String>,
}

impl Knowledge for Own<'_> {
    fn facts(&self, kind: &str, id: &str) -> Facts {
        let src = self.sources.get(&format!("{kind}/{id}"));
        Facts {
            src: src.cloned().unwrap_or_default(),
            origin: Origin::Ehr,
            recorded: None,
            told: Told::Unknown,
        }
    }

    fn is_person(&self, kind: &str, id: &str) -> Option<bool> {
        Some(kind == "Patient" && self.all.contains(&format!("Patient/{id}")))
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
        annex: draft.annex([0; 16]),
        obl: Vec::new(),
        uses_left: None,
        ended: false,
        status_age: None,
        parent: None,
        texts: policy.texts,
    })
}

/// `Type/id` of what the recipients of the draft see in this state.
fn shown(
    state: &State<'_>,
    draft: &Draft,
    own: &Pages,
    known: &Own<'_>,
    now: u64,
) -> Result<BTreeSet<String>, FilterError> {
    let mut shown = BTreeSet::new();
    for page in &own.bundles {
        for recipient in &draft.asked.aud {
            for purpose in &draft.asked.pur {
                let request = Request {
                    who: Who::Recipient(recipient.clone()),
                    purpose: state.policy.purpose(purpose),
                    mode: Mode::Normal,
                    at: now,
                };
                let done = filter(page.as_bytes(), state, &request, known)?;
                let out = String::from_utf8(done.bytes).map_err(|_| FilterError::NotBundle)?;
                shown.extend(record::keys(&out));
            }
        }
    }
    Ok(shown)
}

/// What it is told from: the person's own records, and every consent in force.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// Categories, ceilings, labels.
    pub policy: &'a Policy,
    /// Consents.
    pub mine: &'a Mine,
    /// Keys that signed them.
    pub keys: &'a Keys,
    /// Own records.
    pub own: &'a Pages,
    /// The list of them.
    pub listed: &'a [Record],
    /// Seconds UTC.
    pub now: u64,
}

/// What could be shown if all that is asked for were ticked, and which ticks each record takes. It is found once
/// for a request and what is left out of it: a tick asks the filter nothing more than what would be shown then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    req: String,
    hidden: BTreeSet<Hidden>,
    takes: BTreeMap<String, Vec<String>>,
}

impl Reach {
    /// Whether it is that of these choices.
    pub fn is_of(&self, draft: &Draft) -> bool {
        self.req == draft.asked.req && self.hidden == draft.hidden
    }

    /// How many records that stand under a category would be shown with its tick and those that are there: each
    /// is counted once.
    pub fn count(&self, draft: &Draft, cat: &str, listed: &[Record]) -> usize {
        let ticked = |c: &String| c == cat || draft.cats.contains(c);
        let of_it = listed.iter().filter(|r| draft.kind_of(r) == cat);
        let takes = of_it.filter_map(|r| self.takes.get(&r.key));
        takes.filter(|takes| takes.iter().all(ticked)).count()
    }
}

impl Sight<'_> {
    fn known(&self) -> Own<'_> {
        Own {
            all: self
                .own
                .bundles
                .iter()
                .flat_map(|b| record::keys(b))
                .collect(),
            sources: &self.own.sources,
        }
    }

    /// What would be seen with these ticks, beside the consents of the state.
    fn with(
        &self,
        state: &State<'_>,
        draft: &Draft,
        known: &Own<'_>,
    ) -> Result<BTreeSet<String>, FilterError> {
        let mut state = state.clone();
        // An individual category stands alone in its grant.
        state.grants.extend(grant(self.policy, draft, self.now));
        shown(&state, draft, self.own, known, self.now)
    }

    /// What the recipients of the draft would see of these pages of own records, and of the list of them.
    ///
    /// # Errors
    /// [`FilterError`]: it cannot be said, which is not the same as nothing.
    pub fn preview(&self, draft: &Draft) -> Result<Preview, FilterError> {
        let known = self.known();
        let state = state(self.policy, self.mine, self.keys);
        let before = if state.grants.is_empty() {
            BTreeSet::new()
        } else {
            shown(&state, draft, self.own, &known, self.now)?
        };
        let shown = self.with(&state, draft, &known)?;
        let mut seen = Preview {
            before,
            ..Preview::default()
        };
        for record in self.listed {
            if shown.contains(&record.key) {
                seen.shown.push(record.clone());
            } else {
                seen.hidden.push(record.clone());
            }
        }
        Ok(seen)
    }

    /// What the ticks of a draft could come to.
    ///
    /// # Errors
    /// [`FilterError`]: it cannot be said.
    pub fn reach(&self, draft: &Draft) -> Result<Reach, FilterError> {
        let known = self.known();
        let state = state(self.policy, self.mine, self.keys);
        let mut all = draft.clone();
        all.cats = draft.asked.cat.iter().cloned().collect();
        let most = self.with(&state, &all, &known)?;
        let found = self.listed.iter().filter(|r| most.contains(&r.key));
        let found = found.map(|r| (r.key.clone(), r.cats.clone()));
        let mut takes: BTreeMap<String, Vec<String>> = found.collect();
        // Another consent may give a part of what a record takes.
        for cat in draft.asked.cat.iter().filter(|_| !state.grants.is_empty()) {
            if !takes.values().any(|takes| takes.contains(cat)) {
                continue;
            }
            all.cats.remove(cat);
            let without = self.with(&state, &all, &known)?;
            all.cats.insert(cat.clone());
            for (_, takes) in takes.iter_mut().filter(|(key, _)| without.contains(*key)) {
                takes.retain(|c| c != cat);
            }
        }
        Ok(Reach {
            req: draft.asked.req.clone(),
            hidden: draft.hidden.clone(),
            takes,
        })
    }
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
            at: 0,
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

    fn own(pages: &[&str]) -> Pages {
        let bundles: Vec<String> = pages.iter().map(|p| (*p).to_owned()).collect();
        let keys = bundles.iter().flat_map(|b| record::keys(b));
        let sources = keys.map(|k| (k, "mi:1319999999".to_owned())).collect();
        Pages { bundles, sources }
    }

    fn keys(all: &[Record]) -> Vec<String> {
        all.iter().map(|r| r.key.clone()).collect()
    }

    /// Somebody who decided nothing yet.
    fn nobody() -> Mine {
        Mine {
            sub: "s1.EBESExQVFhcYGRobHB0eHw".to_owned(),
            given: Vec::new(),
            unproved: 0,
            objections: Vec::new(),
            seq: 0,
        }
    }

    fn seen(cats: &[&str], pages: &[&str]) -> Result<Preview, FilterError> {
        let policy = Policy::reference().unwrap();
        let mine = nobody();
        let pages = own(pages);
        let draft = draft(cats);
        let sight = Sight {
            policy: &policy,
            mine: &mine,
            keys: &Keys::default(),
            own: &pages,
            listed: &pages.listed(&policy)?,
            now: 1_800_000_000,
        };
        sight.preview(&draft)
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
                own(&[none]).listed(&policy),
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
    fn what_is_left_out_is_hidden_by_the_same_filter() {
        let policy = Policy::reference().unwrap();
        let own = own(&[BUNDLE]);
        let listed = own.listed(&policy).unwrap();
        let mine = nobody();
        let seen = |hidden: Hidden| {
            let mut draft = draft(&["inf.allergy", "imm"]);
            draft.hidden.insert(hidden);
            let sight = Sight {
                policy: &policy,
                mine: &mine,
                keys: &Keys::default(),
                own: &own,
                listed: &listed,
                now: 1_800_000_000,
            };
            let seen = sight.preview(&draft).unwrap();
            // A tick that is there counts what is shown of it.
            let reach = sight.reach(&draft).unwrap();
            for cat in &draft.cats {
                let shown = seen.shown.iter().filter(|r| draft.kind_of(r) == cat);
                assert_eq!(reach.count(&draft, cat, &listed), shown.count(), "{cat}");
            }
            keys(&seen.shown)
        };
        let egg = listed.iter().find(|r| r.title == "卵").unwrap();
        assert_eq!(egg.src, "mi:1319999999");
        assert_eq!(seen(Hidden::Record(egg.id.clone())), ["Immunization/i"]);
        let other = Hidden::Facility("mi:1312345678".to_owned());
        assert_eq!(seen(other).len(), 2);
        let own = Hidden::Facility("mi:1319999999".to_owned());
        assert!(seen(own).is_empty());
    }

    #[test]
    fn surgery_alone_is_what_its_own_consent_shows() {
        let page = BUNDLE.replace(
            "]}",
            r#",{"resource":{"resourceType":"Procedure","id":"o","status":"completed","code":{"text":"手術"},"subject":{"reference":"Patient/p"}}}]}"#,
        );
        let one = seen(&["prc.surgery"], &[&page]).unwrap();
        assert_eq!(keys(&one.shown), ["Procedure/o"]);
        assert_eq!(one.hidden.len(), 3);
        assert!(one.before.is_empty());
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

    /// A page of tests: one that is known to be ordinary, one that may be an infection's, one that is, and a drug.
    fn tests_page() -> String {
        let jlac = "urn:oid:1.2.392.200119.4.504";
        let lab = r#""category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}]"#;
        let result = |id: &str, coding: &str| {
            format!(
                r#"{{"resource":{{"resourceType":"Observation","id":"{id}","status":"final",{lab},"code":{{"coding":[{coding}],"text":"{id}"}},"valueString":"1","subject":{{"reference":"Patient/p"}}}}}}"#
            )
        };
        let code = |code: &str| format!(r#"{{"system":"{jlac}","code":"{code}"}}"#);
        let rows = [
            result("ordinary", &code("3B035000002327201")),
            result("maybe", r#"{"system":"urn:local","code":"X1"}"#),
            result("infection", &code("5F016141002302311")),
        ];
        BUNDLE.replace("]}", &format!(",{}]}}", rows.join(",")))
    }

    /// Consents of somebody who gave some categories to the clinic.
    fn gave(cats: &[&str]) -> (Mine, Keys) {
        let key = warifu_consent::SecretKey::from_seed(&mut [9; 32]);
        let list =
            |all: &[&str]| Value::from(all.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>());
        let id = |n: u8| warifu_consent::b64::encode(&[n; 16]);
        let annex = Annex::empty([1; 16]);
        let text = warifu_consent::json::object([
            ("id", "treat".into()),
            ("ver", 1.into()),
            ("lang", "ja".into()),
            ("m", 1.into()),
            ("h", warifu_consent::b64::encode(&[1; 32]).into()),
        ]);
        let claims = warifu_consent::json::object([
            ("sub", nobody().sub.as_str().into()),
            ("aud", list(&["mi:1312345678"])),
            ("pur", list(&["TREAT"])),
            ("cat", list(cats)),
            ("dat", warifu_consent::json::object([])),
            ("anx", annex.hash().into()),
            ("iat", 1_799_990_000.into()),
            ("nbf", 1_799_990_000.into()),
            ("exp", 1_800_070_000.into()),
            ("jti", id(1).into()),
            ("txt", text),
        ]);
        let token = warifu_consent::make(warifu_consent::Typ::Grant, claims, &key).unwrap();
        let x = warifu_consent::Signer::public(&key).x();
        let keys = Keys(vec![crate::care::OneKey {
            kid: warifu_consent::Signer::public(&key).thumbprint(),
            x,
            since: 0,
            state: KeyState::Active,
            jti: id(2),
            role: "patient".to_owned(),
            person: None,
        }]);
        let annex = warifu_consent::b64::encode(&annex.to_bytes());
        let answer = warifu_consent::json::object([
            ("sub", nobody().sub.as_str().into()),
            ("seq", 0.into()),
            (
                "tokens",
                Value::Array(vec![warifu_consent::json::object([
                    ("token", token.into()),
                    ("at", 1_799_990_000.into()),
                    ("annex", annex.into()),
                ])]),
            ),
        ]);
        let mine = Mine::read(&answer, &keys, 1_800_000_000).unwrap();
        assert_eq!(mine.given.len(), 1);
        (mine, keys)
    }

    #[test]
    fn a_tick_counts_what_the_filter_then_shows() {
        let policy = Policy::reference().unwrap();
        let own = own(&[&tests_page()]);
        let listed = own.listed(&policy).unwrap();
        let maybe = listed.iter().find(|r| r.title == "maybe").unwrap();
        assert_eq!(maybe.cats, ["inf.infection", "inf.lab"]);
        let asked = ["inf.infection", "inf.lab", "inf.rx"];
        let mut all = draft(&[]);
        all.asked.cat = asked.map(str::to_owned).to_vec();
        let mut counted = 0;
        for (mine, keys) in [
            (nobody(), Keys::default()),
            gave(&["inf.infection"]),
            gave(&["imm", "inf.lab"]),
        ] {
            let sight = Sight {
                policy: &policy,
                mine: &mine,
                keys: &keys,
                own: &own,
                listed: &listed,
                now: 1_800_000_000,
            };
            let reach = sight.reach(&all).unwrap();
            // Every choice, and every tick beside it: the count is what the filter shows of the kind then.
            for chosen in 0..8_u8 {
                let mut draft = all.clone();
                let ticks = asked
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| chosen >> at & 1 == 1);
                draft.cats = ticks.map(|(_, c)| (*c).to_owned()).collect();
                assert!(reach.is_of(&draft));
                for cat in asked {
                    let mut then = draft.clone();
                    then.cats.insert(cat.to_owned());
                    let shown = sight.preview(&then).unwrap().shown;
                    let shown = shown.iter().filter(|r| draft.kind_of(r) == cat).count();
                    assert_eq!(reach.count(&draft, cat, &listed), shown, "{chosen} {cat}");
                    counted += shown;
                }
            }
        }
        assert!(counted > 60, "{counted}");
        // What is left out is counted no more.
        let mut less = all.clone();
        less.hidden.insert(Hidden::Record(maybe.id.clone()));
        let (mine, keys) = (nobody(), Keys::default());
        let sight = Sight {
            policy: &policy,
            mine: &mine,
            keys: &keys,
            own: &own,
            listed: &listed,
            now: 1_800_000_000,
        };
        less.cats = asked.map(str::to_owned).into();
        assert!(!sight.reach(&all).unwrap().is_of(&less));
        assert_eq!(
            sight.reach(&less).unwrap().count(&less, "inf.lab", &listed),
            1
        );
        assert_eq!(
            sight.reach(&all).unwrap().count(&less, "inf.lab", &listed),
            2
        );
    }
}
