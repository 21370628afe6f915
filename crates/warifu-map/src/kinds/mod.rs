//! One module per group of data kinds; each holds its tables and the functions of their rows.

pub mod allergy;
pub mod condition;
pub mod coverage;
pub mod document;
pub mod encounter;
pub mod imaging;
pub mod laboratory;
pub mod medication;
pub mod nutrition;
pub(crate) mod observation;
pub mod patient;
pub mod patient_observation;
pub mod practitioner;
pub mod provenance;
pub mod vital;

use warifu_diag::FieldPath;
use warifu_diag::catalogue::enc::ENC116;
use warifu_diag::catalogue::hl7::{HL7108, HL7109, HL7112, HL7113, HL7119, HL7127};
use warifu_diag::catalogue::map_general::{MAP009, MAP017};
use warifu_diag::catalogue::ssm::{SSM106, SSM107, SSM112, SSM113, SSM153, SSM154};
use warifu_fhir::{Buffers, Id, Row, RowId, Src};
use warifu_hl7::Message;
use warifu_ssmix2::DataKind;

use crate::convert::Core;
use crate::cx::{Cx, Item, PatientContext};
use crate::output::Output;
use crate::table::{Ignored, MapRow, RowText, Table, Worded};

table! {
    /// MSH → Bundle. HL7 v2.5 §2.15.9; what only a Provenance takes is left alone without one.
    MSH_TO_BUNDLE: "Bundle" {
        "MSH-4" => "": ignored Ignored::Transport, "送信施設";
        "MSH-7" => "Bundle.timestamp": part, "メッセージ日時";
        "MSH-9" => "": ignored Ignored::Redundant, "メッセージ型";
        "MSH-10" => "": ignored Ignored::Transport, "メッセージ制御ID";
    }
}

/// Tables of this module.
pub static TABLES: &[Worded] = crate::worded![MSH_TO_BUNDLE];

/// All tables, for the documentation and the coverage tests.
pub fn tables() -> impl Iterator<Item = &'static Table> {
    all().map(|worded| worded.table)
}

/// All tables with the texts of their rows, for the trace.
pub fn all() -> impl Iterator<Item = Worded> {
    [
        TABLES,
        patient::TABLES,
        patient_observation::TABLES,
        practitioner::TABLES,
        coverage::TABLES,
        allergy::TABLES,
        condition::TABLES,
        encounter::TABLES,
        laboratory::TABLES,
        vital::TABLES,
        medication::TABLES,
        imaging::TABLES,
        nutrition::TABLES,
        document::TABLES,
        provenance::TABLES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Looks rows and their texts up; the table of the row before is kept at hand.
#[derive(Default)]
pub(crate) struct Words {
    table: Option<&'static Table>,
    texts: Vec<RowText>,
}

impl Words {
    fn of(&mut self, table: &str) -> Option<&'static Table> {
        if self.table.is_none_or(|t| t.name != table) {
            let worded = all().find(|worded| worded.table.name == table);
            self.table = worded.map(|worded| worded.table);
            self.texts.clear();
            self.texts
                .extend(worded.into_iter().flat_map(Worded::texts));
        }
        self.table
    }
    /// What readers of a trace see of a row.
    pub(crate) fn text(&mut self, row: &RowId) -> Row {
        let (target, ja) = match self.of(row.table) {
            Some(table) if row.n == RowId::TABLE => (table.resource, "定数"),
            Some(_) => {
                let text = self.texts.get(usize::from(row.n));
                text.copied().unwrap_or_default()
            }
            // What stands in no table: `REST`.
            None => ("extension", "変換先のない項目"),
        };
        Row {
            table: row.table,
            source: row.source,
            target,
            ja,
        }
    }
    /// The row of a table for a field: the first of that segment and field.
    pub(crate) fn row(&mut self, table: &str, path: &FieldPath) -> Option<&'static RowId> {
        let field = usize::try_from(path.field).ok()?;
        self.of(table)?.row(path.segment, field).map(|r| &r.row)
    }
}

/// The row that constants of a resource are attributed to: of the table named, else of the first table
/// of the resource type.
pub(crate) fn constants_of(table: Option<&str>, resource_type: &str) -> Option<&'static RowId> {
    let named = table.and_then(|name| tables().find(|t| t.name == name));
    named
        .or_else(|| tables().find(|t| t.resource == resource_type))
        .map(|t| &t.constants)
}

