//! Diet orders (OMD) → NutritionOrder (R4; JP Core has no profile). Mapping §11.

use warifu_order::Map;

use warifu_diag::catalogue::map_general::{MAP009, MAP018};
use warifu_diag::catalogue::map_medication::{MAP306, MAP314};
use warifu_fhir::element::nutrition_order as el;
use warifu_fhir::{Object, Resource};
use warifu_hl7::{Part, Segment, Val};
use warifu_terms::{maps, systems};

use crate::cx::{Cx, Sourced};
use crate::datatypes::{self, Times};
use crate::table::{Group, Ignored, Worded, keep, keep_further, name_of, run};

table! {
    /// OMD: ORC, TQ1, ODS or ODT, NTE → NutritionOrder (R4). HL7 v2.5 §4.7; SS-MIX2 仕様書 OMD.
    ODS_TO_NUTRITION_ORDER: "NutritionOrder" keeps "ORC", "TQ1", "ODS", "ODT", "NTE" {
        "PID-3" => "NutritionOrder.patient": part, "患者ID";
        "ORC-1" => "NutritionOrder.status": always status, "オーダ制御";
        "ORC-2" => "NutritionOrder.identifier": part, "依頼者オーダ番号";
        "ORC-3" => "NutritionOrder.identifier": map filler, "実施者オーダ番号";
        "ORC-4" => "": lost, "依頼者グループ番号";
        "ORC-5" => "NutritionOrder.status": part, "オーダ状態";
        "ORC-8" => "": lost, "親";
        "ORC-9" => "NutritionOrder.dateTime": always date_time, "トランザクション日時";
        "ORC-10" => "": lost, "入力者";
        "ORC-12" => "NutritionOrder.orderer": map orderer, "依頼者";
        "ORC-13" => "": same "PV1-3", "入力者所在地";
        "ORC-15" => "NutritionOrder.dateTime": beside "ORC-9", "オーダ有効日時";
        "ORC-16" => "NutritionOrder.note": map reason, "オーダ制御コード理由";
        "ORC-17" => "": lost, "入力組織";
        "ORC-18" => "": lost, "入力装置";
        "ORC-21" => "Organization.name": part, "オーダ施設名";
        "ORC-22" => "Organization.address": part, "オーダ施設住所";
        "ORC-23" => "Organization.telecom": part, "オーダ施設電話番号";
        "ORC-29" => "": lost, "オーダタイプ";
        "TQ1-1" => "": ignored Ignored::Structural, "セットID－TQ1";
        "TQ1-2" => "": lost, "数量";
        "TQ1-3" => "NutritionOrder.oralDiet.schedule.repeat, supplement.schedule.repeat": part, "繰返しパターン";
        "TQ1-4" => "": lost, "明示的時間";
        "TQ1-5" => "": lost, "相対的時間および単位";
        "TQ1-6" => "": lost, "サービス期間";
        "TQ1-7" => "NutritionOrder.oralDiet.schedule.repeat.boundsPeriod.start": part, "開始日時";
        "TQ1-8" => "NutritionOrder.oralDiet.schedule.repeat.boundsPeriod.end": part, "終了日時";
        "TQ1-9" => "NutritionOrder.note": map priority, "優先度";
        "TQ1-10" => "NutritionOrder.note": map note_text, "条件テキスト";
        "TQ1-11" => "NutritionOrder.note": map note_text, "テキスト指令";
        "TQ1-12" => "": lost, "結合";
        "TQ1-13" => "": lost, "オカレンス期間";
        "TQ1-14" => "": lost, "総オカレンス";
        "ODS-1" => "NutritionOrder.oralDiet, supplement, foodPreferenceModifier": part, "タイプ";
        "ODS-2" => "NutritionOrder.oralDiet.schedule.code, supplement.schedule.code": part, "サービス期間";
        "ODS-3" => "NutritionOrder.oralDiet.type, supplement.type, foodPreferenceModifier": always diets, "食事、補食、嗜好コード";
        "ODS-4" => "NutritionOrder.oralDiet.instruction, supplement.instruction, note": part, "テキスト指示";
        "ODT-1" => "": lost, "配膳タイプ";
        "ODT-2" => "": lost, "サービス期間";
        "ODT-3" => "NutritionOrder.oralDiet.instruction": part, "テキスト指示";
        "NTE-1" => "": ignored Ignored::Structural, "セットID－NTE";
        "NTE-2" => "": lost, "コメントのソース";
        "NTE-3" => "NutritionOrder.note": map comments, "コメント";
        "NTE-4" => "": lost, "コメントタイプ";
    }
}

