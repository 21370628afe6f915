//! Patient (`JP_Patient`) from PID, NK1, DB1, PD1; other kinds refer to it. Mapping §2, §12.

use warifu_diag::catalogue::map_admin::{MAP104, MAP111, MAP114, MAP122, MAP123, MAP124, MAP128};
use warifu_diag::catalogue::map_general::{MAP003, MAP004, MAP008, MAP018};
use warifu_diag::{Diagnostic, Label};
use warifu_fhir::element::{self, patient as el};
use warifu_fhir::{Resource, RowId, Src};
use warifu_hl7::{Message, Part, Segment, time};
use warifu_ssmix2::DataKind;
use warifu_terms::{maps, systems};

use crate::cx::{Cx, Item, PatientContext, Sourced, span};
use crate::datatypes::{self, address, codeable_concept, human_name, patient_name, telecom};
use crate::output::Output;
use crate::table::{
    Group, Ignored, REST, Worded, each_rest, is_protected, keep, keep_rest, kept, report_beyond,
    run,
};

/// Canonical of `JP_Patient`.
pub const JP_PATIENT: &str = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Patient";
/// FHIR R4 extension for the place of birth.
const BIRTH_PLACE: &str = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace";
/// FHIR R4 extension for a disability.
const DISABILITY: &str = "http://hl7.org/fhir/StructureDefinition/patient-disability";

table! {
    /// PID → `JP_Patient` (JP Core 1.2.0). HL7 v2.5 §3.4.2; SS-MIX2 仕様書 ADT-00.
    PID_TO_JP_PATIENT: "Patient" keeps "PID" {
        "PID-1" => "": ignored Ignored::Structural, "セットID";
        "PID-3" => "Patient.identifier": always identifier, "患者IDリスト";
        "PID-5" => "Patient.name": map names, "患者氏名";
        "PID-7" => "Patient.birthDate": map birth_date, "生年月日";
        "PID-8" => "Patient.gender": map gender, "性別";
        "PID-9" => "Patient.name, Patient.birthDate": map alias, "患者別名";
        "PID-11" => "Patient.address": map addresses, "患者住所";
        "PID-13" => "Patient.telecom": map home_telecom, "電話番号−自宅";
        "PID-14" => "Patient.telecom": map work_telecom, "電話番号−勤務先";
        "PID-15" => "Patient.communication.language": map language, "使用言語";
        "PID-16" => "Patient.maritalStatus": map marital_status, "婚姻状況";
        "PID-19" => "": ignored Ignored::Protected, "社会保障番号";
        "PID-23" => "Patient.extension:birthPlace": map birth_place, "出生場所";
        "PID-24" => "Patient.multipleBirthBoolean": map multiple_birth, "多胎児識別";
        "PID-25" => "Patient.multipleBirthInteger": always birth_order, "誕生順序";
        "PID-29" => "Patient.deceasedDateTime": map deceased_time, "死亡日時";
        "PID-30" => "Patient.deceasedBoolean": map deceased, "死亡表示";
        "PID-33" => "": ignored Ignored::Transport, "最終更新日時";
    }
}

table! {
    /// NK1 → `JP_Patient.contact` (JP Core 1.2.0). HL7 v2.5 §3.4.5; SS-MIX2 仕様書 ADT-00.
    NK1_TO_JP_PATIENT: "Patient" keeps "NK1" {
        "NK1-1" => "": ignored Ignored::Structural, "セットID";
        "NK1-2" => "Patient.contact.name": part, "氏名";
        "NK1-3" => "Patient.contact.relationship": part, "続柄";
        "NK1-4" => "Patient.contact.address": part, "住所";
        "NK1-5" => "Patient.contact.telecom": part, "電話番号";
        "NK1-6" => "Patient.contact.telecom": part, "勤務先電話番号";
        "NK1-13" => "Patient.contact.organization": part, "所属組織名";
        "NK1-33" => "": lost, "近親者ID";
        "NK1-37" => "": ignored Ignored::Protected, "社会保障番号";
    }
}

table! {
    /// DB1 → extension patient-disability (FHIR R4). HL7 v2.5 §3.4.12; SS-MIX2 仕様書 ADT-00.
    DB1_TO_JP_PATIENT: "Patient" keeps "DB1" {
        "DB1-1" => "": ignored Ignored::Structural, "セットID";
        "DB1-2" => "Patient.extension:disability": part, "身体障害者コード";
        "DB1-4" => "Patient.extension:disability": part, "身体障害の有無";
    }
}

table! {
    /// PD1 → `JP_Patient` (outside the SS-MIX2 tables, read where sent). HL7 v2.5 §3.4.10.
    PD1_TO_JP_PATIENT: "Patient" keeps "PD1" {
        "PD1-4" => "Patient.generalPractitioner": map general_practitioner, "かかりつけ医";
    }
}

table! {
    /// PV1, PV2 and EVN of ADT-00 and ADT-61: the state at that moment, told again by the dated ADT
    /// kinds (mapping §3: no Encounter is made of them).
    PV1_OF_SNAPSHOT: "Encounter" {
        "EVN-2" => "": ignored Ignored::Transport, "記録日時";
        "EVN-6" => "": ignored Ignored::Redundant, "事象発生日時";
        "PV1-2" => "": ignored Ignored::Redundant, "患者区分";
        "PV1-3" => "": ignored Ignored::Redundant, "患者の所在場所";
        "PV1-7" => "": ignored Ignored::Redundant, "主治医";
        "PV1-10" => "": ignored Ignored::Redundant, "診療科";
        "PV1-17" => "": ignored Ignored::Redundant, "入院時の主治医";
    }
}

/// Tables of this module.
pub static TABLES: &[Worded] = crate::worded![
    PID_TO_JP_PATIENT,
    NK1_TO_JP_PATIENT,
    DB1_TO_JP_PATIENT,
    PD1_TO_JP_PATIENT,
    PV1_OF_SNAPSHOT,
];

/// ADT-00: the Patient and what hangs on it (insurance, allergies, body measures). `A23` withdraws
/// the patient: deleted when nothing else of the patient is known, else inactive.
pub(crate) fn convert(cx: &mut Cx<'_, '_>) {
    let msh = cx.message().first(b"MSH");
    if msh.is_some_and(|s| s.field(9).comp(2).value().text.trim() == "A23") {
        if let Some(msh) = msh {
            cx.report(&MAP104, &msh.field(9));
        }
        if !cx.context.referred {
            let message = cx.message().number();
            cx.withdraw("Patient", cx.patient_id(), message);
            return;
        }
        patient(cx, false);
        return;
    }
    // The flag 0 means the same when such a file is converted by itself.
    patient(cx, cx.item.flag != b'0');
    super::coverage::convert(cx);
    super::allergy::of_patient(cx);
    super::patient_observation::convert(cx);
}

