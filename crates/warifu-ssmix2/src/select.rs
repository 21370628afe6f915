//! Which file of an item counts, and in which order a patient's files are processed.

use core::cmp::{Ordering, Reverse};

use crate::kind::{DataKind, Kind, Stage};
use crate::name::{FileName, Flag};

/// What became of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Convert it: the valid version of its item.
    Current,
    /// An older version; history only.
    Superseded,
    /// The item was withdrawn: only flag 0 exists for the key. Data file and delete
    /// message both get this state.
    Cancelled,
    /// An older snapshot of ADT-00 or ADT-61 under another date or order number.
    SnapshotOld,
    /// Another file with flag 1, older than the current one; reported, not converted.
    Duplicate,
    /// No flag-1 file exists and the newest file has flag 2: the storage is damaged or
    /// was caught between two renames. Convert it.
    OnlyFlag2,
    /// Withdrawn under this care date, but the same kind and order number is current under
    /// another: the order was moved.
    Moved,
}

impl State {
    /// Whether a file of this state is converted.
    pub const fn is_used(self) -> bool {
        matches!(self, Self::Current | Self::OnlyFlag2)
    }
}

/// What became of one file, and which file stands in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// State of the file.
    pub state: State,
    /// Index of the file that counts instead (for [`State::Moved`] the one under the
    /// new date); its own index when it counts itself; `None` when the item is withdrawn.
    pub winner: Option<usize>,
    /// Number of the item: equal for all versions of one key, ascending without gaps.
    pub item: usize,
    /// The item has no order number of its own and shares its key with others of the
    /// day: identity needs department and time stamp as well.
    pub shared_key: bool,
}

/// Oddity met while choosing among versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SelectionNoteKind {
    /// `file` has flag 1 like the newer `other` of the same key.
    SeveralCurrent,
    /// `file` and `other` have the same name (two volumes).
    SameName,
    /// `file` and `other` are the same version with different flags (a rename that was
    /// copied halfway).
    SameVersionTwoFlags,
    /// Only flag 2 exists for the key of `file`.
    OnlyReplaced,
    /// Flag-2 `file` remains beside a newer withdrawal `other`.
    ReplacedBesideWithdrawn,
    /// `file` with flag 0 is newer than `other` with flag 1.
    WithdrawnNewerThanCurrent,
    /// `file` with flag 2 is newer than `other` with flag 1.
    ReplacedNewerThanCurrent,
    /// `file` was moved to the care date of `other`.
    MovedOrder,
    /// `file` and `other` are both current: one kind and order number under two care
    /// dates.
    OrderOnTwoDays,
    /// `file` was replaced by `other` of another department under the shared order number
    /// 999999999999999: perhaps a visit of its own.
    ReplacedByOtherDepartment,
    /// `file` is a snapshot under an unusual date or order number, older than `other`.
    SnapshotElsewhere,
}

impl SelectionNoteKind {
    /// Every kind of note, in the order of declaration.
    pub const ALL: [SelectionNoteKind; 11] = [
        Self::SeveralCurrent,
        Self::SameName,
        Self::SameVersionTwoFlags,
        Self::OnlyReplaced,
        Self::ReplacedBesideWithdrawn,
        Self::WithdrawnNewerThanCurrent,
        Self::ReplacedNewerThanCurrent,
        Self::MovedOrder,
        Self::OrderOnTwoDays,
        Self::ReplacedByOtherDepartment,
        Self::SnapshotElsewhere,
    ];

    /// Stable name, e.g. `several-current`.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::SeveralCurrent => "several-current",
            Self::SameName => "same-name",
            Self::SameVersionTwoFlags => "same-version-two-flags",
            Self::OnlyReplaced => "only-replaced",
            Self::ReplacedBesideWithdrawn => "replaced-beside-withdrawn",
            Self::WithdrawnNewerThanCurrent => "withdrawn-newer-than-current",
            Self::ReplacedNewerThanCurrent => "replaced-newer-than-current",
            Self::MovedOrder => "moved-order",
            Self::OrderOnTwoDays => "order-on-two-days",
            Self::ReplacedByOtherDepartment => "replaced-by-other-department",
            Self::SnapshotElsewhere => "snapshot-elsewhere",
        }
    }
}

