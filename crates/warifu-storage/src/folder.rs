//! The walk through folders: roots, then patients in the order of their ids, then files.

use std::io;
use std::vec::IntoIter;

use warifu_ssmix2::{
    FileName, InstitutionNumber, JournalName, ROOT_DEPTH_LIMIT, components, institution_of_root,
    is_date_or_dash, is_item_name, level1_of, level2_of, locate_at,
};

use crate::batch::{FileRef, Source};
use crate::loose::MOST;
use crate::note::StorageNoteKind as Kind;
use crate::sink::Sink;
use crate::sniff::{Content, sniff};
use crate::tree::{At, Entry, EntryKind, Tree};

/// How deep files inside a content folder, or loose files, may lie.
const DEPTH_LIMIT: usize = 32;

/// Root of a storage inside a tree.
#[derive(Debug, Clone)]
pub(crate) struct Root {
    pub(crate) at: At,
    pub(crate) name: String,
}

/// What a tree holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Discovery {
    pub(crate) roots: Vec<Root>,
    pub(crate) journals: Vec<At>,
    /// Patient folders that do not lie where their id belongs: (patient, root, folder).
    pub(crate) misplaced: Vec<(String, usize, At)>,
    /// Files beside the roots whose names are those of items, by the patients of the names: they are read
    /// with these.
    pub(crate) strays: Vec<(String, At)>,
    /// Other files beside the roots, at most [`MOST`].
    pub(crate) beside: Vec<At>,
    pub(crate) beside_count: u64,
}

/// How many paths beside the storage are named; the rest is counted.
pub(crate) const NAMED_LIMIT: u64 = 20;

/// Lists a folder, sorted by name; entries passed over are counted, links and special
/// files noted. `None` when it cannot be read; `vanished` tells whether it is gone.
fn list<T: Tree>(tree: &T, at: &At, sink: &mut Sink, vanished: &mut bool) -> Option<Vec<Entry>> {
    let mut entries = match tree.list(&at.os) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            *vanished = true;
            return None;
        }
        Err(_) => {
            sink.note(Kind::FolderUnreadable, &at.text);
            return None;
        }
    };
    entries.retain(|entry| {
        let path = at.child(entry);
        let choice = tree.choice(&path.text, entry.kind == EntryKind::Folder);
        if sink.leaves_out(&entry.text, choice) {
            return false;
        }
        match entry.kind {
            EntryKind::Link => sink.note(Kind::Link, &path.text),
            EntryKind::Special => sink.note(Kind::SpecialFile, &path.text),
            EntryKind::File | EntryKind::Folder => return true,
        }
        false
    });
    entries.sort_unstable_by(|a, b| (&a.text, &a.name).cmp(&(&b.text, &b.name)));
    Some(entries)
}

fn list_or_empty<T: Tree>(tree: &T, at: &At, sink: &mut Sink) -> Vec<Entry> {
    let mut vanished = false;
    let entries = list(tree, at, sink, &mut vanished);
    if vanished {
        sink.note(Kind::FolderVanished, &at.text);
    }
    entries.unwrap_or_default()
}

fn is_folder(entry: &Entry) -> bool {
    entry.kind == EntryKind::Folder
}

fn is_short(entry: &Entry) -> bool {
    entry.text.chars().count() <= 3
}

/// Finds roots at most three folders down, journals, and misplaced patients.
pub(crate) fn discover<T: Tree>(tree: &T, base_name: &str, sink: &mut Sink) -> Discovery {
    let mut found = Discovery::default();
    visit(tree, &At::default(), base_name, sink, &mut found);
    let mut quiet = Sink::default();
    let roots = found.roots.clone();
    for (index, root) in roots.iter().enumerate() {
        let mut folders = PatientFolders::new(root);
        while let Some(folder) = folders.next(tree, &mut quiet) {
            if !folder.well_placed {
                found.misplaced.push((folder.patient, index, folder.at));
            }
        }
    }
    found.strays.extend(quiet.strays.into_iter().map(named));
    found
        .strays
        .sort_by(|a, b| (&a.0, &a.1.text).cmp(&(&b.0, &b.1.text)));
    found
        .misplaced
        .sort_by(|a, b| (&a.0, a.1, &a.2.text).cmp(&(&b.0, b.1, &b.2.text)));
    found
}

