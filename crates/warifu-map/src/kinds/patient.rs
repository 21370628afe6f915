//! Patient (JP_Patient) from PID, NK1, DB1; other kinds refer to it. Mapping §2.

use warifu_diag::catalogue::map_general::MAP008;
use warifu_fhir::Resource;
use warifu_fhir::element::patient as el;
use warifu_hl7::Part;

use crate::cx::{Cx, Sourced};
use crate::datatypes::{self, EN_REPRESENTATION, full_name};
use crate::table::{Group, Ignored, Table, run};

/// Canonical of JP_Patient.
pub const JP_PATIENT: &str = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Patient";

table! {
    /// PID → JP_Patient (JP Core 1.2.0). HL7 v2.5 §3.4.2; SS-MIX2 仕様書 ADT-00.
    PID_TO_JP_PATIENT: "Patient" {
        "PID-1" => "": ignored Ignored::Structural, "セットID";
        "PID-3" => "Patient.identifier": map identifier, "患者ID";
        "PID-5" => "Patient.name": map names, "患者氏名";
        "PID-7" => "Patient.birthDate": map birth_date, "生年月日";
        "PID-8" => "Patient.gender": map gender, "性別";
    }
}

/// Tables of this module.
pub static TABLES: &[&Table] = &[&PID_TO_JP_PATIENT];

/// ADT-00: the Patient and what hangs on it.
pub(crate) fn convert(cx: &mut Cx<'_, '_>) {
    patient(cx);
}

/// Makes a Patient from another kind's PID when no ADT-00 is part of the conversion.
pub(crate) fn ensure(cx: &mut Cx<'_, '_>) {
    if !cx.context.has_adt00 && !cx.emitted("Patient", cx.patient_id()) {
        patient(cx);
    }
}

fn patient(cx: &mut Cx<'_, '_>) {
    let Some(pid) = cx.message().first(b"PID") else {
        return;
    };
    let mut r = cx.open("Patient", cx.patient_id());
    let group = Group::of(&[pid]);
    run(&PID_TO_JP_PATIENT, &mut r, cx, &group);
    if r.has(el::IDENTIFIER) {
        r.profile(JP_PATIENT);
    }
    cx.emit(r);
}

/// PID-3: value as stored, zeros kept; system by institution.
fn identifier<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.comp(1).value().trimmed();
    let system = match cx.institution() {
        Some(n) => cx.text(&format!("urn:oid:1.2.392.100495.20.3.51.1{n}")),
        None => "urn:x-ssmix2:unknown:patient",
    };
    r.object(el::IDENTIFIER, |o| {
        o.constant("use", "usual");
        datatypes::identifier(o, system, v);
    });
}

/// PID-5: one HumanName a repetition; component 8 tells kanji (I), kana (P) and alphabet (A) apart.
fn names<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    for rep in f.reps() {
        let (family, given) = (rep.comp(1).value().trimmed(), rep.comp(2).value().trimmed());
        let form = rep.comp(8).value();
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
            o.constant("use", "official");
            o.also(given.src());
            o.string("text", text, family.src());
            o.string("family", family.text, family.src());
            o.array("given", |a| a.string(given.text, given.src()));
        });
    }
}

/// PID-7: the date part.
fn birth_date<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.value();
    if let Some(d) = datatypes::date(cx, v, "Patient.birthDate") {
        r.string(el::BIRTH_DATE, d, v.src());
    }
}

/// PID-8 (table 0001).
fn gender<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.value();
    let code = match v.text.trim() {
        "F" => "female",
        "M" => "male",
        "O" | "A" => "other",
        "U" | "N" => "unknown",
        _ => {
            cx.report_with(&MAP008, &v, "0001");
            "unknown"
        }
    };
    r.string(el::GENDER, code, v.src());
}
