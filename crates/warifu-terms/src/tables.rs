//! Code tables of HL7 v2.5, JAHIS (JHSD, JHSI, JHSP) and MERIT-9 as SS-MIX2 uses them.
//!
//! Displays are the Japanese ones of the SS-MIX2 / JAHIS documents; English is given where the
//! standard has it. Sources: SS-MIX2 標準化ストレージ仕様書 1.2c–1.2h (コード表), JAHIS データ交換規約
//! (共通編, 処方, 注射), HL7 v2.5 appendix A, JLAC10 材料コード表.

/// One code of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The code, as it stands in component 1 of a coded field.
    pub code: &'static str,
    /// Japanese display.
    pub ja: &'static str,
    /// English display; empty where the standard has none.
    pub en: &'static str,
}

/// One code table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// `0069`, `JHSD0001`, `MR9P`, …
    pub name: &'static str,
    /// Japanese name of the table.
    pub ja: &'static str,
    /// English name of the table.
    pub en: &'static str,
    /// The codes, sorted by [`Entry::code`].
    pub entries: &'static [Entry],
}

/// The meaning of `code` in the table `name`.
///
/// `name` is the table (`0069`, `JHSD0001`, `MR9P`, `MR9P-form`, `MR9P-category`, `JC10-specimen`,
/// `JC10-class`, `JAMI-1`, `JAMI-2`, `prefecture`, …) or a coding-system name (`HL70069`,
/// `"HL70482 "`, `99I02`). `MR9P` alone is the unit list. JHSD0002 answers prefecture numbers too.
///
/// ```
/// use warifu_terms::tables::table;
/// assert_eq!(table("0069", "01").map(|entry| entry.ja), Some("内科"));
/// assert_eq!(table("HL70063 ", "SEL").map(|entry| entry.en), Some("Self"));
/// assert_eq!(table("0069", "ZZ"), None);
/// ```
pub fn table(name: &str, code: &str) -> Option<&'static Entry> {
    let table = find(name)?;
    let found = table.entry(code);
    if found.is_none() && table.name == "JHSD0002" {
        return T_PREFECTURE.entry(code);
    }
    found
}

impl Table {
    /// The meaning of a code; white space around it does not count.
    ///
    /// Whoever knows the table asks it by its own name: a program then carries the tables it uses.
    ///
    /// ```
    /// use warifu_terms::tables::T_0069;
    /// assert_eq!(T_0069.entry("01").map(|entry| entry.ja), Some("内科"));
    /// ```
    pub fn entry(&self, code: &str) -> Option<&'static Entry> {
        let code = code.trim();
        let first = code.as_bytes().first();
        let at = self.entries.binary_search_by(|entry| {
            // Mostly the first byte tells.
            let firsts = entry.code.as_bytes().first().cmp(&first);
            firsts.then_with(|| entry.code.cmp(code))
        });
        self.entries.get(at.ok()?)
    }
}

/// The whole table; the name as for [`table`].
pub fn find(name: &str) -> Option<&'static Table> {
    let name = canonical_name(crate::systems::trim_name(name));
    let at = TABLES.binary_search_by(|table| table.name.cmp(name)).ok()?;
    TABLES.get(at).copied()
}

/// All tables, sorted by name.
pub fn all() -> &'static [&'static Table] {
    TABLES
}

/// `HL7nnnn` → `nnnn`; local names met for JAHIS tables → the JAHIS name.
fn canonical_name(name: &str) -> &str {
    match name {
        "99I01" => "JHSI0001",
        "99I02" => "JHSI0002",
        "99I03" => "JHSI0003",
        _ => match name.split_at_checked(3) {
            Some((head, number)) if head.eq_ignore_ascii_case("HL7") => number,
            _ => name,
        },
    }
}

/// The Japanese text of a MERIT-9 unit code: `TAB` → `錠`.
pub fn merit9_unit_text(code: &str) -> Option<&'static str> {
    T_MR9P.entry(code).map(|entry| entry.ja)
}

/// The MERIT-9 unit code that has this Japanese text, for data that carry the text only: `錠` →
/// `TAB`. Texts that two codes share (`カセット`, `管` …) answer `None`.
pub fn merit9_unit_code(text: &str) -> Option<&'static str> {
    let text = text.trim();
    let mut found = T_MR9P.entries.iter().filter(|entry| entry.ja == text);
    match (found.next(), found.next()) {
        (Some(entry), None) => Some(entry.code),
        _ => None,
    }
}

/// The prefecture a Japanese address begins with, and the rest of the address.
///
/// Only full names count (`東京都千代田区…`); an address that begins with a city has no answer.
///
/// ```
/// let (entry, rest) = warifu_terms::tables::split_prefecture("京都府京都市左京区").unwrap();
/// assert_eq!((entry.code, entry.ja, rest), ("26", "京都府", "京都市左京区"));
/// ```
pub fn split_prefecture(address: &str) -> Option<(&'static Entry, &str)> {
    T_PREFECTURE
        .entries
        .iter()
        .find_map(|entry| Some((entry, address.strip_prefix(entry.ja)?)))
}

/// Short constructor, keeps the rows readable.
const fn e(code: &'static str, ja: &'static str, en: &'static str) -> Entry {
    Entry { code, ja, en }
}

/// 性別 (Administrative sex).
pub static T_0001: Table = Table {
    name: "0001",
    ja: "性別",
    en: "Administrative sex",
    entries: &[
        e("A", "両性具有", "Ambiguous"),
        e("F", "女性", "Female"),
        e("M", "男性", "Male"),
        e("N", "適応外", "Not applicable"),
        e("O", "その他", "Other"),
        e("U", "未知", "Unknown"),
    ],
};

/// 患者区分 (Patient class).
pub static T_0004: Table = Table {
    name: "0004",
    ja: "患者区分",
    en: "Patient class",
    entries: &[
        e("I", "入院患者", "Inpatient"),
        e("O", "外来患者", "Outpatient"),
    ],
};

/// オーダ状態 (Order status).
pub static T_0038: Table = Table {
    name: "0038",
    ja: "オーダ状態",
    en: "Order status",
    entries: &[
        e("A", "部分的完了", "Some, but not all, results available"),
        e("CA", "オーダが取り消された", "Order was canceled"),
        e("CM", "オーダが完了した", "Order is completed"),
        e("DC", "オーダが中断した", "Order was discontinued"),
        e(
            "ER",
            "エラー、オーダが見つからない",
            "Error, order not found",
        ),
        e("HD", "オーダが保留", "Order is on hold"),
        e("IP", "進行中、不定", "In process, unspecified"),
        e("RP", "オーダが取替えられた", "Order has been replaced"),
        e("SC", "進行中、予定", "In process, scheduled"),
    ],
};

/// イベント理由 (Event reason).
pub static T_0062: Table = Table {
    name: "0062",
    ja: "イベント理由",
    en: "Event reason",
    entries: &[
        e("01", "患者の要求", "Patient request"),
        e(
            "02",
            "医者／医療提供者のオーダ",
            "Physician/health practitioner order",
        ),
        e("03", "調査管理", "Census management"),
        e("O", "その他", "Other"),
        e("U", "不明", "Unknown"),
    ],
};

