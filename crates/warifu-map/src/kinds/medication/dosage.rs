//! Dosage (JP_MedicationDosage, JP_MedicationDosage_Injection): usage, amounts, rates, route, text.
//!
//! FHIR R4 Dosage, JP Core 1.2.0 JP_MedicationDosage(+_Injection); HL7 v2.5 §4.5.4 TQ1, §4.14.2 RXR,
//! §4.14.4 RXE; JAMI 標準用法マスタ; mapping §8.

use std::borrow::Cow;

use bumpalo::collections::{String as Text, Vec as List};
use warifu_diag::catalogue::map_general::{MAP007, MAP010};
use warifu_diag::catalogue::map_medication::{MAP301, MAP302, MAP303, MAP305, MAP307, MAP316};
use warifu_fhir::element::medication_request as el;
use warifu_fhir::{Object, Resource, Src};
use warifu_hl7::{Part, Segment, Val};
use warifu_terms::{maps, systems, tables, units};

use crate::cx::{Cx, Sourced};
use crate::datatypes::{self, Times, Triplet, Unit};
use crate::table::{Group, keep};

/// 投与期間の開始日・終了日.
const PERIOD_OF_USE: &str =
    "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_MedicationDosage_PeriodOfUse";
/// 実投与日数.
const USAGE_DURATION: &str =
    "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_MedicationDosage_UsageDuration";
/// 投与装置.
pub(super) const DEVICE: &str =
    "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_MedicationDosage_Device";

/// Text of a dosage of which nothing was sent: `Dosage.text` is never empty.
const NOTHING_SAID: &str = "用法の記載なし";

/// Reads the unit of a drug amount: MERIT-9 by its system name, else by code or text, else UCUM, else
/// the sender's own code; a text alone has no code (reported).
#[inline(never)]
pub(super) fn drug_unit<'a>(cx: &mut Cx<'a, '_>, cwe: &[Triplet<'a>; 2]) -> Unit<'a> {
    let [a, b] = cwe;
    for t in cwe {
        let named = systems::trim_name(t.system.text);
        if let Some(ja) =
            tables::merit9_unit_text(t.code.text).filter(|_| named == "MR9P" || named.is_empty())
        {
            let text = if t.text.is_empty() {
                t.code.map(ja)
            } else {
                t.text
            };
            let named = if t.system.is_empty() {
                t.code.src()
            } else {
                t.system.src()
            };
            return Unit {
                text,
                system: (systems::MERIT9_UNIT, named),
                code: t.code,
            };
        }
    }
    let text = datatypes::said(cwe);
    if text.is_empty() {
        return Unit::uncoded(text);
    }
    if let Some(code) = tables::merit9_unit_code(text.text) {
        // A code that says something else than the name is kept, and told where it was sent as of MERIT-9.
        let named = systems::trim_name(a.system.text);
        let other = !a.code.is_empty() && ![code, text.text].contains(&a.code.text);
        if other && matches!(named, "MR9P" | "") {
            cx.unlisted(a.code, "MERIT-9");
        } else {
            datatypes::keep_unit(cx, a, text.text, code);
        }
        return Unit::coded(text, systems::MERIT9_UNIT, code, cwe);
    }
    let ucum =
        units::ucum(a.code.text, a.text.text).or_else(|| units::ucum(b.code.text, b.text.text));
    if let Some(code) = ucum {
        datatypes::keep_unit(cx, a, text.text, code);
        return Unit::coded(text, systems::UCUM, code, cwe);
    }
    cx.report(&MAP010, &text);
    let mut coded = cwe.iter();
    if let Some(t) = coded.find(|t| !t.code.is_empty() && !t.system.is_empty()) {
        return Unit {
            text,
            system: (datatypes::local_system(cx, t.system.text), t.system.src()),
            code: t.code,
        };
    }
    datatypes::keep_unit(cx, a, text.text, "");
    Unit::uncoded(text)
}

