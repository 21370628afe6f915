//! Code translations from SS-MIX2 / HL7 v2.5 to FHIR R4, as tables with an answer for the unknown.
//!
//! Each table is read line by line against its source; the answer for a code that is not listed is
//! part of the table ([`CodeMap::unknown`]) and the caller learns that it was used
//! ([`Translated::known`]). Rows marked (own) are this project's decision where the published
//! `ConceptMaps` of the JAMI working group are silent or contradict FHIR.

/// One row of a translation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<T: 'static> {
    /// The code in the message.
    pub from: &'static str,
    /// The FHIR side.
    pub to: T,
    /// Japanese meaning of the source code.
    pub ja: &'static str,
}

/// A translation table.
#[derive(Debug, Clone, Copy)]
pub struct CodeMap<T: 'static> {
    /// The field or table it reads, for example `PID-8`.
    pub name: &'static str,
    /// The rows, in the order of the source.
    pub rows: &'static [Row<T>],
    /// The answer for a code without a row.
    pub unknown: T,
}

/// The result of a translation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Translated<T> {
    /// The FHIR side.
    pub to: T,
    /// Whether a row had the code; otherwise `to` is the table's answer for unknown codes.
    pub known: bool,
}

impl<T: Copy> CodeMap<T> {
    /// The translation of `code`; surrounding blanks are ignored, case matters.
    pub fn translate(&self, code: &str) -> Translated<T> {
        match self.find(code) {
            Some(to) => Translated { to, known: true },
            None => Translated {
                to: self.unknown,
                known: false,
            },
        }
    }

    /// The translation of `code`, `None` when no row has it.
    pub fn find(&self, code: &str) -> Option<T> {
        let code = code.trim();
        self.rows
            .iter()
            .find(|row| row.from == code)
            .map(|row| row.to)
    }
}

/// A FHIR code with its display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coded {
    /// `code`
    pub code: &'static str,
    /// `display`, as the FHIR code system spells it.
    pub display: &'static str,
}

/// Row constructor.
const fn row<T>(from: &'static str, to: T, ja: &'static str) -> Row<T> {
    Row { from, to, ja }
}

/// [`Coded`] constructor.
const fn coded(code: &'static str, display: &'static str) -> Coded {
    Coded { code, display }
}

// ---- Patient -------------------------------------------------------------------------------

/// PID-8 → `Patient.gender`. HL7 表 0001; mapping §2.
pub static GENDER: CodeMap<&str> = CodeMap {
    name: "PID-8",
    rows: &[
        row("F", "female", "女性"),
        row("M", "male", "男性"),
        row("O", "other", "その他"),
        row("U", "unknown", "未知"),
        row("A", "other", "両性具有"), // (own)
        row("N", "unknown", "適応外"), // (own)
    ],
    unknown: "unknown",
};

/// XPN.8 / XCN.15 → iso21090-EN-representation. HL7 表 0465; mapping §2.
pub static NAME_REPRESENTATION: CodeMap<Option<&str>> = CodeMap {
    name: "XPN.8",
    rows: &[
        row("I", Some("IDE"), "漢字"),
        row("P", Some("SYL"), "カナ"),
        row("A", Some("ABC"), "アルファベット"), // (own)
    ],
    unknown: None,
};

/// XAD.7 → `Address.use`. HL7 表 0190; mapping §2.
pub static ADDRESS_USE: CodeMap<Option<&str>> = CodeMap {
    name: "XAD.7",
    rows: &[
        row("H", Some("home"), "自宅"),
        row("B", Some("work"), "勤務先"),
        row("O", Some("work"), "事務所"),                 // (own)
        row("C", Some("temp"), "現住所または一時的住所"), // (own)
    ],
    unknown: None,
};

/// XTN.2 → `ContactPoint.use`. HL7 表 0201; mapping §2.
///
/// `EMR` has no use; the number gets rank 1, see [`is_emergency_number`].
pub static TELECOM_USE: CodeMap<Option<&str>> = CodeMap {
    name: "XTN.2",
    rows: &[
        row("PRN", Some("home"), "自宅番号"),
        row("WPN", Some("work"), "勤務先番号"),
        row("PRS", Some("mobile"), "個人（携帯）"),
        row("ORN", None, "その他の自宅番号"),
        row("VHN", None, "休暇先番号"),
        row("ASN", None, "留守番電話"),
        row("EMR", None, "緊急連絡用番号"),
        row("NET", None, "電子メールアドレス"),
        row("BPN", None, "ポケットベル"),
    ],
    unknown: None,
};

/// Whether XTN.2 marks the number to call in an emergency (`EMR`).
pub fn is_emergency_number(use_code: &str) -> bool {
    use_code.trim() == "EMR"
}

/// `ContactPoint.system`, and the use the equipment itself implies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TelecomSystem {
    /// `ContactPoint.system`
    pub system: &'static str,
    /// `ContactPoint.use` when the equipment decides it (`CP` → `mobile`).
    pub implied_use: Option<&'static str>,
}

/// XTN.3 → `ContactPoint.system`. HL7 表 0202; mapping §2.
///
/// An empty or unknown equipment counts as a telephone: PID-13 and PID-14 are telephone fields.
pub static TELECOM_SYSTEM: CodeMap<TelecomSystem> = CodeMap {
    name: "XTN.3",
    rows: &[
        row("PH", telecom("phone", None), "電話"),
        row("CP", telecom("phone", Some("mobile")), "携帯電話"),
        row("FX", telecom("fax", None), "ファックス"),
        row("BP", telecom("pager", None), "ポケットベル"),
        row("Internet", telecom("email", None), "電子メール"),
        row("X.400", telecom("email", None), "X.400 メール"), // (own)
        row("MD", telecom("other", None), "モデム"),          // (own)
        row("TDD", telecom("other", None), "聴覚障害者用通信機器"), // (own)
    ],
    unknown: telecom("phone", None),
};

