//! `SSM20x`, `HL712x`, `HL720x`: which fields are filled, how long they are, what their types allow.

use warifu_diag::Example::Lines;
use warifu_hl7::{Part, Segment};
use warifu_terms::fields::{self, FieldInfo};

use super::{coding, laboratory, tables, times};
use crate::cx::Cx;
use crate::plan::{FieldPlan, Leaf, Plan, Shape};
use crate::rule::{Check, message};

warifu_diag::codes! {
    SSM201 = "SSM201" "required-field-missing" Error { "必須項目 {} が空です", "required field {} is empty", "送り手で値を入れてください", "let the sender fill it", "SS-MIX2 セグメント定義 (R)";
        "必須項目がないと、受け手は取り込みを拒むか、誤った既定値で補います。", "Without it a receiver refuses the message or fills in a wrong default.";
        Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P|||F") => Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") }
    SSM202 = "SSM202" "required-field-null" Info { "必須項目 {} が \"\" (なし) です", "required field {} is \"\" (none)", "値があれば入れてください", "fill it if there is a value", "SS-MIX2 セグメント定義 (R); HL7 v2.5 §2.6";
        "\"\" は「値を消す」という意味です。外用薬の１回量のように決まらないときだけ使います。", "\"\" means that the value is deleted; use it only where there can be none, as the dose of an ointment.";
        Lines("OMP-01", "RXE||100000101^試験錠^HOT9|\"\"||TAB^錠^MR9P|||||7|TAB^錠^MR9P") => Lines("OMP-01", "RXE||100000101^試験錠^HOT9|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P") }
    SSM203 = "SSM203" "expected-field-empty" Info [strict] { "分かれば必須の項目 {} が空です", "field {}, required if known, is empty", "分かるなら入れてください", "fill it if it is known", "SS-MIX2 セグメント定義 (RE)";
        "採取日時や検体番号がないと、結果をほかの記録と結び付けられません。", "Without collection time or specimen number a result cannot be tied to other records.";
        Lines("OML-11", "SPM|1|||023^血清^JC10|||||||||||||202604010850") => Lines("OML-11", "SPM|1|S0001||023^血清^JC10||||L^左^99TST|||||||||202604010850") }
    SSM204 = "SSM204" "field-not-used" Info [strict] { "SS-MIX2 で使わない項目です ({})", "SS-MIX2 does not use this field ({})", "SS-MIX2 の項目に書いてください", "use the fields of SS-MIX2", "SS-MIX2 セグメント定義 (N)";
        "受け手は読まないので、そこに書いた内容は伝わりません。", "Receivers do not read it.";
        Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F||||||||M") => Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") }
    SSM208 = "SSM208" "comment-cut-by-delimiter" Warning { "コメント (NTE-3) が | で切れているようです", "the comment (NTE-3) seems to be cut by a |", "文中の | は \\F\\ と書いてください", "write | inside a text as \\F\\", "HL7 v2.5 §2.7.4; SS-MIX2 NTE";
        "SS-MIX2 の NTE は NTE-3 まで読まれます。| より後ろの文は伝わりません。", "NTE is read up to NTE-3; what follows the | is lost.";
        Lines("OML-11", "NTE|1|L|溶血あり|再検を勧めます") => Lines("OML-11", "NTE|1|L|溶血あり\\F\\再検を勧めます") }
    HL7120 = "HL7120" "extra-fields" Warning { "{} より後ろに、定義にない項目があります", "fields after {} that the segment does not have", "区切り文字 | の数を確かめてください", "count the | delimiters", "HL7 v2.5 セグメント定義";
        "区切り文字が余分か、途中の値に | が入っています。後ろの項目がずれて読まれます。", "A delimiter too many, or a | inside a value, shifts the fields behind it.";
        Lines("ADT-00", "DB1|1|PT||N|||||||X") => Lines("ADT-00", "DB1|1|PT||N") }
    HL7121 = "HL7121" "value-too-long" Warning { "{} の長さの上限を超えています", "longer than {} may be", "上限に収めるか、正しい項目に書いてください", "shorten it or put it into the right field", "HL7 v2.5 セグメント定義 LEN";
        "受け手は上限で切り捨てるので、後ろの部分が失われます。", "Receivers cut at the limit and lose the rest.";
        Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10|123456789012345678901|7.2|g/dL^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10|1|7.2|g/dL^g/dL^ISO+|||||F") }
    HL7122 = "HL7122" "field-repeated" Warning { "繰り返せない項目 {} に ~ があります", "field {} may not repeat", "値を一つにしてください", "send one value", "HL7 v2.5 セグメント定義 RP/#";
        "受け手は最初の値だけを読みます。", "Receivers read the first value only.";
        Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303~19680304|F") => Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F") }
    HL7123 = "HL7123" "too-many-components" Warning { "{} の成分が多すぎます", "too many components in {}", "区切り文字 ^ の数を確かめてください", "count the ^ delimiters", "HL7 v2.5 §2.A データ型";
        "区切り文字が余分だと、後ろの成分がずれて読まれます。", "A delimiter too many shifts what stands behind it.";
        Lines("ADT-00", "NK1|1|試験^太郎|SPO^配偶者^HL70063^^^^^^^X") => Lines("ADT-00", "NK1|1|試験^太郎|SPO^配偶者^HL70063") }
    HL7124 = "HL7124" "components-in-simple-value" Warning { "{} は部分に分けられない型なのに ^ か & があります", "{} has no parts but holds ^ or &", "文字としての ^ は \\S\\、& は \\T\\ と書くか、正しい項目に書いてください", "write ^ as \\S\\ and & as \\T\\, or use the right field", "HL7 v2.5 §2.A データ型";
        "受け手は ^ や & より後ろを捨てます。", "Receivers drop what follows ^ or &.";
        Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10|1^2|7.2|g/dL^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10|1|7.2|g/dL^g/dL^ISO+|||||F") }
    HL7138 = "HL7138" "subcomponents-in-text" Info { "文字の項目 {} に & があります", "the text in {} holds &", "文字としての & は \\T\\ と書いてください", "write & as \\T\\", "HL7 v2.5 §2.7.4 Special characters";
        "& は成分を分ける文字です。受け手により & より後ろの文が失われます。", "& separates parts; some receivers drop what follows it.";
        Lines("OML-11", "NTE|1|L|検体不足&再検") => Lines("OML-11", "NTE|1|L|検体不足\\T\\再検") }
    SSM209 = "SSM209" "set-id-repeated" Warning { "連番 {} が同じ番号の繰り返しです", "set id {} is the same number again", "1 からの連番を書いてください", "number from 1", "HL7 v2.5 §2.A.67 SI; SS-MIX2 セグメント定義";
        "連番で区別する受け手は、二つ目で一つ目を置き換えます。", "Receivers that go by the set id replace the first by the second.";
        Lines("ADT-00", "NK1|1|試験^太郎|SPO^配偶者^HL70063\nNK1|1|試験^次郎|CHD^子供^HL70063") => Lines("ADT-00", "NK1|1|試験^太郎|SPO^配偶者^HL70063\nNK1|2|試験^次郎|CHD^子供^HL70063") }
    HL7133 = "HL7133" "segment-name-of-other-length" Warning { "改行の後の {} は、３文字のセグメント名ではありません", "{} after a terminator is no segment name of three characters", "名前のつづりを確かめてください", "check the spelling of the name", "HL7 v2.5 §2.5.2 Segments";
        "前のセグメントの項目の続きとして読まれ、このセグメントの内容が失われます。", "It is read on as fields of the segment before, and its content is lost.";
        Lines("ADT-00", "NK1|1|試験^太郎|SPO^配偶者^HL70063\nNK|2|試験^次郎|CHD^子供^HL70063") => Lines("ADT-00", "NK1|1|試験^太郎|SPO^配偶者^HL70063\nNK1|2|試験^次郎|CHD^子供^HL70063") }
    HL7131 = "HL7131" "segment-glued" Warning { "次のセグメント ({}) が項目の値につながっています", "the next segment ({}) is joined to the value of a field", "セグメントの間に改行 (CR) を入れてください", "put the terminator (CR) between the segments", "HL7 v2.5 §2.5.2 Segments; §2.7.1";
        "区切りが失われると、後ろのセグメントは前のセグメントの項目として読まれ、内容が失われます。", "Without its terminator the segment is read as fields of the one before, and its content is lost.";
        Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F|||202604010850 OBX|2|NM|3A015000002327101^アルブミン^JC10||4.4|g/dL^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F|||202604010850\nOBX|2|NM|3A015000002327101^アルブミン^JC10||4.4|g/dL^g/dL^ISO+|||||F") }
    HL7201 = "HL7201" "number-unreadable" Warning { "数値の項目 {} が数値ではありません", "{} is a number but holds something else", "NM には数字・符号・小数点だけを書いてください", "write only digits, a sign and a point in NM", "HL7 v2.5 §2.A.47 NM";
        "受け手は数値として計算も比較もできません。", "Receivers can neither compute nor compare.";
        Lines("OMP-01", "RXE||100000101^試験錠^HOT9|一||TAB^錠^MR9P|||||7|TAB^錠^MR9P") => Lines("OMP-01", "RXE||100000101^試験錠^HOT9|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P") }
    HL7202 = "HL7202" "number-full-width" Warning [safe] { "数値の項目 {} が全角です", "the number in {} is written in full-width characters", "半角の数字で書いてください", "write ASCII digits", "HL7 v2.5 §2.A.47 NM";
        "全角の数字は、多くの受け手で数値として読めません。", "Most receivers cannot read full-width digits as a number.";
        Lines("OMP-01", "RXE||100000101^試験錠^HOT9|１||TAB^錠^MR9P|||||7|TAB^錠^MR9P") => Lines("OMP-01", "RXE||100000101^試験錠^HOT9|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P") }
    HL7203 = "HL7203" "number-with-comma" Warning { "数値の項目 {} に桁区切りのコンマがあります", "the number in {} has a thousands separator", "コンマを取ってください", "leave the comma out", "HL7 v2.5 §2.A.47 NM";
        "コンマを小数点として読む受け手では、値が千分の一になります。", "A receiver that takes the comma for a point reads a thousandth.";
        Lines("OMP-02", "RXE||00^一般^JHSI0002|1,000||ML^mL^MR9P") => Lines("OMP-02", "RXE||00^一般^JHSI0002|1000||ML^mL^MR9P") }
    HL7204 = "HL7204" "number-with-unit" Warning { "数値の項目 {} に単位が付いています", "the number in {} carries its unit", "単位は単位の項目に書いてください", "write the unit in its own field", "HL7 v2.5 §2.A.47 NM";
        "数値と単位が一緒だと、量の確認や計算ができません。", "With the unit inside, amounts cannot be checked.";
        Lines("OMP-01", "RXE||100000101^試験錠^HOT9|1錠||TAB^錠^MR9P|||||7|TAB^錠^MR9P") => Lines("OMP-01", "RXE||100000101^試験錠^HOT9|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P") }
    HL7205 = "HL7205" "set-id-unreadable" Warning { "連番の項目 {} が数字ではありません", "set id {} is no number", "1 からの連番を書いてください", "number from 1", "HL7 v2.5 §2.A.67 SI";
        "順番が分からず、受け手が並べ替えられません。", "Receivers cannot tell the order.";
        Lines("OML-11", "OBX|A|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") }
}

pub(crate) const CHECKS: &[Check] = &[message(set_ids)];

/// `SSM209`: set ids of what stands once in a message; those of OBX and the like begin anew in their groups.
fn set_ids(cx: &mut Cx<'_, '_>) {
    const COUNTED: &[&[u8; 3]] = &[b"NK1", b"DB1", b"AL1", b"IN1", b"IAM"];
    let mut seen = std::collections::BTreeSet::new();
    let mut again = Vec::new();
    for segment in cx.message.segments() {
        let one = segment.field(1);
        let number = one.value().trimmed().text.trim_start_matches('0');
        if COUNTED.contains(&&segment.name())
            && one.is_some()
            && !seen.insert((segment.name(), number))
        {
            again.push((segment.name_str(), one));
        }
    }
    for (name, one) in again {
        cx.report_with(&SSM209, one, format!("{name}-1"));
    }
}

/// What stands behind a terminator at the end of a field, where it is like a segment's name but longer or
/// shorter.
fn misnamed(raw: &[u8]) -> Option<&[u8]> {
    let end = raw.get(raw.len().saturating_sub(5)..)?;
    let from = end.iter().rposition(|b| matches!(b, b'\r' | b'\n'))?;
    let name = end.get(from + 1..)?;
    let letters = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    let begins = name.first().is_some_and(u8::is_ascii_uppercase);
    (begins && name.iter().all(letters) && name.len() != 3).then_some(name)
}

/// `HL7131`: a field that ends in the name of a segment, followed by what that segment begins with. The
/// terminator between them was lost, or became a blank. `HL7133`: the same behind a terminator, with a name
/// that has not three characters.
pub(crate) fn glued<'m>(
    cx: &mut Cx<'m, '_>,
    segment: Segment<'m>,
    field: Part<'m>,
    number: usize,
    plan: &Plan,
) -> bool {
    let is_set_id = |at: Part<'_>| {
        let raw = at.comp(1).raw();
        raw.len() <= 4 && raw.iter().all(u8::is_ascii_alphanumeric)
    };
    if let Some(name) = misnamed(field.raw())
        && segment.field_count() > number
        && is_set_id(segment.field(number + 1))
    {
        let name = String::from_utf8_lossy(name).into_owned();
        cx.report_with(&HL7133, field, name);
        return true;
    }
    let Some((before, name)) = field.raw().split_last_chunk::<3>() else {
        return false;
    };
    let is_part_of_a_word = before.last().is_some_and(u8::is_ascii_alphabetic);
    if !name[0].is_ascii_uppercase()
        || is_part_of_a_word
        || segment.field_count() <= number
        || !plan.segment(*name).is_some_and(|own| own.used)
    {
        return false;
    }
    let next = segment.field(number + 1);
    let first = next.comp(1).raw();
    let begins = match name {
        b"MSH" => next.raw().starts_with(b"^~\\&"),
        b"EVN" => first.len() <= 3,
        b"IPC" => first.iter().all(u8::is_ascii_alphanumeric),
        // A set id, or a code of two or three letters.
        _ => first.len() <= 4 && first.iter().all(u8::is_ascii_alphanumeric),
    };
    if begins {
        let name = String::from_utf8_lossy(name).into_owned();
        cx.report_with(&HL7131, field, name);
    }
    begins
}

