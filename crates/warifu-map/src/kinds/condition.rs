//! Condition (`JP_Condition_Diagnosis`) from PRB, ZPR, ZPD, NTE and ORC (PPR-01). Mapping §4.

use warifu_order::Map;

use warifu_diag::catalogue::map_admin::{MAP106, MAP115, MAP125};
use warifu_diag::catalogue::map_general::{MAP006, MAP012};
use warifu_fhir::element::{self, condition as el};
use warifu_fhir::{Array, Id, Object, Resource, RowId, Src};
use warifu_hl7::{Part, Segment, Val, time};
use warifu_terms::{jlac, maps, systems};

use crate::cx::{Cx, Diagnosis, Sourced};
use crate::datatypes::{
    self, Triplet, both_triplets, codeable_concept, coded_concept, coding, person_reference,
    system_of,
};
use crate::table::{
    CODE, Group, Ignored, ONE, Table, Worded, has_more, keep, keep_further, keep_rest, run,
};

/// Canonical of `JP_Condition_Diagnosis`.
pub const JP_CONDITION_DIAGNOSIS: &str =
    "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Condition_Diagnosis";
/// Canonical of `JP_Condition` (diseases without code).
pub const JP_CONDITION: &str = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Condition";

const PREFIX: &str =
    "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Condition_DiseasePrefixModifier";
const POSTFIX: &str =
    "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Condition_DiseasePostfixModifier";
const OUTCOME: &str =
    "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Condition_DiseaseOutcome";

table! {
    /// PRB → `JP_Condition_Diagnosis` (JP Core 1.2.0). HL7 v2.5 §12.4.2; SS-MIX2 仕様書 PPR-01.
    PRB_TO_JP_CONDITION: "Condition" keeps "PRB" {
        "PRB-1" => "Condition.verificationStatus": part, "アクションコード";
        "PRB-2" => "Condition.encounter": same "PRB-7", "アクション日時";
        "PRB-3" => "Condition.code": part, "プロブレムID";
        "PRB-4" => "Condition.identifier": map identifier, "プロブレムインスタンスID";
        "PRB-5" => "": lost, "診療エピソードID";
        "PRB-6" => "": lost, "プロブレムリスト優先権";
        "PRB-7" => "Condition.recordedDate": map recorded, "プロブレム設定日時";
        "PRB-8" => "Condition.note": map expected_end, "予想されるプロブレム解決日時";
        "PRB-9" => "Condition.abatementDateTime": map abatement, "実際のプロブレム解決日時";
        "PRB-10" => "Condition.code": part, "プロブレムの分類";
        "PRB-11" => "": lost, "プロブレムマネジメント職種";
        "PRB-12" => "": lost, "プロブレムの持続性";
        "PRB-13" => "Condition.verificationStatus": part, "プロブレムの確認状態";
        "PRB-14" => "Condition.extension:diseaseOutcome": map outcome, "プロブレムのライフサイクル状態";
        "PRB-15" => "Condition.abatementDateTime": map state_date, "プロブレムのライフサイクル状態の日時";
        "PRB-16" => "Condition.onsetDateTime": map onset, "プロブレムの発生日";
        "PRB-17" => "Condition.note": map note, "プロブレムの発生テキスト";
        "PRB-18" => "Encounter.diagnosis.rank, Condition.note": part, "プロブレムのランキング";
        "PRB-19" => "": lost, "プロブレムの確実性";
        "PRB-20" => "": lost, "プロブレムの確率";
        "PRB-21" => "Condition.meta.tag": part, "プロブレムの患者の認識";
        "PRB-22" => "Condition.note": part, "プロブレムの予後";
        "PRB-23" => "Condition.note": part, "予後についての患者の認識";
        "PRB-24" => "Condition.note": part, "プロブレム／予後についての家族等の認識";
        "PRB-25" => "Condition.meta.security": part, "セキュリティ／機密度";
    }
}

table! {
    /// ZPR → modifiers and exchange codes of `JP_Condition_Diagnosis`. SS-MIX2 仕様書 PPR-01.
    ZPR_TO_JP_CONDITION: "Condition" keeps "ZPR" {
        "ZPR-1" => "Condition.code.extension:diseasePrefixModifier": part, "修飾語管理番号（接頭語）";
        "ZPR-2" => "Condition.code": part, "病名管理番号";
        "ZPR-3" => "Condition.code.extension:diseasePostfixModifier": part, "修飾語管理番号（接尾語）";
        "ZPR-4" => "Condition.code.extension:diseasePrefixModifier": part, "修飾語交換用コード（接頭語）";
        "ZPR-5" => "Condition.code.coding:medisExchange": part, "病名交換用コード";
        "ZPR-6" => "Condition.code.extension:diseasePostfixModifier": part, "修飾語交換用コード（接尾語）";
        "ZPR-7" => "Condition.note": map note, "コメント";
    }
}

table! {
    /// ZPD (tooth formula) → `Condition.bodySite`. SS-MIX2 仕様書 PPR-01.
    ZPD_TO_JP_CONDITION: "Condition" keeps "ZPD" {
        "ZPD-1" => "": ignored Ignored::Structural, "セットID";
        "ZPD-2" => "Condition.bodySite": part, "歯式情報";
    }
}

table! {
    /// NTE and ORC of a problem → `JP_Condition_Diagnosis`. HL7 v2.5 §2.15.10, §4.5.1; SS-MIX2 仕様書 PPR-01.
    ORC_TO_JP_CONDITION: "Condition" keeps "ORC" {
        "NTE-3" => "Condition.note": part, "コメント";
        "ORC-1" => "Condition.verificationStatus (取り消し)": part, "オーダ制御";
        "ORC-2" => "": same "PRB-4", "依頼者オーダ番号";
        "ORC-3" => "": lost, "実施者オーダ番号";
        "ORC-4" => "": lost, "依頼者グループ番号";
        "ORC-9" => "Condition.encounter": same "PRB-2", "トランザクション日時";
        "ORC-12" => "Condition.recorder": map ordered_by, "依頼者";
        "ORC-10" => "Condition.recorder": map entered_by, "入力者";
        "ORC-13" => "": same "PV1-3", "入力場所";
        "ORC-15" => "": same "ORC-9", "オーダ有効日時";
        "ORC-16" => "": lost, "オーダ制御コードの理由";
        "ORC-17" => "PractitionerRole.organization": part, "入力組織";
        "ORC-18" => "": lost, "入力装置";
        "ORC-21" => "Organization.name": part, "オーダ施設名";
        "ORC-22" => "Organization.address": part, "オーダ施設住所";
        "ORC-23" => "Organization.telecom": part, "オーダ施設電話番号";
        "ORC-29" => "": same "PV1-2", "オーダタイプ";
    }
}

