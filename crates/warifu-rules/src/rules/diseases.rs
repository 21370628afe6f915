//! `SSM67x`: diseases (PRB, ZPR).

use warifu_diag::Example::Lines;
use warifu_hl7::Segment;

use super::coding::SSM315;
use super::fields::is_number;
use crate::cx::{Cx, is_after, time_of};
use crate::rule::{Check, message, segment};

pub(crate) const CHECKS: &[Check] = &[segment("PRB", problem), message(list)];

warifu_diag::codes! {
    SSM671 = "SSM671" "disease-without-name" Warning { "病名 (PRB-3) に名称がありません", "the disease (PRB-3) has no name", "病名を 2 番目の成分に書いてください", "write the name in component 2", "SS-MIX2 PRB-3";
        "コード表のない受け手や患者は、何の病気か分かりません。", "Patients and receivers without the master cannot tell the disease.";
        Lines("PPR-01", "PRB|AD|20260401093000|20061593^^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10") => Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10") }
    SSM672 = "SSM672" "disease-days-reversed" Error { "病名の終了日 (PRB-9) が開始日 (PRB-7) より前です", "the disease ends (PRB-9) before it starts (PRB-7)", "開始日と終了日を確かめてください", "check start and end", "SS-MIX2 PRB-7, PRB-9";
        "どの日にも有効でない病名になります。", "The disease holds on no day.";
        Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401||20260101|I10^高血圧症^I10") => Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260101||20260401|I10^高血圧症^I10") }
    SSM673 = "SSM673" "suspicion-contradiction" Warning { "修飾語は「の疑い」なのに PRB-13 が疑いではありません", "the modifier says suspected, PRB-13 does not", "PRB-13 に 1^疑いあり^JHSD0005 を書いてください", "write 1^疑いあり^JHSD0005 into PRB-13", "SS-MIX2 PRB-13, ZPR-3; JHSD0005";
        "疑いの病名が確定した病名として残ります。", "A suspicion stays as a confirmed disease.";
        Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10\nZPR||20061593^高血圧症^MDCDX2|27000002^の疑い^MDCDX2") => Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10|||1^疑いあり^JHSD0005\nZPR||20061593^高血圧症^MDCDX2|27000002^の疑い^MDCDX2") }
    SSM674 = "SSM674" "icd10-missing" Info [strict] { "ICD-10 (PRB-10) がありません", "no ICD-10 code (PRB-10)", "ICD-10 を書いてください", "write the ICD-10 code", "SS-MIX2 PRB-10";
        "病名の統計や国際的な比較に使えません。", "The disease cannot be used in statistics.";
        Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401") => Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10") }
    SSM675 = "SSM675" "several-main-diagnoses" Info { "主診断 (PRB-18 が 1) が二つ以上あります", "more than one main diagnosis (PRB-18 is 1)", "主診断を一つにしてください", "keep one main diagnosis", "JHSD0007; SS-MIX2 PRB-18";
        "どれが主な病名か分かりません。終了日 (PRB-9) のある病名は数えません。", "It does not say which disease is the main one. Diseases that have ended (PRB-9) do not count.";
        Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10||||||||1^主診断^JHSD0007\nPRB|AD|20260401093000|20060611^糖尿病^MDCDX2|PRB0002|||20260401|||E14^糖尿病^I10||||||||1^主診断^JHSD0007") => Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10||||||||1^主診断^JHSD0007\nPRB|AD|20260401093000|20060611^糖尿病^MDCDX2|PRB0002|||20260401|||E14^糖尿病^I10") }
    SSM676 = "SSM676" "outcome-without-end" Info { "転帰 (PRB-14) があるのに終了日 (PRB-9) がありません", "an outcome (PRB-14) without an end (PRB-9)", "終了日を書いてください", "write the end", "SS-MIX2 PRB-9, PRB-14";
        "終わった病名が続いているものとして残ります。", "A disease that ended stays active.";
        Lines("PPR-01", "PRB|UP|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260101|||I10^高血圧症^I10||||F^治癒^HL70241") => Lines("PPR-01", "PRB|UP|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260101||20260331|I10^高血圧症^I10||||F^治癒^HL70241") }
    SSM677 = "SSM677" "end-without-outcome" Info [strict] { "終了日 (PRB-9) があるのに転帰 (PRB-14) がありません", "an end (PRB-9) without an outcome (PRB-14)", "転帰を書いてください", "write the outcome", "SS-MIX2 PRB-9, PRB-14";
        "治ったのか中止したのか分かりません。", "It does not say how it ended.";
        Lines("PPR-01", "PRB|UP|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260101||20260331|I10^高血圧症^I10") => Lines("PPR-01", "PRB|UP|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260101||20260331|I10^高血圧症^I10||||F^治癒^HL70241") }
    SSM678 = "SSM678" "problem-id-repeated" Error { "同じ病名ID (PRB-4) が一つのメッセージに二度あります", "one problem id (PRB-4) stands twice in a message", "病名ごとに別の ID を書いてください", "give each disease an id of its own", "SS-MIX2 PRB-4";
        "PRB-4 は病名を見分ける鍵なので、片方が上書きされて消えます。", "PRB-4 tells diseases apart; one overwrites the other.";
        Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10\nPRB|AD|20260401093000|20060611^糖尿病^MDCDX2|PRB0001|||20260401|||E14^糖尿病^I10") => Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10\nPRB|AD|20260401093000|20060611^糖尿病^MDCDX2|PRB0002|||20260401|||E14^糖尿病^I10") }
    SSM679 = "SSM679" "disease-starts-after-message" Info { "病名の開始日 (PRB-7) か発症日 (PRB-16) がメッセージの日より後です", "the disease starts (PRB-7) or set in (PRB-16) after the message", "開始日を確かめてください", "check the start", "SS-MIX2 PRB-7";
        "まだ始まっていない病名が現在の病名として残ります。", "A disease that has not begun counts as present.";
        Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20270401|||I10^高血圧症^I10") => Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10") }
    SSM680 = "SSM680" "probability-out-of-range" Warning { "確率 (PRB-20) が 0 から 1 の数ではありません", "the probability (PRB-20) is no number from 0 to 1", "0 から 1 の小数で書いてください", "write a decimal from 0 to 1", "HL7 v2.5 §12.3.1.20 PRB-20";
        "百分率と取り違えると、疑いの強さが百倍違います。", "Mistaken for a percentage the certainty is off by a hundred.";
        Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10||||||||||70") => Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10||||||||||0.7") }
}