/// [`TelecomSystem`] constructor.
const fn telecom(system: &'static str, implied_use: Option<&'static str>) -> TelecomSystem {
    TelecomSystem {
        system,
        implied_use,
    }
}

/// XAD.6 → `Address.country`: JP Core wants two letters (own). `None` for what is no code of three
/// letters; it passes through unchanged.
///
/// Source: ISO 3166-1.
pub fn country(code: &str) -> Option<&'static str> {
    let found = COUNTRIES
        .as_bytes()
        .chunks_exact(5)
        .position(|row| row.starts_with(code.as_bytes()) && code.len() == 3)?;
    COUNTRIES.get(found * 5 + 3..found * 5 + 5)
}

/// Three letters and two letters of each country.
const COUNTRIES: &str = concat!(
    "ABWAWAFGAFAGOAOAIAAIALAAXALBALANDADAREAEARGARARMAMASMASATAAQATFTFATGAGAUSAUAUTATAZEAZ",
    "BDIBIBELBEBENBJBESBQBFABFBGDBDBGRBGBHRBHBHSBSBIHBABLMBLBLRBYBLZBZBMUBMBOLBOBRABRBRBBB",
    "BRNBNBTNBTBVTBVBWABWCAFCFCANCACCKCCCHECHCHLCLCHNCNCIVCICMRCMCODCDCOGCGCOKCKCOLCOCOMKM",
    "CPVCVCRICRCUBCUCUWCWCXRCXCYMKYCYPCYCZECZDEUDEDJIDJDMADMDNKDKDOMDODZADZECUECEGYEGERIER",
    "ESHEHESPESESTEEETHETFINFIFJIFJFLKFKFRAFRFROFOFSMFMGABGAGBRGBGEOGEGGYGGGHAGHGIBGIGINGN",
    "GLPGPGMBGMGNBGWGNQGQGRCGRGRDGDGRLGLGTMGTGUFGFGUMGUGUYGYHKGHKHMDHMHNDHNHRVHRHTIHTHUNHU",
    "IDNIDIMNIMINDINIOTIOIRLIEIRNIRIRQIQISLISISRILITAITJAMJMJEYJEJORJOJPNJPKAZKZKENKEKGZKG",
    "KHMKHKIRKIKNAKNKORKRKWTKWLAOLALBNLBLBRLRLBYLYLCALCLIELILKALKLSOLSLTULTLUXLULVALVMACMO",
    "MAFMFMARMAMCOMCMDAMDMDGMGMDVMVMEXMXMHLMHMKDMKMLIMLMLTMTMMRMMMNEMEMNGMNMNPMPMOZMZMRTMR",
    "MSRMSMTQMQMUSMUMWIMWMYSMYMYTYTNAMNANCLNCNERNENFKNFNGANGNICNINIUNUNLDNLNORNONPLNPNRUNR",
    "NZLNZOMNOMPAKPKPANPAPCNPNPERPEPHLPHPLWPWPNGPGPOLPLPRIPRPRKKPPRTPTPRYPYPSEPSPYFPFQATQA",
    "REUREROURORUSRURWARWSAUSASDNSDSENSNSGPSGSGSGSSHNSHSJMSJSLBSBSLESLSLVSVSMRSMSOMSOSPMPM",
    "SRBRSSSDSSSTPSTSURSRSVKSKSVNSISWESESWZSZSXMSXSYCSCSYRSYTCATCTCDTDTGOTGTHATHTJKTJTKLTK",
    "TKMTMTLSTLTONTOTTOTTTUNTNTURTRTUVTVTWNTWTZATZUGAUGUKRUAUMIUMURYUYUSAUSUZBUZVATVAVCTVC",
    "VENVEVGBVGVIRVIVNMVNVUTVUWLFWFWSMWSYEMYEZAFZAZMBZMZWEZW",
);

/// NK1-3 → `Patient.contact.relationship` in v2-0063: the code passes through with the English
/// display of the code system; `None` for a code that the table does not have.
pub fn contact_relationship(code: &str) -> Option<Coded> {
    crate::tables::T_0063
        .entry(code)
        .map(|entry| coded(entry.code, entry.en))
}

/// The languages of ISO 639-1, which are those of BCP 47 in two letters.
const LANGUAGES: &str = "aaabaeafakamanarasavayazbabebgbhbibmbnbobrbscacechcocrcscucvcydadedvdzeeeleneoeseteufafffifjfofrfygagdglgngugvhahehihohrhthuhyhziaidieigiiikioisitiujajvkakgkikjkkklkmknkokrkskukvkwkylalblglilnloltlulvmgmhmimkmlmnmrmsmtmynanbndnengnlnnnonrnvnyocojomorospapiplpsptqurmrnrorurwsascsdsesgsiskslsmsnsosqsrssstsusvswtatetgthtitktltntotrtstttwtyugukuruzvevivowawoxhyiyozazhzu";

/// Whether a code of PID-15 is a tag of BCP 47 for `Patient.communication.language`: a language of
/// ISO 639-1, then script and region if any. `JPN` and `JP` are none.
pub fn is_language_tag(code: &str) -> bool {
    let mut rest = code.split('-').peekable();
    let language = rest.next().unwrap_or_default().as_bytes();
    let mut known = LANGUAGES.as_bytes().chunks(2);
    let letters = |s: &str| s.bytes().all(|b| b.is_ascii_alphabetic());
    let _script = rest.next_if(|s| s.len() == 4 && letters(s));
    let _region = rest.next_if(|s| s.len() == 2 && letters(s));
    known.any(|l| language.eq_ignore_ascii_case(l)) && rest.next().is_none()
}