/// Makes a Patient from another kind's PID when no ADT-00 is part of the conversion: from the newest
/// message ([`survey`]); otherwise the PID only says whose message it is. A patient whose ADT-00 is
/// withdrawn, but to whom something living refers, is inactive.
pub(crate) fn ensure(cx: &mut Cx<'_, '_>) {
    let number = cx.message().number();
    let newest = cx.context.told_by.is_none_or(|newest| newest == number);
    if !cx.context.has_adt00 && newest && !cx.emitted("Patient", cx.patient_id()) {
        patient(cx, !cx.context.withdrawn);
    } else if let Some(pid) = cx.message().first(b"PID") {
        cx.used_all(pid);
    }
}

/// Chooses the message whose PID describes a patient: the ADT-00, else the newest (MSH-7, else the time
/// of the file name) of those that name the patient. Reports, once a field, where another message
/// says otherwise.
pub(crate) fn survey(
    out: &mut Output,
    context: &mut PatientContext,
    messages: &[(Item<'_>, Message<'_>)],
) {
    if messages.len() < 2 {
        return;
    }
    let mut newest: Option<((bool, bool, u64), Segment<'_>)> = None;
    for (item, message) in messages {
        let Some(pid) = message
            .first(b"PID")
            .filter(|_| super::is_known(item, *message))
        else {
            continue;
        };
        let sent =
            time::parse(message.value(b"MSH", 7).text).or_else(|| time::parse(item.timestamp));
        let basic = item.kind == Some(DataKind::Adt00);
        let sent = sent.map_or(0, |t| t.sort_key());
        let key = (basic, pid.field(5).is_some(), sent);
        if newest.is_none_or(|(other, _)| key > other) {
            newest = Some((key, pid));
        }
    }
    let Some((_, newest)) = newest else {
        return;
    };
    context.told_by = Some(newest.message().number());
    for (field, name) in [
        (5, "PID-5"),
        (7, "PID-7"),
        (8, "PID-8"),
        (11, "PID-11"),
        (13, "PID-13"),
        (14, "PID-14"),
    ] {
        // Beside the basic data an address or a number only grows old.
        if context.has_adt00 && field > 8 {
            break;
        }
        let used = newest.field(field);
        let others = messages.iter().rev().filter_map(|(item, message)| {
            let pid = message.first(b"PID")?;
            super::is_known(item, *message).then(|| pid.field(field))
        });
        let mut others = others.filter(Part::is_some);
        if used.is_some() {
            let Some(other) = others.find(|other| says_otherwise(*other, used)) else {
                continue;
            };
            let label = Label {
                span: span(used.src()),
                path: None,
                ja: "使った値",
                en: "the value used",
            };
            let found = Diagnostic::new(&MAP123, span(other.src()));
            out.report(found.with(name).with_label(label));
        } else if let Some(other) = others.next().filter(|_| !context.has_adt00) {
            out.report(Diagnostic::new(&MAP124, span(other.src())).with(name));
        }
    }
}

/// Whether two fields have different values: the same bytes never have, a name in another script
/// neither.
fn says_otherwise(a: Part<'_>, b: Part<'_>) -> bool {
    if a.raw() == b.raw() {
        return false;
    }
    let text = |f: Part<'_>, n: usize| f.comp(n).text().trimmed().text.to_owned();
    text(a, 8) == text(b, 8) && (text(a, 1), text(a, 2)) != (text(b, 1), text(b, 2))
}

fn patient(cx: &mut Cx<'_, '_>, active: bool) {
    let Some(pid) = cx.message().first(b"PID") else {
        return;
    };
    let id = cx.patient_id();
    // What hangs on the PID may lie anywhere in the message; the PID alone is one run of bytes.
    let only_pid = cx
        .message()
        .segments()
        .all(|s| !matches!(&s.name(), b"PD1" | b"NK1" | b"DB1"));
    // What waits goes with the person in an ADT-00 only.
    let kept = cx.kind() == Some(DataKind::Adt00) && cx.strays.wait();
    if active && only_pid && !kept {
        let (start, end) = pid.span();
        let raw = message_bytes(cx, start, end);
        let at = (pid.message(), start);
        cx.emit_shared("Patient", id, at, &[raw], |cx| build(cx, pid, active));
    } else {
        let r = build(cx, pid, active);
        cx.emit(r);
    }
}

fn message_bytes<'a>(cx: &Cx<'a, '_>, start: u32, end: u32) -> &'a [u8] {
    let at = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    let bytes = cx.message().bytes();
    bytes.get(at(start)..at(end)).unwrap_or_default()
}

fn build<'a>(cx: &mut Cx<'a, '_>, pid: Segment<'a>, active: bool) -> Resource {
    let mut r = cx.open("Patient", cx.patient_id());
    if !active {
        r.add(el::ACTIVE, |v| v.boolean(false, Src::NONE));
    }
    let mut group = Group::of(&[pid]);
    if let Some(pd1) = cx.message().first(b"PD1") {
        group.push(pd1);
    }
    run(&PID_TO_JP_PATIENT, &mut r, cx, &group);
    run(&PD1_TO_JP_PATIENT, &mut r, cx, &group);
    for segment in cx.message().segments() {
        match &segment.name() {
            b"NK1" => contact(&mut r, cx, segment),
            b"DB1" => disability(&mut r, cx, segment),
            _ => {}
        }
    }
    if cx.kind() == Some(DataKind::Adt00) && cx.strays.wait() {
        // What stands behind the insurance goes with it.
        let insurance = cx.message().first(b"IN1").map(|s| s.position());
        cx.keep_strays_before(&mut r, insurance.unwrap_or(u32::MAX));
    }
    if r.has(el::IDENTIFIER) {
        r.profile(JP_PATIENT);
    } else {
        cx.report_with(&MAP004, &pid.field(3), "JP_Patient");
    }
    r
}

/// Codes of table 0203 for the numbers of persons.
const NUMBER_KINDS: &str = "AN BC BR CC DI DL DN DR EI EN FI GI GN HC JHN LN LR MA MB MC MCN MR NI NPI PE PI PN PPN PRN PT RI RR SN SS U VN VS XX";

/// System of the numbers that the institution gives its patients.
#[inline(never)]
pub(crate) fn system_of_numbers<'a>(cx: &Cx<'a, '_>) -> &'a str {
    let own = |n| crate::cx::concat(cx.message().arena(), &[systems::ID_PATIENT_PREFIX, n]);
    cx.institution().map_or("urn:x-ssmix2:unknown:patient", own)
}