/// Tables of this module.
pub static TABLES: &[Worded] = crate::worded![
    PRB_TO_JP_CONDITION,
    ZPR_TO_JP_CONDITION,
    ZPD_TO_JP_CONDITION,
    ORC_TO_JP_CONDITION,
];

fn row(table: &'static Table, source: &str) -> Option<&'static RowId> {
    super::practitioner::row(table, source)
}

/// PPR-01: one Condition a PRB, and the insurance of the ZI1.
pub(crate) fn convert(cx: &mut Cx<'_, '_>) {
    super::coverage::of_problems(cx);
    let last_order = cx.message().segments().rfind(|s| s.name() == *b"ORC");
    let mut group = Group::new();
    for segment in cx.message().segments() {
        if segment.name() == *b"PRB" {
            problem(cx, &mut group, last_order);
            group.clear();
        } else if group.is_empty() {
            continue;
        }
        group.push(segment);
    }
    problem(cx, &mut group, last_order);
}

/// Identity: PRB-4; without it the disease and its start.
fn identity(prb: Segment<'_>) -> ([&str; 4], usize) {
    let instance = prb.field(4).comp(1).value().trimmed();
    if !instance.is_empty() {
        return ([instance.text, "", "", ""], 1);
    }
    let [first, second] = both_triplets(prb.field(3));
    let name = [first.code, second.code, first.text]
        .into_iter()
        .find(|v| !v.is_empty())
        .unwrap_or_default();
    let start = prb.field(7).value().text;
    (["", name.text, first.text.text, start], 4)
}

/// Logical id of the (first) entry with that identity.
fn id_of<'a>(cx: &mut Cx<'a, '_>, prb: Segment<'a>) -> Id {
    let (parts, count) = identity(prb);
    let parts = parts.get(..count).unwrap_or(&parts);
    cx.id("Condition", parts, prb.position(), "")
}

/// The newest entry of each problem: PRB-4 → (MSH-7, number of the file).
pub(crate) type Newest = Map<String, (u64, u16)>;

/// Notes which file holds the newest entry of each problem, and the diagnoses of stays.
pub(crate) fn survey(cx: &mut Cx<'_, '_>, newest: &mut Newest, diagnoses: &mut Vec<Diagnosis>) {
    let sent = datatypes::sent_at(cx.message());
    for prb in cx.message().segments().filter(|s| s.name() == *b"PRB") {
        let instance = prb.field(4).comp(1).value().trimmed();
        let acted = time::parse(prb.field(2).value().text).map_or(0, |t| t.sort_key());
        if !instance.is_empty() {
            let key = (acted.max(sent), cx.message().number());
            let slot = newest.entry(instance.text.to_owned()).or_insert(key);
            *slot = (*slot).max(key);
        }
        let role = prb.field(10).comp(4).value().trimmed();
        let rank = prb.field(18).comp(1).value().trimmed();
        let main = rank.text == "1";
        let role_known = maps::DIAGNOSIS_ROLE.find(role.text).flatten();
        let withdrawn = maps::PROBLEM_ACTION.translate(prb.field(1).value().text).to
            == maps::ProblemAction::EnteredInError
            || maps::withdrawal(cx.message().value(b"ORC", 1).text).is_some();
        if (main || role_known.is_some()) && !withdrawn && names_disease(prb, None) {
            let condition = id_of(cx, prb);
            let moment = moment_of(cx, prb);
            diagnoses.push(Diagnosis {
                condition,
                message: cx.message().number(),
                instance: instance.text.to_owned(),
                moment: moment.text.to_owned(),
                role: role_known,
                role_src: role.src(),
                main,
                src: if main { rank.src() } else { role.src() },
            });
        }
    }
}

/// When the entry was made: PRB-2, else the message's ORC-9, else PRB-7.
fn moment_of<'a>(cx: &Cx<'a, '_>, prb: Segment<'a>) -> Val<'a> {
    [
        prb.field(2).value(),
        cx.message().value(b"ORC", 9),
        prb.field(7).value(),
    ]
    .into_iter()
    .find(|v| !v.is_empty())
    .unwrap_or_default()
}

fn problem<'a>(cx: &mut Cx<'a, '_>, group: &mut Group<'a>, last_order: Option<Segment<'a>>) {
    let Some(prb) = group.first(*b"PRB") else {
        return;
    };
    let instance = prb.field(4).comp(1).value().trimmed();
    let newer = cx
        .context
        .problems
        .get(instance.text)
        .is_some_and(|(_, file)| *file != cx.message().number());
    if newer {
        cx.report(&MAP115, &instance);
        group.segments().iter().for_each(|s| cx.used_all(*s));
        return;
    }
    // A withdrawal may name the entry alone.
    let withdraws = !instance.is_empty()
        && maps::PROBLEM_ACTION.translate(prb.field(1).value().text).to
            == maps::ProblemAction::EnteredInError;
    if !withdraws && !names_disease(prb, group.first(*b"ZPR")) {
        cx.report_with(&MAP012, &prb, "PRB-3");
        group.segments().iter().for_each(|s| cx.used_all(*s));
        return;
    }
    let (parts, count) = identity(prb);
    let parts = parts.get(..count).unwrap_or(&parts);
    let at = if instance.is_empty() {
        prb.field(3).src()
    } else {
        instance.src()
    };
    let id = cx.entry_id("Condition", parts, prb.position(), "", &at);
    if group.first(*b"ORC").is_none() {
        // The order at the end of the message holds for all of its problems.
        if let Some(orc) = last_order {
            group.push(orc);
        }
    }
    let group: &Group<'a> = group;
    let mut r = cx.open("Condition", id);
    let coded = code(&mut r, cx, group, prb);
    category(&mut r, cx, prb);
    run(&PRB_TO_JP_CONDITION, &mut r, cx, group);
    run(&ZPR_TO_JP_CONDITION, &mut r, cx, group);
    keep_further(&ZPR_TO_JP_CONDITION, &mut r, cx, group, *b"ZPR");
    run(&ORC_TO_JP_CONDITION, &mut r, cx, group);
    let before = r.row(row(&ORC_TO_JP_CONDITION, "NTE-3"));
    datatypes::comments(&mut r, el::NOTE, group);
    r.row(before);
    for zpd in group.all(*b"ZPD") {
        let before = r.row(row(&ZPD_TO_JP_CONDITION, "ZPD-2"));
        for rep in zpd.field(2).reps() {
            r.object(el::BODY_SITE, |o| codeable_concept(o, cx, rep));
        }
        r.row(before);
        keep_rest(&ZPD_TO_JP_CONDITION, &mut r, cx, &[zpd]);
    }
    status(&mut r, cx, group, prb);
    cx.subject(&mut r, el::SUBJECT);
    encounter(&mut r, cx, prb);
    meta(
        &mut r,
        cx,
        prb,
        if coded {
            JP_CONDITION_DIAGNOSIS
        } else {
            JP_CONDITION
        },
    );
    cx.emit(r);
}

