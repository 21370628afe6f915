//! Coverage (`JP_Coverage`) from IN1 (ADT-00) and ZI1 (PPR-01). Mapping §6.

use warifu_diag::catalogue::map_admin::{MAP107, MAP108, MAP118};
use warifu_diag::catalogue::map_general::{MAP008, MAP009};
use warifu_fhir::element::{self, coverage as el, organization as org};
use warifu_fhir::{Id, Resource, RowId};
use warifu_hl7::{Part, Segment, Val};
use warifu_terms::{maps, systems};

use crate::cx::{Cx, Sourced};
use crate::datatypes::{Times, both_triplets, concept_of, half_width, identifier, local_system};
use crate::table::{Ignored, Table, Worded, is_protected, keep_rest};

/// Canonical of `JP_Coverage`.
pub const JP_COVERAGE: &str = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Coverage";

const SYMBOL: &str =
    "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Coverage_InsuredPersonSymbol";
const NUMBER: &str =
    "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Coverage_InsuredPersonNumber";
const BRANCH: &str =
    "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Coverage_InsuredPersonSubNumber";

table! {
    /// IN1 → `JP_Coverage` (JP Core 1.2.0). HL7 v2.5 §6.5.6; SS-MIX2 仕様書 ADT-00.
    IN1_TO_JP_COVERAGE: "Coverage" keeps "IN1" {
        "IN1-1" => "": ignored Ignored::Structural, "セットID";
        "IN1-2" => "Coverage.type": part, "保険プランID";
        "IN1-3" => "Coverage.payor": part, "保険会社ID";
        "IN1-4" => "Coverage.payor.display": part, "保険会社名";
        "IN1-10" => "Coverage.subscriberId": part, "被保険者グループ雇用者ID";
        "IN1-11" => "Coverage.policyHolder": part, "被保険者グループ雇用者名";
        "IN1-12" => "Coverage.period.start": part, "プラン有効日付";
        "IN1-13" => "Coverage.period.end": part, "プラン失効日付";
        "IN1-15" => "": lost, "プランタイプ";
        "IN1-17" => "Coverage.relationship": part, "被保険者と患者の関係";
    }
}

table! {
    /// ZI1 → `JP_Coverage`: the insurance a disease is treated under, laid out like IN1.
    /// SS-MIX2 仕様書 PPR-01.
    ZI1_TO_JP_COVERAGE: "Coverage" keeps "ZI1" {
        "ZI1-1" => "": ignored Ignored::Structural, "セットID";
        "ZI1-2" => "Coverage.type": part, "保険プランID";
        "ZI1-3" => "Coverage.payor": part, "保険会社ID";
        "ZI1-4" => "Coverage.payor.display": part, "保険会社名";
        "ZI1-10" => "Coverage.subscriberId": part, "被保険者グループ雇用者ID";
        "ZI1-11" => "Coverage.policyHolder": part, "被保険者グループ雇用者名";
        "ZI1-12" => "Coverage.period.start": part, "プラン有効日付";
        "ZI1-13" => "Coverage.period.end": part, "プラン失効日付";
        "ZI1-15" => "": lost, "プランタイプ";
        "ZI1-17" => "Coverage.relationship": part, "被保険者と患者の関係";
        "ZI1-18" => "": lost, "被保険者の生年月日";
        "ZI1-19" => "": lost, "被保険者の住所";
        "ZI1-21" => "": lost, "給付の調整";
    }
}

/// Tables of this module.
pub static TABLES: &[Worded] = crate::worded![IN1_TO_JP_COVERAGE, ZI1_TO_JP_COVERAGE];

/// Every IN1 of the message.
pub(crate) fn convert(cx: &mut Cx<'_, '_>) {
    for segment in cx.message().segments().filter(|s| s.name() == *b"IN1") {
        coverage(cx, segment);
    }
}

