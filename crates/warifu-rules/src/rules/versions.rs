//! `SSM104`, `SSM105`, `SSM80x`: versions of one item, by their file names.
//!
//! SS-MIX2 標準化ストレージ仕様書, コンディションフラグ.

use warifu_diag::Code;
use warifu_diag::Example::Files;
use warifu_diag::catalogue::ssm::{SSM104, SSM105};
use warifu_ssmix2::{SelectionNoteKind as Note, select};

use crate::patient::PatientCx;
use crate::rule::{Check, patient};

pub(crate) const CHECKS: &[Check] = &[patient(versions)];

warifu_diag::codes! {
    SSM801 = "SSM801" "same-name-twice" Error { "同じ名前のファイルが二つあります", "two files have one name", "中身を比べて、片方を取り除いてください", "compare them and remove one", "SS-MIX2 ファイル命名規約; 分割ボリューム";
        "ボリュームによって違う中身が読まれます。", "Readers take one or the other.";
        Files(&[("vol1/000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1", ""), ("vol2/000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1", "")]) => Files(&[("vol1/000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1", "")]) }
    SSM802 = "SSM802" "one-version-two-flags" Error { "同じ版が二つのフラグで残っています", "one version stands under two flags", "正しいフラグの方を残してください", "keep the one with the right flag", "SS-MIX2 コンディションフラグ";
        "改名の途中で止まっています。古いデータが有効に見えることがあります。", "A rename stopped halfway; old data may look valid.";
        Files(&[("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1", ""), ("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_2", "")]) => Files(&[("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1", "")]) }
    SSM803 = "SSM803" "replaced-beside-withdrawn" Warning { "取り消し (フラグ 0) の後に旧版 (フラグ 2) が残っています", "an old version (flag 2) remains beside a withdrawal (flag 0)", "旧版もフラグ 0 にしてください", "give the old version flag 0 too", "SS-MIX2 コンディションフラグ (削除)";
        "取り消されたデータの一部が生きて見えます。", "Part of what was withdrawn looks alive.";
        Files(&[("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_2", ""), ("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401103000123_01_0", "")]) => Files(&[("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_0", ""), ("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401103000123_01_0", "")]) }
    SSM804 = "SSM804" "withdrawn-newer-than-current" Warning { "有効な版 (フラグ 1) より新しい取り消し (フラグ 0) があります", "a withdrawal (flag 0) is newer than the valid version (flag 1)", "取り消されたのか確かめてください", "find out whether it was withdrawn", "SS-MIX2 コンディションフラグ";
        "取り消されたはずのデータが有効なままかもしれません。", "What was withdrawn may still be valid.";
        Files(&[("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1", ""), ("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401103000123_01_0", "")]) => Files(&[("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_2", ""), ("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401103000123_01_1", "")]) }
    SSM805 = "SSM805" "replaced-newer-than-current" Warning { "有効な版 (フラグ 1) より新しい旧版 (フラグ 2) があります", "a replaced version (flag 2) is newer than the valid one (flag 1)", "どちらが新しいか確かめてください", "find out which one is newer", "SS-MIX2 コンディションフラグ";
        "古い内容が有効として読まれます。", "The older content is read as valid.";
        Files(&[("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1", ""), ("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401103000123_01_2", "")]) => Files(&[("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_2", ""), ("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401103000123_01_1", "")]) }
    SSM806 = "SSM806" "order-moved" Info { "オーダが別の診療日に移されています", "the order was moved to another care date", "何もする必要はありません", "nothing needs to be done", "SS-MIX2 コンディションフラグ (移動)";
        "前の日のデータは取り消しではなく移動として扱われます。", "What stands under the old day was moved, not withdrawn.";
        Files(&[("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_0", ""), ("000/000/0000000001/20260402/OMP-01/0000000001_20260402_OMP-01_000000000000001_20260402093000123_01_1", "")]) => Files(&[("000/000/0000000001/20260402/OMP-01/0000000001_20260402_OMP-01_000000000000001_20260402093000123_01_1", "")]) }
    SSM807 = "SSM807" "order-on-two-days" Warning { "同じ種別・オーダ番号の有効なファイルが二つの診療日にあります", "one kind and order number is valid under two care dates", "移したなら、前の日のファイルをフラグ 0 にしてください", "if it was moved, give the old one flag 0", "SS-MIX2 コンディションフラグ (移動)";
        "同じ処方や検査が二回分として数えられます。", "One order counts twice.";
        Files(&[("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1", ""), ("000/000/0000000001/20260402/OMP-01/0000000001_20260402_OMP-01_000000000000001_20260402093000123_01_1", "")]) => Files(&[("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1", ""), ("000/000/0000000001/20260402/OMP-01/0000000001_20260402_OMP-01_000000000000002_20260402093000123_01_1", "")]) }
    SSM808 = "SSM808" "replaced-by-other-department" Info { "別の診療科のファイルで置き換えられています", "replaced by a file of another department", "別の受診なら、両方をフラグ 1 にしてください", "if they are two visits, give both flag 1", "SS-MIX2 コンディションフラグ; ADT-12";
        "同じ日の別の科の受診が消えているかもしれません。", "A visit to another department on that day may be lost.";
        Files(&[("000/000/0000000001/20260401/ADT-12/0000000001_20260401_ADT-12_999999999999999_20260401093000123_01_2", ""), ("000/000/0000000001/20260401/ADT-12/0000000001_20260401_ADT-12_999999999999999_20260401103000123_02_1", "")]) => Files(&[("000/000/0000000001/20260401/ADT-12/0000000001_20260401_ADT-12_999999999999999_20260401093000123_01_1", ""), ("000/000/0000000001/20260401/ADT-12/0000000001_20260401_ADT-12_999999999999999_20260401103000123_02_1", "")]) }
    SSM809 = "SSM809" "snapshot-elsewhere" Warning { "患者基本情報・アレルギーの古い全件が、別の診療日か番号で有効なまま残っています", "an older snapshot stays valid under another day or number", "古いものをフラグ 2 にしてください", "give the older one flag 2", "SS-MIX2 ADT-00, ADT-61";
        "古い氏名やアレルギーが現在のものとして読まれます。", "Old names or allergies are read as present.";
        Files(&[("000/000/0000000001/-/ADT-00/0000000001_-_ADT-00_999999999999999_20260401103000123_-_1", ""), ("000/000/0000000001/20260401/ADT-00/0000000001_20260401_ADT-00_999999999999999_20260401093000123_-_1", "")]) => Files(&[("000/000/0000000001/-/ADT-00/0000000001_-_ADT-00_999999999999999_20260401103000123_-_1", "")]) }
}