/// PID-16 (table 0002) → `Patient.maritalStatus` in v3-MaritalStatus, where that has the same.
pub fn marital_status(code: &str) -> Option<&'static str> {
    Some(match code {
        "M" => "M",
        "S" => "S",
        "D" => "D",
        "W" => "W",
        "A" => "L",
        _ => return None,
    })
}

// ---- Encounter -----------------------------------------------------------------------------

/// MSH-9.2 → `Encounter.status` as published. Mapping §3 (`ConceptMap` v2-0003 → `EncounterStatus`).
///
/// Events that do not speak of a stay answer `unknown`. A withdrawn A04 is `cancelled`; the event
/// code does not show it, the storage flag does.
pub static ENCOUNTER_STATUS: CodeMap<&str> = CodeMap {
    name: "MSH-9.2",
    rows: &[
        row("A14", "planned", "入院予定"),
        row("A27", "cancelled", "入院予定取消"),
        row("A01", "arrived", "入院実施"),
        row("A11", "cancelled", "入院実施取消"),
        row("A04", "arrived", "外来診察の受付"),
        row("A21", "onleave", "外出泊実施"),
        row("A52", "in-progress", "外出泊実施取消"),
        row("A22", "in-progress", "外出泊帰院実施"),
        row("A53", "onleave", "外出泊帰院実施取消"),
        row("A15", "in-progress", "転科・転棟（転室・転床）予定"),
        row("A26", "in-progress", "転科・転棟（転室・転床）予定取消"),
        row("A02", "in-progress", "転科・転棟（転室・転床）実施"),
        row("A12", "in-progress", "転科・転棟（転室・転床）実施取消"),
        row("A16", "in-progress", "退院予定"),
        row("A25", "in-progress", "退院予定取消"),
        row("A03", "finished", "退院実施"),
        row("A13", "in-progress", "退院実施取消"),
        row("A54", "in-progress", "担当医の変更"),
        row("A55", "in-progress", "担当医の変更取消"),
    ],
    unknown: "unknown",
};

/// As [`ENCOUNTER_STATUS`], for an event that lies before the day of the export: an admission is in
/// progress, an outpatient visit is over. (own)
pub fn encounter_status_past(event: &str) -> Translated<&'static str> {
    let to = match event.trim() {
        "A01" => "in-progress",
        "A04" => "finished",
        _ => return ENCOUNTER_STATUS.translate(event),
    };
    Translated { to, known: true }
}

/// MSH-9.2 → `Encounter.location.status`. Mapping §3 (`ConceptMap` v2-0003 → `EncounterLocationStatus`).
pub static LOCATION_STATUS: CodeMap<&str> = CodeMap {
    name: "MSH-9.2",
    rows: &[
        row("A14", "planned", "入院予定"),
        row("A27", "planned", "入院予定取消"),
        row("A15", "planned", "転科・転棟（転室・転床）予定"),
        row("A26", "planned", "転科・転棟（転室・転床）予定取消"),
        row("A16", "planned", "退院予定"),
        row("A25", "planned", "退院予定取消"),
        row("A03", "completed", "退院実施"),
    ],
    unknown: "active", // every other event, as published
};

/// PV1-2 → `Encounter.class` (v3-ActCode). HL7 表 0004; mapping §3.
///
/// FHIR demands a class: an unknown one counts as ambulatory and the caller reports it.
pub static ENCOUNTER_CLASS: CodeMap<Coded> = CodeMap {
    name: "PV1-2",
    rows: &[
        row("I", coded("IMP", "inpatient encounter"), "入院患者"),
        row("O", coded("AMB", "ambulatory"), "外来患者"),
        row("E", coded("EMER", "emergency"), "救急患者"), // (own)
    ],
    unknown: coded("AMB", "ambulatory"),
};

/// PV1-36 → `Encounter.hospitalization.dischargeDisposition` (FHIR discharge-disposition).
/// HL7 表 0112; mapping §3 (own). `known` is false for codes outside the table and for the local
/// ranges 10–19 and 31–39.
pub fn discharge_disposition(code: &str) -> Translated<Coded> {
    let (to, known) = match code.trim() {
        "01" | "06" | "08" => (coded("home", "Home"), true),
        "02" | "05" => (coded("other-hcf", "Other healthcare facility"), true),
        "03" => (coded("snf", "Skilled nursing facility"), true),
        "04" => (coded("long", "Long-term care"), true),
        "07" => (coded("aadvice", "Left against advice"), true),
        "20" | "21" | "22" | "23" | "24" | "25" | "26" | "27" | "28" | "29" | "40" | "41"
        | "42" => (coded("exp", "Expired"), true),
        "09" | "30" => (coded("oth", "Other"), true),
        _ => (coded("oth", "Other"), false),
    };
    Translated { to, known }
}

/// PL.6 and the level of the PL component → `Location.physicalType`. Mapping §1 (own).
pub static LOCATION_LEVEL: CodeMap<Coded> = CodeMap {
    name: "PL",
    rows: &[
        row("1", coded("wa", "Ward"), "病棟"),
        row("2", coded("ro", "Room"), "病室"),
        row("3", coded("bd", "Bed"), "病床"),
    ],
    unknown: coded("area", "Area"),
};

// ---- Condition -----------------------------------------------------------------------------

/// `Condition.clinicalStatus` for an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// `clinicalStatus` when the disease has no end date.
    pub open: &'static str,
    /// `clinicalStatus` when it has an end date (con-4 demands a closed status then).
    pub ended: &'static str,
}

/// [`Outcome`] constructor.
const fn outcome(open: &'static str, ended: &'static str) -> Outcome {
    Outcome { open, ended }
}