/// Longest repetition in characters: HL7's, but for what SS-MIX2 allows beyond it (deviations of the
/// field: CX.1 up to 30, XAD.8 up to 100, RXE-23 up to 8).
pub(crate) fn length_of(segment: &str, info: &FieldInfo) -> usize {
    let given = usize::try_from(info.length).unwrap_or(0);
    match (segment, info.n) {
        ("RXE", 23) => 8,
        // `CWE` has three letters.
        ("OBX", 2) => 3,
        // Their types were lengthened by what HL7 v2.5 puts into a CWE.
        _ if matches!(
            info.datatype,
            "CWE" | "CE" | "CNE" | "XCN" | "XAD" | "XPN" | "CQ"
        ) =>
        {
            given.max(250)
        }
        _ => given,
    }
}

/// Fields that repeat, of the segments that SS-MIX2 uses.
///
/// # Standard
/// HL7 v2.5 segment attribute tables, column RP/# (chapters 2, 3, 4, 6, 7, 12).
#[rustfmt::skip]
const REPEATING: &[(&str, &[u8])] = &[
    ("MSH", &[18, 21]),
    ("EVN", &[5]),
    ("PID", &[3, 4, 5, 6, 9, 10, 11, 13, 14, 21, 22, 26, 32, 39]),
    ("NK1", &[2, 4, 5, 6, 13, 18, 19, 26, 28, 29, 30, 31, 32, 33, 35]),
    ("PV1", &[7, 8, 9, 15, 17, 20, 24, 25, 26, 27, 52]),
    ("PV2", &[5, 7, 13, 23, 39, 41, 45, 49]),
    ("DB1", &[3]),
    ("OBX", &[5, 8, 10, 16, 17, 18]),
    ("AL1", &[5]),
    ("IN1", &[3, 4, 5, 6, 7, 9, 10, 11, 16, 19, 30, 44, 49]),
    ("IAM", &[5]),
    ("PRB", &[11]),
    ("ORC", &[7, 10, 11, 12, 14, 19, 21, 22, 23, 24]),
    ("TQ1", &[3, 4, 5, 6, 9]),
    ("ODS", &[2, 3, 4]),
    ("RXE", &[7, 13, 14, 21, 27, 34]),
    ("RXR", &[]),
    ("RXA", &[9, 10, 15, 16, 17, 18, 19]),
    ("RXC", &[7]),
    ("CTI", &[]),
    ("SPM", &[3, 5, 6, 9, 11, 14, 15, 16, 21, 24]),
    ("OBR", &[10, 16, 17, 27, 28, 31, 33, 34, 35, 39, 43, 45, 46, 47]),
    ("IPC", &[6, 8]),
    ("NTE", &[3]),
];

