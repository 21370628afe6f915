//! `SSM40x`–`SSM42x`: codes by the shape of their system, and how triplets are filled.

use warifu_diag::Code;
use warifu_diag::Example::Lines;
use warifu_hl7::{Part, Segment};
use warifu_ssmix2::DataKind as K;
use warifu_terms::tables::Entry;
use warifu_terms::{jlac, systems};

use super::{tables, units};
use crate::cx::Cx;

warifu_diag::codes! {
    SSM315 = "SSM315" "text-of-another-code" Info { "名称が、同じ表の別のコードの名称です", "the text is that of another code of the table", "コードと名称のどちらが正しいか確かめてください", "find out which of both is right", "SS-MIX2 コード表; HL7 v2.5 §2.A.13 CWE";
        "コードで読む受け手と名称で読む人とで、意味が変わります。", "Receivers that go by the code and people that go by the text take it for different things.";
        Lines("OML-11", "SPM|1|||023^全血^JC10|||||||||||||202604010850") => Lines("OML-11", "SPM|1|||023^血清^JC10|||||||||||||202604010850") }
    SSM401 = "SSM401" "jlac10-length" Warning { "JLAC10 コードが 17 桁ではありません", "a JLAC10 code does not have 17 characters", "分析物5・識別4・材料3・測定法3・結果識別2 の 17 桁で書いてください (依頼は 15 桁も可)", "write 17 characters: 5+4+3+3+2 (15 in orders)", "JLAC10 臨床検査項目分類コード; SS-MIX2 OBX-3";
        "桁数が違うと、どの検査か受け手で特定できず、時系列に並びません。", "With another length receivers cannot tell the test or put it in a series.";
        Lines("OML-11", "OBX|1|NM|3A0100000023271^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") }
    SSM402 = "SSM402" "jlac10-filler" Warning { "JLAC10 コードにハイフンなどの埋め草があります", "a JLAC10 code holds filler such as hyphens", "測定法などの部分も決まったコードで埋めてください", "fill every part with its code", "JLAC10 臨床検査項目分類コード";
        "測定法が違う値を同じ項目として並べてしまいます。", "Values of different methods end up in one series.";
        Lines("OML-11", "OBX|1|NM|3A0100000023---01^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") }
    SSM403 = "SSM403" "jlac10-analyte" Warning { "JLAC10 の分析物コード (1～5 桁目) の形が違います", "the analyte of a JLAC10 code (characters 1 to 5) has the wrong shape", "数字・英大文字・数字3桁の分析物コードを書いてください", "use a digit, a capital letter and three digits", "JLAC10 分析物コード";
        "何の検査か分かりません。", "It does not say what was measured.";
        Lines("OML-11", "OBX|1|NM|33010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") }
    SSM404 = "SSM404" "jlac10-identification" Warning { "JLAC10 の識別コード (6～9 桁目) の形が違います", "the identification of a JLAC10 code (characters 6 to 9) has the wrong shape", "英大文字か数字 4 桁の識別コードを書いてください", "use four capital letters or digits", "JLAC10 識別コード";
        "負荷試験の時間などが区別できません。", "Times of a tolerance test and the like cannot be told apart.";
        Lines("OML-11", "OBX|1|NM|3A010000a02327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") }
    SSM405 = "SSM405" "jlac10-specimen" Warning { "JLAC10 の材料コード (10～12 桁目) が材料コード表にありません", "the specimen of a JLAC10 code (characters 10 to 12) is not in its table", "材料コード表の 3 桁を書いてください", "use a code of the specimen table", "JLAC10 材料コード表";
        "血清か尿かが分からないと、値を比べられません。", "Serum and urine cannot be compared.";
        Lines("OML-11", "OBX|1|NM|3A010000099927101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") }
    SSM406 = "SSM406" "jlac10-method" Warning { "JLAC10 の測定法コード (13～15 桁目) の形が違います", "the method of a JLAC10 code (characters 13 to 15) has the wrong shape", "英大文字か数字 3 桁の測定法コードを書いてください", "use three capital letters or digits", "JLAC10 測定法コード";
        "測定法が違うと基準値も違います。", "Another method has another reference range.";
        Lines("OML-11", "OBX|1|NM|3A0100000023b7101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") }
    SSM407 = "SSM407" "jlac10-result-id" Warning { "JLAC10 の結果識別コード (16～17 桁目) の形が違います", "the result id of a JLAC10 code (characters 16 and 17) has the wrong shape", "英大文字か数字 2 桁の結果識別コードを書いてください", "use two capital letters or digits", "JLAC10 結果識別コード";
        "値か判定かが区別できません。", "Value and verdict cannot be told apart.";
        Lines("OML-11", "OBX|1|NM|3A01000000232710x^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") }
    SSM408 = "SSM408" "jan-code" Warning { "JAN コードの桁数か検証番号が違います", "a JAN code has the wrong length or check digit", "13 桁か 8 桁の JAN コードを確かめてください", "check the 13 or 8 digits", "JIS X 0507 (JAN)";
        "使用した物品を特定できません。", "The article used cannot be told.";
        Lines("OMP-12", "RXA|0|1|20260401093000|20260401094000|4900000000000^試験品^JAN|1|AMP^アンプル^MR9P") => Lines("OMP-12", "RXA|0|1|20260401093000|20260401094000|4900000000009^試験品^JAN|1|AMP^アンプル^MR9P") }
    SSM409 = "SSM409" "jlac11-shape" Warning { "JLAC11 コードが 17 桁の英大文字・数字ではありません", "a JLAC11 code does not have 17 capital letters or digits", "17 桁の JLAC11 コードを書いてください", "write the 17 characters of JLAC11", "JLAC11 臨床検査項目コード";
        "どの検査か受け手で特定できません。", "Receivers cannot tell the test.";
        Lines("OML-11", "OBX|1|NM|3A0100000023271^総蛋白^JC11||7.2|g/dL^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC11||7.2|g/dL^g/dL^ISO+|||||F") }
    SSM410 = "SSM410" "hot-length" Warning { "HOT コードの桁数が {} と合いません", "the HOT code does not have the length of {}", "体系名と同じ桁数の数字で書いてください", "write as many digits as the system's name says", "MEDIS 医薬品HOTコードマスター";
        "桁数が違うと別の包装や別の薬として読まれます。", "Another length means another package or another drug.";
        Lines("OMP-01", "RXE||1000001^試験錠^HOT9|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P") => Lines("OMP-01", "RXE||100000101^試験錠^HOT9|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P") }
    SSM411 = "SSM411" "yj-shape" Warning { "YJ コードが 12 桁の形ではありません", "a YJ code does not have its 12 characters", "7桁の数字・英字・4桁の YJ コードを書いてください", "write seven digits, a letter and four characters", "個別医薬品コード (YJ コード)";
        "どの薬か特定できません。", "The drug cannot be told.";
        Lines("OMP-01", "RXE||1190027F10^試験錠^YJ|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P") => Lines("OMP-01", "RXE||1190027F1022^試験錠^YJ|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P") }
    SSM412 = "SSM412" "icd10-shape" Warning { "ICD-10 コードの形が違います", "the shape of the ICD-10 code is wrong", "英字 1 文字と数字 2～4 桁で書いてください", "write a letter and two to four digits", "ICD-10; SS-MIX2 PRB-10";
        "病名の統計や照合に使えません。", "It cannot be used in statistics or look-ups.";
        Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||10I^高血圧症^I10") => Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10") }
    SSM413 = "SSM413" "medis-disease-shape" Warning { "病名・修飾語の管理番号 (8 桁) か交換用コード (4 桁) の形が違います", "not the shape of a management number (8 digits) or an exchange code (4 characters)", "標準病名マスターの番号を書いてください", "use the numbers of the disease master", "MEDIS 標準病名マスター; SS-MIX2 PRB-3, ZPR";
        "どの病名か特定できません。", "The disease cannot be told.";
        Lines("PPR-01", "PRB|AD|20260401093000|200615^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10") => Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10") }
    SSM414 = "SSM414" "uncoded-disease-without-text" Warning { "未コード化傷病名 (20084317) に病名の文字がありません", "an uncoded disease (20084317) without its text", "病名を 2 番目の成分に書いてください", "write the name in component 2", "MEDIS 標準病名マスター; SS-MIX2 PRB-3";
        "未コード化傷病名は、文字がなければ何の病名か分かりません。", "An uncoded disease is nothing without its text.";
        Lines("PPR-01", "PRB|AD|20260401093000|20084317^^MDCDX2|PRB0001|||20260401") => Lines("PPR-01", "PRB|AD|20260401093000|20084317^原因不明の発疹^MDCDX2|PRB0001|||20260401") }
    SSM415 = "SSM415" "jami-usage-shape" Warning { "JAMI 標準用法コード (16 桁、補足は 8 桁) の形が違います", "not a JAMI usage code (16 characters, 8 if supplementary)", "標準用法マスタのコードを書いてください", "use the codes of the JAMI usage master", "JAMI 内服・外用 標準用法マスタ; SS-MIX2 TQ1-3";
        "用法を機械で読めず、飲み合わせや服用時刻の確認に使えません。", "The usage cannot be read by machines.";
        Lines("OMP-01", "TQ1|1||101&朝食後&JAMISDP01|||7^d|20260401") => Lines("OMP-01", "TQ1|1||1011000400000000&内服・経口・１日１回朝食後&JAMISDP01|||7^d|20260401") }
    SSM416 = "SSM416" "loinc-shape" Warning { "LOINC コードの形か検証番号が違います", "the shape or the check digit of the LOINC code is wrong", "番号-検証番号 の LOINC コードを確かめてください", "check the number and the check digit", "LOINC Users' Guide (check digit, modulus 10)";
        "文書や検査の種類が分かりません。", "The type of document or test cannot be told.";
        Lines("OML-11", "OBX|1|NM|2885-3^総蛋白^LN^3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|NM|2885-2^総蛋白^LN^3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") }
    SSM417 = "SSM417" "j-fagy-shape" Warning { "J-FAGY アレルゲンコードの形が違います", "not the shape of a J-FAGY allergen code", "J9F・J9N は 12 桁、YCM・GCM は 15 桁で書いてください", "12 characters for J9F and J9N, 15 for YCM and GCM", "J-FAGY アレルゲンコード";
        "何のアレルギーか機械で照合できません。", "The allergen cannot be matched by machines.";
        Lines("ADT-61", "IAM|1|FA^食物アレルギー^HL70127|J9F1^さば^J-FAGY|||A^追加^HL70323") => Lines("ADT-61", "IAM|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|||A^追加^HL70323") }
    SSM418 = "SSM418" "janis-shape" Warning { "JANIS コードが 3～4 桁の数字ではありません", "a JANIS code does not have 3 or 4 digits", "JANIS の菌名・薬剤コードを書いてください", "use the JANIS codes of organisms and drugs", "JANIS 検査部門 コード表; SS-MIX2 OML-11 細菌検査";
        "菌名や薬剤を集計できません。", "Organisms and drugs cannot be counted.";
        Lines("OML-11", "OBX|1|CWE|6B010000006174114^菌名^JC10|1|SP^肺炎球菌^JANIS||||||F") => Lines("OML-11", "OBX|1|CWE|6B010000006174114^菌名^JC10|1|1131^肺炎球菌^JANIS||||||F") }
    SSM420 = "SSM420" "coding-system-missing" Info { "コードに体系名がありません ({})", "a code without the name of its system ({})", "3 番目 (6 番目) の成分に体系名を書いてください", "write the system's name in component 3 (6)", "HL7 v2.5 §2.A.13 CWE; SS-MIX2 コード表";
        "同じコードでも体系が違えば別のものです。", "The same code means another thing in another system.";
        Lines("OMP-01", "RXE||100000101^試験錠|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P") => Lines("OMP-01", "RXE||100000101^試験錠^HOT9|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P") }
    SSM421 = "SSM421" "code-missing" Warning { "体系名があるのにコードも文字もありません ({})", "the name of a system without code or text ({})", "コードを書くか、体系名を消してください", "write the code, or leave the name out", "HL7 v2.5 §2.A.13 CWE";
        "値が抜け落ちた印です。", "It tells of a value that was lost.";
        Lines("OMP-01", "RXR|PO^口^HL70162|^^HL70163") => Lines("OMP-01", "RXR|PO^口^HL70162") }
    SSM422 = "SSM422" "coding-system-blanks" Info [safe] { "体系名の前後に空白があります ({})", "blanks around the name of a system ({})", "空白を取ってください", "leave the blanks out", "HL7 v2.5 §2.A.13 CWE; HL7 表 0396";
        "文字列で比べる受け手では、知らない体系になります。", "Receivers that compare texts take it for an unknown system.";
        Lines("OMP-01", "RXR|PO^口^HL70162 ^") => Lines("OMP-01", "RXR|PO^口^HL70162") }
    SSM423 = "SSM423" "coding-system-unknown" Info { "知らない体系名です ({})", "unknown name of a coding system ({})", "標準の体系名か、99 で始まる施設の体系名を書いてください", "use a standard name, or one of your own that begins with 99", "HL7 表 0396; SS-MIX2 コード表";
        "受け手は体系を特定できず、コードを使えません。", "Receivers cannot tell the system nor use the code.";
        Lines("OMP-01", "RXE||100000101^試験錠^DRUG|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P") => Lines("OMP-01", "RXE||100000101^試験錠^HOT9|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P") }
    SSM424 = "SSM424" "standard-code-missing" Warning { "標準コードがなく、施設のコードだけです ({})", "only a local code where a standard one is wanted ({})", "標準コードを併記してください", "send the standard code as well", "SS-MIX2 コード表 (JLAC10・HOT・YJ・標準病名)";
        "施設のコードだけでは、ほかの施設で意味が分かりません。", "A local code means nothing elsewhere.";
        Lines("OMP-01", "RXE||A001^試験錠^99TST|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P") => Lines("OMP-01", "RXE||A001^試験錠^99TST^100000101^試験錠^HOT9|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P") }
    SSM425 = "SSM425" "coding-system-twice" Info { "同じ体系のコードが二つあります ({})", "two codes of one system ({})", "一つにするか、別の体系名を書いてください", "send one, or name the other system", "HL7 v2.5 §2.A.13 CWE";
        "どちらが正しいか受け手に分かりません。", "Receivers cannot tell which one holds.";
        Lines("OMP-01", "RXE||100000101^試験錠^HOT9^100000102^試験錠^HOT9|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P") => Lines("OMP-01", "RXE||100000101^試験錠^HOT9^1190027F1022^試験錠^YJ|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P") }
    SSM426 = "SSM426" "code-full-width" Warning [safe] { "標準コードが全角で書かれています ({})", "a standard code in full-width characters ({})", "半角で書いてください", "write it in ASCII", "SS-MIX2 コード表";
        "全角のコードはどの表とも一致しません。", "A full-width code matches no table.";
        Lines("OMP-01", "RXR|ＰＯ^口^HL70162") => Lines("OMP-01", "RXR|PO^口^HL70162") }
    SSM427 = "SSM427" "code-without-text" Info [strict] { "コードに名称がありません ({})", "a code without its text ({})", "2 番目 (5 番目) の成分に名称を書いてください", "write the text in component 2 (5)", "SS-MIX2 コード化データ";
        "コード表のない受け手は表示できません。", "Receivers without the table cannot show it.";
        Lines("OMP-01", "RXE||100000101^^HOT9|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P") => Lines("OMP-01", "RXE||100000101^試験錠^HOT9|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P") }
    SSM428 = "SSM428" "coding-system-of-another-table" Warning { "項目の表と違う表の体系名です ({})", "the name of another table than the field's ({})", "項目の表の番号を書いてください", "name the table of the field", "HL7 v2.5 §2.A.13 CWE; HL7 表 0396";
        "同じ文字のコードが、別の表では別の意味になります。", "The same letters mean something else in another table.";
        Lines("OMP-01", "RXR|PO^口^HL70163") => Lines("OMP-01", "RXR|PO^口^HL70162") }
    SSM431 = "SSM431" "code-blanks" Info [safe] { "コードの前後に空白があります ({})", "blanks around a code ({})", "空白を取ってください (施設のコードは、表の書き方を確かめてください)", "leave the blanks out; of a local code look up how its table writes it", "HL7 v2.5 §2.A.13 CWE; SS-MIX2 コード表";
        "空白を取り除かずに比べる受け手では、どの表とも一致しません。", "To receivers that do not trim it matches no table.";
        Lines("OMP-01", "RXR| PO^口^HL70162") => Lines("OMP-01", "RXR|PO^口^HL70162") }
    SSM430 = "SSM430" "icd10-edition" Info { "ICD-10 の版 (7・8 番目の成分) が 2003・2013 ではありません", "the edition of ICD-10 (components 7 and 8) is neither 2003 nor 2013", "2003 年版なら空か 2003、2013 年版なら 2013 と書いてください", "leave it empty or write 2003 for the edition of 2003, 2013 for that of 2013", "SS-MIX2 コード表 (I10); HL7 v2.5 §2.A.13 CWE.7";
        "版で意味の変わったコードを、受け手が別の病気として読みます。", "Codes changed between editions; receivers may read another disease.";
        Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10^^^^1999") => Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10^^^^2013") }
    SSM429 = "SSM429" "coding-system-misspelt" Warning { "標準の体系名に似ていますが、違う名前です ({})", "resembles the name of a standard coding system, but is none ({})", "体系名を一字ずつ確かめてください (HL70063、JHSD0001、JC10、HOT9、JJ1017 など)", "compare the name letter by letter (HL70063, JHSD0001, JC10, HOT9, JJ1017 …)", "HL7 表 0396; SS-MIX2 コード表";
        "受け手は名前全体で体系を選びます。一字違うと標準のコードが知らないコードになり、表との照合もされません。", "Receivers choose the system by the whole name; one letter off, and standard codes become unknown ones that nobody compares with their table.";
        Lines("ADT-00", "IN1|1|C0^国民健康保険^JHSD001|138057|||||||||20250401|20270331||||SEL^本人^HL70063") => Lines("ADT-00", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20250401|20270331||||SEL^本人^HL70063") }
}

/// The blank of double-byte text.
const WIDE_BLANK: char = '\u{3000}';

/// Systems of drugs.
pub(crate) const DRUGS: &[&str] = &[
    "HOT7", "HOT07", "HOT9", "HOT09", "HOT11", "HOT13", "YJ", "MYAK",
];

/// Systems of procedures of radiology.
pub(crate) const PROCEDURES: &[&str] = &[
    "JJ1017",
    "JJ1017P",
    "JJ1017-16M",
    "JJ1017-16P",
    "JJ1017-16S",
    "JJ1017-32",
];

/// One repetition of a CWE: two triplets.
pub(crate) fn check(cx: &mut Cx<'_, '_>, segment: Segment<'_>, field: usize, at: Part<'_>) {
    let mut parts = [None; 6];
    for (slot, component) in parts.iter_mut().zip(at.comps()) {
        *slot = Some(component);
    }
    let [code, text, system, other, other_text, other_system] = parts;
    let first = triplet(cx, segment, field, at, [code, text, system]);
    let second = triplet(cx, segment, field, at, [other, other_text, other_system]);
    if !first.is_empty() && first == second && other.is_some_and(|o| o.is_some()) {
        cx.report_with(&SSM425, other_system.unwrap_or(at), name(segment, field));
    }
    for (name, n) in [(first, 7), (second, 8)] {
        let edition = at.comp(n);
        if name == "I10" && !matches!(edition.value().trimmed().text, "" | "2003" | "2013") {
            cx.report(&SSM430, edition);
        }
    }
    let standard: &[&str] = match (&segment.name(), field) {
        (b"OBX", 3) if cx.is(&[K::Oml11]) => &["JC10", "JC11", "LN"],
        (b"RXE", 2) if cx.is(&[K::Omp01]) => DRUGS,
        (b"RXC", 2) if cx.is(&[K::Omp02]) => DRUGS,
        (b"PRB", 3) => &["MDCDX2", "I10"],
        _ => return,
    };
    let known = |system: &str| standard.contains(&system);
    let coded = code.is_some_and(|c| c.is_some()) || other.is_some_and(|c| c.is_some());
    let named = !first.is_empty() || !second.is_empty();
    if coded && named && !known(first) && !known(second) {
        cx.report_with(&SSM424, at, name(segment, field));
    }
}

/// A coded value in sub-components (`RPT.1`, `CQ.2`): one triplet.
pub(crate) fn check_inside(cx: &mut Cx<'_, '_>, segment: Segment<'_>, field: usize, at: Part<'_>) {
    if !at.has_subcomponents() {
        return;
    }
    let mut parts = [None; 3];
    for (slot, part) in parts.iter_mut().zip(at.subs()) {
        *slot = Some(part);
    }
    triplet(cx, segment, field, at, parts);
}

fn name(segment: Segment<'_>, field: usize) -> String {
    format!("{}-{field}", segment.name_str())
}

/// One triplet; the result is the name of its system without blanks.
fn triplet<'p>(
    cx: &mut Cx<'_, '_>,
    segment: Segment<'_>,
    field: usize,
    at: Part<'p>,
    [code, text, system]: [Option<Part<'p>>; 3],
) -> &'p str {
    let filled = |p: Option<Part<'p>>| p.filter(Part::is_some);
    let (code, text, system) = (filled(code), filled(text), filled(system));
    let raw = system.map_or("", |s| s.value().text);
    let system_name = systems::trim_name(raw);
    let Some(code) = code else {
        if system.is_some() && text.is_none() {
            cx.report_with(&SSM421, system.unwrap_or(at), name(segment, field));
        }
        return system_name;
    };
    if system_name.is_empty() {
        // Units are told by their spelling.
        let bound = tables::bound(segment.name(), field).is_some()
            || (segment.name(), field) == (*b"OBX", 6);
        // Identifiers of a result that OBX-3 carries inside (`9A100&IMP`) and texts need none.
        if !bound && !code.has_subcomponents() {
            cx.report_with(&SSM420, code, name(segment, field));
        }
        tables::coded(cx, segment, field, code, "");
        return "";
    }
    // Blanks at the end of the field are told as such (HL7130).
    if raw.len() != system_name.len()
        && let Some(system) = system
        && (system.span().1 != at.span().1 || raw.starts_with(' '))
    {
        let titles = ("空白を取る", "remove the blanks");
        let bytes = system_name.as_bytes().to_vec();
        cx.report_fix(
            &SSM422,
            system,
            Some(name(segment, field).into()),
            titles,
            bytes,
        );
    }
    if text.is_none() {
        cx.report_with(&SSM427, code, name(segment, field));
    }
    let value = code.value().trimmed().text;
    code_blanks(cx, segment, field, at, code, system_name);
    // A unit in full width is told as one (SSM441).
    let is_unit = (segment.name(), field) == (*b"OBX", 6)
        && code.span().0 == at.span().0
        && units::is_spelt(system_name)
        && warifu_terms::units::text_to_ucum(value).is_some();
    if !value.is_ascii() && is_standard(system_name) && !is_unit {
        let narrow: String = value.chars().map(narrow).collect();
        if narrow.is_ascii() {
            let titles = ("半角にする", "write it in ASCII");
            let bytes = narrow.into_bytes();
            cx.report_fix(
                &SSM426,
                code,
                Some(name(segment, field).into()),
                titles,
                bytes,
            );
            return system_name;
        }
    }
    if !is_known(system_name) {
        let at = system.unwrap_or(at);
        let code = if is_like_a_standard_name(system_name) {
            &SSM429
        } else {
            &SSM423
        };
        cx.report_with(code, at, name(segment, field));
        return system_name;
    }
    if let Some(wrong) = shape(cx, segment, field, system_name, value, text.is_some()) {
        if wrong == &SSM410 {
            cx.report_with(wrong, code, hot_name(system_name));
        } else {
            cx.report(wrong, code);
        }
    }
    let other = system_name.strip_prefix("HL7");
    let own = tables::bound(segment.name(), field);
    if let (Some(other), Some(own)) = (other, own)
        && is_numbered(system_name)
        && other != own
    {
        cx.report_with(&SSM428, system.unwrap_or(at), name(segment, field));
        return system_name;
    }
    tables::coded(cx, segment, field, code, system_name);
    if let Some(text) = text {
        let table = match system_name {
            "JC10" if segment.name() == *b"SPM" => "JC10-specimen",
            other => other,
        };
        contradiction(cx, table, code, text);
    }
    system_name
}

