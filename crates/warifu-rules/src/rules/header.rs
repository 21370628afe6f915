//! `SSM15x`, `SSM103`, `SSM106`, `SSM107`, `SSM112`: the head of a message, and the message against its
//! file name.

use warifu_diag::Example::{Bytes, Lines, Message};
use warifu_diag::catalogue::ssm::{SSM103, SSM106, SSM107, SSM112, SSM145, SSM153, SSM154};
use warifu_hl7::Part;
use warifu_hl7::findings::{
    charset_as_written, charset_name, misdeclared, misspelt_charset, misspelt_scheme,
};
use warifu_hl7::time;
use warifu_source::Charset;
use warifu_ssmix2::{Action, Flag, InstitutionNumber};

use crate::cx::Cx;
use crate::rule::{Check, field, message};

pub(crate) const CHECKS: &[Check] = &[
    message(event),
    message(identity),
    message(care_date),
    message(order_number),
    field("MSH", 4, institution),
    field("MSH", 6, institution),
    field("EVN", 7, institution),
    field("MSH", 7, sent),
    field("MSH", 9, type_parts),
    field("MSH", 12, version),
    field("MSH", 18, charset),
    field("MSH", 20, scheme),
    field("EVN", 1, event_type),
    message(profile),
];

warifu_diag::codes! {
    SSM150 = "SSM150" "care-date-field-empty" Error { "診療日になる項目 {} が空です", "field {}, which holds the care date, is empty", "送り手で日時を入れてください", "let the sender fill it", "SS-MIX2 データ種別一覧 (診療日)";
        "ファイル名の診療日と照合できず、いつのデータか確かめられません。", "The care date of the file name cannot be confirmed.";
        Lines("ADT-22", "PV1|1|I|3E^301^1^^^N||||D01^見立^一郎^^^^^^^L^^^^^I|||01") => Lines("ADT-22", "PV1|1|I|3E^301^1^^^N||||D01^見立^一郎^^^^^^^L^^^^^I|||01||||||||||||||||||||||||||||||||||202604010900") }
    SSM151 = "SSM151" "timestamp-differs-from-message" Info { "MSH-7 の時刻がファイル名の発生日時と違います", "MSH-7 differs in its time from the time stamp of the file name", "MSH-7 と同じ日時をファイル名に書いてください", "write the time of MSH-7 into the file name", "SS-MIX2 ファイル命名規約 (発生日時)";
        "どの版が新しいかが、名前と中身で食い違います。", "Name and content disagree on which version is newer.";
        Lines("ADT-00", "MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401083000.123||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994") => Lines("ADT-00", "MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994") }
    SSM165 = "SSM165" "timestamp-of-another-day" Warning { "MSH-7 の日がファイル名の発生日時の日と違います", "MSH-7 is of another day than the time stamp of the file name", "MSH-7 と同じ日時をファイル名に書いてください", "write the time of MSH-7 into the file name", "SS-MIX2 ファイル命名規約 (発生日時)";
        "別のメッセージの名前が付いているか、名前を付け直しています。どの版が新しいかを名前で選ぶ受け手は、古い版を使います。", "The name belongs to another message or was made anew; receivers that choose versions by name take an old one.";
        Lines("ADT-00", "MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260301093000.123||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994") => Lines("ADT-00", "MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994") }
    SSM152 = "SSM152" "version-not-2-5" Warning { "MSH-12 が 2.5 ではありません", "MSH-12 is not 2.5", "2.5 と書いてください", "write 2.5", "SS-MIX2 MSH-12; HL7 表 0104";
        "別の版として読む受け手では、項目の意味が変わります。", "Read as another version fields mean other things.";
        Message("MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08^ADT_A01|1|P|2.4||||||~ISO IR87||ISO 2022-1994") => Message("MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994") }
    SSM155 = "SSM155" "message-time-without-seconds" Info { "MSH-7 に秒がありません", "MSH-7 has no seconds", "ミリ秒まで書いてください", "write it down to milliseconds", "SS-MIX2 MSH-7; ファイル命名規約";
        "同じ分に書かれた版の順序が決まりません。", "Versions of one minute cannot be put in order.";
        Message("MSH|^~\\&|HIS|HOSP|GW|SSMIX2|202604010930||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994") => Message("MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994") }
    SSM156 = "SSM156" "message-type-incomplete" Warning { "MSH-9 にメッセージ型かイベントがありません", "MSH-9 lacks the message type or the event", "ADT^A08^ADT_A01 のように書いてください", "write it like ADT^A08^ADT_A01", "HL7 v2.5 §2.15.9.9; SS-MIX2 MSH-9";
        "受け手は何のメッセージか分からず、読み方を選べません。", "Receivers cannot tell what message it is.";
        Message("MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT|1|P|2.5||||||~ISO IR87||ISO 2022-1994") => Message("MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994") }
    SSM166 = "SSM166" "message-structure-missing" Info { "MSH-9 に構造ID (3 番目の成分) がありません", "MSH-9 has no structure id (component 3)", "ADT^A08^ADT_A01 のように書いてください", "write it like ADT^A08^ADT_A01", "HL7 v2.5 §2.15.9.9; HL7 表 0354";
        "構造IDで読み方を選ぶ受け手は、イベントから推測することになります。", "Receivers that go by the structure id have to guess it from the event.";
        Message("MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08|1|P|2.5||||||~ISO IR87||ISO 2022-1994") => Message("MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994") }
    SSM168 = "SSM168" "charset-scheme-of-another-charset" Info [safe] { "MSH-20 に ISO 2022 の切り替え方式がありますが、文字コードは {} です", "MSH-20 names a scheme of ISO 2022, but the bytes are {}", "MSH-20 を空にするか、ISO-2022-JP で出力してください", "leave MSH-20 empty, or write ISO-2022-JP", "HL7 v2.5 §2.15.9.20; HL7 表 0356";
        "切り替え方式を信じる受け手は、エスケープを探して文字化けさせます。", "Receivers that believe the scheme look for escapes and garble the text.";
        Bytes("MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08^ADT_A01|1|P|2.5||||||UNICODE UTF-8||ISO 2022-1994\rNK1|1|試験\r".as_bytes()) => Bytes("MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08^ADT_A01|1|P|2.5||||||UNICODE UTF-8\rNK1|1|試験\r".as_bytes()) }
    SSM167 = "SSM167" "profile-of-something-else" Info { "MSH-21 が SS-MIX2 の版の書き方ではありません", "MSH-21 does not name a version of SS-MIX2", "SS-MIX2_1.20^SS-MIX2^1.2.392.200250.2.1.100.1.2.120^ISO と書いてください", "write SS-MIX2_1.20^SS-MIX2^1.2.392.200250.2.1.100.1.2.120^ISO", "SS-MIX2 MSH-21 (1.2c 以降)";
        "版で読み方を選ぶ受け手は、知らない仕様として拒むことがあります。", "Receivers that choose by the version may refuse it as an unknown specification.";
        Message("MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994|ABC") => Message("MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994|SS-MIX2_1.20^SS-MIX2^1.2.392.200250.2.1.100.1.2.120^ISO") }
    SSM169 = "SSM169" "event-type-differs" Warning { "EVN-1 が MSH-9 のイベントと違います", "EVN-1 is not the event of MSH-9", "EVN-1 を空にするか、MSH-9 と同じイベントを書いてください", "leave EVN-1 empty, or write the event of MSH-9", "HL7 v2.5 §3.4.1.1 EVN-1";
        "EVN-1 を読む古い受け手は、別の出来事として取り込みます。", "Old receivers that read EVN-1 take it for another event.";
        Lines("ADT-22", "EVN|A03|20260401093000|||||HOSP") => Lines("ADT-22", "EVN|A01|20260401093000|||||HOSP") }
    SSM157 = "SSM157" "profile-not-declared" Info [strict] { "MSH-21 に SS-MIX2 の版がありません", "MSH-21 does not declare the version of SS-MIX2", "SS-MIX2_1.20^SS-MIX2^1.2.392.200250.2.1.100.1.2.120^ISO と書いてください", "write SS-MIX2_1.20^SS-MIX2^1.2.392.200250.2.1.100.1.2.120^ISO", "SS-MIX2 MSH-21 (1.2c 以降)";
        "受け手は、どの版の仕様で読むかを選べません。", "Receivers cannot choose the version to read it by.";
        Message("MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994") => Message("MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994|SS-MIX2_1.20^SS-MIX2^1.2.392.200250.2.1.100.1.2.120^ISO") }
    SSM158 = "SSM158" "cancel-with-flag-1" Warning { "取消イベントなのに、フラグが 1 (有効) です", "a cancelling event under flag 1 (valid)", "取消は、対象とともにフラグ 0 にしてください", "give the cancellation and what it cancels flag 0", "SS-MIX2 コンディションフラグ (削除)";
        "取り消された入院や予定を、受け手が有効として数えます。", "Receivers count the cancelled event as valid.";
        Lines("ADT-22", "MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A11^ADT_A09|1|P|2.5||||||~ISO IR87||ISO 2022-1994") => Lines("ADT-22", "MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A01^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994") }
    SSM159 = "SSM159" "patient-id-padding" Info { "PID-3 とフォルダーの患者IDで、先頭の 0 の数が違います", "PID-3 and the folder differ in leading zeros", "同じ桁数で書いてください", "write the same number of digits", "SS-MIX2 PID-3; フォルダー構成";
        "文字列で比べる受け手では別の患者になります。", "Receivers that compare texts see two patients.";
        Lines("ADT-00", "PID|1||1^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") => Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") }
}

/// `SSM106`, `SSM158`: MSH-9 against the kind and the flag.
fn event(cx: &mut Cx<'_, '_>) {
    if cx.is_vital && cx.name.is_some() {
        let nine = cx.message.first(b"MSH").map(|s| s.field(9));
        let text = |f: Part<'_>, n| f.comp(n).value().trimmed().text.to_owned();
        if let Some(nine) = nine.filter(Part::is_some)
            && (text(nine, 1), text(nine, 2)) != ("ORU".into(), "R30".into())
        {
            cx.report(&SSM106, nine);
        }
        return;
    }
    let (Some(kind), Some(_)) = (cx.kind, cx.name) else {
        return;
    };
    let Some((nine, action)) = warifu_ssmix2::event(kind, cx.message) else {
        return;
    };
    match action {
        None if nine.is_some() => cx.report(&SSM106, nine),
        Some(Action::Cancel) => {
            cx.facts.cancels = true;
            if cx.name.is_some_and(|n| n.flag == Flag::Current) {
                cx.report(&SSM158, nine);
            }
        }
        _ => {}
    }
}

/// `SSM103`, `SSM159`: PID-3 against the folder.
fn identity(cx: &mut Cx<'_, '_>) {
    let Some(three) = cx.message.first(b"PID").map(|s| s.field(3)) else {
        return;
    };
    let id = three.value().trimmed();
    if id.is_empty() || cx.patient.is_empty() || id.text == cx.patient {
        return;
    }
    let code = if warifu_ssmix2::same_patient(id.text, cx.patient) {
        &SSM159
    } else {
        &SSM103
    };
    cx.facts.other_person = code == &SSM103;
    cx.report(code, three.comp(1));
}

/// `SSM107`, `SSM150`: the care date.
fn care_date(cx: &mut Cx<'_, '_>) {
    if cx.is_vital {
        return vital_days(cx);
    }
    let Some(kind) = cx.kind else {
        return;
    };
    let date = cx.name.map_or("", |n| n.date);
    // A value that is no time is told as such.
    if let Some((field, value)) = warifu_ssmix2::other_care_date(kind, cx.message, date)
        && time::parse(value.trimmed().text).is_some()
    {
        cx.report_value(&SSM107, value, field);
    }
    if warifu_ssmix2::care_date(kind, cx.message).is_some() {
        return;
    }
    let place = kind.care_date_fields().iter().find_map(|field| {
        let segment = cx.message.first(field.as_bytes().first_chunk()?)?;
        Some((segment, field.get(4..)?.parse::<usize>().ok()?))
    });
    // Without the segment its absence is reported; a value that is no time is, too.
    if let Some((segment, number)) = place
        && segment.field(number).value().text.is_empty()
    {
        cx.report_absent(&SSM150, segment, number);
    }
}

/// `SSM107`, `SSM150`: the care date of vital signs is that of each observation (OBX-14).
fn vital_days(cx: &mut Cx<'_, '_>) {
    let message = cx.message;
    let date = cx.name.map_or("", |n| n.date);
    let mut told = false;
    for obx in message.segments().filter(|s| s.name() == *b"OBX") {
        let value = obx.field(14).value();
        let day = value.text.trim().get(..8);
        if value.text.is_empty() {
            cx.report_absent(&SSM150, obx, 14);
        } else if let Some(day) = day
            && !told
            && date.len() == 8
            && day != date
            && time::parse(value.trimmed().text).is_some()
        {
            // All of a file are of its day: the first that is not tells it.
            told = true;
            cx.report_value(&SSM107, value, "OBX-14");
        }
    }
}

/// `SSM112`: ORC-2 against the file name.
fn order_number(cx: &mut Cx<'_, '_>) {
    let (Some(_), Some(name)) = (cx.kind, cx.name) else {
        return;
    };
    if let Some(two) = warifu_ssmix2::other_order_number(cx.message, name.order) {
        cx.report(&SSM112, two);
    }
}

/// `SSM145`: ten digits in the name or the id of an institution (HD).
fn institution<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    for part in [at.comp(1), at.comp(2)] {
        let number = InstitutionNumber::parse(part.value().text);
        if number.is_some_and(|n| n.has_wrong_check_digit()) {
            cx.report(&SSM145, part);
        }
    }
}