/// One oddity; `file` and `other` are indexes of the slice given to [`select`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SelectionNote {
    /// The file the note is about.
    pub file: usize,
    /// What is odd.
    pub kind: SelectionNoteKind,
    /// The file it is compared with.
    pub other: Option<usize>,
}

/// Result of [`select`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// One outcome per file, in the order given.
    pub outcomes: Vec<Outcome>,
    /// All files in the order of processing: ADT-00, ADT-61, other ADT in time order,
    /// PPR-01, orders, results, extended; within a stage by care date (date-less: day of
    /// the time stamp), time stamp, kind, order number.
    pub order: Vec<usize>,
    /// Oddities, by file.
    pub notes: Vec<SelectionNote>,
}

impl Selection {
    /// Files to convert, in the order of processing.
    pub fn used(&self) -> impl Iterator<Item = usize> {
        self.in_state(State::is_used)
    }

    /// Files of withdrawn items, in the order of processing; several files of one item
    /// have the same [`Outcome::item`].
    pub fn cancelled(&self) -> impl Iterator<Item = usize> {
        self.in_state(|state| state == State::Cancelled)
    }

    fn in_state(&self, wanted: impl Fn(State) -> bool) -> impl Iterator<Item = usize> {
        self.order.iter().copied().filter(move |&index| {
            self.outcomes
                .get(index)
                .is_some_and(|outcome| wanted(outcome.state))
        })
    }
}

/// One file while its group is decided.
#[derive(Clone, Copy)]
struct Version<'n, 'a> {
    index: usize,
    name: &'n FileName<'a>,
    kind: Kind<'a>,
}

impl<'a> Version<'_, 'a> {
    fn snapshot(&self) -> bool {
        self.kind.standard().is_some_and(DataKind::is_snapshot)
    }

    fn shared(&self) -> bool {
        self.kind
            .standard()
            .is_some_and(DataKind::may_share_order_no)
            && self.name.is_without_order_no()
    }

    /// Key of the group: snapshots have one group per kind.
    fn key(&self) -> (Kind<'a>, &'a str, &'a str) {
        if self.snapshot() {
            (self.kind, "", "")
        } else {
            (self.kind, self.name.date, self.name.order)
        }
    }

    /// Newest first; among equals the first given.
    fn newest_first(&self, other: &Self) -> Ordering {
        let key = |version: &Self| {
            (
                Reverse(version.name.timestamp.padded()),
                Reverse(version.name.department),
                version.name.date,
                version.name.order,
                version.name.flag,
                version.index,
            )
        };
        key(self).cmp(&key(other))
    }

    fn same_key(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.name.date == other.name.date
            && self.name.order == other.name.order
    }

    /// Same item, time stamp and department: at most flag or volume differ.
    fn same_version(&self, other: &Self) -> bool {
        self.same_key(other)
            && self.name.timestamp == other.name.timestamp
            && self.name.department == other.name.department
    }

    fn newer_than(&self, other: &Self) -> bool {
        self.name.timestamp > other.name.timestamp
    }
}

/// Decides for the files of **one patient** (of one volume set) which of them count.
///
/// The care date, kind and order number are those of the file names. Runs in
/// O(n log n) time and O(n) memory; the result depends on the order given only where two
/// names are equal (the first one counts).
///
/// What a message *says* is not looked at: a cancel message with flag 1 is
/// [`State::Current`], and whoever reads it sees the cancel event
/// ([`DataKind::action`]).
///
/// # Standard
/// SS-MIX2 標準化ストレージ仕様書, コンディションフラグ.
///
/// ```
/// use warifu_ssmix2::{FileName, State, select};
/// let names = [
///     FileName::parse("1_20180824_OML-11_000415974684841_20180824105136000_061_2")?,
///     FileName::parse("1_20180824_OML-11_000415974684841_20180824111636000_061_1")?,
/// ];
/// let selection = select(&names);
/// assert_eq!(selection.outcomes[0].state, State::Superseded);
/// assert_eq!(selection.used().collect::<Vec<_>>(), [1]);
/// # Ok::<(), warifu_ssmix2::NameError>(())
/// ```
pub fn select(files: &[FileName<'_>]) -> Selection {
    let mut versions: Vec<Version<'_, '_>> = files
        .iter()
        .enumerate()
        .map(|(index, name)| Version {
            index,
            name,
            kind: name.data_kind(),
        })
        .collect();
    warifu_order::sort_by(&mut versions, |a, b| {
        a.key().cmp(&b.key()).then_with(|| a.newest_first(b))
    });

    let mut decision = Decision {
        outcomes: vec![None; files.len()],
        notes: Vec::new(),
        item: 0,
    };
    let groups: Vec<&[Version<'_, '_>]> = versions.chunk_by(|a, b| a.key() == b.key()).collect();
    for group in &groups {
        decision.same_versions(group);
        if group.first().is_some_and(Version::shared) {
            decision.shared_group(group);
        } else {
            decision.group(group);
        }
    }
    decision.moved_orders(&groups);

    let mut order = versions;
    warifu_order::sort_by(&mut order, |a, b| processing_key(a).cmp(&processing_key(b)));
    let mut notes = decision.notes;
    warifu_order::sort(&mut notes);
    Selection {
        outcomes: decision.outcomes.into_iter().flatten().collect(),
        order: order.iter().map(|version| version.index).collect(),
        notes,
    }
}

type ProcessingKey<'a> = (
    Stage,
    &'a str,
    [u8; 17],
    Kind<'a>,
    &'a str,
    Option<&'a str>,
    Flag,
    usize,
);

