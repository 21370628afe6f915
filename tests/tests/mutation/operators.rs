//! The ways a clean message, name or storage is broken: one function per operator, each yields every
//! place where it applies; the test chooses among them.

use std::ops::Range;

use crate::oracle::{self, CODED, Path};
use crate::sheet::{Segment, Sheet, split};

/// A clean file.
pub(crate) struct Case {
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) kind: String,
    pub(crate) sheet: Sheet,
    pub(crate) faults: oracle::Faults,
}

impl Case {
    pub(crate) fn new(path: &str, bytes: &[u8]) -> Self {
        Self {
            path: path.to_owned(),
            kind: Path::read(path).name.get(2).cloned().unwrap_or_default(),
            sheet: Sheet::read(bytes),
            faults: oracle::faults(path, bytes),
            bytes: bytes.to_vec(),
        }
    }
    fn text(&self, range: Range<usize>) -> &str {
        std::str::from_utf8(&self.bytes[range]).unwrap_or("")
    }
    fn is_filled(&self, range: &Range<usize>) -> bool {
        let text = &self.bytes[range.clone()];
        !text.is_empty() && text != b"\"\"" && !text.iter().all(|b| b"^~&".contains(b))
    }
    /// A component of the first repetition; empty at the end of the field where it is not sent.
    fn comp(&self, field: Range<usize>, n: usize) -> Range<usize> {
        let first = split(&self.bytes, field, b'~').swap_remove(0);
        let parts = split(&self.bytes, first.clone(), b'^');
        parts.get(n - 1).cloned().unwrap_or(first.end..first.end)
    }
    fn named<'a>(&'a self, names: &'a [&'a str]) -> impl Iterator<Item = &'a Segment> {
        let named = |s: &&Segment| names.contains(&s.name.as_str());
        self.sheet.segments.iter().filter(named)
    }
    fn path(&self) -> Path {
        Path::read(&self.path)
    }
    /// Fields of a segment with their row of the table of SS-MIX2.
    fn used<'a>(&'a self, s: &'a Segment) -> impl Iterator<Item = (oracle::Field, Range<usize>)> {
        let rows = oracle::fields(&s.name).map_or_else(Vec::new, |(_, rows)| rows);
        rows.into_iter()
            .map(|row| (row.clone(), s.field(row.n)))
            .filter(move |(row, range)| !(s.name == "MSH" && row.n <= 2) && self.is_filled(range))
    }
}

/// How exactly the finding has to say where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// At this byte, one byte before it (the end of the segment before), or in the segment here.
    Gap,
    /// In the segment.
    Segment,
    /// In the segment, in this field or one after it.
    From,
    /// In the field.
    Field,
    /// In the component.
    Component,
}

/// What is changed.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// These bytes of the file become others.
    Bytes(Range<usize>, Vec<u8>),
    /// The file gets another path.
    Path(String),
}

/// Where a finding is wanted.
#[derive(Debug, Clone)]
pub(crate) enum Want {
    /// At a byte of the mutant.
    At(usize, Depth),
    /// At one of several bytes, where the fault lies between them.
    Any(Vec<(usize, Depth)>),
    /// At this byte or in one of the two segments from here on, by a finding that names the segment.
    Missing(usize, String),
    /// About the file's name or folders, by a code that names the part.
    Name(&'static [&'static str]),
}

/// A clean file with one fault.
#[derive(Debug, Clone)]
pub(crate) struct Mutant {
    /// Where, without content: `OML-11 OBX-3`.
    pub(crate) label: String,
    pub(crate) change: Change,
    pub(crate) want: Want,
}

/// An operator on one file.
pub(crate) struct Operator {
    pub(crate) name: &'static str,
    /// Whether the fault is one of the profile `strict` only.
    pub(crate) strict: bool,
    /// How the codes begin that name the fault; empty where the place alone is known.
    pub(crate) codes: &'static [&'static str],
    pub(crate) run: fn(&Case, &mut Vec<Mutant>),
}

impl Operator {
    /// Only findings of these codes count.
    const fn by(mut self, codes: &'static [&'static str]) -> Self {
        self.codes = codes;
        self
    }
}

/// Replaces a range; the finding is wanted where the new bytes begin.
fn replace(c: &Case, place: &str, range: Range<usize>, with: &[u8], depth: Depth) -> Mutant {
    let want = Want::At(range.start, depth);
    Mutant {
        label: format!("{} {place}", c.kind),
        change: Change::Bytes(range, with.to_vec()),
        want,
    }
}

const fn op(name: &'static str, run: fn(&Case, &mut Vec<Mutant>)) -> Operator {
    Operator {
        name,
        strict: false,
        codes: &[],
        run,
    }
}

const fn strict(name: &'static str, run: fn(&Case, &mut Vec<Mutant>)) -> Operator {
    Operator {
        name,
        strict: true,
        codes: &[],
        run,
    }
}

/// Segments that are missing, foreign, too many or elsewhere.
const ORDER: &[&str] = &["HL7112", "HL7115", "HL7116", "HL7117", "HL7128"];