/// Whether PRB-3, PRB-10 or the ZPR say which disease it is.
fn names_disease(prb: Segment<'_>, zpr: Option<Segment<'_>>) -> bool {
    let said = |f: Part<'_>| {
        f.comp(9).is_some() || f.reps().flat_map(datatypes::triplets).next().is_some()
    };
    let [icd, _] = both_triplets(prb.field(10));
    said(prb.field(3))
        || !icd.is_empty()
        || zpr.is_some_and(|zpr| (1..=6).any(|n| said(zpr.field(n))))
}

/// PRB-3, PRB-10.1–3, ZPR-1…6 → `code`. Returns whether a code of a published system is there.
fn code<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, prb: Segment<'a>) -> bool {
    let (disease, class) = (prb.field(3), prb.field(10));
    let zpr = group.first(*b"ZPR");
    let mut coded = false;
    let mut text = Val::default();
    let mut seen: [&str; 6] = [""; 6];
    let mut count = 0usize;
    // The profile allows one coding a published system: the first wins.
    let mut fresh = |system: &'a str| -> bool {
        if seen.contains(&system) {
            return false;
        }
        if let Some(slot) = seen.get_mut(count) {
            *slot = system;
            count += 1;
        }
        true
    };
    let before = r.row(row(&PRB_TO_JP_CONDITION, "PRB-3"));
    r.object(el::CODE, |o| {
        if let Some(zpr) = zpr {
            o.array("extension", |a| {
                modifiers(a, cx, PREFIX, zpr, 1, 4);
                modifiers(a, cx, POSTFIX, zpr, 3, 6);
            });
        }
        o.row(row(&PRB_TO_JP_CONDITION, "PRB-3"));
        o.array("coding", |a| {
            for t in datatypes::triplets(disease) {
                if text.is_empty() {
                    text = t.text;
                }
                if t.code.is_empty() {
                    continue;
                }
                if t.code.text == jlac::UNCODED_DISEASE {
                    cx.used(&disease);
                    continue;
                }
                let known = published(&t);
                let system = if known { system_of(cx, &t) } else { "" };
                if !known || fresh(system) {
                    coded |= known;
                    coding(a, cx, &t);
                }
            }
            if let Some(zpr) = zpr {
                for n in [2u16, 5] {
                    for t in datatypes::triplets(zpr.field(usize::from(n))) {
                        if t.code.text != jlac::UNCODED_DISEASE
                            && published(&t)
                            && fresh(system_of(cx, &t))
                        {
                            coded = true;
                            coding(a, cx, &t);
                        } else {
                            second_name(cx, zpr, n.into(), disease);
                        }
                    }
                }
            }
            let [icd, _] = both_triplets(class);
            cx.used(&class.comp(3));
            if !icd.code.is_empty() {
                let system = system_of(cx, &icd);
                let bare = icd_code(cx, icd.code, system == systems::ICD10_2013_FULL);
                let icd = Triplet {
                    code: icd.code.map(bare),
                    ..icd
                };
                coded |= published(&icd);
                coding(a, cx, &icd);
            }
            if text.is_empty() {
                text = icd.text;
            }
        });
        let original = disease.comp(9).text();
        if text.is_empty() {
            text = original;
        }
        o.string("text", text.text, text.src());
    });
    r.row(before);
    if !coded {
        cx.report(&MAP106, &disease);
    }
    coded
}

/// A name of the disease that is no further coding: kept, unless it is that of PRB-3.
fn second_name<'a>(cx: &mut Cx<'a, '_>, zpr: Segment<'a>, n: usize, disease: Part<'a>) {
    let name = zpr.field(n);
    if name.raw() == disease.raw() {
        cx.used(&name);
    } else {
        cx.stray_field(zpr, n, name);
    }
}

/// Whether the triplet's system has a published URI.
fn published(t: &Triplet<'_>) -> bool {
    matches!(
        systems::system_uri(t.system.text, t.code.text, t.version.text),
        systems::SystemUri::Known(_)
    )
}

/// ICD-10 code without filler hyphens; without the dot where the value set has none (2013).
fn icd_code<'a>(cx: &Cx<'a, '_>, code: Val<'a>, without_dot: bool) -> &'a str {
    let trimmed = code.text.trim_end_matches('-').trim_end_matches('.');
    if without_dot && trimmed.as_bytes().contains(&b'.') {
        cx.text(&trimmed.replace('.', ""))
    } else {
        trimmed
    }
}