/// Tables of this module.
pub static TABLES: &[Worded] = crate::worded![ODS_TO_NUTRITION_ORDER];

/// OMD: one NutritionOrder an ORC.
pub(crate) fn convert(cx: &mut Cx<'_, '_>) {
    let mut group = Group::new();
    let mut seen: Map<&str, u32> = Map::new();
    for s in cx.message().segments() {
        if s.name() == *b"ORC" {
            order(cx, &group, &mut seen);
            group.clear();
        } else if group.is_empty() {
            continue;
        }
        group.push(s);
    }
    order(cx, &group, &mut seen);
}

fn order<'a>(cx: &mut Cx<'a, '_>, group: &Group<'a>, seen: &mut Map<&'a str, u32>) {
    let Some(orc) = group.first(*b"ORC") else {
        return;
    };
    if group.first(*b"ODS").or(group.first(*b"ODT")).is_none() {
        cx.report_with(&MAP306, &orc.field(1), "ODS");
        for s in group.segments().iter().skip(1) {
            cx.report_with(&MAP018, s, name_of(*s, 0));
        }
        return;
    }
    let sent = orc.field(2).value().trimmed();
    let number = if sent.is_empty() {
        sent.map(cx.text(cx.item.order))
    } else {
        sent
    };
    let nth = seen.entry(number.text).or_insert(0);
    *nth += 1;
    let nth = bumpalo::format!(in cx.message().arena(), "{}", nth).into_bump_str();
    let id = cx.order_id(
        "NutritionOrder",
        &["OMD", number.text, nth],
        orc.position(),
        "",
    );
    let mut r = cx.open("NutritionOrder", id);
    let before = r.row(ODS_TO_NUTRITION_ORDER.rows.first().map(|row| &row.row));
    if !number.is_empty() {
        r.object(el::IDENTIFIER, |o| {
            datatypes::identifier(o, systems::ID_RESOURCE_INSTANCE, number);
        });
    }
    r.constant(el::INTENT, "order");
    cx.subject(&mut r, el::PATIENT);
    // The institution is emitted from the first order that names it.
    for n in [21, 22, 23] {
        cx.used(&orc.field(n));
    }
    r.row(before);
    run(&ODS_TO_NUTRITION_ORDER, &mut r, cx, group);
    keep_further(&ODS_TO_NUTRITION_ORDER, &mut r, cx, group, *b"TQ1");
    let when = ordered(group);
    if let Some(stay) = cx.encounter_at(when.text) {
        cx.reference(&mut r, el::ENCOUNTER, "Encounter", stay, when.src());
    }
    if !(r.has(el::ORAL_DIET) || r.has(el::SUPPLEMENT)) && r.has(el::FOOD_PREFERENCE_MODIFIER) {
        // nor-1 (warning): an order should name a diet or supplement; preferences alone are met.
        cx.report_with(&MAP009, &orc.field(1), "ODS-1 D, S");
    }
    cx.emit(r);
}

/// ORC-1 (table 0119) and ORC-5: a withdrawn diet is revoked.
fn status<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, f: Part<'a>) {
    let v = f.value().trimmed();
    let state = group
        .field(*b"ORC", 5)
        .map(|f| f.value().trimmed())
        .unwrap_or_default();
    if !state.is_empty() && !maps::ORDER_STATUS.translate(state.text).known {
        cx.unlisted(state, "0038");
    }
    let found = maps::MEDICATION_REQUEST_STATUS.translate(v.text);
    if v.is_empty() {
        cx.report_message(&MAP009, "ORC-1");
    } else if !found.known {
        cx.unlisted(v, "0119");
    }
    let (code, src) = match (found.to, state.text) {
        ("active", "CM") => ("completed", state.src()),
        ("active", "CA" | "DC" | "RP") => ("revoked", state.src()),
        ("active", "HD") => ("on-hold", state.src()),
        ("cancelled" | "stopped", _) => ("revoked", v.src()),
        ("unknown", _) if v.is_empty() => ("active", warifu_fhir::Src::NONE),
        (other, _) => (other, v.src()),
    };
    r.string(el::STATUS, code, src);
}

/// ORC-3.
fn filler<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.value().trimmed();
    let system = datatypes::local_system(cx, "filler-order");
    r.object(el::IDENTIFIER, |o| {
        o.object("type", |o| {
            datatypes::coded_concept(
                o,
                systems::V2_0203,
                "FILL",
                "Filler Identifier",
                warifu_fhir::Src::NONE,
            );
        });
        datatypes::identifier(o, system, v);
    });
}

