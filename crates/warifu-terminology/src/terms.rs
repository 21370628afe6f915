//! The terminology over a library.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use warifu_definitions::{
    Code, CodeAnswer, Lookup, Membership, NotChecked, PackageId, Terminology,
};
use warifu_package::{Kind, Library};
use warifu_r4::{Core, Picked};

use crate::plan::{Plan, Rule};
use crate::systems::{Answer, Found, System, by_shape, grammar, is_display, system};

/// Value sets that one answer may look at.
const MOST_SETS: usize = 10_000;
/// Value sets inside each other.
const DEEPEST: usize = 100;

/// Value sets that stand for a whole code system and are published nowhere.
const IMPLICIT: &[(&str, &str)] = &[
    ("http://unitsofmeasure.org/vs", "http://unitsofmeasure.org"),
    ("http://loinc.org/vs", "http://loinc.org"),
    ("http://snomed.info/sct?fhir_vs", "http://snomed.info/sct"),
];

/// Codes and value sets of a library's packages and of R4 core.
#[derive(Debug)]
pub struct Terms {
    library: Arc<Library>,
    /// Plans of value sets, by package and place of the resource.
    plans: Vec<Vec<OnceLock<Plan>>>,
}

/// What can be said of all codes of a value set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// All its codes: system and code, sorted.
    Listed(Vec<(String, String)>),
    /// Codes of a grammar (UCUM, BCP-47, MIME): each can be judged, not all listed.
    Grammar,
    /// Not all codes can be judged.
    Open(NotChecked),
}

/// One question: the code, and what was found on the way.
struct Question<'q> {
    code: Code<'q>,
    /// Answers by package and place.
    known: BTreeMap<(PackageId, u32), Answer>,
    /// Value sets being looked at.
    path: Vec<(PackageId, u32)>,
}

/// What a canonical of a value set names.
enum Set {
    Of(PackageId, u32),
    Core(warifu_r4::ValueSet),
    Whole(&'static str),
}

impl Terms {
    /// Answers from a library; plans of its value sets are made on first use.
    pub fn new(library: Arc<Library>) -> Self {
        let slots = |count| std::iter::repeat_with(OnceLock::new).take(count).collect();
        let plans = library
            .members()
            .map(|(_, m)| slots(m.package().resources().len()))
            .collect();
        Self { library, plans }
    }

    /// The library.
    pub fn library(&self) -> &Arc<Library> {
        &self.library
    }

    fn set(&self, canonical: &str, from: Option<PackageId>) -> Result<Set, Option<NotChecked>> {
        if let Some((_, system)) = IMPLICIT.iter().find(|(url, _)| canonical == *url) {
            return Ok(Set::Whole(system));
        }
        match self.library.find(Kind::ValueSet, canonical, from) {
            Lookup::Found((id, found)) => Ok(Set::Of(id, found.index())),
            other => {
                let url = warifu_package::split(canonical).0;
                match (Core::builtin().value_set(url), other) {
                    (Some(core), _) => Ok(Set::Core(core)),
                    (None, Lookup::Missing { package }) => {
                        Err(Some(NotChecked::Missing { package }))
                    }
                    (None, _) => Err(None),
                }
            }
        }
    }

    fn plan(&self, id: PackageId, index: u32) -> Option<&Plan> {
        let place = usize::try_from(index).ok()?;
        let resource = self.library.member(id)?.package().resource(index)?;
        let slot = self.plans.get(usize::from(id.0))?.get(place)?;
        Some(slot.get_or_init(|| Plan::of(resource.value())))
    }

    fn contains(&self, set: &Set, question: &mut Question<'_>) -> Answer {
        let (id, index) = match set {
            Set::Whole(system) => return self.whole(system, "", None, question.code),
            Set::Core(set) => return core_contains(*set, question.code),
            Set::Of(id, index) => (*id, *index),
        };
        if let Some(known) = question.known.get(&(id, index)) {
            return known.clone();
        }
        if question.path.contains(&(id, index)) {
            return Answer::Open(NotChecked::Filter {
                filter: "valueSet imports itself".into(),
            });
        }
        if question.known.len() >= MOST_SETS || question.path.len() >= DEEPEST {
            return Answer::Open(NotChecked::TooLarge);
        }
        let Some(plan) = self.plan(id, index) else {
            return Answer::Open(NotChecked::TooLarge);
        };
        question.path.push((id, index));
        let answer = self.judge(plan, id, question);
        question.path.pop();
        question.known.insert((id, index), answer.clone());
        answer
    }