/// 続柄 (Relationship).
pub static T_0063: Table = Table {
    name: "0063",
    ja: "続柄",
    en: "Relationship",
    entries: &[
        e("ASC", "仲間", "Associate"),
        e("BRO", "兄弟", "Brother"),
        e("CGV", "介護者", "Care giver"),
        e("CHD", "子供", "Child"),
        e("DEP", "障害で扶養されている", "Handicapped dependent"),
        e("DOM", "共同生活者", "Life partner"),
        e("EMC", "緊急連絡先", "Emergency contact"),
        e("EME", "従業員", "Employee"),
        e("EMR", "雇い主", "Employer"),
        e("EXF", "拡大家族", "Extended family"),
        e("FCH", "里子", "Foster child"),
        e("FND", "友人", "Friend"),
        e("FTH", "父親", "Father"),
        e("GCH", "孫", "Grandchild"),
        e("GRD", "保護者", "Guardian"),
        e("GRP", "祖父母", "Grandparent"),
        e("MGR", "管理者", "Manager"),
        e("MTH", "母親", "Mother"),
        e("NCH", "本来の子供", "Natural child"),
        e("NON", "なし", "None"),
        e("OAD", "その他の成人", "Other adult"),
        e("OTH", "その他", "Other"),
        e("OWN", "所有者", "Owner"),
        e("PAR", "親", "Parent"),
        e("SCH", "継子", "Stepchild"),
        e("SEL", "本人", "Self"),
        e("SIB", "兄弟姉妹", "Sibling"),
        e("SIS", "姉妹", "Sister"),
        e("SPO", "配偶者", "Spouse"),
        e("TRA", "調教師", "Trainer"),
        e("UNK", "不明", "Unknown"),
        e("WRD", "保護観察", "Ward of court"),
    ],
};

/// 診療科 (Hospital service).
pub static T_0069: Table = Table {
    name: "0069",
    ja: "診療科",
    en: "Hospital service",
    entries: &[
        e("01", "内科", "Internal medicine"),
        e("011", "第１内科", ""),
        e("012", "第２内科", ""),
        e("013", "第３内科", ""),
        e("014", "第４内科", ""),
        e("018", "一般内科", ""),
        e("01A", "被爆放射線医療内科", ""),
        e("02", "精神科", "Psychiatry"),
        e("021", "精神科・心の診療科", ""),
        e("022", "精神科デイケア", ""),
        e("03", "神経科", "Neuropsychiatry"),
        e("04", "神経内科", "Neurology"),
        e("04A", "てんかん科", ""),
        e("04B", "もの忘れ科", ""),
        e("04C", "高次脳機能障害科", ""),
        e("04D", "頭痛外来", ""),
        e("04E", "脳卒中外来", ""),
        e("05", "呼吸器科", "Respiratory medicine"),
        e("051", "呼吸器・アレルギー科", ""),
        e("052", "呼吸器・感染症内科", ""),
        e("05A", "せき外来", ""),
        e("05B", "禁煙外来", ""),
        e("06", "消化器科", "Gastroenterology"),
        e("061", "肝臓内科", ""),
        e("062", "肝胆膵科", ""),
        e("063", "膵臓内科", ""),
        e("064", "胆道・膵臓内科", ""),
        e("06A", "肝臓病科", ""),
        e("06B", "脂肪肝外来", ""),
        e("07", "胃腸科", "Gastrointestinal medicine"),
        e("07A", "炎症性腸疾患外来", ""),
        e("07B", "ピロリ菌外来", ""),
        e("08", "循環器科", "Cardiology"),
        e("081", "循環器内科", ""),
        e("082", "冠動脈疾患治療部", ""),
        e("083", "リンパ科", ""),
        e("09", "小児科", "Pediatrics"),
        e("091", "小児科周産母子", ""),
        e("092", "新生児科", ""),
        e("093", "小児循環器科", ""),
        e("094", "小児神経科", ""),
        e("095", "未熟児センター", ""),
        e("096", "ＮＩＣＵ", ""),
        e("097", "GCU", ""),
        e("09A", "成長発達外来", ""),
        e("10", "外科", "Surgery"),
        e("101", "第１外科", ""),
        e("102", "第２外科", ""),
        e("103", "第３外科", ""),
        e("105", "一般外科", ""),
        e("106", "総合外科", ""),
        e("107", "病態外科", ""),
        e("10A", "被爆放射線医療外科", ""),
        e("11", "整形外科", "Orthopedics"),
        e("111", "整形外科・脊椎外科", ""),
        e("112", "脊椎外科", ""),
        e("113", "ロコモティブ外来", ""),
        e("114", "人工関節センター", ""),
        e("115", "装具外来", ""),
        e("116", "アスリート診療", ""),
        e("117", "スポーツ医学", ""),
        e("119", "関節外科", ""),
        e("11A", "手外科", ""),
        e("12", "形成外科", "Plastic surgery"),
        e("13", "美容外科", "Cosmetic surgery"),
        e("14", "脳神経外科", "Neurosurgery"),
        e("15", "呼吸器外科", "Respiratory surgery"),
        e("16", "心臓血管外科", "Cardiovascular surgery"),
        e("17", "小児外科", "Pediatric surgery"),
        e("18", "皮膚泌尿器科", "Dermatology and urology"),
        e("19", "皮膚科", "Dermatology"),
        e("20", "泌尿器科", "Urology"),
        e("21", "性病科", "Venereology"),
        e("22", "肛門科", "Proctology"),
        e("23", "産婦人科", "Obstetrics and gynecology"),
        e("24", "産科", "Obstetrics"),
        e("25", "婦人科", "Gynecology"),
        e("26", "眼科", "Ophthalmology"),
        e("27", "耳鼻咽喉科", "Otorhinolaryngology"),
        e("28", "気管食道科", "Broncho-esophagology"),
        e("30", "放射線科", "Radiology"),
        e("31", "麻酔科", "Anesthesiology"),
        e("33", "心療内科", "Psychosomatic medicine"),
        e("34", "アレルギー科", "Allergology"),
        e("35", "リウマチ科", "Rheumatology"),
        e("36", "リハビリテーション科", "Rehabilitation"),
    ],
};

/// 異常フラグ (Abnormal flags).
pub static T_0078: Table = Table {
    name: "0078",
    ja: "異常フラグ",
    en: "Abnormal flags",
    entries: &[
        e("<", "測定下限以下", "Off scale low"),
        e(">", "測定上限以上", "Off scale high"),
        e("A", "異常", "Abnormal"),
        e("AA", "非常に異常", "Critical abnormal"),
        e("B", "改善", "Better"),
        e("D", "有意に低下", "Significant change down"),
        e("H", "基準値上限以上", "High"),
        e("HH", "パニック上限以上", "Critical high"),
        e("I", "中間", "Intermediate"),
        e("L", "基準値下限以下", "Low"),
        e("LL", "パニック下限以下", "Critical low"),
        e("N", "正常", "Normal"),
        e("R", "耐性", "Resistant"),
        e("S", "感受性", "Susceptible"),
        e("U", "有意に上昇", "Significant change up"),
        e("W", "悪化", "Worse"),
    ],
};

/// 検査結果状態 (Observation result status).
pub static T_0085: Table = Table {
    name: "0085",
    ja: "検査結果状態",
    en: "Observation result status",
    entries: &[
        e(
            "C",
            "到着レコードは修正であり、最終結果を書き換える",
            "Correction, replaces a final result",
        ),
        e("D", "OBX レコードを削除する", "Deletes the OBX record"),
        e("F", "最終結果：修正結果でのみ変更可能", "Final results"),
        e(
            "I",
            "臨床検査室の検体；結果保留",
            "Specimen in lab; results pending",
        ),
        e(
            "N",
            "質問なし（検査項目が求められなかったことを示す）",
            "Not asked",
        ),
        e(
            "O",
            "依頼詳細記述（結果なし）",
            "Order detail description only (no result)",
        ),
        e("P", "事前結果", "Preliminary results"),
        e("R", "結果入力済み、未検証", "Results entered, not verified"),
        e("S", "部分結果", "Partial results"),
        e(
            "U",
            "結果状態を最終へ変更（結果は再送しない）",
            "Status change to final without retransmitting results",
        ),
        e(
            "W",
            "元の結果は誤り（例：別の患者について送信された）",
            "Post original as wrong",
        ),
        e(
            "X",
            "この検査では、結果は得られない",
            "Results cannot be obtained for this observation",
        ),
    ],
};