/// When the diet was ordered: ORC-9, else ORC-15, else its start (TQ1-7).
fn ordered<'a>(group: &Group<'a>) -> Val<'a> {
    times_of(group)
        .find(|v| warifu_hl7::time::parse(v.text).is_some())
        .unwrap_or_default()
}

fn times_of<'a>(group: &Group<'a>) -> impl Iterator<Item = Val<'a>> {
    [(*b"ORC", 9), (*b"ORC", 15), (*b"TQ1", 7)]
        .into_iter()
        .filter_map(|(s, n)| group.field(s, n).map(|f| f.value()))
        .filter(|v| !v.trimmed().is_empty())
}

/// `dateTime` is mandatory; the last resort is MSH-7.
fn date_time<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, _: Part<'a>) {
    let mut empty = true;
    // The first that is a time; what stands before it is told and kept.
    for v in times_of(group) {
        empty = false;
        if datatypes::add_date_time(r, cx, el::DATE_TIME, v) {
            return;
        }
    }
    if empty {
        cx.report_message(&MAP009, "ORC-9");
    }
    let sent = cx.message().value(b"MSH", 7);
    datatypes::add_date_time(r, cx, el::DATE_TIME, sent);
}

/// ORC-12.
fn orderer<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    if let Some(p) = datatypes::practitioner(cx, f) {
        r.object(el::ORDERER, |o| datatypes::person_reference(o, &p));
    }
}

/// ORC-16.
fn reason<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    datatypes::note_said(r, cx, el::NOTE, "", f);
}

fn note_text<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    let v = f.text().trimmed();
    r.object(el::NOTE, |o| o.string("text", v.text, v.src()));
}

/// TQ1-9: the resource has no priority.
fn priority<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, _: &Group<'a>, f: Part<'a>) {
    datatypes::note_said(r, cx, el::NOTE, "優先度: ", f);
}

/// NTE-3 of every comment.
fn comments<'a>(r: &mut Resource, _: &mut Cx<'a, '_>, group: &Group<'a>, _: Part<'a>) {
    datatypes::comments(r, el::NOTE, group);
}

/// All ODS: `D` → the oral diet (its types merge), `S` → a supplement each, `P` → preference. What is said of
/// the tray alone (`ODT`) is an oral diet without types.
fn diets<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, group: &Group<'a>, _: Part<'a>) {
    let kind = |s: &Segment<'a>| s.field(1).value().trimmed();
    let is_diet = |s: &Segment<'a>| !matches!(kind(s).text, "S" | "P");
    for s in group.all(*b"ODS").filter(is_diet) {
        cx.used(&s.field(1));
        if kind(&s).text != "D" {
            cx.report(&MAP314, &s.field(1));
            cx.unread(kind(&s), "ODS-1");
        }
    }
    let has_tray = group.first(*b"ODT").is_some();
    if has_tray || group.all(*b"ODS").any(|s| is_diet(&s)) {
        r.object(el::ORAL_DIET, |o| {
            o.array("type", |a| {
                for s in group
                    .all(*b"ODS")
                    .filter(is_diet)
                    .filter(|s| s.field(3).is_some())
                {
                    for rep in s.field(3).reps() {
                        a.object(|o| datatypes::codeable_concept(o, cx, rep));
                    }
                }
            });
            o.array("schedule", |a| {
                schedules(a, cx, group, &mut group.all(*b"ODS").filter(is_diet));
            });
            let said = |s: &Segment<'a>| match &s.name() {
                b"ODS" if is_diet(s) => Some(s.field(4)),
                b"ODT" => Some(s.field(3)),
                _ => None,
            };
            join(o, cx, &mut group.segments().iter().filter_map(said));
        });
    }
    for s in group.all(*b"ODS") {
        match kind(&s).text {
            "S" => {
                cx.used(&s.field(1));
                r.object(el::SUPPLEMENT, |o| {
                    if s.field(3).is_some() {
                        o.object("type", |o| datatypes::codeable_concept(o, cx, s.field(3)));
                    }
                    o.array("schedule", |a| {
                        schedules(a, cx, group, &mut std::iter::once(s));
                    });
                    join(o, cx, &mut std::iter::once(s.field(4)));
                });
            }
            "P" => {
                cx.used(&s.field(1));
                for rep in s.field(3).reps() {
                    r.object(el::FOOD_PREFERENCE_MODIFIER, |o| {
                        datatypes::codeable_concept(o, cx, rep);
                    });
                }
                for v in s.field(4).reps().map(|rep| rep.text().trimmed()) {
                    r.object(el::NOTE, |o| o.string("text", v.text, v.src()));
                }
                if s.field(2).is_some() {
                    keep(r, cx, "ODS-2", s.field(2));
                }
            }
            _ => {}
        }
    }
}

