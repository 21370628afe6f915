//! `HL73xx`, `SSM30x`: values of code tables, one code a table.
//!
//! A table is bound to fields ([`bound`]) and to the names of coding systems ([`of_system`]).

use warifu_diag::Code;
use warifu_diag::Example::{self, Lines};
use warifu_hl7::{Part, Segment};
use warifu_terms::{systems, tables};

use crate::cx::Cx;
use crate::rule::Check;

pub(crate) const CHECKS: &[Check] = &[];

/// Codes of tables: number, name, severity, table, its Japanese and English name, examples.
macro_rules! tables {
    ($($id:ident = $code:literal $name:literal $sev:ident $table:literal $ja:literal $en:literal $wrong:expr => $right:expr;)*) => {
        warifu_diag::codes! {
            $($id = $code $name $sev {
                concat!("表 ", $table, " (", $ja, ") にない値です"),
                concat!("value not in table ", $table, " (", $en, ")"),
                concat!("表 ", $table, " の値を書いてください"),
                concat!("use a value of table ", $table),
                concat!("SS-MIX2 コード表; 表 ", $table);
                concat!($ja, "は表 ", $table, " の値で伝える決まりです。表にない値は、受け手が不明として扱います。"),
                concat!("The ", $en, " is told by the values of table ", $table, "; receivers take others as unknown.");
                $wrong => $right
            })*
        }
        /// Tables by name; the last part is the code.
        const TABLES: &[(&str, Code)] = &[$(($table, &$id)),*];
    };
}

const OK: Example = Lines(
    "ADT-00",
    "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F",
);

