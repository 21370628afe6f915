//! `SSM82x`–`SSM84x`: what the files of one patient say together.

use std::collections::BTreeMap;

use warifu_diag::Example::Files;
use warifu_diag::{Code, Label};
use warifu_hl7::time;
use warifu_ssmix2::DataKind as K;
use warifu_ssmix2::{Flag, NO_ORDER};

use crate::patient::{Facts, Parts, PatientCx, Spot};
use crate::rule::{Check, patient};

pub(crate) const CHECKS: &[Check] = &[
    patient(demographics),
    patient(pairs),
    patient(stays),
    patient(moves),
    patient(eligibility),
    patient(control_ids),
    patient(basics),
];

warifu_diag::codes! {
    SSM821 = "SSM821" "name-differs-between-files" Info { "氏名が最新の患者基本情報と違います", "the name differs from the newest basic data", "改姓でなければ、患者の取り違えを確かめてください", "unless it changed, check for a mix-up", "SS-MIX2 PID-5";
        "別の患者のデータが混ざっているかもしれません。", "Data of another patient may be among them.";
        Files(&[("000/000/0000000001/-/ADT-00/0000000001_-_ADT-00_999999999999999_20260401093000123_-_1", ""), ("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1", "PID|1||0000000001^^^^PI||別人^花子^^^^^L^I~ベツジン^ハナコ^^^^^L^P||19680303|F")]) => Files(&[("000/000/0000000001/-/ADT-00/0000000001_-_ADT-00_999999999999999_20260401093000123_-_1", ""), ("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1", "")]) }
    SSM822 = "SSM822" "birth-date-differs-between-files" Warning { "生年月日が最新の患者基本情報と違います", "the birth date differs from the newest basic data", "患者の取り違えでないか確かめてください", "check for a mix-up of patients", "SS-MIX2 PID-7";
        "生年月日は変わらないので、別の患者のデータかもしれません。", "A birth date does not change; the data may be another patient's.";
        Files(&[("000/000/0000000001/-/ADT-00/0000000001_-_ADT-00_999999999999999_20260401093000123_-_1", ""), ("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680304|F")]) => Files(&[("000/000/0000000001/-/ADT-00/0000000001_-_ADT-00_999999999999999_20260401093000123_-_1", ""), ("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1", "")]) }
    SSM823 = "SSM823" "sex-differs-between-files" Warning { "性別が最新の患者基本情報と違います", "the sex differs from the newest basic data", "患者の取り違えでないか確かめてください", "check for a mix-up of patients", "SS-MIX2 PID-8";
        "別の患者のデータか、古い登録の残りです。基準値も変わります。", "The data may be another patient's; reference ranges change, too.";
        Files(&[("000/000/0000000001/-/ADT-00/0000000001_-_ADT-00_999999999999999_20260401093000123_-_1", ""), ("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|M")]) => Files(&[("000/000/0000000001/-/ADT-00/0000000001_-_ADT-00_999999999999999_20260401093000123_-_1", ""), ("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1", "")]) }
    SSM824 = "SSM824" "address-differs-between-files" Info { "住所が最新の患者基本情報と違います", "the address differs from the newest basic data", "転居でなければ、患者の取り違えを確かめてください", "unless the patient moved, check for a mix-up", "SS-MIX2 PID-11";
        "別の患者のデータか、転居の前のデータです。", "Data of another patient may be among them, or of the time before a move.";
        Files(&[("000/000/0000000001/-/ADT-00/0000000001_-_ADT-00_999999999999999_20260401093000123_-_1", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F|||^^^^100-0001^JPN^H^東京都千代田区千代田１−１"), ("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F|||^^^^530-0001^JPN^H^大阪府大阪市北区梅田１−１")]) => Files(&[("000/000/0000000001/-/ADT-00/0000000001_-_ADT-00_999999999999999_20260401093000123_-_1", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F|||^^^^100-0001^JPN^H^東京都千代田区千代田１−１"), ("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F|||^^^^100-0001^JPN^H^東京都千代田区千代田1-1")]) }
    SSM825 = "SSM825" "result-without-order" Info { "この結果・実施の依頼がストレージにありません", "the storage has no order for this result or administration", "依頼のファイルとオーダ番号を確かめてください", "check the order's file and number", "SS-MIX2 ORC-2";
        "だれが何の目的で依頼したかをたどれません。同じ種別の依頼が患者に一つもなければ、依頼を保存しない施設とみなして指摘しません。", "Who ordered it, and why, cannot be traced. A patient without any order of the kind is left alone: the site does not keep orders.";
        Files(&[("000/000/0000000001/20260401/OML-01/0000000001_20260401_OML-01_000000000000001_20260401093000123_01_1", ""), ("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000002_20260401093000123_01_1", "")]) => Files(&[("000/000/0000000001/20260401/OML-01/0000000001_20260401_OML-01_000000000000001_20260401093000123_01_1", ""), ("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_01_1", "")]) }
    SSM826 = "SSM826" "order-never-answered" Info [strict] { "この依頼の結果・実施がストレージにありません", "the storage has no result or administration for this order", "実施されたか、取り消されたかを確かめてください", "find out whether it was done or cancelled", "SS-MIX2 ORC-2";
        "実施されなかったのか、結果が届いていないのか分かりません。同じ種別の結果が患者に一つもなければ、結果を保存しない施設とみなして指摘しません。", "Not done and not received cannot be told apart. A patient without any result of the kind is left alone: the site does not keep results.";
        Files(&[("000/000/0000000001/20260401/OML-01/0000000001_20260401_OML-01_000000000000001_20260401093000123_01_1", ""), ("000/000/0000000001/20260402/OML-11/0000000001_20260402_OML-11_000000000000002_20260402093000123_01_1", "")]) => Files(&[("000/000/0000000001/20260401/OML-01/0000000001_20260401_OML-01_000000000000001_20260401093000123_01_1", ""), ("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_01_1", "")]) }
    SSM827 = "SSM827" "result-of-withdrawn-order" Warning { "取り消された依頼 (フラグ 0) の結果・実施が有効です", "a valid result or administration of a withdrawn order (flag 0)", "依頼と結果のどちらが正しいか確かめてください", "find out which of the two holds", "SS-MIX2 コンディションフラグ; ORC-2";
        "取り消した検査や投薬が行われたか、結果の取り消し漏れです。", "Something cancelled was done, or the result was not withdrawn.";
        Files(&[("000/000/0000000001/20260401/OML-01/0000000001_20260401_OML-01_000000000000001_20260401093000123_01_0", ""), ("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_01_1", "")]) => Files(&[("000/000/0000000001/20260401/OML-01/0000000001_20260401_OML-01_000000000000001_20260401093000123_01_1", ""), ("000/000/0000000001/20260401/OML-11/0000000001_20260401_OML-11_000000000000001_20260401093000123_01_1", "")]) }
    SSM831 = "SSM831" "admission-during-stay" Warning { "退院がないまま次の入院があります", "an admission while the stay before has no discharge", "前の入院の退院 (ADT-52) を確かめてください", "check the discharge (ADT-52) of the stay before", "SS-MIX2 ADT-22, ADT-52";
        "入院が重なり、入院日数を数えられません。", "Stays overlap, and days cannot be counted.";
        Files(&[("000/000/0000000001/20260401/ADT-22/0000000001_20260401_ADT-22_999999999999999_20260401093000123_01_1", ""), ("000/000/0000000001/20260501/ADT-22/0000000001_20260501_ADT-22_999999999999999_20260501093000123_01_1", "")]) => Files(&[("000/000/0000000001/20260401/ADT-22/0000000001_20260401_ADT-22_999999999999999_20260401093000123_01_1", ""), ("000/000/0000000001/20260420/ADT-52/0000000001_20260420_ADT-52_999999999999999_20260420113000123_01_1", ""), ("000/000/0000000001/20260501/ADT-22/0000000001_20260501_ADT-22_999999999999999_20260501093000123_01_1", "")]) }
    SSM832 = "SSM832" "discharge-without-admission" Info { "退院の前に入院 (ADT-22) がありません", "a discharge without an admission (ADT-22) before it", "入院のファイルを確かめてください (稼働前の入院なら不要)", "check the admission's file, unless it was before the system began", "SS-MIX2 ADT-22, ADT-52";
        "いつからの入院か分かりません。", "It does not say when the stay began.";
        Files(&[("000/000/0000000001/20260420/ADT-52/0000000001_20260420_ADT-52_999999999999999_20260420113000123_01_1", "")]) => Files(&[("000/000/0000000001/20260401/ADT-22/0000000001_20260401_ADT-22_999999999999999_20260401093000123_01_1", ""), ("000/000/0000000001/20260420/ADT-52/0000000001_20260420_ADT-52_999999999999999_20260420113000123_01_1", "")]) }
    SSM833 = "SSM833" "admission-without-discharge" Warning { "退院 (ADT-52) がないのに、その後に外来受診があります", "no discharge (ADT-52), yet an outpatient visit later", "退院のファイルを確かめてください", "check the discharge's file", "SS-MIX2 ADT-22, ADT-52, ADT-12";
        "患者が入院中のまま残り、以後の外来も入院として数えられます。", "The patient stays admitted, and later visits count as part of the stay.";
        Files(&[("000/000/0000000001/20260401/ADT-22/0000000001_20260401_ADT-22_999999999999999_20260401093000123_01_1", ""), ("000/000/0000000001/20260501/ADT-12/0000000001_20260501_ADT-12_999999999999999_20260501093000123_01_1", "")]) => Files(&[("000/000/0000000001/20260401/ADT-22/0000000001_20260401_ADT-22_999999999999999_20260401093000123_01_1", ""), ("000/000/0000000001/20260420/ADT-52/0000000001_20260420_ADT-52_999999999999999_20260420113000123_01_1", ""), ("000/000/0000000001/20260501/ADT-12/0000000001_20260501_ADT-12_999999999999999_20260501093000123_01_1", "")]) }
    SSM834 = "SSM834" "admission-day-differs" Warning { "退院の PV1-44 (入院日) が入院 (ADT-22) の診療日と違います", "PV1-44 of the discharge differs from the day of the admission (ADT-22)", "入院日を確かめてください", "check the day of admission", "SS-MIX2 PV1-44";
        "入院日数が記録によって違います。", "The records disagree on the length of stay.";
        Files(&[("000/000/0000000001/20260401/ADT-22/0000000001_20260401_ADT-22_999999999999999_20260401093000123_01_1", ""), ("000/000/0000000001/20260420/ADT-52/0000000001_20260420_ADT-52_999999999999999_20260420113000123_01_1", "PV1|1|I|3E^301^1^^^N||||D01^見立^一郎^^^^^^^L^^^^^I|||01||||||||||||||||||||||||||01||||||||202604050900|202604201000")]) => Files(&[("000/000/0000000001/20260401/ADT-22/0000000001_20260401_ADT-22_999999999999999_20260401093000123_01_1", ""), ("000/000/0000000001/20260420/ADT-52/0000000001_20260420_ADT-52_999999999999999_20260420113000123_01_1", "PV1|1|I|3E^301^1^^^N||||D01^見立^一郎^^^^^^^L^^^^^I|||01||||||||||||||||||||||||||01||||||||202604010900|202604201000")]) }
    SSM835 = "SSM835" "transfer-without-admission" Info { "転棟・転科の前に入院 (ADT-22) がありません", "a transfer without an admission (ADT-22) before it", "入院のファイルを確かめてください (稼働前の入院なら不要)", "check the admission's file, unless it was before the system began", "SS-MIX2 ADT-22, ADT-42";
        "どの入院の移動か分かりません。", "It does not say to which stay the move belongs.";
        Files(&[("000/000/0000000001/20260410/ADT-42/0000000001_20260410_ADT-42_999999999999999_20260410113000123_01_1", "")]) => Files(&[("000/000/0000000001/20260401/ADT-22/0000000001_20260401_ADT-22_999999999999999_20260401093000123_01_1", ""), ("000/000/0000000001/20260410/ADT-42/0000000001_20260410_ADT-42_999999999999999_20260410113000123_01_1", "")]) }
    SSM836 = "SSM836" "return-without-leave" Info { "帰院の前に外出泊 (ADT-31) がありません", "a return without a leave (ADT-31) before it", "外出泊のファイルを確かめてください", "check the file of the leave", "SS-MIX2 ADT-31, ADT-32";
        "いつからの外出泊か分からず、食事や入院料の計算を誤ります。", "It does not say when the leave began, and meals and charges go wrong.";
        Files(&[("000/000/0000000001/20260410/ADT-32/0000000001_20260410_ADT-32_999999999999999_20260410173000123_01_1", "")]) => Files(&[("000/000/0000000001/20260409/ADT-31/0000000001_20260409_ADT-31_999999999999999_20260409093000123_01_1", ""), ("000/000/0000000001/20260410/ADT-32/0000000001_20260410_ADT-32_999999999999999_20260410173000123_01_1", "")]) }
    SSM841 = "SSM841" "coverage-ended" Warning { "診療日に有効な保険がありません (期限が切れています)", "no insurance was valid on the care date: it had ended", "資格を確認し、患者基本情報の保険を更新してください", "confirm the eligibility and update the basic data", "SS-MIX2 IN1-13; 資格確認";
        "資格のない保険での請求は返戻されます。", "Claims on an insurance that ended are returned.";
        Files(&[("000/000/0000000001/-/ADT-00/0000000001_-_ADT-00_999999999999999_20260401093000123_-_1", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20240401|20260331||MI||SEL^本人^HL70063"), ("000/000/0000000001/20260401/ADT-12/0000000001_20260401_ADT-12_999999999999999_20260401093000123_01_1", "")]) => Files(&[("000/000/0000000001/-/ADT-00/0000000001_-_ADT-00_999999999999999_20260401093000123_-_1", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20240401|20270331||MI||SEL^本人^HL70063"), ("000/000/0000000001/20260401/ADT-12/0000000001_20260401_ADT-12_999999999999999_20260401093000123_01_1", "")]) }
    SSM842 = "SSM842" "coverage-not-begun" Info { "診療日に有効な保険がありません (まだ始まっていません)", "no insurance was valid on the care date: it had not begun", "診療日に有効だった保険も残してください", "keep the insurance that was valid then, too", "SS-MIX2 IN1-12; 資格確認";
        "その日の診療をどの保険で行ったか分かりません。基本情報は今の保険だけを伝えるので、保険が替わった後は、前の日付の診療がこうなることがあり、誤りとは限りません。", "It does not say which insurance covered the day. Basic data tell of present coverages only, so this is met for earlier care after a change and need not be a mistake.";
        Files(&[("000/000/0000000001/-/ADT-00/0000000001_-_ADT-00_999999999999999_20260401093000123_-_1", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20260401|20270331||MI||SEL^本人^HL70063"), ("000/000/0000000001/20260331/ADT-12/0000000001_20260331_ADT-12_999999999999999_20260331093000123_01_1", "")]) => Files(&[("000/000/0000000001/-/ADT-00/0000000001_-_ADT-00_999999999999999_20260401093000123_-_1", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20250401|20270331||MI||SEL^本人^HL70063"), ("000/000/0000000001/20260331/ADT-12/0000000001_20260331_ADT-12_999999999999999_20260331093000123_01_1", "")]) }
    SSM845 = "SSM845" "coverage-begins-after-record" Warning { "患者基本情報の保険が、その記録の日にもまだ始まっていません", "the insurances of the basic data had not begun when these were written", "資格を確認し、診療日に有効だった保険を残してください", "confirm the eligibility, and keep the insurance that was valid on the care date", "SS-MIX2 IN1-12; 資格確認";
        "保険が替わった後の記録ではないので、診療日の保険は別にあるか、開始日の誤りです。", "Nothing was replaced yet, so the care was under another insurance, or the begin is wrong.";
        Files(&[("000/000/0000000001/-/ADT-00/0000000001_-_ADT-00_999999999999999_20260401093000123_-_1", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20260501|20270331||MI||SEL^本人^HL70063"), ("000/000/0000000001/20260401/ADT-12/0000000001_20260401_ADT-12_999999999999999_20260401093000123_01_1", "")]) => Files(&[("000/000/0000000001/-/ADT-00/0000000001_-_ADT-00_999999999999999_20260401093000123_-_1", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20250401|20270331||MI||SEL^本人^HL70063"), ("000/000/0000000001/20260401/ADT-12/0000000001_20260401_ADT-12_999999999999999_20260401093000123_01_1", "")]) }
    SSM843 = "SSM843" "control-id-repeated" Info { "メッセージ制御ID (MSH-10) がほかのファイルと同じです", "another file has the same message control id (MSH-10)", "メッセージごとに別の ID を書いてください", "give each message an id of its own", "HL7 v2.5 §2.15.9.10 MSH-10";
        "受け手が二つ目を重複とみなして捨てることがあります。", "Receivers may drop the second as a duplicate.";
        Files(&[("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1", "MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||RDE^O11^RDE_O11|M1|P|2.5||||||~ISO IR87||ISO 2022-1994"), ("000/000/0000000001/20260401/OML-01/0000000001_20260401_OML-01_000000000000002_20260401093000123_01_1", "MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||OML^O33^OML_O33|M1|P|2.5||||||~ISO IR87||ISO 2022-1994")]) => Files(&[("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1", "MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||RDE^O11^RDE_O11|M1|P|2.5||||||~ISO IR87||ISO 2022-1994"), ("000/000/0000000001/20260401/OML-01/0000000001_20260401_OML-01_000000000000002_20260401093000123_01_1", "MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||OML^O33^OML_O33|M2|P|2.5||||||~ISO IR87||ISO 2022-1994")]) }
    SSM844 = "SSM844" "basic-data-missing" Info [strict] { "患者基本情報 (ADT-00) がありません", "the patient has no basic data (ADT-00)", "患者基本情報を出力してください", "write the basic data", "SS-MIX2 ADT-00";
        "氏名・住所・保険の現在の値が分かりません。", "Present name, address and insurance are not known.";
        Files(&[("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1", "")]) => Files(&[("000/000/0000000001/-/ADT-00/0000000001_-_ADT-00_999999999999999_20260401093000123_-_1", ""), ("000/000/0000000001/20260401/OMP-01/0000000001_20260401_OMP-01_000000000000001_20260401093000123_01_1", "")]) }
}

