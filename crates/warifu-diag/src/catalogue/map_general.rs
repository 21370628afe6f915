//! `MAP0xx`: conversion in general.

codes! {
    MAP001 = "MAP001" "default-id-key" Info { "ID の鍵が公開の既定値です。--id-key で施設の鍵を渡してください", "resource ids use the public default key; pass the site's own with --id-key", "--id-key FILE を使ってください", "use --id-key FILE", "warifu mapping §1" }
    MAP002 = "MAP002" "institution-unknown" Warning { "医療機関番号 (10 桁) が分かりません", "the institution's 10-digit number is unknown", "--institution か warifu.toml で指定してください", "give --institution or set it in warifu.toml", "JP Core 医療機関番号; warifu mapping §1" }
    MAP003 = "MAP003" "field-not-mapped" Info { "{} は変換先がありません (trace に残しました)", "{} has no target (kept in the trace)", "必要なら元のファイルを見てください", "look at the source file if needed", "warifu mapping" }
    MAP004 = "MAP004" "profile-not-met" Warning { "{} の必須項目が足りないため、このプロファイルを名乗りません", "mandatory elements of {} are missing; the profile is not claimed", "足りない項目を送り手で補ってください", "let the sender supply what is missing", "JP Core; warifu mapping §10b" }
    MAP005 = "MAP005" "local-code-only" Info { "標準コードがなく、施設のコードだけです ({})", "only a local code ({})", "標準コードを併記してください", "send the standard code as well", "SS-MIX2 コード表" }
    MAP006 = "MAP006" "code-shape" Warning { "コードの形が {} に合いません。施設のコードとして残しました", "the code does not have the shape of {}; kept as a local code", "コードの桁数を確かめてください", "check the length of the code", "SS-MIX2 コード表" }
    MAP007 = "MAP007" "number-as-text" Warning { "数値として読めません。文字列として残しました ({})", "not a number; kept as text ({})", "NM には数字だけを書いてください", "write only digits in NM", "HL7 v2.5 §2.A.47 NM" }
    MAP008 = "MAP008" "code-not-in-table" Warning { "表 {} にない値です", "value not in table {}", "表の値を使ってください", "use a value of the table", "SS-MIX2 コード表" }
    MAP009 = "MAP009" "required-field-empty" Warning { "{} が空です", "{} is empty", "送り手で値を入れてください", "let the sender fill it", "SS-MIX2 セグメント定義" }
    MAP010 = "MAP010" "unit-without-ucum" Info { "単位を UCUM にできません。元の表記のまま残しました", "the unit has no certain UCUM form; kept as given", "UCUM か MERIT-9 の単位を使ってください", "use UCUM or MERIT-9 units", "UCUM; SS-MIX2 OBX-6" }
    MAP011 = "MAP011" "time-zone-assumed" Info { "時差がないので日本時間 (+09:00) としました", "no time zone; Japan Standard Time (+09:00) assumed", "何もする必要はありません", "nothing needs to be done", "SS-MIX2; FHIR dateTime" }
    MAP012 = "MAP012" "entry-without-content" Warning { "{} がないので、この項目は変換しませんでした", "without {} this entry says nothing; it is not converted", "送り手で値を入れるか、空のセグメントを送らないでください", "let the sender fill it, or leave the empty segment out", "SS-MIX2 セグメント定義; warifu mapping" }
    MAP013 = "MAP013" "order-number-shared" Warning { "別のファイルのオーダと同じ番号 (ORC-2) です。別のものとして両方を残しました", "the order of another file has the same number (ORC-2); both are kept, apart", "オーダ番号とファイル名を送り手で確かめてください", "let the sender check the order numbers and the file names", "SS-MIX2 ORC-2; warifu mapping §1" }
    MAP014 = "MAP014" "too-many-files-of-a-patient" Error { "一人の患者のファイルが 65,535 を超えています。ここから後の {} 件は変換していません", "more than 65,535 files of one patient; the {} from here on are not converted", "年ごとなどに分けて変換してください", "convert them in parts, by year for example", "warifu: bounds of SECURITY.md" }
    MAP015 = "MAP015" "entry-listed-twice" Warning { "同じ項目がこのメッセージに複数あります。別々に残しました", "the message lists the same item more than once; the entries are kept apart", "同じ項目かどうかを送り手で確かめてください", "let the sender check whether they are one entry", "SS-MIX2 PRB-4, OBX-3, OBX-4; warifu mapping §1" }
    MAP016 = "MAP016" "resource-made-twice" Warning { "同じ ID の {} が先にあるので、このファイルのものは残っていません", "a {} with the same id is there already; that of this file is not kept", "オーダ番号や項目の番号が重なっていないか、送り手で確かめてください", "let the sender check for numbers of orders or items used twice", "warifu mapping §1" }
}