tables! {
    HL7301 = "HL7301" "sex-not-in-0001" Warning "0001" "性別" "administrative sex" Lines("ADT-00", "PID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|2") => OK;
    HL7302 = "HL7302" "patient-class-not-in-0004" Warning "0004" "患者区分" "patient class" Lines("ADT-00", "PV1|1|E|01^^^^^C||||D01^見立^一郎^^^^^^^L^^^^^I|||01") => Lines("ADT-00", "PV1|1|O|01^^^^^C||||D01^見立^一郎^^^^^^^L^^^^^I|||01");
    HL7303 = "HL7303" "order-status-not-in-0038" Warning "0038" "オーダ状態" "order status" Lines("OML-11", "ORC|SC|000000000000001|||ZZ||||20260401090000") => Lines("OML-11", "ORC|SC|000000000000001|||CM||||20260401090000");
    HL7304 = "HL7304" "event-reason-not-in-0062" Warning "0062" "イベント理由" "event reason" Lines("ADT-00", "EVN||20260401093000||99") => Lines("ADT-00", "EVN||20260401093000||01");
    HL7305 = "HL7305" "relationship-not-in-0063" Warning "0063" "続柄" "relationship" Lines("ADT-00", "NK1|1|試験^太郎|HUS^夫^HL70063") => Lines("ADT-00", "NK1|1|試験^太郎|SPO^配偶者^HL70063");
    HL7306 = "HL7306" "abnormal-flag-not-in-0078" Warning "0078" "異常フラグ" "abnormal flags" Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|6.6-8.1|Z|||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|6.6-8.1|N|||F");
    HL7307 = "HL7307" "result-status-not-in-0085" Warning "0085" "検査結果状態" "observation result status" Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||Z") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F");
    HL7308 = "HL7308" "disposition-not-in-0112" Warning "0112" "退院区分" "discharge disposition" Lines("ADT-52", "PV1|1|I|3E^301^1^^^N||||D01^見立^一郎^^^^^^^L^^^^^I|||01||||||||||||||||||||||||||99||||||||202603250900|202604011000") => Lines("ADT-52", "PV1|1|I|3E^301^1^^^N||||D01^見立^一郎^^^^^^^L^^^^^I|||01||||||||||||||||||||||||||01||||||||202603250900|202604011000");
    HL7309 = "HL7309" "order-control-not-in-0119" Warning "0119" "オーダ制御" "order control" Lines("OMP-01", "ORC|ZZ|000000000000001||1|||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I") => Lines("OMP-01", "ORC|NW|000000000000001||1|||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I");
    HL7310 = "HL7310" "report-status-not-in-0123" Warning "0123" "報告状態" "result status" Lines("OML-11", "OBR|1|000000000000001||E002^生化学^99TST|||202604010850||||||||||||||||||Q") => Lines("OML-11", "OBR|1|000000000000001||E002^生化学^99TST|||202604010850||||||||||||||||||F");
    HL7311 = "HL7311" "value-type-not-in-0125" Warning "0125" "値型" "value type" Lines("OML-11", "OBX|1|NUM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F");
    HL7312 = "HL7312" "allergen-type-not-in-0127" Warning "0127" "アレルゲン分類" "allergen type" Lines("ADT-61", "IAM|1|XX^不明^HL70127|J9FC11310000^さば^J-FAGY|||A^追加^HL70323") => Lines("ADT-61", "IAM|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|||A^追加^HL70323");
    HL7313 = "HL7313" "severity-not-in-0128" Warning "0128" "アレルギー重症度" "allergy severity" Lines("ADT-61", "IAM|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|HI^重い^HL70128||A^追加^HL70323") => Lines("ADT-61", "IAM|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|SV^重度^HL70128||A^追加^HL70323");
    HL7314 = "HL7314" "route-not-in-0162" Warning "0162" "投与経路" "route" Lines("OMP-01", "RXR|XX^口^HL70162") => Lines("OMP-01", "RXR|PO^口^HL70162");
    HL7315 = "HL7315" "device-not-in-0164" Warning "0164" "投与装置" "administration device" Lines("OMP-02", "RXR|IV^静脈内^HL70162||XX^装置^HL70164") => Lines("OMP-02", "RXR|IV^静脈内^HL70162||IVS^点滴溶剤セット^HL70164");
    HL7316 = "HL7316" "component-type-not-in-0166" Warning "0166" "成分タイプ" "component type" Lines("OMP-02", "RXC|C|100000201^試験注^HOT9|1|AMP^アンプル^MR9P") => Lines("OMP-02", "RXC|B|100000201^試験注^HOT9|1|AMP^アンプル^MR9P");
    HL7317 = "HL7317" "address-type-not-in-0190" Info "0190" "住所種別" "address type" Lines("ADT-00", "NK1|1|試験^太郎|SPO^配偶者^HL70063|^^^^100-0001^JPN^自宅^東京都千代田区千代田１−１") => Lines("ADT-00", "NK1|1|試験^太郎|SPO^配偶者^HL70063|^^^^100-0001^JPN^H^東京都千代田区千代田１−１");
    HL7318 = "HL7318" "name-type-not-in-0200" Info "0200" "氏名種別" "name type" Lines("ADT-00", "NK1|1|試験^太郎^^^^^X^I|SPO^配偶者^HL70063") => Lines("ADT-00", "NK1|1|試験^太郎^^^^^L^I|SPO^配偶者^HL70063");
    HL7319 = "HL7319" "telecom-use-not-in-0201" Info "0201" "電話の用途" "telecommunication use" Lines("ADT-00", "NK1|1|試験^太郎|SPO^配偶者^HL70063||^HOME^PH^^^^^^^^^03-0000-0000") => Lines("ADT-00", "NK1|1|試験^太郎|SPO^配偶者^HL70063||^PRN^PH^^^^^^^^^03-0000-0000");
    HL7320 = "HL7320" "telecom-type-not-in-0202" Info "0202" "電話の種類" "telecommunication equipment" Lines("ADT-00", "NK1|1|試験^太郎|SPO^配偶者^HL70063||^PRN^TEL^^^^^^^^^03-0000-0000") => Lines("ADT-00", "NK1|1|試験^太郎|SPO^配偶者^HL70063||^PRN^PH^^^^^^^^^03-0000-0000");
    HL7321 = "HL7321" "outcome-not-in-0241" Warning "0241" "転帰" "outcome" Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260101||20260331|I10^高血圧症^I10||||X^不明^HL70241") => Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260101||20260331|I10^高血圧症^I10||||F^治癒^HL70241");
    HL7322 = "HL7322" "problem-action-not-in-0287" Warning "0287" "病名アクション" "problem action" Lines("PPR-01", "PRB|NW|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10") => Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10");
    HL7323 = "HL7323" "completion-not-in-0322" Warning "0322" "完了状態" "completion status" Lines("OMP-12", "RXA|0|1|20260401093000|20260401094000|100000201^試験注^HOT9|1|AMP^アンプル^MR9P|||||||||||||XX") => Lines("OMP-12", "RXA|0|1|20260401093000|20260401094000|100000201^試験注^HOT9|1|AMP^アンプル^MR9P|||||||||||||CP");
    HL7324 = "HL7324" "allergy-action-not-in-0323" Warning "0323" "アクションコード" "action code" Lines("ADT-61", "IAM|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|||N^新規^HL70323") => Lines("ADT-61", "IAM|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|||A^追加^HL70323");
    HL7325 = "HL7325" "disabled-person-not-in-0334" Warning "0334" "障害者区分" "disabled person" Lines("ADT-00", "DB1|1|XX||N") => Lines("ADT-00", "DB1|1|PT||N");
    HL7326 = "HL7326" "sensitivity-not-in-0436" Warning "0436" "感受性コード" "sensitivity" Lines("ADT-61", "IAM|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|||A^追加^HL70323|||ZZ^不明^HL70436") => Lines("ADT-61", "IAM|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|||A^追加^HL70323|||AL^アレルギー^HL70436");
    HL7327 = "HL7327" "allergy-status-not-in-0438" Warning "0438" "アレルギー臨床状態" "allergy clinical status" Lines("ADT-61", "IAM|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|||A^追加^HL70323|||||||||||Z^不明^HL70438") => Lines("ADT-61", "IAM|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|||A^追加^HL70323|||||||||||C^確定^HL70438");
    HL7328 = "HL7328" "name-representation-not-in-0465" Info "0465" "氏名の表記" "name representation" Lines("ADT-00", "NK1|1|試験^太郎^^^^^L^K|SPO^配偶者^HL70063") => Lines("ADT-00", "NK1|1|試験^太郎^^^^^L^I|SPO^配偶者^HL70063");
    HL7329 = "HL7329" "order-type-not-in-0482" Warning "0482" "オーダ種別" "order type" Lines("OML-11", "ORC|SC|000000000000001|||CM||||20260401090000||||||||||||||||||||X^不明^HL70482") => Lines("OML-11", "ORC|SC|000000000000001|||CM||||20260401090000||||||||||||||||||||O^外来患者オーダ^HL70482");
    HL7330 = "HL7330" "priority-not-in-0485" Warning "0485" "優先度" "priority" Lines("OMG-03", "TQ1|1||||||||Z^不明^HL70485") => Lines("OMG-03", "TQ1|1||||||||R^ルーチン^HL70485");
    HL7331 = "HL7331" "processing-id-not-in-0103" Warning "0103" "処理ID" "processing id" Example::Message("MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08^ADT_A01|1|X|2.5||||||~ISO IR87||ISO 2022-1994") => Example::Message("MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994");
    HL7332 = "HL7332" "indicator-not-in-0136" Warning "0136" "有無" "yes/no indicator" Lines("ADT-00", "DB1|1|PT||1") => Lines("ADT-00", "DB1|1|PT||N");
    HL7333 = "HL7333" "diet-type-not-in-0159" Warning "0159" "食事の種別" "diet type" Lines("OMD", "ODS|X||E001^常食^99TST") => Lines("OMD", "ODS|D||E001^常食^99TST");
    HL7334 = "HL7334" "department-not-in-0069" Warning "0069" "診療科" "department" Lines("ADT-12", "PV1|1|O|01^^^^^C||||D01^見立^一郎^^^^^^^L^^^^^I|||ZZ||||||||||||||||||||||||||||||||||202604010900") => Lines("ADT-12", "PV1|1|O|01^^^^^C||||D01^見立^一郎^^^^^^^L^^^^^I|||01A||||||||||||||||||||||||||||||||||202604010900");
    HL7335 = "HL7335" "location-type-not-in-0305" Warning "0305" "場所の種類" "person location type" Lines("ADT-12", "PV1|1|O|01^^^^^X||||D01^見立^一郎^^^^^^^L^^^^^I|||01||||||||||||||||||||||||||||||||||202604010900") => Lines("ADT-12", "PV1|1|O|01^^^^^C||||D01^見立^一郎^^^^^^^L^^^^^I|||01||||||||||||||||||||||||||||||||||202604010900");
    HL7336 = "HL7336" "repeat-pattern-not-in-0335" Info "0335" "反復パターン" "repeat pattern" Lines("OMP-02", "TQ1|1||ZZZ&不明&HL70335||||202604011000") => Lines("OMP-02", "TQ1|1||TID&1日3回&HL70335||||202604011000");
    HL7337 = "HL7337" "body-site-not-in-0163" Info "0163" "部位" "body site" Lines("OMP-02", "RXR|IV^静脈内^HL70162|ZZ^不明^HL70163") => Lines("OMP-02", "RXR|IV^静脈内^HL70162|LA^左腕^HL70163");
    HL7338 = "HL7338" "administration-method-not-in-0165" Info "0165" "投与方法" "administration method" Lines("OMP-02", "RXR|IV^静脈内^HL70162|||ZZ^不明^HL70165") => Lines("OMP-02", "RXR|IV^静脈内^HL70162|||IVP^静脈注射^HL70165");
    HL7339 = "HL7339" "pharmacy-order-type-not-in-0480" Warning "0480" "薬剤オーダ種別" "pharmacy order type" Lines("OMP-12", "RXA|0|1|20260401093000|20260401094000|100000201^試験注^HOT9|1|AMP^アンプル^MR9P|||||||||||||CP||||||Q") => Lines("OMP-12", "RXA|0|1|20260401093000|20260401094000|100000201^試験注^HOT9|1|AMP^アンプル^MR9P|||||||||||||CP||||||M");
    HL7340 = "HL7340" "dispense-method-not-in-0321" Warning "0321" "調剤方法" "dispense method" Lines("OMP-02", "RXE||00^一般^JHSI0002|100||ML^mL^MR9P|||||||||||||||||||||||||QQ") => Lines("OMP-02", "RXE||00^一般^JHSI0002|100||ML^mL^MR9P|||||||||||||||||||||||||TR");
    HL7341 = "HL7341" "section-not-in-0074" Info "0074" "検査部門" "diagnostic service section" Lines("OML-11", "OBR|1|000000000000001||E002^生化学^99TST|||202604010850|||||||||||||||||QQQ|F") => Lines("OML-11", "OBR|1|000000000000001||E002^生化学^99TST|||202604010850|||||||||||||||||CH|F");
    HL7342 = "HL7342" "processing-mode-not-in-0207" Warning "0207" "処理モード" "processing mode" Example::Message("MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08^ADT_A01|1|P^Z|2.5||||||~ISO IR87||ISO 2022-1994") => Example::Message("MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08^ADT_A01|1|P^T|2.5||||||~ISO IR87||ISO 2022-1994");
    HL7343 = "HL7343" "precision-not-in-0529" Info "0529" "日時の精度" "precision of a time" Lines("ADT-22", "PV2||||||||20260401^X") => Lines("ADT-22", "PV2||||||||20260401^D");
    SSM301 = "SSM301" "insurance-kind-not-in-jhsd0001" Warning "JHSD0001" "保険種別" "insurance kind" Lines("ADT-00", "IN1|1|ZZ^不明^JHSD0001|138057|||||||||20250401|20270331||||SEL^本人^HL70063") => Lines("ADT-00", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20250401|20270331||||SEL^本人^HL70063");
    SSM302 = "SSM302" "insured-detail-not-in-jhsd0002" Warning "JHSD0002" "被保険者区分" "detail of the insured" Lines("PPR-01", "ZI1|1|C0^国民健康保険^JHSD0001^ZZ^不明^JHSD0002") => Lines("PPR-01", "ZI1|1|C0^国民健康保険^JHSD0001^OJ^職務上^JHSD0002");
    SSM303 = "SSM303" "diagnosis-kind-not-in-jhsd0004" Warning "JHSD0004" "診断種別" "kind of diagnosis" Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10^X^不明^JHSD0004") => Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10^O^外来時^JHSD0004");
    SSM304 = "SSM304" "confirmation-not-in-jhsd0005" Warning "JHSD0005" "疑いの有無" "confirmation" Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10|||9^不明^JHSD0005") => Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10|||1^疑いあり^JHSD0005");
    SSM305 = "SSM305" "outcome-not-in-jhsd0006" Warning "JHSD0006" "転帰区分" "outcome" Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260101||20260331|I10^高血圧症^I10||||Z^不明^JHSD0006") => Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260101||20260331|I10^高血圧症^I10||||M^寛解^JHSD0006");
    SSM306 = "SSM306" "ranking-not-in-jhsd0007" Warning "JHSD0007" "主病名区分" "ranking" Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10||||||||5^不明^JHSD0007") => Lines("PPR-01", "PRB|AD|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260401|||I10^高血圧症^I10||||||||1^主診断^JHSD0007");
    SSM308 = "SSM308" "injection-kind-not-in-jhsi0002" Warning "JHSI0002" "注射種別" "injection kind" Lines("OMP-02", "RXE||88^不明^JHSI0002|100||ML^mL^MR9P") => Lines("OMP-02", "RXE||00^一般^JHSI0002|100||ML^mL^MR9P");
    SSM309 = "SSM309" "drip-method-not-in-jhsi0003" Warning "JHSI0003" "点滴方法" "drip method" Lines("OMP-02", "RXR|IV^静脈内^HL70162|||88^不明^JHSI0003") => Lines("OMP-02", "RXR|IV^静脈内^HL70162|||01^精密持続点滴^JHSI0003");
    SSM312 = "SSM312" "code-not-in-mr9p" Warning "MR9P" "単位・剤形・処方区分" "units, dosage forms and classes of prescription" Lines("OMP-01", "RXE||100000101^試験錠^HOT9|1||JOU^錠^MR9P|||||7|TAB^錠^MR9P") => Lines("OMP-01", "RXE||100000101^試験錠^HOT9|1||TAB^錠^MR9P|||||7|TAB^錠^MR9P");
    SSM314 = "SSM314" "insurance-class-unknown" Warning "JHSD0001 の区分" "保険区分" "class of insurance" Lines("ADT-00", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20250401|20270331||XX||SEL^本人^HL70063") => Lines("ADT-00", "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||||20250401|20270331||MI||SEL^本人^HL70063");
}