/// PID-3: value as stored, zeros kept; system by institution. Where a message pads the number otherwise
/// than the storage's folder, or not at all, the folder decides, so that every message gives the same
/// identifier.
fn identifier<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.comp(1).value().trimmed();
    let folder = cx.item.patient;
    let v = if v.is_empty() { v.map(folder) } else { v };
    if folder.is_empty() && !warifu_ssmix2::is_patient_number(v.text) || v.is_empty() {
        return;
    }
    let system = system_of_numbers(cx);
    cx.used(&f.comp(5));
    let v = if !folder.is_empty() && folder != v.text && warifu_ssmix2::same_patient(folder, v.text)
    {
        cx.report(&MAP122, &v);
        v.map(folder)
    } else {
        v
    };
    r.object(el::IDENTIFIER, |o| {
        o.constant("use", "usual");
        datatypes::identifier(o, system, v);
        assigner(o, f.comp(4).text().trimmed());
    });
    // Further numbers: of whom they are says component 4, which is no URI; of what kind, component 5.
    for rep in f.reps().skip(1).filter(|rep| !is_protected(*rep)) {
        let (number, authority) = (rep.comp(1).value().trimmed(), rep.comp(4).text().trimmed());
        if number.is_empty() {
            continue;
        }
        let system = datatypes::local_system(cx, authority.text);
        let kind = rep.comp(5).value().trimmed();
        // What is no code of table 0203 is text.
        let coded = !kind.is_empty() && crate::table::is_listed(NUMBER_KINDS, kind.text);
        r.object(el::IDENTIFIER, |o| {
            o.object("type", |o| {
                if coded {
                    o.array("coding", |a| {
                        a.object(|o| {
                            o.constant("system", systems::V2_0203);
                            o.string("code", kind.text, kind.src());
                        });
                    });
                } else {
                    o.string("text", kind.text, kind.src());
                }
            });
            o.string(
                "system",
                system,
                if authority.is_empty() {
                    number.src()
                } else {
                    authority.src()
                },
            );
            o.string("value", number.text, number.src());
            assigner(o, authority);
        });
    }
}

/// Who gave a number, as sent.
fn assigner(o: &mut warifu_fhir::Object<'_>, authority: warifu_hl7::Val<'_>) {
    o.object("assigner", |o| {
        o.string("display", authority.text, authority.src());
    });
}

/// PID-5: one `HumanName` a repetition; component 8 tells kanji (I), kana (P) and alphabet (A) apart.
fn names<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    for rep in f.reps() {
        name(r, cx, rep, "official");
    }
}

/// One name; component 7 (table 0200) says what it is used for.
fn name<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, rep: Part<'a>, otherwise: &'static str) {
    let name = patient_name(cx, rep);
    let kind = rep.comp(7);
    cx.used(&kind);
    let name_use = match kind.value().text.trim() {
        "M" => "maiden",
        "N" => "nickname",
        "S" => "anonymous",
        "D" => "usual",
        // At birth, adopted, as licensed, tribal, unknown: R4 has no use for it.
        "B" | "C" | "T" | "U" => "",
        _ => otherwise,
    };
    r.object(el::NAME, |o| {
        human_name(o, &name, name_use);
        for (key, n) in [("prefix", 5), ("suffix", 4)] {
            let v = rep.comp(n).value().trimmed();
            o.array(key, |a| a.string(v.text, v.src()));
        }
    });
}

/// PID-7: the date part; a time is kept with the field.
fn birth_date<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.value();
    if let Some(d) = datatypes::date(cx, v, "Patient.birthDate") {
        r.string(el::BIRTH_DATE, d, v.src());
        if v.text.trim_end_matches('0').len() > 8 {
            keep(r, cx, "PID-7", f);
        }
    }
}

/// PID-9: another name. Some systems write the birth date here; it is taken only when PID-7 is empty
/// and it is eight digits.
fn alias<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    let v = f.value();
    let eight = v.text.len() == 8 && v.text.bytes().all(|b| b.is_ascii_digit());
    if !eight {
        for rep in f.reps().filter(Part::is_some) {
            name(r, cx, rep, "nickname");
        }
        return;
    }
    if group.field(*b"PID", 7).is_some_and(|f| f.is_some()) {
        keep(r, cx, "PID-9", f);
    } else if let Some(d) = datatypes::date(cx, v, "Patient.birthDate") {
        cx.report(&MAP111, &v);
        r.string(el::BIRTH_DATE, d, v.src());
        if v.text.trim_end_matches('0').len() > 8 {
            keep(r, cx, "PID-7", f);
        }
    }
}

/// PID-15: FHIR allows languages of BCP 47 only.
fn language<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let mut sent = datatypes::both_triplets(f).into_iter().map(|t| t.code);
    let Some(code) = sent.find(|code| maps::is_language_tag(code.text)) else {
        keep(r, cx, "PID-15", f);
        return;
    };
    let (language, rest) = code.text.split_at_checked(2).unwrap_or((code.text, ""));
    let tag = language.to_ascii_lowercase() + rest;
    r.object(el::COMMUNICATION, |o| {
        o.object("language", |o| {
            o.array("coding", |a| {
                a.object(|o| {
                    o.constant("system", systems::BCP_47);
                    o.string("code", &tag, code.src());
                });
                for t in datatypes::triplets(f) {
                    datatypes::coding(a, cx, &t);
                }
            });
            let text = datatypes::triplets(f).find_map(|t| t.text.some());
            let text = text.unwrap_or_default();
            o.string("text", text.text, text.src());
        });
    });
}

/// PID-16 (table 0002), with the code of v3-MaritalStatus beside it.
fn marital_status<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    r.object(el::MARITAL_STATUS, |o| {
        datatypes::concept_of(o, cx, f, &mut |a, _, f| {
            let [sent, _] = datatypes::both_triplets(f);
            let of_table = matches!(systems::trim_name(sent.system.text), "" | "HL70002");
            let code = maps::marital_status(sent.code.text).filter(|_| of_table);
            if let Some(code) = code {
                a.object(|o| {
                    o.constant("system", systems::V3_MARITAL_STATUS);
                    o.string("code", code, sent.code.src());
                });
            }
        });
    });
}

/// PID-23.
fn birth_place<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.text().trimmed();
    r.object(element::EXTENSION, |o| {
        o.constant("url", BIRTH_PLACE);
        o.object("valueAddress", |o| o.string("text", v.text, v.src()));
    });
}

/// PID-24 (table 0136); the number of PID-25 says more of a child that is one of several.
fn multiple_birth<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    let v = f.value();
    let born_as = group.field(*b"PID", 25);
    match v.text.trim() {
        "Y" if born_as.is_some_and(is_count) => cx.used(&v),
        text => yes_or_no(r, cx, el::MULTIPLE_BIRTH_BOOLEAN, ("PID-24", text), f),
    }
}

/// A field of table 0136; what is none of its values is kept.
fn yes_or_no<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    element: warifu_fhir::Element,
    (name, text): (&'static str, &str),
    f: Part<'a>,
) {
    if matches!(text, "Y" | "N") {
        r.add(element, |o| o.boolean(text == "Y", f.value().src()));
    } else {
        cx.report_with(&MAP008, &f.value(), "0136");
        keep(r, cx, name.to_owned(), f);
    }
}

