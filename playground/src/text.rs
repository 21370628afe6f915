//! Every text of the page, Japanese first.

use crate::settings::Lang;

/// One text in both languages; `{}` is a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// Japanese.
    pub ja: &'static str,
    /// English.
    pub en: &'static str,
}

impl Text {
    /// The text in a language.
    pub const fn of(self, lang: Lang) -> &'static str {
        match lang {
            Lang::Ja => self.ja,
            Lang::En => self.en,
        }
    }

    /// The text with its slots filled in order.
    pub fn fill(self, lang: Lang, slots: &[&str]) -> String {
        let mut out = String::new();
        let mut slots = slots.iter();
        let mut open = false;
        for c in self.of(lang).chars() {
            match c {
                '{' => open = true,
                '}' if open => {
                    open = false;
                    out.push_str(slots.next().copied().unwrap_or("{}"));
                }
                c => out.push(c),
            }
        }
        out
    }
}

macro_rules! texts {
    ($($name:ident = $ja:literal, $en:literal;)+) => {
        $(
            #[doc = $ja]
            pub const $name: Text = Text { ja: $ja, en: $en };
        )+
        /// All texts, for the test that both languages have the same slots.
        pub const ALL: &[Text] = &[$($name),+];
    };
}

texts! {
    BRAND = "割符", "Warifu";
    EXAMPLES = "例", "Examples";
    EXAMPLE_STORAGE = "標準化ストレージ全体", "Whole standard storage";
    EXAMPLE_EXTENDED = "拡張ストレージ全体", "Whole extended storage";
    EXAMPLE_KINDS = "データ種別ごと", "By data kind";
    EXAMPLE_BROKEN = "わざと壊したもの", "Broken on purpose";
    EXAMPLE_NONE = "例がありません", "No examples";
    OPEN = "開く", "Open";
    OPEN_FILES = "ファイル・書庫 …", "Files or archives …";
    OPEN_FOLDER = "フォルダー …", "Folder …";
    OPEN_PASTE = "貼り付け・編集 …", "Paste or edit …";
    SETTINGS = "設定", "Settings";
    SHARE = "共有", "Share";
    SAVE = "保存", "Save";
    SAVE_SHOWN = "表示中の FHIR", "FHIR shown";
    SAVE_ALL = "すべての FHIR (zip)", "All FHIR (zip)";
    SAVE_NDJSON = "種類別 NDJSON (zip)", "NDJSON by type (zip)";
    SAVE_REPORT = "検査結果", "Report of the check";
    SAVE_TRACE = "変換の跡 (zip)", "Trace (zip)";
    LANGUAGE = "言語", "Language";
    MENU = "メニュー", "Menu";
    SENT = "送信 {} バイト", "{} bytes sent";
    FILES = "ファイル", "Files";
    FILES_COUNT = "ファイル {}", "Files {}";
    MESSAGE = "メッセージ", "Message";
    FIELDS = "項目", "Fields";
    ORIGINAL = "原文", "Text";
    HEX = "16進", "Hex";
    FHIR = "FHIR", "FHIR";
    TREE = "ツリー", "Tree";
    JSON = "JSON", "JSON";
    TABLE = "表", "Table";
    DIFF = "差分", "Diff";
    FINDINGS = "検出", "Findings";
    FINDINGS_COUNT = "検出 {}", "Findings {}";
    UNUSED = "使われなかった項目", "Unused fields";
    UNUSED_COUNT = "使われなかった項目 {}", "Unused fields {}";
    RESULTS = "結果", "Results";
    STATUS = "状態", "Status";
    FILTER = "絞り込み", "Filter";
    SEARCH = "検索", "Search";
    SEARCH_NONE = "見つかりません", "Not found";
    KEYS_HINT = "キー操作", "Keys";
    EMPTY = "ファイルをここに置くか、例を選んでください", "Drop files here, or choose an example";
    LOADING = "エンジンを読み込み中… {} kB", "Loading the engine… {} kB";
    LOADING_OF = "エンジンを読み込み中… {} / {} kB", "Loading the engine… {} / {} kB";
    LISTING = "一覧を作成中 {} / {}", "Listing {} / {}";
    CONVERTING = "変換中 {} / {}", "Converting {} / {}";
    SAVING = "保存の準備中 {} / {}", "Preparing to save {} / {}";
    WORKING = "処理中", "Working";
    SHOWING = "変換中: {}", "Converting: {}";
    AGAIN = "もう一度", "Try again";
    NOT_SHOWN = "表示してから保存できます", "Nothing to save before it is shown";
    CANCEL = "中止", "Cancel";
    CANCELLED = "中止しました", "Cancelled";
    NO_FINDINGS = "問題は見つかりませんでした ({} ファイル)", "No problems found ({} files)";
    NO_FINDINGS_HERE = "このファイルに問題は見つかりませんでした", "No problems found in this file";
    UNCHECKED = "検査していません。{}", "Not checked. {}";
    UNCHECKED_OFF = "規則に「変換のみ」を選んでいます", "The rules are set to “Conversion only”";
    TRACE_LARGE = "要素が 400 万を超えるため、変換の跡は表示しません", "More than 4 million elements: their trace is not shown";
    TRACE_FAILED = "変換の跡を作れませんでした", "The trace could not be made";
    NO_UNUSED = "すべての項目が使われました", "Every field was used";
    EMPTY_FILE = "空のファイルです (0 バイト)", "The file is empty (0 bytes)";
    NOT_OURS = "SS-MIX2 でも FHIR でもないファイルです。先頭のバイト: {}", "Neither SS-MIX2 nor FHIR. First bytes: {}";
    NO_FIELDS = "この形式に HL7 の項目はありません。原文をご覧ください", "This kind of file has no HL7 fields; see its text";
    NO_OUTPUT = "このファイルからは何も作られませんでした", "Nothing was made from this file";
    INTERNAL = "内部エラーです (版 {})。入力は消えていません", "Internal error (version {}). Your input is still here";
    READ_FAILED = "読み取れませんでした。ファイルが移動されたか、開けません", "Could not be read: moved, or access is refused";
    TOO_LARGE_FILE = "大きすぎるファイルです (上限 64 MiB)", "The file is too large (limit 64 MiB)";
    PART_FAILED = "必要な部品を読み込めませんでした。つながってから、もう一度お試しください", "A part of the page could not be loaded: try again when there is a connection";
    MEMORY = "大きすぎて、このブラウザーのメモリーに収まりません", "Too large for the memory of this browser";
    LOAD_FAILED = "エンジンを読み込めませんでした。ページを再読み込みしてください", "The engine could not be loaded. Reload the page";
    SAVED = "保存しました: {}", "Saved: {}";
    OFFLINE = "オフラインで使えます", "Works offline";
    OFFLINE_BUT = "FHIR の検証のほかはオフラインで使えます", "Works offline, but for the validation of FHIR";
    BYTES = "{} バイト", "{} bytes";
    SEGMENTS = "{} セグメント", "{} segments";
    RESOURCES = "{} リソース", "{} resources";
    FILES_DONE = "{} ファイル → {} リソース", "{} files → {} resources";
    CONSTANT = "定数 (表 {})", "Constant (table {})";
    CONSTANT_PLAIN = "変換が付けた値", "Set by the conversion";
    WHOLE_FILE = "← ファイル全体", "← the whole file";
    HINT_FIELD = "項目を選ぶと、そこから作られた要素に印が付きます", "Choose a field: what was made from it is marked";
    HINT_ELEMENT = "要素を選ぶと、もとの項目に印が付きます", "Choose an element: the fields it came from are marked";
    ITEMS = "{} 件", "({})";
    MADE = "{} → {} 要素", "{} → {} elements";
    MADE_NONE = "{} → 使われていません", "{} → not used";
    FROM_SPANS = "{} ← {} か所", "{} ← {} places";
    FROM_CONSTANT = "{} ← {}", "{} ← {}";
    SHOW_FHIR = "FHIR を見る", "Show FHIR";
    SHOW_SOURCE = "原文を見る", "Show source";
    STATE_SUPERSEDED = "旧版", "Older";
    STATE_CANCELLED = "取り消し", "Cancelled";
    STATE_OLD = "古い控え", "Older snapshot";
    STATE_FOREIGN = "規則外", "Not in storage";
    ERROR = "エラー", "Error";
    WARNING = "警告", "Warning";
    INFO = "情報", "Info";
    FIX_TITLE = "自動修正の内容", "What the fixes change";
    FIX_NOTE = "意味を変えない修正だけです。それ以外のバイトは変わりません。", "Only fixes that cannot change the meaning; no other byte changes.";
    FIX_SAVE = "直したファイルを保存", "Save the mended file";
    FIX_NONE = "自動で直せるものはありません", "Nothing here can be mended automatically";
    FIX_SHOW = "自動修正 …", "Fixes …";
    RULES = "規則", "Rules";
    RULES_STANDARD = "SS-MIX2 1.2g", "SS-MIX2 1.2g";
    RULES_NHO = "1.2g + 国立病院機構", "1.2g + NHO";
    RULES_STRICT = "1.2g + 厳格", "1.2g + strict";
    RULES_OFF = "変換のみ", "Conversion only";
    RULES_FAILED = "規則を読み込めませんでした。検出は変換のものだけです", "The rules could not be loaded: these are the findings of the conversion only";
    VALIDATION_FAILED = "FHIR の検証を読み込めませんでした。つながってから、もう一度お試しください", "The validation of FHIR could not be loaded: try again when there is a connection";
    CHECKING = "検査中 …", "Checking …";
    NONE_OF_GRADE = "この重大度のものはありません", "None of this severity";
    ONLY = "{} {}", "{} {}";
    WHY_LABEL = "理由", "Why";
    DEMAND_LABEL = "求める定義", "Demanded by";
    REASONS_LABEL = "合わない理由", "Why not";
    VALIDATE = "検証", "Validate";
    VALIDATE_TITLE = "この出力を FHIR R4 として検証します", "Validates this output as FHIR R4";
    VALIDATED = "出力を検証しました: エラー {}、警告 {}、情報 {}", "Output validated: {} errors, {} warnings, {} infos";
    SET_PACKAGES = "FHIR パッケージ", "FHIR packages";
    PACKAGES_NOTE = "検証に使う定義です。ページに置いても加わります。送信も保存もしません", "Definitions for validation. Dropping them on the page adds them, too. Nothing is sent or kept";
    PACKAGES_READING = "FHIR パッケージを読み込み中 …", "Reading FHIR packages …";
    PACKAGES_NOW = "FHIR パッケージ: {} 件", "FHIR packages: {}";
    PACKAGE_ADD = "パッケージを加える (.tgz、.wfp)", "Add packages (.tgz, .wfp)";
    PACKAGE_MISSING = "ないもの: {}", "not there: {}";
    PACKAGE_REMOVE = "外す", "Remove";
    PACKAGE_REMOVE_ONE = "{} を外す", "Remove {}";
    PACKAGE_FAILED = "{} を使えません。{}", "{} cannot be used. {}";
    OTHERS_LABEL = "関連", "See also";
    RULE_TITLE = "規則の説明", "About the rule";
    HELP_LABEL = "対処", "Help";
    SCOPE_FILE = "このファイル", "This file";
    SCOPE_ALL = "すべて", "All files";
    MORE_FINDINGS = "ほか {} 件は保存した diagnostics.ndjson にあります", "{} more are in diagnostics.ndjson when saved";
    REASON_IGNORED = "対象外", "Ignored";
    REASON_LOST = "移し先なし", "No target";
    REASON_PASSED_OVER = "他の値を優先", "Another value goes first";
    REASON_READ = "判断に使用", "Read to decide";
    REASON_NOT_IN_FORCE = "有効でないファイル", "File not in force";
    REASON_NOT_IN_FORM = "この形式にはない", "Not in this form";
    REASON_UNKNOWN = "未知", "Unknown";
    COLUMN_TYPE = "種類と id", "Type and id";
    COLUMN_CODE = "主なコード", "Main code";
    COLUMN_DATE = "日付", "Date";
    COLUMN_SOURCE = "出所", "Source";
    COLUMN_OFFSET = "位置", "Offset";
    COLUMN_SHIFT = "シフト状態", "Shift state";
    COLUMN_TEXT = "文字", "Text";
    PREVIOUS_FILE = "前のファイル", "Previous file";
    NEXT_FILE = "次のファイル", "Next file";
    STEP_OF = "{} / {}", "{} / {}";
    SPLIT_FILES = "ファイル一覧の幅", "Width of the file list";
    SPLIT_MESSAGE = "メッセージ欄の幅", "Width of the message pane";
    SPLIT_BOTTOM = "検出欄の高さ", "Height of the findings pane";
    DIFF_WITH = "比べる設定", "Compare with";
    DIFF_SAME = "差はありません", "No differences";
    DIFF_GAP = "同じ {} 行を省略", "{} equal lines left out";
    DIFF_COUNTS = "− {} 行  ＋ {} 行", "− {} lines  + {} lines";
    DIFF_PICK = "今の設定と違う設定を選ぶと、結果の差がここに出ます", "Choose a setting that differs; the difference of the results appears here";
    SET_TO = "出力", "Output";
    SET_BUNDLE = "Bundle の型", "Bundle type";
    SET_PER = "まとめ方", "One output per";
    SET_IDS = "リソース id", "Resource ids";
    SET_INSTITUTION = "医療機関番号 (10桁)", "Institution number (10 digits)";
    SET_STRICT = "厳しく扱う", "Strict";
    SET_CHARSET = "文字コード", "Charset";
    SET_THEME = "配色", "Theme";
    SET_SIZE = "文字の大きさ", "Text size";
    SET_LETTERS = "文字キーの操作を使う", "Use single-letter keys";
    SET_CONVERSION = "変換", "Conversion";
    SET_LOOK = "表示", "Display";
    SET_KEPT = "設定はこのブラウザーに保存されます。ファイルの内容は保存されません。", "Settings are kept in this browser. File contents never are.";
    CHOICE_BUNDLE = "Bundle", "Bundle";
    CHOICE_NDJSON = "NDJSON", "NDJSON";
    CHOICE_CLINS = "6情報 (JP-CLINS)", "Six informations (JP-CLINS)";
    CHOICE_TRANSACTION = "transaction", "transaction";
    CHOICE_COLLECTION = "collection", "collection";
    CHOICE_MESSAGE = "メッセージごと", "message";
    CHOICE_PATIENT = "患者ごと", "patient";
    CHOICE_KEYED = "鍵つき (患者番号を含まない)", "keyed (no patient number)";
    CHOICE_READABLE = "読める形", "readable";
    CHOICE_AUTO = "自動", "Automatic";
    CHOICE_LIGHT = "明るい", "Light";
    CHOICE_DARK = "暗い", "Dark";
    CHOICE_SMALL = "小", "Small";
    CHOICE_MEDIUM = "中", "Medium";
    CHOICE_LARGE = "大", "Large";
    CLOSE = "閉じる", "Close";
    PASTE_TITLE = "貼り付け・編集", "Paste or edit";
    PASTE_LABEL = "HL7 v2 メッセージ", "HL7 v2 message";
    PASTE_NOTE = "改行は CR に直し、UTF-8 として読みます。", "Line ends become CR, and the text is read as UTF-8.";
    PASTE_RUN = "変換", "Convert";
    SHARE_TITLE = "共有リンク", "Link to share";
    SHARE_DEFAULT = "設定と例の名前だけが入ります。", "Holds the settings and the name of the example.";
    SHARE_OWN = "表示中のファイルの内容も入れる", "Include the content of the file shown";
    SHARE_WARNING = "この内容は URL に入り、履歴や相手の端末に残ります。患者のデータを共有しないでください。", "The content becomes part of the URL and stays in histories and on the other side. Do not share patient data.";
    SHARE_BOX = "実在の患者のデータではありません", "This is not data of a real patient";
    SHARE_TICK = "内容を入れるには、上の欄に印を付けてください", "To include the content, tick the box above";
    SHARE_TOO_LARGE = "大きすぎます。ファイルで渡してください", "Too large. Hand over the file instead";
    SHARE_COPY = "リンクをコピー", "Copy link";
    SHARE_COPIED = "コピーしました", "Copied";
    SHARE_LINK = "リンク", "Link";
    SHARE_BAD = "共有リンクを読めませんでした", "The link could not be read";
    NETWORK_TITLE = "送信されたもの", "What was sent";
    NETWORK_STATEMENT = "ファイルはこの端末の中だけで処理されます。送信も保存もしません", "Files are processed on this machine only. Nothing is sent or stored";
    NETWORK_SENT = "最初のファイルを開いてから送信した本文", "Request bodies sent since the first file";
    NETWORK_REQUESTS = "読み込みの要求 (本文なし)", "Requests for files of this page (no body)";
    NETWORK_VIOLATIONS = "ブラウザーが止めた試み", "Attempts the browser refused";
    NETWORK_TRY = "試しに送信してみる", "Try to send something";
    NETWORK_REFUSED = "ブラウザーが止めました ({})", "The browser refused ({})";
    NETWORK_OPEN = "送信できてしまいました。このサーバーは worker.mjs に connect-src 'none' を付けていません", "It was sent. This server does not give worker.mjs connect-src 'none'";
    TIMES = "{} 回", "{}";
    HELP_TITLE = "キー操作", "Keys";
    KEY_F6 = "次の枠へ (Shift で前へ)", "Next pane (Shift: previous)";
    KEY_ARROWS = "行を動く・枝を開閉", "Move; open and close branches";
    KEY_ENTER = "対応する相手と検出へ", "Follow the trace, to the finding too";
    KEY_FINDING = "次・前の検出", "Next, previous finding";
    KEY_FILE = "前・次のファイル", "Previous, next file";
    KEY_SEARCH = "枠の中を検索", "Search in the pane";
    KEY_OPEN = "ファイルを開く", "Open files";
    KEY_SAVE = "表示中の FHIR を保存", "Save the FHIR shown";
    KEY_ESCAPE = "処理を中止・印を消す", "Cancel; clear the marks";
    KEY_HELP = "この一覧", "This list";
    DROP = "ここに置いて開く", "Drop to open";
    SHARED_NAME = "共有された内容", "Shared content";
}