/// [`drug_unit`] of a field, which may be empty.
#[inline(never)]
pub(super) fn drug_unit_of<'a>(cx: &mut Cx<'a, '_>, field: Part<'a>) -> Unit<'a> {
    drug_unit(cx, &datatypes::both_triplets(field))
}

/// A number of NM: full-width digits are read as well; anything else is reported (MAP007) and kept.
#[inline(never)]
pub(super) fn amount<'a>(
    cx: &mut Cx<'a, '_>,
    v: Val<'a>,
    target: &'static str,
) -> Option<Cow<'a, str>> {
    let literal = said_amount(cx, v, target);
    if literal.is_none() && !v.is_empty() {
        cx.unread(v, target);
    }
    literal
}

/// [`amount`] for those who write what is no number as text.
#[inline(never)]
pub(super) fn said_amount<'a>(
    cx: &mut Cx<'a, '_>,
    v: Val<'a>,
    target: &'static str,
) -> Option<Cow<'a, str>> {
    if v.text.trim().is_empty() {
        return None;
    }
    if let Some(literal) = warifu_fhir::number::decimal(v.text) {
        return Some(literal);
    }
    let narrow: String = v
        .text
        .chars()
        .map(|c| match c {
            '\u{FF10}'..='\u{FF19}' | '．' => u32::from(c)
                .checked_sub(0xFEE0)
                .and_then(char::from_u32)
                .unwrap_or(c),
            c => c,
        })
        .collect();
    let literal = warifu_fhir::number::decimal(&narrow).map(Cow::into_owned);
    if literal.is_none() {
        cx.report_with(&MAP007, &v, target);
    }
    literal.map(Cow::Owned)
}

/// Whether two number literals are the same number, however many zeros they end with.
fn is_equal(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(|n| {
        if n.contains('.') {
            n.trim_end_matches('0').trim_end_matches('.')
        } else {
            n
        }
    });
    one == other
}

/// Whether a number literal is zero.
fn is_zero(literal: &str) -> bool {
    literal.bytes().all(|b| matches!(b, b'0' | b'.' | b'-'))
}

/// Writes the members of a Quantity.
pub(super) fn quantity(o: &mut Object<'_>, literal: &str, src: Src, unit: &Unit<'_>) {
    o.number("value", literal, src);
    datatypes::quantity_unit(o, unit);
}

/// An amount with its unit.
struct Amount<'a> {
    literal: Cow<'a, str>,
    src: Src,
    unit: Unit<'a>,
}

/// How fast, as RXE-22 to 24 say it.
struct Rate<'a> {
    amount: Amount<'a>,
    /// Length, UCUM code and text of the time unit when the unit itself is not "per time".
    per: Option<(&'a str, &'static str, &'static str, Src)>,
}

/// `H1` → one hour. HL7 v2.5 §4.14.4.22: letter, then a number.
fn time_unit(text: &str) -> Option<(&str, &'static str, &'static str)> {
    let (letter, number) = text.split_at_checked(1)?;
    let number = if number.is_empty() { "1" } else { number };
    if number.len() > 4 || !number.bytes().all(|b| b.is_ascii_digit()) || is_zero(number) {
        return None;
    }
    let (code, ja) = match letter {
        "S" => ("s", "秒"),
        "M" => ("min", "分"),
        "H" => ("h", "時間"),
        "D" => ("d", "日"),
        "W" => ("wk", "週"),
        "L" => ("mo", "月"),
        _ => return None,
    };
    Some((number.trim_start_matches('0'), code, ja))
}

/// Splits `102ml/hr` into number and unit. `None` when it does not begin with a number.
pub(super) fn split_rate(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at_checked(end)?;
    warifu_fhir::number::decimal(number)?;
    let unit = unit.trim();
    // `10 2 ml/hr` is neither 10 nor 102.
    (!unit.starts_with(|c: char| c.is_numeric() || c == '.')).then_some((number, unit))
}

/// Pieces of `Dosage.text` and where they came from.
struct Words<'a> {
    text: Text<'a>,
    srcs: List<'a, Src>,
}

