//! Mapping tables: static data, one row a field.

use warifu_diag::catalogue::map_general::MAP003;
use warifu_fhir::{Object, Resource, Row};
use warifu_hl7::{Part, Segment};
use warifu_order::Set;

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
    /// Says the same as another field that is mapped.
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
    /// Has no element in FHIR: kept in an extension ([`keep`]) and reported (MAP003). So is what has no
    /// row at all, in the segments that the table keeps.
    Lost,
}

/// A row of a table.
#[derive(Clone, Copy)]
pub struct MapRow {
    /// What readers of a trace see.
    pub row: Row,
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
    pub constants: Row,
    /// Rows, in the order in which they are run.
    pub rows: &'static [MapRow],
    /// Segments of which the table leaves nothing behind.
    pub keeps: &'static [Kept],
}

/// A segment of which a table keeps what its rows do not take.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    /// Name of the segment.
    pub segment: [u8; 3],
    /// A bit for each field that a row takes or leaves alone on purpose.
    pub taken: u64,
}

/// Fields of a segment that rows take or leave alone.
#[expect(clippy::indexing_slicing, reason = "the loop is bounded by the length")]
pub const fn taken(rows: &[MapRow], segment: [u8; 3]) -> u64 {
    let (mut taken, mut i) = (0, 0);
    while i < rows.len() {
        let row = &rows[i];
        let [a, b, c] = row.segment;
        let same = a == segment[0] && b == segment[1] && c == segment[2];
        if same && row.field < 64 && !matches!(row.action, Action::Lost) {
            taken |= 1 << row.field;
        }
        i += 1;
    }
    taken
}

/// The row of what has none.
static REST: Row = Row {
    table: "REST",
    source: "",
    target: "extension",
    ja: "変換先のない項目",
};

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

/// Declares a table: `"SOURCE" => "Target.element": action, "日本語名";`.
///
/// Actions: `map f`, `always f`, `part`, `ignored Reason`, `lost`. A source of `""` is a constant.
/// `keeps "PID"` behind the resource names segments of which nothing may be left behind.
#[macro_export]
macro_rules! table {
    ($(#[$m:meta])* $name:ident: $resource:literal $(keeps $($kept:literal),+)? { $($source:literal => $target:literal: $kind:ident $($arg:path)?, $ja:literal;)* }) => {
        $(#[$m])*
        pub static $name: $crate::table::Table = {
            const ROWS: &[$crate::table::MapRow] = &[$($crate::table::MapRow {
                row: warifu_fhir::Row { table: stringify!($name), source: $source, target: $target, ja: $ja },
                segment: $crate::table::source_segment($source),
                field: $crate::table::source_field($source),
                action: $crate::table!(@action $kind $($arg)?),
            }),*];
            $crate::table::Table {
                name: stringify!($name),
                resource: $resource,
                constants: warifu_fhir::Row { table: stringify!($name), source: "", target: $resource, ja: "定数" },
                rows: ROWS,
                keeps: &[$($($crate::table::Kept {
                    segment: $crate::table::source_segment($kept),
                    taken: $crate::table::taken(ROWS, $crate::table::source_segment($kept)),
                }),+)?],
            }
        };
    };
    (@action map $f:path) => { $crate::table::Action::Map($f) };
    (@action always $f:path) => { $crate::table::Action::Always($f) };
    (@action part) => { $crate::table::Action::Part };
    (@action ignored $r:path) => { $crate::table::Action::Ignored($r) };
    (@action lost) => { $crate::table::Action::Lost };
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
            Action::Part | Action::Ignored(_) | Action::Lost => continue,
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

/// Fields behind this one are of no segment of HL7: they are not kept, so that a hostile line does not
/// become a resource of a hundred times its size.
const LAST_KEPT: usize = 99;

/// Keeps what the rows of a table do not take of its segments; the same value of several segments once.
pub fn keep_rest<'a>(
    table: &'static Table,
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    segments: &[Segment<'a>],
) {
    let mut seen: Set<([u8; 3], usize, &'a [u8])> = Set::new();
    for s in segments {
        let Some(kept) = table.keeps.iter().find(|k| k.segment == s.name()) else {
            continue;
        };
        for (n, field) in s.fields().take(LAST_KEPT) {
            if (n < 64 && kept.taken >> n & 1 == 1) || !field.is_some() {
                continue;
            }
            let here = (s.name(), n, field.raw());
            if segments.len() > 1 && !seen.insert(here) {
                cx.used(&field);
                continue;
            }
            let row = table
                .rows
                .iter()
                .find(|row| row.segment == s.name() && usize::from(row.field) == n);
            let source = row.map_or_else(
                || format!("{}-{n}", s.name_str()),
                |row| row.row.source.to_owned(),
            );
            let before = r.row(Some(row.map_or(&REST, |row| &row.row)));
            keep(r, cx, source, field);
            r.row(before);
        }
    }
}

/// Keeps a field that has no element: an extension `urn:x-ssmix2:field:SEG-n` with the text of the field
/// as sent, delimiters included.
pub fn keep<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, source: String, field: Part<'a>) {
    r.object(warifu_fhir::element::EXTENSION, |o| kept(o, &source, field));
    cx.report_with(&MAP003, &field, source);
}

/// The members of the extension.
pub(crate) fn kept(o: &mut Object<'_>, source: &str, field: Part<'_>) {
    let v = field.text().trimmed();
    if !v.is_empty() {
        o.string("url", &["urn:x-ssmix2:field:", source].concat(), v.src());
        o.string("valueString", v.text, v.src());
    }
}