/// Modifiers of one side: management number and exchange code of the same repetition are one modifier.
fn modifiers<'a>(
    a: &mut Array<'_>,
    cx: &mut Cx<'a, '_>,
    url: &'static str,
    zpr: Segment<'a>,
    numbers: u16,
    exchanges: u16,
) {
    let (first, second) = (
        zpr.field(usize::from(numbers)),
        zpr.field(usize::from(exchanges)),
    );
    let mut exchange = second.reps();
    let mut number = first.reps();
    loop {
        let pair = (number.next(), exchange.next());
        if matches!(pair, (None, None)) {
            return;
        }
        a.object(|o| {
            let mut text = Val::default();
            let mut taken = "";
            let given = [(pair.0, numbers), (pair.1, exchanges)];
            if given.iter().all(|(p, _)| p.is_none_or(|p| !p.is_some())) {
                return;
            }
            o.constant("url", url);
            o.object("valueCodeableConcept", |o| {
                o.array("coding", |a| {
                    for (part, _) in given {
                        for t in part.into_iter().flat_map(datatypes::triplets) {
                            if text.is_empty() {
                                text = t.text;
                            }
                            modifier(a, cx, &t, &mut taken);
                        }
                    }
                });
                o.string("text", text.text, text.src());
            });
        });
    }
}

/// `taken`: the published system that the modifier has a coding of. The profile has one place for each,
/// so that a second code of that system is kept as a local one.
fn modifier<'a>(a: &mut Array<'_>, cx: &mut Cx<'a, '_>, t: &Triplet<'a>, taken: &mut &'static str) {
    if t.code.is_empty() {
        return;
    }
    let system = match systems::modifier_uri(t.system.text, t.code.text) {
        systems::SystemUri::Known(uri) if uri == *taken => {
            cx.report_with(&MAP006, &t.code, "MDCDX2");
            datatypes::local_system(cx, t.system.text)
        }
        systems::SystemUri::Known(uri) => {
            *taken = uri;
            uri
        }
        systems::SystemUri::Local => datatypes::local_system(cx, t.system.text),
        systems::SystemUri::LocalAs(label) => datatypes::local_system(cx, label),
    };
    a.object(|o| {
        o.string(
            "system",
            system,
            if t.system.is_empty() {
                t.code.src()
            } else {
                t.system.src()
            },
        );
        o.string("code", t.code.text, t.code.src());
        o.string("display", t.text.text, t.text.src());
    });
}

/// Always an encounter diagnosis; PRB-10.4–6 (JHSD0004) is a second coding of the same category.
fn category<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, prb: Segment<'a>) {
    let [_, kind] = both_triplets(prb.field(10));
    let before = r.row(row(&PRB_TO_JP_CONDITION, "PRB-10"));
    r.object(el::CATEGORY, |o| {
        o.array("coding", |a| {
            a.object(|o| {
                o.constant("system", systems::CONDITION_CATEGORY);
                o.constant("code", "encounter-diagnosis");
                o.constant("display", "Encounter Diagnosis");
            });
            coding(a, cx, &kind);
        });
    });
    r.row(before);
}

/// PRB-4.
fn identifier<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.comp(1).value().trimmed();
    if !v.is_empty() {
        r.object(el::IDENTIFIER, |o| {
            datatypes::identifier(o, systems::ID_RESOURCE_INSTANCE, v);
        });
    }
}

/// PRB-7: the field is the start of treatment (開始日); it is the onset, too, when PRB-16 is empty.
fn recorded<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    datatypes::add_date_time(r, cx, el::RECORDED_DATE, f.value());
    if group.field(*b"PRB", 16).is_none_or(|f| !f.is_some()) {
        datatypes::add_date_time(r, cx, el::ONSET_DATE_TIME, f.value());
    }
}

/// PRB-8: an end that is only expected is no abatement.
fn expected_end<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.value().trimmed();
    if let Some(day) = datatypes::date_time(cx, v, "PRB-8") {
        let text = crate::cx::concat(cx.message().arena(), &["予想される解決日: ", day]);
        r.object(el::NOTE, |o| o.string("text", text, v.src()));
    }
}

/// PRB-16.
fn onset<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    datatypes::add_date_time(r, cx, el::ONSET_DATE_TIME, f.value());
}

/// PRB-9.
fn abatement<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    let start = group.field(*b"PRB", 16).filter(Part::is_some);
    let start = start.or_else(|| group.field(*b"PRB", 7));
    let (start, end) = (start.map(|f| f.value()).unwrap_or_default(), f.value());
    let read = (
        warifu_hl7::time::parse(start.text),
        datatypes::read_time(cx, end, "PRB-9"),
    );
    datatypes::Times::told(cx, (start, end), read, "PRB-9").write_end(r, el::ABATEMENT_DATE_TIME);
}

/// PRB-15: the end only when PRB-14 says that the disease is over and PRB-9 is empty.
fn state_date<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    let over = group.field(*b"PRB", 14).is_some_and(|state| {
        matches!(
            outcome_of(state).open,
            "resolved" | "remission" | "inactive"
        )
    });
    if over && !group.field(*b"PRB", 9).is_some_and(|f| f.is_some()) {
        abatement(r, cx, group, f);
    } else {
        keep(r, cx, "PRB-15", f);
    }
}

/// What an outcome (PRB-14) says, by the table it names; `active` for an empty or unknown one.
fn outcome_of(f: Part<'_>) -> maps::Outcome {
    let [first, _] = both_triplets(f);
    let by_0241 = maps::OUTCOME_0241.find(first.code.text);
    let by_jhsd = maps::OUTCOME_JHSD0006.find(first.code.text);
    let found = if systems::trim_name(first.system.text) == "JHSD0006" {
        by_jhsd.or(by_0241)
    } else {
        by_0241.or(by_jhsd)
    };
    found.unwrap_or(maps::OUTCOME_0241.unknown)
}

/// PRB-14 → extension `JP_Condition_DiseaseOutcome`.
fn outcome<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    r.object(element::EXTENSION, |o| {
        o.constant("url", OUTCOME);
        o.object("valueCodeableConcept", |o| {
            let [t, _] = both_triplets(f);
            if systems::trim_name(t.system.text) == "JHSD0006" && !t.code.is_empty() {
                o.array("coding", |a| {
                    a.object(|o| {
                        o.string("system", systems::OUTCOME_JHSD0006, t.system.src());
                        o.string("code", t.code.text, t.code.src());
                        o.string("display", t.text.text, t.text.src());
                    });
                });
                o.string("text", t.text.text, t.text.src());
            } else {
                codeable_concept(o, cx, f);
            }
        });
    });
}