/// Tables that only the check asks, by their codes alone.
#[rustfmt::skip]
fn listed(table: &str) -> Option<&'static [&'static str]> {
    Some(match table {
        "0074" => &[
            "AU", "BG", "BLB", "CG", "CH", "CP", "CT", "CTH", "CUS", "EC", "EN", "GE", "HM", "ICU", "IMG", "IMM",
            "LAB", "MB", "MCB", "MYC", "NMR", "NMS", "NRS", "OSL", "OT", "OTH", "OUS", "PAR", "PAT", "PF", "PHR", "PHY",
            "PT", "RAD", "RC", "RT", "RUS", "RX", "SP", "SR", "TX", "URN", "VR", "VUS", "XRC",
        ],
        "0163" => &[
            "BE", "BN", "BU", "CT", "LA", "LAC", "LACF", "LD", "LE", "LEJ", "LF", "LG", "LH", "LIJ", "LLAQ", "LLFA",
            "LMFA", "LN", "LNB", "LPC", "LSC", "LT", "LUA", "LUAQ", "LUFA", "LV", "LVG", "LVL", "NB", "OD", "OS", "OU",
            "PA", "PERIN", "RA", "RAC", "RACF", "RD", "RE", "REJ", "RF", "RG", "RH", "RIJ", "RLAQ", "RLFA", "RMFA", "RN",
            "RPC", "RSC", "RT", "RUA", "RUAQ", "RUFA", "RVG", "RVL",
        ],
        "0165" => &[
            "CH", "DI", "DU", "IF", "IR", "IS", "IVP", "IVPB", "NB", "PF", "PT", "SH", "SO", "WA", "WI",
        ],
        "0207" => &["A", "I", "R", "T"],
        "0305" => &["C", "D", "H", "N", "O", "P", "S"],
        "0321" => &["AD", "F", "TR", "UD"],
        "0480" => &["M", "O", "S"],
        "0529" => &["D", "H", "L", "M", "S", "Y"],
        "0103" => &["D", "P", "T"],
        "0136" => &["N", "Y"],
        "0159" => &["D", "P", "S"],
        "JHSD0001 の区分" => &["LI", "MI", "OE", "OT", "PE", "PI", "PS", "TI"],
        _ => return None,
    })
}

