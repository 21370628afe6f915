//! The ways all files of a patient are broken together.

use crate::operators::Depth;
use crate::oracle::Path;
use crate::sheet::{Sheet, split};

/// A clean patient: paths and bytes.
pub(crate) type Files = Vec<(String, Vec<u8>)>;

/// Where a finding is wanted.
#[derive(Debug, Clone)]
pub(crate) enum Want {
    /// At a byte of a file of the mutant.
    At(usize, usize, Depth),
    /// About one of these files as a whole, by one of these codes.
    Files(Vec<usize>, &'static [&'static str]),
}

/// A patient with one fault.
pub(crate) struct Mutant {
    pub(crate) label: String,
    pub(crate) files: Files,
    pub(crate) want: Want,
}

/// An operator on the files of a patient.
pub(crate) struct Operator {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Files, &mut Vec<Mutant>),
}

const fn op(name: &'static str, run: fn(&Files, &mut Vec<Mutant>)) -> Operator {
    Operator { name, run }
}

/// All operators on the files of a patient.
#[rustfmt::skip]
pub(crate) const OPERATORS: &[Operator] = &[
    op("two-current-versions", two_current),
    op("current-version-marked-replaced", |files, out| flagged(files, out, "2", &["SSM105"])),
    op("result-without-order", orphan),
    op("result-of-withdrawn-order", withdrawn),
    op("birth-date-of-another-person", |files, out| person(files, out, 7, b"19010203")),
    op("sex-of-another-person", |files, out| person(files, out, 8, b"O")),
    op("name-of-another-person", |files, out| person(files, out, 5, b"\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B^^^^^L^I")),
    op("address-of-another-person", |files, out| person(files, out, 11, b"^^^^530-0001^JPN^H^\x1b$BBg:eI\\KL6h\x1b(B")),
    op("patient-id-in-message", |files, out| person(files, out, 3, b"0009990007^^^^PI")),
    op("admission-dropped", |files, out| stay(files, out, "ADT-22", "ADT-52")),
    op("discharge-dropped", |files, out| stay(files, out, "ADT-52", "ADT-22")),
    op("coverage-ended", coverage),
    op("coverage-of-a-replaced-version", |files, out| old_coverage(files, out, "2")),
    op("coverage-of-a-withdrawn-version", |files, out| old_coverage(files, out, "0")),
    op("control-id-of-another-message", control_id),
];

fn kind(path: &str) -> String {
    Path::read(path).name.get(2).cloned().unwrap_or_default()
}

fn flag(path: &str) -> String {
    Path::read(path).name.last().cloned().unwrap_or_default()
}

fn with_flag(path: &str, flag: &str) -> String {
    let mut parts = Path::read(path);
    flag.clone_into(parts.name.last_mut().unwrap());
    parts.text()
}

fn current(files: &Files) -> impl Iterator<Item = (usize, &str)> {
    let own = files
        .iter()
        .enumerate()
        .map(|(i, (path, _))| (i, path.as_str()));
    own.filter(|(_, path)| flag(path) == "1")
}

/// Sorted by path, as a walk gives them; and where a file of the old order is now.
fn sorted(mut files: Files, path: &str) -> (Files, usize) {
    files.sort();
    let at = files.iter().position(|(p, _)| p == path).unwrap();
    (files, at)
}

fn two_current(files: &Files, out: &mut Vec<Mutant>) {
    for (i, path) in current(files) {
        let mut parts = Path::read(path);
        // Movements of a day are items of their own by their time.
        if matches!(
            parts.name[2].as_str(),
            "ADT-12" | "ADT-31" | "ADT-32" | "ADT-41" | "ADT-42"
        ) {
            continue;
        }
        let stamp = &mut parts.name[4];
        let last = if stamp.ends_with('7') { "8" } else { "7" };
        stamp.replace_range(16..17, last);
        let mut all = files.clone();
        all.push((parts.text(), files[i].1.clone()));
        let (all, new) = sorted(all, &parts.text());
        let old = all.iter().position(|(p, _)| p == path).unwrap();
        out.push(Mutant {
            label: kind(path),
            files: all,
            want: Want::Files(vec![new, old], &["SSM104"]),
        });
    }
}