/// `SSM151`, `SSM155`, `SSM165`: MSH-7.
fn sent<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    let text = at.value().trimmed().text;
    let Some(time) = time::parse(text) else {
        return;
    };
    if time.second.is_none() {
        cx.report(&SSM155, at);
    }
    let Some(name) = cx.name else {
        return;
    };
    let local = text.split(['+', '-']).next().unwrap_or(text);
    let digits: String = local.chars().filter(char::is_ascii_digit).collect();
    // To the millisecond as far as both are given; a stamp of another length is named by itself.
    let stamp = name.timestamp.0;
    let exact = if stamp.len() == 17 { 17 } else { 12 };
    let both = digits.len().min(stamp.len()).min(exact);
    if both >= 12 && digits.get(..both) != stamp.get(..both) {
        let day = digits.get(..8) == stamp.get(..8);
        cx.report(if day { &SSM151 } else { &SSM165 }, at);
    }
    if cx.facts.wanted {
        cx.facts.sent = Some(time);
        cx.facts.control_id = cx.spot(cx.message.value(b"MSH", 10));
    }
}

/// `SSM156`: the parts of MSH-9.
fn type_parts<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    if at.comp(1).value().is_empty() || at.comp(2).value().is_empty() {
        cx.report(&SSM156, at);
    } else if at.comp(3).value().is_empty() {
        cx.report(&SSM166, at);
    }
}