/// 退院時転帰・退院先 (Discharge disposition).
pub static T_0112: Table = Table {
    name: "0112",
    ja: "退院時転帰・退院先",
    en: "Discharge disposition",
    entries: &[
        e(
            "01",
            "自宅または自己介護施設へ退院（通常退院）",
            "Discharged to home or self care (routine discharge)",
        ),
        e(
            "02",
            "短期間の入院管理のため他病院へ退院／転送",
            "Discharged/transferred to another short term general hospital for inpatient care",
        ),
        e(
            "03",
            "熟練看護施設（SNF）へ退院／転送",
            "Discharged/transferred to skilled nursing facility (SNF)",
        ),
        e(
            "04",
            "中間的な診療施設へ退院／転送",
            "Discharged/transferred to an intermediate care facility",
        ),
        e(
            "05",
            "異なる種類の入院診療施設へ退院／転送、または他の外来通院施設への紹介",
            "Discharged/transferred to another type of institution",
        ),
        e(
            "06",
            "退院／転送して在宅看護組織へのもとに在宅管理",
            "Discharged/transferred to home under care of organized home health service",
        ),
        e(
            "07",
            "医療的なアドバイスを無視して離院、もしくは治療の継続中止",
            "Left against medical advice or discontinued care",
        ),
        e(
            "08",
            "退院／転送して在宅静脈注射供給者のもとで在宅管理",
            "Discharged/transferred to home under care of home IV provider",
        ),
        e(
            "09",
            "この病院に入院",
            "Admitted as an inpatient to this hospital",
        ),
        e("20", "終了（死亡）", "Expired"),
        e(
            "30",
            "患者状態の継続か、外来通院が必要な患者（患者状態の継続）",
            "Still patient or expected to return for outpatient services",
        ),
        e("40", "自宅にて終了（死亡）", "Expired at home"),
        e(
            "41",
            "医療機関で終了（死亡）",
            "Expired in a medical facility",
        ),
        e("42", "終了（死亡）-場所不明", "Expired - place unknown"),
    ],
};

/// オーダ制御 (Order control).
pub static T_0119: Table = Table {
    name: "0119",
    ja: "オーダ制御",
    en: "Order control",
    entries: &[
        e("CA", "オーダキャンセル要求", "Cancel order request"),
        e("CH", "子オーダ", "Child order"),
        e("CN", "統合検査結果", "Combined result"),
        e("DC", "オーダ中断要求", "Discontinue order request"),
        e("NA", "割当番号", "Number assigned"),
        e("NW", "新規オーダ", "New order"),
        e("OC", "オーダキャンセル完了", "Order canceled"),
        e("OK", "オーダ受付&OK", "Order accepted & OK"),
        e("PA", "親オーダ", "Parent order"),
        e("RE", "検査付帯情報", "Observations to follow"),
        e("RP", "オーダ修正要求", "Order replace request"),
        e("SC", "状態変更", "Status changed"),
        e("SN", "送信オーダ番号", "Send order number"),
        e("XO", "オーダ変更要求", "Change order request"),
    ],
};

/// 報告状態 (Result status).
pub static T_0123: Table = Table {
    name: "0123",
    ja: "報告状態",
    en: "Result status",
    entries: &[
        e(
            "A",
            "一部の結果のみ報告可能",
            "Some, but not all, results available",
        ),
        e("C", "最終結果の修正", "Corrected, final"),
        e("F", "最終結果", "Final results"),
        e(
            "I",
            "検体受付済み、検査未完了",
            "No results available; specimen received, procedure incomplete",
        ),
        e("M", "修正済み、未確定", "Corrected, not final"),
        e(
            "N",
            "検査完了、結果待ち",
            "Procedure completed, results pending",
        ),
        e(
            "O",
            "オーダ受付、検体未着",
            "Order received; specimen not yet received",
        ),
        e("P", "予備結果", "Preliminary"),
        e("R", "結果保存、未検証", "Results stored; not yet verified"),
        e(
            "S",
            "結果なし、検査予定",
            "No results available; procedure scheduled, but not done",
        ),
        e(
            "X",
            "結果なし、オーダ取消",
            "No results available; Order canceled",
        ),
        e(
            "Y",
            "この検査のオーダなし",
            "No order on record for this test",
        ),
        e("Z", "この患者の記録なし", "No record of this patient"),
    ],
};

/// 値型 (Value type).
pub static T_0125: Table = Table {
    name: "0125",
    ja: "値型",
    en: "Value type",
    entries: &[
        e("AD", "住所", "Address"),
        e(
            "CF",
            "書式付コード化値",
            "Coded element with formatted values",
        ),
        e("CK", "点検数字付き複合 ID", "Composite ID with check digit"),
        e("CN", "複合 ID と名前", "Composite ID and name"),
        e("CP", "合成価格", "Composite price"),
        e("CWE", "例外を含むコード化値", "Coded with exceptions"),
        e(
            "CX",
            "検査数字を備えた拡張合成 ID",
            "Extended composite ID with check digit",
        ),
        e("DT", "日付", "Date"),
        e("ED", "カプセルに入れられたデータ", "Encapsulated data"),
        e("FT", "書式付テキスト（表示）", "Formatted text"),
        e("MO", "貨幣", "Money"),
        e("NM", "数値", "Numeric"),
        e("PN", "人名", "Person name"),
        e("RP", "参照ポインタ", "Reference pointer"),
        e("SN", "構造化した数値", "Structured numeric"),
        e("ST", "文字列データ", "String data"),
        e("TM", "時間", "Time"),
        e("TN", "電話番号", "Telephone number"),
        e("TS", "時間スタンプ（日時）", "Time stamp"),
        e("TX", "テキストデータ（表示）", "Text data"),
        e("XAD", "拡張アドレス", "Extended address"),
        e(
            "XCN",
            "人の拡張合成名前および番号",
            "Extended composite name and number for persons",
        ),
        e(
            "XON",
            "組織の拡張合成名前および番号",
            "Extended composite name and number for organizations",
        ),
        e("XPN", "拡張人番号（人名）", "Extended person name"),
        e(
            "XTN",
            "地域遠隔通信番号",
            "Extended telecommunications number",
        ),
    ],
};

/// アレルゲン分類 (Allergen type).
pub static T_0127: Table = Table {
    name: "0127",
    ja: "アレルゲン分類",
    en: "Allergen type",
    entries: &[
        e("AA", "動物アレルギー", "Animal Allergy"),
        e("DA", "薬物アレルギー", "Drug allergy"),
        e("EA", "環境アレルギー", "Environmental Allergy"),
        e("FA", "食物アレルギー", "Food allergy"),
        e("LA", "花粉アレルギー", "Pollen Allergy"),
        e("MA", "種々のアレルギー", "Miscellaneous allergy"),
        e("MC", "種々の禁忌", "Miscellaneous contraindication"),
        e("PA", "植物アレルギー", "Plant Allergy"),
    ],
};

/// アレルギー重症度 (Allergy severity).
pub static T_0128: Table = Table {
    name: "0128",
    ja: "アレルギー重症度",
    en: "Allergy severity",
    entries: &[
        e("MI", "軽度", "Mild"),
        e("MO", "中等度", "Moderate"),
        e("SV", "重度", "Severe"),
        e("U", "不明", "Unknown"),
    ],
};

