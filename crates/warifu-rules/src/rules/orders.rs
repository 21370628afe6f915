//! `SSM60x`, `SSM61x`: orders (ORC, OBR, TQ1) of all order and result kinds.

use warifu_diag::Example::{Files, Lines};
use warifu_hl7::{Part, Segment};
use warifu_ssmix2::DataKind as K;

use super::fields::is_number;
use super::laboratory::SSM662;
use crate::cx::{Cx, is_after, is_later, time_of};
use crate::rule::{Check, field, message, segment};

pub(crate) const CHECKS: &[Check] = &[
    segment("ORC", order),
    segment("OBR", request),
    segment("TQ1", timing),
    field("ORC", 2, number),
    field("ORC", 9, ordered),
    field("ORC", 17, department),
    message(parents),
    message(rows),
];

warifu_diag::codes! {
    SSM601 = "SSM601" "child-without-parent" Error { "子オーダ (CH) に親の番号 (ORC-8) がありません", "a child order (CH) without its parent's number (ORC-8)", "ORC-8 に親のオーダ番号を書いてください", "write the parent's order number into ORC-8", "SS-MIX2 ORC-8; HL7 v2.5 §4.5.1.8";
        "どの依頼の手技か分からず、依頼と実施が結び付きません。", "The procedure cannot be tied to its request.";
        Lines("OMG-01", "ORC|CH|000000000000002|||||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nTQ1|1||||||||R^ルーチン^HL70485\nOBR||000000000000002||10000002000202000000030000000000^胸部^JJ1017") => Lines("OMG-01", "ORC|NW|000000000000001|||||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nTQ1|1||||||||R^ルーチン^HL70485\nOBR||000000000000001||1000000000000000^Ｘ線単純撮影^JJ1017\nORC|CH|000000000000002||||||000000000000001|20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nTQ1|1||||||||R^ルーチン^HL70485\nOBR||000000000000002||10000002000202000000030000000000^胸部^JJ1017|||||||||||||||||||||||||000000000000001") }
    SSM602 = "SSM602" "parent-numbers-differ" Warning { "ORC-8 と OBR-29 の親の番号が違います", "ORC-8 and OBR-29 name different parents", "同じ親のオーダ番号を書いてください", "write the same number", "SS-MIX2 ORC-8, OBR-29";
        "受け手によって別の依頼に結び付けます。", "Receivers tie the procedure to different requests.";
        Lines("OMG-01", "ORC|NW|000000000000001|||||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nTQ1|1||||||||R^ルーチン^HL70485\nOBR||000000000000001||1000000000000000^Ｘ線単純撮影^JJ1017\nORC|CH|000000000000002||||||000000000000001|20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nTQ1|1||||||||R^ルーチン^HL70485\nOBR||000000000000002||10000002000202000000030000000000^胸部^JJ1017|||||||||||||||||||||||||000000000000009") => Lines("OMG-01", "ORC|NW|000000000000001|||||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nTQ1|1||||||||R^ルーチン^HL70485\nOBR||000000000000001||1000000000000000^Ｘ線単純撮影^JJ1017\nORC|CH|000000000000002||||||000000000000001|20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nTQ1|1||||||||R^ルーチン^HL70485\nOBR||000000000000002||10000002000202000000030000000000^胸部^JJ1017|||||||||||||||||||||||||000000000000001") }
    SSM603 = "SSM603" "parent-not-in-message" Warning { "親の番号 (ORC-8) のオーダがこのメッセージにありません", "no order of this message has the parent's number (ORC-8)", "NW・PA の行と同じ番号を書いてください", "write the number of the NW or PA row", "SS-MIX2 OMG メッセージ構造";
        "親の依頼が見つからず、目的や臨床情報が伝わりません。", "Without the parent its reason and clinical information are lost.";
        Lines("OMG-01", "ORC|NW|000000000000001|||||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nTQ1|1||||||||R^ルーチン^HL70485\nOBR||000000000000001||1000000000000000^Ｘ線単純撮影^JJ1017\nORC|CH|000000000000002||||||000000000000005|20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nTQ1|1||||||||R^ルーチン^HL70485\nOBR||000000000000002||10000002000202000000030000000000^胸部^JJ1017") => Lines("OMG-01", "ORC|NW|000000000000001|||||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nTQ1|1||||||||R^ルーチン^HL70485\nOBR||000000000000001||1000000000000000^Ｘ線単純撮影^JJ1017\nORC|CH|000000000000002||||||000000000000001|20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nTQ1|1||||||||R^ルーチン^HL70485\nOBR||000000000000002||10000002000202000000030000000000^胸部^JJ1017") }
    SSM604 = "SSM604" "request-number-differs" Warning { "OBR-2 が ORC-2 と違います", "OBR-2 differs from ORC-2", "同じオーダ番号を書いてください", "write the same order number", "SS-MIX2 ORC-2, OBR-2";
        "依頼と結果を番号で結び付けられません。", "Order and result cannot be tied by number.";
        Lines("OMG-03", "OBR|1|000000000000009||9A110000000000000^心電図^99TST") => Lines("OMG-03", "OBR|1|000000000000001||9A110000000000000^心電図^99TST") }
    SSM605 = "SSM605" "order-number-long" Warning { "オーダ番号 (ORC-2) が 15 桁を超えるか、数字以外を含みます", "the order number (ORC-2) exceeds 15 digits or holds other characters", "15 桁以内の数字で書いてください", "use at most 15 digits", "SS-MIX2 ファイル命名規約; ORC-2";
        "ファイル名のオーダ番号にできません。", "It cannot become the order number of the file name.";
        Lines("OMP-01", "ORC|NW|A0000000000000001||1|||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I") => Lines("OMP-01", "ORC|NW|000000000000001||1|||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I") }
    SSM606 = "SSM606" "ordered-after-message" Warning { "依頼日時 (ORC-9) がメッセージの日時 (MSH-7) より後です", "the order's time (ORC-9) lies after the message (MSH-7)", "ORC-9 には入力した日時を書いてください", "ORC-9 is the time of entry", "SS-MIX2 ORC-9; HL7 v2.5 §4.5.1.9";
        "予定の日時を書いたか、時計がずれています。診療日を誤ります。", "It is a planned time, or a clock is wrong; the care date is wrong too.";
        Lines("OMP-01", "ORC|NW|000000000000001||1|||||20260501090000|||D01^見立^一郎^^^^^^^L^^^^^I") => Lines("OMP-01", "ORC|NW|000000000000001||1|||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I") }
    SSM607 = "SSM607" "orderer-missing" Info [strict] { "依頼医 (ORC-12) がありません", "the ordering provider (ORC-12) is empty", "依頼医を書いてください", "write the ordering provider", "SS-MIX2 ORC-12";
        "だれの指示か分かりません。", "It does not say who ordered it.";
        Lines("OMP-01", "ORC|NW|000000000000001||1|||||20260401090000") => Lines("OMP-01", "ORC|NW|000000000000001||1|||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I") }
    SSM608 = "SSM608" "order-type-differs" Warning { "オーダ種別 (ORC-29) が患者区分 (PV1-2) と違います", "the order type (ORC-29) differs from the patient class (PV1-2)", "入院は I、外来は O にそろえてください", "make both I (inpatient) or O (outpatient)", "SS-MIX2 ORC-29, PV1-2; HL7 表 0482, 0004";
        "入院と外来のどちらの診療か分かりません。", "It does not say whether the patient was admitted.";
        Lines("OML-11", "ORC|SC|000000000000001|||CM||||20260401090000||||||||||||||||||||I^入院患者オーダ^HL70482") => Lines("OML-11", "ORC|SC|000000000000001|||CM||||20260401090000||||||||||||||||||||O^外来患者オーダ^HL70482") }
    SSM609 = "SSM609" "department-shape-in-order" Info { "診療科 (ORC-17) が表 0069 の形 (2～3 文字) ではありません", "the department (ORC-17) does not have the shape of table 0069 (2 or 3 characters)", "表 0069 の診療科コードを書いてください", "use the department codes of table 0069", "HL7 表 0069; SS-MIX2 ORC-17";
        "施設をまたいで診療科を集計できません。", "Departments cannot be counted across institutions.";
        Lines("OML-11", "ORC|SC|000000000000001|||CM||||20260401090000||||||||INTERNAL^内科^HL70069") => Lines("OML-11", "ORC|SC|000000000000001|||CM||||20260401090000||||||||01^内科^HL70069") }
    SSM611 = "SSM611" "timing-reversed" Warning { "終了日時 (TQ1-8) が開始日時 (TQ1-7) より前です", "the end (TQ1-8) lies before the start (TQ1-7)", "開始と終了を確かめてください", "check start and end", "SS-MIX2 TQ1-7, TQ1-8";
        "投与や検査の期間が負になります。", "The period is negative.";
        Lines("OMP-02", "TQ1|1||||||202604011300|202604011100") => Lines("OMP-02", "TQ1|1||||||202604011100|202604011300") }
    SSM612 = "SSM612" "timing-joined-without-conjunction" Info [strict] { "TQ1 が続くのに、つなぎ方 (TQ1-12) がありません", "several TQ1 without a conjunction (TQ1-12)", "TQ1-12 に S (順に) か A (同時に) を書いてください", "write S (in sequence) or A (at once) into TQ1-12", "HL7 v2.5 §4.5.4.12 TQ1-12";
        "続けて行うのか、同時に行うのか分かりません。", "It does not say whether they follow or go together.";
        Lines("OMP-02", "TQ1|1||||||202604011100|202604011300\nTQ1|2||||||202604011400|202604011500") => Lines("OMP-02", "TQ1|1||||||202604011100|202604011300") }
    SSM613 = "SSM613" "start-before-order" Info { "開始日時 (TQ1-7) が依頼日 (ORC-9) より 31 日以上前です", "the start (TQ1-7) lies more than a month before the order (ORC-9)", "開始日を確かめてください", "check the start", "SS-MIX2 TQ1-7, ORC-9";
        "前回の依頼を写したときの日付の残りかもしれません。", "The day may be left over from an order that was copied.";
        Lines("OMP-01", "TQ1|1||1011000400000000&内服・経口・１日１回朝食後&JAMISDP01|||7^d|20250401") => Lines("OMP-01", "TQ1|1||1011000400000000&内服・経口・１日１回朝食後&JAMISDP01|||7^d|20260401") }
    SSM614 = "SSM614" "order-control-unusual" Info { "このデータ種別では使わないオーダ制御 (ORC-1) です", "an order control (ORC-1) that this kind does not use", "依頼は NW・PA・CH、結果は SC・RE など、種別に合う値を書いてください", "use NW, PA, CH for orders, SC, RE for results", "SS-MIX2 ORC-1; HL7 表 0119";
        "依頼か結果か、取り消しかを受け手が誤ります。", "Receivers mistake an order for a result or a cancellation.";
        Lines("OMP-01", "ORC|SN|000000000000001||1|||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I") => Lines("OMP-01", "ORC|NW|000000000000001||1|||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I") }
    SSM615 = "SSM615" "cancelled-order-with-flag-1" Warning { "取消 (ORC-1 が CA・OC・DC) なのに、フラグが 1 (有効) です", "a cancelled order (ORC-1 CA, OC or DC) under flag 1 (valid)", "取消は、対象とともにフラグ 0 にしてください", "give the cancellation and what it cancels flag 0", "SS-MIX2 コンディションフラグ (削除); HL7 表 0119";
        "取り消された指示を、受け手が有効として扱います。", "Receivers take the cancelled order as valid.";
        Files(&[("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1", "ORC|CA|000000000000001||1|||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I")]) => Files(&[("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_0", "ORC|CA|000000000000001||1|||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I")]) }
    SSM616 = "SSM616" "filler-number-differs" Warning { "OBR-3 が ORC-3 と違います", "OBR-3 differs from ORC-3", "同じ番号を書いてください", "write the same number", "HL7 v2.5 §4.5.3.3; SS-MIX2 ORC-3, OBR-3";
        "実施側の番号で結果を探す受け手は、どちらで探すかで別の依頼に行き着きます。", "Receivers that look results up by the filler's number come to another request, depending on which one they take.";
        Lines("OMG-13", "ORC|SC|000000000000001|F0001||CM||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I|01^^^^^C||||01^内科^HL70069\nOBR|1|000000000000001|F0002|9A110000000000000^心電図^99TST|||202604010948||||||||||||||||||F") => Lines("OMG-13", "ORC|SC|000000000000001|F0001||CM||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I|01^^^^^C||||01^内科^HL70069\nOBR|1|000000000000001|F0001|9A110000000000000^心電図^99TST|||202604010948||||||||||||||||||F") }
    SSM617 = "SSM617" "reported-before-examined" Warning { "報告の日時 (OBR-22) が検査の日時 (OBR-7) より前です", "the report (OBR-22) lies before the examination (OBR-7)", "検査と報告の日時を確かめてください", "check both times", "HL7 v2.5 §4.5.3.22; SS-MIX2 OBR-7, OBR-22";
        "検査より前に結果が出ることはなく、時系列が狂います。", "No result comes before its examination; the series goes wrong.";
        Lines("OML-11", "OBR|1|000000000000001||E002^生化学^99TST|||202604010850|||||||||||||||202603310900|||F") => Lines("OML-11", "OBR|1|000000000000001||E002^生化学^99TST|||202604010850|||||||||||||||202604010900|||F") }
    SSM618 = "SSM618" "duration-not-positive" Warning { "期間 (TQ1-6) が 0 以下です", "the duration (TQ1-6) is not above zero", "日数や回数を確かめてください", "check the number of days or times", "HL7 v2.5 §4.5.4.6; SS-MIX2 TQ1-6";
        "いつまで続けるか分からず、総量の計算を誤ります。", "It does not say how long to go on, and total amounts go wrong.";
        Lines("OMP-01", "TQ1|1||1011000400000000&内服・経口・１日１回朝食後&JAMISDP01|||-7^d|20260401") => Lines("OMP-01", "TQ1|1||1011000400000000&内服・経口・１日１回朝食後&JAMISDP01|||7^d|20260401") }
    SSM619 = "SSM619" "request-row-repeated" Warning { "依頼全体の行 (ORC-1 が NW) が二つ以上あります", "several rows of the whole request (ORC-1 NW)", "NW を一つ、続けて PA と、行為ごとの CH を書いてください", "write one NW, then PA, and CH for each procedure", "SS-MIX2 OMG メッセージ構造 (NW・PA・CH)";
        "受け手は NW ごとに別の依頼として扱い、行為がどの依頼のものか分からなくなります。", "Receivers take each NW for a request of its own and cannot tell to which one a procedure belongs.";
        Lines("OMG-01", "ORC|NW|000000000000001|||||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nTQ1|1||||||202604011000||R^ルーチン^HL70485\nOBR|1|000000000000001||A000000000000000^撮影^99TST\nORC|NW|000000000000001|||||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nTQ1|1||||||202604011000||R^ルーチン^HL70485\nOBR|2|000000000000001||A000000000000000^撮影^99TST") => Lines("OMG-01", "ORC|NW|000000000000001|||||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nTQ1|1||||||202604011000||R^ルーチン^HL70485\nOBR|1|000000000000001||A000000000000000^撮影^99TST\nORC|PA|000000000000001|||||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nTQ1|1||||||202604011000||R^ルーチン^HL70485\nOBR|2|000000000000001||A000000000000000^撮影^99TST") }
    SSM620 = "SSM620" "request-without-procedures" Info { "依頼全体の行 (NW・PA) に、行為の行 (ORC-1 が CH) がありません", "rows of the whole request (NW, PA) without one of a procedure (ORC-1 CH)", "行為ごとに CH の行を書いてください", "write a CH row for each procedure", "SS-MIX2 OMG メッセージ構造 (NW・PA・CH)";
        "受け手は CH の行から行為を読みます。なければ、何を行うか分かりません。", "Receivers read procedures from the CH rows; without any it does not say what is to be done.";
        Lines("OMG-01", "ORC|NW|000000000000001|||||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nTQ1|1||||||202604011000||R^ルーチン^HL70485\nOBR|1|000000000000001||A000000000000000^撮影^99TST\nORC|PA|000000000000001|||||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nTQ1|1||||||202604011000||R^ルーチン^HL70485\nOBR|2|000000000000001||A000000000000000^撮影^99TST") => Lines("OMG-01", "ORC|NW|000000000000001|||||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nTQ1|1||||||202604011000||R^ルーチン^HL70485\nOBR|1|000000000000001||A000000000000000^撮影^99TST\nORC|CH|000000000000002||||||000000000000001|20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nTQ1|1||||||202604011000||R^ルーチン^HL70485\nOBR|2|000000000000002||A000000000000000^撮影^99TST|||||||||||||||||||||||||000000000000001") }
}