    fn judge(&self, plan: &Plan, id: PackageId, question: &mut Question<'_>) -> Answer {
        let mut answer = Answer::No;
        for rule in &plan.includes {
            answer = answer.or(|| self.takes(rule, plan, id, question));
            if answer == Answer::Yes {
                break;
            }
        }
        for rule in &plan.excludes {
            answer = answer.and(|| self.takes(rule, plan, id, question).not());
            if answer == Answer::No {
                break;
            }
        }
        let Some(expansion) = &plan.expansion else {
            return if plan.has_compose {
                answer
            } else {
                Answer::Open(NotChecked::Filter {
                    filter: "no compose".into(),
                })
            };
        };
        // A published expansion tells what the compose does not.
        if plan.has_compose && !matches!(answer, Answer::Open(_)) {
            return answer;
        }
        let Code { system, code, .. } = question.code;
        let listed = match system {
            Some(system) => expansion
                .codes
                .binary_search_by(|(s, c)| (&**s, &**c).cmp(&(system, code)))
                .is_ok(),
            None => expansion.codes.iter().any(|(_, c)| &**c == code),
        };
        match answer {
            _ if listed => Answer::Yes,
            _ if expansion.whole => Answer::No,
            Answer::Open(why) => Answer::Open(why),
            _ => Answer::Open(NotChecked::TooLarge),
        }
    }

    fn takes(
        &self,
        rule: &Rule,
        plan: &Plan,
        id: PackageId,
        question: &mut Question<'_>,
    ) -> Answer {
        let code = question.code;
        let mut answer = Answer::Yes;
        if rule.system.is_empty() {
            if rule.value_sets.is_empty() {
                return Answer::No;
            }
        } else {
            if code.system.is_some_and(|s| s != &*rule.system) {
                return Answer::No;
            }
            answer = self.of_system(rule, plan, id, code);
        }
        for canonical in &rule.value_sets {
            if answer == Answer::No {
                break;
            }
            let other = match self.set(canonical, Some(id)) {
                Ok(set) => self.contains(&set, question),
                Err(why) => Answer::Open(why.unwrap_or_else(|| NotChecked::Filter {
                    filter: format!("valueSet {canonical} is not at hand").into(),
                })),
            };
            answer = answer.and(|| other);
        }
        answer
    }

    /// Whether the system, codes and filters of a rule take a code.
    fn of_system(&self, rule: &Rule, plan: &Plan, id: PackageId, code: Code<'_>) -> Answer {
        let url = &*rule.system;
        let held = system(&self.library, url, &rule.version, Some(id));
        if let Some(codes) = &rule.codes {
            let listed = codes.binary_search_by(|c| (**c).cmp(code.code)).is_ok();
            let folded = !listed
                && held.as_ref().is_ok_and(|s| !s.is_case_sensitive())
                && codes.iter().any(|c| c.eq_ignore_ascii_case(code.code));
            if !listed && !folded {
                return Answer::No;
            }
            if plan.inactive && rule.filters.is_empty() {
                return Answer::Yes;
            }
        }
        let system = match held {
            Ok(system) => system,
            Err(why) => {
                let only_listed = rule.codes.is_some() && rule.filters.is_empty();
                return match by_shape(url, code.code) {
                    _ if only_listed => Answer::Yes,
                    Some(Answer::Open(_)) if !rule.filters.is_empty() => Answer::Open(why),
                    Some(answer) => answer,
                    None => Answer::Open(why),
                };
            }
        };
        let Some(found) = system.find(code.code) else {
            // Some published value sets name codes that their systems do not have.
            return if rule.codes.is_some() && rule.filters.is_empty() {
                Answer::Yes
            } else {
                system.absent(url, code.code)
            };
        };
        if !plan.inactive && found.is_inactive() {
            return Answer::No;
        }
        let mut answer = Answer::Yes;
        for filter in &rule.filters {
            answer = answer.and(|| found.passes(filter, url));
        }
        answer
    }