/// PRB-1, 13, 14, ZPR-3, 6, ORC-1 → `verificationStatus` and `clinicalStatus` (con-3, con-4, con-5).
fn status<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, prb: Segment<'a>) {
    let action = prb.field(1).value().trimmed();
    let acted = maps::PROBLEM_ACTION.translate(action.text);
    if !acted.known {
        cx.unlisted(action, "0287");
    }
    // It decides which entry holds and to which stay it belongs; what is no time is told and kept.
    datatypes::read_time(cx, prb.field(2).value(), "PRB-2");
    let confirmation = prb.field(13);
    // ORC-1 withdraws what the message says, as in every kind.
    let control = group.field(*b"ORC", 1).map(|f| f.value());
    let control = control.unwrap_or_default();
    let ordered = maps::withdrawal(control.text.trim()).is_none();
    let withdrawn =
        acted.to == maps::ProblemAction::EnteredInError || cx.item.flag == b'0' || !ordered;
    let told = maps::CONDITION_VERIFICATION.translate(confirmation.comp(1).value().text);
    let mut verification = told.to;
    // Another code than JHSD0005's is read by its word, and kept.
    if confirmation.is_some() && !told.known {
        if warifu_hl7::has(confirmation.text().text, "疑") {
            verification = "provisional";
        }
        keep(r, cx, "PRB-13", confirmation);
    }
    let mut src = if confirmation.is_some() {
        confirmation.comp(1).src()
    } else {
        action.src()
    };
    let zpr = group.first(*b"ZPR");
    // A modifier 「の疑い」 (exchange code 8002) says the same as PRB-13.
    for n in [3, 6] {
        let Some(zpr) = zpr else { break };
        for t in zpr.field(n).reps().flat_map(datatypes::triplets) {
            if t.text.text.ends_with("疑い") || (n == 6 && t.code.text == "8002") {
                verification = "provisional";
                src = t.code.src();
            }
        }
    }
    if withdrawn {
        verification = "entered-in-error";
        src = if ordered { action.src() } else { control.src() };
    }
    let display = match verification {
        "provisional" => "Provisional",
        "entered-in-error" => "Entered in Error",
        _ => "Confirmed",
    };
    let before = r.row(row(&PRB_TO_JP_CONDITION, "PRB-13"));
    r.object(el::VERIFICATION_STATUS, |o| {
        coded_concept(
            o,
            systems::CONDITION_VERIFICATION,
            verification,
            display,
            src,
        );
    });
    if !withdrawn {
        let state = prb.field(14);
        let outcome = outcome_of(state);
        let code = if r.has(el::ABATEMENT_DATE_TIME) {
            outcome.ended
        } else {
            outcome.open
        };
        let display = match code {
            "resolved" => "Resolved",
            "remission" => "Remission",
            "inactive" => "Inactive",
            _ => "Active",
        };
        let src = if state.is_some() {
            state.comp(1).src()
        } else {
            action.src()
        };
        r.row(row(&PRB_TO_JP_CONDITION, "PRB-14"));
        r.object(el::CLINICAL_STATUS, |o| {
            coded_concept(o, systems::CONDITION_CLINICAL, code, display, src);
        });
    }
    r.row(before);
}

/// PRB-17, ZPR-7.
fn note<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.text();
    r.object(el::NOTE, |o| o.string("text", v.text, v.src()));
}

/// ORC-12: who recorded and who asserts; the department (ORC-17) makes a role of it.
fn ordered_by<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    let Some(p) = datatypes::practitioner(cx, f) else {
        return;
    };
    r.object(el::RECORDER, |o| person_reference(o, &p));
    r.object(el::ASSERTER, |o| person_reference(o, &p));
    if let (Some(id), Some(organization)) = (p.id, group.field(*b"ORC", 17).filter(Part::is_some)) {
        if let Some(department) = super::practitioner::department_of(cx, organization) {
            super::practitioner::emit_role(
                cx,
                (id, p.src),
                department,
                organization.comp(1).value().text,
                organization.comp(1).src(),
            );
        }
        cx.used(&organization);
    }
}

/// ORC-10, when nobody ordered.
fn entered_by<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    if r.has(el::RECORDER) {
        keep(r, cx, "ORC-10", f);
        return;
    }
    if let Some(p) = datatypes::practitioner(cx, f) {
        r.object(el::RECORDER, |o| person_reference(o, &p));
    }
}

/// The stay or visit in which the entry was made. PRB-18 and PRB-10.4 stand in that Encounter's
/// `diagnosis`; without an Encounter a note keeps the rank.
fn encounter<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, prb: Segment<'a>) {
    let moment = moment_of(cx, prb);
    let rank = prb.field(18);
    if let Some(id) = cx.encounter_at(moment.text) {
        let before = r.row(row(&PRB_TO_JP_CONDITION, "PRB-2"));
        cx.reference(r, el::ENCOUNTER, "Encounter", id, moment.src());
        r.row(before);
        cx.used(&rank);
        return;
    }
    if rank.is_some() {
        let said = [rank.comp(2), rank.comp(1)].map(|c| c.value().trimmed());
        let said = said.into_iter().find(|v| !v.is_empty()).unwrap_or_default();
        let text = crate::cx::concat(cx.message().arena(), &["病名の順位: ", said.text]);
        let before = r.row(row(&PRB_TO_JP_CONDITION, "PRB-18"));
        r.object(el::NOTE, |o| o.string("text", text, said.src()));
        r.row(before);
        cx.used(&rank);
    }
}