/// Tables with names of their own in Japanese; those of HL7 are translated in many ways.
const NAMED: &[&str] = &["0069", "JC10-specimen"];

/// `SSM315`: a text that is the name of another code of the table. Names that hospitals have of their own say
/// nothing, so they are compared as they are written.
fn contradiction(cx: &mut Cx<'_, '_>, table: &str, code: Part<'_>, text: Part<'_>) {
    let (own, name) = (code.value().trimmed().text, text.value().trimmed().text);
    let table = warifu_terms::tables::find(table)
        .filter(|t| NAMED.contains(&t.name) || t.name.starts_with("JHS"));
    let Some(table) = table.filter(|_| !name.is_empty()) else {
        return;
    };
    let Some(entry) = table.entry(own) else {
        return;
    };
    // Codes that refine others share their names.
    let related = |e: &Entry| e.code.starts_with(own) || own.starts_with(e.code);
    if entry.ja != name && table.entries.iter().any(|e| e.ja == name && !related(e)) {
        cx.report(&SSM315, text);
    }
}

/// `SSM431`: blanks before a code, and behind one that does not end its field (`HL7130` tells those); wide ones
/// at both ends. Codes of institutions may have them in their tables, so they have no fix.
fn code_blanks(
    cx: &mut Cx<'_, '_>,
    segment: Segment<'_>,
    field: usize,
    at: Part<'_>,
    code: Part<'_>,
    system: &str,
) {
    let text = code.text().text;
    let is_wide = |c: char| c == WIDE_BLANK;
    let wide = text.trim_matches(' ');
    let wide = wide.starts_with(is_wide) || wide.ends_with(is_wide);
    let raw = code.raw();
    let ends = code.span().1 == at.span().1;
    if !wide && !raw.starts_with(b" ") && (ends || !raw.ends_with(b" ")) {
        return;
    }
    let own = text.trim_matches([' ', WIDE_BLANK]);
    if own.is_empty() {
        return;
    }
    let argument = name(segment, field);
    // Double-byte characters would need their shift: those are told in other words (SSM426).
    let is_plain = own.is_ascii() && !own.contains(['|', '^', '~', '&', '\\']);
    if is_standard(system) && is_plain && !code.has_parts() {
        let titles = ("空白を取る", "remove the blanks");
        let bytes = own.as_bytes().to_vec();
        cx.report_fix(&SSM431, code, Some(argument.into()), titles, bytes);
    } else {
        cx.report_with(&SSM431, code, argument);
    }
}