/// All operators on one file, with what names their fault.
#[rustfmt::skip]
pub(crate) const OPERATORS: &[Operator] = &[
    op("drop-segment", drop_segment).by(&["HL7115"]),
    op("swap-segments", swap_segments).by(ORDER),
    op("move-segment-to-end", move_segment).by(ORDER),
    op("duplicate-segment", duplicate_segment).by(&["HL7112", "HL7115", "HL7117"]),
    op("foreign-segment", foreign_segment).by(ORDER),
    op("rename-segment", rename_segment).by(&["HL7132"]),
    op("terminator-lost", glued_segments).by(&["HL7131"]),
    op("cut-file", cut_file).by(&["ENC101", "ENC115"]),
    strict("field-moved-right", field_right),
    strict("field-moved-left", field_left),
    op("month-13", |c, out| times(c, out, |t| Some(format!("{}13{}", &t[..4], &t[6..])))).by(&["HL7221"]),
    op("day-not-in-calendar", |c, out| times(c, out, |t| Some(format!("{}0230{}", &t[..4], &t[8..])))).by(&["HL7221"]),
    op("era-date", |c, out| times(c, out, |t| Some(format!("R08{}", &t[4..8])))).by(&["HL7222"]),
    op("date-with-separators", |c, out| times(c, out, |t| Some(format!("{}/{}/{}", &t[..4], &t[4..6], &t[6..8])))).by(&["HL7226"]),
    op("hour-or-minute-out-of-range", |c, out| times(c, out, |t| (t.len() >= 12).then(|| format!("{}0971{}", &t[..8], &t[12..])))).by(&["HL7225"]),
    op("filler-date", |c, out| times(c, out, |_| Some("99999999".to_owned()))).by(&["HL7224"]),
    op("date-one-digit-short", |c, out| times(c, out, |t| Some(t[..7].to_owned()))).by(&["HL7220", "HL7223"]),
    op("number-with-letter", |c, out| numbers(c, out, b"1O")).by(&["HL7201", "HL7204", "SSM644"]),
    op("number-full-width", |c, out| numbers(c, out, b"\x1b$B#1#2\x1b(B")).by(&["HL7202"]),
    op("number-with-comma", |c, out| numbers(c, out, b"1,000")).by(&["HL7203"]),
    op("number-with-sign-of-comparison", |c, out| numbers(c, out, b"<5")).by(&["HL7201", "SSM645"]),
    op("half-a-kanji", half_kanji).by(&["ENC115"]),
    op("blank-among-kanji", blank_among_kanji).by(&["ENC115"]),
    op("escape-to-ascii-dropped", |c, out| escape(c, out, b"\x1b(B", b"")).by(&["ENC1"]),
    op("escape-to-kanji-dropped", |c, out| escape(c, out, b"\x1b$B", b"")).by(&["ENC1"]),
    op("escape-bytes-lost", escape_bytes).by(&["ENC120"]),
    op("escape-sequence-unknown", |c, out| escape(c, out, b"\x1b$B", b"\x1b$A")).by(&["ENC102"]),
    op("half-width-kana", |c, out| kanji(c, out, b"\x1b(I6@\x1b(B")).by(&["ENC107"]),
    op("vendor-character", |c, out| kanji(c, out, b"\x1b$B-!\x1b(B")).by(&["ENC105"]),
    op("user-defined-character", |c, out| kanji(c, out, b"\x1b$B~!\x1b(B")).by(&["ENC104", "ENC111"]),
    op("byte-of-another-charset", |c, out| kanji(c, out, b"\x1b$B\x8b\x8d\x1b(B")).by(&["ENC115"]),
    op("control-character", |c, out| kanji(c, out, b"\x07")).by(&["ENC114"]),
    op("hl7-escape-unknown", |c, out| kanji(c, out, b"\\Q\\")).by(&["HL7109"]),
    op("hl7-formatting-unknown", |c, out| kanji(c, out, b"\\.brx\\")).by(&["HL7109"]),
    op("hl7-escape-not-closed", |c, out| kanji(c, out, b"\\F")).by(&["HL7109"]),
    op("terminator", terminator).by(&["HL7104"]),
    op("wrong-table-value", table_value).by(&["HL73"]),
    op("wrong-coded-table-value", coded_value).by(&["HL73", "SSM3"]),
    op("value-too-long", too_long).by(&["HL7121"]),
    op("required-field-emptied", required).by(&["SSM201"]),
    op("conditional-field-emptied", |c, out| conditional(c, out, false)).by(&["SSM206", "SSM601", "SSM641", "SSM642", "SSM150"]),
    strict("conditional-field-emptied-strict", |c, out| conditional(c, out, true)).by(&["SSM207"]),
    strict("unused-field-filled", unused).by(&["SSM204"]),
    op("field-beyond-the-segment", beyond).by(&["HL7120"]),
    op("too-many-components", components).by(&["HL7123", "HL7124"]),
    op("repetition-of-a-single-value", repetition).by(&["HL7122"]),
    op("result-with-components", |c, out| results(c, out, b"^2", &["NM", "ST", "DT", "TM"])).by(&["HL7124"]),
    op("result-with-subcomponents", |c, out| results(c, out, b"&2", &["NM"])).by(&["HL7124"]),
    op("number-repeated", |c, out| results(c, out, b"~2", &["NM"])).by(&["HL7122"]),
    op("insurer-check-digit", insurer).by(&["SSM551", "SSM554"]),
    op("insurer-number-length", insurer_length).by(&["SSM552", "SSM554"]),
    op("insurer-number-of-another-length", insurer_kind).by(&["SSM552", "SSM554"]),
    op("coverage-twice", coverage_twice).by(&["SSM561"]),
    op("two-patient-ids", two_ids).by(&["SSM537"]),
    op("department-code", department).by(&["HL7334"]),
    op("coding-system-of-another-table", other_table).by(&["SSM428"]),
    op("coding-system-misspelt", misspelt_system).by(&["SSM429"]),
    op("day-before-birth", before_birth).by(&["SSM538"]),
    op("flag-against-range", flag_against_range).by(&["SSM649"]),
    op("institution-check-digit", institution).by(&["SSM145"]),
    op("postal-code", postal_code).by(&["SSM521"]),
    op("jlac10-shape", |c, out| codes(c, out, &["JC10"], &[shorten, hyphens, lengthen])).by(&["SSM40"]),
    op("drug-code-shape", |c, out| codes(c, out, &["HOT9", "HOT7", "YJ"], &[shorten, hyphens, lengthen])).by(&["SSM410", "SSM411"]),
    op("icd10-shape", |c, out| codes(c, out, &["I10"], &[digits_first, lengthen_much, letters_after, lengthen_with_hyphen])).by(&["SSM412"]),
    op("medis-disease-number", |c, out| codes(c, out, &["MDCDX2"], &[shorten, hyphens, lengthen, exchange_code])).by(&["SSM413"]),
    op("code-with-wide-blank", |c, out| codes(c, out, &["JC10", "HOT9", "HOT7", "YJ", "I10", "MDCDX2"], &[blank_before, blank_behind])).by(&["SSM431"]),
    op("usage-code-shape", usage_code).by(&["SSM415"]),
    op("unit-spelling", unit).by(&["SSM44"]),
    op("folder-level-1", |c, out| folder(c, out, 0, "99X", &["SSM120"])),
    op("folder-level-2", |c, out| folder(c, out, 1, "99X", &["SSM121"])),
    op("folder-level-2-absent", |c, out| folder_absent(c, out, 1)),
    op("folder-patient", |c, out| folder(c, out, 2, "0009990007", &["SSM122"])),
    op("folder-date", |c, out| folder(c, out, 3, "20240229", &["SSM123"])),
    op("folder-kind", |c, out| folder(c, out, 4, if c.kind == "OMD" { "OML-01" } else { "OMD" }, &["SSM124"])),
    op("name-patient", |c, out| name(c, out, 0, |_| "0009990007".to_owned(), &["SSM122"])),
    op("name-date", |c, out| name(c, out, 1, |_| "20240229".to_owned(), &["SSM123"])),
    op("name-date-not-in-calendar", name_day),
    op("name-kind", |c, out| name(c, out, 2, |own| if own == "OMD" { "OML-01" } else { "OMD" }.to_owned(), &["SSM124"])),
    op("name-order-number-length", |c, out| name(c, out, 3, |own| own[2..].to_owned(), &["SSM132"])),
    op("name-order-number-letters", |c, out| name(c, out, 3, |own| format!("A{}", &own[1..]), &["SSM133"])),
    op("name-order-number-of-another-kind", order_of_kind),
    op("name-timestamp-length", |c, out| name(c, out, 4, |own| own[..15].to_owned(), &["SSM136"])),
    op("name-timestamp-not-in-calendar", |c, out| name(c, out, 4, |own| format!("{}1399{}", &own[..4], &own[8..]), &["SSM137"])),
    op("name-department", |c, out| name(c, out, 5, |_| "LONG".to_owned(), &["SSM139"])),
    op("name-department-absent", |c, out| name_part_absent(c, out, 5, &["SSM138"])),
    op("name-flag", |c, out| name(c, out, 6, |_| "7".to_owned(), &["SSM101"])),
    op("name-part-absent", |c, out| name_part_absent(c, out, 3, &["SSM101"])),
    op("message-of-another-patient", other_patient).by(&["SSM103"]),
    op("message-of-another-day", other_day).by(&["SSM107"]),
    op("message-of-another-order", other_order).by(&["SSM112"]),
    op("message-of-another-time", other_time).by(&["SSM151"]),
    op("event-of-another-kind", |c, out| header(c, out, 9, 2, b"A99")).by(&["SSM106"]),
    op("message-type", |c, out| header(c, out, 9, 1, b"XXX")).by(&["SSM106"]),
    op("message-structure-id", |c, out| header(c, out, 9, 3, b"ADT_A99")).by(&["SSM161"]),
    op("hl7-version", |c, out| header(c, out, 12, 1, b"2.3")).by(&["SSM152"]),
    op("charset-declaration", charset).by(&["SSM153", "ENC116"]),
    op("charset-scheme", |c, out| header(c, out, 20, 1, b"FOO")).by(&["SSM154"]),
    op("encoding-characters", |c, out| header(c, out, 2, 1, b"^~\\#")).by(&["HL7107"]),
    op("end-before-begin", reversed).by(&["SSM556", "SSM611", "SSM628", "SSM672", "SSM691"]),
    op("time-after-the-message", future).by(&["SSM531", "SSM606", "SSM629", "SSM652", "SSM655", "SSM696", "SSM699"]),
    op("request-number-differs", request_number).by(&["SSM604"]),
];

