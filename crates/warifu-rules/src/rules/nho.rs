//! `NHO1xx`: what the National Hospital Organization (国立病院機構) demands beyond SS-MIX2.
//!
//! Its testing tool's required fields, types and lengths are those of SS-MIX2 1.2c and are checked
//! by default; these are the demands that differ. See docs/nho.md.

use warifu_diag::Example::{Bytes, Lines};
use warifu_source::Charset;
use warifu_ssmix2::DataKind as K;

use crate::cx::Cx;
use crate::rule::{Check, message};

pub(crate) const CHECKS: &[Check] = &[message(jis), message(leave), message(visit)];

warifu_diag::codes! {
    NHO101 = "NHO101" "not-jis" Error [nho] { "ISO-2022-JP ではありません", "not ISO-2022-JP", "ISO-2022-JP で出力してください", "write ISO-2022-JP", "国立病院機構 SS-MIX2 データテストツール checkJIS";
        "国立病院機構の集積基盤は ISO-2022-JP のファイルだけを受け付けます。", "The organization's collection takes ISO-2022-JP files only.";
        Bytes(b"MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994\rNK1|1|\x8e\x8e\x8c\xb1\r") => Bytes(b"MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994\rNK1|1|\x1b$B;n83\x1b(B\r") }
    NHO102 = "NHO102" "leave-return-date" Error [nho] { "帰院の取消 (ADT^A53) の診療日 PV2-47 が空です", "PV2-47, the care date of a cancelled return (ADT^A53), is empty", "PV2-47 に日時を書いてください", "write the time into PV2-47", "国立病院機構 SS-MIX2 データテストツール checkCareDate";
        "国立病院機構は取消の診療日を EVN-6 でなく PV2-47 で確かめます。", "The organization takes the care date of the cancellation from PV2-47, not EVN-6.";
        Lines("ADT-32", "MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A53^ADT_A52|1|P|2.5||||||~ISO IR87||ISO 2022-1994\nPV2||||||||20260401") => Lines("ADT-32", "MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A53^ADT_A52|1|P|2.5||||||~ISO IR87||ISO 2022-1994\nPV2|||||||||||||||||||||||||||||||||||||||||||||||202604010900") }
    NHO103 = "NHO103" "diagnosis-in-arrival" Warning [nho] { "外来受付 (ADT^A04) に DG1 があります", "an arrival (ADT^A04) holds DG1", "病名は PPR-01 で伝えてください", "send diseases in PPR-01", "国立病院機構 SS-MIX2 データテストツール checkSegmentOrder";
        "国立病院機構の構造定義では ADT^A04 に DG1 がなく、順序の誤りになります。", "The organization's structure of ADT^A04 has no DG1.";
        Lines("ADT-12", "DG1|1||I10^高血圧^I10|||A") => Lines("ADT-12", "PV2||||||||20260401") }
}

fn event(cx: &Cx<'_, '_>) -> &'static str {
    let nine = cx.message.first(b"MSH").map(|s| s.field(9));
    match nine.map_or("", |f| f.comp(2).value().trimmed().text) {
        "A53" => "A53",
        "A04" => "A04",
        _ => "",
    }
}

fn jis(cx: &mut Cx<'_, '_>) {
    if cx.message.charset() != Charset::Iso2022Jp {
        cx.report_file(&NHO101, None);
    }
}

fn leave(cx: &mut Cx<'_, '_>) {
    if !cx.is(&[K::Adt32]) || event(cx) != "A53" {
        return;
    }
    match cx.message.first(b"PV2") {
        Some(pv2) if !pv2.field(47).is_some() => cx.report_absent(&NHO102, pv2, 47),
        None => cx.report_file(&NHO102, None),
        Some(_) => {}
    }
}

fn visit(cx: &mut Cx<'_, '_>) {
    if event(cx) == "A04"
        && let Some(dg1) = cx.message.first(b"DG1")
    {
        cx.report_segment(&NHO103, dg1, None);
    }
}
