//! `docs/consent.md` is the reference: its tables are those of the code.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

#[path = "common/states.rs"]
#[expect(dead_code, reason = "tests of the decision use the rest")]
mod states;

use std::collections::BTreeSet;

use states::{Dice, case, policy_text};
use warifu_consent::{ImportCode, Lang, Policy, Reason, Why, explain};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/consent.md");

/// The part of the reference between the marks of this name.
fn part(name: &str) -> String {
    let doc = std::fs::read_to_string(PATH).unwrap();
    let (_, rest) = doc.split_once(&format!("<!-- {name} -->\n")).unwrap();
    rest.split_once(&format!("<!-- /{name} -->"))
        .unwrap()
        .0
        .to_owned()
}

/// The table as it is made here; `WARIFU_BLESS=1` writes it.
fn same(name: &str, table: &str) {
    if std::env::var_os("WARIFU_BLESS").is_some() {
        let doc = std::fs::read_to_string(PATH).unwrap();
        let marked = |body: &str| format!("<!-- {name} -->\n{body}<!-- /{name} -->");
        let doc = doc.replace(&marked(&part(name)), &marked(table));
        std::fs::write(PATH, doc).unwrap();
    }
    assert_eq!(
        part(name),
        table,
        "docs/consent.md; WARIFU_BLESS=1 writes it"
    );
}

/// Every file and test that the table of acceptance names is there: a row has its files in backticks, from the
/// root or from this crate's `tests`, and the names of tests in them.
#[test]
fn what_shows_each_line_of_the_acceptance_is_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let doc = part("acceptance");
    let rows: Vec<&str> = doc.lines().skip(2).collect();
    for (n, row) in (1..).zip(&rows) {
        assert!(row.starts_with(&format!("| {n} ")), "{row}");
        let (mut content, mut names) = (String::new(), 0);
        let named: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        for name in &named {
            let extension = std::path::Path::new(name).extension();
            if extension.is_some_and(|e| e == "rs" || e == "mjs") {
                let near = root.join("crates/warifu-consent/tests").join(name);
                let path = if near.is_file() {
                    near
                } else {
                    root.join(name)
                };
                content = std::fs::read_to_string(&path)
                    .unwrap_or_else(|_| panic!("line {n}: no file {name}"));
            } else if !name.contains(' ') && name.contains('_') && !name.contains("::") {
                if name.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
                    continue;
                }
                names += 1;
                let written = [format!("fn {name}("), format!("test(\"{name}\"")];
                assert!(
                    written.iter().any(|w| content.contains(w)),
                    "line {n}: no test {name}"
                );
            } else {
                names += 1;
                assert!(
                    content.contains(&format!("test(\"{name}\"")),
                    "line {n}: no test {name}"
                );
            }
        }
        assert!(names > 0, "line {n} names no test");
    }
    assert_eq!(rows.len(), 12);
}

#[test]
fn every_reason_of_a_refusal_stands_there_with_its_step() {
    let mut table = "| reason | step | HTTP | means |\n|---|---|---|---|\n".to_owned();
    for reason in Reason::ALL {
        let sentence = reason.sentence(Lang::En);
        let means = sentence
            .strip_prefix("Not accepted: it ")
            .unwrap_or(sentence);
        let row = format!(
            "| `{}` | {} | {} | {} |\n",
            reason.wire(),
            reason.step(),
            reason.http(),
            means.trim_end_matches('.')
        );
        table.push_str(&row);
    }
    same("reasons", &table);
}

#[test]
fn every_code_of_the_import_stands_there() {
    let doc = std::fs::read_to_string(PATH).unwrap();
    for code in ImportCode::ALL {
        assert!(
            doc.contains(&format!("\n| `{}` | ", code.wire())),
            "{}",
            code.wire()
        );
    }
}

/// Each rule of the table gives the answers that stand with it, each of them somewhere, and no other.
#[test]
fn the_rules_of_the_decision_give_the_answers_that_stand_there() {
    let mut said = BTreeSet::new();
    let mut known = BTreeSet::new();
    for row in part("rules").lines().skip(2) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        for (n, cell) in [(2, cells[2]), (3, cells[3])] {
            let effect = if n == 2 { "permit" } else { "deny" };
            for word in cell.split('`').skip(1).step_by(2) {
                said.insert(format!("{} {effect} {word}", cells[0]));
                known.insert(word.to_owned());
            }
        }
    }
    for why in Why::ALL.iter().filter(|w| **w != Why::Permitted) {
        assert!(known.contains(why.wire()), "{}", why.wire());
    }
    let text = policy_text();
    let policy = Policy::read(text.as_bytes()).unwrap();
    let mut dice = Dice(11);
    let mut seen = BTreeSet::new();
    for _ in 0..100_000 {
        let (s, r, i) = case(&policy, &mut dice);
        let told = explain(&s, &r, &i, None, Lang::En);
        let rule = told.chain.iter().rfind(|l| l.starts_with('D')).unwrap();
        let (rule, rest) = rule.split_once(':').unwrap();
        let answer = rest.rsplit_once('(').unwrap().1.trim_end_matches(')');
        let answer = answer.split(':').next().unwrap();
        seen.insert(format!("{rule} {answer}"));
    }
    assert_eq!(said, seen);
}