fn visit<T: Tree>(tree: &T, at: &At, name: &str, sink: &mut Sink, found: &mut Discovery) {
    let entries = list_or_empty(tree, at, sink);
    let is_root = is_root(tree, at, &entries, &mut Sink::default());
    if is_root {
        found.roots.push(Root {
            at: at.clone(),
            name: name.to_owned(),
        });
    }
    for entry in &entries {
        let child = at.child(entry);
        match entry.kind {
            EntryKind::Folder if is_root && is_short(entry) => {}
            EntryKind::Folder if at.depth < ROOT_DEPTH_LIMIT => {
                visit(tree, &child, &entry.text, sink, found);
            }
            EntryKind::File if is_journal(tree, entry, &child) => {
                if !JournalName::parse(&entry.text).is_some_and(|name| name.has_time()) {
                    sink.note(Kind::JournalName, &child.text);
                }
                found.journals.push(child);
            }
            EntryKind::File if is_item_name(&entry.text) => found.strays.push(named(child)),
            EntryKind::File => {
                if found.beside.len() < MOST {
                    found.beside.push(child);
                }
                found.beside_count += 1;
            }
            _ => {}
        }
    }
}

/// A file with the patient of its name.
fn named(at: At) -> (String, At) {
    (patient_of_name(&at.text).to_owned(), at)
}

/// The patient that the name of a file says.
pub(crate) fn patient_of_name(path: &str) -> &str {
    let leaf = path.rsplit('/').next().unwrap_or_default();
    FileName::parse(leaf).map_or("", |name| name.patient)
}

/// Whether a file is a journal: by its name, or by its content where the name is nearly that of one.
fn is_journal<T: Tree>(tree: &T, entry: &Entry, at: &At) -> bool {
    let name = entry.text.to_ascii_uppercase();
    JournalName::parse(&name).is_some()
        || (name.starts_with("TR_") || name.rsplit_once('.').is_some_and(|(_, end)| end == "DAT"))
            && tree
                .head(&at.os)
                .is_ok_and(|head| sniff(&head) == Content::Journal)
}

/// Whether storage levels begin here: one path down to a data kind is enough.
fn is_root<T: Tree>(tree: &T, at: &At, entries: &[Entry], quiet: &mut Sink) -> bool {
    let is_located = |path: &str| {
        let parts: Vec<&str> = components(path).collect();
        locate_at(&parts, at.depth).is_some()
    };
    // A level may be missing above a file whose name tells what it is.
    let has_item = |folder: &At, entries: &[Entry]| {
        entries
            .iter()
            .filter(|e| e.kind == EntryKind::File && is_item_name(&e.text))
            .any(|e| is_located(&folder.child(e).text))
    };
    let mut has_levels = |tree: &T, patient: &At| {
        let dates = list_or_empty(tree, patient, quiet);
        if has_item(patient, &dates) {
            return true;
        }
        for date in dates.iter().filter(|e| is_folder(e)) {
            let date = patient.child(date);
            let kinds = list_or_empty(tree, &date, quiet);
            if has_item(&date, &kinds) {
                return true;
            }
            for kind in kinds.iter().filter(|e| is_folder(e)) {
                let kind = date.child(kind);
                if is_located(&format!("{}/x", kind.text))
                    || has_item(&kind, &list_or_empty(tree, &kind, quiet))
                {
                    return true;
                }
            }
        }
        false
    };
    let mut listing = Sink::default();
    for level1 in entries
        .iter()
        .filter(|e| is_folder(e))
        .filter(|e| is_short(e))
    {
        let level1_at = at.child(level1);
        let below = list_or_empty(tree, &level1_at, &mut listing);
        for level2 in below
            .iter()
            .filter(|e| is_folder(e))
            .filter(|e| is_short(e))
        {
            let level2_at = level1_at.child(level2);
            if level2.text == level1.text && has_levels(tree, &level2_at) {
                return true;
            }
            for patient in list_or_empty(tree, &level2_at, &mut listing)
                .iter()
                .filter(|e| is_folder(e))
            {
                if has_levels(tree, &level2_at.child(patient)) {
                    return true;
                }
            }
        }
    }
    false
}

