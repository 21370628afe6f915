//! `AllergyIntolerance` (`JP_AllergyIntolerance`) from IAM (ADT-61) and AL1 (ADT-00, orders). Mapping §5.

use warifu_order::Map;

use warifu_diag::catalogue::map_admin::{MAP105, MAP112, MAP119};
use warifu_diag::catalogue::map_general::{MAP009, MAP012};
use warifu_fhir::element::allergy_intolerance as el;
use warifu_fhir::{Id, Resource, Src};
use warifu_hl7::{Message, Part, Segment, Val};
use warifu_ssmix2::DataKind;
use warifu_terms::{maps, systems};

use crate::cx::{Cx, Sourced};
use crate::datatypes::{self, both_triplets, coded_concept, identifier, person_reference};
use crate::kinds::observation;
use crate::table::{Group, Ignored, Table, Worded, run};

/// Canonical of `JP_AllergyIntolerance`.
pub const JP_ALLERGY_INTOLERANCE: &str =
    "http://jpfhir.jp/fhir/core/StructureDefinition/JP_AllergyIntolerance";

table! {
    /// IAM → `JP_AllergyIntolerance` (JP Core 1.2.0). HL7 v2.5 §3.4.7; SS-MIX2 仕様書 ADT-61.
    IAM_TO_JP_ALLERGY: "AllergyIntolerance" keeps "IAM" {
        "IAM-1" => "": ignored Ignored::Structural, "セットID";
        "IAM-2" => "AllergyIntolerance.category": map category, "アレルゲン分類";
        "IAM-3" => "AllergyIntolerance.code": map code, "アレルゲン情報";
        "IAM-4" => "AllergyIntolerance.reaction.severity": part, "アレルギー重症度";
        "IAM-5" => "AllergyIntolerance.reaction": part, "アレルギー反応情報";
        "IAM-6" => "AllergyIntolerance.clinicalStatus": always status, "アレルギーアクションコード";
        "IAM-7" => "AllergyIntolerance.identifier": map identifiers, "アレルギー情報識別ID";
        "IAM-8" => "AllergyIntolerance.note": map action_reason, "アクションの理由";
        "IAM-9" => "AllergyIntolerance.type": map kind, "アレルギー物質に対する感受性";
        "IAM-10" => "AllergyIntolerance.code": lost, "アレルゲングループ";
        "IAM-11" => "AllergyIntolerance.onsetDateTime": map onset, "アレルギー発症日";
        "IAM-12" => "AllergyIntolerance.onsetString": map onset_text, "アレルギー発症時期";
        "IAM-13" => "AllergyIntolerance.recordedDate": map recorded, "情報提供日時";
        "IAM-14" => "AllergyIntolerance.recorder": lost, "情報提供者";
        "IAM-15" => "AllergyIntolerance.recorder": lost, "情報提供者と患者の続柄";
        "IAM-17" => "AllergyIntolerance.verificationStatus": part, "アレルギー臨床確認状況";
        "IAM-18" => "AllergyIntolerance.asserter": map asserter, "確認者";
        "IAM-19" => "AllergyIntolerance.asserter": lost, "確認機関";
        "IAM-20" => "AllergyIntolerance.asserter": lost, "確認日時";
    }
}

table! {
    /// AL1 → `JP_AllergyIntolerance` (JP Core 1.2.0). HL7 v2.5 §3.4.6; SS-MIX2 仕様書 ADT-00.
    AL1_TO_JP_ALLERGY: "AllergyIntolerance" keeps "AL1" {
        "AL1-1" => "": ignored Ignored::Structural, "セットID";
        "AL1-2" => "AllergyIntolerance.category": map category, "アレルゲン分類";
        "AL1-3" => "AllergyIntolerance.code": map code, "アレルゲン情報";
        "AL1-4" => "AllergyIntolerance.reaction.severity": part, "アレルギー重症度";
        "AL1-5" => "AllergyIntolerance.reaction": part, "アレルギー反応情報";
        "AL1-6" => "AllergyIntolerance.onsetDateTime": map onset, "確認日";
    }
}

