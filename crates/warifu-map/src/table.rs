//! Mapping tables: static data, one row a field.

use std::borrow::Cow;

use warifu_diag::catalogue::map_general::{MAP003, MAP008, MAP018};
use warifu_fhir::{Id, Object, Resource, RowId};
use warifu_hl7::{Message, Part, Segment, Val};
use warifu_order::{Map, Set};
use warifu_ssmix2::DataKind;
use warifu_terms::{maps, tables};

use crate::cx::{Cx, Sourced};

/// Function of a row: writes what the field gives. Called only when the field has a value, unless the
/// row says `always`.
pub type MapFn = for<'a> fn(&mut Resource, &mut Cx<'a, '_>, &Group<'a>, Part<'a>);

/// Why a field is left alone on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// Set ids and the like: position, not content.
    Structural,
    /// Withdrawn from the standard.
    Deprecated,
    /// Told as a whole, or of no own content: what another field says as well is [`Action::Same`].
    Redundant,
    /// Steers transport, not content.
    Transport,
    /// Not used by SS-MIX2 (specification: "N").
    NotUsed,
    /// A number of the state for the person, which the law keeps apart from medical records.
    Protected,
}

/// What a row does.
#[derive(Clone, Copy)]
pub enum Action {
    /// Written by a function of its own.
    Map(MapFn),
    /// Like `Map`, but called even when the field is empty (defaults, constants).
    Always(MapFn),
    /// Written by the function of another row (named in the target), attributed to this one.
    Part,
    /// Left alone on purpose.
    Ignored(Ignored),
    /// No row takes it, since the field named says the same; where that says something else (or nothing,
    /// unless the last member says that rows take this one then) it is kept as what is lost.
    Same([u8; 3], u16, bool),
    /// Has no element in FHIR: kept in an extension ([`keep`]) and reported (MAP003). So is what has no
    /// row at all, in the segments that the table keeps.
    Lost,
}

/// A row of a table.
#[derive(Clone, Copy)]
pub struct MapRow {
    /// What a trace calls it.
    pub row: RowId,
    /// Segment of the source.
    pub segment: [u8; 3],
    /// Field number of the source; 0 for the whole segment or a constant.
    pub field: u16,
    /// What to do.
    pub action: Action,
}

/// A mapping table.
pub struct Table {
    /// Name, e.g. `PID_TO_JP_PATIENT`.
    pub name: &'static str,
    /// FHIR resource type.
    pub resource: &'static str,
    /// What constants are attributed to (`active`, `intent` …): the table as such.
    pub constants: RowId,
    /// Rows, in the order in which they are run.
    pub rows: &'static [MapRow],
    /// Segments of which the table leaves nothing behind.
    pub keeps: &'static [Kept],
}

impl Table {
    /// The first row that names a field.
    #[inline(never)]
    pub(crate) fn row(&self, segment: [u8; 3], field: usize) -> Option<&'static MapRow> {
        let mut rows = self.rows.iter();
        rows.find(|row| row.segment == segment && usize::from(row.field) == field)
    }
}

/// A segment of which a table keeps what its rows do not take.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    /// Name of the segment.
    pub segment: [u8; 3],
    /// A bit for each field that a row takes or leaves alone on purpose.
    pub taken: u64,
    /// A bit for each field of a row of [`Action::Same`].
    pub same: u64,
}

/// What the rows of a table do with the fields of a segment that it keeps.
#[expect(clippy::indexing_slicing, reason = "the loop is bounded by the length")]
pub const fn kept_of(rows: &[MapRow], segment: [u8; 3]) -> Kept {
    let (mut taken, mut same, mut i) = (0, 0, 0);
    while i < rows.len() {
        let row = &rows[i];
        let [a, b, c] = row.segment;
        if a == segment[0] && b == segment[1] && c == segment[2] && row.field < 64 {
            match row.action {
                Action::Lost => {}
                Action::Same(..) => same |= 1 << row.field,
                _ => taken |= 1 << row.field,
            }
        }
        i += 1;
    }
    Kept {
        segment,
        taken,
        same,
    }
}

/// The row of what has none.
pub(crate) static REST: RowId = RowId {
    table: "REST",
    source: "",
    n: 0,
};

/// What readers of a trace see of a row: the target element, and the official Japanese name of the
/// source.
pub type RowText = (&'static str, &'static str);

/// A table with the texts of its rows. They stand apart from the rows, since in wasm they belong to
/// the part that shows a trace.
#[derive(Clone, Copy)]
pub struct Worded {
    /// The table.
    pub table: &'static Table,
    /// The texts of its rows: a line each, in their order; target, tab, name.
    texts: &'static str,
}

impl Worded {
    /// A table and its lines of texts, see [`table!`](crate::table!).
    pub const fn new(table: &'static Table, texts: &'static str) -> Self {
        Self { table, texts }
    }
    /// The texts of its rows, in their order.
    pub fn texts(self) -> impl Iterator<Item = RowText> {
        let lines = self.texts.lines();
        lines.map(|line| line.split_once('\t').unwrap_or_default())
    }
}

/// Numbers the rows of a table.
#[expect(clippy::indexing_slicing, reason = "the loop is bounded by the length")]
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "const fn: no table has 65,535 rows"
)]
pub const fn numbered<const ROWS: usize>(mut rows: [MapRow; ROWS]) -> [MapRow; ROWS] {
    let mut i = 0;
    while i < ROWS {
        rows[i].row.n = i as u16;
        i += 1;
    }
    rows
}

/// Segment name of a source such as `PID-5` or `PID`.
#[expect(clippy::indexing_slicing, reason = "the length is checked first")]
pub const fn source_segment(source: &str) -> [u8; 3] {
    let b = source.as_bytes();
    if b.len() < 3 {
        return *b"   ";
    }
    [b[0], b[1], b[2]]
}

/// Field number of a source such as `PID-5` (`PID` gives 0).
#[expect(clippy::as_conversions, reason = "const fn: u8 widens to u16")]
#[expect(clippy::indexing_slicing, reason = "the loop is bounded by the length")]
pub const fn source_field(source: &str) -> u16 {
    let b = source.as_bytes();
    let mut i = 4;
    let mut n = 0u16;
    while i < b.len() && b[i].is_ascii_digit() {
        n = n * 10 + (b[i] - b'0') as u16;
        i += 1;
    }
    n
}

/// [`Action::Same`] as a field such as `RXE-32`.
pub const fn same(source: &str, taken: bool) -> Action {
    Action::Same(source_segment(source), source_field(source), taken)
}

/// Declares a table: `"SOURCE" => "Target.element": action, "日本語名";`.
///
/// Actions: `map f`, `always f`, `part`, `ignored Reason`, `lost`, `same "SEG-n"` (no row takes it: kept
/// unless that field says the same), `beside "SEG-n"` (taken where that field is empty). A source of `""` is a constant.
/// `keeps "PID"` behind the resource names segments of which nothing may be left behind.
#[macro_export]
macro_rules! table {
    ($(#[$m:meta])* $name:ident: $resource:literal $(keeps $($kept:literal),+)? { $($source:literal => $target:literal: $kind:ident $($of:literal)? $($arg:path)?, $ja:literal;)* }) => {
        $(#[$m])*
        pub static $name: $crate::table::Table = {
            const ROWS: &[$crate::table::MapRow] = &$crate::table::numbered([$($crate::table::MapRow {
                row: warifu_fhir::RowId { table: stringify!($name), source: $source, n: 0 },
                segment: $crate::table::source_segment($source),
                field: $crate::table::source_field($source),
                action: $crate::table!(@action $kind $($of)? $($arg)?),
            }),*]);
            $crate::table::Table {
                name: stringify!($name),
                resource: $resource,
                constants: warifu_fhir::RowId { table: stringify!($name), source: "", n: warifu_fhir::RowId::TABLE },
                rows: ROWS,
                keeps: &[$($($crate::table::kept_of(ROWS, $crate::table::source_segment($kept))),+)?],
            }
        };

        #[doc(hidden)]
        #[expect(non_snake_case, reason = "the texts of a table go by its name")]
        pub mod $name {
            pub(crate) static TEXTS: &str = concat!($($target, "\t", $ja, "\n"),*);
        }
    };
    (@action map $f:path) => { $crate::table::Action::Map($f) };
    (@action always $f:path) => { $crate::table::Action::Always($f) };
    (@action part) => { $crate::table::Action::Part };
    (@action ignored $r:path) => { $crate::table::Action::Ignored($r) };
    (@action same $of:literal) => { $crate::table::same($of, false) };
    (@action beside $of:literal) => { $crate::table::same($of, true) };
    (@action lost) => { $crate::table::Action::Lost };
}

/// Tables with the texts of their rows.
#[macro_export]
macro_rules! worded {
    ($($($name:ident)::+),* $(,)?) => {
        &[$($crate::table::Worded::new(&$($name)::+, $($name)::+::TEXTS)),*]
    };
}

/// Segments that belong together (an order with its RXE, TQ1, RXR …), looked up by name.
#[derive(Debug, Clone, Default)]
pub struct Group<'a> {
    segments: Vec<Segment<'a>>,
}

impl<'a> Group<'a> {
    /// Empty group.
    pub fn new() -> Self {
        Self {
            segments: Vec::with_capacity(8),
        }
    }
    /// Group of some segments.
    pub fn of(segments: &[Segment<'a>]) -> Self {
        Self {
            segments: segments.to_vec(),
        }
    }
    /// Adds a segment.
    pub fn push(&mut self, segment: Segment<'a>) {
        self.segments.push(segment);
    }
    /// Forgets all segments.
    pub fn clear(&mut self) {
        self.segments.clear();
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }
    /// First segment of a name.
    pub fn first(&self, name: [u8; 3]) -> Option<Segment<'a>> {
        self.segments.iter().find(|s| s.name() == name).copied()
    }
    /// All segments of a name, in order.
    pub fn all(&self, name: [u8; 3]) -> impl Iterator<Item = Segment<'a>> + '_ {
        self.segments
            .iter()
            .filter(move |s| s.name() == name)
            .copied()
    }
    /// All segments, in order.
    pub fn segments(&self) -> &[Segment<'a>] {
        &self.segments
    }
    /// Field of the first segment of a name; `None` when there is no such segment.
    pub fn field(&self, name: [u8; 3], field: usize) -> Option<Part<'a>> {
        self.first(name).map(|s| s.field(field))
    }
}

