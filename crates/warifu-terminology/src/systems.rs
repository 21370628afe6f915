//! A code system, from wherever it is held.

use warifu_definitions::{Lookup, NotChecked, PackageId};
use warifu_package::{Concept, Kind, Library, Resource, Value};
use warifu_r4::{Content, Core};

use crate::iso::{is_country, is_currency, is_subdivision};
use crate::plan::{Filter, Op};
use crate::shapes::shape;
use crate::syntax::{is_language, is_mime};
use crate::ucum::is_ucum;

/// Whether something holds, and if that is not known, why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
    Open(NotChecked),
}

impl Answer {
    pub(crate) fn of(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
    /// Both: a no decides, whatever is open.
    pub(crate) fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::No => Self::No,
            Self::Yes => other(),
            Self::Open(why) => match other() {
                Self::No => Self::No,
                _ => Self::Open(why),
            },
        }
    }
    /// Either: a yes decides, whatever is open.
    pub(crate) fn or(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Yes => Self::Yes,
            Self::No => other(),
            Self::Open(why) => match other() {
                Self::Yes => Self::Yes,
                _ => Self::Open(why),
            },
        }
    }
    pub(crate) fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Open(why) => Self::Open(why),
        }
    }
}

/// Whether a text is a code.
pub(crate) type Grammar = fn(&str) -> bool;

/// Code systems that are a grammar or a short table.
const GRAMMARS: &[(&str, Grammar)] = &[
    ("http://unitsofmeasure.org", is_ucum),
    ("urn:ietf:bcp:47", is_language),
    ("urn:ietf:bcp:13", is_mime),
    ("urn:iso:std:iso:3166", is_country),
    ("urn:iso:std:iso:4217", is_currency),
];

/// Of these only the form is known, and that the part before the hyphen is a country.
const SUBDIVISIONS: &str = "urn:iso:std:iso:3166:-2";

/// The grammar of a system, if it is one.
pub(crate) fn grammar(url: &str) -> Option<Grammar> {
    GRAMMARS
        .iter()
        .find(|(of, _)| *of == url)
        .map(|(_, is_code)| *is_code)
}

/// What is known of a code by the shape of its system's codes; `None` where there is none.
pub(crate) fn by_shape(url: &str, code: &str) -> Option<Answer> {
    let fits = if url == SUBDIVISIONS {
        is_subdivision(code)
    } else {
        shape(url)?(code)
    };
    Some(if fits {
        Answer::Open(NotChecked::ShapeOnly { system: url.into() })
    } else {
        Answer::No
    })
}

/// A code system.
#[derive(Debug, Clone, Copy)]
pub(crate) enum System<'l> {
    /// A grammar or table of our own.
    Grammar(Grammar),
    /// Of a package.
    Held(Resource<'l>),
    /// Of R4 core.
    Core(warifu_r4::CodeSystem),
}

/// A code system as `from` sees it. A package's own comes before that of R4 core.
pub(crate) fn system<'l>(
    library: &'l Library,
    url: &str,
    version: &str,
    from: Option<PackageId>,
) -> Result<System<'l>, NotChecked> {
    if let Some(is_code) = grammar(url) {
        return Ok(System::Grammar(is_code));
    }
    let canonical = if version.is_empty() {
        url.to_owned()
    } else {
        format!("{url}|{version}")
    };
    let found = library.find(Kind::CodeSystem, &canonical, from);
    let not_held = NotChecked::SystemNotHeld { system: url.into() };
    let missing = match found {
        Lookup::Found((_, found)) if !matches!(content(found), "not-present" | "supplement") => {
            return Ok(System::Held(found));
        }
        Lookup::Missing { package } => NotChecked::Missing { package },
        Lookup::Found(_) | Lookup::Unknown => not_held,
    };
    match Core::builtin().code_system(url) {
        Some(core) if core.content() != Content::NotPresent => Ok(System::Core(core)),
        _ => Err(missing),
    }
}

fn content(system: Resource<'_>) -> &str {
    system.value().text_of("content")
}

/// A code of a system.
pub(crate) enum Found<'l> {
    /// By grammar: nothing else is known of it.
    Plain,
    Held(Resource<'l>, Concept<'l>),
    Core(warifu_r4::CodeSystem, u16),
}

impl<'l> System<'l> {
    /// A code, if it is held.
    pub(crate) fn find(self, code: &str) -> Option<Found<'l>> {
        match self {
            Self::Grammar(is_code) => is_code(code).then_some(Found::Plain),
            Self::Held(system) => system.find_concept(code).map(|c| Found::Held(system, c)),
            Self::Core(system) => system.find(code).map(|n| Found::Core(system, n)),
        }
    }

    /// Whether case matters in codes.
    pub(crate) fn is_case_sensitive(self) -> bool {
        match self {
            Self::Grammar(_) => true,
            Self::Held(system) => system.is_case_sensitive(),
            Self::Core(system) => system.is_case_sensitive(),
        }
    }

    /// What a code that is not held is: wrong, or unknown where not all codes are held. A master that
    /// has a shape is never held whole: it grows every month, and packages carry what they need of it.
    pub(crate) fn absent(self, url: &str, code: &str) -> Answer {
        if let Some(answer) = by_shape(url, code) {
            return answer;
        }
        let whole = match self {
            Self::Grammar(_) => true,
            Self::Held(system) => content(system) == "complete",
            Self::Core(system) => system.content() == Content::Complete,
        };
        if whole {
            Answer::No
        } else {
            Answer::Open(NotChecked::SystemNotHeld { system: url.into() })
        }
    }
}

