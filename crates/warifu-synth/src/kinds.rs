//! The 26 data kinds and 36 message rows of the standardised storage (標準化ストレージ), as a table.

/// Whether a message row adds an item or withdraws one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The row that adds or updates.
    Insert,
    /// The row that cancels.
    Cancel,
}

/// One of the 36 rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Data kind, e.g. `ADT-22`.
    pub kind: &'static str,
    /// MSH-9, three components.
    pub message: &'static str,
    /// Adds or cancels.
    pub act: Act,
    /// The field whose first eight digits equal the care date; empty for kinds without one.
    pub care_date: &'static str,
}

const fn insert(kind: &'static str, message: &'static str, care_date: &'static str) -> Row {
    Row {
        kind,
        message,
        act: Act::Insert,
        care_date,
    }
}

const fn cancel(kind: &'static str, message: &'static str, care_date: &'static str) -> Row {
    Row {
        kind,
        message,
        act: Act::Cancel,
        care_date,
    }
}

/// All 36 rows, in the order of the specification.
pub const ROWS: [Row; 36] = [
    insert("ADT-00", "ADT^A08^ADT_A01", ""), // 患者基本情報の更新
    cancel("ADT-00", "ADT^A23^ADT_A21", ""), // 患者基本情報の削除
    insert("ADT-01", "ADT^A54^ADT_A54", ""), // 担当医の変更
    cancel("ADT-01", "ADT^A55^ADT_A52", ""), // 担当医の取消
    insert("ADT-12", "ADT^A04^ADT_A01", "PV1-44"), // 外来診察の受付
    insert("ADT-21", "ADT^A14^ADT_A05", "PV2-8"), // 入院予定
    cancel("ADT-21", "ADT^A27^ADT_A21", "PV2-8"), // 入院予定の取消
    insert("ADT-22", "ADT^A01^ADT_A01", "PV1-44"), // 入院実施
    cancel("ADT-22", "ADT^A11^ADT_A09", "PV1-44"), // 入院実施の取消
    insert("ADT-31", "ADT^A21^ADT_A21", "EVN-6"), // 外出泊実施
    cancel("ADT-31", "ADT^A52^ADT_A52", "EVN-6"), // 外出泊実施の取消
    insert("ADT-32", "ADT^A22^ADT_A21", "EVN-6"), // 外出泊帰院実施
    cancel("ADT-32", "ADT^A53^ADT_A52", "PV2-47"), // 外出泊帰院実施の取消
    insert("ADT-41", "ADT^A15^ADT_A15", "PV2-8"), // 転科・転棟予定
    cancel("ADT-41", "ADT^A26^ADT_A21", "PV2-8"), // 転科・転棟予定の取消
    insert("ADT-42", "ADT^A02^ADT_A02", "EVN-6"), // 転科・転棟実施
    cancel("ADT-42", "ADT^A12^ADT_A09", "EVN-6"), // 転科・転棟実施の取消
    insert("ADT-51", "ADT^A16^ADT_A16", "PV2-9"), // 退院予定
    cancel("ADT-51", "ADT^A25^ADT_A21", "PV2-9"), // 退院予定の取消
    insert("ADT-52", "ADT^A03^ADT_A03", "PV1-45"), // 退院実施
    cancel("ADT-52", "ADT^A13^ADT_A01", "PV1-45"), // 退院実施の取消
    insert("ADT-61", "ADT^A60^ADT_A60", ""), // アレルギー情報
    insert("PPR-01", "PPR^ZD1^PPR_ZD1", ""), // 病名情報
    insert("OMD", "OMD^O03^OMD_O03", "ORC-9"), // 食事オーダ
    insert("OMP-01", "RDE^O11^RDE_O11", "ORC-9"), // 処方オーダ
    insert("OMP-11", "RAS^O17^RAS_O17", "RXA-3"), // 処方実施通知
    insert("OMP-02", "RDE^O11^RDE_O11", "ORC-9"), // 注射オーダ
    insert("OMP-12", "RAS^O17^RAS_O17", "RXA-3"), // 注射実施通知
    insert("OML-01", "OML^O33^OML_O33", "ORC-9"), // 検体検査オーダ
    insert("OML-11", "OUL^R22^OUL_R22", "SPM-17"), // 検体検査結果通知
    insert("OMG-01", "OMG^O19^OMG_O19", "ORC-9"), // 放射線検査オーダ
    insert("OMG-11", "OMI^Z23^OMI_Z23", "OBR-7"), // 放射線検査の実施通知
    insert("OMG-02", "OMG^O19^OMG_O19", "ORC-9"), // 内視鏡検査オーダ
    insert("OMG-12", "OMI^Z23^OMI_Z23", "OBR-7"), // 内視鏡検査の実施通知
    insert("OMG-03", "OMG^O19^OMG_O19", "ORC-9"), // 生理検査オーダ
    insert("OMG-13", "ORU^R01^ORU_R01", "OBR-7"), // 生理検査結果通知
];

/// MSH-9 of the row of `kind`; empty for a kind outside the table.
pub fn message_of(kind: &str, act: Act) -> &'static str {
    ROWS.iter()
        .find(|row| row.kind == kind && row.act == act)
        .map_or("", |row| row.message)
}

/// Data-kind folder of vital signs (extended storage).
pub const VITAL_SIGNS: &str = "L-OBSERVATIONS^OBSERVATIONS^99ZL01";
/// Data-kind folder of discharge summaries (退院時サマリー).
pub const DISCHARGE_SUMMARY: &str = "DS01^退院時サマリー^99WRF^18842-5^退院時サマリー^LN";
/// Data-kind folder of referral letters (診療情報提供書); local code without a name.
pub const REFERRAL: &str = "REF01^^99WRF^57133-1^診療情報提供書^LN";
/// Data-kind folder of progress notes (経過記録); the local triplet is empty.
pub const PROGRESS_NOTE: &str = "^^^11506-3^経過記録^LN";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_26_kinds_and_36_rows() {
        let mut kinds: Vec<&str> = ROWS.iter().map(|row| row.kind).collect();
        kinds.dedup();
        assert_eq!(kinds.len(), 26);
    }
}
