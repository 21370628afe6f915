//! `SSM62x`–`SSM63x`: prescriptions, injections, administrations (RXE, RXC, RXR, RXA, TQ1).

use warifu_diag::Example::Lines;
use warifu_hl7::{Part, Segment};
use warifu_ssmix2::DataKind as K;

use super::fields::is_number;
use crate::cx::{Cx, is_after, time_of};
use crate::rule::{Check, field, message, segment};

pub(crate) const CHECKS: &[Check] = &[
    segment("RXE", encoded),
    segment("RXA", given),
    segment("RXC", component),
    field("ORC", 4, group),
    field("TQ1", 6, duration),
    field("RXA", 12, rate),
    message(injection),
    message(usage_of_groups),
];

warifu_diag::codes! {
    SSM621 = "SSM621" "amount-not-positive" Warning { "薬剤の量 {} が 0 以下です", "the amount {} of a drug is not greater than zero", "量を確かめてください。決まらないときは \"\" にしてください", "check the amount; send \"\" if there is none", "SS-MIX2 RXE-3, RXE-10, RXA-6, RXC-3";
        "量 0 の指示は、受け手で取り消しや全量として読まれることがあります。", "An amount of zero may be read as a cancellation or as the whole.";
        Lines("OMP-01", "RXE||100000101^試験錠^HOT9|0||TAB^錠^MR9P|||||7|TAB^錠^MR9P") => Lines("OMP-01", "RXE||100000101^試験錠^HOT9|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P") }
    SSM622 = "SSM622" "amount-without-unit" Warning { "量 {} に単位がありません", "the amount {} has no unit", "単位を書いてください", "write the unit", "SS-MIX2 RXE-5, RXE-11, RXA-7, RXC-4";
        "1 錠か 1 mg か分からなければ、量になりません。", "One tablet and one milligram are not the same.";
        Lines("OMP-12", "RXA|0|1|20260401093000|20260401094000|100000201^試験注^HOT9|1") => Lines("OMP-12", "RXA|0|1|20260401093000|20260401094000|100000201^試験注^HOT9|1|AMP^アンプル^MR9P") }
    SSM623 = "SSM623" "total-differs-from-days" Info { "総量 (RXE-10) が 1 日量 × 日数と違います", "the total (RXE-10) differs from the daily amount times the days", "総量・1 日量 (RXE-19)・日数 (TQ1-6) を確かめてください", "check RXE-10, RXE-19 and TQ1-6", "SS-MIX2 RXE-10, RXE-19, TQ1-6";
        "どれかが誤っていれば、薬が足りないか余ります。", "One of them is wrong, and the drug runs short or over.";
        Lines("OMP-01", "RXE||100000101^試験錠^HOT9|1||TAB^錠^MR9P|||||20|TAB^錠^MR9P||||||||1^TAB&錠&MR9P") => Lines("OMP-01", "RXE||100000101^試験錠^HOT9|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P||||||||1^TAB&錠&MR9P") }
    SSM624 = "SSM624" "rp-number-shape" Info { "注射の Rp 番号 (ORC-4) が オーダ番号_Rp_回 の形ではありません", "the group number (ORC-4) of an injection is not order_rp_administration", "オーダ番号_Rp番号_回数 と書いてください", "write order number, Rp and administration joined by _", "SS-MIX2 ORC-4 (注射)";
        "どの薬をどの回に一緒に使うか分かりません。", "It does not say which drugs go together.";
        Lines("OMP-02", "ORC|NW|000000000000001||1|||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I|||||01^内科^HL70069||||||||||||I^入院患者オーダ^HL70482") => Lines("OMP-02", "ORC|NW|000000000000001||000000000000001_01_001|||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I|||||01^内科^HL70069||||||||||||I^入院患者オーダ^HL70482") }
    SSM625 = "SSM625" "duration-unit" Info { "投与期間 (TQ1-6) の単位が d (日) でも 回 でもありません", "the duration (TQ1-6) is in neither days (d) nor times", "5^d のように日数で書いてください", "write days, such as 5^d", "SS-MIX2 TQ1-6";
        "何日分の薬か分かりません。", "It does not say for how many days.";
        Lines("OMP-01", "TQ1|1||1011000400000000&内服・経口・１日１回朝食後&JAMISDP01|||1^袋|20260401") => Lines("OMP-01", "TQ1|1||1011000400000000&内服・経口・１日１回朝食後&JAMISDP01|||7^d|20260401") }
    SSM626 = "SSM626" "usage-missing" Warning { "処方に用法 (TQ1-3、RXE-7、TQ1-11) がありません", "a prescription without usage (TQ1-3, RXE-7 or TQ1-11)", "標準用法コードか文字で用法を書いてください", "write the usage, coded or as text", "SS-MIX2 TQ1-3";
        "いつ、どのように使うか患者に伝えられません。", "Nobody can tell the patient how to take it.";
        Lines("OMP-01", "TQ1|1|||||7^d|20260401") => Lines("OMP-01", "TQ1|1||1011000400000000&内服・経口・１日１回朝食後&JAMISDP01|||7^d|20260401") }
    SSM627 = "SSM627" "injection-without-drug" Error { "注射に薬剤 (RXC) がありません", "an injection without a drug (RXC)", "薬剤ごとに RXC を書いてください", "send an RXC for each drug", "SS-MIX2 OMP-02 メッセージ構造 (RXC)";
        "RXE-2 は注射の種別なので、RXC がなければ何を注射するか分かりません。", "RXE-2 is the kind of injection; without RXC nobody knows what is injected.";
        Lines("OMP-02", "RXE||00^一般^JHSI0002|100||ML^mL^MR9P\nTQ1|1||||||202604011100|202604011300\nRXR|IV^静脈内^HL70162\nRXC") => Lines("OMP-02", "RXC|B|100000201^試験注^HOT9|1|AMP^アンプル^MR9P") }
    SSM628 = "SSM628" "given-times-reversed" Error { "投与の終了 (RXA-4) が開始 (RXA-3) より前です", "the administration ends (RXA-4) before it starts (RXA-3)", "開始と終了を確かめてください", "check start and end", "SS-MIX2 RXA-3, RXA-4";
        "投与時間が負になり、速度も計算できません。", "Duration and rate cannot be computed.";
        Lines("OMP-12", "RXA|0|1|20260401094000|20260401093000|100000201^試験注^HOT9|1|AMP^アンプル^MR9P") => Lines("OMP-12", "RXA|0|1|20260401093000|20260401094000|100000201^試験注^HOT9|1|AMP^アンプル^MR9P") }
    SSM629 = "SSM629" "given-after-message" Warning { "投与の開始 (RXA-3) がメッセージの日時 (MSH-7) より後です", "the administration (RXA-3) starts after the message (MSH-7)", "実施した日時を書いてください", "write when it was given", "SS-MIX2 RXA-3";
        "予定を実施として伝えると、二重に投与されるおそれがあります。", "A plan told as done may be given twice.";
        Lines("OMP-12", "RXA|0|1|20260401103000|20260401104000|100000201^試験注^HOT9|1|AMP^アンプル^MR9P") => Lines("OMP-12", "RXA|0|1|20260401090000|20260401092000|100000201^試験注^HOT9|1|AMP^アンプル^MR9P") }
    SSM630 = "SSM630" "completion-missing" Info [strict] { "投与の完了状態 (RXA-20) がありません", "the completion status (RXA-20) is empty", "CP・PA・RE・NA を書いてください", "write CP, PA, RE or NA", "HL7 表 0322; SS-MIX2 RXA-20";
        "全部使ったのか、途中でやめたのか分かりません。", "It does not say whether all of it was given.";
        Lines("OMP-12", "RXA|0|1|20260401090000|20260401092000|100000201^試験注^HOT9|1|AMP^アンプル^MR9P") => Lines("OMP-12", "RXA|0|1|20260401090000|20260401092000|100000201^試験注^HOT9|1|AMP^アンプル^MR9P|||||||||||||CP") }
    SSM631 = "SSM631" "refused-without-reason" Info { "投与しなかった (RXA-20 が RE・NA) のに理由 (RXA-18) がありません", "not given (RXA-20 RE or NA) and no reason (RXA-18)", "理由を書いてください", "write the reason", "SS-MIX2 RXA-18, RXA-20; HL7 v2.5 §4.14.7.18";
        "次の投与を判断できません。", "The next dose cannot be decided.";
        Lines("OMP-12", "RXA|0|1|20260401090000|20260401092000|100000201^試験注^HOT9|1|AMP^アンプル^MR9P|||||||||||||RE") => Lines("OMP-12", "RXA|0|1|20260401090000|20260401092000|100000201^試験注^HOT9|1|AMP^アンプル^MR9P|||||||||||R01^患者拒否^99TST||RE") }
    SSM632 = "SSM632" "rate-unreadable" Info { "投与速度 (RXA-12) が数値と単位の形ではありません", "the rate (RXA-12) is no number with a unit", "102ml/hr のように書いてください", "write it like 102ml/hr", "SS-MIX2 RXA-12";
        "速度を機械で確かめられません。", "The rate cannot be checked by machines.";
        Lines("OMP-12", "RXA|0|1|20260401090000|20260401092000|100000201^試験注^HOT9|1|AMP^アンプル^MR9P|||||ゆっくり") => Lines("OMP-12", "RXA|0|1|20260401090000|20260401092000|100000201^試験注^HOT9|1|AMP^アンプル^MR9P|||||102ml/hr") }
    SSM633 = "SSM633" "usage-differs-in-rp" Warning { "同じ Rp (ORC-4) の薬剤で用法 (TQ1-3) が違います", "drugs of one Rp (ORC-4) have different usages (TQ1-3)", "Rp 番号か用法を確かめてください", "check the Rp number or the usage", "SS-MIX2 ORC-4 (処方)";
        "同じ Rp は同じ用法で一包にされるので、薬の飲み方を誤ります。", "One Rp is dispensed with one usage; a drug would be taken wrongly.";
        Lines("OMP-01", "ORC|NW|000000000000001||1|||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nRXE||100000101^試験錠^HOT9|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P\nTQ1|1||1011000400000000&朝食後&JAMISDP01|||7^d|20260401\nRXR|PO^口^HL70162\nORC|NW|000000000000001||1|||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nRXE||100000102^試験錠２^HOT9|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P\nTQ1|1||1011000040000000&夕食後&JAMISDP01|||7^d|20260401\nRXR|PO^口^HL70162") => Lines("OMP-01", "ORC|NW|000000000000001||1|||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nRXE||100000101^試験錠^HOT9|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P\nTQ1|1||1011000400000000&朝食後&JAMISDP01|||7^d|20260401\nRXR|PO^口^HL70162\nORC|NW|000000000000001||2|||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nRXE||100000102^試験錠２^HOT9|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P\nTQ1|1||1011000040000000&夕食後&JAMISDP01|||7^d|20260401\nRXR|PO^口^HL70162") }
    SSM634 = "SSM634" "injection-kind-missing" Warning { "注射の RXE-2 が注射種別 (JHSI0002) ではありません", "RXE-2 of an injection is not the kind of injection (JHSI0002)", "RXE-2 に注射種別、RXC に薬剤を書いてください", "write the kind of injection in RXE-2 and the drugs in RXC", "SS-MIX2 RXE-2 (注射); JHSI0002";
        "薬剤を RXE-2 に書くと、受け手は注射の種別として読みます。", "Receivers read a drug in RXE-2 as the kind of injection.";
        Lines("OMP-02", "RXE||100000201^試験注^HOT9|1||AMP^アンプル^MR9P") => Lines("OMP-02", "RXE||00^一般^JHSI0002|100||ML^mL^MR9P") }
}

