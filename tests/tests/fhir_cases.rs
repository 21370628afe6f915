//! Runner of HL7's validator test cases: those of R4 in JSON that need nothing but core.
//!
//! `WARIFU_FHIR_TEST_CASES=DIR cargo xtask fhir-cases` runs a checkout of the fhir-test-cases repository. A
//! case passes when error or no error is what the manifest expects of the Java validator. Names in
//! `fhir_cases/agreeing.txt` must go on passing; `--bless` writes the names that pass into it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test may fail loudly and says aloud what it skips"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use warifu_package::Library;
use warifu_terminology::Terms;
use warifu_validate::{Options, Validator};

/// What makes a case need more than core.
const MORE_THAN_CORE: &[&str] = &[
    "packages",
    "profiles",
    "supporting",
    "codesystems",
    "logical",
    "questionnaire",
    "security-checks",
    "best-practice",
    "bundle-param",
    "ips",
    "matchetype",
    "supporting5",
    "validateReference",
];

/// Settings of the Java validator that change what it finds, and that have no counterpart here.
const OTHER_SETTINGS: &[&str] = &[
    "allow-comments",
    "noHtmlInMarkdown",
    "no-experimental-content",
];

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Passed,
    /// What was expected, and our errors.
    Failed(String),
    /// Why the case says nothing about us.
    NotApplicable(&'static str),
}

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fhir_cases")
        .join(name)
}

fn read(path: &Path) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// Whether an OperationOutcome has an error.
fn has_error(outcome: &Value) -> bool {
    let issues = outcome.get("issue").and_then(Value::as_array);
    issues.into_iter().flatten().any(|issue| {
        let severity = issue.get("severity").and_then(Value::as_str);
        matches!(severity, Some("error" | "fatal"))
    })
}

/// Whether the Java validator finds an error: a count, an outcome, or a file with one.
fn expected(root: &Path, java: &Value) -> Option<bool> {
    if let Some(count) = java.get("errorCount") {
        return Some(count.as_u64()? > 0);
    }
    if let Some(outcome) = java.get("outcome") {
        return Some(has_error(outcome));
    }
    // HL7's runner takes a file that is not there for an outcome without issues.
    let outcome = read(&root.join("outcomes").join(java.as_str()?));
    Some(outcome.is_some_and(|outcome| has_error(&outcome)))
}

