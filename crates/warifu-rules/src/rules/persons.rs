//! `SSM51x`–`SSM54x`: names, addresses, telephones, the patient (PID, NK1).

use warifu_diag::Example::Lines;
use warifu_hl7::time;
use warifu_hl7::{Part, Segment};

use super::tables;
use crate::cx::{Cx, is_after, time_of};
use crate::rule::{Check, field, message, segment};

pub(crate) const CHECKS: &[Check] = &[
    message(before_birth),
    segment("PID", patient),
    field("PID", 3, identifiers),
    field("PID", 5, patient_name),
    field("PID", 7, birth),
    field("PID", 11, addresses),
    field("PID", 13, telephones),
    field("PID", 14, telephones),
    field("NK1", 2, names),
    field("NK1", 4, addresses),
    field("NK1", 5, telephones),
    field("NK1", 6, telephones),
    field("ORC", 12, people),
    field("PV1", 7, people),
    field("PV1", 17, people),
    field("OBR", 16, people),
    field("ORC", 22, addresses),
];

warifu_diag::codes! {
    SSM511 = "SSM511" "name-without-representation" Info { "氏名に表記の種別 (I・P・A) がありません", "a name without its representation (I, P or A)", "漢字は I、カナは P を 8 番目の成分に書いてください", "write I for kanji and P for kana in component 8", "HL7 v2.5 §2.A.88 XPN.8; HL7 表 0465; SS-MIX2 PID-5";
        "漢字氏名とカナ氏名を受け手が区別できません。", "Receivers cannot tell the kanji name from the kana name.";
        Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子~シケン^ハナコ||19680303|F") => Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") }
    SSM512 = "SSM512" "name-codes-one-early" Info { "氏名の L と I・P が１つ前の成分にあります", "L and I or P stand one component early in a name", "7 番目に L、8 番目に I・P を書いてください", "write L in component 7, I or P in component 8", "HL7 v2.5 §2.A.88 XPN";
        "表記の種別が読めず、カナ氏名が漢字氏名として扱われます。", "The representation is not read, and kana counts as kanji.";
        Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^L^I~シケン^ハナコ^^^^L^P||19680303|F") => Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") }
    SSM513 = "SSM513" "undivided-name" Info { "姓名が１つの成分に入っています", "family and given name stand in one component", "姓と名を ^ で分けてください", "separate them by ^", "HL7 v2.5 §2.A.88 XPN.1, XPN.2";
        "姓だけ・名だけの照合ができません。", "Family or given name alone cannot be matched.";
        Lines("ADT-00", "PID|1||0000000001^^^^PI||試験　花子^^^^^^L^I~シケン　ハナコ^^^^^^L^P||19680303|F") => Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") }
    SSM514 = "SSM514" "kana-name-missing" Info { "患者のカナ氏名がありません", "the patient has no kana name", "カナ氏名を P の繰り返しとして書いてください", "add the kana name as a repetition with P", "SS-MIX2 PID-5";
        "同姓同名や読みの確認ができません。", "Readings cannot be checked.";
        Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I||19680303|F") => Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") }
    SSM515 = "SSM515" "kana-name-with-kanji" Warning { "カナ氏名 (P) にカナ以外の文字があります", "the kana name (P) holds other characters", "全角カナで書いてください", "write full-width katakana", "SS-MIX2 PID-5; HL7 表 0465";
        "読みで探す受け手が患者を見つけられません。", "Receivers that search by reading do not find the patient.";
        Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~試験^花子^^^^^L^P||19680303|F") => Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") }
    SSM516 = "SSM516" "name-type-missing" Info [strict] { "氏名に種別 (L) がありません", "a name without its type (L)", "7 番目の成分に L を書いてください", "write L in component 7", "HL7 v2.5 §2.A.88 XPN.7; HL7 表 0200";
        "戸籍の氏名か通称か分かりません。", "Legal name and alias cannot be told apart.";
        Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^^I~シケン^ハナコ^^^^^^P||19680303|F") => Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") }
    SSM517 = "SSM517" "name-form-twice" Warning { "同じ表記 (I・P) の氏名が二つあります", "two names of one representation", "別名は種別を変えて書いてください", "give an alias another type", "HL7 v2.5 §2.A.88 XPN.7, XPN.8";
        "どちらが患者の氏名か分かりません。", "It does not say which is the patient's name.";
        Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~試件^花子^^^^^L^I||19680303|F") => Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") }
    SSM521 = "SSM521" "postal-code" Warning { "郵便番号の形 (123-4567) ではありません", "not a Japanese postal code (123-4567)", "7 桁の郵便番号を書いてください", "write the seven digits", "HL7 v2.5 XAD.5; 郵便番号";
        "住所の地域を機械で確かめられません。", "The area of the address cannot be checked.";
        Lines("ADT-00", "NK1|1|試験^太郎|SPO^配偶者^HL70063|^^^^100^JPN^H^東京都千代田区千代田１−１") => Lines("ADT-00", "NK1|1|試験^太郎|SPO^配偶者^HL70063|^^^^100-0001^JPN^H^東京都千代田区千代田１−１") }
    SSM522 = "SSM522" "country-code" Info { "国名コードが３文字 (JPN) ではありません", "the country is not written as three letters (JPN)", "ISO 3166-1 の３文字で書いてください", "use the three letters of ISO 3166-1", "HL7 v2.5 XAD.6; HL7 表 0399";
        "国内の住所かどうか判断できません。", "It does not say whether the address is in Japan.";
        Lines("ADT-00", "NK1|1|試験^太郎|SPO^配偶者^HL70063|^^^^100-0001^日本^H^東京都千代田区千代田１−１") => Lines("ADT-00", "NK1|1|試験^太郎|SPO^配偶者^HL70063|^^^^100-0001^JPN^H^東京都千代田区千代田１−１") }
    SSM523 = "SSM523" "telephone-characters" Warning { "電話番号に数字と - + ( ) 以外の文字があります", "a telephone number holds other characters than digits and - + ( )", "半角の数字で書いてください", "write ASCII digits", "HL7 v2.5 XTN.12; SS-MIX2 PID-13";
        "全角や注記の混ざった番号では発信できません。", "A number with other characters cannot be dialled.";
        Lines("ADT-00", "NK1|1|試験^太郎|SPO^配偶者^HL70063||^PRN^PH^^^^^^^^^０３−００００−００００") => Lines("ADT-00", "NK1|1|試験^太郎|SPO^配偶者^HL70063||^PRN^PH^^^^^^^^^03-0000-0000") }
    SSM524 = "SSM524" "telephone-in-component-1" Info [strict] { "電話番号が 1 番目の成分にあります", "the telephone number stands in component 1", "12 番目の成分に書いてください", "write it in component 12", "HL7 v2.5 XTN.12; SS-MIX2 PID-13";
        "1 番目は旧版の書き方で、読まない受け手があります。", "Component 1 is the old form, which some receivers do not read.";
        Lines("ADT-00", "NK1|1|試験^太郎|SPO^配偶者^HL70063||03-0000-0000") => Lines("ADT-00", "NK1|1|試験^太郎|SPO^配偶者^HL70063||^PRN^PH^^^^^^^^^03-0000-0000") }
    SSM525 = "SSM525" "mail-address" Warning { "電子メールアドレスに @ がないか、空白や全角の文字があります", "a mail address without @, or with blanks or full-width characters", "名前@ドメイン の形で書いてください", "write it as name@domain", "HL7 v2.5 §2.A.89 XTN.4; RFC 5322";
        "連絡が届きません。", "Messages do not arrive.";
        Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F|||||^NET^Internet^hanako.example.jp") => Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F|||||^NET^Internet^hanako@example.jp") }
    SSM531 = "SSM531" "birth-date-after-message" Error { "生年月日がメッセージの日より後です", "the birth date lies after the message", "生年月日を確かめてください", "check the birth date", "SS-MIX2 PID-7";
        "年齢が負になり、薬の量や本人確認を誤ります。", "The age is negative; doses and identification go wrong.";
        Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||20680303|F") => Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") }
    SSM532 = "SSM532" "age-implausible" Warning { "生年月日から計算した年齢が 120 歳を超えます", "by the birth date the patient is older than 120", "元号の取り違えでないか確かめてください", "check that the era was not mistaken", "SS-MIX2 PID-7";
        "昭和と明治の取り違えなどの印です。年齢で決まる量や基準値を誤ります。", "An era may have been mistaken; what depends on age goes wrong.";
        Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||18800303|F") => Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") }
    SSM533 = "SSM533" "birth-date-incomplete" Warning { "生年月日に月か日がありません", "the birth date lacks month or day", "YYYYMMDD で書いてください", "write YYYYMMDD", "SS-MIX2 PID-7";
        "本人確認に使えません。", "It cannot be used to identify the patient.";
        Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||1968|F") => Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") }
    SSM534 = "SSM534" "birth-date-misplaced" Warning { "生年月日が PID-9 にあります", "the birth date stands in PID-9", "PID-7 に書いてください", "write it in PID-7", "SS-MIX2 PID-7";
        "区切り文字のずれの印です。受け手は生年月日を読めません。", "Delimiters are shifted; receivers find no birth date.";
        Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||||19680303") => Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") }
    SSM535 = "SSM535" "patient-id-type-missing" Info [strict] { "患者IDに種別 (PI) がありません", "the patient id has no type (PI)", "5 番目の成分に PI を書いてください", "write PI in component 5", "HL7 v2.5 CX.5; HL7 表 0203; SS-MIX2 PID-3";
        "番号が複数あるとき、どれが患者IDか分かりません。", "Of several numbers the patient id cannot be told.";
        Lines("ADT-00", "PID|1||0000000001||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") => Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") }
    SSM536 = "SSM536" "patient-id-characters" Warning { "患者IDに英数字と - 以外の文字があります", "the patient id holds other characters than letters, digits and -", "フォルダー名に使える半角の患者IDを書いてください", "use an ASCII id that can name a folder", "SS-MIX2 フォルダー構成; PID-3";
        "患者IDはフォルダー名になるので、使えない文字があるとストレージに置けません。", "The id names a folder; other characters cannot be stored.";
        Lines("ADT-00", "PID|1||00０1^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") => Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") }
    SSM537 = "SSM537" "patient-ids-contradict" Warning { "違う患者ID (PI) が二つあります", "two different patient ids (PI)", "この施設の患者IDを一つだけ書いてください", "send the one patient id of the institution", "SS-MIX2 PID-3; HL7 表 0203";
        "どちらの患者のデータか、受け手には分かりません。", "Receivers cannot tell whose data they are.";
        Lines("ADT-00", "PID|1||0000000001^^^^PI~0000000002^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") => Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") }
    SSM541 = "SSM541" "practitioner-without-number" Info [strict] { "医療者の番号がなく、名前だけです ({})", "a practitioner with a name and no number ({})", "職員番号を 1 番目の成分に書いてください", "write the staff number in component 1", "HL7 v2.5 §2.A.86 XCN.1; SS-MIX2 ORC-12";
        "同姓同名の職員を区別できません。", "Two persons of one name cannot be told apart.";
        Lines("OML-11", "OBR|1|000000000000001||E002^生化学^99TST|||202604010850|||||||||^見立^一郎^^^^^^^L^^^^^I") => Lines("OML-11", "OBR|1|000000000000001||E002^生化学^99TST|||202604010850|||||||||D01^見立^一郎^^^^^^^L^^^^^I") }
    SSM542 = "SSM542" "person-number-is-name" Warning { "{} の番号 (1 番目の成分) に氏名などの文字が入っています", "the number of the person in {} (component 1) holds a name", "1 番目に職員番号、2・3 番目に姓と名を書いてください", "write the number in component 1, the name in 2 and 3", "HL7 v2.5 §2.A.86 XCN.1";
        "番号で人を特定する受け手は、別の人として登録します。", "Receivers that go by the number register another person.";
        Lines("OMP-01", "ORC|NW|000000000000001||1|||||20260401090000|||見立一郎") => Lines("OMP-01", "ORC|NW|000000000000001||1|||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I") }
    SSM538 = "SSM538" "time-before-birth" Warning { "{} が生年月日 (PID-7) より前の日です", "{} is a day before the birth date (PID-7)", "日時か生年月日を確かめてください", "check the time and the birth date", "SS-MIX2 PID-7";
        "生まれる前の検査や投薬はなく、日付か患者の取り違えの印です。", "Nobody is examined or treated before birth; a date is wrong, or the patient.";
        Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F|||194604010850") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F|||202604010850") }
}

fn is_kana(c: char) -> bool {
    matches!(c, 'ァ'..='ヿ' | '｡'..='ﾟ' | ' ' | '\u{3000}' | '‐' | '−' | '－')
}

/// A name that is no kana, hiragana or Latin: written in kanji.
fn has_kanji(text: &str) -> bool {
    text.chars()
        .any(|c| matches!(c, '\u{4E00}'..='\u{9FFF}' | '々'))
}

/// One name; the result is its representation.
fn name<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) -> &'m str {
    let text = |n| at.comp(n).value().trimmed().text;
    let (family, given) = (text(1), text(2));
    let (six, kind, form) = (text(6), text(7), text(8));
    let code = |t: &str| matches!(t, "I" | "P" | "A");
    if six == "L" && code(kind) && form.is_empty() {
        cx.report(&SSM512, at);
        return kind;
    }
    tables::value(cx, "0200", at.comp(7));
    tables::value(cx, "0465", at.comp(8));
    if kind.is_empty() {
        cx.report_absent_component(&SSM516, at, 7);
    }
    if given.is_empty() && family.contains([' ', '\u{3000}']) {
        cx.report(&SSM513, at.comp(1));
    }
    let kanji = has_kanji(family) || has_kanji(given);
    let latin = family.bytes().any(|b| b.is_ascii_alphabetic());
    if form == "P" && (kanji || latin) {
        cx.report(&SSM515, at);
    }
    form
}