fn processing_key<'a>(version: &Version<'_, 'a>) -> ProcessingKey<'a> {
    let name = version.name;
    let day = if name.date == "-" {
        name.timestamp.0.get(..8).unwrap_or(name.timestamp.0)
    } else {
        name.date
    };
    (
        version.kind.stage(),
        day,
        name.timestamp.padded(),
        version.kind,
        name.order,
        name.department,
        name.flag,
        version.index,
    )
}

fn department<'a>(version: &Version<'_, 'a>) -> Option<&'a str> {
    version.name.department_code()
}

/// Kind and order number of a group.
fn order_key<'a>(group: &[Version<'_, 'a>]) -> Option<(Kind<'a>, &'a str)> {
    group.first().map(|v| (v.kind, v.name.order))
}

struct Decision {
    outcomes: Vec<Option<Outcome>>,
    notes: Vec<SelectionNote>,
    item: usize,
}

impl Decision {
    fn next_item(&mut self) -> usize {
        let item = self.item;
        self.item += 1;
        item
    }

    fn set(&mut self, file: &Version<'_, '_>, state: State, winner: Option<usize>, item: usize) {
        let outcome = Outcome {
            state,
            winner,
            item,
            shared_key: file.shared(),
        };
        if let Some(slot) = self.outcomes.get_mut(file.index) {
            *slot = Some(outcome);
        }
    }

    fn item_of(&self, file: &Version<'_, '_>) -> Option<usize> {
        let outcome = self.outcomes.get(file.index).copied().flatten();
        outcome.map(|outcome| outcome.item)
    }

    fn state_of(&self, file: &Version<'_, '_>) -> Option<State> {
        self.outcomes
            .get(file.index)
            .copied()
            .flatten()
            .map(|outcome| outcome.state)
    }

    fn note(&mut self, kind: SelectionNoteKind, file: &Version<'_, '_>, other: Option<usize>) {
        self.notes.push(SelectionNote {
            file: file.index,
            kind,
            other,
        });
    }

    /// Notes versions that differ only in flag or volume; they are neighbours, newest
    /// first.
    fn same_versions(&mut self, group: &[Version<'_, '_>]) {
        for pair in group.windows(2) {
            let [first, second] = pair else { continue };
            if !first.same_version(second) {
                continue;
            }
            let kind = if first.name.flag == second.name.flag {
                SelectionNoteKind::SameName
            } else {
                SelectionNoteKind::SameVersionTwoFlags
            };
            self.note(kind, second, Some(first.index));
        }
    }

