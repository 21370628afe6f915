//! `SSM206`, `SSM207`: fields that SS-MIX2 demands under a condition (C), one row each.
//!
//! The tables of SS-MIX2 say C without the condition. `docs/conditional.md` says what it was taken to be, and
//! which fields have none.

use warifu_diag::Code;
use warifu_diag::Example::Lines;
use warifu_hl7::Segment;
use warifu_ssmix2::DataKind as K;

use crate::cx::Cx;
use crate::rule::{Check, message};

pub(crate) const CHECKS: &[Check] = &[message(conditional)];

warifu_diag::codes! {
    SSM206 = "SSM206" "conditional-field-missing" Warning { "条件により必須の項目 {} が空です", "field {}, required here by its condition, is empty", "送り手で値を入れてください。条件は docs/conditional.md にあります", "let the sender fill it; docs/conditional.md has the condition", "SS-MIX2 セグメント定義 (C)";
        "条件付きの項目は、その場合には必須です。予定日時のない予定や、親のない子オーダのように、欠けると意味をなしません。", "A conditional field is required in its case: a planned event without its time, or a child order without its parent, means nothing.";
        Lines("OMG-13", "OBR|1|000000000000001||9A110000000000000^心電図^99TST|||202604010948") => Lines("OMG-13", "OBR|1|000000000000001||9A110000000000000^心電図^99TST|||202604010948||||||||||||||||||F") }
    SSM207 = "SSM207" "conditional-field-missing-strict" Info [strict] { "条件により必須の項目 {} が空です (ほかの項目からも読み取れます)", "field {}, required here by its condition, is empty (others tell the same)", "送り手で値を入れてください。条件は docs/conditional.md にあります", "let the sender fill it; docs/conditional.md has the condition", "SS-MIX2 セグメント定義 (C)";
        "実際のデータには少なく、多くの受け手はほかの項目から補います。補わない受け手は、いつ、どの科でのことか分かりません。", "Real data seldom have it, and most receivers read it from other fields; the others cannot tell when or in which department it was.";
        Lines("ADT-22", "PV1|1|I|3E^301^1^^^N||||D01^見立^一郎^^^^^^^L^^^^^I|||||||||||||||||||||||||||||||||||||202604010900") => Lines("ADT-22", "PV1|1|I|3E^301^1^^^N||||D01^見立^一郎^^^^^^^L^^^^^I|||01||||||||||||||||||||||||||||||||||202604010900") }
}

/// A field with its condition.
struct Row {
    segment: &'static str,
    field: u8,
    /// Kinds that have the condition; none is all.
    kinds: &'static [K],
    /// Whether the condition holds.
    holds: Holds,
    code: Code,
}