const IMAGING: &[K] = &[K::Omg01, K::Omg02, K::Omg03, K::Omg11, K::Omg12, K::Omg13];

fn order<'m>(cx: &mut Cx<'m, '_>, orc: Segment<'m>) {
    let control = orc.field(1).value().trimmed().text;
    if control == "CH" && cx.is(IMAGING) && !orc.field(8).is_some() {
        cx.report_absent(&SSM601, orc, 8);
    }
    if warifu_terms::maps::withdrawal(control).is_some() {
        cx.facts.cancels = true;
        let current = cx
            .name
            .is_some_and(|n| n.flag == warifu_ssmix2::Flag::Current);
        if current && cx.kind != Some(K::Ppr01) {
            cx.report(&SSM615, orc.field(1));
        }
    } else if matches!(control, "SN" | "NA" | "CN") && cx.kind.is_some() && !cx.is(&[K::Ppr01]) {
        cx.report(&SSM614, orc.field(1));
    }
    if cx.kind.is_some() && !cx.is(IMAGING) && !orc.field(12).is_some() {
        cx.report_absent(&SSM607, orc, 12);
    }
    let class = cx.message.value(b"PV1", 2).trimmed().text;
    let kind = orc.field(29).value().trimmed().text;
    if matches!(class, "I" | "O") && matches!(kind, "I" | "O") && class != kind {
        cx.report(&SSM608, orc.field(29));
    }
    if cx.facts.wanted {
        let spot = cx.spot(orc.field(2).value());
        let known = |s: &crate::patient::Spot| s.text == spot.text;
        if !spot.text.is_empty() && !cx.facts.orders.iter().any(known) {
            cx.facts.orders.push(spot);
        }
    }
}

