//! The 26 data kinds (データ種別) of the standard storage and the kinds of the extended one.

use crate::note::NameNote;

/// Data kind (データ種別) of the standard storage: the fifth folder level and the third
/// part of a file name.
///
/// The order of the variants is the order of the standard's table.
///
/// # Standard
/// SS-MIX2 標準化ストレージ仕様書, データ種別一覧.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DataKind {
    /// 患者基本情報, patient basic data.
    Adt00,
    /// 担当医, attending doctor.
    Adt01,
    /// 外来受付, outpatient arrival.
    Adt12,
    /// 入院予定, planned admission.
    Adt21,
    /// 入院実施, admission.
    Adt22,
    /// 外出泊実施, leave of absence starts.
    Adt31,
    /// 外出泊帰院, return from leave.
    Adt32,
    /// 転科・転棟予定, planned transfer.
    Adt41,
    /// 転科・転棟実施, transfer.
    Adt42,
    /// 退院予定, planned discharge.
    Adt51,
    /// 退院実施, discharge.
    Adt52,
    /// アレルギー情報, allergies.
    Adt61,
    /// 病名情報, disease names.
    Ppr01,
    /// 食事オーダ, diet order.
    Omd,
    /// 処方オーダ, prescription order.
    Omp01,
    /// 処方実施, prescription given.
    Omp11,
    /// 注射オーダ, injection order.
    Omp02,
    /// 注射実施, injection given.
    Omp12,
    /// 検体検査オーダ, laboratory order.
    Oml01,
    /// 検体検査結果, laboratory result.
    Oml11,
    /// 放射線検査オーダ, radiology order.
    Omg01,
    /// 放射線検査実施, radiology performed.
    Omg11,
    /// 内視鏡検査オーダ, endoscopy order.
    Omg02,
    /// 内視鏡検査実施, endoscopy performed.
    Omg12,
    /// 生理検査オーダ, physiology order.
    Omg03,
    /// 生理検査結果, physiology result.
    Omg13,
}

/// Bytes of a code as a number, which tells codes apart; 0 when there are more than eight.
#[expect(clippy::as_conversions, reason = "const fn: a byte widens to u64")]
const fn number_of(code: &str) -> u64 {
    let mut bytes = code.as_bytes();
    let mut number = 0;
    if bytes.len() <= 8 {
        while let [first, rest @ ..] = bytes {
            number = number << 8 | *first as u64;
            bytes = rest;
        }
    }
    number
}

/// [`number_of`] the code of each kind.
#[expect(clippy::indexing_slicing, reason = "the loop is bounded by the length")]
static CODES: [u64; DataKind::ALL.len()] = {
    let mut codes = [0; DataKind::ALL.len()];
    let mut n = 0;
    while n < codes.len() {
        codes[n] = number_of(DataKind::ALL[n].code());
        n += 1;
    }
    codes
};

/// What a message row does to its item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Inserts or updates (登録・更新).
    Insert,
    /// Cancels (取消).
    Cancel,
}

/// Step in which a file of a patient is processed, so that references resolve.
///
/// # Standard
/// Mapping rules §12: ADT-00 → ADT-61 → dated ADT in time order → PPR-01 → orders →
/// results; the extended storage comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// ADT-00.
    Patient,
    /// ADT-61.
    Allergies,
    /// The other ADT kinds, in time order.
    Movement,
    /// PPR-01.
    Diseases,
    /// Orders (OMD, OMP-0x, OML-01, OMG-0x).
    Order,
    /// Results and administrations (OMP-1x, OML-11, OMG-1x).
    Result,
    /// Everything of the extended storage, and kinds nobody defined.
    Extended,
}

/// One message row of the standard's table: a data kind with one of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageRow {
    /// Data kind.
    pub kind: DataKind,
    /// MSH-9 components 1 and 2, e.g. `ADT^A08`.
    pub event: &'static str,
    /// Insert or cancel.
    pub action: Action,
    /// Japanese name.
    pub ja: &'static str,
    /// English name.
    pub en: &'static str,
    /// Fields whose first eight digits are the care date (診療日), best first; empty for
    /// the kinds without a day.
    pub care_date: &'static [&'static str],
    /// Step in which files of this kind are processed.
    pub stage: Stage,
}

