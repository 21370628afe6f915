//! `SSM55x`, `SSM56x`: coverages (IN1, ZI1): numbers with check digits, days, classes.

use warifu_diag::Example::Lines;
use warifu_hl7::Segment;
use warifu_hl7::time;
use warifu_terms::jlac;

use crate::cx::{Cx, is_after};
use crate::patient::{Coverage, Spot};
use crate::rule::{Check, message, segment};

pub(crate) const CHECKS: &[Check] = &[
    segment("IN1", coverage),
    segment("ZI1", coverage),
    message(repeated),
];

warifu_diag::codes! {
    SSM551 = "SSM551" "insurer-number-check-digit" Warning { "保険者番号の検証番号が合いません", "the check digit of the insurer number is wrong", "保険証の保険者番号を確かめてください", "check the number on the insurance card", "診療報酬請求書等の記載要領 (検証番号); SS-MIX2 IN1-3";
        "打ち間違いの番号では請求も資格確認もできません。", "With a mistyped number neither claims nor eligibility checks work.";
        Lines("ADT-00", "IN1|1|C0^国民健康保険^JHSD0001|138058|||||||||20250401|20270331||||SEL^本人^HL70063") => Lines("ADT-00", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20250401|20270331||||SEL^本人^HL70063") }
    SSM552 = "SSM552" "insurer-number-length" Warning { "保険者番号が 8 桁 (国民健康保険は 6 桁) の数字ではありません", "the insurer number does not have 8 digits (6 for national health insurance)", "保険証の保険者番号を書いてください", "write the number of the insurance card", "SS-MIX2 IN1-3; 診療報酬請求書等の記載要領";
        "桁が足りない番号では保険者を特定できません。", "The insurer cannot be told from a short number.";
        Lines("ADT-00", "IN1|1|C0^国民健康保険^JHSD0001|1380|||||||||20250401|20270331||||SEL^本人^HL70063") => Lines("ADT-00", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20250401|20270331||||SEL^本人^HL70063") }
    SSM553 = "SSM553" "insurer-number-of-another-law" Warning { "保険者番号の法別番号 (先頭 2 桁) が IN1-2 の保険種別と違います", "the law number (first two digits) differs from the kind of insurance in IN1-2", "保険種別と番号の組み合わせを確かめてください", "check kind and number against each other", "診療報酬請求書等の記載要領 (法別番号); JHSD0001";
        "別の保険に請求することになります。", "The claim would go to another insurance.";
        Lines("ADT-00", "IN1|1|06^組合管掌健康保険^JHSD0001|33120015|||||||||20250401|20270331||||SEL^本人^HL70063") => Lines("ADT-00", "IN1|1|33^警察共済組合^JHSD0001|33120015|||||||||20250401|20270331||||SEL^本人^HL70063") }
    SSM554 = "SSM554" "payer-number-check-digit" Warning { "公費負担者番号の検証番号か桁数が合いません", "length or check digit of the public payer number is wrong", "受給者証の負担者番号 (8 桁) を確かめてください", "check the 8 digits on the certificate", "診療報酬請求書等の記載要領 (検証番号); SS-MIX2 IN1-3";
        "公費の請求先を誤ります。", "The claim would go to the wrong payer.";
        Lines("ADT-00", "IN1|1|54^難病^JHSD0001|54016028|||||||||20250401|20270331||PE||SEL^本人^HL70063") => Lines("ADT-00", "IN1|1|D0^地方公費^JHSD0001|54016027|||||||||20250401|20270331||PE||SEL^本人^HL70063") }
    SSM555 = "SSM555" "recipient-number-check-digit" Info { "公費の受給者番号の検証番号か桁数が合いません", "length or check digit of the recipient number is wrong", "受給者証の受給者番号 (7 桁) を確かめてください", "check the 7 digits on the certificate", "診療報酬請求書等の記載要領 (検証番号); SS-MIX2 IN1-10";
        "本人の公費として確認できません。地方公費には桁数の違うものもあります。", "The recipient cannot be confirmed; some local schemes use other lengths.";
        Lines("ADT-00", "IN1|1|51^特定疾患^JHSD0001|51139996|||||||9999991||20250401|20270331||PE||SEL^本人^HL70063") => Lines("ADT-00", "IN1|1|51^特定疾患^JHSD0001|51139996|||||||9999996||20250401|20270331||PE||SEL^本人^HL70063") }
    SSM556 = "SSM556" "coverage-days-reversed" Error { "保険の有効期限が有効開始日より前です", "the coverage ends before it begins", "IN1-12 と IN1-13 を確かめてください", "check IN1-12 and IN1-13", "SS-MIX2 IN1-12, IN1-13";
        "どの日にも有効でない保険になり、資格がないと判定されます。", "The coverage holds on no day.";
        Lines("ADT-00", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20270331|20250401|||||SEL^本人^HL70063") => Lines("ADT-00", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20250401|20270331||||SEL^本人^HL70063") }
    SSM557 = "SSM557" "insurance-class-differs" Warning { "保険区分 (IN1-15) が保険種別 (IN1-2) と合いません", "the class of insurance (IN1-15) does not fit its kind (IN1-2)", "JHSD0001 の区分を書いてください", "use the class of JHSD0001", "JHSD0001; SS-MIX2 IN1-15";
        "医療保険と公費を取り違えると、自己負担額を誤ります。", "Mistaking public expense for insurance makes the patient's share wrong.";
        Lines("ADT-00", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20250401|20270331||PE||SEL^本人^HL70063") => Lines("ADT-00", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20250401|20270331||MI||SEL^本人^HL70063") }
    SSM558 = "SSM558" "insurer-number-missing" Info [strict] { "医療保険・公費なのに保険者番号 (IN1-3) がありません", "an insurance or public payer without its number (IN1-3)", "保険者番号を書いてください", "write the insurer number", "SS-MIX2 IN1-3";
        "どの保険者の保険か分かりません。", "It does not say whose insurance it is.";
        Lines("ADT-00", "IN1|1|C0^国民健康保険^JHSD0001|||||||||||||MI||SEL^本人^HL70063") => Lines("ADT-00", "IN1|1|C0^国民健康保険^JHSD0001|138057||||||||||||MI||SEL^本人^HL70063") }
    SSM559 = "SSM559" "insured-relationship-missing" Info [strict] { "本人・家族の別 (IN1-17) がありません", "the relationship to the insured (IN1-17) is empty", "続柄を書いてください", "write the relationship", "SS-MIX2 IN1-17; HL7 表 0063";
        "自己負担の割合が決まりません。", "The patient's share cannot be told.";
        Lines("ADT-00", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20250401|20270331") => Lines("ADT-00", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20250401|20270331||||SEL^本人^HL70063") }
    SSM560 = "SSM560" "payer-kind-unlisted" Info { "保険種別 (IN1-2) の法別番号が保険者番号の先頭と合うが、JHSD0001 にありません", "the law number of IN1-2 agrees with the insurer number but is not in JHSD0001", "新しい法別番号は JHSD0001 の改訂を確かめてください", "look it up in the newest JHSD0001", "JHSD0001; 診療報酬請求書等の記載要領 (法別番号)";
        "表より新しい法別番号は、受け手が不明として扱うことがあります。", "Receivers may not know a law number newer than the table.";
        Lines("ADT-00", "IN1|1|54^指定難病^JHSD0001|54016027|||||||||20250401|20270331||PE||SEL^本人^HL70063") => Lines("ADT-00", "IN1|1|51^特定疾患^JHSD0001|51139996|||||||||20250401|20270331||PE||SEL^本人^HL70063") }
    SSM562 = "SSM562" "insurance-kind-without-code" Warning { "保険種別 (IN1-2) に名称だけがあり、コードがありません", "the kind of insurance (IN1-2) has a name and no code", "JHSD0001 のコードを 1 番目の成分に書いてください", "write the code of JHSD0001 in component 1", "JHSD0001; SS-MIX2 IN1-2";
        "受け手は医療保険か公費かを選べず、保険者番号も確かめられません。", "Receivers can tell neither insurance from public expense nor check the number.";
        Lines("ADT-00", "IN1|1|^国民健康保険|138057|||||||||20250401|20270331||MI||SEL^本人^HL70063") => Lines("ADT-00", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20250401|20270331||MI||SEL^本人^HL70063") }
    SSM561 = "SSM561" "coverage-repeated" Warning { "同じ保険が二度あります", "one coverage stands twice", "一つにまとめてください", "send it once", "SS-MIX2 IN1";
        "受け手は保険を二重に登録します。", "Receivers register the coverage twice.";
        Lines("ADT-00", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20250401|20270331||||SEL^本人^HL70063\nIN1|2|C0^国民健康保険^JHSD0001|138057|||||||||20250401|20270331||||SEL^本人^HL70063") => Lines("ADT-00", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20250401|20270331||||SEL^本人^HL70063") }
}

/// `SSM561`: IN1 that say the same but for their number.
fn repeated(cx: &mut Cx<'_, '_>) {
    let message = cx.message;
    let mut seen = std::collections::BTreeSet::new();
    for in1 in message.segments().filter(|s| s.name() == *b"IN1") {
        let (from, to) = (in1.field(2).span().0, in1.span().1);
        let range = usize::try_from(from).unwrap_or(0)..usize::try_from(to).unwrap_or(0);
        let content = message.bytes().get(range).unwrap_or_default();
        if in1.field(2).is_some() && !seen.insert(content) {
            cx.report_segment(&SSM561, in1, None);
        }
    }
}

/// Numbers of demonstrations, which carry no check digit.
fn is_demonstration(number: &str) -> bool {
    let mut bytes = number.bytes();
    let first = bytes.next();
    first.is_none_or(|f| bytes.all(|b| b == f)) || number == "12345678" || number == "123456"
}

/// Class of a kind of insurance (JHSD0001).
pub(crate) fn class_of(kind: &str) -> Option<&'static str> {
    use warifu_terms::maps::InsuranceClass as C;
    Some(match warifu_terms::maps::insurance_class(kind)? {
        C::MedicalInsurance => "MI",
        C::PublicExpense => "PE",
        C::Pollution => "PI",
        C::WorkAccident => "LI",
        C::CarLiability => "TI",
        C::CivilServantAccident => "PS",
        C::SelfPay => "OE",
        C::Other => "OT",
    })
}

fn coverage<'m>(cx: &mut Cx<'m, '_>, in1: Segment<'m>) {
    let two = in1.field(2);
    if two.is_some() && !two.comp(1).is_some() && !two.comp(4).is_some() {
        cx.report(&SSM562, two);
    }
    let kind = two.comp(1).value().trimmed().text;
    let stated = in1.field(15).value().trimmed().text;
    let class = class_of(kind);
    let three = in1.field(3);
    let number = three.value().trimmed().text;
    let law = kind.len() == 2 && kind.bytes().all(|b| b.is_ascii_digit());
    // Six digits for national health insurance, eight for the others; a kind of no table tells neither.
    let lengths: &[usize] = match (kind, class) {
        ("C0", _) => &[6],
        (_, Some(_)) => &[8],
        _ => &[6, 8],
    };
    let public = class == Some("PE") || (class.is_none() && stated == "PE");
    let medical = class == Some("MI") || (class.is_none() && stated == "MI");
    if let Some(class) = class
        && !stated.is_empty()
        && stated != class
        && super::tables::has("JHSD0001 の区分", stated)
    {
        cx.report(&SSM557, in1.field(15));
    }
    if number.is_empty() {
        if public || medical {
            cx.report_absent(&SSM558, in1, 3);
        }
    } else if !is_demonstration(number) {
        let digits = number.bytes().all(|b| b.is_ascii_digit());
        if public {
            if !jlac::is_public_payer_number(number) {
                cx.report(&SSM554, three);
            }
        } else if medical && !(digits && lengths.contains(&number.len())) {
            cx.report(&SSM552, three);
        } else if medical && !jlac::is_insurer_number(number) {
            cx.report(&SSM551, three);
        }
        if law && number.len() == 8 {
            if number.get(..2) != Some(kind) {
                cx.report(&SSM553, three);
            } else if class.is_none() {
                cx.report(&SSM560, in1.field(2));
            }
        }
    }
    let ten = in1.field(10);
    let recipient = ten.value().trimmed().text;
    if public
        && !ten.has_repetitions()
        && !recipient.is_empty()
        && kind != "D0"
        && !is_demonstration(recipient)
        && !jlac::is_recipient_number(recipient)
    {
        cx.report(&SSM555, ten);
    }
    if (public || medical) && !in1.field(17).is_some() {
        cx.report_absent(&SSM559, in1, 17);
    }
    let time = |n| time::parse(in1.field(n).value().text);
    let (begin, end) = (time(12), time(13));
    if let (Some(begin), Some(end)) = (begin, end)
        && is_after(&begin, &end)
    {
        cx.report(&SSM556, in1.field(13));
    }
    if cx.facts.wanted && in1.name() == *b"IN1" && (medical || public) {
        let field = if end.is_some() { 13 } else { 12 };
        let at = Spot {
            text: format!("{kind} {number}"),
            ..cx.spot(in1.field(field).value())
        };
        cx.facts.coverages.push(Coverage {
            medical,
            begin,
            end,
            at,
        });
    }
}