/// Whether a field may repeat. Segments of SS-MIX2 itself (`Z…`, but ZI1 is IN1) have no such column:
/// there only numbers and times stand alone.
pub(crate) fn repeats(segment: &str, info: &FieldInfo) -> bool {
    let of = if segment == "ZI1" { "IN1" } else { segment };
    match REPEATING.iter().find(|(name, _)| *name == of) {
        Some((_, fields)) => fields.contains(&info.n),
        None => !matches!(info.datatype, "SI" | "NM" | "TS" | "DT"),
    }
}

/// A field that is not sent.
pub(crate) fn empty(cx: &mut Cx<'_, '_>, segment: Segment<'_>, number: usize, plan: &FieldPlan) {
    if plan.is_required(cx.kind) {
        cx.report_absent(&SSM201, segment, number);
    } else if plan.is_expected(cx.kind) {
        cx.report_absent(&SSM203, segment, number);
    }
}

/// A field beyond the last one that the segment has.
pub(crate) fn extra(cx: &mut Cx<'_, '_>, segment: Segment<'_>, number: usize) {
    let rest = (number..=segment.field_count()).map(|n| segment.field(n));
    if let Some(field) = rest.into_iter().find(Part::is_some) {
        let last = format!("{}-{}", segment.name_str(), number.saturating_sub(1));
        cx.report_with(&HL7120, field, last);
    }
}