/// Whether a row with this target writes an element of a resource (`value[x]` is every `valueQuantity`).
pub(crate) fn writes(target: &str, resource_type: &str, element: &str) -> bool {
    target.split(',').any(|target| {
        let target = target.trim_start_matches(' ');
        let mut path = target.trim_start_matches('.').split('.');
        let (first, second) = (path.next().unwrap_or_default(), path.next());
        // A further element of the same resource may stand without its type.
        let name = if first.starts_with(|c: char| c.is_ascii_uppercase()) {
            if first != resource_type {
                return false;
            }
            let Some(second) = second else {
                return true;
            };
            second
        } else {
            first
        };
        let name = name.split(['[', ':', ' ']).next().unwrap_or_default();
        if warifu_hl7::has(target, "[x]") {
            element.starts_with(name)
        } else {
            element == name
        }
    })
}

/// The row of an element where `wrong`, of another one, was in force: of the same table before others,
/// of the field read before others.
pub(crate) fn row_for(
    wrong: &RowId,
    field: Option<&FieldPath>,
    resource_type: &str,
    element: &str,
) -> Option<&'static RowId> {
    // What costs little is asked first: a file may have a leaf for every few bytes.
    let find = |same: bool, wanted: &dyn Fn(&MapRow) -> bool| {
        let tables = all().filter(|l| (l.table.name == wrong.table) == same);
        let mut rows = tables.flat_map(|l| l.table.rows.iter().zip(l.texts()));
        let row = rows.find(|(row, text)| wanted(row) && writes(text.0, resource_type, element));
        row.map(|(row, _)| &row.row)
    };
    let Some(field) = field else {
        let without_field = |r: &MapRow| r.segment == *b"   ";
        return find(true, &without_field).or_else(|| find(false, &without_field));
    };
    let of_field = |r: &MapRow| r.segment == field.segment && u32::from(r.field) == field.field;
    find(true, &of_field)
        .or_else(|| find(false, &of_field))
        .or_else(|| find(true, &|_| true))
}

/// Looks over all messages of a patient before any is converted: the newest entry of each problem, the
/// diagnoses of stays, the newest time, and the name of the institution (emitted at once).
pub(crate) fn survey<'a>(
    core: &Core,
    pool: &mut Vec<Box<Buffers>>,
    out: &mut Output,
    (context, patient_id): (&mut PatientContext, Id),
    messages: &[(Item<'a>, Message<'a>)],
) {
    patient::survey(out, context, messages);
    let mut problems = condition::Newest::new();
    let mut diagnoses = Vec::new();
    let mut performed = warifu_order::Map::new();
    let ordered = messages.iter().any(|m| m.0.kind == Some(DataKind::Oml01));
    let mut named = false;
    for (item, message) in messages {
        let sent = crate::datatypes::sent_at(*message);
        context.newest = context.newest.max(sent);
        if messages.len() > 1 && item.timestamp.is_empty() {
            context.moments.insert(message.number(), sent);
        }
        if item.kind == Some(DataKind::Adt61) {
            context.has_adt61 = true;
            allergy::survey(*message, &mut context.allergens);
        }
        let mut cx = Cx::new(
            core,
            &mut *out,
            &*context,
            (*item, *message),
            patient_id,
            &mut *pool,
        );
        if item.kind == Some(DataKind::Ppr01) {
            condition::survey(&mut cx, &mut problems, &mut diagnoses);
        }
        imaging::survey(&mut cx, &mut performed);
        if ordered {
            laboratory::joined::survey(&mut cx, &mut performed);
        }
        let orc = message
            .first(b"ORC")
            .filter(|s| !named && s.field(21).is_some());
        if let Some(orc) = orc {
            practitioner::emit_facility(&mut cx, orc);
            // What could not be read each order keeps.
            if cx.strays.has_unread() {
                cx.out.facility.clear();
            }
            named = true;
        }
    }
    // What an older file says of a problem counts no longer.
    diagnoses.retain(|d: &crate::cx::Diagnosis| {
        problems
            .get(&d.instance)
            .is_none_or(|(_, file)| *file == d.message)
    });
    context.problems = problems;
    context.diagnoses = diagnoses;
    context.performed = performed;
}