fn compared(at: &Spot) -> Label {
    Label {
        span: at.span,
        path: at.path,
        ja: "比べた値",
        en: "the value it is compared with",
    }
}

/// `SSM821`–`SSM824`: PID of each file against the newest ADT-00, or the newest file.
fn demographics(cx: &mut PatientCx<'_, '_>) {
    let facts = cx.facts;
    let current = cx.current();
    let newest = current
        .iter()
        .filter_map(|i| facts.get(*i))
        .filter(|f| !f.other_person)
        .filter(|f| !f.kanji.whole.text.is_empty() || !f.birth.text.is_empty())
        .max_by_key(|f| (f.kind == Some(K::Adt00), f.sent.map(|t| t.sort_key())));
    let Some(newest) = newest else {
        return;
    };
    let day = |t: &str| t.get(..8).unwrap_or(t).to_owned();
    let own = current.iter().filter_map(|i| facts.get(*i));
    for file in own.filter(|f| !f.other_person) {
        let fold = warifu_source::normalise_for_compare;
        let differ = |a: &Spot, b: &Spot, fold: &dyn Fn(&str) -> String| {
            let both = !a.text.is_empty() && !b.text.is_empty();
            both && fold(&a.text) != fold(&b.text)
        };
        let parted: [(Code, &Parts, &Parts); 3] = [
            (&SSM821, &file.kanji, &newest.kanji),
            (&SSM821, &file.kana, &newest.kana),
            (&SSM824, &file.address, &newest.address),
        ];
        for (code, own, other) in parted {
            if differ(&own.whole, &other.whole, &fold) {
                let (at, to) = own.difference(other, fold);
                cx.report(code, at, None, Some(compared(to)));
            }
        }
        if differ(&file.birth, &newest.birth, &day) {
            cx.report(&SSM822, &file.birth, None, Some(compared(&newest.birth)));
        }
        if differ(&file.sex, &newest.sex, &fold) {
            cx.report(&SSM823, &file.sex, None, Some(compared(&newest.sex)));
        }
    }
}