/// The components of which one at least makes a value of its type; the others only say what kind of value
/// it is. Coded values are looked at with their systems (`SSM421`), other types have no such component.
///
/// # Standard
/// HL7 v2.5 §2.A: CX.1, EI.1, PT.1 and the like are the value; a name has a family or a given name, a
/// person or an organisation a number or a name.
#[rustfmt::skip]
const VALUES: &[(&str, &[usize])] = &[
    ("CX", &[1]),
    ("DLN", &[1]),
    ("DR", &[1]),
    ("EI", &[1]),
    ("EIP", &[1, 2]),
    ("HD", &[1, 2]),
    ("MSG", &[1]),
    ("PT", &[1]),
    ("TS", &[1]),
    ("VID", &[1]),
    ("XCN", &[1, 2, 3]),
    ("XON", &[1, 3, 10]),
    ("XPN", &[1, 2]),
];

/// The components of a type that hold its value, see [`VALUES`]; none where any may.
pub(crate) fn values_of(datatype: &str) -> &'static [usize] {
    VALUES
        .iter()
        .find(|(name, _)| *name == datatype)
        .map_or(&[], |(_, values)| values)
}

/// Whether a field that is sent holds a value in one of its repetitions.
fn is_filled(field: Part<'_>, values: &[usize]) -> bool {
    // Text of letters is seen in the bytes.
    let begins = |part: Part<'_>| {
        matches!(part.raw(), [b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z', ..])
            || !part.value().text.is_empty()
    };
    if values.is_empty() {
        return field.has_parts() || begins(field);
    }
    let holds = |one: Part<'_>| values.iter().any(|n| begins(one.comp(*n)));
    holds(field) || field.has_repetitions() && field.reps().any(holds)
}

/// Components that name something: what stands in them is compared letter by letter.
#[rustfmt::skip]
const IDENTIFIERS: &[(&str, &[usize])] = &[
    ("CE", &[1, 3, 4, 6]),
    ("CNE", &[1, 3, 4, 6]),
    ("CWE", &[1, 3, 4, 6]),
    ("CX", &[1]),
    ("EI", &[1, 2, 3]),
    ("HD", &[1, 2]),
    ("PL", &[1, 2, 3]),
    ("XCN", &[1]),
    ("XON", &[3, 10]),
];

/// `HL7124`, `HL7138`: & where a type has no sub-components.
fn subcomponents(
    cx: &mut Cx<'_, '_>,
    segment: Segment<'_>,
    at: Part<'_>,
    number: usize,
    plan: &FieldPlan,
    name: &dyn Fn() -> String,
) {
    let varies = plan.shape == Shape::Varies;
    let datatype = if varies {
        segment.field(2).value().trimmed().text
    } else {
        plan.info.datatype
    };
    let primitive =
        |datatype| fields::datatype(datatype).is_none_or(fields::DatatypeInfo::is_primitive);
    let code_of = |datatype| match datatype {
        "ST" | "TX" | "FT" => &HL7138,
        _ => &HL7124,
    };
    // Of examinations and reports OBX-3 has parts: `9A100&IMP`.
    let is_split = (segment.name(), number) == (*b"OBX", 3)
        && cx.kind.is_some_and(|kind| kind.code().starts_with("OMG"));
    if is_split {
        return;
    }
    if primitive(datatype) {
        let told = varies && code_of(datatype) != &HL7138;
        if !at.has_components() && at.subs().nth(1).is_some() && !told {
            cx.report_with(code_of(datatype), at, name());
        }
        return;
    }
    let Some(info) = fields::datatype(datatype) else {
        return;
    };
    let identifies = |n: usize| {
        let own = IDENTIFIERS.iter().find(|(name, _)| *name == datatype);
        own.is_some_and(|(_, numbers)| numbers.contains(&n))
    };
    for (n, component) in (1..).zip(at.comps()) {
        let Some(own) = info.component(n).map(|c| c.datatype) else {
            return;
        };
        if !primitive(own) || component.subs().nth(1).is_none() {
            continue;
        }
        let code = if identifies(n) { &HL7124 } else { code_of(own) };
        cx.report_with(code, component, format!("{}.{n}", name()));
    }
}

/// A field that is sent.
pub(crate) fn check(
    cx: &mut Cx<'_, '_>,
    segment: Segment<'_>,
    field: Part<'_>,
    number: usize,
    plan: &FieldPlan,
) {
    let name = || format!("{}-{number}", segment.name_str());
    if field.is_null() {
        if plan.is_required(cx.kind) {
            cx.report_with(&SSM202, field, name());
        }
        return;
    }
    let wanted = plan.is_required(cx.kind) || plan.is_expected(cx.kind);
    if wanted && !is_filled(field, plan.values) {
        empty(cx, segment, number, plan);
    }
    if !plan.is_used(cx.kind) {
        cx.report_with(&SSM204, field, name());
        if (segment.name(), number) == (*b"NTE", 4) && is_cut_text(field) {
            cx.report(&SSM208, field);
        }
    }
    if segment.name() == *b"MSH" && number <= 2 {
        return;
    }
    let repeats = field.has_repetitions();
    let may_repeat = plan.repeats && !laboratory::is_single(segment, number);
    if repeats && !may_repeat {
        cx.report_with(&HL7122, field, name());
    }
    if !repeats {
        return one(cx, segment, field, number, plan);
    }
    for repetition in field.reps().filter(Part::is_some) {
        one(cx, segment, repetition, number, plan);
    }
}

/// Whether NTE-4 holds text rather than a type of comment: those are codes of two letters (table 0364), or
/// carry the name of their system.
fn is_cut_text(field: Part<'_>) -> bool {
    let text = field.value().trimmed().text;
    !field.has_components() && (text.len() > 2 || !text.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// One repetition of a field.
fn one(cx: &mut Cx<'_, '_>, segment: Segment<'_>, at: Part<'_>, number: usize, plan: &FieldPlan) {
    let name = || format!("{}-{number}", segment.name_str());
    // What SS-MIX2 does not use may be anything: only what looks like a code is taken for one.
    let used = plan.is_used(cx.kind) || at.has_components();
    let raw = at.raw();
    // Bytes are never fewer than characters.
    if plan.length > 0 && raw.len() > plan.length && at.text().text.chars().count() > plan.length {
        cx.report_with(&HL7121, at, name());
    }
    if at.has_components()
        && let Some(width) = plan.width
    {
        let filled = at
            .comps()
            .enumerate()
            .filter(|(_, c)| c.is_some())
            .last()
            .map_or(0, |(last, _)| last + 1);
        if filled > width {
            let code = if width == 1 { &HL7124 } else { &HL7123 };
            cx.report_with(code, at, name());
        }
    }
    if at.has_subcomponents() {
        subcomponents(cx, segment, at, number, plan, &name);
    }
    match &plan.shape {
        Shape::Leaf(Leaf::Text) => tables::check(cx, segment, number, at),
        Shape::Leaf(kind) => {
            leaf(cx, *kind, at.comp(1), &name);
            if at.has_components() {
                tables::components(cx, plan.info.datatype, at);
            }
        }
        Shape::Coded if used => coding::check(cx, segment, number, at),
        Shape::Coded => {}
        Shape::Components(leaves) => {
            components(cx, leaves, at, &name);
            tables::check(cx, segment, number, at);
            tables::components(cx, plan.info.datatype, at);
        }
        Shape::CodedInside(leaves, coded) => {
            components(cx, leaves, at, &name);
            coding::check_inside(cx, segment, number, at.comp(*coded));
        }
        Shape::Varies => laboratory::value(cx, segment, at),
    }
}

fn components(
    cx: &mut Cx<'_, '_>,
    leaves: &[(usize, Leaf)],
    at: Part<'_>,
    name: &dyn Fn() -> String,
) {
    for (number, kind) in leaves {
        let component = at.comp(*number);
        if component.is_some() {
            leaf(cx, *kind, component, &|| format!("{}.{number}", name()));
        }
    }
}

/// A leaf of a type that has a form.
pub(crate) fn leaf(cx: &mut Cx<'_, '_>, kind: Leaf, at: Part<'_>, name: &dyn Fn() -> String) {
    match kind {
        Leaf::Text => {}
        Leaf::Number => number(cx, at, name),
        Leaf::SetId => {
            let text = at.value().trimmed().text;
            if !text.is_empty() && !text.bytes().all(|b| b.is_ascii_digit()) {
                cx.report_with(&HL7205, at, name());
            }
        }
        Leaf::Day => times::day(cx, at, name),
        Leaf::TimeOfDay => times::time_of_day(cx, at, name),
        Leaf::Time => times::time(cx, at, name),
    }
}

/// Whether a text is an NM: `[+-]?(\d+\.?\d*|\.\d+)`.
pub(crate) fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    all(whole) && all(fraction) && !(whole.is_empty() && fraction.is_empty())
}

/// Full-width digits, signs and point as ASCII.
pub(crate) fn narrowed(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '０'..='９' | '＋' | '．' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
            '－' | '−' | '‐' => '-',
            c => c,
        })
        .collect()
}