fn names<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    for repetition in at.reps().filter(Part::is_some) {
        name(cx, repetition);
    }
}

/// PID-5.
fn patient_name<'m>(cx: &mut Cx<'m, '_>, field: Part<'m>) {
    let mut forms: Vec<(&str, &str)> = Vec::new();
    let mut kana = false;
    let mut foreign = false;
    let mut formless = None;
    for repetition in field.reps().filter(Part::is_some) {
        let form = name(cx, repetition);
        let text = repetition.comp(1).value().text;
        let kind = repetition.comp(7).value().trimmed().text;
        kana |= form == "P" || text.chars().all(is_kana);
        foreign |= text.is_ascii();
        if form.is_empty() {
            formless = formless.or(Some(repetition));
        } else if forms.contains(&(form, kind)) {
            cx.report(&SSM517, repetition);
        }
        forms.push((form, kind));
        if cx.facts.wanted {
            let name = cx.parts(repetition, &[1, 2], " ");
            let slot = if form == "P" {
                &mut cx.facts.kana
            } else {
                &mut cx.facts.kanji
            };
            if slot.whole.text.is_empty() {
                *slot = name;
            }
        }
    }
    if let Some(at) = formless {
        cx.report_absent_component(&SSM511, at, 8);
    }
    if !kana && !foreign {
        cx.report(&SSM514, field);
    }
}