/// `instruction`: texts of ODS-4 and ODT-3, joined.
fn join<'a>(o: &mut Object<'_>, cx: &Cx<'a, '_>, fields: &mut dyn Iterator<Item = Part<'a>>) {
    let arena = cx.message().arena();
    let mut text = bumpalo::collections::String::new_in(arena);
    let mut last: Option<Val<'a>> = None;
    let texts = fields
        .flat_map(|f| f.reps())
        .map(|rep| rep.text().trimmed());
    for v in texts.filter(|v| !v.is_empty()) {
        if let Some(before) = last {
            text.push_str("; ");
            o.also(before.src());
        }
        text.push_str(v.text);
        last = Some(v);
    }
    if let Some(v) = last {
        o.string("instruction", text.into_bump_str(), v.src());
    }
}

/// One Timing a TQ1 (repeat) with the meals of ODS-2 as code.
fn schedules<'a>(
    a: &mut warifu_fhir::Array<'_>,
    cx: &mut Cx<'a, '_>,
    group: &Group<'a>,
    ods: &mut dyn Iterator<Item = Segment<'a>>,
) {
    let mut periods = ods.flat_map(|s| s.field(2).reps()).filter(Part::is_some);
    let first = periods.next();
    let none = cx.message().empty_part();
    let mut written = false;
    for tq1 in group.all(*b"TQ1") {
        written |= a.object(|o| timing(o, cx, [tq1.field(3), tq1.field(7), tq1.field(8)], first));
    }
    if !written && first.is_some() {
        a.object(|o| timing(o, cx, [none; 3], first));
    }
    for more in periods {
        a.object(|o| timing(o, cx, [none; 3], Some(more)));
    }
}

/// How often: repeats a number of days, and the event of the day.
const fn pattern(code: &str) -> Option<(&'static str, &'static str, Option<&'static str>)> {
    Some(match code.as_bytes() {
        b"QD" => ("1", "1", None),
        b"BID" => ("2", "1", None),
        b"TID" => ("3", "1", None),
        b"QID" => ("4", "1", None),
        b"QOD" => ("1", "2", None),
        b"QAM" => ("1", "1", Some("MORN")),
        b"QPM" => ("1", "1", Some("EVE")),
        b"QHS" => ("1", "1", Some("HS")),
        _ => return None,
    })
}

fn timing<'a>(
    o: &mut Object<'_>,
    cx: &mut Cx<'a, '_>,
    [repeat, start, end]: [Part<'a>; 3],
    meals: Option<Part<'a>>,
) {
    let (start, end) = (start.value().trimmed(), end.value().trimmed());
    let code = repeat.comp(1).sub(1).value().trimmed();
    let known = pattern(code.text);
    let times = Times::read(cx, start, end, ["TQ1-7", "TQ1-8"]);
    o.object("repeat", |o| {
        o.object("boundsPeriod", |o| times.write(o));
        if let Some((frequency, period, when)) = known {
            o.number("frequency", frequency, code.src());
            o.number("period", period, code.src());
            o.string("periodUnit", "d", code.src());
            if let Some(when) = when {
                o.array("when", |a| a.string(when, code.src()));
            }
        }
    });
    let text = repeat.comp(1).sub(2).value().trimmed();
    let system = repeat.comp(1).sub(3).value().trimmed();
    let meals = meals.filter(Part::is_some);
    if !repeat.is_some() && meals.is_none() {
        return;
    }
    o.object("code", |o| {
        o.array("coding", |a| {
            for t in meals.into_iter().flat_map(datatypes::triplets) {
                datatypes::coding(a, cx, &t);
            }
            if !code.is_empty() {
                let t = datatypes::Triplet {
                    code,
                    text,
                    system,
                    version: Val::default(),
                };
                datatypes::coding(a, cx, &t);
            }
        });
        let meal = meals.map(datatypes::said_of).unwrap_or_default();
        match (meal.is_empty(), text.is_empty()) {
            // How often stands in `repeat` and the codings: the text names the meals.
            (false, unsaid) if unsaid || !code.is_empty() => {
                o.string("text", meal.text, meal.src());
            }
            (false, _) => {
                o.also(text.src());
                let joined =
                    bumpalo::format!(in cx.message().arena(), "{} {}", meal.text, text.text)
                        .into_bump_str();
                o.string("text", joined, meal.src());
            }
            _ => o.string("text", text.text, text.src()),
        }
    });
}

#[cfg(test)]
mod tests {
    use crate::testing::{all, at, convert, reported};