/// Runs a table's rows in order.
pub fn run<'a>(table: &'static Table, r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>) {
    let mut last: Option<Segment<'a>> = None;
    for row in table.rows {
        let (f, always) = match row.action {
            Action::Map(f) => (f, false),
            Action::Always(f) => (f, true),
            _ => continue,
        };
        if last.is_none_or(|s| s.name() != row.segment) {
            last = group.first(row.segment);
        }
        let part = match last.filter(|s| s.name() == row.segment) {
            Some(s) => s.field(usize::from(row.field)),
            None if always => cx.message().empty_part(),
            None => continue,
        };
        if always || part.is_some() {
            let before = r.row(Some(&row.row));
            f(r, cx, group, part);
            r.row(before);
        }
    }
    if !table.keeps.is_empty() {
        keep_rest(table, r, cx, group.segments());
    }
}

/// Fields behind this one are of no segment of HL7: they are kept in one, so that a hostile line does not
/// become a resource of a hundred times its size.
const LAST_KEPT: usize = 99;

/// Number of segments that are looked through rather than looked up.
const FEW: usize = 16;

/// Most bytes of what stands behind [`LAST_KEPT`].
const MOST_BEHIND: usize = 16_384;

/// Keeps what the rows of a table do not take of its segments; the same value of several segments once.
pub fn keep_rest<'a>(
    table: &'static Table,
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    segments: &[Segment<'a>],
) {
    let mut seen: Set<(usize, [u8; 3], &'a [u8])> = Set::new();
    for (at, s) in segments.iter().enumerate() {
        if table.keeps.iter().any(|k| k.segment == s.name()) {
            report_beyond(cx, *s);
        }
        if cx.strays.placed.contains(&s.position()) {
            continue;
        }
        // Mostly no other has the name. Of a list of numbers each comes by itself.
        let mut others = segments.iter().enumerate().filter(|(n, _)| *n != at);
        let repeats = segments.len() > 1
            && (segments.len() > FEW
                || is_of_people(s.name())
                || others.any(|(_, o)| o.name() == s.name()));
        each_rest(table, *s, segments, &mut |n, field| {
            let here = (n, s.name(), field.raw());
            if repeats && !seen.insert(here) {
                cx.used(&field);
                return;
            }
            let row = table.row(s.name(), n);
            let source: Cow<'static, str> = row.map_or_else(
                || warifu_diag::field_name(s.name_str(), n).into(),
                |row| row.row.source.into(),
            );
            let before = r.row(Some(row.map_or(&REST, |row| &row.row)));
            keep(r, cx, source, field);
            r.row(before);
        });
    }
}

/// Keeps the fields of each further segment of a name whose first alone the rows take, unless the first
/// says the same. What the rows leave [`keep_rest`] keeps.
pub(crate) fn keep_further<'a>(
    table: &'static Table,
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    group: &Group<'a>,
    name: [u8; 3],
) {
    let Some(first) = group.first(name) else {
        return;
    };
    for s in group.all(name).skip(1) {
        for row in table.rows.iter().filter(|row| row.segment == name) {
            let n = usize::from(row.field);
            let field = s.field(n);
            let taken = !matches!(row.action, Action::Ignored(_) | Action::Lost);
            if taken && field.is_some() && field.raw() != first.field(n).raw() {
                let before = r.row(Some(&row.row));
                keep(r, cx, row.row.source, field);
                r.row(before);
            }
        }
    }
}

/// Tells, once a segment, that too much stands behind [`LAST_KEPT`].
pub(crate) fn report_beyond(cx: &mut Cx<'_, '_>, s: Segment<'_>) {
    if s.field_count() > LAST_KEPT {
        let behind = s.rest(LAST_KEPT + 1);
        if behind.raw().len() > MOST_BEHIND {
            cx.report_with(&MAP018, &behind, name_of(s, LAST_KEPT + 1));
        }
    }
}

/// Whether the field that a row of [`Action::Same`] names says the same; it stands in one of the segments
/// `near`, or is the first of the message.
#[inline(never)]
pub(crate) fn is_said<'a>(
    table: &'static Table,
    (s, n): (Segment<'a>, usize),
    field: Part<'a>,
    near: &[Segment<'a>],
) -> bool {
    let Some(Action::Same(name, m, taken)) = table.row(s.name(), n).map(|row| row.action) else {
        return false;
    };
    let other = if name == s.name() {
        Some(s)
    } else {
        let near = near.iter().find(|o| o.name() == name).copied();
        near.or_else(|| field.message().first(&name))
    };
    let other = other.map(|o| o.field(m.into())).filter(Part::is_some);
    // Where an order is from is a code of table 0482, with its name; a visit has the code alone.
    let said = if n == 29 { field.comp(1) } else { field };
    other.map_or(taken, |other| is_same(said, other))
}

/// Whether two fields are the same, or the same time.
pub(crate) fn is_same(one: Part<'_>, other: Part<'_>) -> bool {
    let time = |f: Part<'_>| warifu_hl7::time::parse(f.value().text).map(|t| t.sort_key());
    one.raw() == other.raw() || time(one).is_some_and(|t| time(other) == Some(t))
}

/// What the rows of a table do not take of a segment that it keeps: number and field, or the numbers of
/// a field one by one where one of them is protected. `near`: see [`is_said`].
pub(crate) fn each_rest<'a>(
    table: &'static Table,
    s: Segment<'a>,
    near: &[Segment<'a>],
    f: &mut dyn FnMut(usize, Part<'a>),
) {
    let Some(kept) = table.keeps.iter().find(|k| k.segment == s.name()) else {
        return;
    };
    let of_people = is_of_people(s.name());
    let mut one = |n: usize, field: Part<'a>| {
        if of_people && field.reps().any(is_protected) {
            let others = field.reps().filter(|rep| !is_protected(*rep));
            others.filter(Part::is_some).for_each(|rep| f(n, rep));
        } else {
            f(n, field);
        }
    };
    let mut rest = |n: usize| {
        let field = s.field(n);
        let same = n >= 64 || kept.same >> n & 1 == 1;
        if field.is_some() && !(same && is_said(table, (s, n), field, near)) {
            one(n, field);
        }
    };
    bits(s.filled_bits() & !kept.taken).for_each(&mut rest);
    if s.field_count() >= 64 {
        let numbers = s.filled().take_while(|n| *n <= LAST_KEPT);
        numbers.filter(|n| *n >= 64).for_each(rest);
    }
    if let Some((n, field)) = behind(s) {
        one(n, field);
    }
}

/// Numbers of the bits that are set, from the lowest on.
fn bits(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = set.trailing_zeros();
        set &= set.wrapping_sub(1);
        usize::try_from(lowest).ok().filter(|n| *n < 64)
    })
}

/// Segments whose lists of numbers may hold one of the state.
fn is_of_people(name: [u8; 3]) -> bool {
    matches!(&name, b"PID" | b"NK1" | b"IN1" | b"DB1")
}

/// The fields of a segment that have a byte, and what stands behind [`LAST_KEPT`] in one.
fn whole(s: Segment<'_>) -> impl Iterator<Item = (usize, Part<'_>)> {
    let numbers = s.filled().take_while(|n| *n <= LAST_KEPT);
    numbers.map(move |n| (n, s.field(n))).chain(behind(s))
}

/// What stands behind [`LAST_KEPT`].
fn behind(s: Segment<'_>) -> Option<(usize, Part<'_>)> {
    let n = LAST_KEPT + 1;
    let part = (s.field_count() >= n).then(|| s.rest(n))?;
    (part.is_some() && part.raw().len() <= MOST_BEHIND).then_some((n, part))
}

/// What a message says that no row of its kind reads: kept in the resource of the order, disease or stay
/// that it belongs to by its place.
#[derive(Debug, Default)]
pub(crate) struct Strays<'a> {
    /// Segments of the message, in its order.
    segments: Queue<'a>,
    /// Fields that rows take in part, in the order of the message.
    parts: Queue<'a>,
    /// Fields of requests that are told elsewhere, in the order in which they are met.
    fields: Queue<'a>,
    /// Position of the segment that a resource was made from.
    heads: Map<Id, u32>,
    /// Of a name: positions between which no segment has it, and the one behind that does. Many resources
    /// of one order ask for the end of the same.
    ends: Map<[u8; 3], (u32, u32)>,
    /// Bytes kept so far.
    size: usize,
    /// Values that could not be read, with the name of their field: for the next resource of the patient.
    unread: Vec<(String, Val<'a>)>,
    /// Their places: message, first byte, one past the last.
    unread_places: Set<(u16, u32, u32)>,
    /// Fields of `parts`, and of `unread` those that are kept whole: message, first byte.
    whole: Set<(u16, u32)>,
    /// Positions of segments whose rest stands where they are told ([`Cx::left_of`]).
    placed: Set<u32>,
}

/// Position of the segment, name of the field, the field; those before `next` are kept.
#[derive(Debug, Default)]
pub(crate) struct Queue<'a> {
    all: Vec<(u32, String, Part<'a>)>,
    next: usize,
}

/// Codes of tables of which nothing but the codes is needed, so that browsers load no names of them.
pub(crate) const ORDER_CONTROL: (&str, &str) =
    ("0119", "CA CH CN DC NA NW OC OK PA RE RP SC SN XO");
pub(crate) const VALUE_TYPE: (&str, &str) = (
    "0125",
    "AD CF CK CN CP CWE CX DT ED FT MO NM PN RP SN ST TM TN TS TX XAD XCN XON XPN XTN",
);

/// Most bytes of a message that are kept as [`Strays`], each field counted as [`FIELD`] more.
const MOST_STRAYS: usize = 1 << 20;
const FIELD: usize = 64;