/// Segments that messages cannot do without, for most kinds.
const NEEDED: &[&str] = &[
    "EVN", "PID", "ORC", "RXE", "RXR", "SPM", "OBR", "RXA", "PRB", "IPC",
];

fn end_of(c: &Case, s: &Segment) -> usize {
    (s.span.end + 1).min(c.bytes.len())
}

fn drop_segment(c: &Case, out: &mut Vec<Mutant>) {
    let list = &c.sheet.segments;
    for (i, s) in list.iter().enumerate() {
        let beside = |n: Option<usize>| {
            n.and_then(|n| list.get(n))
                .is_some_and(|o| o.name == s.name)
        };
        let alone = !beside(i.checked_sub(1)) && !beside(Some(i + 1));
        let needed = NEEDED.contains(&s.name.as_str())
            || (s.name == "PV1" && c.kind.starts_with("ADT") && c.kind != "ADT-61")
            || (s.name == "TQ1"
                && matches!(
                    c.kind.as_str(),
                    "OMP-01" | "OMP-02" | "OMG-01" | "OMG-02" | "OMG-03"
                ));
        // The last disease or administration of several can be missed by nobody.
        let only = list.iter().filter(|o| o.name == s.name).count() == 1;
        if needed
            && alone
            && (only || s.name != "PRB")
            && !(s.name == "ORC" && matches!(c.kind.as_str(), "OML-11" | "PPR-01" | "OMG-13"))
        {
            let mut mutant = replace(c, &s.name, s.span.start..end_of(c, s), b"", Depth::Gap);
            mutant.want = Want::Missing(s.span.start, s.name.clone());
            out.push(mutant);
        }
    }
}

/// Segments of which a message may have several in a row, or that may stand anywhere.
const LOOSE: &[&str] = &["NTE", "OBX", "ZI1", "TQ1"];

fn swap_segments(c: &Case, out: &mut Vec<Mutant>) {
    for pair in c.sheet.segments.windows(2) {
        let [a, b] = pair else { continue };
        if a.name == b.name || LOOSE.contains(&a.name.as_str()) || LOOSE.contains(&b.name.as_str())
        {
            continue;
        }
        let mut with = c.bytes[b.span.start..end_of(c, b)].to_vec();
        with.extend_from_slice(&c.bytes[a.span.start..end_of(c, a)]);
        let place = format!("{} {}", a.name, b.name);
        let mut mutant = replace(c, &place, a.span.start..end_of(c, b), &with, Depth::Gap);
        let behind = a.span.start + (end_of(c, b) - b.span.start);
        // Before, between or right behind the two.
        let places = [a.span.start, behind, end_of(c, b)];
        mutant.want = Want::Any(places.map(|at| (at, Depth::Gap)).to_vec());
        out.push(mutant);
    }
}

fn move_segment(c: &Case, out: &mut Vec<Mutant>) {
    let last = c.sheet.segments.last().unwrap();
    for s in c.named(&["EVN", "PID", "PV1", "PV2", "SPM", "NK1", "DB1"]) {
        if s.span == last.span || s.name == last.name {
            continue;
        }
        let own = &c.bytes[s.span.start..end_of(c, s)];
        let mut with = c.bytes[end_of(c, s)..].to_vec();
        with.extend_from_slice(own);
        let mut mutant = replace(c, &s.name, s.span.start..c.bytes.len(), &with, Depth::Gap);
        let behind = c.bytes.len() - own.len();
        mutant.want = Want::Any(vec![(s.span.start, Depth::Gap), (behind, Depth::Gap)]);
        out.push(mutant);
    }
}

fn duplicate_segment(c: &Case, out: &mut Vec<Mutant>) {
    for s in c.named(&[
        "EVN", "PID", "PV1", "PV2", "RXE", "OBR", "SPM", "ORC", "ZPR",
    ]) {
        // A diet order without a diet, a battery without results: HL7 has them.
        let lone = matches!(
            (c.kind.as_str(), s.name.as_str()),
            ("OMD" | "PPR-01", "ORC") | ("OML-11" | "OMG-13", "OBR")
        );
        if lone {
            continue;
        }
        let own = c.bytes[s.span.start..end_of(c, s)].to_vec();
        let at = end_of(c, s);
        out.push(replace(c, &s.name, at..at, &own, Depth::Gap));
    }
}