/// Full-width ASCII as ASCII.
pub(super) fn narrow(c: char) -> char {
    match c {
        '！'..='～' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        c => c,
    }
}

/// Names of systems that SS-MIX2 data carry, and those of institutions.
fn is_known(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "DCM",
        "I10",
        "JSHR",
        "MFER",
        "ISO+",
        "JAMISDP01",
        "JAN",
        "JANIS",
        "JC10",
        "JC11",
        "L",
        "LENDO",
        "LN",
        "MDCDX2",
        "MR9P",
        "MYAK",
        "UCUM",
        "YJ",
        "J-FAGY",
        "UB",
        "SCT",
        "ACR",
        "ISO",
        "JMARI",
    ];
    NAMES.contains(&name)
        || name.starts_with("99")
        || is_numbered(name)
        || hot_digits(name).is_some()
        || PROCEDURES.contains(&name)
}

/// `HL7nnnn`, `JHSDnnnn` and the like: numbered tables, with the last number in use where it is settled.
fn is_numbered(name: &str) -> bool {
    [
        ("HL7", 4, 999),
        ("JHSD", 4, 7),
        ("JHSI", 4, 99),
        ("JHSP", 4, 99),
        ("JHSL", 4, 99),
        ("JSHR", 3, 99),
        ("JCHR", 3, 99),
    ]
    .iter()
    .any(|(prefix, length, last)| {
        name.strip_prefix(prefix).is_some_and(|n| {
            n.len() == *length
                && n.bytes().all(|b| b.is_ascii_digit())
                && n.parse::<u32>().is_ok_and(|n| (1..=*last).contains(&n))
        })
    })
}