/// Reports an amount that is not above zero, or that lacks its unit.
fn amount(cx: &mut Cx<'_, '_>, segment: Segment<'_>, value: usize, unit: usize) {
    let at = segment.field(value);
    let text = at.value().trimmed().text;
    let name = || format!("{}-{value}", segment.name_str());
    if text.is_empty() || !is_number(text) {
        return;
    }
    let zero = text.starts_with('-') || !text.bytes().any(|b| matches!(b, b'1'..=b'9'));
    if zero {
        cx.report_with(&SSM621, at, name());
    } else if !segment.field(unit).is_some() && value != 3 {
        // RXE-5 and RXC-4 are required fields of their own.
        cx.report_with(&SSM622, at, name());
    }
}

/// A decimal number in thousandths.
fn thousandths(text: &str) -> Option<i64> {
    if !is_number(text) {
        return None;
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction: String = fraction.chars().chain("000".chars()).take(3).collect();
    let whole: i64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    whole.checked_mul(1000)?.checked_add(fraction.parse().ok()?)
}

fn encoded<'m>(cx: &mut Cx<'m, '_>, rxe: Segment<'m>) {
    if !cx.is(&[K::Omp01, K::Omp02]) {
        return;
    }
    let zero_dose = rxe.field(3).value().trimmed().text;
    // 0 in RXE-3 of an ointment is met; other zeros are not.
    if cx.is(&[K::Omp01]) || !zero_dose.is_empty() {
        amount(cx, rxe, 3, 5);
    }
    amount(cx, rxe, 10, 11);
    if cx.is(&[K::Omp02]) {
        let system = rxe.field(2).comp(3).value().trimmed().text;
        let drug = super::coding::DRUGS.contains(&system);
        if drug {
            cx.report(&SSM634, rxe.field(2));
        }
        return;
    }
    let tq1 = cx
        .following(&[b"ORC", b"RXE"])
        .find(|s| s.name() == *b"TQ1");
    let Some(tq1) = tq1 else {
        return;
    };
    let told = tq1.field(3).is_some() || tq1.field(11).is_some() || rxe.field(7).is_some();
    if !told {
        cx.report_absent(&SSM626, tq1, 3);
    }
    let daily = thousandths(rxe.field(19).comp(1).value().trimmed().text);
    let total = thousandths(rxe.field(10).value().trimmed().text);
    let days = tq1.field(6);
    let in_days = matches!(days.comp(2).value().trimmed().text, "d" | "D" | "日");
    let count = thousandths(days.comp(1).value().trimmed().text);
    let same_unit = rxe.field(11).comp(1).value().text == rxe.field(19).comp(2).sub(1).value().text;
    // Every other day and the like are told by a second repetition of TQ1-3.
    let plain = !tq1.field(3).has_repetitions();
    if let (Some(daily), Some(total), Some(days)) = (daily, total, count)
        && in_days
        && same_unit
        && plain
        && daily.checked_mul(days) != total.checked_mul(1000)
    {
        cx.report(&SSM623, rxe.field(10));
    }
}