fn foreign_segment(c: &Case, out: &mut Vec<Mutant>) {
    let foreign: &[u8] = if c.kind.starts_with("ADT") {
        b"RXC|A|107750603^X^HOT9|1|BAG^X^MR9P\r"
    } else {
        b"EVN||20260401093000\r"
    };
    for s in c.named(&["PV1", "PID", "ORC", "OBX", "RXE"]) {
        // Behind the order of a disease any detail may stand.
        if (c.kind.as_str(), s.name.as_str()) == ("PPR-01", "ORC") {
            continue;
        }
        let at = end_of(c, s);
        out.push(replace(c, &s.name, at..at, foreign, Depth::Segment));
    }
}

fn rename_segment(c: &Case, out: &mut Vec<Mutant>) {
    for s in c.named(NEEDED) {
        let at = s.span.start;
        out.push(replace(c, &s.name, at..at + 3, b"QQQ", Depth::Segment));
    }
}

/// Two segments become one: their terminator is lost, or becomes a blank. Where the last field ends in a
/// letter, the name would be part of its word.
fn glued_segments(c: &Case, out: &mut Vec<Mutant>) {
    for pair in c.sheet.segments.windows(2) {
        let [before, after] = pair else { continue };
        if before.span.end + 1 != after.span.start || after.name == "NTE" {
            continue;
        }
        let last = before.fields.last().cloned().unwrap_or_default();
        let at = before.span.end..after.span.start;
        for with in [&b" "[..], b""] {
            if with.is_empty() && c.bytes[at.start - 1].is_ascii_alphabetic() {
                continue;
            }
            let mut mutant = replace(c, &before.name, at.clone(), with, Depth::Field);
            mutant.want = Want::At(last.start, Depth::Field);
            out.push(mutant);
        }
    }
}

/// The file ends in the middle of a character.
fn cut_file(c: &Case, out: &mut Vec<Mutant>) {
    for (at, place) in wide_runs(c) {
        let mut mutant = replace(c, &place, at.start + 4..c.bytes.len(), b"", Depth::Field);
        mutant.want = Want::At(at.start, Depth::Field);
        out.push(mutant);
    }
}

fn field_right(c: &Case, out: &mut Vec<Mutant>) {
    for s in &c.sheet.segments {
        for (row, range) in c.used(s) {
            if s.name == "MSH" && row.n < 7 {
                continue;
            }
            let at = range.start;
            out.push(replace(
                c,
                &format!("{}-{}", s.name, row.n),
                at..at,
                b"|",
                Depth::From,
            ));
        }
    }
}

fn field_left(c: &Case, out: &mut Vec<Mutant>) {
    for s in &c.sheet.segments {
        for n in 2..s.fields.len().saturating_sub(1) {
            let (own, next) = (s.field(n), s.field(n + 1));
            if own.is_empty() && c.is_filled(&next) && s.name != "MSH" {
                let label = format!("{}-{}", s.name, n + 1);
                out.push(replace(
                    c,
                    &label,
                    own.start..own.start + 1,
                    b"",
                    Depth::From,
                ));
            }
        }
    }
}

/// Components that are times, with the field they stand in.
fn time_parts(c: &Case) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    for s in &c.sheet.segments {
        for (row, range) in c.used(s) {
            let observed = s.name == "OBX" && row.n == 5 && c.text(s.field(2)) == "TS";
            let part = c.comp(range, 1);
            let timed = observed
                || (matches!(row.datatype, "TS" | "DT" | "DR") && row.n != 17
                    || (s.name == "SPM" && row.n == 17));
            if timed && part.len() >= 8 {
                found.push((format!("{}-{}", s.name, row.n), part));
            }
        }
    }
    found
}

fn times(c: &Case, out: &mut Vec<Mutant>, broken: impl Fn(&str) -> Option<String>) {
    for (label, part) in time_parts(c) {
        if let Some(with) = broken(c.text(part.clone())) {
            out.push(replace(c, &label, part, with.as_bytes(), Depth::Component));
        }
    }
}

fn numbers(c: &Case, out: &mut Vec<Mutant>, with: &[u8]) {
    for s in &c.sheet.segments {
        for (row, range) in c.used(s) {
            let observed = s.name == "OBX" && row.n == 5 && c.text(s.field(2)) == "NM";
            if observed || matches!(row.datatype, "NM" | "CQ") {
                let part = c.comp(range, 1);
                if !part.is_empty() {
                    let label = format!("{}-{}", s.name, row.n);
                    out.push(replace(c, &label, part, with, Depth::Component));
                }
            }
        }
    }
}

/// Runs of double-byte text, escapes included, with the field they stand in.
fn wide_runs(c: &Case) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    for s in &c.sheet.segments {
        for (n, field) in s.fields.iter().enumerate().skip(1) {
            let mut at = field.start;
            while at < field.end {
                if c.bytes[at..field.end].starts_with(b"\x1b$B") {
                    let len = c.bytes[at..field.end]
                        .windows(3)
                        .position(|w| w == b"\x1b(B");
                    let Some(len) = len else { break };
                    found.push((at..at + len + 3, format!("{}-{n}", s.name)));
                    at += len + 3;
                } else {
                    at += 1;
                }
            }
        }
    }
    found
}

/// A blank behind the first character of double-byte text.
fn blank_among_kanji(c: &Case, out: &mut Vec<Mutant>) {
    for (run, place) in wide_runs(c) {
        let at = run.start + 5;
        out.push(replace(c, &place, at..at, b" ", Depth::Component));
    }
}

fn half_kanji(c: &Case, out: &mut Vec<Mutant>) {
    for (i, (run, place)) in wide_runs(c).into_iter().enumerate() {
        // One half of the first or of the last character.
        let at = if i % 2 == 0 {
            run.start + 3
        } else {
            run.end - 4
        };
        let mut mutant = replace(c, &place, at..at + 1, b"", Depth::Component);
        mutant.want = Want::At(run.start, Depth::Component);
        out.push(mutant);
    }
}

fn escape(c: &Case, out: &mut Vec<Mutant>, from: &[u8], to: &[u8]) {
    for (run, place) in wide_runs(c) {
        let at = if from == b"\x1b(B" {
            run.end - 3
        } else {
            run.start
        };
        // Without the escape delimiters can appear among the characters that follow.
        let mut mutant = replace(c, &place, at..at + 3, to, Depth::From);
        mutant.want = Want::At(run.start, Depth::From);
        out.push(mutant);
    }
}