/// `meta`: the profile, PRB-25 as security label, PRB-21 as tag `UNINFORMED` when the patient has not
/// been told. What PRB-21 to 24 say in words is for clinicians only and so goes into notes of a
/// resource that carries the tag; otherwise it is left out in any form (see `is_for_clinicians`), and told.
fn meta<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, prb: Segment<'a>, profile: &'static str) {
    let told = prb.field(21);
    let uninformed = told.is_some() && !affirmative(told);
    for (n, label) in [
        (21u16, "患者への告知"),
        (22, "予後"),
        (23, "予後の告知"),
        (24, "家族の認識"),
    ] {
        let field = prb.field(usize::from(n));
        if !field.is_some() {
            continue;
        }
        let Some(row) = PRB_TO_JP_CONDITION.rows.iter().find(|r| r.field == n) else {
            continue;
        };
        // The code of PRB-21 is told by the tag.
        let more = has_more(field, if n == 21 { CODE } else { ONE });
        if !uninformed {
            if n > 21 || more {
                cx.report_with(&MAP125, &field, row.row.source);
            }
            cx.used(&field);
            continue;
        }
        let v = field
            .comp(2)
            .value()
            .some()
            .unwrap_or_else(|| field.comp(1).value());
        let all = field.text().trimmed();
        let arena = cx.message().arena();
        let before = r.row(Some(&row.row));
        let text = if more {
            crate::cx::concat(arena, &[label, ": ", v.text, " (", all.text, ")"])
        } else {
            crate::cx::concat(arena, &[label, ": ", v.text])
        };
        r.object(el::NOTE, |o| o.string("text", text, v.src()));
        r.row(before);
    }
    let security = prb.field(25);
    let before = r.row(row(&PRB_TO_JP_CONDITION, "PRB-25"));
    r.object(element::META, |o| {
        o.array("profile", |a| a.string(profile, Src::NONE));
        if security.is_some() {
            o.array("security", |a| {
                for t in security.reps().flat_map(datatypes::triplets) {
                    coding(a, cx, &t);
                }
            });
        }
        if uninformed {
            o.row(row(&PRB_TO_JP_CONDITION, "PRB-21"));
            o.array("tag", |a| {
                a.object(|o: &mut Object<'_>| {
                    o.constant("system", systems::CLINS_INDICATION);
                    o.string("code", "UNINFORMED", told.comp(1).src());
                });
            });
        }
    });
    r.row(before);
}

/// Whether PRB-21 says that the patient knows. In doubt: no, since what is hidden by mistake can be
/// shown later, but not the other way round.
fn affirmative(f: Part<'_>) -> bool {
    let (code, text) = (f.comp(1).value(), f.comp(2).value());
    let no = |s: &str| {
        ["未", "なし", "無", "不", "否"]
            .iter()
            .any(|w| warifu_hl7::has(s, w))
    };
    if no(text.text) || no(code.text) {
        return false;
    }
    code.text.trim().eq_ignore_ascii_case("Y")
        || ["済", "告知", "あり", "有"]
            .iter()
            .any(|w| warifu_hl7::has(text.text, w))
}

#[cfg(test)]
mod tests {
    use crate::testing::{all, at, convert, convert_patient, one, path, reported, resolve};

    const HEAD: &str = "MSH|^~\\&|A|B|C|D|20260425110000||PPR^ZD1^PPR_ZD1|1|P|2.5\r\nPID|1||0000990001||割符^花子^^^^^L^I||19680303|F\r\n";

    fn ppr(rest: &str) -> crate::Output {
        convert("PPR-01", &format!("{HEAD}{rest}"))
    }

    #[test]
    fn an_entry_without_disease_is_reported_and_no_resource() {
        for prb in ["PRB", "PRB|AD|20260413161000||PRB1"] {
            let out = ppr(prb);
            assert!(all(&out, "Condition").is_empty(), "{prb}");
            assert!(reported(&out, "MAP012"), "{prb}");
        }
        // What is withdrawn needs its number only.
        let c = one(&ppr("PRB|DE|20260413161000||PRB1"), "Condition");
        assert_eq!(
            at(&c, "/verificationStatus/coding/0/code"),
            "entered-in-error"
        );
    }

    #[test]
    fn two_diseases_with_one_number_are_two_conditions() {
        let prb = |disease: &str| format!("PRB|AD|20260413161000|{disease}|PRB1|||20260413|||");
        let text = [prb("20064049^胃炎^MDCDX2"), prb("20061234^胃癌^MDCDX2")].join("\r\n");
        let out = ppr(&text);
        let found = all(&out, "Condition");
        assert_eq!(found.len(), 2);
        let names: Vec<&str> = found.iter().map(|c| at(c, "/code/text")).collect();
        assert_eq!(names, ["胃炎", "胃癌"]);
        assert_ne!(at(&found[0], "/id"), at(&found[1], "/id"));
        assert!(reported(&out, "MAP015"));
        assert!(!reported(&out, "MAP016"));
        // The same file again gives the same.
        assert_eq!(all(&ppr(&text), "Condition"), found);
    }

    #[test]
    fn a_second_code_of_a_modifier_system_is_kept_as_a_local_one() {
        let out = ppr(
            "PRB|AD|20260413161000|20064049^胃炎^MDCDX2|PRB1|||20260413|||\r\nZPR|4012^急性^MDCDX2|||AAAA^急性^MDCDX2",
        );
        let c = one(&out, "Condition");
        let modifier = "/code/extension/0/valueCodeableConcept/coding";
        assert_eq!(
            at(&c, &format!("{modifier}/0/system")),
            warifu_terms::systems::MODIFIER_EXCHANGE
        );
        assert!(at(&c, &format!("{modifier}/1/system")).starts_with("urn:x-ssmix2:"));
        assert_eq!(at(&c, &format!("{modifier}/1/code")), "AAAA");
        assert!(reported(&out, "MAP006"));
    }

    #[test]
    fn the_main_disease_outside_a_stay_is_said_in_a_note() {
        let out = ppr(
            "PRB|AD|20260413161000|20064049^胃炎^MDCDX2|PRB1|||20260413|||||||||||1^主診断^JHSD0007",
        );
        assert_eq!(
            at(&one(&out, "Condition"), "/note/0/text"),
            "病名の順位: 主診断"
        );
    }

    #[test]
    fn an_expected_end_is_a_note_and_no_abatement() {
        let c = one(
            &ppr("PRB|AD|20260413161000|20064049^胃炎^MDCDX2|PRB1|||20260413|20260601"),
            "Condition",
        );
        assert_eq!(at(&c, "/note/0/text"), "予想される解決日: 2026-06-01");
        assert!(c.pointer("/abatementDateTime").is_none());
    }