impl Words<'_> {
    #[inline(never)]
    fn push(&mut self, pieces: &[&str], src: Src) {
        if pieces.iter().all(|p| p.is_empty()) {
            return;
        }
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        for p in pieces {
            self.text.push_str(p);
        }
        self.srcs.push(src);
    }
    /// An amount as it is read or, where it is no number, as it was sent.
    #[inline(never)]
    fn amount(&mut self, pieces: &[&str], srcs: &[Src], unit: Val<'_>) {
        let [first, more @ ..] = srcs else { return };
        let before = self.srcs.len();
        self.push(pieces, *first);
        if self.srcs.len() > before {
            self.srcs.extend_from_slice(more);
            if !unit.is_empty() {
                self.srcs.push(unit.src());
            }
        }
    }
}

/// How long, as TQ1-6 says it.
enum Supply<'a> {
    Days(Cow<'a, str>),
    Times(Cow<'a, str>),
}

/// TQ1-6: days (`5^d`) or times (`5^回`); other units stay in the text (reported).
fn supply<'a>(cx: &mut Cx<'a, '_>, field: Part<'a>, quiet: bool) -> Option<(Supply<'a>, Val<'a>)> {
    let value = field.comp(1).value().trimmed();
    let [unit, _] = datatypes::sub_triplets(field.comp(2));
    let name = if unit.code.is_empty() {
        unit.text
    } else {
        unit.code
    };
    if !quiet {
        cx.used(&field.comp(2));
    }
    match name.text {
        "d" | "D" | "日" | "日分" | "DAY" => {
            Some((Supply::Days(number(cx, value, quiet)?), value))
        }
        "回" | "回分" | "TIME" => Some((Supply::Times(number(cx, value, quiet)?), value)),
        _ => {
            if !quiet && !value.is_empty() {
                cx.report(&MAP303, &field);
            }
            None
        }
    }
}

fn number<'a>(cx: &mut Cx<'a, '_>, v: Val<'a>, quiet: bool) -> Option<Cow<'a, str>> {
    if quiet {
        warifu_fhir::number::decimal(v.text)
    } else {
        said_amount(cx, v, "TQ1-6")
    }
}

/// A number literal and the bytes it was read from.
type Sent<'a> = (Cow<'a, str>, Src);

/// Members of `dispenseRequest` that come from TQ1-6: `expectedSupplyDuration` in days (returned for
/// its place after `quantity`), or the number of times.
pub(super) fn supply_of<'a>(
    cx: &mut Cx<'a, '_>,
    group: &Group<'a>,
) -> (Option<Sent<'a>>, Option<Sent<'a>>) {
    let Some(field) = group.field(*b"TQ1", 6) else {
        return (None, None);
    };
    // Parts that follow one another, or last otherwise: each is told in its dosage, and none is the whole.
    let day = |f: Part<'a>| f.raw().get(..8);
    let first = group.field(*b"TQ1", 7).and_then(day);
    let differs = |s: Segment<'a>| s.field(6).raw() != field.raw() || day(s.field(7)) != first;
    if group.all(*b"TQ1").any(differs) {
        return (None, None);
    }
    match supply(cx, field, true) {
        Some((Supply::Days(n), v)) => (Some((n, v.src())), None),
        Some((Supply::Times(n), v)) => (None, Some((n, v.src()))),
        None => (None, None),
    }
}

