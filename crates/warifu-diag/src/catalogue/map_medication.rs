//! `MAP3xx`: medication.

codes! {
    MAP301 = "MAP301" "dose-not-given" Info { "1 回量がありません。用法は文字列だけになります", "no amount per dose; the dosage is text only", "内服薬なら 1 回量を RXE-3 に入れてください", "send the amount per dose in RXE-3 unless the drug has none", "SS-MIX2 仕様書 RXE-3; mapping §8" }
    MAP302 = "MAP302" "usage-code-shape" Warning { "JAMI 標準用法コードの形ではありません。施設のコードとして残しました", "not a JAMI usage code (16 characters, or 8 supplementary); kept as a local code", "標準用法マスタの 16 桁コードを使ってください", "use a 16-character code of the JAMI usage master", "JAMI 標準用法マスタ; SS-MIX2 TQ1-3" }
    MAP303 = "MAP303" "supply-unit" Warning { "投与期間の単位が日 (d) でも回でもありません。文字列として残しました", "the duration is neither in days (d) nor in times; kept as text", "TQ1-6 は 5^d のように日数で入れてください", "send days in TQ1-6, such as 5^d", "SS-MIX2 仕様書 TQ1-6; mapping §13" }
    MAP304 = "MAP304" "rp-timing-differs" Warning { "同じ Rp の薬剤で用法 (TQ1) が異なります。薬剤ごとに記しました", "drugs of one Rp have different timing (TQ1); each keeps its own", "Rp 番号 (ORC-4) か用法を確かめてください", "check the Rp number (ORC-4) or the timing", "SS-MIX2 仕様書 ORC-4; mapping §8" }
    MAP305 = "MAP305" "usage-not-given" Warning { "用法も用量も書かれていません ({})", "neither usage nor amount is given ({})", "送り手で用法を入れてください", "let the sender fill in the usage", "JP Core JP_MedicationDosage.text; SS-MIX2 TQ1-3" }
    MAP306 = "MAP306" "order-without-drug" Warning { "{} がないため、この項目の薬剤を変換できません", "without {} the drug of this order is unknown", "ORC ごとに薬剤のセグメントを入れてください", "send the drug's segment after each ORC", "HL7 v2.5 RDE^O11, RAS^O17" }
    MAP307 = "MAP307" "amount-unit-without-code" Warning { "薬剤の量の単位 ({}) にコードがありません。文字列として残しました", "the unit of the amount ({}) has no code; kept as text", "MERIT-9 の単位コードを使ってください", "use a MERIT-9 unit code", "JP Core JP_MedicationSimpleQuantity; MERIT-9" }
    MAP308 = "MAP308" "administration-partial" Info { "一部だけ投与されています。status は completed とし、note に残しました", "given only in part; status is completed, the note says so", "何もする必要はありません", "nothing needs to be done", "HL7 表 0322 PA; mapping §9" }
    MAP309 = "MAP309" "administration-deleted" Info { "投与実施が削除されています (RXA-21 D)。entered-in-error としました", "the administration was deleted (RXA-21 D); entered-in-error", "何もする必要はありません", "nothing needs to be done", "HL7 表 0323; mapping §12" }
    MAP310 = "MAP310" "rate-as-text" Warning { "投与速度を数値と単位に分けられません。文字列として残しました", "the rate is no number with a unit; kept as text", "102ml/hr のように数値と単位で入れてください", "send a number and a unit, such as 102ml/hr", "SS-MIX2 仕様書 RXA-12; mapping §9" }
    MAP311 = "MAP311" "kept-as-note" Info { "{} は対応する要素がないため note に残しました", "{} has no element of its own; kept as a note", "何もする必要はありません", "nothing needs to be done", "mapping §8, §9" }
    MAP312 = "MAP312" "vaccination" Info { "予防接種なので Immunization も作りました", "a vaccination: an Immunization was made as well", "何もする必要はありません", "nothing needs to be done", "JAHIS JHSI0002 06; mapping §9" }
    MAP313 = "MAP313" "administration-without-time" Warning { "投与の日時がありません。{} で代えました", "no time of administration; {} was taken instead", "RXA-3, RXA-4 に日時を入れてください", "send RXA-3 and RXA-4", "FHIR MedicationAdministration.effective[x]; SS-MIX2 RXA-3" }
    MAP314 = "MAP314" "diet-type-unknown" Warning { "給食の種別 (ODS-1) が分からないため、口から食べる食事としました", "unknown type of diet (ODS-1); taken as an oral diet", "ODS-1 は D, S, P のどれかにしてください", "send D, S or P in ODS-1", "HL7 表 0159; mapping §11" }
    MAP315 = "MAP315" "order-copied" Info { "実施の中のオーダの写し (RXO, RXE, TQ1, RXC) は変換しません", "the copy of the order inside the administration (RXO, RXE, TQ1, RXC) is not converted", "オーダは OMP-01, OMP-02 のファイルから変換します", "the order itself is converted from its OMP-01 or OMP-02 file", "HL7 v2.5 RAS^O17; mapping §9" }
}