/// Every ZI1 of the message, unless ADT-00 is part of the conversion and the ZI1 only points at one of
/// its insurances (no insured number of its own).
pub(crate) fn of_problems(cx: &mut Cx<'_, '_>) {
    for segment in cx.message().segments().filter(|s| s.name() == *b"ZI1") {
        if cx.context.has_adt00 && !segment.field(10).is_some() {
            cx.used_all(segment);
            continue;
        }
        coverage(cx, segment);
    }
}

fn table_of(segment: Segment<'_>) -> &'static Table {
    if segment.name() == *b"ZI1" {
        &ZI1_TO_JP_COVERAGE
    } else {
        &IN1_TO_JP_COVERAGE
    }
}

fn row(table: &'static Table, field: u16) -> Option<&'static RowId> {
    table.rows.iter().find(|r| r.field == field).map(|r| &r.row)
}

/// Symbol, number and branch of an insured person.
#[derive(Debug, Clone, Copy, Default)]
struct Insured<'a> {
    symbol: Val<'a>,
    number: Val<'a>,
    branch: Val<'a>,
}

fn coverage<'a>(cx: &mut Cx<'a, '_>, in1: Segment<'a>) {
    let table = table_of(in1);
    let plan = in1.field(2);
    let code = plan.comp(1).value().trimmed();
    let class = maps::insurance_class(code.text);
    let mut numbers = in1.field(3).reps().filter(|rep| !is_protected(*rep));
    let insurer = numbers.next().map(|rep| rep.comp(1).value().trimmed());
    let insurer = insurer.unwrap_or_default();
    let name = in1.field(4).comp(1).value().trimmed();
    let start = in1.field(12).value();
    let insured = insured(cx, in1);
    let n = in1.position();
    let id = cx.id(
        "Coverage",
        &[
            code.text,
            insurer.text,
            name.text,
            insured.symbol.text,
            insured.number.text,
            insured.branch.text,
            start.text,
        ],
        n,
        "",
    );
    if cx.emitted("Coverage", id) {
        cx.used_all(in1);
        return;
    }
    let public = class == Some(maps::InsuranceClass::PublicExpense);
    let medical = class == Some(maps::InsuranceClass::MedicalInsurance);
    let payor = payor(cx, insurer, name, public);
    let mut r = cx.open("Coverage", id);
    r.constant(el::STATUS, "active");

    r.row(row(table, 2));
    if class.is_none() && !code.is_empty() {
        cx.report_with(&MAP008, &code, "JHSD0001");
    }
    r.object(el::TYPE, |o| {
        concept_of(o, cx, plan, &mut |a, _, _| {
            if let Some(major) = maps::insurance_major_category(code.text) {
                a.object(|o| {
                    o.constant("system", systems::INSURANCE_MAJOR_CATEGORY);
                    o.string("code", major.code, code.src());
                    o.constant("display", major.display);
                });
            }
        });
    });

    r.row(row(table, 10));
    for (url, v) in [
        (SYMBOL, insured.symbol),
        (NUMBER, insured.number),
        (BRANCH, insured.branch),
    ] {
        if !v.is_empty() && !public {
            r.object(element::EXTENSION, |o| {
                o.constant("url", url);
                o.string("valueString", v.text, v.src());
            });
        }
    }
    r.string(el::SUBSCRIBER_ID, insured.number.text, insured.number.src());
    r.string(el::DEPENDENT, insured.branch.text, insured.branch.src());
    if medical {
        member_identifier(&mut r, cx, insurer, &insured);
    }
    cx.subject(&mut r, el::BENEFICIARY);

    r.row(row(table, 11));
    let group = in1.field(11).comp(1).value().trimmed();
    if group != insured.symbol {
        r.object(el::POLICY_HOLDER, |o| {
            o.string("display", group.text, group.src());
        });
    }

    relationship(&mut r, cx, table, in1.field(17));

    r.row(row(table, 12));
    let end = in1.field(13).value();
    let names = ["Coverage.period.start", "Coverage.period.end"];
    let times = Times::read(cx, start, end, names);
    r.object(el::PERIOD, |o| times.write(o));

    r.row(row(table, 3));
    r.object(el::PAYOR, |o| match payor {
        Some(payor) => {
            o.string(
                "reference",
                cx.reference_text("Organization", payor),
                if insurer.is_empty() {
                    name.src()
                } else {
                    insurer.src()
                },
            );
            o.string("display", name.text, name.src());
        }
        // R4 demands a payor: of `OE` it is the patient.
        None if code.text == "OE" => o.string(
            "reference",
            cx.reference_text("Patient", cx.patient_id()),
            code.src(),
        ),
        None => {
            let field = if in1.name() == *b"ZI1" {
                "ZI1-3"
            } else {
                "IN1-3"
            };
            cx.report_with(&MAP009, &in1, field);
            o.raw(super::observation::UNKNOWN);
        }
    });
    if public {
        r.object(el::CLASS, |o| {
            if insurer.is_empty() {
                return;
            }
            o.object("type", |o| {
                crate::datatypes::coded_concept(
                    o,
                    systems::COVERAGE_CLASS,
                    "plan",
                    "Plan",
                    insurer.src(),
                );
            });
            o.string("value", insurer.text, insurer.src());
            o.string("name", name.text, name.src());
        });
    }
    keep_rest(table, &mut r, cx, &[in1]);
    // status, beneficiary and payor are always there.
    r.profile(JP_COVERAGE);
    cx.emit(r);
}