/// Notes what a result says unless a newer one is known.
pub(crate) fn note_performed(
    performed: &mut warifu_order::Map<(&'static str, String), crate::cx::Performed>,
    key: (&'static str, String),
    new: crate::cx::Performed,
) {
    if performed
        .get(&key)
        .is_none_or(|known| known.sent <= new.sent)
    {
        performed.insert(key, new);
    }
}

/// Converts one message into `cx.out`.
pub(crate) fn convert(cx: &mut Cx<'_, '_>) {
    use DataKind as K;
    let sent = cx.message().value(b"MSH", 7);
    if let Some(t) = warifu_hl7::time::parse(sent.text) {
        cx.used(&sent);
        let number = cx.message().number();
        let said = cx.out.said(number);
        cx.out.message_times.push((number, t, said));
    } else if sent.is_empty() {
        cx.report_message(&MAP009, "MSH-7");
    } else {
        cx.report_with(&HL7113, &sent, "Bundle.timestamp");
    }
    check_charset(cx);
    if cx.options().clins {
        crate::clins::note_visit(cx);
    }
    cx.out.patient = cx.out.patient.or(Some(cx.patient_id()));
    let Some(kind) = cx.kind() else {
        if is_vital(cx.message()) {
            check_segments(cx);
            patient::ensure(cx);
            vital::convert(cx);
            cx.report_strays();
        } else {
            cx.report_message(
                &SSM113,
                cx.item.kind_text.chars().take(0).collect::<String>(),
            );
        }
        return;
    };
    check_event(cx, kind);
    check_key(cx, kind);
    if kind != K::Adt00 {
        patient::ensure(cx);
    }
    if !matches!(kind, K::Adt00 | K::Adt61) {
        allergy::of_order(cx);
    }
    match kind {
        K::Adt00 => patient::convert(cx),
        K::Adt61 => allergy::convert(cx),
        // Dated ADT files were merged into stays before ([`encounter::convert`]).
        K::Adt01
        | K::Adt12
        | K::Adt21
        | K::Adt22
        | K::Adt31
        | K::Adt32
        | K::Adt41
        | K::Adt42
        | K::Adt51
        | K::Adt52 => {}
        K::Ppr01 => condition::convert(cx),
        K::Omd => nutrition::convert(cx),
        K::Omp01 => medication::prescription(cx),
        K::Omp02 => medication::injection(cx),
        K::Omp11 => medication::prescription_given(cx),
        K::Omp12 => medication::injection_given(cx),
        K::Oml01 => laboratory::order(cx),
        K::Oml11 => laboratory::result(cx),
        K::Omg01 | K::Omg02 | K::Omg03 => imaging::order(cx),
        K::Omg11 | K::Omg12 => imaging::performed(cx),
        K::Omg13 => imaging::physiology_result(cx),
    }
    cx.report_strays();
}

fn is_vital(message: Message<'_>) -> bool {
    message
        .first(b"MSH")
        .is_some_and(|s| s.field(9).comp(2).value().text == "R30")
}

/// Whether resources are made of a message.
pub(crate) fn is_known(item: &Item<'_>, message: Message<'_>) -> bool {
    item.kind.is_some() || is_vital(message)
}

fn check_event(cx: &mut Cx<'_, '_>, kind: DataKind) {
    if let Some((nine, None)) = warifu_ssmix2::event(kind, cx.message()) {
        cx.report(&SSM106, &nine);
    }
}

/// The file's key against the message: care date and order number (ssmix2 §9: reported, the message's
/// value is kept), and segments that SS-MIX2 does not know.
fn check_key(cx: &mut Cx<'_, '_>, kind: DataKind) {
    let m = cx.message();
    if let Some((field, value)) = warifu_ssmix2::other_care_date(kind, m, cx.item.date) {
        // What is no date was reported where it is read, and its value is not used.
        if warifu_hl7::time::parse(value.text).is_some() {
            cx.report_with(&SSM107, &value, field);
        }
    }
    if let Some(number) = warifu_ssmix2::other_order_number(m, cx.item.order) {
        cx.report(&SSM112, &number);
    }
    check_segments(cx);
}

/// MSH-18 against the bytes (plain ASCII agrees with every declaration).
fn check_charset(cx: &mut Cx<'_, '_>) {
    use warifu_hl7::findings::{charset_name, misdeclared, misspelt_charset, misspelt_scheme};
    let message = cx.message();
    if let Some((field, found)) = misdeclared(message) {
        cx.report_with(&ENC116, &field, charset_name(found));
    }
    let Some(msh) = message.first(b"MSH") else {
        return;
    };
    let (charset, scheme) = (msh.field(18), msh.field(20));
    if misspelt_charset(message, charset) {
        cx.report(&SSM153, &charset);
    }
    if misspelt_scheme(scheme) {
        cx.report(&SSM154, &scheme);
    }
}

/// Whether a line between two segments is blank.
fn has_blank_line(between: &[u8]) -> bool {
    let ends = |(i, b): (usize, &u8)| match b {
        b'\r' => true,
        b'\n' => i == 0 || between.get(i - 1) != Some(&b'\r'),
        _ => false,
    };
    between.len() > 1 && between.iter().enumerate().filter(|l| ends(*l)).count() > 1
}

/// Segments that SS-MIX2 does not know, segments out of place, escapes that nobody knows; blank lines
/// (once a message) and fields that say that there is no value.
fn check_segments(cx: &mut Cx<'_, '_>) {
    let bytes = cx.message().bytes();
    let nulls = warifu_hl7::find(bytes, b"\"\"", 0).is_some();
    let mut last: Option<u32> = None;
    let mut blank = false;
    let mut reached = 0;
    let kind = segments_of(cx.kind());
    let mut begun = kind.begin.is_empty();
    // A result belongs to a request: after an ORC there must be an OBR (RXE, RXA …) before an OBX. In
    // laboratory results the OBR stands before its ORC, and a specimen may have an OBX of its own.
    let (mut ordered, mut requested) = (false, false);
    let mut done = false;
    for s in cx.message().segments() {
        let name = s.name();
        let (start, end) = s.span();
        let at = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        let between = last.and_then(|last| bytes.get(at(last)..at(start)));
        if !blank && between.is_some_and(has_blank_line) {
            blank = true;
            let place = Src {
                message: cx.message().number(),
                start: last.unwrap_or(start),
                end: start,
            };
            cx.report(&HL7127, &place);
        }
        last = Some(end);
        if end - start <= 3 {
            cx.report_with(&HL7119, &s, s.name_str().to_owned());
        }
        if nulls {
            for (n, field) in s.fields().filter(|(_, f)| f.is_null()) {
                let name = warifu_diag::field_name(s.name_str(), n);
                cx.report_with(&MAP017, &field, name);
            }
        }
        // Half a segment, which was told (MAP025).
        let is_half = name == *b"???";
        if !is_half && !warifu_terms::fields::is_segment(name) {
            cx.report_with(&HL7108, &s, s.name_str().to_owned());
        }
        begun |= kind.begin.contains(&&name);
        // What a dated ADT message has of these goes into its stay.
        let read = begun && kind.own.contains(&&name);
        match &name {
            b"ORC" | b"OBR" => done = false,
            b"ZE1" => done = read,
            _ => {}
        }
        if read && (done || name == *b"IPC") {
            // What was done and its study keep their own.
        } else if read || is_head(name) {
            cx.stray_parts(s);
        } else if is_half || !kind.own.is_empty() {
            cx.stray(s);
        }
        // The head of a message comes in one order and before everything else.
        let out_of_place = if let Some(rank) = head_rank(name) {
            let wrong = rank < reached;
            reached = reached.max(rank);
            wrong
        } else {
            if matches!(&name, b"SPM" | b"ORC" | b"OBR" | b"PRB" | b"RXE" | b"RXA") {
                reached = HEAD_END;
            }
            let first_in_result = name == *b"ORC" && cx.kind() == Some(DataKind::Oml11);
            let wrong = !requested && (first_in_result || name == *b"OBX" && ordered);
            match &name {
                b"SPM" => (ordered, requested) = (false, false),
                b"ORC" => ordered = true,
                b"OBR" | b"RXO" | b"RXE" | b"RXA" | b"ODS" | b"ODT" | b"PRB" | b"ZE1" => {
                    requested = true;
                }
                _ => {}
            }
            wrong
        };
        if out_of_place {
            cx.report_with(&HL7112, &s, s.name_str().to_owned());
        }
        for (start, end) in s.unknown_escapes() {
            cx.report(
                &HL7109,
                &Src {
                    message: cx.message().number(),
                    start,
                    end,
                },
            );
        }
    }
}

/// Segments that the rows of a kind read.
struct Segments {
    /// An order, disease or result begins with one of these: what stands before the first belongs to none.
    begin: &'static [&'static [u8; 3]],
    /// All, those of `begin` among them.
    own: &'static [&'static [u8; 3]],
}