const fn row(
    kind: DataKind,
    event: &'static str,
    action: Action,
    ja: &'static str,
    en: &'static str,
    care_date: &'static [&'static str],
    stage: Stage,
) -> MessageRow {
    MessageRow {
        kind,
        event,
        action,
        ja,
        en,
        care_date,
        stage,
    }
}

use Action::{Cancel, Insert};
use DataKind::{
    Adt00, Adt01, Adt12, Adt21, Adt22, Adt31, Adt32, Adt41, Adt42, Adt51, Adt52, Adt61, Omd, Omg01,
    Omg02, Omg03, Omg11, Omg12, Omg13, Oml01, Oml11, Omp01, Omp02, Omp11, Omp12, Ppr01,
};
use Stage::{Allergies, Diseases, Movement, Order, Patient, Result as Results};

/// The 36 message rows of the standard storage, in the order of the standard's table.
///
/// # Standard
/// SS-MIX2 標準化ストレージ仕様書, データ種別一覧.
#[rustfmt::skip]
pub static KINDS: [MessageRow; 36] = [
    row(Adt00, "ADT^A08", Insert, "患者基本情報の更新",         "patient basic data: update",    &[],                   Patient),
    row(Adt00, "ADT^A23", Cancel, "患者基本情報の削除",         "patient basic data: deletion",  &[],                   Patient),
    row(Adt01, "ADT^A54", Insert, "担当医の変更",               "attending doctor: change",      &[],                   Movement),
    row(Adt01, "ADT^A55", Cancel, "担当医の取消",               "attending doctor: cancel",      &[],                   Movement),
    row(Adt12, "ADT^A04", Insert, "外来診察の受付",             "outpatient arrival",            &["PV1-44"],           Movement),
    row(Adt21, "ADT^A14", Insert, "入院予定",                   "admission planned",             &["PV2-8"],            Movement),
    row(Adt21, "ADT^A27", Cancel, "入院予定の取消",             "planned admission: cancel",     &["PV2-8"],            Movement),
    row(Adt22, "ADT^A01", Insert, "入院実施",                   "admission",                     &["PV1-44"],           Movement),
    row(Adt22, "ADT^A11", Cancel, "入院実施の取消",             "admission: cancel",             &["PV1-44"],           Movement),
    row(Adt31, "ADT^A21", Insert, "外出泊実施",                 "leave of absence starts",       &["EVN-6"],            Movement),
    row(Adt31, "ADT^A52", Cancel, "外出泊実施の取消",           "leave of absence: cancel",      &["EVN-6"],            Movement),
    row(Adt32, "ADT^A22", Insert, "外出泊帰院実施",             "return from leave",             &["EVN-6", "PV2-47"],  Movement),
    row(Adt32, "ADT^A53", Cancel, "外出泊帰院実施の取消",       "return from leave: cancel",     &["EVN-6", "PV2-47"],  Movement),
    row(Adt41, "ADT^A15", Insert, "転科・転棟(転室・転床)予定", "transfer planned",              &["PV2-8"],            Movement),
    row(Adt41, "ADT^A26", Cancel, "転科・転棟(転室・転床)予定の取消", "planned transfer: cancel", &["PV2-8"],           Movement),
    row(Adt42, "ADT^A02", Insert, "転科・転棟(転室・転床)実施", "transfer",                      &["EVN-6"],            Movement),
    row(Adt42, "ADT^A12", Cancel, "転科・転棟(転室・転床)実施の取消", "transfer: cancel",        &["EVN-6"],            Movement),
    row(Adt51, "ADT^A16", Insert, "退院予定",                   "discharge planned",             &["PV2-9"],            Movement),
    row(Adt51, "ADT^A25", Cancel, "退院予定の取消",             "planned discharge: cancel",     &["PV2-9"],            Movement),
    row(Adt52, "ADT^A03", Insert, "退院実施",                   "discharge",                     &["PV1-45"],           Movement),
    row(Adt52, "ADT^A13", Cancel, "退院実施の取消",             "discharge: cancel",             &["PV1-45"],           Movement),
    row(Adt61, "ADT^A60", Insert, "アレルギー情報の登録／更新", "allergies (all of them)",       &[],                   Allergies),
    row(Ppr01, "PPR^ZD1", Insert, "病名(歴)情報の登録／更新",   "disease names",                 &[],                   Diseases),
    row(Omd,   "OMD^O03", Insert, "食事オーダ",                 "diet order",                    &["ORC-9"],            Order),
    row(Omp01, "RDE^O11", Insert, "処方オーダ",                 "prescription order",            &["ORC-9"],            Order),
    row(Omp11, "RAS^O17", Insert, "処方実施通知",               "prescription: given",           &["RXA-3"],            Results),
    row(Omp02, "RDE^O11", Insert, "注射オーダ",                 "injection order",               &["ORC-9"],            Order),
    row(Omp12, "RAS^O17", Insert, "注射実施通知",               "injection: given",              &["RXA-3"],            Results),
    row(Oml01, "OML^O33", Insert, "検体検査オーダ",             "laboratory order",              &["ORC-9"],            Order),
    row(Oml11, "OUL^R22", Insert, "検体検査結果通知",           "laboratory result",             &["SPM-17"],           Results),
    row(Omg01, "OMG^O19", Insert, "放射線検査オーダ",           "radiology order",               &["ORC-9"],            Order),
    row(Omg11, "OMI^Z23", Insert, "放射線検査の実施通知",       "radiology performed",           &["OBR-7"],            Results),
    row(Omg02, "OMG^O19", Insert, "内視鏡検査オーダ",           "endoscopy order",               &["ORC-9"],            Order),
    row(Omg12, "OMI^Z23", Insert, "内視鏡検査の実施通知",       "endoscopy performed",           &["OBR-7"],            Results),
    row(Omg03, "OMG^O19", Insert, "生理検査オーダ",             "physiology order",              &["ORC-9"],            Order),
    row(Omg13, "ORU^R01", Insert, "生理検査結果通知",           "physiology result",             &["OBR-7"],            Results),
];