/// PRB-14 under HL70241 → `Condition.clinicalStatus`. Mapping §4 (own).
pub static OUTCOME_0241: CodeMap<Outcome> = CodeMap {
    name: "PRB-14",
    rows: &[
        row("F", outcome("resolved", "resolved"), "完全に回復した"),
        row("R", outcome("resolved", "resolved"), "回復"),
        row("D", outcome("inactive", "inactive"), "死亡"),
        row("N", outcome("active", "resolved"), "回復せず／変わらない"),
        row("W", outcome("active", "resolved"), "悪化"),
        row("S", outcome("active", "resolved"), "後遺症"),
        row("U", outcome("active", "resolved"), "未知"),
    ],
    unknown: outcome("active", "resolved"),
};

/// PRB-14 under JHSD0006 → `Condition.clinicalStatus`. Mapping §4 (own).
pub static OUTCOME_JHSD0006: CodeMap<Outcome> = CodeMap {
    name: "PRB-14",
    rows: &[
        // treatment stopped: neither active nor known to be resolved
        row("I", outcome("inactive", "inactive"), "中止"),
        row("M", outcome("remission", "remission"), "寛解"),
        row("C", outcome("active", "resolved"), "継続"),
        row("O", outcome("active", "resolved"), "その他"),
    ],
    unknown: outcome("active", "resolved"),
};

/// PRB-13 → `Condition.verificationStatus`. JHSD0005; mapping §4 (own). JP-CLINS wants
/// `unconfirmed` for suspected diseases instead of `provisional`.
pub static CONDITION_VERIFICATION: CodeMap<&str> = CodeMap {
    name: "PRB-13",
    rows: &[row("1", "provisional", "疑いあり")],
    unknown: "confirmed",
};

/// PRB-10.4 → `Encounter.diagnosis.use` (FHIR diagnosis-role). JHSD0004; mapping §4 (own).
pub static DIAGNOSIS_ROLE: CodeMap<Option<Coded>> = CodeMap {
    name: "PRB-10.4",
    rows: &[
        row("H", Some(coded("AD", "Admission diagnosis")), "入院時"),
        row("L", Some(coded("DD", "Discharge diagnosis")), "退院時"),
        row("B", Some(coded("pre-op", "pre-op diagnosis")), "手術前"),
        row("A", Some(coded("post-op", "post-op diagnosis")), "手術後"),
        row("O", None, "外来時"),
        row("F", None, "最終"),
    ],
    unknown: None,
};

/// What PRB-1 asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemAction {
    /// The row is valid data.
    Active,
    /// The row withdraws the disease: `verificationStatus` entered-in-error.
    EnteredInError,
    /// The row changes nothing by itself.
    NoChange,
}

/// PRB-1 → what to do. HL7 表 0287; mapping §4.
pub static PROBLEM_ACTION: CodeMap<ProblemAction> = CodeMap {
    name: "PRB-1",
    rows: &[
        row("AD", ProblemAction::Active, "追加"),
        row("UP", ProblemAction::Active, "更新"),
        row("CO", ProblemAction::Active, "修正"),
        row("DE", ProblemAction::EnteredInError, "削除"),
        row("UC", ProblemAction::NoChange, "修正無し"),
        row("LI", ProblemAction::NoChange, "リンク"),
        row("UN", ProblemAction::NoChange, "リンク無し"),
    ],
    unknown: ProblemAction::Active,
};

// ---- AllergyIntolerance --------------------------------------------------------------------

/// IAM-2 / AL1-2 → `AllergyIntolerance.category`. HL7 表 0127; mapping §5.
///
/// `MC` (contraindication) has a row without category: its text stays in `code` and is reported.
pub static ALLERGY_CATEGORY: CodeMap<Option<&str>> = CodeMap {
    name: "IAM-2",
    rows: &[
        row("DA", Some("medication"), "薬物アレルギー"),
        row("FA", Some("food"), "食物アレルギー"),
        row("EA", Some("environment"), "環境アレルギー"),
        row("PA", Some("environment"), "植物アレルギー"),
        row("LA", Some("environment"), "花粉アレルギー"),
        row("AA", Some("biologic"), "動物アレルギー"),
        row("MA", None, "種々のアレルギー"),
        row("MC", None, "種々の禁忌"),
    ],
    unknown: None,
};

/// IAM-4 / AL1-4 → `reaction.severity`. HL7 表 0128; mapping §5.
pub static ALLERGY_SEVERITY: CodeMap<Option<&str>> = CodeMap {
    name: "IAM-4",
    rows: &[
        row("MI", Some("mild"), "軽度"),
        row("MO", Some("moderate"), "中等度"),
        row("SV", Some("severe"), "重度"),
        row("U", None, "不明"),
    ],
    unknown: None,
};

/// IAM-9 → `AllergyIntolerance.type`. HL7 表 0436; mapping §5 (own).
pub static ALLERGY_TYPE: CodeMap<Option<&str>> = CodeMap {
    name: "IAM-9",
    rows: &[
        row("AD", Some("allergy"), "副作用（分類不能）"),
        row("AL", Some("allergy"), "アレルギー"),
        row("IN", Some("intolerance"), "不耐性"),
        row("PA", Some("intolerance"), "偽アレルギー"),
        row("CT", None, "禁忌"),
        row("SE", None, "副次的作用"),
    ],
    unknown: None,
};

/// The pair of status codes; `clinical` is absent when entered-in-error (ait-1, ait-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllergyStatus {
    /// `clinicalStatus`
    pub clinical: Option<&'static str>,
    /// `verificationStatus`; `None` leaves the element out.
    pub verification: Option<&'static str>,
}

/// [`AllergyStatus`] constructor.
const fn allergy(
    clinical: Option<&'static str>,
    verification: Option<&'static str>,
) -> AllergyStatus {
    AllergyStatus {
        clinical,
        verification,
    }
}