/// Segments that the rows of a kind read; what else a message has is kept as it was sent ([`Cx::stray`]).
const fn segments_of(kind: Option<DataKind>) -> Segments {
    use DataKind as K;
    let (begin, own): (&[&[u8; 3]], &[&[u8; 3]]) = match kind {
        Some(K::Adt00) => (&[], &[b"OBX", b"IN1"]),
        Some(K::Adt61) => (&[], &[b"IAM"]),
        Some(K::Ppr01) => (&[b"PRB"], &[b"PRB", b"ZPR", b"ZPD", b"NTE", b"ORC", b"ZI1"]),
        Some(K::Omd) => (&[b"ORC"], &[b"ORC", b"TQ1", b"ODS", b"ODT", b"NTE"]),
        Some(K::Omp01) => (&[b"ORC", b"RXE"], &[b"ORC", b"RXE", b"TQ1", b"RXR", b"NTE"]),
        Some(K::Omp02) => (
            &[b"ORC", b"RXE"],
            &[b"ORC", b"RXE", b"TQ1", b"RXR", b"RXC", b"NTE"],
        ),
        // RXO, RXE, TQ1 and RXC are the copy of the order, whose place is its own file.
        Some(K::Omp11 | K::Omp12) => (
            &[b"ORC", b"RXE", b"RXA"],
            &[
                b"ORC", b"RXA", b"RXR", b"NTE", b"CTI", b"OBX", b"RXO", b"RXE", b"TQ1", b"RXC",
            ],
        ),
        Some(K::Oml01 | K::Oml11) => (&[], &[b"SPM", b"ORC", b"OBR", b"TQ1", b"OBX", b"NTE"]),
        Some(K::Omg01 | K::Omg02 | K::Omg03 | K::Omg13) => {
            (&[b"ORC", b"OBR"], &[b"ORC", b"OBR", b"TQ1", b"OBX", b"NTE"])
        }
        Some(K::Omg11 | K::Omg12) => (
            &[b"ORC", b"OBR"],
            &[
                b"ORC", b"OBR", b"TQ1", b"OBX", b"NTE", b"ZE1", b"ZE2", b"IPC",
            ],
        ),
        // The vital signs of the extended storage.
        None => (&[], &[b"ORC", b"OBR", b"OBX", b"NTE"]),
        Some(_) => (&[], &[]),
    };
    Segments { begin, own }
}