fn flagged(files: &Files, out: &mut Vec<Mutant>, to: &str, codes: &'static [&'static str]) {
    for (i, path) in current(files) {
        // Of an item that was withdrawn before, nothing can be told.
        let key = |path: &str| Path::read(path).name[..4].to_vec();
        if files
            .iter()
            .any(|(p, _)| flag(p) == "0" && key(p) == key(path))
        {
            continue;
        }
        let mut all = files.clone();
        all[i].0 = with_flag(path, to);
        let renamed = all[i].0.clone();
        let (all, at) = sorted(all, &renamed);
        out.push(Mutant {
            label: kind(path),
            files: all,
            want: Want::Files(vec![at], codes),
        });
    }
}

/// Order kind of a result kind.
fn order_of(kind: &str) -> Option<String> {
    let (family, number) = kind.split_once('-')?;
    let second = number.strip_prefix('1')?;
    family
        .starts_with("OM")
        .then(|| format!("{family}-0{second}"))
}

fn offset(bytes: &[u8], segment: &str, field: usize) -> Option<usize> {
    let sheet = Sheet::read(bytes);
    let s = sheet.segments.iter().find(|s| s.name == segment)?;
    Some(s.field(field).start)
}

/// Results with a single order file of theirs.
fn pairs(files: &Files) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (result, path) in current(files) {
        let parts = Path::read(path);
        let Some(order) = order_of(&parts.name[2]) else {
            continue;
        };
        let own: Vec<usize> = files
            .iter()
            .enumerate()
            .filter(|(_, (p, _))| {
                let p = Path::read(p);
                p.name[2] == order && p.name[3] == parts.name[3]
            })
            .map(|(i, _)| i)
            .collect();
        // Where no order of the kind is left, the hospital may not export orders.
        let others = files.iter().filter(|(p, _)| kind(p) == order).count();
        if let [order] = own[..]
            && others > 1
        {
            found.push((result, order));
        }
    }
    found
}

fn orphan(files: &Files, out: &mut Vec<Mutant>) {
    for (result, order) in pairs(files) {
        let mut all = files.clone();
        let path = all[result].0.clone();
        all.remove(order);
        let (all, at) = sorted(all, &path);
        let byte = offset(&all[at].1, "ORC", 2).unwrap();
        out.push(Mutant {
            label: kind(&path),
            want: Want::At(at, byte, Depth::Field),
            files: all,
        });
    }
}

fn withdrawn(files: &Files, out: &mut Vec<Mutant>) {
    for (result, order) in pairs(files) {
        let mut all = files.clone();
        let path = all[result].0.clone();
        all[order].0 = with_flag(&all[order].0, "0");
        let (all, at) = sorted(all, &path);
        let byte = offset(&all[at].1, "ORC", 2).unwrap();
        out.push(Mutant {
            label: kind(&path),
            want: Want::At(at, byte, Depth::Field),
            files: all,
        });
    }
}

fn person(files: &Files, out: &mut Vec<Mutant>, field: usize, with: &[u8]) {
    for (i, path) in current(files) {
        if kind(path) == "ADT-00" {
            continue;
        }
        let sheet = Sheet::read(&files[i].1);
        let Some(pid) = sheet.segments.iter().find(|s| s.name == "PID") else {
            continue;
        };
        let own = pid.field(field);
        let first = split(&files[i].1, own, b'~').swap_remove(0);
        let mut all = files.clone();
        all[i].1.splice(first.clone(), with.iter().copied());
        out.push(Mutant {
            label: kind(path),
            files: all,
            want: Want::At(i, first.start, Depth::Field),
        });
    }
}

/// Drops one end of a stay; the finding is wanted at the other.
fn stay(files: &Files, out: &mut Vec<Mutant>, dropped: &str, left: &str) {
    let of = |wanted: &str| -> Vec<(String, usize)> {
        let mut found: Vec<_> = current(files)
            .filter(|(_, path)| kind(path) == wanted)
            .map(|(i, path)| (Path::read(path).name[1].clone(), i))
            .collect();
        found.sort();
        found
    };
    let (admissions, discharges) = (of("ADT-22"), of("ADT-52"));
    // The last stay may still go on.
    if !(discharges.len()..=discharges.len() + 1).contains(&admissions.len()) {
        return;
    }
    for (n, ((_, admission), (_, discharge))) in admissions.iter().zip(&discharges).enumerate() {
        // The last stay may go on.
        if dropped == "ADT-52" && n + 1 == admissions.len() {
            continue;
        }
        let (gone, stays) = if dropped == "ADT-22" {
            (*admission, *discharge)
        } else {
            (*discharge, *admission)
        };
        let mut all = files.clone();
        let path = all[stays].0.clone();
        let next = admissions.get(n + 1).map(|(_, i)| all[*i].0.clone());
        all.remove(gone);
        let (all, at) = sorted(all, &path);
        let mut about = vec![at];
        about.extend(all.iter().position(|(p, _)| Some(p) == next.as_ref()));
        out.push(Mutant {
            label: format!("{left} of {}", admissions.len()),
            files: all,
            want: Want::Files(about, &["SSM831", "SSM832", "SSM833", "SSM834"]),
        });
    }
}