/// 投与経路 (Route of administration).
pub static T_0162: Table = Table {
    name: "0162",
    ja: "投与経路",
    en: "Route of administration",
    entries: &[
        e("AP", "外用", "Apply Externally"),
        e("B", "頬", "Buccal"),
        e("DT", "歯", "Dental"),
        e("EP", "硬膜外", "Epidural"),
        e("ET", "気管内チューブ", "Endotracheal Tube"),
        e("GTT", "消化器官", "Gastrostomy Tube"),
        e("GU", "GU 洗浄", "GU Irrigant"),
        e("IA", "動脈内", "Intra-arterial"),
        e("IB", "滑液包内", "Intrabursal"),
        e("IC", "心臓内", "Intracardiac"),
        e("ICV", "子宮", "Intracervical (uterus)"),
        e("ID", "皮膚内", "Intradermal"),
        e("IH", "吸入", "Inhalation"),
        e("IHA", "肝内動脈", "Intrahepatic Artery"),
        e("IM", "筋肉内", "Intramuscular"),
        e("IMR", "浸透", "Immerse (Soak) Body Part"),
        e("IN", "鼻腔内", "Intranasal"),
        e("IO", "眼内", "Intraocular"),
        e("IP", "腹腔内", "Intraperitoneal"),
        e("IS", "滑液包内", "Intrasynovial"),
        e("IT", "鞘内", "Intrathecal"),
        e("IU", "子宮内", "Intrauterine"),
        e("IV", "静脈内", "Intravenous"),
        e("MM", "粘膜", "Mucous Membrane"),
        e("MTH", "口／喉", "Mouth/Throat"),
        e("NG", "経口径内腔", "Nasogastric"),
        e("NP", "鼻のプロング", "Nasal Prongs"),
        e("NS", "鼻側", "Nasal"),
        e("NT", "鼻気管内チューブ", "Nasotracheal Tube"),
        e("OP", "眼", "Ophthalmic"),
        e("OT", "耳", "Otic"),
        e("OTH", "その他／さまざま", "Other/Miscellaneous"),
        e("PF", "灌流", "Perfusion"),
        e("PO", "口", "Oral"),
        e("PR", "直腸", "Rectal"),
        e("RM", "リブリーザーマスク", "Rebreather Mask"),
        e("SC", "皮下", "Subcutaneous"),
        e("SD", "湿性包帯", "Soaked Dressing"),
        e("SL", "舌下", "Sublingual"),
        e("TD", "経皮性", "Transdermal"),
        e("TL", "経舌", "Translingual"),
        e("TP", "局所", "Topical"),
        e("TRA", "気管切開", "Tracheostomy"),
        e("UR", "尿道", "Urethral"),
        e("VG", "膣", "Vaginal"),
        e("VM", "換気マスク", "Ventimask"),
        e("WND", "創傷", "Wound"),
    ],
};

/// 投与装置 (Administration device).
pub static T_0164: Table = Table {
    name: "0164",
    ja: "投与装置",
    en: "Administration device",
    entries: &[
        e("AP", "アプリケータ", "Applicator"),
        e("BT", "ビューレトロール", "Buretrol"),
        e("HL", "ヘパリン固定具", "Heparin Lock"),
        e("IPPB", "IPPB", "IPPB"),
        e("IVP", "点滴ポンプ", "IV Pump"),
        e("IVS", "点滴溶剤セット", "IV Soluset"),
        e("MI", "メーター付吸入器", "Metered Inhaler"),
        e("NEB", "噴霧器", "Nebulizer"),
        e("PCA", "PCAポンプ", "PCA Pump"),
    ],
};

/// 薬剤成分タイプ (RX component type).
pub static T_0166: Table = Table {
    name: "0166",
    ja: "薬剤成分タイプ",
    en: "RX component type",
    entries: &[e("A", "基本薬剤", "Additive"), e("B", "添加剤", "Base")],
};

/// 住所タイプ (Address type).
pub static T_0190: Table = Table {
    name: "0190",
    ja: "住所タイプ",
    en: "Address type",
    entries: &[
        e("B", "勤務先", "Firm/Business"),
        e("BA", "無効な住所", "Bad address"),
        e("BDL", "出生地（分娩場所）", "Birth delivery location"),
        e("BR", "出生時の住所", "Residence at birth"),
        e("C", "現住所または一時的住所", "Current or temporary"),
        e("F", "出身国", "Country of origin"),
        e("H", "自宅", "Home"),
        e("L", "法的住所", "Legal address"),
        e("M", "郵送先", "Mailing"),
        e("N", "出生地", "Birth (nee)"),
        e("O", "事務所", "Office/Business"),
        e("P", "本籍・恒久的住所", "Permanent"),
        e("RH", "登録住所", "Registry home"),
    ],
};

/// 名前タイプ (Name type).
pub static T_0200: Table = Table {
    name: "0200",
    ja: "名前タイプ",
    en: "Name type",
    entries: &[
        e("A", "別名", "Alias name"),
        e("B", "出生時の名前", "Name at birth"),
        e("C", "養子名", "Adopted name"),
        e("D", "表示名", "Display name"),
        e("I", "免許上の名前", "Licensing name"),
        e("L", "法的名称", "Legal name"),
        e("M", "旧姓", "Maiden name"),
        e("N", "愛称", "Nickname"),
        e("P", "配偶者の名前", "Name of partner/spouse"),
        e("R", "登録名", "Registered name"),
        e("S", "仮名", "Coded pseudo-name"),
        e("T", "部族名", "Tribal/community name"),
        e("U", "不明", "Unspecified"),
    ],
};

/// 通信用途 (Telecommunication use).
pub static T_0201: Table = Table {
    name: "0201",
    ja: "通信用途",
    en: "Telecommunication use",
    entries: &[
        e("ASN", "留守番電話", "Answering service number"),
        e("BPN", "ポケットベル", "Beeper number"),
        e("EMR", "緊急連絡用番号", "Emergency number"),
        e("NET", "電子メールアドレス", "Network (email) address"),
        e("ORN", "その他の自宅番号", "Other residence number"),
        e("PRN", "自宅番号", "Primary residence number"),
        e("PRS", "個人（携帯）", "Personal"),
        e("VHN", "休暇先番号", "Vacation home number"),
        e("WPN", "勤務先番号", "Work number"),
    ],
};

/// 通信装置 (Telecommunication equipment).
pub static T_0202: Table = Table {
    name: "0202",
    ja: "通信装置",
    en: "Telecommunication equipment",
    entries: &[
        e("BP", "ポケットベル", "Beeper"),
        e("CP", "携帯電話", "Cellular phone"),
        e("FX", "ファックス", "Fax"),
        e("Internet", "インターネットアドレス", "Internet address"),
        e("MD", "モデム", "Modem"),
        e("PH", "電話", "Telephone"),
        e(
            "TDD",
            "聴覚障害者用通信機器",
            "Telecommunications device for the deaf",
        ),
        e("X.400", "X.400 メールアドレス", "X.400 email address"),
    ],
};

/// 転帰 (Patient outcome).
pub static T_0241: Table = Table {
    name: "0241",
    ja: "転帰",
    en: "Patient outcome",
    entries: &[
        e("D", "死亡", "Died"),
        e("F", "完全に回復した", "Fully recovered"),
        e("N", "回復せず／変わらない", "Not recovering/unchanged"),
        e("R", "回復", "Recovering"),
        e("S", "後遺症", "Sequelae"),
        e("U", "未知", "Unknown"),
        e("W", "悪化", "Worsening"),
    ],
};

/// プロブレムアクション (Problem action).
pub static T_0287: Table = Table {
    name: "0287",
    ja: "プロブレムアクション",
    en: "Problem action",
    entries: &[
        e("AD", "追加", "Add"),
        e("CO", "修正", "Correct"),
        e("DE", "削除", "Delete"),
        e("LI", "リンク", "Link"),
        e("UC", "修正無し", "Unchanged"),
        e("UN", "リンク無し", "Unlink"),
        e("UP", "更新", "Update"),
    ],
};