/// Tables of this module.
pub static TABLES: &[Worded] = crate::worded![IAM_TO_JP_ALLERGY, AL1_TO_JP_ALLERGY];

/// ADT-61: every IAM.
pub(crate) fn convert(cx: &mut Cx<'_, '_>) {
    let mut listed = Listed::new();
    for segment in cx.message().segments().filter(|s| s.name() == *b"IAM") {
        entry(cx, &IAM_TO_JP_ALLERGY, segment, &mut listed);
    }
}

/// AL1 of ADT-00, unless ADT-61 lists the allergen, or is newer and lists others.
pub(crate) fn of_patient(cx: &mut Cx<'_, '_>) {
    let sent = datatypes::sent_at(cx.message());
    al1(cx, sent.max(1));
}

/// AL1 of any other kind, unless ADT-61 or ADT-00 are part of the conversion.
pub(crate) fn of_order(cx: &mut Cx<'_, '_>) {
    let known = cx.context.has_adt61 || cx.context.has_adt00;
    al1(cx, if known { 0 } else { u64::MAX });
}

/// What ADT-61 lists, and when.
pub(crate) fn survey(message: Message<'_>, (sent, names): &mut (u64, String)) {
    for segment in message.segments().filter(|s| s.name() == *b"IAM") {
        *sent = datatypes::sent_at(message).max(*sent);
        each_name(segment, &mut |name| names.push_str(name));
    }
}

/// Gives the texts of an allergen, whatever their width, case and blanks, and its codes with their systems, each
/// between line feeds.
fn each_name(segment: Segment<'_>, take: &mut dyn FnMut(&str)) {
    for triplet in both_triplets(segment.field(3)) {
        for (v, system) in [(triplet.text, ""), (triplet.code, triplet.system.text)] {
            if !v.is_empty() {
                let text = [v.text, "^", system].concat();
                let mut name = observation::fold(&warifu_source::full_width_kana(&text));
                name.make_ascii_lowercase();
                take(&["\n", &name, "\n"].concat());
            }
        }
    }
}

fn al1(cx: &mut Cx<'_, '_>, sent: u64) {
    let mut listed = Listed::new();
    let (last, names) = &cx.context.allergens;
    for segment in cx.message().segments().filter(|s| s.name() == *b"AL1") {
        let mut is_listed = false;
        each_name(segment, &mut |name| {
            is_listed |= warifu_hl7::has(names, name);
        });
        if sent <= *last || is_listed {
            cx.report(&MAP112, &segment.field(3));
            cx.used_all(segment);
            // What an ADT-00 made before there was a list, the list does not correct: its entries have numbers.
            let (id, _) = id_of(cx, segment, &mut listed);
            if cx.kind() == Some(DataKind::Adt00) {
                cx.withdraw("AllergyIntolerance", id, cx.message().number());
            }
            continue;
        }
        entry(cx, &AL1_TO_JP_ALLERGY, segment, &mut listed);
    }
}

/// How often a message lists an allergen: number, or class and name → times.
type Listed<'a> = Map<(&'a str, &'a str), u32>;

/// One IAM or AL1; without an allergen it says nothing and is reported. What the message lists again
/// is an entry of its own, since its reaction or state may differ.
fn entry<'a>(
    cx: &mut Cx<'a, '_>,
    table: &'static Table,
    segment: Segment<'a>,
    listed: &mut Listed<'a>,
) {
    let allergen = segment.field(3);
    let iam = segment.name() == *b"IAM";
    let named = both_triplets(allergen).iter().any(|t| !t.is_empty()) || allergen.comp(9).is_some();
    // A withdrawal may name the entry alone.
    let withdraws =
        iam && segment.field(7).is_some() && segment.field(6).comp(1).value().text.trim() == "D";
    // What is told beside the class makes an entry of an allergen that is not known.
    let told = segment
        .filled()
        .any(|n| !matches!(n, 1..=4 | 6 | 7) && segment.field(n).is_some());
    let unknown = !named && !withdraws;
    if unknown {
        let code = if told { &MAP009 } else { &MAP012 };
        cx.report_with(code, &segment, if iam { "IAM-3" } else { "AL1-3" });
        if !told {
            cx.used_all(segment);
            return;
        }
    }
    let (id, times) = id_of(cx, segment, listed);
    if times > 1 {
        cx.report(&MAP119, &allergen);
    }
    allergy(cx, table, segment, id, unknown);
}