/// Writes `{value, 日, UCUM d}`.
pub(super) fn days(o: &mut Object<'_>, literal: &str, src: Src) {
    o.number("value", literal, src);
    o.raw(r#""unit":"日","system":"http://unitsofmeasure.org","code":"d""#);
}

/// One dosageInstruction for each TQ1 (one when there is none).
pub(super) fn instructions<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    group: &Group<'a>,
    injection: bool,
) {
    let mut timings = group.all(*b"TQ1");
    let first = timings.next();
    let second = timings.next();
    let of = (group.first(*b"RXE"), group.first(*b"RXR"));
    if second.is_none() {
        instruction(r, cx, of, first, None, injection);
    } else {
        for (tq1, n) in group.all(*b"TQ1").zip(1u32..) {
            instruction(r, cx, of, Some(tq1), Some(n), injection);
        }
    }
    // A dose has one route; what no row takes of a further one ([`RXR_TAKEN`]) the table keeps.
    for more in group.all(*b"RXR").skip(1) {
        let taken = more.fields().take(RXR_TAKEN);
        for (n, field) in taken.filter(|(_, f)| f.is_some()) {
            keep(r, cx, warifu_diag::field_name("RXR", n), field);
        }
    }
    // A dose has one amount; further repetitions of it are met.
    let amounts = group.field(*b"RXE", 3);
    if let Some(f) = amounts.filter(|f| f.reps().nth(1).is_some()) {
        keep(r, cx, "RXE-3", f);
    }
}

/// The fields of RXR that rows take: RXR-1 to RXR-4.
const RXR_TAKEN: usize = 4;

