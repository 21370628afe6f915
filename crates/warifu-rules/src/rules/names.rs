//! `SSM101`, `SSM113`, `SSM12x`–`SSM14x`: folders and file names.
//!
//! SS-MIX2 標準化ストレージ仕様書, フォルダー構成, ファイル命名規約.

use warifu_diag::Example::Path;
use warifu_diag::catalogue::ssm::{SSM101, SSM102, SSM113};
use warifu_diag::{Code, Diagnostic, SourceId, Span};
use warifu_ssmix2::{
    DataKind, FileName, Kind, NO_ORDER, NameNote, Place, components, is_item_name, level1_of,
    level2_of, locate,
};

use super::tables;
use crate::Options;

warifu_diag::codes! {
    SSM120 = "SSM120" "level-one-differs" Warning { "第１階層が患者IDの１～３文字目と違います", "folder level 1 is not characters 1 to 3 of the patient id", "患者IDの先頭３文字のフォルダーに置いてください", "put it in the folder of the first three characters", "SS-MIX2 フォルダー構成";
        "患者を階層で探す受け手は、このフォルダーを見つけられません。", "Readers that go down level by level do not find the folder.";
        Path("001/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_01_1") => Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_01_1") }
    SSM121 = "SSM121" "level-two-differs" Warning { "第２階層が患者IDの４～６文字目と違うか、ありません", "folder level 2 is missing or not characters 4 to 6 of the patient id", "患者IDの４～６文字目のフォルダーに置いてください", "put it in the folder of characters 4 to 6", "SS-MIX2 フォルダー構成";
        "患者を階層で探す受け手は、このフォルダーを見つけられません。", "Readers that go down level by level do not find the folder.";
        Path("000/001/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_01_1") => Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_01_1") }
    SSM122 = "SSM122" "name-patient-differs" Error { "ファイル名の患者IDがフォルダーと違います", "the patient id in the file name differs from the folder", "どちらの患者のものか確かめてください", "find out whose file it is", "SS-MIX2 ファイル命名規約";
        "別の患者のフォルダーに入ったデータは、取り違えにつながります。", "A file in another patient's folder leads to a mix-up.";
        Path("000/000/0000000001/20260401/OML-11/0000000002_20260401_OML-11_000000000000001_20260401093000123_01_1") => Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_01_1") }
    SSM123 = "SSM123" "name-date-differs" Error { "ファイル名の診療日がフォルダーと違うか、診療日のフォルダーがありません", "the care date in the file name differs from the folder, or the folder is missing", "診療日のフォルダーに置いてください", "put it in the folder of its day", "SS-MIX2 ファイル命名規約";
        "版の管理は患者・診療日・種別・オーダ番号で行うので、古い版が有効なまま残ります。", "Versions are kept by patient, day, kind and number; an old version stays valid.";
        Path("000/000/0000000001/20260401/OML-11/0000000001_20260402_OML-11_000000000000001_20260402093000123_01_1") => Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_01_1") }
    SSM124 = "SSM124" "name-kind-differs" Error { "ファイル名のデータ種別がフォルダーと違うか、種別のフォルダーがありません", "the data kind in the file name differs from the folder, or the folder is missing", "データ種別のフォルダーに置いてください", "put it in the folder of its kind", "SS-MIX2 ファイル命名規約";
        "種別ごとに読む受け手は、このファイルを別の種別として読みます。", "Readers that go by kind take it for another kind.";
        Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1") => Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_01_1") }
    SSM125 = "SSM125" "patient-id-long" Error { "患者IDが 15 文字を超えています", "the patient id is longer than 15 characters", "15 文字以内にしてください", "use at most 15 characters", "SS-MIX2 ファイル命名規約";
        "索引データベースの患者IDは 15 文字までで、切り詰めると別の患者になります。", "The index database holds 15 characters; cut, it names another patient.";
        Path("000/000/0000000000000001/20260401/OML-11/0000000000000001_20260401_OML-11_000000000000001_20260401093000123_01_1") => Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_01_1") }
    SSM126 = "SSM126" "name-date-invalid" Error { "診療日が暦にない日です", "the care date is no day of the calendar", "YYYYMMDD か - を書いてください", "write YYYYMMDD or -", "SS-MIX2 フォルダー構成";
        "日付で並べる受け手は、このフォルダーを扱えません。", "Readers that sort by day cannot place the folder.";
        Path("000/000/0000000001/20260431/OML-11/0000000001_20260431_OML-11_000000000000001_20260401093000123_01_1") => Path("000/000/0000000001/20260430/OML-11/0000000001_20260430_OML-11_000000000000001_20260430093000123_01_1") }
    SSM127 = "SSM127" "name-date-unexpected" Warning { "日付のない種別なのに診療日があります", "a kind without a day has a care date", "診療日に - を書いてください", "write - for the care date", "SS-MIX2 データ種別一覧";
        "ADT-00・ADT-01・ADT-61・PPR-01 は - のフォルダーで探されます。", "ADT-00, ADT-01, ADT-61 and PPR-01 are looked up under -.";
        Path("000/000/0000000001/20260401/ADT-00/0000000001_20260401_ADT-00_999999999999999_20260401093000123_-_1") => Path("000/000/0000000001/-/ADT-00/0000000001_-_ADT-00_999999999999999_20260401093000123_-_1") }
    SSM128 = "SSM128" "name-date-missing" Error { "日付のある種別なのに診療日がありません", "a kind with a day has no care date", "診療日を書いてください", "write the care date", "SS-MIX2 データ種別一覧";
        "いつのデータか分からず、日付で探しても見つかりません。", "The data cannot be found by their day.";
        Path("000/000/0000000001/-/OML-11/0000000001_-_OML-11_000000000000001_20260401093000123_01_1") => Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_01_1") }
    SSM130 = "SSM130" "extended-kind-shape" Warning { "拡張ストレージのデータ種別が 3 部でも 6 部でもありません", "an extended data kind has neither three nor six parts", "コード^名称^体系 (必要なら標準コードも) と書いてください", "write code^name^system, with the standard triplet if there is one", "SS-MIX2 拡張ストレージ構成の説明と構築ガイドライン";
        "標準コードの位置が決まらず、文書の種類が分かりません。", "The standard code cannot be told, nor the type of the document.";
        Path("000/000/0000000001/20260401/X^文書^99Z^11506-3/0000000001_20260401_X^文書^99Z^11506-3_1_20260401093000123_01_1/main_document.xml") => Path("000/000/0000000001/20260401/X^文書^99Z^11506-3^経過記録^LN/0000000001_20260401_X^文書^99Z^11506-3^経過記録^LN_1_20260401093000123_01_1/main_document.xml") }
    SSM131 = "SSM131" "extended-kind-long" Warning { "拡張ストレージのデータ種別が 180 文字を超えています", "an extended data kind is longer than 180 characters", "180 文字以内にしてください", "use at most 180 characters", "SS-MIX2 索引データベース DataKind";
        "索引データベースに入りません。", "It does not fit into the index database.";
        Path("000/000/0000000001/20260401/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA^B^99Z/0000000001_20260401_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA^B^99Z_1_20260401093000123_01_1/main_document.xml") => Path("000/000/0000000001/20260401/A^B^99Z/0000000001_20260401_A^B^99Z_1_20260401093000123_01_1/main_document.xml") }
    SSM132 = "SSM132" "order-number-length" Warning { "オーダ番号が 15 桁ではありません", "the order number does not have 15 digits", "左を 0 で埋めて 15 桁にしてください", "pad it with zeros on the left to 15 digits", "SS-MIX2 ファイル命名規約";
        "桁数が違うと、同じオーダの版が別のものとして残ります。", "With another length a version of the same order stays as an item of its own.";
        Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_0000000000001_20260401093000123_01_1") => Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_01_1") }
    SSM133 = "SSM133" "order-number-not-digits" Warning { "オーダ番号に数字以外があります", "the order number has characters that are no digits", "数字だけにしてください", "use digits only", "SS-MIX2 ファイル命名規約";
        "数字だけを受け付ける受け手は、このファイルを読みません。", "Readers that want digits do not read the file.";
        Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_00000000000000A_20260401093000123_01_1") => Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_01_1") }
    SSM134 = "SSM134" "specific-key-long" Warning { "特定キーが 22 文字を超えています", "the specific key is longer than 22 characters", "22 文字以内にしてください", "use at most 22 characters", "SS-MIX2 拡張ストレージ";
        "索引データベースに入りません。", "It does not fit into the index database.";
        Path("000/000/0000000001/20260401/A^B^99Z/0000000001_20260401_A^B^99Z_12345678901234567890123_20260401093000123_01_1/main_document.xml") => Path("000/000/0000000001/20260401/A^B^99Z/0000000001_20260401_A^B^99Z_1234567890123456789012_20260401093000123_01_1/main_document.xml") }
    SSM135 = "SSM135" "order-number-empty" Error { "オーダ番号 (特定キー) が空です", "the order number or specific key is empty", "番号のない種別には 999999999999999 を書いてください", "write 999999999999999 where there is no number", "SS-MIX2 ファイル命名規約";
        "版の管理ができず、古い版が有効なまま残ります。", "Versions cannot be told apart.";
        Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11__20260401093000123_01_1") => Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_01_1") }
    SSM136 = "SSM136" "timestamp-length" Warning { "発生日時が 17 桁ではありません", "the time stamp does not have 17 digits", "YYYYMMDDHHMMSSFFF と書いてください", "write YYYYMMDDHHMMSSFFF", "SS-MIX2 ファイル命名規約";
        "桁数が違うと、どの版が新しいかの比べ方が受け手で変わります。", "With another length readers order the versions differently.";
        Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_202604010930001_01_1") => Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_01_1") }
    SSM137 = "SSM137" "timestamp-invalid" Warning { "発生日時が暦にない日時です", "the time stamp is no time of the calendar", "メッセージを書いた日時を入れてください", "write the time the message was written", "SS-MIX2 ファイル命名規約";
        "新しい版がどれか分かりません。", "The newest version cannot be told.";
        Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260431253000123_01_1") => Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_01_1") }
    SSM138 = "SSM138" "department-missing" Warning { "診療科コードの部がありません", "the department part is absent", "診療科コードか - を書いてください", "write the department code or -", "SS-MIX2 ファイル命名規約";
        "部の数で読む受け手は、フラグを診療科として読みます。", "Readers that count parts take the flag for the department.";
        Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_1") => Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_-_1") }
    SSM139 = "SSM139" "department-shape" Warning { "ファイル名の診療科コードが表 0069 の形 (数字 2 桁と、あれば 1 文字) ではありません", "the department of the file name does not have the shape of table 0069 (two digits, perhaps a third character)", "表 0069 の診療科コードを書いてください", "use the department codes of table 0069", "SS-MIX2 表 0069";
        "受け手は診療科を表示できません。", "Receivers cannot show the department.";
        Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_INTM_1") => Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_01_1") }
    SSM140 = "SSM140" "content-folder-missing" Warning { "拡張ストレージの文書がコンテンツフォルダーの外にあります", "an extended item lies outside a content folder", "コンテンツフォルダーを作って中に置いてください", "put it into a content folder", "SS-MIX2 拡張ストレージ構成の説明と構築ガイドライン";
        "受け手はコンテンツフォルダーの中だけを読みます。", "Receivers read only inside content folders.";
        Path("000/000/0000000001/20260401/A^B^99Z/0000000001_20260401_A^B^99Z_1_20260401093000123_01_1") => Path("000/000/0000000001/20260401/A^B^99Z/0000000001_20260401_A^B^99Z_1_20260401093000123_01_1/main_document.xml") }
    SSM141 = "SSM141" "extra-folder-level" Warning { "標準化ストレージのファイルが深すぎるフォルダーにあります", "a file of the standard storage lies too deep", "データ種別のフォルダーに直接置いてください", "put it directly into the folder of its kind", "SS-MIX2 フォルダー構成";
        "受け手はデータ種別のフォルダーの直下だけを読みます。", "Receivers read only the folder of the kind itself.";
        Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_01_1/message.hl7") => Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_01_1") }
    SSM142 = "SSM142" "order-number-expected" Info { "オーダのある種別なのに番号が 999999999999999 です", "a kind with orders has the number 999999999999999", "ORC-2 と同じオーダ番号を書いてください", "write the order number of ORC-2", "SS-MIX2 ファイル命名規約";
        "同じ日の別のオーダが、互いの版として置き換えられます。", "Other orders of the day replace one another as versions.";
        Path("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_999999999999999_20260401093000123_01_1") => Path("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1") }
    SSM143 = "SSM143" "order-number-unexpected" Info { "オーダのない種別なのに番号が 999999999999999 ではありません", "a kind without orders has another number than 999999999999999", "999999999999999 を書いてください", "write 999999999999999", "SS-MIX2 ファイル命名規約";
        "前の版と番号が違うと、前の版が有効なまま残ります。", "With another number the version before stays valid.";
        Path("000/000/0000000001/-/ADT-00/0000000001_-_ADT-00_000000000000001_20260401093000123_-_1") => Path("000/000/0000000001/-/ADT-00/0000000001_-_ADT-00_999999999999999_20260401093000123_-_1") }
    SSM144 = "SSM144" "timestamp-before-care-date" Info [strict] { "結果・実施の発生日時が診療日より前です", "a result or administration was written before its care date", "診療日か発生日時を確かめてください", "check the care date and the time stamp", "SS-MIX2 ファイル命名規約";
        "実施前に実施記録が書かれることはなく、日付の誤りの印です。", "Nothing is recorded before it happens; one of the days is wrong.";
        Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260301093000123_01_1") => Path("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_01_1") }
}