impl DataKind {
    /// All 26 kinds in the order of the standard's table.
    pub const ALL: [DataKind; 26] = [
        Adt00, Adt01, Adt12, Adt21, Adt22, Adt31, Adt32, Adt41, Adt42, Adt51, Adt52, Adt61, Ppr01,
        Omd, Omp01, Omp11, Omp02, Omp12, Oml01, Oml11, Omg01, Omg11, Omg02, Omg12, Omg03, Omg13,
    ];

    /// Code as it stands in folder and file names, e.g. `OML-11`.
    pub const fn code(self) -> &'static str {
        match self {
            Adt00 => "ADT-00",
            Adt01 => "ADT-01",
            Adt12 => "ADT-12",
            Adt21 => "ADT-21",
            Adt22 => "ADT-22",
            Adt31 => "ADT-31",
            Adt32 => "ADT-32",
            Adt41 => "ADT-41",
            Adt42 => "ADT-42",
            Adt51 => "ADT-51",
            Adt52 => "ADT-52",
            Adt61 => "ADT-61",
            Ppr01 => "PPR-01",
            Omd => "OMD",
            Omp01 => "OMP-01",
            Omp11 => "OMP-11",
            Omp02 => "OMP-02",
            Omp12 => "OMP-12",
            Oml01 => "OML-01",
            Oml11 => "OML-11",
            Omg01 => "OMG-01",
            Omg11 => "OMG-11",
            Omg02 => "OMG-02",
            Omg12 => "OMG-12",
            Omg03 => "OMG-03",
            Omg13 => "OMG-13",
        }
    }

    /// The kind of a code, `None` when the standard storage has no such kind.
    ///
    /// ```
    /// use warifu_ssmix2::DataKind;
    /// assert_eq!(DataKind::from_code("OML-11"), Some(DataKind::Oml11));
    /// assert_eq!(DataKind::from_code("OML-12"), None);
    /// ```
    pub fn from_code(code: &str) -> Option<Self> {
        let number = number_of(code);
        let at = CODES.iter().position(|known| *known == number)?;
        // A byte of zero counts nothing.
        let kind = Self::ALL.get(at).copied();
        kind.filter(|kind| kind.code() == code)
    }

    /// The rows of this kind in [`KINDS`], the inserting one first.
    pub fn rows(self) -> impl Iterator<Item = &'static MessageRow> {
        KINDS.iter().filter(move |row| row.kind == self)
    }

    fn first_row(self) -> Option<&'static MessageRow> {
        self.rows().next()
    }

    /// Japanese name of the inserting row, e.g. `検体検査結果通知`.
    pub fn ja(self) -> &'static str {
        self.first_row().map_or("", |row| row.ja)
    }

    /// English name of the inserting row, e.g. `laboratory result`.
    pub fn en(self) -> &'static str {
        self.first_row().map_or("", |row| row.en)
    }

    /// Event that inserts, e.g. `ADT^A08`.
    pub fn insert_event(self) -> &'static str {
        self.first_row().map_or("", |row| row.event)
    }

    /// Event that cancels, e.g. `ADT^A23`; `None` for the kinds that cancel inside the
    /// message (ORC-1, PRB-1) or not at all.
    pub fn cancel_event(self) -> Option<&'static str> {
        self.rows()
            .find(|row| row.action == Cancel)
            .map(|row| row.event)
    }

    /// What MSH-9 (`type`, `event` = its first two components) does to an item of this
    /// kind; `None` when the event does not belong to the kind.
    ///
    /// ```
    /// use warifu_ssmix2::{Action, DataKind};
    /// assert_eq!(DataKind::Adt22.action("ADT", "A11"), Some(Action::Cancel));
    /// assert_eq!(DataKind::Adt12.action("ADT", "A01"), None);
    /// ```
    pub fn action(self, message_type: &str, event: &str) -> Option<Action> {
        self.rows()
            .find(|row| row.event.split_once('^') == Some((message_type, event)))
            .map(|row| row.action)
    }

    /// Fields whose first eight digits are the care date, best first.
    pub fn care_date_fields(self) -> &'static [&'static str] {
        self.first_row().map_or(&[], |row| row.care_date)
    }

    /// Step in which files of this kind are processed.
    pub const fn stage(self) -> Stage {
        match self {
            Adt00 => Patient,
            Adt61 => Allergies,
            Adt01 | Adt12 | Adt21 | Adt22 | Adt31 | Adt32 | Adt41 | Adt42 | Adt51 | Adt52 => {
                Movement
            }
            Ppr01 => Diseases,
            Omd | Omp01 | Omp02 | Oml01 | Omg01 | Omg02 | Omg03 => Order,
            Omp11 | Omp12 | Oml11 | Omg11 | Omg12 | Omg13 => Results,
        }
    }

    /// Whether the newest file replaces everything earlier of this kind for the patient
    /// (ADT-00, ADT-61).
    pub const fn is_snapshot(self) -> bool {
        matches!(self, Adt00 | Adt61)
    }

    /// Whether the care date is `-` (ADT-00, ADT-01, ADT-61, PPR-01).
    pub const fn is_dateless(self) -> bool {
        matches!(self, Adt00 | Adt01 | Adt61 | Ppr01)
    }

    /// Whether several items of one day may rightly share the order number
    /// `999999999999999` (ADT-12 by department, ADT-31/32/41/42).
    pub const fn may_share_order_no(self) -> bool {
        matches!(self, Adt12 | Adt31 | Adt32 | Adt41 | Adt42)
    }
}