/// Whether a table has a code, locally defined ranges included.
pub(crate) fn has(table: &str, code: &str) -> bool {
    if let Some(codes) = listed(table) {
        return codes.contains(&code);
    }
    match table {
        // 10–19 discharges, 21–29 deaths, 31–39 still a patient: for the institution to define.
        "0112" if matches!(code.parse::<u8>(), Ok(10..=19 | 21..=29 | 31..=39)) => true,
        // Two digits, which a third character refines: letters and digits of the institution.
        "0069" => {
            matches!(code.len(), 2 | 3)
                && code.bytes().take(2).all(|b| b.is_ascii_digit())
                && code.bytes().all(|b| b.is_ascii_alphanumeric())
        }
        "0335" => is_pattern(code),
        // SS-MIX2 reads CE as CWE; ZRD and JCC are types of its own.
        "0125" if matches!(code, "CE" | "ZRD" | "JCC") => true,
        "MR9P" => ["MR9P", "MR9P-form", "MR9P-category"]
            .iter()
            .any(|list| tables::table(list, code).is_some()),
        _ => tables::table(table, code).is_some(),
    }
}

/// Whether a code is a repeat pattern: those with a name, and those that are built: every so many seconds,
/// minutes, hours, days, weeks, months (`Q6H`), days of the week (`QJ135`), times a day (`5ID`), meals (`ACM`).
fn is_pattern(code: &str) -> bool {
    if tables::table("0335", code).is_some()
        || matches!(
            code,
            "A" | "C" | "D" | "I" | "M" | "ONCE" | "Once" | "P" | "PRN" | "U" | "V"
        )
        || code.starts_with("U ")
    {
        return true;
    }
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if let Some(times) = code.strip_suffix("ID") {
        return !times.is_empty() && digits(times);
    }
    if let Some((every, days)) = code.strip_prefix('Q').and_then(|t| t.split_once('J')) {
        return digits(every) && !days.is_empty() && days.bytes().all(|b| matches!(b, b'1'..=b'7'));
    }
    if let Some((every, unit)) = code
        .strip_prefix('Q')
        .and_then(|t| t.split_at_checked(t.len().saturating_sub(1)))
    {
        return !every.is_empty() && digits(every) && "SMHDWL".contains(unit);
    }
    code.strip_prefix("PRN").is_some_and(is_pattern)
        || matches!(
            code.as_bytes(),
            [b'A' | b'I' | b'P', b'C' | b'M' | b'D' | b'V']
        )
        || matches!(
            code.as_bytes(),
            [b'A' | b'I' | b'P', b'C', b'M' | b'D' | b'V']
        )
}