fn problem<'m>(cx: &mut Cx<'m, '_>, prb: Segment<'m>) {
    let three = prb.field(3);
    let coded = three.comp(1).is_some() || three.comp(4).is_some();
    if coded && !three.comp(2).is_some() && !three.comp(5).is_some() {
        // The uncoded disease has a code of its own (SSM414).
        if three.comp(1).value().text != warifu_terms::jlac::UNCODED_DISEASE {
            cx.report(&SSM671, three);
        }
    }
    let (start, end) = (time_of(prb.field(7).value()), time_of(prb.field(9).value()));
    if let (Some(start), Some(end)) = (start, end)
        && is_after(&start, &end)
    {
        cx.report(&SSM672, prb.field(9));
    }
    for n in [7, 16] {
        if let (Some(start), Some(sent)) = (time_of(prb.field(n).value()), cx.sent)
            && start.day > 0
            && (start.year, start.month, start.day) > (sent.year, sent.month, sent.day)
        {
            cx.report(&SSM679, prb.field(n));
        }
    }
    let suspected = prb.field(13).value().trimmed().text == "1"
        || prb.field(13).comp(2).value().text.contains("疑");
    let modifier = cx
        .following(&[b"PRB", b"ORC"])
        .find(|s| s.name() == *b"ZPR")
        .map(|s| s.field(3))
        .filter(|suffix| {
            suffix
                .reps()
                .any(|r| r.comp(2).value().text.contains("疑い"))
        });
    if let Some(suffix) = modifier
        && !suspected
    {
        cx.report(&SSM673, suffix);
    }
    let twenty = prb.field(20);
    let text = twenty.value().trimmed().text;
    if is_number(text) {
        let text = text.trim_start_matches('+').trim_start_matches('0');
        // 0, a fraction, or 1 with nothing but zeros behind it.
        let fraction = text.strip_prefix('1').unwrap_or(text);
        let none = fraction.bytes().all(|b| matches!(b, b'.' | b'0'));
        if !none && !text.starts_with('.') {
            cx.report(&SSM680, twenty);
        }
    }
    let ten = prb.field(10);
    let icd = [ten.comp(3), ten.comp(6)]
        .iter()
        .any(|s| s.value().trimmed().text == "I10");
    if !icd {
        cx.report_absent(&SSM674, prb, 10);
    }
    let outcome = prb.field(14);
    let lasting = matches!(
        outcome.value().trimmed().text,
        "C" | "N" | "R" | "U" | "W" | "M"
    );
    // Its other names are many; death has one.
    let (code, text) = (outcome.value().trimmed().text, outcome.comp(2));
    let name = text.value().trimmed().text;
    if outcome.comp(3).value().trimmed().text == "HL70241"
        && !name.is_ascii()
        && (code == "D") != name.contains('死')
    {
        cx.report(&SSM315, text);
    }
    if outcome.is_some() && !prb.field(9).is_some() && !lasting {
        cx.report_absent(&SSM676, prb, 9);
    }
    if !outcome.is_some() && prb.field(9).is_some() {
        cx.report_absent(&SSM677, prb, 14);
    }
    if cx.facts.wanted {
        let spot = cx.spot(prb.field(4).value());
        cx.facts.problems.push(spot);
    }
}

/// `SSM675`, `SSM678`: the list as a whole.
fn list(cx: &mut Cx<'_, '_>) {
    let mut ids = std::collections::BTreeSet::new();
    let mut repeated = Vec::new();
    let mut main = Vec::new();
    for prb in cx.message.segments().filter(|s| s.name() == *b"PRB") {
        let id = prb.field(4).value().trimmed().text;
        if !id.is_empty() && !ids.insert(id) {
            repeated.push(prb.field(4));
        }
        let rank = prb.field(18);
        if rank.value().trimmed().text == "1" && !prb.field(9).is_some() {
            main.push(rank);
        }
    }
    for at in repeated {
        cx.report(&SSM678, at);
    }
    for at in main.into_iter().skip(1) {
        cx.report(&SSM675, at);
    }
}
