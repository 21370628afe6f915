//! Paths of a storage held in memory, sorted out by patient.

use js_sys::Array;
use serde::Serialize;
use warifu_ssmix2::{FileName, Layout, Located, Place, State, components, locate, select};
use wasm_bindgen::prelude::*;

use crate::edge::invalid;
use crate::to_js;

#[derive(Debug, Serialize)]
struct StorageListing<'p> {
    patients: Vec<Patient<'p>>,
    /// Journals of the transaction storage, in the order of replaying.
    journals: Vec<&'p str>,
    /// Neither storage file nor journal.
    foreign: Vec<&'p str>,
    /// Hidden and temporary files, passed over.
    skipped: Vec<&'p str>,
    /// The institution that the names of the roots agree on.
    #[serde(skip_serializing_if = "Option::is_none")]
    institution: Option<String>,
}

#[derive(Debug, Serialize)]
struct Patient<'p> {
    id: String,
    /// The institution, when the paths hold several.
    #[serde(skip_serializing_if = "Option::is_none")]
    institution: Option<String>,
    files: Vec<Listed<'p>>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Listed<'p> {
    path: &'p str,
    kind: &'p str,
    state: &'static str,
    date: &'p str,
}

/// `StorageListing` of a list of paths: which patients there are, and which version of each item
/// counts by the names alone.
#[wasm_bindgen(js_name = listStorage)]
pub fn list_storage(paths: &Array) -> Result<JsValue, JsValue> {
    let owned: Option<Vec<String>> = paths.iter().map(|p| p.as_string()).collect();
    let owned = owned.ok_or_else(|| invalid("paths must be strings"))?;
    let paths: Vec<&str> = owned.iter().map(String::as_str).collect();
    to_js(&listing(&paths))
}

fn word(state: State) -> &'static str {
    match state {
        State::Current | State::OnlyFlag2 => "current",
        State::Superseded | State::Duplicate => "superseded",
        State::Cancelled | State::Moved => "cancelled",
        State::SnapshotOld => "snapshot-old",
    }
}

fn listing<'p>(paths: &[&'p str]) -> StorageListing<'p> {
    let (skipped, paths): (Vec<&str>, Vec<&str>) = paths
        .iter()
        .partition(|p| components(p).any(warifu_storage::is_skipped));
    let layout = Layout::of(&paths);
    let named = |indexes: &[usize]| -> Vec<&'p str> {
        indexes
            .iter()
            .filter_map(|i| paths.get(*i).copied())
            .collect()
    };
    StorageListing {
        patients: layout
            .patients
            .iter()
            .map(|(key, indexes)| Patient {
                id: key.patient.clone(),
                institution: key.institution.map(|i| i.as_str().to_owned()),
                files: patient_files(&named(indexes)),
            })
            .collect(),
        journals: named(&layout.journals),
        foreign: named(&layout.loose),
        skipped,
        institution: layout.institutions.only().map(|i| i.as_str().to_owned()),
    }
}

/// Files of one patient with their state, in the order given (that of the paths).
fn patient_files<'p>(paths: &[&'p str]) -> Vec<Listed<'p>> {
    let located: Vec<(&'p str, Located<'p>)> = paths
        .iter()
        .filter_map(|path| {
            let parts: Vec<&'p str> = components(path).collect();
            match locate(&parts) {
                Place::Item(item) => Some((*path, item)),
                _ => None,
            }
        })
        .collect();
    // The files of a content folder are one item: same path up to the folder.
    let folder = |(path, item): &(&'p str, Located<'p>)| {
        let below = item.inside.iter().map(|part| part.len() + 1).sum();
        let end = path.len().saturating_sub(below);
        (item.is_in_content_folder(), path.get(..end))
    };
    let items: Vec<&[(&'p str, Located<'p>)]> = located
        .chunk_by(|a, b| {
            let (a, b) = (folder(a), folder(b));
            a.0 && a == b
        })
        .collect();
    let names: Vec<(usize, FileName<'p>)> = items
        .iter()
        .enumerate()
        .filter_map(|(i, files)| Some((i, files.first()?.1.name().ok()?)))
        .collect();
    let files: Vec<FileName<'p>> = names.iter().map(|(_, name)| *name).collect();
    let selection = select(&files);
    // A file whose name cannot be read takes part: the converter says what is wrong with it.
    let mut states = vec!["current"; items.len()];
    for ((item, _), outcome) in names.iter().zip(&selection.outcomes) {
        if let Some(state) = states.get_mut(*item) {
            *state = word(outcome.state);
        }
    }
    items
        .iter()
        .zip(states)
        .flat_map(|(files, state)| {
            files.iter().map(move |(path, item)| Listed {
                path,
                kind: item.kind,
                state,
                date: item.date,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_apart_and_content_folders_stay_whole() {
        let s = "standard_root/012/345/0123456789";
        let e = "extended_root/012/345/0123456789/20160101/L-X^X^99ZL01";
        let folder = "0123456789_20160101_L-X^X^99ZL01_000000020160101_201601011500321_1";
        let paths = [
            format!("{s}/-/ADT-00/0123456789_-_ADT-00_999999999999999_20260401093015123_-_1"),
            format!("{s}/-/ADT-00/0123456789_-_ADT-00_999999999999999_20260301093015123_-_2"),
            format!("{s}/20260401/OMP-01/0123456789_20260401_OMP-01_1_20260401093015123_01_0"),
            format!("{s}/-/ADT-61/broken"),
            format!("{e}/{folder}/main_document.hl7"),
            format!("{e}/{folder}/image.png"),
            "standard_root/.DS_Store".to_owned(),
            "readme.txt".to_owned(),
            "transaction_root/2026/TR_20260401000000000_00001.DAT".to_owned(),
        ];
        let paths = paths.each_ref().map(String::as_str);
        let l = listing(&paths);
        assert_eq!(l.patients.len(), 1);
        let files = &l.patients[0].files;
        assert_eq!(files.len(), 6);
        let state = |n: usize| {
            files
                .iter()
                .find(|f| f.path == paths[n])
                .map(|f| (f.kind, f.state))
                .unwrap()
        };
        assert_eq!(state(0), ("ADT-00", "current"));
        assert_eq!(state(1), ("ADT-00", "superseded"));
        assert_eq!(state(2), ("OMP-01", "cancelled"));
        assert_eq!(state(3), ("ADT-61", "current"));
        assert_eq!(state(4), ("L-X^X^99ZL01", "current"));
        assert_eq!(state(5), ("L-X^X^99ZL01", "current"));
        assert_eq!(l.foreign, ["readme.txt"]);
        assert_eq!(l.skipped, ["standard_root/.DS_Store"]);
        assert_eq!(l.journals.len(), 1);
        assert_eq!(l.institution, None);
    }
}
