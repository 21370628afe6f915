//! `SSM`: storage, file names, versions (SS-MIX2 標準化ストレージ仕様書).

codes! {
    SSM101 = "SSM101" "file-name-grammar" Error { "ファイル名が規則に合いません", "the file name does not follow the grammar", "患者ID_診療日_データ種別_オーダ番号_時刻_診療科_フラグ の形にしてください", "use PATIENTID_DATE_KIND_ORDERNO_TIMESTAMP_DEPT_FLAG", "SS-MIX2 ファイル命名規約" }
    SSM102 = "SSM102" "path-disagrees" Warning { "フォルダーとファイル名が一致しません ({})", "folder and file name disagree ({})", "フォルダーとファイル名を揃えてください", "make folder and file name agree", "SS-MIX2 フォルダー構成" }
    SSM103 = "SSM103" "patient-id-mismatch" Warning { "PID-3 とフォルダーの患者IDが違います。別の人として扱いました", "PID-3 differs from the folder's patient id; treated as another person", "どちらの患者のものか確かめてください", "find out whose message it is", "SS-MIX2 PID-3" }
    SSM104 = "SSM104" "several-current-versions" Warning { "フラグ 1 のファイルが複数あります。最も新しいものを使いました", "several files with flag 1; the newest is used", "古いものをフラグ 2 にしてください", "rename the older ones to flag 2", "SS-MIX2 コンディションフラグ" }
    SSM105 = "SSM105" "only-superseded-versions" Warning { "フラグ 2 のファイルしかありません。最も新しいものを使いました", "only files with flag 2; the newest is used", "ストレージが壊れていないか確かめてください", "check the storage for damage", "SS-MIX2 コンディションフラグ" }
    SSM106 = "SSM106" "event-does-not-fit-kind" Warning { "MSH-9 のイベントがデータ種別に合いません。データ種別を優先しました", "the event in MSH-9 does not fit the data kind; the kind wins", "MSH-9 かファイル名を直してください", "mend MSH-9 or the file name", "SS-MIX2 データ種別" }
    SSM107 = "SSM107" "care-date-mismatch" Warning { "診療日と {} が違います。メッセージの値を使いました", "the care date differs from {}; the message's value is used", "ファイル名の診療日を確かめてください", "check the care date in the file name", "SS-MIX2 診療日" }
    SSM108 = "SSM108" "foreign-file" Info { "SS-MIX2 のファイルではありません。読みませんでした", "not a file of SS-MIX2; skipped", "ストレージから取り除いてください", "remove it from the storage", "SS-MIX2 フォルダー構成" }
    SSM109 = "SSM109" "file-vanished" Warning { "読む前にファイルがなくなりました", "the file vanished before it was read", "もう一度実行してください", "run again", "SS-MIX2 ストレージ" }
    SSM110 = "SSM110" "unsafe-archive-entry" Error { "書庫の中に安全でない名前があります。読みませんでした", "unsafe name in the archive; not read", "書庫を作り直してください", "make the archive again", "warifu: archives" }
    SSM111 = "SSM111" "archive-limit" Error { "書庫が大きさの上限を超えています ({})", "the archive exceeds a limit ({})", "分けて渡してください", "split it", "warifu: max-file, max-expansion" }
    SSM112 = "SSM112" "order-number-mismatch" Warning { "ORC-2 とファイル名のオーダ番号が違います", "ORC-2 differs from the order number in the file name", "どちらが正しいか確かめてください", "find out which one is right", "SS-MIX2 ファイル命名規約; ORC-2" }
    SSM113 = "SSM113" "unknown-data-kind" Warning { "知らないデータ種別です。変換しませんでした", "unknown data kind; not converted", "データ種別を確かめてください", "check the data kind", "SS-MIX2 データ種別" }
    SSM114 = "SSM114" "transaction-record" Warning { "トランザクションの記録が読めません ({})", "a transaction record cannot be read ({})", "#SSMIX, の行を確かめてください", "check the #SSMIX, line", "SS-MIX2 トランザクションストレージ" }
    SSM115 = "SSM115" "unreadable-input" Error { "読めません ({})", "cannot be read ({})", "ファイルと権限を確かめてください", "check the file and its permissions", "warifu: input" }
    SSM116 = "SSM116" "deleted-item" Info { "取り消し済み (フラグ 0) です", "withdrawn (flag 0)", "何もする必要はありません", "nothing needs to be done", "SS-MIX2 コンディションフラグ" }
    SSM117 = "SSM117" "file-name-deviation" Info { "ファイル名の書き方が少し違います ({})", "small deviation in the file name ({})", "規約どおりに書いてください", "follow the grammar", "SS-MIX2 ファイル命名規約" }
    SSM118 = "SSM118" "replaced-version" Info { "旧版 (フラグ 2) です。変換しませんでした", "replaced version (flag 2); not converted", "ストレージの最上位を指定すると版を比べて選びます", "give the root of the storage to have versions weighed", "SS-MIX2 コンディションフラグ" }
    SSM119 = "SSM119" "passed-over" Info { "隠しファイル、一時ファイル、除外の指定に合うファイルを読み飛ばしました", "hidden, temporary and excluded files were passed over", "読むべきものがあれば exclude と .warifuignore を見直してください", "look at exclude and .warifuignore if something is missing", "warifu: exclude, .warifuignore" }
}
