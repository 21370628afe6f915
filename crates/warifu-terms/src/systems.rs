//! Code systems and identifier systems: names met in SS-MIX2 → FHIR `system` URIs, OIDs ↔ URLs.
//!
//! Sources: JP Core 1.2.0 and JP-CLINS 1.5.3 `NamingSystem` resources; HL7 v2.5 table 0396;
//! SS-MIX2 標準化ストレージ仕様書 (coding-system names).

/// SS-MIX2 診療科コード
pub const CLINICAL_DEPARTMENT: &str = "http://jami.jp/SS-MIX2/CodeSystem/ClinicalDepartment";
/// JAMI 標準用法コード (16 桁)
pub const JAMI_USAGE: &str = "http://jami.jp/CodeSystem/MedicationUsage";
/// JAMI 補足用法コード (8 桁)
pub const JAMI_USAGE_ADDITIONAL: &str = "http://jami.jp/CodeSystem/MedicationUsageAdditional";
/// JAMI 基本用法区分 (1 桁)
pub const JAMI_METHOD_BASIC: &str = "http://jami.jp/CodeSystem/MedicationMethodBasicUsage";
/// JAMI 用法詳細区分 (2 桁)
pub const JAMI_METHOD_DETAIL: &str = "http://jami.jp/CodeSystem/MedicationMethodDetailUsage";
/// JAMI 外用部位コード (3 桁)
pub const JAMI_BODY_SITE_EXTERNAL: &str = "http://jami.jp/CodeSystem/MedicationBodySiteExternal";
/// JAMI イベント区分 (3 桁)
pub const JAMI_EVENT_TRIGGERED: &str = "http://jami.jp/CodeSystem/MedicationEventTriggered";
/// 調剤指示 (JAMI)
pub const DISPENSE_PREPARATION: &str = "http://jami.jp/CodeSystem/DrugDispensePreparationMethod";
/// 投与経路 (HL7 使用者定義表 0162 の日本版)
pub const ROUTE: &str = "http://jpfhir.jp/fhir/core/CodeSystem/route-codes";
/// MEDIS 病名管理番号 (8 桁)
pub const DISEASE_KEY_NUMBER: &str = "http://medis.or.jp/CodeSystem/master-disease-keyNumber";
/// MEDIS 病名交換用コード (4 桁)
pub const DISEASE_EXCHANGE: &str = "http://medis.or.jp/CodeSystem/master-disease-exCode";
/// MEDIS 修飾語管理番号 (8 桁)
pub const MODIFIER_KEY_NUMBER: &str = "http://medis.or.jp/CodeSystem/master-disease-modKeyNumber";
/// MEDIS 修飾語交換用コード (4 桁)
pub const MODIFIER_EXCHANGE: &str = "http://medis.or.jp/CodeSystem/master-disease-modExCode";
/// 傷病名マスター (レセプト電算処理, 7 桁)
pub const RECEIPT_DISEASE: &str = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/masterB-disease";
/// 修飾語マスター (レセプト電算処理, 4 桁)
pub const RECEIPT_MODIFIER: &str =
    "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/masterZ-disease-modifier";
/// ICD-10 2013 年版準拠 (全桁)
pub const ICD10_2013_FULL: &str = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full";
/// ICD-10 2013 年版準拠 (3 桁分類)
pub const ICD10_2013_3DIGITS: &str =
    "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-3digits";
/// ICD-10, edition not said
pub const ICD10: &str = "http://hl7.org/fhir/sid/icd-10";
/// HOT13 (医薬品HOTコード 13 桁)
pub const HOT13: &str = "http://medis.or.jp/CodeSystem/master-HOT13";
/// HOT9 (医薬品HOTコード 9 桁)
pub const HOT9: &str = "http://medis.or.jp/CodeSystem/master-HOT9";
/// HOT7 (医薬品HOTコード 7 桁)
pub const HOT7: &str = "http://medis.or.jp/CodeSystem/master-HOT7";
/// YJ コード (個別医薬品コード, 12 桁)
pub const YJ: &str = "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code";
/// 規格別薬剤成分 (YJ コードの末尾 3 桁が `ZZZ`)
pub const YJ_STRENGTH_INGREDIENT: &str =
    "http://capstandard.jp/CodeSystem/KikakubetsuYakuzaiSeibun";
/// 一般名処方マスタ
pub const GENERAL_NAME_DRUG: &str =
    "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationGeneralOrderCode";
/// 医薬品単位略号 (MERIT-9)
pub const MERIT9_UNIT: &str = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationUnitMERIT9Code";
/// 剤形略号 (MERIT-9)
pub const MERIT9_FORM: &str = "http://jpfhir.jp/fhir/core/CodeSystem/JP_MedicationFormMERIT9_CS";
/// 処方区分 (MERIT-9)
pub const MERIT9_CATEGORY: &str =
    "http://jpfhir.jp/fhir/core/CodeSystem/JP_MedicationCategoryMERIT9_CS";
/// 剤形区分
pub const MEDICATION_FORM: &str = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationForm";
/// 力価区分 (1 製剤量, 2 原薬量)
pub const STRENGTH_TYPE: &str =
    "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationIngredientStrengthStrengthType";
/// 変更不可区分 (the spelling is the published one)
pub const SUBSTITUTION_PROHIBITED: &str =
    "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationSubstitutionProhibittedCategory";
/// 電子処方箋用法マスタ
pub const USAGE_E_PRESCRIPTION: &str =
    "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationUsage_ePrescription";
/// JLAC10 臨床検査項目分類コード (17 桁)
pub const JLAC10: &str = "http://medis.or.jp/CodeSystem/master-JLAC10-17digits";
/// 看護行為マスター (16 桁)
pub const NURSING_ACTION: &str = "http://medis.or.jp/CodeSystem/master-nursingAction-16digits";
/// 看護観察マスター管理番号
pub const NURSING_OBSERVATION: &str =
    "http://medis.or.jp/CodeSystem/master-nursingObservationKeyCode";
/// 保険種別
pub const INSURANCE_MAJOR_CATEGORY: &str =
    "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/InsuranceMajorCategory";
/// 被保険者区分
pub const INSURED_PERSON_CATEGORY: &str =
    "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/InsuredPersonCategory";
/// 都道府県番号 (2 桁)
pub const PREFECTURE: &str = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/PrefectureNo-2digits";
/// 点数表番号
pub const FEE_SCORE_TYPE: &str =
    "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationFeeScoreType";
/// 転帰 (HL7 表 0241 の日本版)
pub const OUTCOME_HL70241: &str = "http://jpfhir.jp/fhir/core/CodeSystem/HL70241";
/// 転帰 (JHSD 表 0006)
pub const OUTCOME_JHSD0006: &str = "http://jpfhir.jp/fhir/core/CodeSystem/JHSD0006";
/// 処方区分 (JHSI 表 0001)
pub const JHSI0001: &str = "http://jpfhir.jp/fhir/core/CodeSystem/JHSI0001";
/// 点滴手技 (JHSI 表 0003)
pub const JHSI0003: &str = "http://jpfhir.jp/fhir/core/CodeSystem/JHSI0003";
/// 調剤指示 (JHSP 表 0002)
pub const JHSP0002: &str = "http://jpfhir.jp/fhir/core/CodeSystem/JHSP0002";
/// 持参薬処方 (JHSP 表 0007)
pub const JHSP0007: &str = "http://jpfhir.jp/fhir/core/CodeSystem/JHSP0007";
/// 感染症起因菌 (JANIS 菌名コード)
pub const JANIS_ORGANISM: &str = "urn:oid:1.2.392.100495.10.3.100.5.27.6.1";
/// 抗菌薬 (JANIS 抗菌薬コード)
pub const JANIS_ANTIMICROBIAL: &str = "urn:oid:1.2.392.100495.10.3.100.5.11.5.2";
/// J-FAGY 食品アレルゲン (`J9F` + 9 桁)
pub const JFAGY_FOOD: &str = "http://jpfhir.jp/fhir/core/CodeSystem/JP_JfagyFoodAllergen_CS";
/// J-FAGY 非食品・非医薬品アレルゲン (`J9N` + 9 桁)
pub const JFAGY_OTHER: &str =
    "http://jpfhir.jp/fhir/core/CodeSystem/JP_JfagyNonFoodNonMedicationAllergen_CS";
