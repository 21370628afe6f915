//! Code tables of the invented hospital: drugs, laboratory items, diseases, usages.
//!
//! Codes come from the public Japanese masters (JLAC10, HOT9, YJ, MEDIS, ICD-10, JAMI, MERIT-9) or
//! have their exact shape; a pairing of code and name here is data for tests, not a reference.

use crate::record::Code;
use std::fmt::{self, Display};

/// A number as hospitals write it, an explicit null (`""`) or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// `Of(125, 1)` prints `12.5`.
    Of(i64, u32),
    /// `""`: explicitly none.
    Null,
    /// Field not sent.
    Blank,
}

impl Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Of(value, 0) => value.fmt(f),
            Self::Of(value, places) => {
                let unit = 10_i64.pow(places);
                let width = usize::try_from(places).unwrap_or_default();
                let sign = if value < 0 { "-" } else { "" };
                let value = value.abs();
                write!(f, "{sign}{}.{:0width$}", value / unit, value % unit)
            }
            Self::Null => f.write_str("\"\""),
            Self::Blank => Ok(()),
        }
    }
}

/// A drug, with the unit it is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drug {
    /// Code and name.
    pub code: Code,
    /// MERIT-9 unit.
    pub unit: Code,
    /// MERIT-9 dosage form.
    pub form: Code,
}

const fn drug(code: Code, unit: Code, form: Code) -> Drug {
    Drug { code, unit, form }
}

/// MERIT-9 units and forms.
pub mod merit9 {
    use super::Code;

    /// 錠
    pub const TAB: Code = Code("TAB", "錠", "MR9P");
    /// 包
    pub const PCK: Code = Code("PCK", "包", "MR9P");
    /// カプセル
    pub const CAP: Code = Code("CAP", "カプセル", "MR9P");
    /// g
    pub const G: Code = Code("G", "グラム", "MR9P");
    /// mg
    pub const MG: Code = Code("MG", "ミリグラム", "MR9P");
    /// mL
    pub const ML: Code = Code("ML", "ミリリットル", "MR9P");
    /// 本
    pub const HON: Code = Code("HON", "本", "MR9P");
    /// 枚
    pub const SHT: Code = Code("SHT", "枚", "MR9P");
    /// 個
    pub const KO: Code = Code("KO", "個", "MR9P");
    /// 管
    pub const AMP: Code = Code("AMP", "アンプル", "MR9P");
    /// 瓶
    pub const VIL: Code = Code("VIL", "バイアル", "MR9P");
    /// 袋
    pub const BAG: Code = Code("BAG", "袋", "MR9P");
    /// 単位
    pub const UNT: Code = Code("UNT", "単位", "MR9P");

    /// 錠剤
    pub const TABLET: Code = Code("TAB", "錠剤", "MR9P");
    /// カプセル剤
    pub const CAPSULE: Code = Code("CAP", "カプセル剤", "MR9P");
    /// 散剤
    pub const POWDER: Code = Code("PWD", "散剤、ドライシロップ剤", "MR9P");
    /// 坐剤
    pub const SUPPOSITORY: Code = Code("SUP", "坐剤", "MR9P");
    /// 液剤
    pub const LIQUID: Code = Code("LQD", "液剤", "MR9P");
    /// 貼付剤
    pub const TAPE: Code = Code("TPE", "テープ、貼付剤", "MR9P");
    /// 軟膏
    pub const OINTMENT: Code = Code("OIT", "軟膏、ゲル", "MR9P");
    /// 注射剤
    pub const INJECTION: Code = Code("INJ", "注射剤", "MR9P");
}

use merit9::{
    AMP, BAG, CAP, CAPSULE, G, HON, INJECTION, KO, LIQUID, ML, OINTMENT, PCK, POWDER, SHT,
    SUPPOSITORY, TAB, TABLET, TAPE, UNT, VIL,
};