/// `SSM534`: PID-9 instead of PID-7.
fn patient<'m>(cx: &mut Cx<'m, '_>, pid: Segment<'m>) {
    let nine = pid.field(9).value().trimmed();
    let date = nine.text.len() == 8 && time::parse(nine.text).is_some();
    if date && !pid.field(7).is_some() {
        cx.report(&SSM534, pid.field(9));
    }
    if cx.facts.wanted {
        cx.facts.birth = cx.spot(pid.field(7).value());
        cx.facts.sex = cx.spot(pid.field(8).value());
        if let Some(first) = pid.field(11).reps().find(Part::is_some) {
            cx.facts.address = cx.parts(first, &[1, 3, 5, 8], "");
        }
    }
}

/// `SSM535`–`SSM537`: PID-3.
fn identifiers<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    let id = at.comp(1);
    let text = id.value().trimmed().text;
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        cx.report(&SSM536, id);
    }
    let text = |part: Part<'m>, n| part.comp(n).value().trimmed().text;
    if at.reps().all(|id| text(id, 5) != "PI") {
        match at.comp(5) {
            other if other.is_some() => cx.report(&SSM535, other),
            _ => cx.report_absent_component(&SSM535, at, 5),
        }
    }
    let mut own = at.reps().filter(|id| text(*id, 5) == "PI");
    if let Some(first) = own.next()
        && let Some(other) =
            own.find(|id| text(*id, 1) != text(first, 1) && text(*id, 4) == text(first, 4))
    {
        cx.report(&SSM537, other);
    }
}