fn code_of(table: &str) -> Option<Code> {
    TABLES
        .iter()
        .find(|(name, _)| *name == table)
        .map(|(_, code)| *code)
}

/// The table that a field's values come from.
#[rustfmt::skip]
pub(crate) const fn bound(segment: [u8; 3], field: usize) -> Option<&'static str> {
    Some(match (&segment, field) {
        (b"PID", 8) => "0001",
        (b"PV1", 2) => "0004",
        (b"PV1", 10) => "0069",
        (b"PV1", 36) => "0112",
        (b"EVN", 4) => "0062",
        (b"MSH", 11) => "0103",
        (b"NK1", 3) | (b"IN1", 17) | (b"IAM", 15) => "0063",
        (b"DB1", 2) => "0334",
        (b"DB1", 4) | (b"RXE", 20) => "0136",
        (b"RXE", 30) => "0321",
        (b"RXE", 44) | (b"RXA", 26) => "0480",
        (b"OBR", 24) => "0074",
        (b"ORC", 1) => "0119",
        (b"ORC", 5) => "0038",
        (b"ORC", 29) => "0482",
        (b"OBR", 25) => "0123",
        (b"OBX", 2) => "0125",
        (b"OBX", 8) => "0078",
        (b"OBX", 11) => "0085",
        (b"AL1" | b"IAM", 2) => "0127",
        (b"IAM", 4) => "0128",
        (b"IAM", 6) | (b"RXA", 21) => "0323",
        (b"IAM", 9) => "0436",
        (b"IAM", 17) => "0438",
        (b"RXR", 1) => "0162",
        (b"RXR", 3) => "0164",
        (b"RXC", 1) => "0166",
        (b"RXA", 20) => "0322",
        (b"PRB", 1) => "0287",
        (b"ODS", 1) => "0159",
        (b"TQ1", 9) => "0485",
        (b"IN1", 15) => "JHSD0001 の区分",
        _ => return None,
    })
}