    /// The rule for all items with a key of their own; `group` is newest first.
    fn group(&mut self, group: &[Version<'_, '_>]) {
        let Some(newest) = group.first() else { return };
        let item = self.next_item();
        let current = group.iter().find(|v| v.name.flag == Flag::Current);
        match (current, newest.name.flag) {
            (Some(current), _) => self.live_group(group, current, item),
            (None, Flag::Replaced) => {
                self.note(SelectionNoteKind::OnlyReplaced, newest, None);
                for file in group {
                    let state = if file.index == newest.index {
                        State::OnlyFlag2
                    } else {
                        State::Superseded
                    };
                    self.set(file, state, Some(newest.index), item);
                }
            }
            (None, _) => {
                for file in group {
                    if file.name.flag == Flag::Replaced {
                        self.note(
                            SelectionNoteKind::ReplacedBesideWithdrawn,
                            file,
                            Some(newest.index),
                        );
                    }
                    self.set(file, State::Cancelled, None, item);
                }
            }
        }
    }

    fn live_group(&mut self, group: &[Version<'_, '_>], current: &Version<'_, '_>, item: usize) {
        let winner = Some(current.index);
        for file in group {
            if file.index == current.index {
                self.set(file, State::Current, winner, item);
                continue;
            }
            let elsewhere = !file.same_key(current);
            let flag = file.name.flag;
            let note = match flag {
                Flag::Current if elsewhere => Some(SelectionNoteKind::SnapshotElsewhere),
                Flag::Current if file.same_version(current) => None, // told as SameName
                Flag::Current => Some(SelectionNoteKind::SeveralCurrent),
                Flag::Deleted if file.newer_than(current) => {
                    Some(SelectionNoteKind::WithdrawnNewerThanCurrent)
                }
                Flag::Replaced if file.newer_than(current) => {
                    Some(SelectionNoteKind::ReplacedNewerThanCurrent)
                }
                Flag::Deleted | Flag::Replaced => None,
            };
            if let Some(note) = note {
                self.note(note, file, winner);
            }
            let state = if elsewhere {
                State::SnapshotOld
            } else if flag == Flag::Current {
                State::Duplicate
            } else {
                State::Superseded
            };
            self.set(file, state, winner, item);
        }
    }

    /// ADT-12/31/32/41/42 under 999999999999999: each flag-1 file (department, time
    /// stamp) is an item of its own; files with other flags belong to the newest current
    /// file of their department, or were withdrawn with it.
    fn shared_group(&mut self, group: &[Version<'_, '_>]) {
        let is_current = |v: &&Version<'_, '_>| v.name.flag == Flag::Current;
        let Some(newest) = group.iter().find(is_current) else {
            self.group(group);
            return;
        };
        let mut sorted = group.to_vec();
        // Stable: newest first within a department.
        warifu_order::sort_by(&mut sorted, |a, b| department(a).cmp(&department(b)));
        let departments = || sorted.chunk_by(|a, b| department(a) == department(b));

        for files in departments() {
            let mut previous: Option<(Version<'_, '_>, usize)> = None;
            for file in files.iter().filter(is_current) {
                match previous {
                    // The same file in two volumes is one item.
                    Some((first, item)) if first.same_version(file) => {
                        self.set(file, State::Duplicate, Some(first.index), item);
                    }
                    _ => {
                        let item = self.next_item();
                        self.set(file, State::Current, Some(file.index), item);
                        previous = Some((*file, item));
                    }
                }
            }
        }
        for files in departments() {
            let here = files.iter().find(is_current);
            let mut withdrawn = None;
            for file in files.iter().filter(|v| !is_current(v)) {
                let other = match (here, file.name.flag) {
                    (Some(current), _) => current,
                    (None, Flag::Deleted) => {
                        let item = *withdrawn.get_or_insert_with(|| self.next_item());
                        self.set(file, State::Cancelled, None, item);
                        continue;
                    }
                    (None, Flag::Replaced | Flag::Current) => {
                        self.note(
                            SelectionNoteKind::ReplacedByOtherDepartment,
                            file,
                            Some(newest.index),
                        );
                        newest
                    }
                };
                let item = self.item_of(other).unwrap_or_default();
                self.set(file, State::Superseded, Some(other.index), item);
            }
        }
    }