/// Id of an entry, and how often its message lists the allergen.
fn id_of<'a>(cx: &mut Cx<'a, '_>, segment: Segment<'a>, listed: &mut Listed<'a>) -> (Id, u32) {
    let key = key_of(segment);
    let times = listed.entry(key).or_insert(0);
    *times += 1;
    let times = *times;
    let ordinal = times.to_string();
    let parts = match key {
        (number, "") => [number, "#", ordinal.as_str()],
        (class, name) => [class, name, ordinal.as_str()],
    };
    // The first of an allergen has its business identity alone, as numbered entries have.
    let parts: &[&str] = match (times, key) {
        (1, (_, "")) => parts.get(..1).unwrap_or(&parts),
        (1, _) => parts.get(..2).unwrap_or(&parts),
        _ => &parts,
    };
    let id = cx.id("AllergyIntolerance", parts, segment.position(), "");
    (id, times)
}

/// Identity: the entry's number (IAM-7), else class and allergen (code, else text, else the reaction).
fn key_of(segment: Segment<'_>) -> (&str, &str) {
    if segment.name() == *b"IAM" {
        let number = segment.field(7).comp(1).value().trimmed();
        if !number.is_empty() {
            return (number.text, "");
        }
    }
    let class = segment.field(2).comp(1).value().trimmed();
    let [first, second] = both_triplets(segment.field(3));
    let reaction = segment.field(5).value().trimmed();
    let name = [first.code, second.code, first.text, second.text, reaction]
        .into_iter()
        .find(|v| !v.is_empty())
        .unwrap_or_default();
    (class.text, name.text)
}

fn allergy<'a>(
    cx: &mut Cx<'a, '_>,
    table: &'static Table,
    segment: Segment<'a>,
    id: Id,
    unknown: bool,
) {
    if cx.emitted("AllergyIntolerance", id) {
        return;
    }
    let mut r = cx.open("AllergyIntolerance", id);
    let group = Group::of(&[segment]);
    run(table, &mut r, cx, &group);
    if unknown {
        r.object(el::CODE, |o| o.constant("text", "不明"));
    }
    if !r.has(el::CLINICAL_STATUS) && !r.has(el::VERIFICATION_STATUS) {
        // AL1 has no status: what a patient's record lists is active.
        let withdrawn = cx.item.flag == b'0';
        set_status(
            &mut r,
            (!withdrawn).then_some(("active", Src::NONE)),
            withdrawn.then_some(("entered-in-error", Src::NONE)),
        );
    }
    reaction(&mut r, cx, table, segment);
    cx.subject(&mut r, el::PATIENT);
    r.profile(JP_ALLERGY_INTOLERANCE);
    cx.emit(r);
}

/// IAM-2 / AL1-2 (table 0127). A contraindication (`MC`) has no category: a note says so, reported.
fn category<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let code = f.comp(1).value().trimmed();
    match maps::ALLERGY_CATEGORY.find(code.text) {
        Some(Some(category)) => {
            r.add(el::CATEGORY, |v| v.string(category, code.src()));
        }
        Some(None) if code.text == "MC" => {
            cx.report(&MAP105, &code);
            // What it is must not be lost: it is no allergy that was seen.
            let text = f.comp(2).value().trimmed();
            let text = if text.is_empty() {
                code.map("禁忌")
            } else {
                text
            };
            r.object(el::NOTE, |o| o.string("text", text.text, text.src()));
        }
        Some(None) => {}
        None => cx.unlisted(code, "0127"),
    }
    // The class is told by the category alone; its text says the same.
    cx.used(&f);
}