/// J-FAGY 医薬品アレルゲン (`YCM` + YJ 12 桁)
pub const JFAGY_DRUG_YJ: &str =
    "http://jpfhir.jp/fhir/core/CodeSystem/YCM/JP_JfagyMedicationAllergen_CS";
/// J-FAGY 医薬品アレルゲン (`GCM` + 末尾 `ZZZ` の YJ)
pub const JFAGY_DRUG_GENERAL: &str =
    "http://jpfhir.jp/fhir/core/CodeSystem/GCM/JP_JfagyMedicationAllergen_CS";
/// 検査カテゴリー (JP Core)
pub const OBSERVATION_CATEGORY: &str =
    "http://jpfhir.jp/fhir/core/CodeSystem/JP_SimpleObservationCategory_CS";
/// 文書コード (JP Core)
pub const DOCUMENT_CODES: &str = "http://jpfhir.jp/fhir/core/CodeSystem/JP_DocumentCodes_CS";
/// 微生物検査カテゴリー (JP Core)
pub const MICROBIOLOGY_CATEGORY: &str =
    "http://jpfhir.jp/fhir/core/CodeSystem/JP_MicrobiologyCategory_CS";
/// 資格証明区分 (JP Core)
pub const MEDICAL_LICENSE: &str =
    "http://jpfhir.jp/fhir/core/CodeSystem/JP_MedicalLicenseCertificate_CS";

/// LOINC
pub const LOINC: &str = "http://loinc.org";
/// SNOMED CT
pub const SNOMED: &str = "http://snomed.info/sct";
/// UCUM 単位
pub const UCUM: &str = "http://unitsofmeasure.org";
/// DICOM 制御用語
pub const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
/// HL7 v3 `ActCode`
pub const V3_ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
/// HL7 v3 `ParticipationType`
pub const V3_PARTICIPATION_TYPE: &str =
    "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
/// HL7 v3 `DataOperation`
pub const V3_DATA_OPERATION: &str = "http://terminology.hl7.org/CodeSystem/v3-DataOperation";
/// HL7 v3 `ObservationInterpretation`
pub const V3_OBSERVATION_INTERPRETATION: &str =
    "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";
/// v3 婚姻状況
pub const V3_MARITAL_STATUS: &str = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus";
/// 言語 (BCP 47)
pub const BCP_47: &str = "urn:ietf:bcp:47";
/// HL7 v2 表 0203 (識別子の種別)
pub const V2_0203: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";
/// HL7 v2 表 0063 (続柄)
pub const V2_0063: &str = "http://terminology.hl7.org/CodeSystem/v2-0063";
/// HL7 v2 表 0112 (退院時転帰・退院先)
pub const V2_0112: &str = "http://terminology.hl7.org/CodeSystem/v2-0112";
/// FHIR discharge-disposition
pub const DISCHARGE_DISPOSITION: &str =
    "http://terminology.hl7.org/CodeSystem/discharge-disposition";
/// FHIR subscriber-relationship
pub const SUBSCRIBER_RELATIONSHIP: &str =
    "http://terminology.hl7.org/CodeSystem/subscriber-relationship";
/// FHIR observation-category
pub const FHIR_OBSERVATION_CATEGORY: &str =
    "http://terminology.hl7.org/CodeSystem/observation-category";
/// FHIR condition-category
pub const CONDITION_CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/condition-category";
/// FHIR condition-clinical
pub const CONDITION_CLINICAL: &str = "http://terminology.hl7.org/CodeSystem/condition-clinical";
/// FHIR condition-ver-status
pub const CONDITION_VERIFICATION: &str =
    "http://terminology.hl7.org/CodeSystem/condition-ver-status";
/// FHIR allergyintolerance-clinical
pub const ALLERGY_CLINICAL: &str =
    "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical";
/// FHIR allergyintolerance-verification
pub const ALLERGY_VERIFICATION: &str =
    "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification";
/// FHIR location-physical-type
pub const LOCATION_PHYSICAL_TYPE: &str =
    "http://terminology.hl7.org/CodeSystem/location-physical-type";
/// FHIR data-absent-reason
pub const DATA_ABSENT_REASON: &str = "http://terminology.hl7.org/CodeSystem/data-absent-reason";
/// FHIR coverage-class
pub const COVERAGE_CLASS: &str = "http://terminology.hl7.org/CodeSystem/coverage-class";
/// FHIR diagnosis-role
pub const DIAGNOSIS_ROLE: &str = "http://terminology.hl7.org/CodeSystem/diagnosis-role";

/// CLINS: 5 情報リソースの種類
pub const CLINS_BUNDLE_RESOURCE_TYPE: &str =
    "http://jpfhir.jp/fhir/clins/CodeSystem/BundleResourceType_CS";
/// CLINS: 検体検査項目セット (JLAC10)
pub const CLINS_CORE_LABO_JLAC10: &str =
    "http://jpfhir.jp/fhir/clins/CodeSystem/JLAC10/JP_CLINS_ObsLabResult_CoreLabo_CS";
/// CLINS: 検体検査項目セット (JLAC11)
pub const CLINS_CORE_LABO_JLAC11: &str =
    "http://jpfhir.jp/fhir/clins/CodeSystem/JLAC11/JP_CLINS_ObsLabResult_CoreLabo_CS";
/// CLINS: 感染症検査項目セット (JLAC10)
pub const CLINS_INFECTION_LABO_JLAC10: &str =
    "http://jpfhir.jp/fhir/clins/CodeSystem/JLAC10/JP_CLINS_ObsLabResult_InfectionLabo_CS";
/// CLINS: 感染症検査項目セット (JLAC11)
pub const CLINS_INFECTION_LABO_JLAC11: &str =
    "http://jpfhir.jp/fhir/clins/CodeSystem/JLAC11/JP_CLINS_ObsLabResult_InfectionLabo_CS";
/// CLINS: 検査項目のローカルコード
pub const CLINS_LABO_LOCAL: &str =
    "http://jpfhir.jp/fhir/clins/CodeSystem/JP_CLINS_ObsLabResult_LocalCode_CS";
/// CLINS: 未標準化コード項目 (検査)
pub const CLINS_LABO_UNCODED: &str =
    "http://jpfhir.jp/fhir/clins/CodeSystem/JP_CLINS_ObsLabResult_Uncoded_CS";
/// CLINS: ダミー用法コード
pub const CLINS_USAGE_UNCODED: &str =
    "http://jpfhir.jp/fhir/clins/CodeSystem/JP_CLINS_MedicationUsage_Uncoded_CS";
/// CLINS: 長期保存・未告知・未提供フラグ
pub const CLINS_INDICATION: &str = "http://jpfhir.jp/fhir/clins/CodeSystem/JP_ehrshrs_indication";
/// CLINS: 文書セクション
pub const CLINS_DOCUMENT_SECTION: &str = "http://jpfhir.jp/fhir/clins/CodeSystem/document-section";
/// eCS: 医薬品未標準化コード
pub const ECS_DRUG_NOCODED: &str = "http://jpfhir.jp/fhir/eCS/CodeSystem/MedicationCodeNocoded_CS";