fn instruction<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    (rxe, rxr): (Option<Segment<'a>>, Option<Segment<'a>>),
    tq1: Option<Segment<'a>>,
    sequence: Option<u32>,
    injection: bool,
) {
    let arena = cx.message().arena();
    let none = cx.message().empty_part();
    let e = |n: usize| rxe.map_or(none, |s| s.field(n));
    let t = |n: usize| tq1.map_or(none, |s| s.field(n));
    let route = |n: usize| rxr.map_or(none, |s| s.field(n));
    // Instructions that fill pages stand with the first dose.
    let (from, to) = e(7).span();
    let repeated = sequence.is_none_or(|n| n == 1) || to - from <= super::PAGE;
    let orders = if repeated { e(7) } else { none };

    // Usage: the first regular code is the timing, every other repetition an additional instruction.
    let mut usage: Option<[Triplet<'a>; 2]> = None;
    let mut additional: List<'a, [Triplet<'a>; 2]> = List::new_in(arena);
    if t(3).is_some() {
        for rep in t(3).reps() {
            let pair = usage_of(rep);
            if pair.iter().all(Triplet::is_empty) {
                continue;
            }
            let extra = is_additional(&pair) || usage.is_some();
            if extra {
                additional.push(pair);
            } else {
                usage = Some(pair);
            }
        }
    }
    let mut words = Words {
        text: Text::new_in(arena),
        srcs: List::new_in(arena),
    };
    for pair in usage.iter().chain(additional.iter()) {
        let said = datatypes::said(pair);
        words.push(&[said.text], said.src());
    }
    if usage.is_none() && additional.is_empty() {
        let said = route(1).comp(2).value().trimmed();
        words.push(&[said.text], said.src());
    }

    let dose = dose(cx, e(3), e(4), e(5), &mut words);
    // An amount of its own, as where one is lowered step by step: which is meant is not known.
    let (own, said) = (t(2).comp(1).value().trimmed(), e(3).value().trimmed());
    let read = warifu_fhir::number::decimal;
    if read(own.text).is_some_and(|own| read(said.text).is_some_and(|said| !is_equal(&said, &own)))
    {
        cx.report(&MAP316, &own);
    }
    let daily = daily(cx, e(19), &mut words);
    let rate = rate(cx, e(22), e(23), e(24), &mut words);
    let long = supply(cx, t(6), false);
    match &long {
        Some((Supply::Days(n), v)) => words.push(&[n, "日分"], v.src()),
        Some((Supply::Times(n), v)) => words.push(&[n, "回分"], v.src()),
        None => {
            let v = t(6).comp(1).value().trimmed();
            let [unit, _] = datatypes::sub_triplets(t(6).comp(2));
            words.push(&[v.text, unit.code.text], v.src());
        }
    }
    for v in [t(10).text().trimmed(), t(11).text().trimmed()] {
        words.push(&[v.text], v.src());
    }
    if orders.is_some() {
        for rep in orders.reps() {
            let [a, b] = datatypes::both_triplets(rep);
            let said = if a.text.is_empty() { b.text } else { a.text };
            words.push(&[said.text], said.src());
            cx.used(&rep);
        }
    }

    let (start, end) = (t(7).value().trimmed(), t(8).value().trimmed());
    let times = Times::read(cx, start, end, ["TQ1-7", "TQ1-8"]);
    let in_extension = !injection && times.has_start();
    let method_codes = usage.as_ref().and_then(jami_code);

    r.object(el::DOSAGE_INSTRUCTION, |o| {
        o.array("extension", |a| {
            if in_extension {
                a.object(|o| {
                    o.constant("url", PERIOD_OF_USE);
                    o.object("valuePeriod", |o| times.write(o));
                });
            }
            if let Some((Supply::Days(n), v)) = &long {
                a.object(|o| {
                    o.constant("url", USAGE_DURATION);
                    o.object("valueDuration", |o| days(o, n, v.src()));
                });
            }
            if route(3).is_some() {
                a.object(|o| {
                    o.constant("url", DEVICE);
                    o.object("valueReference", |o| {
                        o.string("reference", "#device", route(3).src());
                    });
                });
            }
        });
        if let (Some(n), Some(tq1)) = (sequence, tq1) {
            o.number("sequence", &n.to_string(), tq1.field(1).src());
        }
        if let Some((last, before)) = words.srcs.split_last() {
            for src in before {
                o.also(*src);
            }
            o.string("text", &words.text, *last);
        } else {
            o.constant("text", NOTHING_SAID);
            cx.report_message(&MAP305, "TQ1-3");
        }
        o.array("additionalInstruction", |a| {
            for pair in &additional {
                a.object(|o| concept(o, cx, pair));
            }
            if orders.is_some() {
                for rep in orders.reps().filter(|rep| !is_dispense_instruction(*rep)) {
                    a.object(|o| datatypes::codeable_concept(o, cx, rep));
                }
            }
        });
        o.object("timing", |o| {
            o.object("repeat", |o| {
                if !in_extension {
                    o.object("boundsPeriod", |o| times.write(o));
                }
                let count = t(14).value().trimmed();
                if let Some(n) = whole(count.text).filter(|n| *n != "0") {
                    o.number("count", n, count.src());
                } else {
                    cx.unread(count, "Timing.repeat.count");
                }
                if t(4).is_some() {
                    o.array("timeOfDay", |a| {
                        for rep in t(4).reps() {
                            let v = rep.value().trimmed();
                            if let Some(time) = time_of_day(v.text) {
                                a.string(&time, v.src());
                            } else {
                                cx.unread(v, "Timing.repeat.timeOfDay");
                            }
                        }
                    });
                }
            });
            if let Some(pair) = &usage {
                o.object("code", |o| concept(o, cx, pair));
            }
        });
        if t(9).comp(1).value().text.trim() == "PRN" {
            o.boolean("asNeededBoolean", true, t(9).src());
        }
        if route(2).is_some() {
            o.object("site", |o| datatypes::codeable_concept(o, cx, route(2)));
        }
        if route(1).is_some() {
            o.object("route", |o| datatypes::codeable_concept(o, cx, route(1)));
        }
        o.object("method", |o| method(o, cx, route(4), method_codes));
        o.array("doseAndRate", |a| {
            a.object(|o| {
                if let Some(d) = &dose {
                    o.object("doseQuantity", |o| quantity(o, &d.literal, d.src, &d.unit));
                }
                match (&rate, &daily) {
                    (Some(rate), _) => write_rate(o, rate),
                    (None, Some(d)) => per_day(o, d),
                    (None, None) => {}
                }
            });
            if let (Some(_), Some(d)) = (&rate, &daily) {
                a.object(|o| per_day(o, d));
            }
        });
    });
}

