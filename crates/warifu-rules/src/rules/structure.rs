//! `HL7112`, `HL7115`, `HL7108`, `HL7116`–`HL7119`: which segments a message has, and in which order.

use warifu_diag::Example::{Lines, Message};
use warifu_diag::catalogue::hl7::{HL7108, HL7112, HL7115, HL7119, HL7127};

use crate::cx::Cx;
use crate::grammar::{Fault, Structure};
use crate::plan::Plan;

warifu_diag::codes! {
    HL7116 = "HL7116" "segment-not-in-structure" Warning { "このメッセージ構造にないセグメントです ({})", "the message structure has no such segment ({})", "データ種別に合うメッセージに書いてください", "send it in a message of the kind it belongs to", "SS-MIX2 メッセージ構造; HL7 v2.5 §2.12";
        "受け手は構造にないセグメントを読み飛ばすので、内容が伝わりません。", "Receivers skip segments that the structure does not have.";
        Lines("ADT-00", "RXE||1|1||TAB^錠^MR9P") => Lines("ADT-00", "DB1|1|PT||N") }
    HL7117 = "HL7117" "segment-repeated" Warning { "１回だけのセグメントが続いています ({})", "a segment that stands once is repeated ({})", "一つにまとめてください", "send it once", "SS-MIX2 メッセージ構造; HL7 v2.5 §2.12";
        "受け手は最初か最後の一つだけを読み、ほかを失います。", "Receivers read the first or the last and lose the other.";
        Lines("ADT-00", "PV1|1|O|01^^^^^C||||D01^見立^一郎^^^^^^^L^^^^^I|||01\nPV1|2|O|02^^^^^C||||D01^見立^一郎^^^^^^^L^^^^^I|||02") => Lines("ADT-00", "PV1|1|O|01^^^^^C||||D01^見立^一郎^^^^^^^L^^^^^I|||01") }
    HL7118 = "HL7118" "note-out-of-place" Info { "コメント (NTE) が構造にない位置にあります", "a comment (NTE) stands where the structure has none", "コメントする項目の直後に置いてください", "put it right after what it is about", "SS-MIX2 メッセージ構造; HL7 v2.5 NTE";
        "何についてのコメントか、受け手によって読み方が変わります。", "Receivers differ in what the comment is about.";
        Lines("ADT-00", "NTE|||連絡事項") => Lines("OML-11", "NTE|||軽度溶血") }
    HL7132 = "HL7132" "segment-name-unknown" Warning { "HL7 にない名前のセグメントです ({})", "HL7 has no segment of this name ({})", "名前のつづりを確かめてください。施設で決めたセグメントなら Z で始めてください", "check how the name is spelt; segments of one's own begin with Z", "HL7 v2.5 §2.5.2 Segments; 付録 A";
        "受け手は知らない名前のセグメントを読み飛ばすので、そこに書いた内容は伝わりません。", "Receivers skip segments that they do not know, and what stands there is lost.";
        Lines("OML-11", "OBZ|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") }
    SSM160 = "SSM160" "segment-not-used" Info [strict] { "HL7 にはあるが SS-MIX2 で使わないセグメントです ({})", "a segment of HL7 that SS-MIX2 does not use ({})", "SS-MIX2 のセグメントに書いてください", "use the segments of SS-MIX2", "SS-MIX2 セグメント定義";
        "SS-MIX2 の受け手は読まないことがあります。", "Receivers of SS-MIX2 may not read it.";
        Lines("ADT-22", "DG1|1||I10^高血圧^I10|||A") => Lines("ADT-22", "PV2||||||||20260401") }
    SSM161 = "SSM161" "message-structure-id" Info { "MSH-9 の構造ID (3 番目) がイベントの構造と違います", "the structure id (third component of MSH-9) is not that of the event", "表 0354 の構造IDを書いてください", "use the structure id of table 0354", "HL7 表 0354; SS-MIX2 MSH-9";
        "構造IDで読み方を選ぶ受け手は、別の構造として読みます。", "Readers that go by the structure id read another structure.";
        Message("MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08^ADT_A02|1|P|2.5||||||~ISO IR87||ISO 2022-1994") => Message("MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994") }
}

/// Structure ids of table 0354.
#[rustfmt::skip]
const STRUCTURE_IDS: &[(&str, &[&str])] = &[
    ("ADT_A01", &["A01", "A04", "A08", "A13"]),
    ("ADT_A02", &["A02"]),
    ("ADT_A03", &["A03"]),
    ("ADT_A05", &["A14"]),
    ("ADT_A09", &["A11", "A12"]),
    ("ADT_A15", &["A15"]),
    ("ADT_A16", &["A16"]),
    ("ADT_A21", &["A21", "A22", "A23", "A25", "A26", "A27"]),
    ("ADT_A52", &["A52", "A53", "A55"]),
    ("ADT_A54", &["A54"]),
    ("ADT_A60", &["A60"]),
    ("OMD_O03", &["O03"]),
    ("OMG_O19", &["O19"]),
    ("OMI_Z23", &["Z23"]),
    ("OML_O33", &["O33"]),
    ("ORU_R01", &["R01"]),
    ("ORU_R30", &["R30"]),
    ("OUL_R22", &["R22"]),
    ("PPR_ZD1", &["ZD1"]),
    ("RDE_O11", &["O11"]),
    ("RAS_O17", &["O17"]),
];