/// 患者番号 (医療機関内): followed by the 10-digit institution number, without a dot
pub const ID_PATIENT_PREFIX: &str = "urn:oid:1.2.392.100495.20.3.51.1";
/// 医師番号 (医療機関内): followed by the 10-digit institution number
pub const ID_DOCTOR_PREFIX: &str = "urn:oid:1.2.392.100495.20.3.41.1";
/// 歯科医師番号 (医療機関内): followed by the 10-digit institution number
pub const ID_DENTIST_PREFIX: &str = "urn:oid:1.2.392.100495.20.3.42.1";
/// 薬剤師番号 (医療機関内): followed by the 10-digit institution number
pub const ID_PHARMACIST_PREFIX: &str = "urn:oid:1.2.392.100495.20.3.43.1";
/// 麻薬施用者番号: followed by the 2-digit prefecture number
pub const ID_NARCOTICS_PREFIX: &str = "urn:oid:1.2.392.100495.20.3.32.1";
/// 処方箋番号 (医療機関内): followed by the 10-digit institution number
pub const ID_PRESCRIPTION_PREFIX: &str = "urn:oid:1.2.392.100495.20.3.11.1";
/// 処方箋番号
pub const ID_PRESCRIPTION: &str = "urn:oid:1.2.392.100495.20.3.11";
/// 保険医療機関番号 (10 桁)
pub const ID_INSTITUTION: &str =
    "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no";
/// 医療機関コード (7 桁)
pub const ID_ORGANIZATION_7: &str =
    "http://jpfhir.jp/fhir/core/mhlw/IdSystem/MedicalOrganizationID";
/// 医籍登録番号
pub const ID_PHYSICIAN_REGISTRATION: &str =
    "http://jpfhir.jp/fhir/core/mhlw/IdSystem/medicalRegistrationNumber";
/// 保険者番号 (8 桁)
pub const ID_INSURER: &str = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/InsurerNumber";
/// 被保険者記号
pub const ID_INSURED_SYMBOL: &str = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/InsuredPersonSymbol";
/// 被保険者番号
pub const ID_INSURED_NUMBER: &str = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/InsuredPersonNumber";
/// 被保険者枝番
pub const ID_INSURED_BRANCH: &str =
    "http://jpfhir.jp/fhir/core/mhlw/IdSystem/InsuredPersonSubnumber";
/// 公費負担者番号
pub const ID_PUBLIC_PAYER: &str = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/PublicPayerNumber";
/// 公費受給者番号
pub const ID_PUBLIC_INSURED: &str =
    "http://jpfhir.jp/fhir/core/mhlw/IdSystem/PublicInsuredPersonNumber";
/// 被保険者個人識別子 (CLINS; the small `s` of `Idsystem` is the published spelling)
pub const ID_INSURANCE_MEMBER: &str = "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID";
/// 公費受給者識別子 (CLINS)
pub const ID_PUBLIC_MEMBER: &str = "http://jpfhir.jp/fhir/clins/Idsystem/JP_PublicPayer_memberID";
/// 被保険者証識別子 (CSV form)
pub const ID_COVERAGE_CSV: &str = "http://jpfhir.jp/fhir/core/IdSystem/JP_Coverage_id";
/// 剤グループ番号 (RP 番号)
pub const ID_RP_NUMBER: &str = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/Medication-RPGroupNumber";
/// 剤グループ内順序
pub const ID_ORDER_IN_RP: &str =
    "http://jpfhir.jp/fhir/core/mhlw/IdSystem/MedicationAdministrationIndex";
/// リソース一意識別子
pub const ID_RESOURCE_INSTANCE: &str =
    "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier";
/// 5 情報 Bundle の識別子 (CLINS)
pub const ID_CLINS_BUNDLE: &str = "http://jpfhir.jp/fhir/clins/bundle-identifier";
/// DICOM UID
pub const ID_DICOM_UID: &str = "urn:dicom:uid";

/// What to emit as `system` for a coded value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemUri {
    /// A published URI.
    Known(&'static str),
    /// No published URI: the caller builds `urn:x-ssmix2:<institution>:<system>` with the name as
    /// it stands in the data (trimmed), or `L` when the name is empty.
    Local,
    /// No published URI fits this code although the name is known: as [`SystemUri::Local`], with
    /// this label instead of the name, for example `JC10-raw` for a JLAC10 code that has not 17
    /// characters.
    LocalAs(&'static str),
}

/// The OID (without `urn:oid:`) and the URL of each code system and identifier system.
///
/// Sorted by OID. Several OIDs may lead to one URL; [`oid_of_url`] answers the first row in this
/// order that is not marked as an alias.
///
/// Source: `NamingSystem` resources of JP Core 1.2.0 (`uniqueId`), JP Core 1.1.2 OID form.
static OIDS: &[(&str, &str, bool)] = &[
    // (OID, URL, alias)
    (
        "1.2.392.100495.10.3.100.5.11.5.2",
        JANIS_ANTIMICROBIAL,
        false,
    ),
    ("1.2.392.100495.10.3.100.5.27.6.1", JANIS_ORGANISM, false),
    // NamingSystem JP_MedicationCodeCommon says …20.1.81, older texts …20.2.81
    ("1.2.392.100495.20.1.81", GENERAL_NAME_DRUG, false),
    ("1.2.392.100495.20.2.101", MERIT9_UNIT, false),
    ("1.2.392.100495.20.2.21", MEDICATION_FORM, false),
    ("1.2.392.100495.20.2.22", STRENGTH_TYPE, false),
    ("1.2.392.100495.20.2.34", ROUTE, false),
    ("1.2.392.100495.20.2.41", SUBSTITUTION_PROHIBITED, false),
    ("1.2.392.100495.20.2.61", INSURANCE_MAJOR_CATEGORY, false),
    ("1.2.392.100495.20.2.62", INSURED_PERSON_CATEGORY, false),
    ("1.2.392.100495.20.2.73", YJ, false),
    ("1.2.392.100495.20.2.74", HOT9, true),
    ("1.2.392.100495.20.2.81", GENERAL_NAME_DRUG, true),
    ("1.2.392.100495.20.3.21", PREFECTURE, false),
    ("1.2.392.100495.20.3.22", FEE_SCORE_TYPE, false),
    ("1.2.392.100495.20.3.23", ID_ORGANIZATION_7, false),
    ("1.2.392.100495.20.3.31", ID_PHYSICIAN_REGISTRATION, false),
    ("1.2.392.100495.20.3.61", ID_INSURER, false),
    ("1.2.392.100495.20.3.62", ID_INSURED_SYMBOL, false),
    ("1.2.392.100495.20.3.63", ID_INSURED_NUMBER, false),
    ("1.2.392.100495.20.3.71", ID_PUBLIC_PAYER, false),
    ("1.2.392.100495.20.3.72", ID_PUBLIC_INSURED, false),
    ("1.2.392.100495.20.3.81", ID_RP_NUMBER, false),
    ("1.2.392.100495.20.3.82", ID_ORDER_IN_RP, false),
    ("1.2.392.200119.4.101.2", DISEASE_KEY_NUMBER, false),
    ("1.2.392.200119.4.101.6", DISEASE_EXCHANGE, false),
    ("1.2.392.200119.4.201.2", MODIFIER_KEY_NUMBER, false),
    ("1.2.392.200119.4.201.5", MODIFIER_EXCHANGE, false),
    ("1.2.392.200119.4.402.1", HOT13, false),
    ("1.2.392.200119.4.403.1", HOT9, false),
    ("1.2.392.200119.4.403.2", HOT7, false),
    ("1.2.392.200119.4.504", JLAC10, false),
    ("1.2.392.200119.4.704", NURSING_ACTION, false),
    ("1.2.392.200119.4.804", NURSING_OBSERVATION, false),
    ("1.2.392.200250.2.2.2", CLINICAL_DEPARTMENT, false),
    // JP Core 1.1.2 names the whole usage master …20 where 1.2.0 says …20.20
    ("1.2.392.200250.2.2.20", JAMI_USAGE, true),
    ("1.2.392.200250.2.2.20.20", JAMI_USAGE, false),
    ("1.2.392.200250.2.2.20.22", JAMI_USAGE_ADDITIONAL, false),
    ("1.2.392.200250.2.2.20.30", JAMI_METHOD_BASIC, false),
    ("1.2.392.200250.2.2.20.31", JAMI_EVENT_TRIGGERED, false),
    ("1.2.392.200250.2.2.20.32", JAMI_BODY_SITE_EXTERNAL, false),
    ("1.2.392.200250.2.2.20.40", JAMI_METHOD_DETAIL, false),
    ("1.2.392.200250.2.2.30.10", DISPENSE_PREPARATION, false),
    ("1.2.840.10008.2.16.4", DICOM, false),
    ("2.16.840.1.113883.3.1937.777.10.5.162", ROUTE, true),
    ("2.16.840.1.113883.6.1", LOINC, false),
    ("2.16.840.1.113883.6.3", ICD10, false),
    ("2.16.840.1.113883.6.8", UCUM, false),
    ("2.16.840.1.113883.6.96", SNOMED, false),
];

/// The URL to emit for an OID, given as `1.2.392…` or `urn:oid:1.2.392…`.
pub fn url_of_oid(oid: &str) -> Option<&'static str> {
    let oid = oid.trim();
    let oid = oid.strip_prefix("urn:oid:").unwrap_or(oid);
    let at = OIDS.binary_search_by(|row| row.0.cmp(oid)).ok()?;
    OIDS.get(at).map(|row| row.1)
}