fn component<'m>(cx: &mut Cx<'m, '_>, rxc: Segment<'m>) {
    amount(cx, rxc, 3, 4);
}

fn given<'m>(cx: &mut Cx<'m, '_>, rxa: Segment<'m>) {
    let refused = matches!(rxa.field(20).value().trimmed().text, "RE" | "NA");
    if !refused {
        amount(cx, rxa, 6, 7);
    }
    if refused && !rxa.field(18).is_some() {
        cx.report_absent(&SSM631, rxa, 18);
    }
    if !rxa.field(20).is_some() {
        cx.report_absent(&SSM630, rxa, 20);
    }
    let (start, end) = (time_of(rxa.field(3).value()), time_of(rxa.field(4).value()));
    if let (Some(start), Some(end)) = (start, end)
        && is_after(&start, &end)
    {
        cx.report(&SSM628, rxa.field(4));
    }
    if let (Some(start), Some(sent)) = (start, cx.sent)
        && is_after(&start, &sent)
    {
        cx.report(&SSM629, rxa.field(3));
    }
}

/// `SSM624`: ORC-4 of injections.
fn group<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    if !cx.is(&[K::Omp02, K::Omp12]) {
        return;
    }
    let parts: Vec<&str> = at.value().trimmed().text.split('_').collect();
    let digits = |t: &&str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if parts.len() != 3 || !parts.iter().all(digits) {
        cx.report(&SSM624, at);
    }
}