/// The insured person's identifier of JP-CLINS, `insurer8:symbol:number:branch`, when all of it is known.
fn member_identifier<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    insurer: Val<'a>,
    insured: &Insured<'a>,
) {
    let Some(eight) = insurer_number(cx, insurer) else {
        return;
    };
    let clean = |s: &str| !s.contains(|c: char| c == ':' || c.is_whitespace());
    if insured.number.is_empty() || !clean(insured.symbol.text) || !clean(insured.number.text) {
        return;
    }
    let value = bumpalo::format!(in cx.message().arena(), "{}:{}:{}:{}", eight, insured.symbol.text, insured.number.text, insured.branch.text).into_bump_str();
    r.object(el::IDENTIFIER, |o| {
        o.constant("system", systems::ID_INSURANCE_MEMBER);
        o.also(insurer.src());
        o.string("value", value, insured.number.src());
    });
}

/// The insurer's number as eight digits, zeros to the left; `None` when it is no such number.
fn insurer_number<'a>(cx: &Cx<'a, '_>, number: Val<'a>) -> Option<&'a str> {
    let digits = half_width(cx, number.text);
    let shape = (4..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    shape.then(|| bumpalo::format!(in cx.message().arena(), "{:0>8}", digits).into_bump_str())
}

/// The Organization that pays, emitted once: insurer's number (8 digits) or, for public expense, the
/// payer's number as identifier.
fn payor<'a>(cx: &mut Cx<'a, '_>, number: Val<'a>, name: Val<'a>, public: bool) -> Option<Id> {
    if number.is_empty() && name.is_empty() {
        return None;
    }
    let eight = insurer_number(cx, number);
    // Without a number the name is all there is to tell insurers apart.
    let key = eight.unwrap_or(if number.is_empty() {
        name.text
    } else {
        number.text
    });
    let readable = bumpalo::format!(in cx.message().arena(), "insurer.{}", key).into_bump_str();
    let id = cx.shared_id(
        "Organization",
        &["insurer", if public { "public" } else { "" }, key],
        readable,
    );
    if cx.emitted("Organization", id) {
        return Some(id);
    }
    let mut r = cx.open("Organization", id);
    r.row(row(&IN1_TO_JP_COVERAGE, 3));
    match eight {
        Some(eight) => {
            let system = if public {
                systems::ID_PUBLIC_PAYER
            } else {
                systems::ID_INSURER
            };
            r.object(org::IDENTIFIER, |o| {
                identifier(o, system, number.map(eight));
            });
        }
        None if number.is_empty() => {}
        None => {
            cx.report(&MAP108, &number);
            let system = local_system(cx, "insurer");
            r.object(org::IDENTIFIER, |o| identifier(o, system, number));
        }
    }
    r.object(org::TYPE, |o| {
        crate::datatypes::coded_concept(
            o,
            "http://terminology.hl7.org/CodeSystem/organization-type",
            "pay",
            "Payer",
            warifu_fhir::Src::NONE,
        );
    });
    r.row(row(&IN1_TO_JP_COVERAGE, 4));
    r.string(org::NAME, name.text, name.src());
    r.profile(super::practitioner::JP_ORGANIZATION);
    cx.emit(r);
    Some(id)
}

