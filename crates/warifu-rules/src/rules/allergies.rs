//! `SSM68x`: allergies (IAM, AL1).

use warifu_diag::Example::{Lines, Message};
use warifu_hl7::{Part, Segment};
use warifu_ssmix2::DataKind as K;

use crate::cx::{Cx, is_after, time_of};
use crate::rule::{Check, field, message, segment};

pub(crate) const CHECKS: &[Check] = &[
    field("IAM", 11, onset),
    segment("IAM", identifier),
    message(list),
];

warifu_diag::codes! {
    SSM681 = "SSM681" "allergen-repeated" Warning { "同じアレルゲンが二度あります", "one allergen stands twice", "一つにまとめてください", "send it once", "SS-MIX2 ADT-61 (IAM は全件)";
        "片方だけ更新されると、重症度が食い違います。", "If only one is updated, severities disagree.";
        Lines("ADT-61", "IAM|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|||A^追加^HL70323\nIAM|2|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|||A^追加^HL70323") => Lines("ADT-61", "IAM|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|||A^追加^HL70323") }
    SSM682 = "SSM682" "allergy-list-empty" Info { "アレルギー情報 (ADT-61) に IAM が一つもありません", "an allergy list (ADT-61) without any IAM", "ないことが確かなら、そのことを伝える IAM を書いてください", "if there is none, send an IAM that says so", "SS-MIX2 ADT-61";
        "アレルギーがないのか、聞いていないのか分かりません。", "No allergies and not asked cannot be told apart.";
        Message("MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A60^ADT_A60|1|P|2.5||||||~ISO IR87||ISO 2022-1994\nEVN||20260401093000\nPID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") => Lines("ADT-61", "IAM|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|||A^追加^HL70323") }
    SSM683 = "SSM683" "allergy-starts-after-message" Warning { "アレルギーの発症日 (IAM-11) がメッセージの日より後です", "the allergy begins (IAM-11) after the message", "発症日を確かめてください", "check the onset", "SS-MIX2 IAM-11";
        "まだ起きていない反応が記録されていることになります。", "It records a reaction that has not happened.";
        Lines("ADT-61", "IAM|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|||A^追加^HL70323|||||20270401") => Lines("ADT-61", "IAM|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|||A^追加^HL70323|||||20150401") }
    SSM684 = "SSM684" "allergy-id-missing" Info [strict] { "アレルギーの識別番号 (IAM-7) がありません", "the allergy has no identifier (IAM-7)", "識別番号を書いてください", "write an identifier", "SS-MIX2 IAM-7; HL7 v2.5 §3.4.7.7";
        "次の更新がどのアレルギーのものか分かりません。", "The next update cannot be matched.";
        Lines("ADT-61", "IAM|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|||A^追加^HL70323") => Lines("ADT-61", "IAM|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|||A^追加^HL70323|AL0001") }
    SSM685 = "SSM685" "allergen-type-missing" Info { "アレルゲン分類 (IAM-2・AL1-2) がありません", "the type of allergen (IAM-2, AL1-2) is empty", "薬物 (DA)・食物 (FA) などの分類を書いてください", "write DA (drug), FA (food) …", "HL7 表 0127; SS-MIX2 IAM-2, AL1-2";
        "処方や給食の確認に使えません。", "Prescriptions and meals cannot be checked against it.";
        Lines("ADT-61", "IAM|1||J9FC11310000^さば^J-FAGY|||A^追加^HL70323") => Lines("ADT-61", "IAM|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|||A^追加^HL70323") }
    SSM686 = "SSM686" "allergy-id-repeated" Warning { "違うアレルギーの識別番号 (IAM-7) が同じです", "two allergies have one identifier (IAM-7)", "アレルギーごとに別の番号を書いてください", "give each allergy an identifier of its own", "SS-MIX2 IAM-7; HL7 v2.5 §3.4.7.7";
        "受け手は一つのアレルギーとして扱い、もう一つが消えます。", "Receivers take them for one allergy, and the other is lost.";
        Lines("ADT-61", "IAM|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|||A^追加^HL70323|A1\nIAM|2|FA^食物アレルギー^HL70127|J9FC12510000^えび^J-FAGY|||A^追加^HL70323|A1") => Lines("ADT-61", "IAM|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|||A^追加^HL70323|A1\nIAM|2|FA^食物アレルギー^HL70127|J9FC12510000^えび^J-FAGY|||A^追加^HL70323|A2") }
}

fn onset<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    if let (Some(start), Some(sent)) = (time_of(at.value()), cx.sent)
        && is_after(&start, &sent)
    {
        cx.report(&SSM683, at);
    }
}

fn identifier<'m>(cx: &mut Cx<'m, '_>, iam: Segment<'m>) {
    if !iam.field(7).is_some() {
        cx.report_absent(&SSM684, iam, 7);
    }
}

fn list(cx: &mut Cx<'_, '_>) {
    let mut allergens = std::collections::BTreeSet::new();
    let mut ids = std::collections::BTreeSet::new();
    let mut same_id = Vec::new();
    let mut repeated = Vec::new();
    let mut typeless = Vec::new();
    let mut any = false;
    for segment in cx.message.segments() {
        let name = segment.name();
        if !matches!(&name, b"IAM" | b"AL1") {
            continue;
        }
        any |= name == *b"IAM";
        let three = segment.field(3);
        let (code, text) = (
            three.comp(1).value().trimmed().text,
            three.comp(2).value().trimmed().text,
        );
        let key = if code.is_empty() { text } else { code };
        let deleted = segment.field(6).value().trimmed().text == "D";
        if !key.is_empty() && !deleted && !allergens.insert((name, key)) {
            repeated.push(three);
        }
        let seven = segment.field(7);
        let id = seven.value().trimmed().text;
        if name == *b"IAM" && !id.is_empty() && !deleted && !ids.insert(id) {
            same_id.push(seven);
        }
        if three.is_some() && !segment.field(2).is_some() {
            typeless.push(segment);
        }
    }
    for at in repeated {
        cx.report(&SSM681, at);
    }
    for at in same_id {
        cx.report(&SSM686, at);
    }
    for segment in typeless {
        cx.report_absent(&SSM685, segment, 2);
    }
    if cx.is(&[K::Adt61]) && !any && cx.message.first(b"PID").is_some() {
        cx.report_file(&SSM682, None);
    }
}