/// `SSM152`: MSH-12.
fn version<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    if at.value().trimmed().text != "2.5" {
        cx.report(&SSM152, at);
    }
}

/// `SSM153`: MSH-18.
fn charset<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    if misspelt_charset(cx.message, at) {
        let titles = ("~ISO IR87 にする", "write ~ISO IR87");
        let right = charset_as_written(cx.message, at).to_vec();
        cx.report_fix(&SSM153, at, None, titles, right);
    }
}

/// `SSM154`, `SSM168`: MSH-20.
fn scheme<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    let charset = cx.message.charset();
    if charset != Charset::Iso2022Jp {
        // Beside a wrong declaration its fix mends both (ENC116).
        if !at.is_null() && misdeclared(cx.message).is_none() {
            let titles = ("MSH-20 を空にする", "leave MSH-20 empty");
            let name = charset_name(charset);
            cx.report_fix(&SSM168, at, Some(name.into()), titles, Vec::new());
        }
    } else if misspelt_scheme(at) {
        let titles = ("ISO 2022-1994 にする", "write ISO 2022-1994");
        cx.report_fix(&SSM154, at, None, titles, b"ISO 2022-1994".to_vec());
    } else if at.raw() != b"ISO 2022-1994" && !at.is_null() {
        cx.report(&SSM154, at);
    }
}