    #[test]
    fn a_disease_ends_not_before_it_starts() {
        // PRB-7, 9, 14, 15, 16.
        for (start, end, changed, onset, told) in [
            ("20260401", "20260301", "", "", true),
            ("20260401", "20260401", "", "", false),
            ("20260401", "20260501", "", "", false),
            ("20260401", "", "20260301", "", true),
            ("20260401", "20260301", "", "20260201", false),
        ] {
            let c = ppr(&format!(
                "PRB|AD|20260413161000|20064049^胃炎^MDCDX2|PRB1|||{start}||{end}|||||F^治癒^HL70241|{changed}|{onset}"
            ));
            assert_eq!(reported(&c, "MAP020"), told, "{end} {changed}");
            let c = one(&c, "Condition");
            assert_eq!(c["abatementDateTime"].is_null(), told, "{end} {changed}");
            let field = if end.is_empty() { "PRB-15" } else { "PRB-9" };
            let kept = c.to_string().contains(&format!("field:{field}\""));
            assert_eq!(kept, told, "{c:#}");
        }
    }

    #[test]
    fn prb_gives_a_jp_condition_diagnosis() {
        let out = ppr(
            "PRB|AD|20260413161000|20064049^出血性十二指腸潰瘍^MDCDX2|PRB1|||20260413||20260420|K26.9^十二指腸潰瘍^I10^H^入院時^JHSD0004^2013||||F^完治^HL70241||20260412|経過良好|1^主診断^JHSD0007|||||||V^非常に限定^HL70177\r\nZPR|27000411^出血性^MDCDX2|20064049^十二指腸潰瘍^MDCDX2||4019^出血性^MDCDX2|Q7NP^十二指腸潰瘍^MDCDX2||コメント\r\nZPD|1|1016^右上６^99WRF\r\nNTE|||鎮痛剤内服後に出現\r\nORC|NW|0001||||||||20260413161000||D0101^見立^一郎^^^^^^^L^^^^^I|||||06^消化器科^HL70069",
        );
        let c = one(&out, "Condition");
        assert_eq!(at(&c, "/meta/profile/0"), super::JP_CONDITION_DIAGNOSIS);
        assert_eq!(at(&c, "/meta/security/0/code"), "V");
        assert_eq!(at(&c, "/identifier/0/value"), "PRB1");
        assert_eq!(at(&c, "/code/text"), "出血性十二指腸潰瘍");
        assert_eq!(
            at(&c, "/code/coding/0/system"),
            "http://medis.or.jp/CodeSystem/master-disease-keyNumber"
        );
        assert_eq!(at(&c, "/code/coding/1/code"), "Q7NP");
        assert_eq!(at(&c, "/code/coding/2/code"), "K269");
        assert_eq!(
            at(&c, "/code/coding/2/system"),
            "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full"
        );
        assert_eq!(at(&c, "/code/extension/0/url"), super::PREFIX);
        assert_eq!(
            at(&c, "/code/extension/0/valueCodeableConcept/coding/0/code"),
            "27000411"
        );
        assert_eq!(
            at(&c, "/code/extension/0/valueCodeableConcept/coding/1/code"),
            "4019"
        );
        assert_eq!(at(&c, "/category/0/coding/0/code"), "encounter-diagnosis");
        assert_eq!(at(&c, "/category/0/coding/1/code"), "H");
        assert_eq!(
            at(&c, "/extension/0/valueCodeableConcept/coding/0/code"),
            "F"
        );
        assert_eq!(at(&c, "/clinicalStatus/coding/0/code"), "resolved");
        assert_eq!(at(&c, "/verificationStatus/coding/0/code"), "confirmed");
        assert_eq!(at(&c, "/onsetDateTime"), "2026-04-12");
        assert_eq!(at(&c, "/abatementDateTime"), "2026-04-20");
        assert_eq!(at(&c, "/recordedDate"), "2026-04-13");
        let recorder = resolve(&out, c.pointer("/recorder/reference").unwrap());
        assert_eq!(at(&recorder, "/identifier/0/value"), "D0101");
        assert_eq!(at(&c, "/asserter/display"), "見立 一郎");
        assert_eq!(
            at(&one(&out, "PractitionerRole"), "/practitioner/reference"),
            at(&c, "/recorder/reference")
        );
        let notes: Vec<&str> = c["note"]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| n["text"].as_str().unwrap())
            .collect();
        assert_eq!(
            notes,
            [
                "経過良好",
                "コメント",
                "鎮痛剤内服後に出現",
                "病名の順位: 主診断"
            ]
        );
        assert_eq!(at(&c, "/bodySite/0/text"), "右上６");
        assert!(at(&c, "/subject/reference").starts_with("Patient/"));
    }

    #[test]
    fn suspicion_is_provisional_by_field_or_modifier() {
        let prb = |confirmed: &str| {
            format!(
                "PRB|AD|20260401|20058911^狭心症の疑い^MDCDX2|P1|||20260401|||I209^狭心症^I10|||{confirmed}"
            )
        };
        for (segments, want) in [
            (prb("1^疑い^JHSD0005"), "provisional"),
            (prb(""), "confirmed"),
            (
                format!(
                    "{}\r\nZPR||20058911^狭心症^MDCDX2|27000002^の疑い^MDCDX2",
                    prb("")
                ),
                "provisional",
            ),
            (
                format!("{}\r\nZPR||20058911^狭心症^MDCDX2||||8002^^MDCDX2", prb("")),
                "provisional",
            ),
        ] {
            let c = one(&ppr(&segments), "Condition");
            assert_eq!(
                at(&c, "/verificationStatus/coding/0/code"),
                want,
                "{segments}"
            );
            assert_eq!(
                at(&c, "/onsetDateTime"),
                "2026-04-01",
                "treatment start counts as onset"
            );
        }
    }

    #[test]
    fn outcomes_give_a_clinical_status() {
        for (outcome, end, date, want, abated) in [
            ("F^x^HL70241", "", "20260420", "resolved", true),
            ("R^x^HL70241", "", "", "resolved", false),
            ("M^x^JHSD0006", "", "", "remission", false),
            ("C^x^JHSD0006", "", "20260420", "active", false),
            ("C^x^JHSD0006", "20260420", "", "resolved", true),
            ("D^x^HL70241", "", "", "inactive", false),
            ("N^x^HL70241", "", "20260420", "active", false),
            ("", "20260420", "", "resolved", true),
            ("", "", "", "active", false),
        ] {
            let c = one(
                &ppr(&format!(
                    "PRB|AD|20260401|20058911^狭心症^MDCDX2|P1|||20260401||{end}|||||{outcome}|{date}"
                )),
                "Condition",
            );
            assert_eq!(
                at(&c, "/clinicalStatus/coding/0/code"),
                want,
                "{outcome} {end} {date}"
            );
            assert_eq!(
                c.pointer("/abatementDateTime").is_some(),
                abated,
                "{outcome} {end} {date}"
            );
        }
    }

    #[test]
    fn a_deleted_problem_is_entered_in_error_without_clinical_status() {
        let c = one(
            &ppr("PRB|DE|20260401|20058911^狭心症^MDCDX2|P1|||20260401"),
            "Condition",
        );
        assert_eq!(
            at(&c, "/verificationStatus/coding/0/code"),
            "entered-in-error"
        );
        assert!(c.pointer("/clinicalStatus").is_none());
    }

    #[test]
    fn an_uncoded_disease_keeps_its_text_only() {
        let out = ppr("PRB|AD|20260401|20084317^薬剤性と思われる上腹部不快感^MDCDX2|P1|||20260401");
        let c = one(&out, "Condition");
        assert_eq!(at(&c, "/meta/profile/0"), super::JP_CONDITION);
        assert_eq!(at(&c, "/code/text"), "薬剤性と思われる上腹部不快感");
        assert!(c.pointer("/code/coding").is_none());
        assert!(reported(&out, "MAP106"));
    }

    #[test]
    fn what_the_patient_does_not_know_is_tagged() {
        let prb = |told: &str, prognosis: &str| {
            format!(
                "PRB|AD|20260401|20058911^狭心症^MDCDX2|P1|||20260401||||||||||||||{told}||{prognosis}"
            )
        };
        let c = one(&ppr(&prb("N^未告知^99L", "N^未告知^99L")), "Condition");
        assert_eq!(at(&c, "/meta/tag/0/code"), "UNINFORMED");
        assert_eq!(
            at(&c, "/note/0/text"),
            "患者への告知: 未告知 (N^未告知^99L)"
        );
        assert_eq!(at(&c, "/note/1/text"), "予後の告知: 未告知 (N^未告知^99L)");
        let out = ppr(&prb("Y^告知済^99L", "N^未告知^99L"));
        let c = one(&out, "Condition");
        assert!(c.pointer("/meta/tag").is_none() && c.pointer("/note").is_none());
        assert!(reported(&out, "MAP125"));
        assert!(
            one(&ppr(&prb("", "")), "Condition")
                .pointer("/meta/tag")
                .is_none()
        );
    }

    #[test]
    fn what_is_for_clinicians_stands_nowhere_in_any_form() {
        let kept = |out: &crate::Output| String::from_utf8_lossy(&out.json).contains("field:PRB-2");
        let prb = |told: &str, n: usize, form: &str| {
            let (before, between) = ("|".repeat(14), "|".repeat(n - 21));
            format!(
                "PRB|AD|20260401|20058911^狭心症^MDCDX2|P1|||20260401{before}{told}{between}{form}"
            )
        };
        for form in [
            "QZ",
            "N^QZ^99L",
            "^QZ^",
            "N^x^99L~QZ",
            "N^x^99L^^^^QZ",
            "x&QZ",
        ] {
            for n in 22..=24 {
                for told in ["", "Y^告知済^99L"] {
                    let out = ppr(&prb(told, n, form));
                    let json = one(&out, "Condition").to_string();
                    assert!(!json.contains("QZ"), "{json}");
                    assert!(reported(&out, "MAP125") && !kept(&out), "{form} in {n}");
                }
                // Where the patient is not told, the resource is tagged and loses nothing.
                let out = ppr(&prb("N", n, form));
                let json = one(&out, "Condition").to_string();
                assert!(json.contains("UNINFORMED") && json.contains("QZ"), "{json}");
                assert!(!kept(&out), "{json}");
            }
        }
    }

    #[test]
    fn the_newest_entry_of_a_problem_wins() {
        let old = "MSH|^~\\&|A|B|C|D|20260401110000||PPR^ZD1^PPR_ZD1|1|P|2.5\r\nPID|1||0000990001||割符^花子^^^^^L^I||19680303|F\r\nPRB|AD|20260401110000|20058911^狭心症の疑い^MDCDX2|P1|||20260401|||I209^狭心症^I10|||1^疑い^JHSD0005";
        let new = format!(
            "{HEAD}PRB|UP|20260425110000|20058911^狭心症^MDCDX2|P1|||20260401|||I209^狭心症^I10"
        );
        let second = path("PPR-01", "-", "20260401110000000", "01", '1')
            .replace("999999999999999", "000000000000001");
        let out = convert_patient(&[
            (second, old),
            (path("PPR-01", "-", "20260425110000000", "01", '1'), &new),
        ]);
        assert_eq!(
            at(&one(&out, "Condition"), "/verificationStatus/coding/0/code"),
            "confirmed"
        );
        assert!(reported(&out, "MAP115"));
    }

    #[test]
    fn each_problem_of_a_message_is_a_condition() {
        let out = ppr(
            "PRB|AD|20260401|20058911^狭心症^MDCDX2|P1\r\nPRB|AD|20260401|20061593^高血圧症^MDCDX2|P2\r\nORC|NW|1||||||||C0401^受付^花代",
        );
        let c = all(&out, "Condition");
        assert_eq!(c.len(), 2);
        // ORC-10 stands in for ORC-12; the order at the end holds for both.
        assert_eq!(at(&c[0], "/recorder/display"), "受付 花代");
        assert!(c[1].pointer("/recorder").is_some() && c[1].pointer("/asserter").is_none());
    }
}