fn is_count(f: Part<'_>) -> bool {
    let text = f.value().text.trim();
    (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// PID-25.
fn birth_order<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.value().trimmed();
    if is_count(f) && !r.has(el::MULTIPLE_BIRTH_BOOLEAN) {
        let number = v.text.trim_start_matches('0');
        let number = if number.is_empty() { "0" } else { number };
        r.add(el::MULTIPLE_BIRTH_INTEGER, |o| o.number(number, v.src()));
    } else if f.is_some() {
        keep(r, cx, "PID-25", f);
    }
}

/// PID-8 (table 0001).
fn gender<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.value();
    let code = maps::GENDER.translate(v.text);
    if !code.known {
        cx.report_with(&MAP008, &v, "0001");
        keep(r, cx, "PID-8", f);
    }
    r.string(el::GENDER, code.to, v.src());
}

/// PID-11.
fn addresses<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    for rep in f.reps() {
        r.object(el::ADDRESS, |o| address(o, cx, rep));
    }
}

/// PID-13.
fn home_telecom<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    for rep in f.reps() {
        r.object(el::TELECOM, |o| telecom(o, cx, rep, Some("home")));
    }
}

/// PID-14.
fn work_telecom<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    for rep in f.reps() {
        r.object(el::TELECOM, |o| telecom(o, cx, rep, Some("work")));
    }
}

/// PID-29, unless PID-30 denies it: then nobody knows whether the person lives, and both are kept.
fn deceased_time<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, g: &Group<'a>, f: Part<'a>) {
    let said = g.first(*b"PID").map(|pid| pid.field(30));
    let Some(denied) = said.filter(|said| said.value().text.trim() == "N") else {
        datatypes::add_date_time(r, cx, el::DECEASED_DATE_TIME, f.value());
        return;
    };
    cx.report(&MAP128, &denied);
    keep(r, cx, "PID-29", f);
    keep(r, cx, "PID-30", denied);
    cx.used(&denied);
}

/// PID-30 (table 0136); the time of PID-29 says more.
fn deceased<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, g: &Group<'a>, f: Part<'a>) {
    let v = f.value();
    let denied = g.first(*b"PID").is_some_and(|pid| pid.field(29).is_some());
    if denied && v.text.trim() == "N" {
        return;
    }
    if r.has(el::DECEASED_DATE_TIME) {
        if v.text.trim() != "Y" {
            cx.report(&MAP128, &v);
            keep(r, cx, "PID-30", f);
        }
        cx.used(&v);
        return;
    }
    yes_or_no(r, cx, el::DECEASED_BOOLEAN, ("PID-30", v.text.trim()), f);
}

/// PD1-4.
fn general_practitioner<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    datatypes::add_people(r, cx, el::GENERAL_PRACTITIONER, f);
}

fn row(source: &str) -> Option<&'static RowId> {
    super::practitioner::row(&NK1_TO_JP_PATIENT, source)
}

/// Notes that nothing is made of a contact. Only a trace has use for that.
#[inline(never)]
fn lose<'a>(cx: &mut Cx<'a, '_>, nk1: Segment<'a>) {
    for (n, field) in nk1.fields().filter(|(n, f)| *n > 1 && f.is_some()) {
        let mut rows = NK1_TO_JP_PATIENT.rows.iter();
        if let Some(row) = rows.find(|r| usize::from(r.field) == n) {
            cx.out.lost.push((field.src(), &row.row));
        }
    }
}

/// One NK1 → one contact. The patient (`SEL`) is no contact of themselves.
fn contact<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, nk1: Segment<'a>) {
    let relation = nk1.field(3);
    if relation.comp(1).value().text.trim() == "SEL" {
        cx.report(&MAP114, &relation);
        if cx.options().trace {
            lose(cx, nk1);
        }
        return;
    }
    let before = r.row(row("NK1-2"));
    r.object(el::CONTACT, |o| {
        o.row(row("NK1-3"));
        o.array("relationship", |a| {
            a.object(|o| contact_relationship(o, cx, relation));
        });
        o.row(row("NK1-2"));
        let named = |name: &str| row(name).or(Some(&REST));
        let others = contact_name(o, cx, nk1.field(2));
        let mut others: Vec<_> = others
            .into_iter()
            .map(|rep| ("NK1-2".to_owned(), rep))
            .collect();
        o.row(row("NK1-5"));
        o.array("telecom", |a| {
            for (n, field_use) in [(5, None), (6, Some("work"))] {
                for rep in nk1.field(n).reps() {
                    a.object(|o| telecom(o, cx, rep, field_use));
                }
            }
        });
        o.row(row("NK1-4"));
        // One address a contact in R4: the home address first.
        let addresses = nk1.field(4);
        let home = addresses
            .reps()
            .find(|rep| rep.comp(7).value().text.trim() == "H");
        let chosen = home.or_else(|| addresses.reps().find(Part::is_some));
        if let Some(rep) = chosen {
            o.object("address", |o| address(o, cx, rep));
        }
        let further = addresses
            .reps()
            .filter(|rep| rep.is_some() && chosen.is_some_and(|c| c.span() != rep.span()));
        others.extend(further.map(|rep| ("NK1-4".to_owned(), rep)));
        others.retain(|(_, rep)| !cx.is_kept_whole(*rep));
        report_beyond(cx, nk1);
        each_rest(&NK1_TO_JP_PATIENT, nk1, &[], &mut |n, f| {
            others.push((warifu_diag::field_name("NK1", n), f));
        });
        o.array("extension", |a| {
            for (source, other) in others {
                a.object(|o| {
                    o.row(named(&source));
                    kept(o, &source, other);
                });
                cx.report_with(&MAP003, &other, source);
            }
        });
        o.row(row("NK1-13"));
        let employer = nk1.field(13);
        let name = employer.comp(1).value().trimmed();
        cx.used(&employer.comp(2));
        o.object("organization", |o| {
            o.string("display", name.text, name.src());
        });
    });
    r.row(before);
}

/// NK1-2: a contact has one name in R4: the kanji form, else the first; the others are kept beside it.
fn contact_name<'a>(
    o: &mut warifu_fhir::Object<'_>,
    cx: &mut Cx<'a, '_>,
    names: Part<'a>,
) -> Vec<Part<'a>> {
    let mut chosen: Option<(Part<'a>, datatypes::PersonName<'a>)> = None;
    let mut others = Vec::new();
    for rep in names.reps().filter(Part::is_some) {
        let name = patient_name(cx, rep);
        cx.used(&rep.comp(7));
        let better = chosen
            .as_ref()
            .is_none_or(|(_, n)| n.representation != "IDE" && name.representation == "IDE");
        if better {
            others.extend(chosen.replace((rep, name)).map(|(other, _)| other));
        } else {
            others.push(rep);
        }
    }
    if let Some((_, name)) = chosen {
        o.object("name", |o| human_name(o, &name, "official"));
    }
    others
}