/// `SSM169`: EVN-1, which HL7 keeps for old receivers.
fn event_type<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    let event = cx.message.first(b"MSH").map(|s| s.field(9).comp(2));
    let (own, event) = (at.value().trimmed(), event.map(|e| e.value().trimmed()));
    if event.is_some_and(|e| !e.text.is_empty() && e.text != own.text) {
        cx.report(&SSM169, at);
    }
}

/// Versions of SS-MIX2 have numbers below this one; that of 1.20 is known.
const PROFILES: &str = "1.2.392.200250.2.1.100.1.2.";

/// `SSM157`, `SSM167`: MSH-21; `SSM154`: MSH-20 that is empty although there are escapes.
fn profile(cx: &mut Cx<'_, '_>) {
    let Some(msh) = cx.message.first(b"MSH") else {
        return;
    };
    let escapes = || cx.message.bytes().windows(3).any(|w| w == b"\x1b$B");
    if !msh.field(20).is_some()
        && msh.field(18).is_some()
        && cx.message.charset() == Charset::Iso2022Jp
        && escapes()
    {
        cx.report_absent(&SSM154, msh, 20);
    }
    let field = msh.field(21);
    let is_version = |r: Part<'_>| {
        let (version, number) = (r.value().trimmed().text, r.comp(3).value().trimmed().text);
        let own = number.strip_prefix(PROFILES);
        version.starts_with("SS-MIX2")
            && (number.is_empty() || own.is_some_and(|n| n == "120" || version != "SS-MIX2_1.20"))
    };
    if !field.is_some() {
        cx.report_absent(&SSM157, msh, 21);
    } else if !field.reps().any(is_version) {
        cx.report(&SSM167, field);
    }
}