/// `SSM531`–`SSM533`: PID-7 against MSH-7.
fn birth<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    let Some(born) = time::parse(at.value().text) else {
        return;
    };
    if born.day == 0 {
        cx.report(&SSM533, at);
    }
    let Some(sent) = cx.sent else {
        return;
    };
    if is_after(&born, &sent) {
        cx.report(&SSM531, at);
    } else if sent.year.saturating_sub(born.year) > 120 {
        cx.report(&SSM532, at);
    }
}

/// Times that lie in the patient's life.
const IN_LIFE: &[([u8; 3], &[usize])] = &[
    (*b"OBX", &[14]),
    (*b"OBR", &[7, 8]),
    (*b"SPM", &[17]),
    (*b"ORC", &[9]),
    (*b"RXA", &[3, 4]),
    (*b"PV1", &[44, 45]),
    (*b"PRB", &[7, 9, 16]),
    (*b"IAM", &[11]),
];

/// `SSM538`: times of days before PID-7.
fn before_birth(cx: &mut Cx<'_, '_>) {
    let Some(born) = time::parse(cx.message.value(b"PID", 7).text).filter(|t| t.day > 0) else {
        return;
    };
    let message = cx.message;
    for segment in message.segments() {
        let Some((_, fields)) = IN_LIFE.iter().find(|(name, _)| *name == segment.name()) else {
            continue;
        };
        for n in *fields {
            let field = segment.field(*n);
            if let Some(time) = time_of(field.value())
                && time.day > 0
                && (time.year, time.month, time.day) < (born.year, born.month, born.day)
            {
                let name = format!("{}-{n}", segment.name_str());
                cx.report_with(&SSM538, field, name);
            }
        }
    }
}