/// NK1-3 in v2-0063 with the display of that code system; the sent text stays in `text`.
fn contact_relationship<'a>(o: &mut warifu_fhir::Object<'_>, cx: &mut Cx<'a, '_>, cwe: Part<'a>) {
    let code = cwe.comp(1).value().trimmed();
    match maps::contact_relationship(code.text) {
        Some(known) => {
            cx.used(&cwe.comp(3));
            datatypes::coded_concept(o, systems::V2_0063, known.code, known.display, code.src());
            let text = cwe.comp(2).value().trimmed();
            o.string("text", text.text, text.src());
        }
        None if !cwe.is_some() => {}
        None => {
            cx.report_with(&MAP008, &code, "0063");
            codeable_concept(o, cx, cwe);
        }
    }
}

/// DB1: a disability of the patient (`PT`) that is there (`Y`); the standard has no kind of it.
fn disability<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, db1: Segment<'a>) {
    let (who, there) = (
        db1.field(2).value().trimmed(),
        db1.field(4).value().trimmed(),
    );
    // What is said of another person than the patient (guarantor, insured) is nothing of this record.
    if matches!(who.text, "PT" | "") {
        keep_rest(&DB1_TO_JP_PATIENT, r, cx, &[db1]);
    } else {
        cx.report_with(&MAP018, &db1, "DB1");
        return;
    }
    if who.text != "PT" || there.text != "Y" {
        if !matches!(there.text, "Y" | "N" | "") {
            cx.unlisted(there, "0136");
        }
        if who.is_empty() && there.text == "Y" {
            cx.unread(there, "DB1-4");
        }
        cx.used(&who);
        cx.used(&there);
        return;
    }
    let before = r.row(super::practitioner::row(&DB1_TO_JP_PATIENT, "DB1-4"));
    r.object(element::EXTENSION, |o| {
        o.constant("url", DISABILITY);
        o.object("valueCodeableConcept", |o| {
            o.also(who.src());
            o.string("text", "障害あり", there.src());
        });
    });
    r.row(before);
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]
mod tests {
    use crate::testing::{all, at, convert, convert_patient, one, path, reported};

    const HEAD: &str =
        "MSH|^~\\&|A|B|C|D|20260401090512||ADT^A08^ADT_A01|1|P|2.5\r\nEVN||20260401090512\r\n";

    fn adt00(rest: &str) -> crate::Output {
        convert("ADT-00", &format!("{HEAD}{rest}"))
    }

    #[test]
    fn kinds_of_further_numbers_are_codes_of_the_table_or_text() {
        let out = convert(
            "ADT-00",
            "MSH|^~\\&|A|B|C|D|20260401||ADT^A08^ADT_A01|1|P|2.5\nPID|1||0000990001^^^^PI~12^^^他院^MR~13^^^他院^QQ9||割符^花子^^^^^L^I||19680303|F",
        );
        let patient = one(&out, "Patient");
        let kind = &patient["identifier"][1]["type"];
        assert_eq!(kind["coding"][0]["code"], "MR");
        assert!(kind["coding"][0].get("display").is_none());
        assert_eq!(
            patient["identifier"][2]["type"],
            serde_json::json!({"text": "QQ9"})
        );
    }

    #[test]
    fn pid_gives_a_jp_patient() {
        let out = adt00(
            "PID|0001||0000990001^^^^PI||割符^花子^^^^^L^I~ワリフ^ハナコ^^^^^L^P~Warifu^Hanako^^^^^L^A||19680303|F|||^^^^000-0000^JPN^H^東京都架空区割符９丁目||^PRN^PH^^^^^^^^^03-0000-0000~^EMR^PH^^^^^^^^^03-0000-0009~^ORN^FX^^^^^^^^^03-0000-0008|^WPN^CP^^^^^^^^^090-0000-0000|||||||||||||||20260301||||20260401",
        );
        let p = one(&out, "Patient");
        assert_eq!(at(&p, "/meta/profile/0"), super::JP_PATIENT);
        assert_eq!(at(&p, "/identifier/0/value"), "0000990001");
        assert_eq!(
            at(&p, "/identifier/0/system"),
            "urn:oid:1.2.392.100495.20.3.51.11319999999"
        );
        for (i, code) in ["IDE", "SYL", "ABC"].iter().enumerate() {
            assert_eq!(at(&p, &format!("/name/{i}/extension/0/valueCode")), *code);
        }
        assert_eq!(at(&p, "/name/0/text"), "割符 花子");
        assert_eq!(at(&p, "/name/1/family"), "ワリフ");
        assert_eq!(at(&p, "/birthDate"), "1968-03-03");
        assert_eq!(at(&p, "/gender"), "female");
        assert_eq!(at(&p, "/address/0/text"), "東京都架空区割符９丁目");
        assert_eq!(at(&p, "/address/0/state"), "東京都");
        assert_eq!(at(&p, "/address/0/postalCode"), "000-0000");
        assert_eq!(at(&p, "/address/0/country"), "JP");
        assert_eq!(at(&p, "/address/0/use"), "home");
        assert_eq!(at(&p, "/telecom/0/use"), "home");
        assert_eq!(at(&p, "/telecom/0/value"), "03-0000-0000");
        assert_eq!(p.pointer("/telecom/1/rank").unwrap(), 1);
        assert!(p.pointer("/telecom/1/use").is_none());
        assert_eq!(at(&p, "/telecom/2/system"), "fax");
        assert_eq!(at(&p, "/telecom/3/use"), "mobile");
        assert_eq!(at(&p, "/deceasedDateTime"), "2026-03-01");
    }

    #[test]
    fn what_a_pid_says_beyond_ss_mix2_is_kept() {
        let mut fields = vec![String::new(); 31];
        for (n, value) in [
            (3, "0000990001^^^^PI~R-77^^^REGION^PI"),
            (5, "割符^花子^^二世^博士^^L^I~見立^花子^^^^^M^I"),
            (7, "19680303"),
            (9, "花^^^^^^^I"),
            (11, "^^^^^USA^H^1 Example Street"),
            (15, "ja^日本語^99LNG"),
            (16, "M^既婚^HL70002"),
            (19, "123456789012"),
            (22, "E1^民族^99ETH"),
            (23, "静岡県架空市"),
            (24, "Y"),
            (25, "2"),
        ] {
            value.clone_into(&mut fields[n]);
        }
        let out = adt00(&format!("PID{}", fields.join("|")));
        let p = one(&out, "Patient");
        assert_eq!(at(&p, "/identifier/1/value"), "R-77");
        assert_eq!(
            at(&p, "/identifier/1/system"),
            "urn:x-ssmix2:1319999999:REGION"
        );
        assert_eq!(at(&p, "/name/0/suffix/0"), "二世");
        assert_eq!(at(&p, "/name/0/prefix/0"), "博士");
        assert_eq!(at(&p, "/name/1/use"), "maiden");
        assert_eq!(at(&p, "/name/2/use"), "nickname");
        assert_eq!(at(&p, "/address/0/country"), "US");
        let language = |n: u8| p.pointer(&format!("/communication/0/language/coding/{n}"));
        assert_eq!(at(language(0).unwrap(), "/system"), "urn:ietf:bcp:47");
        assert_eq!(at(language(0).unwrap(), "/code"), "ja");
        assert!(language(1).is_some());
        assert_eq!(at(&p, "/communication/0/language/text"), "日本語");
        assert_eq!(at(&p, "/identifier/1/type/coding/0/code"), "PI");
        let codes = p.pointer("/maritalStatus/coding").unwrap();
        assert!(codes.as_array().unwrap().iter().any(|c| at(c, "/system")
            == super::systems::V3_MARITAL_STATUS
            && at(c, "/code") == "M"));
        assert_eq!(at(&p, "/extension/0/url"), super::BIRTH_PLACE);
        assert_eq!(at(&p, "/extension/0/valueAddress/text"), "静岡県架空市");
        assert_eq!(at(&p, "/extension/1/url"), "urn:x-ssmix2:field:PID-22");
        assert_eq!(at(&p, "/extension/1/valueString"), "E1^民族^99ETH");
        assert!(p.pointer("/extension/2").is_none());
        assert_eq!(p["multipleBirthInteger"], 2);
        assert!(reported(&out, "MAP003"));
    }

