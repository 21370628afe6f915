//! HAPI's validator beside ours: error or no error, for the published examples and for mutants.
//!
//! `cargo xtask ci` sets `WARIFU_HAPI` to the class path of `tests/hapi`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{self, packages::GUIDES};
use crate::operators::OPERATORS;
use crate::{chosen, guides};
use warifu_validate::{Options, Validator};

/// As HAPI is set up: vital signs follow R4's profiles where they claim them.
fn as_hapi() -> Options {
    Options {
        vital_signs: false,
        ..Options::default()
    }
}

/// Mutants of an operator and a guide.
const EACH: usize = 4;

/// Operators whose fault HAPI sees only where it can fetch what is referred to.
const NOT_ASKED: &[&str] = &["reference-type", "reference-form"];

/// A guide whose profiles HAPI does not load: what they are built on is in no package.
const NOT_LOADED: &str = "jp-eprescriptiondata";

/// Differences that are explained in `docs/hapi.md`: what a message of HAPI holds, or where ours stands
/// alone; and the heading that explains it.
const KNOWN: &[(&str, &str)] = &[
    (
        "Unknown code 'http://hl7.org/fhir/resource-types#specimen'",
        "The type of a reference",
    ),
    ("empty-list", "Empty lists"),
    ("reference-urn", "References to nothing"),
];

const DOC: &str = include_str!("../../../docs/hapi.md");

/// A document, what it is, and our verdict.
struct Asked {
    what: String,
    archives: &'static [&'static str],
    text: String,
    wrong: bool,
    ours: String,
}

/// HAPI's answers, in order: whether there is an error, and the errors.
fn answers(class_path: &str, shared: &Path, asked: &[Asked]) -> Vec<(bool, String)> {
    let mut java = Command::new("java")
        .args(["-Xmx3g", "-cp", class_path, "Hapi"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = java.stdin.take().unwrap();
    let output = BufReader::new(java.stdout.take().unwrap());
    let answers = std::thread::scope(|scope| {
        scope.spawn(move || {
            for one in asked {
                let mut line = "packages".to_owned();
                for archive in one.archives {
                    let path = shared.join(format!("fhir/packages/{archive}.tgz"));
                    let _ = write!(line, "\t{}", path.display());
                }
                writeln!(input, "{line}\ndocument\t{}", one.text).unwrap();
            }
        });
        output
            .lines()
            .map(|line| {
                let line = line.unwrap();
                let (verdict, why) = line.split_once('\t').unwrap_or((&line, ""));
                (verdict == "error", why.to_owned())
            })
            .collect::<Vec<_>>()
    });
    assert!(java.wait().unwrap().success(), "java ends well");
    assert_eq!(answers.len(), asked.len(), "an answer for each document");
    answers
}

fn ask(
    validator: &Validator<'_>,
    archives: &'static [&'static str],
    what: String,
    text: String,
) -> Asked {
    let found = validator.validate(text.as_bytes());
    let errors: BTreeSet<&str> = found
        .list
        .iter()
        .filter(|f| f.severity == warifu_diag::Severity::Error)
        .map(warifu_validate::Finding::code)
        .collect();
    Asked {
        what,
        archives,
        text,
        wrong: found.has_errors(),
        ours: errors.into_iter().collect::<Vec<_>>().join(" "),
    }
}

#[test]
fn hapi_agrees_on_examples_and_mutants() {
    let test = "hapi_agrees_on_examples_and_mutants";
    let Some(shared) = common::shared(test) else {
        return;
    };
    let Ok(class_path) = std::env::var("WARIFU_HAPI") else {
        println!("{test}: skipped: WARIFU_HAPI is not set; cargo xtask ci --only hapi sets it");
        return;
    };
    let mut asked = Vec::new();
    for (name, archives) in GUIDES.iter().filter(|(name, _)| *name != NOT_LOADED) {
        let terms = common::packages::terms(&shared.join("fhir"), archives);
        let validator = Validator::new(&**terms.library(), &terms, as_hapi());
        for file in common::load(&shared.join("fhir/examples").join(name)) {
            if Path::new(&file.path).extension() == Some("json".as_ref()) {
                let value: serde_json::Value = serde_json::from_slice(&file.bytes).unwrap();
                let what = format!("{name}/{}", file.path);
                asked.push(ask(&validator, archives, what, value.to_string()));
            }
        }
    }
    let examples = asked.len();
    let first = answers(&class_path, &shared, &asked);
    // A mutant of what HAPI refuses anyway tells nothing.
    let good: BTreeSet<String> = asked
        .iter()
        .zip(&first)
        .filter(|(_, (wrong, _))| !wrong)
        .map(|(a, _)| a.what.clone())
        .collect();
    let mut mutants = Vec::new();
    for guide in guides(&shared) {
        let validator = Validator::new(&**guide.terms.library(), &guide.terms, as_hapi());
        for operator in OPERATORS.iter().filter(|o| !NOT_ASKED.contains(&o.name)) {
            let mut all = Vec::new();
            for (n, case) in guide.cases.iter().enumerate() {
                if good.contains(&format!("{}/{}", guide.name, case.name)) {
                    let mut own = Vec::new();
                    (operator.run)(case, &guide.definitions, &mut own);
                    all.extend(own.into_iter().map(|m| (n, m)));
                }
            }
            for (n, mutant) in chosen(all, EACH) {
                let case = &guide.cases[n];
                let what = format!("{} {}", operator.name, mutant.label);
                let text = mutant.edit.apply(&case.value);
                mutants.push(ask(&validator, guide.archives, what, text));
            }
        }
    }
    let second = answers(&class_path, &shared, &mutants);
    let mut text = String::new();
    let mut unexplained = Vec::new();
    for (title, asked, answers) in [("examples", &asked, &first), ("mutants", &mutants, &second)] {
        let mut same = 0;
        let mut differ: BTreeMap<String, usize> = BTreeMap::new();
        for (one, (wrong, why)) in asked.iter().zip(answers) {
            if one.wrong == *wrong {
                same += 1;
                continue;
            }
            let ours = if one.wrong { &*one.ours } else { "no error" };
            let known = KNOWN.iter().find(|(part, _)| {
                if one.wrong {
                    one.what.starts_with(part)
                } else {
                    why.contains(part)
                }
            });
            match known {
                Some((_, heading)) => *differ.entry((*heading).to_owned()).or_default() += 1,
                None => unexplained.push(format!("{}: ours {ours}, HAPI {wrong} {why}", one.what)),
            }
        }
        let all = asked.len();
        let _ = writeln!(text, "{title}: {same} of {all} agree");
        for (heading, n) in &differ {
            let _ = writeln!(text, "    {n} × {heading}");
            if !DOC.contains(&format!("## {heading}\n")) {
                unexplained.push(format!("docs/hapi.md has no heading: {heading}"));
            }
        }
        if same * 100 < all * 98 {
            unexplained.push(format!("{title}: fewer than 98 % agree"));
        }
    }
    println!("{text}");
    for line in &unexplained {
        println!("UNEXPLAINED {}", line.chars().take(500).collect::<String>());
    }
    assert!(
        mutants.len() >= 500 && examples > 300,
        "{} {examples}",
        mutants.len()
    );
    assert!(unexplained.is_empty(), "{} differences", unexplained.len());
    assert!(DOC.contains(&text), "docs/hapi.md has the numbers:\n{text}");
}