/// Order kinds and the kinds of their results.
const PAIRS: &[(K, K)] = &[
    (K::Oml01, K::Oml11),
    (K::Omp01, K::Omp11),
    (K::Omp02, K::Omp12),
    (K::Omg01, K::Omg11),
    (K::Omg02, K::Omg12),
    (K::Omg03, K::Omg13),
];

fn number(text: &str) -> &str {
    text.trim().trim_start_matches('0')
}

/// `SSM825`–`SSM827`: orders and results by ORC-2.
fn pairs(cx: &mut PatientCx<'_, '_>) {
    let (facts, names) = (cx.facts, cx.names);
    let current = cx.current();
    let of = |kind: K| {
        facts
            .iter()
            .enumerate()
            .filter(move |(_, f)| f.kind == Some(kind))
    };
    for &(order, result) in PAIRS {
        let mut orders: BTreeMap<&str, (bool, &Spot)> = BTreeMap::new();
        let mut results: BTreeMap<&str, &Spot> = BTreeMap::new();
        for (i, file) in of(order) {
            let replaced = names
                .get(i)
                .is_some_and(|n| n.is_some_and(|n| n.flag == Flag::Replaced));
            if replaced {
                continue;
            }
            for spot in &file.orders {
                let living = current.binary_search(&i).is_ok() && !file.cancels;
                let entry = orders.entry(number(&spot.text)).or_insert((living, spot));
                if living {
                    *entry = (true, spot);
                }
            }
        }
        for (i, file) in of(result) {
            if current.binary_search(&i).is_err() || file.cancels {
                continue;
            }
            for spot in &file.orders {
                results.entry(number(&spot.text)).or_insert(spot);
            }
        }
        // A storage without any order of the kind does not keep them.
        if orders.is_empty() || results.is_empty() {
            continue;
        }
        let unnumbered = number(NO_ORDER);
        for (text, spot) in results.iter().filter(|(text, _)| **text != unnumbered) {
            match orders.get(text) {
                None => cx.report(&SSM825, spot, None, None),
                Some((false, order)) => {
                    cx.report(&SSM827, spot, None, Some(compared(order)));
                }
                Some((true, _)) => {}
            }
        }
        for (text, (living, spot)) in &orders {
            if *living && !results.contains_key(text) && *text != unnumbered {
                cx.report(&SSM826, spot, None, None);
            }
        }
    }
}