/// IN1-10, and IN1-11 for the symbol that IN1-10 does not have.
fn insured<'a>(cx: &mut Cx<'a, '_>, in1: Segment<'a>) -> Insured<'a> {
    let field = in1.field(10);
    let mut parts = [Val::default(); 3];
    let mut count = 0usize;
    for rep in field.reps() {
        match parts.get_mut(count) {
            Some(slot) => *slot = rep.comp(1).value().trimmed(),
            None => cx.report(&MAP118, &rep),
        }
        count += 1;
    }
    let [first, second, third] = parts;
    let mut insured = if count > 1 {
        Insured {
            symbol: first,
            number: second,
            branch: third,
        }
    } else {
        split(cx, first)
    };
    insured.branch = branch(cx, insured.branch);
    let group = in1.field(11).comp(1).value().trimmed();
    if insured.symbol.is_empty() && !insured.number.is_empty() && is_symbol(group.text) {
        cx.report(&MAP107, &group);
        insured.symbol = group;
    }
    insured
}

/// One text of symbol, number and branch, divided by `・`, `/` or a blank; the branch also by `〜`.
/// A text without a divider is the number.
fn split<'a>(cx: &mut Cx<'a, '_>, whole: Val<'a>) -> Insured<'a> {
    let divides = |c: char| matches!(c, '・' | '･' | '/' | '／' | '〜' | '～') || c.is_whitespace();
    let mut parts = whole
        .text
        .split(divides)
        .map(str::trim)
        .filter(|s| !s.is_empty());
    let some = |s: Option<&'a str>| s.map_or(Val::default(), |s| whole.map(s));
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(number), None, ..) => Insured {
            number: whole.map(number),
            ..Insured::default()
        },
        (Some(symbol), number, branch, None) => Insured {
            symbol: whole.map(symbol),
            number: some(number),
            branch: some(branch),
        },
        (None, ..) => Insured::default(),
        _ => {
            cx.report(&MAP118, &whole);
            Insured {
                number: whole,
                ..Insured::default()
            }
        }
    }
}

/// Two half-width digits; anything else is kept as it is.
fn branch<'a>(cx: &Cx<'a, '_>, v: Val<'a>) -> Val<'a> {
    let digits = half_width(cx, v.text);
    if digits.len() == 1 && digits.bytes().all(|b| b.is_ascii_digit()) {
        return v.map(bumpalo::format!(in cx.message().arena(), "0{}", digits).into_bump_str());
    }
    if digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit()) {
        v.map(digits)
    } else {
        v
    }
}

/// Whether the group name looks like the symbol of an insurance card rather than an employer's name.
fn is_symbol(text: &str) -> bool {
    let digits = text
        .chars()
        .any(|c| c.is_ascii_digit() || ('０'..='９').contains(&c));
    let company = [
        "会社", "法人", "組合", "役所", "病院", "学校", "協会", "事業",
    ]
    .iter()
    .any(|w| warifu_hl7::has(text, w));
    digits && !company && text.chars().count() <= 20
}