impl<'a> Strays<'a> {
    /// Whether something is to be kept.
    pub(crate) fn wait(&self) -> bool {
        let mut queues = [&self.segments, &self.parts, &self.fields].into_iter();
        queues.any(|queue| queue.next < queue.all.len())
    }
    /// How many values wait that could not be read.
    pub(crate) fn unread(&self) -> usize {
        self.unread.len()
    }
    /// Whether a value waits that could not be read.
    pub(crate) fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }
    /// Whether a value waits, or waited for the same resource, that could not be read.
    pub(crate) fn is_unread(&self, v: Val<'a>) -> bool {
        let place = (v.message, v.start, v.end);
        self.unread_places.contains(&place)
    }
    /// A value that could not be read is written as text where it belongs.
    pub(crate) fn kept_otherwise(&mut self, v: Val<'a>) {
        // It is the one read last, unless it was read before.
        if let Some(at) = self.unread.iter().rposition(|(_, of)| of.src() == v.src()) {
            self.unread.remove(at);
        }
    }
    /// Notes the segment that a resource is made from.
    pub(crate) fn note(&mut self, id: Id, position: u32) {
        self.heads.insert(id, position);
    }
    /// Whether there is room for one more field.
    fn fits(&mut self, field: Part<'a>) -> bool {
        self.size += field.raw().len() + FIELD;
        self.size <= MOST_STRAYS
    }
}