    /// Whether a system has a code.
    fn whole(&self, url: &str, version: &str, from: Option<PackageId>, code: Code<'_>) -> Answer {
        if code.system.is_some_and(|s| s != url) {
            return Answer::No;
        }
        match system(&self.library, url, version, from) {
            Ok(system) => match system.find(code.code) {
                Some(_) => Answer::Yes,
                None => system.absent(url, code.code),
            },
            Err(why) => by_shape(url, code.code).unwrap_or(Answer::Open(why)),
        }
    }

    /// All codes of a value set, as far as it can be said; at most `most` are listed.
    ///
    /// `None`: no value set of this canonical is at hand. It serves lists and tests; whether a code is
    /// in a set is asked with [`Terminology::member`].
    pub fn extent(&self, canonical: &str, from: Option<PackageId>, most: usize) -> Option<Extent> {
        let set = match self.set(canonical, from) {
            Ok(set) => set,
            Err(why) => return why.map(Extent::Open),
        };
        let mut candidates: Vec<(String, String)> = Vec::new();
        let mut seen: Vec<(PackageId, u32)> = Vec::new();
        let mut todo = vec![(set, 0_usize)];
        let mut grammar_found = false;
        let root = todo.first().map(|(s, _)| match s {
            Set::Of(id, index) => Set::Of(*id, *index),
            Set::Core(set) => Set::Core(*set),
            Set::Whole(url) => Set::Whole(url),
        })?;
        while let Some((set, depth)) = todo.pop() {
            let (id, index) = match set {
                Set::Of(id, index) => (id, index),
                Set::Core(set) => {
                    for part in set.parts() {
                        let url = part.system.url();
                        match part.codes {
                            Picked::List { .. } => {
                                candidates
                                    .extend(part.list().map(|c| (url.to_owned(), c.to_owned())));
                            }
                            Picked::All | Picked::Open => {
                                grammar_found |= grammar(url).is_some();
                                let codes = (0..part.system.len()).map(|n| part.system.code(n));
                                candidates.extend(codes.map(|c| (url.to_owned(), c.to_owned())));
                            }
                        }
                    }
                    continue;
                }
                Set::Whole(url) => {
                    grammar_found |= grammar(url).is_some();
                    continue;
                }
            };
            if seen.contains(&(id, index)) || depth > DEEPEST {
                continue;
            }
            seen.push((id, index));
            let Some(plan) = self.plan(id, index) else {
                continue;
            };
            for rule in &plan.includes {
                let url = rule.system.to_string();
                if let Some(codes) = &rule.codes {
                    candidates.extend(codes.iter().map(|c| (url.clone(), c.to_string())));
                } else if !url.is_empty() {
                    match system(&self.library, &url, &rule.version, Some(id)) {
                        Ok(System::Grammar(_)) => grammar_found = true,
                        Ok(System::Held(system)) => candidates.extend(
                            system
                                .concepts()
                                .map(|c| (url.clone(), c.code().to_owned())),
                        ),
                        Ok(System::Core(system)) => candidates.extend(
                            (0..system.len()).map(|n| (url.clone(), system.code(n).to_owned())),
                        ),
                        Err(_) => {}
                    }
                }
                for canonical in &rule.value_sets {
                    if let Ok(set) = self.set(canonical, Some(id)) {
                        todo.push((set, depth + 1));
                    }
                }
            }
            if let Some(expansion) = &plan.expansion {
                let codes = expansion.codes.iter();
                candidates.extend(codes.map(|(s, c)| (s.to_string(), c.to_string())));
            }
            if candidates.len() > most.saturating_mul(4).saturating_add(100_000) {
                return Some(Extent::Open(NotChecked::TooLarge));
            }
        }
        warifu_order::sort(&mut candidates);
        candidates.dedup();
        let mut codes = Vec::new();
        for (system, code) in candidates {
            let asked = Code {
                system: Some(&system),
                version: None,
                code: &code,
                display: None,
            };
            match self.ask(&root, asked) {
                Answer::Yes => codes.push((system, code)),
                Answer::No => {}
                Answer::Open(why) => return Some(Extent::Open(why)),
            }
        }
        // A code that no candidate is: open where the set takes from what is not held.
        for system in self.systems(&root, 0) {
            let asked = Code {
                system: Some(&system),
                version: None,
                code: "\u{0}",
                display: None,
            };
            match self.ask(&root, asked) {
                Answer::Open(why) => return Some(Extent::Open(why)),
                // A shape refuses what is no code; whether there are more is not known.
                Answer::No if grammar(&system).is_none() && by_shape(&system, "").is_some() => {
                    let system = system.as_str().into();
                    return Some(Extent::Open(NotChecked::ShapeOnly { system }));
                }
                _ => {}
            }
        }
        if grammar_found {
            return Some(Extent::Grammar);
        }
        if codes.len() > most {
            return Some(Extent::Open(NotChecked::TooLarge));
        }
        Some(Extent::Listed(codes))
    }