const fn code_of(note: NameNote) -> Option<Code> {
    Some(match note {
        NameNote::LevelOneDiffers => &SSM120,
        NameNote::LevelTwoDiffers => &SSM121,
        NameNote::PatientDiffers => &SSM122,
        NameNote::DateDiffers => &SSM123,
        NameNote::KindDiffers => &SSM124,
        NameNote::PatientIdLong => &SSM125,
        NameNote::DateInvalid => &SSM126,
        NameNote::DateUnexpected => &SSM127,
        NameNote::DateMissing => &SSM128,
        NameNote::KindUnknown => &SSM113,
        NameNote::ExtendedKindShape => &SSM130,
        NameNote::ExtendedKindLong => &SSM131,
        NameNote::OrderNoLength => &SSM132,
        NameNote::OrderNoNotDigits => &SSM133,
        NameNote::SpecificKeyLong => &SSM134,
        NameNote::OrderNoEmpty => &SSM135,
        NameNote::TimestampLength => &SSM136,
        NameNote::TimestampInvalid => &SSM137,
        NameNote::DepartmentMissing => &SSM138,
        NameNote::DepartmentShape => &SSM139,
        NameNote::ContentFolderMissing => &SSM140,
        NameNote::ExtraLevel => &SSM141,
        _ => return None,
    })
}