/// Whether a text holds another; ASCII letters are taken as equal in both cases.
///
/// The standard library's searches are fast on long texts and large in code; these are short.
pub fn holds(text: &str, part: &str) -> bool {
    part.is_empty()
        || text
            .as_bytes()
            .windows(part.len())
            .any(|w| w.eq_ignore_ascii_case(part.as_bytes()))
}

/// A text with all its line ends (CR, LF, CRLF) as one character.
pub fn line_ends(text: &str, end: char) -> String {
    let mut out = String::with_capacity(text.len());
    let mut after_cr = false;
    for c in text.chars() {
        match c {
            '\n' if after_cr => {}
            '\r' | '\n' => out.push(end),
            c => out.push(c),
        }
        after_cr = c == '\r';
    }
    out
}

/// Texts one after another.
pub fn join<T: AsRef<str>>(parts: &[T], between: &str) -> String {
    let mut out = String::new();
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            out.push_str(between);
        }
        out.push_str(part.as_ref());
    }
    out
}

/// A count with thousands separators.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// Microseconds as milliseconds: one decimal below 10.
pub fn millis(us: u32) -> String {
    if us < 9_950 {
        let tenths = us.saturating_add(50) / 100;
        format!("{}.{} ms", tenths / 10, tenths % 10)
    } else {
        format!("{} ms", us.saturating_add(500) / 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_slots() {
        for t in ALL {
            assert_eq!(
                t.ja.matches("{}").count(),
                t.en.matches("{}").count(),
                "{}",
                t.ja
            );
            assert!(!t.ja.is_empty() && !t.en.is_empty());
        }
    }

    #[test]
    fn small_helpers() {
        assert!(holds("PID-5[2].1", "pid-5") && holds("患者氏名", "氏名") && holds("x", ""));
        assert!(!holds("a", "ab") && !holds("", "a"));
        assert_eq!(line_ends("a\r\nb\nc\r\rd", '|'), "a|b|c||d");
        assert_eq!(
            (join(&["a", "b"], ", "), join::<&str>(&[], ",")),
            ("a, b".into(), String::new())
        );
    }

    #[test]
    fn slots_and_numbers_are_filled_in() {
        assert_eq!(
            FILES_DONE.fill(Lang::Ja, &["1", "2"]),
            "1 ファイル → 2 リソース"
        );
        assert_eq!(SENT.fill(Lang::En, &[]), "{} bytes sent");
        assert_eq!(
            (number(0), number(999), number(1_204), number(1_000_000)),
            ("0".into(), "999".into(), "1,204".into(), "1,000,000".into())
        );
        assert_eq!(
            (millis(260), millis(12_400)),
            ("0.3 ms".into(), "12 ms".into())
        );
    }
}