type Holds = fn(&Cx<'_, '_>, &Whole, Segment<'_>) -> bool;

/// What conditions ask of the message as a whole, looked up once.
struct Whole {
    /// Whether there are several OBR.
    has_several_requests: bool,
    /// Positions of the OBX that others of their OBR are, or have to be, told apart from by OBX-4; in order.
    grouped: Vec<u32>,
}

impl Whole {
    fn of(cx: &Cx<'_, '_>) -> Self {
        let requests = cx.message.segments().filter(|s| s.name() == *b"OBR");
        let mut grouped = Vec::new();
        if cx.is(&[K::Omg03, K::Omg13]) {
            let mut own = Vec::new();
            for segment in cx.message.segments() {
                match &segment.name() {
                    b"OBR" => group(&mut own, &mut grouped),
                    b"OBX" => own.push(segment),
                    _ => {}
                }
            }
            group(&mut own, &mut grouped);
            grouped.sort_unstable();
        }
        Self {
            has_several_requests: requests.take(2).count() == 2,
            grouped,
        }
    }
}

/// Takes the OBX of one OBR: all of them where one has OBX-4 and there are others, else those whose OBX-3
/// stands there twice.
fn group(own: &mut Vec<Segment<'_>>, grouped: &mut Vec<u32>) {
    let numbered = own.iter().filter(|s| s.field(4).is_some()).count();
    own.sort_by_key(|s| s.field(3).raw());
    for same in own.chunk_by(|a, b| a.field(3).raw() == b.field(3).raw()) {
        let of_all = |s: &&Segment<'_>| numbered > usize::from(s.field(4).is_some());
        let told = same.iter().filter(|s| same.len() > 1 || of_all(s));
        grouped.extend(told.map(Segment::position));
    }
    own.clear();
}

const fn row(
    (segment, field): (&'static str, u8),
    kinds: &'static [K],
    code: Code,
    holds: Holds,
) -> Row {
    Row {
        segment,
        field,
        kinds,
        holds,
        code,
    }
}

const PLANNED: &[K] = &[K::Adt21, K::Adt41, K::Adt51];
const IMAGING: &[K] = &[K::Omg01, K::Omg02, K::Omg03, K::Omg11, K::Omg12, K::Omg13];

/// All fields whose condition a message can decide, but for those of other rules.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    row(("EVN", 3), PLANNED, &SSM206, always),
    row(("EVN", 6), &[K::Adt01], &SSM206, always),
    row(("EVN", 6), &[K::Adt12, K::Adt22, K::Adt52, K::Adt61], &SSM207, always),
    row(("PV1", 10), &[K::Adt12], &SSM206, always),
    row(("PV1", 10), &[K::Adt21, K::Adt22, K::Adt31, K::Adt32, K::Adt41, K::Adt42, K::Adt51, K::Adt52], &SSM207, always),
    row(("PV2", 1), &[K::Adt21, K::Adt41], &SSM206, always),
    row(("OBX", 4), &[K::Omg03, K::Omg13], &SSM206, is_grouped),
    row(("IN1", 4), &[K::Adt00], &SSM207, is_insurance),
    row(("IN1", 10), &[K::Adt00], &SSM206, is_medical),
    row(("IN1", 15), &[K::Adt00], &SSM206, is_of_no_class),
    row(("IN1", 15), &[K::Adt00], &SSM207, is_classed),
    row(("OBR", 1), &[K::Oml01, K::Oml11], &SSM206, has_several_requests),
    row(("OBR", 7), &[K::Oml11], &SSM206, always),
    row(("OBR", 25), &[K::Omg13], &SSM206, always),
    row(("OBR", 29), IMAGING, &SSM206, is_child),
    row(("TQ1", 3), &[K::Omp02], &SSM206, is_untimed),
    row(("RXE", 19), &[K::Omp01, K::Omp11], &SSM206, is_daily),
    row(("RXA", 11), &[K::Omp11, K::Omp12], &SSM207, is_given),
    row(("CTI", 2), &[], &SSM206, |_, _, s| s.field(3).is_some()),
    row(("ZE1", 6), &[K::Omg11], &SSM206, |_, _, s| s.field(7).is_some()),
    row(("ZE1", 8), &[K::Omg11], &SSM206, |_, _, s| s.field(9).is_some()),
];

fn conditional(cx: &mut Cx<'_, '_>) {
    let message = cx.message;
    let whole = Whole::of(cx);
    cx.order = None;
    for segment in message.segments() {
        let name = segment.name();
        if name == *b"ORC" {
            cx.order = Some(segment);
        }
        for row in ROWS.iter().filter(|r| r.segment.as_bytes() == name) {
            if (row.kinds.is_empty() || cx.is(row.kinds))
                && segment.field(row.field.into()).is_empty()
                && (row.holds)(cx, &whole, segment)
            {
                cx.report_absent(row.code, segment, row.field.into());
            }
        }
    }
}

fn always(_: &Cx<'_, '_>, _: &Whole, _: Segment<'_>) -> bool {
    true
}

/// Segments of the message after this one, up to one of these names.
fn after<'m>(
    cx: &Cx<'m, '_>,
    segment: Segment<'_>,
    until: &'static [&'static [u8; 3]],
) -> impl Iterator<Item = Segment<'m>> + use<'m> {
    let from = usize::try_from(segment.position()).unwrap_or(usize::MAX - 1) + 1;
    let message = cx.message;
    (from..)
        .map_while(move |at| message.segment(at))
        .take_while(move |s| !until.contains(&&s.name()))
}

fn is_grouped(_: &Cx<'_, '_>, whole: &Whole, obx: Segment<'_>) -> bool {
    whole.grouped.binary_search(&obx.position()).is_ok()
}