/// Both escape bytes of a run are dropped on the way, or the first.
fn escape_bytes(c: &Case, out: &mut Vec<Mutant>) {
    for (i, (run, place)) in wide_runs(c).into_iter().enumerate() {
        let mut with = c.bytes[run.start + 1..run.end].to_vec();
        if i % 2 == 0 {
            let second = with.len() - 3;
            with.remove(second);
        }
        out.push(replace(c, &place, run, &with, Depth::From));
    }
}

/// Puts something before the first character of a Japanese text.
fn kanji(c: &Case, out: &mut Vec<Mutant>, with: &[u8]) {
    for (run, place) in wide_runs(c) {
        out.push(replace(
            c,
            &place,
            run.start..run.start,
            with,
            Depth::Component,
        ));
    }
}

fn terminator(c: &Case, out: &mut Vec<Mutant>) {
    let swapped = |to: &[u8]| {
        let mut all = Vec::new();
        for b in &c.bytes {
            if *b == b'\r' {
                all.extend_from_slice(to);
            } else {
                all.push(*b);
            }
        }
        all
    };
    let first = c.sheet.segments[0].span.end;
    for (name, to) in [("LF", &b"\n"[..]), ("CRLF", &b"\r\n"[..])] {
        let mut mutant = replace(c, name, 0..c.bytes.len(), &swapped(to), Depth::Gap);
        mutant.want = Want::At(first, Depth::Gap);
        out.push(mutant);
    }
    let second = c.sheet.segments[1].span.end;
    out.push(replace(c, "one LF", second..second + 1, b"\n", Depth::Gap));
}

fn table_value(c: &Case, out: &mut Vec<Mutant>) {
    for s in &c.sheet.segments {
        for (name, n, _) in CODED {
            let field = s.field(*n);
            if s.name == *name && c.is_filled(&field) {
                let label = format!("{}-{n}", s.name);
                out.push(replace(c, &label, field, b"Y", Depth::Component));
            }
        }
    }
}

/// Coded values: label, code, system.
fn coded(c: &Case) -> Vec<(String, Range<usize>, String)> {
    let mut found = Vec::new();
    for s in &c.sheet.segments {
        for (row, range) in c.used(s) {
            if !matches!(row.datatype, "CWE" | "CNE") {
                continue;
            }
            for n in [1, 4] {
                let (code, system) = (c.comp(range.clone(), n), c.comp(range.clone(), n + 2));
                if !code.is_empty() && !system.is_empty() {
                    let system = c.text(system).to_owned();
                    found.push((format!("{}-{}.{n}", s.name, row.n), code, system));
                }
            }
        }
    }
    found
}

fn coded_value(c: &Case, out: &mut Vec<Mutant>) {
    for (label, code, system) in coded(c) {
        if oracle::table_of(&system).is_some() {
            out.push(replace(c, &label, code, b"ZQ", Depth::Component));
        }
    }
}

fn too_long(c: &Case, out: &mut Vec<Mutant>) {
    for s in &c.sheet.segments {
        for (row, range) in c.used(s) {
            let plain = matches!(
                row.datatype,
                "ST" | "IS" | "ID" | "SI" | "NM" | "EI" | "CWE" | "XON" | "XPN" | "XCN"
            );
            if !plain || row.length > 500 || s.name == "MSH" {
                continue;
            }
            let first = c.comp(range, 1);
            let with: Vec<u8> = std::iter::repeat_n(b'1', row.length.max(250) + 20).collect();
            let label = format!("{}-{}", s.name, row.n);
            out.push(replace(
                c,
                &label,
                first.start..first.start,
                &with,
                Depth::Field,
            ));
        }
    }
}

fn required(c: &Case, out: &mut Vec<Mutant>) {
    for s in &c.sheet.segments {
        for (row, range) in c.used(s) {
            if row.usage(&c.kind) == "R" {
                let label = format!("{}-{}", s.name, row.n);
                out.push(replace(c, &label, range, b"", Depth::Field));
            }
        }
    }
}

fn conditional(c: &Case, out: &mut Vec<Mutant>, strict: bool) {
    for s in &c.sheet.segments {
        for (row, range) in c.used(s) {
            if oracle::CONDITIONS.iter().any(|(place, kinds, rare)| {
                *rare == strict
                    && *place == format!("{}-{}", s.name, row.n)
                    && kinds.split(' ').any(|k| k == c.kind)
            }) {
                let label = format!("{}-{}", s.name, row.n);
                out.push(replace(c, &label, range, b"", Depth::Field));
            }
        }
    }
}

fn unused(c: &Case, out: &mut Vec<Mutant>) {
    for s in &c.sheet.segments {
        let Some((count, rows)) = oracle::fields(&s.name) else {
            continue;
        };
        for n in 2..=count {
            let row = rows.iter().find(|r| r.n == n);
            let idle = row.is_none_or(|r| r.usage(&c.kind).is_empty());
            if !idle || s.name == "MSH" || s.name == "OBX" {
                continue;
            }
            let label = format!("{}-{n}", s.name);
            if n < s.fields.len() {
                let field = s.field(n);
                if field.is_empty() {
                    out.push(replace(c, &label, field, b"1", Depth::Field));
                }
            } else if n % 7 == 0 {
                let mut with = vec![b'|'; n + 1 - s.fields.len()];
                let at = s.span.end;
                with.push(b'1');
                let mut mutant = replace(c, &label, at..at, &with, Depth::Field);
                mutant.want = Want::At(at + with.len() - 1, Depth::Field);
                out.push(mutant);
            }
        }
    }
}

fn beyond(c: &Case, out: &mut Vec<Mutant>) {
    for s in c.sheet.segments.iter().skip(1) {
        let Some((count, _)) = oracle::fields(&s.name) else {
            continue;
        };
        let mut with = vec![b'|'; (count + 2).saturating_sub(s.fields.len())];
        let at = s.span.end;
        with.push(b'X');
        let mut mutant = replace(c, &s.name, at..at, &with, Depth::Field);
        mutant.want = Want::At(at + with.len() - 1, Depth::Field);
        out.push(mutant);
    }
}

fn components(c: &Case, out: &mut Vec<Mutant>) {
    for s in &c.sheet.segments {
        for (row, range) in c.used(s) {
            let most = match row.datatype {
                "SI" | "NM" | "ST" | "ID" | "IS" | "DT" => 1,
                "CWE" | "CNE" => 9,
                "EI" => 4,
                _ => continue,
            };
            if s.name == "MSH" || s.name == "OBX" && row.n == 5 {
                continue;
            }
            let have = split(&c.bytes, range.clone(), b'^').len();
            let mut with = vec![b'^'; most + 1 - have.min(most)];
            with.push(b'X');
            let at = range.end;
            let label = format!("{}-{}", s.name, row.n);
            out.push(replace(c, &label, at..at, &with, Depth::Field));
        }
    }
}