/// Data kind of the extended storage: `code^name^system[^stdcode^stdname^stdsystem]`, of
/// which any part may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ExtendedKind<'a> {
    /// Local code.
    pub code: &'a str,
    /// Local name.
    pub name: &'a str,
    /// Local code system, e.g. `99ZL01`.
    pub system: &'a str,
    /// Standard code, e.g. `11506-3`.
    pub std_code: &'a str,
    /// Standard name, e.g. `経過記録`.
    pub std_name: &'a str,
    /// Standard code system, e.g. `LN`.
    pub std_system: &'a str,
}

/// Longest name of an extended data kind in characters.
pub const EXTENDED_KIND_LIMIT: usize = 180;

impl<'a> ExtendedKind<'a> {
    /// The parts of a text with at least one `^`; `None` without.
    ///
    /// Parts that are missing are empty; a seventh part and those after it stay in
    /// `std_system`, so that nothing is lost ([`NameNote::ExtendedKindShape`] reports
    /// it).
    ///
    /// ```
    /// use warifu_ssmix2::ExtendedKind;
    /// let kind = ExtendedKind::parse("L-OBSERVATIONS^OBSERVATIONS^99ZL01").unwrap();
    /// assert_eq!(kind.system, "99ZL01");
    /// assert!(!kind.has_standard_code());
    /// ```
    pub fn parse(text: &'a str) -> Option<Self> {
        if !text.as_bytes().contains(&b'^') {
            return None;
        }
        let mut parts = text.splitn(6, '^');
        let mut part = || parts.next().unwrap_or_default();
        Some(Self {
            code: part(),
            name: part(),
            system: part(),
            std_code: part(),
            std_name: part(),
            std_system: part(),
        })
    }