/// `SSM605`: ORC-2.
fn number<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    let text = at.value().trimmed().text;
    if text.len() > 15 || !text.bytes().all(|b| b.is_ascii_digit()) {
        cx.report(&SSM605, at);
    }
}

/// `SSM606`: ORC-9 against MSH-7.
fn ordered<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    if let (Some(time), Some(sent)) = (time_of(at.value()), cx.sent)
        && is_after(&time, &sent)
    {
        cx.report(&SSM606, at);
    }
}

/// `SSM609`: ORC-17.
fn department<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    let code = at.comp(1).value().trimmed().text;
    let system = at.comp(3).value().trimmed().text;
    if system == "HL70069" && !matches!(code.len(), 2 | 3) {
        cx.report(&SSM609, at.comp(1));
    }
}

/// `SSM602`, `SSM604`: OBR against its ORC, which stands before it (after it in laboratory results).
fn request<'m>(cx: &mut Cx<'m, '_>, obr: Segment<'m>) {
    let position = usize::try_from(obr.position()).unwrap_or(0);
    let orc = if cx.is(&[K::Oml11]) {
        cx.message
            .segment(position + 1)
            .filter(|s| s.name() == *b"ORC")
    } else {
        cx.order
    };
    let (seven, reported) = (time_of(obr.field(7).value()), obr.field(22));
    if let (Some(examined), Some(time)) = (seven, time_of(reported.value()))
        && (cx.is_vital || cx.is(&[K::Oml11, K::Omg11, K::Omg12, K::Omg13]))
        && is_later(&examined, &time)
    {
        cx.report(&SSM617, reported);
    }
    let Some(orc) = orc else {
        if cx.is(&[K::Oml11]) {
            cx.report_segment(&SSM662, obr, None);
        }
        return;
    };
    let differ =
        |a: &str, b: &str| !a.is_empty() && !b.is_empty() && !warifu_ssmix2::same_number(a, b);
    let (two, own) = (obr.field(2), orc.field(2).value());
    if differ(two.value().text, own.text) {
        cx.report(&SSM604, two);
    }
    let three = obr.field(3);
    if differ(three.value().text, orc.field(3).value().text) {
        cx.report(&SSM616, three);
    }
    let (parent, named) = (obr.field(29), orc.field(8).value());
    if differ(parent.value().text, named.text) {
        cx.report(&SSM602, parent);
    }
}

