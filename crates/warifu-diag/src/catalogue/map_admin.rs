//! `MAP1xx`: patient, administration, allergies, diseases, insurance.

codes! {
    MAP101 = "MAP101" "name-representation-displaced" Info { "氏名の種別 (L) と表記 (I/P/A) が１つ前の位置にあります。読み替えました", "name type and representation codes stand one component early; read nevertheless", "XPN の 7 番目に L、8 番目に I・P・A を書いてください", "write L in component 7 and I, P or A in component 8", "HL7 v2.5 §2.A.88 XPN" }
    MAP102 = "MAP102" "name-representation-missing" Info { "氏名の表記コードがないので、文字の種類で判断しました", "no name representation code; decided by script", "XPN の 8 番目に I・P・A を書いてください", "write I, P or A in component 8", "HL7 v2.5 §2.A.88 XPN; HL7 表 0465" }
    MAP103 = "MAP103" "whole-name-in-one-component" Info { "姓名が１つの成分に入っています", "family and given name stand in one component", "姓と名を分けて書いてください", "write family and given name in their own components", "HL7 v2.5 §2.A.88 XPN, §2.A.86 XCN" }
    MAP104 = "MAP104" "patient-withdrawn" Info { "患者基本情報が削除されています", "the patient's record is withdrawn", "何もする必要はありません", "nothing needs to be done", "SS-MIX2 ADT-00 (ADT^A23); warifu mapping §12" }
    MAP105 = "MAP105" "contraindication-as-allergy" Warning { "禁忌 (MC) です。分類を付けずに残しました", "a contraindication (MC); kept without category", "アレルギーか禁忌かを受け手で確かめてください", "let the receiver check whether it is an allergy", "SS-MIX2 IAM-2; HL7 表 0127" }
    MAP106 = "MAP106" "uncoded-disease" Info { "コードのない病名です。文字列だけを残しました", "a disease without code; kept as text", "可能なら病名管理番号を付けてください", "send the disease management number if there is one", "SS-MIX2 PRB-3; MEDIS 標準病名マスター" }
    MAP107 = "MAP107" "insured-symbol-from-group-name" Warning { "IN1-10 に記号がないので、IN1-11 を記号として読みました", "IN1-10 has no symbol; IN1-11 is read as the symbol", "記号・番号・枝番を IN1-10 に書いてください", "write symbol, number and branch in IN1-10", "SS-MIX2 IN1-10, IN1-11" }
    MAP108 = "MAP108" "insurer-number-shape" Warning { "保険者番号・負担者番号の形ではありません。識別子の種類を付けずに残しました", "not the shape of an insurer's or payer's number; kept under a local system", "保険者番号 (6 桁か 8 桁) を書いてください", "write the insurer's number (6 or 8 digits)", "SS-MIX2 IN1-3" }
    MAP109 = "MAP109" "stay-unknown" Info { "この事象を含む入院が見つからないので、この事象だけで入院を作りました", "no stay contains this event; an Encounter is made of the event alone", "入院実施 (ADT-22) を一緒に変換してください", "convert the admission (ADT-22) together with it", "SS-MIX2 ADT-22; warifu mapping §3" }
    MAP110 = "MAP110" "event-without-time" Warning { "{} がないので、事象の日時が分かりません", "{} is empty; the time of the event is unknown", "送り手で日時を入れてください", "let the sender fill the time", "SS-MIX2 EVN-6, PV1-44, PV1-45, PV2-8, PV2-9" }
    MAP111 = "MAP111" "birth-date-in-pid-9" Warning { "生年月日が PID-9 にあります。PID-9 を使いました", "the birth date stands in PID-9; taken from there", "生年月日を PID-7 に書いてください", "write the birth date in PID-7", "SS-MIX2 PID-7" }
    MAP112 = "MAP112" "allergy-list-elsewhere" Info { "アレルギーは ADT-61 (なければ ADT-00) から作るので、この AL1 は使いませんでした", "allergies are taken from ADT-61 (else ADT-00); this AL1 is not used", "何もする必要はありません", "nothing needs to be done", "SS-MIX2 ADT-61; warifu mapping §5" }
    MAP113 = "MAP113" "person-without-number" Info { "医療者の番号がないので、名前だけを残しました", "the person has no number; only the name is kept", "XCN の 1 番目に番号を書いてください", "write the person's number in component 1", "HL7 v2.5 §2.A.86 XCN" }
    MAP114 = "MAP114" "contact-is-the-patient" Info { "近親者が本人 (SEL) なので、連絡先にしませんでした", "the next of kin is the patient (SEL); not made a contact", "本人の情報は PID に書いてください", "write the patient's own data in PID", "SS-MIX2 NK1-3; HL7 表 0063" }
    MAP115 = "MAP115" "older-problem-entry" Info { "同じ病名 (PRB-4) の新しい記録が別のファイルにあるので、こちらは使いませんでした", "a newer file has the same problem (PRB-4); this entry is not used", "何もする必要はありません", "nothing needs to be done", "SS-MIX2 PRB-4" }
    MAP116 = "MAP116" "subject-of-care-withdrawn" Info { "{} が取り消されています", "{} is withdrawn", "何もする必要はありません", "nothing needs to be done", "SS-MIX2 取消; warifu mapping §12" }
    MAP117 = "MAP117" "patient-class-missing" Warning { "患者区分 (PV1-2) がないか、知らない値です。{} としました", "patient class (PV1-2) is missing or unknown; taken as {}", "PV1-2 に I か O を書いてください", "write I or O in PV1-2", "SS-MIX2 PV1-2; HL7 表 0004" }
    MAP118 = "MAP118" "insured-number-repeats" Warning { "IN1-10 の分け方が分からないので、全体を番号としました", "IN1-10 cannot be taken apart; all of it is the number", "記号~番号~枝番 の形で書いてください", "write it as symbol~number~branch", "SS-MIX2 IN1-10" }
}