/// IAM-17 → status pair. HL7 表 0438; mapping §5.
pub static ALLERGY_STATUS: CodeMap<AllergyStatus> = CodeMap {
    name: "IAM-17",
    rows: &[
        row("C", allergy(Some("active"), Some("confirmed")), "確定"),
        row(
            "D",
            allergy(Some("active"), Some("unconfirmed")),
            "疑問あり",
        ),
        row("P", allergy(Some("active"), Some("unconfirmed")), "保留"),
        row("S", allergy(Some("active"), Some("unconfirmed")), "疑い"),
        row("U", allergy(Some("active"), Some("unconfirmed")), "未確認"),
        row("E", allergy(None, Some("entered-in-error")), "誤り"),
        row(
            "I",
            allergy(Some("inactive"), Some("confirmed")),
            "確定だが活動性なし",
        ), // (own)
    ],
    unknown: allergy(Some("active"), None),
};

/// IAM-6 → `clinicalStatus`. HL7 表 0323; mapping §5: a deletion makes the allergy inactive (own
/// default), everything else leaves it active.
pub static ALLERGY_ACTION: CodeMap<&str> = CodeMap {
    name: "IAM-6",
    rows: &[
        row("A", "active", "追加"),
        row("U", "active", "更新"),
        row("X", "active", "変更なし"),
        row("D", "inactive", "削除"),
    ],
    unknown: "active",
};

// ---- Observation, DiagnosticReport, ServiceRequest ------------------------------------------

/// OBX-8 → v3-ObservationInterpretation with its display. HL7 表 0078; mapping §7.
pub static INTERPRETATION: CodeMap<Option<Coded>> = CodeMap {
    name: "OBX-8",
    rows: &[
        row("H", Some(coded("H", "High")), "基準値上限以上"),
        row("L", Some(coded("L", "Low")), "基準値下限以下"),
        row("HH", Some(coded("HH", "Critical high")), "パニック上限以上"),
        row("LL", Some(coded("LL", "Critical low")), "パニック下限以下"),
        row("N", Some(coded("N", "Normal")), "正常"),
        row("A", Some(coded("A", "Abnormal")), "異常"),
        row("AA", Some(coded("AA", "Critical abnormal")), "非常に異常"),
        row("<", Some(coded("<", "Off scale low")), "測定下限以下"),
        row(">", Some(coded(">", "Off scale high")), "測定上限以上"),
        row("S", Some(coded("S", "Susceptible")), "感受性"),
        row("R", Some(coded("R", "Resistant")), "耐性"),
        row("I", Some(coded("I", "Intermediate")), "中間"),
        row("U", Some(coded("U", "Significant change up")), "有意に上昇"),
        row(
            "D",
            Some(coded("D", "Significant change down")),
            "有意に低下",
        ),
        row("B", Some(coded("B", "Better")), "改善"),
        row("W", Some(coded("W", "Worse")), "悪化"),
    ],
    unknown: None,
};

/// OBX-11 → `Observation.status`; `None` means that no Observation is made. HL7 表 0085; mapping §7.
pub static OBSERVATION_STATUS: CodeMap<Option<&str>> = CodeMap {
    name: "OBX-11",
    rows: &[
        row("F", Some("final"), "最終結果"),
        row("P", Some("preliminary"), "事前結果"),
        row("C", Some("corrected"), "最終結果の修正"),
        row("D", Some("entered-in-error"), "OBX レコードの削除"),
        row("X", Some("cancelled"), "結果は得られない"), // with dataAbsentReason
        row("I", Some("registered"), "検体受領、結果保留"),
        row("R", Some("preliminary"), "入力済み、未検証"),
        row("S", Some("preliminary"), "部分結果"),
        row("U", Some("final"), "最終へ変更、結果は再送しない"),
        row("W", Some("entered-in-error"), "元の結果は誤り"),
        row("O", None, "依頼詳細記述（結果なし）"), // (own)
        row("N", None, "質問なし"),                 // (own)
        row("A", Some("amended"), "患者属性による修正"), // v2.7, (own)
        row("B", Some("amended"), "追記あり"),      // v2.7, (own)
        row("V", Some("final"), "検証済み"),        // v2.7, (own)
    ],
    unknown: Some("unknown"),
};

/// OBR-25 → `DiagnosticReport.status`. HL7 表 0123; mapping §7 (own).
pub static REPORT_STATUS: CodeMap<&str> = CodeMap {
    name: "OBR-25",
    rows: &[
        row("F", "final", "最終結果"),
        row("P", "preliminary", "予備結果"),
        row("R", "preliminary", "結果保存、未検証"),
        row("S", "preliminary", "結果なし、検査予定"), // mapping §7 says so; 0085 `S` is "partial"
        row("C", "amended", "最終結果の修正"),
        row("X", "cancelled", "結果なし、オーダ取消"),
        row("I", "registered", "検体受付済み、検査未完了"),
        row("A", "partial", "一部の結果のみ報告可能"),
        row("M", "preliminary", "修正済み、未確定"),
        row("N", "registered", "検査完了、結果待ち"),
        row("O", "registered", "オーダ受付、検体未着"),
        row("Y", "unknown", "この検査のオーダなし"),
        row("Z", "unknown", "この患者の記録なし"),
    ],
    unknown: "unknown",
};

/// `DiagnosticReport.status` from the status of its results, when OBR-25 is empty: the one that is
/// furthest from final. The order is registered, preliminary, corrected (as amended), final;
/// cancelled and entered-in-error count only when nothing else is there. Mapping §7 (own).
pub fn worse_report_status(a: &'static str, b: &'static str) -> &'static str {
    fn rank(status: &str) -> u8 {
        match status {
            "registered" => 6,
            "preliminary" | "partial" => 5,
            "unknown" => 4,
            "corrected" | "amended" => 3,
            "final" => 2,
            "cancelled" => 1,
            _ => 0,
        }
    }
    let worse = if rank(b) > rank(a) { b } else { a };
    if worse == "corrected" {
        "amended"
    } else {
        worse
    }
}