/// 完了状態 (Completion status).
pub static T_0322: Table = Table {
    name: "0322",
    ja: "完了状態",
    en: "Completion status",
    entries: &[
        e("CP", "完了", "Complete"),
        e("NA", "未投与", "Not administered"),
        e("PA", "一部投与", "Partially administered"),
        e("RE", "拒否", "Refused"),
    ],
};

/// アクションコード (Action code).
pub static T_0323: Table = Table {
    name: "0323",
    ja: "アクションコード",
    en: "Action code",
    entries: &[
        e("A", "追加", "Add/Insert"),
        e("D", "削除", "Delete"),
        e("U", "更新", "Update"),
        e("X", "変更なし", "No change"),
    ],
};

/// 障害者コード (Disabled person).
pub static T_0334: Table = Table {
    name: "0334",
    ja: "障害者コード",
    en: "Disabled person",
    entries: &[
        e("AP", "関係者", "Associated party"),
        e("GT", "保証人", "Guarantor"),
        e("IN", "被保険者", "Insured"),
        e("PT", "患者", "Patient"),
    ],
};

/// 反復パターン (Repeat pattern).
pub static T_0335: Table = Table {
    name: "0335",
    ja: "反復パターン",
    en: "Repeat pattern",
    entries: &[
        e("BID", "1日2回", "Twice a day"),
        e("QAM", "毎朝", "Every morning"),
        e("QD", "1日1回", "Every day"),
        e("QHS", "毎日就寝前", "Every day before the hour of sleep"),
        e("QID", "1日4回", "Four times a day"),
        e("QOD", "隔日", "Every other day"),
        e("QPM", "毎夕", "Every evening"),
        e("QSHIFT", "勤務帯ごと", "During each shift"),
        e("TID", "1日3回", "Three times a day"),
    ],
};

/// アレルギー反応分類 (Sensitivity to causative agent).
pub static T_0436: Table = Table {
    name: "0436",
    ja: "アレルギー反応分類",
    en: "Sensitivity to causative agent",
    entries: &[
        e(
            "AD",
            "副作用（分類不能）",
            "Adverse reaction (not otherwise classified)",
        ),
        e("AL", "アレルギー", "Allergy"),
        e("CT", "禁忌", "Contraindication"),
        e("IN", "不耐性", "Intolerance"),
        e("SE", "副次的作用", "Side effect"),
    ],
};

/// アレルギー臨床状態 (Allergy clinical status).
pub static T_0438: Table = Table {
    name: "0438",
    ja: "アレルギー臨床状態",
    en: "Allergy clinical status",
    entries: &[
        e("C", "確定", "Confirmed or verified"),
        e("D", "疑問あり", "Doubt raised"),
        e("E", "誤り", "Erroneous"),
        e("I", "確定だが活動性なし", "Confirmed but inactive"),
        e("P", "保留", "Pending"),
        e("S", "疑い", "Suspect"),
        e("U", "未確認", "Unconfirmed"),
    ],
};

/// 名前表記 (Name representation).
pub static T_0465: Table = Table {
    name: "0465",
    ja: "名前表記",
    en: "Name representation",
    entries: &[
        e("A", "アルファベット", "Alphabetic"),
        e("I", "漢字（表意文字）", "Ideographic"),
        e("P", "カナ（表音文字）", "Phonetic"),
    ],
};

/// オーダタイプ (Order type).
pub static T_0482: Table = Table {
    name: "0482",
    ja: "オーダタイプ",
    en: "Order type",
    entries: &[
        e("I", "入院患者オーダ", "Inpatient order"),
        e("O", "外来患者オーダ", "Outpatient order"),
    ],
};

/// 優先度 (Extended priority).
pub static T_0485: Table = Table {
    name: "0485",
    ja: "優先度",
    en: "Extended priority",
    entries: &[
        e("A", "至急", "As soon as possible"),
        e("C", "連絡後", "Callback"),
        e("P", "術前", "Preoperative"),
        e("PRN", "必要時", "As needed"),
        e("R", "ルーチン", "Routine"),
        e("S", "緊急", "Stat"),
        e("T", "時間指定", "Timing critical"),
    ],
};

/// 保険種別 (Insurance category).
pub static T_INSURANCEMAJORCATEGORY: Table = Table {
    name: "InsuranceMajorCategory",
    ja: "保険種別",
    en: "Insurance category",
    entries: &[
        e("1", "医保", "Medical insurance"),
        e("2", "国保", "National health insurance"),
        e("3", "労災", "Workers' compensation"),
        e("4", "自賠責", "Car liability"),
        e("5", "公害", "Pollution"),
        e("6", "自費", "Self pay"),
        e("7", "後期高齢者", "Late elderly"),
        e("8", "公費", "Public expense"),
    ],
};

/// 被保険者区分 (Insured person category).
pub static T_INSUREDPERSONCATEGORY: Table = Table {
    name: "InsuredPersonCategory",
    ja: "被保険者区分",
    en: "Insured person category",
    entries: &[
        e("1", "被保険者", "Insured person"),
        e("2", "被扶養者", "Dependant"),
    ],
};

/// 基本用法区分 (Basic usage).
pub static T_JAMI_1: Table = Table {
    name: "JAMI-1",
    ja: "基本用法区分",
    en: "Basic usage",
    entries: &[
        e("1", "内服", "Internal"),
        e("2", "外用", "External"),
        e("3", "注射", "Injection"),
        e("4", "注入", "Infusion into a cavity"),
    ],
};

/// 用法詳細区分 (Detailed usage).
pub static T_JAMI_2: Table = Table {
    name: "JAMI-2",
    ja: "用法詳細区分",
    en: "Detailed usage",
    entries: &[
        e("10", "経口", ""),
        e("11", "舌下", ""),
        e("12", "バッカル", ""),
        e("13", "口腔内塗布", ""),
        e("2A", "貼付", ""),
        e("2B", "塗布", ""),
        e("2C", "湿布", ""),
        e("2D", "撒布", ""),
        e("2E", "噴霧", ""),
        e("2F", "消毒", ""),
        e("2G", "点耳", ""),
        e("2H", "点眼", ""),
        e("2J", "点鼻", ""),
        e("2K", "うがい", ""),
        e("2L", "吸入", ""),
        e("2M", "トローチ", ""),
        e("2N", "膀胱洗浄", ""),
        e("2P", "鼻腔内洗浄", ""),
        e("2Q", "浣腸", ""),
        e("2R", "肛門挿入", ""),
        e("2S", "肛門注入", ""),
        e("2T", "膣内挿入", ""),
        e("2U", "膀胱注入", ""),
        e("30", "静脈注射", ""),
        e("31", "中心静脈注射", ""),
        e("32", "皮下注射", ""),
        e("33", "筋肉内注射", ""),
        e("34", "皮内注射", ""),
        e("35", "動脈注射", ""),
        e("3A", "硬膜外注射", ""),
        e("3B", "脳脊髄腔注射", ""),
        e("3C", "骨髄内注射", ""),
        e("3D", "関節腔内注射", ""),
        e("3E", "腱鞘内注射", ""),
        e("3F", "腱鞘周囲注射", ""),
        e("3G", "硝子体内注射", ""),
        e("3H", "結膜下注射", ""),
        e("3J", "テノン氏のう内注射", ""),
        e("3K", "耳茸内注射", ""),
        e("3L", "咽頭注射", ""),
        e("3M", "胸腔内注射", ""),
        e("3N", "痔核注射", ""),
        e("3P", "角膜内注射", ""),
        e("3Q", "球後注射", ""),
        e("3R", "腹腔内注射", ""),
        e("3Z", "局所・病巣内注射", ""),
        e("40", "腹膜透析", ""),
        e("41", "気管内注入", ""),
        e("42", "涙のう内注入", ""),
        e("43", "鼓室内注入", ""),
        e("44", "滑液囊穿刺後の注入", ""),
        e("45", "腹腔内注入", ""),
        e("4Z", "病巣内注入", ""),
    ],
};