    /// Whether the standard triplet carries a code.
    pub const fn has_standard_code(&self) -> bool {
        !self.std_code.is_empty()
    }

    /// Whether this is the vital signs kind (ORU^R30): its local code or its name says
    /// `OBSERVATIONS`.
    pub fn is_vital_signs(&self) -> bool {
        self.code == "L-OBSERVATIONS" || self.name == "OBSERVATIONS"
    }

    /// Note on the shape of the name: neither three nor six parts, or too long.
    pub(crate) fn shape_note(text: &str) -> Option<NameNote> {
        let parts = text.split('^').count();
        if parts != 3 && parts != 6 {
            Some(NameNote::ExtendedKindShape)
        } else if text.chars().count() > EXTENDED_KIND_LIMIT {
            Some(NameNote::ExtendedKindLong)
        } else {
            None
        }
    }
}

/// Data kind as a folder or file name gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind<'a> {
    /// One of the 26 kinds.
    Standard(DataKind),
    /// A kind of the extended storage.
    Extended(ExtendedKind<'a>),
    /// Neither; kept as it stands.
    Unknown(&'a str),
}

impl<'a> Kind<'a> {
    /// Classifies a kind text.
    pub fn of(text: &'a str) -> Self {
        DataKind::from_code(text).map_or_else(
            || ExtendedKind::parse(text).map_or(Self::Unknown(text), Self::Extended),
            Self::Standard,
        )
    }

    /// The standard kind, if it is one.
    pub const fn standard(self) -> Option<DataKind> {
        match self {
            Self::Standard(kind) => Some(kind),
            Self::Extended(_) | Self::Unknown(_) => None,
        }
    }

    /// Step in which files of this kind are processed.
    pub const fn stage(self) -> Stage {
        match self {
            Self::Standard(kind) => kind.stage(),
            Self::Extended(_) | Self::Unknown(_) => Stage::Extended,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_has_36_rows_of_26_kinds_in_the_order_of_all() {
        let mut kinds: Vec<DataKind> = KINDS.iter().map(|row| row.kind).collect();
        kinds.dedup();
        assert_eq!(kinds, DataKind::ALL);
    }

    #[test]
    fn each_row_agrees_with_the_stage_of_its_kind() {
        for row in &KINDS {
            assert_eq!(row.stage, row.kind.stage(), "{}", row.event);
        }
    }

    #[test]
    fn kinds_without_a_day_have_no_care_date_field() {
        for kind in DataKind::ALL {
            assert_eq!(kind.is_dateless(), kind.care_date_fields().is_empty());
        }
    }

    #[test]
    fn ten_kinds_have_a_cancel_event() {
        let cancels: Vec<&str> = DataKind::ALL
            .iter()
            .filter_map(|kind| kind.cancel_event())
            .collect();
        assert_eq!(
            cancels,
            [
                "ADT^A23", "ADT^A55", "ADT^A27", "ADT^A11", "ADT^A52", "ADT^A53", "ADT^A26",
                "ADT^A12", "ADT^A25", "ADT^A13"
            ]
        );
    }

    #[test]
    fn codes_round_trip() {
        for kind in DataKind::ALL {
            assert_eq!(DataKind::from_code(kind.code()), Some(kind));
        }
    }

    #[test]
    fn extended_kind_parts_may_be_empty() {
        let kind = ExtendedKind::parse("^^^11506-3^経過記録^LN").unwrap();
        assert_eq!(kind.code, "");
        assert_eq!(kind.std_code, "11506-3");
        assert_eq!(kind.std_name, "経過記録");
        assert_eq!(kind.std_system, "LN");
    }

    #[test]
    fn seventh_part_of_an_extended_kind_is_kept_and_noted() {
        let text = "a^b^c^d^e^f^g";
        assert_eq!(ExtendedKind::parse(text).unwrap().std_system, "f^g");
        assert_eq!(
            ExtendedKind::shape_note(text),
            Some(NameNote::ExtendedKindShape)
        );
    }
}