    #[test]
    fn what_is_no_code_of_the_table_is_kept_and_not_taken() {
        let mut fields = vec![String::new(); 31];
        for (n, value) in [
            (3, "0000990001^^^^PI"),
            (5, "割符^花子^^^^^L^I"),
            (15, "JPN^日本語^99LNG"),
            (24, "N"),
            (25, "2"),
            (30, "?"),
        ] {
            value.clone_into(&mut fields[n]);
        }
        let out = adt00(&format!("PID{}", fields.join("|")));
        let p = one(&out, "Patient");
        assert!(p.get("communication").is_none());
        assert_eq!(p["multipleBirthBoolean"], false);
        assert!(p.get("multipleBirthInteger").is_none() && p.get("deceasedBoolean").is_none());
        let kept: Vec<(&str, &str)> = p["extension"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| (at(e, "/url"), at(e, "/valueString")))
            .collect();
        assert_eq!(
            kept,
            [
                ("urn:x-ssmix2:field:PID-15", "JPN^日本語^99LNG"),
                ("urn:x-ssmix2:field:PID-25", "2"),
                ("urn:x-ssmix2:field:PID-30", "?"),
            ]
        );
    }

    #[test]
    fn numbers_of_the_state_are_nowhere_in_the_output() {
        const NUMBER: &str = "987654321098";
        let pid = "PID|1||0000990001^^^^PI||割符^花子^^^^^L^I||19680303|F";
        let protected = |extra: &str| {
            let out = adt00(extra);
            assert!(
                !String::from_utf8_lossy(&out.json).contains(NUMBER),
                "{extra}"
            );
            one(&out, "Patient")
        };
        let contact = "割符^太郎^^^^^L^I|SPO|||";
        protected(&format!(
            "{pid}\r\nNK1|1|{contact}{}{NUMBER}",
            "|".repeat(31)
        ));
        protected(&format!("{pid}{}{NUMBER}", "|".repeat(11)));
        // Of a list of numbers only those of the state are left out.
        let p = protected(&format!(
            "PID|1||0000990001^^^^PI~{NUMBER}^^^^SS~R-77^^^REGION^PI||割符^花子^^^^^L^I||19680303|F\r\nNK1|1|{contact}{}A-1^^^^PI~{NUMBER}^^^^NI",
            "|".repeat(27)
        ));
        assert_eq!(at(&p, "/identifier/1/value"), "R-77");
        assert_eq!(
            at(&p, "/contact/0/extension/0/url"),
            "urn:x-ssmix2:field:NK1-33"
        );
        assert_eq!(at(&p, "/contact/0/extension/0/valueString"), "A-1^^^^PI");
        protected(&format!("{pid}\r\nGT1|1||保証人{}{NUMBER}", "|".repeat(9)));
        protected(&format!("{pid}\r\nIN2|1|{NUMBER}|EMP"));
        protected(&format!("{pid}\r\nDB1|1|PT|{NUMBER}^^^^NNJPN|Y"));
    }

    #[test]
    fn what_stands_behind_the_fields_of_hl7_is_kept_in_one() {
        let far = |length: usize| {
            let line = format!("PD1{}予備|{}", "|".repeat(100), "x".repeat(length));
            adt00(&format!(
                "PID|1||0000990001||割符^花子^^^^^L^I||19680303|F\r\n{line}"
            ))
        };
        let out = far(3);
        let p = one(&out, "Patient");
        assert_eq!(at(&p, "/extension/0/url"), "urn:x-ssmix2:field:PD1-100");
        assert_eq!(at(&p, "/extension/0/valueString"), "予備|xxx");
        assert!(!reported(&out, "MAP018"));
        // A hostile line is told, and does not become output.
        let out = far(20_000);
        assert!(one(&out, "Patient").get("extension").is_none());
        assert!(reported(&out, "MAP018"));
    }

    #[test]
    fn a_second_name_or_address_of_a_contact_is_kept_beside_it() {
        let p = one(
            &adt00(
                "PID|1||1||割符^花子^^^^^L^I||19680303|F\r\nNK1|1|割符^太郎^^^^^L^I~ワリフ^タロウ^^^^^L^P|SPO|^^^^^JPN^H^東京都架空区~^^^^^JPN^B^大阪府架空市||||||||||||||||M",
            ),
            "Patient",
        );
        let kept = |at: &str| p.pointer(&format!("/contact/0/extension{at}")).cloned();
        assert_eq!(kept("/0/url").unwrap(), "urn:x-ssmix2:field:NK1-2");
        assert_eq!(kept("/1/url").unwrap(), "urn:x-ssmix2:field:NK1-4");
        assert_eq!(kept("/2/url").unwrap(), "urn:x-ssmix2:field:NK1-20");
    }

    #[test]
    fn kana_names_are_written_in_full_width() {
        let p = one(
            &adt00("PID|1||0000990001||割符^花子^^^^^L^I~ﾜﾘﾌ^ﾊﾞﾅｺ^^^^^L^P||19680303|F"),
            "Patient",
        );
        assert_eq!(at(&p, "/name/1/family"), "ワリフ");
        assert_eq!(at(&p, "/name/1/given/0"), "バナコ");
        assert_eq!(at(&p, "/name/1/text"), "ワリフ バナコ");
    }

    #[test]
    fn the_folder_says_how_the_number_is_padded() {
        let out = adt00("PID|1||990001||割符^花子^^^^^L^I||19680303|F");
        assert_eq!(
            at(&one(&out, "Patient"), "/identifier/0/value"),
            "0000990001"
        );
        assert!(reported(&out, "MAP122"));
    }

    #[test]
    fn without_a_number_in_pid_3_the_folder_has_it() {
        let out = adt00("PID|1||||割符^花子^^^^^L^I||19680303|F");
        let p = one(&out, "Patient");
        assert_eq!(at(&p, "/identifier/0/value"), "0000990001");
        assert_eq!(at(&p, "/meta/profile/0"), super::JP_PATIENT);
    }