/// Every version of the basic data lets the coverages end a century ago.
fn coverage(files: &Files, out: &mut Vec<Mutant>) {
    let mut all = files.clone();
    let (mut covered, mut endless) = (Vec::new(), false);
    for (path, bytes) in &mut all {
        if kind(path) == "ADT-00" {
            endless |= end_coverages(bytes, &mut covered);
        }
    }
    if !endless && has_care(files, &covered) {
        out.push(uncovered(all));
    }
}

/// The version that holds lets the coverages end a century ago; one before it did not.
fn old_coverage(files: &Files, out: &mut Vec<Mutant>, flag: &str) {
    let own: Vec<usize> = current(files)
        .filter(|(_, path)| kind(path) == "ADT-00")
        .map(|(i, _)| i)
        .collect();
    let [own] = own[..] else {
        return;
    };
    let mut all = files.clone();
    let mut parts = Path::read(&files[own].0);
    parts.name[4].replace_range(..4, "1999");
    flag.clone_into(parts.name.last_mut().unwrap());
    all.push((parts.text(), files[own].1.clone()));
    let mut covered = Vec::new();
    let endless = end_coverages(&mut all[own].1, &mut covered);
    if !endless && has_care(files, &covered) {
        all.sort();
        out.push(uncovered(all));
    }
}

/// Ends the coverages of a version of the basic data and keeps their days; the result is whether one of
/// them has no end.
fn end_coverages(bytes: &mut [u8], covered: &mut Vec<(String, String)>) -> bool {
    let mut endless = false;
    let sheet = Sheet::read(bytes);
    for s in sheet.segments.iter().rev().filter(|s| s.name == "IN1") {
        let (from, to) = (s.field(12), s.field(13));
        endless |= to.is_empty() && !bytes[s.field(2)].starts_with(b"OE");
        if to.len() == 8 && from.len() == 8 {
            let day = |r: std::ops::Range<usize>| String::from_utf8_lossy(&bytes[r]).into_owned();
            covered.push((day(from.clone()), day(to.clone())));
            bytes[to.start..to.start + 4].copy_from_slice(b"1926");
            bytes[from.start..from.start + 4].copy_from_slice(b"1925");
        }
    }
    endless
}

/// Whether there was care, not only a plan of it, on a day of one of these coverages.
fn has_care(files: &Files, covered: &[(String, String)]) -> bool {
    let planned = |path: &str| matches!(kind(path).as_str(), "ADT-21" | "ADT-41" | "ADT-51");
    current(files)
        .filter(|(_, path)| !planned(path))
        .any(|(_, path)| {
            let day = Path::read(path).name[1].clone();
            covered.iter().any(|(from, to)| *from <= day && day <= *to)
        })
}

fn uncovered(files: Files) -> Mutant {
    let about = (0..files.len()).collect();
    Mutant {
        label: "ADT-00".to_owned(),
        files,
        want: Want::Files(about, &["SSM841"]),
    }
}

fn control_id(files: &Files, out: &mut Vec<Mutant>) {
    for i in (1..files.len()).step_by(3) {
        let id = |bytes: &[u8]| Sheet::read(bytes).segments.first().map(|s| s.field(10));
        let (Some(from), Some(to)) = (id(&files[i - 1].1), id(&files[i].1)) else {
            continue;
        };
        let mut all = files.clone();
        let with = files[i - 1].1[from].to_vec();
        all[i].1.splice(to.clone(), with);
        out.push(Mutant {
            label: kind(&files[i].0),
            files: all,
            want: Want::At(i, to.start, Depth::Field),
        });
    }
}