fn repetition(c: &Case, out: &mut Vec<Mutant>) {
    for s in &c.sheet.segments {
        for (row, range) in c.used(s) {
            if oracle::is_alone(&s.name, row.n) {
                let mut with = vec![b'~'];
                with.extend_from_slice(&c.bytes[range.clone()]);
                let at = range.end;
                let label = format!("{}-{}", s.name, row.n);
                out.push(replace(c, &label, at..at, &with, Depth::Field));
            }
        }
    }
}

/// Results of these types get something added behind them.
fn results(c: &Case, out: &mut Vec<Mutant>, with: &[u8], types: &[&str]) {
    for s in c.named(&["OBX"]) {
        let (kind, range) = (c.text(s.field(2)), s.field(5));
        if types.contains(&kind) && c.is_filled(&range) {
            let label = format!("OBX-5 {kind}");
            let mut mutant = replace(c, &label, range.end..range.end, with, Depth::Field);
            mutant.want = Want::At(range.start, Depth::Field);
            out.push(mutant);
        }
    }
}

fn insurer(c: &Case, out: &mut Vec<Mutant>) {
    for s in c.named(&["IN1", "ZI1"]) {
        let number = c.comp(s.field(3), 1);
        if number.len() >= 6 {
            for add in [1, 4, 7] {
                let last = number.end - 1;
                let other = b'0' + (c.bytes[last] - b'0' + add) % 10;
                let label = format!("{}-3 +{add}", s.name);
                let mut mutant = replace(c, &label, last..last + 1, &[other], Depth::Component);
                mutant.want = Want::At(number.start, Depth::Component);
                out.push(mutant);
            }
        }
    }
}

fn insurer_length(c: &Case, out: &mut Vec<Mutant>) {
    for s in c.named(&["IN1", "ZI1"]) {
        let number = c.comp(s.field(3), 1);
        if number.len() >= 6 {
            let label = format!("{}-3", s.name);
            out.push(replace(
                c,
                &label,
                number.start..number.start + 1,
                b"",
                Depth::Component,
            ));
        }
    }
}

/// Six digits become eight and the other way round.
fn insurer_kind(c: &Case, out: &mut Vec<Mutant>) {
    for s in c.named(&["IN1", "ZI1"]) {
        let number = c.comp(s.field(3), 1);
        let (range, with): (_, &[u8]) = match number.len() {
            6 => (number.start..number.start, b"00"),
            8 => (number.start..number.start + 2, b""),
            _ => continue,
        };
        let mut mutant = replace(c, &format!("{}-3", s.name), range, with, Depth::Component);
        mutant.want = Want::At(number.start, Depth::Component);
        out.push(mutant);
    }
}

fn coverage_twice(c: &Case, out: &mut Vec<Mutant>) {
    for s in c.named(&["IN1"]) {
        let mut with = b"IN1|9|".to_vec();
        with.extend_from_slice(&c.bytes[s.field(2).start..end_of(c, s)]);
        let at = end_of(c, s);
        out.push(replace(c, "IN1", at..at, &with, Depth::Segment));
    }
}

fn two_ids(c: &Case, out: &mut Vec<Mutant>) {
    for s in c.named(&["PID"]) {
        // An id without a type may be of any, and another authority gives another id.
        let part = |n| c.text(c.comp(s.field(3), n));
        if (part(4), part(5)) == ("", "PI") {
            let (at, with) = (s.field(3).end, b"~0009990007^^^^PI");
            out.push(replace(c, "PID-3", at..at, with, Depth::Field));
        }
    }
}

fn department(c: &Case, out: &mut Vec<Mutant>) {
    for s in c.named(&["PV1"]) {
        let field = s.field(10);
        if c.is_filled(&field) {
            out.push(replace(c, "PV1-10", field.clone(), b"ZZ", Depth::Field));
            out.push(replace(c, "PV1-10", field, b"INTM", Depth::Field));
        }
    }
}

fn other_table(c: &Case, out: &mut Vec<Mutant>) {
    for s in &c.sheet.segments {
        for (name, n, table) in oracle::SYSTEMS {
            let system = c.comp(s.field(*n), 3);
            if s.name == *name && c.text(system.clone()) == format!("HL7{table}") {
                let label = format!("{name}-{n}");
                out.push(replace(c, &label, system, b"HL70391", Depth::Component));
            }
        }
    }
}

/// The last letter of a system's name is gone, or one is too many.
fn misspelt_system(c: &Case, out: &mut Vec<Mutant>) {
    for s in &c.sheet.segments {
        for (row, range) in c.used(s) {
            let system = c.comp(range, 3);
            let name = c.text(system.clone());
            if row.datatype != "CWE" || !oracle::is_misspelt(&format!("{name}0")) {
                continue;
            }
            let label = format!("{}-{} {name}", s.name, row.n);
            let end = system.end;
            out.push(replace(c, &label, end..end, b"0", Depth::Component));
        }
    }
}

fn before_birth(c: &Case, out: &mut Vec<Mutant>) {
    let Some(pid) = c.named(&["PID"]).next() else {
        return;
    };
    let birth = c.text(c.comp(pid.field(7), 1));
    let Some(year) = birth.get(..4).and_then(|y| y.parse::<u32>().ok()) else {
        return;
    };
    for (name, n) in oracle::IN_LIFE {
        for s in c.named(&[name]) {
            let time = c.comp(s.field(*n), 1);
            if time.len() >= 8 {
                let earlier = (year - 1).to_string();
                let mut mutant = replace(
                    c,
                    &format!("{name}-{n}"),
                    time.start..time.start + 4,
                    earlier.as_bytes(),
                    Depth::Field,
                );
                mutant.want = Want::At(time.start, Depth::Field);
                out.push(mutant);
            }
        }
    }
}

/// A value inside its range is flagged as high or low.
fn flag_against_range(c: &Case, out: &mut Vec<Mutant>) {
    let number = |t: &str| t.trim().parse::<f64>().ok();
    for s in c.named(&["OBX"]) {
        let (value, range) = (c.text(s.field(5)), c.text(s.field(7)));
        let Some((low, high)) = range.split_once('-') else {
            continue;
        };
        if let (Some(value), Some(low), Some(high)) = (number(value), number(low), number(high))
            && low < value
            && value < high
            && c.text(s.field(2)) == "NM"
        {
            for flag in [b"H", b"L"] {
                out.push(replace(c, "OBX-8", s.field(8), flag, Depth::Field));
            }
        }
    }
}

