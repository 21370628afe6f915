//! Messages outside a storage: those of one person are read together.

use std::collections::VecDeque;
use std::collections::{BTreeMap, BTreeSet};

use warifu_ssmix2::{FileName, Flag, PatientKey, State, select};

use crate::batch::{FileRef, Found, PatientBatch};
use crate::note::{StorageNote, StorageNoteKind};
use crate::pid::{is_nameless, people_of};
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
    let weighed = weighed_folders(found);
    // Numbers as they were written first, and the first file that writes one otherwise.
    let mut written: BTreeMap<String, String> = BTreeMap::new();
    let mut forms: Option<&FileRef> = None;
    for (n, one) in found.iter().enumerate() {
        let mut length = 0;
        match one {
            Found::Loose(file, _) if in_content_folder(file) => {
                let name = name_of(file).filter(|name| weighed.contains(&item_of(name)));
                groups.add(n, name.map(|name| bare(name.patient)).into_iter());
            }
            Found::Loose(file, Content::Hl7) if storage.read(file, &mut bytes).is_ok() => {
                length = bytes.len();
                let sent = people_of(&bytes);
                for number in sent.iter().filter(|number| !is_nameless(number)) {
                    let first = written
                        .entry(bare(number))
                        .or_insert_with(|| number.clone());
                    if first != number {
                        forms = forms.or(Some(file));
                    }
                }
                let named = name_of(file).map_or("", |name| name.patient);
                let people = sent.iter().map(String::as_str).chain([named]);
                groups.add(n, people.map(bare).filter(|person| !person.is_empty()));
            }
            // Which version is in force is told by names, whether or not they can be read.
            Found::Loose(file, Content::Hl7) => {
                let name = name_of(file);
                groups.add(n, name.map(|name| bare(name.patient)).into_iter());
            }
            _ => {}
        }
        lengths.push(length);
    }
    let most = usize::try_from(storage.max_file()).unwrap_or(usize::MAX);
    let groups = groups.groups();
    let mut apart = 0;
    let mut first_of: BTreeMap<usize, &[usize]> = BTreeMap::new();
    let mut inside: BTreeSet<usize> = BTreeSet::new();
    let is_weighed = |members: &&Vec<usize>| {
        let not_current = |n: &usize| flag_of(found.get(*n)) != Some(Flag::Current);
        members.len() > 1 || members.iter().any(not_current)
    };
    for members in groups.iter().filter(is_weighed) {
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
    if let Some(file) = forms {
        out.push_back(Found::Note(StorageNote {
            input: Some(file.input()),
            ..StorageNote::at(StorageNoteKind::NumberForms, file.path())
        }));
    }
    for (n, one) in found.iter().enumerate() {
        if let Some(members) = first_of.get(&n) {
            out.extend(withdrawn_beside_nameless(found, members));
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

fn in_content_folder(file: &FileRef) -> bool {
    file.located().is_some_and(|l| l.is_in_content_folder())
}

/// The name of a file, or of its content folder.
fn name_of(file: &FileRef) -> Option<FileName<'_>> {
    match file.located() {
        Some(located) if located.is_in_content_folder() => located.name().ok(),
        _ => FileName::parse(file.path().rsplit('/').next().unwrap_or_default()).ok(),
    }
}

/// The flag of a file, `Current` without a name.
fn flag_of(found: Option<&Found>) -> Option<Flag> {
    match found {
        Some(Found::Loose(file, _)) => Some(name_of(file).map_or(Flag::Current, |name| name.flag)),
        _ => None,
    }
}

fn item_of(name: &FileName<'_>) -> [String; 4] {
    [name.patient, name.date, name.kind, name.order].map(str::to_owned)
}

/// Documents of which a version is replaced or withdrawn; the others are read by themselves.
fn weighed_folders(found: &[Found]) -> BTreeSet<[String; 4]> {
    let folder = |one: &Found| match one {
        Found::Loose(file, _) if in_content_folder(file) => name_of(file)
            .filter(|name| name.flag != Flag::Current)
            .map(|name| item_of(&name)),
        _ => None,
    };
    found.iter().filter_map(folder).collect()
}

/// Names the withdrawn files of a person of whom there are messages without a name as well: whether one of
/// these is of what was withdrawn is not weighed.
fn withdrawn_beside_nameless<'f>(
    found: &'f [Found],
    members: &'f [usize],
) -> impl Iterator<Item = Found> + 'f {
    let file = |n: &usize| match found.get(*n) {
        Some(Found::Loose(file, _)) => Some(file),
        _ => None,
    };
    let files: Vec<&FileRef> = members.iter().filter_map(file).collect();
    let nameless = files.iter().any(|file| name_of(file).is_none());
    let named = files
        .iter()
        .filter_map(|file| Some((*file, name_of(file)?)));
    let (files, names): (Vec<&FileRef>, Vec<FileName<'_>>) = named.unzip();
    let outcomes = select(&names).outcomes;
    let withdrawn = files.into_iter().zip(outcomes).filter(move |(_, outcome)| {
        nameless && matches!(outcome.state, State::Cancelled | State::Moved)
    });
    withdrawn.map(|(file, _)| {
        Found::Note(StorageNote {
            input: Some(file.input()),
            ..StorageNote::at(StorageNoteKind::WithdrawnBeside, file.path())
        })
    })
}

/// A number without what systems write before and around it; empty where it is none.
fn bare(number: &str) -> String {
    if !warifu_ssmix2::is_patient_number(number) {
        return String::new();
    }
    let number: String = number.chars().map(narrow).collect();
    number.trim().trim_start_matches('0').to_owned()
}

/// A full-width digit as the usual one.
fn narrow(c: char) -> char {
    match c {
        '０'..='９' => char::from_digit(u32::from(c) - u32::from('０'), 10).unwrap_or(c),
        _ => c,
    }
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