fn number(cx: &mut Cx<'_, '_>, at: Part<'_>, name: &dyn Fn() -> String) {
    let text = at.value().trimmed().text;
    if text.is_empty() || is_number(text) {
        return;
    }
    let narrow = narrowed(text);
    if is_number(&narrow) {
        let titles = ("半角にする", "write it in ASCII");
        let bytes = narrow.into_bytes();
        cx.report_fix(&HL7202, at, Some(name().into()), titles, bytes);
        return;
    }
    let grouped = narrow.split(',').enumerate().all(|(at, part)| {
        let part = part.split_once('.').map_or(part, |(whole, _)| whole);
        let digits = part.bytes().all(|b| b.is_ascii_digit());
        digits
            && if at == 0 {
                !part.is_empty()
            } else {
                part.len() == 3
            }
    });
    let code = if narrow.contains(',') && grouped {
        &HL7203
    } else if narrow.starts_with(|c: char| c.is_ascii_digit()) && has_unit(&narrow) {
        &HL7204
    } else {
        &HL7201
    };
    cx.report_with(code, at, name());
}

/// Whether a number is followed by letters that can be a unit.
fn has_unit(text: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    !unit.is_empty()
        && unit
            .trim_start()
            .chars()
            .all(|c| c.is_alphabetic() || matches!(c, '/' | '%' | '％' | '㎎' | '㎖'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_hl7() {
        for text in ["1", "-1", "+1.5", ".5", "5.", "0000"] {
            assert!(is_number(text), "{text}");
        }
        for text in ["", ".", "-", "1e3", "1,000", "<1", "１", "1 2", "--1"] {
            assert!(!is_number(text), "{text}");
        }
        assert_eq!(narrowed("－１．５"), "-1.5");
        assert!(has_unit("1錠") && has_unit("5.0mg") && !has_unit("1-2"));
    }
}