const fn code_of(note: Note) -> Option<Code> {
    Some(match note {
        Note::SeveralCurrent => &SSM104,
        Note::OnlyReplaced => &SSM105,
        Note::SameName => &SSM801,
        Note::SameVersionTwoFlags => &SSM802,
        Note::ReplacedBesideWithdrawn => &SSM803,
        Note::WithdrawnNewerThanCurrent => &SSM804,
        Note::ReplacedNewerThanCurrent => &SSM805,
        Note::MovedOrder => &SSM806,
        Note::OrderOnTwoDays => &SSM807,
        Note::ReplacedByOtherDepartment => &SSM808,
        Note::SnapshotElsewhere => &SSM809,
        _ => return None,
    })
}

fn versions(cx: &mut PatientCx<'_, '_>) {
    let named: Vec<(usize, _)> = cx
        .names
        .iter()
        .enumerate()
        .filter_map(|(index, name)| Some((index, (*name)?)))
        .collect();
    let names: Vec<_> = named.iter().map(|(_, name)| *name).collect();
    for note in select(&names).notes {
        let (Some((file, _)), Some(code)) = (named.get(note.file), code_of(note.kind)) else {
            continue;
        };
        let other = note
            .other
            .and_then(|at| named.get(at))
            .map(|(other, _)| (*other, "比べたファイル", "the file it is compared with"));
        cx.report_file(code, *file, other);
    }
}