/// Segments of transport, and of the person and the visit, which the ADT kinds tell.
pub(crate) const fn is_head(name: [u8; 3]) -> bool {
    matches!(
        &name,
        b"MSH"
            | b"SFT"
            | b"EVN"
            | b"PID"
            | b"PD1"
            | b"NK1"
            | b"PV1"
            | b"PV2"
            | b"DB1"
            | b"AL1"
            | b"DSC"
            | b"BHS"
            | b"BTS"
            | b"FHS"
            | b"FTS"
    )
}

/// Rank of everything after the head.
const HEAD_END: u8 = 8;

/// Place of a segment of the message's head.
const fn head_rank(name: [u8; 3]) -> Option<u8> {
    Some(match &name {
        b"MSH" => 0,
        b"SFT" => 1,
        b"EVN" => 2,
        b"PID" => 3,
        b"PD1" => 4,
        b"PV1" => 6,
        b"PV2" => 7,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{convert, reported};

    #[test]
    fn oddities_of_a_message_are_named() {
        let pid = "PID|1||0000990001^^^^PI||割符^花子^^^^^L^I||19680303|F";
        let told = |message: &str| {
            let out = convert("ADT-00", message);
            let told = |d: &&warifu_diag::Diagnostic| {
                ["HL7119", "HL7127", "MAP017", "SSM153", "SSM154"].contains(&d.code.code)
            };
            let found = out.diagnostics.iter().filter(told);
            found
                .map(|d| {
                    (
                        d.code.code,
                        d.path.map(|p| p.to_string()).unwrap_or_default(),
                    )
                })
                .collect::<Vec<_>>()
        };
        let msh = |eighteen: &str, twenty: &str| {
            format!(
                "MSH|^~\\&|A|B|C|D|20260401090512||ADT^A08^ADT_A01|1|P|2.5||||||{eighteen}||{twenty}"
            )
        };
        let sound = msh("~ISO IR87", "ISO 2022-1994");
        assert_eq!(told(&format!("{sound}\n{pid}")), []);
        assert_eq!(
            told(&format!(
                "{}\nPID|1||0000990001",
                msh("~ISOIR87", "ISO2022-1994")
            )),
            [
                ("SSM153", "MSH-18[1]".to_owned()),
                ("SSM154", "MSH-20".to_owned())
            ]
        );
        assert_eq!(
            told(&format!(
                "{sound}\n{}\nDB1",
                pid.replace("19680303", "\"\"")
            )),
            [("MAP017", "PID-7".to_owned()), ("HL7119", "DB1".to_owned())]
        );
        // Once, however many there are.
        assert_eq!(
            told(&format!("{sound}\r\r\n{pid}\r\r\nDB1|1|PT||N")),
            [("HL7127", String::new())]
        );
        assert!(!reported(
            &convert("ADT-00", &format!("{sound}\n{pid}\n")),
            "HL7127"
        ));
    }
}