/// `SSM611`–`SSM613`: TQ1.
fn timing<'m>(cx: &mut Cx<'m, '_>, tq1: Segment<'m>) {
    let (start, end) = (time_of(tq1.field(7).value()), time_of(tq1.field(8).value()));
    if let (Some(start), Some(end)) = (start, end)
        && is_after(&start, &end)
    {
        cx.report(&SSM611, tq1.field(8));
    }
    let six = tq1.field(6).comp(1);
    let count = six.value().trimmed().text;
    if is_number(count) && (count.starts_with('-') || !count.contains(|c| matches!(c, '1'..='9'))) {
        cx.report(&SSM618, six);
    }
    let next = cx.following(&[b"ORC", b"OBR", b"RXE", b"RXR"]).next();
    if next.is_some_and(|s| s.name() == *b"TQ1") && !tq1.field(12).is_some() {
        cx.report_absent(&SSM612, tq1, 12);
    }
    let ordered = cx.order.and_then(|orc| time_of(orc.field(9).value()));
    if let (Some(start), Some(ordered)) = (start, ordered) {
        let months = |t: &warifu_hl7::time::Time| i32::from(t.year) * 12 + i32::from(t.month);
        if start.day > 0 && months(&ordered) - months(&start) > 1 {
            cx.report(&SSM613, tq1.field(7));
        }
    }
}

