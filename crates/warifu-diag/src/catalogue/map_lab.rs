//! `MAP2xx`: laboratory and observations.

codes! {
    MAP201 = "MAP201" "comparator-spelling" Info { "不等号の書き方が仕様と違います。比較つきの数値として読み、元の表記も残しました", "unusual spelling of a comparator; read as a quantity with comparator, the original text is kept", "「< 0.5」のように不等号と数値で書いてください", "write the sign before the number: < 0.5", "SS-MIX2 OBX-5; warifu mapping §7" }
    MAP202 = "MAP202" "interval-as-text" Info { "結果値が範囲または比です。文字列として残しました", "the value is an interval or a ratio; kept as text", "何もする必要はありません", "nothing needs to be done", "JP Core JP_Observation_LabResult value[x]" }
    MAP203 = "MAP203" "value-with-class" Warning { "１つの結果値に複数の情報があります。文字列のまま残しました", "several statements in one value; kept as one text", "数値と判定を別の OBX に分けてください", "send the number and the class as two OBX", "SS-MIX2 OBX-5" }
    MAP204 = "MAP204" "power-of-ten" Info { "指数つきの数値です。数値に直し、元の表記も残しました", "power of ten in the value; written as a number, the original text is kept", "NM には数字だけを書き、べき乗は単位に書いてください", "write only digits in NM and the power in the unit", "SS-MIX2 OBX-5, OBX-6" }
    MAP205 = "MAP205" "reference-range-as-text" Info { "基準範囲を上限と下限に分けられません。文字列として残しました", "the reference range cannot be split into low and high; kept as text", "「1.2-2.0」のように書いてください", "write it as 1.2-2.0", "HL7 v2.5 OBX-7" }
    MAP206 = "MAP206" "value-type-unsupported" Warning { "値型 {} は変換できません。値なしとしました", "value type {} cannot be converted; sent without value", "添付文書は拡張ストレージで渡してください", "send attachments through the extended storage", "SS-MIX2 OBX-2; FHIR Observation.value[x]" }
    MAP207 = "MAP207" "no-result-value" Info { "結果値がありません。dataAbsentReason を付けました", "no result value; dataAbsentReason is given", "何もする必要はありません", "nothing needs to be done", "SS-MIX2 OBX-5, OBX-11; FHIR dataAbsentReason" }
    MAP208 = "MAP208" "effective-from-care-date" Warning { "検査・採取日時がないため、診療日を使いました", "no time of observation or collection; the care date is used", "OBX-14 か SPM-17 に採取日時を入れてください", "fill OBX-14 or SPM-17", "SS-MIX2 SPM-17; JP Core effective[x]" }
    MAP209 = "MAP209" "request-detail" Info { "依頼の内容 (OBX-11 が O または N) です。結果にはしませんでした", "request detail (OBX-11 is O or N); no result is made of it", "何もする必要はありません", "nothing needs to be done", "HL7 表 0085" }
    MAP210 = "MAP210" "specimen-without-code" Info { "検体のコードがありません (SPM-4)", "the specimen has no code (SPM-4)", "JLAC10 材料コードを入れてください", "send the JLAC10 specimen code", "SS-MIX2 SPM-4" }
    MAP211 = "MAP211" "parent-result-not-found" Warning { "親の結果 (OBR-26) が見つかりません。注釈として残しました", "the parent result (OBR-26) is not in this message; kept as a note", "親の結果と同じメッセージに入れてください", "send it in the message of its parent", "HL7 v2.5 OBR-26 PRL" }
    MAP212 = "MAP212" "order-without-result" Info { "結果 (OBX) のない検査です", "an order without results (OBX)", "何もする必要はありません", "nothing needs to be done", "SS-MIX2 OML-11" }
    MAP213 = "MAP213" "duplicate-result" Info { "同じ検体・項目・副 ID の結果が複数あります。別々の結果として残しました", "several results of one specimen, item and sub-id; kept apart", "OBX-4 で区別してください", "tell them apart by OBX-4", "SS-MIX2 OBX-3, OBX-4" }
    MAP214 = "MAP214" "value-type-missing" Info { "値型 (OBX-2) が空です。値の形から判断しました", "the value type (OBX-2) is empty; told from the value", "OBX-2 を入れてください", "fill OBX-2", "SS-MIX2 OBX-2" }
    MAP215 = "MAP215" "several-values" Info { "OBX-5 に値が複数あります。まとめて残しました", "several values in OBX-5; kept together", "値ごとに OBX を分けてください", "send one OBX a value", "HL7 v2.5 OBX-5" }
    MAP216 = "MAP216" "midnight-collection" Info { "採取時刻がちょうど 0 時 0 分 0 秒です。日付だけの意味かもしれません", "the collection time is exactly midnight; it may only mean the day", "時刻が不明なら日付だけを書いてください", "write only the day if the time is unknown", "SS-MIX2 SPM-17" }
    MAP217 = "MAP217" "comment-of-message" Info { "結果以外の位置にあるコメント (NTE) です。依頼の注釈として残しました", "a comment (NTE) that follows no result; kept as a note of the order", "結果のコメントは OBX の直後に書いてください", "write comments right after their OBX", "SS-MIX2 NTE" }
}