/// アムロジピン
pub const AMLODIPINE: Drug = drug(
    Code("121431401", "アムロジピンＯＤ錠１０ｍｇ", "HOT9"),
    TAB,
    TABLET,
);
/// アスピリン腸溶錠; YJ code only
pub const ASPIRIN: Drug = drug(
    Code("3399007H1021", "バイアスピリン錠１００ｍｇ", "YJ"),
    TAB,
    TABLET,
);
/// ムコダイン
pub const CARBOCISTEINE: Drug = drug(
    Code("103835401", "ムコダイン錠２５０ｍｇ", "HOT9"),
    TAB,
    TABLET,
);
/// プレドニン
pub const PREDNISOLONE: Drug = drug(Code("105271807", "プレドニン錠５ｍｇ", "HOT9"), TAB, TABLET);
/// カロナール
pub const ACETAMINOPHEN: Drug = drug(Code("123812902", "カロナール錠５００", "HOT9"), TAB, TABLET);
/// ミヤＢＭ
pub const MIYA_BM: Drug = drug(Code("104195801", "ミヤＢＭ錠", "HOT9"), TAB, TABLET);
/// タケプロン
pub const LANSOPRAZOLE: Drug = drug(
    Code("2329023F1020", "タケプロンＯＤ錠１５", "YJ"),
    TAB,
    TABLET,
);
/// メトグルコ
pub const METFORMIN: Drug = drug(
    Code("3962002F2027", "メトグルコ錠２５０ｍｇ", "YJ"),
    TAB,
    TABLET,
);
/// グラクティブ
pub const SITAGLIPTIN: Drug = drug(
    Code("3969010F2030", "ジャヌビア錠５０ｍｇ", "YJ"),
    TAB,
    TABLET,
);
/// 酸化マグネシウム散 (weighed)
pub const MAGNESIA: Drug = drug(
    Code("2344004X1012", "重質酸化マグネシウム", "YJ"),
    G,
    POWDER,
);
/// 五苓散
pub const GOREISAN: Drug = drug(
    Code("5200052D1037", "ツムラ五苓散エキス顆粒（医療用）", "YJ"),
    PCK,
    POWDER,
);
/// ロキソニンテープ
pub const LOXOPROFEN_TAPE: Drug = drug(
    Code("2649735S3024", "ロキソニンテープ１００ｍｇ", "YJ"),
    SHT,
    TAPE,
);
/// トラバタンズ
pub const TRAVATANZ: Drug = drug(
    Code("118185202", "トラバタンズ点眼液０．００４％", "HOT9"),
    ML,
    LIQUID,
);
/// 新レシカルボン
pub const LECICARBON: Drug = drug(
    Code("104937401", "新レシカルボン坐剤", "HOT9"),
    KO,
    SUPPOSITORY,
);
/// ヒルドイド
pub const HIRUDOID: Drug = drug(
    Code("3339950M1084", "ヒルドイドソフト軟膏０．３％", "YJ"),
    G,
    OINTMENT,
);
/// ロキソプロフェン
pub const LOXOPROFEN: Drug = drug(
    Code("1149019F1560", "ロキソニン錠６０ｍｇ", "YJ"),
    TAB,
    TABLET,
);
/// オルメサルタン by a local number only
pub const OLMESARTAN_LOCAL: Drug = drug(
    Code("H0012345", "オルメサルタン錠２０ｍｇ「割符」", "99WRF"),
    TAB,
    TABLET,
);
/// ドンペリドン
pub const DOMPERIDONE: Drug = drug(Code("2399005F1010", "ナウゼリン錠１０", "YJ"), TAB, TABLET);
/// セレコキシブ
pub const TIPEPIDINE: Drug = drug(Code("2249003B1037", "アスベリン散１０％", "YJ"), G, POWDER);
/// オセルタミビル
pub const OSELTAMIVIR: Drug = drug(
    Code("6250021M1027", "タミフルカプセル７５", "YJ"),
    CAP,
    CAPSULE,
);

/// ソリタ
pub const SOLITA: Drug = drug(
    Code("107750603", "ソリタ－Ｔ３号輸液５００ｍＬ", "HOT9"),
    BAG,
    INJECTION,
);
/// アドナ
pub const ADONA: Drug = drug(
    Code("108010002", "アドナ注（静脈用）５０ｍｇ", "HOT9"),
    AMP,
    INJECTION,
);
/// ホリゾン
pub const HORIZON: Drug = drug(
    Code("100558502", "ホリゾン注射液１０ｍｇ", "HOT9"),
    AMP,
    INJECTION,
);
/// 生理食塩液
pub const SALINE: Drug = drug(
    Code("3311402A2034", "大塚生食注１００ｍＬ", "YJ"),
    HON,
    INJECTION,
);
/// オメプラゾール
pub const OMEPRAZOLE: Drug = drug(
    Code("2329403F1022", "オメプラール注用２０", "YJ"),
    VIL,
    INJECTION,
);
/// ビタミン
pub const VITAMIN: Drug = drug(
    Code("3179508F1031", "ビタメジン静注用", "YJ"),
    VIL,
    INJECTION,
);
/// ヘパリン
pub const HEPARIN: Drug = drug(
    Code("3334402A1150", "ヘパリンナトリウム注５千単位／５ｍＬ", "YJ"),
    UNT,
    INJECTION,
);
/// 赤血球液
pub const RED_CELLS: Drug = drug(
    Code("6342410X4021", "照射赤血球液－ＬＲ「日赤」", "YJ"),
    BAG,
    INJECTION,
);
/// A trial drug without any public code
pub const TRIAL_DRUG: Drug = drug(
    Code("WRF001", "治験薬ＷＲＦ－００１", "99WRF"),
    VIL,
    INJECTION,
);
/// インフルエンザワクチン
pub const INFLUENZA_VACCINE: Drug = drug(
    Code("631340FA1029", "インフルエンザＨＡワクチン", "YJ"),
    ML,
    INJECTION,
);