/// IN1-17, with the insured person's category (被保険者区分) beside it.
fn relationship<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, table: &'static Table, field: Part<'a>) {
    let [first, second] = both_triplets(field);
    let t = if first.is_empty() { second } else { first };
    if t.is_empty() {
        return;
    }
    r.row(row(table, 17));
    let known = maps::SUBSCRIBER_RELATIONSHIP.translate(t.code.text);
    cx.used(&field);
    r.object(el::RELATIONSHIP, |o| {
        o.array("coding", |a| {
            a.object(|o| {
                o.constant("system", systems::SUBSCRIBER_RELATIONSHIP);
                o.string("code", known.to.code, t.code.src());
                o.constant("display", known.to.display);
            });
            if let Some(category) = maps::insured_person_category(t.code.text) {
                a.object(|o| {
                    o.constant("system", systems::INSURED_PERSON_CATEGORY);
                    o.string("code", category.code, t.code.src());
                    o.constant("display", category.display);
                });
            }
        });
        o.string("text", t.text.text, t.text.src());
    });
}

#[cfg(test)]
mod tests {
    use crate::testing::{all, at, convert, one, reported, resolve};

    fn in1(segment: &str) -> crate::Output {
        convert(
            "ADT-00",
            &format!(
                "MSH|^~\\&|A|B|C|D|20260401090512||ADT^A08^ADT_A01|1|P|2.5\r\nPID|1||0000990001||割符^花子^^^^^L^I||19680303|F\r\n{segment}"
            ),
        )
    }

    #[test]
    fn in1_gives_a_jp_coverage() {
        let out = in1(
            "IN1|1|C0^国民健康保険^JHSD0001|139998|架空区国民健康保険||||||123~1234567~1|架空物産株式会社|20250401|20270331||MI||SEL^本人^HL70063",
        );
        let c = one(&out, "Coverage");
        assert_eq!(at(&c, "/meta/profile/0"), super::JP_COVERAGE);
        assert_eq!(at(&c, "/status"), "active");
        assert_eq!(at(&c, "/type/coding/0/code"), "C0");
        assert_eq!(at(&c, "/type/coding/1/code"), "2");
        assert_eq!(at(&c, "/extension/0/valueString"), "123");
        assert_eq!(at(&c, "/extension/1/valueString"), "1234567");
        assert_eq!(at(&c, "/extension/2/valueString"), "01");
        assert_eq!(at(&c, "/subscriberId"), "1234567");
        assert_eq!(at(&c, "/dependent"), "01");
        assert_eq!(at(&c, "/identifier/0/value"), "00139998:123:1234567:01");
        assert_eq!(at(&c, "/policyHolder/display"), "架空物産株式会社");
        assert_eq!(at(&c, "/period/start"), "2025-04-01");
        assert_eq!(at(&c, "/period/end"), "2027-03-31");
        assert_eq!(at(&c, "/relationship/coding/0/code"), "self");
        assert_eq!(at(&c, "/relationship/coding/1/code"), "1");
        assert!(at(&c, "/beneficiary/reference").starts_with("Patient/"));
        let payor = resolve(&out, c.pointer("/payor/0/reference").unwrap());
        assert_eq!(at(&payor, "/identifier/0/value"), "00139998");
        assert_eq!(at(&payor, "/name"), "架空区国民健康保険");
    }

    #[test]
    fn public_expense_names_its_payer_as_class() {
        let c = one(
            &in1(
                "IN1|1|51^特定疾患治療費^JHSD0001|51139996|東京都（架空）||||||9999996||20251001|20260930||PE||SEL^本人^HL70063",
            ),
            "Coverage",
        );
        assert_eq!(at(&c, "/class/0/value"), "51139996");
        assert_eq!(at(&c, "/class/0/name"), "東京都（架空）");
        assert_eq!(at(&c, "/subscriberId"), "9999996");
        assert!(c.pointer("/identifier").is_none());
    }

