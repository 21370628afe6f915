//! `MAP4xx`: imaging (401–), documents (431–), provenance (451–).

codes! {
    MAP401 = "MAP401" "order-rows-differ" Warning { "同じオーダの行で {} が食い違います。親 (PA) の行を使いました", "rows of one order disagree in {}; the parent (PA) row was used", "送り手で NW と PA の内容をそろえてください", "let the sender make the NW and PA rows agree", "SS-MIX2 OMG; HL7 v2.5 §4.5.1" }
    MAP402 = "MAP402" "study-uid-invalid" Warning { "検査インスタンス UID が DICOM UID の形ではありません", "the study instance UID does not have the form of a DICOM UID", "数字と点だけ、64 文字以内の UID を入れてください", "send a UID of digits and dots, at most 64 characters", "DICOM PS3.5 §9.1; SS-MIX2 IPC-3" }
    MAP403 = "MAP403" "planned-procedure" Info { "予定の行 (ZE1-2) は変換しません", "a planned row (ZE1-2) is not converted", "何もする必要はありません", "nothing needs to be done", "SS-MIX2 ZE1; warifu mapping §10" }
    MAP404 = "MAP404" "modality-not-dicom" Warning { "モダリティが DICOM の値ではありません", "the modality is not a DICOM value", "DCM のモダリティコードを使ってください", "use the modality codes of DCM", "DICOM PS3.16 CID 29; SS-MIX2 IPC-5" }
    MAP405 = "MAP405" "order-parent-unknown" Info { "子オーダの親がこのファイルにありません。番号で参照しました", "the parent of a child order is not in this file; referred to by number", "親オーダのファイルも一緒に変換してください", "convert the parent's file together with this one", "SS-MIX2 OMG ORC-8" }
    MAP406 = "MAP406" "use-without-time" Info { "実施時刻がないので薬品を使用物品として残しました", "no time of use is known; the drug was kept as an item used", "OBX の TM-P1 か OBR-7 を入れてください", "send OBX TM-P1 or OBR-7", "SS-MIX2 ZE1; FHIR MedicationAdministration.effective" }
    MAP407 = "MAP407" "order-number-missing" Warning { "オーダ番号がありません。ファイルの番号で識別しました", "no order number; identified by the number of the file", "ORC-2 を入れてください", "send ORC-2", "SS-MIX2 ORC-2" }
    MAP431 = "MAP431" "document-not-readable" Warning { "文書を XML として読めません。中身は Binary に残しました", "the document cannot be read as XML; its content is kept as Binary", "整形式の XML か確かめてください (DTD は読みません)", "check that it is well-formed XML (DTDs are not read)", "HL7 CDA R2; XML 1.0" }
    MAP432 = "MAP432" "document-time-unreadable" Warning { "{} を日時として読めません", "{} cannot be read as a time", "YYYYMMDDHHMMSS+0900 の形で書いてください", "write it as YYYYMMDDHHMMSS+0900", "HL7 CDA R2 TS" }
    MAP433 = "MAP433" "content-type-unknown" Info { "ファイルの種類が分かりません。application/octet-stream としました", "the type of the file is unknown; application/octet-stream was used", "何もする必要はありません", "nothing needs to be done", "RFC 2046" }
    MAP434 = "MAP434" "document-without-patient" Warning { "文書の患者が分かりません", "the patient of the document is unknown", "患者のフォルダに入れるか recordTarget を書いてください", "put it in the patient's folder or fill recordTarget", "SS-MIX2 拡張ストレージ; HL7 CDA R2 recordTarget" }
    MAP435 = "MAP435" "attachment-not-included" Warning { "ファイルが大きいので中身を含めませんでした (ハッシュと大きさだけ)", "the file is large; its content is not included (hash and size only)", "--attachments file でストレージ内の場所を書き出せます", "--attachments file writes its place in the storage", "FHIR Attachment; warifu mapping §10a" }
    MAP451 = "MAP451" "provenance-without-time" Warning { "MSH-7 がないので Provenance を作りません", "no Provenance: MSH-7 is missing", "MSH-7 を入れてください", "send MSH-7", "FHIR Provenance.recorded; SS-MIX2 MSH-7" }
    MAP452 = "MAP452" "document-provenance-without-time" Warning { "文書の日時が分からないので Provenance を作りません", "no Provenance: the document has no time", "effectiveTime かファイル名の時刻を書いてください", "send effectiveTime or a time in the file name", "FHIR Provenance.recorded; HL7 CDA R2 effectiveTime" }
}