/// One patient folder.
#[derive(Debug, Clone)]
pub(crate) struct PatientFolder {
    pub(crate) patient: String,
    pub(crate) at: At,
    /// Whether levels 1 and 2 are the slices of the id.
    pub(crate) well_placed: bool,
}

/// Patient folders of one root; the well-placed ones come in the order of their ids.
///
/// Holds one listing per level, never more.
pub(crate) struct PatientFolders {
    root: At,
    started: bool,
    level1: IntoIter<Entry>,
    level1_at: (String, At),
    level2: IntoIter<Entry>,
    level2_at: (String, At),
    patients: IntoIter<Entry>,
}

impl PatientFolders {
    pub(crate) fn new(root: &Root) -> Self {
        Self {
            root: root.at.clone(),
            started: false,
            level1: IntoIter::default(),
            level1_at: (String::new(), At::default()),
            level2: IntoIter::default(),
            level2_at: (String::new(), At::default()),
            patients: IntoIter::default(),
        }
    }

    /// Directory entries held at the moment.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.level1.len() + self.level2.len() + self.patients.len()
    }

    pub(crate) fn next<T: Tree>(&mut self, tree: &T, sink: &mut Sink) -> Option<PatientFolder> {
        if !self.started {
            self.started = true;
            // Findings at this level, longer names and files are told by `discover`.
            let mut entries = list_or_empty(tree, &self.root, &mut Sink::default());
            entries.retain(|entry| entry.kind == EntryKind::Folder && is_short(entry));
            self.level1 = entries.into_iter();
        }
        loop {
            if let Some(entry) = self.patients.next() {
                let at = self.level2_at.1.child(&entry);
                if entry.kind != EntryKind::Folder {
                    sink.beside_level(tree, &entry, at);
                    continue;
                }
                sink.name(&entry, &at);
                let well_placed = level1_of(&entry.text) == self.level1_at.0
                    && level2_of(&entry.text) == self.level2_at.0;
                return Some(PatientFolder {
                    patient: entry.text,
                    at,
                    well_placed,
                });
            }
            if let Some(entry) = self.level2.next() {
                let at = self.level1_at.1.child(&entry);
                // A patient without level 2, as paths tell it.
                if entry.kind == EntryKind::Folder
                    && level1_of(&entry.text) == self.level1_at.0
                    && !is_short(&entry)
                    && is_patient_folder(tree, &at, &mut Sink::default())
                {
                    sink.name(&entry, &at);
                    return Some(PatientFolder {
                        patient: entry.text,
                        at,
                        well_placed: false,
                    });
                }
                if entry.kind != EntryKind::Folder || !is_short(&entry) {
                    sink.beside_level(tree, &entry, at);
                    continue;
                }
                self.patients = list_or_empty(tree, &at, sink).into_iter();
                self.level2_at = (entry.text, at);
                continue;
            }
            let entry = self.level1.next()?;
            let at = self.root.child(&entry);
            let mut below = list_or_empty(tree, &at, sink);
            // An id of up to three characters lies here without level 2, and sorts first.
            let own = below.iter().position(|child| {
                child.kind == EntryKind::Folder
                    && child.text == entry.text
                    && is_patient_folder(tree, &at.child(child), &mut Sink::default())
            });
            let short = own.map(|index| below.remove(index));
            self.level2 = below.into_iter();
            let level1 = entry.text;
            self.level1_at = (level1, at);
            if let Some(entry) = short {
                let at = self.level1_at.1.child(&entry);
                return Some(PatientFolder {
                    patient: entry.text,
                    at,
                    well_placed: true,
                });
            }
        }
    }
}

/// Whether a folder holds care dates with data kinds below.
fn is_patient_folder<T: Tree>(tree: &T, at: &At, quiet: &mut Sink) -> bool {
    list_or_empty(tree, at, quiet)
        .iter()
        .filter(|e| is_folder(e))
        .filter(|date| is_date_or_dash(&date.text))
        .any(|date| {
            list_or_empty(tree, &at.child(date), &mut Sink::default())
                .iter()
                .filter(|e| is_folder(e))
                .any(|kind| {
                    !matches!(
                        warifu_ssmix2::Kind::of(&kind.text),
                        warifu_ssmix2::Kind::Unknown(_)
                    )
                })
        })
}