    const HEAD: &str = "MSH|^~\\&|HIS|S|GW|R|20260407104000||OMD^O03^OMD_O03|1|P|2.5\n\
        PID|0001||0000990001^^^^PI||割符^太郎^^^^^L^I||19650415|M\n";

    #[test]
    fn diets_supplements_and_preferences_find_their_places() {
        let out = convert(
            "OMD",
            &format!(
                "{HEAD}ORC|NW|41|||||||20260407104000|||D1^見立^一郎\n\
                 TQ1|1||TID&１日３回&HL70335||||202604071200|202604131800\n\
                 ODS|D||E061^心臓食^99WRF|粥に変更\nODS|P||N012^さば禁^99WRF|アレルギーのため\n\
                 ORC|CA|41|||||||20260407104000\nTQ1|2||QAM&毎朝&HL70335||||202604080700\n\
                 ODS|S|B^朝食時^99WRF|S003^牛乳^99WRF\nODS|X||Z^他^99WRF\n"
            ),
        );
        let found = all(&out, "NutritionOrder");
        let (first, second) = (&found[0], &found[1]);
        assert_eq!(at(first, "/status"), "active");
        assert_eq!(at(first, "/identifier/0/value"), "41");
        assert_eq!(at(first, "/dateTime"), "2026-04-07T10:40:00+09:00");
        assert_eq!(at(first, "/orderer/display"), "見立 一郎");
        assert_eq!(at(first, "/oralDiet/type/0/coding/0/code"), "E061");
        assert_eq!(at(first, "/oralDiet/instruction"), "粥に変更");
        assert_eq!(first["oralDiet"]["schedule"][0]["repeat"]["frequency"], 3);
        assert_eq!(
            at(first, "/oralDiet/schedule/0/repeat/boundsPeriod/end"),
            "2026-04-13T18:00:00+09:00"
        );
        assert_eq!(at(first, "/foodPreferenceModifier/0/coding/0/code"), "N012");
        assert_eq!(at(first, "/note/0/text"), "アレルギーのため");
        assert_eq!(at(second, "/status"), "revoked");
        assert_eq!(at(second, "/supplement/0/type/coding/0/code"), "S003");
        assert_eq!(at(second, "/supplement/0/schedule/0/repeat/when/0"), "MORN");
        assert_eq!(at(second, "/supplement/0/schedule/0/code/text"), "朝食時");
        assert!(reported(&out, "MAP314"));
        assert_ne!(at(first, "/id"), at(second, "/id"));
    }

    #[test]
    fn what_is_said_of_a_tray_is_kept_in_its_own_order() {
        let out = convert(
            "OMD",
            &format!(
                "{HEAD}ORC|NW|41\nTQ1|1||||||202604071200\n\
                 ODS|D||E1^常食^99WRF|一口大~とろみ\nODS|P||N1^卵禁^99WRF|禁止~確認済み\n\
                 ORC|NW|41\nTQ1|1||||||202604081200\nODT|EARLY^早め^HL70160|B^朝^99WRF|配膳早め~温めて\n\
                 NTE|1||検査のため\nORC|NW|41\nNTE|1||迷子\n"
            ),
        );
        let found = all(&out, "NutritionOrder");
        let [diet, tray] = found.as_slice() else {
            panic!("{found:#?}")
        };
        assert_eq!(at(diet, "/oralDiet/instruction"), "一口大; とろみ");
        assert_eq!(at(diet, "/note/0/text"), "禁止");
        assert_eq!(at(diet, "/note/1/text"), "確認済み");
        assert!(!diet.to_string().contains("ODT"));
        assert_eq!(at(tray, "/oralDiet/instruction"), "配膳早め; 温めて");
        let begin = "/oralDiet/schedule/0/repeat/boundsPeriod/start";
        assert_eq!(at(tray, begin), "2026-04-08T12:00:00+09:00");
        assert_eq!(at(tray, "/note/0/text"), "検査のため");
        let kept = [("ODT-1", "EARLY^早め^HL70160"), ("ODT-2", "B^朝^99WRF")];
        for (n, (field, value)) in kept.into_iter().enumerate() {
            let of = |member: &str| at(tray, &format!("/extension/{n}/{member}")).to_owned();
            assert_eq!(of("url"), format!("urn:x-ssmix2:field:{field}"));
            assert_eq!(of("valueString"), value);
        }
        let told: Vec<_> = out
            .diagnostics
            .iter()
            .map(|d| (d.code.code, d.argument.as_deref()))
            .collect();
        assert!(told.contains(&("MAP306", Some("ODS"))) && told.contains(&("MAP018", Some("NTE"))));
    }
}