/// JAMI 16-digit usage codes (処方・注射オーダ標準用法).
pub mod usage {
    use super::Code;

    /// 内服・経口・１日１回朝食後
    pub const AFTER_BREAKFAST: Code = Code(
        "1011000400000000",
        "内服・経口・１日１回朝食後",
        "JAMISDP01",
    );
    /// 内服・経口・１日２回朝夕食後
    pub const AFTER_BREAKFAST_SUPPER: Code = Code(
        "1012040400000000",
        "内服・経口・１日２回朝夕食後",
        "JAMISDP01",
    );
    /// 内服・経口・１日３回朝昼夕食後
    pub const AFTER_MEALS: Code = Code(
        "1013044400000000",
        "内服・経口・１日３回朝昼夕食後",
        "JAMISDP01",
    );
    /// 内服・経口・１日１回就寝前
    pub const AT_BEDTIME: Code = Code(
        "1011100000000000",
        "内服・経口・１日１回就寝前",
        "JAMISDP01",
    );
    /// 発熱時
    pub const WHEN_FEVERISH: Code = Code("1050710000000000", "内服・経口・発熱時", "JAMISDP01");
    /// 不眠時
    pub const WHEN_SLEEPLESS: Code = Code("1050610000000000", "内服・経口・不眠時", "JAMISDP01");
    /// 点眼
    pub const EYE_ONCE: Code = Code("2H71000000000000", "外用・点眼・１日１回", "JAMISDP01");
    /// 塗布
    pub const APPLY: Code = Code("2B7N000000000000", "外用・塗布・１日数回", "JAMISDP01");
    /// 貼付
    pub const PATCH: Code = Code("2A71000000000000", "外用・貼付・１日１回", "JAMISDP01");
    /// 肛門挿入
    pub const RECTAL: Code = Code("2R50410000000000", "外用・肛門挿入・便秘時", "JAMISDP01");
    /// Supplementary 8-digit code: every other day.
    pub const EVERY_OTHER_DAY: Code = Code("I1100000", "１日おき", "JAMISDP01");
    /// Supplementary codes of an uneven dose.
    pub const UNEVEN: [Code; 3] = [
        Code("V14NNNNN", "不均等・１回目・４単位量", "JAMISDP01"),
        Code("V22NNNNN", "不均等・２回目・２単位量", "JAMISDP01"),
        Code("V31NNNNN", "不均等・３回目・１単位量", "JAMISDP01"),
    ];
}

/// Routes (HL7 0162) and devices (0164).
pub mod route {
    use super::Code;

    /// 口
    pub const ORAL: Code = Code("PO", "口", "HL70162");
    /// 外用
    pub const TOPICAL: Code = Code("AP", "外用", "HL70162");
    /// 眼
    pub const EYE: Code = Code("OP", "眼", "HL70162");
    /// 直腸
    pub const RECTAL: Code = Code("PR", "直腸", "HL70162");
    /// 静脈内
    pub const VEIN: Code = Code("IV", "静脈内", "HL70162");
    /// 皮下
    pub const SUBCUTANEOUS: Code = Code("SC", "皮下", "HL70162");
    /// 点滴ポンプ
    pub const PUMP: Code = Code("IVP", "点滴ポンプ", "HL70164");
    /// 点滴溶剤セット
    pub const DRIP_SET: Code = Code("IVS", "点滴溶剤セット", "HL70164");
}

/// A laboratory item with a number for a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lab {
    /// JLAC10, 17 digits, and the name of the item.
    pub code: Code,
    /// Unit: ASCII, display form, system.
    pub unit: Code,
    /// Lower and upper limit of the reference range, scaled by `places`.
    pub range: (i64, i64),
    /// Digits after the point.
    pub places: u32,
}

/// A numeric item of JLAC10.
pub const fn lab(
    jlac10: &'static str,
    name: &'static str,
    unit: Code,
    range: (i64, i64),
    places: u32,
) -> Lab {
    Lab {
        code: Code(jlac10, name, "JC10"),
        unit,
        range,
        places,
    }
}

