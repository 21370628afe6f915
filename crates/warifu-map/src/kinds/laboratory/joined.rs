//! An order of tests (OML-01) and its results (OML-11) are one ServiceRequest, and a specimen that both
//! number is one Specimen. Mapping §7.
//!
//! A request is one order number and one item (OBR-4), however many specimens it has: the first that is
//! converted makes it, and that is the order's own file, with the state that its newest result tells. The
//! result makes the Specimen, of which it knows more. Each alone has the ids that both have together: a
//! specimen is one by order, number, kind and the day of its collection.

use warifu_fhir::Id;
use warifu_hl7::{Part, Segment};
use warifu_order::Map;
use warifu_ssmix2::DataKind;
use warifu_terms::maps::{OrderFile, service_request_status, withdrawal};
use warifu_terms::systems;

use crate::cx::{Cx, Performed, Sourced};
use crate::datatypes::{self, Triplet};
use crate::table::is_said;

use super::specimen;
use super::tables::ORC_TO_JP_SERVICE_REQUEST;
use super::walk::{Order, Walk};

/// The data kind of orders, part of the ids that a result shares with its order.
pub(super) const ORDER: &str = "OML-01";

/// What a sort key of a time has to be divided by to be a day.
pub(super) const DAY: u64 = 1_000_000_000;

type Key = (&'static str, String);

/// By number and item the request that was made last; the specimens of an order.
pub(crate) type Tests = Map<Key, Performed>;

/// A ServiceRequest as its items and results need it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Made {
    pub(super) id: Id,
    pub(super) status: &'static str,
}

/// Key of what is one by an order's number and something in it.
#[inline(never)]
pub(super) fn key(of: &'static str, number: &str, part: &str) -> Key {
    let mut key = number.to_owned();
    key.push('\u{1e}');
    key.push_str(part);
    (of, key)
}

/// Day of the file at hand, `YYYYMMDD`: its care date, else when it was sent.
#[inline(never)]
pub(super) fn day_of(cx: &Cx<'_, '_>) -> u64 {
    let day = warifu_hl7::time::parse(cx.item.date);
    day.map_or_else(|| crate::datatypes::sent_at(cx.message()), |t| t.sort_key()) / DAY
}

/// Whether a result of a day may be of a request of another, half a year before at most or a month after it:
/// numbers come again after years.
#[inline(never)]
pub(super) fn is_near(request: u64, result: u64) -> bool {
    let month = |day: u64| day / 10_000 * 12 + day / 100 % 100;
    let apart = (month(result) + 1).checked_sub(month(request));
    apart.is_some_and(|n| n <= 7)
}

/// The request of a number and item that was made before, and what it says: by the same message; for a result
/// also by another.
#[inline(never)]
pub(super) fn made(cx: &Cx<'_, '_>, key: &Key, file: OrderFile) -> Option<(Made, Vec<u64>)> {
    let known = cx.out.tests.get(key)?;
    let own = known.src.message == cx.message().number();
    let id = known
        .id
        .filter(|_| own || file == OrderFile::Result && is_near(known.sent, day_of(cx)))?;
    let status = known.status;
    Some((Made { id, status }, known.said.clone()))
}

/// Notes a request that is made.
#[inline(never)]
pub(super) fn note(cx: &mut Cx<'_, '_>, key: Key, of: Made, order: &Order<'_>) {
    let test = Performed {
        sent: day_of(cx),
        status: of.status,
        src: cx.message().empty_part().src(),
        said: said(order.segments()),
        id: Some(of.id),
        entries: 0,
    };
    cx.out.tests.insert(key, test);
}