/// That there is no allergy of a class (IAM-2, AL1-2): SNOMED CT, R4 AllergyIntolerance.code.
static NONE: &[(&str, &str, &str)] = &[
    ("", "716186003", "No known allergy"),
    ("DA", "409137002", "No known drug allergy"),
    ("FA", "429625007", "No known food allergy"),
    ("EA", "428607008", "No known environmental allergy"),
];

/// IAM-3 / AL1-3. That there is none is a code of its own, as wide as the class: of another class the text
/// alone says it.
fn code<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, g: &Group<'a>, f: Part<'a>) {
    let segment = g.first(*b"IAM").or_else(|| g.first(*b"AL1"));
    let class = segment.map_or("", |s| s.field(2).comp(1).value().text.trim());
    r.object(el::CODE, |o| {
        datatypes::concept_of(o, cx, f, &mut |a, _, f| {
            let [first, second] = both_triplets(f);
            let text = first.text.some().unwrap_or(second.text);
            let none = NONE.iter().find(|(of, ..)| *of == class);
            if let Some((_, code, display)) = none
                && matches!(text.text, "なし" | "特になし" | "無" | "無し")
            {
                a.object(|o| {
                    o.constant("system", systems::SNOMED);
                    o.string("code", code, text.src());
                    o.constant("display", display);
                });
            }
        });
    });
}

/// IAM-6 (0323) and IAM-17 (0438) together. `clinicalStatus` is absent when entered in error
/// (ait-1, ait-2); a deletion counts as an error when IAM-17 or the reason (IAM-8) says so.
fn status<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    let action = f.comp(1).value().trimmed();
    let checked = group.field(*b"IAM", 17).unwrap_or(f);
    let state = checked.comp(1).value().trimmed();
    let reason = group
        .field(*b"IAM", 8)
        .map(|f| f.value())
        .unwrap_or_default();
    cx.used(&f);
    cx.used(&checked);
    let actions = maps::ALLERGY_ACTION.translate(action.text);
    if !actions.known && !action.is_empty() {
        cx.unlisted(action, "0323");
    }
    let states = maps::ALLERGY_STATUS.translate(if checked.span() == f.span() {
        ""
    } else {
        state.text
    });
    if !states.known && !state.is_empty() && checked.span() != f.span() {
        cx.unlisted(state, "0438");
    }
    let deleted = actions.to == "inactive";
    let mistaken = deleted
        && ["誤", "間違", "取り違", "取違"]
            .iter()
            .any(|w| warifu_hl7::has(reason.text, w));
    if states.to.verification == Some("entered-in-error") || mistaken || cx.item.flag == b'0' {
        let src = if mistaken { reason.src() } else { state.src() };
        set_status(r, None, Some(("entered-in-error", src)));
        return;
    }
    let clinical = if deleted {
        Some(("inactive", action.src()))
    } else {
        states.to.clinical.map(|c| {
            (
                c,
                if c == "active" {
                    action.src()
                } else {
                    state.src()
                },
            )
        })
    };
    set_status(
        r,
        clinical,
        states.to.verification.map(|v| (v, state.src())),
    );
}

fn set_status(
    r: &mut Resource,
    clinical: Option<(&'static str, Src)>,
    verification: Option<(&'static str, Src)>,
) {
    if let Some((code, src)) = clinical {
        let display = if code == "active" {
            "Active"
        } else {
            "Inactive"
        };
        r.object(el::CLINICAL_STATUS, |o| {
            coded_concept(o, systems::ALLERGY_CLINICAL, code, display, src);
        });
    }
    if let Some((code, src)) = verification {
        let display = match code {
            "confirmed" => "Confirmed",
            "unconfirmed" => "Unconfirmed",
            _ => "Entered in Error",
        };
        r.object(el::VERIFICATION_STATUS, |o| {
            coded_concept(o, systems::ALLERGY_VERIFICATION, code, display, src);
        });
    }
}

/// IAM-7.
fn identifiers<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.comp(1).value().trimmed();
    if !v.is_empty() {
        r.object(el::IDENTIFIER, |o| {
            identifier(o, systems::ID_RESOURCE_INSTANCE, v);
        });
    }
}

/// IAM-8.
fn action_reason<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.value();
    r.object(el::NOTE, |o| o.string("text", v.text, v.src()));
}