/// `SSM625`: TQ1-6.
fn duration<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    let unit = at.comp(2).sub(1).value().trimmed().text;
    let known = matches!(
        unit,
        "d" | "D" | "日" | "日分" | "回" | "回分" | "TIME" | "DOSE" | "wk" | "mo"
    );
    if cx.is(&[K::Omp01, K::Omp11]) && !unit.is_empty() && !known {
        cx.report(&SSM625, at.comp(2));
    }
}

/// `SSM632`: RXA-12.
fn rate<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    let text = at.value().trimmed().text;
    let number: String = text
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    let unit = text.get(number.len()..).unwrap_or_default();
    if !is_number(&number) || !unit.contains('/') {
        cx.report(&SSM632, at);
    }
}

/// `SSM627`: each RXE of an injection has an RXC.
fn injection(cx: &mut Cx<'_, '_>) {
    if !cx.is(&[K::Omp02]) {
        return;
    }
    let mut open: Option<Segment<'_>> = None;
    let mut lacking = Vec::new();
    for segment in cx.message.segments() {
        match &segment.name() {
            b"RXE" => lacking.extend(open.replace(segment)),
            b"RXC" if segment.field(2).is_some() => open = None,
            b"ORC" => lacking.extend(open.take()),
            _ => {}
        }
    }
    lacking.extend(open);
    for rxe in lacking {
        cx.report_segment(&SSM627, rxe, None);
    }
}

/// `SSM633`: one usage for each Rp.
fn usage_of_groups(cx: &mut Cx<'_, '_>) {
    if !cx.is(&[K::Omp01]) {
        return;
    }
    let mut usages: std::collections::BTreeMap<(&str, &str), &str> =
        std::collections::BTreeMap::new();
    let mut key = ("", "");
    let mut differing = Vec::new();
    for segment in cx.message.segments() {
        if segment.name() == *b"ORC" {
            let text = |n| segment.field(n).value().trimmed().text;
            key = (text(2), text(4));
        } else if segment.name() == *b"TQ1" {
            let three = segment.field(3);
            let usage = three.value().trimmed().text;
            if usage.is_empty() || key.1.is_empty() {
                continue;
            }
            if *usages.entry(key).or_insert(usage) != usage {
                differing.push(three);
            }
        }
    }
    for at in differing {
        cx.report(&SSM633, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_compared_exactly() {
        assert_eq!(thousandths("1.5"), Some(1500));
        assert_eq!(thousandths(".25"), Some(250));
        assert_eq!(thousandths("21"), Some(21_000));
        assert_eq!(thousandths("x"), None);
    }
}