/// `SSM521`, `SSM522`, table 0190.
fn addresses<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    for address in at.reps().filter(Part::is_some) {
        let (zip, country) = (address.comp(5), address.comp(6));
        let code = country.value().trimmed().text;
        let text = zip.value().trimmed().text;
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let hyphen = !text.contains('-') || text.as_bytes().get(3) == Some(&b'-');
        let japan = matches!(code, "" | "JPN" | "JP");
        if !text.is_empty() && japan && !(plain && digits == 7 && hyphen && text.len() <= 8) {
            cx.report(&SSM521, zip);
        }
        let letters = code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase());
        if !code.is_empty() && (!letters || code == "JAP") {
            cx.report(&SSM522, country);
        }
        tables::value(cx, "0190", address.comp(7));
    }
}

/// `SSM523`, `SSM524`, tables 0201 and 0202.
fn telephones<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    for telephone in at.reps().filter(Part::is_some) {
        tables::value(cx, "0201", telephone.comp(2));
        tables::value(cx, "0202", telephone.comp(3));
        let (first, twelfth) = (telephone.comp(1), telephone.comp(12));
        let mail = telephone.comp(3).value().trimmed().text == "Internet";
        let address = [4, 12, 1].map(|n| telephone.comp(n));
        if let Some(address) = address.into_iter().find(Part::is_some).filter(|_| mail) {
            let text = address.value().trimmed().text;
            let plain = text.bytes().all(|b| b.is_ascii_graphic());
            let named = text.split_once('@');
            let parted = named.is_some_and(|(name, domain)| {
                !name.is_empty() && !domain.is_empty() && !domain.contains('@')
            });
            if !(plain && parted) {
                cx.report(&SSM525, address);
            }
        }
        if first.is_some() && !twelfth.is_some() {
            cx.report(&SSM524, first);
        }
        let number = if twelfth.is_some() { twelfth } else { first };
        let text = number.value().trimmed().text;
        let fits = |b: u8| {
            b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'(' | b')' | b' ' | b'*' | b'#')
        };
        if !mail && !text.bytes().all(fits) {
            cx.report(&SSM523, number);
        }
    }
}

/// `SSM541`, `SSM542`: XCN without a number, or with the name instead.
fn people<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    for person in at.reps().filter(Part::is_some) {
        let number = person.comp(1);
        let nameless = !number.is_some() && person.comp(2).is_some();
        let text = number.value().text;
        let named = has_kanji(text) || text.contains(|c| matches!(c, 'ぁ'..='ん' | 'ァ'..='ヶ'));
        if nameless || named {
            let name = cx
                .message
                .locate(person.span().0)
                .map_or_else(String::new, |p| p.field_name());
            let (code, at) = if named {
                (&SSM542, number)
            } else {
                (&SSM541, person)
            };
            cx.report_with(code, at, name);
        }
    }
}