/// IAM-9 (table 0436).
fn kind<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let code = f.comp(1).value().trimmed();
    match maps::ALLERGY_TYPE.find(code.text) {
        Some(Some(kind)) => {
            r.string(el::TYPE, kind, code.src());
            cx.used(&f);
        }
        // 禁忌 and 副次的作用 are neither allergy nor intolerance: their text is a note.
        Some(None) => {
            let text = f.comp(2).value();
            r.object(el::NOTE, |o| o.string("text", text.text, text.src()));
        }
        None => cx.unlisted(code, "0436"),
    }
}

/// IAM-11, AL1-6.
fn onset<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    datatypes::add_date_time(r, cx, el::ONSET_DATE_TIME, f.value());
}

/// IAM-12; beside a date the text is a note, since there is one onset.
fn onset_text<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.value();
    if r.has(el::ONSET_DATE_TIME) {
        r.object(el::NOTE, |o| o.string("text", v.text, v.src()));
    } else {
        r.string(el::ONSET_STRING, v.text, v.src());
    }
}

/// IAM-13.
fn recorded<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    datatypes::add_date_time(r, cx, el::RECORDED_DATE, f.value());
}

/// IAM-18.
fn asserter<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    if let Some(p) = datatypes::practitioner(cx, f) {
        r.object(el::ASSERTER, |o| person_reference(o, &p));
    }
}

/// IAM-4 and IAM-5 (AL1-4, AL1-5): a reaction needs a manifestation in R4; `不明` where none is told.
fn reaction<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    table: &'static Table,
    segment: Segment<'a>,
) {
    let (severity, reaction) = (segment.field(4), segment.field(5));
    if !severity.is_some() && !reaction.is_some() {
        return;
    }
    let code = severity.comp(1).value().trimmed();
    let grade = maps::ALLERGY_SEVERITY.find(code.text);
    if grade.is_none() && !code.is_empty() {
        cx.unlisted(code, "0128");
    }
    cx.used(&severity);
    let grade = grade.flatten();
    if grade.is_none() && !reaction.is_some() {
        return;
    }
    let row = |n: u16| table.rows.iter().find(|r| r.field == n).map(|r| &r.row);
    let before = r.row(row(5));
    r.object(el::REACTION, |o| {
        o.array("manifestation", |a| {
            for rep in reaction.reps() {
                let v: Val<'a> = rep.value().trimmed();
                a.object(|o| o.string("text", v.text, v.src()));
            }
            if a.is_empty() {
                a.object(|o| o.constant("text", "不明"));
            }
        });
        let all = observation::lines(cx, reaction);
        o.string("description", all.text, all.src());
        if let Some(grade) = grade {
            o.row(row(4));
            o.string("severity", grade, code.src());
        }
    });
    r.row(before);
}

#[cfg(test)]
mod tests {
    use crate::testing::{all, at, convert, convert_patient, one, path, reported};

    fn iam(segment: &str) -> crate::Output {
        convert(
            "ADT-61",
            &format!(
                "MSH|^~\\&|A|B|C|D|20260401090513||ADT^A60^ADT_A60|1|P|2.5\r\nPID|1||0000990001||割符^花子^^^^^L^I||19680303|F\r\n{segment}"
            ),
        )
    }

    #[test]
    fn that_there_is_no_allergy_has_a_code() {
        for (class, allergen, code) in [
            ("DA", "^なし", "409137002"),
            ("FA", "^特になし", "429625007"),
            ("EA", "0^無^99L", "428607008"),
            ("", "^無し", "716186003"),
            // That there is none of some other kind is no word on all.
            ("MA", "^なし", ""),
            ("AA", "^無し", ""),
            ("DA", "^なしの実", ""),
            ("FA", "^ようなし", ""),
        ] {
            let out = iam(&format!("IAM|1|{class}|{allergen}||||A1"));
            let r = one(&out, "AllergyIntolerance");
            let all = r
                .pointer("/code/coding")
                .map(ToString::to_string)
                .unwrap_or_default();
            assert_eq!(
                all.contains("snomed"),
                !code.is_empty(),
                "{allergen}: {all}"
            );
            assert!(all.contains(code), "{allergen}: {all}");
            assert!(allergen.contains(at(&r, "/code/text")), "{allergen}");
        }
    }

