//! Messages outside a storage: those of one person are read together.

use std::collections::VecDeque;
use std::collections::{BTreeMap, BTreeSet};

use warifu_ssmix2::{FileName, Flag, PatientKey};

use crate::batch::{FileRef, Found, PatientBatch};
use crate::note::{StorageNote, StorageNoteKind};
use crate::pid::patients_of;
use crate::sniff::Content;
use crate::storage::Storage;

/// Most loose files that are put together; those behind them stay apart.
pub(crate) const MOST: usize = 100_000;
/// Most files of one person.
const MOST_OF_ONE: usize = 65_535;

/// Puts loose messages together by person; what else was found keeps its order. `more` says whether further
/// files follow that stay apart.
pub(crate) fn together(storage: &Storage, found: &[Found], more: bool) -> VecDeque<Found> {
    let mut groups = Groups::default();
    let mut bytes = Vec::new();
    let mut lengths = Vec::with_capacity(found.len());
    for (n, one) in found.iter().enumerate() {
        let mut length = 0;
        if let Found::Loose(file, Content::Hl7) = one
            && let Some(named) = named(file)
            && storage.read(file, &mut bytes).is_ok()
        {
            length = bytes.len();
            let sent = patients_of(&bytes);
            let people = sent.iter().map(String::as_str).chain([named]);
            groups.add(n, people.map(bare).filter(|person| !person.is_empty()));
        }
        lengths.push(length);
    }
    let most = usize::try_from(storage.max_file()).unwrap_or(usize::MAX);
    let groups = groups.groups();
    let mut apart = 0;
    let mut first_of: BTreeMap<usize, &[usize]> = BTreeMap::new();
    let mut inside: BTreeSet<usize> = BTreeSet::new();
    for members in groups.iter().filter(|members| members.len() > 1) {
        let length: usize = members.iter().filter_map(|n| lengths.get(*n)).sum();
        if length > most || members.len() > MOST_OF_ONE {
            apart += members.len();
        } else if let Some(first) = members.first() {
            first_of.insert(*first, members);
            inside.extend(members);
        }
    }
    let mut out = VecDeque::new();
    if apart > 0 || more {
        let count = u64::try_from(apart).unwrap_or(u64::MAX);
        let note = StorageNote::counted(StorageNoteKind::LooseApart, count);
        out.push_back(Found::Note(note));
    }
    for (n, one) in found.iter().enumerate() {
        if let Some(members) = first_of.get(&n) {
            let files = members.iter().filter_map(|m| match found.get(*m) {
                Some(Found::Loose(file, _)) => Some(file.clone()),
                _ => None,
            });
            out.push_back(Found::Patient(PatientBatch {
                key: PatientKey {
                    patient: String::new(),
                    institution: None,
                },
                files: files.collect(),
                folders: Vec::new(),
            }));
        } else if !inside.contains(&n) {
            out.push_back(one.clone());
        }
    }
    out
}

/// The patient that the name of a file says, empty where it says none; `None` for a file that is read by
/// itself: an older or withdrawn version, of which only its storage knows what became of it, and parts of
/// documents.
fn named(file: &FileRef) -> Option<&str> {
    if file.located().is_some_and(|l| l.is_in_content_folder()) {
        return None;
    }
    let leaf = file.path().rsplit('/').next().unwrap_or_default();
    match FileName::parse(leaf) {
        Ok(name) => (name.flag == Flag::Current).then_some(name.patient),
        Err(_) => Some(""),
    }
}

/// A number without what systems write before and around it.
fn bare(number: &str) -> String {
    number.trim().trim_start_matches('0').to_owned()
}

/// Files that have a person in common, directly or by others.
#[derive(Default)]
struct Groups {
    /// The group that each person was met in first.
    of: BTreeMap<String, usize>,
    /// Each group: a group before it that it is one with, or itself.
    parents: Vec<usize>,
    /// Files with a group of theirs.
    files: Vec<(usize, usize)>,
}

impl Groups {
    fn root(&self, mut group: usize) -> usize {
        while let Some(parent) = self.parents.get(group).filter(|parent| **parent != group) {
            group = *parent;
        }
        group
    }

    fn add(&mut self, file: usize, people: impl Iterator<Item = String>) {
        let mut mine: Option<usize> = None;
        for person in people {
            let next = self.parents.len();
            let known = *self.of.entry(person).or_insert(next);
            if known == next {
                self.parents.push(next);
            }
            let known = self.root(known);
            let first = mine.map_or(known, |group| self.root(group));
            let (low, high) = (first.min(known), first.max(known));
            if let Some(parent) = self.parents.get_mut(high) {
                *parent = low;
            }
            mine = Some(low);
        }
        self.files.extend(mine.map(|group| (file, group)));
    }

    /// Files of each group in their order.
    fn groups(&self) -> Vec<Vec<usize>> {
        let mut all: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (file, group) in &self.files {
            all.entry(self.root(*group)).or_default().push(*file);
        }
        all.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_together_that_share_a_person_directly_or_by_another_file() {
        let mut groups = Groups::default();
        for (file, people) in [
            &["1"][..],
            &["2"],
            &["3", "4"],
            &["5"],
            &["1", "3"],
            &["6", "7"],
            &["4"],
            &["2"],
            &["7", "5"],
        ]
        .iter()
        .enumerate()
        {
            groups.add(file, people.iter().map(|p| (*p).to_owned()));
        }
        let mut found = groups.groups();
        found.sort();
        assert_eq!(found, [vec![0, 2, 4, 6], vec![1, 7], vec![3, 5, 8]]);
    }
}
