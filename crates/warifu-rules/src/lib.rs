//! Checks of SS-MIX2 storages and messages.
//!
//! * [`Checker`] looks at one file, at all files of a patient, or at a stream of messages, and pushes
//!   `Diagnostic`s whose spans are bytes of the file as received.
//! * [`rules`] is the catalogue: every code that the checker can find, with its page.
//! * [`Options`] chooses the profiles; single rules are chosen by the caller.
//!
//! A file is indexed once; rules are found by segment and field while the index is walked once.
//! Nothing here reads a file or a clock: a rule that needs a day takes it from the message.
#![forbid(unsafe_code)]

mod checker;
mod cx;
pub mod fix;
mod grammar;
mod patient;
mod plan;
mod rule;
mod rules;
pub mod selection;

pub use checker::{Checker, File};
pub use grammar::STRUCTURES;
pub use rule::Rule;
pub use rules::ELSEWHERE;
use warifu_diag::{Code, Entry, Profile, catalogue};

/// Which sets of rules are on; SS-MIX2 1.2g itself always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Profiles {
    /// What the National Hospital Organization (国立病院機構) demands beyond SS-MIX2.
    pub nho: bool,
    /// What the standard wants but real data rarely keep.
    pub strict: bool,
}

impl Profiles {
    /// Whether a profile is on.
    pub const fn has(self, profile: Profile) -> bool {
        match profile {
            Profile::Nho => self.nho,
            Profile::Strict => self.strict,
            _ => true,
        }
    }
}

/// What to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Options {
    /// Sets of rules.
    pub profiles: Profiles,
    /// Whether rules that are not settled yet are on.
    pub preview: bool,
}

impl Options {
    /// Whether a code is on.
    pub fn has(&self, code: &Entry) -> bool {
        self.profiles.has(code.profile)
            && (self.preview || code.status != warifu_diag::Status::Preview)
    }
}

/// Every rule, in order of family and number.
pub fn rules() -> impl Iterator<Item = Rule> {
    let mut all: Vec<Code> = [
        catalogue::enc::ALL,
        catalogue::hl7::ALL,
        catalogue::ssm::ALL,
    ]
    .iter()
    .chain(rules::CODES)
    .flat_map(|family| family.iter().copied())
    .collect();
    warifu_order::sort_by_key(&mut all, |entry| (family(entry.code), entry.code));
    all.into_iter().map(|entry| Rule { entry })
}

/// Order of the families.
fn family(code: &str) -> usize {
    ["ENC", "HL7", "SSM", "NHO"]
        .iter()
        .position(|f| code.starts_with(f))
        .unwrap_or(usize::MAX)
}

/// Every code: rules, the findings of the conversion (`MAP`, `CLN`), those of FHIR validation (`FHR`,
/// `JPC`, `CLN4xx`), and what a run refuses (`CLI`).
pub fn entries() -> impl Iterator<Item = Code> {
    const OTHERS: [&str; 5] = ["MAP", "CLN", "FHR", "JPC", "CLI"];
    rules()
        .map(|rule| rule.entry)
        .chain(catalogue::all().filter(|e| OTHERS.iter().any(|f| e.code.starts_with(f))))
}

/// Finds a code of [`entries`] by its number or its name; case does not matter.
pub fn lookup(code_or_name: &str) -> Option<Code> {
    entries().find(|e| {
        e.code.eq_ignore_ascii_case(code_or_name) || e.name.eq_ignore_ascii_case(code_or_name)
    })
}
