//! Every path of the sample storages is classified, and the malformed ones are named.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests: a failure here is a failed test"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use warifu_ssmix2::{FileName, Kind, Layout, NameNote, Place, State, components, locate, select};

/// The sample storages beside the repository, `None` when they are absent.
fn samples() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples/ssmix2");
    if root.is_dir() {
        Some(root)
    } else {
        println!("skipped: ../shared is absent");
        None
    }
}

fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, root, found);
        } else {
            let relative = path.strip_prefix(root).unwrap();
            found.push(relative.to_str().unwrap().to_owned());
        }
    }
}

fn paths() -> Option<Vec<String>> {
    let root = samples()?;
    let mut found = Vec::new();
    walk(&root, &root, &mut found);
    found.sort();
    Some(found)
}

#[test]
fn every_sample_file_has_its_place() {
    let Some(paths) = paths() else { return };
    let mut elsewhere = Vec::new();
    let mut notes: BTreeMap<&str, usize> = BTreeMap::new();
    for path in &paths {
        let parts: Vec<&str> = components(path).collect();
        match locate(&parts) {
            Place::Item(item) => {
                assert_eq!(item.root_depth, 2, "{path}");
                assert!(!matches!(Kind::of(item.kind), Kind::Unknown(_)));
                item.name().unwrap();
                for note in item.notes() {
                    *notes.entry(note.slug()).or_default() += 1;
                }
            }
            Place::Journal(_) => panic!("{path}"),
            Place::Elsewhere => elsewhere.push(path.rsplit('/').next().unwrap()),
        }
    }
    assert_eq!(elsewhere, ["SOURCE.md"; 3]);
    assert_eq!(paths.len() - elsewhere.len(), 251);
    assert_eq!(
        notes.into_iter().collect::<Vec<_>>(),
        [
            ("date-differs", 1),
            ("department-missing", 2),
            ("kind-differs", 1),
            ("order-no-length", 1),
            ("patient-differs", 1),
            ("timestamp-length", 3),
        ]
    );
}

#[test]
fn file_that_fits_no_level_of_its_path_is_reported() {
    let Some(paths) = paths() else { return };
    let odd: Vec<&String> = paths
        .iter()
        .filter(|path| {
            let parts: Vec<&str> = components(path).collect();
            matches!(locate(&parts), Place::Item(item) if item.notes().contains(&NameNote::PatientDiffers))
        })
        .collect();
    assert_eq!(odd.len(), 1);
    let parts: Vec<&str> = components(odd[0]).collect();
    let Place::Item(item) = locate(&parts) else {
        panic!("no item")
    };
    assert_eq!(
        item.notes(),
        [
            NameNote::PatientDiffers,
            NameNote::DateDiffers,
            NameNote::KindDiffers
        ]
    );
    assert_eq!(
        (item.patient, item.date, item.kind),
        ("0000001", "20000401", "ADT-31")
    );
}

#[test]
fn synthetic_storage_has_seven_histories_and_seven_withdrawals() {
    let Some(paths) = paths() else { return };
    let paths: Vec<&str> = paths
        .iter()
        .filter_map(|path| path.strip_prefix("synthetic-small/"))
        .collect();
    let layout = Layout::of(&paths);
    assert_eq!(layout.patients.len(), 20);
    let mut states: BTreeMap<State, usize> = BTreeMap::new();
    let mut withdrawn_items = 0;
    for files in layout.patients.values() {
        let names: Vec<FileName<'_>> = files
            .iter()
            .map(|&index| FileName::parse(paths[index].rsplit('/').next().unwrap()).unwrap())
            .collect();
        let selection = select(&names);
        assert_eq!(selection.notes, []);
        for outcome in &selection.outcomes {
            *states.entry(outcome.state).or_default() += 1;
        }
        let mut items: Vec<usize> = selection
            .cancelled()
            .map(|index| selection.outcomes[index].item)
            .collect();
        items.dedup();
        withdrawn_items += items.len();
    }
    assert_eq!(states[&State::Superseded], 7);
    assert_eq!(states[&State::Cancelled], 14);
    assert_eq!(withdrawn_items, 7);
    assert_eq!(states.values().sum::<usize>(), 226);
}