    #[test]
    fn an_entry_without_allergen_is_reported_and_no_resource() {
        for (segment, kind) in [
            ("IAM|1", "ADT-61"),
            ("AL1", "ADT-00"),
            ("AL1|1|FA^食物^HL70127", "ADT-00"),
        ] {
            let out = convert(
                kind,
                &format!(
                    "MSH|^~\\&|A|B|C|D|20260401090513||ADT^A60^ADT_A60|1|P|2.5\r\nPID|1||0000990001\r\n{segment}"
                ),
            );
            assert!(all(&out, "AllergyIntolerance").is_empty(), "{segment}");
            assert!(reported(&out, "MAP012"), "{segment}");
        }
    }

    #[test]
    fn an_allergy_that_names_no_allergen_keeps_what_it_tells() {
        let out = iam(
            "IAM|1|FA^食物^HL70127|^^|SV^重度^HL70128|全身蕁麻疹、呼吸困難|A|A2|そば粉による\r\nIAM|2|FA^食物^HL70127||MI^軽度^HL70128|発疹|A\r\nIAM|3|FA^食物^HL70127|||嘔吐|A",
        );
        let all = all(&out, "AllergyIntolerance");
        assert_eq!(all.len(), 3);
        for a in &all {
            assert_eq!(at(a, "/code/text"), "不明");
        }
        assert_eq!(
            at(&all[0], "/reaction/0/description"),
            "全身蕁麻疹、呼吸困難"
        );
        assert_eq!(at(&all[0], "/note/0/text"), "そば粉による");
        assert!(reported(&out, "MAP009") && !reported(&out, "MAP012") && !reported(&out, "MAP119"));
    }

    #[test]
    fn an_allergen_listed_twice_is_kept_twice() {
        let out = iam(
            "IAM|1|FA^食物アレルギー^HL70127|^さば|MI^軽度^HL70128|発疹|A\r\nIAM|2|FA^食物アレルギー^HL70127|^さば|SV^重度^HL70128|呼吸困難|A",
        );
        let all = all(&out, "AllergyIntolerance");
        assert_eq!(all.len(), 2);
        assert_eq!(at(&all[0], "/reaction/0/severity"), "mild");
        assert_eq!(at(&all[1], "/reaction/0/severity"), "severe");
        assert!(reported(&out, "MAP119"));
    }

    #[test]
    fn a_contraindication_is_said_in_a_note() {
        for (class, text) in [("MC^造影剤禁忌^HL70127", "造影剤禁忌"), ("MC", "禁忌")] {
            let a = one(
                &iam(&format!("IAM|1|{class}|^ヨード造影剤||発疹|A")),
                "AllergyIntolerance",
            );
            assert_eq!(at(&a, "/note/0/text"), text);
        }
    }

    #[test]
    fn several_reactions_are_a_list_for_people_too() {
        let a = one(
            &iam("IAM|1|FA|J9FC11310000^さば^J-FAGY|SV|発疹~呼吸困難|A"),
            "AllergyIntolerance",
        );
        assert_eq!(at(&a, "/reaction/0/manifestation/1/text"), "呼吸困難");
        assert_eq!(at(&a, "/reaction/0/description"), "発疹\n呼吸困難");
    }