    #[test]
    fn what_a_name_number_or_birth_says_beside_r4_is_kept() {
        for (name, name_use) in [("L", "official"), ("M", "maiden"), ("", "official")] {
            let out = convert(
                "ADT-00",
                &format!("{HEAD}PID|1||1||割符^花子^^^^^{name}^I||19680303|F\r\n"),
            );
            let r = one(&out, "Patient");
            assert_eq!(at(&r, "/name/0/use"), name_use);
            assert!(r.get("extension").is_none(), "{r:#}");
        }
        for name in ["B", "C", "T", "U"] {
            let out = convert(
                "ADT-00",
                &format!("{HEAD}PID|1||1||割符^花子^^^^^{name}^I||19680303|F\r\n"),
            );
            let r = one(&out, "Patient");
            assert!(r.pointer("/name/0/use").is_none(), "{name}");
            assert!(r.to_string().contains("field:PID-5"), "{name}: {r:#}");
        }
        let text = |purpose: &str, born: &str| {
            format!(
                "{HEAD}PID|1||1||割符^花子^^^^^L^I||{born}|F|||||^{purpose}^PH^^^^^^^^^03-1\r\n"
            )
        };
        for (purpose, kept) in [
            ("PRN", false),
            ("WPN", false),
            ("EMR", false),
            ("VHN", true),
            ("ASN", true),
            ("ORN", true),
            ("BPN", true),
        ] {
            let out = convert("ADT-00", &text(purpose, "19680303"));
            let r = one(&out, "Patient").to_string();
            let own = format!("field:PID-13\",\"valueString\":\"{purpose}\"");
            assert_eq!(r.contains(&own), kept, "{purpose}: {r}");
        }
        for (born, kept) in [
            ("19680303", false),
            ("19680303000000", false),
            ("19680303123045", true),
        ] {
            let r = one(&convert("ADT-00", &text("PRN", born)), "Patient");
            assert_eq!(at(&r, "/birthDate"), "1968-03-03");
            assert_eq!(r.to_string().contains("field:PID-7"), kept, "{born}");
        }
    }

    #[test]
    fn a_death_that_is_denied_is_told() {
        for (died, told) in [("Y", false), ("N", true), ("", false)] {
            let pid = format!(
                "{HEAD}PID|1||1||割符^花子^^^^^L^I||19680303|F{}20260301|{died}\r\n",
                "|".repeat(21)
            );
            let out = convert("ADT-00", &pid);
            let r = one(&out, "Patient");
            // Of one who is perhaps alive nothing is said, and both are kept.
            assert_eq!(r.get("deceasedDateTime").is_none(), told, "{died}");
            assert!(r.get("deceasedBoolean").is_none());
            let kept = ["PID-29", "PID-30"].map(|f| r.to_string().contains(&format!("field:{f}")));
            assert_eq!(kept, [told; 2], "{died}");
            let count = out
                .diagnostics
                .iter()
                .filter(|d| d.code.code == "MAP128")
                .count();
            assert_eq!(count, usize::from(told), "{died}");
        }
    }

    #[test]
    fn without_adt_00_the_newest_message_describes_the_patient() {
        let order = |sent: &str, name: &str| {
            format!(
                "MSH|^~\\&|A|B|C|D|{sent}||RDE^O11^RDE_O11|1|P|2.5\r\nPID|1||0000990001||{name}||19680303|F\r\nORC|NW|{sent}||1\r\nRXE||^薬"
            )
        };
        let old = order("20260401090000", "割符^花子^^^^^L^I")
            .replace("||19680303|F", "||19680303|F|||東京都架空区");
        let new = order("20260403090000", "架空^花子^^^^^L^I");
        let unnamed = order("20260404090000", "");
        let file = |date: &str| path("OMP-01", date, &format!("{date}090000000"), "01", '1');
        let out = convert_patient(&[
            (file("20260401"), old.as_str()),
            (file("20260403"), new.as_str()),
            (file("20260404"), unnamed.as_str()),
        ]);
        assert_eq!(at(&one(&out, "Patient"), "/name/0/family"), "架空");
        // The older address may be one she has left: told, not taken.
        assert_eq!(one(&out, "Patient").pointer("/address"), None);
        let found: Vec<_> = out
            .diagnostics
            .iter()
            .filter(|d| ["MAP123", "MAP124"].contains(&d.code.code))
            .map(|d| (d.code.code, d.span.source.0))
            .collect();
        assert_eq!(found, [("MAP123", 0), ("MAP124", 0)]);
    }

    #[test]
    fn a_withdrawn_patient_with_a_living_order_is_inactive() {
        let pid = "PID|1||0000990001||割符^花子^^^^^L^I||19680303|F\r\n";
        let withdrawn = format!("{HEAD}{pid}").replace("A08", "A23");
        let told = format!("{HEAD}{pid}");
        let order = format!("{HEAD}{pid}ORC|NW|100||1\r\nRXE||^薬");
        let order = order.replace("ADT^A08^ADT_A01", "RDE^O11^RDE_O11");
        let name = |kind: &str, stamp: &str, flag| path(kind, "20260401", stamp, "01", flag);
        let adt00 = |stamp: &str| {
            name("ADT-00", stamp, '0')
                .replace("/20260401/", "/-/")
                .replace("_20260401_", "_-_")
        };
        let out = convert_patient(&[
            (adt00("20260401090000000"), told.as_str()),
            (adt00("20260402090000000"), withdrawn.as_str()),
            (name("OMP-01", "20260401100000000", '1'), order.as_str()),
        ]);
        assert_eq!(one(&out, "Patient")["active"], false);
        assert!(reported(&out, "MAP104"));
    }

    #[test]
    fn genders_follow_table_0001() {
        for (code, want) in [
            ("F", "female"),
            ("M", "male"),
            ("O", "other"),
            ("U", "unknown"),
            ("A", "other"),
            ("N", "unknown"),
            ("1", "unknown"),
        ] {
            let out = adt00(&format!("PID|1||1||割符^花子^^^^^L^I||19680303|{code}"));
            assert_eq!(at(&one(&out, "Patient"), "/gender"), want, "{code}");
            assert_eq!(reported(&out, "MAP008"), code == "1", "{code}");
        }
    }

    #[test]
    fn uses_follow_table_0201() {
        for (code, want) in [
            ("PRN", Some("home")),
            ("WPN", Some("work")),
            ("PRS", Some("mobile")),
            ("ORN", None),
            ("VHN", None),
            ("ASN", None),
            ("EMR", None),
            ("NET", None),
            ("BPN", None),
            ("", Some("home")),
        ] {
            let out = adt00(&format!(
                "PID|1||1||割符^花子^^^^^L^I||19680303|F|||||^{code}^^^^^^^^^^03-0000-0000"
            ));
            let p = one(&out, "Patient");
            assert_eq!(
                p.pointer("/telecom/0/use").and_then(|v| v.as_str()),
                want,
                "{code}"
            );
            let system = match code {
                "NET" => "email",
                "BPN" => "pager",
                _ => "phone",
            };
            assert_eq!(at(&p, "/telecom/0/system"), system, "{code}");
        }
    }