/// Whether a name begins as those of the standard do, whose whole names are known.
fn is_like_a_standard_name(name: &str) -> bool {
    const BEGINNINGS: &[&str] = &[
        "HL7", "JHS", "JSHR", "JJ1", "HOT", "JAMI", "MDC", "MR9", "JC1", "JLAC", "LENDO", "JANI",
        "J-FAG", "ICD", "I10", "ISO", "YJ", "LOINC",
    ];
    BEGINNINGS.iter().any(|b| name.starts_with(b))
}

/// Whether codes of a system are ASCII.
fn is_standard(name: &str) -> bool {
    is_known(name) && !name.starts_with("99") && name != "L"
}

fn hot_digits(system: &str) -> Option<usize> {
    Some(match system {
        "HOT7" | "HOT07" => 7,
        "HOT9" | "HOT09" => 9,
        "HOT11" => 11,
        "HOT13" => 13,
        _ => return None,
    })
}

fn hot_name(system: &str) -> &'static str {
    match hot_digits(system) {
        Some(7) => "HOT7",
        Some(9) => "HOT9",
        Some(11) => "HOT11",
        _ => "HOT13",
    }
}

/// What is wrong with a code of a system.
fn shape(
    cx: &Cx<'_, '_>,
    segment: Segment<'_>,
    field: usize,
    system: &str,
    code: &str,
    has_text: bool,
) -> Option<Code> {
    match system {
        "JC10" => jlac10(cx, segment, field, code),
        "JC11" => (!jlac::is_jlac11(code)).then_some(&SSM409),
        "YJ" | "MYAK" => (!is_yj(code)).then_some(&SSM411),
        "I10" => (!jlac::is_icd10(code)).then_some(&SSM412),
        "MDCDX2" => {
            if code == jlac::UNCODED_DISEASE {
                return (!has_text).then_some(&SSM414);
            }
            // The exchange code stands beside the number, in fields of its own.
            let exchange = segment.name() == *b"ZPR" && matches!(field, 4..=6);
            let fits =
                jlac::is_medis_key_number(code) || (exchange && jlac::is_medis_exchange(code));
            (!fits).then_some(&SSM413)
        }
        "JAMISDP01" => {
            let fits = jlac::is_jami_usage(code) || jlac::is_jami_usage_additional(code);
            (!fits).then_some(&SSM415)
        }
        "LN" => {
            let digits: String = code.chars().filter(char::is_ascii_digit).collect();
            let fits = jlac::is_loinc(code) && jlac::has_check_digit(&digits);
            (!fits).then_some(&SSM416)
        }
        "J-FAGY" => {
            let length = match code.get(..3) {
                Some("J9F" | "J9N") => 12,
                Some("YCM" | "GCM") => 15,
                _ => 0,
            };
            let fits = code.len() == length && code.bytes().all(|b| b.is_ascii_alphanumeric());
            (!fits).then_some(&SSM417)
        }
        "JANIS" => {
            let fits = warifu_terms::systems::is_janis(code);
            (!fits).then_some(&SSM418)
        }
        "JAN" => (!is_jan(code)).then_some(&SSM408),
        _ => {
            let digits = hot_digits(system)?;
            (!jlac::is_hot(code, digits)).then_some(&SSM410)
        }
    }
}