    #[test]
    fn iam_gives_a_jp_allergy() {
        let out = iam(
            "IAM|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|SV^重度^HL70128|呼吸困難|A^追加^HL70323|AL0000002||AL^アレルギー^HL70436||20150620||20260425|割符^花子|SEL^本人||C^確定^HL70438|D0103^鏡^胃太郎^^^^^^^L^^^^^I||20260425",
        );
        let a = one(&out, "AllergyIntolerance");
        assert_eq!(at(&a, "/meta/profile/0"), super::JP_ALLERGY_INTOLERANCE);
        assert_eq!(at(&a, "/category/0"), "food");
        assert_eq!(at(&a, "/code/coding/0/code"), "J9FC11310000");
        assert_eq!(at(&a, "/code/text"), "さば");
        assert_eq!(at(&a, "/reaction/0/severity"), "severe");
        assert_eq!(at(&a, "/reaction/0/description"), "呼吸困難");
        assert_eq!(at(&a, "/reaction/0/manifestation/0/text"), "呼吸困難");
        assert_eq!(at(&a, "/clinicalStatus/coding/0/code"), "active");
        assert_eq!(at(&a, "/verificationStatus/coding/0/code"), "confirmed");
        assert_eq!(at(&a, "/identifier/0/value"), "AL0000002");
        assert_eq!(at(&a, "/type"), "allergy");
        assert_eq!(at(&a, "/onsetDateTime"), "2015-06-20");
        assert_eq!(at(&a, "/recordedDate"), "2026-04-25");
        assert!(at(&a, "/asserter/reference").starts_with("Practitioner/"));
        assert!(at(&a, "/patient/reference").starts_with("Patient/"));
        assert_eq!(all(&out, "Practitioner").len(), 1);
    }

    #[test]
    fn categories_follow_table_0127() {
        for (code, want) in [
            ("DA", Some("medication")),
            ("FA", Some("food")),
            ("EA", Some("environment")),
            ("PA", Some("environment")),
            ("LA", Some("environment")),
            ("AA", Some("biologic")),
            ("MA", None),
            ("MC", None),
        ] {
            let out = iam(&format!("IAM|1|{code}^x^HL70127|^造影剤|||A"));
            let a = one(&out, "AllergyIntolerance");
            assert_eq!(
                a.pointer("/category/0").and_then(|v| v.as_str()),
                want,
                "{code}"
            );
            assert_eq!(reported(&out, "MAP105"), code == "MC");
            assert_eq!(at(&a, "/code/text"), "造影剤");
        }
    }

    #[test]
    fn severities_follow_table_0128_and_a_reaction_has_a_manifestation() {
        for (code, want) in [
            ("MI", Some("mild")),
            ("MO", Some("moderate")),
            ("SV", Some("severe")),
            ("U", None),
        ] {
            let a = one(
                &iam(&format!("IAM|1|FA|^そば|{code}^x^HL70128||A")),
                "AllergyIntolerance",
            );
            assert_eq!(
                a.pointer("/reaction/0/severity").and_then(|v| v.as_str()),
                want,
                "{code}"
            );
            if want.is_some() {
                assert_eq!(at(&a, "/reaction/0/manifestation/0/text"), "不明");
            }
        }
    }

    #[test]
    fn statuses_follow_action_and_clinical_status() {
        for (action, state, reason, clinical, verification) in [
            ("A", "", "", Some("active"), None),
            ("X", "C", "", Some("active"), Some("confirmed")),
            ("U", "S", "", Some("active"), Some("unconfirmed")),
            ("A", "D", "", Some("active"), Some("unconfirmed")),
            ("A", "P", "", Some("active"), Some("unconfirmed")),
            ("A", "U", "", Some("active"), Some("unconfirmed")),
            ("A", "I", "", Some("inactive"), Some("confirmed")),
            ("A", "E", "", None, Some("entered-in-error")),
            ("D", "", "", Some("inactive"), None),
            ("D", "C", "", Some("inactive"), Some("confirmed")),
            ("D", "", "患者取り違え", None, Some("entered-in-error")),
        ] {
            let a = one(
                &iam(&format!(
                    "IAM|1|FA|^そば|||{action}|AL1|{reason}|||||||||{state}"
                )),
                "AllergyIntolerance",
            );
            assert_eq!(
                a.pointer("/clinicalStatus/coding/0/code")
                    .and_then(|v| v.as_str()),
                clinical,
                "{action} {state}"
            );
            assert_eq!(
                a.pointer("/verificationStatus/coding/0/code")
                    .and_then(|v| v.as_str()),
                verification,
                "{action} {state}"
            );
        }
    }