/// Usage of one repetition of TQ1-3: sub-components of component 1, or (met) a plain CWE.
fn usage_of(rep: Part<'_>) -> [Triplet<'_>; 2] {
    let [a, b] = datatypes::sub_triplets(rep.comp(1));
    let plain = a.text.is_empty()
        && a.system.is_empty()
        && (!rep.comp(2).text().is_empty() || !rep.comp(3).text().is_empty());
    if plain {
        datatypes::both_triplets(rep)
    } else {
        [a, b]
    }
}

/// A supplementary usage code (8 characters).
fn is_additional(pair: &[Triplet<'_>; 2]) -> bool {
    pair.iter().any(|t| {
        warifu_terms::jlac::is_jami_usage_additional(t.code.text)
            && systems::trim_name(t.system.text) == "JAMISDP01"
    })
}

/// The regular 16-character usage code of a pair.
fn jami_code<'a>(pair: &[Triplet<'a>; 2]) -> Option<Val<'a>> {
    pair.iter()
        .find(|t| {
            systems::trim_name(t.system.text) == "JAMISDP01"
                && warifu_terms::jlac::is_jami_usage(t.code.text)
        })
        .map(|t| t.code)
}

/// An instruction for the pharmacy is a code of a dispensing table or of the sender; text alone and
/// supplementary usage codes are instructions for the patient or ward.
pub(super) fn is_dispense_instruction(rep: Part<'_>) -> bool {
    let pair = datatypes::both_triplets(rep);
    pair.iter().any(|t| !t.code.is_empty()) && !is_additional(&pair)
}

/// CodeableConcept of a pair of triplets, standard first; a usage code of a wrong shape is reported.
fn concept<'a>(o: &mut Object<'_>, cx: &mut Cx<'a, '_>, pair: &[Triplet<'a>; 2]) {
    o.array("coding", |a| {
        for t in pair {
            let named = systems::trim_name(t.system.text) == "JAMISDP01";
            let known = warifu_terms::jlac::is_jami_usage(t.code.text)
                || warifu_terms::jlac::is_jami_usage_additional(t.code.text);
            if named && !known && !t.code.is_empty() {
                cx.report(&MAP302, &t.code);
            }
            datatypes::coding(a, cx, t);
        }
    });
    let text = pair
        .iter()
        .map(|t| t.text)
        .find(|v| !v.is_empty())
        .unwrap_or_default();
    o.string("text", text.text, text.src());
}

/// Dosage.method: RXR-4, then 基本用法区分 (character 1) and 用法詳細区分 (1–2) of the usage code.
pub(super) fn method<'a>(
    o: &mut Object<'_>,
    cx: &mut Cx<'a, '_>,
    sent: Part<'a>,
    usage: Option<Val<'a>>,
) {
    let derived = |a: &mut warifu_fhir::Array<'_>| {
        let Some(usage) = usage else { return };
        for (system, entry) in [
            (systems::JAMI_METHOD_BASIC, maps::basic_method(usage.text)),
            (systems::JAMI_METHOD_DETAIL, maps::detail_method(usage.text)),
        ] {
            if let Some(entry) = entry {
                a.object(|o| {
                    o.string("system", system, usage.src());
                    o.string("code", entry.code, usage.src());
                    o.string("display", entry.ja, usage.src());
                });
            }
        }
    };
    if sent.is_some() {
        datatypes::concept_of(o, cx, sent, &mut |a, _, _| derived(a));
    } else {
        o.array("coding", derived);
    }
}

