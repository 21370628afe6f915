//! Practitioner (JP_Practitioner) from XCN; shared by all kinds.

use warifu_fhir::Id;
use warifu_fhir::element::practitioner as el;
use warifu_hl7::Part;

use crate::cx::{Cx, Sourced};
use crate::datatypes::{EN_REPRESENTATION, full_name};
use crate::table::Table;

/// Canonical of JP_Practitioner.
pub const JP_PRACTITIONER: &str = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Practitioner";

table! {
    /// XCN → JP_Practitioner (HL7 v2.5 §2.A.86; JP Core 1.2.0).
    XCN_TO_JP_PRACTITIONER: "Practitioner" {
        "XCN-1" => "Practitioner.identifier": part, "ID番号";
        "XCN-2" => "Practitioner.name.family": part, "姓";
        "XCN-3" => "Practitioner.name.given": part, "名";
        "XCN-15" => "Practitioner.name.extension": part, "名前表記コード";
    }
}

/// Tables of this module.
pub static TABLES: &[&Table] = &[&XCN_TO_JP_PRACTITIONER];

/// Emits the Practitioner of an XCN field; repetitions are forms of one name.
pub(crate) fn emit<'a>(cx: &mut Cx<'a, '_>, id: Id, xcn: Part<'a>) {
    let mut r = cx.open("Practitioner", id);
    r.row(Some(&XCN_TO_JP_PRACTITIONER.rows[0].row));
    let number = xcn.comp(1).value().trimmed();
    let system = cx
        .institution()
        .map_or("urn:x-ssmix2:unknown:practitioner", |n| {
            cx.text(&format!("urn:oid:1.2.392.100495.20.3.41.1{n}"))
        });
    r.object(el::IDENTIFIER, |o| {
        o.string("system", system, number.src());
        o.string("value", number.text, number.src());
    });
    for rep in xcn.reps() {
        let (family, given) = (rep.comp(2).value().trimmed(), rep.comp(3).value().trimmed());
        if family.is_empty() && given.is_empty() {
            continue;
        }
        let form = rep.comp(15).value();
        let code = match form.text.trim() {
            "I" => "IDE",
            "P" => "SYL",
            "A" => "ABC",
            _ => "",
        };
        let text = full_name(cx, family, given);
        r.object(el::NAME, |o| {
            if !code.is_empty() {
                o.array("extension", |a| {
                    a.object(|o| {
                        o.constant("url", EN_REPRESENTATION);
                        o.string("valueCode", code, form.src());
                    });
                });
            }
            o.also(given.src());
            o.string("text", text, family.src());
            o.string("family", family.text, family.src());
            o.array("given", |a| a.string(given.text, given.src()));
        });
    }
    r.profile(JP_PRACTITIONER);
    cx.emit(r);
}