    fn ask(&self, set: &Set, code: Code<'_>) -> Answer {
        let mut question = Question {
            code,
            known: BTreeMap::new(),
            path: Vec::new(),
        };
        self.contains(set, &mut question)
    }

    /// Systems of the rules of a set and of those it imports; empty ones are unknown.
    fn systems(&self, set: &Set, depth: usize) -> Vec<String> {
        let mut all: Vec<String> = match set {
            Set::Whole(url) => vec![(*url).to_owned()],
            Set::Core(set) => set
                .parts()
                .filter(|p| !matches!(p.codes, Picked::List { .. }))
                .map(|p| p.system.url().to_owned())
                .collect(),
            Set::Of(id, index) => {
                let mut all = Vec::new();
                for rule in self.plan(*id, *index).iter().flat_map(|p| &p.includes) {
                    if rule.codes.is_none() && !rule.system.is_empty() {
                        all.push(rule.system.to_string());
                    }
                    for canonical in &rule.value_sets {
                        match self.set(canonical, Some(*id)) {
                            Ok(set) if depth < 8 => all.extend(self.systems(&set, depth + 1)),
                            // Nothing is known of it: any system may be meant.
                            _ => all.push(String::new()),
                        }
                    }
                }
                if all.is_empty() && self.plan(*id, *index).is_some_and(|p| !p.has_compose) {
                    all.push(String::new());
                }
                all
            }
        };
        warifu_order::sort(&mut all);
        all.dedup();
        all
    }
}

/// Whether a value set of R4 core has a code.
fn core_contains(set: warifu_r4::ValueSet, code: Code<'_>) -> Answer {
    let mut answer = Answer::No;
    for part in set.parts() {
        let url = part.system.url();
        if code.system.is_some_and(|s| s != url && !url.is_empty()) {
            continue;
        }
        let own = match (part.contains(code.code), part.codes, grammar(url)) {
            (_, Picked::All, Some(is_code)) => Answer::of(is_code(code.code)),
            (Some(yes), ..) => Answer::of(yes),
            // R4 names the set, its codes are published elsewhere.
            (None, ..) if url.is_empty() => Answer::Open(NotChecked::Filter {
                filter: "no compose".into(),
            }),
            (None, ..) => by_shape(url, code.code)
                .unwrap_or_else(|| Answer::Open(NotChecked::SystemNotHeld { system: url.into() })),
        };
        answer = answer.or(|| own);
    }
    answer
}

impl Terminology for Terms {
    fn member(&self, value_set: &str, from: Option<PackageId>, code: Code<'_>) -> Membership {
        let set = match self.set(value_set, from) {
            Ok(set) => set,
            Err(Some(why)) => return Membership::NotChecked(why),
            Err(None) => return Membership::UnknownValueSet,
        };
        match self.ask(&set, code) {
            Answer::Yes => Membership::In,
            Answer::No => Membership::NotIn,
            Answer::Open(why) => Membership::NotChecked(why),
        }
    }

    fn code(&self, code: Code<'_>) -> CodeAnswer {
        let url = code.system.unwrap_or_default();
        let known = CodeAnswer::Known {
            other_display: None,
        };
        let version = code.version.unwrap_or_default();
        let answer = match system(&self.library, url, version, None) {
            Ok(held) => match held.find(code.code) {
                Some(Found::Held(_, concept)) => {
                    let other = code.display.filter(|d| !is_display(concept, d));
                    return CodeAnswer::Known {
                        other_display: other.and(concept.display()).map(Into::into),
                    };
                }
                Some(_) => return known,
                None => held.absent(url, code.code),
            },
            Err(why) => by_shape(url, code.code).unwrap_or(Answer::Open(why)),
        };
        match answer {
            Answer::Yes => known,
            Answer::No => CodeAnswer::UnknownCode,
            Answer::Open(why) => CodeAnswer::NotChecked(why),
        }
    }
}