    #[test]
    fn symbol_number_and_branch_in_one_text_are_taken_apart() {
        for (text, symbol, number, branch) in [
            (
                "割符０１・２３４５６７〜０１",
                Some("割符０１"),
                "２３４５６７",
                Some("01"),
            ),
            ("12-34/567", Some("12-34"), "567", None),
            ("１２　３４５　２", Some("１２"), "３４５", Some("02")),
            ("9999", None, "9999", None),
            ("~99999999~", None, "99999999", None),
        ] {
            let c = one(
                &in1(&format!(
                    "IN1|1|06^組合管掌健康保険^JHSD0001|06139992|架空||||||{text}"
                )),
                "Coverage",
            );
            let extension = |url: &str| {
                c.pointer("/extension")
                    .unwrap()
                    .as_array()
                    .unwrap()
                    .iter()
                    .find(|e| e["url"] == url)
                    .and_then(|e| e["valueString"].as_str())
                    .map(str::to_owned)
            };
            assert_eq!(extension(super::SYMBOL).as_deref(), symbol, "{text}");
            assert_eq!(extension(super::NUMBER).as_deref(), Some(number), "{text}");
            assert_eq!(extension(super::BRANCH).as_deref(), branch, "{text}");
        }
        let out = in1("IN1|1|06^x^JHSD0001|06139992|架空||||||a b c d");
        assert_eq!(at(&one(&out, "Coverage"), "/subscriberId"), "a b c d");
        assert!(reported(&out, "MAP118"));
    }

    #[test]
    fn a_symbol_in_the_group_name_is_used_and_told() {
        let out = in1("IN1|1|01^x^JHSD0001|01130012|架空||||||123456|11010203");
        let c = one(&out, "Coverage");
        assert_eq!(at(&c, "/extension/0/valueString"), "11010203");
        assert!(reported(&out, "MAP107"));
    }

    #[test]
    fn relationships_follow_table_0063() {
        for (code, want) in [
            ("SEL", "self"),
            ("SPO", "spouse"),
            ("CHD", "child"),
            ("PAR", "parent"),
            ("MTH", "parent"),
            ("FTH", "parent"),
            ("GRP", "other"),
        ] {
            let c = one(
                &in1(&format!(
                    "IN1|1|C0^x^JHSD0001|139998|架空|||||||||||||{code}^x^HL70063"
                )),
                "Coverage",
            );
            assert_eq!(at(&c, "/relationship/coding/0/code"), want, "{code}");
        }
    }

    #[test]
    fn who_pays_alone_is_the_payor() {
        let out = in1("IN1|1|OE^自費（保険なし）^JHSD0001|||||||||||||OE");
        let c = one(&out, "Coverage");
        assert!(at(&c, "/payor/0/reference").starts_with("Patient/"));
        assert_eq!(at(&c, "/type/coding/1/code"), "6");
        assert!(
            all(&out, "Organization")
                .iter()
                .all(|o| o["type"][0]["coding"][0]["code"] != "pay")
        );
    }

    #[test]
    fn an_insurer_that_is_not_named_is_not_the_patient() {
        for kind in [
            "LI^労災^JHSD0001",
            "12^生活保護^JHSD0001",
            "TI",
            "67",
            "OT",
            "",
        ] {
            let out = in1(&format!("IN1|1|{kind}|||||||||||||{kind}"));
            let c = one(&out, "Coverage");
            assert_eq!(c.pointer("/payor/0/reference"), None, "{kind}");
            assert_eq!(at(&c, "/payor/0/extension/0/valueCode"), "unknown");
            assert!(reported(&out, "MAP009"), "{kind}");
        }
    }

    #[test]
    fn zi1_is_an_insurance_too() {
        let out = convert(
            "PPR-01",
            "MSH|^~\\&|A|B|C|D|20260401090512||PPR^ZD1^PPR_ZD1|1|P|2.5\r\nPID|1||0000990001||割符^花子^^^^^L^I||19680303|F\r\nPRB|AD|20260401|20054174^胃炎^MDCDX2|P1\r\nZI1|1|C0^国民健康保険^JHSD0001|139998|架空区国民健康保険||||||123~1234567~1",
        );
        assert_eq!(at(&one(&out, "Coverage"), "/subscriberId"), "1234567");
    }
}