fn class(in1: Segment<'_>) -> Option<&'static str> {
    super::insurance::class_of(in1.field(2).value().trimmed().text)
}

fn is_insurance(_: &Cx<'_, '_>, _: &Whole, in1: Segment<'_>) -> bool {
    matches!(class(in1), Some("MI" | "PE"))
}

fn is_medical(_: &Cx<'_, '_>, _: &Whole, in1: Segment<'_>) -> bool {
    class(in1) == Some("MI")
}

fn is_classed(_: &Cx<'_, '_>, _: &Whole, in1: Segment<'_>) -> bool {
    class(in1).is_some()
}

fn is_of_no_class(_: &Cx<'_, '_>, _: &Whole, in1: Segment<'_>) -> bool {
    class(in1).is_none() && in1.field(2).is_some()
}

fn has_several_requests(_: &Cx<'_, '_>, whole: &Whole, _: Segment<'_>) -> bool {
    whole.has_several_requests
}

fn is_child(cx: &Cx<'_, '_>, _: &Whole, _: Segment<'_>) -> bool {
    cx.order
        .is_some_and(|orc| orc.field(1).value().trimmed().text == "CH")
}

fn is_untimed(_: &Cx<'_, '_>, _: &Whole, tq1: Segment<'_>) -> bool {
    !tq1.field(7).is_some() && !tq1.field(11).is_some()
}

/// Whether the drug is taken a number of times a day, so that a dose makes an amount per day.
fn is_daily(cx: &Cx<'_, '_>, _: &Whole, rxe: Segment<'_>) -> bool {
    let dose = rxe.field(3).value().trimmed().text;
    let timing = after(cx, rxe, &[b"ORC", b"RXE"]).find(|s| s.name() == *b"TQ1");
    super::fields::is_number(&super::fields::narrowed(dose))
        && timing.is_some_and(|tq1| {
            let pattern = tq1.field(3).comp(1);
            pattern.sub(1).value().text.starts_with("101")
                && pattern.sub(3).value().trimmed().text == "JAMISDP01"
        })
}

fn is_given(_: &Cx<'_, '_>, _: &Whole, rxa: Segment<'_>) -> bool {
    !matches!(rxa.field(20).value().trimmed().text, "NA" | "RE")
}

#[cfg(test)]
mod tests {
    use warifu_terms::fields::{self, Usage};

    use super::*;

    const PAGE: &str = include_str!("../../../../docs/conditional.md");

    /// Fields, kinds and rule of each line of the page.
    fn lines() -> Vec<(Vec<&'static str>, Vec<&'static str>, &'static str)> {
        PAGE.lines()
            .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
            .filter(|line| !line.starts_with("field ") && !line.starts_with("---"))
            .map(|line| {
                let cells: Vec<&str> = line.split(" | ").collect();
                let list = |n: usize| cells[n].split(", ").collect();
                assert_eq!(cells.len(), 4, "{line}");
                (list(0), list(1), cells[2])
            })
            .collect()
    }

    #[test]
    fn the_page_has_the_rows_and_names_rules_that_exist() {
        let mut own = Vec::new();
        for (fields, kinds, rule) in lines() {
            if rule != "-" {
                assert!(crate::lookup(rule).is_some(), "{rule}");
            }
            // What TQ1-11 stands in for is told at TQ1-3.
            if (rule == "SSM206" || rule == "SSM207") && fields != ["TQ1-11"] {
                own.push((fields[0].to_owned(), kinds.join(", "), rule));
            }
        }
        let mut rows: Vec<_> = ROWS
            .iter()
            .map(|row| {
                let kinds: Vec<&str> = row.kinds.iter().map(|k| k.code()).collect();
                let kinds = if kinds.is_empty() {
                    vec!["others"]
                } else {
                    kinds
                };
                (
                    format!("{}-{}", row.segment, row.field),
                    kinds.join(", "),
                    row.code.code,
                )
            })
            .collect();
        own.sort();
        rows.sort();
        assert_eq!(own, rows);
    }

    #[test]
    fn each_conditional_field_of_the_tables_is_on_the_page() {
        let (lines, mut lost, mut seen) = (lines(), Vec::new(), 0);
        for segment in fields::segments() {
            for field in segment.fields() {
                let name = format!("{}-{}", segment.id, field.n);
                for kind in K::ALL {
                    if segment.id == "ZI1" || field.usage_in(kind.code()) != Usage::Conditional {
                        continue;
                    }
                    seen += 1;
                    let named = lines.iter().any(|(fields, kinds, _)| {
                        fields.contains(&name.as_str())
                            && (kinds == &["others"] || kinds.contains(&kind.code()))
                    });
                    if !named {
                        lost.push(format!("{name} {}", kind.code()));
                    }
                }
            }
        }
        assert!(lost.is_empty(), "{lost:?}");
        assert!(seen > 100, "{seen}");
    }
}