/// The first part of a JLAC10 code that is wrong.
fn jlac10(cx: &Cx<'_, '_>, segment: Segment<'_>, field: usize, code: &str) -> Option<Code> {
    let order = cx.is(&[K::Oml01, K::Omg01, K::Omg02, K::Omg03, K::Omg13]);
    // SPM-4 holds the specimen alone; OBR-4 may hold the analyte's group.
    if segment.name() == *b"SPM" {
        let known = warifu_terms::tables::table("JC10-specimen", code).is_some();
        return (!known).then_some(&SSM405);
    }
    if code.contains(['-', '_', '*', '?', ' ']) {
        return Some(&SSM402);
    }
    // A request names a group by its analyte; a physiological finding its kind in sub-components.
    let group = (segment.name(), field) == (*b"OBR", 4) || cx.is(&[K::Omg03, K::Omg13]);
    let short = code.len() == 15 && (order || group) || code.len() == 5 && group;
    if !code.is_ascii() || (code.len() != 17 && !short) {
        return Some(&SSM401);
    }
    let part = |from: usize, to: usize| code.get(from..to).unwrap_or_default();
    let capital = |t: &str| {
        t.bytes()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
    };
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    let analyte = part(0, 1).bytes().all(|b| matches!(b, b'1'..=b'9'))
        && part(1, 2).bytes().all(|b| b.is_ascii_uppercase())
        && digits(part(2, 5));
    let specimen = part(9, 12);
    let known = warifu_terms::tables::table("JC10-specimen", specimen).is_some();
    // Physiological tests and vital signs have no specimen.
    let none = matches!(specimen, "000") || code.starts_with('9');
    if !analyte {
        Some(&SSM403)
    } else if !capital(part(5, 9)) {
        Some(&SSM404)
    } else if code.len() > 5 && !(known || none && digits(specimen)) {
        Some(&SSM405)
    } else if !capital(part(12, 15)) {
        Some(&SSM406)
    } else if !capital(part(15, code.len())) {
        Some(&SSM407)
    } else {
        None
    }
}