/// RXE-3/4/5. The profile allows one Quantity: the minimum (the maximum where it stands alone); a
/// range is in the text. No dose when RXE-3 is `""` or 0 (reported).
fn dose<'a>(
    cx: &mut Cx<'a, '_>,
    min: Part<'a>,
    max: Part<'a>,
    unit: Part<'a>,
    words: &mut Words<'a>,
) -> Option<Amount<'a>> {
    let sent = unit.text().trimmed();
    let unit = drug_unit_of(cx, unit);
    let (least, most) = (min.value().trimmed(), max.value().trimmed());
    let low = said_amount(cx, least, "RXE-3").filter(|n| !is_zero(n));
    let high = said_amount(cx, most, "RXE-4").filter(|n| !is_zero(n));
    // What is no number (`1-2`) is told as it was sent.
    let said = |n: &Option<Cow<'a, str>>, v: Val<'a>| -> &'a str {
        let told = n.is_some() || !is_zero(v.text);
        n.as_ref().map_or(if told { v.text } else { "" }, |n| {
            cx.message().arena().alloc_str(n)
        })
    };
    let (from, to) = (said(&low, least), said(&high, most));
    let until = if from.is_empty() || to.is_empty() || from == to {
        ("", "")
    } else {
        ("～", to)
    };
    let first = if from.is_empty() { to } else { from };
    let srcs = [least, most].map(|v| v.src());
    let srcs = match (from.is_empty(), to.is_empty()) {
        (false, false) => &srcs[..],
        (false, true) => &srcs[..1],
        _ => &srcs[1..],
    };
    if first.is_empty() {
        cx.unread(sent, "RXE-5");
    } else {
        words.amount(
            &["1回", first, until.0, until.1, unit.text.text],
            srcs,
            unit.text,
        );
    }
    let (literal, src) = match (low, high) {
        (Some(n), _) => (n, least.src()),
        (None, Some(n)) if from.is_empty() => (n, most.src()),
        _ => {
            cx.report(&MAP301, &min);
            return None;
        }
    };
    if unit.code.is_empty() {
        cx.report_with(&MAP307, &min, "RXE-5");
        return None;
    }
    Some(Amount { literal, src, unit })
}

/// RXE-19: total of a day (`3^TAB&錠&MR9P`).
fn daily<'a>(cx: &mut Cx<'a, '_>, field: Part<'a>, words: &mut Words<'a>) -> Option<Amount<'a>> {
    if !field.is_some() {
        return None;
    }
    let value = field.comp(1).value().trimmed();
    let unit = drug_unit(cx, &datatypes::sub_triplets(field.comp(2)));
    let Some(literal) = said_amount(cx, value, "RXE-19") else {
        if value.is_empty() {
            cx.unread(field.text().trimmed(), "RXE-19");
        } else {
            words.amount(
                &["1日", value.text, unit.text.text],
                &[value.src()],
                unit.text,
            );
        }
        return None;
    };
    if is_zero(&literal) {
        return None;
    }
    words.amount(
        &["1日", &literal, unit.text.text],
        &[value.src()],
        unit.text,
    );
    if unit.code.is_empty() {
        cx.report_with(&MAP307, &field, "RXE-19");
        return None;
    }
    Some(Amount {
        literal,
        src: value.src(),
        unit,
    })
}