const fn iso(unit: &'static str) -> Code {
    Code(unit, unit, "ISO+")
}

/// Biochemistry from serum (検体 023).
pub const BIOCHEMISTRY: [Lab; 18] = [
    lab("3A010000002327101", "総蛋白", iso("g/dL"), (66, 81), 1),
    lab("3A015000002327101", "アルブミン", iso("g/dL"), (41, 51), 1),
    lab(
        "3J010000002327101",
        "総ビリルビン",
        iso("mg/dL"),
        (4, 15),
        1,
    ),
    lab(
        "3B035000002327201",
        "ＡＳＴ",
        Code("u/L", "U/L", "ISO+"),
        (13, 30),
        0,
    ),
    lab(
        "3B045000002327201",
        "ＡＬＴ",
        Code("u/L", "U/L", "ISO+"),
        (7, 23),
        0,
    ),
    lab(
        "3B050000002327201",
        "ＬＤ",
        Code("u/L", "U/L", "ISO+"),
        (124, 222),
        0,
    ),
    lab(
        "3B070000002327101",
        "ＡＬＰ",
        Code("u/L", "U/L", "ISO+"),
        (38, 113),
        0,
    ),
    lab(
        "3B090000002327101",
        "γ－ＧＴ",
        Code("u/L", "U/L", "ISO+"),
        (9, 32),
        0,
    ),
    lab(
        "3C015000002327101",
        "クレアチニン",
        iso("mg/dL"),
        (46, 79),
        2,
    ),
    lab("3C025000002327201", "尿素窒素", iso("mg/dL"), (80, 200), 1),
    lab("3C020000002327101", "尿酸", iso("mg/dL"), (26, 55), 1),
    lab("3F015000002327101", "中性脂肪", iso("mg/dL"), (30, 117), 0),
    lab(
        "3F070000002327101",
        "ＨＤＬコレステロール",
        iso("mg/dL"),
        (48, 103),
        0,
    ),
    lab(
        "3F077000002327101",
        "ＬＤＬコレステロール",
        iso("mg/dL"),
        (65, 163),
        0,
    ),
    lab(
        "3H010000002326101",
        "ナトリウム",
        Code("meq/L", "mEq/L", "ISO+"),
        (138, 145),
        0,
    ),
    lab(
        "3H015000002326101",
        "カリウム",
        Code("meq/L", "mEq/L", "ISO+"),
        (36, 48),
        1,
    ),
    lab(
        "3H020000002326101",
        "クロール",
        Code("meq/L", "mEq/L", "ISO+"),
        (101, 108),
        0,
    ),
    lab("5C070000002306201", "ＣＲＰ", iso("mg/dL"), (0, 14), 2),
];

/// Blood count from whole blood with additive (検体 019).
pub const BLOOD_COUNT: [Lab; 5] = [
    lab(
        "2A990000001930952",
        "末梢血液一般検査－白血球数",
        Code(".10*3/uL", "×１０３／μＬ", "ISO+"),
        (33, 86),
        1,
    ),
    lab(
        "2A990000001930951",
        "末梢血液一般検査－赤血球数",
        Code(".10*4/uL", "万／μＬ", "ISO+"),
        (386, 492),
        0,
    ),
    lab(
        "2A990000001930953",
        "末梢血液一般検査－ヘモグロビン",
        iso("g/dL"),
        (116, 148),
        1,
    ),
    lab(
        "2A990000001930954",
        "末梢血液一般検査－ヘマトクリット",
        iso("%"),
        (351, 444),
        1,
    ),
    lab(
        "2A990000001930955",
        "末梢血液一般検査－血小板数",
        Code(".10*4/uL", "万／μＬ", "ISO+"),
        (158, 348),
        1,
    ),
];

/// Glucose from plasma (検体 022) and `HbA1c` from whole blood with additive (検体 019).
pub const DIABETES: [Lab; 2] = [
    lab(
        "3D010000002226101",
        "グルコース",
        iso("mg/dL"),
        (73, 109),
        0,
    ),
    lab(
        "3D046000001920402",
        "ヘモグロビンＡ１ｃ（ＮＧＳＰ）",
        iso("%"),
        (49, 60),
        1,
    ),
];

/// Specimens (characters 10–12 of JLAC10).
pub mod specimen {
    use super::Code;

    /// 尿
    pub const URINE: Code = Code("001", "尿(含むその他)", "JC10");
    /// 全血
    pub const WHOLE_BLOOD: Code = Code("019", "全血(添加物入り)", "JC10");
    /// 血漿
    pub const PLASMA: Code = Code("022", "血漿", "JC10");
    /// 血清
    pub const SERUM: Code = Code("023", "血清", "JC10");
    /// 喀痰
    pub const SPUTUM: Code = Code("061", "喀痰", "JC10");
}