/// JLAC10 大分類 (JLAC10 first digit).
pub static T_JC10_CLASS: Table = Table {
    name: "JC10-class",
    ja: "JLAC10 大分類",
    en: "JLAC10 first digit",
    entries: &[
        e("1", "一般検査", "Urine and stool"),
        e("2", "血液学的検査", "Haematology"),
        e("3", "生化学的検査", "Biochemistry"),
        e("4", "内分泌学的検査", "Endocrinology"),
        e("5", "免疫学的検査", "Immunology"),
        e("6", "微生物学的検査", "Microbiology"),
        e("7", "病理学的検査", "Pathology"),
        e("8", "その他の検体検査", "Other specimen tests"),
        e("9", "生理機能検査", "Physiology and other examinations"),
    ],
};

/// JLAC10 材料コード (JLAC10 specimen).
pub static T_JC10_SPECIMEN: Table = Table {
    name: "JC10-specimen",
    ja: "JLAC10 材料コード",
    en: "JLAC10 specimen",
    entries: &[
        e("001", "尿(含むその他)", "Urine"),
        e("002", "自然排尿", ""),
        e("003", "新鮮尿", ""),
        e("004", "蓄尿", ""),
        e("005", "時間尿", ""),
        e("006", "早朝尿", ""),
        e("007", "負荷後尿", ""),
        e("008", "分杯尿", ""),
        e("009", "カテーテル採取尿", ""),
        e("010", "尿ろ紙", ""),
        e("011", "膀胱穿刺", ""),
        e("012", "動物尿", ""),
        e("015", "便", "Stool"),
        e("017", "血液(含むその他)", ""),
        e("018", "全血", "Whole blood"),
        e("019", "全血(添加物入り)", ""),
        e("020", "動脈血", "Arterial blood"),
        e("021", "毛細管血", ""),
        e("022", "血漿", "Plasma"),
        e("023", "血清", "Serum"),
        e("024", "血球浮遊液", ""),
        e("025", "赤血球", ""),
        e("026", "リンパ球", ""),
        e("027", "血小板", ""),
        e("028", "白血球", ""),
        e("029", "臍帯血", ""),
        e("030", "溶血液", ""),
        e("031", "除タンパク上清", ""),
        e("032", "血液抽出液", ""),
        e("033", "血液ろ紙", ""),
        e("034", "血液塗抹標本", ""),
        e("035", "造血幹細胞", ""),
        e("036", "動物血", ""),
        e("037", "動物全血", ""),
        e("038", "動物血漿", ""),
        e("039", "動物血清", ""),
        e("040", "穿刺液(含むその他)", ""),
        e("041", "髄液", "Cerebrospinal fluid"),
        e("042", "胸水", "Pleural fluid"),
        e("043", "腹水", "Ascites"),
        e("044", "関節液", ""),
        e("045", "心嚢液", ""),
        e("046", "骨髄液", "Bone marrow"),
        e("047", "羊水", ""),
        e("048", "腰椎", ""),
        e("049", "骨髄塗抹標本", ""),
        e("050", "分泌液(含むその他)", ""),
        e("051", "消化器系からの分泌液", ""),
        e("052", "胃液", ""),
        e("053", "十二指腸液", ""),
        e("054", "胆汁", ""),
        e("055", "膵液", ""),
        e("056", "唾液", ""),
        e("057", "乳頭分泌液", ""),
        e("058", "子宮頸管粘液", ""),
        e("059", "前立腺液", ""),
        e("060", "精液", ""),
        e("061", "喀痰", "Sputum"),
        e("062", "乳汁", ""),
        e("063", "鼻汁，鼻腔・鼻咽頭擦過物", ""),
        e("064", "咽喉からの分泌液", ""),
        e("065", "耳からの分泌液", ""),
        e("066", "目からの分泌液", ""),
        e("067", "膣からの分泌液", ""),
        e("068", "皮膚からの分泌液(汗)", ""),
        e("069", "気管からの分泌液", ""),
        e("070", "組織(含むその他)", ""),
        e("071", "生検組織", ""),
        e("072", "試験切除組織", ""),
        e("073", "手術切除組織", ""),
        e("074", "剖検切除組織", ""),
        e("075", "固定組織", ""),
        e("076", "固定細胞", ""),
        e("077", "毛髪", ""),
        e("078", "爪", ""),
        e("079", "うがい液", ""),
        e("080", "菌株", ""),
        e("081", "結石(含むその他)", ""),
        e("082", "尿路系結石", ""),
        e("083", "胆石", ""),
        e("084", "細胞浮遊液", ""),
        e("085", "擦過物", ""),
        e("086", "膿(含むその他)", ""),
        e("087", "開放性の膿", ""),
        e("088", "非開放性の膿", ""),
        e("089", "水泡内容物", ""),
        e("090", "嘔吐物", ""),
        e("091", "洗浄液", ""),
        e("092", "血液以外の抽出液", ""),
        e("093", "浸出液", ""),
        e("094", "塗抹標本(血液，骨髄以外)", ""),
        e("095", "透析液", ""),
        e("096", "かん流液", ""),
        e("097", "培養液", ""),
        e("098", "ペア材料", ""),
        e("099", "その他の材料", "Other specimen"),
    ],
};

/// 保険種別 (Insurance kind).
pub static T_JHSD0001: Table = Table {
    name: "JHSD0001",
    ja: "保険種別",
    en: "Insurance kind",
    entries: &[
        e(
            "01",
            "政府管掌健康保険（日雇特例被保険者の保険を除く。）",
            "",
        ),
        e("02", "船員保険", ""),
        e("03", "一般療養", ""),
        e("04", "特別療養費", ""),
        e("06", "組合管掌健康保険", ""),
        e("07", "防衛省職員給与法による自衛官等の療養の給付", ""),
        e("10", "結核患者の適正医療", ""),
        e("11", "結核患者の入院", ""),
        e("12", "生活保護法による医療扶助（法第15条関係）", ""),
        e("13", "療養の給付", ""),
        e("14", "更生医療", ""),
        e("15", "更生医療（法第５条関係）", ""),
        e("16", "育成医療（法第５条関係）", ""),
        e("17", "療育の給付（法第20条関係）", ""),
        e("18", "認定疾病医療", ""),
        e("19", "一般疾病医療費（法第18条関係）", ""),
        e("20", "措置入院", ""),
        e("21", "精神通院医療", ""),
        e(
            "22",
            "麻薬及び向精神薬取締法による入院措置（法第58条の8関係）",
            "",
        ),
        e("23", "母子保健法による養育医療（法第20条関係）", ""),
        e(
            "24",
            "療養介護医療（法第70条関係）及び基準該当療養介護医療（法第71条関係）",
            "",
        ),
        e(
            "25",
            "中国残留邦人等の円滑な帰国の促進及び永住帰国後の自立の支援に関する法律による医療支援給付",
            "",
        ),
        e("28", "一類感染症等の患者の入院(法第37条関係)", ""),
        e("29", "新感染症の患者の入院", ""),
        e(
            "30",
            "心神喪失等の状態で重大な他害行為を行った者の医療の実施に係る医療の給付",
            "",
        ),
        e("31", "国家公務員共済組合", ""),
        e("32", "地方公務員等共済組合", ""),
        e("33", "警察共済組合", ""),
        e("34", "公立学校共済組合", ""),
        e("39", "高齢者の医療の確保に関する法律による療養の給付", ""),
        e("51", "特定疾患治療費、先天性血液凝固因子障害等治療費等", ""),
        e(
            "52",
            "児童福祉法による小児慢性特定疾患治療研究事業に係る医療の給付",
            "",
        ),
        e("53", "児童福祉法の措置等に係る医療の給付", ""),
        e("63", "特定健康保険組合", ""),
        e(
            "66",
            "石綿による健康被害の救済に関する法律による医療費の支給",
            "",
        ),
        e("67", "国民健康保険法による退職者医療", ""),
        e("72", "国家公務員特定共済組合", ""),
        e("73", "地方公務員等特定共済組合", ""),
        e("74", "警察特定共済組合", ""),
        e("75", "公立学校特定共済組合", ""),
        e("79", "障害児施設医療（法第24条の20関係）", ""),
        e("C0", "国民健康保険", "National health insurance"),
        e("D0", "地方公費", "Local public expense"),
        e("LI", "労災", "Workers' compensation"),
        e("OE", "自費（保険なし）", "Self pay"),
        e("OT", "その他", "Other"),
        e("PI", "公害医療", "Pollution-related care"),
        e("PS", "公務員災害", "Accident of a civil servant"),
        e("TI", "自賠", "Car liability insurance"),
    ],
};