/// Whether a file holds orders or results: decides the status of an order whose ORC-5 is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderFile {
    /// OML-01, OMG-01 …
    Order,
    /// OML-11, OMG-11 …
    Result,
}

/// ORC-5 → `ServiceRequest.status`. HL7 表 0038; mapping §7.
pub static ORDER_STATUS: CodeMap<&str> = CodeMap {
    name: "ORC-5",
    rows: &[
        row("A", "active", "部分的完了"),
        row("IP", "active", "進行中、不定"),
        row("SC", "active", "進行中、予定"),
        row("CM", "completed", "オーダが完了した"),
        row("CA", "revoked", "オーダが取り消された"),
        row("DC", "revoked", "オーダが中断した"),
        row("HD", "on-hold", "オーダが保留"),
        row("ER", "entered-in-error", "エラー、オーダが見つからない"),
        row("RP", "revoked", "オーダが取替えられた"), // (own)
    ],
    unknown: "unknown",
};

/// ORC-1 and ORC-5 → `ServiceRequest.status`. HL7 表 0119, 0038; mapping §7.
///
/// `CA`, `OC`, `DC` in ORC-1 revoke whatever ORC-5 says; otherwise ORC-5 decides, and an empty
/// ORC-5 means active in an order file and completed in a result file.
pub fn service_request_status(
    order_control: &str,
    order_status: &str,
    file: OrderFile,
) -> Translated<&'static str> {
    if withdrawal(order_control).is_some() {
        return Translated {
            to: "revoked",
            known: true,
        };
    }
    if order_status.trim().is_empty() {
        let to = match file {
            OrderFile::Order => "active",
            OrderFile::Result => "completed",
        };
        return Translated { to, known: true };
    }
    ORDER_STATUS.translate(order_status)
}

/// TQ1-9 → `ServiceRequest.priority`. HL7 表 0485; mapping §7 (own). What R4 has no code for has none: it is
/// kept as sent, since `routine` would say the opposite of much of it.
pub static PRIORITY: CodeMap<&str> = CodeMap {
    name: "TQ1-9",
    rows: &[
        row("S", "stat", "緊急"),
        row("A", "asap", "至急"),
        row("R", "routine", "ルーチン"),
        row("P", "", "術前"),
        row("C", "", "連絡後"),
        row("T", "", "時間指定"),
        row("PRN", "", "必要時"),
    ],
    unknown: "",
};

// ---- Medication ----------------------------------------------------------------------------

/// ORC-1 → `MedicationRequest.status`. HL7 表 0119; mapping §8.
pub static MEDICATION_REQUEST_STATUS: CodeMap<&str> = CodeMap {
    name: "ORC-1",
    rows: &[
        row("NW", "active", "新規オーダ"),
        row("XO", "active", "オーダ変更要求"),
        row("RP", "active", "オーダ修正要求"),
        row("CA", "cancelled", "オーダキャンセル要求"),
        row("OC", "cancelled", "オーダキャンセル完了"),
        row("DC", "stopped", "オーダ中断要求"),
        row("HD", "on-hold", "オーダ保留要求"), // (own)
        row("RE", "active", "検査付帯情報"),    // (own)
        row("SC", "active", "状態変更"),        // (own)
        row("OK", "active", "オーダ受付&OK"),   // (own)
    ],
    unknown: "unknown",
};

/// What ORC-1 makes of an order that it withdraws, and with it of what the message says was done or found:
/// `cancelled` or, of what had begun, `stopped`. HL7 表 0119; mapping §12.
pub fn withdrawal(order_control: &str) -> Option<&'static str> {
    let state = MEDICATION_REQUEST_STATUS.find(order_control);
    state.filter(|s| matches!(*s, "cancelled" | "stopped"))
}

/// What RXA-20 says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completion {
    /// `MedicationAdministration.status`
    pub status: &'static str,
    /// Part of the amount was given: to be noted.
    pub partial: bool,
}

/// [`Completion`] constructor.
const fn completion(status: &'static str, partial: bool) -> Completion {
    Completion { status, partial }
}

/// RXA-20 → `MedicationAdministration.status`. HL7 表 0322; mapping §9 (own). Empty is completed.
pub static COMPLETION: CodeMap<Completion> = CodeMap {
    name: "RXA-20",
    rows: &[
        row("CP", completion("completed", false), "完了"),
        row("PA", completion("completed", true), "一部投与"),
        row("RE", completion("not-done", false), "拒否"),
        row("NA", completion("not-done", false), "未投与"),
        row("", completion("completed", false), "（空）"),
    ],
    unknown: completion("unknown", false),
};

/// RXA-21: a deletion makes the administration entered-in-error. HL7 表 0323; mapping §9 (own).
pub static ADMINISTRATION_ACTION: CodeMap<Option<&str>> = CodeMap {
    name: "RXA-21",
    rows: &[
        row("D", Some("entered-in-error"), "削除"),
        row("A", None, "追加"),
        row("U", None, "更新"),
        row("X", None, "変更なし"),
    ],
    unknown: None,
};

/// Character 1 of a JAMI usage code → 基本用法区分 (`MedicationMethodBasicUsage`, 1 digit).
///
/// `None` when the code is not a JAMI usage code.
pub fn basic_method(usage: &str) -> Option<&'static crate::tables::Entry> {
    let usage = usage.trim();
    if !crate::jlac::is_jami_usage(usage) {
        return None;
    }
    crate::tables::T_JAMI_1.entry(usage.get(..1)?)
}

/// Characters 1–2 of a JAMI usage code → 用法詳細区分 (`MedicationMethodDetailUsage`, 2 characters).
pub fn detail_method(usage: &str) -> Option<&'static crate::tables::Entry> {
    let usage = usage.trim();
    if !crate::jlac::is_jami_usage(usage) {
        return None;
    }
    crate::tables::T_JAMI_2.entry(usage.get(..2)?)
}