impl<'a> Cx<'a, '_> {
    /// A segment that no row of this kind of message reads. A guarantor's record is none of the patient;
    /// the place of the insurance is the ADT-00.
    pub(crate) fn stray(&mut self, s: Segment<'a>) {
        report_beyond(self, s);
        let told = match &s.name() {
            b"GT1" => true,
            b"IN1" | b"IN2" | b"IN3" | b"ZI1" => self.kind() != Some(DataKind::Adt00),
            _ => false,
        };
        let mut fits = !told;
        // A number of the line is its place, which is kept.
        let numbered = warifu_terms::fields::is_numbered(s.name());
        if numbered {
            self.used(&s.field(1));
        }
        let left = whole(s).filter(|(n, field)| {
            let number = numbered && *n == 1 || is_number_of_state(s.name(), *n);
            !told && !number && field.is_some()
        });
        for (n, field) in left {
            if self.strays.fits(field) {
                let name = name_of(s, n);
                self.strays.segments.all.push((s.position(), name, field));
            } else {
                fits = false;
            }
        }
        if !fits {
            self.report_with(&MAP018, &s, name_of(s, 0));
        }
    }
    /// What rows leave of the fields of a segment: parts of those that they read, and the whole of those
    /// that they read in other kinds alone. Of the person and the visit it is told, unless another file
    /// describes them.
    #[inline(never)]
    pub(crate) fn stray_parts(&mut self, s: Segment<'a>) {
        let name = s.name();
        let Some((_, read, parts)) = TAKEN.iter().find(|t| t.0 == name) else {
            return;
        };
        let kind = self.kind();
        let of_visit = matches!(&name, b"EVN" | b"PV1" | b"PV2");
        let head = crate::kinds::is_head(name);
        let dated = |k: DataKind| {
            k.code().starts_with("ADT-") && !matches!(k, DataKind::Adt00 | DataKind::Adt61)
        };
        if of_visit && !kind.is_some_and(dated) {
            // Of another kind's visit is told that it is there, unless a dated ADT describes it.
            let at = match self.item.date {
                "" | "-" => self.message().value(b"MSH", 7).text,
                date => date,
            };
            let known = name != *b"EVN" && self.encounter_at(at).is_some();
            if !known && s.filled().any(|n| n > 2 || name == *b"PV2") {
                self.report_with(&MAP018, &s, name_of(s, 0));
            }
            return;
        }
        if head && !of_visit && kind != Some(DataKind::Adt00) && self.context.has_adt00 {
            return;
        }
        let passed = if of_visit || matches!(&name, b"OBR" | b"NTE" | b"OBX") {
            passed(name, kind)
        } else {
            0
        };
        let whole = passed | self.of_other_facility(s);
        let asked = whole | s.parted_bits() | checked(name);
        for n in bits(s.filled_bits() & (passed | read) & asked) {
            let field = s.field(n);
            let gone = whole >> n & 1 == 1 || is_taken_in_part(s, n, field, parts, kind);
            if !gone || !field.is_some() || is_for_clinicians(name, n) {
                continue;
            }
            // A list of numbers may hold one of the state.
            let stays = of_visit && passed >> n & 1 == 0;
            if stays && self.out.kept_visits.contains(&self.message().number()) {
                // The stay has it, see `stray_visit`.
            } else if head && kind != Some(DataKind::Adt00)
                || of_visit
                || (&name, n) == (b"PID", 3)
                || is_of_people(name) && field.reps().any(is_protected)
            {
                self.report_with(&MAP018, &field, name_of(s, n));
            } else {
                self.stray_at(s, n, field, true);
            }
        }
    }
    /// Fields of an order that name another institution than the one that is described.
    fn of_other_facility(&self, s: Segment<'a>) -> u64 {
        let other = s.name() == *b"ORC" && facility_of(s) != self.out.facility;
        if other { 0b111 << 21 } else { 0 }
    }
    /// What rows leave of the fields of a visit that they read; the stay at hand keeps it.
    pub(crate) fn stray_visit(&mut self, message: Message<'a>, kind: Option<DataKind>) {
        for s in message.segments() {
            let name = s.name();
            let of_visit = matches!(&name, b"EVN" | b"PV1" | b"PV2");
            let Some((_, read, parts)) = TAKEN.iter().find(|t| of_visit && t.0 == name) else {
                continue;
            };
            let read = *read & !passed(name, kind);
            for n in bits(s.filled_bits() & read) {
                let field = s.field(n);
                if field.is_some() && is_taken_in_part(s, n, field, parts, kind) {
                    self.stray_at(s, n, field, true);
                }
            }
        }
        self.out.kept_visits.insert(message.number());
    }
    /// Fields of a segment that makes no resource here.
    pub(crate) fn stray_fields(
        &mut self,
        s: Segment<'a>,
        fields: impl Iterator<Item = (usize, Part<'a>)>,
    ) {
        for (n, field) in fields {
            self.stray_field(s, n, field);
        }
    }
    pub(crate) fn stray_field(&mut self, s: Segment<'a>, n: usize, field: Part<'a>) {
        self.stray_at(s, n, field, false);
    }
    #[inline(never)]
    fn stray_at(&mut self, s: Segment<'a>, n: usize, field: Part<'a>, in_part: bool) {
        let name = name_of(s, n);
        if self.strays.fits(field) {
            let queue = if in_part {
                let at = (field.value().message, field.span().0);
                self.strays.whole.insert(at);
                &mut self.strays.parts
            } else {
                &mut self.strays.fields
            };
            queue.all.push((s.position(), name, field));
        } else {
            self.report_with(&MAP018, &field, name);
        }
    }
    /// A value that could not be read; `target` is its element. The resource that is finished next keeps it.
    #[cold]
    pub(crate) fn unread(&mut self, v: Val<'a>, target: &str) {
        let (name, from) = self
            .field_of(v)
            .map_or_else(|| (target.to_owned(), v.start), |(n, f)| (n, f.span().0));
        self.keep_later(name, from, v);
    }
    /// A value outside its table: told, and its field kept by the resource that is finished next.
    #[cold]
    pub(crate) fn unlisted(&mut self, v: Val<'a>, table: &'static str) {
        self.report_with(&MAP008, &v, table);
        self.keep_field_of(v, table);
    }
    /// Keeps the field that a value stands in, with the resource that is finished next.
    #[cold]
    pub(crate) fn keep_field_of(&mut self, v: Val<'a>, target: &str) {
        match self.field_of(v) {
            Some((name, field)) => {
                let from = field.span().0;
                self.keep_later(name, from, field.text().trimmed());
                self.strays.whole.insert((v.message, from));
            }
            None => self.unread(v, target),
        }
    }
    /// The field of this message that a value stands in, and its name.
    fn field_of(&self, v: Val<'a>) -> Option<(String, Part<'a>)> {
        let message = self.message();
        let path = message
            .locate(v.start)
            .filter(|path| v.message == message.number() && path.field > 0)?;
        let field = message
            .segment_at(v.start)?
            .field(path.field.try_into().ok()?);
        Some((path.field_name(), field))
    }
    /// Whether the field of a part is one of which rows leave something, and that is kept whole for it.
    pub(crate) fn is_kept_whole(&self, part: Part<'a>) -> bool {
        let v = part.value();
        self.field_of(v)
            .is_some_and(|(_, f)| self.strays.whole.contains(&(v.message, f.span().0)))
    }
    /// Keeps a value once, unless its field is kept whole.
    fn keep_later(&mut self, name: String, field: u32, v: Val<'a>) {
        let strays = &mut self.strays;
        if !v.is_empty()
            && !strays.whole.contains(&(v.message, field))
            && strays.unread_places.insert((v.message, v.start, v.end))
        {
            strays.unread.push((name, v));
        }
    }
    /// [`Cx::unlisted`] of what is no code of a table, unless it is empty.
    pub(crate) fn listed(&mut self, v: Val<'a>, (name, codes): (&'static str, &str)) {
        if !v.is_empty() && !is_listed(codes, v.text) {
            self.unlisted(v, name);
        }
    }
    /// Keeps the values that could not be read.
    #[cold]
    pub(crate) fn keep_unread(&mut self, r: &mut Resource) {
        let before = r.row(Some(&REST));
        self.strays.unread_places.clear();
        for (name, v) in std::mem::take(&mut self.strays.unread) {
            r.object(warifu_fhir::element::EXTENSION, |o| kept_text(o, &name, v));
            self.report_with(&MAP003, &v, name);
        }
        r.row(before);
    }
    /// A segment of an order whose first of that name alone the rows take.
    pub(crate) fn stray_further(&mut self, s: Segment<'a>) {
        self.stray_fields(s, whole(s).filter(|(n, field)| *n > 1 && field.is_some()));
    }
    /// The fields behind one; of a result its state and unit go with it.
    pub(crate) fn stray_behind(&mut self, s: Segment<'a>, last: usize) {
        let left = whole(s).filter(move |(n, field)| *n > last && *n != 11 && field.is_some());
        self.stray_fields(s, left);
    }
    /// The fields that no row of a table names, of a segment that the table does not keep.
    pub(crate) fn stray_rest(
        &mut self,
        table: &'static Table,
        s: Segment<'a>,
        near: &[Segment<'a>],
    ) {
        let left = whole(s).filter(move |(n, field)| {
            let row = table.row(s.name(), *n);
            let left = row.is_none_or(|row| matches!(row.action, Action::Same(..)));
            left && field.is_some() && !is_said(table, (s, *n), *field, near)
        });
        self.stray_fields(s, left);
    }
    /// Keeps in a resource what waits before the next segment of the name of the one that it was made
    /// from (of what was done, before the next order), if it is of a type that carries such things.
    #[inline(never)]
    pub(crate) fn keep_strays(&mut self, r: &mut Resource) {
        const ALWAYS: &str = "Condition MedicationRequest MedicationAdministration MedicationDispense NutritionOrder ServiceRequest Procedure ImagingStudy DiagnosticReport Specimen";
        let carries = match r.resource_type() {
            of if is_listed(ALWAYS, of) => true,
            // Of the other kinds the request or report carries it.
            "Observation" => matches!(self.kind(), None | Some(DataKind::Oml11)),
            "Coverage" => self.kind() == Some(DataKind::Adt00),
            "AllergyIntolerance" => self.kind() == Some(DataKind::Adt61),
            _ => false,
        };
        let position = self.strays.heads.get(&r.id()).copied();
        let Some(position) = position.filter(|_| carries) else {
            return;
        };
        let name = match r.resource_type() {
            // Several of one order, some of which make nothing.
            "MedicationAdministration" | "MedicationDispense" | "Procedure" | "ImagingStudy" => {
                Some(*b"ORC")
            }
            _ => usize::try_from(position)
                .ok()
                .and_then(|at| self.message().segment(at))
                .map(|s| s.name()),
        };
        // A specimen and a result keep their own; of those that made none the report keeps it.
        let (from, end, leave) = match r.resource_type() {
            "Specimen" => (position, position + 1, false),
            of => {
                let result = self.kind() == Some(DataKind::Oml11);
                let own = result && of == "Observation";
                (
                    if own { position } else { 0 },
                    name.map_or(u32::MAX, |name| self.end_of(position, name)),
                    result && of == "ServiceRequest",
                )
            }
        };
        self.keep_strays_of(r, (from, end), leave);
    }
    /// Position of the next segment of a name behind a position.
    fn end_of(&mut self, position: u32, name: [u8; 3]) -> u32 {
        if let Some((from, end)) = self.strays.ends.get(&name)
            && (*from..*end).contains(&position)
        {
            return *end;
        }
        let message = self.message();
        let at = usize::try_from(position).unwrap_or(usize::MAX);
        let end = (at.saturating_add(1)..)
            .map_while(|n| message.segment(n))
            .find(|s| s.name() == name)
            .map_or(u32::MAX, |s| s.position());
        self.strays.ends.insert(name, (position, end));
        end
    }
    /// Keeps in a resource what waits of the segments before a position.
    pub(crate) fn keep_strays_before(&mut self, r: &mut Resource, end: u32) {
        self.keep_strays_of(r, (0, end), false);
    }
    /// Keeps in a resource what waits of the segments before a position, but for other specimens and results:
    /// those before `from`, or all; what the resource says already once.
    fn keep_strays_of(&mut self, r: &mut Resource, (from, end): (u32, u32), leave: bool) {
        let mut strays = std::mem::take(&mut self.strays);
        let before = r.row(Some(&REST));
        let mut seen: Set<(String, &'a [u8])> = Set::new();
        for queue in [&mut strays.segments, &mut strays.parts, &mut strays.fields] {
            let mut at = queue.next;
            while let Some((position, name, field)) = queue.all.get_mut(at) {
                if *position >= end {
                    break;
                }
                at += 1;
                let other = name.starts_with("OBX") || name.starts_with("SPM");
                // What was told already is passed over at once, too: many results may wait for one report.
                if *position < from {
                    at = at.max(queue.all.partition_point(|of| of.0 < from));
                    continue;
                }
                if name.is_empty() || leave && other {
                    continue;
                }
                let name = std::mem::take(name);
                if !seen.insert((name.clone(), field.raw())) || says(r, &name, *field) {
                    self.used(field);
                } else {
                    keep(r, self, name, *field);
                }
            }
            let rest = queue.all.iter().skip(queue.next);
            queue.next += rest.take_while(|of| of.1.is_empty()).count();
        }
        r.row(before);
        self.strays = strays;
    }
    /// Puts aside what waits: what is noted from here on is of one resource, to which [`Cx::keep_noted`]
    /// gives it.
    #[inline(never)]
    pub(crate) fn put_aside(&mut self) -> [Queue<'a>; 3] {
        let Strays {
            segments,
            parts,
            fields,
            ..
        } = &mut self.strays;
        [segments, parts, fields].map(std::mem::take)
    }
    /// Keeps in a resource what was noted since [`Cx::put_aside`].
    #[inline(never)]
    pub(crate) fn keep_noted(&mut self, r: &mut Resource, waiting: [Queue<'a>; 3]) {
        self.keep_strays_before(r, u32::MAX);
        let [segments, parts, fields] = waiting;
        self.strays.segments = segments;
        self.strays.parts = parts;
        self.strays.fields = fields;
    }
    /// What is to be kept of one of several segments, for the place where it is told: values that could
    /// not be read since there were `read` of them, fields of which rows take a part, fields without a row,
    /// and those of `others` where the first segment says something else.
    pub(crate) fn left_of(
        &mut self,
        table: &'static Table,
        [first, s]: [Segment<'a>; 2],
        others: &[usize],
        read: usize,
    ) -> Vec<(String, Val<'a>)> {
        let strays = &mut self.strays;
        let from = read.min(strays.unread.len());
        let mut left = strays.unread.split_off(from);
        let parts = &mut strays.parts.all;
        let begin = parts.partition_point(|part| part.0 < s.position());
        let own = parts.iter_mut().skip(begin);
        for (_, name, field) in own.take_while(|part| part.0 == s.position()) {
            left.push((std::mem::take(name), field.text().trimmed()));
        }
        each_rest(table, s, &[first], &mut |n, field| {
            let name = name_of(s, n);
            if left.iter().all(|of| of.0 != name) {
                left.push((name, field.text().trimmed()));
            }
        });
        strays.placed.insert(s.position());
        let others = others.iter().filter(|_| s.position() != first.position());
        for (n, field) in others.map(|n| (*n, s.field(*n))) {
            let name = name_of(s, n);
            if field.raw() == first.field(n).raw() {
                self.used(&field);
            } else if field.is_some() && left.iter().all(|of| of.0 != name) {
                left.push((name, field.text().trimmed()));
            }
        }
        for (name, v) in &left {
            self.report_with(&MAP003, v, name.clone());
        }
        left
    }
    /// Tells what no resource carries: segments once each, fields one by one.
    pub(crate) fn report_strays(&mut self) {
        let mut strays = std::mem::take(&mut self.strays);
        for (name, v) in std::mem::take(&mut strays.unread) {
            self.report_with(&MAP018, &v, name);
        }
        let mut last = None;
        let Strays {
            segments,
            parts,
            fields,
            ..
        } = &mut strays;
        for (queue, once) in [(segments, true), (parts, false), (fields, false)] {
            for (position, name, field) in queue.all.iter_mut().skip(queue.next) {
                let again = once && last.replace(*position) == Some(*position);
                if !again && !name.is_empty() {
                    self.report_with(&MAP018, field, std::mem::take(name));
                }
            }
        }
    }
}

/// What an order says of its institution: ORC-21 to ORC-23.
#[inline(never)]
pub(crate) fn facility_of(orc: Segment<'_>) -> &[u8] {
    let at = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    let (start, mut end) = orc.field(21).span();
    for n in [22, 23] {
        end = end.max(orc.field(n).span().1);
    }
    let bytes = orc.message().bytes();
    bytes.get(at(start)..at(end)).unwrap_or_default()
}

/// A segment, the fields of which the rows of any table take a value, or what says the same elsewhere (a
/// bit for each; a test compares them with the tables), and of fields of several parts what is taken: a
/// bit for each component, [`ALL`] of its repetitions. What else stands there is kept with the field. Of
/// other fields rows take [`ONE`].
type Taken = ([u8; 3], u64, &'static [(u8, u32)]);

/// Each repetition.
const ALL: u32 = 1;
/// A triplet in the first component, the second, the fifth.
const IN_1: u32 = 1 << 17;
const IN_2: u32 = 1 << 18;
const IN_5: u32 = 1 << 21;
/// The whole as a text.
const TEXT: u32 = !(CODED | OF_TABLE);
/// A value alone.
pub(crate) const ONE: u32 = 0b10;
/// Two.
const TWO: u32 = 0b110;
/// The first triplet; the system with its code.
pub(crate) const CE: u32 = 0b1110;
/// Both triplets. Where a name is the text, one is; a system goes with its code.
const CWE: u32 = 0b111_1110;
/// A name alone.
pub(crate) const NAME: u32 = 0b100;
/// No name without its code.
const CODED: u32 = 1 << 16;
/// A code of a table, whose name and system say nothing more; the system is a table's.
const OF_TABLE: u32 = 1 << 31;
pub(crate) const CODE: u32 = CE | CODED | OF_TABLE;
/// Number, name, kind of name and its writing.
const XCN: u32 = XCN_PARTS | ALL;
const XCN_PARTS: u32 = 0b1000_0100_0001_1110;
/// Ward, room, bed, kind of place.
const PL: u32 = 0b100_1110;
/// A clinic, kind of place.
const CLINIC: u32 = 0b100_0010;
/// Parts of an address; of the street where there is no whole.
const XAD: u32 = 0b1_1111_1000;
/// A number, what it is for, by which device, its extension, the number as written.
const XTN: u32 = 0b1_0001_0000_1110;
/// A thing used: what, how much of it in which unit and in how many parts, which go with it.
const ZRD: u32 = CWE | IN_5 | ALL;
/// Numbers of a person: number, who gave it, its kind.
const CX: u32 = 0b11_0010;
/// Family, given, further, suffix, prefix, kind of name, its writing.
const XPN: u32 = XPN_PARTS | ALL;
const XPN_PARTS: u32 = 0b1_1011_1110;
/// Without suffix and prefix.
const XPN_OF_CONTACT: u32 = 0b1_1000_1110;

static TAKEN: &[Taken] = &[
    (*b"AL1", 0x7c, &[(2, CODE), (3, CWE), (4, CODE)]),
    (*b"DB1", 0x14, &[]),
    (*b"EVN", 0x4c, &[]),
    (
        *b"IAM",
        0x6_3bfc,
        &[
            (2, CODE),
            (3, CWE),
            (4, CODE),
            (6, CODE),
            (9, CODE),
            (17, CODE),
            (18, XCN),
        ],
    ),
    (*b"IN1", 0x2_3c1c, &[(2, CWE), (10, ONE | ALL), (17, CODE)]),
    (*b"IPC", 0x16e, &[(1, TWO), (2, TWO), (5, CE), (6, CWE)]),
    (
        *b"NK1",
        0x207c,
        &[
            (2, XPN_OF_CONTACT | ALL),
            (3, CE | OF_TABLE),
            (4, XAD | ALL),
            (5, XTN | ALL),
            (6, XTN | ALL),
        ],
    ),
    (*b"NTE", 0x8, &[(3, TEXT)]),
    (
        *b"OBR",
        0x10_2741_31bc,
        &[
            (4, CWE),
            (12, NAME),
            (13, TEXT),
            (16, XCN & !ALL),
            (26, CE | IN_1),
        ],
    ),
    (
        *b"OBX",
        0x3_49fc,
        &[
            (3, CWE | IN_1),
            (5, TEXT),
            (6, CE),
            (8, ONE | ALL),
            (16, XCN),
            (17, CWE),
        ],
    ),
    (*b"ODS", 0x1e, &[(2, CWE | ALL), (3, CWE | ALL), (4, TEXT)]),
    (*b"ODT", 0x8, &[(3, TEXT)]),
    (
        *b"ORC",
        0x20e3_b73e,
        &[
            (10, XCN),
            (12, XCN),
            // All or nothing, see `is_said`.
            (13, TEXT),
            (16, CWE),
            (17, CE | CODED),
            (22, XAD),
            (23, XTN),
            (29, CODE),
        ],
    ),
    (*b"PD1", 0x10, &[(4, XCN)]),
    (
        *b"PID",
        0x2_6381_eba8,
        &[
            (3, CX | ALL),
            (5, XPN),
            (9, XPN),
            (11, XAD | ALL),
            (13, XTN | ALL),
            (14, XTN | ALL),
            (15, CWE),
            (16, CWE),
        ],
    ),
    (
        *b"PRB",
        0x3e7_e79e,
        &[
            (3, CWE),
            (10, CWE | CODED),
            (13, CE),
            (14, CWE),
            (18, CODE),
            (21, CE),
            (25, CWE | CODED),
        ],
    ),
    (
        *b"PV1",
        0x3010_0002_04cc,
        &[(3, PL), (6, PL), (7, XCN), (17, XCN)],
    ),
    (*b"PV2", 0x8000_0000_0302, &[(1, PL)]),
    (
        *b"RXA",
        0x7f_fff8,
        &[
            (5, CWE),
            (7, CE),
            (8, CWE),
            (9, NAME),
            (10, XCN),
            (11, PL),
            (14, NAME),
            (17, NAME),
            (18, CWE | ALL),
            (19, CWE),
            (22, TEXT),
        ],
    ),
    (*b"RXC", 0x1e, &[(2, CWE), (4, CE)]),
    (
        *b"RXE",
        0x401_8fe8_bcfc,
        &[
            (2, CWE),
            (5, CE),
            (6, CE),
            (7, CWE),
            (11, CE),
            (19, TWO | IN_2),
            (21, CWE | ALL),
            (24, CE),
            (26, NAME),
            (27, CWE | ALL),
            (31, CWE | CODED | ALL),
            (42, PL),
        ],
    ),
    (*b"RXR", 0x1e, &[(1, CWE), (2, CWE), (3, CWE), (4, CWE)]),
    (
        *b"SPM",
        0x806_1114,
        &[
            (2, TWO),
            (4, CWE),
            (8, CWE),
            (12, TWO),
            (17, TWO),
            (27, CWE),
        ],
    ),
    (
        *b"TQ1",
        0x4fdc,
        &[
            (2, TWO | IN_2),
            (3, ONE | ALL | IN_1),
            (4, ONE | ALL),
            (6, TWO),
            (9, CODE),
            (10, TEXT),
            (11, TEXT),
        ],
    ),
    (
        *b"ZE1",
        0xbfc,
        &[(3, CWE), (5, TWO), (6, TWO), (7, XCN), (9, ZRD)],
    ),
    (
        *b"ZE2",
        0xfc,
        &[
            (2, TWO | IN_2),
            (3, TWO | IN_2),
            (4, TWO | IN_2),
            (5, TWO | IN_2),
            (6, TWO | IN_2),
            (7, TWO),
        ],
    ),
    (*b"ZI1", 0x2_3c1c, &[(2, CWE), (10, ONE | ALL), (17, CODE)]),
    (*b"ZPD", 0x4, &[(2, CWE | ALL)]),
    (
        *b"ZPR",
        0xfe,
        &[
            (1, CWE | ALL),
            (2, CWE),
            (3, CWE | ALL),
            (4, CWE | CODED | ALL),
            (5, CWE),
            (6, CWE | CODED | ALL),
        ],
    ),
];

/// Fields that rows read, but not in these kinds.
static PASSED: &[([u8; 3], u32, u64)] = {
    use DataKind as K;
    const VISIT: u32 = bit(K::Adt12);
    const PLANNED: u32 = bit(K::Adt21);
    const ADMITTED: u32 = bit(K::Adt22);
    const AWAY: u32 = bit(K::Adt31) | bit(K::Adt32);
    const TO_MOVE: u32 = bit(K::Adt41);
    const MOVED: u32 = bit(K::Adt01) | bit(K::Adt42);
    const TO_LEAVE: u32 = bit(K::Adt51);
    const LEFT: u32 = bit(K::Adt52);
    const ORDERED: u32 = bit(K::Omg01) | bit(K::Omg02) | bit(K::Omg03);
    const DONE: u32 = bit(K::Omg11) | bit(K::Omg12);
    &[
        (*b"EVN", MOVED | VISIT | ADMITTED | AWAY | LEFT, 1 << 3),
        (*b"EVN", PLANNED | TO_MOVE | TO_LEAVE, 1 << 6),
        (
            *b"PV1",
            VISIT | PLANNED | ADMITTED | AWAY | TO_MOVE | TO_LEAVE | LEFT | bit(K::Adt01),
            1 << 6,
        ),
        (
            *b"PV1",
            MOVED | AWAY | TO_MOVE | TO_LEAVE | PLANNED,
            1 << 44,
        ),
        (
            *b"PV1",
            MOVED | AWAY | TO_MOVE | TO_LEAVE | PLANNED | VISIT | ADMITTED,
            1 << 36 | 1 << 45,
        ),
        (
            *b"PV2",
            MOVED | VISIT | ADMITTED | AWAY | TO_LEAVE | LEFT,
            1 << 8,
        ),
        (
            *b"PV2",
            MOVED | VISIT | ADMITTED | AWAY | TO_LEAVE | LEFT | PLANNED,
            1 << 1,
        ),
        (
            *b"PV2",
            MOVED | VISIT | ADMITTED | AWAY | TO_MOVE | LEFT,
            1 << 9,
        ),
        (
            *b"PV2",
            MOVED | VISIT | PLANNED | ADMITTED | TO_MOVE | TO_LEAVE | LEFT,
            1 << 47,
        ),
        (*b"OBR", ORDERED, 1 << 7 | 1 << 8),
        (*b"OBR", ORDERED | DONE, 1 << 22 | 1 << 25),
        (*b"OBR", bit(K::Oml01), 1 << 5),
        (*b"NTE", !0, !0b1011),
        // The item that is asked for.
        (*b"OBX", bit(K::Oml01), 0x1f_f7d0),
        (*b"OBX", DONE, 1 << 4),
    ]
};

/// The fields of a segment that rows pass over in a kind ([`PASSED`]).
#[inline(never)]
pub(crate) fn passed(name: [u8; 3], kind: Option<DataKind>) -> u64 {
    let here =
        |(of, kinds, _): &&([u8; 3], u32, u64)| *of == name && kind.map_or(0, bit) & kinds != 0;
    PASSED
        .iter()
        .filter(here)
        .fold(0, |all, (_, _, fields)| all | fields)
}

/// A bit for a kind.
#[expect(clippy::as_conversions, reason = "const fn: the number of a kind")]
const fn bit(kind: DataKind) -> u32 {
    1 << kind as u32
}

/// What is taken of a value of a data type (OBX-2) of which no Observation is made.
pub(crate) fn value_parts(of_type: &str) -> u32 {
    match of_type {
        "XCN" => XCN,
        "ZRD" => ZRD,
        "CWE" | "CE" | "CNE" => CWE,
        "TS" | "DT" | "DTM" => ONE,
        _ => TEXT,
    }
}

/// Whether a field says more than what rows take of it, or something else.
fn is_taken_in_part(
    s: Segment<'_>,
    n: usize,
    field: Part<'_>,
    parts: &[(u8, u32)],
    kind: Option<DataKind>,
) -> bool {
    let other_clinic = || {
        let clinic = s.field(10).comp(1);
        clinic.is_some() && field.comp(1).raw() != clinic.raw()
    };
    (&s.name(), n, kind) == (b"PV1", 3, Some(DataKind::Adt12)) && other_clinic()
        || field.has_parts() && has_more(field, parts_of(s, n, parts, kind))
        || checked(s.name()) >> n & 1 == 1 && is_unknown(s.name(), n, field)
}

/// Fields of codes and times, of which rows take what they stand for.
fn checked(name: [u8; 3]) -> u64 {
    match &name {
        b"EVN" => 1 << 2 | 1 << 3 | 1 << 6,
        b"IN1" | b"ZI1" => 1 << 17,
        b"OBX" => 1 << 2,
        b"PRB" => 1 << 2 | 1 << 18,
        b"ORC" => 1 << 1 | 1 << 5 | 1 << 29,
        b"PV1" => 1 << 2 | 1 << 44 | 1 << 45,
        b"PV2" => 1 << 8 | 1 << 9 | 1 << 47,
        b"RXC" => 1 << 1,
        b"RXE" => 1 << 32,
        b"TQ1" => 1 << 9,
        _ => 0,
    }
}

/// Whether a code is one of a list with blanks between. Most are too short to be worth a call for each.
#[inline(never)]
pub(crate) fn is_listed(codes: &str, code: &str) -> bool {
    let mut codes = codes.as_bytes().split(|b| *b == b' ');
    codes.any(|known| known.iter().eq(code.as_bytes()))
}

/// Whether a code or a time, of which rows take what it stands for, stands for nothing.
#[inline(never)]
fn is_unknown(name: [u8; 3], n: usize, field: Part<'_>) -> bool {
    let code = field.comp(1).value().trimmed().text;
    let known = match (&name, n) {
        (b"IN1" | b"ZI1", _) => maps::SUBSCRIBER_RELATIONSHIP.translate(code).known,
        (b"OBX", _) => code.len() <= 3,
        (b"ORC", 1) => is_listed(ORDER_CONTROL.1, code),
        (b"ORC", 5) => maps::ORDER_STATUS.translate(code).known,
        (b"ORC", _) => tables::T_0482.entry(code).is_some(),
        (b"PV1", 2) => maps::ENCOUNTER_CLASS.find(code).is_some(),
        (b"PRB", 18) => code == "1",
        (b"TQ1", _) => !maps::PRIORITY.translate(code).to.is_empty(),
        (b"RXC", _) => matches!(code, "A" | "B"),
        _ => warifu_hl7::time::parse(code).is_some(),
    };
    !known && !code.is_empty()
}

/// What rows take of a field in a kind, where it is something else than in the others.
static PARTS_IN: &[([u8; 3], u8, DataKind, u32)] = &[
    // A diet has one pattern; the reason for its change is a note, as is the form of a drug.
    (*b"TQ1", 3, DataKind::Omd, ONE | IN_1),
    (*b"ORC", 16, DataKind::Omd, NAME),
    (*b"RXE", 6, DataKind::Omp01, NAME),
    // The kind of an injection.
    (*b"RXE", 2, DataKind::Omp02, CE),
    // The clinic of an outpatient.
    (*b"PV1", 3, DataKind::Adt12, CLINIC),
    // A body measure; of a blood group, see `value_parts`.
    (*b"OBX", 5, DataKind::Adt00, ONE),
];

/// What rows take of a field.
fn parts_of(s: Segment<'_>, n: usize, parts: &[(u8, u32)], kind: Option<DataKind>) -> u32 {
    let name = s.name();
    let here = |of: &&([u8; 3], u8, DataKind, u32)| {
        usize::from(of.1) == n && of.0 == name && Some(of.2) == kind
    };
    let Some((.., own)) = PARTS_IN.iter().find(here) else {
        let of = parts.iter().find(|p| usize::from(p.0) == n);
        return of.map_or(ONE, |p| p.1);
    };
    if name == *b"OBX" && s.field(2).raw() != b"NM" {
        return value_parts(s.field(2).value().text);
    }
    *own
}

/// A component that is told with another one of `some`, or where none of `none` has a value:
/// `(component, some, none)`, a bit for each.
type Told = (u8, u32, u32);

/// Of fields of which rows take a mask: the component of the kind of a name, place or number, the kinds
/// that rows know, and what is told with something else. The first counts that has the mask, or all of it
/// but for [`CODED`]; those of most fields stand first.
static TOLD: &[(u32, usize, &str, &[Told])] = &[
    (
        CWE | CODED,
        0,
        "",
        &[
            (2, 1 << 1, 0),
            (5, 1 << 4, 0),
            (6, 1 << 4, 0),
            (9, 0, 1 << 2 | 1 << 5),
        ],
    ),
    // A name is the text where there is no other, or goes with its code; a second system with its code. A
    // system without a code says nothing. Of a concept without names the original text is the name.
    (
        CWE,
        0,
        "",
        &[
            (2, 1 << 1, 1 << 5),
            (5, 1 << 4, 1 << 2),
            (6, 1 << 4, 0),
            (9, 0, 1 << 2 | 1 << 5),
        ],
    ),
    (XPN_PARTS, 7, "L M N S D", &[]),
    (XPN_OF_CONTACT, 7, "L", &[]),
    (XCN_PARTS, 10, "L", &[]),
    (PL, 6, "N C", &[]),
    (CLINIC, 6, "N C", &[]),
    (CX, 5, "PI", &[]),
    (CE | CODED, 0, "", &[(2, 1 << 1, 0)]),
    (NAME, 0, "", &[(3, 1 << 2, 0)]),
    (TWO, 0, "", &[(2, 1 << 1, 0)]),
    // An address and a number are told by their parts where they are not as a whole.
    (XAD, 0, "", &[(1, 0, 1 << 8), (2, 0, 1 << 8)]),
    (
        XTN,
        0,
        "",
        &[
            (1, 0, 1 << 12),
            (4, 0, 1 << 1 | 1 << 12),
            (6, 0, 1 << 1 | 1 << 12),
            (7, 0, 1 << 1 | 1 << 12),
        ],
    ),
];

/// Whether a field says something in components that `mask` does not name, or in a further repetition.
#[inline(never)]
pub(crate) fn has_more(field: Part<'_>, mask: u32) -> bool {
    let (parts, key) = (mask & 0xfffe, mask & 0x1_fffe);
    let told = TOLD.iter().find(|told| told.0 == key || told.0 == parts);
    let (_, kind_at, kinds, rules) = *told.unwrap_or(&(0, 0, "", &[]));
    for (at, rep) in field.reps().enumerate() {
        let one = || mask == XCN & !ALL && rep.comp(1).raw() == field.comp(1).raw();
        if at > 0 && mask & ALL == 0 && rep.is_some() && !one() {
            return true;
        }
        let filled = rep.filled_components();
        let is_filled = |n: usize| filled >> n & 1 == 1;
        let said = |n: usize| rep.comp(n).value().trimmed().text;
        let mut taken = parts;
        let mut tell = |n: usize, told: bool| taken = taken & !(1 << n) | u32::from(told) << n;
        for (n, some, none) in rules {
            let told = filled & some != 0 || *none != 0 && filled & none == 0;
            tell(usize::from(*n), told);
        }
        // The kind of a name may stand one component early.
        let early = kind_at == 7 && is_filled(6) && !is_filled(8);
        let kind_at = kind_at - usize::from(early);
        if is_filled(kind_at) {
            let known = || {
                let said = said(kind_at);
                said.is_empty() || is_listed(kinds, said)
            };
            tell(kind_at, at > 0 && parts == CX || known());
        }
        if mask & OF_TABLE != 0 && is_filled(3) {
            let of_table = |said: &str| said.starts_with("HL7") || said.starts_with('J');
            tell(3, is_filled(1) && of_table(said(3)));
        }
        if parts == CWE && is_filled(7) {
            // Editions of ICD-10 are told.
            tell(7, said(3).starts_with("I10"));
        }
        if filled & !taken != 0 || field.has_subcomponents() && has_more_subs(rep, mask) {
            return true;
        }
    }
    false
}

/// Whether a repetition has sub-components that `mask` does not name.
fn has_more_subs(rep: Part<'_>, mask: u32) -> bool {
    (1..).zip(rep.comps()).any(|(n, part)| {
        let triplet = n < 15 && mask >> (n + 16) & 1 == 1;
        let mut behind = part.subs().skip(if triplet { 3 } else { 1 });
        !part.is_empty() && behind.any(|sub| sub.is_some())
    })
}

/// Whether a resource keeps a field of that text already, among the first that it keeps.
fn says(r: &Resource, name: &str, field: Part<'_>) -> bool {
    let start = [
        "{\"url\":\"urn:x-ssmix2:field:",
        name,
        "\",\"valueString\":\"",
    ]
    .concat();
    let text = [field.text().trimmed().text, "\"}"].concat();
    let kept = r.items(warifu_fhir::element::EXTENSION).take(64);
    let mut values = kept.filter_map(|item| item.strip_prefix(start.as_bytes()));
    values.any(|value| value == text.as_bytes())
}

/// Name of a field, of the segment for 0; a line without a name is `line`.
pub(crate) fn name_of(s: Segment<'_>, n: usize) -> String {
    let name = s.name();
    let name = std::str::from_utf8(&name).ok().filter(|n| *n != "???");
    let name = name.unwrap_or("line");
    if n == 0 {
        name.to_owned()
    } else {
        warifu_diag::field_name(name, n)
    }
}

/// Fields that are left out on purpose, in any form (MAP125): a patient who reads the output is told of
/// them by the physician.
const fn is_for_clinicians(name: [u8; 3], field: usize) -> bool {
    matches!((&name, field), (b"PRB", 21..=24))
}

/// Fields that hold a number of the state for a person ([`Ignored::Protected`]).
const fn is_number_of_state(name: [u8; 3], field: usize) -> bool {
    matches!(
        (&name, field),
        (b"PID", 19) | (b"NK1", 37) | (b"GT1", 12) | (b"IN2", 2)
    )
}

/// Whether a CX is a number of the state for the person ([`Ignored::Protected`]) by its type (table
/// 0203): social security, national.
#[inline(never)]
pub(crate) fn is_protected(number: Part<'_>) -> bool {
    matches!(number.comp(5).value().text.trim(), "SS" | "NI" | "NNJPN")
}

/// Keeps a field that has no element: an extension `urn:x-ssmix2:field:SEG-n` with the text of the field
/// as sent, delimiters included.
pub fn keep<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    source: impl Into<Cow<'static, str>>,
    field: Part<'a>,
) {
    keep_as(r, cx, source.into(), field);
}

#[inline(never)]
fn keep_as<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, source: Cow<'static, str>, field: Part<'a>) {
    r.object(warifu_fhir::element::EXTENSION, |o| kept(o, &source, field));
    cx.report_with(&MAP003, &field, source);
}

/// The members of the extension.
pub(crate) fn kept(o: &mut Object<'_>, source: &str, field: Part<'_>) {
    kept_text(o, source, field.text().trimmed());
}

pub(crate) fn kept_text(o: &mut Object<'_>, source: &str, v: Val<'_>) {
    if !v.is_empty() {
        o.joined("url", "urn:x-ssmix2:field:", source, v.src());
        o.string("valueString", v.text, v.src());
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, Ignored, TAKEN};

    /// All resources of a message and whether each finding was made.
    fn converted(kind: &str, event: &str, segments: &str) -> (String, crate::Output) {
        let text = format!(
            "MSH|^~\\&|A|B|C|D|20260401090000||{event}|1|P|2.5\nPID|1||0000990001||割符^花子^^^^^L^I||19680303|F\n{segments}"
        );
        let out = crate::testing::convert(kind, &text);
        let json = out.resources.iter().map(|r| out.json_of(r).to_vec());
        let json = String::from_utf8(json.collect::<Vec<_>>().concat()).unwrap_or_default();
        (json, out)
    }

    #[test]
    fn codes_without_names_are_those_of_the_tables() {
        use warifu_terms::tables::{T_0119, T_0125};
        for (table, (name, codes)) in [
            (&T_0119, super::ORDER_CONTROL),
            (&T_0125, super::VALUE_TYPE),
        ] {
            let all: Vec<&str> = table.entries.iter().map(|e| e.code).collect();
            assert_eq!((table.name, all.join(" ")), (name, codes.to_owned()));
        }
    }

    #[test]
    fn a_value_outside_its_table_is_told_and_kept_with_its_text() {
        let lab = |orc: &str, obr: &str, obx: &str| {
            format!(
                "SPM|1|S1||023^血清^JC10\nOBR|1|1||E001^生化学^99L|||20260401080000||||||||||||||||||{obr}\nORC|{orc}|1|||CM\n{obx}"
            )
        };
        let obx = "OBX|1|NM|3D010000002226101^血糖^JC10||98|mg/dL|||||";
        let given = "ORC|NW|000000000000071||000000000000071_01_001\nRXA|0|1|20260401100000|20260401103000|620007329^薬^HOT9|1|ML^ミリ^MR9P";
        for (kind, event, segments, kept) in [
            (
                "ADT-61",
                "ADT^A60",
                "IAM|1|99^造影剤系^99L|X^ヨード^99L".to_owned(),
                "IAM-2\",\"valueString\":\"99^造影剤系^99L",
            ),
            // Kept once, though the rows leave its further components as well.
            (
                "ADT-61",
                "ADT^A60",
                "IAM|1|99^造影剤系^99L^^^^^^7.0|X^ヨード^99L".to_owned(),
                "IAM-2\",\"valueString\":\"99^造影剤系^99L^^^^^^7.0",
            ),
            (
                "ADT-61",
                "ADT^A60",
                "IAM|1|DA|X^ヨード^99L|9^致死的^99L|発疹".to_owned(),
                "IAM-4\",\"valueString\":\"9^致死的^99L",
            ),
            (
                "ADT-61",
                "ADT^A60",
                "IAM|1|DA|X^ヨード^99L|||A|||9^変種^99L".to_owned(),
                "IAM-9\",\"valueString\":\"9^変種^99L",
            ),
            (
                "OMP-12",
                "RAS^O17",
                format!("{given}|||||||||||||中止"),
                "RXA-20\",\"valueString\":\"中止",
            ),
            (
                "OML-11",
                "OUL^R22",
                lab("QQ", "", &format!("{obx}F")),
                "ORC-1\",\"valueString\":\"QQ",
            ),
            (
                "OML-11",
                "OUL^R22",
                lab("SC", "Q8", &format!("{obx}F")),
                "OBR-25\",\"valueString\":\"Q8",
            ),
            (
                "OML-11",
                "OUL^R22",
                lab("SC", "", &format!("{obx}Q9")),
                "OBX-11\",\"valueString\":\"Q9",
            ),
            (
                "OML-11",
                "OUL^R22",
                lab("SC", "", &format!("{}F", obx.replace("|NM|", "|Q7|"))),
                "OBX-2\",\"valueString\":\"Q7",
            ),
            (
                "ADT-00",
                "ADT^A08",
                "DB1|1|PT||不明".to_owned(),
                "DB1-4\",\"valueString\":\"不明",
            ),
        ] {
            let (json, out) = converted(kind, event, &segments);
            assert_eq!(json.matches(kept).count(), 1, "{kept} in {json}");
            assert!(crate::testing::reported(&out, "MAP008"), "{kept}");
        }
        let (json, out) = converted(
            "PPR-01",
            "PPR^ZD1",
            "PRB|AD|2026/04/01|20058911^狭心症^MDCDX2|PRB0001|||20260401",
        );
        assert!(json.contains("2026/04/01") && crate::testing::reported(&out, "HL7113"));
        let (json, out) = converted(
            "ADT-22",
            "ADT^A01",
            "EVN||20260401090000\nPV1|1|QQC||||||||||||||||||||||||||||||||||||||||||202604010900",
        );
        assert!(
            json.contains("PV1-2\",\"valueString\":\"QQC")
                && crate::testing::reported(&out, "MAP117")
        );
    }

    #[test]
    fn what_rows_do_not_read_of_a_code_is_kept() {
        let lab = |orc: &str, unit: &str| {
            format!(
                "SPM|1|S1||023^血清^JC10\nOBR|1|1||E001^生化学^99L|||20260401080000\nORC|SC|1|||{orc}\nOBX|1|NM|2A990000001930952^白血球数^JC10||5.6|{unit}|||||F"
            )
        };
        for (orc, unit, field) in [
            (
                "CM",
                "Q1^mg/dL^ISO+",
                "OBX-6\",\"valueString\":\"Q1^mg/dL^ISO+",
            ),
            ("CM", "Q1^袋^99L", "OBX-6\",\"valueString\":\"Q1^袋^99L"),
            (
                "CM",
                "mg/dL^^^Q1^mg^99L",
                "OBX-6\",\"valueString\":\"mg/dL^^^Q1^mg^99L",
            ),
            ("Q9", "mg/dL", "ORC-5\",\"valueString\":\"Q9"),
            (
                "CM||||||||||||^総合診療部",
                "mg/dL",
                "ORC-17\",\"valueString\":\"^総合診療部",
            ),
            (
                "CM||||||||||||01^総合内科^HL70069",
                "mg/dL",
                "ORC-17\",\"valueString\":\"01^総合内科^HL70069",
            ),
        ] {
            let (json, _) = converted("OML-11", "OUL^R22", &lab(orc, unit));
            assert_eq!(json.matches(field).count(), 1, "{field} in {json}");
        }
        for unit in [
            "mg/dL^mg/dL^99L",
            "mm(hg)^mmHg^ISO+",
            "/min^回／１分^ISO+",
            "K1^^99L",
        ] {
            let (json, _) = converted("OML-11", "OUL^R22", &lab("CM", unit));
            assert_eq!(
                json.contains("field:OBX-6"),
                unit.starts_with('K'),
                "{json}"
            );
        }
        // The second order names another institution than the first.
        let given = |at: &str| {
            format!("ORC|NW|1||1_01|||||||||||||||||{at}\nRXE||620007329^薬^HOT9|1||TAB^錠^MR9P\n")
        };
        let first = "割符病院|^^^100-0001|03-1";
        for (second, left) in [(first, 0), ("割符病院|^^^100-0001|03-2", 1)] {
            let text = given(first) + &given(second);
            let (json, _) = converted("OMP-01", "RDE^O11", &text);
            let kept = json
                .matches("field:ORC-23\",\"valueString\":\"03-2")
                .count();
            assert_eq!(
                (kept, json.contains("field:ORC-21")),
                (left, left == 1),
                "{json}"
            );
        }
        let (json, _) = converted(
            "PPR-01",
            "PPR^ZD1",
            "PRB|AD|20260401|20058911^狭心症^MDCDX2|PRB0001|||20260401|||||||||||2^副傷病^99L\nZPR||9^別名^99L",
        );
        for field in [
            "PRB-18\",\"valueString\":\"2^副傷病^99L",
            "ZPR-2\",\"valueString\":\"9^別名^99L",
        ] {
            assert_eq!(json.matches(field).count(), 1, "{field} in {json}");
        }
    }

    #[test]
    fn a_number_of_the_state_is_no_insurer_s() {
        let (json, _) = converted(
            "ADT-00",
            "ADT^A08",
            "IN1|1|C0^国民健康保険^JHSD0001|123456789018^^^^NNJPN~06139992^^^^XX|保険者||||||1~2~3\nIN1|2|C0^国民健康保険^JHSD0001|123456789018^^^^NI|別の保険者||||||4~5~6",
        );
        assert!(!json.contains("123456789018"), "{json}");
        assert!(json.contains("06139992:1:2:03"), "{json}");
        assert_eq!(json.matches("\"resourceType\":\"Coverage\"").count(), 2);
    }

    #[test]
    fn what_steers_or_repeats_is_kept_where_it_says_something() {
        let (json, _) = converted(
            "OMP-01",
            "RDE^O11",
            "ORC|NW|1||1_01\nRXE|1^^D7|620007329^薬^HOT9|1||TAB^錠^MR9P\nNTE|1|P|一包化|RE^備考^HL70364",
        );
        for field in ["RXE-1", "NTE-2", "NTE-4"] {
            assert_eq!(
                json.matches(&format!("field:{field}\"")).count(),
                1,
                "{field}: {json}"
            );
        }
        for (died, kept) in [("Y", false), ("N", true)] {
            let pid = format!(
                "ZZZ|1\nPID|1||0000990001||割符^花子^^^^^L^I||19680303|F{}20260301|{died}",
                "|".repeat(21)
            );
            let text = format!(
                "MSH|^~\\&|A|B|C|D|20260401090000||ADT^A08|1|P|2.5\n{}",
                &pid[6..]
            );
            let out = crate::testing::convert("ADT-00", &text);
            let r = crate::testing::one(&out, "Patient").to_string();
            assert_eq!(r.contains("field:PID-30"), kept, "{r}");
        }
        let problem = |control: &str| {
            let text =
                format!("PRB|AD|20260401|20058911^狭心症^MDCDX2|P1|||20260401\nORC|{control}|P1");
            converted("PPR-01", "PPR^ZD1", &text).0
        };
        for (control, state) in [
            ("NW", "confirmed"),
            ("CA", "entered-in-error"),
            ("DC", "entered-in-error"),
        ] {
            assert!(
                problem(control).contains(&format!("\"code\":\"{state}\"")),
                "{control}"
            );
        }
        assert!(problem("QQ").contains("field:ORC-1\",\"valueString\":\"QQ"));
    }

    #[test]
    fn a_caret_in_a_unit_is_the_power_that_its_sender_means() {
        for (unit, text, code) in [
            ("10^3/uL", "10^3/uL", Some("10*3/uL")),
            ("×10^4/μL", "×10^4/μL", Some("10*4/uL")),
            ("10^6/袋", "10^6/袋", None),
        ] {
            let obx = format!(
                "SPM|1|S1||023^血清^JC10\nOBR|1|1||E001^生化学^99L|||20260401080000\nORC|SC|1|||CM\nOBX|1|NM|2A990000001930952^白血球数^JC10||5.6|{unit}|||||F"
            );
            let (json, out) = converted("OML-11", "OUL^R22", &obx);
            assert!(
                json.contains(&format!("\"value\":5.6,\"unit\":\"{text}\"")),
                "{json}"
            );
            assert_eq!(json.contains("unitsofmeasure"), code.is_some(), "{json}");
            let coded = format!("\"code\":\"{}\"", code.unwrap_or_default());
            assert_eq!(json.contains(&coded), code.is_some(), "{json}");
            assert!(crate::testing::reported(&out, "MAP219"));
        }
    }

    #[test]
    fn what_another_field_says_as_well_is_kept_where_it_differs() {
        let dispensed = |nine: &str, orc: &str, three: &str, entered: &str| {
            format!(
                "PV1|1|O|01\nORC|SC|1||1_01|||||{nine}||||{orc}||||77^特診科^99L\nRXA|0|1|{three}|20260401094000|103835401^薬^HOT9|14|TAB^錠^MR9P|||||||||||||CP|A|{entered}"
            )
        };
        let (kind, event) = ("OMP-11", "RAS^O17");
        let (json, out) = converted(
            kind,
            event,
            &dispensed(
                "20260331080910",
                "9W^909^9",
                "20260401093311",
                "20260401095522",
            ),
        );
        assert!(json.contains("MedicationDispense"));
        for kept in [
            "ORC-9\",\"valueString\":\"20260331080910",
            "ORC-13\",\"valueString\":\"9W^909^9",
            "ORC-17\",\"valueString\":\"77^特診科^99L",
            "RXA-3\",\"valueString\":\"20260401093311",
            "RXA-22\",\"valueString\":\"20260401095522",
        ] {
            assert_eq!(json.matches(kept).count(), 1, "{kept} in {json}");
        }
        assert!(crate::testing::reported(&out, "MAP003"));
        // The same time, to the minute or to the second.
        let (json, _) = converted(
            kind,
            event,
            &dispensed("20260401094000", "", "202604010940", "20260401094000"),
        );
        let times = ["RXA-3", "RXA-22"].map(|n| format!("field:{n}\""));
        assert!(times.iter().all(|name| !json.contains(name)), "{json}");
        let ordered = |nine: &str| {
            format!(
                "ORC|NW|1||1_01|||||{nine}\nRXE||620007329^薬^HOT9|1||TAB^錠^MR9P{}20260401101500",
                "|".repeat(27)
            )
        };
        for (nine, kept) in [("20260331080910", true), ("20260401101500", false)] {
            let (json, _) = converted("OMP-01", "RDE^O11", &ordered(nine));
            assert_eq!(json.contains("field:ORC-9\""), kept, "{json}");
        }
        let (json, _) = converted(
            "PPR-01",
            "PPR^ZD1",
            "PV1|1|O\nPRB|AD|20260311|20058911^狭心症^MDCDX2|P1|||20260301\nORC|NW|P1X|||||||20260322080910||||||||||||||||||||I^入院^HL70482",
        );
        for name in ["PRB-2", "ORC-2", "ORC-9", "ORC-29"] {
            assert!(json.contains(&format!("field:{name}\"")), "{name}: {json}");
        }
        let (json, _) = converted(
            "PPR-01",
            "PPR^ZD1",
            "PV1|1|I\nPRB|AD|20260301|20058911^狭心症^MDCDX2|P1|||20260301\nORC|NW|P1|||||||20260301||||||||||||||||||||I^入院^HL70482",
        );
        assert!(!json.contains("field:"), "{json}");
    }

    #[test]
    fn a_blood_group_without_a_state_of_a_result_is_told() {
        let (json, out) = converted(
            "ADT-00",
            "ADT^A08",
            "PV1|1|I|3E^301^1\nOBX|1|CWE|5H010000001999911^ABO血液型^JC10||AB^AB型^JSHR002||||||N",
        );
        assert!(!json.contains("AB型"));
        assert!(
            crate::testing::reported(&out, "MAP209") && crate::testing::reported(&out, "MAP018")
        );
    }

    #[test]
    fn a_result_with_a_blank_inside_is_no_other_number() {
        for (kind, value) in [
            ("NM", "5 0.5"),
            ("ST", "5 0.5"),
            ("ST", "1 000"),
            ("NM", "< 1 2"),
        ] {
            let (json, out) = converted(
                "OML-11",
                "OUL^R22",
                &format!(
                    "SPM|1|S1||023^血清^JC10\nOBR|1|1||E001^生化学^99L|||20260401080000\nORC|SC|1|||CM\nOBX|1|{kind}|3D010000002226101^血糖^JC10||{value}|mg/dL|1 0-2 0||||F"
                ),
            );
            assert!(
                json.contains(&format!("\"valueString\":\"{value}\"")),
                "{json}"
            );
            assert!(
                !json.contains("valueQuantity") && !json.contains("\"low\""),
                "{json}"
            );
            let code = if kind == "NM" { "MAP007" } else { "MAP203" };
            assert!(
                crate::testing::reported(&out, code) && crate::testing::reported(&out, "MAP205")
            );
        }
        let (json, out) = converted(
            "OML-11",
            "OUL^R22",
            "SPM|1|S1||023^血清^JC10\nOBR|1|1||E001^生化学^99L|||20260401080000\nORC|SC|1|||CM\nOBX|1|ST|3D010000002226101^血糖^JC10||ー|mg/dL|||||F",
        );
        assert!(
            json.contains(r#""valueCodeableConcept":{"text":"ー"}"#),
            "{json}"
        );
        assert!(crate::testing::reported(&out, "MAP218"));
        let (json, _) = converted(
            "OMP-12",
            "RAS^O17",
            "ORC|NW|000000000000071||000000000000071_01_001\nRXA|0|1|20260401100000|20260401103000|620007329^薬^HOT9|1|ML^ミリ^MR9P|||||10 2 ml/hr",
        );
        assert!(
            json.contains("10 2 ml/hr") && !json.contains("rateQuantity"),
            "{json}"
        );
    }

    #[test]
    fn an_order_time_that_is_none_is_kept_and_not_called_empty() {
        let (json, out) = converted(
            "OMP-01",
            "RDE^O11",
            "ORC|NW|000000000000061||000000000000061_01_001|||||2026/04/01\nRXE||620007329^薬^HOT9|1||TAB^錠^MR9P",
        );
        assert!(
            json.contains("2026/04/01") && crate::testing::reported(&out, "HL7113"),
            "{json}"
        );
        assert!(
            !out.diagnostics
                .iter()
                .any(|d| d.argument.as_deref() == Some("RXE-32, ORC-9"))
        );
    }

    #[test]
    fn the_fields_that_rows_read_are_those_of_the_tables() {
        let mut read = std::collections::BTreeMap::<[u8; 3], u64>::new();
        for row in crate::kinds::tables().flat_map(|t| t.rows) {
            let takes = match row.action {
                Action::Ignored(why) => matches!(why, Ignored::Redundant | Ignored::NotUsed),
                Action::Lost => false,
                _ => true,
            };
            let kept = !matches!(&row.segment, b"MSH" | b"XCN" | b"   " | b"PL-" | b"CDA");
            if takes && kept && (1..64).contains(&row.field) {
                *read.entry(row.segment).or_default() |= 1 << row.field;
            }
        }
        let read: Vec<_> = read.into_iter().collect();
        let line = |(name, bits): &([u8; 3], u64)| {
            format!("(*b\"{}\", {bits:#x}),\n", name.escape_ascii())
        };
        let lines = read.iter().map(line).collect::<Vec<_>>().concat();
        let taken: Vec<_> = TAKEN.iter().map(|t| (t.0, t.1)).collect();
        assert_eq!(taken, read, "TAKEN should have\n{lines}");
    }
}