/// `SSM835`, `SSM836`: transfers and returns, each on or after the day of what goes before it.
fn moves(cx: &mut PatientCx<'_, '_>) {
    let (facts, names) = (cx.facts, cx.names);
    let days = |kind: K| -> Vec<(&str, usize)> {
        let mut days: Vec<(&str, usize)> = cx
            .current()
            .into_iter()
            .filter_map(|i| {
                let file = facts
                    .get(i)
                    .filter(|f| f.kind == Some(kind) && !f.cancels)?;
                (!file.other_person).then_some(((*names.get(i)?)?.date, i))
            })
            .collect();
        days.sort_unstable();
        days
    };
    let pairs: [(Code, K, K); 2] = [(&SSM835, K::Adt42, K::Adt22), (&SSM836, K::Adt32, K::Adt31)];
    let mut found = Vec::new();
    for (code, later, earlier) in pairs {
        let first = days(earlier).first().map(|(day, _)| *day);
        let lone = days(later)
            .into_iter()
            .find(|(day, _)| first.is_none_or(|first| first > *day));
        found.extend(lone.map(|(_, i)| (code, i)));
    }
    for (code, i) in found {
        cx.report_file(code, i, None);
    }
}

/// `SSM831`–`SSM834`: admissions, discharges and visits in the order of their days.
fn stays(cx: &mut PatientCx<'_, '_>) {
    let (facts, names) = (cx.facts, cx.names);
    let mut events: Vec<(&str, &str, u8, usize)> = cx
        .current()
        .into_iter()
        .filter_map(|i| {
            let name = (*names.get(i)?)?;
            let file = facts.get(i)?;
            let rank = match file.kind? {
                K::Adt22 => 0,
                K::Adt12 => 1,
                K::Adt52 => 2,
                _ => return None,
            };
            (!file.cancels).then_some((name.date, name.timestamp.0, rank, i))
        })
        .collect();
    // A discharge of a day on which another stay begins comes first.
    events.sort_by_key(|&(date, stamp, rank, i)| {
        let at = facts.get(i).map_or("", |f| match rank {
            0 => f.admitted.text.as_str(),
            2 => f.discharged.text.as_str(),
            _ => "",
        });
        (date, at.to_owned(), stamp)
    });
    let mut open: Option<(usize, &str)> = None;
    let mut told = false;
    for (date, _, rank, i) in events {
        match rank {
            0 => {
                if let Some((before, _)) = open {
                    let other = (before, "前の入院", "the admission before");
                    cx.report_file(&SSM831, i, Some(other));
                }
                open = Some((i, date));
                told = false;
            }
            1 => {
                if let Some((admission, since)) = open
                    && date > since
                    && !told
                {
                    let other = (i, "後の外来受診", "the later visit");
                    cx.report_file(&SSM833, admission, Some(other));
                    told = true;
                }
            }
            _ => {
                let Some((admission, since)) = open.take() else {
                    cx.report_file(&SSM832, i, None);
                    continue;
                };
                let stated: Option<&Facts> = facts.get(i);
                let stated = stated.map(|f| &f.admitted);
                if let Some(spot) = stated
                    && spot.text.get(..8).is_some_and(|day| day != since)
                {
                    let label = Label {
                        span: PatientCx::file(admission),
                        path: None,
                        ja: "入院のファイル",
                        en: "the admission",
                    };
                    cx.report(&SSM834, spot, None, Some(label));
                }
            }
        }
    }
}