// ---- Coverage ------------------------------------------------------------------------------

/// IN1-17 → `Coverage.relationship` (FHIR subscriber-relationship). HL7 表 0063; mapping §6.
pub static SUBSCRIBER_RELATIONSHIP: CodeMap<Coded> = CodeMap {
    name: "IN1-17",
    rows: &[
        row("SEL", coded("self", "Self"), "本人"),
        row("SPO", coded("spouse", "Spouse"), "配偶者"),
        row("CHD", coded("child", "Child"), "子供"),
        row("PAR", coded("parent", "Parent"), "親"),
        row("MTH", coded("parent", "Parent"), "母親"),
        row("FTH", coded("parent", "Parent"), "父親"),
    ],
    unknown: coded("other", "Other"),
};

/// The class of an insurance kind (保険種別).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InsuranceClass {
    /// MI 医療保険
    MedicalInsurance,
    /// PE 公費
    PublicExpense,
    /// PI 公害
    Pollution,
    /// LI 労災
    WorkAccident,
    /// TI 自賠
    CarLiability,
    /// PS 公務員災害
    CivilServantAccident,
    /// OE 自費
    SelfPay,
    /// OT その他
    Other,
}

/// IN1-2 → class. JHSD0001 (法別番号).
pub fn insurance_class(code: &str) -> Option<InsuranceClass> {
    Some(match code.trim() {
        "C0" | "67" | "01" | "02" | "03" | "04" | "06" | "07" | "39" | "31" | "32" | "33"
        | "34" | "63" | "72" | "73" | "74" | "75" => InsuranceClass::MedicalInsurance,
        "D0" | "10" | "11" | "12" | "13" | "14" | "15" | "16" | "17" | "18" | "19" | "20"
        | "21" | "22" | "23" | "24" | "25" | "28" | "29" | "30" | "51" | "52" | "53" | "66"
        | "79" => InsuranceClass::PublicExpense,
        "PI" => InsuranceClass::Pollution,
        "LI" => InsuranceClass::WorkAccident,
        "TI" => InsuranceClass::CarLiability,
        "PS" => InsuranceClass::CivilServantAccident,
        "OE" => InsuranceClass::SelfPay,
        "OT" => InsuranceClass::Other,
        _ => return None,
    })
}

/// IN1-2 → `InsuranceMajorCategory` (保険種別 1–8). Mapping §6 (own); 厚労省 電子処方箋 CDA 別表 11.
///
/// `None` where no category fits: 公務員災害, その他, unknown codes.
pub fn insurance_major_category(code: &str) -> Option<Coded> {
    let code = code.trim();
    Some(match insurance_class(code)? {
        InsuranceClass::MedicalInsurance => match code {
            "C0" | "67" => coded("2", "国保"),
            "39" => coded("7", "後期高齢者"),
            _ => coded("1", "医保"),
        },
        InsuranceClass::PublicExpense => coded("8", "公費"),
        InsuranceClass::Pollution => coded("5", "公害"),
        InsuranceClass::WorkAccident => coded("3", "労災"),
        InsuranceClass::CarLiability => coded("4", "自賠責"),
        InsuranceClass::SelfPay => coded("6", "自費"),
        InsuranceClass::CivilServantAccident | InsuranceClass::Other => return None,
    })
}