/// `SSM619`, `SSM620`: one request, and what is to be done.
fn rows(cx: &mut Cx<'_, '_>) {
    if !cx.is(&[K::Omg01, K::Omg02, K::Omg03]) {
        return;
    }
    let message = cx.message;
    let of = |control: &'static str| {
        message
            .segments()
            .filter(|s| s.name() == *b"ORC")
            .map(|orc| orc.field(1))
            .filter(move |one| one.value().trimmed().text == control)
    };
    for again in of("NW").skip(1) {
        cx.report(&SSM619, again);
    }
    // A request without its parts may be all that there is; a parent has children.
    if let Some(parent) = of("PA").next()
        && of("CH").next().is_none()
    {
        cx.report(&SSM620, parent);
    }
}

/// `SSM603`: parents that no order of the message has.
fn parents(cx: &mut Cx<'_, '_>) {
    if !cx.is(IMAGING) {
        return;
    }
    let orders = || cx.message.segments().filter(|s| s.name() == *b"ORC");
    let numbers: std::collections::BTreeSet<&str> = orders()
        .map(|orc| orc.field(2).value().trimmed().text)
        .collect();
    let lost: Vec<_> = orders()
        .map(|orc| orc.field(8))
        .filter(|eight| eight.is_some() && !numbers.contains(eight.value().trimmed().text))
        .collect();
    for eight in lost {
        cx.report(&SSM603, eight);
    }
}