/// The table that a coding system's name stands for.
fn of_system(name: &str) -> Option<&'static str> {
    let name = systems::trim_name(name);
    let found = match name {
        "MR9P" => "MR9P",
        _ => match tables::find(name) {
            Some(table) => table.name,
            None => name.strip_prefix("HL7")?,
        },
    };
    TABLES.iter().map(|(table, _)| *table).find(|t| *t == found)
}

/// Checks a plain value against the table of its field.
pub(crate) fn check(cx: &mut Cx<'_, '_>, segment: Segment<'_>, field: usize, at: Part<'_>) {
    if let Some(table) = bound(segment.name(), field) {
        value(cx, table, at.comp(1));
    }
}

/// Tables of a component, by the type of the field.
const COMPONENTS: &[(&str, usize, &str)] =
    &[("PL", 6, "0305"), ("PT", 2, "0207"), ("TS", 2, "0529")];

/// Checks the components of a field that have a table of their own.
pub(crate) fn components(cx: &mut Cx<'_, '_>, datatype: &str, at: Part<'_>) {
    for (_, n, table) in COMPONENTS.iter().filter(|row| row.0 == datatype) {
        value(cx, table, at.comp(*n));
    }
}

/// Checks the code of a triplet against the table of its system, else of its field.
pub(crate) fn coded(
    cx: &mut Cx<'_, '_>,
    segment: Segment<'_>,
    field: usize,
    at: Part<'_>,
    system: &str,
) {
    let table = if system.is_empty() {
        bound(segment.name(), field)
    } else {
        of_system(system)
    };
    if let Some(table) = table {
        value(cx, table, at);
    }
}

/// Checks a value against a table.
pub(crate) fn value(cx: &mut Cx<'_, '_>, table: &str, at: Part<'_>) {
    let text = at.value().trimmed().text;
    if !text.is_empty()
        && !has(table, text)
        && let Some(code) = code_of(table)
    {
        cx.report(code, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_exists() {
        for (table, _) in TABLES {
            assert!(
                listed(table).is_some() || tables::find(table).is_some(),
                "{table}"
            );
        }
    }

    #[test]
    fn patterns_are_named_or_built() {
        for code in [
            "TID", "QAM", "Q6H", "Q12H", "QJ135", "Q2J1", "5ID", "PRN", "PRNQ4H", "AC", "ACM",
            "PC", "C",
        ] {
            assert!(has("0335", code), "{code}");
        }
        for code in ["ZZZ", "", "Q", "QH", "QJ", "QJ8", "ID", "TI", "ACX", "PRNX"] {
            assert!(!has("0335", code), "{code}");
        }
    }

    #[test]
    fn local_ranges_of_the_disposition_are_allowed() {
        assert!(has("0112", "10") && has("0112", "25") && has("0112", "39"));
        assert!(!has("0112", "99") && !has("0112", "1"));
    }
}