/// `SSM841`, `SSM842`, `SSM845`: the insurances of the ADT-00 that holds against the care dates. It replaces every
/// version before it; what was replaced or withdrawn covers no day.
fn eligibility(cx: &mut PatientCx<'_, '_>) {
    let (facts, names) = (cx.facts, cx.names);
    let basics = cx.current().into_iter().filter_map(|i| {
        let file = facts.get(i).filter(|f| f.kind == Some(K::Adt00))?;
        let stamp = names.get(i)?.map(|n| n.timestamp);
        let sent = file.sent.map(|t| t.sort_key());
        (!file.cancels && !file.other_person).then_some(((stamp, sent), file))
    });
    let Some((_, newest)) = basics.max_by_key(|(written, _)| *written) else {
        return;
    };
    let coverages: Vec<_> = newest.coverages.iter().collect();
    // Public expense adds to an insurance; without any, as in public assistance, it stands alone.
    let insured = coverages.iter().any(|c| c.medical);
    let coverages: Vec<_> = coverages
        .into_iter()
        .filter(|c| c.medical || !insured)
        .filter(|c| c.begin.is_some() || c.end.is_some())
        .collect();
    if coverages.is_empty() {
        return;
    }
    let day = |t: time::Time| (t.year, t.month.max(1), t.day.max(1));
    let mut days: BTreeMap<&str, usize> = BTreeMap::new();
    for i in cx.current() {
        let Some(Some(name)) = names.get(i) else {
            continue;
        };
        let planned = matches!(
            facts.get(i).and_then(|f| f.kind),
            Some(K::Adt21 | K::Adt41 | K::Adt51)
        );
        if name.date.len() == 8 && !planned {
            days.entry(name.date).or_insert(i);
        }
    }
    for (date, file) in days {
        let Some(care) = time::parse(date).map(day) else {
            continue;
        };
        let begun = |c: &&&crate::patient::Coverage| c.begin.is_none_or(|b| day(b) <= care);
        let ended = |c: &&&crate::patient::Coverage| c.end.is_some_and(|e| day(e) < care);
        if coverages.iter().any(|c| begun(&c) && !ended(&c)) {
            continue;
        }
        let last = coverages
            .iter()
            .filter(begun)
            .max_by_key(|c| c.end.map(day));
        let (code, at): (Code, _) = match last {
            Some(last) => (&SSM841, &last.at),
            // Before public expense there may have been an insurance that is not written.
            None if !insured => continue,
            None => match coverages.iter().min_by_key(|c| c.begin.map(day)) {
                Some(first) if first.begin.map(day) > newest.sent.map(day) => (&SSM845, &first.at),
                Some(first) => (&SSM842, &first.at),
                None => continue,
            },
        };
        let spot = Spot {
            span: PatientCx::file(file),
            ..Spot::default()
        };
        cx.report(code, &spot, None, Some(compared(at)));
    }
}

/// `SSM843`: MSH-10.
fn control_ids(cx: &mut PatientCx<'_, '_>) {
    let facts = cx.facts;
    let mut first: BTreeMap<&str, &Spot> = BTreeMap::new();
    for file in facts {
        let id = &file.control_id;
        if id.text.is_empty() {
            continue;
        }
        match first.get(id.text.as_str()) {
            Some(other) => cx.report(&SSM843, id, None, Some(compared(other))),
            None => {
                first.insert(&id.text, id);
            }
        }
    }
}

/// `SSM844`: a patient has an ADT-00.
fn basics(cx: &mut PatientCx<'_, '_>) {
    let any = cx.facts.iter().any(|f| f.kind == Some(K::Adt00));
    let first = cx.facts.iter().position(|f| f.kind.is_some());
    if let Some(first) = first.filter(|_| !any) {
        cx.report_file(&SSM844, first, None);
    }
}
