//! Reasons that texts name in brackets: stable words of English, and what they are called in Japanese.

/// Reasons with their Japanese.
const WORDS: [(&str, &str); 44] = [
    ("absolute-path", "絶対パス"),
    ("content-folder-empty", "コンテンツフォルダーが空"),
    ("content-folder-missing", "コンテンツフォルダーがない"),
    ("damaged", "壊れている"),
    ("date-differs", "診療日がフォルダーと違う"),
    ("date-invalid", "診療日が日付でない"),
    ("date-missing", "診療日がない"),
    ("date-unexpected", "診療日のない種別に日付がある"),
    ("department-missing", "診療科がない"),
    ("department-shape", "診療科が 2～3 文字でない"),
    ("encrypted", "暗号化されている"),
    ("expansion", "展開すると大きくなりすぎる"),
    ("extended-kind-long", "拡張の種別が 180 文字を超える"),
    (
        "extended-kind-shape",
        "拡張の種別が 3 つか 6 つの要素でない",
    ),
    ("extra-level", "フォルダーが一段深い"),
    ("file-unreadable", "ファイルを開けない"),
    ("folder-unreadable", "フォルダーを開けない"),
    ("journal-delete-without-message", "DEL にメッセージがない"),
    ("journal-header", "#SSMIX, の行を読めない"),
    (
        "journal-operation-neither-ins-nor-del",
        "処理区分が INS でも DEL でもない",
    ),
    ("journal-record-long", "記録が長すぎる"),
    ("journal-stray", "最初の #SSMIX, の行より前に何かがある"),
    ("journals-ignored", "標準化ストレージがあるので読まなかった"),
    ("kind-differs", "データ種別がフォルダーと違う"),
    ("kind-unknown", "知らないデータ種別"),
    ("level-one-differs", "一段目のフォルダーが患者番号と違う"),
    ("level-two-differs", "二段目のフォルダーが患者番号と違う"),
    ("link", "リンク"),
    ("method", "知らない圧縮方式"),
    ("name-not-utf8", "名前が UTF-8 でない"),
    ("order-no-empty", "オーダ番号がない"),
    ("order-no-length", "オーダ番号が 15 桁でない"),
    ("order-no-not-digits", "オーダ番号に数字以外がある"),
    ("patient-differs", "患者番号がフォルダーと違う"),
    ("patient-id-long", "患者番号が 15 文字を超える"),
    ("repeated-entry", "同じ名前が二つある"),
    ("special-file", "装置など"),
    ("specific-key-long", "特定キーが 22 文字を超える"),
    ("timestamp-invalid", "日時が暦にない"),
    ("timestamp-length", "日時が 17 桁でない"),
    ("too-deep", "フォルダーが深すぎる"),
    ("too-large", "大きすぎる"),
    ("unsafe-path", "危険なパス"),
    ("vanished", "読む前になくなった"),
];

/// The Japanese of a reason; what is none stays as it is.
pub(crate) fn in_japanese(argument: &str) -> &str {
    let word = WORDS.iter().find(|(word, _)| *word == argument);
    word.map_or(argument, |(_, ja)| ja)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_sorted_and_said_in_japanese() {
        assert!(WORDS.is_sorted());
        assert!(WORDS.iter().all(|(_, ja)| !ja.is_ascii()));
        assert_eq!(in_japanese("too-deep"), "フォルダーが深すぎる");
        assert_eq!(in_japanese("PID-3"), "PID-3");
    }
}