fn institution(c: &Case, out: &mut Vec<Mutant>) {
    let body = "131000001";
    let wrong = (oracle::check_digit(body) + 1 + c.bytes.len() as u32 % 9) % 10;
    let number = format!("{body}{wrong}");
    for (name, n) in [("MSH", 4), ("EVN", 7)] {
        for s in c.named(&[name]) {
            let range = c.comp(s.field(n), 1);
            if !range.is_empty() {
                let place = format!("{name}-{n}");
                out.push(replace(
                    c,
                    &place,
                    range,
                    number.as_bytes(),
                    Depth::Component,
                ));
            }
        }
    }
}

fn postal_code(c: &Case, out: &mut Vec<Mutant>) {
    for s in &c.sheet.segments {
        for (row, range) in c.used(s) {
            let zip = c.comp(range, 5);
            if row.datatype == "XAD" && zip.len() >= 7 {
                let label = format!("{}-{}", s.name, row.n);
                out.push(replace(
                    c,
                    &label,
                    zip.end - 1..zip.end,
                    b"",
                    Depth::Component,
                ));
                out.push(replace(
                    c,
                    &label,
                    zip.start..zip.start + 1,
                    b"A",
                    Depth::Component,
                ));
            }
        }
    }
}

type Spoil = fn(&str) -> String;

fn shorten(code: &str) -> String {
    code[..code.len() - 1].to_owned()
}
fn lengthen(code: &str) -> String {
    format!("{code}7")
}
fn lengthen_much(code: &str) -> String {
    format!("{code}1234")
}
fn blank_before(code: &str) -> String {
    format!("\x1b$B!!\x1b(B{code}")
}
fn blank_behind(code: &str) -> String {
    format!("{code}\x1b$B!!\x1b(B")
}
fn hyphens(code: &str) -> String {
    format!("{}--", &code[..code.len() - 2])
}
fn lengthen_with_hyphen(code: &str) -> String {
    format!("{code}-99")
}
fn letters_after(code: &str) -> String {
    format!("{}Q9", &code[..1])
}
fn exchange_code(_: &str) -> String {
    "K269".to_owned()
}
fn digits_first(code: &str) -> String {
    format!("1{}", &code[1..])
}

fn codes(c: &Case, out: &mut Vec<Mutant>, systems: &[&str], spoils: &[Spoil]) {
    // In physiology the analyte may stand alone.
    let partial = systems == ["JC10"] && c.kind.starts_with("OMG");
    for (label, code, system) in coded(c) {
        // Specimens have three characters of the same system; ZPR-4 to 6 hold exchange codes.
        let whole = !partial
            && !["SPM-4", "ZPR-4", "ZPR-5", "ZPR-6"]
                .iter()
                .any(|f| label.starts_with(f));
        if whole && systems.contains(&system.as_str()) {
            for (i, spoil) in spoils.iter().enumerate() {
                let with = spoil(c.text(code.clone()));
                let label = format!("{label} {i}");
                out.push(replace(
                    c,
                    &label,
                    code.clone(),
                    with.as_bytes(),
                    Depth::Component,
                ));
            }
        }
    }
}

fn usage_code(c: &Case, out: &mut Vec<Mutant>) {
    for s in c.named(&["TQ1"]) {
        let part = c.comp(s.field(3), 1);
        let inner = split(&c.bytes, part, b'&');
        if inner.len() == 3 && c.text(inner[2].clone()) == "JAMISDP01" && inner[0].len() == 16 {
            let code = inner[0].clone();
            out.push(replace(
                c,
                "TQ1-3 short",
                code.end - 1..code.end,
                b"",
                Depth::Component,
            ));
            out.push(replace(
                c,
                "TQ1-3 long",
                code.end..code.end,
                b"0",
                Depth::Component,
            ));
            out.push(replace(
                c,
                "TQ1-3 hyphen",
                code.start..code.start + 2,
                b"--",
                Depth::Component,
            ));
        }
    }
}

fn unit(c: &Case, out: &mut Vec<Mutant>) {
    for s in c.named(&["OBX"]) {
        let unit = c.comp(s.field(6), 1);
        let system = c.comp(s.field(6), 3);
        if unit.is_empty() || c.text(system) != "ISO+" {
            continue;
        }
        let text = c.text(unit.clone()).to_owned();
        if text.ends_with('L') {
            let with = format!("{}l", &text[..text.len() - 1]);
            out.push(replace(
                c,
                "OBX-6 l",
                unit.clone(),
                with.as_bytes(),
                Depth::Component,
            ));
        }
        // ｍｇ, and the sign for micro.
        if text.starts_with("mg") || text.starts_with("mm") {
            out.push(replace(
                c,
                "OBX-6 wide",
                unit.start..unit.start + 1,
                b"\x1b$B#m\x1b(B",
                Depth::Component,
            ));
        }
        if text.starts_with('u') {
            out.push(replace(
                c,
                "OBX-6 micro",
                unit.start..unit.start + 1,
                b"\x1b$B&L\x1b(B",
                Depth::Component,
            ));
        }
    }
}

fn renamed(c: &Case, place: &str, path: &Path, codes: &'static [&'static str]) -> Mutant {
    Mutant {
        label: format!("{} {place}", c.kind),
        change: Change::Path(path.text()),
        want: Want::Name(codes),
    }
}

fn folder(c: &Case, out: &mut Vec<Mutant>, n: usize, to: &str, codes: &'static [&'static str]) {
    let mut path = c.path();
    let dated = path.folders[3] != "-";
    if n != 3 || dated {
        to.clone_into(&mut path.folders[n]);
        if n == 2 {
            to[..3].clone_into(&mut path.folders[0]);
            to[3..6].clone_into(&mut path.folders[1]);
        }
        out.push(renamed(c, "folder", &path, codes));
    }
}

/// A level of folders is missing; where levels 1 and 2 are the same, a path may begin at level 2.
fn folder_absent(c: &Case, out: &mut Vec<Mutant>, n: usize) {
    let mut path = c.path();
    if path.folders[0] != path.folders[1] {
        path.folders.remove(n);
        out.push(renamed(c, "folder", &path, &["SSM121"]));
    }
}

fn name(
    c: &Case,
    out: &mut Vec<Mutant>,
    n: usize,
    to: fn(&str) -> String,
    codes: &'static [&'static str],
) {
    let mut path = c.path();
    if n == 1 && path.name[1] == "-" {
        return;
    }
    path.name[n] = to(&path.name[n]);
    out.push(renamed(c, "name", &path, codes));
}