/// URLs under which a case allows extensions that are not known.
fn domains(case: &Value) -> Vec<String> {
    let one = case.get("allowed-extension-domain").into_iter();
    let list = case.get("allowed-extension-domains");
    let list = list.and_then(Value::as_array).into_iter().flatten();
    one.chain(list)
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// The profile of core that a case is held against beside its own verdict, and what is expected then.
fn profile(case: &Value) -> Option<(&str, &Value)> {
    let profile = case.get("profile")?;
    let source = profile.get("source")?.as_str()?;
    let is_core = source.starts_with("http://hl7.org/fhir/StructureDefinition/");
    let needs_more = ["packages", "supporting"]
        .iter()
        .any(|key| profile.get(key).is_some());
    Some((source, profile.get("java")?)).filter(|_| is_core && !needs_more)
}

fn case(
    root: &Path,
    case: &Value,
    file: &str,
    terms: &Terms,
    (profile, java): (Option<&str>, Option<&Value>),
) -> Outcome {
    if case.get("use-test") == Some(&Value::Bool(false)) {
        return Outcome::NotApplicable("switched off");
    }
    let version = case.get("version").and_then(Value::as_str).unwrap_or("5.0");
    if version != "4.0" && !version.starts_with("4.0.") {
        return Outcome::NotApplicable("another version of FHIR");
    }
    if Path::new(file).extension() != Some("json".as_ref()) {
        return Outcome::NotApplicable("not JSON");
    }
    if MORE_THAN_CORE.iter().any(|key| case.get(key).is_some()) {
        return Outcome::NotApplicable("needs more than core");
    }
    if OTHER_SETTINGS.iter().any(|key| case.get(key).is_some())
        || case.get("examples") == Some(&Value::Bool(false))
    {
        return Outcome::NotApplicable("a setting that we do not have");
    }
    let Some(wanted) = java.and_then(|java| expected(root, java)) else {
        return Outcome::NotApplicable("nothing is expected of the Java validator");
    };
    let Ok(bytes) = std::fs::read(root.join(file)) else {
        return Outcome::NotApplicable("the file is not there");
    };
    let options = Options {
        profiles: profile.into_iter().map(str::to_owned).collect(),
        unknown_extensions: Some(domains(case)),
        ..Options::default()
    };
    let found = Validator::new(&**terms.library(), terms, options).validate(&bytes);
    if found.has_errors() == wanted {
        return Outcome::Passed;
    }
    let mut why = if wanted { "an error" } else { "no error" }.to_owned();
    let errors = found
        .list
        .iter()
        .filter(|f| f.severity == warifu_diag::Severity::Error);
    for finding in errors.take(5) {
        let _ = write!(why, "; {} {}", finding.code(), finding.location);
    }
    Outcome::Failed(why)
}

/// Every case of a checkout by its name.
fn run(checkout: &Path) -> BTreeMap<String, Outcome> {
    let root = checkout.join("validator");
    let manifest = read(&root.join("manifest.json")).expect("validator/manifest.json");
    let terms = Terms::new(Arc::new(Library::new(Vec::new())));
    let mut all = BTreeMap::new();
    let mut add = |name: &str, own: &Value| {
        let file = own.get("file").and_then(Value::as_str).unwrap_or(name);
        let java = (None, own.get("java"));
        all.insert(name.to_owned(), case(&root, own, file, &terms, java));
        if let Some((source, java)) = profile(own) {
            let java = (Some(source), Some(java));
            let name = format!("{name} ({source})");
            all.insert(name, case(&root, own, file, &terms, java));
        }
    };
    match manifest.get("test-cases") {
        Some(Value::Array(cases)) => {
            for own in cases {
                add(own.get("name").and_then(Value::as_str).unwrap_or("?"), own);
            }
        }
        // The older form: an object, the names are files.
        Some(Value::Object(cases)) => cases.iter().for_each(|(name, own)| add(name, own)),
        _ => panic!("no test-cases in the manifest"),
    }
    all
}

/// `N passed …`, and the names that fail.
fn report(all: &BTreeMap<String, Outcome>) -> String {
    let count = |test: fn(&Outcome) -> bool| all.values().filter(|o| test(o)).count();
    let mut text = format!(
        "{} passed, {} failed, {} not applicable\n",
        count(|o| *o == Outcome::Passed),
        count(|o| matches!(o, Outcome::Failed(_))),
        count(|o| matches!(o, Outcome::NotApplicable(_))),
    );
    for (name, outcome) in all {
        if let Outcome::Failed(why) = outcome {
            let _ = writeln!(text, "failed {name}: expected {why}");
        }
    }
    text
}

/// Names that must pass and do not.
fn regressions(all: &BTreeMap<String, Outcome>, agreeing: &str) -> Vec<String> {
    agreeing
        .lines()
        .filter(|name| !name.is_empty() && all.get(*name) != Some(&Outcome::Passed))
        .map(str::to_owned)
        .collect()
}

fn passed(all: &BTreeMap<String, Outcome>) -> String {
    let mut text = String::new();
    for (name, _) in all.iter().filter(|(_, o)| **o == Outcome::Passed) {
        let _ = writeln!(text, "{name}");
    }
    text
}

#[test]
fn those_of_the_checkout_go_on_passing() {
    let Some(checkout) = std::env::var_os("WARIFU_FHIR_TEST_CASES") else {
        println!("skipped: WARIFU_FHIR_TEST_CASES names no checkout of fhir-test-cases");
        return;
    };
    let all = run(Path::new(&checkout));
    println!("{}", report(&all));
    let list = here("agreeing.txt");
    if std::env::var_os("WARIFU_BLESS").is_some() {
        std::fs::write(&list, passed(&all)).unwrap();
    }
    let lost = regressions(&all, &std::fs::read_to_string(list).unwrap());
    assert!(lost.is_empty(), "no longer as expected: {lost:?}");
}

#[test]
fn the_runner_tells_cases_apart() {
    let all = run(&here("checkout"));
    let named = |test: fn(&Outcome) -> bool| {
        let names = all.iter().filter(|(_, o)| test(o)).map(|(n, _)| &**n);
        names.collect::<BTreeSet<_>>()
    };
    assert_eq!(
        named(|o| *o == Outcome::Passed),
        BTreeSet::from([
            "good",
            "bad",
            "bad-by-outcome",
            "good-by-file",
            "no-outcome-file",
            "profile-too",
            "profile-of-core",
            "profile-of-core (http://hl7.org/fhir/StructureDefinition/Patient)",
            "unknown-extension",
            "unknown-extension-allowed",
        ])
    );
    assert_eq!(
        named(|o| matches!(o, Outcome::Failed(_))),
        BTreeSet::from(["said-to-be-bad"])
    );
    assert_eq!(
        all["other-version"],
        Outcome::NotApplicable("another version of FHIR")
    );
    assert_eq!(all["other-format"], Outcome::NotApplicable("not JSON"));
    for name in ["packages", "supported"] {
        assert_eq!(
            all[name],
            Outcome::NotApplicable("needs more than core"),
            "{name}"
        );
    }
    assert_eq!(
        all["other-settings"],
        Outcome::NotApplicable("a setting that we do not have")
    );
    assert_eq!(all["off"], Outcome::NotApplicable("switched off"));
    assert!(matches!(all["others-only"], Outcome::NotApplicable(_)));
    assert!(report(&all).starts_with("10 passed, 1 failed, 7 not applicable\n"));
}

#[test]
fn a_case_that_no_longer_passes_is_a_regression() {
    let all = run(&here("checkout"));
    assert_eq!(passed(&all).lines().count(), 10);
    assert!(regressions(&all, &passed(&all)).is_empty());
    assert_eq!(
        regressions(&all, "good\nsaid-to-be-bad\ngone\n"),
        ["said-to-be-bad", "gone"]
    );
}