/// IN1-17 → `InsuredPersonCategory` (被保険者区分). Mapping §6 (own): the insured person is `SEL`,
/// every other relationship of table 0063 but none / unknown / other is a dependant.
pub fn insured_person_category(relationship: &str) -> Option<Coded> {
    match relationship.trim() {
        "SEL" => Some(coded("1", "被保険者")),
        "" | "NON" | "UNK" | "OTH" => None,
        code => crate::tables::T_0063
            .entry(code)
            .map(|_| coded("2", "被扶養者")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows_are_unique<T: Copy>(map: &CodeMap<T>) {
        for (at, row) in map.rows.iter().enumerate() {
            let first = map.rows.iter().position(|other| other.from == row.from);
            assert_eq!(first, Some(at), "{} {}", map.name, row.from);
            assert!(!row.ja.is_empty());
        }
    }

    /// Every code of an SS-MIX2 table must have a row, so that silence is impossible.
    fn covers<T: Copy>(map: &CodeMap<T>, table: &str) {
        for entry in crate::tables::find(table).unwrap().entries {
            assert!(
                map.find(entry.code).is_some(),
                "{} {}",
                map.name,
                entry.code
            );
        }
    }

    #[test]
    fn what_withdraws_an_order_does_so_for_every_kind() {
        for (control, state) in [
            ("CA", Some("cancelled")),
            ("OC", Some("cancelled")),
            (" DC ", Some("stopped")),
            ("NW", None),
            ("SC", None),
            ("HD", None),
            ("", None),
            ("QQ", None),
        ] {
            assert_eq!(withdrawal(control), state, "{control}");
        }
    }

    #[test]
    fn countries_have_two_letters() {
        assert_eq!(country("JPN"), Some("JP"));
        assert_eq!(country("USA"), Some("US"));
        assert_eq!(country("ABW"), Some("AW"));
        assert_eq!(country("ZWE"), Some("ZW"));
        // Not across the boundary of two rows, and no other length.
        for other in ["", "JP", "NJP", "JPNJP", "XXX"] {
            assert_eq!(country(other), None, "{other}");
        }
        assert_eq!(COUNTRIES.len() % 5, 0);
    }

    #[test]
    fn no_code_has_two_rows() {
        rows_are_unique(&GENDER);
        rows_are_unique(&NAME_REPRESENTATION);
        rows_are_unique(&ADDRESS_USE);
        rows_are_unique(&TELECOM_USE);
        rows_are_unique(&TELECOM_SYSTEM);
        rows_are_unique(&ENCOUNTER_STATUS);
        rows_are_unique(&LOCATION_STATUS);
        rows_are_unique(&ENCOUNTER_CLASS);
        rows_are_unique(&OUTCOME_0241);
        rows_are_unique(&OUTCOME_JHSD0006);
        rows_are_unique(&DIAGNOSIS_ROLE);
        rows_are_unique(&PROBLEM_ACTION);
        rows_are_unique(&ALLERGY_CATEGORY);
        rows_are_unique(&ALLERGY_SEVERITY);
        rows_are_unique(&ALLERGY_TYPE);
        rows_are_unique(&ALLERGY_STATUS);
        rows_are_unique(&ALLERGY_ACTION);
        rows_are_unique(&INTERPRETATION);
        rows_are_unique(&OBSERVATION_STATUS);
        rows_are_unique(&REPORT_STATUS);
        rows_are_unique(&ORDER_STATUS);
        rows_are_unique(&PRIORITY);
        rows_are_unique(&MEDICATION_REQUEST_STATUS);
        rows_are_unique(&COMPLETION);
        rows_are_unique(&ADMINISTRATION_ACTION);
        rows_are_unique(&SUBSCRIBER_RELATIONSHIP);
    }

    #[test]
    fn every_code_of_the_source_table_has_a_row() {
        covers(&GENDER, "0001");
        covers(&NAME_REPRESENTATION, "0465");
        covers(&TELECOM_USE, "0201");
        covers(&TELECOM_SYSTEM, "0202");
        covers(&ENCOUNTER_CLASS, "0004");
        covers(&OUTCOME_0241, "0241");
        covers(&OUTCOME_JHSD0006, "JHSD0006");
        covers(&CONDITION_VERIFICATION, "JHSD0005");
        covers(&DIAGNOSIS_ROLE, "JHSD0004");
        covers(&PROBLEM_ACTION, "0287");
        covers(&ALLERGY_CATEGORY, "0127");
        covers(&ALLERGY_SEVERITY, "0128");
        covers(&ALLERGY_TYPE, "0436");
        covers(&ALLERGY_STATUS, "0438");
        covers(&ALLERGY_ACTION, "0323");
        covers(&INTERPRETATION, "0078");
        covers(&OBSERVATION_STATUS, "0085");
        covers(&REPORT_STATUS, "0123");
        covers(&ORDER_STATUS, "0038");
        covers(&PRIORITY, "0485");
        covers(&COMPLETION, "0322");
        covers(&ADMINISTRATION_ACTION, "0323");
    }

    #[test]
    fn every_insurance_kind_has_a_class() {
        for entry in crate::tables::find("JHSD0001").unwrap().entries {
            assert!(insurance_class(entry.code).is_some(), "{}", entry.code);
        }
    }

    #[test]
    fn ambiguous_sex_becomes_other_and_local_code_unknown() {
        assert_eq!(GENDER.translate("A").to, "other");
        assert_eq!(
            GENDER.translate("1"),
            Translated {
                to: "unknown",
                known: false
            }
        );
    }

    #[test]
    fn past_admission_is_in_progress_and_past_visit_is_finished() {
        assert_eq!(ENCOUNTER_STATUS.translate("A01").to, "arrived");
        assert_eq!(encounter_status_past("A01").to, "in-progress");
        assert_eq!(encounter_status_past("A04").to, "finished");
        assert_eq!(encounter_status_past("A03").to, "finished");
    }

    #[test]
    fn death_by_any_code_is_expired() {
        for code in ["20", "25", "29", "40", "41", "42"] {
            assert_eq!(discharge_disposition(code).to.code, "exp");
        }
        assert_eq!(discharge_disposition("01").to.code, "home");
        assert!(!discharge_disposition("15").known);
    }

    #[test]
    fn cancelled_order_is_revoked_even_when_orc_5_says_completed() {
        let status = |a, b, f| service_request_status(a, b, f).to;
        assert_eq!(status("CA", "CM", OrderFile::Order), "revoked");
        assert_eq!(status("NW", "", OrderFile::Order), "active");
        assert_eq!(status("NW", "", OrderFile::Result), "completed");
        assert_eq!(status("SC", "HD", OrderFile::Order), "on-hold");
    }

    #[test]
    fn report_is_as_unfinished_as_its_least_finished_result() {
        assert_eq!(worse_report_status("final", "preliminary"), "preliminary");
        assert_eq!(worse_report_status("final", "corrected"), "amended");
        assert_eq!(worse_report_status("final", "cancelled"), "final");
    }

    #[test]
    fn order_detail_makes_no_observation() {
        assert_eq!(
            OBSERVATION_STATUS.translate("O"),
            Translated {
                to: None,
                known: true
            }
        );
    }

    #[test]
    fn usage_code_gives_both_method_codings() {
        assert_eq!(basic_method("1013044400000000").unwrap().ja, "内服");
        assert_eq!(detail_method("1013044400000000").unwrap().ja, "経口");
        assert_eq!(detail_method("2H73000000000000").unwrap().ja, "点眼");
        assert_eq!(basic_method("9999999999999999"), None);
        assert_eq!(basic_method("V14NNNNN"), None);
    }

    #[test]
    fn insurance_category_follows_the_legal_number() {
        let category = |code| insurance_major_category(code).map(|c| c.code);
        assert_eq!(category("C0"), Some("2"));
        assert_eq!(category("06"), Some("1"));
        assert_eq!(category("39"), Some("7"));
        assert_eq!(category("51"), Some("8"));
        assert_eq!(category("OE"), Some("6"));
        assert_eq!(category("PS"), None);
        assert_eq!(insured_person_category("SPO").unwrap().code, "2");
        assert_eq!(insured_person_category("UNK"), None);
    }
}