/// The OID (without `urn:oid:`) that stands for a URL, to compare with data of JP Core 1.1.2.
pub fn oid_of_url(url: &str) -> Option<&'static str> {
    OIDS.iter()
        .find(|row| row.1 == url && !row.2)
        .map(|row| row.0)
}

/// How the URI of a coding-system name is found.
#[derive(Clone, Copy)]
enum Rule {
    /// Always this URI.
    Uri(&'static str),
    /// JLAC10: 17 characters; 3 digits are a specimen (SPM-4); otherwise the raw label.
    Jlac10,
    /// A HOT code of this many digits, else the label of the name.
    Hot(usize, &'static str, &'static str),
    /// JANIS: 3 or 4 digits, of organisms or of drugs (the place tells); otherwise the label.
    Janis,
    /// YJ: 12 characters; `ZZZ` at the end means strength-level ingredient.
    Yj,
    /// MEDIS disease: 8 digits or 4 characters.
    Disease,
    /// ICD-10 by edition.
    Icd10,
    /// MERIT-9: prescription class, unit or form.
    Merit9,
    /// JAMI usage: 16 or 8 characters of the right pattern (`9999…` is local).
    Usage,
    /// J-FAGY: by prefix.
    Jfagy,
    /// A local name that hospitals give to this table: the URI counts only for codes of the table.
    Listed(&'static crate::tables::Table, &'static str),
    /// No URI published; several names share this label.
    Label(&'static str),
    /// Known by name, without a published URI.
    NoUri,
}

/// Coding-system names in capitals. Sorted by name.
///
/// Source: SS-MIX2 仕様書 (コード体系名称), HL7 v2.5 table 0396, JAHIS 処方・注射データ交換規約.
const NAMES: &[(&str, Rule)] = &[
    ("99I01", Rule::Listed(&crate::tables::T_JHSI0001, JHSI0001)),
    ("99I02", Rule::Label("JHSI0002")),
    ("99I03", Rule::Listed(&crate::tables::T_JHSI0003, JHSI0003)),
    ("DCM", Rule::Uri(DICOM)),
    ("HOT07", Rule::Hot(7, HOT7, "HOT7")),
    ("HOT09", Rule::Hot(9, HOT9, "HOT9")),
    ("HOT11", Rule::NoUri),
    ("HOT13", Rule::Hot(13, HOT13, "HOT13")),
    ("HOT7", Rule::Hot(7, HOT7, "HOT7")),
    ("HOT9", Rule::Hot(9, HOT9, "HOT9")),
    ("I10", Rule::Icd10),
    ("ISO+", Rule::NoUri),
    ("J-FAGY", Rule::Jfagy),
    ("JAMISDP01", Rule::Usage),
    ("JAN", Rule::NoUri),
    // organisms and antibiotics share the name; the caller knows which and takes the constant
    ("JANIS", Rule::Janis),
    ("JC10", Rule::Jlac10),
    ("JC11", Rule::NoUri),
    ("JHSD0006", Rule::Uri(OUTCOME_JHSD0006)),
    ("JHSI0001", Rule::Uri(JHSI0001)),
    ("JHSI0002", Rule::Label("JHSI0002")),
    ("JHSI0003", Rule::Uri(JHSI0003)),
    ("JHSP0002", Rule::Uri(JHSP0002)),
    ("JHSP0007", Rule::Uri(JHSP0007)),
    ("JJ1017", Rule::NoUri),
    ("LENDO", Rule::NoUri),
    ("LN", Rule::Uri(LOINC)),
    ("MDCDX2", Rule::Disease),
    ("MR9P", Rule::Merit9),
    // price-list code: for brands listed under one common name it differs from YJ, so no URI
    ("MYAK", Rule::NoUri),
    ("SCT", Rule::Uri(SNOMED)),
    ("UCUM", Rule::Uri(UCUM)),
    ("YJ", Rule::Yj),
];

/// The name of a coding system without surrounding blanks (`" ISO+"`, `"HL70482 "` are met).
pub fn trim_name(name: &str) -> &str {
    if has_graphic_ends(name) {
        return name;
    }
    name.trim_matches(|c: char| c.is_whitespace() || c == '\u{3000}')
}

/// Whether a text is empty or begins and ends with a graphic ASCII character: the usual case, in
/// which there is nothing to trim.
fn has_graphic_ends(text: &str) -> bool {
    match text.as_bytes() {
        [] => true,
        [one] => one.is_ascii_graphic(),
        [first, .., last] => first.is_ascii_graphic() && last.is_ascii_graphic(),
    }
}

/// The `system` for a code under a coding-system name as it stands in CWE.3 / CWE.6.
///
/// `version` is CWE.7 / CWE.8 and matters for `I10` only. Surrounding blanks and the case of the
/// name are ignored; the code is compared without surrounding blanks.
///
/// ```
/// use warifu_terms::systems::{self, SystemUri};
/// assert_eq!(systems::system_uri("JC10", "3A015000002329101", ""), SystemUri::Known(systems::JLAC10));
/// assert_eq!(systems::system_uri("JC10", "3A0150000023291", ""), SystemUri::LocalAs("JC10-raw"));
/// assert_eq!(systems::system_uri("99XYZ", "1", ""), SystemUri::Local);
/// ```
pub fn system_uri(name: &str, code: &str, version: &str) -> SystemUri {
    let (name, code) = (trim_name(name), trim_name(code));
    if let Some(number) = hl7_table_number(name) {
        return match number {
            69 => SystemUri::Known(CLINICAL_DEPARTMENT),
            162 => SystemUri::Known(ROUTE),
            241 => SystemUri::Known(OUTCOME_HL70241),
            _ => hl7_table_uri(number).map_or(SystemUri::Local, SystemUri::Known),
        };
    }
    let Some(rule) = rule_of(name) else {
        return SystemUri::Local;
    };
    match rule {
        Rule::Uri(uri) => SystemUri::Known(uri),
        Rule::Jlac10 => {
            if crate::jlac::is_jlac10(code) {
                SystemUri::Known(JLAC10)
            } else if code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit()) {
                SystemUri::LocalAs("JC10-specimen")
            } else {
                SystemUri::LocalAs("JC10-raw")
            }
        }
        Rule::Hot(digits, uri, label) => {
            if crate::jlac::is_hot(code, digits) {
                SystemUri::Known(uri)
            } else {
                SystemUri::LocalAs(label)
            }
        }
        Rule::Janis if is_janis(code) => SystemUri::Local,
        Rule::Janis => SystemUri::LocalAs("JANIS"),
        Rule::Yj => {
            if !crate::jlac::is_yj(code) {
                SystemUri::LocalAs("YJ")
            } else if code.ends_with("ZZZ") {
                SystemUri::Known(YJ_STRENGTH_INGREDIENT)
            } else {
                SystemUri::Known(YJ)
            }
        }
        Rule::Disease => disease_uri(code),
        Rule::Icd10 => match version.trim() {
            "2013" => SystemUri::Known(ICD10_2013_FULL),
            _ => SystemUri::Known(ICD10),
        },
        Rule::Merit9 => merit9_uri(code),
        Rule::Usage => {
            if crate::jlac::is_jami_usage(code) {
                SystemUri::Known(JAMI_USAGE)
            } else if crate::jlac::is_jami_usage_additional(code) {
                SystemUri::Known(JAMI_USAGE_ADDITIONAL)
            } else {
                SystemUri::Local
            }
        }
        Rule::Jfagy => jfagy_uri(code),
        Rule::Listed(table, uri) => match table.entry(code) {
            Some(_) => SystemUri::Known(uri),
            None => SystemUri::Local,
        },
        Rule::Label(label) => SystemUri::LocalAs(label),
        Rule::NoUri => SystemUri::Local,
    }
}

/// Whether a code has the form of JANIS: 3 or 4 digits.
pub fn is_janis(code: &str) -> bool {
    matches!(code.len(), 3 | 4) && code.bytes().all(|b| b.is_ascii_digit())
}

/// The `system` of a MEDIS disease **modifier** (ZPR-1, -3: management number; ZPR-4, -6: exchange
/// code): the name is `MDCDX2` as for diseases, the system is not.
pub fn modifier_uri(name: &str, code: &str) -> SystemUri {
    let code = code.trim();
    if !trim_name(name).eq_ignore_ascii_case("MDCDX2") {
        return system_uri(name, code, "");
    }
    match code.len() {
        8 if code.bytes().all(|b| b.is_ascii_digit()) => SystemUri::Known(MODIFIER_KEY_NUMBER),
        4 if code.bytes().all(|b| b.is_ascii_alphanumeric()) => SystemUri::Known(MODIFIER_EXCHANGE),
        _ => SystemUri::Local,
    }
}

/// The `system` of a MEDIS disease code: 8 digits 管理番号, 4 characters 交換用コード, 7 digits
/// レセプト電算コード.
fn disease_uri(code: &str) -> SystemUri {
    let digits = code.bytes().all(|b| b.is_ascii_digit());
    match code.len() {
        8 if digits => SystemUri::Known(DISEASE_KEY_NUMBER),
        7 if digits => SystemUri::Known(RECEIPT_DISEASE),
        4 if code.bytes().all(|b| b.is_ascii_alphanumeric()) => SystemUri::Known(DISEASE_EXCHANGE),
        _ => SystemUri::Local,
    }
}

/// `MR9P` names three lists. `TAB` and `CAP` are in two of them and count as units here; where the
/// field says dosage form (RXE-6, RXA-8) use [`MERIT9_FORM`] directly.
fn merit9_uri(code: &str) -> SystemUri {
    use crate::tables;
    if tables::table("MR9P-category", code).is_some() {
        SystemUri::Known(MERIT9_CATEGORY)
    } else if tables::table("MR9P", code).is_some() {
        SystemUri::Known(MERIT9_UNIT)
    } else if tables::table("MR9P-form", code).is_some() {
        SystemUri::Known(MERIT9_FORM)
    } else {
        SystemUri::Local
    }
}

/// J-FAGY codes carry their list in the first three characters.
fn jfagy_uri(code: &str) -> SystemUri {
    let alnum = code.bytes().all(|b| b.is_ascii_alphanumeric());
    match (code.get(..3), code.len()) {
        (Some("J9F"), 12) if alnum => SystemUri::Known(JFAGY_FOOD),
        (Some("J9N"), 12) if alnum => SystemUri::Known(JFAGY_OTHER),
        (Some("YCM"), 15) if alnum => SystemUri::Known(JFAGY_DRUG_YJ),
        (Some("GCM"), 15) if alnum => SystemUri::Known(JFAGY_DRUG_GENERAL),
        _ => SystemUri::Local,
    }
}

/// The rule of a name, ignoring case.
fn rule_of(name: &str) -> Option<Rule> {
    // No name in the table is longer.
    let mut upper = [0; 32];
    let upper = upper.get_mut(..name.len())?;
    upper.copy_from_slice(name.as_bytes());
    upper.make_ascii_uppercase();
    let at = HEADS.binary_search(&head(upper)).ok()?;
    let (known, rule) = NAMES.get(at)?;
    (known.as_bytes() == upper).then_some(*rule)
}

/// The first eight bytes of a name as a number that sorts alike; shorter names end with zeros.
const fn head(name: &[u8]) -> u64 {
    let (mut head, mut rest, mut places) = (0, name, 8);
    while places > 0 {
        head <<= 8;
        if let [first, after @ ..] = rest {
            head |= u64::from_be_bytes([0, 0, 0, 0, 0, 0, 0, *first]);
            rest = after;
        }
        places -= 1;
    }
    head
}

/// [`head`] of each row of [`NAMES`]: no two names share theirs.
static HEADS: [u64; NAMES.len()] = {
    let mut heads = [0; NAMES.len()];
    let (mut to, mut from): (&mut [u64], &[(&str, Rule)]) = (&mut heads, NAMES);
    while let ([place, places @ ..], [(name, _), rest @ ..]) = (to, from) {
        *place = head(name.as_bytes());
        (to, from) = (places, rest);
    }
    heads
};

/// The table number of `HL7nnnn` (any case), otherwise `None`.
fn hl7_table_number(name: &str) -> Option<u16> {
    let (head, digits) = name.split_at_checked(3)?;
    let four_digits = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit());
    if head.eq_ignore_ascii_case("HL7") && four_digits {
        digits.parse().ok()
    } else {
        None
    }
}

