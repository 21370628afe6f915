//! SPM → Specimen.

use warifu_diag::catalogue::map_lab::{MAP210, MAP216};
use warifu_fhir::Resource;
use warifu_fhir::element::specimen as el;
use warifu_hl7::time::{self, Oddity};
use warifu_hl7::{Part, Val};
use warifu_terms::maps::OrderFile;
use warifu_terms::{systems, units};

use crate::cx::{Cx, Performed, Sourced};
use crate::datatypes::{self, Times, Unit};
use crate::kinds::observation;
use crate::table::{Group, run};

use super::tables::SPM_TO_JP_SPECIMEN;
use super::walk::{Specimen, Walk};
use super::{Shared, joined, numbered_identifier};

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

/// Emits the Specimen of an SPM; returns the text of the reference to it.
pub(super) fn emit<'a>(
    cx: &mut Cx<'a, '_>,
    shared: &mut Shared<'a>,
    walk: &Walk<'a>,
    index: usize,
    s: &Specimen<'a>,
    order: &str,
) -> &'a str {
    let n = number(s.spm.field(2));
    let fallback;
    let key = if n.is_empty() {
        fallback = format!("SPM {}", index + 1);
        fallback.as_str()
    } else {
        n.text
    };
    // By the number that an order and its result have, a specimen is one.
    let mut kind = if n.is_empty() {
        shared.kind
    } else {
        joined::ORDER
    };
    if shared.file == OrderFile::Order {
        let told = cx.context.performed.get(&joined::key("SPM", order, key));
        let near = |p: &&Performed| joined::is_near(joined::day_of(cx), p.sent / joined::DAY);
        let told = told.filter(near).map(|p| p.said.clone());
        let parts = [kind, order, key];
        let id = cx.id("Specimen", &parts, s.spm.position(), "specimen");
        if cx.emitted("Specimen", id) {
            // Of an order of the same number before: no result's.
            kind = "OML-01 SPM";
        } else if let Some(said) = told {
            // The result makes it, and knows more of it.
            joined::beside(cx, [Some(s.spm), None, None], &said, OrderFile::Order);
            for nte in walk.notes(s.notes) {
                cx.stray_field(nte, 3, nte.field(3));
            }
            return cx.reference_text("Specimen", id);
        }
    }
    let id = super::unique(
        cx,
        "Specimen",
        &[kind, order, key],
        s.spm.position(),
        "specimen",
        &s.spm.field(2),
    );
    let mut r = cx.open("Specimen", id);
    let group = Group::of(&[s.spm]);
    run(&SPM_TO_JP_SPECIMEN, &mut r, cx, &group);
    r.row(super::row(&SPM_TO_JP_SPECIMEN));
    shared.subject(&mut r, el::SUBJECT);
    for nte in walk.notes(s.notes) {
        observation::note(&mut r, cx, el::NOTE, nte);
    }
    r.profile(JP_SPECIMEN);
    cx.emit(r);
    cx.reference_text("Specimen", id)
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
    let mut c = [Val::default(); 3];
    for (slot, part) in c.iter_mut().zip(cq.comp(2).subs()) {
        *slot = part.text().trimmed();
    }
    let [ascii, display, _] = c;
    let text = if display.is_empty() { ascii } else { display };
    match units::ucum(ascii.text, display.text) {
        Some(code) => Unit {
            text,
            system: systems::UCUM,
            code,
        },
        None => Unit {
            text,
            system: "",
            code: "",
        },
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