fn name_day(c: &Case, out: &mut Vec<Mutant>) {
    let mut path = c.path();
    if path.name[1] != "-" {
        path.name[1] = format!("{}0231", &path.name[1][..4]);
        path.folders[3].clone_from(&path.name[1]);
        out.push(renamed(c, "name", &path, &["SSM126"]));
    }
}

fn name_part_absent(c: &Case, out: &mut Vec<Mutant>, n: usize, codes: &'static [&'static str]) {
    let mut path = c.path();
    path.name.remove(n);
    out.push(renamed(c, "name", &path, codes));
}

fn order_of_kind(c: &Case, out: &mut Vec<Mutant>) {
    let mut path = c.path();
    if c.kind == "PPR-01" {
        return;
    }
    let ordered = !c.kind.starts_with("ADT");
    path.name[3] = if ordered {
        "9".repeat(15)
    } else {
        "000000000000012".to_owned()
    };
    out.push(renamed(
        c,
        "name",
        &path,
        if ordered { &["SSM142"] } else { &["SSM143"] },
    ));
}

/// Another path for the same message: what the message says is now wrong.
fn repathed(c: &Case, out: &mut Vec<Mutant>, path: &Path, at: usize, depth: Depth, place: &str) {
    out.push(Mutant {
        label: format!("{} {place}", c.kind),
        change: Change::Path(path.text()),
        want: Want::At(at, depth),
    });
}

fn other_patient(c: &Case, out: &mut Vec<Mutant>) {
    for pid in c.named(&["PID"]) {
        let mut path = c.path();
        "0009990007".clone_into(&mut path.folders[2]);
        "000".clone_into(&mut path.folders[0]);
        "999".clone_into(&mut path.folders[1]);
        "0009990007".clone_into(&mut path.name[0]);
        repathed(c, out, &path, pid.field(3).start, Depth::Component, "PID-3");
    }
}

fn other_day(c: &Case, out: &mut Vec<Mutant>) {
    let care = oracle::KINDS
        .iter()
        .find(|row| row.0 == c.kind)
        .map_or(&[][..], |row| row.3);
    let Some((name, n)) = care.first().and_then(|f| f.split_once('-')) else {
        return;
    };
    let Some(s) = c.sheet.segments.iter().find(|s| s.name == name) else {
        return;
    };
    let field = s.field(n.parse().unwrap());
    if c.is_filled(&field) {
        let mut path = c.path();
        "20240229".clone_into(&mut path.folders[3]);
        "20240229".clone_into(&mut path.name[1]);
        repathed(c, out, &path, field.start, Depth::Component, care[0]);
    }
}

fn other_order(c: &Case, out: &mut Vec<Mutant>) {
    let mut path = c.path();
    let Some(orc) = c.sheet.segments.iter().find(|s| s.name == "ORC") else {
        return;
    };
    if path.name[3] != "9".repeat(15) {
        "000000999999123".clone_into(&mut path.name[3]);
        repathed(c, out, &path, orc.field(2).start, Depth::Component, "ORC-2");
    }
}

fn other_time(c: &Case, out: &mut Vec<Mutant>) {
    let seven = c.sheet.segments[0].field(7);
    // Hour, second, thousandth, as far as MSH-7 has them.
    for (at, label) in [(9, "hour"), (13, "second"), (16, "thousandth")] {
        if seven.len() > at + usize::from(at > 13) {
            let mut path = c.path();
            let other = if &path.name[4][at..=at] == "1" {
                "2"
            } else {
                "1"
            };
            path.name[4].replace_range(at..=at, other);
            repathed(c, out, &path, seven.start, Depth::Component, label);
        }
    }
}

fn header(c: &Case, out: &mut Vec<Mutant>, n: usize, component: usize, with: &[u8]) {
    let field = c.sheet.segments[0].field(n);
    let part = if n == 2 {
        field
    } else {
        c.comp(field, component)
    };
    if !part.is_empty() {
        // Where all of MSH-9 is judged, the field is named.
        let depth = if n == 9 && component < 3 || n == 2 {
            Depth::Field
        } else {
            Depth::Component
        };
        out.push(replace(c, &format!("MSH-{n}"), part, with, depth));
    }
}

fn charset(c: &Case, out: &mut Vec<Mutant>) {
    let field = c.sheet.segments[0].field(18);
    for (label, with) in [
        ("blank", &b"~ISOIR87"[..]),
        ("one", b"ISO IR87"),
        ("other", b"~ISO IR6"),
        ("utf-8", b"UNICODE UTF-8"),
        ("cp932", b"Shift_JIS"),
    ] {
        out.push(replace(c, label, field.clone(), with, Depth::Field));
    }
}

/// The end of a period gets the year before its beginning.
fn reversed(c: &Case, out: &mut Vec<Mutant>) {
    for (name, from, to) in [
        ("PV1", 44, 45),
        ("TQ1", 7, 8),
        ("RXA", 3, 4),
        ("PRB", 7, 9),
        ("IN1", 12, 13),
        ("ZI1", 12, 13),
    ] {
        for s in c.named(&[name]) {
            let (begin, end) = (c.comp(s.field(from), 1), c.comp(s.field(to), 1));
            if begin.len() >= 8 && end.len() >= 8 {
                let year: u32 = c.text(begin.start..begin.start + 4).parse().unwrap();
                let with = (year - 1).to_string();
                let range = end.start..end.start + 4;
                let mut mutant = replace(
                    c,
                    &format!("{name}-{to}"),
                    range,
                    with.as_bytes(),
                    Depth::Component,
                );
                mutant.want = Want::At(end.start, Depth::Component);
                out.push(mutant);
            }
        }
    }
}

/// Something recorded lies years after the message.
fn future(c: &Case, out: &mut Vec<Mutant>) {
    for (name, n) in [
        ("PID", 7),
        ("ORC", 9),
        ("SPM", 17),
        ("OBX", 14),
        ("RXA", 3),
        ("EVN", 2),
    ] {
        for s in c.named(&[name]) {
            let part = c.comp(s.field(n), 1);
            if part.len() >= 8 {
                let range = part.start..part.start + 4;
                out.push(replace(
                    c,
                    &format!("{name}-{n}"),
                    range,
                    b"2096",
                    Depth::Component,
                ));
            }
        }
    }
}

fn request_number(c: &Case, out: &mut Vec<Mutant>) {
    for s in c.named(&["OBR"]) {
        let part = c.comp(s.field(2), 1);
        if part.len() == 15 {
            out.push(replace(
                c,
                "OBR-2",
                part,
                b"000000987654321",
                Depth::Component,
            ));
        }
    }
}
