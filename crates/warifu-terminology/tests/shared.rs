//! All value sets of the packages of `../shared`: each is listed, or says why not; and two
//! comparisons: with published expansions, and of R4's table with R4's own definitions.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use warifu_definitions::{Code, Membership, NotChecked, PackageId, Terminology as _};
use warifu_package::{Fallback, File, Kind, Library, Limits, Package, compile, unpack};
use warifu_terminology::{Extent, Terms};

const CORE: &str = "hl7.fhir.r4.core-4.0.1.tgz";

fn archives() -> Vec<(String, Vec<File>)> {
    let folder = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/fhir/packages"
    ));
    let Ok(entries) = std::fs::read_dir(folder) else {
        println!("skipped: no packages");
        return Vec::new();
    };
    let mut all: Vec<(String, Vec<File>)> = entries
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "tgz"))
        .map(|p| {
            let name = p.file_name().unwrap().to_str().unwrap().to_owned();
            let files = unpack(&std::fs::read(&p).unwrap(), &Limits::PACKAGE).files;
            (name, files)
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn package(files: Vec<File>) -> Package {
    let fallback = Fallback {
        name: "local",
        version: "0.0.0",
    };
    Package::read(compile(files, fallback, &Limits::PACKAGE).unwrap().bytes).unwrap()
}

/// R4's definitions under another name, so that they are not taken for the table compiled in.
fn definitions_of_core(mut files: Vec<File>) -> Terms {
    files.retain(|f| !f.path.ends_with("/package.json"));
    files.push(File {
        path: "package/package.json".to_owned(),
        bytes: br#"{"name": "r4.definitions", "version": "4.0.1"}"#.to_vec(),
    });
    Terms::new(Arc::new(Library::new([(package(files), true)])))
}

fn why(open: &NotChecked) -> String {
    match open {
        NotChecked::SystemNotHeld { system } => format!("system not held: {system}"),
        NotChecked::ShapeOnly { system } => format!("shape only: {system}"),
        NotChecked::Filter { filter } => format!("filter: {filter}"),
        NotChecked::Missing { package } => format!("missing: {package}"),
        other => format!("{other:?}"),
    }
}

#[test]
fn every_value_set_is_listed_or_says_why_not() {
    let packages: Vec<(Package, bool)> = archives()
        .into_iter()
        .filter(|(name, _)| name != CORE)
        .map(|(_, files)| (package(files), true))
        .collect();
    if packages.is_empty() {
        return;
    }
    let library = Arc::new(Library::new(packages));
    let terms = Terms::new(Arc::clone(&library));
    let mut table = String::new();
    for (id, member) in library.members().skip(1) {
        let (mut listed, mut codes, mut grammars, mut total) = (0, 0, 0, 0);
        let mut open: BTreeMap<String, usize> = BTreeMap::new();
        let sets = member.package().resources();
        for set in sets.filter(|r| r.kind() == Kind::ValueSet) {
            total += 1;
            match terms.extent(set.url(), Some(id), 100_000).unwrap() {
                Extent::Listed(list) => {
                    listed += 1;
                    codes += list.len();
                }
                Extent::Grammar => grammars += 1,
                Extent::Open(reason) => *open.entry(why(&reason)).or_default() += 1,
            }
        }
        writeln!(
            table,
            "{}: {total} value sets, {listed} listed with {codes} codes, {grammars} by grammar",
            member.package().manifest().label()
        )
        .unwrap();
        for (reason, count) in open {
            writeln!(table, "  {count} {reason}").unwrap();
        }
    }
    insta::assert_snapshot!("value_sets", table);
}

#[test]
fn published_expansions_are_what_the_composes_give() {
    let Some((_, files)) = archives().into_iter().find(|(name, _)| name == CORE) else {
        return;
    };
    let terms = definitions_of_core(files);
    let library = terms.library();
    let mut compared = 0;
    let resources = library.member(PackageId(1)).unwrap().package().resources();
    for set in resources.filter(|r| r.kind() == Kind::ValueSet) {
        let Some(expansion) = set.value().get("expansion") else {
            continue;
        };
        let mut todo = vec![expansion];
        while let Some(level) = todo.pop() {
            for item in level.items_of("contains") {
                todo.push(item);
                // R4's example of a hierarchical expansion names a system that its compose does not.
                if item.text_of("system") == "http://hl7.org/fhir/hacked" {
                    continue;
                }
                if item
                    .get("abstract")
                    .is_some_and(warifu_package::Value::is_true)
                    || item.text_of("code").is_empty()
                {
                    continue;
                }
                let code = Code {
                    system: Some(item.text_of("system")),
                    version: None,
                    code: item.text_of("code"),
                    display: None,
                };
                compared += 1;
                assert_eq!(
                    terms.member(set.url(), None, code),
                    Membership::In,
                    "{} {}",
                    set.url(),
                    code.code
                );
            }
        }
    }
    println!("{compared} codes of published expansions");
    assert!(compared > 0);
}

#[test]
fn the_table_of_core_answers_as_its_definitions_do() {
    let Some((_, files)) = archives().into_iter().find(|(name, _)| name == CORE) else {
        return;
    };
    let from_definitions = definitions_of_core(files);
    let from_table = Terms::new(Arc::new(Library::new([])));
    let (mut sets, mut codes, mut open) = (0, 0, 0);
    let mut differ: Vec<String> = Vec::new();
    for set in warifu_r4::Core::builtin().value_sets() {
        sets += 1;
        for part in set.parts() {
            for n in 0..part.system.len().min(400) {
                let code = Code {
                    system: Some(part.system.url()),
                    version: None,
                    code: part.system.code(n),
                    display: None,
                };
                let a = from_definitions.member(set.url(), None, code);
                let b = from_table.member(set.url(), None, code);
                codes += 1;
                match (&a, &b) {
                    (Membership::NotChecked(_), _) | (_, Membership::NotChecked(_)) => open += 1,
                    _ if a != b => differ.push(format!(
                        "{} {} {}: {a:?} {b:?}",
                        set.url(),
                        code.system.unwrap_or_default(),
                        code.code
                    )),
                    _ => {}
                }
            }
        }
    }
    println!("{sets} sets, {codes} codes compared, {open} open");
    assert!(codes > 10_000 && open * 3 < codes, "{codes} {open}");
    assert_eq!(
        differ.len(),
        0,
        "{}",
        differ
            .iter()
            .take(40)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n")
    );
}
