//! `HL7`: syntax of messages (HL7 v2.5 §2.5–§2.10).

codes! {
    HL7101 = "HL7101" "empty-file" Error { "ファイルが空です", "the file is empty", "送り手でもう一度出力してください", "write the file again at the sender", "SS-MIX2 標準化ストレージ仕様書" }
    HL7102 = "HL7102" "missing-msh" Error { "MSH で始まっていません。HL7 メッセージとして読めません", "does not begin with MSH; not readable as an HL7 message", "ファイルの先頭を確かめてください", "check the beginning of the file", "HL7 v2.5 §2.5.1" }
    HL7103 = "HL7103" "line-continuation" Warning { "項目の途中に改行があります。前の項目の続きとして読みました", "raw line break inside a field; read as part of the field before", "改行は \\.br\\ と書いてください", "write line breaks as \\.br\\", "HL7 v2.5 §2.7" }
    HL7104 = "HL7104" "terminator-not-cr" Info { "セグメントの終わりが CR ではありません", "segments do not end with CR", "CR (0x0D) で終えてください", "end segments with CR (0x0D)", "HL7 v2.5 §2.5.4" }
    HL7105 = "HL7105" "trailing-bytes" Info { "末尾に余分なバイト (FS など) があります", "extra bytes at the end (FS …)", "通信用の 0x1C を保存前に取り除いてください", "strip the transport's 0x1C before storing", "SS-MIX2 標準化ストレージ仕様書" }
    HL7106 = "HL7106" "last-terminator-missing" Info { "最後のセグメントに終端がありません", "the last segment has no terminator", "ファイルが途中で切れていないか確かめてください", "check that the file is not cut", "HL7 v2.5 §2.5.4" }
    HL7107 = "HL7107" "unusual-delimiters" Warning { "区切り文字が |^~\\& ではありません", "delimiters differ from |^~\\&", "MSH-1 と MSH-2 に |^~\\& を使ってください", "use |^~\\& in MSH-1 and MSH-2", "SS-MIX2 MSH-1, MSH-2" }
    HL7108 = "HL7108" "unknown-segment" Info { "SS-MIX2 で使わないセグメントです ({})", "segment not used in SS-MIX2 ({})", "そのまま残します。必要なら取り除いてください", "kept; remove it if not wanted", "SS-MIX2 標準化ストレージ仕様書" }
    HL7109 = "HL7109" "unknown-escape" Warning { "知らないエスケープ表記です。そのまま残しました", "unknown or unclosed HL7 escape; kept as it is", "\\F\\ \\S\\ \\T\\ \\R\\ \\E\\ のように書いてください", "write \\F\\ \\S\\ \\T\\ \\R\\ \\E\\", "HL7 v2.5 §2.7" }
    HL7110 = "HL7110" "file-too-large" Error { "ファイルが大きすぎます (上限 64 MiB)", "the file is too large (limit 64 MiB)", "ファイルを確かめてください", "check the file", "warifu: max-file" }
    HL7111 = "HL7111" "message-stream" Info { "１つのファイルに複数のメッセージがあります ({} 件)", "several messages in one file ({})", "標準化ストレージでは１ファイル１メッセージです", "a standard storage holds one message per file", "SS-MIX2 標準化ストレージ仕様書" }
    HL7112 = "HL7112" "segment-out-of-place" Warning { "セグメントの順序が仕様と違います ({})", "segment out of place ({})", "メッセージ構造の順に並べてください", "follow the message structure", "SS-MIX2 メッセージ構造" }
    HL7113 = "HL7113" "invalid-date-time" Warning { "日時として読めません。{} に入れませんでした", "not a date or time; left out of {}", "YYYYMMDD[HHMM[SS]] で書いてください", "write YYYYMMDD[HHMM[SS]]", "HL7 v2.5 §2.A.22 DTM" }
    HL7114 = "HL7114" "imprecise-date-time" Info { "日時の書き方が仕様と違います。分かる範囲で読みました ({})", "unusual date-time form, read as far as possible ({})", "YYYYMMDD[HHMM[SS]] で書いてください", "write YYYYMMDD[HHMM[SS]]", "HL7 v2.5 §2.A.22 DTM" }
    HL7115 = "HL7115" "missing-segment" Error { "必要なセグメントがありません ({})", "a required segment is missing ({})", "送り手の出力を確かめてください", "check the sender's output", "SS-MIX2 メッセージ構造" }
}