/// A field as a hash; one person under several names of a role is the same.
fn hash(s: Segment<'_>, n: usize) -> u64 {
    let (name, number) = match (s.name(), n) {
        (name, 10 | 12) if name == *b"ORC" => (name, 12),
        (name, 16) if name == *b"OBR" => (*b"ORC", 12),
        (name, n) => (name, u8::try_from(n).unwrap_or(u8::MAX)),
    };
    let bytes = name.iter().chain([&number]).chain(s.field(n).raw());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[inline(never)]
fn said(segments: [Option<Segment<'_>>; 3]) -> Vec<u64> {
    let mut all = Vec::new();
    for s in segments.into_iter().flatten() {
        // The first numbers the segments.
        all.extend(s.filled().filter(|n| *n > 1).map(|n| hash(s, n)));
    }
    all
}

/// The code by which an order and its result know a thing: JLAC's, which either may have beside its own, else
/// the first, else the text.
#[inline(never)]
pub(super) fn code_of(field: Part<'_>) -> &str {
    let all = datatypes::both_triplets(field);
    let is_jlac = |t: &&Triplet<'_>| systems::trim_name(t.system.text).starts_with("JC1");
    let mut coded = all.iter().filter(|t| !t.code.is_empty());
    let code = coded.clone().find(is_jlac).or_else(|| coded.next());
    match (code, all) {
        (Some(t), _) => t.code.text,
        (None, [a, _]) => a.text.text,
    }
}

/// What tells a numbered specimen of an order from the others: its number, what it is, and the day on which
/// it was collected (else that of the test, else of the file). Of a number that comes again one of them
/// differs.
#[derive(Clone, Copy)]
pub(super) struct Identity<'a> {
    pub(super) key: &'a str,
    /// `key` without the day.
    any_day: &'a str,
    /// Whether the day is that of the specimen itself.
    is_collected: bool,
}

impl<'a> Identity<'a> {
    /// Of the specimen at a place of a walk; `None` where it has no number.
    #[inline(never)]
    pub(super) fn of(cx: &Cx<'a, '_>, walk: &Walk<'a>, index: usize) -> Option<Self> {
        let spm = walk.specimens.get(index)?.spm;
        let number = specimen::number(spm.field(2)).some()?;
        let collected = spm.field(17).comp(1).value();
        let order = walk.orders.iter().find(|o| o.specimen == Some(index));
        let tested = order.and_then(|o| o.obr).map(|s| s.field(7).value());
        let days = [
            collected.text,
            tested.unwrap_or_default().text,
            cx.item.date,
        ];
        let day = days.into_iter().find_map(warifu_hl7::time::parse);
        let day = day.map_or(0, |t| t.sort_key() / DAY).to_string();
        let kind = code_of(spm.field(4));
        let key = crate::cx::concat(
            cx.message().arena(),
            &[number.text, "\u{1e}", kind, "\u{1e}", &day],
        );
        Some(Self {
            key,
            any_day: key.strip_suffix(day.as_str()).unwrap_or(key),
            is_collected: !collected.is_empty(),
        })
    }
}

/// The specimen of an order that was made before, and what it says: the same one where another message has
/// it, or where this one repeats it. For an order also the one that its result makes, on whatever day, if the
/// order itself does not say when it is collected.
#[inline(never)]
pub(super) fn specimen_of(
    cx: &Cx<'_, '_>,
    (order, own): (&str, &Identity<'_>),
    file: OrderFile,
    spm: Segment<'_>,
) -> Option<(Id, Vec<u64>)> {
    let exact = key("SPM", order, own.key);
    let found = match cx.out.tests.get(&exact) {
        Some(made) => {
            let is_other = made.src.message == cx.message().number()
                && made.said != said([Some(spm), None, None]);
            Some(made).filter(|_| !is_other)
        }
        None if file == OrderFile::Result => None,
        None => {
            let told = &cx.context.performed;
            let near = |p: &&Performed| is_near(day_of(cx), p.sent / DAY);
            told.get(&exact)
                .or_else(|| {
                    let planned = told.get(&key("SPM", order, own.any_day));
                    planned.filter(|_| !own.is_collected)
                })
                .filter(near)
        }
    }?;
    Some((found.id?, found.said.clone()))
}

/// Notes a specimen that is made; `false` where another of the order has its number.
#[inline(never)]
pub(super) fn note_specimen(
    cx: &mut Cx<'_, '_>,
    (order, own): (&str, &Identity<'_>),
    id: Id,
    spm: Segment<'_>,
) -> bool {
    let number = specimen::number(spm.field(2)).text;
    let made = Performed {
        said: said([Some(spm), None, None]),
        id: Some(id),
        ..Performed::new(0, "", spm.field(2).src())
    };
    let tests = &mut cx.out.tests;
    tests.insert(key("SPM", order, own.key), made.clone());
    tests.insert(key("SPM", order, number), made).is_none()
}

/// Keeps the fields of an order's head, or of a specimen, that what was made elsewhere does not say as well;
/// those of a result that its report takes are no such.
pub(super) fn beside<'a>(
    cx: &mut Cx<'a, '_>,
    segments: [Option<Segment<'a>>; 3],
    said: &[u64],
    file: OrderFile,
) {
    let [_, obr, _] = segments;
    for s in segments.into_iter().flatten() {
        let passed: u64 = match (&s.name(), file) {
            (b"ORC", _) => 0b10_0110,
            (b"OBR", OrderFile::Result) => 0x640_019e,
            _ => 0b10,
        };
        for n in s.filled() {
            let field = s.field(n);
            if n < 64 && passed >> n & 1 == 1 {
                if s.name() == *b"ORC" {
                    cx.used(&field);
                }
                continue;
            }
            if !field.is_some() || is_said(&ORC_TO_JP_SERVICE_REQUEST, (s, n), field, &[]) {
                continue;
            }
            // What the report of a result has.
            let own = match (&s.name(), n, file) {
                (b"ORC", 3, OrderFile::Result) => 3,
                (b"ORC", 9, OrderFile::Result) => 22,
                _ => 0,
            };
            let own = obr.map(|obr| obr.field(own)).filter(Part::is_some);
            if said.contains(&hash(s, n)) || own.is_some_and(|own| own.raw() == field.raw()) {
                cx.used(&field);
            } else {
                cx.stray_field(s, n, field);
            }
        }
    }
}

/// What a result says of its orders and has of their specimens.
pub(crate) fn survey(cx: &mut Cx<'_, '_>, performed: &mut Map<Key, Performed>) {
    if cx.kind() != Some(DataKind::Oml11) {
        return;
    }
    let sent = crate::datatypes::sent_at(cx.message());
    let walk = Walk::of(cx.message());
    for o in &walk.orders {
        let number = super::order_number(cx, o).text;
        // A result that is withdrawn leaves the order as it is.
        if withdrawal(o.control().text).is_none() {
            let state = o
                .orc
                .map(|s| s.field(5))
                .map(|f| f.value())
                .unwrap_or_default();
            let (status, src) = (
                service_request_status(o.control().text, state.text, OrderFile::Result).to,
                if state.is_empty() {
                    o.control().src()
                } else {
                    state.src()
                },
            );
            let key = key(ORDER, number, o.code);
            // An order is done when all of it is, and withdrawn when all is.
            let stays =
                |of: &Performed| of.sent == sent && (of.status == "active" || status == "revoked");
            let known = performed.get(&key);
            let before = known.map_or(0, |of| of.entries);
            if !known.is_some_and(stays) {
                let new = Performed::new(sent, status, src);
                crate::kinds::note_performed(performed, key.clone(), new);
            }
            if let Some(of) = performed.get_mut(&key) {
                of.entries = before + 1;
            }
        }
        let Some(index) = o.specimen else { continue };
        if let (Some(s), Some(own)) = (walk.specimens.get(index), Identity::of(cx, &walk, index)) {
            let parts = [ORDER, number, own.key];
            let new = Performed {
                said: said([Some(s.spm), None, None]),
                id: Some(cx.id("Specimen", &parts, s.spm.position(), "specimen")),
                ..Performed::new(sent, "", s.spm.src())
            };
            for part in [own.key, own.any_day] {
                crate::kinds::note_performed(performed, key("SPM", number, part), new.clone());
            }
        }
    }
}