/// 被保険者区分の詳細 (Insured detail).
pub static T_JHSD0002: Table = Table {
    name: "JHSD0002",
    ja: "被保険者区分の詳細",
    en: "Insured detail",
    entries: &[
        e("CC", "通勤災害", ""),
        e("K1", "継続", ""),
        e("K2", "任意継続", ""),
        e("K3", "特別療養", ""),
        e("LS", "下船", ""),
        e("OJ", "職務上", ""),
    ],
};

/// 診断の種別 (Kind of diagnosis).
pub static T_JHSD0004: Table = Table {
    name: "JHSD0004",
    ja: "診断の種別",
    en: "Kind of diagnosis",
    entries: &[
        e("A", "手術後", "After surgery"),
        e("B", "手術前", "Before surgery"),
        e("F", "最終", "Final"),
        e("H", "入院時", "At admission"),
        e("L", "退院時", "At discharge"),
        e("O", "外来時", "Outpatient"),
    ],
};

/// 疑いの有無 (Confirmation).
pub static T_JHSD0005: Table = Table {
    name: "JHSD0005",
    ja: "疑いの有無",
    en: "Confirmation",
    entries: &[e("1", "疑いあり", "Suspected")],
};

/// 転帰 (Outcome).
pub static T_JHSD0006: Table = Table {
    name: "JHSD0006",
    ja: "転帰",
    en: "Outcome",
    entries: &[
        e("C", "継続", "Continuing"),
        e("I", "中止", "Stopped"),
        e("M", "寛解", "Remission"),
        e("O", "その他", "Other"),
    ],
};

/// 主診断 (Ranking).
pub static T_JHSD0007: Table = Table {
    name: "JHSD0007",
    ja: "主診断",
    en: "Ranking",
    entries: &[e("1", "主診断", "Main diagnosis")],
};

/// 処方区分 (Prescription kind).
pub static T_JHSI0001: Table = Table {
    name: "JHSI0001",
    ja: "処方区分",
    en: "Prescription kind",
    entries: &[
        e("EMP", "至急処方", "Urgent prescription"),
        e("FTP", "定時処方", "Regular prescription"),
        e("OTP", "頓用処方", "As-needed prescription"),
        e("PFP", "事後処方", "Prescription after the fact"),
    ],
};

/// 注射区分 (Injection kind).
pub static T_JHSI0002: Table = Table {
    name: "JHSI0002",
    ja: "注射区分",
    en: "Injection kind",
    entries: &[
        e("00", "一般", "General"),
        e("01", "血液製剤", "Blood products"),
        e("02", "特殊製剤", "Special preparations"),
        e("03", "麻毒", "Narcotics and poisons"),
        e("04", "治験薬", "Investigational drugs"),
        e("05", "TPN", "TPN"),
        e("06", "予防接種", "Vaccination"),
        e("07", "抗がん剤", "Anticancer drugs"),
        e("09", "その他", "Other"),
    ],
};

/// 点滴手技 (Drip method).
pub static T_JHSI0003: Table = Table {
    name: "JHSI0003",
    ja: "点滴手技",
    en: "Drip method",
    entries: &[e("01", "精密持続点滴", "Precise continuous drip")],
};

/// 調剤指示 (Dispensing instruction).
pub static T_JHSP0002: Table = Table {
    name: "JHSP0002",
    ja: "調剤指示",
    en: "Dispensing instruction",
    entries: &[
        e("A", "別包指示", "Pack separately"),
        e("B", "一包化指示", "Pack as one dose"),
        e("C", "混合指示", "Mix"),
        e("D", "粉砕指示", "Crush"),
    ],
};

/// 持参薬処方 (Brought-in drugs).
pub static T_JHSP0007: Table = Table {
    name: "JHSP0007",
    ja: "持参薬処方",
    en: "Brought-in drugs",
    entries: &[e("BDP", "持参薬処方", "Brought-in drugs")],
};

/// 医薬品単位略号 (MERIT-9) (Drug unit).
pub static T_MR9P: Table = Table {
    name: "MR9P",
    ja: "医薬品単位略号 (MERIT-9)",
    en: "Drug unit",
    entries: &[
        e("AMP", "アンプル", ""),
        e("ATM", "気圧", ""),
        e("BAG", "袋", ""),
        e("BALL", "球", ""),
        e("BKR", "管(瓶)", ""),
        e("BLST", "ブリスター", ""),
        e("BOX", "箱", ""),
        e("BTL", "瓶", ""),
        e("BTLB", "瓶(袋)", ""),
        e("CAN", "缶", ""),
        e("CAP", "カプセル", ""),
        e("CAST", "カセット", ""),
        e("CC", "cc", ""),
        e("CM", "cm", ""),
        e("CM2", "cm2", ""),
        e("CST", "カセット", ""),
        e("DIR", "方向", ""),
        e("DOSE", "回分", ""),
        e("DROP", "滴", ""),
        e("ELCU", "エルカトニン単位", ""),
        e("FEET", "フィート", ""),
        e("G", "g", ""),
        e("GBQ", "GBq", ""),
        e("GCYL", "ガラス筒", ""),
        e("HON", "本", ""),
        e("INHL", "吸入", ""),
        e("IUNT", "国際単位", ""),
        e("JAU", "JAU", ""),
        e("KBQ", "KBq", ""),
        e("KG", "kg", ""),
        e("KIND", "種", ""),
        e("KIT", "キット", ""),
        e("KO", "個", ""),
        e("KUNT", "K単位", ""),
        e("L", "L", ""),
        e("LL", "LL", ""),
        e("LMHU", "低分子ヘパリン国際単位", ""),
        e("M", "m", ""),
        e("MCCI", "μCi", ""),
        e("MCG", "μg", ""),
        e("MCI", "mCi", ""),
        e("MCL", "μL", ""),
        e("MEQ", "mEq", ""),
        e("MG", "mg", ""),
        e("MGBQ", "MBq", ""),
        e("ML", "mL", ""),
        e("MLG", "mL(g)", ""),
        e("MLV", "mLV", ""),
        e("MOL", "モル", ""),
        e("MPA", "MPa", ""),
        e("OPE", "手術当り", ""),
        e("PAIR", "組", ""),
        e("PART", "分", ""),
        e("PAT", "患者当り", ""),
        e("PCK", "包", ""),
        e("PILL", "丸", ""),
        e("PIPE", "筒", ""),
        e("RODT", "桿錠", ""),
        e("ROLL", "巻", ""),
        e("SET", "セット", ""),
        e("SHET", "シート", ""),
        e("SHT", "枚", ""),
        e("SPRY", "噴霧", ""),
        e("SYRG", "シリンジ", ""),
        e("TAB", "錠", ""),
        e("TEAR", "裂", ""),
        e("TERP", "酢酸テリパラチド単位", ""),
        e("TEST", "テスト分", ""),
        e("TIME", "回", ""),
        e("TROC", "トローチ", ""),
        e("TTIU", "万国際単位", ""),
        e("TTJU", "万国内標準単位", ""),
        e("TTUN", "万単位", ""),
        e("TUBE", "管", ""),
        e("TUNT", "千単位", ""),
        e("UNT", "単位", ""),
        e("USPU", "U.S.P.単位", ""),
        e("VIL", "バイアル", ""),
        e("VSL", "容器", ""),
    ],
};