/// Lists all files of a patient folder. A folder that vanishes meanwhile makes the whole
/// listing start again, once.
pub(crate) fn list_patient<T: Tree>(
    tree: &T,
    source: Source,
    root_depth: usize,
    at: &At,
    sink: &mut Sink,
    out: &mut Vec<FileRef>,
) {
    let start = out.len();
    let mut trial = Sink::default();
    if list_once(tree, source, root_depth, at, &mut trial, out) {
        sink.absorb(trial);
        return;
    }
    out.truncate(start);
    let mut trial = Sink::default();
    if !list_once(tree, source, root_depth, at, &mut trial, out) {
        trial.note(Kind::FolderVanished, &at.text);
    }
    sink.absorb(trial);
}

/// Whether no folder vanished.
fn list_once<T: Tree>(
    tree: &T,
    source: Source,
    root_depth: usize,
    patient: &At,
    sink: &mut Sink,
    out: &mut Vec<FileRef>,
) -> bool {
    let mut vanished = false;
    let start = out.len();
    let mut pending: Vec<(At, usize)> = vec![(patient.clone(), 0)];
    while let Some((folder, level)) = pending.pop() {
        let entries = list(tree, &folder, sink, &mut vanished).unwrap_or_default();
        if entries.is_empty() && level == 3 {
            sink.note(Kind::ContentFolderEmpty, &folder.text);
        }
        for entry in entries {
            let at = folder.child(&entry);
            sink.name(&entry, &at);
            match entry.kind {
                EntryKind::Folder if at.depth > root_depth + DEPTH_LIMIT => {
                    sink.note(Kind::TooDeep, &at.text);
                }
                EntryKind::Folder => pending.push((at, level + 1)),
                _ => {
                    let parts: Vec<&str> = components(&at.text).collect();
                    if locate_at(&parts, root_depth).is_some() || is_item_name(&entry.text) {
                        out.push(FileRef::on_disk(source, at, Some(root_depth)));
                    } else {
                        sink.outside(tree, &at);
                    }
                }
            }
        }
    }
    if let Some(files) = out.get_mut(start..) {
        files.sort_by(|a, b| components(a.path()).cmp(components(b.path())));
    }
    !vanished
}

/// Loose files of a folder without storage, in the order of their paths.
pub(crate) struct LooseFiles {
    stack: Vec<(At, IntoIter<Entry>)>,
    started: bool,
}

impl LooseFiles {
    pub(crate) fn new() -> Self {
        Self {
            stack: Vec::new(),
            started: false,
        }
    }

    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.stack.iter().map(|(_, entries)| entries.len()).sum()
    }

    /// The next file with a known content.
    pub(crate) fn next<T: Tree>(
        &mut self,
        tree: &T,
        source: Source,
        sink: &mut Sink,
    ) -> Option<(FileRef, Content)> {
        if !self.started {
            self.started = true;
            let base = At::default();
            let entries = list_or_empty(tree, &base, sink);
            self.stack.push((base, entries.into_iter()));
        }
        loop {
            let (folder, entries) = self.stack.last_mut()?;
            let Some(entry) = entries.next() else {
                self.stack.pop();
                continue;
            };
            let at = folder.child(&entry);
            sink.name(&entry, &at);
            if entry.kind == EntryKind::Folder {
                if at.depth > DEPTH_LIMIT {
                    sink.note(Kind::TooDeep, &at.text);
                    continue;
                }
                let entries = list_or_empty(tree, &at, sink);
                self.stack.push((at, entries.into_iter()));
                continue;
            }
            match tree.head(&at.os) {
                Ok(head) => match sniff(&head) {
                    content @ (Content::Hl7 | Content::Xml | Content::Json) => {
                        return Some((FileRef::on_disk(source, at, None), content));
                    }
                    _ => sink.unrecognised(&at.text),
                },
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => sink.note(Kind::FileUnreadable, &at.text),
            }
        }
    }
}

/// Institution of a root, from its name.
pub(crate) fn institution(root: &Root) -> Option<InstitutionNumber> {
    institution_of_root(&root.name)
}