    #[test]
    fn names_out_of_form_are_read_and_told() {
        let out = adt00("PID|1||1||割符^花子^^^^L^I~ワリフ^ハナコ^^^^L^P||19680303|F");
        let p = one(&out, "Patient");
        assert_eq!(at(&p, "/name/0/extension/0/valueCode"), "IDE");
        assert_eq!(at(&p, "/name/1/extension/0/valueCode"), "SYL");
        assert!(reported(&out, "MAP101"));
        let out = adt00("PID|1||1||ワリフ　ハナコ||19680303|F");
        let p = one(&out, "Patient");
        assert_eq!(at(&p, "/name/0/extension/0/valueCode"), "SYL");
        assert_eq!(at(&p, "/name/0/given/0"), "ハナコ");
        assert_eq!(at(&p, "/name/0/text"), "ワリフ ハナコ");
        assert!(reported(&out, "MAP102") && reported(&out, "MAP103"));
        let out = adt00("PID|1||1||割符花子||19680303|F");
        let p = one(&out, "Patient");
        assert_eq!(at(&p, "/name/0/text"), "割符花子");
        assert!(p.pointer("/name/0/family").is_none());
    }

    #[test]
    fn a_birth_date_in_pid_9_is_taken_only_when_pid_7_is_empty() {
        let out = adt00("PID|1||1||割符^花子^^^^^L^I|||F|19680303");
        assert_eq!(at(&one(&out, "Patient"), "/birthDate"), "1968-03-03");
        assert!(reported(&out, "MAP111"));
        let out = adt00("PID|1||1||割符^花子^^^^^L^I||19680304|F|19680303");
        assert_eq!(at(&one(&out, "Patient"), "/birthDate"), "1968-03-04");
        let out = adt00("PID|1||1||割符^花子^^^^^L^I|||F|別名");
        assert!(one(&out, "Patient").pointer("/birthDate").is_none());
    }

    #[test]
    fn nk1_gives_contacts_but_not_the_patient() {
        let out = adt00(
            "PID|1||1||割符^花子^^^^^L^I||19680303|F\r\nNK1|1|割符^花子|SEL^本人^HL70063\r\nNK1|2|割符^太郎^^^^^L^I~ワリフ^タロウ^^^^^L^P|SPO^配偶者^HL70063|^^^^000-0000^JPN^H^東京都架空区|03-0000-0002|^WPN^PH^^^^^^^^^03-0000-0003|||||||架空物産株式会社",
        );
        let p = one(&out, "Patient");
        assert_eq!(p.pointer("/contact").unwrap().as_array().unwrap().len(), 1);
        assert_eq!(at(&p, "/contact/0/name/text"), "割符 太郎");
        assert_eq!(at(&p, "/contact/0/relationship/0/coding/0/code"), "SPO");
        assert_eq!(
            at(&p, "/contact/0/relationship/0/coding/0/system"),
            "http://terminology.hl7.org/CodeSystem/v2-0063"
        );
        assert_eq!(at(&p, "/contact/0/address/text"), "東京都架空区");
        assert_eq!(at(&p, "/contact/0/telecom/0/value"), "03-0000-0002");
        assert_eq!(at(&p, "/contact/0/telecom/1/use"), "work");
        assert_eq!(
            at(&p, "/contact/0/organization/display"),
            "架空物産株式会社"
        );
        assert!(reported(&out, "MAP114"));
    }

    #[test]
    fn db1_gives_a_disability_only_for_the_patient() {
        let pid = "PID|1||1||割符^花子^^^^^L^I||19680303|F\r\n";
        let p = one(&adt00(&format!("{pid}DB1|1|PT||Y")), "Patient");
        assert_eq!(at(&p, "/extension/0/url"), super::DISABILITY);
        assert!(
            p.pointer("/extension/0/valueCodeableConcept/text")
                .is_some()
        );
        for other in ["DB1|1|PT||N", "DB1|1|GT||Y"] {
            assert!(
                one(&adt00(&format!("{pid}{other}")), "Patient")
                    .pointer("/extension")
                    .is_none(),
                "{other}"
            );
        }
        // What is said of a guarantor is nothing of this patient's record.
        let out = adt00(&format!("{pid}DB1|1|GT||Y"));
        assert!(reported(&out, "MAP018") && !reported(&out, "MAP003"));
    }

    #[test]
    fn a_withdrawn_patient_is_deleted_only_when_nothing_refers_to_it() {
        let a23 = "MSH|^~\\&|A|B|C|D|20260401090512||ADT^A23^ADT_A21|1|P|2.5\r\nPID|1||0000990001||割符^花子^^^^^L^I||19680303|F";
        let out = convert("ADT-00", a23);
        assert_eq!(out.deletes.len(), 1);
        assert_eq!(out.deletes[0].resource_type, "Patient");
        assert!(all(&out, "Patient").is_empty());
        // As the only file, withdrawn in the storage.
        let out = convert_patient(&[(path("ADT-00", "-", "20260401090512000", "-", '0'), a23)]);
        assert_eq!(
            out.deletes
                .iter()
                .filter(|d| d.resource_type == "Patient")
                .count(),
            1
        );
        // With a living allergy list: kept, inactive.
        let a60 = "MSH|^~\\&|A|B|C|D|20260401090513||ADT^A60^ADT_A60|1|P|2.5\r\nPID|1||0000990001||割符^花子^^^^^L^I||19680303|F\r\nIAM|1|FA^食物アレルギー^HL70127|^そば|||A^追加^HL70323";
        let out = convert_patient(&[
            (path("ADT-00", "-", "20260401090512000", "-", '1'), a23),
            (path("ADT-61", "-", "20260401090513000", "-", '1'), a60),
        ]);
        assert!(out.deletes.is_empty());
        assert_eq!(one(&out, "Patient").pointer("/active").unwrap(), false);
    }

    #[test]
    fn other_kinds_make_a_patient_only_without_adt_00() {
        let a60 = "MSH|^~\\&|A|B|C|D|20260401090513||ADT^A60^ADT_A60|1|P|2.5\r\nPID|1||0000990001||割符^花子^^^^^L^I||19680303|F";
        assert_eq!(all(&convert("ADT-61", a60), "Patient").len(), 1);
        let a08 =
            format!("{HEAD}PID|1||0000990001||割符^花子^^^^^L^I~ワリフ^ハナコ^^^^^L^P||19680303|F");
        let out = convert_patient(&[
            (path("ADT-61", "-", "20260401090513000", "-", '1'), a60),
            (path("ADT-00", "-", "20260401090512000", "-", '1'), &a08),
        ]);
        assert_eq!(
            one(&out, "Patient")
                .pointer("/name")
                .unwrap()
                .as_array()
                .unwrap()
                .len(),
            2
        );
    }
}