fn per_day(o: &mut Object<'_>, d: &Amount<'_>) {
    o.object("rateRatio", |o| {
        o.object("numerator", |o| quantity(o, &d.literal, d.src, &d.unit));
        o.raw(r#""denominator":{"value":1,"unit":"日","system":"http://unitsofmeasure.org","code":"d"}"#);
    });
}

/// RXE-22 to 24: a unit "per time" (`ml/hr`) stands by itself; else RXE-22 (`H1`) is the denominator.
fn rate<'a>(
    cx: &mut Cx<'a, '_>,
    per: Part<'a>,
    value: Part<'a>,
    unit: Part<'a>,
    words: &mut Words<'a>,
) -> Option<Rate<'a>> {
    let v = value.value().trimmed();
    let per_value = per.value().trimmed();
    let per_time = time_unit(per_value.text);
    let pair = datatypes::both_triplets(unit);
    let [a, b] = &pair;
    let Some(literal) = said_amount(cx, v, "RXE-23") else {
        let of = datatypes::said(&pair);
        if v.is_empty() {
            // A unit or a time alone says no rate.
            let sent = unit.text().trimmed();
            for (v, name) in [(per_value, "RXE-22"), (sent, "RXE-24")] {
                cx.unread(v, name);
            }
        } else {
            let time = if per_value.is_empty() { "" } else { "/" };
            let srcs = [v.src(), per_value.src()];
            let srcs = if time.is_empty() {
                &srcs[..1]
            } else {
                &srcs[..]
            };
            words.amount(&[v.text, of.text, time, per_value.text], srcs, of);
        }
        return None;
    };
    let itself = [a.code, a.text, b.code, b.text]
        .iter()
        .any(|v| v.text.contains(['/', '／']));
    if itself {
        if per_time.is_some() {
            cx.used(&per);
        } else {
            cx.unread(per_value, "RXE-22");
        }
        let unit = rate_unit(cx, &pair);
        words.amount(&[&literal, unit.text.text], &[v.src()], unit.text);
        return Some(Rate {
            amount: Amount {
                literal,
                src: v.src(),
                unit,
            },
            per: None,
        });
    }
    let unit = drug_unit(cx, &pair);
    if let Some((n, code, ja)) = per_time {
        let many = if n == "1" { "" } else { n };
        let pieces = [&*literal, unit.text.text, "/", many, ja];
        words.amount(&pieces, &[v.src(), per_value.src()], unit.text);
        if unit.code.is_empty() {
            cx.report_with(&MAP307, &value, "RXE-24");
            return None;
        }
        Some(Rate {
            amount: Amount {
                literal,
                src: v.src(),
                unit,
            },
            per: Some((n, code, ja, per_value.src())),
        })
    } else {
        let srcs = [v.src(), per_value.src()];
        let srcs = if per_value.is_empty() {
            &srcs[..1]
        } else {
            &srcs[..]
        };
        words.amount(&[&literal, unit.text.text, per_value.text], srcs, unit.text);
        Some(Rate {
            amount: Amount {
                literal,
                src: v.src(),
                unit,
            },
            per: None,
        })
    }
}

/// Unit of a rate: text shown, UCUM where certain.
fn rate_unit<'a>(cx: &mut Cx<'a, '_>, pair: &[Triplet<'a>; 2]) -> Unit<'a> {
    let text = datatypes::said(pair);
    let [a, b] = pair;
    cx.used(&a.code);
    cx.used(&a.system);
    let code = [a.code, a.text, b.code, b.text]
        .iter()
        .find_map(|v| units::text_to_ucum(v.text));
    if code.is_none() {
        cx.report(&MAP010, &text);
    }
    datatypes::keep_unit(cx, a, text.text, code.unwrap_or_default());
    code.map_or(Unit::uncoded(text), |code| {
        Unit::coded(text, systems::UCUM, code, pair)
    })
}

fn write_rate(o: &mut Object<'_>, rate: &Rate<'_>) {
    match rate.per {
        Some((n, code, ja, src)) => {
            o.object("rateRatio", |o| {
                o.object("numerator", |o| {
                    quantity(o, &rate.amount.literal, rate.amount.src, &rate.amount.unit);
                });
                o.object("denominator", |o| {
                    o.number("value", n, src);
                    o.string("unit", ja, src);
                    o.constant("system", systems::UCUM);
                    o.string("code", code, src);
                });
            });
        }
        None => {
            o.object("rateQuantity", |o| {
                quantity(o, &rate.amount.literal, rate.amount.src, &rate.amount.unit);
            });
        }
    }
}

/// A non-negative whole number without leading zeros.
pub(super) fn whole(text: &str) -> Option<&str> {
    if text.is_empty() || text.len() > 9 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let stripped = text.trim_start_matches('0');
    Some(if stripped.is_empty() { "0" } else { stripped })
}

/// TM `HHMM[SS]` → `HH:MM:SS`.
fn time_of_day(text: &str) -> Option<String> {
    if !matches!(text.len(), 4 | 6) || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (h, m, s) = (
        text.get(..2)?,
        text.get(2..4)?,
        text.get(4..6).unwrap_or("00"),
    );
    (h < "24" && m < "60" && s < "60").then(|| [h, ":", m, ":", s].concat())
}