impl Found<'_> {
    /// Whether the concept is no longer in use.
    pub(crate) fn is_inactive(&self) -> bool {
        let Self::Held(_, concept) = self else {
            return false;
        };
        concept.rest().items_of("property").any(|p| {
            let value = value_of(p).unwrap_or_default();
            match p.text_of("code") {
                "inactive" => value == "true",
                "status" => matches!(value, "inactive" | "retired"),
                _ => false,
            }
        })
    }

    /// Whether a filter lets it pass.
    pub(crate) fn passes(&self, filter: &Filter, url: &str) -> Answer {
        let open = || {
            Answer::Open(NotChecked::Filter {
                filter: format!("{} {}", filter.property, filter.op.name()).into(),
            })
        };
        let hierarchy = matches!(&*filter.property, "concept" | "code");
        match &filter.op {
            Op::IsA if hierarchy => self.is_below(&filter.value, true, url),
            Op::DescendentOf if hierarchy => self.is_below(&filter.value, false, url),
            Op::IsNotA if hierarchy => self.is_below(&filter.value, true, url).not(),
            Op::Generalizes if hierarchy => match self {
                Self::Held(system, concept) => match system.find_concept(&filter.value) {
                    Some(below) => Answer::of(
                        below.index() == concept.index()
                            || ancestors(*system, below).contains(&concept.index()),
                    ),
                    None => Answer::No,
                },
                _ => open(),
            },
            Op::Regex(None)
            | Op::Unknown(_)
            | Op::IsA
            | Op::DescendentOf
            | Op::IsNotA
            | Op::Generalizes => open(),
            Op::Equal => self
                .any(filter, &|v| v == &*filter.value)
                .unwrap_or_else(open),
            Op::In => self
                .any(filter, &|v| filter.value.split(',').any(|w| w.trim() == v))
                .unwrap_or_else(open),
            Op::NotIn => self
                .any(filter, &|v| filter.value.split(',').any(|w| w.trim() == v))
                .map_or_else(open, Answer::not),
            Op::Regex(Some(regex)) => self
                .any(filter, &|v| regex.is_match(v))
                .unwrap_or_else(open),
            Op::Exists => {
                let wanted = &*filter.value != "false";
                self.any(filter, &|_| true)
                    .map_or_else(open, |a| if wanted { a } else { a.not() })
            }
        }
    }

    /// Whether a value of the property fits; `None` where properties are not held.
    fn any(&self, filter: &Filter, fits: &dyn Fn(&str) -> bool) -> Option<Answer> {
        let own_code = |code: &str| (&*filter.property == "code").then(|| Answer::of(fits(code)));
        let (system, concept) = match self {
            Self::Held(system, concept) => (*system, *concept),
            Self::Core(system, n) => return own_code(system.code(*n)),
            Self::Plain => return None,
        };
        let code_at = |n: u32| system.concept(n).map(Concept::code);
        let yes = match &*filter.property {
            "code" | "concept" => fits(concept.code()),
            "display" => concept.display().is_some_and(fits),
            "parent" => concept.parents().filter_map(code_at).any(fits),
            "child" => system
                .concepts()
                .any(|c| c.parents().any(|p| p == concept.index()) && fits(c.code())),
            property => concept
                .rest()
                .items_of("property")
                .filter(|p| p.text_of("code") == property)
                .filter_map(value_of)
                .any(fits),
        };
        Some(Answer::of(yes))
    }

    /// Whether it is below a concept, or that concept where `itself`.
    fn is_below(&self, top: &str, itself: bool, url: &str) -> Answer {
        match self {
            Self::Held(system, concept) => match system.find_concept(top) {
                Some(top) if top.index() == concept.index() => Answer::of(itself),
                Some(top) => Answer::of(ancestors(*system, *concept).contains(&top.index())),
                None => Answer::No,
            },
            Self::Core(system, n) => {
                let mut at = Some(*n);
                if system.code(*n) == top {
                    return Answer::of(itself);
                }
                // No chain is longer than the system.
                for _ in 0..system.len() {
                    at = at.and_then(|n| system.parent(n));
                    match at {
                        Some(n) if system.code(n) == top => return Answer::Yes,
                        Some(_) => {}
                        None => break,
                    }
                }
                // Of several concepts above one, R4's table keeps the first.
                if url.starts_with("http://terminology.hl7.org/CodeSystem/v3-") {
                    return Answer::Open(NotChecked::Filter {
                        filter: "concept is-a".into(),
                    });
                }
                Answer::No
            }
            Self::Plain => Answer::Open(NotChecked::Filter {
                filter: "concept is-a".into(),
            }),
        }
    }
}

/// Value of a concept's property; of a Coding its code.
fn value_of(property: Value<'_>) -> Option<&str> {
    let (_, value) = property
        .members()
        .find(|(key, _)| key.starts_with("value"))?;
    value
        .plain()
        .or_else(|| value.get("code").and_then(Value::text))
}

/// Places of all concepts above one, each once.
fn ancestors(system: Resource<'_>, concept: Concept<'_>) -> Vec<u32> {
    let mut all: Vec<u32> = Vec::new();
    let mut seen = vec![false; usize::try_from(system.concept_count()).unwrap_or_default()];
    let mut todo = vec![concept];
    while let Some(concept) = todo.pop() {
        for parent in concept.parents() {
            let place = usize::try_from(parent).unwrap_or(usize::MAX);
            match seen.get_mut(place) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            all.push(parent);
            todo.extend(system.concept(parent));
        }
    }
    all
}

/// Whether a text is a concept's display or one of its designations, apart from case and white space.
pub(crate) fn is_display(concept: Concept<'_>, text: &str) -> bool {
    let plain = |t: &str| {
        t.split_whitespace()
            .map(str::to_lowercase)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let wanted = plain(text);
    concept.display().is_none_or(|d| plain(d) == wanted)
        || concept
            .rest()
            .items_of("designation")
            .any(|d| plain(d.text_of("value")) == wanted)
}