    #[test]
    fn onset_as_text() {
        let a = one(
            &iam("IAM|1|FA|^そば|||A||||||小学校低学年の頃"),
            "AllergyIntolerance",
        );
        assert_eq!(at(&a, "/onsetString"), "小学校低学年の頃");
    }

    #[test]
    fn al1_counts_only_without_adt_61() {
        let a08 = "MSH|^~\\&|A|B|C|D|20260401090512||ADT^A08^ADT_A01|1|P|2.5\r\nPID|1||0000990001||割符^花子^^^^^L^I||19680303|F\r\nAL1|1|DA^薬物アレルギー^HL70127|1^ペニシリン^99XYZ";
        let a = one(&convert("ADT-00", a08), "AllergyIntolerance");
        assert_eq!(at(&a, "/category/0"), "medication");
        assert_eq!(
            at(&a, "/code/coding/0/system"),
            "urn:x-ssmix2:1319999999:99XYZ"
        );
        assert_eq!(at(&a, "/clinicalStatus/coding/0/code"), "active");
        let a60 = "MSH|^~\\&|A|B|C|D|20260401090513||ADT^A60^ADT_A60|1|P|2.5\r\nPID|1||0000990001||割符^花子^^^^^L^I||19680303|F\r\nIAM|1|FA|^そば|||A";
        let out = convert_patient(&[
            (path("ADT-00", "-", "20260401090512000", "-", '1'), a08),
            (path("ADT-61", "-", "20260401090513000", "-", '1'), a60),
        ]);
        assert_eq!(at(&one(&out, "AllergyIntolerance"), "/code/text"), "そば");
        assert!(reported(&out, "MAP112"));
        // What the ADT-00 alone had made is withdrawn, unless the list makes that very resource.
        let gone: Vec<&str> = out.deletes.iter().map(|d| d.id.as_str()).collect();
        assert_eq!(gone, [at(&a, "/id")]);
        let same = a60.replace("FA|^そば", "DA|1^ペニシリン^99XYZ");
        let out = convert_patient(&[
            (path("ADT-00", "-", "20260401090512000", "-", '1'), a08),
            (path("ADT-61", "-", "20260401090513000", "-", '1'), &same),
        ]);
        assert_eq!(at(&one(&out, "AllergyIntolerance"), "/id"), at(&a, "/id"));
        assert!(reported(&out, "MAP112") && out.deletes.is_empty());
        // A newer ADT-00 tells what the older ADT-61 does not list; what it lists is not told again.
        let newer = a08.replace("20260401090512", "20260501090512");
        let penicillin = a60.replace("^そば", "^ペニシリン");
        let nothing = a60.replace("IAM|1|FA|^そば|||A", "");
        let of = |allergen: &str| a60.replace("^そば", allergen);
        for (a60, names) in [
            (a60, ["ペニシリン", "そば"].as_slice()),
            (&penicillin, &["ペニシリン"]),
            (&nothing, &["ペニシリン"]),
            // By another name of the code; by the name in another width, with a blank and a code of its own.
            (&of("1^Penicillin^99XYZ"), &["Penicillin"]),
            (&of("9^ﾍﾟﾆ ｼﾘﾝ^99ABC"), &["ﾍﾟﾆ ｼﾘﾝ"]),
            (&of("^^^^ペニシリン"), &["ペニシリン"]),
            // The code of another system is another's.
            (&of("1^卵^99ABC"), &["ペニシリン", "卵"]),
            (&of("^ペニシリンＧ"), &["ペニシリン", "ペニシリンＧ"]),
        ] {
            let out = convert_patient(&[
                (path("ADT-00", "-", "20260501090512000", "-", '1'), &newer),
                (path("ADT-61", "-", "20260401090513000", "-", '1'), a60),
            ]);
            let found = all(&out, "AllergyIntolerance");
            let found: Vec<&str> = found.iter().map(|a| at(a, "/code/text")).collect();
            assert_eq!(found, names);
            let listed = names.len() == 1 && a60 != nothing;
            assert_eq!(reported(&out, "MAP112"), listed, "{names:?}");
        }
    }
}