    /// Orders withdrawn under one care date and current under another.
    fn moved_orders(&mut self, groups: &[&[Version<'_, '_>]]) {
        let mut orders: Vec<&[Version<'_, '_>]> = groups
            .iter()
            .copied()
            .filter(|group| {
                group.first().is_some_and(|v| {
                    v.kind.standard().is_some_and(|kind| !kind.is_dateless())
                        && !v.name.is_without_order_no()
                        && !v.name.order.is_empty()
                })
            })
            .collect();
        // Stable: care dates stay ascending within one order.
        warifu_order::sort_by(&mut orders, |a, b| order_key(a).cmp(&order_key(b)));
        for days in orders.chunk_by(|a, b| order_key(a) == order_key(b)) {
            if days.len() < 2 {
                continue;
            }
            let live: Vec<Version<'_, '_>> = days
                .iter()
                .copied()
                .flatten()
                .filter(|v| self.state_of(v).is_some_and(State::is_used))
                .copied()
                .collect();
            let Some(newest) = live.iter().min_by(|a, b| a.newest_first(b)).copied() else {
                continue;
            };
            for other in live.iter().filter(|v| v.index != newest.index) {
                self.note(SelectionNoteKind::OrderOnTwoDays, other, Some(newest.index));
            }
            for file in days.iter().copied().flatten() {
                if self.state_of(file) != Some(State::Cancelled) {
                    continue;
                }
                self.note(SelectionNoteKind::MovedOrder, file, Some(newest.index));
                if let Some(Some(outcome)) = self.outcomes.get_mut(file.index) {
                    outcome.state = State::Moved;
                    outcome.winner = Some(newest.index);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use SelectionNoteKind as Note;
    use proptest::prelude::*;

    fn run(names: &[&str]) -> Selection {
        let names: Vec<FileName<'_>> = names
            .iter()
            .map(|name| FileName::parse(name).unwrap())
            .collect();
        select(&names)
    }

    /// Compares states and note kinds.
    fn check(names: &[&str], states: &[State], notes: &[Note]) -> Selection {
        let selection = run(names);
        let found: Vec<State> = selection.outcomes.iter().map(|o| o.state).collect();
        assert_eq!(found, states);
        let found: Vec<Note> = selection.notes.iter().map(|n| n.kind).collect();
        assert_eq!(found, notes);
        selection
    }

    use State::{Cancelled, Current, Duplicate, Moved, OnlyFlag2, SnapshotOld, Superseded};

    #[test]
    fn flag_1_wins_over_its_history() {
        let selection = check(
            &[
                "1_20180824_OML-11_000000000000001_20180824105136000_061_2",
                "1_20180824_OML-11_000000000000001_20180824111636000_061_1",
            ],
            &[Superseded, Current],
            &[],
        );
        assert_eq!(selection.outcomes[0].winner, Some(1));
        assert_eq!(selection.outcomes[0].item, selection.outcomes[1].item);
    }

    #[test]
    fn department_is_no_part_of_the_key() {
        check(
            &[
                "1_20180824_OML-11_000000000000001_20180824105136000_01_2",
                "1_20180824_OML-11_000000000000001_20180824111636000_02_1",
            ],
            &[Superseded, Current],
            &[],
        );
    }

    #[test]
    fn flag_0_beside_flag_1_is_only_an_old_version() {
        check(
            &[
                "1_20180824_OML-11_000000000000001_20180824105136000_061_0",
                "1_20180824_OML-11_000000000000001_20180824111636000_061_1",
            ],
            &[Superseded, Current],
            &[],
        );
    }

    #[test]
    fn only_flag_0_is_withdrawn_with_its_delete_message() {
        let selection = check(
            &[
                "1_20180619_OMP-02_000000000000001_20180619142927000_094_0",
                "1_20180619_OMP-02_000000000000001_20180619134927000_094_0",
            ],
            &[Cancelled, Cancelled],
            &[],
        );
        assert_eq!(selection.used().count(), 0);
        assert_eq!(selection.cancelled().collect::<Vec<_>>(), [1, 0]);
    }

    #[test]
    fn withdrawal_newer_than_the_current_file_is_noted() {
        check(
            &[
                "1_20180824_OML-11_000000000000001_20180824115136000_061_0",
                "1_20180824_OML-11_000000000000001_20180824111636000_061_1",
                "1_20180824_OML-11_000000000000001_20180824121636000_061_2",
            ],
            &[Superseded, Current, Superseded],
            &[
                Note::WithdrawnNewerThanCurrent,
                Note::ReplacedNewerThanCurrent,
            ],
        );
    }

    #[test]
    fn newest_of_several_flag_1_files_wins_and_the_rest_is_reported() {
        check(
            &[
                "1_20180824_OML-11_000000000000001_201808241051360_061_1",
                "1_20180824_OML-11_000000000000001_20180824111636000_061_1",
            ],
            &[Duplicate, Current],
            &[Note::SeveralCurrent],
        );
    }

    #[test]
    fn same_file_in_two_volumes_counts_once() {
        let name = "1_20180824_OML-11_000000000000001_20180824111636000_061_1";
        check(&[name, name], &[Current, Duplicate], &[Note::SameName]);
    }

    #[test]
    fn same_version_under_two_flags_is_noted() {
        check(
            &[
                "1_20180824_OML-11_000000000000001_20180824111636000_061_2",
                "1_20180824_OML-11_000000000000001_20180824111636000_061_1",
            ],
            &[Superseded, Current],
            &[Note::SameVersionTwoFlags],
        );
    }

    #[test]
    fn only_flag_2_uses_the_newest_and_says_so() {
        check(
            &[
                "1_20180824_OML-11_000000000000001_20180824111636000_061_2",
                "1_20180824_OML-11_000000000000001_20180824121636000_061_2",
            ],
            &[Superseded, OnlyFlag2],
            &[Note::OnlyReplaced],
        );
    }

    #[test]
    fn flag_2_older_than_a_withdrawal_is_withdrawn_too() {
        check(
            &[
                "1_20180824_OML-11_000000000000001_20180824111636000_061_2",
                "1_20180824_OML-11_000000000000001_20180824121636000_061_0",
            ],
            &[Cancelled, Cancelled],
            &[Note::ReplacedBesideWithdrawn],
        );
    }

    #[test]
    fn visits_of_one_day_share_the_order_number_and_all_count() {
        let selection = check(
            &[
                "1_20180824_ADT-12_999999999999999_20180824090000000_01_1",
                "1_20180824_ADT-12_999999999999999_20180824100000000_02_1",
                "1_20180824_ADT-12_999999999999999_20180824080000000_01_2",
                "1_20180824_ADT-12_999999999999999_20180824080000000_03_2",
                "1_20180824_ADT-12_999999999999999_20180824080000000_04_0",
            ],
            &[Current, Current, Superseded, Superseded, Cancelled],
            &[Note::ReplacedByOtherDepartment],
        );
        let items: Vec<usize> = selection.outcomes.iter().map(|o| o.item).collect();
        assert_eq!(items, [0, 1, 0, 1, 2]);
        assert!(selection.outcomes.iter().all(|o| o.shared_key));
    }

    #[test]
    fn visits_with_numbers_of_their_own_follow_the_common_rule() {
        check(
            &[
                "1_20180824_ADT-12_000597268221211_20180824090000000_01_1",
                "1_20180824_ADT-12_000597268221211_20180824100000000_02_1",
            ],
            &[Duplicate, Current],
            &[Note::SeveralCurrent],
        );
    }

    #[test]
    fn snapshot_under_another_order_number_is_old() {
        check(
            &[
                "1_-_ADT-00_999999999999999_20180824090000000_-_1",
                "1_-_ADT-00_000000000000001_20180825090000000_-_1",
                "1_-_ADT-00_999999999999999_20180823090000000_-_2",
            ],
            &[SnapshotOld, Current, SnapshotOld],
            &[Note::SnapshotElsewhere],
        );
    }

    #[test]
    fn moved_order_is_not_withdrawn() {
        let selection = check(
            &[
                "1_20180824_OMP-01_000000000000001_20180824090000000_01_0",
                "1_20180824_OMP-01_000000000000001_20180825090000000_01_0",
                "1_20180826_OMP-01_000000000000001_20180825090000001_01_1",
                "1_20180824_OMP-02_000000000000001_20180824090000000_01_0",
            ],
            &[Moved, Moved, Current, Cancelled],
            &[Note::MovedOrder, Note::MovedOrder],
        );
        assert_eq!(selection.outcomes[0].winner, Some(2));
    }

    #[test]
    fn one_order_current_on_two_days_is_noted() {
        check(
            &[
                "1_20180824_OMP-01_000000000000001_20180824090000000_01_1",
                "1_20180826_OMP-01_000000000000001_20180825090000001_01_1",
            ],
            &[Current, Current],
            &[Note::OrderOnTwoDays],
        );
    }

    #[test]
    fn kinds_without_order_number_never_move() {
        check(
            &[
                "1_20180824_ADT-22_999999999999999_20180824090000000_01_0",
                "1_20180826_ADT-22_999999999999999_20180825090000001_01_1",
            ],
            &[Cancelled, Current],
            &[],
        );
    }

    #[test]
    fn files_are_processed_in_the_order_of_the_stages() {
        let names = [
            "1_20160101_L^X^99_1_20160101150032100_-_1",
            "1_20180824_OML-11_000000000000001_20180824111636000_061_1",
            "1_20180824_OML-01_000000000000001_20180824101636000_061_1",
            "1_-_PPR-01_000000000000001_20180824101636000_-_1",
            "1_20180826_ADT-52_999999999999999_20180826090000000_01_1",
            "1_-_ADT-01_999999999999999_20180825090000000_01_1",
            "1_20180824_ADT-22_999999999999999_20180824090000000_01_1",
            "1_-_ADT-61_999999999999999_20180824090000000_-_1",
            "1_-_ADT-00_999999999999999_20180827090000000_-_1",
        ];
        assert_eq!(run(&names).order, [8, 7, 6, 5, 4, 3, 2, 1, 0]);
    }

    #[test]
    fn hundred_thousand_versions_of_one_key_take_no_quadratic_time() {
        for kind in ["ADT-12", "ADT-22", "ADT-00"] {
            let names: Vec<String> = (0..100_000)
                .map(|n| {
                    format!(
                        "1_20180824_{kind}_999999999999999_{n:017}_{:03}_{}",
                        n % 999,
                        n % 3
                    )
                })
                .collect();
            let names: Vec<FileName<'_>> =
                names.iter().map(|n| FileName::parse(n).unwrap()).collect();
            let started = std::time::Instant::now();
            assert_eq!(select(&names).outcomes.len(), names.len());
            assert!(started.elapsed().as_secs() < 20);
        }
    }

    proptest! {
        #[test]
        fn selection_is_complete_and_independent_of_the_order_given(
            picks in prop::collection::btree_set((0..3_usize, 0..2_u8, 0..3_u8, 0..2_u8, 0..3_u8), 0..24),
            seed in any::<usize>(),
        ) {
            let names: Vec<String> = picks.iter().map(|(kind, order, time, department, flag)| {
                let kind = ["ADT-00", "ADT-12", "OMP-01"][*kind];
                let order = ["999999999999999", "000000000000001"][usize::from(*order)];
                format!("1_20180824_{kind}_{order}_2018082409000000{time}_0{department}_{flag}")
            }).collect();
            let names: Vec<FileName<'_>> = names.iter().map(|n| FileName::parse(n).unwrap()).collect();
            let first = select(&names);
            prop_assert_eq!(first.outcomes.len(), names.len());
            let mut order = first.order.clone();
            order.sort_unstable();
            prop_assert_eq!(order, (0..names.len()).collect::<Vec<_>>());

            // Names with flag differing only are distinct, so any permutation agrees.
            let mut shuffled: Vec<usize> = (0..names.len()).collect();
            shuffled.sort_by_key(|n| (*n + 1).wrapping_mul(seed | 1));
            let permuted: Vec<FileName<'_>> = shuffled.iter().map(|&n| names[n]).collect();
            let second = select(&permuted);
            for (place, &original) in shuffled.iter().enumerate() {
                prop_assert_eq!(second.outcomes[place].state, first.outcomes[original].state);
            }
        }

        #[test]
        fn each_live_key_has_exactly_one_used_file(
            picks in prop::collection::btree_set((0..2_u8, 0..9_u8, 0..3_u8), 1..20),
        ) {
            let names: Vec<String> = picks.iter().map(|(order, time, flag)| {
                format!("1_20180824_OMP-01_00000000000000{order}_2018082409000000{time}_01_{flag}")
            }).collect();
            let names: Vec<FileName<'_>> = names.iter().map(|n| FileName::parse(n).unwrap()).collect();
            let selection = select(&names);
            for order in ["000000000000000", "000000000000001"] {
                let used = selection.used().filter(|&n| names[n].order == order).count();
                let live = names.iter().any(|n| n.order == order && n.flag == Flag::Current);
                prop_assert!(used <= 1);
                if live {
                    prop_assert_eq!(used, 1);
                }
            }
        }
    }
}
