//! SPM → Specimen.

use warifu_diag::catalogue::map_lab::{MAP210, MAP216, MAP220};
use warifu_fhir::Resource;
use warifu_fhir::element::specimen as el;
use warifu_hl7::time::{self, Oddity};
use warifu_hl7::{Part, Val};
use warifu_terms::maps::OrderFile;
use warifu_terms::{systems, units};

use crate::cx::{Cx, Sourced};
use crate::datatypes::{self, Times, Unit};
use crate::kinds::observation;
use crate::table::{Group, run};

use super::joined::{self, Identity};
use super::tables::SPM_TO_JP_SPECIMEN;
use super::walk::{Specimen, Walk};
use super::{Shared, numbered_identifier};

/// Canonical of JP_Specimen_Common.
const JP_SPECIMEN: &str = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Specimen_Common";

/// SPM-2: the number that identifies the specimen, the placer's first.
pub(super) fn number(spm: Part<'_>) -> Val<'_> {
    let placer = spm.comp(1).value().trimmed();
    if placer.is_empty() {
        spm.comp(2).value().trimmed()
    } else {
        placer
    }
}

/// Emits the Specimen of an SPM; returns the text of the reference to it, and what tells it from the others of
/// its order.
pub(super) fn emit<'a>(
    cx: &mut Cx<'a, '_>,
    shared: &mut Shared<'a>,
    walk: &Walk<'a>,
    index: usize,
    s: &Specimen<'a>,
    order: &str,
) -> (&'a str, &'a str) {
    let own = Identity::of(cx, walk, index);
    // By the number that an order and its result have, a specimen is one.
    let (kind, key) = match &own {
        Some(own) => (joined::ORDER, own.key),
        None => (
            shared.kind,
            bumpalo::format!(in cx.message().arena(), "SPM {}", index + 1).into_bump_str(),
        ),
    };
    let numbered = own.as_ref().map(|own| (order, own));
    let known = numbered.and_then(|own| joined::specimen_of(cx, own, shared.file, s.spm));
    if let Some((id, said)) = known {
        joined::beside(cx, [Some(s.spm), None, None], &said, OrderFile::Order);
        for nte in walk.notes(s.notes) {
            cx.stray_field(nte, 3, nte.field(3));
        }
        return (cx.reference_text("Specimen", id), key);
    }
    let at = s.spm.field(2).src();
    let parts = [kind, order, key];
    let n = s.spm.position();
    let made = cx.out.diagnostics.len();
    let id = cx.id_once(Cx::order_id, &MAP220, "Specimen", &parts, n, "specimen", at);
    if let Some(own) = numbered
        && !joined::note_specimen(cx, own, id, s.spm)
        && cx.out.diagnostics.len() == made
    {
        cx.report(&MAP220, &at);
    }
    let mut r = cx.open("Specimen", id);
    let mut group = Group::of(&[s.spm]);
    for nte in walk.notes(s.notes) {
        group.push(nte);
    }
    run(&SPM_TO_JP_SPECIMEN, &mut r, cx, &group);
    r.row(super::row(&SPM_TO_JP_SPECIMEN));
    shared.subject(&mut r, el::SUBJECT);
    for nte in walk.notes(s.notes) {
        observation::note(&mut r, cx, el::NOTE, nte);
    }
    r.profile(JP_SPECIMEN);
    cx.emit(r);
    (cx.reference_text("Specimen", id), key)
}

/// SPM-2 (EIP): placer's and filler's number.
pub(super) fn identifiers<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    for (n, code, display) in [
        (1, "PLAC", "Placer Identifier"),
        (2, "FILL", "Filler Identifier"),
    ] {
        let v = f.comp(n).value().trimmed();
        numbered_identifier(r, cx, el::IDENTIFIER, v, code, display);
    }
}

/// SPM-4: JLAC10 specimen codes have three digits and a system of their own.
pub(super) fn kind<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let triplets = datatypes::both_triplets(f);
    if triplets.iter().all(|t| t.code.is_empty()) {
        cx.report(&MAP210, &f);
    }
    r.object(el::TYPE, |o| {
        o.array("coding", |a| {
            for t in &triplets {
                if t.code.is_empty() {
                    continue;
                }
                if systems::trim_name(t.system.text).eq_ignore_ascii_case("JC10") {
                    let system = datatypes::local_system(cx, "JC10-specimen");
                    a.object(|o| {
                        o.string("system", system, t.system.src());
                        o.string("code", t.code.text, t.code.src());
                        o.string("display", t.text.text, t.text.src());
                    });
                } else {
                    datatypes::coding(a, cx, t);
                }
            }
        });
        let text = triplets
            .iter()
            .find_map(|t| t.text.some())
            .unwrap_or_else(|| f.comp(9).text());
        o.string("text", text.text, text.src());
    });
}

/// SPM-8, SPM-12 and SPM-17 → `collection`.
pub(super) fn collection<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, g: &Group<'a>, f: Part<'a>) {
    let Some(spm) = g.first(*b"SPM") else { return };
    let (start, end) = (f.comp(1).value().trimmed(), f.comp(2).value().trimmed());
    if time::parse(start.text).is_some_and(|t| t.oddity == Oddity::Midnight) {
        cx.report(&MAP216, &start);
    }
    let amount = spm.field(12);
    let unit = amount_unit(amount);
    let site = spm.field(8);
    let collected = Times::read(cx, start, end, ["Specimen.collection.collected"; 2]);
    r.object(el::COLLECTION, |o| {
        collected.write_in(o, cx, ["collectedDateTime", "collectedPeriod"]);
        if amount.is_some() {
            o.object("quantity", |o| {
                datatypes::quantity(o, cx, amount.comp(1).value().trimmed(), &unit);
            });
        }
        if site.is_some() {
            o.object("bodySite", |o| super::concept_or_text(o, cx, site));
        }
    });
}

/// Unit of a CQ: component 2 is a CWE whose parts are sub-components (`mL&mL&ISO+`).
fn amount_unit(cq: Part<'_>) -> Unit<'_> {
    let [t, _] = datatypes::sub_triplets(cq.comp(2));
    let pair = [t; 2];
    let text = datatypes::said(&pair);
    match units::ucum(t.code.text, t.text.text) {
        Some(code) => Unit::coded(text, systems::UCUM, code, &pair),
        None => Unit::uncoded(text),
    }
}

/// SPM-18.
pub(super) fn received<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    datatypes::add_date_time(r, cx, el::RECEIVED_TIME, f.value().trimmed());
}

/// SPM-27.
pub(super) fn container<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    r.object(el::CONTAINER, |o| {
        o.object("type", |o| super::concept_or_text(o, cx, f));
    });
}