/// Names of the segments of HL7 v2.5, three letters each.
///
/// # Standard
/// HL7 v2.5 Appendix A.3.
const SEGMENTS: &[u8] = b"ABSACCADDAFFAIGAILAIPAISAL1APRARQAUTBHSBLCBLGBPOBPXBTSBTXCDMCERCM0CM1CM2CNSCONCSPCSRCSSCTDCTIDB1DG1DRGDSCDSPECDECREDUEQLEQPEQUERQERREVNFACFHSFT1FTSGOLGP1GP2GT1IAMIIMIN1IN2IN3INVIPCISDLANLCCLCHLDPLOCLRLMFAMFEMFIMRGMSAMSHNCKNDSNK1NPUNSCNSTNTEOBROBXODSODTOM1OM2OM3OM4OM5OM6OM7ORCORGOVRPCRPD1PDAPDCPEOPESPIDPR1PRAPRBPRCPRDPSHPTHPV1PV2QAKQIDQPDQRDQRFQRIRCPRDFRDTRF1RGSRMIROLRQ1RQDRXARXCRXDRXERXGRXORXRSACSCHSFTSIDSPMSPRSTFTCCTCDTQ1TQ2TXAUB1UB2URDURSVARVTQ";

/// Whether HL7 v2.5 has a segment of this name.
fn is_of_hl7(name: [u8; 3]) -> bool {
    SEGMENTS.as_chunks::<3>().0.contains(&name)
}

/// `HL7127`: terminators with nothing between them and the segment before or after.
fn blank_lines(cx: &mut Cx<'_, '_>) {
    let bytes = cx.message.bytes();
    let mut before: Option<usize> = None;
    let mut blanks = Vec::new();
    for segment in cx.message.segments() {
        let start = usize::try_from(segment.span().0).unwrap_or(0);
        if let Some(end) = before {
            let between = bytes.get(end..start).unwrap_or_default();
            let first = between.iter().position(|c| matches!(c, b'\r' | b'\n'));
            let own = end + first.unwrap_or(0);
            let crlf = bytes.get(own..own + 2) == Some(b"\r\n");
            let kept = own + if crlf { 2 } else { 1 };
            if kept < start {
                blanks.push((kept, start));
            }
        }
        before = usize::try_from(segment.span().1).ok();
    }
    for (from, to) in blanks {
        let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let titles = ("空の行を取る", "remove the blank line");
        cx.report_bytes_fix(&HL7127, (at(from), at(to)), None, titles, Vec::new());
    }
}

/// Follows the segments of a message.
pub(crate) fn check(cx: &mut Cx<'_, '_>, structure: &Structure, names: &[[u8; 3]], plan: &Plan) {
    structure_id(cx);
    blank_lines(cx);
    let message = cx.message;
    for segment in message.segments() {
        let name = segment.name();
        match plan.segment(name) {
            // Unknown everywhere; the structure need not say it again.
            None if name[0] == b'Z' || is_of_hl7(name) => {
                cx.report_segment(&HL7108, segment, text(name));
            }
            None => cx.report_segment(&HL7132, segment, text(name)),
            Some(plan) if !plan.used => cx.report_segment(&SSM160, segment, text(name)),
            Some(_) => {}
        }
        let (start, end) = segment.span();
        if end - start <= 3 {
            cx.report_segment(&HL7119, segment, text(name));
        }
    }
    structure.follow(names, |at, fault| {
        let segment = message
            .segment(at)
            .or_else(|| message.segments().next_back());
        let (Some(segment), name) = (segment, names.get(at).copied()) else {
            return;
        };
        let note = name == Some(*b"NTE");
        match fault {
            Fault::Missing(lacking) if at < names.len() => {
                cx.report_segment(&HL7115, segment, text(lacking));
            }
            // At the end of the message: the end of its last segment.
            Fault::Missing(lacking) => {
                let (_, end) = segment.span();
                cx.report_end(&HL7115, segment, end, Some(text(lacking)));
            }
            Fault::Foreign | Fault::TooOften | Fault::OutOfPlace if note => {
                cx.report_segment(&HL7118, segment, None);
            }
            Fault::Foreign => {
                if plan.segment(segment.name()).is_some() {
                    cx.report_segment(&HL7116, segment, text(segment.name()));
                }
            }
            Fault::TooOften => cx.report_segment(&HL7117, segment, text(segment.name())),
            Fault::OutOfPlace => cx.report_segment(&HL7112, segment, text(segment.name())),
        }
    });
}

/// Name of a segment as the argument of a text.
fn text(name: [u8; 3]) -> std::borrow::Cow<'static, str> {
    String::from_utf8_lossy(&name).into_owned().into()
}

/// `SSM161`: MSH-9 component 3.
fn structure_id(cx: &mut Cx<'_, '_>) {
    let Some(nine) = cx.message.first(b"MSH").map(|s| s.field(9)) else {
        return;
    };
    let event = nine.comp(2).value().trimmed();
    let id = nine.comp(3).value().trimmed();
    let right = STRUCTURE_IDS
        .iter()
        .find(|(_, events)| events.contains(&event.text));
    if let Some((right, _)) = right
        && !id.is_empty()
        && id.text != *right
    {
        cx.report(&SSM161, nine.comp(3));
    }
}
