//! `SSM64x`–`SSM66x`: results (OBX), specimens (SPM), laboratory orders.

use warifu_diag::Example::Lines;
use warifu_hl7::{Part, Segment};
use warifu_ssmix2::DataKind as K;

use super::coding;
use super::fields::{HL7124, is_number, leaf, narrowed};
use crate::cx::{Cx, is_after, is_later, time_of};
use crate::plan::Leaf;
use crate::rule::{Check, field, message, segment};

pub(crate) const CHECKS: &[Check] = &[
    segment("OBX", result),
    segment("SPM", specimen),
    field("OBX", 7, reference),
    message(repeated_items),
    message(specimen_numbers),
];

warifu_diag::codes! {
    SSM641 = "SSM641" "result-value-missing" Warning { "結果の値 (OBX-5) がありません", "the result has no value (OBX-5)", "値を入れるか、得られないなら OBX-11 を X にしてください", "fill it, or set OBX-11 to X if there is none", "SS-MIX2 OBX-5, OBX-11; HL7 表 0085";
        "値のない最終結果は、検査したのか、できなかったのか分かりません。", "A final result without value does not say whether the test was done.";
        Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10|||g/dL^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") }
    SSM642 = "SSM642" "result-type-missing" Warning { "値があるのに値型 (OBX-2) がありません", "a value without its type (OBX-2)", "NM・ST・CWE などの値型を書いてください", "write the type: NM, ST, CWE …", "SS-MIX2 OBX-2; HL7 v2.5 §7.4.2.2";
        "数値か文字かを受け手が推測することになります。", "Receivers have to guess whether it is a number.";
        Lines("OML-11", "OBX|1||3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") }
    SSM643 = "SSM643" "structured-number" Error { "検体検査結果で値型 SN は使えません", "value type SN is not allowed in laboratory results", "不等号つきの値は ST で「< 0.5」のように書いてください", "write comparators as ST: < 0.5", "SS-MIX2 OBX-2 (OML-11)";
        "検体検査結果 (OML-11) の受け手は SN を読みません。ほかの種別では使えます。", "Receivers of laboratory results (OML-11) do not read SN; other kinds may use it.";
        Lines("OML-11", "OBX|1|SN|3A010000002327101^総蛋白^JC10||<^7.2|g/dL^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|ST|3A010000002327101^総蛋白^JC10||< 7.2|g/dL^g/dL^ISO+|||||F") }
    HL7206 = "HL7206" "structured-number-malformed" Warning { "構造化数値 (SN) の {} が規則に合いません", "{} of a structured number (SN) breaks its rules", "比較記号^数値^区切りか後置記号^数値 の形 (>^100、^100^-^200、^1^:^128、^2^+) で書いてください", "write comparator^number^separator^number: >^100, ^100^-^200, ^1^:^128, ^2^+", "HL7 v2.5 §2.A.70 SN";
        "どの部分が比較記号で、どれが数値か分からず、受け手は値を比べられません。", "Receivers cannot tell sign from number nor compare the value.";
        Lines("OMG-13", "OBX|1|SN|9A110000000000000^心拍数^99TST||>>^60|/min^/min^ISO+|||||F") => Lines("OMG-13", "OBX|1|SN|9A110000000000000^心拍数^99TST||>^60|/min^/min^ISO+|||||F") }
    SSM644 = "SSM644" "result-not-a-number" Warning { "値型 NM の結果が数値ではありません", "a result of type NM is no number", "数値でない結果は値型を ST にしてください", "use type ST for what is no number", "SS-MIX2 OBX-5; HL7 v2.5 §2.A.47 NM";
        "数値として取り込めず、結果が欠けます。", "It cannot be imported as a number, and the result is lost.";
        Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||検体不良|g/dL^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|ST|3A010000002327101^総蛋白^JC10||検体不良|g/dL^g/dL^ISO+|||||F") }
    SSM645 = "SSM645" "comparator-in-number" Warning { "値型 NM の結果に不等号があります", "a result of type NM holds a comparator", "値型を ST にして「< 0.5」のように書いてください", "use type ST and write < 0.5", "SS-MIX2 OBX-2, OBX-5";
        "NM は数字だけです。不等号を落とすと、検出限界が実測値になります。", "NM is digits only; without the sign a limit becomes a measurement.";
        Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||<0.5|g/dL^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|ST|3A010000002327101^総蛋白^JC10||< 0.5|g/dL^g/dL^ISO+|||||F") }
    SSM646 = "SSM646" "number-without-unit-field" Info { "数値の結果に単位 (OBX-6) がありません", "a numeric result without a unit (OBX-6)", "単位を書いてください。比や指数なら {1} などです", "write the unit", "SS-MIX2 OBX-6";
        "単位が分からない数値は比べられません。", "A number without its unit cannot be compared.";
        Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2||||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") }
    SSM647 = "SSM647" "request-status-in-result" Info { "検査結果の OBX-11 が O (依頼) です", "OBX-11 of a result is O (request)", "結果なら F などを書いてください", "write F and the like for results", "HL7 表 0085; SS-MIX2 OML-11";
        "依頼の内容として扱われ、結果になりません。", "It counts as a request and not as a result.";
        Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||O") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") }
    SSM648 = "SSM648" "reference-range-unreadable" Info { "基準範囲 (OBX-7) を下限と上限に分けられません", "the reference range (OBX-7) cannot be split into low and high", "1.2-2.0、> 10、< 15 のように書いてください", "write it as 1.2-2.0, > 10 or < 15", "HL7 v2.5 §7.4.2.7";
        "値が基準の内か外かを機械で確かめられません。", "Machines cannot tell whether a value is inside.";
        Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|6.6 to 8.1||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|6.6-8.1||||F") }
    SSM649 = "SSM649" "flag-contradicts-range" Warning { "異常フラグ (OBX-8) が値と基準範囲 (OBX-7) に合いません", "the flag (OBX-8) contradicts value and reference range (OBX-7)", "値・基準範囲・フラグを確かめてください", "check value, range and flag", "HL7 v2.5 §7.4.2.8; HL7 表 0078";
        "高いのか低いのか、受け手が誤ります。", "Receivers mistake high for low.";
        Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||9.2|g/dL^g/dL^ISO+|6.6-8.1|L|||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||9.2|g/dL^g/dL^ISO+|6.6-8.1|H|||F") }
    SSM650 = "SSM650" "reference-range-reversed" Warning { "基準範囲 (OBX-7) の下限が上限より大きくなっています", "the low of the reference range (OBX-7) is above its high", "下限-上限 の順に書いてください", "write low, then high", "HL7 v2.5 §7.4.2.7";
        "どの値も基準の外になります。", "Every value lies outside.";
        Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|8.1-6.6||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|6.6-8.1||||F") }
    SSM651 = "SSM651" "item-repeated" Info { "同じ項目 (OBX-3 と OBX-4) が同じ検体に二つあります", "one item (OBX-3 and OBX-4) stands twice for one specimen", "OBX-4 で区別してください", "tell them apart by OBX-4", "HL7 v2.5 §7.4.2.4; SS-MIX2 OBX-4";
        "どちらが正しい結果か分かりません。", "It does not say which result holds.";
        Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F\nOBX|2|NM|3A010000002327101^総蛋白^JC10||7.4|g/dL^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10|1|7.2|g/dL^g/dL^ISO+|||||F\nOBX|2|NM|3A010000002327101^総蛋白^JC10|2|7.4|g/dL^g/dL^ISO+|||||F") }
    SSM652 = "SSM652" "collected-after-message" Warning { "採取日時 (SPM-17) がメッセージの日時 (MSH-7) より後です", "the specimen was collected (SPM-17) after the message (MSH-7)", "採取した日時を書いてください", "write when it was collected", "SS-MIX2 SPM-17";
        "結果より後に採取された検体はなく、時系列が狂います。", "No specimen is collected after its result; the series goes wrong.";
        Lines("OML-11", "SPM|1|||023^血清^JC10|||||||||||||202604011850") => Lines("OML-11", "SPM|1|||023^血清^JC10|||||||||||||202604010850") }
    SSM653 = "SSM653" "specimen-differs-from-code" Info { "検体 (SPM-4) が JLAC10 コードの材料 (10～12 桁目) と違います", "the specimen (SPM-4) differs from that of the JLAC10 code (characters 10 to 12)", "検体と検査コードを確かめてください", "check specimen and code", "JLAC10 材料コード; SS-MIX2 SPM-4, OBX-3";
        "血清の値が尿の値として並ぶおそれがあります。", "A value of serum may be listed as one of urine.";
        Lines("OML-11", "SPM|1|||001^尿^JC10|||||||||||||202604010850") => Lines("OML-11", "SPM|1|||023^血清^JC10|||||||||||||202604010850") }
    SSM654 = "SSM654" "specimen-without-standard-code" Info { "検体 (SPM-4) に JLAC10 材料コードがありません", "the specimen (SPM-4) has no JLAC10 code", "材料コード表の 3 桁と JC10 を書いてください", "write the three digits of the specimen table and JC10", "JLAC10 材料コード; SS-MIX2 SPM-4";
        "施設をまたいで検体を比べられません。", "Specimens cannot be compared across institutions.";
        Lines("OML-11", "SPM|1|||S^血清^99TST|||||||||||||202604010850") => Lines("OML-11", "SPM|1|||023^血清^JC10|||||||||||||202604010850") }
    SSM655 = "SSM655" "observed-after-message" Warning { "検査日時 (OBX-14) がメッセージの日時 (MSH-7) より後です", "the time of the observation (OBX-14) lies after the message (MSH-7)", "検査した日時を書いてください", "write when it was observed", "SS-MIX2 OBX-14";
        "時系列が狂います。", "The series goes wrong.";
        Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F|||202604011850") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F|||202604010850") }
    SSM657 = "SSM657" "value-type-not-of-laboratory" Info { "検体検査結果の値型 (OBX-2) が NM・ST・CWE ではありません", "the value type (OBX-2) of a laboratory result is none of NM, ST and CWE", "数値は NM、文字は ST、コードは CWE で書いてください", "write numbers as NM, texts as ST, codes as CWE", "SS-MIX2 OBX-2 (OML-11)";
        "検体検査結果 (OML-11) の受け手はほかの値型を読まず、結果が欠けます。", "Receivers of laboratory results (OML-11) do not read other types, and the result is lost.";
        Lines("OML-11", "OBX|1|FT|3A010000002327101^総蛋白^JC10||検体不良|g/dL^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|ST|3A010000002327101^総蛋白^JC10||検体不良|g/dL^g/dL^ISO+|||||F") }
    SSM658 = "SSM658" "blood-group-contradiction" Warning { "血液型のコードが A・B・O・AB (Rh は +・-) ではないか、名称と合いません", "the code of a blood group is none of A, B, O, AB (Rh: +, -), or its text says another one", "コードと名称を確かめてください", "check code and text", "SS-MIX2 ADT-00 OBX-5 (JSHR002)";
        "どちらを読むかで血液型が変わり、輸血の事故につながります。", "The blood group depends on which of both is read, and a transfusion goes wrong.";
        Lines("ADT-00", "OBX|1|CWE|5H010000001999911^ＡＢＯ血液型^JC10||A^B型^JSHR002||||||F") => Lines("ADT-00", "OBX|1|CWE|5H010000001999911^ＡＢＯ血液型^JC10||A^A型^JSHR002||||||F") }
    SSM659 = "SSM659" "specimen-number-repeated" Info { "違う材料の検体が同じ検体番号 (SPM-2) です", "specimens of different materials have one number (SPM-2)", "検体ごとに別の番号を書いてください", "give each specimen a number of its own", "SS-MIX2 SPM-2, SPM-4";
        "検体を番号で引く受け手は、結果を別の材料のものにします。", "Receivers that look specimens up by their number file results under another material.";
        Lines("OML-11", "SPM|1|S0001||023^血清^JC10|||||||||||||202604010850\nOBR|1|000000000000001||E002^生化学^99TST|||202604010850||||||||||||||||||F\nORC|SC|000000000000001|||CM||||20260401090000\nOBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F\nSPM|2|S0001||001^尿^JC10|||||||||||||202604010850\nOBR|2|000000000000001||E002^尿^99TST|||202604010850||||||||||||||||||F\nORC|SC|000000000000001|||CM||||20260401090000\nOBX|1|NM|1A030000000106201^尿ｐＨ^JC10||6.5|{pH}^{pH}^ISO+|||||F") => Lines("OML-11", "SPM|1|S0001||023^血清^JC10|||||||||||||202604010850\nOBR|1|000000000000001||E002^生化学^99TST|||202604010850||||||||||||||||||F\nORC|SC|000000000000001|||CM||||20260401090000\nOBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F\nSPM|2|S0002||001^尿^JC10|||||||||||||202604010850\nOBR|2|000000000000001||E002^尿^99TST|||202604010850||||||||||||||||||F\nORC|SC|000000000000001|||CM||||20260401090000\nOBX|1|NM|1A030000000106201^尿ｐＨ^JC10||6.5|{pH}^{pH}^ISO+|||||F") }
    SSM656 = "SSM656" "collection-reversed" Warning { "採取の終了が開始より前です (SPM-17)", "the collection ends before it starts (SPM-17)", "開始と終了を確かめてください", "check start and end", "SS-MIX2 SPM-17; HL7 v2.5 §2.A.20 DR";
        "蓄尿などの時間が負になり、換算できません。", "The time of a timed collection is negative.";
        Lines("OML-11", "SPM|1|||023^血清^JC10|||||||||||||202604010850^202604010750") => Lines("OML-11", "SPM|1|||023^血清^JC10|||||||||||||202604010750^202604010850") }
    SSM660 = "SSM660" "observed-before-collection" Info { "検査日時 (OBX-14) が採取日時 (SPM-17) より前です", "the time of the observation (OBX-14) lies before the collection (SPM-17)", "採取と検査の日時を確かめてください", "check both times", "HL7 v2.5 §7.4.2.14; SS-MIX2 SPM-17, OBX-14";
        "採取する前の検体は検査できず、時系列が狂います。", "Nothing is observed in a specimen before it was collected; the series goes wrong.";
        Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F|||202603300850") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F|||202604010850") }
    SSM661 = "SSM661" "result-status-in-request" Info { "検査依頼の OBX-11 が結果の状態です", "OBX-11 of a request is that of a result", "依頼の項目には O を書いてください", "write O for what is requested", "HL7 表 0085; SS-MIX2 OML-01";
        "依頼した項目が結果として扱われます。", "What was requested counts as a result.";
        Lines("OML-01", "OBX|1||3A010000002327101^総蛋白^JC10||||||||F") => Lines("OML-01", "OBX|1||3A010000002327101^総蛋白^JC10||||||||O") }
    SSM662 = "SSM662" "result-without-order-segment" Info { "検査結果の OBR に ORC が続いていません", "an OBR of a laboratory result without its ORC", "OBR の次に ORC を書いてください", "write an ORC after the OBR", "SS-MIX2 OML-11 メッセージ構造 (OBR ORC OBX)";
        "だれがいつ依頼した検査か分からず、依頼と結び付けられません。", "It does not say who requested the test and when, and it cannot be tied to its request.";
        Lines("OML-11", "OBR|1|000000000000001||E002^生化学^99TST|||202604010850||||||||||||||||||F\nNTE|1|L|再検済み\nORC|SC|000000000000001|||CM||||20260401090000") => Lines("OML-11", "OBR|1|000000000000001||E002^生化学^99TST|||202604010850||||||||||||||||||F\nORC|SC|000000000000001|||CM||||20260401090000") }
}

/// Fields of an OBX that belong together.
fn result<'m>(cx: &mut Cx<'m, '_>, obx: Segment<'m>) {
    if cx.is(&[K::Oml01]) && matches!(obx.field(11).value().trimmed().text, "C" | "F" | "P" | "U") {
        cx.report(&SSM661, obx.field(11));
    }
    let (two, five) = (obx.field(2), obx.field(5));
    let status = obx.field(11).value().trimmed().text;
    let kind = two.value().trimmed().text;
    let orders = cx.is(&[K::Oml01, K::Omg01, K::Omg02, K::Omg03]);
    if !five.is_some() {
        // Results that could not be obtained, requests, deletions and the like have none.
        let none = matches!(status, "X" | "O" | "N" | "D" | "I" | "W");
        if (cx.is_vital || cx.is(&[K::Oml11, K::Omg13])) && !none {
            cx.report_absent(&SSM641, obx, 5);
        }
        return;
    }
    if kind.is_empty() && (cx.is_vital || cx.kind.is_some()) && !orders {
        cx.report_absent(&SSM642, obx, 2);
    }
    if kind == "SN" && cx.is(&[K::Oml11]) {
        cx.report(&SSM643, two);
    }
    // Types of no table are told elsewhere; CE is read as CWE, but it is not one of the three.
    let foreign = !matches!(kind, "" | "NM" | "ST" | "CWE" | "SN");
    if foreign && cx.is(&[K::Oml11]) && super::tables::has("0125", kind) {
        cx.report(&SSM657, two);
    }
    if kind == "CWE" {
        blood_group(cx, obx);
    }
    if status == "O" && cx.is(&[K::Oml11]) {
        cx.report(&SSM647, obx.field(11));
    }
    if kind == "NM" && cx.is(&[K::Oml11]) && !obx.field(6).is_some() {
        cx.report_absent(&SSM646, obx, 6);
    }
    if let (Some(time), Some(sent)) = (time_of(obx.field(14).value()), cx.sent)
        && is_after(&time, &sent)
    {
        cx.report(&SSM655, obx.field(14));
    }
    let collected = cx.specimen.map(|spm| spm.field(17).value());
    if let (Some(time), Some(collected)) =
        (time_of(obx.field(14).value()), collected.and_then(time_of))
        && cx.is(&[K::Oml11])
        && is_later(&collected, &time)
    {
        cx.report(&SSM660, obx.field(14));
    }
    flag(cx, obx, kind);
    if cx.is(&[K::Oml11]) {
        item(cx, obx);
    }
}

/// `SSM658`: ABO and Rh by their items in JLAC10, where code and text are those of blood groups.
fn blood_group(cx: &mut Cx<'_, '_>, obx: Segment<'_>) {
    let (three, five) = (obx.field(3), obx.field(5));
    let item = three.comp(1).value().trimmed().text;
    let (code, text) = (
        five.comp(1).value().trimmed().text,
        five.comp(2).value().trimmed().text,
    );
    if three.comp(3).value().trimmed().text != "JC10"
        || five.comp(3).value().trimmed().text != "JSHR002"
        || code.is_empty()
    {
        return;
    }
    let text = warifu_source::normalise_for_compare(text).to_uppercase();
    let wrong = if item.starts_with("5H010") {
        // The letters before 型, as in ＡＢ型.
        let group = text.split_once('型').map(|(group, _)| group.trim());
        !matches!(code, "A" | "B" | "O" | "AB")
            || group.is_some_and(|g| matches!(g, "A" | "B" | "O" | "AB") && g != code)
    } else if item.starts_with("5H020") {
        let (plus, minus) = (
            text.contains('+') || text.contains("陽性"),
            text.contains('-') || text.contains("陰性"),
        );
        // `Rh+` is met as well.
        match code.trim_start_matches(['R', 'H', 'h']) {
            "+" => minus && !plus,
            "-" => plus && !minus,
            _ => true,
        }
    } else {
        false
    };
    if wrong {
        cx.report(&SSM658, five);
    }
}

/// `SSM649`, `SSM650`: value, range and flag.
fn flag(cx: &mut Cx<'_, '_>, obx: Segment<'_>, kind: &str) {
    let range = obx.field(7).value().trimmed().text;
    let bounds = range
        .split_once('-')
        .map(|(low, high)| (low.trim(), high.trim()));
    let Some((low, high)) = bounds.and_then(|(low, high)| Some((decimal(low)?, decimal(high)?)))
    else {
        return;
    };
    if low > high {
        cx.report(&SSM650, obx.field(7));
        return;
    }
    let Some(value) = decimal(obx.field(5).value().trimmed().text).filter(|_| kind == "NM") else {
        return;
    };
    let wrong = match obx.field(8).value().trimmed().text {
        // At the limit itself the range may be meant without it.
        "H" | "HH" => value < high,
        "L" | "LL" => value > low,
        "N" => value < low || value > high,
        _ => false,
    };
    if wrong {
        cx.report(&SSM649, obx.field(8));
    }
}

/// A decimal number in millionths.
fn decimal(text: &str) -> Option<i128> {
    if !is_number(text) {
        return None;
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let text = text.trim_start_matches(['+', '-']);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let whole: i128 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let value = whole
        .checked_mul(1_000_000)?
        .checked_add(fraction.parse().ok()?)?;
    Some(sign * value)
}

/// `SSM653`: the specimen of the code against the SPM before.
fn item(cx: &mut Cx<'_, '_>, obx: Segment<'_>) {
    let three = obx.field(3);
    let (code, system) = if three.comp(3).value().trimmed().text == "JC10" {
        (three.comp(1), "JC10")
    } else {
        (three.comp(4), three.comp(6).value().trimmed().text)
    };
    let own = code.value().trimmed().text;
    let Some(own) = own
        .get(9..12)
        .filter(|_| system == "JC10" && own.len() == 17)
    else {
        return;
    };
    let Some(spm) = cx.specimen else {
        return;
    };
    let four = spm.field(4);
    let given = four.comp(1).value().trimmed().text;
    if four.comp(3).value().trimmed().text != "JC10" || given.len() != 3 || given == own {
        return;
    }
    // Groups of the table (blood, urine, fluids …) share their first two digits, mostly; a code
    // calculated from several specimens has none.
    let group = |c: &str| match c.parse::<u8>() {
        Ok(1..=12) => 1,
        Ok(15) => 2,
        Ok(17..=39) => 3,
        Ok(40..=49) => 4,
        Ok(50..=69) => 5,
        Ok(70..=78) => 6,
        _ => 0,
    };
    let (of_given, of_own) = (group(given), group(own));
    // Serum and plasma are made of blood: nothing is measured in blood, in cells or in the other of both
    // where only these were sent.
    let separated = matches!(given, "022" | "023")
        && matches!(
            own,
            "018" | "019" | "020" | "021" | "022" | "023" | "025" | "026" | "027" | "028"
        );
    if separated || of_given != of_own && of_own != 0 && of_given != 0 {
        cx.report(&SSM653, code);
    }
}

/// `SSM652`, `SSM654`, `SSM656`: SPM.
fn specimen<'m>(cx: &mut Cx<'m, '_>, spm: Segment<'m>) {
    cx.specimen = Some(spm);
    let four = spm.field(4);
    let systems = [four.comp(3), four.comp(6)].map(|s| s.value().trimmed().text);
    if cx.is(&[K::Oml01, K::Oml11]) && four.is_some() && !systems.contains(&"JC10") {
        cx.report(&SSM654, four);
    }
    let seventeen = spm.field(17);
    let (start, end) = (
        time_of(seventeen.comp(1).value()),
        time_of(seventeen.comp(2).value()),
    );
    if let (Some(start), Some(sent)) = (start, cx.sent)
        && cx.is(&[K::Oml11])
        && is_after(&start, &sent)
    {
        cx.report(&SSM652, seventeen);
    }
    if let (Some(start), Some(end)) = (start, end)
        && is_after(&start, &end)
    {
        cx.report(&SSM656, seventeen);
    }
}

/// `SSM648`: OBX-7 of numbers.
fn reference<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    let text = narrowed(at.value().trimmed().text).replace(['～', '〜', '~'], "-");
    if cx.text(2) != "NM" {
        return;
    }
    let text = text.replace(' ', "");
    let signed = text.trim_start_matches(['<', '>', '=', '≦', '≧', '≤', '≥']);
    let plain = is_number(signed);
    let range = text.char_indices().skip(1).any(|(i, c)| {
        c == '-' && text.get(..i).is_some_and(is_number) && text.get(i + 1..).is_some_and(is_number)
    });
    let open = text
        .strip_suffix('-')
        .or_else(|| text.strip_prefix('-'))
        .is_some_and(is_number);
    let words = ["以上", "以下", "未満"].iter().any(|w| text.contains(w));
    if !(plain || range || open || words) {
        cx.report(&SSM648, at);
    }
}

/// Whether a field is an OBX-5 that holds one value: only codes and texts may have several parts.
///
/// # Standard
/// HL7 v2.5 §7.4.2.5: OBX-5 repeats for multipart, single answer results with appropriate data types,
/// e.g. CE, TX and FT.
pub(crate) fn is_single(segment: Segment<'_>, number: usize) -> bool {
    let kind = |s: Segment<'_>| s.field(2).value().trimmed().text.to_owned();
    (segment.name(), number) == (*b"OBX", 5)
        && matches!(kind(segment).as_str(), "NM" | "SN" | "DT" | "TM" | "TS")
}

/// How many components a value of OBX-5 has at most, and whether they may have parts; `None` where its type
/// is made of components.
fn simple_width(kind: &str) -> Option<(usize, bool)> {
    Some(match kind {
        "NM" | "DT" | "TM" => (1, false),
        // The second one is its precision.
        "TS" => (2, false),
        // In texts & is met as a letter.
        "ST" | "TX" | "FT" => (1, true),
        _ => return None,
    })
}

/// `OBX-5` as OBX-2 says.
pub(crate) fn value(cx: &mut Cx<'_, '_>, obx: Segment<'_>, at: Part<'_>) {
    let name = || "OBX-5".to_owned();
    let kind = obx.field(2).value().trimmed().text;
    if let Some((width, has_parts)) = simple_width(kind) {
        let wide = at.has_components() && at.comps().skip(width).any(|c| c.is_some());
        if wide || (at.has_subcomponents() && !has_parts) {
            cx.report_with(&HL7124, at, name());
        }
    }
    match kind {
        "NM" => {
            let text = at.value().trimmed().text;
            let sign = |c: char| "<>≦≧≤≥＜＞".contains(c);
            let worded = ["以上", "以下", "未満", "超"]
                .iter()
                .any(|w| text.contains(w));
            if text.is_empty() || is_number(text) {
            } else if (text.contains(sign) || worded) && text.contains(|c: char| c.is_numeric()) {
                cx.report(&SSM645, at);
            } else if is_number(&narrowed(text)) || text.contains(',') {
                leaf(cx, Leaf::Number, at, &name);
            } else {
                cx.report(&SSM644, at);
            }
        }
        "SN" => structured(cx, at),
        "DT" => leaf(cx, Leaf::Day, at, &name),
        "TM" => leaf(cx, Leaf::TimeOfDay, at, &name),
        "TS" => leaf(cx, Leaf::Time, at, &name),
        "CWE" | "CE" => coding::check(cx, obx, 5, at),
        _ => {}
    }
}

/// `HL7206`: the four components of an SN.
///
/// # Standard
/// HL7 v2.5 §2.A.70: comparator, number, separator or suffix, number. A separator stands between two
/// numbers; a suffix (`2+`) ends the value.
fn structured(cx: &mut Cx<'_, '_>, at: Part<'_>) {
    const COMPARATORS: [&str; 7] = ["", ">", "<", ">=", "<=", "=", "<>"];
    const SEPARATORS: [&str; 5] = ["-", "+", "/", ".", ":"];
    let text = |n: usize| at.comp(n).value().trimmed().text;
    let name = |n: usize| format!("OBX-5.{n}");
    for n in [2, 4] {
        if at.comp(n).is_some() {
            leaf(cx, Leaf::Number, at.comp(n), &|| name(n));
        }
    }
    let (first, separator, second) = (text(2), text(3), text(4));
    let wrong = if !COMPARATORS.contains(&text(1)) {
        Some(1)
    } else if first.is_empty() {
        Some(2)
    } else if second.is_empty() {
        (!separator.is_empty() && separator != "+").then_some(3)
    } else {
        (!SEPARATORS.contains(&separator)).then_some(3)
    };
    if let Some(n) = wrong {
        let part = at.comp(n);
        cx.report_with(&HL7206, if part.is_some() { part } else { at }, name(n));
    }
    if let Some(n) = at.comps().enumerate().skip(4).find(|(_, c)| c.is_some()) {
        cx.report_with(&HL7206, n.1, name(n.0 + 1));
    }
}

/// `SSM659`: one number for several materials.
fn specimen_numbers(cx: &mut Cx<'_, '_>) {
    let mut first: std::collections::BTreeMap<&[u8], &str> = std::collections::BTreeMap::new();
    let mut again = Vec::new();
    for spm in cx.message.segments().filter(|s| s.name() == *b"SPM") {
        let (number, material) = (spm.field(2), spm.field(4).value().trimmed().text);
        if number.is_some()
            && !material.is_empty()
            && *first.entry(number.raw()).or_insert(material) != material
        {
            again.push(number);
        }
    }
    for number in again {
        cx.report(&SSM659, number);
    }
}

/// `SSM651`: one item twice under one specimen and request.
fn repeated_items(cx: &mut Cx<'_, '_>) {
    if !cx.is(&[K::Oml11]) {
        return;
    }
    let mut seen = std::collections::BTreeSet::new();
    let mut again = Vec::new();
    for segment in cx.message.segments() {
        match &segment.name() {
            b"SPM" | b"OBR" => seen.clear(),
            b"OBX" => {
                let three = segment.field(3);
                let code = [three.comp(1), three.comp(4)].map(|c| c.value().trimmed().text);
                let sub = segment.field(4).value().trimmed().text;
                if code != ["", ""] && !seen.insert((code, sub)) {
                    again.push(three);
                }
            }
            _ => {}
        }
    }
    for three in again {
        cx.report(&SSM651, three);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_order() {
        assert!(decimal("-0.5") < decimal("0.25"));
        assert_eq!(decimal("7"), decimal("7.000"));
        assert_eq!(decimal("1e3"), None);
    }
}
