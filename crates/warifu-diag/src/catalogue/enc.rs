//! `ENC`: characters and encodings (SS-MIX2 仕様書 文字集合; HL7 v2.5 §2.15.9.18).

codes! {
    ENC101 = "ENC101" "unclosed-shift" Warning { "２バイト文字の状態のまま行が終わっています", "the line ends while still in double-byte state", "行末の前に ESC ( B を書いてください", "write ESC ( B before the end of the line", "ISO-2022-JP (RFC 1468); SS-MIX2 文字集合" }
    ENC102 = "ENC102" "unknown-escape-sequence" Warning { "知らないエスケープシーケンスがあります", "unknown escape sequence", "ESC $ B と ESC ( B だけを使ってください", "use only ESC $ B and ESC ( B", "ISO-2022-JP (RFC 1468); SS-MIX2 文字集合" }
    ENC103 = "ENC103" "redundant-escape" Info { "何も書かずに文字集合を切り替えています", "escape sequences with nothing between them", "直す必要はありません", "nothing needs to be done", "ISO-2022-JP (RFC 1468)" }
    ENC104 = "ENC104" "unmapped-character" Warning { "JIS X 0208 にない符号です。〓 に置き換えました", "code outside JIS X 0208; replaced by 〓 (U+3013)", "送り手で外字を通常の文字に直してください", "let the sender replace user-defined characters", "SS-MIX2 文字集合" }
    ENC105 = "ENC105" "nec-extension" Warning { "NEC 特殊文字 (①、㈱ など) があります", "NEC special characters (①, ㈱ …)", "JIS X 0208 の文字に直してください", "use characters of JIS X 0208", "SS-MIX2 文字集合" }
    ENC106 = "ENC106" "ibm-extension" Warning { "IBM 拡張文字 (髙 など) があります", "IBM extension characters (髙 …)", "JIS X 0208 の文字に直してください", "use characters of JIS X 0208", "SS-MIX2 文字集合" }
    ENC107 = "ENC107" "half-width-katakana" Warning { "半角カナがあります", "half-width katakana", "全角カナに直してください", "use full-width katakana", "SS-MIX2 文字集合" }
    ENC108 = "ENC108" "jis-1978-escape" Info { "JIS C 6226-1978 の指示です。1983 年版として読みました", "designation of JIS C 6226-1978, read as JIS X 0208-1983", "ESC $ B を使ってください", "use ESC $ B", "ISO-2022-JP (RFC 1468)" }
    ENC109 = "ENC109" "jis-x-0212" Warning { "JIS X 0212 (補助漢字) があります", "JIS X 0212 supplementary kanji", "JIS X 0208 の文字に直してください", "use characters of JIS X 0208", "SS-MIX2 文字集合" }
    ENC110 = "ENC110" "jis-roman-escape" Info { "JIS X 0201 ローマ字の指示です。ASCII として読みました", "designation of JIS X 0201 Roman, read as ASCII", "ESC ( B を使ってください", "use ESC ( B", "ISO-2022-JP (RFC 1468)" }
    ENC111 = "ENC111" "user-defined-character" Warning { "外字 (利用者定義文字) があります", "user-defined character (gaiji)", "送り手で外字を通常の文字に直してください", "let the sender replace user-defined characters", "SS-MIX2 文字集合" }
    ENC112 = "ENC112" "already-replaced-character" Info { "■ や 〓 があります。送り手で置き換えられた文字かもしれません", "■ or 〓: the sender may have replaced a character", "元の文字を送り手に確かめてください", "ask the sender for the original character", "SS-MIX2 文字集合" }
    ENC113 = "ENC113" "not-iso-2022-jp" Warning { "ISO-2022-JP ではありません ({} として読みました)", "not ISO-2022-JP (read as {})", "ISO-2022-JP で出力してください", "write ISO-2022-JP", "SS-MIX2 文字集合; HL7 v2.5 MSH-18" }
    ENC114 = "ENC114" "control-character" Warning { "制御文字があります", "control character", "取り除いてください", "remove it", "SS-MIX2 文字集合" }
    ENC115 = "ENC115" "undecodable-byte" Warning { "文字にならないバイトです。U+FFFD に置き換えました", "bytes that are no character; replaced by U+FFFD", "ファイルの文字コードと転送方法を確かめてください", "check the file's encoding and how it was transferred", "SS-MIX2 文字集合" }
    ENC116 = "ENC116" "charset-declaration" Info { "MSH-18 と実際の文字コードが違います ({} として読みました)", "MSH-18 disagrees with the bytes (read as {})", "MSH-18 に ~ISO IR87 と書いてください", "declare ~ISO IR87 in MSH-18", "HL7 v2.5 §2.15.9.18" }
    ENC117 = "ENC117" "byte-order-mark" Info { "先頭に UTF-8 の BOM があります", "UTF-8 byte order mark at the beginning", "BOM なしで出力してください", "write the file without it", "SS-MIX2 文字集合" }
    ENC118 = "ENC118" "long-form-escape" Info { "JIS X 0208 の指示が長い形 (ESC $ ( B) です", "JIS X 0208 designated in the long form (ESC $ ( B)", "ESC $ B を使ってください", "use ESC $ B", "ISO/IEC 2022; SS-MIX2 文字集合" }
    ENC199 = "ENC199" "more-character-findings" Info { "同じ種類の文字の問題がほかにもあります ({} 件)", "more character findings of the same kind ({})", "先に示したものを直すと分かりやすくなります", "mend the ones shown first", "SS-MIX2 文字集合" }
}