/// A disease of the MEDIS master (ICD10対応標準病名マスター).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disease {
    /// Management number, eight digits.
    pub number: &'static str,
    /// Name.
    pub name: &'static str,
    /// Exchange code, four characters.
    pub exchange: &'static str,
    /// ICD-10 (2013 edition), without the point.
    pub icd10: &'static str,
}

const fn disease(
    number: &'static str,
    name: &'static str,
    exchange: &'static str,
    icd10: &'static str,
) -> Disease {
    Disease {
        number,
        name,
        exchange,
        icd10,
    }
}

/// 狭心症
pub const ANGINA: Disease = disease("20058911", "狭心症", "UR6P", "I209");
/// 高血圧症
pub const HYPERTENSION: Disease = disease("20061593", "高血圧症", "J2KF", "I10");
/// 十二指腸潰瘍
pub const DUODENAL_ULCER: Disease = disease("20064049", "十二指腸潰瘍", "Q7NP", "K269");
/// 胃癌
pub const STOMACH_CANCER: Disease = disease("20054178", "胃癌", "NV5C", "C169");
/// 上腹部痛
pub const UPPER_ABDOMINAL_PAIN: Disease = disease("20065011", "上腹部痛", "G4R2", "R101");
/// 急性気管支炎
pub const ACUTE_BRONCHITIS: Disease = disease("20060114", "急性気管支炎", "TQ7A", "J209");
/// 前腕骨折
pub const FOREARM_FRACTURE: Disease = disease("20080427", "前腕骨折", "M8DH", "S52.9");
/// ２型糖尿病
pub const DIABETES_TYPE_2: Disease = disease("20092341", "２型糖尿病", "DP5E", "E11-");
/// う蝕, of a tooth that ZPD names
pub const CARIES: Disease = disease("20062937", "う蝕", "F3C0", "K029");
/// 肺炎球菌感染症
pub const PNEUMOCOCCAL: Disease = disease("20092662", "肺炎球菌感染症", "VQH3", "A491");

/// Diseases the generator draws from.
pub const DISEASES: [Disease; 9] = [
    ANGINA,
    HYPERTENSION,
    DUODENAL_ULCER,
    STOMACH_CANCER,
    UPPER_ABDOMINAL_PAIN,
    ACUTE_BRONCHITIS,
    FOREARM_FRACTURE,
    DIABETES_TYPE_2,
    PNEUMOCOCCAL,
];

/// Oral drugs the generator draws from.
pub const ORAL_DRUGS: [Drug; 16] = [
    AMLODIPINE,
    ASPIRIN,
    CARBOCISTEINE,
    PREDNISOLONE,
    ACETAMINOPHEN,
    MIYA_BM,
    LANSOPRAZOLE,
    METFORMIN,
    SITAGLIPTIN,
    MAGNESIA,
    GOREISAN,
    LOXOPROFEN,
    OLMESARTAN_LOCAL,
    DOMPERIDONE,
    TIPEPIDINE,
    OSELTAMIVIR,
];

/// Injected drugs the generator draws from; the first two are bases of a drip.
pub const INJECTED_DRUGS: [Drug; 7] =
    [SOLITA, SALINE, ADONA, HORIZON, OMEPRAZOLE, VITAMIN, HEPARIN];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_print_as_hospitals_write_them() {
        for (amount, text) in [
            (Amount::Of(125, 1), "12.5"),
            (Amount::Of(5, 2), "0.05"),
            (Amount::Of(-15, 1), "-1.5"),
            (Amount::Of(3, 0), "3"),
            (Amount::Null, "\"\""),
            (Amount::Blank, ""),
        ] {
            assert_eq!(amount.to_string(), text);
        }
    }

    #[test]
    fn codes_have_the_shape_of_their_system() {
        for Lab { code, range, .. } in BIOCHEMISTRY.iter().chain(&BLOOD_COUNT).chain(&DIABETES) {
            assert_eq!(code.0.len(), 17, "{}", code.1);
            assert!(range.0 < range.1);
        }
        for drug in ORAL_DRUGS.iter().chain(&INJECTED_DRUGS) {
            let length = match drug.code.2 {
                "HOT9" => 9,
                "YJ" => 12,
                _ => 8,
            };
            assert_eq!(drug.code.0.len(), length, "{}", drug.code.1);
        }
        for disease in DISEASES {
            assert_eq!((disease.number.len(), disease.exchange.len()), (8, 4));
        }
    }
}