/// `http://terminology.hl7.org/CodeSystem/v2-nnnn` of an HL7 table that has such a code system.
///
/// Covers every table that a field of the SS-MIX2 segments may carry; another number answers
/// `None`, since a URL that HL7 never published must not be made up.
pub fn hl7_table_uri(number: u16) -> Option<&'static str> {
    let at = V2_TABLES.binary_search_by(|row| row.0.cmp(&number)).ok()?;
    V2_TABLES.get(at).map(|row| row.1)
}

/// HL7 v2 tables that have a code system in HL7 Terminology. Sorted by number.
///
/// Source: FHIR R4 4.0.1 `CodeSystem` v2-nnnn; 0112 from HL7 Terminology (user-defined table).
static V2_TABLES: &[(u16, &str)] = &[
    (1, "http://terminology.hl7.org/CodeSystem/v2-0001"),
    (2, "http://terminology.hl7.org/CodeSystem/v2-0002"),
    (3, "http://terminology.hl7.org/CodeSystem/v2-0003"),
    (4, "http://terminology.hl7.org/CodeSystem/v2-0004"),
    (7, "http://terminology.hl7.org/CodeSystem/v2-0007"),
    (9, "http://terminology.hl7.org/CodeSystem/v2-0009"),
    (23, "http://terminology.hl7.org/CodeSystem/v2-0023"),
    (38, "http://terminology.hl7.org/CodeSystem/v2-0038"),
    (43, "http://terminology.hl7.org/CodeSystem/v2-0043"),
    (48, "http://terminology.hl7.org/CodeSystem/v2-0048"),
    (52, "http://terminology.hl7.org/CodeSystem/v2-0052"),
    (61, "http://terminology.hl7.org/CodeSystem/v2-0061"),
    (62, "http://terminology.hl7.org/CodeSystem/v2-0062"),
    (63, "http://terminology.hl7.org/CodeSystem/v2-0063"),
    (65, "http://terminology.hl7.org/CodeSystem/v2-0065"),
    (66, "http://terminology.hl7.org/CodeSystem/v2-0066"),
    (69, "http://terminology.hl7.org/CodeSystem/v2-0069"),
    (70, "http://terminology.hl7.org/CodeSystem/v2-0070"),
    (74, "http://terminology.hl7.org/CodeSystem/v2-0074"),
    (76, "http://terminology.hl7.org/CodeSystem/v2-0076"),
    (78, "http://terminology.hl7.org/CodeSystem/v2-0078"),
    (80, "http://terminology.hl7.org/CodeSystem/v2-0080"),
    (85, "http://terminology.hl7.org/CodeSystem/v2-0085"),
    (92, "http://terminology.hl7.org/CodeSystem/v2-0092"),
    (98, "http://terminology.hl7.org/CodeSystem/v2-0098"),
    (100, "http://terminology.hl7.org/CodeSystem/v2-0100"),
    (103, "http://terminology.hl7.org/CodeSystem/v2-0103"),
    (104, "http://terminology.hl7.org/CodeSystem/v2-0104"),
    (112, "http://terminology.hl7.org/CodeSystem/v2-0112"),
    (116, "http://terminology.hl7.org/CodeSystem/v2-0116"),
    (119, "http://terminology.hl7.org/CodeSystem/v2-0119"),
    (121, "http://terminology.hl7.org/CodeSystem/v2-0121"),
    (122, "http://terminology.hl7.org/CodeSystem/v2-0122"),
    (123, "http://terminology.hl7.org/CodeSystem/v2-0123"),
    (124, "http://terminology.hl7.org/CodeSystem/v2-0124"),
    (126, "http://terminology.hl7.org/CodeSystem/v2-0126"),
    (127, "http://terminology.hl7.org/CodeSystem/v2-0127"),
    (128, "http://terminology.hl7.org/CodeSystem/v2-0128"),
    (130, "http://terminology.hl7.org/CodeSystem/v2-0130"),
    (131, "http://terminology.hl7.org/CodeSystem/v2-0131"),
    (136, "http://terminology.hl7.org/CodeSystem/v2-0136"),
    (144, "http://terminology.hl7.org/CodeSystem/v2-0144"),
    (145, "http://terminology.hl7.org/CodeSystem/v2-0145"),
    (149, "http://terminology.hl7.org/CodeSystem/v2-0149"),
    (150, "http://terminology.hl7.org/CodeSystem/v2-0150"),
    (155, "http://terminology.hl7.org/CodeSystem/v2-0155"),
    (158, "http://terminology.hl7.org/CodeSystem/v2-0158"),
    (159, "http://terminology.hl7.org/CodeSystem/v2-0159"),
    (161, "http://terminology.hl7.org/CodeSystem/v2-0161"),
    (163, "http://terminology.hl7.org/CodeSystem/v2-0163"),
    (164, "http://terminology.hl7.org/CodeSystem/v2-0164"),
    (165, "http://terminology.hl7.org/CodeSystem/v2-0165"),
    (166, "http://terminology.hl7.org/CodeSystem/v2-0166"),
    (167, "http://terminology.hl7.org/CodeSystem/v2-0167"),
    (168, "http://terminology.hl7.org/CodeSystem/v2-0168"),
    (173, "http://terminology.hl7.org/CodeSystem/v2-0173"),
    (174, "http://terminology.hl7.org/CodeSystem/v2-0174"),
    (177, "http://terminology.hl7.org/CodeSystem/v2-0177"),
    (189, "http://terminology.hl7.org/CodeSystem/v2-0189"),
    (190, "http://terminology.hl7.org/CodeSystem/v2-0190"),
    (191, "http://terminology.hl7.org/CodeSystem/v2-0191"),
    (193, "http://terminology.hl7.org/CodeSystem/v2-0193"),
    (200, "http://terminology.hl7.org/CodeSystem/v2-0200"),
    (201, "http://terminology.hl7.org/CodeSystem/v2-0201"),
    (202, "http://terminology.hl7.org/CodeSystem/v2-0202"),
    (203, "http://terminology.hl7.org/CodeSystem/v2-0203"),
    (204, "http://terminology.hl7.org/CodeSystem/v2-0204"),
    (206, "http://terminology.hl7.org/CodeSystem/v2-0206"),
    (207, "http://terminology.hl7.org/CodeSystem/v2-0207"),
    (208, "http://terminology.hl7.org/CodeSystem/v2-0208"),
    (211, "http://terminology.hl7.org/CodeSystem/v2-0211"),
    (213, "http://terminology.hl7.org/CodeSystem/v2-0213"),
    (215, "http://terminology.hl7.org/CodeSystem/v2-0215"),
    (216, "http://terminology.hl7.org/CodeSystem/v2-0216"),
    (217, "http://terminology.hl7.org/CodeSystem/v2-0217"),
    (220, "http://terminology.hl7.org/CodeSystem/v2-0220"),
    (225, "http://terminology.hl7.org/CodeSystem/v2-0225"),
    (227, "http://terminology.hl7.org/CodeSystem/v2-0227"),
    (228, "http://terminology.hl7.org/CodeSystem/v2-0228"),
    (229, "http://terminology.hl7.org/CodeSystem/v2-0229"),
    (230, "http://terminology.hl7.org/CodeSystem/v2-0230"),
    (231, "http://terminology.hl7.org/CodeSystem/v2-0231"),
    (232, "http://terminology.hl7.org/CodeSystem/v2-0232"),
    (234, "http://terminology.hl7.org/CodeSystem/v2-0234"),
    (241, "http://terminology.hl7.org/CodeSystem/v2-0241"),
    (247, "http://terminology.hl7.org/CodeSystem/v2-0247"),
    (248, "http://terminology.hl7.org/CodeSystem/v2-0248"),
    (267, "http://terminology.hl7.org/CodeSystem/v2-0267"),
    (268, "http://terminology.hl7.org/CodeSystem/v2-0268"),
    (269, "http://terminology.hl7.org/CodeSystem/v2-0269"),
    (270, "http://terminology.hl7.org/CodeSystem/v2-0270"),
    (287, "http://terminology.hl7.org/CodeSystem/v2-0287"),
    (291, "http://terminology.hl7.org/CodeSystem/v2-0291"),
    (292, "http://terminology.hl7.org/CodeSystem/v2-0292"),
    (301, "http://terminology.hl7.org/CodeSystem/v2-0301"),
    (305, "http://terminology.hl7.org/CodeSystem/v2-0305"),
    (311, "http://terminology.hl7.org/CodeSystem/v2-0311"),
    (315, "http://terminology.hl7.org/CodeSystem/v2-0315"),
    (316, "http://terminology.hl7.org/CodeSystem/v2-0316"),
    (322, "http://terminology.hl7.org/CodeSystem/v2-0322"),
    (323, "http://terminology.hl7.org/CodeSystem/v2-0323"),
    (324, "http://terminology.hl7.org/CodeSystem/v2-0324"),
    (325, "http://terminology.hl7.org/CodeSystem/v2-0325"),
    (326, "http://terminology.hl7.org/CodeSystem/v2-0326"),
    (334, "http://terminology.hl7.org/CodeSystem/v2-0334"),
    (335, "http://terminology.hl7.org/CodeSystem/v2-0335"),
    (336, "http://terminology.hl7.org/CodeSystem/v2-0336"),
    (337, "http://terminology.hl7.org/CodeSystem/v2-0337"),
    (338, "http://terminology.hl7.org/CodeSystem/v2-0338"),
    (344, "http://terminology.hl7.org/CodeSystem/v2-0344"),
    (350, "http://terminology.hl7.org/CodeSystem/v2-0350"),
    (351, "http://terminology.hl7.org/CodeSystem/v2-0351"),
    (354, "http://terminology.hl7.org/CodeSystem/v2-0354"),
    (355, "http://terminology.hl7.org/CodeSystem/v2-0355"),
    (356, "http://terminology.hl7.org/CodeSystem/v2-0356"),
    (357, "http://terminology.hl7.org/CodeSystem/v2-0357"),
    (359, "http://terminology.hl7.org/CodeSystem/v2-0359"),
    (366, "http://terminology.hl7.org/CodeSystem/v2-0366"),
    (369, "http://terminology.hl7.org/CodeSystem/v2-0369"),
    (371, "http://terminology.hl7.org/CodeSystem/v2-0371"),
    (375, "http://terminology.hl7.org/CodeSystem/v2-0375"),
    (376, "http://terminology.hl7.org/CodeSystem/v2-0376"),
    (383, "http://terminology.hl7.org/CodeSystem/v2-0383"),
    (395, "http://terminology.hl7.org/CodeSystem/v2-0395"),
    (396, "http://terminology.hl7.org/CodeSystem/v2-0396"),
    (411, "http://terminology.hl7.org/CodeSystem/v2-0411"),
    (415, "http://terminology.hl7.org/CodeSystem/v2-0415"),
    (416, "http://terminology.hl7.org/CodeSystem/v2-0416"),
    (417, "http://terminology.hl7.org/CodeSystem/v2-0417"),
    (421, "http://terminology.hl7.org/CodeSystem/v2-0421"),
    (425, "http://terminology.hl7.org/CodeSystem/v2-0425"),
    (426, "http://terminology.hl7.org/CodeSystem/v2-0426"),
    (428, "http://terminology.hl7.org/CodeSystem/v2-0428"),
    (430, "http://terminology.hl7.org/CodeSystem/v2-0430"),
    (431, "http://terminology.hl7.org/CodeSystem/v2-0431"),
    (432, "http://terminology.hl7.org/CodeSystem/v2-0432"),
    (433, "http://terminology.hl7.org/CodeSystem/v2-0433"),
    (434, "http://terminology.hl7.org/CodeSystem/v2-0434"),
    (435, "http://terminology.hl7.org/CodeSystem/v2-0435"),
    (436, "http://terminology.hl7.org/CodeSystem/v2-0436"),
    (437, "http://terminology.hl7.org/CodeSystem/v2-0437"),
    (438, "http://terminology.hl7.org/CodeSystem/v2-0438"),
    (440, "http://terminology.hl7.org/CodeSystem/v2-0440"),
    (444, "http://terminology.hl7.org/CodeSystem/v2-0444"),
    (445, "http://terminology.hl7.org/CodeSystem/v2-0445"),
    (450, "http://terminology.hl7.org/CodeSystem/v2-0450"),
    (457, "http://terminology.hl7.org/CodeSystem/v2-0457"),
    (465, "http://terminology.hl7.org/CodeSystem/v2-0465"),
    (466, "http://terminology.hl7.org/CodeSystem/v2-0466"),
    (472, "http://terminology.hl7.org/CodeSystem/v2-0472"),
    (473, "http://terminology.hl7.org/CodeSystem/v2-0473"),
    (474, "http://terminology.hl7.org/CodeSystem/v2-0474"),
    (475, "http://terminology.hl7.org/CodeSystem/v2-0475"),
    (477, "http://terminology.hl7.org/CodeSystem/v2-0477"),
    (478, "http://terminology.hl7.org/CodeSystem/v2-0478"),
    (480, "http://terminology.hl7.org/CodeSystem/v2-0480"),
    (482, "http://terminology.hl7.org/CodeSystem/v2-0482"),
    (483, "http://terminology.hl7.org/CodeSystem/v2-0483"),
    (484, "http://terminology.hl7.org/CodeSystem/v2-0484"),
    (485, "http://terminology.hl7.org/CodeSystem/v2-0485"),
    (487, "http://terminology.hl7.org/CodeSystem/v2-0487"),
    (488, "http://terminology.hl7.org/CodeSystem/v2-0488"),
    (489, "http://terminology.hl7.org/CodeSystem/v2-0489"),
    (490, "http://terminology.hl7.org/CodeSystem/v2-0490"),
    (491, "http://terminology.hl7.org/CodeSystem/v2-0491"),
    (492, "http://terminology.hl7.org/CodeSystem/v2-0492"),
    (493, "http://terminology.hl7.org/CodeSystem/v2-0493"),
    (494, "http://terminology.hl7.org/CodeSystem/v2-0494"),
    (495, "http://terminology.hl7.org/CodeSystem/v2-0495"),
    (496, "http://terminology.hl7.org/CodeSystem/v2-0496"),
    (497, "http://terminology.hl7.org/CodeSystem/v2-0497"),
    (498, "http://terminology.hl7.org/CodeSystem/v2-0498"),
    (499, "http://terminology.hl7.org/CodeSystem/v2-0499"),
    (500, "http://terminology.hl7.org/CodeSystem/v2-0500"),
    (501, "http://terminology.hl7.org/CodeSystem/v2-0501"),
    (502, "http://terminology.hl7.org/CodeSystem/v2-0502"),
    (503, "http://terminology.hl7.org/CodeSystem/v2-0503"),
    (504, "http://terminology.hl7.org/CodeSystem/v2-0504"),
    (505, "http://terminology.hl7.org/CodeSystem/v2-0505"),
    (506, "http://terminology.hl7.org/CodeSystem/v2-0506"),
    (507, "http://terminology.hl7.org/CodeSystem/v2-0507"),
    (508, "http://terminology.hl7.org/CodeSystem/v2-0508"),
    (510, "http://terminology.hl7.org/CodeSystem/v2-0510"),
    (511, "http://terminology.hl7.org/CodeSystem/v2-0511"),
    (513, "http://terminology.hl7.org/CodeSystem/v2-0513"),
    (514, "http://terminology.hl7.org/CodeSystem/v2-0514"),
    (516, "http://terminology.hl7.org/CodeSystem/v2-0516"),
    (517, "http://terminology.hl7.org/CodeSystem/v2-0517"),
    (518, "http://terminology.hl7.org/CodeSystem/v2-0518"),
    (520, "http://terminology.hl7.org/CodeSystem/v2-0520"),
    (523, "http://terminology.hl7.org/CodeSystem/v2-0523"),
    (524, "http://terminology.hl7.org/CodeSystem/v2-0524"),
    (527, "http://terminology.hl7.org/CodeSystem/v2-0527"),
    (528, "http://terminology.hl7.org/CodeSystem/v2-0528"),
    (529, "http://terminology.hl7.org/CodeSystem/v2-0529"),
    (530, "http://terminology.hl7.org/CodeSystem/v2-0530"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    #[test]
    fn names_oids_and_tables_are_sorted_and_unique() {
        assert!(NAMES.windows(2).all(|w| w[0].0 < w[1].0));
        assert!(HEADS.is_sorted_by(|a, b| a < b));
        assert!(OIDS.windows(2).all(|w| w[0].0 < w[1].0));
        assert!(V2_TABLES.windows(2).all(|w| w[0].0 < w[1].0));
    }

    #[test]
    fn v2_url_ends_with_its_table_number() {
        for (number, url) in V2_TABLES {
            let tail: String = url.chars().rev().take(4).collect();
            let tail: String = tail.chars().rev().collect();
            assert_eq!(tail.parse::<u16>().unwrap(), *number);
        }
    }

    #[test]
    fn jc10_of_15_characters_is_a_raw_local_system() {
        assert_eq!(
            system_uri("JC10", "3A0150000023291", ""),
            SystemUri::LocalAs("JC10-raw")
        );
        assert_eq!(
            system_uri("JC10", "023", ""),
            SystemUri::LocalAs("JC10-specimen")
        );
        assert_eq!(
            system_uri(" jc10 ", "3A015000002329101", ""),
            SystemUri::Known(JLAC10)
        );
    }

    #[test]
    fn mdcdx2_is_told_apart_by_length() {
        assert_eq!(
            system_uri("MDCDX2", "20061593", ""),
            SystemUri::Known(DISEASE_KEY_NUMBER)
        );
        assert_eq!(
            system_uri("MDCDX2", "L3RF", ""),
            SystemUri::Known(DISEASE_EXCHANGE)
        );
        assert_eq!(system_uri("MDCDX2", "123", ""), SystemUri::Local);
        assert_eq!(
            modifier_uri("MDCDX2", "27000358"),
            SystemUri::Known(MODIFIER_KEY_NUMBER)
        );
        assert_eq!(
            modifier_uri("MDCDX2", "5194"),
            SystemUri::Known(MODIFIER_EXCHANGE)
        );
    }

    #[test]
    fn icd10_of_2013_has_its_own_system() {
        assert_eq!(
            system_uri("I10", "C169", "2013"),
            SystemUri::Known(ICD10_2013_FULL)
        );
        assert_eq!(system_uri("I10", "C169", "2003"), SystemUri::Known(ICD10));
        assert_eq!(system_uri("I10", "C169", ""), SystemUri::Known(ICD10));
    }

    #[test]
    fn hl7_tables_have_three_exceptions() {
        assert_eq!(
            system_uri("HL70069", "01", ""),
            SystemUri::Known(CLINICAL_DEPARTMENT)
        );
        assert_eq!(system_uri("HL70162", "PO", ""), SystemUri::Known(ROUTE));
        assert_eq!(
            system_uri("HL70241", "F", ""),
            SystemUri::Known(OUTCOME_HL70241)
        );
        assert_eq!(
            system_uri("HL70482 ", "O", ""),
            SystemUri::Known("http://terminology.hl7.org/CodeSystem/v2-0482")
        );
        assert_eq!(system_uri("HL79999", "O", ""), SystemUri::Local);
        assert_eq!(system_uri("HL7漢", "O", ""), SystemUri::Local);
    }

    #[test]
    fn hot_length_must_agree_with_the_name() {
        assert_eq!(system_uri("HOT9", "103835401", ""), SystemUri::Known(HOT9));
        assert_eq!(system_uri("HOT09", "103835401", ""), SystemUri::Known(HOT9));
        assert_eq!(
            system_uri("HOT9", "1038354", ""),
            SystemUri::LocalAs("HOT9")
        );
        assert_eq!(system_uri("HOT11", "10383540101", ""), SystemUri::Local);
    }

    #[test]
    fn usage_code_is_told_apart_by_length() {
        assert_eq!(
            system_uri("JAMISDP01", "1013044400000000", ""),
            SystemUri::Known(JAMI_USAGE)
        );
        assert_eq!(
            system_uri("JAMISDP01", "V14NNNNN", ""),
            SystemUri::Known(JAMI_USAGE_ADDITIONAL)
        );
        assert_eq!(system_uri("JAMISDP01", "TID", ""), SystemUri::Local);
        assert_eq!(
            system_uri("JAMISDP01", "9999000000000000", ""),
            SystemUri::Local
        );
    }

    #[test]
    fn local_name_of_a_jahis_table_counts_for_its_codes_only() {
        assert_eq!(system_uri("99I01", "FTP", ""), SystemUri::Known(JHSI0001));
        assert_eq!(system_uri("99I01", "X", ""), SystemUri::Local);
        assert_eq!(
            system_uri("99I02", "05", ""),
            SystemUri::LocalAs("JHSI0002")
        );
    }

    #[test]
    fn merit9_lists_share_a_name() {
        assert_eq!(system_uri("MR9P", "TAB", ""), SystemUri::Known(MERIT9_UNIT));
        assert_eq!(system_uri("MR9P", "INJ", ""), SystemUri::Known(MERIT9_FORM));
        assert_eq!(
            system_uri("MR9P", "OHP", ""),
            SystemUri::Known(MERIT9_CATEGORY)
        );
    }

    #[test]
    fn allergen_code_names_its_list() {
        assert_eq!(
            system_uri("J-FAGY", "J9FA21180000", ""),
            SystemUri::Known(JFAGY_FOOD)
        );
        assert_eq!(
            system_uri("J-FAGY", "J9NK12000000", ""),
            SystemUri::Known(JFAGY_OTHER)
        );
        assert_eq!(system_uri("J-FAGY", "X", ""), SystemUri::Local);
    }

    #[test]
    fn unknown_and_empty_names_are_local() {
        for name in ["", "L", "99XYZ", "99I01", "99I03", "１", "HL7"] {
            assert_eq!(system_uri(name, "1", ""), SystemUri::Local, "{name}");
        }
    }

    #[test]
    fn janis_codes_have_three_or_four_digits() {
        for code in ["201", "1301"] {
            assert_eq!(system_uri("JANIS", code, ""), SystemUri::Local);
        }
        for code in ["1", "SP", "13011", "13A1"] {
            assert_eq!(system_uri("JANIS", code, ""), SystemUri::LocalAs("JANIS"));
        }
    }

    #[test]
    fn oid_and_url_answer_each_other() {
        assert_eq!(url_of_oid("urn:oid:1.2.392.200119.4.504"), Some(JLAC10));
        assert_eq!(url_of_oid("1.2.392.100495.20.2.74"), Some(HOT9));
        assert_eq!(oid_of_url(HOT9), Some("1.2.392.200119.4.403.1"));
        assert_eq!(url_of_oid("1.2.3"), None);
        for (oid, url, alias) in OIDS {
            assert_eq!(url_of_oid(oid), Some(*url));
            if !alias {
                assert_eq!(oid_of_url(url), Some(*oid));
            }
        }
    }
}