/// 処方区分 (MERIT-9) (Prescription class).
pub static T_MR9P_CATEGORY: Table = Table {
    name: "MR9P-category",
    ja: "処方区分 (MERIT-9)",
    en: "Prescription class",
    entries: &[
        e("DCG", "退院処方", "Discharge prescription"),
        e("IHP", "入院処方", "Inpatient prescription"),
        e("OHI", "院内処方", "Dispensed in the hospital"),
        e("OHO", "院外処方", "Dispensed outside"),
        e("OHP", "外来処方", "Outpatient prescription"),
        e("ORD", "定期処方", "Regular prescription"),
        e("XTR", "臨時処方", "Extra prescription"),
    ],
};

/// 剤形略号 (MERIT-9) (Dosage form).
pub static T_MR9P_FORM: Table = Table {
    name: "MR9P-form",
    ja: "剤形略号 (MERIT-9)",
    en: "Dosage form",
    entries: &[
        e("CAP", "カプセル剤", "Capsule"),
        e("CRM", "クリーム", "Cream"),
        e("INJ", "注射剤", "Injection"),
        e("LQD", "液剤", "Liquid"),
        e("OIT", "軟膏、ゲル", "Ointment, gel"),
        e("PWD", "散剤、ドライシロップ剤", "Powder, dry syrup"),
        e("SUP", "坐剤", "Suppository"),
        e("SYR", "シロップ剤", "Syrup"),
        e("TAB", "錠剤", "Tablet"),
        e("TPE", "テープ、貼付剤", "Tape, patch"),
    ],
};

/// 都道府県番号 (Prefecture).
pub static T_PREFECTURE: Table = Table {
    name: "prefecture",
    ja: "都道府県番号",
    en: "Prefecture",
    entries: &[
        e("01", "北海道", ""),
        e("02", "青森県", ""),
        e("03", "岩手県", ""),
        e("04", "宮城県", ""),
        e("05", "秋田県", ""),
        e("06", "山形県", ""),
        e("07", "福島県", ""),
        e("08", "茨城県", ""),
        e("09", "栃木県", ""),
        e("10", "群馬県", ""),
        e("11", "埼玉県", ""),
        e("12", "千葉県", ""),
        e("13", "東京都", ""),
        e("14", "神奈川県", ""),
        e("15", "新潟県", ""),
        e("16", "富山県", ""),
        e("17", "石川県", ""),
        e("18", "福井県", ""),
        e("19", "山梨県", ""),
        e("20", "長野県", ""),
        e("21", "岐阜県", ""),
        e("22", "静岡県", ""),
        e("23", "愛知県", ""),
        e("24", "三重県", ""),
        e("25", "滋賀県", ""),
        e("26", "京都府", ""),
        e("27", "大阪府", ""),
        e("28", "兵庫県", ""),
        e("29", "奈良県", ""),
        e("30", "和歌山県", ""),
        e("31", "鳥取県", ""),
        e("32", "島根県", ""),
        e("33", "岡山県", ""),
        e("34", "広島県", ""),
        e("35", "山口県", ""),
        e("36", "徳島県", ""),
        e("37", "香川県", ""),
        e("38", "愛媛県", ""),
        e("39", "高知県", ""),
        e("40", "福岡県", ""),
        e("41", "佐賀県", ""),
        e("42", "長崎県", ""),
        e("43", "熊本県", ""),
        e("44", "大分県", ""),
        e("45", "宮崎県", ""),
        e("46", "鹿児島県", ""),
        e("47", "沖縄県", ""),
    ],
};

/// Every table. Sorted by name.
static TABLES: &[&Table] = &[
    &T_0001,
    &T_0004,
    &T_0038,
    &T_0062,
    &T_0063,
    &T_0069,
    &T_0078,
    &T_0085,
    &T_0112,
    &T_0119,
    &T_0123,
    &T_0125,
    &T_0127,
    &T_0128,
    &T_0162,
    &T_0164,
    &T_0166,
    &T_0190,
    &T_0200,
    &T_0201,
    &T_0202,
    &T_0241,
    &T_0287,
    &T_0322,
    &T_0323,
    &T_0334,
    &T_0335,
    &T_0436,
    &T_0438,
    &T_0465,
    &T_0482,
    &T_0485,
    &T_INSURANCEMAJORCATEGORY,
    &T_INSUREDPERSONCATEGORY,
    &T_JAMI_1,
    &T_JAMI_2,
    &T_JC10_CLASS,
    &T_JC10_SPECIMEN,
    &T_JHSD0001,
    &T_JHSD0002,
    &T_JHSD0004,
    &T_JHSD0005,
    &T_JHSD0006,
    &T_JHSD0007,
    &T_JHSI0001,
    &T_JHSI0002,
    &T_JHSI0003,
    &T_JHSP0002,
    &T_JHSP0007,
    &T_MR9P,
    &T_MR9P_CATEGORY,
    &T_MR9P_FORM,
    &T_PREFECTURE,
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::println;

    #[test]
    fn tables_and_codes_are_sorted_and_unique() {
        assert!(TABLES.windows(2).all(|w| w[0].name < w[1].name));
        for table in TABLES {
            assert!(!table.entries.is_empty(), "{}", table.name);
            for pair in table.entries.windows(2) {
                assert!(
                    pair[0].code < pair[1].code,
                    "{} {}",
                    table.name,
                    pair[1].code
                );
            }
        }
        println!("{} tables", TABLES.len());
    }

    #[test]
    fn every_code_has_a_japanese_display_without_truncation() {
        for table in TABLES {
            for entry in table.entries {
                assert!(!entry.ja.is_empty(), "{} {}", table.name, entry.code);
                assert!(!entry.ja.contains('…'), "{} {}", table.name, entry.code);
            }
        }
    }

    #[test]
    fn department_of_three_characters_is_found() {
        assert_eq!(table("HL70069", "093").unwrap().ja, "小児循環器科");
        assert_eq!(table("0069", "26").unwrap().ja, "眼科");
    }

    #[test]
    fn blank_after_the_system_name_is_ignored() {
        assert_eq!(table("HL70482 ", "O").unwrap().en, "Outpatient order");
    }

    #[test]
    fn tab_is_a_unit_and_a_form() {
        assert_eq!(table("MR9P", "TAB").unwrap().ja, "錠");
        assert_eq!(table("MR9P-form", "TAB").unwrap().ja, "錠剤");
        assert_eq!(merit9_unit_code("錠"), Some("TAB"));
        assert_eq!(merit9_unit_code("カセット"), None);
        assert_eq!(merit9_unit_text("PCK"), Some("包"));
    }

    #[test]
    fn local_public_expense_names_the_prefecture() {
        assert_eq!(table("JHSD0002", "08").unwrap().ja, "茨城県");
        assert_eq!(table("JHSD0002", "K2").unwrap().ja, "任意継続");
    }

    #[test]
    fn merit9_has_every_unit_of_the_specification() {
        assert!(find("MR9P").unwrap().entries.len() >= 70);
        assert_eq!(find("JC10-specimen").unwrap().entries.len(), 96);
        assert_eq!(find("0162").unwrap().entries.len(), 47);
    }
}