/// YJ: class of effect 4 digits, route and component 3 (letters where the digits ran out, as in
/// `631340FA1029`), form letter, 4 characters: digits, or `ZZZ` at the end for any brand. I and O, which look
/// like digits, are none of the letters.
fn is_yj(code: &str) -> bool {
    code.len() == 12
        && code.bytes().enumerate().all(|(at, b)| match at {
            0..=3 => b.is_ascii_digit(),
            7 => b.is_ascii_uppercase(),
            _ => b.is_ascii_digit() || b.is_ascii_uppercase() && !matches!(b, b'I' | b'O'),
        })
}

/// JAN (EAN): 13 or 8 digits, weights 1 and 3 from the right.
fn is_jan(code: &str) -> bool {
    let sum: u32 = code
        .bytes()
        .rev()
        .zip([1, 3].into_iter().cycle())
        .map(|(b, weight)| u32::from(b.wrapping_sub(b'0')) * weight)
        .sum();
    matches!(code.len(), 8 | 13)
        && code.bytes().all(|b| b.is_ascii_digit())
        && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yj_codes_have_digits_where_letters_look_like_them() {
        for code in ["3399007H1021", "631340FA1029", "3399007H1ZZZ"] {
            assert!(is_yj(code), "{code}");
        }
        for code in [
            "3399007H1O21",
            "3399007H102I",
            "33990O7H1021",
            "3399007h1021",
        ] {
            assert!(!is_yj(code), "{code}");
        }
    }

    #[test]
    fn jan_codes_carry_a_check_digit() {
        assert!(is_jan("4901234567894"));
        assert!(is_jan("4900000000009") && !is_jan("4900000000000"));
        assert!(!is_jan("4901234567890"));
        assert!(!is_jan("490123456789"));
    }

    #[test]
    fn names_of_systems() {
        for name in [
            "HL70162", "JHSD0001", "99XYZ", "HOT9", "JJ1017P", "ISO+", "JSHR001",
        ] {
            assert!(is_known(name), "{name}");
        }
        for name in ["DRUG", "HL7162", "", "X"] {
            assert!(!is_known(name), "{name}");
        }
        for name in [
            "JHSD001", "JHSD9999", "JHSD0040", "JSHR02", "JJ10171", "HL7063", "HL70000", "MR9",
            "JAMISDP", "HOT8", "JLAC10", "LENDO1",
        ] {
            assert!(!is_known(name) && is_like_a_standard_name(name), "{name}");
        }
    }
}