/// Whether a patient's folder stands in one that is not its level 2, with its date, its kind and its file
/// below. A tree may begin at any level: what is above the first folder of the path is not known.
fn is_without_levels(parts: &[&str], name: FileName<'_>) -> bool {
    matches!(*parts, [.., above, patient, date, kind, _]
        if [patient, date, kind] == [name.patient, name.date, name.kind]
            && above != level2_of(patient)
            && above != level1_of(patient))
}

/// Whether the folders above a file outside a storage are not those of its name. A tree may begin at any
/// level: of a name alone nothing is known.
fn is_misplaced(parts: &[&str], name: FileName<'_>) -> bool {
    let above = parts.iter().rev().skip(1);
    let mut levels = above.zip([name.kind, name.date, name.patient]);
    is_item_name(parts.last().copied().unwrap_or_default())
        && levels.any(|(folder, level)| *folder != level)
}

/// Checks a path; all findings are about the file as a whole.
pub(crate) fn check(path: &str, source: SourceId, options: Options, out: &mut Vec<Diagnostic>) {
    let span = Span {
        source,
        start: 0,
        end: 0,
    };
    let parts: Vec<&str> = components(path).collect();
    let leaf = parts.last().copied().unwrap_or_default();
    let place = locate(&parts);
    if place == Place::Elsewhere
        && options.has(&SSM102)
        && let Ok(name) = FileName::parse(leaf)
        && is_misplaced(&parts, name)
    {
        out.push(Diagnostic::new(&SSM102, span).with(name.kind.to_owned()));
    }
    let mut report = |code: Code| {
        if options.has(code) {
            out.push(Diagnostic::new(code, span));
        }
    };
    let name = match place {
        Place::Item(item) => {
            for note in item.notes() {
                if let Some(code) = code_of(note) {
                    report(code);
                }
            }
            let name = item.name();
            if name.is_err() {
                report(&SSM101);
            }
            name.ok()
        }
        Place::Elsewhere if parts.len() > 5 && !is_item_name(leaf) => {
            report(&SSM101);
            None
        }
        _ => {
            let name = FileName::parse(leaf).ok();
            if name.is_some_and(|name| is_without_levels(&parts, name)) {
                report(&SSM121);
            }
            for note in name.iter().flat_map(FileName::notes) {
                if let Some(code) = code_of(note) {
                    report(code);
                }
            }
            name
        }
    };
    let Some(name) = name else {
        return;
    };
    // What has another length was told with the parts of the name.
    if let Some(code) = name.department
        && matches!(code.chars().count(), 2 | 3)
        && !tables::has("0069", code)
    {
        report(&SSM139);
    }
    let Kind::Standard(kind) = name.data_kind() else {
        return;
    };
    let ordered = !kind.code().starts_with("ADT");
    if ordered && name.order == NO_ORDER && kind != DataKind::Ppr01 {
        report(&SSM142);
    }
    if !ordered && !name.is_without_order_no() {
        report(&SSM143);
    }
    let done = kind.stage() == warifu_ssmix2::Stage::Result;
    let day = name.timestamp.0.get(..8).unwrap_or(name.date);
    if done && name.date.len() == 8 && day < name.date {
        report(&SSM144);
    }
}
